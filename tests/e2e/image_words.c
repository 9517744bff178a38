/** For tests: what an archive or an engine says about an image. image_words archive|engine WHERE
 * NAME */
#include <image/parts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(const struct br_image *image) {
	printf("user %s\n", image->user.s);
	for (size_t i = 0; i < image->nenvironment; i++) {
		printf("env %s\n", image->environment[i]);
	}
	printf("label %s\n", image->capabilities_label ? image->capabilities_label : "");
	if (!image->accounts_complete) {
		return;
	}
	printf("passwd %s\n", image->no_passwd ? "none" : "there");
	for (size_t i = 0; i < image->nusers; i++) {
		printf("%s:%u:%u\n", image->users[i].name, image->users[i].uid,
			image->users[i].gid);
	}
	printf("group %s\n", image->no_group ? "none" : "there");
	for (size_t i = 0; i < image->ngroups; i++) {
		printf("%s:%u:", image->groups[i].name, image->groups[i].gid);
		for (size_t k = 0; image->groups[i].members[k]; k++) {
			printf("%s%s", k ? "," : "", image->groups[i].members[k]);
		}
		printf("\n");
	}
}

int main(int argc, char **argv) {
	struct br_arena arena = {0};
	struct br_places *places = br_places_new();
	struct br_diags *dx = places ? br_diags_new(places) : NULL;
	struct br_image image;
	if (!dx || argc != 4) {
		return 3;
	}
	bool is_archive = !strcmp(argv[1], "archive");
	const struct br_text where = {.s = argv[2]};
	const struct br_image_options options = {
		.archives = &where, .narchives = is_archive, .socket = is_archive ? NULL : argv[2]};
	struct image_finder finder = {.arena = &arena, .options = &options, .dx = dx};
	int found = is_archive ? archive_find(&finder, argv[3], &image)
			       : engine_find(&finder, argv[3], &image);
	if (found > 0) {
		show(&image);
	}
	for (size_t i = 0; i < br_diags_count(dx); i++) {
		fprintf(stderr, "%s\n", br_diags_get(dx, i)->message);
	}
	archive_release(&finder);
	engine_release(&finder);
	br_diags_free(dx);
	br_places_free(places);
	br_arena_release(&arena);
	return found > 0 ? 0 : found ? 3 : 1;
}
