/**
 * check against the kernel: random trees, and for each a process that takes on the container's
 * identity and tries every inode.
 *
 * What is compared is what a user reads: how many inodes do not fit, whether the mount fits, what
 * the root has. Needs root. BR_SEED repeats a run, BR_CHECK_TREES says how many trees.
 */
#include <base/mem.h>
#include <base/own.h>
#include <bindright/check.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	ENTRIES = 40,
};

static uint64_t seed;

static unsigned roll(unsigned n) {
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)((seed >> 33) % n);
}

static char top[64];

static int set_up(void **state) {
	(void)state;
	const char *tmp = getenv("TMPDIR");
	(void)snprintf(
		top, sizeof(top), "%.40s/br-check-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	assert_non_null(mkdtemp(top));
	return chmod(top, 0755);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state) {
	(void)state;
	return nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const uint32_t ids[] = {0, 1000, 1001, 1002, 2000};

static uint32_t any_id(void) {
	return ids[roll(sizeof(ids) / sizeof(ids[0]))];
}

/** A random owner, group, mode and, one time in three, ACL. */
static void dress(const char *path, bool is_dir) {
	static const mode_t modes[] = {
		0755, 0700, 0750, 0775, 0711, 0555, 0644, 0600, 0640, 0664, 0077, 0707};
	assert_int_equal(chown(path, any_id(), any_id()), 0);
	assert_int_equal(chmod(path, modes[roll(12)] | (is_dir && roll(4) == 0 ? 01000U : 0U)), 0);
	if (roll(3) != 0) {
		return;
	}
	struct br_acls *acls = br_acls_new();
	struct br_acl_entry entries[] = {
		{BR_ACL_OWNER, (uint16_t)roll(8), {BR_NO_ID}},
		{BR_ACL_USER, (uint16_t)roll(8), {1001}},
		{BR_ACL_USER, (uint16_t)roll(8), {1002}},
		{BR_ACL_OWNING_GROUP, (uint16_t)roll(8), {BR_NO_ID}},
		{BR_ACL_GROUP, (uint16_t)roll(8), {2000}},
		{BR_ACL_MASK, (uint16_t)roll(8), {BR_NO_ID}},
		{BR_ACL_OTHER, (uint16_t)roll(8), {BR_NO_ID}},
	};
	const struct br_acl *acl =
		br_acls_make(acls, entries, sizeof(entries) / sizeof(entries[0]));
	unsigned char blob[256];
	assert_non_null(acl);
	assert_true(br_acl_size(acl) <= sizeof(blob));
	br_acl_encode(acl, blob);
	assert_int_equal(setxattr(path, "system.posix_acl_access", blob, br_acl_size(acl), 0), 0);
	br_acls_free(acls);
}

/** A tree of up to ENTRIES files and directories; paths are below top/data. The number. */
static size_t grow(char paths[ENTRIES][PATH_MAX]) {
	char dirs[ENTRIES][PATH_MAX];
	size_t ndirs = 1;
	size_t n = 1 + roll(ENTRIES - 1);
	(void)snprintf(paths[0], PATH_MAX, "%s/data", top);
	memcpy(dirs[0], paths[0], PATH_MAX);
	assert_int_equal(mkdir(paths[0], 0700), 0);
	for (size_t i = 1; i < n; i++) {
		int len = snprintf(paths[i], PATH_MAX, "%s/e%zu", dirs[roll((unsigned)ndirs)], i);
		assert_true(len < PATH_MAX);
		if (roll(3) == 0) {
			assert_int_equal(mkdir(paths[i], 0700), 0);
			memcpy(dirs[ndirs++], paths[i], PATH_MAX);
		} else {
			int fd = open(paths[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
			assert_true(fd >= 0);
			(void)close(fd);
		}
	}
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		assert_int_equal(lstat(paths[i], &st), 0);
		dress(paths[i], S_ISDIR(st.st_mode));
	}
	return n;
}

/** What the probing process answers. */
struct answer {
	uint64_t misfit;
	unsigned root_have;
};

/** Bits that anybody has, as the mode and ACL say: the need of a file. */
static unsigned any_bits(int fd, const struct stat *st) {
	unsigned char blob[256];
	unsigned bits = (st->st_mode | st->st_mode >> 3 | st->st_mode >> 6) & 7;
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t n = getxattr(path, "system.posix_acl_access", blob, sizeof(blob));
	if (n > 4) {
		// With an ACL a class has what the mask lets through of its entry.
		unsigned mask = (st->st_mode >> 3) & 7;
		bits = (st->st_mode >> 6 | st->st_mode) & 7;
		for (ssize_t at = 4; at + 8 <= n; at += 8) {
			unsigned tag = blob[at] | (unsigned)blob[at + 1] << 8;
			bool group_class = tag == BR_ACL_USER || tag == BR_ACL_OWNING_GROUP
				|| tag == BR_ACL_GROUP;
			bits |= group_class ? blob[at + 2] & mask : 0U;
		}
	}
	return bits;
}

static void become(const struct br_cred *cred) {
	gid_t groups[8];
	for (size_t i = 0; i < cred->ngroups; i++) {
		groups[i] = cred->groups[i].v;
	}
	if (setgroups(cred->ngroups, groups) || setresgid(cred->gid.v, cred->gid.v, cred->gid.v)
		|| prctl(PR_SET_KEEPCAPS, 1) || setresuid(cred->uid.v, cred->uid.v, cred->uid.v)) {
		_exit(9);
	}
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {0};
	data[0].effective = data[0].permitted = (uint32_t)cred->caps;
	data[1].effective = data[1].permitted = (uint32_t)(cred->caps >> 32);
	if (syscall(SYS_capset, &header, data)) {
		_exit(9);
	}
}

/** Reaching it and having the bits, asked as a program would: list, create and delete; open for
 * both, execute. "" is root itself. */
static bool can_use(int root, const char *below, unsigned need, bool is_dir) {
	int flags = AT_EACCESS | (*below ? 0 : AT_EMPTY_PATH);
	unsigned at_once = is_dir ? BR_W | BR_X : BR_R | BR_W;
	return syscall(SYS_faccessat2, root, below, need & at_once, flags) == 0
		&& syscall(SYS_faccessat2, root, below, need & ~at_once, flags) == 0;
}

/** In the child: take the identity and try to reach every inode from the root of the mount on, as a
 * process in the container would. */
static void probe(size_t n, char paths[ENTRIES][PATH_MAX], const struct br_cred *cred,
	bool read_only, int out) {
	struct answer answer = {0};
	unsigned need[ENTRIES];
	bool is_dir[ENTRIES];
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		int fd = open(paths[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st)) {
			_exit(9);
		}
		is_dir[i] = S_ISDIR(st.st_mode);
		need[i] = is_dir[i] ? BR_R | BR_W | BR_X : any_bits(fd, &st);
		need[i] &= read_only ? ~(unsigned)BR_W : ~0U;
		(void)close(fd);
	}
	// The process enters at the mount: what lies above it is not its way.
	if (chdir(paths[0])) {
		_exit(9);
	}
	int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	become(cred);
	for (unsigned bit = 1; bit <= 4; bit <<= 1) {
		bool yes = syscall(SYS_faccessat2, root, "", bit, AT_EACCESS | AT_EMPTY_PATH) == 0;
		answer.root_have |= yes && (need[0] & bit) ? bit : 0U;
	}
	size_t skip = strlen(paths[0]);
	for (size_t i = 0; i < n; i++) {
		const char *below = i == 0 ? "" : paths[i] + skip + 1;
		answer.misfit += !can_use(root, below, need[i], is_dir[i]);
	}
	_exit(write(out, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 9);
}

static struct answer ask_kernel(
	size_t n, char paths[ENTRIES][PATH_MAX], const struct br_cred *cred, bool read_only) {
	int pipes[2];
	struct answer answer;
	int status;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		probe(n, paths, cred, read_only, pipes[1]);
	}
	(void)close(pipes[1]);
	assert_int_equal(read(pipes[0], &answer, sizeof(answer)), sizeof(answer));
	(void)close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return answer;
}

/** A project of one container with one mount. */
struct project {
	struct br_arena arena;
	struct br_places *places;
	struct br_diags *dx;
	struct br_mount mount;
	struct br_container container;
	struct br_spec spec;
	br_hostid groups[2];
	struct br_identity identity;
};

static void make_project(struct project *p, const char *source) {
	p->places = br_places_new();
	p->dx = br_diags_new(p->places);
	assert_non_null(p->dx);
	p->mount = (struct br_mount){.kind = BR_MOUNT_BIND,
		.source = {.s = source},
		.target = {.s = "/data"},
		.read_only = roll(4) == 0};
	p->container =
		(struct br_container){.name = {.s = "app"}, .mounts = &p->mount, .nmounts = 1};
	p->spec = (struct br_spec){.containers = &p->container, .n = 1};
	p->groups[0].v = 2000;
	p->identity = (struct br_identity){.container = &p->container, .confidence = BR_CERTAIN};
	p->identity.cred.uid.v = any_id();
	p->identity.cred.gid.v = any_id();
	p->identity.uid.v = p->identity.cred.uid.v;
	p->identity.gid.v = p->identity.cred.gid.v;
	p->identity.cred.groups = p->groups;
	p->identity.cred.ngroups = roll(2);
	p->identity.cred.umask = 022;
	if (p->identity.uid.v == 0 && roll(2) == 0) {
		p->identity.cred.caps = br_caps_docker_default();
	} else if (roll(8) == 0) {
		p->identity.cred.caps = UINT64_C(1) << CAP_DAC_READ_SEARCH;
	}
}

/** Walk the first tree in the check's place, and tell it what is there; or one told of some of it,
 * and `rest` of the rest. */
static struct br_told *tell(const struct br_check_input *input,
	const struct br_check_options *options, struct br_told *rest, struct br_diags *dx) {
	const struct br_tree *tree = &input->demands->trees[0];
	struct br_scan_options walk = {.depth = UINT_MAX, .leave = true, .want = BR_HAVE_ACL};
	struct br_told *told = br_told_new(input, options, true, dx);
	struct br_scan *scan = br_scan_new(tree->root->fd, input->acls, &walk);
	const struct br_entry *entry;
	int more;
	assert_non_null(told);
	assert_non_null(scan);
	while ((more = br_scan_next(scan, &entry)) > 0) {
		bool is_rest = rest && roll(2) == 0;
		assert_int_equal(br_told_see(is_rest ? rest : told, tree, entry), 0);
	}
	assert_int_equal(more, 0);
	br_scan_free(scan);
	return told;
}

/** Trees that were told of, and were not walked once more. */
static unsigned spared;

static void compare(struct project *p, size_t n, char paths[ENTRIES][PATH_MAX]) {
	struct br_hostdb *hostdb = br_hostdb_read(top, p->dx);
	struct br_acls *acls = br_acls_new();
	struct br_demand_options what = {0};
	struct br_demands *demands = br_demands_make(&p->spec, &p->identity, &what, p->dx);
	assert_non_null(demands);
	struct br_check_input input = {.spec = &p->spec,
		.identities = &p->identity,
		.demands = demands,
		.hostdb = hostdb,
		.acls = acls};
	struct br_check_options options = {.depth = UINT_MAX};
	struct br_demands *others = br_demands_make(&p->spec, &p->identity, &what, p->dx);
	struct br_told *told = NULL;
	struct br_told *rest = NULL;
	char later[PATH_MAX];
	(void)snprintf(later, sizeof(later), "%.4000s/later", paths[0]);
	struct answer answer = ask_kernel(n, paths, &p->identity.cred, p->mount.read_only);
	assert_non_null(others);
	if (roll(2) == 0) {
		rest = roll(2) == 0 ? br_told_new(&input, &options, false, p->dx) : NULL;
		told = tell(&input, &options, rest, p->dx);
		options.told = told;
		options.rest = rest;
		input.demands = others;
		// Where all is well, nobody looks any more.
		if (answer.misfit == 0) {
			int made = mkdir(later, 0);
			assert_true(made == 0 ? chmod(later, 0777) == 0 : errno == ENOTDIR);
		}
	}
	struct br_check *check = br_check_run(&input, &options, p->dx);
	assert_non_null(check);
	size_t more = told && check->inodes != n;
	spared += told && answer.misfit == 0 && more == 0;
	assert_int_equal(check->inodes, n + more);
	assert_true(rmdir(later) == 0 || errno == ENOENT || errno == ENOTDIR);
	const struct br_mount_result *result = &check->mounts[0];
	assert_int_equal(result->seen, n + more);
	assert_int_equal(result->misfit, answer.misfit);
	assert_int_equal(result->have, answer.root_have);
	assert_int_equal(result->fits, answer.misfit == 0);
	assert_int_equal(check->errors == 0, answer.misfit == 0);
	br_check_free(check);
	br_told_free(told);
	br_told_free(rest);
	br_demands_free(others);
	br_demands_free(demands);
	br_acls_free(acls);
	br_hostdb_free(hostdb);
}

static void test_trees(void **state) {
	(void)state;
	if (geteuid() != 0) {
		(void)puts("skip: needs root");
		skip();
	}
	const char *given = getenv("BR_SEED");
	const char *count = getenv("BR_CHECK_TREES");
	seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	unsigned trees = count ? (unsigned)strtoul(count, NULL, 10) : 1500;
	(void)printf("BR_SEED=%llu\n", (unsigned long long)seed);
	static char paths[ENTRIES][PATH_MAX];
	for (unsigned i = 0; i < trees; i++) {
		struct project project = {0};
		size_t n = grow(paths);
		make_project(&project, paths[0]);
		compare(&project, n, paths);
		br_diags_free(project.dx);
		br_places_free(project.places);
		br_arena_release(&project.arena);
		assert_int_equal(nftw(paths[0], remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	}
	assert_true(spared > 0 || trees < 1500);
}

static void test_pages(void **state) {
	const struct br_code_info *codes;
	size_t n = br_codes(&codes);
	(void)state;
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		const struct br_code_page *page = br_code_page(codes[i].code);
		if (!page || !*page->meaning || !*page->fix || !page->compose) {
			fail_msg("BR%03u has no page in src/check/pages.c", codes[i].code);
		}
		assert_true(!page->setup || *page->compose);
	}
	assert_null(br_code_page(108));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test_setup_teardown(test_trees, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
