#include <base/text.h>

#include <setjmp.h>
#include <spec/dotenv.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>
#include <support/variables.h>
#include <time.h>

#include <cmocka.h>

/** The caller's environment has FROMOS, and an override GIVEN. */
static void set_up(struct setting *t) {
	static const struct br_var variables[] = {
		{"FROMOS", "os", BR_VAR_ENVIRONMENT},
		{"GIVEN", "cli", BR_VAR_OVERRIDE},
	};
	setting_init(t, variables, sizeof(variables) / sizeof(*variables));
}

static int read_bytes(struct setting *t, const char *s, size_t n) {
	int text = br_places_add(t->places, BR_PLACE_FILE, ".env", s, n);
	assert_true(text > 0);
	int result = br_dotenv_read(&t->env, (uint16_t)text, t->dx);
	assert_int_equal(br_diags_errors(t->dx), result ? 1 : 0);
	return result;
}

static int read_text(struct setting *t, const char *s) {
	return read_bytes(t, s, strlen(s));
}

/** All variables of the file in the order of their first place. */
static char *show(const struct br_env *env) {
	struct br_buf buf = {0};
	for (size_t i = 0; i < env->vars.n; i++) {
		const struct br_var *var = &env->vars.v[i];
		if (var->origin == BR_VAR_FILE) {
			br_buf_addf(&buf, "%s%s=<%s>", buf.n ? " " : "", var->name, var->value);
		}
	}
	br_buf_add(&buf, "");
	char *s = br_buf_take(&buf);
	return s ? s : strdup("");
}

static const struct {
	const char *name, *in, *out;
} good[] = {
	{"empty", "", ""},
	{"one", "A=1\n", "A=<1>"},
	{"no line end", "A=1", "A=<1>"},
	{"empty value", "A=\nB=2\n", "A=<> B=<2>"},
	{"empty value at the end", "A=", "A=<>"},
	{"B1 byte order mark",
		"\xef\xbb\xbf"
		"A=1\n",
		"A=<1>"},
	{"B1 comment", "# x\n  # y=z\nA=1\n", "A=<1>"},
	{"B1 hash after a blank", "A=b # c\n", "A=<b>"},
	{"B1 hash in a word", "A=b#c\n", "A=<b#c>"},
	{"B1 hash after a tab", "A=b\t# c\n", "A=<b\t# c>"},
	{"B1 hash first", "A=#c\n", "A=<#c>"},
	{"B2 export", "export A=1\nexport\tB=2\n", "A=<1> B=<2>"},
	{"B2 a variable named export", "export=1\nexports=2\n", "export=<1> exports=<2>"},
	{"B2 blanks", "  A  =  b c  \n", "A=<b c>"},
	{"B2 colon", "K: v\nL:w\n", "K=<v> L=<w>"},
	{"B2 colon in a value", "K=a:b=c\n", "K=<a:b=c>"},
	{"B3 characters", "a.b-c_d[0]=1\n", "a.b-c_d[0]=<1>"},
	{"B3 letters of all scripts", "\xc3\xa9=1\n", "\xc3\xa9=<1>"},
	{"B3 digits first", "1A=1\n", "1A=<1>"},
	{"B4 bare", "FROMOS\nNOPE\nA=1\n", "A=<1>"},
	{"B4 bare at the end", "A=1\nNOPE", "A=<1>"},
	{"B5 single quotes", "A='b c'\n", "A=<b c>"},
	{"B5 literal", "A='$B ${C} \\n \\\\ # x'\n", "A=<$B ${C} \\n \\\\ # x>"},
	{"B5 escaped quote", "A='it\\'s'\n", "A=<it's>"},
	{"B5 lines", "A='b\nc'\nD=1\n", "A=<b\nc> D=<1>"},
	{"B6 double quotes", "A=\"b c\"\n", "A=<b c>"},
	{"B6 lines", "A=\"b\n\nc\"\nD=1\n", "A=<b\n\nc> D=<1>"},
	{"B6 escapes", "A=\"\\a\\b\\f\\n\\r\\t\\v\\\"\\\\\"\n", "A=<\a\b\f\n\r\t\v\"\\>"},
	{"B6 octal", "A=\"\\0101\\0041\"\n", "A=<A!>"},
	{"B6 octal above ASCII", "A=\"\\0351\"\n", "A=<\xc3\xa9>"},
	{"B6 octal that is none", "A=\"\\012 \\0 \\0777 \\0188\"\n", "A=<\\12 \\ \\777 \\188>"},
	{"B6 other escapes stay", "A=\"\\x \\1 \\u0041\"\n", "A=<\\x \\1 \\u0041>"},
	{"B6 two backslashes", "A=\"\\\\n\"\n", "A=<\\n>"},
	{"B6 literal dollar", "A=\"\\$B\"\n", "A=<$B>"},
	{"B6 hash", "A=\"b # c\"\n", "A=<b # c>"},
	{"B7 reference", "A=1\nB=$A/${A}\nC=\"<$A>\"\n", "A=<1> B=<1/1> C=<<1>>"},
	{"B7 the environment first", "FROMOS=file\nA=$FROMOS\n", "A=<os>"},
	{"B7 doubled", "A=$$B\nC=\"$$D\"\n", "A=<$B> C=<$D>"},
	{"B7 default", "A=${U:-d}\n", "A=<d>"},
	{"B7 lone dollar", "A=a$ b\n", "A=<a$ b>"},
	{"B7 not before it is set", "A=${B-none}\nB=1\n", "A=<none> B=<1>"},
	{"B8 trailing", "T=\"q\" trailing\nA=1\n", "T=<q> A=<1>"},
	{"B8 trailing statement", "T='q' A=1\n", "T=<q> A=<1>"},
	{"B8 trailing comment", "T=\"q\" # c\nA=1\n", "T=<q> A=<1>"},
	{"B8 twice", "A=1\nA=2\nB=$A\n", "A=<2> B=<2>"},
	{"B8 refers to itself", "A=1\nA=${A}2\n", "A=<12>"},
	{"B10 tilde", "A=~/x\n", "A=<~/x>"},
	{"quotes inside", "A=b\"c\"'d'\n", "A=<b\"c\"'d'>"},
	{"CRLF", "A=1\r\nB=\"2\"\r\n# c\r\nC='3'\r\n", "A=<1> B=<2> C=<3>"},
	{"CRLF bare", "NOPE\r\nA=1\r\n", "A=<1>"},
	{"override stays", "GIVEN=file\nA=$GIVEN\n", "A=<cli>"},
	{"bytes that are no UTF-8", "A=\xff\xfe\n", "A=<\xff\xfe>"},
	{"quoted and empty", "A=\"\"\nB=''\n", "A=<> B=<>"},
	{"value is not read again", "A='$B'\nC=$A\n", "A=<$B> C=<$B>"},
};

