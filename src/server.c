#include <base/become.h>
#include <base/filter.h>
#include <base/guard.h>
#include <base/jail.h>
#include <base/own.h>
#include <bindright/server.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum {
	/** Who was not at it for so long was stopped himself (^Z), and waits once more. */
	NAP_MS = 1000,
};

/** The line between the two. */
struct question {
	uint32_t mode;
	/** With its NUL; shorter ones are sent so far. */
	char path[PATH_MAX];
};

struct answer {
	int32_t err;
	uint32_t have, unheard, apart;
};

struct br_asker {
	pid_t pid;
	int sock;
	/** What is the answer to everything from now on; 0: he is there. */
	int err;
	struct question question;
};

/** The bits that programs ask at once: br_access_use(). */
static unsigned at_once(uint32_t mode) {
	return S_ISDIR(mode) ? BR_W | BR_X : BR_R | BR_W;
}

// ---- Over there. Only system calls, as after the fork of a process with threads. ----

/** 0: it is allowed, or refused; else the errno of what is no answer. */
static int ask_bits(int fd, unsigned bits, bool *allowed) {
	// The numbers are those of R_OK, W_OK and X_OK. Not glibc's, which asks by the mode where
	// the kernel lacks the call.
	*allowed = syscall(SYS_faccessat2, fd, "", bits, AT_EACCESS | AT_EMPTY_PATH) == 0;
	return *allowed || errno == EACCES || errno == EPERM ? 0 : errno;
}

/** To list it is more than to be told that it may be listed. */
static int ask_listing(int fd, bool *allowed) {
	br_auto(br_closep) int dir =
		openat(fd, ".", O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	*allowed = dir >= 0;
	return *allowed || errno == EACCES || errno == EPERM ? 0 : errno;
}

static int ask_object(int fd, uint32_t mode, struct answer *out) {
	bool allowed;
	for (unsigned bit = BR_X; bit <= BR_R; bit <<= 1) {
		int err = ask_bits(fd, bit, &allowed);
		if (err == EROFS && bit == BR_W) {
			out->unheard |= bit;
		} else if (err) {
			return err;
		} else if (allowed) {
			out->have |= bit;
		}
	}
	if (S_ISDIR(mode) && (out->have & (BR_R | BR_X)) == (BR_R | BR_X)) {
		int err = ask_listing(fd, &allowed);
		if (err) {
			return err;
		}
		out->have &= allowed ? ~0U : ~(unsigned)BR_R;
	}
	unsigned both = at_once(mode);
	if ((out->have & both) != both) {
		return 0;
	}
	int err = ask_bits(fd, both, &allowed);
	out->apart = !err && !allowed;
	return err;
}

static void answer(int root, const struct question *question, struct answer *out) {
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	if (!*question->path) {
		out->err = ask_object(root, question->mode, out);
		return;
	}
	int fd = (int)syscall(SYS_openat2, root, question->path, &how, sizeof(how));
	if (fd < 0) {
		// Who does not get there has nothing of it.
		out->err = errno == EACCES || errno == EPERM ? 0 : errno;
		return;
	}
	out->err = ask_object(fd, question->mode, out);
	(void)close(fd); // It was only looked at.
}

/** Nobody's standard streams; what a sanitizer reports is for people to see. 0 or -1. */
static int leave_descriptors(int sock, int root) {
	int keep[] = {sock, root};
	for (int fd = 0; fd <= (BR_IS_SANITIZED ? 1 : 2); fd++) {
		if (fd != sock && fd != root) {
			(void)close(fd); // It may not be open.
		}
	}
	return br_jail_close_others(keep, 2);
}

static void live_over_there(int sock, int root, const struct br_guest *guest, pid_t parent)
	__attribute__((noreturn));

static void live_over_there(int sock, int root, const struct br_guest *guest, pid_t parent) {
	struct question question;
	struct answer out = {0};
	// Before anybody can look into it as the one that it becomes; and again, for a change of
	// IDs takes the death signal back.
	bool failed = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || leave_descriptors(sock, root)
		|| br_become(guest) || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	out.err = failed ? errno : 0;
	if (getppid() != parent) {
		_exit(1);
	}
	for (;;) {
		if (send(sock, &out, sizeof(out), MSG_NOSIGNAL) < 0 || failed) {
			_exit(0);
		}
		ssize_t got;
		do {
			got = recv(sock, &question, sizeof(question), 0);
		} while (got < 0 && errno == EINTR);
		if (got <= 0) {
			_exit(0);
		}
		out = (struct answer){0};
		answer(root, &question, &out);
	}
}

// ---- Here ----

static int64_t now_ms(void) {
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t); // It cannot fail for this clock.
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/** Wait for something to come. 0, or an errno: ETIMEDOUT. */
static int wait_for(int sock) {
	int64_t end = now_ms() + BR_GUARD_MILLISECONDS;
	for (;;) {
		int64_t left = end - now_ms();
		struct pollfd poller = {.fd = sock, .events = POLLIN};
		int n = left > 0 ? poll(&poller, 1, (int)left) : 0;
		if (n > 0) {
			return 0;
		}
		if (n < 0 && errno != EINTR) {
			return errno;
		}
		if (n == 0 && now_ms() < end + NAP_MS) {
			return ETIMEDOUT;
		}
		end = n == 0 ? now_ms() + BR_GUARD_MILLISECONDS : end;
	}
}

/** End him; one whom the kernel does not let go, by a fault of the file system, is left behind. */
static void let_go(struct br_asker *asker) {
	br_closep(&asker->sock);
	if (asker->pid <= 0) {
		return;
	}
	(void)kill(asker->pid, SIGKILL); // It is our child and not reaped, so it is there.
	for (int tries = 0; tries < 100; tries++) {
		pid_t ended = waitpid(asker->pid, NULL, WNOHANG);
		if (ended == asker->pid || (ended < 0 && errno != EINTR)) {
			break;
		}
		(void)poll(NULL, 0, tries < 10 ? 1 : 10); // A pause; cut short it is still one.
	}
	asker->pid = 0;
}

/** 0, or an errno, after which he is no more. */
static int hear(struct br_asker *asker, struct answer *out) {
	int err = wait_for(asker->sock);
	ssize_t got = -1;
	while (!err && got < 0) {
		got = recv(asker->sock, out, sizeof(*out), 0);
		err = got < 0 && errno != EINTR ? errno : 0;
	}
	// Closed, and perhaps with a question that he has not read.
	if (err == ECONNRESET || (!err && (size_t)got != sizeof(*out))) {
		err = EPIPE;
	}
	if (err) {
		asker->err = err;
		let_go(asker);
	}
	return err ? err : out->err;
}

/** The rights that count for what is asked. Those of a container's own user namespace do not count
 * outside of it. */
static uint64_t rights_of(const struct br_cred *cred) {
	const uint64_t reach = UINT64_C(1) << CAP_DAC_OVERRIDE | UINT64_C(1) << CAP_DAC_READ_SEARCH;
	return cred->uids.n || cred->gids.n ? 0 : cred->caps & reach;
}

static int start(struct br_asker *asker, int fd, const struct br_guest *guest) {
	int socks[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0) {
		return errno;
	}
	asker->sock = socks[0];
	br_auto(br_closep) int theirs = socks[1];
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0) {
		live_over_there(theirs, fd, guest, parent);
	}
	if (pid < 0) {
		return errno;
	}
	asker->pid = pid;
	br_closep(&theirs);
	// He says what has become of him.
	struct answer hello;
	return hear(asker, &hello);
}

