#include <errno.h>
#include <fcntl.h>
#include <image/parts.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

// ---- a server that does what it is told ----

/** What is sent after the bytes of an answer. */
enum then {
	KEEP,
	CLOSE,
	/** The same again and again. */
	ENDLESS,
	/** Byte by byte, with pauses. */
	SLOWLY,
	SLEEP,
	/** Nothing at all is sent. */
	SILENT,
	/** All of it, as late as an engine may be that was just started on a busy machine. */
	LATE,
};

struct behaviour {
	/** To /version, and to whatever else. */
	const char *hello;
	enum then after_hello;
	const char *image;
	enum then after_image;
};

enum {
	/** Where the engine is to answer it may take so long, on however busy a machine. */
	PATIENCE_MS = 60000,
	/** Where it cannot be told how long it may take it is asked again so often, should it have
	 * been too slow. */
	TRIES = 10,
};

static char directory[80];
static char path[100];
static char log_path[100];

/** False: whoever asked has gone. */
static bool send_all(int fd, const char *s) {
	for (size_t n = strlen(s); n;) {
		ssize_t got = send(fd, s, n, MSG_NOSIGNAL);
		if (got <= 0) {
			return false;
		}
		s += got;
		n -= (size_t)got;
	}
	return true;
}

static void pause_ms(long ms) {
	const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
	(void)nanosleep(&time, NULL);
}

static bool answer(int fd, const char *bytes, enum then then) {
	char one[2] = {0};
	switch (then) {
	case KEEP:
		return send_all(fd, bytes);
	case CLOSE:
		(void)send_all(fd, bytes);
		return false;
	case ENDLESS:
		while (send_all(fd, bytes)) {
			// the end of the header comes once only
			const char *end = strstr(bytes, "\r\n\r\n");
			bytes = end && end[4] ? end + 4 : bytes;
		}
		return false;
	case SLOWLY:
		for (; *bytes; bytes++) {
			*one = *bytes;
			if (!send_all(fd, one)) {
				return false;
			}
			pause_ms(20);
		}
		return false;
	case SLEEP:
		(void)send_all(fd, bytes);
		pause_ms(20000);
		return false;
	case SILENT:
		pause_ms(20000);
		return false;
	case LATE:
		pause_ms(1500);
		return send_all(fd, bytes);
	}
	return false;
}

/** A request up to its empty line; its first line goes to the log. */
static bool read_request(int fd, char *request, size_t size) {
	size_t n = 0;
	while (n + 1 < size) {
		ssize_t got = read(fd, request + n, 1);
		if (got <= 0) {
			return false;
		}
		request[++n] = '\0';
		if (n >= 4 && !strcmp(request + n - 4, "\r\n\r\n")) {
			break;
		}
	}
	FILE *log = fopen(log_path, "ae");
	if (log) {
		(void)fprintf(log, "%.*s\n", (int)strcspn(request, "\r"), request);
		(void)fclose(log);
	}
	return true;
}

static void serve(int listener, const struct behaviour *how) __attribute__((noreturn));

static void serve(int listener, const struct behaviour *how) {
	char request[4096];
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		while (fd >= 0 && read_request(fd, request, sizeof(request))) {
			bool hello = !strncmp(request, "GET /version ", 13);
			if (!answer(fd, hello ? how->hello : how->image,
				    hello ? how->after_hello : how->after_image)) {
				break;
			}
		}
		(void)close(fd);
	}
}

static pid_t start_server(const struct behaviour *how) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	(void)unlink(path);
	(void)unlink(log_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		serve(fd, how);
	}
	assert_int_equal(close(fd), 0);
	return pid;
}

