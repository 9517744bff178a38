#include <base/text.h>

#include <setjmp.h>
#include <spec/interpolate.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>
#include <support/scratch.h>
#include <support/variables.h>
#include <time.h>

#include <cmocka.h>

/** The variables that every row sees. U and the like are not set. */
static const struct br_var variables[] = {
	{"S", "set", BR_VAR_FILE},
	{"E", "", BR_VAR_FILE},
	{"A", "1", BR_VAR_FILE},
	{"_x9", "under", BR_VAR_FILE},
	{"HOME", "/home/me", BR_VAR_ENVIRONMENT},
	{"DOLLAR", "$S ${S} $$", BR_VAR_FILE},
	{"LINES", "a\nb: c", BR_VAR_FILE},
	{"VOLUME", "/data:/x", BR_VAR_OVERRIDE},
	{"MY", "mine", BR_VAR_FILE},
};

static void set_up(struct setting *t) {
	setting_init(t, variables, sizeof(variables) / sizeof(*variables));
}

static struct br_text enter(struct setting *t, const char *s) {
	int text = br_places_add(t->places, BR_PLACE_FILE, "in.yaml", s, strlen(s));
	assert_true(text > 0);
	return (struct br_text){s, {(uint16_t)text, 0, (uint32_t)strlen(s)}};
}

static const struct {
	const char *name, *in, *out;
	/** Variables that warn, separated by blanks. */
	const char *unset;
} good[] = {
	{"no variable", "plain", "plain", ""},
	{"empty", "", "", ""},
	{"C2 bare", "$S", "set", ""},
	{"C2 braces", "${S}", "set", ""},
	{"C2 inside", "a${S}b$S/c", "asetbset/c", ""},
	{"C2 name ends", "$S-x $S.y $_x9!", "set-x set.y under!", ""},
	{"C2 name goes on", "$Sx", "", "Sx"},
	{"C3 :- unset", "${U:-d}", "d", ""},
	{"C3 :- empty", "${E:-d}", "d", ""},
	{"C3 :- set", "${S:-d}", "set", ""},
	{"C3 - unset", "${U-d}", "d", ""},
	{"C3 - empty", "${E-d}", "", ""},
	{"C3 - set", "${S-d}", "set", ""},
	{"C3 :? set", "${S:?no}", "set", ""},
	{"C3 ? empty", "${E?no}", "", ""},
	{"C3 :+ unset", "${U:+d}", "", ""},
	{"C3 :+ empty", "${E:+d}", "", ""},
	{"C3 :+ set", "${S:+d}", "d", ""},
	{"C3 + unset", "${U+d}", "", ""},
	{"C3 + empty", "${E+d}", "d", ""},
	{"C3 + set", "${S+d}", "d", ""},
	{"empty word", "a${U:-}b${U-}c${S:+}d", "abcd", ""},
	{"C4 nested", "${U:-${S}}", "set", ""},
	{"C4 nested bare", "${U:-$S/x}", "set/x", ""},
	{"C4 nested twice", "${U:-${V:-${S}}}", "set", ""},
	{"C4 braces", "${D:-/data/{y}}", "/data/{y}", ""},
	{"C4 braces and more", "${D:-{a}{b}}c}", "{a}{b}c}", ""},
	{"C4 lazy", "${S:-${U}}", "set", ""},
	{"C4 lazy error", "${S:-${U:?no}}", "set", ""},
	{"C4 lazy nonsense", "${S:-${1}}", "set", ""},
	{"C4 used", "${U:-${V}}", "", "V"},
	{"unbalanced brace", "${U:-{x}", "{x", ""},
	{"C5 leftmost", "${U:-a-b:-c?d}", "a-b:-c?d", ""},
	{"C5 minus first", "${U-a:-b}", "a:-b", ""},
	{"C5 plus first", "${S+a:-b}", "a:-b", ""},
	{"C5 hyphen is no name", "${MY-VAR}", "mine", ""},
	{"C5 hyphen, unset", "${U-VAR}", "VAR", ""},
	{"C6 doubled", "$$S", "$S", ""},
	{"C6 doubled braces", "$${S}", "${S}", ""},
	{"C6 three", "$$${S}", "$set", ""},
	{"C6 four", "$$$$", "$$", ""},
	{"C6 in a word", "${U:-$$x}", "$x", ""},
	{"C7 digit", "$1", "$1", ""},
	{"C7 blank", "a $ b", "a $ b", ""},
	{"C7 hyphen", "/x$-y", "/x$-y", ""},
	{"C7 end", "a$", "a$", ""},
	{"C7 parenthesis", "$(pwd)", "$(pwd)", ""},
	{"C10 unset", "${DATA}:/data", ":/data", "DATA"},
	{"C10 unset bare", "$DATA/x", "/x", "DATA"},
	{"C10 two", "$DATA $U $DATA", "  ", "DATA U"},
	{"C12 value is not read again", "$DOLLAR", "$S ${S} $$", ""},
	{"C12 line end in a value", "$LINES", "a\nb: c", ""},
	{"C12 a whole volume", "${VOLUME}", "/data:/x", ""},
	{"word over reference", "${U:-a} and ${S}", "a and set", ""},
	{"line end outside", "${S}\n${U:-x}", "set\nx", ""},
	{"names know case", "${s:-d}", "d", ""},
};

