/**
 * Private to plan/: what is gathered while the tree is seen, and the parts that settling is made
 * of.
 *
 * Inodes that are in the same state and under the same demands get the same answer, so they are one
 * class: a plan keeps classes, with a count and the first few paths, never files. Only regular
 * files with several links are remembered one by one (whether all their links are inside), up to
 * LINKS_MAX.
 */
#ifndef BR_PLAN_WORK_H
#define BR_PLAN_WORK_H

#include <base/mem.h>
#include <bindright/plan.h>

/** A hash table of items that begin with their key, in the order of their coming. Items move when
 * it grows. */
struct table {
	size_t key;
	size_t item;
	size_t n;
	size_t cap;
	size_t nslots;
	unsigned char *items;
	uint32_t *slots;
};

void table_init(struct table *table, size_t key, size_t item);
void table_release(struct table *table);
/** NULL where it is not there. */
void *table_find(const struct table *table, const void *key);
/** Find or add (all but the key zeroed). NULL with ENOMEM. */
void *table_put(struct table *table, const void *key);
void *table_at(const struct table *table, size_t i);
/** The number of an item, from 0. */
size_t table_index(const struct table *table, const void *item);

/** The first few of many paths. */
struct tally {
	uint64_t count;
	/** Those that come first in the alphabet, whatever order the walk gives them in. */
	const char *examples[BR_EXAMPLES];
	size_t nexamples;
	/** What lies behind each: buffers that are used again, so that memory stays bounded. */
	char *buffers[BR_EXAMPLES];
	size_t room[BR_EXAMPLES];
};

/** Count `count` more; the path is copied where it is one of the first. 0 or -1 with ENOMEM. */
int tally_add(struct br_arena *arena, struct tally *tally, const char *path, uint64_t count);
/** Add another tally's count and examples. */
void tally_merge(struct tally *tally, const struct tally *more);

/** Facts of an inode that are not its state. */
enum {
	/** Its name, or that of a directory above it, says that it is private. */
	FACT_PRIVATE_NAME = 1 << 0,
	/** It has security.capability. */
	FACT_CAPS = 1 << 1,
	/** A regular file with several links. */
	FACT_LINKS = 1 << 2,
	FACT_IMMUTABLE = 1 << 3,
	FACT_APPEND = 1 << 4,
	/** The tree's root. */
	FACT_ROOT = 1 << 5,
	/** Its ACL was not read: its mode alone serves every demand. */
	FACT_UNREAD = 1 << 6,
	/** It lies in a sticky directory of somebody else's, where its owner may delete it and
	 * others may not. */
	FACT_STICKY = 1 << 7,
	/** On a read-only mount that was entered. */
	FACT_READ_ONLY = 1 << 8,
	/** Root's, below a directory that root alone may enter. */
	FACT_ENCLOSED = 1 << 10,
	/** It has security.evm, and that counts. */
	FACT_SEALED = 1 << 11,
	/** From this bit on: the number of the other container's mount that it lies under, from 1;
	 * 0: none, or one that is beyond the last number. */
	FACT_OTHER_SHIFT = 16,
	/** Under the mount of another container. */
	FACT_OTHER = 1 << 9,
	OTHERS_NAMED = (1 << 15) - 1,
};

struct path_sum;

/** Everything that decides about an inode. The key of a class: no padding. */
struct facts {
	const struct br_acl *acl;
	const struct br_acl *def;
	/** Bit 1 << index of each demand that applies. */
	uint64_t demands;
	uint32_t uid;
	uint32_t gid;
	/** Type and mode. */
	uint32_t mode;
	/** FACT_*. */
	uint32_t flags;
	/** Which closed directories it lies in: see behind.c. 0: none. */
	uint32_t behind;
	uint32_t zero;
};
_Static_assert(sizeof(struct facts) == 2 * sizeof(void *) + 32, "facts are compared as bytes");

/** What becomes of an inode. */
enum outcome_kind {
	OUTCOME_FITS,
	OUTCOME_CHANGE,
	OUTCOME_LEFT,
};

struct outcome {
	enum outcome_kind kind;
	/** Of LEFT. */
	enum br_left_reason reason;
	/** Of CHANGE. */
	struct br_inode after;
};

