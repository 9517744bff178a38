#include "compose.h"

#include <base/text.h>

#include <string.h>

enum {
	NEAR_WORD = 64,
	NEAR_MESSAGES = 50,
	NEAR_NAMES = 256,
	LISTED_NAMES = 8,
};

static const struct br_span nowhere = {0};

struct br_draft *br_draft_find(struct br_draft *drafts, size_t n, const char *name) {
	for (size_t i = 0; i < n; i++) {
		if (strcmp(drafts[i].name, name) == 0) {
			return &drafts[i];
		}
	}
	return NULL;
}

const char *br_compose_near(
	const struct br_compose *c, const char *word, const char *const *names) {
	bool is_short = strnlen(word, NEAR_WORD) < NEAR_WORD;
	return is_short && br_diags_count(c->dx) < NEAR_MESSAGES ? br_nearest(word, names) : NULL;
}

bool br_hint_member(struct br_compose *c, const char *word, const struct br_tree *map) {
	const char *names[NEAR_NAMES + 1] = {0};
	for (size_t i = 0; map && i < map->members.n && i < NEAR_NAMES; i++) {
		names[i] = map->members.v[i].key.s;
	}
	const char *near = br_compose_near(c, word, names);
	if (near) {
		br_hint(c->dx, "did you mean '%s'?", near);
	}
	return near != NULL;
}

static bool is_in(const char *name, const char *list) {
	// Of an empty list there is one name, the empty one.
	for (bool more = true; more;) {
		size_t n = strcspn(list, ",");
		const char *from = list;
		const char *to = list + n;
		while (from < to && (*from == ' ' || *from == '\t')) {
			from++;
		}
		while (to > from && (to[-1] == ' ' || to[-1] == '\t')) {
			to--;
		}
		size_t len = (size_t)(to - from);
		if ((len == 1 && *from == '*')
			|| (len == strlen(name) && memcmp(from, name, len) == 0)) {
			return true;
		}
		more = list[n] == ',';
		list += n + more;
	}
	return false;
}

