#include "compose.h"

#include <errno.h>
#include <string.h>

static const char *const main_names[] = {
	"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml", NULL};
// Not the same order: .yml comes first here.
static const char *const override_names[] = {"compose.override.yml", "compose.override.yaml",
	"docker-compose.override.yml", "docker-compose.override.yaml", NULL};

static int first_in(struct br_arena *arena, struct br_file_store *store, const char *dir,
	const char *const *names, struct br_first *out) {
	*out = (struct br_first){"", NULL};
	for (size_t i = 0; names[i] && !out->second; i++) {
		const char *path = br_join(arena, dir, names[i]);
		if (!path) {
			return -1;
		}
		bool exists = br_store_ask(store, BR_ASK_EXISTS, path);
		if (!exists && (store->waits || errno == ENOMEM || errno == EFBIG)) {
			return -1;
		}
		out->second = exists && *out->winner ? path : NULL;
		out->winner = exists && !*out->winner ? path : out->winner;
	}
	return 0;
}

int br_first_main(struct br_arena *arena, struct br_file_store *store, const char *dir,
	struct br_first *out) {
	return first_in(arena, store, dir, main_names, out);
}

int br_first_override(struct br_arena *arena, struct br_file_store *store, const char *dir,
	struct br_first *out) {
	return first_in(arena, store, dir, override_names, out);
}

/** What the store is filled for. */
struct preload {
	const struct br_spec_request *request;
	struct br_file_store *store;
	struct br_arena *arena;
};

static int put(const struct preload *p, enum br_ask ask, const char *dir, const char *name) {
	const char *path = br_join(p->arena, dir, name);
	return path ? br_store_answer(p->store, ask, path) : -1;
}

/** Pipes may make us wait, and nobody knows yet whether they will be read. */
static int put_input(const struct preload *p, const char *name) {
	bool is_pipe = strncmp(name, "/dev/", 5) == 0 || strcmp(name, "-") == 0;
	return is_pipe || !*name ? 0 : put(p, BR_ASK_COMPOSE, p->request->cwd, name);
}

static const char *in_environment(const struct br_spec_request *request, const char *name) {
	const char *const *lists[] = {request->overrides, request->environment};
	size_t n = strlen(name);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		for (size_t k = 0; lists[i] && lists[i][k]; k++) {
			const char *word = lists[i][k];
			if (strncmp(word, name, n) == 0 && word[n] == '=') {
				return word + n + 1;
			}
		}
	}
	return NULL;
}

/** The files that discovery will find, if it comes to that. */
static int put_found(const struct preload *p, const char *dir) {
	struct br_first first = {"", NULL};
	while (dir) {
		if (br_first_main(p->arena, p->store, dir, &first)) {
			return -1;
		}
		if (*first.winner || strcmp(dir, "/") == 0) {
			break;
		}
		dir = br_dirname(p->arena, dir);
	}
	if (!dir || !*first.winner) {
		return dir ? 0 : -1;
	}
	if (put_input(p, first.winner) || put(p, BR_ASK_FILE, dir, ".env")
		|| br_first_override(p->arena, p->store, dir, &first)) {
		return -1;
	}
	return put_input(p, first.winner);
}

static int put_named(const struct preload *p, const char *const *names) {
	for (size_t i = 0; names && names[i]; i++) {
		if (put_input(p, names[i])) {
			return -1;
		}
	}
	return 0;
}

/** COMPOSE_FILE of the environment. */
static int put_list(const struct preload *p, const char *list) {
	const char *separator = in_environment(p->request, "COMPOSE_PATH_SEPARATOR");
	separator = separator && *separator ? separator : ":";
	for (const char *at = list; at;) {
		const char *end = strstr(at, separator);
		size_t n = end ? (size_t)(end - at) : strlen(at);
		const char *name = br_strndup(p->arena, at, n);
		if (!name || put_input(p, name)) {
			return -1;
		}
		at = end ? end + strlen(separator) : NULL;
	}
	return 0;
}

static int put_dotenv(const struct preload *p, const char *dir) {
	const char *const *names = p->request->env_files;
	for (size_t i = 0; names && names[i]; i++) {
		if (put(p, BR_ASK_FILE, p->request->cwd, names[i])) {
			return -1;
		}
	}
	return names && names[0] ? 0 : put(p, BR_ASK_FILE, dir, ".env");
}

static int preload(const struct preload *p) {
	const char *const *files = p->request->files;
	const char *first = files && files[0] ? files[0] : NULL;
	const char *dir = p->request->cwd;
	if (p->request->project_directory) {
		dir = br_join(p->arena, dir, p->request->project_directory);
	} else if (first && strcmp(first, "-") != 0) {
		const char *path = br_join(p->arena, dir, first);
		dir = path ? br_dirname(p->arena, path) : NULL;
	}
	if (!dir || put_dotenv(p, dir)) {
		return -1;
	}
	const char *list = in_environment(p->request, "COMPOSE_FILE");
	if (first) {
		return put_named(p, files);
	}
	if (list && *list) {
		return put_list(p, list);
	}
	return put_found(p, dir);
}

int br_compose_preload(const struct br_spec_request *request, struct br_file_store *store) {
	struct br_arena arena = {0};
	const struct preload p = {request, store, &arena};
	int failed = preload(&p);
	int kept = errno;
	br_arena_release(&arena);
	errno = kept;
	return failed;
}
