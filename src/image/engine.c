/**
 * The engine's own word on an image, over its socket: GET only, for a limited time, nothing but the
 * socket that was named. Both Docker and Podman's service answer the same requests. The only user
 * of libcurl.
 */
#include "asking.h"
#include "name.h"

#include <base/own.h>
#include <base/text.h>
#include <doc/json.h>

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	/** Until it answers at all: one that a socket starts, or that runs programs of its own to
	 * say who it is, may need some of it on a busy machine. */
	HELLO = 5000,
	/** From then on, for all that one finder asks. */
	MILLISECONDS = 10000,
	ANSWER = 4 << 20,
	HEADERS = 64 << 10,
	ENVIRONMENT = 10000,
};

/** What is used of libcurl. It is loaded when an engine is asked, since loading it costs more than
 * all the rest of a small run. */
struct curl_calls {
	void *library;
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_global_cleanup) *global_cleanup;
	__typeof__(curl_easy_init) *init;
	__typeof__(curl_easy_cleanup) *cleanup;
	CURLcode (*setopt)(CURL *curl, CURLoption option, ...);
	CURLcode (*getinfo)(CURL *curl, CURLINFO info, ...);
	__typeof__(curl_easy_perform) *perform;
	__typeof__(curl_easy_strerror) *strerror;
};

struct connection {
	CURL *curl;
	struct curl_calls calls;
};

_Static_assert(sizeof(((struct engine *)0)->why) >= CURL_ERROR_SIZE, "room for libcurl's words");

