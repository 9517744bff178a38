#include <base/own.h>
#include <base/shorten.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <support/fault.h>

#include <cmocka.h>

#define ACCENT "\xcc\x81"
#define WIDE "\xe6\xbc\xa2"

/** The same piece again and again. */
static void add_times(struct br_buf *buf, const char *piece, size_t times) {
	for (size_t i = 0; i < times; i++) {
		br_buf_add(buf, piece);
	}
}

/** What a case is made of: pieces that are repeated, up to a NULL. */
struct run {
	const char *piece;
	size_t times;
};

static char *joined(const struct run *runs) {
	struct br_buf buf = {0};
	br_buf_add(&buf, "");
	for (; runs->piece; runs++) {
		add_times(&buf, runs->piece, runs->times);
	}
	return br_buf_take(&buf);
}

/** Both ends of a long one keep 137 columns at most: (300 - 26) / 2. */
static const struct {
	const char *what;
	struct run in[6], out[8];
} names[] = {
	{"none", {{NULL, 0}}, {{NULL, 0}}},
	{"299", {{"a", 299}}, {{"a", 299}}},
	{"300", {{"a", 150}, {"b", 150}}, {{"a", 150}, {"b", 150}}},
	{"301", {{"a", 150}, {"b", 151}}, {{"a", 137}, {"\\{27-bytes-left-out}", 1}, {"b", 137}}},
	{"300 of 600 bytes", {{"\xc3\xbc", 300}}, {{"\xc3\xbc", 300}}},
	{"301 of 602 bytes", {{"\xc3\xbc", 301}},
		{{"\xc3\xbc", 137}, {"\\{54-bytes-left-out}", 1}, {"\xc3\xbc", 137}}},
	{"wide, 300", {{WIDE, 150}}, {{WIDE, 150}}},
	// 136 columns and 136: half a character is not shown.
	{"wide, 302", {{WIDE, 151}}, {{WIDE, 68}, {"\\{45-bytes-left-out}", 1}, {WIDE, 68}}},
	{"four bytes at the cuts", {{"a", 136}, {"\xf0\x9f\x98\x80", 100}, {"b", 136}},
		{{"a", 136}, {"\\{400-bytes-left-out}", 1}, {"b", 136}}},
	{"the escape ends at the cut",
		{{"a", 133}, {"\x01", 1}, {"c", 200}, {"\x02", 1}, {"b", 133}},
		{{"a", 133}, {"\\x01", 1}, {"\\{200-bytes-left-out}", 1}, {"\\x02", 1},
			{"b", 133}}},
	{"the escape lies over the cut",
		{{"a", 134}, {"\x01", 1}, {"c", 200}, {"\x02", 1}, {"b", 134}},
		{{"a", 134}, {"\\{202-bytes-left-out}", 1}, {"b", 134}}},
	{"bytes that are no UTF-8", {{"\xff", 75}}, {{"\\xff", 75}}},
	{"more of them", {{"\xff", 76}},
		{{"\\xff", 34}, {"\\{8-bytes-left-out}", 1}, {"\\xff", 34}}},
	{"overrides", {{"\xe2\x80\xae", 38}},
		{{"\\u{202e}", 17}, {"\\{12-bytes-left-out}", 1}, {"\\u{202e}", 17}}},
	{"four bytes hidden", {{"\xf3\xa0\x81\x81", 34}},
		{{"\\u{e0041}", 15}, {"\\{16-bytes-left-out}", 1}, {"\\u{e0041}", 15}}},
	{"backslashes", {{"\\", 151}}, {{"\\\\", 68}, {"\\{15-bytes-left-out}", 1}, {"\\\\", 68}}},
	{"one that looks like a mark", {{"a", 400}, {"\\{5-bytes-left-out}", 1}},
		{{"a", 137}, {"\\{146-bytes-left-out}", 1}, {"a", 117},
			{"\\\\{5-bytes-left-out}", 1}}},
	// They take no column on the terminal, and are no way to be endless.
	{"accents", {{"e", 1}, {ACCENT, 300}, {"b", 1}},
		{{"e", 1}, {ACCENT, 136}, {"\\{328-bytes-left-out}", 1}, {"b", 1}}},
	{"a path of 4096", {{"/", 1}, {"a", 4094}, {"z", 1}},
		{{"/", 1}, {"a", 136}, {"\\{3822-bytes-left-out}", 1}, {"a", 136}, {"z", 1}}},
};

static void test_names(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		br_auto(br_freep) char *in = joined(names[i].in);
		br_auto(br_freep) char *out = joined(names[i].out);
		struct br_buf buf = {0};
		br_buf_name(&buf, in);
		br_auto(br_freep) char *got = br_buf_take(&buf);
		if (!in || !out || !got || strcmp(got, out) != 0) {
			fail_msg("%s: %s", names[i].what, got ? got : "nothing");
		}
		assert_true(br_columns(got, strlen(got)) <= BR_LONGEST_NAME);
	}
}

/** Whatever the length: both ends are the name's own, the mark counts what is missing, and nothing
 * is broken in two. */
