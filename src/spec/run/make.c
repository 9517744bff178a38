/** A Makefile: its variables, and its recipes as the shell gets them. */
#include "run.h"

#include <spec/compose/compose.h>
#include <string.h>

/** A variable; what it refers to is replaced when it is used. */
struct variable {
	const char *name;
	struct br_chars value;
	bool lost;
};

/** A Makefile under work. */
struct maker {
	struct br_run *run;
	struct br_chars in;
	size_t i;
	br_vec(struct variable) variables;
	unsigned conditions;
};

/** A replacement: what goes where, under which mark (NULL: each byte's own). */
struct target {
	struct br_builder *out;
	const struct br_mark *mark;
	unsigned depth;
};

static int expand(struct maker *m, struct br_chars in, const struct target *to);

static int put(struct maker *m, const struct target *to, char c, const struct br_mark *at) {
	return br_builder_add(m->run, to->out, c, to->mark ? *to->mark : *at);
}

static int put_string(
	struct maker *m, const struct target *to, const char *s, const struct br_mark *at) {
	for (; *s; s++) {
		if (put(m, to, *s, at)) {
			return -1;
		}
	}
	return 0;
}

static int put_hole(struct maker *m, const struct target *to, const struct br_hole *hole,
	const struct br_mark *at) {
	struct br_hole copy = *hole;
	const struct br_mark *mark = to->mark ? to->mark : at;
	copy.at = (struct br_span){m->run->text, mark->off, mark->len};
	if (br_vec_push(m->run->arena, &m->run->holes, copy)) {
		return br_error_memory(m->run->dx);
	}
	return put(m, to, BR_HOLE_BYTE, at);
}

static int put_unknown(struct maker *m, const struct target *to, struct br_chars what,
	const char *name, const struct br_mark *at) {
	const struct br_hole *hole = br_hole_new(m->run, what, name);
	return hole ? put_hole(m, to, hole, at) : -1;
}

static struct variable *find(struct maker *m, const char *name) {
	for (size_t i = m->variables.n; i-- > 0;) {
		if (strcmp(m->variables.v[i].name, name) == 0) {
			return &m->variables.v[i];
		}
	}
	return NULL;
}

/** A reference: all of it, and its mark in the text. */
struct reference {
	struct br_chars what;
	struct br_mark at;
};

static int put_variable(
	struct maker *m, const struct target *to, const char *name, const struct reference *ref) {
	struct br_run *run = m->run;
	const struct br_var *var = br_env_get(&run->env, name);
	const struct variable *own = find(m, name);
	if (var && var->origin == BR_VAR_OVERRIDE) {
		return put_string(m, to, var->value, &ref->at);
	}
	if (own && own->lost) {
		struct br_hole hole = {.what = "", .name = own->name};
		hole.because = "it takes make to tell";
		return put_hole(m, to, &hole, &ref->at);
	}
	if (own) {
		struct target inner = {to->out, to->mark ? to->mark : &ref->at, to->depth + 1};
		return expand(m, own->value, &inner);
	}
	if (strcmp(name, "CURDIR") == 0 || strcmp(name, "PWD") == 0) {
		return put_string(m, to, run->spec->project_directory, &ref->at);
	}
	if (strcmp(name, "MAKEFILE_LIST") == 0) {
		return put_string(m, to, run->shown, &ref->at);
	}
	if (var) {
		return put_string(m, to, var->value, &ref->at);
	}
	const char *copy = br_strdup(run->arena, name);
	if (!copy) {
		return br_error_memory(run->dx);
	}
	bool is_name = br_name_length(name, strlen(name)) == strlen(name) && *name;
	return put_unknown(m, to, ref->what, is_name ? copy : NULL, &ref->at);
}

// ---- functions ----

enum function {
	FUNCTION_SHELL,
	FUNCTION_ABSPATH,
	FUNCTION_DIR,
	FUNCTION_NOTDIR,
	FUNCTION_SAME,
	FUNCTION_UNKNOWN,
};

