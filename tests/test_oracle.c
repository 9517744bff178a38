// The kernel is asked what br_access and br_access_delete answer.
//
// This process makes random inodes and random credentials. Workers, one in the initial user
// namespace and one in each of some others, take the credentials on and try: faccessat2 for each of
// the seven masks, open and look-up, unlink and rmdir. They see the inodes through several mounts
// of the same directory: the plain one, a read-only one, an ID-mapped one.
//
//	BR_ORACLE_COUNT   how many comparisons of br_access (300000)
//	BR_SEED           repeats a run

#include <base/mem.h>
#include <base/own.h>
#include <bindright/access.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <support/any.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(cap) (UINT64_C(1) << (cap))

enum {
	INODES = 24,
	CREDS = 24,
	MASKS = 8,
	GROUPS = 3,
	DEFAULT_COUNT = 300000,
	DELETE_COUNT = 20000,
	UNTRIED = 255,
};

// ---- maps ----

struct map_pair {
	struct br_idmap uids;
	struct br_idmap gids;
};

#define PAIR(u, g) \
	{ \
		{(u), N(u)}, { \
			(g), N(g) \
		} \
	}

// Of the IDs in support/any.h these namespaces have some, and uids others than gids.
static const struct br_idmap_extent ns1_uids[] = {{0, 1001, 1}, {1, 100000, 65536}};
static const struct br_idmap_extent ns1_gids[] = {{0, 2000, 2}, {100, 1002, 1}, {200, 101000, 1}};
static const struct br_idmap_extent ns2_uids[] = {{0, 0, 2002}};
static const struct br_idmap_extent ns2_gids[] = {
	{5, 0, 1}, {1, 1001, 1}, {2, 1002, 1}, {3, 2000, 1}, {4, 2001, 1}, {0, 101000, 1}};
static const struct map_pair namespaces[] = {
	{{0}, {0}}, PAIR(ns1_uids, ns1_gids), PAIR(ns2_uids, ns2_gids)};

// The ID-mapped mount: on disk -> as seen. 2001 is not mapped as an owner, 1002 not as a group.
static const struct br_idmap_extent mount_uids[] = {
	{0, 2000, 1}, {1001, 0, 1}, {1002, 1001, 1}, {2000, 2001, 1}, {101000, 101000, 1}};
static const struct br_idmap_extent mount_gids[] = {
	{0, 0, 1}, {1001, 2001, 1}, {2000, 1001, 2}, {101000, 2000, 1}};
static const struct map_pair mount_map = PAIR(mount_uids, mount_gids);

// ---- what workers are told, and what they say ----

// Credentials in the worker's own numbers.
struct who {
	uint32_t uid, gid;
	uint32_t groups[GROUPS];
	uint32_t ngroups;
	uint64_t caps;
	// Taken on by setresuid, or by setfsuid alone.
	bool whole;
};

struct job {
	bool deletes;
	int view;
	struct who whos[CREDS];
	// errno, or 0: of faccessat2; of the real thing; of removing.
	unsigned char asked[CREDS][INODES][MASKS];
	unsigned char done[CREDS][INODES][MASKS];
	unsigned char removed[INODES];
};

struct worker {
	pid_t pid;
	int to;
};

enum {
	VIEW_PLAIN,
	VIEW_READ_ONLY,
	VIEW_MAPPED,
	VIEWS,
};

// Types by number: half of them directories.
static uint32_t type_of(unsigned inode) {
	return inode % 2 ? S_IFDIR : inode % 8 == 2 ? S_IFIFO : S_IFREG;
}

static const char *name_of(unsigned inode) {
	static char name[8];
	(void)snprintf(name, sizeof(name), "i%u", inode);
	return name;
}

// ---- a worker ----

static int capset_effective(uint64_t effective, uint64_t permitted) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = (uint32_t)effective, .permitted = (uint32_t)permitted},
		{.effective = (uint32_t)(effective >> 32),
			.permitted = (uint32_t)(permitted >> 32)}};
	return (int)syscall(SYS_capset, &header, data);
}

static uint64_t permitted_now(void) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &header, data)) {
		return 0;
	}
	return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

