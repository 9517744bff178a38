#include "mounts.h"
#include "step.h"
#include "trust.h"

#include <base/mem.h>
#include <base/own.h>
#include <base/text.h>
#include <bindright/source.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	/** The kernel follows this many links (include/linux/namei.h, MAXSYMLINKS). */
	HOPS_MAX = 40,
};

/** A followed link of somebody who is not trusted, until it is known what it leads to. */
struct link {
	uint32_t owner;
	/** Its target is reached when no more than this is left to walk. */
	size_t rest;
	const char *path;
};

/**
 * Where the walk is.
 *
 *     real            todo
 *     /srv/data       models/v1/weights
 *     walked, no      `- text of a link -'`- the path's own: the last `own` bytes
 *     links left
 */
struct walk {
	struct br_arena *arena;
	struct br_source *out;
	const struct br_mounts *mounts;
	uid_t trusted;
	/** What is said of the last step where it may be one that is accepted: struct br_source's
	 * unsafe_owner. */
	const char *last_step;
	/** How many links had been followed before the first unsafe hop. */
	unsigned unsafe_hops;
	/** What `real` is. Its descriptor is the walk's. */
	struct br_step here;
	/** The mount under `here`, or NULL. */
	const struct br_mount_line *line;
	/** Without a slash at its end: "" is the root. */
	struct br_buf real;
	/** Memory of the arena; never begins with a slash. */
	const char *todo;
	size_t own;
	unsigned hops;
	/** Links whose target is not reached yet, the outermost first. */
	struct link links[HOPS_MAX];
	size_t nlinks;
};

static const char *skip_slashes(const char *s) {
	return s + strspn(s, "/");
}

static bool is_kind(const struct br_mount_line *line, const char *type) {
	return line && strcmp(line->type, type) == 0;
}

static bool is_remote(const struct br_mount_line *line) {
	return line && br_fs_is_remote(line->type);
}

static bool is_trusted(const struct walk *w, uint32_t uid) {
	return uid == 0 || uid == w->trusted;
}

/** The real path, or that of a name in it. */
static const char *path_of(const struct walk *w, const char *name) {
	const char *real = w->real.n ? w->real.s : "";
	if (name) {
		return br_printf(w->arena, "%s/%s", real, name);
	}
	return br_strdup(w->arena, *real ? real : "/");
}

/* What somebody else could have prepared. The first such hop is kept. */

/** Without memory for the clause, the hop is still unsafe. */
static void call_unsafe(struct walk *w, const char *clause) {
	w->out->unsafe = clause ? clause : "a hop on the way is not safe";
}

/** Where the first unsafe hop begins, if the targets of all links before it are reached and judged.
 */
static void note_place(struct walk *w) {
	if (w->nlinks == 0) {
		w->out->unsafe_at = path_of(w, NULL);
		w->unsafe_hops = w->hops;
	}
}

static void judge_directory(struct walk *w) {
	if (w->out->unsafe || !br_others_can_swap(&w->here, w->trusted, !is_remote(w->line))) {
		return;
	}
	const char *path = path_of(w, NULL);
	note_place(w);
	call_unsafe(w,
		path ? br_printf(
			w->arena, "others than its owner can replace what is in '%s'", path)
		     : NULL);
}

/**
 * From a directory of somebody else to what yet another owns: he may have moved it there. Root's
 * object at the very end is accepted, since an engine makes sources so.
 */
static void judge_step(struct walk *w, const struct br_step *next, const char *name, bool last) {
	uint32_t from = w->here.uid;
	bool made_by_engine = last && next->uid == 0 && !S_ISLNK(next->mode);
	if (w->out->unsafe || is_trusted(w, from) || from == next->uid || made_by_engine) {
		return;
	}
	const char *path = path_of(w, name);
	note_place(w);
	const char *clause = path ? br_printf(w->arena,
				     "'%s' is of UID %u, in a directory of UID %u, who could put "
				     "anything in its place",
				     path, next->uid, from)
				  : NULL;
	if (clause && last && S_ISDIR(next->mode) && !is_remote(w->line)) {
		w->last_step = clause;
		w->out->unsafe_owner = next->uid;
		w->out->unsafe_from = from;
		w->out->unsafe_shared = (next->mode & 022) != 0;
		return;
	}
	call_unsafe(w, clause);
}

/** Nothing else was unsafe: then the last step is. */
static void judge_last(struct walk *w) {
	if (w->out->unsafe || !w->last_step) {
		w->out->unsafe_owner = UINT32_MAX;
		return;
	}
	w->out->unsafe = w->last_step;
}

