#include "walk.h"

#include <base/file.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/** A path that is given to the kernel at once must be shorter than its PATH_MAX. */
enum {
	PIECE = 4000,
};

struct node *br_node_new(struct node *parent, const char *name, size_t len) {
	struct node *node = malloc(sizeof(*node) + len + 1);
	if (!node) {
		return NULL;
	}
	*node = (struct node){
		.parent = parent,
		.fd = -1,
		.depth = parent ? parent->depth + 1 : 0,
		.path_len = (uint32_t)len + (parent && parent->parent ? parent->path_len + 1 : 0),
		.name_len = (uint16_t)len,
	};
	atomic_init(&node->refs, 1);
	atomic_init(&node->pins, 0);
	memcpy(node->name, name, len);
	node->name[len] = '\0';
	if (parent) {
		atomic_fetch_add_explicit(&parent->refs, 1, memory_order_relaxed);
	}
	return node;
}

void br_node_drop(struct node *node) {
	while (node && atomic_fetch_sub(&node->refs, 1) == 1) {
		struct node *parent = node->parent;
		free(node->facts);
		free(node);
		node = parent;
	}
}

void br_node_unpin(struct br_scan *scan, struct node *node) {
	if (atomic_fetch_sub(&node->pins, 1) != 1) {
		return;
	}
	(void)close(node->fd); /* was only read */
	atomic_fetch_sub_explicit(&scan->open, 1, memory_order_relaxed);
}

void br_node_drop_list(struct br_scan *scan, struct node *list) {
	while (list) {
		struct node *node = list;
		list = node->next;
		if (node->reading) {
			br_node_unpin(scan, node);
		} else if (node->pinned) {
			br_node_unpin(scan, node->parent);
		}
		br_node_drop(node);
	}
}

void br_node_path(const struct node *node, char *end) {
	for (; node->parent; node = node->parent) {
		end -= node->name_len;
		memcpy(end, node->name, node->name_len);
		if (node->parent->parent) {
			*--end = '/';
		}
	}
}

/** Open a path of any length beneath fd, piece by piece; consumes the text. */
static int open_pieces(struct br_scan *scan, char *path, size_t len) {
	br_auto(br_closep) int fd = -1;
	const char *end = path + len;
	do {
		char *cut = path + len;
		if (end - path > PIECE) {
			/* A name is at most 255 bytes, so there is a slash. */
			cut = memrchr(path, '/', PIECE);
			*cut = '\0';
		}
		int next = br_open_beneath(fd < 0 ? scan->root_fd : fd, path,
			O_PATH | O_DIRECTORY | O_NOFOLLOW, scan->options.cross);
		br_closep(&fd);
		if (next < 0) {
			return -1;
		}
		fd = next;
		path = cut + 1;
		len = path < end ? (size_t)(end - path) : 0;
	} while (path < end);
	return br_steal_fd(&fd);
}

/** Open the directory anew beneath the root; it must be the one that was there before. */
static int reopen(struct br_scan *scan, const struct node *node) {
	size_t len = node->path_len;
	char *path = malloc(len + 1);
	if (!path) {
		return -1;
	}
	br_node_path(node, path + len);
	path[len] = '\0';
	br_auto(br_closep) int fd = open_pieces(scan, path, len);
	int err = errno;
	free(path);
	struct br_inode now;
	if (fd < 0) {
		errno = err;
		return -1;
	}
	if (br_inode_stat(fd, "", &now)) {
		return -1;
	}
	if (now.dev != node->dev || now.ino != node->ino) {
		errno = ESTALE;
		return -1;
	}
	return br_steal_fd(&fd);
}

int br_node_holder(struct br_scan *scan, const struct node *node, bool *fresh) {
	*fresh = false;
	if (!node->parent) {
		return scan->root_fd;
	}
	if (node->pinned) {
		return node->parent->fd;
	}
	int fd = reopen(scan, node->parent);
	*fresh = fd >= 0;
	return fd;
}
