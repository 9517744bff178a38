#include "schema.h"

#include <base/text.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int check_rule(struct br_compose *c, const struct br_tree *value, const struct br_rule *rule,
	const struct br_path *path);

static int unknown_key(struct br_compose *c, const struct br_member *member,
	const struct br_level *level, const struct br_path *path) {
	const char *names[128] = {0};
	for (size_t i = 0; i < 127 && level->keys[i].name; i++) {
		names[i] = level->keys[i].name;
	}
	const char *where = br_path_text(c, path);
	const char *near = br_compose_near(c, member->key.s, names);
	if (!where) {
		return -1;
	}
	const char *in = path ? " in " : " at the top level";
	if (level->strict) {
		(void)br_error(
			c->dx, member->key.at, "unknown key '%s'%s%s", member->key.s, in, where);
	} else {
		br_warning(c->dx, member->key.at, "unknown key '%s'%s%s", member->key.s, in, where);
		br_code(c->dx, "BR001");
	}
	if (near) {
		br_hint(c->dx, "did you mean '%s'?", near);
	}
	return level->strict ? -1 : 0;
}

/* `- ./x: /y` is a mapping by YAML; people mean ./x:/y. */
static bool is_torn_volume(const struct br_tree *item) {
	if (item->kind != BR_VALUE_MAP || item->members.n != 1) {
		return false;
	}
	const struct br_member *member = &item->members.v[0];
	return strchr("./~$", member->key.s[0])
		|| (member->value->kind == BR_VALUE_STRING && member->value->s[0] == '/');
}

static int torn_volume(
	struct br_compose *c, const struct br_tree *item, const struct br_path *path) {
	const struct br_member *member = &item->members.v[0];
	const char *name = br_path_text(c, path);
	const char *value = member->value->written;
	if (name) {
		(void)br_error(
			c->dx, item->at, "%s is a mapping and is missing a mount target", name);
		br_hint(c->dx, "no blank after the colon: %s:%s", member->key.s,
			value ? value : "/path");
	}
	return -1;
}

/* Items of a list, values of a map with free names. */
static int check_members(struct br_compose *c, const struct br_tree *value,
	const struct br_rule *rule, const struct br_path *path) {
	int result = 0;
	for (size_t i = 0; i < value->members.n; i++) {
		const struct br_member *member = &value->members.v[i];
		const struct br_tree *item = member->value;
		struct br_path here = {path, member->key.s, i};
		if (item->reset) {
			continue;
		}
		bool torn = rule == &br_schema_volume && is_torn_volume(item);
		int bad = torn ? torn_volume(c, item, &here) : check_rule(c, item, rule, &here);
		result = bad ? -1 : result;
	}
	return result;
}

static int not_a_number(
	struct br_compose *c, const struct br_tree *value, const char *what, const char *name) {
	if (value->unset && !*value->s) {
		return br_error(c->dx, value->at, "%s must be %s, but the variable '%s' is not set",
			name, what, value->unset);
	}
	return br_error(c->dx, value->at, "%s must be %s, not '%s'", name, what, value->s);
}

static bool is_integer(const char *s) {
	const char *digits = s + (*s == '-' || *s == '+');
	errno = 0;
	(void)strtoll(s, NULL, 10);
	return *digits && !digits[strspn(digits, "0123456789")] && errno != ERANGE;
}

static bool is_float(const char *s) {
	char *end = NULL;
	(void)strtod(s, &end);
	return *s && !strchr(" \t\n\v\f\r", *s) && !*end;
}

static int check_cast(struct br_compose *c, const struct br_tree *value, enum br_cast cast,
	const struct br_path *path) {
	bool ignored;
	if (value->kind != BR_VALUE_STRING || cast == BR_CAST_NONE) {
		return 0;
	}
	bool good = (cast == BR_CAST_INT && is_integer(value->s))
		|| (cast == BR_CAST_FLOAT && is_float(value->s));
	const char *name = good ? NULL : br_path_text(c, path);
	if (good || !name) {
		return good ? 0 : -1;
	}
	if (cast == BR_CAST_BOOL) {
		return br_tree_bool(c, value, name, &ignored);
	}
	return not_a_number(c, value, cast == BR_CAST_INT ? "a whole number" : "a number", name);
}

static int check_range(struct br_compose *c, const struct br_tree *value,
	const struct br_rule *rule, const struct br_path *path) {
	bool is_cast = value->kind == BR_VALUE_STRING && rule->cast != BR_CAST_NONE;
	int64_t number = is_cast ? strtoll(value->s, NULL, 10) : value->integer;
	if (rule->low >= rule->high || (value->kind != BR_VALUE_INT && !is_cast)
		|| (number >= rule->low && number <= rule->high)) {
		return 0;
	}
	const char *name = br_path_text(c, path);
	return name ? br_error(c->dx, value->at, "%s must not be %s than %lld", name,
		       number < rule->low ? "less" : "more",
		       (long long)(number < rule->low ? rule->low : rule->high))
		    : -1;
}

