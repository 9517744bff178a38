/** Containers that engines have: what is read of their words, and who they are then. The words are
 * those of docker 20.10.24 and podman 4.3.1, cut down to what is read. */
#include <base/mem.h>
#include <bindright/identity.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char docker[] =
	"{\"container\": {\"Id\": \"79f0\", \"Name\": \"/d1\", \"Image\": \"sha256:ad29\", \"State\": {\"Running\": false, \"Pid\": 0},"
	" \"Config\": {\"User\": \"app\", \"Image\": \"base\", \"Env\": [\"A=b\"], \"WorkingDir\": \"/w\"},"
	" \"HostConfig\": {\"Binds\": [\"/h:/a:ro\", \"bv:/bv\"], \"CapAdd\": [\"SYS_TIME\"], \"CapDrop\": null, \"GroupAdd\": [\"44\"], \"Privileged\": false,"
	" \"UsernsMode\": \"host\", \"PidMode\": \"\", \"NetworkMode\": \"default\", \"Runtime\": \"runc\", \"Tmpfs\": {\"/t\": \"size=1m\"},"
	" \"Mounts\": [{\"Type\": \"bind\", \"Source\": \"/h2\", \"Target\": \"/c\"}]},"
	" \"Mounts\": [{\"Type\": \"bind\", \"Source\": \"/h2\", \"Destination\": \"/c\", \"Mode\": \"\", \"RW\": true, \"Propagation\": \"rprivate\"},"
	" {\"Type\": \"bind\", \"Source\": \"/h\", \"Destination\": \"/a\", \"Mode\": \"ro,Z\", \"RW\": false, \"Propagation\": \"rprivate\"},"
	" {\"Type\": \"volume\", \"Name\": \"nv\", \"Source\": \"/x/nv/_data\", \"Destination\": \"/n\", \"Driver\": \"local\", \"Mode\": \"z\", \"RW\": true},"
	" {\"Type\": \"volume\", \"Name\": \"bv\", \"Source\": \"/x/bv/_data\", \"Destination\": \"/bv\", \"Driver\": \"local\", \"Mode\": \"z\", \"RW\": true}]},"
	" \"volumes\": {\"nv\": {\"Options\": null}, \"bv\": {\"Options\": {\"device\": \"/h3\", \"o\": \"bind\", \"type\": \"none\"}}}}";

static const char podman[] =
	"{\"container\": {\"Id\": \"5e84\", \"Name\": \"r1\", \"ImageName\": \"localhost/image:latest\", \"OCIRuntime\": \"crun\","
	" \"State\": {\"Running\": true, \"Pid\": 563}, \"EffectiveCaps\": [\"CAP_KILL\"], \"BoundingCaps\": [\"CAP_CHOWN\", \"CAP_KILL\"],"
	" \"Config\": {\"User\": \"2001:2001\", \"Umask\": \"0007\", \"Annotations\": {\"run.oci.keep_original_groups\": \"1\"}},"
	" \"HostConfig\": {\"CapAdd\": [], \"CapDrop\": [\"CAP_MKNOD\"], \"GroupAdd\": [], \"UsernsMode\": \"private\","
	" \"IDMappings\": {\"UidMap\": [\"0:1:2001\", \"2001:0:1\"], \"GidMap\": [\"0:1:2001\", \"2001:0:1\"]}, \"Tmpfs\": {}},"
	" \"Mounts\": [{\"Type\": \"bind\", \"Source\": \"/h\", \"Destination\": \"/a\", \"Mode\": \"\", \"Options\": [\"U\", \"idmap\", \"rbind\"], \"RW\": false}]},"
	" \"volumes\": {}}";

struct fixture {
	struct br_places *places;
	struct br_diags *dx;
	struct br_arena arena;
	struct br_spec *spec;
};

static int set_up(void **state) {
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->places = br_places_new();
	f->dx = br_diags_new(f->places);
	assert_non_null(f->dx);
	*state = f;
	return 0;
}

static int tear_down(void **state) {
	struct fixture *f = *state;
	br_spec_free(f->spec);
	br_arena_release(&f->arena);
	br_diags_free(f->dx);
	br_places_free(f->places);
	free(f);
	return 0;
}

static const struct br_container *read_one(struct fixture *f, const char *json, bool is_podman) {
	const struct br_inspected one = {
		.name = {.s = "x"}, .json = json, .n = strlen(json), .is_podman = is_podman};
	br_spec_free(f->spec);
	f->spec = br_spec_of_containers(&one, 1, "/srv", f->dx);
	return f->spec ? f->spec->containers : NULL;
}

