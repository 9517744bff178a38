// Quotas: what changes hands counts for its new owner, and the kernel refuses the first inode for
// which he has no room. That is said before anything is changed.
//
// chown transfers one inode and what is allocated for it from one user's account to another's, a
// change of group from one group's to another's (dquot_transfer(), fs/quota/dquot.c;
// xfs_trans_alloc_ichange(), fs/xfs/xfs_trans.c). What somebody gives away does not make room here:
// in which order inodes are changed is nobody's promise. What the change itself may allocate, a
// block for an ACL or for a directory that is made, is not known before.

#include "work.h"

#include <base/sys.h>
#include <bindright/source.h>

#include <errno.h>
#include <string.h>
#include <time.h>

/** Somebody on one file system. */
struct quota {
	/** The key: no padding. */
	uint64_t dev;
	uint32_t group;
	uint32_t id;
	/** What the trees before give. */
	uint64_t space;
	uint64_t inodes;
	/** What this tree gives. */
	uint64_t more_space;
	uint64_t more_inodes;
	/** Asked for, and known. */
	bool asked;
	bool known;
	/** By the rules of XFS. */
	bool xfs;
	struct br_quota has;
};

/** One of the two that are limited. */
struct account {
	uint64_t used;
	uint64_t soft;
	uint64_t hard;
	uint64_t until;
	uint64_t given;
	/** Who is past the limit is given nothing at all. */
	bool strict;
};

enum verdict {
	VERDICT_FITS,
	/** Above the soft limit: it will bind later. */
	VERDICT_WARNED,
	VERDICT_REFUSED,
};

void quota_init(struct table *table) {
	table_init(table, 2 * sizeof(uint64_t), sizeof(struct quota));
}

static int give(struct br_plan *plan, const struct tree_work *tree, bool group, br_hostid id,
	const struct class *class) {
	const struct {
		uint64_t dev;
		uint32_t group;
		uint32_t id;
	} key = {tree->tree->root->dev, group, id.v};
	struct quota *quota = table_put(&plan->work->quotas, &key);
	if (quota == NULL) {
		return -1;
	}
	quota->more_space += class->space;
	quota->more_inodes += class->inside.count - class->abroad;
	return 0;
}

// What the tree gives, and to whom. 0 or -1 with ENOMEM.
static int sum_up(struct br_plan *plan, const struct tree_work *tree) {
	struct table *quotas = &plan->work->quotas;
	for (size_t i = 0; i < quotas->n; i++) {
		struct quota *quota = table_at(quotas, i);
		quota->more_space = 0;
		quota->more_inodes = 0;
	}
	for (size_t i = 0; i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		const struct br_inode *after = &class->outcome.after;
		if (class->outcome.kind != OUTCOME_CHANGE || class->inside.count <= class->abroad) {
			continue;
		}
		if ((after->uid.v != class->facts.uid
			    && give(plan, tree, false, after->uid, class) != 0)
			|| (after->gid.v != class->facts.gid
				&& give(plan, tree, true, after->gid, class) != 0)) {
			return -1;
		}
	}
	return 0;
}

// Where somebody has no limits of his own those of ID 0 are everybody's (xfs_get_defquota(),
// xfs_dqresv_check()).
static void take_defaults(const struct br_source *root, bool group, struct br_quota *has) {
	struct br_quota all;
	if (br_sys_quota(root->fd, group, 0, &all) != 0) {
		return;
	}
	has->space_soft = has->space_soft == 0 ? all.space_soft : has->space_soft;
	has->space_hard = has->space_hard == 0 ? all.space_hard : has->space_hard;
	has->inodes_soft = has->inodes_soft == 0 ? all.inodes_soft : has->inodes_soft;
	has->inodes_hard = has->inodes_hard == 0 ? all.inodes_hard : has->inodes_hard;
}

// Once for each; no server is waited for.
static void ask(const struct br_source *root, struct quota *quota) {
	bool xfs = strcmp(root->fs.type, "xfs") == 0;
	if (quota->asked) {
		return;
	}
	quota->asked = true;
	quota->xfs = xfs;
	// XFS holds ID 0 to nothing (xfs_trans_dqresv()).
	if (root->fs.remote || (xfs && quota->id == 0)) {
		return;
	}
	bool group = quota->group != 0;
	quota->known = br_sys_quota(root->fd, group, quota->id, &quota->has) == 0;
	if (!quota->known && xfs && errno == ENOENT) {
		// Who never had anything there.
		quota->has = (struct br_quota){0};
		quota->known = true;
	}
	if (quota->known && xfs) {
		take_defaults(root, group, &quota->has);
	}
}

