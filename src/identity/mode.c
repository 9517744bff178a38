/** How the engine runs containers: whose rules, and in which user namespace. */
#include "caps.h"
#include "daemon.h"
#include "hostdb.h"
#include "settings.h"
#include "subids.h"

#include <base/text.h>

#include <stdio.h>
#include <string.h>

/** A mode under construction. */
struct making {
	struct br_arena *arena;
	struct br_diags *dx;
	struct br_hostdb *db;
	const struct br_engine_request *request;
	br_vec(struct br_origin) origins;
	struct br_engine_mode *out;
};

static int note(struct making *m, const char *field, const char *from, const struct br_text *text) {
	struct br_origin origin = {.field = field, .from = from};
	if (text) {
		origin.text = *text;
	}
	return br_vec_push(m->arena, &m->origins, origin) ? br_error_memory(m->dx) : 0;
}

static int note_where(struct making *m, const char *field, const char *from, const char *where) {
	struct br_origin origin = {.field = field, .from = from, .where = where};
	return br_vec_push(m->arena, &m->origins, origin) ? br_error_memory(m->dx) : 0;
}

enum br_engine br_engine_choose(const struct br_engine_request *request) {
	const struct br_engine_info *info = request->info;
	if (request->engine.s) {
		return br_engine_named(request->engine.s);
	}
	bool podman = info ? info->is_podman : br_engine_is_podman(request->input);
	if (request->input == BR_ENGINE_OCI) {
		return BR_ENGINE_OCI;
	}
	// A run line of one engine is nothing to the other one.
	if (info
		&& (request->input == BR_ENGINE_UNSAID
			|| podman == br_engine_is_podman(request->input))
		&& !request->by_root) {
		return podman ? (info->is_rootless ? BR_ENGINE_PODMAN_ROOTLESS : BR_ENGINE_PODMAN)
			      : (info->is_rootless ? BR_ENGINE_DOCKER_ROOTLESS : BR_ENGINE_DOCKER);
	}
	if (request->input == BR_ENGINE_PODMAN && !request->by_root && request->invoker.v != 0) {
		return BR_ENGINE_PODMAN_ROOTLESS;
	}
	return request->input == BR_ENGINE_UNSAID ? BR_ENGINE_DOCKER : request->input;
}

// ---- version ----

/** Digits up to 99. */
static bool read_part(const char *s, size_t n, unsigned *out) {
	char part[4] = "";
	uint32_t value;
	if (n == 0 || n >= sizeof(part)) {
		return false;
	}
	memcpy(part, s, n);
	if (br_parse_u32(part, 99, &value)) {
		return false;
	}
	*out = value;
	return true;
}

static int settle_version(struct making *m) {
	const struct br_text *word = &m->request->version;
	const struct br_engine_info *info = m->request->info;
	unsigned major;
	unsigned minor;
	if (!word->s) {
		bool same = info && info->is_podman == br_engine_is_podman(m->out->engine);
		m->out->version =
			same && info->version ? info->version : br_engine_newest(m->out->engine);
		return 0;
	}
	size_t n = strcspn(word->s, ".");
	if (!word->s[n] || !read_part(word->s, n, &major)
		|| !read_part(word->s + n + 1, strlen(word->s + n + 1), &minor)) {
		(void)br_error(m->dx, word->at, "'%s' is no version of an engine", word->s); // -1
		br_hint(m->dx, "write it as MAJOR.MINOR: --engine-version 4.3");
		return -1;
	}
	m->out->version = major * 100 + minor;
	return 0;
}

// ---- who runs it ----

static const struct br_host_user *find_user(struct making *m, const struct br_text *word) {
	uint32_t uid;
	const struct br_host_user *user = br_hostdb_user_named(m->db, word->s);
	if (!user && br_parse_u32(word->s, BR_NO_ID - 1, &uid) == 0) {
		user = br_hostdb_user(m->db, (br_hostid){uid});
	}
	if (!user) {
		(void)br_error(m->dx, word->at, "there is no host user '%s'", word->s); // -1
	}
	return user;
}

