/*
 * What is advised in place of a change of the host: only for the engine that knows it, and only
 * where it serves everything; and reclaim, where UIDs are mapped.
 */
#include "plan_world.h"

static const struct br_idmap_extent rootless[] = {{0, 1000, 1}, {1, 100000, 65536}};
static const struct br_idmap_extent remapped[] = {{0, 100000, 65536}};

/** A container's 1001:1001 in a user namespace with this map. */
static void mapped(struct world *w, const struct br_idmap_extent *extents, size_t n) {
	struct br_idmap map = {extents, n};
	struct who who = {.need = ALL};
	assert_true(br_idmap_to_host(&map, (br_boxid){1001}, &who.cred.uid));
	who.cred.gid = who.cred.uid;
	who.cred.uids = who.cred.gids = map;
	w->tree.n = 0;
	demand(w, &who);
	w->identities[0].uid = w->identities[0].gid = (br_boxid){1001};
	w->spec.containers = w->containers;
	w->spec.n = 1;
}

/** A tree of a directory and a file in these hands. */
static void plan_for(struct world *w, uint32_t uid, uint32_t gid, uint32_t file) {
	begin(w);
	struct br_inode root = inode_of(w, D | 0750, uid, gid, NULL);
	struct br_inode inside = inode_of(w, F | file, uid, gid, NULL);
	see(w, "", &root);
	see(w, "f", &inside);
	settle(w);
}

static void test_keep_id(void **state) {
	struct world *w = *state;
	mapped(w, rootless, N(rootless));
	w->spec.engine = BR_ENGINE_PODMAN_ROOTLESS;
	plan_for(w, 1000, 1000, 0640);
	const struct br_advice *advice = find_advice(w, "userns");
	assert_non_null(advice);
	assert_string_equal(
		advice->summary, "let app be alice on the host: userns=keep-id:uid=1001,gid=1001");
	assert_false(advice->choice);
	// Nobody else's Podman, no other engine, nothing that is not the engine's user's.
	plan_for(w, 1007, 1007, 0640);
	assert_null(find_advice(w, "userns"));
	w->spec.engine = BR_ENGINE_DOCKER_ROOTLESS;
	plan_for(w, 1000, 1000, 0640);
	assert_null(find_advice(w, "userns"));
	w->spec.engine = BR_ENGINE_PODMAN;
	plan_for(w, 1000, 1000, 0640);
	assert_null(find_advice(w, "userns"));
}

/** Nobody is kept who is root on the host, whom the map does not know, or who is nothing new. */
static void test_no_keep_id(void **state) {
	struct world *w = *state;
	static const struct br_idmap_extent no_root[] = {{1000, 100000, 1000}};
	static const struct br_idmap_extent of_root[] = {{0, 0, 1}, {1, 100000, 65536}};
	static const struct {
		const struct br_idmap_extent *uids, *gids;
		size_t nuids, ngids;
		uint32_t inside, owner;
	} rows[] = {
		{rootless, rootless, 2, 2, 1001, 1000},
		{no_root, rootless, 1, 2, 1001, 1000},
		{rootless, no_root, 2, 1, 1001, 1000},
		{of_root, of_root, 2, 2, 1001, 0},
		// The container's root is the engine's user already.
		{rootless, rootless, 2, 2, 0, 1000},
		{rootless, NULL, 0, 0, 1001, 1000},
	};
	w->spec.engine = BR_ENGINE_PODMAN_ROOTLESS;
	for (size_t i = 0; i < N(rows); i++) {
		mapped(w, rootless, N(rootless));
		w->identities[0].cred.uids = (struct br_idmap){rows[i].uids, rows[i].nuids};
		w->identities[0].cred.gids = (struct br_idmap){rows[i].gids, rows[i].ngids};
		w->identities[0].uid = w->identities[0].gid = (br_boxid){rows[i].inside};
		plan_for(w, rows[i].owner, rows[i].owner, 0640);
		if ((find_advice(w, "userns") != NULL) != (i == 0)) {
			fail_msg("row %zu", i);
		}
	}
}

