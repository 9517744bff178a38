/**
 * A fix, an undo or what comes between, killed at any of its system calls. In the jail there are two
 * processes, one that works and one that watches it: each of them is killed, or both.
 *
 * BR_KILLS: how many kills. BR_SEED: of the random numbers. BR_TEST: a pattern of the tests' names.
 * BR_JAIL: see jail_wanted().
 */
#ifndef BR_TESTS_KILLED_H
#define BR_TESTS_KILLED_H

#include <stdint.h>
#include <support/applied.h>

/** The one ground of such a program. */
extern struct ground g;

/** Who is killed. Without a process apart there is one only, whoever is meant. */
enum victim {
	BOTH,
	WORKER,
	WATCHER,
};

/** How many kills are wanted (BR_KILLS); 0: the few of every day. */
long kills_wanted(void);
/** Setup and teardown of a group: the seed, and how many kills there were. */
int kills_begin(void **state);
int kills_end(void **state);
uint32_t pick(uint32_t n);

/** What make_ground's fix makes. */
extern struct br_make made[2];
/** n: see ground_fill; below 0: an empty tree. */
void make_ground(bool in_memory, int n);
/** The few inodes that change most. */
void add_special(const char *tree);
/** One that may do more than others, whose contents count. */
void add_privileged(const char *tree);
/** The same test where what was seen before is gone through. */
void recalling(void (*test)(void **state), void **state);
bool can_trace(void);

/** What is done, and killed. */
enum doing {
	FIX,
	UNDO,
	SETTLE,
};

/** Their names. */
extern const char *const doings[];

/** In a child: do it, and end with 0, or 1 where it failed. */
void killed_work(enum doing what);
void count_kill(enum victim victim);
/**
 * Run it and kill it, or a part of it, when its main threads have begun or ended so many system
 * calls (0: never). How many there were; -1 where tracing is not allowed. *whole: it came to its
 * end.
 */
long run_until(enum doing what, long n, enum victim victim, bool *whole);
/** Undo, and the tree is as it was. */
void undo_wholly(const char *before);

#endif
