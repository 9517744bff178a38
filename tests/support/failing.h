/**
 * Work done over and over, each system call that it makes failing in its turn, and what it may not
 * leave behind in its process then.
 */
#ifndef BR_TESTS_FAILING_H
#define BR_TESTS_FAILING_H

#include <support/trace.h>

/** The n-th of these calls fails, and where `for_good` all after it. */
struct failing {
	/** NULL: any, between the first and the second call of sched_yield(); and for good means
	 * that one, wherever it is made again. */
	const char *const *names;
	/** 0: none does. */
	long n;
	int err;
	bool for_good;
	/** How many there were. */
	long seen;
	/** Which it was, where any is meant. */
	long call;
	/** Calls of sched_yield(). */
	long marks;
	/** Other programs that were started: theirs do not fail. */
	pid_t others[64];
	size_t nothers;
};

/** trace_choose of a struct failing. */
trace_choose failing_choose;

/** In a child: what it answers is how the child ends, 0 to 63. */
typedef int failing_work(void *context);

enum {
	/** It left descriptors open, or memory that nobody can free. */
	FAILING_LEAKED = 64,
};

/** How the work went: what it answered, or FAILING_LEAKED; -1 where tracing is not allowed; other
 * codes of an exit; 256 and a signal. */
int failing_run(struct failing *f, failing_work *work, void *context);

/** Work here, in this process: what it answers, and it leaves nothing behind. */
int failing_here(failing_work *work, void *context);

/** Words for what failed; lives until the next call. */
const char *failing_words(const struct failing *f);

#endif
