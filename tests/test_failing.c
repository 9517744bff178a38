// What is found out about runs, sources and seals while something fails: each system call and each allocation in its turn, once and
// for good. It says so, or its answer is the one that it would be otherwise; what cannot be told is never told as harmless; nothing that
// undo needs is lost; no descriptor and no memory is left behind.
//
// BR_STEP: each so manieth call fails (1: all). BR_TEST: a pattern of the tests' names.

#include <base/own.h>
#include <bindright/inode.h>
#include <bindright/source.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <support/applied.h>
#include <support/failing.h>
#include <support/fault.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

static struct ground g;
static struct br_acls *acls;
static char *before;
/** How the tree is after all runs. */
static char *changed;

enum {
	AS_EVER,
	FAILED_AND_SAID_SO,
	SPEECHLESS,
	/** Neither the answer that it should be nor a failure. */
	WRONG,
	APPLIED = 0,
	CUT_SHORT = 1,
	RUNS,
};

/** The run that came to its end, and the later one that did not. */
static char ids[RUNS][BR_RUN_ID];

// ---- The ground: two runs ----

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void shell(const char *format, ...) {
	char command[1200];
	va_list args;
	va_start(args, format);
	assert_true(vsnprintf(command, sizeof(command), format, args) < (int)sizeof(command));
	va_end(args);
	assert_int_equal(system(command), 0);
}

/** Leave the process at this sync of the journal; 0: never. */
static int exit_at_sync;