static void check_unset(const struct setting *t, const char *name, const char *unset) {
	size_t n = 0;
	for (const char *s = unset; *s; n++) {
		size_t len = strcspn(s, " ");
		char want[40];
		assert_true(snprintf(want, sizeof(want), "'%.*s' is not set", (int)len, s) > 0);
		const struct br_diag *d = br_diags_get(t->dx, n);
		if (n >= br_diags_count(t->dx) || !strstr(d->message, want)) {
			fail_msg("%s: no warning of %s", name, want);
		}
		assert_int_equal(d->severity, BR_WARNING);
		s += len + (s[len] == ' ');
	}
	if (br_diags_count(t->dx) != n) {
		fail_msg("%s: %s", name, br_diags_get(t->dx, n)->message);
	}
}

static void test_good(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct setting t;
		set_up(&t);
		struct br_interpolated out;
		int result = br_interpolate(&t.env, enter(&t, good[i].in), "a.b", &out, t.dx);
		if (result) {
			fail_msg("%s: %s", good[i].name, br_diags_get(t.dx, 0)->message);
		}
		if (strcmp(out.s, good[i].out) != 0) {
			fail_msg("%s: got %s", good[i].name, out.s);
		}
		// "unset" is the first that warned
		size_t len = strcspn(good[i].unset, " ");
		assert_true(out.unset ? strlen(out.unset) == len
					&& !strncmp(out.unset, good[i].unset, len)
				      : !len);
		check_unset(&t, good[i].name, good[i].unset);
		setting_release(&t);
	}
}

static const struct {
	const char *name, *in;
	/** What is underlined. */
	uint32_t off, len;
	const char *message, *hint;
} bad[] = {
	{"C8 colon", "${UID:1000}", 0, 11, "a.b: '${UID:1000}' is no valid", "${UID:-1000}"},
	{"C8 empty", "x${}", 1, 3, "'${}'", "$$"},
	{"C8 open", "x/${UID", 2, 5, "'${UID'", "$$"},
	{"C8 open with word", "${U:-x", 0, 6, "'${U:-x'", "$$"},
	{"C8 digit", "${1}", 0, 4, "'${1}'", "$$"},
	{"C8 blank", "${ S}", 0, 5, "'${ S}'", "$$"},
	{"C8 blank behind", "${S }", 0, 5, "'${S }'", "$$"},
	{"C2 length", "${#S}", 0, 5, "'${#S}'", "$$"},
	{"C2 suffix", "${S%t}", 0, 6, "'${S%t}'", "$$"},
	{"C2 replace", "${S/s/t}", 0, 8, "'${S/s/t}'", "$$"},
	{"C2 indirect", "${!S}", 0, 5, "'${!S}'", "$$"},
	{"C2 assign", "${S:=x}", 0, 7, "'${S:=x}'", "${S:-x}"},
	{"dot in a name", "${a.b}", 0, 6, "'${a.b}'", "$$"},
	{"second is wrong", "${S} ${}", 5, 3, "'${}'", "$$"},
	{"word is wrong", "${U:-${}}", 5, 3, "'${}'", "$$"},
	{"word over lines", "${U:-a\nb}", 0, 6, "'${U:-a'", "$$"},
	{"C9 unset", "x${U:?must be}", 1, 13, "a.b: the required variable 'U' is not set: must be",
		NULL},
	{"C9 empty", "${E:?must be}", 0, 13, "'E' is empty: must be", NULL},
	{"C9 without colon", "${U?must be}", 0, 12, "'U' is not set: must be", NULL},
	{"C9 no text", "${U?}", 0, 5, "'U' is not set", NULL},
	{"C9 text is interpolated", "${U:?see $S}", 0, 12, "'U' is not set: see set", NULL},
	{"C9 nested", "${U:-${V:?no}}", 5, 8, "'V' is not set: no", NULL},
};

