#include "work.h"

#include <base/own.h>
#include <base/text.h>
#include <bindright/source.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** How far a listed directory reaches. */
enum reach {
	/** Itself, and every directory above it. */
	REACH_SELF,
	/** What is below it, too. */
	REACH_BELOW,
};

struct place {
	const char *path;
	enum reach reach;
	/** No option lifts it. */
	bool never;
	const char *what;
};

static const char system_directory[] = "is a system directory";
static const char engine_state[] = "is the state of a container engine";
static const char private_name[] = "lies in a directory that is private by name";
static const char top_directory[] = "is a directory that much else lives in";

static const struct place places[] = {
	{"/", REACH_SELF, true, "is the root of the host"},
	{"/proc", REACH_BELOW, true, system_directory},
	{"/sys", REACH_BELOW, true, system_directory},
	{"/dev", REACH_BELOW, true, system_directory},
	{"/boot", REACH_BELOW, false, system_directory},
	{"/etc", REACH_BELOW, false, system_directory},
	{"/usr", REACH_BELOW, false, system_directory},
	{"/bin", REACH_BELOW, false, system_directory},
	{"/sbin", REACH_BELOW, false, system_directory},
	{"/lib", REACH_BELOW, false, system_directory},
	{"/lib32", REACH_BELOW, false, system_directory},
	{"/lib64", REACH_BELOW, false, system_directory},
	{"/libx32", REACH_BELOW, false, system_directory},
	{"/run", REACH_BELOW, false, system_directory},
	{"/var/run", REACH_BELOW, false, system_directory},
	{"/var/lib/docker", REACH_BELOW, false, engine_state},
	{"/var/lib/containers", REACH_BELOW, false, engine_state},
	{"/var/lib/containerd", REACH_BELOW, false, engine_state},
	{"/var/lib/kubelet", REACH_BELOW, false, engine_state},
	{"/var/lib/dpkg", REACH_BELOW, false, system_directory},
	{"/var/lib/rpm", REACH_BELOW, false, system_directory},
	{"/var/lib/systemd", REACH_BELOW, false, system_directory},
	{"/var/lib/bindright", REACH_BELOW, false, "holds the journals of past fixes"},
	{"/snap", REACH_BELOW, false, system_directory},
	{"/nix/store", REACH_BELOW, false, system_directory},
	{"/root", REACH_SELF, false, "is the home of root"},
	{"/home", REACH_SELF, false, top_directory},
	{"/var", REACH_SELF, false, top_directory},
	{"/var/lib", REACH_SELF, false, top_directory},
	{"/var/log", REACH_SELF, false, top_directory},
	{"/var/spool", REACH_SELF, false, top_directory},
	{"/opt", REACH_SELF, false, top_directory},
	{"/srv", REACH_SELF, false, top_directory},
	{"/mnt", REACH_SELF, false, top_directory},
	{"/media", REACH_SELF, false, top_directory},
	{"/tmp", REACH_SELF, false, top_directory},
	{"/var/tmp", REACH_SELF, false, top_directory},
};

static const char *const kernel_types[] = {"proc", "sysfs", "cgroup", "cgroup2", "devtmpfs",
	"devpts", "debugfs", "tracefs", "securityfs", "bpf", "efivarfs", "configfs", "pstore",
	NULL};

/** An object's identity; names prove nothing (a bind mount of / elsewhere is still /). */
struct id {
	uint64_t dev;
	uint64_t ino;
};

/** The source under suspicion: its own identity, and those of all directories above it, up to /. */
struct suspect {
	struct id self;
	struct id *above;
	size_t n;
	/** It is not there: self is the directory in which it would be made. */
	bool missing;
	/** Where it is, or would be. */
	const char *path;
};

static bool identify(const char *path, struct id *out) {
	struct stat st;
	if (stat(path, &st) != 0) {
		return false;
	}
	*out = (struct id){st.st_dev, st.st_ino};
	return true;
}

