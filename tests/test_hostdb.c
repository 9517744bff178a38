#include <base/mem.h>
#include <base/own.h>
#include <bindright/identity.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>
#include <support/sysroot.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void read_db(struct sysroot *f) {
	f->db = br_hostdb_read(f->root, f->dx);
	assert_non_null(f->db);
	assert_int_equal(br_diags_count(f->dx), 0);
}

static const struct br_host_user *user(struct sysroot *f, uint32_t uid) {
	return br_hostdb_user(f->db, (br_hostid){uid});
}

static const struct br_host_group *group(struct sysroot *f, uint32_t gid) {
	return br_hostdb_group(f->db, (br_hostid){gid});
}

static void missing_files_are_empty(void **state) {
	struct sysroot *f = *state;
	assert_int_equal(rmdir(sysroot_path(f, "etc")), 0);
	read_db(f);
	const struct br_host_user *users;
	assert_int_equal(br_hostdb_users(f->db, &users), 0);
	// Below a sysroot the name service of this machine is not asked.
	assert_null(user(f, 0));
	assert_null(br_hostdb_user_named(f->db, "root"));
	assert_null(group(f, 0));
	assert_null(br_hostdb_group_named(f->db, "root"));
	assert_null(br_hostdb_subuid_owner(f->db, (br_hostid){100000}));
	struct br_id_limits limits = br_hostdb_limits(f->db);
	assert_int_equal(limits.uid_min, 1000);
	assert_int_equal(limits.uid_max, 60000);
	assert_int_equal(limits.gid_min, 1000);
	assert_int_equal(limits.gid_max, 60000);
}

static void missing_sysroot_is_an_error(void **state) {
	struct sysroot *f = *state;
	assert_null(br_hostdb_read(sysroot_path(f, "nowhere"), f->dx));
	assert_int_equal(br_diags_errors(f->dx), 1);
}

static void users_are_read(void **state) {
	struct sysroot *f = *state;
	sysroot_put(f, "etc/passwd",
		"root:x:0:0:root:/root:/bin/bash\n"
		"ann:x:1000:1001:Ann,,,:/home/ann:/bin/bash\n"
		"zeros:x:001002:0003::/z:/bin/sh\n"
		"last:x:4294967294:4294967294::/l:\n"
		"two:x:1000:2000::/two:\n"
		"bare:x:1003:1004");
	read_db(f);
	const struct br_host_user *ann = user(f, 1000);
	assert_non_null(ann);
	assert_string_equal(ann->name, "ann");
	assert_int_equal(ann->gid.v, 1001);
	assert_string_equal(ann->home, "/home/ann");
	assert_ptr_equal(br_hostdb_user_named(f->db, "ann"), ann);
	assert_int_equal(br_hostdb_user_named(f->db, "two")->gid.v, 2000);
	assert_int_equal(br_hostdb_user_named(f->db, "zeros")->uid.v, 1002);
	assert_int_equal(br_hostdb_user_named(f->db, "zeros")->gid.v, 3);
	assert_int_equal(br_hostdb_user_named(f->db, "bare")->gid.v, 1004);
	assert_string_equal(br_hostdb_user_named(f->db, "bare")->home, "");
	assert_string_equal(user(f, 4294967294)->name, "last");
	assert_null(user(f, 999));
	assert_null(user(f, 1001));
	assert_null(user(f, 1001)); // asked again, the same answer
	assert_null(br_hostdb_user_named(f->db, "Ann"));
	const struct br_host_user *users;
	assert_int_equal(br_hostdb_users(f->db, &users), 6);
	assert_string_equal(users[0].name, "root");
}

