#include "compose.h"

#include <base/input.h>

#include <errno.h>
#include <string.h>

static const struct br_span nowhere = {0};

static int add_input(struct br_compose *c, const char *path, const char *shown, struct br_span at) {
	struct br_input input = {.path = path, .shown = shown, .at = at};
	if (!path || !shown || br_vec_push(c->arena, &c->inputs, input)) {
		return br_error_memory(c->dx);
	}
	return 0;
}

/* A file as somebody named it, relative to where they are. */
static int add_named(struct br_compose *c, const char *name, struct br_span at) {
	const char *shown = br_strdup(c->arena, name);
	if (strcmp(name, "-") == 0) {
		return add_input(c, "-", shown, at);
	}
	if (!*name) {
		return br_error(c->dx, at, "the name of a compose file is empty");
	}
	return add_input(c, br_join(c->arena, c->request->cwd, name), shown, at);
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
		if (add_named(c, name, nowhere)) {
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
	const struct br_span *at = c->request->files_at;
	for (size_t i = 0; files && files[i]; i++) {
		if (add_named(c, files[i], at ? at[i] : nowhere)) {
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

/* Which one is taken, with a warning if there are several. */
static const char *taken(struct br_compose *c, const struct br_first *first) {
	if (first->second) {
		br_warning(c->dx, nowhere, "several compose files: '%s' is used, '%s' is not",
			br_shown_path(c, first->winner), br_shown_path(c, first->second));
	}
	return first->winner;
}

static int cannot_look(struct br_compose *c, const char *dir) {
	return errno == ENOMEM
		? br_error_memory(c->dx)
		: br_error(c->dx, nowhere, "cannot look into '%s': %s", dir, br_compose_why(errno));
}

static int nothing_found(struct br_compose *c, const char *from) {
	(void)br_error(c->dx, nowhere, "no compose file in '%s' or above it", from);
	br_hint(c->dx, "name one with -f FILE");
	return -1;
}

static int discover(struct br_compose *c, const char *from) {
	struct br_first first = {"", NULL};
	const char *dir = from;
	for (; dir; dir = br_dirname(c->arena, dir)) {
		if (br_first_main(c->arena, c->store, dir, &first)) {
			return cannot_look(c, dir);
		}
		if (*first.winner || strcmp(dir, "/") == 0) {
			break;
		}
	}
	if (!dir) {
		return br_error_memory(c->dx);
	}
	if (!*first.winner) {
		return nothing_found(c, from);
	}
	const char *found = taken(c, &first);
	if (br_first_override(c->arena, c->store, dir, &first)) {
		return cannot_look(c, dir);
	}
	const char *more = taken(c, &first);
	if (add_input(c, found, br_shown_path(c, found), nowhere)) {
		return -1;
	}
	return *more ? add_input(c, more, br_shown_path(c, more), nowhere) : 0;
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
	if (br_compose_has(c, BR_RULE_CALLERS_DOTENV)) {
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

const char *br_compose_why(int error) {
	return br_input_why(error);
}

/* Standard input that is read a second time is empty. */
static const struct br_file *read_file(struct br_compose *c, const char *path) {
	static const struct br_file nothing = {.n = 0};
	bool is_stdin = strcmp(path, "-") == 0;
	if (is_stdin && c->stdin_read) {
		return &nothing;
	}
	c->stdin_read = c->stdin_read || is_stdin;
	return br_store_ask(c->store, BR_ASK_COMPOSE, path);
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
	(void)br_error(c->dx, from, "cannot read '%s': %s", input->shown, br_compose_why(why));
	br_hint_answer(c->dx, why);
	return -1;
}

int br_compose_parse(struct br_compose *c, struct br_input *input, struct br_span from) {
	if (c->shown.n >= BR_COMPOSE_FILES) {
		return br_error(
			c->dx, from, "more than %d compose files in one project", BR_COMPOSE_FILES);
	}
	const struct br_file *file = read_file(c, input->path);
	if (!file) {
		return cannot_read(c, input, from);
	}
	int text = br_places_add(br_diags_places(c->dx), BR_PLACE_FILE, input->shown,
		file->bytes ? file->bytes : "", file->n);
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
