#include "object.h"

#include "contents.h"

#include <base/file.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	/** Room that the kernel takes in one path, less some. */
	PIECE = 4000,
};

// ---- The way ----

void br_way_release(struct br_way *way) {
	br_closep(&way->fd);
	way->fd = -1;
	way->target = NULL;
	br_buf_release(&way->dir);
	way->disk = (struct br_disk){0};
}

/** Open a directory below dirfd whose path may be longer than the kernel takes at once. */
static int open_directory(int dirfd, const char *path, size_t n, bool cross) {
	br_auto(br_closep) int held = -1;
	char piece[PIECE + 1];
	while (n > 0) {
		size_t take = n;
		if (take > PIECE) {
			take = PIECE;
			while (take > 0 && path[take] != '/') {
				take--;
			}
		}
		if (take == 0) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(piece, path, take);
		piece[take] = '\0';
		int next = br_open_beneath(
			held >= 0 ? held : dirfd, piece, O_PATH | O_DIRECTORY | O_NOFOLLOW, cross);
		if (next < 0) {
			return -1;
		}
		br_closep(&held);
		held = next;
		path += take;
		n -= take;
		while (n > 0 && *path == '/') {
			path++;
			n--;
		}
	}
	return br_steal_fd(&held);
}

bool br_target_covers(const struct br_target *t, const char *path) {
	for (const char *const *p = t->covered; p != NULL && *p != NULL; p++) {
		size_t n = strlen(*p);
		if (strncmp(path, *p, n) == 0 && (path[n] == '\0' || path[n] == '/')) {
			return true;
		}
	}
	return false;
}

int br_way_to(
	struct br_way *way, const struct br_target *target, const char *path, const char **name) {
	const char *slash = strrchr(path, '/');
	if (target->covered != NULL && br_target_covers(target, path)) {
		errno = EXDEV;
		return -1;
	}
	if (slash == NULL) {
		*name = path;
		return target->fd;
	}
	size_t n = (size_t)(slash - path);
	*name = slash + 1;
	if (way->fd >= 0 && way->target == target && way->dir.n == n
		&& memcmp(way->dir.s, path, n) == 0) {
		return way->fd;
	}
	br_way_release(way);
	way->fd = open_directory(target->fd, path, n, way->cross);
	way->target = target;
	br_buf_addn(&way->dir, path, n);
	if (way->fd >= 0 && way->dir.failed) {
		br_way_release(way);
		errno = ENOMEM;
	}
	return way->fd;
}

int br_object_open(struct br_way *way, const struct br_target *target, const char *path) {
	const char *name;
	int dir = br_way_to(way, target, path, &name);
	if (dir < 0) {
		return -1;
	}
	if (name[0] == '\0') {
		return fcntl(dir, F_DUPFD_CLOEXEC, 3);
	}
	return br_open_beneath(dir, name, O_PATH | O_NOFOLLOW, way->cross);
}

// ---- Comparing ----

bool br_object_same(
	const struct br_target *target, const struct br_inode *expect, const struct br_inode *now) {
	struct br_inode then = *expect;
	if (then.dev == target->dev_then) {
		then.dev = target->root.dev;
	}
	// The inode number stays (Documentation/filesystems/overlayfs.rst, "Inode properties").
	if (target->copies_up && now->dev == target->root.dev) {
		then.btime = now->btime;
	}
	return br_inode_same(&then, now);
}

/** br_disk_id, asked once for each number in a row. */
static uint64_t disk_of(struct br_way *way, const struct br_wish *wish, int fd, uint64_t dev) {
	const char *name;
	if (way->disk.id == 0 || way->disk.dev != dev) {
		way->disk = (struct br_disk){
			dev, br_disk_id(fd, br_way_to(way, wish->target, wish->path, &name))};
	}
	return way->disk.id;
}

/** The same on a file system below the target that was entered, or in a part of one with a number
 * of its own: by what it is, not by its number. */
static bool is_same(
	struct br_way *way, const struct br_wish *wish, int fd, const struct br_inode *now) {
	struct br_inode then = *wish->expect;
	uint64_t id = br_target_disk(wish->target, then.dev);
	if (id == 0) {
		return br_object_same(wish->target, &then, now);
	}
	then.dev = now->dev;
	return id == disk_of(way, wish, fd, now->dev) && br_inode_same(&then, now);
}