static void stop_server(pid_t pid) {
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static const char *requests(void) {
	static char text[8192];
	FILE *log = fopen(log_path, "re");
	size_t n = log ? fread(text, 1, sizeof(text) - 1, log) : 0;
	text[n] = '\0';
	if (log) {
		(void)fclose(log);
	}
	return text;
}

// ---- a finder ----

struct setting {
	struct br_arena arena;
	struct br_places *places;
	struct br_diags *dx;
	struct br_image_options options;
	struct image_finder finder;
	struct br_image image;
};

static void set_up(struct setting *t, const char *socket_path) {
	*t = (struct setting){0};
	t->places = br_places_new();
	t->dx = t->places ? br_diags_new(t->places) : NULL;
	assert_non_null(t->dx);
	t->options = (struct br_image_options){.socket = socket_path};
	t->finder = (struct image_finder){
		.arena = &t->arena, .options = &t->options, .dx = t->dx, .patience = PATIENCE_MS};
}

static void tear_down(struct setting *t) {
	engine_release(&t->finder);
	assert_null(t->finder.engine);
	assert_int_equal(br_diags_errors(t->dx), 0);
	br_diags_free(t->dx);
	br_places_free(t->places);
	br_arena_release(&t->arena);
}

static const char *message(const struct setting *t) {
	size_t n = br_diags_count(t->dx);
	return n ? br_diags_get(t->dx, n - 1)->message : "";
}

static double seconds_now(void) {
	struct timespec now = {0};
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define HELLO HEAD "Content-Length: 21\r\n\r\n{\"ApiVersion\":\"1.41\"}"
/** Until the connection ends. */
#define UNTIL_END HEAD "Connection: close\r\n\r\n"

// ---- well-behaved ----

static void test_docker(void **state) {
	(void)state;
	static const struct behaviour how = {HELLO, KEEP,
		HEAD
		"Transfer-Encoding: chunked\r\n\r\n"
		"4f\r\n"
		"{\"Id\":\"sha256:1\",\"Config\":{\"User\":\"app:media\",\"Env\":[\"A=1\",\"B=\"],\"Labels\":{\"x\":\r\n"
		"2b\r\n"
		"\"y\",\"io.containers.capabilities\":\"CHOWN\"}}}\r\n"
		"0\r\n\r\n",
		KEEP};
	struct setting t;
	pid_t pid = start_server(&how);
	set_up(&t, path);
	int found = engine_find(&t.finder, "registry:5000/a/b:1", &t.image);
	if (found != 1) {
		fail_msg("%d %s", found, message(&t));
	}
	assert_int_equal(t.image.origin, BR_IMAGE_ENGINE);
	assert_string_equal(t.image.from, path);
	assert_string_equal(t.image.user.s, "app:media");
	assert_false(t.image.accounts_complete);
	assert_int_equal(t.image.nusers, 0);
	assert_int_equal(t.image.nenvironment, 2);
	assert_string_equal(t.image.environment[1], "B=");
	assert_string_equal(t.image.capabilities_label, "CHOWN");
	assert_int_equal(engine_find(&t.finder, "redis", &t.image), 1);
	tear_down(&t);
	stop_server(pid);
	assert_string_equal(requests(),
		"GET /version HTTP/1.1\n"
		"GET /v1.41/images/registry:5000/a/b:1/json HTTP/1.1\n"
		"GET /v1.41/images/redis/json HTTP/1.1\n");
}

static const struct {
	const char *json, *user;
} users[] = {
	{"{\"Config\":{}}", ""},
	{"{\"Config\":null}", ""},
	{"{}", ""},
	{"{\"Config\":{\"User\":\"\"}}", ""},
	{"{\"Config\":{\"User\":\"0\"}}", "0"},
	{"{\"Config\":{},\"User\":\"app\"}", "app"},
	{"{\"Config\":{\"User\":\"a\"},\"User\":\"b\"}", "a"},
	{"{\"Config\":{\"User\":7}}", ""},
	{"{\"Config\":{\"Env\":[1,null],\"Labels\":[]}}", ""},
};

static void test_users(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++) {
		char text[512];
		(void)snprintf(text, sizeof(text), UNTIL_END "%s", users[i].json);
		const struct behaviour how = {HELLO, KEEP, text, CLOSE};
		struct setting t;
		pid_t pid = start_server(&how);
		set_up(&t, path);
		int found = engine_find(&t.finder, "x", &t.image);
		if (found != 1) {
			fail_msg("%s: %d %s", users[i].json, found, message(&t));
		}
		assert_string_equal(t.image.user.s, users[i].user);
		assert_null(t.image.capabilities_label);
		tear_down(&t);
		stop_server(pid);
	}
}

static void test_no_such_image(void **state) {
	(void)state;
	static const struct behaviour how = {
		HELLO, KEEP, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", KEEP};
	struct setting t;
	pid_t pid = start_server(&how);
	set_up(&t, path);
	assert_int_equal(engine_find(&t.finder, "x", &t.image), 0);
	assert_int_equal(t.image.origin, BR_IMAGE_NOTHING);
	assert_int_equal(br_diags_count(t.dx), 0);
	assert_int_equal(engine_find(&t.finder, "y", &t.image), 0);
	tear_down(&t);
	stop_server(pid);
	assert_non_null(strstr(requests(), "/images/y/json")); // it was asked again
}

/** What is no name of an image does not become a request. */
static void test_names(void **state) {
	(void)state;
	static const struct behaviour how = {HELLO, KEEP, UNTIL_END "{}", CLOSE};
	static const char *const bad[] = {"", "../containers/x", "x/../../y", "a b", "a?b=c", "a#b",
		"a%2fb", "A", "x\r\nHost: y", "a//b", "/a", "a/", "x:", "x@", "x@sha256:12",
		"x:y:z", "http://x/y"};
	struct setting t;
	pid_t pid = start_server(&how);
	set_up(&t, path);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(engine_find(&t.finder, bad[i], &t.image), 0);
	}
	assert_int_equal(br_diags_count(t.dx), 0);
	tear_down(&t);
	stop_server(pid);
	assert_string_equal(requests(), "");
	set_up(&t, NULL);
	assert_int_equal(engine_find(&t.finder, "x", &t.image), 0);
	assert_int_equal(br_diags_count(t.dx), 0);
	tear_down(&t);
}

// ---- hostile ----

#define BYTES_1K \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *name;
	struct behaviour how;
	/** Too large or, on a slow machine, too long: "too l". */
	const char *words;
} hostile[] = {
	{"closes at once", {"", CLOSE, "", CLOSE}, ""},
	{"says nothing", {"", SILENT, "", CLOSE}, "too long"},
	{"status line only", {"HTTP/1.1 200 OK\r\n", SLEEP, "", CLOSE}, "too long"},
	{"drips", {HELLO HELLO HELLO, SLOWLY, "", CLOSE}, "too long"},
	{"not HTTP", {"hello\r\n\r\n", CLOSE, "", CLOSE}, ""},
	{"HTTP/0.9", {"{\"ApiVersion\":\"1.41\"}", CLOSE, "", CLOSE}, ""},
	{"HTTP/9", {"HTTP/9 200\r\n\r\n", CLOSE, "", CLOSE}, ""},
	{"endless headers", {"HTTP/1.1 200 OK\r\nA: " BYTES_1K "\r\n", ENDLESS, "", CLOSE}, ""},
	{"endless header", {BYTES_1K, ENDLESS, "", CLOSE}, ""},
	{"endless body", {UNTIL_END BYTES_1K, ENDLESS, "", CLOSE}, "too l"},
	{"endless chunks",
		{HEAD "Transfer-Encoding: chunked\r\n\r\n8\r\n01234567\r\n", ENDLESS, "", CLOSE},
		"too l"},
	{"promises much", {HEAD "Content-Length: 99999999999\r\n\r\n{}", SLEEP, "", CLOSE},
		"too large"},
	{"negative length", {HEAD "Content-Length: -5\r\n\r\n{}", CLOSE, "", CLOSE}, ""},
	{"shorter than promised",
		{HEAD "Content-Length: 50\r\n\r\n{\"ApiVersion\":\"1.41\"}", CLOSE, "", CLOSE}, ""},
	{"bad chunk", {HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}", CLOSE, "", CLOSE}, ""},
	{"redirects",
		{"HTTP/1.1 301 Moved\r\nLocation: http://localhost/elsewhere\r\nContent-Length: 0\r\n\r\n",
			KEEP, "", CLOSE},
		"no engine"},
	{"refuses", {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", KEEP, "", CLOSE},
		"no engine"},
	{"wants a password",
		{"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
			KEEP, "", CLOSE},
		"no engine"},
	{"not JSON", {UNTIL_END "<html>", CLOSE, "", CLOSE}, "no JSON object"},
	{"empty", {UNTIL_END, CLOSE, "", CLOSE}, "no JSON object"},
	{"JSON, but a list", {UNTIL_END "[]", CLOSE, "", CLOSE}, "no JSON object"},
	{"another service", {UNTIL_END "{}", CLOSE, "", CLOSE}, "no engine"},
	{"version with a path", {UNTIL_END "{\"ApiVersion\":\"1.41/../../x\"}", CLOSE, "", CLOSE},
		"no engine"},
	{"version of another kind", {UNTIL_END "{\"ApiVersion\":1.41}", CLOSE, "", CLOSE},
		"no engine"},
	{"packed",
		{HEAD "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08 ", KEEP, "",
			CLOSE},
		"no JSON object"},
	{"100 for ever", {"HTTP/1.1 100 Continue\r\n\r\n", ENDLESS, "", CLOSE}, ""},
	{"switches",
		{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
			CLOSE, "", CLOSE},
		""},
	{"image: closes", {HELLO, KEEP, "", CLOSE}, ""},
	{"image: silent", {HELLO, KEEP, "", SILENT}, "too long"},
	{"image: redirects",
		{HELLO, KEEP,
			"HTTP/1.1 302 Found\r\nLocation: /v1.41/images/other/json\r\nContent-Length: 0\r\n\r\n",
			KEEP},
		"refuses"},
	{"image: 500", {HELLO, KEEP, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", KEEP},
		"refuses"},
	{"image: not JSON", {HELLO, KEEP, UNTIL_END "{\"Config\":", CLOSE}, "no JSON object"},
	{"image: endless", {HELLO, KEEP, UNTIL_END " ", ENDLESS}, ""},
	{"image: deep", {HELLO, KEEP, UNTIL_END "[", ENDLESS}, ""},
};

/** It gives up, says so once and does not ask again. How long it took: with the patience of a
 * second, or, where it is not time that ends it, a long one. */
static double ask_hostile(size_t i) {
	struct setting t;
	const char *words = hostile[i].words;
	pid_t pid = start_server(&hostile[i].how);
	set_up(&t, path);
	bool by_time = !*words || !strcmp(words, "too l") || !strcmp(words, "too long");
	t.finder.patience = by_time ? 1000 : PATIENCE_MS;
	double begin = seconds_now();
	int found = engine_find(&t.finder, "x", &t.image);
	double took = seconds_now() - begin;
	if (found || br_diags_count(t.dx) != 1 || !strstr(message(&t), words)) {
		fail_msg("%s: %d after %f s: %s", hostile[i].name, found, took, message(&t));
	}
	assert_int_equal(br_diags_get(t.dx, 0)->severity, BR_NOTE);
	double again = 1;
	for (int tries = 0; tries < TRIES && again >= 0.5; tries++) {
		begin = seconds_now();
		assert_int_equal(engine_find(&t.finder, "y", &t.image), 0);
		again = seconds_now() - begin;
	}
	assert_true(again < 0.5);
	assert_int_equal(br_diags_count(t.dx), 1);
	tear_down(&t);
	stop_server(pid);
	assert_null(strstr(requests(), "elsewhere"));
	assert_null(strstr(requests(), "other"));
	assert_null(strstr(requests(), "/y/"));
	return took;
}

static void test_hostile(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		double took = 4;
		for (int tries = 0; tries < TRIES && took > 3; tries++) {
			took = ask_hostile(i);
		}
		if (took > 3) {
			fail_msg("%s: after %f s", hostile[i].name, took);
		}
	}
}

static void test_no_server(void **state) {
	(void)state;
	static const struct behaviour how = {HELLO, KEEP, "", CLOSE};
	struct setting t;
	set_up(&t, "/nonexistent/docker.sock");
	assert_int_equal(engine_find(&t.finder, "x", &t.image), 0);
	assert_int_equal(br_diags_count(t.dx), 1);
	assert_int_equal(br_diags_get(t.dx, 0)->severity, BR_NOTE);
	tear_down(&t);
	set_up(&t, "/etc/passwd");
	assert_int_equal(engine_find(&t.finder, "x", &t.image), 0);
	tear_down(&t);
	char name[300];
	memset(name, 'x', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	set_up(&t, name);
	assert_int_equal(engine_find(&t.finder, "x", &t.image), 0);
	tear_down(&t);
	// one that died and left its socket
	stop_server(start_server(&how));
	set_up(&t, path);
	assert_int_equal(engine_find(&t.finder, "x", &t.image), 0);
	tear_down(&t);
}

/** Proxies, certificates and passwords of the environment have no say. */
/** What engines say of themselves: a Docker with userns-remap, a rootless one, Podman's service. */
static void test_info(void **state) {
	(void)state;
	static const char podman_hello[] =
		"{\"Version\":\"4.3.1\",\"ApiVersion\":\"1.41\",\"Components\":[{\"Name\":\"Podman Engine\"}]}";
	static const char docker_hello[] =
		"{\"Version\":\"26.1.5+dfsg1\",\"ApiVersion\":\"1.45\",\"Components\":[{\"Name\":\"Engine\"}]}";
	static const struct {
		const char *hello, *info;
		struct br_engine_info want;
	} rows[] = {
		{docker_hello,
			"{\"SecurityOptions\":[\"name=seccomp,profile=builtin\",\"name=userns\"],\"DockerRootDir\":\"/d/1.2\",\"DefaultRuntime\":\"runc\"}",
			{.has_userns = true,
				.version = 2601,
				.root_dir = "/d/1.2",
				.runtime = "runc"}},
		{docker_hello, "{\"SecurityOptions\":[\"name=rootless\",\"name=usernsx\"]}",
			{.is_rootless = true, .version = 2601, .root_dir = "", .runtime = ""}},
		{podman_hello,
			"{\"SecurityOptions\":[\"name=rootless\"],\"DefaultRuntime\":\"crun\"}",
			{.is_podman = true,
				.is_rootless = true,
				.version = 403,
				.root_dir = "",
				.runtime = "crun"}},
		{"{\"ApiVersion\":\"1.45\",\"Version\":\"dev\"}", "{\"SecurityOptions\":null}",
			{.root_dir = "", .runtime = ""}},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char hello[512];
		char info[512];
		struct setting t;
		struct br_engine_info got;
		(void)snprintf(hello, sizeof(hello), HEAD "Content-Length: %zu\r\n\r\n%s",
			strlen(rows[i].hello), rows[i].hello);
		(void)snprintf(info, sizeof(info), HEAD "Content-Length: %zu\r\n\r\n%s",
			strlen(rows[i].info), rows[i].info);
		struct behaviour how = {hello, KEEP, info, KEEP};
		pid_t pid = start_server(&how);
		set_up(&t, path);
		int r = 0;
		for (int tries = 0; tries < TRIES && r == 0; tries++) {
			r = br_engine_info_read(&t.arena, path, &got, t.dx);
		}
		assert_int_equal(r, 1);
		assert_string_equal(got.socket, path);
		assert_int_equal(got.is_podman, rows[i].want.is_podman);
		assert_int_equal(got.is_rootless, rows[i].want.is_rootless);
		assert_int_equal(got.has_userns, rows[i].want.has_userns);
		assert_int_equal(got.version, rows[i].want.version);
		assert_string_equal(got.root_dir, rows[i].want.root_dir);
		assert_string_equal(got.runtime, rows[i].want.runtime);
		tear_down(&t);
		stop_server(pid);
	}
}

/** Who does not answer is not worth a word. */
static void test_no_info(void **state) {
	(void)state;
	static const struct behaviour how = {HEAD "Content-Length: 2\r\n\r\n{}", KEEP, "", CLOSE};
	struct setting t;
	struct br_engine_info got;
	set_up(&t, "/nowhere/x.sock");
	assert_int_equal(br_engine_info_read(&t.arena, "/nowhere/x.sock", &got, t.dx), 0);
	assert_int_equal(br_diags_count(t.dx), 0);
	pid_t pid = start_server(&how);
	assert_int_equal(br_engine_info_read(&t.arena, path, &got, t.dx), 0);
	assert_int_equal(br_diags_count(t.dx), 0);
	tear_down(&t);
	stop_server(pid);
}

/** With the patience of every day: slow is not silent. Each answer takes longer than a second. */
static void test_late(void **state) {
	(void)state;
	static const struct behaviour how = {HELLO, LATE,
		HEAD "Content-Length: 26\r\n\r\n{\"Config\":{\"User\":\"late\"}}", LATE};
	struct setting t;
	int found = 0;
	for (int tries = 0; tries < TRIES && found == 0; tries++) {
		pid_t pid = start_server(&how);
		set_up(&t, path);
		t.finder.patience = 0;
		found = engine_find(&t.finder, "x", &t.image) > 0
			&& engine_find(&t.finder, "y", &t.image) > 0;
		if (found) {
			assert_string_equal(t.image.user.s, "late");
			assert_int_equal(br_diags_count(t.dx), 0);
		}
		tear_down(&t);
		stop_server(pid);
	}
	assert_int_equal(found, 1);
}

/** One that is silent costs its time once: whoever is told so does not ask, and says so. */
static void test_slow_once(void **state) {
	(void)state;
	static const struct behaviour how = {"", SILENT, "", SILENT};
	struct setting t;
	struct br_engine_info got;
	pid_t pid = start_server(&how);
	set_up(&t, path);
	assert_int_equal(br_engine_info_read(&t.arena, path, &got, t.dx), 0);
	assert_true(got.is_slow);
	assert_int_equal(br_diags_count(t.dx), 0);
	stop_server(pid);
	// Asked again it would be found gone.
	t.options.is_slow = true;
	assert_int_equal(engine_find(&t.finder, "x", &t.image), 0);
	assert_non_null(strstr(message(&t), "it takes too long"));
	tear_down(&t);
	// That there is none, or no engine, is no matter of time.
	set_up(&t, path);
	assert_int_equal(br_engine_info_read(&t.arena, path, &got, t.dx), 0);
	assert_false(got.is_slow);
	tear_down(&t);
}

static void test_environment(void **state) {
	(void)state;
	static const struct behaviour how = {
		HELLO, KEEP, UNTIL_END "{\"Config\":{\"User\":\"u\"}}", CLOSE};
	struct setting t;
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
	pid_t pid = start_server(&how);
	set_up(&t, path);
	assert_int_equal(engine_find(&t.finder, "x", &t.image), 1);
	assert_string_equal(t.image.user.s, "u");
	tear_down(&t);
	stop_server(pid);
	assert_int_equal(unsetenv("http_proxy"), 0);
	assert_int_equal(unsetenv("ALL_PROXY"), 0);
}

// ---- containers ----

#define LABELS(project, service) \
	"{\"Id\":\"1\",\"Labels\":{\"com.docker.compose.project\":\"" project \
	"\",\"com.docker.compose.service\":\"" service "\"}}"

static const struct {
	const char *json;
	bool web, db;
} listings[] = {
	{"[]", false, false},
	{"[" LABELS("proj", "db") "]", false, true},
	{"[" LABELS("proj", "web") "," LABELS("proj", "web") "," LABELS("proj", "db") "]", true,
		true},
	{"[" LABELS("other", "web") "," LABELS("proj", "webs") "," LABELS("proj", "") "]", false,
		false},
	{"[null,7,{\"Labels\":null},{\"Labels\":[\"x\"]}," LABELS("proj", "web") "]", true, false},
	{"[{\"Labels\":{\"com.docker.compose.project\":1,\"com.docker.compose.service\":\"web\"}}]",
		false, false},
	{"{\"web\":" LABELS("proj", "web") "}", false, false},
	{"[" LABELS("proj", "web"), false, false},
	{"", false, false},
};

static struct br_spec spec_of(const char *project, const struct br_container *containers) {
	return (struct br_spec){.project_name = project, .containers = containers, .n = 2};
}

static void test_running(void **state) {
	(void)state;
	static const char wanted[] =
		"GET /v1.41/containers/json?filters=%7B%22label%22%3A%5B%22com.docker.compose.project"
		"%3Dproj%22%5D%7D HTTP/1.1\n";
	const struct br_container containers[2] = {{.name = {.s = "web"}}, {.name = {.s = "db"}}};
	const struct br_spec spec = spec_of("proj", containers);
	for (size_t i = 0; i < sizeof(listings) / sizeof(*listings); i++) {
		char text[1024];
		bool running[2] = {true, true};
		(void)snprintf(text, sizeof(text), UNTIL_END "%s", listings[i].json);
		const struct behaviour how = {HELLO, KEEP, text, CLOSE};
		struct setting t;
		pid_t pid = start_server(&how);
		set_up(&t, path);
		bool told = false;
		for (int tries = 0; tries < TRIES && !told; tries++) {
			assert_int_equal(
				br_images_running(&t.arena, &spec, &t.options, running, t.dx), 0);
			told = running[0] == listings[i].web && running[1] == listings[i].db
				&& strstr(requests(), wanted) != NULL;
		}
		if (!told) {
			fail_msg("%s: %d %d", listings[i].json, running[0], running[1]);
		}
		assert_int_equal(br_diags_count(t.dx), 0);
		tear_down(&t);
		stop_server(pid);
	}
}

// Nobody is told of an engine that does not answer, and no name becomes more than a name.
static void test_not_asked(void **state) {
	(void)state;
	static const struct behaviour silent = {"", SILENT, "", SILENT};
	static const struct behaviour how = {HELLO, KEEP, UNTIL_END "[]", CLOSE};
	static const char *const names[] = {NULL, "", "a b", "a%22", "../version", "A", "\""};
	const struct br_container containers[2] = {{.name = {.s = "web"}}, {.name = {.s = "db"}}};
	bool running[2] = {true, true};
	struct br_spec spec = spec_of("proj", containers);
	struct setting t;
	pid_t pid = start_server(&silent);
	set_up(&t, path);
	assert_int_equal(br_images_running(&t.arena, &spec, &t.options, running, t.dx), 0);
	assert_false(running[0] || running[1]);
	assert_int_equal(br_diags_count(t.dx), 0);
	tear_down(&t);
	stop_server(pid);
	pid = start_server(&how);
	set_up(&t, path);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		spec = spec_of(names[i], containers);
		assert_int_equal(br_images_running(&t.arena, &spec, &t.options, running, t.dx), 0);
	}
	tear_down(&t);
	stop_server(pid);
	assert_string_equal(requests(), "");
}

#define BOX(name, labels, mounts) \
	"{\"Id\":\"0123456789abcdef0\",\"Names\":[\"/" name "\"],\"Labels\":{" labels \
	"},\"Mounts\":[" mounts "]}"
#define OF(project, service) \
	"\"com.docker.compose.project\":\"" project "\",\"com.docker.compose.service\":\"" service \
	"\""
#define BIND(source) "{\"Type\":\"bind\",\"Source\":\"" source "\",\"Destination\":\"/d\"}"

/** Whose mounts count: all but those of one's own containers, whatever is not as it should be left
 * out. */
static const struct {
	enum br_input_kind kind;
	const char *json;
	const char *want;
} mounted[] = {
	{BR_INPUT_COMPOSE, "[]", ""},
	{BR_INPUT_COMPOSE, "[" BOX("pg", "", BIND("/srv/pg")) "]", "pg=/srv/pg "},
	{BR_INPUT_COMPOSE, "[" BOX("p-web-1", OF("proj", "web"), BIND("/a")) "]", ""},
	{BR_INPUT_COMPOSE, "[" BOX("p-old-1", OF("proj", "old"), BIND("/a")) "]", "p-old-1=/a "},
	{BR_INPUT_COMPOSE, "[" BOX("q-web-1", OF("other", "web"), BIND("/a") "," BIND("/b")) "]",
		"q-web-1=/a q-web-1=/b "},
	{BR_INPUT_COMPOSE, "[" BOX("web", "", BIND("/a")) "]", "web=/a "},
	{BR_INPUT_RUN_LINE, "[" BOX("web", "", BIND("/a")) "]", ""},
	// A run line without --name is called after its image: that is no container's name.
	{BR_INPUT_RUN_LINE, "[" BOX("db", "", BIND("/a")) "]", "db=/a "},
	{BR_INPUT_RUN_LINE, "[" BOX("bundle", "", BIND("/a")) "]", "bundle=/a "},
	{BR_INPUT_OCI, "[" BOX("web", "", BIND("/a")) "]", "web=/a "},
	{BR_INPUT_OCI, "[{\"Id\":\"abcdef0123456789\",\"Mounts\":[" BIND("/a") "]}]", ""},
	{BR_INPUT_CONTAINER, "[" BOX("db", "", BIND("/a")) "," BOX("x", "", BIND("/b")) "]",
		"x=/b "},
	{BR_INPUT_COMPOSE, "[" BOX("x", "", BIND("a") "," BIND("")) "]", ""},
	{BR_INPUT_COMPOSE, "[" BOX("x", "", "{\"Type\":\"tmpfs\",\"Source\":\"/a\"}") "]", ""},
	{BR_INPUT_COMPOSE, "[null,7,{\"Mounts\":7},{\"Mounts\":[7,null," BIND("/z") "]}]", "?=/z "},
	{BR_INPUT_COMPOSE, "[" BOX("a b", "", BIND("/z")) "]", "0123456789ab=/z "},
	{BR_INPUT_COMPOSE, "[{\"Id\":\"0123456789abcdef0\",\"Mounts\":[" BIND("/z") "]}]",
		"0123456789ab=/z "},
};

static void test_claims(void **state) {
	(void)state;
	const struct br_container containers[] = {
		{.name = {"web", {.off = 10}}, .image = {"app", {.off = 20}}},
		{.name = {"db", {.off = 40}}, .image = {"db", {.off = 40}}},
		{.name = {"bundle", {.off = 60}}, .rootfs = {"/srv/bundle", {.off = 60}}},
		{.name = {"abcdef0123456789", {.off = 80}}, .image = {"app", {.off = 90}}},
	};
	struct br_spec spec = spec_of("proj", containers);
	spec.n = sizeof(containers) / sizeof(*containers);
	for (size_t i = 0; i < sizeof(mounted) / sizeof(*mounted); i++) {
		char text[1024];
		struct br_claims claims = {0};
		char got[256] = "";
		(void)snprintf(text, sizeof(text), UNTIL_END "%s", mounted[i].json);
		const struct behaviour how = {HELLO, KEEP, text, CLOSE};
		struct setting t;
		pid_t pid = start_server(&how);
		set_up(&t, path);
		spec.kind = mounted[i].kind;
		assert_int_equal(br_engine_claims_read(&t.arena, path, &spec, &claims, t.dx), 0);
		for (size_t k = 0; k < claims.n; k++) {
			size_t n = strlen(got);
			(void)snprintf(got + n, sizeof(got) - n, "%s=%s ", claims.v[k].name.s,
				claims.v[k].source.s);
		}
		if (strcmp(got, mounted[i].want) != 0) {
			fail_msg("%s: %s", mounted[i].json, got);
		}
		assert_int_equal(br_diags_count(t.dx), 0);
		tear_down(&t);
		stop_server(pid);
	}
	assert_non_null(strstr(requests(), "GET /v1.41/containers/json?all=1 HTTP/1.1\n"));
}

// No engine is no reason for words; one that begins to answer and does not go on is.
static void test_claims_unsaid(void **state) {
	(void)state;
	const struct br_container containers[2] = {{.name = {.s = "web"}}, {.name = {.s = "db"}}};
	static const struct behaviour refuses = {
		HELLO, KEEP, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", KEEP};
	struct br_spec spec = spec_of("proj", containers);
	struct br_claims claims = {0};
	struct setting t;
	set_up(&t, path);
	assert_int_equal(br_engine_claims_read(&t.arena, NULL, &spec, &claims, t.dx), 0);
	assert_int_equal(br_engine_claims_read(&t.arena, path, &spec, &claims, t.dx), 0);
	assert_int_equal(br_diags_count(t.dx), 0);
	pid_t pid = start_server(&refuses);
	assert_int_equal(br_engine_claims_read(&t.arena, path, &spec, &claims, t.dx), 0);
	assert_int_equal(claims.n, 0);
	assert_int_equal(br_diags_count(t.dx), 1);
	assert_int_equal(br_diags_get(t.dx, 0)->severity, BR_NOTE);
	tear_down(&t);
	stop_server(pid);
}

static int make_directory(void **state) {
	(void)state;
	// sockets have short paths
	(void)snprintf(directory, sizeof(directory), "/tmp/br-engine-XXXXXX");
	if (!mkdtemp(directory)) {
		return -1;
	}
	(void)snprintf(path, sizeof(path), "%s/s", directory);
	(void)snprintf(log_path, sizeof(log_path), "%s/log", directory);
	return 0;
}

static int remove_directory(void **state) {
	(void)state;
	(void)unlink(path);
	(void)unlink(log_path);
	return rmdir(directory);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_docker),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_no_such_image),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_no_server),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_no_info),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_slow_once),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_running),
		cmocka_unit_test(test_not_asked),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_claims_unsaid),
	};
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