/** Links whose target is `here` must be of its owner. */
static void judge_links(struct walk *w) {
	size_t left = strlen(w->todo);
	while (w->nlinks && left <= w->links[w->nlinks - 1].rest) {
		const struct link *link = &w->links[--w->nlinks];
		if (w->out->unsafe || link->owner == w->here.uid) {
			continue;
		}
		const char *path = path_of(w, NULL);
		call_unsafe(w,
			path ? br_printf(w->arena,
				"the link '%s' is of UID %u, and '%s' where it leads to of UID %u",
				link->path, link->owner, path, w->here.uid)
			     : NULL);
	}
}

/* The end of a walk. Each returns 0, or -1 with ENOMEM. */

static int fill_fs(struct walk *w) {
	struct br_source *out = w->out;
	return w->line ? br_fs_of_line(w->arena, w->line, &out->fs)
		       : br_fs_of_fd(w->arena, w->here.fd, &out->fs);
}

/** Pin `here`. */
static void keep_here(struct walk *w) {
	struct br_source *out = w->out;
	out->dev = w->here.dev;
	out->ino = w->here.ino;
	out->mount = w->here.unique_mount;
	out->mode = w->here.mode;
	out->fd = br_steal_fd(&w->here.fd);
}

/** What its type does not say about ACLs, it says itself; who does not answer keeps what is thought
 * of him. */
static void ask_acls(struct walk *w) {
	struct br_fs *fs = &w->out->fs;
	struct br_step_acls acls;
	if (fs->keeps_acls == BR_YES || S_ISLNK(w->here.mode)
		|| br_step_acls(w->here.fd, is_remote(w->line), &acls) != 0) {
		return;
	}
	fs->nfs4_acl = acls.nfs4;
	fs->served = fs->served || acls.nfs4;
	fs->keeps_acls = acls.no_posix ? BR_NO : fs->keeps_acls;
}

static int finish(struct walk *w, enum br_source_state state) {
	struct br_source *out = w->out;
	out->state = state;
	out->real = path_of(w, NULL);
	if (!out->real || fill_fs(w)) {
		return -1;
	}
	// What its kernel remembers can be read long after a server is gone; a walk would wait for
	// it for ever.
	if (state == BR_SOURCE_PRESENT && is_remote(w->line) && S_ISDIR(w->here.mode)
		&& br_step_list_guarded(w->here.fd, ".") == ETIMEDOUT) {
		out->state = BR_SOURCE_UNREACHABLE;
		out->err = ETIMEDOUT;
		out->stopped_at = out->real;
		return 0;
	}
	// What is to be there nobody knows before it is mounted.
	if (state == BR_SOURCE_PRESENT && is_kind(w->line, "autofs")) {
		out->state = BR_SOURCE_UNREACHABLE;
		out->err = EREMOTE;
		out->stopped_at = out->real;
		return 0;
	}
	if (state == BR_SOURCE_PRESENT || state == BR_SOURCE_MISSING) {
		ask_acls(w);
		keep_here(w);
	}
	return 0;
}

/** The walk ends at `name` in the directory `here` (NULL: at `here` itself). */
static int stop(struct walk *w, enum br_source_state state, int err, const char *name) {
	w->out->err = err;
	w->out->stopped_at = path_of(w, name);
	return w->out->stopped_at ? finish(w, state) : -1;
}

static int stop_on_error(struct walk *w, const char *name, int err) {
	bool in_link = strlen(w->todo) > w->own;
	switch (err) {
	case ENOENT:
		if (in_link) {
			return stop(w, BR_SOURCE_DANGLING, err, name);
		}
		w->out->missing = br_strdup(w->arena, w->todo);
		return w->out->missing ? stop(w, BR_SOURCE_MISSING, err, name) : -1;
	case ENOTDIR:
		return stop(w, BR_SOURCE_NOT_A_DIRECTORY, err, NULL);
	default:
		return stop(w, BR_SOURCE_UNREACHABLE, err, name);
	}
}

/* Steps. Each returns 1 to go on, 0 where the walk has ended, -1 with ENOMEM. */

/** Open `name` in `here`, as carefully as its file system needs. 0 or an errno. */
static int open_by_kind(struct walk *w, const char *name, struct br_step *next) {
	if (is_kind(w->line, "autofs")) {
		return br_step_open_mounted(w->here.fd, name, next);
	}
	if (is_remote(w->line)) {
		return br_step_open_guarded(w->here.fd, name, next);
	}
	return br_step_open(w->here.fd, name, next);
}

/** The same, and what the mount is that it is on. On an errno from a new mount, w->line is that
 * mount. */
