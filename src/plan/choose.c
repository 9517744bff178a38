#include "work.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>

/** One inode under consideration. */
struct choice {
	const struct br_plan *plan;
	const struct tree_work *tree;
	struct br_inode inode;
	struct people people;
	bool acls;
	bool in_sticky;
	struct draft draft;
};

bool gid_usable(const struct br_plan *plan, const struct br_cred *cred, br_hostid gid) {
	return gid.v != 0 && gid.v != BR_NO_ID
		&& (gid.v >= plan->work->limits.gid_min || gid.v == cred->uid.v);
}

// Entries for everybody who wants something and is not the owner; the owner's own bits. `owner`:
// who will be the owner. False: it would need an ACL where there is none.
static bool grant_names(struct choice *c, br_hostid owner) {
	for (size_t i = 0; i < c->people.n; i++) {
		const struct person *person = &c->people.v[i];
		br_hostid uid = person->cred->uid;
		if (!person->wanting) {
			continue;
		}
		if (uid.v == owner.v) {
			c->draft.owner |= person->need;
			continue;
		}
		if (!c->acls) {
			return false;
		}
		unsigned perm = person->need;
		for (size_t k = 0; k < c->people.n; k++) {
			const struct person *same = &c->people.v[k];
			perm |= same->wanting && same->cred->uid.v == uid.v ? same->need : 0;
		}
		draft_name(&c->draft, uid, perm | held(c->plan, c->tree, &c->inode, uid));
	}
	return true;
}

static int choose_acl(struct choice *c, struct outcome *out) {
	if (draft_open(c->plan, &c->draft, &c->inode) != 0) {
		return -1;
	}
	if (!grant_names(c, c->inode.uid)) {
		return 0;
	}
	out->kind = OUTCOME_CHANGE;
	return draft_close(c->plan, &c->draft, &out->after);
}

// Whether every process of a UID that is not the owner may exactly these bits, whatever groups it
// is in.
static bool has_exactly(const struct br_inode *inode, br_hostid uid, unsigned perm) {
	unsigned group = inode->mode >> 3 & 7;
	if (inode->acl != NULL && group != 0) {
		const struct br_acl_entry *entry = br_acl_find(inode->acl, BR_ACL_USER, uid);
		return entry != NULL && (entry->perm & group) == perm;
	}
	return group == perm && (inode->mode & 7) == perm;
}

// The owner that was keeps what he had, by an entry where the classes do not give him just that.
// Root had everything and still has. 1 done, 0 cannot be done, -1 ENOMEM.
static int keep_owner(struct choice *c, struct br_inode *after) {
	unsigned bits = c->inode.mode >> 6 & 7;
	if (draft_close(c->plan, &c->draft, after) != 0) {
		return -1;
	}
	if (c->inode.uid.v == 0 || has_exactly(after, c->inode.uid, bits)) {
		return 1;
	}
	if (!c->acls) {
		return 0;
	}
	draft_name(&c->draft, c->inode.uid, bits);
	return draft_close(c->plan, &c->draft, after) == 0 ? 1 : -1;
}

// The group goes along only where the group class is the same as the others: then nobody's
// membership matters.
static void move_group(const struct choice *c, const struct br_cred *to, struct br_inode *after) {
	bool same = (after->mode >> 3 & 7) == (after->mode & 7) && c->inode.acl == NULL
		&& after->acl == NULL;
	bool hands_down = S_ISDIR(after->mode) && (after->mode & 02000) != 0;
	if (same && !hands_down && gid_usable(c->plan, to, to->gid)) {
		after->gid = to->gid;
	}
}

// A regular file under a new owner or group loses setuid, setgid and capabilities, as chown itself
// has it.
static void drop_privilege(const struct br_inode *before, struct br_inode *after) {
	bool moved = before->uid.v != after->uid.v || before->gid.v != after->gid.v;
	if (moved && S_ISREG(after->mode)) {
		after->mode &= ~(uint32_t)06000;
		after->caps = NULL;
	}
}

