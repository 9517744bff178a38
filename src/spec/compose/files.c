#include "compose.h"

#include <base/file.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char *const main_names[] = {
	"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml", NULL};
/* Not the same order: .yml comes first here. */
static const char *const override_names[] = {"compose.override.yml", "compose.override.yaml",
	"docker-compose.override.yml", "docker-compose.override.yaml", NULL};

static const struct br_span nowhere = {0};

static int add_input(struct br_compose *c, const char *path, const char *shown) {
	struct br_input input = {.path = path, .shown = shown};
	if (!path || !shown || br_vec_push(c->arena, &c->inputs, input)) {
		return br_error_memory(c->dx);
	}
	return 0;
}

/* A file as somebody named it, relative to where they are. */
static int add_named(struct br_compose *c, const char *name) {
	const char *shown = br_strdup(c->arena, name);
	if (strcmp(name, "-") == 0) {
		return add_input(c, "-", shown);
	}
	if (!*name) {
		return br_error(c->dx, nowhere, "the name of a compose file is empty");
	}
	return add_input(c, br_join(c->arena, c->request->cwd, name), shown);
}

static int add_list(struct br_compose *c, const char *list, const char *separator) {
	size_t k = strlen(separator);
	for (const char *p = list;; p += k) {
		const char *end = strstr(p, separator);
		size_t n = end ? (size_t)(end - p) : strlen(p);
		char *name = br_strndup(c->arena, p, n);
		if (!name) {
			return br_error_memory(c->dx);
		}
		if (add_named(c, name)) {
			return -1;
		}
		if (!end) {
			return 0;
		}
		p = end;
	}
}

/* -f, else COMPOSE_FILE. 1 if either was there. */
static int add_given(struct br_compose *c) {
	const char *const *files = c->request->files;
	for (size_t i = 0; files && files[i]; i++) {
		if (add_named(c, files[i])) {
			return -1;
		}
	}
	if (c->inputs.n) {
		return 1;
	}
	const struct br_var *list = br_env_get(&c->env, "COMPOSE_FILE");
	if (!list || !*list->value) {
		return 0;
	}
	const struct br_var *separator = br_env_get(&c->env, "COMPOSE_PATH_SEPARATOR");
	bool is_set = separator && *separator->value;
	return add_list(c, list->value, is_set ? separator->value : ":") ? -1 : 1;
}

/* The first of these names that is in dir ("" if none is); a warning if there are several. */
static const char *first_in(struct br_compose *c, const char *dir, const char *const *names) {
	const char *winner = NULL;
	const char *second = NULL;
	for (size_t i = 0; names[i] && !second; i++) {
		char *path = br_join(c->arena, dir, names[i]);
		if (!path) {
			(void)br_error_memory(c->dx);
			return NULL;
		}
		if (faccessat(AT_FDCWD, path, F_OK, 0) == 0) {
			second = winner ? path : NULL;
			winner = winner ? winner : path;
		}
	}
	if (second) {
		br_warning(c->dx, nowhere, "several compose files: '%s' is used, '%s' is not",
			br_shown_path(c, winner), br_shown_path(c, second));
	}
	return winner ? winner : "";
}

static int nothing_found(struct br_compose *c, const char *from) {
	(void)br_error(c->dx, nowhere, "no compose file in '%s' or above it", from);
	br_hint(c->dx, "name one with -f FILE");
	return -1;
}

static int discover(struct br_compose *c, const char *from) {
	const char *found = NULL;
	for (const char *dir = from;; dir = br_dirname(c->arena, dir)) {
		found = dir ? first_in(c, dir, main_names) : NULL;
		if (!found) {
			return dir ? -1 : br_error_memory(c->dx);
		}
		if (*found || strcmp(dir, "/") == 0) {
			break;
		}
	}
	if (!*found) {
		return nothing_found(c, from);
	}
	const char *dir = br_dirname(c->arena, found);
	const char *more = dir ? first_in(c, dir, override_names) : NULL;
	if (!more) {
		return dir ? -1 : br_error_memory(c->dx);
	}
	if (add_input(c, found, br_shown_path(c, found))) {
		return -1;
	}
	return *more ? add_input(c, more, br_shown_path(c, more)) : 0;
}

