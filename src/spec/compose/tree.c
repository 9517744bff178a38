#include "compose.h"

#include <base/text.h>

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum {
	INDEXED = 32,
	FIRST_SLOTS = 128,
};

struct builder {
	struct br_compose *c;
	const struct br_layer *layer;
	unsigned depth;
};

static struct br_tree *build(
	struct builder *b, const struct br_node *node, const struct br_path *path);

static struct br_tree *alloc_tree(struct br_compose *c, struct br_span at) {
	if (++c->nodes > BR_TREE_NODES) {
		(void)br_error(
			c->dx, at, "the project is too large: more than %d values", BR_TREE_NODES);
		return NULL;
	}
	struct br_tree *tree = BR_NEW(c->arena, struct br_tree);
	if (!tree) {
		(void)br_error_memory(c->dx);
		return NULL;
	}
	tree->at = at;
	return tree;
}

struct br_tree *br_tree_new(struct br_compose *c, enum br_value kind, const struct br_tree *like) {
	struct br_tree *tree = alloc_tree(c, like->at);
	if (tree) {
		tree->kind = kind;
		tree->layer = like->layer;
	}
	return tree;
}

/* FNV-1a. */
static size_t hash(const char *s) {
	uint64_t h = 14695981039346656037u;
	for (; *s; s++) {
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	}
	return (size_t)(h ^ (h >> 32));
}

/* The slot of a key, or the empty one where it would go. */
static uint32_t *slot_of(const struct br_tree *tree, const char *key) {
	size_t i = hash(key) & (tree->nslots - 1);
	while (tree->slots[i] && strcmp(tree->members.v[tree->slots[i] - 1].key.s, key) != 0) {
		i = (i + 1) & (tree->nslots - 1);
	}
	return &tree->slots[i];
}

/* Small maps are searched from the front; larger ones get a table that is never more than half
 * full. */
static int index_last(struct br_compose *c, struct br_tree *tree) {
	size_t n = tree->members.n;
	if (n < INDEXED) {
		return 0;
	}
	size_t from = n - 1;
	if (2 * n > tree->nslots) {
		size_t nslots = tree->nslots ? 2 * tree->nslots : FIRST_SLOTS;
		uint32_t *slots = BR_NEW_ARRAY(c->arena, uint32_t, nslots);
		if (!slots) {
			return br_error_memory(c->dx);
		}
		tree->slots = slots;
		tree->nslots = nslots;
		from = 0;
	}
	for (size_t i = from; i < n; i++) {
		*slot_of(tree, tree->members.v[i].key.s) = (uint32_t)i + 1;
	}
	return 0;
}

static int push(
	struct br_compose *c, struct br_tree *tree, struct br_text key, struct br_tree *value) {
	struct br_member member = {key, value};
	assert(tree->members.v || !tree->members.cap);
	if (br_vec_push(c->arena, &tree->members, member)) {
		return br_error_memory(c->dx);
	}
	return key.s ? index_last(c, tree) : 0;
}

struct br_member *br_tree_member(const struct br_tree *tree, const char *key) {
	if (!tree || tree->kind != BR_VALUE_MAP) {
		return NULL;
	}
	if (tree->nslots) {
		uint32_t found = *slot_of(tree, key);
		return found ? &tree->members.v[found - 1] : NULL;
	}
	for (size_t i = 0; i < tree->members.n; i++) {
		if (strcmp(tree->members.v[i].key.s, key) == 0) {
			return &tree->members.v[i];
		}
	}
	return NULL;
}

struct br_tree *br_tree_get(const struct br_tree *tree, const char *key) {
	struct br_member *member = br_tree_member(tree, key);
	return member && !member->value->reset ? member->value : NULL;
}

int br_tree_set(
	struct br_compose *c, struct br_tree *map, struct br_text key, struct br_tree *value) {
	struct br_member *member = br_tree_member(map, key.s);
	if (member) {
		member->value = value;
		return 0;
	}
	return push(c, map, key, value);
}

struct br_tree *br_tree_clone(struct br_compose *c, const struct br_tree *tree) {
	struct br_tree *copy = alloc_tree(c, tree->at);
	if (!copy) {
		return NULL;
	}
	size_t n = tree->members.n;
	*copy = *tree;
	copy->members.v = BR_NEW_ARRAY(c->arena, struct br_member, n);
	copy->members.n = 0;
	copy->members.cap = n;
	copy->slots = NULL;
	copy->nslots = 0;
	if (!copy->members.v) {
		(void)br_error_memory(c->dx);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		struct br_tree *value = br_tree_clone(c, tree->members.v[i].value);
		if (!value || push(c, copy, tree->members.v[i].key, value)) {
			return NULL;
		}
	}
	return copy;
}

