/**
 * The least change that serves every demand at once, and who gains and who loses by it. Changes
 * nothing.
 *
 * A plan is made in one walk: br_plan_new() before the check, br_plan_see() as the check's watcher,
 * br_plan_settle() after it. While it sees the tree it works out what each strategy would do to
 * each inode; settling chooses the strategy of each tree. What is kept does not grow with the
 * number of files: sums, and the rules by which br_plan_decide() says the `after` of any inode
 * again when it is applied.
 *
 * Rules: after = before + demands, for every principal (owner, groups, named ACL entries, kept
 * users, strangers). An ACL entry that held more than its mask let through is clamped before the
 * mask widens; others never gain; setuid, setgid and capability files stay; no ancestor is touched;
 * no default ACL without future_files. Only owners in the from-set are changed: the root's owner,
 * the containers' own IDs, and root's directories and single-link files.
 */
#ifndef BINDRIGHT_PLAN_H
#define BINDRIGHT_PLAN_H

#include <bindright/check.h>

enum br_strategy {
	/** The article's way (owner) where everything belongs to the container's user or root and
	 * one identity needs it; ACL entries otherwise; group without ACLs. */
	BR_STRATEGY_AUTO,
	BR_STRATEGY_ACL,
	BR_STRATEGY_CHOWN,
	BR_STRATEGY_GROUP,
};

/** A host user who keeps what access he has; `demanded` (an explicit --keep, users of x-bindright):
 * gets what the containers need as well. */
struct br_keeper {
	const char *name;
	struct br_cred cred;
	bool demanded;
	/** He keeps, or gets, these mounts only; nmounts 0: all there are. */
	const struct br_mount *const *mounts;
	size_t nmounts;
};

enum {
	/** 256 MiB. */
	BR_COPY_UP = 256 << 20,
};

struct br_plan_options {
	enum br_strategy strategy;
	bool create_users;
	bool create_missing;
	/** Default ACLs: 1 everywhere, -1 nowhere, 0 where the mount's wishes say so. */
	int future_files;
	bool privileged_files;
	/** Also what lies under a mount of one of br_demands' others. */
	bool other_mounts;
	/** --from: further owners whose files may be changed. */
	const br_hostid *from;
	size_t nfrom;
	const struct br_keeper *keepers;
	size_t nkeepers;
	/** fs.protected_hardlinks is 1: root's single-link files in the tree are really its own. */
	bool protected_hardlinks;
	/** Paths of --allow-dangerous; NULL at the end. */
	const char *const *allow_dangerous;
	/** Who runs it. Only root (0) can change what is not his own, and give things away. */
	br_hostid caller;
	br_hostid caller_gid;
	/** His supplementary groups. */
	const br_hostid *caller_groups;
	size_t ncaller_groups;
	/** How many bytes of lower files an overlay may copy because their state is changed, in all
	 * trees together; 0: BR_COPY_UP. */
	uint64_t max_copy_up;
	/** Globs that the check leaves out too. */
	const char *const *excludes;
	/** How many levels of each tree the check looks at, its root's counted in: nothing becomes
	 * of what lies deeper. 0: all of them. */
	unsigned levels;
	/** The check enters mount points: what is mounted in a tree has to be a source that is not
	 * refused. */
	bool cross;
	/**
	 * The other direction: whatever belongs to a container's UID, to one in the range that is
	 * mapped into its user namespace, or to root, goes to the only keeper; the containers keep
	 * what they have, and get what they need of it. Nothing else is changed.
	 */
	bool reclaim;
	/** br_plan_save() will be asked for: costs a few microseconds an inode. */
	bool digests;
	/**
	 * How many bytes may be taken to remember which inodes could have to be changed, for
	 * br_plan_seen(); 0: none. The check must not have left out anything (depth, only) nor
	 * entered mount points.
	 */
	size_t remember;
};

enum br_action_kind {
	BR_ACTION_CREATE_GROUP,
	BR_ACTION_CREATE_USER,
	BR_ACTION_MKDIR,
	BR_ACTION_CHOWN,
	BR_ACTION_CHMOD,
	BR_ACTION_ACL,
};

