#include <base/own.h>
#include <bindright/diag.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char sample[] =
	"services:\n  web:\r\n\tuser: \xe6\xbc\xa2\xe5\xad\x97x:www-data\n\nlast";

static struct br_span span_of(uint16_t text, const char *bytes, const char *word) {
	const char *at = strstr(bytes, word);
	assert_non_null(at);
	return (struct br_span){text, (uint32_t)(at - bytes), (uint32_t)strlen(word)};
}

static uint16_t add_text(
	struct br_places *places, enum br_place_kind kind, const char *name, const char *bytes) {
	int text = br_places_add(places, kind, name, bytes, strlen(bytes));
	assert_true(text > 0);
	return (uint16_t)text;
}

static void test_places(void **state) {
	(void)state;
	br_auto(br_places_freep) struct br_places *places = br_places_new();
	char name[] = "a.yaml";
	char bytes[] = "x\0y";
	size_t n = 9;
	assert_int_equal(br_places_count(places), 0);
	assert_null(br_places_bytes(places, 1, &n));
	assert_int_equal(n, 0);
	assert_int_equal(br_places_add(places, BR_PLACE_FILE, name, bytes, 3), 1);
	assert_int_equal(br_places_add(places, BR_PLACE_FILE, "-", NULL, 0), 2);
	assert_int_equal(br_places_count(places), 2);
	// Both were copied.
	memset(name, 'z', 6);
	memset(bytes, 'z', 3);
	assert_string_equal(br_places_name(places, 1), "a.yaml");
	assert_memory_equal(br_places_bytes(places, 1, &n), "x\0y", 4);
	assert_int_equal(n, 3);
	assert_string_equal(br_places_bytes(places, 2, &n), "");
	assert_null(br_places_name(places, 0));
	assert_null(br_places_name(places, 3));
}

static void test_too_many_places(void **state) {
	(void)state;
	br_auto(br_places_freep) struct br_places *places = br_places_new();
	for (int i = 1; i <= UINT16_MAX; i++) {
		assert_int_equal(br_places_add(places, BR_PLACE_FILE, "", "", 0), i);
	}
	errno = 0;
	assert_int_equal(br_places_add(places, BR_PLACE_FILE, "", "", 0), -1);
	assert_int_equal(errno, EOVERFLOW);
	errno = 0;
	br_auto(br_places_freep) struct br_places *other = br_places_new();
	assert_int_equal(br_places_add(other, BR_PLACE_FILE, "", "", (size_t)1 << 32), -1);
	assert_int_equal(errno, EOVERFLOW);
}

static void test_find(void **state) {
	(void)state;
	br_auto(br_places_freep) struct br_places *places = br_places_new();
	uint16_t text = add_text(places, BR_PLACE_FILE, "c.yaml", sample);
	uint16_t bad = add_text(places, BR_PLACE_FILE, "bad", "\xff\xc3x");
	uint16_t empty = add_text(places, BR_PLACE_FILE, "empty", "");
	const struct {
		struct br_span at;
		uint32_t line, column;
	} cases[] = {
		{{text, 0, 0}, 1, 1},
		{{text, 8, 1}, 1, 9},
		{{text, 9, 1}, 1, 10}, // the line's end belongs to it
		{{text, 10, 1}, 2, 1},
		{span_of(text, sample, "web"), 2, 3},
		{span_of(text, sample, "www-data"), 3, 12},
		{span_of(text, sample, "last"), 5, 1},
		{{text, sizeof(sample) - 1, 0}, 5, 5},
		{{text, UINT32_MAX, UINT32_MAX}, 5, 5},
		{{bad, 2, 1}, 1, 3},
		{{empty, 0, 0}, 1, 1},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct br_position position = {0};
		assert_true(br_places_find(places, cases[i].at, &position));
		assert_int_equal(position.line, cases[i].line);
		assert_int_equal(position.column, cases[i].column);
	}
	struct br_position position;
	assert_false(br_places_find(places, (struct br_span){0}, &position));
	assert_false(br_places_find(places, (struct br_span){4, 0, 0}, &position));
}

