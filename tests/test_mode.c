/** Who a container is on the host, by engine, version and user namespace. What is expected was
 * measured with the engines that the rows name (podman 4.3.1 and 5.4.2, docker 20.10 and 26.1,
 * rootlesskit), or read in /proc of their containers. */
#include <base/mem.h>
#include <bindright/identity.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>
#include <support/sysroot.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	WORDS = 4,
	DAC = 1 << 1,
};

#define DOCKER_CAPS UINT64_C(0xa80425fb)
#define PODMAN_CAPS UINT64_C(0x800405fb)

/** A host with rl, who has subordinate IDs, and bare, who has none. */
static int set_up(void **state) {
	assert_int_equal(sysroot_setup(state), 0);
	const struct sysroot *f = *state;
	assert_int_equal(mkdir(sysroot_path(f, "etc/docker"), 0755), 0);
	sysroot_put(
		f, "etc/passwd", "root:x:0:0::/root:\nrl:x:2001:2001::/:\nbare:x:2002:2002::/:\n");
	sysroot_put(f, "etc/group", "root:x:0:\nrl:x:2001:\nbare:x:2002:\nshare:x:5000:rl\n");
	sysroot_put(f, "etc/subuid", "rl:100000:65536\n");
	sysroot_put(f, "etc/subgid", "rl:100000:65536\n");
	return 0;
}

static const struct br_engine_mode *read_mode(
	struct sysroot *f, const char *engine, unsigned version) {
	char text[16];
	(void)snprintf(text, sizeof(text), "%u.%u", version / 100, version % 100);
	struct br_engine_request request = {
		.engine = {.s = engine},
		.invoker = {2001},
		.version = {.s = version ? br_strdup(&f->arena, text) : NULL},
	};
	if (!f->db) {
		f->db = br_hostdb_read(f->root, f->dx);
	}
	assert_non_null(f->db);
	return br_engine_mode_read(&f->arena, &request, f->db, f->dx);
}

/** The container of all rows: the image knows app (1001:1002, in extra 2000 and far 70000) and adm
 * (0:0). */
struct row {
	const char *name;
	const char *engine;
	unsigned version;
	const char *user;
	const char *image_user;
	const char *userns;
	const char *uid_maps[WORDS];
	const char *gid_maps[WORDS];
	const char *group_add[WORDS];
	const char *cap_add[WORDS];
	const char *cap_drop[WORDS];
	bool privileged;
	const char *label;
	const char *host_user;
	/** It cannot be known, or the engine refuses: a part of why. */
	const char *why;
	bool unmapped;
	uint32_t uid, gid;
	/** Supplementary groups as the container sees them, its own too; 0 at the end does not
	 * count. */
	uint32_t groups[WORDS];
	uint32_t host_uid, host_gid;
	uint64_t caps;
};

