/**
 * Ownership that can be seen on the line: a variable marked `br_auto(f)` is cleaned up by f when
 * its scope ends; `br_steal()` takes the value out, so that returning it is the only way out alive.
 */
#ifndef BR_BASE_OWN_H
#define BR_BASE_OWN_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/** Run `f(&variable)` at the end of the variable's scope. Never jump past such a declaration. */
#define br_auto(f) __attribute__((cleanup(f)))

/** The pointer's value; the pointer itself becomes NULL. */
#define br_steal(p) \
	__extension__({ \
		__auto_type br_steal_p_ = (p); \
		__auto_type br_steal_v_ = *br_steal_p_; \
		*br_steal_p_ = NULL; \
		br_steal_v_; \
	})

/** The descriptor's number; the variable itself becomes -1. */
static inline int br_steal_fd(int *fd) {
	int out = *fd;
	*fd = -1;
	return out;
}

/** Cleanup for a descriptor variable: -1 is nothing. errno is kept. */
void br_closep(int *fd);
/** Cleanup for heap memory. errno is kept. */
void br_freep(void *p);
/** Cleanup for a stream that was only read. errno is kept. */
void br_fclosep(FILE **f);

#endif
