#include <base/mem.h>
#include <bindright/demand.h>

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>
#include <support/scratch.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	MOUNTS_MAX = 80,
	RWX = BR_R | BR_W | BR_X,
	RX = BR_R | BR_X,
};

/** One container a mount, so that every mount can have its own identity. */
struct fixture {
	char root[256];
	struct br_arena arena;
	struct br_places *places;
	struct br_diags *dx;
	struct br_container boxes[MOUNTS_MAX];
	struct br_mount mounts[MOUNTS_MAX];
	struct br_identity identities[MOUNTS_MAX];
	struct br_spec spec;
	struct br_need_option needs[2];
	struct br_demand_options options;
	struct br_demands *demands;
};

static bool can_mount;

static int set_up(void **state) {
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	scratch_make(f->root, sizeof(f->root));
	f->places = br_places_new();
	f->dx = br_diags_new(f->places);
	assert_non_null(f->dx);
	f->spec.containers = f->boxes;
	f->options.needs = f->needs;
	*state = f;
	return 0;
}

static int tear_down(void **state) {
	struct fixture *f = *state;
	br_demands_free(f->demands);
	int left = scratch_remove(f->root);
	br_diags_free(f->dx);
	br_places_free(f->places);
	br_arena_release(&f->arena);
	free(f);
	return left;
}

static const char *in(struct fixture *f, const char *name) {
	const char *path = br_printf(&f->arena, "%s/%s", f->root, name);
	assert_non_null(path);
	return path;
}

static void make_dir(struct fixture *f, const char *name) {
	assert_int_equal(mkdir(in(f, name), 0755), 0);
}

static void make_file(struct fixture *f, const char *name) {
	assert_int_equal(mknod(in(f, name), S_IFREG | 0644, 0), 0);
}

/** A container with one mount of `name` at `target`. */
static struct br_mount *add(
	struct fixture *f, enum br_mount_kind kind, const char *name, const char *target) {
	size_t i = f->spec.n++;
	assert_true(i < MOUNTS_MAX);
	f->mounts[i] = (struct br_mount){.kind = kind, .target.s = target};
	f->mounts[i].source.s = name ? in(f, name) : NULL;
	f->boxes[i] = (struct br_container){.name.s = "svc", .mounts = &f->mounts[i], .nmounts = 1};
	f->identities[i] =
		(struct br_identity){.container = &f->boxes[i], .confidence = BR_CERTAIN};
	return &f->mounts[i];
}

static const struct br_demands *make(struct fixture *f) {
	br_demands_free(f->demands);
	f->demands = br_demands_make(&f->spec, f->identities, &f->options, f->dx);
	return f->demands;
}

/** "PATH: BELOW BELOW; PATH: …" of all trees, without the fixture's directory. */
static const char *shape(struct fixture *f) {
	char *out = br_strdup(&f->arena, "");
	size_t n = strlen(f->root) + 1;
	for (size_t i = 0; i < f->demands->ntrees; i++) {
		const struct br_tree *tree = &f->demands->trees[i];
		out = br_printf(&f->arena, "%s%s%s:", out, i ? "; " : "", tree->path + n);
		for (size_t j = 0; j < tree->n; j++) {
			const char *below = tree->demands[j].below;
			out = br_printf(&f->arena, "%s %s", out, *below ? below : ".");
			assert_int_equal(tree->demands[j].index, j);
		}
	}
	assert_non_null(out);
	return out;
}

static void only_what_reaches_the_host(void **state) {
	struct fixture *f = *state;
	make_dir(f, "a");
	make_file(f, "s");
	static const enum br_mount_kind kinds[] = {BR_MOUNT_VOLUME, BR_MOUNT_TMPFS, BR_MOUNT_OTHER};
	for (size_t i = 0; i < COUNT(kinds); i++) {
		add(f, kinds[i], "a", "/v");
	}
	add(f, BR_MOUNT_BIND, NULL, "/none");
	add(f, BR_MOUNT_VOLUME_BIND, "a", "/a");
	add(f, BR_MOUNT_SECRET, "s", "/run/secrets/s");
	add(f, BR_MOUNT_CONFIG, "s", "/s");
	const struct br_demands *d = make(f);
	assert_non_null(d);
	assert_int_equal(d->nmounts, 3);
	assert_int_equal(d->nsources, 3);
	assert_string_equal(shape(f), "a: .; s: . .");
	assert_false(d->trees[0].demands[0].read_only);
	assert_true(d->trees[1].demands[0].read_only);
	assert_true(d->trees[1].demands[1].read_only);
	assert_ptr_equal(d->mounts[0].mount, &f->mounts[4]);
	assert_ptr_equal(d->mounts[2].demand, &d->trees[1].demands[1]);
	assert_ptr_equal(d->mounts[2].tree, &d->trees[1]);
	assert_ptr_equal(d->mounts[2].container, &f->boxes[6]);
	assert_ptr_equal(d->mounts[2].identity, &f->identities[6]);
}

