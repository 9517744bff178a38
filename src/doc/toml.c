#include "toml.h"

#include "doc.h"

#include <base/text.h>

#include <string.h>

/** A text on its way. */
struct reading {
	struct br_arena *arena;
	struct br_diags *dx;
	uint16_t text;
	const char *s;
	size_t n;
	size_t i;
	/** The table that a header has opened, with a dot behind it, or "". */
	const char *table;
	br_vec(struct br_toml_value) values;
	size_t events;
};

/** What stands between brackets or after an equals sign. */
struct item {
	enum br_toml_kind kind;
	struct br_span at;
	const char *s;
};

typedef br_vec(struct br_text) text_vec;

static struct br_span span_of(const struct reading *r, size_t from, size_t n) {
	return (struct br_span){.text = r->text, .off = (uint32_t)from, .len = (uint32_t)n};
}

static int fail(struct reading *r, const char *why) {
	size_t n = r->i < r->n && r->s[r->i] != '\n';
	return br_error(r->dx, span_of(r, r->i, n), "this is no TOML: %s", why);
}

static char peek(const struct reading *r) {
	return r->i < r->n ? r->s[r->i] : '\0';
}

static bool starts(const struct reading *r, const char *word) {
	size_t n = strlen(word);
	return r->n - r->i >= n && memcmp(r->s + r->i, word, n) == 0;
}

static void skip_blanks(struct reading *r) {
	while (peek(r) == ' ' || peek(r) == '\t') {
		r->i++;
	}
}

/** Blanks, comments and line ends. */
static void skip_all(struct reading *r) {
	while (r->i < r->n) {
		skip_blanks(r);
		if (peek(r) == '#') {
			while (r->i < r->n && peek(r) != '\n') {
				r->i++;
			}
		}
		if (peek(r) != '\n' && peek(r) != '\r') {
			return;
		}
		r->i++;
	}
}

/** Behind a header or an assignment nothing may stand but a comment. */
static int end_line(struct reading *r) {
	skip_blanks(r);
	if (peek(r) == '#') {
		while (r->i < r->n && peek(r) != '\n') {
			r->i++;
		}
	}
	if (peek(r) == '\r') {
		r->i++;
	}
	return r->i < r->n && peek(r) != '\n' ? fail(r, "a line has something behind its end") : 0;
}

static int count(struct reading *r) {
	return ++r->events > BR_DOC_EVENTS ? fail(r, "it has too many parts") : 0;
}

// ---- strings ----

static int read_unicode(struct reading *r, size_t digits, struct br_buf *out) {
	uint32_t c = 0;
	for (size_t k = 0; k < digits; k++, r->i++) {
		const char *hex = "0123456789abcdef";
		char lower = (char)(peek(r) | 0x20);
		const char *at = peek(r) ? strchr(hex, lower) : NULL;
		if (!at) {
			return fail(r, "an escape needs more digits");
		}
		c = c * 16 + (uint32_t)(at - hex);
	}
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
		return fail(r, "an escape is no character");
	}
	if (c < 0x80) {
		br_buf_addc(out, (char)c);
	} else if (c < 0x800) {
		br_buf_addc(out, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		br_buf_addc(out, (char)(0xe0 | c >> 12));
		br_buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		br_buf_addc(out, (char)(0xf0 | c >> 18));
		br_buf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		br_buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	if (c >= 0x80) {
		br_buf_addc(out, (char)(0x80 | (c & 0x3f)));
	}
	return 0;
}

/** Behind a backslash. */
static int read_escape(struct reading *r, bool multi, struct br_buf *out) {
	static const char from[] = "btnfre\"\\";
	static const char to[] = "\b\t\n\f\r\033\"\\";
	char c = peek(r);
	const char *at = c ? strchr(from, c) : NULL;
	if (at) {
		r->i++;
		br_buf_addc(out, to[at - from]);
		return 0;
	}
	if (c == 'u' || c == 'U') {
		r->i++;
		return read_unicode(r, c == 'u' ? 4 : 8, out);
	}
	if (multi && c && strchr(" \t\r\n", c)) {
		while (peek(r) && strchr(" \t\r\n", peek(r))) {
			r->i++;
		}
		return 0;
	}
	return fail(r, "an escape that there is not");
}

/** Up to the closing quotes. */
static int read_quoted(struct reading *r, const char *quotes, struct br_buf *out) {
	bool multi = quotes[1] != '\0';
	bool literal = quotes[0] == '\'';
	r->i += strlen(quotes);
	if (multi && starts(r, "\r\n")) {
		r->i++;
	}
	r->i += multi && peek(r) == '\n';
	while (r->i < r->n && !starts(r, quotes)) {
		char c = r->s[r->i];
		bool is_control = ((unsigned char)c < 0x20 && c != '\t' && c != '\n' && c != '\r')
			|| c == 0x7f;
		if (is_control || (c == '\n' && !multi)) {
			return fail(r, "a string has no end");
		}
		r->i++;
		if (c == '\\' && !literal) {
			if (read_escape(r, multi, out)) {
				return -1;
			}
			continue;
		}
		br_buf_addc(out, c);
	}
	if (r->i >= r->n) {
		return fail(r, "a string has no end");
	}
	r->i += strlen(quotes);
	// Up to two quotes may stand right before the closing ones.
	for (int k = 0; multi && k < 2 && peek(r) == quotes[0]; k++, r->i++) {
		br_buf_addc(out, quotes[0]);
	}
	return 0;
}

static const char *quotes_at(const struct reading *r) {
	static const char *const all[] = {"\"\"\"", "'''", "\"", "'"};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (starts(r, all[i])) {
			return all[i];
		}
	}
	return NULL;
}

