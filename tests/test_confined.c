#include <base/mem.h>
#include <base/own.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <locale.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <spec/compose/compose.h>
#include <spec/reading.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/cases.h>
#include <support/fault.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	NOBODY = 65534
};

/** A directory with files in it, and what was said about them. */
struct ground {
	char dir[PATH_MAX];
	const char *environment[2];
	struct br_spec_request request;
	struct br_places *places;
	struct br_diags *dx;
};

static void ground_write(const struct ground *g, const char *name, const char *bytes, size_t n) {
	char path[2 * PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/%s", g->dir, name);
	br_auto(br_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
}

static void ground_put(const struct ground *g, const char *name, const char *text) {
	ground_write(g, name, text, strlen(text));
}

static const char one_service[] = "services:\n  a:\n    image: x\n    volumes: ['./d:/d']\n";

static void ground_make(struct ground *g) {
	const char *tmp = getenv("TMPDIR");
	*g = (struct ground){.environment = {"PATH=/bin", NULL}};
	(void)snprintf(g->dir, sizeof(g->dir), "%s/confined.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(g->dir));
	assert_int_equal(chmod(g->dir, 0755), 0);
	ground_put(g, "compose.yaml", one_service);
	g->request = (struct br_spec_request){
		.stdin_fd = -1,
		.environment = g->environment,
		.home = "/home/u",
		.cwd = g->dir,
	};
	g->places = br_places_new();
	g->dx = br_diags_new(g->places);
	assert_non_null(g->dx);
}

static void ground_remove(struct ground *g) {
	char command[PATH_MAX + 32];
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", g->dir);
	assert_int_equal(system(command), 0);
	br_diags_free(g->dx);
	br_places_free(g->places);
}

static const char *last_message(const struct ground *g) {
	size_t n = br_diags_count(g->dx);
	return n ? br_diags_get(g->dx, n - 1)->message : "(nothing)";
}

static void assert_said(const struct ground *g, const char *words) {
	if (!strstr(last_message(g), words)) {
		fail_msg("'%s' is not in: %s", words, last_message(g));
	}
}

static unsigned count_descriptors(void) {
	unsigned n = 0;
	DIR *dir = opendir("/proc/self/fd");
	assert_non_null(dir);
	while (readdir(dir)) {
		n++;
	}
	(void)closedir(dir);
	return n;
}

// ---- the same as without ----

/** What every case says does not depend on where it is read. */
static void test_same(void **state) {
	for (struct dirent **names = *state; *names; names++) {
		char *texts[2];
		for (int confined = 0; confined < 2; confined++) {
			struct spec_case run;
			case_start(&run, (*names)->d_name);
			struct br_spec *spec = confined ? br_spec_read(&run.request, run.dx)
							: br_read_here(&run.request, run.dx);
			texts[confined] = case_text(&run, spec);
			br_spec_free(spec);
			case_finish(&run);
		}
		assert_string_equal(texts[1], texts[0]);
		free(texts[0]);
		free(texts[1]);
	}
}

static void test_nothing_left(void **state) {
	(void)state;
	struct ground g;
	ground_make(&g);
	unsigned before = count_descriptors();
	for (int i = 0; i < 5; i++) {
		struct br_spec *spec = br_spec_read(&g.request, g.dx);
		assert_non_null(spec);
		assert_int_equal(spec->n, 1);
		br_spec_free(spec);
	}
	assert_int_equal(br_diags_count(g.dx), 0);
	assert_int_equal(count_descriptors(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	ground_remove(&g);
}

// ---- questions ----

/** Run the child's half here, with a store that is closed; its questions, one a line, paths without
 * the directory. */
static char *ask_once(struct ground *g, struct br_file_store *store) {
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_reading reading = {&g->request, store, dx, br_wire_base(dx)};
	struct br_buf out = {0};
	struct br_buf said = {0};
	assert_int_equal(br_read_child(&reading, NULL, &out), 0);
	br_buf_add(&said, "");
	if (br_wire_is_questions(out.s, out.n)) {
		store->needs.n = 0;
		store->waits = false;
		store->closed = false;
		assert_int_equal(br_wire_take_questions(out.s, out.n, store, g->dx), 0);
	}
	for (size_t i = 0; i < store->needs.n; i++) {
		static const char *const asks[] = {"file", "compose", "exists"};
		const struct br_question *need = &store->needs.v[i];
		size_t n = strlen(g->dir);
		bool below = strncmp(need->path, g->dir, n) == 0;
		br_buf_addf(
			&said, "%s %s\n", asks[need->ask], below ? need->path + n + 1 : need->path);
		assert_int_equal(br_store_answer(store, need->ask, need->path), 0);
	}
	store->needs.n = 0;
	br_buf_release(&out);
	br_diags_free(dx);
	br_places_free(places);
	return br_buf_take(&said);
}

static void test_order(void **state) {
	(void)state;
	static const char *const rounds[] = {
		// One after the other where one answer decides about the next question,
		"file .env\n",
		"exists compose.yaml\n",
		"exists compose.yml\n",
		"exists compose.override.yml\n",
		"exists compose.override.yaml\n",
		"exists docker-compose.override.yml\n",
		"exists docker-compose.override.yaml\n",
		"compose compose.yaml\n",
		// and together where a file names others.
		"compose base.yaml\ncompose sub/b.yaml\nfile sub/.env\ncompose c.yaml\n",
		"file one.env\nfile two.env\n",
		"",
	};
	struct ground g;
	ground_make(&g);
	char path[PATH_MAX + 16];
	(void)snprintf(path, sizeof(path), "%s/sub", g.dir);
	assert_int_equal(mkdir(path, 0755), 0);
	ground_put(&g, "compose.yaml",
		"include: [sub/b.yaml, c.yaml]\nservices:\n"
		"  a: {extends: {file: base.yaml, service: z}, env_file: [one.env, two.env]}\n");
	ground_put(&g, "compose.yml", "");
	ground_put(&g, "sub/b.yaml", "services: {b: {image: x}}\n");
	ground_put(&g, "c.yaml", "services: {c: {image: x}}\n");
	ground_put(&g, "base.yaml", "services: {z: {image: x}}\n");
	struct br_file_store store = {.stdin_fd = -1};
	for (size_t i = 0; i < COUNT(rounds); i++) {
		br_auto(br_freep) char *said = ask_once(&g, &store);
		assert_string_equal(said, rounds[i]);
	}
	br_store_release(&store);
	// What is known beforehand saves the first eight.
	store = (struct br_file_store){.stdin_fd = -1};
	assert_int_equal(br_compose_preload(&g.request, &store), 0);
	br_auto(br_freep) char *said = ask_once(&g, &store);
	assert_string_equal(said, rounds[8]);
	br_store_release(&store);
	ground_remove(&g);
}

/** Ordinary projects need one child. */
static void test_preload(void **state) {
	(void)state;
	static const char *const file[] = {"compose.yaml", NULL};
	static const char *const env_file[] = {"my.env", NULL};
	const struct {
		const char *name;
		const char *const *files, *const *env_files;
		const char *directory;
		const char *override;
	} cases[] = {
		{"found", NULL, NULL, NULL, NULL},
		{"found with an override", NULL, NULL, NULL, "compose.override.yaml"},
		{"named", file, NULL, NULL, NULL},
		{"named, and an .env", file, env_file, NULL, NULL},
		{"elsewhere", NULL, NULL, ".", NULL},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ground g;
		struct br_file_store store = {.stdin_fd = -1};
		ground_make(&g);
		ground_put(&g, "my.env", "A=1\n");
		ground_put(&g, ".env", "A=1\n");
		if (cases[i].override) {
			ground_put(&g, cases[i].override, one_service);
		}
		g.request.files = cases[i].files;
		g.request.env_files = cases[i].env_files;
		g.request.project_directory = cases[i].directory;
		assert_int_equal(br_compose_preload(&g.request, &store), 0);
		br_auto(br_freep) char *said = ask_once(&g, &store);
		if (*said) {
			fail_msg("%s: asks %s", cases[i].name, said);
		}
		br_store_release(&store);
		ground_remove(&g);
	}
}

// ---- files of all kinds ----

/** -f - reads standard input once, however many children it takes; a second -f - finds nothing
 * more. */
static void test_stdin(void **state) {
	(void)state;
	static const char *const once[] = {
		"compose.yaml", "-", "missing-in-first-round.yaml", NULL};
	static const char *const twice[] = {"-", "-", NULL};
	const char *const *lists[] = {once, twice};
	for (int i = 0; i < 2; i++) {
		struct ground g;
		int ends[2];
		ground_make(&g);
		ground_put(&g, "missing-in-first-round.yaml", one_service);
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		assert_int_equal(
			write(ends[1], one_service, strlen(one_service)), strlen(one_service));
		(void)close(ends[1]);
		g.request.files = lists[i];
		g.request.stdin_fd = ends[0];
		struct br_spec *spec = br_spec_read(&g.request, g.dx);
		if (i == 0) {
			assert_non_null(spec);
			assert_int_equal(spec->nfiles, 3);
			assert_string_equal(spec->files[1], "-");
		} else {
			assert_null(spec);
			assert_said(&g, "the compose file '-' is empty");
		}
		br_spec_free(spec);
		(void)close(ends[0]);
		ground_remove(&g);
	}
}

static void test_kinds(void **state) {
	(void)state;
	struct ground g;
	ground_make(&g);
	char path[PATH_MAX + 16];
	(void)snprintf(path, sizeof(path), "%s/fifo", g.dir);
	assert_int_equal(mkfifo(path, 0644), 0);
	// Nobody writes to it: opening it would take for ever.
	ground_put(&g, "compose.yaml", "include: [fifo]\nservices: {a: {image: x}}\n");
	assert_null(br_spec_read(&g.request, g.dx));
	assert_said(&g, "cannot read 'fifo': it is not a regular file");
	ground_put(&g, "compose.yaml", "include: [/etc]\nservices: {a: {image: x}}\n");
	assert_null(br_spec_read(&g.request, g.dx));
	assert_said(&g, "cannot read '/etc': Is a directory");
	ground_put(&g, "compose.yaml", "include: [gone]\nservices: {a: {image: x}}\n");
	assert_null(br_spec_read(&g.request, g.dx));
	assert_said(&g, "cannot read 'gone': No such file or directory");
	char *large = calloc(1, BR_DOC_BYTES + 1);
	assert_non_null(large);
	memset(large, '#', BR_DOC_BYTES + 1);
	ground_write(&g, "compose.yaml", large, BR_DOC_BYTES + 1);
	free(large);
	assert_null(br_spec_read(&g.request, g.dx));
	assert_said(&g, "'compose.yaml' is larger than 1048576 bytes");
	assert_int_equal(br_diags_count(g.dx), 4);
	ground_remove(&g);
}

/** Nothing that libc would have to load from a file is needed. */
static void test_utf16(void **state) {
	(void)state;
	struct ground g;
	char bytes[2 * sizeof(one_service)] = "\xff\xfe";
	size_t n = 2;
	ground_make(&g);
	for (const char *p = one_service; *p; p++) {
		bytes[n++] = *p;
		bytes[n++] = 0;
	}
	ground_write(&g, "compose.yaml", bytes, n);
	struct br_spec *spec = br_spec_read(&g.request, g.dx);
	assert_non_null(spec);
	assert_string_equal(spec->containers[0].name.s, "a");
	assert_int_equal(br_places_count(g.places), 2);
	assert_int_equal(spec->containers[0].name.at.text, 2);
	br_spec_free(spec);
	ground_remove(&g);
}

// ---- readers that were taken over ----

static int crash(void *context, const int *in, struct br_buf *out) {
	(void)in;
	(void)out;
	// volatile, or the compiler knows better.
	int signal_number = *(volatile int *)context;
	(void)signal(signal_number, SIG_DFL);
	volatile int *nowhere = NULL;
	return signal_number == SIGSEGV ? *nowhere : (abort(), 0);
}

static int crash_by_null(void *context, const int *in, struct br_buf *out) {
	int number = SIGSEGV;
	(void)context;
	return crash(&number, in, out);
}

static int crash_by_abort(void *context, const int *in, struct br_buf *out) {
	int number = SIGABRT;
	(void)context;
	return crash(&number, in, out);
}

static int spin(void *context, const int *in, struct br_buf *out) {
	(void)context;
	(void)in;
	(void)out;
	for (volatile unsigned long i = 0;; i++) {
	}
	return 0;
}

/** As if it had not been confined, so that the caller shall read the file itself. */
static int claim_no_start(void *context, const int *in, struct br_buf *out) {
	(void)context;
	(void)in;
	(void)out;
	return ENOTSUP;
}

static int say_nonsense(void *context, const int *in, struct br_buf *out) {
	(void)context;
	(void)in;
	br_buf_add(out, "BRr1 and so on");
	return 0;
}

static int say_nothing(void *context, const int *in, struct br_buf *out) {
	(void)context;
	(void)in;
	(void)out;
	return 0;
}

static int ask_one(struct br_buf *out, const char *path) {
	struct br_file_store store = {.closed = true};
	(void)br_store_ask(&store, BR_ASK_FILE, path);
	br_wire_put_questions(&store, out);
	br_store_release(&store);
	return 0;
}

static int ask_again(void *context, const int *in, struct br_buf *out) {
	(void)context;
	(void)in;
	return ask_one(out, "/etc/passwd");
}

static int ask_for_ever(void *context, const int *in, struct br_buf *out) {
	const struct br_reading *reading = context;
	char path[64];
	(void)in;
	(void)snprintf(path, sizeof(path), "/nowhere/%zu", reading->store->files.n);
	return ask_one(out, path);
}

static int be_large(void *context, const int *in, struct br_buf *out) {
	(void)context;
	(void)in;
	for (size_t i = 0; i <= BR_CONFINE_ANSWER / 16; i++) {
		br_buf_addn(out, "0123456789abcdef", 16);
	}
	return 0;
}

static void test_taken_over(void **state) {
	(void)state;
	static const struct {
		const char *name;
		br_confined *run;
		const char *said;
	} cases[] = {
		{"null", crash_by_null,
			"'compose.yaml' could not be read safely: it makes the reader"},
		{"abort", crash_by_abort, "it makes the reader crash"},
		{"endless", spin, "it takes the reader too long"},
		{"claims it did not start", claim_no_start, "reader crash"},
		{"nonsense", say_nonsense, "no valid answer"},
		{"nothing", say_nothing, "no valid answer (it ends too early"},
		{"asks again", ask_again, "no valid answer (it asks again"},
		{"asks for ever", ask_for_ever, "too long"},
		{"large", be_large, "too large"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ground g;
		ground_make(&g);
		unsigned before = count_descriptors();
		struct br_spec *spec = br_read_confined(&g.request, cases[i].run, g.dx);
		if (spec || br_diags_count(g.dx) != 1 || br_diags_errors(g.dx) != 1
			|| !strstr(last_message(&g), cases[i].said)) {
			fail_msg("%s: %s", cases[i].name, last_message(&g));
		}
		assert_int_equal(br_places_count(g.places), 0);
		assert_int_equal(count_descriptors(), before);
		ground_remove(&g);
	}
}

/** Ends the one child that there is, as a terminal's ^C does; only calls that a handler may make. */
static void interrupt_child(int signal_number) {
	char number[16] = "";
	int pid = 0;
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	(void)signal_number;
	if (fd >= 0 && read(fd, number, sizeof(number) - 1) > 0) {
		for (const char *p = number; *p >= '0' && *p <= '9'; p++) {
			pid = pid * 10 + *p - '0';
		}
		(void)kill(pid, SIGINT);
	}
	(void)close(fd);
}

/** That is nobody's crash. */
static void test_interrupted(void **state) {
	(void)state;
	struct ground g;
	// Again and again: the first time there may be no child yet.
	const struct itimerval soon = {
		.it_value = {.tv_usec = 300000}, .it_interval = {.tv_usec = 300000}};
	const struct itimerval never = {0};
	const struct sigaction on = {.sa_handler = interrupt_child};
	const struct sigaction off = {.sa_handler = SIG_DFL};
	if (access("/proc/thread-self/children", R_OK)) {
		print_message("needs a kernel that lists children\n");
		skip();
	}
	ground_make(&g);
	assert_int_equal(sigaction(SIGALRM, &on, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_null(br_read_confined(&g.request, spin, g.dx));
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &off, NULL), 0);
	assert_said(&g, "interrupted while 'compose.yaml' was read");
	ground_remove(&g);
}

/** With several files nobody knows which one it was. */
static void test_crash_of_several(void **state) {
	(void)state;
	struct ground g;
	ground_make(&g);
	ground_put(&g, ".env", "A=1\n");
	assert_null(br_read_confined(&g.request, crash_by_null, g.dx));
	assert_said(&g, "one of the files could not be read safely");
	ground_remove(&g);
}

// ---- other users, other machines ----

/** In a process of its own; the answer is what it exits with. */
static int in_child(void (*f)(struct ground *), struct ground *g) {
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		f(g);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void need(bool fact, int code) {
	if (!fact) {
		_exit(code);
	}
}

static void become_nobody(void) {
	need(!setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY), 1);
	need(!setresuid(NOBODY, NOBODY, NOBODY), 2);
}

static void read_one(struct ground *g) {
	struct br_spec *spec = br_spec_read(&g->request, g->dx);
	need(spec && spec->n == 1 && !br_diags_count(g->dx), 10);
	br_spec_free(spec);
}

static void as_nobody(struct ground *g) {
	become_nobody();
	read_one(g);
	// What nobody may not read is not read.
	static const char *const files[] = {"/etc/shadow", NULL};
	g->request.files = files;
	need(!br_spec_read(&g->request, g->dx), 11);
	need(strstr(last_message(g), "cannot read '/etc/shadow': Permission denied"), 12);
}

static void with_few_processes(struct ground *g) {
	const struct rlimit none = {0, 0};
	become_nobody();
	need(!setrlimit(RLIMIT_NPROC, &none), 3);
	need(fork() < 0, 4);
	read_one(g);
}

static void refuse_call(int number, int error) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	need(filter && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 5);
	need(!seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), number, 0), 6);
	need(!seccomp_load(filter), 7);
	seccomp_release(filter);
}

/** Root says that it did without. */
static void read_noted(struct ground *g, const char *why) {
	struct br_spec *spec = br_spec_read(&g->request, g->dx);
	need(spec && spec->n == 1 && br_diags_count(g->dx) == 1, 10);
	need(br_diags_get(g->dx, 0)->severity == BR_NOTE, 11);
	need(strstr(last_message(g), "input read without confinement: "), 12);
	need(strstr(last_message(g), why), 13);
	br_spec_free(spec);
}

static void without_fork(struct ground *g) {
	refuse_call(SCMP_SYS(clone), EAGAIN);
	read_noted(g, "Resource temporarily unavailable");
}

/** An old container engine's filter knows no close_range: they are closed one by one. */
static void without_close_range(struct ground *g) {
	refuse_call(SCMP_SYS(close_range), EPERM);
	read_one(g);
}

static void test_users(void **state) {
	(void)state;
	static const struct {
		const char *name;
		void (*run)(struct ground *);
	} cases[] = {
		{"nobody", as_nobody},
		{"few processes", with_few_processes},
		{"no fork", without_fork},
		{"no close_range", without_close_range},
	};
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ground g;
		ground_make(&g);
		int code = in_child(cases[i].run, &g);
		if (code) {
			fail_msg("%s: %d", cases[i].name, code);
		}
		ground_remove(&g);
	}
}

// ---- memory ----

static void test_memory(void **state) {
	(void)state;
	bool hit = true;
	for (unsigned i = 1; hit; i++) {
		struct ground g;
		ground_make(&g);
		fault_at(i);
		struct br_spec *spec = br_spec_read(&g.request, g.dx);
		hit = fault_hit();
		fault_at(0);
		assert_int_equal(spec == NULL, br_diags_errors(g.dx) > 0);
		br_spec_free(spec);
		ground_remove(&g);
	}
}

int main(void) {
	size_t n = 0;
	struct dirent **cases = case_list(&n);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_same, cases),
		cmocka_unit_test(test_nothing_left),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_preload),
		cmocka_unit_test(test_stdin),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_utf16),
		cmocka_unit_test(test_taken_over),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_crash_of_several),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_memory),
	};
	// As the program does: from here on libc's messages are looked for in files.
	(void)setlocale(LC_ALL, "");
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		free(cases[i]);
	}
	free(cases);
	return failed;
}
