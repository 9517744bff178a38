#include "explain_impl.h"

#include <base/file.h>
#include <base/own.h>
#include <base/text.h>
#include <bindright/server.h>
#include <bindright/source.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	/** The kernel follows this many links (include/linux/namei.h, MAXSYMLINKS). */
	HOPS_MAX = 40,
};

/** Where the walk is: `real` is what was walked, without links; `todo` what is left. */
struct way {
	struct br_arena *arena;
	const struct br_explain_query *query;
	struct br_acls *acls;
	struct br_diags *dx;
	br_vec(struct br_explain_step) steps;
	int here;
	struct br_inode inode;
	/** "" is the root. */
	const char *real;
	/** Never shorter than this: a container does not get above its mount point. */
	size_t floor;
	/** The mount on which the way begins. */
	uint64_t mount;
	const char *todo;
	unsigned hops;
	/** The directories that were passed below the mount point all belong to IDs that the engine
	 * has (`:O`). */
	bool above_mapped;
	/** The object, as directory: what is made in it. */
	bool makes;
	struct br_inode made_file;
	struct br_inode made_directory;
};

unsigned br_parse_need(const char *word) {
	unsigned need = 0;
	for (; *word; word++) {
		unsigned bit = *word == 'r' ? BR_R : *word == 'w' ? BR_W : *word == 'x' ? BR_X : 0;
		if (!bit || (need & bit)) {
			return 0;
		}
		need |= bit;
	}
	return need;
}

unsigned whole_need(const struct br_inode *inode) {
	bool executable = S_ISDIR(inode->mode) || (S_ISREG(inode->mode) && (inode->mode & 0111));
	return BR_R | BR_W | (executable ? BR_X : 0);
}

bool is_read_only(int fd) {
	struct statvfs fs;
	return fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY);
}

static int refuse(struct way *way, const char *path, int err) {
	if (err == ENOENT || err == ENOTDIR) {
		(void)br_error(way->dx, way->query->at, "'%s' %s", path,
			err == ENOENT ? "does not exist" : "is not a directory");
		if (way->query->from && strcmp(way->query->from, path) == 0) {
			br_hint(way->dx, "bindright check says what the engine would do");
		}
		return -1;
	}
	(void)br_error(
		way->dx, way->query->at, "'%s' could not be examined: %s", path, strerror(err));
	if (err == EACCES || err == EPERM) {
		br_hint(way->dx, "run it as root: sudo bindright");
	}
	return -1;
}

/** As the container will find it: modes and ACLs stay (lchown). */
static struct br_inode at_start(const struct way *way) {
	const struct br_explain_query *query = way->query;
	struct br_inode inode = way->inode;
	if (query->overlay && strlen(way->real) <= way->floor) {
		br_check_overlay_top(query->mode, &inode);
	}
	if (query->chown && br_engine_may_give(query->mode, inode.uid, inode.gid)) {
		inode.uid = query->cred->uid;
		inode.gid = query->cred->gid;
	}
	return inode;
}

/** Where its server decides, that is asked. What an engine gives away first, or shows by other IDs,
 * cannot be asked about. */
static int ask_server(struct way *way, int fd, bool read_only, struct br_explain_step *step) {
	const struct br_explain_query *query = way->query;
	struct br_server_word word;
	struct br_source source;
	if (!query->asks || query->chown || query->overlay || query->mount_uids.n) {
		return 0;
	}
	if (br_source_open(way->arena, step->path, BR_NO_ID, &source)) {
		return br_error_memory(way->dx);
	}
	bool served = source.state == BR_SOURCE_PRESENT && source.fs.served
		&& !br_fs_is_private(&source.fs);
	br_source_release(&source);
	if (!served) {
		return 0;
	}
	br_auto(br_asker_freep) struct br_asker *asker = br_asker_new(fd, query->cred);
	step->asked = asker && br_asker_ask(asker, "", step->inode.mode, &word) == 0;
	step->unheard = !step->asked;
	if (step->asked) {
		word.unheard |= read_only ? BR_W : 0U;
		(void)br_server_decide(&word, step->inode.mode, step->want, &step->verdict);
	}
	return 0;
}

