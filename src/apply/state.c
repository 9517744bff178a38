#include "state.h"

#include <base/file.h>
#include <base/own.h>
#include <base/text.h>
#include <bindright/inode.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum {
	/** Together a few seconds. */
	LOCK_PAUSE_MS = 20,
	LOCK_TRIES = 100,
};

static const char root_state[] = "/var/lib/bindright";
static const struct br_span nowhere;
static const char cannot_look[] = "cannot be examined";

// ---- Which directory ----

/** The caller's home, without links, from the user database; never from the environment. */
static char *home(struct br_arena *arena) {
	char buf[16384];
	struct passwd entry;
	struct passwd *found = NULL;
	if (getpwuid_r(geteuid(), &entry, buf, sizeof(buf), &found) != 0 || found == NULL) {
		errno = ENOENT;
		return NULL;
	}
	br_auto(br_freep) char *real = realpath(entry.pw_dir, NULL);
	return real != NULL ? br_strdup(arena, real) : NULL;
}

/** XDG_STATE_HOME counts only where it is the caller's own directory below his home. */
static const char *xdg(struct br_arena *arena, const char *below, const char *named) {
	size_t n = strlen(below);
	if (named == NULL || named[0] != '/') {
		return NULL;
	}
	br_auto(br_freep) char *real = realpath(named, NULL);
	struct stat st;
	if (real == NULL || strncmp(real, below, n) != 0 || real[n] != '/' || lstat(real, &st) < 0
		|| st.st_uid != geteuid()) {
		return NULL;
	}
	return br_printf(arena, "%s/bindright", real);
}

static const char *state_path(
	struct br_arena *arena, const struct br_state_dir *dir, struct br_diags *dx) {
	const char *path = dir->path;
	if (path == NULL && geteuid() == 0) {
		path = root_state;
	}
	if (path == NULL) {
		const char *own = home(arena);
		if (own == NULL) {
			(void)br_error(
				dx, nowhere, "there is no home directory to keep the journal in");
			return NULL;
		}
		path = xdg(arena, own, dir->xdg_state_home);
		if (path == NULL) {
			path = br_printf(arena, "%s/.local/state/bindright", own);
		}
	}
	if (path == NULL) {
		(void)br_error_memory(dx);
	} else if (path[0] != '/') {
		(void)br_error(
			dx, nowhere, "the state directory '%s' is not an absolute path", path);
		path = NULL;
	}
	return path;
}

// ---- Trust ----

/** Nobody but root and the caller could have put anything into this directory (or moved what is
 * ours in it). */
static const char *distrust(const struct br_inode *in) {
	if (in->uid.v != 0 && in->uid.v != geteuid()) {
		return "belongs to somebody else";
	}
	if ((in->mode & (S_IWGRP | S_IWOTH)) != 0 && (in->mode & S_ISVTX) == 0) {
		return "can be written by others";
	}
	return NULL;
}

/** What is ours alone: no access for others by mode, and no ACL. */
static const char *distrust_private(int fd, mode_t type, mode_t forbidden) {
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	struct br_inode in;
	if (acls == NULL
		|| br_inode_read(fd, "", BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL, acls, &in) < 0) {
		return cannot_look;
	}
	if ((in.mode & S_IFMT) != type) {
		return "is not what it should be";
	}
	if (in.uid.v != geteuid()) {
		return "belongs to somebody else";
	}
	if ((in.mode & forbidden) != 0) {
		return "is open to others";
	}
	if (in.acl != NULL || in.def != NULL) {
		return "has an ACL";
	}
	if (type == S_IFREG && in.nlink != 1) {
		return "has several names";
	}
	return NULL;
}

static int sync_dir(int parent, const char *name) {
	br_auto(br_closep) int fd =
		br_open_beneath(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, true);
	return fd >= 0 ? fsync(fd) : -1;
}

static int open_component(int parent, const char *name, bool create) {
	int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
	int fd = br_open_beneath(parent, name, flags, true);
	if (fd >= 0 || errno != ENOENT || !create) {
		return fd;
	}
	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST) {
		return -1;
	}
	// A power cut must not take the way to the journals. Whoever may write a directory but not
	// read it does without.
	return sync_dir(parent, ".") < 0 && errno != EACCES
		? -1
		: br_open_beneath(parent, name, flags, true);
}

