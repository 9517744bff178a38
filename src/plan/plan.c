#include "work.h"

#include <base/text.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// A number that no account and no demand has: a process of it is a stranger everywhere.
static br_hostid find_stranger(const struct br_plan *plan) {
	br_hostid id = {BR_NO_ID - 2};
	const struct br_demands *demands = plan->work->input.demands;
	for (bool taken = true; taken;) {
		taken = false;
		for (size_t t = 0; t < demands->ntrees; t++) {
			for (size_t i = 0; i < demands->trees[t].n; i++) {
				const struct br_cred *cred =
					&demands->trees[t].demands[i].identity->cred;
				taken = taken || cred->uid.v == id.v || br_cred_in_group(cred, id);
			}
		}
		id.v -= taken;
	}
	return id;
}

// Who has everything anyway is no party to it.
static void note_person(struct tree_work *tree, const struct br_cred *cred, bool *first) {
	if (overrides(cred)) {
		return;
	}
	tree->single = *first || (tree->single && tree->sole.v == cred->uid.v);
	tree->sole = cred->uid;
	tree->used = true;
	*first = false;
}

// Whether a source may have something in common with a tree: by its names, or, by way of a bind
// mount, anything of the same file system.
static bool shares(const struct br_source *source, const struct br_tree *tree) {
	const struct br_source *root = tree->root;
	if (source->state != BR_SOURCE_PRESENT || source->dev != root->dev) {
		return false;
	}
	return source->mount != root->mount || br_path_within(source->real, root->real)
		|| br_path_within(root->real, source->real);
}

// Whether it may be root although no demand says so: nobody knows who it is, or its data are asked
// for by whom its first process drops to.
static bool may_be_root(const struct br_identity *identity) {
	return identity->confidence == BR_UNKNOWN || identity->drop != NULL;
}

// Those who may be root without its override lose by what takes files from root. The capabilities
// that all of them have.
static uint64_t unasked_roots(const struct br_demands *demands, const struct br_tree *tree) {
	uint64_t caps = UINT64_MAX;
	for (size_t i = 0; i < demands->nmounts; i++) {
		const struct br_mount_source *mount = &demands->mounts[i];
		if (may_be_root(mount->identity) && shares(mount->source, tree)) {
			caps &= mount->identity->root_caps;
		}
	}
	return caps;
}

static void tree_begin(
	const struct br_plan *plan, struct tree_work *work, const struct br_tree *tree) {
	work->tree = tree;
	work->root_caps = unasked_roots(plan->work->input.demands, tree);
	table_init(&work->classes, sizeof(struct facts), sizeof(struct class));
	table_init(&work->links, 2 * sizeof(uint64_t), sizeof(struct link));
	table_init(&work->sticky, sizeof(uint64_t), sizeof(struct sticky));
	table_init(&work->closed, sizeof(uint64_t), sizeof(struct closed));
	behind_init(work);
	bool first = true;
	for (size_t i = 0; i < tree->n; i++) {
		const struct br_demand *demand = &tree->demands[i];
		if (demand_counts(demand)) {
			note_person(work, &demand->identity->cred, &first);
			work->writes = work->writes
				|| (!overrides(&demand->identity->cred)
					&& ((demand->need.dir | demand->need.file) & BR_W) != 0);
		}
	}
	for (size_t i = 0; i < plan->options->nkeepers; i++) {
		const struct br_keeper *keeper = &plan->options->keepers[i];
		if (keeper->demanded && keeper_of(keeper, tree, UINT64_MAX)) {
			note_person(work, &keeper->cred, &first);
		}
	}
}

static struct br_plan *plan_alloc(void) {
	struct br_plan *plan = calloc(1, sizeof(*plan));
	struct br_plan_work *work = calloc(1, sizeof(*work));
	if (plan == NULL || work == NULL) {
		free(plan);
		free(work);
		return NULL;
	}
	plan->work = work;
	plan->arena = &work->arena;
	return plan;
}

