// Whoever got into the process that does the work may send its caller anything: that is an end of
// the work, and nothing else.

#include <base/jail.h>
#include <base/mem.h>

#include <apply/apart.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	READY = 1,
	ASK,
	DIAG,
	EXAMPLE,
	END,
};

/** As src/apply/apart.c has it. */
struct frame {
	uint32_t kind;
	int32_t value;
	uint64_t which;
	uint32_t first, second;
	char text[40];
};

enum {
	HEAD = offsetof(struct frame, text),
	/** Longer than any message. */
	HUGE_SIZE = 48 << 10,
};

/** What is sent over there: so many of these bytes of it, so many times. */
struct row {
	const char *name;
	struct frame frame;
	size_t size;
	unsigned times;
	/** An END after it. */
	bool ends;
	enum br_apart_end want;
	int r;
	unsigned errors, examples, asked;
};

#define TWO .first = 2, .second = 2, .text = "a\0b"

static const struct row rows[] = {
	{"nothing", {0}, 0, 0, false, BR_APART_DIED, 0, 1, 0, 0},
	{"only the end", {0}, 0, 0, true, BR_APART_ENDED, 0, 0, 0, 0},
	{"a failure", {.kind = END, .value = -7, TWO}, HEAD + 4, 1, false, BR_APART_ENDED, -1, 0, 0,
		0},
	{"no kind", {TWO}, HEAD + 4, 1, true, BR_APART_DIED, 0, 1, 0, 0},
	{"an unknown kind", {.kind = 99, TWO}, HEAD + 4, 1, true, BR_APART_DIED, 0, 1, 0, 0},
	{"ready again", {.kind = READY, TWO}, HEAD + 4, 1, true, BR_APART_DIED, 0, 1, 0, 0},
	{"a piece of a head", {.kind = DIAG}, 3, 1, true, BR_APART_DIED, 0, 1, 0, 0},
	{"no first text", {.kind = DIAG, .second = 2, .text = "a"}, HEAD + 2, 1, true,
		BR_APART_DIED, 0, 1, 0, 0},
	{"no second text", {.kind = DIAG, .first = 2, .text = "a"}, HEAD + 2, 1, true,
		BR_APART_DIED, 0, 1, 0, 0},
	{"a first text without end",
		{.kind = DIAG, .first = UINT32_MAX, .second = 5, .text = "abc"}, HEAD + 4, 1, true,
		BR_APART_DIED, 0, 1, 0, 0},
	{"a second text without end", {.kind = DIAG, .first = 2, .second = UINT32_MAX, .text = "a"},
		HEAD + 4, 1, true, BR_APART_DIED, 0, 1, 0, 0},
	{"sizes that wrap", {.kind = DIAG, .first = 0x80000002, .second = 0x80000002, .text = "a"},
		HEAD + 4, 1, true, BR_APART_DIED, 0, 1, 0, 0},
	{"less than it says", {.kind = DIAG, TWO}, HEAD + 3, 1, true, BR_APART_DIED, 0, 1, 0, 0},
	{"more than it says", {.kind = DIAG, TWO}, HEAD + 5, 1, true, BR_APART_DIED, 0, 1, 0, 0},
	{"the first has no NUL", {.kind = DIAG, .first = 2, .second = 2, .text = "aab"}, HEAD + 4,
		1, true, BR_APART_DIED, 0, 1, 0, 0},
	{"the second has no NUL", {.kind = DIAG, .first = 2, .second = 2, .text = "a\0bb"},
		HEAD + 4, 1, true, BR_APART_DIED, 0, 1, 0, 0},
	{"more than there is room for", {.kind = DIAG, TWO}, HUGE_SIZE, 1, true, BR_APART_DIED, 0,
		1, 0, 0},
	{"a note", {.kind = DIAG, .value = BR_NOTE, TWO}, HEAD + 4, 1, true, BR_APART_ENDED, 0, 0,
		0, 0},
	{"an unknown severity", {.kind = DIAG, .value = 77, TWO}, HEAD + 4, 1, true, BR_APART_ENDED,
		0, 1, 0, 0},
	{"a negative severity", {.kind = DIAG, .value = -1, TWO}, HEAD + 4, 1, true, BR_APART_ENDED,
		0, 1, 0, 0},
	{"examples", {.kind = EXAMPLE, TWO}, HEAD + 4, BR_EXAMPLES, true, BR_APART_ENDED, 0, 0,
		BR_EXAMPLES, 0},
	{"an example too many", {.kind = EXAMPLE, TWO}, HEAD + 4, BR_EXAMPLES + 1, true,
		BR_APART_DIED, 0, 1, BR_EXAMPLES, 0},
	{"questions", {.kind = ASK, .value = -1, .which = UINT64_MAX, TWO}, HEAD + 4, 3, true,
		BR_APART_ENDED, 0, 0, 0, 3},
	{"an end, and more", {.kind = END, .value = 5, TWO}, HEAD + 4, 9, true, BR_APART_ENDED, 5,
		0, 0, 0},
};

