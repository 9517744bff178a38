/**
 * Trees to change and put back, for the tests of apply/: built with plain system calls, compared
 * with plain system calls.
 */
#ifndef BR_TESTS_APPLIED_H
#define BR_TESTS_APPLIED_H

#include <apply/run.h>
#include <support/scratch.h>

/** IDs that no account of the machine has. */
enum {
	HOST_ID = 52000,
	BOX_ID = 52001,
	OTHER_ID = 52002,
};

/** A directory of its own with a tree in it and a place for journals. */
struct ground {
	char top[256];
	char tree[400];
	char state[300];
	/** Who decides, and what is counted. */
	br_decide *decide;
	void *context;
	volatile sig_atomic_t stop;
	bool use_stop;
	/** 0: one. */
	unsigned threads;
	/** NONE; jail_wanted() where BR_JAIL is in the environment. */
	enum br_jail jail;
	/** What a walk right before saw is gone through, where that still holds; where BR_RECALL is
	 * in the environment. How often it was. */
	bool recall;
	unsigned recalled;
	const struct br_make *makes;
	size_t nmakes;
	const struct br_account *accounts;
	size_t naccounts;
	/** The allocation of the next call that fails (0: none), or fails with all after it, and
	 * whether it came. */
	unsigned fault_at;
	bool fault_for_good;
	bool fault_hit;
	/** Shown where an undo goes wrong. */
	char doing[200];
	/** What the last call left: the messages, joined. */
	char said[2048];
	struct br_apply_result applied;
	struct br_undo_result undone;
	struct br_run run;
	/** Of the results. */
	struct br_arena arena;
};

/** BR_JAIL=none, try or require; without it what the program does: it tries, where it is root.
 * Sanitizers would take too long. */
enum br_jail jail_wanted(void);

/** Below $TMPDIR or /tmp. The tree is empty. */
void ground_make(struct ground *g);
void ground_remove(struct ground *g);
/** The same where syncing costs nothing, if there is such a place: a kill is not a power cut. */
void ground_make_at(struct ground *g, bool in_memory);
/** A tree with everything that an inode can have, of about n entries. */
void ground_fill(const struct ground *g, int n);

/** All that can be seen of a tree from outside, but times and link counts of directories: owners,
 * modes, attributes, types, contents' sizes. Heap. */
char *snapshot(const char *path);
/** snapshot(path) equals `before` (and says where not). */
void assert_snapshot(const char *path, const char *before);

/** Whether what was seen of the tree can be relied on: its change times are exact. */
bool ground_can_recall(const struct ground *g);
/** Run the ground's job, between two calls of sched_yield(); br_apply_job's answer. */
int ground_apply(struct ground *g);
/** Undo (NULL: the newest), between two calls of sched_yield(); br_undo's answer. */
int ground_undo(struct ground *g, const char *id, bool dry);
/** Settle the newest run, where it was cut short, between two calls of sched_yield(); br_settle's
 * answer. */
int ground_settle(struct ground *g);
/** Undo, and the tree is as it was; then the run is forgotten. */
void ground_undo_wholly(struct ground *g, const char *before);
/** Forget all runs, and what results hold. */
void ground_forget(struct ground *g);
/** The state of the newest run, or -1 where there is none. */
int ground_state(struct ground *g);

/** Deciders: everything of HOST_ID or root becomes BOX_ID's; BOX_ID gets an ACL entry rwx; both,
 * with default ACLs and another mode. */
br_decide decide_owner;
br_decide decide_acl;
br_decide decide_mixed;

/** u:BOX_ID:rwx added to what there is, as a system.posix_acl_* value; the number of bytes. */
size_t acl_blob(unsigned mode, uint32_t id, unsigned perm, unsigned char out[64]);

#endif