const char *br_tree_type(const struct br_tree *tree) {
	switch (tree->kind) {
	case BR_VALUE_NULL:
		return "empty";
	case BR_VALUE_BOOL:
		return "a boolean";
	case BR_VALUE_INT:
	case BR_VALUE_FLOAT:
		return "a number";
	case BR_VALUE_STRING:
		return "a string";
	case BR_VALUE_SEQ:
		return "a list";
	case BR_VALUE_MAP:
		return "a mapping";
	}
	return "";
}

static void add_path(struct br_buf *buf, const struct br_path *path) {
	if (!path) {
		return;
	}
	add_path(buf, path->up);
	if (!path->key) {
		br_buf_addf(buf, "[%zu]", path->index);
		return;
	}
	br_buf_addf(buf, "%s%s", path->up ? "." : "", path->key);
}

const char *br_path_text(struct br_compose *c, const struct br_path *path) {
	struct br_buf buf = {0};
	br_buf_add(&buf, "");
	add_path(&buf, path);
	const char *text = buf.failed ? NULL : br_strdup(c->arena, buf.s);
	br_buf_release(&buf);
	if (!text) {
		(void)br_error_memory(c->dx);
	}
	return text;
}

static bool path_is(const struct br_path *path, const char *pattern, size_t n) {
	if (!path) {
		return n == 0;
	}
	size_t from = n;
	while (from > 0 && pattern[from - 1] != '.') {
		from--;
	}
	size_t len = n - from;
	bool any = len == 1 && pattern[from] == '*';
	if (n == 0
		|| (!any
			&& (!path->key || strlen(path->key) != len
				|| memcmp(path->key, pattern + from, len) != 0))) {
		return false;
	}
	return path_is(path->up, pattern, from ? from - 1 : 0);
}

bool br_path_is(const struct br_path *path, const char *pattern) {
	return path_is(path, pattern, strlen(pattern));
}

int br_tree_bool(struct br_compose *c, const struct br_tree *tree, const char *path, bool *out) {
	static const char *const yes[] = {"true", "y", "yes", "on", NULL};
	static const char *const no[] = {"false", "n", "no", "off", NULL};
	if (tree->kind == BR_VALUE_BOOL) {
		*out = tree->boolean;
		return 0;
	}
	for (size_t i = 0; tree->kind == BR_VALUE_STRING && yes[i]; i++) {
		bool is_yes = strcasecmp(tree->s, yes[i]) == 0;
		if (!is_yes && strcasecmp(tree->s, no[i]) != 0) {
			continue;
		}
		if (i > 0) {
			br_warning(c->dx, tree->at,
				"'%s' is not a boolean of YAML 1.2: %s is meant", tree->s,
				is_yes ? yes[0] : no[0]);
		}
		*out = is_yes;
		return 0;
	}
	if (tree->kind != BR_VALUE_STRING) {
		(void)br_error(c->dx, tree->at, "%s must be true or false, not %s", path,
			br_tree_type(tree));
	} else if (tree->unset && !*tree->s) {
		(void)br_error(c->dx, tree->at,
			"%s must be true or false, but the variable '%s' is not set", path,
			tree->unset);
	} else {
		(void)br_error(
			c->dx, tree->at, "%s must be true or false, not '%s'", path, tree->s);
	}
	return -1;
}

/* 1.50 becomes 1.5 and 2.0 becomes 2, as compose prints them; other floats stay as they are. */
static const char *short_float(struct br_compose *c, const char *s) {
	size_t n = strlen(s);
	const char *dot = strchr(s, '.');
	if (!dot || strspn(dot + 1, "0123456789") != n - (size_t)(dot - s) - 1) {
		return s;
	}
	while (s[n - 1] == '0') {
		n--;
	}
	if (s[n - 1] == '.') {
		n--;
	}
	const char *out = n ? br_strndup(c->arena, s, n) : "0";
	if (!out) {
		(void)br_error_memory(c->dx);
	}
	return out;
}

const char *br_tree_scalar(struct br_compose *c, const struct br_tree *tree) {
	if (tree->kind == BR_VALUE_BOOL) {
		return tree->boolean ? "true" : "false";
	}
	if (tree->kind == BR_VALUE_FLOAT) {
		return short_float(c, tree->s);
	}
	if (tree->kind != BR_VALUE_INT) {
		return tree->s;
	}
	const char *text = br_printf(c->arena, "%" PRId64, tree->integer);
	if (!text) {
		(void)br_error_memory(c->dx);
	}
	return text;
}

static int interpolate(struct builder *b, struct br_tree *tree, const struct br_node *node,
	const struct br_path *path) {
	struct br_interpolated out = {0};
	struct br_text text = {tree->written, node->at};
	const char *name = br_path_text(b->c, path);
	if (!name || br_interpolate(b->layer->env, text, name, &out, b->c->dx)) {
		return -1;
	}
	tree->s = out.s;
	tree->unset = out.unset;
	tree->environment = out.environment;
	return 0;
}

