/** What is checked of the model as it stands after each document: what is still empty, what stands
 * twice, what words mean. */
#include "schema.h"

#include <base/text.h>

#include <stdlib.h>
#include <string.h>

/* What was meant, for "must be …". */
static void expected(struct br_buf *buf, unsigned kinds) {
	static const struct {
		unsigned kind;
		const char *text;
	} words[] = {{BR_STR, "a string"}, {BR_INT, "a number"}, {BR_SEQ, "a list"},
		{BR_MAP, "a mapping"}};
	if ((kinds & BR_YES) == BR_YES && !(kinds & BR_NUM)) {
		br_buf_add(buf, "true or false");
		kinds &= ~(unsigned)BR_YES;
	} else if (kinds & BR_VALUE_BOOL && !(kinds & BR_STR)) {
		br_buf_add(buf, "true or false");
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (kinds & words[i].kind) {
			br_buf_addf(buf, "%s%s", buf->n ? " or " : "", words[i].text);
		}
	}
}

static void hint_kind(struct br_compose *c, const struct br_tree *value, unsigned kinds) {
	bool is_word = (value->kind & (BR_NUM | BR_VALUE_BOOL)) != 0;
	if ((kinds & BR_YES) == BR_YES) {
		return;
	}
	if (is_word && (kinds & BR_STR)) {
		br_hint(c->dx, "quote it: \"%s\"", value->s);
	} else if (is_word && kinds == BR_SEQ) {
		br_hint(c->dx, "write it as a list: [%s]", value->s);
	} else if (value->kind == BR_VALUE_STRING && kinds == BR_SEQ) {
		br_hint(c->dx, "write it as a list: [\"%s\"]", value->s);
	} else if (value->kind == BR_VALUE_NULL && kinds == BR_SEQ) {
		br_hint(c->dx, "write [] for an empty list, or leave the key out");
	} else if (value->kind == BR_VALUE_NULL) {
		br_hint(c->dx, "give it a value, or leave it out");
	}
}

int br_schema_wrong_kind(struct br_compose *c, const struct br_tree *value, unsigned kinds,
	const struct br_path *path) {
	struct br_buf buf = {0};
	expected(&buf, kinds);
	const char *name = br_path_text(c, path);
	if (!name || buf.failed) {
		br_buf_release(&buf);
		return name ? br_error_memory(c->dx) : -1;
	}
	(void)br_error(c->dx, value->at, "%s must be %s, not %s", name, buf.s, br_tree_type(value));
	br_buf_release(&buf);
	hint_kind(c, value, kinds);
	return -1;
}

bool br_schema_lacks(const struct br_tree *map, const struct br_level *level) {
	for (size_t i = 0; level->needs && level->needs[i]; i++) {
		if (!br_tree_get(map, level->needs[i])) {
			return true;
		}
	}
	return false;
}

int br_schema_needs(struct br_compose *c, const struct br_tree *map, const struct br_level *level,
	const struct br_path *path) {
	const char *name = br_path_text(c, path);
	size_t i = 0;
	while (br_tree_get(map, level->needs[i])) {
		i++;
	}
	if (name) {
		(void)br_error(c->dx, map->at, "%s has no '%s'", name, level->needs[i]);
	}
	if (name && level == br_schema_volume.level) {
		br_hint(c->dx,
			"add 'type: bind' for a path of the host, 'type: volume' for a named volume");
	}
	return -1;
}

static int compare_words(const void *a, const void *b) {
	const struct br_tree *x = *(const struct br_tree *const *)a;
	const struct br_tree *y = *(const struct br_tree *const *)b;
	int by_words = strcmp(x->s, y->s);
	return by_words ? by_words : (x > y) - (x < y);
}

int br_schema_unique(struct br_compose *c, const struct br_tree *list, const struct br_path *path) {
	size_t n = 0;
	const struct br_tree **words =
		BR_NEW_ARRAY(c->arena, const struct br_tree *, list->members.n);
	if (!words) {
		return br_error_memory(c->dx);
	}
	for (size_t i = 0; i < list->members.n; i++) {
		const struct br_tree *item = list->members.v[i].value;
		if (item->kind == BR_VALUE_STRING && !item->reset) {
			words[n++] = item;
		}
	}
	qsort(words, n, sizeof(*words), compare_words);
	for (size_t i = 1; i < n; i++) {
		const char *name =
			strcmp(words[i - 1]->s, words[i]->s) == 0 ? br_path_text(c, path) : NULL;
		if (name) {
			(void)br_error(c->dx, words[i]->at,
				"%s has '%s' twice, and its items must be unique", name,
				words[i]->s);
			br_other(c->dx, words[i - 1]->at, "the other one");
			return -1;
		}
	}
	return 0;
}