static int settle_root(struct making *m) {
	const struct br_text *word = &m->request->user;
	if (word->s) {
		(void)br_error(m->dx, word->at, "root runs this engine ('%s')",
			br_engine_name(m->out->engine)); // -1
		br_hint(m->dx,
			"a rootless one has a user: --engine docker-rootless, or podman-rootless");
		return -1;
	}
	m->out->cred = (struct br_cred){.caps = br_caps_all(), .umask = 022};
	return 0;
}

static int settle_user(struct making *m) {
	const struct br_text *word = &m->request->user;
	const struct br_host_user *user;
	if (!br_engine_is_rootless(m->out->engine)) {
		return settle_root(m);
	}
	user = word->s ? find_user(m, word) : br_hostdb_user(m->db, m->request->invoker);
	if (!user) {
		return word->s ? -1
			       : br_error(m->dx, m->request->engine.at,
				       "uid %u, who runs the engine, is no host user",
				       m->request->invoker.v);
	}
	if (user->uid.v == 0) {
		(void)br_error(m->dx, word->s ? word->at : m->request->engine.at,
			"root runs no rootless engine"); // -1
		br_hint(m->dx, "say who does: --engine-user NAME");
		return -1;
	}
	m->out->user = user;
	if (br_hostdb_cred(m->db, m->arena, user, &m->out->cred)) {
		return br_error_memory(m->dx);
	}
	struct br_text name = {user->name, word->at};
	return note(m, "engine user", word->s ? "--engine-user" : "the invoking user", &name);
}

// ---- maps ----

/** Extents that the kernel takes; otherwise an error at the words of the first that it does not. */
static int check_map(struct making *m, const struct subids *ids) {
	struct br_idmap map = {ids->extents.v, ids->extents.n};
	size_t bad;
	if (br_idmap_valid(&map, &bad)) {
		return 0;
	}
	const struct br_text *word = &ids->words.v[bad];
	if (bad >= 340) {
		return br_error(m->dx, word->at, "a user namespace has at most 340 ranges");
	}
	if (bad == 0) {
		return br_error(
			m->dx, word->at, "the kernel does not take the range '%s'", word->s);
	}
	const struct br_idmap_extent *e = &ids->extents.v[bad];
	for (size_t i = 0; i < bad; i++) {
		const struct br_idmap_extent *d = &ids->extents.v[i];
		if (d->host < e->host + e->count && e->host < d->host + d->count) {
			(void)br_error(m->dx, word->at, "the range '%s' overlaps %s", word->s,
				ids->words.v[i].s ? "another one" : "the user's own ID"); // -1
			if (ids->words.v[i].s) {
				br_other(m->dx, ids->words.v[i].at, "the other one");
			}
			br_hint(m->dx,
				"the kernel refuses such a map, so the engine will not start");
			return -1;
		}
	}
	return br_error(m->dx, word->at, "the kernel does not take the range '%s'", word->s);
}

static int note_ranges(struct making *m, const struct subids *ids, bool groups) {
	for (size_t i = 0; i < ids->words.n; i++) {
		if (ids->words.v[i].s
			&& note(m, groups ? "gid map" : "uid map", groups ? "subgid" : "subuid",
				&ids->words.v[i])) {
			return -1;
		}
	}
	return 0;
}

/** Without root, 0 is the user himself. */
static int add_self(struct making *m, bool groups, struct subids *ids) {
	const struct br_host_user *user = m->out->user;
	struct br_idmap_extent self = {0, groups ? user->gid.v : user->uid.v, 1};
	struct br_text nowhere = {.s = NULL};
	return br_vec_push(m->arena, &ids->extents, self)
			|| br_vec_push(m->arena, &ids->words, nowhere)
		? br_error_memory(m->dx)
		: 0;
}

