#include "map_words.h"

#include <base/text.h>

#include <stdlib.h>
#include <string.h>

typedef br_vec(struct br_idmap_extent) extent_vec;

struct reading {
	struct br_arena *arena;
	struct br_diags *dx;
	const struct map_request *request;
	/** The word under way. */
	const struct br_text *word;
	extent_vec map;
	/** The rest of the container's IDs get the rest of the engine's. */
	bool fill;
};

/** One word taken apart. */
struct triple {
	struct br_idmap_extent e;
	bool extends;
	bool user;
	bool group;
	/** The second number is the host's. */
	bool is_host;
};

static int out_of_memory(struct reading *r) {
	return br_error_memory(r->dx);
}

static int refuse(struct reading *r, const char *why) {
	return br_error(r->dx, r->word->at, "'%s' is no map of %s: %s", r->word->s,
		r->request->groups ? "groups" : "users", why);
}

static int push(struct reading *r, extent_vec *to, struct br_idmap_extent e) {
	return br_vec_push(r->arena, to, e) ? out_of_memory(r) : 0;
}

// ---- words ----

/** n digits; Go's ParseUint takes leading zeros. */
static int read_number(struct reading *r, const char *s, size_t n, uint32_t *out) {
	char digits[24] = "";
	while (n > 1 && *s == '0') {
		s++;
		n--;
	}
	if (n == 0 || n >= sizeof(digits)) {
		return refuse(r, "it lacks a number");
	}
	memcpy(digits, s, n);
	return br_parse_u32(digits, BR_NO_ID - 1, out)
		? refuse(r, "its numbers go from 0 to 4294967294")
		: 0;
}

static size_t read_flags(struct reading *r, struct triple *out) {
	const char *s = r->word->s;
	size_t n = r->request->flags ? strspn(s, "+ug") : 0;
	out->extends = memchr(s, '+', n) != NULL;
	out->user = memchr(s, 'u', n) != NULL;
	out->group = memchr(s, 'g', n) != NULL;
	if (!out->user && !out->group) {
		out->user = out->group = true;
	}
	return n;
}

static int read_triple(struct reading *r, struct triple *out) {
	const char *s = r->word->s;
	size_t from = read_flags(r, out);
	size_t n = strcspn(s + from, ":");
	const char *host = s + from + n + (s[from + n] == ':');
	size_t nhost = strcspn(host, ":");
	const char *count = host + nhost + (host[nhost] == ':');
	if (s[from + n] != ':' || strchr(count, ':')) {
		return refuse(r,
			r->request->flags ? "it is CONTAINER:HOST[:COUNT]"
					  : "it is CONTAINER:HOST:COUNT");
	}
	out->is_host = r->request->flags && *host == '@';
	out->e.count = 1;
	if (!host[nhost] && !r->request->flags) {
		return refuse(r, "it is CONTAINER:HOST:COUNT");
	}
	if (read_number(r, s + from, n, &out->e.box)
		|| read_number(r, host + out->is_host, nhost - out->is_host, &out->e.host)) {
		return -1;
	}
	return host[nhost] ? read_number(r, count, strlen(count), &out->e.count) : 0;
}

// ---- sets of IDs ----

/** Take from what stands there the part that the new one covers, by either of its sides. */
struct cut {
	uint64_t from;
	uint64_t to;
};

/** [from, to) of the piece that a range of `count` at `at` covers, counted from the piece's start. */
static struct cut cut_of(
	const struct br_idmap_extent *piece, uint32_t start, uint32_t at, uint32_t count) {
	uint64_t piece_end = (uint64_t)start + piece->count;
	uint64_t end = (uint64_t)at + count;
	uint64_t low = at > start ? at : start;
	uint64_t high = end < piece_end ? end : piece_end;
	return low < high ? (struct cut){low - start, high - start} : (struct cut){0, 0};
}

/** The part [from, to) of a piece. */
static int keep_part(
	struct reading *r, extent_vec *to, const struct br_idmap_extent *piece, struct cut part) {
	if (part.from >= part.to) {
		return 0;
	}
	struct br_idmap_extent e = {piece->box + (uint32_t)part.from,
		piece->host + (uint32_t)part.from, (uint32_t)(part.to - part.from)};
	return push(r, to, e);
}

static int take_out(struct reading *r, const struct br_idmap_extent *e) {
	extent_vec rest = {0};
	for (size_t i = 0; i < r->map.n; i++) {
		const struct br_idmap_extent *piece = &r->map.v[i];
		struct cut a = cut_of(piece, piece->box, e->box, e->count);
		struct cut b = cut_of(piece, piece->host, e->host, e->count);
		if (b.from < a.from) {
			struct cut swap = a;
			a = b;
			b = swap;
		}
		// An empty one lies at the piece's start, and takes nothing.
		uint64_t high = a.to > b.to ? a.to : b.to;
		if (keep_part(r, &rest, piece, (struct cut){0, a.from})
			|| keep_part(r, &rest, piece, (struct cut){a.to, b.from})
			|| keep_part(r, &rest, piece, (struct cut){high, piece->count})) {
			return -1;
		}
	}
	r->map = rest;
	return 0;
}

