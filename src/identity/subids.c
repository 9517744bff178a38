#include "subids.h"

#include "hostdb.h"

#include <base/text.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** One line that is the user's. */
struct line {
	struct br_text word;
	uint32_t start;
	uint32_t count;
	bool by_number;
};

typedef br_vec(struct line) line_vec;

/** Reading one of the two files. */
struct reading {
	struct br_arena *arena;
	struct br_diags *dx;
	const struct subid_request *request;
	/** Its number among dx's places. */
	uint16_t text;
	const char *bytes;
	line_vec lines;
};

static struct br_text word_at(struct reading *r, const char *s, size_t n) {
	return (struct br_text){
		.s = br_strndup(r->arena, s, n),
		.at = {.text = r->text, .off = (uint32_t)(s - r->bytes), .len = (uint32_t)n},
	};
}

static bool is_blank(char c) {
	return c == ' ' || c == '\t' || c == '\r';
}

/** n characters of a field; as numbers the engines take leading zeros, too. */
static int read_number(struct reading *r, const char *s, size_t n, uint32_t *out) {
	struct br_text word = word_at(r, s, n);
	if (!word.s) {
		return br_error_memory(r->dx);
	}
	const char *digits = word.s + strspn(word.s, "0");
	if (br_parse_u32(*digits || !n ? digits : "0", BR_NO_ID - 1, out)) {
		return br_error(
			r->dx, word.at, "'%s' is no number from 0 to %u", word.s, BR_NO_ID - 1);
	}
	return 0;
}

static int add_line(struct reading *r, const char *s, size_t n, const size_t fields[3]) {
	struct line line = {.word = word_at(r, s, n)};
	char number[16];
	(void)snprintf(number, sizeof(number), "%u", r->request->uid); // it fits
	line.by_number = strlen(number) == fields[0] && memcmp(s, number, fields[0]) == 0;
	bool by_name = strlen(r->request->name) == fields[0]
		&& memcmp(s, r->request->name, fields[0]) == 0;
	if (!line.by_number && !by_name) {
		return 0;
	}
	const char *start = s + fields[0] + 1;
	const char *count = start + fields[1] + 1;
	if (read_number(r, start, fields[1], &line.start)
		|| read_number(r, count, fields[2], &line.count)) {
		return -1;
	}
	if (line.count == 0 || line.count > BR_NO_ID - line.start) {
		return br_error(r->dx, line.word.at,
			line.count ? "'%s' goes beyond the last ID" : "'%s' is a range of no IDs",
			line.word.s);
	}
	bool failed = !line.word.s || br_vec_push(r->arena, &r->lines, line);
	return failed ? br_error_memory(r->dx) : 0;
}

/** n bytes without the blanks round them. */
static int read_line(struct reading *r, const char *s, size_t n) {
	size_t fields[3] = {0};
	size_t nfields = 1;
	size_t from = 0;
	if (n == 0 || *s == '#') {
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (s[i] != ':') {
			continue;
		}
		if (nfields < 3) {
			fields[nfields - 1] = i - from;
		}
		nfields++;
		from = i + 1;
	}
	if (nfields != 3) {
		struct br_text word = word_at(r, s, n);
		(void)br_error(r->dx, word.at,
			"this line is not OWNER:START:COUNT, and the engine reads no file with such a line"); // -1
		return -1;
	}
	fields[2] = n - from;
	return add_line(r, s, n, fields);
}

static int read_lines(struct reading *r, size_t len) {
	for (size_t at = 0; at < len;) {
		const char *s = r->bytes + at;
		const char *end = memchr(s, '\n', len - at);
		size_t n = end ? (size_t)(end - s) : len - at;
		at += n + 1;
		while (n > 0 && is_blank(*s)) {
			s++;
			n--;
		}
		while (n > 0 && is_blank(s[n - 1])) {
			n--;
		}
		if (read_line(r, s, n)) {
			return -1;
		}
	}
	return 0;
}

static int by_start(const void *a, const void *b) {
	uint32_t x = ((const struct line *)a)->start;
	uint32_t y = ((const struct line *)b)->start;
	return (x > y) - (x < y);
}

/** Those that count, in their order. */
static void choose(struct reading *r) {
	bool numbers = false;
	size_t n = 0;
	if (!r->lines.v) {
		return;
	}
	if (r->request->merged) {
		if (r->lines.n > 1) {
			qsort(r->lines.v, r->lines.n, sizeof(*r->lines.v), by_start);
		}
		return;
	}
	for (size_t i = 0; i < r->lines.n; i++) {
		numbers |= r->lines.v[i].by_number;
	}
	for (size_t i = 0; i < r->lines.n; i++) {
		if (r->lines.v[i].by_number == numbers) {
			r->lines.v[n++] = r->lines.v[i];
		}
	}
	r->lines.n = n;
}

static int append(struct reading *r, struct subids *out) {
	uint64_t box = 0;
	if (out->extents.n > 0) {
		const struct br_idmap_extent *last = &out->extents.v[out->extents.n - 1];
		box = (uint64_t)last->box + last->count;
	}
	for (size_t i = 0; i < r->lines.n; i++) {
		const struct line *line = &r->lines.v[i];
		struct br_idmap_extent e = {(uint32_t)box, line->start, line->count};
		if (box + line->count > BR_NO_ID) {
			return br_error(r->dx, line->word.at,
				"with this range there are more IDs than a user namespace can have");
		}
		if (br_vec_push(r->arena, &out->extents, e)
			|| br_vec_push(r->arena, &out->words, line->word)) {
			return br_error_memory(r->dx);
		}
		box += line->count;
	}
	return r->lines.n > 0;
}

int subids_add(struct br_arena *arena, const struct br_hostdb *db,
	const struct subid_request *request, struct subids *out, struct br_diags *dx) {
	const struct hostdb_text *file = hostdb_subids(db, request->groups);
	if (!file->bytes) {
		return 0;
	}
	struct br_places *places = br_diags_places(dx);
	int text = br_places_add(places, BR_PLACE_FILE, file->name, file->bytes, file->n);
	if (text < 0) {
		return br_error_memory(dx);
	}
	struct reading r = {
		.arena = arena,
		.dx = dx,
		.request = request,
		.text = (uint16_t)text,
		.bytes = file->bytes,
	};
	if (read_lines(&r, file->n)) {
		return -1;
	}
	choose(&r);
	return append(&r, out);
}
