/* The walk, compared with nftw(3), with trees whose contents are known, and with a kernel that gets
 * in the way. */
#include "support/fault.h"

#include <base/own.h>
#include <bindright/scan.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <search.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY 65534

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* ---- Trees ---- */

/** A directory of one test's own; the working directory while the test runs. */
struct fixture {
	char dir[PATH_MAX];
	int before;
};

static void run_program(const char *const *argv) {
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int set_up(void **state) {
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const char *tmp = getenv("TMPDIR");
	assert_non_null(fixture);
	(void)umask(022);
	(void)snprintf(fixture->dir, sizeof(fixture->dir), "%s/scan.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(fixture->dir));
	fixture->before = open(".", O_PATH | O_CLOEXEC);
	assert_true(fixture->before >= 0);
	assert_int_equal(chmod(fixture->dir, 0755), 0);
	assert_int_equal(chdir(fixture->dir), 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state) {
	struct fixture *fixture = *state;
	const char *const remove[] = {"rm", "-rf", "--", fixture->dir, NULL};
	assert_int_equal(fchdir(fixture->before), 0);
	assert_int_equal(close(fixture->before), 0);
	run_program(remove);
	free(fixture);
	return 0;
}

static void make_dir(const char *path) {
	assert_int_equal(mkdir(path, 0755), 0);
}

static void make_file(const char *path) {
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static void make_files(const char *dir, unsigned n) {
	char path[PATH_MAX];
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/file-%06u", dir, i);
		make_file(path);
	}
}

static void make_socket(const char *path) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const void *)&address, sizeof(address)), 0);
	assert_int_equal(close(fd), 0);
}

/** Every type, odd modes, owners where that is allowed, names that hurt. */
static void make_zoo(void) {
	char longest[256];
	memset(longest, 'x', 255);
	longest[255] = '\0';
	make_dir("zoo");
	make_dir("zoo/empty");
	make_dir("zoo/a");
	make_dir("zoo/a/b");
	make_dir("zoo/a/b/c");
	make_file("zoo/a/b/c/deep");
	make_file("zoo/plain");
	make_file("zoo/two\nlines");
	make_file("zoo/\xff\xfe not text");
	make_file("zoo/ ");
	make_file("zoo/-rf");
	make_file("zoo/..hidden");
	make_dir("zoo/...");
	make_file("zoo/.../inside");
	make_file("zoo/setuid");
	assert_int_equal(chmod("zoo/setuid", 04751), 0);
	assert_int_equal(chmod("zoo/empty", 01777), 0);
	assert_int_equal(chmod("zoo/plain", 0), 0);
	assert_int_equal(link("zoo/setuid", "zoo/a/hard"), 0);
	assert_int_equal(symlink("nowhere", "zoo/dangling"), 0);
	assert_int_equal(symlink("a", "zoo/to-directory"), 0);
	assert_int_equal(symlink("..", "zoo/a/up"), 0);
	assert_int_equal(mkfifo("zoo/fifo", 0620), 0);
	make_socket("zoo/socket");
	assert_int_equal(chdir("zoo/a"), 0);
	make_file(longest);
	assert_int_equal(chdir("../.."), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown("zoo/a/b/c/deep", 1001, 1002), 0);
		assert_int_equal(lchown("zoo/dangling", 1003, 1003), 0);
		assert_int_equal(mknod("zoo/device", S_IFCHR | 0600, makedev(1, 3)), 0);
		assert_int_equal(mknod("zoo/disk", S_IFBLK | 0600, makedev(7, 200)), 0);
	}
}

/* ---- Sets of lines ---- */

struct lines {
	char **v;
	size_t n, cap;
};

static void add_line(struct lines *lines, const char *path, const char *facts) {
	if (lines->n == lines->cap) {
		lines->cap = lines->cap ? 2 * lines->cap : 64;
		lines->v = realloc(lines->v, lines->cap * sizeof(*lines->v));
		assert_non_null(lines->v);
	}
	assert_true(asprintf(&lines->v[lines->n], "%s [%s]", path, facts) > 0);
	lines->n++;
}

static void release_lines(struct lines *lines) {
	for (size_t i = 0; i < lines->n; i++) {
		free(lines->v[i]);
	}
	free(lines->v);
	*lines = (struct lines){0};
}

