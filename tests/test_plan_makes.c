/*
 * Directories that are made because a source is missing: whose, with which modes and entries, and
 * by which of several names of the directory that they are made in.
 */
#include "plan_world.h"

#include <base/own.h>

enum {
	ROOMS = 2
};

/** A world with directories that exist, in which sources are missing. */
struct rooms {
	struct world *w;
	struct br_source sources[ROOMS];
	char paths[ROOMS][128];
};

static const br_hostid in_dev[] = {{2000}};
static const struct who app = {{.uid = {1001}, .gid = {1001}}, ALL};
static const struct who reader = {{.uid = {1001}, .gid = {1001}}, READS};
static const struct who other = {{.uid = {1003}, .gid = {1003}}, ALL};
static const struct who app_dev = {
	{.uid = {1001}, .gid = {1001}, .groups = in_dev, .ngroups = 1}, ALL};
static const struct who other_dev = {
	{.uid = {1003}, .gid = {1003}, .groups = in_dev, .ngroups = 1}, ALL};
static const struct who third = {{.uid = {1004}, .gid = {1004}}, ALL};
static const struct who third_dev = {
	{.uid = {1004}, .gid = {1004}, .groups = in_dev, .ngroups = 1}, ALL};
static const struct who other_system = {{.uid = {1003}, .gid = {20}}, ALL};

/** The i-th room, which is this one's, and what is missing in it. */
static void open_room(struct rooms *r, unsigned i, uint32_t mode, uint32_t uid, uint32_t gid) {
	char *path = r->paths[i];
	assert_true(snprintf(path, sizeof(r->paths[i]), "%s/room%u", r->w->dir, i) > 0);
	assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
	assert_int_equal(chown(path, uid, gid), 0);
	assert_int_equal(chmod(path, mode), 0);
	r->sources[i] = r->w->source;
	r->sources[i].path = r->sources[i].real = path;
	r->sources[i].state = BR_SOURCE_MISSING;
	r->sources[i].missing = "a/b";
	r->sources[i].mount = i + 1;
	r->sources[i].fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(r->sources[i].fd >= 0);
}

static void close_rooms(struct rooms *r) {
	for (size_t i = 0; i < ROOMS; i++) {
		br_closep(&r->sources[i].fd);
	}
}

static void wants(struct rooms *r, const struct who *who, unsigned room) {
	struct world *w = r->w;
	size_t i = w->tree.n;
	demand(w, who);
	w->mounts[i].kind = BR_MOUNT_BIND;
	w->demand[i].source = &r->sources[room];
	w->tree.root = &r->sources[0];
	w->tree.path = r->sources[0].path;
}

static void expect(const struct world *w, size_t i, const char *below, const struct br_inode *want,
	const char *acl) {
	assert_true(i < w->plan->nmakes);
	const struct br_make *make = &w->plan->makes[i];
	assert_string_equal(make->below, below);
	assert_int_equal(make->after.mode, want->mode);
	assert_int_equal(make->after.uid.v, want->uid.v);
	assert_int_equal(make->after.gid.v, want->gid.v);
	assert_ptr_equal(make->after.acl, acl_of_words(w->acls, acl));
	assert_null(make->after.def);
}

