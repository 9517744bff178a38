/** Those who ask a server: who they are, what they are told, and what becomes of them. What a
 * server says is in tests/hostile/a14_servers.sh. */
#include <base/own.h>
#include <bindright/server.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/scratch.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	APP = 1001,
	GROUP = 1002,
	NOBODY = 65534,
};

static const br_hostid groups[] = {{3001}, {3002}};
static const struct br_cred app = {.uid = {APP}, .gid = {GROUP}, .groups = groups, .ngroups = 2};

#define CAP(name) (UINT64_C(1) << (CAP_##name))

// ---- The decision ----

enum {
	D = S_IFDIR,
	F = S_IFREG,
};

static const struct decision {
	const char *name;
	struct br_server_word word;
	uint32_t mode;
	unsigned want;
	/** The modes' word, and what becomes of it. */
	unsigned had, missed;
	unsigned have, missing;
	bool differs;
} decisions[] = {
	{"both allow", {.have = 7}, D, 7, 7, 0, 7, 0, false},
	{"both refuse", {.have = 5}, D, 7, 5, 2, 5, 2, false},
	{"the server allows", {.have = 7}, D, 7, 0, 7, 7, 0, true},
	{"the server refuses", {.have = 0}, D, 7, 7, 0, 0, 7, true},
	{"each another bit", {.have = 4}, F, 6, 2, 4, 4, 2, true},
	{"what nobody needs", {.have = 4}, F, 4, 6, 0, 4, 0, false},
	{"not together, of a directory", {.have = 7, .apart = true}, D, 7, 7, 0, 7, 3, true},
	{"not together, of a file", {.have = 7, .apart = true}, F, 7, 7, 0, 7, 6, true},
	{"not together, but one is enough", {.have = 7, .apart = true}, F, 4, 7, 0, 7, 0, false},
	{"unheard, and allowed by the mode", {.have = 5, .unheard = 2}, D, 7, 7, 0, 7, 0, false},
	{"unheard, and refused by the mode", {.have = 5, .unheard = 2}, D, 7, 5, 2, 5, 2, false},
	{"the rest is refused too", {.have = 1, .unheard = 2}, D, 7, 5, 2, 1, 6, true},
};

static void test_decide(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(decisions); i++) {
		const struct decision *row = &decisions[i];
		struct br_verdict verdict = {
			.have = row->had, .missing = row->missed, .rule = BR_RULE_OTHER};
		bool differs = br_server_decide(&row->word, row->mode, row->want, &verdict);
		enum br_rule rule = row->differs ? BR_RULE_SERVER : BR_RULE_OTHER;
		if (differs != row->differs || verdict.have != row->have
			|| verdict.missing != row->missing || verdict.rule != rule) {
			fail_msg("%s", row->name);
		}
	}
}

/** It says nothing of what the mode alone refuses. */
static void test_unheard(void **state) {
	(void)state;
	const struct br_server_word word = {.have = BR_R | BR_X, .unheard = BR_W};
	struct br_verdict verdict = {.missing = BR_R | BR_W | BR_X, .rule = BR_RULE_OTHER};
	assert_true(br_server_decide(&word, S_IFDIR, BR_R | BR_W | BR_X, &verdict));
	assert_int_equal(verdict.missing, BR_W);
	assert_int_equal(verdict.rule, BR_RULE_OTHER);
}

// ---- Who asks ----

/** The child of a process; 0: there is none that lives. */
static pid_t child_of(pid_t parent) {
	pid_t found = 0;
	DIR *dir = opendir("/proc");
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		char path[300];
		char line[512] = "";
		char run;
		int above;
		(void)snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		FILE *f = fopen(path, "re");
		bool read = f && fgets(line, sizeof(line), f);
		const char *end = read ? strrchr(line, ')') : NULL;
		if (end && sscanf(end, ") %c %d", &run, &above) == 2 && above == parent
			&& run != 'Z') {
			found = (pid_t)strtol(entry->d_name, NULL, 10);
		}
		if (f) {
			(void)fclose(f); // It was only read.
		}
	}
	(void)closedir(dir);
	return found;
}

static void expect_status(pid_t pid, const char *field, const char *want) {
	char path[64];
	char line[512];
	size_t n = strlen(field);
	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	bool found = false;
	while (!found && fgets(line, sizeof(line), f)) {
		found = strncmp(line, field, n) == 0 && line[n] == ':';
	}
	(void)fclose(f); // It was only read.
	assert_true(found);
	line[strcspn(line, "\n")] = '\0';
	char *end = line + strlen(line);
	while (end > line && end[-1] == ' ') {
		*--end = '\0';
	}
	assert_string_equal(line + n + 1 + strspn(line + n + 1, "\t "), want);
}