static int add_step(struct way *way, int fd, const char *path, unsigned want) {
	const struct br_explain_query *query = way->query;
	bool below = query->writable_below && way->inode.mount != way->mount;
	struct facts facts = {.query = query, .fs_read_only = is_read_only(fd)};
	facts.read_only = facts.fs_read_only || (query->read_only && !below);
	struct br_where where = {.read_only = facts.read_only,
		.mount_uids = query->mount_uids,
		.mount_gids = query->mount_gids};
	struct br_explain_step step = {
		.path = *path ? path : "/",
		.inode = at_start(way),
		.want = want,
	};
	step.verdict = br_access_use(&step.inode, query->cred, &where, want);
	if (ask_server(way, fd, facts.read_only, &step)) {
		return -1;
	}
	unsigned without = step.verdict.missing;
	if (query->overlay && strlen(way->real) > way->floor) {
		br_check_overlay(
			query->overlay, &way->inode, way->above_mapped, want, &step.verdict);
		way->above_mapped &= br_check_overlay_maps(query->overlay, &way->inode);
	}
	step.granted = step.verdict.missing == 0;
	step.rule = br_rule_name(step.verdict.rule);
	facts.keeps_acls = br_inode_acl_support(fd) != 0;
	if (step.verdict.missing & ~without) {
		step.inode_way = "mount it without :O, or give it an owner and a group that the "
				 "engine's user namespace has";
	} else if (!step.granted && find_ways(way->arena, &facts, &step)) {
		return br_error_memory(way->dx);
	}
	return br_vec_push(way->arena, &way->steps, step) ? br_error_memory(way->dx) : 0;
}

/** Whose group new files get on the file system of a path. */
static enum br_group_rule group_rule(struct way *way, const char *path) {
	struct br_source source;
	if (br_source_open(way->arena, path, BR_NO_ID, &source)) {
		return BR_GROUP_OF_MAKER;
	}
	enum br_group_rule rule = source.fs.new_group;
	br_source_release(&source);
	return rule;
}

/** What the one who asks makes in the object. */
static int foresee(struct way *way, int fd, const char *path, bool read_only) {
	const struct br_explain_query *query = way->query;
	struct br_birth birth = {
		.cred = query->cred,
		.where = {.read_only = read_only,
			.mount_uids = query->mount_uids,
			.mount_gids = query->mount_gids},
		.mode = S_IFREG | 0666,
	};
	struct br_inode dir = at_start(way);
	struct br_inode again;
	if (!query->foresees || !S_ISDIR(dir.mode)
		|| !br_access_create(&dir, query->cred, &birth.where)
		|| br_inode_read(fd, "", BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL, way->acls, &again)) {
		return 0;
	}
	again.uid = dir.uid;
	again.gid = dir.gid;
	way->makes = true;
	birth.parent = &again;
	birth.new_group = group_rule(way, path);
	int failed = br_access_created(&birth, way->acls, &way->made_file);
	birth.mode = S_IFDIR | 0777;
	return failed || br_access_created(&birth, way->acls, &way->made_directory)
		? br_error_memory(way->dx)
		: 0;
}

/** The object itself, at the end of the way. */
static int add_last(struct way *way, int fd, const char *path) {
	unsigned need = way->query->need;
	bool below = way->query->writable_below && way->inode.mount != way->mount;
	bool read_only = is_read_only(fd) || (way->query->read_only && !below);
	return foresee(way, fd, path, read_only)
		? -1
		: add_step(way, fd, path, need ? need : whole_need(&way->inode));
}

/** A directory on the way; once, however often the way comes through it. */
static int add_directory(struct way *way) {
	const char *path = *way->real ? way->real : "/";
	for (size_t i = 0; i < way->steps.n; i++) {
		if (strcmp(way->steps.v[i].path, path) == 0) {
			return 0;
		}
	}
	return add_step(way, way->here, path, BR_X);
}

