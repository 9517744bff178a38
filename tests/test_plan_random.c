/*
 * Random inodes under random demands: everybody who is demanded is served or the inode is counted
 * as left alone, and nobody else gains or loses, whatever groups he is in. Judged by br_access and,
 * on real files, by the kernel. BR_SEED repeats a run; BR_ROUNDS makes it longer or shorter.
 */
#include "plan_dice.h"

enum {
	INODES = 50,
	PAIRS = 400,
	BATCHES = 16,
};

static void random_options(struct world *w) {
	static const br_hostid from[] = {{0}, {1000}, {1001}, {1002}, {1003}, {1007}};
	w->options.strategy = (enum br_strategy)draw(4);
	w->options.from = from;
	w->options.nfrom = draw(4) ? N(from) : 0;
	w->source.fs.keeps_acls = draw(5) ? BR_YES : BR_NO;
}

static bool is_demanded(const struct world *w, uint32_t uid, const char *path) {
	for (size_t i = 0; i < w->tree.n; i++) {
		bool applies = *w->demand[i].below == '\0' || *path == 'a';
		const struct br_cred *cred = &w->identities[i].cred;
		// Root with its override has everything, whatever the bits say.
		bool counts = uid != 0 || !(cred->caps >> CAP_DAC_OVERRIDE & 1);
		if (applies && counts && cred->uid.v == uid) {
			return true;
		}
	}
	return false;
}

static unsigned need_at(
	const struct world *w, size_t i, const char *path, const struct br_inode *inode) {
	bool applies = *w->demand[i].below == '\0' || *path == 'a';
	return applies ? br_need_of(&w->demand[i], inode) : 0;
}

static unsigned grants(const struct br_inode *inode, const struct br_cred *cred) {
	static const struct br_where plain;
	unsigned out = 0;
	for (unsigned want = 1; want <= 7; want++) {
		out |= br_access(inode, cred, &plain, want).missing ? 0 : 1u << want;
	}
	return out;
}

static bool granted_all(const struct world *w, const char *path, const struct br_inode *inode) {
	static const struct br_where plain;
	for (size_t i = 0; i < w->tree.n; i++) {
		unsigned need = need_at(w, i, path, inode);
		if (need && br_access_use(inode, &w->identities[i].cred, &plain, need).missing) {
			return false;
		}
	}
	return true;
}

static void complain(const struct world *w, const struct br_inode *before,
	const struct br_inode *after, const struct br_cred *cred, const char *what) {
	struct br_arena arena = {0};
	print_error("strategy %d: %u:%u %o %s -> %u:%u %o %s\n", (int)w->options.strategy,
		before->uid.v, before->gid.v, before->mode,
		before->acl ? br_acl_text(&arena, before->acl) : "", after->uid.v, after->gid.v,
		after->mode, after->acl ? br_acl_text(&arena, after->acl) : "");
	for (size_t i = 0; i < w->tree.n; i++) {
		print_error("demand '%s' of %u:%u dir %u file %u any %d\n", w->demand[i].below,
			w->identities[i].cred.uid.v, w->identities[i].cred.gid.v,
			w->demand[i].need.dir, w->demand[i].need.file, w->demand[i].need.as_any);
	}
	br_arena_release(&arena);
	fail_msg("uid %u gid %u (+%zu): %s", cred->uid.v, cred->gid.v, cred->ngroups, what);
}

/** Somebody who asked for nothing: exactly what he had, but for the members of the group that the
 * group strategy gives. */
static bool may_gain(const struct world *w, const struct br_inode *before,
	const struct br_inode *after, const struct br_cred *cred) {
	bool group = w->plan->trees[0].strategy == BR_STRATEGY_GROUP;
	bool given = after->gid.v != before->gid.v || (after->mode & 070) != (before->mode & 070);
	return group && given && br_cred_in_group(cred, after->gid);
}