struct shape_row {
	const char *name;
	const char *sources[8];
	const char *shape;
};

static const struct shape_row shapes[] = {
	{"none", {NULL}, ""},
	{"apart", {"a", "b"}, "a: .; b: ."},
	{"the same", {"a", "a"}, "a: . ."},
	{"the same through a link", {"toa", "a"}, "a: . ."},
	{"inside", {"a", "a/x/y"}, "a: . x/y"},
	{"the outer one comes later", {"a/x/y", "a"}, "a: x/y ."},
	{"three deep, inside out", {"a/x/y", "a/x", "a"}, "a: x/y x ."},
	{"a common beginning of names is not inside", {"a", "ab"}, "a: .; ab: ."},
	{"inside through a link", {"a", "tox/y"}, "a: . x/y"},
	{"siblings", {"a/x", "a/z"}, "a/x: .; a/z: ."},
	{"order of the first demand", {"b", "a/x", "a", "b"}, "b: . .; a: x ."},
	{"a file inside", {"a", "a/f"}, "a: . f"},
	{"one file by two names", {"a/f", "b/g"}, "a/f: . ."},
	{"one file by two names, one inside", {"b/g", "a", "a/f"}, "a: f . f"},
	{"missing", {"none"}, "none: ."},
	{"missing twice", {"none", "none"}, "none: . ."},
	{"missing below what is there", {"a", "a/n/m"}, "a: . n/m"},
	{"missing below missing", {"none/x", "none"}, "none: x ."},
	{"missing below missing below what is there", {"a/n/m", "a/n", "a"}, "a: n/m n ."},
	{"missing apart", {"none/x", "none/y"}, "none/x: .; none/y: ."},
	{"missing through a link", {"toa/n", "a"}, "a: n ."},
	{"dangling is no tree", {"dangling", "a"}, "a: ."},
	{"below a file is no tree", {"a/f/x", "a"}, "a: ."},
};

static void make_tree(struct fixture *f) {
	static const char *const dirs[] = {"a", "a/x", "a/x/y", "a/z", "ab", "b"};
	for (size_t i = 0; i < COUNT(dirs); i++) {
		make_dir(f, dirs[i]);
	}
	make_file(f, "a/f");
	assert_int_equal(link(in(f, "a/f"), in(f, "b/g")), 0);
	assert_int_equal(symlink("a", in(f, "toa")), 0);
	assert_int_equal(symlink("a/x", in(f, "tox")), 0);
	assert_int_equal(symlink("nowhere", in(f, "dangling")), 0);
}

static void trees(void **state) {
	struct fixture *f = *state;
	make_tree(f);
	for (size_t i = 0; i < COUNT(shapes); i++) {
		f->spec.n = 0;
		for (size_t j = 0; shapes[i].sources[j]; j++) {
			add(f, BR_MOUNT_BIND, shapes[i].sources[j], "/d");
		}
		const struct br_demands *d = make(f);
		assert_non_null(d);
		if (strcmp(shape(f), shapes[i].shape) != 0) {
			fail_msg("%s: %s", shapes[i].name, shape(f));
		}
		assert_int_equal(d->nmounts, f->spec.n);
		for (size_t j = 0; j < d->nmounts; j++) {
			bool judged = d->mounts[j].source->state <= BR_SOURCE_MISSING;
			assert_int_equal(d->mounts[j].demand != NULL, judged);
			assert_int_equal(d->mounts[j].tree != NULL, judged);
		}
	}
	assert_int_equal(br_diags_count(f->dx), 0);
}

