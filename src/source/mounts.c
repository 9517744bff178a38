#include "mounts.h"

#include <base/mem.h>
#include <base/own.h>
#include <base/text.h>
#include <bindright/idmap.h>

#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

struct br_mounts {
	struct br_arena arena;
	br_vec(struct br_mount_line) lines;
	/** The lines by mount point, the one on top of others last. */
	const struct br_mount_line **sorted;
};

static const char *copy_or_empty(struct br_arena *arena, const char *s) {
	return br_strdup(arena, s ? s : "");
}

static int add_line(struct br_mounts *mounts, struct libmnt_fs *fs) {
	struct br_arena *arena = &mounts->arena;
	struct br_mount_line line = {
		.id = mnt_fs_get_id(fs),
		.type = copy_or_empty(arena, mnt_fs_get_fstype(fs)),
		.mount_point = copy_or_empty(arena, mnt_fs_get_target(fs)),
		.device = br_printf(
			arena, "%u:%u", major(mnt_fs_get_devno(fs)), minor(mnt_fs_get_devno(fs))),
		.root = copy_or_empty(arena, mnt_fs_get_root(fs)),
		.vfs_options = copy_or_empty(arena, mnt_fs_get_vfs_options(fs)),
		.fs_options = copy_or_empty(arena, mnt_fs_get_fs_options(fs)),
	};
	if (!line.device || !line.root || !line.type || !line.mount_point || !line.vfs_options
		|| !line.fs_options) {
		return -1;
	}
	return br_vec_push(arena, &mounts->lines, line);
}

static int compare_lines(const void *a, const void *b) {
	const struct br_mount_line *x = *(const struct br_mount_line *const *)a;
	const struct br_mount_line *y = *(const struct br_mount_line *const *)b;
	int order = strcmp(x->mount_point, y->mount_point);
	// The table is in the order of mounting, and so is its memory.
	return order ? order : (x > y) - (x < y);
}

static int sort_lines(struct br_mounts *mounts) {
	size_t n = mounts->lines.n;
	mounts->sorted = BR_NEW_ARRAY(&mounts->arena, const struct br_mount_line *, n);
	if (!mounts->sorted) {
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		mounts->sorted[i] = &mounts->lines.v[i];
	}
	if (n) {
		qsort(mounts->sorted, n, sizeof(mounts->sorted[0]), compare_lines);
	}
	return 0;
}

static int add_lines(struct br_mounts *mounts, struct libmnt_table *table) {
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs = NULL;
	int result = iter ? 0 : -1;
	while (!result && mnt_table_next_fs(table, iter, &fs) == 0) {
		result = add_line(mounts, fs);
	}
	mnt_free_iter(iter);
	return result ? -1 : sort_lines(mounts);
}

struct br_mounts *br_mounts_read(void) {
	errno = 0;
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
	if (!table) {
		errno = errno ? errno : ENOMEM;
		return NULL;
	}
	struct br_mounts *mounts = calloc(1, sizeof(*mounts));
	if (mounts && add_lines(mounts, table)) {
		br_mounts_freep(&mounts);
	}
	mnt_unref_table(table);
	if (!mounts) {
		errno = ENOMEM;
	}
	return mounts;
}

void br_mounts_free(struct br_mounts *mounts) {
	if (mounts) {
		br_arena_release(&mounts->arena);
		free(mounts);
	}
}

void br_mounts_freep(struct br_mounts **mounts) {
	int err = errno;
	br_mounts_free(*mounts);
	*mounts = NULL;
	errno = err;
}

const struct br_mount_line *br_mounts_find(const struct br_mounts *mounts, uint64_t id) {
	for (size_t i = 0; mounts && i < mounts->lines.n; i++) {
		if ((uint64_t)mounts->lines.v[i].id == id) {
			return &mounts->lines.v[i];
		}
	}
	return NULL;
}

bool br_mounts_holds(const struct br_mounts *mounts, int fd) {
	struct statx st;
	// Not the ID that is never used again: the table has the other one. Nobody's server is asked.
	int flags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
	return statx(fd, "", flags, STATX_MNT_ID, &st) < 0 || !(st.stx_mask & STATX_MNT_ID)
		|| br_mounts_find(mounts, st.stx_mnt_id) != NULL;
}

/** What of `path` lies below `real`, or NULL. */
static const char *below(const char *path, const char *real) {
	size_t n = strlen(real);
	// The root alone ends with a slash.
	if (n > 0 && real[n - 1] == '/') {
		n--;
	}
	if (strncmp(path, real, n) != 0 || path[n] != '/' || !path[n + 1]) {
		return NULL;
	}
	return path + n + 1;
}

size_t br_mounts_below(const struct br_mounts *mounts, const char *real,
	void (*each)(void *context, const char *below, const char *type), void *context) {
	size_t count = 0;
	for (size_t i = 0; i < mounts->lines.n; i++) {
		const struct br_mount_line *line = mounts->sorted[i];
		bool covered = i + 1 < mounts->lines.n
			&& strcmp(line->mount_point, mounts->sorted[i + 1]->mount_point) == 0;
		const char *rest = below(line->mount_point, real);
		if (!rest || covered) {
			continue;
		}
		count++;
		if (each) {
			each(context, rest, line->type);
		}
	}
	return count;
}

