#include "compose.h"

#include <string.h>

/** All services, for looking one up. */
struct crowd {
	struct br_compose *c;
	struct br_draft *drafts;
	size_t n;
};

static int inherit(const struct crowd *crowd, struct br_draft *draft);

/* A mount of volumes_from gives way to the service's own, and to a later volumes_from. */
static int add(struct br_compose *c, struct br_draft *draft, const struct br_mount *mount) {
	for (size_t i = 0; i < draft->mounts.n; i++) {
		struct br_mount *other = &draft->mounts.v[i];
		if (strcmp(other->target.s, mount->target.s) != 0) {
			continue;
		}
		if (i >= draft->nown) {
			*other = *mount;
		}
		return 0;
	}
	return br_draft_mount(c, draft, mount);
}

static int copy_from(const struct crowd *crowd, struct br_draft *draft, const struct br_draft *from,
	bool read_only) {
	for (size_t i = 0; i < from->mounts.n; i++) {
		struct br_mount mount = from->mounts.v[i];
		mount.read_only = mount.read_only || read_only;
		if (mount.kind != BR_MOUNT_TMPFS && add(crowd->c, draft, &mount)) {
			return -1;
		}
	}
	return 0;
}

static int from_entry(
	const struct crowd *crowd, struct br_draft *draft, const struct br_tree *entry) {
	struct br_compose *c = crowd->c;
	if (strncmp(entry->s, "container:", 10) == 0) {
		br_warning(c->dx, entry->at,
			"the mounts of '%s' cannot be seen: it is not in this project", entry->s);
		return 0;
	}
	size_t n = strcspn(entry->s, ":");
	const char *mode = entry->s[n] ? entry->s + n + 1 : "rw";
	const char *name = br_strndup(c->arena, entry->s, n);
	if (!name) {
		return br_error_memory(c->dx);
	}
	struct br_draft *from = br_draft_find(crowd->drafts, crowd->n, name);
	if (!from || !from->on) {
		(void)br_error(c->dx, entry->at, "volumes_from refers to %s '%s'",
			from ? "a service whose profile is off," : "the undefined service", name);
		(void)br_hint_member(c, name, from ? NULL : br_tree_get(c->model, "services"));
		return -1;
	}
	if (from->inherited == 1) {
		return br_error(
			c->dx, entry->at, "volumes_from goes in a circle by way of '%s'", name);
	}
	return inherit(crowd, from) || copy_from(crowd, draft, from, strcmp(mode, "ro") == 0) ? -1
											      : 0;
}

static int inherit(const struct crowd *crowd, struct br_draft *draft) {
	const struct br_tree *list = br_tree_get(draft->service, "volumes_from");
	if (draft->inherited == 2) {
		return 0;
	}
	draft->inherited = 1;
	for (size_t i = 0; list && i < list->members.n; i++) {
		const struct br_tree *entry = list->members.v[i].value;
		if (entry->kind == BR_VALUE_STRING && from_entry(crowd, draft, entry)) {
			return -1;
		}
	}
	draft->inherited = 2;
	return 0;
}

int br_compose_inherit(struct br_compose *c, struct br_draft *drafts, size_t n) {
	struct crowd crowd = {c, drafts, n};
	for (size_t i = 0; i < n; i++) {
		if (drafts[i].on && inherit(&crowd, &drafts[i])) {
			return -1;
		}
	}
	return 0;
}
