/*
 * Any bytes as the answer of a reader that was taken over: no crash, no hang, and what is taken
 * keeps the promises of spec.h and is written again the same.
 */
#include <base/own.h>

#include <spec/wire.h>
#include <support/promises.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void take_result(const char *bytes, size_t n) {
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_wire_base base = br_wire_base(dx);
	struct br_spec *spec = br_wire_take_result(bytes, n, dx);
	promise_all(spec, dx);
	if (spec) {
		struct br_buf again = {0};
		br_wire_put_result(spec, dx, base, &again);
		promise(again.n == n && memcmp(again.s, bytes, n) == 0);
		br_buf_release(&again);
	}
	br_spec_free(spec);
	br_diags_free(dx);
	br_places_free(places);
}

static void take_questions(const char *bytes, size_t n) {
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_file_store store = {.stdin_fd = -1};
	int failed = br_wire_take_questions(bytes, n, &store, dx);
	promise((failed != 0) == (br_diags_errors(dx) == 1));
	for (size_t i = 0; !failed && i < store.needs.n; i++) {
		const struct br_question *need = &store.needs.v[i];
		promise(need->path[0] == '/'
			|| (need->ask == BR_ASK_COMPOSE && strcmp(need->path, "-") == 0));
	}
	br_store_release(&store);
	br_diags_free(dx);
	br_places_free(places);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	const char *s = n ? (const char *)bytes : "";
	if (br_wire_is_questions(s, n)) {
		take_questions(s, n);
	} else {
		take_result(s, n);
	}
	return 0;
}
