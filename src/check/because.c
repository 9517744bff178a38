#include "check_impl.h"

#include <sys/stat.h>

const char *say_uid(struct check_work *work, br_hostid uid) {
	const struct br_host_user *user = br_hostdb_user(work->input->hostdb, uid);
	return user ? say(work, "%u (%s)", uid.v, user->name) : say(work, "%u", uid.v);
}

const char *say_ids(struct check_work *work, const struct br_cred *cred) {
	return say(work, "%u:%u", cred->uid.v, cred->gid.v);
}

static const char *say_gid(struct check_work *work, br_hostid gid) {
	const struct br_host_group *group = br_hostdb_group(work->input->hostdb, gid);
	return group ? say(work, "%u (%s)", gid.v, group->name) : say(work, "%u", gid.v);
}

const char *say_asker(struct check_work *work, const struct br_need *need) {
	struct br_position at;
	bool placed = br_places_find(br_diags_places(work->dx), need->said, &at);
	if (need->by_option || !placed) {
		return "--need";
	}
	return say(work, "x-bindright, %s:%u:%u", at.file, at.line, at.column);
}

const char *say_asked(
	struct check_work *work, const struct br_mount_source *ms, const char *because) {
	char bits[4];
	const struct br_need *need = ms->demand ? &ms->demand->need : NULL;
	if (!need || (!need->said.text && !need->by_option)) {
		return because;
	}
	return say(work, "%s; %s is asked for (%s)", because, br_perm_text(need->file, bits),
		say_asker(work, need));
}

/** The entry's bits, and what the mask leaves of them. */
static const char *say_entry(
	struct check_work *work, const struct br_inode *inode, const struct br_verdict *verdict) {
	char perm[4];
	char mask[4];
	const struct br_acl_entry *entry = verdict->entry;
	const char *who = entry->tag == BR_ACL_USER ? "user" : "group";
	const char *tail = "";
	if (verdict->masked) {
		tail = say(work, ", of which the mask %s lets too little through",
			br_perm_text((inode->mode >> 3) & 7, mask));
	}
	return say(work, "the ACL entry %s:%u has %s%s", who, entry->id.v,
		br_perm_text(entry->perm, perm), tail);
}

/** What the group class has: the owning group's ACL entry, or the mode's bits. */
static unsigned group_bits(const struct br_inode *inode) {
	const struct br_acl_entry *entry = inode->acl
		? br_acl_find(inode->acl, BR_ACL_OWNING_GROUP, (br_hostid){BR_NO_ID})
		: NULL;
	return entry ? (unsigned)(entry->perm & (inode->mode >> 3) & 7) : (inode->mode >> 3) & 7;
}

const char *say_because(struct check_work *work, const struct br_inode *inode,
	const struct br_cred *cred, const struct br_verdict *verdict) {
	char perm[4];
	switch (verdict->rule) {
	case BR_RULE_READ_ONLY:
		return "the file system is mounted read-only";
	case BR_RULE_IMMUTABLE:
		return "it has the immutable attribute (chattr +i)";
	case BR_RULE_APPEND_ONLY:
		return "it has the append-only attribute (chattr +a)";
	case BR_RULE_UNMAPPED:
		return "its owner or group has no mapping there";
	case BR_RULE_SERVER:
		return say(work, "asked as %s, its server refuses it, %s", say_ids(work, cred),
			br_access_use(inode, cred, &(struct br_where){0}, verdict->missing).missing
				? "whatever the mode says"
				: "although the mode allows it");
	case BR_RULE_OWNER:
	case BR_RULE_ACL_USER:
	case BR_RULE_GROUP:
	case BR_RULE_ACL_GROUP:
	case BR_RULE_OTHER:
	case BR_RULE_DAC_OVERRIDE:
	case BR_RULE_DAC_READ_SEARCH:
		break;
	}
	if (verdict->entry
		&& (verdict->entry->tag == BR_ACL_USER || verdict->entry->tag == BR_ACL_GROUP)) {
		return say_entry(work, inode, verdict);
	}
	if (inode->uid.v == cred->uid.v) {
		return say(work, "it is the owner, and the owner has %s",
			br_perm_text((inode->mode >> 6) & 7, perm));
	}
	if (verdict->base == BR_RULE_GROUP) {
		return say(work, "owner is %s; it is in the group %s, which has %s",
			say_uid(work, inode->uid), say_gid(work, inode->gid),
			br_perm_text(group_bits(inode), perm));
	}
	if (verdict->base == BR_RULE_ACL_GROUP) {
		return say(work, "owner is %s; no ACL entry of a group that it is in allows it",
			say_uid(work, inode->uid));
	}
	return say(work, "owner is %s, group is %s, others have %s", say_uid(work, inode->uid),
		say_gid(work, inode->gid), br_perm_text(inode->mode & 7, perm));
}
