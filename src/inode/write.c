#include "facts.h"

#include <base/own.h>
#include <base/sys.h>
#include <bindright/inode.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>

// From one state to another without an instant that allows more than both. Where nothing but the
// owner, or nothing but mode and ACL differ, that is one system call. Else, whichever of these are
// needed:
//
//	1  mode		setuid and setgid that stay, sticky that comes; without ACLs the common bits
//	2  ACL		one that is to be replaced goes; only the owner's common bits remain
//	3  caps		those that go, or that a chown would take at a moment of its own
//	4  owner	chown
//	5  ACL		the new one, with its mode
//	6  mode		the final one
//	7  default ACL of a directory, capabilities of a file
//
// Why the common bits do where no ACL is: up to 4 the classes are chosen by the old IDs and the
// bits are part of the old ones, from 4 on by the new IDs and part of the new ones. Between two
// ACLs that does not hold, for a member of the new group would meet the old entries: so there only
// the owner keeps anything across 4. An ACL that stays as it is needs no such care, since the state
// after 4 is the final one. Setuid comes last, and the sticky bit leaves last. The mask must never
// become empty under an ACL on the way: that would hand named users the bits of others.

enum {
	SPECIAL = S_ISUID | S_ISGID | S_ISVTX,
	RWX = S_IRWXU | S_IRWXG | S_IRWXO,
	// An ACL of three entries as bytes.
	MINIMAL_SIZE = 4 + 3 * 8,
	// A disk with so many is not full: an attribute takes less.
	SPARE_BLOCKS = 64,
};

// A list of steps as it grows.
struct path {
	const struct br_inode *before;
	const struct br_inode *after;
	struct br_inode now;
	struct br_step *steps;
	size_t n;
};

static void add(struct path *p, enum br_step_kind kind) {
	p->steps[p->n++] = (struct br_step){.kind = kind, .state = p->now};
}

static bool owner_differs(const struct br_inode *a, const struct br_inode *b) {
	return a->uid.v != b->uid.v || a->gid.v != b->gid.v;
}

static void set_bits(struct path *p, uint32_t bits) {
	if ((p->now.mode & 07777) != bits) {
		p->now.mode = (p->now.mode & ~07777U) | bits;
		add(p, BR_STEP_MODE);
	}
}

static void set_acl(struct path *p, const struct br_acl *acl, uint32_t rwx) {
	p->now.mode = (p->now.mode & ~(uint32_t)RWX) | rwx;
	p->now.acl = acl;
	add(p, BR_STEP_ACL);
}

// Which of setuid, setgid and sticky there are on the way. A chown clears the first two of a file,
// one kernel in these cases and another in those: so they go before.
static uint32_t special_between(const struct path *p, bool chowns) {
	uint32_t old = p->before->mode;
	uint32_t new = p->after->mode;
	uint32_t set_ids = (S_ISUID | S_ISGID) & old & new;
	if (chowns && !S_ISDIR(old)) {
		set_ids = 0;
	}
	return set_ids | ((old | new) & S_ISVTX);
}

// Steps 1 and 2.
static void narrow(struct path *p, bool chowns, bool new_acl) {
	uint32_t rwx = p->before->mode & RWX;
	uint32_t common = rwx & p->after->mode;
	if (chowns && !p->before->acl) {
		rwx = p->after->acl ? common & S_IRWXU : common;
	}
	if (chowns || new_acl) {
		set_bits(p, special_between(p, chowns) | rwx);
	}
	if (chowns && new_acl && p->before->acl) {
		set_acl(p, NULL, common & S_IRWXU);
	}
}

// Step 3: capabilities that go, or that a chown would take, go before anybody new may run the file.
static void drop_caps(struct path *p, bool chowns, bool new_bits) {
	bool kept = br_fact_same_blob(p->now.caps, p->after->caps);
	if ((p->now.have & BR_HAVE_CAPS) && S_ISREG(p->now.mode) && p->now.caps
		&& (chowns || (new_bits && !kept))) {
		p->now.caps = NULL;
		add(p, BR_STEP_CAPS);
	}
}