static void whole_root(void **state) {
	struct fixture *f = *state;
	make_dir(f, "a");
	// Only where the directory lies on the root's mount is it inside.
	struct br_mount *all = add(f, BR_MOUNT_BIND, "a", "/host");
	add(f, BR_MOUNT_BIND, "a", "/a");
	all->source.s = "/";
	const struct br_demands *d = make(f);
	assert_non_null(d);
	if (d->sources[0].mount != d->sources[1].mount) {
		print_message("skipped: another file system\n");
		skip();
	}
	assert_int_equal(d->ntrees, 1);
	assert_string_equal(d->trees[0].path, "/");
	assert_string_equal(d->trees[0].demands[1].below, in(f, "a") + 1);
}

static void unknown_identities_demand_nothing(void **state) {
	struct fixture *f = *state;
	make_dir(f, "a");
	add(f, BR_MOUNT_BIND, "a", "/a");
	add(f, BR_MOUNT_BIND, "a", "/a");
	f->identities[0].confidence = BR_UNKNOWN;
	const struct br_demands *d = make(f);
	assert_non_null(d);
	assert_int_equal(d->nmounts, 2);
	assert_null(d->mounts[0].demand);
	assert_null(d->mounts[0].tree);
	assert_int_equal(d->mounts[0].source->state, BR_SOURCE_PRESENT);
	assert_string_equal(shape(f), "a: .");
}

static void mount_points_are_trees_of_their_own(void **state) {
	struct fixture *f = *state;
	if (!can_mount) {
		print_message("skipped: no mount namespace\n");
		skip();
	}
	make_dir(f, "a");
	make_dir(f, "a/m");
	make_dir(f, "other");
	assert_int_equal(mount("t", in(f, "a/m"), "tmpfs", 0, NULL), 0);
	assert_int_equal(mount(in(f, "a"), in(f, "other"), NULL, MS_BIND, NULL), 0);
	make_dir(f, "a/m/in");
	add(f, BR_MOUNT_BIND, "a", "/a");
	add(f, BR_MOUNT_BIND, "a/m/in", "/m");
	add(f, BR_MOUNT_BIND, "a/m/none", "/n");
	add(f, BR_MOUNT_BIND, "other", "/o");
	assert_non_null(make(f));
	assert_string_equal(shape(f), "a: .; a/m/in: .; a/m/none: .; other: .");
	br_demands_freep(&f->demands);
	assert_int_equal(umount2(in(f, "other"), MNT_DETACH), 0);
	assert_int_equal(umount2(in(f, "a/m"), MNT_DETACH), 0);
}

