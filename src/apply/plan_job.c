// The job of a plan.

#include "run.h"

/** What decide() is handed. */
struct of_plan {
	const struct br_plan *plan;
};

static int decide(void *context, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after) {
	const struct of_plan *of = context;
	return br_plan_decide(of->plan, tree, path, inode, after);
}

static bool is_refused(const struct br_plan *plan, const struct br_tree *tree) {
	for (size_t i = 0; i < plan->ntrees; i++) {
		if (plan->trees[i].tree == tree) {
			return plan->trees[i].refused;
		}
	}
	return false;
}

/** Makes of refused trees are left out. */
static int take_makes(struct br_arena *arena, const struct br_plan *plan, struct br_job *job) {
	struct br_make *makes = BR_NEW_ARRAY(arena, struct br_make, plan->nmakes);
	if (makes == NULL) {
		return -1;
	}
	for (size_t i = 0; i < plan->nmakes; i++) {
		if (!is_refused(plan, plan->makes[i].tree)) {
			makes[job->nmakes++] = plan->makes[i];
		}
	}
	job->makes = makes;
	return 0;
}

int br_apply_run(struct br_arena *arena, const struct br_plan *plan,
	const struct br_apply_options *options, struct br_apply_result *result,
	struct br_diags *dx) {
	const struct br_tree **trees = BR_NEW_ARRAY(arena, const struct br_tree *, plan->ntrees);
	struct of_plan of = {plan};
	struct br_job job = {
		.options = options,
		.acls = plan->acls,
		.trees = trees,
		.accounts = plan->accounts,
		.naccounts = plan->naccounts,
		.digest = plan->digest,
		.privileged = plan->options->privileged_files,
		.decide = decide,
		.context = &of,
	};
	*result = (struct br_apply_result){0};
	if (trees == NULL || take_makes(arena, plan, &job) < 0) {
		return br_error_memory(dx);
	}
	for (size_t i = 0; i < plan->ntrees; i++) {
		const struct br_tree_plan *t = &plan->trees[i];
		job.changes += t->refused ? 0 : t->changes;
		if (!t->refused && t->changes > 0 && t->tree->root->state == BR_SOURCE_PRESENT) {
			trees[job.ntrees++] = t->tree;
		}
	}
	// What one tree's changes or new directories do to another one was not seen.
	if (options->fresh && job.ntrees == 1 && job.nmakes == 0 && !options->cross) {
		job.seen = br_plan_seen(plan, trees[0]);
	}
	return br_apply_job(arena, &job, result, dx);
}
