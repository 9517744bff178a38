// Plans made true and taken back: everything is as it was, and what changed meanwhile is left alone.

#include <base/own.h>

#include <apply/crew.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <support/applied.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

// ---- System calls that the tests can watch or fail ----

static struct {
	/** Called before each fdatasync, with its number. */
	void (*at_sync)(int n);
	int syncs;
	/** Fail the n-th one from now on (1 is the next) with this errno. */
	int sync_fails_at;
	atomic_int chowns;
	int chown_fails_at;
	/** During the n-th one somebody asks it to stop. */
	int stop_at_chown;
	int error;
	/** Paths of what fchownat was called for, one a line. */
	struct br_buf *log;
} calls;

int fdatasync(int fd) {
	calls.syncs++;
	if (calls.at_sync != NULL) {
		calls.at_sync(calls.syncs);
	}
	if (calls.syncs == calls.sync_fails_at) {
		errno = calls.error;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/** It stands still: what makes a batch is never how long the walk took, on however busy a machine. */
int clock_gettime(clockid_t id, struct timespec *now) {
	int r = (int)syscall(SYS_clock_gettime, id, now);
	if (r == 0 && id == CLOCK_MONOTONIC) {
		*now = (struct timespec){.tv_sec = 1};
	}
	return r;
}

static struct ground g;

static void log_path(int fd) {
	char link[64];
	char path[4096];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path));
	br_buf_addn(calls.log, path, n > 0 ? (size_t)n : 0);
	br_buf_addc(calls.log, '\n');
}

int fchownat(int fd, const char *path, uid_t uid, gid_t gid, int flags) {
	// Also called by several threads.
	static atomic_flag busy = ATOMIC_FLAG_INIT;
	while (calls.log != NULL && atomic_flag_test_and_set(&busy)) {
	}
	int nth = ++calls.chowns;
	if (calls.log != NULL) {
		log_path(fd);
		atomic_flag_clear(&busy);
	}
	if (nth == calls.stop_at_chown) {
		g.stop = 1;
	}
	if (nth == calls.chown_fails_at) {
		errno = calls.error;
		return -1;
	}
	return (int)syscall(SYS_fchownat, fd, path, uid, gid, flags);
}

static int setup(void **state) {
	(void)state;
	memset(&calls, 0, sizeof(calls));
	if (geteuid() == 0) {
		ground_make(&g);
	}
	return 0;
}

static int teardown(void **state) {
	(void)state;
	if (geteuid() == 0) {
		ground_remove(&g);
	}
	return 0;
}

static const char *at(const char *name) {
	static char path[600];
	snprintf(path, sizeof(path), "%s/%s", g.tree, name);
	return path;
}

static struct stat look(const char *name) {
	struct stat st;
	assert_int_equal(lstat(at(name), &st), 0);
	return st;
}

// ---- There and back ----

static void there_and_back(br_decide *decide) {
	needs_root();
	ground_fill(&g, 100);
	g.decide = decide;
	br_auto(br_freep) char *before = snapshot(g.tree);
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(g.applied.conflicts, 0);
	assert_int_equal(g.applied.failed, 0);
	assert_true(br_run_id_valid(g.applied.id));
	assert_int_equal(ground_state(&g), BR_RUN_APPLIED);
	br_auto(br_freep) char *after = snapshot(g.tree);
	assert_int_equal(ground_undo(&g, NULL, true), 1);
	assert_int_equal(g.undone.restored, g.applied.changed);
	assert_snapshot(g.tree, after);
	assert_int_equal(ground_state(&g), BR_RUN_APPLIED);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.restored, g.applied.changed);
	assert_int_equal(g.undone.conflicts, 0);
	assert_string_equal(g.run.input, "compose.yaml");
	assert_string_equal(g.run.invoker, "alice");
	assert_snapshot(g.tree, before);
	assert_int_equal(ground_state(&g), BR_RUN_UNDONE);
	assert_int_equal(ground_undo(&g, NULL, false), 0);
}

static void test_owner(void **state) {
	(void)state;
	there_and_back(decide_owner);
}

static void test_acl(void **state) {
	(void)state;
	there_and_back(decide_acl);
}

static void test_mixed(void **state) {
	(void)state;
	there_and_back(decide_mixed);
}

static void test_is_what_was_decided(void **state) {
	(void)state;
	needs_root();
	ground_fill(&g, 20);
	g.decide = decide_mixed;
	assert_int_equal(ground_apply(&g), 0);
	unsigned char want[64];
	unsigned char got[64];
	struct stat st = look("d0/f1");
	assert_int_equal(st.st_uid, BOX_ID);
	assert_int_equal(st.st_gid, BOX_ID);
	assert_int_equal(st.st_mode, S_IFREG | 0674);
	size_t n = acl_blob(0644, BOX_ID, 7, want);
	assert_int_equal(lgetxattr(at("d0/f1"), "system.posix_acl_access", got, 64), n);
	assert_memory_equal(got, want, n);
	st = look("acl dir");
	assert_int_equal(st.st_mode, S_IFDIR | 02770);
	assert_int_equal(lgetxattr(at("acl dir"), "system.posix_acl_default", got, 64), -1);
	assert_int_equal(lgetxattr(at("acl dir"), "system.posix_acl_access", got, 64), -1);
	assert_int_equal(look("setuid").st_mode & 07000, 0);
	assert_int_equal(look("socket").st_uid, 0);
	assert_int_equal(look("sticky/link").st_uid, BOX_ID);
	assert_int_equal(look("").st_uid, BOX_ID);
}

static int decide_nothing(void *context, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after) {
	(void)context;
	(void)tree;
	(void)path;
	*after = *inode;
	return inode->nlink % 2; // "No" and "the same as it is" come to the same.
}

static void test_nothing_to_do(void **state) {
	(void)state;
	needs_root();
	ground_fill(&g, 10);
	g.decide = decide_nothing;
	br_auto(br_freep) char *before = snapshot(g.tree);
	assert_int_equal(ground_apply(&g), 0);
	assert_string_equal(g.applied.id, "");
	assert_int_equal(ground_state(&g), -1);
	assert_snapshot(g.tree, before);
	assert_int_equal(ground_undo(&g, NULL, false), 0);
}