static void malformed_users_are_left_out(void **state) {
	struct sysroot *f = *state;
	static const char text[] = "\n"
				   "# comment:x:1:1::/:\n"
				   "   # indented:x:1:1::/:\n"
				   "bad\n"
				   ":x:1:1::/:\n"
				   "short:x:1\n"
				   "nogid:x:1:\n"
				   "nouid:x::1::/:\n"
				   "weird:x:abc:1::/:\n"
				   "hex:x:0x1:1::/:\n"
				   "minus:x:-1:1::/:\n"
				   "blank:x: 1:1::/:\n"
				   "noid:x:4294967295:1::/:\n"
				   "nogr:x:1:4294967295::/:\n"
				   "wrapped:x:4294967297:1::/:\n"
				   "huge:x:99999999999999999999:1::/:\n"
				   "+::1:1::/:\n"
				   "-gone:x:1:1::/:\n"
				   "nul:x:1:1::/:\0/bin/sh\n"
				   "  good:x:2:3::/g:  \r\n";
	sysroot_put_bytes(f, "etc/passwd", text, sizeof(text) - 1);
	read_db(f);
	const struct br_host_user *users;
	assert_int_equal(br_hostdb_users(f->db, &users), 1);
	assert_string_equal(users[0].name, "good");
	assert_int_equal(users[0].uid.v, 2);
	assert_int_equal(users[0].gid.v, 3);
	assert_string_equal(users[0].home, "/g");
}

static void groups_are_read(void **state) {
	struct sysroot *f = *state;
	sysroot_put(f, "etc/group",
		"root:x:0:\n"
		"wheel:x:10:ann, bob,,\t carol \n"
		"empty:x:11\n"
		"bad:x:\n"
		"crlf:x:12:dave\r\n"
		"twin:x:10:zed\n"
		"top:x:4294967294:\n"
		"none:x:4294967295:\n");
	read_db(f);
	const struct br_host_group *wheel = group(f, 10);
	assert_non_null(wheel);
	assert_string_equal(wheel->name, "wheel");
	assert_string_equal(wheel->members[0], "ann");
	assert_string_equal(wheel->members[1], "bob");
	assert_string_equal(wheel->members[2], "carol");
	assert_null(wheel->members[3]);
	assert_null(group(f, 0)->members[0]);
	assert_null(group(f, 11)->members[0]);
	assert_string_equal(group(f, 12)->members[0], "dave");
	assert_int_equal(br_hostdb_group_named(f->db, "twin")->gid.v, 10);
	assert_null(br_hostdb_group_named(f->db, "bad"));
	assert_null(br_hostdb_group_named(f->db, "none"));
	assert_string_equal(group(f, 4294967294)->name, "top");
	assert_null(group(f, 9));
}

static void limits_are_read(void **state) {
	struct sysroot *f = *state;
	sysroot_put(f, "etc/login.defs",
		"# UID_MIN 1\n"
		"UID_MIN\t\t  500\n"
		"UID_MAX \"7000\"\n"
		"GID_MIN nonsense\n"
		"GID_MAX 50\n"
		"GID_MAX 4294967294   # later counts\n"
		"UID_MINIMUM 3\n"
		"UID_MI 4\n");
	read_db(f);
	struct br_id_limits limits = br_hostdb_limits(f->db);
	assert_int_equal(limits.uid_min, 500);
	assert_int_equal(limits.uid_max, 7000);
	assert_int_equal(limits.gid_min, 1000);
	assert_int_equal(limits.gid_max, 4294967294);
}

