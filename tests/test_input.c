#include <base/input.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/scratch.h>
#include <support/trace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Nobody has these accounts: eve makes the links, ann asks root. */
enum {
	EVE = 7041,
	ANN = 7042
};

static void file(const char *name, uid_t owner, mode_t mode) {
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "text", 4), 4);
	assert_int_equal(close(fd), 0);
	assert_int_equal(chown(name, owner, owner), 0);
	assert_int_equal(chmod(name, mode), 0);
}

static void directory(const char *name, uid_t owner, mode_t mode) {
	assert_int_equal(mkdir(name, 0700), 0);
	assert_int_equal(chown(name, owner, owner), 0);
	assert_int_equal(chmod(name, mode), 0);
}

static void link_of(uid_t owner, const char *target, const char *name) {
	assert_int_equal(symlink(target, name), 0);
	assert_int_equal(lchown(name, owner, owner), 0);
}

static int error_of(const char *path, uid_t trusted) {
	size_t n = 0;
	char *bytes = br_read_input(path, trusted, 100, &n);
	int error = bytes ? 0 : errno;
	if (bytes) {
		assert_int_equal(n, 4);
		assert_string_equal(bytes, "text");
	}
	free(bytes);
	return error;
}

/** All files and links of the tests. */
static void make_all(void) {
	file("secret", 0, 0600);
	file("public", 0, 0644);
	directory("eve", EVE, 0755);
	file("eve/own", EVE, 0600);
	directory("closed", 0, 0700);
	directory("closed/eve", EVE, 0755);
	file("closed/public", 0, 0644);
	file("closed/eve/own", EVE, 0600);
}

static void test_whose_link(void **state) {
	(void)state;
	needs_root();
	make_all();
	link_of(EVE, "../secret", "eve/to_secret");
	link_of(EVE, "../public", "eve/to_public");
	link_of(EVE, "own", "eve/to_own");
	link_of(0, "../secret", "eve/of_root");
	link_of(ANN, "../secret", "eve/of_ann");
	assert_int_equal(error_of("eve/to_secret", 0), BR_EFOREIGN);
	assert_int_equal(error_of("eve/to_secret", ANN), BR_EFOREIGN);
	assert_int_equal(error_of("eve/to_secret", EVE), 0);
	assert_int_equal(error_of("eve/to_public", 0), 0);
	assert_int_equal(error_of("eve/to_own", 0), 0);
	assert_int_equal(error_of("eve/of_root", 0), 0);
	assert_int_equal(error_of("eve/of_ann", ANN), 0);
	assert_int_equal(error_of("eve/of_ann", EVE), BR_EFOREIGN);
	assert_int_equal(error_of("secret", EVE), 0);
}

static void test_links_on_the_way(void **state) {
	char absolute[300];
	needs_root();
	make_all();
	(void)snprintf(absolute, sizeof(absolute), "%s/eve/chain", (char *)*state);
	link_of(EVE, "..", "eve/up");
	link_of(0, "secret", "chain");
	link_of(EVE, "../chain", "eve/chain");
	link_of(EVE, "chain", "eve/longer");
	link_of(0, absolute, "absolute");
	link_of(0, "eve", "of_root");
	assert_int_equal(error_of("eve/up/secret", 0), BR_EFOREIGN);
	assert_int_equal(error_of("eve/up/public", 0), 0);
	assert_int_equal(error_of("eve/up/eve/up//secret", 0), BR_EFOREIGN);
	assert_int_equal(error_of("chain", 0), 0);
	assert_int_equal(error_of("eve/chain", 0), BR_EFOREIGN);
	assert_int_equal(error_of("eve/longer", 0), BR_EFOREIGN);
	assert_int_equal(error_of("absolute", 0), BR_EFOREIGN);
	assert_int_equal(error_of(absolute, 0), BR_EFOREIGN);
	assert_int_equal(error_of(absolute, EVE), 0);
	assert_int_equal(error_of("of_root/own", 0), 0);
	assert_int_equal(error_of("of_root/../public", 0), 0);
	assert_int_equal(error_of("eve/up/of_root/up/public", 0), 0);
}

/* Eve does not come to what lies behind a closed directory, however open it is itself; what she
 * finds from inside she may have. */
static void test_closed_ways(void **state) {
	(void)state;
	needs_root();
	make_all();
	link_of(EVE, "../closed/public", "eve/into");
	link_of(EVE, "own", "closed/eve/to_own");
	assert_int_equal(error_of("eve/into", 0), BR_EFOREIGN);
	assert_int_equal(error_of("closed/eve/to_own", 0), 0);
}

/* Each owner of a link must be able to read it, not only the first. */
static void test_two_owners(void **state) {
	(void)state;
	needs_root();
	make_all();
	link_of(ANN, "eve/own", "of_ann");
	link_of(EVE, "../of_ann", "eve/to_ann");
	assert_int_equal(error_of("eve/to_ann", 0), BR_EFOREIGN);
	assert_int_equal(error_of("eve/to_ann", ANN), 0);
	assert_int_equal(chmod("eve/own", 0644), 0);
	assert_int_equal(error_of("eve/to_ann", 0), 0);
}