struct br_asker *br_asker_new(int fd, const struct br_cred *cred) {
	struct br_asker *asker = calloc(1, sizeof(*asker));
	gid_t *groups = calloc(cred->ngroups + 1, sizeof(*groups));
	int err = asker && groups ? 0 : ENOMEM;
	if (!err) {
		for (size_t i = 0; i < cred->ngroups; i++) {
			groups[i] = cred->groups[i].v;
		}
		const struct br_guest guest = {.uid = cred->uid.v,
			.gid = cred->gid.v,
			.groups = groups,
			.ngroups = cred->ngroups,
			.caps = rights_of(cred)};
		asker->sock = -1;
		err = start(asker, fd, &guest);
	}
	free(groups);
	if (err) {
		br_asker_free(asker);
		errno = err;
		return NULL;
	}
	return asker;
}

int br_asker_ask(
	struct br_asker *asker, const char *path, uint32_t mode, struct br_server_word *out) {
	struct answer answer;
	size_t n = strlen(path) + 1;
	int err = asker->err;
	if (!err && n > sizeof(asker->question.path)) {
		err = ENAMETOOLONG;
	} else if (!err) {
		asker->question.mode = mode;
		memcpy(asker->question.path, path, n);
		ssize_t sent = send(asker->sock, &asker->question,
			offsetof(struct question, path) + n, MSG_NOSIGNAL);
		err = sent < 0 ? errno : 0;
		asker->err = err;
	}
	err = err ? err : hear(asker, &answer);
	if (err) {
		errno = err;
		return -1;
	}
	*out = (struct br_server_word){
		.have = answer.have, .unheard = answer.unheard, .apart = answer.apart != 0};
	return 0;
}

void br_asker_free(struct br_asker *asker) {
	if (asker) {
		int err = errno;
		let_go(asker);
		free(asker);
		errno = err;
	}
}

void br_asker_freep(struct br_asker **asker) {
	br_asker_free(*asker);
	*asker = NULL;
}

bool br_server_decide(const struct br_server_word *word, uint32_t mode, unsigned want,
	struct br_verdict *verdict) {
	unsigned have = (word->have & ~word->unheard) | (verdict->have & word->unheard);
	unsigned missing = want & ~have;
	unsigned both = at_once(mode);
	if (word->apart && (want & both) == both) {
		missing |= both;
	}
	verdict->have = have;
	if (missing == verdict->missing) {
		return false;
	}
	verdict->missing = missing;
	// What only the mode refuses is its word still.
	if (missing && !(missing & ~word->unheard)) {
		return true;
	}
	verdict->rule = BR_RULE_SERVER;
	verdict->entry = NULL;
	verdict->masked = false;
	return true;
}
