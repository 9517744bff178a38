#include <base/mem.h>
#include <bindright/idmap.h>

// The kernel's UID_GID_MAP_MAX_EXTENTS (include/linux/user_namespace.h).
enum {
	EXTENTS_MAX = 340,
};

// Extents never overlap, so whichever holds the ID is the only one: the order of the search, which
// map_id_range_down() changes with the number of extents, cannot change the answer.
static bool holds(uint32_t first, uint32_t count, uint32_t id) {
	return id >= first && id - first < count;
}

bool br_idmap_to_host(const struct br_idmap *map, br_boxid in, br_hostid *out) {
	if (map->n == 0) {
		out->v = in.v;
		return in.v != BR_NO_ID;
	}
	for (size_t i = 0; i < map->n; i++) {
		const struct br_idmap_extent *e = &map->extents[i];
		if (holds(e->box, e->count, in.v)) {
			out->v = e->host + (in.v - e->box);
			return true;
		}
	}
	out->v = BR_NO_ID;
	return false;
}

bool br_idmap_to_box(const struct br_idmap *map, br_hostid in, br_boxid *out) {
	if (map->n == 0) {
		out->v = in.v;
		return in.v != BR_NO_ID;
	}
	for (size_t i = 0; i < map->n; i++) {
		const struct br_idmap_extent *e = &map->extents[i];
		if (holds(e->host, e->count, in.v)) {
			out->v = e->box + (in.v - e->host);
			return true;
		}
	}
	out->v = BR_NO_ID;
	return false;
}

// map_write(): neither side may start at, reach or pass 4294967295, which is no ID.
static bool fits(uint32_t first, uint32_t count) {
	return count != 0 && count <= BR_NO_ID - first;
}

static bool overlap(uint32_t a, uint32_t an, uint32_t b, uint32_t bn) {
	return a < b ? b - a < an : a - b < bn;
}

// mappings_overlap(), against all extents before this one.
static bool clashes(const struct br_idmap *map, size_t i) {
	const struct br_idmap_extent *e = &map->extents[i];
	for (size_t j = 0; j < i; j++) {
		const struct br_idmap_extent *d = &map->extents[j];
		if (overlap(d->box, d->count, e->box, e->count)
			|| overlap(d->host, d->count, e->host, e->count)) {
			return true;
		}
	}
	return false;
}

bool br_idmap_valid(const struct br_idmap *map, size_t *bad) {
	for (size_t i = 0; i < map->n; i++) {
		const struct br_idmap_extent *e = &map->extents[i];
		if (i >= EXTENTS_MAX || !fits(e->box, e->count) || !fits(e->host, e->count)
			|| clashes(map, i)) {
			*bad = i;
			return false;
		}
	}
	return true;
}

typedef br_vec(struct br_idmap_extent) extent_vec;

static int add_extent(struct br_arena *arena, extent_vec *out, struct br_idmap_extent e) {
	struct br_idmap_extent *last = out->n ? &out->v[out->n - 1] : NULL;
	if (last && last->box + last->count == e.box && last->host + last->count == e.host) {
		last->count += e.count;
		return 0;
	}
	return br_vec_push(arena, out, e);
}

/** What two extents have in common: the inner one's host IDs are the outer one's container IDs. */
static struct br_idmap_extent meet(
	const struct br_idmap_extent *outer, const struct br_idmap_extent *inner) {
	uint64_t from = outer->box > inner->host ? outer->box : inner->host;
	uint64_t outer_end = (uint64_t)outer->box + outer->count;
	uint64_t inner_end = (uint64_t)inner->host + inner->count;
	uint64_t end = outer_end < inner_end ? outer_end : inner_end;
	if (from >= end) {
		return (struct br_idmap_extent){0};
	}
	return (struct br_idmap_extent){
		.box = inner->box + (uint32_t)(from - inner->host),
		.host = outer->host + (uint32_t)(from - outer->box),
		.count = (uint32_t)(end - from),
	};
}

/** The pieces of one inner extent, in the order of the container's IDs. */
static int compose_one(struct br_arena *arena, const struct br_idmap *outer,
	const struct br_idmap_extent *inner, extent_vec *out) {
	uint64_t at = inner->host;
	uint64_t end = at + inner->count;
	while (at < end) {
		struct br_idmap_extent next = {0};
		struct br_idmap_extent rest = {inner->box + (uint32_t)(at - inner->host),
			(uint32_t)at, (uint32_t)(end - at)};
		for (size_t i = 0; i < outer->n; i++) {
			struct br_idmap_extent piece = meet(&outer->extents[i], &rest);
			if (piece.count && (!next.count || piece.box < next.box)) {
				next = piece;
			}
		}
		if (!next.count) {
			return 0;
		}
		if (add_extent(arena, out, next)) {
			return -1;
		}
		at = (uint64_t)inner->host + (next.box - inner->box) + next.count;
	}
	return 0;
}

int br_idmap_compose(struct br_arena *arena, const struct br_idmap *outer,
	const struct br_idmap *inner, struct br_idmap *out) {
	static const struct br_idmap_extent nothing = {0};
	extent_vec extents = {0};
	if (outer->n == 0 || inner->n == 0) {
		*out = outer->n ? *outer : *inner;
		return 0;
	}
	for (size_t i = 0; i < inner->n; i++) {
		if (compose_one(arena, outer, &inner->extents[i], &extents)) {
			return -1;
		}
	}
	*out = extents.n ? (struct br_idmap){extents.v, extents.n} : (struct br_idmap){&nothing, 1};
	return 0;
}
