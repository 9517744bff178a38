/**
 * The mount table, and what its lines say about file systems.
 */
#ifndef BR_SOURCE_MOUNTS_H
#define BR_SOURCE_MOUNTS_H

#include <bindright/source.h>

struct br_arena;

/** One line of mountinfo. */
struct br_mount_line {
	/** The reusable ID, as statx gives with STATX_MNT_ID. */
	int id;
	const char *type;
	const char *mount_point;
	/** The file system, as "MAJOR:MINOR", and which of its directories is mounted. */
	const char *device;
	const char *root;
	/** The mount's own options, and the file system's. */
	const char *vfs_options;
	const char *fs_options;
};

/** The line with this ID; NULL where there is none (no table at all, a younger mount, one that
 * cannot be seen from the root). */
const struct br_mount_line *br_mounts_find(const struct br_mounts *mounts, uint64_t id);
/** Whether calls to a file system of this type may wait for somebody else's program or machine. */
bool br_fs_is_remote(const char *type);
/** What a line says; strings are copied. 0, or -1 with ENOMEM. */
int br_fs_of_line(struct br_arena *arena, const struct br_mount_line *line, struct br_fs *out);
/** The same of a local file system that has no line, by its magic number. 0, or -1 with ENOMEM. */
int br_fs_of_fd(struct br_arena *arena, int fd, struct br_fs *out);

#endif
