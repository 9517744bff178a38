#include "library.h"

#include <base/text.h>

#include <string.h>

bool library_has_word(const char *list, const char *word, size_t n) {
	for (const char *s = list; s && *s;) {
		size_t k = strcspn(s, "|");
		if (k == n && !strncasecmp(s, word, n)) {
			return true;
		}
		s += k + (s[k] == '|');
	}
	return false;
}

/** Whether a path ends with one of the names of `list`, as whole components. */
static bool ends_with(const char *list, const char *path, size_t n) {
	for (const char *s = list; s && *s;) {
		size_t k = strcspn(s, "|");
		if (n >= k && !memcmp(path + n - k, s, k) && (n == k || path[n - k - 1] == '/')) {
			return true;
		}
		s += k + (s[k] == '|');
	}
	return false;
}

static const struct br_library *of_file(const char *path) {
	const struct br_library *all;
	size_t n = br_libraries(&all);
	size_t len = strlen(path);
	while (len && path[len - 1] == '/') {
		len--;
	}
	for (size_t i = 0; i < n; i++) {
		if (ends_with(all[i].files, path, len)) {
			return &all[i];
		}
	}
	return NULL;
}

bool library_is_marker(const char *name) {
	return of_file(name) != NULL;
}

const struct br_library *library_of_package(const char *package, bool pip) {
	const struct br_library *all;
	size_t n = br_libraries(&all);
	size_t len = strcspn(package, "=<>!~[;@ ");
	for (size_t i = 0; i < n; i++) {
		if (library_has_word(pip ? all[i].pip : all[i].system, package, len)) {
			return &all[i];
		}
	}
	return NULL;
}

/** The program among the first words of the command; shells and starters before it are passed over. */
static bool is_started(const struct br_image *image, const struct br_library *library) {
	for (size_t i = 0; i < image->ncommand && i < 16; i++) {
		const char *word = image->command[i];
		const char *slash = word ? strrchr(word, '/') : NULL;
		const char *name = slash ? slash + 1 : word;
		if (name && library_has_word(library->programs, name, strlen(name))) {
			return true;
		}
	}
	return false;
}

struct found {
	struct br_image_library *v;
	size_t n, cap;
};

static struct br_image_library *find_found(struct found *found, const struct br_library *library) {
	for (size_t i = 0; i < found->n; i++) {
		if (found->v[i].library == library) {
			return &found->v[i];
		}
	}
	return NULL;
}

static int add_files(struct br_arena *arena, const struct br_image *image, struct found *found) {
	for (size_t i = 0; i < image->nnodes; i++) {
		const struct br_image_node *node = &image->nodes[i];
		const struct br_library *library = of_file(node->path);
		if (!library || node->type == BR_IMAGE_ABSENT || find_found(found, library)) {
			continue;
		}
		struct br_image_library item = {.library = library};
		item.evidence = br_printf(arena, "the image has %s", node->path);
		if (!item.evidence || br_vec_push(arena, found, item)) {
			return -1;
		}
	}
	return 0;
}

static int add_started(struct br_arena *arena, const struct br_image *image, struct found *found) {
	const struct br_library *all;
	size_t n = br_libraries(&all);
	for (size_t i = 0; i < n; i++) {
		if (!is_started(image, &all[i])) {
			continue;
		}
		struct br_image_library *old = find_found(found, &all[i]);
		struct br_image_library item = {
			.library = &all[i], .evidence = "the image's command starts it"};
		if (old) {
			item.at = old->at;
			*old = item;
		} else if (br_vec_push(arena, found, item)) {
			return -1;
		}
	}
	return 0;
}

int library_find(struct br_arena *arena, struct br_image *image) {
	struct found found = {0};
	struct found kept = {0};
	for (size_t i = 0; i < image->nlibraries; i++) {
		if (br_vec_push(arena, &found, image->libraries[i])) {
			return -1;
		}
	}
	if (add_files(arena, image, &found) || add_started(arena, image, &found)) {
		return -1;
	}
	for (size_t i = 0; i < found.n; i++) {
		bool counts =
			!found.v[i].library->by_command || is_started(image, found.v[i].library);
		if (counts && br_vec_push(arena, &kept, found.v[i])) {
			return -1;
		}
	}
	image->libraries = kept.v;
	image->nlibraries = kept.n;
	return 0;
}
