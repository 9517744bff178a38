#include "authors.h"

#include <base/file.h>
#include <base/input.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	NOBODY = 65534,
	LINE_BYTES = 1 << 16,
	/** The largest ACL that a file system keeps. */
	ACL_BYTES = 65536,
	/** As in the kernel's posix_acl_xattr.h. */
	ACL_VERSION = 2,
	ACL_USER = 0x02,
	ACL_OWNING_GROUP = 0x04,
	ACL_GROUP = 0x08,
	ACL_MASK = 0x10,
	ACL_W = 2,
};

/** Authors under way. */
struct search {
	struct br_authors *out;
	uid_t trusted;
};

static void add(const struct search *search, uid_t uid) {
	struct br_authors *out = search->out;
	if (uid == 0 || uid == search->trusted) {
		return;
	}
	for (size_t i = 0; i < out->n; i++) {
		if (out->v[i] == uid) {
			return;
		}
	}
	// The last place is for who stands for all the others.
	bool is_full = out->n >= BR_AUTHORS - 1;
	if (!is_full || (out->n < BR_AUTHORS && uid == NOBODY)) {
		out->v[out->n++] = uid;
	} else if (out->n == BR_AUTHORS - 1) {
		out->v[out->n++] = NOBODY;
	}
}

/** Those who have it as their own group. */
static void add_primaries(const struct search *search, gid_t gid) {
	struct passwd *user;
	setpwent();
	while ((user = getpwent())) {
		if (user->pw_gid == gid) {
			add(search, user->pw_uid);
		}
	}
	endpwent();
}

static void add_named(const struct search *search, const char *name) {
	const struct passwd *user = getpwnam(name);
	if (user) {
		add(search, user->pw_uid);
	}
}

/** Root's group is root's. */
static void add_group(const struct search *search, gid_t gid) {
	struct group group;
	struct group *found = NULL;
	if (gid == 0) {
		return;
	}
	char *buf = malloc(LINE_BYTES);
	int failed = buf ? getgrgid_r(gid, &group, buf, LINE_BYTES, &found) : ENOMEM;
	bool unknown = failed == ENOMEM || failed == ERANGE;
	for (size_t i = 0; !unknown && found && group.gr_mem[i]; i++) {
		add_named(search, group.gr_mem[i]);
	}
	free(buf);
	if (unknown) {
		add(search, NOBODY);
	} else {
		add_primaries(search, gid);
	}
}

static uint32_t number_at(const unsigned char *s, size_t n) {
	uint32_t v = 0;
	while (n--) {
		v = v << 8 | s[n];
	}
	return v;
}

/** Named users and groups that may write, and the owning group if its own entry lets it. False: it
 * has no ACL. */
static bool add_acl(const struct search *search, int fd, const struct stat *st) {
	br_auto(br_freep) unsigned char *acl = malloc(ACL_BYTES);
	ssize_t n = acl ? fgetxattr(fd, "system.posix_acl_access", acl, ACL_BYTES) : 0;
	if (n < 4 || number_at(acl, 4) != ACL_VERSION) {
		return false;
	}
	for (size_t at = 4; at + 8 <= (size_t)n; at += 8) {
		uint32_t id = number_at(acl + at + 4, 4);
		if (!(number_at(acl + at + 2, 2) & ACL_W)) {
			continue;
		}
		switch (number_at(acl + at, 2)) {
		case ACL_USER:
			add(search, id);
			break;
		case ACL_GROUP:
			add_group(search, id);
			break;
		case ACL_OWNING_GROUP:
			add_group(search, st->st_gid);
			break;
		default:
			break;
		}
	}
	return true;
}

void br_authors_add(struct br_authors *authors, int fd, uid_t trusted) {
	const struct search search = {authors, trusted};
	struct stat st;
	if (geteuid() != 0) {
		return;
	}
	if (fstat(fd, &st)) {
		add(&search, NOBODY);
		return;
	}
	add(&search, st.st_uid);
	if (st.st_mode & S_IWOTH) {
		add(&search, NOBODY);
	}
	// With an ACL these bits are its mask: without them none of its entries lets anybody write.
	if ((st.st_mode & S_IWGRP) && !add_acl(&search, fd, &st)) {
		add_group(&search, st.st_gid);
	}
}

void br_authors_join(struct br_authors *to, const struct br_authors *from) {
	const struct search search = {to, 0};
	for (size_t i = 0; i < from->n; i++) {
		add(&search, from->v[i]);
	}
}

int br_open_for(const struct br_authors *authors, const char *path, int flags, uid_t trusted) {
	br_auto(br_closep) int fd = br_open_input(path, flags, trusted);
	for (size_t i = 0; fd >= 0 && i < authors->n; i++) {
		if (!br_user_may_open(path, flags, authors->v[i], fd)) {
			errno = BR_EAUTHOR;
			return -1;
		}
	}
	return fd < 0 ? -1 : br_steal_fd(&fd);
}

char *br_read_for(const struct br_authors *authors, const char *path, uid_t trusted, size_t *len,
	struct br_authors *wrote) {
	size_t max = *len;
	struct stat st;
	*len = 0;
	br_auto(br_closep) int fd = br_open_for(authors, path, O_RDONLY, trusted);
	if (fd < 0 || fstat(fd, &st)) {
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		errno = EISDIR;
		return NULL;
	}
	if (wrote) {
		br_authors_add(wrote, fd, trusted);
	}
	return br_read_fd(fd, max, len);
}
