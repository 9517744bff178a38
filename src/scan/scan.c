#include "walk.h"
#include "watched.h"

#include <base/own.h>

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

/* ---- Start and end ---- */

/** A quarter of the descriptors that the process may have, so that others find some. */
static unsigned descriptor_budget(void) {
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur / 4 > OPEN_DIRECTORIES) {
		return OPEN_DIRECTORIES;
	}
	return limit.rlim_cur / 4 > 4 ? (unsigned)(limit.rlim_cur / 4) : 4;
}

static unsigned count_threads(const struct br_scan_options *options) {
	// A thread would cost more than it does.
	if (options->depth == 0) {
		return 0;
	}
	return options->threads ? options->threads : br_pool_cores();
}

/** One whose walk is somebody else's, who can be left behind. */
static struct br_scan *new_watched(
	int root_fd, struct br_acls *acls, const struct br_scan_options *options) {
	struct br_scan *scan = calloc(1, sizeof(*scan));
	struct watched *watched = scan ? br_watched_new(root_fd, acls, options) : NULL;
	if (!watched) {
		free(scan);
		return NULL;
	}
	scan->options = *options;
	scan->acls = acls;
	scan->root_fd = root_fd;
	scan->watched = watched;
	return scan;
}

struct br_scan *br_scan_new(
	int root_fd, struct br_acls *acls, const struct br_scan_options *options) {
	if (options->may_hang) {
		return new_watched(root_fd, acls, options);
	}
	br_auto(br_scan_freep) struct br_scan *scan = calloc(1, sizeof(*scan));
	if (!scan) {
		return NULL;
	}
	scan->options = *options;
	if (scan->options.waiting == 0) {
		scan->options.waiting = WAITING_MOST;
	}
	scan->acls = acls;
	scan->root_fd = root_fd;
	scan->max_open = descriptor_budget();
	atomic_init(&scan->open, 0);
	atomic_init(&scan->waiting, 0);
	atomic_init(&scan->offered, 0);
	atomic_init(&scan->failed, 0);
	scan->pool = br_pool_new(count_threads(options), BATCHES, br_scan_work, scan);
	struct node *root = scan->pool ? br_node_new(NULL, "", 0) : NULL;
	if (!root) {
		return NULL;
	}
	root->sure = true;
	atomic_store(&scan->waiting, 1);
	if (br_scan_offer(scan, scan->pool, root)) {
		errno = ENOMEM;
		return NULL;
	}
	return br_steal(&scan);
}

static struct record *record_at(struct batch *batch, size_t at) {
	return (struct record *)(void *)(batch->bytes + at);
}

/** Let go of the references in the rest of a batch. */
static void drop_batch(struct batch *batch, size_t at) {
	while (batch && at < batch->n) {
		struct record *record = record_at(batch, at);
		at += record->size;
		if (record->kind == RECORD_DONE) {
			br_node_drop(record->node);
		}
	}
	free(batch);
}

static void drop_result(void *result) {
	drop_batch(result, 0);
}

static void drop_job(void *job) {
	struct br_scan unused = {0};
	br_node_drop_list(&unused, job);
}

/** The parent, which keeps the node's reference on it. */
static struct node *free_node(struct node *node) {
	struct node *parent = node->parent;
	free(node->facts);
	free(node);
	return parent;
}

void br_scan_free(struct br_scan *scan) {
	if (!scan) {
		return;
	}
	br_scan_fail(scan, ECANCELED);
	br_watched_free(scan->watched);
	if (scan->pool) {
		br_pool_free(scan->pool, drop_job, drop_result);
	}
	drop_batch(scan->batch, scan->at);
	if (scan->leaving) {
		/* It has no reference left to let go of. */
		br_node_drop(free_node(scan->leaving));
	}
	free(scan->path);
	free(scan);
}

void br_scan_freep(struct br_scan **scan) {
	br_scan_free(*scan);
}

/* ---- Paths ---- */

/** Make room for n bytes and a NUL. */
static int reserve_path(struct br_scan *scan, size_t n) {
	if (n < scan->path_cap) {
		return 0;
	}
	char *path = realloc(scan->path, 2 * n + 1);
	if (!path) {
		return -1;
	}
	scan->path = path;
	scan->path_cap = 2 * n + 1;
	return 0;
}

/** Put a slash (below the root) and a name behind the first len bytes of the path. Their number, or
 * -1. */
static ssize_t append(struct br_scan *scan, size_t len, const char *name, size_t n) {
	if (reserve_path(scan, len + 1 + n)) {
		return -1;
	}
	if (len > 0) {
		scan->path[len++] = '/';
	}
	memcpy(scan->path + len, name, n + 1);
	return (ssize_t)(len + n);
}

/** Make the path that of the node (NULL: of nothing). Mostly it is the same as before, or one level
 * off. */
static int set_path(struct br_scan *scan, struct node *node) {
	size_t len = 0;
	if (!node || node == scan->path_of) {
		return 0;
	}
	if (node->parent && node->parent == scan->path_of) {
		ssize_t n = append(scan, scan->path_len, node->name, node->name_len);
		if (n < 0) {
			return -1;
		}
		len = (size_t)n;
	} else {
		len = node->path_len;
		if (reserve_path(scan, len)) {
			return -1;
		}
		br_node_path(node, scan->path + len);
	}
	scan->path_len = len;
	scan->path_of = node;
	return 0;
}

