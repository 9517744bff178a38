/*
 * Who would be given more than his quota lets him have: by hand, and against a kernel that moves
 * one inode after the other (fs/quota/dquot.c). The real one is asked in
 * tests/hostile/a15_quota_kernel.sh.
 */
#include "plan_world.h"

#include <support/fault.h>
#include <support/quotas.h>

enum {
	FD = 77,
	OTHER_FD = 78,
	MIB = 1 << 20,
	LATER = 1 << 30,
};

static const struct who app = {
	.cred = {.uid = {1001}, .gid = {1001}},
	.need = ALL,
};

#define DISTANT ((uint64_t)LATER << 8)

static struct br_inode blocks_of(struct world *w, uint32_t mode, uint32_t uid, uint64_t bytes) {
	struct br_inode inode = inode_of(w, mode, uid, uid, NULL);
	inode.blocks = bytes / 512;
	return inode;
}

/** The app needs the tree, which is on the file system of FD. */
static void app_needs(struct world *w, enum br_strategy strategy) {
	w->tree.n = 0;
	demand(w, &app);
	w->source.fd = FD;
	w->options.strategy = strategy;
}

/** The plan for a directory with one file. */
static void plan_two(struct world *w, const struct br_inode *root, const struct br_inode *file) {
	begin(w);
	see(w, "", root);
	see(w, "f", file);
	settle(w);
}

/** A root of 4 KiB and one file. */
static void plan_one(struct world *w, enum br_strategy strategy, uint64_t bytes) {
	app_needs(w, strategy);
	struct br_inode root = blocks_of(w, D | 0750, 1000, 4096);
	struct br_inode file = blocks_of(w, F | 0640, 1000, bytes);
	// Sizes count for nothing.
	file.size = (uint64_t)1 << 50;
	plan_two(w, &root, &file);
}

static bool is_noted(const struct world *w, const char *text) {
	for (size_t i = 0; i < w->plan->nnotes; i++) {
		if (strstr(w->plan->notes[i], text)) {
			return true;
		}
	}
	return false;
}

/** Two inodes, of 4 KiB and of 3 MiB less that, are given to uid 1001. */
static void test_limits(void **state) {
	static const struct {
		struct br_quota has;
		/** NULL: it is not refused. */
		const char *rule;
		bool noted;
	} rows[] = {
		{{0}, NULL, false},
		{{.space_hard = 3 * MIB}, NULL, false},
		{{.space_hard = 3 * MIB - 1},
			"would give 3 MiB to uid 1001, who has 2 MiB left of the quota on /data (ext4)",
			false},
		{{.space = 1, .space_hard = 3 * MIB},
			"would give 3 MiB to uid 1001, who has 2 MiB left of the quota on /data (ext4)",
			false},
		{{.space = 5 * MIB, .space_hard = 3 * MIB},
			"would give 3 MiB to uid 1001, who has 0 KiB left of the quota on /data (ext4)",
			false},
		{{.space_hard = 1100 * 1024}, "who has 1 MiB left", false},
		{{.space_hard = 1000 * 1024}, "who has 1000 KiB left", false},
		{{.space_hard = UINT64_MAX, .space = UINT64_MAX - 3 * MIB}, NULL, false},
		{{.space_hard = UINT64_MAX, .space = UINT64_MAX - 3 * MIB + 1},
			"who has 2 MiB left", false},
		{{.space_soft = 3 * MIB}, NULL, false},
		{{.space_soft = 3 * MIB - 1}, NULL, true},
		{{.space_soft = 3 * MIB - 1, .space_hard = 3 * MIB - 1}, "who has 2 MiB left",
			false},
		{{.space_soft = MIB, .space = 2 * MIB, .space_until = DISTANT}, NULL, true},
		{{.space_soft = MIB, .space = 2 * MIB, .space_hard = 9 * MIB, .space_until = 1},
			"who has 0 KiB left", false},
		{{.space_soft = 9 * MIB, .space = 2 * MIB, .space_until = 1}, NULL, false},
		{{.inodes_hard = 2}, NULL, false},
		{{.inodes = 1, .inodes_hard = 2},
			"would give 2 inodes to uid 1001, who has 1 inode left of the quota on /data (ext4)",
			false},
		{{.inodes_soft = 1}, NULL, true},
		{{.inodes = 7, .inodes_soft = 1, .inodes_until = DISTANT}, NULL, true},
		{{.inodes = 7, .inodes_soft = 1, .inodes_until = 1}, "who has 0 inodes left",
			false},
	};
	struct world *w = *state;
	w->source.fs.mount_point = "/data";
	for (size_t i = 0; i < N(rows); i++) {
		const struct pretended_quota quota = {FD, false, 1001, rows[i].has, 0};
		pretend_quotas(&quota, 1);
		plan_one(w, BR_STRATEGY_CHOWN, 3 * MIB - 4096);
		bool refused = rows[i].rule != NULL;
		if (w->plan->nrefusals != refused
			|| (refused && !strstr(w->plan->refusals[0].rule, rows[i].rule))) {
			fail_msg("row %zu: %s", i,
				w->plan->nrefusals ? w->plan->refusals[0].rule : "not refused");
		}
		assert_int_equal(w->plan->changes, refused ? 0 : 2);
		if (is_noted(w, "soft limit of the quota on /data (ext4)") != rows[i].noted) {
			fail_msg("row %zu: the note", i);
		}
		if (refused) {
			assert_non_null(strstr(w->plan->refusals[0].option, "--strategy acl"));
		}
	}
}

