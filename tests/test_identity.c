#include "identity_world.h"

#include <stdio.h>
#include <support/fault.h>

enum {
	GROUPS_MAX = 8,
};

/** The allocation that is to fail next, and whether the last attempt came that far. */
static unsigned attempt;
static bool more;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** One container alone, its user word and what it is to become. */
struct row {
	const char *name;
	const char *user;
	enum br_confidence confidence;
	uint32_t uid;
	uint32_t gid;
	bool unsure;
	size_t warnings;
	const char *pin;
};

/** What Docker makes of `user:`; measured with docker 20.10 and 26.1 where the image knows none of
 * these IDs. */
static const struct row rows[] = {
	{"uid and gid", "1000:1000", BR_CERTAIN, 1000, 1000, false, 0, NULL},
	{"different gid", "1001:2000", BR_CERTAIN, 1001, 2000, false, 0, NULL},
	{"unknown gid is no error", "1001:3333", BR_CERTAIN, 1001, 3333, false, 0, NULL},
	{"root", "0:0", BR_CERTAIN, 0, 0, false, 0, NULL},
	{"the smallest that is not root", "1:1", BR_CERTAIN, 1, 1, false, 0, NULL},
	{"largest ids", "2147483647:2147483647", BR_CERTAIN, 2147483647, 2147483647, false, 0,
		NULL},
	{"below the largest", "2147483646:2147483646", BR_CERTAIN, 2147483646, 2147483646, false, 0,
		NULL},
	{"bare uid: group 0", "1234", BR_ASSUMED, 1234, 0, true, 0, NULL},
	{"bare root", "0", BR_ASSUMED, 0, 0, true, 0, NULL},
	{"only a group: uid 0", ":2000", BR_CERTAIN, 0, 2000, false, 1, NULL},
	{"a colon alone: root", ":", BR_ASSUMED, 0, 0, true, 1, NULL},
	{"two colons: root", "::", BR_ASSUMED, 0, 0, true, 2, NULL},
	{"trailing colon is a bare uid", "1000:", BR_ASSUMED, 1000, 0, true, 1, NULL},
	{"third field is ignored", "1000:1001:x", BR_CERTAIN, 1000, 1001, false, 1, NULL},
	{"leading zeros are decimal", "01001:0020", BR_CERTAIN, 1001, 20, false, 2, NULL},
	{"double zero", "00:0", BR_CERTAIN, 0, 0, false, 1, NULL},
	{"many zeros", "000000000000000000000000000005:1", BR_CERTAIN, 5, 1, false, 1, NULL},
	{"plus", "+5:6", BR_CERTAIN, 5, 6, false, 1, NULL},
	{"minus zero", "-0:6", BR_CERTAIN, 0, 6, false, 1, NULL},
	{"plus and zeros", "+007:6", BR_CERTAIN, 7, 6, false, 1, NULL},

	{"a name", "app", BR_UNKNOWN, 0, 0, false, 0, "--user svc=UID:GID"},
	{"even root is a name", "root", BR_UNKNOWN, 0, 0, false, 0, "--user svc=UID:GID"},
	{"two names", "app:extra", BR_UNKNOWN, 0, 0, false, 0, "--user svc=UID:GID"},
	{"name with number", "app:2000", BR_UNKNOWN, 0, 0, false, 0, "--user svc=UID:2000"},
	{"number with name", "1000:www-data", BR_UNKNOWN, 0, 0, false, 0, "--user svc=1000:GID"},
	{"no user, a group's name", ":extra", BR_UNKNOWN, 0, 0, false, 1, "--user svc=0:GID"},
	{"name, trailing colon", "app:", BR_UNKNOWN, 0, 0, false, 1, "--user svc=UID:GID"},
	{"hexadecimal is a name", "0x3e9", BR_UNKNOWN, 0, 0, false, 1, "--user svc=UID:GID"},
	{"an exponent is a name", "1e3", BR_UNKNOWN, 0, 0, false, 1, "--user svc=UID:GID"},
	{"underscore is a name", "1_000", BR_UNKNOWN, 0, 0, false, 1, "--user svc=UID:GID"},
	{"leading blank is a name", " 1001", BR_UNKNOWN, 0, 0, false, 1, "--user svc=UID:GID"},
	{"trailing blank is a name", "1001 ", BR_UNKNOWN, 0, 0, false, 1, "--user svc=UID:GID"},
	{"blank group is a name", "1001: ", BR_UNKNOWN, 0, 0, false, 1, "--user svc=1001:GID"},
	{"a sign alone is a name", "-", BR_UNKNOWN, 0, 0, false, 1, "--user svc=UID:GID"},
	{"two signs are a name", "--5", BR_UNKNOWN, 0, 0, false, 1, "--user svc=UID:GID"},
	{"more than 63 bits is a name", "9223372036854775808", BR_UNKNOWN, 0, 0, false, 1,
		"--user svc=UID:GID"},
	{"32 digits are a name", "11111111111111111111111111111111", BR_UNKNOWN, 0, 0, false, 1,
		"--user svc=UID:GID"},
	{"no user", NULL, BR_UNKNOWN, 0, 0, false, 0, "--user svc=UID:GID"},
	{"an empty one is none", "", BR_UNKNOWN, 0, 0, false, 0, "--user svc=UID:GID"},
};

