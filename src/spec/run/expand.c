#include "lexer.h"

#include <spec/compose/compose.h>
#include <string.h>

const struct br_hole *br_hole_new(struct br_run *run, struct br_chars what, const char *name) {
	struct br_hole *hole = BR_NEW(run->arena, struct br_hole);
	const char *copy = br_chars_copy(run, what);
	if (!hole || !copy) {
		if (!hole && copy) {
			(void)br_error_memory(run->dx);
		}
		return NULL;
	}
	*hole = (struct br_hole){copy, name, br_chars_at(run, what, 0, what.n), NULL};
	return hole;
}

int br_lexer_value(
	struct br_lexer *l, const struct br_value_of *value, struct br_chars what, bool quoted) {
	struct br_span at = br_chars_at(l->run, what, 0, what.n);
	struct br_mark mark = {at.off, at.len};
	l->quoted = l->quoted || quoted;
	if (value->hole) {
		l->hole = l->hole ? l->hole : value->hole;
		return 0;
	}
	if (!l->environment) {
		l->environment = value->environment;
	}
	for (const char *s = value->s; s && *s; s++) {
		bool splits = !quoted && strchr(" \t\n", *s);
		if (splits ? br_lexer_end_word(l) : br_lexer_add(l, *s, mark)) {
			return -1;
		}
	}
	return 0;
}

// ---- variables ----

static int set(struct br_run *run, const char *name, const char *value, enum br_var_origin origin) {
	struct br_var var = {name, value, origin};
	return value && br_env_set(&run->env, &var, false) ? br_error_memory(run->dx) : 0;
}

static int set_words(struct br_run *run, const char *const *words, enum br_var_origin origin) {
	for (size_t i = 0; words && words[i]; i++) {
		const char *equals = strchr(words[i], '=');
		size_t n = equals ? (size_t)(equals - words[i]) : 0;
		char *name = n ? br_strndup(run->arena, words[i], n) : NULL;
		if (n && !name) {
			return br_error_memory(run->dx);
		}
		// Where the caller is says request->cwd.
		bool is_here = name && origin == BR_VAR_ENVIRONMENT
			&& (strcmp(name, "PWD") == 0 || strcmp(name, "OLDPWD") == 0);
		if (name && !is_here && set(run, name, equals + 1, origin)) {
			return -1;
		}
	}
	return 0;
}

int br_run_variables(struct br_run *run) {
	const struct br_spec_request *request = run->request;
	char *uid = br_printf(run->arena, "%u", request->uid);
	run->env = (struct br_env){.arena = run->arena};
	run->lost = (struct br_env){.arena = run->arena};
	if (!uid) {
		return br_error_memory(run->dx);
	}
	if (set_words(run, request->overrides, BR_VAR_OVERRIDE)
		|| set(run, "HOME", request->home, BR_VAR_FILE)
		|| set(run, "USER", request->user_name, BR_VAR_FILE)
		|| set(run, "LOGNAME", request->user_name, BR_VAR_FILE)
		|| set(run, "UID", uid, BR_VAR_FILE) || set(run, "EUID", uid, BR_VAR_FILE)) {
		return -1;
	}
	return set_words(run, request->environment, BR_VAR_ENVIRONMENT);
}

int br_run_lose(struct br_run *run, const char *name, const char *because) {
	struct br_var var = {name, because, BR_VAR_FILE};
	return br_env_set(&run->lost, &var, true) ? br_error_memory(run->dx) : 0;
}