static int compare_lines(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void assert_same_lines(struct lines *got, struct lines *want) {
	if (want->n > 0) {
		qsort(want->v, want->n, sizeof(*want->v), compare_lines);
	}
	if (got->n > 0) {
		qsort(got->v, got->n, sizeof(*got->v), compare_lines);
	}
	for (size_t i = 0; i < got->n && i < want->n; i++) {
		assert_string_equal(got->v[i], want->v[i]);
	}
	assert_int_equal(got->n, want->n);
}

/* nftw has no context. */
static struct {
	struct lines *lines;
	size_t skip;
	int depth;
	const char *without;
} walked;

static int see_walked(const char *path, const struct stat *st, int type, struct FTW *at) {
	char facts[64];
	const char *below = path + walked.skip;
	below += *below == '/';
	if (walked.without && !strncmp(below, walked.without, strlen(walked.without))) {
		return 0;
	}
	if (type != FTW_NS && at->level <= walked.depth) {
		(void)snprintf(facts, sizeof(facts), "%o %u:%u %u", st->st_mode, st->st_uid,
			st->st_gid, (unsigned)at->level);
		add_line(walked.lines, below, facts);
	}
	return 0;
}

/** What nftw finds, down to a depth, without what begins with a prefix. */
static void walk(const char *root, int depth, const char *without, struct lines *lines) {
	walked.lines = lines;
	walked.skip = strlen(root);
	walked.depth = depth;
	walked.without = without;
	assert_int_equal(nftw(root, see_walked, 64, FTW_PHYS), 0);
}

/* ---- Scanning ---- */

/** The options of a scan of everything. */
static struct br_scan_options everything(unsigned threads) {
	return (struct br_scan_options){.threads = threads, .depth = UINT_MAX, .leave = true};
}

typedef void see_entry(void *context, const struct br_entry *entry);

/** Scans go on in a process of their own. */
static bool apart;

static int scan_fd(int root, const struct br_scan_options *given, see_entry *see, void *context) {
	struct br_scan_options here = *given;
	const struct br_scan_options *options = &here;
	here.may_hang = apart;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	br_auto(br_scan_freep) struct br_scan *scan =
		acls ? br_scan_new(root, acls, options) : NULL;
	if (!scan) {
		return -1;
	}
	const struct br_entry *entry = NULL;
	int more = 0;
	while ((more = br_scan_next(scan, &entry)) > 0) {
		see(context, entry);
	}
	return more;
}

static void scan(
	const char *path, const struct br_scan_options *options, see_entry *see, void *context) {
	br_auto(br_closep) int root = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	assert_true(root >= 0);
	assert_int_equal(scan_fd(root, options, see, context), 0);
}

/** Entries as lines in the form of see_walked. */
static void see_line(void *context, const struct br_entry *entry) {
	char facts[64];
	if (entry->event == BR_LEAVE) {
		return;
	}
	assert_int_equal(entry->err, 0);
	assert_non_null(entry->inode);
	assert_int_equal(strlen(entry->path), entry->path_len);
	(void)snprintf(facts, sizeof(facts), "%o %u:%u %u", entry->inode->mode, entry->inode->uid.v,
		entry->inode->gid.v, entry->depth);
	add_line(context, entry->path, facts);
}

static const unsigned some_threads[] = {0, 1, 2, 8};

static void every_type_as_nftw_sees_it(void **state) {
	(void)state;
	make_zoo();
	struct lines want = {0};
	walk("zoo", INT_MAX, NULL, &want);
	assert_true(want.n > 20);
	for (size_t i = 0; i < sizeof(some_threads) / sizeof(some_threads[0]); i++) {
		struct lines got = {0};
		const struct br_scan_options options = everything(some_threads[i]);
		scan("zoo", &options, see_line, &got);
		assert_same_lines(&got, &want);
		release_lines(&got);
	}
	release_lines(&want);
}

static void depth_is_respected(void **state) {
	(void)state;
	make_zoo();
	for (int depth = 0; depth < 5; depth++) {
		struct lines want = {0};
		struct lines got = {0};
		struct br_scan_options options = everything(2);
		options.depth = (unsigned)depth;
		walk("zoo", depth, NULL, &want);
		scan("zoo", &options, see_line, &got);
		assert_same_lines(&got, &want);
		release_lines(&got);
		release_lines(&want);
	}
}

static bool begins_with(void *context, const char *path, const struct br_inode *inode) {
	assert_true(inode->mode != 0);
	return !strncmp(path, context, strlen(context));
}

static void excluded_is_left_out_with_what_is_below(void **state) {
	(void)state;
	static const char *const prefixes[] = {
		"a/b", "plain", "a", "...", "two\n", "a/b/c/deep", "none"};
	make_zoo();
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct lines want = {0};
		struct lines got = {0};
		struct br_scan_options options = everything(2);
		options.excludes = begins_with;
		options.context = (void *)(uintptr_t)prefixes[i];
		walk("zoo", INT_MAX, prefixes[i], &want);
		scan("zoo", &options, see_line, &got);
		assert_same_lines(&got, &want);
		release_lines(&got);
		release_lines(&want);
	}
}

static void root_may_be_anything(void **state) {
	(void)state;
	static const char *const paths[] = {
		"zoo/setuid", "zoo/fifo", "zoo/dangling", "zoo/socket", "zoo/empty"};
	make_zoo();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct lines want = {0};
		struct lines got = {0};
		const struct br_scan_options options = everything(2);
		walk(paths[i], INT_MAX, NULL, &want);
		scan(paths[i], &options, see_line, &got);
		assert_int_equal(got.n, 1);
		assert_same_lines(&got, &want);
		release_lines(&got);
		release_lines(&want);
	}
}

/* ---- Order ---- */

/** A directory that has been entered and not left. */
struct entered {
	char *path;
	uint64_t state;
	ino_t ino;
	unsigned entries;
};

struct order {
	void *live;
	uint64_t states;
	size_t enters, leaves, leaves_expected, nlive;
};

