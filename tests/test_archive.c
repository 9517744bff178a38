#include <base/own.h>
#include <base/sha256.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <image/parts.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/tarball.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

// ---- a finder with one archive ----

struct setting {
	struct br_arena arena;
	struct br_places *places;
	struct br_diags *dx;
	struct br_text archives[2];
	struct br_image_options options;
	struct image_finder finder;
	struct br_image image;
};

static char directory[512];

static void set_up(struct setting *t, const char *path) {
	*t = (struct setting){0};
	t->places = br_places_new();
	t->dx = t->places ? br_diags_new(t->places) : NULL;
	assert_non_null(t->dx);
	t->archives[0].s = path;
	t->options = (struct br_image_options){
		.archives = t->archives, .narchives = 1, .platform = "linux/amd64"};
	t->finder = (struct image_finder){.arena = &t->arena, .options = &t->options, .dx = t->dx};
}

static void tear_down(struct setting *t) {
	archive_release(&t->finder);
	br_diags_free(t->dx);
	br_places_free(t->places);
	br_arena_release(&t->arena);
}

static const char *last_message(const struct setting *t) {
	size_t n = br_diags_count(t->dx);
	return n ? br_diags_get(t->dx, n - 1)->message : "";
}

static int find(struct setting *t, const char *name) {
	size_t before = br_diags_errors(t->dx);
	int found = archive_find(&t->finder, name, &t->image);
	assert_int_equal(br_diags_errors(t->dx) - before, found < 0);
	return found;
}

/** Write bytes to the directory's file "a" and give its path. */
static const char *put(const struct br_buf *bytes) {
	static char path[600];
	(void)snprintf(path, sizeof(path), "%s/a", directory);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	for (size_t at = 0; at < bytes->n;) {
		ssize_t got = write(fd, bytes->s + at, bytes->n - at);
		assert_true(got > 0);
		at += (size_t)got;
	}
	assert_int_equal(close(fd), 0);
	return path;
}

/** Find "t" in these bytes, expecting that it fails for a reason that has these words. */
static void expect_refused(const struct br_buf *bytes, const char *words) {
	struct setting t;
	set_up(&t, put(bytes));
	int found = find(&t, "t");
	if (found != -1 || !strstr(last_message(&t), words)) {
		fail_msg("%d, \"%s\", not \"%s\"", found, last_message(&t), words);
	}
	tear_down(&t);
}

// ---- images ----

/** A layer of these entries (up to one without name), packed. */
static void add_layer(struct tarball_image *image, const struct tarball_entry *entries, char how) {
	struct br_buf *layer = &image->layers[image->nlayers];
	*layer = (struct br_buf){0};
	for (; entries->name; entries++) {
		tarball_add(layer, entries);
	}
	tarball_end(layer);
	tarball_digest(layer, image->plain[image->nlayers++]);
	tarball_pack(layer, how);
}

static const struct tarball_entry plain_layer[] = {
	{'d', "etc/", NULL},
	{'f', "etc/passwd", "root:x:0:0\napp:x:1001:1002\n"},
	{'f', "etc/group", "root:x:0:\nmedia:x:2001:app,root\n"},
	{0, NULL, NULL},
};

/** Images of one layer. */
static struct tarball_image simple(const char *name, const char *user, char how) {
	static char configs[8][200];
	static unsigned next;
	char *config = configs[next++ % 8];
	(void)snprintf(config, sizeof(configs[0]),
		"\"User\":\"%s\",\"Env\":[\"PATH=/bin\",\"A=b=c\"],\"Labels\":{\"io.containers.capabilities\":\"CHOWN\"}",
		user);
	struct tarball_image image = {.name = name, .config = config};
	add_layer(&image, plain_layer, how);
	return image;
}

static void check_simple(const struct setting *t, const char *user) {
	const struct br_image *i = &t->image;
	assert_int_equal(i->origin, BR_IMAGE_ARCHIVE);
	assert_string_equal(i->from, t->archives[0].s);
	assert_string_equal(i->user.s, user);
	assert_null(i->unknown);
	assert_true(i->accounts_complete);
	assert_false(i->no_passwd);
	assert_false(i->no_group);
	assert_int_equal(i->nusers, 2);
	assert_string_equal(i->users[1].name, "app");
	assert_int_equal(i->users[1].uid, 1001);
	assert_int_equal(i->users[1].gid, 1002);
	assert_int_equal(i->ngroups, 2);
	assert_int_equal(i->groups[1].gid, 2001);
	assert_string_equal(i->groups[1].members[0], "app");
	assert_int_equal(i->nenvironment, 2);
	assert_string_equal(i->environment[1], "A=b=c");
	assert_string_equal(i->capabilities_label, "CHOWN");
}

/** An OCI layout of one image with these annotations (JSON members, or ""). */
static void make_layout(
	struct tarball_layout *layout, const struct tarball_image *image, const char *annotations) {
	char *descriptor = tarball_oci_image(layout, image);
	struct br_buf all = {0};
	br_buf_addf(&all, "{%s,\"annotations\":{%s}}", descriptor, annotations);
	tarball_oci_finish(layout, all.s);
	br_buf_release(&all);
	free(descriptor);
}

static void test_forms(void **state) {
	(void)state;
	static const char packings[] = "-gz";
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < 3; k++) {
			struct setting t;
			struct br_buf tar = {0};
			struct tarball_image image = simple("t:latest", "app", packings[i]);
			tarball_docker(&tar, &image, 1);
			tarball_pack(&tar, packings[k]);
			set_up(&t, put(&tar));
			assert_int_equal(find(&t, "t"), 1);
			check_simple(&t, "app");
			// from memory now, and another one that is not there
			assert_int_equal(find(&t, "docker.io/library/t:latest"), 1);
			check_simple(&t, "app");
			assert_int_equal(find(&t, "other"), 0);
			tear_down(&t);
			br_buf_release(&tar);

			struct tarball_layout layout = {.n = 0};
			make_layout(&layout, &image,
				"\"org.opencontainers.image.ref.name\":\"docker.io/library/t:latest\"");
			tarball_oci_tar(&tar, &layout);
			tarball_pack(&tar, packings[k]);
			set_up(&t, put(&tar));
			assert_int_equal(find(&t, "t"), 1);
			check_simple(&t, "app");
			tear_down(&t);
			br_buf_release(&tar);

			char path[600];
			(void)snprintf(path, sizeof(path), "%s/layout-%zu-%zu", directory, i, k);
			assert_int_equal(mkdir(path, 0755), 0);
			tarball_oci_write(path, &layout);
			set_up(&t, path);
			assert_int_equal(find(&t, "t"), 1);
			check_simple(&t, "app");
			assert_int_equal(find(&t, "other"), 0);
			tear_down(&t);
			tarball_layout_release(&layout);
			tarball_image_release(&image);
		}
	}
}

// ---- names ----

