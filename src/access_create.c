// What an inode is born as: inode_init_owner() and vfs_prepare_mode() (fs/inode.c, fs/namei.c), posix_acl_create() and posix_acl_create_masq() (fs/posix_acl.c).
#include <base/own.h>
#include <bindright/access.h>

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool may_keep_setgid(const struct br_inode *parent, const struct br_cred *cred) {
	br_boxid ignored;
	// in_group_or_capable()
	return br_cred_in_group(cred, parent->gid)
		|| ((cred->caps >> CAP_FSETID & 1)
			&& br_idmap_to_box(&cred->uids, parent->uid, &ignored)
			&& br_idmap_to_box(&cred->gids, parent->gid, &ignored));
}

// mode_strip_sgid(), and what the system calls let through: mkdir(2) takes no setuid and no setgid.
static uint32_t asked_mode(
	const struct br_inode *parent, const struct br_cred *cred, uint32_t mode) {
	const uint32_t group_runs = S_ISGID | S_IXGRP;
	if (S_ISDIR(mode)) {
		return mode & (uint32_t) ~(S_ISUID | S_ISGID);
	}
	bool strips = (mode & group_runs) == group_runs && (parent->mode & S_ISGID)
		&& !may_keep_setgid(parent, cred);
	return strips ? mode & (uint32_t)~S_ISGID : mode;
}

// posix_acl_create_masq(): the entries of the default ACL, as far as the creator asked for the bits; the mode, as far as the ACL gives them.
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

int br_access_created(const struct br_inode *parent, const struct br_cred *cred, uint32_t mode,
	struct br_acls *acls, struct br_inode *out) {
	*out = (struct br_inode){
		.dev = parent->dev,
		.mount = parent->mount,
		.nlink = S_ISDIR(mode) ? 2 : 1,
		.mode = asked_mode(parent, cred, mode),
		.uid = cred->uid,
		.gid = parent->mode & S_ISGID ? parent->gid : cred->gid,
		.attrs = parent->attrs & (BR_READ_ONLY),
		.have = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS,
	};
	if (S_ISDIR(mode)) {
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
