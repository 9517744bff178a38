#include <base/file.h>
#include <base/filter.h>
#include <base/landlock.h>
#include <base/own.h>
#include <base/sandbox.h>
#include <base/sys.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum {
	NOBODY = 65534,
	/** Where the child writes its answer; its inputs follow. */
	ANSWER_FD = 3,
	FIRST_INPUT_FD = 4,
};

/** What stands before the answer. The checksum is over the rest of it and the answer. */
struct frame {
	uint32_t magic, crc;
	/** 0, or an errno value. */
	uint32_t error;
	uint32_t n;
};

static const uint32_t frame_magic = 0x31635242;

/** Comes before the frame once the child is confined: from there on it may be anybody's. */
static const char start_mark = '!';

static uint32_t frame_crc(const struct frame *frame, const char *bytes) {
	uint32_t crc = br_crc32c(0, &frame->error, sizeof(frame->error));
	crc = br_crc32c(crc, &frame->n, sizeof(frame->n));
	return br_crc32c(crc, bytes, frame->n);
}

static unsigned seconds_of(const struct br_confine *confine) {
	return confine->seconds ? confine->seconds : BR_CONFINE_SECONDS;
}

// ---- in the child ----

/** Give the descriptors their numbers and close all others. */
static int arrange_descriptors(const struct br_confine *confine, int answer) {
	int moved[BR_CONFINE_INPUTS];
	int above = FIRST_INPUT_FD + (int)confine->nin;
	int null = fcntl(open("/dev/null", O_RDWR | O_CLOEXEC), F_DUPFD_CLOEXEC, above);
	answer = fcntl(answer, F_DUPFD_CLOEXEC, above);
	if (null < 0 || answer < 0) {
		return -1;
	}
	for (size_t i = 0; i < confine->nin; i++) {
		moved[i] = fcntl(confine->in[i], F_DUPFD_CLOEXEC, above);
		if (moved[i] < 0) {
			return -1;
		}
	}
	// A sanitizer's report is for people to see.
	int failed = dup2(null, 0) < 0 || dup2(null, 1) < 0
		|| (!BR_IS_SANITIZED && dup2(null, 2) < 0) || dup2(answer, ANSWER_FD) < 0;
	for (size_t i = 0; i < confine->nin; i++) {
		failed = failed || dup2(moved[i], FIRST_INPUT_FD + (int)i) < 0;
	}
	return failed || br_sys_close_from(above, false) ? -1 : 0;
}

/** Handlers of the caller are no business of the child. */
static void default_signals(void) {
	const struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;
	for (int i = 1; i < NSIG; i++) {
		// SIGKILL, SIGSTOP and libc's own refuse.
		(void)sigaction(i, &action, NULL);
	}
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/** Bytes of address space that are in use already; 0 where nobody tells. */
static rlim_t used_memory(void) {
	size_t n = 0;
	uint64_t pages = 0;
	br_auto(br_freep) char *statm = br_read_file(AT_FDCWD, "/proc/self/statm", 4096, &n);
	if (statm) {
		statm[strcspn(statm, " ")] = '\0';
	}
	if (!statm || br_parse_u64(statm, UINT32_MAX, &pages)) {
		return 0;
	}
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static int limit(int what, rlim_t most) {
	const struct rlimit both = {most, most};
	return setrlimit((__rlimit_resource_t)what, &both);
}

static int set_limits(unsigned seconds) {
	// The second number is a SIGKILL, which says nothing about time.
	const struct rlimit time = {seconds, seconds + 1};
	if (limit(RLIMIT_CORE, 0) || setrlimit(RLIMIT_CPU, &time) || limit(RLIMIT_NPROC, 0)) {
		return -1;
	}
	// A sanitizer maps terabytes and may write its report to a file.
	if (BR_IS_SANITIZED) {
		return 0;
	}
	return limit(RLIMIT_AS, used_memory() + BR_CONFINE_MEMORY) || limit(RLIMIT_FSIZE, 0) ? -1
											     : 0;
}

/** Become nobody, in a root that is empty, as far as root may do that here: a user namespace can
 * lack a nobody. */
static int leave_root(void) {
	bool is_root = geteuid() == 0;
	bool elsewhere = is_root && !chroot("/proc/self/fdinfo");
	if (chdir("/") && elsewhere) {
		return -1;
	}
	// What fails here leaves a user 0 without capabilities, whom Landlock and seccomp hold as
	// they hold any user.
	bool is_nobody = is_root && !setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY)
		&& !setresuid(NOBODY, NOBODY, NOBODY);
	return is_root && !is_nobody && errno == EAGAIN ? -1 : 0;
}

/** By the bare call: libcap is identity's. */
static int drop_capabilities(void) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	return (int)syscall(SYS_capset, &header, none);
}

/** From the most powerful to the least; what is gone is not needed by the next. */
static int confine_self(const struct br_confine *confine, int *answer) {
	default_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || arrange_descriptors(confine, *answer)) {
		return -1;
	}
	*answer = ANSWER_FD;
	if (set_limits(seconds_of(confine)) || leave_root()) {
		return -1;
	}
	// A change of user forgets the death signal, and dumpable.
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0) || drop_capabilities()
		|| prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || br_landlock(0)
		|| limit(RLIMIT_NOFILE, FIRST_INPUT_FD + confine->nin)) {
		return -1;
	}
	return BR_IS_SANITIZED ? 0 : br_filter_computing();
}

