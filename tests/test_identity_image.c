// Who a container is where its image has a say. What is expected was measured with docker 20.10
// and 26.1 (what names, numbers and groups give), or is the promise of identity.h.
#include "identity_world.h"

#include <support/fault.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	GROUPS_MAX = 8,
};

// ---- images ----

static const char *const nobody[] = {NULL};
static const char *const of_app[] = {"app", NULL};
static const char *const of_app_root[] = {"app", "root", NULL};
static const char *const of_root[] = {"root", NULL};
static const char *const of_nameless[] = {"", NULL};

static const struct br_image_user base_users[] = {
	{.name = "root"},
	{.name = "app", .uid = 1001, .gid = 1002},
	{.name = "svc", .uid = 1005, .gid = 1005},
	{.name = "twin", .uid = 1001, .gid = 22},
	{.name = "weird", .uid = 0, .gid = 1, .malformed = true},
	{.name = "1005", .uid = 5555, .gid = 5556},
	{.name = "", .uid = 1060, .gid = 1061},
	{.name = "1e3", .uid = 77, .gid = 78},
};
static const struct br_image_group base_groups[] = {
	{.name = "root", .members = nobody},
	{.name = "wheel", .gid = 10, .members = of_root},
	{.name = "app", .gid = 1002, .members = nobody},
	{.name = "extra", .gid = 2000, .members = of_app},
	{.name = "media", .gid = 2001, .members = of_app_root},
	{.name = "extra", .gid = 2999, .members = nobody},
	{.name = "odd", .gid = 0, .members = nobody, .malformed = true},
	{.name = "7000", .gid = 7001, .members = nobody},
	{.name = "none", .gid = 3000, .members = of_nameless},
};

#define BASE \
	.accounts_complete = true, .users = base_users, .nusers = COUNT(base_users), \
	.groups = base_groups, .ngroups = COUNT(base_groups)

static const struct br_image_user made_users[] = {
	{.name = "stated", .uid = 1001, .gid = 1001},
	{.name = "given", .uid = 1000, .gid = 1000, .allocated = true},
	{.name = "grouped", .uid = 1003, .gid_unknown = true},
};
static const struct br_image_group made_groups[] = {
	{.name = "stated", .gid = 1001, .members = nobody},
	{.name = "given", .gid = 1000, .members = nobody, .allocated = true},
};

#define MADE \
	.users = made_users, .nusers = COUNT(made_users), .groups = made_groups, \
	.ngroups = COUNT(made_groups)

static const struct br_image archive = {
	BASE, .origin = BR_IMAGE_ARCHIVE, .from = "x.tar", .user = {.s = ""}};
static const struct br_image bare = {.origin = BR_IMAGE_ARCHIVE,
	.from = "x.tar",
	.user = {.s = ""},
	.accounts_complete = true,
	.no_passwd = true,
	.no_group = true};
static const struct br_image engine = {.origin = BR_IMAGE_ENGINE,
	.from = "/run/docker.sock",
	.user = {.s = "1001"}};
static const struct br_image made = {
	MADE, .origin = BR_IMAGE_DOCKERFILE, .from = "Dockerfile", .user = {.s = "stated"}};
static const struct br_image made_whole = {MADE, .origin = BR_IMAGE_DOCKERFILE,
	.from = "Dockerfile", .accounts_complete = true, .user = {.s = "given"}};
static const struct br_image depends = {.origin = BR_IMAGE_DOCKERFILE,
	.from = "Dockerfile",
	.unknown = "it depends on build arg WHO"};
static const struct br_image known = {.origin = BR_IMAGE_KNOWN,
	.from = "known images (x, 2025; source)",
	.user = {.s = "8983:8983"}};
static const struct br_image nothing = {0};

// ---- words ----

struct row {
	const char *name;
	const struct br_image *image;
	/** The image's USER where it is not the image's own, and compose's. */
	const char *image_user;
	const char *user;
	const char *add[4];
	enum br_confidence confidence;
	uint32_t uid;
	uint32_t gid;
	size_t ngroups;
	uint32_t groups[GROUPS_MAX];
	bool unsure;
	const char *account;
	size_t warnings;
	/** What `why` holds. */
	const char *why;
};

#define NO_USER "the image has no user '"
#define NO_GROUP "the image has no group '"
#define ALL_OF_APP \
	3, { \
		1002, 2000, 2001 \
	}
