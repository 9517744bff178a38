/**
 * Landlock: rights on files that this process, and whoever it starts, gives up for good.
 */
#ifndef BR_BASE_LANDLOCK_H
#define BR_BASE_LANDLOCK_H

/** What is left. */
enum {
	/** Opening files and directories for reading. */
	BR_LANDLOCK_READ = 1,
	/** Making, removing and renaming directories where they are. */
	BR_LANDLOCK_DIRECTORIES = 2,
};

/**
 * Give up everything that this kernel can forbid but what is in `left`: files, TCP, signals to and
 * abstract sockets of others. What is open stays as it is. Needs no_new_privs, or CAP_SYS_ADMIN. It
 * does not govern owners, modes and attributes. 0, also where the kernel has no Landlock; -1 with
 * errno.
 */
int br_landlock(unsigned left);

#endif
