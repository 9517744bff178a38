#include "rootfs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum node_kind {
	NODE_NONE,
	NODE_DIRECTORY,
	NODE_FILE,
	NODE_LINK,
	/** A hard link to what a lower layer has. */
	NODE_HARD,
	/** Device, socket: nothing that can be read or gone through. */
	NODE_OTHER,
};

/** What one layer says about one path. */
struct node {
	enum node_kind kind;
	/** What lower layers have here, and below it, is hidden. */
	bool hides;
	bool too_large;
	/** A file's bytes, or where a link leads. */
	const char *text;
	size_t n;
	/** The layer has an entry for it, not only for something below. */
	bool has_owner;
	uint32_t uid, gid, mode;
};

struct wanted {
	const char *path;
	size_t n;
	/** What is in a file there does not matter. */
	bool asked;
	/** Looked for in passes from this one on. */
	unsigned since;
};

struct rootfs {
	/** Paths live as long as this, what a pass found until the next. */
	struct br_arena arena, pass_arena;
	/** Until the next entry. */
	struct br_arena scratch;
	struct effort *effort;
	unsigned pass;
	/** A hard link leads to what this pass did not look for. */
	bool again;
	/** What is wanted now is only asked about. */
	bool asking;
	size_t kept;
	/** The first is the root, ""; each comes after all that are above it. */
	struct wanted wanted[ROOTFS_PATHS];
	size_t nwanted;
	size_t nlayers;
	/** For each layer one for each path, and the same of all layers together. */
	struct node (*layers)[ROOTFS_PATHS];
	struct node all[ROOTFS_PATHS];
};

static int no_memory(struct rootfs *r) {
	return effort_fail(r->effort, "needs too much memory");
}

struct rootfs *rootfs_new(size_t nlayers, struct effort *effort) {
	struct rootfs *r = calloc(1, sizeof(*r));
	if (!r) {
		(void)effort_fail(effort, "needs too much memory");
		return NULL;
	}
	r->effort = effort;
	r->nlayers = nlayers;
	r->layers = br_alloc_array(&r->arena, nlayers, sizeof(*r->layers));
	if (!r->layers || rootfs_want(r, "")) {
		(void)no_memory(r);
		rootfs_freep(&r);
		return NULL;
	}
	return r;
}

void rootfs_freep(struct rootfs **rootfs) {
	if (*rootfs) {
		br_arena_release(&(*rootfs)->arena);
		br_arena_release(&(*rootfs)->pass_arena);
		br_arena_release(&(*rootfs)->scratch);
		free(*rootfs);
		*rootfs = NULL;
	}
}

// ---- paths ----

/** The number of a path that is looked for, or -1. */
static int number_of(const struct rootfs *r, const char *path, size_t n) {
	for (size_t i = 0; i < r->nwanted; i++) {
		if (r->wanted[i].n == n && !memcmp(r->wanted[i].path, path, n)) {
			return (int)i;
		}
	}
	return -1;
}

/** Whether `path` lies below `top`, not being it. */
static bool is_below(const char *path, size_t n, const struct wanted *top) {
	return n > top->n && !memcmp(path, top->path, top->n) && (!top->n || path[top->n] == '/');
}

static int want_one(struct rootfs *r, const char *path, size_t n) {
	int known = number_of(r, path, n);
	if (known >= 0) {
		struct wanted *w = &r->wanted[known];
		if (w->asked && !r->asking) {
			w->asked = false;
			w->since = r->pass + 1;
		}
		return 0;
	}
	if (r->asking && r->nwanted >= ROOTFS_ASKED) {
		return 0;
	}
	if (r->nwanted == ROOTFS_PATHS) {
		return effort_fail(
			r->effort, "has links to more than %d places", (int)ROOTFS_PATHS);
	}
	const char *copy = br_strndup(&r->arena, path, n);
	if (!copy) {
		return no_memory(r);
	}
	r->wanted[r->nwanted++] =
		(struct wanted){.path = copy, .n = n, .asked = r->asking, .since = r->pass + 1};
	return 0;
}

int rootfs_want(struct rootfs *r, const char *path) {
	for (size_t i = 0; path[i]; i++) {
		if (path[i] == '/' && want_one(r, path, i)) {
			return -1;
		}
	}
	return want_one(r, path, strlen(path));
}

int rootfs_ask(struct rootfs *r, const char *path) {
	r->asking = true;
	int failed = strlen(path) < PATH_MAX ? rootfs_want(r, path) : 0;
	r->asking = false;
	return failed;
}

void rootfs_begin_pass(struct rootfs *r) {
	r->pass++;
	r->again = false;
	r->kept = 0;
	br_arena_release(&r->pass_arena);
	for (size_t i = 0; i < r->nlayers; i++) {
		rootfs_begin_layer(r, i);
	}
}

