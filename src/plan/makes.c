#include "work.h"

#include <base/text.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** A directory that is to be made: one of a demand's own, or one on the way. */
struct make {
	const struct br_tree *tree;
	const struct br_source *root;
	/** Below root. */
	const char *below;
	/** The whole path. */
	const char *path;
	/** Its path below the tree's root, by the tree's own name; NULL where it lies above that. */
	const char *inside;
	/** The first demand on just this directory; NULL: on the way. */
	const struct br_demand *demand;
};

struct makes {
	struct br_arena *arena;
	br_vec(struct make) list;
};

bool demand_missing(const struct br_demand *demand) {
	return demand->source->state == BR_SOURCE_MISSING && demand->source->missing != NULL
		&& demand->source->missing[0] != '\0';
}

// What is usually a file: made as a directory it would be as wrong as what the engine does.
// Whether the demand's source is one that is made: 1, 0 (with a note why not), -1 with ENOMEM.
static int is_makeable(struct br_plan *plan, const struct br_demand *demand) {
	const struct br_source *source = demand->source;
	bool directory =
		demand->mount->kind == BR_MOUNT_BIND || demand->mount->kind == BR_MOUNT_VOLUME_BIND;
	if (!directory || br_names_file(source->missing)) {
		return note_add(plan,
			br_printf(plan->arena,
				"%s is missing and is probably meant to be a file: make it before the engine "
				"makes a directory of that name",
				source->path));
	}
	if (!plan->options->create_missing) {
		return 0;
	}
	return 1;
}

/** Whether two missing sources lack their names in one directory, by whatever names that is
 * reached; an ID-mapped mount shows other owners. */
static bool is_beside(const struct br_source *a, const struct br_source *b) {
	struct br_inode x;
	struct br_inode y;
	if (a->dev != b->dev || a->ino != b->ino || a->mount == b->mount) {
		return a->dev == b->dev && a->ino == b->ino;
	}
	return br_inode_stat(a->fd, "", &x) == 0 && br_inode_stat(b->fd, "", &y) == 0
		&& x.uid.v == y.uid.v && x.gid.v == y.gid.v;
}

/** By which of its names the directory that something is missing in is written to: the first that
 * can be. */
static const struct br_source *root_of(const struct br_plan *plan, const struct br_source *source) {
	for (size_t i = 0; i < plan->work->ntrees; i++) {
		const struct tree_work *tree = &plan->work->trees[i];
		for (size_t k = 0; !tree->refused && k < tree->tree->n; k++) {
			const struct br_demand *demand = &tree->tree->demands[k];
			if (demand_missing(demand) && demand_counts(demand)
				&& !demand->source->fs.mount_read_only
				&& is_beside(demand->source, source)) {
				return demand->source;
			}
		}
	}
	return source;
}

static struct make *find(struct makes *makes, const struct make *make) {
	for (size_t i = 0; i < makes->list.n; i++) {
		struct make *known = &makes->list.v[i];
		if (known->root == make->root && strcmp(known->below, make->below) == 0) {
			return known;
		}
	}
	return NULL;
}

/** Below the tree's root, what is `rest` bytes above the demand's own directory: *out, NULL where
 * that is above the root. 0 or -1 with ENOMEM. */
static int find_inside(
	struct br_arena *arena, const struct br_demand *demand, size_t rest, const char **out) {
	size_t n = strlen(demand->below);
	*out = NULL;
	// One more is the slash below the root itself.
	if (rest > n + (n > 0)) {
		return 0;
	}
	*out = br_strndup(arena, demand->below, rest > n ? 0 : n - rest);
	return *out == NULL ? -1 : 0;
}

// Add the demand's directory and those on the way to it.
static int add_demand(const struct br_plan *plan, struct makes *makes, const struct br_tree *tree,
	const struct br_demand *demand) {
	const char *missing = demand->source->missing;
	size_t len = strlen(missing);
	const struct br_source *root = root_of(plan, demand->source);
	const char *real = strcmp(root->real, "/") == 0 ? "" : root->real;
	for (size_t n = 1; n <= len; n++) {
		if (missing[n] != '/' && missing[n] != '\0') {
			continue;
		}
		struct make make = {
			.tree = tree,
			.root = root,
			.below = br_strndup(makes->arena, missing, n),
			.path = br_printf(makes->arena, "%s/%.*s", real, (int)n, missing),
			.demand = n == len ? demand : NULL,
		};
		if (make.below == NULL || make.path == NULL
			|| find_inside(makes->arena, demand, len - n, &make.inside) != 0) {
			return -1;
		}
		struct make *known = find(makes, &make);
		if (known == NULL) {
			if (br_vec_push(makes->arena, &makes->list, make) != 0) {
				return -1;
			}
		} else if (known->demand == NULL) {
			known->demand = make.demand;
		}
	}
	return 0;
}