// Back to root with everything, then on to who; -1 where that is not what came out.
static int become(const struct who *who, uint64_t all) {
	if (capset_effective(all, all) || syscall(SYS_setresuid, -1, 0, -1)
		|| syscall(SYS_setresgid, -1, 0, -1)) {
		return -1;
	}
	if (!who) {
		return 0;
	}
	if (capset_effective(all, all)
		|| syscall(SYS_setgroups, (size_t)who->ngroups, who->groups)) {
		return -1;
	}
	if (who->whole) {
		if (syscall(SYS_setresgid, -1, who->gid, -1)
			|| syscall(SYS_setresuid, -1, who->uid, -1)) {
			return -1;
		}
	} else {
		(void)syscall(SYS_setfsgid, who->gid);
		(void)syscall(SYS_setfsuid, who->uid);
	}
	if (syscall(SYS_setfsuid, -1) != (long)who->uid
		|| syscall(SYS_setfsgid, -1) != (long)who->gid) {
		return -1;
	}
	return capset_effective(who->caps & all, all);
}

static unsigned char tried(long got) {
	return got < 0 ? (unsigned char)errno : 0;
}

static unsigned char try_open(int dirfd, const char *name, int flags) {
	br_auto(br_closep) int fd = openat(dirfd, name, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return tried(fd);
}

// The real thing behind a mask, where there is one that leaves no trace.
static unsigned char try_mask(int dirfd, unsigned inode, unsigned mask) {
	char below[16];
	const char *name = name_of(inode);
	if (S_ISDIR(type_of(inode))) {
		if (mask == BR_R) {
			return try_open(dirfd, name, O_RDONLY | O_DIRECTORY);
		}
		(void)snprintf(below, sizeof(below), "%s/.", name);
		return mask == BR_X ? try_open(dirfd, below, O_PATH) : UNTRIED;
	}
	if (!S_ISREG(type_of(inode))) {
		return UNTRIED;
	}
	switch (mask) {
	case BR_R:
		return try_open(dirfd, name, O_RDONLY);
	case BR_W:
		return try_open(dirfd, name, O_WRONLY | O_APPEND);
	case BR_R | BR_W:
		return try_open(dirfd, name, O_RDWR | O_APPEND);
	default:
		return UNTRIED;
	}
}

static void ask_all(struct job *job, unsigned cred, int dirfd) {
	for (unsigned i = 0; i < INODES; i++) {
		for (unsigned mask = 1; mask < MASKS; mask++) {
			job->asked[cred][i][mask] = tried(
				syscall(SYS_faccessat2, dirfd, name_of(i), (int)mask, AT_EACCESS));
			job->done[cred][i][mask] = try_mask(dirfd, i, mask);
		}
	}
}

// Each directory holds a file or a directory named v; the credentials take turns.
static int remove_one(struct job *job, unsigned i, int dirfd) {
	// Opened by root: the way there is not what is asked.
	br_auto(br_closep) int dir = openat(dirfd, name_of(i), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || become(&job->whos[i], permitted_now())) {
		return -1;
	}
	job->removed[i] = tried(unlinkat(dir, "v", i % 4 == 1 ? AT_REMOVEDIR : 0));
	return become(NULL, permitted_now());
}

static int run(struct job *job, const int *views) {
	uint64_t all = permitted_now();
	if (job->deletes) {
		for (unsigned i = 1; i < INODES; i += 2) {
			if (remove_one(job, i, views[job->view])) {
				return -1;
			}
		}
		return 0;
	}
	for (unsigned c = 0; c < CREDS; c++) {
		if (become(&job->whos[c], all)) {
			return -1;
		}
		ask_all(job, c, views[job->view]);
	}
	return become(NULL, all);
}

static _Noreturn void serve(int from, struct job *job, const int *views) {
	char word;
	// The end of the job has to be said: other workers hold the other end of this socket too.
	while (read(from, &word, 1) == 1 && word == 'g') {
		word = run(job, views) ? 'x' : 'k';
		if (write(from, &word, 1) != 1) {
			break;
		}
	}
	_exit(0);
}

// ---- namespaces ----

static int write_map(pid_t pid, const char *file, const struct br_idmap *map) {
	char path[64];
	char text[512];
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

static int write_maps(pid_t pid, const struct map_pair *maps) {
	return write_map(pid, "uid_map", &maps->uids) || write_map(pid, "gid_map", &maps->gids) ? -1
												: 0;
}

// A child in a user namespace with these maps (none: the initial one), which waits at *to. As its
// root.
static pid_t fork_into(const struct map_pair *maps, int *to) {
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		return -1;
	}
	pid_t pid = fork();
	char word = 'u';
	if (pid != 0) {
		(void)close(ends[1]);
		*to = ends[0];
		if (pid < 0 || (maps->uids.n == 0)) {
			return pid;
		}
		bool ready = read(ends[0], &word, 1) == 1 && word == 'u' && !write_maps(pid, maps);
		return ready && write(ends[0], &word, 1) == 1 ? pid : -1;
	}
	(void)close(ends[0]);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	*to = ends[1];
	if (maps->uids.n == 0) {
		return 0;
	}
	word = unshare(CLONE_NEWUSER) ? 'x' : 'u';
	// Who is 0 inside has all capabilities there; the maps make it one.
	if (write(ends[1], &word, 1) != 1 || read(ends[1], &word, 1) != 1
		|| syscall(SYS_setresgid, 0, 0, 0) || syscall(SYS_setresuid, 0, 0, 0)) {
		_exit(1);
	}
	return 0;
}

// A descriptor of a user namespace with these maps, -1 where there can be none.
static int namespace_of(const struct map_pair *maps) {
	int to = -1;
	char path[64];
	char word;
	pid_t pid = fork_into(maps, &to);
	if (pid == 0) {
		(void)!read(to, &word, 1);
		_exit(0);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	int fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	br_closep(&to);
	if (pid > 0) {
		(void)waitpid(pid, NULL, 0);
	}
	return fd;
}

// ---- mounts ----

// A tmpfs on this directory, in a mount namespace that nobody else sees. Clones of a mount can be
// had from there only.
static int tmpfs_at(const char *path) {
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)
		|| mount("none", path, "tmpfs", 0, NULL)) {
		return -1;
	}
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// The same directory through a mount of its own with other attributes; -1 where that cannot be.
static int view_of(int dirfd, uint64_t attributes, int userns) {
	struct mount_attr attr = {.attr_set = attributes};
	if (userns >= 0) {
		attr.userns_fd = (uint32_t)userns;
	}
	br_auto(br_closep) int fd = (int)syscall(
		SYS_open_tree, dirfd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0 || syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr))) {
		return -1;
	}
	return br_steal_fd(&fd);
}