static struct account space_of(const struct quota *quota) {
	const struct br_quota *has = &quota->has;
	return (struct account){has->space, has->space_soft, has->space_hard, has->space_until,
		quota->space + quota->more_space, !quota->xfs};
}

static struct account inodes_of(const struct quota *quota) {
	const struct br_quota *has = &quota->has;
	return (struct account){has->inodes, has->inodes_soft, has->inodes_hard, has->inodes_until,
		quota->inodes + quota->more_inodes, false};
}

// The soft limit binds where it was passed before and the time for that is over.
static bool is_over(const struct account *account) {
	time_t now = time(NULL);
	return account->until != 0 && now > 0 && (uint64_t)now >= account->until;
}

static bool passes(const struct account *account, uint64_t limit) {
	return limit != 0 && (account->used > limit || account->given > limit - account->used);
}

// dquot_add_space() and dquot_add_inodes(), fs/quota/dquot.c, for who lacks CAP_SYS_RESOURCE;
// xfs_dqresv_check(), fs/xfs/xfs_trans_dquot.c. XFS lets whoever has CAP_FOWNER pass limits by
// chown, and the new owner then write nothing more: that helps nobody. An empty file is a transfer
// of no space, which only XFS does not look at.
static enum verdict judge(const struct account *account) {
	if (account->given == 0 && !account->strict) {
		return VERDICT_FITS;
	}
	bool soft = passes(account, account->soft);
	if (passes(account, account->hard) || (soft && is_over(account))) {
		return VERDICT_REFUSED;
	}
	return soft ? VERDICT_WARNED : VERDICT_FITS;
}

static bool comes_before(const struct quota *a, const struct quota *b) {
	return a->group != b->group ? a->group < b->group : a->id < b->id;
}

// Whom the tree gives something, and what is known of him: from the lowest number on, users first,
// so that two plans of one tree read the same. NULL at the end.
static struct quota *next_touched(
	const struct br_plan *plan, const struct tree_work *tree, const struct quota *last) {
	const struct table *quotas = &plan->work->quotas;
	struct quota *next = NULL;
	for (size_t i = 0; i < quotas->n; i++) {
		struct quota *quota = table_at(quotas, i);
		if (quota->dev == tree->tree->root->dev && quota->more_inodes > 0 && quota->known
			&& (last == NULL || comes_before(last, quota))
			&& (next == NULL || comes_before(quota, next))) {
			next = quota;
		}
	}
	return next;
}

// Whether somebody has no room.
static bool find_full(const struct br_plan *plan, const struct tree_work *tree,
	const struct quota **out, bool *inodes) {
	const struct quota *quota = NULL;
	while ((quota = next_touched(plan, tree, quota)) != NULL) {
		const struct account space = space_of(quota);
		const struct account count = inodes_of(quota);
		bool full = judge(&space) == VERDICT_REFUSED;
		if (full || judge(&count) == VERDICT_REFUSED) {
			*out = quota;
			*inodes = !full;
			return true;
		}
	}
	return false;
}

static int gather(struct br_plan *plan, const struct tree_work *tree) {
	struct table *quotas = &plan->work->quotas;
	if (sum_up(plan, tree) != 0) {
		return -1;
	}
	for (size_t i = 0; i < quotas->n; i++) {
		struct quota *quota = table_at(quotas, i);
		if (quota->dev == tree->tree->root->dev && quota->more_inodes > 0) {
			ask(tree->tree->root, quota);
		}
	}
	return 0;
}

int quota_fits(struct br_plan *plan, const struct tree_work *tree) {
	const struct quota *full;
	bool inodes;
	return gather(plan, tree) != 0 ? -1 : !find_full(plan, tree, &full, &inodes);
}

static const char *count_of(struct br_arena *arena, uint64_t n) {
	return br_printf(arena, n == 1 ? "%llu inode" : "%llu inodes", (unsigned long long)n);
}