static size_t descriptors_of(pid_t pid) {
	char path[64];
	size_t n = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		n += entry->d_name[0] != '.';
	}
	(void)closedir(dir);
	return n;
}

static void test_who(void **state) {
	char path[64];
	struct stat st;
	needs_root();
	br_auto(br_closep) int fd = open(*state, O_PATH | O_CLOEXEC);
	// Neither marked nor its business.
	br_auto(br_closep) int other =
		open("/etc/passwd", O_RDONLY); // NOLINT(android-cloexec-open)
	br_auto(br_asker_freep) struct br_asker *asker = br_asker_new(fd, &app);
	REQUIRE(asker);
	pid_t pid = child_of(getpid());
	assert_true(pid > 0 && other >= 0);
	expect_status(pid, "Uid", "1001\t1001\t1001\t1001");
	expect_status(pid, "Gid", "1002\t1002\t1002\t1002");
	expect_status(pid, "Groups", "3001 3002");
	expect_status(pid, "CapInh", "0000000000000000");
	expect_status(pid, "CapPrm", "0000000000000000");
	expect_status(pid, "CapEff", "0000000000000000");
	expect_status(pid, "CapAmb", "0000000000000000");
	expect_status(pid, "NoNewPrivs", "1");
	// The line, and what it asks about; a sanitizer keeps the standard error.
	assert_in_range(descriptors_of(pid), 2, 3);
	// Whose procfs is root's, nobody else may look into.
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
	br_asker_freep(&asker);
	assert_int_equal(child_of(getpid()), 0);
}

static void expect_caps(int fd, const struct br_cred *cred, const char *want) {
	br_auto(br_asker_freep) struct br_asker *asker = br_asker_new(fd, cred);
	REQUIRE(asker);
	pid_t pid = child_of(getpid());
	expect_status(pid, "CapEff", want);
	expect_status(pid, "CapPrm", want);
}

/** Those of the container that override modes, and none of another user namespace. */
static void test_caps(void **state) {
	const struct br_idmap_extent extent = {0, 100000, 65536};
	needs_root();
	br_auto(br_closep) int fd = open(*state, O_PATH | O_CLOEXEC);
	struct br_cred cred = {.caps = br_caps_docker_default()};
	expect_caps(fd, &cred, "0000000000000002");
	cred.caps = UINT64_MAX;
	expect_caps(fd, &cred, "0000000000000006");
	cred.uid.v = cred.gid.v = APP;
	expect_caps(fd, &cred, "0000000000000006");
	cred.uids = (struct br_idmap){&extent, 1};
	expect_caps(fd, &cred, "0000000000000000");
	cred.uids.n = 0;
	cred.caps = 0;
	expect_caps(fd, &cred, "0000000000000000");
	cred.uid.v = cred.gid.v = 0;
	expect_caps(fd, &cred, "0000000000000000");
}

static uint64_t seed;

static unsigned roll(unsigned n) {
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)((seed >> 33) % n);
}

// ---- What he is told: on an ordinary file system by the kernel, as its caller is ----

static void compare(int root, const char *path, const struct br_cred *cred, struct br_acls *acls,
	struct br_asker *asker) {
	struct br_inode inode;
	struct br_server_word word;
	REQUIRE(br_inode_read(root, path, BR_HAVE_ACL, acls, &inode) == 0);
	REQUIRE(br_asker_ask(asker, path, inode.mode, &word) == 0);
	for (unsigned want = 1; want < 8; want++) {
		struct br_verdict verdict =
			br_access_use(&inode, cred, &(struct br_where){0}, want);
		if (br_server_decide(&word, inode.mode, want, &verdict)) {
			fail_msg("'%s' %o of %u:%u, want %u", path, inode.mode, inode.uid.v,
				inode.gid.v, want);
		}
	}
}

