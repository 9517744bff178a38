/** What can change whom a container's entrypoint drops to: its environment, and whether the image's
 * entrypoint runs at all. */
#include "compose.h"

#include <base/input.h>
#include <base/own.h>

#include <errno.h>
#include <spec/dotenv.h>
#include <string.h>

/** A service's environment under work. */
struct start {
	struct br_compose *c;
	br_vec(struct br_text) words;
	/** What the values of its env files may refer to; the variables of the files come over
	 * those of the project. */
	struct br_env env;
};

/** A copy of the project's variables in which every one can be replaced. */
static int copy_variables(struct start *start, const struct br_env *from) {
	start->env = (struct br_env){.arena = start->c->arena};
	for (size_t i = 0; i < from->vars.n; i++) {
		struct br_var var = from->vars.v[i];
		var.origin = BR_VAR_FILE;
		if (br_env_set(&start->env, &var, false)) {
			return br_error_memory(start->c->dx);
		}
	}
	return 0;
}

/** Those that the file has set: a new name, or one whose value is no longer the string that it was.
 */
static int keep_changed(
	struct start *start, const char *const *before, size_t n, struct br_span at) {
	struct br_arena *arena = start->c->arena;
	for (size_t i = 0; i < start->env.vars.n; i++) {
		const struct br_var *var = &start->env.vars.v[i];
		if (i < n && var->value == before[i]) {
			continue;
		}
		struct br_text word = {br_printf(arena, "%s=%s", var->name, var->value), at};
		if (!word.s || br_vec_push(arena, &start->words, word)) {
			return br_error_memory(start->c->dx);
		}
	}
	return 0;
}

/** What is wrong with it is compose's business: a warning. */
static int take_file(struct start *start, const struct br_file *file, struct br_text path) {
	struct br_compose *c = start->c;
	size_t n = start->env.vars.n;
	const char **before = BR_NEW_ARRAY(c->arena, const char *, n + 1);
	br_auto(br_diags_freep) struct br_diags *dx = br_diags_new(br_diags_places(c->dx));
	int text =
		br_places_add(br_diags_places(c->dx), BR_PLACE_FILE, path.s, file->bytes, file->n);
	if (!before || !dx || text < 0) {
		return br_error_memory(c->dx);
	}
	for (size_t i = 0; i < n; i++) {
		before[i] = start->env.vars.v[i].value;
	}
	if (br_dotenv_read(&start->env, (uint16_t)text, dx)) {
		br_warning(c->dx, path.at, "the env_file '%s' cannot be understood: %s", path.s,
			br_diags_count(dx) ? br_diags_get(dx, br_diags_count(dx) - 1)->message
					   : "");
		return 0;
	}
	return keep_changed(start, before, n, path.at);
}

static int read_file(
	struct start *start, const char *path, struct br_text written, bool is_required) {
	struct br_compose *c = start->c;
	const struct br_file *file = br_store_ask(c->store, BR_ASK_FILE, path);
	if (file) {
		return take_file(start, file, written);
	}
	// Without an answer this goes on, so that all of them are asked for together.
	if (errno == EAGAIN || (errno == ENOENT && !is_required)) {
		return 0;
	}
	int why = errno;
	if (why == BR_EAUTHOR) {
		(void)br_error(c->dx, written.at, "cannot read the env_file '%s': %s", written.s,
			br_compose_why(why));
		br_hint_answer(c->dx, why);
		return -1;
	}
	if (why == ENOENT) {
		br_warning(c->dx, written.at,
			"the env_file '%s' does not exist: compose will refuse to start",
			written.s);
	} else {
		br_warning(c->dx, written.at, "cannot read the env_file '%s': %s", written.s,
			br_compose_why(why));
	}
	return 0;
}

static int add_file(struct start *start, const struct br_tree *entry) {
	struct br_compose *c = start->c;
	const struct br_tree *path =
		entry->kind == BR_VALUE_MAP ? br_tree_get(entry, "path") : entry;
	const struct br_tree *required = br_tree_get(entry, "required");
	bool is_required = true;
	if (required && br_tree_bool(c, required, "env_file.required", &is_required)) {
		return -1;
	}
	if (!path || path->kind != BR_VALUE_STRING || !*path->s) {
		return 0;
	}
	const char *file = br_host_path(c, path->layer, br_tree_text(path));
	if (!file) {
		return -1;
	}
	return strcmp(file, "/dev/null") == 0
		? 0
		: read_file(start, file, br_tree_text(path), is_required);
}

static int add_files(struct start *start, const struct br_tree *value) {
	if (value && value->kind != BR_VALUE_SEQ) {
		return add_file(start, value);
	}
	for (size_t i = 0; value && i < value->members.n; i++) {
		if (add_file(start, value->members.v[i].value)) {
			return -1;
		}
	}
	return 0;
}

/** What `environment:` says counts more than the files, and so stands behind. */
static int add_environment(struct start *start, const struct br_tree *value) {
	const struct br_text *words = NULL;
	size_t n = 0;
	if (br_compose_pairs(start->c, value, &words, &n)) {
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		if (br_vec_push(start->c->arena, &start->words, words[i])) {
			return br_error_memory(start->c->dx);
		}
	}
	return 0;
}

int br_compose_start(struct br_compose *c, struct br_draft *draft) {
	struct br_container *to = draft->container;
	struct start start = {.c = c};
	const struct br_tree *files = br_tree_get(draft->service, "env_file");
	const struct br_tree *entrypoint = br_tree_get(draft->service, "entrypoint");
	to->has_entrypoint = entrypoint && entrypoint->kind != BR_VALUE_NULL;
	const struct br_tree *command = br_tree_get(draft->service, "command");
	const struct br_tree *directory = br_tree_get(draft->service, "working_dir");
	to->has_command = command && command->kind != BR_VALUE_NULL;
	if (directory && directory->kind == BR_VALUE_STRING) {
		to->working_dir = br_tree_text(directory);
	}
	to->entrypoint_at = to->has_entrypoint ? entrypoint->at : (struct br_span){0};
	if (files && copy_variables(&start, &c->env)) {
		return -1;
	}
	if (add_files(&start, files)
		|| add_environment(&start, br_tree_get(draft->service, "environment"))) {
		return -1;
	}
	to->environment = start.words.v;
	to->nenvironment = start.words.n;
	return 0;
}
