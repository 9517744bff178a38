/** Which engine is meant, and where it is asked about itself. */
#include "session.h"

#include <base/file.h>
#include <base/text.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/** The path of "unix:///run/x.sock"; NULL for anything else. */
static const char *path_of(const char *host) {
	return strncmp(host, "unix://", 7) == 0 ? host + 7 : NULL;
}

/** The socket of a user's engine, in his runtime directory. */
static const char *user_socket(struct session *session, uint32_t uid, const char *name) {
	const struct cli_world *world = session->cli->world;
	const char *dir = uid == world->euid ? cli_getenv(world, "XDG_RUNTIME_DIR") : NULL;
	return dir && *dir ? br_printf(&session->arena, "%s/%s", dir, name)
			   : br_printf(&session->arena, "/run/user/%u/%s", uid, name);
}

/** Where this engine listens if the environment says nothing; NULL for those that do not. */
static const char *usual_socket(struct session *session, enum br_engine engine, uint32_t uid) {
	switch (engine) {
	case BR_ENGINE_UNSAID:
	case BR_ENGINE_DOCKER:
		return "/var/run/docker.sock";
	case BR_ENGINE_DOCKER_ROOTLESS:
		return user_socket(session, uid, "docker.sock");
	case BR_ENGINE_PODMAN:
		return "/run/podman/podman.sock";
	case BR_ENGINE_PODMAN_ROOTLESS:
		return user_socket(session, uid, "podman/podman.sock");
	case BR_ENGINE_OCI:
		break;
	}
	return NULL;
}

/** The engine's socket, where there is one that may be asked. Another root's engine is none of ours. */
static const char *find_socket(struct session *session, enum br_engine engine, uint32_t uid) {
	const struct cli *cli = session->cli;
	const char *name = br_engine_is_podman(engine) ? "CONTAINER_HOST" : "DOCKER_HOST";
	const char *host = cli_getenv(cli->world, name);
	const char *path = NULL;
	if (engine == BR_ENGINE_OCI) {
		return NULL;
	}
	if (host && *host) {
		path = path_of(host);
	} else if (!cli->args->sysroot.s) {
		path = usual_socket(session, engine, uid);
	}
	return path && faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0 ? path : NULL;
}

/** Whose engine it is, if it is a user's: the one that is named, else the invoker. */
static uint32_t find_owner(struct session *session) {
	const struct br_text *word = &session->cli->args->engine_user;
	const struct br_host_user *user =
		word->s ? br_hostdb_user_named(session->hostdb, word->s) : NULL;
	uint32_t uid = session->cli->world->invoker;
	if (word->s && !user && br_parse_u32(word->s, BR_NO_ID - 1, &uid)) {
		uid = session->cli->world->invoker; // the mode's reader will complain
	}
	return user ? user->uid.v : uid;
}

int session_engine(struct session *session) {
	const struct cli *cli = session->cli;
	const struct cli_args *args = cli->args;
	struct br_engine_info info;
	struct br_engine_request request = {
		.engine = args->engine,
		.user = args->engine_user,
		.daemon_config = args->daemon_config,
		.version = args->engine_version,
		.input = session->spec ? session->spec->engine : BR_ENGINE_UNSAID,
		.by_root = session->spec && session->spec->by_root,
		.invoker = {cli->world->invoker},
		.environment = cli->world->environment,
	};
	uint32_t owner = find_owner(session);
	session->socket = find_socket(session, br_engine_choose(&request), owner);
	int found = session->socket
		? br_engine_info_read(&session->arena, session->socket, &info, cli->dx)
		: 0;
	if (found < 0) {
		return -1;
	}
	request.info = found ? &info : NULL;
	session->mode = br_engine_mode_read(&session->arena, &request, session->hostdb, cli->dx);
	const struct br_engine_settings *settings = session->mode ? &session->mode->settings : NULL;
	if (settings && session->spec && settings->nvolumes
		&& br_spec_add_volumes(
			session->spec, settings->volumes, settings->nvolumes, cli->dx)) {
		return -1;
	}
	return settings ? 0 : -1;
}
