// The child runs an ordinary scan and writes its entries into a pipe. Here only the live
// directories are kept, with the caller's word for each; a counter in shared memory, which the
// child's threads count up, says whether they still come along.

#include "watched.h"

#include <base/file.h>
#include <base/own.h>
#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum {
	BUCKETS = 1024,
	/** Written at the latest when this much has come together. */
	FULL = 32 << 10,
	TICK_MS = 200,
	/** Who did not look for so long was stopped himself (^Z), and the other one with him. */
	NAP_MS = 1000,
	/** How long one that was killed may take to go. */
	LAST_MS = 1000,
	/** No entry is larger: its path, and three attributes. */
	LARGEST = 4 << 20,
	/** Instead of an event: the end, with errno. */
	THE_END = 99,
};

/** An entry on its way; the path with its NUL and the raw attributes follow. */
struct wire {
	uint32_t size;
	uint32_t event;
	int32_t err;
	uint32_t depth;
	/** Numbers of the directory, and of the one that holds it; 0: none. */
	uint64_t id, parent;
	uint32_t path_len;
	uint32_t attribute[ATTRIBUTES];
	uint32_t has_inode;
	uint32_t mount_point;
	/** Without its pointers. */
	struct br_inode inode;
};

/** A directory that was entered and not left. */
struct live {
	/** In its bucket; the one that was entered before, and after. */
	struct live *next, *older, *newer;
	struct live *parent;
	uint64_t id;
	struct br_inode inode;
	bool has_inode;
	/** Directories in it that were not left. */
	unsigned children;
	uint64_t state;
	unsigned depth;
	/** Of its path, whose end is kept: its name; all of it where it lies in none that is known.
	 */
	size_t path_len;
	char name[];
};

struct watched {
	struct br_acls *acls;
	bool leave;
	pid_t pid;
	int fd;
	/** The counter, and the memory that it lies in. */
	atomic_ulong *beat;
	void *shared;
	unsigned long last_beat;
	int64_t since;
	int64_t looked;
	/** What has come: records from `at` on. */
	struct br_buf in;
	size_t at;
	struct live *buckets[BUCKETS];
	struct live *newest;
	/** Left, and in the caller's hands; its path. */
	struct live *leaving;
	char *path;
	size_t path_cap;
	uint64_t root_state;
	/** It does not answer: what is to be told still. */
	bool hung, told, ended;
	struct br_entry entry;
};

// ---- In the child ----

static uint32_t add_acl(struct br_buf *out, const struct br_acl *acl) {
	size_t n = acl ? br_acl_size(acl) : 0;
	char *room = n ? malloc(n) : NULL;
	if (!room) {
		out->failed = out->failed || n;
		return 0;
	}
	br_acl_encode(acl, room);
	br_buf_addn(out, room, n);
	free(room);
	return (uint32_t)n;
}

static uint64_t number_of(const struct node *node) {
	return (uintptr_t)node;
}

/** The directories that an entry is about, known by where they lie in the child's memory. */
static void number(const struct br_scan *scan, const struct br_entry *entry, struct wire *wire) {
	const struct node *node = entry->event == BR_LEAVE ? scan->leaving : scan->path_of;
	if (entry->event == BR_LEAF) {
		wire->parent = entry->depth ? number_of(node) : 0;
	} else {
		wire->id = number_of(node);
		wire->parent = number_of(node->parent);
	}
}

static void add_entry(
	struct br_buf *out, const struct br_scan *scan, const struct br_entry *entry) {
	struct wire wire = {
		.event = entry->event,
		.err = entry->err,
		.depth = entry->depth,
		.path_len = (uint32_t)entry->path_len,
		.has_inode = entry->inode != NULL,
		.mount_point = entry->mount_point,
	};
	size_t at = out->n;
	number(scan, entry, &wire);
	br_buf_addn(out, (const char *)&wire, sizeof(wire));
	br_buf_addn(out, entry->path, entry->path_len);
	br_buf_addc(out, '\0');
	if (entry->inode && entry->event != BR_LEAVE) {
		const struct br_blob *caps = entry->inode->caps;
		wire.inode = *entry->inode;
		wire.inode.acl = wire.inode.def = NULL;
		wire.inode.caps = NULL;
		wire.attribute[0] = add_acl(out, entry->inode->acl);
		wire.attribute[1] = add_acl(out, entry->inode->def);
		if (caps) {
			br_buf_addn(out, (const char *)caps->bytes, caps->n);
			wire.attribute[2] = (uint32_t)caps->n;
		}
	}
	while (!out->failed && (out->n - at) % sizeof(uint64_t)) {
		br_buf_addc(out, '\0');
	}
	if (!out->failed) {
		wire.size = (uint32_t)(out->n - at);
		memcpy(out->s + at, &wire, sizeof(wire));
	}
}

