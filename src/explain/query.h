/** One line of a batch: a JSON object of known keys, read without an allocation that is not kept. */
#ifndef BR_EXPLAIN_QUERY_H
#define BR_EXPLAIN_QUERY_H

#include <bindright/identity.h>

#include <limits.h>

enum {
	/** The kernel's NGROUPS_MAX. */
	QUERY_GROUPS = 65536,
	/** Its UID_GID_MAP_MAX_EXTENTS. */
	QUERY_EXTENTS = 340,
};

/** A map as it was read. */
struct query_map {
	struct br_idmap_extent extents[QUERY_EXTENTS];
	size_t n;
	bool given;
};

/** What a line says. Reused from line to line. */
struct query {
	char path[PATH_MAX];
	bool has_path, has_uid, has_gid;
	/** As the container sees them. */
	br_boxid uid, gid;
	/** QUERY_GROUPS of room. */
	uint32_t *groups;
	size_t ngroups;
	uint64_t caps;
	struct query_map uids, gids;
	/** 0: not given. */
	unsigned need;
	bool read_only;
	/** Why the line is no query: one clause; user text in it is escaped. */
	char error[160];
};

/** 0, or -1 with query->error. */
int query_read(struct query *query, const char *line, size_t n);

#endif
