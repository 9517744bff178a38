// What could be changed in the input instead of the host: only what is sure to serve, by the very
// same decision.

#include "advice.h"

#include <base/text.h>

#include <string.h>
#include <sys/stat.h>

enum {
	ADVICE_MAX = 32,
};

/** What is tried. */
struct attempt {
	const struct br_plan *plan;
	const struct br_container *container;
	/** Only this mount; NULL: all of the container. */
	const struct br_mount *mount;
	struct br_cred cred;
	/** The bits that count of a need. */
	unsigned mask;
};

static bool is_meant(const struct attempt *a, const struct br_demand *demand) {
	return demand->container == a->container && demand_counts(demand)
		&& (a->mount == NULL || demand->mount == a->mount);
}

static bool class_fits(
	const struct attempt *a, const struct br_demand *demand, const struct class *class) {
	struct br_inode inode = facts_inode(&class->facts);
	if ((class->facts.demands >> demand->index & 1) == 0) {
		return true;
	}
	unsigned need = br_need_of(demand, &inode) & a->mask;
	bool unread = (class->facts.flags & FACT_UNREAD) != 0;
	if (unread && br_access_needs_acl(&inode, &a->cred, need)) {
		return false;
	}
	return br_access_use(&inode, &a->cred, &plain_where, need).missing == 0;
}

static bool demand_fits(
	const struct attempt *a, const struct tree_work *tree, const struct br_demand *demand) {
	const struct br_cred *now = &demand->identity->cred;
	// What its server would say to others is not known.
	if ((tree->served >> demand->index & 1) != 0 && a->cred.uid.v == now->uid.v
		&& a->cred.gid.v == now->gid.v) {
		return true;
	}
	for (size_t k = 0; k < tree->classes.n; k++) {
		if (!class_fits(a, demand, table_at(&tree->classes, k))) {
			return false;
		}
	}
	return tree->unseen.count == 0;
}

// Whether the container would have all that it needs, as this identity: of everything that was
// seen, in every tree. What is missing the engine makes root's.
static bool would_fit(const struct attempt *a) {
	for (size_t t = 0; t < a->plan->work->ntrees; t++) {
		const struct tree_work *tree = &a->plan->work->trees[t];
		for (size_t i = 0; i < tree->tree->n; i++) {
			const struct br_demand *demand = &tree->tree->demands[i];
			if (is_meant(a, demand)
				&& (demand_missing(demand) || !demand_fits(a, tree, demand))) {
				return false;
			}
		}
	}
	return true;
}

// The first demand of the container that counts; NULL.
static const struct br_demand *first_demand(
	const struct br_plan *plan, const struct br_container *container) {
	for (size_t t = 0; t < plan->work->ntrees; t++) {
		const struct br_tree *tree = plan->work->trees[t].tree;
		for (size_t i = 0; i < tree->n; i++) {
			if (tree->demands[i].container == container
				&& demand_counts(&tree->demands[i])) {
				return &tree->demands[i];
			}
		}
	}
	return NULL;
}

static struct attempt attempt_of(const struct br_plan *plan, const struct br_demand *demand) {
	return (struct attempt){
		.plan = plan,
		.container = demand->container,
		.cred = demand->identity->cred,
		.mask = BR_R | BR_W | BR_X,
	};
}

int advice_add(struct br_plan *plan, const struct br_advice *advice) {
	if (advice->summary == NULL || advice->price == NULL) {
		return -1;
	}
	return plan->work->advice.n >= ADVICE_MAX
		? 0
		: br_vec_push(&plan->work->arena, &plan->work->advice, *advice);
}

// ---- :ro ----

static int advise_read_only(const struct text *text, const struct br_demand *demand) {
	struct br_plan *plan = text->plan;
	struct attempt a = attempt_of(plan, demand);
	a.mount = demand->mount;
	bool writes = demand->need.said.text != 0 && (demand->need.file & BR_W) != 0;
	if (demand->read_only || writes || demand_missing(demand) || would_fit(&a)) {
		return 0;
	}
	a.mask = BR_R | BR_X;
	if (!would_fit(&a)) {
		return 0;
	}
	struct br_advice advice = {
		.kind = "read-only",
		.container = demand->container,
		.summary = br_printf(plan->arena,
			"if %s only reads %s, mount it read-only: it can read everything there",
			demand->container->name.s, demand->mount->target.s),
		.price = "it can write nothing there",
	};
	return edit_read_only(text, demand->container, demand->mount, &advice) != 0
		? -1
		: advice_add(plan, &advice);
}

// ---- user: ----

static bool is_plain(const struct br_demand *demand) {
	return demand->identity->cred.uids.n == 0 && demand->identity->cred.gids.n == 0;
}

// Whoever says on the command line who it is would not see a change of the input.
static bool is_pinned(const struct br_identity *identity) {
	for (size_t i = 0; i < identity->norigins; i++) {
		if (strcmp(identity->origins[i].from, "--user") == 0) {
			return true;
		}
	}
	return false;
}

