#include <bindright/access.h>

#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <support/acl_words.h>
#include <sys/stat.h>

#include <cmocka.h>

// Rows leave off what is absent.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(cap) (UINT64_C(1) << (cap))
#define OVERRIDE BIT(CAP_DAC_OVERRIDE)
#define SEARCH BIT(CAP_DAC_READ_SEARCH)
#define MAP(a) \
	{ .extents = (a), .n = N(a) }

enum {
	D = S_IFDIR,
	F = S_IFREG,
	RW = BR_R | BR_W,
	RX = BR_R | BR_X,
	WX = BR_W | BR_X,
	RWX = BR_R | BR_W | BR_X,
	OWNER = BR_RULE_OWNER,
	USER = BR_RULE_ACL_USER,
	GROUP = BR_RULE_GROUP,
	GROUPS = BR_RULE_ACL_GROUP,
	OTHER = BR_RULE_OTHER,
};

static const br_hostid g2000[] = {{2000}};
static const br_hostid g2001[] = {{2001}};
static const br_hostid g2000_2001[] = {{2000}, {2001}};
static const br_hostid g3000[] = {{3000}};

// The user namespace of a rootless user 2001:2001, and one whose groups have another range.
static const struct br_idmap_extent ns_uids[] = {{0, 2001, 1}, {1, 100000, 65536}};
static const struct br_idmap_extent ns_gids[] = {{0, 2001, 1}, {1, 200000, 65536}};

#define BOX_ROOT(bits) \
	{ .uid = {2001}, .gid = {2001}, .caps = (bits), .uids = MAP(ns_uids), .gids = MAP(ns_gids) }

static const struct br_cred app = {.uid = {1001}, .gid = {1002}};
static const struct br_cred app_2000 = {.uid = {1001}, .gid = {1002}, .groups = g2000, .ngroups = 1};
static const struct br_cred app_2001 = {.uid = {1001}, .gid = {1002}, .groups = g2001, .ngroups = 1};
static const struct br_cred app_both = {.uid = {1001},
	.gid = {1002},
	.groups = g2000_2001,
	.ngroups = 2};
static const struct br_cred app_3000 = {.uid = {1001}, .gid = {1002}, .groups = g3000, .ngroups = 1};
static const struct br_cred root_bare = {.uid = {0}, .gid = {0}};
static const struct br_cred overrider = {.uid = {1001}, .gid = {1002}, .caps = OVERRIDE};
static const struct br_cred searcher = {.uid = {1001}, .gid = {1002}, .caps = SEARCH};
static const struct br_cred both_caps = {.uid = {1001}, .gid = {1002}, .caps = SEARCH | OVERRIDE};
static const struct br_cred others_caps = {.uid = {1001},
	.gid = {1002},
	.caps = ~(SEARCH | OVERRIDE)};
static const struct br_cred box_root = BOX_ROOT(OVERRIDE);
static const struct br_cred box_searcher = BOX_ROOT(SEARCH);

// An ID-mapped mount: 0 to 9999 on disk look like 500000 on; groups like 600000 on.
static const struct br_idmap_extent mount_uids[] = {{0, 500000, 10000}};
static const struct br_idmap_extent mount_gids[] = {{0, 600000, 10000}};
static const br_hostid g602000[] = {{602000}};
static const struct br_cred seen = {.uid = {501001}, .gid = {601002}};
static const struct br_cred seen_2000 = {.uid = {501001},
	.gid = {601002},
	.groups = g602000,
	.ngroups = 1};
static const struct br_cred seen_overrider = {.uid = {501001},
	.gid = {601002},
	.caps = OVERRIDE | SEARCH};

// A process whose IDs have no number on the host.
static const struct br_cred nobody = {.uid = {BR_NO_ID}, .gid = {BR_NO_ID}};

static const struct br_where plain;
static const struct br_where read_only = {.read_only = true};
static const struct br_where mapped = {.mount_uids = MAP(mount_uids),
	.mount_gids = MAP(mount_gids)};

struct thing {
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	const char *acl;
	uint32_t attrs;
};

struct row {
	const char *name;
	struct thing on;
	const struct br_cred *cred;
	unsigned want;
	unsigned missing;
	int rule;
	int base;
	// The entry as "tag:id:perm" words, NULL for none.
	const char *entry;
	bool masked;
	// NULL: a plain mount.
	const struct br_where *where;
};

#define SAME(rule) (rule), (rule)

