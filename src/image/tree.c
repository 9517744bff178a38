#include "tree.h"

#include "dockerfile.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

enum {
	LINKS = 16,
	/** Directories above one another that are followed. */
	DEPTH = 128,
};

/** Before all nodes are looked at, or so many bytes made: false, and it is left out, where that
 * would be too much by now. */
static bool spend(const struct tree *t, size_t bytes) {
	uint64_t n = t->nodes.n + (uint64_t)bytes * DOCKERFILE_STEPS_BYTE;
	return !t->finder || df_spend(t->finder, n);
}

// Paths

static bool is_below(const char *path, const char *top) {
	size_t n = strlen(top);
	return !strncmp(path, top, n) && (n == 1 || path[n] == '/') && path[n];
}

struct br_image_node *tree_find(struct tree *t, const char *path) {
	for (size_t i = 0; i < t->nodes.n && (i || spend(t, 0)); i++) {
		if (!strcmp(t->nodes.v[i].path, path)) {
			return &t->nodes.v[i];
		}
	}
	return NULL;
}

/** A link on the way, or at the end; NULL: none. */
static const struct br_image_node *link_on(const struct tree *t, const char *path) {
	for (size_t i = 0; i < t->nodes.n && (i || spend(t, 0)); i++) {
		const struct br_image_node *node = &t->nodes.v[i];
		if (node->type == BR_IMAGE_LINK && node->link
			&& (!strcmp(node->path, path) || is_below(path, node->path))) {
			return node;
		}
	}
	return NULL;
}

/** The kernel takes no longer one, and each directory above it is a path of its own here. */
static bool is_too_deep(const char *path) {
	unsigned parts = 0;
	for (const char *c = path; *c; c++) {
		parts += *c == '/';
	}
	return parts > DEPTH || strlen(path) >= PATH_MAX;
}

char *tree_path(struct tree *t, const char *cwd, const char *path) {
	errno = 0;
	const char *dir = *path == '/' ? "" : cwd;
	if (!dir || !spend(t, strlen(dir) + strlen(path))) {
		return NULL;
	}
	char *out = br_printf(t->arena, "%s/%s", dir, path);
	const struct br_image_node *node = NULL;
	for (unsigned links = 0; out && links < LINKS; links++) {
		br_path_clean(out);
		if (is_too_deep(out)) {
			return NULL;
		}
		node = link_on(t, out);
		if (!node) {
			return out;
		}
		const char *slash = strrchr(node->path, '/');
		int above = *node->link == '/' ? 0 : (int)(slash - node->path);
		out = br_printf(t->arena, "%.*s/%s%s", above, node->path, node->link,
			out + strlen(node->path));
	}
	return NULL;
}

/** The nearest node above the path. */
static struct br_image_node *above(struct tree *t, const char *path) {
	struct br_image_node *best = NULL;
	for (size_t i = 0; i < t->nodes.n && (i || spend(t, 0)); i++) {
		struct br_image_node *node = &t->nodes.v[i];
		if (is_below(path, node->path)
			&& (!best || strlen(node->path) > strlen(best->path))) {
			best = node;
		}
	}
	return best;
}

static int add(struct tree *t, struct br_image_node node) {
	if (t->nodes.n >= TREE_NODES) {
		t->complete = false;
		return 0;
	}
	return br_vec_push(t->arena, &t->nodes, node);
}

// Beginnings

static bool is_root_of_a_distribution(const char *reference) {
	const char *name = reference;
	static const char *const prefixes[] = {
		"docker.io/library/", "docker.io/", "library/", "public.ecr.aws/docker/library/"};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t n = strlen(prefixes[i]);
		if (!strncmp(name, prefixes[i], n)) {
			name += n;
			break;
		}
	}
	// Docker Hub's own images only: what others have done to a distribution is theirs to tell.
	return !strchr(name, '/') && df_image_flavour(name) != DF_FLAVOUR_UNKNOWN;
}

int tree_seed(struct tree *t, const char *reference) {
	static const struct {
		const char *path;
		uint32_t mode;
		const char *link;
	} all[] = {{"/", 0755, NULL}, {"/bin", 0755, NULL}, {"/etc", 0755, NULL},
		{"/home", 0755, NULL}, {"/mnt", 0755, NULL}, {"/media", 0755, NULL},
		{"/opt", 0755, NULL}, {"/run", 0755, NULL}, {"/srv", 0755, NULL},
		{"/tmp", 01777, NULL}, {"/usr", 0755, NULL}, {"/usr/local", 0755, NULL},
		{"/var", 0755, NULL}, {"/var/cache", 0755, NULL}, {"/var/lib", 0755, NULL},
		{"/var/log", 0755, NULL}, {"/var/run", 0, "/run"}, {"/var/tmp", 01777, NULL}};
	if (!is_root_of_a_distribution(reference)) {
		return 0;
	}
	bool redhat = df_image_flavour(reference) == DF_REDHAT;
	struct br_image_node root = {.path = "/root",
		.type = BR_IMAGE_DIRECTORY,
		.origin = BR_IMAGE_KNOWN,
		.owner_known = true,
		.mode_known = true,
		.mode = redhat ? 0550 : 0700};
	int failed = add(t, root);
	for (size_t i = 0; !failed && i < sizeof(all) / sizeof(*all); i++) {
		struct br_image_node node = root;
		node.path = all[i].path;
		node.mode = all[i].mode;
		node.link = all[i].link;
		node.type = node.link ? BR_IMAGE_LINK : BR_IMAGE_DIRECTORY;
		failed = add(t, node);
	}
	t->complete = true;
	return failed;
}