static const struct {
	const char *has, *asked;
	bool found;
} names[] = {
	{"redis:latest", "redis", true},
	{"redis:7", "redis", false},
	{"redis:7", "redis:7", true},
	{"redis:7", "docker.io/library/redis:7", true},
	{"redis:7", "index.docker.io/library/redis:7", true},
	{"redis:7", "docker.io/redis:7", true},
	{"docker.io/library/redis:7", "redis:7", true},
	{"docker.io/bitnami/redis:7", "redis:7", false},
	{"docker.io/bitnami/redis:7", "bitnami/redis:7", true},
	{"localhost/mine:latest", "mine", true},
	{"localhost/mine:latest", "localhost/mine", true},
	{"localhost/a/mine:latest", "a/mine", true},
	{"localhost/mine:latest", "docker.io/library/mine", false},
	{"localhost/mine:latest", "quay.io/mine", false},
	{"quay.io/x/y:1", "quay.io/x/y:1", true},
	{"quay.io/x/y:1", "x/y:1", false},
	{"host:5000/x:1", "host:5000/x:1", true},
	{"host:5000/x:1", "host/x:1", false},
	{"redis:7", "Redis:7", false},
	{"redis:7", "../redis:7", false},
	{"redis:7", "", false},
	{"redis:7",
		"redis:7@sha256:0000000000000000000000000000000000000000000000000000000000000000",
		false},
	{NULL, "anything:1", true},
};

static void test_names(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct setting t;
		struct br_buf tar = {0};
		struct tarball_image image = simple(names[i].has, "app", '-');
		tarball_docker(&tar, &image, 1);
		set_up(&t, put(&tar));
		if (find(&t, names[i].asked) != names[i].found) {
			fail_msg("%s as %s", names[i].has, names[i].asked);
		}
		tear_down(&t);
		br_buf_release(&tar);
		tarball_image_release(&image);
	}
}

static void test_several_images(void **state) {
	(void)state;
	struct setting t;
	struct br_buf tar = {0};
	struct tarball_image images[] = {simple("a:1", "one", '-'),
		simple("localhost/b:latest", "two", '-'), simple("b:latest", "three", '-'),
		simple(NULL, "four", '-')};
	tarball_docker(&tar, images, 4);
	set_up(&t, put(&tar));
	assert_int_equal(find(&t, "a:1"), 1);
	check_simple(&t, "one");
	assert_int_equal(find(&t, "b"), 1); // the exact name first
	check_simple(&t, "three");
	assert_int_equal(find(&t, "localhost/b"), 1);
	check_simple(&t, "two");
	assert_int_equal(find(&t, "a:2"), 0); // the nameless one does not stand alone
	tear_down(&t);
	br_buf_release(&tar);
	for (size_t i = 0; i < 4; i++) {
		tarball_image_release(&images[i]);
	}
}

static const struct {
	const char *annotations, *asked;
	bool found;
} annotated[] = {
	{"", "x:1", true}, {"\"org.opencontainers.image.ref.name\":\"1\"", "x:1", true},
	{"\"org.opencontainers.image.ref.name\":\"1\"", "x:2", false},
	{"\"org.opencontainers.image.ref.name\":\"x:1\"", "x:1", true},
	{"\"org.opencontainers.image.ref.name\":\"x\"", "x", true},
	{"\"org.opencontainers.image.ref.name\":\"1\",\"io.containerd.image.name\":\"docker.io/library/x:1\"",
		"x:1", true},
	{"\"org.opencontainers.image.ref.name\":\"1\",\"io.containerd.image.name\":\"docker.io/library/x:1\"",
		"y:1", false},
	{"\"Org.opencontainers.image.ref.name\":\"y:1\"", "x:1", true}, // another key: no name
};

static void test_annotations(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(annotated) / sizeof(*annotated); i++) {
		struct setting t;
		struct br_buf tar = {0};
		struct tarball_layout layout = {.n = 0};
		struct tarball_image image = simple(NULL, "app", 'g');
		make_layout(&layout, &image, annotated[i].annotations);
		tarball_oci_tar(&tar, &layout);
		set_up(&t, put(&tar));
		if (find(&t, annotated[i].asked) != annotated[i].found) {
			fail_msg("%s as %s", annotated[i].annotations, annotated[i].asked);
		}
		tear_down(&t);
		br_buf_release(&tar);
		tarball_layout_release(&layout);
		tarball_image_release(&image);
	}
}

// ---- platforms ----

/** An index of amd64, arm64 and arm/v6 with the users a, b and c; in index.json itself if `flat`,
 * else one blob below. */
static void make_platforms(struct br_buf *tar, bool flat) {
	struct tarball_layout layout = {.n = 0};
	struct br_buf list = {0};
	static const struct {
		const char *architecture, *user, *variant;
	} all[] = {{"arm64", "b", ""}, {"unknown", "z", ""}, {"amd64", "a", ""},
		{"arm", "c", ",\"variant\":\"v6\""}};
	for (size_t i = 0; i < 4; i++) {
		struct tarball_image image = simple(NULL, all[i].user, 'g');
		image.architecture = all[i].architecture;
		char *descriptor = tarball_oci_image(&layout, &image);
		// the variant goes into the platform, whose brace is the last byte
		descriptor[strlen(descriptor) - 1] = '\0';
		br_buf_addf(&list,
			"%s{%s%s},\"annotations\":{\"org.opencontainers.image.ref.name\":\"x:1\"}}",
			i ? "," : "", descriptor, all[i].variant);
		free(descriptor);
		tarball_image_release(&image);
	}
	char *index = tarball_oci_index(&layout, list.s);
	if (!flat) {
		br_buf_release(&list);
		br_buf_addf(&list,
			"{%s,\"annotations\":{\"org.opencontainers.image.ref.name\":\"x:1\"}}",
			index);
	}
	tarball_oci_finish(&layout, list.s);
	tarball_oci_tar(tar, &layout);
	free(index);
	br_buf_release(&list);
	tarball_layout_release(&layout);
}

static void test_platforms(void **state) {
	(void)state;
	static const struct {
		const char *platform, *user;
	} cases[] = {
		{"linux/amd64", "a"},
		{"linux/x86_64", "a"},
		{"amd64", "a"},
		{"linux/arm64", "b"},
		{"linux/arm64/v8", "b"},
		{"aarch64", "b"},
		{"linux/arm/v6", "c"},
		{"linux/arm/v7", "c"},
		{"linux/arm", "c"},
		{"linux/arm/v5", NULL},
		{"linux/riscv64", NULL},
		{"windows/amd64", NULL},
		{"linux/", NULL},
		{"a/b/c/d", NULL},
	};
	for (int flat = 0; flat < 2; flat++) {
		struct br_buf tar = {0};
		make_platforms(&tar, flat);
		const char *path = put(&tar);
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			struct setting t;
			set_up(&t, path);
			t.options.platform = cases[i].platform;
			int found = find(&t, "x:1");
			if (found != (cases[i].user != NULL)) {
				fail_msg("%s: %d %s", cases[i].platform, found, last_message(&t));
			}
			if (found) {
				check_simple(&t, cases[i].user);
			}
			tear_down(&t);
		}
		br_buf_release(&tar);
	}
}

// ---- the root file system ----

