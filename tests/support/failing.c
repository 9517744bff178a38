#include <base/sys.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <support/failing.h>
#include <support/fault.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_one_of(const char *const *names, long call) {
	for (; *names != NULL; names++) {
		if (trace_call(*names) == call) {
			return true;
		}
	}
	return false;
}

/** These cannot fail as they are made, or without them the C library, or the sanitizer, cannot go
 * on, or nothing can end; close() closes whatever it answers, and brk() answers with an address,
 * never with an error. */
static bool is_needed(long call) {
	static const long needed[] = {
		SYS_exit,
		SYS_exit_group,
		SYS_futex,
		SYS_rt_sigreturn,
		SYS_rt_sigprocmask,
		SYS_wait4,
		SYS_close,
		SYS_brk,
#ifdef BR_SANITIZED
		SYS_mmap,
		SYS_munmap,
		SYS_mprotect,
		SYS_mremap,
		SYS_madvise,
		SYS_sigaltstack,
#endif
	};
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (call == needed[i]) {
			return true;
		}
	}
	return false;
}

/** Whether another program makes it. What starts one may still fail. */
static bool is_foreign(struct failing *f, const struct trace_stop *stop) {
	const size_t most = sizeof(f->others) / sizeof(f->others[0]);
	for (size_t i = 0; i < f->nothers; i++) {
		if (f->others[i] == stop->pid) {
			return true;
		}
	}
	// Ours never make it again where it fails: they end.
	if (stop->entry && stop->call == SYS_execve && f->nothers < most) {
		f->others[f->nothers++] = stop->pid;
	}
	return false;
}

static bool is_meant(struct failing *f, const struct trace_stop *stop) {
	if (is_foreign(f, stop)) {
		return false;
	}
	f->marks += stop->entry && stop->call == SYS_sched_yield;
	if (!stop->entry) {
		return false;
	}
	return f->names != NULL ? is_one_of(f->names, stop->call)
				: f->marks == 1 && !is_needed(stop->call);
}

enum trace_choice failing_choose(void *context, const struct trace_stop *stop, int *err) {
	struct failing *f = context;
	if (!is_meant(f, stop)) {
		return TRACE_GO;
	}
	f->seen++;
	if (f->seen == f->n) {
		f->call = stop->call;
	}
	bool again = f->for_good && (f->names != NULL || stop->call == f->call);
	if (f->n == 0 || f->seen < f->n || (f->seen > f->n && !again)) {
		return TRACE_GO;
	}
	*err = f->err;
	return TRACE_FAIL;
}

static unsigned count_open(void) {
	unsigned n = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (dir != NULL && readdir(dir) != NULL) {
		n++;
	}
	if (dir != NULL) {
		(void)closedir(dir);
	}
	return n;
}

int failing_here(failing_work *work, void *context) {
	// What is kept for the life of the process is no loss.
	br_sys_refuse(0);
	unsigned before = count_open();
	fault_watch();
	int r = work(context);
	size_t live = fault_live();
	br_sys_refuse(0);
	unsigned after = count_open();
	if (live == 0 && after == before) {
		return r;
	}
	(void)fprintf(stderr, "left behind: %zu pieces of memory, %d descriptors\n", live,
		(int)(after - before));
	return FAILING_LEAKED;
}

int failing_run(struct failing *f, failing_work *work, void *context) {
	int status = 0;
	f->seen = f->marks = f->call = 0;
	f->nothers = 0;
	pid_t pid = trace_fork();
	if (pid == 0) {
		_exit(failing_here(work, context));
	}
	if (pid < 0 || trace_run(pid, failing_choose, f, &status) < 0) {
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

const char *failing_words(const struct failing *f) {
	static char words[120];
	(void)snprintf(words, sizeof(words), "%s %ld (%ld) failed with %s%s",
		f->names != NULL ? f->names[0] : "call", f->n, f->call, strerror(f->err),
		f->for_good ? " for good" : "");
	return words;
}