/* --profile, else COMPOSE_PROFILES; "*" is all of them. */
static bool is_active(const struct br_compose *c, const char *profile) {
	const char *const *given = c->request->profiles;
	for (size_t i = 0; i < c->profiles.n; i++) {
		if (strcmp(c->profiles.v[i], profile) == 0) {
			return true;
		}
	}
	if (!given || !given[0]) {
		const struct br_var *var = br_env_get(&c->env, "COMPOSE_PROFILES");
		return is_in(profile, var ? var->value : "");
	}
	for (size_t i = 0; given[i]; i++) {
		if (strcmp(given[i], "*") == 0 || strcmp(given[i], profile) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_on(const struct br_compose *c, const struct br_tree *service) {
	const struct br_tree *profiles = br_tree_get(service, "profiles");
	if (!profiles || !profiles->members.n) {
		return true;
	}
	for (size_t i = 0; i < profiles->members.n; i++) {
		const char *profile = profiles->members.v[i].value->s;
		if (profile && is_active(c, profile)) {
			return true;
		}
	}
	return false;
}

static int switch_on(struct br_compose *c, const struct br_tree *service) {
	const struct br_tree *profiles =
		is_on(c, service) ? NULL : br_tree_get(service, "profiles");
	for (size_t i = 0; profiles && i < profiles->members.n; i++) {
		const char *profile = profiles->members.v[i].value->s;
		if (profile && br_vec_push(c->arena, &c->profiles, profile)) {
			return br_error_memory(c->dx);
		}
	}
	return 0;
}

/* What is no service may be a file; else they are listed, if they are few. */
static void hint_service(struct br_compose *c, const char *word) {
	const struct br_tree *services = br_tree_get(c->model, "services");
	size_t n = services ? services->members.n : 0;
	const char *list = "";
	if (strchr(word, '/') || strchr(word, '.')) {
		br_hint(c->dx, "services are named here; a compose file is given as: -f FILE");
		return;
	}
	for (size_t i = 0; i < n && n <= LISTED_NAMES && list; i++) {
		list = br_printf(
			c->arena, "%s%s'%s'", list, i ? ", " : "", services->members.v[i].key.s);
	}
	if (!br_hint_member(c, word, services) && list && *list) {
		br_hint(c->dx, "the services are: %s", list);
	}
}

/* Naming a service switches its profiles on (so that it finds what it depends on), and leaves out
 * the others but those. */
static int choose(struct br_compose *c, struct br_draft *drafts, size_t n) {
	const char *const *names = c->request->services;
	const struct br_span *at = c->request->services_at;
	int result = 0;
	bool all = !names || !names[0];
	for (size_t i = 0; !all && names[i]; i++) {
		struct br_draft *draft = br_draft_find(drafts, n, names[i]);
		if (draft) {
			draft->selected = true;
			result = switch_on(c, draft->service) ? -1 : result;
			continue;
		}
		result = br_error(c->dx, at ? at[i] : nowhere, "no such service: '%s'", names[i]);
		hint_service(c, names[i]);
	}
	for (size_t i = 0; i < n; i++) {
		drafts[i].on = drafts[i].selected || is_on(c, drafts[i].service);
		drafts[i].selected = all ? drafts[i].on : drafts[i].selected;
	}
	return result;
}

static int fill(struct br_compose *c, struct br_draft *draft, const struct br_member *member) {
	draft->name = member->key.s;
	draft->service = member->value;
	draft->container = BR_NEW(c->arena, struct br_container);
	if (!draft->container) {
		return br_error_memory(c->dx);
	}
	draft->container->name = member->key;
	draft->container->at = member->value->at;
	return br_compose_service(c, draft);
}

/* What the others mount of the host: nobody asked about those. */
static int claim(struct br_compose *c, const struct br_draft *drafts, size_t n) {
	br_vec(struct br_claim) claims = {0};
	for (size_t i = 0; i < n; i++) {
		const struct br_draft *draft = &drafts[i];
		for (size_t k = 0; !draft->selected && k < draft->mounts.n; k++) {
			const struct br_mount *mount = &draft->mounts.v[k];
			struct br_claim one = {draft->container->name, mount->source};
			bool claims_it = br_mount_on_host(mount) && mount->source.s[0] == '/';
			if (claims_it && br_vec_push(c->arena, &claims, one)) {
				return br_error_memory(c->dx);
			}
		}
	}
	c->spec->claims = claims.v;
	c->spec->nclaims = claims.n;
	return 0;
}

static int give_out(
	struct br_compose *c, struct br_draft *drafts, size_t n, const struct br_wishes *top) {
	struct br_container *out = BR_NEW_ARRAY(c->arena, struct br_container, n);
	size_t k = 0;
	if (!out) {
		return br_error_memory(c->dx);
	}
	for (size_t i = 0; i < n; i++) {
		if (!drafts[i].selected) {
			continue;
		}
		if (br_compose_spread_wishes(c, top, &drafts[i])) {
			return -1;
		}
		drafts[i].container->mounts = drafts[i].mounts.v;
		drafts[i].container->nmounts = drafts[i].mounts.n;
		out[k++] = *drafts[i].container;
	}
	c->spec->containers = out;
	c->spec->n = k;
	return claim(c, drafts, n);
}

int br_compose_select(struct br_compose *c) {
	const struct br_tree *services = br_tree_get(c->model, "services");
	struct br_draft *drafts = BR_NEW_ARRAY(c->arena, struct br_draft, services->members.n);
	size_t n = 0;
	int result = 0;
	if (!drafts) {
		return br_error_memory(c->dx);
	}
	if (services->members.n > BR_COMPOSE_SERVICES) {
		return br_error(c->dx, services->at, "more than %d services in one project",
			BR_COMPOSE_SERVICES);
	}
	struct br_wishes top = {0};
	result = br_compose_wishes(c, c->model, BR_WISHER_TOP, &top);
	br_compose_idle_wishes(c);
	for (size_t i = 0; i < services->members.n; i++) {
		const struct br_member *member = &services->members.v[i];
		if (!member->value->reset) {
			result = fill(c, &drafts[n++], member) ? -1 : result;
		}
	}
	if (result || choose(c, drafts, n) || br_compose_consistent(c, drafts, n)
		|| br_compose_inherit(c, drafts, n)) {
		return -1;
	}
	if (!c->request->no_deps && br_compose_draw_in(c, drafts, n)) {
		return -1;
	}
	return give_out(c, drafts, n, &top);
}