#define ALL_OF_ROOT \
	3, { \
		0, 10, 2001 \
	}

static const struct row rows[] = {
	{"I1 name", &archive, NULL, "app", {0}, BR_CERTAIN, 1001, 1002, ALL_OF_APP, false, "app", 0,
		NULL},
	{"I2 uid with a line", &archive, NULL, "1001", {0}, BR_CERTAIN, 1001, 1002, ALL_OF_APP,
		false, "app", 0, NULL},
	{"I3 uid without", &archive, NULL, "1234", {0}, BR_CERTAIN, 1234, 0, 1, {0}, false, NULL, 0,
		NULL},
	{"I4 named group", &archive, NULL, "app:extra", {0}, BR_CERTAIN, 1001, 2000, 1, {2000},
		false, "app", 0, NULL},
	{"I4 name, number", &archive, NULL, "app:2000", {0}, BR_CERTAIN, 1001, 2000, 1, {2000},
		false, "app", 0, NULL},
	{"I4 number, name", &archive, NULL, "1001:media", {0}, BR_CERTAIN, 1001, 2001, 1, {2001},
		false, "app", 0, NULL},
	{"I4 its own group", &archive, NULL, "1001:1002", {0}, BR_CERTAIN, 1001, 1002, 1, {1002},
		false, "app", 0, NULL},
	{"I5 group unknown", &archive, NULL, "1001:3333", {0}, BR_CERTAIN, 1001, 3333, 1, {3333},
		false, "app", 0, NULL},
	{"I6 only a group", &archive, NULL, ":extra", {0}, BR_CERTAIN, 0, 2000, 1, {2000}, false,
		"root", 1, NULL},
	{"I7 trailing colon", &archive, NULL, "app:", {0}, BR_CERTAIN, 1001, 1002, ALL_OF_APP,
		false, "app", 1, NULL},
	{"I8 a colon", &archive, NULL, ":", {0}, BR_CERTAIN, 0, 0, ALL_OF_ROOT, false, "root", 1,
		NULL},
	{"I9 no such name", &archive, NULL, "nosuch", {0}, BR_UNKNOWN, 0, 0, 0, {0}, false, NULL, 0,
		NO_USER "nosuch': the engine will refuse"},
	{"I10 no such group", &archive, NULL, "app:nogrp", {0}, BR_UNKNOWN, 0, 0, 0, {0}, false,
		NULL, 0, NO_GROUP "nogrp': the engine will refuse"},
	{"I11 zeros", &archive, NULL, "01001", {0}, BR_CERTAIN, 1001, 1002, ALL_OF_APP, false,
		"app", 1, NULL},
	{"I11 a case of its own", &archive, NULL, "APP", {0}, BR_UNKNOWN, 0, 0, 0, {0}, false, NULL,
		0, NO_USER "APP'"},
	{"I11 third field", &archive, NULL, "app:extra:x", {0}, BR_CERTAIN, 1001, 2000, 1, {2000},
		false, "app", 1, NULL},
	{"I11 looks like a number", &archive, NULL, "1e3", {0}, BR_CERTAIN, 77, 78, 1, {78}, false,
		"1e3", 1, NULL},
	{"I12 the image's name", &archive, "app", NULL, {0}, BR_CERTAIN, 1001, 1002, ALL_OF_APP,
		false, "app", 0, NULL},
	{"I12 the image's uid", &archive, "1001", NULL, {0}, BR_CERTAIN, 1001, 1002, ALL_OF_APP,
		false, "app", 0, NULL},
	{"I12 the image's pair", &archive, "1001:2000", NULL, {0}, BR_CERTAIN, 1001, 2000, 1,
		{2000}, false, "app", 0, NULL},
	{"I12 the image's group", &archive, ":2000", NULL, {0}, BR_CERTAIN, 0, 2000, 1, {2000},
		false, "root", 0, NULL},
	{"I12 missing in it", &archive, "nosuch", NULL, {0}, BR_UNKNOWN, 0, 0, 0, {0}, false, NULL,
		0, NO_USER "nosuch'"},
	{"I12 too large in it", &archive, "2147483648", NULL, {0}, BR_UNKNOWN, 0, 0, 0, {0}, false,
		NULL, 0, "the engine will refuse"},
	{"I12 too large a group in it", &archive, "app:-1", NULL, {0}, BR_UNKNOWN, 0, 0, 0, {0},
		false, NULL, 0, "the engine will refuse"},
	{"I12 compose overrides", &archive, "app", "0", {0}, BR_CERTAIN, 0, 0, ALL_OF_ROOT, false,
		"root", 0, NULL},
	{"I12 an empty word does not", &archive, "app", "", {0}, BR_CERTAIN, 1001, 1002, ALL_OF_APP,
		false, "app", 0, NULL},
	{"I13 neither", &archive, NULL, NULL, {0}, BR_CERTAIN, 0, 0, ALL_OF_ROOT, false, "root", 0,
		NULL},
	{"I14 root's pair", &archive, NULL, "0:0", {0}, BR_CERTAIN, 0, 0, 1, {0}, false, "root", 0,
		NULL},
	{"I15 a number", &archive, NULL, "app", {"44"}, BR_CERTAIN, 1001, 1002, 4,
		{44, 1002, 2000, 2001}, false, "app", 0, NULL},
	{"I15 a name", &archive, NULL, "app", {"wheel"}, BR_CERTAIN, 1001, 1002, 4,
		{10, 1002, 2000, 2001}, false, "app", 0, NULL},
	{"I15 beside a pair", &archive, NULL, "1001:1002", {"media", "44"}, BR_CERTAIN, 1001, 1002,
		3, {44, 1002, 2001}, false, "app", 0, NULL},
	{"I15 the first line of a name", &archive, NULL, "1234:5", {"extra"}, BR_CERTAIN, 1234, 5,
		2, {5, 2000}, false, NULL, 0, NULL},
	{"I15 missing", &archive, NULL, "1001:1002", {"nogrp"}, BR_UNKNOWN, 0, 0, 0, {0}, false,
		NULL, 0, "group_add names 'nogrp'"},
	{"I15 malformed", &archive, NULL, "1234:5", {"odd"}, BR_CERTAIN, 1234, 5, 2, {0, 5}, false,
		NULL, 1, NULL},
	{"a name after its number is not found again", &archive, NULL, "1234:5", {"2001", "media"},
		BR_UNKNOWN, 0, 0, 0, {0}, false, NULL, 0,
		"group_add names 'media' after its number"},
	{"the same name twice: the next line of it", &archive, NULL, "1234:5", {"extra", "extra"},
		BR_CERTAIN, 1234, 5, 3, {5, 2000, 2999}, false, NULL, 0, NULL},
	{"the same name thrice: none is left", &archive, NULL, "1234:5",
		{"extra", "extra", "extra"}, BR_UNKNOWN, 0, 0, 0, {0}, false, NULL, 0,
		"group_add names 'extra' after its number"},
	{"a group named like a number", &archive, NULL, "1234:5", {"7000"}, BR_CERTAIN, 1234, 5, 2,
		{5, 7001}, false, NULL, 0, NULL},
	{"I17 a uid without files", &bare, NULL, "1001", {0}, BR_CERTAIN, 1001, 0, 1, {0}, false,
		NULL, 0, NULL},
	{"I17 a pair without files", &bare, NULL, "1001:2000", {0}, BR_CERTAIN, 1001, 2000, 1,
		{2000}, false, NULL, 0, NULL},
	{"I17 even root", &bare, NULL, "root", {0}, BR_UNKNOWN, 0, 0, 0, {0}, false, NULL, 0,
		NO_USER "root'"},
	{"I17 root's group", &bare, NULL, "1001:root", {0}, BR_UNKNOWN, 0, 0, 0, {0}, false, NULL,
		0, NO_GROUP "root'"},
	{"I17 nothing at all", &bare, NULL, NULL, {0}, BR_CERTAIN, 0, 0, 1, {0}, false, NULL, 0,
		NULL},
	{"I18 the second by name", &archive, NULL, "twin", {0}, BR_CERTAIN, 1001, 22, 1, {22},
		false, "twin", 0, NULL},
	{"I19 a number is no name", &archive, NULL, "1005", {0}, BR_CERTAIN, 1005, 1005, 1, {1005},
		false, "svc", 0, NULL},
	{"I20 a group's name is a gid", &archive, NULL, "1234:7000", {0}, BR_CERTAIN, 1234, 7000, 1,
		{7000}, true, NULL, 1, NULL},
	{"I21 malformed is root", &archive, NULL, "weird", {0}, BR_CERTAIN, 0, 1, 1, {1}, false,
		"weird", 1, NULL},
	{"I21 a malformed group is 0", &archive, NULL, "app:odd", {0}, BR_CERTAIN, 1001, 0, 1, {0},
		false, "app", 1, NULL},
	{"I21 a line without a name", &archive, NULL, "1060", {0}, BR_CERTAIN, 1060, 1061, 1,
		{1061}, false, NULL, 0, NULL},

	{"engine: accounts are not known", &engine, NULL, NULL, {0}, BR_ASSUMED, 1001, 0, 1, {0},
		true, NULL, 0, NULL},
	{"engine: a pair", &engine, "5:6", NULL, {0}, BR_CERTAIN, 5, 6, 1, {6}, false, NULL, 0,
		NULL},
	{"engine: a name", &engine, "app", NULL, {0}, BR_UNKNOWN, 0, 0, 0, {0}, false, NULL, 0,
		"is a name, which only the image knows"},
	{"engine: none", &engine, "", NULL, {0}, BR_ASSUMED, 0, 0, 1, {0}, true, NULL, 0, NULL},

	{"Dockerfile: stated", &made, NULL, NULL, {0}, BR_DERIVED, 1001, 1001, 1, {1001}, true,
		"stated", 0, NULL},
	{"Dockerfile: pair of names", &made, "stated:stated", NULL, {0}, BR_DERIVED, 1001, 1001, 1,
		{1001}, false, "stated", 0, NULL},
	{"Dockerfile: numbered on an unknown base", &made, "given", NULL, {0}, BR_ASSUMED, 1000,
		1000, 1, {1000}, true, "given", 0, NULL},
	{"Dockerfile: numbered on a known base", &made_whole, NULL, NULL, {0}, BR_DERIVED, 1000,
		1000, 1, {1000}, false, "given", 0, NULL},
	{"Dockerfile: the group's number was given", &made, "stated:given", NULL, {0}, BR_ASSUMED,
		1001, 1000, 1, {1000}, false, "stated", 0, NULL},
	{"Dockerfile: primary group by a base's name", &made, "grouped", NULL, {0}, BR_UNKNOWN, 0,
		0, 0, {0}, false, NULL, 0, "the primary group of 'grouped'"},
	{"Dockerfile: it does not matter then", &made, "grouped:5", NULL, {0}, BR_DERIVED, 1003, 5,
		1, {5}, false, "grouped", 0, NULL},
	{"Dockerfile: a name of the base", &made, "www-data", NULL, {0}, BR_UNKNOWN, 0, 0, 0, {0},
		false, NULL, 0, "only its base image can know"},
	{"Dockerfile: the base is known to lack it", &made_whole, "www-data", NULL, {0}, BR_UNKNOWN,
		0, 0, 0, {0}, false, NULL, 0, NO_USER "www-data'"},
	{"Dockerfile: numbers", &made, "7:8", NULL, {0}, BR_DERIVED, 7, 8, 1, {8}, false, NULL, 0,
		NULL},
	{"Dockerfile: compose's numbers are compose's", &made, NULL, "7:8", {0}, BR_CERTAIN, 7, 8,
		1, {8}, false, NULL, 0, NULL},
	{"Dockerfile: compose's name", &made, NULL, "stated", {0}, BR_DERIVED, 1001, 1001, 1,
		{1001}, true, "stated", 0, NULL},
	{"Dockerfile: a variable", &depends, NULL, NULL, {0}, BR_UNKNOWN, 0, 0, 0, {0}, false, NULL,
		0, "it depends on build arg WHO"},
	{"Dockerfile: a group to add that only the base knows", &made, NULL, "7:8", {"audio"},
		BR_CERTAIN, 7, 8, 1, {8}, true, NULL, 1, NULL},
	{"known", &known, NULL, NULL, {0}, BR_DERIVED, 8983, 8983, 1, {8983}, false, NULL, 0, NULL},
	{"nothing known", &nothing, NULL, NULL, {0}, BR_UNKNOWN, 0, 0, 0, {0}, false, NULL, 0,
		"so the image decides"},
};