/** As subids_add(), and the map is one that the kernel takes. */
static int add_ranges(
	struct making *m, const struct br_host_user *user, bool groups, struct subids *ids) {
	struct subid_request request = {
		.name = user->name,
		.uid = user->uid.v,
		.merged = br_engine_is_rootless(m->out->engine),
		.groups = groups,
	};
	int found = subids_add(m->arena, m->db, &request, ids, m->dx);
	return found > 0 && check_map(m, ids) ? -1 : found;
}

static int refuse_without_ranges(
	struct making *m, struct br_span at, const struct br_host_user *user, bool groups) {
	(void)br_error(m->dx, at, "'%s' has no range in '%s', and without one %s does not start",
		user->name, hostdb_subids(m->db, groups)->name,
		br_engine_title(m->out->engine)); // -1
	br_hint(m->dx, "give it one: usermod --add-sub%ss 100000-165535 %s", groups ? "gid" : "uid",
		user->name);
	return -1;
}

static int settle_maps(struct making *m, struct subids *uids, struct subids *gids) {
	m->out->uids = (struct br_idmap){uids->extents.v, uids->extents.n};
	m->out->gids = (struct br_idmap){gids->extents.v, gids->extents.n};
	return note_ranges(m, uids, false) || note_ranges(m, gids, true) ? -1 : 0;
}

static int settle_rootless(struct making *m) {
	struct subids uids = {0};
	struct subids gids = {0};
	if (add_self(m, false, &uids) || add_self(m, true, &gids)) {
		return -1;
	}
	int found = add_ranges(m, m->out->user, false, &uids);
	int more = found < 0 ? -1 : add_ranges(m, m->out->user, true, &gids);
	if (more < 0) {
		return -1;
	}
	if ((!found || !more) && !br_engine_is_podman(m->out->engine)) {
		return refuse_without_ranges(m, m->request->engine.at, m->out->user, found);
	}
	if (!found || !more) {
		// Podman goes on with the user alone, in both maps.
		uids.extents.n = gids.extents.n = 1;
		uids.words.n = gids.words.n = 1;
		br_warning(m->dx, m->request->engine.at,
			"'%s' has no range in '%s': Podman maps nothing but root, to that user",
			m->out->user->name, hostdb_subids(m->db, found)->name);
	}
	return settle_maps(m, &uids, &gids);
}

/** `at` is what asked for it. */
static int remap_to(struct making *m, struct br_span at, const struct br_host_user *user) {
	struct subids uids = {0};
	struct subids gids = {0};
	int found = add_ranges(m, user, false, &uids);
	int more = found <= 0 ? found : add_ranges(m, user, true, &gids);
	if (more <= 0) {
		return more < 0 ? -1 : refuse_without_ranges(m, at, user, found > 0);
	}
	return settle_maps(m, &uids, &gids);
}

/** "/var/lib/docker/100000.200000": the maps' first IDs. */
static bool read_root_dir(const char *dir, uint32_t *uid, uint32_t *gid) {
	const char *name = strrchr(dir, '/');
	const char *dot = name ? strchr(name, '.') : NULL;
	char digits[16] = "";
	if (!dot || (size_t)(dot - name) > sizeof(digits)) {
		return false;
	}
	memcpy(digits, name + 1, (size_t)(dot - name) - 1);
	return br_parse_u32(digits, BR_NO_ID - 1, uid) == 0
		&& br_parse_u32(dot + 1, BR_NO_ID - 1, gid) == 0;
}

/** The running daemon remaps, though daemon.json does not say so: an option of its command line,
 * whose user the name of its directory tells. */
