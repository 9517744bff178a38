// The kernel is asked what br_access and br_access_delete answer.
//
// This process makes random inodes and random credentials. Workers, one in the initial user
// namespace and one in each of some others, take the credentials on and try: faccessat2 for each of
// the seven masks, open and look-up, unlink, rmdir, mkdir, mknod, rename and open with O_CREAT.
// They see the inodes through several mounts of the same directory: the plain one, a read-only one,
// an ID-mapped one. All that on each file system that can be had.
//
//	BR_ORACLE_COUNT       how many comparisons of br_access in all (600000)
//	BR_ORACLE_DISK        only on file systems whose name has this in it
//	BR_PROTECTED_REGULAR  set fs.protected_regular so while it runs (for the whole machine)
//	BR_SEED               repeats a run

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
#include <support/disks.h>
#include <support/pretend.h>
#include <support/scratch.h>
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
	DEFAULT_COUNT = 600000,
	UNTRIED = 255,
	DISKS = 6,
};

// ---- maps ----

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
// And two by chance, anew on each file system.
enum {
	BY_CHANCE = 3,
	NAMESPACES = 5,
};
static struct br_idmap_extent chance[2 * (NAMESPACES - BY_CHANCE)][ANY_IDS];
static struct map_pair namespaces[NAMESPACES] = {
	{{0}, {0}}, PAIR(ns1_uids, ns1_gids), PAIR(ns2_uids, ns2_gids)};

// Some of the IDs, each with a number of its own inside; one of them is root there.
static struct br_idmap any_map(struct any *any, struct br_idmap_extent *extents) {
	size_t n = 0;
	uint32_t box = 1 + any_below(any, 3000);
	for (unsigned i = 0; i < ANY_IDS; i++) {
		if (any_below(any, 3) || (n == 0 && i == ANY_IDS - 1)) {
			extents[n++] = (struct br_idmap_extent){box, any_id_number(i).v, 1};
			box += 1 + any_below(any, 3) * any_below(any, 90000);
		}
	}
	extents[any_below(any, (uint32_t)n)].box = 0;
	return (struct br_idmap){extents, n};
}

static void shuffle_namespaces(struct any *any) {
	for (size_t i = BY_CHANCE; i < NAMESPACES; i++) {
		namespaces[i].uids = any_map(any, chance[2 * (i - BY_CHANCE)]);
		namespaces[i].gids = any_map(any, chance[2 * (i - BY_CHANCE) + 1]);
	}
}

// The ID-mapped mount: on disk -> as seen. 2001 is not mapped as an owner, 1002 not as a group.
static const struct br_idmap_extent mount_uids[] = {
	{0, 2000, 1}, {1001, 0, 1}, {1002, 1001, 1}, {2000, 2001, 1}, {101000, 101000, 1}};
static const struct br_idmap_extent mount_gids[] = {
	{0, 0, 1}, {1001, 2001, 1}, {2000, 1001, 2}, {101000, 2000, 1}};
static const struct map_pair mount_map = PAIR(mount_uids, mount_gids);

// ---- what workers are told, and what they say ----