static void test_idmap(void **state) {
	struct world *w = *state;
	mapped(w, remapped, N(remapped));
	w->spec.engine = BR_ENGINE_PODMAN;
	plan_for(w, 1001, 1001, 0640);
	const struct br_advice *advice = find_advice(w, "idmap");
	assert_non_null(advice);
	assert_non_null(strstr(advice->price, "crun"));
	w->source.fs.type = "overlay";
	plan_for(w, 1001, 1001, 0640);
	assert_null(find_advice(w, "idmap"));
	w->source.fs.type = "ext4";
	w->containers[0].runtime.s = "/usr/sbin/runc";
	plan_for(w, 1001, 1001, 0640);
	assert_null(find_advice(w, "idmap"));
	w->containers[0].runtime.s = "/opt/crun";
	plan_for(w, 1001, 1001, 0640);
	assert_non_null(find_advice(w, "idmap"));
	w->source.fs.type = "ext4";
	// It has one, or a server would have to take it.
	w->mounts[0].idmap.s = "idmap";
	plan_for(w, 1001, 1001, 0640);
	assert_null(find_advice(w, "idmap"));
	w->mounts[0].idmap.s = NULL;
	w->source.fs.remote = true;
	plan_for(w, 1001, 1001, 0640);
	assert_null(find_advice(w, "idmap"));
	w->source.fs.remote = false;
	plan_for(w, 1002, 1002, 0640);
	assert_null(find_advice(w, "idmap"));
	// Docker has no such thing; nor does it help where IDs are not mapped.
	w->spec.engine = BR_ENGINE_DOCKER;
	plan_for(w, 1001, 1001, 0640);
	assert_null(find_advice(w, "idmap"));
}

static const struct who app = {{.uid = {1001}, .gid = {1001}}, ALL};

static void test_host(void **state) {
	struct world *w = *state;
	static const struct br_image_drop drop = {0};
	w->tree.n = 0;
	demand(w, &app);
	w->spec.containers = w->containers;
	w->spec.n = 1;
	plan_for(w, 1000, 2000, 0660);
	assert_non_null(find_advice(w, "user"));
	// The directory is not the group's to write.
	assert_null(find_advice(w, "group-add"));
	assert_null(find_advice(w, "read-only"));
	assert_null(find_advice(w, "userns"));
	// An image that starts as root and drops has to start as root.
	w->identities[0].drop = &drop;
	plan_for(w, 1000, 2000, 0660);
	assert_null(find_advice(w, "user"));
	w->identities[0].drop = NULL;
	// Root's files are no reason to become root.
	plan_for(w, 0, 0, 0600);
	assert_int_equal(w->plan->nadvice, 0);
	// Whoever fits needs none.
	plan_for(w, 1001, 1001, 0600);
	assert_int_equal(w->plan->nadvice, 0);
}

/** A group that an entry lets in serves as well as the owning one. */
static void test_named_group(void **state) {
	struct world *w = *state;
	static const char *const acls[] = {
		"u::rwx,g::---,g:33:rwx,g:2000:rwx,m::rwx,o::---",
		"u::rwx,g::---,g:33:rwx,g:2000:r-x,m::rwx,o::---",
	};
	demand(w, &app);
	w->spec.containers = w->containers;
	w->spec.n = 1;
	for (size_t i = 0; i < N(acls); i++) {
		begin(w);
		struct br_inode root = inode_of(w, D | 0770, 1000, 1000, acls[i]);
		see(w, "", &root);
		settle(w);
		const struct br_advice *advice = find_advice(w, "group-add");
		// 33 is the system's.
		assert_int_equal(advice != NULL, i == 0);
		assert_true(!advice || strstr(advice->summary, "give app the group dev,"));
	}
}

