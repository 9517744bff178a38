/**
 * One run while it works: what apply, make, users and undo share.
 */
#ifndef BR_APPLY_RUN_H
#define BR_APPLY_RUN_H

#include "apart.h"
#include "object.h"
#include "state.h"

/** What becomes of an inode: br_plan_decide, or a test's own. 1 and *after, 0, 2 nobody was asked
 * about such a one, -1 with ENOMEM. */
typedef int br_decide(void *context, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after);

/** What is to be done. Everything is borrowed. */
struct br_job {
	const struct br_apply_options *options;
	struct br_acls *acls;
	/** Trees that are walked; PRESENT ones. */
	const struct br_tree *const *trees;
	size_t ntrees;
	const struct br_make *makes;
	size_t nmakes;
	const struct br_account *accounts;
	size_t naccounts;
	/** The plan's digest, for the journal; NULL where it is nobody's plan. */
	const char *digest;
	/** How many inodes will change, about. */
	uint64_t changes;
	/** Files with capabilities may be among them. */
	bool privileged;
	br_decide *decide;
	void *context;
	/** What the plan saw of the only tree, where that is enough; or NULL. */
	const struct br_seen *seen;
};

struct br_work {
	/** Of the results. */
	struct br_arena *arena;
	const struct br_job *job;
	const struct br_apply_options *options;
	struct br_acls *acls;
	struct br_diags *dx;
	struct br_state state;
	struct br_journal journal;
	int journal_fd;
	br_vec(struct br_target *) targets;
	struct br_apply_result *result;
	/** What the process that watches sees, and the way to ask it; NULL where this process does
	 * it all. */
	struct br_board *board;
	struct br_line *line;
	/** Something was announced. */
	bool journaled;
	bool interrupted;
	/** An error stands in dx. */
	bool failed;
	/** The journal cannot be written any more: nothing further may be done. */
	bool broken;
};

/** What a run that was cut short left half done is dealt with first, and where another one works we
 * do not begin: -1 with an error in dx. Needs the state's lock. */
int br_refuse_runs(struct br_work *work);
/** Add the source to the run's targets, once. -1 with an error in dx. */
int br_work_target(struct br_work *work, const struct br_source *source);

/** A run by its job: what br_apply_run does with a plan's. */
int br_apply_job(struct br_arena *arena, const struct br_job *job, struct br_apply_result *result,
	struct br_diags *dx);

/** Whether the caller wants it to stop; remembered. */
bool br_work_stops(struct br_work *work);
/** Something is about to be announced. */
void br_work_announces(struct br_work *work);
/** Append a record, sync it (and all before it). -1 with an error in dx, and work->broken. */
int br_work_add(struct br_work *work, struct br_record *record);
int br_work_sync(struct br_work *work);
/** Say, from errno, that the journal cannot be written, and remember it. -1. */
int br_work_broken(struct br_work *work);
/** Remember one that was left alone, with the reason. Not being able to is no failure. */
void br_few_add(struct br_arena *arena, struct br_few few, const struct br_target *target,
	const char *path, const char *why);
/** All arrays of a result. */
struct br_few br_few_of(struct br_apply_result *result);
/** This was changed, and lies on another file system than the target does, with this number. 0 or
 * -1 with ENOMEM. */
int br_target_met(struct br_arena *arena, struct br_target *target, uint64_t dev, const char *path);
/** Make what was done below the target durable, also on the other file systems that were met. 0 or
 * -1 with errno. */
int br_target_sync(struct br_board *board, const struct br_target *target);
void br_targets_release(struct br_target *const *targets, size_t n);
/** Whether the same error would come again and again below this target. */
bool br_error_stops(int err);

/** Walk a tree and change what the job decides. -1 with an error in dx; a stop, or a target that
 * stopped, is 0. */
int br_walk_tree(struct br_work *work, const struct br_tree *tree, struct br_target *target);

/** Make the job's directories. `targets`: one for each of them. */
int br_make_all(struct br_work *work, struct br_target *const *targets);
/** What a MKDIR record and its MKDIR_DONE say about a directory. */
struct br_made {
	const struct br_target *target;
	const char *path;
	const char *temporary;
	/** NULL: its making may not even have begun. */
	const struct br_inode *identity;
	struct br_bytes handle;
	/** Only where it does not have its name yet. */
	bool half;
	/** Entries that do not count: those that a dry run would have removed. */
	size_t ignore;
};
/** Remove a directory that was made, if it is still that one and empty. `kept` where it has its name
 * and may keep it. */
