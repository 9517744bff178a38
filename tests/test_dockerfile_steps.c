/**
 * What following a Dockerfile takes does not grow faster than the Dockerfile, or ends with an
 * error: counted in the reader's own steps, and by reading ones of a mebibyte, which took minutes
 * or all memory before there was a count.
 */
#include <base/mem.h>
#include <base/own.h>
#include <base/text.h>

#include <image/dockerfile.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum {
	WHOLE = DOCKERFILE_BYTES - 16,
	/** Some services that are built from the same one. */
	SERVICES = 1000,
};

struct reading {
	struct br_arena arena;
	struct br_places *places;
	struct br_diags *dx;
	struct br_image_options options;
	struct image_finder finder;
	struct br_image image;
};

static void start(struct reading *r) {
	*r = (struct reading){.places = br_places_new()};
	r->dx = br_diags_new(r->places);
	assert_non_null(r->dx);
	r->finder = (struct image_finder){.arena = &r->arena, .options = &r->options, .dx = r->dx};
}

static void finish(struct reading *r) {
	br_diags_free(r->dx);
	br_places_free(r->places);
	br_arena_release(&r->arena);
}

static int follow(struct reading *r, const char *text, const struct br_text *args, size_t n) {
	struct br_build build = {.context = {.s = "/nowhere"},
		.dockerfile_inline.s = text,
		.args = args,
		.nargs = n};
	return dockerfile_read(&r->finder, &build, &r->image);
}

static void assert_one_error(const struct reading *r) {
	assert_int_equal(br_diags_count(r->dx), 1);
	assert_int_equal(br_diags_errors(r->dx), 1);
	assert_non_null(strstr(br_diags_get(r->dx, 0)->message, "takes more than 400000000 steps"));
}

/** A character; or a word: @ is a long one, % of a hundred, ^ a long path. */
static void add(struct br_buf *buf, char c) {
	const char *piece = c == '^' ? "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/" : "a";
	int n = c == '@' ? 4000 : 100;
	if (strchr("@%^", c) == NULL) {
		br_buf_addn(buf, &c, 1);
		return;
	}
	while (n-- > 0) {
		br_buf_add(buf, piece);
	}
}

/** A Dockerfile of a mebibyte: the beginning, then the same again and again, and the end. */
static char *make(const char *head, const char *again, const char *tail) {
	struct br_buf buf = {0};
	for (; *head != '\0'; head++) {
		add(&buf, *head);
	}
	while (buf.n + strlen(again) + strlen(tail) < WHOLE) {
		br_buf_add(&buf, again);
	}
	br_buf_add(&buf, tail);
	return br_buf_take(&buf);
}

#define FROM "FROM scratch\n"

static const struct {
	const char *what, *head, *again, *tail;
	bool ends;
} cases[] = {
	{"words of an entrypoint", FROM "ENTRYPOINT ", "a ", "", false},
	{"the same in JSON", FROM "ENTRYPOINT [", "\"a\",", "\"a\"]", false},
	{"words of VOLUME", FROM "VOLUME ", "/a ", "", false},
	{"pairs of ENV", FROM "ENV ", "A=1 ", "", false},
	{"words of ARG", FROM "ARG ", "A ", "", false},
	{"variables of a shell", FROM "RUN ", "$a", "", false},
	{"and in quotes", FROM "RUN \"", "$a", "\"", false},
	{"a shell's own variables", FROM "RUN ", "$HOME", "", false},
	{"directories of a shell", FROM "RUN ", "cd a;", "", false},
	{"substitutions", FROM "RUN ", "$(a", "", false},
	{"heredocs in a script", FROM "RUN <<E\n", "cat <<a <<b <<c <<d\n", "\nE\n", false},
	{"continuation lines", FROM "RUN a", "\\\n#x\n", "b", false},
	{"words of SHELL", FROM "SHELL [\"sh\"", ",\"a\"", "]", false},
	{"one reason for many variables", FROM "ENV A=${@@@?}\nENV ", "B=$A ", "", false},
	{"a value that doubles", FROM "RUN a=x;", "a=$a$a;", "", true},
	{"a word of long values", FROM "ENV A=@\nRUN ", "$A", "", true},
	{"words of long values", FROM "ENV A=@\nRUN ", "$A ", "", true},
	{"the same in ENV", FROM "ENV A=@\nENV ", "B=$A ", "", true},
	{"a slow pattern", FROM "ENV A=%\nUSER ", "${A%%*a*a*a*b}", "", true},
	{"paths below a long one", FROM "WORKDIR /^\nRUN mkdir -p ", "a ", "", true},
	{"sources of a COPY", FROM "COPY ", "a ", "/x/", true},
	{"a user with a long name", FROM "USER @\nRUN ", "a;", "", true},
};

