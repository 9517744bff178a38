#include <base/guard.h>
#include <base/mem.h>
#include <base/own.h>
#include <bindright/source.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <source/mounts.h>
#include <source/step.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>
#include <support/scratch.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	ME = 1000,
	BOB = 1001,
	CAROL = 1002,
	/** A group that no account file knows. */
	NO_GROUP = 654321,
};

struct fixture {
	char root[256];
	struct br_arena arena;
	struct br_source source;
};

/** main() got a mount namespace of its own. */
static bool can_mount;
/** It may give files to others: it is root, and not in a user namespace that knows root alone. */
static bool can_own;

static int set_up(void **state) {
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	scratch_make(f->root, sizeof(f->root));
	f->source.fd = -1;
	*state = f;
	return 0;
}

static int tear_down(void **state) {
	struct fixture *f = *state;
	assert_int_equal(seteuid(getuid()), 0);
	br_source_release(&f->source);
	int left = scratch_remove(f->root);
	br_arena_release(&f->arena);
	free(f);
	return left;
}

static const char *in(struct fixture *f, const char *name) {
	const char *path = br_printf(&f->arena, "%s%s%s", f->root, *name ? "/" : "", name);
	assert_non_null(path);
	return path;
}

static void make_dir(struct fixture *f, const char *name, uid_t uid, mode_t mode) {
	const char *path = in(f, name);
	assert_int_equal(mkdir(path, 0700), 0);
	if (can_own) {
		assert_int_equal(chown(path, uid, 0), 0);
	}
	assert_int_equal(chmod(path, mode), 0);
}