/** Whether it would keep its groups as somebody else is not known: one of them that is shut out of
 * a file speaks against it. */
static void test_groups_kept(void **state) {
	struct world *w = *state;
	static const br_hostid groups[] = {{2001}};
	w->spec.containers = w->containers;
	w->spec.n = 1;
	for (unsigned round = 0; round < 2; round++) {
		w->tree.n = 0;
		demand(w, &app);
		w->identities[0].cred.groups = groups;
		w->identities[0].cred.ngroups = round;
		begin(w);
		struct br_inode root = inode_of(w, D | 0700, 1000, 1000, NULL);
		struct br_inode file = inode_of(w, F | 0707, 1007, 2001, NULL);
		see(w, "", &root);
		see(w, "f", &file);
		settle(w);
		assert_int_equal(find_advice(w, "user") != NULL, round == 0);
	}
}

static void test_choices(void **state) {
	struct world *w = *state;
	w->tree.n = 0;
	demand(w, &app);
	w->source.fs.type = "vfat";
	w->source.fs.mount_point = "/media/stick";
	w->source.fs.keeps_owners = BR_NO;
	w->source.fs.keeps_acls = BR_NO;
	plan_for(w, 1000, 1000, 0600);
	const struct br_advice *advice = find_advice(w, "mount-option");
	assert_true(advice && advice->choice);
	assert_string_equal(advice->summary, "mount /media/stick with uid=1001,gid=1001,umask=077");
	assert_non_null(find_advice(w, "move"));
	w->source.fs.type = "nfs4";
	w->source.fs.keeps_owners = BR_YES;
	plan_for(w, 1000, 1000, 0600);
	assert_non_null(find_advice(w, "server"));
	w->source.fs.type = "ext4";
	w->source.fs.keeps_acls = BR_YES;
	plan_for(w, 1000, 1000, 0600);
	assert_int_equal(w->plan->nadvice, 0);
}

/** ext4 takes 503 named entries and the four others. */
static void test_full(void **state) {
	struct world *w = *state;
	w->tree.n = 0;
	demand(w, &app);
	for (size_t named = 502; named <= 503; named++) {
		struct br_acl_entry v[507] = {
			{.tag = BR_ACL_OWNER, .perm = 7, .id = {BR_NO_ID}},
			{.tag = BR_ACL_OWNING_GROUP, .id = {BR_NO_ID}},
			{.tag = BR_ACL_MASK, .perm = 7, .id = {BR_NO_ID}},
			{.tag = BR_ACL_OTHER, .id = {BR_NO_ID}},
		};
		for (size_t i = 0; i < named; i++) {
			v[4 + i] = (struct br_acl_entry){
				.tag = BR_ACL_USER, .perm = 7, .id = {(uint32_t)(20000 + i)}};
		}
		begin(w);
		struct br_inode root = inode_of(w, D | 0770, 1000, 1000, NULL);
		struct br_inode after;
		root.acl = br_acls_make(w->acls, v, 4 + named);
		assert_non_null(root.acl);
		see(w, "", &root);
		settle(w);
		int done = br_plan_decide(w->plan, &w->tree, "", &root, &after);
		assert_int_equal(done, named == 502);
		assert_int_equal(find_advice(w, "group") != NULL, named == 503);
		assert_int_equal(w->plan->nleft, named == 503);
	}
}

