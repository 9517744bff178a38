/* What engines make of mounts: the rows that were measured. */
#include <bindright/habits.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct br_mount recursive(const char *word) {
	return (struct br_mount){.read_only = true, .recursive = {.s = word}};
}

/* 20.10 leaves them writable and knows no option; 26.1 has them read-only unless told otherwise. */
static void test_submounts(void **state) {
	(void)state;
	static const struct {
		unsigned version;
		const char *word;
		enum br_submounts want;
	} rows[] = {
		{2010, NULL, BR_SUBMOUNTS_WRITABLE},
		{2010, "disabled", BR_SUBMOUNTS_WRITABLE},
		{2499, NULL, BR_SUBMOUNTS_WRITABLE},
		{2500, NULL, BR_SUBMOUNTS_SAME},
		{2601, NULL, BR_SUBMOUNTS_SAME},
		{2601, "enabled", BR_SUBMOUNTS_SAME},
		{2601, "readonly", BR_SUBMOUNTS_SAME},
		{2601, "writable", BR_SUBMOUNTS_WRITABLE},
		{2601, "disabled", BR_SUBMOUNTS_HIDDEN},
		{0, NULL, BR_SUBMOUNTS_SAME},
		{0, "writable", BR_SUBMOUNTS_WRITABLE},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct br_mount mount = recursive(rows[i].word);
		const struct br_engine_rules *rules =
			br_engine_rules(BR_ENGINE_DOCKER, rows[i].version);
		assert_int_equal(br_engine_submounts(rules, &mount), rows[i].want);
	}
}

static void test_volumes(void **state) {
	(void)state;
	for (unsigned version = 1903; version < 3000; version += 100) {
		const struct br_engine_rules *rules = br_engine_rules(BR_ENGINE_DOCKER, version);
		assert_true(rules->fills_empty && rules->nocopy_spares);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_submounts),
		cmocka_unit_test(test_volumes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
