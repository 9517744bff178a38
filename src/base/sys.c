#include <base/own.h>
#include <base/sys.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/dqblk_xfs.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/quota.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

// Numbers of calls that the headers of an older distribution lack: the same on all architectures,
// but for those that count with an offset of their own, which do with the fallbacks.
#if defined(__alpha__) || defined(__mips__)
#define NUMBER(n) (-1)
#else
#define NUMBER(n) (n)
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd NUMBER(443)
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 NUMBER(452)
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat NUMBER(463)
#endif
#ifndef SYS_getxattrat
#define SYS_getxattrat NUMBER(464)
#endif
#ifndef SYS_listxattrat
#define SYS_listxattrat NUMBER(465)
#endif
#ifndef SYS_removexattrat
#define SYS_removexattrat NUMBER(466)
#endif
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif

enum {
	// The kernel's default for what a process may be allowed (fs.nr_open).
	DESCRIPTORS_MAX = 1 << 20,
	NO_PROC = -1,
	PROC_ROOT_INO = 1
};

// struct xattr_args of linux/xattr.h, which older headers lack.
struct value_args {
	uint64_t value;
	uint32_t size;
	uint32_t flags;
};

// Calls that this kernel lacks, or that a test took away.
static atomic_uint lacking;
// The private procfs, or the verified /proc; kept for the life of the process.
static atomic_int kept_proc = NO_PROC;
// Its directory self/fd, in which a descriptor is one component instead of three. A child of fork()
// forgets it: it would find its parent's there.
static atomic_int kept_fds = NO_PROC;
static pthread_once_t watch_forks = PTHREAD_ONCE_INIT;
static int watch_error;
// Whether the path /proc leads to a verified procfs: 0 not looked at yet.
static atomic_bool path_verified;
// The root of this process is that directory: see br_sys_lock_in().
static atomic_bool locked_in;
// The last descriptor that this thread read an attribute of was an O_PATH one: the next one will
// be, too.
static _Thread_local bool paths_only;

static bool has(unsigned call) {
	return !(atomic_load(&lacking) & call);
}

// Whether the older way is to be tried. A call that answered ENOSYS is not tried again. EPERM may
// be a filter's, of one who did not know the call (older engines, service managers); where it is
// the file's, the older way says the same.
static bool absent(unsigned call) {
	if (errno == ENOSYS) {
		(void)atomic_fetch_or(&lacking, call);
	}
	return errno == ENOSYS || errno == EPERM;
}

void br_sys_refuse(unsigned calls) {
	atomic_store(&lacking, calls);
	int old = atomic_exchange(&kept_proc, NO_PROC);
	int old_fds = atomic_exchange(&kept_fds, NO_PROC);
	atomic_store(&path_verified, false);
	br_closep(&old);
	br_closep(&old_fds);
}

// A mount of this type that nobody else sees; `subset`: a word for its option of that name, or NULL.
static int mount_privately(const char *type, const char *subset) {
	if (!has(BR_SYS_FSMOUNT)) {
		errno = ENOSYS;
		return -1;
	}
	br_auto(br_closep) int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	if (fs < 0) {
		return -1;
	}
	if (subset) {
		(void)syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "subset", subset, 0);
	}
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) {
		return -1;
	}
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

// Nothing but the processes is needed; kernels before 5.8 do not know the word.
static int open_private_proc(void) {
	return mount_privately("proc", "pid");
}

int br_sys_mount_securityfs(void) {
	return mount_privately("securityfs", NULL);
}

// /proc, if it is a procfs and its root, and not a directory inside one that somebody bound there.
static int open_shared_proc(void) {
	br_auto(br_closep) int fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return -1;
	}
	struct statfs fs;
	struct stat st;
	if (fstatfs(fd, &fs) || fstat(fd, &st)) {
		return -1;
	}
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INO) {
		errno = ENOENT;
		return -1;
	}
	return br_steal_fd(&fd);
}

static int proc(void) {
	int fd = atomic_load(&kept_proc);
	if (fd >= 0) {
		return fd;
	}
	br_auto(br_closep) int opened = open_private_proc();
	if (opened < 0) {
		opened = open_shared_proc();
	}
	if (opened < 0) {
		return -1;
	}
	int none = NO_PROC;
	if (!atomic_compare_exchange_strong(&kept_proc, &none, opened)) {
		return none;
	}
	return br_steal_fd(&opened);
}

// What a parent kept stays open in its child: it may have been closed there, and the number reused.
static void forget_fds(void) {
	atomic_store(&kept_fds, NO_PROC);
}

static void start_watch(void) {
	watch_error = pthread_atfork(NULL, NULL, forget_fds);
}

// The directory in which a descriptor is found by its number.
static int proc_fds(void) {
	int fd = atomic_load(&kept_fds);
	if (fd >= 0) {
		return fd;
	}
	if (pthread_once(&watch_forks, start_watch) || watch_error) {
		errno = ENOMEM;
		return -1;
	}
	int procfd = proc();
	br_auto(br_closep) int opened =
		procfd < 0 ? -1 : openat(procfd, "self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (opened < 0) {
		return -1;
	}
	int none = NO_PROC;
	if (!atomic_compare_exchange_strong(&kept_fds, &none, opened)) {
		return none;
	}
	return br_steal_fd(&opened);
}