struct class {
	struct facts facts;
	struct tally seen;
	/** Settled. */
	struct outcome outcome;
	/** Of files with several links: those that have all of them in the tree, and the others. Of
	 * everything else: all, and none. */
	struct tally inside;
	struct tally outside;
	/** Sizes of all files together. */
	uint64_t bytes;
	/** What is allocated for those of `inside`, in bytes, and how many of them lie on another
	 * file system than the tree's root does. */
	uint64_t space;
	uint64_t abroad;
	/** The sum of the hashes of all paths; NULL unless digests are asked for. */
	struct path_sum *paths;
	/** Whether its inodes are remembered. */
	enum class_memory {
		MEMORY_UNKNOWN,
		MEMORY_NOT,
		MEMORY_KEPT,
	} memory;
};

/** One more class of a file with several links. */
struct link_class {
	uint32_t class;
	struct link_class *next;
};

/** A regular file with several links. */
struct link {
	/** The key: device and inode number. */
	uint64_t dev;
	uint64_t ino;
	uint32_t nlink;
	uint32_t found;
	/** Its class's number. */
	uint32_t class;
	/** Its names are under different demands; the classes of the others, each once. */
	bool mixed;
	struct link_class *others;
	/** They were: its class is now of all its names' demands together. */
	bool joined;
	uint64_t size;
	uint64_t space;
	/** Kept for the first few. */
	const char *path;
};

/** A sticky directory. */
struct sticky {
	/** The key. */
	uint64_t hash;
	uint32_t uid;
};

/** A directory that is root's alone. */
struct closed {
	/** The key. */
	uint64_t hash;
};

/** A path of the tree that another container mounts, and which of br_demands' others it is. */
struct other_path {
	const char *path;
	size_t number;
};

enum {
	/** Beyond that many, a file with several links counts as one that has links elsewhere. */
	LINKS_MAX = 1 << 20,
	LINKS_NAMED = 256,
	/** Sticky directories that are remembered, and root's closed ones; with more, everything
	 * counts as lying in one. */
	STICKY_MAX = 1 << 16,
	/** Demands and keepers of one tree. */
	PEOPLE_MAX = 2 * BR_DEMANDS_MAX,
};

struct tree_work {
	const struct br_tree *tree;
	/** The facts of the tree's root, once it was seen. */
	struct br_inode root;
	bool root_seen;
	struct table classes;
	/** Number of the class that was seen last, from 1: most inodes are like the one before. */
	size_t last;
	struct table links;
	/** Sticky directories, by a hash of their path. */
	struct table sticky;
	/** Directories of root's, below the tree's root, that are closed to everybody else: by a
	 * hash of their path. */
	struct table closed;
	/** behind.c's: directories that are closed to some demand, their states, and sets of these.
	 */
	struct table ways;
	struct table states;
	struct table sets;
	bool too_many_ways;
	/** Paths at which others' mounts were seen. */
	br_vec(struct other_path) others;
	struct tally unseen;
	struct tally mount_points;
	/** When the newest inode that was seen was made. */
	struct br_time newest;
	/** All demands, and demanded keepers, are of one UID. */
	bool single;
	br_hostid sole;
	/** There is one. */
	bool used;
	/** Some demand writes. */
	bool writes;
	/** What root has in each container that has something of it and may be root without a
	 * demand that says so. All there are, where there is none. */
	uint64_t root_caps;
	/** Something belongs to somebody out of the from-set: no default ACLs here. */
	bool foreign;
	/** Settled. */
	enum br_strategy strategy;
	bool refused;
	/** What is remembered; NULL: nothing. */
	struct br_seen *seen;
	/** Bytes of regular files on an overlay that will change: as many are copied at most. */
	uint64_t copies;
	/** Refused for that. */
	bool copies_refused;
	/** Demands that the file system's server serves, whatever modes it shows: br_plan_heed(). */
	uint64_t served;
};

/** The login credentials of a host UID. */
struct account_cred {
	uint32_t uid;
	bool exists;
	struct br_cred cred;
};

struct br_plan_work {
	struct br_arena arena;
	struct br_plan_input input;
	struct br_id_limits limits;
	struct tree_work *trees;
	size_t ntrees;
	struct table accounts;
	/** The identities of all demands, of all trees, each once, sorted by UID. */
	const struct br_cred **creds;
	size_t ncreds;
	/** A UID and GID that nobody has. */
	br_hostid stranger;
	/** The entry that was seen last is not remembered, others are. */
	bool left_out;
	/** Room for the entries of an ACL that is being made. */
	struct br_acl_entry *scratch;
	size_t nscratch;
	/** The results, while they grow. */
	struct table actions;
	struct table effects;
	struct table left;
	br_vec(struct br_refusal) refusals;
	br_vec(struct br_make) makes;
	br_vec(struct br_account) new_accounts;
	br_vec(const char *) notes;
	br_vec(struct br_advice) advice;
	/** Bytes that overlays copy at most. */
	uint64_t copies;
	/** quota.c's: what is given to whom. */
	struct table quotas;
	/** Edits that were tried, and the bytes of their texts. */
	unsigned trials;
	size_t trial_bytes;
};

