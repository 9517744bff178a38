#include "plan_world.h"

/* What each strategy makes of one inode. */

static const struct who app = {{.uid = {1001}, .gid = {1001}}, ALL};
static const struct who app_reads = {{.uid = {1001}, .gid = {1001}}, READS};
static const struct who app_gid0 = {{.uid = {1001}, .gid = {0}}, ALL};
static const struct who app_gid20 = {{.uid = {1001}, .gid = {20}}, ALL};
static const struct who app33 = {{.uid = {33}, .gid = {33}}, ALL};
static const struct who other = {{.uid = {1003}, .gid = {1003}}, ALL};
static const struct who other_reads = {{.uid = {1003}, .gid = {1003}}, READS};
static const br_hostid g2000[] = {{2000}};
static const struct who app_dev = {
	{.uid = {1001}, .gid = {1001}, .groups = g2000, .ngroups = 1}, ALL};
static const struct who other_dev = {
	{.uid = {1003}, .gid = {1003}, .groups = g2000, .ngroups = 1}, ALL};
static const struct who root_bare = {{.uid = {0}, .gid = {0}}, ALL};
static const struct who root_caps = {
	{.uid = {0}, .gid = {0}, .caps = (1ull << CAP_DAC_OVERRIDE)}, ALL};

/* Its capability counts for what belongs to its namespace's own. */
static const struct br_idmap_extent three[] = {{1001, 1001, 3}};
static const struct who capable_reads = {{.uid = {1003},
						 .gid = {1003},
						 .caps = (1ull << CAP_DAC_OVERRIDE),
						 .uids = {three, 1},
						 .gids = {three, 1}},
	READS};

/* The same in a namespace that knows group 2000 too. */
static const struct br_idmap_extent three_and_dev[] = {{1001, 1001, 3}, {2000, 2000, 1}};
static const struct who capable_dev_reads = {{.uid = {1003},
						     .gid = {1003},
						     .caps = (1ull << CAP_DAC_OVERRIDE),
						     .uids = {three, 1},
						     .gids = {three_and_dev, 2}},
	READS};

static const struct who root_deletes = {
	{.caps = (1ull << CAP_DAC_OVERRIDE) | (1ull << CAP_FOWNER)}, READS};

enum {
	FITS = -1,
	CHANGES = -2,
};

struct row {
	const char *name;
	int strategy;
	struct {
		uint32_t mode, uid, gid;
		const char *acl;
	} on;
	const struct who *who[2];
	// FITS, CHANGES, or an enum br_left_reason.
	int result;
	struct {
		uint32_t mode, uid, gid;
		const char *acl;
	} after;
	bool no_acls;
	bool no_protected_hardlinks;
	bool privileged;
	uint32_t nlink;
	uint32_t attrs;
	// --from, where not 0: this UID + 1.
	uint32_t from;
	const char *path;
	// The owner of the tree's root + 1; 0: as the inode's.
	uint32_t root;
};

enum {
	ACL = BR_STRATEGY_ACL,
	CHOWN = BR_STRATEGY_CHOWN,
	GROUP = BR_STRATEGY_GROUP,
	AUTO = BR_STRATEGY_AUTO,
};