void br_made_remove(
	struct br_way *way, const struct br_made *made, bool dry, struct br_answer_of *out);

/** Make the job's groups and users. */
int br_accounts_make(struct br_work *work);
/** For the process apart: what it may ask for, by the account's number in the job. */
enum {
	BR_ASK_ACCOUNT_FREE = 1,
	BR_ASK_ACCOUNT_MAKE,
	/** These by the number of its record in the journal. */
	BR_ASK_ACCOUNT_THERE,
	BR_ASK_ACCOUNT_REMOVE,
};
void br_account_serve(
	const struct br_job *job, unsigned what, uint64_t which, struct br_served *out);
/** An account that was made: from its records. */
struct br_made_account {
	bool is_group;
	const char *name;
	uint32_t id;
	/** Of a user, its group. */
	uint32_t gid;
	/** Its line as it was made. */
	struct br_bytes line;
};
/**
 * Remove an account, if its line is still as we made it, nobody put it to use and nothing runs as
 * it. `group`: the one of a user's name that was made with it, or NULL.
 */
void br_account_remove(const struct br_made_account *account, const struct br_made_account *group,
	bool dry, struct br_answer_of *out);
/** One line of /etc/passwd or /etc/group by name, without its newline: 1, 0, -1 with errno. Heap,
 * the caller frees. */
int br_account_line(bool is_group, const char *name, char **line);

/** The hint where a journal is of no use, with the run's ID. */
#define BR_GIVE_UP \
	"bindright history --prune %s drops it, and nothing can put back then what it did"

/** What a journal says about its run. */
struct br_summary {
	struct br_run run;
	/** Targets' identities and paths; their descriptors are -1. */
	struct br_target **targets;
	size_t ntargets;
	uint64_t machine;
	bool cross;
	/** It says that it changed nothing with setuid, setgid or capabilities. */
	bool plain;
	/** Somebody works on it now: only its targets are known. */
	bool live;
	/** It was cut short, or its undo was, or (damaged) nobody can tell: something may be
	 * between two states. */
	bool pending;
	/** Seconds since 1970; 0: not ended. */
	uint64_t ended;
};
/**
 * Read what a run's journal says: 1; 0 where there is none, or one that announced nothing; -1 with
 * a shortage of ours in errno. A journal that cannot be used is BR_RUN_DAMAGED, with the reason. Of
 * a run that ended in an orderly way only the ends are looked at.
 */
int br_summary_read(struct br_arena *arena, const struct br_state *state, const char *id,
	struct br_summary *out);
/** Say, from errno, that it cannot be told what there is to a run. -1. */
int br_run_unseen(const char *id, struct br_diags *dx);
/** Lock a run's journal (-1 with errno: EAGAIN where somebody else has it); unlock it; whether
 * somebody has. */
int br_run_lock(int fd);
void br_run_unlock(int fd);
bool br_run_is_live(int fd);
/** The first of `b` that is one of `a`, or lies in one, or has one in it, by whatever paths: 1; 0;
 * -1 with a shortage of ours in errno. */
int br_targets_overlap(struct br_target *const *a, size_t an, struct br_target *const *b, size_t bn,
	const struct br_target **which);
/** -1 with an error in dx where the other run is worked on in one of these places, or nobody can
 * tell where. */
int br_refuse_live(struct br_target *const *targets, size_t n, const struct br_summary *other,
	struct br_diags *dx);
/**
 * The run that undo works on: that with this ID, or the newest that is not undone (NULL). `state`
 * NULL: there are none. 1 and *out, 0 there is nothing to undo, -1 with an error in dx: it is
 * unknown, is worked on, or a later one comes first.
 */
int br_undo_choose(struct br_arena *arena, const struct br_state *state, const char *id,
	struct br_summary *out, struct br_diags *dx);
/** Put back what this run, which was cut short, left half done: br_undo otherwise. 0 where it is not
 * one that was cut short. */
int br_settle(struct br_arena *arena, const char *id, bool dry,
	const struct br_apply_options *options, struct br_run *run, struct br_undo_result *result,
	struct br_diags *dx);
/** Say that there is no such run, and which of these (up to NULL) is meant. -1. */
int br_run_unknown(const char *const *ids, const char *id, struct br_diags *dx);
/** A number for this machine, from its machine-id; 0 where there is none. */
uint64_t br_machine(void);
/** Whether that is the number of another machine; false where either is not known. */
bool br_machine_differs(uint64_t machine);
/** How many runs can still be undone; published for other users. */
void br_history_publish(const struct br_state *state);

#endif
