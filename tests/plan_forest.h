/**
 * For test_plan_probes.c: random trees on a disk, everybody whose access to them counts, and real
 * processes of each that try every inode.
 */
#ifndef BR_TESTS_PLAN_FOREST_H
#define BR_TESTS_PLAN_FOREST_H

#include "plan_dice.h"

#include <bindright/apply.h>
#include <bindright/scan.h>

#include <sched.h>
#include <support/applied.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

enum {
	ENTRIES = 28,
	PRINCIPALS = 40,
	PROBES = 100000,
	/** What is tried of one inode: bit 1 to 7 a set of permissions, then these. */
	OPEN_R = 8,
	OPEN_W,
	OPEN_RW,
	EXECUTE,
	CREATE,
	DELETE,
	TRIES,
};

/** One inode of the tree; number 0 is the root. */
struct node {
	char path[64];
	const char *name;
	size_t parent;
	int fd;
	struct br_inode before;
	struct br_inode after;
	/** A file that was made in it after the fix; -1. */
	int later;
};

struct principal {
	struct br_cred cred;
	br_hostid groups[8];
	/** The number of the demand that it is the identity of, or -1. */
	int demand;
	/** A kept user, as he logs in, for whom something is demanded. */
	bool kept;
};

struct forest {
	struct br_other other;
	struct node nodes[ENTRIES];
	size_t n;
	struct principal people[PRINCIPALS];
	size_t npeople;
	uint16_t had[PRINCIPALS][ENTRIES];
	uint64_t probes;
	uint64_t trees;
	uint64_t changed;
	uint64_t unserved;
	/** Trees that were planned twice, with promises compared; files made later; principals in
	 * user namespaces. */
	uint64_t saved;
	uint64_t later;
	uint64_t mapped;
	uint64_t others;
	uint64_t recalled;
	char top[80];
	char state[96];
	char outside[96];
	struct br_keeper keepers[2];
	/** The place in an outer mount's demand where an inner one lies. */
	const char *covered[PEOPLE][1];
};

/** Written by the children. */
static uint16_t (*tried)[ENTRIES];
static struct forest forest;

// ---- Trees ----

static void set_state(struct world *w, const struct node *node, const struct br_inode *to) {
	struct br_inode now;
	unsigned step;
	assert_int_equal(br_inode_read(node->fd, "", to->have, w->acls, &now), 0);
	assert_int_equal(br_inode_write(node->fd, &now, to, &step), 0);
}

/** What an inode is besides random_inode's: privileged, sticky, a default ACL of its own. */
static void add_spice(struct world *w, struct br_inode *inode) {
	if (S_ISREG(inode->mode) && draw(12) == 0) {
		inode->mode |= draw(2) ? 04000 : 02010;
		inode->acl = NULL;
	}
	// What is in a sticky one is not remembered.
	if (S_ISDIR(inode->mode) && draw(w->options.remember ? 60 : 5) == 0) {
		inode->mode |= S_ISVTX;
	}
	if (S_ISDIR(inode->mode) && draw(6) == 0) {
		uint32_t mode = inode->mode;
		inode->def = random_acl(w, &mode);
	}
}

/** Capabilities, as the kernel keeps them (struct vfs_cap_data of revision 2: CAP_NET_RAW). */
static void give_capability(const struct node *node) {
	static const unsigned char value[20] = {0, 0, 0, 2, 0, 0x20};
	char path[32];
	assert_true(snprintf(path, sizeof(path), "/proc/self/fd/%d", node->fd) > 0);
	assert_int_equal(setxattr(path, "security.capability", value, sizeof(value), 0), 0);
}

/** What is neither a file nor a directory: a link to somewhere, a FIFO. */
static void make_odd(
	const struct forest *f, const struct node *node, const struct br_inode *inode) {
	static const char *const targets[] = {"..", "a", "nowhere", "/etc/passwd"};
	int dir = f->nodes[node->parent].fd;
	if (S_ISLNK(inode->mode)) {
		assert_int_equal(symlinkat(targets[draw(N(targets))], dir, node->name), 0);
	} else {
		assert_int_equal(mkfifoat(dir, node->name, 0600), 0);
	}
	assert_int_equal(
		fchownat(dir, node->name, inode->uid.v, inode->gid.v, AT_SYMLINK_NOFOLLOW), 0);
	if (S_ISFIFO(inode->mode)) {
		assert_int_equal(fchmodat(dir, node->name, inode->mode & 0777, 0), 0);
	}
}

