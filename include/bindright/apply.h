/**
 * Making a plan true, and taking it back.
 *
 * A transaction: prepare (batch by batch: walk beneath the root, or go through what the plan saw of
 * it, decide by that, write both states to the journal, one fdatasync), commit (open again, compare
 * again, change, read back), finish (syncfs, COMMIT record). A change never exists without a
 * durable record of what was there before; undo puts back exactly those inodes that are still as
 * the fix (or its interruption) left them and reports the others. Commit and undo are one engine:
 * undo swaps the two states. Children are changed before their directory, and put back after it.
 * Runs in different places may go on at a time; where one works, or around or below it, another is
 * refused.
 */
#ifndef BINDRIGHT_APPLY_H
#define BINDRIGHT_APPLY_H

#include <bindright/plan.h>

#include <signal.h>

/** Room for a run's ID: "20261122T004200Z-" and eight hex digits. */
enum {
	BR_RUN_ID = 32,
};

/** Whether it looks like one. */
bool br_run_id_valid(const char *id);

/** Where journals are and who acts. */
struct br_state_dir {
	/** For tests and embedders; NULL: /var/lib/bindright for root, else .local/state/bindright
	 * in the caller's home (or XDG_STATE_HOME where that is his, in it). */
	const char *path;
	/** The caller's XDG_STATE_HOME or NULL; ignored for root. */
	const char *xdg_state_home;
};

/**
 * How the work is done. In a process of its own, it has no more than the trees and the journal: a
 * mount of its own for each tree, no path to anything else, no more capabilities and system calls
 * than it needs; and where a file system does not answer any more, it is left behind.
 */
enum br_jail {
	/** In the caller's process, with all that this one may do. */
	BR_JAIL_NONE,
	/** In one of its own; where this kernel, or this user, cannot have the mounts, without
	 * them: a note in dx says so. */
	BR_JAIL_TRY,
	/** Or not at all: then nothing is changed. */
	BR_JAIL_REQUIRE,
};

struct br_apply_options {
	struct br_state_dir state;
	/** Other than NONE: the caller has no other threads, and does not ignore SIGCHLD. */
	enum br_jail jail;
	/** What was read, for history: "compose.yaml". */
	const char *input;
	/** Who asked, for history: "alice" (SUDO_USER, else the caller). */
	const char *invoker;
	/** Set by a signal handler: finish the record in hand and stop. NULL: never. */
	const volatile sig_atomic_t *stop;
	/** Scan options of the walk. */
	unsigned threads;
	bool cross;
	/** br_inode_seals: what has security.evm by now is left alone. */
	bool seals;
	const char *const *excludes;
	/** As in the plan's options. */
	unsigned levels;
	/**
	 * The plan was made a moment ago, without any depth, for the same `cross` and `excludes`:
	 * where it remembers what it saw, and each directory is still as it was then, only that is
	 * gone through, and not the whole tree once more.
	 */
	bool fresh;
	/** The runs that this one goes on from, as br_resume told them; where one of them has been
	 * undone since, nothing begins. */
	const char *const *resumed;
	size_t nresumed;
	/** Called now and then with inodes done; may be NULL. */
	void (*progress)(void *context, uint64_t done);
	void *context;
	/**
	 * Told of each entry of a tree that is changed, or of those alone that the plan remembers
	 * (see `recalled` of the result): as it was read, or as it is about to become, BR_ENTER
	 * before what is in the directory. Where nothing conflicted or failed in the end, all of it
	 * was read back so. -1 (with an error in dx) ends the run. May be NULL.
	 */
	int (*see)(void *context, const struct br_tree *tree, const struct br_entry *entry);
	void *see_context;
};

/** What happened. Strings belong to the arena given. */
struct br_apply_result {
	char id[BR_RUN_ID];
	uint64_t changed;
	/** Changed meanwhile, moved, or no longer what was planned: left alone. */
	uint64_t conflicts;
	uint64_t failed;
	uint64_t made;
	uint64_t accounts;
	const char *examples[BR_EXAMPLES];
	/** One clause for each example: "owner is now 1007". */
	const char *reasons[BR_EXAMPLES];
	size_t nexamples;
	bool interrupted;
	/** What the plan remembers was gone through: of everything else `see` was told nothing. */
	bool recalled;
	/** The journal lies where a power cut may lose it (tmpfs), or NULL: one clause. */
	const char *weak;
	/** The options': to put back all, they are undone after this one, in this order. */
	const char *const *resumed;
	size_t nresumed;
};

