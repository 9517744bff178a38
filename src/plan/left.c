#include "work.h"

#include <string.h>

enum {
	/** So many owners of a tree get a line of their own. */
	OWNERS_MAX = 16,
};

struct left_key {
	uint32_t tree;
	uint32_t reason;
	/** Of OWNER: whose; BR_NO_ID: further ones. Of LINKS: 0 for root's that --from would
	 * include. Of PROTECTED: LEFT_BY_MOUNT, or nothing. Of OTHER_MOUNT: which one. Of
	 * NOT_PERMITTED: whose, where root needs --from for it. */
	uint32_t uid;
};

struct left {
	struct left_key key;
	struct tally tally;
};

void left_init(struct table *table) {
	table_init(table, sizeof(struct left_key), sizeof(struct left));
}

static size_t owners_of(const struct table *table, const struct left_key *key) {
	size_t n = 0;
	for (size_t i = 0; i < table->n; i++) {
		const struct left *left = table_at(table, i);
		n += left->key.tree == key->tree && left->key.reason == key->reason;
	}
	return n;
}

int left_add(struct br_plan *plan, const struct tree_work *tree, enum br_left_reason reason,
	uint32_t detail, const struct tally *tally) {
	struct table *table = &plan->work->left;
	struct left_key key = {
		.tree = (uint32_t)(tree - plan->work->trees), .reason = reason, .uid = BR_NO_ID};
	if (tally->count == 0) {
		return 0;
	}
	if (reason == BR_LEFT_LINKS) {
		// Root's have an option, others' have none.
		key.uid = detail == 0 && !gate_named(plan, 0) ? 0 : BR_NO_ID;
	} else if ((reason == BR_LEFT_PROTECTED && detail == LEFT_BY_MOUNT)
		|| reason == BR_LEFT_OTHER_MOUNT) {
		key.uid = detail;
	} else if (reason == BR_LEFT_OWNER || reason == BR_LEFT_NOT_PERMITTED) {
		key.uid = detail;
		if (table_find(table, &key) == NULL && owners_of(table, &key) >= OWNERS_MAX) {
			key.uid = BR_NO_ID;
		}
	}
	struct left *left = table_put(table, &key);
	if (left == NULL) {
		return -1;
	}
	tally_merge(&left->tally, tally);
	return 0;
}

// The clause as it stands behind one, where its first word is a verb.
static const char *of_one(const struct br_plan *plan, const char *why) {
	static const struct {
		const char *many;
		const char *one;
	} all[] = {{"are sticky directories or lie in one", "is a sticky directory or lies in one"},
		{"belong ", "belongs "}, {"have their ", "has its "}, {"have ", "has "},
		{"lie ", "lies "}, {"are devices, sockets or FIFOs", "is a device, socket or FIFO"},
		{"are mount points, which are", "is a mount point, which is"}, {"are ", "is "}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		size_t n = strlen(all[i].many);
		if (strncmp(why, all[i].many, n) == 0) {
			return br_printf(plan->arena, "%s%s", all[i].one, why + n);
		}
	}
	return why;
}

static const char *why_owner(const struct br_plan *plan, uint32_t uid) {
	if (uid == BR_NO_ID) {
		return "belong to further users";
	}
	const char *phrase = uid_phrase(plan, uid);
	return phrase == NULL ? NULL : br_printf(plan->arena, "belong to %s", phrase);
}

static const char *why_other(const struct br_plan *plan, uint32_t number) {
	const struct br_other *other = other_of(plan, number);
	if (other == NULL) {
		return "lie under mounts of further containers, which were not asked about";
	}
	return br_printf(plan->arena, "lie under the mount of the %s '%s', which was not %s",
		other->is_service ? "service" : "container", other->name,
		other->is_service ? "asked for" : "asked about");
}

static const char *why_no_state(const struct br_plan *plan, const struct tree_work *tree) {
	const struct br_fs *fs = &tree->tree->root->fs;
	if (fs->keeps_owners == BR_NO) {
		return br_printf(plan->arena,
			"the file system (%s) keeps no owners: mount it with uid=, gid= and umask=",
			fs->type);
	}
	if (fs->nfs4_acl) {
		return "an NFSv4 ACL decides there, and its server alone knows what a change would do";
	}
	if (br_fs_is_private(fs)) {
		return br_printf(plan->arena,
			"the FUSE file system lets nobody but uid %u in: mount it with allow_other",
			fs->fuse_only_uid);
	}
	if (tree->strategy == BR_STRATEGY_GROUP) {
		return "no group that the container has would serve it without taking from somebody";
	}
	if (fs->keeps_acls == BR_NO) {
		return br_printf(plan->arena,
			"it would need an ACL, which the file system (%s) does not keep", fs->type);
	}
	return "no state serves it without giving or taking something elsewhere";
}

