#include <bindright/access.h>

#include <linux/capability.h>
#include <stddef.h>
#include <sys/stat.h>

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

// What the kernel looks at, with the IDs as the mount shows them (i_uid_into_vfsuid()); BR_NO_ID
// where it has none to show.
struct view {
	const struct br_inode *inode;
	const struct br_cred *cred;
	const struct br_where *where;
	br_hostid uid;
	br_hostid gid;
};

// What acl_permission_check() found: the class, the bits that it holds, and how it came to that.
struct found {
	enum br_rule base;
	const struct br_acl_entry *entry;
	bool granted;
	bool masked;
};

// make_vfsuid(): the ID on disk is the inner side of the mount's map, what the process sees the
// outer.
static br_hostid seen_as(const struct br_idmap *mount, br_hostid on_disk) {
	br_hostid out = {BR_NO_ID};
	(void)br_idmap_to_host(mount, (br_boxid){on_disk.v}, &out);
	return out;
}

static struct view look(
	const struct br_inode *inode, const struct br_cred *cred, const struct br_where *where) {
	return (struct view){
		.inode = inode,
		.cred = cred,
		.where = where,
		.uid = seen_as(&where->mount_uids, inode->uid),
		.gid = seen_as(&where->mount_gids, inode->gid),
	};
}

static bool is_valid(br_hostid id) {
	return id.v != BR_NO_ID;
}

static bool is_user(const struct view *v, br_hostid uid) {
	return is_valid(uid) && uid.v == v->cred->uid.v;
}

static bool in_group(const struct view *v, br_hostid gid) {
	return is_valid(gid) && br_cred_in_group(v->cred, gid);
}

// HAS_UNMAPPED_ID()
static bool is_mapped(const struct view *v) {
	return is_valid(v->uid) && is_valid(v->gid);
}

// capable_wrt_inode_uidgid(): a capability counts in the user namespace of the process, and only
// over inodes whose owner and group both have a number there.
static bool capable(const struct view *v, unsigned cap) {
	br_boxid ignored;
	return (v->cred->caps & CAP_BIT(cap)) && br_idmap_to_box(&v->cred->uids, v->uid, &ignored)
		&& br_idmap_to_box(&v->cred->gids, v->gid, &ignored);
}

static bool holds(unsigned perm, unsigned want) {
	return (perm & want) == want;
}

// posix_acl_permission()'s label mask: the mask stands behind the entry, and an ACL with named
// entries has one.
static struct found limited(
	const struct br_acl *acl, const struct br_acl_entry *e, enum br_rule base, unsigned want) {
	const struct br_acl_entry *mask = br_acl_find(acl, BR_ACL_MASK, (br_hostid){BR_NO_ID});
	struct found f = {.base = base, .entry = e, .granted = holds(e->perm, want)};
	if (f.granted && mask && !holds(mask->perm, want)) {
		f.granted = false;
		f.masked = true;
	}
	return f;
}

// Whether this entry is about a group that the process is in, and which rule that would be.
static bool group_matches(const struct view *v, const struct br_acl_entry *e, enum br_rule *rule) {
	if (e->tag == BR_ACL_OWNING_GROUP) {
		*rule = BR_RULE_GROUP;
		return in_group(v, v->gid);
	}
	*rule = BR_RULE_ACL_GROUP;
	return e->tag == BR_ACL_GROUP && in_group(v, seen_as(&v->where->mount_gids, e->id));
}

// The group class: the first matching entry that holds all the bits by itself decides; where none
// does, matching at all already excludes the process from the bits of others.
static bool check_groups(
	const struct view *v, const struct br_acl *acl, unsigned want, struct found *out) {
	size_t matches = 0;
	for (size_t i = 0; i < acl->n; i++) {
		const struct br_acl_entry *e = &acl->entries[i];
		enum br_rule rule;
		if (!group_matches(v, e, &rule)) {
			continue;
		}
		if (holds(e->perm, want)) {
			*out = limited(acl, e, rule, want);
			return true;
		}
		*out = matches++ == 0 ? (struct found){.base = rule, .entry = e}
				      : (struct found){.base = BR_RULE_ACL_GROUP};
	}
	return matches != 0;
}

// posix_acl_permission(), for a process that is not the owner.
static struct found check_acl(const struct view *v, const struct br_acl *acl, unsigned want) {
	struct found f;
	for (size_t i = 0; i < acl->n; i++) {
		const struct br_acl_entry *e = &acl->entries[i];
		if (e->tag == BR_ACL_USER && is_user(v, seen_as(&v->where->mount_uids, e->id))) {
			return limited(acl, e, BR_RULE_ACL_USER, want);
		}
	}
	if (check_groups(v, acl, want, &f)) {
		return f;
	}
	const struct br_acl_entry *other = br_acl_find(acl, BR_ACL_OTHER, (br_hostid){BR_NO_ID});
	return (struct found){.base = BR_RULE_OTHER,
		.entry = other,
		.granted = other && holds(other->perm, want)};
}

