#include <base/own.h>
#include <base/text.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

void br_buf_release(struct br_buf *buf) {
	free(buf->s);
	*buf = (struct br_buf){0};
}

char *br_buf_take(struct br_buf *buf) {
	br_buf_addn(buf, "", 0);
	char *out = buf->s;
	if (buf->failed) {
		free(out);
		out = NULL;
	}
	*buf = (struct br_buf){0};
	if (!out) {
		errno = ENOMEM;
	}
	return out;
}

/** Room for n more bytes and the NUL. */
static bool reserve(struct br_buf *buf, size_t n) {
	if (buf->failed || n > SIZE_MAX / 4 || buf->n > SIZE_MAX / 4) {
		buf->failed = true;
		return false;
	}
	size_t need = buf->n + n + 1;
	if (need <= buf->cap) {
		return true;
	}
	size_t cap = buf->cap < 32 ? 64 : buf->cap * 2;
	cap = cap < need ? need : cap;
	char *grown = realloc(buf->s, cap);
	if (!grown) {
		buf->failed = true;
		return false;
	}
	buf->s = grown;
	buf->cap = cap;
	return true;
}

void br_buf_addn(struct br_buf *buf, const char *s, size_t n) {
	if (!reserve(buf, n)) {
		return;
	}
	if (n) {
		memcpy(buf->s + buf->n, s, n);
	}
	buf->n += n;
	buf->s[buf->n] = '\0';
}

void br_buf_add(struct br_buf *buf, const char *s) {
	br_buf_addn(buf, s, strlen(s));
}

void br_buf_addc(struct br_buf *buf, char c) {
	br_buf_addn(buf, &c, 1);
}

void br_buf_addf(struct br_buf *buf, const char *format, ...) {
	va_list args;
	va_start(args, format);
	char *s = NULL;
	int n = vasprintf(&s, format, args);
	va_end(args);
	if (n < 0) {
		buf->failed = true;
		return;
	}
	br_buf_addn(buf, s, (size_t)n);
	free(s);
}

/** How many bytes the character has that begins with this byte, and its part of the code point; 0
 * for no such byte. */
static size_t lead_byte(unsigned char lead, uint32_t *bits) {
	if (lead < 0x80) {
		*bits = lead;
		return 1;
	}
	// 0xc0 and 0xc1 could only begin overlong forms, 0xf5 and above lie beyond U+10FFFF.
	if (lead < 0xc2 || lead > 0xf4) {
		return 0;
	}
	size_t len = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	*bits = lead & (0x7fU >> len);
	return len;
}

size_t br_utf8_next(const char *s, size_t n, uint32_t *c) {
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t bits = 0;
	size_t len = n ? lead_byte((unsigned char)s[0], &bits) : 0;
	if (!len || len > n) {
		return 0;
	}
	for (size_t i = 1; i < len; i++) {
		unsigned char byte = (unsigned char)s[i];
		if ((byte & 0xc0) != 0x80) {
			return 0;
		}
		bits = bits << 6 | (byte & 0x3f);
	}
	bool surrogate = bits >= 0xd800 && bits <= 0xdfff;
	if (bits < smallest[len] || bits > 0x10ffff || surrogate) {
		return 0;
	}
	*c = bits;
	return len;
}

bool br_is_utf8(const char *s, size_t n) {
	uint32_t c = 0;
	size_t len = 0;
	for (size_t i = 0; i < n; i += len) {
		len = br_utf8_next(s + i, n - i, &c);
		if (!len) {
			return false;
		}
	}
	return true;
}

bool br_is_hidden(uint32_t c) {
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{0x0000, 0x001f}, // C0
		{0x007f, 0x009f}, // DEL, C1
		{0x00ad, 0x00ad}, // soft hyphen
		{0x034f, 0x034f}, // combining grapheme joiner
		{0x061c, 0x061c}, // Arabic letter mark
		{0x115f, 0x1160}, // Hangul fillers
		{0x17b4, 0x17b5}, // Khmer inherent vowels
		{0x180b, 0x180f}, // Mongolian selectors and separator
		{0x200b, 0x200f}, // zero width, directional marks
		{0x2028, 0x202e}, // separators, embeddings, overrides
		{0x2060, 0x206f}, // word joiner, invisible operators, isolates
		{0x3164, 0x3164}, // Hangul filler
		{0xfeff, 0xfeff}, // byte order mark
		{0xffa0, 0xffa0}, // half width Hangul filler
		{0xfff9, 0xfffb}, // interlinear annotation
		{0xe0000, 0xe0fff}, // tags, selectors
	};
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (c >= hidden[i].first && c <= hidden[i].last) {
			return true;
		}
	}
	return false;
}