static void bind_mounts_of_one_place_are_one_tree(void **state) {
	struct fixture *f = *state;
	if (!can_mount) {
		print_message("skipped: no mount namespace\n");
		skip();
	}
	make_dir(f, "a");
	make_dir(f, "a/d");
	make_dir(f, "a/d/e");
	make_dir(f, "one");
	make_dir(f, "two");
	assert_int_equal(mount(in(f, "a/d"), in(f, "one"), NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(in(f, "a/d"), in(f, "two"), NULL, MS_BIND, NULL), 0);
	add(f, BR_MOUNT_BIND, "one/e", "/oe");
	add(f, BR_MOUNT_BIND, "two", "/t");
	add(f, BR_MOUNT_BIND, "one", "/o");
	assert_non_null(make(f));
	assert_string_equal(shape(f), "two: e . .");
	br_demands_freep(&f->demands);
	add(f, BR_MOUNT_BIND, "a", "/a");
	assert_non_null(make(f));
	assert_string_equal(shape(f), "a: d/e d d .");
	br_demands_freep(&f->demands);
	// What is mounted in one of them is not seen in the other.
	assert_int_equal(mount("t", in(f, "two/e"), "tmpfs", 0, NULL), 0);
	assert_non_null(make(f));
	assert_string_equal(shape(f), "a: d/e d .; two: .");
	br_demands_freep(&f->demands);
	assert_int_equal(umount2(in(f, "two/e"), MNT_DETACH), 0);
	assert_int_equal(umount2(in(f, "one"), MNT_DETACH), 0);
	assert_int_equal(umount2(in(f, "two"), MNT_DETACH), 0);
}

struct need_row {
	const char *name;
	bool read_only;
	/** --need at the mount's target; 0: none. */
	unsigned bits;
	struct br_need need;
	/** What the input wishes, or NULL. */
	const char *wish;
};

static const struct need_row needs[] = {
	{"default", false, 0, {.dir = RWX, .file = RWX, .as_any = true}, NULL},
	{"default, read-only", true, 0, {.dir = RX, .file = RX, .as_any = true}, NULL},
	{"r", false, BR_R, {.dir = RX, .file = BR_R, .as_any = false}, NULL},
	{"rw", false, BR_R | BR_W, {.dir = RWX, .file = BR_R | BR_W, .as_any = false}, NULL},
	{"rx", false, RX, {.dir = RX, .file = RX, .as_any = false}, NULL},
	{"rwx", false, RWX, {.dir = RWX, .file = RWX, .as_any = false}, NULL},
	{"w", false, BR_W, {.dir = BR_W | BR_X, .file = BR_W, .as_any = false}, NULL},
	{"x", false, BR_X, {.dir = BR_X, .file = BR_X, .as_any = false}, NULL},
	{"asked for is asked for", true, BR_R | BR_W,
		{.dir = RWX, .file = BR_R | BR_W, .as_any = false}, NULL},
	{"wished", false, 0, {.dir = RX, .file = BR_R}, "r"},
	{"wished to be written", true, 0, {.dir = RWX, .file = BR_R | BR_W}, "rw"},
	{"wished to be run", false, 0, {.dir = RX, .file = RX}, "rx"},
	{"wished to be all", false, 0, {.dir = RWX, .file = RWX}, "rwx"},
	{"an option before a wish", false, BR_R, {.dir = RX, .file = BR_R}, "rwx"},
};

static void what_is_needed(void **state) {
	struct fixture *f = *state;
	make_dir(f, "a");
	struct br_need_option *option = &f->needs[0];
	option->target.s = "/d";
	struct br_mount *mount = add(f, BR_MOUNT_BIND, "a", "/d");
	for (size_t i = 0; i < COUNT(needs); i++) {
		mount->read_only = needs[i].read_only;
		option->bits = needs[i].bits;
		mount->wishes.need = (struct br_text){needs[i].wish, {1, 2, 3}};
		f->options.nneeds = needs[i].bits != 0;
		const struct br_demands *d = make(f);
		assert_non_null(d);
		const struct br_need *need = &d->trees[0].demands[0].need;
		if (need->dir != needs[i].need.dir || need->file != needs[i].need.file
			|| need->as_any != needs[i].need.as_any
			|| need->by_option != (needs[i].bits != 0)
			|| (need->said.len == 3) != (needs[i].wish && !needs[i].bits)) {
			fail_msg("%s: %u %u", needs[i].name, need->dir, need->file);
		}
		assert_int_equal(d->trees[0].demands[0].read_only, needs[i].read_only);
		assert_true(option->used || f->options.nneeds == 0);
	}
}

static void targets_of_needs(void **state) {
	struct fixture *f = *state;
	make_dir(f, "a");
	add(f, BR_MOUNT_BIND, "a", "/data");
	add(f, BR_MOUNT_BIND, "a", "/data/sub");
	f->needs[0] = (struct br_need_option){.target.s = "/data/", .bits = BR_R};
	f->needs[1] = (struct br_need_option){.target.s = "/data", .bits = BR_X};
	f->options.nneeds = 2;
	const struct br_demands *d = make(f);
	assert_non_null(d);
	assert_true(f->needs[0].used && f->needs[1].used);
	// The last counts, and only for its own target.
	assert_int_equal(d->trees[0].demands[0].need.file, BR_X);
	assert_true(d->trees[0].demands[1].need.as_any);
}

/** "NAME" of each of the others, "NAME!" of services. */
static const char *others(struct fixture *f) {
	const char *out = "";
	for (size_t i = 0; i < f->demands->nothers; i++) {
		const struct br_other *other = &f->demands->others[i];
		out = br_printf(&f->arena, "%s%s%s%s", out, i ? " " : "", other->name,
			other->is_service ? "!" : "");
	}
	return out;
}

static void what_others_mount(void **state) {
	struct fixture *f = *state;
	make_dir(f, "a");
	make_dir(f, "a/db");
	make_file(f, "a/secret");
	make_dir(f, "a/own");
	assert_int_equal(symlink("a/db", in(f, "link")), 0);
	assert_int_equal(symlink("nowhere", in(f, "dangling")), 0);
	add(f, BR_MOUNT_BIND, "a", "/a");
	add(f, BR_MOUNT_BIND, "a/own", "/own");
	const struct br_claim services[] = {
		{{.s = "db"}, {.s = in(f, "link")}},
		{{.s = "gone"}, {.s = in(f, "a/gone")}},
		{{.s = "same"}, {.s = in(f, "a/own/../own")}},
		{{.s = "files"}, {.s = in(f, "a/secret")}},
		{{.s = "all"}, {.s = in(f, "a")}},
	};
	const struct br_claim claims[] = {
		{{.s = "box"}, {.s = in(f, "a/db")}},
		{{.s = "loose"}, {.s = in(f, "dangling")}},
	};
	f->spec.claims = services;
	f->spec.nclaims = COUNT(services);
	f->options.claims = claims;
	f->options.nclaims = COUNT(claims);
	assert_non_null(make(f));
	assert_int_equal(f->demands->nothers, 0);
	f->options.others = true;
	assert_non_null(make(f));
	assert_string_equal(others(f), "db! files! box");
	struct stat st;
	assert_int_equal(stat(in(f, "a/db"), &st), 0);
	assert_int_equal(f->demands->others[0].ino, st.st_ino);
	assert_int_equal(f->demands->others[2].ino, st.st_ino);
}

static void needs_that_nobody_has(void **state) {
	struct fixture *f = *state;
	make_dir(f, "a");
	add(f, BR_MOUNT_BIND, "a", "/data");
	add(f, BR_MOUNT_VOLUME, "a", "/volume");
	static const struct {
		const char *target;
		const char *hint;
	} bad[] = {{"/dta", "did you mean /data?"}, {"/elsewhere", NULL},
		{"/dat", "did you mean /data?"}, {"/volume", NULL}, {"/", NULL}};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct br_need_option option = {
			.target.s = bad[i].target, .bits = BR_R, .used = true};
		f->options.needs = &option;
		f->options.nneeds = 1;
		assert_null(make(f));
		assert_int_equal(br_diags_errors(f->dx), i + 1);
		const char *hint = br_diags_get(f->dx, i)->hint;
		if (bad[i].hint ? !hint || strcmp(hint, bad[i].hint) != 0 : hint != NULL) {
			fail_msg("%s: %s", bad[i].target, hint ? hint : "-");
		}
	}
}

