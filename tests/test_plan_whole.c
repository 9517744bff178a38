/*
 * Plans as a whole: sums, commands (run and compared with what they should do), links, default
 * ACLs, dangerous places, missing sources, accounts.
 */
#include "plan_world.h"

#include <base/text.h>

#include <support/fault.h>

static const struct who app = {{.uid = {1001}, .gid = {1001}}, ALL};
static const struct who app_reads = {{.uid = {1001}, .gid = {1001}}, READS};
static const struct who other = {{.uid = {1003}, .gid = {1003}}, ALL};
static const struct who carol_below = {{.uid = {1002}, .gid = {1002}}, ALL, "a"};

/* Commands: run on real files, they must leave just the planned state. */

/** The tree is a real directory of the world. */
static void make_real(struct world *w, char path[80]) {
	assert_true(snprintf(path, 80, "%s/t", w->dir) < 80);
	w->tree.path = path;
	w->source.path = path;
	w->source.real = path;
}

struct command_row {
	const char *name;
	enum br_strategy strategy;
	uint32_t mode, uid, gid;
	const char *acl;
	const struct who *who[2];
	// How each action's command begins.
	const char *commands[2];
	const char *from;
	const char *to;
};

static const struct command_row command_rows[] = {
	{"an entry", BR_STRATEGY_ACL, F | 0640, 1000, 1000, NULL, {&app},
		{"setfacl -m u:1001:rw- "}, "no entry", "u:1001:rw-"},
	{"a clamp", BR_STRATEGY_ACL, F | 0640, 1000, 1000, "u::rw-,g::r--,g:2000:rw-,m::r--,o::---",
		{&app}, {"setfacl -m u:1001:rw-,g:2000:r-- "}, "g:2000:rw-",
		"u:1001:rw-,g:2000:r--"},
	{"a mask that holds back", BR_STRATEGY_ACL, F | 0640, 1000, 1000,
		"u::rw-,g::r--,g:2000:rw-,m::r--,o::---", {&app_reads},
		{"setfacl -n -m u:1001:r-- "}, "no entry", "u:1001:r--"},
	{"a mask that no entry fills", BR_STRATEGY_ACL, F | 0650, 1000, 1000,
		"u::rw-,u:1007:r--,g::r--,m::r-x,o::---", {&app}, {"setfacl -m u:1001:rw-,m::rwx "},
		"no entry", "u:1001:rw-"},
	{"sleeping entries", BR_STRATEGY_ACL, F | 0604, 1000, 1000,
		"u::rw-,u:1007:rw-,g::rw-,m::---,o::r--", {&app}, {"setfacl --set "},
		"g::rw-,u:1007:rw-", "u:1001:rw-,g::---"},
	{"the owner's bits in an ACL", BR_STRATEGY_ACL, F | 0460, 1001, 1000,
		"u::r--,u:1007:rwx,g::r--,m::rw-,o::---", {&app}, {"setfacl -n -m u::rw- "},
		"u::r--", "u::rw-"},
	{"the owner's bits", BR_STRATEGY_ACL, F | 0477, 1001, 1000, NULL, {&app}, {"chmod 0777 "},
		"r--rwxrwx", "rwxrwxrwx"},
	{"the owner", BR_STRATEGY_CHOWN, F | 0644, 0, 0, NULL, {&app}, {"chown -h 1001:1001 "},
		"root:root", "1001:1001"},
	{"the owner only", BR_STRATEGY_CHOWN, F | 0640, 0, 0, NULL, {&app}, {"chown -h 1001 "},
		"root:root", "1001:root"},
	{"the owner, and an entry for the old one", BR_STRATEGY_CHOWN, F | 0644, 1000, 1000, NULL,
		{&app}, {"chown -h 1001 ", "setfacl -m u:1000:rw- "}, "alice:alice", "1001:alice"},
	{"the owner's bits by group", BR_STRATEGY_GROUP, F | 0477, 1001, 1000, NULL, {&app},
		{"chmod 0777 "}, "r--rwxrwx", "rwxrwxrwx"},
	{"a group", BR_STRATEGY_GROUP, D | 0755, 1000, 1000, NULL, {&app},
		{"chown -h :1001 ", "chmod 2775 "}, "alice:alice", "alice:1001"},
};

static void write_state(struct world *w, const char *path, const struct br_inode *to) {
	struct br_inode now;
	unsigned step;
	if (S_ISDIR(to->mode)) {
		assert_int_equal(mkdir(path, 0700), 0);
	} else {
		int made = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		assert_true(made >= 0 && close(made) == 0);
	}
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(br_inode_read(fd, "", to->have, w->acls, &now), 0);
	assert_int_equal(br_inode_write(fd, &now, to, &step), 0);
	assert_int_equal(close(fd), 0);
}