static int plan_begin(struct br_plan *plan, const struct br_plan_input *input) {
	struct br_plan_work *work = plan->work;
	plan->acls = input->acls;
	work->input = *input;
	work->limits = input->hostdb != NULL ? br_hostdb_limits(input->hostdb)
					     : (struct br_id_limits){1000, 60000, 1000, 60000};
	table_init(&work->accounts, sizeof(uint32_t), sizeof(struct account_cred));
	actions_init(&work->actions);
	effects_init(&work->effects);
	left_init(&work->left);
	quota_init(&work->quotas);
	work->stranger = find_stranger(plan);
	if (creds_gather(plan) != 0) {
		return -1;
	}
	work->trees = BR_NEW_ARRAY(plan->arena, struct tree_work, input->demands->ntrees);
	if (work->trees == NULL) {
		return -1;
	}
	work->ntrees = input->demands->ntrees;
	for (size_t i = 0; i < work->ntrees; i++) {
		tree_begin(plan, &work->trees[i], &input->demands->trees[i]);
		memory_begin(plan, &work->trees[i]);
	}
	return 0;
}

struct br_plan *br_plan_new(const struct br_plan_input *input,
	const struct br_plan_options *options, struct br_diags *dx) {
	if (options->nkeepers > BR_DEMANDS_MAX) {
		(void)br_error(
			dx, (struct br_span){0}, "more than %d users to keep", BR_DEMANDS_MAX);
		return NULL;
	}
	struct br_plan *plan = plan_alloc();
	if (plan != NULL) {
		plan->options = options;
	}
	if (plan == NULL || plan_begin(plan, input) != 0) {
		(void)br_error_memory(dx);
		br_plan_free(plan);
		return NULL;
	}
	return plan;
}

void br_plan_free(struct br_plan *plan) {
	if (plan == NULL) {
		return;
	}
	struct br_plan_work *work = plan->work;
	for (size_t i = 0; i < work->ntrees; i++) {
		table_release(&work->trees[i].classes);
		table_release(&work->trees[i].links);
		table_release(&work->trees[i].sticky);
		br_seen_free(work->trees[i].seen);
		table_release(&work->trees[i].closed);
		behind_release(&work->trees[i]);
	}
	table_release(&work->accounts);
	table_release(&work->actions);
	table_release(&work->effects);
	table_release(&work->left);
	table_release(&work->quotas);
	free(work->scratch);
	br_arena_release(&work->arena);
	free(work);
	free(plan);
}

void br_plan_freep(struct br_plan **plan) {
	br_plan_free(*plan);
	*plan = NULL;
}

static struct tree_work *find_tree(const struct br_plan *plan, const struct br_tree *tree) {
	for (size_t i = 0; i < plan->work->ntrees; i++) {
		if (plan->work->trees[i].tree == tree) {
			return &plan->work->trees[i];
		}
	}
	return NULL;
}

// A file that is a source itself has its name above the root.
static bool has_private_name(const struct br_tree *tree, const char *path) {
	const char *slash = strrchr(tree->path, '/');
	return name_is_private(*path != '\0' || slash == NULL ? path : slash + 1, true);
}

// FNV-1a.
uint64_t path_hash(const char *path, size_t n) {
	uint64_t h = PATH_HASH;
	for (size_t i = 0; i < n; i++) {
		h = path_hash_on(h, path[i]);
	}
	return h;
}

static bool in_sticky(
	const struct tree_work *tree, const char *path, const struct br_inode *inode) {
	const char *slash = strrchr(path, '/');
	uint64_t hash = path_hash(path, slash == NULL ? 0 : (size_t)(slash - path));
	const struct sticky *sticky = table_find(&tree->sticky, &hash);
	return *path != '\0'
		&& (tree->sticky.n == STICKY_MAX
			|| (sticky != NULL && sticky->uid != inode->uid.v));
}

static int see_sticky(struct tree_work *tree, const struct br_entry *entry) {
	if (!S_ISDIR(entry->inode->mode) || (entry->inode->mode & S_ISVTX) == 0
		|| tree->sticky.n == STICKY_MAX) {
		return 0;
	}
	uint64_t hash = path_hash(entry->path, entry->path_len);
	struct sticky *sticky = table_put(&tree->sticky, &hash);
	if (sticky == NULL) {
		return -1;
	}
	sticky->uid = entry->inode->uid.v;
	return 0;
}

static bool is_closed(const struct br_entry *entry) {
	const struct br_inode *inode = entry->inode;
	return S_ISDIR(inode->mode) && inode->uid.v == 0 && (inode->mode & 077) == 0
		&& *entry->path != '\0';
}

