// Groups and users, made and removed by the system's own tools, in a copy of /etc that only this
// process sees.
//
// BR_STEP: each so manieth call fails (1: all). BR_TEST: a pattern of the tests' names.

#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <support/applied.h>
#include <support/failing.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct ground g;
static char etc[32];
static bool ready;
/** Nobody else's processes and mounts are seen here. */
static bool apart;

/** Leave the process at this sync of the journal; 0: never. */
static int exit_at_sync;

int fdatasync(int fd) {
	if (exit_at_sync > 0 && --exit_at_sync == 0) {
		_exit(42);
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static int copy_etc(void) {
	char command[128];
	strcpy(etc, "/tmp/bindright-etc-XXXXXX");
	if (mkdtemp(etc) == NULL || chmod(etc, 0755) < 0) {
		return -1;
	}
	(void)snprintf(command, sizeof(command), "cp -a /etc/. %s 2>/dev/null", etc);
	return system(command) == 0 ? 0 : -1;
}

static int group_setup(void **state) {
	(void)state;
	if (!apart) {
		return 0;
	}
	ready = mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
		&& mount("proc", "/proc", "proc", 0, NULL) == 0 && copy_etc() == 0
		&& mount(etc, "/etc", NULL, MS_BIND, NULL) == 0;
	return 0;
}

static int group_teardown(void **state) {
	char command[128];
	(void)state;
	if (ready) {
		assert_int_equal(umount2("/etc", MNT_DETACH), 0);
	}
	if (etc[0] == '\0') {
		return 0;
	}
	(void)snprintf(command, sizeof(command), "rm -rf %s", etc);
	return system(command) == 0 ? 0 : -1;
}

static int setup(void **state) {
	(void)state;
	exit_at_sync = 0;
	if (ready) {
		ground_make(&g);
		ground_fill(&g, 5);
	}
	return 0;
}

static int teardown(void **state) {
	(void)state;
	if (ready) {
		ground_remove(&g);
	}
	return 0;
}

static void needs_namespace(void) {
	if (!ready) {
		print_message("needs root and a mount namespace\n");
		skip();
	}
}

static const struct br_account pair[] = {
	{.is_group = true, .name = "brtest", .id = {BOX_ID}},
	{.is_group = false, .name = "brtest", .id = {BOX_ID}, .gid = {BOX_ID}},
};

static void want_pair(void) {
	g.accounts = pair;
	g.naccounts = 2;
}

static char *file(const char *path) {
	size_t n = 0;
	char *text = calloc(1, 1 << 20);
	assert_non_null(text);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	n = fread(text, 1, (1 << 20) - 1, f);
	assert_true(n > 0);
	fclose(f);
	return text;
}

static void test_made_and_removed(void **state) {
	(void)state;
	needs_namespace();
	br_auto(br_freep) char *passwd = file("/etc/passwd");
	br_auto(br_freep) char *group = file("/etc/group");
	br_auto(br_freep) char *shadow = file("/etc/shadow");
	br_auto(br_freep) char *tree = snapshot(g.tree);
	char *line = NULL;
	want_pair();
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(g.applied.accounts, 2);
	assert_int_equal(br_account_line(false, "brtest", &line), 1);
	assert_string_equal(line, "brtest:x:52001:52001::/home/brtest:/usr/sbin/nologin");
	free(line);
	assert_int_equal(br_account_line(true, "brtest", &line), 1);
	assert_string_equal(line, "brtest:x:52001:");
	free(line);
	assert_int_equal(access("/home/brtest", F_OK), -1);
	assert_int_equal(ground_undo(&g, NULL, true), 1);
	assert_int_equal(g.undone.removed, 2);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.removed + g.undone.same, 2);
	assert_int_equal(g.undone.conflicts, 0);
	br_auto(br_freep) char *passwd_now = file("/etc/passwd");
	br_auto(br_freep) char *group_now = file("/etc/group");
	br_auto(br_freep) char *shadow_now = file("/etc/shadow");
	assert_string_equal(passwd, passwd_now);
	assert_string_equal(group, group_now);
	assert_string_equal(shadow, shadow_now);
	assert_snapshot(g.tree, tree);
}

// Killed when the account was made and its record was not.
static void test_killed_between(void **state) {
	(void)state;
	needs_namespace();
	br_auto(br_freep) char *passwd = file("/etc/passwd");
	br_auto(br_freep) char *group = file("/etc/group");
	want_pair();
	for (int n = 1; n <= 6; n++) {
		int status;
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			exit_at_sync = n;
			_exit(ground_apply(&g) == 0 ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 42);
		assert_true(ground_undo(&g, NULL, false) >= 0);
		assert_int_equal(g.undone.conflicts, 0);
		br_auto(br_freep) char *passwd_now = file("/etc/passwd");
		br_auto(br_freep) char *group_now = file("/etc/group");
		assert_string_equal(passwd, passwd_now);
		assert_string_equal(group, group_now);
	}
}

static void remove_again(void) {
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.conflicts, 0);
	char *line = NULL;
	assert_int_equal(br_account_line(false, "brtest", &line), 0);
	assert_int_equal(br_account_line(true, "brtest", &line), 0);
}

