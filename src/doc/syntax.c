#include "reader.h"

#include <libfyaml.h>
#include <string.h>

/** What went wrong, as the parser tells it. */
struct complaint {
	const struct doc_text *text;
	const char *message;
	/** What it underlines. */
	struct br_span at;
	struct br_span open;
	struct br_diags *dx;
};

// Looking at the text round a place

static const char *end_of_line(const struct doc_text *text, size_t at) {
	const char *s = text->s + at;
	const char *end = text->s + text->n;
	while (s < end && *s != '\n' && *s != '\r') {
		s++;
	}
	return s;
}

static size_t start_of_line(const struct doc_text *text, size_t at) {
	while (at > 0 && text->s[at - 1] != '\n' && text->s[at - 1] != '\r') {
		at--;
	}
	return at;
}

/** Where the first word after the end of this line begins; the end of the text if there is none. */
static size_t next_word(const struct doc_text *text, size_t at) {
	size_t i = (size_t)(end_of_line(text, at) - text->s);
	while (i < text->n && strchr(" \t\r\n", text->s[i])) {
		i++;
	}
	return i;
}

static size_t column(const struct doc_text *text, size_t at) {
	return at - start_of_line(text, at);
}

/** The first byte of the span that is one of these. */
static bool find_in(const struct complaint *c, const char *bytes, size_t *out) {
	for (size_t i = c->at.off; i < c->at.off + c->at.len && i < c->text->n; i++) {
		if (strchr(bytes, c->text->s[i])) {
			*out = i;
			return true;
		}
	}
	return false;
}

/** The rest of the line from here, without trailing blanks. */
static struct br_span rest_of_line(const struct doc_text *text, size_t at) {
	const char *end = end_of_line(text, at);
	while (end > text->s + at && strchr(" \t", end[-1])) {
		end--;
	}
	return doc_span(text, at, (size_t)(end - text->s) - at);
}

// The complaints that deserve a look of their own

static int on_tab(const struct complaint *c) {
	size_t at = c->at.off;
	if (!find_in(c, "\t", &at) && at > 0 && c->text->s[at - 1] == '\t') {
		at--;
	}
	br_error(c->dx, doc_span(c->text, at, 1), "a tab is used for indentation");
	br_hint(c->dx, "indent with spaces");
	return -1;
}

/** The opening quote of the scalar at the place. */
static struct br_span quote_at(const struct complaint *c) {
	size_t at = c->at.off;
	const char *s = c->text->s;
	if (at > 0 && !(at < c->text->n && strchr("'\"", s[at])) && strchr("'\"", s[at - 1])) {
		at--;
	}
	return doc_span(c->text, at, 1);
}

static int on_open_quote(const struct complaint *c) {
	br_error(c->dx, quote_at(c), "this quote is never closed");
	br_hint(c->dx, "add the closing quote; a quote inside of single quotes is written twice");
	return -1;
}

/** Text behind a closing quote. If the quoted text began on another line, one quote too few there
 * is the likely reason. */
static int on_trailing(const struct complaint *c) {
	const char *s = c->text->s;
	size_t close = c->at.off;
	while (close > 0 && !strchr("'\"", s[close - 1])) {
		close--;
	}
	size_t open = close ? close - 1 : 0;
	while (open > 0 && s[open - 1] != s[close - 1]) {
		open--;
	}
	br_error(c->dx, c->at, "text behind the closing quote");
	if (open > 0 && start_of_line(c->text, open) != start_of_line(c->text, c->at.off)) {
		br_other(c->dx, doc_span(c->text, open - 1, 1), "the quoted text begins here");
	}
	br_hint(c->dx, "quote the whole value, or begin a comment with ' #'");
	return -1;
}

static bool is_key_character(char c) {
	return c
		&& (strchr("_-.", c) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
			|| (c >= 'A' && c <= 'Z'));
}

/** Whether this line is "key:value"; the place of its colon. */
static bool lacks_blank(const struct doc_text *text, size_t line, size_t *colon) {
	size_t i = line;
	while (i < text->n && is_key_character(text->s[i])) {
		i++;
	}
	*colon = i;
	return i > line && i + 1 < text->n && text->s[i] == ':'
		&& !strchr(" \t\r\n:/", text->s[i + 1]);
}

static int say_blank(const struct complaint *c, size_t line, size_t colon) {
	struct br_span value = rest_of_line(c->text, colon + 1);
	br_error(c->dx, doc_span(c->text, colon, 1), "a blank is missing after ':'");
	if (value.len < 60) {
		br_hint(c->dx, "write %.*s: %.*s", (int)(colon - line), c->text->s + line,
			(int)value.len, c->text->s + value.off);
	}
	return -1;
}

