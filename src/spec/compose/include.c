#include "compose.h"

#include <string.h>

static const char *const sections[] = {
	"services", "volumes", "networks", "secrets", "configs", "models"};

/* A string or a list of strings, as paths beneath dir. */
static int add_paths(
	struct br_compose *c, const struct br_tree *value, const char *dir, struct br_words *out) {
	size_t n = !value ? 0 : value->kind == BR_VALUE_SEQ ? value->members.n : 1;
	for (size_t i = 0; i < n; i++) {
		const struct br_tree *item =
			value->kind == BR_VALUE_SEQ ? value->members.v[i].value : value;
		if (item->kind != BR_VALUE_STRING || !*item->s) {
			return br_error(c->dx, item->at, "include: a path is missing");
		}
		if (strstr(item->s, "://") || strncmp(item->s, "oci:", 4) == 0
			|| strncmp(item->s, "git@", 4) == 0) {
			return br_error(
				c->dx, item->at, "remote files are not supported: '%s'", item->s);
		}
		const char *path = br_join(c->arena, dir, item->s);
		if (!path || br_vec_push(c->arena, out, path)) {
			return br_error_memory(c->dx);
		}
	}
	return 0;
}

/** One item of the list. */
struct item {
	const struct br_tree *at;
	const struct br_layer *layer;
	struct br_words paths;
	const char *dir;
	struct br_env *env;
};

/* The including project's variables win over the item's own .env, and do not learn of it. */
static int set_env(struct br_compose *c, struct item *item) {
	const struct br_tree *files = br_tree_get(item->at, "env_file");
	struct br_words paths = {0};
	item->env = BR_NEW(c->arena, struct br_env);
	if (!item->env) {
		return br_error_memory(c->dx);
	}
	item->env->arena = c->arena;
	for (size_t i = 0; i < item->layer->env->vars.n; i++) {
		if (br_env_set(item->env, &item->layer->env->vars.v[i], false)) {
			return br_error_memory(c->dx);
		}
	}
	if (add_paths(c, files, item->layer->dir, &paths)) {
		return -1;
	}
	const char *own = br_join(c->arena, item->dir, ".env");
	if (!own || (!files && br_vec_push(c->arena, &paths, own))) {
		return br_error_memory(c->dx);
	}
	const struct br_named named = {files ? files->at : (struct br_span){0}};
	return br_dotenv_below(c, item->env, &paths, files ? &named : NULL);
}

/* What is no directory stands for the directory that it lies in. */
static const char *project_directory(
	struct br_compose *c, const struct br_layer *layer, const char *word) {
	const char *dir = br_join(c->arena, layer->dir, word);
	const char *inside = dir ? br_printf(c->arena, "%s/.", dir) : NULL;
	if (!inside || br_store_ask(c->store, BR_ASK_EXISTS, inside) || c->store->waits) {
		return dir;
	}
	return br_dirname(c->arena, dir);
}

static int set_item(struct br_compose *c, struct item *item) {
	bool is_map = item->at->kind == BR_VALUE_MAP;
	const struct br_tree *dir = br_tree_get(item->at, "project_directory");
	const struct br_tree *paths = is_map ? br_tree_get(item->at, "path") : item->at;
	if (!paths || add_paths(c, paths, item->layer->dir, &item->paths)) {
		return -1;
	}
	if (!item->paths.n) {
		return br_error(c->dx, paths->at, "include: a path is missing");
	}
	if (dir && dir->kind == BR_VALUE_STRING && *dir->s) {
		item->dir = project_directory(c, item->layer, dir->s);
	} else {
		item->dir = br_dirname(c->arena, item->paths.v[0]);
	}
	return item->dir ? set_env(c, item) : br_error_memory(c->dx);
}

static int check_circle(struct br_compose *c, const struct item *item, const char *path) {
	for (const struct br_layer *up = item->layer; up; up = up->up) {
		if (strcmp(up->path, path) == 0) {
			return br_error(c->dx, item->at->at, "'%s' includes itself",
				br_shown_path(c, path));
		}
	}
	if (item->layer->depth >= BR_COMPOSE_NESTING) {
		return br_error(c->dx, item->at->at, "files include each other more than %d deep",
			BR_COMPOSE_NESTING);
	}
	return 0;
}

static int load_file(
	struct br_compose *c, const struct item *item, const char *path, struct br_tree **model) {
	struct br_layer *layer = BR_NEW(c->arena, struct br_layer);
	if (!layer) {
		return br_error_memory(c->dx);
	}
	*layer = (struct br_layer){item->env, item->dir, path, br_shown_path(c, path), item->layer,
		item->layer->depth + 1};
	struct br_input input = {.path = path, .shown = layer->shown};
	int failed = check_circle(c, item, path) || br_compose_parse(c, &input, item->at->at);
	failed = failed || br_compose_load(c, layer, &input, model);
	br_doc_free(input.doc);
	return failed ? -1 : 0;
}