/** A private name, now and then, where there is none of its kind yet. */
static const char *private_name(const struct node *parent, uint32_t mode) {
	const char *name = S_ISDIR(mode) ? ".ssh" : "id_rsa";
	bool taken = faccessat(parent->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return !taken && draw(16) == 0 ? name : NULL;
}

static void make_node(struct world *w, struct forest *f, size_t i) {
	struct node *node = &f->nodes[i];
	struct br_inode inode = random_inode(w);
	char name[8];
	// The demands' "a".
	bool a = i == 1;
	do {
		node->parent = draw((uint32_t)i);
	} while (!S_ISDIR(f->nodes[node->parent].before.mode)
		|| strlen(f->nodes[node->parent].path) > 40);
	node->parent = a ? 0 : node->parent;
	const struct node *parent = &f->nodes[node->parent];
	inode.mode = a ? (inode.mode & 07777) | D : inode.mode;
	const char *hidden = a ? "a" : private_name(parent, inode.mode);
	assert_true(snprintf(name, sizeof(name), "%c%zu", i % 3 ? 'x' : 'a', i) < 8);
	assert_true(snprintf(node->path, sizeof(node->path), "%s%s%s", parent->path,
			    *parent->path ? "/" : "", hidden ? hidden : name)
		< (int)sizeof(node->path));
	node->name = strrchr(node->path, '/') ? strrchr(node->path, '/') + 1 : node->path;
	add_spice(w, &inode);
	if (!a && draw(12) == 0) {
		inode.mode = (inode.mode & 0777) | (draw(2) ? S_IFLNK : S_IFIFO);
		make_odd(f, node, &inode);
		node->fd = openat(parent->fd, node->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		assert_true(node->fd >= 0);
		assert_int_equal(
			br_inode_read(node->fd, "", inode.have, w->acls, &node->before), 0);
		return;
	}
	size_t twin = draw((uint32_t)i);
	bool link = S_ISREG(inode.mode) && draw(5) == 0 && S_ISREG(f->nodes[twin].before.mode);
	if (link) {
		assert_int_equal(linkat(f->nodes[f->nodes[twin].parent].fd, f->nodes[twin].name,
					 parent->fd, node->name, 0),
			0);
		inode = f->nodes[twin].before;
	} else if (S_ISDIR(inode.mode)) {
		assert_int_equal(mkdirat(parent->fd, node->name, 0700), 0);
	} else {
		int fd = openat(
			parent->fd, node->name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		assert_true(fd >= 0 && close(fd) == 0);
	}
	node->fd = openat(parent->fd, node->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	assert_true(node->fd >= 0);
	set_state(w, node, &inode);
	if (S_ISREG(inode.mode) && !link && draw(20) == 0) {
		give_capability(node);
	}
	if (S_ISREG(inode.mode) && draw(20) == 0) {
		char out[128];
		assert_true(snprintf(out, sizeof(out), "%s/%zu", f->outside, i) > 0);
		assert_int_equal(linkat(parent->fd, node->name, AT_FDCWD, out, 0), 0);
	}
	assert_int_equal(br_inode_read(node->fd, "", inode.have, w->acls, &node->before), 0);
}

static void make_tree(struct world *w, struct forest *f) {
	struct node *root = &f->nodes[0];
	struct br_inode inode;
	run("mkdir '%s' '%s'", f->top, f->outside);
	*root = (struct node){.name = ""};
	root->fd = open(f->top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root->fd >= 0);
	do {
		inode = random_inode(w);
	} while (!S_ISDIR(inode.mode));
	set_state(w, root, &inode);
	assert_int_equal(br_inode_read(root->fd, "", inode.have, w->acls, &root->before), 0);
	f->n = 3 + draw(ENTRIES - 2);
	for (size_t i = 1; i < f->n; i++) {
		make_node(w, f, i);
	}
	for (size_t i = 0; i < f->n; i++) {
		// Link counts are known only now.
		assert_int_equal(
			br_inode_read(f->nodes[i].fd, "", inode.have, w->acls, &f->nodes[i].before),
			0);
	}
	w->source.fd = root->fd;
	w->source.path = w->source.real = w->tree.path = f->top;
	w->source.dev = root->before.dev;
	w->source.ino = root->before.ino;
}

/** Sources anywhere in the tree, files too, that lie in each other as it comes; a container's
 * second mount covers a place of its first. */
static void place_demands(struct world *w, struct forest *f) {
	for (size_t i = 0; i < w->tree.n; i++) {
		struct br_demand *demand = &w->demand[i];
		const struct node *node = &f->nodes[draw((uint32_t)f->n)];
		bool fit = S_ISREG(node->before.mode) || S_ISDIR(node->before.mode);
		demand->below = draw(5) < 2 && fit ? node->path : "";
	}
	for (size_t i = 0; i < w->tree.n; i++) {
		struct br_demand *demand = &w->demand[i];
		const struct node *node = &f->nodes[draw((uint32_t)f->n)];
		size_t k = strlen(demand->below);
		bool inside = strlen(node->path) > k && strncmp(node->path, demand->below, k) == 0
			&& (k == 0 || node->path[k] == '/');
		if (demand->ncovered > 0 && inside) {
			f->covered[i][0] = node->path;
			demand->covered = f->covered[i];
		} else {
			demand->ncovered = 0;
		}
	}
}

/** Another container, that nobody asked about, mounts something of it. */
static void place_other(struct world *w, struct forest *f) {
	const struct node *node = &f->nodes[draw((uint32_t)f->n)];
	bool own = *node->path == '\0' || S_ISLNK(node->before.mode);
	for (size_t i = 0; i < w->tree.n; i++) {
		for (size_t k = 0; k < f->n; k++) {
			own = own
				|| (strcmp(w->demand[i].below, f->nodes[k].path) == 0
					&& f->nodes[k].before.ino == node->before.ino);
		}
	}
	f->other = (struct br_other){"db", true, node->before.dev, node->before.ino};
	w->demands.others = &f->other;
	w->demands.nothers = own || draw(3) ? 0 : 1;
}

static void drop_tree(struct forest *f) {
	for (size_t i = 0; i < f->n; i++) {
		assert_int_equal(close(f->nodes[i].fd), 0);
	}
	run("rm -rf '%s' '%s'", f->top, f->outside);
}

// ---- Everybody ----

static struct principal *add(struct forest *f, uint32_t uid, uint32_t gid) {
	assert_true(f->npeople < PRINCIPALS);
	struct principal *p = &f->people[f->npeople++];
	*p = (struct principal){.cred = {.uid = {uid}, .gid = {gid}}, .demand = -1};
	p->cred.groups = p->groups;
	return p;
}

static void set_groups(struct principal *p, const struct br_cred *from) {
	assert_true(from->ngroups <= N(p->groups));
	for (size_t i = 0; i < from->ngroups; i++) {
		p->groups[i] = from->groups[i];
	}
	p->cred.ngroups = from->ngroups;
	p->cred.caps = from->caps;
	p->cred.uids = from->uids;
	p->cred.gids = from->gids;
}

/** Everything is allowed to it on the host, whatever the bits say. */
static bool is_almighty(const struct br_cred *cred) {
	return cred->caps >> CAP_DAC_OVERRIDE & 1 && cred->uids.n == 0;
}

/** What the engine gives to the container itself (:U) is no demand on the host. */
static bool is_demanded(const struct world *w, size_t d) {
	return !w->mounts[d].chown;
}

static bool is_container(const struct world *w, uint32_t uid) {
	for (size_t i = 0; i < w->tree.n; i++) {
		if (is_demanded(w, i) && w->identities[i].cred.uid.v == uid) {
			return true;
		}
	}
	return false;
}

/** The kept user of this UID who gets something. */
static const struct br_keeper *kept(const struct world *w, uint32_t uid) {
	for (size_t i = 0; i < w->options.nkeepers; i++) {
		const struct br_keeper *keeper = &w->options.keepers[i];
		if ((keeper->demanded || w->options.reclaim) && keeper->cred.uid.v == uid) {
			return keeper;
		}
	}
	return NULL;
}

/** Who gets something: his groups are those that are known of him. */
static bool is_party(const struct world *w, uint32_t uid) {
	return is_container(w, uid) || kept(w, uid);
}

/** Whether the bits count for root: a container of its has lost the override. */
static bool root_counts(const struct world *w) {
	for (size_t i = 0; i < w->tree.n; i++) {
		const struct br_cred *cred = &w->identities[i].cred;
		if (is_demanded(w, i) && cred->uid.v == 0 && !is_almighty(cred)) {
			return true;
		}
	}
	return false;
}

/** Containers; accounts, as they log in; a member of each group; a stranger; and those whom nobody
 * demands anything for, in any groups. */
static void add_people(struct world *w, struct forest *f) {
	struct br_arena arena = {0};
	f->npeople = 0;
	for (size_t i = 0; i < w->tree.n; i++) {
		const struct br_cred *cred = &w->identities[i].cred;
		if (cred->uid.v == 0 && !is_demanded(w, i) && !root_counts(w)) {
			continue;
		}
		struct principal *p = add(f, cred->uid.v, cred->gid.v);
		set_groups(p, cred);
		p->demand = is_demanded(w, i) ? (int)i : -1;
		f->mapped += cred->uids.n > 0;
	}
	for (size_t i = 0; i < N(uids); i++) {
		const struct br_host_user *user = br_hostdb_user(w->db, (br_hostid){uids[i]});
		struct br_cred cred;
		if (uids[i] == 0 && !root_counts(w)) {
			// Root has everything anyway.
			continue;
		}
		if (user) {
			assert_int_equal(br_hostdb_cred(w->db, &arena, user, &cred), 0);
			struct principal *p = add(f, uids[i], cred.gid.v);
			cred.caps = 0;
			set_groups(p, &cred);
			p->kept = kept(w, uids[i]) && kept(w, uids[i])->demanded;
		}
		if (is_party(w, uids[i])) {
			// Who runs as a container's UID is known, when it comes to taking its files.
			if (!w->options.reclaim || !is_container(w, uids[i])) {
				(void)add(f, uids[i], STRANGER);
			}
			continue;
		}
		struct principal *p = add(f, uids[i], some(gids, N(gids)));
		p->groups[0] = (br_hostid){some(gids, N(gids))};
		p->cred.ngroups = draw(2);
	}
	for (size_t i = 0; i < N(gids); i++) {
		(void)add(f, STRANGER, gids[i]);
	}
	(void)add(f, STRANGER, STRANGER);
	br_arena_release(&arena);
}

// ---- Trying ----

static bool write_map(pid_t pid, const char *name, const struct br_idmap *map) {
	char path[64];
	char text[256];
	size_t n = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	for (size_t i = 0; i < map->n; i++) {
		const struct br_idmap_extent *e = &map->extents[i];
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "%u %u %u\n", e->box, e->host, e->count);
	}
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, n) == (ssize_t)n && close(fd) == 0;
}

/** A user namespace of one's own with these maps: somebody who stays outside has to write them. */
static void enter_namespace(const struct br_cred *cred) {
	int ready[2];
	int status;
	char c = 0;
	pid_t self = getpid();
	if (pipe2(ready, O_CLOEXEC)) {
		_exit(6);
	}
	pid_t helper = fork();
	if (helper == 0) {
		bool done = read(ready[0], &c, 1) == 1 && write_map(self, "uid_map", &cred->uids)
			&& write_map(self, "gid_map", &cred->gids);
		_exit(!done);
	}
	if (helper < 0 || unshare(CLONE_NEWUSER) || write(ready[1], &c, 1) != 1
		|| waitpid(helper, &status, 0) != helper || status) {
		_exit(7);
	}
}

/** The number by which a process of this namespace calls itself. */
static uint32_t own_number(const struct br_idmap *map, br_hostid id) {
	br_boxid box = {id.v};
	if (map->n > 0 && !br_idmap_to_box(map, id, &box)) {
		_exit(8);
	}
	return box.v;
}

static void become(const struct br_cred *cred) {
	gid_t list[8];
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	uint32_t caps = (uint32_t)cred->caps;
	struct __user_cap_data_struct data[2] = {{.effective = caps, .permitted = caps}};
	for (size_t i = 0; i < cred->ngroups; i++) {
		list[i] = cred->groups[i].v;
	}
	if (setgroups(cred->ngroups, list)) {
		_exit(2);
	}
	if (cred->uids.n > 0) {
		enter_namespace(cred);
	}
	uint32_t uid = own_number(&cred->uids, cred->uid);
	uint32_t gid = own_number(&cred->gids, cred->gid);
	// What /proc/self/fd shows belongs to root otherwise.
	if (prctl(PR_SET_KEEPCAPS, 1) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)
		|| syscall(SYS_capset, &head, data) || prctl(PR_SET_DUMPABLE, 1)) {
		_exit(2);
	}
}

static bool can_open(int fd, int flags) {
	char path[32];
	assert_true(snprintf(path, sizeof(path), "/proc/self/fd/%d", fd) > 0);
	int got = open(path, flags | O_NONBLOCK | O_CLOEXEC);
	if (got >= 0) {
		(void)close(got);
	}
	return got >= 0;
}

static bool can_execute(int fd) {
	char *none[] = {NULL};
	// An empty file is no program: whoever may execute it is told that.
	(void)syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH);
	return errno == ENOEXEC;
}