static int compare_entered(const void *a, const void *b) {
	return strcmp(((const struct entered *)a)->path, ((const struct entered *)b)->path);
}

static struct entered *find_entered(struct order *order, const char *path, size_t len) {
	char *key = strndup(path, len);
	assert_non_null(key);
	const struct entered wanted = {.path = key};
	struct entered **found = tfind(&wanted, &order->live, compare_entered);
	free(key);
	return found ? *found : NULL;
}

/** The directory that holds the entry must be live; the root has none. */
static struct entered *holder_of(struct order *order, const struct br_entry *entry) {
	if (entry->depth == 0) {
		assert_string_equal(entry->path, "");
		assert_string_equal(entry->name, "");
		assert_null(entry->parent);
		return NULL;
	}
	const char *slash = strrchr(entry->path, '/');
	assert_string_equal(slash ? slash + 1 : entry->path, entry->name);
	struct entered *holder =
		find_entered(order, entry->path, slash ? (size_t)(slash - entry->path) : 0);
	assert_non_null(holder);
	assert_non_null(entry->parent);
	assert_int_equal(entry->parent->ino, holder->ino);
	return holder;
}

static void see_enter(struct order *order, const struct br_entry *entry) {
	struct entered *holder = holder_of(order, entry);
	assert_null(find_entered(order, entry->path, entry->path_len));
	assert_true(S_ISDIR(entry->inode->mode));
	assert_int_equal(*entry->state, holder ? holder->state : 0);
	struct entered *entered = calloc(1, sizeof(*entered));
	assert_non_null(entered);
	entered->path = strdup(entry->path);
	entered->ino = entry->inode->ino;
	/* Every third keeps what it inherited. */
	if (++order->states % 3) {
		*entry->state = order->states;
	}
	entered->state = *entry->state;
	assert_non_null(tsearch(entered, &order->live, compare_entered));
	if (holder) {
		holder->entries++;
	}
	order->enters++;
	order->nlive++;
}

static void see_leave(struct order *order, const struct br_entry *entry) {
	struct entered *entered = find_entered(order, entry->path, entry->path_len);
	assert_non_null(entered);
	assert_int_equal(entered->entries, 0);
	assert_int_equal(*entry->state, entered->state);
	assert_int_equal(entry->inode->ino, entered->ino);
	assert_int_equal(entry->err, 0);
	struct entered *holder = holder_of(order, entry);
	if (holder) {
		holder->entries--;
	}
	assert_non_null(tdelete(entered, &order->live, compare_entered));
	free(entered->path);
	free(entered);
	order->leaves++;
	order->nlive--;
}

static void see_order(void *context, const struct br_entry *entry) {
	struct order *order = context;
	switch (entry->event) {
	case BR_ENTER:
		see_enter(order, entry);
		break;
	case BR_LEAVE:
		see_leave(order, entry);
		break;
	case BR_LEAF:
		assert_false(S_ISDIR(entry->inode->mode));
		struct entered *holder = holder_of(order, entry);
		assert_int_equal(*entry->state, holder ? holder->state : 0);
		break;
	}
}

/** A tree with directories of all sizes: n levels of n directories. */
static size_t make_bush(const char *path, unsigned levels, unsigned width) {
	char below[PATH_MAX];
	size_t n = 1;
	make_dir(path);
	make_files(path, width);
	for (unsigned i = 0; levels > 0 && i < width; i++) {
		(void)snprintf(below, sizeof(below), "%s/d%u", path, i);
		n += make_bush(below, levels - 1, width);
	}
	return n;
}

static void enter_comes_before_and_leave_after(void **state) {
	(void)state;
	size_t dirs = make_bush("bush", 4, 5);
	/* More than one listing holds, so that it is shared. */
	make_dir("bush/large");
	make_files("bush/large", 4000);
	for (unsigned i = 0; i < 3000; i++) {
		char path[64];
		(void)snprintf(path, sizeof(path), "bush/large/dir-%u", i);
		make_dir(path);
	}
	dirs += 3001;
	for (unsigned threads = 1; threads <= 8; threads *= 2) {
		struct order order = {0};
		const struct br_scan_options options = everything(threads);
		scan("bush", &options, see_order, &order);
		assert_int_equal(order.enters, dirs);
		assert_int_equal(order.leaves, dirs);
		assert_int_equal(order.nlive, 0);
	}
}

static void see_no_leave(void *context, const struct br_entry *entry) {
	assert_int_not_equal(entry->event, BR_LEAVE);
	++*(size_t *)context;
}

static void leave_only_where_asked(void **state) {
	(void)state;
	size_t n = 0;
	size_t dirs = make_bush("bush", 2, 3);
	struct br_scan_options options = everything(2);
	options.leave = false;
	scan("bush", &options, see_no_leave, &n);
	assert_int_equal(n, dirs * 4);
}

/* ---- Size ---- */

struct count {
	size_t leaves, enters, errors, mounts;
	unsigned depth;
	size_t path_len;
	size_t most_open;
	unsigned nap;
	int err;
};

