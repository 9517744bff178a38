/*
 * The private half of the scan: what workers and owner share.
 *
 *   queue of the pool          worker                        results of the pool      owner
 *   lists of directories  -->  open, list, read, write  -->  batches of records  -->  br_scan_next
 *          ^------ half of its list, to a worker that idles
 *
 * A job is a list of directories. A worker keeps what it finds in a list of its own, deepest first,
 * and gives half of it away only when somebody waits; so the common directory of seven files costs
 * neither a lock nor a result of its own. A directory that fills a whole listing buffer is put back
 * into the queue while the buffer is worked on, so that a directory of a million files is shared
 * too.
 *
 * Order. Results arrive in the order of posting. A worker posts its batch before it gives anything
 * away; so BR_ENTER of a directory stands before everything of it, whoever writes it. References
 * give the other end: the turn of a worker on a directory holds one, each directory below holds
 * one, and the owner alone lets go of them as it reads RECORD_DONE; the last one is BR_LEAVE.
 */
#ifndef BR_SCAN_WALK_H
#define BR_SCAN_WALK_H

#include <base/pool.h>
#include <bindright/scan.h>

#include <stdatomic.h>

enum {
	/** Room for one reading of a directory. */
	LISTING_BYTES = 32 << 10,
	/** A batch; some 370 files. */
	BATCH_BYTES = 64 << 10,
	/** Batches that wait for the owner; 4 MiB. */
	BATCHES = 64,
	/** Directories held open, at most (and a few for the workers). */
	OPEN_DIRECTORIES = 256,
	/** More than any tree has, so that a file system that makes directories up as it is asked
	 * for does not get all memory: none is entered that lies deeper, none listed while so many
	 * wait. */
	PATH_LONGEST = 2 << 20,
	DEPTH_MOST = 16 << 10,
	WAITING_MOST = 4 << 20,
	/** Kinds of attributes: ACL, default ACL, capabilities. */
	ATTRIBUTES = 3,
};

/** What the owner keeps of a directory between BR_ENTER and BR_LEAVE. */
struct facts {
	struct br_inode inode;
	bool has_inode;
	bool mount_point;
	uint64_t state;
};

/** A directory, or what the listing of its parent took for one. */
struct node {
	/** In a list of work; it is in one at most. */
	struct node *next;
	/** Referenced; NULL for the root. */
	struct node *parent;
	/** The owner's; NULL before BR_ENTER. */
	struct facts *facts;
	/** Identity, once opened. */
	uint64_t dev, ino;
	/** Where it is mounted, once its facts are known. */
	uint64_t mount;
	atomic_uint refs;
	/** Users of fd; the last one closes it. */
	atomic_uint pins;
	int fd;
	unsigned depth;
	/** Bytes of its path below the root. */
	uint32_t path_len;
	uint16_t name_len;
	/** The parent's descriptor is pinned for opening this one. */
	bool pinned;
	/** Opened and partly listed. */
	bool reading;
	/** The file system said that it is a directory; otherwise it did not say. */
	bool sure;
	/** A mount point at or above it, below the root, is read-only, and none below that is
	 * writable. */
	bool frozen;
	char name[];
};

enum record_kind {
	/** The directory `node`. */
	RECORD_ENTER,
	/** The entry `name` of the directory `node` (NULL: the root itself). */
	RECORD_LEAF,
	/** One reference on `node` less. Ends before `inode`. */
	RECORD_DONE,
};

/** What a worker tells the owner about one thing. The name with its NUL (of a leaf), then the raw
 * attributes follow. */
struct record {
	struct node *node;
	uint32_t size;
	int err;
	uint16_t kind;
	uint16_t name_len;
	bool has_inode;
	bool mount_point;
	uint32_t attribute[ATTRIBUTES];
	struct br_inode inode;
	char name[];
};

/** Records, one behind the other. */
struct batch {
	size_t n, cap;
	_Alignas(struct record) unsigned char bytes[];
};

struct br_scan {
	struct br_scan_options options;
	/** It goes on in another process; then nothing else here counts. */
	struct watched *watched;
	struct br_pool *pool;
	struct br_acls *acls;
	/** Borrowed. */
	int root_fd;
	/** Directories that may be open at a time, about. */
	unsigned max_open;
	/** Directories that are open, and that were found and not visited yet; jobs that wait in
	 * the queue. */
	atomic_uint open, waiting, offered;
	/** errno of what ended the scan, or 0. */
	atomic_int failed;
	/** The owner's from here on. */
	struct batch *batch;
	size_t at;
	/** Its BR_LEAVE is in the caller's hands, or it has just lost its last reference. */
	struct node *leaving;
	struct br_entry entry;
	uint64_t root_state;
	/** The path of `path_of`, which lives, with room behind it. */
	char *path;
	size_t path_len, path_cap;
	struct node *path_of;
};

/** A directory below parent, with one reference of its own and one on the parent. NULL with ENOMEM.
 */
struct node *br_node_new(struct node *parent, const char *name, size_t len);
/** Let go of one reference without telling anybody; the last one frees the node, and so upwards. */
void br_node_drop(struct node *node);
/** Let go of the descriptor. */
void br_node_unpin(struct br_scan *scan, struct node *node);
/** Let go of whatever a list of work holds. */
void br_node_drop_list(struct br_scan *scan, struct node *list);
/** Write that path, without a NUL, so that it ends before `end`. */
void br_node_path(const struct node *node, char *end);
/**
 * The directory that holds the node, as a descriptor: the parent's own where it is pinned, else
 * opened anew beneath the root (*fresh; the caller closes it), in pieces. -1 with errno, ESTALE
 * where another directory is in its place.
 */
int br_node_holder(struct br_scan *scan, const struct node *node, bool *fresh);

/** What a worker of the pool does; the job is a list of nodes. */
void br_scan_work(struct br_pool *pool, void *context, void *job);
/** Queue a list of nodes. 0; -1 where the scan has failed, and the list is gone. */
int br_scan_offer(struct br_scan *scan, struct br_pool *pool, struct node *nodes);
/** Remember the first thing that ended the scan. */
void br_scan_fail(struct br_scan *scan, int err);

#endif
