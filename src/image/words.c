#include "dockerfile.h"

#include <string.h>

/** Where a stretch of a word ends (0: where all ends), and whether its backslashes stay for a
 * pattern. */
struct stop {
	char c;
	bool raw;
};

static int expand_until(struct df_words *w, const char **s, struct stop stop, struct br_buf *to);

static bool is_space(char c) {
	return c == ' ' || (c >= '\t' && c <= '\r');
}

// Words of an instruction

/** Behind a quoted stretch; an escape character counts in double quotes only. */
static const char *skip_quoted(const char *s, char escape) {
	char quote = *s++;
	while (*s && *s != quote) {
		s += quote == '"' && *s == escape && s[1] ? 2 : 1;
	}
	return *s ? s + 1 : s;
}

size_t df_word(const char **s, char escape) {
	while (is_space(**s)) {
		++*s;
	}
	const char *end = *s;
	while (*end && !is_space(*end)) {
		if (*end == '"' || *end == '\'') {
			end = skip_quoted(end, escape);
		} else {
			end += *end == escape && end[1] ? 2 : 1;
		}
	}
	return (size_t)(end - *s);
}

const char *df_flag(
	struct br_arena *arena, const char **rest, const char *name, char escape, bool *failed) {
	const char *value = NULL;
	size_t len = strlen(name);
	for (;;) {
		const char *s = *rest;
		size_t n = df_word(&s, escape);
		*rest = s;
		if (n < 2 || strncmp(s, "--", 2) != 0) {
			return value;
		}
		*rest = s + n;
		if (n > len + 2 && !strncmp(s + 2, name, len) && s[2 + len] == '=') {
			value = br_strndup(arena, s + len + 3, n - len - 3);
			*failed = *failed || !value;
		}
	}
}

// JSON form

/** Four hexadecimal digits; -1 where they are none. */
static int hex4(const char *s) {
	int value = 0;
	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef";
		char c = s[i] >= 'A' && s[i] <= 'F' ? (char)(s[i] + 32) : s[i];
		const char *at = c ? strchr(digits, c) : NULL;
		if (!at) {
			return -1;
		}
		value = value * 16 + (int)(at - digits);
	}
	return value;
}

/** Append U+0001 to U+FFFF. Halves of pairs do not occur in the words that matter here. */
static void add_rune(struct br_buf *to, unsigned c) {
	if (c < 0x80) {
		br_buf_addc(to, (char)c);
	} else if (c < 0x800) {
		br_buf_addc(to, (char)(0xc0 | c >> 6));
		br_buf_addc(to, (char)(0x80 | (c & 0x3f)));
	} else {
		br_buf_addc(to, (char)(0xe0 | c >> 12));
		br_buf_addc(to, (char)(0x80 | (c >> 6 & 0x3f)));
		br_buf_addc(to, (char)(0x80 | (c & 0x3f)));
	}
}

/** What follows a backslash; how many bytes, 0 where it is no escape. */
static size_t json_escape(const char *s, struct br_buf *to) {
	static const char from[] = "\"\\/bfnrt";
	static const char into[] = "\"\\/\b\f\n\r\t";
	const char *known = *s ? strchr(from, *s) : NULL;
	if (known) {
		br_buf_addc(to, into[known - from]);
		return 1;
	}
	int c = *s == 'u' ? hex4(s + 1) : -1;
	if (c <= 0) {
		return 0;
	}
	add_rune(to, (unsigned)c);
	return 5;
}

/** The string that begins at the quote *s; NULL where it is none. */
static char *json_string(struct br_arena *arena, const char **s, bool *failed) {
	struct br_buf text = {0};
	const char *at = *s;
	bool valid = *at++ == '"';
	while (valid && *at && *at != '"') {
		if ((unsigned char)*at < ' ') {
			valid = false;
		} else if (*at == '\\') {
			size_t n = json_escape(at + 1, &text);
			valid = n > 0;
			at += n + 1;
		} else {
			br_buf_addc(&text, *at++);
		}
	}
	valid = valid && *at == '"';
	*s = at + 1;
	char *out = valid && !text.failed ? br_strdup(arena, text.n ? text.s : "") : NULL;
	*failed = *failed || text.failed || (valid && !out);
	br_buf_release(&text);
	return out;
}

static void skip_blanks(const char **s) {
	while (is_space(**s)) {
		++*s;
	}
}

