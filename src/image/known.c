#include "known.h"

#include "parts.h"

#include <base/text.h>

#include <string.h>

/** A reference in its parts: what it is called in full, and its tag. */
struct name {
	char *repository;
	/** NULL where only a digest is given. */
	char *tag;
};

/** The host of a registry: it has a dot or a port, or is localhost. */
static bool is_host(const char *s, size_t n) {
	return memchr(s, '.', n) || memchr(s, ':', n) || (n == 9 && !strncmp(s, "localhost", 9));
}

/** Mirrors of Docker Hub's own images. */
static const char *without_mirror(const char *s) {
	static const char *const mirrors[] = {"index.docker.io/", "registry-1.docker.io/",
		"docker.io/", "public.ecr.aws/docker/", "mirror.gcr.io/",
		"registry.hub.docker.com/"};
	for (size_t i = 0; i < sizeof(mirrors) / sizeof(*mirrors); i++) {
		size_t n = strlen(mirrors[i]);
		if (!strncmp(s, mirrors[i], n)) {
			return s + n;
		}
	}
	return s;
}

/** "redis:7" is docker.io/library/redis and 7. -1 without memory. */
static int normalise(struct br_arena *arena, const char *reference, struct name *out) {
	size_t n = strcspn(reference, "@");
	bool has_digest = reference[n] != 0;
	char *plain = br_strndup(arena, reference, n);
	if (!plain) {
		return -1;
	}
	char *colon = strrchr(plain, ':');
	if (colon && !strchr(colon, '/')) {
		*colon = 0;
		out->tag = colon + 1;
	} else {
		out->tag = has_digest ? NULL : br_strdup(arena, "latest");
	}
	const char *path = without_mirror(plain);
	size_t first = strcspn(path, "/");
	if (!path[first]) {
		out->repository = br_printf(arena, "docker.io/library/%s", path);
	} else if (!is_host(path, first)) {
		out->repository = br_printf(arena, "docker.io/%s", path);
	} else {
		out->repository = br_strdup(arena, path);
	}
	return out->repository && (out->tag || has_digest) ? 0 : -1;
}

const char *known_repository(struct br_arena *arena, const char *reference) {
	struct name name = {0};
	return normalise(arena, reference, &name) ? NULL : name.repository;
}

/** Whether one of the globs fits; a tag that is not known fits only "*". 1, 0, or -1 without
 * memory. */
static int tag_fits(struct br_arena *arena, const char *globs, const char *tag) {
	while (*globs) {
		size_t n = strcspn(globs, "|");
		char *glob = br_strndup(arena, globs, n);
		if (!glob) {
			return -1;
		}
		if (!strcmp(glob, "*") || (tag && br_glob(glob, tag))) {
			return 1;
		}
		globs += n + (globs[n] == '|');
	}
	return 0;
}

/** The row of an image, in *row; a digest without a tag gets none where the tag decides. */
static int find_row(struct br_arena *arena, const char *reference, const struct known_row **out) {
	struct name name = {0};
	if (normalise(arena, reference, &name)) {
		return -1;
	}
	for (const struct known_row *row = known_table; row->repository; row++) {
		if (!br_glob(row->repository, name.repository)) {
			continue;
		}
		if (!name.tag && strcmp(row->tags, "*") != 0) {
			return 0;
		}
		int fits = tag_fits(arena, row->tags, name.tag);
		if (fits) {
			*out = row;
			return fits;
		}
	}
	return 0;
}

int known_find(struct image_finder *finder, const char *reference, struct br_image *out) {
	const struct known_row *row = NULL;
	int found = find_row(finder->arena, reference, &row);
	if (found < 0) {
		return br_error_memory(finder->dx);
	}
	if (!found) {
		return 0;
	}
	const char *from = br_printf(
		finder->arena, "known images (%s; %s)", row->drop.source, row->drop.certainty);
	if (!from) {
		return br_error_memory(finder->dx);
	}
	*out = (struct br_image){.origin = BR_IMAGE_KNOWN, .from = from, .user = {.s = row->user}};
	if (row->drops) {
		out->drop = &row->drop;
	}
	return 1;
}