// acl_permission_check(). Two corners: the owner never gets to the ACL; and an empty group class in
// the mode (an empty mask) switches the whole ACL off, so that a named user falls through to the
// bits of others.
static struct found check_bits(const struct view *v, unsigned want) {
	uint32_t mode = v->inode->mode;
	if (is_user(v, v->uid)) {
		return (struct found){.base = BR_RULE_OWNER, .granted = holds(mode >> 6, want)};
	}
	if (v->inode->acl && (mode & S_IRWXG)) {
		return check_acl(v, v->inode->acl, want);
	}
	if (in_group(v, v->gid)) {
		return (struct found){.base = BR_RULE_GROUP, .granted = holds(mode >> 3, want)};
	}
	return (struct found){.base = BR_RULE_OTHER, .granted = holds(mode, want)};
}

// The second half of generic_permission(): the capability that overrides the bits.
static bool overridden(const struct view *v, unsigned want, enum br_rule *rule) {
	bool is_dir = S_ISDIR(v->inode->mode);
	bool reads = is_dir ? !(want & BR_W) : want == BR_R;
	if (reads && capable(v, CAP_DAC_READ_SEARCH)) {
		*rule = BR_RULE_DAC_READ_SEARCH;
		return true;
	}
	// Nobody may execute a file that has no execute bit at all.
	bool overridable =
		is_dir || !(want & BR_X) || (v->inode->mode & (S_IXUSR | S_IXGRP | S_IXOTH));
	if (overridable && capable(v, CAP_DAC_OVERRIDE)) {
		*rule = BR_RULE_DAC_OVERRIDE;
		return true;
	}
	return false;
}

// What inode_permission() and sb_permission() refuse before any bits are looked at. A read-only
// mount does not keep anybody from writing to a device, FIFO or socket on it.
static bool barred(const struct view *v, unsigned want, enum br_rule *rule) {
	if (!(want & BR_W)) {
		return false;
	}
	bool read_only = v->where->read_only || (v->inode->attrs & BR_READ_ONLY);
	if (read_only && (S_ISREG(v->inode->mode) || S_ISDIR(v->inode->mode))) {
		*rule = BR_RULE_READ_ONLY;
		return true;
	}
	if (v->inode->attrs & BR_IMMUTABLE) {
		*rule = BR_RULE_IMMUTABLE;
		return true;
	}
	if (!is_mapped(v)) {
		*rule = BR_RULE_UNMAPPED;
		return true;
	}
	return false;
}

// The rest of inode_permission(), once the bits are known: `rule` comes in as the class, and goes
// out as what decided.
static bool allowed(const struct view *v, bool granted, unsigned want, enum br_rule *rule) {
	return !barred(v, want, rule) && (granted || overridden(v, want, rule));
}

static bool allows_bit(const struct view *v, unsigned bit) {
	struct found f = check_bits(v, bit);
	return allowed(v, f.granted, bit, &f.base);
}

static unsigned one_by_one(const struct view *v) {
	unsigned have = 0;
	for (unsigned bit = BR_X; bit <= BR_R; bit <<= 1) {
		have |= allows_bit(v, bit) ? bit : 0;
	}
	return have;
}

// Bits that are refused together may each be allowed alone; then all of them are missing.
static unsigned missing_of(unsigned have, unsigned want) {
	return want & ~have ? want & ~have : want;
}

static struct br_verdict judge(const struct view *v, unsigned want) {
	struct found f = check_bits(v, want);
	enum br_rule rule = f.base;
	bool granted = allowed(v, f.granted, want, &rule);
	unsigned have = one_by_one(v);
	if (granted && (want & BR_W) && (v->inode->attrs & BR_APPEND)) {
		rule = BR_RULE_APPEND_ONLY;
	}
	return (struct br_verdict){
		.have = have,
		.missing = granted ? 0 : missing_of(have, want),
		.rule = rule,
		.base = f.base,
		.entry = f.entry,
		.masked = !granted && rule == f.base && f.masked,
	};
}

// Nothing asks a link for its bits: to follow it is to search its directory, and they are 0777
// everywhere.
static struct br_verdict anything(const struct view *v) {
	enum br_rule base = check_bits(v, 0).base;
	return (struct br_verdict){.have = BR_R | BR_W | BR_X, .rule = base, .base = base};
}

struct br_verdict br_access(const struct br_inode *inode, const struct br_cred *cred,
	const struct br_where *where, unsigned want) {
	struct view v = look(inode, cred, where);
	return S_ISLNK(inode->mode) ? anything(&v) : judge(&v, want);
}

