#include "dockerfile.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

static bool is_space(char c) {
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct br_span rest_span(const struct df_build *b, const struct df_line *line) {
	return line->n ? df_span(b->file, line, line->rest, line->n) : line->at;
}

size_t df_find_stage(const struct df_build *b, const char *name, size_t before) {
	before = df_spend(b->file->finder, before) ? before : 0;
	for (size_t i = before; i-- > 0;) {
		if (b->stages.v[i].name && !strcasecmp(b->stages.v[i].name, name)) {
			return i;
		}
	}
	return SIZE_MAX;
}

// Variables before the first FROM

static int declare(struct df_build *b, const char *name, const char *value, const char *unknown) {
	struct df_var var = {.name = name, .value = value, .unknown = unknown};
	return br_vec_push(b->arena, &b->globals, var) ? br_error_memory(b->dx) : 0;
}

/** A build arg of the compose file; NULL: not given. */
static const char *given(const struct df_build *b, const char *name) {
	size_t len = strlen(name);
	size_t n = df_spend(b->file->finder, b->build->nargs) ? b->build->nargs : 0;
	for (size_t i = n; i-- > 0;) {
		const char *arg = b->build->args[i].s;
		if (!strncmp(arg, name, len) && arg[len] == '=') {
			return arg + len + 1;
		}
	}
	return NULL;
}

/** "linux/arm64/v8" into its parts; what the platform is decides nothing that we could find out
 * otherwise. */
static int declare_platform(struct df_build *b) {
	static const char *const names[] = {"TARGETPLATFORM", "TARGETOS", "TARGETARCH",
		"TARGETVARIANT", "BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT",
		"TARGETOSVERSION", "BUILDOSVERSION", "TARGETSTAGE"};
	const char *platform = b->file->finder->options->platform;
	const char *s = platform;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = NULL;
		if (platform && i == 0) {
			value = platform;
		} else if (platform && i < 4) {
			size_t n = strcspn(s, "/");
			value = br_strndup(b->arena, s, n);
			s += n + (s[n] == '/');
		}
		const char *arg = given(b, names[i]);
		value = arg ? arg : value;
		const char *why =
			value ? NULL : br_printf(b->arena, "depends on build arg %s", names[i]);
		if ((!value && !why) || declare(b, names[i], value, why)) {
			return -1;
		}
	}
	return 0;
}

/** One "NAME" or "NAME=value" of ARG, its value expanded by the variables in `words`. */
static int read_arg(struct df_build *b, struct df_words *words, const char *s, struct df_var *out) {
	const char *value = strchr(s, '=');
	struct df_words plain = *words;
	const char *name = "";
	const char *raw = br_strndup(b->arena, s, value ? (size_t)(value - s) : strlen(s));
	if (!raw) {
		return br_error_memory(b->dx);
	}
	if (df_expand(&plain, raw, &name)) {
		return -1;
	}
	*out = (struct df_var){.name = name, .value = given(b, name)};
	if (!out->value && value) {
		words->unknown = NULL;
		words->unset = NULL;
		if (df_expand(words, value + 1, &out->value)) {
			return -1;
		}
		out->unknown = words->unknown;
	}
	return 0;
}

/** Call `each` for every word of ARG. */
static int each_arg(struct df_build *b, const struct df_line *line, struct df_words *words,
	int (*each)(void *to, struct df_var *var), void *to) {
	const char *s = line->rest;
	size_t n;
	if (!*s) {
		return br_error(b->dx, line->at, "ARG needs a name");
	}
	while ((n = df_word(&s, b->file->escape))) {
		struct df_var var = {.name = ""};
		const char *word = br_strndup(b->arena, s, n);
		words->at = df_span(b->file, line, s, n);
		if (!word) {
			return br_error_memory(b->dx);
		}
		if (read_arg(b, words, word, &var) || each(to, &var)) {
			return -1;
		}
		s += n;
	}
	return 0;
}