struct br_bytes br_object_handle(
	int dirfd, const char *name, const struct br_inode *in, char room[BR_HANDLE_MAX]) {
	struct {
		struct file_handle head;
		unsigned char bytes[MAX_HANDLE_SZ];
	} handle = {.head.handle_bytes = MAX_HANDLE_SZ};
	int mount;
	if (in->btime.sec != 0 || in->btime.nsec != 0
		|| name_to_handle_at(
			   dirfd, name, &handle.head, &mount, name[0] == '\0' ? AT_EMPTY_PATH : 0)
			< 0
		|| handle.head.handle_bytes > MAX_HANDLE_SZ) {
		return (struct br_bytes){0};
	}
	memcpy(room, &handle.head.handle_type, sizeof(int));
	memcpy(room + sizeof(int), handle.head.f_handle, handle.head.handle_bytes);
	return (struct br_bytes){room, sizeof(int) + handle.head.handle_bytes};
}

static bool same_handle(int fd, const struct br_inode *now, struct br_bytes expect) {
	char room[BR_HANDLE_MAX];
	struct br_bytes got = br_object_handle(fd, "", now, room);
	// A kernel that gives none now cannot contradict.
	return expect.n == 0 || got.n == 0
		|| (expect.n == got.n && memcmp(expect.p, got.p, got.n) == 0);
}

/** By what they say: different threads have tables of their own. */
static bool same_acl(const struct br_acl *a, const struct br_acl *b) {
	return a == b
		|| (a != NULL && b != NULL && a->n == b->n
			&& memcmp(a->entries, b->entries, a->n * sizeof(a->entries[0])) == 0);
}

void br_object_differs(const struct br_inode *expect, const struct br_inode *now, char out[160]) {
	char mode[12];
	const char *s = NULL;
	int n = 0;
	if (expect->uid.v != now->uid.v) {
		n = snprintf(out, 160, "its owner is now %u", now->uid.v);
	} else if (expect->gid.v != now->gid.v) {
		n = snprintf(out, 160, "its group is now %u", now->gid.v);
	} else if ((expect->mode & 07777) != (now->mode & 07777)) {
		n = snprintf(out, 160, "its mode is now %s", br_mode_text(now, mode));
	} else if (!same_acl(expect->acl, now->acl)) {
		s = "its ACL is another one now";
	} else if (!same_acl(expect->def, now->def)) {
		s = "its default ACL is another one now";
	} else if (!br_inode_equal(expect, now)) {
		s = "its capabilities are others now";
	} else {
		n = snprintf(out, 160, "it has %u names now", now->nlink);
	}
	if (s != NULL) {
		n = snprintf(out, 160, "%s", s);
	}
	if (n < 0) {
		out[0] = '\0';
	}
}

bool br_object_lost(int err, char out[160]) {
	const char *s = NULL;
	switch (err) {
	case ENOENT:
		s = "it is gone";
		break;
	case ENOTDIR:
	case ELOOP:
		s = "a directory on the way is something else now";
		break;
	case EXDEV:
		s = "a mount point is in the way now";
		break;
	case EAGAIN:
		s = "it is being moved about";
		break;
	default:
		break;
	}
	if (snprintf(out, 160, "%s", s != NULL ? s : strerror(err)) < 0) {
		out[0] = '\0';
	}
	return s != NULL;
}

static bool is_in(const struct br_inode *now, const struct br_inode *states, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (br_inode_equal(now, &states[i])) {
			return true;
		}
	}
	return false;
}

static void add_steps(const struct br_inode *from, const struct br_inode *to,
	struct br_inode states[BR_STATES_MAX], size_t *n) {
	struct br_inode steps[BR_INODE_STEPS];
	size_t count = br_inode_steps(from, to, steps);
	for (size_t i = 0; i < count && *n < BR_STATES_MAX; i++) {
		if (!is_in(&steps[i], states, *n)) {
			states[(*n)++] = steps[i];
		}
	}
}

size_t br_object_states(const struct br_inode *before, const struct br_inode *after,
	struct br_inode states[BR_STATES_MAX]) {
	size_t n = 0;
	states[n++] = *after;
	add_steps(before, after, states, &n);
	// From each of these an undo may have been on its way back when it was killed, and so on.
	for (size_t i = 0; i < n; i++) {
		struct br_inode from = states[i];
		add_steps(&from, before, states, &n);
	}
	return n;
}

// ---- Changing ----

static void fail(struct br_answer_of *out, int err) {
	out->outcome = BR_FAILED;
	out->err = err;
	const char *why = err == E2BIG ? "there is no room in it for such an ACL" : strerror(err);
	if (snprintf(out->why, sizeof(out->why), "%s", why) < 0) {
		out->why[0] = '\0';
	}
}