static const struct row rows[] = {
	// Plain modes: the first class that matches, and no other.
	{"owner", {D | 0700, 1001, 0}, &app, RWX, 0, SAME(OWNER)},
	{"owner lacks what others have", {D | 0077, 1001, 0}, &app, RWX, RWX, SAME(OWNER)},
	{"owner lacks one bit", {D | 0500, 1001, 0}, &app, RWX, BR_W, SAME(OWNER)},
	{"group", {D | 0070, 0, 1002}, &app, RWX, 0, SAME(GROUP)},
	{"group lacks what others have", {D | 0707, 0, 1002}, &app, RWX, RWX, SAME(GROUP)},
	{"a supplementary group", {D | 0750, 0, 2000}, &app_2000, RX, 0, SAME(GROUP)},
	{"not in that group", {D | 0750, 0, 2000}, &app_2001, RX, RX, SAME(OTHER)},
	{"other", {D | 0005, 0, 0}, &app, RX, 0, SAME(OTHER)},
	{"other lacks write", {D | 0775, 0, 0}, &app, RWX, BR_W, SAME(OTHER)},
	{"write without search", {D | 0722, 0, 0}, &app, WX, BR_X, SAME(OTHER)},
	{"search alone", {D | 0711, 0, 0}, &app, BR_X, 0, SAME(OTHER)},
	{"nothing is asked", {D | 0000, 0, 0}, &app, 0, 0, SAME(OTHER)},
	{"root without capabilities is nobody special", {D | 0700, 3000, 3000}, &root_bare, BR_R,
		BR_R, SAME(OTHER)},
	{"root without capabilities as owner", {D | 0700, 0, 0}, &root_bare, RWX, 0, SAME(OWNER)},

	// Named users.
	{"a named user", {D | 0770, 0, 0, "u::rwx,u:1001:rwx,g::---,m::rwx,o::---"}, &app, RWX, 0,
		SAME(USER), "u:1001:rwx"},
	{"a named user under a mask", {D | 0750, 0, 0, "u::rwx,u:1001:rwx,g::---,m::r-x,o::---"},
		&app, RWX, BR_W, SAME(USER), "u:1001:rwx", true},
	{"what the mask leaves", {D | 0750, 0, 0, "u::rwx,u:1001:rwx,g::---,m::r-x,o::---"}, &app,
		RX, 0, SAME(USER), "u:1001:rwx"},
	{"a named user without the bit, whatever the mask",
		{D | 0770, 0, 0, "u::rwx,u:1001:r-x,g::---,m::rwx,o::---"}, &app, BR_W, BR_W,
		SAME(USER), "u:1001:r-x"},
	{"a named user with nothing, others with all",
		{D | 0777, 0, 0, "u::rwx,u:1001:---,g::rwx,m::rwx,o::rwx"}, &app, BR_R, BR_R,
		SAME(USER), "u:1001:---"},
	{"a named user comes before the groups",
		{D | 0770, 0, 1002, "u::rwx,u:1001:---,g::rwx,m::rwx,o::---"}, &app, BR_R, BR_R,
		SAME(USER), "u:1001:---"},
	{"another named user", {D | 0775, 0, 0, "u::rwx,u:1003:---,g::---,m::rwx,o::r-x"}, &app, RX,
		0, SAME(OTHER), "o::r-x"},
	{"the second named user",
		{D | 0775, 0, 0, "u::rwx,u:5:---,u:1001:r--,g::---,m::rwx,o::---"}, &app, BR_R, 0,
		SAME(USER), "u:1001:r--"},
	{"the owner never gets to the ACL",
		{D | 0570, 1001, 0, "u::r-x,u:1001:rwx,g::---,m::rwx,o::---"}, &app, RWX, BR_W,
		SAME(OWNER)},

	// An empty mask is an empty group class in the mode, and switches the ACL off.
	{"an empty mask lets a refused user through",
		{D | 0707, 0, 0, "u::rwx,u:1001:---,g::---,m::---,o::rwx"}, &app, RWX, 0,
		SAME(OTHER)},
	{"an empty mask lets a granted user fall to the others",
		{D | 0707, 0, 0, "u::rwx,u:1001:rwx,g::---,m::---,o::rwx"}, &app, RWX, 0,
		SAME(OTHER)},
	{"an empty mask takes a granted user's all",
		{D | 0700, 0, 0, "u::rwx,u:1001:rwx,g::---,m::---,o::---"}, &app, RWX, RWX,
		SAME(OTHER)},
	{"an empty mask lets a refused group through",
		{D | 0707, 0, 0, "u::rwx,g::---,g:2000:---,m::---,o::rwx"}, &app_2000, RWX, 0,
		SAME(OTHER)},
	{"an empty mask keeps the owning group out",
		{D | 0707, 0, 1002, "u::rwx,u:5:rwx,g::rwx,m::---,o::rwx"}, &app, RWX, RWX,
		SAME(GROUP)},
	{"a mask of one bit keeps the ACL on",
		{D | 0717, 0, 0, "u::rwx,u:1001:---,g::---,m::--x,o::rwx"}, &app, RWX, RWX,
		SAME(USER), "u:1001:---"},

	// Groups.
	{"a named group", {D | 0770, 0, 0, "u::rwx,g::---,g:2000:rwx,m::rwx,o::---"}, &app_2000,
		RWX, 0, SAME(GROUPS), "g:2000:rwx"},
	{"not in the named group", {D | 0770, 0, 0, "u::rwx,g::---,g:2000:rwx,m::rwx,o::---"}, &app,
		RWX, RWX, SAME(OTHER), "o::---"},
	{"a named group under a mask", {D | 0750, 0, 0, "u::rwx,g::---,g:2000:rwx,m::r-x,o::---"},
		&app_2000, BR_W, BR_W, SAME(GROUPS), "g:2000:rwx", true},
	{"the owning group under a mask",
		{D | 0750, 0, 1002, "u::rwx,g::rwx,g:2000:rwx,m::r-x,o::---"}, &app, BR_W, BR_W,
		SAME(GROUP), "g::rwx", true},
	{"the owning group's entry, not the mode's mask",
		{D | 0770, 0, 1002, "u::rwx,u:5:rwx,g::r-x,m::rwx,o::---"}, &app, BR_W, BR_W,
		SAME(GROUP), "g::r-x"},
	{"a named group that is fsgid", {D | 0770, 0, 0, "u::rwx,g::---,g:1002:rwx,m::rwx,o::---"},
		&app, RWX, 0, SAME(GROUPS), "g:1002:rwx"},
	{"two groups: the first reads",
		{D | 0770, 0, 0, "u::rwx,g::---,g:2000:r--,g:2001:-w-,m::rwx,o::---"}, &app_both,
		BR_R, 0, SAME(GROUPS), "g:2000:r--"},
	{"two groups: the second writes",
		{D | 0770, 0, 0, "u::rwx,g::---,g:2000:r--,g:2001:-w-,m::rwx,o::---"}, &app_both,
		BR_W, 0, SAME(GROUPS), "g:2001:-w-"},
	{"two groups: no single entry reads and writes",
		{D | 0770, 0, 0, "u::rwx,g::---,g:2000:r--,g:2001:-w-,m::rwx,o::---"}, &app_both,
		RW, RW, SAME(GROUPS)},
	{"two groups: a bit that none has is what is missing",
		{D | 0770, 0, 0, "u::rwx,g::---,g:2000:r--,g:2001:-w-,m::rwx,o::---"}, &app_both,
		RWX, BR_X, SAME(GROUPS)},
	{"owning and named group: neither holds both",
		{D | 0770, 0, 1002, "u::rwx,g::r--,g:2000:-w-,m::rwx,o::rwx"}, &app_2000, RW, RW,
		SAME(GROUPS)},
	{"owning group refuses, named group grants",
		{D | 0770, 0, 1002, "u::rwx,g::---,g:2000:rwx,m::rwx,o::---"}, &app_2000, RWX, 0,
		SAME(GROUPS), "g:2000:rwx"},
	{"owning group grants before a named one",
		{D | 0770, 0, 1002, "u::rwx,g::rwx,g:2000:rwx,m::rwx,o::---"}, &app_2000, RWX, 0,
		SAME(GROUP), "g::rwx"},
	{"a matching group keeps from the others' bits",
		{D | 0777, 0, 0, "u::rwx,g::rwx,g:2000:---,m::rwx,o::rwx"}, &app_2000, BR_R, BR_R,
		SAME(GROUPS), "g:2000:---"},
	{"the owning group's entry keeps from the others' bits",
		{D | 0777, 0, 1002, "u::rwx,u:5:rwx,g::---,m::rwx,o::rwx"}, &app, BR_R, BR_R,
		SAME(GROUP), "g::---"},
	{"others are not masked", {D | 0717, 0, 0, "u::rwx,u:5:rwx,g::---,m::--x,o::rwx"}, &app,
		RWX, 0, SAME(OTHER), "o::rwx"},
	{"a mask without named entries limits the owning group",
		{F | 0640, 0, 1002, "u::rw-,g::rw-,m::r--,o::---"}, &app, RW, BR_W, SAME(GROUP),
		"g::rw-", true},

	// Capabilities over the bits.
	{"the override on a directory", {D | 0000, 0, 0}, &overrider, RWX, 0, BR_RULE_DAC_OVERRIDE,
		OTHER},
	{"the override on a file's read and write", {F | 0000, 0, 0}, &overrider, RW, 0,
		BR_RULE_DAC_OVERRIDE, OTHER},
	{"nobody executes a file without an x", {F | 0666, 0, 0}, &overrider, BR_X, BR_X,
		SAME(OTHER)},
	{"nor with other bits asked for along", {F | 0000, 0, 0}, &overrider, RX, BR_X,
		SAME(OTHER)},
	{"an x of the owner's is enough", {F | 0100, 0, 0}, &overrider, RWX, 0,
		BR_RULE_DAC_OVERRIDE, OTHER},
	{"one of the group's too", {F | 0010, 0, 0}, &overrider, BR_X, 0, BR_RULE_DAC_OVERRIDE,
		OTHER},
	{"one of the others' too, for an owner", {F | 0001, 1001, 0}, &overrider, BR_X, 0,
		BR_RULE_DAC_OVERRIDE, OWNER},
	{"an x in an ACL entry counts by the mask in the mode",
		{F | 0670, 0, 0, "u::rw-,u:1001:rw-,g::---,m::rwx,o::---"}, &overrider, BR_X, 0,
		BR_RULE_DAC_OVERRIDE, USER, "u:1001:rw-"},
	{"the bits grant first, the override stays unnamed", {D | 0777, 0, 0}, &overrider, RWX, 0,
		SAME(OTHER)},
	{"the override over a named user's refusal",
		{D | 0777, 0, 0, "u::rwx,u:1001:---,g::rwx,m::rwx,o::rwx"}, &overrider, BR_W, 0,
		BR_RULE_DAC_OVERRIDE, USER, "u:1001:---"},
	{"the override over a mask is no mask's refusal",
		{D | 0750, 0, 0, "u::rwx,u:1001:rwx,g::---,m::r-x,o::---"}, &overrider, BR_W, 0,
		BR_RULE_DAC_OVERRIDE, USER, "u:1001:rwx"},
	{"read-search lists and searches a directory", {D | 0000, 0, 0}, &searcher, RX, 0,
		BR_RULE_DAC_READ_SEARCH, OTHER},
	{"read-search searches", {D | 0000, 0, 0}, &searcher, BR_X, 0, BR_RULE_DAC_READ_SEARCH,
		OTHER},
	{"read-search does not write", {D | 0000, 0, 0}, &searcher, RWX, BR_W, SAME(OTHER)},
	{"read-search reads a file", {F | 0000, 0, 0}, &searcher, BR_R, 0, BR_RULE_DAC_READ_SEARCH,
		OTHER},
	{"read-search does not execute a file", {F | 0700, 0, 0}, &searcher, BR_X, BR_X,
		SAME(OTHER)},
	{"read by capability and write by bits do not add up on a file", {F | 0002, 0, 0},
		&searcher, RW, RW, SAME(OTHER)},
	{"nor read and execute", {F | 0001, 0, 0}, &searcher, RX, RX, SAME(OTHER)},
	{"nor on a directory", {D | 0002, 0, 0}, &searcher, RW, RW, SAME(OTHER)},
	{"both capabilities: reading is the weaker one's", {D | 0000, 0, 0}, &both_caps, BR_R, 0,
		BR_RULE_DAC_READ_SEARCH, OTHER},
	{"both capabilities: writing is the stronger one's", {D | 0000, 0, 0}, &both_caps, RW, 0,
		BR_RULE_DAC_OVERRIDE, OTHER},
	{"all other capabilities are none of these", {D | 0000, 0, 0}, &others_caps, BR_R, BR_R,
		SAME(OTHER)},
	{"a device is a file", {S_IFCHR | 0000, 0, 0}, &overrider, BR_X, BR_X, SAME(OTHER)},

	// Capabilities of a user namespace.
	{"in a namespace: an unmapped owner and group", {D | 0755, 1001, 1001}, &box_root, RWX,
		BR_W, SAME(OTHER)},
	{"in a namespace: both mapped", {D | 0700, 101001, 201001}, &box_root, RWX, 0,
		BR_RULE_DAC_OVERRIDE, OTHER},
	{"in a namespace: the owner mapped, the group not", {D | 0700, 101001, 0}, &box_root, RWX,
		RWX, SAME(OTHER)},
	{"in a namespace: the group mapped, the owner not", {D | 0700, 0, 201001}, &box_root, RWX,
		RWX, SAME(OTHER)},
	{"in a namespace: a uid's number is not mapped as a group", {D | 0700, 101001, 101001},
		&box_root, RWX, RWX, SAME(OTHER)},
	{"in a namespace: as the owner, the group unmapped", {D | 0700, 2001, 3000}, &box_root, RWX,
		0, SAME(OWNER)},
	{"in a namespace: others' bits of an unmapped one", {D | 0703, 3000, 3000}, &box_root, WX,
		0, SAME(OTHER)},
	{"in a namespace: and those that lack", {D | 0703, 3000, 3000}, &box_root, BR_R, BR_R,
		SAME(OTHER)},
	{"in a namespace: the host group", {D | 0770, 1001, 2001}, &box_root, RWX, 0, SAME(GROUP)},
	{"in a namespace: reading by capability, mapped", {F | 0000, 100000, 200000}, &box_searcher,
		BR_R, 0, BR_RULE_DAC_READ_SEARCH, OTHER},
	{"in a namespace: reading by capability, unmapped", {F | 0000, 0, 0}, &box_searcher, BR_R,
		BR_R, SAME(OTHER)},

	// What surrounds the inode.
	{"a read-only mount", {D | 0777, 0, 0}, &app, RWX, BR_W, BR_RULE_READ_ONLY, OTHER, NULL,
		false, &read_only},
	{"a read-only mount, the owner with all capabilities", {F | 0777, 1001, 0}, &both_caps,
		BR_W, BR_W, BR_RULE_READ_ONLY, OWNER, NULL, false, &read_only},
	{"reading there", {D | 0777, 0, 0}, &app, RX, 0, SAME(OTHER), NULL, false, &read_only},
	{"a device on a read-only mount", {S_IFCHR | 0666, 0, 0}, &app, RW, 0, SAME(OTHER), NULL,
		false, &read_only},
	{"a socket there", {S_IFSOCK | 0666, 0, 0}, &app, BR_W, 0, SAME(OTHER), NULL, false,
		&read_only},
	{"a mask's refusal is not told of a read-only mount",
		{D | 0750, 0, 0, "u::rwx,u:1001:rwx,g::---,m::r-x,o::---"}, &app, BR_W, BR_W,
		BR_RULE_READ_ONLY, USER, "u:1001:rwx", false, &read_only},
	{"immutable", {F | 0666, 1001, 0, NULL, BR_IMMUTABLE}, &both_caps, RW, BR_W,
		BR_RULE_IMMUTABLE, OWNER},
	{"immutable, reading", {F | 0444, 0, 0, NULL, BR_IMMUTABLE}, &app, BR_R, 0, SAME(OTHER)},
	{"immutable, what the bits refuse too", {F | 0000, 0, 0, NULL, BR_IMMUTABLE}, &app, BR_R,
		BR_R, SAME(OTHER)},
	{"read-only comes before immutable", {F | 0666, 0, 0, NULL, BR_IMMUTABLE}, &app, BR_W, BR_W,
		BR_RULE_READ_ONLY, OTHER, NULL, false, &read_only},
	{"append-only lets an appender write", {F | 0666, 0, 0, NULL, BR_APPEND}, &app, RW, 0,
		BR_RULE_APPEND_ONLY, OTHER},
	{"append-only, reading", {F | 0666, 0, 0, NULL, BR_APPEND}, &app, BR_R, 0, SAME(OTHER)},
	{"append-only, refused by the bits", {F | 0644, 0, 0, NULL, BR_APPEND}, &app, BR_W, BR_W,
		SAME(OTHER)},

	// An ID-mapped mount.
	{"mapped mount: the owner", {D | 0700, 1001, 0}, &seen, RWX, 0, SAME(OWNER), NULL, false,
		&mapped},
	{"mapped mount: not who has the number on disk", {D | 0700, 1001, 0}, &app, RWX, RWX,
		SAME(OTHER), NULL, false, &mapped},
	{"mapped mount: nor who has the mapped number on disk", {D | 0705, 501001, 0}, &seen, RX, 0,
		SAME(OTHER), NULL, false, &mapped},
	{"mapped mount: the group", {D | 0070, 0, 2000}, &seen_2000, RWX, 0, SAME(GROUP), NULL,
		false, &mapped},
	{"mapped mount: a named user", {D | 0770, 0, 0, "u::rwx,u:1001:rwx,g::---,m::rwx,o::---"},
		&seen, RWX, 0, SAME(USER), "u:1001:rwx", false, &mapped},
	{"mapped mount: a named group", {D | 0770, 0, 0, "u::rwx,g::---,g:2000:rwx,m::rwx,o::---"},
		&seen_2000, RWX, 0, SAME(GROUPS), "g:2000:rwx", false, &mapped},
	{"mapped mount: a named user outside the map",
		{D | 0770, 0, 0, "u::rwx,u:501001:rwx,g::---,m::rwx,o::---"}, &seen, RWX, RWX,
		SAME(OTHER), "o::---", false, &mapped},
	{"mapped mount: an unmapped owner forbids writing", {D | 0777, 10000, 0}, &seen, RWX, BR_W,
		BR_RULE_UNMAPPED, OTHER, NULL, false, &mapped},
	{"mapped mount: an unmapped group too", {D | 0777, 0, 10000}, &seen, BR_W, BR_W,
		BR_RULE_UNMAPPED, OTHER, NULL, false, &mapped},
	{"mapped mount: but not reading", {D | 0777, 10000, 10000}, &seen, RX, 0, SAME(OTHER), NULL,
		false, &mapped},
	{"mapped mount: no capability over an unmapped owner", {D | 0000, 10000, 0},
		&seen_overrider, RX, RX, SAME(OTHER), NULL, false, &mapped},
	{"mapped mount: nor an unmapped group", {D | 0000, 0, 10000}, &seen_overrider, RX, RX,
		SAME(OTHER), NULL, false, &mapped},
	{"mapped mount: capability over a mapped one", {D | 0000, 0, 0}, &seen_overrider, RWX, 0,
		BR_RULE_DAC_OVERRIDE, OTHER, NULL, false, &mapped},
	{"mapped mount: immutable comes before unmapped", {D | 0777, 10000, 0, NULL, BR_IMMUTABLE},
		&seen, BR_W, BR_W, BR_RULE_IMMUTABLE, OTHER, NULL, false, &mapped},

	{"no ID is not the owner of what no ID owns", {D | 0705, 10000, 0}, &nobody, RX, 0,
		SAME(OTHER), NULL, false, &mapped},
	{"nor in its group", {D | 0705, 0, 10000}, &nobody, RX, 0, SAME(OTHER), NULL, false,
		&mapped},
	{"nor named by an entry for it",
		{D | 0775, 0, 0, "u::rwx,u:10000:---,g::---,g:10000:---,m::rwx,o::r-x"}, &nobody,
		RX, 0, SAME(OTHER), "o::r-x", false, &mapped},

	// Links.
	{"a symbolic link", {S_IFLNK | 0777, 0, 0}, &app, RWX, 0, SAME(OTHER)},
	{"a symbolic link of mode 0 on a read-only mount", {S_IFLNK, 0, 0}, &app, RWX, 0,
		SAME(OTHER), NULL, false, &read_only},
};