char **df_json(struct br_arena *arena, const char *s, bool *failed) {
	br_vec(char *) words = {0};
	bool done = false;
	skip_blanks(&s);
	if (*s++ != '[') {
		return NULL;
	}
	skip_blanks(&s);
	if (*s == ']') {
		done = true;
	}
	while (!done) {
		skip_blanks(&s);
		char *word = json_string(arena, &s, failed);
		if (!word) {
			return NULL;
		}
		if (br_vec_push(arena, &words, word)) {
			*failed = true;
			return NULL;
		}
		skip_blanks(&s);
		done = *s == ']';
		if (!done && *s++ != ',') {
			return NULL;
		}
	}
	s++;
	skip_blanks(&s);
	if (*s || br_vec_push(arena, &words, NULL)) {
		*failed = *failed || !*s;
		return NULL;
	}
	return words.v;
}

// Variables

const struct df_var *df_var_get(const df_vars *vars, const char *name) {
	for (size_t i = vars->n; i-- > 0;) {
		if (!strcmp(vars->v[i].name, name)) {
			return &vars->v[i];
		}
	}
	return NULL;
}

void df_unknown(struct df_words *w, const char *why, const char *name) {
	if (!w->unknown) {
		// A reason that came with a variable is shared by all that use it.
		w->unknown = *name ? br_printf(w->finder->arena, "%s%s", why, name) : why;
		if (!w->unknown) {
			w->unknown = "out of memory";
		}
	}
}

/** A variable: its value ("" where it is unset or not known). */
struct value {
	const char *s;
	bool set;
	bool unknown;
};

static struct value get(struct df_words *w, const char *name) {
	const struct df_var *var =
		df_spend(w->finder, w->vars->n) ? df_var_get(w->vars, name) : NULL;
	size_t n = var && var->value ? strlen(var->value) : 0;
	if (n && !df_spend(w->finder, (uint64_t)n * DOCKERFILE_STEPS_BYTE)) {
		var = NULL;
	}
	if (var && var->unknown) {
		df_unknown(w, var->unknown, "");
		return (struct value){"", false, true};
	}
	if (var) {
		return (struct value){var->value ? var->value : "", var->value != NULL, false};
	}
	if (w->base) {
		df_unknown(w, "depends on a variable of the base image: ", name);
	}
	return (struct value){"", false, w->base != NULL};
}

/** A variable that is wanted for its value alone. */
static void add_value(struct df_words *w, const char *name, struct br_buf *to) {
	struct value value = get(w, name);
	if (!value.set && !value.unknown && !w->unset) {
		w->unset = br_strdup(w->finder->arena, name);
	}
	br_buf_add(to, value.s);
}

// Errors

/** What BuildKit refuses; a shell may know it. */
static int refuse(struct df_words *w, const char *what) {
	if (w->shell) {
		df_unknown(w, "depends on a substitution that only a shell knows", "");
		return 0;
	}
	return br_error(w->finder->dx, w->at, "%s", what);
}

// Patterns: '*', '?', and what a backslash stands before. They run as a set of states, so that no
// pattern is slow.

enum {
	PATTERN = 60,
	PATTERN_VALUE = 128,
};

struct pattern {
	unsigned n;
	/** '*', '?', or 0 for the character itself. */
	char kind[PATTERN];
	char c[PATTERN];
};

/** False where it is too long. */
static bool read_pattern(const char *s, struct pattern *out) {
	out->n = 0;
	for (; *s; s++) {
		if (out->n == PATTERN) {
			return false;
		}
		bool escaped = *s == '\\' && s[1];
		s += escaped;
		out->c[out->n] = *s;
		out->kind[out->n] = (char)(!escaped && (*s == '*' || *s == '?') ? *s : 0);
		out->n++;
	}
	return true;
}

/** The states that are reached without a character. */
static uint64_t settle(const struct pattern *p, uint64_t states) {
	for (unsigned i = 0; i < p->n; i++) {
		if (states >> i & 1 && p->kind[i] == '*') {
			states |= (uint64_t)1 << (i + 1);
		}
	}
	return states;
}

static uint64_t step(const struct pattern *p, uint64_t states, char c) {
	uint64_t next = 0;
	for (unsigned i = 0; i < p->n; i++) {
		if (!(states >> i & 1)) {
			continue;
		}
		if (p->kind[i] == '*') {
			next |= (uint64_t)1 << i;
		} else if (p->kind[i] == '?' || p->c[i] == c) {
			next |= (uint64_t)1 << (i + 1);
		}
	}
	return settle(p, next);
}