/** The group goes along where that changes nothing for anybody: it has a quota of its own. */
static void test_group(void **state) {
	struct world *w = *state;
	const struct pretended_quota quotas[] = {
		{FD, true, 1001, {.space_hard = 2 * MIB}, 0},
		{FD, false, 1001, {0}, 0},
	};
	pretend_quotas(quotas, N(quotas));
	app_needs(w, BR_STRATEGY_CHOWN);
	struct br_inode root = blocks_of(w, D | 0755, 0, 0);
	struct br_inode file = blocks_of(w, F | 0644, 0, 4 * MIB);
	plan_two(w, &root, &file);
	assert_int_equal(w->plan->nrefusals, 1);
	assert_non_null(
		strstr(w->plan->refusals[0].rule, "would give 4 MiB to group 1001, who has 2 MiB"));
}

/** What is not known stops nothing, and is asked for once. */
static void test_unknown(void **state) {
	struct world *w = *state;
	static const int errors[] = {EPERM, ENOSYS, ESRCH, ENOENT, EBADF, EIO};
	w->once = true;
	for (size_t i = 0; i < N(errors); i++) {
		const struct pretended_quota quota = {
			FD, false, 1001, {.space_hard = 1, .inodes_hard = 1}, errors[i]};
		pretend_quotas(&quota, 1);
		plan_one(w, BR_STRATEGY_CHOWN, 3 * MIB);
		assert_int_equal(w->plan->nrefusals, 0);
		assert_int_equal(quotas_asked(), 1);
	}
	// No server is asked, and nobody where nothing changes hands.
	const struct pretended_quota quota = {FD, false, 1001, {.space_hard = 1}, 0};
	pretend_quotas(&quota, 1);
	w->source.fs.remote = true;
	plan_one(w, BR_STRATEGY_CHOWN, 3 * MIB);
	w->source.fs.remote = false;
	plan_one(w, BR_STRATEGY_ACL, 3 * MIB);
	assert_int_equal(w->plan->nrefusals, 0);
	assert_int_equal(quotas_asked(), 0);
}

