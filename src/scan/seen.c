// What a scan told, as records one behind the other in one mapping, whose pages are taken as they
// are written:
//
//	KIND       what many inodes have in common: device, owner, mode, ACLs, …
//	DIRECTORY  its path, and what of its inode is its own; all of them, linked backwards
//	PLACE      the path of the directory that the LEAFs behind it are in
//	LEAF       a chosen entry: its name, and what of its inode is its own
//
// A directory is told before what is in it. So all directories forwards, then all leaves, then all
// directories backwards is an order in which a directory is entered before, and left after,
// everything below it.

#include <base/file.h>
#include <base/own.h>
#include <bindright/scan.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

enum {
	/** Kinds that are found again at once; one that is not is written once more. */
	KINDS = 256,
	/** What the kernel takes as one path, less some. */
	PATH_LONGEST = 4000,
	/** Directories that are held open. */
	CHAIN = 16,
};

enum item_type {
	ITEM_KIND,
	ITEM_DIRECTORY,
	ITEM_PLACE,
	ITEM_LEAF,
};

/** One record; offsets are in units of 8 bytes. */
struct item {
	uint32_t size;
	uint16_t type;
	/** Of a directory: it was chosen. */
	uint16_t chosen;
	/** Where its KIND is. */
	uint32_t kind;
	/** Of a directory: where the one before is; 0 of the first. */
	uint32_t before;
	uint64_t ino;
	int64_t born, changed;
	uint32_t born_nsec, changed_nsec;
	/** With its NUL: the path of a DIRECTORY or PLACE, the name of a LEAF. */
	char text[];
};

struct br_seen {
	unsigned char *bytes;
	size_t n, limit;
	bool whole;
	struct br_time quiet;
	/** The root's. */
	uint64_t mount;
	/** Where the last DIRECTORY is. */
	uint32_t last;
	/** The last PLACE, or NULL. */
	const struct item *place;
	uint32_t kinds[KINDS];
};