/** What a function's only word becomes; NULL with an error, or where it is not known ("" never is).
 */
static const char *apply(struct maker *m, enum function which, const char *word) {
	struct br_run *run = m->run;
	const char *slash = strrchr(word, '/');
	switch (which) {
	case FUNCTION_ABSPATH:
		return br_join(run->arena, run->spec->project_directory, word);
	case FUNCTION_DIR:
		return slash ? br_strndup(run->arena, word, (size_t)(slash - word) + 1) : "./";
	case FUNCTION_NOTDIR:
		return slash ? slash + 1 : word;
	case FUNCTION_SAME:
	case FUNCTION_SHELL:
	case FUNCTION_UNKNOWN:
		return word;
	}
	return word;
}

static int put_shell(struct maker *m, const struct target *to, struct br_chars text,
	const struct reference *ref) {
	struct br_value_of value = {0};
	if (br_substitute(m->run, text, ref->what, to->depth + 1, &value)) {
		return -1;
	}
	return value.s ? put_string(m, to, value.s, &ref->at)
		       : put_hole(m, to, value.hole, &ref->at);
}

/** The argument is replaced first. */
static int put_function(struct maker *m, const struct target *to, enum function which,
	struct br_chars argument, const struct reference *ref) {
	struct br_builder b = {0};
	struct target inner = {&b, NULL, to->depth + 1};
	struct br_chars text;
	if (expand(m, argument, &inner) || br_builder_take(m->run, &b, &text)) {
		return -1;
	}
	if (which == FUNCTION_SHELL) {
		return put_shell(m, to, text, ref);
	}
	size_t from = strspn(text.s, " \t");
	size_t n = strcspn(text.s + from, " \t");
	bool is_one = text.s[from + n + strspn(text.s + from + n, " \t")] == '\0';
	if (which == FUNCTION_UNKNOWN || !is_one || memchr(text.s, BR_HOLE_BYTE, text.n)) {
		return put_unknown(m, to, ref->what, NULL, &ref->at);
	}
	const char *word = br_strndup(m->run->arena, text.s + from, n);
	const char *out = word ? apply(m, which, word) : NULL;
	return out ? put_string(m, to, out, &ref->at) : br_error_memory(m->run->dx);
}

static int put_named(struct maker *m, const struct target *to, struct br_chars inner,
	const struct reference *ref) {
	static const struct {
		const char *name;
		enum function which;
	} functions[] = {{"shell", FUNCTION_SHELL}, {"abspath", FUNCTION_ABSPATH},
		{"realpath", FUNCTION_ABSPATH}, {"dir", FUNCTION_DIR}, {"notdir", FUNCTION_NOTDIR},
		{"lastword", FUNCTION_SAME}, {"firstword", FUNCTION_SAME},
		{"strip", FUNCTION_SAME}};
	size_t n = 0;
	while (n < inner.n && inner.s[n] != ' ' && inner.s[n] != '\t') {
		n++;
	}
	for (size_t i = 0; n < inner.n && i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (strlen(functions[i].name) == n && memcmp(functions[i].name, inner.s, n) == 0) {
			return put_function(m, to, functions[i].which,
				br_chars_part(inner, n + 1, inner.n - n - 1), ref);
		}
	}
	if (n < inner.n || memchr(inner.s, '$', inner.n) || memchr(inner.s, ':', inner.n)) {
		return put_unknown(m, to, ref->what, NULL, &ref->at);
	}
	const char *name = br_chars_copy(m->run, inner);
	return name ? put_variable(m, to, name, ref) : -1;
}

static size_t closing(struct br_chars in) {
	char open = in.s[0];
	char close = open == '(' ? ')' : '}';
	size_t depth = 0;
	for (size_t i = 0; i < in.n; i++) {
		depth += in.s[i] == open;
		depth -= in.s[i] == close;
		if (depth == 0) {
			return i;
		}
	}
	return 0;
}

