/** From what a container is to what its process will be on the host: maps, groups, capabilities. */
#include "task.h"

#include <base/text.h>

#include <stdlib.h>
#include <string.h>

/** The umask of a container's process where nothing says another one; Docker has no option for it. */
#define ENGINE_UMASK 022

static int compare_boxids(const void *a, const void *b) {
	uint32_t x = ((const br_boxid *)a)->v;
	uint32_t y = ((const br_boxid *)b)->v;
	return (x > y) - (x < y);
}

static void sort_groups(struct task *t) {
	qsort(t->groups.v, t->groups.n, sizeof(*t->groups.v), compare_boxids);
	size_t n = 0;
	for (size_t i = 0; i < t->groups.n; i++) {
		if (n == 0 || t->groups.v[i].v != t->groups.v[n - 1].v) {
			t->groups.v[n++] = t->groups.v[i];
		}
	}
	t->groups.n = n;
	t->out->groups = t->groups.v;
	t->out->ngroups = n;
}

static int compare_hostids(const void *a, const void *b) {
	uint32_t x = ((const br_hostid *)a)->v;
	uint32_t y = ((const br_hostid *)b)->v;
	return (x > y) - (x < y);
}

/** The umask in octal digits; the engine refuses others. */
static int settle_umask(struct task *t) {
	bool is_said = t->box->umask.s || t->box->exists;
	const struct br_text *word = is_said ? &t->box->umask : &t->mode->settings.umask;
	uint32_t umask = 0;
	t->out->cred.umask = ENGINE_UMASK;
	if (!word->s) {
		return 0;
	}
	size_t n = strspn(word->s, "01234567");
	if (n == 0 || n > 4 || word->s[n]) {
		return br_error(t->dx, word->at, "'%s' is no umask: it is one to four octal digits",
			word->s);
	}
	for (size_t i = 0; i < n; i++) {
		umask = umask * 8 + (uint32_t)(word->s[i] - '0');
	}
	// The kernel takes no more than the nine bits.
	t->out->cred.umask = umask & 0777;
	return 0;
}

static bool is_added(const struct task *t, br_boxid gid) {
	for (size_t i = 0; i < t->added.n; i++) {
		if (t->added.v[i].v == gid.v) {
			return true;
		}
	}
	return false;
}

/**
 * The supplementary groups on the host. One without a mapping stops the engine; only Podman leaves
 * out such groups of the image (libpod, generateSpec).
 */
static int map_groups(struct task *t) {
	struct br_identity *out = t->out;
	struct br_cred *cred = &out->cred;
	br_hostid *groups = BR_NEW_ARRAY(t->arena, br_hostid, t->groups.n);
	size_t n = 0;
	if (!groups) {
		return br_error_memory(t->dx);
	}
	for (size_t i = 0; i < t->groups.n; i++) {
		br_boxid gid = t->groups.v[i];
		bool is_mapped = br_idmap_to_host(&cred->gids, gid, &groups[cred->ngroups]);
		bool is_wanted = gid.v == out->gid.v || !br_engine_is_podman(t->mode->engine)
			|| is_added(t, gid);
		cred->ngroups += is_mapped;
		if (is_mapped || is_wanted) {
			t->groups.v[n++] = gid;
		}
		out->unmapped |= is_wanted && !is_mapped;
	}
	qsort(groups, cred->ngroups, sizeof(*groups), compare_hostids);
	cred->groups = groups;
	out->ngroups = t->groups.n = n;
	return 0;
}

/** The groups of who runs the engine, which the container sees as far as they are mapped. */
static void keep_groups(struct task *t) {
	struct br_identity *out = t->out;
	out->cred.groups = t->mode->cred.groups;
	out->cred.ngroups = t->mode->cred.ngroups;
	out->groups_unsure = false;
	t->groups.v[0] = out->gid;
	out->ngroups = t->groups.n = 1;
}

/** What the container's IDs are on the host. A user or group without a mapping stops the engine. */
static int map_to_host(struct task *t) {
	struct br_identity *out = t->out;
	struct br_cred *cred = &out->cred;
	cred->uids = t->space.uids;
	cred->gids = t->space.gids;
	out->unmapped = !br_idmap_to_host(&cred->uids, out->uid, &cred->uid)
		|| !br_idmap_to_host(&cred->gids, out->gid, &cred->gid);
	if (t->keeps_groups) {
		keep_groups(t);
	} else if (map_groups(t)) {
		return -1;
	}
	return settle_umask(t);
}

