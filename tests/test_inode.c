#include <base/mem.h>
#include <base/own.h>
#include <base/sys.h>
#include <bindright/access.h>
#include <bindright/inode.h>

#include <acl/libacl.h>
#include <errno.h>
#include <fcntl.h>
#include <inode/facts.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <support/acl_words.h>
#include <support/any.h>
#include <support/fault.h>
#include <sys/acl.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

enum {
	ALL = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS,
	CAPS_SIZE = 20,
};

// A directory with a file, a directory, a FIFO, a link and a socket in it.
struct place {
	char path[200];
	int dirfd;
	struct br_acls *acls;
	struct any any;
	// Whether files can be given to any user here.
	bool chowns;
	// Whether ACLs can name any user: not in a user namespace that has but a few.
	bool names;
};

static int open_at(const struct place *place, const char *name) {
	int fd = openat(place->dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static const char *path_of(const struct place *place, const char *name) {
	static char path[300];
	(void)snprintf(path, sizeof(path), "%s/%s", place->path, name);
	return path;
}

static bool can_name(const struct place *place, const char *words) {
	unsigned char value[64];
	const struct br_acl *acl = acl_of_words(place->acls, words);
	br_acl_encode(acl, value);
	const char *path = path_of(place, "dir");
	return !setxattr(path, "system.posix_acl_default", value, br_acl_size(acl), 0)
		&& !removexattr(path, "system.posix_acl_default");
}

static int set_up(void **state) {
	static struct place place;
	const char *tmp = getenv("TMPDIR");
	(void)snprintf(place.path, sizeof(place.path), "%s/bindright.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(place.path)) {
		return -1;
	}
	place.dirfd = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place.acls = br_acls_new();
	int file = openat(place.dirfd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0640);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)snprintf(
		address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/socket", place.dirfd);
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (place.dirfd < 0 || !place.acls || file < 0 || mkdirat(place.dirfd, "dir", 0750)
		|| mkfifoat(place.dirfd, "fifo", 0600) || symlinkat("file", place.dirfd, "link")
		|| bind(sock, (const struct sockaddr *)&address, sizeof(address))) {
		return -1;
	}
	place.chowns = !fchown(file, 101000, 101000) && !fchown(file, geteuid(), getegid());
	place.names = can_name(&place, "u::rwx,u:1001:rwx,u:101000:rwx,g::---,m::rwx,o::---");
	(void)close(file);
	(void)close(sock);
	place.any.state = any_seed();
	*state = &place;
	return 0;
}

static int tear_down(void **state) {
	struct place *place = *state;
	(void)unlinkat(place->dirfd, "file", 0);
	(void)unlinkat(place->dirfd, "dir", AT_REMOVEDIR);
	(void)unlinkat(place->dirfd, "fifo", 0);
	(void)unlinkat(place->dirfd, "link", 0);
	(void)unlinkat(place->dirfd, "socket", 0);
	(void)close(place->dirfd);
	br_acls_free(place->acls);
	br_sys_refuse(0);
	return rmdir(place->path);
}

static void needs_chown(const struct place *place) {
	if (!place->chowns) {
		print_message("skipped: needs to give files to any user\n");
		skip();
	}
}

static void needs_names(const struct place *place) {
	if (!place->names) {
		print_message("skipped: needs ACLs that may name any user\n");
		skip();
	}
}

// ---- ACLs as bytes ----

static const struct br_acl *make(struct place *place, const char *words) {
	return acl_of_words(place->acls, words);
}

static void test_encode(void **state) {
	struct place *place = *state;
	static const unsigned char bytes[] = {
		2, 0, 0, 0, // version
		1, 0, 7, 0, 255, 255, 255, 255, // u::rwx
		2, 0, 6, 0, 0xe9, 3, 0, 0, // u:1001:rw-
		4, 0, 5, 0, 255, 255, 255, 255, // g::r-x
		8, 0, 4, 0, 0x88, 0x8a, 1, 0, // g:101000:r--
		0x10, 0, 3, 0, 255, 255, 255, 255, // m::-wx
		0x20, 0, 0, 0, 255, 255, 255, 255, // o::---
	};
	const struct br_acl *acl =
		make(place, "u::rwx,u:1001:rw-,g::r-x,g:101000:r--,m::-wx,o::---");
	unsigned char out[sizeof(bytes)];
	assert_int_equal(br_acl_size(acl), sizeof(bytes));
	br_acl_encode(acl, out);
	assert_memory_equal(out, bytes, sizeof(bytes));
	assert_ptr_equal(br_acls_decode(place->acls, bytes, sizeof(bytes)), acl);
	assert_int_equal(br_acl_find(acl, BR_ACL_USER, (br_hostid){1001})->perm, 6);
	assert_null(br_acl_find(acl, BR_ACL_USER, (br_hostid){1002}));
	assert_int_equal(br_acl_find(acl, BR_ACL_GROUP, (br_hostid){101000})->perm, 4);
	assert_int_equal(br_acl_find(acl, BR_ACL_MASK, (br_hostid){5})->perm, 3);
}

// Put some bytes, right or wrong ones, where an ACL should be.
static size_t any_bytes(struct place *place, unsigned char *out) {
	struct any *any = &place->any;
	const struct br_acl *acl = any_acl(any, place->acls);
	size_t n = br_acl_size(acl);
	br_acl_encode(acl, out);
	for (uint32_t i = any_below(any, 3); i > 0; i--) {
		size_t at = 4 + 8 * (size_t)any_below(any, (uint32_t)acl->n);
		size_t other = 4 + 8 * (size_t)any_below(any, (uint32_t)acl->n);
		switch (any_below(any, 6)) {
		case 0: // another tag
			out[at] = (unsigned char)(1U << any_below(any, 7));
			break;
		case 1: // an entry twice, or two in the wrong order
			memmove(out + other, out + at, 8);
			break;
		case 2: // cut off
			n = at;
			break;
		case 3: // any byte
			out[at + any_below(any, 4)] = (unsigned char)any_u64(any);
			break;
		case 4: // an ID that is none
			memset(out + at + 4, 0xff, 4);
			break;
		default: // another permission
			out[at + 2] = (unsigned char)any_below(any, 10);
			break;
		}
	}
	return n;
}

// The kernel is asked whether it takes the bytes; no entries at all mean to it that the ACL goes.
static void test_decode_as_the_kernel(void **state) {
	struct place *place = *state;
	needs_names(place);
	unsigned char bytes[256];
	const char *path = path_of(place, "file");
	unsigned taken = 0;
	for (unsigned i = 0; i < 20000; i++) {
		size_t n = any_bytes(place, bytes);
		if (n <= 4) {
			continue;
		}
		const struct br_acl *acl = br_acls_decode(place->acls, bytes, n);
		bool kernel = !setxattr(path, "system.posix_acl_access", bytes, n, 0);
		if (kernel != (acl != NULL)) {
			fail_msg("turn %u: the kernel says %d", i, kernel);
		}
		if (acl) {
			unsigned char again[256];
			br_acl_encode(acl, again);
			taken++;
			assert_int_equal(br_acl_size(acl), n);
			// The order stays, also an unusual one.
			for (size_t at = 4; at < n; at += 8) {
				assert_memory_equal(again + at, bytes + at, 4);
			}
		} else {
			assert_int_equal(errno, EINVAL);
		}
	}
	assert_in_range(taken, 4000, 16000);
}

static void test_malformed(void **state) {
	struct place *place = *state;
	unsigned char bytes[4 + 3 * 8];
	br_acl_encode(make(place, "u::rwx,g::r-x,o::---"), bytes);
	assert_non_null(br_acls_decode(place->acls, bytes, sizeof(bytes)));
	for (size_t n = 0; n < sizeof(bytes); n++) {
		errno = 0;
		assert_null(br_acls_decode(place->acls, bytes, n));
		assert_int_equal(errno, EINVAL);
	}
	bytes[0] = 1;
	assert_null(br_acls_decode(place->acls, bytes, sizeof(bytes)));
	bytes[0] = 2;
	bytes[3] = 1;
	assert_null(br_acls_decode(place->acls, bytes, sizeof(bytes)));
}

static void test_make(void **state) {
	struct place *place = *state;
	const struct br_acl *acl =
		make(place, "o::---,m::rwx,g:9:r--,u:7:r--,g::r-x,u:5:rw-,u::rwx,g:8:---");
	assert_ptr_equal(
		acl, make(place, "u::rwx,u:5:rw-,u:7:r--,g::r-x,g:8:---,g:9:r--,m::rwx,o::---"));
	assert_int_equal(acl->entries[1].id.v, 5);
	// Two entries with an ID: acl_valid(3) would not take them, but the kernel does, and the
	// first counts.
	struct br_acl_entry twice[6];
	memcpy(twice, make(place, "u::rwx,u:5:rw-,u:6:rw-,g::r-x,m::rwx,o::---")->entries,
		sizeof(twice));
	twice[2].id.v = 5;
	twice[2].perm = 0;
	const struct br_acl *both = br_acls_make(place->acls, twice, 6);
	assert_non_null(both);
	assert_int_equal(both->entries[1].perm, 6);
	assert_int_equal(both->entries[2].perm, 0);
	twice[1].perm = 0;
	twice[2].perm = 6;
	assert_ptr_not_equal(br_acls_make(place->acls, twice, 6), both);
	// The mask twice is none.
	twice[2] = twice[4];
	errno = 0;
	assert_null(br_acls_make(place->acls, twice, 6));
	assert_int_equal(errno, EINVAL);
	// No mask though there is a named user.
	assert_null(br_acls_make(place->acls, acl->entries, 3));
	assert_null(br_acls_make(place->acls, NULL, 0));
}

// Equal things are the same pointer, also when there are many of them.
static void test_interned(void **state) {
	struct place *place = *state;
	static const struct br_acl *seen[20000];
	struct br_acl_entry entries[5];
	memcpy(entries, make(place, "u::rwx,u:5:rw-,g::r-x,m::rwx,o::---")->entries,
		sizeof(entries));
	for (unsigned round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < N(seen); i++) {
			entries[1].id.v = 7 * i;
			const struct br_acl *acl = br_acls_make(place->acls, entries, 5);
			assert_non_null(acl);
			assert_true(round == 0 || acl == seen[i]);
			seen[i] = acl;
			assert_int_equal(acl->entries[1].id.v, 7 * i);
		}
	}
	const struct br_blob *blob = br_acls_blob(place->acls, "abc", 3);
	assert_ptr_equal(br_acls_blob(place->acls, "abc", 3), blob);
	assert_ptr_not_equal(br_acls_blob(place->acls, "ab", 2), blob);
	assert_ptr_not_equal(br_acls_blob(place->acls, "abd", 3), blob);
	assert_non_null(br_acls_blob(place->acls, NULL, 0));
}

static void intern_many(void) {
	struct br_acls *acls = br_acls_new();
	struct br_acl_entry entries[] = {{BR_ACL_OWNER, 7, {0}}, {BR_ACL_USER, 7, {0}},
		{BR_ACL_OWNING_GROUP, 7, {0}}, {BR_ACL_MASK, 7, {0}}, {BR_ACL_OTHER, 7, {0}}};
	for (uint32_t n = 0; acls && n < 200; n++) {
		entries[1].id.v = n;
		if (!br_acls_make(acls, entries, N(entries))
			|| !br_acls_blob(acls, &n, sizeof(n))) {
			assert_int_equal(errno, ENOMEM);
		}
	}
	br_acls_freep(&acls);
	assert_null(acls);
}

static void test_memory(void **state) {
	(void)state;
	FAULT_EACH(i, intern_many());
}

// ---- texts ----

static void test_texts(void **state) {
	struct place *place = *state;
	static const struct {
		uint32_t mode;
		const char *text;
	} rows[] = {
		{S_IFDIR | 0750, "drwxr-x---"},
		{S_IFREG | 0640, "-rw-r-----"},
		{S_IFREG | 07777, "-rwsrwsrwt"},
		{S_IFREG | 07000, "---S--S--T"},
		{S_IFLNK | 0777, "lrwxrwxrwx"},
		{S_IFIFO | 0001, "p--------x"},
		{S_IFSOCK, "s---------"},
		{S_IFCHR, "c---------"},
		{S_IFBLK, "b---------"},
		{S_IFDIR | 01777, "drwxrwxrwt"},
	};
	char out[12];
	for (size_t i = 0; i < N(rows); i++) {
		assert_string_equal(
			br_mode_text(&(struct br_inode){.mode = rows[i].mode}, out), rows[i].text);
	}
	const struct br_acl *acl = make(place, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x");
	assert_string_equal(
		br_mode_text(&(struct br_inode){.mode = S_IFDIR | 0770, .acl = acl}, out),
		"drwxrwx---+");
	assert_string_equal(
		br_mode_text(&(struct br_inode){.mode = S_IFDIR | 0770, .def = acl}, out),
		"drwxrwx---+");
	assert_string_equal(br_perm_text(5, out), "r-x");
	assert_string_equal(br_perm_text(0, out), "---");
	struct br_arena arena = {0};
	assert_string_equal(br_acl_text(&arena, acl), "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x");
	FAULT_EACH(i, {
		br_arena_release(&arena);
		(void)br_acl_text(&arena, acl);
	});
	br_arena_release(&arena);
}

// ---- reading ----

static void test_stat(void **state) {
	const struct place *place = *state;
	static const char *const names[] = {"", "file", "dir", "fifo", "link", "socket"};
	for (size_t i = 0; i < N(names); i++) {
		struct stat st;
		struct br_inode inode;
		struct br_inode again;
		assert_int_equal(
			fstatat(place->dirfd, names[i], &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH),
			0);
		assert_int_equal(
			br_inode_read(place->dirfd, names[i], ALL, place->acls, &inode), 0);
		assert_int_equal(inode.dev, st.st_dev);
		assert_int_equal(inode.ino, st.st_ino);
		assert_int_equal(inode.mode, st.st_mode);
		assert_int_equal(inode.nlink, st.st_nlink);
		assert_int_equal(inode.uid.v, st.st_uid);
		assert_int_equal(inode.gid.v, st.st_gid);
		assert_int_equal(inode.size, st.st_size);
		assert_int_equal(inode.ctime.sec, st.st_ctim.tv_sec);
		assert_int_equal(inode.ctime.nsec, st.st_ctim.tv_nsec);
		assert_int_equal(inode.have, ALL);
		assert_int_equal(inode.attrs, 0);
		assert_true(!inode.acl && !inode.def && !inode.caps);
		// The same through a descriptor that can do nothing but be one.
		br_auto(br_closep) int fd = open_at(place, *names[i] ? names[i] : ".");
		assert_int_equal(br_inode_read(fd, "", ALL, place->acls, &again), 0);
		assert_true(br_inode_same(&inode, &again));
		assert_true(br_inode_equal(&inode, &again));
		assert_int_equal(inode.mount, again.mount);
		assert_int_equal(br_inode_stat(fd, "", &again), 0);
		assert_int_equal(again.have, 0);
	}
	struct br_inode none;
	assert_int_equal(br_inode_read(place->dirfd, "none", 0, place->acls, &none), -1);
	assert_int_equal(errno, ENOENT);
	struct br_inode proc;
	struct br_inode root;
	assert_int_equal(br_inode_read(AT_FDCWD, "/proc", ALL, place->acls, &proc), 0);
	assert_true(proc.attrs & BR_MOUNT_ROOT);
	assert_int_equal(br_inode_read(AT_FDCWD, "/", ALL, place->acls, &root), 0);
	assert_int_not_equal(proc.mount, root.mount);
}

static unsigned present(struct place *place, const char *name) {
	struct br_inode inode;
	assert_int_equal(br_inode_stat(place->dirfd, name, &inode), 0);
	br_auto(br_closep) int fd = open_at(place, *name ? name : ".");
	unsigned by_name = br_inode_present(place->dirfd, name, &inode, ALL);
	assert_int_equal(br_inode_present(fd, "", &inode, ALL), by_name);
	return by_name;
}

static void list_some(struct place *place) {
	const unsigned of_file = BR_HAVE_ACL | BR_HAVE_CAPS;
	assert_int_equal(present(place, "listed dir"), 0);
	const struct br_acl *acl = make(place, "u::rw-,u:1001:rw-,g::---,m::rw-,o::---");
	unsigned char value[64];
	br_acl_encode(acl, value);
	const char *file = path_of(place, "listed");
	assert_int_equal(setxattr(file, "user.some", "x", 1, 0), 0);
	assert_int_equal(present(place, "listed"), 0);
	assert_int_equal(setxattr(file, "system.posix_acl_access", value, br_acl_size(acl), 0), 0);
	assert_int_equal(present(place, "listed"), BR_HAVE_ACL);
	char name[120] = "user.";
	memset(name + 5, 'n', 100);
	for (char last = 'a'; last <= 'c'; last++) {
		name[105] = last;
		assert_int_equal(setxattr(file, name, "x", 1, 0), 0);
	}
	assert_int_equal(present(place, "listed"), of_file);
	const char *dir = path_of(place, "listed dir");
	assert_int_equal(setxattr(dir, "system.posix_acl_default", value, br_acl_size(acl), 0), 0);
	assert_int_equal(present(place, "listed dir"), BR_HAVE_DEFAULT_ACL);
	br_sys_refuse(BR_SYS_XATTRAT);
	assert_int_equal(present(place, "listed dir"), BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL);
	br_sys_refuse(BR_SYS_MNT_ID_UNIQUE);
	assert_int_equal(present(place, "listed dir"), BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL);
	br_sys_refuse(0);
	assert_int_equal(present(place, "listed dir"), BR_HAVE_DEFAULT_ACL);
}

// One question tells what there is; where it cannot be asked, or is not to be trusted, each is
// asked for.
static void test_present(void **state) {
	struct place *place = *state;
	const unsigned of_file = BR_HAVE_ACL | BR_HAVE_CAPS;
	struct br_inode proc;
	assert_int_equal(br_inode_stat(AT_FDCWD, "/proc/self/status", &proc), 0);
	assert_int_equal(br_inode_present(AT_FDCWD, "/proc/self/status", &proc, ALL), of_file);
	br_auto(br_closep) int made =
		openat(place->dirfd, "listed", O_CREAT | O_WRONLY | O_CLOEXEC, 0640);
	assert_true(made >= 0);
	assert_int_equal(mkdirat(place->dirfd, "listed dir", 0750), 0);
	assert_int_equal(present(place, "link"), 0);
	assert_int_equal(present(place, "fifo"), BR_HAVE_ACL);
	bool lists = present(place, "listed") == 0;
	if (lists && place->names) {
		list_some(place);
	}
	assert_int_equal(unlinkat(place->dirfd, "listed", 0), 0);
	assert_int_equal(unlinkat(place->dirfd, "listed dir", AT_REMOVEDIR), 0);
	// Where newer calls are refused (tests/under) that it says so is all that can be seen.
	if (!lists && !getenv("BR_UNDER")) {
		print_message("skipped: needs Linux 6.13, and ext4, XFS, btrfs or tmpfs\n");
		skip();
	}
	needs_names(place);
}

// One more change of an inode that bears names in `place`; what cannot be done here is left out.
static bool change_some(const struct place *place, const char *name, unsigned which, bool again) {
	unsigned char value[64];
	char to[16];
	br_auto(br_closep) int fd = open_at(place, name);
	const char *path = path_of(place, name);
	// The same ACL once more would be no change (ext4).
	const struct br_acl *acl = acl_of_words(place->acls,
		again ? "u::rw-,u:1001:rw-,g::---,m::rw-,o::---"
		      : "u::rw-,u:1001:r--,g::---,m::rw-,o::---");
	br_acl_encode(acl, value);
	(void)snprintf(to, sizeof(to), "%s2", name);
	switch (which) {
	case 0:
		return !fchmodat(place->dirfd, name, 0700, 0);
	case 1:
		return place->chowns && !fchownat(fd, "", 101000, (gid_t)-1, AT_EMPTY_PATH);
	case 2:
		return place->names
			&& !setxattr(path, "system.posix_acl_access", value, br_acl_size(acl), 0);
	case 3:
		return place->names
			&& !setxattr(path, "system.posix_acl_default", value, br_acl_size(acl), 0);
	case 4:
		return !setxattr(path, "user.any", again ? "x" : "y", 1, 0);
	case 5:
		return !linkat(place->dirfd, name, place->dirfd, to, 0);
	case 6:
		return !unlinkat(place->dirfd, to, 0);
	case 7:
		return !renameat(place->dirfd, name, place->dirfd, to)
			&& !renameat(place->dirfd, to, place->dirfd, name);
	default:
		// Back to where it began, which is a change as any other.
		return place->chowns && !fchownat(fd, "", geteuid(), (gid_t)-1, AT_EMPTY_PATH);
	}
}

// No change of what was read goes unseen, however soon it comes; and what nobody changed is known
// again.
static void test_untouched(void **state) {
	struct place *place = *state;
	static const char *const names[] = {"changing", "changing dir"};
	const struct br_time quiet = br_inode_quiet();
	br_auto(br_closep) int made =
		openat(place->dirfd, names[0], O_CREAT | O_WRONLY | O_CLOEXEC, 0640);
	assert_true(made >= 0);
	assert_int_equal(mkdirat(place->dirfd, names[1], 0750), 0);
	unsigned known = 0;
	for (unsigned i = 0; i < 2 * 9 * 20; i++) {
		struct br_inode then;
		struct br_inode now;
		br_auto(br_closep) int fd = open_at(place, names[i & 1]);
		assert_int_equal(br_inode_read(fd, "", ALL, place->acls, &then), 0);
		assert_int_equal(br_inode_stat(fd, "", &now), 0);
		known += br_inode_untouched(fd, &then, &now, quiet);
		assert_false(br_inode_untouched(fd, &then, &now, (struct br_time){0}));
		bool changed = change_some(place, names[i & 1], i / 2 % 9, i / 18 & 1);
		assert_int_equal(br_inode_stat(fd, "", &now), 0);
		if (changed && br_inode_untouched(fd, &then, &now, quiet)) {
			fail_msg("turn %u: a change of %s is not seen", i, names[i & 1]);
		}
	}
	struct br_inode one;
	struct br_inode other;
	assert_int_equal(br_inode_stat(place->dirfd, names[0], &one), 0);
	assert_int_equal(br_inode_stat(place->dirfd, names[1], &other), 0);
	assert_false(br_inode_untouched(place->dirfd, &one, &other, quiet));
	assert_int_equal(unlinkat(place->dirfd, names[0], 0), 0);
	assert_int_equal(unlinkat(place->dirfd, names[1], AT_REMOVEDIR), 0);
	if (known == 0 && !getenv("BR_UNDER")) {
		print_message("skipped: needs Linux 6.13, and ext4, XFS, btrfs or tmpfs\n");
		skip();
	}
}

// Descriptors are told apart by number, and those of a child are its own.
static void test_child(void **state) {
	struct place *place = *state;
	needs_names(place);
	const struct br_acl *acl = make(place, "u::rw-,u:1001:rw-,g::---,m::rw-,o::---");
	unsigned char value[64];
	br_acl_encode(acl, value);
	const char *path = path_of(place, "file");
	assert_int_equal(setxattr(path, "system.posix_acl_access", value, br_acl_size(acl), 0), 0);
	br_auto(br_closep) int fd = open_at(place, "dir");
	struct br_inode inode;
	assert_int_equal(br_inode_read(fd, "", ALL, place->acls, &inode), 0);
	assert_null(inode.acl);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int file = open_at(place, "file");
		bool right = dup2(file, fd) == fd
			&& br_inode_read(fd, "", ALL, place->acls, &inode) == 0 && inode.acl == acl;
		_exit(!right);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(removexattr(path, "system.posix_acl_access"), 0);
}

// What was read elsewhere is entered as if it were read here.
static void test_take(void **state) {
	struct place *place = *state;
	unsigned char value[64];
	struct br_inode inode = {.mode = S_IFDIR | 0750};
	const struct br_acl *three = make(place, "u::rwx,g::r-x,o::---");
	br_acl_encode(three, value);
	// Some file systems give the mode as an access ACL; as a default ACL three entries mean
	// something.
	assert_int_equal(
		br_inode_take(&inode, BR_HAVE_ACL, place->acls, value, br_acl_size(three)), 0);
	assert_null(inode.acl);
	assert_int_equal(inode.have, BR_HAVE_ACL);
	assert_int_equal(
		br_inode_take(&inode, BR_HAVE_DEFAULT_ACL, place->acls, value, br_acl_size(three)),
		0);
	assert_ptr_equal(inode.def, three);
	const struct br_acl *masked = make(place, "u::rwx,g::r-x,m::r--,o::---");
	br_acl_encode(masked, value);
	assert_int_equal(
		br_inode_take(&inode, BR_HAVE_ACL, place->acls, value, br_acl_size(masked)), 0);
	assert_ptr_equal(inode.acl, masked);
	assert_int_equal(br_inode_take(&inode, BR_HAVE_CAPS, place->acls, "abc", 3), 0);
	assert_memory_equal(inode.caps->bytes, "abc", 3);
	assert_int_equal(inode.have, ALL);
	assert_int_equal(br_inode_take(&inode, BR_HAVE_CAPS, place->acls, NULL, 0), 0);
	assert_null(inode.caps);
	assert_int_equal(br_inode_take(&inode, BR_HAVE_ACL, place->acls, value, 5), -1);
	assert_int_equal(errno, EINVAL);
	assert_ptr_equal(inode.acl, masked);
	assert_int_equal(br_inode_take(&inode, 64, place->acls, NULL, 0), -1);
	assert_int_equal(errno, EINVAL);
}

static void test_differences(void **state) {
	struct place *place = *state;
	const struct br_acl *acl = make(place, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x");
	const struct br_inode a = {.dev = 1,
		.ino = 2,
		.btime = {3, 4},
		.mode = S_IFDIR | 0750,
		.uid = {5},
		.gid = {6},
		.have = ALL,
		.acl = acl};
	struct br_inode b = a;
	assert_true(br_inode_same(&a, &b) && br_inode_equal(&a, &b));
#define OTHER(change, same, equal) \
	b = a; \
	b.change; \
	assert_int_equal(br_inode_same(&a, &b), same); \
	assert_int_equal(br_inode_equal(&a, &b), equal)
	OTHER(dev = 9, false, true);
	OTHER(ino = 9, false, true);
	OTHER(btime.sec = 9, false, true);
	OTHER(btime.nsec = 9, false, true);
	OTHER(mode = S_IFREG | 0750, false, true);
	OTHER(ctime.sec = 9, true, true);
	OTHER(mode = S_IFDIR | 01750, true, false);
	OTHER(uid.v = 9, true, false);
	OTHER(gid.v = 9, true, false);
	OTHER(acl = NULL, true, false);
	OTHER(def = acl, true, false);
	OTHER(caps = br_acls_blob(place->acls, "x", 1), true, false);
#undef OTHER
	b = a;
	b.have = 0;
	b.acl = NULL;
	assert_true(br_inode_equal(&a, &b));
	// Equal ACLs of another table.
	br_auto(br_acls_freep) struct br_acls *other = br_acls_new();
	b = a;
	b.acl = acl_of_words(other, "u::rwx,u:1001:rwx,g::r-x,m::rwx,o::r-x");
	assert_ptr_not_equal(a.acl, b.acl);
	assert_true(br_inode_equal(&a, &b));
}

// What libacl writes is what we read; what we write is what libacl reads.
static void compare_with_libacl(struct place *place, const char *name, bool is_default) {
	const struct br_acl *acl = any_acl(&place->any, place->acls);
	struct br_arena arena = {0};
	const char *text = br_acl_text(&arena, acl);
	acl_type_t type = is_default ? ACL_TYPE_DEFAULT : ACL_TYPE_ACCESS;
	acl_t theirs = acl_from_text(text);
	assert_non_null(theirs);
	assert_int_equal(acl_valid(theirs), 0);
	assert_int_equal(acl_set_file(path_of(place, name), type, theirs), 0);
	struct br_inode inode;
	assert_int_equal(br_inode_read(place->dirfd, name, ALL, place->acls, &inode), 0);
	assert_ptr_equal(is_default ? inode.def : inode.acl, acl);
	br_auto(br_closep) int fd = open_at(place, name);
	struct br_inode after = inode;
	unsigned step = 0;
	const struct br_acl *next = any_acl(&place->any, place->acls);
	if (is_default) {
		after.def = next;
	} else {
		after.acl = next;
		after.mode = (after.mode & ~0777U) | any_perm_of(next, BR_ACL_OWNER) << 6
			| any_perm_of(next, BR_ACL_MASK) << 3 | any_perm_of(next, BR_ACL_OTHER);
	}
	assert_int_equal(br_inode_write(fd, &inode, &after, &step), 0);
	acl_t got = acl_get_file(path_of(place, name), type);
	assert_non_null(got);
	assert_int_equal(acl_valid(got), 0);
	char *words = acl_to_any_text(got, NULL, ',', TEXT_ABBREVIATE | TEXT_NUMERIC_IDS);
	assert_string_equal(words, br_acl_text(&arena, next));
	(void)acl_free(words);
	(void)acl_free(got);
	(void)acl_free(theirs);
	br_arena_release(&arena);
}

static void test_libacl(void **state) {
	struct place *place = *state;
	needs_names(place);
	for (unsigned i = 0; i < 300; i++) {
		compare_with_libacl(place, "file", false);
		compare_with_libacl(place, "dir", false);
		compare_with_libacl(place, "dir", true);
	}
	// A default ACL may be one of three entries.
	assert_int_equal(acl_delete_def_file(path_of(place, "dir")), 0);
	acl_t three = acl_from_text("u::rwx,g::r-x,o::---");
	assert_int_equal(acl_set_file(path_of(place, "dir"), ACL_TYPE_DEFAULT, three), 0);
	(void)acl_free(three);
	struct br_inode inode;
	assert_int_equal(br_inode_read(place->dirfd, "dir", ALL, place->acls, &inode), 0);
	assert_ptr_equal(inode.def, make(place, "u::rwx,g::r-x,o::---"));
}

// One that is longer than what is usually read at once.
static void test_long_acl(void **state) {
	struct place *place = *state;
	struct br_acl_entry entries[304] = {{BR_ACL_OWNER, 7, {0}}, {BR_ACL_OWNING_GROUP, 7, {0}},
		{BR_ACL_MASK, 7, {0}}, {BR_ACL_OTHER, 0, {0}}};
	for (uint32_t i = 4; i < N(entries); i++) {
		entries[i] = (struct br_acl_entry){BR_ACL_USER, i & 7, {i}};
	}
	const struct br_acl *acl = br_acls_make(place->acls, entries, N(entries));
	unsigned char value[4 + 304 * 8];
	assert_int_equal(br_acl_size(acl), sizeof(value));
	br_acl_encode(acl, value);
	if (setxattr(path_of(place, "file"), "system.posix_acl_access", value, sizeof(value), 0)) {
		print_message("skipped: this file system takes no ACL of 304 entries\n");
		skip();
	}
	struct br_inode inode;
	assert_int_equal(br_inode_read(place->dirfd, "file", ALL, place->acls, &inode), 0);
	assert_ptr_equal(inode.acl, acl);
	char small[64];
	assert_int_equal(
		br_inode_attribute(place->dirfd, "file", BR_HAVE_ACL, small, sizeof(small)), -1);
	assert_int_equal(errno, ERANGE);
	FAULT_EACH(i, {
		if (br_inode_read(place->dirfd, "file", ALL, place->acls, &inode)) {
			assert_int_equal(errno, ENOMEM);
		}
	});
	unsigned step = 0;
	struct br_inode after = inode;
	br_auto(br_closep) int fd = open_at(place, "file");
	after.acl = NULL;
	assert_int_equal(br_inode_write(fd, &inode, &after, &step), 0);
	assert_int_equal(step, 1);
}

static void test_attributes(void **state) {
	const struct place *place = *state;
	static const struct {
		int flag;
		unsigned attr;
	} rows[] = {{FS_IMMUTABLE_FL, BR_IMMUTABLE}, {FS_APPEND_FL, BR_APPEND}};
	br_auto(br_closep) int fd = openat(place->dirfd, "file", O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < N(rows); i++) {
		int flags = 0;
		if (ioctl(fd, FS_IOC_GETFLAGS, &flags)
			|| ioctl(fd, FS_IOC_SETFLAGS, &(int){flags | rows[i].flag})) {
			print_message("skipped: needs the right to set attributes (chattr)\n");
			skip();
		}
		struct br_inode inode;
		int read = br_inode_read(place->dirfd, "file", 0, place->acls, &inode);
		struct br_inode after = inode;
		unsigned step = 9;
		inode.have = after.have = BR_HAVE_ACL;
		after.mode ^= 0111;
		int wrote = br_inode_write(fd, &inode, &after, &step);
		int error = errno;
		assert_int_equal(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
		assert_int_equal(read, 0);
		assert_int_equal(inode.attrs, rows[i].attr);
		assert_int_equal(wrote, -1);
		assert_int_equal(error, EPERM);
		assert_int_equal(step, 0);
	}
}

static void test_support(void **state) {
	const struct place *place = *state;
	br_auto(br_closep) int file = open_at(place, "file");
	br_auto(br_closep) int proc = open("/proc", O_PATH | O_CLOEXEC);
	assert_int_equal(br_inode_acl_support(file), 1);
	assert_int_equal(br_inode_acl_support(place->dirfd), 1);
	assert_int_equal(br_inode_acl_support(proc), 0);
	assert_int_equal(br_inode_acl_support(-1), -1);
}

// ---- writing ----

static const struct br_blob *any_caps(struct place *place) {
	// struct vfs_cap_data, revision 2: CAP_NET_BIND_SERVICE or CAP_CHOWN permitted and
	// effective.
	unsigned char bytes[CAPS_SIZE] = {1, 0, 0, 2};
	uint32_t kind = any_below(&place->any, 3);
	if (kind == 0) {
		return NULL;
	}
	bytes[kind == 1 ? 5 : 4] = kind == 1 ? 4 : 1;
	return br_acls_blob(place->acls, bytes, sizeof(bytes));
}

// A state; `like`: mostly one that has much in common with it.
static struct br_inode any_state(struct place *place, bool is_dir, const struct br_inode *like) {
	struct any *any = &place->any;
	struct br_inode inode = any_inode(any, place->acls, is_dir ? S_IFDIR : S_IFREG, 07000);
	inode.have = ALL;
	if (is_dir && any_below(any, 2)) {
		inode.def = any_acl(any, place->acls);
	}
	if (!is_dir) {
		inode.caps = any_caps(place);
	}
	if (!like) {
		return inode;
	}
	inode.uid = any_below(any, 2) ? like->uid : inode.uid;
	inode.gid = any_below(any, 2) ? like->gid : inode.gid;
	if (any_below(any, 3) == 0) {
		inode.acl = like->acl;
		inode.mode = (inode.mode & ~0777U) | (like->mode & 0777);
	}
	if (any_below(any, 2)) {
		inode.mode = (inode.mode & ~07000U) | (like->mode & 07000);
	}
	inode.def = any_below(any, 2) ? like->def : inode.def;
	inode.caps = any_below(any, 2) ? like->caps : inode.caps;
	return inode;
}

static void read_now(struct place *place, int fd, struct br_inode *out) {
	assert_int_equal(br_inode_read(fd, "", ALL, place->acls, out), 0);
}

static void expect_state(
	struct place *place, int fd, const struct br_inode *want, const char *what) {
	struct br_inode now;
	read_now(place, fd, &now);
	if (!br_inode_equal(&now, want)) {
		char a[12];
		char b[12];
		fail_msg("%s: %s %u:%u instead of %s %u:%u, acl %d, def %d, caps %d", what,
			br_mode_text(&now, a), now.uid.v, now.gid.v, br_mode_text(want, b),
			want->uid.v, want->gid.v, now.acl == want->acl, now.def == want->def,
			now.caps == want->caps);
	}
}

static void bring_to(struct place *place, int fd, const struct br_inode *want) {
	struct br_inode now;
	unsigned step = 0;
	read_now(place, fd, &now);
	assert_int_equal(br_inode_write(fd, &now, want, &step), 0);
}

// Stop after each step: what is there is what br_inode_steps said.
static void stop_everywhere(
	struct place *place, int fd, const struct br_inode *before, const struct br_inode *after) {
	struct br_inode states[BR_INODE_STEPS];
	struct br_step steps[BR_INODE_STEPS];
	size_t n = br_inode_steps(before, after, states);
	assert_int_equal(br_steps_plan(before, after, steps), n);
	assert_in_range(n, 0, BR_INODE_STEPS);
	assert_true(n == 0 ? br_inode_equal(before, after) : br_inode_equal(&states[n - 1], after));
	const struct br_inode *now = before;
	for (size_t i = 0; i < n; i++) {
		// A step that changes nothing would be one too many.
		assert_false(br_inode_equal(now, &states[i]));
		assert_int_equal(br_step_take(fd, now, &steps[i]), 0);
		expect_state(place, fd, &states[i], "a step");
		now = &states[i];
	}
}

static void write_everything(struct place *place, const char *name, unsigned rounds) {
	bool is_dir = *name == 'd';
	br_auto(br_closep) int fd = open_at(place, name);
	struct br_inode before = any_state(place, is_dir, NULL);
	for (unsigned i = 0; i < rounds; i++) {
		struct br_inode after = any_state(place, is_dir, &before);
		struct br_inode states[BR_INODE_STEPS];
		unsigned step = 99;
		bring_to(place, fd, &before);
		expect_state(place, fd, &before, "before");
		stop_everywhere(place, fd, &before, &after);
		expect_state(place, fd, &after, "step by step");
		bring_to(place, fd, &before);
		assert_int_equal(br_inode_write(fd, &before, &after, &step), 0);
		assert_int_equal(step, br_inode_steps(&before, &after, states));
		expect_state(place, fd, &after, "at once");
		before = after;
	}
}

static void test_write(void **state) {
	needs_chown(*state);
	write_everything(*state, "file", 1500);
	write_everything(*state, "dir", 1500);
}

static void make_plain(struct place *place, const char *name, uint32_t mode) {
	br_auto(br_closep) int fd = open_at(place, name);
	bring_to(place, fd, &(struct br_inode){.mode = mode, .have = ALL});
}

// The same as on older kernels, and where nothing may be mounted.
static void test_write_refused(void **state) {
	static const unsigned refused[] = {BR_SYS_FCHMODAT2, BR_SYS_XATTRAT, BR_SYS_FSMOUNT,
		BR_SYS_MNT_ID_UNIQUE, BR_SYS_FCHMODAT2 | BR_SYS_XATTRAT, BR_SYS_ALL};
	needs_chown(*state);
	for (size_t i = 0; i < N(refused); i++) {
		br_sys_refuse(refused[i]);
		write_everything(*state, "file", 100);
		write_everything(*state, "dir", 100);
		make_plain(*state, "file", S_IFREG | 0640);
		make_plain(*state, "dir", S_IFDIR | 0750);
		test_stat(state);
		test_support(state);
	}
	br_sys_refuse(0);
}

// Only an owner's own changes: what may be done without any rights.
static void test_write_own(void **state) {
	struct place *place = *state;
	needs_names(place);
	br_auto(br_closep) int fd = open_at(place, "dir");
	struct br_inode before;
	struct br_inode after;
	unsigned step = 0;
	read_now(place, fd, &before);
	after = before;
	after.acl = make(place, "u::rwx,u:1001:r-x,g::---,m::r-x,o::---");
	after.mode = S_IFDIR | 0750;
	assert_int_equal(br_inode_write(fd, &before, &after, &step), 0);
	expect_state(place, fd, &after, "an ACL");
	// Not by removing the attribute, which would leave the mask as the group's bits.
	struct br_inode last = before;
	last.acl = NULL;
	last.mode = S_IFDIR | 0700;
	assert_int_equal(br_inode_write(fd, &after, &last, &step), 0);
	assert_int_equal(step, 1);
	expect_state(place, fd, &last, "no ACL");
	assert_int_equal(br_inode_write(fd, &last, &last, &step), 0);
	assert_int_equal(step, 0);
}

static void test_unsound(void **state) {
	struct place *place = *state;
	br_auto(br_closep) int fd = open_at(place, "file");
	struct br_inode before;
	read_now(place, fd, &before);
	before.caps = NULL;
	struct br_inode after = before;
	unsigned step = 9;
	after.mode ^= 0100;
	before.have = 0;
	assert_int_equal(br_inode_write(fd, &before, &after, &step), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(step, 0);
	before.have = ALL;
	after.acl = make(place, "u::rwx,u:1001:r-x,g::---,m::r-x,o::---");
	after.mode = S_IFREG | 0770;
	assert_int_equal(br_inode_write(fd, &before, &after, &step), -1);
	assert_int_equal(errno, EINVAL);
	after.mode = S_IFDIR | 0750;
	assert_int_equal(br_inode_write(fd, &before, &after, &step), -1);
	assert_int_equal(errno, EINVAL);
	expect_state(place, fd, &before, "untouched");
}

// A link's own owner; its mode stays.
static void test_link(void **state) {
	struct place *place = *state;
	needs_chown(place);
	br_auto(br_closep) int fd = open_at(place, "link");
	struct br_inode before;
	struct br_inode file;
	unsigned step = 0;
	read_now(place, fd, &before);
	struct br_inode after = before;
	after.uid.v = 1001;
	assert_int_equal(br_inode_write(fd, &before, &after, &step), 0);
	assert_int_equal(step, 1);
	expect_state(place, fd, &after, "the link");
	assert_int_equal(br_inode_stat(place->dirfd, "file", &file), 0);
	assert_int_not_equal(file.ino, after.ino);
}

static void set_cap(cap_value_t cap, cap_flag_value_t value) {
	cap_t caps = cap_get_proc();
	assert_non_null(caps);
	assert_int_equal(cap_set_flag(caps, CAP_EFFECTIVE, 1, &cap, value), 0);
	assert_int_equal(cap_set_proc(caps), 0);
	(void)cap_free(caps);
}

// Without CAP_FSETID the kernel leaves out a foreign group's setgid and says that all went well.
static void test_setgid_lost(void **state) {
	struct place *place = *state;
	needs_chown(place);
	br_auto(br_closep) int fd = open_at(place, "dir");
	struct br_inode before = {
		.mode = S_IFDIR | 0750, .uid = {geteuid()}, .gid = {101000}, .have = ALL};
	struct br_inode after = before;
	unsigned step = 0;
	after.mode |= S_ISGID;
	bring_to(place, fd, &before);
	set_cap(CAP_FSETID, CAP_CLEAR);
	int wrote = br_inode_write(fd, &before, &after, &step);
	int error = errno;
	set_cap(CAP_FSETID, CAP_SET);
	assert_int_equal(wrote, -1);
	assert_int_equal(error, EPERM);
	assert_int_equal(step, 1);
	expect_state(place, fd, &before, "stripped");
}

// ---- never more than before or after ----

enum {
	PEOPLE = ANY_IDS + 1,
};

static const br_hostid people[PEOPLE] = {{0}, {1001}, {1002}, {2000}, {2001}, {101000}, {77777}};

struct watched {
	const struct br_inode *before;
	const struct br_inode *after;
	const struct br_inode *now;
	struct br_cred cred;
};

static bool grants(const struct br_inode *inode, const struct br_cred *cred, unsigned want) {
	return !br_access(inode, cred, &(struct br_where){0}, want).missing;
}

static bool deletes(const struct br_inode *dir, const struct br_cred *cred) {
	bool sticky;
	struct br_inode victim = {
		.mode = S_IFREG, .uid = {88888}, .gid = {88888}, .have = BR_HAVE_ACL};
	return br_access_delete(dir, &victim, cred, &(struct br_where){0}, &sticky);
}

// Whether cred could run this file with its owner's rights, or its group's, or its capabilities.
static bool runs_as(
	const struct br_inode *now, const struct br_inode *then, const struct br_cred *cred) {
	bool user = !(now->mode & S_ISUID) || ((then->mode & S_ISUID) && now->uid.v == then->uid.v);
	bool group =
		!(now->mode & S_ISGID) || ((then->mode & S_ISGID) && now->gid.v == then->gid.v);
	bool caps = !now->caps || now->caps == then->caps;
	return user && group && caps && grants(then, cred, BR_X);
}

static bool within(const struct watched *w) {
	bool is_dir = S_ISDIR(w->now->mode);
	for (unsigned want = 1; want < 8; want++) {
		if (grants(w->now, &w->cred, want) && !grants(w->before, &w->cred, want)
			&& !grants(w->after, &w->cred, want)) {
			return false;
		}
	}
	if (is_dir && deletes(w->now, &w->cred) && !deletes(w->before, &w->cred)
		&& !deletes(w->after, &w->cred)) {
		return false;
	}
	return is_dir || !grants(w->now, &w->cred, BR_X) || runs_as(w->now, w->before, &w->cred)
		|| runs_as(w->now, w->after, &w->cred);
}

static void watch(const struct watched *w) {
	struct watched one = *w;
	br_hostid groups[2];
	one.cred.groups = groups;
	for (size_t i = 0; i < PEOPLE * PEOPLE * PEOPLE; i++) {
		one.cred.uid = people[i % PEOPLE];
		one.cred.gid = people[i / PEOPLE % PEOPLE];
		groups[0] = people[i / PEOPLE / PEOPLE];
		one.cred.ngroups = 1;
		if (!within(&one)) {
			char a[12];
			char b[12];
			char c[12];
			fail_msg("%s %u:%u lets %u:%u,%u do more than %s %u:%u or %s %u:%u do",
				br_mode_text(w->now, a), w->now->uid.v, w->now->gid.v,
				one.cred.uid.v, one.cred.gid.v, groups[0].v,
				br_mode_text(w->before, b), w->before->uid.v, w->before->gid.v,
				br_mode_text(w->after, c), w->after->uid.v, w->after->gid.v);
		}
	}
}

// Every state in between, for everybody who has to do with any of the IDs and for a stranger.
static void test_never_more(void **state) {
	struct place *place = *state;
	size_t most = 0;
	for (unsigned i = 0; i < 6000; i++) {
		bool is_dir = i % 2;
		struct br_inode before = any_state(place, is_dir, NULL);
		struct br_inode after = any_state(place, is_dir, &before);
		struct br_inode states[BR_INODE_STEPS];
		size_t n = br_inode_steps(&before, &after, states);
		most = n > most ? n : most;
		for (size_t s = 0; s + 1 < n; s++) {
			watch(&(struct watched){
				.before = &before, .after = &after, .now = &states[s]});
		}
	}
	assert_int_equal(most, BR_INODE_STEPS);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_decode_as_the_kernel),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_interned),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_present),
		cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_child),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_libacl),
		cmocka_unit_test(test_long_acl),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_support),
		cmocka_unit_test(test_write_own),
		cmocka_unit_test(test_unsound),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_setgid_lost),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_refused),
		cmocka_unit_test(test_never_more),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