static void set_up_with(struct fixture *f, const struct br_image *image) {
	set_up(f);
	f->image = *image;
	f->options.images = &f->image;
}

static bool fits(const struct row *row, const struct br_identity *id) {
	bool same = id->confidence == row->confidence && id->ngroups == row->ngroups
		&& is_same(id->account, row->account) && !id->drops_to;
	if (row->confidence == BR_UNKNOWN) {
		bool refused = strstr(row->why, "will refuse") || strstr(row->why, "has no")
			|| strstr(row->why, "group_add");
		// There is nothing to pin where the engine will refuse.
		return same && id->why && strstr(id->why, row->why) && !id->pin == refused;
	}
	for (size_t i = 0; same && i < row->ngroups; i++) {
		same = id->groups[i].v == row->groups[i] && id->cred.groups[i].v == row->groups[i];
	}
	return same && id->uid.v == row->uid && id->gid.v == row->gid && id->cred.uid.v == row->uid
		&& id->cred.gid.v == row->gid && id->groups_unsure == row->unsure && !id->why
		&& (id->cred.caps != 0) == (row->uid == 0);
}

static void words(void **state) {
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct fixture f;
		set_up_with(&f, row->image);
		f.image.user.s = row->image_user ? row->image_user : f.image.user.s;
		f.boxes[0].user.s = row->user;
		f.boxes[0].group_add = f.words;
		while (f.boxes[0].ngroup_add < 4 && row->add[f.boxes[0].ngroup_add]) {
			f.words[f.boxes[0].ngroup_add].s = row->add[f.boxes[0].ngroup_add];
			f.boxes[0].ngroup_add++;
		}
		const struct br_identity *id = identify(&f);
		if (!id || !fits(row, id)) {
			fail_msg("%s: %u:%u %s", row->name, id ? id->uid.v : 0, id ? id->gid.v : 0,
				id && id->why ? id->why : "");
		}
		if (br_diags_errors(f.dx) || br_diags_count(f.dx) != row->warnings) {
			fail_msg("%s: %zu messages", row->name, br_diags_count(f.dx));
		}
		tear_down(&f);
	}
}

