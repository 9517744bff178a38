#include "query.h"

#include <base/text.h>
#include <bindright/explain.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/** Where in the line the reader is; `end` is behind the last byte. */
struct cursor {
	const char *at, *end, *begin;
	struct query *query;
};

static int fail(struct cursor *c, const char *format, ...) BR_PRINTF(2, 3);

static int fail(struct cursor *c, const char *format, ...) {
	char clause[120];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(clause, sizeof(clause), format, args);
	va_end(args);
	(void)snprintf(c->query->error, sizeof(c->query->error), "%s at byte %zu", clause,
		(size_t)(c->at - c->begin) + 1);
	return -1;
}

static void skip_blanks(struct cursor *c) {
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\r')) {
		c->at++;
	}
}

/** Whether this byte comes next; it is passed. */
static bool take(struct cursor *c, char byte) {
	skip_blanks(c);
	if (c->at < c->end && *c->at == byte) {
		c->at++;
		return true;
	}
	return false;
}

static int expect(struct cursor *c, char byte) {
	return take(c, byte) ? 0 : fail(c, "expected '%c'", byte);
}

/** Apart, because a quotation mark in the answer would have to be escaped. */
static int expect_quote(struct cursor *c, const char *what) {
	return take(c, '"') ? 0 : fail(c, "%s", what);
}

static int hex4(struct cursor *c, uint32_t *out) {
	*out = 0;
	for (unsigned i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdefABCDEF";
		const char *digit = c->at < c->end && *c->at ? strchr(digits, *c->at) : NULL;
		if (!digit) {
			return fail(c, "expected four hexadecimal digits");
		}
		uint32_t value = (uint32_t)(digit - digits);
		*out = *out << 4 | (value > 15 ? value - 6 : value);
		c->at++;
	}
	return 0;
}

static size_t encode(uint32_t x, char out[4]) {
	if (x < 0x80) {
		out[0] = (char)x;
		return 1;
	}
	size_t n = x < 0x800 ? 2 : x < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, x >>= 6) {
		out[i] = (char)(0x80 | (x & 0x3f));
	}
	out[0] = (char)((0xf00U >> n & 0xf0U) | x);
	return n;
}

/** Behind "\u": one character, which may take a second escape. */
static int unicode(struct cursor *c, char out[4], size_t *n) {
	uint32_t x;
	uint32_t low;
	if (hex4(c, &x)) {
		return -1;
	}
	if (x >= 0xd800 && x < 0xdc00) {
		if (c->end - c->at < 2 || c->at[0] != '\\' || c->at[1] != 'u') {
			return fail(c, "half a surrogate pair");
		}
		c->at += 2;
		if (hex4(c, &low)) {
			return -1;
		}
		if (low < 0xdc00 || low > 0xdfff) {
			return fail(c, "half a surrogate pair");
		}
		x = 0x10000 + ((x - 0xd800) << 10) + (low - 0xdc00);
	}
	if (x == 0 || (x >= 0xdc00 && x < 0xe000)) {
		return fail(c, x ? "half a surrogate pair" : "a zero byte in a string");
	}
	*n = encode(x, out);
	return 0;
}

static int escape(struct cursor *c, char out[4], size_t *n) {
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	char name = c->at < c->end ? *c->at : '\0';
	const char *found = name ? strchr(names, name) : NULL;
	if (name == 'u') {
		c->at++;
		return unicode(c, out, n);
	}
	if (!found) {
		return fail(c, "an unknown escape");
	}
	c->at++;
	out[0] = values[found - names];
	*n = 1;
	return 0;
}

/** A string of less than `size` bytes. Bytes that are not UTF-8 stay as they are: paths are bytes. */
static int string(struct cursor *c, char *out, size_t size) {
	size_t n = 0;
	if (expect_quote(c, "expected a string")) {
		return -1;
	}
	while (c->at < c->end && *c->at != '"') {
		char bytes[4] = {*c->at++};
		size_t more = 1;
		if ((unsigned char)bytes[0] < ' ') {
			c->at--;
			return fail(c, "a control character in a string");
		}
		if (bytes[0] == '\\' && escape(c, bytes, &more)) {
			return -1;
		}
		if (n + more >= size) {
			return fail(c, "a string of more than %zu bytes", size - 1);
		}
		memcpy(out + n, bytes, more);
		n += more;
	}
	out[n] = '\0';
	return expect_quote(c, "a string without an end");
}

static int number(struct cursor *c, uint32_t *out) {
	uint64_t n = 0;
	skip_blanks(c);
	const char *first = c->at;
	while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && c->at - first < 11) {
		n = n * 10 + (uint64_t)(*c->at++ - '0');
	}
	bool zeros = c->at - first > 1 && *first == '0';
	bool goes_on = c->at < c->end && *c->at && strchr(".eE0123456789", *c->at);
	if (c->at == first || zeros || goes_on || n > UINT32_MAX) {
		c->at = first;
		return fail(c, "expected a whole number from 0 to 4294967295");
	}
	*out = (uint32_t)n;
	return 0;
}

static int read_id(struct cursor *c, uint32_t *out) {
	if (number(c, out)) {
		return -1;
	}
	return *out == BR_NO_ID ? fail(c, "%u is no ID", *out) : 0;
}

