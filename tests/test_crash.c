// Killed anywhere, any call failing, out of memory: undo puts back everything.
//
// BR_KILLS: how many kills. BR_SEED: of the random numbers. BR_TEST: a pattern of the tests' names.
// BR_JAIL: see jail_wanted(). In the jail there are two processes, one that works and one that
// watches it: each of them is killed, or both, and any call of either fails.

#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <support/applied.h>
#include <support/failing.h>
#include <support/fault.h>
#include <support/killed.h>
#include <support/trace.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static long faults;

enum {
	/** So many milliseconds at least are waited for what must come, on however busy a machine. */
	PATIENCE_MS = 60000,
	/** More kills than these there have to be in the midst of threads. */
	FEW = 5,
};

// ---- Kills ----

static void kill_often(bool in_memory, int rounds) {
	bool whole;
	int killed = 0;
	needs_root();
	make_ground(in_memory, 12);
	br_auto(br_freep) char *before = snapshot(g.tree);
	long n = run_until(FIX, 0, BOTH, &whole);
	if (n < 0) {
		ground_remove(&g);
		print_message("needs ptrace\n");
		skip();
	}
	long m = run_until(UNDO, 0, BOTH, &whole);
	assert_snapshot(g.tree, before);
	for (int i = 0; i < rounds; i++) {
		(void)run_until(FIX, 1 + pick((uint32_t)n), pick(3), &whole);
		killed += !whole;
		for (uint32_t k = pick(3); k > 0; k--) {
			(void)run_until(UNDO, 1 + pick((uint32_t)m), pick(3), &whole);
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
	kill_often(true, kills_wanted() > 0 ? (int)(kills_wanted() / 3) : 100);
}

static void test_killed_recalling(void **state) {
	recalling(test_killed, state);
}

/** Killed in this place: each of those who may be, or only one of them. *whole: there is no such
 * place. */
static void kill_at(enum doing what, long at, bool *whole, const char *before) {
	static const char *const names[] = {"both", "the one that works", "the one that watches"};
	const bool apart = g.jail != BR_JAIL_NONE;
	bool done;
	for (int i = 0; i < 3; i++) {
		if (apart ? kills_wanted() == 0 && at % 3 != i : i > 0) {
			continue;
		}
		if (what == UNDO) {
			(void)run_until(FIX, 0, BOTH, &done);
		}
		(void)snprintf(g.doing, sizeof(g.doing), "%s killed at %ld: %s", doings[what], at,
			names[i]);
		(void)run_until(what, at, (enum victim)i, whole);
		undo_wholly(before);
	}
}

/** Every place in turn. */
static void kill_everywhere(const char *before) {
	for (int what = FIX; what <= UNDO; what++) {
		bool whole = false;
		long at;
		for (at = 1; !whole; at++) {
			kill_at((enum doing)what, at, &whole, before);
		}
		print_message("%ld places of %s\n", at - 1, doings[what]);
	}
}

static void test_killed_everywhere(void **state) {
	(void)state;
	needs_root();
	make_ground(true, -1);
	g.nmakes = g.recall ? 0 : 1;
	add_special(g.tree);
	br_auto(br_freep) char *before = snapshot(g.tree);
	if (!can_trace()) {
		skip();
	}
	undo_wholly(before);
	kill_everywhere(before);
	ground_remove(&g);
}

static void test_killed_everywhere_recalling(void **state) {
	recalling(test_killed_everywhere, state);
}

// Fifty files and what stands beside them; only where time is no matter.
static void test_killed_everywhere_in_fifty(void **state) {
	(void)state;
	needs_root();
	if (kills_wanted() == 0) {
		print_message("not asked for\n");
		return;
	}
	make_ground(true, 50);
	br_auto(br_freep) char *before = snapshot(g.tree);
	if (!can_trace()) {
		skip();
	}
	undo_wholly(before);
	kill_everywhere(before);
	ground_remove(&g);
}

static void test_killed_everywhere_in_fifty_recalling(void **state) {
	recalling(test_killed_everywhere_in_fifty, state);
}

static void test_killed_on_disk(void **state) {
	(void)state;
	kill_often(false, 25);
}

/** The process that it forked and that is still there; 0: none. */
static pid_t child_of(pid_t pid) {
	char path[80];
	int child = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *file = fopen(path, "re");
	if (file == NULL || fscanf(file, "%d", &child) != 1) {
		child = 0;
	}
	if (file != NULL) {
		(void)fclose(file);
	}
	return child;
}

/** Kill one of them, or both; whether somebody was left to be killed. */
static bool strike(pid_t pid, enum victim victim, bool *lives) {
	pid_t child = victim == WATCHER ? 0 : child_of(pid);
	bool hit = child > 0 && kill(child, SIGKILL) == 0;
	*lives = victim == WORKER && hit;
	return *lives || kill(pid, SIGKILL) == 0;
}

/** How long it takes, in microseconds, when it is killed after so many (0: never). */
static long kill_after(enum doing what, long us, int *killed) {
	struct timespec begun;
	struct timespec ended;
	int status;
	bool lives = true;
	bool hit = false;
	enum victim victim = (enum victim)pick(3);
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &begun), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		killed_work(what);
	}
	const struct timespec wait = {us / 1000000, us % 1000000 * 1000};
	if (us > 0) {
		(void)nanosleep(&wait, NULL);
		hit = strike(pid, victim, &lives);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	// The one that worked goes a moment later. An undo waits for it, but not as long as it may
	// take on a busy machine.
	while (waitpid(-1, NULL, 0) > 0) {
	}
	// Whoever watched one that was killed says how it went.
	assert_true(!lives || (WIFEXITED(status) && WEXITSTATUS(status) <= (hit ? 1 : 0)));
	if (WIFSIGNALED(status) || (hit && lives)) {
		(*killed)++;
		count_kill(victim);
	}
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ended), 0);
	return (ended.tv_sec - begun.tv_sec) * 1000000 + (ended.tv_nsec - begun.tv_nsec) / 1000;
}

