/*
 * A compose file on standard input, whatever its bytes: no crash, no hang, and what comes out keeps
 * the promises of spec.h.
 */
#include "fuzz_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	static const char *const files[] = {"-", NULL};
	static const char *const environment[] = {
		"A=1", "B=./b:/b", "EMPTY=", "COMPOSE_PROFILES=p", NULL};
	int fd = file_of(bytes, n);
	struct br_spec_request request = {
		.files = files,
		.stdin_fd = fd,
		.environment = environment,
		.home = "/home/u",
		.cwd = "/nowhere/project",
		.kind = BR_INPUT_COMPOSE,
		.kind_said = true,
	};
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	check_reading(&request, dx, NULL);
	br_diags_free(dx);
	br_places_free(places);
	(void)close(fd);
	return 0;
}