static void make_file(struct fixture *f, const char *name) {
	br_auto(br_closep) int fd =
		open(in(f, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
}

static void make_link(struct fixture *f, const char *name, const char *target, uid_t uid) {
	assert_int_equal(symlink(target, in(f, name)), 0);
	if (can_own) {
		assert_int_equal(lchown(in(f, name), uid, uid), 0);
	}
}

/** Judge an absolute path; the result lives until the next. */
static const struct br_source *judge(struct fixture *f, const char *path) {
	br_source_release(&f->source);
	assert_int_equal(br_source_open(&f->arena, path, ME, &f->source), 0);
	return &f->source;
}

static const struct br_source *judge_in(struct fixture *f, const char *name) {
	return judge(f, in(f, name));
}

static bool is_same(const char *a, const char *b) {
	return a && b ? strcmp(a, b) == 0 : a == b;
}

struct row {
	const char *path;
	enum br_source_state state;
	int err;
	/** Below the fixture's directory. */
	const char *real;
	const char *missing;
	const char *stopped_at;
	bool linked;
};

static const struct row rows[] = {
	{"a/b/c", BR_SOURCE_PRESENT, 0, "a/b/c", NULL, NULL, false},
	{"a/b/c/", BR_SOURCE_PRESENT, 0, "a/b/c", NULL, NULL, false},
	{"a//b/./c/.", BR_SOURCE_PRESENT, 0, "a/b/c", NULL, NULL, false},
	{"a/b/../b/c", BR_SOURCE_PRESENT, 0, "a/b/c", NULL, NULL, false},
	{"", BR_SOURCE_PRESENT, 0, "", NULL, NULL, false},
	{"a/file", BR_SOURCE_PRESENT, 0, "a/file", NULL, NULL, false},
	{"rel", BR_SOURCE_PRESENT, 0, "a/b", NULL, NULL, true},
	{"rel/c", BR_SOURCE_PRESENT, 0, "a/b/c", NULL, NULL, true},
	{"twice/c", BR_SOURCE_PRESENT, 0, "a/b/c", NULL, NULL, true},
	{"slash", BR_SOURCE_PRESENT, 0, "a/b", NULL, NULL, true},
	{"a/b/up", BR_SOURCE_PRESENT, 0, "a", NULL, NULL, true},
	{"a/b/up/b/c", BR_SOURCE_PRESENT, 0, "a/b/c", NULL, NULL, true},
	{"a/b/down", BR_SOURCE_PRESENT, 0, "a/b/c", NULL, NULL, true},
	{"dot", BR_SOURCE_PRESENT, 0, "", NULL, NULL, true},
	{"tofile", BR_SOURCE_PRESENT, 0, "a/file", NULL, NULL, true},
	// ".." of the written path goes before any link, as the engine cleans it.
	{"rel/../file", BR_SOURCE_MISSING, ENOENT, "", "file", "file", false},

	{"a/x", BR_SOURCE_MISSING, ENOENT, "a", "x", "a/x", false},
	{"a/x/y/z/", BR_SOURCE_MISSING, ENOENT, "a", "x/y/z", "a/x", false},
	{"x", BR_SOURCE_MISSING, ENOENT, "", "x", "x", false},
	{"rel/x/y", BR_SOURCE_MISSING, ENOENT, "a/b", "x/y", "a/b/x", true},
	{"rel/../x", BR_SOURCE_MISSING, ENOENT, "", "x", "x", false},

	{"dangling", BR_SOURCE_DANGLING, ENOENT, "", NULL, "nowhere", true},
	{"dangling/x", BR_SOURCE_DANGLING, ENOENT, "", NULL, "nowhere", true},
	{"a/deepdangling", BR_SOURCE_DANGLING, ENOENT, "a/b", NULL, "a/b/nowhere", true},
	{"todangling", BR_SOURCE_DANGLING, ENOENT, "", NULL, "nowhere", true},
	{"self", BR_SOURCE_DANGLING, ELOOP, "", NULL, "self", true},
	{"self/x", BR_SOURCE_DANGLING, ELOOP, "", NULL, "self", true},
	{"ping", BR_SOURCE_DANGLING, ELOOP, "", NULL, "ping", true},

	{"a/file/x", BR_SOURCE_NOT_A_DIRECTORY, ENOTDIR, "a/file", NULL, "a/file", false},
	{"tofile/x/y", BR_SOURCE_NOT_A_DIRECTORY, ENOTDIR, "a/file", NULL, "a/file", true},
	{"belowfile", BR_SOURCE_NOT_A_DIRECTORY, ENOTDIR, "a/file", NULL, "a/file", true},
};

static void make_tree(struct fixture *f) {
	make_dir(f, "a", ME, 0755);
	make_dir(f, "a/b", ME, 0755);
	make_dir(f, "a/b/c", ME, 0755);
	make_file(f, "a/file");
	make_link(f, "rel", "a/b", ME);
	make_link(f, "twice", "rel", ME);
	make_link(f, "slash", "a/b/", ME);
	make_link(f, "a/b/up", "..", ME);
	make_link(f, "a/b/down", "../b/./c", ME);
	make_link(f, "dot", ".", ME);
	make_link(f, "tofile", "a/file", ME);
	make_link(f, "dangling", "nowhere", ME);
	make_link(f, "todangling", "dangling", ME);
	make_link(f, "a/deepdangling", "b/nowhere/x", ME);
	make_link(f, "self", "self", ME);
	make_link(f, "ping", "pong", ME);
	make_link(f, "pong", "ping", ME);
	make_link(f, "belowfile", "a/file/x", ME);
}

/** In a user namespace the owner of "/" is a stranger, and so nothing is safe. */
static bool trusts_base;

static bool fits(struct fixture *f, const struct row *row, const struct br_source *s) {
	const char *stopped_at = row->stopped_at ? in(f, row->stopped_at) : NULL;
	bool pinned = row->state == BR_SOURCE_PRESENT || row->state == BR_SOURCE_MISSING;
	return s->state == row->state && s->err == row->err && is_same(s->real, in(f, row->real))
		&& is_same(s->missing, row->missing) && is_same(s->stopped_at, stopped_at)
		&& s->linked == row->linked && pinned == (s->fd >= 0)
		&& !(s->unsafe && trusts_base);
}

static void states(void **state) {
	struct fixture *f = *state;
	make_tree(f);
	trusts_base = !judge_in(f, "")->unsafe;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct br_source *s = judge_in(f, rows[i].path);
		if (!fits(f, &rows[i], s)) {
			fail_msg("%s: state %d, err %d, real %s, missing %s, stopped at %s, %s",
				rows[i].path, (int)s->state, s->err, s->real,
				s->missing ? s->missing : "-", s->stopped_at ? s->stopped_at : "-",
				s->unsafe ? s->unsafe : "safe");
		}
		assert_string_equal(s->path, in(f, rows[i].path));
		struct stat st;
		if (s->fd >= 0) {
			assert_int_equal(stat(in(f, rows[i].real), &st), 0);
			assert_int_equal(s->ino, st.st_ino);
			assert_int_equal(s->dev, st.st_dev);
			assert_int_equal(s->mode, st.st_mode);
			assert_int_equal(fcntl(s->fd, F_GETFL) & O_PATH, O_PATH);
			assert_int_equal(fcntl(s->fd, F_GETFD), FD_CLOEXEC);
		}
	}
}

static void absolute_links(void **state) {
	struct fixture *f = *state;
	make_dir(f, "a", ME, 0755);
	make_link(f, "abs", in(f, "a"), ME);
	make_link(f, "a/abs", in(f, "abs"), ME);
	make_link(f, "root", "/", ME);
	make_link(f, "roots", "//", ME);
	make_link(f, "climb", "../../../../../../../../../../..", ME);
	assert_string_equal(judge_in(f, "abs")->real, in(f, "a"));
	assert_string_equal(judge_in(f, "abs/abs/x")->real, in(f, "a"));
	assert_string_equal(f->source.missing, "x");
	assert_int_equal(f->source.state, BR_SOURCE_MISSING);
	static const char *const roots[] = {"root", "roots", "climb"};
	for (size_t i = 0; i < COUNT(roots); i++) {
		assert_string_equal(judge_in(f, roots[i])->real, "/");
		assert_int_equal(f->source.state, BR_SOURCE_PRESENT);
	}
	assert_string_equal(judge_in(f, "root/usr")->real, "/usr");
	assert_string_equal(judge(f, "/")->real, "/");
	assert_string_equal(judge(f, "//..//.")->real, "/");
}

static void bad_paths(void **state) {
	struct fixture *f = *state;
	static const char *const relative[] = {"", "a", "./a", "../a"};
	for (size_t i = 0; i < COUNT(relative); i++) {
		assert_int_equal(judge(f, relative[i])->state, BR_SOURCE_UNREACHABLE);
		assert_int_equal(f->source.err, EINVAL);
		assert_int_equal(f->source.fd, -1);
	}
}

static void long_names(void **state) {
	struct fixture *f = *state;
	static char name[PATH_MAX + 1];
	memset(name, 'n', 256);
	name[255] = 0;
	assert_int_equal(judge_in(f, name)->state, BR_SOURCE_MISSING);
	name[255] = 'n';
	assert_int_equal(judge_in(f, name)->state, BR_SOURCE_UNREACHABLE);
	assert_int_equal(f->source.err, ENAMETOOLONG);
	// The kernel takes PATH_MAX bytes with the NUL.
	for (size_t i = 0; i < PATH_MAX; i++) {
		name[i] = i % 2 ? '.' : '/';
	}
	name[PATH_MAX] = 0;
	assert_int_equal(judge(f, name)->err, ENAMETOOLONG);
	assert_int_equal(f->source.state, BR_SOURCE_UNREACHABLE);
	name[PATH_MAX - 1] = 0;
	assert_int_equal(judge(f, name)->state, BR_SOURCE_PRESENT);
}

/** The kernel follows 40 links, and so does the walk. */
static void forty_links(void **state) {
	struct fixture *f = *state;
	make_dir(f, "l0", ME, 0755);
	for (int i = 1; i <= 41; i++) {
		char name[16];
		char target[16];
		(void)snprintf(name, sizeof(name), "l%d", i);
		(void)snprintf(target, sizeof(target), "l%d", i - 1);
		make_link(f, name, target, ME);
	}
	struct stat st;
	assert_int_equal(stat(in(f, "l40"), &st), 0);
	assert_int_equal(judge_in(f, "l40")->state, BR_SOURCE_PRESENT);
	assert_int_equal(stat(in(f, "l41"), &st), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(judge_in(f, "l41")->state, BR_SOURCE_DANGLING);
	assert_int_equal(f->source.err, ELOOP);
}

/* Random trees, with the kernel and realpath as the oracle. */

static unsigned next_random(unsigned *seed) {
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16) & 0x7fff;
}

/** A path of up to four components of one letter; for links also "." and "..". */
static void random_path(unsigned *seed, bool for_link, char out[64]) {
	unsigned n = 1 + next_random(seed) % 4;
	size_t len = 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned what = next_random(seed) % 10;
		const char *part = for_link && what == 0 ? "." : for_link && what < 3 ? ".." : NULL;
		char letter[2] = {(char)('a' + next_random(seed) % 5), 0};
		len += (size_t)snprintf(
			out + len, 64 - len, "%s%s", i ? "/" : "", part ? part : letter);
	}
}

