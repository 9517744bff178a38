/** The user namespace that a container is in: the engine's own, one inside it, or none. */
#include "hostdb.h"
#include "map_words.h"
#include "subids.h"
#include "task.h"

#include <base/text.h>

#include <string.h>

/** "keep-id:uid=1,gid=2": the mode, and what stands behind its colon. */
static bool is_mode(const struct br_text *word, const char *mode, const char **rest) {
	size_t n = strlen(mode);
	if (!word->s || strncmp(word->s, mode, n) != 0 || (word->s[n] && word->s[n] != ':')) {
		return false;
	}
	*rest = word->s[n] ? word->s + n + 1 : "";
	return true;
}

static bool is_host(const struct br_text *word) {
	return word->s && strcmp(word->s, "host") == 0;
}

static int take_engine_space(struct task *t) {
	t->space.uids = t->mode->uids;
	t->space.gids = t->mode->gids;
	return 1;
}

// ---- Docker ----

/** What a daemon with userns-remap refuses to bring together (moby,
 * verifyPlatformContainerSettings). */
static const char *conflict_of_remap(const struct br_container *box) {
	if (box->privileged) {
		return "privileged mode is incompatible with userns-remap";
	}
	if (is_host(&box->network_mode)) {
		return "the host's network cannot be shared under userns-remap";
	}
	if (is_host(&box->pid)) {
		return "the host's PID namespace cannot be shared under userns-remap";
	}
	return NULL;
}

/** Docker has one word, "host"; others change nothing. */
static int settle_docker(struct task *t) {
	const struct br_container *box = t->box;
	bool remaps = t->mode->uids.n > 0 || t->mode->why;
	if (br_engine_is_rootless(t->mode->engine)) {
		return take_engine_space(t);
	}
	if (!remaps || is_host(&box->userns_mode)) {
		if (remaps) {
			t->space.word = box->userns_mode;
		}
		return 1;
	}
	const char *conflict = conflict_of_remap(box);
	if (conflict) {
		return task_refused(t,
			br_printf(t->arena,
				"%s without \"userns_mode: host\": the engine will refuse to start it",
				conflict));
	}
	return t->mode->why ? task_refused(t, t->mode->why) : take_engine_space(t);
}

// ---- maps in words ----

static int read_map(
	struct task *t, bool groups, const struct br_text *words, size_t n, struct br_idmap *out) {
	struct map_request request = {
		.words = words,
		.n = n,
		.groups = groups,
		.parent = groups ? &t->mode->gids : &t->mode->uids,
		.flags = task_engine_has(t, BR_TRAIT_MAP_FLAGS),
	};
	return map_words_read(t->arena, &request, out, t->dx);
}

/** How many IDs a map holds. */
static uint64_t size_of(const struct br_idmap *map) {
	uint64_t n = 0;
	for (size_t i = 0; i < map->n; i++) {
		n += map->extents[i].count;
	}
	return n;
}

/** Set the space to one inside the engine's. 1, 0 where the kernel will refuse it, -1. */
static int take_inner(struct task *t, const struct br_idmap *uids, const struct br_idmap *gids) {
	if (br_idmap_compose(t->arena, &t->mode->uids, uids, &t->space.uids)
		|| br_idmap_compose(t->arena, &t->mode->gids, gids, &t->space.gids)) {
		return br_error_memory(t->dx);
	}
	if (size_of(&t->space.uids) != size_of(uids) || size_of(&t->space.gids) != size_of(gids)) {
		return task_refused(t,
			"its maps name IDs that the engine's own user namespace lacks: the engine will refuse to start it");
	}
	return 1;
}

/** Of a container or a pod that exists the maps are all that is left of keep-id: the engine's user
 * is somebody else than root in it. Its group is one of the process's, whoever that is. */
static void keep_group(struct task *t, const struct br_idmap *uids, const struct br_idmap *gids) {
	br_boxid uid;
	br_boxid gid;
	if ((t->box->exists || t->box->pod.s) && t->mode->user
		&& br_idmap_to_box(uids, (br_hostid){0}, &uid)
		&& br_idmap_to_box(gids, (br_hostid){0}, &gid) && uid.v != 0) {
		t->space.has_user = true;
		t->space.uid = uid.v;
		t->space.gid = gid.v;
	}
}