// Root may, and asks whose it is: what does both is one command.
static int explain_not_permitted(
	const struct br_plan *plan, const struct left_key *key, struct br_left *out) {
	const char *command = plan->options->reclaim ? "reclaim" : "fix";
	out->why = "can be changed by root only";
	if (key->uid == BR_NO_ID) {
		out->option = br_printf(plan->arena, "run it as root: sudo bindright %s", command);
		return out->option == NULL ? -1 : 0;
	}
	const char *phrase = uid_phrase(plan, key->uid);
	const char *word = user_word(plan, key->uid);
	if (phrase == NULL || word == NULL) {
		return -1;
	}
	out->why = br_printf(plan->arena, "belong to %s, and can be changed by root only", phrase);
	out->option = br_printf(
		plan->arena, "run it as root: sudo bindright %s --from %s", command, word);
	return out->why == NULL || out->option == NULL ? -1 : 0;
}

static int explain(struct br_plan *plan, const struct left_key *key, struct br_left *out) {
	const struct tree_work *tree = &plan->work->trees[key->tree];
	switch (out->reason) {
	case BR_LEFT_OWNER: {
		out->why = why_owner(plan, key->uid);
		const char *word = key->uid == BR_NO_ID ? NULL : user_word(plan, key->uid);
		out->option = word == NULL ? NULL : br_printf(plan->arena, "--from %s", word);
		return out->why == NULL || (key->uid != BR_NO_ID && out->option == NULL) ? -1 : 0;
	}
	case BR_LEFT_LINKS:
		out->why = key->uid == 0 ? "belong to root and may be linked from elsewhere"
					 : "have further links outside of it";
		out->option = key->uid == 0 ? "--from root" : NULL;
		return 0;
	case BR_LEFT_ROOT_PRIVATE:
		out->why = "are root's and closed to everybody else";
		out->option = "--from root";
		return 0;
	case BR_LEFT_PRIVILEGED:
		out->why = "are privileged: setuid, setgid or with file capabilities";
		out->option = "--privileged-files";
		return 0;
	case BR_LEFT_PRIVATE_NAME:
		out->why = "are private by name";
		return 0;
	case BR_LEFT_PROTECTED:
		out->why = key->uid == LEFT_BY_MOUNT ? "lie on a mount inside that is read-only"
			: fs_read_only(tree) ? "lie on a file system that is mounted read-only"
					     : "are protected by chattr (immutable or append-only)";
		return 0;
	case BR_LEFT_SEALED:
		out->why = "have their owner and mode sealed by security.evm, which EVM verifies";
		return 0;
	case BR_LEFT_SPECIAL:
		out->why = "are devices, sockets or FIFOs";
		return 0;
	case BR_LEFT_MOUNT_POINT:
		out->why = "are mount points, which are not entered";
		out->option = "--cross-file-systems";
		return 0;
	case BR_LEFT_NO_EXACT_STATE:
		out->why = why_no_state(plan, tree);
		return out->why == NULL ? -1 : 0;
	case BR_LEFT_BEHIND:
		out->why = "lie in directories that stay closed to who needs them";
		return 0;
	case BR_LEFT_STICKY:
		out->why =
			"are sticky directories or lie in one: there owners alone may delete, and "
			"that right would change hands, too";
		return 0;
	case BR_LEFT_UNSEEN:
		out->why = "could not be examined";
		return 0;
	case BR_LEFT_OTHER_MOUNT:
		out->why = why_other(plan, key->uid);
		out->option = "--other-mounts";
		return out->why == NULL ? -1 : 0;
	case BR_LEFT_NOT_PERMITTED:
		return explain_not_permitted(plan, key, out);
	}
	return 0;
}

int left_finish(struct br_plan *plan) {
	const struct table *table = &plan->work->left;
	struct br_left *out = BR_NEW_ARRAY(plan->arena, struct br_left, table->n);
	if (out == NULL) {
		return -1;
	}
	for (size_t i = 0; i < table->n; i++) {
		const struct left *left = table_at(table, i);
		out[i] = (struct br_left){
			.reason = (enum br_left_reason)left->key.reason,
			.tree = plan->work->trees[left->key.tree].tree,
			.count = left->tally.count,
			.nexamples = left->tally.nexamples,
		};
		memcpy(out[i].examples, left->tally.examples, sizeof(out[i].examples));
		if (explain(plan, &left->key, &out[i]) != 0) {
			return -1;
		}
		if (out[i].count == 1) {
			out[i].why = of_one(plan, out[i].why);
			if (out[i].why == NULL) {
				return -1;
			}
		}
	}
	plan->left = out;
	plan->nleft = table->n;
	return 0;
}
