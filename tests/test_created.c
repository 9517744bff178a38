/*
 * The kernel is asked what br_access_created answers: processes with random credentials, some of them in user namespaces, make things in random directories.
 *
 *	BR_CREATED_COUNT   how many things are made (30000)
 *	BR_SEED            repeats a run
 */
#include <base/mem.h>
#include <base/own.h>
#include <bindright/access.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <support/any.h>
#include <support/disks.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define REQUIRE(condition) \
	do { \
		if (!(condition)) { \
			fail_msg("%s (%s)", #condition, strerror(errno)); \
		} \
	} while (0)

enum {
	PARENTS = 32,
	KINDS = 4,
	GROUPS = 3,
	DEFAULT_COUNT = 30000,
};

static const uint32_t kinds[KINDS] = {S_IFREG, S_IFDIR, S_IFIFO, S_IFLNK};

struct map_pair {
	struct br_idmap uids;
	struct br_idmap gids;
};

static const struct br_idmap_extent ns_uids[] = {{0, 1001, 1}, {1, 100000, 65536}};
static const struct br_idmap_extent ns_gids[] = {{0, 2000, 2}, {100, 1002, 1}, {200, 101000, 1}};
static const struct map_pair spaces[] = {
	{{0}, {0}}, {{ns_uids, N(ns_uids)}, {ns_gids, N(ns_gids)}}};

/* What a child is told, and what it says. */
struct job {
	uint32_t uid, gid;
	uint32_t groups[GROUPS];
	uint32_t ngroups;
	uint32_t umask;
	uint64_t caps;
	uint32_t modes[PARENTS][KINDS];
	/* -1: could not become who it should. */
	int errors[PARENTS][KINDS];
	bool became;
};

struct world {
	struct any any;
	struct br_acls *acls;
	struct job *job;
	int top;
	int dirs[PARENTS];
	struct br_inode parents[PARENTS];
	struct br_cred cred;
	br_hostid groups[GROUPS];
	uint64_t made;
	uint64_t refused;
	uint64_t inherited;
};

/* ---- the child ---- */

static int take_caps(uint64_t effective) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &header, data)) {
		return -1;
	}
	for (size_t i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted & (uint32_t)(effective >> 32 * i);
		data[i].permitted = data[i].effective;
		data[i].inheritable = 0;
	}
	return (int)syscall(SYS_capset, &header, data);
}

static int make_one(int dir, uint32_t kind, uint32_t mode) {
	char name[2] = {"fdpl"[kind], '\0'};
	long got = -1;
	if (kinds[kind] == S_IFREG) {
		int fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
		got = fd < 0 ? -1 : close(fd);
	} else if (kinds[kind] == S_IFDIR) {
		got = mkdirat(dir, name, mode);
	} else if (kinds[kind] == S_IFIFO) {
		got = mknodat(dir, name, S_IFIFO | mode, 0);
	} else {
		got = symlinkat("nowhere", dir, name);
	}
	return got ? errno : 0;
}

static void make_all(struct job *job, const int *dirs) {
	if (prctl(PR_SET_KEEPCAPS, 1) || syscall(SYS_setgroups, (size_t)job->ngroups, job->groups)
		|| syscall(SYS_setresgid, job->gid, job->gid, job->gid)
		|| syscall(SYS_setresuid, job->uid, job->uid, job->uid) || take_caps(job->caps)) {
		return;
	}
	(void)umask(job->umask);
	job->became = true;
	for (unsigned i = 0; i < PARENTS; i++) {
		for (uint32_t k = 0; k < KINDS; k++) {
			job->errors[i][k] = make_one(dirs[i], k, job->modes[i][k]);
		}
	}
}

static int write_map(pid_t pid, const char *file, const struct br_idmap *map) {
	char path[64];
	char text[256];
	size_t n = 0;
	for (size_t i = 0; i < map->n; i++) {
		const struct br_idmap_extent *e = &map->extents[i];
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "%u %u %u\n", e->box, e->host, e->count);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	br_auto(br_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, n) == (ssize_t)n ? 0 : -1;
}