/** Whoever has no limits has those of ID 0, who has none himself. */
static void test_xfs(void **state) {
	struct world *w = *state;
	w->source.fs.type = "xfs";
	const struct pretended_quota defaults[] = {
		{FD, false, 0, {.space_hard = 2 * MIB}, 0},
		{FD, false, 1001, {0}, ENOENT},
	};
	pretend_quotas(defaults, N(defaults));
	plan_one(w, BR_STRATEGY_CHOWN, 3 * MIB);
	assert_int_equal(w->plan->nrefusals, 1);
	const struct pretended_quota own[] = {
		{FD, false, 0, {.space_hard = 2 * MIB}, 0},
		{FD, false, 1001, {.space_hard = 4 * MIB}, 0},
	};
	pretend_quotas(own, N(own));
	plan_one(w, BR_STRATEGY_CHOWN, 3 * MIB);
	assert_int_equal(w->plan->nrefusals, 0);
	// A file of no blocks is nothing to it; to the others it is one more for somebody who is
	// past his limit.
	for (unsigned xfs = 0; xfs < 2; xfs++) {
		const struct pretended_quota past = {
			FD, false, 1001, {.space = 2 * MIB, .space_hard = MIB}, 0};
		pretend_quotas(&past, 1);
		w->source.fs.type = xfs ? "xfs" : "ext4";
		app_needs(w, BR_STRATEGY_CHOWN);
		begin(w);
		struct br_inode file = blocks_of(w, F | 0640, 1000, 0);
		see(w, "", &file);
		settle(w);
		assert_int_equal(w->plan->nrefusals, !xfs);
	}
}

/** Where nobody asked for a change of owner, and entries do as well, nothing changes hands. */
static void test_another_way(void **state) {
	struct world *w = *state;
	const struct br_image_drop drop = {.chmods = true};
	const struct pretended_quota quota = {FD, false, 1001, {.space_hard = 2 * MIB}, 0};
	for (unsigned round = 0; round < 4; round++) {
		pretend_quotas(&quota, 1);
		app_needs(w, BR_STRATEGY_AUTO);
		w->source.fs.keeps_acls = round == 2 ? BR_NO : BR_YES;
		w->identities[0].drop = round == 3 ? &drop : NULL;
		begin(w);
		struct br_inode root = blocks_of(w, D | 0755, 0, 4096);
		struct br_inode file = blocks_of(w, F | 0644, 0, round == 0 ? MIB : 2 * MIB);
		// It is left alone, and counts once whatever is tried.
		struct br_inode linked = blocks_of(w, F | 0644, 0, 9 * MIB);
		linked.nlink = 2;
		see(w, "", &root);
		see(w, "f", &file);
		see(w, "l", &linked);
		see(w, "m", &linked);
		settle(w);
		const struct br_tree_plan *tree = &w->plan->trees[0];
		assert_int_equal(tree->strategy, round == 1 ? BR_STRATEGY_ACL : BR_STRATEGY_CHOWN);
		assert_int_equal(tree->refused, round >= 2);
		assert_int_equal(w->plan->changes, round >= 2 ? 0 : 2);
		assert_int_equal(w->plan->nleft, round < 2);
		assert_true(round >= 2 || w->plan->left[0].count == 1);
		assert_int_equal(strstr(tree->reason, "quota") != NULL, round == 1);
		struct br_inode after = {0};
		assert_int_equal(br_plan_decide(w->plan, &w->tree, "f", &file, &after), round < 2);
		assert_int_equal(after.uid.v, round == 0 ? 1001 : 0);
	}
}

/** A file of several names is one inode, and none where a name of it is elsewhere: it is not
 * changed then. */
static void test_links(void **state) {
	struct world *w = *state;
	const struct pretended_quota quotas[] = {
		{FD, false, 1001, {.space_hard = 5 * MIB}, 0},
		{FD, false, 1001, {.inodes_hard = 2}, 0},
	};
	for (unsigned round = 0; round < 4; round++) {
		unsigned names = 2 + round / 2;
		pretend_quotas(&quotas[round % 2], 1);
		app_needs(w, BR_STRATEGY_CHOWN);
		begin(w);
		struct br_inode root = blocks_of(w, D | 0750, 1000, 0);
		struct br_inode file = blocks_of(w, F | 0640, 1000, 3 * MIB);
		struct br_inode elsewhere = blocks_of(w, F | 0640, 1000, 3 * MIB);
		file.nlink = 2;
		elsewhere.nlink = names;
		see(w, "", &root);
		see(w, "a", &file);
		see(w, "b", &file);
		see(w, "c", &elsewhere);
		see(w, "d", &elsewhere);
		settle(w);
		assert_int_equal(w->plan->nrefusals, names == 2);
		assert_int_equal(w->plan->changes, names == 2 ? 0 : 2);
	}
}

