#include "reader.h"

#include <base/own.h>
#include <base/text.h>

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
	// libfyaml's time for a tag is quadratic in its length, and so it is for a directive's, for
	// the number of directives, and for blanks behind something on its line
	TAG_BYTES = 1024,
	DIRECTIVES = 64,
	DIRECTIVE_BYTES = 1024,
	BLANKS = 512,
};

struct br_span doc_span(const struct doc_text *text, size_t off, size_t len) {
	size_t at = off < text->n ? off : text->n;
	size_t rest = text->n - at;
	return (struct br_span){text->number, (uint32_t)at, (uint32_t)(len < rest ? len : rest)};
}

struct br_span doc_with_quotes(const struct doc_text *text, struct br_span at) {
	size_t end = at.off + at.len;
	if (at.off > 0 && end < text->n && strchr("'\"", text->s[end])
		&& text->s[at.off - 1] == text->s[end]) {
		at.off--;
		at.len += 2;
	}
	return at;
}

/** Enter the transcoded text under the same name; spans point into it. */
static int enter(const char *s, size_t n, struct doc_text *text, struct br_diags *dx) {
	struct br_places *places = br_diags_places(dx);
	const char *name = br_places_name(places, text->number);
	int number = br_places_add(places, BR_PLACE_FILE, name, s, n);
	if (number < 0) {
		return errno == ENOMEM
			? br_error_memory(dx)
			: br_error(dx, doc_span(text, 0, 0), "more than %d texts", UINT16_MAX);
	}
	text->number = (uint16_t)number;
	text->s = br_places_bytes(places, text->number, &text->n);
	return 0;
}

/** One character of UTF-16: bytes taken, or 0 where it is none. */
static size_t utf16_next(const unsigned char *s, size_t n, bool big, uint32_t *c) {
	if (n < 2) {
		return 0;
	}
	uint32_t high = big ? (uint32_t)s[0] << 8 | s[1] : (uint32_t)s[1] << 8 | s[0];
	*c = high;
	if (high < 0xd800 || high > 0xdfff) {
		return 2;
	}
	uint32_t low = 0;
	if (n >= 4) {
		low = big ? (uint32_t)s[2] << 8 | s[3] : (uint32_t)s[3] << 8 | s[2];
	}
	*c = 0x10000 + ((high & 0x3ff) << 10 | (low & 0x3ff));
	return high < 0xdc00 && low >= 0xdc00 && low <= 0xdfff ? 4 : 0;
}

/** Append a character that is no surrogate. */
static char *put_utf8(char *out, uint32_t c) {
	if (c < 0x80) {
		*out++ = (char)c;
		return out;
	}
	if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
	}
	if (c >= 0x800) {
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (c & 0x3f));
	return out;
}

/** From UTF-16 of this byte order, after the byte order mark. By hand, since iconv loads its tables
 * from files, and this may be confined. */
static int transcode(bool big, struct doc_text *text, struct br_diags *dx) {
	br_auto(br_arena_release) struct br_arena arena = {0};
	char *utf8 = br_alloc(&arena, 2 * text->n + 4);
	if (!utf8) {
		return br_error_memory(dx);
	}
	const unsigned char *s = (const unsigned char *)text->s;
	char *out = utf8;
	for (size_t i = 2; i < text->n;) {
		uint32_t c = 0;
		size_t len = utf16_next(s + i, text->n - i, big, &c);
		if (!len) {
			br_error(dx, doc_span(text, i, text->n - i < 2 ? 1 : 2),
				"this is not valid UTF-16");
			br_hint(dx, "save the file as UTF-8");
			return -1;
		}
		out = put_utf8(out, c);
		i += len;
	}
	return enter(utf8, (size_t)(out - utf8), text, dx);
}

static int decode(struct doc_text *text, struct br_diags *dx) {
	if (text->n >= 2 && !memcmp(text->s, "\xff\xfe", 2)) {
		return transcode(false, text, dx);
	}
	if (text->n >= 2 && !memcmp(text->s, "\xfe\xff", 2)) {
		return transcode(true, text, dx);
	}
	return 0;
}

static int refuse_control(
	struct br_diags *dx, const struct doc_text *text, size_t off, unsigned char c) {
	br_error(dx, doc_span(text, off, c < 0x80 ? 1 : 2), "control character U+%04X", c);
	if (c == 0 && off < 2) {
		br_hint(dx, "if this is UTF-16, save the file as UTF-8");
	} else if (c == 0x1b) {
		br_hint(dx, "colour codes do not belong in the file");
	} else {
		br_hint(dx, "remove it");
	}
	return -1;
}

/** The length of the UTF-8 character here; 0 if it is none. */
static size_t character(const char *s, size_t left) {
	unsigned char c = (unsigned char)*s;
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	return n <= left && br_is_utf8(s, n) ? n : 0;
}

static bool is_control(const char *s, size_t n) {
	unsigned char c = (unsigned char)*s;
	if (n == 1) {
		return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
	}
	// C1 but for NEL, which YAML allows
	return c == 0xc2 && (unsigned char)s[1] < 0xa0 && (unsigned char)s[1] != 0x85;
}

/** The parser would end at a NUL and at invalid UTF-8 without a word, and let control characters
 * pass. */
