/**
 * For tests of what reads variables: some that are set, and somewhere for the errors.
 */
#ifndef BR_TESTS_VARIABLES_H
#define BR_TESTS_VARIABLES_H

#include <base/mem.h>

#include <spec/interpolate.h>
#include <stddef.h>

struct setting {
	struct br_arena arena;
	struct br_env env;
	struct br_places *places;
	struct br_diags *dx;
};

/** These are set, and no others. */
void setting_init(struct setting *t, const struct br_var *variables, size_t n);
void setting_release(struct setting *t);

#endif