const char *br_mounts_place(
	struct br_arena *arena, const struct br_mounts *mounts, const char *real) {
	const struct br_mount_line *in = NULL;
	size_t longest = 0;
	for (size_t i = 0; i < mounts->lines.n; i++) {
		const struct br_mount_line *line = &mounts->lines.v[i];
		size_t n = strlen(line->mount_point);
		bool holds = strcmp(line->mount_point, real) == 0 || below(real, line->mount_point);
		// Of several in one place the last one covers the others.
		if (holds && n >= longest) {
			longest = n;
			in = line;
		}
	}
	if (!in) {
		return br_strdup(arena, real);
	}
	const char *rest = strcmp(in->mount_point, real) == 0 ? "" : below(real, in->mount_point);
	bool slash = *rest && strcmp(in->root, "/") != 0;
	return br_printf(arena, "%s%s%s%s", in->device, in->root, slash ? "/" : "", rest);
}

/** What a type of file system keeps. An option may change it, see judge_options(). */
struct fs_kind {
	/** A trailing '*' stands for anything. */
	const char *type;
	enum br_answer owners;
	enum br_answer acls;
	bool remote;
};

// The first that fits counts. Sources: Documentation/filesystems of the kernel, mount(8), and each
// driver's inode operations.
static const struct fs_kind kinds[] = {
	{"ext2", BR_YES, BR_YES, false},
	{"ext3", BR_YES, BR_YES, false},
	{"ext4", BR_YES, BR_YES, false},
	{"xfs", BR_YES, BR_YES, false},
	{"btrfs", BR_YES, BR_YES, false},
	{"bcachefs", BR_YES, BR_YES, false},
	{"f2fs", BR_YES, BR_YES, false},
	{"tmpfs", BR_YES, BR_YES, false},
	{"overlay", BR_YES, BR_YES, false},
	{"jfs", BR_YES, BR_YES, false},
	{"gfs2", BR_YES, BR_UNSURE, false},
	{"ocfs2", BR_YES, BR_UNSURE, false},
	{"zfs", BR_YES, BR_UNSURE, false},
	{"reiserfs", BR_YES, BR_UNSURE, false},
	{"ramfs", BR_YES, BR_NO, false},
	{"hfsplus", BR_YES, BR_NO, false},
	{"minix", BR_YES, BR_NO, false},
	{"ecryptfs", BR_YES, BR_UNSURE, false},
	{"erofs", BR_YES, BR_YES, false},
	{"squashfs", BR_YES, BR_NO, false},
	{"vfat", BR_NO, BR_NO, false},
	{"msdos", BR_NO, BR_NO, false},
	{"exfat", BR_NO, BR_NO, false},
	{"hfs", BR_NO, BR_NO, false},
	{"hpfs", BR_NO, BR_NO, false},
	{"ntfs", BR_NO, BR_NO, false},
	{"ntfs3", BR_UNSURE, BR_UNSURE, false},
	{"iso9660", BR_NO, BR_NO, false},
	{"udf", BR_UNSURE, BR_NO, false},
	{"fuse*", BR_UNSURE, BR_UNSURE, true},
	{"nfs4", BR_UNSURE, BR_NO, true},
	{"nfs*", BR_UNSURE, BR_UNSURE, true},
	{"cifs", BR_UNSURE, BR_UNSURE, true},
	{"smb*", BR_UNSURE, BR_UNSURE, true},
	{"9p", BR_UNSURE, BR_UNSURE, true},
	{"virtiofs", BR_UNSURE, BR_UNSURE, true},
	{"ceph", BR_YES, BR_UNSURE, true},
	{"lustre", BR_UNSURE, BR_UNSURE, true},
	{"afs", BR_NO, BR_NO, true},
	{"coda", BR_UNSURE, BR_NO, true},
	{"orangefs", BR_UNSURE, BR_UNSURE, true},
	{"vboxsf", BR_NO, BR_NO, true},
	{"prl_fs", BR_NO, BR_NO, true},
	{"autofs", BR_NO, BR_NO, true},
	{"*", BR_UNSURE, BR_UNSURE, false},
};

static const struct fs_kind *find_kind(const char *type) {
	const struct fs_kind *kind = kinds;
	for (;; kind++) {
		size_t n = strcspn(kind->type, "*");
		bool fits = kind->type[n] ? strncmp(kind->type, type, n) == 0
					  : strcmp(kind->type, type) == 0;
		if (fits) {
			return kind;
		}
	}
}

bool br_fs_is_remote(const char *type) {
	return find_kind(type)->remote;
}

static bool has_option(const char *options, const char *name) {
	return mnt_optstr_get_option(options, name, NULL, NULL) == 0;
}

