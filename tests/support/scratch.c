#include "scratch.h"

#include <base/own.h>
#include <base/text.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

void scratch_make(char *path, size_t size) {
	char name[200];
	const char *tmp = getenv("TMPDIR");
	(void)snprintf(name, sizeof(name), "%s/bindright.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(name));
	assert_int_equal(chmod(name, 0755), 0);
	br_auto(br_freep) char *real = realpath(name, NULL);
	assert_non_null(real);
	assert_true(snprintf(path, size, "%s", real) < (int)size);
}

int scratch_remove(const char *path) {
	char command[512];
	(void)snprintf(command, sizeof(command), "rm -rf --one-file-system '%s'", path);
	return system(command);
}

int scratch_enter(void **state) {
	static char path[256];
	scratch_make(path, sizeof(path));
	*state = path;
	return chdir(path);
}

int scratch_leave(void **state) {
	return chdir("/") || scratch_remove(*state) ? -1 : 0;
}

void needs_root(void) {
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
}

char *repeat(const char *before, const char *unit, size_t n, const char *after) {
	struct br_buf buf = {0};
	br_buf_add(&buf, before);
	for (size_t i = 0; i < n; i++) {
		br_buf_add(&buf, unit);
	}
	br_buf_add(&buf, after);
	char *s = br_buf_take(&buf);
	assert_non_null(s);
	return s;
}