/** A key is expected, but the text at the place is not followed by ": " on its line, or runs on
 * into the next one. */
static int on_no_key(const struct complaint *c) {
	size_t line = c->at.off;
	size_t next = next_word(c->text, line);
	size_t colon;
	if (lacks_blank(c->text, line, &colon)) {
		return say_blank(c, line, colon);
	}
	if (next < c->text->n && lacks_blank(c->text, next, &colon)) {
		return say_blank(c, next, colon);
	}
	size_t indent = start_of_line(c->text, line);
	while (indent < line && c->text->s[indent] == ' ') {
		indent++;
	}
	if (next < c->text->n && column(c->text, next) > column(c->text, indent)) {
		br_error(c->dx, rest_of_line(c->text, next),
			"this line goes on with the value above, so it cannot hold a key");
		br_hint(c->dx, "check its indentation");
		return -1;
	}
	br_error(c->dx, rest_of_line(c->text, line), "expected a key with ':' behind it");
	br_hint(c->dx, "write 'key: value'; text that goes on over lines must be indented");
	return -1;
}

static int on_second_colon(const struct complaint *c) {
	size_t at = c->at.off;
	const char *end = end_of_line(c->text, at);
	while (c->text->s + at + 1 < end
		&& !(c->text->s[at] == ':' && strchr(" \t", c->text->s[at + 1]))) {
		at++;
	}
	br_error(c->dx, doc_span(c->text, at, 1), "a second ':' in one line");
	br_hint(c->dx, "quote the value if the ':' belongs to it");
	return -1;
}

static int on_first_character(const struct complaint *c) {
	if (c->at.off >= c->text->n) {
		return on_tab(c); // nothing else is there to complain about
	}
	br_error(c->dx, doc_span(c->text, c->at.off, 1),
		"a value cannot begin with '%c' unless it is quoted", c->text->s[c->at.off]);
	br_hint(c->dx, "put the value in quotes");
	return -1;
}

static int on_open_bracket(const struct complaint *c) {
	if (!c->open.text) {
		return br_error(c->dx, c->at, "a closing bracket is missing");
	}
	char bracket = c->text->s[c->open.off];
	br_error(c->dx, c->open, "this '%c' is never closed", bracket);
	br_hint(c->dx, "add the '%c'", bracket == '[' ? ']' : '}');
	return -1;
}

static int on_no_content(const struct complaint *c) {
	if (c->open.text && c->at.off >= c->text->n) {
		return on_open_bracket(c);
	}
	return br_error(c->dx, c->at, "a value is expected here");
}

static int on_comma(const struct complaint *c) {
	br_error(c->dx, c->at, "a comma is missing before this");
	if (c->open.text) {
		br_other(c->dx, c->open, "the list or mapping began here");
	}
	return -1;
}

static int on_escape(const struct complaint *c) {
	size_t end = c->at.off + c->at.len;
	if (end < 2 || end > c->text->n || c->text->s[end - 2] != '\\') {
		br_error(c->dx, c->at, "an unknown escape in double quotes");
	} else {
		br_error(c->dx, doc_span(c->text, end - 2, 2),
			"a backslash before '%c' means nothing in double quotes",
			c->text->s[end - 1]);
	}
	br_hint(c->dx, "use single quotes, or write the backslash twice");
	return -1;
}

/** Text that is no part of what stands before it. */
static int on_stray(const struct complaint *c) {
	size_t colon;
	if (lacks_blank(c->text, c->at.off, &colon)) {
		return say_blank(c, c->at.off, colon);
	}
	br_error(c->dx, c->at, "this does not belong to the value before it");
	br_hint(c->dx, "a key has ':' and a blank behind it; check the indentation and the quotes");
	return -1;
}

// All others, by a part of libfyaml's sentence

struct wording {
	const char *part;
	/** Says it all; the others are not looked at. */
	int (*say)(const struct complaint *c);
	const char *message;
	const char *hint;
};

