#include "compose.h"

#include <string.h>

/* Repositories and other builders' words; anything else is a directory. */
static bool is_remote(const char *context) {
	static const char *const prefixes[] = {
		"https://", "http://", "git://", "ssh://", "github.com/", "git@", "service:"};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		if (strncmp(context, prefixes[i], strlen(prefixes[i])) == 0) {
			return true;
		}
	}
	return strstr(context, "://") != NULL;
}

static int set_context(
	struct br_compose *c, struct br_build *build, const struct br_tree *context) {
	build->context = br_tree_text(context);
	if (is_remote(context->s)) {
		return 0;
	}
	/* An empty one is the project directory too. */
	build->context.s = br_host_path(c, context->layer, br_tree_text(context));
	return build->context.s ? 0 : -1;
}

static struct br_text get_text(const struct br_tree *map, const char *key) {
	const struct br_tree *value = br_tree_get(map, key);
	bool some = value && value->s && *value->s;
	return some ? br_tree_text(value) : (struct br_text){0};
}

typedef br_vec(struct br_text) words;

static int add_arg(
	struct br_compose *c, words *args, const char *name, const struct br_tree *value) {
	const char *text = br_tree_scalar(c, value);
	if (!text) {
		return -1;
	}
	struct br_text arg = {br_printf(c->arena, "%s=%s", name, text), value->at};
	return !arg.s || br_vec_push(c->arena, args, arg) ? br_error_memory(c->dx) : 0;
}

/* A name without a value takes the variable's, or is not given at all. */
static int add_variable(
	struct br_compose *c, words *args, const char *name, const struct br_tree *at) {
	const struct br_var *var = br_env_get(at->layer->env, name);
	if (!var) {
		return 0;
	}
	struct br_text arg = {br_printf(c->arena, "%s=%s", name, var->value), at->at};
	return !arg.s || br_vec_push(c->arena, args, arg) ? br_error_memory(c->dx) : 0;
}

static int add_item(struct br_compose *c, words *args, const struct br_member *member) {
	const struct br_tree *value = member->value;
	if (value->reset || (value->kind & (BR_VALUE_SEQ | BR_VALUE_MAP))) {
		return 0;
	}
	if (member->key.s) {
		return value->kind == BR_VALUE_NULL ? add_variable(c, args, member->key.s, value)
						    : add_arg(c, args, member->key.s, value);
	}
	struct br_text arg = {br_tree_scalar(c, value), value->at};
	if (!arg.s) {
		return -1;
	}
	if (!strchr(arg.s, '=')) {
		return add_variable(c, args, arg.s, value);
	}
	return br_vec_push(c->arena, args, arg) ? br_error_memory(c->dx) : 0;
}

int br_compose_pairs(
	struct br_compose *c, const struct br_tree *list, const struct br_text **out, size_t *n) {
	words pairs = {0};
	for (size_t i = 0; list && i < list->members.n; i++) {
		if (add_item(c, &pairs, &list->members.v[i])) {
			return -1;
		}
	}
	*out = pairs.v;
	*n = pairs.n;
	return 0;
}

static int set_args(struct br_compose *c, struct br_build *build, const struct br_tree *list) {
	return br_compose_pairs(c, list, &build->args, &build->nargs);
}

static int set_map(struct br_compose *c, struct br_build *build, const struct br_tree *tree) {
	const struct br_tree *context = br_tree_get(tree, "context");
	build->dockerfile = get_text(tree, "dockerfile");
	build->dockerfile_inline = get_text(tree, "dockerfile_inline");
	build->target = get_text(tree, "target");
	if (build->dockerfile.s && *build->dockerfile.s && build->dockerfile_inline.s) {
		(void)br_error(c->dx, build->dockerfile_inline.at,
			"dockerfile and dockerfile_inline exclude each other");
		br_other(c->dx, build->dockerfile.at, "the other one");
		return -1;
	}
	if (context && context->s) {
		return set_context(c, build, context)
				|| set_args(c, build, br_tree_get(tree, "args"))
			? -1
			: 0;
	}
	build->context = (struct br_text){tree->layer->dir, tree->at};
	return set_args(c, build, br_tree_get(tree, "args"));
}

int br_compose_build(struct br_compose *c, struct br_draft *draft) {
	const struct br_tree *tree = br_tree_get(draft->service, "build");
	if (!tree) {
		return 0;
	}
	struct br_build *build = BR_NEW(c->arena, struct br_build);
	if (!build) {
		return br_error_memory(c->dx);
	}
	build->at = tree->at;
	if (tree->kind == BR_VALUE_MAP ? set_map(c, build, tree) : set_context(c, build, tree)) {
		return -1;
	}
	if (!build->dockerfile_inline.s && (!build->dockerfile.s || !*build->dockerfile.s)) {
		build->dockerfile = (struct br_text){"Dockerfile", tree->at};
	}
	draft->container->build = build;
	return 0;
}