/** What is quoted, in the arena; NULL with an error. */
static const char *take_quoted(struct reading *r, const char *quotes) {
	struct br_buf buf = {0};
	const char *out = NULL;
	if (!read_quoted(r, quotes, &buf)) {
		out = buf.failed ? NULL : br_strndup(r->arena, buf.s ? buf.s : "", buf.n);
		if (!out) {
			(void)br_error_memory(r->dx);
		}
	}
	br_buf_release(&buf);
	return out;
}

// ---- keys ----

static bool is_bare(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		|| c == '_' || c == '-';
}

static const char *read_one_key(struct reading *r) {
	const char *quotes = quotes_at(r);
	size_t from = r->i;
	if (quotes && quotes[1]) {
		(void)fail(r, "a key of several lines");
		return NULL;
	}
	if (quotes) {
		return take_quoted(r, quotes);
	}
	while (is_bare(peek(r))) {
		r->i++;
	}
	if (r->i == from) {
		(void)fail(r, "a key is missing");
		return NULL;
	}
	const char *key = br_strndup(r->arena, r->s + from, r->i - from);
	if (!key) {
		(void)br_error_memory(r->dx);
	}
	return key;
}

/** "a.b.c" behind `before`; NULL with an error. */
static const char *read_key(struct reading *r, const char *before) {
	const char *out = before;
	for (size_t depth = 0; out; depth++) {
		skip_blanks(r);
		const char *key = depth < BR_DOC_DEPTH ? read_one_key(r) : NULL;
		if (!key) {
			return depth < BR_DOC_DEPTH ? NULL : (fail(r, "a key is too long"), NULL);
		}
		out = br_printf(r->arena, "%s%s%s", out, depth ? "." : "", key);
		skip_blanks(r);
		if (peek(r) != '.') {
			break;
		}
		r->i++;
	}
	if (!out) {
		(void)br_error_memory(r->dx);
	} else if (strlen(out) > BR_DOC_KEY) {
		(void)fail(r, "a key is too long");
		return NULL;
	}
	return out;
}

// ---- values ----

static int read_value(struct reading *r, const char *path, unsigned depth);

static int read_scalar(struct reading *r, struct item *out) {
	const char *quotes = quotes_at(r);
	size_t from = r->i;
	if (count(r)) {
		return -1;
	}
	out->kind = quotes ? BR_TOML_STRING : BR_TOML_WORD;
	if (quotes) {
		out->s = take_quoted(r, quotes);
	} else {
		while (is_bare(peek(r)) || (peek(r) && strchr("+.:", peek(r)))) {
			r->i++;
		}
		if (r->i == from) {
			return fail(r, "a value is missing");
		}
		out->s = br_strndup(r->arena, r->s + from, r->i - from);
		if (!out->s) {
			(void)br_error_memory(r->dx);
		}
	}
	out->at = span_of(r, from, r->i - from);
	return out->s ? 0 : -1;
}

/** `{a = 1, b = 2}`: each is an assignment below `path`. */
static int read_table(struct reading *r, const char *path, unsigned depth) {
	r->i++;
	skip_blanks(r);
	while (peek(r) != '}') {
		const char *prefix = br_printf(r->arena, "%s.", path);
		const char *key = prefix ? read_key(r, prefix) : NULL;
		if (!key) {
			return prefix ? -1 : br_error_memory(r->dx);
		}
		if (peek(r) != '=') {
			return fail(r, "a key without a value");
		}
		r->i++;
		if (read_value(r, key, depth + 1)) {
			return -1;
		}
		skip_blanks(r);
		if (peek(r) != ',' && peek(r) != '}') {
			return fail(r, "a table has no end");
		}
		r->i += peek(r) == ',';
		skip_blanks(r);
	}
	r->i++;
	return 0;
}

