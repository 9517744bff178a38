/**
 * The facts of everything below a root, fetched by several threads, decided on by one.
 *
 * A pull iterator: workers list directories and read inodes; br_scan_next() hands out one entry
 * after the other in the caller's thread. A directory is entered before anything below it and left
 * after everything below it. Knows nothing of containers. Paths are never resolved from the top: a
 * directory is opened beneath its parent without following links (openat2), entries are read as
 * (dirfd, name). A mount point inside is told as such and not entered, nor even asked anything,
 * unless `cross` is set. Memory does not depend on the number of files: live directories and a
 * bounded queue.
 */
#ifndef BINDRIGHT_SCAN_H
#define BINDRIGHT_SCAN_H

#include <bindright/inode.h>

#include <stdatomic.h>

enum br_event {
	/** A directory, before its entries (also one that will not be descended into). */
	BR_ENTER,
	/** The same directory, after all its entries; the inode is the one that was read on
	 * entering. Only with options.leave. */
	BR_LEAVE,
	/** Anything else. */
	BR_LEAF,
};

/** How long a file system may keep one call: see may_hang. */
enum {
	BR_SCAN_SECONDS = 10,
};

/** One thing that the scan found. Valid until the next call. */
struct br_entry {
	enum br_event event;
	/** Below the root: "" is the root itself, else "a/b/c". Any bytes. */
	const char *path;
	size_t path_len;
	/** The last component; the root's is "". */
	const char *name;
	/** 0 for the root. */
	unsigned depth;
	/** The facts; NULL where err is set and nothing could be read. */
	const struct br_inode *inode;
	/** The inode of the directory that holds it; NULL for the root. */
	const struct br_inode *parent;
	/**
	 * errno of what could not be done: reading the inode (inode NULL); opening or listing the
	 * directory (on BR_ENTER, see br_scan_next); reading an attribute that was wanted (inode
	 * set, its BR_HAVE_* bit is not). ESTALE: another directory has come between. A listing
	 * that breaks off half-way is told by an additional BR_LEAF with the directory's path, no
	 * inode and the error.
	 */
	int err;
	/** A mount point that is not entered; its inode is not read (NULL). A directory comes as
	 * BR_ENTER (and BR_LEAVE), anything else as BR_LEAF. */
	bool mount_point;
	/**
	 * The caller's word for this directory: a copy of the parent's when it is entered, kept
	 * until it is left; entries of a directory see the directory's own. The caller may change
	 * it on ENTER.
	 */
	uint64_t *state;
};

/** A pure predicate that workers call: thread-safe, no I/O. */
typedef bool br_scan_ask(void *context, const char *path, const struct br_inode *inode);

struct br_scan_options {
	/** Worker threads; 0: one a core. */
	unsigned threads;
	/** Levels below the root that are looked at: 0 the root only. UINT_MAX: everything. */
	unsigned depth;
	/** While so many directories wait to be visited no further one is listed, which is
	 * EOVERFLOW; 0: more than any tree has. Nor is one opened that lies deeper than any does:
	 * ENAMETOOLONG. */
	unsigned waiting;
	/** Enter mount points. What lies on a read-only one has BR_READ_ONLY among its attributes. */
	bool cross;
	/** Give BR_LEAVE events. */
	bool leave;
	/** Whether this inode's access ACL (and the default ACL of a directory, and capabilities of
	 * a regular file with an x bit or all files where `want` says so) is wanted; NULL: `want`
	 * counts for all. */
	br_scan_ask *wants;
	/** `wants` answers the same for the same owner, group, mode and attributes, whatever the
	 * path: then it is not asked again and again, and its path is "". */
	bool wants_alike;
	/** Whether this entry is left out altogether, with what is below; NULL: nothing is. Not
	 * asked about the root. The inode is all zero where none was read (a mount point, an
	 * error). */
	br_scan_ask *excludes;
	/** Whether this name in a directory is not even looked at; thread-safe, no I/O. NULL: all
	 * are. Not asked about the root. */
	bool (*skips)(void *context, const char *path);
	void *context;
	/** BR_HAVE_* to read where `wants` says so. */
	unsigned want;
	/**
	 * The file system, or one that is mounted in it, may stop answering: it is walked in a
	 * process of its own. Where nothing comes for BR_SCAN_SECONDS, that is left behind, and the
	 * last entry is a BR_LEAF with ETIMEDOUT and the path of a directory that was on its way.
	 * The caller has no other threads that hold locks, and does not ignore SIGCHLD; what
	 * `wants` and `excludes` write is lost.
	 */
	bool may_hang;
	/**
	 * There may be automount points in it: none is triggered, whoever would have to be asked.
	 * That takes one more call a directory. One that nothing is mounted on is a mount point
	 * where those are not entered, and else EREMOTE. What is mounted below an indirect one is
	 * not entered either.
	 */
	bool automounts;
	/** Counted up before each entry that is read and each listing, for whoever watches over it;
	 * or NULL. */
	atomic_ulong *beat;
};

