#include <base/file.h>
#include <base/own.h>
#include <base/sandbox.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	/** So many seconds are waited for what must come, on however busy a machine. */
	PATIENCE = 60,
};

/** Run f, which gets no inputs. */
static int run(br_confined *f, void *context, char **bytes, size_t *n) {
	const struct br_confine confine = {.run = f, .context = context, .seconds = 20};
	return br_confine_run(&confine, bytes, n);
}

static int answer_size(void *context, const int *in, struct br_buf *out) {
	const size_t *n = context;
	(void)in;
	for (size_t i = 0; i < *n; i++) {
		br_buf_addc(out, (char)(i * 31));
	}
	return 0;
}

static void test_answers(void **state) {
	(void)state;
	static size_t sizes[] = {0, 1, 65536, 1000003, BR_CONFINE_ANSWER};
	for (size_t i = 0; i < COUNT(sizes); i++) {
		br_auto(br_freep) char *bytes = NULL;
		size_t n = 99;
		assert_int_equal(run(answer_size, &sizes[i], &bytes, &n), 0);
		assert_int_equal(n, sizes[i]);
		assert_int_equal(bytes[n], 0);
		for (size_t j = 0; j < n; j++) {
			if (bytes[j] != (char)(j * 31)) {
				fail_msg("byte %zu of %zu", j, n);
			}
		}
	}
	size_t more = BR_CONFINE_ANSWER + 1;
	char *bytes = NULL;
	size_t n = 0;
	assert_int_equal(run(answer_size, &more, &bytes, &n), -1);
	assert_int_equal(errno, EFBIG);
	assert_null(bytes);
}

static int answer_error(void *context, const int *in, struct br_buf *out) {
	(void)in;
	br_buf_add(out, "not to be seen");
	return *(int *)context;
}

static void test_errors(void **state) {
	(void)state;
	static struct {
		int given, got;
	} cases[] = {{EINVAL, EINVAL}, {4095, 4095}, {4096, EPROTO}, {-1, EPROTO}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *bytes = NULL;
		size_t n = 0;
		assert_int_equal(run(answer_error, &cases[i].given, &bytes, &n), -1);
		assert_int_equal(errno, cases[i].got);
		assert_null(bytes);
	}
}

/** Copies its inputs, one after the other. */
static int copy_inputs(void *context, const int *in, struct br_buf *out) {
	const size_t *nin = context;
	for (size_t i = 0; i < *nin; i++) {
		size_t n = 0;
		br_auto(br_freep) char *bytes = br_read_fd(in[i], 1 << 20, &n);
		if (!bytes) {
			return errno;
		}
		br_buf_addn(out, bytes, n);
		br_buf_addc(out, '.');
	}
	return 0;
}

static int pipe_with(const char *word) {
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(br_write_all(ends[1], word, strlen(word)), 0);
	assert_int_equal(close(ends[1]), 0);
	return ends[0];
}

static void test_inputs(void **state) {
	(void)state;
	// In an order that a careless renumbering would overwrite.
	int in[4] = {pipe_with("a"), pipe_with("b"), pipe_with("c"), pipe_with("d")};
	int turned[4] = {in[3], in[1], in[2], in[0]};
	size_t nin = 4;
	const struct br_confine confine = {
		.run = copy_inputs, .context = &nin, .in = turned, .nin = nin};
	br_auto(br_freep) char *bytes = NULL;
	size_t n = 0;
	assert_int_equal(br_confine_run(&confine, &bytes, &n), 0);
	assert_string_equal(bytes, "d.b.c.a.");
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(close(in[i]), 0);
	}
	int many[BR_CONFINE_INPUTS + 1] = {0};
	const struct br_confine too_many = {.run = copy_inputs, .in = many, .nin = COUNT(many)};
	assert_int_equal(br_confine_run(&too_many, &bytes, &n), -1);
	assert_int_equal(errno, EINVAL);
	const int bad = 9999;
	const struct br_confine not_open = {.run = copy_inputs, .in = &bad, .nin = 1};
	assert_int_equal(br_confine_run(&not_open, &bytes, &n), -1);
	assert_int_equal(errno, EBADF);
}

static int write_memory(void *context, const int *in, struct br_buf *out) {
	(void)in;
	(void)out;
	*(int *)context = 7;
	return 0;
}

static void test_memory_is_its_own(void **state) {
	(void)state;
	int number = 1;
	br_auto(br_freep) char *bytes = NULL;
	size_t n = 0;
	assert_int_equal(run(write_memory, &number, &bytes, &n), 0);
	assert_int_equal(number, 1);
}

