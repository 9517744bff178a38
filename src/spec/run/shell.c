#include "lexer.h"

#include <string.h>

static char peek(const struct br_lexer *l, size_t ahead) {
	return l->i + ahead < l->in.n ? l->in.s[l->i + ahead] : '\0';
}

static bool is_blank(char c) {
	return c == ' ' || c == '\t' || c == '\r';
}

/** What ends a word when it is not quoted. */
static bool is_meta(char c) {
	return is_blank(c) || (c != '\0' && strchr("\n;&|()<>", c) != NULL);
}

int br_lexer_add(struct br_lexer *l, char c, struct br_mark at) {
	return br_builder_add(l->run, &l->b, c, at);
}

static int read_hole_byte(struct br_lexer *l);

static int add_here(struct br_lexer *l) {
	if (l->in.s[l->i] == BR_HOLE_BYTE && l->run->is_make) {
		return read_hole_byte(l);
	}
	if (br_lexer_add(l, l->in.s[l->i], l->in.at[l->i])) {
		return -1;
	}
	l->i++;
	return 0;
}

static void clear_word(struct br_lexer *l) {
	l->b = (struct br_builder){0};
	l->quoted = false;
	l->vanishes = false;
	l->hole = NULL;
	l->environment = NULL;
	l->assigns = 0;
}

int br_lexer_end_word(struct br_lexer *l) {
	if (!l->b.s.n && !l->hole && (!l->quoted || l->vanishes)) {
		clear_word(l);
		return 0;
	}
	struct br_word word = {
		.hole = l->hole,
		.bare = l->hole && !l->quoted && !l->b.s.n,
		.assigns = l->assigns,
		.environment = l->environment,
		.at = br_chars_at(l->run, l->in, l->from, l->i - l->from),
	};
	if (br_builder_take(l->run, &l->b, &word.is)) {
		return -1;
	}
	if (l->words.n >= BR_RUN_WORDS) {
		return br_error(
			l->run->dx, word.at, "more than %d words in one command", BR_RUN_WORDS);
	}
	if (br_vec_push(l->run->arena, &l->words, word)) {
		return br_error_memory(l->run->dx);
	}
	clear_word(l);
	return 0;
}

static int open_quote(struct br_lexer *l, size_t from, const char *what) {
	(void)br_error(l->run->dx, br_chars_at(l->run, l->in, from, 1), "%s is not closed", what);
	return -1;
}

static int read_single(struct br_lexer *l) {
	size_t from = l->i++;
	l->quoted = true;
	while (l->i < l->in.n && l->in.s[l->i] != '\'') {
		if (add_here(l)) {
			return -1;
		}
	}
	if (l->i >= l->in.n) {
		return open_quote(l, from, "the single quote");
	}
	l->i++;
	return 0;
}

/** In double quotes a backslash takes only these four from their meaning. */
static int read_double_escape(struct br_lexer *l) {
	char next = peek(l, 1);
	if (next == '\n') {
		l->i += 2;
		return 0;
	}
	if (next != '\0' && strchr("$`\"\\", next)) {
		l->i++;
	}
	return add_here(l);
}

/** One piece of what stands in double quotes. */
static int read_quoted_piece(struct br_lexer *l) {
	switch (l->in.s[l->i]) {
	case '\\':
		return read_double_escape(l);
	case '$':
		return br_lexer_dollar(l, true);
	case '`':
		return br_lexer_backquote(l, true);
	default:
		return add_here(l);
	}
}

static int read_double(struct br_lexer *l) {
	size_t from = l->i++;
	l->quoted = true;
	while (l->i < l->in.n && l->in.s[l->i] != '"') {
		if (read_quoted_piece(l)) {
			return -1;
		}
	}
	if (l->i >= l->in.n) {
		return open_quote(l, from, "the double quote");
	}
	l->i++;
	return 0;
}

/** $'…': the escapes that people use. */
static int read_ansi(struct br_lexer *l) {
	static const char from[] = "ntr\\'\"ab";
	static const char to[] = "\n\t\r\\'\"\a\b";
	size_t start = l->i;
	l->i += 2;
	l->quoted = true;
	while (l->i < l->in.n && l->in.s[l->i] != '\'') {
		char next = l->in.s[l->i] == '\\' ? peek(l, 1) : '\0';
		const char *found = next ? strchr(from, next) : NULL;
		if (found) {
			if (br_lexer_add(l, to[found - from], l->in.at[l->i])) {
				return -1;
			}
			l->i += 2;
		} else if (add_here(l)) {
			return -1;
		}
	}
	if (l->i >= l->in.n) {
		return open_quote(l, start, "the single quote");
	}
	l->i++;
	return 0;
}

