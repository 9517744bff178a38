#include "work.h"

#include <linux/capability.h>
#include <string.h>

enum who_kind {
	WHO_UID,
	WHO_GID,
	WHO_OTHERS,
};

/** The key: somebody's change below one tree. */
struct effect_key {
	uint32_t tree;
	uint32_t kind;
	uint32_t id;
	uint16_t from;
	uint16_t to;
};

struct effect {
	struct effect_key key;
	struct tally tally;
};

void effects_init(struct table *table) {
	table_init(table, sizeof(struct effect_key), sizeof(struct effect));
}

/** One change under proof. */
struct proof {
	struct br_plan *plan;
	const struct tree_work *tree;
	const struct class *class;
	struct br_inode before;
	struct br_inode after;
	struct people people;
	struct br_diags *dx;
};

static unsigned have(const struct br_inode *inode, const struct br_cred *cred) {
	return br_access(inode, cred, &plain_where, BR_R | BR_W | BR_X).have;
}

// Which sets of bits are granted at once, as bit 1 << set: a single group entry must hold them all,
// so single bits do not say it.
static unsigned grants(const struct br_inode *inode, const struct br_cred *cred) {
	unsigned out = 0;
	for (unsigned want = 1; want <= 7; want++) {
		out |= br_access(inode, cred, &plain_where, want).missing == 0 ? 1u << want : 0;
	}
	return out;
}

// The sets that lie within `bits`.
static unsigned sets_within(unsigned bits) {
	unsigned out = 0;
	for (unsigned want = 1; want <= 7; want++) {
		out |= (want & ~bits) == 0 ? 1u << want : 0;
	}
	return out;
}

static int record(struct proof *p, enum who_kind kind, uint32_t id, unsigned from, unsigned to) {
	if (from == to) {
		return 0;
	}
	struct effect_key key = {
		.tree = (uint32_t)(p->tree - p->plan->work->trees),
		.kind = kind,
		.id = id,
		.from = (uint16_t)from,
		.to = (uint16_t)to,
	};
	struct effect *effect = table_put(&p->plan->work->effects, &key);
	if (effect == NULL) {
		return br_error_memory(p->dx);
	}
	tally_merge(&effect->tally, &p->class->inside);
	return 0;
}

static int bug(const struct proof *p, const struct br_cred *cred, bool lost) {
	const struct tally *seen = &p->class->seen;
	const char *path = seen->nexamples > 0 ? seen->examples[0] : "";
	return br_error(p->dx, (struct br_span){0},
		"internal: uid %u with gid %u would %s access to '%s%s%s', which no demand explains; "
		"nothing was changed",
		cred->uid.v, cred->gid.v, lost ? "lose" : "gain", p->tree->tree->path,
		*path == '\0' ? "" : "/", path);
}

// Nobody loses; nobody gains more than `allowed`.
static int prove(const struct proof *p, const struct br_cred *cred, unsigned allowed) {
	unsigned before = grants(&p->before, cred);
	unsigned after = grants(&p->after, cred);
	if ((before & ~after) != 0) {
		return bug(p, cred, true);
	}
	if ((after & ~before & ~sets_within(allowed)) != 0) {
		return bug(p, cred, false);
	}
	return 0;
}

// The bits that the group strategy gives to whoever is in the file's new group.
static unsigned group_gives(const struct proof *p) {
	bool given = p->tree->strategy == BR_STRATEGY_GROUP
		&& (p->after.gid.v != p->before.gid.v
			|| (p->after.mode & 070) != (p->before.mode & 070));
	return given ? p->people.need | (p->before.mode >> 3 & 7) | (p->before.mode & 7) : 0;
}

// What demands explain for a process of this UID.
static unsigned explained(const struct proof *p, const struct br_cred *cred) {
	unsigned bits = 0;
	for (size_t i = 0; i < p->people.n; i++) {
		const struct person *person = &p->people.v[i];
		bits |= person->cred->uid.v == cred->uid.v ? person->need : 0;
	}
	bool heir = p->plan->options->reclaim && p->after.uid.v == cred->uid.v;
	if (bits != 0 || heir) {
		bits |= held(p->plan, p->tree, &p->before, cred->uid);
		// Who becomes the owner has his bits.
		bits |= p->after.uid.v == cred->uid.v ? p->after.mode >> 6 & 7 : 0;
	}
	return br_cred_in_group(cred, p->after.gid) ? bits | group_gives(p) : bits;
}

