#include "contents.h"

#include <base/file.h>
#include <base/own.h>
#include <base/sha256.h>
#include <base/sys.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
	/** Programs are smaller. */
	LARGEST = 256 << 20,
	PIECE = 64 << 10,
};

static bool has_caps(const struct br_inode *in) {
	return (in->have & BR_HAVE_CAPS) != 0 && in->caps != NULL;
}

bool br_privilege_goes(const struct br_inode *before, const struct br_inode *after) {
	return S_ISREG(before->mode)
		&& ((before->mode & ~after->mode & (S_ISUID | S_ISGID)) != 0
			|| (has_caps(before) && !has_caps(after)));
}

struct br_inode br_privilege_dropped(const struct br_inode *inode) {
	struct br_inode out = *inode;
	out.mode &= ~(uint32_t)(S_ISUID | S_ISGID);
	out.caps = NULL;
	return out;
}

/** For reading, if it is that file. O_NONBLOCK: in case it just became something that would wait. */
static int open_file(int dirfd, const char *name, bool cross, const struct br_inode *expect) {
	struct br_inode now;
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	// The source may be the file itself.
	br_auto(br_closep) int fd = *name == '\0' ? br_sys_reopen(dirfd, flags & ~O_NOFOLLOW)
						  : br_open_beneath(dirfd, name, flags, cross);
	if (fd < 0 || br_inode_stat(fd, "", &now) < 0) {
		return -1;
	}
	if (!S_ISREG(now.mode) || !br_inode_same(expect, &now)) {
		errno = ESTALE;
		return -1;
	}
	return br_steal_fd(&fd);
}

static int digest(int fd, unsigned char out[BR_CONTENTS]) {
	unsigned char piece[PIECE];
	struct sha256 hash;
	size_t total = 0;
	ssize_t n;
	sha256_begin(&hash);
	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -1;
		}
		total += (size_t)n;
		if (total > LARGEST) {
			errno = EFBIG;
			return -1;
		}
		sha256_add(&hash, piece, (size_t)n);
	}
	sha256_close(&hash);
	for (size_t i = 0; i < BR_CONTENTS; i++) {
		out[i] = (unsigned char)(hash.state[i / 4] >> (24 - 8 * (i % 4)));
	}
	return 0;
}

int br_contents_read(int dirfd, const char *name, bool cross, const struct br_inode *expect,
	unsigned char out[BR_CONTENTS]) {
	br_auto(br_closep) int fd = open_file(dirfd, name, cross, expect);
	return fd < 0 ? -1 : digest(fd, out);
}

/**
 * Whether nobody has it open for writing, or mapped so. A lease for reading is given only then
 * (generic_add_lease(), check_conflicting_open()); it is given back at once, for whoever was let
 * out cannot open it again. An overlay gives one, too, but does not know of mappings: those are of
 * the file in its upper layer.
 */
static bool has_no_writer(int fd) {
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0 || (unsigned long)fs.f_type == OVERLAYFS_SUPER_MAGIC) {
		return false;
	}
	// Should somebody want it at this very moment: a signal that does not end us.
	bool given = fcntl(fd, F_SETSIG, SIGURG) == 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
	return given && fcntl(fd, F_SETLEASE, F_UNLCK) == 0;
}

const char *br_contents_differ(int dirfd, const char *name, bool cross,
	const struct br_inode *expect, const unsigned char *want) {
	unsigned char got[BR_CONTENTS];
	if (want == NULL) {
		return "what was in it is not known";
	}
	br_auto(br_closep) int fd = open_file(dirfd, name, cross, expect);
	if (fd < 0) {
		return strerror(errno);
	}
	if (!has_no_writer(fd)) {
		return "somebody may still be writing to it";
	}
	if (digest(fd, got) < 0) {
		return strerror(errno);
	}
	return memcmp(got, want, sizeof(got)) == 0 ? NULL : "what is in it has changed";
}