#define PASSWD(name) name ":x:1:1\n"
#define END \
	{ 0, NULL, NULL }

/** Layers, and the first user of the passwd and the first group of the group that come out; NULL:
 * there is no such file. By hand from the OCI layer rules and Linux's path resolution. */
static const struct {
	const char *name;
	struct tarball_entry layers[4][10];
	const char *user, *group;
} roots[] = {
	{"no layers", {{END}}, NULL, NULL},
	{"one file", {{{'f', "etc/passwd", PASSWD("a")}, END}}, "a", NULL},
	{"both", {{{'f', "etc/passwd", PASSWD("a")}, {'f', "etc/group", PASSWD("g")}, END}}, "a",
		"g"},
	{"empty", {{{'f', "etc/passwd", ""}, END}}, "", NULL},
	{"names with dots and slashes",
		{{{'f', "./etc//./passwd", PASSWD("a")}, {'f', "/etc/group", PASSWD("g")}, END}},
		"a", "g"},
	{"dots that lead up are nothing",
		{{{'f', "etc/passwd", PASSWD("a")}, {'f', "etc/../etc/passwd", PASSWD("b")},
			{'f', "../etc/passwd", PASSWD("c")}, END}},
		"a", NULL},
	{"last of a layer",
		{{{'f', "etc/passwd", PASSWD("a")}, {'f', "etc/passwd", PASSWD("b")}, END}}, "b",
		NULL},
	{"later layer",
		{{{'f', "etc/passwd", PASSWD("a")}, END}, {{'f', "etc/passwd", PASSWD("b")}, END}},
		"b", NULL},
	{"each from another layer",
		{{{'f', "etc/passwd", PASSWD("a")}, END}, {{'f', "etc/group", PASSWD("g")}, END}},
		"a", "g"},
	{"directory again hides nothing",
		{{{'f', "etc/passwd", PASSWD("a")}, END}, {{'d', "etc/", NULL}, END}}, "a", NULL},
	{"whiteout",
		{{{'f', "etc/passwd", PASSWD("a")}, {'f', "etc/group", PASSWD("g")}, END},
			{{'f', "etc/.wh.passwd", ""}, END}},
		NULL, "g"},
	{"whiteout and back",
		{{{'f', "etc/passwd", PASSWD("a")}, END}, {{'f', "etc/.wh.passwd", ""}, END},
			{{'f', "etc/passwd", PASSWD("b")}, END}},
		"b", NULL},
	{"whiteout in the same layer is for lower ones",
		{{{'f', "etc/passwd", PASSWD("a")}, END},
			{{'f', "etc/passwd", PASSWD("b")}, {'f', "etc/.wh.passwd", ""}, END}},
		"b", NULL},
	{"whiteout of the directory",
		{{{'f', "etc/passwd", PASSWD("a")}, END}, {{'f', ".wh.etc", ""}, END}}, NULL, NULL},
	{"whiteout of the directory, then a new one",
		{{{'f', "etc/passwd", PASSWD("a")}, END},
			{{'f', ".wh.etc", ""}, {'f', "etc/group", PASSWD("g")}, END}},
		NULL, "g"},
	{"whiteout of the directory, then the directory itself",
		{{{'f', "etc/passwd", PASSWD("a")}, END},
			{{'f', ".wh.etc", ""}, {'d', "etc/", NULL}, {'f', "etc/group", PASSWD("g")},
				END}},
		NULL, "g"},
	{"device whiteout",
		{{{'f', "etc/passwd", PASSWD("a")}, END}, {{'c', "etc/passwd", NULL}, END}}, NULL,
		NULL},
	{"another device is a device",
		{{{'f', "etc/passwd", PASSWD("a")}, END}, {{'C', "etc/passwd", NULL}, END}}, NULL,
		NULL},
	{"FIFO", {{{'f', "etc/passwd", PASSWD("a")}, END}, {{'p', "etc/passwd", NULL}, END}}, NULL,
		NULL},
	{"aufs' own names",
		{{{'f', "etc/passwd", PASSWD("a")}, {'f', ".wh..wh.aufs", ""},
			{'f', "etc/.wh..wh.plnk", ""}, END}},
		"a", NULL},
	{"opaque",
		{{{'f', "etc/passwd", PASSWD("a")}, END},
			{{'d', "etc/", NULL}, {'f', "etc/.wh..wh..opq", ""},
				{'f', "etc/group", PASSWD("g")}, END}},
		NULL, "g"},
	{"opaque after what the layer has",
		{{{'f', "etc/group", PASSWD("f")}, {'f', "etc/passwd", PASSWD("a")}, END},
			{{'f', "etc/group", PASSWD("g")}, {'f', "etc/.wh..wh..opq", ""}, END}},
		NULL, "g"},
	{"opaque root",
		{{{'f', "etc/passwd", PASSWD("a")}, END},
			{{'f', ".wh..wh..opq", ""}, {'f', "etc/group", PASSWD("g")}, END}},
		NULL, "g"},
	{"opaque elsewhere",
		{{{'f', "etc/passwd", PASSWD("a")}, END},
			{{'f', "usr/.wh..wh..opq", ""}, {'f', "etcetera/.wh..wh..opq", ""}, END}},
		"a", NULL},
	{"whiteout of a longer name",
		{{{'f', "etc/passwd", PASSWD("a")}, END},
			{{'f', "etc/.wh.passwd-", ""}, {'f', "etc/.wh.pass", ""}, END}},
		"a", NULL},
	{"file where the directory was",
		{{{'f', "etc/passwd", PASSWD("a")}, END}, {{'f', "etc", "x"}, END}}, NULL, NULL},
	{"file, then the directory again",
		{{{'f', "etc/passwd", PASSWD("a")}, END}, {{'f', "etc", "x"}, END},
			{{'d', "etc", NULL}, END}},
		NULL, NULL},
	{"directory named passwd",
		{{{'f', "etc/passwd", PASSWD("a")}, END}, {{'d', "etc/passwd", NULL}, END}}, NULL,
		NULL},
	{"relative link",
		{{{'f', "usr/lib/x/passwd", PASSWD("a")},
			{'l', "etc/passwd", "../usr/lib/x/passwd"}, END}},
		"a", NULL},
	{"absolute link",
		{{{'l', "etc/group", "/usr/lib/x/group"}, {'f', "usr/lib/x/group", PASSWD("g")},
			END}},
		NULL, "g"},
	{"link that wants out",
		{{{'f', "p", PASSWD("a")}, {'l', "etc/passwd", "../../../../../p"}, END}}, "a",
		NULL},
	{"link to the host's", {{{'l', "etc/passwd", "/proc/self/root/etc/passwd"}, END}}, NULL,
		NULL},
	{"dangling link", {{{'l', "etc/passwd", "nowhere"}, END}}, NULL, NULL},
	{"link to itself", {{{'l', "etc/passwd", "passwd"}, END}}, NULL, NULL},
	{"circle", {{{'l', "etc/passwd", "/a"}, {'l', "a", "b"}, {'l', "b", "/etc/passwd"}, END}},
		NULL, NULL},
	{"link to a directory on the way",
		{{{'l', "etc", "usr/etc"}, {'f', "usr/etc/passwd", PASSWD("a")}, END}}, "a", NULL},
	{"chain over layers",
		{{{'f', "c", PASSWD("a")}, END}, {{'l', "b", "c"}, END}, {{'l', "a", "b"}, END},
			{{'l', "etc/passwd", "../a"}, END}},
		"a", NULL},
	{"chain whose end changes",
		{{{'l', "etc/passwd", "../a"}, {'f', "a", PASSWD("a")}, END},
			{{'f', "a", PASSWD("b")}, END}},
		"b", NULL},
	{"end of the link is whited out",
		{{{'l', "etc/passwd", "../a"}, {'f', "a", PASSWD("a")}, END},
			{{'f', ".wh.a", ""}, END}},
		NULL, NULL},
	{"link is replaced by a file",
		{{{'l', "etc/passwd", "../a"}, {'f', "a", PASSWD("a")}, END},
			{{'f', "etc/passwd", PASSWD("b")}, END}},
		"b", NULL},
	{"link is replaced by a directory",
		{{{'l', "etc", "usr"}, {'f', "usr/passwd", PASSWD("a")}, END},
			{{'d', "etc/", NULL}, END}},
		NULL, NULL},
	{"layer with files below what was a link",
		{{{'l', "etc", "usr"}, {'f', "usr/passwd", PASSWD("a")}, END},
			{{'f', "etc/group", PASSWD("g")}, END}},
		NULL, "g"},
	{"file through a link of the same layer",
		{{{'l', "etc", "usr"}, {'f', "etc/passwd", PASSWD("a")}, END}}, "a", NULL},
	{"link through a file",
		{{{'f', "a", "x"}, {'l', "etc/passwd", "/a/../b"}, {'f', "b", PASSWD("a")}, END}},
		"a", NULL},
	{"slash behind the link's file",
		{{{'l', "etc/passwd", "/a/"}, {'f', "a", PASSWD("a")}, END}}, "a", NULL},
	{"hard link", {{{'f', "a", PASSWD("a")}, {'h', "etc/passwd", "a"}, END}}, "a", NULL},
	{"hard link with a slash", {{{'f', "a", PASSWD("a")}, {'h', "etc/passwd", "/a"}, END}}, "a",
		NULL},
	{"hard link to a lower layer",
		{{{'f', "a", PASSWD("a")}, END}, {{'h', "etc/passwd", "a"}, END}}, "a", NULL},
	{"hard link keeps what it was linked to",
		{{{'f', "a", PASSWD("a")}, {'h', "etc/passwd", "a"}, {'f', "a", PASSWD("b")}, END}},
		"a", NULL},
	{"hard link to nothing",
		{{{'f', "etc/passwd", PASSWD("a")}, END}, {{'h', "etc/passwd", "nowhere"}, END}},
		NULL, NULL},
	{"hard link to itself", {{{'h', "etc/passwd", "etc/passwd"}, END}}, NULL, NULL},
	{"hard link outwards", {{{'h', "etc/passwd", "../../etc/passwd"}, END}}, NULL, NULL},
	{"hard link to a link",
		{{{'l', "a", "/b"}, {'h', "etc/passwd", "a"}, {'f', "b", PASSWD("b")}, END}}, "b",
		NULL},
};