static bool can_create(int dir) {
	int fd = openat(dir, ".probe", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0) {
		return false;
	}
	if (close(fd) || unlinkat(dir, ".probe", 0)) {
		_exit(4);
	}
	return true;
}

/** Renaming asks for what deleting asks for (fs/namei.c, may_delete), and can be taken back. */
static bool can_delete(int dir, const char *name) {
	if (renameat(dir, name, dir, ".gone")) {
		return false;
	}
	if (renameat(dir, ".gone", dir, name)) {
		_exit(5);
	}
	return true;
}

static uint16_t try_one(const struct forest *f, const struct node *node) {
	bool file = S_ISREG(node->before.mode);
	unsigned out = 0;
	for (unsigned want = 1; want <= 7; want++) {
		bool yes = syscall(SYS_faccessat2, node->fd, "", want, AT_EACCESS | AT_EMPTY_PATH)
			== 0;
		out |= yes ? 1u << want : 0;
	}
	out |= can_open(node->fd, O_RDONLY) ? 1u << OPEN_R : 0;
	if (file) {
		out |= can_open(node->fd, O_WRONLY) ? 1u << OPEN_W : 0;
		out |= can_open(node->fd, O_RDWR) ? 1u << OPEN_RW : 0;
		out |= can_execute(node->fd) ? 1u << EXECUTE : 0;
	} else {
		out |= can_create(node->fd) ? 1u << CREATE : 0;
	}
	if (*node->path && can_delete(f->nodes[node->parent].fd, node->name)) {
		out |= 1u << DELETE;
	}
	return (uint16_t)out;
}

static void try_all(struct forest *f) {
	for (size_t p = 0; p < f->npeople; p++) {
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			become(&f->people[p].cred);
			for (size_t i = 0; i < f->n; i++) {
				tried[p][i] = try_one(f, &f->nodes[i]);
			}
			_exit(0);
		}
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	for (size_t i = 0; i < f->n; i++) {
		size_t attempts = S_ISREG(f->nodes[i].before.mode) ? 11 : 9;
		f->probes += f->npeople * (attempts + (*f->nodes[i].path != '\0'));
	}
}

#endif
