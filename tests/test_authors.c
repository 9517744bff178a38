#include <base/authors.h>
#include <base/input.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/scratch.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Nobody has these accounts. */
enum {
	EVE = 7041,
	ANN = 7042,
	TEAM = 7043,
	NOBODY = 65534
};

/** A file of this owner and mode, open. */
static int file(const char *name, uid_t uid, gid_t gid, mode_t mode) {
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "text", 4), 4);
	assert_int_equal(fchown(fd, uid, gid), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	return fd;
}

static void test_who_wrote_it(void **state) {
	(void)state;
	static const struct {
		uid_t uid;
		gid_t gid;
		mode_t mode;
		uid_t trusted;
		size_t n;
		uid_t first;
	} cases[] = {
		{0, 0, 0644, 0, 0, 0},
		{EVE, 0, 0644, 0, 1, EVE},
		{EVE, 0, 0644, ANN, 1, EVE},
		{EVE, 0, 0644, EVE, 0, 0},
		{0, 0, 0664, 0, 0, 0},
		{0, TEAM, 0664, 0, 0, 0},
		{0, 0, 0646, 0, 1, NOBODY},
		{0, 0, 0646, EVE, 1, NOBODY},
		{EVE, 0, 0666, EVE, 1, NOBODY},
	};
	needs_root();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct br_authors authors = {0};
		int fd = file("f", cases[i].uid, cases[i].gid, cases[i].mode);
		br_authors_add(&authors, fd, cases[i].trusted);
		br_authors_add(&authors, fd, cases[i].trusted);
		if (authors.n != cases[i].n || (authors.n && authors.v[0] != cases[i].first)) {
			fail_msg("case %zu: %zu authors", i, authors.n);
		}
		assert_int_equal(close(fd), 0);
		assert_int_equal(unlink("f"), 0);
	}
}

/** In a child without root's rights everybody reads with his own eyes. */
static void test_not_root(void **state) {
	(void)state;
	needs_root();
	int fd = file("f", EVE, EVE, 0666);
	pid_t child = fork();
	if (child == 0) {
		struct br_authors authors = {0};
		br_authors_add(&authors, setresuid(ANN, ANN, ANN) ? -1 : fd, 0);
		_exit(authors.n == 0 ? 0 : 1);
	}
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(close(fd), 0);
}

static void test_too_many(void **state) {
	(void)state;
	struct br_authors one = {.n = 1};
	struct br_authors all = {0};
	for (uid_t i = 0; i < 2 * BR_AUTHORS; i++) {
		one.v[0] = 10000 + i;
		br_authors_join(&all, &one);
	}
	assert_int_equal(all.n, BR_AUTHORS);
	assert_int_equal(all.v[0], 10000);
	assert_int_equal(all.v[BR_AUTHORS - 2], 10000 + BR_AUTHORS - 2);
	assert_int_equal(all.v[BR_AUTHORS - 1], NOBODY);
	// Nobody's user has his place also where the others come first.
	one.v[0] = NOBODY;
	br_authors_join(&all, &one);
	assert_int_equal(all.n, BR_AUTHORS);
}

static int error_of(const struct br_authors *authors, const char *path) {
	size_t n = 100;
	char *bytes = br_read_for(authors, path, 0, &n, NULL);
	int error = bytes ? 0 : errno;
	assert_true(!bytes || n == 4);
	free(bytes);
	return error;
}

static void test_all_must_read(void **state) {
	(void)state;
	needs_root();
	const struct br_authors none = {0};
	const struct br_authors eve = {{EVE}, 1};
	const struct br_authors both = {{EVE, ANN}, 2};
	assert_int_equal(close(file("secret", 0, 0, 0600)), 0);
	assert_int_equal(close(file("eves", EVE, 0, 0600)), 0);
	assert_int_equal(close(file("public", 0, 0, 0644)), 0);
	assert_int_equal(mkdir("closed", 0700), 0);
	assert_int_equal(close(file("closed/public", 0, 0, 0644)), 0);
	assert_int_equal(error_of(&none, "secret"), 0);
	assert_int_equal(error_of(&eve, "secret"), BR_EAUTHOR);
	assert_int_equal(error_of(&eve, "eves"), 0);
	assert_int_equal(error_of(&both, "eves"), BR_EAUTHOR);
	assert_int_equal(error_of(&both, "public"), 0);
	assert_int_equal(error_of(&eve, "closed/public"), BR_EAUTHOR);
	assert_int_equal(error_of(&eve, "closed/../public"), BR_EAUTHOR);
	assert_int_equal(error_of(&none, "closed/../public"), 0);
	assert_int_equal(error_of(&eve, "none"), ENOENT);
	assert_int_equal(error_of(&eve, "closed"), BR_EAUTHOR);
	assert_int_equal(error_of(&none, "closed"), EISDIR);
	assert_non_null(strstr(br_input_why(BR_EAUTHOR), "not read as root"));
	assert_non_null(br_input_hint(BR_EAUTHOR));
	assert_null(br_input_hint(ENOENT));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_wrote_it, scratch_enter, scratch_leave),
		cmocka_unit_test_setup_teardown(test_not_root, scratch_enter, scratch_leave),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test_setup_teardown(test_all_must_read, scratch_enter, scratch_leave),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