// The cred that stands for a UID in the report: of a demand, else of the account, else bare.
static struct br_cred shown_cred(const struct proof *p, br_hostid uid) {
	for (size_t i = 0; i < p->people.n; i++) {
		if (p->people.v[i].cred->uid.v == uid.v) {
			return *p->people.v[i].cred;
		}
	}
	// One whom a demand has elsewhere in the tree is known all the same.
	for (size_t i = 0; i < p->tree->tree->n && uid_is_known(p->plan, p->tree, uid); i++) {
		const struct br_demand *demand = &p->tree->tree->demands[i];
		if (demand_counts(demand) && demand->identity->cred.uid.v == uid.v) {
			return demand->identity->cred;
		}
	}
	const struct account_cred *account = table_find(&p->plan->work->accounts, &uid.v);
	return account != NULL && account->exists ? account->cred
						  : bare_cred(uid, p->plan->work->stranger);
}

// Root holds CAP_DAC_OVERRIDE, whatever the bits say: only a demand of root without it makes them
// count.
static bool root_counts(const struct proof *p) {
	if ((p->tree->root_caps >> CAP_DAC_OVERRIDE & 1) == 0) {
		return true;
	}
	for (size_t i = 0; i < p->people.n; i++) {
		const struct br_cred *cred = p->people.v[i].cred;
		if (cred->uid.v == 0 && !overrides(cred)) {
			return true;
		}
	}
	return false;
}

static int prove_uid(struct proof *p, br_hostid uid) {
	if (uid.v == 0 && !root_counts(p)) {
		return 0;
	}
	if (account_load(p->plan, uid) != 0) {
		return br_error_memory(p->dx);
	}
	struct br_cred cred;
	for (size_t i = 0; creds_next(p->plan, p->tree, uid, &i, &cred);) {
		if (prove(p, &cred, explained(p, &cred)) != 0) {
			return -1;
		}
	}
	cred = shown_cred(p, uid);
	return record(p, WHO_UID, uid.v, have(&p->before, &cred), have(&p->after, &cred));
}

static int prove_gid(struct proof *p, br_hostid gid) {
	struct br_cred cred = bare_cred(p->plan->work->stranger, gid);
	unsigned allowed = gid.v == p->after.gid.v ? group_gives(p) : 0;
	if (prove(p, &cred, allowed) != 0) {
		return -1;
	}
	return record(p, WHO_GID, gid.v, have(&p->before, &cred), have(&p->after, &cred));
}

/** IDs that were proved already for one change. */
struct ids {
	br_hostid *v;
	size_t n;
};

static bool add_id(struct ids *ids, br_hostid id) {
	for (size_t i = 0; i < ids->n; i++) {
		if (ids->v[i].v == id.v) {
			return false;
		}
	}
	ids->v[ids->n++] = id;
	return true;
}

static void add_named(struct ids *uids, struct ids *gids, const struct br_acl *acl) {
	for (size_t i = 0; acl != NULL && i < acl->n; i++) {
		if (acl->entries[i].tag == BR_ACL_USER) {
			(void)add_id(uids, acl->entries[i].id);
		} else if (acl->entries[i].tag == BR_ACL_GROUP) {
			(void)add_id(gids, acl->entries[i].id);
		}
	}
}