static int see_closed(struct tree_work *tree, const struct br_entry *entry) {
	if (!is_closed(entry) || tree->closed.n == STICKY_MAX) {
		return 0;
	}
	uint64_t hash = path_hash(entry->path, entry->path_len);
	return table_put(&tree->closed, &hash) == NULL ? -1 : 0;
}

// Nobody but root gets there: whatever its mode says, it may be a secret.
static bool is_enclosed(
	const struct tree_work *tree, const char *path, const struct br_inode *inode) {
	if (inode->uid.v != 0 || tree->closed.n == 0) {
		return false;
	}
	if (tree->closed.n == STICKY_MAX) {
		return *path != '\0';
	}
	for (const char *end = strchr(path, '/'); end != NULL; end = strchr(end + 1, '/')) {
		uint64_t hash = path_hash(path, (size_t)(end - path));
		if (table_find(&tree->closed, &hash) != NULL) {
			return true;
		}
	}
	return false;
}

static struct facts facts_of(
	const struct tree_work *work, const char *path, const struct br_inode *inode) {
	const struct br_tree *tree = work->tree;
	bool links = S_ISREG(inode->mode) && inode->nlink > 1;
	unsigned flags = 0;
	flags |= has_private_name(tree, path) ? FACT_PRIVATE_NAME : 0;
	flags |= inode->caps != NULL ? FACT_CAPS : 0;
	flags |= links ? FACT_LINKS : 0;
	flags |= (inode->attrs & BR_IMMUTABLE) != 0 ? FACT_IMMUTABLE : 0;
	flags |= (inode->attrs & BR_APPEND) != 0 ? FACT_APPEND : 0;
	flags |= (inode->attrs & BR_READ_ONLY) != 0 ? FACT_READ_ONLY : 0;
	flags |= (inode->attrs & BR_SEALED) != 0 ? FACT_SEALED : 0;
	flags |= *path == '\0' ? FACT_ROOT : 0;
	flags |= work->others.n > 0 ? others_flags(work, path) : 0;
	flags |= is_enclosed(work, path, inode) ? FACT_ENCLOSED : 0;
	flags |= work->sticky.n > 0 && in_sticky(work, path, inode) ? FACT_STICKY : 0;
	flags |= (inode->have & BR_HAVE_ACL) == 0 && !S_ISLNK(inode->mode) ? FACT_UNREAD : 0;
	return (struct facts){
		.acl = inode->acl,
		.def = inode->def,
		.demands = demands_at(tree, path),
		.uid = inode->uid.v,
		.gid = inode->gid.v,
		.mode = inode->mode,
		.flags = flags,
		// By which of its names it is reached is not known.
		.behind = links ? 0 : behind_of(work, path),
	};
}

// The class of a name under which something is missing; the first where there is none.
static struct class *wanting_class(struct tree_work *tree, const struct link *link) {
	struct class *first = table_at(&tree->classes, link->class);
	if (first->outcome.kind != OUTCOME_FITS) {
		return first;
	}
	for (const struct link_class *other = link->others; other != NULL; other = other->next) {
		struct class *class = table_at(&tree->classes, other->class);
		if (class->outcome.kind != OUTCOME_FITS) {
			return class;
		}
	}
	return first;
}

// One more name of a file with several: 1 the first, 0 a further one, -1 ENOMEM. Beyond LINKS_MAX
// all count as having links elsewhere.
static int see_link(struct br_plan *plan, struct tree_work *tree, const struct br_entry *entry,
	uint32_t class) {
	const uint64_t key[2] = {entry->inode->dev, entry->inode->ino};
	struct link *link = table_find(&tree->links, key);
	if (link != NULL) {
		// Whichever the walk found first: the same in every plan.
		if (link->path != NULL && strcmp(entry->path, link->path) < 0) {
			link->path = br_strdup(plan->arena, entry->path);
			if (link->path == NULL) {
				return -1;
			}
		}
		link->found++;
		return link_mix(plan, link, class);
	}
	if (tree->links.n == LINKS_MAX) {
		return 1;
	}
	link = table_put(&tree->links, key);
	if (link == NULL) {
		return -1;
	}
	link->nlink = entry->inode->nlink;
	link->size = entry->inode->size;
	link->space = entry->inode->blocks * 512;
	link->found = 1;
	link->class = class;
	if (tree->links.n <= LINKS_NAMED) {
		link->path = br_strdup(plan->arena, entry->path);
		return link->path == NULL ? -1 : 1;
	}
	return 1;
}