/* table.c above; people.c: */

/** Somebody who needs something of an inode. */
struct person {
	const struct br_cred *cred;
	unsigned need;
	/** He does not have it today. */
	bool wanting;
};

struct people {
	struct person v[PEOPLE_MAX];
	size_t n;
	/** Of all together. */
	unsigned need;
	size_t wanting;
};

/** The inode that facts tell of (all BR_HAVE_* set). */
struct br_inode facts_inode(const struct facts *facts);
/** What people are asked about. */
struct people_at {
	const struct br_inode *inode;
	/** What is planned for it, or NULL: what one is given can make others need more (of a file
	 * whatever anybody may). */
	const struct br_inode *after;
	uint64_t demands;
};

/** Everybody whom a demand, or a demanded keeper, makes need something of this inode. */
void people_find(const struct br_plan *plan, const struct tree_work *tree,
	const struct people_at *at, struct people *out);
/** Demands with a host identity, whose `below` is the path or above it. */
uint64_t demands_at(const struct br_tree *tree, const char *path);
/** Whether one of these demands of the tree is on a mount that the keeper is to keep. */
bool keeper_of(const struct br_keeper *keeper, const struct br_tree *tree, uint64_t demands);
/** Whether files that are made later are to be usable where these demands are. */
bool wants_future(const struct br_plan *plan, const struct br_tree *tree, uint64_t demands);
/** Whether the demand has an identity on this host. */
bool demand_counts(const struct br_demand *demand);

/** reclaim: a container's UID is known with its groups; nobody else runs as it. */
bool uid_is_known(const struct br_plan *plan, const struct tree_work *tree, br_hostid uid);
/** Gather plan->work->creds. 0 or -1 with ENOMEM. */
int creds_gather(struct br_plan *plan);
/** Everything that a process of this UID may be, without capabilities: whatever container it is of,
 * mounting this tree or another one. Call with *i = 0; false at the end. */
bool creds_next(const struct br_plan *plan, const struct tree_work *tree, br_hostid uid, size_t *i,
	struct br_cred *out);
/** CAP_DAC_OVERRIDE on this host: whatever the bits say, it has everything. */
bool overrides(const struct br_cred *cred);
/** What any of them may today. */
unsigned held(const struct br_plan *plan, const struct tree_work *tree,
	const struct br_inode *inode, br_hostid uid);
/** The host account's login credentials are read into the cache. 0 or -1 with ENOMEM. */
int account_load(const struct br_plan *plan, br_hostid uid);
/** A cred with this UID and this group only. */
struct br_cred bare_cred(br_hostid uid, br_hostid gid);
extern const struct br_where plain_where;

/* draft.c: */

/** An ACL that is being made. */
struct draft {
	/** Named entries, in no order. */
	struct br_acl_entry *v;
	size_t n;
	bool extended;
	unsigned owner, group, mask, other;
};

/** The state of the inode; 0 or -1 with ENOMEM. Uses the plan's scratch: one draft at a time. */
int draft_open(const struct br_plan *plan, struct draft *draft, const struct br_inode *inode);
/** Give a named user exactly these bits; nobody else's change. */
void draft_name(struct draft *draft, br_hostid uid, unsigned perm);
/** Into mode and acl of an inode. 0 or -1 with ENOMEM. */
int draft_close(const struct br_plan *plan, const struct draft *draft, struct br_inode *after);
/**
 * The default ACL of a directory for which people have demands; its own (NULL: none) where that
 * serves them and everybody who can use the directory. Root's override needs no entry. 0 or -1 with
 * ENOMEM.
 */
int draft_default(const struct br_plan *plan, const struct br_inode *dir,
	const struct people *people, const struct br_acl **out);

/* gate.c: */

/** Whether the plan may touch it; else *reason. `own`: nobody but its owner wants something. */
bool gate_open(const struct br_plan *plan, const struct tree_work *tree, const struct facts *facts,
	bool own, enum br_left_reason *reason);
/** Whether files of this UID may be changed at all. */
bool gate_owner(const struct br_plan *plan, const struct tree_work *tree, uint32_t uid);
bool gate_named(const struct br_plan *plan, uint32_t uid);
/** Whether root, too, would have to name whose it is (--from). */
bool gate_needs_from(
	const struct br_plan *plan, const struct tree_work *tree, const struct facts *facts);
