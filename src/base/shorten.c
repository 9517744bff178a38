#include <base/shorten.h>

#include <stdlib.h>
#include <string.h>

enum {
	/** Columns of the longest mark: its words, and the digits of any length that fits memory
	 * (the wire and the files that are read end far below). */
	WIDEST_MARK = 26,
};

static const char mark_opens[] = "\\{";
static const char mark_says[] = "-bytes-left-out}";

/** What is not cut in two: a character, an escape, a mark that stands there already. */
struct piece {
	/** In the text; at least 1. */
	size_t len;
	/** On the terminal, and for the limit: at least 1 there. */
	size_t columns, counted;
	/** Of the name before it was escaped. */
	size_t bytes;
};

static int hex_digit(char c) {
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/** How many bytes a character has in UTF-8. */
static size_t utf8_bytes(uint32_t c) {
	return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

/** Behind `\u{`: its digits and the brace. 0 where it is not such an escape. */
static size_t read_code(const char *s, size_t n, size_t *bytes) {
	uint32_t c = 0;
	size_t len = 3;
	for (; len < n && len < 9 && hex_digit(s[len]) >= 0; len++) {
		c = c << 4 | (uint32_t)hex_digit(s[len]);
	}
	*bytes = utf8_bytes(c);
	return len > 3 && len < n && s[len] == '}' ? len + 1 : 0;
}

/** Behind `\{`: a number and the words. 0 where it is no mark. */
static size_t read_mark(const char *s, size_t n, size_t *bytes) {
	size_t len = sizeof(mark_opens) - 1;
	size_t words = sizeof(mark_says) - 1;
	*bytes = 0;
	for (; len < n && len < WIDEST_MARK && s[len] >= '0' && s[len] <= '9'; len++) {
		*bytes = *bytes * 10 + (size_t)(s[len] - '0');
	}
	return n - len >= words && !strncmp(s + len, mark_says, words) ? len + words : 0;
}

/** The escape that a backslash begins; one that is none is a character. */
static struct piece read_escape(const char *s, size_t n) {
	size_t bytes = 1;
	size_t len = 0;
	if (n >= 4 && s[1] == 'x') {
		len = 4;
	} else if (n >= 3 && !strncmp(s, "\\u{", 3)) {
		len = read_code(s, n, &bytes);
	} else if (n >= 2 && s[1] == '{') {
		len = read_mark(s, n, &bytes);
	} else if (n >= 2 && s[1] == '\\') {
		len = 2;
	}
	if (!len) {
		return (struct piece){1, 1, 1, 1};
	}
	return (struct piece){len, len, len, bytes};
}

static struct piece read_piece(struct br_ruler *ruler, const char *s, size_t n) {
	if (*s == '\\') {
		return read_escape(s, n);
	}
	uint32_t c = 0;
	size_t len = br_utf8_next(s, n, &c);
	size_t columns = len ? br_ruler_columns(ruler, c) : 1;
	len = len ? len : 1;
	return (struct piece){len, columns, columns ? columns : 1, len};
}

static size_t counted_columns(struct br_ruler *ruler, const char *s, size_t n) {
	size_t columns = 0;
	for (size_t at = 0; at < n;) {
		struct piece piece = read_piece(ruler, s + at, n - at);
		columns += piece.counted;
		at += piece.len;
	}
	return columns;
}

/** Both ends, `kept` columns at most of each, and the mark. */
static void cut_middle(
	struct br_buf *buf, struct br_ruler *ruler, const char *s, size_t n, size_t kept) {
	size_t total = counted_columns(ruler, s, n);
	size_t before = 0;
	size_t head = 0;
	size_t bytes = 0;
	size_t at = 0;
	while (at < n) {
		struct piece piece = read_piece(ruler, s + at, n - at);
		// An accent alone would sit on the mark.
		if (before >= total - kept && piece.columns) {
			break;
		}
		if (head == at && before + piece.counted <= kept) {
			head = at + piece.len;
		} else {
			bytes += piece.bytes;
		}
		before += piece.counted;
		at += piece.len;
	}
	br_buf_addn(buf, s, head);
	br_buf_addf(buf, "%s%zu%s", mark_opens, bytes, mark_says);
	br_buf_addn(buf, s + at, n - at);
}

/** Append at most that many columns. */
static void shorten(struct br_buf *buf, const char *s, size_t n, size_t longest) {
	struct br_ruler ruler = {0};
	// No piece has more columns than bytes.
	if (n <= longest || counted_columns(&ruler, s, n) <= longest) {
		br_buf_addn(buf, s, n);
	} else {
		cut_middle(buf, &ruler, s, n, (longest - WIDEST_MARK) / 2);
	}
	br_ruler_release(&ruler);
}

void br_buf_shorten(struct br_buf *buf, const char *shown, size_t n) {
	shorten(buf, shown, n, BR_LONGEST_NAME);
}

static bool is_one_of(char c, const char *set) {
	return c && strchr(set, c);
}

/** Bytes between the quotation mark at s and the one that closes it, which stands at the end of a
 * word; n where none does. */
static size_t quoted_bytes(const char *s, size_t n) {
	for (size_t i = 1; i < n; i++) {
		if (s[i] == '\'' && (i + 1 == n || is_one_of(s[i + 1], " ,.:;)?!"))) {
			return i - 1;
		}
	}
	return n;
}

/** Up to the next blank. */
static size_t word_bytes(const char *s, size_t n) {
	const char *blank = memchr(s, ' ', n);
	return blank ? (size_t)(blank - s) : n;
}

static void shorten_each(struct br_buf *buf, const char *s, size_t n) {
	bool closed = true;
	for (size_t at = 0; at < n;) {
		size_t len = 0;
		if (s[at] == ' ' || s[at] == '(') {
			br_buf_addc(buf, s[at++]);
			continue;
		}
		if (s[at] == '\'' && closed) {
			len = quoted_bytes(s + at, n - at);
			// One that nothing closes is looked for once only.
			closed = len < n - at;
		}
		if (len && closed) {
			br_buf_addc(buf, '\'');
			shorten(buf, s + at + 1, len, BR_LONGEST_NAME);
			br_buf_addc(buf, '\'');
			at += len + 2;
			continue;
		}
		size_t word = word_bytes(s + at, n - at);
		// The sentence's own, behind a name.
		len = word;
		while (len > 1 && is_one_of(s[at + len - 1], ",:;)")) {
			len--;
		}
		shorten(buf, s + at, len, BR_LONGEST_NAME);
		br_buf_addn(buf, s + at + len, word - len);
		at += word;
	}
}

void br_buf_shorten_words(struct br_buf *buf, const char *shown, size_t n) {
	if (n <= BR_LONGEST_NAME) {
		br_buf_addn(buf, shown, n);
		return;
	}
	struct br_buf each = {0};
	shorten_each(&each, shown, n);
	if (each.failed) {
		buf->failed = true;
	} else {
		shorten(buf, each.s, each.n, BR_LONGEST_SENTENCE);
	}
	br_buf_release(&each);
}

void br_buf_name(struct br_buf *buf, const char *s) {
	struct br_buf shown = {0};
	br_buf_escape(&shown, s, strlen(s));
	if (shown.failed) {
		buf->failed = true;
	} else if (shown.n) {
		br_buf_shorten(buf, shown.s, shown.n);
	}
	br_buf_release(&shown);
}