static struct class *class_of(struct tree_work *tree, const struct facts *facts) {
	if (tree->last > 0) {
		struct class *last = table_at(&tree->classes, tree->last - 1);
		if (memcmp(&last->facts, facts, sizeof(*facts)) == 0) {
			return last;
		}
	}
	struct class *class = table_put(&tree->classes, facts);
	if (class != NULL) {
		tree->last = table_index(&tree->classes, class) + 1;
	}
	return class;
}

static bool is_later(const struct br_time *a, const struct br_time *b) {
	return a->sec > b->sec || (a->sec == b->sec && a->nsec > b->nsec);
}

// Whether it was made after everything that was seen. A copy on an overlay is made when something
// below it is changed.
static bool is_new(const struct tree_work *tree, const struct br_inode *inode) {
	return strstr(tree->tree->root->fs.type, "overlay") == NULL
		&& is_later(&inode->btime, &tree->newest);
}

static int see_inode(struct br_plan *plan, struct tree_work *tree, const struct br_entry *entry) {
	if (see_sticky(tree, entry) != 0 || see_closed(tree, entry) != 0
		|| others_see(plan, tree, entry) != 0) {
		return -1;
	}
	struct facts facts = facts_of(tree, entry->path, entry->inode);
	struct class *class = class_of(tree, &facts);
	if (class == NULL || behind_see(plan, tree, entry->path, &facts) != 0) {
		return -1;
	}
	if (plan->options->digests && paths_add(plan->arena, &class->paths, entry->path) != 0) {
		return -1;
	}
	memory_add(plan, tree, entry, class);
	if (is_later(&entry->inode->btime, &tree->newest)) {
		tree->newest = entry->inode->btime;
	}
	if (*entry->path == '\0') {
		tree->root = *entry->inode;
		tree->root_seen = true;
	}
	if ((facts.flags & FACT_LINKS) != 0) {
		size_t number = table_index(&tree->classes, class);
		int first = see_link(plan, tree, entry, (uint32_t)number);
		if (first <= 0) {
			return first < 0 ? -1
					 : tally_add(plan->arena, &class->seen, entry->path, 0);
		}
	}
	class->bytes += S_ISREG(facts.mode) ? entry->inode->size : 0;
	if (entry->inode->dev != tree->tree->root->dev) {
		class->abroad++;
	} else if ((facts.flags & FACT_LINKS) == 0) {
		class->space += entry->inode->blocks * 512;
	}
	return tally_add(plan->arena, &class->seen, entry->path, 1);
}

int br_plan_see(void *context, const struct br_tree *tree, const struct br_entry *entry,
	struct br_diags *dx) {
	struct br_plan *plan = context;
	struct tree_work *work = find_tree(plan, tree);
	int result = 0;
	if (work == NULL || entry->event == BR_LEAVE) {
		return 0;
	}
	if (entry->mount_point) {
		result = tally_add(plan->arena, &work->mount_points, entry->path, 1);
	} else if (entry->inode == NULL || entry->err != 0) {
		result = tally_add(plan->arena, &work->unseen, entry->path, 1);
	}
	if (result == 0 && entry->inode != NULL) {
		result = see_inode(plan, work, entry);
	} else {
		memory_add(plan, work, entry, NULL);
	}
	return result == 0 ? 0 : br_error_memory(dx);
}

static bool has_all_links(const struct link *link) {
	return link->found == link->nlink && !link->mixed;
}

