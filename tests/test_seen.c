/* What is kept of a walk: all of it or nothing, told again in order, and only as long as no
 * directory has changed. */
#include "support/scratch.h"

#include <base/own.h>
#include <bindright/scan.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	ROOM = 1 << 20,
};

/* ---- Entries that no file system ever had ---- */

static struct br_inode inode(uint64_t ino, uint32_t mode) {
	return (struct br_inode){
		.dev = 7,
		.ino = ino,
		.mount = 77,
		.btime = {1000, (uint32_t)ino},
		.ctime = {2000, 5},
		.mode = mode,
		.nlink = 1,
		.uid = {(uint32_t)ino % 1000},
		.gid = {3},
		.have = BR_HAVE_ACL,
	};
}

static struct br_entry entry(const char *path, const struct br_inode *in) {
	return (struct br_entry){
		.event = S_ISDIR(in->mode) ? BR_ENTER : BR_LEAF,
		.path = path,
		.path_len = strlen(path),
		.inode = in,
	};
}

static void add(struct br_seen *seen, const char *path, uint32_t mode, uint64_t ino, bool chosen) {
	struct br_inode in = inode(ino, mode);
	struct br_entry e = entry(path, &in);
	br_seen_add(seen, &e, chosen);
}

/** The mount of what stands for the root. */
static struct br_again *again_of(const struct br_seen *seen, uint64_t *mount) {
	br_auto(br_closep) int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct br_inode root;
	assert_true(fd >= 0);
	assert_int_equal(br_inode_stat(fd, "", &root), 0);
	*mount = root.mount;
	struct br_again *again = br_again_new(seen, fd);
	assert_non_null(again);
	return again;
}

/** What is told again, as "+dir", "file", "-dir". */
static void assert_again(const struct br_seen *seen, const char *const *want) {
	const struct br_entry *e;
	uint64_t mount;
	br_auto(br_again_freep) struct br_again *again = again_of(seen, &mount);
	for (; *want; want++) {
		assert_int_equal(br_again_next(again, &e), 1);
		char got[100];
		(void)snprintf(got, sizeof(got), "%s%s %u",
			e->event == BR_ENTER           ? "+"
				: e->event == BR_LEAVE ? "-"
						       : "",
			e->path, e->depth);
		assert_string_equal(got, *want);
		const char *slash = strrchr(e->path, '/');
		assert_string_equal(e->name, slash ? slash + 1 : e->path);
		assert_int_equal(e->path_len, strlen(e->path));
		assert_int_equal(*e->state, 0);
	}
	assert_int_equal(br_again_next(again, &e), 0);
	assert_int_equal(br_again_next(again, &e), 0);
}

static void test_order(void **state) {
	(void)state;
	struct br_seen *seen = br_seen_new(ROOM);
	assert_non_null(seen);
	add(seen, "", S_IFDIR | 0755, 1, true);
	add(seen, "b", S_IFDIR | 0755, 2, true);
	add(seen, "f", S_IFREG | 0644, 3, true);
	add(seen, "b/not", S_IFREG | 0644, 4, false);
	add(seen, "b/g", S_IFREG | 0644, 5, true);
	add(seen, "a", S_IFDIR | 0755, 6, false);
	add(seen, "a/c", S_IFDIR | 0755, 7, true);
	add(seen, "h", S_IFLNK | 0777, 8, true);
	add(seen, "a/c/i", S_IFSOCK | 0600, 9, true);
	// A name that begins like the directory before it.
	add(seen, "a/c2", S_IFREG | 0600, 10, true);
	add(seen, "a/c/j", S_IFREG | 0600, 11, true);
	assert_true(br_seen_whole(seen));
	static const char *const want[] = {"+ 0", "+b 1", "+a/c 2", "f 1", "b/g 2", "h 1",
		"a/c/i 3", "a/c2 2", "a/c/j 3", "-a/c 2", "-b 1", "- 0", NULL};
	assert_again(seen, want);
	// As often as one likes.
	assert_again(seen, want);
	br_seen_free(seen);
}