static bool same(const struct id *a, const struct id *b) {
	return a->dev == b->dev && a->ino == b->ino;
}

// Call `each` with every directory above an absolute path, / first. 0, or -1 with ENOMEM.
static int each_above(
	const char *path, void (*each)(void *context, const char *above), void *context) {
	char *copy = strdup(path);
	if (copy == NULL) {
		return -1;
	}
	for (size_t i = 1; *path == '/' && copy[i] != '\0'; i++) {
		if (i == 1) {
			each(context, "/");
		}
		if (copy[i] == '/') {
			copy[i] = '\0';
			each(context, copy);
			copy[i] = '/';
		}
	}
	free(copy);
	return 0;
}

static void add_above(void *context, const char *above) {
	struct suspect *suspect = context;
	if (identify(above, &suspect->above[suspect->n])) {
		suspect->n++;
	}
}

struct within {
	const struct suspect *suspect;
	bool found;
};

static void compare_above(void *context, const char *above) {
	struct within *within = context;
	struct id id;
	within->found =
		within->found || (identify(above, &id) && same(&id, &within->suspect->self));
}

// Is the source this object, or below it?
static bool is_below(const struct suspect *suspect, const struct id *id) {
	bool below = same(&suspect->self, id);
	for (size_t i = 0; i < suspect->n; i++) {
		below = below || same(&suspect->above[i], id);
	}
	return below;
}