/** The number of "name=N", or BR_NO_ID. */
static uint32_t number_option(const char *options, const char *name) {
	char *value = NULL;
	char digits[16] = {0};
	size_t n = 0;
	uint32_t number = BR_NO_ID;
	if (mnt_optstr_get_option(options, name, &value, &n) != 0 || n >= sizeof(digits)) {
		return BR_NO_ID;
	}
	memcpy(digits, value, n);
	return br_parse_u32(digits, BR_NO_ID - 1, &number) == 0 ? number : BR_NO_ID;
}

/** Options that decide about ACLs, who may enter, and whether the kernel itself judges by owners
 * and modes (fs/fuse/dir.c, fuse_permission()). */
static void judge_options(const char *options, struct br_fs *fs) {
	if (has_option(options, "noacl")) {
		fs->keeps_acls = BR_NO;
	} else if (has_option(options, "posixacl") && fs->keeps_acls == BR_UNSURE) {
		fs->keeps_acls = BR_YES;
	}
	if (strncmp(fs->type, "fuse", 4) == 0 && has_option(options, "default_permissions")) {
		fs->served = false;
	}
	if (strncmp(fs->type, "fuse", 4) == 0 && !has_option(options, "allow_other")) {
		fs->fuse_only_uid = number_option(options, "user_id");
		fs->fuse_only_gid = number_option(options, "group_id");
	}
}

bool br_fs_is_private(const struct br_fs *fs) {
	return fs->type && strncmp(fs->type, "fuse", 4) == 0 && fs->fuse_only_uid != BR_NO_ID;
}

static enum br_group_rule group_rule(const struct br_mount_line *line) {
	bool by_directory =
		has_option(line->fs_options, "grpid") || has_option(line->fs_options, "bsdgroups");
	if (!by_directory) {
		return BR_GROUP_OF_MAKER;
	}
	return strncmp(line->type, "ext", 3) == 0 ? BR_GROUP_OF_DIRECTORY_ALONE
						  : BR_GROUP_OF_DIRECTORY;
}

/** An automounter has nothing of its own, virtiofs always leaves it to the kernel
 * (fs/fuse/virtio_fs.c), and so do those that keep owners for certain. */
static bool is_served(const char *type, const struct fs_kind *kind) {
	return kind->remote && kind->owners != BR_YES && strcmp(type, "autofs") != 0
		&& strcmp(type, "virtiofs") != 0;
}

static void judge_type(struct br_fs *fs) {
	const struct fs_kind *kind = find_kind(fs->type);
	fs->served = is_served(fs->type, kind);
	fs->keeps_owners = kind->owners;
	fs->keeps_acls = kind->acls;
	fs->remote = kind->remote;
	fs->fuse_only_uid = BR_NO_ID;
	fs->fuse_only_gid = BR_NO_ID;
}

int br_fs_of_line(struct br_arena *arena, const struct br_mount_line *line, struct br_fs *out) {
	*out = (struct br_fs){
		.type = br_strdup(arena, line->type),
		.mount_point = br_strdup(arena, line->mount_point),
		.mount_read_only = has_option(line->vfs_options, "ro"),
		.super_read_only = has_option(line->fs_options, "ro"),
		.new_group = group_rule(line),
	};
	if (!out->type || !out->mount_point) {
		return -1;
	}
	judge_type(out);
	judge_options(line->fs_options, out);
	return 0;
}

static const char *type_of_magic(uint64_t magic) {
	static const struct {
		uint64_t magic;
		const char *type;
	} known[] = {
		{EXT4_SUPER_MAGIC, "ext4"},
		{XFS_SUPER_MAGIC, "xfs"},
		{BTRFS_SUPER_MAGIC, "btrfs"},
		{TMPFS_MAGIC, "tmpfs"},
		{OVERLAYFS_SUPER_MAGIC, "overlay"},
		{F2FS_SUPER_MAGIC, "f2fs"},
		{MSDOS_SUPER_MAGIC, "vfat"},
		{EXFAT_SUPER_MAGIC, "exfat"},
		{FUSE_SUPER_MAGIC, "fuse"},
		{NFS_SUPER_MAGIC, "nfs"},
		{CIFS_SUPER_MAGIC, "cifs"},
		{SMB2_SUPER_MAGIC, "smb3"},
		{V9FS_MAGIC, "9p"},
		{AUTOFS_SUPER_MAGIC, "autofs"},
		{SQUASHFS_MAGIC, "squashfs"},
		{PROC_SUPER_MAGIC, "proc"},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].magic == magic) {
			return known[i].type;
		}
	}
	return "?";
}

int br_fs_of_fd(struct br_arena *arena, int fd, struct br_fs *out) {
	struct statfs st;
	*out = (struct br_fs){.type = "?", .mount_point = "?"};
	if (fstatfs(fd, &st) == 0) {
		out->type = type_of_magic((uint32_t)st.f_type);
		// Without a line, the mount's flag and the file system's cannot be told apart.
		out->mount_read_only = st.f_flags & ST_RDONLY;
	}
	out->type = br_strdup(arena, out->type);
	out->mount_point = br_strdup(arena, out->mount_point);
	if (!out->type || !out->mount_point) {
		return -1;
	}
	judge_type(out);
	return 0;
}
