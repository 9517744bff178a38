#include "work.h"

#include <base/text.h>

#include <string.h>
#include <sys/stat.h>

const char *user_word(const struct br_plan *plan, uint32_t uid) {
	struct br_hostdb *db = plan->work->input.hostdb;
	const struct br_host_user *user = db == NULL ? NULL : br_hostdb_user(db, (br_hostid){uid});
	return user != NULL ? user->name : br_printf(plan->arena, "%u", uid);
}

const char *group_word(const struct br_plan *plan, uint32_t gid) {
	struct br_hostdb *db = plan->work->input.hostdb;
	const struct br_host_group *group =
		db == NULL ? NULL : br_hostdb_group(db, (br_hostid){gid});
	return group != NULL ? group->name : br_printf(plan->arena, "%u", gid);
}

const char *uid_phrase(const struct br_plan *plan, uint32_t uid) {
	struct br_hostdb *db = plan->work->input.hostdb;
	const struct br_host_user *user = db == NULL ? NULL : br_hostdb_user(db, (br_hostid){uid});
	return user == NULL ? br_printf(plan->arena, "uid %u", uid)
			    : br_printf(plan->arena, "uid %u (%s)", uid, user->name);
}

int note_add(struct br_plan *plan, const char *text) {
	if (text == NULL) {
		return -1;
	}
	for (size_t i = 0; i < plan->work->notes.n; i++) {
		if (strcmp(plan->work->notes.v[i], text) == 0) {
			return 0;
		}
	}
	return br_vec_push(&plan->work->arena, &plan->work->notes, text);
}

static bool serves_later(const struct br_acl *def, const struct br_demand *demand) {
	const struct br_acl_entry *entry =
		def == NULL ? NULL : br_acl_find(def, BR_ACL_USER, demand->identity->cred.uid);
	const struct br_acl_entry *mask =
		def == NULL ? NULL : br_acl_find(def, BR_ACL_MASK, (br_hostid){BR_NO_ID});
	return entry != NULL && mask != NULL
		&& (demand->need.dir & ~(unsigned)(entry->perm & mask->perm)) == 0;
}

// The directory that is made for the demand; NULL: it is there, or is not made.
static const struct br_make *make_of(
	const struct br_plan *plan, const struct tree_work *tree, const struct br_demand *demand) {
	for (size_t i = 0; demand_missing(demand) && i < plan->work->makes.n; i++) {
		const struct br_make *make = &plan->work->makes.v[i];
		if (is_make_of(make, tree->tree, demand)) {
			return make;
		}
	}
	return NULL;
}

// Whether a plain new file in some directory of the tree would not serve the demand: its default
// ACL does not say so.
static bool is_unserved(
	const struct br_plan *plan, const struct tree_work *tree, const struct br_demand *demand) {
	const struct br_make *make = make_of(plan, tree, demand);
	bool served = serves_later(make != NULL ? make->after.def : tree->root.def, demand);
	if (make == NULL && demand_missing(demand)) {
		return false;
	}
	for (size_t i = 0; served && i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		bool asked = S_ISDIR(class->facts.mode) && (class->facts.flags & FACT_UNREAD) == 0
			&& (class->facts.demands >> demand->index & 1) != 0;
		served = !asked || serves_later(class->outcome.after.def, demand);
	}
	return !served && demand_counts(demand) && !overrides(&demand->identity->cred);
}

// A UID of which one demand writes is no reader.
static bool is_writer(const struct tree_work *tree, uint32_t uid) {
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		if (demand->identity->cred.uid.v == uid && (demand->need.dir & BR_W) != 0) {
			return true;
		}
	}
	return false;
}

// "uid 1, uid 2 and uid 3": `before` each, `last` before the last.
static void list_uids(
	struct br_buf *buf, const uint32_t *uids, size_t n, const char *before, const char *last) {
	for (size_t i = 0; i < n; i++) {
		br_buf_add(buf, i == 0 ? "" : i + 1 == n ? last : ", ");
		br_buf_addf(buf, "%s%u", before, uids[i]);
	}
}

