#include "compose/compose.h"
#include "reading.h"

#include <base/mem.h>
#include <base/own.h>
#include <bindright/spec.h>

#include <stdlib.h>

void br_spec_free(struct br_spec *spec) {
	if (!spec) {
		return;
	}
	struct br_arena *arena = spec->arena;
	br_arena_release(arena);
	free(arena);
}

void br_spec_freep(struct br_spec **spec) {
	br_spec_free(*spec);
	*spec = NULL;
}

struct br_spec *br_spec_new(void) {
	struct br_arena *arena = calloc(1, sizeof(*arena));
	struct br_spec *spec = arena ? BR_NEW(arena, struct br_spec) : NULL;
	if (!spec) {
		free(arena);
		return NULL;
	}
	spec->arena = arena;
	return spec;
}

struct br_spec *br_read_with(
	const struct br_spec_request *request, struct br_file_store *store, struct br_diags *dx) {
	br_auto(br_spec_freep) struct br_spec *spec = br_spec_new();
	if (!spec) {
		(void)br_error_memory(dx);
		return NULL;
	}
	spec->kind = BR_INPUT_COMPOSE;
	size_t errors = br_diags_errors(dx);
	if (br_compose_read(request, store, spec, dx)) {
		return NULL;
	}
	// A warning that found no memory has become an error.
	return br_diags_errors(dx) > errors ? NULL : br_steal(&spec);
}

struct br_spec *br_spec_read(const struct br_spec_request *request, struct br_diags *dx) {
	return br_read_confined(request, br_read_child, dx);
}
