#include "compose.h"

#include <string.h>

enum rule {
	/** Maps key by key, lists appended, scalars replaced; a clash of kinds is an error. */
	RULE_PLAIN,
	/** The later one holds. */
	RULE_REPLACE,
	/** A string is the context of a map. */
	RULE_BUILD,
	/** "K=V" items are a map. */
	RULE_PAIRS,
	/** A string is a list of one. */
	RULE_LIST,
	/** May be written in two kinds; nothing here depends on it, so a clash is decided for the
	 * later one. */
	RULE_EITHER,
};

static const struct {
	const char *pattern;
	enum rule rule;
} rules[] = {
	{"services.*.command", RULE_REPLACE},
	{"services.*.entrypoint", RULE_REPLACE},
	{"services.*.healthcheck.test", RULE_REPLACE},
	{"services.*.build", RULE_BUILD},
	{"services.*.build.args", RULE_PAIRS},
	{"services.*.tmpfs", RULE_LIST},
	{"services.*.env_file", RULE_LIST},
	{"services.*.annotations", RULE_EITHER},
	{"services.*.build.*", RULE_EITHER},
	{"services.*.depends_on", RULE_EITHER},
	{"services.*.deploy.labels", RULE_EITHER},
	{"services.*.dns", RULE_EITHER},
	{"services.*.dns_opt", RULE_EITHER},
	{"services.*.dns_search", RULE_EITHER},
	{"services.*.environment", RULE_PAIRS},
	{"services.*.extends", RULE_EITHER},
	{"services.*.extra_hosts", RULE_EITHER},
	{"services.*.gpus", RULE_EITHER},
	{"services.*.label_file", RULE_EITHER},
	{"services.*.labels", RULE_EITHER},
	{"services.*.logging", RULE_EITHER},
	{"services.*.models", RULE_EITHER},
	{"services.*.networks", RULE_EITHER},
	{"services.*.sysctls", RULE_EITHER},
	{"services.*.ulimits.*", RULE_EITHER},
	{"networks.*.*", RULE_EITHER},
	{"volumes.*.labels", RULE_EITHER},
	{"volumes.*.external", RULE_EITHER},
	{"secrets.*.external", RULE_EITHER},
	{"configs.*.external", RULE_EITHER},
};

static enum rule rule_of(const struct br_compose *c, const struct br_path *path) {
	bool is_extension = path && path->key && strncmp(path->key, "x-", 2) == 0;
	// A service may have such a name.
	if (is_extension && !br_path_is(path, "*.*")
		&& !br_compose_has(c, BR_RULE_EXTENSIONS_MERGE)) {
		return RULE_REPLACE;
	}
	for (size_t i = 0; path && i < sizeof(rules) / sizeof(*rules); i++) {
		if (br_path_is(path, rules[i].pattern)) {
			return rules[i].rule;
		}
	}
	return RULE_PLAIN;
}

static struct br_tree *wrap_context(struct br_compose *c, struct br_tree *build) {
	if (build->kind != BR_VALUE_STRING) {
		return build;
	}
	struct br_tree *map = br_tree_new(c, BR_VALUE_MAP, build);
	if (!map || br_tree_set(c, map, (struct br_text){"context", build->at}, build)) {
		return NULL;
	}
	return map;
}

static struct br_tree *wrap_item(struct br_compose *c, struct br_tree *value) {
	if (value->kind != BR_VALUE_STRING) {
		return value;
	}
	struct br_tree *list = br_tree_new(c, BR_VALUE_SEQ, value);
	struct br_member member = {{0}, value};
	if (!list) {
		return NULL;
	}
	if (br_vec_push(c->arena, &list->members, member)) {
		(void)br_error_memory(c->dx);
		return NULL;
	}
	return list;
}