static void test_kernel(void **state) {
	static const uid_t owners[] = {0, APP, 1500};
	static const gid_t owning[] = {0, GROUP, 3001, 1500};
	static const uint64_t caps[] = {0, CAP(DAC_OVERRIDE), CAP(DAC_READ_SEARCH),
		CAP(DAC_OVERRIDE) | CAP(DAC_READ_SEARCH)};
	needs_root();
	const char *given = getenv("BR_SEED");
	seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	(void)printf("BR_SEED=%llu\n", (unsigned long long)seed);
	br_auto(br_closep) int root = open(*state, O_PATH | O_CLOEXEC);
	struct br_acls *acls = br_acls_new();
	assert_non_null(acls);
	struct br_cred cred = app;
	REQUIRE(mkdirat(root, "d", 0700) == 0);
	br_auto(br_closep) int file = openat(root, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	for (size_t k = 0; k < COUNT(caps); k++) {
		cred.caps = caps[k];
		br_auto(br_asker_freep) struct br_asker *asker = br_asker_new(root, &cred);
		REQUIRE(asker);
		for (unsigned i = 0; i < 400; i++) {
			const char *path = roll(2) ? "d" : "f";
			REQUIRE(fchownat(root, path, owners[roll(COUNT(owners))],
					owning[roll(COUNT(owning))], 0)
				== 0);
			REQUIRE(fchmodat(root, path, roll(01000), 0) == 0);
			compare(root, path, &cred, acls, asker);
		}
	}
	br_acls_free(acls);
}

/** The way counts, and there is none out of it. */
static void test_ways(void **state) {
	struct br_server_word word;
	char longest[PATH_MAX + 1];
	needs_root();
	br_auto(br_closep) int root = open(*state, O_PATH | O_CLOEXEC);
	REQUIRE(mkdirat(root, "shut", 0700) == 0 && mkdirat(root, "shut/open", 0777) == 0);
	REQUIRE(symlinkat("shut", root, "link") == 0);
	REQUIRE(fchmodat(root, "shut/open", 0777, 0) == 0);
	br_auto(br_asker_freep) struct br_asker *asker = br_asker_new(root, &app);
	REQUIRE(asker);
	assert_int_equal(br_asker_ask(asker, "shut/open", S_IFDIR, &word), 0);
	assert_int_equal(word.have, 0);
	REQUIRE(fchmodat(root, "shut", 0711, 0) == 0);
	assert_int_equal(br_asker_ask(asker, "shut/open", S_IFDIR, &word), 0);
	assert_int_equal(word.have, 7);
	assert_int_equal(br_asker_ask(asker, "link/open", S_IFDIR, &word), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(br_asker_ask(asker, "..", S_IFDIR, &word), -1);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(br_asker_ask(asker, "none", S_IFREG, &word), -1);
	assert_int_equal(errno, ENOENT);
	memset(longest, 'a', PATH_MAX);
	longest[PATH_MAX] = '\0';
	assert_int_equal(br_asker_ask(asker, longest, S_IFREG, &word), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	// None of that was the end of it.
	assert_int_equal(br_asker_ask(asker, "", S_IFDIR, &word), 0);
}

// ---- Who cannot ask ----

static int refuse(int number, int error) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int failed = !filter || seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), number, 0)
		|| seccomp_load(filter);
	seccomp_release(filter);
	return failed;
}

static const struct refusal {
	const char *name;
	/** This call gives this error; 0: it does nothing and says that it did. */
	int call;
	int error;
	struct br_cred cred;
	/** Of br_asker_new, and then of br_asker_ask; 0: it goes well. */
	int made, asked;
} refusals[] = {
	{"nothing refused", -1, 0, {.uid = {APP}, .gid = {GROUP}}, 0, 0},
	{"no other user", SCMP_SYS(setresuid), EPERM, {.uid = {APP}, .gid = {GROUP}}, EPERM, 0},
	{"a user only in word", SCMP_SYS(setresuid), 0, {.uid = {APP}, .gid = {GROUP}}, EPERM, 0},
	{"no other group", SCMP_SYS(setresgid), EACCES, {.uid = {APP}, .gid = {GROUP}}, EACCES, 0},
	{"a group only in word", SCMP_SYS(setresgid), 0, {.uid = {APP}, .gid = {GROUP}}, EPERM, 0},
	{"no groups", SCMP_SYS(setgroups), EPERM, {.uid = {APP}, .groups = groups, .ngroups = 2},
		EPERM, 0},
	{"groups only in word", SCMP_SYS(setgroups), 0,
		{.uid = {APP}, .groups = groups, .ngroups = 2}, EPERM, 0},
	{"rights kept by root", SCMP_SYS(capset), 0, {.uid = {0}}, EPERM, 0},
	{"rights lost on the way", SCMP_SYS(prctl), 0, {.uid = {APP}, .caps = CAP(DAC_OVERRIDE)},
		EPERM, 0},
	{"no fork", SCMP_SYS(clone), EAGAIN, {.uid = {APP}}, EAGAIN, 0},
	{"no line", SCMP_SYS(socketpair), EMFILE, {.uid = {APP}}, EMFILE, 0},
	{"an old kernel", SCMP_SYS(faccessat2), ENOSYS, {.uid = {APP}}, 0, ENOSYS},
	{"nobody has this user", -1, 0, {.uid = {BR_NO_ID}}, EINVAL, 0},
	{"nobody has this group", -1, 0, {.gid = {BR_NO_ID}}, EINVAL, 0},
};

