#include "compose.h"

#include <stdlib.h>
#include <string.h>

/** A list of words that goes into the container. */
struct words {
	const char *key;
	const struct br_text **out;
	size_t *n;
	/** A word that stands twice is refused. */
	bool unique;
};

/** An item of a list whose items must differ; a number and a string never are the same. */
struct item {
	bool is_number;
	const struct br_text *text;
};

static int compare_items(const void *a, const void *b) {
	const struct item *x = a;
	const struct item *y = b;
	int by_text = strcmp(x->text->s, y->text->s);
	return by_text ? by_text : (int)x->is_number - (int)y->is_number;
}

static int check_twice(struct br_compose *c, const struct words *words, const char *service,
	const struct br_tree *list) {
	size_t n = list->members.n;
	bool old = !br_compose_has(c, BR_RULE_NUMBERS_ARE_WORDS);
	struct item *items = BR_NEW_ARRAY(c->arena, struct item, n);
	if (!items) {
		return br_error_memory(c->dx);
	}
	for (size_t i = 0; i < n; i++) {
		bool is_number = list->members.v[i].value->kind != BR_VALUE_STRING;
		items[i] = (struct item){is_number && old, &(*words->out)[i]};
	}
	qsort(items, n, sizeof(*items), compare_items);
	for (size_t i = 1; i < n; i++) {
		if (compare_items(&items[i - 1], &items[i]) == 0) {
			bool in_order = items[i - 1].text < items[i].text;
			const struct br_text *second = items[in_order ? i : i - 1].text;
			(void)br_error(c->dx, second->at,
				"services.%s.%s has '%s' twice, and its items must be unique",
				service, words->key, second->s);
			br_other(c->dx, items[in_order ? i - 1 : i].text->at, "the first");
			return -1;
		}
	}
	return 0;
}

static int add_words(
	struct br_compose *c, const struct br_draft *draft, const struct words *words) {
	const struct br_tree *list = br_tree_get(draft->service, words->key);
	if (!list || list->kind != BR_VALUE_SEQ) {
		return 0;
	}
	struct br_text *all = BR_NEW_ARRAY(c->arena, struct br_text, list->members.n);
	if (!all) {
		return br_error_memory(c->dx);
	}
	*words->out = all;
	for (size_t i = 0; i < list->members.n; i++) {
		const struct br_tree *item = list->members.v[i].value;
		all[i] = (struct br_text){br_tree_scalar(c, item), item->at};
		if (!all[i].s) {
			return -1;
		}
	}
	*words->n = list->members.n;
	return words->unique ? check_twice(c, words, draft->name, list) : 0;
}

static int set_words(struct br_compose *c, struct br_draft *draft) {
	struct br_container *to = draft->container;
	const struct words lists[] = {
		{"group_add", &to->group_add, &to->ngroup_add, true},
		{"cap_add", &to->cap_add, &to->ncap_add, false},
		{"cap_drop", &to->cap_drop, &to->ncap_drop, false},
		{"security_opt", &to->security_opt, &to->nsecurity_opt, true},
	};
	int result = 0;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		result = add_words(c, draft, &lists[i]) ? -1 : result;
	}
	return result;
}

static void set_text(const struct br_draft *draft, const char *key, struct br_text *out) {
	const struct br_tree *value = br_tree_get(draft->service, key);
	if (value && value->kind == BR_VALUE_STRING) {
		*out = br_tree_text(value);
	}
}

/** A list, or one word. */
static int set_maps(struct br_compose *c, const struct br_draft *draft, const struct words *words) {
	struct br_text *one = BR_NEW(c->arena, struct br_text);
	if (!one) {
		return br_error_memory(c->dx);
	}
	set_text(draft, words->key, one);
	if (one->s) {
		*words->out = one;
		*words->n = 1;
		return 0;
	}
	return add_words(c, draft, words);
}

/** What podman-compose hands on to `podman run`; to other front ends these keys are comments. */
static int set_podman(struct br_compose *c, struct br_draft *draft) {
	struct br_container *to = draft->container;
	const struct words uids = {"x-podman.uidmaps", &to->uid_maps, &to->nuid_maps, false};
	const struct words gids = {"x-podman.gidmaps", &to->gid_maps, &to->ngid_maps, false};
	if (!br_engine_is_podman(c->request->engine)) {
		return 0;
	}
	set_text(draft, "x-podman.rootfs", &to->rootfs);
	if (to->rootfs.s) {
		to->rootfs.s = br_join(c->arena, c->spec->project_directory, to->rootfs.s);
		if (!to->rootfs.s) {
			return br_error_memory(c->dx);
		}
	}
	int bad = set_maps(c, draft, &uids);
	return set_maps(c, draft, &gids) || bad ? -1 : 0;
}

static int set_bool(
	struct br_compose *c, const struct br_draft *draft, const char *key, bool *out) {
	const struct br_tree *value = br_tree_get(draft->service, key);
	if (!value) {
		return 0;
	}
	const char *path = br_printf(c->arena, "services.%s.%s", draft->name, key);
	return path ? br_tree_bool(c, value, path, out) : br_error_memory(c->dx);
}

static int set_scalars(struct br_compose *c, struct br_draft *draft) {
	struct br_container *to = draft->container;
	const struct br_tree *privileged = br_tree_get(draft->service, "privileged");
	set_text(draft, "image", &to->image);
	set_text(draft, "user", &to->user);
	set_text(draft, "userns_mode", &to->userns_mode);
	set_text(draft, "network_mode", &to->network_mode);
	set_text(draft, "pid", &to->pid);
	set_text(draft, "ipc", &to->ipc);
	to->privileged_at = privileged ? privileged->at : (struct br_span){0};
	int bad = set_bool(c, draft, "privileged", &to->privileged);
	return set_bool(c, draft, "read_only", &to->read_only) || bad ? -1 : 0;
}

static int set_mounts(struct br_compose *c, struct br_draft *draft) {
	const struct br_tree *list = br_tree_get(draft->service, "volumes");
	int result = 0;
	for (size_t i = 0; list && i < list->members.n; i++) {
		result = br_volume_mount(c, draft, list->members.v[i].value, i) ? -1 : result;
		if (c->mounts > BR_COMPOSE_MOUNTS) {
			break;
		}
	}
	if (result || br_tmpfs_mounts(c, draft) || br_secret_mounts(c, draft, false)
		|| br_secret_mounts(c, draft, true) || br_socket_mount(c, draft)) {
		return -1;
	}
	draft->nown = draft->mounts.n;
	return 0;
}

int br_compose_service(struct br_compose *c, struct br_draft *draft) {
	int bad = set_scalars(c, draft);
	bad = br_compose_start(c, draft) || bad;
	bad = set_words(c, draft) || bad;
	bad = set_podman(c, draft) || bad;
	bad = br_compose_build(c, draft) || bad;
	bad = set_mounts(c, draft) || bad;
	return br_compose_wishes(c, draft->service, BR_WISHER_SERVICE, &draft->wishes) || bad ? -1
											      : 0;
}