static int add_global(void *to, struct df_var *var) {
	struct df_build *b = to;
	bool looked = df_spend(b->file->finder, b->globals.n);
	const struct df_var *old = looked ? df_var_get(&b->globals, var->name) : NULL;
	if (!looked) {
		return 0;
	}
	if (old && !var->value && !var->unknown) {
		return 0;
	}
	if (b->globals.n > DOCKERFILE_VARIABLES) {
		return br_error(
			b->dx, (struct br_span){0}, "more than %d variables", DOCKERFILE_VARIABLES);
	}
	return declare(b, var->name, var->value, var->unknown);
}

static struct df_words global_words(const struct df_build *b, const struct df_line *line) {
	return (struct df_words){.finder = b->file->finder,
		.vars = &b->globals,
		.escape = b->file->escape,
		.at = line->at};
}

// FROM

static bool is_stage_name(const char *s) {
	if (*s < 'a' || *s > 'z') {
		return false;
	}
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(s);
}

static int set_name(struct df_build *b, struct df_stage *stage, const char *s, size_t n) {
	char *name = br_strndup(b->arena, s, n);
	if (!name) {
		return br_error_memory(b->dx);
	}
	for (char *c = name; *c; c++) {
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	}
	stage->name = name;
	return is_stage_name(name) ? 0
				   : br_error(b->dx, df_span(b->file, stage->from, s, n),
					   "'%s' is no valid name of a stage", name);
}

static int set_base(struct df_build *b, struct df_stage *stage, const char *s, size_t n) {
	struct df_words words = global_words(b, stage->from);
	const char *word = br_strndup(b->arena, s, n);
	words.at = stage->base_at = df_span(b->file, stage->from, s, n);
	if (!word) {
		return br_error_memory(b->dx);
	}
	if (df_expand(&words, word, &stage->base)) {
		return -1;
	}
	if (words.unknown) {
		stage->unknown = br_printf(b->arena, "its base image %s", words.unknown);
		stage->base = NULL;
		return stage->unknown ? 0 : br_error_memory(b->dx);
	}
	if (!*stage->base) {
		br_error(b->dx, words.at, "the base image's name '%s' is empty", word);
		if (words.unset) {
			br_hint(b->dx, "give the build arg %s, or a default before the first FROM",
				words.unset);
		}
		return -1;
	}
	stage->parent = df_find_stage(b, stage->base, b->stages.n);
	return 0;
}

static int read_from(struct df_build *b, const struct df_line *line) {
	bool failed = false;
	const char *rest = line->rest;
	(void)df_flag(b->arena, &rest, "platform", b->file->escape, &failed);
	const char *words[4] = {0};
	size_t lengths[4] = {0};
	size_t n = 0;
	while (n < 4 && (lengths[n] = df_word(&rest, b->file->escape))) {
		words[n] = rest;
		rest += lengths[n++];
	}
	bool named = n == 3 && lengths[1] == 2 && !strncasecmp(words[1], "as", 2);
	if (failed) {
		return br_error_memory(b->dx);
	}
	if (n != 1 && !named) {
		return br_error(
			b->dx, rest_span(b, line), "FROM takes an image, or an image AS a name");
	}
	if (b->stages.n >= DOCKERFILE_STAGES) {
		return br_error(b->dx, line->at, "more than %d stages", DOCKERFILE_STAGES);
	}
	struct df_stage stage = {.from = line, .parent = SIZE_MAX};
	if (set_base(b, &stage, words[0], lengths[0])
		|| (named && set_name(b, &stage, words[2], lengths[2]))) {
		return -1;
	}
	return br_vec_push(b->arena, &b->stages, stage) ? br_error_memory(b->dx) : 0;
}