static void check_command(struct world *w, const struct command_row *row) {
	char dir[80];
	char path[96];
	struct br_inode after;
	struct br_inode now;
	make_real(w, dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_true(snprintf(path, sizeof(path), "%s/x y", dir) > 0);
	w->tree.n = 0;
	demand(w, row->who[0]);
	w->options.strategy = row->strategy;
	begin(w);
	struct br_inode root = inode_of(w, D | 0777, row->uid, 4, NULL);
	struct br_inode on = inode_of(w, row->mode, row->uid, row->gid, row->acl);
	see(w, "", &root);
	see(w, "x y", &on);
	settle(w);
	write_state(w, path, &on);
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "x y", &on, &after), 1);
	size_t n = row->commands[1] ? 2 : 1;
	assert_int_equal(w->plan->nactions, n);
	assert_string_equal(w->plan->actions[0].from, row->from);
	assert_string_equal(w->plan->actions[0].to, row->to);
	for (size_t i = 0; i < n; i++) {
		const struct br_action *action = &w->plan->actions[i];
		assert_string_equal(action->path, path);
		assert_false(action->recursive);
		if (strncmp(action->command, row->commands[i], strlen(row->commands[i])) != 0) {
			fail_msg("%s: %s", row->name, action->command);
		}
		run("%s", action->command);
	}
	assert_int_equal(br_inode_read(AT_FDCWD, path, on.have, w->acls, &now), 0);
	if (!br_inode_equal(&now, &after)) {
		fail_msg("%s: %s does something else", row->name, w->plan->actions[0].command);
	}
	run("rm -rf '%s'", dir);
}

static void test_commands(void **state) {
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	for (size_t i = 0; i < N(command_rows); i++) {
		check_command(*state, &command_rows[i]);
	}
}

/** A real tree through a real scan; then every command of the plan is run, and each inode must be
 * as decided. */
struct seen {
	char path[64];
	struct br_inode after;
};

