#include "walk.h"

#include <base/file.h>
#include <base/own.h>

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	/** Room for an attribute's first reading; longer ones are read again into VALUE_MAX, the
	 * kernel's XATTR_SIZE_MAX. */
	VALUE_BYTES = 256,
	VALUE_MAX = 64 << 10,
	/** How often a thing that changes its type between two questions is asked again. */
	TRIES = 32,
};

/** One entry as getdents64(2) writes it (struct linux_dirent64). */
struct listed {
	uint64_t ino;
	int64_t off;
	uint16_t size;
	unsigned char type;
	char name[];
};

/** A worker while it runs a job. */
struct worker {
	struct br_scan *scan;
	struct br_pool *pool;
	/** Directories that it will visit, the next one first. */
	struct node *list;
	size_t nlist;
	/** The batch that it fills, or NULL; `pending` bytes behind its end are the record that is
	 * being written. */
	struct batch *batch;
	size_t pending;
	/** The path of the directory with a slash, for the caller's questions; empty where nobody
	 * asks. */
	char *path;
	size_t path_len, path_cap;
	/** The inode that `wants` was asked about last, and its answer; mode 0: none yet. */
	struct br_inode asked;
	bool wanted;
	/** What the last reading of a directory gave. */
	ssize_t filled;
	_Alignas(struct listed) char listing[LISTING_BYTES];
};

void br_scan_fail(struct br_scan *scan, int err) {
	int none = 0;
	atomic_compare_exchange_strong(&scan->failed, &none, err);
}

int br_scan_offer(struct br_scan *scan, struct br_pool *pool, struct node *nodes) {
	atomic_fetch_add(&scan->offered, 1);
	if (br_pool_push(pool, nodes)) {
		br_scan_fail(scan, ENOMEM);
		br_node_drop_list(scan, nodes);
		return -1;
	}
	return 0;
}

static bool asks(const struct worker *w) {
	const struct br_scan_options *options = &w->scan->options;
	return (options->wants && !options->wants_alike) || options->excludes || options->skips;
}

/* ---- Records ---- */

static void flush(struct worker *w) {
	struct batch *batch = w->batch;
	w->batch = NULL;
	if (batch && batch->n > 0) {
		br_pool_post(w->pool, batch);
	} else {
		free(batch);
	}
}

/** The record that is being written, with `extra` bytes behind it; moved into a new batch where the
 * old one is full. NULL: the scan has failed. */
static struct record *make_room(struct worker *w, size_t extra) {
	struct batch *old = w->batch;
	size_t need = w->pending + extra + sizeof(uint64_t);
	if (old && old->cap - old->n >= need) {
		return (struct record *)(void *)(old->bytes + old->n);
	}
	size_t cap = need > BATCH_BYTES ? need : BATCH_BYTES;
	struct batch *batch = malloc(sizeof(*batch) + cap);
	if (!batch) {
		br_scan_fail(w->scan, ENOMEM);
		return NULL;
	}
	batch->n = 0;
	batch->cap = cap;
	if (old && w->pending > 0) {
		memcpy(batch->bytes, old->bytes + old->n, w->pending);
	}
	flush(w);
	w->batch = batch;
	return (struct record *)(void *)batch->bytes;
}

/** Begin a record; `name` is NULL for RECORD_DONE. It counts only once committed. */
static struct record *begin(
	struct worker *w, enum record_kind kind, struct node *node, const char *name) {
	size_t len = name ? strlen(name) : 0;
	size_t size = kind == RECORD_DONE ? offsetof(struct record, inode) : sizeof(struct record);
	w->pending = 0;
	struct record *record = make_room(w, sizeof(struct record) + len + 1);
	if (!record) {
		return NULL;
	}
	memset(record, 0, offsetof(struct record, inode));
	record->kind = (uint16_t)kind;
	record->node = node;
	if (name) {
		memcpy(record->name, name, len + 1);
		record->name_len = (uint16_t)len;
		size += len + 1;
	}
	w->pending = size;
	return record;
}