/** All trees of a file system together; another one, and a tree that is refused, do not count. */
static void test_trees(void **state) {
	static const struct {
		uint64_t bytes[3];
		uint64_t dev[3];
		unsigned refused;
	} rows[] = {
		{{MIB, MIB, MIB}, {1, 1, 1}, 0},
		{{2 * MIB, MIB, MIB}, {1, 1, 1}, 1 << 2},
		{{MIB, 3 * MIB, 2 * MIB}, {1, 1, 1}, 1 << 1},
		{{4 * MIB, MIB, 2 * MIB}, {1, 1, 1}, 1 << 0},
		{{3 * MIB, 3 * MIB, MIB}, {1, 2, 1}, 1 << 2},
		{{3 * MIB, 4 * MIB, 0}, {1, 2, 1}, 1 << 1},
	};
	struct world *w = *state;
	const struct pretended_quota quotas[] = {
		{FD, false, 1001, {.space_hard = 3 * MIB}, 0},
		{OTHER_FD, false, 1001, {.space_hard = 3 * MIB}, 0},
	};
	for (size_t i = 0; i < N(rows); i++) {
		pretend_quotas(quotas, N(quotas));
		struct br_source sources[3];
		struct br_tree trees[3];
		app_needs(w, BR_STRATEGY_CHOWN);
		for (unsigned t = 0; t < 3; t++) {
			sources[t] = w->source;
			sources[t].dev = rows[i].dev[t];
			sources[t].fd = rows[i].dev[t] == 1 ? FD : OTHER_FD;
			trees[t] = w->tree;
			trees[t].root = &sources[t];
		}
		w->demands.trees = trees;
		w->demands.ntrees = 3;
		begin(w);
		for (unsigned t = 0; t < 3; t++) {
			struct br_inode root = blocks_of(w, F | 0640, 1000, rows[i].bytes[t]);
			root.dev = rows[i].dev[t];
			struct br_entry entry = {
				.event = BR_LEAF, .path = "", .name = "", .inode = &root};
			assert_int_equal(br_plan_see(w->plan, &trees[t], &entry, w->dx), 0);
		}
		settle(w);
		unsigned refused = 0;
		for (unsigned t = 0; t < 3; t++) {
			refused |= w->plan->trees[t].refused ? 1U << t : 0;
		}
		if (refused != rows[i].refused) {
			fail_msg("row %zu: %x", i, refused);
		}
		if (i == 1) {
			assert_non_null(strstr(w->plan->refusals[0].rule,
				"would, with what lies elsewhere, give 4 MiB to uid 1001, who has 3 MiB"));
		}
		br_plan_free(w->plan);
		w->plan = NULL;
		w->demands = (struct br_demands){.trees = &w->tree, .ntrees = 1};
	}
}

/** What lies on a file system that is mounted in the tree is not this one's. */
static void test_mounted_inside(void **state) {
	struct world *w = *state;
	const struct pretended_quota quota = {
		FD, false, 1001, {.space_hard = MIB, .inodes_hard = 1}, 0};
	pretend_quotas(&quota, 1);
	app_needs(w, BR_STRATEGY_CHOWN);
	struct br_inode root = blocks_of(w, D | 0750, 1000, 0);
	struct br_inode there = blocks_of(w, F | 0640, 1000, 3 * MIB);
	there.dev = 9;
	plan_two(w, &root, &there);
	assert_int_equal(w->plan->nrefusals, 0);
	assert_int_equal(w->plan->changes, 2);
}

