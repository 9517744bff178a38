/**
 * libFuzzer: any bytes as an image archive, read in this process by what the confined child runs.
 * The first byte chooses: the whole archive, or one layer in an archive whose digests are right,
 * which is where most of the code is.
 */
#include <base/wire.h>

#include <image/bundle.h>
#include <stdlib.h>
#include <string.h>
#include <support/tarball.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool fact) {
	if (!fact) {
		abort();
	}
}

static void ask(int fd, const uint32_t *chosen, size_t nchosen) {
	struct br_buf answer = {0};
	static const char *const asked[] = {"/a", "/etc/x", "/a/b/c/d", "/var/log/x", "/../l/m"};
	struct bundle_request request = {.chosen = chosen,
		.nchosen = nchosen,
		.platform = "linux/amd64",
		.asked = asked,
		.nasked = sizeof(asked) / sizeof(*asked)};
	int error = bundle_answer(&request, &fd, &answer);
	require(error || (answer.n && strchr("ELAI", *answer.s)));
	if (!error && *answer.s == BUNDLE_ERROR) {
		struct br_arena arena = {0};
		struct wire wire = {.s = answer.s + 1, .n = answer.n - 1};
		const char *why = wire_take_string(&wire, &arena);
		require(why && *why && !wire.n);
		br_arena_release(&arena);
	}
	br_buf_release(&answer);
}

static void run(const char *bytes, size_t n) {
	static const uint32_t first = 0;
	int fd = memfd_create("archive", MFD_CLOEXEC);
	require(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	ask(fd, NULL, 0);
	ask(fd, &first, 1);
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	if (!n) {
		return 0;
	}
	if (*bytes == 'w') {
		run((const char *)bytes + 1, n - 1);
		return 0;
	}
	// two layers, cut at the byte that the first one says
	struct br_buf tar = {0};
	struct tarball_image image = {.name = "t:latest", .nlayers = 2};
	size_t cut = (n - 1) * *bytes / 256 / 512 * 512;
	br_buf_addn(&image.layers[0], (const char *)bytes + 1, cut);
	br_buf_addn(&image.layers[1], (const char *)bytes + 1 + cut, n - 1 - cut);
	tarball_digest(&image.layers[0], image.plain[0]);
	tarball_digest(&image.layers[1], image.plain[1]);
	tarball_docker(&tar, &image, 1);
	run(tar.s, tar.n);
	br_buf_release(&tar);
	tarball_image_release(&image);
	return 0;
}
