/** Settings files: every form of toml.io's that an engine's file may have, and what is none. */
#include <doc/toml.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct reading {
	struct br_arena arena;
	struct br_places *places;
	struct br_diags *dx;
	struct br_toml toml;
};

static void begin(struct reading *r) {
	memset(r, 0, sizeof(*r));
	r->places = br_places_new();
	r->dx = br_diags_new(r->places);
	assert_non_null(r->dx);
}

static uint16_t add(struct reading *r, const char *s, size_t n) {
	int text = br_places_add(r->places, BR_PLACE_FILE, "x.conf", s, n);
	assert_true(text >= 0);
	return (uint16_t)text;
}

/** Here or in the child: the two ways must not differ. */
static bool apart;

static int read_text(struct reading *r, const char *s, size_t n) {
	begin(r);
	uint16_t text = add(r, s, n);
	return apart ? br_toml_read_apart(&r->arena, &text, 1, &r->toml, r->dx)
		     : br_toml_read(&r->arena, text, &r->toml, r->dx);
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

// ---- the child ----

static const char full[] = "[t]\na = ['b', 'c', {append = true}, 3]\nd = 'e'\nf = 1\n";

static long faults_of_children(void) {
	struct rusage usage;
	assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
	return usage.ru_minflt;
}

/** Where nothing is said nobody is asked. */
static void test_silent(void **state) {
	static const char *const silent[] = {"", "\n", "# a = 1", " \t# a\r\n\r\n#\n\n"};
	struct reading r;
	struct br_toml tables[COUNT(silent)];
	uint16_t texts[COUNT(silent)];
	(void)state;
	begin(&r);
	for (size_t i = 0; i < COUNT(silent); i++) {
		texts[i] = add(&r, silent[i], strlen(silent[i]));
	}
	long before = faults_of_children();
	assert_int_equal(br_toml_read_apart(&r.arena, texts, 0, tables, r.dx), 0);
	assert_int_equal(br_toml_read_apart(&r.arena, texts, COUNT(silent), tables, r.dx), 0);
	assert_int_equal(faults_of_children(), before);
	for (size_t i = 0; i < COUNT(silent); i++) {
		assert_int_equal(tables[i].n, 0);
	}
	release(&r);
	apart = true;
	// What is none is said of comments as well.
	assert_int_equal(read_text(&r, "# \xff\n", 4), -1);
	release(&r);
	assert_int_equal(read_text(&r, full, strlen(full)), 0);
	assert_true(faults_of_children() > before);
	release(&r);
	apart = false;
}

/** One child for all of them; the first that is wrong is named. */
static void test_several(void **state) {
	struct reading r;
	struct br_toml tables[3];
	(void)state;
	begin(&r);
	uint16_t texts[] = {add(&r, "a = 'b'", 7), add(&r, "#", 1), add(&r, full, strlen(full))};
	assert_int_equal(br_toml_read_apart(&r.arena, texts, 3, tables, r.dx), 0);
	assert_string_equal(br_toml_get(&tables[0], "a")->s, "b");
	assert_int_equal(tables[1].n, 0);
	assert_int_equal(tables[2].n, 3);
	assert_int_equal(br_toml_get(&tables[2], "t.f")->at.text, texts[2]);
	uint16_t wrong[] = {texts[0], add(&r, "a =", 3), add(&r, "b", 1)};
	assert_int_equal(br_toml_read_apart(&r.arena, wrong, 3, tables, r.dx), -1);
	assert_int_equal(br_diags_count(r.dx), 1);
	assert_int_equal(br_diags_get(r.dx, 0)->at.text, wrong[1]);
	release(&r);
}

static void is_sound(const struct br_toml *toml, size_t n) {
	for (size_t i = 0; i < toml->n; i++) {
		const struct br_toml_value *value = &toml->values[i];
		assert_non_null(value->path);
		assert_true((value->s != NULL) == (value->kind != BR_TOML_LIST));
		assert_true(value->at.off <= n && value->at.len <= n - value->at.off);
		for (size_t k = 0; k < value->n; k++) {
			assert_non_null(value->items[k].s);
			assert_true(value->items[k].at.off <= n);
			assert_true(value->items[k].at.len <= n - value->items[k].at.off);
		}
	}
}

static int take(struct reading *r, const char *bytes, size_t n) {
	struct wire in = {.s = bytes, .n = n};
	br_arena_release(&r->arena);
	return br_toml_take(&r->arena, &in, r->places, &r->toml, 1);
}

/** Whoever took the child over may answer anything: nothing of it leads out of the texts. */
static void test_lies(void **state) {
	struct reading r;
	struct br_buf out = {0};
	unsigned taken = 0;
	(void)state;
	begin(&r);
	uint16_t text = add(&r, full, strlen(full));
	struct br_toml_question question = {&text, 1};
	assert_int_equal(br_toml_answer(&question, r.dx, &out), 0);
	assert_int_equal(take(&r, out.s, out.n), 0);
	for (size_t n = 0; n < out.n; n++) {
		assert_int_equal(take(&r, out.s, n), -1);
	}
	for (size_t i = 0; i < out.n; i++) {
		for (int lie = 0; lie < 256; lie++) {
			char kept = out.s[i];
			out.s[i] = (char)lie;
			if (take(&r, out.s, out.n) == 0) {
				is_sound(&r.toml, strlen(full));
				taken++;
			}
			out.s[i] = kept;
		}
	}
	assert_true(taken > out.n);
	br_buf_addc(&out, 'x');
	assert_int_equal(take(&r, out.s, out.n), -1);
	br_buf_release(&out);
	release(&r);
}

// Readers that somebody has taken over.

static int fall(void *context, struct br_diags *dx, struct br_buf *out) {
	(void)context, (void)dx, (void)out;
	return raise(SIGSEGV);
}

static int say_nothing(void *context, struct br_diags *dx, struct br_buf *out) {
	(void)context, (void)dx, (void)out;
	return -1;
}

static int point_outside(void *context, struct br_diags *dx, struct br_buf *out) {
	const uint16_t *text = context;
	(void)out;
	return br_error(dx, (struct br_span){*text, 1000, 1}, "look there");
}

static int forget_its_letter(void *context, struct br_diags *dx, struct br_buf *out) {
	(void)context, (void)dx;
	out->n = 0;
	return 0;
}

static void test_taken_over(void **state) {
	static br_apart_reader *const readers[] = {
		fall, say_nothing, point_outside, forget_its_letter};
	(void)state;
	for (size_t i = 0; i < COUNT(readers); i++) {
		struct reading r;
		char *bytes = NULL;
		size_t n = 0;
		begin(&r);
		uint16_t text = add(&r, full, strlen(full));
		const struct br_apart job = {readers[i], &text, "x.conf"};
		assert_int_equal(br_apart_read(&job, r.dx, &bytes, &n), -1);
		assert_null(bytes);
		assert_int_equal(br_diags_errors(r.dx), 1);
		assert_string_equal(br_diags_get(r.dx, 0)->message,
			"'x.conf' could not be read safely: it makes the reader crash");
		release(&r);
	}
}

static int go_apart(void **state) {
	(void)state;
	apart = true;
	return 0;
}

static int come_back(void **state) {
	(void)state;
	apart = false;
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_depth),
		cmocka_unit_test_setup_teardown(test_values, go_apart, come_back),
		cmocka_unit_test_setup_teardown(test_places, go_apart, come_back),
		cmocka_unit_test_setup_teardown(test_wrong, go_apart, come_back),
		cmocka_unit_test_setup_teardown(test_depth, go_apart, come_back),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_taken_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
