// Attacked on the way by somebody who owns the tree: nothing outside of it is ever touched, while
// tools that trust a path are led astray.
//
// BR_ATTACK_SECONDS: how long each attack goes on. BR_ATTACK_ON: a directory on the file system
// where (else in memory). BR_JAIL: see jail_wanted().

#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <support/applied.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	/** So much has to be changed under attack. */
	ENOUGH = 100,
	/** For what comes about by chance, sooner or later. */
	PATIENCE_MS = 60000,
};

static struct ground g;

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

/** Shared with the attacker. */
static struct combat {
	/** He alone knows where the victim is: it belongs to somebody else than it did. */
	atomic_long escapes;
	/** He is to wait, and does. */
	atomic_bool truce, waits;
} * shared;

static atomic_long *escapes(void) {
	return &shared->escapes;
}

/** The attacker's, between two rounds. */
static void keep_truce(void) {
	while (atomic_load(&shared->truce)) {
		atomic_store(&shared->waits, true);
		(void)sched_yield();
	}
	atomic_store(&shared->waits, false);
}

static void make_truce(void) {
	atomic_store(&shared->truce, true);
	while (!atomic_load(&shared->waits)) {
		(void)sched_yield();
	}
}

/** decide_owner, but from the first decision on there is war again. */
static int decide_and_fight(void *context, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after) {
	atomic_store(&shared->truce, false);
	return decide_owner(context, tree, path, inode, after);
}

