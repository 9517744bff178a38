// Killed anywhere, any call failing, out of memory: undo puts back everything.
//
// BR_KILLS: how many kills. BR_SEED: of the random numbers. BR_JAIL: the work is done in a process apart, which is killed, and lied to, as well.

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
#include <support/trace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct ground g;
static uint32_t seed;
/** Done so far. */
static long kills;
static long faults;

/** How many kills are wanted (BR_KILLS); 0: the few of every day. */
static long wanted(void) {
	const char *text = getenv("BR_KILLS");
	return text != NULL ? strtol(text, NULL, 10) : 0;
}

/** BR_SEED names another sequence of random numbers. */
static int begin(void **state) {
	const char *text = getenv("BR_SEED");
	(void)state;
	seed = text != NULL ? (uint32_t)strtoul(text, NULL, 10) : 1;
	print_message("seed %u\n", seed);
	return 0;
}

static int end(void **state) {
	(void)state;
	print_message("%ld kills in all\n", kills);
	return 0;
}

static uint32_t pick(uint32_t n) {
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static struct br_make makes[] = {
	{.below = "new", .after = {.mode = S_IFDIR | 02755, .uid = {BOX_ID}, .gid = {OTHER_ID}}},
	{.below = "new/er", .after = {.mode = S_IFDIR | 0700, .uid = {BOX_ID}, .gid = {BOX_ID}}},
};

static void make_ground(bool in_memory, int n) {
	ground_make_at(&g, in_memory);
	if (n >= 0) {
		ground_fill(&g, n);
	}
	g.decide = decide_mixed;
	g.makes = makes;
	g.nmakes = 2;
}

// ---- Kills ----

static void work(bool undo) {
	int r = undo ? ground_undo(&g, NULL, false) : ground_apply(&g);
	_exit(r < 0);
}

/** When it is killed. */
struct death {
	long at;
	/** Only the process that stands there: the other one goes on, as long as it may. */
	bool one;
	bool whole;
};

static enum trace_choice choose_death(void *context, const struct trace_stop *stop, int *err) {
	struct death *death = context;
	(void)err;
	if (stop->count != death->at) {
		return TRACE_GO;
	}
	death->whole = false;
	if (!death->one) {
		return TRACE_KILL;
	}
	(void)kill(stop->pid, SIGKILL);
	return TRACE_GO;
}

/**
 * Run it and kill it when its main thread has begun or ended so many system calls (0: never). How many there were; -1 where tracing is not allowed. *whole: it came to its
 * end.
 */
static long run_until(bool undo, long n, bool *whole) {
	const bool apart = g.jail != BR_JAIL_NONE;
	struct death death = {.at = n, .whole = true, .one = apart && n % 2 != 0};
	int status = 0;
	pid_t pid = trace_fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		work(undo);
	}
	long stops = trace_run(pid, choose_death, &death, &status);
	*whole = death.whole;
	if (stops >= 0 && *whole && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
		fail_msg("%s, not killed at %ld: status %x", undo ? "undo" : "fix", n, status);
	}
	kills += !*whole;
	return stops;
}

static void undo_wholly(const char *before) {
	ground_undo_wholly(&g, before);
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
	kill_often(true, wanted() > 0 ? (int)(wanted() / 3) : 250);
}

static bool can_trace(void) {
	bool whole;
	if (run_until(false, 0, &whole) >= 0) {
		return true;
	}
	ground_remove(&g);
	print_message("needs ptrace\n");
	return false;
}

/** Every place in turn. */
static void kill_everywhere(const char *before) {
	bool whole = false;
	bool done;
	long at;
	long undo_at;
	for (at = 1; !whole; at++) {
		(void)snprintf(g.doing, sizeof(g.doing), "fix killed at %ld", at);
		(void)run_until(false, at, &whole);
		undo_wholly(before);
	}
	whole = false;
	for (undo_at = 1; !whole; undo_at++) {
		(void)run_until(false, 0, &done);
		(void)snprintf(g.doing, sizeof(g.doing), "undo killed at %ld", undo_at);
		(void)run_until(true, undo_at, &whole);
		undo_wholly(before);
	}
	print_message("%ld and %ld places\n", at - 1, undo_at - 1);
}