/** fs/namei.c, may_follow_link(): in a sticky directory that everybody can write, only one's own
 * links, and the directory's owner's. */
static bool may_follow(const struct way *way, const struct br_inode *link) {
	size_t n;
	char *s = br_read_file(AT_FDCWD, "/proc/sys/fs/protected_symlinks", 16, &n);
	bool guarded = s && s[0] == '1';
	free(s);
	return !guarded || link->uid.v == way->query->cred->uid.v
		|| (way->inode.mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH)
		|| way->inode.uid.v == link->uid.v;
}

static int add_link(
	struct way *way, const char *path, const char *text, const struct br_inode *inode) {
	bool granted = may_follow(way, inode);
	struct br_explain_step step = {
		.path = path,
		.link = text,
		.inode = *inode,
		.granted = granted,
		.rule = granted ? br_rule_name(BR_RULE_OTHER) : "protected-symlinks",
	};
	if (!granted) {
		step.inode_way = br_printf(way->arena,
			"the link must belong to uid %u, or to the directory's owner, uid %u",
			way->query->cred->uid.v, way->inode.uid.v);
		step.identity_way = br_printf(way->arena, "run as uid %u", inode->uid.v);
	}
	bool failed = !granted && (!step.inode_way || !step.identity_way);
	return failed || br_vec_push(way->arena, &way->steps, step) ? br_error_memory(way->dx) : 0;
}

/** Begin again at the root of all, or of the container's part. */
static int go_to(struct way *way, const char *path) {
	struct br_source source;
	if (br_source_open(way->arena, path, 0, &source)) {
		return br_error_memory(way->dx);
	}
	if (source.state != BR_SOURCE_PRESENT) {
		int err = source.err ? source.err : ENOENT;
		br_source_release(&source);
		return refuse(
			way, err == ENOTDIR && source.stopped_at ? source.stopped_at : path, err);
	}
	br_closep(&way->here);
	way->here = br_steal_fd(&source.fd);
	way->real = strcmp(source.real, "/") == 0 ? "" : source.real;
	br_source_release(&source);
	return br_inode_read(way->here, "", BR_HAVE_ACL, way->acls, &way->inode)
		? refuse(way, path, errno)
		: 0;
}

static int leaves(struct way *way, const char *path, const char *text) {
	(void)br_error(way->dx, way->query->at,
		"'%s' leads out of the mount, to '%s': the container follows it in its own "
		"file system",
		path, text);
	br_hint(way->dx, "ask for the path that it leads to in the container");
	return -1;
}

static int follow(struct way *way, int fd, const char *path, const struct br_inode *inode) {
	char text[PATH_MAX];
	ssize_t n = readlinkat(fd, "", text, sizeof(text) - 1);
	if (n < 0 || ++way->hops > HOPS_MAX) {
		return refuse(way, path, n < 0 ? errno : ELOOP);
	}
	text[n] = '\0';
	const char *kept = br_strdup(way->arena, text);
	const char *todo = br_printf(way->arena, "%s/%s", text, way->todo);
	if (!kept || !todo) {
		return br_error_memory(way->dx);
	}
	if (add_link(way, path, kept, inode)) {
		return -1;
	}
	way->todo = todo;
	if (text[0] != '/') {
		return 0;
	}
	return way->floor ? leaves(way, path, kept) : go_to(way, "/");
}

/** "..": a directory that was judged before, unless a link came from elsewhere. */
static int go_up(struct way *way) {
	const char *slash = strrchr(way->real, '/');
	if (!slash || strlen(way->real) <= way->floor) {
		return slash ? leaves(way, way->real, "..") : 0;
	}
	const char *up = br_strndup(way->arena, way->real, (size_t)(slash - way->real));
	return up ? go_to(way, *up ? up : "/") : br_error_memory(way->dx);
}

static int hidden(struct way *way, const char *path) {
	(void)br_error(way->dx, way->query->at,
		"the container does not see what is mounted at '%s', but what that covers", path);
	br_hint(way->dx, "mount it into the container by itself");
	return -1;
}

