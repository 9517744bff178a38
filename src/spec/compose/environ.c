#include "compose.h"

#include <errno.h>
#include <spec/dotenv.h>
#include <string.h>

static const struct br_span nowhere = {0};

static int add_words(struct br_compose *c, const char *const *words, enum br_var_origin origin) {
	for (size_t i = 0; words && words[i]; i++) {
		const char *equals = strchr(words[i], '=');
		if (!equals || equals == words[i]) {
			continue;
		}
		char *name = br_strndup(c->arena, words[i], (size_t)(equals - words[i]));
		struct br_var var = {name, equals + 1, origin};
		if (!name || br_env_set(&c->env, &var, origin == BR_VAR_OVERRIDE)) {
			return br_error_memory(c->dx);
		}
	}
	return 0;
}

int br_compose_environment(struct br_compose *c) {
	if (add_words(c, c->request->overrides, BR_VAR_OVERRIDE)) {
		return -1;
	}
	if (add_words(c, c->request->environment, BR_VAR_ENVIRONMENT)) {
		return -1;
	}
	// Compose sets it itself where the caller's environment has none.
	struct br_var pwd = {"PWD", c->request->cwd, BR_VAR_ENVIRONMENT};
	if (!br_compose_has(c, BR_RULE_PWD_SET)) {
		return 0;
	}
	return br_env_set(&c->env, &pwd, false) ? br_error_memory(c->dx) : 0;
}

/* A variable that compose reads from the caller's environment alone, not from .env. */
static const char *outer(const struct br_compose *c, const char *name) {
	const struct br_var *var = br_env_get(&c->env, name);
	return var && var->origin != BR_VAR_FILE ? var->value : NULL;
}

bool br_compose_names_dotenv(const struct br_compose *c) {
	const char *list = outer(c, "COMPOSE_ENV_FILES");
	return (c->request->env_files && c->request->env_files[0]) || (list && *list);
}

int br_dotenv_file(
	struct br_compose *c, struct br_env *env, const char *path, const struct br_named *named) {
	struct br_span from = named ? named->at : nowhere;
	if (strcmp(path, "/dev/null") == 0) {
		return 0;
	}
	const char *shown = br_shown_path(c, path);
	const struct br_file *file = br_store_ask(c->store, BR_ASK_FILE, path);
	if (!file && !named && (errno == ENOENT || errno == EISDIR || errno == ENOTDIR)) {
		return 0;
	}
	if (!file && errno == ENOENT) {
		return br_error(c->dx, from, "cannot find the env file '%s'", shown);
	}
	if (!file) {
		int why = errno;
		(void)br_error(c->dx, from, "cannot read the env file '%s': %s", shown,
			br_compose_why(why));
		br_hint_answer(c->dx, why);
		return -1;
	}
	int text =
		br_places_add(br_diags_places(c->dx), BR_PLACE_FILE, shown, file->bytes, file->n);
	return text < 0 ? br_error_memory(c->dx) : br_dotenv_read(env, (uint16_t)text, c->dx);
}

/* Go's ParseBool, which is what compose asks here. */
static int parse_bool(const char *s, bool *out) {
	static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True", NULL};
	static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False", NULL};
	for (size_t i = 0; yes[i]; i++) {
		if (strcmp(s, yes[i]) == 0 || strcmp(s, no[i]) == 0) {
			*out = strcmp(s, yes[i]) == 0;
			return 0;
		}
	}
	return -1;
}

/*
 * What was set before wins over these files, and their values can refer to it; so they are read
 * beside a copy of the variables in which nothing can be replaced, and what is new comes over.
 */
int br_dotenv_below(struct br_compose *c, struct br_env *env, const struct br_words *paths,
	const struct br_named *named) {
	struct br_env fresh = {.arena = c->arena};
	for (size_t i = 0; i < env->vars.n; i++) {
		struct br_var var = env->vars.v[i];
		var.origin = BR_VAR_ENVIRONMENT;
		if (br_env_set(&fresh, &var, false)) {
			return br_error_memory(c->dx);
		}
	}
	for (size_t i = 0; i < paths->n; i++) {
		if (br_dotenv_file(c, &fresh, paths->v[i], named)) {
			return -1;
		}
	}
	for (size_t i = env->vars.n; i < fresh.vars.n; i++) {
		if (br_env_set(env, &fresh.vars.v[i], false)) {
			return br_error_memory(c->dx);
		}
	}
	return 0;
}

static int read_default(struct br_compose *c, const char *dir) {
	const char *off = outer(c, "COMPOSE_DISABLE_ENV_FILE");
	bool disabled = false;
	if (off && parse_bool(off, &disabled)) {
		return br_error(c->dx, nowhere,
			"COMPOSE_DISABLE_ENV_FILE must be true or false, not '%s'", off);
	}
	const char *path = br_join(c->arena, dir, ".env");
	struct br_words paths = {0};
	if (!path || br_vec_push(c->arena, &paths, path)) {
		return br_error_memory(c->dx);
	}
	return disabled ? 0 : br_dotenv_below(c, &c->env, &paths, NULL);
}

static int read_named(struct br_compose *c, const char *name, struct br_span at) {
	const char *path = br_join(c->arena, c->request->cwd, name);
	const struct br_named named = {at};
	return path ? br_dotenv_file(c, &c->env, path, &named) : br_error_memory(c->dx);
}

int br_compose_dotenv(struct br_compose *c, const char *dir) {
	const char *const *files = c->request->env_files;
	const struct br_span *at = c->request->env_files_at;
	if (!br_compose_names_dotenv(c)) {
		return read_default(c, dir);
	}
	for (size_t i = 0; files && files[i]; i++) {
		if (read_named(c, files[i], at ? at[i] : nowhere)) {
			return -1;
		}
	}
	const char *list = files && files[0] ? "" : outer(c, "COMPOSE_ENV_FILES");
	while (list && *list) {
		size_t n = strcspn(list, ",");
		char *name = br_strndup(c->arena, list, n);
		if (!name) {
			return br_error_memory(c->dx);
		}
		if (n && read_named(c, name, nowhere)) {
			return -1;
		}
		list += n + (list[n] == ',');
	}
	return 0;
}