int tree_take(struct tree *t, const struct br_image *image) {
	for (size_t i = 0; i < image->nnodes; i++) {
		if (add(t, image->nodes[i])) {
			return -1;
		}
	}
	t->complete = image->nodes_complete;
	return 0;
}

int tree_copy(struct tree *to, const struct tree *from) {
	to->arena = from->arena;
	to->finder = from->finder;
	to->complete = from->complete;
	to->packaged = from->packaged;
	for (size_t i = 0; i < from->nodes.n; i++) {
		if (add(to, from->nodes.v[i])) {
			return -1;
		}
	}
	return 0;
}

// Changes

/** A package may have made it before, and given it to an account of its own. */
static bool is_systems(const char *path) {
	static const char *const tops[] = {"/var", "/run", "/etc", "/usr", "/opt", "/home", "/srv"};
	for (size_t i = 0; i < sizeof(tops) / sizeof(*tops); i++) {
		if (is_below(path, tops[i])) {
			return true;
		}
	}
	return false;
}

static int make_one(struct tree *t, const struct tree_step *step, const char *path,
	const struct tree_make *make) {
	struct br_image_node *old = tree_find(t, path);
	const struct br_image_node *top = above(t, path);
	if (old && old->type != BR_IMAGE_ABSENT) {
		old->is_empty = old->is_empty && make->empty;
		return 0;
	}
	bool fresh = make->only_new || (top && top->is_new) || (old && old->type == BR_IMAGE_ABSENT)
		|| (t->complete && !(top && top->is_open));
	bool known = fresh && step->sure;
	struct br_image_node node = {.path = path,
		.type = BR_IMAGE_DIRECTORY,
		.origin = BR_IMAGE_DOCKERFILE,
		.owner_known = known && step->owner.known,
		.uid = step->owner.uid,
		.gid = step->owner.gid,
		.mode_known = known,
		.mode = make->mode,
		.is_new = known,
		.is_empty = make->empty && step->sure,
		.maybe_packaged = !make->only_new && t->packaged && is_systems(path)
			&& !(top && top->is_new && !top->maybe_packaged),
		.at = step->at};
	if (old) {
		*old = node;
		return 0;
	}
	return add(t, node);
}

int tree_make(struct tree *t, const struct tree_step *step, const char *path,
	const struct tree_make *make) {
	const struct tree_make parent = {.mode = 0755};
	for (size_t i = 1; make->parents && path[i]; i++) {
		if (t->nodes.n >= TREE_NODES) {
			t->complete = false;
			break;
		}
		if (path[i] != '/' || !spend(t, i)) {
			continue;
		}
		char *part = br_strndup(t->arena, path, i);
		if ((!part || (!tree_find(t, part) && make_one(t, step, part, &parent)))) {
			return -1;
		}
	}
	return make_one(t, step, path, make);
}

void tree_fill(struct tree *t, const char *path) {
	for (size_t i = 0; i < t->nodes.n && (i || spend(t, 0)); i++) {
		struct br_image_node *node = &t->nodes.v[i];
		if (!strcmp(node->path, path) || is_below(path, node->path)) {
			node->is_empty = false;
		}
	}
}

static bool is_meant(const struct br_image_node *node, const char *path, bool below) {
	return !path || !strcmp(node->path, path) || (below && is_below(node->path, path));
}

/** So that what is said of a directory can be remembered although nobody said how it came there. */
static int remember(struct tree *t, const char *path) {
	struct br_image_node node = {.path = path,
		.type = BR_IMAGE_DIRECTORY,
		.origin = BR_IMAGE_DOCKERFILE,
		.owner_known = false};
	return path && !tree_find(t, path) ? add(t, node) : 0;
}

int tree_chown(struct tree *t, const struct tree_step *step, const char *path, bool below) {
	bool known = path && step->sure && step->owner.known;
	if (remember(t, path)) {
		return -1;
	}
	t->complete = t->complete && path;
	for (size_t i = 0; i < t->nodes.n && (i || spend(t, 0)); i++) {
		struct br_image_node *node = &t->nodes.v[i];
		if (is_meant(node, path, below)) {
			node->owner_known = known;
			node->uid = step->owner.uid;
			node->gid = step->owner.gid;
			node->at = path ? step->at : node->at;
			node->maybe_packaged = node->maybe_packaged && !known;
		}
	}
	return 0;
}

int tree_chmod(struct tree *t, const struct tree_step *step, const char *path, bool below,
	const uint32_t *mode) {
	if (remember(t, path)) {
		return -1;
	}
	t->complete = t->complete && path;
	for (size_t i = 0; i < t->nodes.n && (i || spend(t, 0)); i++) {
		struct br_image_node *node = &t->nodes.v[i];
		if (is_meant(node, path, below)) {
			node->mode_known = path && step->sure && mode;
			node->mode = mode ? *mode : node->mode;
		}
	}
	return 0;
}

void tree_remove(struct tree *t, const struct tree_step *step, const char *path) {
	// The nodes behind one that goes are moved.
	for (size_t i = spend(t, t->nodes.n) ? t->nodes.n : 0; i-- > 0;) {
		struct br_image_node *node = &t->nodes.v[i];
		if (!is_meant(node, path, true)) {
			continue;
		}
		if (step->sure) {
			memmove(node, node + 1, (t->nodes.n - i - 1) * sizeof(*node));
			t->nodes.n--;
		} else {
			node->owner_known = node->mode_known = node->is_empty = false;
		}
	}
}

void tree_lose(struct tree *t) {
	t->complete = false;
	for (size_t i = 0; i < t->nodes.n && (i || spend(t, 0)); i++) {
		t->nodes.v[i].is_empty = false;
		t->nodes.v[i].owner_known = false;
		t->nodes.v[i].mode_known = false;
	}
}
