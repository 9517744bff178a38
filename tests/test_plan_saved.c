/*
 * Saved plans as files: each member is what its JSON says, or it is refused, also under the right
 * seal, which anybody can make.
 */
#include <base/mem.h>
#include <bindright/plan.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>

#include <cmocka.h>

#define ZEROS "00000000000000000000000000000000" // half a digest

static const char digest[] = ZEROS ZEROS;

/** What is put into a plan that is right otherwise. */
struct members {
	const char *caller, *changes, *words, *files, *born, *nanoseconds, *rest, *plan;
};

static const struct members right = {
	"7001", "5", "[\"--cross\"]", "[]", "1700000000", "999999999", "\"" ZEROS ZEROS "\"", ""};

/** A sealed file of these; heap. */
static char *write_plan(const struct members *m, size_t *n) {
	char *out = NULL;
	int len = asprintf(&out,
		"{\n\"schema\": \"bindright.report/1\",\n\"plan\": {%s\"saved\": {\"version\": 1,\n"
		"\"caller\": %s, \"changes\": %s, \"directory\": \"/srv\", \"words\": %s,\n"
		"\"files\": %s, \"containers\": [], \"rest\": %s, \"trees\": [{\"name\": \"/srv/d\",\n"
		"\"sha256\": \"%s\", \"changes\": 2, \"inode\": 18446744073709551615,\n"
		"\"born\": %s, \"born_nanoseconds\": %s}]}}\n}\n",
		m->plan, m->caller, m->changes, m->words, m->files, m->rest, digest, m->born,
		m->nanoseconds);
	assert_true(len > 0);
	*n = (size_t)len;
	out = br_saved_seal(out, n);
	assert_non_null(out);
	return out;
}

struct reading {
	struct br_arena arena;
	struct br_places *places;
	struct br_diags *dx;
};

static const struct br_saved *read_plan(struct reading *r, const struct members *m) {
	size_t n;
	char *bytes = write_plan(m, &n);
	*r = (struct reading){.places = br_places_new()};
	r->dx = br_diags_new(r->places);
	int text = br_places_add(r->places, BR_PLACE_FILE, "plan.json", bytes, n);
	assert_true(text > 0);
	free(bytes);
	return br_saved_read(&r->arena, (uint16_t)text, r->dx);
}

static void release(struct reading *r) {
	br_diags_free(r->dx);
	br_places_free(r->places);
	br_arena_release(&r->arena);
}

static void test_members(void **state) {
	(void)state;
	struct reading r;
	const struct br_saved *saved = read_plan(&r, &right);
	assert_non_null(saved);
	assert_int_equal(saved->caller, 7001);
	assert_int_equal(saved->changes, 5);
	assert_string_equal(saved->directory, "/srv");
	assert_null(saved->plan);
	assert_int_equal(saved->nwords, 1);
	assert_string_equal(saved->words[0], "--cross");
	assert_int_equal(saved->nfiles, 0);
	assert_int_equal(saved->ntrees, 1);
	assert_string_equal(saved->trees[0].name, "/srv/d");
	assert_string_equal(saved->trees[0].digest, digest);
	assert_int_equal(saved->trees[0].changes, 2);
	assert_true(saved->trees[0].ino == UINT64_MAX);
	assert_int_equal(saved->trees[0].born.sec, 1700000000);
	assert_int_equal(saved->trees[0].born.nsec, 999999999);
	release(&r);
}

/** A directory that was made while the clock was wrong. */
static void test_born_before_1970(void **state) {
	(void)state;
	struct members m = right;
	struct reading r;
	m.born = "-86400";
	const struct br_saved *saved = read_plan(&r, &m);
	assert_non_null(saved);
	assert_int_equal(saved->trees[0].born.sec, -86400);
	release(&r);
}

