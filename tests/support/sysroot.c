#include "sysroot.h"

#include "scratch.h"

#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

int sysroot_setup(void **state) {
	struct sysroot *s = calloc(1, sizeof(*s));
	assert_non_null(s);
	scratch_make(s->root, sizeof(s->root));
	assert_int_equal(mkdir(sysroot_path(s, "etc"), 0755), 0);
	s->places = br_places_new();
	s->dx = br_diags_new(s->places);
	assert_non_null(s->dx);
	*state = s;
	return 0;
}

int sysroot_teardown(void **state) {
	struct sysroot *s = *state;
	int left = scratch_remove(s->root);
	br_hostdb_free(s->db);
	br_arena_release(&s->arena);
	br_diags_free(s->dx);
	br_places_free(s->places);
	free(s);
	return left;
}

const char *sysroot_path(const struct sysroot *s, const char *name) {
	static char path[512];
	(void)snprintf(path, sizeof(path), "%s/%s", s->root, name);
	return path;
}

void sysroot_put_bytes(const struct sysroot *s, const char *name, const char *bytes, size_t n) {
	br_auto(br_closep) int fd =
		open(sysroot_path(s, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	REQUIRE(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
}

void sysroot_put(const struct sysroot *s, const char *name, const char *text) {
	sysroot_put_bytes(s, name, text, strlen(text));
}