static void send_answer(int fd, uint32_t error, const struct br_buf *answer) {
	struct frame frame = {.magic = frame_magic, .error = error};
	if (!error && answer->n > BR_CONFINE_ANSWER) {
		frame.error = EFBIG;
	} else if (!error) {
		frame.n = (uint32_t)answer->n;
	}
	frame.crc = frame_crc(&frame, frame.n ? answer->s : "");
	// The parent sees by the frame whether all of it came.
	if (!br_write_all(fd, &frame, sizeof(frame)) && frame.n) {
		(void)br_write_all(fd, answer->s, frame.n);
	}
}

static void child(const struct br_confine *confine, int answer) __attribute__((noreturn));

static void child(const struct br_confine *confine, int answer) {
	struct br_buf out = {0};
	int in[BR_CONFINE_INPUTS];
	if (confine_self(confine, &answer)) {
		uint32_t why = errno ? (uint32_t)errno : EPROTO;
		send_answer(answer, why, &out);
		_exit(1);
	}
	for (size_t i = 0; i < confine->nin; i++) {
		in[i] = FIRST_INPUT_FD + (int)i;
	}
	if (br_write_all(answer, &start_mark, 1)) {
		_exit(1);
	}
	int error = confine->run(confine->context, in, &out);
	error = !error && out.failed ? ENOMEM : error;
	send_answer(answer, (uint32_t)error, &out);
	_exit(0);
}

// ---- in the parent ----

static int64_t now_ms(void) {
	struct timespec time = {0};
	// Cannot fail: the clock is there.
	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/** Wait until fd can be read; -1 with ETIMEDOUT at the deadline. */
static int wait_readable(int fd, int64_t deadline) {
	for (;;) {
		int64_t left = deadline - now_ms();
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		int ready = left > 0 ? poll(&poll_fd, 1, (int)left) : 0;
		if (ready > 0) {
			return 0;
		}
		if (ready < 0 && errno != EINTR) {
			return -1;
		}
		if (!ready && now_ms() >= deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
}

/** All that comes until the child closes its end. */
static int receive(int fd, int64_t deadline, struct br_buf *all) {
	char some[16384];
	for (;;) {
		if (wait_readable(fd, deadline)) {
			return -1;
		}
		ssize_t got = read(fd, some, sizeof(some));
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			return (int)got;
		}
		br_buf_addn(all, some, (size_t)got);
		if (all->failed || all->n > 1 + BR_CONFINE_ANSWER + sizeof(struct frame)) {
			errno = all->failed ? ENOMEM : EFBIG;
			return -1;
		}
	}
}

static bool has_mark(const struct br_buf *all) {
	return all->n && all->s[0] == start_mark;
}

/** Check the frame and take the answer out. */
static int unpack(const struct br_buf *all, char **bytes, size_t *n) {
	struct frame frame;
	size_t skip = has_mark(all) ? 1 : 0;
	errno = EPROTO;
	if (all->n < skip + sizeof(frame)) {
		return -1;
	}
	memcpy(&frame, all->s + skip, sizeof(frame));
	const char *answer = all->s + skip + sizeof(frame);
	if (frame.magic != frame_magic || frame.n != all->n - skip - sizeof(frame)
		|| frame.crc != frame_crc(&frame, answer) || frame.error > 4095) {
		return -1;
	}
	if (frame.error) {
		errno = (int)frame.error;
		return -1;
	}
	char *copy = malloc((size_t)frame.n + 1);
	if (!copy) {
		errno = ENOMEM;
		return -1;
	}
	memcpy(copy, answer, frame.n);
	copy[frame.n] = '\0';
	*bytes = copy;
	*n = frame.n;
	return 0;
}

/** End the child, which has closed its end or has had its time, and wait for it. Its status, or -1
 * where it is not known. */
static int reap(pid_t pid) {
	int status = -1;
	// One that is dead already keeps its status.
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return -1;
		}
	}
	return status;
}

/** What the end of the child says about an answer that is none. */
static int explain_end(int status, int otherwise) {
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	bool by_somebody = sig == SIGINT || sig == SIGTERM || sig == SIGHUP;
	return sig == SIGXCPU ? ETIMEDOUT : by_somebody ? EINTR : otherwise;
}

int br_confine_run(const struct br_confine *confine, char **bytes, size_t *n) {
	int ends[2] = {-1, -1};
	if (confine->started) {
		*confine->started = false;
	}
	if (confine->nin > BR_CONFINE_INPUTS) {
		errno = EINVAL;
		return -1;
	}
	int64_t deadline = now_ms() + (int64_t)seconds_of(confine) * 1000;
	if (pipe2(ends, O_CLOEXEC)) {
		return -1;
	}
	pid_t pid = fork();
	if (pid == 0) {
		child(confine, ends[1]);
	}
	int kept = errno;
	(void)close(ends[1]);
	br_auto(br_closep) int from = ends[0];
	if (pid < 0) {
		errno = kept;
		return -1;
	}
	struct br_buf all = {0};
	int failed = receive(from, deadline, &all);
	kept = errno;
	int status = reap(pid);
	if (confine->started) {
		*confine->started = has_mark(&all);
	}
	if (!failed) {
		failed = unpack(&all, bytes, n);
		kept = failed ? explain_end(status, errno) : errno;
	}
	br_buf_release(&all);
	errno = kept;
	return failed;
}