// ---- the one that asks ----

struct oracle {
	struct any any;
	struct br_acls *acls;
	struct job *job;
	const char *fs;
	int views[VIEWS];
	struct worker workers[N(namespaces)];
	struct br_inode inodes[INODES];
	struct br_inode victims[INODES];
	uint64_t compared;
	uint64_t tried;
	uint64_t without_acl;
	uint64_t allowed;
};

#define REQUIRE(condition) \
	do { \
		if (!(condition)) { \
			fail_msg("%s (%s)", #condition, strerror(errno)); \
		} \
	} while (0)

static void set_flags(int dirfd, const char *name, unsigned attrs) {
	br_auto(br_closep) int fd =
		openat(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	int flags = 0;
	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags)) {
		return;
	}
	flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
	flags |= (attrs & BR_IMMUTABLE ? FS_IMMUTABLE_FL : 0)
		| (attrs & BR_APPEND ? FS_APPEND_FL : 0);
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

// Not with our own br_inode_write: this is what it is measured against.
static void make_inode(struct oracle *o, int dirfd, const char *name, const struct br_inode *want) {
	char path[64];
	unsigned char value[256];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	REQUIRE(!fchownat(dirfd, name, want->uid.v, want->gid.v, AT_SYMLINK_NOFOLLOW));
	REQUIRE(!removexattr(path, "system.posix_acl_access") || errno == ENODATA);
	REQUIRE(!chmod(path, want->mode & 07777));
	if (want->acl) {
		size_t n = br_acl_size(want->acl);
		REQUIRE(n <= sizeof(value));
		br_acl_encode(want->acl, value);
		REQUIRE(!setxattr(path, "system.posix_acl_access", value, n, 0));
	}
	uint32_t rare = any_below(&o->any, 24);
	if (rare < 2) {
		set_flags(dirfd, name, rare == 0 ? BR_IMMUTABLE : BR_APPEND);
	}
}

static void read_inode(struct oracle *o, int dirfd, const char *name, struct br_inode *out) {
	REQUIRE(!br_inode_read(dirfd, name, BR_HAVE_ACL, o->acls, out));
}

static void make_inodes(struct oracle *o) {
	int dirfd = o->views[VIEW_PLAIN];
	for (unsigned i = 0; i < INODES; i++) {
		if (o->inodes[i].attrs) {
			set_flags(dirfd, name_of(i), 0);
		}
		struct br_inode want = any_inode(&o->any, o->acls, type_of(i), 07000);
		make_inode(o, dirfd, name_of(i), &want);
		read_inode(o, dirfd, name_of(i), &o->inodes[i]);
		struct br_inode bare = o->inodes[i];
		if (!br_inode_equal(&bare, &want)) {
			fail_msg("%s did not become what it should", name_of(i));
		}
	}
}

// What stands on either side of a namespace's map: an ID that it has.
static uint32_t mapped_id(struct oracle *o, const struct br_idmap *map, br_hostid *host) {
	for (;;) {
		*host = any_id(&o->any);
		if (map->n == 0) {
			return host->v;
		}
		for (size_t i = 0; i < map->n; i++) {
			const struct br_idmap_extent *e = &map->extents[i];
			if (host->v >= e->host && host->v < e->host + e->count) {
				return e->box + (host->v - e->host);
			}
		}
	}
}

struct pretender {
	struct br_cred cred;
	br_hostid groups[GROUPS];
};

static uint64_t any_caps(struct any *any) {
	static const uint64_t sets[] = {0, 0, 0, BIT(CAP_DAC_OVERRIDE), BIT(CAP_DAC_READ_SEARCH),
		BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH), BIT(CAP_FOWNER),
		BIT(CAP_FOWNER) | BIT(CAP_DAC_OVERRIDE),
		~(BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH)), ~BIT(CAP_FOWNER), UINT64_MAX};
	return sets[any_below(any, N(sets))];
}

