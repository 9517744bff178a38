#include "work.h"

#include <base/text.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static unsigned perm_of(const struct br_inode *inode, const struct br_acl_entry *like) {
	if (inode->acl != NULL) {
		const struct br_acl_entry *entry =
			br_acl_find(inode->acl, (enum br_acl_tag)like->tag, like->id);
		return entry == NULL ? ENTRY_NONE : entry->perm;
	}
	switch ((enum br_acl_tag)like->tag) {
	case BR_ACL_OWNER:
		return inode->mode >> 6 & 7;
	case BR_ACL_OWNING_GROUP:
		return inode->mode >> 3 & 7;
	case BR_ACL_OTHER:
		return inode->mode & 7;
	case BR_ACL_USER:
	case BR_ACL_GROUP:
	case BR_ACL_MASK:
		break;
	}
	return ENTRY_NONE;
}

static void add_change(struct entry_change out[ENTRY_CHANGES], size_t *n,
	const struct br_acl_entry *entry, const unsigned perm[2]) {
	if (perm[0] == perm[1] || entry->tag == BR_ACL_MASK) {
		return;
	}
	if (*n < ENTRY_CHANGES) {
		out[*n] = (struct entry_change){
			.tag = entry->tag, .from = (uint8_t)perm[0], .to = (uint8_t)perm[1]};
		if (entry->tag == BR_ACL_USER || entry->tag == BR_ACL_GROUP) {
			out[*n].id = entry->id.v;
		}
	}
	(*n)++;
}

size_t entry_changes(const struct br_inode *before, const struct br_inode *after,
	struct entry_change out[ENTRY_CHANGES]) {
	size_t n = 0;
	for (size_t i = 0; after->acl != NULL && i < after->acl->n; i++) {
		const struct br_acl_entry *entry = &after->acl->entries[i];
		add_change(out, &n, entry, (unsigned[2]){perm_of(before, entry), entry->perm});
	}
	for (size_t i = 0; after->acl != NULL && before->acl != NULL && i < before->acl->n; i++) {
		const struct br_acl_entry *entry = &before->acl->entries[i];
		if (perm_of(after, entry) == ENTRY_NONE) {
			add_change(out, &n, entry, (unsigned[2]){entry->perm, ENTRY_NONE});
		}
	}
	return n;
}

static int take(const struct br_plan *plan, struct br_buf *buf, const char **out) {
	*out = buf->failed ? NULL : br_strdup(plan->arena, buf->s);
	br_buf_release(buf);
	return *out == NULL ? -1 : 0;
}

/** What setfacl -m would make of an inode. */
struct model {
	const struct br_plan *plan;
	struct draft draft;
};

static void model_set(struct model *model, const struct br_acl_entry *entry) {
	struct draft *draft = &model->draft;
	if (entry->tag == BR_ACL_OWNER) {
		draft->owner = entry->perm;
	} else if (entry->tag == BR_ACL_OWNING_GROUP) {
		draft->group = entry->perm;
	} else if (entry->tag == BR_ACL_OTHER) {
		draft->other = entry->perm;
	} else if (entry->tag == BR_ACL_USER || entry->tag == BR_ACL_GROUP) {
		size_t i = 0;
		while (i < draft->n
			&& (draft->v[i].tag != entry->tag || draft->v[i].id.v != entry->id.v)) {
			i++;
		}
		draft->n += i == draft->n;
		draft->v[i] = *entry;
	}
}

// setfacl -m makes the mask the union of the group class; with -n it leaves the mask that is there,
// and a mask among the entries is taken as it is.
static int model_close(struct model *model, bool recalculate, struct br_inode *after) {
	struct draft *draft = &model->draft;
	draft->extended = draft->extended || draft->n > 0;
	if (draft->extended && recalculate) {
		draft->mask = draft->group;
		for (size_t i = 0; i < draft->n; i++) {
			draft->mask |= draft->v[i].perm;
		}
	}
	return draft_close(model->plan, draft, after);
}

static bool same_state(const struct br_inode *a, const struct br_inode *b) {
	return a->acl == b->acl && a->mode == b->mode;
}

/** How setfacl comes by the mask. */
enum mask_way {
	/** -m */
	MASK_RECALCULATED,
	/** -n -m */
	MASK_KEPT,
	/** -m …,m::… */
	MASK_GIVEN,
	/** --set: the whole ACL. */
	MASK_WHOLE,
};