static const struct row rows[] = {
	// I1, I4, I7: Docker and Podman.
	{"docker: a name has its groups", "docker", 0, "app", .uid = 1001, .gid = 1002,
		.groups = {1002, 2000, 70000}, .host_uid = 1001, .host_gid = 1002},
	{"docker: a colon is no group", "docker", 0, "app:", .uid = 1001, .gid = 1002,
		.groups = {1002, 2000, 70000}, .host_uid = 1001, .host_gid = 1002},
	{"podman: a name has its groups", "podman", 0, "app", .uid = 1001, .gid = 1002,
		.groups = {1002, 2000, 70000}, .host_uid = 1001, .host_gid = 1002},
	{"podman: a colon is a group", "podman", 0, "app:", .uid = 1001, .gid = 1002,
		.groups = {1002}, .host_uid = 1001, .host_gid = 1002},
	{"podman: the image's word too", "podman", 0, NULL, "app:", .uid = 1001, .gid = 1002,
		.groups = {1002}, .host_uid = 1001, .host_gid = 1002},
	{"podman: an empty group is none", "podman", 0, "app:2000", .group_add = {""}, .uid = 1001,
		.gid = 2000, .groups = {2000}, .host_uid = 1001, .host_gid = 2000},

	// C1, C2, C9, C10: capabilities.
	{"docker: root", "docker", 0, "0:0", .groups = {0}, .caps = DOCKER_CAPS},
	{"podman: root", "podman", 0, "0:0", .groups = {0}, .caps = PODMAN_CAPS},
	{"podman 3: root", "podman", 304, "0:0", .groups = {0}, .caps = DOCKER_CAPS},
	{"docker: added ones are not a user's", "docker", 0, "1:1", .cap_add = {"DAC_OVERRIDE"},
		.uid = 1, .gid = 1, .groups = {1}, .host_uid = 1, .host_gid = 1},
	{"podman: added ones are", "podman", 0, "1:1", .cap_add = {"DAC_OVERRIDE"}, .uid = 1,
		.gid = 1, .groups = {1}, .host_uid = 1, .host_gid = 1, .caps = DAC},
	{"podman: an image's user, too", "podman", 0, NULL, "app:2000", .cap_add = {"dac_override"},
		.uid = 1001, .gid = 2000, .groups = {2000}, .host_uid = 1001, .host_gid = 2000,
		.caps = DAC},
	{"podman: privileged gives a user nothing", "podman", 0, "1:1", .privileged = true,
		.uid = 1, .gid = 1, .groups = {1}, .host_uid = 1, .host_gid = 1},
	{"podman: privileged gives a user what is added", "podman", 0, "1:1", .privileged = true,
		.cap_add = {"DAC_OVERRIDE"}, .uid = 1, .gid = 1, .groups = {1}, .host_uid = 1,
		.host_gid = 1, .caps = DAC},
	{"podman: added and dropped", "podman", 0, "0:0", .cap_add = {"CHOWN"},
		.cap_drop = {"cap_chown"}, .why = "added and dropped"},
	{"docker: added and dropped", "docker", 0, "0:0", .cap_add = {"CHOWN"},
		.cap_drop = {"cap_chown"}, .groups = {0}, .caps = DOCKER_CAPS},
	{"podman: everything added and dropped", "podman", 0, "0:0", .cap_add = {"ALL"},
		.cap_drop = {"all"}, .why = "added and dropped"},
	{"podman: all dropped, one added", "podman", 0, "0:0", .cap_add = {"DAC_OVERRIDE"},
		.cap_drop = {"ALL"}, .groups = {0}, .caps = DAC},
	// C11: the label.
	{"podman: the image's label", "podman", 0, "0:0", .label = "DAC_OVERRIDE", .groups = {0},
		.caps = DAC},
	{"podman: a label that wants more", "podman", 0, "0:0", .label = "DAC_OVERRIDE,SYS_ADMIN",
		.groups = {0}, .caps = PODMAN_CAPS},
	{"podman: privileged knows no label", "podman", 0, "0:0", .label = "DAC_OVERRIDE",
		.privileged = true, .groups = {0}, .caps = (UINT64_C(1) << 41) - 1},
	{"docker: the image's label", "docker", 0, "0:0", .label = "DAC_OVERRIDE", .groups = {0},
		.caps = DOCKER_CAPS},

	// U4: without root.
	{"docker-rootless: root is the user", "docker-rootless", 0, "0:0", .groups = {0},
		.host_uid = 2001, .host_gid = 2001, .caps = DOCKER_CAPS},
	{"docker-rootless: 1001", "docker-rootless", 0, "1001:1001", .uid = 1001, .gid = 1001,
		.groups = {1001}, .host_uid = 101000, .host_gid = 101000},
	{"docker-rootless: --userns=host is the engine's", "docker-rootless", 0, "1001:1001",
		.userns = "host", .uid = 1001, .gid = 1001, .groups = {1001}, .host_uid = 101000,
		.host_gid = 101000},
	{"podman-rootless: root is the user", "podman-rootless", 0, "0:0", .groups = {0},
		.host_uid = 2001, .host_gid = 2001, .caps = PODMAN_CAPS},
	{"podman-rootless: the last ID", "podman-rootless", 0, "65536:65536", .uid = 65536,
		.gid = 65536, .groups = {65536}, .host_uid = 165535, .host_gid = 165535},
	{"podman-rootless: one more", "podman-rootless", 0, "65537:0", .uid = 65537, .groups = {0},
		.unmapped = true},
	{"podman-rootless: an unmapped group", "podman-rootless", 0, "1:70000", .uid = 1,
		.gid = 70000, .groups = {70000}, .unmapped = true},
	// I23: of the image's groups Podman leaves out what has no mapping, of the added ones none.
	{"podman-rootless: the image's far group is left out", "podman-rootless", 0, "app",
		.uid = 1001, .gid = 1002, .groups = {1002, 2000}, .host_uid = 101000,
		.host_gid = 101001},
	{"podman-rootless: an added far group is not", "podman-rootless", 0, "1:1",
		.group_add = {"70000"}, .uid = 1, .gid = 1, .groups = {1, 70000}, .unmapped = true},
	{"docker-rootless: nor the image's", "docker-rootless", 0, "app", .uid = 1001, .gid = 1002,
		.groups = {1002, 2000, 70000}, .unmapped = true},
	{"podman-rootless: --userns=host", "podman-rootless", 0, "1:1", .userns = "host", .uid = 1,
		.gid = 1, .groups = {1}, .host_uid = 100000, .host_gid = 100000},
	{"podman-rootless: private without maps", "podman-rootless", 0, "1:1", .userns = "private",
		.why = "needs maps"},
	{"podman-rootless: auto", "podman-rootless", 0, "1:1", .userns = "auto", .why = "chooses"},
	{"podman-rootless: auto with a size", "podman-rootless", 0, "1:1", .userns = "auto:size=5",
		.why = "chooses"},
	{"podman-rootless: another container's", "podman-rootless", 0, "1:1",
		.userns = "container:x", .why = "somebody else"},

	// U15-U17: keep-id.
	{"keep-id: nobody is named", "podman-rootless", 0, NULL, "", "keep-id", .uid = 2001,
		.gid = 2001, .groups = {2001}, .host_uid = 2001, .host_gid = 2001},
	{"keep-id: added capabilities are the user's", "podman-rootless", 0, NULL, "", "keep-id",
		.cap_add = {"DAC_OVERRIDE"}, .uid = 2001, .gid = 2001, .groups = {2001},
		.host_uid = 2001, .host_gid = 2001, .caps = DAC},
	{"keep-id: the image's user wins, and has the kept group", "podman-rootless", 0, NULL,
		"app", "keep-id", .uid = 1001, .gid = 1002, .groups = {1002, 2000, 2001},
		.host_uid = 101001, .host_gid = 101002},
	{"keep-id: root is the first subordinate ID", "podman-rootless", 0, "0:0", NULL, "keep-id",
		.groups = {0, 2001}, .host_uid = 100000, .host_gid = 100000, .caps = PODMAN_CAPS},
	{"keep-id: behind the user nothing is shifted", "podman-rootless", 0, "3000:3000", NULL,
		"keep-id", .uid = 3000, .gid = 3000, .groups = {2001, 3000}, .host_uid = 102999,
		.host_gid = 102999},
	{"keep-id:uid=,gid=: nobody is named", "podman-rootless", 0, NULL, "",
		"keep-id:uid=1001,gid=1002", .uid = 1001, .gid = 1002, .groups = {1002},
		.host_uid = 2001, .host_gid = 2001},
	{"keep-id:uid=,gid=: the image's user is the caller", "podman-rootless", 0, NULL, "app",
		"keep-id:uid=1001,gid=1002", .uid = 1001, .gid = 1002, .groups = {1002, 2000},
		.host_uid = 2001, .host_gid = 2001},
	{"keep-id:uid= beyond the ranges", "podman-rootless", 0, NULL, "", "keep-id:uid=70000",
		.uid = 70000, .gid = 2001, .groups = {2001}, .host_uid = 2001, .host_gid = 2001},
	{"keep-id:uid=0", "podman-rootless", 0, NULL, "", "keep-id:uid=0,gid=0", .groups = {0},
		.host_uid = 2001, .host_gid = 2001, .caps = PODMAN_CAPS},
	{"keep-id:uid=0 before 5.1", "podman-rootless", 403, NULL, "", "keep-id:uid=0,gid=0",
		.why = "refuse"},
	{"keep-id:size=", "podman-rootless", 0, "999:999", NULL, "keep-id:size=1000", .uid = 999,
		.gid = 999, .groups = {999, 2001}, .unmapped = true},
	{"nomap", "podman-rootless", 0, "0:0", NULL, "nomap", .groups = {0}, .host_uid = 100000,
		.host_gid = 100000, .caps = PODMAN_CAPS},
	// U12, U13: with root.
	{"podman 5: keep-id is nobody's", "podman", 504, NULL, "", "keep-id", .groups = {0},
		.caps = PODMAN_CAPS},
	{"podman 5: keep-id:uid=,gid=", "podman", 504, NULL, "", "keep-id:uid=1001,gid=1002",
		.uid = 1001, .gid = 1002, .groups = {1002}, .host_uid = 1001, .host_gid = 1002},
	{"podman 4.3: keep-id", "podman", 403, NULL, "", "keep-id", .why = "without root"},
	{"podman: nomap", "podman", 0, NULL, "", "nomap", .why = "rootless"},
	{"podman: private", "podman", 0, "1:1", NULL, "private", .why = "needs maps"},

	// U11 and podman-run(1), "--uidmap".
	{"podman: --uidmap counts for both", "podman", 0, "1:1", .uid_maps = {"0:100000:65536"},
		.uid = 1, .gid = 1, .groups = {1}, .host_uid = 100001, .host_gid = 100001},
	{"podman: --gidmap counts for both", "podman", 0, "1:1", .gid_maps = {"0:100000:65536"},
		.uid = 1, .gid = 1, .groups = {1}, .host_uid = 100001, .host_gid = 100001},
	{"podman: two maps", "podman", 0, "1:1", .uid_maps = {"0:100000:65536"},
		.gid_maps = {"0:200000:65536"}, .uid = 1, .gid = 1, .groups = {1},
		.host_uid = 100001, .host_gid = 200001},
	{"podman: maps and --userns", "podman", 0, "1:1", NULL, "host",
		.uid_maps = {"0:100000:65536"}, .why = "exclude"},
	{"podman: @ is nothing new for root", "podman", 0, "1:1", .uid_maps = {"0:@100000:10"},
		.uid = 1, .gid = 1, .groups = {1}, .host_uid = 100001, .host_gid = 100001},
	{"podman-rootless: into the engine's IDs", "podman-rootless", 0, "1:1",
		.uid_maps = {"0:1:1000"}, .uid = 1, .gid = 1, .groups = {1}, .host_uid = 100001,
		.host_gid = 100001},
	{"podman-rootless: beyond the map", "podman-rootless", 0, "1000:0",
		.uid_maps = {"0:1:1000"}, .uid = 1000, .groups = {0}, .unmapped = true},
	{"podman-rootless: IDs that it lacks", "podman-rootless", 0, "1:1",
		.uid_maps = {"0:65530:100"}, .why = "lacks"},
	{"podman-rootless: a count of one", "podman-rootless", 0, "5:5", .uid_maps = {"5:0"},
		.uid = 5, .gid = 5, .groups = {5}, .host_uid = 2001, .host_gid = 2001},
	{"podman-rootless: + fills the rest", "podman-rootless", 0, "1001:1001",
		.uid_maps = {"+1001:@2001"}, .uid = 1001, .gid = 1001, .groups = {1001},
		.host_uid = 2001, .host_gid = 2001},
	{"podman-rootless: + and what is below it", "podman-rootless", 0, "1000:1000",
		.uid_maps = {"+1001:@2001"}, .uid = 1000, .gid = 1000, .groups = {1000},
		.host_uid = 101000, .host_gid = 101000},
	{"podman-rootless: + and what is above it", "podman-rootless", 0, "1002:1002",
		.uid_maps = {"+1001:@2001"}, .uid = 1002, .gid = 1002, .groups = {1002},
		.host_uid = 101001, .host_gid = 101001},
	{"podman-rootless: u leaves the groups as they are", "podman-rootless", 0, "1001:1001",
		.uid_maps = {"u0:1:1000", "u1001:0:1"}, .uid = 1001, .gid = 1001, .groups = {1001},
		.host_uid = 2001, .host_gid = 101000},
	{"podman-rootless: g leaves the users as they are", "podman-rootless", 0, "1001:1001",
		.gid_maps = {"+g1001:@2001"}, .uid = 1001, .gid = 1001, .groups = {1001},
		.host_uid = 101000, .host_gid = 2001},
	{"podman-rootless: + breaks what stands before it", "podman-rootless", 0, "5:5",
		.uid_maps = {"0:1:10", "+5:0:1"}, .uid = 5, .gid = 5, .groups = {5},
		.host_uid = 2001, .host_gid = 2001},
	{"podman-rootless: and keeps what is beside it", "podman-rootless", 0, "6:4",
		.uid_maps = {"0:1:10", "+5:0:1"}, .uid = 6, .gid = 4, .groups = {4},
		.host_uid = 100006, .host_gid = 100004},

	// I24: --hostuser.
	{"hostuser", "podman", 504, "rl", .host_user = "rl", .uid = 2001, .gid = 2001,
		.groups = {2001}, .host_uid = 2001, .host_gid = 2001},
	{"hostuser by number", "podman", 504, "rl", .host_user = "2001", .uid = 2001, .gid = 2001,
		.groups = {2001}, .host_uid = 2001, .host_gid = 2001},
	{"hostuser in base 8", "podman", 403, "rl", .host_user = "rl", .uid = 1025, .gid = 1025,
		.groups = {1025}, .host_uid = 1025, .host_gid = 1025},
	{"another hostuser", "podman", 504, "bare", .host_user = "rl", .why = "no user 'bare'"},

	// I25: keep-groups.
	{"keep-groups: the caller's groups", "podman-rootless", 0, "app",
		.group_add = {"keep-groups"}, .uid = 1001, .gid = 1002, .groups = {1002},
		.host_uid = 101000, .host_gid = 101001},
	{"keep-groups and others", "podman-rootless", 0, "app", .group_add = {"keep-groups", "44"},
		.why = "excludes"},
};