static int check_form(struct br_compose *c, const struct br_tree *value, enum br_form form,
	const struct br_path *path) {
	const char *wanted = value->kind == BR_VALUE_STRING
		? br_form_wrong(form, value->s, !br_compose_has(c, BR_RULE_FORMS_CHECKED))
		: NULL;
	const char *name = wanted ? br_path_text(c, path) : NULL;
	if (!wanted || !name) {
		return wanted ? -1 : 0;
	}
	if (value->unset && !*value->s) {
		return br_error(c->dx, value->at, "%s is empty: the variable '%s' is not set", name,
			value->unset);
	}
	if (value->unset) {
		return br_error(c->dx, value->at,
			"%s must be %s, not '%s': the variable '%s' is not set", name, wanted,
			value->s, value->unset);
	}
	return br_error(c->dx, value->at, "%s must be %s, not '%s'", name, wanted, value->s);
}

static int check_rule(struct br_compose *c, const struct br_tree *value, const struct br_rule *rule,
	const struct br_path *path);

static int check_map(struct br_compose *c, const struct br_tree *map, const struct br_level *level,
	const struct br_path *path) {
	int result = 0;
	for (size_t i = 0; i < map->members.n; i++) {
		const struct br_member *member = &map->members.v[i];
		const struct br_key *key = br_schema_key(level, member->key.s);
		struct br_path here = {path, member->key.s, 0};
		if (key && check_rule(c, member->value, &key->rule, &here)) {
			result = -1;
		}
	}
	if (level->merged && br_schema_lacks(map, level)) {
		return br_schema_needs(c, map, level, path);
	}
	return result;
}

static int check_members(struct br_compose *c, const struct br_tree *value,
	const struct br_rule *rule, const struct br_path *path) {
	int result = 0;
	for (size_t i = 0; i < value->members.n; i++) {
		const struct br_member *member = &value->members.v[i];
		struct br_path here = {path, member->key.s, i};
		result = check_rule(c, member->value, rule, &here) ? -1 : result;
	}
	return result;
}

static int check_rule(struct br_compose *c, const struct br_tree *value, const struct br_rule *rule,
	const struct br_path *path) {
	if (value->reset) {
		return 0;
	}
	if (value->kind == BR_VALUE_NULL) {
		return rule->kinds & BR_NUL ? 0 : br_schema_wrong_kind(c, value, rule->kinds, path);
	}
	if (value->kind == BR_VALUE_MAP) {
		return rule->level    ? check_map(c, value, rule->level, path)
			: rule->value ? check_members(c, value, rule->value, path)
				      : 0;
	}
	if (value->kind == BR_VALUE_SEQ) {
		int bad = rule->item ? check_members(c, value, rule->item, path) : 0;
		return bad || !rule->unique ? bad : br_schema_unique(c, value, path);
	}
	return check_form(c, value, rule->form, path);
}

static int check_entry(
	struct br_compose *c, const struct br_member *member, const struct br_section *section) {
	const struct br_tree *value = member->value;
	struct br_path up = {NULL, section->name, 0};
	struct br_path here = {&up, member->key.s, 0};
	bool is_empty = value->kind == BR_VALUE_NULL && !value->reset;
	if (is_empty && !(section->rule.kinds & BR_NUL)) {
		return br_error(c->dx, member->key.at, "%s.%s must be %s, not %s", section->name,
			member->key.s, section->needs, br_tree_type(value));
	}
	return check_rule(c, value, &section->rule, &here);
}

int br_schema_model(struct br_compose *c, struct br_tree *model) {
	int result = check_map(c, model, &br_schema_top, NULL);
	for (size_t i = 0; i < BR_SECTIONS; i++) {
		const struct br_tree *map = br_tree_get(model, br_schema_sections[i].name);
		bool is_map = map && map->kind == BR_VALUE_MAP;
		for (size_t k = 0; is_map && k < map->members.n; k++) {
			const struct br_member *member = &map->members.v[k];
			result = check_entry(c, member, &br_schema_sections[i]) ? -1 : result;
		}
	}
	return result;
}