/** The reference at in.s[i], which is a "$". The bytes that it takes, or 0 with an error. */
static size_t put_reference(
	struct maker *m, struct br_chars in, size_t i, const struct target *to) {
	char next = i + 1 < in.n ? in.s[i + 1] : '\0';
	// References that come to nothing count as well.
	if (++m->run->bytes > BR_RUN_BYTES || to->depth > BR_RUN_DEPTH) {
		(void)br_error(m->run->dx, br_chars_at(m->run, in, i, 1),
			"more than %d expansions inside each other", BR_RUN_DEPTH);
		return 0;
	}
	if (next == '$' || next == '\0') {
		return put(m, to, '$', &in.at[i]) ? 0 : 1 + (next == '$');
	}
	size_t end = 1;
	struct br_chars inner = br_chars_part(in, i + 1, 1);
	if (next == '(' || next == '{') {
		end = closing(br_chars_part(in, i + 1, in.n - i - 1));
		if (!end) {
			(void)br_error(m->run->dx, br_chars_at(m->run, in, i, 2),
				"'$%c' is not closed", next);
			return 0;
		}
		inner = br_chars_part(in, i + 2, end - 1);
		end++;
	}
	struct reference ref = {.what = br_chars_part(in, i, end + 1)};
	struct br_span at = br_chars_at(m->run, ref.what, 0, ref.what.n);
	ref.at = (struct br_mark){at.off, at.len};
	return put_named(m, to, inner, &ref) ? 0 : end + 1;
}

static int expand(struct maker *m, struct br_chars in, const struct target *to) {
	for (size_t i = 0; i < in.n;) {
		if (in.s[i] == '$') {
			size_t n = put_reference(m, in, i, to);
			if (!n) {
				return -1;
			}
			i += n;
			continue;
		}
		if (put(m, to, in.s[i] == BR_HOLE_BYTE ? '?' : in.s[i], &in.at[i])) {
			return -1;
		}
		i++;
	}
	return 0;
}

// ---- lines ----

/** The next line with the ones that it goes on in, their backslashes and all. */
static struct br_chars next_line(struct maker *m) {
	size_t from = m->i;
	while (m->i < m->in.n) {
		const char *end = memchr(m->in.s + m->i, '\n', m->in.n - m->i);
		size_t stop = end ? (size_t)(end - m->in.s) : m->in.n;
		size_t last = stop;
		last -= last > m->i && m->in.s[last - 1] == '\r';
		bool goes_on = last > m->i && m->in.s[last - 1] == '\\' && stop < m->in.n;
		m->i = stop + (stop < m->in.n);
		if (!goes_on) {
			return br_chars_part(m->in, from, stop - from);
		}
	}
	return br_chars_part(m->in, from, m->in.n - from);
}

/** Without the tab that each line of a recipe begins with, and without @, - and +. */
static int read_recipe(struct maker *m, struct br_chars line) {
	struct br_run *run = m->run;
	struct br_builder raw = {0};
	struct br_builder b = {0};
	struct br_chars text;
	size_t i = 1;
	while (i < line.n && strchr("@-+ \t", line.s[i])) {
		i++;
	}
	for (; i < line.n; i++) {
		bool is_prefix = line.s[i] == '\t' && line.s[i - 1] == '\n';
		if (!is_prefix && br_builder_add(run, &raw, line.s[i], line.at[i])) {
			return -1;
		}
	}
	struct target to = {.out = &b};
	if (br_builder_take(run, &raw, &text) || expand(m, text, &to)
		|| br_builder_take(run, &b, &text)) {
		return -1;
	}
	run->is_make = true;
	run->cwd = run->spec->project_directory;
	run->conditions = 0;
	int result = br_shell_read(run, text, br_run_command, NULL);
	run->is_make = false;
	return result;
}

static bool begins(struct br_chars line, const char *word) {
	size_t n = strlen(word);
	return line.n >= n && memcmp(line.s, word, n) == 0
		&& (line.n == n || strchr(" \t(", line.s[n]));
}

