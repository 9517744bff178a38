#include <base/filter.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

// Newer than the headers of an older distribution; the same on all architectures.
enum {
	CALL_FCHMODAT2 = 452,
	CALL_SETXATTRAT = 463,
	CALL_GETXATTRAT = 464,
	CALL_LISTXATTRAT = 465,
	CALL_REMOVEXATTRAT = 466,
	CALL_FILE_SETATTR = 469,
};

// FS_IOC_GETFSUUID of linux/fs.h (6.9), and XFS_IOC_FSGEOMETRY_V1 of xfs_fs.h, which is not
// installed everywhere: by the sizes of what they fill.
#define GET_UUID _IOC(_IOC_READ, 0x15, 0, 17)
#define GET_XFS_GEOMETRY _IOC(_IOC_READ, 'X', 100, 112)

/** What computing needs, whatever else there is to do. */
static const int common[] = {
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(close),
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(futex),
	SCMP_SYS(fstat),
	SCMP_SYS(getrandom),
	// libc's qsort wants to know how much memory there is.
	SCMP_SYS(sysinfo),
};

/** What only somebody who took the process over would try. */
static const int deadly[] = {
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(creat),
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(socket),
	SCMP_SYS(socketpair),
	SCMP_SYS(connect),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(kill),
	SCMP_SYS(tkill),
	SCMP_SYS(tgkill),
	SCMP_SYS(mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(move_mount),
	SCMP_SYS(fsopen),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(bpf),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(keyctl),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
};

/** And what one that only computes would not try either. */
static const int deadly_to_computing[] = {
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(openat2),
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
};

/** Reading inodes, changing them, writing to what is open, and what threads need. */
static const int changing[] = {
	SCMP_SYS(openat2),
	SCMP_SYS(statx),
	SCMP_SYS(fstatfs),
	SCMP_SYS(getdents64),
	SCMP_SYS(readlinkat),
	SCMP_SYS(name_to_handle_at),
	SCMP_SYS(fgetxattr),
	SCMP_SYS(getxattr),
	SCMP_SYS(lgetxattr),
	CALL_GETXATTRAT,
	CALL_LISTXATTRAT,
	SCMP_SYS(fchownat),
	SCMP_SYS(fchmodat),
	CALL_FCHMODAT2,
	SCMP_SYS(setxattr),
	SCMP_SYS(removexattr),
	CALL_SETXATTRAT,
	CALL_REMOVEXATTRAT,
	SCMP_SYS(mkdirat),
	SCMP_SYS(renameat2),
	SCMP_SYS(unlinkat),
	SCMP_SYS(pwrite64),
	SCMP_SYS(lseek),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(syncfs),
	SCMP_SYS(sync),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getgroups),
	// Of the calling thread alone, and nothing can be gained by it (cap_capset): what is permitted
	// only shrinks, what is in force has to be permitted, and inheritable becomes only what is in
	// the bounding set, which br_jail_drop has emptied. That one would matter to a program that is
	// started, and the ambient set is raised by prctl: neither is left.
	SCMP_SYS(capset),
	SCMP_SYS(getrlimit),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(exit),
};

/** What changes files, the system or other processes, or starts one; writing is a matter of how a
 * file was opened. */
static const int harmful[] = {
	SCMP_SYS(chmod),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat),
	CALL_FCHMODAT2,
	SCMP_SYS(chown),
	SCMP_SYS(lchown),
	SCMP_SYS(fchown),
	SCMP_SYS(fchownat),
	SCMP_SYS(setxattr),
	SCMP_SYS(lsetxattr),
	SCMP_SYS(fsetxattr),
	CALL_SETXATTRAT,
	SCMP_SYS(removexattr),
	SCMP_SYS(lremovexattr),
	SCMP_SYS(fremovexattr),
	CALL_REMOVEXATTRAT,
	CALL_FILE_SETATTR,
	SCMP_SYS(utime),
	SCMP_SYS(utimes),
	SCMP_SYS(futimesat),
	SCMP_SYS(utimensat),
	SCMP_SYS(truncate),
	SCMP_SYS(creat),
	SCMP_SYS(mknod),
	SCMP_SYS(mknodat),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(rmdir),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(link),
	SCMP_SYS(linkat),
	SCMP_SYS(symlink),
	SCMP_SYS(symlinkat),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(socket),
	SCMP_SYS(connect),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(setpriority),
	SCMP_SYS(ioprio_set),
	SCMP_SYS(sched_setparam),
	SCMP_SYS(sched_setscheduler),
	SCMP_SYS(sched_setattr),
	SCMP_SYS(sched_setaffinity),
	SCMP_SYS(migrate_pages),
	SCMP_SYS(move_pages),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(open_tree),
	SCMP_SYS(move_mount),
	SCMP_SYS(fsopen),
	SCMP_SYS(fspick),
	SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(quotactl),
	SCMP_SYS(quotactl_fd),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(acct),
	SCMP_SYS(reboot),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
};

static int add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n) {
	int failed = 0;
	for (size_t i = 0; i < n && !failed; i++) {
		failed = seccomp_rule_add(filter, action, calls[i], 0);
	}
	return failed;
}