static void see_count(void *context, const struct br_entry *entry) {
	struct count *count = context;
	count->enters += entry->event == BR_ENTER;
	count->leaves += entry->event == BR_LEAF;
	count->errors += entry->err != 0;
	count->err = entry->err ? entry->err : count->err;
	count->mounts += entry->mount_point;
	count->depth = entry->depth > count->depth ? entry->depth : count->depth;
	count->path_len = entry->path_len > count->path_len ? entry->path_len : count->path_len;
	if (count->nap && count->leaves % count->nap == 0) {
		(void)usleep(1000);
	}
}

/** Descend `n` levels of a name, with `side` further directories and a file on each. */
static void make_chain(unsigned n, const char *name, unsigned side) {
	char other[16];
	int fd = open(".", O_PATH | O_CLOEXEC);
	assert_true(fd >= 0);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		for (unsigned k = 0; k < side; k++) {
			(void)snprintf(other, sizeof(other), "%c%u", k % 2 ? 'a' : 'z', k);
			assert_int_equal(mkdirat(fd, other, 0755), 0);
		}
		int next = openat(fd, name, O_PATH | O_CLOEXEC);
		assert_true(next >= 0);
		assert_int_equal(close(fd), 0);
		fd = next;
	}
	assert_int_equal(close(fd), 0);
}

static void chain_of_five_thousand(void **state) {
	(void)state;
	char name[201];
	memset(name, 'n', 200);
	name[200] = '\0';
	make_dir("chain");
	assert_int_equal(chdir("chain"), 0);
	make_chain(5000, name, 0);
	assert_int_equal(chdir(".."), 0);
	struct br_scan_options options = everything(2);
	for (int watched = 0; watched < 2; watched++) {
		struct count count = {0};
		options.may_hang = watched;
		scan("chain", &options, see_count, &count);
		assert_int_equal(count.enters, 5001);
		assert_int_equal(count.errors, 0);
		assert_int_equal(count.depth, 5000);
		assert_int_equal(count.path_len, 5000 * 201 - 1);
	}
	// All their paths together are 2.5 GB.
	struct rusage used;
	assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
	assert_in_range(used.ru_maxrss, 0, 1 << 20);
}

/** What a file system made up could go on like that. */
static void deeper_than_any_tree(void **state) {
	(void)state;
	make_dir("chain");
	assert_int_equal(chdir("chain"), 0);
	make_chain((16 << 10) + 2, "n", 0);
	assert_int_equal(chdir(".."), 0);
	struct count count = {0};
	const struct br_scan_options options = everything(1);
	scan("chain", &options, see_count, &count);
	assert_int_equal(count.enters, (16 << 10) + 2);
	assert_int_equal(count.errors, 1);
	assert_int_equal(count.err, ENAMETOOLONG);
}

static void wider_than_any_tree(void **state) {
	(void)state;
	char name[16];
	make_dir("wide");
	assert_int_equal(chdir("wide"), 0);
	for (unsigned i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		make_dir(name);
	}
	assert_int_equal(chdir(".."), 0);
	struct br_scan_options options = everything(1);
	for (int watched = 0; watched < 2; watched++) {
		struct count count = {0};
		options.may_hang = watched;
		options.waiting = 1000;
		scan("wide", &options, see_count, &count);
		assert_in_range(count.enters, 1000, 4000);
		assert_int_equal(count.errors, 1);
		assert_int_equal(count.err, EOVERFLOW);
		// Then none waits any more.
		options.waiting = 5001;
		count = (struct count){0};
		scan("wide", &options, see_count, &count);
		assert_int_equal(count.enters, 5001);
		assert_int_equal(count.errors, 0);
	}
}

/** Run a piece of a test in a process of its own; it says what happened by its exit status. */
static int in_child(int (*body)(void)) {
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		_exit(body());
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define EXPECT(condition) \
	do { \
		if (!(condition)) { \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			return 1; \
		} \
	} while (0)

static int scan_comb_with_few_descriptors(void) {
	const struct rlimit few = {.rlim_cur = 64, .rlim_max = 64};
	EXPECT(!setrlimit(RLIMIT_NOFILE, &few));
	for (unsigned threads = 1; threads <= 4; threads *= 2) {
		struct count count = {0};
		const struct br_scan_options options = everything(threads);
		br_auto(br_closep) int root = open("comb", O_PATH | O_CLOEXEC);
		EXPECT(!scan_fd(root, &options, see_count, &count));
		EXPECT(count.errors == 0);
		EXPECT(count.enters == 1 + 5 * 600);
	}
	return 0;
}

static void descriptors_are_bounded(void **state) {
	(void)state;
	make_dir("comb");
	assert_int_equal(chdir("comb"), 0);
	make_chain(600, "middle-of-the-comb", 4);
	assert_int_equal(chdir(".."), 0);
	assert_int_equal(in_child(scan_comb_with_few_descriptors), 0);
}

/** Peak resident memory in KiB. */
static long peak_memory(void) {
	char line[256];
	long peak = -1;
	br_auto(br_fclosep) FILE *f = fopen("/proc/self/status", "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "VmHWM:", 6)) {
			peak = strtol(line + 6, NULL, 10);
		}
	}
	return peak;
}