static void test_list(void **state) {
	(void)state;
	br_auto(br_places_freep) struct br_places *places = br_places_new();
	br_auto(br_diags_freep) struct br_diags *dx = br_diags_new(places);
	const struct br_span at = {1, 2, 3};
	assert_ptr_equal(br_diags_places(dx), places);
	// Nothing to add to yet.
	br_hint(dx, "lost");
	br_code(dx, "BR000");
	assert_int_equal(br_error(dx, at, "no user '%s'", "a\033[31mb\n\xe2\x80\xae"), -1);
	br_code(dx, "BR303");
	br_hint(dx, "--user %s=%u", "web", 33U);
	br_other(dx, (struct br_span){1, 5, 6}, "asked for %s", "here");
	br_warning(dx, (struct br_span){0}, "odd");
	br_note(dx, at, "because");
	assert_int_equal(br_diags_count(dx), 3);
	assert_int_equal(br_diags_errors(dx), 1);
	const struct br_diag *first = br_diags_get(dx, 0);
	assert_int_equal(first->severity, BR_ERROR);
	assert_string_equal(first->message, "no user 'a\\x1b[31mb\\x0a\\u{202e}'");
	assert_string_equal(first->code, "BR303");
	assert_string_equal(first->hint, "--user web=33");
	assert_string_equal(first->other_message, "asked for here");
	assert_int_equal(first->at.off, 2);
	assert_int_equal(first->other.off, 5);
	const struct br_diag *second = br_diags_get(dx, 1);
	assert_int_equal(second->severity, BR_WARNING);
	assert_null(second->hint);
	assert_null(second->code);
	assert_int_equal(br_diags_get(dx, 2)->severity, BR_NOTE);
	assert_null(br_diags_get(dx, 3));
}

static void test_error_memory(void **state) {
	(void)state;
	br_auto(br_diags_freep) struct br_diags *dx = br_diags_new(NULL);
	assert_int_equal(br_error(dx, (struct br_span){0}, "first"), -1);
	assert_int_equal(br_error_memory(dx), -1);
	// Belongs to the one that was lost, not to the first.
	br_hint(dx, "x");
	assert_int_equal(br_error_memory(dx), -1);
	assert_int_equal(br_diags_count(dx), 2);
	assert_int_equal(br_diags_errors(dx), 2);
	assert_null(br_diags_get(dx, 0)->hint);
	assert_string_equal(br_diags_get(dx, 1)->message, "out of memory");
	assert_int_equal(br_diags_get(dx, 1)->severity, BR_ERROR);
}

/** Everything once, on whatever memory there is. */
static void try_everything(void) {
	br_auto(br_places_freep) struct br_places *places = br_places_new();
	br_auto(br_diags_freep) struct br_diags *dx = places ? br_diags_new(places) : NULL;
	if (!dx) {
		assert_int_equal(errno, ENOMEM);
		return;
	}
	int text = br_places_add(places, BR_PLACE_FILE, "f", sample, sizeof(sample) - 1);
	if (text < 0) {
		assert_int_equal(errno, ENOMEM);
		text = 0;
	}
	for (int i = 0; i < 20; i++) {
		(void)br_error(dx, (struct br_span){(uint16_t)text, 3, 2}, "%d", i);
		br_hint(dx, "%d", i);
		br_other(dx, (struct br_span){(uint16_t)text, 1, 1}, "%d", i);
	}
	assert_true(br_diags_errors(dx) >= 20);
	for (size_t i = 0; i < br_diags_count(dx); i++) {
		errno = 0;
		br_auto(br_freep) char *drawn =
			br_diag_render(places, br_diags_get(dx, i), "x", true);
		if (!drawn) {
			assert_int_equal(errno, ENOMEM);
		}
	}
}

static void test_no_memory(void **state) {
	(void)state;
	FAULT_EACH(i, try_everything());
}