/**
 * Apply a settled plan. 0 when all was done or conflicts were left alone (see the counts), -1 with
 * an error in dx where it failed or was interrupted; *result is filled in either case, and its id
 * is empty where nothing was journaled (so nothing was changed).
 */
int br_apply_run(struct br_arena *arena, const struct br_plan *plan,
	const struct br_apply_options *options, struct br_apply_result *result,
	struct br_diags *dx);

/** The state of a past run. */
enum br_run_state {
	BR_RUN_APPLIED,
	/** It was cut short: `undo` puts back what it did, br_resume lets another one go on. */
	BR_RUN_UNFINISHED,
	BR_RUN_UNDONE,
	/** An undo left conflicts, or was cut short. */
	BR_RUN_PARTLY_UNDONE,
	/** Its journal cannot be read or is not trusted. */
	BR_RUN_DAMAGED,
	/** It was cut short, and nothing is half done any more: what it did stands, and can be
	 * undone; the run that went on from there is another one. */
	BR_RUN_RESUMED,
};

/** One line of history. */
struct br_run {
	const char *id;
	/** Seconds since 1970. */
	int64_t when;
	br_hostid uid;
	const char *invoker;
	const char *input;
	/** The digest of the plan that it applied, as br_plan.digest, and the version of the
	 * program that did; NULL or "" where the journal does not say. */
	const char *plan;
	const char *version;
	/** Real paths of its targets. */
	const char *const *targets;
	size_t ntargets;
	uint64_t changes;
	uint64_t makes;
	uint64_t accounts;
	enum br_run_state state;
	/** DAMAGED: why. */
	const char *why;
};

const char *br_run_state_name(enum br_run_state state);

/** The caller's runs, newest first. No directory: no runs. 0, or -1 with an error in dx. */
int br_history(struct br_arena *arena, const struct br_state_dir *state, const struct br_run **runs,
	size_t *n, struct br_diags *dx);
/** How many runs root has that may still be undone (only their number can be seen by others; 0
 * where not even that). */
size_t br_history_of_root(void);
/** Remove journals of runs that ended more than `seconds` ago (never unfinished ones). Their
 * number, or -1. */
int br_history_prune(const struct br_state_dir *state, int64_t seconds, struct br_diags *dx);

/**
 * Remove the journal of the run with this ID, whatever became of it (damaged and unfinished ones
 * too): what it changed and is not undone then stays as it is. Refused where somebody works on it.
 * 0, or -1 with an error in dx.
 */
int br_history_drop(const struct br_state_dir *state, const char *id, struct br_diags *dx);

/** What an undo would do, or did. */
struct br_undo_result {
	uint64_t restored;
	/** Already as before; with br_resume, or as the run meant them. */
	uint64_t same;
	/** br_resume: inodes that stay as the run meant them. */
	uint64_t kept;
	uint64_t conflicts;
	uint64_t failed;
	uint64_t removed;
	const char *examples[BR_EXAMPLES];
	const char *reasons[BR_EXAMPLES];
	size_t nexamples;
	bool interrupted;
};

/**
 * Undo the run with this ID (NULL: the newest that is not undone and that nobody works on; one
 * whose last undo left nothing but conflicts only where there is no other). What an earlier undo
 * that came to its end put back is not looked at again. `dry`: only look. *run tells which. 1 done
 * (or shown), 0 nothing to undo, -1 with an error in dx (unknown ID with the nearest one, a newer
 * run overlaps it, a journal that is not trusted, failure).
 */
int br_undo(struct br_arena *arena, const char *id, bool dry,
	const struct br_apply_options *options, struct br_run *run, struct br_undo_result *result,
	struct br_diags *dx);

/** Runs that were cut short in a plan's places. Strings belong to the arena given. */
struct br_resumed {
	/** The newest first. */
	const char *const *ids;
	size_t n;
	/** restored and removed: what they left half done. conflicts: what somebody else has
	 * changed since, which is left alone. */
	struct br_undo_result result;
};

/**
 * Let another run go on where those that were cut short in the places of this plan ended: whatever
 * they left between two states is as before again, what they did stands, and they are in nobody's
 * way any more (BR_RUN_RESUMED); a plan made before this may be wrong then. `dry`: only look. How
 * many there were (out->n); -1 with an error in dx where one of them cannot be settled: a place of it
 * is not there, or something half done could not be put back.
 */
int br_resume(struct br_arena *arena, const struct br_plan *plan,
	const struct br_apply_options *options, bool dry, struct br_resumed *out,
	struct br_diags *dx);

#endif
