/** What compose refuses in a service that is on although it bears on no mount. */
#include "compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** A service among all of them. */
struct part {
	struct br_compose *c;
	struct br_draft *drafts;
	size_t n;
	const struct br_draft *draft;
};

static const char *word(const struct br_tree *map, const char *key) {
	const struct br_tree *value = br_tree_get(map, key);
	return value && value->kind == BR_VALUE_STRING ? value->s : "";
}

static bool has_word(const struct br_tree *list, const char *s) {
	for (size_t i = 0; i < list->members.n; i++) {
		const struct br_tree *item = list->members.v[i].value;
		if (item->kind == BR_VALUE_STRING && strcmp(item->s, s) == 0) {
			return true;
		}
	}
	return false;
}

static int check_platform(const struct part *part, const struct br_tree *build) {
	const struct br_tree *platforms = br_tree_get(build, "platforms");
	const char *platform = word(part->draft->service, "platform");
	if (!platforms || platforms->kind != BR_VALUE_SEQ || !platforms->members.n || !*platform
		|| has_word(platforms, platform)) {
		return 0;
	}
	(void)br_error(part->c->dx, platforms->at,
		"build.platforms of service '%s' lacks its own platform '%s'", part->draft->name,
		platform);
	br_other(part->c->dx, br_tree_get(part->draft->service, "platform")->at, "the platform");
	return -1;
}

static int check_build_secrets(const struct part *part, const struct br_tree *build) {
	const struct br_tree *list = br_tree_get(build, "secrets");
	const struct br_tree *defined = br_tree_get(part->c->model, "secrets");
	int result = 0;
	for (size_t i = 0; list && i < list->members.n; i++) {
		const struct br_tree *entry = list->members.v[i].value;
		const struct br_tree *source =
			entry->kind == BR_VALUE_MAP ? br_tree_get(entry, "source") : entry;
		if (!source || source->kind != BR_VALUE_STRING || br_tree_get(defined, source->s)) {
			continue;
		}
		result = br_error(part->c->dx, source->at,
			"service '%s' refers to the undefined build secret '%s'", part->draft->name,
			source->s);
		(void)br_hint_member(part->c, source->s, defined);
	}
	return result;
}

/* A context "service:NAME" is what that service builds. */
static int check_context(const struct part *part, const char *context, struct br_span at) {
	if (strncmp(context, "service:", 8) != 0) {
		return 0;
	}
	const struct br_draft *other = br_draft_find(part->drafts, part->n, context + 8);
	if (other && other->on && other->container->build) {
		return 0;
	}
	return br_error(part->c->dx, at, "service '%s' builds on '%s', which is %s",
		part->draft->name, context + 8,
		!other              ? "not defined"
			: other->on ? "not built"
				    : "off by its profile");
}

static int check_contexts(const struct part *part, const struct br_tree *build) {
	const struct br_tree *contexts = br_tree_get(build, "additional_contexts");
	int result = 0;
	for (size_t i = 0; contexts && i < contexts->members.n; i++) {
		const struct br_tree *value = contexts->members.v[i].value;
		bool is_item = contexts->kind == BR_VALUE_SEQ;
		const char *text = value->kind == BR_VALUE_STRING ? value->s : "";
		const char *equals = is_item ? strchr(text, '=') : NULL;
		const char *context = equals ? equals + 1 : text;
		result = check_context(part, context, value->at) ? -1 : result;
	}
	return result;
}

static int check_build(const struct part *part) {
	const struct br_tree *build = br_tree_get(part->draft->service, "build");
	if (!build || build->kind != BR_VALUE_MAP) {
		return 0;
	}
	int result = check_platform(part, build);
	result = check_build_secrets(part, build) ? -1 : result;
	return check_contexts(part, build) ? -1 : result;
}

static int check_health(const struct part *part) {
	const struct br_tree *test =
		br_tree_get(br_tree_get(part->draft->service, "healthcheck"), "test");
	if (!test || test->kind != BR_VALUE_SEQ || !test->members.n) {
		return 0;
	}
	const struct br_tree *first = test->members.v[0].value;
	const char *s = first->kind == BR_VALUE_STRING ? first->s : "";
	if (strcmp(s, "CMD") == 0 || strcmp(s, "CMD-SHELL") == 0 || strcmp(s, "NONE") == 0) {
		return 0;
	}
	(void)br_error(part->c->dx, first->at,
		"healthcheck.test of service '%s' must begin with CMD, CMD-SHELL or NONE, not '%s'",
		part->draft->name, s);
	br_hint(part->c->dx, "a single string, not in a list, is run by the shell");
	return -1;
}