static void test_single_file(void **state) {
	(void)state;
	needs_root();
	ground_fill(&g, 0);
	char whole[sizeof(g.tree)];
	snprintf(whole, sizeof(whole), "%s", g.tree);
	br_auto(br_freep) char *before = snapshot(whole);
	assert_true(snprintf(g.tree, sizeof(g.tree), "%s/acl", whole) > 0);
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(g.applied.changed, 1);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.restored, 1);
	assert_snapshot(whole, before);
}

/** In this log every directory comes behind (or before) all that is below it. */
static void assert_order(struct br_buf *log, bool behind) {
	enum {
		MOST = 2000
	};
	const char *paths[MOST];
	size_t n = 0;
	for (char *p = strtok(log->s, "\n"); p != NULL && n < MOST; p = strtok(NULL, "\n")) {
		paths[n++] = p;
	}
	assert_true(n > 60 && n < MOST);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			const char *above = behind ? paths[i] : paths[k];
			const char *below = behind ? paths[k] : paths[i];
			size_t len = strlen(above);
			if (strncmp(above, below, len) == 0 && below[len] == '/') {
				fail_msg("%s and %s in the wrong order", above, below);
			}
		}
	}
}

static void order(int n) {
	needs_root();
	struct br_buf log = {0};
	ground_fill(&g, n);
	assert_int_equal(unlink(at("line\nbreak \xff\\")), 0);
	calls.log = &log;
	assert_int_equal(ground_apply(&g), 0);
	assert_order(&log, true);
	log.n = 0;
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_order(&log, false);
	calls.log = NULL;
	br_buf_release(&log);
}

// Whoever is let in gets the directory last, and loses it first.
static void test_order(void **state) {
	(void)state;
	order(50);
}

static void test_order_of_threads(void **state) {
	(void)state;
	g.threads = 4;
	order(800);
}

// So many files that threads share them; one has two names, and everything else is as with one
// thread.
static void test_threads(void **state) {
	(void)state;
	needs_root();
	ground_fill(&g, 1500);
	g.decide = decide_mixed;
	br_auto(br_freep) char *before = snapshot(g.tree);
	br_auto(br_freep) char *after = NULL;
	for (unsigned threads = 1; threads <= 4; threads += 3) {
		g.threads = threads;
		assert_int_equal(ground_apply(&g), 0);
		assert_int_equal(g.applied.conflicts + g.applied.failed, 0);
		if (after == NULL) {
			after = snapshot(g.tree);
		}
		assert_snapshot(g.tree, after);
		uint64_t changed = g.applied.changed;
		assert_int_equal(ground_undo(&g, NULL, true), 1);
		assert_int_equal(g.undone.restored, changed);
		assert_snapshot(g.tree, after);
		assert_int_equal(ground_undo(&g, NULL, false), 1);
		assert_int_equal(g.undone.restored, changed);
		assert_int_equal(g.undone.conflicts + g.undone.failed, 0);
		assert_snapshot(g.tree, before);
	}
}

// Two names of a file are never worked on at a time, nor is a directory with anything.
static void test_pick(void **state) {
	(void)state;
	static struct br_picks picks;
	struct br_inode in = {.mode = S_IFREG | 0600};
	assert_false(br_pick(&picks, &in));
	for (uint64_t ino = 1; ino <= BR_PICKS; ino++) {
		in.ino = ino << 13;
		assert_true(br_pick(&picks, &in));
		assert_false(br_pick(&picks, &in));
	}
	in.ino = 7;
	in.mode = S_IFDIR | 0700;
	assert_false(br_pick(&picks, &in));
}

// What was on its way in other threads when one met the end of the disk counts, and can be undone.
static void test_errors_stop_the_threads(void **state) {
	(void)state;
	needs_root();
	g.threads = 4;
	ground_fill(&g, 1500);
	br_auto(br_freep) char *before = snapshot(g.tree);
	calls.chown_fails_at = 11;
	calls.error = ENOSPC;
	assert_int_equal(ground_apply(&g), -1);
	assert_int_equal(g.applied.failed, 1);
	assert_int_equal(g.applied.changed + 1, (uint64_t)calls.chowns);
	assert_true(calls.chowns < 1500);
	assert_int_equal(ground_state(&g), BR_RUN_UNFINISHED);
	uint64_t changed = g.applied.changed;
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.restored, changed);
	assert_snapshot(g.tree, before);
}

// Deeper than one path can say.
static void test_deep(void **state) {
	(void)state;
	needs_root();
	enum {
		DEEP = 40
	};
	char name[201];
	memset(name, 'n', 200);
	name[200] = '\0';
	int fd = open(g.tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < DEEP; i++) {
		assert_int_equal(mkdirat(fd, name, 0700), 0);
		int next = openat(fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
		assert_true(fd >= 0);
		assert_int_equal(fchownat(fd, "", HOST_ID, HOST_ID, AT_EMPTY_PATH), 0);
	}
	struct stat st;
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(g.applied.changed, DEEP + 1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, BOX_ID);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.restored, DEEP + 1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, HOST_ID);
	close(fd);
}

static void many(int n) {
	char name[32];
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%d", i);
		int fd = open(at(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		assert_int_equal(fchown(fd, HOST_ID, HOST_ID), 0);
		close(fd);
	}
}

static void test_more_than_a_batch(void **state) {
	(void)state;
	needs_root();
	enum {
		MANY = 9000
	};
	many(MANY);
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(g.applied.changed, MANY + 1);
	assert_true(calls.syncs >= 5);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.restored, MANY + 1);
	assert_int_equal(look("8999").st_uid, HOST_ID);
}

// The second name of a file comes in a later batch than the first: it was read before the first was
// changed, or after that.
static void test_names_in_two_batches(void **state) {
	(void)state;
	needs_root();
	enum {
		MANY = 5000
	};
	many(MANY);
	for (int i = 0; i < MANY; i++) {
		char name[16];
		br_auto(br_freep) char *old = NULL;
		snprintf(name, sizeof(name), "%d", i);
		old = strdup(at(name));
		snprintf(name, sizeof(name), "%d again", i);
		assert_int_equal(link(old, at(name)), 0);
	}
	br_auto(br_freep) char *before = snapshot(g.tree);
	g.threads = 3;
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(g.applied.conflicts + g.applied.failed, 0);
	assert_true(g.applied.changed >= MANY + 1);
	assert_int_equal(look("0").st_uid, BOX_ID);
	ground_undo_wholly(&g, before);
}