void br_buf_escape(struct br_buf *buf, const char *s, size_t n) {
	size_t len = 0;
	for (size_t i = 0; i < n; i += len) {
		uint32_t c = 0;
		len = br_utf8_next(s + i, n - i, &c);
		if (!len || (len == 1 && br_is_hidden(c))) {
			br_buf_addf(buf, "\\x%02x", (unsigned char)s[i]);
			len = 1;
		} else if (br_is_hidden(c)) {
			br_buf_addf(buf, "\\u{%04x}", c);
		} else if (c == '\\') {
			br_buf_add(buf, "\\\\");
		} else {
			br_buf_addn(buf, s + i, len);
		}
	}
}

char *br_escape(struct br_arena *arena, const char *s) {
	struct br_buf buf = {0};
	br_buf_escape(&buf, s, strlen(s));
	br_auto(br_freep) char *text = br_buf_take(&buf);
	return text ? br_strdup(arena, text) : NULL;
}

/** Whether a shell takes this byte as it is, anywhere in a word. */
static bool is_plain(char c) {
	bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
	return alnum || (c && strchr("_@%+=:,./-", c));
}

bool br_has_hidden(const char *s, size_t n) {
	size_t len = 0;
	for (size_t i = 0; i < n; i += len) {
		uint32_t c = 0;
		len = br_utf8_next(s + i, n - i, &c);
		if (!len || br_is_hidden(c)) {
			return true;
		}
	}
	return false;
}

bool br_is_typable(const char *s) {
	size_t n = strlen(s);
	size_t len = 0;
	for (size_t i = 0; i < n; i += len) {
		uint32_t c = 0;
		len = br_utf8_next(s + i, n - i, &c);
		if (len && br_is_hidden(c)) {
			return false;
		}
		len = len ? len : 1;
	}
	return true;
}

/** One character inside $'...'; octal because, unlike \x, it ends after three digits in every
 * shell. */
static void add_dollar_quoted(struct br_buf *buf, const char *s, size_t len, bool hidden) {
	if (hidden) {
		for (size_t i = 0; i < len; i++) {
			br_buf_addf(buf, "\\%03o", (unsigned char)s[i]);
		}
	} else {
		br_buf_addn(buf, s, len);
	}
}

void br_buf_shell(struct br_buf *buf, const char *s) {
	size_t n = strlen(s);
	size_t plain = 0;
	while (is_plain(s[plain])) {
		plain++;
	}
	// zsh replaces a word that begins with "=" by a command's path.
	if (n && plain == n && *s != '=') {
		br_buf_addn(buf, s, n);
		return;
	}
	bool dollar = br_has_hidden(s, n);
	br_buf_add(buf, dollar ? "$'" : "'");
	size_t len = 0;
	for (size_t i = 0; i < n; i += len) {
		uint32_t c = 0;
		len = br_utf8_next(s + i, n - i, &c);
		bool hidden = !len || br_is_hidden(c) || c == '\'' || c == '\\';
		len = len ? len : 1;
		if (dollar) {
			add_dollar_quoted(buf, s + i, len, hidden);
		} else if (c == '\'') {
			// Without a backslash: where one is shown as two, this still says the same.
			br_buf_add(buf, "'\"'\"'");
		} else {
			br_buf_addn(buf, s + i, len);
		}
	}
	br_buf_addc(buf, '\'');
}

void br_buf_base64(struct br_buf *buf, const void *bytes, size_t n) {
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = bytes;
	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t bits = (uint32_t)in[i] << 16;
		bits |= have > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		bits |= have > 2 ? in[i + 2] : 0;
		char out[4] = {
			digits[bits >> 18],
			digits[bits >> 12 & 63],
			have > 1 ? digits[bits >> 6 & 63] : '=',
			have > 2 ? digits[bits & 63] : '=',
		};
		br_buf_addn(buf, out, sizeof(out));
	}
}

