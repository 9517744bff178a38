/*
 * Run lines, whatever their bytes: no crash, no hang, and what comes out keeps the promises of spec.h. A text that begins with "--" has a word of a command line on each
 * line; any other is a script, a Makefile or Markdown on standard input.
 *
 *     clang -std=gnu17 -D_GNU_SOURCE -Iinclude -Isrc -g -O1 -fsanitize=fuzzer,address,undefined \
 *         -DBR_SANITIZED tests/fuzz/fuzz_run_line.c $(find src/base src/diag src/doc src/spec -name '*.c') -lfyaml -ljansson -lseccomp
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
	assert(mount->target.s[0] == '/');
	assert(mount->kind != BR_MOUNT_BIND || (mount->source.s && mount->source.s[0] == '/'));
	check_text(places, mount->idmap);
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
	assert((container->image.s && *container->image.s) || container->rootfs.s);
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

enum {
	WORDS = 256,
};

static void read_all(
	const struct br_spec_request *request, struct br_places *places, struct br_diags *dx) {
	size_t before = br_diags_errors(dx);
	struct br_spec *spec = br_read_here(request, dx);
	assert((spec == NULL) == (br_diags_errors(dx) > before));
	for (size_t i = 0; spec && i < spec->n; i++) {
		check_container(places, &spec->containers[i]);
	}
	render(places, dx);
	br_spec_free(spec);
}

/** Each line is a word, as argv has them. */
static size_t split(char *line, uint16_t text, struct br_text *words) {
	size_t n = 0;
	char *rest = line;
	for (char *word = strsep(&rest, "\n"); word && n < WORDS; word = strsep(&rest, "\n")) {
		words[n++] = (struct br_text){
			word, {text, (uint32_t)(word - line), (uint32_t)strlen(word)}};
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	static const char *const files[] = {"-", NULL};
	static const char *const environment[] = {
		"A=1", "B=./b:/b", "EMPTY=", "O=-v /a:/b -u 1", NULL};
	struct br_text words[WORDS];
	char *line = calloc(1, n + 1);
	int fd = memfd_create("lines", MFD_CLOEXEC);
	if (!line || fd < 0 || write(fd, bytes, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET)) {
		abort();
	}
	memcpy(line, bytes, n);
	struct br_spec_request request = {
		.files = files,
		.stdin_fd = fd,
		.environment = environment,
		.home = "/home/u",
		.cwd = "/nowhere/project",
		.kind = BR_INPUT_RUN_LINE,
		.kind_said = true,
		.user_name = "u",
	};
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	if (n > 2 && memcmp(line, "--", 2) == 0) {
		int text = br_places_add(
			places, BR_PLACE_ARGV, "<command line>", line + 2, strlen(line + 2));
		assert(text > 0);
		request.line = words;
		request.nline = split(line + 2, (uint16_t)text, words);
	}
	read_all(&request, places, dx);
	br_diags_free(dx);
	br_places_free(places);
	free(line);
	(void)close(fd);
	return 0;
}
