#include "compose.h"

#include <string.h>

static int undefined_volume(
	struct br_compose *c, const char *service, const struct br_mount *mount) {
	const char *name = mount->source.s;
	(void)br_error(c->dx, mount->source.at, "service '%s' refers to the undefined volume '%s'",
		service, name);
	if (strchr(name, '/')) {
		br_hint(c->dx, "for a directory of the host write ./%s", name);
		return -1;
	}
	const struct br_tree *volumes = br_tree_get(c->model, "volumes");
	if (volumes && volumes->members.n) {
		(void)br_hint_member(c, name, volumes);
	} else {
		br_hint(c->dx,
			"declare it under a top-level 'volumes:', or write ./%s for a directory",
			name);
	}
	return -1;
}

static int check_volumes(struct br_compose *c, const struct br_draft *draft) {
	const struct br_tree *volumes = br_tree_get(c->model, "volumes");
	int result = 0;
	for (size_t i = 0; i < draft->mounts.n; i++) {
		const struct br_mount *mount = &draft->mounts.v[i];
		bool is_named =
			mount->kind == BR_MOUNT_VOLUME && mount->source.s && *mount->source.s;
		if (is_named && !br_tree_get(volumes, mount->source.s)) {
			result = undefined_volume(c, draft->name, mount);
		}
	}
	return result;
}

static int check_grants(
	struct br_compose *c, const struct br_draft *draft, const char *section, const char *what) {
	const struct br_tree *list = br_tree_get(draft->service, section);
	const struct br_tree *defined = br_tree_get(c->model, section);
	int result = 0;
	for (size_t i = 0; list && i < list->members.n; i++) {
		const struct br_tree *entry = list->members.v[i].value;
		const struct br_tree *source =
			entry->kind == BR_VALUE_MAP ? br_tree_get(entry, "source") : entry;
		if (!source || !source->s || br_tree_get(defined, source->s)) {
			continue;
		}
		result = br_error(c->dx, source->at, "service '%s' refers to the undefined %s '%s'",
			draft->name, what, source->s);
		(void)br_hint_member(c, source->s, defined);
	}
	return result;
}

static int check_networks(struct br_compose *c, const struct br_draft *draft) {
	const struct br_tree *list = br_tree_get(draft->service, "networks");
	const struct br_tree *defined = br_tree_get(c->model, "networks");
	const struct br_text *mode = &draft->container->network_mode;
	int result = 0;
	if (list && list->members.n && mode->s && *mode->s) {
		result = br_error(c->dx, mode->at,
			"service '%s' has both network_mode and networks", draft->name);
		br_other(c->dx, list->at, "the networks");
	}
	for (size_t i = 0; list && i < list->members.n; i++) {
		const struct br_member *member = &list->members.v[i];
		struct br_text name = member->key.s ? member->key : br_tree_text(member->value);
		if (!name.s || strcmp(name.s, "default") == 0 || br_tree_get(defined, name.s)) {
			continue;
		}
		result = br_error(c->dx, name.at,
			"service '%s' refers to the undefined network '%s'", draft->name, name.s);
		(void)br_hint_member(c, name.s, defined);
	}
	return result;
}

static int check_service(
	struct br_compose *c, struct br_draft *drafts, size_t n, const struct br_draft *draft) {
	const struct br_container *container = draft->container;
	int result = 0;
	bool has_image = container->image.s && *container->image.s;
	if (!has_image && !container->build && !br_tree_get(draft->service, "provider")) {
		result = br_error(c->dx, container->name.at,
			"service '%s' has neither an image nor a build", draft->name);
	}
	if (draft->second.s) {
		result = br_error(c->dx, draft->second.at, "two mounts have the target '%s'",
			draft->second.s);
		br_other(c->dx, draft->first_at, "the first one");
	}
	result = check_volumes(c, draft) ? -1 : result;
	result = check_grants(c, draft, "secrets", "secret") ? -1 : result;
	result = check_grants(c, draft, "configs", "config") ? -1 : result;
	result = check_networks(c, draft) ? -1 : result;
	return br_compose_conflicts(c, drafts, n, draft) ? -1 : result;
}

static bool has(const struct br_tree *map, const char *key) {
	const struct br_tree *value = br_tree_get(map, key);
	return value && value->kind != BR_VALUE_NULL
		&& !(value->kind == BR_VALUE_BOOL && !value->boolean);
}

static int check_sources(struct br_compose *c, const char *section, bool content) {
	const struct br_tree *map = br_tree_get(c->model, section);
	int result = 0;
	for (size_t i = 0; map && i < map->members.n; i++) {
		const struct br_member *member = &map->members.v[i];
		const struct br_tree *value = member->value;
		bool good = has(value, "file") || has(value, "environment")
			|| has(value, "external") || (content && has(value, "content"));
		if (!good && !value->reset) {
			result = br_error(c->dx, member->key.at,
				"%s.%s needs one of file%s, environment and external", section,
				member->key.s, content ? ", content" : "");
		}
	}
	return result;
}

int br_compose_consistent(struct br_compose *c, struct br_draft *drafts, size_t n) {
	int result = 0;
	for (size_t i = 0; i < n; i++) {
		if (drafts[i].on && check_service(c, drafts, n, &drafts[i])) {
			result = -1;
		}
	}
	result = check_sources(c, "secrets", false) ? -1 : result;
	result = check_sources(c, "configs", true) ? -1 : result;
	return br_compose_dependencies(c, drafts, n) ? -1 : result;
}
