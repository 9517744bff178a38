#include "work.h"

#include <stdlib.h>

static int reserve(struct br_plan_work *work, size_t n) {
	if (n <= work->nscratch) {
		return 0;
	}
	struct br_acl_entry *more = reallocarray(work->scratch, n, sizeof(*more));
	if (more == NULL) {
		return -1;
	}
	work->scratch = more;
	work->nscratch = n;
	return 0;
}

int draft_open(const struct br_plan *plan, struct draft *draft, const struct br_inode *inode) {
	size_t n = inode->acl == NULL ? 0 : inode->acl->n;
	// Everybody who may be added, and the four entries that every extended ACL has.
	if (reserve(plan->work, n + 2 * (size_t)PEOPLE_MAX + 8) != 0) {
		return -1;
	}
	*draft = (struct draft){
		.v = plan->work->scratch,
		.extended = inode->acl != NULL,
		.owner = inode->mode >> 6 & 7,
		.group = inode->mode >> 3 & 7,
		.mask = inode->mode >> 3 & 7,
		.other = inode->mode & 7,
	};
	for (size_t i = 0; i < n; i++) {
		struct br_acl_entry entry = inode->acl->entries[i];
		if (entry.tag == BR_ACL_USER || entry.tag == BR_ACL_GROUP) {
			draft->v[draft->n++] = entry;
		} else if (entry.tag == BR_ACL_OWNING_GROUP) {
			draft->group = entry.perm;
		}
	}
	return 0;
}

// What the mask held back must stay held back when the mask widens.
static void clamp(struct draft *draft) {
	draft->group &= draft->mask;
	for (size_t i = 0; i < draft->n; i++) {
		draft->v[i].perm = (uint16_t)(draft->v[i].perm & draft->mask);
	}
}

static unsigned group_class(const struct draft *draft) {
	unsigned perm = draft->group;
	for (size_t i = 0; i < draft->n; i++) {
		perm |= draft->v[i].perm;
	}
	return perm;
}

static struct br_acl_entry *find(struct draft *draft, uint16_t tag, br_hostid id) {
	for (size_t i = 0; i < draft->n; i++) {
		if (draft->v[i].tag == tag && draft->v[i].id.v == id.v) {
			return &draft->v[i];
		}
	}
	return NULL;
}

static struct br_acl_entry *named(struct draft *draft, uint16_t tag, br_hostid id) {
	struct br_acl_entry *entry = find(draft, tag, id);
	if (entry != NULL) {
		return entry;
	}
	draft->v[draft->n] = (struct br_acl_entry){.tag = tag, .id = id};
	return &draft->v[draft->n++];
}

void draft_name(struct draft *draft, br_hostid uid, unsigned perm) {
	if (draft->extended && draft->mask == 0) {
		// An empty group class switches the whole ACL off (fs/namei.c,
		// acl_permission_check): named users and groups fall through to `other`, the owning
		// group to nothing. Switching it on again must not wake the entries: without them
		// everybody falls through as before.
		draft->n = 0;
		draft->group = 0;
		draft->extended = false;
	}
	bool widens = !draft->extended || (perm & ~draft->mask) != 0;
	if (widens) {
		clamp(draft);
	}
	named(draft, BR_ACL_USER, uid)->perm = (uint16_t)perm;
	if (widens) {
		// Never less than it was: while any x bit is left, root's override may execute the
		// file.
		draft->mask |= group_class(draft);
	}
	draft->extended = true;
	if (draft->mask == 0) {
		// All entries are empty, and must count: any bit keeps the ACL switched on, and
		// gives nobody anything.
		draft->mask = draft->other;
	}
}

static const struct br_acl *make_acl(
	const struct br_plan *plan, const struct draft *draft, unsigned owner) {
	size_t n = draft->n;
	draft->v[n++] = (struct br_acl_entry){.tag = BR_ACL_OWNER, .perm = (uint16_t)owner};
	draft->v[n++] =
		(struct br_acl_entry){.tag = BR_ACL_OWNING_GROUP, .perm = (uint16_t)draft->group};
	draft->v[n++] = (struct br_acl_entry){.tag = BR_ACL_MASK, .perm = (uint16_t)draft->mask};
	draft->v[n++] = (struct br_acl_entry){.tag = BR_ACL_OTHER, .perm = (uint16_t)draft->other};
	for (size_t i = 0; i < n; i++) {
		if (draft->v[i].tag != BR_ACL_USER && draft->v[i].tag != BR_ACL_GROUP) {
			draft->v[i].id = (br_hostid){BR_NO_ID};
		}
	}
	return br_acls_make(plan->acls, draft->v, n);
}

int draft_close(const struct br_plan *plan, const struct draft *draft, struct br_inode *after) {
	unsigned group = draft->extended ? draft->mask : draft->group;
	after->acl = NULL;
	if (draft->extended) {
		after->acl = make_acl(plan, draft, draft->owner);
		if (after->acl == NULL) {
			return -1;
		}
	}
	after->mode =
		(after->mode & ~(uint32_t)0777) | draft->owner << 6 | group << 3 | draft->other;
	return 0;
}

