/*
 * The kernel is asked what br_access_created answers: processes with random credentials, some of
 *them in user namespaces, make things in random directories.
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
#include <support/pretend.h>
#include <support/scratch.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

enum {
	PARENTS = 32,
	KINDS = 4,
	DEFAULT_COUNT = 30000,
};

static const uint32_t kinds[KINDS] = {S_IFREG, S_IFDIR, S_IFIFO, S_IFLNK};

static const struct br_idmap_extent ns_uids[] = {{0, 1001, 1}, {1, 100000, 65536}};
static const struct br_idmap_extent ns_gids[] = {{0, 2000, 2}, {100, 1002, 1}, {200, 101000, 1}};
static const struct map_pair spaces[] = {
	{{0}, {0}}, {{ns_uids, N(ns_uids)}, {ns_gids, N(ns_gids)}}};

/* The ID map of a mount: what is on disk, and what it looks like. */
static const struct br_idmap_extent mount_uids[] = {
	{0, 0, 1}, {1001, 1002, 1}, {1002, 1001, 1}, {100000, 100000, 4000}};
static const struct br_idmap_extent mount_gids[] = {
	{0, 2000, 1}, {2000, 0, 1}, {1000, 1000, 5}, {101000, 101000, 1000}};
static const struct map_pair mount_map = {{mount_uids, N(mount_uids)}, {mount_gids, N(mount_gids)}};

/* Where things are made. */
struct place {
	const char *kind;
	enum br_group_rule rule;
};

/* What a child is told, and what it says. */
struct job {
	struct who who;
	uint32_t umask;
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
	/* The same directory through a mount with an ID map, or -1. */
	int mapped;
	struct br_where where;
	enum br_group_rule rule;
	int dirs[PARENTS];
	struct br_inode parents[PARENTS];
	struct br_cred cred;
	br_hostid groups[GROUPS];
	uint64_t made;
	uint64_t through_map;
	uint64_t refused;
	uint64_t inherited;
};