static _Noreturn void child(struct world *w, const struct map_pair *space, int to) {
	char word = 'u';
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (space->uids.n
		&& (unshare(CLONE_NEWUSER) || write(to, &word, 1) != 1 || read(to, &word, 1) != 1
			|| syscall(SYS_setresgid, 0, 0, 0) || syscall(SYS_setresuid, 0, 0, 0))) {
		_exit(1);
	}
	make_all(w->job, w->dirs);
	_exit(0);
}

static void run_child(struct world *w, const struct map_pair *space) {
	int ends[2];
	char word = 'u';
	int status = -1;
	w->job->became = false;
	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	pid_t pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		child(w, space, ends[1]);
	}
	br_closep(&ends[1]);
	if (space->uids.n && read(ends[0], &word, 1) == 1) {
		REQUIRE(!write_map(pid, "uid_map", &space->uids));
		REQUIRE(!write_map(pid, "gid_map", &space->gids));
		REQUIRE(write(ends[0], &word, 1) == 1);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	br_closep(&ends[0]);
	REQUIRE(status == 0 && w->job->became);
}

/* ---- the world ---- */

static void set_acl(int dirfd, const char *which, const struct br_acl *acl) {
	char path[64];
	unsigned char value[512];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dirfd);
	REQUIRE(br_acl_size(acl) <= sizeof(value));
	br_acl_encode(acl, value);
	REQUIRE(!setxattr(path, which, value, br_acl_size(acl), 0));
}

/* Three entries, four, or more; not in the kernel's order where it keeps any. */
static const struct br_acl *any_default(struct world *w) {
	if (any_below(&w->any, 4)) {
		return any_acl(&w->any, w->acls);
	}
	struct br_acl_entry entries[4] = {
		{BR_ACL_OWNER, any_perm(&w->any), {BR_NO_ID}},
		{BR_ACL_OWNING_GROUP, any_perm(&w->any), {BR_NO_ID}},
		{BR_ACL_OTHER, any_perm(&w->any), {BR_NO_ID}},
		{BR_ACL_MASK, any_perm(&w->any), {BR_NO_ID}},
	};
	return br_acls_make(w->acls, entries, 3 + any_below(&w->any, 2));
}