static void test_bad(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct setting t;
		set_up(&t);
		struct br_interpolated out;
		if (!br_interpolate(&t.env, enter(&t, bad[i].in), "a.b", &out, t.dx)) {
			fail_msg("%s: gave %s", bad[i].name, out.s);
		}
		assert_int_equal(br_diags_errors(t.dx), 1);
		const struct br_diag *d = br_diags_get(t.dx, br_diags_count(t.dx) - 1);
		if (!strstr(d->message, bad[i].message)) {
			fail_msg("%s: said %s", bad[i].name, d->message);
		}
		if (bad[i].hint && (!d->hint || !strstr(d->hint, bad[i].hint))) {
			fail_msg("%s: hint %s", bad[i].name, d->hint ? d->hint : "none");
		}
		if (d->at.off != bad[i].off || d->at.len != bad[i].len) {
			fail_msg("%s: at %u+%u", bad[i].name, d->at.off, d->at.len);
		}
		setting_release(&t);
	}
}

/** The value and its text in the file differ: by quotes, escapes and folds. */
static void test_places(void **state) {
	(void)state;
	static const struct {
		const char *raw, *value;
		uint32_t off, len;
	} rows[] = {
		{"'a ${}'", "a ${}", 3, 3},
		{"\"\\t${}\"", "\t${}", 3, 3},
		{"\"\\x24{}\"", "${}", 0, 8}, // not verbatim: the scalar
		{"'$$ ${$'", "$$ ${$", 4, 3},
		{"'${S} ''${}'", "${S} '${}", 8, 3},
		{"${}-${}", "${}-${}", 0, 3},
		{"a\n  ${}", "a ${}", 4, 3},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct setting t;
		set_up(&t);
		struct br_text text = enter(&t, rows[i].raw);
		text.s = rows[i].value;
		struct br_interpolated out;
		assert_int_equal(br_interpolate(&t.env, text, NULL, &out, t.dx), -1);
		const struct br_diag *d = br_diags_get(t.dx, 0);
		assert_int_equal(d->at.off, rows[i].off);
		assert_int_equal(d->at.len, rows[i].len);
		assert_true(d->message[0] == '\''); // no path, no colon
		setting_release(&t);
	}
}

static void test_second_of_a_kind(void **state) {
	(void)state;
	struct setting t;
	set_up(&t);
	struct br_interpolated out;
	struct br_text text = enter(&t, "${E:-${U}x} $$U $U");
	assert_int_equal(br_interpolate(&t.env, text, NULL, &out, t.dx), 0);
	assert_int_equal(br_diags_get(t.dx, 0)->at.off, 5);
	setting_release(&t);

	set_up(&t);
	text = enter(&t, "$$UU $U"); // the first "$U" is none
	assert_int_equal(br_interpolate(&t.env, text, NULL, &out, t.dx), 0);
	assert_string_equal(out.s, "$UU ");
	assert_int_equal(br_diags_get(t.dx, 0)->at.off, 5);
	setting_release(&t);
}

static void test_facts(void **state) {
	(void)state;
	struct setting t;
	set_up(&t);
	struct br_interpolated out;
	assert_int_equal(br_interpolate(&t.env, enter(&t, "a $ b"), NULL, &out, t.dx), 0);
	assert_false(out.changed);
	assert_int_equal(br_interpolate(&t.env, enter(&t, "a$$"), NULL, &out, t.dx), 0);
	assert_true(out.changed);
	assert_null(out.environment);
	assert_int_equal(br_interpolate(&t.env, enter(&t, "$S$HOME"), NULL, &out, t.dx), 0);
	assert_string_equal(out.environment, "HOME");
	assert_int_equal(br_interpolate(&t.env, enter(&t, "${HOME:+x}"), NULL, &out, t.dx), 0);
	assert_string_equal(out.environment, "HOME");
	assert_int_equal(br_interpolate(&t.env, enter(&t, "${S:-$HOME}"), NULL, &out, t.dx), 0);
	assert_null(out.environment);
	// warns once in a list
	assert_int_equal(br_interpolate(&t.env, enter(&t, "$U"), NULL, &out, t.dx), 0);
	assert_int_equal(br_interpolate(&t.env, enter(&t, "${U}"), NULL, &out, t.dx), 0);
	assert_string_equal(out.unset, "U");
	assert_int_equal(br_diags_count(t.dx), 1);
	struct br_text none = {0};
	assert_int_equal(br_interpolate(&t.env, none, NULL, &out, t.dx), 0);
	assert_null(out.s);
	setting_release(&t);
}

