// What could be changed in the input instead of the host: only what is sure to serve, by the very same decision, with the exact edit; and what is left to choose where nothing serves exactly.

#include "work.h"

#include <base/text.h>

#include <string.h>
#include <sys/stat.h>

enum {
	ADVICE_MAX = 32,
	/** Of the copies that changing lower files of an overlay makes, without a word. */
	COPY_UP_MAX = 256 << 20,
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
	for (size_t k = 0; k < tree->classes.n; k++) {
		if (!class_fits(a, demand, table_at(&tree->classes, k))) {
			return false;
		}
	}
	return tree->unseen.count == 0;
}

// Whether the container would have all that it needs, as this identity: of everything that was seen, in every tree.
static bool would_fit(const struct attempt *a) {
	for (size_t t = 0; t < a->plan->work->ntrees; t++) {
		const struct tree_work *tree = &a->plan->work->trees[t];
		for (size_t i = 0; i < tree->tree->n; i++) {
			const struct br_demand *demand = &tree->tree->demands[i];
			if (is_meant(a, demand) && !demand_fits(a, tree, demand)) {
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

static int add(struct br_plan *plan, const struct br_advice *advice) {
	if (advice->summary == NULL || advice->price == NULL) {
		return -1;
	}
	return plan->work->advice.n >= ADVICE_MAX
		? 0
		: br_vec_push(&plan->work->arena, &plan->work->advice, *advice);
}

// ---- Edits ----

/** Where the edits are made. */
struct text {
	struct br_plan *plan;
	const struct br_places *places;
};

static const char *bytes_of(const struct text *text, struct br_span at) {
	size_t n;
	const char *bytes = br_places_bytes(text->places, at.text, &n);
	return bytes != NULL && (size_t)at.off + at.len <= n ? bytes + at.off : NULL;
}

// Pinned words, and those of an OCI bundle, stand where no edit can be made.
static bool is_file(const struct text *text, struct br_span at) {
	const char *name = br_places_name(text->places, at.text);
	bool argv = name != NULL && strcmp(name, "<command line>") == 0;
	enum br_input_kind kind = text->plan->work->input.spec->kind;
	return name != NULL && bytes_of(text, at) != NULL
		&& (kind == BR_INPUT_RUN_LINE || (kind == BR_INPUT_COMPOSE && !argv));
}

// A new first line of a mapping that stands in the text, or a new first member between braces.
static int insert_member(
	const struct text *text, struct br_span map, const char *member, struct br_advice *advice) {
	struct br_position where;
	const char *bytes = bytes_of(text, map);
	if (!is_file(text, map) || map.len == 0 || !br_places_find(text->places, map, &where)) {
		return 0;
	}
	bool flow = *bytes == '{';
	advice->at = (struct br_span){map.text, map.off + flow, 0};
	advice->with = flow
		? br_printf(text->plan->arena, "%s, ", member)
		: br_printf(text->plan->arena, "%s\n%*s", member, (int)where.column - 1, "");
	return advice->with == NULL ? -1 : 0;
}

// A key of the service, or an option in front of the run line's image.
static int insert_into(const struct text *text, const struct br_container *container,
	const char *member, const char *option, struct br_advice *advice) {
	if (member == NULL || option == NULL) {
		return -1;
	}
	if (text->plan->work->input.spec->kind != BR_INPUT_RUN_LINE) {
		return insert_member(text, container->at, member, advice);
	}
	struct br_span at = container->image.at;
	if (container->image.s == NULL || !is_file(text, at) || at.len == 0) {
		return 0;
	}
	advice->at = (struct br_span){at.text, at.off, 0};
	advice->with = br_printf(text->plan->arena, "%s ", option);
	return advice->with == NULL ? -1 : 0;
}

static int replace_word(
	const struct text *text, struct br_span at, const char *with, struct br_advice *advice) {
	if (!is_file(text, at) || at.len == 0) {
		return 0;
	}
	advice->at = at;
	advice->with = br_strdup(text->plan->arena, with);
	return advice->with == NULL ? -1 : 0;
}

// ---- :ro ----

// A short mount gets an option, a long one a key.
static int edit_mount(const struct text *text, const struct br_mount *mount, const char *option,
	const char *key, struct br_advice *advice) {
	struct br_span at = mount->at;
	const char *bytes = bytes_of(text, at);
	if (!is_file(text, at) || at.len < 2) {
		return 0;
	}
	bool is_short = memchr(bytes, '\n', at.len) == NULL && *bytes != '{'
		&& memmem(bytes, at.len, ": ", 2) == NULL && memchr(bytes, '$', at.len) == NULL;
	if (!is_short) {
		return *bytes == '{' || memchr(bytes, '\n', at.len) != NULL
			? insert_member(text, at, key, advice)
			: 0;
	}
	// --mount type=bind,source=…,target=…
	bool pairs = memmem(bytes, at.len, "target=", 7) != NULL
		|| memmem(bytes, at.len, "dst=", 4) != NULL
		|| memmem(bytes, at.len, "destination=", 12) != NULL;
	bool quoted = *bytes == '"' || *bytes == '\'';
	advice->at = (struct br_span){at.text, at.off + at.len - quoted, 0};
	advice->with = br_printf(
		text->plan->arena, "%s%s", pairs || mount->noptions > 0 ? "," : ":", option);
	return advice->with == NULL ? -1 : 0;
}

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
	return edit_mount(text, demand->mount, "ro", "read_only: true", &advice) != 0
		? -1
		: add(plan, &advice);
}

// ---- user: ----

static bool is_plain(const struct br_demand *demand) {
	return demand->identity->cred.uids.n == 0 && demand->identity->cred.gids.n == 0;
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
	bool line = plan->work->input.spec->kind == BR_INPUT_RUN_LINE;
	const char *member = br_printf(plan->arena, "user: \"%u:%u\"", root->uid.v, root->gid.v);
	const char *option = br_printf(plan->arena, "--user %u:%u", root->uid.v, root->gid.v);
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
	if (member == NULL || option == NULL) {
		return -1;
	}
	const struct br_text *user = &demand->container->user;
	int edited = user->s != NULL
		? replace_word(text, user->at,
			line ? option + strlen("--user ") : member + strlen("user: "), &advice)
		: insert_into(text, demand->container, member, option, &advice);
	return edited != 0 ? -1 : add(plan, &advice) == 0 ? 1 : -1;
}

// An image whose entrypoint drops has its own way to be told (or none): its first process must be root.
static int advise_user(const struct text *text, const struct br_demand *demand) {
	const struct br_plan_work *work = text->plan->work;
	if (!is_plain(demand) || demand->identity->drop != NULL) {
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

static int edit_groups(const struct text *text, const struct br_container *container, br_hostid gid,
	struct br_advice *advice) {
	struct br_position where;
	size_t n = container->ngroup_add;
	const char *word = br_printf(text->plan->arena, "\"%u\"", gid.v);
	const char *member = br_printf(text->plan->arena, "group_add: [\"%u\"]", gid.v);
	if (word == NULL || member == NULL) {
		return -1;
	}
	const char *option = br_printf(text->plan->arena, "--group-add %u", gid.v);
	if (n == 0 || text->plan->work->input.spec->kind == BR_INPUT_RUN_LINE) {
		return insert_into(text, container, member, option, advice);
	}
	struct br_span last = container->group_add[n - 1].at;
	if (!is_file(text, last) || !br_places_find(text->places, last, &where)) {
		return 0;
	}
	const char *bytes = bytes_of(text, last);
	bool block = last.off >= 2 && bytes[-1] == ' ' && bytes[-2] == '-';
	advice->at = (struct br_span){last.text, last.off + last.len, 0};
	advice->with = block
		? br_printf(text->plan->arena, "\n%*s- %s", (int)where.column - 3, "", word)
		: br_printf(text->plan->arena, ", %s", word);
	return advice->with == NULL ? -1 : 0;
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
	if (edit_groups(text, demand->container, gid, &advice) != 0) {
		return -1;
	}
	return add(plan, &advice) == 0 ? 1 : -1;
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

static int advise_keep_id(const struct text *text, const struct br_demand *demand) {
	struct br_plan *plan = text->plan;
	const struct br_identity *who = demand->identity;
	struct attempt a = attempt_of(plan, demand);
	br_hostid uid;
	br_hostid gid;
	// A rootless engine's own user is the container's root.
	if (engine_of(plan) != BR_ENGINE_PODMAN_ROOTLESS || who->cred.uids.n == 0
		|| !br_idmap_to_host(&who->cred.uids, (br_boxid){0}, &uid)
		|| !br_idmap_to_host(&who->cred.gids, (br_boxid){0}, &gid) || uid.v == 0
		|| who->uid.v == 0) {
		return 0;
	}
	a.cred = bare_cred(uid, gid);
	if (!would_fit(&a)) {
		return 0;
	}
	const char *user = user_word(plan, uid.v);
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
	const char *member = br_printf(
		plan->arena, "userns_mode: \"keep-id:uid=%u,gid=%u\"", who->uid.v, who->gid.v);
	const char *option =
		br_printf(plan->arena, "--userns=keep-id:uid=%u,gid=%u", who->uid.v, who->gid.v);
	bool line = plan->work->input.spec->kind == BR_INPUT_RUN_LINE;
	if (member == NULL || option == NULL) {
		return -1;
	}
	int edited = demand->container->userns_mode.s != NULL
		? replace_word(text, demand->container->userns_mode.at,
			line ? option + strlen("--userns=") : member + strlen("userns_mode: "),
			&advice)
		: insert_into(text, demand->container, member, option, &advice);
	return edited != 0 ? -1 : add(plan, &advice);
}

// Root's Podman, in a user namespace: the same numbers on disk as in the container.
static int advise_idmap(const struct text *text, const struct br_demand *demand) {
	struct br_plan *plan = text->plan;
	const struct br_identity *who = demand->identity;
	struct attempt a = attempt_of(plan, demand);
	const struct br_fs *fs = &demand->source->fs;
	if (engine_of(plan) != BR_ENGINE_PODMAN || who->cred.uids.n == 0
		|| demand->mount->idmap.s != NULL || fs->remote || strcmp(fs->type, "overlay") == 0
		|| demand_missing(demand)) {
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
		.price = "needs crun, or runc 1.2: an older runc ignores it silently",
	};
	return edit_mount(text, demand->mount, "idmap", "idmap: true", &advice) != 0
		? -1
		: add(plan, &advice);
}

// ---- Choices where nothing serves exactly ----

static bool is_left(const struct br_plan *plan, const struct tree_work *tree) {
	for (size_t i = 0; i < plan->nleft; i++) {
		if (plan->left[i].tree == tree->tree
			&& plan->left[i].reason == BR_LEFT_NO_EXACT_STATE) {
			return true;
		}
	}
	return false;
}

static int choose_one(
	struct br_plan *plan, const char *kind, const char *summary, const char *price) {
	const struct br_advice advice = {
		.kind = kind, .choice = true, .summary = summary, .price = price};
	return add(plan, &advice);
}

static int choices_no_owners(struct br_plan *plan, const struct tree_work *tree) {
	const struct br_fs *fs = &tree->tree->root->fs;
	const struct br_demand *demand = &tree->tree->demands[0];
	bool fuse = strncmp(fs->type, "fuse", 4) == 0;
	const char *mount = fuse
		? br_printf(plan->arena,
			"mount %s with -o allow_other and its own options for owners",
			fs->mount_point)
		: br_printf(plan->arena, "mount %s with uid=%u,gid=%u,umask=077", fs->mount_point,
			demand->identity->cred.uid.v, demand->identity->cred.gid.v);
	return choose_one(plan, "mount-option", mount,
		fuse ? "everybody on this host is let in as far as the modes say"
		     : "everything on it belongs to that user then");
}

static int choices_no_acls(struct br_plan *plan, const struct tree_work *tree) {
	if (choose_one(plan, "group",
		    br_printf(plan->arena,
			    "give %s and the container a group of its own: chgrp, chmod g+rwX, group_add",
			    tree->tree->path),
		    "all who are in that group can use it, and who was in the old one falls to the others")
		!= 0) {
		return -1;
	}
	return tree->single ? choose_one(plan, "owner",
		       br_printf(plan->arena, "let uid %u own %s", tree->sole.v, tree->tree->path),
		       "who owns it now can no longer use it as its owner")
			    : 0;
}

// Those that have no room for one more entry.
static int choices_full(struct br_plan *plan, const struct tree_work *tree) {
	for (size_t i = 0; i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		bool full = class->outcome.kind == OUTCOME_LEFT && class->facts.acl != NULL
			&& class->facts.acl->n + tree->tree->n > acl_room(tree);
		if (full) {
			return choose_one(plan, "group",
				br_printf(plan->arena,
					"put the users who have entries below %s into a group, and give that one "
					"entry: there is no room for more than %zu",
					tree->tree->path, acl_room(tree)),
				"whoever joins the group later has it too");
		}
	}
	return 0;
}

static int choices_tree(struct br_plan *plan, const struct tree_work *tree) {
	const struct br_fs *fs = &tree->tree->root->fs;
	if (strncmp(fs->type, "nfs", 3) == 0 && (tree->root_seen || tree->unseen.count > 0)
		&& choose_one(plan, "server",
			   br_printf(plan->arena, "run bindright on the server of %s",
				   fs->mount_point),
			   "none, but the IDs of this host must mean the same there: it may make root nobody here")
			!= 0) {
		return -1;
	}
	if (!is_left(plan, tree)) {
		return 0;
	}
	if (choices_full(plan, tree) != 0) {
		return -1;
	}
	if (fs->keeps_owners == BR_NO && choices_no_owners(plan, tree) != 0) {
		return -1;
	}
	if (fs->keeps_owners != BR_NO && fs->keeps_acls == BR_NO
		&& choices_no_acls(plan, tree) != 0) {
		return -1;
	}
	if (fs->keeps_owners == BR_NO || fs->keeps_acls == BR_NO) {
		return choose_one(plan, "move",
			br_printf(plan->arena,
				"move %s to a file system that keeps owners and ACLs (ext4, XFS, btrfs)",
				tree->tree->path),
			"it is copied once, and its path changes");
	}
	return 0;
}

// Changing a lower file of an overlay copies all of it up.
static int choices_overlay(struct br_plan *plan, const struct tree_work *tree) {
	uint64_t bytes = 0;
	if (strcmp(tree->tree->root->fs.type, "overlay") != 0) {
		return 0;
	}
	for (size_t i = 0; i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		bytes += class->outcome.kind == OUTCOME_CHANGE ? class->bytes : 0;
	}
	return bytes <= COPY_UP_MAX
		? 0
		: choose_one(plan, "copy-up",
			br_printf(plan->arena,
				"change %s in the lower file system instead, or mount it from there",
				tree->tree->path),
			br_printf(plan->arena,
				"on the overlay up to %llu MiB are copied: every lower file whose mode or owner "
				"changes",
				(unsigned long long)(bytes >> 20)));
}

// An entrypoint that chmods rewrites the mask, and with it what entries let through.
static int choices_chmod(struct br_plan *plan, const struct tree_work *tree) {
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		const struct br_image_drop *drop = demand->identity->drop;
		if (drop == NULL || !drop->chmods || demand->read_only
			|| tree->strategy == BR_STRATEGY_CHOWN) {
			continue;
		}
		return choose_one(plan, "same-user",
			br_printf(plan->arena,
				"let all that use %s run as one user, who owns it: the image of %s changes modes "
				"there at every start",
				tree->tree->path, demand->container->name.s),
			"each of them can do what the others can; otherwise ACL entries stop counting at the "
			"next start");
	}
	return 0;
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
	for (size_t t = 0; t < plan->work->ntrees && !plan->options->reclaim; t++) {
		const struct tree_work *tree = &plan->work->trees[t];
		if (!tree->refused
			&& (choices_tree(plan, tree) != 0 || choices_overlay(plan, tree) != 0
				|| choices_chmod(plan, tree) != 0)) {
			return -1;
		}
	}
	plan->advice = plan->work->advice.v;
	plan->nadvice = plan->work->advice.n;
	return 0;
}