static void a_need_of_what_cannot_be_judged_is_used(void **state) {
	struct fixture *f = *state;
	add(f, BR_MOUNT_BIND, "a", "/data");
	f->identities[0].confidence = BR_UNKNOWN;
	f->needs[0] = (struct br_need_option){.target.s = "/data", .bits = BR_R};
	f->options.nneeds = 1;
	assert_non_null(make(f));
	assert_true(f->needs[0].used);
}

static void at_most_sixty_four(void **state) {
	struct fixture *f = *state;
	make_dir(f, "a");
	for (int i = 0; i < BR_DEMANDS_MAX; i++) {
		add(f, BR_MOUNT_BIND, "a", "/d");
	}
	const struct br_demands *d = make(f);
	assert_non_null(d);
	assert_int_equal(d->trees[0].n, 64);
	assert_int_equal(d->trees[0].demands[63].index, 63);
	add(f, BR_MOUNT_BIND, "a", "/d");
	assert_null(make(f));
	assert_int_equal(br_diags_errors(f->dx), 1);
}

static void without_memory(void **state) {
	struct fixture *f = *state;
	make_tree(f);
	static const char *const sources[] = {"a", "a/x", "none/x", "none", "b"};
	for (size_t i = 0; i < COUNT(sources); i++) {
		add(f, BR_MOUNT_BIND, sources[i], "/d");
	}
	bool hit = true;
	for (unsigned n = 1; hit; n++) {
		// A list tells only once that it was out of memory.
		br_diags_free(f->dx);
		f->dx = br_diags_new(f->places);
		fault_at(n);
		const struct br_demands *d = make(f);
		hit = fault_hit();
		fault_at(0);
		if (d) {
			assert_string_equal(shape(f), "a: . x; none: x .; b: .");
		} else {
			assert_true(hit);
			assert_int_equal(br_diags_errors(f->dx), 1);
		}
		assert_true(hit || n > 3);
	}
}

/** u::--- u:7:rw- g::r-- m::--x o::---, and so on: an ACL by its permissions. */
struct acl4 {
	size_t n;
	struct br_acl_entry entries[5];
};

static struct br_acl *acl_of(struct br_arena *arena, const struct acl4 *from) {
	struct br_acl *acl = br_alloc(arena, sizeof(*acl) + sizeof(from->entries));
	assert_non_null(acl);
	acl->n = from->n;
	memcpy(acl->entries, from->entries, sizeof(from->entries));
	return acl;
}

