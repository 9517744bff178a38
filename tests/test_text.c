#include <base/own.h>
#include <base/text.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <support/fault.h>
#include <sys/wait.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_buf_grows(void **state) {
	(void)state;
	struct br_buf buf = {0};
	for (int i = 0; i < 1000; i++) {
		br_buf_addf(&buf, "%d,", i % 10);
	}
	br_buf_addc(&buf, '!');
	br_buf_addn(&buf, "abc", 2);
	assert_false(buf.failed);
	assert_int_equal(buf.n, 2003);
	assert_int_equal(strlen(buf.s), 2003);
	assert_string_equal(buf.s + 1990, "5,6,7,8,9,!ab");
	br_auto(br_freep) char *out = br_buf_take(&buf);
	assert_non_null(out);
	assert_null(buf.s);
	assert_int_equal(buf.n, 0);
}

static void test_buf_empty(void **state) {
	(void)state;
	struct br_buf buf = {0};
	br_auto(br_freep) char *out = br_buf_take(&buf);
	assert_string_equal(out, "");
	br_buf_release(&buf);
}

static void test_buf_remembers_failure(void **state) {
	(void)state;
	struct br_buf buf = {0};
	br_buf_add(&buf, "some");
	fault_at(1);
	for (int i = 0; i < 100; i++) {
		br_buf_add(&buf, "thing");
	}
	assert_true(fault_hit());
	assert_true(buf.failed);
	errno = 0;
	assert_null(br_buf_take(&buf));
	assert_int_equal(errno, ENOMEM);
	assert_false(buf.failed);
	assert_null(buf.s);
}

struct bytes_case {
	const char *in;
	size_t n;
	const char *out;
};

#define BYTES(s) (s), sizeof(s) - 1

static const struct bytes_case escape_cases[] = {
	{BYTES(""), ""},
	{BYTES("plain text, 'quotes' \"too\""), "plain text, 'quotes' \"too\""},
	{BYTES("gr\xc3\xbc\xc3\x9f \xe6\xbc\xa2 \xf0\x9f\x98\x80"),
		"gr\xc3\xbc\xc3\x9f \xe6\xbc\xa2 \xf0\x9f\x98\x80"},
	{BYTES("a\\b"), "a\\\\b"},
	{BYTES("\0\x01\t\n\x1b[31m\x1f"), "\\x00\\x01\\x09\\x0a\\x1b[31m\\x1f"},
	{BYTES("~\x7f"), "~\\x7f"},
	// C1 as characters, and as the bytes of an 8-bit terminal.
	{BYTES("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"), "\\u{0080}\\u{009b}\\u{009f}\xc2\xa0"},
	{BYTES("\x9b"
	       "31m"),
		"\\x9b31m"},
	{BYTES("\xe2\x80\xae"
	       "gpj.exe"),
		"\\u{202e}gpj.exe"},
	{BYTES("\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c"), "\\u{2066}\\u{2069}\\u{061c}"},
	{BYTES("a\xe2\x80\x8b"
	       "b\xe2\x80\x8d\xef\xbb\xbf"),
		"a\\u{200b}b\\u{200d}\\u{feff}"},
	{BYTES("\xe2\x80\xa8\xe2\x80\xa9"), "\\u{2028}\\u{2029}"},
	{BYTES("\xf3\xa0\x81\x81"), "\\u{e0041}"},
	// What only looks like UTF-8: alone, cut off, overlong, a surrogate, too large.
	{BYTES("\x80"
	       "a\xc3"),
		"\\x80a\\xc3"},
	{BYTES("\xc0\xaf\xe0\x80\xaf"), "\\xc0\\xaf\\xe0\\x80\\xaf"},
	{BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80"},
	{BYTES("\xf4\x90\x80\x80\xf5"), "\\xf4\\x90\\x80\\x80\\xf5"},
	{BYTES("\xe6\xbcx"), "\\xe6\\xbcx"},
};

static void test_escape(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(escape_cases); i++) {
		const struct bytes_case *c = &escape_cases[i];
		struct br_buf buf = {0};
		br_buf_escape(&buf, c->in, c->n);
		br_auto(br_freep) char *out = br_buf_take(&buf);
		assert_string_equal(out, c->out);
	}
}

