/**
 * What an engine makes of a mount, where engines and their versions differ. One table; every row
 * was measured, or says from what it is known.
 */
#ifndef BINDRIGHT_HABITS_H
#define BINDRIGHT_HABITS_H

#include <bindright/engine.h>
#include <bindright/spec.h>

/** The habits of one engine from one version on. */
struct br_habits {
	enum br_engine engine;
	/** From which version on, major * 100 + minor (26.1 is 2601); 0: always. */
	unsigned since;
	/** `:ro` reaches the mounts below the source too (a recursive MOUNT_ATTR_RDONLY). */
	bool read_only_recursive;
	/** A bind-backed local volume whose directory is empty gets owner, mode and files of the
	 * image's directory at the target on its first use. */
	bool fills_empty;
	/** `nocopy` keeps it from that; where not, from the files only: owner and mode change all
	 * the same. */
	bool nocopy_spares;
	/** Owner and mode change on the first use of a directory with files in it, too. */
	bool adopts_full;
	/** Where the image has nothing at the target, the directory becomes the container's user's.
	 */
	bool adopts_for_user;
	/** `:O` fails in a user namespace whose root is not the host's. */
	bool overlay_needs_root;
	/** Its crun shows nothing of what is mounted below a source to a container in a user
	 * namespace that it makes (open_tree() without AT_RECURSIVE). */
	bool crun_hides_submounts;
	/** A bare `idmap` fails where the container has no user namespace of its own to take the
	 * map from: its runtime is an old crun. */
	bool idmap_needs_space;
};

/** The habits of that version (major * 100 + minor); 0: of the newest that is known. Never NULL. */
const struct br_habits *br_habits(enum br_engine engine, unsigned version);

/** What the container makes of the mounts that lie below a source. */
enum br_submounts {
	/** They are there as the mount itself is: read-only where that is. */
	BR_SUBMOUNTS_SAME,
	/** They are there, and writable although the mount is read-only. */
	BR_SUBMOUNTS_WRITABLE,
	/** They are not there: what they cover is. */
	BR_SUBMOUNTS_HIDDEN,
};

/** By the mount's words (`bind.recursive`) and the engine's habits. */
enum br_submounts br_habits_submounts(const struct br_habits *habits, const struct br_mount *mount);

#endif