/* Where relative paths begin: the option, else the first file's directory, else where we are. */
static const char *directory(struct br_compose *c) {
	const char *dir = c->request->cwd;
	if (c->request->project_directory) {
		dir = br_join(c->arena, dir, c->request->project_directory);
	} else {
		for (size_t i = 0; i < c->inputs.n; i++) {
			if (strcmp(c->inputs.v[i].path, "-") != 0) {
				dir = br_dirname(c->arena, c->inputs.v[i].path);
				break;
			}
		}
	}
	dir = dir ? br_clean(c->arena, dir) : NULL;
	if (!dir) {
		(void)br_error_memory(c->dx);
	}
	return dir;
}

/* Up to 2.26 only the project directory's .env counts, not the caller's. */
static int start_again(struct br_compose *c) {
	unsigned version = c->request->compose_version;
	if (!version || version > 226) {
		return 0;
	}
	c->env = (struct br_env){.arena = c->arena};
	return br_compose_environment(c);
}

/* Inputs that -f names are known before any .env is; the others may depend on it. */
int br_compose_find(struct br_compose *c) {
	if (br_compose_environment(c)) {
		return -1;
	}
	if (c->request->files && c->request->files[0] && add_given(c) < 0) {
		return -1;
	}
	const char *first = directory(c);
	if (!first || br_compose_dotenv(c, first)) {
		return -1;
	}
	int given = c->inputs.n ? 1 : add_given(c);
	if (given < 0 || (given == 0 && discover(c, first))) {
		return -1;
	}
	const char *dir = directory(c);
	if (!dir) {
		return -1;
	}
	c->spec->project_directory = dir;
	if (strcmp(dir, first) == 0 || br_compose_names_dotenv(c)) {
		return 0;
	}
	return start_again(c) || br_compose_dotenv(c, dir) ? -1 : 0;
}

/* Standard input and what a shell's <(…) gives are pipes; anything else must be a regular file. */
static char *read_bytes(struct br_compose *c, const char *path, size_t *n) {
	if (strcmp(path, "-") == 0) {
		return br_read_fd(c->request->stdin_fd, BR_DOC_BYTES, n);
	}
	if (strncmp(path, "/dev/fd/", 8) != 0 && strcmp(path, "/dev/stdin") != 0) {
		return br_read_file(AT_FDCWD, path, BR_DOC_BYTES, n);
	}
	br_auto(br_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? NULL : br_read_fd(fd, BR_DOC_BYTES, n);
}

static int cannot_read(struct br_compose *c, const struct br_input *input, struct br_span from) {
	int why = errno;
	if (why == EFBIG) {
		return br_error(
			c->dx, from, "'%s' is larger than %d bytes", input->shown, BR_DOC_BYTES);
	}
	if (why == EINVAL) {
		return br_error(
			c->dx, from, "cannot read '%s': it is not a regular file", input->shown);
	}
	return br_error(c->dx, from, "cannot read '%s': %s", input->shown, strerror(why));
}

int br_compose_parse(struct br_compose *c, struct br_input *input, struct br_span from) {
	size_t n = 0;
	if (c->shown.n >= BR_COMPOSE_FILES) {
		return br_error(
			c->dx, from, "more than %d compose files in one project", BR_COMPOSE_FILES);
	}
	br_auto(br_freep) char *bytes = read_bytes(c, input->path, &n);
	if (!bytes) {
		return cannot_read(c, input, from);
	}
	int text = br_places_add(br_diags_places(c->dx), BR_PLACE_FILE, input->shown, bytes, n);
	if (text < 0) {
		return br_error_memory(c->dx);
	}
	input->text = (uint16_t)text;
	input->doc = br_doc_read(input->text, c->dx);
	if (!input->doc || br_vec_push(c->arena, &c->shown, input->shown)) {
		return input->doc ? br_error_memory(c->dx) : -1;
	}
	bool is_empty = true;
	for (size_t i = 0; i < input->doc->n; i++) {
		is_empty = is_empty && !input->doc->roots[i];
	}
	if (is_empty) {
		struct br_span start = {input->text, 0, 0};
		return br_error(c->dx, start, "the compose file '%s' is empty", input->shown);
	}
	return 0;
}