static void steps_say_where_from(void **state) {
	(void)state;
	struct fixture f;
	set_up_with(&f, &archive);
	f.image.user.s = "app";
	const struct br_identity *id = identify(&f);
	assert_non_null(id);
	static const struct {
		const char *field, *from, *text, *where;
	} expected[] = {
		{"uid", "image archive", "app", "x.tar"},
		{"uid", "image archive", "app", "x.tar: /etc/passwd"},
		{"gid", "image archive", "app", "x.tar: /etc/passwd"},
		{"groups", "image archive", "extra", "x.tar: /etc/group"},
		{"groups", "image archive", "media", "x.tar: /etc/group"},
		{"capabilities", "engine default", NULL, NULL},
	};
	assert_int_equal(id->norigins, COUNT(expected));
	for (size_t i = 0; i < COUNT(expected); i++) {
		assert_string_equal(id->origins[i].field, expected[i].field);
		assert_string_equal(id->origins[i].from, expected[i].from);
		assert_true(is_same(id->origins[i].text.s, expected[i].text));
		assert_true(is_same(id->origins[i].where, expected[i].where));
	}
	tear_down(&f);
}

// ---- images that drop ----

static const struct br_image_drop plain = {.uid = 999,
	.gid = 998,
	.source = "x",
	.certainty = "source"};