static int by_id(const void *a, const void *b) {
	const br_hostid *x = a;
	const br_hostid *y = b;
	return (x->v > y->v) - (x->v < y->v);
}

static void make_who(
	struct oracle *o, const struct map_pair *maps, struct who *who, struct pretender *p) {
	*p = (struct pretender){.cred.uids = maps->uids, .cred.gids = maps->gids};
	*who = (struct who){.caps = any_caps(&o->any), .whole = any_below(&o->any, 2)};
	who->uid = mapped_id(o, &maps->uids, &p->cred.uid);
	who->gid = mapped_id(o, &maps->gids, &p->cred.gid);
	for (uint32_t n = any_below(&o->any, GROUPS + 1); n > 0; n--) {
		br_hostid host;
		uint32_t box = mapped_id(o, &maps->gids, &host);
		size_t i = 0;
		while (i < p->cred.ngroups && p->groups[i].v != host.v) {
			i++;
		}
		if (i == p->cred.ngroups) {
			who->groups[who->ngroups++] = box;
			p->groups[p->cred.ngroups++] = host;
		}
	}
	qsort(p->groups, p->cred.ngroups, sizeof(p->groups[0]), by_id);
	p->cred.groups = p->groups;
	p->cred.caps = who->caps;
}

static void ask_worker(const struct worker *worker) {
	char word = 'g';
	REQUIRE(write(worker->to, &word, 1) == 1 && read(worker->to, &word, 1) == 1);
	if (word != 'k') {
		fail_msg("a worker could not become who it should");
	}
}

