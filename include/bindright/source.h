/**
 * What a bind source is: there or not, where it really is, on what file system, and whether the way
 * to it can be trusted.
 *
 * The path is walked once, component by component, each link by hand, down to an O_PATH descriptor
 * that pins the object. Nothing is opened for reading, nothing is triggered (no automount), and a
 * hanging network or FUSE file system is not asked more than its type.
 */
#ifndef BINDRIGHT_SOURCE_H
#define BINDRIGHT_SOURCE_H

#include <bindright/diag.h>

#include <sys/types.h>

struct br_arena;

enum br_source_state {
	BR_SOURCE_PRESENT,
	/** A component does not exist. */
	BR_SOURCE_MISSING,
	/** A link leads nowhere, or round in a circle. */
	BR_SOURCE_DANGLING,
	/** A component that must be a directory is not one. */
	BR_SOURCE_NOT_A_DIRECTORY,
	/** It could not be examined (err says why). */
	BR_SOURCE_UNREACHABLE,
};

/** What a file system can keep. */
enum br_answer {
	BR_NO,
	BR_YES,
	BR_UNSURE,
};

/** Whose group a new inode gets where its directory is not setgid. */
enum br_group_rule {
	/** Its maker's. */
	BR_GROUP_OF_MAKER,
	/** Its directory's: XFS with `grpid`. */
	BR_GROUP_OF_DIRECTORY,
	/** The same, and setgid of a directory is not handed on: ext2, ext3 and ext4 with `grpid`
	 * (bsdgroups). */
	BR_GROUP_OF_DIRECTORY_ALONE,
};

/** The mount and file system under an object. */
struct br_fs {
	/** "ext4", "vfat", "fuse.sshfs", …; "?" where unknown. */
	const char *type;
	/** Where it is mounted. */
	const char *mount_point;
	/** The mount, or the whole file system, is read-only. */
	bool mount_read_only;
	bool super_read_only;
	/** chown and chmod are kept. */
	enum br_answer keeps_owners;
	/** POSIX ACLs are kept. */
	enum br_answer keeps_acls;
	/** An NFSv4 ACL (system.nfs4_acl) decides about the source: only its server knows how. */
	bool nfs4_acl;
	/**
	 * Its server decides who may what, by rules of its own, whatever owners and modes it shows
	 * (NFS, FUSE without default_permissions, an NFSv4 ACL): nobody knows before he asks as
	 * that user (bindright/server.h).
	 */
	bool served;
	/** By its options as /proc/self/mountinfo shows them: a superblock's own default (tune2fs
	 * -o bsdgroups) is not among them. */
	enum br_group_rule new_group;
	/** FUSE, NFS, 9p, autofs: calls can hang or lie about what others may do. */
	bool remote;
	/** FUSE without allow_other: only this UID (user_id=) with this GID (group_id=) gets in,
	 * root neither; BR_NO_ID's value otherwise. */
	uint32_t fuse_only_uid;
	uint32_t fuse_only_gid;
};

struct br_source;
/**
 * Whether a source is the socket of a container engine: by its real path's name, or because it is
 * one that is bound under such a name (/proc/net/unix), whatever hard link or bind mount leads to
 * it.
 */
bool br_source_is_engine_socket(const struct br_source *source);
/** Whether a path ends in such a name. */
bool br_is_engine_socket_name(const char *path);

/** Whether it is such a FUSE file system. */
bool br_fs_is_private(const struct br_fs *fs);

/** A bind source. Owned by the arena, except the descriptors. */
struct br_source {
	/** As the spec names it: absolute. */
	const char *path;
	/** Without links, "." and "..", as far as it exists; PRESENT: the whole path. */
	const char *real;
	enum br_source_state state;
	/** The errno of the step that failed, or 0. */
	int err;
	/** The path up to the component that failed, or NULL. */
	const char *stopped_at;
	/** MISSING: the components below `real` that do not exist, as "a/b". */
	const char *missing;
	/** A link was followed on the way. */
	bool linked;
	/**
	 * A step that somebody else could have prepared (a link, or a directory that others can
	 * write, owned by neither root, the caller nor the owner of the next step): one clause
	 * naming the hop (paths as they are, not escaped), or NULL. `fix` as root refuses such a
	 * source.
	 */
	const char *unsafe;
	/** The real path of the directory in which that hop begins, if from there on it is one name
	 * after the other, without links; NULL otherwise. */
	const char *unsafe_at;
	/**
	 * Such a step is the last one only, to a directory of this UID's. UINT32_MAX otherwise.
	 * Where nobody else can write that directory, he or root put it there, since whoever moves
	 * a directory to another one has to write it (vfs_rename()).
	 */
	uint32_t unsafe_owner;
	/** Then: whose the directory above it is, and whether its mode lets others write it (with
	 * an ACL: perhaps). */
	uint32_t unsafe_from;
	bool unsafe_shared;
	/** O_PATH: the object (PRESENT), else the nearest existing directory (MISSING), else -1.
	 * Close with br_source_release. */
	int fd;
	/** The object's (or that directory's) device, inode number, mount ID and mode. */
	uint64_t dev;
	uint64_t ino;
	uint64_t mount;
	uint32_t mode;
	/** The file system under fd; without one, the file system where the walk stopped. */
	struct br_fs fs;
};

/**
 * Resolve `path`. Always fills *out; 0, or -1 with ENOMEM. `trusted` is a UID, beside root, whose
 * directories and links are accepted (the caller's, or SUDO_UID's).
 */
int br_source_open(struct br_arena *arena, const char *path, uid_t trusted, struct br_source *out);
/** The same for many: `mounts` was read shortly before (NULL: it cannot be read). */
struct br_mounts;
int br_source_open_among(struct br_arena *arena, const struct br_mounts *mounts, const char *path,
	uid_t trusted, struct br_source *out);
void br_source_release(struct br_source *source);
/**
 * The first network or FUSE mount below a PRESENT source, as a path relative to it, that does not
 * answer in time: whoever enters mount points would wait for it for ever. NULL: none.
 */
const char *br_source_silent_mount(struct br_arena *arena, const struct br_source *source);

/** Whether the file system under a PRESENT source, or one that is mounted in it, may stop
 * answering. */
bool br_source_may_hang(const struct br_source *source);

/** The mount table of this process, as it was when it was read. */
struct br_mounts;
/** NULL with errno. */
struct br_mounts *br_mounts_read(void);
void br_mounts_free(struct br_mounts *mounts);
void br_mounts_freep(struct br_mounts **mounts);
/** Whether the mount that fd is on is in it: one that was taken away is not, whoever still has a
 * descriptor there. True where that cannot be told. */
bool br_mounts_holds(const struct br_mounts *mounts, int fd);
/**
 * Which place of which file system a real path leads to: "MAJOR:MINOR/path". Two paths that bind
 * mounts lead to one place give one string, and what lies in a place begins with its string. Tells
 * by names alone, and nothing of what an overlay is made of. NULL with ENOMEM.
 */
const char *br_mounts_place(
	struct br_arena *arena, const struct br_mounts *mounts, const char *real);
/** Mount points strictly below a real path, in order; count. `each` is called with the path
 * relative to it and the file system's type. */
size_t br_mounts_below(const struct br_mounts *mounts, const char *real,
	void (*each)(void *context, const char *below, const char *type), void *context);

#endif
