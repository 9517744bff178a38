/** The walk under construction: what its own scan and what another's words go through. */
#ifndef BR_CHECK_WALK_H
#define BR_CHECK_WALK_H

#include "check_impl.h"

/** The last verdict about a demand, and all that it rests on: most entries of a tree are like the
 * one before. */
struct last {
	bool set;
	const struct br_acl *acl;
	uint32_t mode, attrs, uid, gid;
	unsigned need;
	struct br_verdict verdict;
};

/** What one tree's walk needs, shared with the workers' predicates (constant while it runs). */
struct walk {
	struct check_work *work;
	const struct br_tree *tree;
	/** Demands that FUSE lets into nothing. */
	uint64_t shut;
	/** Demands that do not see the mounts below their source. */
	uint64_t hidden;
	/** With `only`: those of them below the root, from there on, a directory right before what
	 * is below it. */
	br_vec(const char *) listed;
	/** By demand index: where its sums go, and who asks the server; NULL: the modes decide. */
	struct mount_work *mounts[BR_DEMANDS_MAX];
	struct br_asker *askers[BR_DEMANDS_MAX];
	/** A server did not answer one of them. */
	bool silent;
	/** Somebody else tells, who may be where nothing else can be looked at: what would need
	 * that is only noted. */
	bool told;
	bool doubtful;
	/** By demand index; not for the predicates. */
	struct last last[BR_DEMANDS_MAX];
};

void walk_begin(struct walk *walk, struct check_work *work, const struct br_tree *tree);
/** One entry against every demand on it. Not BR_LEAVE. */
void walk_see(struct walk *walk, const struct br_entry *entry);

/* served.c */

/** Let the server decide about an inode that is not closed to the demand: the verdict is what the
 * modes say. */
void ask_server(struct walk *walk, const struct br_demand *demand, const struct br_entry *entry,
	unsigned need, struct br_verdict *verdict);

/* listed.c */

/** The listed paths that are this tree's. 0 or -1 with an error in dx. */
int listed_begin(struct walk *walk);
/** A path that is neither listed nor on the way to one that is. */
bool listed_skips(void *context, const char *path);

#endif
