/*
 * What lies in a directory that stays closed: nothing is given there to whoever does not get that
 * far, whatever could be given.
 */
#include "plan_world.h"

#include <base/text.h>

#include <support/fault.h>

/** UID 1001 gets what is in a directory of bob's group, 0750, by no group without taking from that
 * one. */
static const struct who app = {{.uid = {1001}, .gid = {1001}}, ALL};
static const struct who app_below = {{.uid = {1001}, .gid = {1001}}, ALL, "d/e"};
static const struct who bob = {{.uid = {1007}, .gid = {1007}}, ALL};
static const struct who override = {
	{.uid = {1001}, .gid = {1001}, .caps = UINT64_C(1) << CAP_DAC_OVERRIDE}, ALL};

enum {
	OPEN = D | 0777,
	CLOSED = D | 0750,
};

struct place {
	const char *path;
	uint32_t mode;
	/** Whether it is changed. */
	int change;
};

struct row {
	const char *name;
	enum br_strategy strategy;
	const struct who *who[2];
	struct place v[6];
	/** How many are left alone because of what is above them. */
	uint64_t behind;
};

static const struct row rows[] = {
	{"an open directory", BR_STRATEGY_GROUP, {&app},
		{{"", OPEN, 0}, {"d", OPEN, 0}, {"d/f", F | 0600, 1}}, 0},
	{"a closed one", BR_STRATEGY_GROUP, {&app},
		{{"", OPEN, 0}, {"d", CLOSED, 0}, {"d/f", F | 0600, 0}, {"e", OPEN, 0},
			{"e/f", F | 0600, 1}},
		1},
	{"deeper", BR_STRATEGY_GROUP, {&app},
		{{"", OPEN, 0}, {"d", CLOSED, 0}, {"d/e", D | 0700, 0}, {"d/e/f", F | 0600, 0},
			{"d/e/g", F | 0666, 0}, {"dd", F | 0600, 1}},
		2},
	{"the root", BR_STRATEGY_GROUP, {&app}, {{"", CLOSED, 0}, {"f", F | 0600, 0}}, 1},
	{"one that is opened", BR_STRATEGY_GROUP, {&app},
		{{"", OPEN, 0}, {"d", D | 0700, 1}, {"d/f", F | 0600, 1}}, 0},
	{"opened by an entry", BR_STRATEGY_ACL, {&app},
		{{"", OPEN, 0}, {"d", CLOSED, 1}, {"d/f", F | 0600, 1}}, 0},
	{"a mount that begins in it", BR_STRATEGY_GROUP, {&app_below},
		{{"", OPEN, 0}, {"d", CLOSED, 0}, {"d/f", F | 0600, 0}, {"d/e", D | 0700, 1},
			{"d/e/f", F | 0600, 1}},
		0},
	{"and one that begins above", BR_STRATEGY_GROUP, {&app, &app_below},
		{{"", OPEN, 0}, {"d", CLOSED, 0}, {"d/f", F | 0600, 0}, {"d/e", D | 0700, 1},
			{"d/e/f", F | 0600, 1}},
		1},
	{"somebody else who gets there", BR_STRATEGY_GROUP, {&app, &bob},
		{{"", OPEN, 0}, {"d", CLOSED | 0020, 0}, {"d/f", F | 0606, 1}}, 0},
	{"who may enter everything", BR_STRATEGY_GROUP, {&override},
		{{"", OPEN, 0}, {"d", CLOSED, 0}, {"d/f", F | 0600, 0}}, 0},
};

static void check_row(struct world *w, const struct row *row) {
	struct br_inode inodes[N(row->v)];
	struct br_inode after;
	uint64_t behind = 0;
	w->tree.n = 0;
	for (size_t i = 0; i < N(row->who) && row->who[i]; i++) {
		demand(w, row->who[i]);
	}
	w->options.strategy = row->strategy;
	w->options.caller.v = 0;
	begin(w);
	for (size_t i = 0; i < N(row->v) && row->v[i].path; i++) {
		inodes[i] = inode_of(w, row->v[i].mode, 1000, 1007, NULL);
		see(w, row->v[i].path, &inodes[i]);
	}
	settle(w);
	for (size_t i = 0; i < N(row->v) && row->v[i].path; i++) {
		int r = br_plan_decide(w->plan, &w->tree, row->v[i].path, &inodes[i], &after);
		if (r != row->v[i].change) {
			fail_msg("%s: '%s': %d", row->name, row->v[i].path, r);
		}
	}
	for (size_t i = 0; i < w->plan->nleft; i++) {
		behind += w->plan->left[i].reason == BR_LEFT_BEHIND ? w->plan->left[i].count : 0;
	}
	if (behind != row->behind) {
		fail_msg("%s: %llu left", row->name, (unsigned long long)behind);
	}
}

static void test_rows(void **state) {
	for (size_t i = 0; i < N(rows); i++) {
		check_row(*state, &rows[i]);
	}
}

