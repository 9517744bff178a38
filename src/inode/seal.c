// security.evm: a file's owner, group and mode, and its security attributes, under a hash with a
// key or a signature (EVM).

#include <base/file.h>
#include <base/own.h>
#include <base/sys.h>
#include <bindright/inode.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum {
	// "-2147483641\n" at most.
	VALUE_SIZE = 16,
	// EVM_INIT_HMAC and EVM_INIT_X509 of the kernel's security/integrity/evm/evm.h.
	KEYS = 3,
};

// Its older name is a link to the newer one.
static const char *const names[] = {"evm", "integrity/evm/evm"};

static bool is_securityfs(int fd) {
	struct statfs fs;
	return fstatfs(fd, &fs) == 0 && (uint64_t)fs.f_type == SECURITYFS_MAGIC;
}

// 1: there are keys, or it says nothing that is understood; 0 there are none; -1 no such file.
static int read_keys(int dir) {
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n;
		char *text = br_read_file(dir, names[i], VALUE_SIZE, &n);
		if (text == NULL && (errno == ENOENT || errno == ENOTDIR)) {
			continue;
		}
		char *end = text;
		long value = text == NULL ? KEYS : strtol(text, &end, 10);
		bool understood = text != NULL && end > text && (*end == '\n' || *end == '\0');
		free(text);
		return !understood || (value & KEYS) != 0;
	}
	return -1;
}

bool br_inode_seals(void) {
	br_auto(br_closep) int shown =
		open("/sys/kernel/security", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int keys = shown < 0 ? -1 : read_keys(shown);
	if (keys >= 0) {
		return keys > 0;
	}
	if (shown >= 0 && is_securityfs(shown)) {
		return false;
	}
	// Nobody has mounted it.
	br_auto(br_closep) int own = br_sys_mount_securityfs();
	return own < 0 || read_keys(own) > 0;
}

void br_inode_seal(int dirfd, const char *name, struct br_inode *inode) {
	inode->have |= BR_HAVE_SEAL;
	if (S_ISREG(inode->mode)
		&& (br_sys_getxattr(dirfd, name, "security.evm", NULL, 0) >= 0
			|| (errno != ENODATA && errno != EOPNOTSUPP))) {
		inode->attrs |= BR_SEALED;
	}
}