static struct br_where where_of(int view) {
	struct br_where where = {.read_only = view == VIEW_READ_ONLY};
	if (view == VIEW_MAPPED) {
		where.mount_uids = mount_map.uids;
		where.mount_gids = mount_map.gids;
	}
	return where;
}

// Everything about a case on one line.
static void tell(const struct oracle *o, const struct br_inode *inode, const struct br_cred *cred) {
	char mode[12];
	struct br_arena arena = {0};
	print_error(
		"%s, view %d, %s %u:%u attrs %u acl %s; uid %u gid %u caps %llx maps %zu groups",
		o->fs, o->job->view, br_mode_text(inode, mode), inode->uid.v, inode->gid.v,
		inode->attrs, inode->acl ? br_acl_text(&arena, inode->acl) : "none", cred->uid.v,
		cred->gid.v, (unsigned long long)cred->caps, cred->uids.n);
	for (size_t i = 0; i < cred->ngroups; i++) {
		print_error(" %u", cred->groups[i].v);
	}
	print_error("\n");
	br_arena_release(&arena);
}

// The rule has to be one that answers with this errno. The kernel looks at a read-only mount last,
// we look at it first, since it is what remains when all else is put right.
static bool fits(const struct br_inode *inode, struct br_verdict v, int error) {
	switch (error) {
	case 0:
		return v.missing == 0;
	case EROFS:
		return v.missing && v.rule == BR_RULE_READ_ONLY;
	case EPERM:
		return v.missing && (inode->attrs & BR_IMMUTABLE)
			&& (v.rule == BR_RULE_IMMUTABLE || v.rule == BR_RULE_READ_ONLY);
	case EACCES:
		return v.missing && v.rule != BR_RULE_IMMUTABLE;
	default:
		return false;
	}
}

static void compare_one(struct oracle *o, unsigned c, unsigned i, const struct br_cred *cred) {
	const struct br_inode *inode = &o->inodes[i];
	struct br_where where = where_of(o->job->view);
	for (unsigned mask = 1; mask < MASKS; mask++) {
		int said = o->job->asked[c][i][mask];
		int done = o->job->done[c][i][mask];
		struct br_verdict v = br_access(inode, cred, &where, mask);
		if (!fits(inode, v, said) || (done != UNTRIED && !fits(inode, v, done))) {
			tell(o, inode, cred);
			fail_msg("want %u: missing %u by %s; the kernel: %d and %d", mask,
				v.missing, br_rule_name(v.rule), said, done);
		}
		if (o->job->view != VIEW_MAPPED && !br_access_needs_acl(inode, cred, mask)) {
			struct br_inode bare = *inode;
			bare.acl = NULL;
			bare.have = 0;
			if (!fits(inode, br_access(&bare, cred, &where, mask), said)) {
				tell(o, inode, cred);
				fail_msg("want %u: without the ACL it is not %d", mask, said);
			}
			o->without_acl += inode->acl != NULL;
		}
		o->compared++;
		o->tried += done != UNTRIED;
		o->allowed += said == 0;
	}
}

static int any_view(struct oracle *o) {
	int view = (int)any_below(&o->any, VIEWS);
	return o->views[view] < 0 ? VIEW_PLAIN : view;
}

static size_t any_worker(struct oracle *o) {
	size_t w = any_below(&o->any, N(namespaces));
	return o->workers[w].pid > 0 ? w : 0;
}

static void compare_batch(struct oracle *o) {
	static struct pretender pretenders[CREDS];
	size_t w = any_worker(o);
	o->job->deletes = false;
	o->job->view = any_view(o);
	make_inodes(o);
	for (unsigned c = 0; c < CREDS; c++) {
		make_who(o, &namespaces[w], &o->job->whos[c], &pretenders[c]);
	}
	ask_worker(&o->workers[w]);
	for (unsigned c = 0; c < CREDS; c++) {
		for (unsigned i = 0; i < INODES; i++) {
			compare_one(o, c, i, &pretenders[c].cred);
		}
	}
}

// ---- removing ----

