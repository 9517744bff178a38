#include <base/text.h>
#include <doc/json.h>

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>

#include <cmocka.h>

static struct br_json *begin(void) {
	struct br_json *json = br_json_new();
	assert_non_null(json);
	return json;
}

/** Take on one line, compare, free. */
static void expect(struct br_json *json, const char *text) {
	size_t len = 0;
	char *got = br_json_take(json, true, &len);
	assert_non_null(got);
	assert_string_equal(got, text);
	assert_int_equal(len, strlen(text));
	free(got);
	br_json_free(json);
}

static void test_empty(void **state) {
	(void)state;
	expect(begin(), "{}\n");
	br_json_free(NULL);
	struct br_json *json = begin();
	br_json_freep(&json); // never taken
}

static void test_members(void **state) {
	(void)state;
	struct br_json *json = begin();
	br_json_string(json, "z", "last letter first");
	br_json_string(json, "none", NULL);
	br_json_int(json, "int", INT64_MIN);
	br_json_int(json, "big", INT64_MAX);
	br_json_bool(json, "yes", true);
	br_json_bool(json, "no", false);
	br_json_null(json, "null");
	br_json_real(json, "half", 0.5);
	br_json_real(json, "tenth", 0.1);
	br_json_real(json, "nan", NAN);
	br_json_real(json, "inf", -INFINITY);
	expect(json,
		"{\"z\":\"last letter first\",\"none\":null,\"int\":-9223372036854775808,"
		"\"big\":9223372036854775807,\"yes\":true,\"no\":false,\"null\":null,"
		"\"half\":0.5,\"tenth\":0.1,\"nan\":null,\"inf\":null}\n");
}

static void test_nesting(void **state) {
	(void)state;
	struct br_json *json = begin();
	br_json_array(json, "list");
	br_json_int(json, NULL, 1);
	br_json_object(json, NULL);
	br_json_string(json, "a", "b");
	br_json_array(json, "empty");
	br_json_end(json);
	br_json_end(json);
	br_json_string(json, NULL, NULL);
	br_json_array(json, NULL);
	br_json_bool(json, NULL, true);
	br_json_end(json);
	br_json_end(json);
	br_json_null(json, "after");
	expect(json, "{\"list\":[1,{\"a\":\"b\",\"empty\":[]},null,[true]],\"after\":null}\n");
}

static void test_left_open(void **state) {
	(void)state;
	struct br_json *json = begin();
	br_json_array(json, "a");
	br_json_object(json, NULL);
	br_json_int(json, "b", 1);
	expect(json, "{\"a\":[{\"b\":1}]}\n");
}

static void test_indented(void **state) {
	(void)state;
	struct br_json *json = begin();
	br_json_array(json, "a");
	br_json_int(json, NULL, 1);
	br_json_end(json);
	br_json_string(json, "b", "c");
	char *got = br_json_take(json, false, NULL);
	assert_non_null(got);
	assert_string_equal(got, "{\n  \"a\": [\n    1\n  ],\n  \"b\": \"c\"\n}\n");
	free(got);
	// nothing is left
	assert_null(br_json_take(json, false, NULL));
	br_json_int(json, "late", 1);
	br_json_free(json);
}

static void test_strings(void **state) {
	(void)state;
	struct br_json *json = begin();
	br_json_string(json, "a", "\"\\/\b\n\t\x01");
	br_json_string(json, "\xc3\xa9", "\xe5\x90\x8d \xf0\x9f\x98\x80");
	expect(json,
		"{\"a\":\"\\\"\\\\/\\b\\n\\t\\u0001\",\"\xc3\xa9\":\"\xe5\x90\x8d "
		"\xf0\x9f\x98\x80\"}\n");
}

static void test_bytes(void **state) {
	(void)state;
	struct br_json *json = begin();
	br_json_bytes(json, "good", "/srv/\xc3\xa9");
	br_json_bytes(json, "none", NULL);
	br_json_bytes(json, "path", "a\xff");
	br_json_array(json, "list");
	br_json_bytes(json, NULL, "\xff");
	br_json_end(json);
	// "a" and 0xff are Yf8= in base64 (01100001 11111111)
	expect(json,
		"{\"good\":\"/srv/\xc3\xa9\",\"none\":null,\"path\":\"a\\\\xff\","
		"\"path_b64\":\"Yf8=\",\"list\":[\"\\\\xff\"]}\n");
}

static void test_failure_is_kept(void **state) {
	(void)state;
	struct br_json *json = begin();
	br_json_string(
		json, "a", "\xff"); // against the rules: what comes then is not a text without it
	br_json_object(json, "b");
	br_json_int(json, "c", 1);
	br_json_end(json);
	br_json_end(json);
	assert_null(br_json_take(json, true, NULL));
	br_json_free(json);
}