static size_t scan_tree(struct world *w, struct seen *list, size_t max, bool decide) {
	const struct br_scan_options options = {
		.threads = 1,
		.depth = 99,
		.want = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS,
	};
	int fd = open(w->tree.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	struct br_scan *scan = br_scan_new(fd, w->acls, &options);
	assert_non_null(scan);
	const struct br_entry *entry;
	size_t n = 0;
	while (br_scan_next(scan, &entry) > 0) {
		if (!decide) {
			assert_int_equal(br_plan_see(w->plan, &w->tree, entry, w->dx), 0);
			continue;
		}
		assert_true(n < max && entry->path_len < sizeof(list[n].path));
		memcpy(list[n].path, entry->path, entry->path_len + 1);
		int done = br_plan_decide(
			w->plan, &w->tree, entry->path, entry->inode, &list[n].after);
		assert_true(done >= 0);
		if (done == 0) {
			list[n].after = *entry->inode;
		}
		n++;
	}
	br_scan_free(scan);
	assert_int_equal(close(fd), 0);
	return n;
}

static void check_tree(struct world *w, const char *command) {
	struct seen list[16];
	size_t commands = 0;
	begin(w);
	(void)scan_tree(w, NULL, 0, false);
	settle(w);
	size_t n = scan_tree(w, list, N(list), true);
	for (size_t i = 0; i < w->plan->nactions; i++) {
		const struct br_action *action = &w->plan->actions[i];
		if (action->command) {
			commands += action->recursive;
			run("%s", action->command);
		}
	}
	if (!command) {
		assert_int_equal(commands, 0);
		return;
	}
	assert_int_equal(commands, w->plan->nactions);
	assert_true(w->plan->actions[0].recursive);
	if (strncmp(w->plan->actions[0].command, command, strlen(command)) != 0) {
		fail_msg("%s", w->plan->actions[0].command);
	}
	for (size_t i = 0; i < n; i++) {
		char path[160];
		struct br_inode now;
		assert_true(snprintf(path, sizeof(path), "%s/%s", w->tree.path, list[i].path) > 0);
		assert_int_equal(
			br_inode_read(AT_FDCWD, path, list[i].after.have, w->acls, &now), 0);
		if (!br_inode_equal(&now, &list[i].after)) {
			fail_msg("%s is not as decided", list[i].path);
		}
	}
}

static void test_tree_commands(void **state) {
	struct world *w = *state;
	char dir[80];
	make_real(w, dir);
	demand(w, &app);
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	static const char build[] = "rm -rf '%s'; mkdir -p '%s/d'; cd '%s'; echo > f; echo > d/g; "
				    "chmod 755 . d; chmod 644 f d/g; echo > d/run; chmod 755 d/run";
	run(build, dir, dir, dir);
	check_tree(w, "chown -R -h 1001:1001 ");

	// Some are right already, and stay.
	run(build, dir, dir, dir);
	run("chown 1001:4 '%s/f'", dir);
	check_tree(w, "chown -R -h --from=0:0 1001:1001 ");

	// A link would be changed too: then that command is not the same.
	run(build, dir, dir, dir);
	run("ln -s f '%s/link'", dir);
	check_tree(w, NULL);

	run(build, dir, dir, dir);
	run("chown -R 1000:1000 '%s'; ln -s f '%s/link'", dir, dir);
	check_tree(w, "setfacl -R -P -m u:1001:rwX ");
	assert_int_equal(w->plan->nactions, 1);
	assert_int_equal(w->plan->actions[0].count, 5);

	// One file that nobody may write: rwX would let the container.
	run(build, dir, dir, dir);
	run("chown -R 1000:1000 '%s'; chmod 444 '%s/f'", dir, dir);
	check_tree(w, NULL);
}

/* Sums. */

static void test_sums(void **state) {
	struct world *w = *state;
	demand(w, &app);
	begin(w);
	struct br_inode root = inode_of(w, D | 0755, 1000, 1000, NULL);
	see(w, "", &root);
	for (unsigned i = 0; i < 1000; i++) {
		char path[16];
		struct br_inode file = inode_of(w, F | (i % 2 ? 0644 : 0600), 1000, 1000, NULL);
		assert_true(snprintf(path, sizeof(path), "f%u", i) > 0);
		see(w, path, &file);
	}
	struct br_inode bobs = inode_of(w, F | 0644, 1007, 1007, NULL);
	see(w, "bobs", &bobs);
	settle(w);
	const struct br_plan *plan = w->plan;
	assert_int_equal(plan->changes, 1001);
	assert_int_equal(plan->trees[0].changes, 1001);
	assert_int_equal(plan->trees[0].owner_only, 500);
	assert_int_equal(plan->trees[0].strategy, BR_STRATEGY_ACL);
	assert_true(plan->trees[0].partial);
	assert_int_equal(plan->nleft, 1);
	assert_int_equal(plan->left[0].reason, BR_LEFT_OWNER);
	assert_string_equal(plan->left[0].why, "belongs to uid 1007 (bob)");
	assert_string_equal(plan->left[0].option, "--from bob");
	// The directory r-x -> rwx; half of the files r-- -> rw-, half --- -> rw-.
	assert_int_equal(plan->ngains, 3);
	assert_int_equal(plan->nlosses, 0);
	uint64_t gained = 0;
	for (size_t i = 0; i < plan->ngains; i++) {
		assert_string_equal(plan->gains[i].principal, "uid:1001");
		assert_null(plan->gains[i].account);
		gained += plan->gains[i].count;
	}
	assert_int_equal(gained, 1001);
	assert_int_equal(plan->nactions, 2);
	assert_int_equal(plan->actions[1].count, 1000);
	assert_string_equal(plan->actions[1].to, "u:1001:rw-");
	assert_true(plan->actions[1].recursive && !plan->actions[1].command);
	assert_int_equal(plan->nnotes, 3);
	assert_non_null(strstr(plan->notes[0], "a later chmod"));
	assert_non_null(strstr(plan->notes[1], "--future-files"));
	assert_non_null(strstr(plan->notes[2], "no host user has uid 1001"));
}

/** Without root: a chmod or setfacl of an object whose group one is not in would lose it the setgid
 * bit. */
static void test_own_setgid(void **state) {
	struct world *w = *state;
	static const br_hostid own[] = {{2000}};
	struct br_inode after;
	demand(w, &app);
	w->options.strategy = BR_STRATEGY_ACL;
	w->options.caller = w->options.caller_gid = (br_hostid){1000};
	for (size_t i = 0; i < 2; i++) {
		w->options.caller_groups = own;
		w->options.ncaller_groups = i;
		begin(w);
		struct br_inode root = inode_of(w, D | 02755, 1000, 2000, NULL);
		see(w, "", &root);
		settle(w);
		assert_int_equal(br_plan_decide(w->plan, &w->tree, "", &root, &after), i);
		assert_int_equal(w->plan->nleft, 1 - i);
	}
}

/** A file that lacks something under one of its names only: what is needed under all of them
 * counts. Where anybody could have given it that name, it is told under that one. */
static void test_mixed_links(void **state) {
	struct world *w = *state;
	struct br_inode after;
	demand(w, &carol_below);
	w->options.strategy = BR_STRATEGY_ACL;
	for (int protected = 0; protected < 2; protected ++) {
		w->options.protected_hardlinks = protected != 0;
		begin(w);
		struct br_inode root = inode_of(w, D | 0777, 1000, 1000, NULL);
		struct br_inode file = inode_of(w, F | 0640, 1000, 1000, NULL);
		struct br_inode far = inode_of(w, F | 0640, 1000, 1000, NULL);
		file.nlink = 2;
		far.nlink = 3;
		see(w, "", &root);
		see(w, "x", &file);
		see(w, "a/x", &file);
		see(w, "a/y", &far);
		see(w, "y", &far);
		settle(w);
		assert_int_equal(w->plan->changes, protected);
		assert_true(w->plan->trees[0].partial);
		assert_int_equal(w->plan->nleft, 1);
		assert_int_equal(w->plan->left[0].reason, BR_LEFT_LINKS);
		assert_int_equal(w->plan->left[0].count, 2 - protected);
		assert_int_equal(w->plan->ngains, protected);
		for (int name = 0; name < 2; name++) {
			const char *path = name ? "a/x" : "x";
			int decided = br_plan_decide(w->plan, &w->tree, path, &file, &after);
			assert_int_equal(decided, protected);
			if (protected) {
				assert_non_null(
					br_acl_find(after.acl, BR_ACL_USER, (br_hostid){1002}));
			}
		}
		assert_int_equal(br_plan_decide(w->plan, &w->tree, "a/y", &far, &after), 0);
	}
}

/** Between one name and the other somebody changed it: what it is now is not known. */
static void test_links_changed(void **state) {
	struct world *w = *state;
	static const struct {
		uint32_t mode, uid, gid;
		const char *acl;
		bool unread, joined;
	} rows[] = {
		{F | 0640, 1000, 1000, NULL, false, true},
		{F | 0640, 1000, 1000, NULL, true, true},
		{F | 0600, 1000, 1000, NULL, false, false},
		{F | 0600, 1000, 1000, NULL, true, false},
		{F | 0640, 1007, 1000, NULL, false, false},
		{F | 0640, 1000, 1007, NULL, false, false},
		{F | 0640, 1000, 1000, "u::rw-,u:1007:r--,g::---,m::r--,o::---", false, false},
	};
	demand(w, &carol_below);
	w->options.strategy = BR_STRATEGY_ACL;
	for (size_t i = 0; i < 2 * N(rows); i++) {
		size_t k = i / 2;
		begin(w);
		struct br_inode root = inode_of(w, D | 0777, 1000, 1000, NULL);
		struct br_inode file = inode_of(w, F | 0640, 1000, 1000, NULL);
		file.nlink = 2;
		struct br_inode later = file;
		later.mode = rows[k].mode;
		later.uid.v = rows[k].uid;
		later.gid.v = rows[k].gid;
		later.acl = acl_of_words(w->acls, rows[k].acl);
		later.have &= rows[k].unread ? ~(unsigned)BR_HAVE_ACL : ~0U;
		see(w, "", &root);
		see(w, i % 2 ? "a/x" : "x", &file);
		see(w, i % 2 ? "x" : "a/x", &later);
		settle(w);
		// What nobody reads is what the mode serves.
		bool left = !rows[k].joined && (i % 2 != 0 || !rows[k].unread);
		if (w->plan->changes != rows[k].joined || w->plan->nleft != left) {
			fail_msg("row %zu.%zu", k, i % 2);
		}
	}
}

static void test_links(void **state) {
	struct world *w = *state;
	struct br_inode after;
	demand(w, &app);
	w->options.strategy = BR_STRATEGY_ACL;
	begin(w);
	struct br_inode root = inode_of(w, D | 0777, 1000, 1000, NULL);
	struct br_inode whole = inode_of(w, F | 0644, 1000, 1000, NULL);
	struct br_inode half = inode_of(w, F | 0644, 1000, 1000, NULL);
	whole.nlink = 3;
	half.nlink = 3;
	see(w, "", &root);
	see(w, "a", &whole);
	see(w, "b", &half);
	see(w, "c", &whole);
	see(w, "d", &half);
	see(w, "e", &whole);
	settle(w);
	assert_int_equal(w->plan->changes, 1);
	assert_int_equal(w->plan->nleft, 1);
	assert_int_equal(w->plan->left[0].count, 1);
	assert_int_equal(w->plan->left[0].reason, BR_LEFT_LINKS);
	assert_string_equal(w->plan->left[0].examples[0], "b");
	assert_null(w->plan->left[0].option);
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "e", &whole, &after), 1);
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "d", &half, &after), 0);
	// One more link since.
	whole.nlink = 4;
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "e", &whole, &after), 0);
}

