#include "work.h"

#include <string.h>

static bool is_name(const char *s, size_t n) {
	if (n == 0 || n > 31 || !((s[0] >= 'a' && s[0] <= 'z') || s[0] == '_')) {
		return false;
	}
	for (size_t i = 1; i < n; i++) {
		bool good = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9')
			|| s[i] == '_' || s[i] == '-';
		if (!good) {
			return false;
		}
	}
	return true;
}

static bool is_taken(const struct br_plan *plan, const char *name) {
	struct br_hostdb *db = plan->work->input.hostdb;
	for (size_t i = 0; i < plan->work->new_accounts.n; i++) {
		if (strcmp(plan->work->new_accounts.v[i].name, name) == 0) {
			return true;
		}
	}
	return br_hostdb_user_named(db, name) != NULL || br_hostdb_group_named(db, name) != NULL;
}

// The image's own name for its user, else the service's, else one of ours: the first that is free.
// Never a name that the host gives to somebody else. NULL with ENOMEM.
static const char *pick_name(const struct br_plan *plan, const struct br_identity *identity) {
	const char *words[] = {identity->account, identity->user.s, identity->container->name.s};
	for (size_t i = 0; i < 3; i++) {
		size_t n = words[i] == NULL ? 0 : strcspn(words[i], ":");
		if (!is_name(words[i], n)) {
			continue;
		}
		const char *name = br_strndup(plan->arena, words[i], n);
		if (name == NULL || !is_taken(plan, name)) {
			return name;
		}
	}
	return br_printf(plan->arena, "bind-%u", identity->cred.uid.v);
}

static bool planned(const struct br_plan *plan, bool is_group, br_hostid id) {
	for (size_t i = 0; i < plan->work->new_accounts.n; i++) {
		const struct br_account *account = &plan->work->new_accounts.v[i];
		if (account->is_group == is_group && account->id.v == id.v) {
			return true;
		}
	}
	return false;
}

// IDs of a user namespace belong to it; nobody is ever made for them.
static bool in_namespace(const struct br_plan *plan, const struct br_cred *cred) {
	struct br_hostdb *db = plan->work->input.hostdb;
	return cred->uids.n > 0 || cred->gids.n > 0
		|| br_hostdb_subuid_owner(db, cred->uid) != NULL;
}

static bool group_free(const struct br_plan *plan, br_hostid gid) {
	return br_hostdb_group(plan->work->input.hostdb, gid) == NULL && !planned(plan, true, gid);
}

// A group that a new account may be in: its own new one, or an existing one of people.
static bool group_fit(const struct br_plan *plan, br_hostid gid) {
	struct br_hostdb *db = plan->work->input.hostdb;
	if (gid.v == 0 || gid.v == BR_NO_ID || br_hostdb_subgid_owner(db, gid) != NULL) {
		return false;
	}
	return br_hostdb_group(db, gid) == NULL || gid.v >= plan->work->limits.uid_min;
}

static int push(struct br_plan *plan, struct br_account account) {
	return br_vec_push(&plan->work->arena, &plan->work->new_accounts, account);
}

static int add_group(struct br_plan *plan, const char *name, br_hostid gid) {
	if (!group_free(plan, gid)) {
		return 0;
	}
	const struct br_account group = {.is_group = true, .name = name, .id = gid, .gid = gid};
	return push(plan, group);
}

static int add_identity(struct br_plan *plan, const struct br_identity *identity) {
	const struct br_cred *cred = &identity->cred;
	struct br_hostdb *db = plan->work->input.hostdb;
	if (cred->uid.v == 0 || in_namespace(plan, cred)) {
		return 0;
	}
	bool has_user = br_hostdb_user(db, cred->uid) != NULL || planned(plan, false, cred->uid);
	const char *name = pick_name(plan, identity);
	if (name == NULL) {
		return -1;
	}
	if (has_user) {
		// Only its group is missing.
		bool fit = group_fit(plan, cred->gid) && group_free(plan, cred->gid);
		const char *group = is_taken(plan, name)
			? br_printf(plan->arena, "bind-%u", cred->gid.v)
			: name;
		return group == NULL ? -1 : fit ? add_group(plan, group, cred->gid) : 0;
	}
	br_hostid gid = group_fit(plan, cred->gid) ? cred->gid : cred->uid;
	if (!group_fit(plan, gid)) {
		return note_add(plan,
			br_printf(plan->arena,
				"no host user is made for uid %u: neither group %u nor group %u may be its own",
				cred->uid.v, cred->gid.v, cred->uid.v));
	}
	if (add_group(plan, name, gid) != 0) {
		return -1;
	}
	return push(plan, (struct br_account){.name = name, .id = cred->uid, .gid = gid});
}

int accounts_add(struct br_plan *plan, struct br_diags *dx) {
	if (!plan->options->create_users || plan->work->input.hostdb == NULL) {
		return 0;
	}
	for (size_t i = 0; i < plan->work->ntrees; i++) {
		const struct br_tree *tree = plan->work->trees[i].tree;
		for (size_t k = 0; k < tree->n; k++) {
			if (demand_counts(&tree->demands[k])
				&& add_identity(plan, tree->demands[k].identity) != 0) {
				return br_error_memory(dx);
			}
		}
	}
	return 0;
}
