/**
 * IDs of the host and IDs of a container, which never mix, and the map between them.
 */
#ifndef BINDRIGHT_IDMAP_H
#define BINDRIGHT_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct br_arena;

/** A UID or GID as the initial user namespace sees it. 0 to 4294967294. */
typedef struct {
	uint32_t v;
} br_hostid;

/** A UID or GID as the container sees it. */
typedef struct {
	uint32_t v;
} br_boxid;

/** The number that is no ID (chown's "leave it"). */
#define BR_NO_ID UINT32_MAX

/** `count` IDs from `box` on are the `count` IDs from `host` on. One line of /proc/PID/uid_map. */
struct br_idmap_extent {
	uint32_t box;
	uint32_t host;
	uint32_t count;
};

/**
 * A user namespace's map. No extents (n 0): the initial namespace, every ID is itself. Borrows its
 * extents.
 */
struct br_idmap {
	const struct br_idmap_extent *extents;
	size_t n;
};

/**
 * Container to host (the kernel's map_id_down); false, and BR_NO_ID, where the ID has no mapping.
 */
bool br_idmap_to_host(const struct br_idmap *map, br_boxid in, br_hostid *out);
/**
 * Host to container (map_id_up); false, and BR_NO_ID, where the ID has no mapping: the container
 * sees the overflow ID.
 */
bool br_idmap_to_box(const struct br_idmap *map, br_hostid in, br_boxid *out);
/**
 * Whether the kernel would take these extents (kernel/user_namespace.c, insert_extent and
 * mappings_overlap): count not 0, no overflow past 4294967295, no overlap on either side, at most
 * 340. On false *bad is the first extent at fault.
 */
bool br_idmap_valid(const struct br_idmap *map, size_t *bad);

/**
 * The map of a namespace inside another one, as the initial namespace sees it: `inner` maps into
 * the IDs of a namespace whose own map is `outer`. What `outer` does not map is left out, as in
 * /proc/PID/uid_map read from outside (there the kernel shows it as unmapped). The extents are the
 * arena's; neighbours that continue each other are one. Where nothing at all is mapped, there is
 * one extent of count 0, for no extents would mean the initial namespace. 0, or -1 with ENOMEM.
 */
int br_idmap_compose(struct br_arena *arena, const struct br_idmap *outer,
	const struct br_idmap *inner, struct br_idmap *out);

#endif