// The first who wants something, unless it belongs to one of the tree's demands already: then the
// others get entries. NULL.
static const struct person *find_heir(const struct choice *c) {
	if (c->inode.uid.v == 0 && (c->tree->root_caps >> CAP_DAC_OVERRIDE & 1) == 0) {
		return NULL;
	}
	for (size_t i = 0; i < c->tree->tree->n; i++) {
		const struct br_cred *cred = &c->tree->tree->demands[i].identity->cred;
		if (cred->uid.v == c->inode.uid.v && !overrides(cred)) {
			return NULL;
		}
	}
	const struct person *heir = NULL;
	for (size_t i = 0; i < c->people.n; i++) {
		const struct person *person = &c->people.v[i];
		if (person->cred->uid.v == c->inode.uid.v && !overrides(person->cred)) {
			return NULL;
		}
		if (heir == NULL && person->wanting) {
			heir = person;
		}
	}
	return heir;
}

// Root's rights come from its override, unless a container of root's has lost it.
static bool root_overrides(const struct choice *c) {
	if ((c->tree->root_caps >> CAP_DAC_OVERRIDE & 1) == 0) {
		return false;
	}
	for (size_t i = 0; i < c->tree->tree->n; i++) {
		const struct br_demand *demand = &c->tree->tree->demands[i];
		const struct br_cred *cred = &demand->identity->cred;
		if (demand_counts(demand) && cred->uid.v == 0 && !overrides(cred)) {
			return false;
		}
	}
	return true;
}

// In a sticky directory only CAP_FOWNER lets root delete what is not his (include/linux/fs.h,
// check_sticky): its override does not.
static bool root_deletes(const struct choice *c) {
	if ((c->tree->root_caps >> CAP_FOWNER & 1) == 0) {
		return false;
	}
	for (size_t i = 0; i < c->tree->tree->n; i++) {
		const struct br_demand *demand = &c->tree->tree->demands[i];
		const struct br_cred *cred = &demand->identity->cred;
		if (demand_counts(demand) && cred->uid.v == 0
			&& (cred->caps >> CAP_FOWNER & 1) == 0) {
			return false;
		}
	}
	return root_overrides(c);
}

// Whether somebody would lose the right to delete: in a sticky directory it is that of owners, of
// the entry and of the directory, and no entry gives it.
static bool deletes_as_owner(const struct choice *c) {
	bool sticky = S_ISDIR(c->inode.mode) && (c->inode.mode & S_ISVTX) != 0;
	return (sticky || c->in_sticky) && (c->inode.uid.v != 0 || !root_deletes(c));
}

static unsigned need_of_demand(const struct choice *c, const struct br_cred *cred) {
	unsigned need = 0;
	for (size_t i = 0; i < c->people.n; i++) {
		need |= c->people.v[i].cred == cred ? c->people.v[i].need : 0;
	}
	return need;
}

// In a user namespace capabilities count for inodes whose owner and group it knows: whose these
// become decides about them.
static bool gains_by_caps(
	const struct choice *c, const struct br_inode *after, const struct br_cred *cred) {
	unsigned need = need_of_demand(c, cred);
	for (unsigned want = 1; want <= 7; want++) {
		bool had = br_access(&c->inode, cred, &plain_where, want).missing == 0;
		bool has = br_access(after, cred, &plain_where, want).missing == 0;
		// What goes back to the host need not serve more than is needed.
		if ((has && !had && (want & ~need) != 0)
			|| (had && !has && !c->plan->options->reclaim)) {
			return true;
		}
	}
	return false;
}