static const struct br_mount *mount_at(const struct br_container *box, const char *target) {
	for (size_t i = 0; i < box->nmounts; i++) {
		if (strcmp(box->mounts[i].target.s, target) == 0) {
			return &box->mounts[i];
		}
	}
	fail_msg("no mount at %s", target);
	return NULL;
}

static void test_docker(void **state) {
	const struct br_container *box = read_one(*state, docker, false);
	assert_non_null(box);
	assert_string_equal(box->name.s, "d1");
	assert_string_equal(box->image.s, "base");
	assert_string_equal(box->user.s, "app");
	assert_string_equal(box->userns_mode.s, "host");
	assert_string_equal(box->runtime.s, "runc");
	assert_string_equal(box->environment[0].s, "A=b");
	assert_string_equal(box->group_add[0].s, "44");
	assert_string_equal(box->cap_add[0].s, "SYS_TIME");
	assert_int_equal(box->ncap_drop, 0);
	assert_true(box->exists && !box->runs && !box->has_caps && !box->privileged);
	assert_int_equal(box->nmounts, 5);
	const struct br_mount *a = mount_at(box, "/a");
	assert_int_equal(a->kind, BR_MOUNT_BIND);
	assert_string_equal(a->source.s, "/h");
	assert_true(a->read_only && a->selinux == 'Z' && a->create == BR_CREATE_ENGINE);
	const struct br_mount *c = mount_at(box, "/c");
	assert_true(!c->read_only && c->create == BR_CREATE_NEVER);
	assert_int_equal(mount_at(box, "/n")->kind, BR_MOUNT_VOLUME);
	assert_string_equal(mount_at(box, "/n")->source.s, "nv");
	assert_int_equal(mount_at(box, "/bv")->kind, BR_MOUNT_VOLUME_BIND);
	assert_string_equal(mount_at(box, "/bv")->source.s, "/h3");
	assert_int_equal(mount_at(box, "/t")->kind, BR_MOUNT_TMPFS);
}

static void test_podman(void **state) {
	const struct br_container *box = read_one(*state, podman, true);
	assert_non_null(box);
	assert_true(box->exists && box->runs && box->has_caps);
	assert_string_equal(box->image.s, "localhost/image:latest");
	assert_string_equal(box->umask.s, "0007");
	assert_string_equal(box->runtime.s, "crun");
	assert_null(box->userns_mode.s);
	assert_int_equal(box->nuid_maps, 2);
	assert_string_equal(box->uid_maps[1].s, "2001:0:1");
	assert_int_equal(box->ncap_bounding, 2);
	assert_int_equal(box->ncap_ambient, 1);
	assert_int_equal(box->ncap_drop, 0);
	assert_string_equal(box->group_add[0].s, "keep-groups");
	const struct br_mount *a = mount_at(box, "/a");
	assert_true(a->read_only && a->chown && a->create == BR_CREATE_NEVER);
	assert_string_equal(a->idmap.s, "idmap");
}

static void test_wrong(void **state) {
	struct fixture *f = *state;
	static const char *const wrong[] = {"", "{}", "{\"container\": []}",
		"{\"container\": {\"Name\": \"\"}}", "{\"container\": {\"Name\": \"/\"}}"};
	for (size_t i = 0; i < COUNT(wrong); i++) {
		size_t errors = br_diags_errors(f->dx);
		assert_null(read_one(f, wrong[i], false));
		assert_int_equal(br_diags_errors(f->dx), errors + 1);
	}
	// Values of other types are absent.
	const struct br_container *box = read_one(f,
		"{\"container\": {\"Name\": \"a\", \"Config\": 1, \"HostConfig\": {\"CapAdd\": 5, \"Tmpfs\": []}, \"Mounts\": [7, {}, {\"Type\": \"bind\", \"Destination\": \"x\"}]}}",
		false);
	assert_non_null(box);
	assert_int_equal(box->nmounts, 0);
}

static void test_no_memory(void **state) {
	struct fixture *f = *state;
	bool hit = true;
	for (unsigned n = 1; hit; n++) {
		br_diags_free(f->dx);
		f->dx = br_diags_new(f->places);
		assert_non_null(f->dx);
		fault_at(n);
		const struct br_container *box = read_one(f, docker, false);
		hit = fault_hit();
		fault_at(0);
		assert_true(hit ? !box && br_diags_errors(f->dx) > 0 : box != NULL);
	}
}

