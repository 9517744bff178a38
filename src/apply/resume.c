// Runs that were cut short: in whose way they are, and how another one goes on from there.
//
// What such a run did stands, and its journal stays: it can be undone as any other, after the one
// that went on. Only what it left between two states is put back before somebody plans again, for a
// plan would take that for what was there before.

#include "crew.h"
#include "run.h"

#include <base/own.h>

#include <errno.h>
#include <string.h>

static const struct br_span nowhere;

// ---- In the way ----

/** It announced something, and was cut short before it did any of that (or all is as before by
 * whatever other hand). */
static bool changed_nothing(struct br_work *work, const struct br_summary *s) {
	struct br_run run;
	struct br_undo_result undone;
	// More than two batches are not announced before some of it is done.
	if (s->run.state != BR_RUN_UNFINISHED || s->run.changes > 2 * (uint64_t)BR_PICKS) {
		return false;
	}
	struct br_diags *quiet = br_diags_new(br_diags_places(work->dx));
	int r = quiet == NULL
		? -1
		: br_undo(work->arena, s->run.id, true, work->options, &run, &undone, quiet);
	br_diags_free(quiet);
	return r > 0 && !undone.interrupted
		&& undone.restored + undone.removed + undone.conflicts + undone.failed == 0;
}

/** Whether it was in these places, or in none. 1, 0 or -1 with an error in dx. */
static int was_here(struct br_work *work, const struct br_summary *s) {
	const struct br_target *where;
	int r = s->ntargets == 0 ? 1
				 : br_targets_overlap(work->targets.v, work->targets.n, s->targets,
					 s->ntargets, &where);
	return r < 0 ? br_run_unseen(s->run.id, work->dx) : r;
}

/** What it left in other places is nobody's matter here but to be said: those may be gone for good.
 */
static int pass_by(struct br_work *work, const struct br_summary *s) {
	br_warning(
		work->dx, nowhere, "run %s was cut short in '%s'", s->run.id, s->targets[0]->real);
	br_hint(work->dx, "bindright undo %s puts back what it did", s->run.id);
	return 0;
}

/** Nothing can put back what it did: where it may have left something half done, that is to be
 * given up first. */
static int refuse_damaged(struct br_work *work, const struct br_summary *s) {
	int here = s->pending ? was_here(work, s) : 0;
	if (here < 0) {
		return -1;
	}
	if (here > 0) {
		(void)br_error(work->dx, nowhere,
			"run %s was cut short, and its journal cannot be used: %s", s->run.id,
			s->run.why);
	} else {
		br_warning(work->dx, nowhere, "the journal of run %s cannot be used: %s", s->run.id,
			s->run.why);
	}
	br_hint(work->dx, BR_GIVE_UP, s->run.id);
	return here > 0 ? -1 : 0;
}

static int refuse_run(struct br_work *work, const char *id) {
	struct br_summary s;
	int r = br_summary_read(work->arena, &work->state, id, &s);
	if (r <= 0) {
		return r < 0 ? br_run_unseen(id, work->dx) : 0;
	}
	if (s.live) {
		return br_refuse_live(work->targets.v, work->targets.n, &s, work->dx);
	}
	if (s.run.state == BR_RUN_DAMAGED) {
		return refuse_damaged(work, &s);
	}
	if (s.pending && br_machine_differs(s.machine)) {
		// A clone of a disk: undo would refuse it for ever.
		br_warning(work->dx, nowhere, "run %s was cut short on another machine", id);
		br_hint(work->dx, BR_GIVE_UP, id);
		return 0;
	}
	int here = s.pending ? was_here(work, &s) : 0;
	if (s.pending && here <= 0) {
		return here < 0 ? -1 : pass_by(work, &s);
	}
	if (!s.pending
		|| (changed_nothing(work, &s) && br_state_remove_run(&work->state, id) == 0)) {
		return 0;
	}
	(void)br_error(work->dx, nowhere, "run %s was cut short", id);
	br_hint(work->dx,
		"bindright undo %s puts back what it did; with --resume this goes on from there",
		id);
	return -1;
}

/** What another run left half done is undone first, and where another one works we do not. */
/** What it goes on from is still as it was when the plan was made: nobody has undone it since. */
static int check_resumed(struct br_work *work, const char *id) {
	struct br_summary s;
	int r = br_summary_read(work->arena, &work->state, id, &s);
	if (r < 0) {
		return br_run_unseen(id, work->dx);
	}
	if (r > 0 && !s.live && s.run.state == BR_RUN_RESUMED) {
		return 0;
	}
	(void)br_error(work->dx, nowhere, "run %s was undone while this was planned", id);
	br_hint(work->dx, "the same again makes a new plan");
	return -1;
}

