#include "work.h"

#include <base/text.h>

#include <string.h>
#include <sys/stat.h>

/** What of a state an action is about. */
enum aspect {
	ASPECT_OWNER,
	ASPECT_MODE,
	ASPECT_ACL,
	ASPECT_DEFAULT,
};

/** The key: the same change in the same tree. */
struct action_key {
	uint32_t tree;
	uint32_t aspect;
	uint64_t from;
	uint64_t to;
	uint64_t nentries;
	struct entry_change entries[ENTRY_CHANGES];
};

struct action {
	struct action_key key;
	/** The first class of it. */
	const struct class *class;
	struct tally tally;
};

void actions_init(struct table *table) {
	table_init(table, sizeof(struct action_key), sizeof(struct action));
}

static const char *const action_names[] = {
	[BR_ACTION_CREATE_GROUP] = "create-group",
	[BR_ACTION_CREATE_USER] = "create-user",
	[BR_ACTION_MKDIR] = "mkdir",
	[BR_ACTION_CHOWN] = "chown",
	[BR_ACTION_CHMOD] = "chmod",
	[BR_ACTION_ACL] = "acl",
};

const char *br_action_name(enum br_action_kind kind) {
	return action_names[kind];
}

static int add(struct br_plan *plan, const struct action_key *key, const struct class *class) {
	struct action *action = table_put(&plan->work->actions, key);
	if (action == NULL) {
		return -1;
	}
	if (action->class == NULL) {
		action->class = class;
	}
	tally_merge(&action->tally, &class->inside);
	return 0;
}

int actions_add(struct br_plan *plan, const struct tree_work *tree, const struct class *class) {
	struct br_inode before = facts_inode(&class->facts);
	const struct br_inode *after = &class->outcome.after;
	const struct action_key whose = {.tree = (uint32_t)(tree - plan->work->trees)};
	struct action_key key = whose;
	if (before.uid.v != after->uid.v || before.gid.v != after->gid.v) {
		key.aspect = ASPECT_OWNER;
		key.from = (uint64_t)before.uid.v << 32 | before.gid.v;
		key.to = (uint64_t)after->uid.v << 32 | after->gid.v;
		if (add(plan, &key, class) != 0) {
			return -1;
		}
	}
	key = whose;
	if (before.acl != after->acl) {
		key.aspect = ASPECT_ACL;
		key.nentries = entry_changes(&before, after, key.entries);
		if (key.nentries > ENTRY_CHANGES || key.nentries == 0) {
			key.from = (uint64_t)(uintptr_t)before.acl;
			key.to = (uint64_t)(uintptr_t)after->acl;
		}
	} else if (before.mode != after->mode) {
		key.aspect = ASPECT_MODE;
		key.from = before.mode;
		key.to = after->mode;
	}
	if (key.aspect != 0 && add(plan, &key, class) != 0) {
		return -1;
	}
	key = whose;
	key.aspect = ASPECT_DEFAULT;
	key.from = (uint64_t)(uintptr_t)before.def;
	key.to = (uint64_t)(uintptr_t)after->def;
	return before.def == after->def ? 0 : add(plan, &key, class);
}

static const char *owner_words(const struct br_plan *plan, uint64_t pair) {
	const char *user = user_word(plan, (uint32_t)(pair >> 32));
	const char *group = group_word(plan, (uint32_t)pair);
	return user == NULL || group == NULL ? NULL : br_printf(plan->arena, "%s:%s", user, group);
}

static const char *mode_words(const struct br_plan *plan, uint64_t mode) {
	struct br_inode inode = {.mode = (uint32_t)mode};
	char text[12];
	return br_strdup(plan->arena, br_mode_text(&inode, text) + 1);
}

// The entries that change, as they were (`to` false) or will be.
static const char *entry_words(const struct br_plan *plan, const struct action_key *key, bool to) {
	struct br_buf buf = {0};
	for (size_t i = 0; i < key->nentries && i < ENTRY_CHANGES; i++) {
		const struct entry_change *entry = &key->entries[i];
		unsigned perm = to ? entry->to : entry->from;
		char text[4];
		if (perm == ENTRY_NONE) {
			continue;
		}
		br_buf_add(&buf, buf.n > 0 ? "," : "");
		br_buf_addc(&buf, (entry->tag & (BR_ACL_OWNER | BR_ACL_USER)) != 0 ? 'u' : 'g');
		br_buf_addc(&buf, ':');
		if (entry->tag == BR_ACL_USER || entry->tag == BR_ACL_GROUP) {
			br_buf_addf(&buf, "%u", entry->id);
		}
		br_buf_addf(&buf, ":%s", br_perm_text(perm, text));
	}
	if (key->nentries > ENTRY_CHANGES) {
		br_buf_addf(&buf, "%s%zu more", buf.n > 0 ? " and " : "",
			(size_t)key->nentries - ENTRY_CHANGES);
	}
	const char *out =
		buf.failed ? NULL : br_strdup(plan->arena, buf.n > 0 ? buf.s : "no entry");
	br_buf_release(&buf);
	return out;
}

