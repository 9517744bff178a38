// A disk that remembers in which order it was written: flushlog IMAGE LOG MOUNT_POINT -f
//
// FUSE with one file, "disk", whose contents are IMAGE's to begin with. Every write, and every
// flush, goes to LOG as offset:u64 length:u64 bytes; a flush has the length 0.

#define FUSE_USE_VERSION 31

#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int image;
static int journal;
static off_t size;

static bool note(uint64_t offset, const char *bytes, uint64_t n) {
	const uint64_t head[2] = {offset, n};
	return write(journal, head, sizeof(head)) == (ssize_t)sizeof(head)
		&& (n == 0 || write(journal, bytes, n) == (ssize_t)n);
}

static int get_attributes(const char *path, struct stat *st, struct fuse_file_info *info) {
	(void)info;
	memset(st, 0, sizeof(*st));
	bool root = strcmp(path, "/") == 0;
	if (!root && strcmp(path, "/disk") != 0) {
		return -ENOENT;
	}
	st->st_mode = root ? S_IFDIR | 0700 : S_IFREG | 0600;
	st->st_nlink = root ? 2 : 1;
	st->st_size = root ? 0 : size;
	return 0;
}

static int open_disk(const char *path, struct fuse_file_info *info) {
	(void)path;
	// Nothing is kept back on the way.
	info->direct_io = 1;
	return 0;
}

static int read_disk(const char *path, char *out, size_t n, off_t at, struct fuse_file_info *info) {
	(void)path;
	(void)info;
	ssize_t got = pread(image, out, n, at);
	return got < 0 ? -errno : (int)got;
}

static int write_disk(
	const char *path, const char *bytes, size_t n, off_t at, struct fuse_file_info *info) {
	(void)path;
	(void)info;
	ssize_t put = pwrite(image, bytes, n, at);
	return put < 0 || !note((uint64_t)at, bytes, (uint64_t)put) ? -EIO : (int)put;
}

static int sync_disk(const char *path, int data_only, struct fuse_file_info *info) {
	(void)path;
	(void)data_only;
	(void)info;
	return note(0, NULL, 0) ? 0 : -EIO;
}

static const struct fuse_operations operations = {
	.getattr = get_attributes,
	.open = open_disk,
	.read = read_disk,
	.write = write_disk,
	.fsync = sync_disk,
};

int main(int argc, char **argv) {
	struct stat st;
	if (argc < 4) {
		fprintf(stderr, "usage: flushlog IMAGE LOG MOUNT_POINT [OPTION...]\n");
		return 2;
	}
	image = open(argv[1], O_RDWR | O_CLOEXEC);
	journal = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (image < 0 || journal < 0 || fstat(image, &st) < 0) {
		perror("flushlog");
		return 1;
	}
	size = st.st_size;
	argv[2] = argv[0];
	return fuse_main(argc - 2, argv + 2, &operations, NULL);
}