static int boolean(struct cursor *c, bool *out) {
	skip_blanks(c);
	size_t left = (size_t)(c->end - c->at);
	*out = left >= 4 && strncmp(c->at, "true", 4) == 0;
	if (!*out && (left < 5 || strncmp(c->at, "false", 5) != 0)) {
		return fail(c, "expected true or false");
	}
	c->at += *out ? 4 : 5;
	return 0;
}

/** "[", items read by `item`, "]". */
static int list(struct cursor *c, int (*item)(struct cursor *c)) {
	if (expect(c, '[')) {
		return -1;
	}
	if (take(c, ']')) {
		return 0;
	}
	do {
		if (item(c)) {
			return -1;
		}
	} while (take(c, ','));
	return expect(c, ']');
}

static int read_group(struct cursor *c) {
	struct query *query = c->query;
	if (query->ngroups == QUERY_GROUPS) {
		return fail(c, "more than %d groups", QUERY_GROUPS);
	}
	return read_id(c, &query->groups[query->ngroups++]);
}

static int read_capability(struct cursor *c) {
	char name[64];
	if (string(c, name, sizeof(name))) {
		return -1;
	}
	int cap = br_cap_number(name);
	if (cap < 0) {
		return fail(c, "an unknown capability");
	}
	c->query->caps |= UINT64_C(1) << (unsigned)cap;
	return 0;
}

static int read_extent(struct cursor *c, struct query_map *map) {
	if (map->n == QUERY_EXTENTS) {
		return fail(c, "a map of more than %d lines", QUERY_EXTENTS);
	}
	struct br_idmap_extent *extent = &map->extents[map->n++];
	return expect(c, '[') || number(c, &extent->box) || expect(c, ',')
			|| number(c, &extent->host) || expect(c, ',') || number(c, &extent->count)
			|| expect(c, ']')
		? -1
		: 0;
}

static int read_uid_extent(struct cursor *c) {
	return read_extent(c, &c->query->uids);
}

static int read_gid_extent(struct cursor *c) {
	return read_extent(c, &c->query->gids);
}

static int read_path(struct cursor *c) {
	c->query->has_path = true;
	if (string(c, c->query->path, sizeof(c->query->path))) {
		return -1;
	}
	return c->query->path[0] == '/' ? 0 : fail(c, "the path is not absolute");
}

static int read_uid(struct cursor *c) {
	c->query->has_uid = true;
	return read_id(c, &c->query->uid.v);
}

static int read_gid(struct cursor *c) {
	c->query->has_gid = true;
	return read_id(c, &c->query->gid.v);
}

static int read_groups(struct cursor *c) {
	return list(c, read_group);
}

static int read_capabilities(struct cursor *c) {
	return list(c, read_capability);
}

static int check_map(struct cursor *c, struct query_map *map) {
	size_t bad;
	struct br_idmap view = {map->extents, map->n};
	map->given = true;
	return br_idmap_valid(&view, &bad) ? 0
					   : fail(c, "line %zu of the map is not valid", bad + 1);
}

static int read_uid_map(struct cursor *c) {
	return list(c, read_uid_extent) ? -1 : check_map(c, &c->query->uids);
}

static int read_gid_map(struct cursor *c) {
	return list(c, read_gid_extent) ? -1 : check_map(c, &c->query->gids);
}

static int read_need(struct cursor *c) {
	char word[8];
	if (string(c, word, sizeof(word))) {
		return -1;
	}
	c->query->need = br_parse_need(word);
	return c->query->need ? 0 : fail(c, "the need is not made of r, w and x");
}

static int read_read_only(struct cursor *c) {
	return boolean(c, &c->query->read_only);
}

static int read_member(struct cursor *c, unsigned *seen) {
	static const struct {
		const char *key;
		int (*read)(struct cursor *c);
	} members[] = {
		{"path", read_path},
		{"uid", read_uid},
		{"gid", read_gid},
		{"groups", read_groups},
		{"capabilities", read_capabilities},
		{"uid_map", read_uid_map},
		{"gid_map", read_gid_map},
		{"need", read_need},
		{"read_only", read_read_only},
	};
	char key[16];
	if (string(c, key, sizeof(key))) {
		return -1;
	}
	for (unsigned i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (strcmp(key, members[i].key) != 0) {
			continue;
		}
		if (*seen & 1U << i) {
			return fail(c, "'%s' is there twice", key);
		}
		*seen |= 1U << i;
		return expect(c, ':') || members[i].read(c) ? -1 : 0;
	}
	return fail(c, "an unknown key");
}

static int read_members(struct cursor *c) {
	unsigned seen = 0;
	if (expect(c, '{')) {
		return -1;
	}
	if (take(c, '}')) {
		return 0;
	}
	do {
		if (read_member(c, &seen)) {
			return -1;
		}
	} while (take(c, ','));
	return expect(c, '}');
}

int query_read(struct query *query, const char *line, size_t n) {
	struct cursor c = {.at = line, .end = line + n, .begin = line, .query = query};
	query->has_path = query->has_uid = query->has_gid = query->read_only = false;
	query->gid.v = 0;
	query->ngroups = query->uids.n = query->gids.n = 0;
	query->uids.given = query->gids.given = false;
	query->caps = 0;
	query->need = 0;
	if (read_members(&c)) {
		return -1;
	}
	skip_blanks(&c);
	if (c.at < c.end) {
		return fail(&c, "something behind the object");
	}
	return !query->has_path ? fail(&c, "no path") : !query->has_uid ? fail(&c, "no uid") : 0;
}