static const struct wording wordings[] = {
	{"tab character", on_tab, NULL, NULL},
	{"cannot use tab", on_tab, NULL, NULL},
	{"invalid tab", on_tab, NULL, NULL},
	{"without closing quote", on_open_quote, NULL, NULL},
	{"marker in ", NULL, "a document marker inside of quoted text",
		"close the quote before it"},
	{"scalar used as key", NULL, "a key must stand on one line", NULL},
	{"invalid multiline", on_no_key, NULL, NULL},
	{"expected ':'", on_no_key, NULL, NULL},
	{"missing ':'", on_no_key, NULL, NULL},
	{"on the same line as", NULL,
		"a list cannot begin on the same line as its key, anchor or tag",
		"put its first '-' on the next line"},
	{"nested block mapping on the same line", on_second_colon, NULL, NULL},
	{"on same line as previous key", on_second_colon, NULL, NULL},
	{"scalar cannot start with", on_first_character, NULL, NULL},
	{"without a closing", on_open_bracket, NULL, NULL},
	{"missing comma", on_comma, NULL, NULL},
	{"extra closing", NULL, "this bracket closes nothing",
		"quote the value if it belongs to it"},
	{"invalid escape", on_escape, NULL, NULL},
	{"trailing content after", on_trailing, NULL, NULL},
	{"invalid comment", NULL, "a comment needs a blank before its '#'", NULL},
	{"tag prefix", NULL, "a tag whose prefix is not defined", NULL},
	{"two anchors", NULL, "two anchors for one value", NULL},
	{"two tags", NULL, "two tags for one value", NULL},
	{"anchor plus alias", NULL, "an alias cannot have an anchor", NULL},
	{"block scalar with wrongly indented", NULL,
		"this line is indented differently from the text it belongs to", NULL},
	{"end of block sequence", NULL, "a list goes on with something that is no item of it",
		"begin the line with '- ', or check its indentation"},
	{"expected '-'", NULL, "a list goes on with something that is no item of it",
		"begin the line with '- ', or check its indentation"},
	{"value after mapping", on_stray, NULL, NULL},
	{"no linebreak found", NULL, "text behind the '|' or '>'",
		"the text begins on the next line"},
	{"extra comma", NULL, "there is nothing before this comma", NULL},
	{"expected node content", on_no_content, NULL, NULL},
	{"not allowed in this context", NULL, "a key or a list cannot begin here",
		"put it on the next line, or quote it"},
	{"plain multiline", NULL, "this key is indented differently from those before it",
		"keys of one mapping stand in the same column"},
	{"inden", NULL, "wrong indentation", "what belongs together stands in the same column"},
	{"irective", NULL, "a directive ('%') that cannot be understood", NULL},
};

static int say(const struct complaint *c) {
	for (size_t i = 0; i < sizeof(wordings) / sizeof(*wordings); i++) {
		const struct wording *w = &wordings[i];
		if (!strstr(c->message, w->part)) {
			continue;
		}
		if (w->say) {
			return w->say(c);
		}
		br_error(c->dx, c->at, "%s", w->message);
		if (w->hint) {
			br_hint(c->dx, "%s", w->hint);
		}
		return -1;
	}
	return br_error(c->dx, c->at, "this is not valid YAML: %s", c->message);
}

/** Where libfyaml sees the error, within the text and on one line. */
static struct br_span place(const struct fy_diag_error *error, const struct doc_text *text) {
	const struct fy_mark *start = error->fyt ? fy_token_start_mark(error->fyt) : NULL;
	const struct fy_mark *end = error->fyt ? fy_token_end_mark(error->fyt) : NULL;
	if (!start || start->input_pos > text->n) {
		return doc_span(text, text->n, 0);
	}
	size_t to = end && end->input_pos > start->input_pos ? end->input_pos : start->input_pos;
	if (to > text->n) {
		to = text->n;
	}
	struct br_span at = doc_span(text, start->input_pos, to - start->input_pos);
	enum fy_scalar_style style = fy_token_get_type(error->fyt) == FYTT_SCALAR
		? fy_token_scalar_style(error->fyt)
		: FYSS_PLAIN;
	bool quoted = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
	return quoted ? doc_with_quotes(text, at) : at;
}

int doc_explain(struct fy_diag *diag, const struct doc_text *text, struct br_span open,
	struct br_diags *dx) {
	void *iterator = NULL;
	const struct fy_diag_error *error = NULL;
	do {
		error = fy_diag_errors_iterate(diag, &iterator);
	} while (error && error->type != FYET_ERROR);
	if (!error) {
		return br_error(dx, doc_span(text, text->n, 0), "this is not valid YAML");
	}
	struct complaint complaint = {
		.text = text,
		.message = error->msg ? error->msg : "",
		.at = place(error, text),
		.open = open,
		.dx = dx,
	};
	return say(&complaint);
}