static void ranges_have_edges(void **state) {
	struct sysroot *f = *state;
	sysroot_put(f, "etc/subuid",
		"# none:1:100\n"
		"bad:1\n"
		"bad:x:10\n"
		":5:10\n"
		"none:7:0\n"
		"ann:100000:65536\n"
		"bob:165536:10\n"
		"top:4294967290:100\n");
	sysroot_put(f, "etc/subgid", "2001:200000:1\n");
	read_db(f);
	static const struct {
		uint32_t uid;
		const char *owner;
	} uids[] = {
		{0, NULL}, {1, NULL}, {5, NULL}, {7, NULL}, {99999, NULL}, {100000, "ann"},
		{165535, "ann"}, {165536, "bob"}, {165545, "bob"}, {165546, NULL},
		{4294967289, NULL}, {4294967290, "top"}, {4294967294, "top"},
		{94, NULL}, // what the last range would wrap round to
	};
	for (size_t i = 0; i < COUNT(uids); i++) {
		const char *owner = br_hostdb_subuid_owner(f->db, (br_hostid){uids[i].uid});
		if (uids[i].owner ? !owner || strcmp(owner, uids[i].owner) != 0 : owner != NULL) {
			fail_msg("%u: %s", uids[i].uid, owner ? owner : "none");
		}
	}
	assert_null(br_hostdb_subgid_owner(f->db, (br_hostid){199999}));
	assert_string_equal(br_hostdb_subgid_owner(f->db, (br_hostid){200000}), "2001");
	assert_null(br_hostdb_subgid_owner(f->db, (br_hostid){200001}));
	assert_null(br_hostdb_subgid_owner(f->db, (br_hostid){100000}));
}

static void credentials_of_a_login(void **state) {
	struct sysroot *f = *state;
	sysroot_put(f, "etc/passwd", "root:x:0:0::/root:\nann:x:1000:1001::/home/ann:\n");
	sysroot_put(f, "etc/group",
		"root:x:0:\nwheel:x:10:root,ann\nann:x:1001:\nz:x:5:ann,ann\nbig:x:70000:ann\n"
		"twin:x:10:ann\nother:x:6:annie\n");
	read_db(f);
	struct br_cred cred;
	assert_int_equal(br_hostdb_cred(f->db, &f->arena, user(f, 1000), &cred), 0);
	assert_int_equal(cred.uid.v, 1000);
	assert_int_equal(cred.gid.v, 1001);
	assert_int_equal(cred.caps, 0);
	static const uint32_t groups[] = {5, 10, 1001, 70000};
	assert_int_equal(cred.ngroups, COUNT(groups));
	for (size_t i = 0; i < COUNT(groups); i++) {
		assert_int_equal(cred.groups[i].v, groups[i]);
	}
	assert_int_equal(br_hostdb_cred(f->db, &f->arena, user(f, 0), &cred), 0);
	assert_int_equal(cred.caps, (UINT64_C(1) << 41) - 1);
	assert_int_equal(cred.ngroups, 2);
	assert_int_equal(cred.uids.n, 0);
}

/** Whether the n-th allocation was reached. */
static bool try_to_read(struct sysroot *f, unsigned n) {
	struct br_cred cred = {0};
	size_t errors = br_diags_errors(f->dx);
	fault_at(n);
	br_auto(br_hostdb_freep) struct br_hostdb *db = br_hostdb_read(f->root, f->dx);
	bool hit = fault_hit();
	if (!db) {
		fault_at(0);
		assert_true(hit);
		// That there is no memory is said once.
		assert_true(br_diags_errors(f->dx) > 0 && br_diags_errors(f->dx) >= errors);
		return true;
	}
	const struct br_host_user *ann = br_hostdb_user_named(db, "ann");
	assert_non_null(ann);
	(void)br_hostdb_user(db, (br_hostid){4}); // nobody has it
	int result = br_hostdb_cred(db, &f->arena, ann, &cred);
	hit = fault_hit();
	fault_at(0);
	if (result == 0) {
		assert_int_equal(cred.ngroups, 4);
	} else {
		assert_true(hit);
	}
	return hit;
}

static void without_memory(void **state) {
	struct sysroot *f = *state;
	sysroot_put(f, "etc/passwd", "root:x:0:0::/root:\nann:x:1000:1001::/home/ann:\n");
	sysroot_put(f, "etc/group", "wheel:x:10:root,ann\nz:x:5:ann\nbig:x:70000:ann\n");
	sysroot_put(f, "etc/subuid", "ann:100000:65536\n");
	unsigned n = 1;
	while (try_to_read(f, n)) {
		n++;
	}
	assert_true(n > 3);
}

