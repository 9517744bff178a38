/** What would have to change for a yes: on the inode's side, and on the identity's. */
#include "explain_impl.h"

#include <base/text.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** Lower-case letters of permission bits, as chmod and setfacl take them. */
static const char *letters(unsigned perm, char out[4]) {
	size_t n = 0;
	static const char names[] = {'x', 'w', 'r'};
	for (unsigned i = 3; i-- > 0;) {
		if (perm & (1U << i)) {
			out[n++] = names[i];
		}
	}
	out[n] = '\0';
	return out;
}

/** A command about the step's path, which comes last. One that cannot be typed is told without it. */
static const char *command(
	struct br_arena *arena, const char *words, struct br_explain_step *step) {
	struct br_buf buf = {0};
	step->way_is_command = br_is_typable(step->path);
	if (!step->way_is_command) {
		return br_printf(arena, "of this path: %s", words);
	}
	br_buf_add(&buf, words);
	br_buf_addc(&buf, ' ');
	br_buf_shell(&buf, step->path);
	const char *out = buf.failed ? NULL : br_strdup(arena, buf.s);
	br_buf_release(&buf);
	return out;
}

/** An ACL entry for nobody but this user. Where there is an ACL, its mask is everybody's business. */
static const char *acl_way(struct br_arena *arena, struct br_explain_step *step, uint32_t uid) {
	char perm[4];
	const struct br_acl_entry *own = step->inode.acl
		? br_acl_find(step->inode.acl, BR_ACL_USER, (br_hostid){uid})
		: NULL;
	unsigned bits = step->want | (own ? own->perm : step->verdict.have);
	unsigned mask = (step->inode.mode >> 3) & 7;
	bool room = !step->inode.acl || ((bits & ~mask) == 0 && mask);
	const char *words = br_printf(arena, "setfacl %s-m u:%u:%s", step->inode.acl ? "-n " : "",
		uid, br_perm_text(bits, perm));
	if (!words || room) {
		return words ? command(arena, words, step) : NULL;
	}
	return br_printf(arena,
		"the ACL entry user:%u:%s, and a mask that lets it through "
		"(bindright fix keeps the other entries as they are)",
		uid, br_perm_text(bits, perm));
}

static const char *owner_way(struct br_arena *arena, struct br_explain_step *step, unsigned uid) {
	char perm[4];
	const char *words = step->inode.uid.v == uid
		? br_printf(arena, "chmod u+%s", letters(step->want, perm))
		: br_printf(arena, "chown %u", uid);
	return words ? command(arena, words, step) : NULL;
}

static const char *say_inode_way(
	struct br_arena *arena, const struct facts *facts, struct br_explain_step *step) {
	uint32_t uid = facts->query->cred->uid.v;
	switch (step->verdict.rule) {
	case BR_RULE_READ_ONLY:
		return facts->fs_read_only ? "mount the file system read-write"
					   : "mount it into the container read-write";
	case BR_RULE_IMMUTABLE:
		return command(arena, "chattr -i", step);
	case BR_RULE_APPEND_ONLY:
		return command(arena, "chattr -a", step);
	case BR_RULE_UNMAPPED:
		return "give it an owner and a group that its mount maps";
	case BR_RULE_SERVER:
	case BR_RULE_OWNER:
	case BR_RULE_ACL_USER:
	case BR_RULE_GROUP:
	case BR_RULE_ACL_GROUP:
	case BR_RULE_OTHER:
	case BR_RULE_DAC_OVERRIDE:
	case BR_RULE_DAC_READ_SEARCH:
		break;
	}
	return step->inode.uid.v != uid && facts->keeps_acls ? acl_way(arena, step, uid)
							     : owner_way(arena, step, uid);
}

/** Somebody else in the place of the one who asks, tried on the same inode. */
struct trial {
	struct br_arena *arena;
	const struct facts *facts;
	const struct br_explain_step *step;
	struct br_buf words;
	size_t n;
};

static bool grants(const struct trial *trial, const struct br_cred *cred) {
	const struct br_explain_query *query = trial->facts->query;
	struct br_where where = {.read_only = trial->facts->read_only,
		.mount_uids = query->mount_uids,
		.mount_gids = query->mount_gids};
	return br_access_use(&trial->step->inode, cred, &where, trial->step->want).missing == 0;
}

static void say_next(struct trial *trial) {
	br_buf_add(&trial->words, trial->n++ ? ", or " : "");
}

/** The number as the identity would write it: the container's, where there is a user namespace.
 * False: it has none. */
