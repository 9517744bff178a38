/**
 * A walk that somebody else makes: he tells what he finds, and the check takes it for its own, as
 * far as all is well. He may be another process, forked off: the sums lie where both see them. Only
 * numbers count here, no pointer of his.
 */
#include "walk.h"

#include <base/own.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/** What was told of one tree. */
struct told_tree {
	uint64_t inodes;
	/** Something could not be seen: whoever looks himself may see more. */
	bool doubtful;
};

struct br_told {
	struct check_work work;
	struct br_check_input input;
	struct br_check_options options;
	/** What both see: one for each mount of the demands, and one for each tree. */
	void *board;
	size_t size;
	struct mount_work *mounts;
	struct told_tree *trees;
	/** One for each tree; NULL: nothing of it was told in this process. */
	struct walk **walks;
};

static void *new_board(size_t size, bool shared) {
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		(shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

static int begin(struct br_told *told, bool shared, struct br_diags *dx) {
	const struct br_demands *demands = told->input.demands;
	struct br_check *check = check_new(&told->input);
	if (!check) {
		return br_error_memory(dx);
	}
	if (check_begin(&told->work, check, &told->input, &told->options, dx)) {
		return -1;
	}
	told->size = demands->nmounts * sizeof(told->mounts[0])
		+ (demands->ntrees + 1) * sizeof(told->trees[0]);
	told->board = new_board(told->size, shared);
	told->walks = BR_NEW_ARRAY(check->arena, struct walk *, demands->ntrees);
	if (!told->board || !told->walks || !told->work.mounts) {
		return br_error_memory(dx);
	}
	told->mounts = told->board;
	told->trees = (struct told_tree *)(void *)(told->mounts + demands->nmounts);
	for (size_t i = 0; i < demands->nmounts; i++) {
		told->mounts[i] = told->work.mounts[i];
	}
	told->work.mounts = told->mounts;
	return 0;
}

struct br_told *br_told_new(const struct br_check_input *input,
	const struct br_check_options *options, bool shared, struct br_diags *dx) {
	struct br_told *told = calloc(1, sizeof(*told));
	if (!told) {
		(void)br_error_memory(dx);
		return NULL;
	}
	told->input = *input;
	told->options = *options;
	if (begin(told, shared, dx)) {
		br_told_free(told);
		return NULL;
	}
	return told;
}

/** Whether somebody told in this process: then the examples are its own. */
static bool is_ours(const struct br_told *told) {
	for (size_t i = 0; told->walks && i < told->input.demands->ntrees; i++) {
		if (told->walks[i]) {
			return true;
		}
	}
	return false;
}

void br_told_free(struct br_told *told) {
	if (!told) {
		return;
	}
	if (is_ours(told)) {
		release_tallies(&told->work);
	}
	if (told->board) {
		(void)munmap(told->board, told->size); // It was mapped like that.
	}
	br_check_free(told->work.check);
	free(told);
}

void br_told_freep(struct br_told **told) {
	br_told_free(*told);
	*told = NULL;
}

/** The number of a tree; ntrees: it is none of ours. */
static size_t number_of(const struct br_told *told, const struct br_tree *tree) {
	const struct br_demands *demands = told->input.demands;
	size_t i = 0;
	while (i < demands->ntrees && &demands->trees[i] != tree) {
		i++;
	}
	return i;
}

int br_told_see(struct br_told *told, const struct br_tree *tree, const struct br_entry *entry) {
	size_t i = number_of(told, tree);
	if (i == told->input.demands->ntrees || entry->event == BR_LEAVE) {
		return 0;
	}
	if (!told->walks[i]) {
		told->walks[i] = BR_NEW(told->work.check->arena, struct walk);
		if (!told->walks[i]) {
			return br_error_memory(told->work.dx);
		}
		walk_begin(told->walks[i], &told->work, tree);
		told->walks[i]->told = true;
	}
	struct told_tree *sums = &told->trees[i];
	sums->doubtful = sums->doubtful || entry->err || !entry->inode;
	sums->inodes += entry->inode != NULL;
	walk_see(told->walks[i], entry);
	sums->doubtful = sums->doubtful || told->walks[i]->doubtful;
	return told->work.failed ? br_error_memory(told->work.dx) : 0;
}

/** Nothing was found in it. */
static bool is_clean(const struct mount_work *mw) {
	return mw->result.misfit == 0 && mw->result.unseen == 0 && mw->closed == 0
		&& mw->inside.count == 0 && mw->protected.count == 0 && mw->sticky.count == 0
		&& mw->ungiven.count == 0 && mw->unseen.count == 0 && mw->mount_points.count == 0
		&& mw->frozen.count == 0 && mw->exposed.count == 0;
}

/** The same demands, made anew, of the same tree; and each of the tree as a whole. */
static bool is_same(const struct br_demands *then, const struct br_demands *now, size_t tree) {
	const struct br_tree *a = &then->trees[tree];
	const struct br_tree *b = &now->trees[tree];
	if (then->ntrees != now->ntrees || then->nmounts != now->nmounts || a->n != b->n
		|| a->root->dev != b->root->dev || a->root->ino != b->root->ino) {
		return false;
	}
	for (size_t i = 0; i < now->nmounts; i++) {
		const struct br_mount_source *ms = &now->mounts[i];
		if (ms->tree == b
			&& (ms->source->state != BR_SOURCE_PRESENT
				|| (ms->demand && *ms->demand->below))) {
			return false;
		}
	}
	return true;
}

/** The sums of what was told beside what was seen of the root. */
static void add_sums(struct mount_work *to, const struct mount_work *from) {
	to->result.seen += from->result.seen;
	to->files += from->files;
	to->writable += from->writable;
	to->worse += from->worse;
}

/** Whether nothing is mounted in it: what was mounted while it was told covers what was seen. */
static bool is_bare(const struct br_tree *tree) {
	br_auto(br_mounts_freep) struct br_mounts *mounts = br_mounts_read();
	return mounts && br_mounts_below(mounts, tree->root->real, NULL, NULL) == 0;
}

/** Whether all that was told of this tree is well. */
static bool is_well(const struct br_told *told, const struct br_demands *demands, size_t tree) {
	if (!is_same(told->input.demands, demands, tree) || told->trees[tree].doubtful) {
		return false;
	}
	for (size_t i = 0; i < demands->nmounts; i++) {
		const struct br_mount_source *ms = &demands->mounts[i];
		if (ms->tree == &demands->trees[tree] && ms->demand
			&& !is_clean(&told->mounts[i])) {
			return false;
		}
	}
	return true;
}

static uint64_t seen_of(const struct br_told *told, size_t mount) {
	return told ? told->mounts[mount].result.seen : 0;
}

bool can_take(const struct check_work *work, size_t tree) {
	const struct br_told *told = work->options->told;
	const struct br_told *rest = work->options->rest;
	const struct br_demands *demands = work->input->demands;
	if (!told || !is_well(told, demands, tree) || told->trees[tree].inodes == 0
		|| (rest && !is_well(rest, demands, tree)) || !is_bare(&demands->trees[tree])) {
		return false;
	}
	for (size_t i = 0; i < demands->nmounts; i++) {
		const struct br_mount_source *ms = &demands->mounts[i];
		// Whoever told had modes to go by, and here a server decides.
		if (ms->tree == &demands->trees[tree] && ms->demand && is_asked(ms)) {
			return false;
		}
		if (ms->tree == &demands->trees[tree] && ms->demand
			&& seen_of(told, i) + seen_of(rest, i) == 0) {
			return false;
		}
	}
	return true;
}

/** The root was counted by whoever walks, too. */
void take_told(struct check_work *work, size_t tree) {
	const struct br_told *parts[] = {work->options->told, work->options->rest};
	const struct br_demands *demands = work->input->demands;
	uint64_t inodes = 0;
	for (size_t i = 0; i < demands->nmounts; i++) {
		const struct br_mount_source *ms = &demands->mounts[i];
		if (ms->tree != &demands->trees[tree] || !ms->demand) {
			continue;
		}
		work->mounts[i].result.seen = 0;
		work->mounts[i].files = 0;
		work->mounts[i].writable = 0;
		work->mounts[i].worse = 0;
		for (size_t k = 0; k < 2 && parts[k]; k++) {
			add_sums(&work->mounts[i], &parts[k]->mounts[i]);
		}
	}
	for (size_t k = 0; k < 2 && parts[k]; k++) {
		inodes += parts[k]->trees[tree].inodes;
	}
	work->check->inodes += inodes - 1;
}