static bool is_same(const struct br_tree *a, const struct br_tree *b) {
	if (a->kind != b->kind || a->members.n != b->members.n) {
		return false;
	}
	for (size_t i = 0; i < a->members.n; i++) {
		const struct br_member *x = &a->members.v[i];
		const struct br_member *y = &b->members.v[i];
		bool same_key = !x->key.s || strcmp(x->key.s, y->key.s) == 0;
		if (!same_key || !is_same(x->value, y->value)) {
			return false;
		}
	}
	bool is_scalar = !(a->kind & (BR_VALUE_SEQ | BR_VALUE_MAP));
	return !is_scalar || strcmp(a->s, b->s) == 0;
}

/* Up to 2.40 a name on both sides is an error unless both are the same; later the including file
 * wins. */
static int import_entry(struct br_compose *c, struct br_tree *to, const char *section,
	const struct br_member *entry) {
	struct br_member *ours = br_tree_member(to, entry->key.s);
	if (!ours) {
		return br_tree_set(c, to, entry->key, entry->value);
	}
	if (br_compose_has(c, BR_RULE_IMPORTS_MERGE)) {
		struct br_path up = {NULL, section, 0};
		struct br_path here = {&up, entry->key.s, 0};
		bool replace = ours->value->reset || ours->value->override;
		struct br_tree *merged =
			replace ? ours->value : br_merge(c, entry->value, ours->value, &here);
		ours->value = merged ? merged : ours->value;
		return merged ? 0 : -1;
	}
	if (is_same(ours->value, entry->value)) {
		return 0;
	}
	(void)br_error(c->dx, ours->key.at, "%s.%s conflicts with the one that is included",
		section, entry->key.s);
	br_other(c->dx, entry->key.at, "the included one");
	return -1;
}

static int import_section(struct br_compose *c, struct br_tree *doc, const struct br_tree *model,
	const char *section) {
	const struct br_tree *from = br_tree_get(model, section);
	if (!from || from->kind != BR_VALUE_MAP) {
		return 0;
	}
	struct br_tree *to = br_tree_get(doc, section);
	if (!to) {
		to = br_tree_new(c, BR_VALUE_MAP, from);
		if (!to || br_tree_set(c, doc, (struct br_text){section, from->at}, to)) {
			return -1;
		}
	}
	for (size_t i = 0; i < from->members.n; i++) {
		const struct br_member *entry = &from->members.v[i];
		if (!entry->value->reset && import_entry(c, to, section, entry)) {
			return -1;
		}
	}
	return 0;
}

/* Of the top level only the sections are imported. */
static void warn_wishes(struct br_compose *c, const struct br_tree *model) {
	const struct br_member *member = br_tree_member(model, "x-bindright");
	if (member && !member->value->reset) {
		br_warning(c->dx, member->key.at,
			"x-bindright has no effect at the top of an included file: it belongs to "
			"its services, or to the top of the project");
	}
}

static int include(struct br_compose *c, struct item *item, struct br_tree *doc) {
	struct br_tree *model = NULL;
	if (set_item(c, item)) {
		return -1;
	}
	for (size_t i = 0; i < item->paths.n; i++) {
		if (load_file(c, item, item->paths.v[i], &model)) {
			return -1;
		}
	}
	warn_wishes(c, model);
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		if (import_section(c, doc, model, sections[i])) {
			return -1;
		}
	}
	return 0;
}

/* Files that the items name, so that all of them can be had at once. What is wrong with an item is
 * said when its turn comes. */
static void wish_for_items(
	struct br_compose *c, const struct br_layer *layer, const struct br_tree *list) {
	for (size_t i = 0; c->store->closed && list && i < list->members.n; i++) {
		const struct br_tree *item = list->members.v[i].value;
		const struct br_tree *path =
			item->kind == BR_VALUE_MAP ? br_tree_get(item, "path") : item;
		bool is_word = path && path->kind == BR_VALUE_STRING && *path->s
			&& !strstr(path->s, "://");
		const char *file = is_word ? br_join(c->arena, layer->dir, path->s) : NULL;
		const char *dir = file ? br_dirname(c->arena, file) : NULL;
		const char *env = dir ? br_join(c->arena, dir, ".env") : NULL;
		if (env) {
			br_store_wish(c->store, BR_ASK_COMPOSE, file);
			br_store_wish(c->store, BR_ASK_FILE, env);
		}
	}
}

int br_compose_include(struct br_compose *c, const struct br_layer *layer, struct br_tree *doc) {
	const struct br_tree *list = br_tree_get(doc, "include");
	wish_for_items(c, layer, list);
	for (size_t i = 0; list && i < list->members.n; i++) {
		struct item item = {.at = list->members.v[i].value, .layer = layer};
		if (include(c, &item, doc)) {
			return -1;
		}
	}
	return 0;
}