static const char *default_words(const struct br_plan *plan, const struct br_acl *def) {
	const char *text = br_acl_text(plan->arena, def);
	return text == NULL ? NULL : br_printf(plan->arena, "default: %s", text);
}

static const char *full_path(
	const struct br_plan *plan, const struct br_tree *tree, const char *below) {
	return *below == '\0' ? tree->path : br_printf(plan->arena, "%s/%s", tree->path, below);
}

static int write_owner(struct br_plan *plan, const struct action *action, const char *path,
	struct br_action *out) {
	out->kind = BR_ACTION_CHOWN;
	out->from = owner_words(plan, action->key.from);
	out->to = owner_words(plan, action->key.to);
	return command_chown(
		plan, &plan->work->trees[action->key.tree], action->class, path, &out->command);
}

static int write_mode(struct br_plan *plan, const struct action *action, const char *path,
	struct br_action *out) {
	out->kind = BR_ACTION_CHMOD;
	out->from = mode_words(plan, action->key.from);
	out->to = mode_words(plan, action->key.to);
	if (path == NULL || !br_is_typable(path)) {
		return 0;
	}
	struct br_buf buf = {0};
	br_buf_addf(&buf, "chmod %04o -- ", (unsigned)action->key.to & 07777);
	br_buf_shell(&buf, path);
	out->command = buf.failed ? NULL : br_strdup(plan->arena, buf.s);
	br_buf_release(&buf);
	return out->command == NULL ? -1 : 0;
}

static int write_acl(struct br_plan *plan, const struct action *action, const char *path,
	struct br_action *out) {
	const struct br_acl *def = action->class->outcome.after.def;
	out->kind = BR_ACTION_ACL;
	if (action->key.aspect == ASPECT_DEFAULT) {
		const struct br_acl *was = action->class->facts.def;
		out->from = was == NULL ? "no default ACL" : default_words(plan, was);
		out->to = default_words(plan, def);
		return path == NULL ? 0 : command_default(plan, def, path, &out->command);
	}
	out->from = entry_words(plan, &action->key, false);
	out->to = entry_words(plan, &action->key, true);
	return path == NULL ? 0 : command_acl(plan, action->class, path, &out->command);
}

static int write_action(struct br_plan *plan, const struct action *action, struct br_action *out) {
	const struct br_tree *tree = plan->work->trees[action->key.tree].tree;
	bool one = action->tally.count == 1 && action->tally.nexamples == 1;
	const char *path = one ? full_path(plan, tree, action->tally.examples[0]) : NULL;
	*out = (struct br_action){
		.tree = tree,
		.path = one ? path : tree->path,
		.recursive = !one,
		.count = action->tally.count,
	};
	int result = -1;
	switch ((enum aspect)action->key.aspect) {
	case ASPECT_OWNER:
		result = write_owner(plan, action, path, out);
		break;
	case ASPECT_MODE:
		result = write_mode(plan, action, path, out);
		break;
	case ASPECT_ACL:
	case ASPECT_DEFAULT:
		result = write_acl(plan, action, path, out);
		break;
	}
	return result != 0 || out->path == NULL || out->from == NULL || out->to == NULL ? -1 : 0;
}

typedef br_vec(struct br_action) action_list;

static int write_account(
	struct br_plan *plan, const struct br_account *account, action_list *list) {
	struct br_action out = {
		.kind = account->is_group ? BR_ACTION_CREATE_GROUP : BR_ACTION_CREATE_USER,
		.count = 1,
		.from = "missing",
	};
	if (account->is_group) {
		out.to = br_printf(plan->arena, "%s (gid %u)", account->name, account->id.v);
		out.command = br_printf(
			plan->arena, "groupadd -r -g %u -- %s", account->id.v, account->name);
	} else {
		out.to = br_printf(plan->arena, "%s (uid %u, gid %u)", account->name, account->id.v,
			account->gid.v);
		out.command = br_printf(plan->arena,
			"useradd -r -M -N -s /usr/sbin/nologin -u %u -g %u -- %s", account->id.v,
			account->gid.v, account->name);
	}
	if (out.to == NULL || out.command == NULL) {
		return -1;
	}
	return br_vec_push(plan->arena, list, out);
}

