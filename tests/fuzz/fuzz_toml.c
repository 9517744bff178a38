/** libFuzzer: any bytes as a settings file of an engine, and as the answer of a child that reads
 * one and was taken over. */
#include <doc/toml.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool fact) {
	if (!fact) {
		abort();
	}
}

static void is_within(struct br_span at, size_t n) {
	require(at.off <= n && at.len <= n - at.off);
}

static void look(const struct br_toml *toml, size_t n) {
	for (size_t i = 0; i < toml->n; i++) {
		const struct br_toml_value *value = &toml->values[i];
		require(value->path != NULL && (value->s != NULL) == (value->kind != BR_TOML_LIST));
		is_within(value->at, n);
		for (size_t k = 0; k < value->n; k++) {
			require(value->items[k].s != NULL);
			is_within(value->items[k].at, n);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct br_arena arena = {0};
	struct br_toml toml = {0};
	struct br_places *places = br_places_new();
	struct br_diags *dx = places ? br_diags_new(places) : NULL;
	int text = dx ? br_places_add(places, BR_PLACE_FILE, "f", (const char *)bytes, n) : -1;
	if (text > 0) {
		int result = br_toml_read(&arena, (uint16_t)text, &toml, dx);
		require((br_diags_errors(dx) > 0) == (result != 0));
		if (result == 0) {
			look(&toml, n);
		}
		struct wire in = {.s = (const char *)bytes, .n = n};
		if (br_toml_take(&arena, &in, places, &toml, 1) == 0) {
			look(&toml, n);
		}
		for (size_t i = 0; i < br_diags_count(dx); i++) {
			is_within(br_diags_get(dx, i)->at, n);
		}
	}
	br_diags_free(dx);
	br_places_free(places);
	br_arena_release(&arena);
	return 0;
}
