/**
 * Landlock: rights on files that this process, and whoever it starts, gives up for good.
 */
#ifndef BR_BASE_LANDLOCK_H
#define BR_BASE_LANDLOCK_H

#include <stdbool.h>

/**
 * Give up everything that this kernel can forbid: files, TCP, signals to and abstract sockets of
 * others; with `reading` all but opening files and directories for reading. What is open stays as
 * it is. Needs no_new_privs, or CAP_SYS_ADMIN. It does not govern owners, modes and attributes. 0,
 * also where the kernel has no Landlock; -1 with errno.
 */
int br_landlock(bool reading);

#endif