static int64_t now(void) {
	struct timespec time = {0};
	// Cannot fail: the clock is there.
	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/** Anything but n ends the transfer. */
static size_t take_body(char *bytes, size_t size, size_t n, void *context) {
	struct answer *answer = context;
	(void)size; // is 1
	if (answer->body.n + n > ANSWER) {
		answer->too_large = true;
		return 0;
	}
	br_buf_addn(&answer->body, bytes, n);
	return answer->body.failed ? 0 : n;
}

// The type is libcurl's.
// NOLINTNEXTLINE(readability-non-const-parameter)
static size_t take_header(char *bytes, size_t size, size_t n, void *context) {
	struct answer *answer = context;
	(void)bytes;
	(void)size;
	answer->headers += n;
	answer->too_large = answer->too_large || answer->headers > HEADERS;
	return answer->too_large ? 0 : n;
}

// ---- one request ----

/** What never changes. Nothing is taken from the environment: a proxy is "", and none is used for
 * any host. */
static int set_up(const struct engine *engine, const char *socket, char *why) {
	const struct connection *to = engine->connection;
	CURL *curl = to->curl;
	CURLcode (*set)(CURL *, CURLoption, ...) = to->calls.setopt;
	return set(curl, CURLOPT_UNIX_SOCKET_PATH, socket) || set(curl, CURLOPT_ERRORBUFFER, why)
		|| set(curl, CURLOPT_PROTOCOLS_STR, "http")
		|| set(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1)
		|| set(curl, CURLOPT_FOLLOWLOCATION, 0L) || set(curl, CURLOPT_HTTP09_ALLOWED, 0L)
		|| set(curl, CURLOPT_HTTP_CONTENT_DECODING, 0L) || set(curl, CURLOPT_PROXY, "")
		|| set(curl, CURLOPT_NOPROXY, "*")
		|| set(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED)
		|| set(curl, CURLOPT_NOSIGNAL, 1L) || set(curl, CURLOPT_MAXFILESIZE, (long)ANSWER)
		|| set(curl, CURLOPT_WRITEFUNCTION, take_body)
		|| set(curl, CURLOPT_HEADERFUNCTION, take_header);
}

long engine_get(struct engine *engine, const char *url, struct answer *answer) {
	int64_t left = engine->deadline - now();
	long status = 0;
	*engine->why = '\0';
	if (left < 1) {
		engine->is_slow = true;
		(void)strncpy(engine->why, "it takes too long", sizeof(engine->why) - 1);
		return -1;
	}
	CURLcode code = CURLE_FAILED_INIT;
	if (!engine->connection->calls.setopt(engine->connection->curl, CURLOPT_URL, url)
		&& !engine->connection->calls.setopt(
			engine->connection->curl, CURLOPT_TIMEOUT_MS, (long)left)
		&& !engine->connection->calls.setopt(
			engine->connection->curl, CURLOPT_WRITEDATA, answer)
		&& !engine->connection->calls.setopt(
			engine->connection->curl, CURLOPT_HEADERDATA, answer)) {
		code = engine->connection->calls.perform(engine->connection->curl);
	}
	if (!code
		&& !engine->connection->calls.getinfo(
			engine->connection->curl, CURLINFO_RESPONSE_CODE, &status)) {
		return status;
	}
	engine->is_slow = code == CURLE_OPERATION_TIMEDOUT;
	const char *why = answer->too_large || code == CURLE_FILESIZE_EXCEEDED
		? "its answer is too large"
		: engine->is_slow ? "it takes too long"
		: *engine->why    ? engine->why
				  : engine->connection->calls.strerror(code);
	memmove(engine->why, why, strnlen(why, sizeof(engine->why) - 1) + 1);
	engine->why[sizeof(engine->why) - 1] = '\0';
	return -1;
}

long engine_get_json(struct engine *engine, const char *url, bool list, struct br_value **out) {
	struct answer answer = {.body = {0}};
	*out = NULL;
	long status = engine_get(engine, url, &answer);
	if (status == HTTP_OK) {
		*out = answer.body.n ? br_value_read(answer.body.s, answer.body.n) : NULL;
		if (!(list ? br_value_is_array(*out) : br_value_is_object(*out))) {
			br_value_free(*out);
			*out = NULL;
			(void)strncpy(engine->why,
				list ? "its answer is no JSON list"
				     : "its answer is no JSON object",
				sizeof(engine->why) - 1);
			status = -1;
		}
	}
	br_buf_release(&answer.body);
	return status;
}

// ---- the engine ----

static int give_up(struct image_finder *finder, struct engine *engine, const char *why) {
	static const struct br_span nowhere = {0};
	engine->is_gone = true;
	if (finder->quiet) {
		return 0;
	}
	br_note(finder->dx, nowhere, "the engine at '%s' was not asked about images: %s",
		finder->options->socket, why);
	return 0;
}

/** "1.41". */
static bool is_version(const char *s) {
	size_t n = s ? strspn(s, "0123456789") : 0;
	size_t k = n && s[n] == '.' ? strspn(s + n + 1, "0123456789") : 0;
	return n && n < 4 && k && k < 4 && !s[n + 1 + k];
}

/** Podman's service names itself among its parts. */
static bool has_podman(const struct br_value *components) {
	for (size_t i = 0; i < br_value_count(components); i++) {
		const char *name =
			br_value_string(br_value_get(br_value_at(components, i), "Name"));
		if (name && strcmp(name, "Podman Engine") == 0) {
			return true;
		}
	}
	return false;
}

/** Connect and ask for the version of the API. 1, 0 where there is no engine, -1. */
static int say_hello(struct image_finder *finder, struct engine *engine) {
	struct br_value *version = NULL;
	long status = engine_get_json(engine, "http://localhost/version", false, &version);
	if (status < 0) {
		return give_up(finder, engine, engine->why);
	}
	const char *api = br_value_string(br_value_get(version, "ApiVersion"));
	if (!is_version(api)) {
		br_value_free(version);
		return give_up(finder, engine, "what answers is no engine");
	}
	const char *release = br_value_string(br_value_get(version, "Version"));
	engine->version = br_printf(finder->arena, "v%s/", api);
	engine->release = br_strdup(finder->arena, release ? release : "");
	engine->is_podman = has_podman(br_value_get(version, "Components"));
	br_value_free(version);
	if (!finder->patience) {
		engine->deadline = now() + MILLISECONDS;
	}
	return engine->version && engine->release ? 1 : br_error_memory(finder->dx);
}

static bool load_calls(struct curl_calls *calls) {
	static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
	void *library = NULL;
	for (size_t i = 0; !library && i < sizeof(names) / sizeof(names[0]); i++) {
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	}
	if (!library) {
		return false;
	}
	const struct {
		void **call;
		const char *name;
	} wanted[] = {
		{(void **)&calls->global_init, "curl_global_init"},
		{(void **)&calls->global_cleanup, "curl_global_cleanup"},
		{(void **)&calls->init, "curl_easy_init"},
		{(void **)&calls->cleanup, "curl_easy_cleanup"},
		{(void **)&calls->setopt, "curl_easy_setopt"},
		{(void **)&calls->getinfo, "curl_easy_getinfo"},
		{(void **)&calls->perform, "curl_easy_perform"},
		{(void **)&calls->strerror, "curl_easy_strerror"},
	};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		*wanted[i].call = dlsym(library, wanted[i].name);
		if (!*wanted[i].call) {
			(void)dlclose(library);
			return false;
		}
	}
	calls->library = library;
	return true;
}

