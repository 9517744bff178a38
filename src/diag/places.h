/**
 * What the table of places holds; for diag's own files.
 */
#ifndef BR_DIAG_PLACES_H
#define BR_DIAG_PLACES_H

#include <base/mem.h>
#include <bindright/diag.h>

/** One text. */
struct br_place {
	enum br_place_kind kind;
	const char *name;
	const char *bytes;
	size_t n;
	/** Where each line begins; there is always a first one. */
	const uint32_t *lines;
	size_t nlines;
};

struct br_places {
	struct br_arena arena;
	br_vec(struct br_place) all;
};

/** A text by its number; NULL for a number that is none. */
const struct br_place *br_place_get(const struct br_places *places, uint16_t text);

/** The line, counted from 0, that a byte lies in. */
size_t br_place_line(const struct br_place *place, size_t off);

#endif