static const struct row rows[] = {
	// ACL.
	{"granted by others", ACL, {D | 0777, 1000, 1000}, {&app}, FITS},
	{"granted by an entry", ACL,
		{D | 0770, 1000, 1000, "u::rwx,u:1001:rwx,g::---,m::rwx,o::---"}, {&app}, FITS},
	{"one entry", ACL, {D | 0755, 1000, 1000}, {&app}, CHANGES,
		{D | 0775, 1000, 1000, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"}},
	{"two entries", ACL, {D | 0755, 1000, 1000}, {&app, &other}, CHANGES,
		{D | 0775, 1000, 1000, "u::rwx,u:1001:rwx,u:1003:rwx,g::r-x,m::rwx,o::r-x"}},
	{"one of two has it", ACL, {D | 0755, 1000, 1000}, {&app, &other_reads}, CHANGES,
		{D | 0775, 1000, 1000, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"}},
	{"a file gets what any class may", ACL, {F | 0640, 1000, 1000}, {&app}, CHANGES,
		{F | 0660, 1000, 1000, "u::rw-,u:1001:rw-,g::r--,m::rw-,o::---"}},
	{"read-only mount", ACL, {F | 0640, 1000, 1000}, {&app_reads}, CHANGES,
		{F | 0640, 1000, 1000, "u::rw-,u:1001:r--,g::r--,m::r--,o::---"}},
	{"the owner's bits", ACL, {D | 0577, 1001, 1000}, {&app}, CHANGES, {D | 0777, 1001, 1000}},
	{"the owner's bits in an ACL leave the rest alone", ACL,
		{D | 0550, 1001, 1000, "u::r-x,u:1007:rwx,g::rwx,m::r-x,o::---"}, {&app}, CHANGES,
		{D | 0750, 1001, 1000, "u::rwx,u:1007:rwx,g::rwx,m::r-x,o::---"}},
	{"clamp: a named group", ACL,
		{D | 0750, 1000, 1000, "u::rwx,g::r-x,g:2000:rwx,m::r-x,o::---"}, {&app}, CHANGES,
		{D | 0770, 1000, 1000, "u::rwx,u:1001:rwx,g::r-x,g:2000:r-x,m::rwx,o::---"}},
	{"clamp: the owning group, and a user", ACL,
		{D | 0750, 1000, 1000, "u::rwx,u:1007:rwx,g::rwx,m::r-x,o::---"}, {&app}, CHANGES,
		{D | 0770, 1000, 1000, "u::rwx,u:1001:rwx,u:1007:r-x,g::r-x,m::rwx,o::---"}},
	{"no clamp where the mask need not widen", ACL,
		{D | 0750, 1000, 1000, "u::rwx,g::r-x,g:2000:rwx,m::r-x,o::---"}, {&app_reads},
		CHANGES,
		{D | 0750, 1000, 1000, "u::rwx,u:1001:r-x,g::r-x,g:2000:rwx,m::r-x,o::---"}},
	{"its own entry that the mask held back", ACL,
		{D | 0750, 1000, 1000, "u::rwx,u:1001:rwx,g::r-x,m::r-x,o::---"}, {&app}, CHANGES,
		{D | 0770, 1000, 1000, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::---"}},
	{"mask 000: entries are asleep and stay so", ACL,
		{D | 0705, 1000, 1000, "u::rwx,u:1007:rwx,g::rwx,g:2000:---,m::---,o::r-x"}, {&app},
		CHANGES, {D | 0775, 1000, 1000, "u::rwx,u:1001:rwx,g::---,m::rwx,o::r-x"}},
	{"the entry keeps what the account's groups gave", ACL, {F | 0020, 1000, 2000},
		{&(struct who){{.uid = {1002}, .gid = {1002}}, {.file = BR_R}}}, CHANGES,
		{F | 0060, 1000, 2000, "u::---,u:1002:rw-,g::-w-,m::rw-,o::---"}},
	{"what one is given makes another need it", ACL, {F | 0121, 1000, 1000},
		{&(struct who){{.uid = {1000}, .gid = {1000}}, {.file = RWX}}, &app_reads}, CHANGES,
		{F | 0771, 1000, 1000, "u::rwx,u:1001:r-x,g::-w-,m::rwx,o::--x"}},
	{"root without override needs its own", ACL, {D | 0750, 1000, 1000}, {&root_bare}, CHANGES,
		{D | 0770, 1000, 1000, "u::rwx,u:0:rwx,g::r-x,m::rwx,o::---"}},
	{"root with override has it", ACL, {D | 0000, 1000, 1000}, {&root_caps}, FITS},
	{"ACL without ACLs", ACL, {D | 0755, 1000, 1000}, {&app}, BR_LEFT_NO_EXACT_STATE,
		.no_acls = true},
	{"the owner's bits need no ACL", ACL, {D | 0577, 1001, 1000}, {&app}, CHANGES,
		{D | 0777, 1001, 1000}, .no_acls = true},
	{"a link", ACL, {S_IFLNK | 0777, 1000, 1000}, {&app}, FITS},
	{"setuid stays under an ACL", ACL, {F | 04750, 1000, 1000}, {&app_reads}, CHANGES,
		{F | 04750, 1000, 1000, "u::rwx,u:1001:r-x,g::r-x,m::r-x,o::---"},
		.privileged = true},
	{"setgid and sticky directories stay so", ACL, {D | 03755, 1000, 1000}, {&app}, CHANGES,
		{D | 03775, 1000, 1000, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"}},

	// The owner.
	{"root's", CHOWN, {D | 0755, 0, 0}, {&app}, CHANGES, {D | 0755, 1001, 1001}},
	{"root's, the group counts", CHOWN, {D | 0750, 0, 0}, {&app}, CHANGES, {D | 0750, 1001, 0}},
	{"root deletes in a sticky directory by its capability, too", CHOWN, {D | 01755, 0, 0},
		{&app}, CHANGES, {D | 01755, 1001, 1001}},
	{"a container's root that has that capability, too", CHOWN, {D | 01755, 0, 0},
		{&app, &root_deletes}, CHANGES, {D | 01755, 1001, 1001}},
	{"a container's root without it deletes as the owner", CHOWN, {D | 01755, 0, 0},
		{&app, &root_caps}, CHANGES,
		{D | 01775, 0, 0, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"}},
	{"who owns a sticky directory deletes in it, and stays", CHOWN, {D | 01755, 1000, 1000},
		{&app}, CHANGES, {D | 01775, 1000, 1000, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"}},
	{"gid 0 is never given", CHOWN, {D | 0755, 0, 4}, {&app_gid0}, CHANGES,
		{D | 0755, 1001, 4}},
	{"nor a system group", CHOWN, {D | 0755, 0, 4}, {&app_gid20}, CHANGES, {D | 0755, 1001, 4}},
	{"but one of its own number", CHOWN, {D | 0755, 0, 0}, {&app33}, CHANGES,
		{D | 0755, 33, 33}},
	{"a setgid directory keeps its group", CHOWN, {D | 02755, 0, 2000}, {&app}, CHANGES,
		{D | 02755, 1001, 2000}},
	{"owner bits are added", CHOWN, {D | 0555, 0, 0}, {&app}, CHANGES, {D | 0755, 1001, 1001}},
	{"the new owner keeps what others have", CHOWN, {F | 0406, 0, 0},
		{&(struct who){{.uid = {1001}, .gid = {1001}}, {.file = RX}}}, CHANGES,
		{F | 0706, 1001, 0}},
	{"the old owner keeps his", CHOWN, {D | 0755, 1000, 1000}, {&app}, CHANGES,
		{D | 0775, 1001, 1000, "u::rwx,u:1000:rwx,g::r-x,m::rwx,o::r-x"}},
	{"the old owner had no more than others", CHOWN, {F | 0444, 1000, 1000},
		{&(struct who){{.uid = {1001}, .gid = {1001}}, {.file = RW}}}, CHANGES,
		{F | 0644, 1001, 1001}},
	{"the old owner had less than others", CHOWN, {F | 0007, 1000, 1000},
		{&(struct who){{.uid = {1001}, .gid = {1000}}, {.file = RW}}}, CHANGES,
		{F | 0777, 1001, 1000, "u::rwx,u:1000:---,g::---,m::rwx,o::rwx"}},
	{"the old owner would lose", CHOWN, {D | 0755, 1000, 1000}, {&app}, BR_LEFT_NO_EXACT_STATE,
		.no_acls = true},
	{"it stays with one of them", CHOWN, {D | 0755, 1003, 1003}, {&app, &other}, CHANGES,
		{D | 0775, 1003, 1003, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"}},
	{"the first owns, the second has an entry", CHOWN, {D | 0755, 0, 0}, {&app, &other},
		CHANGES, {D | 0775, 1001, 0, "u::rwx,u:1003:rwx,g::r-x,m::rwx,o::r-x"}},
	{"granted already", CHOWN, {F | 0666, 0, 0}, {&app}, FITS},
	{"setuid goes with the owner", CHOWN, {F | 06711, 0, 0}, {&app}, CHANGES,
		{F | 0711, 1001, 1001}, .privileged = true},
	{"root is the demanded owner", CHOWN, {D | 0500, 0, 0}, {&root_bare}, CHANGES,
		{D | 0700, 0, 0}},
	{"root that is demanded keeps it", CHOWN, {D | 0755, 0, 0}, {&app, &root_bare}, CHANGES,
		{D | 0775, 0, 0, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"}},

	// A group.
	{"its own group", GROUP, {D | 0755, 1000, 1000}, {&app}, CHANGES, {D | 02775, 1000, 1001}},
	{"a common group", GROUP, {D | 0755, 1000, 1000}, {&app_dev, &other_dev}, CHANGES,
		{D | 02775, 1000, 2000}},
	{"the group that is there", GROUP, {D | 0750, 1000, 2000}, {&app_dev}, CHANGES,
		{D | 02770, 1000, 2000}},
	{"no setgid on files, and none where nobody writes", GROUP, {F | 0644, 1000, 1000}, {&app},
		CHANGES, {F | 0664, 1000, 1001}},
	{"reads only", GROUP, {D | 0700, 1000, 1000}, {&app_reads}, CHANGES,
		{D | 0750, 1000, 1001}},
	{"somebody in the old group would lose", GROUP, {D | 0750, 1000, 1000}, {&app},
		BR_LEFT_NO_EXACT_STATE},
	{"somebody in the old group would gain", GROUP, {D | 0705, 1000, 1000}, {&app},
		BR_LEFT_NO_EXACT_STATE},
	{"a group by which another's capability would count", GROUP, {F | 0644, 1002, 1000},
		{&app_dev, &capable_dev_reads}, BR_LEFT_NO_EXACT_STATE},
	{"the owner's own capability would count", GROUP, {F | 0311, 1003, 1000},
		{&app_dev, &capable_dev_reads}, BR_LEFT_NO_EXACT_STATE},
	{"no common group", GROUP, {D | 0755, 1000, 1000}, {&app, &other}, BR_LEFT_NO_EXACT_STATE},
	{"never group 0", GROUP, {D | 0755, 1000, 0}, {&app_gid0}, BR_LEFT_NO_EXACT_STATE},
	{"never group 0, even for root", GROUP, {D | 0755, 1000, 1000}, {&root_bare},
		BR_LEFT_NO_EXACT_STATE},
	{"never a system group", GROUP, {D | 0755, 1000, 20}, {&app_gid20}, BR_LEFT_NO_EXACT_STATE},
	{"an ACL is not for a group", GROUP,
		{D | 0750, 1000, 1001, "u::rwx,u:1007:r-x,g::r-x,m::r-x,o::---"}, {&app},
		BR_LEFT_NO_EXACT_STATE},
	{"setgid goes with the group", GROUP, {F | 06711, 0, 0}, {&app_reads}, CHANGES,
		{F | 0751, 0, 1001}, .privileged = true},

	// The gate.
	{"somebody else's", ACL, {D | 0755, 1007, 1007}, {&app}, BR_LEFT_OWNER, .root = 1001},
	{"somebody else's, named", ACL, {D | 0755, 1007, 1007}, {&app}, CHANGES,
		{D | 0775, 1007, 1007, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"}, .root = 1001,
		.from = 1008},
	{"the container's own", ACL, {D | 0577, 1001, 1001}, {&app}, CHANGES,
		{D | 0777, 1001, 1001}, .root = 1001},
	{"another container's own", ACL, {D | 0755, 1003, 1003}, {&app, &other}, CHANGES,
		{D | 0775, 1003, 1003, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"}, .root = 1001},
	{"root's in somebody's tree", ACL, {F | 0644, 0, 0}, {&app}, CHANGES,
		{F | 0664, 0, 0, "u::rw-,u:1001:rw-,g::r--,m::rw-,o::r--"}, .root = 1001},
	{"root's with links", ACL, {F | 0644, 0, 0}, {&app}, BR_LEFT_LINKS, .nlink = 2},
	{"anybody's with links elsewhere", ACL, {F | 0644, 1000, 1000}, {&app}, BR_LEFT_LINKS,
		.nlink = 2},
	{"root's named, with links elsewhere", ACL, {F | 0644, 0, 0}, {&app}, BR_LEFT_LINKS,
		.nlink = 2, .from = 1},
	{"root's where links are not protected", ACL, {F | 0644, 0, 0}, {&app}, BR_LEFT_LINKS,
		.no_protected_hardlinks = true},
	{"a directory has no links", CHOWN, {D | 0755, 0, 0}, {&app}, CHANGES,
		{D | 0755, 1001, 1001}, .no_protected_hardlinks = true, .nlink = 5},
	{"root's named, unprotected", CHOWN, {F | 0644, 0, 0}, {&app}, CHANGES,
		{F | 0644, 1001, 1001}, .no_protected_hardlinks = true, .from = 1},
	{"root alone", CHOWN, {F | 0600, 0, 0}, {&app}, BR_LEFT_ROOT_PRIVATE},
	{"root alone, a directory", CHOWN, {D | 0700, 0, 0}, {&app}, BR_LEFT_ROOT_PRIVATE},
	{"root alone, named", CHOWN, {F | 0600, 0, 0}, {&app}, CHANGES, {F | 0600, 1001, 1001},
		.from = 1},
	{"setuid", ACL, {F | 04750, 1000, 1000}, {&app}, BR_LEFT_PRIVILEGED},
	{"setgid", ACL, {F | 02640, 1000, 1000}, {&app}, BR_LEFT_PRIVILEGED},
	{"immutable", ACL, {D | 0755, 1000, 1000}, {&app}, BR_LEFT_PROTECTED,
		.attrs = BR_IMMUTABLE},
	{"append-only", ACL, {D | 0755, 1000, 1000}, {&app}, BR_LEFT_PROTECTED, .attrs = BR_APPEND},
	{"immutable though the mode allows it", ACL, {D | 0777, 1000, 1000}, {&app},
		BR_LEFT_PROTECTED, .attrs = BR_IMMUTABLE},
	{"a socket that must be served", ACL, {S_IFSOCK | 0600, 1000, 1000},
		{&(struct who){{.uid = {1001}, .gid = {1001}}, {.file = RW}}}, BR_LEFT_SPECIAL},
	{"a socket that need not", ACL, {S_IFSOCK | 0600, 1000, 1000}, {&app}, FITS},
	{"private: a key", ACL, {F | 0600, 1000, 1000}, {&app}, BR_LEFT_PRIVATE_NAME,
		.path = "a/id_ed25519"},
	{"private: below .ssh", ACL, {F | 0600, 1000, 1000}, {&app}, BR_LEFT_PRIVATE_NAME,
		.path = "a/.ssh/config"},
	{"not private: id_to_label.json", CHOWN, {F | 0644, 0, 0}, {&app}, CHANGES,
		{F | 0644, 1001, 1001}, .path = "id_to_label.json"},
	{"not private: a directory named shadow", CHOWN, {F | 0644, 0, 0}, {&app}, CHANGES,
		{F | 0644, 1001, 1001}, .path = "shadow/x"},

	// auto.
	{"auto: root's", AUTO, {D | 0755, 0, 0}, {&app}, CHANGES, {D | 0755, 1001, 1001}},
	{"auto: somebody's", AUTO, {D | 0755, 1000, 1000}, {&app}, CHANGES,
		{D | 0775, 1000, 1000, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"}},
	{"auto: two", AUTO, {D | 0755, 0, 0}, {&app, &other}, CHANGES,
		{D | 0775, 0, 0, "u::rwx,u:1001:rwx,u:1003:rwx,g::r-x,m::rwx,o::r-x"}},
	{"another's capability would count", CHOWN, {F | 0640, 1000, 1001}, {&app, &capable_reads},
		CHANGES,
		{F | 0660, 1000, 1001, "u::rw-,u:1001:rw-,u:1003:r--,g::r--,m::rw-,o::---"}},
	{"auto: two containers of one UID", AUTO, {D | 0755, 0, 0}, {&app, &app_dev}, CHANGES,
		{D | 0755, 1001, 1001}},
	{"auto: root with override is no party to it", AUTO, {D | 0755, 0, 0}, {&app, &root_caps},
		CHANGES, {D | 0755, 1001, 1001}},
	{"auto: root writes, the other reads", AUTO, {D | 0750, 0, 0}, {&app_reads, &root_caps},
		CHANGES, {D | 0750, 0, 0, "u::rwx,u:1001:r-x,g::r-x,m::r-x,o::---"}},
	{"auto: root without it is", AUTO, {D | 0755, 0, 0}, {&app, &root_bare}, CHANGES,
		{D | 0775, 0, 0, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"}},
	{"auto: who only reads does not own", AUTO, {D | 0750, 0, 0}, {&app_reads}, CHANGES,
		{D | 0750, 0, 0, "u::rwx,u:1001:r-x,g::r-x,m::r-x,o::---"}},
	{"auto: no ACLs, root's", AUTO, {D | 0755, 0, 0}, {&app}, CHANGES, {D | 0755, 1001, 1001},
		.no_acls = true},
	{"auto: no ACLs, somebody's", AUTO, {D | 0755, 1000, 1000}, {&app}, CHANGES,
		{D | 02775, 1000, 1001}, .no_acls = true},
};

static void set_row(struct world *w, const struct row *row, br_hostid *from) {
	w->tree.n = 0;
	for (size_t i = 0; i < 2 && row->who[i]; i++) {
		demand(w, row->who[i]);
	}
	w->source.fs.keeps_acls = row->no_acls ? BR_NO : BR_YES;
	w->options.strategy = (enum br_strategy)row->strategy;
	w->options.privileged_files = row->privileged;
	w->options.protected_hardlinks = !row->no_protected_hardlinks;
	from->v = row->from - 1;
	w->options.from = from;
	w->options.nfrom = row->from ? 1 : 0;
}

static void check_row(struct world *w, const struct row *row) {
	br_hostid from;
	struct br_inode after = {0};
	const char *path = row->path ? row->path : "x";
	set_row(w, row, &from);
	begin(w);
	struct br_inode root =
		inode_of(w, D | 0777, row->root ? row->root - 1 : row->on.uid, 4, NULL);
	struct br_inode on = inode_of(w, row->on.mode, row->on.uid, row->on.gid, row->on.acl);
	on.nlink = row->nlink ? row->nlink : 1;
	on.attrs = row->attrs;
	see(w, "", &root);
	see(w, path, &on);
	settle(w);
	int done = br_plan_decide(w->plan, &w->tree, path, &on, &after);
	assert_int_equal(w->plan->nlosses, 0);
	assert_int_equal(w->plan->changes, done);
	assert_int_equal(done, row->result == CHANGES);
	if (row->result == CHANGES) {
		assert_true(on.ino == after.ino && w->plan->nleft == 0);
		if (after.mode != row->after.mode) {
			fail_msg("%s: mode %o", row->name, after.mode);
		}
		assert_int_equal(after.uid.v, row->after.uid);
		assert_int_equal(after.gid.v, row->after.gid);
		if (after.acl != acl_of_words(w->acls, row->after.acl)) {
			struct br_arena arena = {0};
			print_error("%s: %s\n", row->name,
				after.acl ? br_acl_text(&arena, after.acl) : "no ACL");
			br_arena_release(&arena);
			fail();
		}
		assert_int_equal(br_plan_decide(w->plan, &w->tree, path, &after, &after), 0);
	} else if (row->result == FITS) {
		assert_int_equal(w->plan->nleft, 0);
	} else {
		assert_int_equal(w->plan->nleft, 1);
		assert_int_equal(w->plan->left[0].reason, row->result);
		assert_int_equal(w->plan->left[0].count, 1);
		assert_string_equal(w->plan->left[0].examples[0], path);
		assert_true(w->plan->trees[0].partial);
	}
}

static void test_rows(void **state) {
	for (size_t i = 0; i < N(rows); i++) {
		print_message("%s\n", rows[i].name);
		check_row(*state, &rows[i]);
	}
}

/** What was not seen when it was planned, another state or an inode that was made later, is not
 * changed, and that is said. */
static void test_later(void **state) {
	struct world *w = *state;
	struct br_inode after;
	w->tree.n = 0;
	demand(w, &app);
	begin(w);
	struct br_inode root = inode_of(w, D | 0755, 1000, 1000, NULL);
	struct br_inode file = inode_of(w, F | 0640, 1000, 1000, NULL);
	root.btime = (struct br_time){100, 7};
	file.btime = (struct br_time){90, 0};
	see(w, "", &root);
	see(w, "f", &file);
	settle(w);
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "f", &file, &after), 1);
	file.btime = root.btime;
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "g", &file, &after), 1);
	file.btime.nsec++;
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "g", &file, &after), 2);
	file.btime = (struct br_time){101, 0};
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "g", &file, &after), 2);
	// Copies on an overlay are new whatever they are copies of.
	w->source.fs.type = "overlay";
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "g", &file, &after), 1);
	w->source.fs.type = "ext4";
	file.btime = (struct br_time){90, 0};
	file.mode = F | 0600;
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "f", &file, &after), 2);
}

/** What goes back to somebody whom a container's namespace knows would be its capability's. */
static void test_back(void **state) {
	struct world *w = *state;
	static const struct br_idmap_extent all[] = {{0, 1001, 3}};
	const struct who capable = {{.uid = {1001},
					    .gid = {1001},
					    .caps = (1ull << CAP_DAC_OVERRIDE),
					    .uids = {all, 1},
					    .gids = {all, 1}},
		READS};
	const uint32_t keepers[] = {1000, 1002};
	struct br_inode after;
	for (size_t i = 0; i < N(keepers); i++) {
		struct br_inode dir = inode_of(w, D | 0755, 0, 0, NULL);
		const struct br_keeper keeper = {
			.name = "k", .cred = {.uid = {keepers[i]}, .gid = {keepers[i]}}};
		w->tree.n = 0;
		demand(w, &capable);
		w->options = (struct br_plan_options){.protected_hardlinks = true,
			.reclaim = true,
			.keepers = &keeper,
			.nkeepers = 1};
		begin(w);
		see(w, "", &dir);
		settle(w);
		assert_int_equal(
			br_plan_decide(w->plan, &w->tree, "", &dir, &after), keepers[i] == 1000);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_back, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_later, world_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