// Who of the demands that write, or only read, would not be served by a plain new file: "uid 1001
// and uid 1002". 1, 0 none, -1 ENOMEM.
static int unserved(
	const struct br_plan *plan, const struct tree_work *tree, bool writers, const char **out) {
	struct br_buf buf = {0};
	uint32_t done[BR_DEMANDS_MAX];
	size_t n = 0;
	for (size_t i = 0; i < tree->tree->n && n < BR_DEMANDS_MAX; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		uint32_t uid = demand->identity->cred.uid.v;
		bool seen = !is_unserved(plan, tree, demand) || is_writer(tree, uid) != writers;
		for (size_t k = 0; k < n; k++) {
			seen = seen || done[k] == uid;
		}
		if (!seen) {
			done[n++] = uid;
		}
	}
	list_uids(&buf, done, n, "uid ", " and ");
	*out = buf.failed ? NULL : n == 0 ? "" : br_strdup(plan->arena, buf.s);
	br_buf_release(&buf);
	return *out == NULL ? -1 : n > 0;
}

// Whether any directory of the tree will have a default ACL.
static bool has_defaults(const struct br_plan *plan, const struct tree_work *tree) {
	bool found = false;
	for (size_t i = 0; i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		found = found || class->outcome.after.def != NULL;
	}
	for (size_t i = 0; i < plan->work->makes.n; i++) {
		const struct br_make *make = &plan->work->makes.v[i];
		found = found || (make->tree == tree->tree && make->after.def != NULL);
	}
	return found;
}

static int note_defaults(struct br_plan *plan, const struct tree_work *tree, const char *path) {
	if (!tree->foreign && !has_defaults(plan, tree)) {
		return 0;
	}
	return note_add(plan,
		tree->foreign
			? br_printf(plan->arena,
				"no default ACLs below %s: something in it belongs to others than those "
				"whose files may be changed (--from)",
				path)
			: br_printf(plan->arena,
				"below %s the umask no longer counts: new files get what the default ACLs say, "
				"as far as their maker asks for it (usually rw- for files, rwx for directories)",
				path));
}

// Whether anybody but the owner and root can make files in some directory of the tree, as it will be.
static bool others_write(const struct br_plan *plan, const struct tree_work *tree) {
	for (size_t i = 0; i < plan->work->makes.n; i++) {
		const struct br_make *make = &plan->work->makes.v[i];
		if (make->tree == tree->tree && (make->after.mode & 022) != 0) {
			return true;
		}
	}
	for (size_t i = 0; i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		if (S_ISDIR(class->facts.mode) && (class->outcome.after.mode & 022) != 0) {
			return true;
		}
	}
	return false;
}

static bool is_made(const struct br_plan *plan, const struct tree_work *tree) {
	for (size_t i = 0; i < tree->tree->n; i++) {
		if (make_of(plan, tree, &tree->tree->demands[i]) != NULL) {
			return true;
		}
	}
	return false;
}

static int note_future(struct br_plan *plan, const struct tree_work *tree) {
	const char *path = tree->tree->path;
	const char *who;
	if (tree->root_seen ? !S_ISDIR(tree->root.mode) : !is_made(plan, tree)) {
		return 0;
	}
	if (tree->strategy != BR_STRATEGY_GROUP
		&& wants_future(plan, tree->tree, demands_at(tree->tree, ""))) {
		return note_defaults(plan, tree, path);
	}
	for (size_t i = 0; tree->strategy != BR_STRATEGY_GROUP && i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		const char *below = br_printf(plan->arena, "%s/%s", path, demand->below);
		bool wanted = *demand->below
			&& wants_future(plan, tree->tree, (uint64_t)1 << demand->index);
		if (!below || (wanted && note_defaults(plan, tree, below) != 0)) {
			return -1;
		}
	}
	if (tree->strategy == BR_STRATEGY_CHOWN && !others_write(plan, tree)) {
		return 0;
	}
	const char *remedy = tree->strategy == BR_STRATEGY_GROUP
		? " unless the umask lets the group in"
		: tree->tree->root->fs.keeps_acls == BR_NO ? ""
		: tree->foreign                            ? ": --future-files, with --from"
							   : ": --future-files";
	int n = unserved(plan, tree, true, &who);
	if (n < 0
		|| (n > 0
			&& note_add(plan,
				   br_printf(plan->arena,
					   "files that others create below %s later will not be usable by %s%s",
					   path, who, remedy))
				!= 0)) {
		return -1;
	}
	n = unserved(plan, tree, false, &who);
	return n <= 0
		? n
		: note_add(plan,
			br_printf(plan->arena,
				"files that others create below %s later and close to everybody else (umask "
				"027, 077) will not be usable by %s%s",
				path, who, remedy));
}