static int scan_slowly(void) {
	/* The high-water mark starts again at what is resident now. */
	br_auto(br_fclosep) FILE *f = fopen("/proc/self/clear_refs", "we");
	if (!f || fputs("5", f) < 0 || fflush(f)) {
		return 77;
	}
	long before = peak_memory();
	/* The workers are far ahead of somebody who naps. */
	struct count count = {.nap = 2000};
	const struct br_scan_options options = everything(4);
	br_auto(br_closep) int root = open("many", O_PATH | O_CLOEXEC);
	EXPECT(!scan_fd(root, &options, see_count, &count));
	EXPECT(count.leaves == 200000);
	EXPECT(count.enters == 3);
	long grown = peak_memory() - before;
	(void)printf("scan of 200000 files: %ld KiB more\n", grown);
	EXPECT(before > 0);
	EXPECT(SANITIZED || grown < 16 * 1024);
	return 0;
}

static void memory_does_not_grow_with_files(void **state) {
	(void)state;
	make_dir("many");
	make_dir("many/a");
	make_dir("many/b");
	make_files("many/a", 150000);
	make_files("many/b", 50000);
	int rc = in_child(scan_slowly);
	if (rc == 77) {
		print_message("skipped: the kernel keeps no resettable high-water mark\n");
		skip();
	}
	assert_int_equal(rc, 0);
}

/* ---- What gets in the way ---- */

struct blocked {
	unsigned shut, unlisted, dir_unread, file_unread, below_shut, reachable;
};

static void see_blocked(void *context, const struct br_entry *entry) {
	struct blocked *seen = context;
	bool enter = entry->event == BR_ENTER;
	if (entry->event == BR_LEAVE) {
		return;
	}
	if (!strcmp(entry->path, "shut")) {
		seen->shut += enter && entry->err == EACCES && entry->inode
			&& (entry->inode->mode & 07777) == 0700;
	} else if (!strcmp(entry->path, "pass")) {
		seen->unlisted += enter && entry->err == EACCES && entry->inode;
	} else if (!strcmp(entry->path, "look/dir")) {
		seen->dir_unread += enter && entry->err == EACCES && !entry->inode && entry->parent;
	} else if (!strcmp(entry->path, "look/file")) {
		seen->file_unread +=
			!enter && entry->err == EACCES && !entry->inode && entry->parent;
	} else if (!strncmp(entry->path, "shut/", 5) || !strncmp(entry->path, "pass/", 5)) {
		seen->below_shut++;
	} else if (!strcmp(entry->path, "after")) {
		seen->reachable += !enter && !entry->err && entry->inode;
	}
}

static int scan_as_nobody(void) {
	EXPECT(!setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY));
	for (unsigned threads = 1; threads <= 2; threads++) {
		struct blocked seen = {0};
		const struct br_scan_options options = everything(threads);
		br_auto(br_closep) int root = open("tree", O_PATH | O_CLOEXEC);
		EXPECT(root >= 0);
		EXPECT(!scan_fd(root, &options, see_blocked, &seen));
		EXPECT(seen.shut == 1);
		EXPECT(seen.unlisted == 1);
		EXPECT(seen.dir_unread == 1);
		EXPECT(seen.file_unread == 1);
		EXPECT(seen.below_shut == 0);
		EXPECT(seen.reachable == 1);
	}
	return 0;
}

static void closed_directories_are_told(void **state) {
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: becoming another user needs root\n");
		skip();
	}
	make_dir("tree");
	make_dir("tree/shut");
	make_file("tree/shut/file");
	make_dir("tree/pass");
	make_file("tree/pass/file");
	make_dir("tree/look");
	make_dir("tree/look/dir");
	make_file("tree/look/file");
	make_file("tree/after");
	assert_int_equal(chmod("tree/shut", 0700), 0);
	assert_int_equal(chmod("tree/pass", 0711), 0);
	assert_int_equal(chmod("tree/look", 0744), 0);
	assert_int_equal(in_child(scan_as_nobody), 0);
}

/** 0, or 77 where the kernel does not let us. */
static int enter_namespace(void) {
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		return 77;
	}
	return 0;
}

static void see_mounts(void *context, const struct br_entry *entry) {
	struct count *count = context;
	see_count(context, entry);
	if (entry->mount_point && entry->inode) {
		count->errors++;
	}
	if (entry->mount_point && entry->event == BR_LEAF && strcmp(entry->path, "file")) {
		count->errors++;
	}
}