/** reclaim: whether files of this UID go back: the containers', root's, those of --from; never the
 * keeper's own. */
bool gate_left_behind(const struct br_plan *plan, const struct tree_work *tree, uint32_t uid);
/** Whether the caller is in this group: only into such ones can who is not root put what is his. */
bool is_own_group(const struct br_plan *plan, uint32_t gid);
/** Private by the name of one component, or of the last. */
bool name_is_private(const char *path, bool last_too);
bool fs_read_only(const struct tree_work *tree);

/* others.c: */

/** Keep in mind that another container mounts this. 0 or -1 with ENOMEM. */
int others_see(struct br_plan *plan, struct tree_work *tree, const struct br_entry *entry);
/** FACT_OTHER with its number, where the path lies under what others_see() has kept. */
unsigned others_flags(const struct tree_work *tree, const char *path);
/** Of that number; NULL: it has none. */
const struct br_other *other_of(const struct br_plan *plan, uint32_t number);

/* memory.c: */

/** Begin to remember, where that is asked for. Not being able to is no failure. */
void memory_begin(const struct br_plan *plan, struct tree_work *tree);
/** An entry, and its class where it has one. */
void memory_add(struct br_plan *plan, struct tree_work *tree, const struct br_entry *entry,
	struct class *class);
/** All outcomes are known: forget where something would be missing. */
void memory_settle(struct tree_work *tree);

/* plan.c: */

/** FNV-1a, of the empty path, and one byte on. */
#define PATH_HASH UINT64_C(14695981039346656037)
static inline uint64_t path_hash_on(uint64_t h, char c) {
	return (h ^ (unsigned char)c) * 1099511628211U;
}
uint64_t path_hash(const char *path, size_t n);

/* behind.c: */

void behind_init(struct tree_work *tree);
void behind_release(struct tree_work *tree);
/** The closed directories that a path lies in, of those that were seen. */
uint32_t behind_of(const struct tree_work *tree, const char *path);
/** Remember a closed directory, before what is in it is seen. 0 or -1 with ENOMEM. */
int behind_see(const struct br_plan *plan, struct tree_work *tree, const char *path,
	const struct facts *facts);
/** When all was seen: find out which of them stay closed, and to whom. 0 or -1 with ENOMEM. */
int behind_settle(const struct br_plan *plan, struct tree_work *tree);
/** choose(), for those only who get there. 0 or -1 with ENOMEM. */
int behind_choose(const struct br_plan *plan, const struct tree_work *tree,
	const struct facts *facts, struct outcome *out);

/* links.c: */

/** The class of one more name of a file with several links. 0 or -1 with ENOMEM. */
int link_mix(struct br_plan *plan, struct link *link, uint32_t class);
/** Files all of whose names were seen, under different demands, get a class of the demands of all
 * their names. 0 or -1 with ENOMEM. */
int links_join(struct br_plan *plan, struct tree_work *tree);

/* choose.c: */

/** What a strategy makes of an inode with these facts. 0 or -1 with ENOMEM. */
int choose(const struct br_plan *plan, const struct tree_work *tree, const struct facts *facts,
	struct outcome *out);
/** How many entries an ACL has room for on this file system, as far as is known. */
size_t acl_room(const struct tree_work *tree);
/** The strategy of a tree and one sentence why. NULL with ENOMEM. */
const char *choose_strategy(const struct br_plan *plan, struct tree_work *tree);
/** Whether entries would do where nothing may change hands, and nobody asked for that. */
bool choose_may_keep(const struct br_plan *plan, const struct tree_work *tree);
/** A host group that may be used for somebody of this cred. */
bool gid_usable(const struct br_plan *plan, const struct br_cred *cred, br_hostid gid);

/* effects.c: */

void effects_init(struct table *table);
/** Work out who gains and who loses by the change of a class. 0; -1 with an error in dx. */
int effects_add(struct br_plan *plan, const struct tree_work *tree, const struct class *class,
	struct br_diags *dx);
/** Write the tables out. */
int effects_finish(struct br_plan *plan);

/* danger.c: */

/** Refuse the tree if it is dangerous. 0, or -1 with ENOMEM. */
int danger_check(struct br_plan *plan, struct tree_work *tree);

/** Refuse the tree if changing it would copy too much, or say how much it copies. 0, or -1 with
 * ENOMEM. */
int copy_up_check(struct br_plan *plan, struct tree_work *tree);

/** Refuse the tree by a rule (NULL: a failed br_printf), and the option that lifts it, or NULL. 0,
 * or -1 with ENOMEM. */
int danger_refuse(
	struct br_plan *plan, struct tree_work *tree, const char *rule, const char *option);