static void check_root(size_t i, bool oci) {
	struct setting t;
	struct br_buf tar = {0};
	struct tarball_layout layout = {.n = 0};
	struct tarball_image image = {.name = "t:latest"};
	for (size_t k = 0; k < 4 && roots[i].layers[k][0].name; k++) {
		add_layer(&image, roots[i].layers[k], oci ? 'g' : '-');
	}
	if (oci) {
		make_layout(&layout, &image, "");
		tarball_oci_tar(&tar, &layout);
	} else {
		tarball_docker(&tar, &image, 1);
	}
	set_up(&t, put(&tar));
	int found = find(&t, "t");
	if (found != 1) {
		fail_msg("%s: %s", roots[i].name, last_message(&t));
	}
	assert_true(t.image.accounts_complete);
	const char *user = t.image.no_passwd ? "(none)"
		: t.image.nusers             ? t.image.users[0].name
					     : "";
	const char *group = t.image.no_group ? "(none)"
		: t.image.ngroups            ? t.image.groups[0].name
					     : "";
	const char *want_user = roots[i].user ? roots[i].user : "(none)";
	const char *want_group = roots[i].group ? roots[i].group : "(none)";
	if (strcmp(user, want_user) != 0 || strcmp(group, want_group) != 0) {
		fail_msg("%s: %s %s, not %s %s", roots[i].name, user, group, want_user, want_group);
	}
	tear_down(&t);
	br_buf_release(&tar);
	tarball_layout_release(&layout);
	tarball_image_release(&image);
}

static void test_roots(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
		check_root(i, false);
		check_root(i, true);
	}
}

/** A chain of links: 40 are followed, 41 are not. */
static void test_link_limit(void **state) {
	(void)state;
	for (unsigned n = 39; n <= 41; n++) {
		struct setting t;
		struct br_buf tar = {0};
		struct tarball_image image = {.name = "t:latest", .nlayers = 1};
		char name[16];
		char target[16];
		tarball_add(&image.layers[0], &(struct tarball_entry){'l', "etc/passwd", "/l1"});
		for (unsigned i = 1; i < n; i++) {
			(void)snprintf(name, sizeof(name), "l%u", i);
			(void)snprintf(target, sizeof(target), "l%u", i + 1);
			tarball_add(&image.layers[0], &(struct tarball_entry){'l', name, target});
		}
		(void)snprintf(name, sizeof(name), "l%u", n);
		tarball_add(&image.layers[0], &(struct tarball_entry){'f', name, PASSWD("end")});
		tarball_end(&image.layers[0]);
		tarball_digest(&image.layers[0], image.plain[0]);
		tarball_docker(&tar, &image, 1);
		set_up(&t, put(&tar));
		assert_int_equal(find(&t, "t"), 1);
		assert_int_equal(t.image.no_passwd, n > 40);
		tear_down(&t);
		br_buf_release(&tar);
		tarball_image_release(&image);
	}
}

// ---- pax, GNU, old ways ----

static void wrap_layer(struct br_buf *tar, struct br_buf *layer) {
	struct tarball_image image = {.name = "t:latest", .nlayers = 1, .layers = {*layer}};
	tarball_digest(layer, image.plain[0]);
	tarball_docker(tar, &image, 1);
	tarball_image_release(&image);
}

static void expect_user(struct br_buf *layer, const char *user) {
	struct setting t;
	struct br_buf tar = {0};
	wrap_layer(&tar, layer);
	set_up(&t, put(&tar));
	if (find(&t, "t") != 1) {
		fail_msg("%s", last_message(&t));
	}
	assert_int_equal(t.image.nusers, user != NULL);
	if (user) {
		assert_string_equal(t.image.users[0].name, user);
	}
	tear_down(&t);
	br_buf_release(&tar);
}