static bool is_named_below(const char *path, const char *place) {
	size_t n = strlen(place);
	return strncmp(path, place, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

// Is the source the place, above it, or (where that counts) below it? 1, 0, or -1 with ENOMEM.
static int is_at(const struct suspect *suspect, const struct place *place) {
	struct id id;
	if (!identify(place->path, &id)) {
		// A place that is not there either has nothing but its name.
		return suspect->missing && place->reach == REACH_BELOW
			&& is_named_below(suspect->path, place->path);
	}
	if (place->reach == REACH_BELOW && is_below(suspect, &id)) {
		return 1;
	}
	if (suspect->missing) {
		return 0;
	}
	if (same(&suspect->self, &id)) {
		return 1;
	}
	struct within within = {.suspect = suspect};
	if (each_above(place->path, compare_above, &within) != 0) {
		return -1;
	}
	return within.found ? 1 : 0;
}

static bool is_home_uid(const struct br_plan *plan, uint32_t uid) {
	const struct br_id_limits *limits = &plan->work->limits;
	return uid == 0 || uid == plan->options->caller.v
		|| (uid >= limits->uid_min && uid <= limits->uid_max);
}

static const char *const rootless_state[] = {".local/share/docker", ".local/share/containers"};

// The state of a rootless engine is in its user's home. 1, 0, or -1 with ENOMEM.
static int is_rootless_state(const struct suspect *suspect, const char *home) {
	int found = 0;
	for (size_t i = 0; found == 0 && i < sizeof(rootless_state) / sizeof(*rootless_state);
		i++) {
		struct br_buf path = {0};
		struct id id;
		br_buf_addf(&path, "%s/%s", home, rootless_state[i]);
		if (path.failed) {
			found = -1;
		} else if (identify(path.s, &id) && is_below(suspect, &id)) {
			found = 1;
		}
		br_buf_release(&path);
	}
	return found;
}

// 1 with *what, 0, -1 ENOMEM.
static int is_home(const struct br_plan *plan, const struct suspect *suspect, const char **what) {
	const struct br_host_user *users = NULL;
	struct br_hostdb *db = plan->work->input.hostdb;
	size_t n = db == NULL ? 0 : br_hostdb_users(db, &users);
	for (size_t i = 0; i < n; i++) {
		const char *path = users[i].home;
		if (!is_home_uid(plan, users[i].uid.v) || path == NULL || path[0] != '/') {
			continue;
		}
		struct place home = {.path = path, .reach = REACH_SELF};
		int at = is_at(suspect, &home);
		if (at > 0) {
			*what = br_printf(
				plan->arena, "is, or holds, the home of %s", users[i].name);
			return *what == NULL ? -1 : 1;
		}
		at = at == 0 ? is_rootless_state(suspect, path) : at;
		if (at != 0) {
			*what = engine_state;
			return at;
		}
	}
	return 0;
}

static bool same_path(const char *a, const char *b) {
	size_t n = strlen(a);
	size_t m = strlen(b);
	while (n > 1 && a[n - 1] == '/') {
		n--;
	}
	while (m > 1 && b[m - 1] == '/') {
		m--;
	}
	return n == m && memcmp(a, b, n) == 0;
}

static bool is_allowed(const struct br_plan *plan, const struct br_tree *tree) {
	const char *const *allowed = plan->options->allow_dangerous;
	for (; allowed != NULL && *allowed != NULL; allowed++) {
		if (same_path(*allowed, tree->path) || same_path(*allowed, tree->root->path)
			|| same_path(*allowed, tree->root->real)) {
			return true;
		}
	}
	return false;
}

static bool listed(const char *word, const char *const *words) {
	for (; *words != NULL; words++) {
		if (strcmp(word, *words) == 0) {
			return true;
		}
	}
	return false;
}

// The option that lifts the rule, as it can be typed. NULL with ENOMEM.
static const char *allow_option(const struct br_plan *plan, const char *path) {
	struct br_buf buf = {0};
	if (!br_is_typable(path) || strchr(path, '\\') != NULL) {
		return "--allow-dangerous, and its path"; // shown with more backslashes than it has
	}
	br_buf_add(&buf, "--allow-dangerous ");
	br_buf_shell(&buf, path);
	const char *out = buf.failed ? NULL : br_strdup(plan->arena, buf.s);
	br_buf_release(&buf);
	return out;
}

static int refuse(struct br_plan *plan, struct tree_work *tree, const char *rule, bool lifts) {
	struct br_refusal refusal = {
		.tree = tree->tree,
		.path = tree->tree->path,
		.rule = rule,
	};
	if (tree->tree->n > 0) {
		refusal.at = tree->tree->demands[0].mount->source.at;
	}
	if (lifts) {
		refusal.option = allow_option(plan, tree->tree->path);
		if (refusal.option == NULL) {
			return -1;
		}
	}
	tree->refused = true;
	return rule == NULL ? -1 : br_vec_push(&plan->work->arena, &plan->work->refusals, refusal);
}

int danger_refuse(
	struct br_plan *plan, struct tree_work *tree, const char *rule, const char *option) {
	if (refuse(plan, tree, rule, false) != 0) {
		return -1;
	}
	plan->work->refusals.v[plan->work->refusals.n - 1].option = option;
	return 0;
}

// The place that the suspect is at, worst first. 1 with *what and *never, 0, -1 ENOMEM.
static int find_place(const struct br_plan *plan, const struct tree_work *tree,
	const struct suspect *suspect, const char **what, bool *never) {
	*never = true;
	if (listed(tree->tree->root->fs.type, kernel_types)) {
		*what = "is on a file system of the kernel's own";
		return 1;
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		int at = is_at(suspect, &places[i]);
		if (at != 0) {
			*what = places[i].what;
			*never = places[i].never;
			return at;
		}
	}
	*never = false;
	return is_home(plan, suspect, what);
}

static int check_place(
	struct br_plan *plan, struct tree_work *tree, const char **what, bool *never) {
	const struct br_source *root = tree->tree->root;
	struct suspect suspect = {.self = {root->dev, root->ino}, .path = tree->tree->path};
	// What is not there cannot be dangerous itself: what counts is where it would be made.
	suspect.missing = root->state == BR_SOURCE_MISSING;
	suspect.above = calloc(strlen(root->real) + 1, sizeof(*suspect.above));
	int found = suspect.above == NULL ? -1 : each_above(root->real, add_above, &suspect);
	if (found == 0) {
		found = find_place(plan, tree, &suspect, what, never);
	}
	free(suspect.above);
	return found;
}

// Nobody but its owner, the owner of the directory above and root can write the root of the tree,
// though its mask looks wider.
static bool is_shared_with(const struct br_plan *plan, const struct br_source *source) {
	struct br_inode root;
	// The walk reads ACLs only where they decide about a demand.
	if (br_inode_read(source->fd, "", BR_HAVE_ACL, plan->acls, &root) != 0 || root.acl == NULL
		|| (root.mode & BR_W) != 0) {
		return false;
	}
	for (size_t i = 0; i < root.acl->n; i++) {
		const struct br_acl_entry *entry = &root.acl->entries[i];
		bool group = entry->tag == BR_ACL_OWNING_GROUP || entry->tag == BR_ACL_GROUP;
		bool another = entry->tag == BR_ACL_USER && entry->id.v != 0
			&& entry->id.v != root.uid.v && entry->id.v != source->unsafe_from;
		if ((entry->perm & BR_W) != 0 && (group || another)) {
			return false;
		}
	}
	return true;
}

// Nobody but this UID, and root, is given anything in the tree.
static bool serves_only(const struct br_plan *plan, const struct tree_work *tree, uint32_t uid) {
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_cred *cred = &tree->tree->demands[i].identity->cred;
		if (demand_counts(&tree->tree->demands[i]) && cred->uid.v != uid
			&& !overrides(cred)) {
			return false;
		}
	}
	for (size_t i = 0; i < plan->options->nkeepers; i++) {
		const struct br_keeper *keeper = &plan->options->keepers[i];
		if (keeper->demanded && keeper->cred.uid.v != uid
			&& keeper_of(keeper, tree->tree, UINT64_MAX)) {
			return false;
		}
	}
	return !plan->options->reclaim;
}

/*
 * The directory is a container's own, which mounts it: it was put there by its user or by root.
 * Where the owner of the directory above may write it as well (as what fix itself makes there lets
 * him), it may have been him: then only what serves its owner alone.
 */
static bool is_own_directory(
	const struct br_plan *plan, const struct tree_work *tree, const struct br_demand *demand) {
	const struct br_source *source = demand->source;
	if (source->unsafe_shared
		&& (demand->below[0] != '\0' || !is_shared_with(plan, source)
			|| !serves_only(plan, tree, source->unsafe_owner))) {
		return false;
	}
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *other = &tree->tree->demands[i];
		if (demand_counts(other) && strcmp(other->below, demand->below) == 0
			&& other->identity->cred.uid.v == source->unsafe_owner) {
			return true;
		}
	}
	return false;
}