/** Words that stop the engine. */
static const struct {
	const char *user;
	size_t errors;
} refused[] = {
	{"2147483648", 1},
	{"2147483648:0", 1},
	{"0:2147483648", 1},
	{"4294967294", 1},
	{"4294967295", 1},
	{"4294967296", 1},
	{"4294968297:0", 1}, // 2^32 + 1001
	{"9223372036854775807", 1},
	{"-1", 1},
	{"-9223372036854775808", 1},
	{"-1:-1", 2},
	{"app:-1", 1},
	{":2147483648", 1},
};

static bool fits(const struct row *row, const struct br_identity *id) {
	if (row->confidence == BR_UNKNOWN) {
		return id->confidence == BR_UNKNOWN && id->why && is_same(id->pin, row->pin)
			&& id->ngroups == 0 && id->norigins == 0 && id->cred.caps == 0;
	}
	return id->confidence == row->confidence && id->uid.v == row->uid && id->gid.v == row->gid
		&& id->cred.uid.v == row->uid && id->cred.gid.v == row->gid && !id->unmapped
		&& id->groups_unsure == row->unsure && id->ngroups == 1
		&& id->groups[0].v == row->gid && id->cred.ngroups == 1
		&& id->cred.groups[0].v == row->gid && id->cred.umask == 022 && !id->pin && !id->why
		&& (id->cred.caps != 0) == (row->uid == 0);
}

static void user_words(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture f;
		set_up(&f);
		f.boxes[0].user.s = rows[i].user;
		const struct br_identity *id = identify(&f);
		if (!id || !fits(&rows[i], id)) {
			fail_msg("%s: %s", rows[i].name, id && id->why ? id->why : "");
		}
		if (br_diags_count(f.dx) != rows[i].warnings || br_diags_errors(f.dx)) {
			fail_msg("%s: %zu messages", rows[i].name, br_diags_count(f.dx));
		}
		assert_ptr_equal(id->container, &f.boxes[0]);
		tear_down(&f);
	}
}

static void out_of_range_is_refused(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct fixture f;
		set_up(&f);
		f.boxes[0].user.s = refused[i].user;
		if (identify(&f) || br_diags_errors(f.dx) != refused[i].errors) {
			fail_msg("%s", refused[i].user);
		}
		tear_down(&f);
	}
}

struct group_row {
	const char *name;
	const char *user;
	const char *add[4];
	size_t ngroups;
	uint32_t groups[GROUPS_MAX];
	bool unsure;
	size_t warnings;
	size_t errors;
};

static const struct group_row group_rows[] = {
	{"none", "1:5", {NULL}, 1, {5}, false, 0, 0},
	{"one", "1:5", {"44"}, 2, {5, 44}, false, 0, 0},
	{"sorted", "1:5", {"44", "3", "9"}, 4, {3, 5, 9, 44}, false, 0, 0},
	{"once", "1:5", {"44", "5", "44"}, 2, {5, 44}, false, 0, 0},
	{"leading zero is the same", "1:5", {"044", "44"}, 2, {5, 44}, false, 0, 0},
	{"zero", "1:5", {"0"}, 2, {0, 5}, false, 0, 0},
	{"largest", "1:5", {"2147483647"}, 2, {5, 2147483647}, false, 0, 0},
	{"beside a bare uid", "1", {"44"}, 2, {0, 44}, true, 0, 0},
	{"name", "1:5", {"wheel"}, 1, {5}, true, 1, 0},
	{"name and number", "1:5", {"wheel", "44"}, 2, {5, 44}, true, 1, 0},
	{"a colon makes a name", "1:5", {"44:1"}, 1, {5}, true, 1, 0},
	{"too large", "1:5", {"2147483648"}, 0, {0}, false, 0, 1},
	{"negative", "1:5", {"-1"}, 0, {0}, false, 0, 1},
	{"empty", "1:5", {""}, 0, {0}, false, 0, 1},
	{"all errors are told", "1:5", {"", "-1", "44"}, 0, {0}, false, 0, 2},
	{"errors of an unknown user, too", "app", {"-1"}, 0, {0}, false, 0, 1},
};

