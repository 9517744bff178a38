/**
 * For tests: a directory of one's own, and what a test needs of who runs it.
 */
#ifndef BR_TESTS_SCRATCH_H
#define BR_TESTS_SCRATCH_H

#include <stddef.h>

/** A new directory below $TMPDIR or /tmp that everybody may enter; its path has no link in it. */
void scratch_make(char *path, size_t size);
/** With everything below, but not what is mounted there. What system() answers. */
int scratch_remove(const char *path);

/** For cmocka: in a new directory, whose path is *state; and out of it. */
int scratch_enter(void **state);
int scratch_leave(void **state);

/** Skip the test without root. */
void needs_root(void);

/** The text n times between two others; heap. */
char *repeat(const char *before, const char *unit, size_t n, const char *after);

/** Fail with the condition, and why it is not so. */
#define REQUIRE(condition) \
	do { \
		if (!(condition)) { \
			fail_msg("%s (%s)", #condition, strerror(errno)); \
		} \
	} while (0)

#endif
