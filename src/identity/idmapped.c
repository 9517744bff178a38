/**
 * Podman's `:idmap`: the mount has the container's own map, so that an ID on disk is what the
 * container sees. (The kernel: mount_setattr(2), MOUNT_ATTR_IDMAP; seen with crun 1.8.1 and 1.21.
 * runc 1.1 leaves the word alone without a word.)
 */
#include "task.h"

#include <string.h>

/** Whether this mount is mapped so; br_mount_maps() says what stands in the way. */
static bool takes_effect(const struct task *t, const struct br_mount *mount) {
	const char *runtime = task_runtime(t);
	bool is_made = !runtime || strcmp(runtime, "crun") == 0;
	return is_made && strcmp(mount->idmap.s, "idmap") == 0
		&& !br_engine_is_rootless(t->mode->engine) && t->out->cred.uids.n > 0;
}

/** Each ID of the map as itself. */
static int map_on_disk(struct task *t, const struct br_idmap *map, struct br_idmap *out) {
	struct br_idmap_extent *all = BR_NEW_ARRAY(t->arena, struct br_idmap_extent, map->n);
	for (size_t i = 0; all && i < map->n; i++) {
		all[i] = map->extents[i];
		all[i].host = all[i].box;
	}
	*out = (struct br_idmap){all, map->n};
	return all ? 0 : br_error_memory(t->dx);
}

/** Groups of the host that have a number in the container, as that. */
static int groups_on_disk(struct task *t, const struct br_cred *from, struct br_cred *to) {
	br_hostid *groups = BR_NEW_ARRAY(t->arena, br_hostid, from->ngroups + 1);
	size_t n = 0;
	for (size_t i = 0; groups && i < t->out->ngroups; i++) {
		br_hostid host;
		if (br_idmap_to_host(&from->gids, t->out->groups[i], &host)) {
			groups[n++].v = t->out->groups[i].v; // sorted as they are
		}
	}
	to->groups = groups;
	to->ngroups = n;
	return groups ? 0 : br_error_memory(t->dx);
}

static int see_from_disk(struct task *t) {
	struct br_identity *seen = BR_NEW(t->arena, struct br_identity);
	if (!seen) {
		return br_error_memory(t->dx);
	}
	*seen = *t->out;
	seen->id_mapped = true;
	seen->cred.uid.v = t->out->uid.v;
	seen->cred.gid.v = t->out->gid.v;
	t->out->on_disk = seen;
	return map_on_disk(t, &t->out->cred.uids, &seen->cred.uids)
			|| map_on_disk(t, &t->out->cred.gids, &seen->cred.gids)
			|| groups_on_disk(t, &t->out->cred, &seen->cred)
		? -1
		: 0;
}

int idmapped_settle(struct task *t) {
	bool any = false;
	for (size_t i = 0; i < t->box->nmounts; i++) {
		const struct br_mount *mount = &t->box->mounts[i];
		any = (mount->idmap.s && takes_effect(t, mount)) || any;
	}
	return any && !t->out->unmapped ? see_from_disk(t) : 0;
}

const struct br_identity *br_identity_on_mount(
	const struct br_identity *identity, const struct br_mount *mount) {
	bool mapped = mount->idmap.s && strcmp(mount->idmap.s, "idmap") == 0;
	return mapped && identity->on_disk ? identity->on_disk : identity;
}