struct job {
	bool deletes;
	int view;
	struct who whos[CREDS];
	// errno, or 0: of faccessat2; of the real thing; of removing.
	unsigned char asked[CREDS][INODES][MASKS];
	unsigned char done[CREDS][INODES][MASKS];
	// In the directory i: opened with O_CREAT, made, renamed, removed.
	struct {
		unsigned char opened, made, renamed, removed;
	} did[INODES];
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

static unsigned char tried(long got) {
	return got < 0 ? (unsigned char)errno : 0;
}

static unsigned char try_open(int dirfd, const char *name, int flags) {
	br_auto(br_closep) int fd =
		openat(dirfd, name, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);
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

// What was renamed is removed by its new name.
static unsigned char try_remove(int dir, unsigned i) {
	int flags = i % 4 == 1 ? AT_REMOVEDIR : 0;
	if (unlinkat(dir, "v", flags) == 0) {
		return 0;
	}
	return errno == ENOENT ? tried(unlinkat(dir, "w", flags)) : (unsigned char)errno;
}

// Each directory holds a file or a directory named v; the credentials take turns.
static int remove_one(struct job *job, unsigned i, int dirfd) {
	// Opened by root: the way there is not what is asked.
	br_auto(br_closep) int dir = openat(dirfd, name_of(i), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || become(&job->whos[i], permitted_now())) {
		return -1;
	}
	job->did[i].opened =
		i % 4 == 1 ? UNTRIED : try_open(dir, "v", O_WRONLY | O_APPEND | O_CREAT);
	job->did[i].made =
		tried(i % 8 < 4 ? mkdirat(dir, "n", 0700) : mknodat(dir, "n", S_IFREG | 0600, 0));
	job->did[i].renamed = tried(renameat(dir, "v", dir, "w"));
	job->did[i].removed = try_remove(dir, i);
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
	// Refused by fs.protected_regular alone.
	uint64_t kept;
	unsigned protected_regular;
	bool apart;
};

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
	set_flags(dir, "w", 0);
	(void)unlinkat(dir, "w", is_dir ? AT_REMOVEDIR : 0);
	(void)unlinkat(dir, "n", i % 8 < 4 ? AT_REMOVEDIR : 0);
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

static void expect(const struct oracle *o, unsigned i, const struct br_cred *cred, const char *what,
	bool may, int said) {
	if (may != (said == 0)) {
		tell(o, &o->inodes[i], cred);
		tell(o, &o->victims[i], cred);
		fail_msg("%s: %d; the kernel: %s", what, may, strerror(said));
	}
}

static void compare_removal(struct oracle *o, unsigned i, const struct br_cred *cred) {
	const struct br_inode *dir = &o->inodes[i];
	const struct br_inode *victim = &o->victims[i];
	struct br_where where = where_of(o->job->view);
	bool sticky = false;
	bool gone = br_access_delete(dir, victim, cred, &where, &sticky);
	bool made = br_access_create(dir, cred, &where);
	int said = o->job->did[i].removed;
	expect(o, i, cred, "to remove", gone, said);
	if (sticky) {
		expect(o, i, cred, "the sticky bit allows", said != EPERM && said != EROFS, EPERM);
	}
	expect(o, i, cred, "to make", made, o->job->did[i].made);
	expect(o, i, cred, "to rename", gone && made, o->job->did[i].renamed);
	if (o->job->did[i].opened != UNTRIED) {
		bool kept = br_access_protected(dir, victim, cred, &where, o->protected_regular);
		bool bits = br_access(dir, cred, &where, BR_X).missing == 0
			&& br_access(victim, cred, &where, BR_W).missing == 0;
		expect(o, i, cred, "to open with O_CREAT", bits && !kept, o->job->did[i].opened);
		o->kept += bits && kept;
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
		for (const char *name = "nvw"; *name; name++) {
			(void)snprintf(below, sizeof(below), "%s/%c", name_of(i), *name);
			set_flags(dirfd, below, 0);
			if (unlinkat(dirfd, below, 0)) {
				(void)unlinkat(dirfd, below, AT_REMOVEDIR);
			}
		}
		(void)unlinkat(dirfd, name_of(i), S_ISDIR(type_of(i)) ? AT_REMOVEDIR : 0);
	}
}

static uint64_t wanted_count(void) {
	const char *words = getenv("BR_ORACLE_COUNT");
	return words ? strtoull(words, NULL, 10) : DEFAULT_COUNT;
}

// All on one file system, whose directory views[VIEW_PLAIN] is.
static void compare_on(struct oracle *o, const char *fs, int userns) {
	o->fs = fs;
	o->views[VIEW_READ_ONLY] = view_of(o->views[VIEW_PLAIN], MOUNT_ATTR_RDONLY, -1);
	o->views[VIEW_MAPPED] =
		userns < 0 ? -1 : view_of(o->views[VIEW_PLAIN], MOUNT_ATTR_IDMAP, userns);
	// The workers inherit the views, and everybody may pass through the directory.
	REQUIRE(!fchmod(o->views[VIEW_PLAIN], 0755));
	fill(o);
	shuffle_namespaces(&o->any);
	start_workers(o);
	o->compared = o->tried = o->allowed = o->without_acl = 0;
	while (o->compared < wanted_count() / DISKS) {
		compare_batch(o);
	}
	print_message("%s%s%s: %llu comparisons, %llu allowed, %llu tried, %llu without ACL\n", fs,
		o->views[VIEW_READ_ONLY] < 0 ? " (no read-only mount)" : "",
		o->views[VIEW_MAPPED] < 0 ? " (no ID-mapped mount)" : "",
		(unsigned long long)o->compared, (unsigned long long)o->allowed,
		(unsigned long long)o->tried, (unsigned long long)o->without_acl);
	o->compared = o->allowed = o->kept = 0;
	while (o->compared < wanted_count() / DISKS / 20) {
		remove_batch(o);
	}
	print_message("%s: %llu changes of directories, %llu removals allowed, %llu files kept by "
		      "fs.protected_regular=%u\n",
		fs, (unsigned long long)o->compared, (unsigned long long)o->allowed,
		(unsigned long long)o->kept, o->protected_regular);
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

static char place[200];

static const char *const disks[] = {
	"the temporary directory", "tmpfs", "ext4", "xfs", "btrfs", "overlay"};

_Static_assert(N(disks) == DISKS, "each has its part of the count");

static bool is_wanted(const char *disk) {
	const char *word = getenv("BR_ORACLE_DISK");
	return !word || strstr(disk, word);
}

static void test_disk(struct oracle *o, const char *disk) {
	bool is_own = disk != disks[0];
	const char *why = is_wanted(disk) ? NULL : "not asked for";
	if (!why && is_own) {
		why = o->apart ? disk_mount(disk, place) : "needs a mount namespace";
	}
	if (why) {
		print_message("skipped: %s: %s\n", disk, why);
		skip();
	}
	o->views[VIEW_PLAIN] = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(o->views[VIEW_PLAIN] >= 0);
	if (!may_pretend(o->views[VIEW_PLAIN])) {
		print_message("skipped: needs root that may give files to any user\n");
		skip();
	}
	br_auto(br_closep) int userns = namespace_of(&mount_map);
	compare_on(o, disk, userns);
	br_closep(&o->views[VIEW_PLAIN]);
	if (is_own) {
		disk_unmount(disk, place);
	}
	for (size_t w = 0; w < N(namespaces); w++) {
		if (o->workers[w].pid <= 0) {
			print_message(
				"a user namespace could not be had: its cases were asked in the initial one\n");
		}
	}
}

static void test_temporary(void **state) {
	test_disk(*state, disks[0]);
}

static void test_tmpfs(void **state) {
	test_disk(*state, "tmpfs");
}

static void test_ext4(void **state) {
	test_disk(*state, "ext4");
}

static void test_xfs(void **state) {
	test_disk(*state, "xfs");
}

static void test_btrfs(void **state) {
	test_disk(*state, "btrfs");
}

static void test_overlay(void **state) {
	test_disk(*state, "overlay");
}

// The level of fs.protected_regular, or -1. With a number: set it.
static int protected_regular(int set) {
	char word[8] = "";
	br_auto(br_closep) int fd =
		open("/proc/sys/fs/protected_regular", (set < 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
	if (set >= 0) {
		int n = snprintf(word, sizeof(word), "%d", set);
		return fd >= 0 && write(fd, word, (size_t)n) == n ? set : -1;
	}
	return fd >= 0 && read(fd, word, sizeof(word) - 1) > 0 ? atoi(word) : -1;
}

static int level_before;

static const char *wanted_level(void) {
	const char *level = getenv("BR_PROTECTED_REGULAR");
	return level && *level ? level : NULL;
}

static int set_up(void **state) {
	static struct oracle oracle;
	const char *tmp = getenv("TMPDIR");
	const char *level = wanted_level();
	(void)snprintf(place, sizeof(place), "%s/bindright.XXXXXX", tmp ? tmp : "/tmp");
	oracle.any.state = any_seed();
	oracle.acls = br_acls_new();
	oracle.job = mmap(NULL, sizeof(*oracle.job), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	level_before = protected_regular(-1);
	if (level && protected_regular(atoi(level)) < 0) {
		print_error("fs.protected_regular cannot be set\n");
		return -1;
	}
	oracle.protected_regular = (unsigned)(level ? atoi(level)
			: level_before < 0          ? 0
						    : level_before);
	*state = &oracle;
	if (!mkdtemp(place) || !oracle.acls || oracle.job == MAP_FAILED) {
		return -1;
	}
	oracle.apart = disks_apart();
	return 0;
}

static int tear_down(void **state) {
	struct oracle *o = *state;
	br_acls_free(o->acls);
	while (umount2(place, MNT_DETACH) == 0) {
	}
	if (wanted_level()) {
		(void)protected_regular(level_before);
	}
	br_auto(br_closep) int dirfd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	empty(dirfd);
	return rmdir(place) || munmap(o->job, sizeof(*o->job)) ? -1 : 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_temporary),
		cmocka_unit_test(test_tmpfs),
		cmocka_unit_test(test_ext4),
		cmocka_unit_test(test_xfs),
		cmocka_unit_test(test_btrfs),
		cmocka_unit_test(test_overlay),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
