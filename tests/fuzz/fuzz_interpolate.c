/** libFuzzer: any text as a compose value, against variables that are set, empty and from the
 * environment. */
#include <spec/interpolate.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool fact) {
	if (!fact) {
		abort();
	}
}

static void run(struct br_env *env, char *s, struct br_places *places, struct br_diags *dx) {
	int text = br_places_add(places, BR_PLACE_FILE, "f", s, strlen(s));
	require(text > 0);
	struct br_text value = {s, {(uint16_t)text, 0, (uint32_t)strlen(s)}};
	struct br_interpolated out;
	int result = br_interpolate(env, value, "p", &out, dx);
	require(br_diags_errors(dx) == (result ? 1 : 0));
	if (!result) {
		require(strlen(out.s) <= BR_INTERPOLATE_BYTES || !out.changed);
		require(out.changed || !strcmp(out.s, s));
		require(strchr(s, '$') || out.s == s);
	}
	for (size_t i = 0; i < br_diags_count(dx); i++) {
		const struct br_diag *d = br_diags_get(dx, i);
		require(d->at.off <= strlen(s) && d->at.len <= strlen(s) - d->at.off);
		free(br_diag_render(places, d, "f", false));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	static const struct br_var variables[] = {
		{"A", "value", BR_VAR_FILE},
		{"E", "", BR_VAR_FILE},
		{"H", "$A${", BR_VAR_ENVIRONMENT},
	};
	struct br_arena arena = {0};
	struct br_env env = {.arena = &arena};
	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		require(!br_env_set(&env, &variables[i], false));
	}
	struct br_places *places = br_places_new();
	struct br_diags *dx = places ? br_diags_new(places) : NULL;
	char *s = strndup((const char *)bytes, n);
	if (dx && s) {
		run(&env, s, places, dx);
	}
	free(s);
	br_diags_free(dx);
	br_places_free(places);
	br_arena_release(&arena);
	return 0;
}