// Files with several links: those that are wholly in the tree, and the others. After their outcomes.
static int split_links(struct br_plan *plan, struct tree_work *tree) {
	for (size_t i = 0; i < tree->classes.n; i++) {
		struct class *class = table_at(&tree->classes, i);
		if ((class->facts.flags & FACT_LINKS) == 0) {
			class->inside = class->seen;
		} else {
			class->inside = (struct tally){0};
			class->outside = (struct tally){.count = class->seen.count};
			class->space = 0;
			class->abroad = 0;
		}
	}
	for (size_t i = 0; i < tree->links.n; i++) {
		const struct link *link = table_at(&tree->links, i);
		struct class *class = table_at(&tree->classes, link->class);
		bool all = has_all_links(link);
		if (link->mixed && class->outcome.kind == OUTCOME_FITS) {
			// What is missing is missing under another of its names.
			class->outside.count--;
			class = wanting_class(tree, link);
			class->outside.count++;
		}
		struct tally *tally = all ? &class->inside : &class->outside;
		uint64_t count = all ? 1 : 0;
		bool here = all && link->dev == tree->tree->root->dev;
		class->outside.count -= count;
		class->space += here ? link->space : 0;
		class->abroad += all && !here ? 1 : 0;
		if (link->path != NULL && tally_add(plan->arena, tally, link->path, count) != 0) {
			return -1;
		}
		tally->count += link->path == NULL ? count : 0;
	}
	return 0;
}

static void find_foreign(const struct br_plan *plan, struct tree_work *tree) {
	for (size_t i = 0; i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		tree->foreign = tree->foreign || !gate_owner(plan, tree, class->facts.uid);
	}
}

// Every class's outcome; whether anything is to be done here, or would be if it could.
static int choose_all(struct br_plan *plan, struct tree_work *tree, bool *wanting) {
	if (behind_settle(plan, tree) != 0) {
		return -1;
	}
	for (size_t i = 0; i < tree->classes.n; i++) {
		struct class *class = table_at(&tree->classes, i);
		if (behind_choose(plan, tree, &class->facts, &class->outcome) != 0) {
			return -1;
		}
		*wanting = *wanting || class->outcome.kind != OUTCOME_FITS;
	}
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		*wanting = *wanting || (demand_missing(demand) && demand_counts(demand));
	}
	return 0;
}

static bool owner_only(const struct facts *facts) {
	return S_ISREG(facts->mode) && (facts->mode & 077) == 0;
}

static uint32_t left_detail(
	const struct br_plan *plan, const struct tree_work *tree, const struct class *class) {
	unsigned flags = class->facts.flags;
	switch (class->outcome.reason) {
	case BR_LEFT_NOT_PERMITTED:
		return gate_needs_from(plan, tree, &class->facts) ? class->facts.uid : BR_NO_ID;
	case BR_LEFT_PROTECTED:
		return (flags & FACT_READ_ONLY) != 0 ? LEFT_BY_MOUNT : class->facts.uid;
	case BR_LEFT_OTHER_MOUNT:
		return flags >> FACT_OTHER_SHIFT;
	default:
		return class->facts.uid;
	}
}

static int settle_class(struct br_plan *plan, const struct tree_work *tree,
	const struct class *class, struct br_tree_plan *out, struct br_diags *dx) {
	const struct outcome *outcome = &class->outcome;
	switch (outcome->kind) {
	case OUTCOME_FITS:
		return 0;
	case OUTCOME_LEFT: {
		struct tally all = class->inside;
		tally_merge(&all, &class->outside);
		out->partial = true;
		return left_add(plan, tree, outcome->reason, left_detail(plan, tree, class), &all)
				== 0
			? 0
			: br_error_memory(dx);
	}
	case OUTCOME_CHANGE:
		break;
	}
	out->changes += class->inside.count;
	out->owner_only += owner_only(&class->facts) ? class->inside.count : 0;
	out->partial = out->partial || class->outside.count > 0;
	if (class->inside.count > 0) {
		if (effects_add(plan, tree, class, dx) != 0) {
			return -1;
		}
		if (actions_add(plan, tree, class) != 0) {
			return br_error_memory(dx);
		}
	}
	return left_add(plan, tree, BR_LEFT_LINKS, class->facts.uid, &class->outside) == 0
		? 0
		: br_error_memory(dx);
}

static int by_first_path(const void *a, const void *b) {
	const struct class *const *x = a;
	const struct class *const *y = b;
	const char *p = (*x)->seen.nexamples > 0 ? (*x)->seen.examples[0] : "";
	const char *q = (*y)->seen.nexamples > 0 ? (*y)->seen.examples[0] : "";
	return strcmp(p, q);
}

