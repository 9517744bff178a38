/**
 * Opening what the user names, or what a file of a project names, without lending root's eyes to
 * others: what is read may be shown in a message, so as root a symbolic link leads only to what its
 * owner may read himself. Reports by errno.
 */
#ifndef BR_BASE_INPUT_H
#define BR_BASE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	/** The errno of a link that is not followed; no kernel gives it. br_input_why has the
	 * words. */
	BR_EFOREIGN = 4095,
	/** The errno of a file that root does not read because who named it may not:
	 * base/authors.h. */
	BR_EAUTHOR = 4094,
};

/**
 * Open a regular file or a directory (EINVAL otherwise, and nothing was opened) with these flags of
 * open(2) for reading; O_CLOEXEC, O_NOCTTY and O_NONBLOCK are added. With O_NOFOLLOW a link at the
 * end is ELOOP, as for open(2).
 *
 * Where the effective user is root, every link on the way must be root's or `trusted`'s (who asked
 * root, SUDO_UID), or its owner must be able to open, from there, what the way leads to; else -1
 * with BR_EFOREIGN. Links are walked one by one, by descriptors, so nobody can change them
 * meanwhile. The owner's rights are tried in a child: not while SIGCHLD is ignored. ESTALE where
 * what it leads to was replaced meanwhile; otherwise errors are open's.
 */
int br_open_input(const char *path, int flags, uid_t trusted);

/** br_read_file's contract (EISDIR for a directory), of a file that br_open_input opens. */
char *br_read_input(const char *path, uid_t trusted, size_t max, size_t *len);

/**
 * As br_open_input(), what this user opens: as root only what he may open himself by the same path,
 * or -1 with BR_EFOREIGN. For what lies in somebody's home directory.
 */
int br_open_as(const char *path, int flags, uid_t uid);
/** The same for a file's bytes, with br_read_input's contract. */
char *br_read_as(const char *path, uid_t uid, size_t max, size_t *len);

/** Whether this user comes by this path to what root has open there, and may open it. */
bool br_user_may_open(const char *path, int flags, uid_t uid, int fd);

/** strerror, untranslated, which also knows BR_EFOREIGN and BR_EAUTHOR; no system call. */
const char *br_input_why(int error);
/** What to do about it, or NULL. */
const char *br_input_hint(int error);

#endif