// ---- who they are ----

static const struct br_idmap_extent rootless[] = {{0, 2001, 1}, {1, 100000, 65536}};

static const struct br_identity *identify(struct fixture *f,
	const struct br_engine_container *existing, const struct br_container *box) {
	static struct br_host_user rl = {"rl", {2001}, {2001}, "/"};
	static struct br_engine_mode mode = {.engine = BR_ENGINE_PODMAN_ROOTLESS,
		.version = 403,
		.user = &rl,
		.uids = {rootless, COUNT(rootless)},
		.gids = {rootless, COUNT(rootless)}};
	static const struct br_image image = {.origin = BR_IMAGE_ENGINE,
		.from = "socket",
		.user = {.s = ""},
		.accounts_complete = true};
	const struct br_spec spec = {.containers = box, .n = 1};
	const struct br_identity_options options = {
		.mode = &mode, .images = &image, .existing = existing};
	return br_identify(&f->arena, &spec, &options, f->dx);
}

/** What runs is who the kernel says, whatever the words are. */
static void test_process(void **state) {
	struct fixture *f = *state;
	static const br_hostid groups[] = {{5000}, {101999}};
	const struct br_engine_container existing = {.is = {.json = "{}"},
		.process = {.pid = 5,
			.uid = {101000},
			.gid = {101001},
			.groups = groups,
			.ngroups = 2,
			.caps = 2,
			.bounding = 3,
			.umask = 07,
			.uids = {rootless, COUNT(rootless)},
			.gids = {rootless, COUNT(rootless)}}};
	struct br_container box = {.name.s = "a", .user.s = "nobody-knows", .exists = true};
	const struct br_identity *who = identify(f, &existing, &box);
	assert_non_null(who);
	assert_int_equal(who->confidence, BR_CERTAIN);
	assert_int_equal(who->uid.v, 1001);
	assert_int_equal(who->gid.v, 1002);
	assert_int_equal(who->ngroups, 2);
	assert_int_equal(who->groups[1].v, 2000);
	assert_int_equal(who->cred.uid.v, 101000);
	assert_int_equal(who->cred.ngroups, 2);
	assert_int_equal(who->cred.caps, 2);
	assert_int_equal(who->cred.umask, 07);
	assert_false(who->unmapped);
	// Of a line that would make it anew it says nothing.
	box.exists = false;
	box.user.s = "7:8";
	who = identify(f, &existing, &box);
	assert_int_equal(who->uid.v, 7);
	assert_int_equal(who->cred.uid.v, 100006);
}

/** The maps of the one that is there, under auto and in a pod. */
static void test_maps(void **state) {
	struct fixture *f = *state;
	static const struct br_text maps[] = {{.s = "0:1:2001"}, {.s = "2001:0:1"}};
	static const struct br_text two[] = {{.s = "0:1025:1024"}};
	struct br_engine_container existing = {.is = {.json = "{}"},
		.uid_maps = two,
		.nuid_maps = 1,
		.gid_maps = two,
		.ngid_maps = 1};
	struct br_container box = {
		.name.s = "a", .user.s = "5:6", .userns_mode.s = "auto:size=1024"};
	const struct br_identity *who = identify(f, &existing, &box);
	assert_int_equal(who->cred.uid.v, 101029);
	who = identify(f, NULL, &box);
	assert_int_equal(who->confidence, BR_UNKNOWN);
	// keep-id of a pod is everybody's in it.
	existing = (struct br_engine_container){.is = {.json = "{}"},
		.is_pod = true,
		.uid_maps = maps,
		.nuid_maps = 2,
		.gid_maps = maps,
		.ngid_maps = 2};
	box = (struct br_container){.name.s = "a", .pod.s = "p"};
	who = identify(f, &existing, &box);
	assert_int_equal(who->uid.v, 2001);
	assert_int_equal(who->cred.uid.v, 2001);
	box.user.s = "5:6";
	who = identify(f, &existing, &box);
	assert_int_equal(who->cred.uid.v, 100005);
	assert_int_equal(who->ngroups, 2);
	// One that shares no user namespace, one that is not there, and one that cannot be joined so.
	existing = (struct br_engine_container){.is_pod = true, .alone = true};
	who = identify(f, &existing, &box);
	assert_int_equal(who->cred.uid.v, 100004);
	assert_int_equal(identify(f, NULL, &box)->confidence, BR_UNKNOWN);
	box.userns_mode.s = "keep-id";
	who = identify(f, &existing, &box);
	assert_int_equal(who->confidence, BR_UNKNOWN);
	assert_non_null(strstr(who->why, "--userns"));
}