/** "create-group", "mkdir", … as in JSON. */
const char *br_action_name(enum br_action_kind kind);

/** The same change on one or many inodes of a tree, summed up. */
struct br_action {
	enum br_action_kind kind;
	const struct br_tree *tree;
	/** The inode, or the tree's root where it is many. Any bytes. NULL for accounts. */
	const char *path;
	bool recursive;
	uint64_t count;
	/** The states in words: "root:root" to "1001:1001"; "rwxr-xr-x" to …; ACL entries that are
	 * added or changed. */
	const char *from;
	const char *to;
	/** An ordinary command that does the same (chown, setfacl, install -d, useradd), or NULL
	 * where no single one does. */
	const char *command;
};

/** Somebody whose access changes. */
struct br_effect {
	/** "uid:1001", "gid:1001", "others". */
	const char *principal;
	/** The host account of that number, or NULL. */
	const char *account;
	/** The tree, and its root. */
	const struct br_tree *tree;
	const char *under;
	unsigned from;
	unsigned to;
	uint64_t count;
	const char *examples[BR_EXAMPLES];
	size_t nexamples;
};

/** Why something that does not fit is left alone. */
enum br_left_reason {
	/** Its owner is not in the from-set (--from). */
	BR_LEFT_OWNER,
	/** A regular file of root's with several links, or without protected_hardlinks (--from
	 * root). */
	BR_LEFT_LINKS,
	/** Root's, and readable by root alone (--from root). */
	BR_LEFT_ROOT_PRIVATE,
	/** Setuid, setgid, or with file capabilities (--privileged-files). */
	BR_LEFT_PRIVILEGED,
	/** Private by name: .ssh, .gnupg, id_*, authorized_keys, … */
	BR_LEFT_PRIVATE_NAME,
	/** Immutable or append-only. */
	BR_LEFT_PROTECTED,
	/** A device, socket or FIFO. */
	BR_LEFT_SPECIAL,
	/** A mount point inside. */
	BR_LEFT_MOUNT_POINT,
	/** No state serves it without giving or taking something elsewhere. */
	BR_LEFT_NO_EXACT_STATE,
	/** It could not be examined. */
	BR_LEFT_UNSEEN,
	/** It is somebody else's, and who runs this is not root. */
	BR_LEFT_NOT_PERMITTED,
	/** Another container mounts it, and none of those asked about mounts it, or a part of it
	 * where this lies, by itself (--other-mounts). */
	BR_LEFT_OTHER_MOUNT,
	/** A directory above it stays closed to whoever needs it: it would be given for nothing. */
	BR_LEFT_BEHIND,
	/** It has a seal on its owner and mode that EVM verifies (BR_SEALED). */
	BR_LEFT_SEALED,
	/** It is a sticky directory, or lies in one of somebody else's: who owns it may delete what
	 * others may not, and that would change hands with it. */
	BR_LEFT_STICKY,
};

/** What is left alone, summed up. */
struct br_left {
	enum br_left_reason reason;
	const struct br_tree *tree;
	uint64_t count;
	const char *examples[BR_EXAMPLES];
	size_t nexamples;
	/** One clause in words ("belong to uid 1007 (bob)"), and the option that would include it,
	 * or NULL. */
	const char *why;
	const char *option;
};

/** A tree (or mount) that is refused as a whole: exit status 3. */
struct br_refusal {
	const struct br_tree *tree;
	const char *path;
	/** The rule in one clause, and the option that lifts it, or NULL. */
	const char *rule;
	const char *option;
	struct br_span at;
};

/** A directory to be made, with its final state. Parents come first. */
struct br_make {
	const struct br_tree *tree;
	/** The nearest existing directory (its fd is the pinned parent), and the path below it. */
	const struct br_source *root;
	const char *below;
	/** uid, gid, mode, acl, def of the new directory. */
	struct br_inode after;
};

/** An account to be made. */
struct br_account {
	bool is_group;
	const char *name;
	br_hostid id;
	/** Of a user: its group. */
	br_hostid gid;
};

/**
 * A change of the input that serves in place of a change of the host (only what is sure to serve:
 * the same decision, asked of everything that was seen), or one of the choices where no state
 * serves exactly.
 */
