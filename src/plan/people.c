#include "work.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

const struct br_where plain_where = {0};

bool demand_counts(const struct br_demand *demand) {
	// What the engine gives to the container's user, and what an ID-mapped mount shows, is no
	// matter of the host's IDs.
	bool by_itself = demand->mount->chown || demand->mount_uids.n > 0;
	return !by_itself && !demand->identity->unmapped && demand->identity->cred.uid.v != BR_NO_ID
		&& demand->identity->cred.gid.v != BR_NO_ID;
}

uint64_t demands_at(const struct br_tree *tree, const char *path) {
	uint64_t set = 0;
	for (size_t i = 0; i < tree->n; i++) {
		const struct br_demand *demand = &tree->demands[i];
		if (demand_counts(demand) && br_demand_applies(demand, path)) {
			set |= (uint64_t)1 << demand->index;
		}
	}
	return set;
}

bool keeper_of(const struct br_keeper *keeper, const struct br_tree *tree, uint64_t demands) {
	bool found = keeper->nmounts == 0;
	for (size_t i = 0; !found && i < tree->n; i++) {
		const struct br_demand *demand = &tree->demands[i];
		for (size_t k = 0; (demands >> demand->index & 1) != 0 && k < keeper->nmounts;
			k++) {
			found = found || keeper->mounts[k] == demand->mount;
		}
	}
	return found;
}

bool wants_future(const struct br_plan *plan, const struct br_tree *tree, uint64_t demands) {
	if (plan->options->future_files != 0) {
		return plan->options->future_files > 0;
	}
	for (size_t i = 0; i < tree->n; i++) {
		const struct br_demand *demand = &tree->demands[i];
		const char *word = demand->mount->wishes.future_files.s;
		if ((demands >> demand->index & 1) != 0 && word && strcmp(word, "true") == 0) {
			return true;
		}
	}
	return false;
}

struct br_inode facts_inode(const struct facts *facts) {
	uint32_t immutable = (facts->flags & FACT_IMMUTABLE) != 0 ? BR_IMMUTABLE : 0;
	uint32_t append = (facts->flags & FACT_APPEND) != 0 ? BR_APPEND : 0;
	uint32_t read_only = (facts->flags & FACT_READ_ONLY) != 0 ? BR_READ_ONLY : 0;
	return (struct br_inode){
		.mode = facts->mode,
		.uid = {facts->uid},
		.gid = {facts->gid},
		.nlink = (facts->flags & FACT_LINKS) != 0 ? 2 : 1,
		.attrs = immutable | append | read_only,
		.have = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS,
		.acl = facts->acl,
		.def = facts->def,
	};
}

// reclaim: what it has by a capability of its user namespace alone it no longer has when the inode
// is the keeper's, whom the namespace need not know.
static bool loses_caps(const struct br_plan *plan, const struct br_inode *inode,
	const struct br_cred *cred, unsigned need) {
	if (!plan->options->reclaim || cred->uids.n == 0 || cred->caps == 0
		|| cred->uid.v == inode->uid.v) {
		return false;
	}
	struct br_inode back = *inode;
	back.uid = plan->options->keepers[0].cred.uid;
	return br_access_use(&back, cred, &plain_where, need).missing != 0;
}

static void person_add(const struct br_plan *plan, struct people *people,
	const struct br_inode *inode, const struct br_cred *cred, unsigned need) {
	if (need == 0 || people->n == PEOPLE_MAX) {
		return;
	}
	bool wanting = br_access_use(inode, cred, &plain_where, need).missing != 0
		|| loses_caps(plan, inode, cred, need);
	people->v[people->n++] = (struct person){.cred = cred, .need = need, .wanting = wanting};
	people->need |= need;
	people->wanting += wanting;
}

// The one who was added last, whom the server gives what he needs.
static void heed_server(struct people *people, bool served) {
	if (served && people->v[people->n - 1].wanting) {
		people->v[people->n - 1].wanting = false;
		people->wanting--;
	}
}

static unsigned need_of(const struct br_demand *demand, const struct people_at *at) {
	unsigned need = br_need_of(demand, at->inode);
	return at->after == NULL ? need : need | br_need_of(demand, at->after);
}

void people_find(const struct br_plan *plan, const struct tree_work *tree,
	const struct people_at *at, struct people *out) {
	out->n = 0;
	out->need = 0;
	out->wanting = 0;
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		if ((at->demands >> demand->index & 1) != 0) {
			size_t n = out->n;
			person_add(
				plan, out, at->inode, &demand->identity->cred, need_of(demand, at));
			heed_server(out, out->n > n && (tree->served >> demand->index & 1) != 0);
		}
	}
	unsigned need = out->need;
	for (size_t i = 0; i < plan->options->nkeepers; i++) {
		const struct br_keeper *keeper = &plan->options->keepers[i];
		if (keeper->demanded && keeper_of(keeper, tree->tree, at->demands)) {
			person_add(plan, out, at->inode, &keeper->cred, need);
		}
	}
}