int br_run_set(struct br_run *run, const char *name, const struct br_word *value, size_t from) {
	const struct br_var *old = br_env_get(&run->env, name);
	if (run->lost.vars.n > BR_RUN_VARIABLES || run->env.vars.n / 4 > BR_RUN_VARIABLES) {
		return br_error(run->dx, value->at, "more than %d variables", BR_RUN_VARIABLES);
	}
	if (value->hole) {
		const char *why = br_printf(run->arena, "it is '%s'", value->hole->what);
		return why ? br_run_lose(run, name, why) : br_error_memory(run->dx);
	}
	const char *s = value->is.s + from;
	// Which branch will be taken is not known; two that agree do not matter.
	if (run->conditions && old && old->origin == BR_VAR_FILE && strcmp(old->value, s) != 0) {
		return br_run_lose(run, name, "it depends on a condition");
	}
	if (old && old->origin == BR_VAR_OVERRIDE) {
		return 0;
	}
	struct br_var var = {name, s, BR_VAR_FILE};
	if (br_env_set(&run->env, &var, true)) {
		return br_error_memory(run->dx);
	}
	return br_env_get(&run->lost, name) ? br_run_lose(run, name, "") : 0;
}

int br_variable(struct br_run *run, const char *name, struct br_span at, struct br_value_of *out) {
	const struct br_var *var = br_env_get(&run->env, name);
	const struct br_var *lost = br_env_get(&run->lost, name);
	bool is_given = var && var->origin == BR_VAR_OVERRIDE;
	*out = (struct br_value_of){0};
	if (strcmp(name, "PWD") == 0 && !is_given && run->cwd) {
		out->s = run->cwd;
		return 0;
	}
	if (!is_given && lost && *lost->value) {
		struct br_hole *hole = BR_NEW(run->arena, struct br_hole);
		if (!hole) {
			return br_error_memory(run->dx);
		}
		*hole = (struct br_hole){"", lost->name, at, lost->value};
		out->hole = hole;
		return 0;
	}
	out->unset = !var;
	out->s = var ? var->value : NULL;
	out->environment = var && var->origin == BR_VAR_ENVIRONMENT ? var->name : NULL;
	return 0;
}

// ---- ${…} ----

size_t br_closing(struct br_chars in, char open, char close) {
	size_t depth = 0;
	char quote = '\0';
	for (size_t i = 0; i < in.n; i++) {
		char c = in.s[i];
		if (c == '\\') {
			i++;
		} else if (quote) {
			quote = c == quote ? '\0' : quote;
		} else if (c == '\'' || c == '"') {
			quote = c;
		} else if (c == open) {
			depth++;
		} else if (c == close && --depth == 0) {
			return i;
		}
	}
	return SIZE_MAX;
}

/** A parameter expansion. */
struct param {
	struct br_chars what;
	const char *name;
	/** ":-" and such, and what stands behind it. */
	char op[3];
	struct br_chars word;
};

/** A variable that is not there: empty for the shell, but here it is more likely that the caller
 * would have it. */
static int unset_hole(struct br_lexer *l, const struct param *p, struct br_value_of *value) {
	bool is_name = br_name_length(p->name, strlen(p->name)) > 0;
	value->hole = br_hole_new(l->run, p->what, is_name ? p->name : NULL);
	return value->hole ? 0 : -1;
}

/** "%": without a suffix, where it has nothing of a pattern. */
static int strip(struct br_lexer *l, const struct param *p, struct br_value_of *value) {
	size_t n = strlen(value->s);
	for (size_t i = 0; i < p->word.n; i++) {
		if (strchr("*?[\\$`'\"", p->word.s[i])) {
			return unset_hole(l, p, value);
		}
	}
	if (p->word.n <= n && memcmp(value->s + n - p->word.n, p->word.s, p->word.n) == 0) {
		value->s = br_strndup(l->run->arena, value->s, n - p->word.n);
	}
	return value->s ? 0 : br_error_memory(l->run->dx);
}

static int apply_word(struct br_lexer *l, const struct param *p, bool quoted) {
	if (l->depth >= BR_RUN_DEPTH) {
		return br_error(l->run->dx, br_chars_at(l->run, p->what, 0, p->what.n),
			"more than %d expansions inside each other", BR_RUN_DEPTH);
	}
	l->depth++;
	l->quoted = l->quoted || quoted;
	int result = br_lexer_range(l, p->word, quoted);
	l->depth--;
	return result;
}

