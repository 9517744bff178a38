#include "dotenv.h"

#include <base/text.h>

#include <string.h>

enum {
	BYTES = 1 << 20,
	VALUE = 64 << 10,
	NAMES = 10000,
};

struct reader {
	struct br_env *env;
	struct br_diags *dx;
	uint16_t text;
	/** The whole file, the next byte, and the end. */
	const char *start, *s, *end;
	unsigned names;
};

static struct br_span span(const struct reader *r, const char *from, const char *to) {
	return (struct br_span){r->text, (uint32_t)(from - r->start), (uint32_t)(to - from)};
}

/** White space within a line, as compose's reader knows it: NEL and the no-break space are some
 * too. Its length, or 0. */
static size_t blank(const char *s, const char *end) {
	if (s < end && *s && strchr(" \t\v\f\r", *s)) {
		return 1;
	}
	bool two = end - s >= 2 && *s == '\xc2' && (s[1] == '\x85' || s[1] == '\xa0');
	return two ? 2 : 0;
}

static const char *skip_blanks(const char *s, const char *end) {
	size_t n;
	while ((n = blank(s, end))) {
		s += n;
	}
	return s;
}

static const char *trim_end(const char *s, const char *end) {
	for (;;) {
		if (end > s && blank(end - 1, end)) {
			end--;
		} else if (end - s >= 2 && blank(end - 2, end) == 2) {
			end -= 2;
		} else {
			return end;
		}
	}
}

static const char *end_of_line(const struct reader *r, const char *s) {
	const char *end = memchr(s, '\n', (size_t)(r->end - s));
	return end ? end : r->end;
}

/** Go to the first byte of the next statement; false at the end. */
static bool next_statement(struct reader *r) {
	for (;;) {
		r->s = skip_blanks(r->s, r->end);
		if (r->s == r->end) {
			return false;
		}
		if (*r->s == '#') {
			r->s = end_of_line(r, r->s);
		} else if (*r->s == '\n') {
			r->s++;
		} else {
			return true;
		}
	}
}

