#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <support/trace.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

// Newer than Debian 12's headers; the same on all architectures that this runs on.
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_getxattrat 464
#define SYS_removexattrat 466
#endif

static const struct {
	const char *name;
	long number;
} calls[] = {
	{"close_range", SYS_close_range},
	{"fchmodat", SYS_fchmodat},
	{"fchmodat2", SYS_fchmodat2},
	{"fchownat", SYS_fchownat},
	{"fdatasync", SYS_fdatasync},
	{"flock", SYS_flock},
	{"fsync", SYS_fsync},
	{"getxattrat", SYS_getxattrat},
	{"getdents64", SYS_getdents64},
	{"mkdirat", SYS_mkdirat},
	{"mount_setattr", SYS_mount_setattr},
	{"open_tree", SYS_open_tree},
	{"openat2", SYS_openat2},
	{"pwrite64", SYS_pwrite64},
	{"removexattrat", SYS_removexattrat},
	{"renameat2", SYS_renameat2},
	{"setxattr", SYS_setxattr},
	{"setxattrat", SYS_setxattrat},
	{"statx", SYS_statx},
	{"syncfs", SYS_syncfs},
	{"unlinkat", SYS_unlinkat},
	{"unshare", SYS_unshare},
};

long trace_call(const char *name) {
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, name) == 0) {
			return calls[i].number;
		}
	}
	return -1;
}

#if defined(__x86_64__)
bool trace_can_fail(void) {
	return true;
}

static bool set_call(pid_t pid, long number) {
	return ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), number) == 0;
}

static bool set_answer(pid_t pid, long answer) {
	return ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), answer) == 0;
}
#elif defined(__aarch64__)
bool trace_can_fail(void) {
	return true;
}

static bool set_call(pid_t pid, long number) {
	int n = (int)number;
	struct iovec part = {&n, sizeof(n)};
	return ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &part) == 0;
}

static bool set_answer(pid_t pid, long answer) {
	struct user_regs_struct regs;
	struct iovec part = {&regs, sizeof(regs)};
	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) != 0) {
		return false;
	}
	regs.regs[0] = (unsigned long long)answer;
	return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part) == 0;
}
#else
bool trace_can_fail(void) {
	return false;
}

static bool set_call(pid_t pid, long number) {
	(void)pid;
	(void)number;
	return false;
}

static bool set_answer(pid_t pid, long answer) {
	(void)pid;
	(void)answer;
	return false;
}
#endif

pid_t trace_fork(void) {
	pid_t pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0) {
			_exit(99);
		}
		(void)raise(SIGSTOP);
	}
	return pid;
}

/** One of them: where it stands in its call, and what that call is to fail with. */
struct traced {
	pid_t pid;
	long call;
	int err;
};

struct tracing {
	struct traced all[64];
	size_t n;
	/** Whose turn it was. */
	size_t turn;
	pid_t first;
	int *status;
	/** One that waits until the first has heard a signal: that has come, and how often the
	 * first looked round since. */
	pid_t held;
	unsigned heard;
};

enum {
	/** It may have looked round just before it came. */
	HEARD = 3,
};

static struct traced *find(struct tracing *t, pid_t pid) {
	for (size_t i = 0; i < t->n; i++) {
		if (t->all[i].pid == pid) {
			return &t->all[i];
		}
	}
	if (t->n == sizeof(t->all) / sizeof(t->all[0])) {
		return NULL;
	}
	t->all[t->n] = (struct traced){.pid = pid};
	return &t->all[t->n++];
}

static void forget(struct tracing *t, pid_t pid) {
	for (size_t i = 0; i < t->n; i++) {
		if (t->all[i].pid == pid) {
			t->all[i] = t->all[--t->n];
		}
	}
}

/** Wait for one of them, each in turn: a busy one must not keep the others from their signals. */
static pid_t wait_for(struct tracing *t, int *status) {
	for (size_t i = 0; i < t->n; i++) {
		t->turn = (t->turn + 1) % t->n;
		pid_t pid = waitpid(t->all[t->turn].pid, status, __WALL | WNOHANG);
		if (pid > 0) {
			return pid;
		}
	}
	return waitpid(-1, status, __WALL);
}

/** It has to end with the others, even before its first stop. */
static void note_child(struct tracing *t, pid_t parent) {
	unsigned long pid = 0;
	if (ptrace(PTRACE_GETEVENTMSG, parent, NULL, &pid) == 0) {
		(void)find(t, (pid_t)pid);
	}
}