/** The digest of the plan itself, which is not there where an older program saved it. */
static void test_plan(void **state) {
	(void)state;
	struct members m = right;
	struct reading r;
	m.plan = "\"sha256\": \"" ZEROS "ffffffffffffffffffffffffffffffff\", ";
	const struct br_saved *saved = read_plan(&r, &m);
	assert_non_null(saved);
	assert_string_equal(saved->plan, ZEROS "ffffffffffffffffffffffffffffffff");
	release(&r);
	m.plan = "\"sha256\": \"" ZEROS "\", ";
	assert_null(read_plan(&r, &m));
	assert_int_equal(br_diags_errors(r.dx), 1);
	release(&r);
}

static void refuse(const struct members *m, const char *message) {
	struct reading r;
	assert_null(read_plan(&r, m));
	assert_int_equal(br_diags_errors(r.dx), 1);
	assert_string_equal(br_diags_get(r.dx, 0)->message, message);
	release(&r);
}

static void expect_refusal(const struct members *m) {
	struct reading r;
	assert_null(read_plan(&r, m));
	assert_int_equal(br_diags_errors(r.dx), 1);
	release(&r);
}

/** Nothing is cut to what there is room for. */
static void test_wrong(void **state) {
	(void)state;
	static const char *const callers[] = {"4294967296", "-1", "\"\"", "1e3", "[]", "{}"};
	static const char *const births[] = {
		"9223372036854775808", "-9223372036854775808", "--1", "\"-\"", "\"\"", "[]"};
	static const char *const nanoseconds[] = {"1000000000", "4294967296", "-1"};
	struct members m = right;
	for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++) {
		m.caller = callers[i];
		expect_refusal(&m);
	}
	m = right;
	for (size_t i = 0; i < sizeof(births) / sizeof(births[0]); i++) {
		m.born = births[i];
		expect_refusal(&m);
	}
	m = right;
	for (size_t i = 0; i < sizeof(nanoseconds) / sizeof(nanoseconds[0]); i++) {
		m.nanoseconds = nanoseconds[i];
		expect_refusal(&m);
	}
}

static void test_kinds(void **state) {
	(void)state;
	struct members m = right;
	m.words = "{}";
	refuse(&m, "expected a list, not a mapping");
	m.words = "[[]]";
	refuse(&m, "expected a string, not a list");
	m = right;
	m.files = "[1]";
	refuse(&m, "expected a mapping, not a number");
	m = right;
	m.rest = "1";
	refuse(&m, "expected a string, not a number");
	m.rest = "\"0\"";
	refuse(&m, "expected 64 hexadecimal digits");
}

#define OTHER "11111111111111111111111111111111"

static struct br_saved_item tree(const char *name, const char *sha, uint64_t changes) {
	return (struct br_saved_item){
		.name = name, .digest = sha, .changes = changes, .ino = 7, .born = {100, 5}};
}

/** What two plans with these trees differ in; NULL: in nothing. Lives until the next. */
static const char *compare_trees(const struct br_saved_item *then, size_t nthen,
	const struct br_saved_item *now, size_t nnow) {
	static char told[400];
	struct br_saved a = {.rest = digest, .trees = then, .ntrees = nthen};
	struct br_saved b = {.rest = digest, .trees = now, .ntrees = nnow};
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	int r = br_saved_compare(&a, &b, dx);
	size_t n = br_diags_count(dx);
	assert_int_equal(r, n > 0 ? -1 : 0);
	assert_int_equal(br_diags_errors(dx), n > 0);
	told[0] = '\0';
	for (size_t i = 1; i < n; i++) {
		size_t at = strlen(told);
		const char *message = br_diags_get(dx, i)->message;
		(void)snprintf(told + at, sizeof(told) - at, "%s%s", at > 0 ? "; " : "", message);
	}
	br_diags_free(dx);
	br_places_free(places);
	return n > 0 ? told : NULL;
}