// setfacl -m with the changes of this class: is it the planned state? 1, 0, -1 with ENOMEM. Removed
// entries are beyond -m.
static int model_changes(const struct br_plan *plan, const struct class *class, enum mask_way way) {
	struct model model = {.plan = plan};
	struct br_inode before = facts_inode(&class->facts);
	const struct br_inode *after = &class->outcome.after;
	if (draft_open(plan, &model.draft, &before) != 0) {
		return -1;
	}
	for (size_t i = 0; i < after->acl->n; i++) {
		const struct br_acl_entry *entry = &after->acl->entries[i];
		if (perm_of(&before, entry) != entry->perm) {
			model_set(&model, entry);
		}
	}
	struct br_inode result = before;
	if (way == MASK_GIVEN) {
		model.draft.mask = after->mode >> 3 & 7;
	}
	if (model_close(&model, way == MASK_RECALCULATED, &result) != 0) {
		return -1;
	}
	return same_state(&result, after) ? 1 : 0;
}

// The shortest that does just this; -1 with ENOMEM.
static int find_way(const struct br_plan *plan, const struct class *class) {
	for (enum mask_way way = MASK_RECALCULATED; way < MASK_WHOLE; way++) {
		// Without a mask there is none to keep.
		bool fits = way != MASK_KEPT || class->facts.acl != NULL;
		int found = fits ? model_changes(plan, class, way) : 0;
		if (found != 0) {
			return found < 0 ? -1 : (int)way;
		}
	}
	return MASK_WHOLE;
}

static void add_entry(struct br_buf *buf, const struct br_acl_entry *entry) {
	char text[24];
	br_buf_add(buf, br_acl_entry_text(entry, text));
}

static void add_path(struct br_buf *buf, const char *path) {
	br_buf_add(buf, path[0] == '-' ? " -- " : " ");
	br_buf_shell(buf, path);
}

int command_acl(
	const struct br_plan *plan, const struct class *class, const char *path, const char **out) {
	struct br_inode before = facts_inode(&class->facts);
	const struct br_acl *acl = class->outcome.after.acl;
	int way = find_way(plan, class);
	*out = NULL;
	if (way < 0 || !br_is_typable(path)) {
		return way < 0 ? -1 : 0;
	}
	static const char *const words[] = {
		[MASK_RECALCULATED] = "setfacl -m ",
		[MASK_KEPT] = "setfacl -n -m ",
		[MASK_GIVEN] = "setfacl -m ",
		[MASK_WHOLE] = "setfacl --set ",
	};
	struct br_buf buf = {0};
	br_buf_add(&buf, words[way]);
	const char *between = "";
	for (size_t i = 0; i < acl->n; i++) {
		const struct br_acl_entry *entry = &acl->entries[i];
		bool mask = entry->tag == BR_ACL_MASK;
		bool differs = mask ? way == MASK_GIVEN : perm_of(&before, entry) != entry->perm;
		if (way == MASK_WHOLE || differs) {
			br_buf_add(&buf, between);
			add_entry(&buf, entry);
			between = ",";
		}
	}
	add_path(&buf, path);
	return take(plan, &buf, out);
}

int command_default(
	const struct br_plan *plan, const struct br_acl *def, const char *path, const char **out) {
	struct br_buf buf = {0};
	*out = NULL;
	if (!br_is_typable(path)) {
		return 0;
	}
	br_buf_add(&buf, "setfacl -d --set ");
	for (size_t i = 0; i < def->n; i++) {
		br_buf_add(&buf, i == 0 ? "" : ",");
		add_entry(&buf, &def->entries[i]);
	}
	add_path(&buf, path);
	return take(plan, &buf, out);
}

// Does a whole-tree command meet only what the plan knows?
static bool known_whole(const struct br_plan *plan, const struct tree_work *tree) {
	const struct br_plan_options *options = plan->options;
	bool excludes = options->excludes != NULL && *options->excludes != NULL;
	return tree->unseen.count == 0 && tree->mount_points.count == 0 && !excludes
		&& options->levels == 0;
}

static bool is_moved(const struct class *class, const struct br_inode *to) {
	return class->outcome.kind == OUTCOME_CHANGE && class->outside.count == 0
		&& class->outcome.after.uid.v == to->uid.v
		&& class->outcome.after.gid.v == to->gid.v;
}