static int go_into(struct way *way, const char *name, bool last) {
	struct br_inode inode;
	const char *path = br_printf(way->arena, "%s/%s", way->real, name);
	if (!path) {
		return br_error_memory(way->dx);
	}
	br_auto(br_closep) int fd = openat(way->here, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || br_inode_read(fd, "", BR_HAVE_ACL, way->acls, &inode)) {
		return refuse(way, path, errno);
	}
	if (way->query->hides_below && inode.mount != way->mount) {
		return hidden(way, path);
	}
	if (S_ISLNK(inode.mode)) {
		return follow(way, fd, path, &inode);
	}
	way->inode = inode;
	way->real = path;
	br_closep(&way->here);
	way->here = br_steal_fd(&fd);
	return !last && !S_ISDIR(inode.mode) ? refuse(way, path, ENOTDIR) : 0;
}

/** One name further. A directory is judged as soon as something is looked up in it. */
static int walk_on(struct way *way) {
	size_t n = strcspn(way->todo, "/");
	const char *name = br_strndup(way->arena, way->todo, n);
	way->todo += n;
	way->todo += strspn(way->todo, "/");
	if (!name) {
		return br_error_memory(way->dx);
	}
	if (n == 0 || strcmp(name, ".") == 0) {
		return 0;
	}
	if (!S_ISDIR(way->inode.mode)) {
		return refuse(way, way->real, ENOTDIR);
	}
	if (add_directory(way)) {
		return -1;
	}
	return strcmp(name, "..") == 0 ? go_up(way) : go_into(way, name, !*way->todo);
}

static int walk(struct way *way) {
	const struct br_explain_query *query = way->query;
	size_t from = strlen(query->from);
	if (go_to(way, query->from)) {
		return -1;
	}
	way->floor = strlen(way->real);
	way->mount = way->inode.mount;
	way->todo = query->path + (strncmp(query->path, query->from, from) == 0 ? from : 0);
	way->todo += strspn(way->todo, "/");
	while (*way->todo) {
		if (walk_on(way)) {
			return -1;
		}
	}
	// The object may have been passed before, as a directory on the way.
	return add_last(way, way->here, way->real);
}

static int look(struct way *way) {
	return go_to(way, way->query->path) ? -1 : add_last(way, way->here, way->real);
}

static void conclude(const struct way *way, struct br_explanation *out) {
	const struct br_explain_step *last = &way->steps.v[way->steps.n - 1];
	bool reached = !way->query->refusals;
	*out = (struct br_explanation){
		.query = way->query,
		.steps = way->steps.v,
		.nsteps = way->steps.n,
		.decider = last,
		.granted = true,
		.have = last->verdict.have,
	};
	out->granted = !way->query->refusals || !way->query->refusals[0];
	out->have = out->granted ? out->have : 0;
	for (size_t i = 0; i < way->steps.n && out->granted; i++) {
		if (!way->steps.v[i].granted) {
			out->granted = false;
			out->decider = &way->steps.v[i];
			out->have = out->decider == last ? out->have : 0;
		}
	}
	for (size_t i = 0; i + 1 < way->steps.n; i++) {
		reached = reached && way->steps.v[i].granted;
	}
	out->makes = reached && way->makes;
	out->made_file = way->made_file;
	out->made_directory = way->made_directory;
}

int br_explain(struct br_arena *arena, const struct br_explain_query *query, struct br_acls *acls,
	struct br_explanation *out, struct br_diags *dx) {
	struct way way = {.arena = arena,
		.query = query,
		.acls = acls,
		.dx = dx,
		.here = -1,
		.real = "",
		.above_mapped = true,
		.todo = ""};
	int failed = query->before && br_vec_push(arena, &way.steps, *query->before)
		? br_error_memory(dx)
		: query->from ? walk(&way)
			      : look(&way);
	br_closep(&way.here);
	if (!failed) {
		conclude(&way, out);
	}
	return failed;
}
