/**
 * Who must be able to do what below which host path.
 *
 * Mounts of all containers are brought together by the place they really reach, so that everybody
 * who shares a path is judged, and served, at once. A tree is an outermost source; sources that lie
 * inside it, by name or by way of a bind mount, are demands with a path below it.
 */
#ifndef BINDRIGHT_DEMAND_H
#define BINDRIGHT_DEMAND_H

#include <bindright/identity.h>
#include <bindright/inode.h>
#include <bindright/source.h>

/** What one container needs of files and directories. */
struct br_need {
	/** BR_R | BR_W | BR_X of every directory. */
	unsigned dir;
	/** Of every file: these bits, where `as_any` is false. */
	unsigned file;
	/** Of every file whatever any class of it may (r if anybody has r, …), within `file`. */
	bool as_any;
	/** Where it was asked for: by --need, or else by the input (x-bindright); {0} for the
	 * default. */
	struct br_span said;
	bool by_option;
};

/** One container's demand on one tree. */
struct br_demand {
	const struct br_container *container;
	const struct br_mount *mount;
	const struct br_identity *identity;
	const struct br_source *source;
	/** The demand's root below the tree's root: "" for the root itself, else "a/b". */
	const char *below;
	struct br_need need;
	/** The container sees it read-only. */
	bool read_only;
	/** Paths below the tree's root in whose places the container sees other mounts of its own:
	 * they and what lies below them are no matter of this one. */
	const char *const *covered;
	size_t ncovered;
	/** The maps of an ID-mapped mount, as struct br_where has them; empty: none. */
	struct br_idmap mount_uids;
	struct br_idmap mount_gids;
	/** Its number in the tree: bit 1 << index. */
	unsigned index;
};

/** Whether a path is another one or lies below it; both below one root, "" is the root. */
bool br_path_within(const char *path, const char *above);

/** Whether a path below the tree's root is the demand's matter: its root or below it, and not
 * covered. */
bool br_demand_applies(const struct br_demand *demand, const char *path);

/** At most this many demands on one tree. */
enum {
	BR_DEMANDS_MAX = 64,
};

/** An outermost place and all demands on it and below it. */
struct br_tree {
	/** The source that is the root: PRESENT, or MISSING (then all demands have the same missing
	 * path, or lie below it). */
	const struct br_source *root;
	/** How people know it: the root's real path, with the missing part. */
	const char *path;
	const struct br_demand *demands;
	size_t n;
};

/** A host path that a container mounts which none of the demands is of: a service that was not
 * asked for, or one that the engine has. */
struct br_other {
	const char *name;
	/** Naming it would make its demands count. */
	bool is_service;
	/** What is there. */
	uint64_t dev;
	uint64_t ino;
};

/** All of a project. Owns the sources (their descriptors too). */
struct br_demands {
	struct br_arena *arena;
	/** One a mount that reaches the host, in the order of the spec. */
	struct br_source *sources;
	size_t nsources;
	/** Trees whose sources can be judged: present or missing. */
	const struct br_tree *trees;
	size_t ntrees;
	/** All mounts that reach the host, in the order of the spec: what became of each. */
	struct br_mount_source {
		const struct br_container *container;
		const struct br_mount *mount;
		const struct br_identity *identity;
		const struct br_source *source;
		/** NULL where the source cannot be judged or the identity is unknown or unmapped. */
		const struct br_demand *demand;
		const struct br_tree *tree;
	} * mounts;
	size_t nmounts;
	/** What others mount and no mount of these reaches itself, where br_demand_options ask for
	 * it; only what is there. */
	const struct br_other *others;
	size_t nothers;
};

/** --need TARGET=r|rw|rx|rwx: what a container needs below a container path. */
struct br_need_option {
	struct br_text target;
	unsigned bits;
	/** Set by br_demands_make when some mount took it. */
	bool used;
};

struct br_demand_options {
	struct br_need_option *needs;
	size_t nneeds;
	/** See br_source_open. */
	uid_t trusted;
	/** How the engine runs; NULL: Docker as root, without userns-remap. */
	const struct br_engine_mode *mode;
	/** Whether what others mount counts: the spec's own claims and, behind them, these. */
	bool others;
	const struct br_claim *claims;
	size_t nclaims;
};

/**
 * Open every bind source and bring the demands together. Whose demand it is: br_identity_of_data().
 * The default need: read-write mounts rwx of directories, and of a file what any class of it may;
 * read-only ones the same without w. What the mount's wishes say, and before that `--need T=bits`,
 * for mounts at T: files exactly `bits`; directories the same plus x if r or w is asked, and w
 * where w is asked. A mount inside a source counts as its own (same device, inode and mount). A
 * --need whose target no container mounts is an error. NULL with an error in dx.
 */
struct br_demands *br_demands_make(const struct br_spec *spec, const struct br_identity *identities,
	const struct br_demand_options *options, struct br_diags *dx);
void br_demands_free(struct br_demands *demands);
void br_demands_freep(struct br_demands **demands);

/**
 * The bits that a demand has of this inode: under as_any 0 for symbolic links, and for sockets,
 * FIFOs and devices in a directory (they are not files to be served); one that is the source itself
 * is there to be used: a socket to be written (connect() asks for that, on read-only mounts too),
 * others like files without x. The inode has its ACL unless br_need_needs_acl() is false for it.
 */
unsigned br_need_of(const struct br_demand *demand, const struct br_inode *inode);

/** Whether a source of this name is usually a file (by its ending): if it is missing, a directory
 * in its place would serve nobody. */
bool br_names_file(const char *path);

/** Whether an access ACL, if there is one, could change the need: the group bits are then its mask,
 * which may hold more than any entry. */
bool br_need_needs_acl(const struct br_demand *demand, const struct br_inode *inode);

#endif