/** Whatever the walk's order, the first by name are the examples. */
static void test_examples(void **state) {
	static const char *const seen[] = {"e", "b", "d", "a", "c"};
	struct world *w = *state;
	demand(w, &app);
	w->options.strategy = BR_STRATEGY_ACL;
	begin(w);
	struct br_inode root = inode_of(w, D | 0777, 1000, 1000, NULL);
	struct br_inode file = inode_of(w, F | 04644, 1000, 1000, NULL);
	see(w, "", &root);
	for (size_t i = 0; i < N(seen); i++) {
		see(w, seen[i], &file);
	}
	settle(w);
	assert_int_equal(w->plan->nleft, 1);
	assert_int_equal(w->plan->left[0].count, N(seen));
	assert_int_equal(w->plan->left[0].nexamples, 3);
	assert_string_equal(w->plan->left[0].examples[0], "a");
	assert_string_equal(w->plan->left[0].examples[1], "b");
	assert_string_equal(w->plan->left[0].examples[2], "c");
}

static void test_future(void **state) {
	struct world *w = *state;
	struct br_inode after;
	demand(w, &app);
	w->options.future_files = true;
	begin(w);
	struct br_inode root = inode_of(w, D | 0750, 1000, 2000, NULL);
	struct br_inode fits = inode_of(w, D | 0757, 1000, 1000, NULL);
	struct br_inode has = inode_of(w, D | 0777, 1000, 1000, NULL);
	has.def = acl_of_words(w->acls, "u::rwx,g::---,o::---");
	see(w, "", &root);
	see(w, "fits", &fits);
	see(w, "has", &has);
	struct br_inode serves = inode_of(w, D | 0757, 1000, 1000, NULL);
	serves.def = acl_of_words(
		w->acls, "u::rwx,u:1000:rwx,u:1001:rwx,u:1007:rwx,g::---,g:1000:r-x,m::rwx,o::---");
	see(w, "serves", &serves);
	settle(w);
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "", &root, &after), 1);
	assert_ptr_equal(after.def,
		acl_of_words(
			w->acls, "u::rwx,u:1000:rwx,u:1001:rwx,g::---,g:2000:r-x,m::rwx,o::---"));
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "fits", &fits, &after), 1);
	assert_int_equal(after.mode, fits.mode);
	assert_ptr_equal(after.def,
		acl_of_words(w->acls, "u::rwx,u:1000:rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"));
	// One that is there says nothing of them: they are added, and it stays closed to others.
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "has", &has, &after), 1);
	assert_ptr_equal(after.def,
		acl_of_words(
			w->acls, "u::rwx,u:1000:rwx,u:1001:rwx,g::---,g:1000:rwx,m::rwx,o::---"));
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "serves", &serves, &after), 0);
	assert_int_equal(w->plan->changes, 3);

	// Somebody else's in the tree: none at all.
	begin(w);
	struct br_inode bobs = inode_of(w, F | 0666, 1007, 1007, NULL);
	see(w, "", &root);
	see(w, "bobs", &bobs);
	settle(w);
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "", &root, &after), 1);
	assert_null(after.def);
}

/* Refusals. */

static void open_source(struct world *w, struct br_arena *arena, const char *path) {
	assert_int_equal(br_source_open(arena, path, 0, &w->source), 0);
	w->source.unsafe = NULL;
	w->tree.path = path;
}