static bool moves_caps(const struct choice *c, const struct br_inode *after) {
	if (after->uid.v == c->inode.uid.v && after->gid.v == c->inode.gid.v) {
		return false;
	}
	for (size_t i = 0; i < c->tree->tree->n; i++) {
		const struct br_demand *demand = &c->tree->tree->demands[i];
		const struct br_cred *cred = &demand->identity->cred;
		// What becomes his is his altogether. Whom the engine gives its mount to has a
		// capability all the same.
		bool heir = cred->uid.v == after->uid.v && cred->uid.v != c->inode.uid.v;
		bool known = !demand->identity->unmapped && cred->uid.v != BR_NO_ID
			&& cred->gid.v != BR_NO_ID && demand->mount_uids.n == 0;
		if (known && !heir && cred->uids.n > 0 && cred->caps != 0
			&& gains_by_caps(c, after, cred)) {
			return true;
		}
	}
	return false;
}

static int choose_chown(struct choice *c, struct outcome *out) {
	const struct person *heir = find_heir(c);
	if (heir == NULL || deletes_as_owner(c)) {
		return choose_acl(c, out);
	}
	if (draft_open(c->plan, &c->draft, &c->inode) != 0) {
		return -1;
	}
	br_hostid uid = heir->cred->uid;
	if (!grant_names(c, uid)) {
		return 0;
	}
	c->draft.owner |= held(c->plan, c->tree, &c->inode, uid);
	out->after.uid = uid;
	int kept = keep_owner(c, &out->after);
	if (kept <= 0) {
		return kept;
	}
	move_group(c, heir->cred, &out->after);
	drop_privilege(&c->inode, &out->after);
	if (moves_caps(c, &out->after)) {
		out->after = c->inode;
		return choose_acl(c, out);
	}
	out->kind = OUTCOME_CHANGE;
	return 0;
}

// What the owner that was is given by demands.
static unsigned owner_need(const struct choice *c) {
	unsigned need = 0;
	for (size_t i = 0; i < c->people.n; i++) {
		const struct person *person = &c->people.v[i];
		need |= person->wanting && person->cred->uid.v == c->inode.uid.v ? person->need : 0;
	}
	return need;
}

// Whether the owner that was can do what he could, and nothing else but what he needs, whoever he
// may be.
static bool keeps_owner(const struct choice *c, const struct br_inode *after) {
	unsigned need = owner_need(c);
	struct br_cred cred;
	if (!uid_is_known(c->plan, c->tree, c->inode.uid)) {
		return has_exactly(after, c->inode.uid, (c->inode.mode >> 6 & 7) | need);
	}
	for (size_t i = 0; creds_next(c->plan, c->tree, c->inode.uid, &i, &cred);) {
		for (unsigned want = 1; want <= 7; want++) {
			bool had = br_access(&c->inode, &cred, &plain_where, want).missing == 0;
			bool has = br_access(after, &cred, &plain_where, want).missing == 0;
			if (had != has && (had || (want & ~need) != 0)) {
				return false;
			}
		}
	}
	return true;
}

// reclaim: the keeper becomes the owner; who owned it keeps what he had, by a group that he has or
// by an entry.
static int choose_back(struct choice *c, struct outcome *out) {
	const struct br_keeper *keeper = &c->plan->options->keepers[0];
	unsigned bits = c->inode.mode >> 6 & 7;
	if (account_load(c->plan, keeper->cred.uid) != 0 || account_load(c->plan, c->inode.uid) != 0
		|| draft_open(c->plan, &c->draft, &c->inode) != 0) {
		return -1;
	}
	// Who gets a sticky directory could delete what is others'.
	if ((S_ISDIR(c->inode.mode) && (c->inode.mode & S_ISVTX) != 0) || deletes_as_owner(c)) {
		out->reason = BR_LEFT_STICKY;
		return 0;
	}
	if (!grant_names(c, keeper->cred.uid)) {
		return 0;
	}
	c->draft.owner |= held(c->plan, c->tree, &c->inode, keeper->cred.uid);
	out->after.uid = keeper->cred.uid;
	if (draft_close(c->plan, &c->draft, &out->after) != 0) {
		return -1;
	}
	bool root = c->inode.uid.v == 0 && root_overrides(c);
	if (!root && !keeps_owner(c, &out->after)) {
		if (!c->acls) {
			return 0;
		}
		draft_name(&c->draft, c->inode.uid, bits | owner_need(c));
		if (draft_close(c->plan, &c->draft, &out->after) != 0) {
			return -1;
		}
	}
	move_group(c, &keeper->cred, &out->after);
	drop_privilege(&c->inode, &out->after);
	if (!moves_caps(c, &out->after)) {
		out->kind = OUTCOME_CHANGE;
	}
	return 0;
}