int df_read_stages(struct df_build *b) {
	if (declare_platform(b)) {
		return br_error_memory(b->dx);
	}
	for (size_t i = 0; i < b->file->n; i++) {
		const struct df_line *line = &b->file->lines[i];
		if (!strcmp(line->name, "FROM")) {
			if (read_from(b, line)) {
				return -1;
			}
			b->stages.v[b->stages.n - 1].begin = i + 1;
		} else if (!b->stages.n && !strcmp(line->name, "ARG")) {
			struct df_words words = global_words(b, line);
			if (each_arg(b, line, &words, add_global, b)) {
				return -1;
			}
		} else if (!b->stages.n) {
			return br_error(
				b->dx, line->at, "%s stands before the first FROM", line->name);
		}
		if (b->stages.n) {
			b->stages.v[b->stages.n - 1].end = i + 1;
		}
	}
	if (!b->stages.n) {
		struct br_span at =
			b->build->dockerfile.at.text ? b->build->dockerfile.at : b->build->at;
		return br_error(b->dx, at, "the Dockerfile has no FROM");
	}
	return 0;
}

// Instructions

struct df_words df_stage_words(const struct df_work *work) {
	return (struct df_words){.finder = work->b->file->finder,
		.vars = &work->stage->vars,
		.base = work->stage->unknown_base,
		.escape = work->b->file->escape,
		.at = rest_span(work->b, work->line)};
}

/** Set or add. A variable that has one value by ENV and another by a later ARG is one about which
 * builders disagree. */
static int set_var(struct df_work *work, struct df_var *var) {
	df_vars *vars = &work->stage->vars;
	struct df_var *old = NULL;
	// With the environment, which is looked through next.
	if (!df_spend(work->b->file->finder, (uint64_t)2 * vars->n)) {
		return 0;
	}
	for (size_t i = 0; i < vars->n && !old; i++) {
		old = strcmp(vars->v[i].name, var->name) ? NULL : &vars->v[i];
	}
	if (old && !var->is_env && !var->value && !var->unknown) {
		return 0;
	}
	bool conflict = old && old->is_env && !var->is_env && var->value
		&& (!old->value || strcmp(old->value, var->value) != 0);
	if (conflict) {
		old->unknown = br_printf(work->b->arena,
			"depends on whether the builder lets build arg %s replace an ENV",
			var->name);
		return old->unknown ? 0 : br_error_memory(work->b->dx);
	}
	if (old) {
		bool is_env = old->is_env || var->is_env;
		*old = *var;
		old->is_env = is_env;
		return 0;
	}
	if (vars->n >= DOCKERFILE_VARIABLES) {
		return br_error(work->b->dx, work->line->at, "more than %d variables",
			DOCKERFILE_VARIABLES);
	}
	return br_vec_push(work->b->arena, vars, *var) ? br_error_memory(work->b->dx) : 0;
}

static int add_arg(void *to, struct df_var *var) {
	struct df_work *work = to;
	if (!var->value && !var->unknown) {
		const struct df_var *global = df_var_get(&work->b->globals, var->name);
		if (global) {
			var->value = global->value;
			var->unknown = global->unknown;
		}
	}
	return set_var(work, var);
}

static int do_arg(struct df_work *work) {
	struct df_words words = df_stage_words(work);
	return each_arg(work->b, work->line, &words, add_arg, work);
}

/** "NAME=value" into the image's environment, in the place of an older one. */
static int set_environment(struct df_work *work, const struct df_var *var) {
	struct df_stage *stage = work->stage;
	size_t len = strlen(var->name);
	char *entry = br_printf(work->b->arena, "%s=%s", var->name, var->unknown ? "" : var->value);
	if (!entry) {
		return br_error_memory(work->b->dx);
	}
	size_t i = 0;
	while (i < stage->environment.n
		&& (strncmp(stage->environment.v[i], var->name, len) != 0
			|| stage->environment.v[i][len] != '=')) {
		i++;
	}
	if (var->unknown) {
		if (i < stage->environment.n) {
			stage->environment.v[i] = stage->environment.v[--stage->environment.n];
		}
		return 0;
	}
	if (i < stage->environment.n) {
		stage->environment.v[i] = entry;
		return 0;
	}
	return br_vec_push(work->b->arena, &stage->environment, entry)
		? br_error_memory(work->b->dx)
		: 0;
}

