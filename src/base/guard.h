/**
 * A question to a file system that may never answer, put by a child: what it finds out comes back
 * in time, or nobody waits for it.
 */
#ifndef BR_BASE_GUARD_H
#define BR_BASE_GUARD_H

#include <stddef.h>

enum {
	/** How long a network or FUSE file system may take for one step. */
	BR_GUARD_MILLISECONDS = 3000,
	/** An answer has no more bytes. */
	BR_GUARD_ANSWER = 8192,
};

/**
 * Over there: fill `answer` (zeros), and *fd where a descriptor is to be handed over (-1: none). 0
 * or an errno. Only calls that are safe after the fork of a process with threads, unless there are
 * none.
 */
typedef int br_question(const void *context, void *answer, int *fd);

/**
 * Ask it, and take its answer of n bytes (BR_GUARD_ANSWER at most) and its descriptor (the caller
 * closes; fd NULL: there is none). 0 or an errno: the question's, in which case the answer is as it
 * left it, or ETIMEDOUT. A child that the kernel does not let go is left behind.
 */
int br_guard(br_question *question, const void *context, void *answer, size_t n, int *fd);

#endif