void rootfs_begin_layer(struct rootfs *r, size_t layer) {
	memset(r->layers[layer], 0, sizeof(*r->layers));
}

void rootfs_same_layer(struct rootfs *r, size_t layer, size_t as) {
	memcpy(r->layers[layer], r->layers[as], sizeof(*r->layers));
}

// ---- one layer ----

static void take_owner(struct node *to, const struct node *from) {
	if (from->has_owner) {
		to->has_owner = true;
		to->uid = from->uid;
		to->gid = from->gid;
		to->mode = from->mode;
	}
}

static void set_node(struct rootfs *r, struct node *nodes, size_t i, struct node node) {
	if (nodes[i].kind == NODE_DIRECTORY && node.kind == NODE_DIRECTORY) {
		take_owner(&nodes[i], &node);
		return;
	}
	node.hides = nodes[i].hides;
	nodes[i] = node;
	for (size_t k = i + 1; k < r->nwanted; k++) {
		if (is_below(r->wanted[k].path, r->wanted[k].n, &r->wanted[i])) {
			nodes[k] = (struct node){0};
		}
	}
}

/** The length of a path without its last component. */
static size_t up(const char *path, size_t n) {
	while (n && path[n - 1] != '/') {
		n--;
	}
	return n ? n - 1 : 0;
}

/** `link`, as it stands in the directory that the first n bytes of path name, and `rest` behind it.
 * "" is the root; ".." stops there. */
static char *follow(
	struct br_arena *arena, const char *path, size_t n, const char *link, const char *rest) {
	size_t size = n + strlen(link) + strlen(rest) + 4;
	char *out = br_alloc(arena, size);
	char *raw = br_printf(arena, "%.*s/%s/%s", *link == '/' ? 0 : (int)n, path, link, rest);
	size_t used = 0;
	if (!out || !raw) {
		return NULL;
	}
	for (const char *s = raw; *s;) {
		size_t k = strcspn(s, "/");
		if (k == 2 && !strncmp(s, "..", 2)) {
			used = up(out, used);
		} else if (k && !(k == 1 && *s == '.')) {
			out[used] = '/';
			used += used > 0;
			memcpy(out + used, s, k);
			used += k;
		}
		s += k + (s[k] == '/');
	}
	out[used] = '\0';
	return out;
}

static size_t parent_length(const char *path) {
	const char *slash = strrchr(path, '/');
	return slash ? (size_t)(slash - path) : 0;
}

/**
 * The layer has something at `path`: the directories above it are there too. Where one of them is a
 * link of this layer, the path leads through it. 1 with the path, 0 where it leads through
 * something else, -1.
 */
static int go_to(struct rootfs *r, struct node *nodes, const char *path, const char **out) {
	size_t n = strlen(path);
	for (unsigned links = 0; links <= ROOTFS_LINKS; links++) {
		size_t i = 1; // not the root
		while (i < r->nwanted
			&& !(is_below(path, n, &r->wanted[i])
				&& (nodes[i].kind == NODE_FILE || nodes[i].kind == NODE_LINK
					|| nodes[i].kind == NODE_OTHER
					|| nodes[i].kind == NODE_HARD))) {
			i++;
		}
		if (i == r->nwanted) {
			*out = path;
			return 1;
		}
		const struct wanted *w = &r->wanted[i];
		if (nodes[i].kind != NODE_LINK) {
			return 0;
		}
		path = follow(&r->scratch, w->path, parent_length(w->path), nodes[i].text,
			path + w->n + 1);
		if (!path) {
			return no_memory(r);
		}
		n = strlen(path);
	}
	return 0;
}

static void make_directories(struct rootfs *r, struct node *nodes, const char *path) {
	size_t n = strlen(path);
	for (size_t i = 1; i < r->nwanted; i++) {
		if (nodes[i].kind == NODE_NONE && is_below(path, n, &r->wanted[i])) {
			nodes[i].kind = NODE_DIRECTORY;
		}
	}
}

/** What is special about names with .wh. in front. 1 if this was one, 0, -1. */
static int add_whiteout(struct rootfs *r, struct node *nodes, const char *path) {
	static const char opaque[] = ".wh..wh..opq";
	size_t n = parent_length(path);
	const char *base = path + n + (path[n] == '/');
	if (strncmp(base, ".wh.", 4) != 0) {
		return 0;
	}
	if (!strcmp(base, opaque)) {
		int i = number_of(r, path, n);
		if (i >= 0) {
			nodes[i].hides = true;
		}
		return 1;
	}
	if (!strncmp(base, ".wh..wh.", 8)) {
		return 1; // aufs' own
	}
	char *hidden = br_printf(&r->scratch, "%.*s%s%s", (int)n, path, n ? "/" : "", base + 4);
	if (!hidden) {
		return no_memory(r);
	}
	int i = number_of(r, hidden, strlen(hidden));
	if (i > 0) {
		nodes[i].hides = true;
	}
	return 1;
}

