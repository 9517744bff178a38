/**
 * For tests of what reads a host's accounts: a sysroot in a directory of its own, and what is read from it.
 */
#ifndef BR_TESTS_SYSROOT_H
#define BR_TESTS_SYSROOT_H

#include <base/mem.h>
#include <bindright/identity.h>

#include <stddef.h>

struct sysroot {
	char root[256];
	struct br_places *places;
	struct br_diags *dx;
	struct br_arena arena;
	/** The test's; freed with the rest. */
	struct br_hostdb *db;
};

/** For cmocka: *state is one with an empty etc, and its end. */
int sysroot_setup(void **state);
int sysroot_teardown(void **state);

/** The path of something in it, until the next one is asked for. */
const char *sysroot_path(const struct sysroot *s, const char *name);
/** A file that has these bytes, or this text, and no others. */
void sysroot_put_bytes(const struct sysroot *s, const char *name, const char *bytes, size_t n);
void sysroot_put(const struct sysroot *s, const char *name, const char *text);

#endif