/** --uidmap and --gidmap; one alone counts for both, and where a rootless engine's words leave one
 * out, that one has all IDs. */
static int settle_words(struct task *t) {
	const struct br_container *box = t->box;
	bool both = box->nuid_maps && box->ngid_maps;
	const struct br_text *uid_words = box->nuid_maps ? box->uid_maps : box->gid_maps;
	const struct br_text *gid_words = box->ngid_maps ? box->gid_maps : box->uid_maps;
	struct br_idmap uids;
	struct br_idmap gids;
	size_t nuids = box->nuid_maps ? box->nuid_maps : box->ngid_maps;
	size_t ngids = box->ngid_maps ? box->ngid_maps : box->nuid_maps;
	bool literal = t->mode->engine == BR_ENGINE_OCI;
	if (literal && !both) {
		return task_refused(t,
			"it has maps for users or for groups alone: the runtime will refuse to start it");
	}
	if (read_map(t, false, uid_words, nuids, &uids)
		|| read_map(t, true, gid_words, ngids, &gids)) {
		return -1;
	}
	if (uids.n == 0 && map_words_fill(t->arena, &t->mode->uids, &uids)) {
		return br_error_memory(t->dx);
	}
	if (gids.n == 0 && map_words_fill(t->arena, &t->mode->gids, &gids)) {
		return br_error_memory(t->dx);
	}
	if (uids.n == 0 || gids.n == 0) {
		return task_refused(t,
			"its maps leave out all users or all groups: the engine will refuse to start it");
	}
	t->space.word = uid_words[0];
	keep_group(t, &uids, &gids);
	return take_inner(t, &uids, &gids);
}

/** Podman's --subuidname and --subgidname; one alone counts for both. */
static int settle_names(struct task *t) {
	const struct br_text *words[] = {&t->box->subuid_name, &t->box->subgid_name};
	struct subids ids[2] = {0};
	if (t->mode->user) {
		return task_refused(t,
			"--subuidname takes ranges of the host, which a rootless Podman cannot map");
	}
	for (size_t i = 0; i < 2; i++) {
		const struct br_text *word = words[i]->s ? words[i] : words[1 - i];
		const struct br_host_user *user = br_hostdb_user_named(t->mode->hostdb, word->s);
		struct subid_request request = {
			.name = word->s,
			.uid = user ? user->uid.v : BR_NO_ID,
			.merged = true,
			.groups = i == 1,
		};
		int found = subids_add(t->arena, t->mode->hostdb, &request, &ids[i], t->dx);
		if (found <= 0) {
			return found < 0
				? -1
				: br_error(t->dx, word->at, "'%s' has no range in '%s'", word->s,
					hostdb_subids(t->mode->hostdb, i == 1)->name);
		}
	}
	t->space.word = words[0]->s ? *words[0] : *words[1];
	return take_inner(t, &(struct br_idmap){ids[0].extents.v, ids[0].extents.n},
		&(struct br_idmap){ids[1].extents.v, ids[1].extents.n});
}

/** The maps that the container of this name has, as long as it is not made anew. */
static int settle_existing(struct task *t) {
	const struct br_engine_container *other = t->existing;
	struct br_idmap uids;
	struct br_idmap gids;
	t->space.from = other->is_pod ? "pod" : "existing container";
	if (!other->nuid_maps || !other->ngid_maps) {
		return take_engine_space(t);
	}
	if (read_map(t, false, other->uid_maps, other->nuid_maps, &uids)
		|| read_map(t, true, other->gid_maps, other->ngid_maps, &gids)) {
		return -1;
	}
	keep_group(t, &uids, &gids);
	return take_inner(t, &uids, &gids);
}

// ---- keep-id and nomap ----

/** The options of keep-id. */
struct keep {
	uint32_t uid;
	uint32_t gid;
	/** At most so many IDs; 0: all. */
	uint32_t size;
	bool has_uid;
	bool has_gid;
};

static int refuse_option(struct task *t, const char *option, size_t n) {
	return br_error(t->dx, t->space.word.at, "'%.*s' is no option of keep-id", (int)n, option);
}

