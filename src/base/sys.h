/**
 * System calls that are newer than the oldest kernel that counts (Debian 12's 6.1), each with its
 * fallback beside it.
 *
 * All of them act on the object behind a descriptor, O_PATH ones included, or on (dirfd, name)
 * without following a final link. Older kernels reach such an object only through /proc/self/fd; a
 * procfs that nobody can have covered or replaced is opened for that on first use and stays open.
 * Errors are errno.
 */
#ifndef BR_BASE_SYS_H
#define BR_BASE_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/** The newer calls. */
enum {
	/** fchmodat2, Linux 6.6. */
	BR_SYS_FCHMODAT2 = 1 << 0,
	/** getxattrat, listxattrat, setxattrat, removexattrat, Linux 6.13. */
	BR_SYS_XATTRAT = 1 << 1,
	/** fsopen, fsconfig, fsmount, Linux 5.2; also refused to those who may not mount. */
	BR_SYS_FSMOUNT = 1 << 2,
	/** STATX_MNT_ID_UNIQUE, Linux 6.8. */
	BR_SYS_MNT_ID_UNIQUE = 1 << 3,
	/** close_range, Linux 5.9 (with CLOSE_RANGE_CLOEXEC 5.11). */
	BR_SYS_CLOSE_RANGE = 1 << 4,
	/** quotactl_fd, Linux 5.14. */
	BR_SYS_QUOTACTL_FD = 1 << 5,
	BR_SYS_ALL = (1 << 6) - 1,
};

/**
 * For tests: these calls answer ENOSYS from now on, as on an older kernel; 0 gives all back. A
 * procfs that is open is forgotten.
 */
void br_sys_refuse(unsigned calls);

/** Close all descriptors from this one on, or only mark them to be closed on exec. Safe after a
 * fork. 0 or -1. */
int br_sys_close_from(int first, bool on_exec);

/**
 * Open the procfs now instead of on first use: for a caller that is about to give up the rights or
 * the view that it takes. 0 or -1.
 */
int br_sys_prepare(void);
/**
 * The directory, open since br_sys_prepare, in which this process's descriptors are and nothing
 * else; -1.
 */
int br_sys_descriptors(void);
/**
 * Make that directory this process's root and working directory: no path leads anywhere but through
 * a descriptor. The procfs itself is closed. 0; -1, then the root is as before.
 */
int br_sys_lock_in(void);

/** The root of a securityfs that is mounted for this descriptor alone; -1 where that may not or
 * cannot be. The caller closes it. */
int br_sys_mount_securityfs(void);

/** Open what is behind a descriptor (an O_PATH one too) once more, with these flags and O_CLOEXEC.
 * A descriptor, or -1. */
int br_sys_reopen(int fd, int flags);

/**
 * statx with basic facts, birth time and mount ID (the unique one where there is one), without
 * following a final link and without mounting anything; name "" is dirfd itself.
 */
int br_sys_statx(int dirfd, const char *name, struct statx *out);

/** Set the mode (07777) of the object behind fd. */
int br_sys_chmod(int fd, mode_t mode);

/** getxattr of (dirfd, name), "" being dirfd itself; as getxattr answers. */
ssize_t br_sys_getxattr(
	int dirfd, const char *name, const char *attribute, void *value, size_t size);
/**
 * listxattr of (dirfd, name), "" being dirfd itself; as listxattr answers. ENOSYS on a kernel
 * without listxattrat: each attribute has to be asked for then.
 */
ssize_t br_sys_listxattr(int dirfd, const char *name, char *out, size_t size);
/** setxattr and removexattr of the object behind fd. */
int br_sys_setxattr(int fd, const char *attribute, const void *value, size_t size);
int br_sys_removexattr(int fd, const char *attribute);

/** What somebody has on a file system, and may have there; a limit of 0 is none. */
struct br_quota {
	/** In bytes. */
	uint64_t space;
	uint64_t space_soft;
	uint64_t space_hard;
	uint64_t inodes;
	uint64_t inodes_soft;
	uint64_t inodes_hard;
	/** From when on (seconds since 1970) the soft limit binds as the hard one does; 0 while it
	 * is not passed. */
	uint64_t space_until;
	uint64_t inodes_until;
};

/**
 * Ask the file system of fd (O_PATH will do) about the quota of a user, or of a group; both numbers
 * as this process's user namespace has them. 0, or -1 with errno: ESRCH where such quotas are not
 * kept or their limits not enforced, ENOENT where nothing is stored about this one yet (XFS),
 * ENOSYS where the file system or the kernel has none at all, EPERM: of others only CAP_SYS_ADMIN
 * of the first user namespace may know.
 */
int br_sys_quota(int fd, bool group, uint32_t id, struct br_quota *out);

#endif
