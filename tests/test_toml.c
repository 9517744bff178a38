/** Settings files: every form of toml.io's that an engine's file may have, and what is none. */
#include <doc/toml.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct reading {
	struct br_arena arena;
	struct br_places *places;
	struct br_diags *dx;
	struct br_toml toml;
};

static int read_text(struct reading *r, const char *s, size_t n) {
	memset(r, 0, sizeof(*r));
	r->places = br_places_new();
	r->dx = br_diags_new(r->places);
	assert_non_null(r->dx);
	int text = br_places_add(r->places, BR_PLACE_FILE, "x.conf", s, n);
	assert_true(text >= 0);
	return br_toml_read(&r->arena, (uint16_t)text, &r->toml, r->dx);
}

static void release(struct reading *r) {
	br_arena_release(&r->arena);
	br_diags_free(r->dx);
	br_places_free(r->places);
}

/** "path=value" of each, a list as [a|b], words with a ~ before them, lines behind each other. */
static void check(const char *text, const char *expected) {
	struct reading r;
	char got[1024] = "";
	if (read_text(&r, text, strlen(text))) {
		fail_msg("%s: %s", text, br_diags_get(r.dx, 0)->message);
	}
	for (size_t i = 0; i < r.toml.n; i++) {
		const struct br_toml_value *v = &r.toml.values[i];
		size_t n = strlen(got);
		(void)snprintf(got + n, sizeof(got) - n, "%s=%s%s", v->path,
			v->kind == BR_TOML_WORD           ? "~"
				: v->kind == BR_TOML_LIST ? (v->appends ? "+[" : "[")
							  : "",
			v->s ? v->s : "");
		for (size_t k = 0; k < v->n; k++) {
			n = strlen(got);
			(void)snprintf(got + n, sizeof(got) - n, "%s|", v->items[k].s);
		}
		n = strlen(got);
		(void)snprintf(got + n, sizeof(got) - n, "%s;", v->kind == BR_TOML_LIST ? "]" : "");
	}
	assert_string_equal(got, expected);
	release(&r);
}

static void test_values(void **state) {
	(void)state;
	check("", "");
	check("\xef\xbb\xbf# only\n\r\n", "");
	check("a = \"b\"", "a=b;");
	check("[t]\r\na = 'b' # c\r\n", "t.a=b;");
	check("[ t . \"u v\" ]\na.b = 1\n", "t.u v.a.b=~1;");
	check("[[t]]\na = true\n[[t]]\na = -1.5e3\n", "t.a=~true;t.a=~-1.5e3;");
	check("t = {a = \"b\", c = {d = 1979-05-27T07:32:00Z}}\n",
		"t.a=b;t.c.d=~1979-05-27T07:32:00Z;");
	check("a = \"\\t\\\"\\\\\\u00e9\\U0001F600\\e\"", "a=\t\"\\\xc3\xa9\xf0\x9f\x98\x80\033;");
	check("a = '\\t'", "a=\\t;");
	check("a = \"\"\"\none\n two \\\n   three\"\"\"", "a=one\n two three;");
	check("a = '''\n'one'''' ", "a='one';");
	check("a = []\nb = [ 'c' , # d\n\n\"e\",\n]\n", "a=[];b=[c|e|];");
	check("a = ['b', {append=true}]\n", "a=+[b|];");
	check("a = ['b', {append=false}, {append = true, x = [1, [2]]}, [3, 'c'], 4]\n",
		"a=+[b|];");
}

static void test_places(void **state) {
	struct reading r;
	static const char text[] = "[t]\na = [ 'bc', \"d\" ]\n";
	(void)state;
	assert_int_equal(read_text(&r, text, strlen(text)), 0);
	const struct br_toml_value *v = br_toml_get(&r.toml, "t.a");
	assert_non_null(v);
	assert_int_equal(v->at.off, 8);
	assert_int_equal(v->at.len, 13);
	assert_int_equal(v->items[0].at.off, 10);
	assert_int_equal(v->items[0].at.len, 4);
	assert_null(br_toml_get(&r.toml, "t"));
	release(&r);
	// The last one counts.
	assert_int_equal(read_text(&r, "a = 'b'\na = 'c'\n", 16), 0);
	assert_string_equal(br_toml_get(&r.toml, "a")->s, "c");
	release(&r);
}

static void test_wrong(void **state) {
	static const char *const wrong[] = {"a", "a =", "a = \n", "= 1", "[a", "[a]]", "[[a]", "[]",
		"a = 'b", "a = \"b\nc\"", "a = \"\\x\"", "a = \"\\u12\"", "a = \"\\ud800\"",
		"a = \"\\u0000\"", "a = \"\"\"b", "a = [1", "a = [1 2]", "a = [,]", "a = {b}",
		"a = {b = 1", "a = 1 2", "[a] b = 1", "a b = 1", "a. = 1", "\"\"\"a\"\"\" = 1",
		"a = \x01", "a = \"\xff\"", "a = 'b'c", "\x01"};
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct reading r;
		if (read_text(&r, wrong[i], strlen(wrong[i])) == 0) {
			fail_msg("%s is taken for TOML", wrong[i]);
		}
		assert_int_equal(br_diags_errors(r.dx), 1);
		release(&r);
	}
	struct reading r;
	assert_int_equal(read_text(&r, "a = 'b\0c'", 9), -1);
	release(&r);
}

/** Nesting ends somewhere. */
static void test_depth(void **state) {
	char text[2048] = "a = ";
	struct reading r;
	(void)state;
	memset(text + 4, '[', 1000);
	assert_int_equal(read_text(&r, text, strlen(text)), -1);
	release(&r);
	memset(text + 4, 0, sizeof(text) - 4);
	for (size_t i = 0; i < 500; i++) {
		memcpy(text + 4 + 3 * i, "{b=", 3);
	}
	assert_int_equal(read_text(&r, text, strlen(text)), -1);
	release(&r);
	memset(text, 0, sizeof(text));
	for (size_t i = 0; i < 500; i++) {
		memcpy(text + 2 * i, "a.", 2);
	}
	assert_int_equal(read_text(&r, text, strlen(text)), -1);
	release(&r);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_depth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
