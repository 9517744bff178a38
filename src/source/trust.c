#include "trust.h"

#include <base/own.h>
#include <base/sys.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	/** A longer line of an account file is not read; all groups then count as shared. */
	LINE_BYTES = 64 << 10,
};

/** Whose write access is no danger. */
struct insiders {
	uid_t owner;
	uid_t trusted;
};

static bool is_insider(const struct insiders *in, uid_t uid) {
	return uid == 0 || uid == in->owner || uid == in->trusted;
}

/** Whether `name` is an insider's. */
static bool is_insider_name(const struct insiders *in, const char *name, char *buf) {
	br_auto(br_fclosep) FILE *f = fopen("/etc/passwd", "re");
	struct passwd pw;
	struct passwd *line = NULL;
	while (f && fgetpwent_r(f, &pw, buf, LINE_BYTES, &line) == 0) {
		if (strcmp(line->pw_name, name) == 0) {
			return is_insider(in, line->pw_uid);
		}
	}
	return false;
}

/** Whether only insiders have this group as their own. */
static bool is_primary_of_insiders(const struct insiders *in, gid_t gid, char *buf) {
	br_auto(br_fclosep) FILE *f = fopen("/etc/passwd", "re");
	struct passwd pw;
	struct passwd *line = NULL;
	int err = EIO;
	while (f && (err = fgetpwent_r(f, &pw, buf, LINE_BYTES, &line)) == 0) {
		if (line->pw_gid == gid && !is_insider(in, line->pw_uid)) {
			return false;
		}
	}
	return err == ENOENT;
}

static bool are_insiders(const struct insiders *in, char **names, char *buf) {
	for (char **name = names; *name; name++) {
		if (!is_insider_name(in, *name, buf)) {
			return false;
		}
	}
	return true;
}

/** All lines of that number count: initgroups(3) takes whoever one of them names. `group_buf` holds
 * a line's words. */
static bool is_private_group(const struct insiders *in, gid_t gid, char *group_buf, char *buf) {
	br_auto(br_fclosep) FILE *f = fopen("/etc/group", "re");
	struct group group;
	struct group *line = NULL;
	bool found = false;
	int err = EIO;
	while (f && (err = fgetgrent_r(f, &group, group_buf, LINE_BYTES, &line)) == 0) {
		if (line->gr_gid == gid && !are_insiders(in, line->gr_mem, buf)) {
			return false;
		}
		found = found || line->gr_gid == gid;
	}
	return found && err == ENOENT && is_primary_of_insiders(in, gid, buf);
}

/** Without memory to find out, it counts as shared. */
static bool is_shared_group(const struct insiders *in, gid_t gid) {
	char *bufs = malloc((size_t)2 * LINE_BYTES);
	bool is_shared = !bufs || !is_private_group(in, gid, bufs, bufs + LINE_BYTES);
	free(bufs);
	return is_shared;
}

/** One that cannot be asked for may be there. */
static bool may_have_acl(int fd) {
	ssize_t n = br_sys_getxattr(fd, "", "system.posix_acl_access", NULL, 0);
	return n > 0 || (n < 0 && errno != ENODATA && errno != EOPNOTSUPP);
}

bool br_others_can_swap(const struct br_step *dir, uid_t trusted, bool ask_acl) {
	struct insiders in = {.owner = dir->uid, .trusted = trusted};
	if (dir->mode & S_ISVTX) {
		return false;
	}
	if (dir->mode & S_IWOTH) {
		return true;
	}
	if (!(dir->mode & S_IWGRP)) {
		return false;
	}
	return (ask_acl && may_have_acl(dir->fd)) || is_shared_group(&in, dir->gid);
}