static void write_out(struct br_buf *out, int fd) {
	if (out->failed || br_write_all(fd, out->s, out->n)) {
		_exit(1);
	}
	out->n = 0;
}

static void scan_over_there(int root_fd, const struct br_scan_options *options, int fd)
	__attribute__((noreturn));

static void scan_over_there(int root_fd, const struct br_scan_options *options, int fd) {
	struct wire end = {.size = sizeof(end), .event = THE_END};
	struct br_buf out = {0};
	const struct br_entry *entry;
	struct br_acls *acls = br_acls_new();
	struct br_scan *scan = acls ? br_scan_new(root_fd, acls, options) : NULL;
	int more = scan ? 1 : -1;
	while (more > 0 && (more = br_scan_next(scan, &entry)) > 0) {
		add_entry(&out, scan, entry);
		// Before it waits for more, everything is on its way.
		if (out.n >= FULL || (scan->batch && scan->at >= scan->batch->n)) {
			write_out(&out, fd);
		}
	}
	end.err = more < 0 ? errno : 0;
	br_buf_addn(&out, (const char *)&end, sizeof(end));
	write_out(&out, fd);
	_exit(0);
}

// ---- Here: live directories ----

static struct live **bucket_of(struct watched *w, uint64_t id) {
	return &w->buckets[(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) % BUCKETS];
}

static struct live *find(struct watched *w, uint64_t id) {
	struct live *live = id ? *bucket_of(w, id) : NULL;
	while (live && live->id != id) {
		live = live->next;
	}
	return live;
}