static size_t words_of(
	struct sysroot *f, const char *const from[WORDS], const struct br_text **out) {
	struct br_text *words = BR_NEW_ARRAY(&f->arena, struct br_text, WORDS);
	size_t n = 0;
	for (assert_non_null(words); n < WORDS && from[n]; n++) {
		words[n].s = from[n];
	}
	*out = words;
	return n;
}

static const struct br_identity *identify(struct sysroot *f, const struct row *row) {
	static const char *const far[] = {"app", NULL};
	static const struct br_image_user users[] = {{.name = "app", .uid = 1001, .gid = 1002}};
	static const struct br_image_group groups[] = {
		{.name = "extra", .gid = 2000, .members = far},
		{.name = "far", .gid = 70000, .members = far}};
	struct br_container *box = BR_NEW(&f->arena, struct br_container);
	struct br_image *image = BR_NEW(&f->arena, struct br_image);
	assert_true(box && image);
	*box = (struct br_container){.name.s = "box",
		.user.s = row->user,
		.userns_mode.s = row->userns,
		.privileged = row->privileged};
	const char *const host_users[WORDS] = {row->host_user};
	box->nhost_users = words_of(f, host_users, &box->host_users);
	box->nuid_maps = words_of(f, row->uid_maps, &box->uid_maps);
	box->ngid_maps = words_of(f, row->gid_maps, &box->gid_maps);
	box->ngroup_add = words_of(f, row->group_add, &box->group_add);
	box->ncap_add = words_of(f, row->cap_add, &box->cap_add);
	box->ncap_drop = words_of(f, row->cap_drop, &box->cap_drop);
	*image = (struct br_image){.origin = BR_IMAGE_ARCHIVE,
		.from = "x.tar",
		.user.s = row->image_user,
		.capabilities_label = row->label,
		.accounts_complete = true,
		.users = users,
		.nusers = COUNT(users),
		.groups = groups,
		.ngroups = COUNT(groups)};
	struct br_spec spec = {.containers = box, .n = 1};
	struct br_identity_options options = {
		.mode = read_mode(f, row->engine, row->version), .images = image};
	assert_non_null(options.mode);
	return br_identify(&f->arena, &spec, &options, f->dx);
}

