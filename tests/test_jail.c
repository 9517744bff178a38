#include <base/file.h>
#include <base/filter.h>
#include <base/jail.h>
#include <base/own.h>
#include <base/sys.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

// What whoever got into the process that changes things, or a mistake of ours, could reach from
// within.

enum {
	WANTED = 1 << CAP_CHOWN | 1 << CAP_DAC_READ_SEARCH | 1 << CAP_FOWNER,
};

/** A tree with links out of it, and what they lead to. */
struct ground {
	char top[64];
	int tree, outside;
};

static void at(const struct ground *g, char out[128], const char *name) {
	assert_true(snprintf(out, 128, "%s/%s", g->top, name) < 128);
}

static void make_file(const struct ground *g, const char *name) {
	char path[128];
	at(g, path, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	close(fd);
}

static int make_dir(const struct ground *g, const char *name) {
	char path[128];
	at(g, path, name);
	assert_int_equal(mkdir(path, 0755), 0);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int setup(void **state) {
	static struct ground g;
	char path[128];
	char link[128];
	if (geteuid() != 0) {
		return 0;
	}
	strcpy(g.top, "/tmp/bindright-jail-XXXXXX");
	assert_non_null(mkdtemp(g.top));
	g.tree = make_dir(&g, "tree");
	g.outside = make_dir(&g, "outside");
	close(make_dir(&g, "tree/sub"));
	make_file(&g, "tree/f");
	make_file(&g, "outside/f");
	at(&g, path, "tree/link");
	assert_int_equal(symlink("../outside/f", path), 0);
	at(&g, path, "tree/whole");
	at(&g, link, "outside/f");
	assert_int_equal(symlink(link, path), 0);
	at(&g, path, "tree/away");
	assert_int_equal(symlink("../outside", path), 0);
	*state = &g;
	return 0;
}

static int teardown(void **state) {
	struct ground *g = *state;
	char command[128];
	if (g == NULL) {
		return 0;
	}
	close(g->tree);
	close(g->outside);
	snprintf(command, sizeof(command), "rm -rf %s", g->top);
	return system(command);
}

/** True where it can be had; else the test is skipped, with the reason. */
static bool can_have(const struct ground *g) {
	if (g == NULL) {
		print_message("needs root\n");
		return false;
	}
	br_auto(br_closep) int clone = br_jail_mount(g->tree, false);
	if (clone < 0) {
		int err = errno;
		print_message(
			"needs the right and the calls to clone a mount: %s\n", strerror(err));
		errno = err;
	}
	return clone >= 0;
}

/** Where newer calls are refused (tests/under), that it cannot be had is all that can be seen. */
static void leave_out(void) {
	if (getenv("BR_UNDER") == NULL) {
		skip();
	}
	assert_int_equal(errno, ENOSYS);
}

/** What each attempt came to, a line each, for whoever watches. */
struct tries {
	int out;
	int clone;
};

static void tell(const struct tries *t, const char *what, long r) {
	char line[128];
	int n = snprintf(
		line, sizeof(line), "%s: %s\n", what, r >= 0 ? "done" : strerrorname_np(errno));
	if (n < 0 || write(t->out, line, (size_t)n) != n) {
		_exit(9);
	}
}

static int chown_at(int fd, const char *path, int flags) {
	return fchownat(fd, path, 4711, 4711, flags);
}

/** In the tree all works, whatever the kernel has of the newer calls. */
static void work_inside(const struct tries *t) {
	static const unsigned char acl[] = {2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 4, 0, 4, 0,
		255, 255, 255, 255, 32, 0, 4, 0, 255, 255, 255, 255};
	br_auto(br_closep) int fd = br_open_beneath(t->clone, "f", O_PATH | O_NOFOLLOW, false);
	tell(t, "chown in the tree", chown_at(fd, "", AT_EMPTY_PATH));
	tell(t, "chmod in the tree", br_sys_chmod(fd, 0600));
	tell(t, "acl in the tree",
		br_sys_setxattr(fd, "system.posix_acl_access", acl, sizeof(acl)));
	char value[64];
	ssize_t n = br_sys_getxattr(t->clone, "f", "security.capability", value, sizeof(value));
	tell(t, "xattr in the tree", n < 0 && errno == ENODATA ? 0 : n);
}

/** By paths, links and "..". */
static void reach_out(const struct tries *t, const struct ground *g) {
	char path[128];
	at(g, path, "outside/f");
	tell(t, "an absolute path", chown_at(t->clone, path, AT_SYMLINK_NOFOLLOW));
	tell(t, "the working directory", chown_at(AT_FDCWD, path + 1, AT_SYMLINK_NOFOLLOW));
	tell(t, "dots", chown_at(t->clone, "../outside/f", AT_SYMLINK_NOFOLLOW));
	tell(t, "many dots", chown_at(t->clone, "sub/../../../../../etc/passwd", 0));
	tell(t, "a link", chown_at(t->clone, "link", 0));
	tell(t, "an absolute link", chown_at(t->clone, "whole", 0));
	tell(t, "a link on the way", chown_at(t->clone, "away/f", AT_SYMLINK_NOFOLLOW));
	tell(t, "an older descriptor", chown_at(g->outside, "f", AT_SYMLINK_NOFOLLOW));
	tell(t, "making a file", mkdirat(AT_FDCWD, "new", 0700));
	tell(t, "making a file at /", mkdirat(AT_FDCWD, "/new", 0700));
	tell(t, "making a file outside", mkdirat(t->clone, "../new", 0700));
}

static const char *const outcome = "chown in the tree: done\n"
				   "chmod in the tree: done\n"
				   "acl in the tree: done\n"
				   "xattr in the tree: done\n"
				   "an absolute path: ENOENT\n"
				   "the working directory: ENOENT\n"
				   "dots: ENOENT\n"
				   "many dots: ENOENT\n"
				   "a link: ELOOP\n"
				   "an absolute link: ELOOP\n"
				   "a link on the way: ELOOP\n"
				   "an older descriptor: EBADF\n"
				   "making a file: ENOENT\n"
				   "making a file at /: ENOENT\n"
				   "making a file outside: done\n";

typedef void prisoner(const struct tries *t, const struct ground *g);

/** Run it in the jail; what it told. `dropped`: its rights are taken too. */
static void imprison(const struct ground *g, bool dropped, prisoner *run, char *said, size_t size) {
	int ends[2];
	int status;
	size_t n = 0;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct tries t = {ends[1], br_jail_mount(g->tree, false)};
		const char *what = "clone";
		int keep[] = {t.clone, t.out};
		if (t.clone < 0 || br_jail_enter(keep, 2, &what) < 0
			|| (dropped && br_jail_drop(WANTED, 0) < 0)) {
			tell(&t, what, -1);
			_exit(8);
		}
		run(&t, g);
		_exit(0);
	}
	close(ends[1]);
	ssize_t got;
	while (n < size - 1 && (got = read(ends[0], said + n, size - 1 - n)) > 0) {
		n += (size_t)got;
	}
	said[n] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0) {
		fail_msg("status %x after:\n%s", status, said);
	}
}