static int remap_by_directory(struct making *m) {
	const struct br_engine_info *info = m->request->info;
	uint32_t uid;
	uint32_t gid;
	const struct br_host_user *user = NULL;
	const char *owner = NULL;
	if (read_root_dir(info->root_dir, &uid, &gid)) {
		owner = br_hostdb_subuid_owner(m->db, (br_hostid){uid});
	}
	if (owner) {
		user = find_user(m, &(struct br_text){.s = owner});
	}
	int failed = owner && (!user || remap_to(m, (struct br_span){0}, user));
	bool fits = user && !failed && m->out->uids.extents[0].host == uid
		&& m->out->gids.extents[0].host == gid;
	if (failed) {
		return -1;
	}
	if (!fits) {
		m->out->why = "the running engine remaps users, and nothing here says to whom";
		return 0;
	}
	return note_where(m, "engine", "the running engine", info->socket);
}

static int settle_remap(struct making *m) {
	const struct br_engine_info *info = m->request->info;
	struct br_text word;
	const struct br_host_user *user = NULL;
	bool later = false;
	if (daemon_read_remap(m->arena, m->db, m->request, &word, m->dx)) {
		return -1;
	}
	if (info && !info->is_podman && !info->is_rootless && !m->request->daemon_config.s
		&& info->has_userns != (word.s != NULL)) {
		if (!word.s) {
			return remap_by_directory(m);
		}
		br_warning(m->dx, word.at,
			"the engine that runs now does not remap users: it was started before this, or with another file");
		return 0;
	}
	int found = word.s ? daemon_find_user(m->db, &word, &user, &later, m->dx) : 0;
	if (found < 0 || (word.s && note(m, "engine", "daemon.json", &word))) {
		return -1;
	}
	if (later) {
		m->out->why =
			"userns-remap makes the user dockremap, and its range of IDs, when dockerd starts";
	}
	return found ? remap_to(m, word.at, user) : 0;
}

/** Podman's files; what a running service says of its runtime it has from those that it was started
 * with. */
static int settle_settings(struct making *m) {
	struct br_engine_mode *out = m->out;
	if (settings_read(m->arena, m->request, out, m->dx)) {
		return -1;
	}
	if (!out->runtime && out->settings.runtime.s && *out->settings.runtime.s) {
		out->runtime = out->settings.runtime.s;
	}
	return 0;
}

static int make(struct making *m) {
	struct br_engine_mode *out = m->out;
	const struct br_engine_request *request = m->request;
	const struct br_engine_info *info = request->info;
	out->engine = br_engine_choose(request);
	out->hostdb = m->db;
	out->runtime = info && *info->runtime ? info->runtime : NULL;
	if (request->daemon_config.s && out->engine != BR_ENGINE_DOCKER) {
		return br_error(m->dx, request->daemon_config.at,
			"daemon.json is Docker's, and says nothing about '%s'",
			br_engine_name(out->engine));
	}
	if (request->engine.s && note(m, "engine", "--engine", &request->engine)) {
		return -1;
	}
	if (settle_version(m) || settle_user(m)) {
		return -1;
	}
	if (br_engine_is_podman(out->engine) && !request->exists && settle_settings(m)) {
		return -1;
	}
	switch (out->engine) {
	case BR_ENGINE_DOCKER:
		return settle_remap(m);
	case BR_ENGINE_DOCKER_ROOTLESS:
	case BR_ENGINE_PODMAN_ROOTLESS:
		return settle_rootless(m);
	case BR_ENGINE_UNSAID:
	case BR_ENGINE_PODMAN:
	case BR_ENGINE_OCI:
		break;
	}
	return 0;
}

const struct br_engine_mode *br_engine_mode_read(struct br_arena *arena,
	const struct br_engine_request *request, struct br_hostdb *db, struct br_diags *dx) {
	struct making m = {
		.arena = arena,
		.dx = dx,
		.db = db,
		.request = request,
		.out = BR_NEW(arena, struct br_engine_mode),
	};
	if (!m.out) {
		(void)br_error_memory(dx); // it always says -1
		return NULL;
	}
	if (make(&m)) {
		return NULL;
	}
	m.out->origins = m.origins.v;
	m.out->norigins = m.origins.n;
	return m.out;
}
