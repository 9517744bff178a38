// File systems of their own for tests that ask the kernel: made in a file, mounted where nobody
// else sees it.
#ifndef TESTS_SUPPORT_DISKS_H
#define TESTS_SUPPORT_DISKS_H

#include <stdbool.h>

// A mount namespace of this process's own; false where it may have none.
bool disks_apart(void);

// Mount a new file system on the directory at: "tmpfs", "ext4", "xfs", "btrfs", with an option as
// "ext4+grpid", or "overlay" (which lies on an ext4 of its own). NULL, or why it could not be.
// disk_unmount() takes it away again, with what it is made of.
const char *disk_mount(const char *kind, const char *at);
void disk_unmount(const char *kind, const char *at);

#endif
