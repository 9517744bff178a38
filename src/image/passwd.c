/**
 * The image's passwd and group files as the engines read them (moby/sys/user, user.go): every line
 * that is not blank is an entry, whatever it lacks.
 */
#include "parts.h"

#include <base/text.h>

#include <errno.h>
#include <string.h>

enum {
	/** More than this of a file, and more lines, is refused. */
	BYTES = 1 << 20,
	LINES = 10000,
	/** The engine's line reader gives up at a line that does not fit into its buffer with the
	 * line end. */
	PASSWD_LINE = (64 << 10) - 1,
	GROUP_LINE = (1 << 20) - 1,
	/** name:password:uid:gid:comment:home, and name:password:gid:members. */
	FIELDS = 6,
};

static const uint32_t largest_id = INT32_MAX;

/** A stretch of the file. */
struct slice {
	const char *s;
	size_t n;
};

/** White space to Go's unicode.IsSpace. */
static bool is_space(uint32_t c) {
	return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680
		|| (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f
		|| c == 0x205f || c == 0x3000;
}

/** Bytes of the white space that n bytes begin with, or 0. */
static size_t leading_space(const char *s, size_t n) {
	uint32_t c = 0;
	size_t length = br_utf8_next(s, n, &c);
	return length && is_space(c) ? length : 0;
}

/** The same of the end; white space has at most three bytes. */
static size_t trailing_space(const char *s, size_t n) {
	for (size_t k = 1; k <= 3 && k <= n; k++) {
		if (leading_space(s + n - k, k) == k) {
			return k;
		}
	}
	return 0;
}

static struct slice trim(struct slice line) {
	for (size_t k; (k = leading_space(line.s, line.n));) {
		line.s += k;
		line.n -= k;
	}
	for (size_t k; (k = trailing_space(line.s, line.n));) {
		line.n -= k;
	}
	return line;
}

/** Take what stands before the next `mark`, and the mark, off the rest; false when there is no rest
 * (s is NULL then). */
static bool cut(struct slice *rest, char mark, struct slice *out) {
	if (!rest->s) {
		return false;
	}
	const char *at = memchr(rest->s, mark, rest->n);
	*out = (struct slice){rest->s, at ? (size_t)(at - rest->s) : rest->n};
	*rest = at ? (struct slice){at + 1, rest->n - out->n - 1} : (struct slice){0};
	return true;
}

/**
 * A number as Go's Atoi reads it whose error nobody looks at: 0 where it is none, the nearest
 * 64-bit number where it is larger than any; the engine then keeps the low 32 bits (*wraps: they
 * are not all of it). False where it is not what somebody meant: none, or outside of an ID's range.
 */
static bool read_id(struct slice field, uint32_t *out, bool *wraps) {
	bool negative = field.n && *field.s == '-';
	size_t i = field.n && strchr("+-", *field.s) && *field.s ? 1 : 0;
	uint64_t most = negative ? UINT64_C(1) << 63 : INT64_MAX;
	uint64_t value = 0;
	*out = 0;
	*wraps = false;
	if (i == field.n) {
		return false;
	}
	for (; i < field.n; i++) {
		unsigned digit = (unsigned char)field.s[i] - (unsigned)'0';
		if (digit > 9) {
			return false;
		}
		value = value > (most - digit) / 10 ? most : value * 10 + digit;
	}
	*out = (uint32_t)(negative ? -value : value);
	*wraps = negative ? value > 0 : value > UINT32_MAX;
	return value <= (negative ? 0 : largest_id);
}

/**
 * A copy as a string. A zero byte becomes a line end, which no word of a user is equal to: the
 * entry stays, because it is found by its number, and its name is not mistaken for the part before
 * the zero.
 */
static const char *copy(struct br_arena *arena, struct slice s) {
	char *out = br_strndup(arena, s.s ? s.s : "", s.n);
	for (size_t i = 0; out && i < s.n; i++) {
		out[i] = out[i] ? out[i] : '\n';
	}
	return out;
}

/** The next line that is not blank, trimmed. 1, 0 at the end, -1 with errno. */
static int next_line(struct slice *rest, size_t longest, size_t *count, struct slice *out) {
	while (cut(rest, '\n', out) && (out->n || rest->s)) {
		if (out->n > longest || ++*count > LINES) {
			errno = out->n > longest ? EMSGSIZE : EFBIG;
			return -1;
		}
		*out = trim(*out);
		if (out->n) {
			return 1;
		}
	}
	return 0;
}

/** The first fields; what is missing has s NULL. */
static void split(struct slice line, struct slice *fields) {
	for (size_t i = 0; i < FIELDS; i++) {
		fields[i] = (struct slice){0};
		(void)cut(&line, ':', &fields[i]); // the rest lacks
	}
}

static int begin(const char *bytes, size_t n, struct slice *rest) {
	*rest = (struct slice){n ? bytes : NULL, n};
	errno = EFBIG;
	return n > BYTES ? -1 : 0;
}

int passwd_parse(struct br_arena *arena, const char *bytes, size_t n,
	const struct br_image_user **users, size_t *nusers) {
	br_vec(struct br_image_user) all = {0};
	struct slice rest;
	struct slice line;
	struct slice fields[FIELDS];
	size_t lines = 0;
	int more = begin(bytes, n, &rest);
	while (!more && (more = next_line(&rest, PASSWD_LINE, &lines, &line)) > 0) {
		split(line, fields);
		struct br_image_user user = {.name = copy(arena, fields[0])};
		bool gid_wraps = false; // a primary group is found by its line alone
		bool has_uid = read_id(fields[2], &user.uid, &user.wraps);
		bool has_gid = read_id(fields[3], &user.gid, &gid_wraps);
		user.malformed = !has_uid || !has_gid;
		user.home = fields[5].n ? copy(arena, fields[5]) : NULL;
		more = !user.name || (fields[5].n && !user.home) || br_vec_push(arena, &all, user)
			? -1
			: 0;
	}
	*users = all.v;
	*nusers = all.n;
	return more;
}

/** The names between commas, as they stand. Empty ones name nobody. */
static const char *const *read_members(struct br_arena *arena, struct slice field) {
	br_vec(const char *) names = {0};
	struct slice name;
	while (cut(&field, ',', &name)) {
		const char *s = name.n ? copy(arena, name) : "";
		if (!s || (*s && br_vec_push(arena, &names, s))) {
			return NULL;
		}
	}
	return br_vec_push(arena, &names, NULL) ? NULL : names.v;
}

int group_parse(struct br_arena *arena, const char *bytes, size_t n,
	const struct br_image_group **groups, size_t *ngroups) {
	br_vec(struct br_image_group) all = {0};
	struct slice rest;
	struct slice line;
	struct slice fields[FIELDS];
	size_t lines = 0;
	int more = begin(bytes, n, &rest);
	while (!more && (more = next_line(&rest, GROUP_LINE, &lines, &line)) > 0) {
		more = 0;
		if (*line.s == '#') {
			continue; // a comment here, an entry in passwd
		}
		split(line, fields);
		struct br_image_group group = {
			.name = copy(arena, fields[0]),
			.members = read_members(arena, fields[3]),
		};
		group.malformed = !read_id(fields[2], &group.gid, &group.wraps);
		more = !group.name || !group.members || br_vec_push(arena, &all, group) ? -1 : 0;
	}
	*groups = all.v;
	*ngroups = all.n;
	return more;
}
