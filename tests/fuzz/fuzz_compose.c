/*
 * A compose file on standard input, whatever its bytes: no crash, no hang, and what comes out keeps the promises of spec.h.
 *
 *     clang -std=gnu17 -D_GNU_SOURCE -Iinclude -Isrc -g -O1 -fsanitize=fuzzer,address,undefined \
 *         -DBR_SANITIZED tests/fuzz/fuzz_compose.c $(find src/base src/diag src/doc src/spec -name '*.c') -lfyaml -ljansson -lseccomp
 */
#include <bindright/spec.h>

#include <assert.h>
#include <spec/reading.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_text(struct br_places *places, struct br_text text) {
	size_t n = 0;
	if (text.s && text.at.text) {
		assert(br_places_bytes(places, text.at.text, &n));
		assert(text.at.off <= n && text.at.len <= n - text.at.off);
	}
}

static void check_mount(struct br_places *places, const struct br_mount *mount) {
	assert(mount->target.s && *mount->target.s);
	assert(mount->kind == BR_MOUNT_VOLUME || mount->kind == BR_MOUNT_TMPFS || mount->source.s);
	check_text(places, mount->source);
	check_text(places, mount->written);
	check_text(places, mount->target);
	check_text(places, mount->propagation);
	for (size_t i = 0; i < mount->noptions; i++) {
		assert(mount->options[i].s);
		check_text(places, mount->options[i]);
	}
}

static void check_container(struct br_places *places, const struct br_container *container) {
	assert(container->name.s && *container->name.s);
	check_text(places, container->user);
	check_text(places, container->image);
	for (size_t i = 0; i < container->ngroup_add; i++) {
		assert(container->group_add[i].s);
	}
	for (size_t i = 0; i < container->nmounts; i++) {
		check_mount(places, &container->mounts[i]);
	}
}

static void render(struct br_places *places, const struct br_diags *dx) {
	for (size_t i = 0; i < br_diags_count(dx); i++) {
		free(br_diag_render(places, br_diags_get(dx, i), "fuzz", true));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	static const char *const files[] = {"-", NULL};
	static const char *const environment[] = {
		"A=1", "B=./b:/b", "EMPTY=", "COMPOSE_PROFILES=p", NULL};
	int fd = memfd_create("compose", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET)) {
		abort();
	}
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
	struct br_spec *spec = br_read_here(&request, dx);
	assert((spec == NULL) == (br_diags_errors(dx) > 0));
	for (size_t i = 0; spec && i < spec->n; i++) {
		check_container(places, &spec->containers[i]);
	}
	render(places, dx);
	br_spec_free(spec);
	br_diags_free(dx);
	br_places_free(places);
	(void)close(fd);
	return 0;
}