static int check_words(struct br_compose *c, const struct br_tree *value, const char *const *words,
	const struct br_path *path) {
	for (size_t i = 0; words[i]; i++) {
		if (strcmp(value->s, words[i]) == 0) {
			return 0;
		}
	}
	const char *name = br_path_text(c, path);
	if (!name) {
		return -1;
	}
	struct br_buf buf = {0};
	for (size_t i = 0; words[i]; i++) {
		br_buf_addf(&buf, "%s'%s'", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
	}
	if (buf.failed) {
		br_buf_release(&buf);
		return br_error_memory(c->dx);
	}
	(void)br_error(c->dx, value->at, "%s must be %s, not '%s'", name, buf.s, value->s);
	br_buf_release(&buf);
	const char *near = br_compose_near(c, value->s, words);
	if (near) {
		br_hint(c->dx, "did you mean '%s'?", near);
	}
	return -1;
}

static int check_needs(struct br_compose *c, const struct br_tree *map,
	const struct br_level *level, const struct br_path *path) {
	if (level->merged || !br_schema_lacks(map, level)) {
		return 0;
	}
	return br_schema_needs(c, map, level, path);
}

/* An empty value leaves the earlier file's as it is, so it is wrong only if it is there still when
 * all is merged. */
static bool is_left(const struct br_tree *value) {
	return value->kind == BR_VALUE_NULL && !value->reset;
}

static int check_map(struct br_compose *c, const struct br_tree *map, const struct br_level *level,
	const struct br_path *path) {
	int result = 0;
	for (size_t i = 0; i < map->members.n; i++) {
		const struct br_member *member = &map->members.v[i];
		const struct br_key *key = br_schema_key(level, member->key.s);
		struct br_path here = {path, member->key.s, 0};
		if (strncmp(member->key.s, "x-", 2) == 0 || (key && is_left(member->value))) {
			continue;
		}
		int bad = key ? check_rule(c, member->value, &key->rule, &here)
			      : unknown_key(c, member, level, path);
		result = bad ? -1 : result;
	}
	return check_needs(c, map, level, path) ? -1 : result;
}

static int check_rule(struct br_compose *c, const struct br_tree *value, const struct br_rule *rule,
	const struct br_path *path) {
	if (value->reset) {
		return 0;
	}
	if (!(value->kind & rule->kinds)) {
		return br_schema_wrong_kind(c, value, rule->kinds, path);
	}
	if (value->kind == BR_VALUE_MAP) {
		return rule->level    ? check_map(c, value, rule->level, path)
			: rule->value ? check_members(c, value, rule->value, path)
				      : 0;
	}
	if (value->kind == BR_VALUE_SEQ) {
		int bad = rule->item ? check_members(c, value, rule->item, path) : 0;
		return bad || !rule->once ? bad : br_schema_unique(c, value, path);
	}
	if (value->kind == BR_VALUE_STRING && rule->words) {
		return check_words(c, value, rule->words, path);
	}
	return check_cast(c, value, rule->cast, path) || check_range(c, value, rule, path) ? -1 : 0;
}

static int check_name(struct br_compose *c, const struct br_member *member, const char *section) {
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char *name = member->key.s;
	if (*name && !name[strspn(name, allowed)]) {
		return 0;
	}
	(void)br_error(c->dx, member->key.at,
		"'%s' is no name for an entry of %s: only a-z, A-Z, 0-9, '.', '_' "
		"and '-' are allowed",
		name, section);
	return -1;
}

static int check_entry(
	struct br_compose *c, const struct br_member *member, const struct br_section *section) {
	const struct br_tree *value = member->value;
	struct br_path up = {NULL, section->name, 0};
	struct br_path here = {&up, member->key.s, 0};
	if (!section->free_names && check_name(c, member, section->name)) {
		return -1;
	}
	if (value->reset || is_left(value)) {
		return 0;
	}
	if (value->kind & section->rule.kinds) {
		return check_map(c, value, section->rule.level, &here);
	}
	return br_error(c->dx, value->kind == BR_VALUE_NULL ? member->key.at : value->at,
		"%s.%s must be %s, not %s", section->name, member->key.s, section->needs,
		br_tree_type(value));
}

int br_schema_service(struct br_compose *c, const struct br_member *member) {
	if (member->value->checked) {
		return 0;
	}
	member->value->checked = true;
	return check_entry(c, member, &br_schema_sections[0]);
}

static int check_section(
	struct br_compose *c, const struct br_tree *doc, const struct br_section *section) {
	const struct br_tree *map = br_tree_get(doc, section->name);
	int result = 0;
	for (size_t i = 0; map && map->kind == BR_VALUE_MAP && i < map->members.n; i++) {
		result = check_entry(c, &map->members.v[i], section) ? -1 : result;
	}
	return result;
}

/* Version 1 had the services on the top level. */
static const struct br_member *version_one(const struct br_tree *doc) {
	for (size_t i = 0; i < doc->members.n; i++) {
		const struct br_member *member = &doc->members.v[i];
		const struct br_tree *value = member->value;
		bool is_service = br_tree_get(value, "image") || br_tree_get(value, "build");
		if (is_service && !br_schema_key(&br_schema_top, member->key.s)
			&& strncmp(member->key.s, "x-", 2) != 0) {
			return member;
		}
	}
	return NULL;
}

bool br_schema_only_known(const struct br_tree *model) {
	bool some = false;
	for (size_t i = 0; model && i < model->members.n; i++) {
		const char *key = model->members.v[i].key.s;
		bool is_known = br_schema_key(&br_schema_top, key) != NULL;
		if (!is_known && strncmp(key, "x-", 2) != 0) {
			return false;
		}
		some = some || is_known;
	}
	return some;
}

int br_compose_schema(struct br_compose *c, struct br_tree *doc) {
	const struct br_member *old = br_tree_get(doc, "services") ? NULL : version_one(doc);
	if (old) {
		(void)br_error(c->dx, old->key.at,
			"'%s' stands at the top level: this is the layout of version 1, which has no 'services'",
			old->key.s);
		br_hint(c->dx, "put 'services:' above the services, and indent them");
		return -1;
	}
	int result = check_map(c, doc, &br_schema_top, NULL);
	for (size_t i = 0; i < BR_SECTIONS; i++) {
		result = check_section(c, doc, &br_schema_sections[i]) ? -1 : result;
	}
	return result;
}
