// What is found out about runs, sources and seals while something fails: each system call and each
// allocation in its turn, once and for good. It says so, or its answer is the one that it would be
// otherwise; what cannot be told is never told as harmless; nothing that undo needs is lost; no
// descriptor and no memory is left behind.
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
#include <sys/mount.h>
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
	(void)snprintf(ids[which], BR_RUN_ID, "%s", runs[0].id);
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
	/** Each so manieth call fails. */
	long step;
};

static const struct op ops[] = {
	{"history", list_work, nothing_lost, 17},
	{"history --prune of old ones", prune_old_work, nothing_lost, 17},
	{"history --prune of all", prune_all_work, cut_short_kept, 17},
	{"history --prune of one", drop_work, cut_short_kept, 17},
	{"undo --dry-run", dry_work, nothing_lost, 17},
};

// ---- Failing ----

static const int errors[] = {EIO, ENOMEM, EMFILE, ENOSPC, EINTR};

enum {
	ERRORS = sizeof(errors) / sizeof(errors[0]),
};

static long step_of(const struct op *op) {
	const char *every = getenv("BR_STEP");
#ifdef BR_SANITIZED
	// A process takes its time to begin.
	const long fewer = 5;
#else
	const long fewer = 1;
#endif
	return every != NULL ? strtol(every, NULL, 10) : fewer * op->step;
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
	const long step = step_of(op);
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
	assert_true(allocations >= n);
	assert_true(calls >= (long)n || !trace_can_fail());
}

static void test_runs(void **state) {
	(void)state;
	fail_everything(ops, sizeof(ops) / sizeof(ops[0]));
	assert_undoable();
}