// Below the tree's root nothing is reached but by names beneath its pinned descriptor: who can
// write there decides about what a container mounts of it, and about nothing else.
static bool is_inside(const struct tree_work *tree, const struct br_demand *demand) {
	const struct br_source *source = demand->source;
	return demand->below[0] != '\0'
		&& (!source->linked
			|| (source->unsafe_at != NULL
				&& is_named_below(source->unsafe_at, tree->tree->root->real)));
}

/** A directory, and who mounts it that was not asked about. */
struct outer {
	const struct br_demands *demands;
	const struct br_other *found;
};

static void find_outer(void *context, const char *above) {
	struct outer *outer = context;
	struct id id;
	for (size_t i = 0; identify(above, &id) && i < outer->demands->nothers; i++) {
		const struct br_other *other = &outer->demands->others[i];
		if (other->is_service && other->dev == id.dev && other->ino == id.ino) {
			outer->found = other;
		}
	}
}

// The way is unsafe below the mount of a service that was not asked about: with it, it is all one
// tree. 0 with *option, where there is one; -1 with ENOMEM.
static int name_outer(struct br_plan *plan, const struct br_demand *demand, const char **option) {
	struct outer outer = {.demands = plan->work->input.demands};
	if (demand->source->unsafe_at == NULL) {
		return 0;
	}
	const char *inner = br_printf(plan->arena, "%s/", demand->source->unsafe_at);
	if (inner == NULL || each_above(inner, find_outer, &outer) != 0) {
		return -1;
	}
	if (outer.found != NULL) {
		*option = br_printf(plan->arena,
			"name the service '%s' as well, which mounts that directory",
			outer.found->name);
	}
	return outer.found != NULL && *option == NULL ? -1 : 0;
}