size_t br_ruler_columns(struct br_ruler *ruler, uint32_t c) {
	if (c < 0x80) {
		return 1;
	}
	// Loaded only for who needs it; where there is none every character counts as one column.
	if (!ruler->utf8) {
		ruler->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
		ruler->before = ruler->utf8 ? uselocale(ruler->utf8) : (locale_t)0;
	}
	int columns = ruler->utf8 ? wcwidth((wchar_t)c) : 1;
	return columns < 0 ? 1 : (size_t)columns;
}

void br_ruler_release(struct br_ruler *ruler) {
	if (ruler->utf8) {
		(void)uselocale(ruler->before);
		freelocale(ruler->utf8);
	}
	*ruler = (struct br_ruler){0};
}

size_t br_columns(const char *s, size_t n) {
	struct br_ruler ruler = {0};
	size_t columns = 0;
	size_t len = 0;
	for (size_t i = 0; i < n; i += len) {
		uint32_t c = 0;
		len = br_utf8_next(s + i, n - i, &c);
		columns += len ? br_ruler_columns(&ruler, c) : 1;
		len = len ? len : 1;
	}
	br_ruler_release(&ruler);
	return columns;
}

int br_parse_u64(const char *s, uint64_t max, uint64_t *out) {
	uint64_t value = 0;
	bool over = false;
	if (!*s || (s[0] == '0' && s[1])) {
		errno = EINVAL;
		return -1;
	}
	for (; *s; s++) {
		if (*s < '0' || *s > '9') {
			errno = EINVAL;
			return -1;
		}
		over = over || __builtin_mul_overflow(value, 10U, &value)
			|| __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value);
	}
	if (over || value > max) {
		errno = ERANGE;
		return -1;
	}
	*out = value;
	return 0;
}

int br_parse_u32(const char *s, uint32_t max, uint32_t *out) {
	uint64_t value = 0;
	if (br_parse_u64(s, max, &value)) {
		return -1;
	}
	*out = (uint32_t)value;
	return 0;
}

enum {
	LONGEST_WORD = 64
};