static int try_refused(int fd, const struct refusal *row) {
	struct br_server_word word;
	if (setgroups(1, &(gid_t){4444}) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		|| (row->call >= 0 && refuse(row->call, row->error))) {
		return 2;
	}
	br_auto(br_asker_freep) struct br_asker *asker = br_asker_new(fd, &row->cred);
	if (row->made) {
		return asker ? 3 : errno == row->made ? 0 : 4;
	}
	if (!asker) {
		return 5;
	}
	int r = br_asker_ask(asker, "", S_IFDIR, &word);
	return row->asked ? (r && errno == row->asked ? 0 : 6) : r ? 7 : 0;
}

static int end_of(pid_t pid) {
	int status = 0;
	REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

static void test_refusals(void **state) {
	needs_root();
	br_auto(br_closep) int fd = open(*state, O_PATH | O_CLOEXEC);
	for (size_t i = 0; i < COUNT(refusals); i++) {
		pid_t pid = fork();
		if (pid == 0) {
			_exit(try_refused(fd, &refusals[i]));
		}
		int code = end_of(pid);
		if (code) {
			fail_msg("%s: %d", refusals[i].name, code);
		}
	}
}

/** Nobody asks as himself, and as nobody else. */
static int ask_without_root(int fd, bool grouped) {
	const struct br_cred self = {.uid = {NOBODY}, .gid = {NOBODY}};
	struct br_server_word word;
	if (setgroups(grouped, &(gid_t){4444}) || setresgid(NOBODY, NOBODY, NOBODY)
		|| setresuid(NOBODY, NOBODY, NOBODY)) {
		return 2;
	}
	if (br_asker_new(fd, &app) || errno != EPERM) {
		return 3;
	}
	br_auto(br_asker_freep) struct br_asker *asker = br_asker_new(fd, &self);
	if (grouped) {
		return asker ? 4 : errno == EPERM ? 0 : 5;
	}
	return !asker                                     ? 6
		: br_asker_ask(asker, "", S_IFDIR, &word) ? 7
		: word.have != (BR_R | BR_X)              ? 8
							  : 0;
}

static void test_without_root(void **state) {
	needs_root();
	REQUIRE(chmod(*state, 0755) == 0);
	br_auto(br_closep) int fd = open(*state, O_PATH | O_CLOEXEC);
	for (unsigned grouped = 0; grouped < 2; grouped++) {
		pid_t pid = fork();
		if (pid == 0) {
			_exit(ask_without_root(fd, grouped));
		}
		assert_int_equal(end_of(pid), 0);
	}
}

// ---- What becomes of him ----

static void test_ended(void **state) {
	static const struct {
		int signal;
		int err;
	} ends[] = {{SIGKILL, EPIPE}, {SIGSTOP, ETIMEDOUT}};
	struct br_server_word word;
	needs_root();
	br_auto(br_closep) int fd = open(*state, O_PATH | O_CLOEXEC);
	for (size_t i = 0; i < COUNT(ends); i++) {
		br_auto(br_asker_freep) struct br_asker *asker = br_asker_new(fd, &app);
		REQUIRE(asker);
		REQUIRE(kill(child_of(getpid()), ends[i].signal) == 0);
		// The second time nobody waits.
		for (unsigned again = 0; again < 2; again++) {
			assert_int_equal(br_asker_ask(asker, "", S_IFDIR, &word), -1);
			assert_int_equal(errno, ends[i].err);
		}
		assert_int_equal(child_of(getpid()), 0);
	}
}

/** He does not live longer than who started him. */
static void test_orphan(void **state) {
	needs_root();
	br_auto(br_closep) int fd = open(*state, O_PATH | O_CLOEXEC);
	int line[2];
	char byte;
	REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 && pipe2(line, O_CLOEXEC) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct br_asker *asker = br_asker_new(fd, &app);
		_exit(!asker || write(line[1], "x", 1) != 1 || pause() ? 1 : 0);
	}
	(void)close(line[1]);
	assert_int_equal(read(line[0], &byte, 1), 1);
	(void)close(line[0]);
	pid_t asks = child_of(pid);
	assert_true(asks > 0);
	// As it waits for a server that does not answer.
	REQUIRE(kill(asks, SIGSTOP) == 0 && kill(pid, SIGKILL) == 0);
	assert_int_equal(end_of(pid), 100 + SIGKILL);
	assert_int_equal(end_of(asks), 100 + SIGKILL);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decide),
		cmocka_unit_test(test_unheard),
		cmocka_unit_test_setup_teardown(test_who, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_caps, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_kernel, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_ways, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_refusals, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_without_root, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_ended, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_orphan, scratch_enter, scratch_leave),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