static int add_deadly(scmp_filter_ctx filter) {
	return add_all(filter, SCMP_ACT_KILL_PROCESS, deadly, sizeof(deadly) / sizeof(*deadly));
}

/** Memory, but none that can be executed. And fstat as libc spells it: the empty path cannot be
 * told from others here, and what is asked is only looked at. */
static int add_common(scmp_filter_ctx filter) {
	return add_all(filter, SCMP_ACT_ALLOW, common, sizeof(common) / sizeof(*common))
		|| seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
			SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0))
		|| seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
			SCMP_A3_64(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
}

/** Of all that can be asked of a file system by ioctl: who it is. */
static int add_questions(scmp_filter_ctx filter) {
	static const unsigned questions[] = {GET_UUID, GET_XFS_GEOMETRY};
	int failed = 0;
	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions) && !failed; i++) {
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
			SCMP_A1_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, questions[i]));
	}
	return failed;
}

/**
 * Of its own descriptors, and of leases that are its own: whom a descriptor belongs to (F_SETOWN),
 * and that he hears of it (O_ASYNC, F_SETSIG), would be kill() for any process, as a user 0 needs
 * no capability for it (sigio_perm). F_SETSIG says how itself hears of a lease.
 */
static int add_fcntl(scmp_filter_ctx filter) {
	static const int commands[] = {F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETLEASE};
	int failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 2,
		SCMP_A1_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, F_SETSIG),
		SCMP_A2_64(SCMP_CMP_EQ, SIGURG, 0));
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands) && !failed; i++) {
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
			SCMP_A1_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, (unsigned)commands[i]));
	}
	return failed;
}

/** What limits itself has: others of the same user could be ended by theirs, without a capability
 * (check_prlimit_permission). */
static int add_limits(scmp_filter_ctx filter) {
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
		SCMP_A0_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, 0), SCMP_A2_64(SCMP_CMP_EQ, 0, 0));
}

static int add_changing(scmp_filter_ctx filter) {
	const uint64_t harmless = O_PATH | O_NOFOLLOW;
	// Threads, not processes. Without clone3, whose flags lie in memory, libc takes clone.
#ifdef __s390__
	const struct scmp_arg_cmp thread =
		SCMP_A1_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
#else
	const struct scmp_arg_cmp thread =
		SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
#endif
	return add_common(filter) || add_deadly(filter)
		|| add_all(filter, SCMP_ACT_ALLOW, changing, sizeof(changing) / sizeof(*changing))
		|| add_questions(filter) || add_fcntl(filter) || add_limits(filter)
		|| seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, thread)
		|| seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
			SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0))
		|| seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
			SCMP_A2_64(SCMP_CMP_MASKED_EQ, harmless, harmless));
}

/** What no rule is about gets this answer. */
static int load(uint32_t otherwise, int (*add)(scmp_filter_ctx filter)) {
	scmp_filter_ctx filter = seccomp_init(otherwise);
	if (!filter) {
		errno = ENOMEM;
		return -1;
	}
	// A tree instead of a list, where this libseccomp can: no matter if not.
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)
		|| add(filter) || seccomp_load(filter);
	seccomp_release(filter);
	errno = failed ? ENOTSUP : errno;
	return failed ? -1 : 0;
}

static int add_computing(scmp_filter_ctx filter) {
	return add_common(filter) || add_deadly(filter)
		|| add_all(filter, SCMP_ACT_KILL_PROCESS, deadly_to_computing,
			sizeof(deadly_to_computing) / sizeof(*deadly_to_computing));
}

/** Opening to write, by the calls whose flags can be seen here. */
static int add_opening(scmp_filter_ctx filter) {
	static const uint64_t writes[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC};
	int failed = 0;
	for (size_t i = 0; i < sizeof(writes) / sizeof(*writes) && !failed; i++) {
		failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(open), 1,
				 SCMP_A1_64(SCMP_CMP_MASKED_EQ, writes[i], writes[i]))
			|| seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(openat), 1,
				SCMP_A2_64(SCMP_CMP_MASKED_EQ, writes[i], writes[i]));
	}
	return failed;
}

static int add_looking(scmp_filter_ctx filter) {
	static const unsigned sets[] = {FS_IOC_SETFLAGS, FS_IOC32_SETFLAGS, FS_IOC_FSSETXATTR};
	int failed =
		add_all(filter, SCMP_ACT_ERRNO(EPERM), harmful, sizeof(harmful) / sizeof(*harmful))
		|| add_opening(filter)
		|| seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 2,
			SCMP_A0_64(SCMP_CMP_NE, 0, 0), SCMP_A2_64(SCMP_CMP_NE, 0, 0));
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets) && !failed; i++) {
		failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
			SCMP_A1_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, sets[i]));
	}
	return failed;
}

int br_filter_computing(void) {
	// As by a kernel that does not have it.
	return load(SCMP_ACT_ERRNO(ENOSYS), add_computing);
}

int br_filter_changing(void) {
	return load(SCMP_ACT_ERRNO(ENOSYS), add_changing);
}

int br_filter_looking(void) {
	return load(SCMP_ACT_ALLOW, add_looking);
}