static void commit(struct worker *w, struct record *record) {
	assert(w->batch);
	size_t size = (w->pending + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
	record->size = (uint32_t)size;
	w->batch->n += size;
	w->pending = 0;
}

/** End a turn on a directory, or whatever else held a reference. */
static void done(struct worker *w, struct node *node) {
	struct record *record = begin(w, RECORD_DONE, node, NULL);
	if (record) {
		commit(w, record);
	} else {
		br_node_drop(node);
	}
}

/* ---- Facts ---- */

/** Where a thing is read: name "" is the descriptor itself. */
struct spot {
	int fd;
	const char *name;
};

/** Append one raw attribute. 0; -1 with errno, ENOENT where the inode is gone. */
static int add_attribute(struct worker *w, struct spot at, unsigned index, struct record **record) {
	size_t room = VALUE_BYTES;
	ssize_t n = -1;
	do {
		*record = make_room(w, room);
		if (!*record) {
			return -1;
		}
		unsigned char *value = w->batch->bytes + w->batch->n + w->pending;
		n = br_inode_attribute(at.fd, at.name, 1u << index, value, room);
	} while (n < 0 && errno == ERANGE && room < VALUE_MAX && (room = VALUE_MAX));
	if (n < 0) {
		return -1;
	}
	(*record)->inode.have |= 1u << index;
	(*record)->attribute[index] = (uint32_t)n;
	w->pending += (size_t)n;
	return 0;
}

static bool is_alike(const struct br_inode *a, const struct br_inode *b) {
	return a->mode == b->mode && a->uid.v == b->uid.v && a->gid.v == b->gid.v
		&& a->attrs == b->attrs;
}

/** Whether the caller wants any attributes of it. */
static bool is_wanted(struct worker *w, const char *path, const struct br_inode *inode) {
	const struct br_scan_options *options = &w->scan->options;
	if (!options->want || !options->wants) {
		return options->want != 0;
	}
	if (!options->wants_alike) {
		return options->wants(options->context, path, inode);
	}
	if (!is_alike(&w->asked, inode)) {
		w->asked = *inode;
		w->wanted = options->wants(options->context, "", inode);
	}
	return w->wanted;
}

/** The attributes that the caller wants. False: the inode is gone, or the scan has failed. */
static bool add_attributes(
	struct worker *w, struct spot at, const char *path, struct record **record) {
	const struct br_scan_options *options = &w->scan->options;
	if (!is_wanted(w, path, &(*record)->inode)) {
		return true;
	}
	unsigned present = br_inode_present(at.fd, at.name, &(*record)->inode, options->want);
	(*record)->inode.have |= options->want & ((1u << ATTRIBUTES) - 1) & ~present;
	for (unsigned i = 0; i < ATTRIBUTES; i++) {
		if ((present & 1u << i) && add_attribute(w, at, i, record)) {
			if (errno == ENOENT || !*record) {
				return false;
			}
			(*record)->err = errno;
		}
	}
	if (options->want & BR_HAVE_SEAL) {
		br_inode_seal(at.fd, at.name, &(*record)->inode);
	}
	return true;
}

static bool excluded(const struct worker *w, const char *path, const struct record *record) {
	static const struct br_inode unknown;
	const struct br_scan_options *options = &w->scan->options;
	return options->excludes
		&& options->excludes(
			options->context, path, record->has_inode ? &record->inode : &unknown);
}

/** Make the path buffer hold the path of the node, with room for a slash and a name. False: the
 * scan has failed. */
static bool set_path(struct worker *w, const struct node *node) {
	if (!asks(w)) {
		return true;
	}
	size_t len = node->path_len;
	size_t need = len + 2 + UINT8_MAX;
	if (need > w->path_cap) {
		char *path = realloc(w->path, 2 * need);
		if (!path) {
			br_scan_fail(w->scan, ENOMEM);
			return false;
		}
		w->path = path;
		w->path_cap = 2 * need;
	}
	br_node_path(node, w->path + len);
	w->path[len] = '\0';
	w->path_len = len;
	return true;
}

/** That path; "" where nobody asks. */
static const char *path_of(const struct worker *w) {
	return w->path ? w->path : "";
}

/** The path of an entry of the directory whose path is set. A name is at most 255 bytes long; one
 * that is not would be cut. */
static const char *entry_path(struct worker *w, const char *name, size_t len) {
	if (w->path) {
		char *end = w->path + w->path_len;
		if (w->path_len > 0) {
			*end++ = '/';
		}
		len = len < UINT8_MAX ? len : UINT8_MAX;
		memcpy(end, name, len);
		end[len] = '\0';
	}
	return path_of(w);
}

/* ---- Mounts ---- */

/** Whether the mount, or its file system, is read-only: statfs(2) tells either by one flag. What
 * cannot be asked is taken to be writable, as its modes say. */
static bool is_read_only(int fd) {
	struct statfs st;
	return fd >= 0 && fstatfs(fd, &st) == 0 && (st.f_flags & ST_RDONLY);
}

/** The same of an entry that is no open directory. */
static bool is_entry_read_only(struct spot at) {
	br_auto(br_closep) int fd = openat(at.fd, at.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return is_read_only(fd);
}

/** Say of the inode of an entry of `holder` (NULL: of the root) whether it lies on a read-only
 * mount that was entered. */
static bool mark_mount(
	const struct worker *w, const struct node *holder, struct spot at, struct br_inode *inode) {
	bool frozen = holder && holder->frozen;
	if (holder && w->scan->options.cross && inode->mount != holder->mount) {
		frozen = *at.name ? is_entry_read_only(at) : is_read_only(at.fd);
	}
	inode->attrs |= frozen ? BR_READ_ONLY : 0U;
	return frozen;
}

/* ---- A directory's entries ---- */

static void add_child(struct worker *w, struct node *node, const struct listed *listed) {
	struct node *child = br_node_new(node, listed->name, strlen(listed->name));
	if (!child) {
		br_scan_fail(w->scan, ENOMEM);
		return;
	}
	child->sure = listed->type == DT_DIR;
	unsigned open = atomic_load_explicit(&w->scan->open, memory_order_relaxed);
	if (open < w->scan->max_open / 4 * 3) {
		child->pinned = true;
		atomic_fetch_add_explicit(&node->pins, 1, memory_order_relaxed);
	}
	child->next = w->list;
	w->list = child;
	w->nlist++;
	atomic_fetch_add_explicit(&w->scan->waiting, 1, memory_order_relaxed);
}

/** A sign of life: what comes next may wait for somebody else's program or machine. */
static void beat(const struct worker *w) {
	if (w->scan->options.beat) {
		atomic_fetch_add_explicit(w->scan->options.beat, 1, memory_order_relaxed);
	}
}

/** Read an entry that is no directory. False: it became one meanwhile. */
static bool add_leaf(struct worker *w, struct node *node, const char *name) {
	struct record *record = begin(w, RECORD_LEAF, node, name);
	if (!record) {
		return true;
	}
	beat(w);
	if (!br_inode_stat(node->fd, name, &record->inode)) {
		if (S_ISDIR(record->inode.mode)) {
			return false;
		}
		record->mount_point =
			(record->inode.attrs & BR_MOUNT_ROOT) && !w->scan->options.cross;
		record->has_inode = !record->mount_point;
		if (record->has_inode) {
			const struct spot at = {.fd = node->fd, .name = name};
			(void)mark_mount(w, node, at, &record->inode); // says what it marks
		}
	} else if (errno == ENOENT) {
		return true;
	} else {
		record->err = errno;
	}
	const char *path = entry_path(w, name, record->name_len);
	if (excluded(w, path, record)
		|| (record->has_inode
			&& !add_attributes(
				w, (struct spot){.fd = node->fd, .name = name}, path, &record))) {
		return true;
	}
	commit(w, record);
	return true;
}

static bool is_dots(const char *name) {
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static bool skipped(struct worker *w, const char *name) {
	const struct br_scan_options *options = &w->scan->options;
	return options->skips
		&& options->skips(options->context, entry_path(w, name, strlen(name)));
}

/** Whether more directories wait than any tree has. */
static bool is_endless(const struct worker *w) {
	return atomic_load_explicit(&w->scan->waiting, memory_order_relaxed)
		>= w->scan->options.waiting;
}

/** 0; -1 with errno where it is given up. */
static int add_entries(struct worker *w, struct node *node) {
	for (ssize_t at = 0; at < w->filled;) {
		const struct listed *listed = (const void *)(w->listing + at);
		at += listed->size;
		if (is_dots(listed->name) || skipped(w, listed->name)) {
			continue;
		}
		bool maybe = listed->type == DT_DIR || listed->type == DT_UNKNOWN;
		if (maybe || !add_leaf(w, node, listed->name)) {
			if (is_endless(w)) {
				errno = EOVERFLOW;
				return -1;
			}
			add_child(w, node, listed);
		}
	}
	return 0;
}

/** Fill the listing: 1, 0 at the end (also of a directory that is gone), -1 with errno. */
static int read_listing(struct worker *w, int fd) {
	beat(w);
	do {
		w->filled = syscall(SYS_getdents64, fd, w->listing, sizeof(w->listing));
	} while (w->filled < 0 && errno == EINTR);
	if (w->filled < 0) {
		return errno == ENOENT ? 0 : -1;
	}
	return w->filled > 0;
}

/** Whether a worker waits that nothing was offered to yet. */
static bool is_awaited(const struct worker *w) {
	return br_pool_idle(w->pool)
		> atomic_load_explicit(&w->scan->offered, memory_order_relaxed);
}

/** Let a worker that waits go on with the directory while this one has a buffer full of it. Two
 * that have directories of their own are faster than two in one. */
static bool pass_on(struct worker *w, struct node *node) {
	unsigned open = atomic_load_explicit(&w->scan->open, memory_order_relaxed);
	if (w->filled < LISTING_BYTES / 2 || open >= w->scan->max_open || !is_awaited(w)) {
		return false;
	}
	/* What is held here must be on its way before the other's: BR_ENTER comes first. */
	flush(w);
	atomic_fetch_add(&node->refs, 1);
	atomic_fetch_add(&node->pins, 1);
	node->reading = true;
	node->next = NULL;
	return !br_scan_offer(w->scan, w->pool, node);
}

/** The directory's listing failed after it had been entered. */
static void add_failure(struct worker *w, struct node *node, int err) {
	struct record *record = begin(w, RECORD_LEAF, node->parent, node->name);
	if (record) {
		record->err = err;
		commit(w, record);
	}
}

/** What is opened next is the last that was found: it may use the reserve of descriptors, so that a
 * long chain is opened link by link. */
static void pin_next(struct worker *w, struct node *node) {
	struct node *next = w->list;
	unsigned open = atomic_load_explicit(&w->scan->open, memory_order_relaxed);
	if (next && next->parent == node && !next->pinned && open < w->scan->max_open) {
		next->pinned = true;
		atomic_fetch_add(&node->pins, 1);
	}
}

/** A turn on an open directory. `first`: the listing already holds its first buffer. */
static void list(struct worker *w, struct node *node, bool first) {
	int more = 1;
	bool passed = false;
	if (!set_path(w, node)) {
		more = 0;
	}
	while (more > 0 && !passed
		&& !atomic_load_explicit(&w->scan->failed, memory_order_relaxed)) {
		more = first ? 1 : read_listing(w, node->fd);
		first = false;
		if (more > 0) {
			passed = pass_on(w, node);
			more = add_entries(w, node) ? -1 : 1;
		}
		if (more < 0) {
			add_failure(w, node, errno);
		}
	}
	pin_next(w, node);
	br_node_unpin(w->scan, node);
	done(w, node);
}

/* ---- Arriving at a directory ---- */

/** Open a directory without leaving the file system, and without touching its time stamp where that
 * is allowed. */
static int open_directory(
	const struct br_scan *scan, int holder, const char *name, unsigned depth) {
	const int flags = O_DIRECTORY | O_NOFOLLOW;
	if (depth >= scan->options.depth) {
		return br_open_beneath(holder, name, flags | O_PATH, scan->options.cross);
	}
	int fd = br_open_beneath(holder, name, flags | O_RDONLY | O_NOATIME, scan->options.cross);
	if (fd < 0 && errno == EPERM) {
		fd = br_open_beneath(holder, name, flags | O_RDONLY, scan->options.cross);
	}
	return fd;
}

/** Whether a descriptor is an automounter's own, where it was reached from another mount. */
static bool is_automount(const struct node *node, int fd) {
	struct br_inode now;
	struct statfs st;
	return br_inode_stat(fd, "", &now) == 0
		&& (!node->parent || now.mount != node->parent->mount) && fstatfs(fd, &st) == 0
		&& st.f_type == AUTOFS_SUPER_MAGIC;
}

/**
 * The same of a node. The kernel has whatever belongs there mounted when a directory is asked for
 * (follow_automount() of its fs/namei.c), even where RESOLVE_NO_XDEV forbids to go there; not when
 * anything is, by O_PATH, nor when "." is.
 */
static int open_node(const struct br_scan *scan, int holder, const struct node *node) {
	if (node->path_len > PATH_LONGEST || node->depth > DEPTH_MOST) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!scan->options.automounts) {
		return open_directory(scan, holder, node->name, node->depth);
	}
	br_auto(br_closep) int fd =
		br_open_beneath(holder, node->name, O_PATH | O_NOFOLLOW, scan->options.cross);
	if (fd >= 0 && scan->options.cross && is_automount(node, fd)) {
		errno = EREMOTE;
		return -1;
	}
	return fd < 0 ? -1 : open_directory(scan, fd, ".", node->depth);
}

/** Tell what could not be opened as a directory: it may be none, or closed to us, or a mount point.
 * `err`: why not. False: now it is a directory. */
static bool add_unopened(struct worker *w, struct node *node, int holder, int err) {
	struct record *record = begin(w, RECORD_LEAF, node->parent, node->name);
	if (!record || err == ENOENT) {
		return true;
	}
	const bool was_none = err == ENOTDIR || err == ELOOP;
	bool is_dir = node->sure && !was_none;
	const struct spot at = {.fd = holder, .name = node->name};
	record->mount_point = err == EXDEV;
	if (holder >= 0 && !record->mount_point && err != EREMOTE) {
		if (!br_inode_stat(at.fd, at.name, &record->inode)) {
			record->has_inode = true;
			is_dir = S_ISDIR(record->inode.mode);
			(void)mark_mount(w, node->parent, at, &record->inode); // says what it marks
		} else if (errno == ENOENT) {
			return true;
		}
	}
	if (was_none && is_dir) {
		return false;
	}
	if (record->mount_point || (record->has_inode && !is_dir)) {
		err = 0;
	}
	const char *path = path_of(w);
	if ((node->parent && excluded(w, path, record))
		|| (record->has_inode && !add_attributes(w, at, path, &record))) {
		return true;
	}
	if (is_dir) {
		record->kind = RECORD_ENTER;
		record->node = node;
	}
	record->err = err ? err : record->err;
	commit(w, record);
	return true;
}

/** Tell of a directory that is open. 1: its first listing is there; 0: nothing to list; -1: it is
 * left out. */
static int add_opened(struct worker *w, struct node *node, int fd) {
	struct record *record = begin(w, RECORD_ENTER, node, "");
	if (!record || br_inode_stat(fd, "", &record->inode)) {
		return -1;
	}
	record->has_inode = true;
	node->dev = record->inode.dev;
	node->ino = record->inode.ino;
	node->mount = record->inode.mount;
	node->frozen =
		mark_mount(w, node->parent, (struct spot){.fd = fd, .name = ""}, &record->inode);
	const char *path = path_of(w);
	if (node->parent && excluded(w, path, record)) {
		return -1;
	}
	int more = 0;
	if (node->depth < w->scan->options.depth) {
		more = read_listing(w, fd);
		record->err = more < 0 ? errno : 0;
	}
	if (!add_attributes(w, (struct spot){.fd = fd, .name = ""}, path, &record)) {
		return -1;
	}
	commit(w, record);
	return more > 0;
}

/**
 * Open the node beneath its holder and tell what it is. Its descriptor where it is to be listed,
 * else -1. What is swapped for something else time and again is left out: nothing true could be
 * said of it.
 */
static int arrive(struct worker *w, struct node *node, int holder, int err) {
	for (unsigned tries = 0; tries < TRIES; tries++) {
		br_auto(br_closep) int fd = -1;
		if (holder >= 0) {
			fd = open_node(w->scan, holder, node);
			err = errno;
		}
		if (fd >= 0) {
			return add_opened(w, node, fd) > 0 ? br_steal_fd(&fd) : -1;
		}
		if (add_unopened(w, node, holder, err)) {
			return -1;
		}
	}
	return -1;
}

/** Come to a new directory; list it if it is one and may be listed. */
static void visit(struct worker *w, struct node *node) {
	struct br_scan *scan = w->scan;
	bool fresh = false;
	beat(w);
	int holder = br_node_holder(scan, node, &fresh);
	int err = errno;
	int fd = set_path(w, node) ? arrive(w, node, holder, err) : -1;
	if (fresh) {
		br_closep(&holder);
	}
	if (node->pinned) {
		br_node_unpin(scan, node->parent);
	}
	if (fd < 0) {
		done(w, node);
		return;
	}
	node->fd = fd;
	atomic_store(&node->pins, 1);
	atomic_fetch_add_explicit(&scan->open, 1, memory_order_relaxed);
	list(w, node, true);
}

/* ---- A job ---- */

/** Give the older half of the list to a worker that waits. */
static void share(struct worker *w) {
	if (w->nlist < 2 || !is_awaited(w)) {
		return;
	}
	size_t keep = w->nlist / 2;
	struct node *last = w->list;
	for (size_t i = 1; i < keep; i++) {
		last = last->next;
	}
	struct node *given = last->next;
	last->next = NULL;
	w->nlist = keep;
	flush(w);
	(void)br_scan_offer(w->scan, w->pool, given); /* a failure is remembered */
}

static void run(struct worker *w) {
	while (w->list) {
		if (atomic_load_explicit(&w->scan->failed, memory_order_relaxed)) {
			br_node_drop_list(w->scan, w->list);
			break;
		}
		struct node *node = w->list;
		w->list = node->next;
		w->nlist--;
		if (node->reading) {
			list(w, node, false);
		} else {
			atomic_fetch_sub_explicit(&w->scan->waiting, 1, memory_order_relaxed);
			visit(w, node);
		}
		share(w);
	}
	flush(w);
}

void br_scan_work(struct br_pool *pool, void *context, void *job) {
	struct br_scan *scan = context;
	struct node *nodes = job;
	atomic_fetch_sub(&scan->offered, 1);
	struct worker *w = malloc(sizeof(*w));
	if (!w) {
		br_scan_fail(scan, ENOMEM);
		br_node_drop_list(scan, nodes);
		return;
	}
	/* Not the listing: it is filled before it is read. */
	memset(w, 0, offsetof(struct worker, listing));
	w->scan = scan;
	w->pool = pool;
	w->list = nodes;
	for (; nodes; nodes = nodes->next) {
		w->nlist++;
	}
	run(w);
	free(w->path);
	free(w);
}