static int lie(void *context, const int *in, struct br_buf *out) {
	(void)in;
	(void)out;
	const char *bytes = context;
	// Past the frame, on its own account, to the answer's descriptor.
	return br_write_all(3, bytes, strlen(bytes)) ? errno : 0;
}

static int die(void *context, const int *in, struct br_buf *out) {
	(void)context;
	(void)in;
	(void)out;
	_exit(0);
}

static int crash(void *context, const int *in, struct br_buf *out) {
	(void)context;
	(void)in;
	(void)out;
	__builtin_trap();
}

/** A frame as the child could forge it, as sandbox.c lays it out. */
struct forged {
	uint32_t magic, crc, error, n;
	char bytes[4];
};

static int forge(void *context, const int *in, struct br_buf *out) {
	(void)in;
	(void)out;
	if (br_write_all(3, context, sizeof(struct forged))) {
		return errno;
	}
	_exit(0);
}

static void test_forged_frames(void **state) {
	(void)state;
	static const struct {
		uint32_t magic, n, crc_change;
		int error;
	} cases[] = {
		{0x31635242, 4, 0, 0},
		{0x31635243, 4, 0, EPROTO},
		{0x31635242, 4, 1, EPROTO},
		{0x31635242, 3, 0, EPROTO},
		{0x31635242, 5, 0, EPROTO},
		{0x31635242, UINT32_MAX, 0, EPROTO},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct forged forged = {.magic = cases[i].magic, .n = cases[i].n, .bytes = "abc"};
		forged.crc = br_crc32c(0, &forged.error, 4);
		forged.crc = br_crc32c(forged.crc, &forged.n, 4);
		forged.crc = br_crc32c(forged.crc, forged.bytes, forged.n < 4 ? forged.n : 4);
		forged.crc ^= cases[i].crc_change;
		br_auto(br_freep) char *bytes = NULL;
		size_t n = 0;
		int rc = run(forge, &forged, &bytes, &n);
		assert_int_equal(rc ? errno : 0, cases[i].error);
		assert_int_equal(n, rc ? 0 : 4);
	}
}

static void test_no_answer(void **state) {
	(void)state;
	static char half_a_frame[] = "BRc1";
	static char much[] = "longer than a frame is, by far";
	static const struct {
		br_confined *f;
		void *context;
	} cases[] = {{lie, half_a_frame}, {die, NULL}, {crash, NULL}, {lie, much}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *bytes = NULL;
		size_t n = 0;
		assert_int_equal(run(cases[i].f, cases[i].context, &bytes, &n), -1);
		assert_int_equal(errno, EPROTO);
		assert_null(bytes);
	}
}

static int flood(void *context, const int *in, struct br_buf *out) {
	static char some[65536];
	(void)context;
	(void)in;
	(void)out;
	while (!br_write_all(3, some, sizeof(some))) {
	}
	return 0;
}

static void test_flood(void **state) {
	(void)state;
	char *bytes = NULL;
	size_t n = 0;
	assert_int_equal(run(flood, NULL, &bytes, &n), -1);
	assert_int_equal(errno, EFBIG);
}

/** Waits for an input that never comes. */
static int sleep_on_input(void *context, const int *in, struct br_buf *out) {
	char c = 0;
	(void)context;
	(void)out;
	return (int)read(in[0], &c, 1);
}

/** Closes its end, and stays. */
static int linger(void *context, const int *in, struct br_buf *out) {
	(void)close(3);
	return sleep_on_input(context, in, out);
}

static int spin(void *context, const int *in, struct br_buf *out) {
	(void)context;
	(void)in;
	(void)out;
	volatile bool forever = true;
	while (forever) {
	}
	return 0;
}

/** How long it takes until it is given up, with this error, where it has one second. */
static time_t seconds_of(br_confined *f, const int *in, int error) {
	const struct br_confine confine = {.run = f, .in = in, .nin = 1, .seconds = 1};
	char *bytes = NULL;
	size_t n = 0;
	time_t begin = time(NULL);
	assert_int_equal(br_confine_run(&confine, &bytes, &n), -1);
	assert_int_equal(errno, error);
	return time(NULL) - begin;
}

