#include <bindright/idmap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define MAP(a) ((struct br_idmap){.extents = (a), .n = N(a)})

// Rootless podman's for user 2001 with two subordinate ranges: 0 is the user, then the ranges.
static const struct br_idmap_extent rootless[] = {
	{0, 2001, 1}, {1, 100000, 65536}, {65537, 300000, 1000}};
// As large as an extent can be.
static const struct br_idmap_extent whole[] = {{0, 0, UINT32_MAX}};
static const struct br_idmap_extent top[] = {{0, UINT32_MAX - 1, 1}, {UINT32_MAX - 1, 5, 1}};

struct pair {
	const char *name;
	struct br_idmap map;
	uint32_t in;
	bool found;
	uint32_t out;
};

static void test_to_host(void **state) {
	(void)state;
	const struct pair rows[] = {
		{"the initial namespace maps each ID to itself", {0}, 1001, true, 1001},
		{"the initial namespace's last ID", {0}, 4294967294U, true, 4294967294U},
		{"no ID is no ID there too", {0}, BR_NO_ID, false, 0},
		{"an extent of one", MAP(rootless), 0, true, 2001},
		{"the first ID of an extent", MAP(rootless), 1, true, 100000},
		{"one inside", MAP(rootless), 1001, true, 101000},
		{"the last of an extent", MAP(rootless), 65536, true, 165535},
		{"the next extent", MAP(rootless), 65537, true, 300000},
		{"the last that is mapped", MAP(rootless), 66536, true, 300999},
		{"the first that is not", MAP(rootless), 66537, false, 0},
		{"no ID", MAP(rootless), BR_NO_ID, false, 0},
		{"a whole extent: the last", MAP(whole), 4294967294U, true, 4294967294U},
		{"a whole extent: no ID", MAP(whole), BR_NO_ID, false, 0},
		{"the highest host ID", MAP(top), 0, true, 4294967294U},
		{"the highest container ID", MAP(top), 4294967294U, true, 5},
		{"beside it", MAP(top), 4294967293U, false, 0},
	};
	for (size_t i = 0; i < N(rows); i++) {
		br_hostid out = {7};
		bool found = br_idmap_to_host(&rows[i].map, (br_boxid){rows[i].in}, &out);
		if (found != rows[i].found || (found && out.v != rows[i].out)) {
			fail_msg("%s: %d, %u", rows[i].name, found, out.v);
		}
		if (!found) {
			assert_int_equal(out.v, BR_NO_ID);
		}
	}
}

static void test_to_box(void **state) {
	(void)state;
	const struct pair rows[] = {
		{"the initial namespace maps each ID to itself", {0}, 1001, true, 1001},
		{"no ID", {0}, BR_NO_ID, false, 0},
		{"an extent of one", MAP(rootless), 2001, true, 0},
		{"beside it", MAP(rootless), 2002, false, 0},
		{"root is not mapped", MAP(rootless), 0, false, 0},
		{"the first of an extent", MAP(rootless), 100000, true, 1},
		{"before it", MAP(rootless), 99999, false, 0},
		{"the last of it", MAP(rootless), 165535, true, 65536},
		{"behind it", MAP(rootless), 165536, false, 0},
		{"the next extent", MAP(rootless), 300999, true, 66536},
		{"behind all", MAP(rootless), 301000, false, 0},
		{"the highest host ID", MAP(top), 4294967294U, true, 0},
		{"the highest container ID", MAP(top), 5, true, 4294967294U},
		{"no ID in a map", MAP(whole), BR_NO_ID, false, 0},
	};
	for (size_t i = 0; i < N(rows); i++) {
		br_boxid out = {7};
		bool found = br_idmap_to_box(&rows[i].map, (br_hostid){rows[i].in}, &out);
		if (found != rows[i].found || (found && out.v != rows[i].out)) {
			fail_msg("%s: %d, %u", rows[i].name, found, out.v);
		}
		if (!found) {
			assert_int_equal(out.v, BR_NO_ID);
		}
	}
}

struct judged {
	const char *name;
	struct br_idmap_extent extents[3];
	size_t n;
	bool valid;
	size_t bad;
};

static void test_valid(void **state) {
	(void)state;
	static const struct judged rows[] = {
		{"none is the initial namespace", {{0}}, 0, true, 0},
		{"one", {{0, 100000, 65536}}, 1, true, 0},
		{"side by side", {{0, 10, 5}, {5, 15, 5}, {10, 5, 5}}, 3, true, 0},
		{"a count of 0", {{0, 10, 1}, {5, 100, 0}}, 2, false, 1},
		{"everything but no ID", {{0, 0, UINT32_MAX}}, 1, true, 0},
		{"a container side that reaches no ID", {{1, 0, UINT32_MAX}}, 1, false, 0},
		{"a host side that reaches no ID", {{0, 1, UINT32_MAX}}, 1, false, 0},
		{"up to the last ID", {{0, 4294967290U, 5}}, 1, true, 0},
		{"one past it", {{0, 4294967290U, 6}}, 1, false, 0},
		{"no ID as a start", {{UINT32_MAX, 0, 1}}, 1, false, 0},
		{"no ID as the host's start", {{0, UINT32_MAX, 1}}, 1, false, 0},
		{"wraps right round", {{10, 10, UINT32_MAX - 5}}, 1, false, 0},
		{"the same twice", {{0, 10, 5}, {0, 10, 5}}, 2, false, 1},
		{"overlap in the container by one, from below", {{5, 10, 5}, {0, 100, 6}}, 2, false,
			1},
		{"overlap in the container by one, from above", {{0, 10, 5}, {4, 100, 5}}, 2, false,
			1},
		{"overlap on the host by one, from below", {{0, 100, 5}, {50, 96, 5}}, 2, false, 1},
		{"overlap on the host by one, from above", {{0, 100, 5}, {50, 104, 5}}, 2, false,
			1},
		{"just not, below", {{0, 100, 5}, {50, 95, 5}}, 2, true, 0},
		{"just not, above", {{0, 100, 5}, {50, 105, 5}}, 2, true, 0},
		{"one inside another", {{0, 100, 50}, {60, 120, 5}}, 2, false, 1},
		{"the third with the first", {{0, 100, 5}, {10, 200, 5}, {20, 102, 5}}, 3, false,
			2},
	};
	for (size_t i = 0; i < N(rows); i++) {
		size_t bad = 99;
		struct br_idmap map = {.extents = rows[i].extents, .n = rows[i].n};
		bool valid = br_idmap_valid(&map, &bad);
		if (valid != rows[i].valid || (!valid && bad != rows[i].bad)) {
			fail_msg("%s: %d at %zu", rows[i].name, valid, bad);
		}
	}
}

static void test_count(void **state) {
	(void)state;
	struct br_idmap_extent many[341];
	for (uint32_t i = 0; i < N(many); i++) {
		many[i] = (struct br_idmap_extent){2 * i, 1000 + 2 * i, 1};
	}
	size_t bad = 0;
	assert_true(br_idmap_valid(&(struct br_idmap){many, 340}, &bad));
	assert_false(br_idmap_valid(&(struct br_idmap){many, 341}, &bad));
	assert_int_equal(bad, 340);
	br_hostid out;
	assert_true(br_idmap_to_host(&(struct br_idmap){many, 340}, (br_boxid){678}, &out));
	assert_int_equal(out.v, 1678);
	assert_false(br_idmap_to_host(&(struct br_idmap){many, 340}, (br_boxid){677}, &out));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_host),
		cmocka_unit_test(test_to_box),
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