static void make_random_tree(struct fixture *f, unsigned *seed) {
	for (int i = 0; i < 40; i++) {
		char name[64];
		char target[64];
		random_path(seed, false, name);
		random_path(seed, true, target);
		unsigned what = next_random(seed) % 10;
		// Many of these fail, for want of a parent or because something is there.
		if (what < 4) {
			(void)mkdir(in(f, name), 0755);
		} else if (what < 9) {
			(void)!symlink(what < 8 ? target : in(f, target), in(f, name));
		} else {
			(void)mknod(in(f, name), S_IFREG | 0644, 0);
		}
	}
}

static bool agrees(const struct br_source *s, const char *real, int err) {
	switch (s->state) {
	case BR_SOURCE_PRESENT:
		return real && strcmp(s->real, real) == 0;
	case BR_SOURCE_MISSING:
		return !real && err == ENOENT;
	case BR_SOURCE_DANGLING:
		return !real && (err == ENOENT || err == ELOOP) && err == s->err;
	case BR_SOURCE_NOT_A_DIRECTORY:
		return !real && err == ENOTDIR;
	case BR_SOURCE_UNREACHABLE:
		return false;
	}
	return false;
}

static void random_trees(void **state) {
	struct fixture *f = *state;
	unsigned seed = 4711;
	for (int tree = 0; tree < 40; tree++) {
		char dir[16];
		char base[256];
		(void)snprintf(dir, sizeof(dir), "t%d", tree);
		make_dir(f, dir, ME, 0755);
		memcpy(base, f->root, sizeof(base));
		(void)snprintf(f->root, sizeof(f->root), "%.200s/%s", base, dir);
		make_random_tree(f, &seed);
		for (int i = 0; i < 50; i++) {
			char name[64];
			random_path(&seed, false, name);
			errno = 0;
			char *real = realpath(in(f, name), NULL);
			int err = errno;
			const struct br_source *s = judge_in(f, name);
			if (!agrees(s, real, err)) {
				fail_msg("%s: state %d, %s; the kernel says %s, %s", in(f, name),
					(int)s->state, s->real, real ? real : "-", strerror(err));
			}
			free(real);
		}
		memcpy(f->root, base, sizeof(base));
	}
}

/* Trust. */

struct trust_row {
	const char *path;
	/** What the clause must hold; NULL: safe. */
	const char *unsafe;
};

static void make_trust_tree(struct fixture *f) {
	make_dir(f, "rootdir", 0, 0755);
	make_dir(f, "rootdir/x", 0, 0755);
	make_dir(f, "bob", BOB, 0755);
	make_dir(f, "bob/own", BOB, 0755);
	make_dir(f, "bob/own/deep", BOB, 0755);
	make_dir(f, "bob/roots", 0, 0755);
	make_dir(f, "bob/roots/x", 0, 0755);
	make_dir(f, "bob/carols", CAROL, 0755);
	make_dir(f, "bob/mine", ME, 0755);
	make_dir(f, "bob/carolsopen", CAROL, 0775);
	make_dir(f, "bob/carols/own", CAROL, 0755);
	make_file(f, "bob/carolsfile");
	assert_int_equal(chown(in(f, "bob/carolsfile"), CAROL, CAROL), 0);
	make_link(f, "bob/toown", "own", BOB);
	make_link(f, "bob/toroot", "../rootdir", BOB);
	make_link(f, "bob/rootslink", "own", 0);
	make_link(f, "bob/carolslink", "own", CAROL);
	make_dir(f, "me", ME, 0755);
	make_dir(f, "me/roots", 0, 0755);
	make_dir(f, "me/roots/x", 0, 0755);
	make_dir(f, "me/bobs", BOB, 0755);
	make_dir(f, "me/bobs/own", BOB, 0755);
	make_link(f, "me/link", "../rootdir/x", ME);
	make_dir(f, "sticky", 0, 01777);
	make_dir(f, "sticky/bob", BOB, 0755);
	make_dir(f, "sticky/bob/x", BOB, 0755);
	make_dir(f, "sticky/bob/roots", 0, 0755);
	make_link(f, "sticky/toown", "../bob/own", BOB);
	make_link(f, "sticky/toroot", "../rootdir", BOB);
	make_link(f, "sticky/toroots", in(f, "rootdir"), BOB);
	make_link(f, "sticky/viaroot", "../sticky/toroot/x", 0);
	make_link(f, "sticky/mine", "../rootdir", ME);
	make_dir(f, "wide", 0, 0777);
	make_dir(f, "wide/x", 0, 0755);
	make_dir(f, "wide/carols", CAROL, 0755);
	make_dir(f, "shared", 0, 0775);
	make_dir(f, "shared/x", 0, 0755);
	assert_int_equal(chown(in(f, "shared"), 0, NO_GROUP), 0);
	make_dir(f, "private", 0, 0775);
	make_dir(f, "private/x", 0, 0755);
	make_dir(f, "bob/wide", BOB, 0777);
	make_link(f, "me/towide", "../bob/wide", ME);
	make_link(f, "bob/wide/back", "../own", BOB);
	make_link(f, "bob/tocarol", "carols", BOB);
	make_dir(f, "last", 0, 0777);
}