static void test_undo_twice_by_id(void **state) {
	(void)state;
	needs_root();
	ground_fill(&g, 10);
	assert_int_equal(ground_apply(&g), 0);
	char id[BR_RUN_ID];
	strcpy(id, g.applied.id);
	assert_int_equal(ground_undo(&g, id, false), 1);
	assert_int_equal(ground_undo(&g, id, false), 0);
	id[strlen(id) - 1] = id[strlen(id) - 1] == '0' ? '1' : '0';
	assert_int_equal(ground_undo(&g, id, false), -1);
	assert_non_null(strstr(g.said, "there is no run"));
	assert_non_null(strstr(g.said, g.applied.id));
}

// ---- What changed meanwhile ----

/** Changes to a file, each of which must be noticed and left alone. */
static const struct meddling {
	const char *name;
	const char *why;
} meddlings[] = {
	{"chown", "its owner is now 7"},
	{"chgrp", "its group is now 7"},
	{"chmod", "its mode is now -rw-rw-rw-"},
	{"acl", "its ACL is another one now"},
	{"link", "it has 2 names now"},
	{"unlink", "it is gone"},
	{"replace", "another one has its name now"},
	{"symlink", "another one has its name now"},
	{"directory", "another one has its name now"},
};

static const char *victim;

/** Wait until what is made now is seen to be younger than what there is: file systems count in
 * ticks. */
static void next_tick(void) {
	struct timespec begin;
	struct timespec now;
	assert_int_equal(clock_gettime(CLOCK_REALTIME_COARSE, &begin), 0);
	do {
		assert_int_equal(clock_gettime(CLOCK_REALTIME_COARSE, &now), 0);
	} while (now.tv_sec == begin.tv_sec && now.tv_nsec == begin.tv_nsec);
}

static void meddle(const char *how) {
	unsigned char blob[64];
	const char *path = at(victim);
	if (strcmp(how, "chown") == 0) {
		assert_int_equal(lchown(path, 7, (gid_t)-1), 0);
	} else if (strcmp(how, "chgrp") == 0) {
		assert_int_equal(lchown(path, (uid_t)-1, 7), 0);
	} else if (strcmp(how, "chmod") == 0) {
		assert_int_equal(chmod(path, 0666), 0);
	} else if (strcmp(how, "acl") == 0) {
		size_t n = acl_blob(0604, OTHER_ID, 4, blob);
		assert_int_equal(lsetxattr(path, "system.posix_acl_access", blob, n, 0), 0);
		assert_int_equal(chmod(path, 0604), 0);
	} else if (strcmp(how, "link") == 0) {
		char other[600];
		snprintf(other, sizeof(other), "%s/other name", g.top);
		assert_int_equal(link(path, other), 0);
	} else {
		// Its number may be given away again, its time of birth must not.
		next_tick();
		assert_int_equal(unlink(path), 0);
		if (strcmp(how, "replace") == 0) {
			int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0604);
			assert_int_equal(fchown(fd, HOST_ID, HOST_ID), 0);
			close(fd);
		} else if (strcmp(how, "symlink") == 0) {
			assert_int_equal(symlink("../other name", path), 0);
		} else if (strcmp(how, "directory") == 0) {
			assert_int_equal(mkdir(path, 0604), 0);
			assert_int_equal(lchown(path, HOST_ID, HOST_ID), 0);
		}
	}
}

static void add_victim(void) {
	victim = "victim";
	int fd = open(at(victim), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fchown(fd, HOST_ID, HOST_ID), 0);
	assert_int_equal(fchmod(fd, 0604), 0);
	close(fd);
}

static const char *how_now;
static int meddle_at;

static void meddle_at_sync(int n) {
	if (n == meddle_at) {
		meddle(how_now);
	}
}

static int decide_and_meddle(void *context, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after) {
	int r = decide_owner(context, tree, path, inode, after);
	if (strcmp(path, victim) == 0 && how_now != NULL) {
		const char *how = how_now;
		how_now = NULL;
		meddle(how);
	}
	return r;
}

static char *see_victim(void) {
	struct stat st;
	return lstat(at(victim), &st) == 0 ? snapshot(at(victim)) : NULL;
}

static void assert_left_alone(const struct meddling *m, const char *meddled) {
	struct stat st;
	if (g.applied.conflicts != 1 || g.applied.nexamples != 1
		|| strcmp(g.applied.reasons[0], m->why) != 0) {
		fail_msg("%s: %llu conflicts, %s", m->name, (unsigned long long)g.applied.conflicts,
			g.applied.nexamples > 0 ? g.applied.reasons[0] : "no example");
	}
	assert_string_equal(g.applied.examples[0], at(victim));
	if (meddled != NULL) {
		assert_snapshot(at(victim), meddled);
	} else {
		assert_int_equal(lstat(at(victim), &st), -1);
	}
}

/** Meddle at the n-th sync (0: after the decision), then see that all else was done, and is undone.
 */
static void meddle_when(const struct meddling *m, int when) {
	ground_make(&g);
	ground_fill(&g, 5);
	add_victim();
	how_now = m->name;
	meddle_at = when;
	memset(&calls, 0, sizeof(calls));
	calls.at_sync = when > 0 ? meddle_at_sync : NULL;
	g.decide = when > 0 ? decide_owner : decide_and_meddle;
	assert_int_equal(ground_apply(&g), 0);
	calls.at_sync = NULL;
	br_auto(br_freep) char *meddled = see_victim();
	assert_left_alone(m, meddled);
	assert_int_equal(look("d0/f1").st_uid, BOX_ID);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.conflicts, 0);
	if (meddled != NULL) {
		assert_snapshot(at(victim), meddled);
	}
	assert_int_equal(look("d0/f1").st_uid, HOST_ID);
	ground_remove(&g);
}

static void test_meddling_before_the_announcement(void **state) {
	(void)state;
	needs_root();
	ground_remove(&g);
	for (size_t i = 0; i < sizeof(meddlings) / sizeof(*meddlings); i++) {
		meddle_when(&meddlings[i], 0);
	}
	ground_make(&g);
}