static void change_owner(struct path *p) {
	p->now.uid = p->after->uid;
	p->now.gid = p->after->gid;
	add(p, BR_STEP_OWNER);
}

// Step 7; a directory has no capabilities, anything else no default ACL.
static void finish(struct path *p) {
	const struct br_inode *after = p->after;
	if (S_ISDIR(p->now.mode) && (p->now.have & BR_HAVE_DEFAULT_ACL)
		&& !br_fact_same_acl(p->now.def, after->def)) {
		p->now.def = after->def;
		add(p, BR_STEP_DEFAULT_ACL);
	}
	if (S_ISREG(p->now.mode) && (p->now.have & BR_HAVE_CAPS)
		&& !br_fact_same_blob(p->now.caps, after->caps)) {
		p->now.caps = after->caps;
		add(p, BR_STEP_CAPS);
	}
}

size_t br_steps_plan(const struct br_inode *before, const struct br_inode *after,
	struct br_step steps[BR_INODE_STEPS]) {
	struct path p = {.before = before, .after = after, .now = *before, .steps = steps};
	bool chowns = owner_differs(before, after);
	bool new_acl = !br_fact_same_acl(before->acl, after->acl);
	bool new_bits = new_acl || ((before->mode ^ after->mode) & 07777);
	p.now.have = before->have & after->have;
	narrow(&p, chowns, new_acl);
	drop_caps(&p, chowns, new_bits);
	if (chowns) {
		change_owner(&p);
	}
	if (!br_fact_same_acl(p.now.acl, after->acl)) {
		set_acl(&p, after->acl, after->mode & RWX);
	}
	set_bits(&p, after->mode & 07777);
	finish(&p);
	return p.n;
}

size_t br_inode_steps(const struct br_inode *before, const struct br_inode *after,
	struct br_inode states[BR_INODE_STEPS]) {
	struct br_step steps[BR_INODE_STEPS];
	size_t n = br_steps_plan(before, after, steps);
	for (size_t i = 0; i < n; i++) {
		states[i] = steps[i].state;
	}
	return n;
}

/**
 * "No space" is also said of an attribute that has no room beside the others of its file
 * (ext4_xattr_block_set(), btrfs_setxattr()): where the disk has room, it is that, and says nothing
 * about other files.
 */
static int set_attribute(int fd, const char *attribute, const void *value, size_t n) {
	struct statfs fs;
	if (!br_sys_setxattr(fd, attribute, value, n)) {
		return 0;
	}
	bool no_space = errno == ENOSPC;
	if (no_space) {
		bool room = !fstatfs(fd, &fs) && fs.f_bavail >= SPARE_BLOCKS;
		errno = room ? E2BIG : ENOSPC;
	}
	return -1;
}

static int write_acl(int fd, const char *attribute, const struct br_acl *acl) {
	size_t n = br_acl_size(acl);
	br_auto(br_freep) void *value = malloc(n);
	if (!value) {
		return -1;
	}
	br_acl_encode(acl, value);
	return set_attribute(fd, attribute, value, n);
}

// Removing the attribute would leave its mask behind as the group's bits. Three entries that say
// what the mode shall be set the mode and drop the ACL in one.
static int write_minimal(int fd, uint32_t mode) {
	br_hostid none = {BR_NO_ID};
	const struct br_acl_entry entries[] = {
		{BR_ACL_OWNER, mode >> 6 & 7, none},
		{BR_ACL_OWNING_GROUP, mode >> 3 & 7, none},
		{BR_ACL_OTHER, mode & 7, none},
	};
	unsigned char value[MINIMAL_SIZE];
	br_fact_encode(entries, sizeof(entries) / sizeof(entries[0]), value);
	return br_sys_setxattr(fd, br_fact_attribute(BR_HAVE_ACL), value, sizeof(value));
}