static void left_because(const char *why) {
	char *line = NULL;
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_true(g.undone.conflicts > 0);
	bool said = false;
	for (size_t i = 0; i < g.undone.nexamples; i++) {
		said = said || strcmp(g.undone.reasons[i], why) == 0;
	}
	if (!said) {
		fail_msg("not because of '%s': '%s'", why, g.undone.reasons[0]);
	}
	assert_int_equal(br_account_line(false, "brtest", &line), 1);
	free(line);
}

static void test_changed_meanwhile(void **state) {
	(void)state;
	needs_namespace();
	want_pair();
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(system("usermod -c somebody brtest"), 0);
	left_because("the account was changed");
	assert_int_equal(system("usermod -c '' brtest"), 0);
	// Only the group's line grows by this.
	assert_int_equal(system("usermod -aG brtest daemon"), 0);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.conflicts, 1);
	assert_string_equal(g.undone.reasons[0], "the account was changed");
	assert_int_equal(system("gpasswd -d daemon brtest >/dev/null"), 0);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.conflicts, 0);
}

static void put_text(const char *path, const char *mode, const char *text) {
	FILE *f = fopen(path, mode);
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/** Lines that are no accounts, and names that only begin or end like it, are not it. */
static void test_lines_of_others(void **state) {
	(void)state;
	needs_namespace();
	br_auto(br_freep) char *passwd = file("/etc/passwd");
	br_auto(br_freep) char *group = file("/etc/group");
	want_pair();
	assert_int_equal(ground_apply(&g), 0);
	put_text("/etc/passwd", "ae", "brlone\nbrtwo:x\nbrthree:x:52001\nbrfour:x:52001:1\n");
	put_text("/etc/group", "ae",
		"brlone\nbrtwo:x\nbrthree:x:52001\n"
		"brlist:x:52003:brtester,abrtest,,bin\nbrnone:x:52004:\n");
	remove_again();
	put_text("/etc/passwd", "we", passwd);
	put_text("/etc/group", "we", group);
	// The last of a list, in a file that ends without a line's end.
	assert_int_equal(ground_apply(&g), 0);
	br_auto(br_freep) char *with = file("/etc/group");
	put_text("/etc/group", "ae", "brlist:x:52003:bin,brtest");
	left_because("it is a member of groups now");
	put_text("/etc/group", "we", with);
	remove_again();
}

/** A group that has the user's name, but is not his, stays without a question. */
static void test_group_of_that_name(void **state) {
	(void)state;
	needs_namespace();
	static const struct br_account user[] = {
		{.is_group = false, .name = "brtest", .id = {BOX_ID}, .gid = {100}},
	};
	br_auto(br_freep) char *group = file("/etc/group");
	char *line = NULL;
	put_text("/etc/group", "ae", "brtest:x:52009:\n");
	g.accounts = user;
	g.naccounts = 1;
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(g.applied.accounts, 1);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.conflicts, 0);
	assert_int_equal(br_account_line(false, "brtest", &line), 0);
	assert_int_equal(br_account_line(true, "brtest", &line), 1);
	assert_string_equal(line, "brtest:x:52009:");
	free(line);
	put_text("/etc/group", "we", group);
}