// 1 refused and can be allowed, 2 refused for good, 0 not.
static int refused(struct world *w) {
	begin(w);
	// Without root one could not change what is root's anyhow.
	uint32_t caller = w->options.caller.v;
	struct br_inode root = inode_of(w, D | 0755, caller, caller, NULL);
	struct br_inode after;
	see(w, "", &root);
	settle(w);
	if (w->plan->nrefusals == 0) {
		assert_int_equal(br_plan_decide(w->plan, &w->tree, "", &root, &after), 1);
		return 0;
	}
	assert_int_equal(w->plan->changes, 0);
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "", &root, &after), 0);
	return w->plan->refusals[0].option ? 1 : 2;
}

static void test_danger(void **state) {
	struct world *w = *state;
	struct br_arena arena = {0};
	static const struct {
		const char *path;
		int refused;
	} places[] = {{"/", 2}, {"/proc", 2}, {"/sys/kernel", 2}, {"/dev", 2}, {"/dev/shm", 2},
		{"/etc", 1}, {"/etc/ssl", 1}, {"/usr/share/doc", 1}, {"/bin", 1}, {"/var", 1},
		{"/var/lib/dpkg/info", 1}, {"/root", 1}, {"/tmp", 1}, {"/srv", 1}, {"/home", 1},
		{"/var/lib", 1}, {"/proc/self/root/etc", 2}};
	demand(w, &app);
	for (size_t i = 0; i < N(places); i++) {
		open_source(w, &arena, places[i].path);
		if (w->source.state == BR_SOURCE_PRESENT && refused(w) != places[i].refused) {
			fail_msg("%s: %d", places[i].path, refused(w));
		}
		br_source_release(&w->source);
		const char *allowed[] = {places[i].path, NULL};
		w->options.allow_dangerous = allowed;
		open_source(w, &arena, places[i].path);
		if (w->source.state == BR_SOURCE_PRESENT) {
			assert_int_equal(refused(w), places[i].refused == 2 ? 2 : 0);
		}
		w->options.allow_dangerous = NULL;
		br_source_release(&w->source);
	}
	// An ordinary place; a home; what is above and below it; private names; an engine's socket.
	char path[128];
	run("mkdir -p '%s/homes/dora/data' '%s/homes/dora/.ssh/x' '%s/homes/dora/.local/share/docker/v'",
		w->dir, w->dir, w->dir);
	char line[256];
	assert_true(
		snprintf(line, sizeof(line), "dora:x:1500:1500::%s/homes/dora:/bin/sh\n", w->dir)
		> 0);
	put(w->dir, "etc/passwd", line);
	br_hostdb_free(w->db);
	w->db = br_hostdb_read(w->dir, w->dx);
	static const struct {
		const char *below;
		int refused;
	} homes[] = {{"homes/dora", 1}, {"homes", 1}, {"homes/dora/data", 0},
		{"homes/dora/.ssh", 1}, {"homes/dora/.ssh/x", 1},
		{"homes/dora/.local/share/docker/v", 1}, {"etc", 0}};
	for (size_t i = 0; i < N(homes); i++) {
		assert_true(snprintf(path, sizeof(path), "%s/%s", w->dir, homes[i].below) > 0);
		open_source(w, &arena, path);
		if (refused(w) != homes[i].refused) {
			fail_msg("%s: %d", path, refused(w));
		}
		br_source_release(&w->source);
	}
	// An unset variable; an unsafe hop, which stops root only.
	assert_true(snprintf(path, sizeof(path), "%s/etc", w->dir) > 0);
	open_source(w, &arena, path);
	w->mounts[0].unset_variable = "DATA";
	assert_int_equal(refused(w), 2);
	assert_non_null(strstr(w->plan->refusals[0].rule, "DATA"));
	w->mounts[0].unset_variable = NULL;
	w->source.unsafe = "a link of bob's";
	w->source.unsafe_owner = UINT32_MAX;
	assert_int_equal(refused(w), 2);
	// It is the container's own.
	w->source.unsafe_owner = w->identities[0].cred.uid.v;
	assert_int_equal(refused(w), 0);
	w->source.unsafe_shared = true;
	assert_int_equal(refused(w), 1);
	w->source.unsafe_shared = false;
	// Somebody else's is for the caller to say.
	w->source.unsafe_owner++;
	assert_int_equal(refused(w), 1);
	const char *const allowed[] = {path, NULL};
	w->options.allow_dangerous = allowed;
	assert_int_equal(refused(w), 0);
	w->source.unsafe_owner = UINT32_MAX;
	assert_int_equal(refused(w), 2);
	w->options.allow_dangerous = NULL;
	w->options.caller = (br_hostid){1000};
	assert_int_equal(refused(w), 0);
	br_source_release(&w->source);
	// Nothing to do: nothing to refuse.
	open_source(w, &arena, "/etc");
	begin(w);
	struct br_inode root = inode_of(w, D | 0777, 0, 0, NULL);
	see(w, "", &root);
	settle(w);
	assert_int_equal(w->plan->nrefusals, 0);
	br_source_release(&w->source);
	br_arena_release(&arena);
}

/* Missing sources. */

static void missing(struct world *w, struct br_arena *arena, const char *below) {
	char *path = br_printf(arena, "%s/%s", w->dir, below);
	assert_non_null(path);
	open_source(w, arena, path);
	assert_int_equal(w->source.state, BR_SOURCE_MISSING);
}

