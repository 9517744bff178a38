/**
 * Where journals are: a private directory that nobody else could have prepared, its lock and its
 * runs.
 *
 *   STATE/lock               held while a run is chosen or begun
 *   STATE/undoable           how many runs may still be undone, for other users to see
 *   STATE/runs/ID/journal    locked while somebody works on that run
 */
#ifndef BR_APPLY_STATE_H
#define BR_APPLY_STATE_H

#include <base/mem.h>
#include <bindright/apply.h>

struct br_state {
	/** The directory as people know it. */
	const char *path;
	/** O_PATH: STATE and STATE/runs. */
	int fd;
	int runs;
	/** STATE/lock, locked; or -1. */
	int lock;
	/** A power cut may lose what is written here: one clause, or NULL. */
	const char *weak;
};

#define BR_STATE_NONE \
	{ .fd = -1, .runs = -1, .lock = -1 }

/**
 * Open it by a strict walk from the root, and make it where `create`. 1; 0 where there is none
 * (only without `create`); -1 with an error in dx, also where it cannot be trusted.
 */
int br_state_open(struct br_arena *arena, const struct br_state_dir *dir, bool create,
	struct br_state *out, struct br_diags *dx);
void br_state_release(struct br_state *state);
/** Lock it. Whoever has it needs it for a moment only: it is waited for, but not for ever. -1 with
 * an error in dx. */
int br_state_lock(struct br_state *state, struct br_diags *dx);
void br_state_unlock(struct br_state *state);

/** Whether this is the ID of a run. */
/** Make a new run; its journal (read and write, empty, not yet synced into its directories) is *fd.
 * -1 with an error in dx. */
int br_state_new_run(struct br_state *state, char id[BR_RUN_ID], int *fd, struct br_diags *dx);
/** Make the run's directories durable. -1 with errno. */
int br_state_sync_run(const struct br_state *state, const char *id);
/** Whether this errno says something about us, and nothing about what was asked for. */
bool br_is_shortage(int err);
/** Open a run's journal if it can be trusted: 1; 0 where there is none; -1 with *why in one clause,
 * or with NULL and an errno that is a shortage. */
int br_state_open_run(const struct br_state *state, const char *id, int *fd, const char **why);
/** Remove a run. 0 or -1 with errno. */
int br_state_remove_run(const struct br_state *state, const char *id);
/** The IDs of all runs, newest first; NULL at the end. NULL with errno. */
const char *const *br_state_runs(struct br_arena *arena, const struct br_state *state);

/** Publish how many runs may still be undone. Not being able to is no failure. */
void br_state_publish(const struct br_state *state, size_t n);

#endif