/** The few inodes that change most. */
static void add_special(const char *tree) {
	unsigned char blob[64];
	char path[900];
	(void)snprintf(path, sizeof(path), "%s/dir", tree);
	assert_int_equal(mkdir(path, 0), 0);
	assert_int_equal(chown(path, HOST_ID, HOST_ID), 0);
	assert_int_equal(chmod(path, 03757), 0);
	size_t n = acl_blob(0707, OTHER_ID, 7, blob);
	assert_int_equal(setxattr(path, "system.posix_acl_access", blob, n, 0), 0);
}

static void test_killed_everywhere(void **state) {
	(void)state;
	needs_root();
	make_ground(true, -1);
	g.nmakes = 1;
	add_special(g.tree);
	br_auto(br_freep) char *before = snapshot(g.tree);
	if (!can_trace()) {
		skip();
	}
	undo_wholly(before);
	kill_everywhere(before);
	ground_remove(&g);
}

// Fifty files and what stands beside them; only where time is no matter.
static void test_killed_everywhere_in_fifty(void **state) {
	(void)state;
	needs_root();
	if (wanted() == 0) {
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

static void test_killed_on_disk(void **state) {
	(void)state;
	kill_often(false, 25);
}

/** How long it takes, in microseconds, when it is killed after so many (0: never). */
static long kill_after(bool undo, long us, int *killed) {
	struct timespec begun;
	struct timespec ended;
	int status;
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &begun), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		work(undo);
	}
	const struct timespec wait = {us / 1000000, us % 1000000 * 1000};
	if (us > 0) {
		(void)nanosleep(&wait, NULL);
		(void)kill(pid, SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*killed += WIFSIGNALED(status);
	kills += WIFSIGNALED(status);
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ended), 0);
	return (ended.tv_sec - begun.tv_sec) * 1000000 + (ended.tv_nsec - begun.tv_nsec) / 1000;
}

// So many files that several threads are killed in the midst of theirs.
static void test_killed_threads(void **state) {
	(void)state;
	int killed = 0;
	int ran = 0;
	needs_root();
	make_ground(true, 1500);
	g.threads = 3;
	br_auto(br_freep) char *before = snapshot(g.tree);
	for (int i = 0; i < 60; i++) {
		long whole = kill_after(false, 0, &killed);
		long undone = kill_after(true, 0, &killed);
		ran += kill_after(false, 1 + (long)pick((uint32_t)whole), &killed) > 0;
		if (pick(2) > 0) {
			ran += kill_after(true, 1 + (long)pick((uint32_t)undone), &killed) > 0;
		}
		undo_wholly(before);
	}
	print_message("%d kills of %d\n", killed, ran);
	assert_true(killed > 5);
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

static void work_and_tell(bool undo) {
	int r = undo ? ground_undo(&g, NULL, false) : ground_apply(&g);
	bool told = g.said[0] != '\0'
		&& (undo || g.applied.changed + g.applied.made == 0
			|| strstr(g.said, "bindright undo") != NULL);
	_exit(r >= 0 ? FINE : told ? FAILED_AND_SAID_SO : SPEECHLESS);
}

/** Calls that change something or make it durable; and those that only find out. */
static const char *const changing[] = {"pwrite64", "fdatasync", "fsync", "fchownat", "fchmodat2",
	"setxattrat", "removexattrat", "mkdirat", "renameat2", "unlinkat", NULL};
static const char *const looking[] = {"openat2", "statx", "getxattrat", NULL};

/** The n-th of these calls fails, and where `for_good` all after it. */
struct fault {
	const char *const *names;
	long n;
	int err;
	bool for_good;
	/** How many there were. */
	long seen;
	/** Which it was, where any is meant (names is NULL). */
	long call;
	/** Calls of sched_yield: between the first and the second is what is tested. */
	long marks;
};

static bool is_one_of(const char *const *names, long call) {
	for (; *names != NULL; names++) {
		if (trace_call(*names) == call) {
			return true;
		}
	}
	return false;
}

/** Without these the C library, or the sanitizer, cannot go on, or nothing can end; and close() closes whatever it answers. */
static bool is_needed(long call) {
	static const long needed[] = {
		SYS_exit,
		SYS_exit_group,
		SYS_futex,
		SYS_rt_sigreturn,
		SYS_close,
#ifdef BR_SANITIZED
		SYS_mmap,
		SYS_munmap,
		SYS_mprotect,
		SYS_mremap,
		SYS_madvise,
		SYS_sigaltstack,
#endif
	};
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (call == needed[i]) {
			return true;
		}
	}
	return false;
}

