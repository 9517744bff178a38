#include "step.h"

#include <base/guard.h>
#include <base/own.h>
#include <base/sys.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

// Newer than Debian 12's headers (Linux 6.8 and 5.12).
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif
#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif

enum {
	STEP_FLAGS = O_PATH | O_NOFOLLOW | O_CLOEXEC,
	STAT_FLAGS = AT_EMPTY_PATH | AT_NO_AUTOMOUNT,
	/** A mount or a rename anywhere on the machine makes the kernel give up on what it has in
	 * memory (mount_lock, rename_lock), for a microsecond. */
	TRIES = 200,
};

/** 0 or an errno. `sync` is AT_STATX_DONT_SYNC or AT_STATX_SYNC_AS_STAT. On an errno the mount is
 * known all the same. */
static int read_facts(int fd, int sync, struct br_step *out) {
	struct statx mount = {0};
	struct statx st;
	*out = (struct br_step){.fd = fd};
	// Nothing but the mount: a FUSE file system that lets this user do nothing refuses every
	// other question.
	if (statx(fd, "", STAT_FLAGS | AT_STATX_DONT_SYNC, 0, &mount) < 0) {
		return errno;
	}
	out->mount = mount.stx_mnt_id;
	if (statx(fd, "", STAT_FLAGS | sync, STATX_BASIC_STATS | STATX_MNT_ID_UNIQUE, &st) < 0) {
		return errno;
	}
	out->mode = st.stx_mode;
	out->uid = st.stx_uid;
	out->gid = st.stx_gid;
	out->dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	out->ino = st.stx_ino;
	// A kernel without unique IDs gives the reusable one again.
	out->unique_mount = st.stx_mnt_id;
	return 0;
}

static int take_facts(int fd, int sync, struct br_step *out) {
	int err = read_facts(fd, sync, out);
	if (err) {
		br_closep(&fd);
		out->fd = -1;
	}
	return err;
}

int br_step_open(int dirfd, const char *name, struct br_step *out) {
	*out = (struct br_step){.fd = -1};
	// As strict as openat2 could be: the name has no slash, is not "..", and a final link is
	// not followed.
	int fd = openat(dirfd, name, STEP_FLAGS);
	return fd < 0 ? errno : take_facts(fd, AT_STATX_DONT_SYNC, out);
}

int br_step_open_mounted(int dirfd, const char *name, struct br_step *out) {
	struct open_how how = {
		.flags = STEP_FLAGS, .resolve = RESOLVE_CACHED | RESOLVE_NO_MAGICLINKS};
	*out = (struct br_step){.fd = -1};
	long fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
	for (unsigned i = 1; fd < 0 && errno == EAGAIN && i < TRIES; i++) {
		(void)sched_yield();
		fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
	}
	if (fd < 0) {
		bool unknown = errno == EAGAIN || errno == EINVAL || errno == ENOSYS;
		return unknown ? EREMOTE : errno;
	}
	return take_facts((int)fd, AT_STATX_DONT_SYNC, out);
}

int br_step_link(int fd, char *text, size_t n) {
	ssize_t len = readlinkat(fd, "", text, n);
	if (len < 0) {
		return errno;
	}
	if ((size_t)len >= n) {
		return ENAMETOOLONG;
	}
	text[len] = 0;
	return 0;
}

/* The guarded ones: a child does it, and hands the descriptor over. */

/** What the child shall do: open name in dirfd, or (name NULL) read dirfd's facts. */
struct question {
	int dirfd;
	const char *name;
};

static int open_over_there(const void *context, void *answer, int *fd) {
	const struct question *q = context;
	struct br_step *step = answer;
	int opened = q->name ? openat(q->dirfd, q->name, STEP_FLAGS) : q->dirfd;
	if (opened < 0) {
		return errno;
	}
	int err = read_facts(opened, AT_STATX_SYNC_AS_STAT, step);
	*fd = err || !q->name ? -1 : opened;
	return err;
}

static int read_link_over_there(const void *context, void *answer, int *fd) {
	const struct question *q = context;
	*fd = -1;
	return br_step_link(q->dirfd, answer, PATH_MAX);
}

/** Read the beginning of a directory. */
static int list_over_there(const void *context, void *answer, int *fd) {
	const struct question *q = context;
	char entries[4096];
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int opened = openat(q->dirfd, q->name, flags);
	(void)answer; // That it answers is all.
	*fd = -1;
	return opened < 0 || syscall(SYS_getdents64, opened, entries, sizeof(entries)) < 0 ? errno
											   : 0;
}

static int read_acls_over_there(const void *context, void *answer, int *fd) {
	const struct question *q = context;
	struct br_step_acls *out = answer;
	*fd = -1;
	out->no_posix = br_sys_getxattr(q->dirfd, "", "system.posix_acl_access", NULL, 0) < 0
		&& errno == EOPNOTSUPP;
	out->nfs4 = br_sys_getxattr(q->dirfd, "", "system.nfs4_acl", NULL, 0) >= 0;
	return 0;
}

int br_step_acls(int fd, bool guarded, struct br_step_acls *out) {
	struct question q = {.dirfd = fd};
	int unused;
	*out = (struct br_step_acls){0};
	return guarded ? br_guard(read_acls_over_there, &q, out, sizeof(*out), NULL)
		       : read_acls_over_there(&q, out, &unused);
}

int br_step_open_guarded(int dirfd, const char *name, struct br_step *out) {
	struct question q = {.dirfd = dirfd, .name = name};
	int fd = -1;
	*out = (struct br_step){.fd = -1};
	int err = br_guard(open_over_there, &q, out, sizeof(*out), &fd);
	out->fd = fd;
	if (!err && !name) {
		out->fd = dirfd;
	} else if (!err && out->fd < 0) {
		// The descriptor was lost on the way: this process may open no more.
		err = EMFILE;
	}
	return err;
}

int br_step_list_guarded(int dirfd, const char *path) {
	struct question q = {.dirfd = dirfd, .name = path};
	return br_guard(list_over_there, &q, NULL, 0, NULL);
}

int br_step_link_guarded(int fd, char text[PATH_MAX]) {
	struct question q = {.dirfd = fd};
	int err = br_guard(read_link_over_there, &q, text, PATH_MAX, NULL);
	text[PATH_MAX - 1] = 0;
	return err;
}
