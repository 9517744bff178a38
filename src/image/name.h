/** Names of images, as engines write them out: "redis" is docker.io/library/redis:latest. */
#ifndef BR_IMAGE_NAME_H
#define BR_IMAGE_NAME_H

#include <base/mem.h>

#include <stdbool.h>

struct image_name {
	/** "docker.io/library/redis". */
	const char *repository;
	/** "latest" where there is neither tag nor digest; NULL where there is only a digest. */
	const char *tag;
	/** "sha256:…", or NULL. */
	const char *digest;
	/** The registry was not written. */
	bool familiar;
};

/** 1, 0 where the text is no name of an image, -1 with ENOMEM. */
int image_name_read(struct br_arena *arena, const char *text, struct image_name *out);

/**
 * Whether an image that has `name` is what `wanted` asks for. A digest in `wanted` says more than
 * any name: then this is false. A familiar name also means the one below localhost/, where Podman
 * puts what it builds, if `local`.
 */
bool image_name_matches(const struct image_name *wanted, const struct image_name *name, bool local);

#endif
