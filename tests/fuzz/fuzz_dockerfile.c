/*
 * Any bytes as a Dockerfile: no crash, no hang, and what comes out keeps the promises of image.h.
 */
#include <base/mem.h>

#include <assert.h>
#include <image/parts.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int archive_find(struct image_finder *finder, const char *reference, struct br_image *out) {
	static const char *const nobody[] = {NULL};
	static const struct br_image_user users[] = {
		{.name = "root"}, {.name = "app", .uid = 1000, .gid = 1000}};
	static const struct br_image_group groups[] = {{.name = "root", .members = nobody},
		{.name = "app", .gid = 1000, .members = nobody}};
	static const char *const environment[] = {"A=1", "B="};
	(void)finder;
	if (*reference != 'p') {
		return 0;
	}
	*out = (struct br_image){.origin = BR_IMAGE_ARCHIVE,
		.user = {.s = "1"},
		.accounts_complete = true,
		.users = users,
		.nusers = 2,
		.groups = groups,
		.ngroups = 2,
		.environment = environment,
		.nenvironment = 2};
	return 1;
}

void archive_release(struct image_finder *finder) {
	(void)finder;
}

int engine_find(struct image_finder *finder, const char *reference, struct br_image *out) {
	(void)finder;
	(void)reference;
	(void)out;
	return 0;
}

void engine_release(struct image_finder *finder) {
	(void)finder;
}

static void check_span(struct br_places *places, struct br_span at) {
	size_t n = 0;
	if (at.text) {
		assert(br_places_bytes(places, at.text, &n));
		assert(at.off <= n && at.len <= n - at.off);
	}
}

static void check_image(struct br_places *places, const struct br_image *image) {
	assert((image->user.s == NULL) == (image->unknown != NULL));
	check_span(places, image->user.at);
	for (size_t i = 0; i < image->nusers; i++) {
		assert(image->users[i].name);
		check_span(places, image->users[i].at);
	}
	for (size_t i = 0; i < image->ngroups; i++) {
		assert(image->groups[i].name && image->groups[i].members);
		check_span(places, image->groups[i].at);
	}
	for (size_t i = 0; i < image->nenvironment; i++) {
		assert(strchr(image->environment[i], '='));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct br_arena arena = {0};
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_image_options options = {0};
	struct br_text arg = {.s = "UID=7"};
	struct br_build build = {.context = {.s = "/nowhere"}, .args = &arg, .nargs = 1};
	struct image_finder finder = {.arena = &arena, .options = &options, .dx = dx};
	struct br_image image = {0};
	build.dockerfile_inline.s = br_strndup(&arena, (const char *)bytes, n);
	assert(places && dx && build.dockerfile_inline.s);
	int found = dockerfile_read(&finder, &build, &image);
	assert((found < 0) == (br_diags_errors(dx) > 0));
	if (found >= 0) {
		check_image(places, &image);
	}
	for (size_t i = 0; i < br_diags_count(dx); i++) {
		check_span(places, br_diags_get(dx, i)->at);
		free(br_diag_render(places, br_diags_get(dx, i), "f", false));
	}
	br_diags_free(dx);
	br_places_free(places);
	br_arena_release(&arena);
	return 0;
}