static void test_time(void **state) {
	(void)state;
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	static const struct {
		br_confined *f;
		int error;
	} cases[] = {{sleep_on_input, ETIMEDOUT}, {spin, ETIMEDOUT}, {linger, EPROTO}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		// A busy machine is slow now and then, one second that is none is never kept.
		time_t took = 5;
		for (int tries = 0; tries < 10 && took > 4; tries++) {
			took = seconds_of(cases[i].f, ends, cases[i].error);
		}
		assert_true(took <= 4);
	}
	close(ends[0]);
	close(ends[1]);
	// Nobody is left behind.
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/** Set by the child once it does what it is there for: then it has given up its last right. */
static atomic_bool *is_there;

static int say_and_sleep(void *context, const int *in, struct br_buf *out) {
	atomic_store(is_there, true);
	return sleep_on_input(context, in, out);
}

/** The status of another child than this one, or NULL. */
static char *status_of_sibling(pid_t parent) {
	char path[100];
	size_t n = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	br_auto(br_freep) char *children = br_read_file(AT_FDCWD, path, 1000, &n);
	char *end = NULL;
	for (char *at = children; at && *at; at = end + (*end == ' ')) {
		long pid = strtol(at, &end, 10);
		if (end == at || pid == getpid()) {
			continue;
		}
		(void)snprintf(path, sizeof(path), "/proc/%ld/status", pid);
		return br_read_file(AT_FDCWD, path, 1 << 16, &n);
	}
	return NULL;
}

/** Looks at its sibling in the child's place: what the kernel says about it. Prints to `to`, then
 * lets it go. */
static void watch(pid_t parent, int to, int release) {
	const struct timespec nap = {0, 10000000};
	for (int i = 0; i < PATIENCE * 100 && !atomic_load(is_there); i++) {
		(void)nanosleep(&nap, NULL);
	}
	br_auto(br_freep) char *status = status_of_sibling(parent);
	bool done = status && !br_write_all(to, status, strlen(status));
	(void)br_write_all(release, "x", 1);
	_exit(!done);
}

static void test_rights(void **state) {
	(void)state;
	int told[2];
	int go[2];
	pid_t self = getpid();
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	is_there = mmap(
		NULL, sizeof(*is_there), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(is_there != MAP_FAILED);
	pid_t watcher = fork();
	assert_true(watcher >= 0);
	if (watcher == 0) {
		watch(self, told[1], go[1]);
	}
	close(told[1]);
	const struct br_confine confine = {
		.run = say_and_sleep, .in = go, .nin = 1, .seconds = 2 * PATIENCE};
	char *bytes = NULL;
	size_t n = 0;
	int rc = br_confine_run(&confine, &bytes, &n);
	int error = errno;
	int status = 0;
	assert_int_equal(waitpid(watcher, &status, 0), watcher);
	br_auto(br_freep) char *facts = br_read_fd(told[0], 1 << 20, &n);
	assert_non_null(facts);
	assert_int_equal(status, 0);
	// It read one byte, which is what it answers.
	assert_int_equal(rc, -1);
	assert_int_equal(error, 1);
	assert_non_null(strstr(facts, "CapPrm:\t0000000000000000"));
	assert_non_null(strstr(facts, "CapEff:\t0000000000000000"));
	assert_non_null(strstr(facts, "NoNewPrivs:\t1"));
#ifndef BR_SANITIZED
	assert_non_null(strstr(facts, "Seccomp:\t2"));
#endif
	br_auto(br_freep) char *map = br_read_file(AT_FDCWD, "/proc/self/uid_map", 10000, &n);
	assert_non_null(map);
	// A user namespace may have no nobody.
	if (geteuid() == 0 && strstr(map, " 4294967295")) {
		assert_non_null(strstr(facts, "Uid:\t65534\t65534\t65534\t65534"));
		assert_non_null(strstr(facts, "Gid:\t65534\t65534\t65534\t65534"));
		assert_non_null(strstr(facts, "Groups:\t \n"));
	}
	close(told[0]);
	close(go[0]);
	close(go[1]);
}

enum attempt {
	OPEN,
	OPEN_BENEATH,
	MAKE,
	SOCKET,
	EXECUTE,
	FORK,
	KILL,
	TRACE,
	MAP_CODE,
	GET_ID,
	CONTROL,
	STAT_PATH,
	STAT_INPUT,
	DUPLICATE,
};

static int result_of(long rc) {
	return rc < 0 ? errno : 0;
}

/** One thing that it must not, or may, do; answers 0, or why not. */
static int attempt(enum attempt what) {
	struct stat st;
	char *const argv[] = {NULL};
	switch (what) {
	case OPEN:
		return result_of(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
	case OPEN_BENEATH:
		return result_of(br_open_beneath(AT_FDCWD, "etc", O_PATH, true));
	case MAKE:
		return result_of(mkdir("/tmp/bindright-must-not-be", 0700));
	case SOCKET:
		return result_of(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	case EXECUTE:
		return result_of(execve("/bin/true", argv, argv));
	case FORK:
		return result_of(fork());
	case KILL:
		return result_of(kill(1, 0));
	case TRACE:
		return result_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	case MAP_CODE:
		return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
				== MAP_FAILED
			? errno
			: 0;
	case GET_ID:
		return result_of(syscall(SYS_getuid));
	case CONTROL:
		return result_of(ioctl(0, TIOCGWINSZ, &st));
	case STAT_PATH:
		return result_of(stat("/etc/passwd", &st));
	case STAT_INPUT:
		return result_of(fstat(0, &st));
	case DUPLICATE:
		return result_of(dup(0));
	}
	return EDOM;
}

/** What happened is the answer, so that no error of the function itself is mistaken for it. */
static int try_it(void *context, const int *in, struct br_buf *out) {
	(void)in;
	br_buf_addf(out, "%d", attempt(*(enum attempt *)context));
	return 0;
}

enum {
	/** The child is killed for it. */
	DEADLY = -1,
};

static void test_attempts(void **state) {
	(void)state;
#ifdef BR_SANITIZED
	// Without seccomp, what Landlock, the lost rights and the limits forbid.
	static struct {
		enum attempt what;
		int result, as_user;
	} cases[] = {
		{OPEN, EMFILE, EMFILE},
		{MAKE, ENOENT, EACCES},
		{STAT_INPUT, 0, 0},
		{DUPLICATE, EMFILE, EMFILE},
	};
#else
	static struct {
		enum attempt what;
		int result, as_user;
	} cases[] = {
		{OPEN, DEADLY, DEADLY},
		{OPEN_BENEATH, DEADLY, DEADLY},
		{MAKE, ENOSYS, ENOSYS},
		{SOCKET, DEADLY, DEADLY},
		{EXECUTE, DEADLY, DEADLY},
		{FORK, DEADLY, DEADLY},
		{KILL, DEADLY, DEADLY},
		{TRACE, DEADLY, DEADLY},
		{MAP_CODE, ENOSYS, ENOSYS},
		{GET_ID, ENOSYS, ENOSYS},
		{CONTROL, ENOSYS, ENOSYS},
		{STAT_PATH, ENOSYS, ENOSYS},
		{STAT_INPUT, 0, 0},
		{DUPLICATE, ENOSYS, ENOSYS},
	};
#endif
	for (size_t i = 0; i < COUNT(cases); i++) {
		br_auto(br_freep) char *bytes = NULL;
		size_t n = 0;
		int expected = geteuid() == 0 ? cases[i].result : cases[i].as_user;
		int rc = run(try_it, &cases[i].what, &bytes, &n);
		if (expected == DEADLY) {
			assert_int_equal(rc, -1);
			assert_int_equal(errno, EPROTO);
			continue;
		}
		char number[20];
		(void)snprintf(number, sizeof(number), "%d", expected);
		assert_int_equal(rc, 0);
		assert_string_equal(bytes, number);
	}
}

#ifndef BR_SANITIZED
/** Takes memory until there is none: the kernel kills nobody for it, malloc says no. */
static int eat(void *context, const int *in, struct br_buf *out) {
	size_t taken = 0;
	(void)context;
	(void)in;
	for (; taken < 1024; taken++) {
		// volatile, or the compiler sees that nobody needs it.
		char *volatile p = malloc(1 << 20);
		if (!p) {
			break;
		}
		p[0] = 1;
	}
	// What malloc had in hand comes on top.
	br_buf_addf(out, "%s", taken > 100 && taken < 400 ? "bounded" : "not bounded");
	return 0;
}

static void test_memory_is_bounded(void **state) {
	(void)state;
	br_auto(br_freep) char *bytes = NULL;
	size_t n = 0;
	assert_int_equal(run(eat, NULL, &bytes, &n), 0);
	assert_string_equal(bytes, "bounded");
}
#endif

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_inputs),
		cmocka_unit_test(test_memory_is_its_own),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_forged_frames),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_attempts),
#ifndef BR_SANITIZED
		cmocka_unit_test(test_memory_is_bounded),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