static void make_parent(struct world *w, unsigned i) {
	char name[8];
	(void)snprintf(name, sizeof(name), "p%u", i);
	REQUIRE(!mkdirat(w->top, name, 0700));
	w->dirs[i] = openat(w->top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(w->dirs[i] >= 0);
	struct br_inode want = any_inode(&w->any, w->acls, S_IFDIR, 03000);
	REQUIRE(!fchown(w->dirs[i], want.uid.v, want.gid.v));
	REQUIRE(!fchmod(w->dirs[i],
		(any_below(&w->any, 4) ? 0777 | (want.mode & 03000) : want.mode) & 07777));
	if (want.acl && !any_below(&w->any, 4)) {
		set_acl(w->dirs[i], "system.posix_acl_access", want.acl);
	}
	if (any_below(&w->any, 2)) {
		set_acl(w->dirs[i], "system.posix_acl_default", any_default(w));
	}
	REQUIRE(!br_inode_read(
		w->dirs[i], "", BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL, w->acls, &w->parents[i]));
}

static uint32_t mapped_id(struct world *w, const struct br_idmap *map, br_hostid *host) {
	br_boxid box;
	do {
		*host = any_id(&w->any);
	} while (!br_idmap_to_box(map, *host, &box));
	return box.v;
}

static int by_id(const void *a, const void *b) {
	const br_hostid *x = a;
	const br_hostid *y = b;
	return (x->v > y->v) - (x->v < y->v);
}

static void make_who(struct world *w, const struct map_pair *space) {
	static const uint64_t sets[] = {0, 0, UINT64_C(1) << CAP_FSETID,
		UINT64_C(1) << CAP_DAC_OVERRIDE, ~(UINT64_C(1) << CAP_FSETID), UINT64_MAX};
	static const uint32_t umasks[] = {022, 002, 077, 027, 0, 0777};
	struct job *job = w->job;
	w->cred = (struct br_cred){.uids = space->uids, .gids = space->gids, .groups = w->groups};
	job->uid = mapped_id(w, &space->uids, &w->cred.uid);
	job->gid = mapped_id(w, &space->gids, &w->cred.gid);
	job->ngroups = any_below(&w->any, GROUPS + 1);
	for (uint32_t i = 0; i < job->ngroups; i++) {
		job->groups[i] = mapped_id(w, &space->gids, &w->groups[i]);
	}
	w->cred.ngroups = job->ngroups;
	qsort(w->groups, job->ngroups, sizeof(w->groups[0]), by_id);
	job->caps = w->cred.caps = sets[any_below(&w->any, N(sets))];
	job->umask = w->cred.umask = umasks[any_below(&w->any, N(umasks))];
	for (unsigned i = 0; i < PARENTS; i++) {
		for (uint32_t k = 0; k < KINDS; k++) {
			static const uint32_t usual[] = {0666, 0777, 0644, 0755, 0600};
			job->modes[i][k] = any_below(&w->any, 2)
				? usual[any_below(&w->any, N(usual))]
				: any_below(&w->any, 010000);
		}
	}
}

/* ---- the comparison ---- */

static void tell(struct world *w, const char *what, const struct br_inode *inode) {
	char mode[12];
	struct br_arena arena = {0};
	print_error("%s: %s %05o %u:%u acl %s default %s\n", what, br_mode_text(inode, mode),
		inode->mode & 07777, inode->uid.v, inode->gid.v,
		inode->acl ? br_acl_text(&arena, inode->acl) : "none",
		inode->def ? br_acl_text(&arena, inode->def) : "none");
	br_arena_release(&arena);
	(void)w;
}

static void compare(struct world *w, unsigned i, uint32_t k) {
	char name[2] = {"fdpl"[k], '\0'};
	const struct br_inode *parent = &w->parents[i];
	uint32_t asked = kinds[k] | (kinds[k] == S_IFLNK ? 0777 : w->job->modes[i][k]);
	struct br_inode want;
	struct br_inode got;
	bool may = br_access(parent, &w->cred, &(struct br_where){0}, BR_W | BR_X).missing == 0;
	int err = w->job->errors[i][k];
	if (may != (err == 0)) {
		tell(w, "in", parent);
		fail_msg("making '%s': %s", name, strerror(err));
	}
	if (err) {
		w->refused++;
		return;
	}
	assert_int_equal(br_access_created(parent, &w->cred, asked, w->acls, &want), 0);
	REQUIRE(!br_inode_read(w->dirs[i], name, BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL, w->acls, &got));
	if (!br_inode_equal(&want, &got) || (want.mode & S_IFMT) != (got.mode & S_IFMT)) {
		tell(w, "in", parent);
		tell(w, "said", &want);
		tell(w, "is", &got);
		fail_msg("uid %u gid %u umask %o caps %llx asked %o", w->cred.uid.v, w->cred.gid.v,
			w->cred.umask, (unsigned long long)w->cred.caps, asked);
	}
	w->made++;
	w->inherited += got.acl != NULL || got.def != NULL;
	REQUIRE(!unlinkat(w->dirs[i], name, kinds[k] == S_IFDIR ? AT_REMOVEDIR : 0));
}

static void batch(struct world *w, const struct map_pair *space) {
	char name[8];
	/* A long run would keep every ACL that there ever was. */
	br_acls_free(w->acls);
	w->acls = br_acls_new();
	REQUIRE(w->acls);
	for (unsigned i = 0; i < PARENTS; i++) {
		make_parent(w, i);
	}
	make_who(w, space);
	run_child(w, space);
	for (unsigned i = 0; i < PARENTS; i++) {
		for (uint32_t k = 0; k < KINDS; k++) {
			compare(w, i, k);
		}
		br_closep(&w->dirs[i]);
		(void)snprintf(name, sizeof(name), "p%u", i);
		REQUIRE(!unlinkat(w->top, name, AT_REMOVEDIR));
	}
}

static uint64_t wanted_count(void) {
	const char *words = getenv("BR_CREATED_COUNT");
	return words ? strtoull(words, NULL, 10) : DEFAULT_COUNT;
}

static void compare_on(struct world *w, const char *path, const char *fs) {
	w->top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(w->top >= 0);
	w->made = w->refused = w->inherited = 0;
	for (unsigned round = 0; w->made < wanted_count() / 6; round++) {
		batch(w, &spaces[round % N(spaces)]);
	}
	print_message("%s: %llu made, %llu with an ACL, %llu refused\n", fs,
		(unsigned long long)w->made, (unsigned long long)w->inherited,
		(unsigned long long)w->refused);
	br_closep(&w->top);
}

static void test_kernel(void **state) {
	static const char *const disks[] = {"tmpfs", "ext4", "xfs", "btrfs", "overlay"};
	struct world *w = *state;
	const char *tmp = getenv("TMPDIR");
	char place[200];
#ifdef __SANITIZE_THREAD__
	// Its library has a thread of its own, and unshare(2) wants a process with one.
	return;
#endif
	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		skip();
	}
	(void)snprintf(place, sizeof(place), "%s/created.XXXXXX", tmp ? tmp : "/tmp");
	REQUIRE(mkdtemp(place));
	w->any.state = any_seed();
	compare_on(w, place, "the temporary directory");
	bool apart = disks_apart();
	for (size_t i = 0; i < N(disks); i++) {
		const char *why = apart ? disk_mount(disks[i], place) : "needs a mount namespace";
		if (why) {
			print_message("skipped: %s: %s\n", disks[i], why);
			continue;
		}
		compare_on(w, place, disks[i]);
		disk_unmount(disks[i], place);
	}
	REQUIRE(!rmdir(place));
}