static struct br_inode inode_of(struct br_acls *acls, const struct thing *thing) {
	return (struct br_inode){
		.mode = thing->mode,
		.uid = {thing->uid},
		.gid = {thing->gid},
		.attrs = thing->attrs,
		.have = BR_HAVE_ACL,
		.acl = acl_of_words(acls, thing->acl),
	};
}

static bool same_entry(const struct br_acl_entry *entry, const char *words) {
	char copy[64];
	if (!entry || !words) {
		return !entry && !words;
	}
	(void)snprintf(copy, sizeof(copy), "%s", words);
	struct br_acl_entry e = entry_of_word(copy);
	return e.tag == entry->tag && e.perm == entry->perm && e.id.v == entry->id.v;
}

static void test_rows(void **state) {
	struct br_acls *acls = *state;
	for (size_t i = 0; i < N(rows); i++) {
		const struct row *row = &rows[i];
		struct br_inode inode = inode_of(acls, &row->on);
		struct br_verdict v =
			br_access(&inode, row->cred, row->where ? row->where : &plain, row->want);
		if (v.missing != row->missing || (int)v.rule != row->rule
			|| (int)v.base != row->base || v.masked != row->masked
			|| !same_entry(v.entry, row->entry)) {
			fail_msg("%s: missing %u, %s over %s%s%s", row->name, v.missing,
				br_rule_name(v.rule), br_rule_name(v.base),
				v.entry ? ", an entry" : "", v.masked ? ", masked" : "");
		}
	}
}