static struct br_chars trim(struct br_chars all) {
	while (all.n && strchr(" \t\r", all.s[0])) {
		all = br_chars_part(all, 1, all.n - 1);
	}
	while (all.n && strchr(" \t\r", all.s[all.n - 1])) {
		all.n--;
	}
	return all;
}

/** The length of ":=", "?=" and so on at s, or 0. */
static size_t sign_length(struct br_chars rest) {
	static const char *const signs[] = {":::=", "::=", ":=", "?=", "+=", "!=", "=", NULL};
	for (size_t i = 0; signs[i]; i++) {
		size_t n = strlen(signs[i]);
		if (rest.n >= n && memcmp(rest.s, signs[i], n) == 0) {
			return n;
		}
	}
	return 0;
}

/** "#" ends a value. */
static struct br_chars without_comment(struct br_chars value) {
	for (size_t i = 0; i < value.n; i++) {
		if (value.s[i] == '#' && (i == 0 || value.s[i - 1] != '\\')) {
			value.n = i;
		}
	}
	return trim(value);
}

static int add_variable(struct maker *m, struct variable *made, char sign) {
	struct variable *old = find(m, made->name);
	bool is_set = old || br_env_get(&m->run->env, made->name);
	if (sign == '?' && is_set) {
		return 0;
	}
	// Which branch counts is not known; nor is what "+=" or "!=" come to without running make.
	made->lost = made->lost || sign == '+' || sign == '!' || (m->conditions && old);
	if (old) {
		*old = *made;
		return 0;
	}
	if (m->variables.n >= BR_RUN_VARIABLES) {
		return br_error(m->run->dx, br_chars_at(m->run, made->value, 0, 0),
			"more than %d variables", BR_RUN_VARIABLES);
	}
	return br_vec_push(m->run->arena, &m->variables, *made) ? br_error_memory(m->run->dx) : 0;
}

static int read_assignment(struct maker *m, struct br_chars line) {
	static const char *const before[] = {"export", "override", "unexport", "private", NULL};
	line = trim(line);
	for (size_t i = 0; before[i]; i++) {
		if (begins(line, before[i])) {
			size_t n = strlen(before[i]);
			line = trim(br_chars_part(line, n, line.n - n));
		}
	}
	size_t n = 0;
	while (n < line.n && !strchr(" \t:=?+!#$", line.s[n])) {
		n++;
	}
	struct br_chars rest = trim(br_chars_part(line, n, line.n - n));
	size_t sign = n ? sign_length(rest) : 0;
	if (!sign) {
		return 0;
	}
	struct variable made = {
		.name = br_chars_copy(m->run, br_chars_part(line, 0, n)),
		.value = without_comment(br_chars_part(rest, sign, rest.n - sign)),
		.lost = memchr(line.s, '\n', line.n) != NULL,
	};
	return made.name ? add_variable(m, &made, rest.s[0]) : -1;
}

static void note_condition(struct maker *m, struct br_chars line) {
	if (begins(line, "ifeq") || begins(line, "ifneq") || begins(line, "ifdef")
		|| begins(line, "ifndef")) {
		m->conditions++;
	} else if (begins(line, "endif")) {
		m->conditions -= m->conditions > 0;
	}
}

int br_make_read(struct br_run *run, struct br_chars text) {
	struct maker m = {.run = run, .in = text};
	bool defining = false;
	// A variable holds wherever it stands, so all of them come first.
	while (m.i < text.n) {
		struct br_chars line = next_line(&m);
		defining = begins(line, "define") || (defining && !begins(line, "endef"));
		note_condition(&m, line);
		bool is_recipe = line.n && line.s[0] == '\t';
		if (!defining && !is_recipe && read_assignment(&m, line)) {
			return -1;
		}
	}
	m.i = 0;
	while (m.i < text.n) {
		struct br_chars line = next_line(&m);
		if (line.n && line.s[0] == '\t' && read_recipe(&m, line)) {
			return -1;
		}
	}
	return 0;
}