static void compare(const struct world *w, const char *path, const struct br_inode *before,
	const struct br_inode *after, const struct br_cred *cred) {
	unsigned had = grants(before, cred);
	unsigned has = grants(after, cred);
	bool demanded = is_demanded(w, cred->uid.v, path);
	if (had & ~has) {
		complain(w, before, after, cred, "loses");
	}
	if ((has & ~had) && !demanded && !may_gain(w, before, after, cred)) {
		complain(w, before, after, cred, "gains");
	}
}

/** Everybody: demanded ones with the groups that are known of them, all others with any groups. */
static void compare_all(struct world *w, const char *path, const struct br_inode *before,
	const struct br_inode *after) {
	struct br_arena arena = {0};
	for (size_t i = 0; i < N(uids) + 1; i++) {
		uint32_t uid = i < N(uids) ? uids[i] : STRANGER;
		struct br_cred cred = {.uid = {uid}, .gid = {STRANGER}};
		if (is_demanded(w, uid, path)) {
			const struct br_host_user *user = br_hostdb_user(w->db, (br_hostid){uid});
			compare(w, path, before, after, &cred);
			if (user) {
				assert_int_equal(br_hostdb_cred(w->db, &arena, user, &cred), 0);
				cred.caps = 0;
				compare(w, path, before, after, &cred);
			}
			continue;
		}
		if (uid == 0) {
			continue;
		}
		for (size_t k = 0; k < N(gids); k++) {
			br_hostid more[2] = {{some(gids, N(gids))}, {2000}};
			cred.gid = (br_hostid){gids[k]};
			cred.groups = more;
			cred.ngroups = more[0].v < 2000 ? draw(3) : draw(2);
			compare(w, path, before, after, &cred);
		}
	}
	for (size_t i = 0; i < w->tree.n; i++) {
		// Without capabilities: CAP_DAC_OVERRIDE may execute whatever anybody may.
		struct br_cred cred = w->identities[i].cred;
		cred.caps = 0;
		if (cred.uid.v != 0 || is_demanded(w, 0, path)) {
			compare(w, path, before, after, &cred);
		}
	}
	br_arena_release(&arena);
}

struct counts {
	uint64_t fits, changed, left;
};

static void check_inodes(struct world *w, const char *const *paths, const struct br_inode *inodes,
	struct counts *counts) {
	uint64_t left = 0;
	uint64_t changed = 0;
	for (size_t i = 0; i < INODES; i++) {
		struct br_inode after;
		struct br_inode again;
		int done = br_plan_decide(w->plan, &w->tree, paths[i], &inodes[i], &after);
		bool fits = granted_all(w, paths[i], &inodes[i]);
		assert_true(done >= 0);
		if (done == 0) {
			left += !fits;
			counts->fits += fits;
			continue;
		}
		changed++;
		assert_false(fits);
		if (!granted_all(w, paths[i], &after)) {
			complain(w, &inodes[i], &after, &w->identities[0].cred,
				"still lacks something");
		}
		if (br_plan_decide(w->plan, &w->tree, paths[i], &after, &again) != 0) {
			complain(w, &after, &again, &w->identities[0].cred, "changes twice");
		}
		assert_int_equal(after.mode & 07 & ~inodes[i].mode, 0);
		compare_all(w, paths[i], &inodes[i], &after);
	}
	uint64_t told = 0;
	for (size_t i = 0; i < w->plan->nleft; i++) {
		told += w->plan->left[i].count;
	}
	assert_int_equal(told, left);
	assert_int_equal(w->plan->changes, changed);
	counts->left += left;
	counts->changed += changed;
}

static void random_plan(struct world *w, struct counts *counts) {
	struct br_inode inodes[INODES];
	const char *paths[INODES];
	random_demands(w, true);
	random_options(w);
	begin(w);
	struct br_inode root = inode_of(w, D | 0777, some(uids, N(uids)), 4, NULL);
	see(w, "", &root);
	for (size_t i = 0; i < INODES; i++) {
		inodes[i] = random_inode(w);
		paths[i] = draw(2) ? "a/x" : "x";
		see(w, paths[i], &inodes[i]);
	}
	settle(w);
	assert_int_equal(w->plan->nlosses, 0);
	check_inodes(w, paths, inodes, counts);
}