static const char *name_of(const char *path) {
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/** Of what lies in a directory the path is that one's and its name: 0, else -1 with errno. */
static int check_path(const struct live *parent, size_t path_len, const char *name) {
	size_t above = parent->path_len ? parent->path_len + 1 : 0;
	if (path_len != above + strlen(name)) {
		errno = EPROTO;
		return -1;
	}
	return 0;
}

static struct live *add_live(struct watched *w, const struct wire *wire, const char *path) {
	struct live *parent = find(w, wire->parent);
	const char *name = parent ? name_of(path) : path;
	size_t n = strlen(name) + 1;
	if (parent && check_path(parent, wire->path_len, name)) {
		return NULL;
	}
	struct live *live = calloc(1, sizeof(*live) + n);
	if (!live) {
		return NULL;
	}
	live->id = wire->id;
	live->parent = parent;
	if (parent) {
		parent->children++;
	}
	live->depth = wire->depth;
	live->path_len = wire->path_len;
	live->state = live->parent ? live->parent->state : w->root_state;
	memcpy(live->name, name, n);
	live->next = *bucket_of(w, live->id);
	*bucket_of(w, live->id) = live;
	live->older = w->newest;
	if (w->newest) {
		w->newest->newer = live;
	}
	w->newest = live;
	return live;
}

static void take_out(struct watched *w, struct live *live) {
	struct live **at = bucket_of(w, live->id);
	while (*at != live) {
		at = &(*at)->next;
	}
	*at = live->next;
	if (live->parent) {
		live->parent->children--;
	}
	if (live->older) {
		live->older->newer = live->newer;
	}
	if (w->newest == live) {
		w->newest = live->older;
	} else if (live->newer) {
		live->newer->older = live->older;
	}
}

static void free_leaving(struct watched *w) {
	free(w->leaving);
	w->leaving = NULL;
}

// ---- Here: entries ----

static const struct br_inode *inode_of(const struct live *live) {
	return live && live->has_inode ? &live->inode : NULL;
}

/** The path of one that is not new, until the next call. NULL: no memory. */
static const char *path_of(struct watched *w, const struct live *live) {
	size_t at = live->path_len;
	if (at >= w->path_cap) {
		char *path = realloc(w->path, 2 * at + 1);
		if (!path) {
			return NULL;
		}
		w->path = path;
		w->path_cap = 2 * at + 1;
	}
	w->path[at] = '\0';
	for (; live && at > 0; live = live->parent) {
		size_t n = strlen(live->name);
		at -= n;
		memcpy(w->path + at, live->name, n);
		if (at > 0) {
			w->path[--at] = '/';
		}
	}
	return w->path;
}

static void tell_live(struct watched *w, enum br_event event, struct live *live, const char *path) {
	w->entry = (struct br_entry){
		.event = event,
		.path = path,
		.path_len = live->path_len,
		.name = live->name,
		.depth = live->depth,
		.inode = inode_of(live),
		.parent = inode_of(live->parent),
		.state = &live->state,
	};
}

/** Make the raw attributes that follow into facts. 0 or -1 with errno. Where they lie is not taken
 * from anybody else. */
static int intern(struct watched *w, struct wire *wire, const char *value) {
	wire->inode.acl = wire->inode.def = NULL;
	wire->inode.caps = NULL;
	for (unsigned i = 0; i < ATTRIBUTES; i++) {
		size_t n = wire->attribute[i];
		if (n && br_inode_take(&wire->inode, 1U << i, w->acls, value, n)) {
			return -1;
		}
		value += n;
	}
	return 0;
}

static int tell_entered(struct watched *w, const struct wire *wire, const char *path) {
	struct live *live = add_live(w, wire, path);
	if (!live) {
		return -1;
	}
	live->has_inode = wire->has_inode;
	live->inode = wire->inode;
	tell_live(w, BR_ENTER, live, path);
	w->entry.err = wire->err;
	w->entry.mount_point = wire->mount_point;
	return 1;
}

static int tell_left(struct watched *w, const struct wire *wire) {
	struct live *live = find(w, wire->id);
	// What is still in it is told with it.
	if (!live || live->children) {
		errno = EPROTO;
		return -1;
	}
	take_out(w, live);
	// Those before it in this call, which nobody wanted to hear of.
	free_leaving(w);
	w->leaving = live;
	const char *path = w->leave ? path_of(w, live) : "";
	if (!path) {
		return -1;
	}
	tell_live(w, BR_LEAVE, live, path);
	w->entry.mount_point = wire->mount_point;
	return w->leave;
}

/** What a leaf is made of stays where it came to until the next call. */
static int tell_leaf(struct watched *w, const struct wire *wire, const char *path) {
	struct live *holder = find(w, wire->parent);
	w->entry = (struct br_entry){
		.event = BR_LEAF,
		.path = path,
		.path_len = wire->path_len,
		.name = name_of(path),
		.depth = wire->depth,
		.inode = wire->has_inode ? &wire->inode : NULL,
		.parent = inode_of(holder),
		.err = wire->err,
		.mount_point = wire->mount_point,
		.state = holder ? &holder->state : &w->root_state,
	};
	return 1;
}

/** One record: 1 where it is told, 0 where not, -1. */
static int take(struct watched *w, struct wire *wire) {
	const char *path = (const char *)(wire + 1);
	size_t room = wire->size - sizeof(*wire);
	size_t need = (size_t)wire->path_len + 1;
	for (unsigned i = 0; i < ATTRIBUTES; i++) {
		need += wire->attribute[i];
	}
	if (wire->event == THE_END) {
		w->ended = true;
		errno = wire->err;
		return wire->err ? -1 : 0;
	}
	if (need > room || strnlen(path, (size_t)wire->path_len + 1) != wire->path_len) {
		errno = EPROTO;
		return -1;
	}
	if (intern(w, wire, path + wire->path_len + 1)) {
		return -1;
	}
	switch (wire->event) {
	case BR_ENTER:
		return tell_entered(w, wire, path);
	case BR_LEAVE:
		return tell_left(w, wire);
	case BR_LEAF:
		return tell_leaf(w, wire, path);
	default:
		errno = EPROTO;
		return -1;
	}
}

// ---- Here: reading ----

static int64_t now_ms(void) {
	struct timespec now = {0};
	(void)clock_gettime(CLOCK_MONOTONIC, &now); // Cannot fail: the clock is there.
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool moves(struct watched *w) {
	unsigned long beat = atomic_load(w->beat);
	int64_t now = now_ms();
	if (beat != w->last_beat || now - w->looked > NAP_MS) {
		w->last_beat = beat;
		w->since = now;
	}
	w->looked = now;
	return now - w->since <= (int64_t)BR_SCAN_SECONDS * 1000;
}

/** More bytes: 1; 0 where it hangs; -1 with errno. */
static int read_more(struct watched *w) {
	char some[FULL];
	for (;;) {
		struct pollfd p = {.fd = w->fd, .events = POLLIN};
		int ready = poll(&p, 1, TICK_MS);
		if (ready <= 0 && !moves(w)) {
			return 0;
		}
		if (ready <= 0) {
			continue;
		}
		ssize_t n = read(w->fd, some, sizeof(some));
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			// It cannot have ended without a word.
			errno = n < 0 ? errno : EPROTO;
			return -1;
		}
		w->since = w->looked = now_ms();
		br_buf_addn(&w->in, some, (size_t)n);
		errno = ENOMEM;
		return w->in.failed ? -1 : 1;
	}
}

/** A whole record: 1 and *out, 0 where it hangs, -1. Aligned, since every record before was. */
static int next_record(struct watched *w, struct wire **out) {
	uint32_t size = 0;
	for (;;) {
		size_t left = w->in.n - w->at;
		if (left >= sizeof(struct wire)) {
			memcpy(&size, w->in.s + w->at, sizeof(size));
			if (size < sizeof(struct wire) || size > LARGEST
				|| size % sizeof(uint64_t)) {
				errno = EPROTO;
				return -1;
			}
		}
		if (size && left >= size) {
			*out = (struct wire *)(void *)(w->in.s + w->at);
			w->at += size;
			return 1;
		}
		if (w->at > 0) {
			memmove(w->in.s, w->in.s + w->at, left);
			w->in.n = left;
			w->at = 0;
		}
		int r = read_more(w);
		if (r <= 0) {
			return r;
		}
	}
}

static void let_end(struct watched *w) {
	int64_t end = now_ms() + LAST_MS;
	(void)kill(w->pid, SIGKILL);
	while (waitpid(w->pid, NULL, WNOHANG) == 0 && now_ms() < end) {
		(void)poll(NULL, 0, 1); // A pause; cut short it is still one.
	}
	w->pid = 0;
}

/** Said of the directory that was entered last; then all are left. */
static int end_hung(struct watched *w) {
	if (!w->told) {
		struct live *live = w->newest;
		const char *path = live ? path_of(w, live) : "";
		if (!path) {
			return -1;
		}
		w->told = true;
		w->entry = (struct br_entry){
			.event = BR_LEAF,
			.path = path,
			.path_len = live ? live->path_len : 0,
			.name = live ? live->name : "",
			.depth = live ? live->depth : 0,
			.parent = live ? inode_of(live->parent) : NULL,
			.err = ETIMEDOUT,
			.state = live && live->parent ? &live->parent->state : &w->root_state,
		};
		return 1;
	}
	while (w->newest) {
		free_leaving(w);
		w->leaving = w->newest;
		take_out(w, w->leaving);
		if (w->leave) {
			const char *path = path_of(w, w->leaving);
			if (!path) {
				return -1;
			}
			tell_live(w, BR_LEAVE, w->leaving, path);
			return 1;
		}
	}
	return 0;
}

int br_watched_next(struct watched *w, const struct br_entry **entry) {
	int told = 0;
	*entry = &w->entry;
	free_leaving(w);
	while (told == 0 && !w->ended && !w->hung) {
		struct wire *wire;
		int r = next_record(w, &wire);
		if (r == 0) {
			w->hung = true;
			let_end(w);
		}
		told = r > 0 ? take(w, wire) : r;
	}
	return told == 0 && w->hung ? end_hung(w) : told;
}

struct watched *br_watched_new(
	int root_fd, struct br_acls *acls, const struct br_scan_options *options) {
	struct br_scan_options theirs = *options;
	int ends[2];
	struct watched *w = calloc(1, sizeof(*w));
	if (!w) {
		return NULL;
	}
	w->acls = acls;
	w->leave = options->leave;
	w->fd = -1;
	w->shared = mmap(
		NULL, sizeof(*w->beat), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	w->beat = w->shared == MAP_FAILED ? NULL : w->shared;
	if (!w->beat || pipe2(ends, O_CLOEXEC)) {
		br_watched_free(w);
		return NULL;
	}
	w->fd = ends[0];
	w->since = w->looked = now_ms();
	theirs.may_hang = false;
	theirs.leave = true;
	theirs.beat = w->beat;
	pid_t parent = getpid();
	w->pid = fork();
	if (w->pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) {
			_exit(1);
		}
		scan_over_there(root_fd, &theirs, ends[1]);
	}
	int err = errno;
	(void)close(ends[1]); // Nothing was written to it here.
	if (w->pid < 0) {
		w->pid = 0;
		br_watched_free(w);
		errno = err;
		return NULL;
	}
	return w;
}

void br_watched_free(struct watched *w) {
	if (!w) {
		return;
	}
	int err = errno;
	if (w->pid > 0) {
		let_end(w);
	}
	free_leaving(w);
	while (w->newest) {
		struct live *live = w->newest;
		take_out(w, live);
		free(live);
	}
	if (w->beat) {
		(void)munmap(w->shared, sizeof(*w->beat)); // It was mapped like that.
	}
	br_closep(&w->fd);
	br_buf_release(&w->in);
	free(w->path);
	free(w);
	errno = err;
}