static void test_makes(void **state) {
	struct world *w = *state;
	struct br_arena arena = {0};
	const struct br_keeper alice = {.name = "alice", .cred = {.uid = {1000}, .gid = {1000}}};
	w->options.create_missing = true;
	w->options.keepers = &alice;
	w->options.nkeepers = 1;
	w->options.allow_dangerous = NULL;
	run("mkdir '%s/there'; chmod 2750 '%s/there'; chgrp 2000 '%s/there'; chmod g+s '%s/there'",
		w->dir, w->dir, w->dir, w->dir);
	demand(w, &app);
	missing(w, &arena, "there/a/b");
	begin(w);
	settle(w);
	const struct br_plan *plan = w->plan;
	assert_int_equal(plan->nmakes, 2);
	assert_string_equal(plan->makes[0].below, "a");
	assert_int_equal(plan->makes[0].after.mode, D | 02750);
	assert_int_equal(plan->makes[0].after.uid.v, geteuid());
	assert_int_equal(plan->makes[0].after.gid.v, 2000);
	assert_string_equal(plan->makes[1].below, "a/b");
	assert_int_equal(plan->makes[1].after.uid.v, 1001);
	assert_int_equal(plan->makes[1].after.gid.v, 1001);
	assert_int_equal(plan->makes[1].after.mode, D | 0775);
	assert_ptr_equal(plan->makes[1].after.acl,
		acl_of_words(w->acls, "u::rwx,u:1000:rwx,g::r-x,m::rwx,o::r-x"));
	assert_int_equal(plan->changes, 2);
	assert_int_equal(plan->nactions, 2);
	assert_string_equal(br_action_name(plan->actions[0].kind), "mkdir");
	assert_false(plan->trees[0].partial);

	// Two demands on it, one that only reads: the writer owns it, a second writer has an entry.
	demand(w, &other);
	w->demand[0].need = (struct br_need)READS;
	begin(w);
	settle(w);
	assert_int_equal(w->plan->makes[1].after.uid.v, 1003);
	demand(w, &app);
	begin(w);
	settle(w);
	assert_ptr_equal(w->plan->makes[1].after.acl,
		acl_of_words(w->acls, "u::rwx,u:1000:rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"));

	// Without ACLs; not wanted; probably a file; in a system directory; below /tmp.
	w->source.fs.keeps_acls = BR_NO;
	begin(w);
	settle(w);
	assert_null(w->plan->makes[1].after.acl);
	assert_int_equal(w->plan->makes[1].after.mode, D | 02775);
	assert_int_equal(w->plan->makes[1].after.uid.v, 1003);
	assert_int_equal(w->plan->makes[1].after.gid.v, 1001);
	w->options.create_missing = false;
	begin(w);
	settle(w);
	assert_true(w->plan->nmakes == 0 && w->plan->trees[0].partial && w->plan->changes == 0);
	br_source_release(&w->source);
	w->options.create_missing = true;
	missing(w, &arena, "there/nginx.conf");
	begin(w);
	settle(w);
	assert_true(w->plan->nmakes == 0 && w->plan->trees[0].partial && w->plan->nnotes > 0);
	br_source_release(&w->source);
	open_source(w, &arena, "/etc/nowhere-at-all");
	begin(w);
	settle(w);
	assert_true(w->plan->nmakes == 0 && w->plan->nrefusals == 1);
	br_source_release(&w->source);
	run("chmod 1777 '%s/there'", w->dir);
	missing(w, &arena, "there/a/b");
	begin(w);
	settle(w);
	assert_int_equal(w->plan->makes[0].after.mode, D | 0755);
	br_source_release(&w->source);
	br_arena_release(&arena);
}

/* Accounts. */

struct account_row {
	const char *name;
	const char *user;
	const char *service;
	uint32_t uid, gid;
	// "user:uid:gid" and "group:gid", in order.
	const char *made;
};

static const struct account_row account_rows[] = {
	{"both", "nonroot", "web", 1001, 1001, "group nonroot 1001, user nonroot 1001:1001"},
	{"a number", "1001:1001", "web", 1001, 1001, "group web 1001, user web 1001:1001"},
	{"taken names", "alice", "bob", 1001, 1001,
		"group bind-1001 1001, user bind-1001 1001:1001"},
	{"no good names", "1001", "Web.App", 1001, 1001,
		"group bind-1001 1001, user bind-1001 1001:1001"},
	{"gid 0: its own number", "x", "web", 1001, 0, "group x 1001, user x 1001:1001"},
	{"a system group: its own number", "x", "web", 1001, 33, "group x 1001, user x 1001:1001"},
	{"an existing group of people", "x", "web", 1001, 2000, "user x 1001:2000"},
	{"the user is there", "x", "web", 1000, 1000, ""},
	{"only the group is missing", "x", "web", 1000, 1001, "group x 1001"},
	{"root", "x", "web", 0, 0, ""},
	{"a subordinate ID", "x", "web", 101000, 101000, ""},
	{"no group is left", "x", "web", 33, 33, ""},
};