static void compare_groups(const struct row *row, const struct br_identity *who) {
	for (size_t i = 0; i < WORDS; i++) {
		uint32_t want = row->groups[i];
		uint32_t got = i < who->ngroups ? who->groups[i].v : 0;
		if (want != got) {
			fail_msg("%s: group %zu is %u, not %u", row->name, i, got, want);
		}
	}
}

static void compare(const struct row *row, const struct br_identity *who) {
	if (!who) {
		fail_msg("%s: an error", row->name);
		return;
	}
	if (row->why) {
		if (who->confidence != BR_UNKNOWN || !strstr(who->why, row->why)) {
			fail_msg("%s: %s", row->name, who->why ? who->why : "known");
		}
		return;
	}
	if (who->confidence == BR_UNKNOWN) {
		fail_msg("%s: unknown: %s", row->name, who->why);
	}
	if (who->uid.v != row->uid || who->gid.v != row->gid || who->unmapped != row->unmapped) {
		fail_msg(
			"%s: %u:%u, unmapped %d", row->name, who->uid.v, who->gid.v, who->unmapped);
	}
	compare_groups(row, who);
	if (row->unmapped) {
		return;
	}
	if (who->cred.uid.v != row->host_uid || who->cred.gid.v != row->host_gid) {
		fail_msg("%s: on the host %u:%u", row->name, who->cred.uid.v, who->cred.gid.v);
	}
	if (who->cred.caps != row->caps) {
		fail_msg("%s: capabilities %llx", row->name, (unsigned long long)who->cred.caps);
	}
}