static bool has_groups(const struct group_row *row, const struct br_identity *id) {
	bool same = id->ngroups == row->ngroups && id->cred.ngroups == row->ngroups;
	for (size_t i = 0; same && i < row->ngroups; i++) {
		same = id->groups[i].v == row->groups[i] && id->cred.groups[i].v == row->groups[i];
	}
	return same && id->groups_unsure == row->unsure;
}

static void added_groups(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(group_rows); i++) {
		const struct group_row *row = &group_rows[i];
		struct fixture f;
		struct br_text words[4] = {{0}};
		set_up(&f);
		f.boxes[0].user.s = row->user;
		f.boxes[0].group_add = words;
		for (size_t n = 0; n < 4 && row->add[n]; n++) {
			words[n].s = row->add[n];
			f.boxes[0].ngroup_add = n + 1;
		}
		const struct br_identity *id = identify(&f);
		size_t errors = br_diags_errors(f.dx);
		if (errors != row->errors || br_diags_count(f.dx) - errors != row->warnings) {
			fail_msg("%s: %zu errors of %zu", row->name, errors, br_diags_count(f.dx));
		}
		if (row->errors ? id != NULL : !id || !has_groups(row, id)) {
			fail_msg("%s", row->name);
		}
		tear_down(&f);
	}
}

struct pin_row {
	const char *name;
	const char *user;
	uint32_t uid;
	/** BR_NO_ID: none is given. */
	uint32_t gid;
	enum br_confidence confidence;
	uint32_t is_uid;
	uint32_t is_gid;
	bool unsure;
	const char *pin;
};

static const struct pin_row pin_rows[] = {
	{"no user", NULL, 7, 8, BR_CERTAIN, 7, 8, true, NULL},
	{"no user, only the uid", NULL, 7, BR_NO_ID, BR_ASSUMED, 7, 0, true, NULL},
	{"a name", "app", 7, 8, BR_CERTAIN, 7, 8, true, NULL},
	{"names with group", "app:staff", 7, 8, BR_CERTAIN, 7, 8, false, NULL},
	{"the word's group stays", "app:100", 7, BR_NO_ID, BR_CERTAIN, 7, 100, false, NULL},
	{"the word's group may be a name", "app:staff", 7, BR_NO_ID, BR_UNKNOWN, 0, 0, false,
		"--user svc=7:GID"},
	{"a pin is stronger than numbers", "1000:1000", 7, 8, BR_CERTAIN, 7, 8, false, NULL},
	{"pinned root", "app", 0, 0, BR_CERTAIN, 0, 0, true, NULL},
	{"largest", "app", 2147483647, 2147483647, BR_CERTAIN, 2147483647, 2147483647, true, NULL},
};

static void pins(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(pin_rows); i++) {
		const struct pin_row *row = &pin_rows[i];
		struct fixture f;
		set_up(&f);
		bool has_gid = row->gid != BR_NO_ID;
		struct br_pin pin = {.service.s = "svc",
			.uid = {row->uid},
			.gid = {row->gid},
			.has_gid = has_gid};
		f.boxes[0].user.s = row->user;
		f.options.pins = &pin;
		f.options.npins = 1;
		const struct br_identity *id = identify(&f);
		if (!id || id->confidence != row->confidence || id->uid.v != row->is_uid
			|| id->gid.v != row->is_gid || id->groups_unsure != row->unsure
			|| !is_same(id->pin, row->pin)) {
			fail_msg("%s", row->name);
		}
		if (id->confidence != BR_UNKNOWN) {
			assert_string_equal(id->origins[0].from, "--user");
		}
		tear_down(&f);
	}
}