// Whom a directory that is made does not serve: without ACLs it serves its owner, and who is in its
// group.
static int note_unserved(struct br_plan *plan, const struct tree_work *tree) {
	for (size_t m = 0; m < plan->work->makes.n; m++) {
		const struct br_make *make = &plan->work->makes.v[m];
		struct br_buf who = {0};
		uint32_t uids[BR_DEMANDS_MAX];
		size_t n = 0;
		for (size_t i = 0; i < tree->tree->n && n < BR_DEMANDS_MAX; i++) {
			const struct br_demand *demand = &tree->tree->demands[i];
			const struct br_cred *cred = &demand->identity->cred;
			if (demand_missing(demand) && is_make_of(make, tree->tree, demand)
				&& br_access_use(&make->after, cred, &plain_where, demand->need.dir)
						.missing
					!= 0) {
				uids[n++] = cred->uid.v;
			}
		}
		list_uids(&who, uids, n, "uid ", " and ");
		int result = who.failed ? -1 : 0;
		if (result == 0 && n > 0) {
			const char *path =
				br_printf(plan->arena, "%s/%s", make->root->real, make->below);
			result = path == NULL
				? -1
				: note_add(plan,
					br_printf(plan->arena,
						"%s will not serve %s: its file system keeps no ACLs, and no "
						"group that they have serves them all",
						path, who.s));
		}
		br_buf_release(&who);
		if (result != 0) {
			return -1;
		}
	}
	return 0;
}

// The bits of the group are the mask where there are entries: whoever changes them changes what the
// entries let through.
static int note_mask(struct br_plan *plan, const struct tree_work *tree) {
	for (size_t i = 0; i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		if (class->outcome.kind == OUTCOME_CHANGE && class->inside.count > 0
			&& class->outcome.after.acl != NULL
			&& class->outcome.after.acl != class->facts.acl) {
			return note_add(plan,
				br_printf(plan->arena,
					"a later chmod %s %s rewrites the masks: one that takes bits from the "
					"group takes them from the entries",
					S_ISDIR(tree->tree->root->mode) ? "below" : "of",
					tree->tree->path));
		}
	}
	return 0;
}

// Who owns an inode decides about its mode and its entries: that is no access, and is lost with it.
static int note_owner(struct br_plan *plan, const struct tree_work *tree) {
	for (size_t i = 0; i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		if (class->outcome.kind != OUTCOME_CHANGE || class->inside.count == 0
			|| class->facts.uid == 0
			|| class->outcome.after.uid.v == class->facts.uid) {
			continue;
		}
		const char *who = uid_phrase(plan, class->facts.uid);
		if (who == NULL
			|| note_add(plan,
				   br_printf(plan->arena,
					   "%s keeps its access to what it owned below %s, but can no longer "
					   "chmod it",
					   who, tree->tree->path))
				!= 0) {
			return -1;
		}
	}
	return 0;
}

static bool left_without_group(const struct br_plan *plan, const struct tree_work *tree) {
	for (size_t i = 0; tree->strategy == BR_STRATEGY_GROUP && i < plan->nleft; i++) {
		if (plan->left[i].tree == tree->tree
			&& plan->left[i].reason == BR_LEFT_NO_EXACT_STATE) {
			return true;
		}
	}
	return false;
}

// Strategy group needs a group that the container has: where there is none, the spec can give it one.
static int note_group(
	struct br_plan *plan, const struct tree_work *tree, const struct br_places *places) {
	if (!left_without_group(plan, tree)) {
		return 0;
	}
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_container *container = tree->tree->demands[i].container;
		struct br_position at;
		const char *text = br_places_find(places, container->at, &at)
			? br_printf(plan->arena,
				"give service %s a group of its own for %s: group_add at %s:%u",
				container->name.s, tree->tree->path, at.file, at.line)
			: br_printf(plan->arena,
				"give service %s a group of its own for %s: group_add",
				container->name.s, tree->tree->path);
		if (note_add(plan, text) != 0) {
			return -1;
		}
	}
	return 0;
}

static int note_environment(struct br_plan *plan, const struct tree_work *tree) {
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_mount *mount = tree->tree->demands[i].mount;
		if (mount->environment_variable != NULL
			&& note_add(plan,
				   br_printf(plan->arena,
					   "the path %s depends on %s of your environment",
					   mount->source.s, mount->environment_variable))
				!= 0) {
			return -1;
		}
	}
	return 0;
}

// What the plan takes from the table of known images may be wrong for this very image.
static int note_known(struct br_plan *plan, const struct tree_work *tree) {
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		const struct br_identity *who = demand->identity;
		if (who->known != NULL && demand_counts(demand) && !overrides(&who->cred)
			&& note_add(plan,
				   br_printf(plan->arena,
					   "that %s uses %s as uid %u rests on the table of %s",
					   demand->container->name.s, tree->tree->path, who->uid.v,
					   who->known))
				!= 0) {
			return -1;
		}
	}
	return 0;
}