static int advise_user_as(
	const struct text *text, const struct br_demand *demand, const struct br_inode *root) {
	struct br_plan *plan = text->plan;
	struct attempt a = attempt_of(plan, demand);
	a.cred = bare_cred(root->uid, root->gid);
	if (root->uid.v == 0 || root->gid.v == 0 || root->uid.v == demand->identity->cred.uid.v
		|| !would_fit(&a)) {
		return 0;
	}
	// Which of its groups it would keep is the engine's business: it has to fit with all of
	// them, too.
	a.cred.groups = demand->identity->cred.groups;
	a.cred.ngroups = demand->identity->cred.ngroups;
	if (!would_fit(&a)) {
		return 0;
	}
	const char *word = br_printf(plan->arena, "%u:%u", root->uid.v, root->gid.v);
	struct br_advice advice = {
		.kind = "user",
		.container = demand->container,
		.summary = br_printf(plan->arena,
			"run %s as uid %u, gid %u, whose files they are: then everything fits",
			demand->container->name.s, root->uid.v, root->gid.v),
		.price = br_printf(plan->arena,
			"what the image itself keeps for uid %u it may then not use",
			demand->identity->uid.v),
	};
	if (word == NULL || edit_user(text, demand->container, word, &advice) != 0) {
		return -1;
	}
	return advice_add(plan, &advice) == 0 ? 1 : -1;
}

// An image whose entrypoint drops has its own way to be told (or none): its first process must be
// root.
static int advise_user(const struct text *text, const struct br_demand *demand) {
	const struct br_plan_work *work = text->plan->work;
	if (!is_plain(demand) || demand->identity->drop != NULL || is_pinned(demand->identity)) {
		return 0;
	}
	for (size_t t = 0; t < work->ntrees; t++) {
		if (work->trees[t].root_seen) {
			int done = advise_user_as(text, demand, &work->trees[t].root);
			if (done != 0) {
				return done < 0 ? -1 : 0;
			}
		}
	}
	return 0;
}

// ---- group_add: ----

// With one more group, in the order that the kernel searches.
static struct br_cred with_group(const struct br_cred *cred, br_hostid gid, br_hostid *room) {
	struct br_cred out = *cred;
	size_t n = 0;
	bool put = false;
	for (size_t i = 0; i < cred->ngroups; i++) {
		if (!put && gid.v < cred->groups[i].v) {
			room[n++] = gid;
			put = true;
		}
		room[n++] = cred->groups[i];
	}
	if (!put) {
		room[n++] = gid;
	}
	out.groups = room;
	out.ngroups = n;
	return out;
}

static int advise_group_of(const struct text *text, const struct br_demand *demand, br_hostid gid) {
	struct br_plan *plan = text->plan;
	struct attempt a = attempt_of(plan, demand);
	br_hostid *room = BR_NEW_ARRAY(plan->arena, br_hostid, demand->identity->cred.ngroups + 1);
	if (room == NULL) {
		return -1;
	}
	if (!gid_usable(plan, &demand->identity->cred, gid)
		|| br_cred_in_group(&demand->identity->cred, gid)) {
		return 0;
	}
	a.cred = with_group(&demand->identity->cred, gid, room);
	if (!would_fit(&a)) {
		return 0;
	}
	const char *group = group_word(plan, gid.v);
	struct br_advice advice = {
		.kind = "group-add",
		.container = demand->container,
		.summary = group == NULL
			? NULL
			: br_printf(plan->arena,
				"give %s the group %s, which may use all of it already",
				demand->container->name.s, group),
		.price = "it gets whatever else that group may use of what is mounted",
	};
	const char *word = br_printf(plan->arena, "%u", gid.v);
	if (word == NULL || edit_group(text, demand->container, word, &advice) != 0) {
		return -1;
	}
	return advice_add(plan, &advice) == 0 ? 1 : -1;
}

static int advise_group(const struct text *text, const struct br_demand *demand) {
	const struct br_plan_work *work = text->plan->work;
	int done = 0;
	for (size_t t = 0; is_plain(demand) && t < work->ntrees && done == 0; t++) {
		const struct br_inode *root = &work->trees[t].root;
		if (!work->trees[t].root_seen) {
			continue;
		}
		done = advise_group_of(text, demand, root->gid);
		for (size_t i = 0; root->acl != NULL && i < root->acl->n && done == 0; i++) {
			const struct br_acl_entry *entry = &root->acl->entries[i];
			if (entry->tag == BR_ACL_GROUP) {
				done = advise_group_of(text, demand, entry->id);
			}
		}
	}
	return done < 0 ? -1 : 0;
}

// ---- Podman's user namespaces ----

static enum br_engine engine_of(const struct br_plan *plan) {
	const struct br_plan_input *input = &plan->work->input;
	return input->engine == BR_ENGINE_UNSAID ? input->spec->engine : input->engine;
}