int br_sys_prepare(void) {
	return proc_fds() < 0 ? -1 : 0;
}

int br_sys_descriptors(void) {
	return proc_fds();
}

int br_sys_lock_in(void) {
	int fds = proc_fds();
	if (fds < 0 || fchdir(fds) || chroot(".")) {
		return -1;
	}
	atomic_store(&locked_in, true);
	int old = atomic_exchange(&kept_proc, NO_PROC);
	br_closep(&old);
	return 0;
}

// "N" below that directory; 16 bytes hold it.
static const char *below_fds(int fd, char out[16]) {
	char *end = out + 15;
	*end = '\0';
	unsigned n = (unsigned)fd;
	do {
		*--end = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	return end;
}

int br_sys_reopen(int fd, int flags) {
	// What is asked for is the link that leads to the object: openat2 as everywhere, for those
	// who may make no other call.
	struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC};
	char path[16];
	int fds = proc_fds();
	return fds < 0 ? -1
		       : (int)syscall(SYS_openat2, fds, below_fds(fd, path), &how, sizeof(how));
}

static int verify_proc_path(void) {
	if (atomic_load(&path_verified)) {
		return 0;
	}
	br_auto(br_closep) int shared = open_shared_proc();
	if (shared < 0) {
		return -1;
	}
	atomic_store(&path_verified, true);
	return 0;
}