/** What is drawn for one span of one text. */
static void expect_drawn(const char *bytes, struct br_span at, const char *expected) {
	br_auto(br_places_freep) struct br_places *places = br_places_new();
	at.text = add_text(places, BR_PLACE_FILE, "f", bytes);
	const struct br_diag diag = {.severity = BR_ERROR, .at = at, .message = "no"};
	br_auto(br_freep) char *drawn = br_diag_render(places, &diag, NULL, false);
	assert_non_null(drawn);
	assert_string_equal(drawn, expected);
}

#define ERROR(place) "f:" place ": error: no\n"
#define MARGIN "      | "

static void test_draw(void **state) {
	(void)state;
	static const struct {
		const char *bytes;
		struct br_span at;
		const char *expected;
	} cases[] = {
		{"user: www\n", {0, 6, 3}, ERROR("1:7") "    1 | user: www\n" MARGIN "      ^~~\n"},
		{"user: w\n", {0, 6, 1}, ERROR("1:7") "    1 | user: w\n" MARGIN "      ^\n"},
		{"user:\n", {0, 5, 0}, ERROR("1:6") "    1 | user:\n" MARGIN "     ^\n"},
		{"a\nb\n", {0, 4, 0}, ERROR("3:1") "    3 | \n" MARGIN "^\n"},
		{"", {0, 0, 0}, ERROR("1:1") "    1 | \n" MARGIN "^\n"},
		{"a", {0, 50, 50}, ERROR("1:2") "    1 | a\n" MARGIN " ^\n"},
		// Over several lines, and over a carriage return.
		{"ab\r\ncd\n", {0, 1, 5}, ERROR("1:2") "    1 | ab\n" MARGIN " ^\n"},
		{"abc\ncd\n", {0, 1, 5}, ERROR("1:2") "    1 | abc\n" MARGIN " ^~\n"},
		// A tab goes to the next eighth column, and is as wide as what is under it.
		{"\tab", {0, 1, 2}, ERROR("1:2") "    1 |         ab\n" MARGIN "        ^~\n"},
		{"abc\tx", {0, 4, 1}, ERROR("1:5") "    1 | abc     x\n" MARGIN "        ^\n"},
		{"a\tx", {0, 1, 1}, ERROR("1:2") "    1 | a       x\n" MARGIN " ^~~~~~~\n"},
		// Wide, combining, and none at all.
		{"\xe6\xbc\xa2x", {0, 3, 1}, ERROR("1:2") "    1 | \xe6\xbc\xa2x\n" MARGIN "  ^\n"},
		{"\xe6\xbc\xa2\xe5\xad\x97", {0, 0, 6},
			ERROR("1:1") "    1 | \xe6\xbc\xa2\xe5\xad\x97\n" MARGIN "^~~~\n"},
		{"e\xcc\x81x", {0, 3, 1}, ERROR("1:3") "    1 | e\xcc\x81x\n" MARGIN " ^\n"},
		{"\x1b[31mx", {0, 5, 1}, ERROR("1:6") "    1 | \\x1b[31mx\n" MARGIN "        ^\n"},
		{"\xe2\x80\xaex", {0, 3, 1},
			ERROR("1:2") "    1 | \\u{202e}x\n" MARGIN "        ^\n"},
		{"a\\b\xff", {0, 3, 1}, ERROR("1:4") "    1 | a\\b\\xff\n" MARGIN "   ^~~~\n"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		expect_drawn(cases[i].bytes, cases[i].at, cases[i].expected);
	}
}

/** A line of 1,000 characters with "HERE" in it. */
static char *long_line(size_t off) {
	char *line = malloc(1001);
	assert_non_null(line);
	memset(line, '-', 1000);
	line[1000] = '\0';
	(void)memcpy(line + off, "HERE", 4);
	return line;
}

static void test_draw_long_lines(void **state) {
	(void)state;
	static const struct {
		size_t off;
		bool cut_left, cut_right;
	} cases[] = {{0, false, true}, {59, false, true}, {61, true, true}, {500, true, true},
		{996, true, false}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		br_auto(br_places_freep) struct br_places *places = br_places_new();
		br_auto(br_freep) char *line = long_line(cases[i].off);
		struct br_span at = {
			add_text(places, BR_PLACE_FILE, "f", line), (uint32_t)cases[i].off, 4};
		const struct br_diag diag = {.severity = BR_ERROR, .at = at, .message = "no"};
		br_auto(br_freep) char *drawn = br_diag_render(places, &diag, NULL, false);
		assert_non_null(drawn);
		const char *text = strchr(drawn, '|');
		const char *marks = text ? strchr(text, '\n') + 1 : NULL;
		assert_non_null(marks);
		size_t width = (size_t)(marks - 1 - (text + 2));
		assert_true(width <= 103 && width > 40);
		assert_int_equal(!strncmp(text + 2, "...", 3), cases[i].cut_left);
		assert_int_equal(!strncmp(marks - 4, "...", 3), cases[i].cut_right);
		// The caret is as far from its margin as the word from its own.
		const char *here = strstr(text, "HERE");
		const char *caret = strstr(marks, "^~~~\n");
		assert_non_null(here);
		assert_non_null(caret);
		assert_int_equal(here - text, caret - strchr(marks, '|'));
	}
}

static void test_draw_cuts_between_characters(void **state) {
	(void)state;
	br_auto(br_places_freep) struct br_places *places = br_places_new();
	char line[3 * 300 + 2] = "";
	for (size_t i = 0; i < 300; i++) {
		(void)memcpy(line + 3 * i, "\xe6\xbc\xa2", 3);
	}
	line[900] = 'x';
	struct br_span at = {add_text(places, BR_PLACE_FILE, "f", line), 900, 1};
	const struct br_diag diag = {.severity = BR_ERROR, .at = at, .message = "no"};
	br_auto(br_freep) char *drawn = br_diag_render(places, &diag, NULL, false);
	assert_non_null(drawn);
	assert_null(strstr(drawn, "\\x"));
	// Three dots, then twenty characters of two columns.
	assert_non_null(strstr(drawn, "\n      |                                            ^\n"));
}

static void test_draw_whole(void **state) {
	(void)state;
	br_auto(br_places_freep) struct br_places *places = br_places_new();
	const char *words = "docker run -v /srv:/data image";
	uint16_t file = add_text(places, BR_PLACE_FILE, "a\033.yaml", sample);
	uint16_t argv = add_text(places, BR_PLACE_ARGV, "argv", words);
	const struct br_diag diag = {
		.severity = BR_WARNING,
		.code = "BR402",
		.at = span_of(argv, words, "/data"),
		.message = "both",
		.other = span_of(file, sample, "web"),
		.other_message = "the other",
		.hint = "choose",
	};
	br_auto(br_freep) char *drawn = br_diag_render(places, &diag, "bindright", false);
	assert_string_equal(drawn,
		"bindright: <command line>:1:20: warning: both [BR402]\n"
		"    1 | docker run -v /srv:/data image\n"
		"      |                    ^~~~~\n"
		"a\\x1b.yaml:2:3: note: the other\n"
		"    2 |   web:\n"
		"      |   ^~~\n"
		"  hint: choose\n");
	const struct br_diag bare = {.severity = BR_INFO, .message = "so"};
	br_auto(br_freep) char *plain = br_diag_render(places, &bare, "bindright", false);
	assert_string_equal(plain, "bindright: info: so\n");
}

static void test_color(void **state) {
	(void)state;
	br_auto(br_places_freep) struct br_places *places = br_places_new();
	uint16_t file = add_text(places, BR_PLACE_FILE, "f", "abc");
	const struct br_diag diag = {
		.severity = BR_ERROR, .at = {file, 1, 2}, .message = "no", .hint = "do"};
	br_auto(br_freep) char *drawn = br_diag_render(places, &diag, NULL, true);
	assert_string_equal(drawn,
		"\033[1mf:1:2:\033[0m \033[1;31merror:\033[0m no\n"
		"    1 | abc\n"
		"      |  \033[1;31m^~\033[0m\n"
		"  \033[32mhint:\033[0m do\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_too_many_places),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_error_memory),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_draw),
		cmocka_unit_test(test_draw_long_lines),
		cmocka_unit_test(test_draw_cuts_between_characters),
		cmocka_unit_test(test_draw_whole),
		cmocka_unit_test(test_color),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
