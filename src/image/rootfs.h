/**
 * What a few paths are in the root file system that layers make, without making it: only these
 * paths, and those that links on their way lead to, are remembered.
 *
 * The layers are read as often as links lead to paths that nobody looked for the last time; mostly
 * once. Within a layer the last entry of a name counts, and whiteouts hide what is below the layer
 * only. Directories that a layer does not mention but has something in are that layer's, as engines
 * make them.
 *
 * Of some paths only what stands there is asked, not what is in it: that is remembered of
 * everything on the way, too.
 */
#ifndef BR_IMAGE_ROOTFS_H
#define BR_IMAGE_ROOTFS_H

#include "stream.h"

#include <bindright/image.h>

enum {
	/** The largest file that is kept, and all of them together. */
	ROOTFS_FILE = 1 << 20,
	ROOTFS_KEPT = 32 << 20,
	/** Links on the way to one file, as Linux counts them. */
	ROOTFS_LINKS = 40,
	ROOTFS_PATHS = 512,
	/** No path is asked about any more once so many are looked for. */
	ROOTFS_ASKED = 256,
	ROOTFS_LAYERS = 512,
};

struct rootfs;

/** A file at the end of a path. */
struct rootfs_file {
	/** There is a file; links lead nowhere, or in a circle, as often as not. */
	bool exists;
	const char *bytes;
	size_t n;
};

/** NULL with ENOMEM. */
struct rootfs *rootfs_new(size_t nlayers, struct effort *effort);
void rootfs_freep(struct rootfs **rootfs);

/** What stands at a path; strings live until the next pass. */
struct rootfs_place {
	const char *path;
	enum br_image_type type;
	/** The layers say whose it is and its mode. */
	bool has_owner;
	uint32_t uid, gid, mode;
	/** Where a link leads, else NULL. */
	const char *link;
};

/** Look for this path ("etc/passwd") in the next pass. */
int rootfs_want(struct rootfs *rootfs, const char *path);
/** Look in the next pass what stands at this path and at those on the way. One too many is not
 * looked for; -1 without memory. */
int rootfs_ask(struct rootfs *rootfs, const char *path);
/** Begin a pass over all layers, which may come in any order. */
void rootfs_begin_pass(struct rootfs *rootfs);
/** Begin a layer, also once more. */
void rootfs_begin_layer(struct rootfs *rootfs, size_t layer);
/** The next entry of a layer, whose bytes are in data. */
int rootfs_add(
	struct rootfs *rootfs, size_t layer, const struct tar_entry *entry, struct stream *data);
/** This layer is the same as that one. */
void rootfs_same_layer(struct rootfs *rootfs, size_t layer, size_t as);
/** After the pass: put the layers on one another. */
void rootfs_merge(struct rootfs *rootfs);
/** After that: the file. 1, 0 where another pass has to look at more paths, -1. */
int rootfs_find(struct rootfs *rootfs, const char *path, struct rootfs_file *out);
/** After that: whether all that it looks for was looked for in this pass. */
bool rootfs_is_settled(const struct rootfs *rootfs);
/** After that: the i-th path, NULL where it was not looked for yet; false where there are no more. */
bool rootfs_place(const struct rootfs *rootfs, size_t i, struct rootfs_place *out);

#endif