// On the host: whoever runs the rootless engine, who is the container's root unless he is kept as
// somebody else.
static bool engine_user(
	const struct br_plan *plan, const struct br_cred *cred, struct br_cred *out) {
	const struct br_host_user *user = plan->work->input.engine_user;
	br_hostid uid;
	br_hostid gid;
	if (user != NULL) {
		*out = bare_cred(user->uid, user->gid);
		return true;
	}
	if (!br_idmap_to_host(&cred->uids, (br_boxid){0}, &uid)
		|| !br_idmap_to_host(&cred->gids, (br_boxid){0}, &gid)) {
		return false;
	}
	*out = bare_cred(uid, gid);
	return true;
}

static int advise_keep_id(const struct text *text, const struct br_demand *demand) {
	struct br_plan *plan = text->plan;
	const struct br_identity *who = demand->identity;
	struct attempt a = attempt_of(plan, demand);
	if (engine_of(plan) != BR_ENGINE_PODMAN_ROOTLESS || who->cred.uids.n == 0
		|| !engine_user(plan, &who->cred, &a.cred) || a.cred.uid.v == 0 || who->uid.v == 0
		|| a.cred.uid.v == who->cred.uid.v || !would_fit(&a)) {
		return 0;
	}
	const char *user = user_word(plan, a.cred.uid.v);
	struct br_advice advice = {
		.kind = "userns",
		.container = demand->container,
		.summary = user == NULL
			? NULL
			: br_printf(plan->arena,
				"let %s be %s on the host: userns=keep-id:uid=%u,gid=%u",
				demand->container->name.s, user, who->uid.v, who->gid.v),
		.price =
			"other UIDs of the container become other numbers on the host: what it wrote as "
			"them is no longer theirs",
	};
	const char *mode = br_printf(plan->arena, "keep-id:uid=%u,gid=%u", who->uid.v, who->gid.v);
	if (mode == NULL || edit_userns(text, demand->container, mode, &advice) != 0) {
		return -1;
	}
	return advice_add(plan, &advice);
}

// Whether whoever makes the mount can map its IDs, as far as is known.
static bool maps_mounts(const struct br_plan *plan, const struct br_container *container) {
	const char *word = container->runtime.s;
	const char *slash = word == NULL ? NULL : strrchr(word, '/');
	const char *runtime = slash != NULL ? slash + 1
		: word != NULL              ? word
					    : plan->work->input.runtime;
	return runtime == NULL || strcmp(runtime, "crun") == 0;
}

// Root's Podman, in a user namespace: the same numbers on disk as in the container.
static int advise_idmap(const struct text *text, const struct br_demand *demand) {
	struct br_plan *plan = text->plan;
	const struct br_identity *who = demand->identity;
	struct attempt a = attempt_of(plan, demand);
	const struct br_fs *fs = &demand->source->fs;
	if (engine_of(plan) != BR_ENGINE_PODMAN || who->cred.uids.n == 0
		|| !maps_mounts(plan, demand->container) || demand->mount->idmap.s != NULL
		|| fs->remote || strcmp(fs->type, "overlay") == 0 || demand_missing(demand)) {
		return 0;
	}
	a.mount = demand->mount;
	a.cred = bare_cred((br_hostid){who->uid.v}, (br_hostid){who->gid.v});
	if (!would_fit(&a)) {
		return 0;
	}
	struct br_advice advice = {
		.kind = "idmap",
		.container = demand->container,
		.summary = br_printf(plan->arena,
			"mount %s with idmap: on disk it belongs to the numbers that %s has inside",
			demand->mount->target.s, demand->container->name.s),
		.price = "needs crun: runc 1.1 leaves the map out silently",
	};
	return edit_idmap(text, demand->container, demand->mount, &advice) != 0
		? -1
		: advice_add(plan, &advice);
}

// ---- All ----

static int advise_container(const struct text *text, const struct br_container *container) {
	struct br_plan *plan = text->plan;
	const struct br_demand *first = first_demand(plan, container);
	if (first == NULL || overrides(&first->identity->cred)) {
		return 0;
	}
	struct attempt as_it_is = attempt_of(plan, first);
	if (would_fit(&as_it_is)) {
		return 0;
	}
	for (size_t t = 0; t < plan->work->ntrees; t++) {
		const struct br_tree *tree = plan->work->trees[t].tree;
		for (size_t i = 0; i < tree->n; i++) {
			const struct br_demand *demand = &tree->demands[i];
			if (demand->container == container && demand_counts(demand)
				&& (advise_read_only(text, demand) != 0
					|| advise_idmap(text, demand) != 0)) {
				return -1;
			}
		}
	}
	return advise_user(text, first) != 0 || advise_group(text, first) != 0
			|| advise_keep_id(text, first) != 0
		? -1
		: 0;
}

int advice_all(struct br_plan *plan, const struct br_places *places) {
	const struct text text = {plan, places};
	const struct br_spec *spec = plan->work->input.spec;
	for (size_t i = 0; i < spec->n && !plan->options->reclaim; i++) {
		if (advise_container(&text, &spec->containers[i]) != 0) {
			return -1;
		}
	}
	if (!plan->options->reclaim && choices_all(plan) != 0) {
		return -1;
	}
	plan->advice = plan->work->advice.v;
	plan->nadvice = plan->work->advice.n;
	return 0;
}