struct br_advice {
	/** "read-only", "user", "group-add", "userns", "idmap"; of choices "mount-option", "group",
	 * "owner", "move", "server", "copy-up", "same-user". */
	const char *kind;
	/** One of several ways, none of them exact. */
	bool choice;
	/** NULL: it is about a tree. */
	const struct br_container *container;
	/** One clause each: what to do, what it costs. */
	const char *summary;
	const char *price;
	/** The edit: `with` takes the place of what stands at `at` (len 0: is put there); it was
	 * tried, and the input then reads as advised. with NULL: none is known. */
	struct br_span at;
	const char *with;
};

/** What was settled for one tree. */
struct br_tree_plan {
	const struct br_tree *tree;
	/** Never AUTO after settling. */
	enum br_strategy strategy;
	/** One sentence: why this one. */
	const char *reason;
	/** Inodes that will change. */
	uint64_t changes;
	/** Files that only their owner could use and that are served now. */
	uint64_t owner_only;
	/** Refused: nothing of it is changed. */
	bool refused;
	/** True: the plan does not serve the tree wholly. */
	bool partial;
};

struct br_plan_work;

/** Settled: everything that `plan` shows and `fix` does. Constant after br_plan_settle. */
struct br_plan {
	struct br_arena *arena;
	/** Private to plan/. */
	struct br_plan_work *work;
	const struct br_plan_options *options;
	struct br_acls *acls;
	const struct br_tree_plan *trees;
	size_t ntrees;
	const struct br_account *accounts;
	size_t naccounts;
	const struct br_make *makes;
	size_t nmakes;
	const struct br_action *actions;
	size_t nactions;
	/**
	 * Everybody whose access changes; gains of demanded identities among them. Any loss, or a
	 * gain that no demand explains, makes settling fail; but for what a container had by a
	 * capability in a user namespace alone and does not need, which reclaim takes and lists.
	 */
	const struct br_effect *gains;
	size_t ngains;
	const struct br_effect *losses;
	size_t nlosses;
	const struct br_left *left;
	size_t nleft;
	const struct br_refusal *refusals;
	size_t nrefusals;
	/** Sentences about what will not be usable tomorrow, and advice about the spec with its
	 * file:line. */
	const char *const *notes;
	size_t nnotes;
	/** What could be changed in the input instead, and choices. */
	const struct br_advice *advice;
	size_t nadvice;
	/** Inodes that change, directories to be made and accounts counted in: 0 means nothing to
	 * do. */
	uint64_t changes;
	/**
	 * SHA-256 of what it does, in hex: each tree's states before and after with their numbers,
	 * directories and accounts to be made. The same plan of the same trees has the same one,
	 * and the journal of the run that applies it names it.
	 */
	const char *digest;
};

/** How edits of the input are tried. */
struct br_trial {
	/** The input as it would be read with `with` in the place of what stands at `at`; NULL
	 * where it would not be understood. The caller frees it. */
	struct br_spec *(*read)(void *context, struct br_span at, const char *with);
	void *context;
};

struct br_plan_input {
	const struct br_spec *spec;
	const struct br_identity *identities;
	const struct br_demands *demands;
	struct br_hostdb *hostdb;
	struct br_acls *acls;
	/** Whose rules apply; UNSAID: what the spec says. */
	enum br_engine engine;
	/** The OCI runtime that the engine uses ("runc", "crun"); NULL: not known. */
	const char *runtime;
	/** Who runs a rootless engine; NULL: not known, or none. */
	const struct br_host_user *engine_user;
	/** read NULL: advice comes without edits. */
	struct br_trial trial;
};

/** Everything is borrowed and outlives the plan. NULL with an error in dx. */
struct br_plan *br_plan_new(const struct br_plan_input *input,
	const struct br_plan_options *options, struct br_diags *dx);
/** The check's watcher (`context` is the plan; needs BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL |
 * BR_HAVE_CAPS, and BR_HAVE_SEAL where br_inode_seals()). */
int br_plan_see(void *context, const struct br_tree *tree, const struct br_entry *entry,
	struct br_diags *dx);