/** What goes back to its keeper counts for him. */
static void test_reclaim(void **state) {
	struct world *w = *state;
	const struct br_keeper keeper = {.name = "alice", .cred = {.uid = {1000}, .gid = {1000}}};
	for (unsigned round = 0; round < 2; round++) {
		const struct pretended_quota quota = {
			FD, false, 1000, {.space_hard = (2 + round) * MIB}, 0};
		pretend_quotas(&quota, 1);
		app_needs(w, BR_STRATEGY_AUTO);
		w->options.reclaim = true;
		w->options.keepers = &keeper;
		w->options.nkeepers = 1;
		struct br_inode root = blocks_of(w, D | 0755, 1000, 4096);
		struct br_inode file = blocks_of(w, F | 0644, 1001, 3 * MIB);
		plan_two(w, &root, &file);
		assert_int_equal(w->plan->nrefusals, !round);
		if (round == 0) {
			assert_string_equal(
				w->plan->refusals[0].option, "a larger quota for uid 1000 (alice)");
		}
		assert_int_equal(w->plan->changes, round);
	}
}

static bool plan_fails(struct world *w, const struct br_inode *inode) {
	struct br_plan_input input = input_of(w);
	br_plan_free(w->plan);
	w->plan = br_plan_new(&input, &w->options, w->dx);
	const struct br_entry entry = {.event = BR_LEAF, .path = "", .name = "", .inode = inode};
	return w->plan == NULL || br_plan_see(w->plan, &w->tree, &entry, w->dx) != 0
		|| br_plan_settle(w->plan, w->dx) != 0;
}

/** Refused, noted, and by another way: with no memory at any point. */
static void test_no_memory(void **state) {
	struct world *w = *state;
	const struct pretended_quota rows[] = {
		{FD, false, 1001, {.space_hard = 1}, 0},
		{FD, false, 1001, {.space_soft = 1, .inodes_soft = 1, .inodes = 1}, 0},
		{FD, false, 1001, {.inodes = 1, .inodes_hard = 1}, 0},
	};
	app_needs(w, BR_STRATEGY_CHOWN);
	struct br_inode file = blocks_of(w, F | 0644, 0, MIB);
	for (size_t i = 0; i < N(rows); i++) {
		pretend_quotas(&rows[i], 1);
		w->options.strategy = i == 2 ? BR_STRATEGY_AUTO : BR_STRATEGY_CHOWN;
		unsigned failures = 0;
		assert_false(plan_fails(w, &file));
		FAULT_EACH(k, {
			bool failed = plan_fails(w, &file);
			bool hit = fault_hit();
			if (hit != failed) {
				fail_msg("row %zu: allocation %u failed unseen", i, k);
			}
			failures += failed;
		});
		assert_true(failures > 10);
	}
}

// ---- One inode after the other, as dquot_transfer() does ----

struct ledger {
	struct br_quota has;
	uint64_t now;
};

static bool has_no_room(uint64_t sum, uint64_t soft, uint64_t hard, uint64_t until) {
	return (hard != 0 && sum > hard)
		|| (soft != 0 && sum > soft && until != 0 && until <= (uint64_t)time(NULL));
}

static bool transfer(struct br_quota *to, uint64_t bytes) {
	if (has_no_room(to->inodes + 1, to->inodes_soft, to->inodes_hard, to->inodes_until)
		|| has_no_room(
			to->space + bytes, to->space_soft, to->space_hard, to->space_until)) {
		return false;
	}
	to->inodes++;
	to->space += bytes;
	if (to->inodes_soft != 0 && to->inodes > to->inodes_soft && to->inodes_until == 0) {
		to->inodes_until = DISTANT;
	}
	if (to->space_soft != 0 && to->space > to->space_soft && to->space_until == 0) {
		to->space_until = DISTANT;
	}
	return true;
}

/** A number below n (xorshift). */
static unsigned below(uint64_t *dice, unsigned n) {
	*dice ^= *dice << 13;
	*dice ^= *dice >> 7;
	*dice ^= *dice << 17;
	return (unsigned)(*dice >> 33) % n;
}

