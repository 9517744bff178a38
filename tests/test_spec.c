/*
 * Every directory below tests/spec/ is a case: its files are the project, `request` (if it is
 * there) says how it is read, and `expected` is the dump of what was understood, or `err` the
 * messages of what was refused.
 *
 * request, a line each: file F, stdin F (what "-" reads), service S, profile P, directory D,
 * env-file F, name N, env NAME=VALUE (the caller's environment), override NAME=VALUE, version N,
 * cwd SUBDIRECTORY, home none. BR_UPDATE=1 writes the files anew, to be checked by eye.
 */
#include <base/own.h>
#include <base/text.h>
#include <bindright/spec.h>

#include <limits.h>
#include <setjmp.h>
#include <spec/reading.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/cases.h>
#include <support/fault.h>

#include <cmocka.h>

static char *slurp(const char *path) {
	br_auto(br_fclosep) FILE *f = fopen(path, "re");
	if (!f) {
		return NULL;
	}
	struct br_buf out = {0};
	char bytes[4096];
	size_t n = 0;
	br_buf_add(&out, "");
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0) {
		br_buf_addn(&out, bytes, n);
	}
	return br_buf_take(&out);
}

static void update(const char *path, const char *text) {
	br_auto(br_fclosep) FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static void run_case(void **state) {
	struct spec_case run;
	case_start(&run, *state);
	struct br_spec *spec = br_spec_read(&run.request, run.dx);
	assert_int_equal(spec == NULL, br_diags_errors(run.dx) > 0);
	br_auto(br_freep) char *text = case_text(&run, spec);
	char path[PATH_MAX + 16];
	(void)snprintf(path, sizeof(path), "%s/%s", run.dir, spec ? "expected" : "err");
	if (getenv("BR_UPDATE")) {
		update(path, text);
	}
	br_auto(br_freep) char *expected = slurp(path);
	if (!expected || strcmp(text, expected) != 0) {
		print_error("%s is:\n%s", path, text);
		fail_msg("case %s differs", (const char *)*state);
	}
	br_spec_free(spec);
	case_finish(&run);
}

/* Each allocation of a case fails once (in this process: a child's would not be counted); then it
 * is refused with a message, and nothing leaks. */
static void fail_each_allocation(const char *name) {
	bool hit = true;
	for (unsigned i = 1; hit; i++) {
		struct spec_case run;
		case_start(&run, name);
		fault_at(i);
		struct br_spec *spec = br_read_here(&run.request, run.dx);
		hit = fault_hit();
		fault_at(0);
		if ((spec == NULL) != (br_diags_errors(run.dx) > 0)) {
			fail_msg("%s: allocation %u is not reported", name, i);
		}
		br_spec_free(spec);
		case_finish(&run);
	}
}

/* The state is the list of all cases. */
static void memory(void **state) {
	for (struct dirent **names = *state; *names; names++) {
		fail_each_allocation((*names)->d_name);
	}
}

int main(void) {
	size_t n = 0;
	struct dirent **cases = case_list(&n);
	struct CMUnitTest *tests = calloc(n + 1, sizeof(*tests));
	if (!tests) {
		return 1;
	}
	for (size_t i = 0; i < n; i++) {
		tests[i].name = cases[i]->d_name;
		tests[i].test_func = run_case;
		tests[i].initial_state = cases[i]->d_name;
	}
	tests[n].name = "memory";
	tests[n].test_func = memory;
	tests[n].initial_state = cases;
	int failed = _cmocka_run_group_tests("spec", tests, n + 1, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		free(cases[i]);
	}
	free(cases);
	free(tests);
	return failed;
}