// What is had one by one does not depend on what is asked for, and is what single questions answer.
static void test_have(void **state) {
	struct br_acls *acls = *state;
	for (size_t i = 0; i < N(rows); i++) {
		const struct row *row = &rows[i];
		const struct br_where *where = row->where ? row->where : &plain;
		struct br_inode inode = inode_of(acls, &row->on);
		unsigned have = 0;
		for (unsigned bit = 1; bit <= 4; bit <<= 1) {
			have |= br_access(&inode, row->cred, where, bit).missing ? 0 : bit;
		}
		for (unsigned want = 0; want < 8; want++) {
			if (br_access(&inode, row->cred, where, want).have != have) {
				fail_msg("%s: want %u", row->name, want);
			}
		}
	}
}

static const struct br_cred *const creds[] = {&app, &app_2000, &app_2001, &app_both, &app_3000,
	&root_bare, &overrider, &searcher, &both_caps, &box_root, &box_searcher};

// The answer about `want` as far as it may depend on the ACL.
static unsigned answer(const struct br_inode *inode, const struct br_cred *cred, unsigned want) {
	struct br_verdict v = br_access(inode, cred, &plain, want);
	return (v.have & want) << 3 | v.missing;
}

// Room for one ACL: a user, the owning group, a group, a mask.
static struct br_acl *room;