static int apply(struct br_lexer *l, const struct param *p, bool quoted) {
	struct br_value_of value;
	struct br_span at = br_chars_at(l->run, p->what, 0, p->what.n);
	if (br_variable(l->run, p->name, at, &value)) {
		return -1;
	}
	bool colon = p->op[0] == ':';
	char op = colon ? p->op[1] : p->op[0];
	bool is_there = value.s && (!colon || *value.s);
	// Whatever the script would find in it, there is a value then.
	bool is_hole = value.hole != NULL;
	if (op == '+') {
		return is_there || is_hole ? apply_word(l, p, quoted) : 0;
	}
	if ((op == '-' || op == '=') && !is_there && !is_hole) {
		return apply_word(l, p, quoted);
	}
	if (!value.s && !is_hole && unset_hole(l, p, &value)) {
		return -1;
	}
	if (op == '%' && value.s && !value.hole && strip(l, p, &value)) {
		return -1;
	}
	if (op == '#' || op == '!' || op == '@') {
		value.s = NULL;
		if (unset_hole(l, p, &value)) {
			return -1;
		}
	}
	return br_lexer_value(l, &value, p->what, quoted);
}

static bool is_special(char c) {
	return c != '\0' && strchr("0123456789@*#?!-$", c) != NULL;
}

/** What "$1", "$@" and "$0" are: only the name of the file is known. */
static int special(struct br_lexer *l, struct br_chars what, char c, bool quoted) {
	struct br_value_of value = {.s = c == '0' ? l->run->shown : NULL};
	if (!value.s) {
		value.hole = br_hole_new(l->run, what, NULL);
		if (!value.hole) {
			return -1;
		}
	}
	return br_lexer_value(l, &value, what, quoted);
}

static int read_operator(struct br_lexer *l, struct param *p, struct br_chars rest) {
	size_t n = 0;
	if (rest.n > 1 && rest.s[0] == ':' && strchr("-=?+", rest.s[1])) {
		n = 2;
	} else if (rest.n > 0 && strchr("-=?+%", rest.s[0])) {
		n = 1;
	} else if (rest.n > 0) {
		// "#", "/", "[@]", ":1:2" and what else there is.
		p->op[0] = '@';
		return 0;
	}
	(void)l;
	memcpy(p->op, rest.s, n);
	// "%%" of what is no pattern is "%".
	n += n == 1 && rest.n > 1 && rest.s[0] == '%' && rest.s[1] == '%';
	p->word = br_chars_part(rest, n, rest.n - n);
	return 0;
}

/** "${NAME[@]}": each word of it by itself. */
static int put_list(
	struct br_lexer *l, const struct br_words_of *list, struct br_chars what, bool quoted) {
	l->vanishes = list->words.n == 0;
	for (size_t i = 0; i < list->words.n; i++) {
		const struct br_word *word = &list->words.v[i];
		struct br_value_of value = {
			.s = word->is.s, .hole = word->hole, .environment = word->environment};
		if ((i && br_lexer_end_word(l)) || br_lexer_value(l, &value, what, quoted)) {
			return -1;
		}
	}
	return 0;
}