int br_refuse_runs(struct br_work *work) {
	const char *const *ids = br_state_runs(work->arena, &work->state);
	if (ids == NULL) {
		return br_error(work->dx, nowhere, "cannot list '%s/runs': %s", work->state.path,
			strerror(errno));
	}
	for (; *ids != NULL; ids++) {
		if (refuse_run(work, *ids) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < work->options->nresumed; i++) {
		if (check_resumed(work, work->options->resumed[i]) < 0) {
			return -1;
		}
	}
	return 0;
}

// ---- Going on ----

/** Whether to go on from this one: 1, 0, -1 with an error in dx. Others are dealt with where the run
 * begins. */
static int may_go_on(struct br_work *work, const char *id, bool dry) {
	struct br_summary s;
	int r = br_summary_read(work->arena, &work->state, id, &s);
	if (r < 0) {
		return br_run_unseen(id, work->dx);
	}
	if (r == 0 || s.live || !s.pending || s.run.state == BR_RUN_DAMAGED
		|| br_machine_differs(s.machine)) {
		return 0;
	}
	r = was_here(work, &s);
	if (r <= 0 || !changed_nothing(work, &s)) {
		return r;
	}
	return dry || br_state_remove_run(&work->state, id) == 0 ? 0 : 1;
}

static int add_places(struct br_work *work, const struct br_plan *plan) {
	for (size_t i = 0; i < plan->nmakes; i++) {
		if (br_work_target(work, plan->makes[i].root) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < plan->ntrees; i++) {
		const struct br_source *root = plan->trees[i].tree->root;
		if (root->state == BR_SOURCE_PRESENT && br_work_target(work, root) < 0) {
			return -1;
		}
	}
	return 0;
}

/** The IDs of those to go on from, the newest first: out->ids. 0; -1 with an error in dx. */
static int find_runs(struct br_work *work, bool dry, struct br_resumed *out) {
	br_vec(const char *) found = {0};
	const char *const *ids = br_state_runs(work->arena, &work->state);
	if (ids == NULL) {
		return br_error(work->dx, nowhere, "cannot list '%s/runs': %s", work->state.path,
			strerror(errno));
	}
	for (; *ids != NULL; ids++) {
		int r = may_go_on(work, *ids, dry);
		if (r < 0) {
			return -1;
		}
		if (r > 0 && br_vec_push(work->arena, &found, *ids) < 0) {
			return br_error_memory(work->dx);
		}
	}
	out->ids = found.v;
	out->n = found.n;
	return 0;
}

static void add_result(struct br_undo_result *sum, const struct br_undo_result *one) {
	sum->restored += one->restored;
	sum->removed += one->removed;
	sum->same += one->same;
	sum->kept += one->kept;
	sum->conflicts += one->conflicts;
	sum->failed += one->failed;
	sum->interrupted = sum->interrupted || one->interrupted;
	for (size_t i = 0; i < one->nexamples && sum->nexamples < BR_EXAMPLES; i++) {
		sum->examples[sum->nexamples] = one->examples[i];
		sum->reasons[sum->nexamples++] = one->reasons[i];
	}
}

static int settle_all(struct br_work *work, bool dry, struct br_resumed *out) {
	for (size_t i = 0; i < out->n; i++) {
		struct br_run run;
		struct br_undo_result one;
		int r = br_settle(
			work->arena, out->ids[i], dry, work->options, &run, &one, work->dx);
		add_result(&out->result, &one);
		if (r < 0) {
			return -1;
		}
	}
	return (int)out->n;
}

// NOLINTNEXTLINE(readability-function-size): the header's parameters
int br_resume(struct br_arena *arena, const struct br_plan *plan,
	const struct br_apply_options *options, bool dry, struct br_resumed *out,
	struct br_diags *dx) {
	struct br_work work = {
		.arena = arena, .options = options, .dx = dx, .state = BR_STATE_NONE};
	*out = (struct br_resumed){0};
	int r = add_places(&work, plan);
	if (r == 0) {
		r = br_state_open(arena, &options->state, false, &work.state, dx);
	}
	if (r > 0) {
		r = !dry && br_state_lock(&work.state, dx) < 0 ? -1 : find_runs(&work, dry, out);
	}
	br_targets_release(work.targets.v, work.targets.n);
	// Each of them is locked again by itself.
	br_state_release(&work.state);
	return r < 0 ? -1 : settle_all(&work, dry, out);
}