static void test_accounts(void **state) {
	struct world *w = *state;
	for (size_t i = 0; i < N(account_rows); i++) {
		const struct account_row *row = &account_rows[i];
		const struct who who = {{.uid = {row->uid}, .gid = {row->gid}}, ALL};
		struct br_buf made = {0};
		w->options.create_users = true;
		w->tree.n = 0;
		demand(w, &who);
		demand(w, &who);
		w->identities[0].user.s = row->user;
		w->containers[0].name.s = row->service;
		begin(w);
		settle(w);
		for (size_t k = 0; k < w->plan->naccounts; k++) {
			const struct br_account *account = &w->plan->accounts[k];
			br_buf_addf(&made, "%s%s %s %u", k ? ", " : "",
				account->is_group ? "group" : "user", account->name, account->id.v);
			if (!account->is_group) {
				br_buf_addf(&made, ":%u", account->gid.v);
			}
		}
		if (strcmp(made.s ? made.s : "", row->made) != 0) {
			fail_msg("%s: %s", row->name, made.s ? made.s : "nothing");
		}
		br_buf_release(&made);
		assert_int_equal(w->plan->nactions, w->plan->naccounts);
	}
	assert_int_equal(w->plan->nnotes, 1);
	w->options.create_users = false;
	begin(w);
	settle(w);
	assert_int_equal(w->plan->naccounts, 0);
}

/* What is below, and what cannot be seen; keepers. */

static void test_below_and_unseen(void **state) {
	struct world *w = *state;
	struct br_inode after;
	demand(w, &app);
	demand(w, &carol_below);
	begin(w);
	struct br_inode root = inode_of(w, D | 0755, 1000, 1000, NULL);
	struct br_inode a = inode_of(w, D | 0755, 1000, 1000, NULL);
	struct br_inode ab = inode_of(w, D | 0755, 1000, 1000, NULL);
	see(w, "", &root);
	see(w, "a", &a);
	see(w, "ab", &ab);
	struct br_entry gone = {
		.event = BR_LEAF, .path = "a/x", .path_len = 3, .name = "x", .err = EACCES};
	assert_int_equal(br_plan_see(w->plan, &w->tree, &gone, w->dx), 0);
	struct br_entry mount = {
		.event = BR_ENTER, .path = "m", .path_len = 1, .name = "m", .mount_point = true};
	assert_int_equal(br_plan_see(w->plan, &w->tree, &mount, w->dx), 0);
	struct br_entry leave = {
		.event = BR_LEAVE, .path = "a", .path_len = 1, .name = "a", .inode = &a};
	assert_int_equal(br_plan_see(w->plan, &w->tree, &leave, w->dx), 0);
	settle(w);
	assert_int_equal(w->plan->changes, 3);
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "a", &a, &after), 1);
	assert_non_null(br_acl_find(after.acl, BR_ACL_USER, (br_hostid){1002}));
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "ab", &ab, &after), 1);
	assert_null(br_acl_find(after.acl, BR_ACL_USER, (br_hostid){1002}));
	assert_int_equal(w->plan->nleft, 2);
	assert_int_equal(w->plan->left[0].reason, BR_LEFT_UNSEEN);
	assert_int_equal(w->plan->left[1].reason, BR_LEFT_MOUNT_POINT);

	// --keep bob: he gets what the container needs. Without it he gets nothing, and loses
	// nothing.
	struct br_keeper bob = {
		.name = "bob", .cred = {.uid = {1007}, .gid = {1007}}, .demanded = true};
	w->tree.n = 1;
	w->options.keepers = &bob;
	w->options.nkeepers = 1;
	for (int i = 0; i < 2; i++) {
		begin(w);
		see(w, "", &root);
		settle(w);
		assert_int_equal(br_plan_decide(w->plan, &w->tree, "", &root, &after), 1);
		assert_int_equal(br_acl_find(after.acl, BR_ACL_USER, (br_hostid){1007}) != NULL,
			bob.demanded);
		bob.demanded = false;
	}

	// A read-only file system; one that keeps no owners; an ACL that was not read, as the mode
	// alone serves.
	w->options.nkeepers = 0;
	w->source.fs.super_read_only = true;
	begin(w);
	see(w, "", &root);
	settle(w);
	assert_int_equal(w->plan->left[0].reason, BR_LEFT_PROTECTED);
	w->source.fs.super_read_only = false;
	w->source.fs.keeps_owners = BR_NO;
	w->source.fs.keeps_acls = BR_NO;
	begin(w);
	see(w, "", &root);
	settle(w);
	assert_int_equal(w->plan->left[0].reason, BR_LEFT_NO_EXACT_STATE);
	assert_int_equal(w->plan->changes, 0);
	begin(w);
	root.have = 0;
	root.mode = D | 0777;
	see(w, "", &root);
	settle(w);
	assert_int_equal(w->plan->changes + w->plan->nleft, 0);
}

/* No memory: every allocation fails once, and each failure is told. */

static int whole(struct world *w, const struct br_inode *inodes) {
	static const char *const paths[] = {"", "a", "a/x", "b", "c", "a/bob"};
	struct br_plan_input input = input_of(w);
	struct br_inode after;
	int result = -1;
	br_plan_free(w->plan);
	w->plan = br_plan_new(&input, &w->options, w->dx);
	for (size_t i = 0; w->plan && i < N(paths); i++) {
		struct br_entry entry = {.event = BR_LEAF, .path = paths[i], .inode = &inodes[i]};
		if (br_plan_see(w->plan, &w->tree, &entry, w->dx) != 0) {
			return -1;
		}
	}
	if (w->plan && br_plan_settle(w->plan, w->dx) == 0) {
		result = 0;
		for (size_t i = 0; result == 0 && i < N(paths); i++) {
			result = br_plan_decide(w->plan, &w->tree, paths[i], &inodes[i], &after) < 0
				? -1
				: 0;
		}
	}
	return result;
}

/** What becomes of it: -1 it is changed, -2 it is not and not among the examples, or why it is
 * left. */