static int add_key_value(struct br_compose *c, struct br_tree *map, const struct br_tree *item) {
	const char *text = br_tree_scalar(c, item);
	if (!text) {
		return -1;
	}
	const char *equals = strchr(text, '=');
	size_t n = equals ? (size_t)(equals - text) : strlen(text);
	struct br_text key = {br_strndup(c->arena, text, n), item->at};
	struct br_tree *value = br_tree_new(c, equals ? BR_VALUE_STRING : BR_VALUE_NULL, item);
	if (!key.s || !value) {
		return key.s ? -1 : br_error_memory(c->dx);
	}
	value->s = equals ? equals + 1 : "";
	value->written = value->s;
	return br_tree_set(c, map, key, value);
}

static struct br_tree *wrap_pairs(struct br_compose *c, struct br_tree *list) {
	if (list->kind != BR_VALUE_SEQ) {
		return list;
	}
	struct br_tree *map = br_tree_new(c, BR_VALUE_MAP, list);
	for (size_t i = 0; map && i < list->members.n; i++) {
		const struct br_tree *item = list->members.v[i].value;
		bool is_text = !(item->kind & (BR_VALUE_SEQ | BR_VALUE_MAP));
		if (is_text && add_key_value(c, map, item)) {
			return NULL;
		}
	}
	return map;
}

/* Both sides in the one form in which they can be merged. */
static struct br_tree *normalize(struct br_compose *c, struct br_tree *tree, enum rule rule) {
	switch (rule) {
	case RULE_BUILD:
		return wrap_context(c, tree);
	case RULE_PAIRS:
		return wrap_pairs(c, tree);
	case RULE_LIST:
		return wrap_item(c, tree);
	case RULE_PLAIN:
	case RULE_REPLACE:
	case RULE_EITHER:
		return tree;
	}
	return tree;
}

static int merge_maps(
	struct br_compose *c, struct br_tree *a, struct br_tree *b, const struct br_path *path) {
	for (size_t i = 0; i < b->members.n; i++) {
		struct br_member *theirs = &b->members.v[i];
		struct br_member *ours = br_tree_member(a, theirs->key.s);
		struct br_path here = {path, theirs->key.s, 0};
		bool replace = !ours || ours->value->reset || theirs->value->reset
			|| theirs->value->override;
		struct br_tree *value =
			replace ? theirs->value : br_merge(c, ours->value, theirs->value, &here);
		if (!value || br_tree_set(c, a, theirs->key, value)) {
			return -1;
		}
	}
	return 0;
}

static int append(struct br_compose *c, struct br_tree *a, const struct br_tree *b) {
	for (size_t i = 0; i < b->members.n; i++) {
		if (br_vec_push(c->arena, &a->members, b->members.v[i])) {
			return br_error_memory(c->dx);
		}
	}
	return 0;
}

static struct br_tree *clash(struct br_compose *c, const struct br_tree *a, const struct br_tree *b,
	const struct br_path *path) {
	const char *name = br_path_text(c, path);
	if (name) {
		(void)br_error(c->dx, b->at, "cannot override %s: it is %s here and %s before",
			name, br_tree_type(b), br_tree_type(a));
		br_other(c->dx, a->at, "before");
		br_hint(c->dx,
			"write the same kind of value, or tag it !override to replace the earlier one");
	}
	return NULL;
}

struct br_tree *br_merge(
	struct br_compose *c, struct br_tree *a, struct br_tree *b, const struct br_path *path) {
	enum rule rule = rule_of(c, path);
	a = normalize(c, a, rule);
	b = normalize(c, b, rule);
	if (!a || !b) {
		return NULL;
	}
	bool is_scalar = !(a->kind & (BR_VALUE_SEQ | BR_VALUE_MAP));
	if (b->kind == BR_VALUE_NULL && rule != RULE_REPLACE) {
		return a;
	}
	if (rule == RULE_REPLACE || is_scalar) {
		return b;
	}
	if (a->kind != b->kind) {
		return rule == RULE_EITHER ? b : clash(c, a, b, path);
	}
	int failed = a->kind == BR_VALUE_MAP ? merge_maps(c, a, b, path) : append(c, a, b);
	return failed ? NULL : a;
}