static void links_stay_in_the_sysroot(void **state) {
	struct sysroot *f = *state;
	assert_int_equal(mkdir(sysroot_path(f, "real"), 0755), 0);
	sysroot_put(f, "real/passwd", "inside:x:7:7::/:\n");
	assert_int_equal(symlink("/real/passwd", sysroot_path(f, "etc/passwd")), 0);
	read_db(f);
	assert_string_equal(user(f, 7)->name, "inside");
}

static void links_do_not_climb_out(void **state) {
	struct sysroot *f = *state;
	sysroot_put(f, "passwd", "inside:x:7:7::/:\n");
	assert_int_equal(symlink("../../../../../../../passwd", sysroot_path(f, "etc/passwd")), 0);
	read_db(f);
	assert_string_equal(user(f, 7)->name, "inside");
}

static void only_regular_files(void **state) {
	struct sysroot *f = *state;
	sysroot_put(f, "etc/group", "");
	assert_int_equal(mkfifo(sysroot_path(f, "etc/passwd"), 0644), 0);
	assert_null(br_hostdb_read(f->root, f->dx));
	assert_int_equal(br_diags_errors(f->dx), 1);
	assert_int_equal(unlink(sysroot_path(f, "etc/passwd")), 0);
	assert_int_equal(mkdir(sysroot_path(f, "etc/passwd"), 0755), 0);
	assert_null(br_hostdb_read(f->root, f->dx));
	assert_int_equal(br_diags_errors(f->dx), 2);
}

static void large_files_are_refused(void **state) {
	struct sysroot *f = *state;
	sysroot_put(f, "etc/passwd", "a:x:1:1::/:\n");
	assert_int_equal(truncate(sysroot_path(f, "etc/passwd"), (16 << 20) + 1), 0);
	assert_null(br_hostdb_read(f->root, f->dx));
	assert_int_equal(br_diags_errors(f->dx), 1);
}

/*
 * A name service that knows more than the files: these take the place of the C library's. Their
 * answers need a large buffer, as those of a group with many members do.
 */

enum {
	REMOTE_ID = 54321,
	REMOTE_BYTES = 100000,
};

static unsigned questions;

static int answer_user(bool known, struct passwd *pw, size_t n, struct passwd **answer) {
	static char name[] = "remote";
	static char home[] = "/net/remote";
	questions++;
	*answer = NULL;
	if (!known) {
		return 0;
	}
	if (n < REMOTE_BYTES) {
		return ERANGE;
	}
	*pw = (struct passwd){
		.pw_name = name, .pw_dir = home, .pw_uid = REMOTE_ID, .pw_gid = REMOTE_ID + 1};
	*answer = pw;
	return 0;
}

static int answer_group(bool known, struct group *gr, size_t n, struct group **answer) {
	static char name[] = "remotes";
	static char member[] = "remote";
	static char *members[] = {member, NULL};
	questions++;
	*answer = NULL;
	if (!known) {
		return ENOENT;
	}
	if (n < REMOTE_BYTES) {
		return ERANGE;
	}
	*gr = (struct group){.gr_name = name, .gr_gid = REMOTE_ID + 1, .gr_mem = members};
	*answer = gr;
	return 0;
}

int getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t n, struct passwd **answer) {
	(void)buf;
	return answer_user(uid == REMOTE_ID, pw, n, answer);
}

int getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t n, struct passwd **answer) {
	(void)buf;
	return answer_user(strcmp(name, "remote") == 0, pw, n, answer);
}

int getgrgid_r(gid_t gid, struct group *gr, char *buf, size_t n, struct group **answer) {
	(void)buf;
	return answer_group(gid == REMOTE_ID + 1, gr, n, answer);
}

int getgrnam_r(const char *name, struct group *gr, char *buf, size_t n, struct group **answer) {
	(void)buf;
	return answer_group(strcmp(name, "remotes") == 0, gr, n, answer);
}