static void test_rows(void **state) {
	struct sysroot *f = *state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		compare(&rows[i], identify(f, &rows[i]));
	}
}

static void test_keep_groups_on_the_host(void **state) {
	struct sysroot *f = *state;
	const struct row row = {
		.engine = "podman-rootless", .user = "1:1", .group_add = {"keep-groups"}};
	const struct br_identity *who = identify(f, &row);
	assert_non_null(who);
	assert_int_equal(who->cred.ngroups, 2);
	assert_int_equal(who->cred.groups[0].v, 2001);
	assert_int_equal(who->cred.groups[1].v, 5000);
}

/** Words that stop it with an error of their own. */
static void test_wrong_words(void **state) {
	struct sysroot *f = *state;
	static const struct row wrong[] = {
		{"a mode that there is not", "podman", 0, "1:1", .userns = "foo"},
		{"an option that there is not", "podman-rootless", 0, "1:1",
			.userns = "keep-id:x=1"},
		{"a number that is none", "podman-rootless", 0, "1:1", .userns = "keep-id:uid=x"},
		{"a size before 5.4", "podman-rootless", 503, "1:1", .userns = "keep-id:size=5"},
		{"numbers before 4.3", "podman-rootless", 402, "1:1", .userns = "keep-id:uid=5"},
		{"no host", "podman", 0, "1:1", .uid_maps = {"5"}},
		{"four numbers", "podman", 0, "1:1", .uid_maps = {"0:1:2:3"}},
		{"no count before 4.7", "podman", 403, "1:1", .uid_maps = {"0:100000"}},
		{"a flag before 4.7", "podman", 403, "1:1", .uid_maps = {"+0:100000:5"}},
		{"no flag", "podman", 0, "1:1", .uid_maps = {"x0:100000:5"}},
		{"too large", "podman", 0, "1:1", .uid_maps = {"0:4294967295:1"}},
		{"wraps", "podman", 0, "1:1", .uid_maps = {"0:4294967290:10"}},
		{"negative", "podman", 0, "1:1", .uid_maps = {"0:-1:10"}},
		{"overlap", "podman", 0, "1:1", .uid_maps = {"0:100000:10", "9:200000:10"}},
		{"overlap on the host", "podman", 0, "1:1",
			.uid_maps = {"0:100000:10", "20:100009:1"}},
		{"@ of an ID that is not the user's", "podman-rootless", 0, "1:1",
			.uid_maps = {"0:@5000:1"}},
	};
	for (size_t i = 0; i < COUNT(wrong); i++) {
		size_t errors = br_diags_errors(f->dx);
		if (identify(f, &wrong[i]) || br_diags_errors(f->dx) == errors) {
			fail_msg("%s is taken", wrong[i].name);
		}
	}
}