static int open_next(
	struct walk *w, const char *name, struct br_step *next, const struct br_mount_line **line) {
	bool guarded = is_remote(w->line) && !is_kind(w->line, "autofs");
	int err = open_by_kind(w, name, next);
	bool crossed = next->mount != 0 && next->mount != w->here.mount;
	*line = crossed ? br_mounts_find(w->mounts, next->mount) : w->line;
	if (!err && is_remote(*line) && !guarded) {
		// What was read is what the kernel remembers. Its server may be gone.
		struct br_step fresh;
		err = br_step_open_guarded(next->fd, NULL, &fresh);
		if (err) {
			br_closep(&next->fd);
		} else {
			*next = fresh;
		}
	}
	if (err) {
		w->line = *line;
	}
	return err;
}

static int go_to_root(struct walk *w) {
	br_closep(&w->here.fd);
	int err = br_step_open(AT_FDCWD, "/", &w->here);
	w->real.n = 0;
	w->line = err ? NULL : br_mounts_find(w->mounts, w->here.mount);
	return err;
}

/** `head`, which may be relative, then `rest`, is what is left to walk. */
static int walk_on(struct walk *w, const char *head, const char *rest) {
	const char *todo =
		*rest ? br_printf(w->arena, "%s/%s", head, rest) : br_strdup(w->arena, head);
	if (!todo) {
		return -1;
	}
	w->todo = skip_slashes(todo);
	return 1;
}

/** ".." in a link: the parent is reached from the root again, since the real path has no links;
 * `..` itself is never opened. */
static int go_up(struct walk *w, const char *rest) {
	while (w->real.n > 0 && w->real.s[w->real.n - 1] != '/') {
		w->real.n--;
	}
	const char *parent = br_strndup(w->arena, w->real.s ? w->real.s : "", w->real.n);
	if (!parent) {
		return -1;
	}
	int err = go_to_root(w);
	if (err) {
		return stop(w, BR_SOURCE_UNREACHABLE, err, NULL);
	}
	return walk_on(w, parent, rest);
}

static int follow(struct walk *w, const struct br_step *link, const char *name, const char *rest) {
	char text[PATH_MAX];
	w->out->linked = true;
	if (is_kind(w->line, "proc")) {
		const char *path = path_of(w, name);
		call_unsafe(
			w, path ? br_printf(w->arena, "'%s' is a link of the kernel", path) : NULL);
		return stop(w, BR_SOURCE_UNREACHABLE, ELOOP, name);
	}
	if (w->hops++ >= HOPS_MAX) {
		return stop(w, BR_SOURCE_DANGLING, ELOOP, name);
	}
	int err = is_remote(w->line) ? br_step_link_guarded(link->fd, text)
				     : br_step_link(link->fd, text, sizeof(text));
	if (err) {
		return stop(w, BR_SOURCE_UNREACHABLE, err, name);
	}
	if (w->own > strlen(rest)) {
		w->own = strlen(rest);
	}
	if (!is_trusted(w, link->uid)) {
		const char *path = path_of(w, name);
		if (!path) {
			return -1;
		}
		w->links[w->nlinks++] =
			(struct link){.owner = link->uid, .rest = strlen(rest), .path = path};
	}
	err = text[0] == '/' ? go_to_root(w) : 0;
	if (err) {
		return stop(w, BR_SOURCE_UNREACHABLE, err, NULL);
	}
	return walk_on(w, text, rest);
}

/** Stand on `next`, which is `name`. */
static int enter(struct walk *w, struct br_step *next, const char *name, const char *rest) {
	br_closep(&w->here.fd);
	w->here = *next;
	next->fd = -1;
	br_buf_addc(&w->real, '/');
	br_buf_add(&w->real, name);
	w->todo = rest;
	return w->real.failed ? -1 : 1;
}

static int take_step(struct walk *w, const char *name, const char *rest) {
	if (!S_ISDIR(w->here.mode)) {
		return stop_on_error(w, name, ENOTDIR);
	}
	if (strcmp(name, ".") == 0) {
		w->todo = rest;
		return 1;
	}
	if (strcmp(name, "..") == 0) {
		return go_up(w, rest);
	}
	judge_directory(w);
	struct br_step next = {.fd = -1};
	const struct br_mount_line *line = w->line;
	int err = open_next(w, name, &next, &line);
	if (err) {
		return stop_on_error(w, name, err);
	}
	judge_step(w, &next, name, !*rest);
	int result;
	if (S_ISLNK(next.mode)) {
		result = follow(w, &next, name, rest);
	} else {
		result = enter(w, &next, name, rest);
		w->line = line;
	}
	br_closep(&next.fd);
	return result;
}

