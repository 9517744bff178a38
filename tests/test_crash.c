// Killed anywhere, attacked on the way, out of memory: undo puts back everything, and nothing outside of the tree is ever touched.

#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <support/applied.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct ground g;
static uint32_t seed = 1;

static uint32_t pick(uint32_t n) {
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void needs_root(void) {
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
}

static struct br_make makes[] = {
	{.below = "new", .after = {.mode = S_IFDIR | 02755, .uid = {BOX_ID}, .gid = {OTHER_ID}}},
	{.below = "new/er", .after = {.mode = S_IFDIR | 0700, .uid = {BOX_ID}, .gid = {BOX_ID}}},
};

/** Where syncing costs nothing, if there is such a place: a kill is not a power cut. */
static void make_ground(bool in_memory, int n) {
	br_auto(br_freep) char *old = NULL;
	const char *tmp = getenv("TMPDIR");
	if (tmp != NULL) {
		old = strdup(tmp);
	}
	if (in_memory && access("/dev/shm", W_OK) == 0) {
		assert_int_equal(setenv("TMPDIR", "/dev/shm", 1), 0);
	}
	ground_make(&g);
	if (old != NULL) {
		assert_int_equal(setenv("TMPDIR", old, 1), 0);
	} else {
		assert_int_equal(unsetenv("TMPDIR"), 0);
	}
	if (n >= 0) {
		ground_fill(&g, n);
	}
	g.decide = decide_mixed;
	g.makes = makes;
	g.nmakes = 2;
}

// ---- Kills ----

static void work(bool undo) {
	if (undo) {
		_exit(ground_undo(&g, NULL, false) < 0);
	}
	_exit(ground_apply(&g) < 0);
}

/**
 * Run it and kill it when its main thread has begun or ended so many system calls (0: never). How many there were; -1 where tracing is not allowed. *whole: it came to its
 * end.
 */
static long run_until(bool undo, long n, bool *whole) {
	long stops = 0;
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0) {
			_exit(99);
		}
		(void)raise(SIGSTOP);
		work(undo);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status)) {
		return -1;
	}
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_EXITKILL), 0);
	*whole = false;
	while (n == 0 || stops < n) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			*whole = true;
			return stops;
		}
		stops++;
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return stops;
}

static void forget(void) {
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_state_dir dir = {.path = g.state};
	assert_true(br_history_prune(&dir, -10, dx) >= 0);
	br_diags_free(dx);
	br_places_free(places);
	br_arena_release(&g.arena);
}

static void undo_wholly(const char *before) {
	int r = ground_undo(&g, NULL, false);
	if (r < 0 || g.undone.conflicts > 0 || g.undone.failed > 0) {
		fail_msg("undo: %d, %llu conflicts (%s: %s), %s", r,
			(unsigned long long)g.undone.conflicts,
			g.undone.nexamples > 0 ? g.undone.examples[0] : "",
			g.undone.nexamples > 0 ? g.undone.reasons[0] : "", g.said);
	}
	assert_snapshot(g.tree, before);
	forget();
}

static void kill_often(bool in_memory, int rounds) {
	bool whole;
	int killed = 0;
	needs_root();
	make_ground(in_memory, 12);
	br_auto(br_freep) char *before = snapshot(g.tree);
	long n = run_until(false, 0, &whole);
	if (n < 0) {
		ground_remove(&g);
		print_message("needs ptrace\n");
		skip();
	}
	long m = run_until(true, 0, &whole);
	assert_snapshot(g.tree, before);
	for (int i = 0; i < rounds; i++) {
		(void)run_until(false, 1 + pick((uint32_t)n), &whole);
		killed += !whole;
		for (uint32_t k = pick(3); k > 0; k--) {
			(void)run_until(true, 1 + pick((uint32_t)m), &whole);
			killed += !whole;
		}
		undo_wholly(before);
	}
	print_message("%ld and %ld stops, %d kills\n", n, m, killed);
	assert_true(killed > rounds / 2);
	ground_remove(&g);
}

