/** Podman's --hostuser: accounts of the host that the container gets. */
#include "task.h"

#include <string.h>

/** What Podman before 4.7 makes of a number: its digits are taken for octal ones. False where they
 * are none: it fails. */
static bool as_octal(uint32_t id, uint32_t *out) {
	uint32_t value = 0;
	for (uint32_t rest = id, unit = 1; rest; rest /= 10, unit *= 8) {
		if (rest % 10 > 7) {
			return false;
		}
		value += rest % 10 * unit;
	}
	*out = value;
	return true;
}

/** The host user that the words name and that has this name. */
static const struct br_host_user *find(struct task *t, const char *name) {
	struct br_hostdb *db = t->mode->hostdb;
	for (size_t i = 0; db && i < t->box->nhost_users; i++) {
		const struct br_host_user *user = br_hostdb_user_said(db, t->box->host_users[i].s);
		if (user && strcmp(user->name, name) == 0) {
			return user;
		}
	}
	return NULL;
}

int host_users_find(struct task *t, const char *s, size_t n, const char **why) {
	struct br_image_user *entry = BR_NEW(t->arena, struct br_image_user);
	const char *name = br_strndup(t->arena, s, n);
	if (!entry || !name) {
		return br_error_memory(t->dx);
	}
	const struct br_host_user *user = find(t, name);
	if (!user) {
		return 0;
	}
	*entry = (struct br_image_user){.name = user->name, .uid = user->uid.v, .gid = user->gid.v};
	if (task_engine_has(t, BR_TRAIT_OCTAL_HOST_USER)
		&& (!as_octal(entry->uid, &entry->uid) || !as_octal(entry->gid, &entry->gid))) {
		*why = "this version of Podman reads the numbers of --hostuser in base 8: the engine will refuse to start it";
		return 0;
	}
	t->entry = entry;
	return 1;
}