static const struct trust_row trust_rows[] = {
	{"rootdir", NULL},
	{"rootdir/x", NULL},
	{"bob", NULL},
	{"bob/own", NULL},
	{"bob/own/deep", NULL},
	// An engine made it there; but nothing below it.
	{"bob/roots", NULL},
	{"bob/roots/x", "'%s/bob/roots' is of UID 0, in a directory of UID 1001"},
	{"bob/carols", "'%s/bob/carols' is of UID 1002, in a directory of UID 1001"},
	{"bob/mine", "'%s/bob/mine' is of UID 1000, in a directory of UID 1001"},
	// She could have let anybody move it there; what lies below hers; what is no directory is
	// moved without writing it.
	{"bob/carolsopen", "'%s/bob/carolsopen' is of UID 1002"},
	{"bob/carols/own", "'%s/bob/carols' is of UID 1002"},
	{"bob/carolsfile", "'%s/bob/carolsfile' is of UID 1002"},
	{"wide/carols", "others than its owner can replace what is in '%s/wide'"},
	{"bob/missing", NULL},
	{"bob/toown", NULL},
	{"bob/toown/deep", NULL},
	{"bob/toroot",
		"the link '%s/bob/toroot' is of UID 1001, and '%s/rootdir' where it leads to of UID 0"},
	{"bob/toroot/x", "the link '%s/bob/toroot' is of UID 1001"},
	{"bob/rootslink", "'%s/bob/rootslink' is of UID 0, in a directory of UID 1001"},
	{"bob/carolslink", "'%s/bob/carolslink' is of UID 1002, in a directory of UID 1001"},
	{"me/roots", NULL},
	{"me/roots/x", NULL},
	{"me/bobs", NULL},
	{"me/bobs/own", NULL},
	{"me/link", NULL},
	{"sticky/bob", NULL},
	{"sticky/bob/x", NULL},
	{"sticky/bob/roots", NULL},
	{"sticky/toown", NULL},
	{"sticky/toown/deep", NULL},
	{"sticky/toroot", "the link '%s/sticky/toroot' is of UID 1001"},
	{"sticky/toroots", "the link '%s/sticky/toroots' is of UID 1001"},
	{"sticky/viaroot", "the link '%s/sticky/toroot' is of UID 1001"},
	{"sticky/mine", NULL},
	{"sticky/missing", NULL},
	{"wide", NULL},
	{"wide/x", "others than its owner can replace what is in '%s/wide'"},
	{"wide/missing", "others than its owner can replace what is in '%s/wide'"},
	{"shared", NULL},
	{"shared/x", "others than its owner can replace what is in '%s/shared'"},
	{"bob/wide", NULL},
	{"bob/wide/missing", "others than its owner can replace what is in '%s/bob/wide'"},
	{"last", NULL},
};

/** Whose directory it is where only that is unsafe; UINT32_MAX for all other paths. */
static uint32_t owner_of_last(const char *path) {
	return strcmp(path, "bob/carols") == 0        ? CAROL
		: strcmp(path, "bob/carolsopen") == 0 ? CAROL
		: strcmp(path, "bob/mine") == 0       ? ME
						      : UINT32_MAX;
}

static void trust(void **state) {
	struct fixture *f = *state;
	if (!can_own) {
		print_message("skipped: only root can make directories of others\n");
		skip();
	}
	if (judge_in(f, "")->unsafe) {
		print_message("skipped: %s\n", f->source.unsafe);
		skip();
	}
	make_trust_tree(f);
	for (size_t i = 0; i < COUNT(trust_rows); i++) {
		const struct br_source *s = judge_in(f, trust_rows[i].path);
		char clause[1024] = "";
		if (trust_rows[i].unsafe) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			(void)snprintf(
				clause, sizeof(clause), trust_rows[i].unsafe, f->root, f->root);
#pragma GCC diagnostic pop
		}
		if (trust_rows[i].unsafe ? !s->unsafe || !strstr(s->unsafe, clause)
					 : s->unsafe != NULL) {
			fail_msg("%s: %s", trust_rows[i].path, s->unsafe ? s->unsafe : "safe");
		}
		if (s->unsafe_owner != owner_of_last(trust_rows[i].path)) {
			fail_msg("%s: of %u", trust_rows[i].path, s->unsafe_owner);
		}
		if (s->unsafe_owner != UINT32_MAX) {
			assert_int_equal(s->unsafe_from, BOB);
			assert_int_equal(
				s->unsafe_shared, strstr(trust_rows[i].path, "open") != NULL);
		}
	}
}

/** From where on it is one name after the other. */
static void unsafe_place(void **state) {
	static const struct {
		const char *path;
		const char *at;
	} places[] = {
		{"rootdir", NULL},
		{"bob/wide/missing", "bob/wide"},
		{"me/towide/missing", "bob/wide"},
		{"me/towide/missing/more", "bob/wide"},
		{"bob/roots/x", "bob"},
		{"me/towide/back", NULL},
		{"bob/wide/back", NULL},
		{"sticky/toroot/x", NULL},
		{"bob/tocarol", NULL},
	};
	struct fixture *f = *state;
	if (!can_own || judge_in(f, "")->unsafe) {
		print_message("skipped: only root can make directories of others\n");
		skip();
	}
	make_trust_tree(f);
	for (size_t i = 0; i < COUNT(places); i++) {
		const struct br_source *s = judge_in(f, places[i].path);
		const char *want = places[i].at ? in(f, places[i].at) : NULL;
		if (!want != !s->unsafe_at || (want && strcmp(want, s->unsafe_at) != 0)) {
			fail_msg("%s: %s", places[i].path, s->unsafe_at ? s->unsafe_at : "nowhere");
		}
	}
}