// "/proc/self/fd/N/name", for calls that know no directory descriptors.
static int absolute(int fd, const char *name, char out[PATH_MAX]) {
	int n;
	if (*name && (fd == AT_FDCWD || *name == '/')) {
		n = snprintf(out, PATH_MAX, "%s", name);
	} else if (atomic_load(&locked_in)) {
		n = snprintf(out, PATH_MAX, "/%d%s%s", fd, *name ? "/" : "", name);
	} else if (verify_proc_path()) {
		return -1;
	} else {
		n = snprintf(out, PATH_MAX, "/proc/self/fd/%d%s%s", fd, *name ? "/" : "", name);
	}
	if (n < 0 || n >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

// Without close_range: one by one, up to the most that there may be.
static int close_each(int first, bool on_exec) {
	struct rlimit most;
	if (getrlimit(RLIMIT_NOFILE, &most)) {
		return -1;
	}
	rlim_t end = most.rlim_max < DESCRIPTORS_MAX ? most.rlim_max : DESCRIPTORS_MAX;
	for (int fd = first; fd >= 0 && (rlim_t)fd < end; fd++) {
		// Most of them are not open.
		if (on_exec) {
			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		} else {
			(void)close(fd);
		}
	}
	return 0;
}

int br_sys_close_from(int first, bool on_exec) {
	if (has(BR_SYS_CLOSE_RANGE)) {
		unsigned flags = on_exec ? CLOSE_RANGE_CLOEXEC : 0;
		long got = syscall(SYS_close_range, (unsigned)first, ~0U, flags);
		// 5.9 and 5.10 know the call, but not the flag.
		if (got == 0 || !(absent(BR_SYS_CLOSE_RANGE) || errno == EINVAL)) {
			return (int)got;
		}
	}
	return close_each(first, on_exec);
}

int br_sys_statx(int dirfd, const char *name, struct statx *out) {
	unsigned mask = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID;
	if (has(BR_SYS_MNT_ID_UNIQUE)) {
		mask |= STATX_MNT_ID_UNIQUE;
	}
	return statx(dirfd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, mask, out);
}

int br_sys_chmod(int fd, mode_t mode) {
	if (has(BR_SYS_FCHMODAT2)) {
		long got = syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH);
		if (got == 0 || !absent(BR_SYS_FCHMODAT2)) {
			return (int)got;
		}
	}
	char path[16];
	int fds = proc_fds();
	return fds < 0 ? -1 : fchmodat(fds, below_fds(fd, path), mode, 0);
}

// The object behind fd, through the procfs; for (dirfd, name) the directory itself.
static ssize_t getxattr_new(
	int dirfd, const char *name, const char *attribute, struct value_args *args) {
	if (*name) {
		return syscall(SYS_getxattrat, dirfd, name, AT_SYMLINK_NOFOLLOW, attribute, args,
			sizeof(*args));
	}
	char path[16];
	int fds = proc_fds();
	return fds < 0 ? -1
		       : syscall(SYS_getxattrat, fds, below_fds(dirfd, path), 0, attribute, args,
			       sizeof(*args));
}

ssize_t br_sys_getxattr(
	int dirfd, const char *name, const char *attribute, void *value, size_t size) {
	if (size > UINT32_MAX) {
		size = UINT32_MAX;
	}
	if (*name == '\0' && dirfd == AT_FDCWD) {
		name = ".";
	} else if (*name == '\0' && !(paths_only && has(BR_SYS_XATTRAT))) {
		// The shortest way, which an O_PATH descriptor refuses.
		ssize_t got = fgetxattr(dirfd, attribute, value, size);
		paths_only = got < 0 && errno == EBADF;
		if (!paths_only) {
			return got;
		}
	}
	if (has(BR_SYS_XATTRAT)) {
		struct value_args args = {.value = (uintptr_t)value, .size = (uint32_t)size};
		ssize_t got = getxattr_new(dirfd, name, attribute, &args);
		if (got >= 0 || !absent(BR_SYS_XATTRAT)) {
			return got;
		}
	}
	char path[PATH_MAX];
	if (absolute(dirfd, name, path)) {
		return -1;
	}
	return *name ? lgetxattr(path, attribute, value, size)
		     : getxattr(path, attribute, value, size);
}

ssize_t br_sys_listxattr(int dirfd, const char *name, char *out, size_t size) {
	if (!has(BR_SYS_XATTRAT)) {
		errno = ENOSYS;
		return -1;
	}
	if (*name == '\0' && dirfd == AT_FDCWD) {
		name = ".";
	}
	if (*name) {
		return syscall(SYS_listxattrat, dirfd, name, AT_SYMLINK_NOFOLLOW, out, size);
	}
	char path[16];
	int fds = proc_fds();
	return fds < 0 ? -1 : syscall(SYS_listxattrat, fds, below_fds(dirfd, path), 0, out, size);
}

int br_sys_setxattr(int fd, const char *attribute, const void *value, size_t size) {
	if (has(BR_SYS_XATTRAT)) {
		struct value_args args = {.value = (uintptr_t)value, .size = (uint32_t)size};
		char path[16];
		int fds = proc_fds();
		if (fds < 0) {
			return -1;
		}
		long got = syscall(SYS_setxattrat, fds, below_fds(fd, path), 0, attribute, &args,
			sizeof(args));
		if (got == 0 || !absent(BR_SYS_XATTRAT)) {
			return (int)got;
		}
	}
	char path[PATH_MAX];
	return absolute(fd, "", path) ? -1 : setxattr(path, attribute, value, size, 0);
}

int br_sys_removexattr(int fd, const char *attribute) {
	if (has(BR_SYS_XATTRAT)) {
		char path[16];
		int fds = proc_fds();
		if (fds < 0) {
			return -1;
		}
		long got = syscall(SYS_removexattrat, fds, below_fds(fd, path), 0, attribute);
		if (got == 0 || !absent(BR_SYS_XATTRAT)) {
			return (int)got;
		}
	}
	char path[PATH_MAX];
	return absolute(fd, "", path) ? -1 : removexattr(path, attribute);
}

// ENOSYS is also the answer of a file system without quotas: it is no reason not to ask the next one.
static int ask_quota(int fd, unsigned command, uint32_t id, void *out) {
	if (!has(BR_SYS_QUOTACTL_FD)) {
		errno = ENOSYS;
		return -1;
	}
	return (int)syscall(SYS_quotactl_fd, fd, command, id, out);
}

// Usage can be kept for accounting alone, as ext4 with the feature "quota" does where it is mounted
// without an option.
static int is_enforced(int fd, unsigned type) {
	struct fs_quota_stat state;
	if (ask_quota(fd, QCMD((unsigned)Q_XGETQSTAT, type), 0, &state)) {
		return -1;
	}
	unsigned flag = type == GRPQUOTA ? FS_QUOTA_GDQ_ENFD : FS_QUOTA_UDQ_ENFD;
	return (state.qs_flags & flag) != 0;
}

// Limits of space come in blocks of 1 KiB, whatever the file system's are.
static uint64_t limit_bytes(uint64_t blocks) {
	return blocks > UINT64_MAX >> QIF_DQBLKSIZE_BITS ? UINT64_MAX
							 : blocks << QIF_DQBLKSIZE_BITS;
}

int br_sys_quota(int fd, bool group, uint32_t id, struct br_quota *out) {
	unsigned type = group ? GRPQUOTA : USRQUOTA;
	struct if_dqblk block = {0};
	int enforced = is_enforced(fd, type);
	if (enforced <= 0) {
		errno = enforced == 0 ? ESRCH : errno;
		return -1;
	}
	if (ask_quota(fd, QCMD((unsigned)Q_GETQUOTA, type), id, &block)) {
		return -1;
	}
	*out = (struct br_quota){
		.space = block.dqb_curspace,
		.space_soft = limit_bytes(block.dqb_bsoftlimit),
		.space_hard = limit_bytes(block.dqb_bhardlimit),
		.space_until = block.dqb_btime,
		.inodes = block.dqb_curinodes,
		.inodes_soft = block.dqb_isoftlimit,
		.inodes_hard = block.dqb_ihardlimit,
		.inodes_until = block.dqb_itime,
	};
	return 0;
}
