/** Which paths are looked at where a list says so. */
#include "walk.h"

#include <stdlib.h>
#include <string.h>

/** Bytewise, but a slash before all others: what is below a directory comes right after it. */
static int compare_paths(const char *a, const char *b) {
	for (; *a && *a == *b; a++, b++) {
	}
	int x = *a == '/' ? 1 : *a ? (unsigned char)*a + 1 : 0;
	int y = *b == '/' ? 1 : *b ? (unsigned char)*b + 1 : 0;
	return x - y;
}

static int by_path(const void *a, const void *b) {
	return compare_paths(*(const char *const *)a, *(const char *const *)b);
}

bool listed_skips(void *context, const char *path) {
	const struct walk *walk = context;
	size_t low = 0;
	size_t high = walk->listed.n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		bool before = compare_paths(walk->listed.v[middle], path) < 0;
		low = before ? middle + 1 : low;
		high = before ? high : middle;
	}
	size_t n = strlen(path);
	const char *found = low < walk->listed.n ? walk->listed.v[low] : "";
	return strncmp(found, path, n) != 0 || (found[n] && found[n] != '/');
}

/** The rest of a path behind a directory; NULL where it is not below it. */
static const char *rest_of(const char *path, const char *dir) {
	size_t n = strlen(dir);
	n -= n && dir[n - 1] == '/';
	return strncmp(path, dir, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

/** A listed path, by the tree's real path or by a source's as it was written. 0 or -1 with ENOMEM. */
static int list_path(struct walk *walk, const char *path) {
	struct br_arena *arena = walk->work->check->arena;
	const char *rest = rest_of(path, walk->tree->path);
	for (size_t i = 0; !rest && i < walk->tree->n; i++) {
		const struct br_demand *demand = &walk->tree->demands[i];
		rest = rest_of(path, demand->source->path);
		if (rest && *demand->below) {
			rest = br_printf(arena, "%s/%s", demand->below, rest);
			if (!rest) {
				return -1;
			}
		}
	}
	return rest && *rest ? br_vec_push(arena, &walk->listed, rest) : 0;
}

int listed_begin(struct walk *walk) {
	const struct br_check_options *options = walk->work->options;
	for (size_t i = 0; i < options->nonly; i++) {
		if (list_path(walk, options->only[i])) {
			return br_error_memory(walk->work->dx);
		}
	}
	if (walk->listed.n) {
		qsort(walk->listed.v, walk->listed.n, sizeof(*walk->listed.v), by_path);
	}
	return 0;
}
