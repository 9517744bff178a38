/**
 * What the files of this module share, and the steps of a write one by one (for the tests).
 */
#ifndef BR_INODE_FACTS_H
#define BR_INODE_FACTS_H

#include <bindright/inode.h>

/** The extended attribute that keeps this fact (one of BR_HAVE_*), or NULL. */
const char *br_fact_attribute(unsigned which);
/** Whether an inode of this type can have it at all. */
bool br_fact_possible(uint32_t mode, unsigned which);
/** Equal contents; NULL equals NULL only. */
bool br_fact_same_acl(const struct br_acl *a, const struct br_acl *b);
bool br_fact_same_blob(const struct br_blob *a, const struct br_blob *b);

/**
 * Whether (dirfd, name) is on a file system that lists all its attributes and keeps exact change
 * times; `mount` is its br_inode_stat's. False where that cannot be told. For threads.
 */
bool br_fact_is_local(int dirfd, const char *name, uint64_t mount);

/** br_acl_encode of bare entries. */
void br_fact_encode(const struct br_acl_entry *entries, size_t n, void *out);

/** One system call of a write. */
enum br_step_kind {
	/** chmod. */
	BR_STEP_MODE,
	/**
	 * The access ACL, or the three entries that stand for none: sets the mode's 0777 with it.
	 */
	BR_STEP_ACL,
	/** chown. */
	BR_STEP_OWNER,
	BR_STEP_DEFAULT_ACL,
	BR_STEP_CAPS,
};

struct br_step {
	enum br_step_kind kind;
	/** The state that it leaves. */
	struct br_inode state;
};

/** The steps from before to after; the number. */
size_t br_steps_plan(const struct br_inode *before, const struct br_inode *after,
	struct br_step steps[BR_INODE_STEPS]);
/** Take one step on the object behind fd, from the state `now`. 0, or -1 with errno. */
int br_step_take(int fd, const struct br_inode *now, const struct br_step *step);

#endif