// Whether any of the ACLs that agree with this mode gives another answer than the mode alone: one
// that names this very user, with every permission; and one that does not, with every permission of
// the owning group and of a group of the user's.
static bool differs_somewhere(
	struct br_inode inode, const struct br_cred *cred, unsigned want, unsigned without) {
	uint16_t bits[] = {inode.mode >> 6 & 7, inode.mode >> 3 & 7, inode.mode & 7};
	br_hostid none = {BR_NO_ID};
	br_hostid group = cred->ngroups ? cred->groups[0] : cred->gid;
	inode.acl = room;
	room->n = 6;
	room->entries[0] = (struct br_acl_entry){BR_ACL_OWNER, bits[0], none};
	room->entries[4] = (struct br_acl_entry){BR_ACL_MASK, bits[1], none};
	room->entries[5] = (struct br_acl_entry){BR_ACL_OTHER, bits[2], none};
	for (uint16_t i = 0; i < 8 + 64; i++) {
		bool named = i < 8;
		br_hostid user = {named ? cred->uid.v : 99999};
		room->entries[1] = (struct br_acl_entry){BR_ACL_USER, i & 7, user};
		room->entries[2] =
			(struct br_acl_entry){BR_ACL_OWNING_GROUP, (i - 8) >> 3 & 7, none};
		room->entries[3] = (struct br_acl_entry){BR_ACL_GROUP, i & 7, group};
		if (answer(&inode, cred, want) != without) {
			return true;
		}
	}
	return false;
}

