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
	{"fchmodat", SYS_fchmodat},
	{"fchmodat2", SYS_fchmodat2},
	{"fchownat", SYS_fchownat},
	{"fdatasync", SYS_fdatasync},
	{"fsync", SYS_fsync},
	{"getxattrat", SYS_getxattrat},
	{"mkdirat", SYS_mkdirat},
	{"openat2", SYS_openat2},
	{"pwrite64", SYS_pwrite64},
	{"removexattrat", SYS_removexattrat},
	{"renameat2", SYS_renameat2},
	{"setxattr", SYS_setxattr},
	{"setxattrat", SYS_setxattrat},
	{"statx", SYS_statx},
	{"unlinkat", SYS_unlinkat},
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

/** Wait until it stops at a system call: true; false at its end. Signals are handed on. */
static bool next_stop(pid_t pid, int *status) {
	int signal = 0;
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, (long)signal) < 0
			|| waitpid(pid, status, 0) != pid || !WIFSTOPPED(*status)) {
			return false;
		}
		signal = WSTOPSIG(*status);
		if (signal == (SIGTRAP | 0x80)) {
			return true;
		}
		// What exec says for itself is no signal.
		signal = signal == SIGTRAP ? 0 : signal;
	}
}

/** Where it stands, and whether it could be told. */
static bool look(pid_t pid, struct trace_stop *stop) {
	struct __ptrace_syscall_info info = {0};
	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0) {
		return false;
	}
	stop->entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
	if (stop->entry) {
		stop->call = (long)info.entry.nr;
	}
	return true;
}

long trace_run(pid_t pid, trace_choose *choose, void *context, int *status) {
	struct trace_stop stop = {0};
	int err = 0;
	if (waitpid(pid, status, 0) != pid || !WIFSTOPPED(*status)) {
		return -1;
	}
	(void)ptrace(
		PTRACE_SETOPTIONS, pid, NULL, (long)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD));
	while (next_stop(pid, status) && look(pid, &stop)) {
		stop.count++;
		if (!stop.entry && err != 0) {
			(void)set_answer(pid, -err);
			err = 0;
		}
		switch (choose(context, &stop, &err)) {
		case TRACE_GO:
			break;
		case TRACE_FAIL:
			if (!stop.entry || !set_call(pid, -1)) {
				err = 0;
			}
			break;
		case TRACE_KILL:
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, status, 0);
			return stop.count;
		}
	}
	if (WIFSTOPPED(*status)) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, status, 0);
	}
	return stop.count;
}