struct br_seen *br_seen_new(size_t limit) {
	const size_t most = (size_t)UINT32_MAX * sizeof(uint64_t);
	struct br_seen *seen = calloc(1, sizeof(*seen));
	if (!seen) {
		return NULL;
	}
	seen->limit = limit < most ? limit : most;
	void *bytes = mmap(NULL, seen->limit, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (bytes == MAP_FAILED) {
		free(seen);
		return NULL;
	}
	seen->bytes = bytes;
	seen->quiet = br_inode_quiet();
	seen->whole = true;
	return seen;
}

void br_seen_free(struct br_seen *seen) {
	if (seen) {
		br_seen_end(seen);
		free(seen);
	}
}

void br_seen_end(struct br_seen *seen) {
	if (seen->bytes) {
		(void)munmap(seen->bytes, seen->limit); // It was mapped like that.
	}
	seen->bytes = NULL;
	seen->n = 0;
	seen->whole = false;
}

bool br_seen_whole(const struct br_seen *seen) {
	return seen->whole;
}

struct br_time br_seen_quiet(const struct br_seen *seen) {
	return seen->quiet;
}

/* ---- Writing ---- */

static struct item *item_at(const struct br_seen *seen, uint32_t at) {
	return (struct item *)(void *)(seen->bytes + (size_t)at * sizeof(uint64_t));
}

static uint32_t where(const struct br_seen *seen, const struct item *item) {
	return (uint32_t)((size_t)((const unsigned char *)item - seen->bytes) / sizeof(uint64_t));
}

/** A record with n bytes behind its head, all zero. NULL: there is no room, and that was the end. */
static struct item *put(struct br_seen *seen, enum item_type type, size_t n) {
	size_t size = (sizeof(struct item) + n + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
	if (seen->limit - seen->n < size) {
		br_seen_end(seen);
		return NULL;
	}
	struct item *item = (struct item *)(void *)(seen->bytes + seen->n);
	item->size = (uint32_t)size;
	item->type = (uint16_t)type;
	seen->n += size;
	return item;
}

/** Whether the kind has all that is not the inode's own. */
static bool is_of_kind(const struct item *item, const struct br_inode *in) {
	struct br_inode kind;
	memcpy(&kind, item->text, sizeof(kind));
	return kind.dev == in->dev && kind.mount == in->mount && kind.mode == in->mode
		&& kind.nlink == in->nlink && kind.uid.v == in->uid.v && kind.gid.v == in->gid.v
		&& kind.attrs == in->attrs && kind.have == in->have && kind.acl == in->acl
		&& kind.def == in->def && kind.caps == in->caps;
}

/** Where the kind of this inode is. False: no room. */
static bool find_kind(struct br_seen *seen, const struct br_inode *in, uint32_t *out) {
	uint64_t hash = in->mode ^ (uint64_t)in->uid.v << 16 ^ (uint64_t)in->gid.v << 32 ^ in->nlink
		^ (uint64_t)(uintptr_t)in->acl ^ (uint64_t)(uintptr_t)in->def << 8;
	uint32_t *slot = &seen->kinds[(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32) % KINDS];
	// 0 is the first record, which is a kind.
	if (seen->n == 0 || !is_of_kind(item_at(seen, *slot), in)) {
		struct item *item = put(seen, ITEM_KIND, sizeof(*in));
		if (!item) {
			return false;
		}
		memcpy(item->text, in, sizeof(*in));
		*slot = where(seen, item);
	}
	*out = *slot;
	return true;
}

static struct item *put_inode(struct br_seen *seen, enum item_type type, const struct br_inode *in,
	const char *text, size_t n) {
	uint32_t kind;
	struct item *item = find_kind(seen, in, &kind) ? put(seen, type, n + 1) : NULL;
	if (item) {
		item->kind = kind;
		item->ino = in->ino;
		item->born = in->btime.sec;
		item->born_nsec = in->btime.nsec;
		item->changed = in->ctime.sec;
		item->changed_nsec = in->ctime.nsec;
		memcpy(item->text, text, n + 1);
	}
	return item;
}

/** Whether it can be known again later by its times. */
static bool is_reliable(const struct br_seen *seen, const struct br_entry *entry) {
	const struct br_inode *in = entry->inode;
	return in && !entry->err && !entry->mount_point && entry->path_len < PATH_LONGEST
		&& in->mount == seen->mount && !(in->attrs & BR_READ_ONLY)
		&& in->ctime.sec < seen->quiet.sec && (in->btime.sec != 0 || in->btime.nsec != 0);
}

static void add_directory(struct br_seen *seen, const struct br_entry *entry, bool chosen) {
	struct item *item =
		put_inode(seen, ITEM_DIRECTORY, entry->inode, entry->path, entry->path_len);
	if (item) {
		item->chosen = chosen;
		item->before = seen->last;
		seen->last = where(seen, item);
	}
}

static void add_leaf(struct br_seen *seen, const struct br_entry *entry) {
	const char *slash = memrchr(entry->path, '/', entry->path_len);
	size_t n = slash ? (size_t)(slash - entry->path) : 0;
	const char *name = slash ? slash + 1 : entry->path;
	if (!seen->place || strncmp(seen->place->text, entry->path, n) != 0
		|| seen->place->text[n] != '\0') {
		struct item *place = put(seen, ITEM_PLACE, n + 1);
		if (!place) {
			return;
		}
		memcpy(place->text, entry->path, n);
		seen->place = place;
	}
	(void)put_inode(seen, ITEM_LEAF, entry->inode, name,
		entry->path_len - (size_t)(name - entry->path)); // Without room it has ended.
}

void br_seen_add(struct br_seen *seen, const struct br_entry *entry, bool chosen) {
	if (!seen->whole) {
		return;
	}
	if (seen->n == 0 && entry->inode) {
		seen->mount = entry->inode->mount;
	}
	// Also where its root is no directory.
	bool first = seen->n == 0;
	if (!is_reliable(seen, entry) || first != (*entry->path == '\0')
		|| (first && entry->event != BR_ENTER)) {
		br_seen_end(seen);
	} else if (entry->event == BR_ENTER) {
		add_directory(seen, entry, chosen);
	} else if (chosen) {
		add_leaf(seen, entry);
	}
}

/* ---- Reading ---- */

/** The inode of a record, as it is called on the mount where it is looked for now. */
static struct br_inode inode_of(
	const struct br_seen *seen, const struct item *item, uint64_t mount) {
	struct br_inode in;
	memcpy(&in, item_at(seen, item->kind)->text, sizeof(in));
	in.ino = item->ino;
	in.size = 0;
	in.blocks = 0;
	in.btime = (struct br_time){item->born, item->born_nsec};
	in.ctime = (struct br_time){item->changed, item->changed_nsec};
	in.mount = mount;
	return in;
}

/** The first record at or behind an offset that is of this type; NULL: none. */
static const struct item *find(const struct br_seen *seen, size_t at, unsigned types) {
	while (at < seen->n) {
		const struct item *item = (const struct item *)(const void *)(seen->bytes + at);
		if (1U << item->type & types) {
			return item;
		}
		at += item->size;
	}
	return NULL;
}

static size_t behind(const struct br_seen *seen, const struct item *item) {
	return (size_t)((const unsigned char *)item - seen->bytes) + item->size;
}

/** Directories on the way to the last one that was looked at, the root first, so that each is
 * opened beneath its own. */
struct chain {
	struct {
		int fd;
		/** Bytes of its path. */
		size_t n;
	} links[CHAIN];
	size_t n;
	const char *path;
};

static void shorten(struct chain *chain) {
	br_closep(&chain->links[--chain->n].fd);
}

/** Open the next one: beneath the last of the chain that it lies in. -1 with errno. */
static int open_next(struct chain *chain, int root_fd, const char *path) {
	size_t n = 0;
	while (chain->n > 0) {
		n = chain->links[chain->n - 1].n;
		if (strncmp(path, chain->path, n) == 0 && path[n] == '/') {
			break;
		}
		shorten(chain);
	}
	int holder = chain->n > 0 ? chain->links[chain->n - 1].fd : root_fd;
	const char *name = chain->n > 0 ? path + n + 1 : path;
	return br_open_beneath(holder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, false);
}

/** Add what was opened; it is the chain's to close, or closed at once. */
static void lengthen(struct chain *chain, int fd, const char *path) {
	if (chain->n < CHAIN && *path != '\0') {
		chain->links[chain->n].fd = fd;
		chain->links[chain->n].n = strlen(path);
		chain->n++;
		chain->path = path;
	} else {
		br_closep(&fd);
	}
}

/** Whether the directory is as it was; then it is in the chain. */
static bool is_as_seen(const struct br_seen *seen, const struct item *item, int root_fd,
	uint64_t mount, struct chain *chain) {
	struct br_inode now;
	const struct br_inode then = inode_of(seen, item, mount);
	br_auto(br_closep) int fd = open_next(chain, root_fd, item->text);
	if (fd < 0 || br_inode_stat(fd, "", &now)
		|| !br_inode_untouched(fd, &then, &now, seen->quiet)) {
		return false;
	}
	lengthen(chain, br_steal_fd(&fd), item->text);
	return true;
}

bool br_seen_holds(const struct br_seen *seen, int root_fd) {
	struct br_inode root;
	struct chain chain = {.n = 0};
	const struct item *item = NULL;
	if (!seen->whole || seen->n == 0 || br_inode_stat(root_fd, "", &root)) {
		return false;
	}
	bool holds = true;
	size_t at = 0;
	while (holds && (item = find(seen, at, 1U << ITEM_DIRECTORY))) {
		holds = is_as_seen(seen, item, root_fd, root.mount, &chain);
		at = behind(seen, item);
	}
	while (chain.n > 0) {
		shorten(&chain);
	}
	return holds;
}

/* ---- Again ---- */

struct br_again {
	const struct br_seen *seen;
	uint64_t mount;
	enum br_event phase;
	/** Where to go on: in bytes; backwards as in `before`. */
	size_t at;
	/** The last PLACE that was passed. */
	const struct item *place;
	struct br_entry entry;
	struct br_inode inode;
	uint64_t state;
	char path[2 * PATH_LONGEST];
};

struct br_again *br_again_new(const struct br_seen *seen, int root_fd) {
	struct br_inode root;
	struct br_again *again = calloc(1, sizeof(*again));
	if (!again || br_inode_stat(root_fd, "", &root)) {
		free(again);
		return NULL;
	}
	again->seen = seen;
	again->mount = root.mount;
	again->phase = BR_ENTER;
	return again;
}

void br_again_free(struct br_again *again) {
	free(again);
}

void br_again_freep(struct br_again **again) {
	br_again_free(*again);
	*again = NULL;
}

static size_t append(char *to, size_t n, const char *text) {
	size_t len = strlen(text);
	memcpy(to + n, text, len + 1);
	return n + len;
}

static int tell(struct br_again *again, const struct item *item) {
	size_t n = 0;
	if (item->type == ITEM_LEAF) {
		n = append(again->path, 0, again->place->text);
		n = n > 0 ? append(again->path, n, "/") : 0;
	}
	const char *name = again->path + n;
	n = append(again->path, n, item->text);
	if (item->type == ITEM_DIRECTORY) {
		const char *slash = strrchr(again->path, '/');
		name = slash ? slash + 1 : again->path;
	}
	unsigned depth = n > 0;
	for (size_t i = 0; i < n; i++) {
		depth += again->path[i] == '/';
	}
	again->inode = inode_of(again->seen, item, again->mount);
	again->state = 0;
	again->entry = (struct br_entry){
		.event = again->phase,
		.path = again->path,
		.path_len = n,
		.name = name,
		.depth = depth,
		.inode = &again->inode,
		.state = &again->state,
	};
	return 1;
}

/** The next of these types, in the order in which they were told. */
static const struct item *forwards(struct br_again *again, unsigned types) {
	const struct item *item = find(again->seen, again->at, types);
	again->at = item ? behind(again->seen, item) : 0;
	return item;
}

static const struct item *next_leaf(struct br_again *again) {
	const struct item *item = NULL;
	while ((item = forwards(again, 1U << ITEM_PLACE | 1U << ITEM_LEAF))
		&& item->type == ITEM_PLACE) {
		again->place = item;
	}
	return item;
}

static const struct item *next_entered(struct br_again *again) {
	const struct item *item = NULL;
	while ((item = forwards(again, 1U << ITEM_DIRECTORY)) && !item->chosen) {
	}
	return item;
}

static const struct item *next_left(struct br_again *again) {
	while (again->at != 0) {
		const struct item *item = item_at(again->seen, (uint32_t)again->at);
		again->at = item->before;
		if (item->chosen) {
			return item;
		}
	}
	return NULL;
}

int br_again_next(struct br_again *again, const struct br_entry **entry) {
	const struct item *item = NULL;
	*entry = &again->entry;
	if (again->phase == BR_ENTER) {
		item = next_entered(again);
		if (item) {
			return tell(again, item);
		}
		again->phase = BR_LEAF;
	}
	if (again->phase == BR_LEAF) {
		item = next_leaf(again);
		if (item) {
			return tell(again, item);
		}
		again->phase = BR_LEAVE;
		again->at = again->seen->last;
	}
	item = next_left(again);
	return item ? tell(again, item) : 0;
}