static void check_needs(const struct br_inode *inode, const struct br_cred *cred, unsigned want) {
	unsigned without = answer(inode, cred, want);
	bool needs = br_access_needs_acl(inode, cred, want);
	if (differs_somewhere(*inode, cred, want, without) != needs) {
		fail_msg("mode %o, %u:%u by %u, caps %lx, want %u: %d", inode->mode, inode->uid.v,
			inode->gid.v, cred->uid.v, (unsigned long)cred->caps, want, needs);
	}
}

// Exact both ways: never false where some ACL would change the answer, never true where none would.
static void test_needs_acl(void **state) {
	(void)state;
	static const uint32_t ids[][2] = {
		{1001, 1002}, {0, 1002}, {0, 2001}, {101001, 201001}, {7, 7}};
	static const uint32_t owners[] = {0, 0100, 0700};
	for (size_t c = 0; c < N(creds); c++) {
		for (unsigned i = 0; i < N(ids) * 2 * N(owners) * 64; i++) {
			const uint32_t *id = ids[i / 64 / 6];
			struct br_inode inode = {
				.mode = (i / 64 % 2 ? D : F) | owners[i / 128 % 3] | i % 64,
				.uid = {id[0]},
				.gid = {id[1]},
				.attrs = i / 64 % 6 == 5 ? BR_IMMUTABLE : 0,
				.have = BR_HAVE_ACL,
			};
			for (unsigned want = 1; want < 8; want++) {
				check_needs(&inode, creds[c], want);
			}
		}
	}
}

