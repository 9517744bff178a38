#include <base/landlock.h>
#include <base/own.h>

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/** linux/landlock.h of Debian 12 knows the first field only. */
struct ruleset {
	uint64_t files, net, scoped;
};

/** LANDLOCK_ACCESS_FS_READ_FILE and LANDLOCK_ACCESS_FS_READ_DIR; LANDLOCK_ACCESS_FS_REMOVE_DIR and
 * LANDLOCK_ACCESS_FS_MAKE_DIR. */
static const uint64_t reads = 1 << 2 | 1 << 3;
static const uint64_t directories = 1 << 4 | 1 << 7;

int br_landlock(unsigned left) {
	// The number of rights by ABI version 1 to 5; each version adds at the end.
	static const unsigned rights[] = {0, 13, 14, 15, 15, 16};
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1U);
	if (abi < 1) {
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;
	}
	struct ruleset rules = {
		.files = ((UINT64_C(1) << rights[abi < 5 ? abi : 5]) - 1)
			& ~((left & BR_LANDLOCK_READ) != 0 ? reads : 0)
			& ~((left & BR_LANDLOCK_DIRECTORIES) != 0 ? directories : 0),
		.net = 3,
		.scoped = 3,
	};
	size_t size = abi < 4 ? offsetof(struct ruleset, net)
		: abi < 6     ? offsetof(struct ruleset, scoped)
			      : sizeof(rules);
	br_auto(br_closep) int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0U);
	return fd < 0 ? -1 : (int)syscall(SYS_landlock_restrict_self, fd, 0U);
}
