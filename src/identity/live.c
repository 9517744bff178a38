/** A container that runs: its process is who the kernel says. */
#include "caps.h"
#include "task.h"

#include <stdlib.h>

/** Where it is from. */
static int note(struct task *t, const char *field) {
	struct br_origin origin = {.field = field, .from = "process"};
	origin.text.at = t->box->name.at;
	origin.where = br_printf(t->arena, "/proc/%u/status", t->existing->process.pid);
	return !origin.where || br_vec_push(t->arena, &t->origins, origin) ? br_error_memory(t->dx)
									   : 0;
}

static int compare(const void *a, const void *b) {
	uint32_t x = ((const br_boxid *)a)->v;
	uint32_t y = ((const br_boxid *)b)->v;
	return (x > y) - (x < y);
}

/** As the container sees them; it sees no number for those that its map lacks. */
static int see_groups(struct task *t) {
	const struct br_cred *cred = &t->out->cred;
	br_boxid gid = t->out->gid;
	for (size_t i = 0; i < cred->ngroups; i++) {
		br_boxid group;
		if (br_idmap_to_box(&cred->gids, cred->groups[i], &group) && group.v != gid.v
			&& task_add_group(t, group)) {
			return -1;
		}
	}
	if (task_add_group(t, gid)) {
		return -1;
	}
	qsort(t->groups.v, t->groups.n, sizeof(*t->groups.v), compare);
	t->out->groups = t->groups.v;
	t->out->ngroups = t->groups.n;
	return 0;
}

int live_settle(struct task *t, struct br_caps *caps) {
	const struct br_process *process = &t->existing->process;
	struct br_identity *out = t->out;
	out->cred = (struct br_cred){
		.uid = process->uid,
		.gid = process->gid,
		.groups = process->groups,
		.ngroups = process->ngroups,
		.caps = process->caps,
		.uids = process->uids,
		.gids = process->gids,
		.umask = process->umask,
	};
	// What runs cannot lack a mapping.
	out->unmapped = !br_idmap_to_box(&process->uids, process->uid, &out->uid)
		|| !br_idmap_to_box(&process->gids, process->gid, &out->gid);
	t->entry = accounts_user(t->image, out->uid.v);
	out->account = t->entry && *t->entry->name ? t->entry->name : NULL;
	*caps = (struct br_caps){.bounding = process->bounding};
	t->space.uids = process->uids;
	t->space.gids = process->gids;
	if (see_groups(t) || note(t, "uid") || note(t, "gid") || note(t, "groups")
		|| note(t, "capabilities")) {
		return -1;
	}
	out->origins = t->origins.v;
	out->norigins = t->origins.n;
	return 0;
}
