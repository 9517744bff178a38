/** The table of well-known images, as data. */
#ifndef BR_IMAGE_KNOWN_H
#define BR_IMAGE_KNOWN_H

#include <bindright/image.h>

/** What images of one repository and some of its tags do. */
struct known_row {
	/** A glob over "host/path", Docker Hub's own as "docker.io/library/NAME". */
	const char *repository;
	/** Globs over the tag, divided by '|'. The first row that fits counts. */
	const char *tags;
	/** Whom it starts as, in numbers where they are known even if the image says it by name;
	 * "": root. */
	const char *user;
	/** What the entrypoint does. `source` and `certainty` are always there; the rest counts
	 * only where `drops`. */
	bool drops;
	struct br_image_drop drop;
};

/** "host/path" of a reference, as in the rows. NULL with ENOMEM. */
const char *known_repository(struct br_arena *arena, const char *reference);

/** Ends with a row without a repository. */
extern const struct known_row known_table[];

#endif
