/** id: who a container's UID is on the host, and the other way round. */
#include "session.h"

#include <base/own.h>
#include <base/shorten.h>
#include <doc/json.h>

#include <stdlib.h>
#include <string.h>

/** The answer to one question. */
struct answer {
	uint32_t id;
	/** The container's ID on the host, as a user and as a group; false: it has none there. */
	br_hostid uid;
	br_hostid gid;
	bool has_uid;
	bool has_gid;
	/** The host's ID in the container. */
	br_boxid box;
	bool has_box;
	/** Whose it is on the host, or NULL; and in whose subordinate range it lies, or NULL. */
	const struct br_host_user *user;
	const char *range;
	const struct br_engine_mode *mode;
};

/** What the answer rests on. */
static void add_ground(struct br_buf *buf, const struct br_engine_mode *mode) {
	br_buf_add(buf, br_engine_name(mode->engine));
	if (mode->user) {
		br_buf_add(buf, " run by '");
		br_buf_escape(buf, mode->user->name, strlen(mode->user->name));
		br_buf_add(buf, "'");
	} else if (mode->uids.n > 0) {
		br_buf_add(buf, " with userns-remap");
	} else if (mode->engine == BR_ENGINE_DOCKER) {
		br_buf_add(buf, " without userns-remap: every ID is itself");
	} else {
		br_buf_add(buf, ": every ID is itself");
	}
}

static void add_owner(struct br_buf *buf, const struct answer *a) {
	const char *name = a->user ? a->user->name : a->range;
	if (!name) {
		br_buf_add(buf, "which no host user has");
		return;
	}
	br_buf_add(buf, a->user ? "the user '" : "one of the subordinate IDs of '");
	br_buf_name(buf, name);
	br_buf_add(buf, "'");
}

static char *text_answer(const struct answer *a) {
	struct br_buf buf = {0};
	bool same = a->has_uid && a->uid.v == a->id && a->has_box && a->box.v == a->id;
	br_buf_addf(&buf, "uid %u in the container ", a->id);
	if (a->has_uid) {
		br_buf_addf(&buf, "is uid %u on the host, ", a->uid.v);
		add_owner(&buf, a);
	} else {
		br_buf_add(&buf, "has no mapping: nothing can run as it");
	}
	if (same) {
		br_buf_add(&buf, ", and back");
	} else if (a->has_box) {
		br_buf_addf(
			&buf, "; uid %u on the host is uid %u in the container", a->id, a->box.v);
	} else {
		br_buf_addf(&buf, "; uid %u on the host has no mapping: the container sees 65534",
			a->id);
	}
	struct br_buf ground = {0};
	add_ground(&ground, a->mode);
	br_buf_add(&buf, " (");
	br_buf_shorten_words(&buf, ground.n ? ground.s : "", ground.n);
	br_buf_add(&buf, ")\n");
	buf.failed |= ground.failed;
	br_buf_release(&ground);
	return br_buf_take(&buf);
}

static void json_id(struct br_json *json, const char *key, bool has, uint32_t id) {
	if (has) {
		br_json_int(json, key, id);
	} else {
		br_json_null(json, key);
	}
}

static void json_map(struct br_json *json, const char *key, const struct br_idmap *map) {
	br_json_array(json, key);
	for (size_t i = 0; i < map->n; i++) {
		br_json_array(json, NULL);
		br_json_int(json, NULL, map->extents[i].box);
		br_json_int(json, NULL, map->extents[i].host);
		br_json_int(json, NULL, map->extents[i].count);
		br_json_end(json);
	}
	br_json_end(json);
}

static char *json_answer(const struct answer *a) {
	struct br_buf ground = {0};
	br_auto(br_json_freep) struct br_json *json = br_json_new();
	add_ground(&ground, a->mode);
	if (!json || ground.failed) {
		br_buf_release(&ground);
		return NULL;
	}
	br_json_string(json, "schema", "bindright.id/1");
	br_json_string(json, "engine", br_engine_name(a->mode->engine));
	br_json_bytes(json, "engine_user", a->mode->user ? a->mode->user->name : NULL);
	br_json_string(json, "assumption", ground.s);
	br_json_int(json, "uid", a->id);
	json_id(json, "host_uid", a->has_uid, a->uid.v);
	json_id(json, "host_gid", a->has_gid, a->gid.v);
	br_json_bytes(json, "host_user", a->user ? a->user->name : NULL);
	json_id(json, "container_uid", a->has_box, a->box.v);
	json_map(json, "uid_map", &a->mode->uids);
	json_map(json, "gid_map", &a->mode->gids);
	br_buf_release(&ground);
	return br_json_take(json, false, NULL);
}

/** 0, or -1 with an error. */
static int find_answer(struct session *session, struct answer *a) {
	const struct br_engine_mode *mode = session->mode;
	a->mode = mode;
	if (mode->why) {
		return br_error(session->cli->dx, (struct br_span){0},
			"the maps of '%s' are not known: %s", br_engine_name(mode->engine),
			mode->why);
	}
	a->has_uid = br_idmap_to_host(&mode->uids, (br_boxid){a->id}, &a->uid);
	a->has_gid = br_idmap_to_host(&mode->gids, (br_boxid){a->id}, &a->gid);
	a->has_box = br_idmap_to_box(&mode->uids, (br_hostid){a->id}, &a->box);
	if (a->has_uid) {
		a->user = br_hostdb_user(session->hostdb, a->uid);
		a->range = br_hostdb_subuid_owner(session->hostdb, a->uid);
	}
	return 0;
}

static int answer(const struct cli *cli, uint32_t uid) {
	struct session session = {.cli = cli};
	struct answer a = {.id = uid};
	int status = CLI_USAGE;
	session.hostdb = br_hostdb_read(cli->args->sysroot.s ? cli->args->sysroot.s : "/", cli->dx);
	if (session.hostdb && session_engine(&session) == 0 && find_answer(&session, &a) == 0) {
		br_auto(br_freep) char *bytes =
			cli_style(cli).format == BR_FORMAT_JSON ? json_answer(&a) : text_answer(&a);
		status = !bytes ? (br_error_memory(cli->dx), CLI_FAILED)
			: cli_write(cli, bytes, strlen(bytes)) ? CLI_FAILED
							       : CLI_FITS;
	}
	session_release(&session);
	return status;
}

static int run_id(const struct cli *cli) {
	const struct cli_words *words = &cli->args->words;
	uint32_t uid;
	if (words->n != 1) {
		(void)br_error(cli->dx, words->n ? words->v[1].at : (struct br_span){0},
			words->n ? "id takes one UID" : "id needs a UID");
		br_hint(cli->dx, "for example: bindright id 1001");
		return CLI_USAGE;
	}
	if (br_parse_u32(words->v[0].s, BR_NO_ID - 1, &uid)) {
		(void)br_error(cli->dx, words->v[0].at, "'%s' is no UID", words->v[0].s);
		br_hint(cli->dx, "digits only, from 0 to 4294967294");
		return CLI_USAGE;
	}
	return answer(cli, uid);
}

static const char *const details[] = {
	"Says who a container's UID is on this host, and who the host's UID of that number is in the",
	"container, as the engine maps them: Docker with or without userns-remap, Docker and Podman",
	"without root (--engine, --engine-user).",
	NULL,
};

const struct cli_command cmd_id = {
	.name = "id",
	.bit = CLI_ID,
	.arguments = "UID",
	.summary = "say who a container's UID is on the host",
	.details = details,
	.run = run_id,
};