// In an order that does not depend on the walk's, so that two plans of one tree read the same.
static int settle_classes(struct br_plan *plan, struct tree_work *tree, struct br_tree_plan *out,
	struct br_diags *dx) {
	size_t n = tree->classes.n;
	const struct class **order = BR_NEW_ARRAY(plan->arena, const struct class *, n);
	if (order == NULL) {
		return br_error_memory(dx);
	}
	for (size_t i = 0; i < n; i++) {
		order[i] = table_at(&tree->classes, i);
	}
	if (n > 0) {
		qsort(order, n, sizeof(order[0]), by_first_path);
	}
	for (size_t i = 0; i < n; i++) {
		if (settle_class(plan, tree, order[i], out, dx) != 0) {
			return -1;
		}
	}
	return 0;
}

static int choose_tree(struct br_plan *plan, struct tree_work *tree, bool *wanting) {
	*wanting = false;
	return choose_all(plan, tree, wanting) == 0 && split_links(plan, tree) == 0 ? 0 : -1;
}

// What nobody asked for is not done where there is no room for it, and where it can be done
// without. 0 or -1 with ENOMEM.
static int choose_way(
	struct br_plan *plan, struct tree_work *tree, struct br_tree_plan *out, bool *wanting) {
	out->reason = choose_strategy(plan, tree);
	if (out->reason == NULL || choose_tree(plan, tree, wanting) != 0) {
		return -1;
	}
	int fits = *wanting && choose_may_keep(plan, tree) ? quota_fits(plan, tree) : 1;
	if (fits == 0) {
		tree->strategy = BR_STRATEGY_ACL;
		out->reason = br_strdup(
			plan->arena, "there is no room for it in the quota of who would own it");
		return out->reason == NULL ? -1 : choose_tree(plan, tree, wanting);
	}
	return fits < 0 ? -1 : 0;
}

static int settle_tree(struct br_plan *plan, struct tree_work *tree, struct br_tree_plan *out,
	struct br_diags *dx) {
	bool wanting = false;
	*out = (struct br_tree_plan){.tree = tree->tree};
	if (links_join(plan, tree) != 0) {
		return br_error_memory(dx);
	}
	find_foreign(plan, tree);
	if (choose_way(plan, tree, out, &wanting) != 0) {
		return br_error_memory(dx);
	}
	out->strategy = tree->strategy;
	memory_settle(tree);
	if (wanting && danger_check(plan, tree) != 0) {
		return br_error_memory(dx);
	}
	if (wanting && !tree->refused && copy_up_check(plan, tree) != 0) {
		return br_error_memory(dx);
	}
	if (wanting && !tree->refused && quota_check(plan, tree) != 0) {
		return br_error_memory(dx);
	}
	out->refused = tree->refused;
	out->partial = tree->refused || tree->unseen.count > 0;
	if (tree->refused) {
		return 0;
	}
	if (settle_classes(plan, tree, out, dx) != 0) {
		return -1;
	}
	return left_add(plan, tree, BR_LEFT_UNSEEN, BR_NO_ID, &tree->unseen) == 0
			&& left_add(plan, tree, BR_LEFT_MOUNT_POINT, BR_NO_ID, &tree->mount_points)
				== 0
		? 0
		: br_error_memory(dx);
}

// A missing source that is not made leaves its tree short.
static void find_unmade(
	const struct br_plan *plan, const struct tree_work *tree, struct br_tree_plan *out) {
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		bool made = !demand_missing(demand) || !demand_counts(demand);
		for (size_t k = 0; k < plan->work->makes.n; k++) {
			const struct br_make *make = &plan->work->makes.v[k];
			made = made || is_make_of(make, tree->tree, demand);
		}
		out->partial = out->partial || !made;
	}
}