static void test_killed(void **state) {
	(void)state;
	kill_often(true, 250);
}

// Every place in turn, on the few inodes that change most.
static void test_killed_everywhere(void **state) {
	(void)state;
	unsigned char blob[64];
	char path[900];
	bool whole = false;
	needs_root();
	make_ground(true, -1);
	g.nmakes = 1;
	(void)snprintf(path, sizeof(path), "%s/dir", g.tree);
	assert_int_equal(mkdir(path, 0), 0);
	assert_int_equal(chown(path, HOST_ID, HOST_ID), 0);
	assert_int_equal(chmod(path, 03757), 0);
	size_t n = acl_blob(0707, OTHER_ID, 7, blob);
	assert_int_equal(setxattr(path, "system.posix_acl_access", blob, n, 0), 0);
	br_auto(br_freep) char *before = snapshot(g.tree);
	if (run_until(false, 0, &whole) < 0) {
		ground_remove(&g);
		print_message("needs ptrace\n");
		skip();
	}
	undo_wholly(before);
	long at;
	for (at = 1, whole = false; !whole; at++) {
		(void)run_until(false, at, &whole);
		undo_wholly(before);
	}
	long undo_at;
	for (undo_at = 1, whole = false; !whole; undo_at++) {
		bool done;
		(void)run_until(false, 0, &done);
		(void)run_until(true, undo_at, &whole);
		undo_wholly(before);
	}
	print_message("%ld and %ld places\n", at - 1, undo_at - 1);
	ground_remove(&g);
}

static void test_killed_on_disk(void **state) {
	(void)state;
	kill_often(false, 25);
}

/** Run it and kill it after so many microseconds. False: it came to its end before. */
static bool kill_after(bool undo, long us) {
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		work(undo);
	}
	const struct timespec wait = {us / 1000000, us % 1000000 * 1000};
	(void)nanosleep(&wait, NULL);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return !WIFEXITED(status);
}

// So many files that several threads are killed in the midst of theirs.
static void test_killed_threads(void **state) {
	(void)state;
	int killed = 0;
	needs_root();
	make_ground(true, 1200);
	g.threads = 3;
	br_auto(br_freep) char *before = snapshot(g.tree);
	for (int i = 0; i < 40; i++) {
		killed += kill_after(false, 1000 + (long)pick(60000));
		if (pick(2) > 0) {
			killed += kill_after(true, 1000 + (long)pick(40000));
		}
		undo_wholly(before);
	}
	print_message("%d kills\n", killed);
	assert_true(killed > 5);
	ground_remove(&g);
}

// ---- Attacks ----

static char outside[500];

static void add(const char *dir, const char *name, uid_t owner) {
	char path[900];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0640);
	if (fd < 0 || fchown(fd, owner, owner) < 0) {
		_exit(3);
	}
	close(fd);
}

static void at_tree(char out[900], const char *name) {
	snprintf(out, 900, "%s/%s", g.tree, name);
}

/** A directory of the tree and a link that leads out of it take each other's place. */
static void attack_by_symlink(void) {
	char a[900];
	char b[900];
	at_tree(a, "swapped");
	at_tree(b, "link");
	for (;;) {
		(void)renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
	}
}

/** A file of the tree is replaced by another name of a file outside, and comes back. */
static void attack_by_link(void) {
	char a[900];
	char b[900];
	char victim[900];
	at_tree(a, "swapped/f3");
	at_tree(b, "planted");
	snprintf(victim, sizeof(victim), "%s/others", outside);
	for (;;) {
		(void)unlink(b);
		if (link(victim, b) < 0) {
			continue;
		}
		(void)rename(b, a);
		(void)unlink(a);
		add(g.tree, "swapped/f3", HOST_ID);
	}
}

/** The whole directory moves out of the tree and back. */
static void attack_by_move(void) {
	char a[900];
	char b[900];
	at_tree(a, "swapped");
	snprintf(b, sizeof(b), "%s/away", g.top);
	for (;;) {
		(void)rename(a, b);
		if (symlink(outside, a) == 0) {
			(void)unlink(a);
		}
		(void)rename(b, a);
	}
}