static void conflict(struct br_answer_of *out, const char *why) {
	out->outcome = BR_CONFLICT;
	if (snprintf(out->why, sizeof(out->why), "%s", why) < 0) {
		out->why[0] = '\0';
	}
}

/** The kernel dropped bits of the mode that we asked for (setgid without CAP_FSETID does that in
 * silence). */
static bool lost_bits(const struct br_inode *now, const struct br_inode *goal) {
	struct br_inode more = *now;
	more.mode |= goal->mode & (S_ISUID | S_ISGID);
	return br_inode_equal(&more, goal);
}

/**
 * The file system took the ACL, and shows a mode of its own (FUSE with forced modes): nobody's
 * chmod, for that would have changed the ACL too.
 */
static bool has_own_mode(const struct br_inode *now, const struct br_inode *goal) {
	struct br_inode same = *now;
	same.mode = goal->mode;
	return goal->acl != NULL && ((now->mode ^ goal->mode) & ~(uint32_t)0777) == 0
		&& br_inode_equal(&same, goal);
}

static bool is_my_group(gid_t group) {
	gid_t groups[NGROUPS_MAX];
	int n = getgroups(NGROUPS_MAX, groups);
	for (int i = 0; i < n; i++) {
		if (groups[i] == group) {
			return true;
		}
	}
	return getegid() == group;
}

/** The kernel would drop setgid from it, and the caller could not set it again
 * (setattr_should_drop_sgid(), posix_acl_update_mode()). */
static bool would_lose_setgid(const struct br_inode *now, const struct br_inode *goal) {
	bool rewritten = ((now->mode ^ goal->mode) & 07777) != 0 || !same_acl(now->acl, goal->acl);
	return (goal->mode & S_ISGID) != 0 && rewritten && geteuid() != 0
		&& !is_my_group(goal->gid.v);
}

/** It did not become what it should: bring it back, if it is still as we left it. */
static void take_back(int fd, struct br_acls *acls, const struct br_inode *was,
	const struct br_wish *wish, struct br_answer_of *out) {
	struct br_inode now;
	struct br_inode states[BR_STATES_MAX];
	unsigned step;
	out->touched = true;
	if (br_inode_read(fd, "", BR_HAVE_ALL, acls, &now) < 0) {
		return;
	}
	if (br_inode_equal(&now, was)) {
		out->touched = false;
		return;
	}
	size_t n = br_object_states(was, wish->goal, states);
	if (!is_in(&now, states, n) && !lost_bits(&now, wish->goal)
		&& !has_own_mode(&now, wish->goal)) {
		return;
	}
	if (br_inode_write(fd, &now, was, &step) == 0
		&& br_inode_read(fd, "", BR_HAVE_ALL, acls, &now) == 0) {
		out->touched = !br_inode_equal(&now, was);
	}
}

/** Attributes that a change between the two may touch; from none to none there is no way. */
static unsigned touched_by(const struct br_inode *was, const struct br_inode *goal) {
	return (was->acl != NULL || goal->acl != NULL ? BR_HAVE_ACL : 0U)
		| (was->def != NULL || goal->def != NULL ? BR_HAVE_DEFAULT_ACL : 0U)
		| (was->caps != NULL || goal->caps != NULL ? BR_HAVE_CAPS : 0U);
}

static void change(int fd, struct br_acls *acls, const struct br_inode *was,
	const struct br_wish *wish, struct br_answer_of *out) {
	struct br_inode now;
	unsigned step;
	if (br_inode_write(fd, was, wish->goal, &step) < 0
		|| br_inode_read(fd, "", touched_by(was, wish->goal), acls, &now) < 0) {
		fail(out, errno);
		take_back(fd, acls, was, wish, out);
		return;
	}
	if (!br_object_same(wish->target, was, &now)) {
		// An overlay of several file systems numbers it anew in its upper layer.
		conflict(out, "on this overlay undo would not know it again");
		out->outcome = BR_FAILED;
		take_back(fd, acls, was, wish, out);
		return;
	}
	if (!br_inode_equal(&now, wish->goal)) {
		out->outcome = BR_FAILED;
		out->err = 0;
		br_object_differs(wish->goal, &now, out->why);
		take_back(fd, acls, was, wish, out);
		return;
	}
	out->outcome = BR_CHANGED;
}

