// One question instead of three: which of the attributes are there at all.

#include "facts.h"

#include <base/own.h>
#include <base/sys.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

enum {
	// A few names; where there are more, each attribute is asked for.
	NAMES_SIZE = 256,
	// Mounts that are remembered.
	MOUNTS = 16,
};

// MNT_UNIQUE_ID_OFFSET of the kernel's fs/namespace.c: mount IDs above it are never used again.
static const uint64_t unique_above = UINT64_C(1) << 31;

// Mount ID << 1 | whether its listings are complete, by the ID's lowest bits.
static _Atomic uint64_t known[MOUNTS];

// File systems whose listxattr names every ACL and capability that getxattr gives, and whose change
// times are the kernel's own (FS_MGTIME where it has that). Others keep some to themselves: a FUSE
// server says what it likes, NFSv4 lists only its own.
static bool lists_everything(uint64_t type) {
	switch (type) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
		return true;
	default:
		return false;
	}
}

// What (dirfd, name) is on, if that is still this mount: 1, 0, -1 could not be told.
static int examine(int dirfd, const char *name, uint64_t mount) {
	br_auto(br_closep) int opened =
		*name ? openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
	int fd = *name ? opened : dirfd;
	struct br_inode now;
	struct statfs fs;
	if (fd < 0 || br_inode_stat(fd, "", &now) || now.mount != mount || fstatfs(fd, &fs)) {
		return -1;
	}
	return lists_everything((uint64_t)fs.f_type);
}

bool br_fact_is_local(int dirfd, const char *name, uint64_t mount) {
	if (mount < unique_above) {
		return false;
	}
	_Atomic uint64_t *slot = &known[mount % MOUNTS];
	uint64_t value = atomic_load_explicit(slot, memory_order_relaxed);
	if (value >> 1 != mount) {
		int trusted = examine(dirfd, name, mount);
		if (trusted < 0) {
			return false;
		}
		value = mount << 1 | (unsigned)trusted;
		atomic_store_explicit(slot, value, memory_order_relaxed);
	}
	return value & 1;
}

static unsigned named(const char *names, size_t n) {
	unsigned found = 0;
	for (const char *at = names; at < names + n; at += strlen(at) + 1) {
		for (unsigned which = BR_HAVE_ACL; which <= BR_HAVE_CAPS; which <<= 1) {
			if (!strcmp(at, br_fact_attribute(which))) {
				found |= which;
			}
		}
	}
	return found;
}

unsigned br_inode_present(int dirfd, const char *name, const struct br_inode *in, unsigned want) {
	for (unsigned which = BR_HAVE_ACL; which <= BR_HAVE_CAPS; which <<= 1) {
		want &= br_fact_possible(in->mode, which) ? ~0U : ~which;
	}
	// One attribute is asked for at the same price.
	if (!(want & (want - 1)) || !br_fact_is_local(dirfd, name, in->mount)) {
		return want;
	}
	char names[NAMES_SIZE];
	ssize_t n = br_sys_listxattr(dirfd, name, names, sizeof(names));
	// A failure is met again by whoever reads.
	return n < 0 ? want : want & named(names, (size_t)n);
}
