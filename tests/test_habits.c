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
		const struct br_habits *habits = br_habits(BR_ENGINE_DOCKER, rows[i].version);
		assert_int_equal(br_habits_submounts(habits, &mount), rows[i].want);
	}
}

/* An empty directory is filled everywhere; nocopy keeps owner and mode with Docker alone, and 4.3
 * adopts what is not empty. */
static void test_volumes(void **state) {
	(void)state;
	static const struct {
		enum br_engine engine;
		unsigned version;
		bool spares, full, user;
	} rows[] = {
		{BR_ENGINE_DOCKER, 2010, true, false, false},
		{BR_ENGINE_DOCKER, 2601, true, false, false},
		{BR_ENGINE_DOCKER_ROOTLESS, 2601, true, false, false},
		{BR_ENGINE_UNSAID, 0, true, false, false},
		{BR_ENGINE_PODMAN, 403, false, true, true},
		{BR_ENGINE_PODMAN_ROOTLESS, 403, false, true, true},
		{BR_ENGINE_PODMAN, 504, false, false, true},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct br_habits *habits = br_habits(rows[i].engine, rows[i].version);
		assert_true(habits->fills_empty);
		assert_int_equal(habits->nocopy_spares, rows[i].spares);
		assert_int_equal(habits->adopts_full, rows[i].full);
		assert_int_equal(habits->adopts_for_user, rows[i].user);
	}
	// What Podman 4 cannot do in a user namespace; of 5 it is not known.
	assert_true(br_habits(BR_ENGINE_PODMAN_ROOTLESS, 403)->overlay_needs_root);
	assert_true(br_habits(BR_ENGINE_PODMAN, 403)->idmap_needs_space);
	assert_true(br_habits(BR_ENGINE_PODMAN, 403)->crun_hides_submounts);
	assert_false(br_habits(BR_ENGINE_PODMAN, 504)->idmap_needs_space);
	assert_false(br_habits(BR_ENGINE_DOCKER, 2010)->overlay_needs_root);
	assert_false(br_habits(BR_ENGINE_OCI, 0)->fills_empty);
	assert_false(br_habits(BR_ENGINE_PODMAN, 0)->read_only_recursive);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_submounts),
		cmocka_unit_test(test_volumes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
