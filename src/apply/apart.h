/**
 * Work in a process of its own, which holds the trees and the journal, in the jail where one can be
 * had, and which is watched: what never comes back from a file system whose server has stopped is
 * left behind, whoever waits for it goes on.
 *
 *   caller                                         the process apart
 *   targets found, journal open and locked
 *   fork ----------------------------------------> roots cloned, jail closed, rights dropped
 *   accounts, as it asks for them <--------------> work
 *   sees the board, passes on the wish to stop     beats, counts
 *   messages, examples, the end <----------------  ends
 */
#ifndef BR_APPLY_APART_H
#define BR_APPLY_APART_H

#include "object.h"

#include <bindright/apply.h>

#include <linux/capability.h>
#include <signal.h>
#include <stdatomic.h>

enum {
	/** How long a file system of others may keep one call. */
	BR_APART_SECONDS = 10,
	/** The same where it has to write out everything. */
	BR_APART_SLOW_SECONDS = 60,
	BR_ASKS_SLOWLY = 1 << 30,
};

/** Memory that both see. The caller only looks: whoever took the other over may write anything
 * there. */
struct br_board {
	/** Counted up with every call to a tree. */
	atomic_ulong beat;
	/** One more than the number of the target whose file system may not answer, while it is
	 * asked (and BR_ASKS_SLOWLY); 0: none. */
	atomic_uint asks;
	/** The caller's wish, which is where options->stop points to over there. */
	volatile sig_atomic_t stop;
	/** Something was announced in the journal. */
	atomic_bool announced;
	bool interrupted;
	union {
		struct br_apply_result applied;
		struct br_undo_result undone;
	};
};

/** What the caller did for the process apart. */
struct br_served {
	/** 0, 1 or -1, as the question has it. */
	int r;
	int outcome;
	int err;
	bool running;
	char why[160];
	char line[512];
};

struct br_line;

/** The first few of what was left alone. */
struct br_few {
	const char **examples;
	const char **reasons;
	size_t *n;
};

/** Capabilities that changing owners, modes and ACLs needs. */
#define BR_APART_CAPS \
	(UINT64_C(1) << CAP_CHOWN | UINT64_C(1) << CAP_DAC_READ_SEARCH | UINT64_C(1) << CAP_FOWNER \
		| UINT64_C(1) << CAP_FSETID)

/** Of those that the work needs, what it needs for single calls only: see br_jail_wake. */
#define BR_APART_RESTING (UINT64_C(1) << CAP_DAC_OVERRIDE)

struct br_apart {
	/** Over there: 0, or -1 with an error in dx. */
	int (*work)(void *context, struct br_line *line);
	/** Here: what it asked for. What it names may be anything. */
	void (*serve)(void *context, unsigned what, uint64_t which, struct br_served *out);
	/** Here, ten times a second; NULL: not. */
	void (*tick)(void *context);
	void *context;
	struct br_board *board;
	const struct br_apply_options *options;
	struct br_target *const *targets;
	size_t ntargets;
	/** Mount points are entered. */
	bool cross;
	/** Nothing will be changed: without a jail. */
	bool dry;
	/** Its journal. */
	int journal;
	/** Capabilities that the work needs. */
	uint64_t caps;
	struct br_arena *arena;
	struct br_diags *dx;
	/** Where its examples are to go, and where it puts them. */
	struct br_few here;
	struct br_few there;
};

enum br_apart_end {
	/** It came to its end: *r is what work() answered, its messages are in dx. */
	BR_APART_ENDED,
	/** Nothing was begun; an error is in dx. */
	BR_APART_REFUSED,
	/** A target's file system did not answer: the process was left behind. *hung is its number.
	 */
	BR_APART_HUNG,
	/** It ended in some other way; an error is in dx. */
	BR_APART_DIED,
};

/** NULL with errno. */
struct br_board *br_board_new(void);
void br_board_free(struct br_board *board);

enum br_apart_end br_apart_run(struct br_apart *apart, int *r, size_t *hung);

/** Over there: ask the caller. 0, or -1 where he is gone. */
int br_line_ask(struct br_line *line, unsigned what, uint64_t which, struct br_served *out);

/** Calls to the target follow (NULL: no more; `slow`: one that writes out what there is); where its
 * file system may not answer, the caller watches. */
void br_board_ask(struct br_board *board, const struct br_target *target, bool slow);
/** Something else comes between, which may take its time. What br_board_resume is to be given. */
unsigned br_board_pause(struct br_board *board);
void br_board_resume(struct br_board *board, unsigned asks);
static inline void br_board_beat(struct br_board *board) {
	if (board != NULL) {
		atomic_fetch_add_explicit(&board->beat, 1, memory_order_relaxed);
	}
}

#endif
