/** A walk that somebody else makes: he tells what he finds, and the check takes it for its own. */
#include "walk.h"

#include <stdlib.h>

/** The sums over one tree, as far as it was told. */
struct told_tree {
	/** NULL: nothing of it was told. */
	struct walk *walk;
};

struct br_told {
	struct check_work work;
	struct br_check_input input;
	struct br_check_options options;
	struct told_tree *trees;
	/** Something could not be seen: whoever sees it may see more. */
	bool doubtful;
};

struct br_told *br_told_new(const struct br_check_input *input,
	const struct br_check_options *options, struct br_diags *dx) {
	struct br_told *told = calloc(1, sizeof(*told));
	struct br_check *check = told ? check_new(input) : NULL;
	if (!check) {
		free(told);
		(void)br_error_memory(dx);
		return NULL;
	}
	told->input = *input;
	told->options = *options;
	if (check_begin(&told->work, check, &told->input, &told->options, dx)) {
		br_told_free(told);
		return NULL;
	}
	told->trees = BR_NEW_ARRAY(check->arena, struct told_tree, input->demands->ntrees);
	if (!told->trees) {
		(void)br_error_memory(dx);
		br_told_free(told);
		return NULL;
	}
	return told;
}

void br_told_free(struct br_told *told) {
	if (told) {
		if (told->work.mounts) {
			release_tallies(&told->work);
		}
		br_check_free(told->work.check);
		free(told);
	}
}

void br_told_freep(struct br_told **told) {
	br_told_free(*told);
	*told = NULL;
}

static struct told_tree *find(struct br_told *told, const struct br_tree *tree) {
	const struct br_demands *demands = told->input.demands;
	for (size_t i = 0; i < demands->ntrees; i++) {
		if (&demands->trees[i] == tree) {
			return &told->trees[i];
		}
	}
	return NULL;
}

int br_told_see(
	struct br_told *told, const struct br_tree *tree, const struct br_entry *entry) {
	struct told_tree *of = find(told, tree);
	if (!of || entry->event == BR_LEAVE) {
		return 0;
	}
	if (!of->walk) {
		of->walk = BR_NEW(told->work.check->arena, struct walk);
		if (!of->walk) {
			return br_error_memory(told->work.dx);
		}
		walk_begin(of->walk, &told->work, tree);
	}
	told->doubtful = told->doubtful || entry->err || (!entry->inode && !entry->mount_point);
	told->work.check->inodes += entry->inode != NULL;
	walk_see(of->walk, entry);
	return told->work.failed ? br_error_memory(told->work.dx) : 0;
}

/** What the walk of one mount left, without what other parts of the check put beside it. */
static void take_mount(struct mount_work *to, struct mount_work *from) {
	const struct br_mount_source *mount = to->result.mount;
	bool stopped = to->stopped;
	*to = *from;
	to->result.mount = mount;
	to->stopped = stopped;
	// The examples have moved.
	*from = (struct mount_work){.result.mount = from->result.mount};
}

/** The same demands, made anew, of the same tree. */
static bool is_same(const struct br_tree *a, const struct br_tree *b) {
	return a->n == b->n && a->root->state == BR_SOURCE_PRESENT && a->root->dev == b->root->dev
		&& a->root->ino == b->root->ino;
}

/** Whether everything that is mounted from this tree is there: what is missing is no matter of a walk. */
static bool is_whole(const struct br_demands *demands, const struct br_tree *tree) {
	for (size_t i = 0; i < demands->nmounts; i++) {
		if (demands->mounts[i].tree == tree
			&& demands->mounts[i].source->state != BR_SOURCE_PRESENT) {
			return false;
		}
	}
	return true;
}

bool take_told(struct check_work *work, size_t tree) {
	struct br_told *told = work->options->told;
	const struct br_demands *demands = work->input->demands;
	if (!told || told->doubtful || told->input.demands->ntrees != demands->ntrees
		|| told->input.demands->nmounts != demands->nmounts || !told->trees[tree].walk
		|| !is_same(&told->input.demands->trees[tree], &demands->trees[tree])
		|| !is_whole(demands, &demands->trees[tree])) {
		return false;
	}
	for (size_t i = 0; i < demands->nmounts; i++) {
		if (demands->mounts[i].tree == &demands->trees[tree] && demands->mounts[i].demand) {
			take_mount(&work->mounts[i], &told->work.mounts[i]);
		}
	}
	work->check->inodes += told->work.check->inodes;
	work->check->complete = work->check->complete && told->work.check->complete;
	told->trees[tree].walk = NULL;
	told->work.check->inodes = 0;
	return true;
}
