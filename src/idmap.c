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