/** Keep a file's bytes. */
static int keep(
	struct rootfs *r, const struct tar_entry *entry, struct stream *data, struct node *node) {
	node->kind = NODE_FILE;
	node->too_large = entry->size > ROOTFS_FILE;
	if (node->too_large || r->asking) {
		return 0;
	}
	size_t size = (size_t)entry->size;
	char *bytes = br_alloc(&r->pass_arena, size + 1);
	r->kept += size;
	if (!bytes || r->kept > ROOTFS_KEPT) {
		return bytes ? effort_fail(r->effort, "has too many versions of passwd and group")
			     : no_memory(r);
	}
	for (ssize_t got = 1; got && node->n < size; node->n += (size_t)got) {
		got = data->read(data, bytes + node->n, size - node->n);
		if (got < 0) {
			return -1;
		}
	}
	node->text = bytes;
	return 0;
}

/** A hard link is another name of what the target is now. */
static int link_hard(
	struct rootfs *r, const struct node *nodes, const char *target, struct node *out) {
	char *path = clean_name(&r->pass_arena, target);
	if (!path) {
		out->kind = NODE_OTHER; // it leads out, or there is no memory
		return errno ? no_memory(r) : 0;
	}
	int i = number_of(r, path, strlen(path));
	*out = (struct node){.kind = NODE_HARD, .text = path};
	if (i >= 0 && nodes[i].kind != NODE_NONE) {
		*out = nodes[i];
	}
	return i >= 0 ? 0 : rootfs_want(r, path);
}

static int link_soft(struct rootfs *r, const char *path, const char *target, struct node *out) {
	*out = (struct node){.kind = NODE_LINK, .text = br_strdup(&r->pass_arena, target)};
	const char *end = follow(&r->scratch, path, parent_length(path), target, "");
	if (!out->text || !end) {
		return no_memory(r);
	}
	// Perhaps this pass comes by there yet.
	return rootfs_want(r, end);
}

static int make_node(struct rootfs *r, struct node *nodes, const char *path,
	const struct tar_entry *entry, struct stream *data) {
	int i = number_of(r, path, strlen(path));
	struct node node = {.kind = NODE_OTHER,
		.has_owner = true,
		.uid = entry->uid,
		.gid = entry->gid,
		.mode = entry->mode};
	int failed = 0;
	// What is asked of a link is asked of where it leads.
	r->asking = r->wanted[i].asked;
	switch (entry->kind) {
	case TAR_FILE:
		failed = keep(r, entry, data, &node);
		break;
	case TAR_DIRECTORY:
		node.kind = NODE_DIRECTORY;
		break;
	case TAR_SYMLINK:
		failed = link_soft(r, path, entry->link, &node);
		break;
	case TAR_HARDLINK:
		failed = link_hard(r, nodes, entry->link, &node);
		break;
	case TAR_WHITEOUT:
		node.kind = NODE_NONE;
		break;
	case TAR_OTHER:
		break;
	}
	r->asking = false;
	if (!failed) {
		set_node(r, nodes, (size_t)i, node);
	}
	return failed;
}

int rootfs_add(struct rootfs *r, size_t layer, const struct tar_entry *entry, struct stream *data) {
	struct node *nodes = r->layers[layer];
	const char *path = NULL;
	br_arena_release(&r->scratch);
	char *name = clean_name(&r->scratch, entry->name);
	if (!name) {
		return errno ? no_memory(r) : 0;
	}
	if (!*name && entry->kind == TAR_DIRECTORY) {
		nodes->kind = NODE_DIRECTORY;
		nodes->has_owner = true;
		nodes->uid = entry->uid;
		nodes->gid = entry->gid;
		nodes->mode = entry->mode;
	}
	int there = *name ? go_to(r, nodes, name, &path) : 0;
	if (there <= 0 || !path) {
		return there;
	}
	make_directories(r, nodes, path);
	int whiteout = add_whiteout(r, nodes, path);
	int i = number_of(r, path, strlen(path));
	if (whiteout || i <= 0) {
		return whiteout < 0 ? -1 : 0;
	}
	if (make_node(r, nodes, path, entry, data)) {
		return -1;
	}
	nodes[i].hides = nodes[i].hides || entry->kind == TAR_WHITEOUT;
	return 0;
}

// ---- all layers ----

static void clear_below(struct rootfs *r, size_t top) {
	for (size_t i = 0; i < r->nwanted; i++) {
		if (is_below(r->wanted[i].path, r->wanted[i].n, &r->wanted[top])) {
			r->all[i] = (struct node){0};
		}
	}
}

/** Lay what the layer has at one path over what is there. Paths come from the top down, so what is
 * cleared below is filled after. */
