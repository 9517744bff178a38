#include "input.h"

#include <base/file.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	/** As many links as the kernel follows (MAXSYMLINKS). */
	LINKS = 40,
	/** As many groups as are asked for: an owner in more may be refused for one of the rest. */
	GROUPS = 1024,
	/** Seconds that the child may take: its file system may be anybody's. */
	SECONDS = 10,
	/** The group of an owner without an account: nobody's. */
	NO_GROUP = 65534,
	ALWAYS = O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
};

/** A link of somebody who is not trusted: where it stands, and what was to be opened from there, it
 * first. */
struct foreign {
	uid_t owner;
	int dirfd;
	char *rest;
};

/** A walk. */
struct way {
	int flags;
	uid_t trusted;
	/** The directory that was reached. */
	int here;
	/** Heap: what is left of the path, and how much of it was walked. */
	char *rest;
	size_t at;
	unsigned links;
	struct foreign foreign[LINKS];
	size_t nforeign;
};

static void way_release(struct way *way) {
	for (size_t i = 0; i < way->nforeign; i++) {
		br_closep(&way->foreign[i].dirfd);
		free(way->foreign[i].rest);
	}
	br_closep(&way->here);
	free(way->rest);
}

static bool same_object(const struct stat *a, const struct stat *b) {
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/** 0, or -1: what may be opened, for opening a device may do something. */
static int require_harmless(const struct stat *st) {
	if (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode)) {
		return 0;
	}
	errno = EINVAL;
	return -1;
}

// ---- without links ----

static int open_straight(const char *path, int flags) {
	struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_NO_SYMLINKS};
	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/** The usual case. EAGAIN: there may be links, walk. */
static int try_straight(const char *path, int flags) {
	struct stat seen;
	struct stat st;
	br_auto(br_closep) int look = open_straight(path, O_PATH | O_CLOEXEC);
	if (look < 0) {
		bool unsure = errno == ELOOP || errno == ENOSYS || errno == EPERM;
		errno = unsure ? EAGAIN : errno;
		return -1;
	}
	if (fstat(look, &seen) || require_harmless(&seen)) {
		return -1;
	}
	br_auto(br_closep) int fd = open_straight(path, flags);
	if (fd < 0 || fstat(fd, &st)) {
		errno = errno == ELOOP ? EAGAIN : errno;
		return -1;
	}
	if (!same_object(&seen, &st)) {
		errno = ESTALE;
		return -1;
	}
	return br_steal_fd(&fd);
}

// ---- the rights of a link's owner ----

/** What the child says. */
enum verdict {
	MAY_READ,
	MAY_NOT,
	/** He has no ID in this user namespace, so nobody can become him. */
	NOBODY_HERE,
};

struct rights {
	gid_t gid;
	gid_t groups[GROUPS];
	int ngroups;
};

/** The groups of his account; without one, nobody's group and no other: a link's own group may come
 * from its directory. */
static void find_rights(uid_t uid, struct rights *out) {
	char buf[16384];
	struct passwd pw;
	struct passwd *found = NULL;
	out->gid = NO_GROUP;
	out->ngroups = 0;
	if (getpwuid_r(uid, &pw, buf, sizeof(buf), &found) || !found) {
		return;
	}
	out->gid = pw.pw_gid;
	out->ngroups = GROUPS;
	if (getgrouplist(pw.pw_name, pw.pw_gid, out->groups, &out->ngroups) < 0) {
		out->ngroups = GROUPS;
	}
}

/** The child: become the owner for good, and open it. Only system calls, as after a fork of a
 * process with threads. */
static enum verdict try_as_owner(const struct foreign *link, const struct rights *rights, int flags,
	const struct stat *target) {
	struct stat st;
	uid_t uid = link->owner;
	(void)signal(SIGALRM, SIG_DFL); // it cannot fail for this signal
	(void)alarm(SECONDS); // none was set: alarms are not inherited
	bool grouped = !syscall(SYS_setgroups, (long)rights->ngroups, rights->groups)
		&& !syscall(SYS_setresgid, rights->gid, rights->gid, rights->gid);
	if (syscall(SYS_setresuid, uid, uid, uid)) {
		return errno == EINVAL ? NOBODY_HERE : MAY_NOT;
	}
	int fd = grouped ? openat(link->dirfd, link->rest, flags) : -1;
	return fd >= 0 && !fstat(fd, &st) && same_object(&st, target) ? MAY_READ : MAY_NOT;
}

