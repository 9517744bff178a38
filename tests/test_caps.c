#include <base/mem.h>
#include <bindright/identity.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>

#include <cmocka.h>

#define BIT(cap) (UINT64_C(1) << (cap))
#define NCAPS 41
#define ALL (BIT(NCAPS) - 1)

/** /proc/self/status of a root process in a container that Docker started without options. */
#define DEFAULT UINT64_C(0xa80425fb)

static void names_and_numbers_are_libcaps(void **state) {
	(void)state;
	for (unsigned i = 0; i < NCAPS; i++) {
		char *theirs = cap_to_name((cap_value_t)i);
		assert_non_null(theirs);
		assert_non_null(br_cap_name(i));
		assert_int_equal(strcasecmp(theirs, br_cap_name(i)), 0);
		assert_int_equal(br_cap_number(theirs), i);
		assert_int_equal(br_cap_number(theirs + 4), i);
		assert_int_equal(br_cap_number(br_cap_name(i)), i);
		(void)cap_free(theirs);
	}
	assert_int_equal(NCAPS, CAP_LAST_CAP + 1);
	assert_null(br_cap_name(NCAPS));
	assert_null(br_cap_name(UINT32_MAX));
}

static void other_words_are_no_capability(void **state) {
	(void)state;
	static const char *const words[] = {"", "CAP_", "cap_cap_chown", "ALL", "CAP_ALL", "chown ",
		" chown", "CHOWNX", "CHOW", "0", "1"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_int_equal(br_cap_number(words[i]), -1);
	}
	assert_int_equal(br_cap_number("Cap_Dac_Override"), CAP_DAC_OVERRIDE);
	assert_int_equal(br_cap_number("net_RAW"), CAP_NET_RAW);
}

static void default_is_what_docker_gives(void **state) {
	(void)state;
	assert_int_equal(br_caps_docker_default(), DEFAULT);
}

struct row {
	const char *name;
	const char *user;
	/** Words with blanks between. */
	const char *add;
	const char *drop;
	bool privileged;
	uint64_t caps;
};

static const struct row rows[] = {
	{"root has the default", "0:0", "", "", false, DEFAULT},
	{"others have none", "1234:1234", "", "", false, 0},
	{"others have none by cap_add", "1234:1234", "DAC_OVERRIDE", "", false, 0},
	{"others have none by ALL", "1234:1234", "ALL", "", false, 0},
	{"others have none by privileged", "1234:1234", "", "", true, 0},
	{"uid 1 is not root", "1:0", "", "", false, 0},
	{"drop one", "0:0", "", "DAC_OVERRIDE", false, DEFAULT & ~BIT(CAP_DAC_OVERRIDE)},
	{"drop with prefix, any case", "0:0", "", "cap_Dac_Override", false,
		DEFAULT & ~BIT(CAP_DAC_OVERRIDE)},
	{"drop what is not there", "0:0", "", "SYS_ADMIN", false, DEFAULT},
	{"drop ALL", "0:0", "", "ALL", false, 0},
	{"drop all, in lower case", "0:0", "", "all", false, 0},
	{"add one", "0:0", "DAC_READ_SEARCH", "", false, DEFAULT | BIT(CAP_DAC_READ_SEARCH)},
	{"drop ALL, add one", "0:0", "DAC_OVERRIDE", "ALL", false, BIT(CAP_DAC_OVERRIDE)},
	{"drop ALL, add two", "0:0", "CHOWN DAC_READ_SEARCH", "ALL", false,
		BIT(CAP_CHOWN) | BIT(CAP_DAC_READ_SEARCH)},
	{"drop ALL and one, add the same one", "0:0", "CHOWN", "ALL CHOWN", false, BIT(CAP_CHOWN)},
	{"add ALL", "0:0", "ALL", "", false, ALL},
	{"add ALL, drop one", "0:0", "ALL", "DAC_OVERRIDE", false, ALL & ~BIT(CAP_DAC_OVERRIDE)},
	{"add ALL, drop ALL", "0:0", "ALL", "ALL", false, ALL},
	{"add ALL and one, drop that one", "0:0", "ALL CHOWN", "CHOWN", false,
		ALL & ~BIT(CAP_CHOWN)},
	{"add and drop the same one", "0:0", "DAC_OVERRIDE", "DAC_OVERRIDE", false, DEFAULT},
	{"privileged", "0:0", "", "", true, ALL},
	{"privileged ignores drops", "0:0", "", "ALL", true, ALL},
	{"privileged ignores one drop", "0:0", "", "DAC_OVERRIDE", true, ALL},
};