struct inode_row {
	const char *name;
	uint32_t mode;
	/** A named user's permissions, and the owning group's; the mask is in the mode. NONE: no
	 * ACL. */
	int named, group;
	unsigned as_any_rwx, as_any_rx, exactly_rw;
};

enum {
	NONE = -1,
};

static const struct inode_row inodes[] = {
	{"directory", S_IFDIR | 0000, NONE, NONE, RWX, RWX, RWX},
	{"link", S_IFLNK | 0777, NONE, NONE, 0, 0, 0},
	{"socket", S_IFSOCK | 0777, NONE, NONE, 0, 0, 6},
	{"fifo", S_IFIFO | 0777, NONE, NONE, 0, 0, 6},
	{"block", S_IFBLK | 0777, NONE, NONE, 0, 0, 6},
	{"char", S_IFCHR | 0777, NONE, NONE, 0, 0, 6},
	{"file of nobody", S_IFREG | 0000, NONE, NONE, 0, 0, 6},
	{"owner reads", S_IFREG | 0400, NONE, NONE, 4, 4, 6},
	{"owner writes", S_IFREG | 0200, NONE, NONE, 2, 0, 6},
	{"group writes", S_IFREG | 0420, NONE, NONE, 6, 4, 6},
	{"others execute", S_IFREG | 0401, NONE, NONE, 5, 5, 6},
	{"all", S_IFREG | 0755, NONE, NONE, 7, 5, 6},
	{"setuid is no permission", S_IFREG | 07000, NONE, NONE, 0, 0, 6},
	{"the mask alone gives nothing", S_IFREG | 0070, 0, 0, 0, 0, 6},
	{"a named user within the mask", S_IFREG | 0060, 7, 0, 6, 4, 6},
	{"the group within the mask", S_IFREG | 0060, 0, 3, 2, 0, 6},
	{"both", S_IFREG | 0070, 4, 1, 5, 5, 6},
	{"owner beside the ACL", S_IFREG | 0210, 4, 4, 2, 0, 6},
};

static void need_of_inodes(void **state) {
	struct fixture *f = *state;
	struct br_demand rwx = {.need = {.dir = RWX, .file = RWX, .as_any = true}};
	struct br_demand rx = {.need = {.dir = RWX, .file = RX, .as_any = true}};
	struct br_demand rw = {.need = {.dir = RWX, .file = BR_R | BR_W}};
	for (size_t i = 0; i < COUNT(inodes); i++) {
		const struct inode_row *row = &inodes[i];
		struct br_inode inode = {.mode = row->mode};
		if (row->named != NONE) {
			struct acl4 acl = {5,
				{{BR_ACL_OWNER, (uint16_t)(row->mode >> 6 & 7), {0}},
					{BR_ACL_USER, (uint16_t)row->named, {7}},
					{BR_ACL_OWNING_GROUP, (uint16_t)row->group, {0}},
					{BR_ACL_MASK, (uint16_t)(row->mode >> 3 & 7), {0}},
					{BR_ACL_OTHER, (uint16_t)(row->mode & 7), {0}}}};
			inode.acl = acl_of(&f->arena, &acl);
			inode.have = BR_HAVE_ACL;
		}
		unsigned got[] = {
			br_need_of(&rwx, &inode), br_need_of(&rx, &inode), br_need_of(&rw, &inode)};
		if (got[0] != row->as_any_rwx || got[1] != row->as_any_rx
			|| got[2] != row->exactly_rw) {
			fail_msg("%s: %u %u %u", row->name, got[0], got[1], got[2]);
		}
	}
}

int main(void) {
	can_mount = getuid() == 0 && unshare(CLONE_NEWNS) == 0
		&& mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_what_reaches_the_host, set_up, tear_down),
		cmocka_unit_test_setup_teardown(trees, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whole_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			unknown_identities_demand_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			mount_points_are_trees_of_their_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			bind_mounts_of_one_place_are_one_tree, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_needed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(targets_of_needs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_others_mount, set_up, tear_down),
		cmocka_unit_test_setup_teardown(needs_that_nobody_has, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_need_of_what_cannot_be_judged_is_used, set_up, tear_down),
		cmocka_unit_test_setup_teardown(at_most_sixty_four, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(need_of_inodes, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