bool is_make_of(
	const struct br_make *make, const struct br_tree *tree, const struct br_demand *demand) {
	return make->tree == tree && strcmp(make->below, demand->source->missing) == 0
		&& is_beside(make->root, demand->source);
}

static int by_path(const void *a, const void *b) {
	const struct make *x = a;
	const struct make *y = b;
	return strcmp(x->path, y->path);
}

static bool is_on(const struct make *make, const struct br_demand *demand) {
	return demand_missing(demand) && demand_counts(demand)
		&& strcmp(make->below, demand->source->missing) == 0
		&& is_beside(make->root, demand->source);
}

// The owner: the first who writes, else the first.
static const struct br_demand *heir_of(const struct make *make) {
	const struct br_demand *heir = make->demand;
	for (size_t i = 0; i < make->tree->n; i++) {
		const struct br_demand *demand = &make->tree->demands[i];
		if (is_on(make, demand) && (heir->need.dir & BR_W) == 0
			&& (demand->need.dir & BR_W) != 0) {
			heir = demand;
		}
	}
	return heir;
}

// The demands that reach it: those on just this directory, and those on one above it, made or there
// already.
static uint64_t demands_on(const struct make *make) {
	uint64_t set = make->inside == NULL ? 0 : demands_at(make->tree, make->inside);
	for (size_t i = 0; i < make->tree->n; i++) {
		const struct br_demand *demand = &make->tree->demands[i];
		set |= is_on(make, demand) ? (uint64_t)1 << demand->index : 0;
	}
	return set;
}

static void grant_person(const struct person *person, const struct people *people,
	const struct br_inode *inode, struct draft *draft) {
	const struct br_cred *cred = person->cred;
	unsigned perm = person->need;
	for (size_t i = 0; i < people->n; i++) {
		const struct person *same = &people->v[i];
		perm |= same->cred->uid.v == cred->uid.v ? same->need : 0;
	}
	if (br_access_use(inode, cred, &plain_where, perm).missing == 0) {
		return;
	}
	if (cred->uid.v == inode->uid.v) {
		draft->owner |= perm;
	} else {
		draft_name(draft, cred->uid,
			perm | br_access(inode, cred, &plain_where, BR_R | BR_W | BR_X).have);
	}
}

static void find_people(
	const struct br_plan *plan, const struct make *make, uint64_t on, struct people *people) {
	unsigned all = 0;
	for (size_t i = 0; i < make->tree->n; i++) {
		const struct br_demand *demand = &make->tree->demands[i];
		if ((on >> demand->index & 1) != 0 && people->n < PEOPLE_MAX) {
			people->v[people->n++] = (struct person){
				.cred = &demand->identity->cred, .need = demand->need.dir};
			all |= demand->need.dir;
		}
	}
	for (size_t i = 0; i < plan->options->nkeepers; i++) {
		const struct br_keeper *keeper = &plan->options->keepers[i];
		if (keeper->demanded && keeper_of(keeper, make->tree, on)
			&& people->n < PEOPLE_MAX) {
			people->v[people->n++] =
				(struct person){.cred = &keeper->cred, .need = all};
		}
	}
}

// Entries for the demands, as far as the mode does not serve them, and on a demand's own directory
// for kept users.
static int grant(const struct br_plan *plan, const struct make *make, struct br_inode *after) {
	struct draft draft;
	struct people people = {0};
	br_hostid owner = after->uid;
	uint64_t on = demands_on(make);
	if (draft_open(plan, &draft, after) != 0) {
		return -1;
	}
	find_people(plan, make, on, &people);
	for (size_t i = 0; i < people.n; i++) {
		grant_person(&people.v[i], &people, after, &draft);
	}
	for (size_t i = 0; make->demand != NULL && i < plan->options->nkeepers; i++) {
		const struct br_keeper *keeper = &plan->options->keepers[i];
		const struct br_cred *cred = &keeper->cred;
		if (cred->uid.v != owner.v && cred->uid.v != 0
			&& keeper_of(keeper, make->tree, on)) {
			draft_name(&draft, cred->uid, BR_R | BR_W | BR_X);
		}
	}
	if (draft_close(plan, &draft, after) != 0) {
		return -1;
	}
	if (on != 0 && wants_future(plan, make->tree, on)) {
		const struct br_acl *def;
		if (draft_default(plan, after, &people, &def) != 0) {
			return -1;
		}
		after->def = def;
	}
	return 0;
}

// Who is not root can make directories of his own only.
static void keep_own(const struct br_plan *plan, struct br_inode *after) {
	if (plan->options->caller.v != 0) {
		after->uid = plan->options->caller;
		after->gid = plan->options->caller_gid;
	}
}