static int scan_mounts(void) {
	if (enter_namespace()) {
		return 77;
	}
	EXPECT(!mount("none", "tree/sub/here", "tmpfs", 0, NULL));
	make_file("tree/sub/here/hidden");
	EXPECT(!mount("other", "tree/file", NULL, MS_BIND, NULL));
	EXPECT(!mount("tree/plain", "tree/same", NULL, MS_BIND, NULL));
	struct br_scan_options options = everything(2);
	struct count count = {0};
	br_auto(br_closep) int root = open("tree", O_PATH | O_CLOEXEC);
	EXPECT(!scan_fd(root, &options, see_mounts, &count));
	/* tree, plain, same (mounted), sub, here (mounted); file (mounted), plain's one. */
	EXPECT(count.enters == 5);
	EXPECT(count.leaves == 2);
	EXPECT(count.errors == 0);
	/* Two directories, each told on entering and on leaving, and a file. */
	EXPECT(count.mounts == 5);
	options.cross = true;
	count = (struct count){0};
	EXPECT(!scan_fd(root, &options, see_mounts, &count));
	EXPECT(count.enters == 5);
	EXPECT(count.leaves == 4);
	EXPECT(count.errors == 0);
	EXPECT(count.mounts == 0);
	/* The root itself may be a mount point. */
	br_auto(br_closep) int here = open("tree/sub/here", O_PATH | O_CLOEXEC);
	options.cross = false;
	count = (struct count){0};
	EXPECT(!scan_fd(here, &options, see_mounts, &count));
	EXPECT(count.enters == 1);
	EXPECT(count.leaves == 1);
	EXPECT(count.mounts == 0);
	return 0;
}

static void make_mount_tree(void) {
	make_dir("tree");
	make_dir("tree/sub");
	make_dir("tree/sub/here");
	make_dir("tree/plain");
	make_dir("tree/same");
	make_file("tree/plain/x");
	make_file("tree/file");
	make_file("other");
}

static void mount_points_are_told_and_not_entered(void **state) {
	(void)state;
	make_mount_tree();
	int rc = in_child(scan_mounts);
	if (rc == 77) {
		print_message("skipped: no mount namespace of our own\n");
		skip();
	}
	assert_int_equal(rc, 0);
}

/** A file system whose server never answers: whoever asks it anything waits for ever. */
static int scan_silent_server(void) {
	if (enter_namespace()) {
		return 77;
	}
	char data[128];
	int server = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	(void)snprintf(data, sizeof(data), "fd=%d,rootmode=40000,user_id=0,group_id=0", server);
	if (server < 0 || mount("silent", "tree/sub/here", "fuse", 0, data)) {
		return 77;
	}
	/* Of what hangs, not of what is slow. */
	(void)alarm(100);
	struct br_scan_options options = everything(2);
	struct count count = {0};
	br_auto(br_closep) int root = open("tree", O_PATH | O_CLOEXEC);
	EXPECT(!scan_fd(root, &options, see_mounts, &count));
	EXPECT(count.errors == 0);
	EXPECT(count.mounts == 2);
	/* Nor where nothing below it would be looked at. */
	options.depth = 2;
	count = (struct count){0};
	EXPECT(!scan_fd(root, &options, see_mounts, &count));
	EXPECT(count.mounts == 2);
	return 0;
}

static void silent_server_does_not_stop_the_walk(void **state) {
	(void)state;
	make_mount_tree();
	int rc = in_child(scan_silent_server);
	if (rc == 77) {
		print_message("skipped: FUSE cannot be mounted here\n");
		skip();
	}
	assert_int_equal(rc, 0);
}

/** Swap, remove and make things below tree/ until killed. */
static void meddle(void) {
	char path[64];
	for (unsigned i = 0;; i++) {
		unsigned k = i % 20;
		(void)renameat2(AT_FDCWD, "tree/d0", AT_FDCWD, "link", RENAME_EXCHANGE);
		(void)renameat2(
			AT_FDCWD, "tree/d1/d0", AT_FDCWD, "tree/d2/file-000000", RENAME_EXCHANGE);
		(void)snprintf(path, sizeof(path), "tree/d%u/d%u/come-and-go", k % 4, k % 3);
		(void)(i % 2 ? mkdir(path, 0755) : rmdir(path));
		(void)snprintf(path, sizeof(path), "tree/d%u/file-%06u", k % 4, k % 3);
		if (unlink(path)) {
			int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
			(void)(fd < 0 ? 0 : close(fd));
		}
	}
}

struct meddled {
	unsigned outside, errors;
	int err;
};

static void see_inside(void *context, const struct br_entry *entry) {
	struct meddled *seen = context;
	seen->outside += strstr(entry->path, "secret") != NULL;
	/* A directory that was moved while it was to be opened anew, and nothing else. */
	if (entry->err && entry->err != ESTALE) {
		seen->errors++;
		seen->err = entry->err;
	}
}

static void renames_do_not_lead_out(void **state) {
	(void)state;
	struct meddled seen = {0};
	make_bush("tree", 3, 4);
	make_dir("outside");
	make_file("outside/secret");
	assert_int_equal(symlink("../outside", "link"), 0);
	const pid_t parent = getpid();
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* A test that fails leaves nobody behind who goes on for ever. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) {
			_exit(1);
		}
		meddle();
	}
	br_auto(br_closep) int root = open("tree", O_PATH | O_CLOEXEC);
	int rc = 0;
	for (unsigned i = 0; i < 300; i++) {
		const struct br_scan_options options = everything(1 + i % 4);
		rc |= scan_fd(root, &options, see_inside, &seen);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(rc, 0);
	assert_int_equal(seen.outside, 0);
	assert_int_equal(seen.err, 0);
}