// The first sync is that of the journal's head, the second that of the batch.
static void test_meddling_after_the_announcement(void **state) {
	(void)state;
	needs_root();
	ground_remove(&g);
	for (size_t i = 0; i < sizeof(meddlings) / sizeof(*meddlings); i++) {
		meddle_when(&meddlings[i], 2);
	}
	ground_make(&g);
}

// Files have their turn before directories, so that what is said of them is not in the order in
// which they were announced.
static void meddle_with_all(int n) {
	char name[32];
	for (int i = 0; i < 8 && n == 2; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		assert_int_equal(chown(at(name), OTHER_ID, OTHER_ID), 0);
		snprintf(name, sizeof(name), "d%d/f", i);
		assert_int_equal(chown(at(name), OTHER_ID, OTHER_ID), 0);
	}
}

static void test_undo_knows_what_was_left_alone(void **state) {
	(void)state;
	needs_root();
	char name[32];
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		assert_int_equal(mkdir(at(name), 0755), 0);
		snprintf(name, sizeof(name), "d%d/f", i);
		assert_int_equal(mknod(at(name), S_IFREG | 0644, 0), 0);
	}
	calls.at_sync = meddle_with_all;
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(g.applied.conflicts, 16);
	calls.at_sync = NULL;
	// As if the run had changed them: but they came to be so by somebody else's hand.
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "d%d/f", i);
		assert_int_equal(chown(at(name), BOX_ID, BOX_ID), 0);
	}
	br_auto(br_freep) char *before = snapshot(at("d0"));
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.conflicts, 0);
	assert_int_equal(g.undone.restored, g.applied.changed);
	assert_snapshot(at("d0"), before);
}

static void test_meddling_before_undo(void **state) {
	(void)state;
	needs_root();
	ground_remove(&g);
	for (size_t i = 0; i < sizeof(meddlings) / sizeof(*meddlings); i++) {
		const struct meddling *m = &meddlings[i];
		if (strcmp(m->name, "link") == 0) {
			continue; // Another name does not make it another file.
		}
		ground_make(&g);
		add_victim();
		assert_int_equal(ground_apply(&g), 0);
		meddle(m->name);
		br_auto(br_freep) char *meddled = see_victim();
		assert_int_equal(ground_undo(&g, NULL, false), 1);
		if (g.undone.conflicts != 1 || strcmp(g.undone.reasons[0], m->why) != 0) {
			fail_msg("%s: %llu conflicts, %s", m->name,
				(unsigned long long)g.undone.conflicts, g.undone.reasons[0]);
		}
		if (meddled != NULL) {
			assert_snapshot(at(victim), meddled);
		}
		assert_int_equal(look("").st_uid, HOST_ID);
		assert_int_equal(ground_state(&g), BR_RUN_PARTLY_UNDONE);
		ground_remove(&g);
	}
	ground_make(&g);
}

static void test_root_replaced_before_undo(void **state) {
	(void)state;
	needs_root();
	ground_fill(&g, 5);
	assert_int_equal(ground_apply(&g), 0);
	char other[400];
	snprintf(other, sizeof(other), "%s/elsewhere", g.top);
	assert_int_equal(rename(g.tree, other), 0);
	assert_int_equal(mkdir(g.tree, 0755), 0);
	br_auto(br_freep) char *before = snapshot(other);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.restored, 0);
	assert_int_equal(g.undone.conflicts, g.applied.changed);
	assert_snapshot(other, before);
	// Back in its place, the rest can be undone.
	assert_int_equal(rmdir(g.tree), 0);
	assert_int_equal(rename(other, g.tree), 0);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.restored, g.applied.changed);
	assert_int_equal(ground_state(&g), BR_RUN_UNDONE);
}

// ---- Failure ----

static void test_errors_stop_the_tree(void **state) {
	(void)state;
	needs_root();
	static const int errors[] = {ENOSPC, EDQUOT, EROFS, EIO};
	ground_fill(&g, 50);
	br_auto(br_freep) char *before = snapshot(g.tree);
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		memset(&calls, 0, sizeof(calls));
		calls.chown_fails_at = 11;
		calls.error = errors[i];
		assert_int_equal(ground_apply(&g), -1);
		assert_int_equal(g.applied.changed, 10);
		assert_int_equal(g.applied.failed, 1);
		assert_int_equal(calls.chowns, 11);
		assert_non_null(strstr(g.said, strerror(errors[i])));
		assert_non_null(strstr(g.said, "10 of 100 changed / bindright undo 2"));
		assert_int_equal(ground_state(&g), BR_RUN_UNFINISHED);
		assert_int_equal(ground_undo(&g, NULL, false), 1);
		assert_int_equal(g.undone.restored, 10);
		assert_int_equal(g.undone.conflicts, 0);
		assert_snapshot(g.tree, before);
	}
}

// What was begun is put back at once: nothing stays between its two states.
static void test_half_a_change(void **state) {
	(void)state;
	needs_root();
	ground_fill(&g, 5);
	g.decide = decide_mixed;
	br_auto(br_freep) char *before = snapshot(g.tree);
	calls.chown_fails_at = 1;
	calls.error = EIO;
	assert_int_equal(ground_apply(&g), -1);
	assert_int_equal(g.applied.changed, 0);
	assert_int_equal(g.applied.failed, 1);
	assert_snapshot(g.tree, before);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.restored, 0);
	assert_snapshot(g.tree, before);
}

static void test_one_refusal_is_not_the_end(void **state) {
	(void)state;
	needs_root();
	ground_fill(&g, 50);
	br_auto(br_freep) char *before = snapshot(g.tree);
	calls.chown_fails_at = 11;
	calls.error = EPERM;
	assert_int_equal(ground_apply(&g), -1);
	assert_true(g.applied.changed > 50);
	assert_int_equal(g.applied.failed, 1);
	assert_int_equal(ground_state(&g), BR_RUN_APPLIED);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_snapshot(g.tree, before);
}