/** docker with userns-remap: U1, U2, U10. */
static void test_remap(void **state) {
	struct sysroot *f = *state;
	sysroot_put(f, "etc/subuid", "rl:100000:65536\n");
	sysroot_put(f, "etc/subgid", "rl:200000:65536\n");
	sysroot_put(f, "etc/docker/daemon.json", "{\"userns-remap\": \"rl\"}\n");
	static const struct row remapped[] = {
		{"app", "docker", 0, "1001:1002", .uid = 1001, .gid = 1002, .groups = {1002},
			.host_uid = 101001, .host_gid = 201002},
		{"root", "docker", 0, "0:0", .groups = {0}, .host_uid = 100000, .host_gid = 200000,
			.caps = DOCKER_CAPS},
		{"beyond", "docker", 0, "70000:0", .uid = 70000, .groups = {0}, .unmapped = true},
		{"host", "docker", 0, "1001:1002", .userns = "host", .uid = 1001, .gid = 1002,
			.groups = {1002}, .host_uid = 1001, .host_gid = 1002},
		{"privileged", "docker", 0, "0:0", .privileged = true, .why = "incompatible"},
		{"privileged, host", "docker", 0, "0:0", .userns = "host", .privileged = true,
			.groups = {0}, .caps = (UINT64_C(1) << 41) - 1},
	};
	for (size_t i = 0; i < COUNT(remapped); i++) {
		compare(&remapped[i], identify(f, &remapped[i]));
	}
}

/** The word of a mount in a container with this user namespace, and whose a file of 1001 on disk is
 * on the host as the mount shows it; 0: it has no map. */
struct mapped {
	const char *word;
	const char *runtime;
	const char *engine;
	const char *uid_map;
	uint32_t shown;
	bool wrong;
};

/** M1-M4, M6, M7. */
static const struct mapped mapped[] = {
	// A bare one is no map of its own: br_identity_on_mount().
	{"idmap", "crun", "podman", "0:100000:65536", 0, false},
	{"idmap", NULL, "podman", "0:100000:65536", 0, false},
	{"idmap", "runc", "podman", "0:100000:65536", 0, false},
	{"idmap", "crun", "podman", NULL, 0, false},
	{"idmap", "crun", "podman-rootless", NULL, 0, false},
	{"idmap=uids=1001-1234-1;gids=0-0-10", "crun", "podman", NULL, 1234, false},
	{"idmap=uids=0-0-10#1001-1234-1;gids=0-0-10", "crun", "podman", NULL, 1234, false},
	{"idmap=uids=@1001-7-1;gids=@0-0-10", "crun", "podman", "0:100000:65536", 100007, false},
	{"idmap=uids=1001-1234-1", "crun", "podman", NULL, 0, true},
	{"idmap=uids=1001-1234;gids=0-0-10", "crun", "podman", NULL, 0, true},
	{"idmap=uids=1001-1234-0;gids=0-0-10", "crun", "podman", NULL, 0, true},
	{"idmap=uids=1-1-5#3-9-1;gids=0-0-10", "crun", "podman", NULL, 0, true},
	{"idmap=x", "crun", "podman", NULL, 0, true},
	{"idmapped", "crun", "podman", NULL, 0, true},
	{NULL, "crun", "podman", "0:100000:65536", 0, false},
};