static const struct br_image_drop chosen = {.uid = 911,
	.gid = 911,
	.chowns = true,
	.uid_variable = "PUID",
	.gid_variable = "PGID",
	.source = "x",
	.certainty = "unconfirmed"};

struct drop_row {
	const char *name;
	const struct br_image_drop *drop;
	const char *user;
	const char *environment[3];
	const char *image_environment[2];
	const char *cap_drop;
	const char *cap_add;
	bool entrypoint;
	bool pin;
	/** BR_NO_ID: it stays who it is. */
	uint32_t uid;
	uint32_t gid;
	enum br_confidence confidence;
};

static const struct drop_row drop_rows[] = {
	{"drops", &plain, NULL, {0}, {0}, NULL, NULL, false, false, 999, 998, BR_DERIVED},
	{"from root's number, too", &plain, "0:0", {0}, {0}, NULL, NULL, false, false, 999, 998,
		BR_DERIVED},
	{"not from a user", &plain, "5:6", {0}, {0}, NULL, NULL, false, false, BR_NO_ID, 0,
		BR_UNKNOWN},
	{"not with another entrypoint", &plain, NULL, {0}, {0}, NULL, NULL, true, false, BR_NO_ID,
		0, BR_UNKNOWN},
	{"not who is pinned", &plain, NULL, {0}, {0}, NULL, NULL, false, true, BR_NO_ID, 0,
		BR_UNKNOWN},
	{"not without capabilities", &plain, NULL, {0}, {0}, "ALL", NULL, false, false, BR_NO_ID, 0,
		BR_UNKNOWN},
	{"not with one of two", &plain, NULL, {0}, {0}, "ALL", "SETUID", false, false, BR_NO_ID, 0,
		BR_UNKNOWN},
	{"not without SETUID", &plain, NULL, {0}, {0}, "SETUID", NULL, false, false, BR_NO_ID, 0,
		BR_UNKNOWN},
	{"other capabilities do not matter", &plain, NULL, {0}, {0}, "DAC_OVERRIDE", NULL, false,
		false, 999, 998, BR_DERIVED},
	{"variables unset", &chosen, NULL, {0}, {0}, NULL, NULL, false, false, 911, 911,
		BR_ASSUMED},
	{"variables", &chosen, NULL, {"PUID=7", "PGID=8"}, {0}, NULL, NULL, false, false, 7, 8,
		BR_ASSUMED},
	{"one of them", &chosen, NULL, {"PUID=7"}, {0}, NULL, NULL, false, false, 7, 911,
		BR_ASSUMED},
	{"the last of a name", &chosen, NULL, {"PUID=7", "PUID=9"}, {0}, NULL, NULL, false, false,
		9, 911, BR_ASSUMED},
	{"longer names are others", &chosen, NULL, {"PUIDX=7", "XPUID=7", "PUI=7"}, {0}, NULL, NULL,
		false, false, 911, 911, BR_ASSUMED},
	{"empty is unset", &chosen, NULL, {"PUID="}, {0}, NULL, NULL, false, false, 911, 911,
		BR_ASSUMED},
	{"the image's own", &chosen, NULL, {0}, {"PUID=5", "PGID=6"}, NULL, NULL, false, false, 5,
		6, BR_ASSUMED},
	{"compose's are stronger", &chosen, NULL, {"PUID=7"}, {"PUID=5", "PGID=6"}, NULL, NULL,
		false, false, 7, 6, BR_ASSUMED},
	{"root stays root", &chosen, NULL, {"PUID=0"}, {0}, NULL, NULL, false, false, BR_NO_ID, 0,
		BR_UNKNOWN},
	{"no number", &chosen, NULL, {"PUID=me"}, {0}, NULL, NULL, false, false, 0, 0, BR_UNKNOWN},
	{"no number of a group", &chosen, NULL, {"PGID=x"}, {0}, NULL, NULL, false, false, 0, 0,
		BR_UNKNOWN},
	{"too large", &chosen, NULL, {"PUID=2147483648"}, {0}, NULL, NULL, false, false, 0, 0,
		BR_UNKNOWN},
};