// So many files that several threads are killed in the midst of theirs.
static void test_killed_threads(void **state) {
	(void)state;
	int killed = 0;
	int ran = 0;
	const int rounds = kills_wanted() > 0 ? (int)(kills_wanted() / 20) : 30;
	needs_root();
	make_ground(true, 1500);
	g.threads = 3;
	// Whoever works for one that was killed becomes a child of ours.
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	br_auto(br_freep) char *before = snapshot(g.tree);
	// How long it takes is not foreseen where others work, too: then some of them come too late.
	for (int i = 0; i < rounds || (killed <= FEW && i < 10 * rounds); i++) {
		long whole = kill_after(FIX, 0, &killed);
		long undone = kill_after(UNDO, 0, &killed);
		ran += kill_after(FIX, 1 + (long)pick((uint32_t)whole), &killed) > 0;
		if (pick(2) > 0) {
			ran += kill_after(UNDO, 1 + (long)pick((uint32_t)undone), &killed) > 0;
		}
		undo_wholly(before);
	}
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	print_message("%d kills of %d\n", killed, ran);
	assert_true(killed > FEW);
	ground_remove(&g);
}

/** The one that works, said to the test. */
static atomic_int *who;

static int decide_never(void *context, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after) {
	(void)context;
	(void)tree;
	(void)path;
	(void)inode;
	(void)after;
	do {
		atomic_store(who, getpid());
	} while (getpid() > 0);
	return -1;
}