/** Whether it remembers what it sees, but not the entry that it saw last: nothing will become of
 * that. */
bool br_plan_leaves_out(const struct br_plan *plan);
/** Take what the check was told by servers of file systems: who is served there wants nothing.
 * Before br_plan_settle. */
void br_plan_heed(struct br_plan *plan, const struct br_check *check);
/** Choose, sum up, prove. 0; -1 with an error in dx (an effect that no demand explains is our own
 * bug and is said as such). */
int br_plan_settle(struct br_plan *plan, struct br_diags *dx);
/**
 * What becomes of this inode: 1 and *after (a whole state; identity fields copied), 0 nothing, 2 it
 * would be changed but nothing like it was seen, or it was made after all that was, so that nobody
 * was asked and nothing proven about it; -1 with ENOMEM. The same function that was summed up.
 * `path` is below the tree's root.
 */
int br_plan_decide(const struct br_plan *plan, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after);

/**
 * Of a settled plan: the directories of this tree, and all entries of which br_plan_decide may say
 * that something becomes of them, as they were seen. NULL where they were not remembered: not asked
 * for, no room, several trees change, or what becomes of one depends on another.
 */
const struct br_seen *br_plan_seen(const struct br_plan *plan, const struct br_tree *tree);

enum {
	/** 64 lower-case digits and a NUL. */
	BR_DIGEST = 65,
	/** How large the file of a saved plan may be. */
	BR_SAVED_BYTES = 1 << 20,
};

/** A thing with a digest: an input file and its bytes, a container and what it is and demands, a
 * tree and all of its changes. */
struct br_saved_item {
	/** Any bytes that are no UTF-8 are escaped. */
	const char *name;
	const char *digest;
	/** Of a tree: inodes that change. */
	uint64_t changes;
	/** Of a tree: the identity of its root. The device's number is not part of it: a reboot may
	 * change it. 0 where it is missing. */
	uint64_t ino;
	struct br_time born;
	/** In the file that it was read from. */
	struct br_span at;
};

/**
 * What a saved plan promises. It holds no changes, only digests of them: whoever applies it makes
 * the plan again, by the same words, and compares. Its size does not depend on the number of files.
 */
struct br_saved {
	/** The program's version, where it was read from a file; NULL. */
	const char *tool;
	/** The digest of the plan beside which it was saved, as br_plan.digest, where it was read
	 * from a file that has one; NULL. */
	const char *plan;
	/** Where, by which words of the command line, and by whom it was made. */
	const char *directory;
	const char *const *words;
	size_t nwords;
	uint32_t caller;
	const struct br_saved_item *files;
	size_t nfiles;
	const struct br_saved_item *containers;
	size_t ncontainers;
	const struct br_saved_item *trees;
	size_t ntrees;
	/** Of directories and accounts to be made, kept users and their demands. */
	const char *rest;
	uint64_t changes;
	/** The text that it was read from. */
	uint16_t text;
};

/**
 * The promise of a settled plan made with options.digests. `directory` and `words` are left to the
 * caller; `text` of *out (0: none) is no input file. The digest of a tree is one over the set of
 * (path, before, after), in whatever order the walk met them: a sum, modulo 2^2048, of hashes of
 * the paths that share both states. 0 or -1 with ENOMEM.
 */
int br_plan_save(const struct br_plan *plan, const struct br_places *places, struct br_arena *arena,
	struct br_saved *out);
/** Put the seal under a report that holds a saved plan: a digest of all bytes before it. Heap, the
 * caller frees; `bytes` are freed. NULL with ENOMEM. */
char *br_saved_seal(char *bytes, size_t *n);
/** Read the text with this number, and check its seal. NULL with an error at its place in dx: no
 * JSON, no saved plan, cut short, edited. */
const struct br_saved *br_saved_read(struct br_arena *arena, uint16_t text, struct br_diags *dx);
/** Whether the plan that was made again is the one that was saved. 0; -1 with one error in dx, and
 * a note for each thing that is not as it was. */
int br_saved_compare(const struct br_saved *saved, const struct br_saved *now, struct br_diags *dx);

void br_plan_free(struct br_plan *plan);
void br_plan_freep(struct br_plan **plan);

#endif
