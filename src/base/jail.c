#include <base/filter.h>
#include <base/jail.h>
#include <base/landlock.h>
#include <base/own.h>
#include <base/sys.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

// <sys/mount.h> and <linux/mount.h> cannot be had both in older distributions.
enum {
	MOUNT_RECURSIVELY = 0x4000, // MS_REC
	MOUNT_PRIVATE = 1 << 18, // MS_PRIVATE
};

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

/** struct mount_attr, which older headers lack. */
struct attributes {
	uint64_t set, clear, propagation, userns;
};

static int set_attributes(int fd, unsigned flags, const struct attributes *attributes) {
	return (int)syscall(SYS_mount_setattr, fd, fd == AT_FDCWD ? "/" : "", flags, attributes,
		sizeof(*attributes));
}

int br_jail_mount(int fd, bool below) {
	const unsigned deep = below ? AT_RECURSIVE : 0;
	const struct attributes attributes = {
		.set = MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID
			| MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME,
		.clear = MOUNT_ATTR__ATIME,
		.propagation = MOUNT_PRIVATE,
	};
	br_auto(br_closep) int clone = (int)syscall(SYS_open_tree, fd, "",
		(unsigned)AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | deep);
	if (clone < 0 || set_attributes(clone, AT_EMPTY_PATH | deep, &attributes)) {
		return -1;
	}
	return br_steal_fd(&clone);
}

static int compare_numbers(const void *a, const void *b) {
	int x = *(const int *)a;
	int y = *(const int *)b;
	return (x > y) - (x < y);
}

static int close_between(int first, int last) {
	if (first > last) {
		return 0;
	}
	if (last == INT_MAX) {
		return br_sys_close_from(first, false);
	}
	for (int fd = first; fd <= last; fd++) {
		(void)close(fd); // There are few, and most of them are open.
	}
	return 0;
}

int br_jail_close_others(int *keep, size_t n) {
	int next = 3;
	qsort(keep, n, sizeof(*keep), compare_numbers);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < next) {
			continue;
		}
		if (close_between(next, keep[i] - 1)) {
			return -1;
		}
		next = keep[i] + 1;
	}
	return close_between(next, INT_MAX);
}

/** What a shell opened may be a directory. A sanitizer's report is for people to see. */
static int quieten(void) {
	br_auto(br_closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0) {
		return -1;
	}
	return BR_IS_SANITIZED || dup2(null, 2) >= 0 ? 0 : -1;
}

static int leave_mounts(const char **what) {
	const struct attributes read_only = {
		.set = MOUNT_ATTR_RDONLY, .propagation = MOUNT_PRIVATE};
	*what = "no mounts of its own";
	if (unshare(CLONE_NEWNS)) {
		return -1;
	}
	*what = "its mounts do not become read-only";
	return set_attributes(AT_FDCWD, AT_RECURSIVE, &read_only);
}

int br_jail_enter(const int *keep, size_t n, const char **what) {
	int *all = calloc(n + 1, sizeof(*all));
	*what = "no memory";
	if (!all) {
		return -1;
	}
	*what = "no procfs";
	int failed = br_sys_prepare();
	if (!failed) {
		failed = leave_mounts(what);
	}
	if (!failed) {
		*what = "no /dev/null";
		failed = quieten();
	}
	if (!failed) {
		*what = "no other root";
		failed = br_sys_lock_in();
	}
	for (size_t i = 0; !failed && i < n; i++) {
		all[i] = keep[i];
	}
	if (!failed) {
		all[n] = br_sys_descriptors();
		*what = "descriptors cannot be closed";
		failed = br_jail_close_others(all, n + 1);
	}
	int err = errno;
	free(all);
	errno = err;
	return failed ? -1 : 0;
}

// ---- Capabilities, by the bare calls: libcap is identity's ----

struct sets {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static int get_sets(struct sets *sets) {
	*sets = (struct sets){.header.version = _LINUX_CAPABILITY_VERSION_3};
	return (int)syscall(SYS_capget, &sets->header, sets->data);
}

static int put_sets(struct sets *sets) {
	return (int)syscall(SYS_capset, &sets->header, sets->data);
}

static uint64_t effective(const struct sets *sets) {
	return sets->data[0].effective | (uint64_t)sets->data[1].effective << 32;
}

static uint64_t permitted(const struct sets *sets) {
	return sets->data[0].permitted | (uint64_t)sets->data[1].permitted << 32;
}

static void set_effective(struct sets *sets, uint64_t caps) {
	sets->data[0].effective = (uint32_t)caps;
	sets->data[1].effective = (uint32_t)(caps >> 32);
}

/** To be inherited: none. */
static int put_rights(uint64_t has, uint64_t in_force) {
	struct sets sets = {.header.version = _LINUX_CAPABILITY_VERSION_3};
	sets.data[0].permitted = (uint32_t)has;
	sets.data[1].permitted = (uint32_t)(has >> 32);
	set_effective(&sets, in_force);
	return put_sets(&sets);
}

/** What this process was left with, and what of that rests: remembered, as who is in the jail has no
 * business asking what others have. */
static struct { uint64_t has, resting; } left;

/** The kernel refuses what it does not know, and everything to whom may not set capabilities: he
 * has none that matter here. */
static void lock_bits(void) {
	const unsigned long locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP
		| SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED
		| SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0)) {
			break;
		}
	}
	(void)prctl(PR_SET_SECUREBITS, locked, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static int drop_capabilities(uint64_t keep, uint64_t resting) {
	struct sets sets;
	if (get_sets(&sets)) {
		return -1;
	}
	lock_bits();
	const uint64_t has = permitted(&sets) & keep;
	if (put_rights(has, has & ~resting)) {
		return -1;
	}
	left.has = has;
	left.resting = has & resting;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -1 : 0;
}

int br_jail_drop(uint64_t keep, uint64_t resting) {
	if (drop_capabilities(keep, resting)) {
		return -1;
	}
	return BR_IS_SANITIZED ? 0 : br_filter_changing();
}

int br_jail_wake(void) {
	return left.resting ? put_rights(left.has, left.has) : 0;
}

int br_jail_rest(void) {
	return left.resting ? put_rights(left.has, left.has & ~left.resting) : 0;
}

int br_jail_forgo(void) {
	const uint64_t rest = left.has & ~left.resting;
	if (left.resting && put_rights(rest, rest)) {
		return -1;
	}
	left.has = rest;
	left.resting = 0;
	return 0;
}

int br_jail_look(uint64_t keep) {
	// For what is read by its descriptor, and cannot be had any more then.
	if (br_sys_prepare() || drop_capabilities(keep, 0)) {
		return -1;
	}
	return BR_IS_SANITIZED ? 0 : br_landlock(true) || br_filter_looking() ? -1 : 0;
}

uint64_t br_jail_lower(uint64_t keep) {
	struct sets sets;
	if (get_sets(&sets)) {
		return 0;
	}
	uint64_t old = effective(&sets);
	set_effective(&sets, old & keep);
	return put_sets(&sets) ? 0 : old;
}

void br_jail_raise(uint64_t old) {
	struct sets sets;
	if (old && get_sets(&sets) == 0) {
		set_effective(&sets, old);
		(void)put_sets(&sets); // What is permitted can be had again.
	}
}
