/**
 * One object below a pinned root: found again, compared, changed, compared again. Everything that
 * changes an existing inode is in here.
 */
#ifndef BR_APPLY_OBJECT_H
#define BR_APPLY_OBJECT_H

#include "journal.h"

#include <base/mem.h>

enum {
	BR_HAVE_ALL = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS,
	/** The states that a change and its undoing, each cut short any number of times, can leave
	 * behind. */
	BR_STATES_MAX = 48,
	BR_HANDLE_MAX = 160,
};

/** A file system that was met below a target: the number that its device had, and its br_disk_id. */
struct br_disk {
	uint64_t dev;
	uint64_t id;
};

/** Something on a file system: the number of its device, and its path below the target. */
struct br_elsewhere {
	uint64_t dev;
	const char *path;
};

/** A root beneath which objects are named. */
struct br_target {
	/** Its number in the journal. */
	uint32_t number;
	/** O_PATH. In the jail it is that of a clone; `source` is what it was planned with. */
	int fd;
	int source;
	bool owns_fd;
	/** Its path as people know it. */
	const char *real;
	/** Its file system's; NULL in one that was read from a journal. */
	const char *type;
	/** What it is now. */
	struct br_inode root;
	/** Its device number when the journal was written, and its file system's ID: a reboot may
	 * change the former. */
	uint64_t dev_then;
	uint64_t fsid;
	/** The others below it, in one that was read from a journal: mounted in it, or parts of it
	 * with a number of their own (subvolumes). */
	br_vec(struct br_disk) disks;
	/** Those of which something was changed. */
	br_vec(struct br_elsewhere) elsewhere;
	/** An overlay: what is changed there is copied to another layer, and gets another birth
	 * time. */
	bool copies_up;
	/** Calls to it, or to what is mounted in it, may wait for somebody else's program or
	 * machine. */
	bool remote;
	/** In the jail: what is covered by a mount elsewhere, as paths below it and a NULL; or
	 * NULL. Nobody is to get there. */
	const char *const *covered;
	/** Nothing more is done here, because of this errno. */
	int stopped;
	uint64_t changed;
};

/** Look at t->fd: t->root, t->copies_up, and t->fsid (0 where there is none). Guarded where
 * t->remote. 0; -1 with errno (ETIMEDOUT), and nothing is set. */
int br_target_look(struct br_target *t);
/** The ID of the file system that had this device number below the target when the journal was
 * written; 0: not known. */
uint64_t br_target_disk(const struct br_target *t, uint64_t dev);
/**
 * An ID of the file system of fd (O_PATH will do) that stays when its device gets another number; 0
 * where there is none, or it cannot be told. Not asked of anything but fd and, where that is no
 * directory, of `dir`, the directory that it lies in (-1: of nothing).
 */
uint64_t br_disk_id(int fd, int dir);

/** Whether it is a mount point outside of the jail, or lies below one. */
bool br_target_covers(const struct br_target *t, const char *path);

/** The directory that was last used, held while its entries are: never across a sync. */
struct br_way {
	bool cross;
	const struct br_target *target;
	struct br_buf dir;
	int fd;
	/** The file system that was last asked for its ID. */
	struct br_disk disk;
};

#define BR_WAY_NONE(crosses) \
	{ .cross = (crosses), .fd = -1 }
void br_way_release(struct br_way *way);

/** The directory of `path` (borrowed descriptor) and the last component; a root is (its own
 * descriptor, ""). -1 with errno. */
int br_way_to(
	struct br_way *way, const struct br_target *target, const char *path, const char **name);
/** The object itself, O_PATH (the caller closes). -1 with errno. */
int br_object_open(struct br_way *way, const struct br_target *target, const char *path);

/** What became of an object. */
enum br_outcome {
	BR_CHANGED,
	/** It was as wished already. */
	BR_SAME,
	/** It is not what was expected: left alone. */
	BR_CONFLICT,
	BR_FAILED,
};

/** A wish: bring this object to `goal` if it is the one expected and in one of these states. */
struct br_wish {
	const struct br_target *target;
	const char *path;
	/** Identity, and the state that is named where it differs. */
	const struct br_inode *expect;
	/** File handle where the file system has no birth times; {0}: not compared. */
	struct br_bytes handle;
	const struct br_inode *goal;
	const struct br_inode *states;
	size_t nstates;
	/** The number of links of a file must be as expected. */
	bool links;
	/** What was in a file that may have its special rights back (BR_CONTENTS bytes); NULL: not
	 * known, so it does without. */
	const unsigned char *contents;
	/** Special rights come back only together with those contents. */
	bool guarded;
	/** br_inode_quiet of the time before `expect` was read from the object; {0}: it was not. */
	struct br_time quiet;
	/** A file with security.evm is left alone. */
	bool seals;
	/** A state in which it may stay as well (SAME); NULL: none. */
	const struct br_inode *keep;
	/** Look, do not touch. */
	bool dry;
};

struct br_answer_of {
	enum br_outcome outcome;
	int err;
	/** SAME: it is in the state in which it may stay. */
	bool kept;
	/** It was in one of the states, and neither at its goal nor where it may stay. */
	bool between;
	/** FAILED: it is not as it was before. */
	bool touched;
	/** One clause; CONFLICT and FAILED. */
	char why[160];
};

void br_object_bring(struct br_way *way, struct br_acls *acls, const struct br_wish *wish,
	struct br_answer_of *out);
/** Whether this is the object that was expected, on a target whose device number may have changed. */
bool br_object_same(
	const struct br_target *target, const struct br_inode *expect, const struct br_inode *now);
/** One clause about the first thing that differs. */
void br_object_differs(const struct br_inode *expect, const struct br_inode *now, char out[160]);
/** The words for an errno of finding an object again. True where it means that the tree changed. */
bool br_object_lost(int err, char out[160]);
/** The file handle of (dirfd, name) if the file system has no birth times: {0} where there is none.
 */
struct br_bytes br_object_handle(
	int dirfd, const char *name, const struct br_inode *in, char room[BR_HANDLE_MAX]);

/** All states that can be found between the two, `after` among them, `before` not. */
size_t br_object_states(const struct br_inode *before, const struct br_inode *after,
	struct br_inode states[BR_STATES_MAX]);

#endif