static int prove_ids(struct proof *p, struct ids *uids, struct ids *gids) {
	const struct br_plan_options *options = p->plan->options;
	(void)add_id(uids, p->before.uid);
	(void)add_id(uids, p->after.uid);
	(void)add_id(gids, p->before.gid);
	(void)add_id(gids, p->after.gid);
	add_named(uids, gids, p->before.acl);
	add_named(uids, gids, p->after.acl);
	for (size_t i = 0; i < p->tree->tree->n; i++) {
		const struct br_demand *demand = &p->tree->tree->demands[i];
		if (demand_counts(demand)) {
			(void)add_id(uids, demand->identity->cred.uid);
		}
	}
	for (size_t i = 0; i < options->nkeepers; i++) {
		(void)add_id(uids, options->keepers[i].cred.uid);
	}
	for (size_t i = 0; i < uids->n; i++) {
		if (prove_uid(p, uids->v[i]) != 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < gids->n; i++) {
		if (prove_gid(p, gids->v[i]) != 0) {
			return -1;
		}
	}
	struct br_cred stranger = bare_cred(p->plan->work->stranger, p->plan->work->stranger);
	return prove(p, &stranger, 0);
}

static size_t entries_of(const struct br_acl *acl) {
	return acl == NULL ? 0 : acl->n;
}

int effects_add(struct br_plan *plan, const struct tree_work *tree, const struct class *class,
	struct br_diags *dx) {
	struct proof p = {
		.plan = plan,
		.tree = tree,
		.class = class,
		.before = facts_inode(&class->facts),
		.after = class->outcome.after,
		.dx = dx,
	};
	const struct people_at at = {&p.before, &p.after, class->facts.demands};
	people_find(plan, tree, &at, &p.people);
	struct br_arena arena = {0};
	size_t most = entries_of(p.before.acl) + entries_of(p.after.acl) + tree->tree->n
		+ plan->options->nkeepers + 4;
	struct ids uids = {.v = BR_NEW_ARRAY(&arena, br_hostid, most)};
	struct ids gids = {.v = BR_NEW_ARRAY(&arena, br_hostid, most)};
	int result = uids.v == NULL || gids.v == NULL ? br_error_memory(dx)
						      : prove_ids(&p, &uids, &gids);
	br_arena_release(&arena);
	return result;
}

static int write_effect(
	const struct br_plan *plan, const struct effect *effect, struct br_effect *out) {
	struct br_plan_work *work = plan->work;
	const struct effect_key *key = &effect->key;
	*out = (struct br_effect){
		.tree = work->trees[key->tree].tree,
		.under = work->trees[key->tree].tree->path,
		.from = key->from,
		.to = key->to,
		.count = effect->tally.count,
		.nexamples = effect->tally.nexamples,
	};
	memcpy(out->examples, effect->tally.examples, sizeof(out->examples));
	struct br_hostdb *db = work->input.hostdb;
	br_hostid id = {key->id};
	switch ((enum who_kind)key->kind) {
	case WHO_UID: {
		const struct br_host_user *user = db == NULL ? NULL : br_hostdb_user(db, id);
		out->account = user == NULL ? NULL : user->name;
		out->principal = br_printf(plan->arena, "uid:%u", key->id);
		break;
	}
	case WHO_GID: {
		const struct br_host_group *group = db == NULL ? NULL : br_hostdb_group(db, id);
		out->account = group == NULL ? NULL : group->name;
		out->principal = br_printf(plan->arena, "gid:%u", key->id);
		break;
	}
	case WHO_OTHERS:
		out->principal = "others";
		break;
	}
	return out->principal == NULL ? -1 : 0;
}

int effects_finish(struct br_plan *plan) {
	const struct table *table = &plan->work->effects;
	struct br_effect *gains = BR_NEW_ARRAY(plan->arena, struct br_effect, table->n);
	struct br_effect *losses = BR_NEW_ARRAY(plan->arena, struct br_effect, table->n);
	if (gains == NULL || losses == NULL) {
		return -1;
	}
	for (size_t i = 0; i < table->n; i++) {
		const struct effect *effect = table_at(table, i);
		bool gain = (effect->key.to & ~effect->key.from) != 0;
		struct br_effect *out = gain ? &gains[plan->ngains++] : &losses[plan->nlosses++];
		if (write_effect(plan, effect, out) != 0) {
			return -1;
		}
	}
	plan->gains = gains;
	plan->losses = losses;
	return 0;
}