/* quota.c: */

void quota_init(struct table *table);
/** Whether everybody has room for what the settled classes give him on the tree's file system, with
 * all that the trees before gave. 1, 0, or -1 with ENOMEM. */
int quota_fits(struct br_plan *plan, const struct tree_work *tree);
/** Refuse the tree where somebody has not; else keep it in mind for the next ones, and say who will
 * be past his soft limit. 0, or -1 with ENOMEM. */
int quota_check(struct br_plan *plan, struct tree_work *tree);

/* makes.c, accounts.c: */

/** 0; -1 with an error in dx. */
int makes_add(struct br_plan *plan, struct br_diags *dx);
int accounts_add(struct br_plan *plan, struct br_diags *dx);
/** Whether this demand's source is to be made. */
bool demand_missing(const struct br_demand *demand);
/** Whether this is the directory that is made for the (missing) demand. */
bool is_make_of(
	const struct br_make *make, const struct br_tree *tree, const struct br_demand *demand);

/* words.c: */

void actions_init(struct table *table);
/** Sum up the change of a class that has one. 0 or -1 with ENOMEM. */
int actions_add(struct br_plan *plan, const struct tree_work *tree, const struct class *class);
int actions_finish(struct br_plan *plan);

/* commands.c: */

/** An entry as it was and as it will be; ENTRY_NONE: not there. */
struct entry_change {
	uint16_t tag;
	uint8_t from;
	uint8_t to;
	uint32_t id;
};
enum {
	ENTRY_NONE = 0xff,
	ENTRY_CHANGES = 4,
};
/** The entries of the access ACL (without the mask) that differ; at most ENTRY_CHANGES are written,
 * the count is of all. */
size_t entry_changes(const struct br_inode *before, const struct br_inode *after,
	struct entry_change out[ENTRY_CHANGES]);
/** Ordinary commands that do exactly this; *out NULL where there is none. 0 or -1 with ENOMEM. */
int command_chown(const struct br_plan *plan, const struct tree_work *tree,
	const struct class *class, const char *path, const char **out);
int command_acl(
	const struct br_plan *plan, const struct class *class, const char *path, const char **out);
int command_default(
	const struct br_plan *plan, const struct br_acl *def, const char *path, const char **out);
/** One setfacl -R that leaves every inode of the tree as planned: its entry ("u:1001:rwX"), the
 * command; NULL where there is none. 0 or -1 with ENOMEM. */
int command_acl_tree(const struct br_plan *plan, const struct tree_work *tree, const char **entry,
	const char **command);

/* left.c: */

/** Of what is PROTECTED: by a read-only mount, and not by chattr. */
#define LEFT_BY_MOUNT (UINT32_MAX - 1)

void left_init(struct table *table);
/** Count what is left alone. `detail`: its owner, LEFT_BY_MOUNT, the number of the other mount; of
 * what root may change: its owner where root needs --from for it, or BR_NO_ID. 0 or -1 with ENOMEM.
 */
int left_add(struct br_plan *plan, const struct tree_work *tree, enum br_left_reason reason,
	uint32_t detail, const struct tally *tally);
int left_finish(struct br_plan *plan);

/* saved.c: */

/** Add a path to the sum. 0 or -1 with ENOMEM. */
int paths_add(struct br_arena *arena, struct path_sum **sum, const char *path);
/** Settled otherwise: its own digest. 0 or -1 with ENOMEM. */
int plan_digest(struct br_plan *plan);

/* notes.c: */

/** Add a sentence, owned by the plan's arena; NULL text is a failed br_printf. 0 or -1 with ENOMEM.
 */
int note_add(struct br_plan *plan, const char *text);
/** What will not be usable tomorrow, and advice about the spec. 0 or -1 with ENOMEM. */
int notes_tree(struct br_plan *plan, const struct tree_work *tree, const struct br_places *places);
/** Whether a tree of which nothing is changed is to be told of: directories are made for it. */
bool notes_due(const struct br_plan *plan, const struct tree_work *tree);
int notes_plan(struct br_plan *plan);
/* advice.c: */

/** Work out what could be changed in the input, and the choices. 0 or -1 with ENOMEM. */
int advice_all(struct br_plan *plan, const struct br_places *places);
/** "alice" or "1001"; "uid 1001 (alice)" or "uid 1001". NULL with ENOMEM. */
const char *user_word(const struct br_plan *plan, uint32_t uid);
const char *group_word(const struct br_plan *plan, uint32_t gid);
const char *uid_phrase(const struct br_plan *plan, uint32_t uid);

#endif