static void test_escape_into_arena(void **state) {
	(void)state;
	struct br_arena arena = {0};
	assert_string_equal(br_escape(&arena, "a\nb"), "a\\x0ab");
	assert_string_equal(br_escape(&arena, ""), "");
	FAULT_EACH(i, {
		struct br_arena own = {0};
		errno = 0;
		const char *out = br_escape(&own, "\x1b\\");
		if (out) {
			assert_string_equal(out, "\\x1b\\\\");
		} else {
			assert_int_equal(errno, ENOMEM);
		}
		br_arena_release(&own);
	});
	br_arena_release(&arena);
}

static const struct {
	const char *in, *out;
} shell_cases[] = {
	{"", "''"},
	{"/srv/models-1.0/a_b@c:d,e+f%g", "/srv/models-1.0/a_b@c:d,e+f%g"},
	{"A=b", "A=b"},
	{"=ls", "'=ls'"},
	{"~", "'~'"},
	{"a b", "'a b'"},
	{"$(reboot)", "'$(reboot)'"},
	{"it's", "'it'\"'\"'s'"},
	{"a\\b", "'a\\b'"},
	{"gr\xc3\xbc", "'gr\xc3\xbc'"},
	{"a\nb", "$'a\\012b'"},
	{"it's\t\\", "$'it\\047s\\011\\134'"},
	{"\x1b"
	 "3",
		"$'\\0333'"},
	{"\xff", "$'\\377'"},
	{"\xe2\x80\xaex", "$'\\342\\200\\256x'"},
	{"a\xc3\xbc\x01", "$'a\xc3\xbc\\001'"},
};

static void test_shell(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(shell_cases); i++) {
		struct br_buf buf = {0};
		br_buf_shell(&buf, shell_cases[i].in);
		br_auto(br_freep) char *out = br_buf_take(&buf);
		assert_string_equal(out, shell_cases[i].out);
	}
}

/** bash is the oracle: what it makes of the quoted word is the word. */
static void test_shell_round_trip(void **state) {
	(void)state;
	char word[256];
	for (int i = 0; i < 255; i++) {
		word[i] = (char)(i + 1);
	}
	word[255] = '\0';
	struct br_buf buf = {0};
	br_buf_add(&buf, "printf %s ");
	br_buf_shell(&buf, word);
	br_auto(br_freep) char *script = br_buf_take(&buf);
	assert_non_null(script);
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		execlp("bash", "bash", "-c", script, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	char got[512];
	size_t n = 0;
	ssize_t more = 0;
	while ((more = read(ends[0], got + n, sizeof(got) - n)) > 0) {
		n += (size_t)more;
	}
	close(ends[0]);
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(n, 255);
	assert_memory_equal(got, word, 255);
}

/** Shown with each backslash doubled it may be another word, but never a word and something to do. */
static void test_shell_shown(void **state) {
	static const char *const words[] = {"q' ; exit 9 ; '", "\\' ; exit 9 ; '",
		"a\xff' ; exit 9 ; '", "a\n\\' ; exit 9 ; \\'"};
	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		struct br_buf word = {0};
		struct br_buf script = {0};
		br_buf_shell(&word, words[i]);
		br_buf_add(&script, "set -- ");
		br_buf_escape(&script, word.s, word.n);
		br_buf_add(&script, "; test $# = 1");
		assert_false(word.failed || script.failed);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			execlp("bash", "bash", "-c", script.s, (char *)NULL);
			_exit(127);
		}
		int status = -1;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		br_buf_release(&word);
		br_buf_release(&script);
	}
}