static unsigned char folded(char c) {
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static size_t least(size_t a, size_t b) {
	return a < b ? a : b;
}

/** Optimal string alignment distance: insert, delete, replace, swap two neighbours. Both at most
 * LONGEST_WORD long. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb) {
	size_t rows[3][LONGEST_WORD + 1];
	size_t *before = rows[0];
	size_t *last = rows[1];
	size_t *row = rows[2];
	for (size_t j = 0; j <= nb; j++) {
		row[j] = last[j] = before[j] = j;
	}
	for (size_t i = 1; i <= na; i++) {
		size_t *free_row = before;
		before = last;
		last = row;
		row = free_row;
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t differ = folded(a[i - 1]) != folded(b[j - 1]);
			size_t d = least(last[j] + 1, row[j - 1] + 1);
			d = least(d, last[j - 1] + differ);
			if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2])
				&& folded(a[i - 2]) == folded(b[j - 1])) {
				d = least(d, before[j - 2] + 1);
			}
			row[j] = d;
		}
	}
	return row[nb];
}

const char *br_nearest(const char *word, const char *const *names) {
	size_t n = strlen(word);
	const char *nearest = NULL;
	// A word of one letter that became another letter is not a slip of that word.
	size_t best = n / 3 ? n / 3 : n > 1;
	if (n > LONGEST_WORD) {
		return NULL;
	}
	for (; *names; names++) {
		size_t len = strlen(*names);
		if (len > LONGEST_WORD) {
			continue;
		}
		size_t d = distance(word, n, *names, len);
		if (d < best || (d == best && !nearest)) {
			best = d;
			nearest = *names;
		}
	}
	return nearest;
}

/** Bytes of the character that begins s; an invalid byte is one of its own. Not for the end of a
 * string. */
static size_t char_at(const char *s, uint32_t *c) {
	size_t len = br_utf8_next(s, strnlen(s, 4), c);
	if (!len) {
		*c = 0x110000U + (unsigned char)*s;
		return 1;
	}
	return len;
}

/** One member of a bracket expression at *p; steps over it. */
static uint32_t bracket_char(const char **p) {
	uint32_t c = 0;
	if (**p == '\\' && (*p)[1]) {
		(*p)++;
	}
	*p += char_at(*p, &c);
	return c;
}

/** The character c against the bracket expression that *p opens: 1, 0, or -1 where it is not one;
 * *p steps over it. */
static int match_bracket(const char **p, uint32_t c) {
	const char *at = *p + 1;
	bool negated = *at == '!' || *at == '^';
	bool found = false;
	at += negated;
	for (const char *first = at; *at != ']' || at == first;) {
		if (!*at) {
			return -1;
		}
		uint32_t low = bracket_char(&at);
		uint32_t high = low;
		if (at[0] == '-' && at[1] && at[1] != ']') {
			at++;
			high = bracket_char(&at);
		}
		found = found || (c >= low && c <= high);
	}
	*p = at + 1;
	return found != negated;
}

/** The next thing of the pattern that is no star against the next character; both step on where
 * they match. */
static bool match_one(const char **pattern, const char **path) {
	const char *p = *pattern;
	uint32_t c = 0;
	if (!**path || !*p) {
		return false;
	}
	size_t len = char_at(*path, &c);
	bool same = false;
	int bracket = *p == '[' && c != '/' ? match_bracket(&p, c) : -1;
	if (bracket >= 0) {
		same = bracket == 1;
	} else if (*p == '?') {
		same = c != '/';
		p++;
	} else {
		p += *p == '\\' && p[1];
		same = !strncmp(p, *path, len);
		p += len;
	}
	if (same) {
		*pattern = p;
		*path += len;
	}
	return same;
}

/** Where to go on when what came after the last star does not match. */
struct retry {
	/** The pattern behind the star; NULL where there was none. */
	const char *pattern;
	/** What the star has not yet taken. */
	const char *path;
	/** It stands between slashes and takes whole components only. */
	bool whole;
};

/** Let the star take one more character, or component. False at its end. */
static bool take_more(struct retry *star, bool cross) {
	if (!star->pattern || !*star->path || (!cross && *star->path == '/')) {
		return false;
	}
	if (!star->whole) {
		star->path++;
		return true;
	}
	const char *slash = strchr(star->path, '/');
	star->path = slash ? slash + 1 : star->path + strlen(star->path);
	return slash;
}

/** Step over the stars that p begins with; the path's place is kept to come back to. */
static const char *open_star(
	const char *start, const char *p, const char *path, struct retry stars[2]) {
	bool cross = p[1] == '*';
	const char *behind = p + strspn(p, "*");
	bool whole = cross && (p == start || p[-1] == '/') && *behind == '/';
	behind += whole;
	stars[cross] = (struct retry){behind, path, whole};
	if (cross) {
		// What a star before it could still have taken, this one takes too.
		stars[0] = (struct retry){0};
	}
	return behind;
}

bool br_glob(const char *pattern, const char *path) {
	// [0] is the last star, [1] the last double one. Going back to the last ones only is
	// enough: the earliest match of what lies between two stars leaves the most to the later
	// one. So this is never exponential.
	struct retry stars[2] = {0};
	const char *p = pattern;
	const char *s = path;
	while (*s || *p) {
		if (*p == '*') {
			p = open_star(pattern, p, s, stars);
			continue;
		}
		if (match_one(&p, &s)) {
			continue;
		}
		bool cross = !take_more(&stars[0], false);
		if (cross && !take_more(&stars[1], true)) {
			return false;
		}
		if (cross) {
			stars[0] = (struct retry){0};
		}
		p = stars[cross].pattern;
		s = stars[cross].path;
	}
	return true;
}

void br_path_clean(char *path) {
	char *to = path;
	for (const char *from = path; *from;) {
		from += strspn(from, "/");
		size_t n = strcspn(from, "/");
		if (n == 2 && !strncmp(from, "..", 2)) {
			while (to > path && *--to != '/') {
			}
		} else if (n && !(n == 1 && *from == '.')) {
			*to++ = '/';
			memmove(to, from, n);
			to += n;
		}
		from += n;
	}
	if (to == path) {
		*to++ = '/';
	}
	*to = 0;
}