static int read_keep_option(struct task *t, const char *s, size_t n, struct keep *out) {
	const struct {
		const char *name;
		uint32_t *value;
		bool *has;
		enum br_trait trait;
	} all[] = {
		{"uid=", &out->uid, &out->has_uid, BR_TRAIT_KEEP_ID_NUMBERS},
		{"gid=", &out->gid, &out->has_gid, BR_TRAIT_KEEP_ID_NUMBERS},
		{"size=", &out->size, NULL, BR_TRAIT_KEEP_ID_SIZE},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		size_t len = strlen(all[i].name);
		if (n <= len || memcmp(s, all[i].name, len) != 0) {
			continue;
		}
		const char *digits = br_strndup(t->arena, s + len, n - len);
		if (!digits) {
			return br_error_memory(t->dx);
		}
		if (!task_engine_has(t, all[i].trait)) {
			return br_error(t->dx, t->space.word.at,
				"this version of Podman does not know '%.*s' of keep-id", (int)n,
				s);
		}
		if (all[i].has) {
			*all[i].has = true;
		}
		return br_parse_u32(digits, INT32_MAX, all[i].value) ? refuse_option(t, s, n) : 0;
	}
	return refuse_option(t, s, n);
}

static int read_keep(struct task *t, const char *s, struct keep *out) {
	while (*s) {
		size_t n = strcspn(s, ",");
		if (read_keep_option(t, s, n, out)) {
			return -1;
		}
		s += n + (s[n] == ',');
	}
	return 0;
}

/** IDs of the subordinate ranges: all of the engine's namespace but the user himself. */
static uint32_t count_ranges(const struct br_idmap *map) {
	return (uint32_t)(size_of(map) - 1);
}

/** The container's `id` is the engine's user, and the IDs round it are the ranges' in order
 * (containers/podman, getRootlessKeepIDMapping). */
static int keep_map(struct task *t, const struct br_idmap *parent, uint32_t id, uint32_t size,
	struct br_idmap *out) {
	struct br_idmap_extent *e = BR_NEW_ARRAY(t->arena, struct br_idmap_extent, 3);
	uint32_t most = count_ranges(parent);
	size_t n = 0;
	if (!e) {
		return br_error_memory(t->dx);
	}
	most = size && size - 1 < most ? size - 1 : most;
	if (most > 0 && id != 0) {
		e[n++] = (struct br_idmap_extent){0, 1, id < most ? id : most};
	}
	e[n++] = (struct br_idmap_extent){id, 0, 1};
	if (most > id) {
		e[n++] = (struct br_idmap_extent){id + 1, id + 1, most - id};
	}
	*out = (struct br_idmap){e, n};
	return 0;
}

static void choose_user(struct task *t, uint32_t uid, uint32_t gid) {
	t->space.has_user = true;
	t->space.uid = uid;
	t->space.gid = gid;
}

/** With root there is nobody to keep. */
static int settle_rootful_keep(struct task *t, const struct keep *keep) {
	if (!task_engine_has(t, BR_TRAIT_ROOTFUL_KEEP_ID)) {
		return task_refused(t,
			"this version of Podman knows keep-id only without root: the engine will refuse to start it");
	}
	choose_user(t, keep->uid, keep->gid);
	return 1;
}

static int settle_keep(struct task *t, const char *options) {
	const struct br_host_user *user = t->mode->user;
	struct keep keep = {0};
	struct br_idmap uids;
	struct br_idmap gids;
	if (read_keep(t, options, &keep)) {
		return -1;
	}
	t->space.is_keep_id = true;
	if (!user) {
		return settle_rootful_keep(t, &keep);
	}
	uint32_t uid = keep.has_uid ? keep.uid : user->uid.v;
	uint32_t gid = keep.has_gid ? keep.gid : user->gid.v;
	if ((!uid || !gid) && count_ranges(&t->mode->uids) > 0
		&& !task_engine_has(t, BR_TRAIT_KEEP_ID_ZERO)) {
		return task_refused(t,
			"this version of Podman makes a wrong map of keep-id with 0: the engine will refuse to start it");
	}
	if (keep_map(t, &t->mode->uids, uid, keep.size, &uids)
		|| keep_map(t, &t->mode->gids, gid, keep.size, &gids)) {
		return -1;
	}
	choose_user(t, uid, gid);
	return take_inner(t, &uids, &gids);
}