// What is gone already need not go.
static int drop(int fd, const char *attribute) {
	int got = br_sys_removexattr(fd, attribute);
	return got && errno == ENODATA ? 0 : got;
}

static int change_owner_of(int fd, const struct br_inode *now, const struct br_inode *to) {
	uid_t uid = now->uid.v == to->uid.v ? (uid_t)-1 : to->uid.v;
	gid_t gid = now->gid.v == to->gid.v ? (gid_t)-1 : to->gid.v;
	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH);
}

int br_step_take(int fd, const struct br_inode *now, const struct br_step *step) {
	const struct br_inode *to = &step->state;
	const char *def = br_fact_attribute(BR_HAVE_DEFAULT_ACL);
	const char *caps = br_fact_attribute(BR_HAVE_CAPS);
	switch (step->kind) {
	case BR_STEP_MODE:
		return br_sys_chmod(fd, to->mode & 07777);
	case BR_STEP_ACL:
		return to->acl ? write_acl(fd, br_fact_attribute(BR_HAVE_ACL), to->acl)
			       : write_minimal(fd, to->mode);
	case BR_STEP_OWNER:
		return change_owner_of(fd, now, to);
	case BR_STEP_DEFAULT_ACL:
		return to->def ? write_acl(fd, def, to->def) : drop(fd, def);
	case BR_STEP_CAPS:
		return to->caps ? set_attribute(fd, caps, to->caps->bytes, to->caps->n)
				: drop(fd, caps);
	}
	errno = EINVAL;
	return -1;
}

static uint32_t perm_of(const struct br_acl *acl, enum br_acl_tag tag) {
	const struct br_acl_entry *e = br_acl_find(acl, tag, (br_hostid){BR_NO_ID});
	return e ? e->perm : 0;
}

// The mode that the kernel keeps beside an ACL (posix_acl_equiv_mode()): its mask stands for the
// group.
static bool agrees(const struct br_inode *inode) {
	const struct br_acl *acl = inode->acl;
	if (!acl) {
		return true;
	}
	bool masked = br_acl_find(acl, BR_ACL_MASK, (br_hostid){BR_NO_ID});
	uint32_t group = perm_of(acl, masked ? BR_ACL_MASK : BR_ACL_OWNING_GROUP);
	uint32_t rwx = perm_of(acl, BR_ACL_OWNER) << 6 | group << 3 | perm_of(acl, BR_ACL_OTHER);
	return (inode->mode & RWX) == rwx;
}

// Without its ACL a mode does not say who may do what, so neither owner nor mode can be changed
// safely.
static bool is_sound(const struct br_inode *before, const struct br_inode *after) {
	bool acl_known = before->have & after->have & BR_HAVE_ACL;
	bool bits_differ = (before->mode ^ after->mode) & 07777;
	bool same_type = (before->mode & S_IFMT) == (after->mode & S_IFMT);
	return same_type && agrees(after)
		&& (acl_known || !(bits_differ || owner_differs(before, after)));
}

// The kernel drops a setgid bit without a word where the caller may not set it
// (in_group_or_capable()).
static int read_back(int fd, const struct br_inode *after) {
	struct br_inode now;
	if (br_inode_stat(fd, "", &now)) {
		return -1;
	}
	if ((now.mode & SPECIAL) != (after->mode & SPECIAL)) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

int br_inode_write(
	int fd, const struct br_inode *before, const struct br_inode *after, unsigned *step) {
	*step = 0;
	if (!is_sound(before, after)) {
		errno = EINVAL;
		return -1;
	}
	struct br_step steps[BR_INODE_STEPS];
	size_t n = br_steps_plan(before, after, steps);
	const struct br_inode *now = before;
	for (size_t i = 0; i < n; i++) {
		if (br_step_take(fd, now, &steps[i])) {
			return -1;
		}
		now = &steps[i].state;
		*step = (unsigned)(i + 1);
	}
	return n && (after->mode & SPECIAL) ? read_back(fd, after) : 0;
}