// ---- whose a mount is before the start ----

static void test_of_mount(void **state) {
	enum {
		CHOWN = 1 << 0,
	};
	static const struct br_image_drop data = {.data = "/var/lib/x|/y"};
	static const struct br_image_drop fresh = {.data = "/var/lib/x", .only_new = true};
	static const struct br_image_drop workers = {.workers_only = true, .chowns = true};
	static const struct br_image_drop idle_workers = {.workers_only = true};
	static const struct br_image_drop none = {.uid = 999};
	static const struct {
		const char *what;
		const struct br_image_drop *drop;
		const char *target;
		bool read_only;
		bool missing;
		bool may_chown;
		bool first;
	} rows[] = {
		{"the entrypoint gives it away", &data, "/var/lib/x", false, false, true, true},
		{"and what is below", &data, "/y/z", false, false, true, true},
		{"a name that only begins so", &data, "/var/lib/xy", false, false, true, false},
		{"it may not", &data, "/var/lib/x", false, false, false, false},
		{"it is only read", &data, "/var/lib/x", true, false, true, false},
		{"elsewhere", &data, "/z", false, false, true, false},
		{"only what is new", &fresh, "/var/lib/x", false, false, true, false},
		{"it is new", &fresh, "/var/lib/x", false, true, true, true},
		{"no data", &none, "/var/lib/x", false, true, true, false},
		{"workers write", &workers, "/d", false, false, true, false},
		{"workers do not", &workers, "/d", true, false, true, true},
		{"workers are given nothing", &idle_workers, "/d", false, false, true, true},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct br_identity second = {.uid = {999}};
		struct br_identity first = {.drop = rows[i].drop, .drops_to = &second};
		first.cred.caps = rows[i].may_chown ? CHOWN : 0;
		const struct br_mount mount = {
			.target.s = rows[i].target, .read_only = rows[i].read_only};
		const struct br_identity *who =
			br_identity_of_mount(&first, &mount, rows[i].missing);
		if ((who == &first) != rows[i].first) {
			fail_msg("%s", rows[i].what);
		}
		// Who does not drop is the same everywhere.
		first.drops_to = NULL;
		first.drop = NULL;
		assert_ptr_equal(br_identity_of_mount(&first, &mount, rows[i].missing), &first);
	}
}

/** Accounts that images of this name have, where the image itself was not read (image.c,
 * add_seeds). */
static void test_seeds(void **state) {
	struct fixture *f = *state;
	static const struct {
		const char *image;
		const char *user;
		/** 0: no such account. */
		uint32_t uid;
		bool any;
	} rows[] = {{"node:20", "node", 1000, true},
		{"docker.io/library/node", "node:node", 1000, true},
		{"nginx:alpine", "nginx", 101, true}, {"debian:12", "www-data", 0, false},
		{"node:20", "1000", 0, false}, {"node:20", "1000:1000", 0, false},
		{"node:20", NULL, 0, false}, {"ubuntu:20.04", "ubuntu", 0, false},
		{"ubuntu:24.04", "ubuntu", 1000, true}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct br_container box = {
			.name.s = "a", .image.s = rows[i].image, .user.s = rows[i].user};
		const struct br_spec spec = {.containers = &box, .n = 1, .project_directory = "/"};
		const struct br_image_options options = {0};
		const struct br_image *image = br_images_read(&f->arena, &spec, &options, f->dx);
		assert_non_null(image);
		uint32_t uid = 0;
		size_t n = rows[i].user ? strcspn(rows[i].user, ":") : 0;
		for (size_t k = 0; k < image->nusers; k++) {
			bool same = strlen(image->users[k].name) == n
				&& memcmp(image->users[k].name, rows[i].user, n) == 0;
			uid = same ? image->users[k].uid : uid;
		}
		if (uid != rows[i].uid || (image->nusers > 0) != rows[i].any) {
			fail_msg("%s of %s: %u, %zu accounts", rows[i].user, rows[i].image, uid,
				image->nusers);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_docker, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_podman, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_process, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_maps, set_up, tear_down),
		cmocka_unit_test(test_of_mount),
		cmocka_unit_test_setup_teardown(test_seeds, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