static void scan_may_end_early(void **state) {
	(void)state;
	make_bush("bush", 3, 6);
	make_dir("bush/large");
	make_files("bush/large", 40000);
	for (unsigned i = 0; i < 60; i++) {
		const struct br_scan_options options = everything(1 + i % 4);
		br_auto(br_closep) int root = open("bush", O_PATH | O_CLOEXEC);
		br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
		br_auto(br_scan_freep) struct br_scan *scan = br_scan_new(root, acls, &options);
		assert_non_null(scan);
		const struct br_entry *entry = NULL;
		for (unsigned k = 0; k < i * 50; k++) {
			assert_int_equal(br_scan_next(scan, &entry), 1);
		}
	}
}

/* ---- Attributes ---- */

enum {
	TAG_OWNER = 1,
	TAG_USER = 2,
	TAG_GROUP = 4,
	TAG_MASK = 16,
	TAG_OTHER = 32,
};

static size_t put_entry(unsigned char *at, unsigned tag, unsigned perm, uint32_t id) {
	const unsigned char entry[8] = {(unsigned char)tag, 0, (unsigned char)perm, 0,
		(unsigned char)id, (unsigned char)(id >> 8), (unsigned char)(id >> 16),
		(unsigned char)(id >> 24)};
	memcpy(at, entry, sizeof(entry));
	return sizeof(entry);
}

/** u::rw-, `n` users from 5000 on r--, g::r--, m::rw-, o::---. 0, or -1 with errno. */
static int set_acl(const char *path, const char *name, uint32_t n) {
	unsigned char *blob = malloc(4 + 8 * (4 + (size_t)n));
	assert_non_null(blob);
	size_t at = 4;
	memcpy(blob, "\2\0\0\0", 4);
	at += put_entry(blob + at, TAG_OWNER, 6, UINT32_MAX);
	for (uint32_t i = 0; i < n; i++) {
		at += put_entry(blob + at, TAG_USER, 4, 5000 + i);
	}
	at += put_entry(blob + at, TAG_GROUP, 4, UINT32_MAX);
	at += put_entry(blob + at, TAG_MASK, 6, UINT32_MAX);
	at += put_entry(blob + at, TAG_OTHER, 0, UINT32_MAX);
	int rc = setxattr(path, name, blob, at, 0);
	free(blob);
	return rc;
}

static bool ends_in_acl(void *context, const char *path, const struct br_inode *inode) {
	(void)context;
	size_t len = strlen(path);
	return inode->mode && len >= 4 && !strcmp(path + len - 4, ".acl");
}

static void see_attributes(void *context, const struct br_entry *entry) {
	unsigned *seen = context;
	if (entry->event == BR_LEAVE) {
		return;
	}
	assert_int_equal(entry->err, 0);
	if (!ends_in_acl(NULL, entry->path, entry->inode)) {
		assert_int_equal(entry->inode->have, 0);
		assert_null(entry->inode->acl);
		return;
	}
	assert_int_equal(entry->inode->have, BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS);
	size_t named = 0;
	size_t inherited = 0;
	if (!strcmp(entry->name, "one.acl")) {
		named = 1;
	} else if (!strcmp(entry->name, "many.acl")) {
		named = 300;
	} else if (!strcmp(entry->name, "dir.acl")) {
		named = 2;
		inherited = 3;
	}
	assert_int_equal(entry->inode->acl ? entry->inode->acl->n : 0, named ? named + 4 : 0);
	assert_int_equal(
		entry->inode->def ? entry->inode->def->n : 0, inherited ? inherited + 4 : 0);
	const struct br_acl *acl = entry->inode->acl;
	for (size_t i = 0; i < named; i++) {
		assert_int_equal(acl->entries[1 + i].tag, BR_ACL_USER);
		assert_int_equal(acl->entries[1 + i].id.v, 5000 + i);
	}
	bool has_caps = !strcmp(entry->name, "ping.acl") && geteuid() == 0;
	assert_int_equal(entry->inode->caps ? entry->inode->caps->n : 0, has_caps ? 20 : 0);
	++*seen;
}

static void wanted_attributes_are_read(void **state) {
	(void)state;
	/* VFS_CAP_REVISION_2 with CAP_NET_RAW permitted (linux/capability.h). */
	static const unsigned char caps[20] = {1, 0, 0, 2, 0, 0x20};
	make_dir("tree");
	make_dir("tree/dir.acl");
	make_dir("tree/dir");
	make_file("tree/dir/one.acl");
	make_file("tree/dir/many.acl");
	make_file("tree/dir/none.acl");
	make_file("tree/dir/other");
	make_file("tree/ping.acl");
	assert_int_equal(symlink("one", "tree/dir/link.acl"), 0);
	if (set_acl("tree/dir/one.acl", "system.posix_acl_access", 1)) {
		print_message("skipped: no ACLs on this file system\n");
		skip();
	}
	assert_int_equal(set_acl("tree/dir/other", "system.posix_acl_access", 1), 0);
	assert_int_equal(set_acl("tree/dir/many.acl", "system.posix_acl_access", 300), 0);
	assert_int_equal(set_acl("tree/dir.acl", "system.posix_acl_access", 2), 0);
	assert_int_equal(set_acl("tree/dir.acl", "system.posix_acl_default", 3), 0);
	if (geteuid() == 0) {
		assert_int_equal(
			setxattr("tree/ping.acl", "security.capability", caps, sizeof(caps), 0), 0);
	}
	for (unsigned threads = 1; threads <= 2; threads++) {
		unsigned seen = 0;
		struct br_scan_options options = everything(threads);
		options.want = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS;
		options.wants = ends_in_acl;
		scan("tree", &options, see_attributes, &seen);
		assert_int_equal(seen, 6);
	}
}