int engine_open(struct image_finder *finder) {
	struct engine *engine = finder->engine;
	if (engine) {
		return !engine->is_gone;
	}
	engine = BR_NEW(finder->arena, struct engine);
	struct connection *to = BR_NEW(finder->arena, struct connection);
	if (!engine || !to) {
		return br_error_memory(finder->dx);
	}
	finder->engine = engine;
	engine->connection = to;
	if (finder->options->is_slow) {
		return give_up(finder, engine, "it takes too long");
	}
	if (!load_calls(&to->calls)) {
		return give_up(finder, engine, "libcurl is not installed");
	}
	engine->deadline = now() + (finder->patience ? finder->patience : HELLO);
	// NOTHING: no TLS is needed.
	to->curl = to->calls.global_init(CURL_GLOBAL_NOTHING) ? NULL : to->calls.init();
	if (!to->curl) {
		engine->is_gone = true;
		return br_error_memory(finder->dx);
	}
	if (set_up(engine, finder->options->socket, engine->why)) {
		return give_up(finder, engine, "its name is not the name of a socket");
	}
	return say_hello(finder, engine);
}

void engine_release(struct image_finder *finder) {
	struct engine *engine = finder->engine;
	struct connection *to = engine ? engine->connection : NULL;
	if (to && to->calls.library) {
		to->calls.cleanup(to->curl);
		to->calls.global_cleanup();
		(void)dlclose(to->calls.library);
	}
	finder->engine = NULL;
}

// ---- an image ----

static int read_environment(
	struct br_arena *arena, const struct br_value *words, struct br_image *out) {
	size_t n = br_value_count(words);
	n = n < ENVIRONMENT ? n : ENVIRONMENT;
	const char **all = BR_NEW_ARRAY(arena, const char *, n);
	for (size_t i = 0; all && i < n; i++) {
		const char *word = br_value_string(br_value_at(words, i));
		all[i] = br_strdup(arena, word ? word : "");
		if (!all[i]) {
			return -1;
		}
	}
	out->environment = all;
	out->nenvironment = n;
	return all ? 0 : -1;
}

static int read_image(
	struct image_finder *finder, const struct br_value *image, struct br_image *out) {
	const struct br_value *config = br_value_get(image, "Config");
	const char *user = br_value_string(br_value_get(config, "User"));
	const char *label = br_value_string(
		br_value_get_exact(br_value_get(config, "Labels"), "io.containers.capabilities"));
	if (!user) {
		user = br_value_string(br_value_get(image, "User")); // Podman says it here as well
	}
	out->origin = BR_IMAGE_ENGINE;
	out->from = br_strdup(finder->arena, finder->options->socket);
	out->user.s = br_strdup(finder->arena, user ? user : "");
	out->capabilities_label = br_strdup(finder->arena, label);
	bool failed = !out->from || !out->user.s || (label && !out->capabilities_label)
		|| read_environment(finder->arena, br_value_get(config, "Env"), out);
	return failed ? br_error_memory(finder->dx) : 1;
}

int engine_find(struct image_finder *finder, const char *reference, struct br_image *out) {
	struct image_name name;
	*out = (struct br_image){0};
	if (!finder->options->socket) {
		return 0;
	}
	// Nothing but a name may become part of the request.
	int found = image_name_read(finder->arena, reference, &name);
	if (found > 0) {
		found = engine_open(finder);
	} else if (found < 0) {
		return br_error_memory(finder->dx);
	}
	struct engine *engine = finder->engine;
	if (found <= 0 || !engine) {
		return found;
	}
	char *url = br_printf(
		finder->arena, "http://localhost/%simages/%s/json", engine->version, reference);
	if (!url) {
		return br_error_memory(finder->dx);
	}
	br_auto(br_value_freep) struct br_value *image = NULL;
	long status = engine_get_json(engine, url, false, &image);
	if (status < 0) {
		return give_up(finder, engine, engine->why);
	}
	if (status != HTTP_OK && status != HTTP_NOT_FOUND) {
		return give_up(finder, engine, "it refuses to answer");
	}
	return image ? read_image(finder, image, out) : 0;
}

// ---- the engine itself ----

/** "name=rootless", also with more behind a comma. */
static bool has_option(const struct br_value *options, const char *name) {
	for (size_t i = 0; i < br_value_count(options); i++) {
		const char *option = br_value_string(br_value_at(options, i));
		size_t n = strlen(name);
		if (option && strncmp(option, "name=", 5) == 0 && strncmp(option + 5, name, n) == 0
			&& (option[5 + n] == '\0' || option[5 + n] == ',')) {
			return true;
		}
	}
	return false;
}

