/**
 * A list of objects, worked on by several threads: ranges of it go to workers that make the system
 * calls, and what became of each object is told to the caller's thread alone, in the list's order.
 *
 *   run(list) --ranges--> workers: work(i), work(i + 1), …  --> done(0), done(1), … in the caller's
 * thread
 *
 * Only objects of which none contains another may be worked on at a time: see br_pick.
 */
#ifndef BR_APPLY_CREW_H
#define BR_APPLY_CREW_H

#include "object.h"

struct br_crew;

struct br_crew_job {
	/**
	 * One item, on any thread: `way` and `acls` are for this call's thread alone. What `acls`
	 * interns lives as long as the crew. False: begin no further item, on whatever thread.
	 */
	bool (*work)(void *context, struct br_way *way, struct br_acls *acls, size_t i);
	/** What became of it, in the caller's thread: 1 go on, 0 begin no further item, -1 that and
	 * an error. */
	int (*done)(void *context, size_t i);
	void *context;
	/** Items may be worked on at a time. */
	bool apart;
};

/** A crew of this many threads (0: one a core), which start when there is enough to do. NULL with
 * ENOMEM. */
struct br_crew *br_crew_new(unsigned threads, bool cross);
void br_crew_free(struct br_crew *crew);
void br_crew_freep(struct br_crew **crew);

/**
 * Items `from` to `to` - 1. 1: all of them had their turn; else what `done` answered. Every item
 * that had its turn is told, also those that were on their way when `done` said 0; after -1 none
 * is. No directory is held open afterwards.
 */
int br_crew_run(struct br_crew *crew, const struct br_crew_job *job, size_t from, size_t to);

/**
 * The same in two halves, for a caller that has other work meanwhile (which may be a br_crew_run of
 * items that are not apart): at most BR_PICKS items. What the job works on stays as it is until
 * br_crew_end, which must follow and answers as br_crew_run does. Where there are no threads the
 * work is done in there; where nothing was begun it answers 1.
 */
void br_crew_begin(struct br_crew *crew, const struct br_crew_job *job, size_t from, size_t to);
int br_crew_end(struct br_crew *crew);

/**
 * Which items of a list may be worked on at a time: no directory, and no inode twice (two names of
 * a file). Start with {0}; at most BR_PICKS inodes; 0 as an inode number is never one of them.
 */
enum {
	BR_PICKS = 4096,
};
struct br_picks {
	uint64_t inodes[2 * BR_PICKS];
};
bool br_pick(struct br_picks *picks, const struct br_inode *inode);

#endif