/** Blanks between a backslash and the end of the line: the line goes on for the eye only. */
static bool is_lame_continuation(const struct br_lexer *l) {
	size_t n = 1;
	while (peek(l, n) == ' ' || peek(l, n) == '\t') {
		n++;
	}
	return n > 1 && (peek(l, n) == '\n' || (peek(l, n) == '\r' && peek(l, n + 1) == '\n'));
}

static int read_backslash(struct br_lexer *l) {
	if (peek(l, 1) == '\n') {
		l->i += 2;
		return 0;
	}
	if (peek(l, 1) == '\r' && peek(l, 2) == '\n') {
		l->i += 3;
		return 0;
	}
	if (is_lame_continuation(l)) {
		struct br_chars part = br_chars_part(l->in, l->i, 1);
		struct br_hole *hole = BR_NEW(l->run->arena, struct br_hole);
		if (!hole) {
			return br_error_memory(l->run->dx);
		}
		*hole = (struct br_hole){"\\", NULL, br_chars_at(l->run, part, 0, 1), NULL};
		l->hole = l->hole ? l->hole : hole;
		l->quoted = true;
		l->i += 2;
		return 0;
	}
	l->i++;
	l->quoted = true;
	return l->i < l->in.n ? add_here(l) : 0;
}

/** ~ at the beginning of a word, or of an assignment's value. */
static int read_tilde(struct br_lexer *l) {
	size_t n = 1;
	while (peek(l, n) && peek(l, n) != '/' && peek(l, n) != ':' && !is_meta(peek(l, n))) {
		n++;
	}
	struct br_chars what = br_chars_part(l->in, l->i, n);
	struct br_value_of value = {.s = n == 1 ? l->run->home : NULL};
	if (!value.s) {
		value.hole = br_hole_new(l->run, what, n == 1 ? "HOME" : NULL);
		if (!value.hole) {
			return -1;
		}
	}
	l->i += n;
	return br_lexer_value(l, &value, what, true);
}