static bool one_in(uint64_t *dice, unsigned n) {
	return below(dice, n) == 0;
}

static struct br_quota any_quota(uint64_t *dice) {
	struct br_quota has = {
		.space = (uint64_t)below(dice, 20) * 4096, .inodes = below(dice, 20)};
	has.space_hard = one_in(dice, 3) ? 0 : (uint64_t)(1 + below(dice, 60)) * 4096;
	has.space_soft = one_in(dice, 2) ? 0 : (uint64_t)(1 + below(dice, 60)) * 4096;
	has.inodes_hard = one_in(dice, 3) ? 0 : 1 + below(dice, 40);
	has.inodes_soft = one_in(dice, 2) ? 0 : 1 + below(dice, 40);
	bool past = has.space_soft != 0 && has.space > has.space_soft;
	has.space_until = past ? one_in(dice, 2) ? 1 : DISTANT : 0;
	past = has.inodes_soft != 0 && has.inodes > has.inodes_soft;
	has.inodes_until = past ? one_in(dice, 2) ? 1 : DISTANT : 0;
	return has;
}

static void test_one_by_one(void **state) {
	struct world *w = *state;
	unsigned refused = 0;
	uint64_t dice = 7;
	for (unsigned round = 0; round < 3000; round++) {
		const struct pretended_quota quota = {FD, false, 1001, any_quota(&dice), 0};
		struct br_quota to = quota.has;
		pretend_quotas(&quota, 1);
		app_needs(w, BR_STRATEGY_CHOWN);
		begin(w);
		bool fits = true;
		size_t n = 1 + below(&dice, 20);
		for (size_t i = 0; i < n; i++) {
			// Some are his already; what lies in a tree of uid 1000's may be changed.
			static const uint32_t modes[] = {0640, 0600, 0755};
			uint32_t uid = i > 0 && one_in(&dice, 3) ? 1001 : 1000;
			uint32_t mode = i == 0 ? D | 0700 : F | modes[below(&dice, 3)];
			uint64_t bytes = (uint64_t)below(&dice, 5) * 4096;
			struct br_inode inode = blocks_of(w, mode, uid, bytes);
			char name[16];
			assert_true(snprintf(name, sizeof(name), i == 0 ? "%.0zu" : "%zu", i) >= 0);
			see(w, i == 0 ? "" : name, &inode);
			fits = fits && (uid == 1001 || transfer(&to, bytes));
		}
		settle(w);
		if (w->plan->nrefusals != !fits) {
			fail_msg("round %u: %s", round, fits ? "refused" : "not refused");
		}
		refused += !fits;
	}
	assert_in_range(refused, 600, 2700);
}

/** A file system without quotas, and a kernel without the call. */
static void test_call(void **state) {
	(void)state;
	struct br_quota has;
	pretend_quotas(NULL, 0);
	int fd = open("/proc", O_PATH | O_CLOEXEC);
	assert_true(fd >= 0);
	for (unsigned refused = 0; refused < 2; refused++) {
		br_sys_refuse(refused ? BR_SYS_QUOTACTL_FD : 0);
		errno = 0;
		assert_int_equal(br_sys_quota(fd, false, 1001, &has), -1);
		assert_int_equal(errno, ENOSYS);
		assert_int_equal(br_sys_quota(-1, true, 1001, &has), -1);
		// What refuses newer calls may be outside.
		assert_true(errno == ENOSYS || (!refused && errno == EBADF));
	}
	br_sys_refuse(0);
	assert_int_equal(close(fd), 0);
}

int main(void) {
#define ROW(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_limits),
		ROW(test_group),
		ROW(test_unknown),
		ROW(test_xfs),
		ROW(test_another_way),
		ROW(test_links),
		ROW(test_trees),
		ROW(test_mounted_inside),
		ROW(test_reclaim),
		ROW(test_no_memory),
		ROW(test_one_by_one),
		cmocka_unit_test(test_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
