/** The walk: every inode against every demand on it, summed up by mount. */
#include "check_impl.h"

#include <base/own.h>
#include <base/text.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** What one tree's walk needs, shared with the workers' predicates (constant while it runs). */
struct walk {
	struct check_work *work;
	const struct br_tree *tree;
	/** By demand index: where its sums go. */
	struct mount_work *mounts[BR_DEMANDS_MAX];
};

/** Whether the demand's root is this path or one above it. */
static bool is_below(const struct br_demand *demand, const char *path) {
	size_t n = strlen(demand->below);
	return n == 0
		|| (strncmp(path, demand->below, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

static bool is_root_of(const struct br_demand *demand, const char *path) {
	return strcmp(demand->below, path) == 0;
}

/** br_scan_ask: the ACL is read only where it can matter, or where the watcher will need it. */
static bool wants(void *context, const char *path, const struct br_inode *inode) {
	const struct walk *walk = context;
	const struct br_watch *watch = &walk->work->options->watch;
	if (watch->see && watch->all) {
		return true;
	}
	for (size_t i = 0; i < walk->tree->n; i++) {
		const struct br_demand *demand = &walk->tree->demands[i];
		unsigned need = is_below(demand, path) ? br_need_of(demand, inode) : 0;
		if (need == 0) {
			continue;
		}
		if (br_need_needs_acl(demand, inode)) {
			return true;
		}
		const struct br_cred *cred = &demand->identity->cred;
		if (br_access_needs_acl(inode, cred, need)) {
			return true;
		}
		if (watch->see && br_access_use(inode, cred, &(struct br_where){0}, need).missing) {
			return true;
		}
	}
	return false;
}

/** br_scan_ask: --exclude. */
static bool excludes(void *context, const char *path, const struct br_inode *inode) {
	const struct walk *walk = context;
	const char *const *globs = walk->work->options->excludes;
	(void)inode;
	for (size_t i = 0; globs && globs[i]; i++) {
		if (*path && br_glob(globs[i], path)) {
			return true;
		}
	}
	return false;
}

/**
 * Keep the paths that come first in the alphabet, whatever order threads and directories give them in, with the facts of the very first. They lie on the heap until they are reported,
 * since a later one pushes an earlier one out.
 */
static void keep_example(struct check_work *work, struct tally *tally, const struct br_entry *entry,
	const struct br_verdict *verdict) {
	size_t at = tally->nexamples;
	while (at > 0 && strcmp(entry->path, tally->examples[at - 1]) < 0) {
		at--;
	}
	if (at == BR_EXAMPLES) {
		return;
	}
	char *path = strdup(entry->path);
	if (!path) {
		work->failed = true;
		return;
	}
	if (tally->nexamples == BR_EXAMPLES) {
		free(tally->examples[--tally->nexamples]);
	}
	memmove(&tally->examples[at + 1], &tally->examples[at],
		(tally->nexamples - at) * sizeof(tally->examples[0]));
	tally->examples[at] = path;
	tally->nexamples++;
	if (at == 0 && entry->inode) {
		tally->first = *entry->inode;
		tally->verdict = *verdict;
	}
}

static void count_owner(struct tally *tally, br_hostid uid) {
	for (size_t i = 0; i < tally->nowners; i++) {
		if (tally->owners[i].uid.v == uid.v) {
			tally->owners[i].count++;
			return;
		}
	}
	if (tally->nowners < OWNERS) {
		tally->owners[tally->nowners].uid = uid;
		tally->owners[tally->nowners++].count = 1;
	}
}

static void add_to(struct check_work *work, struct tally *tally, const struct br_entry *entry,
	const struct br_verdict *verdict) {
	tally->count++;
	if (entry->inode) {
		tally->files += !S_ISDIR(entry->inode->mode);
		count_owner(tally, entry->inode->uid);
	}
	keep_example(work, tally, entry, verdict);
}

static void judge_sticky(struct walk *walk, const struct br_demand *demand, struct mount_work *mw,
	const struct br_entry *entry) {
	bool sticky = false;
	if (!entry->parent || !(entry->parent->mode & S_ISVTX) || is_root_of(demand, entry->path)
		|| !(demand->need.dir & BR_W)) {
		return;
	}
	const struct br_cred *cred = &demand->identity->cred;
	(void)br_access_delete(entry->parent, entry->inode, cred, &(struct br_where){0}, &sticky);
	if (sticky) {
		add_to(walk->work, &mw->sticky, entry, &(struct br_verdict){0});
	}
}

static void judge_root(struct mount_work *mw, const struct br_entry *entry, unsigned need,
	const struct br_verdict *verdict) {
	mw->result.root = *entry->inode;
	mw->result.need = need;
	mw->result.have = verdict->have & need;
	mw->result.verdict = *verdict;
}

/** One demand, one inode. */
static void judge(struct walk *walk, const struct br_demand *demand, const struct br_entry *entry) {
	struct mount_work *mw = walk->mounts[demand->index];
	const struct br_inode *inode = entry->inode;
	unsigned need = br_need_of(demand, inode);
	uint64_t bit = UINT64_C(1) << demand->index;
	mw->result.seen++;
	if (*entry->state & bit) {
		mw->closed++;
		mw->result.misfit++;
		return;
	}
	struct br_verdict verdict =
		br_access_use(inode, &demand->identity->cred, &(struct br_where){0}, need);
	bool by_attribute =
		verdict.rule == BR_RULE_IMMUTABLE || verdict.rule == BR_RULE_APPEND_ONLY;
	if (is_root_of(demand, entry->path)) {
		judge_root(mw, entry, need, &verdict);
	}
	mw->result.misfit += verdict.missing != 0;
	if (verdict.missing && by_attribute) {
		add_to(walk->work, &mw->protected, entry, &verdict);
	} else if (verdict.missing && !is_root_of(demand, entry->path)) {
		add_to(walk->work, &mw->inside, entry, &verdict);
	}
	judge_sticky(walk, demand, mw, entry);
	if (S_ISDIR(inode->mode) && !(verdict.have & BR_X)) {
		*entry->state |= bit;
	}
}

/** What could not be looked at counts for everybody whom it concerns. */
static void note_unseen(
	struct walk *walk, const struct br_demand *demand, const struct br_entry *entry) {
	struct mount_work *mw = walk->mounts[demand->index];
	struct tally *tally = entry->mount_point ? &mw->mount_points : &mw->unseen;
	mw->result.unseen++;
	mw->unseen_err = mw->unseen_err ? mw->unseen_err : entry->err;
	walk->work->check->complete = false;
	add_to(walk->work, tally, entry, &(struct br_verdict){0});
}

static void see(struct walk *walk, const struct br_entry *entry) {
	for (size_t i = 0; i < walk->tree->n; i++) {
		const struct br_demand *demand = &walk->tree->demands[i];
		if (!is_below(demand, entry->path)) {
			continue;
		}
		if (entry->inode) {
			judge(walk, demand, entry);
		}
		if (!entry->inode || entry->err) {
			note_unseen(walk, demand, entry);
		}
	}
}

static int pull(struct walk *walk, struct br_scan *scan) {
	struct check_work *work = walk->work;
	const struct br_watch *watch = &work->options->watch;
	const struct br_entry *entry;
	int more = 0;
	while (!work->stop && (more = br_scan_next(scan, &entry)) > 0) {
		work->check->inodes += entry->inode != NULL;
		see(walk, entry);
		if (watch->see && watch->see(watch->context, walk->tree, entry, work->dx)) {
			return -1;
		}
	}
	if (more < 0) {
		return br_error(work->dx, (struct br_span){0}, "cannot walk '%s': %s",
			walk->tree->path, strerror(errno));
	}
	return 0;
}

static int check_tree(struct check_work *work, const struct br_tree *tree) {
	const struct br_demands *demands = work->input->demands;
	struct walk walk = {.work = work, .tree = tree};
	for (size_t i = 0; i < demands->nmounts; i++) {
		if (demands->mounts[i].tree == tree && demands->mounts[i].demand) {
			walk.mounts[demands->mounts[i].demand->index] = &work->mounts[i];
		}
	}
	const char *silent =
		work->options->cross ? br_source_silent_mount(work->check->arena, tree->root) : NULL;
	if (silent) {
		return br_error(work->dx, (struct br_span){0},
			"cannot walk '%s': what is mounted at '%s' in it does not answer",
			tree->path, silent);
	}
	struct br_scan_options options = {
		.threads = work->options->threads,
		.depth = work->options->depth,
		.cross = work->options->cross,
		.wants = wants,
		.excludes = work->options->excludes ? excludes : NULL,
		.context = &walk,
		.want = BR_HAVE_ACL | work->options->watch.want,
	};
	br_auto(br_scan_freep) struct br_scan *scan =
		br_scan_new(tree->root->fd, work->input->acls, &options);
	if (!scan) {
		return br_error(work->dx, (struct br_span){0}, "cannot walk '%s': %s", tree->path,
			strerror(errno));
	}
	return pull(&walk, scan);
}

int check_trees(struct check_work *work) {
	const struct br_demands *demands = work->input->demands;
	for (size_t i = 0; i < demands->ntrees && !work->stop; i++) {
		if (demands->trees[i].root->state == BR_SOURCE_PRESENT
			&& check_tree(work, &demands->trees[i])) {
			return -1;
		}
	}
	return 0;
}