/** One who is to get what the container needs has a way of his own. */
static void test_keeper(void **state) {
	struct world *w = *state;
	struct br_inode after;
	struct br_keeper keeper = {
		.name = "bob", .cred = {.uid = {1007}, .gid = {1007}}, .demanded = true};
	demand(w, &app);
	w->options.strategy = BR_STRATEGY_ACL;
	w->options.keepers = &keeper;
	w->options.nkeepers = 1;
	w->source.fs.type = "ext4";
	for (int i = 0; i < 2; i++) {
		begin(w);
		struct br_inode root = inode_of(w, OPEN, 1000, 1000, NULL);
		struct br_inode dir = inode_of(w, D | 0700, 1002, 1002, NULL);
		struct br_inode file = inode_of(w, F | 0600, 1000, 1000, NULL);
		see(w, "", &root);
		see(w, "d", &dir);
		see(w, "d/f", &file);
		settle(w);
		assert_int_equal(br_plan_decide(w->plan, &w->tree, "d", &dir, &after), 0);
		assert_int_equal(
			br_plan_decide(w->plan, &w->tree, "d/f", &file, &after), keeper.demanded);
		keeper.demanded = false;
	}
}

/** By which name a file with several is reached is not known: it is judged by itself. */
static void test_links(void **state) {
	struct world *w = *state;
	struct br_inode after;
	demand(w, &app);
	w->options.strategy = BR_STRATEGY_GROUP;
	begin(w);
	struct br_inode root = inode_of(w, OPEN, 1000, 1007, NULL);
	struct br_inode dir = inode_of(w, CLOSED, 1000, 1007, NULL);
	struct br_inode file = inode_of(w, F | 0600, 1000, 1007, NULL);
	file.nlink = 2;
	see(w, "", &root);
	see(w, "d", &dir);
	see(w, "d/f", &file);
	see(w, "f", &file);
	settle(w);
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "d/f", &file, &after), 1);
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "f", &file, &after), 1);
	assert_int_equal(w->plan->changes, 1);
}

/** With more closed directories than are remembered, all is judged by itself. */
static void test_crowd(void **state) {
	struct world *w = *state;
	struct br_inode after;
	char path[16];
	demand(w, &app);
	w->options.strategy = BR_STRATEGY_GROUP;
	struct br_inode root = inode_of(w, OPEN, 1000, 1007, NULL);
	struct br_inode dir = inode_of(w, CLOSED, 1000, 1007, NULL);
	struct br_inode file = inode_of(w, F | 0600, 1000, 1007, NULL);
	for (int n = 1 << 16; n <= (1 << 16) + 1; n++) {
		begin(w);
		see(w, "", &root);
		for (int i = 0; i < n; i++) {
			assert_true(snprintf(path, sizeof(path), "%d", i) > 0);
			see(w, path, &dir);
		}
		see(w, "0/f", &file);
		settle(w);
		assert_int_equal(
			br_plan_decide(w->plan, &w->tree, "0/f", &file, &after), n > 1 << 16);
	}
}

/** Directories in directories of ever other states: sets are no more than there is room for. */
static void test_depth(void **state) {
	struct world *w = *state;
	struct br_inode after;
	char path[2 * 5000 + 2] = "";
	demand(w, &app);
	w->options.strategy = BR_STRATEGY_GROUP;
	begin(w);
	struct br_inode root = inode_of(w, OPEN, 1000, 1007, NULL);
	see(w, "", &root);
	size_t n = 0;
	for (uint32_t i = 0; i < 5000; i++) {
		struct br_inode dir = inode_of(w, CLOSED, 1000, 3000 + i, NULL);
		n += (size_t)snprintf(path + n, sizeof(path) - n, "%sd", n ? "/" : "");
		see(w, path, &dir);
	}
	struct br_inode file = inode_of(w, F | 0600, 1000, 1007, NULL);
	(void)snprintf(path + n, sizeof(path) - n, "/f");
	see(w, path, &file);
	settle(w);
	assert_int_equal(br_plan_decide(w->plan, &w->tree, path, &file, &after), 1);
}

static bool plan_fails(struct world *w, const struct br_entry *entries, size_t n) {
	struct br_plan_input input = input_of(w);
	struct br_plan *plan = br_plan_new(&input, &w->options, w->dx);
	bool failed = plan == NULL;
	for (size_t i = 0; i < n && !failed; i++) {
		failed = br_plan_see(plan, &w->tree, &entries[i], w->dx) != 0;
	}
	failed = failed || br_plan_settle(plan, w->dx) != 0;
	br_plan_free(plan);
	return failed;
}

/** Nothing is lost where memory runs out. */
static void test_no_memory(void **state) {
	struct world *w = *state;
	demand(w, &app);
	w->options.strategy = BR_STRATEGY_GROUP;
	struct br_inode dir = inode_of(w, CLOSED, 1000, 1007, NULL);
	struct br_inode file = inode_of(w, F | 0600, 1000, 1007, NULL);
	const struct br_entry entries[] = {
		{.event = BR_ENTER, .path = "", .name = "", .inode = &dir},
		{.event = BR_ENTER, .path = "d", .path_len = 1, .name = "d", .inode = &dir},
		{.event = BR_LEAF, .path = "d/f", .path_len = 3, .name = "f", .inode = &file},
	};
	unsigned failures = 0;
	// The host's accounts remember what they were asked, if they can.
	assert_false(plan_fails(w, entries, N(entries)));
	FAULT_EACH(i, {
		bool failed = plan_fails(w, entries, N(entries));
		bool hit = fault_hit();
		if (hit != failed) {
			fail_msg("allocation %u failed unseen", i);
		}
		failures += failed;
	});
	assert_true(failures > 10);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_keeper, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_links, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_crowd, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_depth, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, world_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