static void last_pin_wins(void **state) {
	(void)state;
	struct fixture f;
	set_up(&f);
	struct br_pin two[] = {
		{.service.s = "svc", .uid = {1}, .gid = {1}, .has_gid = true},
		{.service.s = "svc", .uid = {2}, .gid = {3}, .has_gid = true},
	};
	f.options.pins = two;
	f.options.npins = 2;
	const struct br_identity *id = identify(&f);
	assert_non_null(id);
	assert_int_equal(id->uid.v, 2);
	assert_int_equal(id->gid.v, 3);
	tear_down(&f);
}

static void bad_pins_are_errors(void **state) {
	(void)state;
	static const struct {
		const char *service;
		uint32_t uid;
		uint32_t gid;
		const char *hint;
	} bad[] = {
		{"svx", 1, 1, "did you mean svc?"},
		{"elsewhere", 1, 1, NULL},
		{"svc", 2147483648, 1, NULL},
		{"svc", 1, 2147483648, NULL},
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct fixture f;
		set_up(&f);
		struct br_pin pin = {.service.s = bad[i].service,
			.uid = {bad[i].uid},
			.gid = {bad[i].gid},
			.has_gid = true};
		f.options.pins = &pin;
		f.options.npins = 1;
		assert_null(identify(&f));
		assert_int_equal(br_diags_errors(f.dx), 1);
		const char *hint = br_diags_get(f.dx, 0)->hint;
		assert_true(is_same(hint, bad[i].hint));
		tear_down(&f);
	}
}

static void containers_keep_their_order(void **state) {
	(void)state;
	struct fixture f;
	set_up(&f);
	static const char *const users[] = {"1:1", NULL, "3:3", "app"};
	for (size_t i = 0; i < 4; i++) {
		f.boxes[i].name.s = "svc";
		f.boxes[i].user.s = users[i];
	}
	f.boxes[1].image.s = "postgres:16";
	f.spec.n = 4;
	const struct br_identity *id = identify(&f);
	assert_non_null(id);
	assert_int_equal(id[0].uid.v, 1);
	assert_string_equal(id[1].why, "no user is set, so the image 'postgres:16' decides");
	assert_int_equal(id[2].uid.v, 3);
	assert_string_equal(id[3].why, "the user 'app' is a name, which only the image knows");
	tear_down(&f);
}

static void no_containers_are_none(void **state) {
	(void)state;
	struct fixture f;
	set_up(&f);
	f.spec.n = 0;
	assert_non_null(identify(&f));
	assert_int_equal(br_diags_count(f.dx), 0);
	tear_down(&f);
}

static void pins_are_safe_for_a_shell(void **state) {
	(void)state;
	struct fixture f;
	set_up(&f);
	f.boxes[0].name.s = "a b;c";
	const struct br_identity *id = identify(&f);
	assert_non_null(id);
	assert_string_equal(id->pin, "--user 'a b;c'=UID:GID");
	tear_down(&f);
}

static void origins_say_where_from(void **state) {
	(void)state;
	struct fixture f;
	set_up(&f);
	struct br_text drop = {.s = "ALL", .at = {1, 9, 3}};
	f.boxes[0].user = (struct br_text){.s = "0", .at = {1, 2, 1}};
	f.boxes[0].cap_drop = &drop;
	f.boxes[0].ncap_drop = 1;
	const struct br_identity *id = identify(&f);
	assert_non_null(id);
	static const struct {
		const char *field, *from, *text;
	} expected[] = {
		{"uid", "compose", "0"},
		{"gid", "engine default", NULL},
		{"capabilities", "engine default", NULL},
		{"capabilities", "compose", "ALL"},
	};
	assert_int_equal(id->norigins, COUNT(expected));
	for (size_t i = 0; i < COUNT(expected); i++) {
		assert_string_equal(id->origins[i].field, expected[i].field);
		assert_string_equal(id->origins[i].from, expected[i].from);
		assert_true(is_same(id->origins[i].text.s, expected[i].text));
	}
	assert_int_equal(id->origins[0].text.at.off, 2);
	tear_down(&f);
}