static void test_random(void **state) {
	struct counts counts = {0};
	uint64_t n = rounds(120000);
	start("by br_access");
	for (uint64_t i = 0; i < n; i += INODES) {
		random_plan(*state, &counts);
	}
	print_message("%llu fit, %llu changed, %llu left alone\n", (unsigned long long)counts.fits,
		(unsigned long long)counts.changed, (unsigned long long)counts.left);
	assert_true(n < 1000 || (counts.changed > n / 10 && counts.left > 0 && counts.fits > 0));
}

/* The kernel as the judge: pairs of real files, one before and one after. */

/** A process that tries every pair. */
struct probe {
	struct br_cred cred;
	unsigned char had[PAIRS];
	unsigned char has[PAIRS];
};

struct pairs {
	int dir;
	struct br_inode before[PAIRS];
	struct br_inode after[PAIRS];
	const char *paths[PAIRS];
	size_t n;
};

static void name_of(char out[16], char side, size_t i) {
	assert_true(snprintf(out, 16, "%c%zu", side, i) < 16);
}

static void write_inode(struct world *w, int dir, const char *name, const struct br_inode *to) {
	struct br_inode now;
	unsigned step;
	if (S_ISDIR(to->mode)) {
		assert_int_equal(mkdirat(dir, name, 0700), 0);
	} else {
		int made = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		assert_true(made >= 0 && close(made) == 0);
	}
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(br_inode_read(fd, "", to->have, w->acls, &now), 0);
	assert_int_equal(br_inode_write(fd, &now, to, &step), 0);
	assert_int_equal(br_inode_read(fd, "", to->have, w->acls, &now), 0);
	assert_true(br_inode_equal(&now, to));
	assert_int_equal(close(fd), 0);
}

static void become(const struct br_cred *cred) {
	gid_t list[8];
	for (size_t i = 0; i < cred->ngroups; i++) {
		list[i] = cred->groups[i].v;
	}
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	if (setgroups(cred->ngroups, list) || setresgid(cred->gid.v, cred->gid.v, cred->gid.v)
		|| setresuid(cred->uid.v, cred->uid.v, cred->uid.v)
		|| syscall(SYS_capset, &head, none)) {
		_exit(2);
	}
}

static unsigned char ask(int dir, const char *name) {
	unsigned out = 0;
	for (unsigned want = 1; want <= 7; want++) {
		// glibc's faccessat would emulate the flag.
		if (syscall(SYS_faccessat2, dir, name, want, AT_EACCESS) == 0) {
			out |= 1u << want;
		}
	}
	return (unsigned char)out;
}

static void try_all(const struct pairs *pairs, struct probe *probe) {
	int ends[2];
	char name[16];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		become(&probe->cred);
		for (size_t i = 0; i < pairs->n; i++) {
			name_of(name, 'b', i);
			probe->had[i] = ask(pairs->dir, name);
			name_of(name, 'c', i);
			probe->has[i] = ask(pairs->dir, name);
		}
		bool sent = write(ends[1], probe->had, PAIRS) == PAIRS
			&& write(ends[1], probe->has, PAIRS) == PAIRS;
		_exit(sent ? 0 : 3);
	}
	int status;
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(read(ends[0], probe->had, PAIRS), PAIRS);
	assert_int_equal(read(ends[0], probe->has, PAIRS), PAIRS);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void judge(struct world *w, const struct pairs *pairs, const struct probe *probe) {
	for (size_t i = 0; i < pairs->n; i++) {
		const struct br_cred *cred = &probe->cred;
		const struct br_inode *before = &pairs->before[i];
		const struct br_inode *after = &pairs->after[i];
		bool demanded = is_demanded(w, cred->uid.v, pairs->paths[i]);
		unsigned had = probe->had[i];
		unsigned has = probe->has[i];
		if ((had & ~has) && (cred->uid.v != 0 || demanded)) {
			complain(w, before, after, cred, "loses, says the kernel");
		}
		if ((has & ~had) && !demanded && cred->uid.v != 0
			&& !may_gain(w, before, after, cred)) {
			complain(w, before, after, cred, "gains, says the kernel");
		}
	}
}

