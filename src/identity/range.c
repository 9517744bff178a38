/**
 * IDs above the largest that runtimes take. An image's files may have them, and the engine passes
 * them on; runc (libcontainer's user.go, as moby's) takes such a number only where the container's
 * own passwd or group has it. The last one of 32 bits is no ID to the kernel (setuid(2), EINVAL),
 * whatever the files say.
 */
#include "task.h"

#include <base/text.h>

static bool has_uid(const struct br_image *image, uint32_t uid) {
	return uid <= BR_BOX_ID_MAX || (uid != BR_NO_ID && accounts_user(image, uid));
}

static bool has_gid(const struct br_image *image, uint32_t gid) {
	bool found = gid <= BR_BOX_ID_MAX;
	for (size_t i = 0; !found && gid != BR_NO_ID && i < image->ngroups; i++) {
		found = image->groups[i].gid == gid && !image->groups[i].wraps;
	}
	return found;
}

int range_settle(struct task *t) {
	const struct br_identity *out = t->out;
	const char *what = has_uid(t->image, out->uid.v) ? NULL : "uid";
	uint32_t id = out->uid.v;
	if (!what && !has_gid(t->image, out->gid.v)) {
		what = "gid";
		id = out->gid.v;
	}
	for (size_t i = 0; !what && i < t->groups.n; i++) {
		if (!has_gid(t->image, t->groups.v[i].v)) {
			what = "group";
			id = t->groups.v[i].v;
		}
	}
	if (!what) {
		return 1;
	}
	return task_refused(t,
		br_printf(t->arena, "its %s %u is above %d: the engine will refuse to start it",
			what, id, BR_BOX_ID_MAX));
}
