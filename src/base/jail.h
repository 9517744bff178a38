/**
 * A process that changes inodes below a few held roots, and can reach nothing else: no path leads
 * anywhere, mount points are gone, and of root's rights those are left that its work needs.
 *
 * A root is held as a mount of its own, a clone that is attached nowhere: what is mounted on it or
 * above it, now or later, does not appear in it, `..` of its root is the root itself, and links in
 * it are never followed. Everything else, whatever way might be found to it, is read-only. Not with
 * other threads running: what is given up here, each thread would have to give up.
 */
#ifndef BR_BASE_JAIL_H
#define BR_BASE_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A mount of what fd (O_PATH will do) refers to and of what is below it, with the mounts that are
 * in it where `below`: without links, devices, setuid, execution and access times. An O_PATH
 * descriptor of its root; -1 with errno, EPERM or ENOSYS where this process or this kernel cannot.
 * Where mount points are left out, what they cover shows.
 */
int br_jail_mount(int fd, bool below);

/**
 * Close the door: all descriptors are closed but those of `keep` (any order) and, as /dev/null, the
 * standard ones; the mounts become those of this process alone and read-only; its root becomes a
 * directory in which nothing but its own descriptors is. br_sys_prepare is done here. 0; -1 with
 * errno and *what, one clause: then some of it may have been done, but every descriptor of the
 * caller's is still open, and what is declared in sys.h goes on to work.
 */
int br_jail_enter(const int *keep, size_t n, const char **what);

/**
 * Close all descriptors from 3 on but these, which are sorted here; safe after a fork. 0 or -1.
 */
int br_jail_close_others(int *keep, size_t n);

/**
 * Keep these capabilities (bit 1 << CAP_…) of those that this process has, and never get another:
 * bounding and ambient sets are emptied, securebits locked, new privileges refused, and no system
 * calls are left but those of br_filter_changing (not in builds with sanitizers, which need
 * others). Those that are in `resting` too are in force between br_jail_wake and br_jail_rest only.
 * 0 or -1 with errno.
 */
int br_jail_drop(uint64_t keep, uint64_t resting);

/**
 * What rests since br_jail_drop is in force from here on, in this thread; it rests again; it is
 * gone for good (not with other threads running, which would keep it). Each 0, or -1 with errno: all
 * is as before. In a process that has dropped nothing, or has nothing that rests, there is nothing
 * to do.
 */
int br_jail_wake(void);
int br_jail_rest(void);
int br_jail_forgo(void);

/**
 * From now on this process, and whoever it starts, can look and change nothing: these capabilities
 * at most, for good, as by br_jail_drop; no file is opened to be written, made or removed
 * (Landlock, where the kernel has it), and no system call that changes anything else is left
 * (br_filter_looking). What is open for writing stays so. br_sys_prepare is done here. Not with
 * other threads running. 0; -1 with errno, then some of it may have been done. In builds with
 * sanitizers the capabilities alone.
 */
int br_jail_look(uint64_t keep);

/**
 * Lower the effective capabilities to these, for as long as no more are needed; the answer is what
 * they were. Nothing where that fails: it is a second line of defence.
 */
uint64_t br_jail_lower(uint64_t keep);
void br_jail_raise(uint64_t old);

#endif
