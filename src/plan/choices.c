// What is left to choose where nothing serves exactly, each with its price.

#include "advice.h"

#include <base/text.h>

#include <string.h>

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
	return advice_add(plan, &advice);
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

static int choices_overlay(struct br_plan *plan, const struct tree_work *tree) {
	return !tree->copies_refused
		? 0
		: choose_one(plan, "copy-up",
			br_printf(plan->arena,
				"change %s in the lower file system instead, or mount it from there",
				tree->tree->path),
			"whatever else lies over that file system sees the change, too");
}

static bool adds_entries(const struct tree_work *tree) {
	for (size_t i = 0; i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		if (class->outcome.kind == OUTCOME_CHANGE && class->outcome.after.acl != NULL) {
			return true;
		}
	}
	return false;
}

// Whether anybody but this container needs the bits and entries there.
static bool others_use(const struct tree_work *tree, const struct br_container *container) {
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		if (demand->container != container && demand_counts(demand)
			&& !overrides(&demand->identity->cred)) {
			return true;
		}
	}
	return adds_entries(tree);
}

// An entrypoint that chmods rewrites the mask, and with it what entries let through.
static int choices_chmod(struct br_plan *plan, const struct tree_work *tree) {
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		const struct br_image_drop *drop = demand->identity->drop;
		if (drop == NULL || !drop->chmods || demand->read_only
			|| tree->strategy == BR_STRATEGY_CHOWN
			|| !others_use(tree, demand->container)) {
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

int choices_all(struct br_plan *plan) {
	for (size_t t = 0; t < plan->work->ntrees; t++) {
		const struct tree_work *tree = &plan->work->trees[t];
		if (choices_overlay(plan, tree) != 0
			|| (!tree->refused
				&& (choices_tree(plan, tree) != 0
					|| choices_chmod(plan, tree) != 0))) {
			return -1;
		}
	}
	return 0;
}
