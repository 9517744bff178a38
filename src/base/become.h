/**
 * Become somebody else, for good: in a child that lives for that.
 */
#ifndef BR_BASE_BECOME_H
#define BR_BASE_BECOME_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Who it is to be. */
struct br_guest {
	uid_t uid;
	gid_t gid;
	/** All its supplementary groups, in any order, each once. */
	const gid_t *groups;
	size_t ngroups;
	/** The capabilities that it has, effective and permitted: 1 << CAP_…. It gets no others. */
	uint64_t caps;
};

/**
 * Take on exactly these IDs, groups and capabilities, with no way back, and ask the kernel
 * afterwards whether it is so: what refuses a step, or only says that it did it, makes it fail.
 * Whoever is that already needs no right for it. Nobody can look into the process then
 * (PR_SET_DUMPABLE), and it gains nothing by running a program. Only system calls, as after the
 * fork of a process with threads. 0; -1 with errno: what it has become then is not known.
 */
int br_become(const struct br_guest *guest);

#endif