static void test_good(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct setting t;
		set_up(&t);
		if (read_text(&t, good[i].in)) {
			fail_msg("%s: %s", good[i].name, br_diags_get(t.dx, 0)->message);
		}
		char *out = show(&t.env);
		if (strcmp(out, good[i].out) != 0) {
			fail_msg("%s: got %s", good[i].name, out);
		}
		free(out);
		assert_string_equal(br_env_get(&t.env, "FROMOS")->value, "os");
		assert_string_equal(br_env_get(&t.env, "GIVEN")->value, "cli");
		assert_null(br_env_get(&t.env, "NOPE"));
		setting_release(&t);
	}
}

static const struct {
	const char *name, *in;
	uint32_t line, column, len;
	const char *message;
} bad[] = {
	{"B3 blank in a name", "X=1\nA B=1\n", 2, 1, 3, "cannot contain a blank"},
	{"B3 blank in a bare name", "A B\n", 1, 1, 3, "cannot contain a blank"},
	{"B3 character", "X=1\n  A!B=1\n", 2, 4, 1, "character '!' in the variable name 'A!B=1'"},
	{"B3 slash", "a/b\n", 1, 2, 1, "character '/'"},
	{"B3 quote", "\"A\"=1\n", 1, 1, 1, "unexpected character"},
	{"B8 two words behind a quote", "T=\"q\" a b\n", 1, 7, 3, "cannot contain a blank"},
	{"B9 single quote", "X=1\nA='x\nB=1\n", 2, 3, 1, "never closed"},
	{"B9 double quote", "A=\"x\\\"\n", 1, 3, 1, "never closed"},
	{"B9 reference", "X=1\nA=b${\n", 2, 4, 2, "'${' is no valid"},
	{"B9 reference in quotes", "A=\"b ${x:1}\"\n", 1, 6, 6, "'${x:1}' is no valid"},
	{"B9 required", "A=${B:?no}\n", 1, 3, 8, "'B' is not set: no"},
	{"B9 even where the environment wins", "FROMOS=${\n", 1, 8, 2, "no valid"},
	{"NUL by escape", "A=\"\\0000\"\n", 1, 3, 7, "NUL"},
};

static void test_bad(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct setting t;
		set_up(&t);
		if (!read_text(&t, bad[i].in)) {
			fail_msg("%s: was taken", bad[i].name);
		}
		const struct br_diag *d = br_diags_get(t.dx, br_diags_count(t.dx) - 1);
		if (!strstr(d->message, bad[i].message)) {
			fail_msg("%s: said %s", bad[i].name, d->message);
		}
		struct br_position at = {0};
		assert_true(br_places_find(t.places, d->at, &at));
		if (at.line != bad[i].line || at.column != bad[i].column
			|| d->at.len != bad[i].len) {
			fail_msg("%s: %u:%u+%u", bad[i].name, at.line, at.column, d->at.len);
		}
		setting_release(&t);
	}
}