static int note_caps(struct task *t, const struct br_text *words, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (task_note(t, "capabilities", t->input, &words[i])) {
			return -1;
		}
	}
	return 0;
}

/** What root has where nothing is added or dropped. */
static int note_defaults(struct task *t) {
	const struct br_engine_settings *s = &t->mode->settings;
	// A list that is empty has no place of its own.
	return s->ncaps ? task_note(t, "capabilities", "containers.conf", &s->caps[0])
			: task_note(t, "capabilities",
				s->has_caps ? "containers.conf" : "engine default", NULL);
}

/** A program that it runs gives it nothing that it has not: "no-new-privileges", in each of its
 * spellings. */
static bool keeps_privileges(const struct br_container *box) {
	const char *name = "no-new-privileges";
	size_t n = strlen(name);
	for (size_t i = 0; i < box->nsecurity_opt; i++) {
		const char *s = box->security_opt[i].s;
		if (strncmp(s, name, n) == 0
			&& (!s[n]
				|| ((s[n] == ':' || s[n] == '=')
					&& strcmp(s + n + 1, "true") == 0))) {
			return true;
		}
	}
	return false;
}

/**
 * Root has the bounding set in effect; others have the ambient one, which Docker leaves empty. Whom
 * Podman does not know for root by the word, though he is ("00", a name with UID 0), has the
 * ambient set first and the bounding one by execve(2) alone, if that may.
 */
static int settle_caps(struct task *t, const struct br_caps *caps) {
	const struct br_container *box = t->box;
	bool root = t->out->uid.v == 0;
	// Podman goes by the word: no ambient ones where it takes the user for root.
	bool as_root = !t->text.s || !*t->text.s || task_is(t->word.user.s, t->word.user.n, "root")
		|| task_is(t->word.user.s, t->word.user.n, "0") || t->word.user.n == 0;
	bool unknown_root = br_engine_is_podman(t->mode->engine) && !as_root && !t->pin
		&& !box->has_caps && keeps_privileges(box);
	bool is_said = box->literal || box->has_caps;
	t->out->cred.caps = root && !unknown_root ? caps->bounding
		: as_root && !is_said && !t->pin  ? 0
						  : caps->ambient;
	if (is_said) {
		return root ? note_caps(t, box->cap_bounding, box->ncap_bounding)
			    : note_caps(t, box->cap_ambient, box->ncap_ambient);
	}
	if (!root) {
		return caps->ambient ? note_caps(t, box->cap_add, box->ncap_add)
				     : task_note(t, "capabilities", "engine default", NULL);
	}
	if (box->privileged) {
		struct br_text text = {.s = "privileged", .at = box->privileged_at};
		return task_note(t, "capabilities", t->input, &text);
	}
	if (caps->from_label) {
		struct br_text text = {.s = t->image->capabilities_label};
		return task_note_image(t, "capabilities", &text, NULL);
	}
	if (note_defaults(t) || note_caps(t, box->cap_drop, box->ncap_drop)) {
		return -1;
	}
	return note_caps(t, box->cap_add, box->ncap_add);
}

/** From what the maps are. */
static int note_maps(struct task *t) {
	const struct br_engine_mode *mode = t->mode;
	const char *from = t->space.from ? t->space.from : t->input;
	if (t->space.word.s && task_note(t, "user namespace", from, &t->space.word)) {
		return -1;
	}
	for (size_t i = 0; t->space.uids.n > 0 && i < mode->norigins; i++) {
		if (br_vec_push(t->arena, &t->origins, mode->origins[i])) {
			return br_error_memory(t->dx);
		}
	}
	return 0;
}

int task_finish(struct task *t, const struct br_caps *caps) {
	// The engine lists the group itself among the supplementary ones, and Podman that of
	// keep-id whoever runs.
	if (task_add_group(t, t->out->gid)
		|| (t->space.has_user && task_add_group(t, (br_boxid){t->space.gid}))) {
		return -1;
	}
	sort_groups(t);
	if (settle_caps(t, caps) || map_to_host(t) || note_maps(t)) {
		return -1;
	}
	t->out->origins = t->origins.v;
	t->out->norigins = t->origins.n;
	return idmapped_settle(t);
}