/* ---- the child ---- */

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
	if (become(&job->who, permitted_now())) {
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

static void run_child(struct world *w, const struct map_pair *space) {
	int to = -1;
	int status = -1;
	w->job->became = false;
	pid_t pid = fork_into(space, &to);
	REQUIRE(pid >= 0);
	if (pid == 0) {
		make_all(w->job, w->dirs);
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	br_closep(&to);
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
	/* As long as it is root's, who has an ID there. */
	br_auto(br_closep) int mapped = -1;
	if (w->where.mount_uids.n) {
		mapped = openat(w->mapped, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		REQUIRE(mapped >= 0);
	}
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
	if (mapped >= 0) {
		br_closep(&w->dirs[i]);
		w->dirs[i] = br_steal_fd(&mapped);
	}
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
	struct who *who = &job->who;
	*who = (struct who){.whole = true};
	who->uid = mapped_id(w, &space->uids, &w->cred.uid);
	who->gid = mapped_id(w, &space->gids, &w->cred.gid);
	who->ngroups = any_below(&w->any, GROUPS + 1);
	for (uint32_t i = 0; i < who->ngroups; i++) {
		who->groups[i] = mapped_id(w, &space->gids, &w->groups[i]);
	}
	w->cred.ngroups = who->ngroups;
	qsort(w->groups, who->ngroups, sizeof(w->groups[0]), by_id);
	who->caps = w->cred.caps = sets[any_below(&w->any, N(sets))];
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
	char path[16];
	const struct br_inode *parent = &w->parents[i];
	uint32_t asked = kinds[k] | (kinds[k] == S_IFLNK ? 0777 : w->job->modes[i][k]);
	struct br_inode want;
	struct br_inode got;
	bool may = br_access_create(parent, &w->cred, &w->where);
	int err = w->job->errors[i][k];
	if (may != (err == 0)) {
		tell(w, "in", parent);
		fail_msg("making '%s': %s", name, strerror(err));
	}
	if (err) {
		w->refused++;
		return;
	}
	const struct br_birth birth = {parent, &w->cred, w->where, w->rule, asked};
	assert_int_equal(br_access_created(&birth, w->acls, &want), 0);
	(void)snprintf(path, sizeof(path), "p%u/%s", i, name);
	REQUIRE(!br_inode_read(w->top, path, BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL, w->acls, &got));
	if (!br_inode_equal(&want, &got) || (want.mode & S_IFMT) != (got.mode & S_IFMT)) {
		tell(w, "in", parent);
		tell(w, "said", &want);
		tell(w, "is", &got);
		for (size_t g = 0; g < w->cred.ngroups; g++) {
			print_error("group %u\n", w->groups[g].v);
		}
		fail_msg("uid %u gid %u umask %o caps %llx asked %o%s%s", w->cred.uid.v,
			w->cred.gid.v, w->cred.umask, (unsigned long long)w->cred.caps, asked,
			w->cred.uids.n ? " in a user namespace" : "",
			w->where.mount_uids.n ? " on an ID-mapped mount" : "");
	}
	w->made++;
	w->through_map += w->where.mount_uids.n != 0;
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

/* Some file systems have no such mounts. */
static void open_mapped(struct world *w) {
	br_auto(br_closep) int userns = namespace_of(&mount_map);
	w->mapped = userns < 0 ? -1 : view_of(w->top, MOUNT_ATTR_IDMAP, userns);
}

static void compare_on(struct world *w, const char *path, const struct place *place) {
	w->top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(w->top >= 0);
	w->made = w->refused = w->inherited = w->through_map = 0;
	w->rule = place->rule;
	open_mapped(w);
	for (unsigned round = 0; w->made < wanted_count() / 8; round++) {
		w->where = (struct br_where){0};
		if (w->mapped >= 0 && round / N(spaces) % 2) {
			w->where.mount_uids = mount_map.uids;
			w->where.mount_gids = mount_map.gids;
		}
		batch(w, &spaces[round % N(spaces)]);
	}
	print_message(
		"%s: %llu made (%llu on an ID-mapped mount), %llu with an ACL, %llu refused\n",
		place->kind, (unsigned long long)w->made, (unsigned long long)w->through_map,
		(unsigned long long)w->inherited, (unsigned long long)w->refused);
	br_closep(&w->mapped);
	br_closep(&w->top);
}

/* The mount's options say which rule it is. */
static void check_rule(const char *path, enum br_group_rule rule) {
	struct br_arena arena = {0};
	struct br_source source;
	REQUIRE(!br_source_open(&arena, path, 0, &source));
	assert_int_equal(source.fs.new_group, rule);
	br_source_release(&source);
	br_arena_release(&arena);
}

static void test_kernel(void **state) {
	static const struct place disks[] = {{"tmpfs", BR_GROUP_OF_MAKER},
		{"ext4", BR_GROUP_OF_MAKER}, {"xfs", BR_GROUP_OF_MAKER},
		{"btrfs", BR_GROUP_OF_MAKER}, {"overlay", BR_GROUP_OF_MAKER},
		{"ext4+grpid", BR_GROUP_OF_DIRECTORY_ALONE}, {"xfs+grpid", BR_GROUP_OF_DIRECTORY}};
	static const struct place temporary = {"the temporary directory", BR_GROUP_OF_MAKER};
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
	compare_on(w, place, &temporary);
	bool apart = disks_apart();
	for (size_t i = 0; i < N(disks); i++) {
		const char *kind = disks[i].kind;
		const char *why = apart ? disk_mount(kind, place) : "needs a mount namespace";
		if (why) {
			print_message("skipped: %s: %s\n", kind, why);
			continue;
		}
		check_rule(place, disks[i].rule);
		compare_on(w, place, &disks[i]);
		disk_unmount(kind, place);
	}
	REQUIRE(!rmdir(place));
}

static int made(struct world *w, const struct br_inode *parent, const struct br_cred *cred,
	uint32_t mode, struct br_inode *out) {
	const struct br_birth birth = {.parent = parent, .cred = cred, .mode = mode};
	return br_access_created(&birth, w->acls, out);
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
	assert_int_equal(made(w, &parent, &app, S_IFREG | 0666, &out), 0);
	assert_int_equal(out.mode, S_IFREG | 0644);
	assert_int_equal(out.uid.v, 1001);
	assert_int_equal(out.gid.v, 50);
	assert_int_equal(made(w, &parent, &app, S_IFDIR | 0777, &out), 0);
	assert_int_equal(out.mode, S_IFDIR | 02755);
	parent.mode = S_IFDIR | 0775;
	parent.def = br_acls_make(w->acls, entries, N(entries));
	assert_int_equal(made(w, &parent, &app, S_IFREG | 0666, &out), 0);
	assert_int_equal(out.mode, S_IFREG | 0660);
	assert_int_equal(out.gid.v, 1002);
	assert_non_null(out.acl);
	assert_int_equal(br_acl_find(out.acl, BR_ACL_USER, (br_hostid){1001})->perm, 7);
	assert_int_equal(br_acl_find(out.acl, BR_ACL_MASK, (br_hostid){BR_NO_ID})->perm, 6);
	assert_null(out.def);
	assert_int_equal(made(w, &parent, &app, S_IFDIR | 0777, &out), 0);
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
