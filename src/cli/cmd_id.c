/** id: who a container's UID is on the host. */
#include "cli.h"

#include <base/own.h>
#include <base/text.h>
#include <doc/json.h>

#include <stdlib.h>
#include <string.h>

/** Docker without userns-remap: every ID is itself. */
static const char assumption[] = "docker without userns-remap: every ID is itself";

static char *text_answer(uint32_t uid, const struct br_host_user *user) {
	struct br_buf buf = {0};
	br_buf_addf(&buf, "uid %u in the container is uid %u on the host, ", uid, uid);
	if (user) {
		br_buf_add(&buf, "the user '");
		br_buf_escape(&buf, user->name, strlen(user->name));
		br_buf_add(&buf, "'");
	} else {
		br_buf_add(&buf, "which is nobody's");
	}
	br_buf_addf(&buf, ", and back (%s)\n", assumption);
	return br_buf_take(&buf);
}

static char *json_answer(uint32_t uid, const struct br_host_user *user) {
	br_auto(br_json_freep) struct br_json *json = br_json_new();
	if (!json) {
		return NULL;
	}
	br_json_string(json, "schema", "bindright.id/1");
	br_json_string(json, "engine", "docker");
	br_json_string(json, "assumption", assumption);
	br_json_int(json, "uid", uid);
	br_json_int(json, "host_uid", uid);
	br_json_bytes(json, "host_user", user ? user->name : NULL);
	return br_json_take(json, false, NULL);
}

static int answer(const struct cli *cli, uint32_t uid) {
	br_auto(br_hostdb_freep) struct br_hostdb *db =
		br_hostdb_read(cli->args->sysroot.s ? cli->args->sysroot.s : "/", cli->dx);
	if (!db) {
		return CLI_USAGE;
	}
	const struct br_host_user *user = br_hostdb_user(db, (br_hostid){uid});
	br_auto(br_freep) char *bytes = cli_style(cli).format == BR_FORMAT_JSON
		? json_answer(uid, user)
		: text_answer(uid, user);
	if (!bytes) {
		return (br_error_memory(cli->dx), CLI_FAILED);
	}
	return cli_write(cli, bytes, strlen(bytes)) ? CLI_FAILED : CLI_FITS;
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
	"Says who a container's UID is on this host, and back. This version knows Docker without",
	"userns-remap, where every ID is itself, and says so.",
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