static void test_in_use(void **state) {
	(void)state;
	needs_namespace();
	want_pair();
	assert_int_equal(ground_apply(&g), 0);
	int told[2];
	char c;
	assert_int_equal(pipe(told), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		// It ends with the test, too.
		if (setuid(BOX_ID) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0
			&& write(told[1], "x", 1) == 1) {
			pause();
		}
		_exit(0);
	}
	close(told[1]);
	assert_int_equal(read(told[0], &c, 1), 1);
	close(told[0]);
	left_because("processes run as it");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	remove_again();
}

static void test_owns_files(void **state) {
	(void)state;
	needs_namespace();
	char path[600];
	want_pair();
	assert_int_equal(ground_apply(&g), 0);
	snprintf(path, sizeof(path), "%s/written by the container", g.tree);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(fchown(fd, BOX_ID, BOX_ID), 0);
	close(fd);
	left_because("files still belong to it");
	assert_int_equal(unlink(path), 0);
	remove_again();
}

static void test_refused(void **state) {
	(void)state;
	needs_namespace();
	static const struct br_account bad[] = {
		{.name = "--root=/x", .id = {BOX_ID}, .gid = {BOX_ID}},
		{.name = "-r", .id = {BOX_ID}, .gid = {BOX_ID}},
		{.name = "", .id = {BOX_ID}, .gid = {BOX_ID}},
		{.name = "a b", .id = {BOX_ID}, .gid = {BOX_ID}},
		{.name = "a:b", .id = {BOX_ID}, .gid = {BOX_ID}},
		{.name = "a\nb", .id = {BOX_ID}, .gid = {BOX_ID}},
		{.name = "Upper", .id = {BOX_ID}, .gid = {BOX_ID}},
		{.name = "abcdefghijklmnopqrstuvwxyzabcdef", .id = {BOX_ID}, .gid = {BOX_ID}},
		{.name = "root", .id = {BOX_ID}, .gid = {BOX_ID}},
		{.name = "daemon", .id = {BOX_ID}, .gid = {BOX_ID}},
		{.name = "brtest", .id = {0}, .gid = {BOX_ID}},
		{.name = "brtest", .id = {1}, .gid = {BOX_ID}},
		{.name = "brtest", .id = {BR_NO_ID}, .gid = {BOX_ID}},
		{.name = "brtest", .id = {BOX_ID}, .gid = {0}},
		{.is_group = true, .name = "root", .id = {BOX_ID}},
		{.is_group = true, .name = "brtest", .id = {0}},
		{.is_group = true, .name = "-g", .id = {BOX_ID}},
		// Nothing is wrong with this one but that useradd finds no such group.
		{.name = "brtest", .id = {BOX_ID}, .gid = {BOX_ID}},
	};
	const size_t n = sizeof(bad) / sizeof(*bad);
	br_auto(br_freep) char *passwd = file("/etc/passwd");
	br_auto(br_freep) char *group = file("/etc/group");
	br_auto(br_freep) char *tree = snapshot(g.tree);
	for (size_t i = 0; i < n; i++) {
		g.accounts = &bad[i];
		g.naccounts = 1;
		assert_int_equal(ground_apply(&g), -1);
		assert_non_null(strstr(g.said, "cannot make the "));
		// Before anything was announced, let alone started.
		assert_int_equal(g.applied.id[0] == '\0', i < n - 1);
		br_auto(br_freep) char *passwd_now = file("/etc/passwd");
		br_auto(br_freep) char *group_now = file("/etc/group");
		assert_string_equal(passwd, passwd_now);
		assert_string_equal(group, group_now);
		assert_snapshot(g.tree, tree);
		assert_true(ground_undo(&g, NULL, false) >= 0);
	}
}