bool overrides(const struct br_cred *cred) {
	return (cred->caps >> CAP_DAC_OVERRIDE & 1) != 0 && cred->uids.n == 0 && cred->gids.n == 0;
}

struct br_cred bare_cred(br_hostid uid, br_hostid gid) {
	return (struct br_cred){.uid = uid, .gid = gid};
}

// The cred's plain half: what classes and entries give it.
static bool plain_of(const struct br_cred *cred, br_hostid uid, struct br_cred *out) {
	if (cred->uid.v != uid.v) {
		return false;
	}
	*out = *cred;
	out->caps = 0;
	return true;
}

bool uid_is_known(const struct br_plan *plan, const struct tree_work *tree, br_hostid uid) {
	for (size_t i = 0; plan->options->reclaim && i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		if (demand_counts(demand) && demand->identity->cred.uid.v == uid.v) {
			return true;
		}
	}
	return false;
}

static int by_uid(const void *a, const void *b) {
	const struct br_cred *const *x = a;
	const struct br_cred *const *y = b;
	if ((*x)->uid.v != (*y)->uid.v) {
		return (*x)->uid.v < (*y)->uid.v ? -1 : 1;
	}
	// One container's mounts are all of one identity: the same one side by side.
	return *x < *y ? -1 : *x > *y;
}

int creds_gather(struct br_plan *plan) {
	struct br_plan_work *work = plan->work;
	const struct br_demands *demands = work->input.demands;
	size_t n = 0;
	for (size_t t = 0; t < demands->ntrees; t++) {
		n += demands->trees[t].n;
	}
	if (n == 0) {
		return 0;
	}
	work->creds = BR_NEW_ARRAY(plan->arena, const struct br_cred *, n);
	if (work->creds == NULL) {
		return -1;
	}
	n = 0;
	for (size_t t = 0; t < demands->ntrees; t++) {
		for (size_t i = 0; i < demands->trees[t].n; i++) {
			work->creds[n++] = &demands->trees[t].demands[i].identity->cred;
		}
	}
	qsort(work->creds, n, sizeof(*work->creds), by_uid);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || work->creds[i] != work->creds[i - 1]) {
			work->creds[work->ncreds++] = work->creds[i];
		}
	}
	return 0;
}

// The number of the first that may be of this UID.
static size_t first_cred(const struct br_plan_work *work, br_hostid uid) {
	size_t low = 0;
	size_t high = work->ncreds;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (work->creds[middle]->uid.v < uid.v) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

bool creds_next(const struct br_plan *plan, const struct tree_work *tree, br_hostid uid, size_t *i,
	struct br_cred *out) {
	const struct br_plan_work *work = plan->work;
	size_t k = (*i)++;
	if (k == 0) {
		if (!uid_is_known(plan, tree, uid)) {
			*out = bare_cred(uid, work->stranger);
			return true;
		}
		k = (*i)++;
	}
	if (k == 1) {
		const struct account_cred *account = table_find(&work->accounts, &uid.v);
		if (account != NULL && account->exists && plain_of(&account->cred, uid, out)) {
			return true;
		}
		k = (*i)++;
	}
	size_t first = first_cred(work, uid);
	if (k - 2 < work->ncreds - first && plain_of(work->creds[first + (k - 2)], uid, out)) {
		return true;
	}
	// All of them are told: the numbers from here on are the keepers'.
	size_t keepers = 2 + work->ncreds;
	for (k = k < keepers ? keepers : k; k - keepers < plan->options->nkeepers; k++) {
		*i = k + 1;
		if (plain_of(&plan->options->keepers[k - keepers].cred, uid, out)) {
			return true;
		}
	}
	return false;
}

unsigned held(const struct br_plan *plan, const struct tree_work *tree,
	const struct br_inode *inode, br_hostid uid) {
	unsigned have = 0;
	struct br_cred cred;
	for (size_t i = 0; creds_next(plan, tree, uid, &i, &cred);) {
		have |= br_access(inode, &cred, &plain_where, BR_R | BR_W | BR_X).have;
	}
	return have;
}

int account_load(const struct br_plan *plan, br_hostid uid) {
	struct br_plan_work *work = plan->work;
	if (table_find(&work->accounts, &uid.v) != NULL) {
		return 0;
	}
	struct account_cred account = {.uid = uid.v};
	const struct br_host_user *user =
		work->input.hostdb == NULL ? NULL : br_hostdb_user(work->input.hostdb, uid);
	if (user != NULL) {
		if (br_hostdb_cred(work->input.hostdb, &work->arena, user, &account.cred) != 0) {
			return -1;
		}
		account.exists = true;
	}
	struct account_cred *item = table_put(&work->accounts, &uid.v);
	if (item == NULL) {
		return -1;
	}
	*item = account;
	return 0;
}