struct scene {
	const struct row *row;
	unsigned asked;
};

/** Over there. */
static int work(void *context, struct br_line *line) {
	static char bytes[HUGE_SIZE];
	const struct row *row = ((struct scene *)context)->row;
	struct br_served served;
	// struct br_line's only member.
	int fd;
	memcpy(&fd, line, sizeof(fd));
	memcpy(bytes, &row->frame, sizeof(row->frame));
	for (unsigned i = 0; i < row->times; i++) {
		if (send(fd, bytes, row->size, MSG_NOSIGNAL) != (ssize_t)row->size) {
			_exit(1);
		}
		if (row->frame.kind == ASK
			&& recv(fd, &served, sizeof(served), 0) != (ssize_t)sizeof(served)) {
			_exit(1);
		}
	}
	if (!row->ends) {
		_exit(0);
	}
	return 0;
}

static void serve(void *context, unsigned what, uint64_t which, struct br_served *out) {
	struct scene *scene = context;
	(void)what;
	(void)which;
	scene->asked++;
	*out = (struct br_served){.r = -1};
}

static void check(const struct row *row) {
	struct br_places *places = br_places_new();
	struct br_arena arena = {0};
	struct br_apply_options options = {.jail = BR_JAIL_TRY};
	struct br_apply_result here = {0};
	struct scene scene = {.row = row};
	size_t hung = 0;
	int r = 0;
	struct br_apart apart = {
		.work = work,
		.serve = serve,
		.context = &scene,
		.board = br_board_new(),
		.options = &options,
		.dry = true,
		.journal = -1,
		.arena = &arena,
		.dx = br_diags_new(places),
		.here = {here.examples, here.reasons, &here.nexamples},
	};
	assert_true(apart.board != NULL && apart.dx != NULL);
	struct br_apply_result *there = &apart.board->applied;
	apart.there = (struct br_few){there->examples, there->reasons, &there->nexamples};
	enum br_apart_end end = br_apart_run(&apart, &r, &hung);
	if (end != row->want || br_diags_errors(apart.dx) != row->errors
		|| here.nexamples != row->examples || scene.asked != row->asked
		|| (end == BR_APART_ENDED && r != row->r)) {
		fail_msg("%s: %d, %d, %zu errors, %zu examples, asked %u", row->name, (int)end, r,
			br_diags_errors(apart.dx), here.nexamples, scene.asked);
	}
	br_diags_free(apart.dx);
	br_board_free(apart.board);
	br_arena_release(&arena);
	br_places_free(places);
}

static void test_frames(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check(&rows[i]);
	}
}

// ---- What it needs for single calls only ----

/** A directory that is somebody else's and private. */
struct theirs {
	int dir;
};

/** Over there: 0, or the number of the first step that was not as it should be. */
static int make_there(void *context, struct br_line *line) {
	const int dir = ((const struct theirs *)context)->dir;
	(void)line;
	const bool steps[] = {
		mkdirat(dir, "a", 0700) < 0 && errno == EACCES,
		fchownat(dir, "", 4711, 4711, AT_EMPTY_PATH) == 0,
		br_jail_wake() == 0 && mkdirat(dir, "a", 0700) == 0,
		br_jail_rest() == 0 && unlinkat(dir, "a", AT_REMOVEDIR) < 0 && errno == EACCES,
	};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (!steps[i]) {
			return (int)i + 1;
		}
	}
	return 0;
}

static void test_override_rests(void **state) {
	char top[] = "/tmp/bindright-apart-XXXXXX";
	struct br_places *places = br_places_new();
	struct br_arena arena = {0};
	struct br_apply_options options = {.jail = BR_JAIL_TRY};
	struct br_apply_result here = {0};
	struct theirs theirs;
	size_t hung = 0;
	int r = -1;
	(void)state;
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	assert_non_null(mkdtemp(top));
	theirs.dir = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(chown(top, 4712, 4712), 0);
	struct br_apart apart = {
		.work = make_there,
		.context = &theirs,
		.board = br_board_new(),
		.options = &options,
		.dry = true,
		.journal = -1,
		.caps = BR_APART_CAPS | UINT64_C(1) << CAP_DAC_OVERRIDE,
		.arena = &arena,
		.dx = br_diags_new(places),
		.here = {here.examples, here.reasons, &here.nexamples},
	};
	assert_true(theirs.dir >= 0 && apart.board != NULL && apart.dx != NULL);
	struct br_apply_result *there = &apart.board->applied;
	apart.there = (struct br_few){there->examples, there->reasons, &there->nexamples};
	assert_int_equal(br_apart_run(&apart, &r, &hung), BR_APART_ENDED);
	assert_int_equal(r, 0);
	assert_int_equal(unlinkat(theirs.dir, "a", AT_REMOVEDIR), 0);
	(void)close(theirs.dir);
	assert_int_equal(rmdir(top), 0);
	br_diags_free(apart.dx);
	br_board_free(apart.board);
	br_arena_release(&arena);
	br_places_free(places);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_override_rests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