/** Every fact, of many kinds of inodes: more than are found again at once. */
static void test_facts(void **state) {
	(void)state;
	enum {
		N = 3000
	};
	struct br_acls *acls = br_acls_new();
	const struct br_acl_entry minimal[] = {{BR_ACL_OWNER, 7, {BR_NO_ID}},
		{BR_ACL_USER, 6, {1001}}, {BR_ACL_OWNING_GROUP, 5, {BR_NO_ID}},
		{BR_ACL_MASK, 7, {BR_NO_ID}}, {BR_ACL_OTHER, 0, {BR_NO_ID}}};
	const struct br_acl *acl = br_acls_make(acls, minimal, 5);
	const struct br_blob *caps = br_acls_blob(acls, "cap", 3);
	static struct br_inode all[N];
	struct br_seen *seen = br_seen_new(ROOM);
	char path[40];
	uint64_t mount;
	assert_non_null(acl);
	assert_non_null(caps);
	add(seen, "", S_IFDIR | 0755, 1, false);
	for (unsigned i = 0; i < N; i++) {
		all[i] = inode(i + 10, S_IFREG | (i & 07777));
		all[i].uid.v = i % 700;
		all[i].gid.v = i % 3;
		all[i].nlink = 1 + (i % 5 == 0);
		all[i].attrs = i % 7 == 0 ? BR_IMMUTABLE : 0;
		all[i].have = i % 4 ? BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS : 0;
		all[i].acl = i % 4 == 1 ? acl : NULL;
		all[i].caps = i % 4 == 2 ? caps : NULL;
		all[i].ctime = (struct br_time){-5 + (int64_t)i, i};
		(void)snprintf(path, sizeof(path), "f%u", i);
		struct br_entry e = entry(path, &all[i]);
		br_seen_add(seen, &e, true);
	}
	assert_true(br_seen_whole(seen));
	struct br_again *again = again_of(seen, &mount);
	for (unsigned i = 0; i < N; i++) {
		const struct br_entry *e;
		assert_int_equal(br_again_next(again, &e), 1);
		(void)snprintf(path, sizeof(path), "f%u", i);
		assert_string_equal(e->path, path);
		assert_true(br_inode_same(e->inode, &all[i]));
		assert_true(br_inode_equal(e->inode, &all[i]));
		assert_int_equal(e->inode->have, all[i].have);
		assert_int_equal(e->inode->nlink, all[i].nlink);
		assert_int_equal(e->inode->attrs, all[i].attrs);
		assert_int_equal(e->inode->ctime.sec, all[i].ctime.sec);
		assert_int_equal(e->inode->ctime.nsec, all[i].ctime.nsec);
		assert_ptr_equal(e->inode->acl, all[i].acl);
		assert_ptr_equal(e->inode->caps, all[i].caps);
		// As it is called where it is looked for now.
		assert_int_equal(e->inode->mount, mount);
	}
	br_again_free(again);
	br_seen_free(seen);
	br_acls_free(acls);
}

/** In whatever room: all, or nothing; and never more. */
static void test_room(void **state) {
	(void)state;
	bool was_whole = false;
	for (size_t room = 8; room < 16000; room += 24) {
		struct br_seen *seen = br_seen_new(room);
		char path[40];
		assert_non_null(seen);
		add(seen, "", S_IFDIR | 0755, 1, true);
		for (unsigned i = 0; i < 20; i++) {
			(void)snprintf(path, sizeof(path), "d%u", i);
			add(seen, path, S_IFDIR | 0755, 100 + i, true);
			(void)snprintf(path, sizeof(path), "d%u/file", i);
			add(seen, path, S_IFREG | 0644, 200 + i, true);
		}
		bool whole = br_seen_whole(seen);
		// What fits fits where there is more room, too.
		assert_true(whole || !was_whole);
		was_whole = whole;
		if (whole) {
			const struct br_entry *e;
			uint64_t mount;
			struct br_again *again = again_of(seen, &mount);
			unsigned n = 0;
			while (br_again_next(again, &e) > 0) {
				n++;
			}
			assert_int_equal(n, 21 + 20 + 21);
			br_again_free(again);
		} else {
			assert_false(br_seen_holds(seen, AT_FDCWD));
			// It does not begin anew.
			add(seen, "", S_IFDIR | 0755, 1, true);
			assert_false(br_seen_whole(seen));
		}
		br_seen_free(seen);
	}
	assert_true(was_whole);
}

