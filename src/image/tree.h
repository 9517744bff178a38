/**
 * What a Dockerfile leaves in the image's file system: directories that its commands make, whose
 * they are, and whether anything is put into them.
 *
 * Only what is sure is remembered as known. What could have changed a directory without our seeing
 * it (a script, a chown of words that are not known) makes it unknown, and nobody says anything of
 * it then. IDs are the container's.
 */
#ifndef BR_IMAGE_TREE_H
#define BR_IMAGE_TREE_H

#include <base/mem.h>
#include <bindright/image.h>

enum {
	/** More directories are not remembered. */
	TREE_NODES = 2000,
};

struct image_finder;

struct tree {
	struct br_arena *arena;
	/** Who counts the steps (see df_spend); may be NULL. */
	struct image_finder *finder;
	/** What the base image has is known: there is nothing but the nodes. */
	bool complete;
	/** A package manager has run: directories of the system may be new, and somebody's. */
	bool packaged;
	br_vec(struct br_image_node) nodes;
};

/** Whose new files and directories are. */
struct tree_owner {
	bool known;
	uint32_t uid, gid;
};

/** Something that happens at `at`, by whom and where. */
struct tree_step {
	struct tree_owner owner;
	/** The working directory; NULL: not known. */
	const char *cwd;
	/** It happens for sure. */
	bool sure;
	struct br_span at;
};

/** What such base images have, where `reference` is one that is known; `names_libraries` of no use
 * otherwise. 0, or -1 with ENOMEM, as all below. */
int tree_seed(struct tree *tree, const char *reference);
/** The nodes of a base image that was read. */
int tree_take(struct tree *tree, const struct br_image *image);
/** A tree of its own with the same nodes. */
int tree_copy(struct tree *to, const struct tree *from);

/** The path without ".", ".." and links that are known, from the root; NULL: not known, or without
 * memory (errno). */
char *tree_path(struct tree *tree, const char *cwd, const char *path);
struct br_image_node *tree_find(struct tree *tree, const char *path);

/** A directory that is made where there is none; `only_new`: it fails where there is one (mkdir
 * without -p). `parents`: those above it, too. */
struct tree_make {
	uint32_t mode;
	bool only_new;
	bool parents;
	/** Nothing is put into it. */
	bool empty;
};
int tree_make(struct tree *tree, const struct tree_step *step, const char *path,
	const struct tree_make *make);
/** Something is put into it, or it is used: it is not empty any more. */
void tree_fill(struct tree *tree, const char *path);
/** chown, chmod; `below`: -R. `path` NULL: it is not known which. */
int tree_chown(struct tree *tree, const struct tree_step *step, const char *path, bool below);
int tree_chmod(struct tree *tree, const struct tree_step *step, const char *path, bool below,
	const uint32_t *mode);
void tree_remove(struct tree *tree, const struct tree_step *step, const char *path);
/** Something happened that may have changed anything. */
void tree_lose(struct tree *tree);

/** Whether this command only makes or changes directories; it was done then. 1, 0, -1. `owner_of`
 * looks "app:app" up. */
struct tree_command {
	const char *const *words;
	size_t n;
	bool (*owner_of)(void *context, const char *word, struct tree_owner *out);
	void *context;
};
int tree_command(
	struct tree *tree, const struct tree_step *step, const struct tree_command *command);

#endif
