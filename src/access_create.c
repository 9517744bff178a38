// What an inode is born as: inode_init_owner() and vfs_prepare_mode() (fs/inode.c, fs/namei.c),
// posix_acl_create() and posix_acl_create_masq() (fs/posix_acl.c).
#include <base/own.h>
#include <bindright/access.h>

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// What an ID on disk looks like through the mount; BR_NO_ID's value: like nobody.
static br_hostid seen_as(const struct br_idmap *mount, br_hostid on_disk) {
	br_hostid seen;
	return br_idmap_to_host(mount, (br_boxid){on_disk.v}, &seen) ? seen : (br_hostid){BR_NO_ID};
}

// And back: mapped_fsuid(), mapped_fsgid().
static br_hostid on_disk(const struct br_idmap *mount, br_hostid seen) {
	br_boxid disk;
	return (br_hostid){br_idmap_to_box(mount, seen, &disk) ? disk.v : BR_NO_ID};
}

// in_group_or_capable()
static bool may_keep_setgid(const struct br_birth *birth) {
	const struct br_cred *cred = birth->cred;
	br_hostid uid = seen_as(&birth->where.mount_uids, birth->parent->uid);
	br_hostid gid = seen_as(&birth->where.mount_gids, birth->parent->gid);
	br_boxid ignored;
	return (gid.v != BR_NO_ID && br_cred_in_group(cred, gid))
		|| ((cred->caps >> CAP_FSETID & 1) && uid.v != BR_NO_ID && gid.v != BR_NO_ID
			&& br_idmap_to_box(&cred->uids, uid, &ignored)
			&& br_idmap_to_box(&cred->gids, gid, &ignored));
}

// mode_strip_sgid(), and what the system calls let through: mkdir(2) takes no setuid and no setgid.
static uint32_t asked_mode(const struct br_birth *birth) {
	uint32_t mode = birth->mode;
	const uint32_t group_runs = S_ISGID | S_IXGRP;
	if (S_ISDIR(mode)) {
		return mode & (uint32_t) ~(S_ISUID | S_ISGID);
	}
	bool strips = (mode & group_runs) == group_runs && (birth->parent->mode & S_ISGID)
		&& !may_keep_setgid(birth);
	return strips ? mode & (uint32_t)~S_ISGID : mode;
}

// posix_acl_create_masq(): the entries of the default ACL, as far as the creator asked for the
// bits; the mode, as far as the ACL gives them.
static uint32_t mask_entries(struct br_acl *acl, uint32_t mode) {
	struct br_acl_entry *group = NULL;
	struct br_acl_entry *mask = NULL;
	uint32_t bits = mode & 0777;
	for (size_t i = 0; i < acl->n; i++) {
		struct br_acl_entry *e = &acl->entries[i];
		if (e->tag == BR_ACL_OWNER) {
			e->perm &= (uint16_t)(bits >> 6);
			bits &= (uint32_t)e->perm << 6 | 077;
		} else if (e->tag == BR_ACL_OTHER) {
			e->perm &= (uint16_t)(bits & 7);
			bits &= e->perm | 0770U;
		} else if (e->tag == BR_ACL_OWNING_GROUP) {
			group = e;
		} else if (e->tag == BR_ACL_MASK) {
			mask = e;
		}
	}
	struct br_acl_entry *class = mask ? mask : group;
	if (class) {
		class->perm &= (uint16_t)(bits >> 3 & 7);
		bits &= (uint32_t) class->perm << 3 | 0707;
	}
	return (mode & ~(uint32_t)0777) | bits;
}

// By its bytes: the kernel keeps the order of the entries.
static const struct br_acl *intern(struct br_acls *acls, const struct br_acl *acl) {
	size_t n = br_acl_size(acl);
	br_auto(br_freep) unsigned char *bytes = malloc(n);
	if (!bytes) {
		return NULL;
	}
	br_acl_encode(acl, bytes);
	return br_acls_decode(acls, bytes, n);
}

static int inherit(const struct br_acl *def, struct br_acls *acls, struct br_inode *out) {
	size_t n = sizeof(*def) + def->n * sizeof(def->entries[0]);
	struct br_acl *acl = malloc(n);
	if (!acl) {
		return -1;
	}
	memcpy(acl, def, n);
	out->mode = mask_entries(acl, out->mode);
	out->def = S_ISDIR(out->mode) ? def : NULL;
	const struct br_acl *own = intern(acls, acl);
	free(acl);
	// Three entries say what the mode says.
	out->acl = own && own->n > 3 ? own : NULL;
	return own ? 0 : -1;
}

// The directory's group, by its setgid bit or by the file system's rule.
static bool has_group_of_parent(const struct br_birth *birth) {
	return (birth->parent->mode & S_ISGID) || birth->new_group != BR_GROUP_OF_MAKER;
}

int br_access_created(const struct br_birth *birth, struct br_acls *acls, struct br_inode *out) {
	const struct br_inode *parent = birth->parent;
	const struct br_cred *cred = birth->cred;
	uint32_t mode = birth->mode;
	*out = (struct br_inode){
		.dev = parent->dev,
		.mount = parent->mount,
		.nlink = S_ISDIR(mode) ? 2 : 1,
		.mode = asked_mode(birth),
		.uid = on_disk(&birth->where.mount_uids, cred->uid),
		.gid = has_group_of_parent(birth) ? parent->gid
						  : on_disk(&birth->where.mount_gids, cred->gid),
		.attrs = parent->attrs & (BR_READ_ONLY),
		.have = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS,
	};
	if (S_ISDIR(mode) && birth->new_group != BR_GROUP_OF_DIRECTORY_ALONE) {
		out->mode |= parent->mode & S_ISGID;
	}
	if (S_ISLNK(mode)) {
		return 0;
	}
	if (parent->def) {
		return inherit(parent->def, acls, out);
	}
	out->mode &= ~(cred->umask & 0777);
	return 0;
}
