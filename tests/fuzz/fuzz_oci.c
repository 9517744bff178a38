/*
 * A bundle's config.json on standard input, whatever its bytes: no crash, no hang, and what comes
 * out keeps the promises of spec.h.
 */
#include "fuzz_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_bundle(const struct br_container *container) {
	assert(container->literal && container->user.s);
	assert(container->rootfs.s && container->rootfs.s[0] == '/');
	check_absolute(container);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	static const char *const files[] = {"-", NULL};
	int fd = file_of(bytes, n);
	struct br_spec_request request = {
		.files = files,
		.stdin_fd = fd,
		.cwd = "/nowhere/bundle",
		.kind = BR_INPUT_OCI,
		.kind_said = true,
	};
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	check_reading(&request, dx, check_bundle);
	br_diags_free(dx);
	br_places_free(places);
	(void)close(fd);
	return 0;
}