static void test_nul(void **state) {
	(void)state;
	struct setting t;
	set_up(&t);
	assert_int_equal(read_bytes(&t, "A=1\nB=\0", 7), -1);
	assert_int_equal(br_diags_get(t.dx, 0)->at.off, 6);
	setting_release(&t);
}

static void test_unset_warns(void **state) {
	(void)state;
	struct setting t;
	set_up(&t);
	assert_int_equal(read_text(&t, "A=p$word\nB=$word\n"), 0);
	assert_string_equal(br_env_get(&t.env, "A")->value, "p");
	assert_int_equal(br_diags_count(t.dx), 1);
	assert_int_equal(br_diags_get(t.dx, 0)->at.off, 3);
	setting_release(&t);
}

/** A later file replaces an earlier one and can refer to it. */
static void test_two_files(void **state) {
	(void)state;
	struct setting t;
	set_up(&t);
	assert_int_equal(read_text(&t, "A=1\nB=2\n"), 0);
	assert_int_equal(read_text(&t, "B=${A}${B}\nC=$B\n"), 0);
	char *out = show(&t.env);
	assert_string_equal(out, "A=<1> B=<12> C=<12>");
	free(out);
	assert_int_equal(br_env_get(&t.env, "FROMOS")->origin, BR_VAR_ENVIRONMENT);
	setting_release(&t);
}

/** The text n times between two others ('@' becomes the number); heap. */
static char *repeat(const char *before, const char *unit, unsigned n, const char *after) {
	struct br_buf buf = {0};
	br_buf_add(&buf, before);
	const char *number = strchr(unit, '@');
	for (unsigned i = 0; i < n; i++) {
		if (number) {
			br_buf_addn(&buf, unit, (size_t)(number - unit));
			br_buf_addf(&buf, "%u%s", i, number + 1);
		} else {
			br_buf_add(&buf, unit);
		}
	}
	br_buf_add(&buf, after);
	char *s = br_buf_take(&buf);
	assert_non_null(s);
	return s;
}

/** Takes the text. NULL for `message` if it can be read. */
static void check_limit(const char *name, char *text, const char *message) {
	struct setting t;
	set_up(&t);
	clock_t from = clock();
	int result = read_text(&t, text);
	double seconds = (double)(clock() - from) / CLOCKS_PER_SEC;
	const char *said = result ? br_diags_get(t.dx, br_diags_count(t.dx) - 1)->message : NULL;
	if (message ? !said || !strstr(said, message) : said != NULL) {
		fail_msg("%s: %s", name, said ? said : "was taken");
	}
	if (seconds > 1 && !getenv("SLOW")) {
		fail_msg("%s: %.1f s", name, seconds);
	}
	setting_release(&t);
	free(text);
}

static void test_limits(void **state) {
	(void)state;
	check_limit("1 MiB", repeat("#", "x", (1 << 20) - 1, ""), NULL);
	check_limit("1 MiB and 1", repeat("#", "x", 1 << 20, ""), "bytes");
	check_limit("10000 names", repeat("", "a@=1\n", 10000, ""), NULL);
	check_limit("10001 names", repeat("", "a@=1\n", 10001, ""), "10000 variables");
	check_limit("64 KiB", repeat("A=", "x", 64 << 10, ""), NULL);
	check_limit("64 KiB and 1", repeat("A=", "x", (64 << 10) + 1, ""), "64 KiB");
	check_limit("huge name", repeat("", "x", 1000000, "=1"), NULL);
	check_limit("huge bare name", repeat("", "x", 1000000, ""), NULL);
	check_limit("blanks", repeat("A=", " ", 1000000, "x"), NULL);
	check_limit("open quotes", repeat("", "A='' ", 150000, "A='"), "10000 variables");
	check_limit(
		"doubling", repeat("A0=xxxxxxxxxxxxxxxx\n", "B=$B$B\nB=x$B\n", 30, ""), "64 KiB");
	check_limit("blank lines", repeat("", "\n", 1000000, "A=1"), NULL);
	check_limit("comments", repeat("", "# \n", 300000, "A=1"), NULL);
}

static void test_memory(void **state) {
	(void)state;
	static const char *const texts[] = {"A=1\nB=\"$A\\n\"\nC='x'\n", "A B\n", "A='"};
	for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++) {
		bool hit = true;
		for (unsigned i = 1; hit; i++) {
			struct setting t;
			set_up(&t);
			int text = br_places_add(
				t.places, BR_PLACE_FILE, ".env", texts[k], strlen(texts[k]));
			assert_true(text > 0);
			fault_at(i);
			int result = br_dotenv_read(&t.env, (uint16_t)text, t.dx);
			hit = fault_hit();
			fault_at(0);
			assert_true(!result == !br_diags_errors(t.dx));
			setting_release(&t);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_unset_warns),
		cmocka_unit_test(test_two_files),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_memory),
	};
	return cmocka_run_group_tests_name("dotenv", tests, NULL, NULL);
}