// A group that all who want something are in.
static bool common_group(const struct choice *c, br_hostid gid) {
	for (size_t i = 0; i < c->people.n; i++) {
		const struct person *person = &c->people.v[i];
		if (person->wanting && person->cred->uid.v != c->inode.uid.v
			&& (!br_cred_in_group(person->cred, gid)
				|| !gid_usable(c->plan, person->cred, gid))) {
			return false;
		}
	}
	return true;
}

// Whether the caller may give the inode to this group, and back again to the one that it has now:
// for undo.
static bool may_give(const struct choice *c, br_hostid gid, bool as_root) {
	return as_root || c->plan->options->caller.v == 0
		|| (is_own_group(c->plan, gid.v) && is_own_group(c->plan, c->inode.gid.v));
}

// Of who is not in the group chmod() takes the bit away without a word (fs/attr.c, setattr_copy).
static bool may_set_setgid(const struct choice *c, br_hostid gid) {
	return c->plan->options->caller.v == 0 || is_own_group(c->plan, gid.v);
}

static bool find_group(const struct choice *c, bool as_root, br_hostid *out) {
	if (common_group(c, c->inode.gid)) {
		*out = c->inode.gid;
		return true;
	}
	for (size_t i = 0; i < c->people.n; i++) {
		const struct br_cred *cred = c->people.v[i].cred;
		if (!c->people.v[i].wanting) {
			continue;
		}
		if (common_group(c, cred->gid) && may_give(c, cred->gid, as_root)) {
			*out = cred->gid;
			return true;
		}
		for (size_t k = 0; k < cred->ngroups; k++) {
			if (common_group(c, cred->groups[k])
				&& may_give(c, cred->groups[k], as_root)) {
				*out = cred->groups[k];
				return true;
			}
		}
	}
	return false;
}

static int choose_group(struct choice *c, struct outcome *out) {
	unsigned owner = 0;
	unsigned group = 0;
	for (size_t i = 0; i < c->people.n; i++) {
		const struct person *person = &c->people.v[i];
		if (person->wanting && person->cred->uid.v == c->inode.uid.v) {
			owner |= person->need;
		} else if (person->wanting) {
			group |= person->need;
		}
	}
	struct br_inode *after = &out->after;
	after->mode |= owner << 6;
	if (group != 0) {
		br_hostid gid;
		unsigned g = c->inode.mode >> 3 & 7;
		unsigned o = c->inode.mode & 7;
		// Whoever is in the group that was falls to the others: only where that is the same.
		bool found = c->inode.acl == NULL && find_group(c, false, &gid);
		if (!found && c->inode.acl == NULL && find_group(c, true, &gid) && g == o) {
			out->reason = BR_LEFT_NOT_PERMITTED;
		}
		if (!found || (gid.v != c->inode.gid.v && g != o)) {
			return 0;
		}
		after->gid = gid;
		after->mode |= group << 3;
		if (S_ISDIR(after->mode) && (group & BR_W) != 0 && may_set_setgid(c, gid)) {
			after->mode |= 02000;
		}
		drop_privilege(&c->inode, after);
		if (moves_caps(c, after)) {
			return 0;
		}
	} else if (c->inode.acl != NULL) {
		return choose_acl(c, out);
	}
	out->kind = OUTCOME_CHANGE;
	return 0;
}

