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

/** The engine's socket, where there is one that may be asked. Another root's engine is none of
 * ours. */
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

/** An address of TCP at which this host answers itself. */
static bool is_loopback(const char *host) {
	const char *at = strstr(host, "://");
	at = at ? at + 3 : host;
	return strncmp(at, "127.", 4) == 0 || strncmp(at, "[::1]", 5) == 0
		|| (strncmp(at, "localhost", 9) == 0 && strchr(":/", at[9]));
}

/** What runs elsewhere mounts the files of elsewhere, and another kernel decides: of that nothing
 * can be said here. */
static int refuse_remote(const struct cli *cli, enum br_engine engine) {
	bool is_podman = br_engine_is_podman(engine);
	const char *name = is_podman ? "CONTAINER_HOST" : "DOCKER_HOST";
	const char *host = cli_getenv(cli->world, name);
	const char *context = is_podman ? NULL : cli_getenv(cli->world, "DOCKER_CONTEXT");
	bool is_desktop = context && strcmp(context, "desktop-linux") == 0 && (!host || !*host);
	bool is_remote = host && *host && !path_of(host) && strncmp(host, "fd://", 5) != 0
		&& !is_loopback(host);
	if (engine == BR_ENGINE_OCI || cli->args->engine.s || (!is_remote && !is_desktop)) {
		return 0;
	}
	(void)br_error(cli->dx, (struct br_span){0},
		"the containers do not run on this host: %s is '%s'",
		is_desktop ? "DOCKER_CONTEXT" : name, is_desktop ? context : host);
	br_hint(cli->dx, "run it where they do; --engine %s judges them as if they ran here",
		br_engine_name(engine == BR_ENGINE_UNSAID ? BR_ENGINE_DOCKER : engine));
	return -1;
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
	struct br_engine_info info = {0};
	struct br_engine_request request = {
		.engine = args->engine,
		.user = args->engine_user,
		.daemon_config = args->daemon_config,
		.version = args->engine_version,
		.input = session->spec ? session->spec->engine : BR_ENGINE_UNSAID,
		.by_root = session->spec && session->spec->by_root,
		.invoker = {cli->world->invoker},
		.environment = cli->world->environment,
		.exists = session->spec && session->spec->kind == BR_INPUT_CONTAINER,
	};
	uint32_t owner = find_owner(session);
	if (refuse_remote(cli, br_engine_choose(&request))) {
		return -1;
	}
	session->socket = find_socket(session, br_engine_choose(&request), owner);
	int found = session->socket
		? br_engine_info_read(&session->arena, session->socket, &info, cli->dx)
		: 0;
	if (found < 0) {
		return -1;
	}
	session->is_slow = info.is_slow;
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

// ---- what others mount ----

int session_claims(struct session *session, struct br_claims *out) {
	static const enum br_engine all[] = {BR_ENGINE_DOCKER, BR_ENGINE_PODMAN,
		BR_ENGINE_DOCKER_ROOTLESS, BR_ENGINE_PODMAN_ROOTLESS};
	const char *asked[1 + sizeof(all) / sizeof(all[0])] = {session->socket};
	size_t n = 1;
	// Root's engine and the user's: whichever it is that will run this, the others have
	// containers too.
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		asked[n++] = find_socket(session, all[i], find_owner(session));
	}
	for (size_t i = 0; i < n; i++) {
		bool again = session->is_slow && asked[i] && strcmp(asked[i], asked[0]) == 0;
		for (size_t k = 0; asked[i] && k < i; k++) {
			again = again || (asked[k] && strcmp(asked[k], asked[i]) == 0);
		}
		if (!again
			&& br_engine_claims_read(
				&session->arena, asked[i], session->spec, out, session->cli->dx)) {
			return -1;
		}
	}
	return 0;
}

// ---- containers that exist ----

/** Engines that may have a container, in the order in which they are asked. */
static size_t candidates(const struct session *session, enum br_engine out[4]) {
	const struct cli *cli = session->cli;
	size_t n = 0;
	if (cli->args->engine.s) {
		out[n++] = br_engine_named(cli->args->engine.s);
		return n;
	}
	out[n++] = BR_ENGINE_DOCKER;
	if (cli->world->euid == 0) {
		out[n++] = BR_ENGINE_PODMAN;
	}
	if (cli->world->invoker != 0) {
		out[n++] = BR_ENGINE_PODMAN_ROOTLESS;
		out[n++] = BR_ENGINE_DOCKER_ROOTLESS;
	}
	return n;
}

/** Ask one engine for all of them. 1 where it has them, 0, -1. */
static int ask_engine(struct session *session, const char *socket, bool required) {
	const struct cli_words *words = &session->cli->args->containers;
	session->existing = BR_NEW_ARRAY(&session->arena, struct br_engine_container, words->n);
	if (!session->existing) {
		return br_error_memory(session->cli->dx);
	}
	for (size_t i = 0; i < words->n; i++) {
		session->existing[i].is.name = words->v[i];
	}
	const struct br_engine_ask ask = {socket, required};
	if (br_engine_containers_read(
		    &session->arena, &ask, session->existing, words->n, session->cli->dx)) {
		return -1;
	}
	for (size_t i = 0; i < words->n; i++) {
		if (!session->existing[i].is.json) {
			return 0;
		}
	}
	return 1;
}