static int64_t now_ms(void) {
	struct timespec now;
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void fill_arena_of_combat(void) {
	char path[900];
	char name[32];
	snprintf(outside, sizeof(outside), "%s/outside", g.top);
	assert_int_equal(mkdir(outside, 0755), 0);
	at_tree(path, "swapped");
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(chown(path, HOST_ID, HOST_ID), 0);
	// The same names and owners inside and outside: only the way tells them apart.
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		add(path, name, HOST_ID);
		add(outside, name, HOST_ID);
	}
	add(outside, "others", OTHER_ID);
	at_tree(path, "link");
	assert_int_equal(symlink(outside, path), 0);
}

/** What is outside, but the number of names that its files have. */
static char *see_outside(void) {
	struct br_buf out = {0};
	char path[900];
	struct stat st;
	for (int i = -1; i < 40; i++) {
		snprintf(path, sizeof(path), i < 0 ? "%s/others" : "%s/f%d", outside, i);
		assert_int_equal(lstat(path, &st), 0);
		br_buf_addf(&out, "%s %o %u:%u\n", path, st.st_mode, st.st_uid, st.st_gid);
	}
	assert_int_equal(lstat(outside, &st), 0);
	br_buf_addf(&out, "%o %u:%u\n", st.st_mode, st.st_uid, st.st_gid);
	return br_buf_take(&out);
}

static void under_attack(void (*attack)(void)) {
	uint64_t changed = 0;
	uint64_t conflicts = 0;
	needs_root();
	make_ground(true, 30);
	g.decide = decide_owner;
	g.nmakes = 0;
	fill_arena_of_combat();
	br_auto(br_freep) char *before = see_outside();
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		attack();
	}
	for (int64_t end = now_ms() + 1500; now_ms() < end;) {
		(void)ground_apply(&g);
		changed += g.applied.changed;
		conflicts += g.applied.conflicts;
		(void)ground_undo(&g, NULL, false);
		conflicts += g.undone.conflicts;
		br_auto(br_freep) char *after = see_outside();
		assert_string_equal(before, after);
		forget();
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	print_message("%llu changes, %llu conflicts\n", (unsigned long long)changed,
		(unsigned long long)conflicts);
	assert_true(changed > 100);
	assert_true(conflicts > 0);
	ground_remove(&g);
}

static void test_symlink_attack(void **state) {
	(void)state;
	under_attack(attack_by_symlink);
}

static void test_link_attack(void **state) {
	(void)state;
	under_attack(attack_by_link);
}

static void test_move_attack(void **state) {
	(void)state;
	under_attack(attack_by_move);
}

// ---- No memory ----

static void test_no_memory(void **state) {
	(void)state;
	needs_root();
	make_ground(true, 3);
	g.nmakes = 1;
	br_auto(br_freep) char *before = snapshot(g.tree);
	for (int undo = 0; undo <= 1; undo++) {
		unsigned n = 0;
		bool hit;
		do {
			g.fault_at = undo ? 0 : ++n;
			int r = ground_apply(&g);
			hit = g.fault_hit;
			assert_true(r == 0 || (hit && g.said[0] != '\0'));
			if (undo) {
				g.fault_at = ++n;
				r = ground_undo(&g, NULL, false);
				hit = g.fault_hit;
				assert_true(r > 0 || (hit && g.said[0] != '\0'));
			}
			g.fault_at = 0;
			undo_wholly(before);
		} while (hit);
		print_message("%u allocations\n", n);
		assert_true(n > 20);
	}
	ground_remove(&g);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_killed_everywhere),
		cmocka_unit_test(test_killed_on_disk),
		cmocka_unit_test(test_killed_threads),
		cmocka_unit_test(test_symlink_attack),
		cmocka_unit_test(test_link_attack),
		cmocka_unit_test(test_move_attack),
		cmocka_unit_test(test_no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