static void test_overrides(void **state) {
	(void)state;
	const char *text = PASSWD("a");
	struct br_buf layer = {0};
	// pax path over the header's name
	tarball_pax(&layer, "path", "etc/passwd");
	tarball_file(&layer, "x", text, strlen(text));
	tarball_end(&layer);
	expect_user(&layer, "a");
	// and away from it
	layer = (struct br_buf){0};
	tarball_pax(&layer, "path", "etc/other");
	tarball_file(&layer, "etc/passwd", text, strlen(text));
	tarball_end(&layer);
	expect_user(&layer, NULL);
	// pax linkpath
	layer = (struct br_buf){0};
	tarball_pax(&layer, "linkpath", "../p");
	tarball_add(&layer, &(struct tarball_entry){'l', "etc/passwd", "wrong"});
	tarball_file(&layer, "p", text, strlen(text));
	tarball_end(&layer);
	expect_user(&layer, "a");
	// pax size over a header that says 0
	layer = (struct br_buf){0};
	tarball_pax(&layer, "size", "6");
	tarball_header(&layer, "etc/passwd", '0', NULL, 0);
	tarball_bytes(&layer, "abcdefgh", 6);
	tarball_file(&layer, "etc/group", text, strlen(text));
	tarball_end(&layer);
	expect_user(&layer, "abcdef");
	// GNU long name
	layer = (struct br_buf){0};
	tarball_header(&layer, "././@LongLink", 'L', NULL, 11);
	tarball_bytes(&layer, "etc/passwd", 11);
	tarball_file(&layer, "x", text, strlen(text));
	tarball_end(&layer);
	expect_user(&layer, "a");
	// a name beyond ASCII, which a child without locale must survive
	layer = (struct br_buf){0};
	tarball_pax(&layer, "path", "etc/\xc3\xa9\xe2\x82\xac");
	tarball_file(&layer, "x", text, strlen(text));
	tarball_pax(&layer, "path", "etc/\xff\xfe");
	tarball_file(&layer, "x", text, strlen(text));
	tarball_file(&layer, "etc/passwd", text, strlen(text));
	tarball_end(&layer);
	expect_user(&layer, "a");
	// no end of the archive: GNU tar and engines take it
	layer = (struct br_buf){0};
	tarball_file(&layer, "etc/passwd", text, strlen(text));
	expect_user(&layer, "a");
}

/** Older Docker has a layer that two images share once, and links. */
static void test_shared_layers(void **state) {
	(void)state;
	struct setting t;
	struct br_buf layer = {0};
	struct br_buf tar = {0};
	struct br_buf config = {0};
	char hex[65];
	tarball_file(&layer, "etc/passwd", PASSWD("a"), strlen(PASSWD("a")));
	tarball_end(&layer);
	tarball_digest(&layer, hex);
	br_buf_addf(&config,
		"{\"config\":{},\"rootfs\":{\"diff_ids\":[\"sha256:%s\",\"sha256:%s\"]}}", hex,
		hex);
	tarball_file(&tar, "config.json", config.s, config.n);
	tarball_add(&tar, &(struct tarball_entry){'l', "one/layer.tar", "../two/layer.tar"});
	tarball_file(&tar, "two/layer.tar", layer.s, layer.n);
	const char *manifest =
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"t:latest\",\"u:1\"],\"Layers\":[\"one/layer.tar\",\"two/layer.tar\"]}]";
	tarball_file(&tar, "manifest.json", manifest, strlen(manifest));
	tarball_end(&tar);
	set_up(&t, put(&tar));
	assert_int_equal(find(&t, "u:1"), 1);
	assert_string_equal(t.image.user.s, "");
	assert_string_equal(t.image.users[0].name, "a");
	assert_null(t.image.capabilities_label);
	tear_down(&t);
	br_buf_release(&layer);
	br_buf_release(&tar);
	br_buf_release(&config);
}

// ---- hostile ----

