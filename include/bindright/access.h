/**
 * Would the kernel allow it, and which rule decides? Pure: no I/O, no allocation.
 *
 * Mirrors inode_permission(), generic_permission(), acl_permission_check() and
 * posix_acl_permission() (fs/namei.c, fs/posix_acl.c), with capable_wrt_inode_uidgid()
 * (kernel/capability.c) for the overrides.
 */
#ifndef BINDRIGHT_ACCESS_H
#define BINDRIGHT_ACCESS_H

#include <bindright/identity.h>
#include <bindright/inode.h>
#include <bindright/source.h>

/** What decided. */
enum br_rule {
	/** The owner's bits. */
	BR_RULE_OWNER,
	/** A named user's ACL entry. */
	BR_RULE_ACL_USER,
	/** The owning group's bits, or its ACL entry. */
	BR_RULE_GROUP,
	/** A named group's ACL entry; or, on denial, no matching group entry holds all bits. */
	BR_RULE_ACL_GROUP,
	/** The bits of others. */
	BR_RULE_OTHER,
	/** CAP_DAC_OVERRIDE overrode the bits. */
	BR_RULE_DAC_OVERRIDE,
	/** CAP_DAC_READ_SEARCH did. */
	BR_RULE_DAC_READ_SEARCH,
	/** A read-only mount or file system. */
	BR_RULE_READ_ONLY,
	/** The immutable attribute. */
	BR_RULE_IMMUTABLE,
	/**
	 * The append-only attribute. With nothing missing: writing is granted, to an opener that
	 * appends (in a directory, to one that creates); truncation and deletion are not.
	 */
	BR_RULE_APPEND_ONLY,
	/**
	 * The inode's owner or group has no mapping on an ID-mapped mount, or the superblock's
	 * namespace: no write.
	 */
	BR_RULE_UNMAPPED,
	/** The file system's server, which was asked (bindright/server.h) and says otherwise than
	 * the mode. Never of br_access() and its like. */
	BR_RULE_SERVER,
};

/** What surrounds the inode. {0} is a plain writable mount. */
struct br_where {
	/** The mount (as the container will see it), or the file system, is read-only. */
	bool read_only;
	/**
	 * The maps of an ID-mapped mount, `box` being the ID on disk and `host` what it looks like;
	 * empty: none.
	 */
	struct br_idmap mount_uids;
	struct br_idmap mount_gids;
};

/** The decision about one set of bits. */
struct br_verdict {
	/** The bits that are allowed one by one. */
	unsigned have;
	/**
	 * Those of the asked bits that are refused; 0: granted. All asked bits, where each alone is
	 * allowed but not together: no single group entry holds all, or a capability that covers
	 * only some.
	 */
	unsigned missing;
	/** What decided about the asked bits. */
	enum br_rule rule;
	/**
	 * The class that was consulted before any override: OWNER, ACL_USER, GROUP, ACL_GROUP or
	 * OTHER.
	 */
	enum br_rule base;
	/**
	 * The ACL entry of that class, also where something else decided; NULL for the mode's bits,
	 * and where several group entries were not enough.
	 */
	const struct br_acl_entry *entry;
	/** Refused, and by nothing but the mask: the entry would have allowed it. */
	bool masked;
};

/**
 * Decide about `want` (BR_R | BR_W | BR_X). The inode must have its ACL (BR_HAVE_ACL) unless
 * br_access_needs_acl() is false for it. On a file BR_X is execution, on a directory search;
 * symbolic links allow everything.
 */
struct br_verdict br_access(const struct br_inode *inode, const struct br_cred *cred,
	const struct br_where *where, unsigned want);

/**
 * The same, asked as programs ask: a directory is listed (r) apart from being entered and changed
 * (w and x together, the kernel's may_create() and may_delete()), a file is opened for reading and
 * writing at once and executed apart. It differs from br_access() only where several group entries
 * share the bits among them, or a capability gives one of them and the mode another. `rule` and
 * `entry` are of the part that was refused.
 */
struct br_verdict br_access_use(const struct br_inode *inode, const struct br_cred *cred,
	const struct br_where *where, unsigned want);

/**
 * Whether an access ACL, if there is one, could change the answer: for reading it only where it
 * matters. Exact both ways: false where every ACL that agrees with the mode gives the same `have &
 * want` and `missing` as none does (rule, base and entry may differ), true where one does not. For
 * mounts without ID maps; on an ID-mapped one the ACL always has to be read.
 */
bool br_access_needs_acl(const struct br_inode *inode, const struct br_cred *cred, unsigned want);

/**
 * May cred remove or rename the entry `victim` of the directory `dir` (the kernel's may_delete and
 * __check_sticky)? Judges write and search on dir, sticky with ownership and CAP_FOWNER,
 * append-only and immutable of both. *sticky tells that the sticky bit refused it.
 */
bool br_access_delete(const struct br_inode *dir, const struct br_inode *victim,
	const struct br_cred *cred, const struct br_where *where, bool *sticky);

/**
 * May cred make a new entry in `dir` (may_create() and may_o_create(), fs/namei.c)? Write and
 * search, also where the directory is append-only; on an ID-mapped mount cred's own IDs must have a
 * mapping (EOVERFLOW otherwise). To rename within one directory takes this and br_access_delete().
 */
bool br_access_create(
	const struct br_inode *dir, const struct br_cred *cred, const struct br_where *where);

/**
 * Does fs.protected_regular at this level (0 to 2) refuse to open the existing file in `dir` with
 * O_CREAT, as `>` and most programs do, although its bits allow it (may_create_in_sticky(),
 * fs/namei.c)? In sticky directories that others (level 2: or the group) may write, for files that
 * neither cred nor the directory's owner owns; no capability helps.
 */
bool br_access_protected(const struct br_inode *dir, const struct br_inode *file,
	const struct br_cred *cred, const struct br_where *where, unsigned level);

/** Somebody makes something in a directory. */
struct br_birth {
	/** With BR_HAVE_DEFAULT_ACL. */
	const struct br_inode *parent;
	const struct br_cred *cred;
	/** The mount by which it is made: its maps count. */
	struct br_where where;
	/** The file system's. */
	enum br_group_rule new_group;
	/** The type and the bits 07777 as given to open(2), mkdir(2) or mknod(2). */
	uint32_t mode;
};

/**
 * What is made: owner and group (the directory's where that is setgid, or the file system says so),
 * and mode and ACL: a default ACL takes the place of the umask, and gives no more than was asked
 * for. IDs are those on disk; a maker whose IDs have none on an ID-mapped mount makes nothing
 * (br_access_create()), and has BR_NO_ID here. Says nothing of whether cred may create there at
 * all. New ACLs are interned. 0, or -1 with ENOMEM.
 */
int br_access_created(const struct br_birth *birth, struct br_acls *acls, struct br_inode *out);

/** "owner", "acl-user", "group", "acl-group", "other", "cap-dac-override", … */
const char *br_rule_name(enum br_rule rule);

#endif