static int read_braces(struct br_lexer *l, bool quoted) {
	struct br_chars in = br_chars_part(l->in, l->i, l->in.n - l->i);
	struct br_chars body = br_chars_part(in, 1, in.n - 1);
	size_t end = br_closing(body, '{', '}');
	struct br_run *run = l->run;
	if (end == SIZE_MAX) {
		return br_error(run->dx, br_chars_at(run, in, 0, 2), "'${' is not closed");
	}
	struct param p = {.what = br_chars_part(in, 0, end + 2)};
	struct br_chars inner = br_chars_part(body, 1, end - 1);
	size_t n = br_name_length(inner.s, inner.n);
	l->i += p.what.n;
	if (n == 0 && inner.n > 0 && inner.s[0] == '0' && inner.n == 1) {
		return special(l, p.what, '0', quoted);
	}
	if (strncmp(inner.s, "BASH_SOURCE", n) == 0 && n == 11) {
		return special(l, p.what, '0', quoted);
	}
	if (n == 0 && inner.n > 0 && is_special(inner.s[0]) && inner.s[0] != '#') {
		n = 1;
	}
	p.name = br_strndup(run->arena, inner.s, n);
	if (!p.name) {
		return br_error_memory(run->dx);
	}
	struct br_chars rest = br_chars_part(inner, n, inner.n - n);
	bool is_list =
		rest.n == 3 && rest.s[0] == '[' && strchr("@*", rest.s[1]) && rest.s[2] == ']';
	const struct br_words_of *list = is_list ? br_list_find(run, p.name) : NULL;
	if (list) {
		return put_list(l, list, p.what, quoted);
	}
	if (n == 0) {
		p.op[0] = '@';
	} else if (read_operator(l, &p, br_chars_part(inner, n, inner.n - n))) {
		return -1;
	}
	return apply(l, &p, quoted);
}

static int read_name(struct br_lexer *l, size_t n, bool quoted) {
	struct param p = {.what = br_chars_part(l->in, l->i, n + 1)};
	p.name = br_strndup(l->run->arena, l->in.s + l->i + 1, n);
	if (!p.name) {
		return br_error_memory(l->run->dx);
	}
	l->i += n + 1;
	return apply(l, &p, quoted);
}

// ---- $(…) ----

static int put_substitution(
	struct br_lexer *l, struct br_chars text, struct br_chars what, bool quoted) {
	struct br_value_of value = {0};
	if (br_substitute(l->run, text, what, l->depth + 1, &value)) {
		return -1;
	}
	return br_lexer_value(l, &value, what, quoted);
}

static int read_parens(struct br_lexer *l, bool quoted) {
	struct br_chars in = br_chars_part(l->in, l->i, l->in.n - l->i);
	size_t end = br_closing(br_chars_part(in, 1, in.n - 1), '(', ')');
	if (end == SIZE_MAX) {
		return br_error(l->run->dx, br_chars_at(l->run, in, 0, 2), "'$(' is not closed");
	}
	l->i += end + 2;
	return put_substitution(
		l, br_chars_part(in, 2, end - 1), br_chars_part(in, 0, end + 2), quoted);
}

int br_lexer_backquote(struct br_lexer *l, bool quoted) {
	size_t from = l->i;
	const char *end = memchr(l->in.s + from + 1, '`', l->in.n - from - 1);
	if (!end) {
		return br_error(l->run->dx, br_chars_at(l->run, l->in, from, 1),
			"the backquote is not closed");
	}
	size_t n = (size_t)(end - l->in.s) - from - 1;
	l->i = from + n + 2;
	return put_substitution(
		l, br_chars_part(l->in, from + 1, n), br_chars_part(l->in, from, n + 2), quoted);
}

/** A recipe of make that was pasted into a shell: "$$" is its "$". */
static bool is_pasted_make(const struct br_lexer *l) {
	char after = l->i + 2 < l->in.n ? l->in.s[l->i + 2] : '\0';
	return after == '(' || after == '{' || br_name_length(&after, 1);
}

int br_lexer_dollar(struct br_lexer *l, bool quoted) {
	char next = l->i + 1 < l->in.n ? l->in.s[l->i + 1] : '\0';
	if (next == '$' && is_pasted_make(l)) {
		l->i++;
		next = l->in.s[l->i + 1];
	}
	if (next == '{') {
		return read_braces(l, quoted);
	}
	if (next == '(') {
		return read_parens(l, quoted);
	}
	size_t n = br_name_length(l->in.s + l->i + 1, l->in.n - l->i - 1);
	if (n) {
		return read_name(l, n, quoted);
	}
	if (is_special(next)) {
		struct br_chars what = br_chars_part(l->in, l->i, 2);
		l->i += 2;
		return special(l, what, next, quoted);
	}
	struct br_mark at = l->in.at[l->i++];
	return br_lexer_add(l, '$', at);
}