static void make_victim(struct oracle *o, unsigned i) {
	br_auto(br_closep) int dir =
		openat(o->views[VIEW_PLAIN], name_of(i), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_dir = i % 4 == 1;
	REQUIRE(dir >= 0);
	set_flags(dir, ".", 0);
	set_flags(dir, "v", 0);
	REQUIRE(!(is_dir ? mkdirat(dir, "v", 0700) : mknodat(dir, "v", S_IFREG | 0600, 0))
		|| errno == EEXIST);
	struct br_inode want = any_inode(&o->any, o->acls, is_dir ? S_IFDIR : S_IFREG, 07000);
	want.acl = NULL;
	make_inode(o, dir, "v", &want);
	read_inode(o, dir, "v", &o->victims[i]);
	want = any_inode(&o->any, o->acls, S_IFDIR, any_below(&o->any, 3) ? S_ISVTX : 0);
	if (any_below(&o->any, 3) && !want.acl) {
		want.mode |= 0333;
	}
	make_inode(o, dir, ".", &want);
	read_inode(o, dir, "", &o->inodes[i]);
}

static void compare_removal(struct oracle *o, unsigned i, const struct br_cred *cred) {
	int said = o->job->removed[i];
	bool sticky = false;
	struct br_where where = where_of(o->job->view);
	bool may = br_access_delete(&o->inodes[i], &o->victims[i], cred, &where, &sticky);
	if (may != (said == 0) || (sticky && said != EPERM && said != EROFS)) {
		tell(o, &o->inodes[i], cred);
		tell(o, &o->victims[i], cred);
		fail_msg("removing: %d, sticky %d; the kernel: %d", may, sticky, said);
	}
	o->compared++;
	o->allowed += said == 0;
}

static void remove_batch(struct oracle *o) {
	static struct pretender pretenders[INODES];
	size_t w = any_worker(o);
	o->job->deletes = true;
	o->job->view = any_view(o);
	for (unsigned i = 1; i < INODES; i += 2) {
		make_victim(o, i);
		make_who(o, &namespaces[w], &o->job->whos[i], &pretenders[i]);
	}
	ask_worker(&o->workers[w]);
	for (unsigned i = 1; i < INODES; i += 2) {
		compare_removal(o, i, &pretenders[i].cred);
	}
}

// ---- set-up ----

static void start_workers(struct oracle *o) {
	for (size_t w = 0; w < N(namespaces); w++) {
		int to = -1;
		pid_t pid = fork_into(&namespaces[w], &to);
		if (pid == 0) {
			serve(to, o->job, o->views);
		}
		o->workers[w] = (struct worker){.pid = pid, .to = to};
	}
	REQUIRE(o->workers[0].pid > 0);
}

static void stop_workers(struct oracle *o) {
	for (size_t w = 0; w < N(namespaces); w++) {
		if (o->workers[w].pid > 0) {
			REQUIRE(write(o->workers[w].to, "q", 1) == 1);
			(void)waitpid(o->workers[w].pid, NULL, 0);
		}
		br_closep(&o->workers[w].to);
	}
}

static void fill(struct oracle *o) {
	int dirfd = o->views[VIEW_PLAIN];
	for (unsigned i = 0; i < INODES; i++) {
		uint32_t type = type_of(i);
		REQUIRE(!(S_ISDIR(type) ? mkdirat(dirfd, name_of(i), 0700)
					: mknodat(dirfd, name_of(i), type | 0600, 0)));
	}
}

// Also after a failure: nobody could remove what stays immutable.
static void empty(int dirfd) {
	char below[16];
	for (unsigned i = 0; i < INODES; i++) {
		set_flags(dirfd, name_of(i), 0);
		(void)snprintf(below, sizeof(below), "%s/v", name_of(i));
		set_flags(dirfd, below, 0);
		(void)unlinkat(dirfd, below, i % 4 == 1 ? AT_REMOVEDIR : 0);
		(void)unlinkat(dirfd, name_of(i), S_ISDIR(type_of(i)) ? AT_REMOVEDIR : 0);
	}
}

static uint64_t wanted_count(void) {
	const char *words = getenv("BR_ORACLE_COUNT");
	return words ? strtoull(words, NULL, 10) : DEFAULT_COUNT;
}

// All on one file system, whose directory views[VIEW_PLAIN] is: half of the comparisons.
static void compare_on(struct oracle *o, const char *fs, int userns) {
	o->fs = fs;
	o->views[VIEW_READ_ONLY] = view_of(o->views[VIEW_PLAIN], MOUNT_ATTR_RDONLY, -1);
	o->views[VIEW_MAPPED] =
		userns < 0 ? -1 : view_of(o->views[VIEW_PLAIN], MOUNT_ATTR_IDMAP, userns);
	// The workers inherit the views, and everybody may pass through the directory.
	REQUIRE(!fchmod(o->views[VIEW_PLAIN], 0755));
	fill(o);
	start_workers(o);
	o->compared = o->tried = o->allowed = o->without_acl = 0;
	while (o->compared < wanted_count() / 2) {
		compare_batch(o);
	}
	print_message("%s%s%s: %llu comparisons, %llu allowed, %llu tried, %llu without ACL\n", fs,
		o->views[VIEW_READ_ONLY] < 0 ? " (no read-only mount)" : "",
		o->views[VIEW_MAPPED] < 0 ? " (no ID-mapped mount)" : "",
		(unsigned long long)o->compared, (unsigned long long)o->allowed,
		(unsigned long long)o->tried, (unsigned long long)o->without_acl);
	o->compared = o->allowed = 0;
	while (o->compared < DELETE_COUNT / 2) {
		remove_batch(o);
	}
	print_message("%s: %llu removals, %llu allowed\n", fs, (unsigned long long)o->compared,
		(unsigned long long)o->allowed);
	stop_workers(o);
	empty(o->views[VIEW_PLAIN]);
	br_closep(&o->views[VIEW_READ_ONLY]);
	br_closep(&o->views[VIEW_MAPPED]);
}

// Whether this process may give files away and become anybody.
static bool may_pretend(int dirfd) {
	return geteuid() == 0 && !fchown(dirfd, 101000, 101000) && !fchown(dirfd, 0, 0)
		&& (permitted_now() & BIT(CAP_SETUID)) && (permitted_now() & BIT(CAP_SETGID));
}

static void compare_in(struct oracle *o, const char *path) {
	o->views[VIEW_PLAIN] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(o->views[VIEW_PLAIN] >= 0);
	if (!may_pretend(o->views[VIEW_PLAIN])) {
		print_message("skipped: needs root that may give files to any user\n");
		skip();
	}
	int userns = namespace_of(&mount_map);
	compare_on(o, "the temporary directory", userns);
	br_closep(&o->views[VIEW_PLAIN]);
	o->views[VIEW_PLAIN] = tmpfs_at(path);
	if (o->views[VIEW_PLAIN] >= 0) {
		compare_on(o, "tmpfs", userns);
	} else {
		print_message("no tmpfs: may not mount one\n");
	}
	br_closep(&o->views[VIEW_PLAIN]);
	br_closep(&userns);
	(void)umount2(path, MNT_DETACH);
}

static char place[200];

static void test_kernel(void **state) {
	struct oracle *o = *state;
	o->any.state = any_seed();
	compare_in(o, place);
	for (size_t w = 0; w < N(namespaces); w++) {
		if (o->workers[w].pid <= 0) {
			print_message(
				"a user namespace could not be had: its cases were asked in the initial one\n");
		}
	}
}

static int set_up(void **state) {
	static struct oracle oracle;
	const char *tmp = getenv("TMPDIR");
	(void)snprintf(place, sizeof(place), "%s/bindright.XXXXXX", tmp ? tmp : "/tmp");
	oracle.acls = br_acls_new();
	oracle.job = mmap(NULL, sizeof(*oracle.job), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*state = &oracle;
	return mkdtemp(place) && oracle.acls && oracle.job != MAP_FAILED ? 0 : -1;
}

static int tear_down(void **state) {
	struct oracle *o = *state;
	br_acls_free(o->acls);
	(void)umount2(place, MNT_DETACH);
	br_auto(br_closep) int dirfd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	empty(dirfd);
	return rmdir(place) || munmap(o->job, sizeof(*o->job)) ? -1 : 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