/** For every inode but those with a set-group-ID bit, or owned by 7; counts how often it was asked.
 */
static bool is_plain(void *context, const char *path, const struct br_inode *inode) {
	atomic_uint *asked = context;
	assert_string_equal(path, "");
	(void)atomic_fetch_add(asked, 1);
	return !(inode->mode & S_ISGID) && inode->uid.v != 7;
}

static void see_plain(void *context, const struct br_entry *entry) {
	unsigned *seen = context;
	bool plain = !(entry->inode->mode & S_ISGID) && entry->inode->uid.v != 7;
	assert_int_equal(entry->inode->have, plain ? BR_HAVE_ACL : 0);
	++*seen;
}

static void alike_is_asked_once(void **state) {
	(void)state;
	char name[32];
	make_dir("tree");
	for (unsigned i = 0; i < 400; i++) {
		(void)snprintf(name, sizeof(name), "tree/%u", i);
		make_file(name);
		mode_t mode = i % 100 == 50 ? 02644 : 0644;
		assert_int_equal(chmod(name, mode), 0);
		assert_true(i % 100 != 70 || geteuid() != 0 || chown(name, 7, (gid_t)-1) == 0);
	}
	for (unsigned threads = 1; threads <= 2; threads++) {
		unsigned seen = 0;
		atomic_uint asked;
		atomic_init(&asked, 0);
		struct br_scan_options options = everything(threads);
		options.want = BR_HAVE_ACL;
		options.wants = is_plain;
		options.wants_alike = true;
		options.context = &asked;
		scan("tree", &options, see_plain, &seen);
		/* The root comes twice. */
		assert_int_equal(seen, 402);
		/* Each of the eight that differ costs two, and each worker's beginning one. */
		assert_true(atomic_load(&asked) < 40);
	}
}

/* ---- No memory ---- */

static void see_nothing(void *context, const struct br_entry *entry) {
	(void)context;
	(void)entry;
}

static int scan_without_memory(int root, unsigned threads) {
	struct br_scan_options options = everything(threads);
	options.want = BR_HAVE_ACL;
	options.wants = ends_in_acl;
	return scan_fd(root, &options, see_nothing, NULL);
}

static void every_failed_allocation_ends_it_cleanly(void **state) {
	(void)state;
	make_bush("bush", 2, 3);
	make_file("bush/x.acl");
	(void)set_acl("bush/x.acl", "system.posix_acl_access", 20);
	br_auto(br_closep) int root = open("bush", O_PATH | O_CLOEXEC);
	for (unsigned threads = 1; threads <= 2; threads++) {
		FAULT_EACH(i, {
			errno = 0;
			int rc = scan_without_memory(root, threads);
			assert_true(rc == 0 || errno == ENOMEM);
			assert_true(rc == -1 || !fault_hit());
		})
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(every_type_as_nftw_sees_it),
		TEST(depth_is_respected),
		TEST(alike_is_asked_once),
		TEST(excluded_is_left_out_with_what_is_below),
		TEST(root_may_be_anything),
		TEST(enter_comes_before_and_leave_after),
		TEST(leave_only_where_asked),
		TEST(chain_of_five_thousand),
		TEST(deeper_than_any_tree),
		TEST(wider_than_any_tree),
		TEST(descriptors_are_bounded),
		TEST(memory_does_not_grow_with_files),
		TEST(closed_directories_are_told),
		TEST(mount_points_are_told_and_not_entered),
		TEST(silent_server_does_not_stop_the_walk),
		TEST(renames_do_not_lead_out),
		TEST(scan_may_end_early),
		TEST(wanted_attributes_are_read),
		TEST(every_failed_allocation_ends_it_cleanly),
#undef TEST
	};
	// What does not look into the process itself, nor starts hundreds.
	const struct CMUnitTest again[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(every_type_as_nftw_sees_it),
		TEST(depth_is_respected),
		TEST(excluded_is_left_out_with_what_is_below),
		TEST(root_may_be_anything),
		TEST(enter_comes_before_and_leave_after),
		TEST(leave_only_where_asked),
		TEST(closed_directories_are_told),
		TEST(mount_points_are_told_and_not_entered),
		TEST(silent_server_does_not_stop_the_walk),
		TEST(wanted_attributes_are_read),
#undef TEST
	};
	int failed = cmocka_run_group_tests_name("scan", tests, NULL, NULL);
	apart = true;
	return failed + cmocka_run_group_tests_name("scan apart", again, NULL, NULL);
}