struct br_scan;

/**
 * Start below root_fd (an O_PATH descriptor of a directory or of a file; borrowed until the scan is
 * freed). `acls` interns what is read; only the caller's thread uses it. NULL with errno.
 */
struct br_scan *br_scan_new(
	int root_fd, struct br_acls *acls, const struct br_scan_options *options);
/**
 * The next entry: 1; 0 when all is done; -1 with errno only where the scan itself fails (no
 * memory), never for one entry. A directory that cannot be listed comes as ENTER with its inode and
 * err set (the walk knows that before it hands the directory out) and nothing below it. An entry
 * that vanished meanwhile is left out silently.
 */
int br_scan_next(struct br_scan *scan, const struct br_entry **entry);
void br_scan_free(struct br_scan *scan);
void br_scan_freep(struct br_scan **scan);

/**
 * What a scan told, kept in bounded memory for whoever has to go through a part of it again: every
 * directory as it was when it was listed, and of all entries those that were chosen. As long as
 * each directory is as it was, the names in the tree are those that were told. Not for two threads
 * at once.
 */
struct br_seen;

/** At most `limit` bytes, taken as they are needed. Made before the scan begins. NULL with errno. */
struct br_seen *br_seen_new(size_t limit);
void br_seen_free(struct br_seen *seen);
/**
 * The next entry of a scan of one directory without `cross`, BR_LEAVE left out. `chosen`: it will
 * be told again. What it has no room for, and what cannot be relied on later, ends it: something
 * that could not be read, a mount point, a change time that is not exact.
 */
void br_seen_add(struct br_seen *seen, const struct br_entry *entry, bool chosen);
/** It is of no use any more. */
void br_seen_end(struct br_seen *seen);
/** Whether it still holds everything. */
bool br_seen_whole(const struct br_seen *seen);
/** br_inode_quiet() of before the scan. */
struct br_time br_seen_quiet(const struct br_seen *seen);
/**
 * Look at each directory again: whether none has changed since it was listed. root_fd is that of the
 * scan, or the root of a clone of the same mount. False also where something cannot be looked at.
 */
bool br_seen_holds(const struct br_seen *seen, int root_fd);

/** One going through the chosen entries. */
struct br_again;
/**
 * As a scan of root_fd with `leave` would tell them, but that all directories are entered first,
 * then come all other entries, and then all directories are left. Of each entry it tells the path,
 * the event and the inode without its size; no parent. `seen` outlives it and is whole. NULL with
 * errno.
 */
struct br_again *br_again_new(const struct br_seen *seen, int root_fd);
/** 1 and the next entry, 0 at the end. */
int br_again_next(struct br_again *again, const struct br_entry **entry);
void br_again_free(struct br_again *again);
void br_again_freep(struct br_again **again);

#endif