/** Journals are kept nowhere that is not named plainly. */
static void test_state_paths(void **state) {
	(void)state;
	br_auto(br_freep) char *name = repeat("/", "n", 256, "/x");
	const struct {
		const char *path, *said;
	} rows[] = {
		{"state", "the state directory 'state' is not an absolute path"},
		{"", "the state directory '' is not an absolute path"},
		{"/tmp/../x", "cannot keep journals: '/tmp/..' is not a plain name"},
		{"/./x", "cannot keep journals: '/.' is not a plain name"},
		{name, "is not a plain name"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct br_places *all = br_places_new();
		struct br_diags *dx = br_diags_new(all);
		const struct br_state_dir dir = {.path = rows[i].path};
		assert_int_equal(br_history_prune(&dir, 0, dx), -1);
		assert_int_equal(br_history_drop(&dir, "20260101T000000Z-00000000", dx), -1);
		assert_int_equal(br_diags_errors(dx), 2);
		if (strstr(br_diags_get(dx, 0)->message, rows[i].said) == NULL) {
			fail_msg("%s: %s", rows[i].path, br_diags_get(dx, 0)->message);
		}
		br_diags_free(dx);
		br_places_free(all);
	}
}

// ---- Sources ----

/** Below the ground's top. */
static const char *const paths[] = {
	"s/real/data/file",
	"s/link/data",
	"s/up/real/data",
	"s/real/none/deeper",
	"s/dangling/x",
	"s/theirs/data",
	"s/shared/dir/x",
	"s/real/data/file/x",
};

enum {
	PLACES = sizeof(paths) / sizeof(paths[0]),
};

static struct br_arena of_places;
/** What they are, and which one is asked about. */
static struct br_source clean_sources[PLACES];
static size_t place;
static size_t nmounts;

static bool is_same(const char *a, const char *b) {
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/** What could not be found out is not there for anybody; what could be is as ever, and not safer. */
static int judge_source(const struct br_source *now) {
	const struct br_source *clean = &clean_sources[place];
	if (now->state == BR_SOURCE_UNREACHABLE && now->err != 0) {
		return now->fd < 0 ? FAILED_AND_SAID_SO : WRONG;
	}
	bool same = now->state == clean->state && is_same(now->real, clean->real)
		&& is_same(now->missing, clean->missing) && now->linked == clean->linked
		&& now->ino == clean->ino && (now->fd < 0) == (clean->fd < 0)
		&& (clean->unsafe == NULL || now->unsafe != NULL)
		&& strcmp(now->fs.type, clean->fs.type) == 0;
	return same ? AS_EVER : WRONG;
}

static int source_work(void *context) {
	br_auto(br_arena_release) struct br_arena arena = {0};
	struct br_source source;
	char path[400];
	(void)context;
	(void)snprintf(path, sizeof(path), "%s/%s", g.top, paths[place]);
	(void)sched_yield();
	(g.fault_for_good ? fault_from : fault_at)(g.fault_at);
	int r = br_source_open(&arena, path, 0, &source);
	int err = errno;
	g.fault_hit = fault_hit();
	(void)sched_yield();
	fault_at(0);
	if (r < 0) {
		r = err == ENOMEM && source.fd < 0 ? FAILED_AND_SAID_SO : WRONG;
	} else {
		r = judge_source(&source);
	}
	br_source_release(&source);
	return r;
}

static void count_mount(void *context, const char *below, const char *type) {
	(void)below;
	(void)type;
	(*(size_t *)context)++;
}

/** All of the mounts, or none. */
static int mounts_work(void *context) {
	size_t n = 0;
	(void)context;
	(void)sched_yield();
	(g.fault_for_good ? fault_from : fault_at)(g.fault_at);
	br_auto(br_mounts_freep) struct br_mounts *mounts = br_mounts_read();
	g.fault_hit = fault_hit();
	(void)sched_yield();
	fault_at(0);
	if (mounts == NULL) {
		return FAILED_AND_SAID_SO;
	}
	(void)br_mounts_below(mounts, "/", count_mount, &n);
	return nmounts == 0 || n == nmounts ? AS_EVER : WRONG;
}

static void make_places(void) {
	struct br_source *clean;
	unsigned char blob[64];
	char path[400];
	shell("mkdir -p %s/s/real/data %s/s/shared/dir/x && touch %s/s/real/data/file && cd %s/s"
	      " && ln -s real link && ln -s ./real/../ up && ln -s nothing dangling && ln -s real theirs"
	      " && chown -h %d theirs",
		g.top, g.top, g.top, g.top, OTHER_ID);
	(void)snprintf(path, sizeof(path), "%s/s/shared/dir", g.top);
	size_t n = acl_blob(0755, OTHER_ID, 7, blob);
	assert_int_equal(setxattr(path, "system.posix_acl_access", blob, n, 0), 0);
	for (size_t i = 0; i < PLACES; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", g.top, paths[i]);
		clean = &clean_sources[i];
		assert_int_equal(br_source_open(&of_places, path, 0, clean), 0);
	}
}

static void test_sources(void **state) {
	static const enum br_source_state states[PLACES] = {BR_SOURCE_PRESENT, BR_SOURCE_PRESENT,
		BR_SOURCE_PRESENT, BR_SOURCE_MISSING, BR_SOURCE_DANGLING, BR_SOURCE_PRESENT,
		BR_SOURCE_PRESENT, BR_SOURCE_NOT_A_DIRECTORY};
	(void)state;
	needs_root();
	make_places();
	assert_non_null(clean_sources[5].unsafe);
	assert_non_null(clean_sources[6].unsafe);
	for (size_t i = 0; i < PLACES; i++) {
		const struct op op = {paths[i], source_work, NULL, 1};
		assert_int_equal(clean_sources[i].state, states[i]);
		place = i;
		fail_everything(&op, 1);
	}
	for (size_t i = 0; i < PLACES; i++) {
		br_source_release(&clean_sources[i]);
	}
	br_arena_release(&of_places);
}

static void test_mounts(void **state) {
	const struct op op = {"the mount table", mounts_work, NULL, 1};
	(void)state;
	needs_root();
	// Nobody else's mounts come and go in it.
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		print_message("needs a mount namespace\n");
		skip();
	}
	br_auto(br_mounts_freep) struct br_mounts *mounts = br_mounts_read();
	assert_non_null(mounts);
	(void)br_mounts_below(mounts, "/", count_mount, &nmounts);
	assert_true(nmounts > 0);
	fail_everything(&op, 1);
}

// ---- Seals ----

static bool sealed;

static int seals_work(void *context) {
	(void)context;
	(void)sched_yield();
	(g.fault_for_good ? fault_from : fault_at)(g.fault_at);
	bool now = br_inode_seals();
	g.fault_hit = fault_hit();
	(void)sched_yield();
	fault_at(0);
	return now || !sealed ? AS_EVER : WRONG;
}

/** A seal that cannot be asked for is one. */
static int seal_work(void *context) {
	struct br_inode inode = {.mode = S_IFREG};
	const struct failing *f = context;
	char path[400];
	(void)f;
	(void)snprintf(path, sizeof(path), "%s/s/real/data/file", g.top);
	(void)sched_yield();
	br_inode_seal(AT_FDCWD, path, &inode);
	(void)sched_yield();
	if ((inode.have & BR_HAVE_SEAL) == 0) {
		return WRONG;
	}
	return (inode.attrs & BR_SEALED) != 0 ? FAILED_AND_SAID_SO : AS_EVER;
}

static void test_seals(void **state) {
	static const char *const asking[] = {"getxattrat", NULL};
	const struct op op = {"the keys of seals", seals_work, NULL, 1};
	struct failing f = {.names = asking, .n = 1, .err = EIO};
	(void)state;
	needs_root();
	sealed = br_inode_seals();
	fail_everything(&op, 1);
	shell("mkdir -p %s/s/real/data && touch %s/s/real/data/file", g.top, g.top);
	assert_int_equal(seal_work(NULL), AS_EVER);
	if (trace_can_fail() && failing_run(&f, seal_work, NULL) >= 0 && f.seen > 0) {
		assert_int_equal(failing_run(&f, seal_work, NULL), FAILED_AND_SAID_SO);
	}
}

int main(void) {
	const char *only = getenv("BR_TEST");
	if (only != NULL) {
		cmocka_set_test_filter(only);
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_state_paths),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_seals),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