typedef br_vec(struct df_var) pairs;

static int add_pair(struct df_work *work, pairs *to, const char *key, const char *value) {
	struct df_words words = df_stage_words(work);
	struct df_var var = {.name = "", .is_env = true};
	if (!key || !value) {
		return br_error_memory(work->b->dx);
	}
	if (df_expand(&words, key, &var.name)) {
		return -1;
	}
	words.unknown = NULL;
	if (df_expand(&words, value, &var.value)) {
		return -1;
	}
	var.unknown = words.unknown;
	return br_vec_push(work->b->arena, to, var) ? br_error_memory(work->b->dx) : 0;
}

/** "K=V K2=V2", or the old "K the rest". All of them see the values from before the line. */
static int read_pairs(struct df_work *work, pairs *to) {
	struct br_arena *arena = work->b->arena;
	const char *s = work->line->rest;
	size_t n = df_word(&s, work->b->file->escape);
	if (!memchr(s, '=', n)) {
		const char *end = s;
		while (*end && !is_space(*end)) {
			end++;
		}
		const char *value = end;
		while (is_space(*value)) {
			value++;
		}
		return *value ? add_pair(work, to, br_strndup(arena, s, (size_t)(end - s)), value)
			      : br_error(work->b->dx, work->line->at, "%s needs a name and a value",
				      work->line->name);
	}
	for (; n; n = df_word(&s, work->b->file->escape)) {
		const char *equal = memchr(s, '=', n);
		if (!equal) {
			return br_error(work->b->dx, df_span(work->b->file, work->line, s, n),
				"%s takes NAME=VALUE", work->line->name);
		}
		size_t len = (size_t)(equal - s);
		if (add_pair(work, to, br_strndup(arena, s, len),
			    br_strndup(arena, equal + 1, n - len - 1))) {
			return -1;
		}
		s += n;
	}
	return 0;
}

static int do_env(struct df_work *work) {
	pairs list = {0};
	if (read_pairs(work, &list)) {
		return -1;
	}
	for (size_t i = 0; i < list.n; i++) {
		if (set_var(work, &list.v[i]) || set_environment(work, &list.v[i])) {
			return -1;
		}
	}
	return 0;
}

static int do_label(struct df_work *work) {
	pairs list = {0};
	if (!strstr(work->line->rest, "io.containers.capabilities")) {
		return 0;
	}
	if (read_pairs(work, &list)) {
		return -1;
	}
	for (size_t i = 0; i < list.n; i++) {
		if (!strcmp(list.v[i].name, "io.containers.capabilities") && !list.v[i].unknown) {
			work->stage->image.capabilities_label = list.v[i].value;
		}
	}
	return 0;
}

static int do_user(struct df_work *work) {
	struct df_words words = df_stage_words(work);
	struct br_image *image = &work->stage->image;
	const char *user = NULL;
	if (!*work->line->rest) {
		return br_error(work->b->dx, work->line->at, "USER needs a user");
	}
	if (df_expand(&words, work->line->rest, &user)) {
		return -1;
	}
	image->user = (struct br_text){words.unknown ? NULL : user, words.at};
	image->unknown = words.unknown;
	if (!words.unknown && words.unset) {
		br_warning(work->b->dx, words.at,
			"the variable '%s' has no value here, so USER is '%s'%s", words.unset, user,
			*user ? "" : ": root");
		br_hint(work->b->dx, "declare ARG %s after FROM, with a default or build args",
			words.unset);
	}
	return 0;
}