static void lay_over(struct rootfs *r, size_t i, struct node node, const struct node *before) {
	if (node.kind == NODE_HARD) {
		int target = number_of(r, node.text, strlen(node.text));
		bool lost = target < 0 && r->wanted[i].asked; // there is no room to look for it
		r->again = r->again || (target < 0 && !lost)
			|| (target >= 0 && r->wanted[target].since > r->pass);
		node = target >= 0 ? before[target]
				   : (struct node){.kind = lost ? NODE_OTHER : NODE_NONE};
		node.hides = true;
	}
	if (node.hides
		|| (node.kind != NODE_NONE
			&& (node.kind != NODE_DIRECTORY || r->all[i].kind != NODE_DIRECTORY))) {
		clear_below(r, i);
		r->all[i] = node;
	} else if (node.kind == NODE_DIRECTORY) {
		take_owner(&r->all[i], &node);
	}
}

void rootfs_merge(struct rootfs *r) {
	// The engine makes the root itself, unless a layer has one of its own.
	static const struct node root = {.kind = NODE_DIRECTORY, .has_owner = true, .mode = 0755};
	struct node before[ROOTFS_PATHS];
	memset(r->all, 0, sizeof(r->all));
	r->all[0] = root;
	for (size_t layer = 0; layer < r->nlayers; layer++) {
		memcpy(before, r->all, sizeof(before));
		for (size_t i = 0; i < r->nwanted; i++) {
			lay_over(r, i, r->layers[layer][i], before);
		}
		r->all[0].kind = NODE_DIRECTORY;
	}
}

static int found(
	struct rootfs *r, const char *path, const struct node *node, struct rootfs_file *out) {
	if (node->too_large) {
		return effort_fail(r->effort, "/%s is larger than %d KiB", path, ROOTFS_FILE >> 10);
	}
	*out = (struct rootfs_file){true, node->text, node->n};
	return 1;
}

/** The first part of the path that is no directory, as a number; -1 if it is not looked for; `n` is
 * its length. */
static int first_stop(const struct rootfs *r, const char *path, size_t *n) {
	for (*n = strcspn(path, "/");; *n += 1 + strcspn(path + *n + 1, "/")) {
		int i = number_of(r, path, *n);
		if (i < 0 || r->wanted[i].since > r->pass || r->all[i].kind != NODE_DIRECTORY
			|| !path[*n]) {
			return i;
		}
	}
}

int rootfs_find(struct rootfs *r, const char *path, struct rootfs_file *out) {
	*out = (struct rootfs_file){0};
	const char *at = path;
	if (r->again) {
		return 0;
	}
	for (unsigned links = 0; links <= ROOTFS_LINKS; links++) {
		size_t n = 0;
		int i = first_stop(r, at, &n);
		if (i < 0 || r->wanted[i].since > r->pass) {
			return rootfs_want(r, at);
		}
		const struct node *node = &r->all[i];
		if (node->kind != NODE_LINK) {
			return node->kind == NODE_FILE && !at[n] ? found(r, path, node, out) : 1;
		}
		at = follow(
			&r->pass_arena, at, parent_length(r->wanted[i].path), node->text, at + n);
		if (!at) {
			return no_memory(r);
		}
		if (strlen(at) > 4096) {
			return 1;
		}
	}
	return 1;
}

bool rootfs_is_settled(const struct rootfs *r) {
	for (size_t i = 0; i < r->nwanted; i++) {
		if (r->wanted[i].since > r->pass) {
			return false;
		}
	}
	return !r->again;
}

static enum br_image_type type_of(enum node_kind kind) {
	switch (kind) {
	case NODE_NONE:
		return BR_IMAGE_ABSENT;
	case NODE_DIRECTORY:
		return BR_IMAGE_DIRECTORY;
	case NODE_FILE:
		return BR_IMAGE_FILE;
	case NODE_LINK:
		return BR_IMAGE_LINK;
	case NODE_HARD:
	case NODE_OTHER:
		break;
	}
	return BR_IMAGE_OTHER;
}

bool rootfs_place(const struct rootfs *r, size_t i, struct rootfs_place *out) {
	*out = (struct rootfs_place){0};
	if (i >= r->nwanted) {
		return false;
	}
	if (r->wanted[i].since > r->pass) {
		return true;
	}
	const struct node *node = &r->all[i];
	*out = (struct rootfs_place){.path = r->wanted[i].path,
		.type = type_of(node->kind),
		// Not every engine gives the root what a layer says of it.
		.has_owner =
			node->has_owner && (i || (node->mode == 0755 && !node->uid && !node->gid)),
		.uid = node->uid,
		.gid = node->gid,
		.mode = node->mode,
		.link = node->kind == NODE_LINK ? node->text : NULL};
	return true;
}
