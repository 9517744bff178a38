/**
 * The facts of one inode: read, compared, written, printed.
 *
 * Reading changes nothing, not even a time stamp, and opens nothing but O_PATH descriptors, so no
 * FIFO blocks and no device wakes. Writing goes through a pinned descriptor only and never, not for
 * an instant, allows more than the state before or the state after does. Errors are errno. ACL
 * blobs are coded here; libacl is the tests' oracle.
 */
#ifndef BINDRIGHT_INODE_H
#define BINDRIGHT_INODE_H

#include <bindright/idmap.h>

#include <sys/types.h>

/** Permission bits as the kernel's MAY_READ, MAY_WRITE, MAY_EXEC. */
enum {
	BR_R = 4,
	BR_W = 2,
	BR_X = 1,
};

/**
 * What an ACL entry is about; values of the kernel's ACL_USER_OBJ …
 * (include/uapi/linux/posix_acl.h).
 */
enum br_acl_tag {
	BR_ACL_OWNER = 0x01,
	BR_ACL_USER = 0x02,
	BR_ACL_OWNING_GROUP = 0x04,
	BR_ACL_GROUP = 0x08,
	BR_ACL_MASK = 0x10,
	BR_ACL_OTHER = 0x20,
};

/** One entry; `id` counts only for USER and GROUP. */
struct br_acl_entry {
	uint16_t tag;
	/** BR_R | BR_W | BR_X. */
	uint16_t perm;
	br_hostid id;
};

/**
 * A POSIX ACL in the kernel's order: owner, users, owning group, groups, mask, other; users and
 * groups by ID, but one that was decoded keeps its order, so that it can be put back byte for byte.
 * Valid as posix_acl_valid() demands. IDs of entries without one are BR_NO_ID.
 */
struct br_acl {
	size_t n;
	struct br_acl_entry entries[];
};

/** An opaque attribute value (security.capability). */
struct br_blob {
	size_t n;
	unsigned char bytes[];
};

/**
 * Interned ACLs and blobs: equal ones are the same pointer, and live as long as the table. Not for
 * two threads at once.
 */
struct br_acls;

struct br_acls *br_acls_new(void);
void br_acls_free(struct br_acls *acls);
void br_acls_freep(struct br_acls **acls);
/**
 * Decode and intern a system.posix_acl_* value (version 2, little endian). NULL with EINVAL
 * (malformed or invalid) or ENOMEM.
 */
const struct br_acl *br_acls_decode(struct br_acls *acls, const void *blob, size_t n);
/**
 * Intern n entries in any order; sorted and checked as the kernel does (posix_acl_valid()): an ID
 * may be there twice, and then the order of the two stays. NULL with EINVAL or ENOMEM.
 */
const struct br_acl *br_acls_make(
	struct br_acls *acls, const struct br_acl_entry *entries, size_t n);
const struct br_blob *br_acls_blob(struct br_acls *acls, const void *bytes, size_t n);

/** Bytes that an ACL takes as an attribute; the encoding itself, which must have that room. */
size_t br_acl_size(const struct br_acl *acl);
void br_acl_encode(const struct br_acl *acl, void *out);
/** The first entry with this tag (and, for USER and GROUP, this ID), or NULL. */
const struct br_acl_entry *br_acl_find(const struct br_acl *acl, enum br_acl_tag tag, br_hostid id);

/** Attributes of an inode that decide about changes (statx stx_attributes, as bits of our own). */
enum {
	BR_IMMUTABLE = 1 << 0,
	BR_APPEND = 1 << 1,
	BR_MOUNT_ROOT = 1 << 2,
	/**
	 * It lies on a read-only mount, or a read-only file system, that was entered below a scan's
	 * root. No attribute of the inode: only a scan says so.
	 */
	BR_READ_ONLY = 1 << 3,
	/** A regular file that has security.evm, a seal on its owner, group and mode; only with
	 * BR_HAVE_SEAL. */
	BR_SEALED = 1 << 4,
};

/** Which facts of br_inode are filled beyond statx's. */
enum {
	BR_HAVE_ACL = 1 << 0,
	BR_HAVE_DEFAULT_ACL = 1 << 1,
	BR_HAVE_CAPS = 1 << 2,
	/** BR_SEALED was asked for; see br_inode_seals. */
	BR_HAVE_SEAL = 1 << 3,
};

struct br_time {
	int64_t sec;
	uint32_t nsec;
};

/** One inode. IDs are the host's. */
struct br_inode {
	uint64_t dev;
	uint64_t ino;
	/** STATX_MNT_ID (unique where the kernel has it). */
	uint64_t mount;
	/** {0} where the file system keeps none. */
	struct br_time btime;
	struct br_time ctime;
	uint64_t size;
	/** What is allocated for it, in units of 512 bytes: what quotas count. */
	uint64_t blocks;
	/** File type and the bits 07777. With an access ACL the group bits are its mask. */
	uint32_t mode;
	uint32_t nlink;
	br_hostid uid;
	br_hostid gid;
	/** BR_IMMUTABLE | … */
	uint32_t attrs;
	/** BR_HAVE_*: a fact that was not asked for is unknown, not absent. */
	uint32_t have;
	/** The access ACL; NULL with BR_HAVE_ACL set: none beyond the mode. Never a minimal one. */
	const struct br_acl *acl;
	/** The default ACL of a directory, or NULL. */
	const struct br_acl *def;
	/** security.capability, or NULL. */
	const struct br_blob *caps;
};

/**
 * Read (dirfd, name) without following a final link; name "" is dirfd itself. `want` is BR_HAVE_*:
 * attributes of these kinds are read too (a file system without them, and symbolic links, have
 * none). 0 or -1 with errno. AT_NO_AUTOMOUNT always.
 */