static int refuse(struct br_diags *dx, const char *path, size_t n, const char *why) {
	return br_error(
		dx, nowhere, "cannot keep journals: '%.*s' %s", n > 0 ? (int)n : 1, path, why);
}

/** Walk from the root, looking at every directory on the way. 1, 0 absent, -1. */
static int walk(const char *path, bool create, int *out, struct br_diags *dx) {
	br_auto(br_closep) int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *p = path;
	while (fd >= 0) {
		struct br_inode in;
		size_t done = (size_t)(p - path);
		if (br_inode_stat(fd, "", &in) < 0) {
			break;
		}
		const char *why = distrust(&in);
		if (why != NULL) {
			return refuse(dx, path, done, why);
		}
		p += strspn(p, "/");
		size_t n = strcspn(p, "/");
		if (n == 0) {
			*out = br_steal_fd(&fd);
			return 1;
		}
		char name[256];
		if (n >= sizeof(name) || (p[0] == '.' && (n == 1 || (n == 2 && p[1] == '.')))) {
			return refuse(dx, path, (size_t)(p - path) + n, "is not a plain name");
		}
		memcpy(name, p, n);
		name[n] = '\0';
		p += n;
		int next = open_component(fd, name, create);
		br_closep(&fd);
		fd = next;
	}
	int err = errno;
	if (err == ENOENT && !create) {
		return 0;
	}
	return refuse(
		dx, path, (size_t)(p - path), err == ELOOP ? "is a symbolic link" : strerror(err));
}

static const char *weakness(int fd) {
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0) {
		return NULL;
	}
	switch ((unsigned long)fs.f_type) {
	case TMPFS_MAGIC:
	case RAMFS_MAGIC:
		return "the journal is kept in memory and does not survive a power cut";
	case OVERLAYFS_SUPER_MAGIC:
		return "the journal lies on an overlay, perhaps a container's, and may go with it";
	default:
		return NULL;
	}
}

static int open_private(struct br_state *state, bool create, struct br_diags *dx) {
	// Others may look into the directory itself, as one that somebody made by hand allows; what
	// lies in it is private.
	const char *why = distrust_private(state->fd, S_IFDIR, 022);
	if (why != NULL) {
		return refuse(dx, state->path, strlen(state->path), why);
	}
	state->runs = open_component(state->fd, "runs", create);
	if (state->runs < 0) {
		if (errno == ENOENT && !create) {
			return 0;
		}
		return br_error(
			dx, nowhere, "cannot open '%s/runs': %s", state->path, strerror(errno));
	}
	why = distrust_private(state->runs, S_IFDIR, 077);
	if (why != NULL) {
		return br_error(
			dx, nowhere, "cannot keep journals: '%s/runs' %s", state->path, why);
	}
	state->weak = weakness(state->runs);
	return 1;
}

int br_state_open(struct br_arena *arena, const struct br_state_dir *dir, bool create,
	struct br_state *out, struct br_diags *dx) {
	*out = (struct br_state)BR_STATE_NONE;
	out->path = state_path(arena, dir, dx);
	if (out->path == NULL) {
		return -1;
	}
	int r = walk(out->path, create, &out->fd, dx);
	if (r > 0) {
		r = open_private(out, create, dx);
	}
	if (r <= 0) {
		br_state_release(out);
	}
	return r;
}

void br_state_unlock(struct br_state *state) {
	// Whoever was asked about a place that does not answer may have a copy for long.
	if (state->lock >= 0) {
		(void)flock(state->lock, LOCK_UN); // Closing it is all that could be done then.
	}
	br_closep(&state->lock);
	state->lock = -1;
}

void br_state_release(struct br_state *state) {
	br_state_unlock(state);
	br_closep(&state->runs);
	br_closep(&state->fd);
	state->runs = state->fd = -1;
}

static int wait_for(int fd) {
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
	for (int tries = 0;; tries++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			return 0;
		}
		if (errno != EINTR && (errno != EWOULDBLOCK || tries >= LOCK_TRIES)) {
			return -1;
		}
		(void)nanosleep(&pause, NULL); // Cut short, it is a pause all the same.
	}
}