static void test_a_mebibyte(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reading r;
		br_auto(br_freep) char *text = make(cases[i].head, cases[i].again, cases[i].tail);
		assert_non_null(text);
		start(&r);
		int found = follow(&r, text, NULL, 0);
		if (found != (cases[i].ends ? -1 : 1)) {
			fail_msg("%s: %d", cases[i].what, found);
		}
		if (cases[i].ends) {
			assert_one_error(&r);
		} else if (r.finder.steps > (uint64_t)64 * strlen(text)) {
			fail_msg("%s: %zu steps", cases[i].what, (size_t)r.finder.steps);
		}
		finish(&r);
	}
}

static void test_working_directories(void **state) {
	(void)state;
	struct reading r;
	struct br_buf text = {0};
	start(&r);
	br_buf_add(&text, FROM);
	for (int i = 0; i < 19000; i++) {
		br_buf_add(&text, "WORKDIR aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
	}
	assert_false(text.failed);
	assert_int_equal(follow(&r, text.s, NULL, 0), 1);
	assert_null(r.image.workdir);
	// Of those that are short enough for the kernel each directory above is looked for.
	assert_true(r.finder.steps < DOCKERFILE_STEPS / 4);
	br_buf_release(&text);
	finish(&r);
}

/** Each ARG is looked for among all that were given. */
static void test_given_args(void **state) {
	(void)state;
	static struct br_text args[20000];
	struct reading r;
	br_auto(br_freep) char *text = make(FROM "ARG ", "A ", "");
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
		args[i].s = "AA=1";
	}
	start(&r);
	assert_int_equal(follow(&r, text, args, sizeof(args) / sizeof(args[0])), -1);
	assert_one_error(&r);
	finish(&r);
}

/** The steps are those of all services together. A usual one a thousand times is no matter. */
static void test_services(void **state) {
	(void)state;
	static const char usual[] =
		"FROM scratch AS base\nARG UID=1001\nENV PATH=/usr/bin HOME=/home/app\n"
		"RUN groupadd -g 5 app && useradd -u ${UID} -g app app \\\n"
		"  && mkdir -p /data /var/lib/app && chown -R app:app /data /var/lib/app\n"
		"FROM base\nCOPY --chown=app:app a b c /app/\nWORKDIR /app\nUSER app\n"
		"ENTRYPOINT [\"/app/run\"]\n";
	br_auto(br_freep) char *large = make(FROM "LABEL ", "a ", "");
	struct reading r;
	start(&r);
	for (int i = 0; i < SERVICES; i++) {
		assert_int_equal(follow(&r, usual, NULL, 0), 1);
	}
	assert_true(r.finder.steps < DOCKERFILE_STEPS / 10);
	int found = 1;
	int n = 0;
	for (; n < SERVICES && found == 1; n++) {
		found = follow(&r, large, NULL, 0);
	}
	assert_in_range(n, 2, 40);
	assert_one_error(&r);
	finish(&r);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mebibyte),
		cmocka_unit_test(test_working_directories),
		cmocka_unit_test(test_given_args),
		cmocka_unit_test(test_services),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
