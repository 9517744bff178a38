/** Paths as a container sees them: its image, and over it what is mounted. */
#ifndef BR_CHECK_INSIDE_H
#define BR_CHECK_INSIDE_H

#include "check_impl.h"

/** One container, looked at from inside. */
struct inside {
	struct check_work *work;
	const struct br_container *container;
	const struct br_identity *identity;
	const struct br_image *image;
	/** The identity in the container's own IDs, which the image's are, too. */
	struct br_cred box;
	/** Where each mount really lands: its target without the image's links. */
	const char **targets;
};

/** What becomes of container i. 0, or -1 where there is no memory (remembered). */
int inside_begin(
	struct inside *in, struct check_work *work, size_t i, const struct br_identity *identity);

/** What becomes of somebody on the way to a path. */
enum way {
	/** It cannot be said, or something is mounted there: not the image's business. */
	WAY_UNKNOWN,
	WAY_FREE,
	WAY_BLOCKED,
};

/** Where a way ends, and why. */
struct obstacle {
	/** The container path of the directory. */
	const char *path;
	/** Of the image, or NULL. */
	const struct br_image_node *node;
	/** Its facts: in host IDs where it is a mount's, in the container's where it is the
	 * image's. */
	struct br_inode inode;
	struct br_verdict verdict;
	/** The outer mount whose directory it is, or NULL. */
	const struct br_mount *mount;
	/** The container's root file system is read-only. */
	bool read_only;
};

/** Whether the container comes to its mount's target: each directory above it can be entered. */
enum way way_to_mount(const struct inside *in, const struct br_mount *mount, struct obstacle *out);

/** Whether it can write a file, or into a directory (making it, where there is none), of the image
 * itself. */
enum way way_to_write(
	const struct inside *in, const char *wanted, bool is_file, struct obstacle *out);

/** The path without "." and ".." and without links that the image is known to have. Never NULL. */
const char *inside_path(const struct inside *in, const char *path);

/** Whether one of the container's mounts lies at the path, above it, or (`below`) below it. */
bool is_mounted(const struct inside *in, const char *path, bool below);

/** A variable of the container's process: compose's, then the image's. NULL: it has none; *unsure:
 * its value is the caller's. */
const char *inside_variable(const struct inside *in, const char *name, size_t n, bool *unsure);

#endif