/** "20.10.24" as 2010; 0 for what is no version. */
static unsigned read_release(const char *s) {
	size_t n = strspn(s, "0123456789");
	size_t k = s[n] == '.' ? strspn(s + n + 1, "0123456789") : 0;
	unsigned out[2] = {0, 0};
	if (n == 0 || n > 2 || k == 0 || k > 2) {
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		out[0] = out[0] * 10 + (unsigned)(s[i] - '0');
	}
	for (size_t i = 0; i < k; i++) {
		out[1] = out[1] * 10 + (unsigned)(s[n + 1 + i] - '0');
	}
	return out[0] * 100 + out[1];
}

static int read_info(
	struct image_finder *finder, const struct br_value *info, struct br_engine_info *out) {
	const struct engine *engine = finder->engine;
	const struct br_value *options = br_value_get(info, "SecurityOptions");
	const char *root = br_value_string(br_value_get(info, "DockerRootDir"));
	const char *runtime = br_value_string(br_value_get(info, "DefaultRuntime"));
	*out = (struct br_engine_info){
		.socket = br_strdup(finder->arena, finder->options->socket),
		.is_podman = engine->is_podman,
		.is_rootless = has_option(options, "rootless"),
		.has_userns = has_option(options, "userns"),
		.version = read_release(engine->release),
		.root_dir = br_strdup(finder->arena, root ? root : ""),
		.runtime = br_strdup(finder->arena, runtime ? runtime : ""),
	};
	return out->socket && out->root_dir && out->runtime ? 1 : br_error_memory(finder->dx);
}

static int ask_info(struct image_finder *finder, struct br_engine_info *out) {
	int found = engine_open(finder);
	struct engine *engine = finder->engine;
	if (found <= 0 || !engine) {
		return found;
	}
	char *url = br_printf(finder->arena, "http://localhost/%sinfo", engine->version);
	if (!url) {
		return br_error_memory(finder->dx);
	}
	br_auto(br_value_freep) struct br_value *info = NULL;
	return engine_get_json(engine, url, false, &info) == HTTP_OK && info
		? read_info(finder, info, out)
		: 0;
}

int br_engine_info_read(struct br_arena *arena, const char *socket, struct br_engine_info *out,
	struct br_diags *dx) {
	struct br_image_options options = {.socket = socket};
	struct image_finder finder = {.arena = arena, .options = &options, .dx = dx, .quiet = true};
	*out = (struct br_engine_info){0};
	int found = ask_info(&finder, out);
	const struct engine *engine = finder.engine;
	out->is_slow = found == 0 && engine && engine->is_slow;
	engine_release(&finder);
	return found;
}

// ---- containers ----

/** What compose takes for a project's name: nothing in it has to be escaped in a request. */
static bool is_project_name(const char *name) {
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	return name && *name && !name[strspn(name, plain)];
}

static void mark_running(
	const struct br_spec *spec, const struct br_value *containers, bool *running) {
	for (size_t i = 0; i < br_value_count(containers); i++) {
		const struct br_value *labels = br_value_get(br_value_at(containers, i), "Labels");
		const char *project =
			br_value_string(br_value_get_exact(labels, "com.docker.compose.project"));
		const char *service =
			br_value_string(br_value_get_exact(labels, "com.docker.compose.service"));
		for (size_t k = 0; project && service && k < spec->n; k++) {
			running[k] = running[k]
				|| (strcmp(project, spec->project_name) == 0
					&& strcmp(service, spec->containers[k].name.s) == 0);
		}
	}
}

int engine_running(struct image_finder *finder, const struct br_spec *spec, bool *running) {
	if (!finder->options->socket || !is_project_name(spec->project_name)) {
		return 0;
	}
	int found = engine_open(finder);
	struct engine *engine = finder->engine;
	if (found <= 0 || !engine) {
		return found;
	}
	// {"label":["com.docker.compose.project=NAME"]}; without `all` only those that run are
	// listed.
	char *url = br_printf(finder->arena,
		"http://localhost/%scontainers/json?filters=%%7B%%22label%%22%%3A%%5B%%22"
		"com.docker.compose.project%%3D%s%%22%%5D%%7D",
		engine->version, spec->project_name);
	if (!url) {
		return br_error_memory(finder->dx);
	}
	br_auto(br_value_freep) struct br_value *containers = NULL;
	if (engine_get_json(engine, url, true, &containers) == HTTP_OK) {
		mark_running(spec, containers, running);
	}
	return 0;
}
