/**
 * For the tests of who containers are: a spec of a few, and what is told about their images.
 */
#ifndef BR_TESTS_IDENTITY_WORLD_H
#define BR_TESTS_IDENTITY_WORLD_H

#include <base/mem.h>
#include <bindright/identity.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct br_arena arena;
	struct br_places *places;
	struct br_diags *dx;
	/** The first is called svc, and is all of the spec until more are counted. */
	struct br_container boxes[4];
	/** That of the first, where the test says so; and room for words. */
	struct br_image image;
	struct br_text words[4];
	struct br_spec spec;
	struct br_identity_options options;
};

static inline void set_up(struct fixture *f) {
	*f = (struct fixture){.spec.n = 1};
	f->places = br_places_new();
	f->dx = br_diags_new(f->places);
	assert_non_null(f->dx);
	f->boxes[0].name.s = "svc";
	f->spec.containers = f->boxes;
}

static inline void tear_down(struct fixture *f) {
	br_diags_free(f->dx);
	br_places_free(f->places);
	br_arena_release(&f->arena);
}

static inline const struct br_identity *identify(struct fixture *f) {
	return br_identify(&f->arena, &f->spec, &f->options, f->dx);
}

/** Both absent, or the same words. */
static inline bool is_same(const char *a, const char *b) {
	return a && b ? strcmp(a, b) == 0 : a == b;
}

#endif
