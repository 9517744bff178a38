// Which inodes could have to be changed, remembered while they are seen: before anything is chosen,
// and so with all those to which something is missing. Whoever applies the plan goes through them
// instead of the whole tree.
#include "work.h"

#include <sys/stat.h>

void memory_begin(const struct br_plan *plan, struct tree_work *tree) {
	bool alone = true;
	for (size_t i = 0; i < tree->tree->n; i++) {
		// There an entry is judged by its directory, too.
		alone = alone && !tree->tree->demands[i].mount->overlay;
	}
	if (plan->options->remember > 0 && !plan->options->reclaim && alone) {
		tree->seen =
			br_seen_new(plan->options->remember / plan->work->input.demands->ntrees);
	}
}

// choose() can only answer CHANGE where this is true.
static bool may_change(
	const struct br_plan *plan, const struct tree_work *tree, const struct facts *facts) {
	struct people people;
	struct br_inode inode = facts_inode(facts);
	const struct people_at at = {&inode, NULL, facts->demands};
	if ((facts->flags & FACT_UNREAD) != 0) {
		return false;
	}
	people_find(plan, tree, &at, &people);
	return people.wanting > 0
		|| (S_ISDIR(facts->mode) && wants_future(plan, tree->tree, facts->demands));
}

void memory_add(struct br_plan *plan, struct tree_work *tree, const struct br_entry *entry,
	struct class *class) {
	plan->work->left_out = false;
	if (tree->seen == NULL || !br_seen_whole(tree->seen)) {
		return;
	}
	if (class != NULL && class->memory == MEMORY_UNKNOWN) {
		bool may = may_change(plan, tree, &class->facts);
		class->memory = may ? MEMORY_KEPT : MEMORY_NOT;
	}
	// Under another of its names it may be of another class.
	bool links =
		entry->inode != NULL && !S_ISDIR(entry->inode->mode) && entry->inode->nlink > 1;
	bool chosen = links || (class != NULL && class->memory == MEMORY_KEPT);
	if (class != NULL && S_ISDIR(class->facts.mode) && (class->facts.mode & S_ISVTX) != 0) {
		// Its owner decides about what is in it.
		br_seen_end(tree->seen);
	}
	br_seen_add(tree->seen, entry, chosen);
	plan->work->left_out = !chosen && br_seen_whole(tree->seen);
}

void memory_settle(struct tree_work *tree) {
	// What another container mounts is found on the way: before that, classes are others.
	bool whole = tree->seen != NULL && br_seen_whole(tree->seen) && tree->others.n == 0;
	for (size_t i = 0; whole && i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		whole = class->outcome.kind != OUTCOME_CHANGE || class->memory == MEMORY_KEPT;
	}
	if (!whole && tree->seen != NULL) {
		br_seen_end(tree->seen);
	}
}

bool br_plan_leaves_out(const struct br_plan *plan) {
	return plan->work->left_out;
}

const struct br_seen *br_plan_seen(const struct br_plan *plan, const struct br_tree *tree) {
	for (size_t i = 0; i < plan->work->ntrees; i++) {
		const struct tree_work *work = &plan->work->trees[i];
		if (work->tree == tree && work->seen != NULL && br_seen_whole(work->seen)
			&& !work->refused) {
			return work->seen;
		}
	}
	return NULL;
}