int fdatasync(int fd) {
	if (exit_at_sync > 0 && --exit_at_sync == 0) {
		_exit(42);
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/** The newest run. */
static void note_run(int which) {
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	const struct br_state_dir dir = {.path = g.state};
	const struct br_run *runs;
	size_t n;
	assert_int_equal(br_history(&g.arena, &dir, &runs, &n, dx), 0);
	assert_int_equal(n, which + 1);
	assert_int_equal(runs[0].state, which == APPLIED ? BR_RUN_APPLIED : BR_RUN_UNFINISHED);
	memcpy(ids[which], runs[0].id, BR_RUN_ID);
	br_arena_release(&g.arena);
	br_diags_free(dx);
	br_places_free(places);
}

/** Another run, which comes to its first change at most. */
static void cut_short(void) {
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		exit_at_sync = 3;
		g.decide = decide_acl;
		_exit(ground_apply(&g) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static int setup(void **state) {
	(void)state;
	if (geteuid() != 0) {
		return 0;
	}
	ground_make_at(&g, true);
	ground_fill(&g, 6);
	acls = br_acls_new();
	before = snapshot(g.tree);
	assert_int_equal(ground_apply(&g), 0);
	note_run(APPLIED);
	cut_short();
	note_run(CUT_SHORT);
	changed = snapshot(g.tree);
	shell("cp -a %s %s.kept", g.state, g.state);
	return 0;
}

static int teardown(void **state) {
	(void)state;
	if (before != NULL) {
		ground_remove(&g);
	}
	br_acls_free(acls);
	free(before);
	free(changed);
	return 0;
}

static void restore_state(void) {
	shell("rm -rf %s && cp -a %s.kept %s", g.state, g.state, g.state);
}

// ---- What is done, in a child or here ----

/** What it came to, where it answers 0 or more, or fails with a word. */
static int outcome(int r, const struct br_diags *dx) {
	return r >= 0 ? AS_EVER : br_diags_errors(dx) > 0 ? FAILED_AND_SAID_SO : SPEECHLESS;
}

typedef int on_state(const struct br_state_dir *dir, struct br_diags *dx);

/** Do it between two marks, without memory as the ground says. */
static int with_state(on_state *work) {
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	const struct br_state_dir dir = {.path = g.state};
	(void)sched_yield();
	(g.fault_for_good ? fault_from : fault_at)(g.fault_at);
	int r = work(&dir, dx);
	g.fault_hit = fault_hit();
	(void)sched_yield();
	fault_at(0);
	br_diags_free(dx);
	br_places_free(places);
	return r;
}

/** All runs are told; where one could not be read it is said why. */
static int list_runs(const struct br_state_dir *dir, struct br_diags *dx) {
	br_auto(br_arena_release) struct br_arena arena = {0};
	static const enum br_run_state states[] = {BR_RUN_UNFINISHED, BR_RUN_APPLIED};
	const struct br_run *runs;
	size_t n;
	int r = br_history(&arena, dir, &runs, &n, dx);
	if (r < 0) {
		return outcome(r, dx);
	}
	bool fits = n == RUNS;
	for (size_t i = 0; fits && i < n; i++) {
		const struct br_run *run = &runs[i];
		fits = strcmp(run->id, ids[RUNS - 1 - i]) == 0
			&& (run->state == states[i]
				|| (run->state == BR_RUN_DAMAGED && run->why != NULL));
	}
	return fits ? AS_EVER : WRONG;
}

static int list_work(void *context) {
	(void)context;
	return with_state(list_runs);
}

static int prune_old(const struct br_state_dir *dir, struct br_diags *dx) {
	int r = br_history_prune(dir, 3600, dx);
	return r > 0 ? WRONG : outcome(r, dx);
}

static int prune_old_work(void *context) {
	(void)context;
	return with_state(prune_old);
}

static int prune_all(const struct br_state_dir *dir, struct br_diags *dx) {
	int r = br_history_prune(dir, -10, dx);
	return r > 1 ? WRONG : outcome(r, dx);
}

static int prune_all_work(void *context) {
	(void)context;
	return with_state(prune_all);
}

static int drop_one(const struct br_state_dir *dir, struct br_diags *dx) {
	return outcome(br_history_drop(dir, ids[APPLIED], dx), dx);
}

static int drop_work(void *context) {
	(void)context;
	return with_state(drop_one);
}

static int dry_work(void *context) {
	(void)context;
	int r = ground_undo(&g, NULL, true);
	br_arena_release(&g.arena);
	return r > 0 ? AS_EVER : g.said[0] != '\0' ? FAILED_AND_SAID_SO : SPEECHLESS;
}

// ---- What must be so afterwards ----

static bool has_run(int which) {
	char path[400];
	(void)snprintf(path, sizeof(path), "%s/runs/%s/journal", g.state, ids[which]);
	return access(path, F_OK) == 0;
}

static void undo_one(int which) {
	int r = ground_undo(&g, ids[which], false);
	if (r != 1 || g.undone.conflicts + g.undone.failed > 0) {
		fail_msg("%s: undo %d: %d %s", g.doing, which, r, g.said);
	}
	br_arena_release(&g.arena);
}

/** Both can be undone: the tree is as it was before the first. Then all is as before. */
static void assert_undoable(void) {
	assert_snapshot(g.tree, changed);
	undo_one(CUT_SHORT);
	undo_one(APPLIED);
	assert_snapshot(g.tree, before);
}

static void nothing_lost(void) {
	if (!has_run(APPLIED) || !has_run(CUT_SHORT)) {
		fail_msg("%s: a run is lost", g.doing);
	}
	assert_int_equal(list_work(NULL), AS_EVER);
	assert_snapshot(g.tree, changed);
}

static void cut_short_kept(void) {
	if (!has_run(CUT_SHORT)) {
		fail_msg("%s: a run is lost that is not undone", g.doing);
	}
	restore_state();
}

struct op {
	const char *name;
	failing_work *work;
	void (*check)(void);
};

static const struct op ops[] = {
	{"history", list_work, nothing_lost},
	{"history --prune of old ones", prune_old_work, nothing_lost},
	{"history --prune of all", prune_all_work, cut_short_kept},
	{"history --prune of one", drop_work, cut_short_kept},
	{"undo --dry-run", dry_work, nothing_lost},
};

// ---- Failing ----

static const int errors[] = {EIO, ENOMEM, EMFILE, ENOSPC, EINTR};

enum {
	ERRORS = sizeof(errors) / sizeof(errors[0]),
};

static long step_of(void) {
	const char *every = getenv("BR_STEP");
	return every != NULL ? strtol(every, NULL, 10) : 17;
}

static void judge(const struct op *op, int r, const char *what) {
	(void)snprintf(g.doing, sizeof(g.doing), "%s whose %s", op->name, what);
	if (r < 0 || r > FAILED_AND_SAID_SO) {
		fail_msg("%s: %d", g.doing, r);
	}
	if (op->check != NULL) {
		op->check();
	}
}

/** Each system call: how many there were. */
static long fail_calls(const struct op *op, int err, bool for_good) {
	struct failing f = {.err = err, .for_good = for_good};
	const long step = step_of();
	for (f.n = 1 + err % step;; f.n += step) {
		int r = failing_run(&f, op->work, NULL);
		judge(op, r, failing_words(&f));
		if (f.seen < f.n) {
			// None of them failed.
			assert_int_equal(r, AS_EVER);
			return f.n / step;
		}
	}
}

static long fail_all_calls(const struct op *op) {
	long n = 0;
	for (size_t i = 0; i < ERRORS; i++) {
		n += fail_calls(op, errors[i], false);
		// What is interrupted is tried again.
		n += errors[i] != EINTR ? fail_calls(op, errors[i], true) : 0;
	}
	return n;
}

/** Each allocation. */
static unsigned fail_allocations(const struct op *op) {
	unsigned n = 0;
	bool hit;
	do {
		char what[80];
		g.fault_at = ++n;
		int r = failing_here(op->work, NULL);
		hit = g.fault_hit;
		g.fault_at = 0;
		(void)snprintf(what, sizeof(what), "allocation %u fails%s", n,
			g.fault_for_good ? " for good" : "");
		judge(op, r, what);
		assert_true(hit || r == AS_EVER);
	} while (hit);
	return n;
}

static void fail_everything(const struct op *all, size_t n) {
	long calls = 0;
	unsigned allocations = 0;
	needs_root();
	for (size_t i = 0; i < n; i++) {
		for (int good = 0; good <= 1; good++) {
			g.fault_for_good = good;
			fault_pieces(true);
			allocations += fail_allocations(&all[i]);
			fault_pieces(false);
		}
		g.fault_for_good = false;
		calls += trace_can_fail() ? fail_all_calls(&all[i]) : 0;
	}
	print_message("%ld failed calls, %u allocations\n", calls, allocations);
	assert_true(allocations > n);
	assert_true(calls > (long)n || !trace_can_fail());
}

static void test_runs(void **state) {
	(void)state;
	fail_everything(ops, sizeof(ops) / sizeof(ops[0]));
	assert_undoable();
}

int main(void) {
	const char *only = getenv("BR_TEST");
	if (only != NULL) {
		cmocka_set_test_filter(only);
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