/** Wait until one of them stops at a system call; NULL at the end of the first. Signals are handed
 * on. */
static struct traced *next_stop(struct tracing *t) {
	for (;;) {
		int status;
		pid_t pid = wait_for(t, &status);
		if (pid < 0) {
			return NULL;
		}
		if (pid == t->first) {
			*t->status = status;
		}
		if (!WIFSTOPPED(status)) {
			forget(t, pid);
			if (pid == t->first) {
				return NULL;
			}
			continue;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_FORK << 8)) {
			note_child(t, pid);
		}
		int signal = WSTOPSIG(status);
		bool is_new = pid != t->first && signal == SIGSTOP;
		if (signal == (SIGTRAP | 0x80)) {
			return find(t, pid);
		}
		// What exec and fork say for themselves is no signal, nor is a child's first stop.
		signal = signal == SIGTRAP || is_new ? 0 : signal;
		(void)ptrace(PTRACE_SYSCALL, pid, NULL, (long)signal);
	}
}

/** Where it stands, and whether it could be told. */
static bool look(struct traced *one, struct trace_stop *stop) {
	struct __ptrace_syscall_info info = {0};
	if (ptrace(PTRACE_GET_SYSCALL_INFO, one->pid, sizeof(info), &info) <= 0) {
		return false;
	}
	stop->entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
	if (stop->entry) {
		one->call = (long)info.entry.nr;
	}
	stop->call = one->call;
	stop->pid = one->pid;
	return true;
}

static void end_all(struct tracing *t) {
	for (size_t i = 0; i < t->n; i++) {
		(void)kill(t->all[i].pid, SIGKILL);
	}
	for (size_t i = 0; i < t->n; i++) {
		int status;
		pid_t pid = t->all[i].pid;
		while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		}
		if (pid == t->first) {
			*t->status = status;
		}
	}
	t->n = 0;
}

static bool waits(long call) {
#ifdef SYS_poll
	if (call == SYS_poll) {
		return true;
	}
#endif
	return call == SYS_ppoll;
}

/** Let the one that is held go on, if it is time. */
static void listen_for(struct tracing *t, const struct trace_stop *stop) {
	if (t->held == 0 || stop->pid != t->first || !stop->entry) {
		return;
	}
	if (stop->call == SYS_rt_sigreturn) {
		t->heard = 1;
	} else if (t->heard > 0 && waits(stop->call) && ++t->heard == HEARD) {
		(void)ptrace(PTRACE_SYSCALL, t->held, NULL, 0L);
		t->held = 0;
	}
}

/** Ask whoever chooses. False: they are to be killed. */
static bool handle(struct tracing *t, struct traced *one, struct trace_stop *stop,
	trace_choose *choose, void *context) {
	listen_for(t, stop);
	stop->count++;
	if (!stop->entry && one->err != 0) {
		(void)set_answer(one->pid, -one->err);
		one->err = 0;
	}
	switch (choose(context, stop, &one->err)) {
	case TRACE_GO:
		break;
	case TRACE_FAIL:
		if (!stop->entry || !set_call(one->pid, -1)) {
			one->err = 0;
		}
		break;
	case TRACE_KILL:
		return false;
	case TRACE_HOLD:
		if (one->pid != t->first && t->held == 0) {
			t->held = one->pid;
			t->heard = 0;
			return true;
		}
		break;
	}
	return ptrace(PTRACE_SYSCALL, one->pid, NULL, 0L) == 0 || errno == ESRCH;
}

long trace_run(pid_t pid, trace_choose *choose, void *context, int *status) {
	const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK;
	struct trace_stop stop = {0};
	struct tracing t = {.first = pid, .status = status};
	struct traced *one;
	if (waitpid(pid, status, 0) != pid || !WIFSTOPPED(*status)) {
		return -1;
	}
	(void)ptrace(PTRACE_SETOPTIONS, pid, NULL, options);
	(void)find(&t, pid);
	(void)ptrace(PTRACE_SYSCALL, pid, NULL, 0L);
	while ((one = next_stop(&t)) != NULL) {
		if (look(one, &stop) && !handle(&t, one, &stop, choose, context)) {
			break;
		}
	}
	end_all(&t);
	return stop.count;
}
