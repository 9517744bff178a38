/**
 * One step of a walk: from a directory to what one name in it is.
 */
#ifndef BR_SOURCE_STEP_H
#define BR_SOURCE_STEP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** What a descriptor is. IDs as this process sees them. */
struct br_step {
	/** O_PATH, never through a link. */
	int fd;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint64_t dev;
	uint64_t ino;
	/** The reusable mount ID of mountinfo, and the one that is never used again (or the same,
	 * where the kernel has none). */
	uint64_t mount;
	uint64_t unique_mount;
};

/**
 * Open `name` (a single component) in dirfd; a final link is opened itself. Fills *out from what
 * the kernel has in memory, nobody is asked. 0 or an errno; out->mount is set as soon as the name
 * could be opened, else 0.
 */
int br_step_open(int dirfd, const char *name, struct br_step *out);
/** The same below an automount point: only what is there already. EREMOTE where it would have to be
 * mounted first. */
int br_step_open_mounted(int dirfd, const char *name, struct br_step *out);
/**
 * The same, for file systems that may never answer: guarded (base/guard.h), ETIMEDOUT where it does
 * not. The facts are fresh. name NULL: of dirfd itself, whose number becomes out->fd.
 */
int br_step_open_guarded(int dirfd, const char *name, struct br_step *out);

/** The text of the link behind fd, with a NUL. 0 or an errno, ENAMETOOLONG where it has no room in
 * n bytes. */
int br_step_link(int fd, char *text, size_t n);
/** The same, guarded. */
int br_step_link_guarded(int fd, char text[PATH_MAX]);
/** Which kinds of ACLs the object behind a descriptor may have. */
struct br_step_acls {
	/** The file system keeps no POSIX ACLs. */
	bool no_posix;
	/** It has an NFSv4 ACL. */
	bool nfs4;
};
/** The same, `guarded` where its file system may never answer. 0 or an errno. */
int br_step_acls(int fd, bool guarded, struct br_step_acls *out);
/** Whether the directory at `path` below dirfd can be listed, guarded. 0 or an errno. */
int br_step_list_guarded(int dirfd, const char *path);

#endif