/** What one row needs. */
struct fixture {
	struct br_arena arena;
	struct br_places *places;
	struct br_diags *dx;
};

static void set_up(struct fixture *f) {
	*f = (struct fixture){0};
	f->places = br_places_new();
	f->dx = br_diags_new(f->places);
	assert_non_null(f->dx);
}

static void tear_down(struct fixture *f) {
	br_diags_free(f->dx);
	br_places_free(f->places);
	br_arena_release(&f->arena);
}

static const struct br_text *words_of(struct br_arena *arena, const char *line, size_t *n) {
	br_vec(struct br_text) words = {0};
	while (*line) {
		size_t len = strcspn(line, " ");
		struct br_text word = {.s = br_strndup(arena, line, len)};
		assert_int_equal(br_vec_push(arena, &words, word), 0);
		line += len + (line[len] == ' ');
	}
	*n = words.n;
	return words.v;
}

static const struct br_identity *identify(struct fixture *f, const struct row *row) {
	struct br_container *box = BR_NEW(&f->arena, struct br_container);
	assert_non_null(box);
	box->name.s = "svc";
	box->user.s = row->user;
	box->privileged = row->privileged;
	box->cap_add = words_of(&f->arena, row->add, &box->ncap_add);
	box->cap_drop = words_of(&f->arena, row->drop, &box->ncap_drop);
	struct br_spec spec = {.containers = box, .n = 1};
	struct br_identity_options options = {0};
	return br_identify(&f->arena, &spec, &options, f->dx);
}

static void effective_set(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;
		set_up(&f);
		const struct br_identity *id = identify(&f, &rows[i]);
		if (!id || id->cred.caps != rows[i].caps) {
			fail_msg("%s: %llx", rows[i].name,
				id ? (unsigned long long)id->cred.caps : 0ULL);
		}
		assert_int_equal(br_diags_count(f.dx), 0);
		tear_down(&f);
	}
}

static void unknown_names_are_errors(void **state) {
	(void)state;
	static const struct {
		struct row row;
		size_t errors;
		const char *hint;
	} bad[] = {
		{{"typo", "0:0", "DAC_OVERIDE", "", false, 0}, 1, "did you mean DAC_OVERRIDE?"},
		{{"typo with prefix", "0:0", "", "CAP_CHWON", false, 0}, 1, "did you mean CHOWN?"},
		{{"CAP_ALL is not ALL", "0:0", "CAP_ALL", "", false, 0}, 1, "did you mean ALL?"},
		{{"nonsense", "0:0", "FROBNICATE", "", false, 0}, 1, NULL},
		{{"each is told", "0:0", "FROB NICATE", "XYZZY", false, 0}, 3, NULL},
		{{"of others, too", "1234:1234", "FROB", "", false, 0}, 1, NULL},
		{{"of the privileged, too", "0:0", "FROB", "", true, 0}, 1, NULL},
		{{"of an unknown user, too", "app", "FROB", "", false, 0}, 1, NULL},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fixture f;
		set_up(&f);
		if (identify(&f, &bad[i].row) || br_diags_errors(f.dx) != bad[i].errors) {
			fail_msg("%s: %zu errors", bad[i].row.name, br_diags_errors(f.dx));
		}
		const char *hint = br_diags_get(f.dx, 0)->hint;
		if (bad[i].hint && (!hint || strcmp(hint, bad[i].hint) != 0)) {
			fail_msg("%s: hint '%s'", bad[i].row.name, hint ? hint : "");
		}
		tear_down(&f);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers_are_libcaps),
		cmocka_unit_test(other_words_are_no_capability),
		cmocka_unit_test(default_is_what_docker_gives),
		cmocka_unit_test(effective_set),
		cmocka_unit_test(unknown_names_are_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