int br_state_lock(struct br_state *state, struct br_diags *dx) {
	int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	br_auto(br_closep) int fd = openat(state->fd, "lock", flags, 0600);
	if (fd < 0) {
		return br_error(
			dx, nowhere, "cannot open '%s/lock': %s", state->path, strerror(errno));
	}
	const char *why = distrust_private(fd, S_IFREG, 077);
	if (why != NULL) {
		return br_error(dx, nowhere, "cannot trust '%s/lock': it %s", state->path, why);
	}
	int r = wait_for(fd);
	if (r < 0 && errno == EWOULDBLOCK) {
		return br_error(dx, nowhere, "another fix or undo is about to begin");
	}
	if (r < 0) {
		return br_error(
			dx, nowhere, "cannot lock '%s/lock': %s", state->path, strerror(errno));
	}
	state->lock = br_steal_fd(&fd);
	return 0;
}

// ---- Runs ----

bool br_run_id_valid(const char *id) {
	static const char shape[] = "ddddddddTddddddZ-xxxxxxxx";
	size_t i;
	for (i = 0; shape[i] != '\0'; i++) {
		char c = id[i];
		bool digit = c >= '0' && c <= '9';
		bool fits = c == shape[i];
		if (shape[i] == 'd') {
			fits = digit;
		} else if (shape[i] == 'x') {
			fits = digit || (c >= 'a' && c <= 'f');
		}
		if (!fits) {
			return false;
		}
	}
	return id[i] == '\0';
}

/** When the run with this ID began, by its name. */
static time_t begin_of(const char *id) {
	struct tm tm = {0};
	return strptime(id, "%Y%m%dT%H%M%SZ", &tm) != NULL ? timegm(&tm) : 0;
}

static int id_of(const struct timespec *at, char id[BR_RUN_ID]) {
	uint32_t salt;
	struct tm tm;
	char stamp[20];
	if (br_random(&salt, sizeof(salt)) < 0 || gmtime_r(&at->tv_sec, &tm) == NULL
		|| strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm) == 0) {
		return -1;
	}
	// Microseconds in the upper 20 bits: IDs in their order are runs in their order.
	salt = (uint32_t)(at->tv_nsec / 1000) << 12 | (salt & 0xfff);
	return snprintf(id, BR_RUN_ID, "%s-%08x", stamp, salt) < BR_RUN_ID ? 0 : -1;
}

/** Behind `newest` (or NULL) where the clock was set back, too. */
static int make_id(const char *newest, char id[BR_RUN_ID]) {
	struct timespec now;
	if (clock_gettime(CLOCK_REALTIME, &now) < 0 || id_of(&now, id) < 0) {
		return -1;
	}
	if (newest == NULL || strcmp(id, newest) > 0) {
		return 0;
	}
	now = (struct timespec){.tv_sec = begin_of(newest) + 1};
	return id_of(&now, id);
}

static int make_run_dir(const struct br_state *state, const char *newest, char id[BR_RUN_ID]) {
	for (int tries = 0; tries < 8; tries++) {
		if (make_id(newest, id) < 0) {
			return -1;
		}
		if (mkdirat(state->runs, id, 0700) == 0) {
			return 0;
		}
		if (errno != EEXIST) {
			return -1;
		}
	}
	return -1;
}

