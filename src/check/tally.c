/** What a walk counts of one mount for one kind of reason, with a few of their paths. */
#include "check_impl.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** A path of the tree as the mount has it: a finding names the mount's own source, which others may
 * lie around. "" is the source itself, or what stops it above. */
static const char *below_mount(const struct br_demand *demand, const char *path) {
	size_t n = strlen(demand->below);
	if (!br_path_within(path, demand->below)) {
		return "";
	}
	return n && path[n] == '/' ? path + n + 1 : path + n;
}

/**
 * Keep the paths that come first in the alphabet, whatever order threads and directories give them
 * in, with the facts of the very first. They lie on the heap until they are reported, since a later
 * one pushes an earlier one out.
 */
static void keep_example(struct check_work *work, struct tally *tally,
	const struct br_demand *demand, const struct br_entry *entry,
	const struct br_verdict *verdict) {
	const char *below = below_mount(demand, entry->path);
	size_t at = tally->nexamples;
	while (at > 0 && strcmp(below, tally->examples[at - 1]) < 0) {
		at--;
	}
	if (at == BR_EXAMPLES) {
		return;
	}
	char *path = strdup(below);
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

void count_in_tally(struct check_work *work, struct tally *tally, const struct br_demand *demand,
	const struct br_entry *entry, const struct br_verdict *verdict) {
	tally->count++;
	if (entry->inode) {
		tally->files += !S_ISDIR(entry->inode->mode);
		count_owner(tally, entry->inode->uid);
	}
	keep_example(work, tally, demand, entry, verdict);
}

void give_examples(struct check_work *work, struct br_finding *finding, const struct tally *tally) {
	finding->count = tally->count;
	finding->nexamples = tally->nexamples;
	for (size_t i = 0; i < tally->nexamples; i++) {
		finding->examples[i] = say(work, "%s", tally->examples[i]);
	}
}

void release_tallies(struct check_work *work) {
	for (size_t i = 0; i < work->input->demands->nmounts; i++) {
		struct mount_work *mw = &work->mounts[i];
		struct tally *all[] = {&mw->inside, &mw->protected, &mw->sticky, &mw->unseen,
			&mw->mount_points, &mw->frozen, &mw->exposed, &mw->ungiven};
		for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
			while (all[k]->nexamples > 0) {
				free(all[k]->examples[--all[k]->nexamples]);
			}
		}
	}
}