static void test_rows(void **state) {
	static const struct {
		const char *name;
		/** The room's mode. */
		uint32_t mode;
		const struct who *who[3];
		uint32_t caller;
		bool no_acls, groups;
		/** a, and a/b. */
		struct br_inode way, own;
		const char *acl;
	} rows[] = {
		{"the container's, as what it is in on the way", 0750, {&app}, 0, false, false,
			{.mode = D | 0750}, {.mode = D | 0755, .uid = {1001}, .gid = {1001}}},
		{"not for everybody as /tmp is", 01777, {&app}, 0, false, false, {.mode = D | 0755},
			{.mode = D | 0755, .uid = {1001}, .gid = {1001}}},
		{"sticky, but not for everybody", 01755, {&app}, 0, false, false,
			{.mode = D | 01755}, {.mode = D | 0755, .uid = {1001}, .gid = {1001}}},
		{"the second has an entry", 0755, {&app, &other}, 0, false, false,
			{.mode = D | 0755}, {.mode = D | 0775, .uid = {1001}, .gid = {1001}},
			"u::rwx,u:1003:rwx,g::r-x,m::rwx,o::r-x"},
		{"who writes owns it", 0755, {&reader, &other}, 0, false, false, {.mode = D | 0755},
			{.mode = D | 0755, .uid = {1003}, .gid = {1003}}},
		{"one UID twice", 0755, {&reader, &app}, 0, false, false, {.mode = D | 0755},
			{.mode = D | 0755, .uid = {1001}, .gid = {1001}}},
		{"the caller's own", 0755, {&app}, 1000, false, false,
			{.mode = D | 0755, .uid = {1000}, .gid = {1000}},
			{.mode = D | 0775, .uid = {1000}, .gid = {1000}},
			"u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x"},
		{"no ACLs, the second has the group", 0755, {&app, &other}, 0, true, false,
			{.mode = D | 0755}, {.mode = D | 02775, .uid = {1001}, .gid = {1003}}},
		{"no ACLs, and nothing in common", 0755, {&app, &other, &third}, 0, true, false,
			{.mode = D | 0755}, {.mode = D | 0755, .uid = {1001}, .gid = {1001}}},
		{"no ACLs, a group in common", 0755, {&app, &other_dev, &third_dev}, 0, true, false,
			{.mode = D | 0755}, {.mode = D | 02775, .uid = {1001}, .gid = {2000}}},
		{"no ACLs, a group of the system's", 0755, {&app, &other_system}, 0, true, false,
			{.mode = D | 0755}, {.mode = D | 0755, .uid = {1001}, .gid = {1001}}},
		{"no ACLs, a group that the caller has not", 0755, {&app_dev}, 1000, true, false,
			{.mode = D | 0755, .uid = {1000}, .gid = {1000}},
			{.mode = D | 0755, .uid = {1000}, .gid = {1000}}},
		{"no ACLs, a group that the caller has", 0755, {&app_dev}, 1000, true, true,
			{.mode = D | 0755, .uid = {1000}, .gid = {1000}},
			{.mode = D | 02775, .uid = {1000}, .gid = {2000}}},
	};
	struct world *w = *state;
	for (size_t i = 0; i < N(rows); i++) {
		struct rooms r = {.w = w, .sources = {{.fd = -1}, {.fd = -1}}};
		w->source.fs.keeps_acls = rows[i].no_acls ? BR_NO : BR_YES;
		w->options.caller = w->options.caller_gid = (br_hostid){rows[i].caller};
		w->options.caller_groups = in_dev;
		w->options.ncaller_groups = rows[i].groups;
		open_room(&r, 0, rows[i].mode, 0, 0);
		w->tree.n = 0;
		for (size_t k = 0; k < 3 && rows[i].who[k]; k++) {
			wants(&r, rows[i].who[k], 0);
		}
		print_message("%s\n", rows[i].name);
		begin(w);
		settle(w);
		assert_int_equal(w->plan->nmakes, 2);
		expect(w, 0, "a", &rows[i].way, NULL);
		expect(w, 1, "a/b", &rows[i].own, rows[i].acl);
		close_rooms(&r);
	}
}

static bool is_noted(const struct world *w, const char *text) {
	for (size_t i = 0; i < w->plan->nnotes; i++) {
		if (strstr(w->plan->notes[i], text)) {
			return true;
		}
	}
	return false;
}