/** A lower file that is changed is copied up as a whole. */
static void test_overlay(void **state) {
	struct world *w = *state;
	w->tree.n = 0;
	demand(w, &app);
	w->source.fs.type = "overlay";
	for (unsigned round = 0; round < 4; round++) {
		static const uint64_t sizes[] = {256 << 20, (256 << 20) + 1, 400 << 20, 400 << 20};
		static const uint64_t most[] = {0, 0, 400 << 20, (400 << 20) - 1};
		w->options.max_copy_up = most[round];
		begin(w);
		struct br_inode root = inode_of(w, D | 0777, 1000, 1000, NULL);
		struct br_inode model = inode_of(w, F | 0600, 1000, 1000, NULL);
		struct br_inode fits = inode_of(w, F | 0666, 1000, 1000, NULL);
		struct br_inode after;
		bool refused = round % 2;
		model.size = sizes[round];
		fits.size = (uint64_t)1 << 40;
		see(w, "", &root);
		see(w, "model", &model);
		see(w, "fits", &fits);
		settle(w);
		assert_int_equal(w->plan->nrefusals, refused);
		assert_int_equal(find_advice(w, "copy-up") != NULL, refused);
		assert_int_equal(
			br_plan_decide(w->plan, &w->tree, "model", &model, &after), !refused);
		assert_int_equal(w->plan->changes, !refused);
	}
	assert_non_null(strstr(w->plan->refusals[0].rule, "400 MiB"));
	assert_non_null(strstr(w->plan->refusals[0].option, "--max-copy-up 400M"));
}

/** Subordinate ranges go back too; what lies in nobody's range stays. */
static void test_reclaim_ranges(void **state) {
	struct world *w = *state;
	static const uint32_t left[] = {101000, 100000, 165535, 0};
	static const uint32_t kept[] = {1000, 165536, 99999, 1007};
	struct br_keeper keeper = {.name = "alice", .cred = {.uid = {1000}, .gid = {1000}}};
	mapped(w, rootless, N(rootless));
	w->options.reclaim = true;
	w->options.keepers = &keeper;
	w->options.nkeepers = 1;
	begin(w);
	struct br_inode root = inode_of(w, D | 0777, 1000, 1000, NULL);
	struct br_inode inodes[N(left) + N(kept)];
	see(w, "", &root);
	for (size_t i = 0; i < N(inodes); i++) {
		uint32_t uid = i < N(left) ? left[i] : kept[i - N(left)];
		inodes[i] = inode_of(w, F | 0644, uid, uid, NULL);
		see(w, "f", &inodes[i]);
	}
	settle(w);
	for (size_t i = 0; i < N(inodes); i++) {
		struct br_inode after;
		int done = br_plan_decide(w->plan, &w->tree, "f", &inodes[i], &after);
		assert_int_equal(done, i < N(left));
		assert_true(done == 0 || after.uid.v == 1000);
	}
	assert_int_equal(w->plan->changes, N(left));
	assert_int_equal(w->plan->nlosses, 0);
}

/** Of somebody who is no container it is not known in which groups he is: what he had as the owner
 * stands in an entry. */
static void test_reclaim_from(void **state) {
	struct world *w = *state;
	static const br_hostid from[] = {{1003}};
	struct br_keeper keeper = {.name = "alice", .cred = {.uid = {1000}, .gid = {1000}}};
	struct br_inode after;
	w->tree.n = 0;
	demand(w, &app);
	w->options.reclaim = true;
	w->options.keepers = &keeper;
	w->options.nkeepers = 1;
	w->options.from = from;
	w->options.nfrom = 1;
	begin(w);
	struct br_inode root = inode_of(w, D | 0777, 1000, 1000, NULL);
	// Others have all of it, the group 33 nothing.
	struct br_inode file =
		inode_of(w, F | 0777, 1003, 1001, "u::rwx,g::rwx,g:33:---,m::rwx,o::rwx");
	see(w, "", &root);
	see(w, "f", &file);
	settle(w);
	assert_int_equal(br_plan_decide(w->plan, &w->tree, "f", &file, &after), 1);
	assert_int_equal(after.uid.v, 1000);
	const struct br_acl_entry *entry = br_acl_find(after.acl, BR_ACL_USER, from[0]);
	assert_true(entry && entry->perm == RWX);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keep_id, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_idmap, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_host, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_no_keep_id, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_named_group, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_groups_kept, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_choices, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_full, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_overlay, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_reclaim_ranges, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_reclaim_from, world_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