static int becomes(struct world *w, const char *path, const struct br_inode *inode) {
	struct br_inode after;
	if (br_plan_decide(w->plan, &w->tree, path, inode, &after) == 1) {
		return -1;
	}
	for (size_t i = 0; i < w->plan->nleft; i++) {
		for (size_t k = 0; k < w->plan->left[i].nexamples; k++) {
			if (strcmp(w->plan->left[i].examples[k], path) == 0) {
				return (int)w->plan->left[i].reason;
			}
		}
	}
	return -2;
}

/* "db" is a service's, "db/log" its, too; "box" and "k" (a file) are a container's. Somebody who is
 * asked about mounts "db/part" himself. */
static void test_others(void **state) {
	struct world *w = *state;
	static const char *const paths[] = {"", "a", "box", "box/x", "boxes", "db", "db/data",
		"db/log", "db/part", "db/part/y", "k"};
	static const struct {
		bool include, part;
		int want[N(paths)];
	} rows[] = {
		{false, false,
			{-1, -1, BR_LEFT_OTHER_MOUNT, BR_LEFT_OTHER_MOUNT, -1, BR_LEFT_OTHER_MOUNT,
				BR_LEFT_OTHER_MOUNT, BR_LEFT_OTHER_MOUNT, -2, -2,
				BR_LEFT_OTHER_MOUNT}},
		{false, true,
			{-1, -1, BR_LEFT_OTHER_MOUNT, BR_LEFT_OTHER_MOUNT, -1, BR_LEFT_OTHER_MOUNT,
				BR_LEFT_OTHER_MOUNT, BR_LEFT_OTHER_MOUNT, -1, -1,
				BR_LEFT_OTHER_MOUNT}},
		{true, false, {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}},
	};
	for (size_t r = 0; r < N(rows); r++) {
		struct br_inode inodes[N(paths)];
		w->tree.n = 0;
		demand(w, &(struct who){{.uid = {1001}, .gid = {1001}}, ALL});
		if (rows[r].part) {
			demand(w, &(struct who){{.uid = {1003}, .gid = {1003}}, ALL, "db/part"});
		}
		for (size_t i = 0; i < N(paths); i++) {
			bool file = strcmp(paths[i], "k") == 0
				|| strchr("axy", paths[i][strlen(paths[i]) - 1]) != NULL;
			inodes[i] = inode_of(w, (file ? F | 0640 : D | 0750), 1000, 1000, NULL);
		}
		const struct br_other others[] = {{"db", true, 1, inodes[5].ino},
			{"pg", false, 1, inodes[2].ino}, {"db", true, 1, inodes[7].ino},
			{"pg", false, 1, inodes[10].ino}, {"elsewhere", false, 2, inodes[1].ino}};
		w->demands.others = others;
		w->demands.nothers = N(others);
		w->options.other_mounts = rows[r].include;
		w->options.strategy = BR_STRATEGY_ACL;
		begin(w);
		for (size_t i = 0; i < N(paths); i++) {
			see(w, paths[i], &inodes[i]);
		}
		settle(w);
		for (size_t i = 0; i < N(paths); i++) {
			int got = becomes(w, paths[i], &inodes[i]);
			// Only the first three of each are named.
			if (got != rows[r].want[i] && got != -2) {
				fail_msg("row %zu, '%s': %d", r, paths[i], got);
			}
			assert_true((got == -1) == (rows[r].want[i] == -1));
		}
		assert_int_equal(w->plan->nleft, rows[r].include ? 0 : 2);
		for (size_t i = 0; i < w->plan->nleft; i++) {
			const struct br_left *left = &w->plan->left[i];
			bool box = strcmp(left->examples[0], "box") == 0;
			assert_int_equal(left->count, box ? 3 : rows[r].part ? 3 : 5);
			assert_non_null(
				strstr(left->why, box ? "the container 'pg'" : "the service 'db'"));
			assert_string_equal(left->option, "--other-mounts");
		}
	}
	w->demands.nothers = 0;
	w->options.other_mounts = false;
}

static void test_no_memory(void **state) {
	struct world *w = *state;
	demand(w, &app);
	demand(w, &other);
	demand(w, &carol_below);
	w->options.create_users = true;
	struct br_inode inodes[] = {
		inode_of(w, D | 0755, 1000, 1000, NULL),
		inode_of(w, D | 0750, 1000, 1000, "u::rwx,g::r-x,g:2000:rwx,m::r-x,o::---"),
		inode_of(w, F | 0640, 1000, 1000, NULL),
		inode_of(w, F | 0644, 1000, 1000, NULL),
		inode_of(w, F | 0644, 1000, 1000, NULL),
		inode_of(w, F | 0644, 1007, 1007, NULL),
	};
	inodes[3].nlink = 2;
	inodes[4].nlink = 2;
	inodes[4].ino = inodes[3].ino;
	for (enum br_strategy strategy = BR_STRATEGY_AUTO; strategy <= BR_STRATEGY_GROUP;
		strategy++) {
		w->options.strategy = strategy;
		unsigned failures = 0;
		// The host's accounts remember what they were asked, if they can.
		assert_int_equal(whole(w, inodes), 0);
		FAULT_EACH(i, {
			int result = whole(w, inodes);
			bool hit = fault_hit();
			if (hit && result == 0) {
				fail_msg("allocation %u failed unseen", i);
			}
			failures += hit;
		});
		assert_true(failures > 20);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_commands, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_tree_commands, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_sums, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_mixed_links, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_links_changed, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_own_setgid, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_links, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_examples, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_future, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_danger, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_makes, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_accounts, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_below_and_unseen, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_others, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, world_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