static int choose_by(struct choice *c, struct outcome *out) {
	const struct br_fs *fs = &c->tree->tree->root->fs;
	if (fs->keeps_owners == BR_NO || br_fs_is_private(fs) || fs->nfs4_acl) {
		return 0;
	}
	if (c->plan->options->reclaim) {
		return choose_back(c, out);
	}
	switch (c->tree->strategy) {
	case BR_STRATEGY_CHOWN:
		return choose_chown(c, out);
	case BR_STRATEGY_GROUP:
		return choose_group(c, out);
	case BR_STRATEGY_AUTO:
	case BR_STRATEGY_ACL:
		break;
	}
	return choose_acl(c, out);
}

// Whether they are all served, and what they need then is no more than what they need now.
static bool serves_all(struct choice *c, uint64_t demands, const struct br_inode *after) {
	struct people now;
	const struct people_at at = {after, NULL, demands};
	people_find(c->plan, c->tree, &at, &now);
	return now.wanting == 0;
}

// Measured (Linux 6.18): with one entry more setxattr() says ENOSPC or E2BIG. Of ext* with blocks
// of 4 KiB; with smaller ones it is less.
size_t acl_room(const struct tree_work *tree) {
	static const struct {
		const char *type;
		size_t entries;
	} rooms[] = {{"ext", 507}, {"overlay", 507}, {"btrfs", 1961}, {"xfs", 5461}};
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		if (strncmp(tree->tree->root->fs.type, rooms[i].type, strlen(rooms[i].type)) == 0) {
			return rooms[i].entries;
		}
	}
	return 8191;
}

static bool has_room(const struct tree_work *tree, const struct br_acl *acl) {
	return acl == NULL || acl->n <= acl_room(tree);
}

// --future-files, or the mount's own wish: a directory gets a default ACL, and one that has one
// already gets what it lacks.
static int add_default(struct choice *c, const struct facts *facts, struct outcome *out) {
	enum br_left_reason reason;
	if (c->plan->options->reclaim || !wants_future(c->plan, c->tree->tree, facts->demands)
		|| !S_ISDIR(facts->mode) || c->people.need == 0 || out->kind == OUTCOME_LEFT
		|| !c->acls || c->tree->foreign || c->tree->strategy == BR_STRATEGY_GROUP
		|| !gate_open(c->plan, c->tree, facts, false, &reason)) {
		return 0;
	}
	const struct br_acl *def;
	if (draft_default(c->plan, &out->after, &c->people, &def) != 0) {
		return -1;
	}
	if (def != facts->def && has_room(c->tree, def)) {
		out->after.def = def;
		out->kind = OUTCOME_CHANGE;
	}
	return 0;
}

static int load_people(const struct choice *c) {
	for (size_t i = 0; i < c->people.n; i++) {
		if (account_load(c->plan, c->people.v[i].cred->uid) != 0) {
			return -1;
		}
	}
	return 0;
}

// What one is given can make others need more; it only ever grows, by one of three bits.
static int choose_wanted(struct choice *c, const struct facts *facts, struct outcome *out) {
	bool own = !c->plan->options->reclaim;
	for (size_t i = 0; i < c->people.n; i++) {
		const struct person *person = &c->people.v[i];
		own = own && (!person->wanting || person->cred->uid.v == facts->uid);
	}
	if (!gate_open(c->plan, c->tree, facts, own, &out->reason)) {
		out->kind = OUTCOME_LEFT;
		return 0;
	}
	for (unsigned round = 0; round < 4; round++) {
		struct br_inode last = out->after;
		const struct people_at at = {&c->inode, &last, facts->demands};
		*out = (struct outcome){OUTCOME_LEFT, BR_LEFT_NO_EXACT_STATE, c->inode};
		people_find(c->plan, c->tree, &at, &c->people);
		if (load_people(c) != 0 || choose_by(c, out) != 0) {
			return -1;
		}
		if (out->kind == OUTCOME_CHANGE && !has_room(c->tree, out->after.acl)) {
			break;
		}
		if (out->kind == OUTCOME_LEFT || serves_all(c, facts->demands, &out->after)) {
			return 0;
		}
	}
	out->kind = OUTCOME_LEFT;
	return 0;
}