static void test_memory(void **state) {
	(void)state;
	for (unsigned i = 1;; i++) {
		fault_at(i);
		struct br_json *json = br_json_new();
		char *got = NULL;
		if (json) {
			br_json_array(json, "a");
			br_json_end(json);
			br_json_bytes(json, "b", "\xff");
			got = br_json_take(json, true, NULL);
		}
		bool hit = fault_hit();
		fault_at(0);
		if (got) {
			assert_string_equal(
				got, "{\"a\":[],\"b\":\"\\\\xff\",\"b_b64\":\"/w==\"}\n");
		}
		assert_true(got || hit);
		free(got);
		br_json_free(json);
		if (!hit) {
			return;
		}
	}
}

static struct br_value *read_text(const char *text) {
	return br_value_read(text, strlen(text));
}

static void test_read(void **state) {
	(void)state;
	struct br_value *v = read_text(
		"{\"User\":\"1000\",\"Env\":[\"A=1\",2,null],\"Config\":{\"x\":\"\\u00e9\"}}");
	assert_non_null(v);
	assert_true(br_value_is_object(v));
	assert_false(br_value_is_array(v));
	assert_string_equal(br_value_string(br_value_get(v, "User")), "1000");
	assert_string_equal(br_value_string(br_value_get(v, "user")), "1000");
	assert_null(br_value_get(v, "Use"));
	assert_non_null(br_value_get_exact(v, "User"));
	assert_null(br_value_get_exact(v, "user"));
	const struct br_value *env = br_value_get(v, "Env");
	assert_true(br_value_is_array(env));
	assert_int_equal(br_value_count(env), 3);
	assert_string_equal(br_value_string(br_value_at(env, 0)), "A=1");
	assert_null(br_value_string(br_value_at(env, 1)));
	assert_null(br_value_string(br_value_at(env, 2)));
	assert_null(br_value_at(env, 3));
	assert_string_equal(
		br_value_string(br_value_get(br_value_get(v, "Config"), "x")), "\xc3\xa9");
	// asked of the wrong kind, and of nothing
	assert_null(br_value_get(env, "x"));
	assert_null(br_value_get(NULL, "x"));
	assert_int_equal(br_value_count(v), 0);
	assert_int_equal(br_value_count(NULL), 0);
	assert_null(br_value_at(v, 0));
	assert_null(br_value_string(v));
	assert_null(br_value_string(NULL));
	assert_false(br_value_is_object(NULL));
	br_value_free(v);
	// Go's decoder takes the last
	v = read_text("{\"User\":\"a\",\"x\":0,\"user\":\"b\"}");
	assert_string_equal(br_value_string(br_value_get(v, "User")), "b");
	br_value_freep(&v);
}

static void test_read_refuses(void **state) {
	(void)state;
	static const char *const bad[] = {"", "{", "[1,]", "{\"a\":1,\"a\":2}", "{} x",
		"\"\\u0000\"", "\"\xff\"", "nul", "[\"a]", "{\"a\" 1}", "// c\n{}", "\"\\", "]]]"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		errno = 0;
		assert_null(read_text(bad[i]));
		assert_int_equal(errno, EINVAL);
	}
	assert_null(br_value_read("{}\0", 3));
}

/** `n` times `s`, between two ends. */
static int read_many(const char *before, const char *s, size_t n, const char *after) {
	struct br_buf buf = {0};
	br_buf_add(&buf, before);
	for (size_t i = 0; i < n; i++) {
		br_buf_add(&buf, s);
	}
	br_buf_add(&buf, after);
	assert_false(buf.failed);
	errno = 0;
	struct br_value *v = br_value_read(buf.s, buf.n);
	int result = v ? 0 : errno;
	br_value_free(v);
	br_buf_release(&buf);
	return result;
}

static void test_read_limits(void **state) {
	(void)state;
	assert_int_equal(
		read_many("", "[", 64,
			"]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
		0);
	assert_int_equal(read_many("", "[", 65, "]"), EFBIG);
	assert_int_equal(read_many("", "[", 1000000, ""), EFBIG);
	assert_int_equal(read_many("[0", ",0", 199998, "]"), 0);
	assert_int_equal(read_many("[0", ",0", 200000, "]"), EFBIG);
	// in strings they do not count
	assert_int_equal(read_many("\"", "[\\\"{,", 200000, "\""), 0);
	assert_int_equal(read_many("\"", "x", 4 << 20, "\""), EFBIG);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_refuses),
		cmocka_unit_test(test_read_limits),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_left_open),
		cmocka_unit_test(test_indented),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_failure_is_kept),
		cmocka_unit_test(test_memory),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