static void test_typable(void **state) {
	(void)state;
	assert_true(br_is_typable(""));
	assert_true(br_is_typable("it's a \\ gr\xc3\xbc\xff"));
	assert_false(br_is_typable("a\nb"));
	assert_false(br_is_typable("\xff\x1b"));
	assert_false(br_is_typable("a\xe2\x80\xae"));
	assert_false(br_is_typable("\x7f"));
	assert_false(br_is_typable("\xc2\x9b"));
}

/** The examples of RFC 4648, and bytes that need both last digits. */
static const struct bytes_case base64_cases[] = {
	{BYTES(""), ""},
	{BYTES("f"), "Zg=="},
	{BYTES("fo"), "Zm8="},
	{BYTES("foo"), "Zm9v"},
	{BYTES("foob"), "Zm9vYg=="},
	{BYTES("fooba"), "Zm9vYmE="},
	{BYTES("foobar"), "Zm9vYmFy"},
	{BYTES("\xff\xff\xff\0"), "////AA=="},
	{BYTES("\xfb\xef\xbe"), "++++"},
};

static void test_base64(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(base64_cases); i++) {
		struct br_buf buf = {0};
		br_buf_base64(&buf, base64_cases[i].in, base64_cases[i].n);
		br_auto(br_freep) char *out = br_buf_take(&buf);
		assert_string_equal(out, base64_cases[i].out);
	}
}

static const struct {
	const char *in;
	size_t n, len;
	uint32_t c;
} utf8_cases[] = {
	{BYTES(""), 0, 0},
	{BYTES("\0"), 1, 0},
	{BYTES("\x7f"), 1, 0x7f},
	{BYTES("\x80"), 0, 0},
	{BYTES("\xc1\xbf"), 0, 0},
	{BYTES("\xc2\x80"), 2, 0x80},
	{BYTES("\xdf\xbf"), 2, 0x7ff},
	{BYTES("\xe0\x9f\xbf"), 0, 0},
	{BYTES("\xe0\xa0\x80"), 3, 0x800},
	{BYTES("\xed\x9f\xbf"), 3, 0xd7ff},
	{BYTES("\xed\xa0\x80"), 0, 0},
	{BYTES("\xed\xbf\xbf"), 0, 0},
	{BYTES("\xee\x80\x80"), 3, 0xe000},
	{BYTES("\xef\xbf\xbf"), 3, 0xffff},
	{BYTES("\xf0\x8f\xbf\xbf"), 0, 0},
	{BYTES("\xf0\x90\x80\x80"), 4, 0x10000},
	{BYTES("\xf4\x8f\xbf\xbf"), 4, 0x10ffff},
	{BYTES("\xf4\x90\x80\x80"), 0, 0},
	{BYTES("\xf8\x88\x80\x80\x80"), 0, 0},
	{BYTES("\xff"), 0, 0},
	{"\xf0\x90\x80\x80", 3, 0, 0},
	{BYTES("\xc3("), 0, 0},
	{BYTES("\xe2\x82("), 0, 0},
};

static void test_utf8(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(utf8_cases); i++) {
		uint32_t c = 0;
		assert_int_equal(
			br_utf8_next(utf8_cases[i].in, utf8_cases[i].n, &c), utf8_cases[i].len);
		assert_int_equal(c, utf8_cases[i].c);
		bool valid = utf8_cases[i].len != 0 || utf8_cases[i].n == 0;
		assert_int_equal(br_is_utf8(utf8_cases[i].in, utf8_cases[i].n), valid);
	}
	assert_true(br_is_utf8(BYTES("a\xc3\xbc\xe6\xbc\xa2\xf0\x9f\x98\x80z")));
	assert_false(br_is_utf8(BYTES("a\xc3\xbc\xe6\xbc")));
}

static const struct {
	const char *in;
	size_t columns;
} columns_cases[] = {
	{"", 0}, {"abc", 3}, {"\t\x01", 2}, {"\xc3\xbc", 1},
	{"\xe6\xbc\xa2\xe5\xad\x97", 4}, // two Chinese characters
	{"e\xcc\x81", 1}, // e and a combining acute
	{"a\xf0\x9f\x98\x80", 3}, // a smiling face
};