/** A table among a list's items: nothing but `append` counts. */
static int read_attributes(struct reading *r, struct br_toml_value *list, unsigned depth) {
	struct reading inner = *r;
	memset(&inner.values, 0, sizeof(inner.values));
	int failed = read_table(&inner, "", depth);
	for (size_t i = 0; i < inner.values.n; i++) {
		const struct br_toml_value *value = &inner.values.v[i];
		list->appends = strcmp(value->path, ".append") == 0 && value->s
				&& strcmp(value->s, "true") == 0
			? true
			: list->appends;
	}
	r->i = inner.i;
	r->events = inner.events;
	return failed;
}

static int read_item(
	struct reading *r, struct br_toml_value *list, text_vec *strings, unsigned depth) {
	struct item item;
	if (peek(r) == '{') {
		return read_attributes(r, list, depth);
	}
	if (peek(r) == '[') {
		struct reading inner = *r;
		memset(&inner.values, 0, sizeof(inner.values));
		int failed = read_value(&inner, "", depth + 1);
		r->i = inner.i;
		r->events = inner.events;
		list->others++;
		return failed;
	}
	if (read_scalar(r, &item)) {
		return -1;
	}
	if (item.kind != BR_TOML_STRING) {
		list->others++;
		return 0;
	}
	return br_vec_push(r->arena, strings, ((struct br_text){item.s, item.at}))
		? br_error_memory(r->dx)
		: 0;
}

static int read_list(struct reading *r, struct br_toml_value *out, unsigned depth) {
	text_vec strings = {0};
	size_t from = r->i++;
	out->kind = BR_TOML_LIST;
	skip_all(r);
	while (peek(r) != ']') {
		if (read_item(r, out, &strings, depth)) {
			return -1;
		}
		skip_all(r);
		if (peek(r) != ',' && peek(r) != ']') {
			return fail(r, "a list has no end");
		}
		r->i += peek(r) == ',';
		skip_all(r);
	}
	r->i++;
	out->at = span_of(r, from, r->i - from);
	out->items = strings.v;
	out->n = strings.n;
	return 0;
}

static int read_value(struct reading *r, const char *path, unsigned depth) {
	struct br_toml_value value = {.path = path};
	struct item item = {0};
	skip_blanks(r);
	if (depth > BR_DOC_DEPTH || count(r)) {
		return depth > BR_DOC_DEPTH ? fail(r, "it is too deep") : -1;
	}
	if (peek(r) == '{') {
		return read_table(r, path, depth);
	}
	if (peek(r) == '[') {
		if (read_list(r, &value, depth)) {
			return -1;
		}
	} else {
		if (read_scalar(r, &item)) {
			return -1;
		}
		value.kind = item.kind;
		value.at = item.at;
		value.s = item.s;
	}
	return br_vec_push(r->arena, &r->values, value) ? br_error_memory(r->dx) : 0;
}

/** `[a.b]` or `[[a.b]]`. */
static int read_header(struct reading *r) {
	const char *open = starts(r, "[[") ? "[[" : "[";
	r->i += strlen(open);
	const char *table = read_key(r, "");
	if (!table) {
		return -1;
	}
	const char *close = open[1] ? "]]" : "]";
	if (!starts(r, close)) {
		return fail(r, "the name of a table has no end");
	}
	r->i += strlen(close);
	r->table = br_printf(r->arena, "%s.", table);
	return r->table ? end_line(r) : br_error_memory(r->dx);
}

static int read_assignment(struct reading *r) {
	const char *path = read_key(r, r->table);
	if (!path) {
		return -1;
	}
	if (peek(r) != '=') {
		return fail(r, "a key without a value");
	}
	r->i++;
	return read_value(r, path, 0) ? -1 : end_line(r);
}

static int read_lines(struct reading *r) {
	if (r->n > BR_DOC_BYTES) {
		return br_error(r->dx, span_of(r, 0, 0), "this file is too large");
	}
	if (!br_is_utf8(r->s, r->n) || memchr(r->s, '\0', r->n)) {
		return br_error(r->dx, span_of(r, 0, 0), "this is no TOML: it is not UTF-8");
	}
	r->i = r->n >= 3 && memcmp(r->s, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	for (skip_all(r); r->i < r->n; skip_all(r)) {
		if (peek(r) == '[' ? read_header(r) : read_assignment(r)) {
			return -1;
		}
	}
	return 0;
}

int br_toml_read(struct br_arena *arena, uint16_t text, struct br_toml *out, struct br_diags *dx) {
	struct reading r = {.arena = arena, .dx = dx, .text = text, .table = ""};
	r.s = br_places_bytes(br_diags_places(dx), text, &r.n);
	*out = (struct br_toml){0};
	if (r.s && read_lines(&r)) {
		return -1;
	}
	*out = (struct br_toml){r.values.v, r.values.n};
	return 0;
}

const struct br_toml_value *br_toml_get(const struct br_toml *toml, const char *path) {
	for (size_t i = toml->n; i > 0; i--) {
		if (strcmp(toml->values[i - 1].path, path) == 0) {
			return &toml->values[i - 1];
		}
	}
	return NULL;
}
