/**
 * Lists of system calls that a process may still make: the only file that knows libseccomp. A list
 * cannot be taken off again, and whoever is started inherits it.
 */
#ifndef BR_BASE_FILTER_H
#define BR_BASE_FILTER_H

/** Builds with sanitizers make calls, and take memory, of their own: such a process cannot be
 * confined as far. */
enum {
#ifdef BR_SANITIZED
	BR_IS_SANITIZED = 1,
#else
	BR_IS_SANITIZED = 0,
#endif
};

/**
 * Only what computing needs: no file, no process. What only somebody who took the process over
 * would try ends it, the rest answers ENOSYS. Needs no_new_privs, or the right to do without. 0, or
 * -1 with ENOTSUP or ENOMEM.
 */
int br_filter_computing(void);
/**
 * Only what reading and changing inodes below held directories needs, and appending to a journal;
 * threads, but no processes; capabilities that it has may be put in force and given up. Paths are
 * opened by openat2, or (O_PATH, without following a link) openat. 0, or -1 with ENOTSUP or ENOMEM.
 */
int br_filter_changing(void);

/**
 * Everything but what changes files by name, their owners, modes, attributes and times, mounts, the
 * system or other processes, or starts a program: that is answered EPERM. What is open for writing
 * can be written to; opening more is br_landlock's to forbid, as openat2's flags cannot be seen. 0,
 * or -1 with ENOTSUP or ENOMEM.
 */
int br_filter_looking(void);

#endif