static void test_every_length(void **state) {
	(void)state;
	static const char *const pieces[] = {"a", "\xc3\xbc", WIDE, "\xff", "\x1b", "\\",
		"\xe2\x80\xae", "\xf0\x9f\x98\x80", ("e" ACCENT)};
	struct br_buf in = {0};
	for (size_t i = 0; i < 1000; i++) {
		struct br_buf whole = {0};
		struct br_buf got = {0};
		br_buf_add(&in, pieces[i * i % 9]);
		br_buf_add(&in, pieces[i % 9]);
		br_buf_escape(&whole, in.s, in.n);
		br_buf_shorten(&got, whole.s, whole.n);
		assert_false(whole.failed || got.failed);
		assert_false(br_has_hidden(got.s, got.n));
		assert_true(br_columns(got.s, got.n) <= BR_LONGEST_NAME);
		const char *mark = strstr(got.s, "\\{");
		size_t head = mark ? (size_t)(mark - got.s) : got.n;
		assert_memory_equal(got.s, whole.s, head);
		if (mark) {
			const char *tail = strchr(mark, '}') + 1;
			size_t n = strlen(tail);
			assert_true(head > 120 && n > 120);
			assert_memory_equal(tail, whole.s + whole.n - n, n);
		}
		br_buf_release(&whole);
		br_buf_release(&got);
	}
	br_buf_release(&in);
}

static const struct {
	const char *what;
	struct run in[8], out[10];
} sentences[] = {
	{"short", {{"'a b' is not 'c'", 1}}, {{"'a b' is not 'c'", 1}}},
	{"in quotes, with blanks, 300", {{"'", 1}, {"a b ", 75}, {"' is", 1}},
		{{"'", 1}, {"a b ", 75}, {"' is", 1}}},
	{"in quotes, with blanks, 304", {{"no '", 1}, {"a b ", 76}, {"': none", 1}},
		{{"no '", 1}, {"a b ", 34}, {"a", 1}, {"\\{30-bytes-left-out}", 1}, {" ", 1},
			{"a b ", 34}, {"': none", 1}}},
	{"bare, 300", {{"below /", 1}, {"a", 299}, {": (none", 1}, {"x", 8}, {")", 1}},
		{{"below /", 1}, {"a", 299}, {": (none", 1}, {"x", 8}, {")", 1}}},
	{"bare, 301", {{"below (/", 1}, {"a", 300}, {"): none", 1}},
		{{"below (/", 1}, {"a", 136}, {"\\{27-bytes-left-out}", 1}, {"a", 137},
			{"): none", 1}}},
	{"two of them", {{"'", 1}, {"a", 301}, {"' and '", 1}, {"b", 302}, {"'", 1}},
		{{"'", 1}, {"a", 137}, {"\\{27-bytes-left-out}", 1}, {"a", 137}, {"' and '", 1},
			{"b", 137}, {"\\{28-bytes-left-out}", 1}, {"b", 137}, {"'", 1}}},
	{"a quote that nothing closes", {{"an 'open ", 1}, {"a", 301}},
		{{"an 'open ", 1}, {"a", 137}, {"\\{27-bytes-left-out}", 1}, {"a", 137}}},
	{"many short words", {{"ab ", 500}}, {{"ab ", 500}}},
	// (1500 - 26) / 2 at both ends.
	{"too many", {{"ab ", 501}},
		{{"ab ", 245}, {"ab", 1}, {"\\{29-bytes-left-out}", 1}, {"b ", 1}, {"ab ", 245}}},
};

static void test_sentences(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		br_auto(br_freep) char *in = joined(sentences[i].in);
		br_auto(br_freep) char *out = joined(sentences[i].out);
		struct br_buf buf = {0};
		br_buf_shorten_words(&buf, in, strlen(in));
		br_auto(br_freep) char *got = br_buf_take(&buf);
		if (!out || !got || strcmp(got, out) != 0) {
			fail_msg("%s: %s", sentences[i].what, got ? got : "nothing");
		}
	}
}

/** Eight long names leave eight marks; what is cut again counts what they stand for, and none of
 * them is cut in two. */
static void test_marks_are_counted(void **state) {
	(void)state;
	struct br_buf in = {0};
	struct br_buf out = {0};
	for (int i = 0; i < 8; i++) {
		add_times(&in, "a", 5000);
		br_buf_addc(&in, ' ');
	}
	br_buf_shorten_words(&out, in.s, in.n);
	assert_true(br_columns(out.s, out.n) <= BR_LONGEST_SENTENCE);
	size_t left = 0;
	size_t shown = 0;
	for (const char *s = out.s; *s; s++) {
		unsigned long n = 0;
		int len = 0;
		if (*s == '\\') {
			assert_int_equal(sscanf(s, "\\{%lu-bytes-left-out}%n", &n, &len), 1);
			assert_true(len > 0);
			s += len - 1;
			left += n;
		} else {
			shown++;
		}
	}
	assert_int_equal(shown + left, in.n);
	br_buf_release(&in);
	br_buf_release(&out);
}

static void test_no_memory(void **state) {
	(void)state;
	struct br_buf in = {0};
	add_times(&in, "a", 400);
	add_times(&in, " b", 800);
	FAULT_EACH(i, {
		struct br_buf out = {0};
		br_buf_name(&out, in.s);
		br_buf_shorten_words(&out, in.s, in.n);
		br_auto(br_freep) char *got = br_buf_take(&out);
		assert_true(got || errno == ENOMEM);
	});
	br_buf_release(&in);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_marks_are_counted),
		cmocka_unit_test(test_no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
