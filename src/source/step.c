#include "step.h"

#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>

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
};

/** 0 or an errno. `sync` is AT_STATX_DONT_SYNC or AT_STATX_SYNC_AS_STAT. On an errno the mount is known all the same. */
static int read_facts(int fd, int sync, struct br_step *out) {
	struct statx mount = {0};
	struct statx st;
	*out = (struct br_step){.fd = fd};
	// Nothing but the mount: a FUSE file system that lets this user do nothing refuses every other question.
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
	// As strict as openat2 could be: the name has no slash, is not "..", and a final link is not followed.
	int fd = openat(dirfd, name, STEP_FLAGS);
	return fd < 0 ? errno : take_facts(fd, AT_STATX_DONT_SYNC, out);
}

int br_step_open_mounted(int dirfd, const char *name, struct br_step *out) {
	struct open_how how = {
		.flags = STEP_FLAGS, .resolve = RESOLVE_CACHED | RESOLVE_NO_MAGICLINKS};
	*out = (struct br_step){.fd = -1};
	long fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
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

/* The guard: a child does it, and hands the descriptor over. */

/** What the child shall do: open name in dirfd, or (name NULL) read dirfd's facts, or (link) its text, or (list) the directory that name leads to. */
struct question {
	int dirfd;
	const char *name;
	bool link;
	bool list;
};

/** What the child writes, beside the descriptor. */
struct answer {
	int err;
	struct br_step step;
	char text[PATH_MAX];
};

/** Room for one descriptor, aligned as a control message must be. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static ssize_t send_answer(int sock, struct answer *answer) {
	union control control = {0};
	struct iovec part = {.iov_base = answer, .iov_len = sizeof(*answer)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	if (answer->step.fd >= 0) {
		message.msg_control = control.room;
		message.msg_controllen = sizeof(control.room);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &answer->step.fd, sizeof(int));
	}
	return sendmsg(sock, &message, MSG_NOSIGNAL);
}

/** 0 or an errno; the descriptor, if there is one, stands in answer->step.fd. */
static int receive_answer(int sock, struct answer *answer) {
	union control control = {0};
	struct iovec part = {.iov_base = answer, .iov_len = sizeof(*answer)};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	ssize_t n;
	do {
		n = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	int err = n < 0 ? errno : 0;
	int fd = -1;
	struct cmsghdr *header = err ? NULL : CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	}
	if (!err && (size_t)n != sizeof(*answer)) {
		err = EIO;
	}
	if (err) {
		br_closep(&fd);
	}
	answer->step.fd = fd;
	return err ? err : answer->err;
}

/** Read the beginning of a directory. 0 or an errno. */
static int list(int dirfd, const char *name) {
	char entries[4096];
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 || syscall(SYS_getdents64, fd, entries, sizeof(entries)) < 0 ? errno : 0;
}

/** The child. Only calls that are safe after a fork of a process with threads. */
static void answer_from_child(int sock, const struct question *q) {
	struct answer answer = {.step.fd = -1};
	int fd = q->dirfd;
	if (q->list) {
		answer.err = list(q->dirfd, q->name);
		_exit(send_answer(sock, &answer) == (ssize_t)sizeof(answer) ? 0 : 1);
	}
	if (q->name) {
		fd = openat(q->dirfd, q->name, STEP_FLAGS);
	}
	if (fd < 0) {
		answer.err = errno;
	} else if (q->link) {
		answer.err = br_step_link(fd, answer.text, sizeof(answer.text));
	} else {
		answer.err = read_facts(fd, AT_STATX_SYNC_AS_STAT, &answer.step);
	}
	answer.step.fd = answer.err || !q->name ? -1 : fd;
	_exit(send_answer(sock, &answer) == (ssize_t)sizeof(answer) ? 0 : 1);
}

static int64_t now_milliseconds(void) {
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t); // it cannot fail for this clock
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/** Wait until sock can be read. 0 or an errno, ETIMEDOUT. */
static int wait_for(int sock) {
	int64_t end = now_milliseconds() + BR_STEP_MILLISECONDS;
	for (;;) {
		int64_t left = end - now_milliseconds();
		struct pollfd poller = {.fd = sock, .events = POLLIN};
		int n = left > 0 ? poll(&poller, 1, (int)left) : 0;
		if (n > 0) {
			return 0;
		}
		if (n == 0) {
			return ETIMEDOUT;
		}
		if (errno != EINTR) {
			return errno;
		}
	}
}

/** Reap a child that has ended, or that was killed and, by a fault of its file system, may still not end. */
static void reap(pid_t child, bool killed) {
	for (int tries = 0; tries < 100; tries++) {
		pid_t ended = waitpid(child, NULL, killed ? WNOHANG : 0);
		if (ended == child || (ended < 0 && errno != EINTR)) {
			return;
		}
		if (killed) {
			(void)poll(NULL, 0, 10); // a pause; cut short by a signal it is still one
		}
	}
}

/** 0 or an errno. */
static int ask(const struct question *q, struct answer *answer) {
	int socks[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0) {
		return errno;
	}
	br_auto(br_closep) int mine = socks[0];
	br_auto(br_closep) int theirs = socks[1];
	pid_t child = fork();
	if (child < 0) {
		return errno;
	}
	if (child == 0) {
		answer_from_child(theirs, q);
	}
	br_closep(&theirs);
	int err = wait_for(mine);
	bool killed = err != 0;
	if (killed) {
		(void)kill(child, SIGKILL); // it is our child and not reaped, so it is there
	} else {
		err = receive_answer(mine, answer);
	}
	reap(child, killed);
	return err;
}

int br_step_open_guarded(int dirfd, const char *name, struct br_step *out) {
	struct question q = {.dirfd = dirfd, .name = name};
	struct answer answer = {.step.fd = -1};
	int err = ask(&q, &answer);
	*out = answer.step;
	if (!err && !name) {
		out->fd = dirfd;
	} else if (!err && out->fd < 0) {
		// The descriptor was lost on the way: this process may open no more.
		err = EMFILE;
	}
	return err;
}

int br_step_list_guarded(int dirfd, const char *path) {
	struct question q = {.dirfd = dirfd, .name = path, .list = true};
	struct answer answer = {.step.fd = -1};
	return ask(&q, &answer);
}

int br_step_link_guarded(int fd, char text[PATH_MAX]) {
	struct question q = {.dirfd = fd, .link = true};
	struct answer answer = {.step.fd = -1};
	int err = ask(&q, &answer);
	if (!err) {
		memcpy(text, answer.text, sizeof(answer.text));
		text[PATH_MAX - 1] = 0;
	}
	return err;
}
