// Processes that take somebody's credentials on: the kernel is asked through them.
#ifndef TESTS_SUPPORT_PRETEND_H
#define TESTS_SUPPORT_PRETEND_H

#include <bindright/idmap.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct map_pair {
	struct br_idmap uids;
	struct br_idmap gids;
};

enum {
	GROUPS = 3,
};

// Credentials in the worker's own numbers.
struct who {
	uint32_t uid, gid;
	uint32_t groups[GROUPS];
	uint32_t ngroups;
	uint64_t caps;
	// Taken on by setresuid, or by setfsuid alone.
	bool whole;
};

// What this thread may have in effect.
uint64_t permitted_now(void);

// Back to root with everything, then on to who (NULL: stay root); -1 where that is not what came out.
int become(const struct who *who, uint64_t all);

// A child in a user namespace with these maps (none: the initial one), which waits at *to. As its
// root.
pid_t fork_into(const struct map_pair *maps, int *to);

// A descriptor of a user namespace with these maps, -1 where there can be none.
int namespace_of(const struct map_pair *maps);

// The same directory through a mount of its own with other attributes (and the ID map of this
// namespace, -1: none); -1 where that cannot be.
int view_of(int dirfd, uint64_t attributes, int userns);

#endif
