/**
 * Allocations that fail on purpose. Every test program is linked so that malloc, calloc, realloc,
 * reallocarray and free of our own code (not of shared libraries) come through here, and so do the
 * arena's own functions.
 */
#ifndef BR_TESTS_FAULT_H
#define BR_TESTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/** From now on the n-th allocation fails, once; 0: none. Any thread's, and any process's that is
 * forked later. */
void fault_at(unsigned n);
/** That one and all after it. */
void fault_from(unsigned n);
/** Whether the allocation that fault_at named has come; the next ones succeed again. */
bool fault_hit(void);

/** While it is on nothing fails, and nothing counts. */
void fault_pause(bool on);

/** Whether each piece of an arena counts as an allocation, too. Otherwise they fail only where the
 * arena needs another block. */
void fault_pieces(bool counted);

/** From now on what is allocated is remembered, by this process. */
void fault_watch(void);
/** How many pieces of that have not been freed; and they are forgotten. */
size_t fault_live(void);

/** Run the statement with its first, second, … allocation failing, until it comes through without
 * one; `i` is the number. */
#define FAULT_EACH(i, statement) \
	for (unsigned i = 1;; i++) { \
		fault_at(i); \
		statement; \
		bool fault_each_hit_ = fault_hit(); \
		fault_at(0); \
		if (!fault_each_hit_) { \
			break; \
		} \
	}

#endif