/** The ranges alone, without the user. */
static int nomap(struct task *t, const struct br_idmap *parent, struct br_idmap *out) {
	struct br_idmap_extent *e = BR_NEW(t->arena, struct br_idmap_extent);
	if (!e) {
		return br_error_memory(t->dx);
	}
	*e = (struct br_idmap_extent){0, 1, count_ranges(parent)};
	*out = (struct br_idmap){e, 1};
	return 0;
}

static int settle_nomap(struct task *t) {
	struct br_idmap uids;
	struct br_idmap gids;
	if (!t->mode->user) {
		return task_refused(
			t, "nomap is for a rootless Podman: the engine will refuse to start it");
	}
	if (count_ranges(&t->mode->uids) == 0) {
		return task_refused(
			t, "nomap needs subordinate IDs: the engine will refuse to start it");
	}
	if (nomap(t, &t->mode->uids, &uids) || nomap(t, &t->mode->gids, &gids)) {
		return -1;
	}
	choose_user(t, 0, 0);
	return take_inner(t, &uids, &gids);
}

// ---- Podman ----

static int settle_mode(struct task *t, const struct br_text *word) {
	const char *rest;
	t->space.word = *word;
	if (is_mode(word, "keep-id", &rest)) {
		return settle_keep(t, rest);
	}
	if (is_mode(word, "nomap", &rest)) {
		return settle_nomap(t);
	}
	if (is_mode(word, "auto", &rest)) {
		return t->existing
			? settle_existing(t)
			: task_refused(t,
				"under \"auto\" the engine chooses the IDs of the host when it makes the container");
	}
	if (is_mode(word, "ns", &rest) || is_mode(word, "container", &rest)) {
		return task_refused(t,
			br_printf(t->arena, "the user namespace '%s' is made by somebody else",
				word->s));
	}
	if (is_mode(word, "private", &rest)) {
		return task_refused(t,
			"a private user namespace needs maps: the engine will refuse to start it");
	}
	if (is_mode(word, "host", &rest) || !*word->s) {
		return take_engine_space(t);
	}
	return br_error(t->dx, word->at, "'%s' is no user namespace that Podman knows", word->s);
}

static int settle_podman(struct task *t) {
	const struct br_container *box = t->box;
	bool maps = box->nuid_maps || box->ngid_maps;
	bool names = box->subuid_name.s || box->subgid_name.s;
	if ((maps || names) && box->userns_mode.s && *box->userns_mode.s) {
		return task_refused(t,
			"its maps and its user namespace exclude each other: the engine will refuse to start it");
	}
	if (box->pod.s && *box->pod.s && box->userns_mode.s && *box->userns_mode.s) {
		return task_refused(t,
			"a container in a pod takes no user namespace of its own (--userns): the engine will refuse to start it");
	}
	if (maps) {
		return settle_words(t);
	}
	if (names) {
		return settle_names(t);
	}
	if (box->userns_mode.s && *box->userns_mode.s) {
		return settle_mode(t, &box->userns_mode);
	}
	const char *from = t->mode->settings.userns_from;
	bool shares = box->pod.s && !(t->existing && t->existing->alone);
	if (shares && from && strcmp(from, "PODMAN_USERNS") == 0 && !box->exists) {
		return task_refused(t,
			"PODMAN_USERNS gives it another user namespace than its pod's: the engine will refuse to start it");
	}
	if (shares && t->existing && !box->exists) {
		t->space.word = box->pod;
		return settle_existing(t);
	}
	if (shares) {
		return task_refused(t,
			br_printf(t->arena, "it is in the pod '%s', whose user namespace counts",
				box->pod.s));
	}
	if (t->mode->settings.userns.s && !box->exists) {
		t->space.from = t->mode->settings.userns_from;
		return settle_mode(t, &t->mode->settings.userns);
	}
	return take_engine_space(t);
}

int space_settle(struct task *t) {
	switch (t->mode->engine) {
	case BR_ENGINE_UNSAID:
	case BR_ENGINE_DOCKER:
	case BR_ENGINE_DOCKER_ROOTLESS:
		return settle_docker(t);
	case BR_ENGINE_PODMAN:
	case BR_ENGINE_PODMAN_ROOTLESS:
		return settle_podman(t);
	case BR_ENGINE_OCI:
		return t->box->nuid_maps || t->box->ngid_maps ? settle_words(t) : 1;
	}
	return 1;
}