struct needs_row {
	const char *name;
	struct thing on;
	const struct br_cred *cred;
	unsigned want;
	bool needs;
};

static void test_needs_rows(void **state) {
	static const struct needs_row list[] = {
		{"the owner's bits decide", {F | 0670, 1001, 0}, &app, BR_R, false},
		{"an empty group class switches ACLs off", {F | 0704, 0, 0}, &app, BR_R, false},
		{"a mask that lacks the bit refuses as others do", {F | 0740, 0, 0}, &app, BR_W,
			false},
		{"a mask that lacks the bit, others that have it", {F | 0746, 0, 0}, &app, BR_W,
			true},
		{"a named user could be let in", {F | 0740, 0, 0}, &app, BR_R, true},
		{"a named user could be kept out", {F | 0744, 0, 0}, &app, BR_R, true},
		{"the group's bits might be a mask", {F | 0740, 0, 1002}, &app, BR_R, true},
		{"a capability overrides any ACL", {D | 0777, 0, 0}, &overrider, RWX, false},
		{"but not for a file without any x", {F | 0660, 0, 0}, &overrider, BR_X, false},
		{"an x makes it overridable", {F | 0670, 0, 0}, &overrider, BR_X, false},
		{"reading is overridden, writing is not", {D | 0770, 0, 0}, &searcher, RW, true},
		{"no link has an ACL", {S_IFLNK | 0777, 0, 0}, &app, RWX, false},
	};
	for (size_t i = 0; i < N(list); i++) {
		struct br_inode inode = inode_of(*state, &list[i].on);
		if (br_access_needs_acl(&inode, list[i].cred, list[i].want) != list[i].needs) {
			fail_msg("%s", list[i].name);
		}
	}
}

struct delete_row {
	const char *name;
	struct thing dir;
	struct thing victim;
	const struct br_cred *cred;
	bool may;
	bool sticky;
	const struct br_where *where;
};

static const struct br_cred fowner = {.uid = {1001}, .gid = {1002}, .caps = BIT(CAP_FOWNER)};
static const struct br_cred box_fowner = BOX_ROOT(BIT(CAP_FOWNER));