// Nobody goes on working whom nobody watches.
static void test_goes_with_its_watcher(void **state) {
	(void)state;
	const struct timespec pause = {.tv_nsec = 1000000};
	needs_root();
	make_ground(true, 3);
	if (g.jail == BR_JAIL_NONE) {
		ground_remove(&g);
		print_message("there is nobody apart\n");
		return;
	}
	who = mmap(NULL, sizeof(*who), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(who != MAP_FAILED);
	g.decide = decide_never;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		killed_work(FIX);
	}
	for (int i = 0; i < PATIENCE_MS && atomic_load(who) == 0; i++) {
		(void)nanosleep(&pause, NULL);
	}
	pid_t worker = atomic_load(who);
	assert_true(worker > 0 && worker != pid);
	struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, worker, 0), .events = POLLIN};
	assert_true(end.fd >= 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	int ended = poll(&end, 1, PATIENCE_MS);
	(void)kill(worker, SIGKILL);
	assert_int_equal(ended, 1);
	close(end.fd);
	assert_int_equal(munmap(who, sizeof(*who)), 0);
	ground_remove(&g);
}

// ---- Failing calls ----

/** What went wrong in it, said to its parent by how it ended. */
enum {
	FINE,
	FAILED_AND_SAID_SO,
	/** It failed without a word, or without saying how to put back what it changed. */
	SPEECHLESS,
};

static int work_and_tell(void *context) {
	const bool undo = *(bool *)context;
	int r = undo ? ground_undo(&g, NULL, false) : ground_apply(&g);
	bool told = g.said[0] != '\0'
		&& (undo || g.applied.changed + g.applied.made == 0
			|| strstr(g.said, "bindright undo") != NULL);
	br_arena_release(&g.arena);
	return r >= 0 ? FINE : told ? FAILED_AND_SAID_SO : SPEECHLESS;
}

/** Calls that change something or make it durable; and those that only find out. */
static const char *const changing[] = {"pwrite64", "fdatasync", "fsync", "fchownat", "fchmodat2",
	"setxattrat", "removexattrat", "mkdirat", "renameat2", "unlinkat", NULL};
static const char *const looking[] = {"openat2", "statx", "getxattrat", NULL};

/** It may fail, but it ends by itself, and leaves nothing behind in its process. */
static void run_with(bool undo, struct failing *fault) {
	int r = failing_run(fault, work_and_tell, &undo);
	if (r < 0 || r > FAILED_AND_SAID_SO) {
		fail_msg("%s whose %s: %d", undo ? "undo" : "fix", failing_words(fault), r);
	}
}

/** Each of the calls fails in its turn, while a fix and while an undo is made. */
static void fail_each(const char *const *names, int err, long step, const char *before) {
	bool done;
	for (int how = 0; how < 4; how++) {
		// What is interrupted is tried again.
		if (err == EINTR && (how & 1) != 0) {
			continue;
		}
		struct failing fault = {.names = names, .err = err, .for_good = how & 1};
		bool undo = (how & 2) != 0;
		// Which ones, when not all: not the same for every error.
		for (fault.n = 1 + (long)pick((uint32_t)step);; fault.n += step) {
			if (undo) {
				(void)run_until(FIX, 0, BOTH, &done);
			}
			run_with(undo, &fault);
			(void)snprintf(g.doing, sizeof(g.doing), "%s whose %s",
				undo ? "undo" : "fix", failing_words(&fault));
			undo_wholly(before);
			if (fault.seen < fault.n) {
				break;
			}
			faults++;
		}
	}
}

static void test_failing_calls(void **state) {
	(void)state;
	static const int errors[] = {ENOSPC, EDQUOT, EIO, EROFS, EPERM, ENOMEM, EINTR};
	long step = kills_wanted() > 0 ? 1 : 7;
	needs_root();
	make_ground(true, 2);
	br_auto(br_freep) char *before = snapshot(g.tree);
	if (!can_trace() || !trace_can_fail()) {
		print_message("cannot let calls fail here\n");
		skip();
	}
	undo_wholly(before);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		fail_each(changing, errors[i], step, before);
	}
	fail_each(looking, EIO, step > 1 ? 35 : 1, before);
	fail_each(looking, ENOMEM, step > 1 ? 35 : 1, before);
	print_message("%ld failed calls\n", faults);
	assert_true(faults > 100);
	ground_remove(&g);
}