static int finish(struct br_plan *plan, struct br_tree_plan *trees, struct br_diags *dx) {
	struct br_plan_work *work = plan->work;
	for (size_t i = 0; i < work->ntrees; i++) {
		plan->changes += trees[i].changes;
		find_unmade(plan, &work->trees[i], &trees[i]);
	}
	plan->trees = trees;
	plan->ntrees = work->ntrees;
	plan->makes = work->makes.v;
	plan->nmakes = work->makes.n;
	plan->accounts = work->new_accounts.v;
	plan->naccounts = work->new_accounts.n;
	plan->refusals = work->refusals.v;
	plan->nrefusals = work->refusals.n;
	plan->changes += plan->nmakes + plan->naccounts;
	if (effects_finish(plan) != 0 || left_finish(plan) != 0 || actions_finish(plan) != 0) {
		return br_error_memory(dx);
	}
	for (size_t i = 0; i < work->ntrees; i++) {
		if (!trees[i].refused
			&& (trees[i].changes > 0 || trees[i].partial
				|| notes_due(plan, &work->trees[i]))) {
			if (notes_tree(plan, &work->trees[i], br_diags_places(dx)) != 0) {
				return br_error_memory(dx);
			}
		}
	}
	if (notes_plan(plan) != 0 || advice_all(plan, br_diags_places(dx)) != 0) {
		return br_error_memory(dx);
	}
	plan->notes = work->notes.v;
	plan->nnotes = work->notes.n;
	return plan_digest(plan) != 0 ? br_error_memory(dx) : 0;
}

void br_plan_heed(struct br_plan *plan, const struct br_check *check) {
	for (size_t i = 0; i < check->demands->nmounts; i++) {
		const struct br_mount_source *ms = &check->demands->mounts[i];
		struct tree_work *tree = ms->demand == NULL ? NULL : find_tree(plan, ms->tree);
		if (tree != NULL && check->mounts[i].served) {
			tree->served |= (uint64_t)1 << ms->demand->index;
		}
	}
}

int br_plan_settle(struct br_plan *plan, struct br_diags *dx) {
	struct br_plan_work *work = plan->work;
	struct br_tree_plan *trees = BR_NEW_ARRAY(plan->arena, struct br_tree_plan, work->ntrees);
	if (trees == NULL) {
		return br_error_memory(dx);
	}
	for (size_t i = 0; i < work->ntrees; i++) {
		if (settle_tree(plan, &work->trees[i], &trees[i], dx) != 0) {
			return -1;
		}
	}
	if (makes_add(plan, dx) != 0 || accounts_add(plan, dx) != 0) {
		return -1;
	}
	return finish(plan, trees, dx);
}

static bool is_excluded(const struct br_plan *plan, const char *path) {
	const char *const *globs = plan->options->excludes;
	for (; globs != NULL && *globs != NULL; globs++) {
		if (br_glob(*globs, path)) {
			return true;
		}
	}
	return false;
}

// The root is on the first level.
static bool is_too_deep(const struct br_plan *plan, const char *path) {
	unsigned level = 1 + (*path != '\0');
	for (const char *p = path; *p != '\0'; p++) {
		level += *p == '/';
	}
	return plan->options->levels != 0 && level > plan->options->levels;
}

int br_plan_decide(const struct br_plan *plan, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after) {
	const struct tree_work *work = find_tree(plan, tree);
	if (work == NULL || work->refused || is_excluded(plan, path) || is_too_deep(plan, path)) {
		return 0;
	}
	struct facts facts = facts_of(work, path, inode);
	if ((facts.flags & FACT_LINKS) != 0) {
		const uint64_t key[2] = {inode->dev, inode->ino};
		const struct link *link = table_find(&work->links, key);
		if (link == NULL || !has_all_links(link) || link->nlink != inode->nlink) {
			return 0;
		}
		if (link->joined) {
			const struct class *joined = table_at(&work->classes, link->class);
			facts.demands = joined->facts.demands;
			facts.flags = joined->facts.flags;
		}
	}
	struct outcome outcome;
	// What nobody has seen is proved for nobody, and what came later nobody has agreed to.
	const struct class *class = table_find(&work->classes, &facts);
	if (class != NULL) {
		outcome = class->outcome;
	} else if (behind_choose(plan, work, &facts, &outcome) != 0) {
		return -1;
	}
	if (outcome.kind != OUTCOME_CHANGE) {
		return 0;
	}
	if (class == NULL || is_new(work, inode)) {
		return 2;
	}
	*after = *inode;
	after->mode = outcome.after.mode;
	after->uid = outcome.after.uid;
	after->gid = outcome.after.gid;
	after->acl = outcome.after.acl;
	after->def = outcome.after.def;
	bool moved = after->uid.v != inode->uid.v || after->gid.v != inode->gid.v;
	if (moved && S_ISREG(inode->mode)) {
		after->caps = NULL;
	}
	return 1;
}
