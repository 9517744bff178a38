#include "work.h"

#include <string.h>
#include <sys/stat.h>

// Asked of each inode: mostly the first letter tells.
static bool one_of(const char *name, size_t n, const char *const *names) {
	for (; *names != NULL; names++) {
		if (n > 0 && name[0] == **names && strlen(*names) == n
			&& memcmp(name, *names, n) == 0) {
			return true;
		}
	}
	return false;
}

static bool begins(const char *name, size_t n, const char *prefix) {
	size_t k = strlen(prefix);
	return n >= k && memcmp(name, prefix, k) == 0;
}

static const char *const private_dirs[] = {".ssh", ".gnupg", ".kube", ".aws", ".docker", NULL};
static const char *const private_files[] = {"authorized_keys", "authorized_keys2", "sudoers",
	"shadow", "shadow-", "gshadow", "gshadow-", NULL};
// OpenSSH's own names (and what people append to them), not every id_*: id_to_label.json is no key.
static const char *const private_keys[] = {
	"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_xmss", NULL};

static bool component_is_private(const char *name, size_t n, bool last) {
	if (one_of(name, n, private_dirs)) {
		return true;
	}
	if (!last) {
		return false;
	}
	for (size_t i = 0; private_keys[i] != NULL; i++) {
		if (n > 0 && name[0] == private_keys[i][0] && begins(name, n, private_keys[i])) {
			return true;
		}
	}
	return one_of(name, n, private_files);
}

bool name_is_private(const char *path, bool last_too) {
	for (;;) {
		const char *end = strchrnul(path, '/');
		bool last = *end == '\0';
		if (component_is_private(path, (size_t)(end - path), last && last_too)) {
			return true;
		}
		if (last) {
			return false;
		}
		path = end + 1;
	}
}

bool fs_read_only(const struct tree_work *tree) {
	const struct br_fs *fs = &tree->tree->root->fs;
	return fs->mount_read_only || fs->super_read_only;
}

bool gate_named(const struct br_plan *plan, uint32_t uid) {
	for (size_t i = 0; i < plan->options->nfrom; i++) {
		if (plan->options->from[i].v == uid) {
			return true;
		}
	}
	return false;
}

static bool is_in_range(const struct br_idmap *map, uint32_t uid) {
	br_boxid box;
	return map->n > 0 && br_idmap_to_box(map, (br_hostid){uid}, &box);
}

bool gate_left_behind(const struct br_plan *plan, const struct tree_work *tree, uint32_t uid) {
	bool behind = uid == 0 || gate_named(plan, uid);
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		const struct br_cred *cred = &demand->identity->cred;
		behind = behind
			|| (demand_counts(demand)
				&& (cred->uid.v == uid || is_in_range(&cred->uids, uid)));
	}
	return behind && uid != plan->options->keepers[0].cred.uid.v;
}

bool gate_owner(const struct br_plan *plan, const struct tree_work *tree, uint32_t uid) {
	if (plan->options->reclaim) {
		return gate_left_behind(plan, tree, uid);
	}
	if (uid == 0 || (tree->root_seen && tree->root.uid.v == uid) || gate_named(plan, uid)) {
		return true;
	}
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		if (demand_counts(demand) && demand->identity->cred.uid.v == uid) {
			return true;
		}
	}
	return false;
}

// Root's own files: only those of which it is sure that root made them here, and that were not
// root's alone.
static bool gate_root(const struct br_plan *plan, const struct facts *facts, bool own,
	enum br_left_reason *reason) {
	if (S_ISREG(facts->mode)
		&& ((facts->flags & FACT_LINKS) != 0 || !plan->options->protected_hardlinks)) {
		*reason = BR_LEFT_LINKS;
		return false;
	}
	// The root of the tree was named by whoever wrote the mount; a file that only root reads
	// may be a secret all the same.
	bool named = S_ISDIR(facts->mode) && (facts->flags & FACT_ROOT) != 0;
	bool closed = (facts->mode & 077) == 0 || (facts->flags & FACT_ENCLOSED) != 0;
	if (closed && !own && !named) {
		*reason = BR_LEFT_ROOT_PRIVATE;
		return false;
	}
	return true;
}

bool is_own_group(const struct br_plan *plan, uint32_t gid) {
	for (size_t i = 0; i < plan->options->ncaller_groups; i++) {
		if (plan->options->caller_groups[i].v == gid) {
			return true;
		}
	}
	return plan->options->caller_gid.v == gid;
}

// Without root only what is one's own can be changed, and nothing be given away.
static bool gate_permitted(
	const struct br_plan *plan, const struct tree_work *tree, const struct facts *facts) {
	uint32_t caller = plan->options->caller.v;
	if (caller == 0) {
		return true;
	}
	// Whoever is not in the group of a setgid object would lose it the bit.
	bool keeps_setgid = (facts->mode & 02000) == 0 || is_own_group(plan, facts->gid);
	return facts->uid == caller && keeps_setgid && tree->strategy != BR_STRATEGY_CHOWN;
}

bool gate_needs_from(
	const struct br_plan *plan, const struct tree_work *tree, const struct facts *facts) {
	enum br_left_reason reason;
	bool roots = facts->uid == 0 && !gate_named(plan, 0);
	return !gate_owner(plan, tree, facts->uid)
		|| (roots && !gate_root(plan, facts, false, &reason));
}

bool gate_open(const struct br_plan *plan, const struct tree_work *tree, const struct facts *facts,
	bool own, enum br_left_reason *reason) {
	bool file = S_ISREG(facts->mode);
	if ((facts->flags & FACT_OTHER) != 0) {
		*reason = BR_LEFT_OTHER_MOUNT;
	} else if (!file && !S_ISDIR(facts->mode)) {
		*reason = BR_LEFT_SPECIAL;
	} else if ((facts->flags & (FACT_IMMUTABLE | FACT_APPEND | FACT_READ_ONLY)) != 0
		|| fs_read_only(tree)) {
		*reason = BR_LEFT_PROTECTED;
	} else if ((facts->flags & FACT_SEALED) != 0) {
		*reason = BR_LEFT_SEALED;
	} else if ((facts->flags & FACT_PRIVATE_NAME) != 0) {
		*reason = BR_LEFT_PRIVATE_NAME;
	} else if (file && !plan->options->privileged_files
		&& ((facts->mode & 06000) != 0 || (facts->flags & FACT_CAPS) != 0)) {
		*reason = BR_LEFT_PRIVILEGED;
	} else if (!gate_permitted(plan, tree, facts)) {
		*reason = BR_LEFT_NOT_PERMITTED;
	} else if (!gate_owner(plan, tree, facts->uid)) {
		*reason = BR_LEFT_OWNER;
	} else if (facts->uid == 0 && !gate_named(plan, 0)) {
		return gate_root(plan, facts, own, reason);
	} else {
		return true;
	}
	return false;
}