static int walk(struct walk *w) {
	for (;;) {
		judge_links(w);
		if (!*w->todo) {
			return finish(w, BR_SOURCE_PRESENT);
		}
		size_t n = strcspn(w->todo, "/");
		const char *name = br_strndup(w->arena, w->todo, n);
		if (!name) {
			return -1;
		}
		int result = take_step(w, name, skip_slashes(w->todo + n));
		if (result != 1) {
			return result;
		}
	}
}

/** Without ".", ".." and empty components, and without the first slash: as compose and the engine
 * clean it, before any link is seen. */
static char *clean(struct br_arena *arena, const char *path) {
	char *out = br_strdup(arena, path);
	size_t n = 0;
	while (out && *(path = skip_slashes(path))) {
		size_t len = strcspn(path, "/");
		bool dot = len == 1 && path[0] == '.';
		bool dots = len == 2 && path[0] == '.' && path[1] == '.';
		if (dots) {
			while (n > 0 && out[--n] != '/') {
			}
		} else if (!dot) {
			out[n] = '/';
			n += n > 0;
			memcpy(out + n, path, len);
			n += len;
		}
		path += len;
	}
	if (out) {
		out[n] = 0;
	}
	return out;
}

static int start(struct walk *w) {
	struct br_source *out = w->out;
	bool is_absolute = out->path[0] == '/';
	if (!is_absolute || strlen(out->path) >= PATH_MAX) {
		out->state = BR_SOURCE_UNREACHABLE;
		out->err = is_absolute ? ENAMETOOLONG : EINVAL;
		out->real = "/";
		out->stopped_at = out->path;
		out->fs = (struct br_fs){.type = "?",
			.mount_point = "?",
			.fuse_only_uid = UINT32_MAX,
			.fuse_only_gid = UINT32_MAX};
		return 0;
	}
	w->todo = clean(w->arena, out->path);
	if (!w->todo) {
		return -1;
	}
	w->own = strlen(w->todo);
	int err = go_to_root(w);
	return err ? stop(w, BR_SOURCE_UNREACHABLE, err, NULL) : walk(w);
}

int br_source_open(struct br_arena *arena, const char *path, uid_t trusted, struct br_source *out) {
	br_auto(br_mounts_freep) struct br_mounts *mounts = br_mounts_read();
	if (!mounts && errno == ENOMEM) {
		*out = (struct br_source){.fd = -1};
		return -1;
	}
	return br_source_open_among(arena, mounts, path, trusted, out);
}

int br_source_open_among(struct br_arena *arena, const struct br_mounts *mounts, const char *path,
	uid_t trusted, struct br_source *out) {
	*out = (struct br_source){.path = br_strdup(arena, path), .fd = -1};
	if (!out->path) {
		errno = ENOMEM;
		return -1;
	}
	struct walk w = {
		.arena = arena,
		.out = out,
		.mounts = mounts,
		.trusted = trusted,
		.here = {.fd = -1},
	};
	int result = start(&w);
	judge_last(&w);
	if (!out->unsafe || w.hops != w.unsafe_hops) {
		out->unsafe_at = NULL;
	}
	br_closep(&w.here.fd);
	br_buf_release(&w.real);
	if (result) {
		errno = ENOMEM;
	}
	return result;
}

struct asking {
	struct br_arena *arena;
	const struct br_source *source;
	const char *silent;
};

static void ask_mount(void *context, const char *below, const char *type) {
	struct asking *asking = context;
	if (!asking->silent && br_fs_is_remote(type) && strcmp(type, "autofs") != 0
		&& br_step_list_guarded(asking->source->fd, below) == ETIMEDOUT) {
		asking->silent = br_strdup(asking->arena, below);
		asking->silent = asking->silent ? asking->silent : "?";
	}
}

const char *br_source_silent_mount(struct br_arena *arena, const struct br_source *source) {
	br_auto(br_mounts_freep) struct br_mounts *mounts = br_mounts_read();
	struct asking asking = {.arena = arena, .source = source};
	if (mounts) {
		(void)br_mounts_below(mounts, source->real, ask_mount, &asking);
	}
	return asking.silent;
}

static void note_remote(void *context, const char *below, const char *type) {
	bool *remote = context;
	(void)below;
	*remote = *remote || br_fs_is_remote(type);
}

bool br_source_may_hang(const struct br_source *source) {
	bool remote = source->fs.remote;
	br_auto(br_mounts_freep) struct br_mounts *mounts = remote ? NULL : br_mounts_read();
	if (mounts) {
		(void)br_mounts_below(mounts, source->real, note_remote, &remote);
	}
	return remote;
}

void br_source_release(struct br_source *source) {
	br_closep(&source->fd);
}