static void test_unwritable_journal(void **state) {
	(void)state;
	needs_root();
	ground_fill(&g, 50);
	br_auto(br_freep) char *before = snapshot(g.tree);
	for (int n = 1; n <= 2; n++) {
		memset(&calls, 0, sizeof(calls));
		calls.sync_fails_at = n;
		calls.error = EIO;
		assert_int_equal(ground_apply(&g), -1);
		assert_int_equal(calls.chowns, 0);
		assert_int_equal(g.applied.changed, 0);
		assert_non_null(strstr(g.said, "cannot write the journal"));
		assert_snapshot(g.tree, before);
		assert_true(ground_undo(&g, NULL, false) >= 0);
		assert_snapshot(g.tree, before);
	}
}

enum {
	DIRECTORIES = 60,
	FILES_OF_EACH = 100,
};

/** More than a batch, with directories in the first of them. */
static void fill_batches(void) {
	char name[32];
	for (int d = 0; d < DIRECTORIES; d++) {
		snprintf(name, sizeof(name), "d%d", d);
		assert_int_equal(mkdir(at(name), 0700), 0);
		for (int i = 0; i < FILES_OF_EACH; i++) {
			snprintf(name, sizeof(name), "d%d/%d", d, i);
			int fd = open(at(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
			assert_int_equal(fchown(fd, HOST_ID, HOST_ID), 0);
			close(fd);
		}
		snprintf(name, sizeof(name), "d%d", d);
		assert_int_equal(chown(at(name), HOST_ID, HOST_ID), 0);
	}
}

/** The files of the first batch had begun; its directories, whose turn comes when the next one is
 * announced, had not. */
static void assert_only_files(void) {
	char name[32];
	for (int d = 0; d < DIRECTORIES; d++) {
		snprintf(name, sizeof(name), "d%d", d);
		assert_int_equal(look(name).st_uid, HOST_ID);
	}
}

static int fail_after;

static int decide_and_fail(void *context, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after) {
	return --fail_after == 0 ? -1 : decide_owner(context, tree, path, inode, after);
}

// With an error in the walk, or in the announcement of what it found, nothing more of the batch
// before is begun either.
static void test_an_error_in_the_next_batch(void **state) {
	(void)state;
	needs_root();
	fill_batches();
	br_auto(br_freep) char *before = snapshot(g.tree);
	for (int i = 0; i < 4; i++) {
		bool walk = i >= 2;
		memset(&calls, 0, sizeof(calls));
		g.threads = i % 2 == 0 ? 1 : 4;
		g.decide = walk ? decide_and_fail : decide_owner;
		fail_after = walk ? 5000 : 0;
		calls.sync_fails_at = walk ? 0 : 3;
		calls.error = EIO;
		assert_int_equal(ground_apply(&g), -1);
		assert_non_null(strstr(g.said, walk ? "memory" : "cannot write the journal"));
		assert_only_files();
		assert_int_equal(ground_state(&g), BR_RUN_UNFINISHED);
		assert_int_equal(ground_undo(&g, NULL, false), 1);
		assert_int_equal(g.undone.restored, g.applied.changed);
		assert_snapshot(g.tree, before);
	}
}

static int stop_after;

static int decide_and_stop(void *context, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after) {
	if (--stop_after == 0) {
		g.stop = 1;
	}
	return decide_owner(context, tree, path, inode, after);
}

static void stop_at_sync(int n) {
	g.stop = n == 2;
}

// A batch is announced, and not begun: that stands in nobody's way.
static void test_stop_before_the_first(void **state) {
	(void)state;
	needs_root();
	ground_fill(&g, 50);
	g.use_stop = true;
	br_auto(br_freep) char *before = snapshot(g.tree);
	calls.at_sync = stop_at_sync;
	assert_int_equal(ground_apply(&g), -1);
	assert_true(g.applied.interrupted);
	assert_int_equal(g.applied.changed, 0);
	assert_int_equal(ground_state(&g), BR_RUN_UNFINISHED);
	assert_snapshot(g.tree, before);
	calls.at_sync = NULL;
	g.stop = 0;
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_snapshot(g.tree, before);
	assert_int_equal(ground_undo(&g, NULL, false), 0);
}

static void test_stop(void **state) {
	(void)state;
	needs_root();
	ground_fill(&g, 50);
	g.use_stop = true;
	br_auto(br_freep) char *before = snapshot(g.tree);
	stop_after = 20;
	g.decide = decide_and_stop;
	assert_int_equal(ground_apply(&g), -1);
	assert_true(g.applied.interrupted);
	assert_snapshot(g.tree, before);
	assert_non_null(strstr(g.said, "interrupted: 0 of 100 changed"));
	g.stop = 0;
	g.decide = decide_owner;
	calls.chowns = 0;
	calls.stop_at_chown = 7;
	assert_int_equal(ground_apply(&g), -1);
	assert_true(g.applied.interrupted);
	assert_int_equal(g.applied.changed, 7);
	assert_int_equal(ground_state(&g), BR_RUN_UNFINISHED);
	calls.stop_at_chown = 0;
	g.stop = 0;
	// Nothing new before that is put back.
	char id[BR_RUN_ID];
	strcpy(id, g.applied.id);
	assert_int_equal(ground_apply(&g), -1);
	assert_non_null(strstr(g.said, id));
	assert_non_null(strstr(g.said, "bindright undo 2"));
	assert_string_equal(g.applied.id, "");
	g.stop = 1;
	assert_int_equal(ground_undo(&g, NULL, false), -1);
	assert_true(g.undone.interrupted);
	assert_int_equal(ground_state(&g), BR_RUN_PARTLY_UNDONE);
	g.stop = 0;
	assert_int_equal(ground_apply(&g), -1);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_snapshot(g.tree, before);
	assert_int_equal(ground_apply(&g), 0);
}

// ---- Several runs ----

static int decide_further(void *context, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after) {
	(void)context;
	(void)tree;
	(void)path;
	*after = *inode;
	after->gid.v = OTHER_ID;
	after->caps = NULL;
	after->mode &= S_ISDIR(inode->mode) ? ~0U : ~(uint32_t)(S_ISUID | S_ISGID);
	return 1;
}

static void test_newest_first(void **state) {
	(void)state;
	needs_root();
	char first[BR_RUN_ID];
	char second[BR_RUN_ID];
	ground_fill(&g, 10);
	br_auto(br_freep) char *before = snapshot(g.tree);
	assert_int_equal(ground_apply(&g), 0);
	strcpy(first, g.applied.id);
	g.decide = decide_further;
	assert_int_equal(ground_apply(&g), 0);
	strcpy(second, g.applied.id);
	assert_true(strcmp(first, second) < 0);
	assert_int_equal(ground_undo(&g, first, false), -1);
	assert_non_null(strstr(g.said, second));
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_string_equal(g.run.id, second);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_string_equal(g.run.id, first);
	assert_snapshot(g.tree, before);
}

static void test_places_apart(void **state) {
	(void)state;
	needs_root();
	char first[BR_RUN_ID];
	ground_fill(&g, 30);
	br_auto(br_freep) char *before = snapshot(g.tree);
	char whole[sizeof(g.tree)];
	snprintf(whole, sizeof(whole), "%s", g.tree);
	assert_true(snprintf(g.tree, sizeof(g.tree), "%s/d1", whole) > 0);
	assert_int_equal(ground_apply(&g), 0);
	strcpy(first, g.applied.id);
	assert_true(snprintf(g.tree, sizeof(g.tree), "%s/d2", whole) > 0);
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(ground_undo(&g, first, false), 1);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_snapshot(whole, before);
}

/** What another process gets to hear when it fixes, or undoes, in this place while we are at work. */
static const char *other_place;
static bool other_undoes;
static int other_status;

static void other_at_work(int n) {
	int status;
	if (n != 2) {
		return;
	}
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		memset(&calls, 0, sizeof(calls));
		snprintf(g.tree, sizeof(g.tree), "%s", other_place);
		int r = other_undoes ? ground_undo(&g, NULL, false) : ground_apply(&g);
		bool refused = strstr(g.said, "another fix or undo is running in '") != NULL;
		_exit(r < 0 ? (refused ? 2 : 3) : r);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	other_status = WEXITSTATUS(status);
}

/** A fix in `mine`, and in its midst another one in `theirs`. */
static int both(const char *mine, const char *theirs) {
	snprintf(g.tree, sizeof(g.tree), "%s", mine);
	other_place = theirs;
	other_undoes = false;
	memset(&calls, 0, sizeof(calls));
	calls.at_sync = other_at_work;
	assert_int_equal(ground_apply(&g), 0);
	calls.at_sync = NULL;
	return other_status;
}

static void test_one_at_a_time_in_one_place(void **state) {
	(void)state;
	needs_root();
#ifdef __SANITIZE_THREAD__
	// Its library does not follow a child that starts threads.
	return;
#endif
	static char whole[sizeof(g.tree)];
	static char first[sizeof(g.tree) + 8];
	static char second[sizeof(g.tree) + 8];
	ground_fill(&g, 30);
	snprintf(whole, sizeof(whole), "%s", g.tree);
	snprintf(first, sizeof(first), "%s/d1", whole);
	snprintf(second, sizeof(second), "%s/d2", whole);
	br_auto(br_freep) char *before = snapshot(whole);
	// One beside the other; the same; what contains it; what it contains.
	assert_int_equal(both(first, second), 0);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_snapshot(whole, before);
	assert_int_equal(both(first, first), 2);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(both(first, whole), 2);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(both(whole, first), 2);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_snapshot(whole, before);
	snprintf(g.tree, sizeof(g.tree), "%s", whole);
}

// It undoes what is finished, not what somebody is about to do; and not right there.
static void test_undo_beside_a_fix(void **state) {
	(void)state;
	needs_root();
	char whole[sizeof(g.tree)];
	ground_fill(&g, 30);
	br_auto(br_freep) char *before = snapshot(g.tree);
	snprintf(whole, sizeof(whole), "%s", g.tree);
	other_place = whole;
	other_undoes = true;
	calls.at_sync = other_at_work;
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(other_status, 0);
	assert_true(snprintf(g.tree, sizeof(g.tree), "%s/d1", whole) > 0);
	g.decide = decide_acl;
	calls.syncs = 0;
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(other_status, 2);
	calls.at_sync = NULL;
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_snapshot(whole, before);
}

static volatile sig_atomic_t locked;

static void unlock(int signal_number) {
	(void)signal_number;
	(void)flock(locked, LOCK_UN);
	locked = -1;
}

static void test_locked(void **state) {
	(void)state;
	needs_root();
	char path[400];
	ground_fill(&g, 5);
	assert_int_equal(ground_apply(&g), 0);
	snprintf(path, sizeof(path), "%s/lock", g.state);
	br_auto(br_closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(ground_undo(&g, NULL, false), -1);
	assert_non_null(strstr(g.said, "another fix or undo is about to begin"));
	assert_int_equal(ground_undo(&g, NULL, true), 1);
	// It is waited for, so one that goes in time is no obstacle. A signal comes in time
	// whatever else runs here.
	const struct itimerval soon = {.it_value = {.tv_usec = 50000}};
	const struct sigaction on = {.sa_handler = unlock};
	const struct sigaction off = {.sa_handler = SIG_DFL};
	locked = fd;
	assert_int_equal(sigaction(SIGALRM, &on, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(locked, -1);
	assert_int_equal(sigaction(SIGALRM, &off, NULL), 0);
}

// What cannot be put back does not hide the runs before it.
static void test_conflict_and_the_run_before(void **state) {
	(void)state;
	needs_root();
	char first[BR_RUN_ID];
	char second[BR_RUN_ID];
	ground_fill(&g, 5);
	br_auto(br_freep) char *before = snapshot(g.tree);
	assert_int_equal(ground_apply(&g), 0);
	strcpy(first, g.applied.id);
	g.decide = decide_further;
	assert_int_equal(ground_apply(&g), 0);
	strcpy(second, g.applied.id);
	assert_int_equal(chmod(at("d0/f1"), 0666), 0);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_string_equal(g.run.id, second);
	assert_int_equal(g.undone.conflicts, 1);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_string_equal(g.run.id, first);
	assert_int_equal(g.undone.conflicts, 1);
	// Nothing else is left: so the newer one again, where its file is as it left it.
	assert_int_equal(chmod(at("d0/f1"), 0644), 0);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_string_equal(g.run.id, second);
	assert_int_equal(g.undone.restored, 1);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_string_equal(g.run.id, first);
	assert_snapshot(g.tree, before);
	assert_int_equal(ground_undo(&g, NULL, false), 0);
}

static void test_prune(void **state) {
	(void)state;
	needs_root();
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_state_dir dir = {.path = g.state};
	ground_fill(&g, 5);
	assert_int_equal(ground_apply(&g), 0);
	g.decide = decide_further;
	memset(&calls, 0, sizeof(calls));
	calls.chown_fails_at = 4;
	calls.error = EIO;
	assert_int_equal(ground_apply(&g), -1);
	assert_int_equal(br_history_prune(&dir, 3600, dx), 0);
	assert_int_equal(br_history_prune(&dir, -10, dx), 1);
	assert_int_equal(ground_state(&g), BR_RUN_UNFINISHED);
	assert_int_equal(br_history_prune(&dir, -10, dx), 0);
	br_diags_free(dx);
	br_places_free(places);
}

// ---- Directories ----

static struct br_inode made_state(unsigned mode) {
	return (struct br_inode){.mode = S_IFDIR | mode, .uid = {BOX_ID}, .gid = {OTHER_ID}};
}

static void test_makes(void **state) {
	(void)state;
	needs_root();
	unsigned char blob[64];
	ground_fill(&g, 5);
	// What a new directory would inherit must not show.
	size_t n = acl_blob(0777, OTHER_ID, 7, blob);
	assert_int_equal(lsetxattr(at("setgid dir"), "system.posix_acl_default", blob, n, 0), 0);
	struct br_make makes[] = {
		{.below = "new", .after = made_state(0755)},
		{.below = "new/er", .after = made_state(02750)},
		{.below = "new/est", .after = made_state(01777)},
		{.below = "setgid dir/x", .after = made_state(0700)},
	};
	g.makes = makes;
	g.nmakes = 4;
	g.decide = NULL;
	br_auto(br_freep) char *before = snapshot(g.tree);
	assert_int_equal(ground_apply(&g), 0);
	assert_int_equal(g.applied.made, 4);
	static const struct {
		const char *name;
		unsigned mode;
	} want[] = {{"new", 0755}, {"new/er", 02750}, {"new/est", 01777}, {"setgid dir/x", 0700}};
	for (size_t i = 0; i < 4; i++) {
		struct stat st = look(want[i].name);
		assert_int_equal(st.st_mode, S_IFDIR | want[i].mode);
		assert_int_equal(st.st_uid, BOX_ID);
		assert_int_equal(st.st_gid, OTHER_ID);
		assert_int_equal(
			lgetxattr(at(want[i].name), "system.posix_acl_default", NULL, 0), -1);
		assert_int_equal(
			lgetxattr(at(want[i].name), "system.posix_acl_access", NULL, 0), -1);
	}
	assert_int_equal(ground_undo(&g, NULL, true), 1);
	assert_int_equal(g.undone.removed, 4);
	assert_int_equal(g.undone.conflicts, 0);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.removed, 4);
	assert_snapshot(g.tree, before);
}

static void test_made_and_used(void **state) {
	(void)state;
	needs_root();
	struct br_make makes[] = {
		{.below = "new", .after = made_state(0755)},
		{.below = "new/er", .after = made_state(0755)},
		{.below = "replaced", .after = made_state(0755)},
	};
	g.makes = makes;
	g.nmakes = 3;
	g.decide = NULL;
	assert_int_equal(ground_apply(&g), 0);
	int fd = open(at("new/er/data"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(rename(at("replaced"), g.state), -1);
	char moved[400];
	snprintf(moved, sizeof(moved), "%s/moved", g.top);
	assert_int_equal(rename(at("replaced"), moved), 0);
	assert_int_equal(mkdir(at("replaced"), 0755), 0);
	assert_int_equal(ground_undo(&g, NULL, true), 1);
	assert_int_equal(g.undone.conflicts, 3);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.removed, 0);
	assert_int_equal(g.undone.conflicts, 3);
	assert_string_equal(g.undone.reasons[0], "another one has its name now");
	assert_string_equal(g.undone.reasons[1], "it is not empty");
	assert_true(S_ISDIR(look("replaced").st_mode));
}

static void test_made_by_another(void **state) {
	(void)state;
	needs_root();
	struct br_make makes[] = {{.below = "there", .after = made_state(0755)}};
	g.makes = makes;
	g.nmakes = 1;
	assert_int_equal(mkdir(at("there"), 0711), 0);
	br_auto(br_freep) char *before = snapshot(g.tree);
	assert_int_equal(ground_apply(&g), -1);
	assert_non_null(strstr(g.said, "somebody else made it"));
	assert_snapshot(g.tree, before);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_snapshot(g.tree, before);
}

// ---- A plain user ----

static void as_user(void) {
	if (setresgid(HOST_ID, HOST_ID, HOST_ID) != 0
		|| setresuid(HOST_ID, HOST_ID, HOST_ID) != 0) {
		_exit(2);
	}
}

static int decide_own(void *context, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after) {
	return inode->uid.v == HOST_ID ? decide_acl(context, tree, path, inode, after) : 0;
}

static void test_plain_user(void **state) {
	(void)state;
	needs_root();
	// As root it would be root's; and files of others lie in it.
	ground_fill(&g, 30);
	assert_int_equal(mkdir(g.state, 0700), 0);
	assert_int_equal(chown(g.state, HOST_ID, HOST_ID), 0);
	assert_int_equal(chown(at("sticky"), HOST_ID, HOST_ID), 0);
	br_auto(br_freep) char *before = snapshot(g.tree);
	g.decide = decide_own;
	for (int phase = 0; phase < 2; phase++) {
		pid_t pid = fork();
		if (pid == 0) {
			as_user();
			// The setgid directory of a foreign group would lose that bit for good.
			bool well = phase == 0 ? ground_apply(&g) == -1 && g.applied.changed > 30
					&& g.applied.conflicts == 0 && g.applied.failed == 1
					       : ground_undo(&g, NULL, false) == 1
					&& g.undone.restored > 30 && g.undone.conflicts == 0;
			if (!well) {
				(void)fprintf(stderr, "phase %d: %s\n", phase, g.said);
			}
			_exit(!well);
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		if (phase == 0) {
			assert_int_equal(look("d0/f1").st_mode & 0777, 0674);
			assert_int_equal(look("setgid dir").st_mode & 07777, 02770);
		}
	}
	assert_snapshot(g.tree, before);
}

// ---- Where journals lie ----

static void refused_because(const char *why) {
	memset(&calls, 0, sizeof(calls));
	assert_int_equal(ground_apply(&g), -1);
	if (strstr(g.said, why) == NULL) {
		fail_msg("not because of '%s': %s", why, g.said);
	}
	assert_int_equal(calls.chowns, 0);
}

static void test_untrusted_places(void **state) {
	(void)state;
	needs_root();
	unsigned char blob[64];
	char path[400];
	ground_fill(&g, 5);
	assert_int_equal(mkdir(g.state, 0700), 0);
	assert_int_equal(chmod(g.top, 0777), 0);
	refused_because("can be written by others");
	assert_int_equal(chmod(g.top, 0755), 0);
	assert_int_equal(chown(g.top, OTHER_ID, 0), 0);
	refused_because("belongs to somebody else");
	assert_int_equal(chown(g.top, 0, 0), 0);
	assert_int_equal(chmod(g.state, 0770), 0);
	refused_because("can be written by others");
	assert_int_equal(chmod(g.state, 0700), 0);
	assert_int_equal(chown(g.state, OTHER_ID, 0), 0);
	refused_because("belongs to somebody else");
	assert_int_equal(chown(g.state, 0, 0), 0);
	size_t n = acl_blob(0700, OTHER_ID, 0, blob);
	assert_int_equal(setxattr(g.state, "system.posix_acl_access", blob, n, 0), 0);
	refused_because("has an ACL");
	assert_int_equal(rmdir(g.state), 0);
	snprintf(path, sizeof(path), "%s/real", g.top);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(symlink(path, g.state), 0);
	assert_int_equal(ground_apply(&g), -1);
	assert_int_equal(unlink(g.state), 0);
	assert_int_equal(ground_apply(&g), 0);
}

static void test_untrusted_journal(void **state) {
	(void)state;
	needs_root();
	char path[500];
	char other[500];
	ground_fill(&g, 5);
	assert_int_equal(ground_apply(&g), 0);
	br_auto(br_freep) char *before = snapshot(g.tree);
	snprintf(path, sizeof(path), "%s/runs/%s/journal", g.state, g.applied.id);
	snprintf(other, sizeof(other), "%s/copy", g.top);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(ground_undo(&g, NULL, false), -1);
	assert_non_null(strstr(g.said, "open to others"));
	assert_int_equal(ground_state(&g), BR_RUN_DAMAGED);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(chown(path, OTHER_ID, 0), 0);
	assert_int_equal(ground_undo(&g, NULL, false), -1);
	assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(link(path, other), 0);
	assert_int_equal(ground_undo(&g, NULL, false), -1);
	assert_non_null(strstr(g.said, "several names"));
	assert_int_equal(unlink(other), 0);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(ground_undo(&g, NULL, false), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(other, path), 0);
	// Damage in the middle.
	br_auto(br_closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	char byte;
	assert_int_equal(pread(fd, &byte, 1, 700), 1);
	byte ^= 4;
	assert_int_equal(pwrite(fd, &byte, 1, 700), 1);
	assert_int_equal(ground_undo(&g, NULL, false), -1);
	assert_non_null(strstr(g.said, "damaged"));
	assert_snapshot(g.tree, before);
	byte ^= 4;
	assert_int_equal(pwrite(fd, &byte, 1, 700), 1);
	assert_int_equal(ground_undo(&g, NULL, false), 1);
	assert_int_equal(g.undone.restored, g.applied.changed);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

// The same where what was seen before is gone through.

static int setup_recalling(void **state) {
	assert_int_equal(setenv("BR_RECALL", "1", 1), 0);
	return setup(state);
}

static int teardown_recalling(void **state) {
	if (geteuid() == 0 && g.recalled == 0 && ground_can_recall(&g)) {
		print_error("nothing was recalled\n");
		return -1;
	}
	assert_int_equal(unsetenv("BR_RECALL"), 0);
	return teardown(state);
}

#define AGAIN(f) \
	{ #f ", recalling", f, setup_recalling, teardown_recalling, NULL }

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(test_owner),
		TEST(test_acl),
		TEST(test_mixed),
		TEST(test_is_what_was_decided),
		TEST(test_nothing_to_do),
		TEST(test_single_file),
		TEST(test_order),
		TEST(test_order_of_threads),
		TEST(test_pick),
		TEST(test_threads),
		TEST(test_errors_stop_the_threads),
		TEST(test_deep),
		TEST(test_more_than_a_batch),
		TEST(test_names_in_two_batches),
		TEST(test_undo_twice_by_id),
		TEST(test_meddling_before_the_announcement),
		TEST(test_meddling_after_the_announcement),
		TEST(test_undo_knows_what_was_left_alone),
		TEST(test_meddling_before_undo),
		TEST(test_root_replaced_before_undo),
		TEST(test_errors_stop_the_tree),
		TEST(test_half_a_change),
		TEST(test_one_refusal_is_not_the_end),
		TEST(test_unwritable_journal),
		TEST(test_an_error_in_the_next_batch),
		TEST(test_stop),
		TEST(test_stop_before_the_first),
		TEST(test_newest_first),
		TEST(test_places_apart),
		TEST(test_locked),
		TEST(test_one_at_a_time_in_one_place),
		TEST(test_undo_beside_a_fix),
		TEST(test_conflict_and_the_run_before),
		TEST(test_prune),
		TEST(test_makes),
		TEST(test_made_and_used),
		TEST(test_made_by_another),
		TEST(test_plain_user),
		TEST(test_untrusted_places),
		TEST(test_untrusted_journal),
		AGAIN(test_owner),
		AGAIN(test_acl),
		AGAIN(test_mixed),
		AGAIN(test_is_what_was_decided),
		AGAIN(test_order),
		AGAIN(test_order_of_threads),
		AGAIN(test_threads),
		AGAIN(test_errors_stop_the_threads),
		AGAIN(test_more_than_a_batch),
		AGAIN(test_errors_stop_the_tree),
		AGAIN(test_half_a_change),
		AGAIN(test_one_refusal_is_not_the_end),
		AGAIN(test_stop),
		AGAIN(test_conflict_and_the_run_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