static void note_escape(const char *path) {
	struct stat st;
	if (lstat(path, &st) == 0 && st.st_uid != OTHER_ID) {
		atomic_fetch_add(escapes(), 1);
	}
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
	for (;; keep_truce()) {
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
	for (;; keep_truce()) {
		(void)unlink(b);
		if (link(victim, b) < 0) {
			continue;
		}
		(void)rename(b, a);
		note_escape(victim);
		(void)unlink(a);
		add(g.tree, "swapped/f3", HOST_ID);
	}
}

/** The same, of a file that somebody replaces from time to time, so that what was planted has one
 * name only. */
static void attack_by_rotation(void) {
	char a[900];
	char victim[900];
	char fresh[900];
	at_tree(a, "swapped/f5");
	snprintf(victim, sizeof(victim), "%s/rotated", outside);
	snprintf(fresh, sizeof(fresh), "%s/fresh", outside);
	for (;; keep_truce()) {
		(void)unlink(a);
		if (link(victim, a) < 0) {
			continue;
		}
		add(outside, "fresh", OTHER_ID);
		(void)rename(fresh, victim);
		note_escape(a);
		(void)unlink(a);
		add(g.tree, "swapped/f5", HOST_ID);
	}
}

/** A directory moves out of the tree and back, and a file of somebody else moves in and out. */
static void attack_by_move(void) {
	char a[900];
	char b[900];
	char mine[900];
	char theirs[900];
	at_tree(a, "swapped");
	snprintf(b, sizeof(b), "%s/away", g.top);
	at_tree(mine, "moved");
	snprintf(theirs, sizeof(theirs), "%s/others", outside);
	for (;; keep_truce()) {
		(void)renameat2(AT_FDCWD, mine, AT_FDCWD, theirs, RENAME_EXCHANGE);
		(void)rename(a, b);
		if (symlink(outside, a) == 0) {
			(void)unlink(a);
		}
		(void)rename(b, a);
		note_escape(mine);
		(void)renameat2(AT_FDCWD, mine, AT_FDCWD, theirs, RENAME_EXCHANGE);
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
	add(outside, "rotated", OTHER_ID);
	add(g.tree, "moved", HOST_ID);
	at_tree(path, "link");
	assert_int_equal(symlink(outside, path), 0);
}

/** What is outside, but the number of names that its files have. */
static char *see_outside(void) {
	struct br_buf out = {0};
	char path[900];
	struct stat st;
	for (int i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "%s/f%d", outside, i);
		assert_int_equal(lstat(path, &st), 0);
		br_buf_addf(&out, "%s %o %u:%u\n", path, st.st_mode, st.st_uid, st.st_gid);
	}
	assert_int_equal(lstat(outside, &st), 0);
	br_buf_addf(&out, "%o %u:%u\n", st.st_mode, st.st_uid, st.st_gid);
	return br_buf_take(&out);
}

// ---- Who walks ----

static int chown_by_path(const char *path, const struct stat *st, int type, struct FTW *ftw) {
	(void)st;
	(void)type;
	(void)ftw;
	// What vanished meanwhile is no reason to end.
	int r = lchown(path, BOX_ID, BOX_ID);
	return r < 0 ? 0 : r;
}

/** What most scripts do. */
static void walk_naively(void) {
	(void)nftw(g.tree, chown_by_path, 16, FTW_PHYS);
}

static void walk_by_chown(void) {
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char owner[32];
		snprintf(owner, sizeof(owner), "%d:%d", BOX_ID, BOX_ID);
		int null = open("/dev/null", O_WRONLY);
		(void)dup2(null, STDERR_FILENO);
		(void)execlp("chown", "chown", "-R", owner, g.tree, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

// ---- Attacks ----

static pid_t start(void (*attack)(void)) {
	needs_root();
	const char *on = getenv("BR_ATTACK_ON");
	if (on != NULL) {
		assert_int_equal(setenv("TMPDIR", on, 1), 0);
	}
	ground_make_at(&g, on == NULL);
	ground_fill(&g, 30);
	g.decide = decide_and_fight;
	g.jail = jail_wanted();
	fill_arena_of_combat();
	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		attack();
	}
	return pid;
}

static void stop(pid_t pid) {
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(munmap(shared, sizeof(*shared)), 0);
	ground_remove(&g);
}

static int64_t duration_ms(void) {
	const char *text = getenv("BR_ATTACK_SECONDS");
	return text != NULL ? strtol(text, NULL, 10) * 1000 : 1500;
}

/** The harness bites: this tool is led astray, sooner or later. */
static void assert_led_astray(void (*attack)(void), void (*walk)(void), const char *who) {
	long rounds = 0;
	pid_t pid = start(attack);
	br_auto(br_freep) char *before = see_outside();
	bool astray = false;
	for (int64_t end = now_ms() + PATIENCE_MS; !astray && now_ms() < end; rounds++) {
		walk();
		br_auto(br_freep) char *after = see_outside();
		astray = strcmp(before, after) != 0 || atomic_load(escapes()) > 0;
	}
	stop(pid);
	print_message("%s is led astray after %ld rounds\n", who, rounds);
	assert_true(astray);
}

static void under_attack(void (*attack)(void)) {
	uint64_t changed = 0;
	uint64_t conflicts = 0;
	pid_t pid = start(attack);
	bool ever = ground_can_recall(&g);
	br_auto(br_freep) char *before = see_outside();
	// On a busy machine it takes longer until they met.
	int64_t begun = now_ms();
	while (now_ms() < begun + duration_ms()
		|| ((changed <= ENOUGH || conflicts == 0) && now_ms() < begun + PATIENCE_MS)) {
		// What is recalled was seen in peace; so it is when it is looked at again.
		g.recall = !g.recall;
		if (g.recall) {
			make_truce();
		}
		(void)ground_apply(&g);
		atomic_store(&shared->truce, false);
		changed += g.applied.changed;
		conflicts += g.applied.conflicts;
		(void)ground_undo(&g, NULL, false);
		conflicts += g.undone.conflicts;
		br_auto(br_freep) char *after = see_outside();
		assert_string_equal(before, after);
		assert_int_equal(atomic_load(escapes()), 0);
		ground_forget(&g);
	}
	stop(pid);
	print_message("%llu changes, %llu conflicts, %u times from memory\n",
		(unsigned long long)changed, (unsigned long long)conflicts, g.recalled);
	assert_true(changed > ENOUGH);
	assert_true(g.recalled > 0 || !ever);
	assert_true(conflicts > 0);
}

static void test_symlink(void **state) {
	(void)state;
	under_attack(attack_by_symlink);
	assert_led_astray(attack_by_symlink, walk_naively, "a walk by paths");
}

static void test_link(void **state) {
	(void)state;
	under_attack(attack_by_link);
	assert_led_astray(attack_by_link, walk_naively, "a walk by paths");
	assert_led_astray(attack_by_link, walk_by_chown, "chown -R");
}

static void test_rotated_link(void **state) {
	(void)state;
	under_attack(attack_by_rotation);
	assert_led_astray(attack_by_rotation, walk_naively, "a walk by paths");
	assert_led_astray(attack_by_rotation, walk_by_chown, "chown -R");
}

static void test_move(void **state) {
	(void)state;
	under_attack(attack_by_move);
	assert_led_astray(attack_by_move, walk_naively, "a walk by paths");
	assert_led_astray(attack_by_move, walk_by_chown, "chown -R");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symlink),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_rotated_link),
		cmocka_unit_test(test_move),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