/** Whether root here is, by the user namespace's map, an ordinary user outside: then he sees
 * nothing that was not his to see. */
static bool root_is_a_user(void) {
	size_t n = 0;
	br_auto(br_freep) char *map = br_read_file(AT_FDCWD, "/proc/self/uid_map", 4096, &n);
	const char *at = map ? map + strspn(map, " ") : "";
	if (strncmp(at, "0 ", 2) != 0) {
		return false;
	}
	at += 1 + strspn(at + 1, " ");
	return *at >= '1' && *at <= '9';
}

/** Whether the owner may open the target, and comes to it by this link. It is open here, so no
 * other object can have its number. */
static bool owner_may(const struct foreign *link, const struct rights *rights, int flags,
	const struct stat *target) {
	int status = 0;
	pid_t ended;
	pid_t child = fork();
	if (child == 0) {
		_exit((int)try_as_owner(link, rights, flags, target));
	}
	if (child < 0) {
		return false;
	}
	do {
		ended = waitpid(child, &status, 0);
	} while (ended < 0 && errno == EINTR);
	if (ended != child || !WIFEXITED(status)) {
		return false;
	}
	return WEXITSTATUS(status) == MAY_READ
		|| (WEXITSTATUS(status) == NOBODY_HERE && root_is_a_user());
}

/** 0, or -1 with BR_EFOREIGN. */
static int check_owners(const struct way *way, const struct stat *target) {
	for (size_t i = 0; i < way->nforeign; i++) {
		struct rights rights;
		find_rights(way->foreign[i].owner, &rights);
		if (!owner_may(&way->foreign[i], &rights, way->flags, target)) {
			errno = BR_EFOREIGN;
			return -1;
		}
	}
	return 0;
}

// ---- the walk ----

/** An absolute rest begins at the root again. */
static int begin(struct way *way) {
	if (way->rest[0] == '/') {
		br_closep(&way->here);
		way->here = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	return way->here < 0 ? -1 : 0;
}

static int remember(struct way *way, uid_t owner) {
	struct foreign *link = &way->foreign[way->nforeign];
	link->owner = owner;
	link->dirfd = fcntl(way->here, F_DUPFD_CLOEXEC, 3);
	link->rest = strdup(way->rest + way->at);
	way->nforeign++;
	return link->dirfd < 0 || !link->rest ? -1 : 0;
}

/** fd is a link, whose name is the next n bytes of the rest. */
static int follow(struct way *way, int fd, size_t n, const struct stat *st) {
	char text[PATH_MAX];
	char *joined = NULL;
	if (way->links++ == LINKS) {
		errno = ELOOP;
		return -1;
	}
	ssize_t len = readlinkat(fd, "", text, sizeof(text));
	if (len <= 0 || (size_t)len == sizeof(text)) {
		errno = len < 0 ? errno : len ? ENAMETOOLONG : ENOENT;
		return -1;
	}
	bool trusted = st->st_uid == 0 || st->st_uid == way->trusted;
	if (!trusted && remember(way, st->st_uid)) {
		return -1;
	}
	// What is behind the name begins with a slash, or is nothing.
	if (asprintf(&joined, "%.*s%s", (int)len, text, way->rest + way->at + n) < 0) {
		errno = ENOMEM;
		return -1;
	}
	free(way->rest);
	way->rest = joined;
	way->at = 0;
	return begin(way);
}

/** Look at the next name, a directory if more is to come. A place where something is mounted on
 * demand is mounted for that. */
static int look_at(const struct way *way, const char *name, bool last) {
	int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(way->here, name, last ? flags : flags | O_DIRECTORY);
	return fd < 0 && errno == ENOTDIR && !last ? openat(way->here, name, flags) : fd;
}

/** The end of the walk: what was looked at, opened. Its descriptor, or -1. */
static int arrive(const struct way *way, const char *name, const struct stat *seen) {
	struct stat st;
	if (require_harmless(seen)) {
		return -1;
	}
	br_auto(br_closep) int fd = openat(way->here, name, way->flags | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st)) {
		return -1;
	}
	if (!same_object(seen, &st)) {
		errno = ESTALE;
		return -1;
	}
	return check_owners(way, &st) ? -1 : br_steal_fd(&fd);
}