/** The state in which it waits for its special rights. */
static bool is_guarded_half(const struct br_inode *now, const struct br_wish *wish) {
	struct br_inode half = br_privilege_dropped(wish->goal);
	return wish->guarded && br_inode_equal(now, &half);
}

/** An object, and the way to it by its name. */
struct pinned {
	struct br_way *way;
	int fd;
};

/**
 * First all but the special rights: from then on nobody new can open it for writing. Then, if
 * nobody has it open any more and what is in it is what was, the rest.
 */
static void change_guarded(const struct pinned *object, struct br_acls *acls,
	const struct br_inode *was, const struct br_wish *wish, struct br_answer_of *out) {
	struct br_way *way = object->way;
	int fd = object->fd;
	const char *name;
	struct br_inode half = br_privilege_dropped(wish->goal);
	struct br_wish first = *wish;
	first.goal = &half;
	if (!br_inode_equal(was, &half)) {
		change(fd, acls, was, &first, out);
		if (out->outcome != BR_CHANGED) {
			return;
		}
	}
	int dir = br_way_to(way, wish->target, wish->path, &name);
	const char *why = dir < 0 ? strerror(errno)
				  : br_contents_differ(dir, name, way->cross, was, wish->contents);
	if (why == NULL) {
		change(fd, acls, &half, wish, out);
		return;
	}
	out->outcome = BR_CONFLICT;
	if (snprintf(out->why, sizeof(out->why), "all but its setuid, setgid and capabilities: %s",
		    why)
		< 0) {
		out->why[0] = '\0';
	}
}

/** What the object is now. Where nothing has changed it since `expect` was read, its attributes are
 * known. */
static int read_again(
	int fd, struct br_acls *acls, const struct br_wish *wish, struct br_inode *now) {
	const struct br_inode *then = wish->expect;
	if (br_inode_stat(fd, "", now) < 0) {
		return -1;
	}
	if ((then->have & BR_HAVE_ALL) != BR_HAVE_ALL
		|| !br_inode_untouched(fd, then, now, wish->quiet)) {
		return br_inode_read_rest(fd, "", BR_HAVE_ALL, acls, now);
	}
	now->have = then->have;
	now->acl = then->acl;
	now->def = then->def;
	now->caps = then->caps;
	return 0;
}

static bool is_sealed(int fd, struct br_inode now) {
	br_inode_seal(fd, "", &now);
	return (now.attrs & BR_SEALED) != 0;
}

void br_object_bring(struct br_way *way, struct br_acls *acls, const struct br_wish *wish,
	struct br_answer_of *out) {
	struct br_inode now;
	*out = (struct br_answer_of){.outcome = BR_SAME};
	br_auto(br_closep) int fd = br_object_open(way, wish->target, wish->path);
	if (fd < 0 || read_again(fd, acls, wish, &now) < 0) {
		fail(out, errno);
		if (br_object_lost(out->err, out->why)) {
			out->outcome = BR_CONFLICT;
		}
		return;
	}
	if (!is_same(way, wish, fd, &now) || !same_handle(fd, &now, wish->handle)) {
		conflict(out, "another one has its name now");
		return;
	}
	if (br_inode_equal(&now, wish->goal)) {
		return;
	}
	if (wish->keep != NULL && br_inode_equal(&now, wish->keep)) {
		out->kept = true;
		return;
	}
	if (!(is_in(&now, wish->states, wish->nstates) || is_guarded_half(&now, wish))
		|| (wish->links && !S_ISDIR(now.mode) && now.nlink != wish->expect->nlink)) {
		out->outcome = BR_CONFLICT;
		br_object_differs(wish->expect, &now, out->why);
		return;
	}
	out->between = true;
	if ((now.attrs & (BR_IMMUTABLE | BR_APPEND)) != 0) {
		conflict(out, "it is protected by chattr now");
		return;
	}
	if (wish->seals && is_sealed(fd, now)) {
		conflict(out, "its owner and mode are sealed by security.evm now");
		return;
	}
	if (would_lose_setgid(&now, wish->goal)) {
		// Not asked of the kernel, and says nothing about the others: no reason to stop.
		conflict(out, "it would lose its setgid bit");
		out->outcome = BR_FAILED;
		return;
	}
	if (wish->dry) {
		out->outcome = BR_CHANGED;
		return;
	}
	if (wish->guarded && br_privilege_goes(wish->goal, &now)) {
		change_guarded(&(struct pinned){way, fd}, acls, &now, wish, out);
	} else {
		change(fd, acls, &now, wish, out);
	}
}