static bool is_name_byte(char c) {
	// letters and digits of all scripts are allowed; none but ASCII ones can be referred to
	return c
		&& (strchr("_.-[]", c) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
			|| (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80);
}

static void skip_export(struct reader *r) {
	static const char word[] = "export";
	size_t n = sizeof(word) - 1;
	if ((size_t)(r->end - r->s) > n && !strncmp(r->s, word, n)
		&& strchr(" \t\f\r\n", r->s[n])) {
		r->s = skip_blanks(r->s + n, r->end);
	}
}

static int refuse_character(struct reader *r, const char *at) {
	const char *end = trim_end(r->s, end_of_line(r, at));
	br_error(r->dx, span(r, at, at + 1),
		"unexpected character '%c' in the variable name '%.*s'", *at,
		(int)(end - r->s < 60 ? end - r->s : 60), r->s);
	br_hint(r->dx, "a line is NAME=VALUE, or a comment after '#'");
	return -1;
}

static int refuse_blank(struct reader *r, const char *at, const char *end) {
	br_error(r->dx, span(r, at, end), "a variable name cannot contain a blank");
	br_hint(r->dx, "a line is NAME=VALUE, or a comment after '#'");
	return -1;
}

/**
 * Read a name and what ends it: '=', ':', or 0 where the line ends (a bare name). r->s goes behind
 * that. The name is in [*from, *to).
 */
static int read_name(struct reader *r, const char **from, const char **to, char *ended) {
	skip_export(r);
	const char *s = r->s;
	const char *gap = NULL;
	bool inner = false;
	*from = s;
	while (s < r->end && !strchr("=:\n", *s)) {
		size_t n = blank(s, r->end);
		if (!n && !is_name_byte(*s)) {
			return refuse_character(r, s);
		}
		if (n && !gap) {
			gap = s;
		}
		inner = inner || (gap && !n);
		s += n ? n : 1;
	}
	*to = trim_end(*from, s);
	if (inner) {
		return refuse_blank(r, *from, *to);
	}
	*ended = s < r->end && *s != '\n' ? *s : 0;
	r->s = s + (s < r->end);
	return 0;
}

/** The rest of the line, without a comment that begins with " #". */
static void read_unquoted(struct reader *r, const char **from, const char **to) {
	const char *end = end_of_line(r, r->s);
	const char *comment = memmem(r->s, (size_t)(end - r->s), " #", 2);
	*from = r->s;
	*to = trim_end(r->s, comment ? comment : end);
	r->s = end;
}

/** From one quote to the next that no backslash stands before; only such an escaped quote loses its
 * backslash. */
static int read_quoted(struct reader *r, struct br_buf *value) {
	const char *open = r->s;
	char quote = *open;
	for (const char *s = open + 1; s < r->end; s++) {
		if (*s == quote) {
			r->s = s + 1;
			return 0;
		}
		if (*s == '\\' && s + 1 < r->end) {
			s++;
			if (*s != quote) {
				br_buf_addc(value, '\\');
			}
		}
		br_buf_addc(value, *s);
	}
	br_error(r->dx, span(r, open, open + 1), "this quote is never closed");
	br_hint(r->dx, "add the closing %s quote", quote == '"' ? "double" : "single");
	return -1;
}

/** Append a character below U+0100 as UTF-8. */
static void add_latin(struct br_buf *to, unsigned c) {
	if (c < 0x80) {
		br_buf_addc(to, (char)c);
	} else {
		br_buf_addc(to, (char)(0xc0 | c >> 6));
		br_buf_addc(to, (char)(0x80 | (c & 0x3f)));
	}
}

/**
 * "\0" and up to three digits: three octal ones up to 377 give that character. Anything else loses
 * its zero and stays, which is what compose's reader does. Answers how many bytes of s it took.
 */
static size_t add_octal(const char *s, struct br_buf *to) {
	size_t n = 2;
	unsigned value = 0;
	bool octal = true;
	while (n < 5 && s[n] >= '0' && s[n] <= '9') {
		octal = octal && s[n] < '8';
		value = value * 8 + (unsigned)(s[n] - '0');
		n++;
	}
	if (n == 5 && octal && value < 256) {
		add_latin(to, value);
	} else {
		br_buf_addc(to, '\\');
		br_buf_addn(to, s + 2, n - 2);
	}
	return n;
}

/** The escapes of double quotes. A dollar sign comes out doubled, for the interpolation that
 * follows. */
static void unescape(const char *s, struct br_buf *to) {
	static const char from[] = "abfnrtv\"\\";
	static const char into[] = "\a\b\f\n\r\t\v\"\\";
	while (*s) {
		const char *known = s[0] == '\\' && s[1] ? strchr(from, s[1]) : NULL;
		if (known) {
			br_buf_addc(to, into[known - from]);
			s += 2;
		} else if (s[0] == '\\' && s[1] == '$') {
			br_buf_addn(to, "$$", 2);
			s += 2;
		} else if (s[0] == '\\' && s[1] == '0') {
			s += add_octal(s, to);
		} else {
			br_buf_addc(to, *s++);
		}
	}
}

/** Interpolate (or not) and set. */
static int set(struct reader *r, const char *name, struct br_text value, bool literal) {
	struct br_interpolated expanded = {.s = value.s};
	if (!literal && br_interpolate(r->env, value, NULL, &expanded, r->dx)) {
		return -1;
	}
	const struct br_var *old = br_env_get(r->env, name);
	if (old && old->origin != BR_VAR_FILE) {
		return 0;
	}
	struct br_var var = {.name = name, .value = expanded.s, .origin = BR_VAR_FILE};
	return br_env_set(r->env, &var, true) ? br_error_memory(r->dx) : 0;
}

/** Set the name to the value in the buffer, which came from `at`. */
static int set_from(struct reader *r, const char *name, struct br_buf *raw, struct br_span at) {
	char first = at.len ? r->start[at.off] : 0;
	bool literal = first == '\'';
	struct br_buf value = {0};
	const char *s = raw->n ? raw->s : "";
	if (first == '"') {
		unescape(s, &value);
		s = value.n ? value.s : "";
	}
	int result = 0;
	if (raw->failed || value.failed) {
		result = br_error_memory(r->dx);
	} else if (value.n != strlen(s) && value.n) {
		result = br_error(r->dx, at, "a value with a NUL in it");
	} else if (strlen(s) > VALUE) {
		result = br_error(r->dx, at, "a value of more than %d KiB", VALUE / 1024);
	} else {
		result = set(r, name, (struct br_text){s, at}, literal);
	}
	br_buf_release(&value);
	return result;
}

static int read_value(struct reader *r, const char *name) {
	r->s = skip_blanks(r->s, r->end);
	const char *from = r->s;
	const char *to = r->s;
	struct br_buf raw = {0};
	int failed = 0;
	if (from < r->end && (*from == '"' || *from == '\'')) {
		failed = read_quoted(r, &raw);
		to = r->s;
	} else {
		read_unquoted(r, &from, &to);
		br_buf_addn(&raw, from, (size_t)(to - from));
	}
	failed = failed || set_from(r, name, &raw, span(r, from, to));
	br_buf_release(&raw);
	return failed ? -1 : 0;
}

static int read_statement(struct reader *r) {
	const char *from;
	const char *to;
	char ended;
	if (read_name(r, &from, &to, &ended)) {
		return -1;
	}
	if (!ended) {
		// A bare name takes the value that it has in the environment, where it is already.
		return 0;
	}
	if (++r->names > NAMES) {
		return br_error(r->dx, span(r, from, to), "more than %d variables", NAMES);
	}
	const char *name = br_strndup(r->env->arena, from, (size_t)(to - from));
	return name ? read_value(r, name) : br_error_memory(r->dx);
}

int br_dotenv_read(struct br_env *env, uint16_t text, struct br_diags *dx) {
	size_t n = 0;
	struct reader r = {.env = env, .dx = dx, .text = text};
	r.start = br_places_bytes(br_diags_places(dx), text, &n);
	r.s = r.start;
	r.end = r.start + n;
	if (n > BYTES) {
		return br_error(dx, span(&r, r.start, r.start),
			"the file has %zu bytes; at most %d are read", n, BYTES);
	}
	const char *nul = memchr(r.start, 0, n);
	if (nul) {
		return br_error(dx, span(&r, nul, nul + 1), "a NUL byte in the file");
	}
	if (n >= 3 && !memcmp(r.start, "\xef\xbb\xbf", 3)) {
		r.s += 3;
	}
	while (next_statement(&r)) {
		if (read_statement(&r)) {
			return -1;
		}
	}
	return 0;
}