/** What ends it. */
static void test_ends(void **state) {
	(void)state;
	static char far[5000];
	memset(far, 'x', sizeof(far) - 1);
	for (unsigned how = 0; how < 11; how++) {
		struct br_seen *seen = br_seen_new(ROOM);
		add(seen, "", S_IFDIR | 0755, 1, true);
		struct br_inode in = inode(2, how & 1 ? S_IFDIR | 0755 : S_IFREG | 0644);
		struct br_entry e = entry("a", &in);
		if (how < 2) {
			e.inode = NULL;
		} else if (how < 4) {
			e.err = EACCES;
		} else if (how < 6) {
			e.mount_point = true;
		} else if (how == 6) {
			in.mount = 78;
		} else if (how == 7) {
			in.ctime.sec = INT64_MAX;
		} else if (how == 8) {
			in.btime = (struct br_time){0};
		} else if (how == 9) {
			in.attrs = BR_READ_ONLY;
		} else {
			e.path = far;
			e.path_len = strlen(far);
		}
		assert_true(br_seen_whole(seen));
		// Also where it was not chosen.
		br_seen_add(seen, &e, false);
		assert_false(br_seen_whole(seen));
		br_seen_free(seen);
	}
	struct br_seen *seen = br_seen_new(ROOM);
	add(seen, "", S_IFREG | 0644, 1, true);
	assert_false(br_seen_whole(seen));
	br_seen_free(seen);
	assert_null(br_seen_new(0));
}

/* ---- Directories as they are ---- */

static char top[PATH_MAX - 100];

static void run(const char *command) {
	pid_t pid = fork();
	int status = 0;
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)(chdir(top) == 0 && execl("/bin/sh", "sh", "-c", command, (char *)NULL));
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0) {
		fail_msg("%s: %x", command, (unsigned)status);
	}
}

static struct br_seen *see(int fd) {
	const struct br_scan_options options = {.depth = UINT_MAX};
	struct br_acls *acls = br_acls_new();
	struct br_seen *seen = br_seen_new(ROOM);
	struct br_scan *scan = br_scan_new(fd, acls, &options);
	const struct br_entry *e;
	assert_non_null(scan);
	while (br_scan_next(scan, &e) > 0) {
		br_seen_add(seen, e, true);
	}
	br_scan_free(scan);
	br_acls_free(acls);
	return seen;
}

/** Whether change times tell anything here. */
static bool is_exact(int fd) {
	struct br_time quiet = br_inode_quiet();
	struct br_inode a;
	struct br_inode b;
	assert_int_equal(br_inode_stat(fd, "", &a), 0);
	assert_int_equal(br_inode_stat(fd, "", &b), 0);
	return br_inode_untouched(fd, &a, &b, quiet);
}

static void test_holds(void **state) {
	(void)state;
	static const struct {
		const char *command;
		bool holds;
	} rows[] = {
		{":", true},
		// The names are what they were, whatever became of what they name.
		{"echo x >>a/b/f", true},
		{"chmod 600 a/b/f", true},
		{"touch a/b/new", false},
		{"touch new", false},
		{"mkdir e/new", false},
		{"rm a/b/f", false},
		{"mv a/b/f a/b/g", false},
		{"touch ../t && mv ../t a/b/f", false},
		{"ln a/b/f ../second", true},
		{"ln a/b/f a/second", false},
		{"chmod 700 a/b", false},
		{"touch a/b", false},
		// There and back.
		{"mv a/b a/c && mv a/c a/b", false},
		{"mv e/n ../n && mv ../n e/n", false},
		{"mv a/b a/c && ln -s c a/b", false},
		{"rmdir e/n && mkdir e/n", false},
		{"cp -a a ../a && mv a ../old && mv ../a a", false},
		{"mkdir e/n/x && rmdir e/n/x", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scratch_make(top, sizeof(top));
		run("mkdir -p tree/a/b tree/e/n tree/z/y/x/w/v && touch tree/a/b/f tree/z/y/x/w/v/f");
		char path[PATH_MAX + 8];
		(void)snprintf(path, sizeof(path), "%s/tree", top);
		br_auto(br_closep) int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct br_seen *seen = see(fd);
		bool exact = is_exact(fd);
		assert_true(br_seen_whole(seen) || !exact);
		char command[200];
		(void)snprintf(command, sizeof(command), "cd tree && %s", rows[i].command);
		run(command);
		if (br_seen_holds(seen, fd) != (rows[i].holds && exact)) {
			fail_msg("%s", rows[i].command);
		}
		br_seen_free(seen);
		assert_int_equal(scratch_remove(top), 0);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
