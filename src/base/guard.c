#include <base/guard.h>
#include <base/own.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/** What the child writes, beside the descriptor. */
struct message {
	int err;
	alignas(max_align_t) char answer[BR_GUARD_ANSWER];
};

/** Room for one descriptor, aligned as a control message must be. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static ssize_t send_message(int sock, struct message *m, size_t n, int fd) {
	union control control = {0};
	struct iovec part = {.iov_base = m, .iov_len = offsetof(struct message, answer) + n};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	if (fd >= 0) {
		message.msg_control = control.room;
		message.msg_controllen = sizeof(control.room);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	return sendmsg(sock, &message, MSG_NOSIGNAL);
}

/** 0 or an errno; *fd: the descriptor, if there is one. */
static int receive_message(int sock, struct message *m, size_t n, int *fd) {
	union control control = {0};
	struct iovec part = {.iov_base = m, .iov_len = offsetof(struct message, answer) + n};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	ssize_t got;
	do {
		got = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	int err = got < 0 ? errno : 0;
	struct cmsghdr *header = err ? NULL : CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	}
	if (!err && (size_t)got != offsetof(struct message, answer) + n) {
		err = EIO;
	}
	return err ? err : m->err;
}

static int64_t now_milliseconds(void) {
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t); // it cannot fail for this clock
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/** Wait until sock can be read. 0 or an errno, ETIMEDOUT. */
static int wait_for(int sock) {
	int64_t end = now_milliseconds() + BR_GUARD_MILLISECONDS;
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

/** Reap a child that has ended, or that was killed and, by a fault of its file system, may still
 * not end. */
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

static void live_over_there(int sock, br_question *question, const void *context, size_t n)
	__attribute__((noreturn));

static void live_over_there(int sock, br_question *question, const void *context, size_t n) {
	struct message m = {0};
	int fd = -1;
	m.err = question(context, m.answer, &fd);
	_exit(send_message(sock, &m, n, m.err ? -1 : fd) >= 0 ? 0 : 1);
}

int br_guard(br_question *question, const void *context, void *answer, size_t n, int *fd) {
	int socks[2];
	struct message m = {0};
	int taken = -1;
	if (n > sizeof(m.answer)) {
		return EMSGSIZE;
	}
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
		live_over_there(theirs, question, context, n);
	}
	br_closep(&theirs);
	int err = wait_for(mine);
	bool killed = err != 0;
	if (killed) {
		(void)kill(child, SIGKILL); // it is our child and not reaped, so it is there
	} else {
		err = receive_message(mine, &m, n, &taken);
	}
	reap(child, killed);
	if (n) {
		memcpy(answer, m.answer, n);
	}
	if (err || !fd) {
		br_closep(&taken);
	}
	if (fd) {
		*fd = taken;
	}
	return err;
}