// An entry for somebody whom a default ACL does not name. Whether there is one now that was not.
static bool add_unnamed(struct draft *draft, uint16_t tag, br_hostid id, unsigned perm) {
	if (perm == 0 || find(draft, tag, id) != NULL) {
		return false;
	}
	named(draft, tag, id)->perm = (uint16_t)perm;
	return true;
}

// Those who can use the directory today. As in draft_default(), the group has no entry where the
// directory hands it down.
static bool add_users(struct draft *draft, const struct br_inode *dir) {
	unsigned class = dir->mode >> 3 & 7;
	unsigned group = class;
	bool more =
		dir->uid.v != 0 && add_unnamed(draft, BR_ACL_USER, dir->uid, dir->mode >> 6 & 7);
	for (size_t i = 0; dir->acl != NULL && class != 0 && i < dir->acl->n; i++) {
		const struct br_acl_entry *entry = &dir->acl->entries[i];
		if (entry->tag == BR_ACL_USER || entry->tag == BR_ACL_GROUP) {
			more |= add_unnamed(draft, entry->tag, entry->id, entry->perm & class);
		} else if (entry->tag == BR_ACL_OWNING_GROUP) {
			group = entry->perm & class;
		}
	}
	if ((dir->mode & 02000) == 0 && group != draft->other) {
		more |= add_unnamed(draft, BR_ACL_GROUP, dir->gid, group);
	}
	return more;
}

static uint32_t class_bits(const struct br_acl *acl) {
	uint32_t bits = 0;
	for (size_t i = 0; i < acl->n; i++) {
		uint32_t perm = acl->entries[i].perm;
		switch ((enum br_acl_tag)acl->entries[i].tag) {
		case BR_ACL_OWNER:
			bits |= perm << 6;
			break;
		case BR_ACL_OWNING_GROUP:
		case BR_ACL_MASK:
			// The mask comes behind the group, and counts in its place.
			bits = (bits & ~(uint32_t)070) | perm << 3;
			break;
		case BR_ACL_OTHER:
			bits |= perm;
			break;
		case BR_ACL_USER:
		case BR_ACL_GROUP:
			break;
		}
	}
	return bits;
}

// What a default ACL that is there says of anybody stays as it is; whom it does not name, and what
// the demands need, is added.
static int widen_default(const struct br_plan *plan, const struct br_inode *dir,
	const struct people *people, const struct br_acl **out) {
	struct draft draft;
	struct br_inode like = {.mode = class_bits(dir->def), .acl = dir->def};
	size_t n = dir->acl == NULL ? 0 : dir->acl->n;
	if (reserve(plan->work, n + dir->def->n + 2 * (size_t)PEOPLE_MAX + 8) != 0
		|| draft_open(plan, &draft, &like) != 0) {
		return -1;
	}
	clamp(&draft);
	// As in draft_name(): an empty class switches off what a file that is made there inherits.
	draft.n = draft.mask == 0 ? 0 : draft.n;
	bool more = add_users(&draft, dir);
	for (size_t i = 0; i < people->n; i++) {
		const struct person *person = &people->v[i];
		if (!overrides(person->cred)) {
			struct br_acl_entry *entry = named(&draft, BR_ACL_USER, person->cred->uid);
			more = more || (person->need & ~(unsigned)entry->perm) != 0;
			entry->perm |= (uint16_t)person->need;
		}
	}
	draft.mask = group_class(&draft);
	*out = more ? make_acl(plan, &draft, draft.owner) : dir->def;
	return *out == NULL ? -1 : 0;
}

/*
 * Who can use the directory today can use what is made in it tomorrow: its owner and its group (who
 * need not be the new file's), everybody named, and the demands. The group that a new file happens
 * to have gets what others get, unless the directory hands its own group down.
 */
int draft_default(const struct br_plan *plan, const struct br_inode *dir,
	const struct people *people, const struct br_acl **out) {
	struct draft draft;
	*out = NULL;
	if (dir->def != NULL) {
		return widen_default(plan, dir, people, out);
	}
	if (draft_open(plan, &draft, dir) != 0) {
		return -1;
	}
	if (draft.extended && draft.mask == 0) {
		draft.n = 0;
	}
	clamp(&draft);
	draft.extended = true;
	unsigned group = draft.group;
	draft.other &= ~(unsigned)BR_W;
	if ((dir->mode & 02000) == 0 && group != draft.other) {
		named(&draft, BR_ACL_GROUP, dir->gid)->perm |= (uint16_t)group;
		draft.group = draft.other;
	}
	if (dir->uid.v != 0) {
		named(&draft, BR_ACL_USER, dir->uid)->perm |= (uint16_t)draft.owner;
	}
	for (size_t i = 0; i < people->n; i++) {
		if (!overrides(people->v[i].cred)) {
			named(&draft, BR_ACL_USER, people->v[i].cred->uid)->perm |=
				(uint16_t)people->v[i].need;
		}
	}
	if (draft.n == 0) {
		return 0;
	}
	draft.mask = group_class(&draft);
	// Whoever makes a file owns it, as without a default ACL.
	*out = make_acl(plan, &draft, BR_R | BR_W | BR_X);
	return *out == NULL ? -1 : 0;
}