/** The half at fault is underlined, where the file has the word as it is. */
static void place_of_the_fault(void **state) {
	(void)state;
	static const struct {
		const char *file;
		/** The value that the file has at offset `off`, `len` bytes long there. */
		const char *user;
		uint32_t off, len;
		uint32_t fault_off, fault_len;
	} places[] = {
		{"user: 1:-1", "1:-1", 6, 4, 8, 2},
		{"user: -12:1", "-12:1", 6, 5, 6, 3},
		{"user: \"1:-1\"", "1:-1", 6, 6, 9, 2},
		{"user: ${U}:-1", "1:-1", 6, 7, 6, 7},
		{"user: \"\\x31:-1\"", "1:-1", 6, 9, 6, 9},
		{"user: $U:-1", "12:-1", 6, 5, 6, 5},
		// Broken places must not be read.
		{"user: 1:-1", "1:-1", 6, 400, 6, 400},
		{"user: 1:-1", "1:-1", 9, 4, 9, 4},
	};
	for (size_t i = 0; i < COUNT(places); i++) {
		struct fixture f;
		set_up(&f);
		int text = br_places_add(f.places, BR_PLACE_FILE, "compose.yaml", places[i].file,
			strlen(places[i].file));
		assert_true(text > 0);
		f.boxes[0].user = (struct br_text){
			.s = places[i].user, .at = {(uint16_t)text, places[i].off, places[i].len}};
		assert_null(identify(&f));
		struct br_span at = br_diags_get(f.dx, 0)->at;
		if (at.off != places[i].fault_off || at.len != places[i].fault_len) {
			fail_msg("%s: %u, %u", places[i].file, at.off, at.len);
		}
		tear_down(&f);
	}
}

/** Whatever allocation fails, there is an answer that is right, or none and an error. */
static void try_identify(void) {
	struct fixture f;
	fault_at(0);
	set_up(&f);
	unsigned n = ++attempt;
	struct br_text words[] = {{.s = "44"}, {.s = "wheel"}, {.s = "5"}};
	struct br_text drop = {.s = "CHOWN"};
	struct br_pin pin = {.service.s = "c", .uid = {7}};
	static const char *const users[] = {"0:7", "app:staff", "x:3", NULL};
	static const char *const names[] = {"a", "b", "c", "d"};
	for (size_t i = 0; i < 4; i++) {
		f.boxes[i].name.s = names[i];
		f.boxes[i].user.s = users[i];
		f.boxes[i].group_add = words;
		f.boxes[i].ngroup_add = 3;
		f.boxes[i].cap_drop = &drop;
		f.boxes[i].ncap_drop = 1;
	}
	f.spec.n = 4;
	f.options.pins = &pin;
	f.options.npins = 1;
	fault_at(n);
	const struct br_identity *id = identify(&f);
	bool hit = fault_hit();
	fault_at(0);
	if (id) {
		assert_int_equal(id[0].ngroups, 3);
		assert_int_equal(id[0].norigins, 6);
		assert_non_null(id[1].why);
		assert_non_null(id[1].pin);
		assert_int_equal(id[2].gid.v, 3);
		assert_non_null(id[3].why);
	} else {
		assert_true(hit);
		assert_true(br_diags_errors(f.dx) > 0);
	}
	tear_down(&f);
	more = hit;
}

static void without_memory(void **state) {
	(void)state;
	attempt = 0;
	do {
		try_identify();
	} while (more);
	assert_true(attempt > 10);
}

static void membership(void **state) {
	(void)state;
	static const br_hostid groups[] = {{3}, {7}, {100}, {4294967294}};
	struct br_cred cred = {.uid = {1}, .gid = {50}, .groups = groups, .ngroups = 4};
	static const uint32_t in[] = {3, 7, 50, 100, 4294967294};
	static const uint32_t out[] = {0, 1, 2, 4, 6, 8, 49, 51, 99, 101, 4294967293};
	for (size_t i = 0; i < COUNT(in); i++) {
		assert_true(br_cred_in_group(&cred, (br_hostid){in[i]}));
	}
	for (size_t i = 0; i < COUNT(out); i++) {
		assert_false(br_cred_in_group(&cred, (br_hostid){out[i]}));
	}
	struct br_cred alone = {.gid = {50}};
	assert_true(br_cred_in_group(&alone, (br_hostid){50}));
	assert_false(br_cred_in_group(&alone, (br_hostid){0}));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_words),
		cmocka_unit_test(out_of_range_is_refused),
		cmocka_unit_test(added_groups),
		cmocka_unit_test(pins),
		cmocka_unit_test(last_pin_wins),
		cmocka_unit_test(bad_pins_are_errors),
		cmocka_unit_test(containers_keep_their_order),
		cmocka_unit_test(no_containers_are_none),
		cmocka_unit_test(pins_are_safe_for_a_shell),
		cmocka_unit_test(origins_say_where_from),
		cmocka_unit_test(place_of_the_fault),
		cmocka_unit_test(without_memory),
		cmocka_unit_test(membership),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