/** Whether by the C library nobody but root is in group 0. */
static bool group_0_is_roots_alone(void) {
	const struct group *gr = getgrgid(0);
	bool alone = gr != NULL;
	for (char **member = gr ? gr->gr_mem : NULL; alone && *member; member++) {
		alone = strcmp(*member, "root") == 0;
	}
	const struct passwd *pw;
	setpwent();
	while ((pw = getpwent())) {
		alone = alone && (pw->pw_gid != 0 || pw->pw_uid == 0);
	}
	endpwent();
	return alone;
}

static void group_of_nobody_else(void **state) {
	struct fixture *f = *state;
	if (!can_own || !group_0_is_roots_alone()) {
		print_message("skipped: needs root alone in group 0\n");
		skip();
	}
	make_dir(f, "d", 0, 0775);
	make_dir(f, "d/x", 0, 0755);
	assert_null(judge_in(f, "d/x")->unsafe);
	// With an ACL, the group's bits are the mask of anybody. u::rwx u:1001:rwx g::r-x m::rwx
	// o::r-x
	static const unsigned char acl[] = {2, 0, 0, 0, //
		1, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, //
		2, 0, 7, 0, 0xe9, 3, 0, 0, //
		4, 0, 5, 0, 0xff, 0xff, 0xff, 0xff, //
		0x10, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, //
		0x20, 0, 5, 0, 0xff, 0xff, 0xff, 0xff};
	if (setxattr(in(f, "d"), "system.posix_acl_access", acl, sizeof(acl), 0) != 0) {
		print_message("skipped: no ACLs here\n");
		skip();
	}
	assert_non_null(judge_in(f, "d/x")->unsafe);
}