// 1 refused for what this mount says, or -1 with ENOMEM.
static int refuse_demand(struct br_plan *plan, struct tree_work *tree,
	const struct br_demand *demand, const char *rule, bool lifts) {
	if (refuse(plan, tree, rule, lifts) != 0) {
		return -1;
	}
	struct br_refusal *refusal = &plan->work->refusals.v[plan->work->refusals.n - 1];
	refusal->at = demand->mount->source.at;
	bool way = !lifts && rule == demand->source->unsafe;
	return !way || name_outer(plan, demand, &refusal->option) == 0 ? 1 : -1;
}

// What the spec or the way to it forbids, whoever asks. 1 refused, 0, -1 ENOMEM.
static int check_demands(struct br_plan *plan, struct tree_work *tree) {
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		const char *name = demand->mount->unset_variable;
		const char *unsafe = is_inside(tree, demand) ? NULL : demand->source->unsafe;
		if (name != NULL) {
			return refuse_demand(plan, tree, demand,
				br_printf(plan->arena,
					"its path depends on the variable %s, which is not set",
					name),
				false);
		}
		// Only he who may look at what is there can say that it is what he thinks it is.
		bool lifts = demand->source->unsafe_owner != UINT32_MAX;
		bool allowed = lifts && is_allowed(plan, tree->tree);
		if (unsafe != NULL && plan->options->caller.v == 0 && !allowed
			&& !is_own_directory(plan, tree, demand)) {
			return refuse_demand(plan, tree, demand, unsafe, lifts);
		}
	}
	return 0;
}

// ---- What is mounted in it, where mount points are entered: each is a source of its own ----

struct mounts_check {
	struct br_plan *plan;
	const struct tree_work *tree;
	const struct br_mounts *mounts;
	// What is asked about would be made there: then only what is below a place counts.
	bool missing;
	// The first that is refused, below the source, and why.
	const char *below;
	const char *what;
	bool never;
	bool failed;
};

// By the places of br_mounts_place(): the table alone is asked, so that no server is waited for,
// and nobody who moves directories about is believed.
static bool place_lies_in(const char *place, const char *of) {
	size_t n = strlen(of);
	n -= n > 0 && of[n - 1] == '/';
	return strncmp(place, of, n) == 0 && (place[n] == '/' || place[n] == '\0');
}

static bool is_mounted(struct mounts_check *check, const char *mine, const struct place *place) {
	const char *of = br_mounts_place(check->plan->arena, check->mounts, place->path);
	check->failed = check->failed || of == NULL;
	return of != NULL
		&& ((!check->missing && place_lies_in(of, mine))
			|| (place->reach == REACH_BELOW && place_lies_in(mine, of)));
}

static const char *is_mounted_state(
	struct mounts_check *check, const char *mine, const char *home) {
	for (size_t i = 0; i < sizeof(rootless_state) / sizeof(*rootless_state); i++) {
		struct place state = {.reach = REACH_BELOW};
		state.path = br_printf(check->plan->arena, "%s/%s", home, rootless_state[i]);
		check->failed = check->failed || state.path == NULL;
		if (state.path != NULL && is_mounted(check, mine, &state)) {
			return engine_state;
		}
	}
	return NULL;
}

