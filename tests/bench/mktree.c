/*
 * A tree to measure on, the same every time.
 *
 *   mktree DIR INODES UID [wide|deep]
 *
 * wide: directories of a thousand files, as a data set has; deep: some seven files a directory, up
 * to a dozen levels, as node_modules has. Everything is UID's, mode 0644 or 0755. DIR must not
 * exist yet.
 */
#include <base/own.h>
#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
	WIDE_FILES = 1000,
	DEEP_FILES = 7,
	DEEP_LEVELS = 12,
	DEEP_DIRS = 4,
};

struct tree {
	uint32_t left;
	uint32_t uid;
	bool deep;
};

static int make_files(struct tree *tree, int dir, unsigned n) {
	char name[32];
	for (unsigned i = 0; i < n && tree->left > 0; i++, tree->left--) {
		(void)snprintf(name, sizeof(name), "sample-%06u.bin", i);
		br_auto(br_closep) int fd =
			openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
		if (fd < 0 || fchown(fd, tree->uid, tree->uid)) {
			return -1;
		}
	}
	return 0;
}

/** A new directory as a descriptor, or -1. */
static int make_dir(struct tree *tree, int dir, const char *name) {
	if (mkdirat(dir, name, 0755)) {
		return -1;
	}
	br_auto(br_closep) int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fchown(fd, tree->uid, tree->uid)) {
		return -1;
	}
	tree->left -= tree->left > 0;
	return br_steal_fd(&fd);
}

static int make_wide(struct tree *tree, int root) {
	char name[32];
	for (unsigned i = 0; tree->left > 0; i++) {
		(void)snprintf(name, sizeof(name), "class-%05u", i);
		br_auto(br_closep) int fd = make_dir(tree, root, name);
		if (fd < 0 || make_files(tree, fd, WIDE_FILES)) {
			return -1;
		}
	}
	return 0;
}

/** Files, and directories that share evenly what is left for this one. */
static int make_deep(struct tree *tree, int dir, unsigned level, uint32_t share) {
	char name[32];
	uint32_t begun = tree->left;
	if (make_files(tree, dir, share < DEEP_FILES ? share : DEEP_FILES)) {
		return -1;
	}
	for (unsigned i = 0; tree->left > 0 && begun - tree->left < share; i++) {
		(void)snprintf(name, sizeof(name), "module-%u", i);
		br_auto(br_closep) int fd = make_dir(tree, dir, name);
		/* The last level takes whatever there is, directory by directory. */
		uint32_t part = level < DEEP_LEVELS ? share / DEEP_DIRS : DEEP_FILES;
		if (fd < 0 || make_deep(tree, fd, level + 1, part)) {
			return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv) {
	struct tree tree = {0};
	if (argc < 4 || br_parse_u32(argv[2], UINT32_MAX, &tree.left)
		|| br_parse_u32(argv[3], UINT32_MAX - 1, &tree.uid)) {
		(void)fputs("usage: mktree DIR INODES UID [wide|deep]\n", stderr);
		return 2;
	}
	(void)umask(0);
	tree.deep = argc > 4 && !strcmp(argv[4], "deep");
	br_auto(br_closep) int root = make_dir(&tree, AT_FDCWD, argv[1]);
	int failed = root < 0
		|| (tree.deep ? make_deep(&tree, root, 1, tree.left) : make_wide(&tree, root));
	if (failed) {
		(void)fprintf(stderr, "mktree: %s: %s\n", argv[1], strerror(errno));
	}
	return failed ? 1 : 0;
}