/* By hand, from acl(5), "OBJECT CREATION AND DEFAULT ACLs", and mkdir(2). */
static void test_words(void **state) {
	struct world *w = *state;
	const struct br_acl_entry entries[] = {
		{BR_ACL_OWNER, 7, {BR_NO_ID}},
		{BR_ACL_USER, 7, {1001}},
		{BR_ACL_OWNING_GROUP, 5, {BR_NO_ID}},
		{BR_ACL_MASK, 7, {BR_NO_ID}},
		{BR_ACL_OTHER, 0, {BR_NO_ID}},
	};
	const struct br_cred app = {.uid = {1001}, .gid = {1002}, .umask = 022};
	struct br_inode parent = {.mode = S_IFDIR | 02775,
		.uid = {1000},
		.gid = {50},
		.have = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL};
	struct br_inode out;
	assert_int_equal(br_access_created(&parent, &app, S_IFREG | 0666, w->acls, &out), 0);
	assert_int_equal(out.mode, S_IFREG | 0644);
	assert_int_equal(out.uid.v, 1001);
	assert_int_equal(out.gid.v, 50);
	assert_int_equal(br_access_created(&parent, &app, S_IFDIR | 0777, w->acls, &out), 0);
	assert_int_equal(out.mode, S_IFDIR | 02755);
	parent.mode = S_IFDIR | 0775;
	parent.def = br_acls_make(w->acls, entries, N(entries));
	assert_int_equal(br_access_created(&parent, &app, S_IFREG | 0666, w->acls, &out), 0);
	assert_int_equal(out.mode, S_IFREG | 0660);
	assert_int_equal(out.gid.v, 1002);
	assert_non_null(out.acl);
	assert_int_equal(br_acl_find(out.acl, BR_ACL_USER, (br_hostid){1001})->perm, 7);
	assert_int_equal(br_acl_find(out.acl, BR_ACL_MASK, (br_hostid){BR_NO_ID})->perm, 6);
	assert_null(out.def);
	assert_int_equal(br_access_created(&parent, &app, S_IFDIR | 0777, w->acls, &out), 0);
	assert_int_equal(out.mode, S_IFDIR | 0770);
	assert_ptr_equal(out.def, parent.def);
}

static int set_up(void **state) {
	static struct world world;
	world.acls = br_acls_new();
	world.job = mmap(NULL, sizeof(*world.job), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*state = &world;
	return world.acls && world.job != MAP_FAILED ? 0 : -1;
}

static int tear_down(void **state) {
	struct world *w = *state;
	br_acls_free(w->acls);
	return munmap(w->job, sizeof(*w->job));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_kernel),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