static void try_all(const struct tries *t, const struct ground *g) {
	work_inside(t);
	reach_out(t, g);
}

static void is_untouched(const struct ground *g, const char *name) {
	struct stat st;
	char path[128];
	at(g, path, name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

/** Everything is tried from within: it comes out as it should, and nothing outside has changed. */
static void assert_holds(const struct ground *g, bool dropped) {
	char said[2048];
	struct stat st;
	char path[128];
	imprison(g, dropped, try_all, said, sizeof(said));
	assert_string_equal(said, outcome);
	// `..` of the root is the root: what was made "outside" is in the tree.
	at(g, path, "tree/new");
	assert_int_equal(rmdir(path), 0);
	at(g, path, "tree/f");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 4711);
	is_untouched(g, "outside/f");
	assert_int_equal(stat("/etc/passwd", &st), 0);
	assert_int_equal(st.st_uid, 0);
}

static void test_holds(void **state) {
	const struct ground *g = *state;
	if (!can_have(g)) {
		leave_out();
		return;
	}
	assert_holds(g, false);
}

static void test_holds_without_newer_calls(void **state) {
	const struct ground *g = *state;
	if (!can_have(g)) {
		leave_out();
		return;
	}
	br_sys_refuse(BR_SYS_FCHMODAT2 | BR_SYS_XATTRAT);
	assert_holds(g, false);
	br_sys_refuse(0);
}

/** Without CAP_DAC_OVERRIDE and the like, and with the list of calls. */
static void test_holds_with_rights_taken(void **state) {
	const struct ground *g = *state;
	if (!can_have(g)) {
		leave_out();
		return;
	}
	assert_holds(g, true);
}

// ---- With all of root's rights, as if nothing had been dropped ----

/** The ways out of a chroot. */
static void break_out(const struct tries *t, const struct ground *g) {
	char path[128];
	at(g, path, "outside/f");
	tell(t, "going there", fchdir(t->clone));
	tell(t, "another root", chroot("sub"));
	for (int i = 0; i < 20; i++) {
		if (chdir("..") < 0) {
			tell(t, "up", -1);
		}
	}
	tell(t, "outside", chown_at(AT_FDCWD, path + 1, AT_SYMLINK_NOFOLLOW));
	tell(t, "passwd", access("etc/passwd", F_OK));
	tell(t, "the tree", access("f", F_OK));
	tell(t, "a device",
		mknodat(t->clone, "device", S_IFCHR | 0600, 1 << 8 | 3) == 0
			? openat(t->clone, "device", O_RDWR)
			: 0);
	(void)unlinkat(t->clone, "device", 0);
}

static void test_is_no_mere_chroot(void **state) {
	const struct ground *g = *state;
	char said[2048];
	if (!can_have(g)) {
		leave_out();
		return;
	}
	imprison(g, false, break_out, said, sizeof(said));
	assert_string_equal(said,
		"going there: done\n"
		"another root: done\n"
		"outside: ENOENT\n"
		"passwd: ENOENT\n"
		"the tree: done\n"
		"a device: EACCES\n");
	is_untouched(g, "outside/f");
}

// ---- Rights ----

/** One that does what is asked for by a byte, and is looked at from outside meanwhile. */
static pid_t start_waiting(const struct ground *g, int *to, int *from) {
	int in[2];
	int out[2];
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char c;
		const char *what;
		int clone = br_jail_mount(g->tree, false);
		int keep[] = {clone, in[0], out[1]};
		if (br_jail_enter(keep, 3, &what) < 0 || br_jail_drop(WANTED, 0) < 0
			|| write(out[1], "!", 1) != 1 || read(in[0], &c, 1) != 1) {
			_exit(8);
		}
		_exit(0);
	}
	close(in[0]);
	close(out[1]);
	*to = in[1];
	*from = out[0];
	return pid;
}