static void test_env(void **state) {
	(void)state;
	struct br_arena arena = {0};
	struct br_env env = {.arena = &arena};
	assert_null(br_env_get(&env, "A"));
	char name[20] = "A";
	struct br_var a = {name, "1", BR_VAR_FILE};
	assert_int_equal(br_env_set(&env, &a, false), 0);
	name[0] = 'B'; // it was copied
	assert_string_equal(br_env_get(&env, "A")->value, "1");
	struct br_var again = {"A", "2", BR_VAR_OVERRIDE};
	assert_int_equal(br_env_set(&env, &again, false), 0);
	assert_string_equal(br_env_get(&env, "A")->value, "1");
	assert_int_equal(br_env_set(&env, &again, true), 0);
	assert_string_equal(br_env_get(&env, "A")->value, "2");
	assert_int_equal(br_env_get(&env, "A")->origin, BR_VAR_OVERRIDE);
	assert_int_equal(env.vars.n, 1);
	for (unsigned i = 0; i < 5000; i++) {
		assert_true(snprintf(name, sizeof(name), "v%u", i) > 0);
		struct br_var var = {name, name, BR_VAR_FILE};
		assert_int_equal(br_env_set(&env, &var, false), 0);
	}
	for (unsigned i = 0; i < 5000; i++) {
		assert_true(snprintf(name, sizeof(name), "v%u", i) > 0);
		assert_string_equal(br_env_get(&env, name)->value, name);
	}
	assert_null(br_env_get(&env, "v5000"));
	br_arena_release(&arena);
}

/** Takes the text. NULL for `message` if it can be interpolated. */
static void check_limit(const char *name, char *text, const char *message) {
	struct setting t;
	set_up(&t);
	struct br_interpolated out;
	clock_t from = clock();
	int result = br_interpolate(&t.env, enter(&t, text), "p", &out, t.dx);
	double seconds = (double)(clock() - from) / CLOCKS_PER_SEC;
	const char *said = result ? br_diags_get(t.dx, br_diags_count(t.dx) - 1)->message : NULL;
	assert_int_equal(br_diags_errors(t.dx), result ? 1 : 0);
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
	char *deep = repeat("", "${U:-", 16, "x");
	check_limit("depth 16", repeat(deep, "}", 16, ""), NULL);
	free(deep);
	deep = repeat("", "${U:-", 17, "x");
	check_limit("depth 17", repeat(deep, "}", 17, ""), "nested more than 16");
	free(deep);
	deep = repeat("", "${U:-", 10000, "x");
	check_limit("depth 10000", repeat(deep, "}", 10000, ""), "nested more than 16");
	free(deep);
	check_limit("64 KiB", repeat("$$", "x", BR_INTERPOLATE_BYTES - 1, ""), NULL);
	check_limit(
		"64 KiB and 1", repeat("$$", "x", BR_INTERPOLATE_BYTES, ""), "more than 64 KiB");
	check_limit("64 KiB of values", repeat("", "$HOME", 8193, ""), "more than 64 KiB");
	check_limit("open references", repeat("", "${U:-", 13000, ""), "no valid");
	check_limit("dollars", repeat("", "$", 65535, ""), NULL);
	check_limit("unset ones", repeat("", "$U", 30000, ""), NULL);
	check_limit("open braces", repeat("${U:-", "{", 60000, "}"), NULL);
	check_limit("many wrong places", repeat("", "$$ ", 20000, "${}"), "no valid");
}

static void test_memory(void **state) {
	(void)state;
	static const char *const texts[] = {
		"$S ${U:-${A}} $$ $U", "${U:?see $S}", "${}", "${E:+x}", "plain"};
	for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++) {
		bool hit = true;
		for (unsigned i = 1; hit; i++) {
			struct setting t;
			set_up(&t);
			struct br_text text = enter(&t, texts[k]);
			struct br_interpolated out;
			fault_at(i);
			int result = br_interpolate(&t.env, text, "p", &out, t.dx);
			hit = fault_hit();
			fault_at(0);
			// a warning that found no memory is an error in the list, though the value
			// is right
			assert_true(!result || br_diags_errors(t.dx) > 0);
			setting_release(&t);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_second_of_a_kind),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_env),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_memory),
	};
	return cmocka_run_group_tests_name("interpolate", tests, NULL, NULL);
}