static void test_not_as_a_user(void **state) {
	(void)state;
	needs_namespace();
	int status;
	want_pair();
	assert_int_equal(mkdir(g.state, 0700), 0);
	assert_int_equal(chown(g.state, HOST_ID, HOST_ID), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (setresgid(HOST_ID, HOST_ID, HOST_ID) != 0
			|| setresuid(HOST_ID, HOST_ID, HOST_ID) != 0) {
			_exit(2);
		}
		_exit(ground_apply(&g) == -1 && strstr(g.said, "only root can") != NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

// ---- Helpers that others can change ----

/** Refused with these words, and no account comes. */
static void refuse_helper(void) {
	br_auto(br_freep) char *group = file("/etc/group");
	want_pair();
	assert_int_equal(ground_apply(&g), -1);
	if (strstr(g.said, "there is no groupadd that only root can change") == NULL) {
		fail_msg("%s", g.said);
	}
	br_auto(br_freep) char *group_now = file("/etc/group");
	assert_string_equal(group, group_now);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
}

static void test_helpers_of_others(void **state) {
	(void)state;
	static const struct {
		uid_t owner;
		mode_t file, dir;
	} rows[] = {{HOST_ID, 0755, 0755}, {0, 0775, 0755}, {0, 0757, 0755}, {0, 0755, 0775},
		{0, 0755, 0757}};
	char dir[400];
	char helper[500];
	needs_namespace();
	(void)snprintf(dir, sizeof(dir), "%s/sbin", g.top);
	(void)snprintf(helper, sizeof(helper), "%s/groupadd", dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		br_auto(br_closep) int fd = open(helper, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
		assert_true(fd >= 0 && write(fd, "#!/bin/sh\n", 10) == 10);
		assert_int_equal(fchown(fd, rows[i].owner, 0), 0);
		assert_int_equal(fchmod(fd, rows[i].file), 0);
		assert_int_equal(chmod(dir, rows[i].dir), 0);
		assert_int_equal(mount(dir, "/usr/sbin", NULL, MS_BIND, NULL), 0);
		refuse_helper();
		assert_int_equal(umount2("/usr/sbin", MNT_DETACH), 0);
	}
}

// ---- Whatever fails ----

// Not with a sanitizer: its runtime makes calls of its own, in these processes too, and ends them
// where one fails.
#ifndef BR_SANITIZED

/** The account files, and the tree. */
struct sight {
	char *all[5];
};

static void see(struct sight *now) {
	now->all[0] = file("/etc/passwd");
	now->all[1] = file("/etc/group");
	now->all[2] = file("/etc/shadow");
	now->all[3] = file("/etc/gshadow");
	now->all[4] = snapshot(g.tree);
}

static void forget_sight(struct sight *sight) {
	for (size_t i = 0; i < sizeof(sight->all) / sizeof(sight->all[0]); i++) {
		free(sight->all[i]);
	}
}

static void assert_as_before(const struct sight *before) {
	struct sight now;
	see(&now);
	for (size_t i = 0; i < sizeof(now.all) / sizeof(now.all[0]); i++) {
		if (strcmp(now.all[i], before->all[i]) != 0) {
			fail_msg("%s: %s\n... was ...\n%s", g.doing, now.all[i], before->all[i]);
		}
	}
	forget_sight(&now);
}

static bool is_there(bool is_group) {
	char *line = NULL;
	int r = br_account_line(is_group, "brtest", &line);
	assert_true(r >= 0);
	free(line);
	return r > 0;
}

enum {
	FINE,
	FAILED_AND_SAID_SO,
	SPEECHLESS,
};

static int make_pair(void *context) {
	(void)context;
	int r = ground_apply(&g);
	bool told = g.said[0] != '\0'
		&& (g.applied.changed + g.applied.accounts == 0
			|| strstr(g.said, "bindright undo") != NULL);
	br_arena_release(&g.arena);
	return r >= 0 ? FINE : told ? FAILED_AND_SAID_SO : SPEECHLESS;
}

static int remove_pair(void *context) {
	(void)context;
	int r = ground_undo(&g, NULL, false);
	br_arena_release(&g.arena);
	return r >= 0 ? FINE : g.said[0] != '\0' ? FAILED_AND_SAID_SO : SPEECHLESS;
}

/** Undo by which nothing is left, of whatever was done. */
static void put_all_back(const struct sight *before) {
	int r = ground_undo(&g, NULL, false);
	if (r < 0 || g.undone.conflicts + g.undone.failed > 0) {
		fail_msg("%s: undo: %d, %s: %s", g.doing, r,
			g.undone.nexamples > 0 ? g.undone.reasons[0] : "", g.said);
	}
	assert_as_before(before);
	ground_forget(&g);
}

/** What stands in the way of an undo. */
enum obstacle {
	NO_OBSTACLE,
	ITS_FILE,
	ITS_PROCESS,
	OBSTACLES,
};

/** Puts it there, and takes it away again. */
static void put_obstacle(enum obstacle what, bool there) {
	static pid_t pid;
	char path[600];
	snprintf(path, sizeof(path), "%s/its own", g.tree);
	if (what == ITS_FILE && there) {
		br_auto(br_closep) int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		assert_int_equal(fchown(fd, BOX_ID, BOX_ID), 0);
	} else if (what == ITS_FILE) {
		assert_int_equal(unlink(path), 0);
	} else if (what == ITS_PROCESS && there) {
		int told[2];
		char c;
		assert_int_equal(pipe(told), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0
				&& setresgid(-1U, BOX_ID, -1U) == 0
				&& setresuid(-1U, BOX_ID, -1U) == 0
				&& write(told[1], "x", 1) == 1) {
				pause();
			}
			_exit(0);
		}
		assert_int_equal(read(told[0], &c, 1), 1);
		close(told[0]);
		close(told[1]);
	} else if (what == ITS_PROCESS) {
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

/** Each call fails in its turn, once or for good: how many. The account goes only where nothing
 * stands in the way. */
static long fail_calls(bool undo, enum obstacle what, int err, bool for_good, long step) {
	struct sight before;
	struct failing f = {.err = err, .for_good = for_good};
	see(&before);
	for (f.n = 1 + err % step;; f.n += step) {
		if (undo) {
			assert_int_equal(ground_apply(&g), 0);
			put_obstacle(what, true);
		}
		int r = failing_run(&f, undo ? remove_pair : make_pair, NULL);
		(void)snprintf(g.doing, sizeof(g.doing), "%s whose %s", undo ? "undo" : "fix",
			failing_words(&f));
		if (r > FAILED_AND_SAID_SO || r < 0) {
			fail_msg("%s: %d", g.doing, r);
		}
		if ((!undo && r == FINE) || what != NO_OBSTACLE) {
			if (!is_there(true) || !is_there(false)) {
				fail_msg("%s: it is not there", g.doing);
			}
		}
		if (undo) {
			put_obstacle(what, false);
		}
		put_all_back(&before);
		if (f.seen < f.n) {
			break;
		}
	}
	forget_sight(&before);
	return f.n / step;
}

static void test_any_call_fails(void **state) {
	(void)state;
	static const int errors[] = {EIO, ENOMEM, EMFILE, EINTR};
	const char *every = getenv("BR_STEP");
	// Without close_range each descriptor that there could be is closed by a call of its own.
	const long usual = getenv("BR_UNDER") != NULL ? 4999 : 199;
	const long step = every != NULL ? strtol(every, NULL, 10) : usual;
	long n = 0;
	needs_namespace();
	if (!trace_can_fail()) {
		print_message("cannot let calls fail here\n");
		skip();
	}
	want_pair();
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		for (int good = 0; good <= (errors[i] != EINTR); good++) {
			n += fail_calls(false, NO_OBSTACLE, errors[i], good, step);
			for (int what = 0; what < OBSTACLES; what++) {
				n += fail_calls(true, (enum obstacle)what, errors[i], good, step);
			}
		}
	}
	print_message("%ld failed calls\n", n);
	assert_true(n > 50);
}

#endif

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/** The caller goes on in a child; whoever it was ends as that one does. */
static void go_on_in_child(void) {
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		return;
	}
	_exit(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
									      : 1);
}

/** What runs as an account here may be another test's, if all processes are seen. The first one of
 * a namespace is not as others are (the leak checker cannot look at it), so the second one works. */
static void run_apart(void) {
	if (geteuid() == 0 && unshare(CLONE_NEWNS | CLONE_NEWPID) == 0) {
		go_on_in_child();
		go_on_in_child();
		apart = true;
	}
}

int main(void) {
	const char *only = getenv("BR_TEST");
	run_apart();
	if (only != NULL) {
		cmocka_set_test_filter(only);
	}
	const struct CMUnitTest tests[] = {
		TEST(test_made_and_removed),
		TEST(test_killed_between),
		TEST(test_changed_meanwhile),
		TEST(test_lines_of_others),
		TEST(test_group_of_that_name),
		TEST(test_in_use),
		TEST(test_owns_files),
		TEST(test_refused),
		TEST(test_not_as_a_user),
		TEST(test_helpers_of_others),
#ifndef BR_SANITIZED
		TEST(test_any_call_fails),
#endif
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