static int do_workdir(struct df_work *work) {
	struct df_words words = df_stage_words(work);
	const char *dir = NULL;
	if (df_expand(&words, work->line->rest, &dir)) {
		return -1;
	}
	const char *old = work->stage->workdir;
	if (words.unknown || (*dir != '/' && !old)) {
		work->stage->workdir = NULL;
		return 0;
	}
	if (*dir != '/' && strlen(old) + strlen(dir) >= PATH_MAX) {
		work->stage->workdir = NULL; // the kernel takes no such path
		return 0;
	}
	work->stage->workdir = *dir == '/' ? dir : br_printf(work->b->arena, "%s/%s", old, dir);
	return work->stage->workdir && !df_workdir_effects(work) ? 0 : br_error_memory(work->b->dx);
}

static int do_shell(struct df_work *work) {
	static const char *const shells[] = {"sh", "bash", "ash", "dash", "ksh", "zsh"};
	bool failed = false;
	char **words = df_json(work->b->arena, work->line->rest, &failed);
	if (failed) {
		return br_error_memory(work->b->dx);
	}
	if (!words || !words[0]) {
		return br_error(work->b->dx, work->line->at, "SHELL takes a JSON list of words");
	}
	const char *slash = strrchr(words[0], '/');
	work->stage->odd_shell = true;
	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++) {
		if (!strcmp(slash ? slash + 1 : words[0], shells[i])) {
			work->stage->odd_shell = false;
		}
	}
	return 0;
}

static int run_script(struct df_work *work, struct df_script *script) {
	const struct df_line *line = work->line;
	bool failed = false;
	char **words = df_json(work->b->arena, script->s, &failed);
	if (failed) {
		return br_error_memory(work->b->dx);
	}
	if (words) {
		size_t n = 0;
		while (words[n]) {
			n++;
		}
		return df_argv_run(script, (const char *const *)words, n);
	}
	if (work->stage->odd_shell) {
		work->stage->accounts.complete = false;
		work->stage->accounts.odd = true;
		tree_lose(&work->stage->tree);
		return 0;
	}
	if (line->nheredocs && !strncmp(script->s, "<<", 2)) {
		script->line = NULL;
		script->s = line->heredocs[0].content;
		script->nheredocs = 0;
	}
	return df_script_run(script);
}

static int do_run(struct df_work *work) {
	bool failed = false;
	struct df_script script = {.finder = work->b->file->finder,
		.accounts = &work->stage->accounts,
		.vars = &work->stage->vars,
		.base = work->stage->unknown_base,
		.s = work->line->rest,
		.heredocs = work->line->heredocs,
		.nheredocs = work->line->nheredocs,
		.at = work->line->at,
		.file = work->b->file,
		.line = work->line,
		.work = work,
		.cwd = work->stage->workdir};
	(void)df_flag(work->b->arena, &script.s, "mount", work->b->file->escape, &failed);
	return failed ? br_error_memory(work->b->dx) : run_script(work, &script);
}

/** Another entrypoint does not drop to anybody that we know of. */
static int do_entrypoint(struct df_work *work) {
	work->stage->image.drop = NULL;
	work->stage->command = NULL;
	return df_command_line(work, &work->stage->entrypoint);
}

static int do_cmd(struct df_work *work) {
	return df_command_line(work, &work->stage->command);
}

int df_instruct(struct df_work *work) {
	static const struct {
		const char *name;
		int (*run)(struct df_work *work);
	} table[] = {{"ADD", df_copy}, {"ARG", do_arg}, {"CMD", do_cmd}, {"COPY", df_copy},
		{"ENTRYPOINT", do_entrypoint}, {"ENV", do_env}, {"LABEL", do_label},
		{"RUN", do_run}, {"SHELL", do_shell}, {"USER", do_user}, {"VOLUME", df_volume},
		{"WORKDIR", do_workdir}};
	struct image_finder *finder = work->b->file->finder;
	(void)df_spend(finder, (uint64_t)work->line->n * 2 * DOCKERFILE_STEPS_BYTE);
	if (df_tired(finder, work->line->at)) {
		return -1;
	}
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (!strcmp(table[i].name, work->line->name)) {
			return table[i].run(work);
		}
	}
	return 0;
}
