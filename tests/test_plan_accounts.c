/*
 * For whom accounts are made, by which names and with which groups.
 */
#include "plan_world.h"

/** Of the host: what the rows run into, besides the world's own accounts. */
static const char passwd[] = "root:x:0:0::/root:/bin/sh\n"
			     "alice:x:1000:1000::/nonexistent/alice:/bin/sh\n"
			     "carol:x:1002:1002::/nonexistent/carol:/bin/sh\n";
static const char group[] = "root:x:0:\nalice:x:1000:\ncarol:x:1002:\ndev:x:2000:\n"
			    "bind-1002:x:3000:\nwww:x:33:\n";

#define LONGEST "a234567890123456789012345678901"

struct row {
	const char *name;
	/** The image's name for its user, what the input says, and the service's name. */
	const char *account, *user, *service;
	uint32_t uid, gid;
	/** In this order: a letter for its kind, its name, its ID, and a user's group. */
	const char *made;
};

static const struct row rows[] = {
	{"the image's name", "app", "web", "svc", 1001, 1001, "g app 1001, u app 1001 1001"},
	{"the input's name", NULL, "web:www", "svc", 1001, 1001, "g web 1001, u web 1001 1001"},
	{"an ID is no name", NULL, "1001:1001", "svc", 1001, 1001, "g svc 1001, u svc 1001 1001"},
	{"all that a name may have", "_a-_9z", NULL, "svc", 1001, 1001,
		"g _a-_9z 1001, u _a-_9z 1001 1001"},
	{"the longest", LONGEST, NULL, "svc", 1001, 1001,
		"g " LONGEST " 1001, u " LONGEST " 1001 1001"},
	{"too long", LONGEST "2", NULL, "svc", 1001, 1001, "g svc 1001, u svc 1001 1001"},
	{"empty", "", ":1001", "svc", 1001, 1001, "g svc 1001, u svc 1001 1001"},
	{"capital", "App", NULL, "svc", 1001, 1001, "g svc 1001, u svc 1001 1001"},
	{"capital inside", "aPp", NULL, "svc", 1001, 1001, "g svc 1001, u svc 1001 1001"},
	{"behind z", "{pp", "a{p", "svc", 1001, 1001, "g svc 1001, u svc 1001 1001"},
	{"digit first", "9a", "-a", "svc", 1001, 1001, "g svc 1001, u svc 1001 1001"},
	{"dot", "a.b", "a;b", "svc", 1001, 1001, "g svc 1001, u svc 1001 1001"},
	{"no name at all", NULL, NULL, "My.Service", 1001, 1001,
		"g bind-1001 1001, u bind-1001 1001 1001"},
	{"a user's", "alice", NULL, "svc", 1001, 1001, "g svc 1001, u svc 1001 1001"},
	{"a group's", "dev", NULL, "svc", 1001, 1001, "g svc 1001, u svc 1001 1001"},
	{"root", "root", NULL, "svc", 0, 1001, ""},
	{"of a subordinate range", "app", NULL, "svc", 100000, 1001, ""},
	{"behind the range", "app", NULL, "svc", 165536, 1001, "g app 1001, u app 165536 1001"},
	{"his group only", "app", NULL, "svc", 1000, 1500, "g app 1500"},
	{"all are there", "app", NULL, "svc", 1000, 2000, ""},
	{"root's group", "app", NULL, "svc", 1000, 0, ""},
	{"the name of ours is a group's", NULL, NULL, "S", 1002, 1500, "g bind-1500 1500"},
	{"a group of people's", "app", NULL, "svc", 1001, 2000, "u app 1001 2000"},
	{"a group of the system's", "app", NULL, "svc", 1001, 33, "g app 1001, u app 1001 1001"},
	{"a number of the system's that is free", "app", NULL, "svc", 1001, 500,
		"g app 500, u app 1001 500"},
	{"group root", "app", NULL, "svc", 1001, 0, "g app 1001, u app 1001 1001"},
	{"a subordinate group", "app", NULL, "svc", 1001, 200000, "g app 1001, u app 1001 1001"},
	{"no group fits", "app", NULL, "svc", 33, 0, ""},
};

