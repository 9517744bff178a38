/** Shared by the files of image/: each finds out about one image in one way. 1 found, 0 absent, -1
 * with an error in dx. */
#ifndef BR_IMAGE_PARTS_H
#define BR_IMAGE_PARTS_H

#include <base/authors.h>
#include <base/mem.h>
#include <bindright/image.h>

/** Where base images are looked up, and what was opened so far. */
struct image_finder {
	struct br_arena *arena;
	const struct br_image_options *options;
	/** Who must be able to read what is read because the spec, or a Dockerfile, names it. */
	struct br_authors authors;
	struct br_diags *dx;
	/** Paths of images that somebody will ask about; absolute. */
	const char *const *asked;
	size_t nasked;
	/** Who the container under work is does not depend on its image: a Dockerfile that is
	 * missing is not worth a word. */
	bool user_is_numbers;
	/** Private to archive.c: indexes of the archives, opened at first use. */
	void *archives;
	/** Private to engine.c. */
	void *engine;
	/** An engine that does not answer is not worth a note. */
	bool quiet;
	/** How long the engine may take for all that is asked, in milliseconds; 0: five seconds
	 * until it answers, and ten from then on. */
	int patience;
	/** What following Dockerfiles took so far; see df_spend. */
	uint64_t steps;
};

/** An image by its reference ("redis:7", "localhost/x@sha256:…") in one of the archives. */
int archive_find(struct image_finder *finder, const char *reference, struct br_image *out);
void archive_release(struct image_finder *finder);

/** Put the host's files in the place of the image's accounts, where the container's root is a
 * directory or passwd and group are mounted (for engines that read those). 0 or -1. */
int mounted_take(
	struct image_finder *finder, const struct br_container *container, struct br_image *out);

/** The engine's own word on it. */
int engine_find(struct image_finder *finder, const char *reference, struct br_image *out);
/** Mark the containers of a compose project that run now. 0 (also where the engine does not say),
 * or -1. */
int engine_running(struct image_finder *finder, const struct br_spec *spec, bool *running);
void engine_release(struct image_finder *finder);

/** The table of well-known images: fills user and drop; never accounts. */
int known_find(struct image_finder *finder, const char *reference, struct br_image *out);

/** A base image by archive, engine, table, in this order. */
int image_find(struct image_finder *finder, const char *reference, struct br_image *out);

/** The image that this build makes (its Dockerfile, target stage, args; base images through
 * image_find). */
int dockerfile_read(
	struct image_finder *finder, const struct br_build *build, struct br_image *out);

/**
 * Parse the bytes of a passwd or group file as moby/sys/user does. 0, or -1 with ENOMEM, EFBIG
 * (more than 1 MiB or 10,000 lines), or EMSGSIZE (a line so long that the engine refuses the whole
 * file: from 64 KiB in passwd, 1 MiB in group).
 */
int passwd_parse(struct br_arena *arena, const char *bytes, size_t n,
	const struct br_image_user **users, size_t *nusers);
int group_parse(struct br_arena *arena, const char *bytes, size_t n,
	const struct br_image_group **groups, size_t *ngroups);

#endif
