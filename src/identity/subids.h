/**
 * Subordinate IDs: which ranges of subuid and subgid an engine takes for a user, and in which order.
 */
#ifndef BR_IDENTITY_SUBIDS_H
#define BR_IDENTITY_SUBIDS_H

#include <base/mem.h>
#include <bindright/identity.h>

/** Whose ranges, and by whose rules. */
struct subid_request {
	const char *name;
	uint32_t uid;
	/** By name and by number together, sorted by start (containers/storage, rootlesskit); else
	 * those by number, and those by name only where there are none, in the order of the file
	 * (moby). */
	bool merged;
	bool groups;
};

/** Extents under construction, and the words that each is from. */
struct subids {
	br_vec(struct br_idmap_extent) extents;
	br_vec(struct br_text) words;
};

/**
 * Append the ranges to the extents: the container's IDs go on where the last one ends. 1 where
 * there are some, 0 where there is none, -1 with an error in dx: a line that is not
 * "OWNER:START:COUNT" (the engines read none of a file with such a line), a number of these ranges
 * that is none, or more IDs than there are.
 */
int subids_add(struct br_arena *arena, const struct br_hostdb *db,
	const struct subid_request *request, struct subids *out, struct br_diags *dx);

#endif