static void fill(struct fixture *f, const struct drop_row *row) {
	f->image.drop = row->drop;
	f->image.environment = row->image_environment;
	while (f->image.nenvironment < 2 && row->image_environment[f->image.nenvironment]) {
		f->image.nenvironment++;
	}
	f->boxes[0].user.s = row->user;
	f->boxes[0].has_entrypoint = row->entrypoint;
	f->boxes[0].environment = f->words;
	while (f->boxes[0].nenvironment < 3 && row->environment[f->boxes[0].nenvironment]) {
		f->words[f->boxes[0].nenvironment].s = row->environment[f->boxes[0].nenvironment];
		f->boxes[0].nenvironment++;
	}
}

static bool drop_fits(const struct drop_row *row, const struct br_identity *id) {
	const struct br_identity *to = id->drops_to;
	if (row->uid == BR_NO_ID) {
		return !to && !id->drop && br_identity_of_data(id, true) == id;
	}
	if (!to || id->drop != row->drop || to->drop != row->drop || id->uid.v != 0
		|| to->confidence != row->confidence || br_identity_of_data(id, false) != to) {
		return false;
	}
	if (row->confidence == BR_UNKNOWN) {
		return to->why && to->pin && !to->norigins;
	}
	return to->uid.v == row->uid && to->gid.v == row->gid && to->cred.uid.v == row->uid
		&& to->cred.gid.v == row->gid && to->cred.caps == 0 && to->ngroups == 1
		&& to->groups[0].v == row->gid && to->known && to->norigins == 3;
}