/** One name on. 1: go on; 0: *out is open; -1. */
static int step(struct way *way, int *out) {
	struct stat st;
	char name[NAME_MAX + 1];
	way->at += strspn(way->rest + way->at, "/");
	size_t n = strcspn(way->rest + way->at, "/");
	if (n > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	bool last = !way->rest[way->at + n];
	(void)snprintf(name, sizeof(name), "%.*s", n ? (int)n : 1, n ? way->rest + way->at : ".");
	br_auto(br_closep) int fd = look_at(way, name, last);
	if (fd < 0 || fstat(fd, &st)) {
		return -1;
	}
	if (S_ISLNK(st.st_mode)) {
		if (last && way->flags & O_NOFOLLOW) {
			errno = ELOOP;
			return -1;
		}
		return follow(way, fd, n, &st) ? -1 : 1;
	}
	if (last) {
		*out = arrive(way, name, &st);
		return *out < 0 ? -1 : 0;
	}
	br_closep(&way->here);
	way->here = br_steal_fd(&fd);
	way->at += n;
	return 1;
}

static int walk(const char *path, int flags, uid_t trusted) {
	struct way way = {.flags = flags,
		.trusted = trusted,
		.here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC),
		.rest = strdup(path)};
	int fd = -1;
	int more = way.rest && !begin(&way) ? 1 : -1;
	while (more > 0) {
		more = step(&way, &fd);
	}
	int why = errno;
	way_release(&way);
	errno = why;
	return fd;
}

/** Whoever is not root sees what he may see anyway. */
static int open_plainly(const char *path, int flags) {
	struct stat st;
	if (fstatat(AT_FDCWD, path, &st, flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0)) {
		return -1;
	}
	if (!S_ISLNK(st.st_mode) && require_harmless(&st)) {
		return -1;
	}
	br_auto(br_closep) int fd = open(path, flags);
	return fd < 0 || fstat(fd, &st) || require_harmless(&st) ? -1 : br_steal_fd(&fd);
}

int br_open_input(const char *path, int flags, uid_t trusted) {
	flags |= ALWAYS;
	if (!*path) {
		errno = ENOENT;
		return -1;
	}
	if (geteuid() != 0) {
		return open_plainly(path, flags);
	}
	int fd = try_straight(path, flags);
	return fd < 0 && errno == EAGAIN ? walk(path, flags, trusted) : fd;
}

/** The target is open: whether the user comes to it by the same path and may open it. */
static bool user_may(const char *path, int flags, uid_t uid, const struct stat *target) {
	struct rights rights;
	br_auto(br_closep) int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct foreign user = {.owner = uid, .dirfd = here, .rest = strdup(path)};
	find_rights(uid, &rights);
	bool may = here >= 0 && user.rest && owner_may(&user, &rights, flags | ALWAYS, target);
	free(user.rest);
	return may;
}

bool br_user_may_open(const char *path, int flags, uid_t uid, int fd) {
	struct stat st;
	return fstat(fd, &st) == 0 && user_may(path, flags, uid, &st);
}

int br_open_as(const char *path, int flags, uid_t uid) {
	br_auto(br_closep) int fd = br_open_input(path, flags, uid);
	if (fd < 0) {
		return -1;
	}
	if (geteuid() == 0 && uid != 0 && !br_user_may_open(path, flags, uid, fd)) {
		errno = BR_EFOREIGN;
		return -1;
	}
	return br_steal_fd(&fd);
}

static char *read_open(int fd, size_t max, size_t *len) {
	struct stat st;
	if (fstat(fd, &st)) {
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		errno = EISDIR;
		return NULL;
	}
	return br_read_fd(fd, max, len);
}

char *br_read_as(const char *path, uid_t uid, size_t max, size_t *len) {
	br_auto(br_closep) int fd = br_open_as(path, O_RDONLY, uid);
	return fd < 0 ? NULL : read_open(fd, max, len);
}

char *br_read_input(const char *path, uid_t trusted, size_t max, size_t *len) {
	br_auto(br_closep) int fd = br_open_input(path, O_RDONLY, trusted);
	return fd < 0 ? NULL : read_open(fd, max, len);
}

const char *br_input_why(int error) {
	if (error == BR_EFOREIGN) {
		return "a symbolic link on the way belongs to a user who may not read what it "
		       "leads to: not followed as root";
	}
	if (error == BR_EAUTHOR) {
		return "somebody who may write the file that names it may not read it himself: "
		       "not read as root";
	}
	// strerror may look for a translation, which the confined reader must not.
	const char *why = strerrordesc_np(error);
	return why ? why : "unknown error";
}

const char *br_input_hint(int error) {
	if (error == BR_EAUTHOR) {
		return "let the owner of the naming file read it, give that file to root (and let "
		       "nobody else write it), or run bindright as that user";
	}
	return NULL;
}