/** How many bytes of s the pattern matches, the longest or the shortest stretch; -1: none. */
static long match(const struct pattern *p, const char *s, bool longest) {
	long found = -1;
	uint64_t states = settle(p, 1);
	for (long i = 0; states; i++) {
		if (states >> p->n & 1) {
			found = i;
			if (!longest) {
				break;
			}
		}
		if (!s[i]) {
			break;
		}
		states = step(p, states, s[i]);
	}
	return found;
}

/** Without the end that matches: the longest one begins first. */
static void add_without_end(
	struct br_buf *to, const char *value, const struct pattern *p, bool longest) {
	size_t n = strlen(value);
	for (size_t i = 0; i <= n; i++) {
		size_t from = longest ? i : n - i;
		if (match(p, value + from, true) == (long)(n - from)) {
			n = from;
			break;
		}
	}
	br_buf_addn(to, value, n);
}

static void add_replaced(
	struct br_buf *to, const char *value, const struct pattern *p, const char *by, bool all) {
	bool more = true;
	while (*value) {
		long len = more ? match(p, value, true) : -1;
		if (len > 0) {
			br_buf_add(to, by);
			value += len;
			more = all;
		} else {
			br_buf_addc(to, *value++);
		}
	}
}

// References

static size_t name_length(const char *s) {
	size_t n = 0;
	if (*s >= '0' && *s <= '9') {
		while (s[n] >= '0' && s[n] <= '9') {
			n++;
		}
		return n;
	}
	if (*s && strchr("@*#?-$!", *s)) {
		return 1;
	}
	while ((s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z')
		|| (s[n] >= '0' && s[n] <= '9') || s[n] == '_') {
		n++;
	}
	return n;
}

/** "${NAME", what follows it, and whether a colon stands between. */
struct reference {
	const char *name;
	char op;
	bool colon;
};

/** The word of a reference up to `stop` (moved behind it), expanded, into the arena. */
static const char *inner_word(struct df_words *w, const char **s, char stop, bool raw) {
	struct br_buf word = {0};
	const char *out = NULL;
	struct stop until = {stop, raw};
	if (++w->depth > DOCKERFILE_DEPTH) {
		*s += strlen(*s);
		out = refuse(w, "substitutions too deep in each other") ? NULL : "";
	} else if (!expand_until(w, s, until, &word)) {
		out = br_strdup(w->finder->arena, word.n ? word.s : "");
		if (!out || word.failed) {
			out = NULL;
			(void)br_error_memory(w->finder->dx);
		}
	}
	w->depth--;
	br_buf_release(&word);
	return out;
}

/** ${NAME-word}, ${NAME:+word} and their like, from behind the operator. */
static int add_choice(
	struct df_words *w, const struct reference *ref, const char **s, struct br_buf *to) {
	// only the side that is taken may make the result unknown
	const char *unknown = w->unknown;
	const char *unset = w->unset;
	const char *word = inner_word(w, s, '}', false);
	if (!word) {
		return -1;
	}
	const char *word_unknown = w->unknown;
	const char *word_unset = w->unset;
	w->unknown = unknown;
	w->unset = unset;
	struct value value = get(w, ref->name);
	bool there = value.set && !(ref->colon && !*value.s);
	if (value.unknown) {
		return 0;
	}
	if (ref->op == '?' && !there) {
		df_unknown(w, "depends on build arg ", ref->name);
	} else if (ref->op == '+' ? there : !there) {
		br_buf_add(to, word);
		w->unknown = w->unknown ? w->unknown : word_unknown;
		w->unset = word_unset;
	} else if (ref->op != '+') {
		br_buf_add(to, value.s);
	}
	return 0;
}

/** ${NAME#pattern}, ${NAME%%pattern}, ${NAME/pattern/by} and their like. */
static int add_pattern(
	struct df_words *w, const struct reference *ref, const char **s, struct br_buf *to) {
	bool replaces = ref->op == '/';
	bool twice = replaces && **s == '/';
	*s += twice;
	const char *word = inner_word(w, s, replaces ? '/' : '}', true);
	const char *by = word && replaces ? inner_word(w, s, '}', false) : "";
	if (!word || !by) {
		return -1;
	}
	if (!replaces && *word == ref->op) {
		twice = true;
		word++;
	}
	struct pattern pattern;
	struct value value = get(w, ref->name);
	size_t n = strlen(value.s);
	if (n > PATTERN_VALUE || !read_pattern(word, &pattern)
		|| !df_spend(w->finder, (uint64_t)(n + 1) * (n + 1) * pattern.n)) {
		df_unknown(w, "depends on a long pattern of ", ref->name);
	} else if (replaces) {
		add_replaced(to, value.s, &pattern, by, twice);
	} else if (ref->op == '%') {
		add_without_end(to, value.s, &pattern, twice);
	} else {
		long len = match(&pattern, value.s, twice);
		br_buf_add(to, value.s + (len > 0 ? len : 0));
	}
	return 0;
}

/** Skip to behind the '}' of a reference that is not understood. */
static void skip_reference(const char **s) {
	while (**s && **s != '}') {
		++*s;
	}
	*s += **s == '}';
}

static int braces(struct df_words *w, const char **s, struct br_buf *to) {
	size_t n = name_length(*s);
	const char *name = br_strndup(w->finder->arena, *s, n);
	if (!name) {
		return br_error_memory(w->finder->dx);
	}
	char op = n ? (*s)[n] : 0;
	if (op == '}') {
		*s += n + 1;
		add_value(w, name, to);
		return 0;
	}
	struct reference ref = {name, op, op == ':'};
	if (ref.colon) {
		ref.op = (*s)[n + 1];
	}
	bool pattern = !ref.colon && ref.op && strchr("#%/", ref.op);
	if (ref.op && (pattern || strchr("-+?", ref.op))) {
		*s += n + 1 + ref.colon;
		return pattern ? add_pattern(w, &ref, s, to) : add_choice(w, &ref, s, to);
	}
	bool closed = strchr(*s, '}') != NULL;
	skip_reference(s);
	return refuse(w,
		closed ? "a substitution that Dockerfiles do not know"
		       : "this '${' is never closed");
}

int df_dollar(struct df_words *w, const char **s, struct br_buf *to) {
	if (**s == '{') {
		++*s;
		return braces(w, s, to);
	}
	size_t n = name_length(*s);
	if (!n) {
		br_buf_addc(to, '$');
		return 0;
	}
	const char *name = br_strndup(w->finder->arena, *s, n);
	if (!name) {
		return br_error_memory(w->finder->dx);
	}
	*s += n;
	add_value(w, name, to);
	return 0;
}

// Quotes

static int add_single(struct df_words *w, const char **s, struct br_buf *to) {
	const char *end = strchr(*s + 1, '\'');
	if (!end) {
		*s += strlen(*s);
		return refuse(w, "a single quote is never closed");
	}
	br_buf_addn(to, *s + 1, (size_t)(end - *s - 1));
	*s = end + 1;
	return 0;
}

static int add_double(struct df_words *w, const char **s, struct br_buf *to) {
	++*s;
	while (**s && **s != '"') {
		if (**s == '$') {
			++*s;
			if (df_dollar(w, s, to)) {
				return -1;
			}
			continue;
		}
		if (**s == w->escape) {
			char next = (*s)[1];
			*s += !next || next == '"' || next == '$' || next == w->escape;
			if (!**s) {
				break;
			}
		}
		br_buf_addc(to, *(*s)++);
	}
	if (!**s) {
		return refuse(w, "a double quote is never closed");
	}
	++*s;
	return 0;
}

static int expand_one(struct df_words *w, const char **s, bool raw, struct br_buf *to) {
	switch (**s) {
	case '\'':
		return add_single(w, s, to);
	case '"':
		return add_double(w, s, to);
	case '$':
		++*s;
		return df_dollar(w, s, to);
	}
	if (**s == w->escape) {
		if (raw && (*s)[1] && !strchr("}/", (*s)[1])) {
			br_buf_addc(to, '\\');
		}
		++*s;
	}
	if (**s) {
		br_buf_addc(to, *(*s)++);
	}
	return 0;
}

static int expand_until(struct df_words *w, const char **s, struct stop stop, struct br_buf *to) {
	while (**s && **s != stop.c) {
		if (to->n > DOCKERFILE_WORD) {
			df_unknown(w, "a word that is too long", "");
			to->n = 0;
		}
		if (expand_one(w, s, stop.raw, to)) {
			return -1;
		}
	}
	if (stop.c && !**s) {
		return refuse(w, "this '${' is never closed");
	}
	*s += stop.c != 0;
	return 0;
}

int df_expand(struct df_words *w, const char *s, const char **out) {
	struct br_buf to = {0};
	int failed = expand_until(w, &s, (struct stop){0}, &to);
	if (!failed && to.n > DOCKERFILE_WORD) {
		df_unknown(w, "a word that is too long", "");
		to.n = 0;
		to.s[0] = 0;
	}
	*out = br_strdup(w->finder->arena, to.n ? to.s : "");
	if (!failed && (to.failed || !*out)) {
		failed = br_error_memory(w->finder->dx);
	}
	br_buf_release(&to);
	return failed;
}