static void reads(struct world *w, const struct row *row) {
	const struct who who = {{.uid = {row->uid}, .gid = {row->gid}}, READS};
	size_t i = w->tree.n;
	demand(w, &who);
	w->containers[i].name.s = row->service;
	w->identities[i].account = row->account;
	w->identities[i].user.s = row->user;
}

static void plan_accounts(struct world *w) {
	begin(w);
	struct br_inode root = inode_of(w, D | 0755, 0, 0, NULL);
	see(w, "", &root);
	settle(w);
}

static void compare(const struct world *w, const char *name, const char *made) {
	char got[512] = "";
	size_t n = 0;
	for (size_t i = 0; i < w->plan->naccounts; i++) {
		const struct br_account *a = &w->plan->accounts[i];
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%c %s %u", n ? ", " : "",
			a->is_group ? 'g' : 'u', a->name, a->id.v);
		if (!a->is_group) {
			n += (size_t)snprintf(got + n, sizeof(got) - n, " %u", a->gid.v);
		}
	}
	if (strcmp(got, made) != 0) {
		fail_msg("%s: %s", name, got);
	}
}

static int set_up(void **state) {
	assert_int_equal(world_setup(state), 0);
	struct world *w = *state;
	put(w->dir, "etc/passwd", passwd);
	put(w->dir, "etc/group", group);
	put(w->dir, "etc/subgid", "alice:200000:65536\n");
	br_hostdb_free(w->db);
	w->db = br_hostdb_read(w->dir, w->dx);
	assert_non_null(w->db);
	w->options.create_users = true;
	return 0;
}

static void test_rows(void **state) {
	struct world *w = *state;
	for (size_t i = 0; i < N(rows); i++) {
		w->tree.n = 0;
		reads(w, &rows[i]);
		plan_accounts(w);
		compare(w, rows[i].name, rows[i].made);
		bool noted = false;
		for (size_t k = 0; k < w->plan->nnotes; k++) {
			noted = noted
				|| strstr(w->plan->notes[k],
					"uid 33: neither group 0 nor group 33 may be its own");
		}
		assert_int_equal(noted, rows[i].uid == 33);
	}
	w->options.create_users = false;
	w->tree.n = 0;
	reads(w, &rows[0]);
	plan_accounts(w);
	compare(w, "nobody asked", "");
}

/** Each ID once, and no name twice. */
static void test_several(void **state) {
	struct world *w = *state;
	static const struct row all[] = {
		{"", "app", NULL, "svc", 1001, 1001, NULL},
		{"", "app", NULL, "svc", 1001, 1001, NULL},
		{"", "app", NULL, "svc", 1003, 1001, NULL},
		{"", "app", NULL, "svc", 1004, 1005, NULL},
	};
	for (size_t i = 0; i < N(all); i++) {
		reads(w, &all[i]);
	}
	plan_accounts(w);
	compare(w, "several",
		"g app 1001, u app 1001 1001, u svc 1003 1001, g bind-1004 1005, u bind-1004 1004 1005");
}

/** Of user namespaces nobody is the host's; and who gets his mount from the engine needs nobody. */
static void test_not_the_hosts(void **state) {
	struct world *w = *state;
	static const struct br_idmap_extent extents[] = {{0, 1001, 1}};
	for (unsigned round = 0; round < 3; round++) {
		w->tree.n = 0;
		reads(w, &rows[0]);
		struct br_cred *cred = &w->identities[0].cred;
		cred->uids = (struct br_idmap){extents, round == 0};
		cred->gids = (struct br_idmap){extents, round == 1};
		w->mounts[0].chown = round == 2;
		plan_accounts(w);
		compare(w, "not the host's", "");
	}
}

int main(void) {
#define ROW(f) cmocka_unit_test_setup_teardown(f, set_up, world_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_rows),
		ROW(test_several),
		ROW(test_not_the_hosts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