static bool say_number(
	struct trial *trial, const char *what, const struct br_idmap *map, br_hostid id) {
	br_boxid box;
	if (!br_idmap_to_box(map, id, &box)) {
		return false;
	}
	say_next(trial);
	br_buf_addf(&trial->words, "%s %u", what, box.v);
	if (map->n) {
		br_buf_addf(&trial->words, " (%u on the host)", id.v);
	}
	return true;
}

static void say_name(struct trial *trial, const char *name) {
	if (name) {
		br_buf_add(&trial->words, " (");
		br_buf_add(&trial->words, name);
		br_buf_addc(&trial->words, ')');
	}
}

static int by_id(const void *a, const void *b) {
	const br_hostid *x = a;
	const br_hostid *y = b;
	return (x->v > y->v) - (x->v < y->v);
}

/** Group 0 is never advised: it opens far more than this. */
static int try_group(struct trial *trial, br_hostid gid) {
	const struct br_explain_query *query = trial->facts->query;
	struct br_cred cred = *query->cred;
	if (gid.v == 0 || br_cred_in_group(&cred, gid)) {
		return 0;
	}
	br_hostid *groups = BR_NEW_ARRAY(trial->arena, br_hostid, cred.ngroups + 1);
	if (!groups) {
		return -1;
	}
	for (size_t i = 0; i < cred.ngroups; i++) {
		groups[i] = cred.groups[i];
	}
	groups[cred.ngroups++] = gid;
	qsort(groups, cred.ngroups, sizeof(groups[0]), by_id);
	cred.groups = groups;
	if (grants(trial, &cred) && say_number(trial, "be in group", &cred.gids, gid)) {
		const struct br_host_group *group =
			query->hostdb ? br_hostdb_group(query->hostdb, gid) : NULL;
		say_name(trial, group ? group->name : NULL);
	}
	return 0;
}

static void try_user(struct trial *trial, br_hostid uid) {
	const struct br_explain_query *query = trial->facts->query;
	struct br_cred cred = *query->cred;
	if (uid.v == 0 || uid.v == cred.uid.v) {
		return;
	}
	cred.uid = uid;
	if (grants(trial, &cred) && say_number(trial, "run as uid", &cred.uids, uid)) {
		const struct br_host_user *user =
			query->hostdb ? br_hostdb_user(query->hostdb, uid) : NULL;
		say_name(trial, user ? user->name : NULL);
	}
}

static bool try_capability(struct trial *trial, const char *name) {
	struct br_cred cred = *trial->facts->query->cred;
	cred.caps |= UINT64_C(1) << (unsigned)br_cap_number(name);
	if (!grants(trial, &cred)) {
		return false;
	}
	say_next(trial);
	br_buf_addf(&trial->words, "have %s", name);
	return true;
}

static int try_all(struct trial *trial) {
	const struct br_inode *inode = &trial->step->inode;
	int failed = try_group(trial, inode->gid);
	for (size_t i = 0; inode->acl && i < inode->acl->n && !failed; i++) {
		const struct br_acl_entry *entry = &inode->acl->entries[i];
		if (entry->tag == BR_ACL_GROUP && entry->id.v != inode->gid.v) {
			failed = try_group(trial, entry->id);
		}
	}
	try_user(trial, inode->uid);
	for (size_t i = 0; inode->acl && i < inode->acl->n; i++) {
		const struct br_acl_entry *entry = &inode->acl->entries[i];
		if (entry->tag == BR_ACL_USER && entry->id.v != inode->uid.v) {
			try_user(trial, entry->id);
		}
	}
	// The lesser one does not execute files.
	if (!try_capability(trial, "CAP_DAC_READ_SEARCH")) {
		(void)try_capability(trial, "CAP_DAC_OVERRIDE");
	}
	return failed;
}

int find_ways(struct br_arena *arena, const struct facts *facts, struct br_explain_step *step) {
	struct trial trial = {.arena = arena, .facts = facts, .step = step};
	if (step->verdict.rule == BR_RULE_SERVER) {
		step->inode_way = "see to the rules of its server";
		step->identity_way = "somebody whom its server lets do that";
		return 0;
	}
	int failed = try_all(&trial);
	step->inode_way = say_inode_way(arena, facts, step);
	step->identity_way =
		trial.n && !trial.words.failed ? br_strdup(arena, trial.words.s) : NULL;
	failed |= !step->inode_way || trial.words.failed || (trial.n && !step->identity_way);
	br_buf_release(&trial.words);
	return failed ? -1 : 0;
}
