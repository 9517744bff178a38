/**
 * The layers of an image in an archive: its accounts, what stands at the places that are asked
 * about, and the configurations of libraries. Runs in the confined child (bundle.h).
 */
#ifndef BR_IMAGE_LAYERS_H
#define BR_IMAGE_LAYERS_H

#include "bundle.h"
#include "store.h"

enum {
	DIGEST_DIGITS = 64,
};

/** One of them. */
struct layer {
	const char *name;
	/** Of the bytes as they lie there, and unpacked; NULL where nobody says. */
	const char *packed_digest, *plain_digest;
};

/** All of one image, the lowest first. */
struct layers {
	struct br_arena *arena;
	struct effort *effort;
	struct store *store;
	const struct bundle_request *request;
	const struct layer *v;
	size_t n;
};

/** passwd, group, {1, place}… 0, configurations, as archive.c takes them. 0, or -1 with the reason
 * in effort. */
int layers_put(const struct layers *layers, struct br_buf *out);

#endif