int choose(const struct br_plan *plan, const struct tree_work *tree, const struct facts *facts,
	struct outcome *out) {
	struct choice c = {
		.plan = plan,
		.tree = tree,
		.inode = facts_inode(facts),
		.acls = tree->tree->root->fs.keeps_acls != BR_NO && !tree->tree->root->fs.nfs4_acl,
		.in_sticky = (facts->flags & FACT_STICKY) != 0,
	};
	*out = (struct outcome){.kind = OUTCOME_FITS, .after = c.inode};
	if ((facts->flags & FACT_UNREAD) != 0) {
		return 0;
	}
	const struct people_at at = {&c.inode, NULL, facts->demands};
	people_find(plan, tree, &at, &c.people);
	if (plan->options->reclaim) {
		// Whose a link is decides nothing.
		return S_ISLNK(facts->mode) || !gate_left_behind(plan, tree, facts->uid)
			? 0
			: choose_wanted(&c, facts, out);
	}
	if (c.people.wanting > 0 && choose_wanted(&c, facts, out) != 0) {
		return -1;
	}
	return add_default(&c, facts, out);
}

static bool all_of(const struct tree_work *tree, uint32_t uid) {
	for (size_t i = 0; i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		if (class->facts.uid != uid && class->facts.uid != 0) {
			return false;
		}
	}
	return true;
}

// Whether an image is known to change the modes of its data when it starts.
static bool chmods(const struct tree_work *tree) {
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		const struct br_image_drop *drop = demand->identity->drop;
		if (drop != NULL && drop->chmods && !demand->read_only) {
			return true;
		}
	}
	return false;
}

bool choose_may_keep(const struct br_plan *plan, const struct tree_work *tree) {
	return plan->options->strategy == BR_STRATEGY_AUTO && !plan->options->reclaim
		&& tree->strategy == BR_STRATEGY_CHOWN && tree->tree->root->fs.keeps_acls != BR_NO
		&& !chmods(tree);
}

const char *choose_strategy(const struct br_plan *plan, struct tree_work *tree) {
	struct br_arena *arena = plan->arena;
	const struct br_fs *fs = &tree->tree->root->fs;
	tree->strategy = plan->options->strategy;
	if (plan->options->reclaim) {
		tree->strategy = BR_STRATEGY_CHOWN;
		return br_printf(arena, "what containers left behind goes back to %s",
			plan->options->keepers[0].name);
	}
	if (tree->strategy != BR_STRATEGY_AUTO) {
		return br_strdup(arena, "asked for by --strategy");
	}
	bool alone = (tree->root_caps >> CAP_DAC_OVERRIDE & 1) != 0;
	bool gives = plan->options->caller.v == 0 && tree->single && tree->writes && alone;
	if (gives && all_of(tree, tree->sole.v)) {
		tree->strategy = BR_STRATEGY_CHOWN;
		return br_printf(arena,
			"everything in it belongs to root or to uid %u, who alone needs it",
			tree->sole.v);
	}
	if (gives && chmods(tree)) {
		tree->strategy = BR_STRATEGY_CHOWN;
		return br_strdup(arena,
			"its image changes modes at every start, which switches ACL entries off");
	}
	if (fs->keeps_acls == BR_NO) {
		tree->strategy = BR_STRATEGY_GROUP;
		return br_printf(arena, "its file system (%s) keeps no ACLs", fs->type);
	}
	tree->strategy = BR_STRATEGY_ACL;
	if (!tree->used) {
		return br_strdup(arena, "only root uses it, who may everything");
	}
	if (!tree->single) {
		return br_strdup(arena, "several identities need it");
	}
	if (!tree->writes) {
		return br_strdup(arena, "who only reads it need not own it");
	}
	if (all_of(tree, tree->sole.v)) {
		return br_strdup(arena,
			alone ? "only root could give it away"
			      : "who else uses it is not known, and may need root to own it");
	}
	return br_printf(arena, "not everything in it belongs to root or to uid %u", tree->sole.v);
}