/** What comes of a change among the mounts of that process, from their own root. */
__attribute__((unused)) static int write_among_mounts(const struct ground *g, pid_t other) {
	char path[128];
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", other);
		int ns = open(path, O_RDONLY | O_CLOEXEC);
		at(g, path, "outside/f");
		if (ns < 0 || setns(ns, CLONE_NEWNS) < 0) {
			_exit(255);
		}
		_exit(chown(path, 4711, 4711) < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void assert_line(const char *text, const char *key, uint64_t want) {
	const char *p = strstr(text, key);
	assert_non_null(p);
	assert_int_equal(strtoull(p + strlen(key), NULL, strstr(key, "Cap") ? 16 : 10), want);
}

static void test_keeps_few_rights(void **state) {
	const struct ground *g = *state;
	char path[64];
	char target[128] = "";
	char c;
	int to;
	int from;
	int status;
	size_t n;
	if (!can_have(g)) {
		leave_out();
		return;
	}
	pid_t pid = start_waiting(g, &to, &from);
	assert_int_equal(read(from, &c, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	br_auto(br_freep) char *text = br_read_file(AT_FDCWD, path, 1 << 16, &n);
	assert_non_null(text);
	assert_line(text, "\nCapEff:", WANTED);
	assert_line(text, "\nCapPrm:", WANTED);
	assert_line(text, "\nCapInh:", 0);
	assert_line(text, "\nCapBnd:", 0);
	assert_line(text, "\nCapAmb:", 0);
	assert_line(text, "\nNoNewPrivs:", 1);
	assert_line(text, "\nSeccomp:", BR_IS_SANITIZED ? 0 : 2);
	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	assert_true(readlink(path, target, sizeof(target) - 1) > 0);
	assert_string_not_equal(target, "/");
#ifndef __SANITIZE_THREAD__
	// A process with the sanitizer's thread cannot join other mounts.
	assert_int_equal(write_among_mounts(g, pid), EROFS);
#endif
	assert_int_equal(write(to, "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(to);
	close(from);
}

/** As the kernel takes it, whatever our own functions would ask for. */
static long set_rights(uint64_t effective, uint64_t has, uint64_t inherited) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].effective = (uint32_t)(effective >> (32 * i));
		data[i].permitted = (uint32_t)(has >> (32 * i));
		data[i].inheritable = (uint32_t)(inherited >> (32 * i));
	}
	return syscall(SYS_capset, &header, data);
}

/** What capset might give beyond what it is let through for. */
static void ask_for_more(const struct tries *t, uint64_t has) {
	const uint64_t more = has | 1 << CAP_KILL;
	tell(t, "permitted", set_rights(has, more, 0));
	tell(t, "in force only", set_rights(more, has, 0));
	tell(t, "inherited", set_rights(has, has, has));
	tell(t, "inherited, foreign", set_rights(has, has, 1 << CAP_KILL));
	// By the list of calls, or (with a sanitizer) by the kernel.
	bool raised = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0;
	errno = EPERM;
	tell(t, "ambient", raised ? 0 : -1);
	tell(t, "as it is", set_rights(has, has, 0));
}

/** In a directory that is somebody else's and private. */
static void override_now_and_then(const struct tries *t, const struct ground *g) {
	const uint64_t override = 1 << CAP_DAC_OVERRIDE;
	br_auto(br_closep) int dir = br_open_beneath(t->clone, "theirs", O_PATH, false);
	(void)g;
	if (br_jail_drop(WANTED | override, override | 1 << CAP_KILL) < 0) {
		_exit(8);
	}
	tell(t, "resting", mkdirat(dir, "new", 0700));
	tell(t, "chown", chown_at(dir, "", AT_EMPTY_PATH));
	tell(t, "wake", br_jail_wake());
	tell(t, "awake", mkdirat(dir, "new", 0700));
	tell(t, "rest", br_jail_rest());
	tell(t, "resting again", unlinkat(dir, "new", AT_REMOVEDIR));
	tell(t, "wake again", br_jail_wake());
	tell(t, "awake again", unlinkat(dir, "new", AT_REMOVEDIR));
	tell(t, "forgo", br_jail_forgo());
	tell(t, "forgone", mkdirat(dir, "new", 0700));
	tell(t, "wake no more", br_jail_wake());
	tell(t, "not awake", mkdirat(dir, "new", 0700));
	tell(t, "rest no more", br_jail_rest());
	tell(t, "taken back", set_rights(WANTED | override, WANTED | override, 0));
	tell(t, "chown as ever", chown_at(dir, "", AT_EMPTY_PATH));
	ask_for_more(t, WANTED);
}

static void test_lets_a_right_rest(void **state) {
	const struct ground *g = *state;
	char said[2048];
	char path[128];
	if (!can_have(g)) {
		leave_out();
		return;
	}
	close(make_dir(g, "tree/theirs"));
	at(g, path, "tree/theirs");
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(chown(path, 4712, 4712), 0);
	imprison(g, false, override_now_and_then, said, sizeof(said));
	assert_string_equal(said,
		"resting: EACCES\n"
		"chown: done\n"
		"wake: done\n"
		"awake: done\n"
		"rest: done\n"
		"resting again: EACCES\n"
		"wake again: done\n"
		"awake again: done\n"
		"forgo: done\n"
		"forgone: EACCES\n"
		"wake no more: done\n"
		"not awake: EACCES\n"
		"rest no more: done\n"
		"taken back: EPERM\n"
		"chown as ever: done\n"
		"permitted: EPERM\n"
		"in force only: EPERM\n"
		"inherited: EPERM\n"
		"inherited, foreign: EPERM\n"
		"ambient: EPERM\n"
		"as it is: done\n");
	assert_int_equal(rmdir(path), 0);
}

/** Whoever gave nothing up is not touched: a program that does the work itself. */
static void test_lets_nothing_rest_here(void **state) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct before[_LINUX_CAPABILITY_U32S_3];
	struct __user_cap_data_struct after[_LINUX_CAPABILITY_U32S_3];
	(void)state;
	assert_int_equal(syscall(SYS_capget, &header, before), 0);
	assert_int_equal(br_jail_wake() | br_jail_rest() | br_jail_forgo(), 0);
	assert_int_equal(syscall(SYS_capget, &header, after), 0);
	assert_memory_equal(before, after, sizeof(before));
}

static void run_program(void) {
	char *const argv[] = {NULL};
	(void)execve("/bin/true", argv, argv);
}

static void mount_something(void) {
	(void)mount("none", "/", "tmpfs", 0, NULL);
}

static void open_socket(void) {
	(void)socket(AF_INET, SOCK_STREAM, 0);
}

static void trace_somebody(void) {
	(void)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static void join_others(void) {
	(void)setns(0, 0);
}

static void kill_somebody(void) {
	(void)kill(getppid(), SIGUSR2);
}

static void fork_off(void) {
	// The call itself: whatever libc takes has CLONE_THREAD not set.
	if (syscall(SYS_clone, (unsigned long)SIGCHLD, NULL, NULL, NULL, NULL) < 0) {
		(void)raise(SIGSYS);
	}
}

static void open_plainly(void) {
	errno = 0;
	if (open("/", O_RDONLY | O_DIRECTORY) < 0 && errno == ENOSYS) {
		_exit(0);
	}
}

/** Not under a sanitizer, which needs system calls that the list leaves out: there it is not loaded
 * (test_keeps_few_rights). */
__attribute__((unused)) static void test_kills_what_it_would_not_do(void **state) {
	const struct ground *g = *state;
	static const struct {
		void (*run)(void);
		int want;
	} cases[] = {{run_program, SIGSYS}, {mount_something, SIGSYS}, {open_socket, SIGSYS},
		{trace_somebody, SIGSYS}, {join_others, SIGSYS}, {kill_somebody, SIGSYS},
		{fork_off, SIGSYS}, {open_plainly, 0}};
	if (!can_have(g)) {
		leave_out();
		return;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status;
		pid_t pid = fork();
		if (pid == 0) {
			if (br_sys_prepare() < 0 || br_jail_drop(WANTED, 0) < 0) {
				_exit(8);
			}
			cases[i].run();
			_exit(7);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (cases[i].want == 0 ? status != 0 : WTERMSIG(status) != cases[i].want) {
			fail_msg("case %zu: status %x", i, status);
		}
	}
}

/** What is mounted in it later, or was before, is not seen; what it covers is. */
static void test_shows_no_mounts(void **state) {
	const struct ground *g = *state;
	struct stat under;
	struct stat over;
	struct stat seen;
	char path[128];
	if (!can_have(g)) {
		leave_out();
		return;
	}
	at(g, path, "tree/sub");
	assert_int_equal(stat(path, &under), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0
			|| mount("none", path, "tmpfs", 0, NULL) < 0 || stat(path, &over) < 0) {
			_exit(8);
		}
		int tree = openat(AT_FDCWD, g->top, O_PATH | O_CLOEXEC);
		int clone = br_jail_mount(openat(tree, "tree", O_PATH | O_CLOEXEC), false);
		int deep = br_jail_mount(openat(tree, "tree", O_PATH | O_CLOEXEC), true);
		bool shallow = fstatat(clone, "sub", &seen, 0) == 0 && seen.st_ino == under.st_ino
			&& seen.st_dev == under.st_dev;
		bool whole = fstatat(deep, "sub", &seen, 0) == 0 && seen.st_dev == over.st_dev;
		(void)umount2(path, MNT_DETACH);
		bool later = mount("none", path, "tmpfs", 0, NULL) == 0
			&& fstatat(clone, "sub", &seen, 0) == 0 && seen.st_ino == under.st_ino
			&& seen.st_dev == under.st_dev;
		_exit(shallow && whole && later ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_lowers_and_raises(void **state) {
	const struct ground *g = *state;
	if (g == NULL) {
		print_message("needs root\n");
		skip();
	}
	uint64_t old = br_jail_lower(1 << CAP_DAC_READ_SEARCH);
	assert_true(old & (1 << CAP_CHOWN));
	int r = chown(g->top, 1, 1);
	int err = errno;
	br_jail_raise(old);
	assert_int_equal(r, -1);
	assert_int_equal(err, EPERM);
	assert_int_equal(chown(g->top, 0, 0), 0);
}

#ifndef BR_SANITIZED
// ---- Other processes of root, which need no capability to be signalled or limited ----

/** One that waits; it ends with 0 when `to` is closed, and has all its limits then. */
static pid_t start_other(int *to) {
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct rlimit before;
		struct rlimit after;
		char c;
		close(ends[1]);
		int r = getrlimit(RLIMIT_NOFILE, &before);
		r |= read(ends[0], &c, 1) != 0 || getrlimit(RLIMIT_NOFILE, &after) != 0;
		_exit(r != 0 || memcmp(&before, &after, sizeof(before)) != 0);
	}
	close(ends[0]);
	*to = ends[1];
	return pid;
}

/** Who is met, and a descriptor that can have an owner. */
struct meeting {
	pid_t other;
	int to, from;
};

static void limit_other(const struct meeting *m) {
	const struct rlimit none = {0, 0};
	(void)prlimit(m->other, RLIMIT_NOFILE, &none, NULL);
}

static void signal_other(const struct meeting *m) {
	// As kill(), which is not left: sigio_perm() asks for no more than a user 0.
	(void)fcntl(m->from, F_SETOWN, m->other);
	(void)fcntl(m->from, F_SETSIG, SIGKILL);
	(void)fcntl(m->from, F_SETFL, O_ASYNC);
	(void)send(m->to, "x", 1, MSG_NOSIGNAL);
}

static void signal_group(const struct meeting *m) {
	const struct f_owner_ex owner = {F_OWNER_PID, m->other};
	(void)fcntl(m->from, F_SETOWN_EX, &owner);
	(void)fcntl(m->from, F_SETSIG, SIGTERM);
	(void)fcntl(m->from, F_SETFL, O_ASYNC | O_NONBLOCK);
	(void)send(m->to, "x", 1, MSG_NOSIGNAL);
}

/** What contents.c asks for, and what libc does at the start of a thread. */
static int work_on(const struct meeting *m) {
	struct rlimit limit;
	struct rlimit none = {0, 0};
	return fcntl(m->from, F_SETSIG, SIGURG) == 0 && fcntl(m->from, F_GETFL) >= 0
			&& fcntl(m->from, F_GETFD) == FD_CLOEXEC
			&& fcntl(m->from, F_SETFD, FD_CLOEXEC) == 0
			&& fcntl(m->from, F_DUPFD_CLOEXEC, 3) >= 0
			&& getrlimit(RLIMIT_STACK, &limit) == 0
			&& setrlimit(RLIMIT_NOFILE, &none) < 0
		? 0
		: 6;
}

static void test_leaves_others_alone(void **state) {
	static void (*const tries[])(const struct meeting *m) = {
		limit_other, signal_other, signal_group};
	struct meeting m;
	int ends[2];
	int alive;
	int status;
	if (*state == NULL) {
		print_message("needs root\n");
		skip();
	}
	for (size_t i = 0; i < 2 * sizeof(tries) / sizeof(tries[0]); i++) {
		const size_t n = sizeof(tries) / sizeof(tries[0]);
		const bool looks = i >= n;
		// Without Landlock whoever looks may signal, if not limit, others.
		if (looks && i > n) {
			continue;
		}
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
		m = (struct meeting){start_other(&alive), ends[0], ends[1]};
		pid_t pid = fork();
		if (pid == 0) {
			if (br_sys_prepare() < 0
				|| (looks ? br_jail_look(0) : br_jail_drop(WANTED, 0)) < 0) {
				_exit(8);
			}
			tries[i % n](&m);
			_exit(looks ? 0 : work_on(&m));
		}
		close(ends[0]);
		close(ends[1]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0) {
			fail_msg("%zu: status %x", i, status);
		}
		close(alive);
		assert_int_equal(waitpid(m.other, &status, 0), m.other);
		if (status != 0) {
			fail_msg("%zu: the other one ended with %x", i, status);
		}
	}
}

/** Whether it was refused, with whatever error. */
static bool refused(long r) {
	return r < 0;
}

/** What may still be opened. */
static long open_by(const struct ground *g, const char *name, uint64_t flags) {
	uint64_t how[3] = {flags | O_CLOEXEC, (flags & O_CREAT) != 0 ? 0600 : 0, 0};
	char path[128];
	at(g, path, name);
	return syscall(SYS_openat2, AT_FDCWD, path, how, sizeof(how));
}

/** Whether openat2 is held too (no list of calls sees its flags, which lie in memory), and who may
 * be killed. */
static bool has_landlock(void) {
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1U) > 0;
}

/** The number of the first thing that could be done after all; 0: none. */
static int change_anything(const struct ground *g, bool landlock) {
	char f[128];
	char d[128];
	at(g, f, "tree/f");
	at(g, d, "tree/new");
	int held = (int)open_by(g, "tree/f", O_RDONLY);
	int pinned = (int)open_by(g, "tree/f", O_PATH);
	uint32_t flags = 0;
	const bool tries[] = {
		refused(chown(f, 1, 1)),
		refused(fchownat(pinned, "", 1, 1, AT_EMPTY_PATH)),
		refused(chmod(f, 0777)),
		refused(fchmod(held, 0777)),
		refused(syscall(SYS_setxattr, f, "user.x", "y", 1, 0)),
		refused(utimensat(AT_FDCWD, f, NULL, 0)),
		refused(open(f, O_WRONLY | O_CLOEXEC)),
		!landlock || refused(open_by(g, "tree/f", O_RDWR)),
		!landlock || refused(open_by(g, "tree/f", O_RDONLY | O_TRUNC)),
		!landlock || refused(open_by(g, "tree/new", O_RDONLY | O_CREAT)),
		refused(truncate(f, 9)),
		refused(mkdir(d, 0700)),
		refused(mknod(d, S_IFREG | 0600, 0)),
		refused(symlink(f, d)),
		refused(link(f, d)),
		refused(rename(f, d)),
		refused(unlink(f)),
		refused(mount("none", g->top, "tmpfs", 0, NULL)),
		refused(unshare(CLONE_NEWNS)),
		refused(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
		refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)),
		refused(setuid(1)),
		refused(setpriority(PRIO_PROCESS, (id_t)getppid(), 19)),
		!landlock || refused(kill(1, 0)),
		refused(syscall(SYS_ioctl, held, 0x40086602UL, &flags)), // FS_IOC_SETFLAGS
		refused(execl("/bin/true", "true", (char *)NULL)),
	};
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		if (!tries[i]) {
			return (int)i + 1;
		}
	}
	return held < 0 || pinned < 0 ? 100 : 0;
}

/** And what it still must: other people's private files, without touching their times; what was
 * open; children. */
static int look_about(const struct ground *g, bool landlock, int out) {
	struct stat st;
	char entries[512];
	int status;
	int fd = (int)open_by(g, "tree/foreign", O_RDONLY | O_DIRECTORY | O_NOATIME);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(change_anything(g, landlock));
	}
	if (waitpid(pid, &status, 0) != pid || status != 0) {
		return 101;
	}
	return fd < 0 || fstat(fd, &st) < 0 || st.st_uid != 1
			|| syscall(SYS_getdents64, fd, entries, sizeof(entries)) < 0
			|| write(out, "x", 1) != 1 || ftruncate(out, 0) < 0
		? 102
		: 0;
}

static void test_looks_and_changes_nothing(void **state) {
	const struct ground *g = *state;
	struct stat before;
	struct stat after;
	char path[128];
	int status;
	if (g == NULL) {
		print_message("needs root\n");
		skip();
	}
	// Of the machines that run this, only those where the newer calls are refused have none.
	bool landlock = has_landlock();
	assert_true(landlock || getenv("BR_UNDER") != NULL);
	close(make_dir(g, "tree/foreign"));
	at(g, path, "tree/foreign");
	assert_int_equal(chown(path, 1, 1), 0);
	assert_int_equal(chmod(path, 0700), 0);
	int out = (int)open_by(g, "outside/f", O_RDWR);
	at(g, path, "tree/f");
	assert_int_equal(stat(path, &before), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (br_jail_look(1 << CAP_DAC_READ_SEARCH | 1 << CAP_FOWNER) < 0) {
			_exit(103);
		}
		int r = change_anything(g, landlock);
		_exit(r != 0 ? r : look_about(g, landlock, out));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(out);
	assert_int_equal(stat(path, &after), 0);
	assert_memory_equal(&before.st_ctim, &after.st_ctim, sizeof(before.st_ctim));
}
#endif

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_holds_without_newer_calls),
		cmocka_unit_test(test_holds_with_rights_taken),
		cmocka_unit_test(test_is_no_mere_chroot),
		cmocka_unit_test(test_keeps_few_rights),
		cmocka_unit_test(test_lets_a_right_rest),
		cmocka_unit_test(test_lets_nothing_rest_here),
#ifndef BR_SANITIZED
		cmocka_unit_test(test_kills_what_it_would_not_do),
		cmocka_unit_test(test_leaves_others_alone),
		cmocka_unit_test(test_looks_and_changes_nothing),
#endif
		cmocka_unit_test(test_shows_no_mounts),
		cmocka_unit_test(test_lowers_and_raises),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