struct br_verdict br_access_use(const struct br_inode *inode, const struct br_cred *cred,
	const struct br_where *where, unsigned want) {
	unsigned at_once = S_ISDIR(inode->mode) ? BR_W | BR_X : BR_R | BR_W;
	if ((want & at_once) == 0 || (want & ~at_once) == 0) {
		return br_access(inode, cred, where, want);
	}
	struct br_verdict first = br_access(inode, cred, where, want & at_once);
	struct br_verdict second = br_access(inode, cred, where, want & ~at_once);
	bool blame_second = first.missing == 0 && second.missing != 0;
	struct br_verdict out = blame_second ? second : first;
	out.missing = first.missing | second.missing;
	return out;
}

// The answer about `want` if the class that decides held these bits: the allowed ones and the
// missing ones, packed.
static unsigned answer(const struct view *v, unsigned bits, unsigned want) {
	unsigned have = 0;
	enum br_rule ignored;
	for (unsigned bit = BR_X; bit <= BR_R; bit <<= 1) {
		if ((want & bit) && allowed(v, bits & bit, bit, &ignored)) {
			have |= bit;
		}
	}
	bool granted = allowed(v, holds(bits, want), want, &ignored);
	return have << 3 | (granted ? 0 : missing_of(have, want));
}

// The mask stands in the mode, and nobody but the owner gets more than it from an ACL; a named
// entry for this very process can give it any part. So the ACL matters exactly where some part of
// the mask gives another answer than the mode does. (Two group entries that share the bits between
// them give no third answer: where that differs, an empty entry differs too.)
bool br_access_needs_acl(const struct br_inode *inode, const struct br_cred *cred, unsigned want) {
	const struct br_where where = {0};
	struct view v = look(inode, cred, &where);
	unsigned mask = inode->mode >> 3 & 7;
	if (S_ISLNK(inode->mode) || mask == 0 || is_user(&v, v.uid)) {
		return false;
	}
	unsigned plain = in_group(&v, v.gid) ? mask : inode->mode & 7;
	unsigned without = answer(&v, plain, want);
	// Bits that nobody wants make no difference.
	mask &= want;
	for (unsigned part = 0; part <= mask; part++) {
		if ((part & ~mask) == 0 && answer(&v, part, want) != without) {
			return true;
		}
	}
	return false;
}

// __check_sticky(): the owner of the entry, or of the directory, or CAP_FOWNER over the entry.
static bool sticky_refuses(const struct view *dir, const struct view *victim) {
	return (dir->inode->mode & S_ISVTX) && !is_user(victim, victim->uid)
		&& !is_user(dir, dir->uid) && !capable(victim, CAP_FOWNER);
}

bool br_access_delete(const struct br_inode *dir, const struct br_inode *victim,
	const struct br_cred *cred, const struct br_where *where, bool *sticky) {
	struct view d = look(dir, cred, where);
	struct view v = look(victim, cred, where);
	*sticky = false;
	if (!is_mapped(&v) || judge(&d, BR_W | BR_X).missing || (dir->attrs & BR_APPEND)) {
		return false;
	}
	*sticky = sticky_refuses(&d, &v);
	return !*sticky && !(victim->attrs & (BR_APPEND | BR_IMMUTABLE));
}

bool br_access_create(
	const struct br_inode *dir, const struct br_cred *cred, const struct br_where *where) {
	br_boxid ignored;
	struct view d = look(dir, cred, where);
	// fsuidgid_has_mapping(): what is made must have owners on disk.
	return br_idmap_to_box(&where->mount_uids, cred->uid, &ignored)
		&& br_idmap_to_box(&where->mount_gids, cred->gid, &ignored)
		&& judge(&d, BR_W | BR_X).missing == 0;
}

bool br_access_protected(const struct br_inode *dir, const struct br_inode *file,
	const struct br_cred *cred, const struct br_where *where, unsigned level) {
	struct view d = look(dir, cred, where);
	struct view f = look(file, cred, where);
	bool shared = dir->mode & S_IWOTH || (level >= 2 && dir->mode & S_IWGRP);
	bool same_owner = is_valid(f.uid) && f.uid.v == d.uid.v;
	return level > 0 && (dir->mode & S_ISVTX) && shared && S_ISREG(file->mode) && !same_owner
		&& !is_user(&f, f.uid);
}

const char *br_rule_name(enum br_rule rule) {
	switch (rule) {
	case BR_RULE_OWNER:
		return "owner";
	case BR_RULE_ACL_USER:
		return "acl-user";
	case BR_RULE_GROUP:
		return "group";
	case BR_RULE_ACL_GROUP:
		return "acl-group";
	case BR_RULE_OTHER:
		return "other";
	case BR_RULE_DAC_OVERRIDE:
		return "cap-dac-override";
	case BR_RULE_DAC_READ_SEARCH:
		return "cap-dac-read-search";
	case BR_RULE_READ_ONLY:
		return "read-only";
	case BR_RULE_IMMUTABLE:
		return "immutable";
	case BR_RULE_APPEND_ONLY:
		return "append-only";
	case BR_RULE_UNMAPPED:
		return "unmapped";
	case BR_RULE_SERVER:
		return "server";
	}
	return NULL;
}