/** What is no directory, what the engine hands over itself, and what nobody asked for. */
static void test_none(void **state) {
	static const struct {
		enum br_mount_kind kind;
		const char *missing;
		bool chown, wanted;
		size_t made;
		bool noted;
	} rows[] = {
		{BR_MOUNT_BIND, "data", false, true, 1, false},
		{BR_MOUNT_VOLUME_BIND, "data", false, true, 1, false},
		{BR_MOUNT_VOLUME_BIND, "data", false, false, 0, false},
		{BR_MOUNT_BIND, "data", true, true, 0, false},
		{BR_MOUNT_SECRET, "data", false, true, 0, true},
		{BR_MOUNT_BIND, "my.conf", false, true, 0, true},
		{BR_MOUNT_BIND, "", false, true, 0, false},
		{BR_MOUNT_BIND, NULL, false, true, 0, false},
	};
	struct world *w = *state;
	struct rooms r = {.w = w, .sources = {{.fd = -1}, {.fd = -1}}};
	open_room(&r, 0, 0755, 0, 0);
	for (size_t i = 0; i < N(rows); i++) {
		w->tree.n = 0;
		wants(&r, &app, 0);
		char path[200];
		assert_true(snprintf(path, sizeof(path), "%s/%s", r.paths[0],
				    rows[i].missing ? rows[i].missing : "")
			> 0);
		r.sources[0].path = path;
		r.sources[0].missing = rows[i].missing;
		w->mounts[0].kind = rows[i].kind;
		w->mounts[0].chown = rows[i].chown;
		w->options.create_missing = rows[i].wanted;
		begin(w);
		settle(w);
		if (w->plan->nmakes != rows[i].made
			|| is_noted(w, "probably meant to be a file") != rows[i].noted) {
			fail_msg("row %zu: %zu made", i, w->plan->nmakes);
		}
	}
	close_rooms(&r);
}

/** Two sources that lack their names in one directory: it is one if it shows the same owners by
 * both mounts, and made by the one that can be written. */
static void test_two_names(void **state) {
	static const struct {
		uint64_t dev, ino;
		uint32_t uid, gid;
		bool same_mount, read_only, gone;
		size_t made;
		unsigned by;
	} rows[] = {
		{1, 1, 0, 0, false, false, false, 1, 0},
		{1, 1, 0, 0, false, true, false, 1, 1},
		{1, 1, 5, 0, false, false, false, 2, 0},
		{1, 1, 0, 5, false, false, false, 2, 0},
		{1, 1, 5, 0, true, false, false, 1, 0},
		{1, 1, 0, 0, false, false, true, 2, 0},
		{1, 2, 0, 0, false, false, false, 2, 0},
		{2, 1, 0, 0, false, false, false, 2, 0},
		{2, 1, 0, 0, true, false, false, 2, 0},
	};
	struct world *w = *state;
	for (size_t i = 0; i < N(rows); i++) {
		struct rooms r = {.w = w, .sources = {{.fd = -1}, {.fd = -1}}};
		open_room(&r, 0, 0755, 0, 0);
		open_room(&r, 1, 0755, rows[i].uid, rows[i].gid);
		r.sources[0].missing = r.sources[1].missing = "data";
		r.sources[0].fs.mount_read_only = rows[i].read_only;
		r.sources[1].dev = rows[i].dev;
		r.sources[1].ino = rows[i].ino;
		r.sources[1].mount = rows[i].same_mount ? 1 : 2;
		if (rows[i].gone) {
			br_closep(&r.sources[1].fd);
			r.sources[1].fd = -1;
		}
		w->tree.n = 0;
		wants(&r, &app, 0);
		wants(&r, &app, 1);
		begin(w);
		settle(w);
		if (w->plan->nmakes != rows[i].made
			|| w->plan->makes[0].root != &r.sources[rows[i].by]) {
			fail_msg("row %zu: %zu made", i, w->plan->nmakes);
		}
		close_rooms(&r);
	}
}

/** As what on the way would be made cannot be said where it cannot be looked at. */
static void test_unreadable(void **state) {
	struct world *w = *state;
	struct rooms r = {.w = w, .sources = {{.fd = -1}, {.fd = -1}}};
	open_room(&r, 0, 0755, 0, 0);
	close_rooms(&r);
	r.sources[0].fd = -1;
	w->tree.n = 0;
	wants(&r, &app, 0);
	begin(w);
	assert_int_equal(br_plan_settle(w->plan, w->dx), -1);
	assert_int_equal(br_diags_errors(w->dx), 1);
	assert_non_null(strstr(br_diags_get(w->dx, 0)->message, "cannot examine"));
}

static int set_up(void **state) {
	assert_int_equal(world_setup(state), 0);
	struct world *w = *state;
	w->options.create_missing = true;
	return 0;
}

int main(void) {
#define ROW(f) cmocka_unit_test_setup_teardown(f, set_up, world_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_rows),
		ROW(test_none),
		ROW(test_two_names),
		ROW(test_unreadable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