// Whatever call it is: each in its turn, once and for good, in a fix and in its undo.
static void test_any_call_fails(void **state) {
	(void)state;
	static const int errors[] = {EIO, ENOSPC, EDQUOT, EINTR, ENOMEM, EPERM, EROFS};
	long step = kills_wanted() > 0 ? 1 : 61;
	needs_root();
	make_ground(true, -1);
	g.nmakes = g.recall ? 0 : 1;
	add_special(g.tree);
	add_privileged(g.tree);
	br_auto(br_freep) char *before = snapshot(g.tree);
	if (!can_trace() || !trace_can_fail()) {
		print_message("cannot let calls fail here\n");
		skip();
	}
	undo_wholly(before);
	faults = 0;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		fail_each(NULL, errors[i], step, before);
	}
	print_message("%ld failed calls of any kind\n", faults);
	assert_true(faults > 50);
	ground_remove(&g);
}

// ---- No memory ----

/** Each allocation in its turn, or some of them, of a fix or of an undo: about how many there were.
 */
static unsigned starve(bool undo, const char *before) {
	// Which ones, when not all: not the same every time.
	const unsigned step = kills_wanted() > 0 ? 1 : 7;
	unsigned n = pick(step);
	bool hit;
	do {
		n += step;
		g.fault_at = undo ? 0 : n;
		int r = ground_apply(&g);
		hit = g.fault_hit;
		assert_true(r == 0 || (hit && g.said[0] != '\0'));
		if (undo) {
			g.fault_at = n;
			r = ground_undo(&g, NULL, false);
			hit = g.fault_hit;
			assert_true(r > 0 || (hit && g.said[0] != '\0'));
		}
		g.fault_at = 0;
		(void)snprintf(g.doing, sizeof(g.doing), "%s whose allocation %u failed%s",
			undo ? "undo" : "fix", n, g.fault_for_good ? " for good" : "");
		assert_true(
			hit || undo || g.applied.recalled == g.recall || !ground_can_recall(&g));
		undo_wholly(before);
	} while (hit);
	return n;
}

static void test_no_memory(void **state) {
	(void)state;
	needs_root();
	make_ground(true, 3);
	g.nmakes = g.recall ? 0 : 1;
	add_privileged(g.tree);
	br_auto(br_freep) char *before = snapshot(g.tree);
	for (int how = 0; how < 4; how++) {
		g.fault_for_good = how & 1;
		fault_pieces(true);
		unsigned n = starve((how & 2) != 0, before);
		fault_pieces(false);
		print_message("%u allocations\n", n);
		assert_true(n > 20);
	}
	ground_remove(&g);
}

static void test_any_call_fails_recalling(void **state) {
	recalling(test_any_call_fails, state);
}

static void test_no_memory_recalling(void **state) {
	recalling(test_no_memory, state);
}

int main(void) {
	const char *only = getenv("BR_TEST");
	if (only != NULL) {
		cmocka_set_test_filter(only);
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_killed_recalling),
		cmocka_unit_test(test_killed_everywhere),
		cmocka_unit_test(test_killed_everywhere_recalling),
		cmocka_unit_test(test_killed_everywhere_in_fifty),
		cmocka_unit_test(test_killed_everywhere_in_fifty_recalling),
		cmocka_unit_test(test_killed_on_disk),
		cmocka_unit_test(test_killed_threads),
		cmocka_unit_test(test_goes_with_its_watcher),
		cmocka_unit_test(test_failing_calls),
		cmocka_unit_test(test_any_call_fails),
		cmocka_unit_test(test_any_call_fails_recalling),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_no_memory_recalling),
	};
	return cmocka_run_group_tests(tests, kills_begin, kills_end);
}