static int make_spec(struct session *session, enum br_engine engine) {
	const struct cli *cli = session->cli;
	size_t n = cli->args->containers.n;
	struct br_inspected *all = BR_NEW_ARRAY(&session->arena, struct br_inspected, n);
	if (!all) {
		return br_error_memory(cli->dx);
	}
	for (size_t i = 0; i < n; i++) {
		all[i] = session->existing[i].is;
	}
	session->spec = br_spec_of_containers(all, n, cli->world->cwd, cli->dx);
	if (!session->spec) {
		return -1;
	}
	session->spec->engine = engine;
	// The engine of root's, though somebody else asks.
	session->spec->by_root = engine == BR_ENGINE_PODMAN && cli->world->invoker != 0;
	return 0;
}

int session_containers(struct session *session) {
	const struct cli *cli = session->cli;
	enum br_engine engines[4];
	size_t n = candidates(session, engines);
	const char *last = NULL;
	const char *sockets[4] = {NULL};
	size_t nsockets = 0;
	for (size_t i = 0; i < n; i++) {
		const char *socket = find_socket(session, engines[i], find_owner(session));
		if (socket) {
			engines[nsockets] = engines[i];
			sockets[nsockets++] = socket;
			last = socket;
		}
	}
	for (size_t i = 0; i < nsockets; i++) {
		int found = ask_engine(session, sockets[i], nsockets == 1);
		if (found) {
			return found < 0 ? -1 : make_spec(session, engines[i]);
		}
	}
	if (last) {
		// None has them all: the errors are those of the first one.
		if (ask_engine(session, sockets[0], true) >= 0) {
			(void)br_error(cli->dx, cli->args->containers.v[0].at,
				"no engine has all of these containers");
			br_hint(cli->dx, "name those of one engine at a time");
		}
		return -1;
	}
	(void)br_error(cli->dx, cli->args->containers.v[0].at,
		"there is no engine here that could be asked about '%s'",
		cli->args->containers.v[0].s); // -1
	br_hint(cli->dx,
		"name its socket in DOCKER_HOST or CONTAINER_HOST (systemctl start podman.socket), and --engine");
	return -1;
}

/** Whether the engine chooses this container's IDs by itself. */
static bool is_auto(const struct session *session, const struct br_container *box) {
	const struct br_engine_settings *settings = &session->mode->settings;
	const char *word = box->userns_mode.s && *box->userns_mode.s ? box->userns_mode.s
		: box->nuid_maps || box->ngid_maps                   ? NULL
								     : settings->userns.s;
	return word && strncmp(word, "auto", 4) == 0 && (!word[4] || word[4] == ':');
}

/** What the container is called: by --name, or by whoever brings a project up. NULL where nothing
 * says. */
static const char *name_of(struct session *session, const struct br_container *box, char between) {
	const struct br_spec *spec = session->spec;
	if (spec->kind == BR_INPUT_COMPOSE) {
		return br_printf(&session->arena, "%s%c%s%c1", spec->project_name, between,
			box->name.s, between);
	}
	return between == '_' && br_spec_is_named(spec, box) ? box->name.s : NULL;
}

/** `--pod NAME`, a pod that is there already; `--pod new:NAME` makes one. */
static bool is_in_pod(const struct br_container *box) {
	return box->pod.s && *box->pod.s && strncmp(box->pod.s, "new:", 4) != 0;
}

static int look_up_one(struct session *session, const struct br_container *box, char between) {
	struct br_engine_container *out = &session->existing[box - session->spec->containers];
	const char *name = is_in_pod(box) ? box->pod.s
		: is_auto(session, box)   ? name_of(session, box, between)
					  : NULL;
	if (out->is.json || out->alone || !name) {
		return 0;
	}
	out->is_pod = is_in_pod(box);
	out->is.name = (struct br_text){name, box->name.at};
	const struct br_engine_ask ask = {.socket = session->socket};
	return br_engine_containers_read(&session->arena, &ask, out, 1, session->cli->dx);
}

static int look_up(struct session *session, char between) {
	const struct br_spec *spec = session->spec;
	for (size_t i = 0; i < spec->n; i++) {
		if (look_up_one(session, &spec->containers[i], between)) {
			return -1;
		}
	}
	return 0;
}

int session_look_up(struct session *session) {
	const struct br_spec *spec = session->spec;
	bool any = false;
	for (size_t i = 0; i < spec->n; i++) {
		any = any || is_auto(session, &spec->containers[i])
			|| is_in_pod(&spec->containers[i]);
	}
	if (spec->kind == BR_INPUT_CONTAINER || !any || !session->socket || session->is_slow
		|| !br_engine_is_podman(session->mode->engine)) {
		return 0;
	}
	session->existing = BR_NEW_ARRAY(&session->arena, struct br_engine_container, spec->n);
	if (!session->existing) {
		return br_error_memory(session->cli->dx);
	}
	return look_up(session, '_') || look_up(session, '-') ? -1 : 0;
}