// "3 MiB", "1 inode"; what is given is rounded up, what is left down.
static const char *amount(struct br_arena *arena, uint64_t n, bool inodes, bool up) {
	if (inodes) {
		return count_of(arena, n);
	}
	bool large = n >= 1 << 20;
	uint64_t unit = large ? 1 << 20 : 1 << 10;
	unsigned long long count = n / unit + (up && n % unit != 0);
	return br_printf(arena, large ? "%llu MiB" : "%llu KiB", count);
}

static const char *name_of(const struct br_plan *plan, const struct quota *quota) {
	if (quota->group == 0) {
		return uid_phrase(plan, quota->id);
	}
	const char *word = group_word(plan, quota->id);
	return word == NULL ? NULL : br_printf(plan->arena, "group %s", word);
}

static const char *place_of(const struct br_plan *plan, const struct tree_work *tree) {
	const struct br_fs *fs = &tree->tree->root->fs;
	return br_printf(plan->arena, "%s (%s)",
		fs->mount_point != NULL ? fs->mount_point : tree->tree->path, fs->type);
}

static uint64_t what_is_left(const struct account *account) {
	uint64_t limit =
		is_over(account) && passes(account, account->soft) ? account->soft : account->hard;
	return limit > account->used ? limit - account->used : 0;
}

// What can be done, where the refused way is not the only one. NULL with ENOMEM.
static const char *way_out(
	const struct br_plan *plan, const struct tree_work *tree, const char *who) {
	bool entries = tree->strategy == BR_STRATEGY_CHOWN && !plan->options->reclaim
		&& tree->tree->root->fs.keeps_acls != BR_NO;
	return entries ? "with entries nothing changes hands: --strategy acl"
		       : br_printf(plan->arena, "a larger quota for %s", who);
}

static int refuse_full(
	struct br_plan *plan, struct tree_work *tree, const struct quota *full, bool inodes) {
	struct account account = inodes ? inodes_of(full) : space_of(full);
	const char *given = amount(plan->arena, account.given, inodes, true);
	const char *left = amount(plan->arena, what_is_left(&account), inodes, false);
	const char *who = name_of(plan, full);
	const char *place = place_of(plan, tree);
	bool before = (inodes ? full->inodes : full->space) > 0;
	const char *option = who == NULL ? NULL : way_out(plan, tree, who);
	if (given == NULL || left == NULL || place == NULL || option == NULL) {
		return -1;
	}
	return danger_refuse(plan, tree,
		br_printf(plan->arena, "would%s give %s to %s, who has %s left of the quota on %s",
			before ? ", with what lies elsewhere," : "", given, who, left, place),
		option);
}

static int warn(struct br_plan *plan, const struct tree_work *tree, const struct quota *quota) {
	struct account account[] = {space_of(quota), inodes_of(quota)};
	for (size_t k = 0; k < 2; k++) {
		if (judge(&account[k]) != VERDICT_WARNED) {
			continue;
		}
		const char *who = name_of(plan, quota);
		const char *place = place_of(plan, tree);
		const char *given = amount(plan->arena, account[k].given, k == 1, true);
		if (who == NULL || place == NULL || given == NULL
			|| note_add(plan,
				   br_printf(plan->arena,
					   "%s gets %s and will be past the soft limit of the quota on %s: when its "
					   "time is over nothing more can be written there",
					   who, given, place))
				!= 0) {
			return -1;
		}
	}
	return 0;
}

int quota_check(struct br_plan *plan, struct tree_work *tree) {
	struct table *quotas = &plan->work->quotas;
	const struct quota *full;
	bool inodes;
	if (gather(plan, tree) != 0) {
		return -1;
	}
	if (find_full(plan, tree, &full, &inodes)) {
		return refuse_full(plan, tree, full, inodes);
	}
	const struct quota *quota = NULL;
	while ((quota = next_touched(plan, tree, quota)) != NULL) {
		if (warn(plan, tree, quota) != 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < quotas->n; i++) {
		struct quota *kept = table_at(quotas, i);
		kept->space += kept->more_space;
		kept->inodes += kept->more_inodes;
		kept->more_space = 0;
		kept->more_inodes = 0;
	}
	return 0;
}