static void test_columns(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(columns_cases); i++) {
		const char *in = columns_cases[i].in;
		assert_int_equal(br_columns(in, strlen(in)), columns_cases[i].columns);
	}
}

static const struct {
	const char *in;
	uint64_t max;
	/** 0: a number. */
	int error;
	uint64_t value;
} number_cases[] = {
	{"0", 9, 0, 0}, {"7", 9, 0, 7}, {"4294967295", UINT32_MAX, 0, UINT32_MAX},
	{"4294967296", UINT32_MAX, ERANGE, 0}, {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
	{"18446744073709551616", UINT64_MAX, ERANGE, 0},
	{"28446744073709551616", UINT64_MAX, ERANGE, 0},
	{"99999999999999999999999999999999999999999", UINT64_MAX, ERANGE, 0}, {"10", 9, ERANGE, 0},
	{"1", 0, ERANGE, 0}, {"", 9, EINVAL, 0}, {"00", 9, EINVAL, 0}, {"01", 9, EINVAL, 0},
	{"-1", 9, EINVAL, 0}, {"+1", 9, EINVAL, 0}, {" 1", 9, EINVAL, 0}, {"1 ", 9, EINVAL, 0},
	{"1\n", 9, EINVAL, 0}, {"0x1", 99, EINVAL, 0}, {"1e3", 9999, EINVAL, 0},
	{"1.0", 9, EINVAL, 0}, {"99999999999999999999999999999x", UINT64_MAX, EINVAL, 0},
	{"\xd9\xa1", 9, EINVAL, 0}, // an Arabic one
};

static void test_numbers(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(number_cases); i++) {
		uint64_t value = 77;
		errno = 0;
		int rc = br_parse_u64(number_cases[i].in, number_cases[i].max, &value);
		assert_int_equal(rc, number_cases[i].error ? -1 : 0);
		assert_int_equal(errno, number_cases[i].error);
		assert_int_equal(value, rc ? 77 : number_cases[i].value);
		if (number_cases[i].max > UINT32_MAX) {
			continue;
		}
		uint32_t small = 77;
		errno = 0;
		rc = br_parse_u32(number_cases[i].in, (uint32_t)number_cases[i].max, &small);
		assert_int_equal(rc, number_cases[i].error ? -1 : 0);
		assert_int_equal(errno, number_cases[i].error);
		assert_int_equal(small, rc ? 77 : number_cases[i].value);
	}
}

static void test_nearest(void **state) {
	(void)state;
	static const char *const names[] = {
		"volumes", "user", "image", "read_only", "env_file", "up", NULL};
	static const struct {
		const char *word, *nearest;
	} cases[] = {
		{"volume", "volumes"},
		{"voluems", "volumes"}, // two neighbours swapped are one slip
		{"VOLUMES", "volumes"},
		{"vloumse", "volumes"},
		{"volxxxs", NULL},
		{"usr", "user"},
		{"usre", "user"},
		{"imgae", "image"},
		{"readonly", "read_only"},
		{"read-only", "read_only"},
		{"pu", "up"},
		{"xy", NULL},
		{"u", NULL},
		{"", NULL},
		{"network", NULL},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			NULL},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *got = br_nearest(cases[i].word, names);
		if (cases[i].nearest) {
			assert_non_null(got);
			assert_string_equal(got, cases[i].nearest);
		} else {
			assert_null(got);
		}
	}
	static const char *const one[] = {"a", "b", NULL};
	assert_string_equal(br_nearest("b", one), "b");
	static const char *const none[] = {NULL};
	assert_null(br_nearest("user", none));
}