static void test_mount_maps(void **state) {
	struct sysroot *f = *state;
	for (size_t i = 0; i < COUNT(mapped); i++) {
		const struct mapped *m = &mapped[i];
		struct row row = {.engine = m->engine, .user = "1:1", .uid_maps = {m->uid_map}};
		const struct br_identity *who = identify(f, &row);
		struct br_engine_mode mode = *read_mode(f, m->engine, 0);
		struct br_mount mount = {.idmap.s = m->word};
		struct br_mapped_mount it = {.mode = &mode, .identity = who, .mount = &mount};
		br_hostid shown = {0};
		assert_non_null(who);
		mode.runtime = m->runtime;
		int failed = br_mount_maps(&f->arena, &it, f->dx);
		if (failed != (m->wrong ? -1 : 0)) {
			fail_msg("%s: %d", m->word, failed);
		}
		if (failed) {
			continue;
		}
		assert_int_equal(it.uids.n > 0, m->shown > 0);
		assert_int_equal(it.gids.n > 0, m->shown > 0);
		if (it.uids.n > 0
			&& (!br_idmap_to_host(&it.uids, (br_boxid){1001}, &shown)
				|| shown.v != m->shown)) {
			fail_msg("%s: %u", m->word, shown.v);
		}
	}
}

/** O1, O4-O7: a bundle's process is what it says. */
static void test_bundle(void **state) {
	struct sysroot *f = *state;
	const struct br_text dac = {.s = "CAP_DAC_OVERRIDE"};
	const struct br_text map = {.s = "0:100000:65536"};
	const struct br_text group = {.s = "44"};
	struct br_container box = {.name.s = "box",
		.user.s = "0:0",
		.literal = true,
		.cap_bounding = &dac,
		.ncap_bounding = 1,
		.umask.s = "7"};
	struct br_spec spec = {.containers = &box, .n = 1};
	struct br_identity_options options = {.mode = read_mode(f, "oci", 0)};
	const struct br_identity *who = br_identify(&f->arena, &spec, &options, f->dx);
	assert_non_null(who);
	// Root has the bounding set in effect, whatever the effective one was.
	assert_int_equal(who->cred.caps, DAC);
	assert_int_equal(who->cred.umask, 7);
	assert_int_equal(who->confidence, BR_CERTAIN);
	box.user.s = "1234:1234";
	box.group_add = &group;
	box.ngroup_add = 1;
	box.uid_maps = box.gid_maps = &map;
	box.nuid_maps = box.ngid_maps = 1;
	who = br_identify(&f->arena, &spec, &options, f->dx);
	assert_non_null(who);
	// Others have the ambient one.
	assert_int_equal(who->cred.caps, 0);
	assert_int_equal(who->cred.uid.v, 101234);
	assert_int_equal(who->ngroups, 2);
	assert_int_equal(who->groups[0].v, 44);
	box.cap_ambient = &dac;
	box.ncap_ambient = 1;
	who = br_identify(&f->arena, &spec, &options, f->dx);
	assert_non_null(who);
	assert_int_equal(who->cred.caps, DAC);
}