/** The node is going: the path becomes its parent's. */
static void leave_path(struct br_scan *scan, const struct node *node) {
	if (scan->path_of != node) {
		return;
	}
	scan->path_of = node->parent;
	if (node->parent) {
		scan->path_len -= node->name_len + (node->parent->parent ? 1u : 0u);
	}
}

/* ---- Events ---- */

/** Make the attributes of a record into facts. An ACL that is none is the entry's error; -1: no
 * memory. */
static int intern_all(struct br_scan *scan, struct record *record) {
	const unsigned char *value = (const unsigned char *)record->name + record->name_len + 1;
	for (unsigned i = 0; i < ATTRIBUTES; i++) {
		size_t n = record->attribute[i];
		if (n > 0 && br_inode_take(&record->inode, 1u << i, scan->acls, value, n)) {
			if (errno == ENOMEM) {
				return -1;
			}
			record->inode.have &= ~(1u << i);
			record->err = errno;
		}
		value += n;
	}
	return 0;
}

static const struct br_inode *inode_of(const struct node *node) {
	return node && node->facts && node->facts->has_inode ? &node->facts->inode : NULL;
}

/** Fill what a directory's two events have in common. */
static void fill(struct br_scan *scan, enum br_event event, struct node *node) {
	scan->path[scan->path_len] = '\0';
	scan->entry = (struct br_entry){
		.event = event,
		.path = scan->path,
		.path_len = scan->path_len,
		.name = node->name,
		.depth = node->depth,
		.inode = inode_of(node),
		.parent = inode_of(node->parent),
		.mount_point = node->facts->mount_point,
		.state = &node->facts->state,
	};
}

static int enter(struct br_scan *scan, struct record *record) {
	struct node *node = record->node;
	struct facts *facts = malloc(sizeof(*facts));
	if (!facts || set_path(scan, node) || reserve_path(scan, scan->path_len)) {
		free(facts);
		return -1;
	}
	*facts = (struct facts){
		.has_inode = record->has_inode,
		.mount_point = record->mount_point,
		.state = node->parent ? node->parent->facts->state : scan->root_state,
	};
	if (facts->has_inode) {
		facts->inode = record->inode;
	}
	node->facts = facts;
	fill(scan, BR_ENTER, node);
	scan->entry.err = record->err;
	return 1;
}

static int leaf(struct br_scan *scan, struct record *record) {
	struct node *holder = record->node;
	if (set_path(scan, holder)) {
		return -1;
	}
	size_t base = holder ? scan->path_len : 0;
	ssize_t len = append(scan, base, record->name, record->name_len);
	if (len < 0) {
		return -1;
	}
	scan->entry = (struct br_entry){
		.event = BR_LEAF,
		.path = scan->path,
		.path_len = (size_t)len,
		.name = record->name,
		.depth = holder ? holder->depth + 1 : 0,
		.inode = record->has_inode ? &record->inode : NULL,
		.parent = inode_of(holder),
		.err = record->err,
		.mount_point = record->mount_point,
		.state = holder ? &holder->facts->state : &scan->root_state,
	};
	return 1;
}

/** Go on with the node that nothing refers to any more: 1 where its BR_LEAVE is told, 0 not. */
static int leave(struct br_scan *scan, struct node *node) {
	scan->leaving = node;
	if (!node->facts || !scan->options.leave) {
		return 0;
	}
	if (set_path(scan, node)) {
		return -1;
	}
	fill(scan, BR_LEAVE, node);
	return 1;
}

/** Let go of a reference; see leave(). */
static int lose(struct br_scan *scan, struct node *node) {
	return node && atomic_fetch_sub(&node->refs, 1) == 1 ? leave(scan, node) : 0;
}

/** The node that was left is freed, and its parent loses a reference. */
static int end_leaving(struct br_scan *scan) {
	struct node *node = scan->leaving;
	scan->leaving = NULL;
	leave_path(scan, node);
	return lose(scan, free_node(node));
}

static int take_batch(struct br_scan *scan) {
	free(scan->batch);
	scan->at = 0;
	scan->batch = br_pool_take(scan->pool);
	return scan->batch != NULL;
}

static int next_record(struct br_scan *scan) {
	struct record *record = record_at(scan->batch, scan->at);
	scan->at += record->size;
	if (record->kind == RECORD_DONE) {
		return lose(scan, record->node);
	}
	if (record->has_inode && intern_all(scan, record)) {
		return -1;
	}
	return record->kind == RECORD_ENTER ? enter(scan, record) : leaf(scan, record);
}

/** One step: 1 where an entry is told, 0 where not, -1. *end: there is no further step. */
static int step(struct br_scan *scan, bool *end) {
	if (scan->leaving) {
		return end_leaving(scan);
	}
	if (scan->batch && scan->at < scan->batch->n) {
		return next_record(scan);
	}
	*end = !take_batch(scan);
	return 0;
}

int br_scan_next(struct br_scan *scan, const struct br_entry **entry) {
	int told = 0;
	bool end = false;
	if (scan->watched) {
		return br_watched_next(scan->watched, entry);
	}
	while (told == 0 && !end) {
		told = step(scan, &end);
		if (told < 0) {
			br_scan_fail(scan, errno);
		}
		/* Also at the end: what a worker could not tell is missing. */
		int failed = atomic_load_explicit(&scan->failed, memory_order_relaxed);
		if (failed) {
			errno = failed;
			return -1;
		}
	}
	*entry = &scan->entry;
	return told;
}