// The home of somebody whom the account database knows, or the state of his engine in it.
static const char *is_mounted_home(struct mounts_check *check, const char *mine) {
	const struct br_plan *plan = check->plan;
	const struct br_host_user *users = NULL;
	struct br_hostdb *db = plan->work->input.hostdb;
	size_t n = db == NULL ? 0 : br_hostdb_users(db, &users);
	for (size_t i = 0; i < n; i++) {
		struct place home = {.path = users[i].home, .reach = REACH_SELF};
		if (!is_home_uid(plan, users[i].uid.v) || home.path == NULL
			|| home.path[0] != '/') {
			continue;
		}
		const char *what = is_mounted_state(check, mine, home.path);
		if (is_mounted(check, mine, &home)) {
			what = br_printf(
				plan->arena, "is, or holds, the home of %s", users[i].name);
			check->failed = check->failed || what == NULL;
		}
		if (what != NULL) {
			return what;
		}
	}
	return NULL;
}

static const char *what_is_mounted(
	struct mounts_check *check, const char *mine, const char *type, bool *never) {
	*never = true;
	if (listed(type, kernel_types)) {
		return "is a file system of the kernel's own";
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (is_mounted(check, mine, &places[i])) {
			*never = places[i].never;
			return places[i].what;
		}
	}
	*never = false;
	return name_is_private(mine, false) ? private_name : is_mounted_home(check, mine);
}

// A bind mount may show a part of a place where no directory above it is the place, or the place
// may be shown elsewhere itself. 1 with *what and *never, 0, -1 ENOMEM.
static int find_shown(
	struct br_plan *plan, struct tree_work *tree, const char **what, bool *never) {
	const struct br_source *root = tree->tree->root;
	br_auto(br_mounts_freep) struct br_mounts *mounts = br_mounts_read();
	struct mounts_check check = {.plan = plan,
		.tree = tree,
		.mounts = mounts,
		.missing = root->state == BR_SOURCE_MISSING};
	if (mounts == NULL) {
		*what = "is what nobody can tell without the table of mounts";
		return errno == ENOMEM ? -1 : 1;
	}
	const char *mine = br_mounts_place(plan->arena, mounts, root->real);
	*what = mine == NULL ? NULL : what_is_mounted(&check, mine, root->fs.type, never);
	return mine == NULL || check.failed ? -1 : *what != NULL;
}

// --exclude leaves out what is below a directory, too.
static bool is_left_out(struct mounts_check *check, const char *below) {
	const char *const *globs = check->plan->options->excludes;
	char *path = br_strdup(check->plan->arena, below);
	check->failed = check->failed || path == NULL;
	for (size_t n = 1; path != NULL && globs != NULL && n <= strlen(below); n++) {
		if (below[n] != '/' && below[n] != '\0') {
			continue;
		}
		path[n] = '\0';
		for (size_t i = 0; globs[i] != NULL; i++) {
			if (br_glob(globs[i], path)) {
				return true;
			}
		}
		path[n] = below[n];
	}
	return false;
}

static void check_mount(void *context, const char *below, const char *type) {
	struct mounts_check *check = context;
	struct br_plan *plan = check->plan;
	bool never = false;
	if (check->failed || check->what != NULL || is_left_out(check, below)) {
		return;
	}
	const char *path = br_printf(plan->arena, "%s/%s", check->tree->tree->root->real, below);
	const char *mine = path ? br_mounts_place(plan->arena, check->mounts, path) : NULL;
	const char *what = mine ? what_is_mounted(check, mine, type, &never) : NULL;
	check->failed = check->failed || mine == NULL;
	const char *const *allowed = never ? NULL : plan->options->allow_dangerous;
	for (; what != NULL && allowed != NULL && *allowed != NULL; allowed++) {
		what = same_path(*allowed, path) ? NULL : what;
	}
	if (what != NULL) {
		check->below = br_strdup(plan->arena, below);
		check->what = what;
		check->never = never;
	}
}

