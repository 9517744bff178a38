/**
 * libFuzzer: any bytes as a saved plan, and any bytes under the right seal, which is no secret:
 * what is read keeps the promises of plan.h, and is compared.
 */
#include <base/mem.h>
#include <bindright/plan.h>

#include <support/promises.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
const char *__lsan_default_suppressions(void);

/** libfyaml forgets some memory when it refuses a file. */
const char *__lsan_default_suppressions(void) {
	return "leak:libfyaml.so";
}

static const char end[] = "\n}\n";

static size_t length(const char *s) {
	promise(s != NULL);
	return strlen(s);
}

static void look_at_items(const struct br_places *places, const struct br_saved_item *items,
	size_t n, bool are_trees) {
	for (size_t i = 0; i < n; i++) {
		promise(length(items[i].name) < BR_SAVED_BYTES);
		promise(length(items[i].digest) == BR_DIGEST - 1);
		promise(are_trees || (items[i].changes == 0 && items[i].ino == 0));
		promise_span(places, items[i].at);
	}
}

static void look(const struct br_places *places, const struct br_saved *saved) {
	promise(length(saved->directory) < BR_SAVED_BYTES);
	promise(length(saved->rest) == BR_DIGEST - 1);
	promise(saved->tool == NULL || length(saved->tool) < BR_SAVED_BYTES);
	for (size_t i = 0; i < saved->nwords; i++) {
		promise(length(saved->words[i]) < BR_SAVED_BYTES);
	}
	promise(saved->words[saved->nwords] == NULL);
	look_at_items(places, saved->files, saved->nfiles, false);
	look_at_items(places, saved->containers, saved->ncontainers, false);
	look_at_items(places, saved->trees, saved->ntrees, true);
}

static void read_plan(const char *bytes, size_t n) {
	struct br_arena arena = {0};
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	int text = br_places_add(places, BR_PLACE_FILE, "plan.json", bytes, n);
	promise(dx != NULL && text > 0);
	const struct br_saved *saved = br_saved_read(&arena, (uint16_t)text, dx);
	promise((saved == NULL) == (br_diags_errors(dx) > 0));
	if (saved != NULL) {
		struct br_saved other = {.rest = saved->rest, .caller = saved->caller};
		look(places, saved);
		promise(br_saved_compare(saved, saved, dx) == 0);
		(void)br_saved_compare(saved, &other, dx);
		(void)br_saved_compare(&other, saved, dx);
	}
	if (br_diags_errors(dx) > 0) {
		promise_all(NULL, dx);
	}
	br_diags_free(dx);
	br_places_free(places);
	br_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	char *sealed = malloc(n + sizeof(end));
	size_t size = n + sizeof(end) - 1;
	promise(sealed != NULL);
	memcpy(sealed, bytes, n);
	memcpy(sealed + n, end, sizeof(end));
	read_plan(sealed, n);
	sealed = br_saved_seal(sealed, &size);
	promise(sealed != NULL);
	read_plan(sealed, size);
	free(sealed);
	return 0;
}
