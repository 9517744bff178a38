/** libFuzzer: any bytes as an .env file. */
#include <spec/dotenv.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool fact) {
	if (!fact) {
		abort();
	}
}

static void run(struct br_env *env, int text, struct br_places *places, struct br_diags *dx) {
	size_t n = 0;
	(void)br_places_bytes(places, (uint16_t)text, &n);
	int result = br_dotenv_read(env, (uint16_t)text, dx);
	require(br_diags_errors(dx) == (result ? 1 : 0));
	require(!strcmp(br_env_get(env, "A")->value, "kept"));
	for (size_t i = 0; i < env->vars.n; i++) {
		const struct br_var *var = &env->vars.v[i];
		require(br_env_get(env, var->name) == var);
		require(!strpbrk(var->name, " =:\n#$"));
	}
	for (size_t i = 0; i < br_diags_count(dx); i++) {
		const struct br_diag *d = br_diags_get(dx, i);
		require(d->at.off <= n && d->at.len <= n - d->at.off);
		free(br_diag_render(places, d, "f", false));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct br_arena arena = {0};
	struct br_env env = {.arena = &arena};
	struct br_var kept = {"A", "kept", BR_VAR_ENVIRONMENT};
	require(!br_env_set(&env, &kept, false));
	struct br_places *places = br_places_new();
	struct br_diags *dx = places ? br_diags_new(places) : NULL;
	int text = dx ? br_places_add(places, BR_PLACE_FILE, "f", (const char *)bytes, n) : -1;
	if (text > 0) {
		run(&env, text, places, dx);
	}
	br_diags_free(dx);
	br_places_free(places);
	br_arena_release(&arena);
	return 0;
}