static void the_name_service_knows_more(void **state) {
	struct sysroot *f = *state;
	f->db = br_hostdb_read("//", f->dx);
	assert_non_null(f->db);
	const struct br_host_user *remote = user(f, REMOTE_ID);
	assert_non_null(remote);
	assert_string_equal(remote->name, "remote");
	assert_string_equal(remote->home, "/net/remote");
	assert_int_equal(remote->gid.v, REMOTE_ID + 1);
	questions = 0;
	assert_ptr_equal(br_hostdb_user_named(f->db, "remote"), remote);
	assert_ptr_equal(user(f, REMOTE_ID), remote);
	assert_string_equal(user(f, 0)->name, "root");
	assert_int_equal(questions, 0);
	assert_null(user(f, REMOTE_ID + 2));
	assert_null(user(f, REMOTE_ID + 2));
	assert_int_equal(questions, 1);
	const struct br_host_group *remotes = br_hostdb_group_named(f->db, "remotes");
	assert_non_null(remotes);
	assert_int_equal(remotes->gid.v, REMOTE_ID + 1);
	assert_string_equal(remotes->members[0], "remote");
	assert_null(remotes->members[1]);
	questions = 0;
	assert_ptr_equal(group(f, REMOTE_ID + 1), remotes);
	assert_int_equal(questions, 0);
	assert_null(group(f, REMOTE_ID + 2));
	assert_null(group(f, REMOTE_ID + 2));
	assert_int_equal(questions, 1);
}

static void a_sysroot_has_no_name_service(void **state) {
	struct sysroot *f = *state;
	read_db(f);
	questions = 0;
	assert_null(user(f, REMOTE_ID));
	assert_null(br_hostdb_user_named(f->db, "remote"));
	assert_null(group(f, REMOTE_ID + 1));
	assert_null(br_hostdb_group_named(f->db, "remotes"));
	assert_int_equal(questions, 0);
}

/** The C library is the oracle for this machine's own accounts. */
static void this_machine(void **state) {
	struct sysroot *f = *state;
	f->db = br_hostdb_read("/", f->dx);
	assert_non_null(f->db);
	const struct passwd *pw;
	setpwent();
	while ((pw = getpwent())) {
		const struct br_host_user *named = br_hostdb_user_named(f->db, pw->pw_name);
		assert_non_null(named);
		assert_int_equal(named->uid.v, pw->pw_uid);
		assert_int_equal(named->gid.v, pw->pw_gid);
		assert_string_equal(named->home, pw->pw_dir);
		struct br_cred cred;
		assert_int_equal(br_hostdb_cred(f->db, &f->arena, named, &cred), 0);
		gid_t gids[256];
		int n = COUNT(gids);
		assert_true(getgrouplist(pw->pw_name, pw->pw_gid, gids, &n) >= 0);
		for (int i = 0; i < n; i++) {
			assert_true(br_cred_in_group(&cred, (br_hostid){gids[i]}));
		}
	}
	endpwent();
	const struct group *gr;
	setgrent();
	while ((gr = getgrent())) {
		assert_int_equal(br_hostdb_group_named(f->db, gr->gr_name)->gid.v, gr->gr_gid);
	}
	endgrent();
	assert_null(br_hostdb_user_named(f->db, "br-nobody-has-this-name"));
	assert_null(br_hostdb_group_named(f->db, "br-nobody-has-this-name"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			missing_files_are_empty, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(
			missing_sysroot_is_an_error, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(users_are_read, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(
			malformed_users_are_left_out, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(groups_are_read, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(limits_are_read, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(ranges_have_edges, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(
			credentials_of_a_login, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(without_memory, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(
			links_stay_in_the_sysroot, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(
			links_do_not_climb_out, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(
			only_regular_files, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(
			large_files_are_refused, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(
			the_name_service_knows_more, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(
			a_sysroot_has_no_name_service, sysroot_setup, sysroot_teardown),
		cmocka_unit_test_setup_teardown(this_machine, sysroot_setup, sysroot_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