int br_state_new_run(struct br_state *state, char id[BR_RUN_ID], int *fd, struct br_diags *dx) {
	br_auto(br_arena_release) struct br_arena arena = {0};
	const char *const *ids = br_state_runs(&arena, state);
	int made = ids != NULL ? make_run_dir(state, ids[0], id) : -1;
	br_auto(br_closep) int dir = made < 0
		? -1
		: br_open_beneath(state->runs, id, O_PATH | O_DIRECTORY | O_NOFOLLOW, true);
	if (dir >= 0) {
		*fd = openat(
			dir, "journal", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	}
	if (dir < 0 || *fd < 0) {
		int err = errno;
		if (made == 0 && unlinkat(state->runs, id, AT_REMOVEDIR) < 0) {
			(void)br_state_remove_run(state, id); // It is empty at worst.
		}
		id[0] = '\0';
		return br_error(dx, nowhere, "cannot make a journal in '%s/runs': %s", state->path,
			strerror(err));
	}
	return 0;
}

int br_state_sync_run(const struct br_state *state, const char *id) {
	return sync_dir(state->runs, id) < 0 || sync_dir(state->runs, ".") < 0
			|| sync_dir(state->fd, ".") < 0
		? -1
		: 0;
}

bool br_is_shortage(int err) {
	return err == EMFILE || err == ENFILE || err == ENOMEM || err == EAGAIN || err == EINTR;
}

/** From errno: 0 there is none, or -1 with *why, or without where that says nothing about the run. */
static int cannot_open(const char **why) {
	*why = errno == ENOENT || br_is_shortage(errno) ? NULL : strerror(errno);
	return errno == ENOENT ? 0 : -1;
}

/** 0, or -1 as cannot_open() has it. */
static int examine_private(int fd, mode_t type, const char **why) {
	*why = distrust_private(fd, type, 077);
	if (*why == cannot_look && br_is_shortage(errno)) {
		*why = NULL;
		return -1;
	}
	return *why != NULL ? -1 : 0;
}

int br_state_open_run(const struct br_state *state, const char *id, int *fd, const char **why) {
	*fd = -1;
	br_auto(br_closep) int dir =
		br_open_beneath(state->runs, id, O_PATH | O_DIRECTORY | O_NOFOLLOW, false);
	if (dir < 0) {
		return cannot_open(why);
	}
	if (examine_private(dir, S_IFDIR, why) < 0) {
		return -1;
	}
	br_auto(br_closep) int pinned = br_open_beneath(dir, "journal", O_PATH | O_NOFOLLOW, false);
	if (pinned < 0) {
		return cannot_open(why);
	}
	// Not opened before it is known to be a plain file of ours.
	if (examine_private(pinned, S_IFREG, why) < 0) {
		return -1;
	}
	br_auto(br_closep) int opened = br_open_beneath(dir, "journal", O_RDWR | O_NOFOLLOW, false);
	if (opened < 0 && errno == EROFS) {
		// It can be read.
		opened = br_open_beneath(dir, "journal", O_RDONLY | O_NOFOLLOW, false);
	}
	struct br_inode a;
	struct br_inode b;
	if (opened < 0 || br_inode_stat(pinned, "", &a) < 0 || br_inode_stat(opened, "", &b) < 0) {
		*why = br_is_shortage(errno) ? NULL : strerror(errno);
		return -1;
	}
	if (!br_inode_same(&a, &b)) {
		*why = "changes under our eyes";
		return -1;
	}
	*fd = br_steal_fd(&opened);
	return 1;
}

int br_state_remove_run(const struct br_state *state, const char *id) {
	br_auto(br_closep) int dir =
		br_open_beneath(state->runs, id, O_PATH | O_DIRECTORY | O_NOFOLLOW, false);
	if (dir < 0) {
		return -1;
	}
	if (unlinkat(dir, "journal", 0) < 0 && errno != ENOENT) {
		return -1;
	}
	return unlinkat(state->runs, id, AT_REMOVEDIR);
}

static int newest_first(const void *a, const void *b) {
	return strcmp(*(const char *const *)b, *(const char *const *)a);
}

static void closedirp(DIR **dir) {
	if (*dir != NULL) {
		(void)closedir(*dir); // Only read from.
	}
}

const char *const *br_state_runs(struct br_arena *arena, const struct br_state *state) {
	br_vec(const char *) ids = {0};
	br_auto(br_closep) int fd =
		br_open_beneath(state->runs, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, false);
	br_auto(closedirp) DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		return NULL;
	}
	(void)br_steal_fd(&fd); // The stream owns it.
	const struct dirent *entry;
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		if (!br_run_id_valid(entry->d_name)) {
			continue;
		}
		char *id = br_strdup(arena, entry->d_name);
		if (id == NULL || br_vec_push(arena, &ids, id) < 0) {
			return NULL;
		}
	}
	if (errno != 0) {
		return NULL;
	}
	if (ids.n > 0) {
		qsort(ids.v, ids.n, sizeof(*ids.v), newest_first);
	}
	return br_vec_push(arena, &ids, NULL) < 0 ? NULL : ids.v;
}

void br_state_publish(const struct br_state *state, size_t n) {
	char text[32];
	int len = snprintf(text, sizeof(text), "%zu\n", n);
	if (geteuid() != 0 || len <= 0) {
		return;
	}
	// Only a courtesy to other users: what counts is in the journals.
	if (br_write_durably(state->fd, "undoable", text, (size_t)len, 0644) < 0
		|| fchmodat(state->fd, ".", 0711, 0) < 0) {
		return;
	}
}