/** The n-th call of all fails, whatever it is; for good: that one, wherever it is made again. */
static enum trace_choice choose_any(void *context, const struct trace_stop *stop, int *err) {
	struct fault *fault = context;
	fault->marks += stop->entry && stop->call == SYS_sched_yield;
	if (!stop->entry || fault->marks != 1 || is_needed(stop->call)) {
		return TRACE_GO;
	}
	fault->seen++;
	if (fault->seen == fault->n) {
		fault->call = stop->call;
	}
	if (fault->seen < fault->n || fault->n == 0
		|| (fault->seen > fault->n && !(fault->for_good && stop->call == fault->call))) {
		return TRACE_GO;
	}
	*err = fault->err;
	return TRACE_FAIL;
}

static enum trace_choice choose_fault(void *context, const struct trace_stop *stop, int *err) {
	struct fault *fault = context;
	if (!stop->entry || !is_one_of(fault->names, stop->call)) {
		return TRACE_GO;
	}
	fault->seen++;
	if (fault->n == 0 || fault->seen < fault->n
		|| (fault->seen > fault->n && !fault->for_good)) {
		return TRACE_GO;
	}
	*err = fault->err;
	return TRACE_FAIL;
}

/** It may fail, but it ends by itself. */
static void run_with(bool undo, struct fault *fault) {
	int status = 0;
	pid_t pid = trace_fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		work_and_tell(undo);
	}
	fault->seen = fault->marks = 0;
	(void)trace_run(pid, fault->names != NULL ? choose_fault : choose_any, fault, &status);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > FAILED_AND_SAID_SO) {
		fail_msg("%s of call %ld (%ld) with %s%s: status %x", undo ? "undo" : "fix",
			fault->n, fault->call, strerror(fault->err),
			fault->for_good ? " for good" : "", status);
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
		struct fault fault = {.names = names, .err = err, .for_good = how & 1};
		bool undo = (how & 2) != 0;
		// Which ones, when not all: not the same for every error.
		for (fault.n = 1 + (long)pick((uint32_t)step);; fault.n += step) {
			if (undo) {
				(void)run_until(false, 0, &done);
			}
			run_with(undo, &fault);
			(void)snprintf(g.doing, sizeof(g.doing),
				"%s whose %s %ld (%ld) failed with %s%s", undo ? "undo" : "fix",
				names != NULL ? names[0] : "call", fault.n, fault.call,
				strerror(err), fault.for_good ? " for good" : "");
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
	long step = wanted() > 0 ? 1 : 7;
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
	long step = wanted() > 0 ? 1 : 61;
	needs_root();
	make_ground(true, -1);
	g.nmakes = 1;
	add_special(g.tree);
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

static void test_no_memory(void **state) {
	(void)state;
	needs_root();
	make_ground(true, 3);
	g.nmakes = 1;
	// What fails in a process apart cannot be seen here.
	g.jail = BR_JAIL_NONE;
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
		cmocka_unit_test(test_killed_everywhere_in_fifty),
		cmocka_unit_test(test_killed_on_disk),
		cmocka_unit_test(test_killed_threads),
		cmocka_unit_test(test_failing_calls),
		cmocka_unit_test(test_any_call_fails),
		cmocka_unit_test(test_no_memory),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