static int add(struct reading *r, const struct triple *t, struct br_idmap_extent e) {
	bool meant = r->request->groups ? t->group : t->user;
	if (!meant || e.count == 0) {
		return 0;
	}
	if (t->extends) {
		// Only a rootless engine has IDs to fill with.
		r->fill |= r->map.n == 0 && r->request->parent->n > 0;
		if (take_out(r, &e)) {
			return -1;
		}
	}
	return push(r, &r->map, e);
}

/** IDs of the host become those of the engine's namespace. */
static int add_host(struct reading *r, const struct triple *t) {
	struct br_idmap_extent e = t->e;
	bool meant = r->request->groups ? t->group : t->user;
	while (meant && e.count > 0) {
		br_boxid box;
		uint32_t n = 1;
		if (!br_idmap_to_box(r->request->parent, (br_hostid){e.host}, &box)) {
			return refuse(r, "the engine's user has no such ID of the host");
		}
		while (n < e.count) {
			br_boxid next;
			if (!br_idmap_to_box(r->request->parent, (br_hostid){e.host + n}, &next)
				|| next.v != box.v + n) {
				break;
			}
			n++;
		}
		if (add(r, t, (struct br_idmap_extent){e.box, box.v, n})) {
			return -1;
		}
		e = (struct br_idmap_extent){e.box + n, e.host + n, e.count - n};
	}
	return 0;
}

static int by_box(const void *a, const void *b) {
	uint32_t x = ((const struct br_idmap_extent *)a)->box;
	uint32_t y = ((const struct br_idmap_extent *)b)->box;
	return (x > y) - (x < y);
}

static void sort(extent_vec *map) {
	if (map->n > 1) {
		qsort(map->v, map->n, sizeof(*map->v), by_box);
	}
}

/** The IDs of the engine's namespace that the map does not use, in their order. */
static int find_free(struct reading *r, extent_vec *out) {
	const struct br_idmap *parent = r->request->parent;
	struct reading whole = *r;
	whole.map = (extent_vec){0};
	for (size_t i = 0; i < parent->n; i++) {
		const struct br_idmap_extent *e = &parent->extents[i];
		struct br_idmap_extent ids = {e->box, e->box, e->count};
		if (push(r, &whole.map, ids)) {
			return -1;
		}
	}
	sort(&whole.map);
	for (size_t i = 0; i < r->map.n; i++) {
		struct br_idmap_extent used = {
			r->map.v[i].host, r->map.v[i].host, r->map.v[i].count};
		if (take_out(&whole, &used)) {
			return -1;
		}
	}
	*out = whole.map;
	return 0;
}

/** Give the free IDs to the container's IDs that have none, from 0 on. */
static int fill(struct reading *r) {
	extent_vec spare = {0};
	extent_vec out = {0};
	uint64_t box = 0;
	size_t next = 0;
	if (find_free(r, &spare)) {
		return -1;
	}
	sort(&r->map);
	for (size_t i = 0; i <= r->map.n; i++) {
		uint64_t end = i < r->map.n ? r->map.v[i].box : BR_NO_ID;
		while (box < end && next < spare.n) {
			struct br_idmap_extent *e = &spare.v[next];
			uint32_t n = end - box < e->count ? (uint32_t)(end - box) : e->count;
			if (push(r, &out, (struct br_idmap_extent){(uint32_t)box, e->host, n})) {
				return -1;
			}
			*e = (struct br_idmap_extent){e->box + n, e->host + n, e->count - n};
			next += e->count == 0;
			box += n;
		}
		if (i < r->map.n) {
			box = end + r->map.v[i].count;
			if (push(r, &out, r->map.v[i])) {
				return -1;
			}
		}
	}
	r->map = out;
	return 0;
}

/** The kernel would refuse it. */
static int check(struct reading *r) {
	struct br_idmap map = {r->map.v, r->map.n};
	size_t bad;
	if (r->map.n == 0 || br_idmap_valid(&map, &bad)) {
		return 0;
	}
	const struct br_idmap_extent *e = &r->map.v[bad];
	return br_error(r->dx, r->word->at,
		"the kernel does not take these maps: %u:%u:%u overlaps another one or goes beyond the last ID",
		e->box, e->host, e->count);
}

int map_words_read(struct br_arena *arena, const struct map_request *request, struct br_idmap *out,
	struct br_diags *dx) {
	struct reading r = {.arena = arena, .dx = dx, .request = request};
	for (size_t i = 0; i < request->n; i++) {
		struct triple t = {0};
		r.word = &request->words[i];
		if (read_triple(&r, &t) || (t.is_host ? add_host(&r, &t) : add(&r, &t, t.e))) {
			return -1;
		}
	}
	if (r.fill && fill(&r)) {
		return -1;
	}
	sort(&r.map);
	if (check(&r)) {
		return -1;
	}
	*out = (struct br_idmap){r.map.v, r.map.n};
	return 0;
}

int map_words_fill(struct br_arena *arena, const struct br_idmap *parent, struct br_idmap *out) {
	extent_vec map = {0};
	for (size_t i = 0; i < parent->n; i++) {
		const struct br_idmap_extent *e = &parent->extents[i];
		struct br_idmap_extent ids = {e->box, e->box, e->count};
		if (br_vec_push(arena, &map, ids)) {
			return -1;
		}
	}
	sort(&map);
	*out = (struct br_idmap){map.v, map.n};
	return 0;
}