static void drops(void **state) {
	(void)state;
	static const struct br_image root = {
		.origin = BR_IMAGE_KNOWN, .from = "known", .user = {.s = ""}};
	for (size_t i = 0; i < COUNT(drop_rows); i++) {
		const struct drop_row *row = &drop_rows[i];
		struct br_text less = {.s = row->cap_drop};
		struct br_text more = {.s = row->cap_add};
		struct br_pin pin = {.service.s = "svc", .has_gid = true};
		struct fixture f;
		set_up_with(&f, &root);
		fill(&f, row);
		f.boxes[0].cap_drop = &less;
		f.boxes[0].ncap_drop = less.s != NULL;
		f.boxes[0].cap_add = &more;
		f.boxes[0].ncap_add = more.s != NULL;
		f.options.pins = &pin;
		f.options.npins = row->pin;
		const struct br_identity *id = identify(&f);
		if (!id || !drop_fits(row, id)) {
			fail_msg("%s: %s", row->name,
				id && id->drops_to && id->drops_to->why ? id->drops_to->why : "");
		}
		tear_down(&f);
	}
}

/** It has the groups of its account, not those of the first process nor of group_add. */
static void drops_with_its_groups(void **state) {
	(void)state;
	static const struct br_image_drop to_app = {
		.uid = 1001, .gid = 1002, .source = "x", .certainty = "source"};
	static const struct br_image_drop to_nobody = {
		.uid = 4000, .gid = 4000, .source = "x", .certainty = "source"};
	struct fixture f;
	set_up_with(&f, &archive);
	f.image.drop = &to_app;
	f.words[0].s = "44";
	f.boxes[0].group_add = f.words;
	f.boxes[0].ngroup_add = 1;
	const struct br_identity *id = identify(&f);
	assert_non_null(id);
	assert_non_null(id->drops_to);
	assert_int_equal(id->drops_to->ngroups, 3);
	assert_int_equal(id->drops_to->groups[2].v, 2001);
	assert_false(id->drops_to->groups_unsure);
	assert_int_equal(id->drops_to->confidence, BR_DERIVED);
	assert_string_equal(id->drops_to->account, "app");
	assert_int_equal(id->ngroups, 4);
	// An image that has no such account is not quite the one that the table knows.
	f.image.drop = &to_nobody;
	id = identify(&f);
	assert_non_null(id);
	assert_int_equal(id->drops_to->confidence, BR_ASSUMED);
	tear_down(&f);
}

/** Workers use what they write and were given; the first process reads the rest. */
static void workers(void **state) {
	(void)state;
	struct br_image_drop drop = {.uid = 33, .gid = 33, .workers_only = true};
	struct br_identity to = {.drop = &drop};
	struct br_identity id = {.drop = &drop, .drops_to = &to};
	assert_ptr_equal(br_identity_of_data(&id, true), &id);
	drop.chowns = true;
	assert_ptr_equal(br_identity_of_data(&id, true), &to);
	assert_ptr_equal(br_identity_of_data(&id, false), &id);
	drop.workers_only = false;
	assert_ptr_equal(br_identity_of_data(&id, false), &to);
}

/** The arena lets go of little: the first chunk is used up to somewhere, and what comes then fails.
 * There is an answer that is right, or none and an error. */
static bool try_without_memory(size_t used) {
	struct fixture f;
	fault_at(0);
	set_up_with(&f, &archive);
	assert_non_null(br_alloc(&f.arena, used));
	f.image.drop = &chosen;
	f.words[0].s = "wheel";
	f.words[1].s = "PUID=1001";
	f.boxes[0].group_add = &f.words[0];
	f.boxes[0].ngroup_add = 1;
	f.boxes[0].environment = &f.words[1];
	f.boxes[0].nenvironment = 1;
	fault_at(1);
	const struct br_identity *id = identify(&f);
	bool hit = fault_hit();
	fault_at(0);
	if (id) {
		assert_false(hit);
		assert_int_equal(id->ngroups, 3);
		assert_int_equal(id->drops_to->ngroups, 3);
		assert_int_equal(id->drops_to->norigins, 5);
	} else {
		assert_true(hit);
		assert_true(br_diags_errors(f.dx) > 0);
	}
	tear_down(&f);
	return hit;
}

static void without_memory(void **state) {
	(void)state;
	size_t hits = 0;
	for (size_t used = 16; used <= 16384; used += 16) {
		hits += try_without_memory(used);
	}
	assert_true(hits > 50);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(steps_say_where_from),
		cmocka_unit_test(drops),
		cmocka_unit_test(drops_with_its_groups),
		cmocka_unit_test(workers),
		cmocka_unit_test(without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
