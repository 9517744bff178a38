#include "facts.h"

#include <base/own.h>
#include <base/sys.h>
#include <bindright/inode.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum {
	// Holds an ACL of 127 entries; longer ones take a second call.
	USUAL_SIZE = 1024,
	// XATTR_SIZE_MAX of linux/limits.h: the kernel takes no longer value.
	LARGEST_SIZE = 65536,
};

const char *br_fact_attribute(unsigned which) {
	switch (which) {
	case BR_HAVE_ACL:
		return "system.posix_acl_access";
	case BR_HAVE_DEFAULT_ACL:
		return "system.posix_acl_default";
	case BR_HAVE_CAPS:
		return "security.capability";
	default:
		return NULL;
	}
}

bool br_fact_possible(uint32_t mode, unsigned which) {
	switch (which) {
	case BR_HAVE_ACL:
		return !S_ISLNK(mode);
	case BR_HAVE_DEFAULT_ACL:
		return S_ISDIR(mode);
	case BR_HAVE_CAPS:
		return S_ISREG(mode);
	default:
		return false;
	}
}

static uint32_t attributes(const struct statx *st) {
	return (st->stx_attributes & STATX_ATTR_IMMUTABLE ? BR_IMMUTABLE : 0U)
		| (st->stx_attributes & STATX_ATTR_APPEND ? BR_APPEND : 0U)
		| (st->stx_attributes & STATX_ATTR_MOUNT_ROOT ? BR_MOUNT_ROOT : 0U);
}

static struct br_time time_of(struct statx_timestamp t) {
	return (struct br_time){.sec = t.tv_sec, .nsec = t.tv_nsec};
}

int br_inode_stat(int dirfd, const char *name, struct br_inode *out) {
	struct statx st;
	if (br_sys_statx(dirfd, name, &st)) {
		return -1;
	}
	*out = (struct br_inode){
		.dev = makedev(st.stx_dev_major, st.stx_dev_minor),
		.ino = st.stx_ino,
		.mount = st.stx_mnt_id,
		.ctime = time_of(st.stx_ctime),
		.size = st.stx_size,
		.blocks = st.stx_blocks,
		.mode = st.stx_mode,
		.nlink = st.stx_nlink,
		.uid = {st.stx_uid},
		.gid = {st.stx_gid},
		.attrs = attributes(&st),
	};
	if (st.stx_mask & STATX_BTIME) {
		out->btime = time_of(st.stx_btime);
	}
	return 0;
}

ssize_t br_inode_attribute(int dirfd, const char *name, unsigned which, void *buf, size_t n) {
	const char *attribute = br_fact_attribute(which);
	if (!attribute || n == 0) {
		errno = attribute ? ERANGE : EINVAL;
		return -1;
	}
	ssize_t got = br_sys_getxattr(dirfd, name, attribute, buf, n);
	return got < 0 && (errno == ENODATA || errno == EOPNOTSUPP) ? 0 : got;
}

int br_inode_take(
	struct br_inode *inode, unsigned which, struct br_acls *acls, const void *value, size_t n) {
	const struct br_acl *acl = NULL;
	const struct br_blob *blob = NULL;
	if (n && which == BR_HAVE_CAPS) {
		blob = br_acls_blob(acls, value, n);
	} else if (n) {
		acl = br_acls_decode(acls, value, n);
	}
	if (n && !acl && !blob) {
		return -1;
	}
	switch (which) {
	case BR_HAVE_ACL:
		// Three entries say what the mode says already.
		inode->acl = acl && acl->n > 3 ? acl : NULL;
		break;
	case BR_HAVE_DEFAULT_ACL:
		inode->def = acl;
		break;
	case BR_HAVE_CAPS:
		inode->caps = blob;
		break;
	default:
		errno = EINVAL;
		return -1;
	}
	inode->have |= which;
	return 0;
}

static int read_large(
	int dirfd, const char *name, unsigned which, struct br_acls *acls, struct br_inode *out) {
	unsigned char *value = malloc(LARGEST_SIZE);
	if (!value) {
		return -1;
	}
	ssize_t n = br_inode_attribute(dirfd, name, which, value, LARGEST_SIZE);
	int r = n < 0 ? -1 : br_inode_take(out, which, acls, value, (size_t)n);
	free(value);
	return r;
}

static int read_fact(
	int dirfd, const char *name, unsigned which, struct br_acls *acls, struct br_inode *out) {
	unsigned char value[USUAL_SIZE];
	ssize_t n = br_inode_attribute(dirfd, name, which, value, sizeof(value));
	if (n < 0) {
		return errno == ERANGE ? read_large(dirfd, name, which, acls, out) : -1;
	}
	return br_inode_take(out, which, acls, value, (size_t)n);
}

int br_inode_read(
	int dirfd, const char *name, unsigned want, struct br_acls *acls, struct br_inode *out) {
	return br_inode_stat(dirfd, name, out) ? -1
					       : br_inode_read_rest(dirfd, name, want, acls, out);
}

int br_inode_read_rest(
	int dirfd, const char *name, unsigned want, struct br_acls *acls, struct br_inode *out) {
	unsigned present = br_inode_present(dirfd, name, out, want);
	// The others are NULL already.
	out->have = want & (BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS) & ~present;
	for (unsigned which = BR_HAVE_ACL; which <= BR_HAVE_CAPS; which <<= 1) {
		if ((present & which) && read_fact(dirfd, name, which, acls, out)) {
			return -1;
		}
	}
	if (want & BR_HAVE_SEAL) {
		br_inode_seal(dirfd, name, out);
	}
	return 0;
}

bool br_inode_same(const struct br_inode *a, const struct br_inode *b) {
	return a->dev == b->dev && a->ino == b->ino && a->btime.sec == b->btime.sec
		&& a->btime.nsec == b->btime.nsec && (a->mode & S_IFMT) == (b->mode & S_IFMT);
}

bool br_fact_same_acl(const struct br_acl *a, const struct br_acl *b) {
	return a == b
		|| (a && b && a->n == b->n
			&& !memcmp(a->entries, b->entries, a->n * sizeof(a->entries[0])));
}

bool br_fact_same_blob(const struct br_blob *a, const struct br_blob *b) {
	return a == b
		|| (a && b && a->n == b->n && (a->n == 0 || !memcmp(a->bytes, b->bytes, a->n)));
}

bool br_inode_equal(const struct br_inode *a, const struct br_inode *b) {
	unsigned both = a->have & b->have;
	return a->uid.v == b->uid.v && a->gid.v == b->gid.v
		&& (a->mode & 07777) == (b->mode & 07777)
		&& (!(both & BR_HAVE_ACL) || br_fact_same_acl(a->acl, b->acl))
		&& (!(both & BR_HAVE_DEFAULT_ACL) || br_fact_same_acl(a->def, b->def))
		&& (!(both & BR_HAVE_CAPS) || br_fact_same_blob(a->caps, b->caps));
}

int br_inode_acl_support(int fd) {
	ssize_t got = br_sys_getxattr(fd, "", br_fact_attribute(BR_HAVE_ACL), NULL, 0);
	if (got >= 0 || errno == ENODATA) {
		return 1;
	}
	return errno == EOPNOTSUPP ? 0 : -1;
}
