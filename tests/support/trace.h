/**
 * A child that is stopped, with the processes that it forks, before and after each system call of
 * their main threads, to be killed there, to be lied to, or to let somebody else act meanwhile.
 */
#ifndef BR_TESTS_TRACE_H
#define BR_TESTS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Where it stands. */
struct trace_stop {
	/** About to make the call; else back from it. */
	bool entry;
	/** SYS_…, also when back. */
	long call;
	/** Stops so far, this one among them. */
	long count;
	/** Whose. */
	pid_t pid;
};

enum trace_choice {
	TRACE_GO,
	TRACE_KILL,
	/** At an entry: the call is not made and answers *err. */
	TRACE_FAIL,
	/** If it is not the first of them: it stays there until the first has heard the signal that
	 * it was sent, and has looked round (poll). */
	TRACE_HOLD,
};

typedef enum trace_choice trace_choose(void *context, const struct trace_stop *stop, int *err);

/** fork() whose child waits to be traced: 0 in the child. The child ends with 99 where tracing is
 * not allowed. */
pid_t trace_fork(void);
/** Let it run to its end or to where it is killed: how many stops there were, and the status of
 * waitpid(); -1 where tracing is not allowed. */
long trace_run(pid_t pid, trace_choose *choose, void *context, int *status);
/** The number of a call by its name, or -1: those that change or make durable, and some that read. */
long trace_call(const char *name);
/** Whether calls can be failed on this machine. */
bool trace_can_fail(void);

#endif