static void test_trees(void **state) {
	(void)state;
	const struct br_saved_item a = tree("a", ZEROS ZEROS, 3);
	const struct br_saved_item b = tree("b", ZEROS ZEROS, 3);
	const struct br_saved_item other = tree("a", ZEROS OTHER, 3);
	const struct br_saved_item more = tree("a", OTHER ZEROS, 4);
	struct br_saved_item born = a;
	struct br_saved_item missing = a;
	born.born.nsec++;
	missing.ino = 0;
	const struct br_saved_item ab[] = {a, b}, ba[] = {b, a}, aa[] = {a, a};
	assert_null(compare_trees(ab, 2, ab, 2));
	assert_null(compare_trees(ab, 2, ba, 2));
	assert_null(compare_trees(aa, 2, aa, 2));
	assert_string_equal(compare_trees(&a, 1, &b, 1), "'a' is no source any more");
	assert_string_equal(compare_trees(&a, 1, &born, 1), "'a' is not the one that it was");
	assert_string_equal(compare_trees(&a, 1, &missing, 1), "'a' is missing now");
	assert_string_equal(compare_trees(&missing, 1, &a, 1), "'a' was missing, and is there now");
	assert_string_equal(compare_trees(&a, 1, &more, 1),
		"below 'a' 4 inodes would be changed now, 3 were planned");
	assert_string_equal(compare_trees(&a, 1, &other, 1),
		"below 'a' other inodes would be changed, or to another state than planned");
	static const char unknown[] = "there are sources that the plan does not know";
	assert_string_equal(compare_trees(&a, 1, ab, 2), unknown);
	assert_string_equal(compare_trees(NULL, 0, &a, 1), unknown);
	// As many, and one of them another one.
	assert_string_equal(compare_trees(aa, 2, ab, 2), unknown);
}

/** With everything that a file can hold. */
static const struct members full = {"7001", "5", "[\"--cross\", \"app\"]",
	"[{\"name\": \"compose.yaml\", \"sha256\": \"" ZEROS ZEROS "\"}]", "-1700000000",
	"999999999", "\"" ZEROS ZEROS "\"", "\"sha256\": \"" ZEROS ZEROS "\", "};

/** Sealed and read with the n-th allocation failing, or all from it: whether it came. What was
 * sealed may be lost, but is not wrong. */
static bool read_starved(unsigned n, bool for_good) {
	struct reading r = {.places = br_places_new()};
	size_t size;
	char *bytes = write_plan(&full, &size);
	int text = br_places_add(r.places, BR_PLACE_FILE, "plan.json", bytes, size);
	r.dx = br_diags_new(r.places);
	assert_true(text > 0);
	free(bytes);
	fault_watch();
	(for_good ? fault_from : fault_at)(n);
	const struct br_saved *saved = br_saved_read(&r.arena, (uint16_t)text, r.dx);
	bool hit = fault_hit();
	fault_at(0);
	assert_int_equal(saved == NULL, hit);
	assert_int_equal(br_diags_errors(r.dx), hit);
	if (saved != NULL) {
		assert_int_equal(saved->nwords, 2);
		assert_string_equal(saved->plan, digest);
		assert_int_equal(saved->nfiles, 1);
		assert_string_equal(saved->files[0].name, "compose.yaml");
	}
	br_diags_free(r.dx);
	br_arena_release(&r.arena);
	assert_int_equal(fault_live(), 0);
	br_places_free(r.places);
	return hit;
}

static void test_no_memory(void **state) {
	(void)state;
	fault_pieces(true);
	for (int good = 0; good <= 1; good++) {
		unsigned n = 1;
		while (read_starved(n, good)) {
			n++;
		}
		assert_true(n > 20);
	}
	fault_pieces(false);
	// Whoever seals has none to lose: the bytes are freed.
	char *bytes = strdup("{\n}\n");
	size_t n = strlen(bytes);
	fault_at(1);
	assert_null(br_saved_seal(bytes, &n));
	fault_at(0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_born_before_1970),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