static int refuse_mount(const struct mounts_check *check, struct tree_work *tree) {
	struct br_plan *plan = check->plan;
	const char *path = br_printf(plan->arena, "%s/%s", tree->tree->root->real, check->below);
	const char *rule = br_printf(
		plan->arena, "what is mounted at '%s' in it %s", check->below, check->what);
	const char *option = check->never
		? "without --cross-file-systems no mount point is entered; --exclude leaves one out"
		: path != NULL ? allow_option(plan, path)
			       : NULL;
	return option == NULL ? -1 : danger_refuse(plan, tree, rule, option);
}

// 0, or -1 with ENOMEM.
static int check_mounts(struct br_plan *plan, struct tree_work *tree) {
	if (!plan->options->cross || tree->tree->root->state != BR_SOURCE_PRESENT) {
		return 0;
	}
	br_auto(br_mounts_freep) struct br_mounts *mounts = br_mounts_read();
	struct mounts_check check = {.plan = plan, .tree = tree, .mounts = mounts};
	if (mounts == NULL) {
		return errno == ENOMEM
			? -1
			: refuse(plan, tree, "it is not known what is mounted in it", false);
	}
	(void)br_mounts_below(mounts, tree->tree->root->real, check_mount, &check);
	if (check.failed || (check.what != NULL && check.below == NULL)) {
		return -1;
	}
	return check.what == NULL ? 0 : refuse_mount(&check, tree);
}

int danger_check(struct br_plan *plan, struct tree_work *tree) {
	int refused = check_demands(plan, tree);
	if (refused != 0) {
		return refused < 0 ? -1 : 0;
	}
	const char *what = NULL;
	bool never = false;
	int found = check_place(plan, tree, &what, &never);
	if (found < 0) {
		return -1;
	}
	found = found == 0 ? find_shown(plan, tree, &what, &never) : found;
	if (found < 0) {
		return -1;
	}
	if (found == 0 && name_is_private(tree->tree->path, false)) {
		what = private_name;
	} else if (found == 0
		&& (br_is_engine_socket_name(tree->tree->path)
			|| br_source_is_engine_socket(tree->tree->root))) {
		what = "is the socket of a container engine";
	}
	if (what == NULL || (!never && is_allowed(plan, tree->tree))) {
		return check_mounts(plan, tree);
	}
	return refuse(plan, tree, what, !never);
}

// On an overlay a lower file is copied as a whole before its owner, mode or ACL changes. Which of
// them are lower ones is not to be seen from above.
int copy_up_check(struct br_plan *plan, struct tree_work *tree) {
	uint64_t most = plan->options->max_copy_up == 0 ? BR_COPY_UP : plan->options->max_copy_up;
	if (strstr(tree->tree->root->fs.type, "overlay") == NULL) {
		return 0;
	}
	for (size_t i = 0; i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		tree->copies += class->outcome.kind == OUTCOME_CHANGE ? class->bytes : 0;
	}
	unsigned long long mib = (tree->copies + (1 << 20) - 1) >> 20;
	plan->work->copies += tree->copies;
	if (plan->work->copies <= most) {
		return mib == 0
			? 0
			: note_add(plan,
				br_printf(plan->arena,
					"%s lies on an overlay: up to %llu MiB of lower files are copied",
					tree->tree->path, mib));
	}
	unsigned long long all = (plan->work->copies + (1 << 20) - 1) >> 20;
	const char *rule = br_printf(plan->arena,
		"lies on an overlay, which would copy up to %llu MiB: each lower file whose owner or mode "
		"changes, as a whole",
		mib);
	const char *option = br_printf(plan->arena, "to have it copied: --max-copy-up %lluM", all);
	tree->copies_refused = true;
	return option == NULL ? -1 : danger_refuse(plan, tree, rule, option);
}
