/*
 * Run lines, whatever their bytes: no crash, no hang, and what comes out keeps the promises of
 * spec.h. A text that begins with "--" has a word of a command line on each line; any other is a
 * script, a Makefile or Markdown on standard input.
 */
#include "fuzz_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_line(const struct br_container *container) {
	assert((container->image.s && *container->image.s) || container->rootfs.s);
	for (size_t i = 0; i < container->nmounts; i++) {
		assert(container->mounts[i].target.s[0] == '/');
	}
	check_absolute(container);
}

enum {
	WORDS = 256,
};

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
	int fd = file_of(bytes, n);
	if (!line) {
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
	check_reading(&request, dx, check_line);
	br_diags_free(dx);
	br_places_free(places);
	free(line);
	(void)close(fd);
	return 0;
}