/* A link's group may come from its directory; it is no right of its owner. */
static void test_group_of_the_link(void **state) {
	(void)state;
	needs_root();
	make_all();
	assert_int_equal(chown("secret", 0, ANN), 0);
	assert_int_equal(chmod("secret", 0640), 0);
	assert_int_equal(symlink("../secret", "eve/link"), 0);
	assert_int_equal(lchown("eve/link", EVE, ANN), 0);
	assert_int_equal(error_of("eve/link", 0), BR_EFOREIGN);
}

static void test_errors(void **state) {
	char name[2 * NAME_MAX];
	(void)state;
	file("plain", geteuid(), 0600);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_int_equal(symlink("pipe", "to_pipe"), 0);
	assert_int_equal(symlink("plain", "to_plain"), 0);
	assert_int_equal(symlink(".", "here"), 0);
	assert_int_equal(symlink("/dev/null", "device"), 0);
	assert_int_equal(mkfifo("pipe", 0644), 0);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	memcpy(name, "here/", 5);
	assert_int_equal(error_of("loop", 0), ELOOP);
	assert_int_equal(error_of("here/loop/x", 0), ELOOP);
	assert_int_equal(error_of("dangling", 0), ENOENT);
	assert_int_equal(error_of("here/nothing", 0), ENOENT);
	assert_int_equal(error_of("", 0), ENOENT);
	assert_int_equal(error_of("here/plain/x", 0), ENOTDIR);
	assert_int_equal(error_of("here/to_plain/", 0), ENOTDIR);
	assert_int_equal(error_of("pipe", 0), EINVAL);
	assert_int_equal(error_of("to_pipe", 0), EINVAL);
	assert_int_equal(error_of("device", 0), EINVAL);
	assert_int_equal(error_of("here", 0), EISDIR);
	assert_int_equal(error_of("here/", 0), EISDIR);
	assert_int_equal(error_of(name, 0), ENAMETOOLONG);
	assert_int_equal(error_of("here/here/to_plain", 0), 0);
	assert_int_equal(br_open_input("to_plain", O_RDONLY | O_NOFOLLOW, 0), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(br_open_input("here/to_plain", O_RDONLY | O_NOFOLLOW, 0), -1);
	assert_int_equal(errno, ELOOP);
}

/** A walk that the kernel has to begin anew, because something was mounted or renamed meanwhile,
 * counts its links twice (nd->total_link_count in fs/namei.c). */
static int open_as_the_kernel(const char *name) {
	int fd = -1;
	for (int tries = 0; fd < 0 && tries < 100; tries++) {
		fd = open(name, O_RDONLY | O_CLOEXEC);
	}
	return fd;
}

static void test_as_many_links_as_the_kernel(void **state) {
	char name[20];
	char target[20] = "plain";
	(void)state;
	file("plain", geteuid(), 0600);
	for (int i = 1; i <= 41; i++) {
		(void)snprintf(name, sizeof(name), "link%d", i);
		assert_int_equal(symlink(target, name), 0);
		memcpy(target, name, sizeof(name));
		int kernel = open_as_the_kernel(name);
		assert_int_equal(kernel >= 0, i <= 40);
		assert_int_equal(error_of(name, 0), kernel < 0 ? ELOOP : 0);
		br_closep(&kernel);
	}
}

/* Who is not root sees what he may see, whose link it ever is. */
static void test_plain_user(void **state) {
	int status = 0;
	(void)state;
	needs_root();
	make_all();
	link_of(EVE, "own", "eve/to_own");
	link_of(EVE, "../secret", "eve/to_secret");
	assert_int_equal(chown("eve/own", ANN, ANN), 0);
	pid_t child = fork();
	if (child == 0) {
		bool ok = !setgroups(0, NULL) && !setgid(ANN) && !setuid(ANN)
			&& error_of("eve/to_own", ANN) == 0
			&& error_of("eve/to_secret", ANN) == EACCES;
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/** A file in somebody's home is read as he reads it. */
static void test_as_a_user(void **state) {
	size_t n = 0;
	needs_root();
	(void)state;
	make_all();
	link_of(EVE, "../secret", "eve/to_secret");
	link_of(0, "../secret", "eve/of_root");
	assert_int_equal(link("secret", "eve/hard"), 0);
	file("eve/others", ANN, 0600);
	static const struct {
		const char *path;
		uid_t uid;
		int error;
	} rows[] = {{"eve/own", EVE, 0}, {"public", EVE, 0}, {"secret", EVE, BR_EFOREIGN},
		{"eve/to_secret", EVE, BR_EFOREIGN}, {"eve/of_root", EVE, BR_EFOREIGN},
		{"eve/hard", EVE, BR_EFOREIGN}, {"eve/others", EVE, BR_EFOREIGN},
		{"closed/eve/own", EVE, BR_EFOREIGN}, {"eve/none", EVE, ENOENT}, {"eve/hard", 0, 0},
		{"eve/own", ANN, BR_EFOREIGN}, {"eve", EVE, EISDIR}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		errno = 0;
		char *bytes = br_read_as(rows[i].path, rows[i].uid, 100, &n);
		int error = bytes ? 0 : errno;
		free(bytes);
		if (error != rows[i].error) {
			fail_msg("%s: %d, not %d", rows[i].path, error, rows[i].error);
		}
	}
	int fd = br_open_as("closed", O_RDONLY | O_DIRECTORY, EVE);
	assert_int_equal(fd, -1);
	assert_int_equal(errno, BR_EFOREIGN);
}

// ---- Somebody else at each of its calls ----

enum {
	/** How one that opened it ends. */
	GOT_OWN = 1,
	GOT_SECRET,
	GOT_STALE,
	GOT_FOREIGN,
	GOT_ERROR,
};

struct swap {
	const char *a, *b;
	/** Before which of its opens the two names are exchanged, and how many later back again; 0:
	 * never. */
	long at;
	long back;
	long seen;
};

static bool opens(long call) {
	return call == SYS_openat || call == SYS_openat2 || call == SYS_open;
}

static enum trace_choice exchange(void *context, const struct trace_stop *stop, int *err) {
	struct swap *swap = context;
	(void)err;
	if (!stop->entry || !opens(stop->call)) {
		return TRACE_GO;
	}
	swap->seen++;
	if (swap->seen == swap->at || (swap->back > 0 && swap->seen == swap->at + swap->back)) {
		(void)renameat2(AT_FDCWD, swap->a, AT_FDCWD, swap->b, RENAME_EXCHANGE);
	}
	return TRACE_GO;
}

static int what_comes_of(const char *path) {
	size_t n = 0;
	char *bytes = br_read_input(path, ANN, 100, &n);
	if (bytes) {
		return strcmp(bytes, "text") == 0 ? GOT_OWN : GOT_SECRET;
	}
	return errno == ESTALE ? GOT_STALE : errno == BR_EFOREIGN ? GOT_FOREIGN : GOT_ERROR;
}

/** Read it while the two names change places; how it ended, and whether so many opens came at all. */
static int read_while(struct swap *swap, const char *path, bool *came) {
	int status = 0;
	swap->seen = 0;
	pid_t pid = trace_fork();
	if (pid == 0) {
		_exit(what_comes_of(path));
	}
	long stops = trace_run(pid, exchange, swap, &status);
	*came = stops > 0 && swap->seen >= swap->at;
	return stops > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

/** At every open there is: what is root's alone is never read, and the exchange is seen (`seen`) at
 * some of them. */
static void try_each(const char *path, const char *a, const char *b, int seen) {
	unsigned met = 0;
	for (long back = 0; back < 5; back++) {
		bool came = true;
		for (long at = 1; came; at++) {
			struct swap swap = {.a = a, .b = b, .at = at, .back = back};
			struct stat st;
			int got = read_while(&swap, path, &came);
			if (got == 0 || got == GOT_SECRET) {
				fail_msg("%s: %d at open %ld", path, got, at);
			}
			met |= 1U << got;
			// Back to their places.
			assert_int_equal(lstat(a, &st), 0);
			if (!S_ISREG(st.st_mode) || st.st_uid != EVE) {
				assert_int_equal(
					renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE), 0);
			}
		}
	}
	assert_true(met & 1U << GOT_OWN);
	assert_true(met & 1U << seen);
}

static void test_what_is_exchanged_meanwhile(void **state) {
	(void)state;
	needs_root();
	make_all();
	int fd = open("secret", O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "swordfish", 9), 9);
	assert_int_equal(close(fd), 0);
	// By the plain path: for what she could not have named.
	link_of(EVE, "../secret", "eve/evil");
	try_each("eve/own", "eve/own", "eve/evil", GOT_FOREIGN);
	// Another file of hers, between the look and the opening.
	file("eve/other", EVE, 0644);
	try_each("eve/own", "eve/own", "eve/other", GOT_STALE);
	// Through a link of hers, whose target she exchanges for a name of root's file before her
	// own rights are tried.
	assert_int_equal(link("secret", "eve/hard"), 0);
	link_of(EVE, "own", "eve/link");
	try_each("eve/link", "eve/own", "eve/hard", GOT_FOREIGN);
	try_each("eve/link", "eve/own", "eve/other", GOT_STALE);
}

static void test_words(void **state) {
	(void)state;
	assert_non_null(strstr(br_input_why(BR_EFOREIGN), "not followed as root"));
	assert_string_equal(br_input_why(ENOENT), strerror(ENOENT));
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)

int main(void) {
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_whose_link),
		IN_PLACE(test_links_on_the_way),
		IN_PLACE(test_closed_ways),
		IN_PLACE(test_two_owners),
		IN_PLACE(test_group_of_the_link),
		IN_PLACE(test_errors),
		IN_PLACE(test_as_many_links_as_the_kernel),
		IN_PLACE(test_plain_user),
		IN_PLACE(test_as_a_user),
		IN_PLACE(test_what_is_exchanged_meanwhile),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
