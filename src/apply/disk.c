// Which file system it is, whatever number its device has now.

#include "object.h"

#include <base/file.h>
#include <base/guard.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/** XFS_IOC_FSGEOMETRY_V1 and its struct xfs_fsop_geom_v1, of xfs_fs.h, which is not installed
 * everywhere: all versions of XFS answer it. */
struct xfs_geometry {
	uint32_t sizes[8];
	uint64_t more_sizes[4];
	unsigned char uuid[16];
	uint32_t rest[7];
};
#define XFS_GEOMETRY _IOR('X', 100, struct xfs_geometry)

/** struct fsuuid2 of linux/fs.h (6.9). */
struct fs_uuid {
	uint8_t len;
	uint8_t uuid[16];
};
#ifndef FS_IOC_GETFSUUID
#define FS_IOC_GETFSUUID _IOR(0x15, 0, struct fs_uuid)
#endif

/** A directory on the same file system, to be asked: fd itself, or the one that it lies in. */
static int open_for_asking(int fd, int dir) {
	struct br_inode a;
	struct br_inode b;
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	int opened = br_open_beneath(fd, ".", flags, true);
	if (opened >= 0 || errno != ENOTDIR || dir < 0) {
		return opened;
	}
	if (br_inode_stat(fd, "", &a) < 0 || br_inode_stat(dir, "", &b) < 0 || a.dev != b.dev) {
		return -1;
	}
	return br_open_beneath(dir, ".", flags, true);
}

/**
 * XFS and F2FS make their ID of the number of the device (xfs_fs_statfs(), f2fs_statfs()), which
 * may be another one after the next start. What stays is the UUID. 0: not to be had.
 */
static uint64_t id_by_uuid(int asked, bool xfs) {
	struct xfs_geometry geometry = {0};
	struct fs_uuid uuid = {0};
	br_auto(br_closep) int fd = asked;
	if (fd < 0) {
		return 0;
	}
	if (ioctl(fd, FS_IOC_GETFSUUID, &uuid) < 0 || uuid.len != sizeof(uuid.uuid)) {
		if (!xfs || ioctl(fd, XFS_GEOMETRY, &geometry) < 0) {
			return 0;
		}
		memcpy(uuid.uuid, geometry.uuid, sizeof(uuid.uuid));
	}
	uint64_t halves[2];
	memcpy(halves, uuid.uuid, sizeof(halves));
	return halves[0] ^ halves[1];
}

static uint64_t id_of(int fd, int dir, const struct statfs *fs) {
	unsigned long type = (unsigned long)fs->f_type;
	uint64_t id = 0;
	if (type == XFS_SUPER_MAGIC || type == F2FS_SUPER_MAGIC) {
		return id_by_uuid(open_for_asking(fd, dir), type == XFS_SUPER_MAGIC);
	}
	memcpy(&id, &fs->f_fsid, sizeof(fs->f_fsid) < sizeof(id) ? sizeof(fs->f_fsid) : sizeof(id));
	return id;
}

uint64_t br_disk_id(int fd, int dir) {
	struct statfs fs;
	return fstatfs(fd, &fs) == 0 ? id_of(fd, dir, &fs) : 0;
}

/** The directory that the target lies in, by its path. */
static int open_parent(const struct br_target *t) {
	const char *name = strrchr(t->real, '/');
	br_auto(br_closep) int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (slash < 0 || name == NULL || name == t->real) {
		return -1;
	}
	char *parent = strndup(t->real + 1, (size_t)(name - t->real - 1));
	if (parent == NULL) {
		return -1;
	}
	int fd = br_open_beneath(slash, parent, O_PATH | O_DIRECTORY | O_NOFOLLOW, true);
	free(parent);
	return fd;
}

/** What a target is; pointers in `root` are NULL. */
struct look {
	struct br_inode root;
	uint64_t fsid;
	bool copies_up;
};

/** br_guard's. */
static int look(const void *context, void *answer, int *fd) {
	const struct br_target *t = context;
	struct look *out = answer;
	struct statfs fs;
	*fd = -1;
	if (br_inode_stat(t->fd, "", &out->root) < 0) {
		return errno;
	}
	if (fstatfs(t->fd, &fs) < 0) {
		return 0;
	}
	out->copies_up = (unsigned long)fs.f_type == OVERLAYFS_SUPER_MAGIC;
	br_auto(br_closep) int parent = S_ISDIR(out->root.mode) ? -1 : open_parent(t);
	out->fsid = id_of(t->fd, parent, &fs);
	return 0;
}

int br_target_look(struct br_target *t) {
	struct look out = {0};
	int none;
	int err = t->remote ? br_guard(look, t, &out, sizeof(out), NULL) : look(t, &out, &none);
	if (err != 0) {
		errno = err;
		return -1;
	}
	t->root = out.root;
	t->fsid = out.fsid;
	t->copies_up = out.copies_up;
	return 0;
}

uint64_t br_target_disk(const struct br_target *t, uint64_t dev) {
	for (size_t i = 0; i < t->disks.n; i++) {
		if (t->disks.v[i].dev == dev) {
			return t->disks.v[i].id;
		}
	}
	return 0;
}