static int write_make(struct br_plan *plan, const struct br_make *make, action_list *list) {
	const char *real = strcmp(make->root->real, "/") == 0 ? "" : make->root->real;
	const struct br_inode *after = &make->after;
	struct br_action out = {
		.kind = BR_ACTION_MKDIR,
		.tree = make->tree,
		.path = br_printf(plan->arena, "%s/%s", real, make->below),
		.count = 1,
		.from = "missing",
	};
	const char *owner = owner_words(plan, (uint64_t)after->uid.v << 32 | after->gid.v);
	const char *acl = after->acl == NULL ? "" : br_acl_text(plan->arena, after->acl);
	const char *def = after->def == NULL ? "" : br_acl_text(plan->arena, after->def);
	if (out.path == NULL || owner == NULL || acl == NULL || def == NULL) {
		return -1;
	}
	out.to = br_printf(plan->arena, "%s %04o%s%s%s%s", owner, after->mode & 07777,
		*acl == '\0' ? "" : " ", acl, *def == '\0' ? "" : " default: ", def);
	if (out.to == NULL) {
		return -1;
	}
	if (after->acl == NULL && after->def == NULL && br_is_typable(out.path)) {
		struct br_buf buf = {0};
		br_buf_addf(&buf, "install -d -m %04o -o %u -g %u -- ", after->mode & 07777,
			after->uid.v, after->gid.v);
		br_buf_shell(&buf, out.path);
		out.command = buf.failed ? NULL : br_strdup(plan->arena, buf.s);
		br_buf_release(&buf);
		if (out.command == NULL) {
			return -1;
		}
	}
	return br_vec_push(plan->arena, list, out);
}

// All ACL changes of a tree as one line, where one command does just that. 1 done, 0 not so, -1
// ENOMEM.
static int write_whole_acl(struct br_plan *plan, size_t t, action_list *list) {
	const struct tree_work *tree = &plan->work->trees[t];
	struct br_action out = {
		.kind = BR_ACTION_ACL,
		.tree = tree->tree,
		.path = tree->tree->path,
		.recursive = true,
		.from = "no entry",
	};
	size_t lines = 0;
	bool fresh = true;
	for (size_t i = 0; i < plan->work->actions.n; i++) {
		const struct action *action = table_at(&plan->work->actions, i);
		if (action->key.tree == t) {
			lines++;
			out.count += action->tally.count;
			fresh = fresh && action->key.aspect == ASPECT_ACL
				&& action->key.nentries == 1
				&& action->key.entries[0].from == ENTRY_NONE;
		}
	}
	if (out.count < 2 || !fresh) {
		return 0;
	}
	if (command_acl_tree(plan, tree, &out.to, &out.command) != 0) {
		return -1;
	}
	if (out.command == NULL) {
		return 0;
	}
	return br_vec_push(plan->arena, list, out) == 0 ? 1 : -1;
}

static int write_tree(struct br_plan *plan, size_t t, action_list *list) {
	int whole = write_whole_acl(plan, t, list);
	if (whole != 0) {
		return whole < 0 ? -1 : 0;
	}
	for (size_t i = 0; i < plan->work->actions.n; i++) {
		const struct action *action = table_at(&plan->work->actions, i);
		struct br_action out;
		if (action->key.tree != t) {
			continue;
		}
		if (write_action(plan, action, &out) != 0
			|| br_vec_push(plan->arena, list, out) != 0) {
			return -1;
		}
	}
	return 0;
}

int actions_finish(struct br_plan *plan) {
	const struct br_plan_work *work = plan->work;
	action_list list = {0};
	for (size_t i = 0; i < work->new_accounts.n; i++) {
		if (write_account(plan, &work->new_accounts.v[i], &list) != 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < work->makes.n; i++) {
		if (write_make(plan, &work->makes.v[i], &list) != 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < work->ntrees; i++) {
		if (write_tree(plan, i, &list) != 0) {
			return -1;
		}
	}
	plan->actions = list.v;
	plan->nactions = list.n;
	return 0;
}
