#include "variables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

void setting_init(struct setting *t, const struct br_var *variables, size_t n) {
	*t = (struct setting){0};
	t->env.arena = &t->arena;
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(br_env_set(&t->env, &variables[i], false), 0);
	}
	t->places = br_places_new();
	assert_non_null(t->places);
	t->dx = br_diags_new(t->places);
	assert_non_null(t->dx);
}

void setting_release(struct setting *t) {
	br_diags_free(t->dx);
	br_places_free(t->places);
	br_arena_release(&t->arena);
}