int br_inode_read(
	int dirfd, const char *name, unsigned want, struct br_acls *acls, struct br_inode *out);
/** What is left of that after br_inode_stat: the attributes. */
int br_inode_read_rest(
	int dirfd, const char *name, unsigned want, struct br_acls *acls, struct br_inode *out);

/**
 * The two halves of it, for threads: br_inode_stat needs no table; br_inode_attribute reads one raw
 * value into buf. Length (0: absent, also EOPNOTSUPP), or -1 with errno, ERANGE where it is longer
 * than n. name "" is dirfd itself. Which attribute: one of BR_HAVE_*.
 */
int br_inode_stat(int dirfd, const char *name, struct br_inode *out);
ssize_t br_inode_attribute(int dirfd, const char *name, unsigned which, void *buf, size_t n);
/**
 * Which of `want` (BR_HAVE_*) have to be read, given what br_inode_stat told of (dirfd, name): the
 * others are surely absent. One call of listxattrat where the file system is known to list all of
 * them, none where at most one is possible. For threads.
 */
unsigned br_inode_present(int dirfd, const char *name, const struct br_inode *in, unsigned want);
/**
 * Enter such a value into the inode (n 0: absent) and mark it as known. 0, or -1 with EINVAL (an
 * ACL that is malformed) or ENOMEM. With the table's thread only.
 */
int br_inode_take(
	struct br_inode *inode, unsigned which, struct br_acls *acls, const void *value, size_t n);

/**
 * Whether the kernel verifies what the attribute security.evm says about regular files, or may: EVM
 * has a key (bits 0 and 1 of /sys/kernel/security/evm, Documentation/ABI/testing/evm), or nobody
 * here can tell. Then a change of owner, group, mode or ACL is refused where the seal is a portable
 * signature, and breaks one that no key of this kernel can renew, so that the kernel refuses every
 * further change, an undo among them (evm_inode_setattr and evm_inode_set_acl of
 * security/integrity/evm/evm_main.c). security.ima is about contents alone.
 */
bool br_inode_seals(void);
/**
 * Look for the seal of (dirfd, name), or of dirfd itself (""), which br_inode_stat told of:
 * BR_SEALED and BR_HAVE_SEAL. What cannot be asked counts as sealed. For threads.
 */
void br_inode_seal(int dirfd, const char *name, struct br_inode *inode);

/** Same object: device, inode number, birth time, type. */
bool br_inode_same(const struct br_inode *a, const struct br_inode *b);

/**
 * Ask before reading: what is read from now on with a change time before this one has another
 * change time after any change. Far in the future where the kernel gives each change that can be
 * told apart a time of its own (Linux 6.13, Documentation/filesystems/multigrain-ts.rst), else
 * shortly before now.
 */
struct br_time br_inode_quiet(void);
/**
 * Whether the object behind fd, `now` by br_inode_stat, surely has all facts that `then` has,
 * attributes among them: it is the same one and nothing has changed it since it was read. `quiet`
 * as asked before that. False where it cannot be told, as on FUSE, on network file systems, and
 * before Linux 6.8. For threads.
 */
bool br_inode_untouched(
	int fd, const struct br_inode *then, const struct br_inode *now, struct br_time quiet);
/**
 * Same state: owner, group, mode 07777, and those of ACL, default ACL and capabilities that both
 * have.
 */
bool br_inode_equal(const struct br_inode *a, const struct br_inode *b);

/**
 * Bring the object behind fd (O_PATH will do) from `before` to `after`: owner, group, mode, access
 * ACL, default ACL, capabilities, whichever differ and both have. Where only owner and group, or
 * only mode and access ACL differ, that is one system call; else the mode is narrowed first, and
 * then come owner and group, ACL and mode, default ACL, capabilities. Nothing is called for what
 * does not differ. The caller has checked that the object is in `before`. 0, or -1 with errno and
 * *step the number of steps that were done: EINVAL where owner or mode differ and either lacks
 * BR_HAVE_ACL, or where after's mode is not what its ACL says (group bits: the mask); E2BIG where
 * an ACL has no room in this file (never ENOSPC, unless the disk is full); EPERM with all steps
 * done where the kernel silently dropped setgid. A chown that clears setuid, setgid or
 * capabilities: they are put back only where `after` has them.
 */
int br_inode_write(
	int fd, const struct br_inode *before, const struct br_inode *after, unsigned *step);
/**
 * Every state that an interrupted br_inode_write can leave behind, in order, `after` last. At most
 * BR_INODE_STEPS; the number.
 */
enum {
	BR_INODE_STEPS = 7,
};
size_t br_inode_steps(const struct br_inode *before, const struct br_inode *after,
	struct br_inode states[BR_INODE_STEPS]);

/** Whether the file system under fd keeps POSIX ACLs: 1, 0, or -1 with errno. */
int br_inode_acl_support(int fd);

/**
 * Texts, in buffers of the caller: "rwx" of permission bits; "drwxr-x---+" of a mode; the ACL in
 * short form "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x".
 */
const char *br_perm_text(unsigned perm, char out[4]);
const char *br_mode_text(const struct br_inode *inode, char out[12]);
/** One entry as setfacl takes it ("u:1001:rwx", "m::r--"), numbers for IDs. Returns out. */
const char *br_acl_entry_text(const struct br_acl_entry *entry, char out[24]);
struct br_arena;
/** All of them, with commas between. NULL with ENOMEM. */
char *br_acl_text(struct br_arena *arena, const struct br_acl *acl);

#endif