// reclaim: what will not stay so.
static int note_back(struct br_plan *plan, const struct tree_work *tree) {
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		const struct br_image_drop *drop = demand->identity->drop;
		const char *name = demand->container->name.s;
		if (!demand_counts(demand) || demand->read_only) {
			continue;
		}
		const char *text = drop != NULL && drop->chmods
			? br_printf(plan->arena,
				"the image of %s changes owner or mode of what is in %s at every start: "
				"then it is its own again",
				name, tree->tree->path)
			: br_printf(plan->arena,
				"what %s makes in %s from now on is its own again%s", name,
				tree->tree->path,
				overrides(&demand->identity->cred)
					? ""
					: ", and it can no longer chmod what it made before");
		if (note_add(plan, text) != 0) {
			return -1;
		}
	}
	return 0;
}

bool notes_due(const struct br_plan *plan, const struct tree_work *tree) {
	return !plan->options->reclaim && is_made(plan, tree);
}

int notes_tree(struct br_plan *plan, const struct tree_work *tree, const struct br_places *places) {
	if (plan->options->reclaim) {
		return note_back(plan, tree);
	}
	if (note_group(plan, tree, places) != 0 || note_environment(plan, tree) != 0
		|| note_known(plan, tree) != 0) {
		return -1;
	}
	if (note_owner(plan, tree) != 0 || note_unserved(plan, tree) != 0) {
		return -1;
	}
	return note_mask(plan, tree) != 0 ? -1 : note_future(plan, tree);
}

// Whether this one gains access, and is a number that has no account, will get none now, and is
// nobody's by another rule.
static bool is_nobody(const struct br_plan *plan, const struct br_effect *gain, uint32_t *uid) {
	struct br_hostdb *db = plan->work->input.hostdb;
	if (strncmp(gain->principal, "uid:", 4) != 0 || gain->account != NULL || db == NULL
		|| br_parse_u32(gain->principal + 4, UINT32_MAX - 1, uid) != 0
		|| br_hostdb_subuid_owner(db, (br_hostid){*uid}) != NULL) {
		return false;
	}
	for (size_t k = 0; k < plan->work->new_accounts.n; k++) {
		const struct br_account *account = &plan->work->new_accounts.v[k];
		if (!account->is_group && account->id.v == *uid) {
			return false;
		}
	}
	return true;
}

// A number without an account may become somebody's tomorrow. All of them in one sentence, each once.
static int note_nobody(struct br_plan *plan) {
	struct br_buf buf = {0};
	uint32_t done[BR_DEMANDS_MAX];
	size_t n = 0;
	for (size_t i = 0; i < plan->ngains && n < BR_DEMANDS_MAX; i++) {
		uint32_t uid;
		bool told = !is_nobody(plan, &plan->gains[i], &uid);
		for (size_t k = 0; k < n && !told; k++) {
			told = done[k] == uid;
		}
		if (!told) {
			done[n++] = uid;
		}
	}
	list_uids(&buf, done, n, "", " or ");
	int result = 0;
	if (n > 0) {
		result = buf.failed
			? -1
			: note_add(plan,
				br_printf(plan->arena,
					"no host user has uid %s yet: the next account that is made may get "
					"%s, and the access with it (--create-users)",
					buf.s, n > 1 ? "one of them" : "it"));
	}
	br_buf_release(&buf);
	return result;
}

static int note_root(struct br_plan *plan) {
	bool needs = false;
	for (size_t i = 0; i < plan->nactions && plan->options->caller.v != 0; i++) {
		enum br_action_kind kind = plan->actions[i].kind;
		needs = needs || kind == BR_ACTION_CREATE_GROUP || kind == BR_ACTION_CREATE_USER
			|| kind == BR_ACTION_CHOWN;
	}
	for (size_t i = 0; i < plan->work->ntrees && plan->options->caller.v != 0; i++) {
		const struct table *classes = &plan->work->trees[i].classes;
		for (size_t k = 0; k < classes->n; k++) {
			const struct class *class = table_at(classes, k);
			needs = needs
				|| (class->outcome.kind == OUTCOME_CHANGE && class->inside.count > 0
					&& class->facts.uid != plan->options->caller.v);
		}
	}
	return needs ? note_add(plan, "only root can make all of these changes") : 0;
}

int notes_plan(struct br_plan *plan) {
	return note_nobody(plan) != 0 ? -1 : note_root(plan);
}