/** Which engine it is where --engine does not say so. */
static void test_choice(void **state) {
	(void)state;
	const struct br_engine_info docker = {.root_dir = "", .runtime = ""};
	const struct br_engine_info docker_rootless = {.is_rootless = true};
	const struct br_engine_info podman = {.is_podman = true};
	const struct br_engine_info podman_rootless = {.is_podman = true, .is_rootless = true};
	const struct {
		const char *name;
		struct br_engine_request request;
		enum br_engine engine;
	} cases[] = {
		{"nothing is said", {.invoker = {1000}}, BR_ENGINE_DOCKER},
		{"podman, a user", {.input = BR_ENGINE_PODMAN, .invoker = {1000}},
			BR_ENGINE_PODMAN_ROOTLESS},
		{"podman, root", {.input = BR_ENGINE_PODMAN}, BR_ENGINE_PODMAN},
		{"sudo podman, a user",
			{.input = BR_ENGINE_PODMAN, .by_root = true, .invoker = {1000}},
			BR_ENGINE_PODMAN},
		{"a bundle, a user", {.input = BR_ENGINE_OCI, .invoker = {1000}}, BR_ENGINE_OCI},
		{"docker, a user", {.input = BR_ENGINE_DOCKER, .invoker = {1000}},
			BR_ENGINE_DOCKER},
		{"--engine wins", {.engine = {.s = "docker-rootless"}, .input = BR_ENGINE_PODMAN},
			BR_ENGINE_DOCKER_ROOTLESS},
		{"the running docker has no root", {.info = &docker_rootless},
			BR_ENGINE_DOCKER_ROOTLESS},
		{"the running docker has", {.info = &docker}, BR_ENGINE_DOCKER},
		{"what runs is podman", {.info = &podman_rootless}, BR_ENGINE_PODMAN_ROOTLESS},
		{"podman's service of root, a user's line",
			{.input = BR_ENGINE_PODMAN, .info = &podman, .invoker = {1000}},
			BR_ENGINE_PODMAN},
		{"a docker line, podman runs", {.input = BR_ENGINE_DOCKER, .info = &podman},
			BR_ENGINE_DOCKER},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum br_engine engine = br_engine_choose(&cases[i].request);
		if (engine != cases[i].engine) {
			fail_msg("%s: %s", cases[i].name, br_engine_name(engine));
		}
	}
}

/** The daemon was started with --userns-remap: its directory has the name of the maps. */
static void test_running_remap(void **state) {
	struct sysroot *f = *state;
	struct br_engine_info info = {
		.has_userns = true, .root_dir = "/var/lib/docker/100000.100000", .runtime = "runc"};
	struct br_engine_request request = {.info = &info};
	f->db = br_hostdb_read(f->root, f->dx);
	const struct br_engine_mode *mode = br_engine_mode_read(&f->arena, &request, f->db, f->dx);
	assert_non_null(mode);
	assert_null(mode->why);
	assert_int_equal(mode->uids.n, 1);
	assert_int_equal(mode->uids.extents[0].host, 100000);
	assert_int_equal(mode->uids.extents[0].count, 65536);
	assert_string_equal(mode->runtime, "runc");
	// Nobody's range begins there.
	info.root_dir = "/var/lib/docker/300000.300000";
	mode = br_engine_mode_read(&f->arena, &request, f->db, f->dx);
	assert_non_null(mode);
	assert_non_null(mode->why);
	info.root_dir = "/var/lib/docker/";
	mode = br_engine_mode_read(&f->arena, &request, f->db, f->dx);
	assert_non_null(mode);
	assert_non_null(mode->why);
	// daemon.json says so, but the daemon was not started anew.
	sysroot_put(f, "etc/docker/daemon.json", "{\"userns-remap\": \"rl\"}\n");
	info.has_userns = false;
	size_t said = br_diags_count(f->dx);
	mode = br_engine_mode_read(&f->arena, &request, f->db, f->dx);
	assert_non_null(mode);
	assert_int_equal(mode->uids.n, 0);
	assert_int_equal(br_diags_count(f->dx), said + 1);
}

static bool try(struct sysroot *f, unsigned n) {
	struct br_arena arena = {0};
	struct br_engine_request request = {.engine = {.s = "podman-rootless"}, .invoker = {2001}};
	fault_at(n);
	const struct br_engine_mode *mode = br_engine_mode_read(&arena, &request, f->db, f->dx);
	bool hit = fault_hit();
	fault_at(0);
	assert_true(mode != NULL || hit);
	br_arena_release(&arena);
	return hit;
}

static void test_without_memory(void **state) {
	struct sysroot *f = *state;
	unsigned n = 1;
	f->db = br_hostdb_read(f->root, f->dx);
	assert_non_null(f->db);
	while (try(f, n)) {
		n++;
	}
	assert_true(n > 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, set_up, sysroot_teardown),
		cmocka_unit_test_setup_teardown(
			test_keep_groups_on_the_host, set_up, sysroot_teardown),
		cmocka_unit_test_setup_teardown(test_wrong_words, set_up, sysroot_teardown),
		cmocka_unit_test_setup_teardown(test_remap, set_up, sysroot_teardown),
		cmocka_unit_test_setup_teardown(test_mount_maps, set_up, sysroot_teardown),
		cmocka_unit_test_setup_teardown(test_bundle, set_up, sysroot_teardown),
		cmocka_unit_test(test_choice),
		cmocka_unit_test_setup_teardown(test_running_remap, set_up, sysroot_teardown),
		cmocka_unit_test_setup_teardown(test_without_memory, set_up, sysroot_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
