#include "compose.h"

#include <ctype.h>
#include <string.h>

typedef br_vec(struct br_ignore) ignores;

static bool is_code(const char *s) {
	return strncmp(s, "BR", 2) == 0 && strlen(s) == 5 && isdigit((unsigned char)s[2])
		&& isdigit((unsigned char)s[3]) && isdigit((unsigned char)s[4]);
}

static int wrong(struct br_compose *c, const struct br_tree *tree, const char *what) {
	(void)br_error(c->dx, tree->at, "x-bindright: %s", what);
	br_hint(c->dx, "ignore: [BR105, {code: BR106, reason: \"…\", target: /data}]");
	return -1;
}

static int set_field(
	struct br_compose *c, struct br_ignore *ignore, const struct br_member *member) {
	const struct br_tree *value = member->value;
	bool is_text = value->kind == BR_VALUE_STRING;
	if (!is_text) {
		return wrong(c, value, "code, reason and target are strings");
	}
	struct br_text text = br_tree_text(value);
	if (strcmp(member->key.s, "code") == 0) {
		ignore->code = text;
	} else if (strcmp(member->key.s, "reason") == 0) {
		ignore->reason = text;
	} else if (strcmp(member->key.s, "target") == 0) {
		ignore->target = (struct br_text){br_clean(c->arena, text.s), text.at};
	} else {
		return br_error(c->dx, member->key.at, "x-bindright: unknown key '%s' in ignore",
			member->key.s);
	}
	return ignore->target.s || strcmp(member->key.s, "target") != 0 ? 0
									: br_error_memory(c->dx);
}

static int add_ignore(struct br_compose *c, ignores *out, const struct br_tree *item) {
	struct br_ignore ignore = {0};
	for (size_t i = 0; item->kind == BR_VALUE_MAP && i < item->members.n; i++) {
		if (set_field(c, &ignore, &item->members.v[i])) {
			return -1;
		}
	}
	if (item->kind == BR_VALUE_STRING) {
		ignore.code = br_tree_text(item);
	}
	if (!ignore.code.s || !is_code(ignore.code.s)) {
		return wrong(c, item, "what is ignored is a finding code, such as BR105");
	}
	return br_vec_push(c->arena, out, ignore) ? br_error_memory(c->dx) : 0;
}

static int add_all(struct br_compose *c, ignores *out, const struct br_tree *extension) {
	const struct br_tree *list = br_tree_get(extension, "ignore");
	if (!extension) {
		return 0;
	}
	for (size_t i = 0; extension->kind == BR_VALUE_MAP && i < extension->members.n; i++) {
		const struct br_member *member = &extension->members.v[i];
		if (strcmp(member->key.s, "ignore") != 0) {
			br_warning(c->dx, member->key.at, "unknown key '%s' in x-bindright",
				member->key.s);
			br_code(c->dx, "BR001");
		}
	}
	if (extension->kind != BR_VALUE_MAP || (list && list->kind != BR_VALUE_SEQ)) {
		return wrong(
			c, list ? list : extension, "it is a mapping with a list named ignore");
	}
	for (size_t i = 0; list && i < list->members.n; i++) {
		if (add_ignore(c, out, list->members.v[i].value)) {
			return -1;
		}
	}
	return 0;
}

int br_compose_ignores(struct br_compose *c, struct br_draft *draft) {
	ignores all = {0};
	if (add_all(c, &all, br_tree_get(draft->service, "x-bindright"))) {
		return -1;
	}
	draft->container->ignores = all.v;
	draft->container->nignores = all.n;
	return 0;
}