static int build_scalar(struct builder *b, struct br_tree *tree, const struct br_node *node,
	const struct br_path *path) {
	tree->written = br_strndup(b->c->arena, node->s, node->len);
	tree->s = tree->written;
	if (!tree->s) {
		return br_error_memory(b->c->dx);
	}
	if (br_node_is_null(node)) {
		tree->kind = BR_VALUE_NULL;
	} else if (br_node_is_bool(node, &tree->boolean)) {
		tree->kind = BR_VALUE_BOOL;
	} else if (br_node_is_int(node, &tree->integer)) {
		tree->kind = BR_VALUE_INT;
	} else if (br_node_is_float(node)) {
		tree->kind = BR_VALUE_FLOAT;
	} else {
		tree->kind = BR_VALUE_STRING;
		return strchr(tree->s, '$') ? interpolate(b, tree, node, path) : 0;
	}
	return 0;
}

static int build_items(struct builder *b, struct br_tree *tree, const struct br_node *node,
	const struct br_path *path) {
	tree->kind = BR_VALUE_SEQ;
	for (size_t i = 0; i < node->n; i++) {
		struct br_path here = {path, NULL, i};
		struct br_tree *item = build(b, node->items[i], &here);
		if (!item) {
			return -1;
		}
		if (!item->reset && push(b->c, tree, (struct br_text){0}, item)) {
			return -1;
		}
	}
	return 0;
}

static bool is_merge_key(const struct br_node *key) {
	return key->style == BR_PLAIN && strcmp(key->s, "<<") == 0;
}

static int add_pair(struct builder *b, struct br_tree *tree, const struct br_pair *pair,
	const struct br_path *path) {
	struct br_path here = {path, pair->key->s, 0};
	struct br_text key = {br_strdup(b->c->arena, pair->key->s), pair->key->at};
	if (!key.s) {
		return br_error_memory(b->c->dx);
	}
	struct br_tree *value = build(b, pair->value, &here);
	return value ? push(b->c, tree, key, value) : -1;
}

static int add_pairs(struct builder *b, struct br_tree *tree, const struct br_node *node,
	const struct br_path *path);

/* `<<` names a map, or a list of maps of which the first that has a key wins. */
static int add_merged(struct builder *b, struct br_tree *tree, const struct br_node *from,
	const struct br_path *path) {
	bool is_list = from->kind == BR_NODE_SEQ;
	for (size_t i = 0; i < (is_list ? from->n : 1); i++) {
		const struct br_node *map = is_list ? from->items[i] : from;
		if (map->kind != BR_NODE_MAP) {
			return br_error(b->c->dx, map->at,
				"a merge key needs a mapping or a list of mappings, not %s",
				br_node_type(map));
		}
		if (add_pairs(b, tree, map, path)) {
			return -1;
		}
	}
	return 0;
}

static int add_pairs(struct builder *b, struct br_tree *tree, const struct br_node *node,
	const struct br_path *path) {
	if (b->depth++ > BR_TREE_DEPTH) {
		return br_error(b->c->dx, node->at, "merge keys are nested too deeply");
	}
	bool first = tree->members.n == 0;
	for (size_t i = 0; i < node->n; i++) {
		const struct br_pair *pair = &node->pairs[i];
		if (is_merge_key(pair->key) || (!first && br_tree_member(tree, pair->key->s))) {
			continue;
		}
		if (add_pair(b, tree, pair, path)) {
			return -1;
		}
	}
	for (size_t i = 0; i < node->n; i++) {
		if (is_merge_key(node->pairs[i].key)
			&& add_merged(b, tree, node->pairs[i].value, path)) {
			return -1;
		}
	}
	b->depth--;
	return 0;
}

static int build_kind(struct builder *b, struct br_tree *tree, const struct br_node *node,
	const struct br_path *path) {
	switch (node->kind) {
	case BR_NODE_SCALAR:
		return build_scalar(b, tree, node, path);
	case BR_NODE_SEQ:
		return build_items(b, tree, node, path);
	case BR_NODE_MAP:
		tree->kind = BR_VALUE_MAP;
		return add_pairs(b, tree, node, path);
	}
	return -1;
}

static struct br_tree *build(
	struct builder *b, const struct br_node *node, const struct br_path *path) {
	struct br_tree *tree = alloc_tree(b->c, node->at);
	if (!tree) {
		return NULL;
	}
	tree->layer = b->layer;
	if (node->tag && strcmp(node->tag, "!reset") == 0) {
		tree->kind = BR_VALUE_NULL;
		tree->s = tree->written = "";
		tree->reset = true;
		return tree;
	}
	tree->override = node->tag && strcmp(node->tag, "!override") == 0;
	if (b->depth++ > BR_TREE_DEPTH) {
		(void)br_error(b->c->dx, node->at, "values are nested too deeply");
		return NULL;
	}
	if (build_kind(b, tree, node, path)) {
		return NULL;
	}
	b->depth--;
	return tree;
}

struct br_tree *br_tree_build(
	struct br_compose *c, const struct br_layer *layer, const struct br_node *root) {
	struct builder b = {c, layer, 0};
	return build(&b, root, NULL);
}