static void test_not_an_image(void **state) {
	(void)state;
	struct br_buf bytes = {0};
	br_buf_add(&bytes, "");
	expect_refused(&bytes, "neither index.json nor manifest.json");
	br_buf_add(&bytes, "hello, this is no archive at all, whatever its name may say");
	expect_refused(&bytes, "it ");
	br_buf_release(&bytes);
	tarball_file(&bytes, "etc/passwd", "x", 1);
	tarball_end(&bytes);
	expect_refused(&bytes, "neither index.json nor manifest.json");
	tarball_pack(&bytes, 'b');
	expect_refused(&bytes, "neither by gzip nor by zstd");
	br_buf_release(&bytes);
	static const struct {
		const char *manifest, *words;
	} cases[] = {
		{"{", "not valid JSON"},
		{"{}", "without a list of images"},
		{"[{}]", "lacks"},
		{"[{\"Config\":\"c.json\",\"RepoTags\":[\"t:latest\"]}]", "no list of layers"},
		{"[{\"Config\":\"c.json\",\"RepoTags\":[\"t:latest\"],\"Layers\":[]}]",
			"lacks c.json"},
		{"[{\"Config\":\"../c.json\",\"RepoTags\":[\"t:latest\"],\"Layers\":[]}]",
			"without a proper name"},
		{"[{\"Config\":7,\"RepoTags\":[\"t:latest\"],\"Layers\":[]}]",
			"without a configuration"},
		{"[{\"Config\":\"d.json\",\"RepoTags\":[\"t:latest\"],\"Layers\":[\"x\"]}]",
			"1 layers that should have 0"},
		{"[{\"Config\":\"d.json\",\"RepoTags\":[\"t:latest\"],\"Layers\":[\"../x\"]}]",
			"proper name"},
		{"[{\"Config\":\"e.json\",\"RepoTags\":[\"t:latest\"],\"Layers\":[]}]",
			"not valid"},
		{"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
			"too large"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		tarball_file(&bytes, "d.json", "{\"config\":{}}", 13);
		tarball_file(&bytes, "e.json", "[]", 2);
		tarball_file(&bytes, "manifest.json", cases[i].manifest, strlen(cases[i].manifest));
		tarball_end(&bytes);
		struct setting t;
		set_up(&t, put(&bytes));
		int found = find(&t, "t");
		if (i == 2) {
			assert_int_equal(found, -1); // nameless and alone, and empty
		} else if (found != -1 || !strstr(last_message(&t), cases[i].words)) {
			fail_msg("%s: %d %s", cases[i].manifest, found, last_message(&t));
		}
		tear_down(&t);
		br_buf_release(&bytes);
	}
}

static void test_no_file(void **state) {
	(void)state;
	struct setting t;
	set_up(&t, "/nonexistent/archive");
	assert_int_equal(find(&t, "t"), -1);
	assert_non_null(strstr(last_message(&t), "No such file"));
	tear_down(&t);
	set_up(&t, "/dev/null");
	assert_int_equal(find(&t, "t"), -1);
	assert_non_null(strstr(last_message(&t), "neither a file nor a directory"));
	tear_down(&t);
	char path[600];
	(void)snprintf(path, sizeof(path), "%s/fifo", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	set_up(&t, path);
	assert_int_equal(find(&t, "t"), -1);
	tear_down(&t);
	(void)snprintf(path, sizeof(path), "%s/empty", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	set_up(&t, path);
	assert_int_equal(find(&t, "t"), -1);
	assert_non_null(strstr(last_message(&t), "neither index.json nor manifest.json"));
	tear_down(&t);
}

/** A layout directory whose parts are links, FIFOs, or missing. */
static void test_hostile_directory(void **state) {
	(void)state;
	struct tarball_layout layout = {.n = 0};
	struct tarball_image image = simple(NULL, "app", '-');
	char path[600];
	char part[800];
	struct setting t;
	make_layout(&layout, &image, "");
	(void)snprintf(path, sizeof(path), "%s/hostile", directory);
	assert_int_equal(mkdir(path, 0755), 0);
	tarball_oci_write(path, &layout);
	// the layer is the second blob
	(void)snprintf(part, sizeof(part), "%s/%s", path, layout.parts[1].name);
	assert_int_equal(unlink(part), 0);
	set_up(&t, path);
	assert_int_equal(find(&t, "t"), -1);
	assert_non_null(strstr(last_message(&t), "lacks blobs/sha256/"));
	tear_down(&t);
	assert_int_equal(symlink("/etc/passwd", part), 0);
	set_up(&t, path);
	assert_int_equal(find(&t, "t"), -1);
	assert_non_null(strstr(last_message(&t), "cannot be opened"));
	tear_down(&t);
	assert_int_equal(unlink(part), 0);
	assert_int_equal(mkfifo(part, 0600), 0);
	set_up(&t, path);
	assert_int_equal(find(&t, "t"), -1);
	assert_non_null(strstr(last_message(&t), "no file"));
	tear_down(&t);
	tarball_layout_release(&layout);
	tarball_image_release(&image);
}

static void test_wrong_digests(void **state) {
	(void)state;
	// each blob of a layout in turn: configuration, layer, manifest
	for (size_t i = 0; i < 3; i++) {
		struct tarball_layout layout = {.n = 0};
		struct br_buf tar = {0};
		struct tarball_image image = simple(NULL, "app", 'g');
		make_layout(&layout, &image, "");
		if (i == 1) {
			br_buf_addc(&layout.parts[i].bytes, '\0'); // behind gzip's end
		} else {
			br_buf_addc(&layout.parts[i].bytes, ' ');
		}
		tarball_oci_tar(&tar, &layout);
		expect_refused(&tar, "digest");
		br_buf_release(&tar);
		tarball_layout_release(&layout);
		tarball_image_release(&image);
	}
	// docker save: the unpacked layer
	struct br_buf tar = {0};
	struct tarball_image image = simple("t:latest", "app", '-');
	image.plain[0][5] = image.plain[0][5] == '0' ? '1' : '0';
	tarball_docker(&tar, &image, 1);
	expect_refused(&tar, "does not have the digest");
	br_buf_release(&tar);
	tarball_image_release(&image);
}

static void test_unknown_types(void **state) {
	(void)state;
	static const struct {
		const char *from, *to;
		int found;
		bool complete;
	} cases[] = {
		{"layer.v1.tar\"", "layer.v1.tax\"", 1, false},
		{"image.config.v1+json", "imaqe.config.v1+json", 0, false},
		{"image.manifest.v1+json", "imaqe.manifest.v1+json", 0, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct setting t;
		struct tarball_layout layout = {.n = 0};
		struct br_buf tar = {0};
		struct tarball_image image = simple(NULL, "app", '-');
		char *descriptor = tarball_oci_image(&layout, &image);
		struct br_buf *manifest = &layout.parts[2].bytes;
		char *at = strstr(manifest->s, cases[i].from);
		if (at) {
			memcpy(at, cases[i].to, strlen(cases[i].to));
		}
		char hex[65];
		tarball_digest(manifest, hex);
		(void)snprintf(
			layout.parts[2].name, sizeof(layout.parts[2].name), "blobs/sha256/%s", hex);
		memcpy(strstr(descriptor, "sha256:") + 7, hex, 64);
		at = strstr(descriptor, cases[i].from);
		if (at) {
			memcpy(at, cases[i].to, strlen(cases[i].to));
		}
		struct br_buf all = {0};
		br_buf_addf(&all, "{%s}", descriptor);
		tarball_oci_finish(&layout, all.s);
		tarball_oci_tar(&tar, &layout);
		set_up(&t, put(&tar));
		int found = find(&t, "t");
		if (found != cases[i].found) {
			fail_msg("%s: %d %s", cases[i].to, found, last_message(&t));
		}
		if (found) {
			assert_string_equal(t.image.user.s, "app");
			assert_int_equal(t.image.accounts_complete, cases[i].complete);
			assert_int_equal(t.image.nusers, 0);
		} else {
			assert_int_equal(br_diags_count(t.dx), 1); // a note
		}
		tear_down(&t);
		free(descriptor);
		br_buf_release(&all);
		br_buf_release(&tar);
		tarball_layout_release(&layout);
		tarball_image_release(&image);
	}
}

static void test_damaged_layers(void **state) {
	(void)state;
	static const struct {
		const char *name;
		char size[13];
	} sizes[] = {
		{"negative", "-0000000001"},
		{"negative in base 256", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
		{"huge in base 256", "\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff"},
		{"larger than the archive", "77777777777"},
		{"beyond 64 bits", "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
	};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct setting t;
		struct br_buf layer = {0};
		struct br_buf tar = {0};
		tarball_raw_header(&layer, "etc/passwd", '0', NULL, sizes[i].size);
		tarball_bytes(&layer, PASSWD("a"), strlen(PASSWD("a")));
		tarball_end(&layer);
		wrap_layer(&tar, &layer);
		set_up(&t, put(&tar));
		int found = find(&t, "t");
		// the largest number that is none is 0 for libarchive and tar
		if (found != -1 && !(found == 1 && t.image.nusers == 0)) {
			fail_msg("%s: %d", sizes[i].name, found);
		}
		tear_down(&t);
		br_buf_release(&tar);
	}
	// a file that is too large to be a passwd
	struct br_buf layer = {0};
	struct br_buf tar = {0};
	char *large = calloc(1, (1 << 20) + 1);
	assert_non_null(large);
	memset(large, '\n', (1 << 20) + 1);
	tarball_file(&layer, "etc/passwd", large, (1 << 20) + 1);
	tarball_end(&layer);
	wrap_layer(&tar, &layer);
	expect_refused(&tar, "larger than 1024 KiB");
	br_buf_release(&tar);
	// one with too many lines
	layer = (struct br_buf){0};
	memset(large, 'a', 30000);
	for (size_t i = 0; i < 30000; i += 2) {
		large[i] = '\n';
	}
	tarball_file(&layer, "etc/passwd", large, 30000);
	tarball_end(&layer);
	wrap_layer(&tar, &layer);
	expect_refused(&tar, "more than 10000 lines");
	br_buf_release(&tar);
	// very many of them
	layer = (struct br_buf){0};
	for (size_t i = 0; i < 40; i++) {
		tarball_file(&layer, "etc/passwd", large, 1 << 20);
	}
	tarball_end(&layer);
	wrap_layer(&tar, &layer);
	expect_refused(&tar, "too many versions");
	br_buf_release(&tar);
	free(large);
}

/** Of the processor, for this process and its children: what else runs on it is no matter. */
static double seconds_used(void) {
	double used = 0;
	for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
		struct rusage usage;
		assert_int_equal(getrusage(who, &usage), 0);
		used += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
			+ (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	}
	return used;
}

/** Zeros in gzip go down to a thousandth, in zstd much further. */
static void test_bombs(void **state) {
	(void)state;
	size_t size = 256 << 20;
	for (int how = 0; how < 2; how++) {
		struct br_buf layer = {0};
		struct br_buf tar = {0};
		double begin = seconds_used();
		char *zeros = calloc(1, size);
		assert_non_null(zeros);
		tarball_file(&layer, "big", zeros, size);
		free(zeros);
		tarball_end(&layer);
		tarball_pack(&layer, how ? 'z' : 'g');
		if (!how) {
			tarball_pack(&layer, 'g'); // once more: gzip alone gives 1:1029
			assert_true(layer.n < 10000);
		}
		struct tarball_image image = {.name = "t:latest", .nlayers = 1, .layers = {layer}};
		memset(image.plain[0], '0', 64);
		tarball_docker(&tar, &image, 1);
		// twice packed: what is inside is no tar, and is not unpacked again
		expect_refused(&tar,
			how ? "expands to more than 1000 times" : "it has a layer (number 1) that");
		tarball_pack(&tar, 'z');
		expect_refused(&tar,
			how ? "expands to more than 1000 times" : "it has a layer (number 1) that");
		br_buf_release(&tar);
		tarball_image_release(&image);
		assert_true(seconds_used() - begin < 60);
	}
}

static void test_many_entries(void **state) {
	(void)state;
	struct setting t;
	struct br_buf layer = {0};
	struct br_buf tar = {0};
	char name[64];
	for (size_t i = 0; i < 1000000; i++) {
		(void)snprintf(name, sizeof(name), "etc/%zu", i);
		tarball_header(&layer, name, '5', NULL, 0);
	}
	tarball_file(&layer, "etc/passwd", PASSWD("a"), strlen(PASSWD("a")));
	tarball_end(&layer);
	wrap_layer(&tar, &layer);
	set_up(&t, put(&tar));
	if (find(&t, "t") != 1) {
		fail_msg("%s", last_message(&t));
	}
	assert_string_equal(t.image.users[0].name, "a");
	tear_down(&t);
	br_buf_release(&tar);
}

/** An archive that ends anywhere is refused; it is never taken for one without accounts. */
static void test_truncated(void **state) {
	(void)state;
	struct setting t;
	struct br_buf tar = {0};
	struct br_buf part = {0};
	struct tarball_layout layout = {.n = 0};
	struct tarball_image image = simple(NULL, "app", 'g');
	make_layout(&layout, &image, "");
	for (int form = 0; form < 3; form++) {
		if (form) {
			br_buf_release(&tar);
		}
		if (form == 0) {
			tarball_oci_tar(&tar, &layout);
		} else {
			tarball_docker(&tar, &image, 1);
			tarball_pack(&tar, form == 2 ? 'g' : '-');
		}
		size_t step = form == 2 ? 64 : 512;
		for (size_t n = 0; n < tar.n; n += step) {
			part.n = 0;
			br_buf_addn(&part, tar.s, n);
			part.n = n;
			set_up(&t, put(&part));
			int found = find(&t, "t");
			if (found == 1) {
				check_simple(
					&t, "app"); // only the end of the archive itself is gone
				assert_true(n + 1024 + 512 >= tar.n || form == 2);
			} else {
				assert_int_equal(found, -1);
			}
			tear_down(&t);
		}
	}
	br_buf_release(&tar);
	br_buf_release(&part);
	tarball_layout_release(&layout);
	tarball_image_release(&image);
}

/** Nothing is written: the directory of the archive and the current one have what they had. */
static void test_nothing_is_written(void **state) {
	(void)state;
	static const struct tarball_entry layer[] = {
		{'f', "/tmp/bindright-was-here", "x"},
		{'f', "../../../../../../tmp/bindright-was-here", "x"},
		{'l', "etc", "/tmp"},
		{'f', "etc/bindright-was-here", "x"},
		{0, NULL, NULL},
	};
	struct setting t;
	struct br_buf tar = {0};
	struct tarball_image image = {.name = "t:latest"};
	add_layer(&image, layer, '-');
	tarball_docker(&tar, &image, 1);
	set_up(&t, put(&tar));
	assert_int_equal(find(&t, "t"), 1);
	assert_true(access("/tmp/bindright-was-here", F_OK) < 0);
	tear_down(&t);
	br_buf_release(&tar);
	tarball_image_release(&image);
}

/** FIPS 180-4's examples, and lengths round a block against known sums (sha256sum). */
static void test_sha256(void **state) {
	(void)state;
	static const struct {
		const char *text;
		size_t times;
		const char *hex;
	} cases[] = {
		{"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sha256 hash;
		char hex[65];
		sha256_begin(&hash);
		for (size_t k = 0; k < cases[i].times; k++) {
			sha256_add(&hash, cases[i].text, strlen(cases[i].text));
		}
		sha256_end(&hash, hex);
		assert_string_equal(hex, cases[i].hex);
	}
}

// ---- what stands at a path ----

/** "directory 1:2 0755", "link ../x", "absent", …; or "?" where nothing is known. */
static const char *place_of(const struct setting *t, const char *path) {
	static char text[200];
	const struct br_image_node *node = br_image_node_at(&t->image, path);
	static const char *const types[] = {"absent", "directory", "file", "link", "other"};
	if (!node) {
		return "?";
	}
	if (node->type == BR_IMAGE_LINK) {
		(void)snprintf(text, sizeof(text), "link %s", node->link);
	} else if (node->type == BR_IMAGE_DIRECTORY && node->owner_known && node->mode_known) {
		(void)snprintf(text, sizeof(text), "directory %u:%u %04o", node->uid, node->gid,
			node->mode);
	} else {
		(void)snprintf(text, sizeof(text), "%s", types[node->type]);
	}
	return text;
}

struct owned_entry {
	struct tarball_entry entry;
	struct tarball_owner owner;
};

static const struct owned_entry lower_places[] = {
	{{'d', "etc/", NULL}, {0, 0, 0755}},
	{{'f', "etc/passwd", "root:x:0:0::/root:\napp:x:1:2::/homes/app:\n"}, {0, 0, 0}},
	{{'d', "a/", NULL}, {1, 2, 0750}},
	{{'d', "a/b/", NULL}, {3, 4, 01777}},
	{{'d', "gone/", NULL}, {5, 6, 0700}},
	{{'d', "gone/below/", NULL}, {5, 6, 0700}},
	{{'d', "hidden/", NULL}, {5, 6, 0711}},
	{{'d', "hidden/below/", NULL}, {5, 6, 0700}},
	{{'l', "to", "a/../real"}, {0, 0, 0777}},
	{{'d', "real/", NULL}, {7, 8, 0701}},
	{{'d', "homes/app/", NULL}, {1, 2, 0700}},
	{{'f', "data", "x"}, {9, 9, 0600}},
	{{'d', "usr/lib/python3/dist-packages/huggingface_hub/", NULL}, {0, 0, 0755}},
	{{'d', "usr/lib/python3/dist-packages/librosa/", NULL}, {0, 0, 0755}},
	{{0, NULL, NULL}, {0, 0, 0}},
};
static const struct owned_entry upper_places[] = {
	{{'f', "a/b/file", "x"}, {0, 0, 0}},
	{{'d', "a/", NULL}, {10, 20, 02770}},
	{{'f', ".wh.gone", ""}, {0, 0, 0}},
	{{'f', "hidden/.wh..wh..opq", ""}, {0, 0, 0}},
	{{'f', "implied/file", "x"}, {0, 0, 0}},
	{{'d', "data/", NULL}, {11, 12, 0755}},
	{{'h', "etc/supervisord.conf", "etc/passwd"}, {0, 0, 0}},
	{{'f', "usr/lib/python3/dist-packages/.wh.huggingface_hub", ""}, {0, 0, 0}},
	{{0, NULL, NULL}, {0, 0, 0}},
};

static void add_owned_layer(
	struct tarball_image *image, const struct owned_entry *entries, char how) {
	struct br_buf *layer = &image->layers[image->nlayers];
	for (; entries->entry.name; entries++) {
		tarball_add_owned(layer, &entries->entry, &entries->owner);
	}
	tarball_end(layer);
	tarball_digest(layer, image->plain[image->nlayers++]);
	tarball_pack(layer, how);
}

static void test_places(void **state) {
	(void)state;
	static const char *const asked[] = {
		"/a/b/c", "/gone/below", "/hidden/below", "/to/x", "/implied", "/data", "/../etc"};
	static const struct {
		const char *path, *place;
	} rows[] = {{"/", "directory 0:0 0755"}, {"/a", "directory 10:20 2770"},
		{"/a/b", "directory 3:4 1777"}, {"/a/b/c", "absent"}, {"/gone", "absent"},
		{"/gone/below", "absent"}, {"/hidden", "directory"}, {"/hidden/below", "absent"},
		{"/to", "link a/../real"}, {"/real", "directory 7:8 0701"},
		{"/implied", "directory"}, {"/data", "directory 11:12 0755"},
		{"/homes/app", "directory 1:2 0700"}, {"/homes/app/.cache", "absent"},
		{"/never/asked", "?"},
		{"/usr/lib/python3/dist-packages/huggingface_hub", "absent"}};
	struct setting t;
	struct br_buf tar = {0};
	struct tarball_image image = {.name = "t:latest",
		.config = "\"Cmd\":[\"-n\"],\"Entrypoint\":[\"supervisord\"],\"WorkingDir\":\"/w\","
			  "\"Volumes\":{\"/data\":{},\"/more\":{}}"};
	add_owned_layer(&image, lower_places, 'g');
	add_owned_layer(&image, upper_places, 'z');
	tarball_docker(&tar, &image, 1);
	set_up(&t, put(&tar));
	t.finder.asked = asked;
	t.finder.nasked = sizeof(asked) / sizeof(*asked);
	assert_int_equal(find(&t, "t"), 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(place_of(&t, rows[i].path), rows[i].place) != 0) {
			fail_msg("%s is %s, not %s", rows[i].path, place_of(&t, rows[i].path),
				rows[i].place);
		}
	}
	assert_string_equal(t.image.users[1].home, "/homes/app");
	assert_string_equal(t.image.workdir, "/w");
	assert_int_equal(t.image.nvolumes, 2);
	assert_string_equal(t.image.volumes[1].s, "/more");
	assert_int_equal(t.image.ncommand, 2);
	assert_string_equal(t.image.command[0], "supervisord");
	// one by its files, the other by the command; its configuration was read, and says nothing
	assert_int_equal(t.image.nlibraries, 2);
	assert_string_equal(t.image.libraries[0].library->name, "librosa (numba)");
	assert_string_equal(t.image.libraries[1].library->name, "supervisor");
	assert_false(t.image.libraries[1].config_unknown);
	assert_string_equal(t.image.libraries[1].configured[0], "$PWD/supervisord.log");
	tear_down(&t);
	br_buf_release(&tar);
	tarball_image_release(&image);
}

/** However much is asked, and however links lead round: the accounts come, and what is not known is
 * not among the nodes. */
static void test_too_much_asked(void **state) {
	(void)state;
	static char paths[100][64];
	const char *asked[100];
	struct setting t;
	struct br_buf tar = {0};
	struct tarball_image image = {.name = "t:latest", .config = ""};
	struct br_buf *layer = &image.layers[0];
	for (size_t i = 0; i < 100; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "/d%zu/e/f/g", i);
		asked[i] = paths[i];
		char link[64];
		(void)snprintf(link, sizeof(link), "/d%zu/e", (i + 1) % 100);
		const struct tarball_entry entry = {'l', paths[i] + 1, link};
		struct tarball_entry top = entry;
		char name[16];
		(void)snprintf(name, sizeof(name), "d%zu", i);
		top.name = name;
		tarball_add(layer, &top);
		const struct tarball_entry hard = {'h', name, "etc/passwd"};
		tarball_add(layer, i % 3 ? &top : &hard);
	}
	for (size_t i = 0; plain_layer[i].name; i++) {
		tarball_add(layer, &plain_layer[i]);
	}
	tarball_end(layer);
	tarball_digest(layer, image.plain[0]);
	image.nlayers = 1;
	tarball_docker(&tar, &image, 1);
	set_up(&t, put(&tar));
	t.finder.asked = asked;
	t.finder.nasked = 100;
	assert_int_equal(find(&t, "t"), 1);
	assert_int_equal(t.image.nusers, 2);
	assert_true(t.image.nnodes > 0 && t.image.nnodes < 600);
	tear_down(&t);
	br_buf_release(&tar);
	tarball_image_release(&image);
}

static int make_directory(void **state) {
	(void)state;
	const char *base = getenv("TMPDIR");
	(void)snprintf(directory, sizeof(directory), "%s/br-archive-XXXXXX", base ? base : "/tmp");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) {
	(void)state;
	pid_t pid = fork();
	if (!pid) {
		execlp("rm", "rm", "-rf", "--", directory, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_several_images),
		cmocka_unit_test(test_annotations),
		cmocka_unit_test(test_platforms),
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_link_limit),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_too_much_asked),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_shared_layers),
		cmocka_unit_test(test_not_an_image),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_hostile_directory),
		cmocka_unit_test(test_wrong_digests),
		cmocka_unit_test(test_unknown_types),
		cmocka_unit_test(test_damaged_layers),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_many_entries),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_nothing_is_written),
	};
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