int command_chown(const struct br_plan *plan, const struct tree_work *tree,
	const struct class *class, const char *path, const char **out) {
	const struct br_inode *to = &class->outcome.after;
	const struct facts *from = &class->facts;
	bool all = true;
	*out = NULL;
	for (size_t i = 0; path == NULL && i < tree->classes.n; i++) {
		const struct class *other = table_at(&tree->classes, i);
		bool moved = is_moved(other, to);
		bool matches = other->facts.uid == from->uid && other->facts.gid == from->gid;
		if (matches && !moved) {
			return 0;
		}
		all = all && moved;
	}
	if ((path == NULL && !known_whole(plan, tree))
		|| !br_is_typable(path == NULL ? tree->tree->path : path)) {
		return 0;
	}
	// Of the whole tree some may have one of the two already.
	bool whole = path == NULL && all;
	struct br_buf buf = {0};
	br_buf_add(&buf, path == NULL ? "chown -R -h " : "chown -h ");
	if (!all) {
		br_buf_addf(&buf, "--from=%u:%u ", from->uid, from->gid);
	}
	if (to->uid.v != from->uid || whole) {
		br_buf_addf(&buf, "%u", to->uid.v);
	}
	if (to->gid.v != from->gid || whole) {
		br_buf_addf(&buf, ":%u", to->gid.v);
	}
	add_path(&buf, path == NULL ? tree->tree->path : path);
	return take(plan, &buf, out);
}

// X of setfacl: a directory, or a file that somebody may execute already.
static bool has_x(const struct br_inode *inode) {
	bool x = S_ISDIR(inode->mode) || (inode->mode & 0111) != 0;
	for (size_t i = 0; inode->acl != NULL && i < inode->acl->n; i++) {
		x = x || (inode->acl->entries[i].perm & BR_X) != 0;
	}
	return x;
}

// 1 where `setfacl -R -m u:UID:PERM` leaves this class as planned.
static int model_class(
	const struct br_plan *plan, const struct class *class, br_hostid uid, unsigned perm) {
	struct model model = {.plan = plan};
	struct br_inode before = facts_inode(&class->facts);
	struct br_inode result = before;
	bool changes = class->outcome.kind == OUTCOME_CHANGE;
	const struct br_inode *planned = changes ? &class->outcome.after : &before;
	if (S_ISLNK(before.mode)) {
		return 1;
	}
	if (class->outside.count > 0 || planned->uid.v != before.uid.v
		|| planned->gid.v != before.gid.v || planned->def != before.def) {
		return 0;
	}
	if (draft_open(plan, &model.draft, &before) != 0) {
		return -1;
	}
	unsigned x = has_x(&before) ? BR_X : 0;
	model_set(&model,
		&(struct br_acl_entry){
			.tag = BR_ACL_USER, .perm = (uint16_t)(perm | x), .id = uid});
	if (model_close(&model, true, &result) != 0) {
		return -1;
	}
	return same_state(&result, planned) ? 1 : 0;
}

int command_acl_tree(const struct br_plan *plan, const struct tree_work *tree, const char **entry,
	const char **command) {
	unsigned perm = tree->writes ? BR_R | BR_W : BR_R;
	size_t changed = 0;
	*entry = NULL;
	*command = NULL;
	if (!tree->single || !known_whole(plan, tree) || tree->strategy != BR_STRATEGY_ACL) {
		return 0;
	}
	for (size_t i = 0; i < tree->classes.n; i++) {
		const struct class *class = table_at(&tree->classes, i);
		int same = model_class(plan, class, tree->sole, perm);
		if (same <= 0) {
			return same;
		}
		changed += class->outcome.kind == OUTCOME_CHANGE;
	}
	if (changed == 0) {
		return 0;
	}
	struct br_buf buf = {0};
	br_buf_addf(&buf, "u:%u:%sX", tree->sole.v, tree->writes ? "rw" : "r");
	if (take(plan, &buf, entry) != 0) {
		return -1;
	}
	if (!br_is_typable(tree->tree->path)) {
		return 0;
	}
	br_buf_addf(&buf, "setfacl -R -P -m %s", *entry);
	add_path(&buf, tree->tree->path);
	return take(plan, &buf, command);
}