static int check_characters(const struct doc_text *text, struct br_diags *dx) {
	for (size_t i = 0; i < text->n;) {
		size_t n = character(text->s + i, text->n - i);
		if (!n) {
			br_error(dx, doc_span(text, i, 1), "this byte is not valid UTF-8");
			br_hint(dx, "save the file as UTF-8");
			return -1;
		}
		if (is_control(text->s + i, n)) {
			return refuse_control(dx, text, i, (unsigned char)text->s[i + n - 1]);
		}
		i += n;
	}
	return 0;
}

static bool is_blank(char c) {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/** How long the tag is that may begin here. */
static size_t tag_length(const struct doc_text *text, size_t at) {
	const char *s = text->s + at;
	bool verbatim = text->n - at > 1 && s[1] == '<';
	size_t n = 1;
	while (n < text->n - at && !is_blank(s[n]) && (verbatim || !strchr(",[]{}", s[n]))) {
		n++;
	}
	return n;
}

/** A '%' that can begin a directive stands here. */
static int check_directive(
	const struct doc_text *text, size_t at, unsigned *count, struct br_diags *dx) {
	size_t n = 0;
	while (at + n < text->n && text->s[at + n] != '\n' && text->s[at + n] != '\r') {
		n++;
	}
	if (++*count > DIRECTIVES) {
		return br_error(dx, doc_span(text, at, 1), "more than %d directives", DIRECTIVES);
	}
	return n > DIRECTIVE_BYTES ? br_error(dx, doc_span(text, at, n),
		       "a directive of more than %d bytes", DIRECTIVE_BYTES)
				   : 0;
}

/** The blanks that begin here; 0 for the indentation of a line. */
static size_t blanks(const struct doc_text *text, size_t at) {
	size_t n = 0;
	if (at == 0 || is_blank(text->s[at - 1])) {
		return 0;
	}
	while (at + n < text->n && (text->s[at + n] == ' ' || text->s[at + n] == '\t')) {
		n++;
	}
	return n;
}

/**
 * Refuse what the parser takes quadratic time for. Nesting is none of it: libfyaml's scanner is
 * linear in "[[[[…", and gives the collections one by one, so their depth is counted exactly while
 * they come. This scan knows no scalars, so its limits are such that no real text meets them.
 */
static int check_slow(const struct doc_text *text, struct br_diags *dx) {
	unsigned directives = 0;
	for (size_t i = 0; i < text->n; i++) {
		char before = i ? text->s[i - 1] : '\n';
		if (text->s[i] == '%' && (before == '\n' || before == '\r')
			&& check_directive(text, i, &directives, dx)) {
			return -1;
		}
		if (blanks(text, i) > BLANKS) {
			return br_error(dx, doc_span(text, i, BLANKS),
				"more than %d blanks in a row", BLANKS);
		}
		if (text->s[i] != '!' || !(is_blank(before) || strchr(",[]{}", before))) {
			continue;
		}
		size_t n = tag_length(text, i);
		if (n > TAG_BYTES) {
			return br_error(
				dx, doc_span(text, i, n), "a tag of more than %d bytes", TAG_BYTES);
		}
		i += n - 1;
	}
	return 0;
}

/** Whether a '?' that can introduce a key stands here. */
static bool is_question(const struct doc_text *text, size_t i) {
	return text->s[i] == '?' && (i + 1 == text->n || is_blank(text->s[i + 1]))
		&& (!i || is_blank(text->s[i - 1]) || strchr(",[{", text->s[i - 1]));
}

/** Whether blanks with a tab among them stand between this colon and something that cannot follow
 * there; *tab is the tab. */
static bool is_tabbed_indicator(const struct doc_text *text, size_t i, size_t *tab) {
	*tab = 0;
	if (text->s[i++] != ':') {
		return false;
	}
	while (i < text->n && (text->s[i] == ' ' || text->s[i] == '\t')) {
		*tab = text->s[i] == '\t' ? i : *tab;
		i++;
	}
	return *tab && i < text->n && strchr("-?:|>", text->s[i]);
}

/** libfyaml 0.7.12 frees a key twice when it refuses "? a:\t- b". No real file has both a '?' key
 * and such a tab. */
static int check_crash(const struct doc_text *text, struct br_diags *dx) {
	bool question = false;
	for (size_t i = 0; i < text->n; i++) {
		size_t tab;
		question = question || is_question(text, i);
		if (question && is_tabbed_indicator(text, i, &tab)) {
			br_error(dx, doc_span(text, tab, 1), "a tab is used for indentation");
			br_hint(dx, "indent with spaces");
			return -1;
		}
	}
	return 0;
}

static int check_size(const struct doc_text *text, struct br_diags *dx) {
	if (text->n > BR_DOC_BYTES) {
		return br_error(dx, doc_span(text, 0, 0),
			"the file has %zu bytes; at most %d are read", text->n, BR_DOC_BYTES);
	}
	return 0;
}

int doc_prepare(uint16_t number, struct doc_text *out, struct br_diags *dx) {
	out->number = number;
	out->s = br_places_bytes(br_diags_places(dx), number, &out->n);
	assert(out->s);
	if (check_size(out, dx) || decode(out, dx) || check_size(out, dx)
		|| check_characters(out, dx) || check_slow(out, dx) || check_crash(out, dx)) {
		return -1;
	}
	return 0;
}
