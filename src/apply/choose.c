// Which run undo is to work on: by its ID, or the newest that is not undone; never one that a later
// one has to precede.

#include "run.h"

#include <base/own.h>

#include <errno.h>
#include <string.h>

static const struct br_span nowhere;

struct choice {
	struct br_arena *arena;
	const struct br_state *state;
	/** All runs, the newest first. */
	const char *const *ids;
	struct br_summary *chosen;
	struct br_diags *dx;
};

int br_run_unknown(const char *const *ids, const char *id, struct br_diags *dx) {
	const char *near = br_nearest(id, ids);
	(void)br_error(dx, nowhere, "there is no run '%s'", id);
	if (near != NULL) {
		br_hint(dx, "the nearest is %s", near);
	} else {
		br_hint(dx, "bindright history lists them");
	}
	return -1;
}

/** The one with this ID: 1, 0 it is undone, -1. */
static int choose_by_id(const struct choice *c, const char *id) {
	for (size_t i = 0; c->ids[i] != NULL; i++) {
		if (strcmp(id, c->ids[i]) != 0) {
			continue;
		}
		int r = br_summary_read(c->arena, c->state, id, c->chosen);
		if (r < 0) {
			return br_run_unseen(id, c->dx);
		}
		if (r > 0 && c->chosen->live) {
			return br_error(c->dx, nowhere, "another fix or undo works on run %s", id);
		}
		return r > 0 && c->chosen->run.state != BR_RUN_UNDONE;
	}
	return br_run_unknown(c->ids, id, c->dx);
}

/** The newest that is not undone. One of which only what was left alone remains comes after all
 * others. */
static int choose_newest(const struct choice *c) {
	struct br_summary s;
	bool found = false;
	for (size_t i = 0; c->ids[i] != NULL; i++) {
		int r = br_summary_read(c->arena, c->state, c->ids[i], &s);
		if (r < 0) {
			return br_run_unseen(c->ids[i], c->dx);
		}
		if (r == 0 || s.live || s.run.state == BR_RUN_UNDONE) {
			continue;
		}
		if (s.run.state != BR_RUN_PARTLY_UNDONE || s.pending) {
			*c->chosen = s;
			return 1;
		}
		if (!found) {
			*c->chosen = s;
			found = true;
		}
	}
	return found;
}

/** Some other run has to go first, or is worked on right there. */
static int refuse_overlap(const struct choice *c) {
	const struct br_summary *mine = c->chosen;
	bool newer = true;
	for (size_t i = 0; c->ids[i] != NULL; i++) {
		struct br_summary s;
		const struct br_target *where;
		if (strcmp(c->ids[i], mine->run.id) == 0) {
			newer = false;
			continue;
		}
		int r = br_summary_read(c->arena, c->state, c->ids[i], &s);
		if (r < 0) {
			return br_run_unseen(c->ids[i], c->dx);
		}
		if (r > 0 && br_refuse_live(mine->targets, mine->ntargets, &s, c->dx) < 0) {
			return -1;
		}
		bool counts = newer && r > 0
			&& (s.pending || s.run.state == BR_RUN_APPLIED
				|| s.run.state == BR_RUN_RESUMED);
		r = counts ? br_targets_overlap(
			    mine->targets, mine->ntargets, s.targets, s.ntargets, &where)
			   : 0;
		if (r < 0) {
			return br_run_unseen(c->ids[i], c->dx);
		}
		if (r > 0) {
			(void)br_error(c->dx, nowhere,
				"run %s came later and changed the same places", c->ids[i]);
			br_hint(c->dx, "bindright undo %s comes first", c->ids[i]);
			return -1;
		}
	}
	return 0;
}

int br_undo_choose(struct br_arena *arena, const struct br_state *state, const char *id,
	struct br_summary *out, struct br_diags *dx) {
	static const char *const none[] = {NULL};
	struct choice c = {.arena = arena, .state = state, .ids = none, .chosen = out, .dx = dx};
	if (state != NULL) {
		c.ids = br_state_runs(arena, state);
	}
	if (c.ids == NULL) {
		return br_error(
			dx, nowhere, "cannot list '%s/runs': %s", state->path, strerror(errno));
	}
	int r = id != NULL ? choose_by_id(&c, id) : choose_newest(&c);
	return r > 0 && refuse_overlap(&c) < 0 ? -1 : r;
}