static bool is_declaration(const struct br_word *word) {
	static const char *const names[] = {
		"export", "local", "declare", "readonly", "typeset", NULL};
	for (size_t i = 0; names[i]; i++) {
		if (strcmp(word->is.s, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

/** Whether a word that begins here may be an assignment. */
static bool may_assign(const struct br_lexer *l) {
	if (l->words.n > 0 && is_declaration(&l->words.v[0])) {
		return true;
	}
	for (size_t i = 0; i < l->words.n; i++) {
		if (!l->words.v[i].assigns) {
			return false;
		}
	}
	return true;
}

/** The word so far is NAME, and this is its "=" (or "+="). */
static bool is_assignment_sign(const struct br_lexer *l) {
	bool is_sign = l->in.s[l->i] == '=' || (l->in.s[l->i] == '+' && peek(l, 1) == '=');
	return is_sign && !l->quoted && !l->hole && !l->assigns && l->b.s.n > 0
		&& br_name_length(l->b.s.v, l->b.s.n) == l->b.s.n && may_assign(l);
}

static int read_sign(struct br_lexer *l) {
	if (l->in.s[l->i] == '+' && add_here(l)) {
		return -1;
	}
	if (add_here(l)) {
		return -1;
	}
	l->assigns = l->b.s.n;
	l->whole = true;
	return peek(l, 0) == '~' ? read_tilde(l) : 0;
}

static int read_hole_byte(struct br_lexer *l) {
	for (size_t k = 0; k < l->run->holes.n; k++) {
		const struct br_hole *hole = &l->run->holes.v[k];
		if (hole->at.off == l->in.at[l->i].off) {
			struct br_hole *copy = BR_NEW(l->run->arena, struct br_hole);
			if (!copy) {
				return br_error_memory(l->run->dx);
			}
			*copy = *hole;
			l->hole = l->hole ? l->hole : copy;
		}
	}
	l->i++;
	return 0;
}

/** One piece of a word that stands in no quotes. */
static int read_bare_piece(struct br_lexer *l) {
	switch (l->in.s[l->i]) {
	case '\'':
		return read_single(l);
	case '"':
		return read_double(l);
	case '\\':
		return read_backslash(l);
	case '`':
		return br_lexer_backquote(l, l->whole);
	case '$':
		if (peek(l, 1) == '\'') {
			return read_ansi(l);
		}
		if (peek(l, 1) == '"') {
			l->i++;
			return read_double(l);
		}
		return br_lexer_dollar(l, l->whole);
	default:
		return is_assignment_sign(l) ? read_sign(l) : add_here(l);
	}
}

int br_lexer_range(struct br_lexer *l, struct br_chars range, bool quoted) {
	struct br_chars in = l->in;
	size_t i = l->i;
	int result = 0;
	l->in = range;
	l->i = 0;
	while (result == 0 && l->i < range.n) {
		result = quoted ? read_quoted_piece(l) : read_bare_piece(l);
	}
	l->in = in;
	l->i = i;
	return result;
}

static int read_word(struct br_lexer *l) {
	l->from = l->i;
	l->whole = false;
	if (peek(l, 0) == '~' && read_tilde(l)) {
		return -1;
	}
	while (l->i < l->in.n && !is_meta(l->in.s[l->i])) {
		if (read_bare_piece(l)) {
			return -1;
		}
	}
	return br_lexer_end_word(l);
}

/** NAME=(…): a list. */
static int read_list(struct br_lexer *l) {
	struct br_word *last = l->words.n ? &l->words.v[l->words.n - 1] : NULL;
	if (!last || peek(l, 0) != '(' || !last->assigns || last->assigns != last->is.n) {
		return 0;
	}
	struct br_chars in = br_chars_part(l->in, l->i, l->in.n - l->i);
	size_t end = br_closing(in, '(', ')');
	if (end == SIZE_MAX) {
		return br_error(l->run->dx, br_chars_at(l->run, in, 0, 1), "'(' is not closed");
	}
	bool adds = last->is.s[last->is.n - 2] == '+';
	const char *name = br_strndup(l->run->arena, last->is.s, last->is.n - 1 - adds);
	if (!name) {
		return br_error_memory(l->run->dx);
	}
	last->hole = br_hole_new(l->run, br_chars_part(in, 0, end + 1), NULL);
	l->i += end + 1;
	return last->hole ? br_list_set(l->run, name, br_chars_part(in, 1, end - 1), adds, l->depth)
			  : -1;
}

static void skip_blanks(struct br_lexer *l) {
	while (l->i < l->in.n) {
		if (is_blank(l->in.s[l->i])) {
			l->i++;
		} else if (l->in.s[l->i] == '\\' && peek(l, 1) == '\n') {
			l->i += 2;
		} else if (l->in.s[l->i] == '\\' && peek(l, 1) == '\r' && peek(l, 2) == '\n') {
			l->i += 3;
		} else {
			return;
		}
	}
}

static size_t line_length(const struct br_lexer *l) {
	const char *end = memchr(l->in.s + l->i, '\n', l->in.n - l->i);
	return end ? (size_t)(end - l->in.s) - l->i : l->in.n - l->i;
}

/** The body of a here-document is no command. */
static void skip_document(struct br_lexer *l, struct br_chars end) {
	while (l->i < l->in.n) {
		size_t n = line_length(l);
		size_t skip = 0;
		while (skip < n && l->in.s[l->i + skip] == '\t') {
			skip++;
		}
		const char *line = l->in.s + l->i + skip;
		size_t len = n - skip;
		len -= len && line[len - 1] == '\r';
		l->i += n + (l->i + n < l->in.n);
		if (len == end.n && memcmp(line, end.s, len) == 0) {
			return;
		}
	}
}

static void end_line(struct br_lexer *l) {
	l->i++;
	for (size_t k = 0; k < l->documents.n; k++) {
		skip_document(l, l->documents.v[k]);
	}
	l->documents.n = 0;
}

/** The word behind < or >: no word of the command. */
static int skip_target(struct br_lexer *l, bool is_document) {
	size_t words = l->words.n;
	struct br_lexer kept = *l;
	skip_blanks(l);
	clear_word(l);
	if (read_word(l)) {
		return -1;
	}
	if (is_document && l->words.n > words
		&& br_vec_push(l->run->arena, &l->documents, l->words.v[words].is)) {
		return br_error_memory(l->run->dx);
	}
	l->words.n = words;
	l->whole = kept.whole;
	return 0;
}

/** "<name>" in a manual is something to be replaced; the shell would read a file. So is
 * "</path/to/data>:". The length of it, or 0. */
static size_t placeholder_length(const struct br_lexer *l) {
	size_t n = 1;
	char first = peek(l, 1);
	bool is_word = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
	bool is_path = first == '/' || first == '.' || first == '~';
	if (l->in.s[l->i] != '<' || (!is_word && !is_path)) {
		return 0;
	}
	while (peek(l, n) && !strchr("<>\n|;&$\"'`", peek(l, n))) {
		n++;
	}
	return peek(l, n) == '>' && (is_word || peek(l, n + 1) == ':') ? n + 1 : 0;
}

static int read_placeholder(struct br_lexer *l, size_t n) {
	const struct br_hole *hole = br_hole_new(l->run, br_chars_part(l->in, l->i, n), NULL);
	if (!hole) {
		return -1;
	}
	if (!l->b.s.n && !l->hole && !l->quoted) {
		l->from = l->i;
	}
	l->hole = l->hole ? l->hole : hole;
	l->quoted = true;
	l->i += n;
	while (l->i < l->in.n && !is_meta(l->in.s[l->i])) {
		if (read_bare_piece(l)) {
			return -1;
		}
	}
	return br_lexer_end_word(l);
}

static bool is_number(struct br_chars word) {
	for (size_t i = 0; i < word.n; i++) {
		if (word.s[i] < '0' || word.s[i] > '9') {
			return false;
		}
	}
	return word.n > 0;
}

/** A word before "<name>" with no blank between goes on in it. */
static void reopen_word(struct br_lexer *l) {
	struct br_word *last = l->words.n ? &l->words.v[l->words.n - 1] : NULL;
	bool touches = l->i > 0 && !is_meta(l->in.s[l->i - 1]);
	if (!last || !touches) {
		return;
	}
	for (size_t i = 0; i < last->is.n; i++) {
		if (br_lexer_add(l, last->is.s[i], last->is.at[i])) {
			return;
		}
	}
	l->hole = last->hole;
	l->environment = last->environment;
	l->words.n--;
}

/** < > << <<< >> >& <& &> with their words; a number before them is one of them. */
static int read_redirection(struct br_lexer *l) {
	size_t n = placeholder_length(l);
	if (n) {
		size_t from = l->from;
		reopen_word(l);
		l->from = l->b.s.n || l->hole ? from : l->i;
		return read_placeholder(l, n);
	}
	bool touches = l->i > 0 && !is_meta(l->in.s[l->i - 1]);
	if (touches && l->words.n && is_number(l->words.v[l->words.n - 1].is)) {
		l->words.n--;
	}
	bool is_document = l->in.s[l->i] == '<' && peek(l, 1) == '<' && peek(l, 2) != '<';
	while (l->i < l->in.n && l->in.s[l->i] && strchr("<>&|-", l->in.s[l->i])) {
		l->i++;
	}
	return skip_target(l, is_document);
}

static int end_command(struct br_lexer *l, br_take_command *take, void *context) {
	bool is_end = l->i >= l->in.n;
	struct br_command command = {l->words.v, l->words.n, is_end ? '\n' : l->in.s[l->i],
		br_chars_at(l->run, l->in, l->i, is_end ? 0 : 1)};
	l->words.n = 0;
	return command.n ? take(l->run, context, &command) : 0;
}

static int read_next(struct br_lexer *l, br_take_command *take, void *context) {
	char c = l->in.s[l->i];
	if (c == '#') {
		l->i += line_length(l);
		return 0;
	}
	if (c == '<' || c == '>' || (c == '&' && peek(l, 1) == '>')) {
		return read_redirection(l);
	}
	if (c == '\n') {
		int result = end_command(l, take, context);
		end_line(l);
		return result;
	}
	if (is_meta(c)) {
		int result = end_command(l, take, context);
		l->i++;
		return result;
	}
	return read_word(l) || read_list(l) ? -1 : 0;
}

int br_shell_read_deep(struct br_run *run, struct br_chars text, br_take_command *take,
	void *context, unsigned depth) {
	struct br_lexer l = {.run = run, .in = text, .depth = depth};
	for (skip_blanks(&l); l.i < l.in.n; skip_blanks(&l)) {
		if (read_next(&l, take, context)) {
			return -1;
		}
	}
	return end_command(&l, take, context);
}

int br_shell_read(struct br_run *run, struct br_chars text, br_take_command *take, void *context) {
	return br_shell_read_deep(run, text, take, context, 0);
}