/** Whether what was allowed holds the need, asked as programs ask: list apart from create and
 * delete; read and write at once. */
static bool has_use(unsigned has, const struct br_inode *inode, unsigned need) {
	unsigned at_once = S_ISDIR(inode->mode) ? BR_W | BR_X : BR_R | BR_W;
	unsigned first = need & at_once;
	unsigned second = need & ~at_once;
	return (!first || (has >> first & 1)) && (!second || (has >> second & 1));
}

static void judge_demand(struct world *w, const struct pairs *pairs, size_t d) {
	static struct probe probe;
	probe.cred = w->identities[d].cred;
	try_all(pairs, &probe);
	for (size_t i = 0; i < pairs->n; i++) {
		unsigned need = need_at(w, d, pairs->paths[i], &pairs->before[i]);
		if (!has_use(probe.has[i], &pairs->before[i], need)) {
			complain(w, &pairs->before[i], &pairs->after[i], &probe.cred,
				"is not served, says the kernel");
		}
	}
}

static void judge_others(struct world *w, const struct pairs *pairs) {
	static struct probe probe;
	for (size_t i = 0; i < N(uids) + 1; i++) {
		uint32_t uid = i < N(uids) ? uids[i] : STRANGER;
		br_hostid more[1] = {{some(gids, N(gids))}};
		struct br_cred plain = {.uid = {uid}, .gid = {STRANGER}};
		probe.cred = plain;
		if (!is_demanded(w, uid, "a")) {
			probe.cred.gid.v = some(gids, N(gids));
			probe.cred.groups = more;
			probe.cred.ngroups = draw(2);
		}
		try_all(pairs, &probe);
		judge(w, pairs, &probe);
	}
	for (size_t i = 0; i < N(gids); i++) {
		probe.cred = (struct br_cred){.uid = {STRANGER}, .gid = {gids[i]}};
		try_all(pairs, &probe);
		judge(w, pairs, &probe);
	}
}

static void make_pairs(struct world *w, struct pairs *pairs) {
	static struct br_inode inodes[PAIRS];
	for (size_t i = 0; i < PAIRS; i++) {
		inodes[i] = random_inode(w);
		see(w, i % 2 ? "a/x" : "x", &inodes[i]);
	}
	settle(w);
	pairs->n = 0;
	for (size_t i = 0; i < PAIRS; i++) {
		char name[16];
		size_t n = pairs->n;
		pairs->paths[n] = i % 2 ? "a/x" : "x";
		pairs->before[n] = inodes[i];
		if (br_plan_decide(w->plan, &w->tree, pairs->paths[n], &inodes[i], &pairs->after[n])
			<= 0) {
			continue;
		}
		name_of(name, 'b', n);
		write_inode(w, pairs->dir, name, &pairs->before[n]);
		name_of(name, 'c', n);
		write_inode(w, pairs->dir, name, &pairs->after[n]);
		pairs->n++;
	}
}

static void test_kernel(void **state) {
	struct world *w = *state;
	static struct pairs pairs;
	uint64_t inodes = 0;
	uint64_t n = rounds(5000);
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	start("by the kernel");
	while (inodes < n) {
		run("mkdir '%s/pairs'", w->dir);
		char path[80];
		assert_true(snprintf(path, sizeof(path), "%s/pairs", w->dir) > 0);
		pairs.dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(pairs.dir >= 0);
		random_demands(w, false);
		random_options(w);
		begin(w);
		struct br_inode root = inode_of(w, D | 0777, some(uids, N(uids)), 4, NULL);
		see(w, "", &root);
		make_pairs(w, &pairs);
		for (size_t i = 0; i < w->tree.n; i++) {
			judge_demand(w, &pairs, i);
		}
		judge_others(w, &pairs);
		assert_int_equal(close(pairs.dir), 0);
		run("rm -rf '%s/pairs'", w->dir);
		inodes += pairs.n;
	}
	print_message("%llu changed inodes\n", (unsigned long long)inodes);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_kernel, world_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