static const struct delete_row deletes[] = {
	{"write and search", {D | 0703, 0, 0}, {F | 0000, 0, 0}, &app, true, false},
	{"write without search", {D | 0702, 0, 0}, {F | 0777, 1001, 0}, &app, false, false},
	{"search without write", {D | 0701, 0, 0}, {F | 0777, 1001, 0}, &app, false, false},
	{"sticky: the entry's owner", {D | 01777, 0, 0}, {F | 0, 1001, 0}, &app, true, false},
	{"sticky: the directory's owner", {D | 01777, 1001, 0}, {F | 0, 0, 0}, &app, true, false},
	{"sticky: somebody else", {D | 01777, 0, 0}, {F | 0777, 0, 0}, &app, false, true},
	{"sticky: CAP_FOWNER", {D | 01777, 0, 0}, {F | 0, 0, 0}, &fowner, true, false},
	{"sticky: the override is not enough", {D | 01777, 0, 0}, {F | 0, 0, 0}, &overrider, false,
		true},
	{"sticky: the group does not count", {D | 01777, 0, 1002}, {F | 0, 0, 1002}, &app, false,
		true},
	{"sticky: on the entry it means nothing", {D | 0777, 0, 0}, {D | 01777, 0, 0}, &app, true,
		false},
	{"sticky, but refused by the bits", {D | 01775, 0, 0}, {F | 0, 0, 0}, &app, false, false},
	{"the override", {D | 0000, 0, 0}, {F | 0, 0, 0}, &overrider, true, false},
	{"read-search does not write", {D | 0000, 0, 0}, {F | 0, 0, 0}, &searcher, false, false},
	{"in a namespace: CAP_FOWNER over a mapped entry", {D | 01777, 0, 0},
		{F | 0, 100005, 200005}, &box_fowner, true, false},
	{"in a namespace: over an unmapped one", {D | 01777, 100005, 200005}, {F | 0, 0, 200005},
		&box_fowner, false, true},
	{"in a namespace: over one whose group is unmapped", {D | 01777, 100005, 200005},
		{F | 0, 100005, 0}, &box_fowner, false, true},
	{"a read-only mount", {D | 0777, 0, 0}, {F | 0, 1001, 0}, &app, false, false, &read_only},
	{"an append-only directory", {D | 0777, 1001, 0, NULL, BR_APPEND}, {F | 0, 1001, 0}, &app,
		false, false},
	{"an immutable directory", {D | 0777, 1001, 0, NULL, BR_IMMUTABLE}, {F | 0, 1001, 0}, &app,
		false, false},
	{"an append-only entry", {D | 0777, 1001, 0}, {F | 0, 1001, 0, NULL, BR_APPEND}, &app,
		false, false},
	{"an immutable entry", {D | 0777, 1001, 0}, {F | 0, 1001, 0, NULL, BR_IMMUTABLE}, &app,
		false, false},
	{"mapped mount: the entry's owner", {D | 01777, 0, 0}, {F | 0, 1001, 0}, &seen, true, false,
		&mapped},
	{"mapped mount: an unmapped entry", {D | 0777, 0, 0}, {F | 0, 10000, 0}, &seen, false,
		false, &mapped},
	{"mapped mount: an entry of an unmapped group", {D | 0777, 0, 0}, {F | 0, 0, 10000}, &seen,
		false, false, &mapped},
	{"mapped mount: an unmapped directory", {D | 0777, 10000, 0}, {F | 0, 1001, 0}, &seen,
		false, false, &mapped},
	{"an ACL of the directory", {D | 0770, 0, 0, "u::rwx,u:1001:-wx,g::---,m::rwx,o::---"},
		{F | 0, 0, 0}, &app, true, false},
};

static void test_delete(void **state) {
	for (size_t i = 0; i < N(deletes); i++) {
		const struct delete_row *row = &deletes[i];
		struct br_inode dir = inode_of(*state, &row->dir);
		struct br_inode victim = inode_of(*state, &row->victim);
		bool sticky = !row->sticky;
		bool may = br_access_delete(
			&dir, &victim, row->cred, row->where ? row->where : &plain, &sticky);
		if (may != row->may || sticky != row->sticky) {
			fail_msg("%s: %d, sticky %d", row->name, may, sticky);
		}
	}
}

// fs/namei.c, may_create_in_sticky(): levels at which an existing file is kept from O_CREAT.
static const struct {
	const char *name;
	struct thing dir;
	struct thing file;
	bool kept[3];
} kept[] = {
	{"a foreign file in /tmp", {D | 01777, 0, 0}, {F | 0666, 1002, 0}, {false, true, true}},
	{"not sticky", {D | 0777, 0, 0}, {F | 0666, 1002, 0}, {false, false, false}},
	{"the group's", {D | 01770, 0, 0}, {F | 0666, 1002, 0}, {false, false, true}},
	{"nobody else's", {D | 01755, 0, 0}, {F | 0666, 1002, 0}, {false, false, false}},
	{"one's own file", {D | 01777, 0, 0}, {F | 0666, 1001, 0}, {false, false, false}},
	{"the directory's owner's", {D | 01777, 1002, 0}, {F | 0666, 1002, 0},
		{false, false, false}},
	{"no regular file", {D | 01777, 0, 0}, {D | 0777, 1002, 0}, {false, false, false}},
};

static void test_protected(void **state) {
	for (size_t i = 0; i < N(kept); i++) {
		struct br_inode dir = inode_of(*state, &kept[i].dir);
		struct br_inode file = inode_of(*state, &kept[i].file);
		for (unsigned level = 0; level < 3; level++) {
			if (br_access_protected(&dir, &file, &app, &plain, level)
				!= kept[i].kept[level]) {
				fail_msg("%s, level %u", kept[i].name, level);
			}
		}
	}
}

static void test_names(void **state) {
	(void)state;
	for (int a = 0; a <= BR_RULE_SERVER; a++) {
		const char *name = br_rule_name((enum br_rule)a);
		assert_non_null(name);
		for (int b = 0; b < a; b++) {
			assert_string_not_equal(name, br_rule_name((enum br_rule)b));
		}
	}
	assert_string_equal(br_rule_name(BR_RULE_ACL_USER), "acl-user");
	assert_string_equal(br_rule_name(BR_RULE_DAC_OVERRIDE), "cap-dac-override");
}

static int set_up(void **state) {
	room = malloc(sizeof(*room) + 6 * sizeof(room->entries[0]));
	*state = br_acls_new();
	return *state && room ? 0 : -1;
}

static int tear_down(void **state) {
	br_acls_free(*state);
	free(room);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_have),
		cmocka_unit_test(test_needs_acl),
		cmocka_unit_test(test_needs_rows),
		cmocka_unit_test(test_delete),
		cmocka_unit_test(test_protected),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
