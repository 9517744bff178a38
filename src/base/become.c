#include <base/become.h>

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// The bare calls all through: those of glibc change all threads, of which the child of a fork has
// one, and libcap is identity's.

static bool is_among(gid_t gid, const gid_t *groups, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (groups[i] == gid) {
			return true;
		}
	}
	return false;
}

/** Whether these are its supplementary groups and no others; its own group may be among them or
 * not. */
static bool has_groups(const struct br_guest *guest) {
	gid_t have[NGROUPS_MAX];
	long n = syscall(SYS_getgroups, NGROUPS_MAX, have);
	bool same = n >= 0;
	for (long i = 0; same && i < n; i++) {
		same = have[i] == guest->gid || is_among(have[i], guest->groups, guest->ngroups);
	}
	for (size_t i = 0; same && i < guest->ngroups; i++) {
		same = guest->groups[i] == guest->gid
			|| is_among(guest->groups[i], have, (size_t)n);
	}
	return same;
}

static bool has_ids(const struct br_guest *guest) {
	uid_t u[3];
	gid_t g[3];
	if (syscall(SYS_getresuid, &u[0], &u[1], &u[2])
		|| syscall(SYS_getresgid, &g[0], &g[1], &g[2])) {
		return false;
	}
	// Files are judged by the numbers that setfsuid and setfsgid change: an ID that there is
	// not changes nothing, and tells the old one.
	return u[0] == guest->uid && u[1] == guest->uid && u[2] == guest->uid && g[0] == guest->gid
		&& g[1] == guest->gid && g[2] == guest->gid
		&& (uid_t)syscall(SYS_setfsuid, -1) == guest->uid
		&& (gid_t)syscall(SYS_setfsgid, -1) == guest->gid;
}

static int set_caps(uint64_t caps) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].effective = data[i].permitted = (uint32_t)(caps >> (32 * i));
	}
	return (int)syscall(SYS_capset, &header, data);
}

static bool has_caps(uint64_t caps) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	if (syscall(SYS_capget, &header, data)) {
		return false;
	}
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t want = (uint32_t)(caps >> (32 * i));
		if (data[i].effective != want || data[i].permitted != want || data[i].inheritable) {
			return false;
		}
	}
	return true;
}

int br_become(const struct br_guest *guest) {
	const uid_t none = (uid_t)-1;
	int err = 0;
	// To the system calls this is no ID, but the word for changing nothing.
	if (guest->uid == none || guest->gid == none) {
		errno = EINVAL;
		return -1;
	}
	// Groups first: it takes a right that goes with the UID. What fails is seen at the end, by
	// what has become of it.
	if (syscall(SYS_setgroups, (long)guest->ngroups, guest->groups)) {
		err = errno;
	}
	if (syscall(SYS_setresgid, guest->gid, guest->gid, guest->gid)) {
		err = err ? err : errno;
	}
	// Where this fails, the capabilities go with the UID, which is seen.
	(void)prctl(PR_SET_KEEPCAPS, guest->caps != 0, 0, 0, 0);
	if (syscall(SYS_setresuid, guest->uid, guest->uid, guest->uid)) {
		err = err ? err : errno;
	}
	if (set_caps(guest->caps)) {
		err = err ? err : errno;
	}
	if (!has_groups(guest) || !has_ids(guest) || !has_caps(guest->caps)) {
		errno = err ? err : EPERM;
		return -1;
	}
	// A change of IDs may have made it what /proc/sys/fs/suid_dumpable says.
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -1
											    : 0;
}