/** A file of these words, and whatever is at `over` covered by it. */
static void cover(struct fixture *f, const char *name, const char *words, const char *over) {
	br_auto(br_closep) int fd =
		open(in(f, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t n = strlen(words);
	assert_int_equal(write(fd, words, n), n);
	assert_int_equal(mount(in(f, name), over, NULL, MS_BIND, NULL), 0);
}

/** Whether a directory of mine, which its group can write, is unsafe under these files of accounts.
 */
static bool is_shared(struct fixture *f, const char *passwd, const char *group) {
	cover(f, "passwd", passwd, "/etc/passwd");
	cover(f, "group", group, "/etc/group");
	bool shared = judge_in(f, "mine/x")->unsafe != NULL;
	assert_int_equal(umount("/etc/group"), 0);
	assert_int_equal(umount("/etc/passwd"), 0);
	return shared;
}

#define MEMBERS "root:x:0:0::/:\nme:x:1000:7100::/:\nbob:x:1001:1001::/:\n"

static void groups_by_their_accounts(void **state) {
	struct fixture *f = *state;
	if (!can_own || !can_mount) {
		print_message("skipped: needs root to mount over files of accounts\n");
		skip();
	}
	make_dir(f, "mine", ME, 0775);
	make_dir(f, "mine/x", ME, 0755);
	assert_int_equal(chown(in(f, "mine"), ME, 7100), 0);
	assert_false(is_shared(f, MEMBERS, "root:x:0:\ng:x:7100:\n"));
	assert_false(is_shared(f, MEMBERS, "g:x:7100:me,root\n"));
	assert_true(is_shared(f, MEMBERS, "g:x:7100:me,bob\n"));
	assert_true(is_shared(f, MEMBERS, "g:x:7100:unknown\n"));
	assert_true(is_shared(f, MEMBERS, "g:x:7101:\n"));
	assert_true(is_shared(f, MEMBERS "carol:x:1002:7100::/:\n", "g:x:7100:\n"));
	assert_true(is_shared(f, MEMBERS "root2:x:0:7100::/:\nc:x:1002:7100::/:\n", "g:x:7100:\n"));
	// Two names of one number: whom either of them has is in it.
	assert_false(is_shared(f, MEMBERS, "g:x:7100:\nh:x:7100:me\n"));
	assert_true(is_shared(f, MEMBERS, "g:x:7100:\nh:x:7100:bob\n"));
}

/** What comes after a line that is too long is not known. */
static void accounts_with_long_lines(void **state) {
	struct fixture *f = *state;
	if (!can_own || !can_mount) {
		print_message("skipped: needs root to mount over files of accounts\n");
		skip();
	}
	char *xs = br_alloc(&f->arena, 70000);
	assert_non_null(xs);
	memset(xs, 'x', 69999);
	xs[69999] = '\0';
	const char *users = br_printf(&f->arena, "%s%s:x:1003:1003::/:\n", MEMBERS, xs);
	const char *groups = br_printf(&f->arena, "g:x:7100:\n%s:x:7102:\n", xs);
	make_dir(f, "mine", ME, 0775);
	make_dir(f, "mine/x", ME, 0755);
	assert_int_equal(chown(in(f, "mine"), ME, 7100), 0);
	assert_true(is_shared(f, users, "g:x:7100:\n"));
	assert_true(is_shared(f, MEMBERS, groups));
}

static void parents_that_cannot_be_searched(void **state) {
	struct fixture *f = *state;
	if (!can_own) {
		print_message("skipped: needs root to become somebody\n");
		skip();
	}
	make_dir(f, "closed", 0, 0700);
	make_dir(f, "closed/x", 0, 0755);
	assert_int_equal(judge_in(f, "closed/x")->state, BR_SOURCE_PRESENT);
	assert_int_equal(seteuid(BOB), 0);
	assert_int_equal(judge_in(f, "closed")->state, BR_SOURCE_PRESENT);
	assert_int_equal(judge_in(f, "closed/x")->state, BR_SOURCE_UNREACHABLE);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(f->source.err, EACCES);
	assert_string_equal(f->source.stopped_at, in(f, "closed/x"));
	assert_string_equal(f->source.real, in(f, "closed"));
	assert_int_equal(f->source.fd, -1);
}

static void kernel_links_are_not_followed(void **state) {
	struct fixture *f = *state;
	assert_int_equal(judge(f, "/proc/self/cwd/x")->state, BR_SOURCE_UNREACHABLE);
	assert_int_equal(f->source.err, ELOOP);
	assert_non_null(f->source.unsafe);
	assert_string_equal(f->source.fs.type, "proc");
	assert_int_equal(judge(f, "/proc/sys")->state, BR_SOURCE_PRESENT);
}

/* Mounts. */

static void need_mounts(void) {
	if (!can_mount) {
		print_message("skipped: no mount namespace\n");
		skip();
	}
}

static void read_only_mounts(void **state) {
	struct fixture *f = *state;
	need_mounts();
	make_dir(f, "d", 0, 0755);
	make_dir(f, "d/sub", 0, 0755);
	const char *d = in(f, "d");
	assert_false(judge(f, d)->fs.mount_read_only);
	uint64_t dev = f->source.dev;
	uint64_t mount_id = f->source.mount;
	assert_int_equal(mount(d, d, NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(NULL, d, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
	const struct br_source *s = judge_in(f, "d/sub");
	assert_true(s->fs.mount_read_only);
	assert_false(s->fs.super_read_only);
	assert_string_equal(s->fs.mount_point, d);
	assert_int_equal(s->dev, dev);
	assert_true(s->mount != mount_id);
	assert_int_equal(judge_in(f, "d/none")->state, BR_SOURCE_MISSING);
	assert_true(f->source.fs.mount_read_only);
	assert_int_equal(umount2(d, MNT_DETACH), 0);
	assert_int_equal(mount("t", d, "tmpfs", MS_RDONLY, "mode=755"), 0);
	s = judge(f, d);
	assert_true(s->fs.super_read_only);
	assert_string_equal(s->fs.type, "tmpfs");
	assert_int_equal(s->fs.keeps_owners, BR_YES);
	assert_int_equal(s->fs.keeps_acls, BR_YES);
	assert_false(s->fs.remote);
	assert_int_equal(s->fs.fuse_only_uid, UINT32_MAX);
	assert_int_equal(umount2(d, MNT_DETACH), 0);
}

static void links_across_mounts(void **state) {
	struct fixture *f = *state;
	need_mounts();
	make_dir(f, "m", 0, 0755);
	make_dir(f, "there", 0, 0755);
	const char *m = in(f, "m");
	assert_int_equal(mount("t", m, "tmpfs", 0, "mode=755"), 0);
	make_link(f, "m/out", "../there", 0);
	make_link(f, "m/stay", "../m", 0);
	assert_string_equal(judge_in(f, "m/out")->real, in(f, "there"));
	assert_string_not_equal(f->source.fs.mount_point, m);
	assert_string_equal(judge_in(f, "m/stay")->real, m);
	assert_string_equal(f->source.fs.mount_point, m);
	assert_int_equal(umount2(m, MNT_DETACH), 0);
}

/** The start of /dev/fuse's side: a mount whose server never answers. -1 where there is no FUSE. */
static int mount_fuse(const char *where, const char *more) {
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[128];
	(void)snprintf(options, sizeof(options), "fd=%d,rootmode=40000,%s", fd, more);
	if (fd >= 0 && mount("srv", where, "fuse.hung", MS_NOSUID | MS_NODEV, options) != 0) {
		br_closep(&fd);
	}
	return fd;
}

static double seconds_since(const struct timespec *start) {
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void server_that_never_answers(void **state) {
	struct fixture *f = *state;
	need_mounts();
	make_dir(f, "m", 0, 0755);
	br_auto(br_closep) int fd = mount_fuse(in(f, "m"), "user_id=0,group_id=0,allow_other");
	if (fd < 0) {
		print_message("skipped: no FUSE\n");
		skip();
	}
	const double most = BR_GUARD_MILLISECONDS / 1000.0 + 2;
	const struct br_source *s = NULL;
	double took = most;
	// A busy machine is slow now and then; who waits twice does so always.
	for (int tries = 0; tries < 5 && took >= most; tries++) {
		struct timespec start;
		(void)clock_gettime(CLOCK_MONOTONIC, &start);
		s = judge_in(f, "m/x");
		took = seconds_since(&start);
	}
	assert_int_equal(umount2(in(f, "m"), MNT_DETACH), 0);
	assert_int_equal(s->state, BR_SOURCE_UNREACHABLE);
	assert_int_equal(s->err, ETIMEDOUT);
	assert_string_equal(s->stopped_at, in(f, "m"));
	assert_string_equal(s->fs.type, "fuse.hung");
	assert_true(s->fs.remote);
	assert_int_equal(s->fs.fuse_only_uid, UINT32_MAX);
	assert_int_equal(s->fd, -1);
	assert_true(took < most);
}

/** What an automounter would be asked for is not opened: nothing gets mounted because somebody
 * looked. */
static void automounter_is_not_asked(void **state) {
	struct fixture *f = *state;
	int ends[2];
	char options[128];
	char request;
	need_mounts();
	make_dir(f, "auto", 0, 0755);
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	br_auto(br_closep) int daemon = ends[0];
	br_auto(br_closep) int kernel = ends[1];
	(void)snprintf(options, sizeof(options),
		"fd=%d,pgrp=1,minproto=5,maxproto=5,indirect,uid=0,gid=0", kernel);
	if (mount("auto", in(f, "auto"), "autofs", 0, options) != 0) {
		print_message("skipped: no autofs here\n");
		skip();
	}
	// The engine would have the file system mounted that belongs here.
	assert_int_equal(judge_in(f, "auto")->state, BR_SOURCE_UNREACHABLE);
	assert_int_equal(f->source.err, EREMOTE);
	assert_string_equal(f->source.fs.type, "autofs");
	br_source_release(&f->source);
	assert_int_equal(judge_in(f, "auto/x/y")->state, BR_SOURCE_UNREACHABLE);
	assert_int_equal(f->source.err, EREMOTE);
	assert_string_equal(f->source.stopped_at, in(f, "auto/x"));
	assert_int_equal(read(daemon, &request, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(umount2(in(f, "auto"), MNT_DETACH), 0);
}

static void fuse_of_somebody_else(void **state) {
	struct fixture *f = *state;
	need_mounts();
	make_dir(f, "m", 0, 0755);
	br_auto(br_closep) int fd = mount_fuse(in(f, "m"), "user_id=1001,group_id=1001");
	if (fd < 0) {
		print_message("skipped: no FUSE\n");
		skip();
	}
	const struct br_source *s = judge_in(f, "m");
	assert_int_equal(umount2(in(f, "m"), MNT_DETACH), 0);
	assert_int_equal(s->state, BR_SOURCE_UNREACHABLE);
	assert_int_equal(s->err, EACCES);
	assert_string_equal(s->fs.type, "fuse.hung");
	assert_int_equal(s->fs.fuse_only_uid, BOB);
}

struct fs_row {
	const char *type, *vfs, *fs;
	enum br_answer owners, acls;
	bool remote;
	uint32_t only;
	bool mount_ro, super_ro;
	bool served;
};

#define ANY UINT32_MAX

static const struct fs_row fs_rows[] = {
	{"ext4", "rw,relatime", "rw,errors=remount-ro", BR_YES, BR_YES, false, ANY, false, false,
		false},
	{"ext4", "rw", "rw,noacl", BR_YES, BR_NO, false, ANY, false, false, false},
	{"ext4", "ro", "rw", BR_YES, BR_YES, false, ANY, true, false, false},
	{"ext4", "rw", "ro", BR_YES, BR_YES, false, ANY, false, true, false},
	{"xfs", "rw", "rw,attr2", BR_YES, BR_YES, false, ANY, false, false, false},
	{"btrfs", "rw", "rw,subvol=/ro", BR_YES, BR_YES, false, ANY, false, false, false},
	{"overlay", "rw", "rw,lowerdir=/a:/noacl", BR_YES, BR_YES, false, ANY, false, false, false},
	{"ramfs", "rw", "rw", BR_YES, BR_NO, false, ANY, false, false, false},
	{"zfs", "rw", "rw,xattr,posixacl", BR_YES, BR_YES, false, ANY, false, false, false},
	{"zfs", "rw", "rw,xattr,noacl", BR_YES, BR_NO, false, ANY, false, false, false},
	{"vfat", "rw", "rw,uid=1000", BR_NO, BR_NO, false, ANY, false, false, false},
	{"exfat", "rw", "rw", BR_NO, BR_NO, false, ANY, false, false, false},
	{"ntfs3", "rw", "rw", BR_UNSURE, BR_UNSURE, false, ANY, false, false, false},
	{"fuseblk", "rw", "rw,user_id=0,allow_other", BR_UNSURE, BR_UNSURE, true, ANY, false, false,
		true},
	{"fuse.sshfs", "rw", "rw,user_id=1000", BR_UNSURE, BR_UNSURE, true, 1000, false, false,
		true},
	{"fuse.sshfs", "rw", "rw,user_id=0", BR_UNSURE, BR_UNSURE, true, 0, false, false, true},
	{"fuse.sshfs", "rw", "rw,user_id=4294967294", BR_UNSURE, BR_UNSURE, true, 4294967294, false,
		false, true},
	{"fuse.sshfs", "rw", "rw,user_id=4294967296", BR_UNSURE, BR_UNSURE, true, ANY, false, false,
		true},
	{"fuse.x", "rw", "rw,user_id=1,allow_other", BR_UNSURE, BR_UNSURE, true, ANY, false, false,
		true},
	{"nfs", "rw", "rw,vers=3", BR_UNSURE, BR_UNSURE, true, ANY, false, false, true},
	{"nfs4", "rw", "rw,vers=4.2", BR_UNSURE, BR_NO, true, ANY, false, false, true},
	{"9p", "rw", "rw,posixacl", BR_UNSURE, BR_YES, true, ANY, false, false, true},
	{"cifs", "rw", "rw", BR_UNSURE, BR_UNSURE, true, ANY, false, false, true},
	{"autofs", "rw", "rw", BR_NO, BR_NO, true, ANY, false, false, false},
	{"newfs", "rw", "rw,user_id=1", BR_UNSURE, BR_UNSURE, false, ANY, false, false, false},
	{"fuse.x", "rw", "rw,user_id=0,default_permissions,allow_other", BR_UNSURE, BR_UNSURE, true,
		ANY, false, false, false},
	{"virtiofs", "rw", "rw", BR_UNSURE, BR_UNSURE, true, ANY, false, false, false},
	{"ceph", "rw", "rw", BR_YES, BR_UNSURE, true, ANY, false, false, false},
};

static void file_systems(void **state) {
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT(fs_rows); i++) {
		const struct fs_row *row = &fs_rows[i];
		struct br_mount_line line = {.type = row->type,
			.mount_point = "/m",
			.vfs_options = row->vfs,
			.fs_options = row->fs};
		struct br_fs fs;
		assert_int_equal(br_fs_of_line(&f->arena, &line, &fs), 0);
		if (fs.keeps_owners != row->owners || fs.keeps_acls != row->acls
			|| fs.remote != row->remote || fs.fuse_only_uid != row->only
			|| fs.mount_read_only != row->mount_ro
			|| fs.super_read_only != row->super_ro || fs.served != row->served) {
			fail_msg("%s (%s)", row->type, row->fs);
		}
	}
}

static void file_system_without_a_line(void **state) {
	struct fixture *f = *state;
	br_auto(br_closep) int fd = open("/proc", O_PATH | O_CLOEXEC);
	struct br_fs fs;
	assert_int_equal(br_fs_of_fd(&f->arena, fd, &fs), 0);
	assert_string_equal(fs.type, "proc");
	assert_string_equal(fs.mount_point, "?");
	assert_int_equal(br_fs_of_fd(&f->arena, -1, &fs), 0);
	assert_string_equal(fs.type, "?");
	assert_int_equal(fs.keeps_owners, BR_UNSURE);
}

static void note_mount(void *context, const char *below, const char *type) {
	char *out = context;
	size_t n = strlen(out);
	(void)snprintf(out + n, 512 - n, "%s=%s ", below, type);
}

/** Counts those that have a name: the root is not below itself. */
static void count_named_mount(void *context, const char *below, const char *type) {
	(void)type;
	*(size_t *)context += *below != 0;
}

static void mounts_below(void **state) {
	struct fixture *f = *state;
	need_mounts();
	static const char *const dirs[] = {"d", "d/b", "d/a b", "d/b/c", "dd"};
	for (size_t i = 0; i < COUNT(dirs); i++) {
		make_dir(f, dirs[i], 0, 0755);
	}
	assert_int_equal(mount("t", in(f, "d"), "tmpfs", 0, NULL), 0);
	assert_int_equal(umount2(in(f, "d"), 0), 0);
	assert_int_equal(mount("t", in(f, "d/b/c"), "tmpfs", 0, NULL), 0);
	assert_int_equal(mount("t", in(f, "d/a b"), "tmpfs", 0, NULL), 0);
	assert_int_equal(mount("r", in(f, "d/a b"), "ramfs", 0, NULL), 0);
	assert_int_equal(mount("t", in(f, "dd"), "tmpfs", 0, NULL), 0);
	br_auto(br_mounts_freep) struct br_mounts *mounts = br_mounts_read();
	assert_non_null(mounts);
	char seen[512] = "";
	assert_int_equal(br_mounts_below(mounts, in(f, "d"), note_mount, seen), 2);
	assert_string_equal(seen, "a b=ramfs b/c=tmpfs ");
	assert_int_equal(br_mounts_below(mounts, in(f, "d/b/c"), NULL, NULL), 0);
	assert_int_equal(br_mounts_below(mounts, in(f, "d/b"), NULL, NULL), 1);
	size_t all = 0;
	assert_true(br_mounts_below(mounts, "/", count_named_mount, &all) >= 4);
	assert_int_equal(all, br_mounts_below(mounts, "/", NULL, NULL));
	assert_int_equal(umount2(in(f, "d/b/c"), MNT_DETACH), 0);
	assert_int_equal(umount2(in(f, "d/a b"), MNT_DETACH), 0);
	assert_int_equal(umount2(in(f, "d/a b"), MNT_DETACH), 0);
	assert_int_equal(umount2(in(f, "dd"), MNT_DETACH), 0);
}

static void nothing_stays_open(void **state) {
	struct fixture *f = *state;
	make_tree(f);
	int before = dup(0);
	assert_int_equal(close(before), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)judge_in(f, rows[i].path);
	}
	br_source_release(&f->source);
	br_source_release(&f->source);
	int after = dup(0);
	assert_int_equal(close(after), 0);
	assert_int_equal(before, after);
}

/** Whether the n-th allocation was reached. */
static bool try_to_open(struct fixture *f, const char *path, unsigned n) {
	struct br_arena arena = {0};
	br_source_release(&f->source);
	fault_at(n);
	int result = br_source_open(&arena, path, ME, &f->source);
	bool hit = fault_hit();
	fault_at(0);
	if (result == 0) {
		assert_int_equal(f->source.state, BR_SOURCE_MISSING);
		assert_string_equal(f->source.real, in(f, "a/b"));
		assert_string_equal(f->source.missing, "x/y");
		assert_true(f->source.unsafe || !can_own);
	} else {
		assert_true(hit);
		assert_int_equal(f->source.fd, -1);
	}
	br_arena_release(&arena);
	return hit;
}

static void without_memory(void **state) {
	struct fixture *f = *state;
	make_tree(f);
	make_link(f, "bobs", "a/./b", BOB);
	unsigned n = 1;
	while (try_to_open(f, in(f, "bobs/x/y"), n)) {
		n++;
	}
	assert_true(n > 3);
}

/** What is in memory is found there, whatever else is mounted and unmounted on the machine
 * meanwhile. */
static void mounted_while_others_mount(void **state) {
	struct fixture *f = *state;
	char place[300];
	if (!can_mount) {
		skip();
	}
	(void)snprintf(place, sizeof(place), "%s/busy", f->root);
	assert_int_equal(mkdir(place, 0700), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	while (pid == 0) {
		if (mount("none", place, "tmpfs", 0, NULL) < 0 || umount2(place, MNT_DETACH) < 0) {
			_exit(1);
		}
	}
	int failed = 0;
	for (int i = 0; i < 200000; i++) {
		struct br_step step;
		failed += br_step_open_mounted(AT_FDCWD, f->root, &step) != 0;
		br_closep(&step.fd);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)umount2(place, MNT_DETACH);
	assert_int_equal(failed, 0);
}

int main(void) {
	can_own = getuid() == 0 && seteuid(BOB) == 0 && seteuid(0) == 0;
	can_mount = getuid() == 0 && unshare(CLONE_NEWNS) == 0
		&& mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(states, set_up, tear_down),
		cmocka_unit_test_setup_teardown(absolute_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_paths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(forty_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(random_trees, set_up, tear_down),
		cmocka_unit_test_setup_teardown(trust, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unsafe_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(group_of_nobody_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(groups_by_their_accounts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(accounts_with_long_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(parents_that_cannot_be_searched, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kernel_links_are_not_followed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(read_only_mounts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(links_across_mounts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(server_that_never_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(automounter_is_not_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fuse_of_somebody_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(file_systems, set_up, tear_down),
		cmocka_unit_test_setup_teardown(file_system_without_a_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mounts_below, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mounted_while_others_mount, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_stays_open, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
