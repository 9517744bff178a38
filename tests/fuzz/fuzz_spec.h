/**
 * For fuzzers of readers: the bytes as a file, and what is read of it.
 */
#ifndef BR_TESTS_FUZZ_SPEC_H
#define BR_TESTS_FUZZ_SPEC_H

#include <assert.h>
#include <spec/reading.h>
#include <stdlib.h>
#include <string.h>
#include <support/promises.h>
#include <sys/mman.h>
#include <unistd.h>

/** What one reader promises beside what all do. */
typedef void also_check(const struct br_container *container);

/** Bind mounts are absolute where the reader has no directory to look from. */
static inline void check_absolute(const struct br_container *container) {
	for (size_t i = 0; i < container->nmounts; i++) {
		const struct br_mount *mount = &container->mounts[i];
		assert(mount->kind != BR_MOUNT_BIND
			|| (mount->source.s && mount->source.s[0] == '/'));
	}
}

/** Read it: it is refused with an error, or what comes keeps its promises. */
static inline void check_reading(
	const struct br_spec_request *request, struct br_diags *dx, also_check *also) {
	struct br_spec *spec = br_read_here(request, dx);
	promise_all(spec, dx);
	for (size_t i = 0; also && spec && i < spec->n; i++) {
		also(&spec->containers[i]);
	}
	br_spec_free(spec);
}

/** The bytes as a file without a name. */
static inline int file_of(const uint8_t *bytes, size_t n) {
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET)) {
		abort();
	}
	return fd;
}

#endif