static const struct {
	const char *pattern, *path;
	bool matches;
} glob_cases[] = {
	{"", "", true},
	{"", "a", false},
	{"a", "", false},
	{"a", "a", true},
	{"a", "ab", false},
	{"ab", "a", false},
	{"*", "", true},
	{"*", "abc", true},
	{"*", "a/b", false},
	{"*.pt", "model.pt", true},
	{"*.pt", "model.pth", false},
	{"*.pt", "a/model.pt", false},
	{"a*b*c", "aXbXbc", true},
	{"a*b*c", "aXcXb", false},
	{"a/*/c", "a/b/c", true},
	{"a/*/c", "a/b/b/c", false},
	{"*a/b", "aa/b", true},
	{"*/*", "a/b", true},
	{"*/*", "a", false},
	{"?", "a", true},
	{"?", "", false},
	{"?", "/", false},
	{"a?c", "abc", true},
	{"?", "\xc3\xbc", true},
	{"??", "\xc3\xbc", false},
	{"?", "\xff", true},
	{"**", "", true},
	{"**", "a/b/c", true},
	{"**.pt", "a/b/c.pt", true},
	{"**/x", "x", true},
	{"**/x", "a/x", true},
	{"**/x", "a/b/x", true},
	{"**/x", "ax", false},
	{"**/x", "a/bx", false},
	{"a/**", "a/b/c", true},
	{"a/**", "a/", true},
	{"a/**", "a", false},
	{"a/**", "ab/c", false},
	{"a/**/b", "a/b", true},
	{"a/**/b", "a/x/y/b", true},
	{"a/**/b", "a/xb", false},
	{"**/a/**/*.pt", "x/a/b/a/y/z.pt", true},
	{"**/a/**/*.pt", "x/b/z.pt", false},
	{"**/a/*/c", "a/b/b/a/b/c", true},
	{"***", "a/b", true},
	{"[abc]", "b", true},
	{"[abc]", "d", false},
	{"[a-c]x", "bx", true},
	{"[a-c]", "d", false},
	{"[!a-c]", "d", true},
	{"[!a-c]", "a", false},
	{"[^a]", "b", true},
	{"[!a]", "/", false},
	{"[]]", "]", true},
	{"[!]]", "a", true},
	{"[a-]", "-", true},
	{"[\\]]", "]", true},
	{"[\xc3\xa4-\xc3\xbc]", "\xc3\xb6", true},
	{"[a", "[a", true},
	{"[a", "a", false},
	{"[/]", "/", false},
	{"a[/]b", "a/b", false},
	{"\\*", "*", true},
	{"\\*", "a", false},
	{"\\?x", "?x", true},
	{"a\\", "a\\", true},
	{"*[0-9].bin", "part-7.bin", true},
	{"*[0-9].bin", "part-x.bin", false},
	{"\xff*", "\xff\xfe", true},
};

static void test_glob(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(glob_cases); i++) {
		if (br_glob(glob_cases[i].pattern, glob_cases[i].path) != glob_cases[i].matches) {
			fail_msg("'%s' against '%s'", glob_cases[i].pattern, glob_cases[i].path);
		}
	}
}

/** A pattern that takes a backtracking matcher ages. */
static void test_glob_is_quick(void **state) {
	(void)state;
	char path[4000];
	memset(path, 'a', sizeof(path) - 1);
	for (size_t i = 10; i < sizeof(path); i += 10) {
		path[i] = '/';
	}
	path[sizeof(path) - 1] = '\0';
	assert_false(br_glob("**/a*a*/**/a*a*/**/a*a*/**/a*a*/**/a*a*/**/a*a*/**/a*a*/**/b", path));
	assert_false(br_glob("**a**a**a**a**a**a**a**a**a**a**a**a**a**a**a**b", path));
	memset(path, 'a', sizeof(path) - 1);
	assert_false(br_glob("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", path));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_grows),
		cmocka_unit_test(test_buf_empty),
		cmocka_unit_test(test_buf_remembers_failure),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_into_arena),
		cmocka_unit_test(test_shell),
		cmocka_unit_test(test_shell_round_trip),
		cmocka_unit_test(test_shell_shown),
		cmocka_unit_test(test_typable),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_glob_is_quick),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