static int check_models(const struct part *part) {
	const struct br_tree *models = br_tree_get(part->draft->service, "models");
	const struct br_tree *defined = br_tree_get(part->c->model, "models");
	int result = 0;
	for (size_t i = 0; models && i < models->members.n; i++) {
		const struct br_member *member = &models->members.v[i];
		struct br_text name = member->key.s ? member->key : br_tree_text(member->value);
		if (!name.s || br_tree_get(defined, name.s)) {
			continue;
		}
		result = br_error(part->c->dx, name.at,
			"service '%s' refers to the undefined model '%s'", part->draft->name,
			name.s);
		(void)br_hint_member(part->c, name.s, defined);
	}
	return result;
}

/* A whole number; false where there is none. */
static bool number(const struct br_tree *value, int64_t *out) {
	if (!value || !(value->kind & (BR_VALUE_INT | BR_VALUE_STRING))) {
		return false;
	}
	errno = 0;
	*out = value->kind == BR_VALUE_INT ? value->integer : strtoll(value->s, NULL, 10);
	return !errno;
}

static int check_scale(const struct part *part) {
	struct br_compose *c = part->c;
	const struct br_tree *scale = br_tree_get(part->draft->service, "scale");
	const struct br_tree *replicas =
		br_tree_get(br_tree_get(part->draft->service, "deploy"), "replicas");
	int64_t some = 1;
	int64_t many = 1;
	bool has_many = number(replicas, &many);
	bool has_some = number(scale, &some);
	if (has_many && has_some && some != many) {
		(void)br_error(c->dx, scale->at,
			"service '%s' has a scale and another number of deploy.replicas",
			part->draft->name);
		br_other(c->dx, replicas->at, "the replicas");
		return -1;
	}
	const struct br_tree *which = has_some ? scale : replicas;
	int64_t n = has_some ? some : many;
	if (n < 0 && br_compose_has(part->c, BR_RULE_COUNTS_CHECKED)) {
		return br_error(c->dx, which->at, "service '%s' cannot run %lld times",
			part->draft->name, (long long)n);
	}
	if (n > 1 && *word(part->draft->service, "container_name")) {
		(void)br_error(c->dx, br_tree_get(part->draft->service, "container_name")->at,
			"service '%s' runs %lld times, and a container_name can be used once",
			part->draft->name, (long long)n);
		br_other(c->dx, which->at, "how often");
		return -1;
	}
	return 0;
}

/* Only a rebuild and a restart need no place in the container. */
static int check_watch(const struct part *part) {
	const struct br_tree *list =
		br_tree_get(br_tree_get(part->draft->service, "develop"), "watch");
	int result = 0;
	for (size_t i = 0; list && i < list->members.n; i++) {
		const struct br_tree *rule = list->members.v[i].value;
		const char *action = word(rule, "action");
		bool is_free = strcmp(action, "rebuild") == 0 || strcmp(action, "restart") == 0;
		if (!is_free && !*word(rule, "target")) {
			result = br_error(part->c->dx, rule->at,
				"develop.watch of service '%s': '%s' needs a target",
				part->draft->name, action);
		}
	}
	return result;
}

/* Since 2.40 two services that are on cannot have one name. */
static int check_name(const struct part *part) {
	const char *name = word(part->draft->service, "container_name");
	bool counts = *name && br_compose_has(part->c, BR_RULE_NAMES_UNIQUE);
	for (const struct br_draft *other = part->drafts; counts && other != part->draft; other++) {
		const struct br_tree *theirs = br_tree_get(other->service, "container_name");
		if (!other->on || strcmp(word(other->service, "container_name"), name) != 0) {
			continue;
		}
		(void)br_error(part->c->dx, br_tree_get(part->draft->service, "container_name")->at,
			"service '%s' has the container_name of service '%s'", part->draft->name,
			other->name);
		br_other(part->c->dx, theirs->at, "the other one");
		return -1;
	}
	return 0;
}

int br_compose_conflicts(
	struct br_compose *c, struct br_draft *drafts, size_t n, const struct br_draft *draft) {
	static int (*const checks[])(const struct part *part) = {
		check_build, check_health, check_models, check_scale, check_watch, check_name};
	const struct part part = {c, drafts, n, draft};
	int result = 0;
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		result = checks[i](&part) ? -1 : result;
	}
	return result;
}
