/**
 * For tests: the cases below tests/spec/, read and shown as text. What a case is stands in
 * test_spec.c.
 */
#ifndef BR_TESTS_CASES_H
#define BR_TESTS_CASES_H

#include <base/text.h>
#include <bindright/spec.h>

#include <dirent.h>
#include <limits.h>

enum {
	CASE_LIST = 16,
};

/** A case being run. */
struct spec_case {
	char dir[PATH_MAX];
	char cwd[PATH_MAX + 64];
	char lines[64][256];
	size_t nlines;
	const char *files[CASE_LIST], *services[CASE_LIST], *profiles[CASE_LIST],
		*env_files[CASE_LIST];
	const char *environment[CASE_LIST], *overrides[CASE_LIST];
	struct br_spec_request request;
	struct br_places *places;
	struct br_diags *dx;
	struct br_buf out;
};

/** The directory of the project. */
const char *case_top(void);
/** The names of all cases, sorted, with NULL behind them; heap. */
struct dirent **case_list(size_t *n);
/** Everything but the reading itself. */
void case_start(struct spec_case *run, const char *name);
void case_finish(struct spec_case *run);
/** The spec (which may be NULL) and the messages, the case's directory as "@"; heap. */
char *case_text(struct spec_case *run, const struct br_spec *spec);

#endif