// All whom the mode does not serve are in this group.
static bool serves_by(const struct br_plan *plan, const struct people *people,
	const struct br_inode *inode, br_hostid gid) {
	for (size_t i = 0; i < people->n; i++) {
		const struct person *person = &people->v[i];
		bool served =
			br_access_use(inode, person->cred, &plain_where, person->need).missing == 0;
		if (!served
			&& (person->cred->uid.v == inode->uid.v
				|| !br_cred_in_group(person->cred, gid)
				|| !gid_usable(plan, person->cred, gid))) {
			return false;
		}
	}
	return plan->options->caller.v == 0 || is_own_group(plan, gid.v);
}

// Without ACLs: by a group that the others have, as strategy group would do it afterwards. Where
// they have none in common, it stays the first one's.
static void share(const struct br_plan *plan, const struct make *make, struct br_inode *after) {
	struct people people = {0};
	find_people(plan, make, demands_on(make), &people);
	for (size_t i = 0; i < people.n; i++) {
		const struct br_cred *cred = people.v[i].cred;
		for (size_t k = 0; k <= cred->ngroups; k++) {
			br_hostid gid = k == 0 ? cred->gid : cred->groups[k - 1];
			if (br_access_use(after, cred, &plain_where, people.v[i].need).missing != 0
				&& serves_by(plan, &people, after, gid)) {
				after->gid = gid;
				after->mode |= 02070;
				return;
			}
		}
	}
}

// The directory itself: the container's, 0755.
static int own_state(const struct br_plan *plan, const struct make *make, struct br_inode *after) {
	const struct br_demand *heir = heir_of(make);
	*after = (struct br_inode){
		.mode = S_IFDIR | 0755,
		.nlink = 2,
		.uid = heir->identity->cred.uid,
		.gid = heir->identity->cred.gid,
		.have = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL,
	};
	keep_own(plan, after);
	if (make->root->fs.keeps_acls == BR_NO) {
		share(plan, make, after);
		return 0;
	}
	return grant(plan, make, after);
}

// On the way: as the nearest directory that exists, but not for everybody to write as /tmp is.
static void way_state(const struct br_inode *parent, struct br_inode *after) {
	*after = (struct br_inode){
		.mode = S_IFDIR | (parent->mode & 07777),
		.nlink = 2,
		.uid = parent->uid,
		.gid = parent->gid,
		.have = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL,
		.acl = parent->acl,
		.def = parent->def,
	};
	if ((after->mode & 01002) == 01002) {
		*after = (struct br_inode){
			.mode = S_IFDIR | 0755,
			.nlink = 2,
			.uid = parent->uid,
			.gid = parent->gid,
			.have = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL,
		};
	}
}

static int settle_make(struct br_plan *plan, const struct make *make, struct br_diags *dx) {
	struct br_make out = {.tree = make->tree, .root = make->root, .below = make->below};
	if (make->demand != NULL) {
		if (own_state(plan, make, &out.after) != 0) {
			return br_error_memory(dx);
		}
	} else {
		struct br_inode parent;
		if (br_inode_read(make->root->fd, "", BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL, plan->acls,
			    &parent)
			!= 0) {
			return br_error(dx, (struct br_span){0}, "cannot examine '%s': %s",
				make->root->real, strerror(errno));
		}
		way_state(&parent, &out.after);
		keep_own(plan, &out.after);
		if (make->root->fs.keeps_acls != BR_NO && grant(plan, make, &out.after) != 0) {
			return br_error_memory(dx);
		}
	}
	return br_vec_push(&plan->work->arena, &plan->work->makes, out) == 0 ? 0
									     : br_error_memory(dx);
}

static int collect(struct br_plan *plan, struct makes *makes) {
	for (size_t i = 0; i < plan->work->ntrees; i++) {
		const struct tree_work *tree = &plan->work->trees[i];
		for (size_t k = 0; !tree->refused && k < tree->tree->n; k++) {
			const struct br_demand *demand = &tree->tree->demands[k];
			if (!demand_missing(demand) || !demand_counts(demand)) {
				continue;
			}
			int makeable = is_makeable(plan, demand);
			if (makeable < 0
				|| (makeable > 0
					&& add_demand(plan, makes, tree->tree, demand) != 0)) {
				return -1;
			}
		}
	}
	return 0;
}

int makes_add(struct br_plan *plan, struct br_diags *dx) {
	struct br_arena arena = {0};
	struct makes makes = {.arena = &arena};
	int result = collect(plan, &makes) == 0 ? 0 : br_error_memory(dx);
	if (makes.list.n > 0) {
		// A directory sorts before what is below it.
		qsort(makes.list.v, makes.list.n, sizeof(*makes.list.v), by_path);
	}
	for (size_t i = 0; result == 0 && i < makes.list.n; i++) {
		struct make *make = &makes.list.v[i];
		make->below = br_strdup(plan->arena, make->below);
		result = make->below == NULL ? br_error_memory(dx) : settle_make(plan, make, dx);
	}
	br_arena_release(&arena);
	return result;
}
