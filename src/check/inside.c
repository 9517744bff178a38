#include "inside.h"

#include <base/file.h>
#include <base/own.h>
#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	LINKS = 16,
	/** Accounts that packages make. */
	SYSTEM_UIDS = 1000,
};

// Paths

/** The path with the link at its first n bytes followed; it goes to clean(). */
static const char *follow(
	const struct inside *in, const char *path, size_t n, const struct br_image_node *node) {
	const char *slash = strrchr(node->path, '/');
	int above = *node->link == '/' ? 0 : (int)(slash - node->path);
	return say(in->work, "%.*s/%s%s", above, node->path, node->link, path + n);
}

/** Without "." and ".." and doubled slashes. */
static const char *clean(const struct inside *in, const char *path) {
	char *out = br_printf(in->work->check->arena, "/%s", path);
	if (!out) {
		in->work->failed = true;
		return "/";
	}
	br_path_clean(out);
	return out;
}

const char *inside_path(const struct inside *in, const char *path) {
	path = clean(in, path);
	for (unsigned links = 0; links < LINKS; links++) {
		const struct br_image_node *node = NULL;
		size_t n = 0;
		while (path[n] && !node) {
			n += 1 + strcspn(path + n + 1, "/");
			const char *at = say(in->work, "%.*s", (int)n, path);
			node = br_image_node_at(in->image, at);
			node = node && node->type == BR_IMAGE_LINK ? node : NULL;
		}
		if (!node) {
			break;
		}
		path = clean(in, follow(in, path, n, node));
	}
	return path;
}

// One container

static int compare_ids(const void *a, const void *b) {
	const br_hostid *x = a;
	const br_hostid *y = b;
	return x->v < y->v ? -1 : x->v > y->v;
}

int inside_begin(
	struct inside *in, struct check_work *work, size_t i, const struct br_identity *identity) {
	static const struct br_image nothing = {0};
	const struct br_check_input *input = work->input;
	const struct br_container *container = &input->spec->containers[i];
	struct br_arena *arena = work->check->arena;
	br_hostid *groups = BR_NEW_ARRAY(arena, br_hostid, identity->ngroups);
	const char **targets = BR_NEW_ARRAY(arena, const char *, container->nmounts);
	if (!groups || !targets) {
		work->failed = true;
		return -1;
	}
	for (size_t k = 0; k < identity->ngroups; k++) {
		groups[k].v = identity->groups[k].v;
	}
	if (identity->ngroups) {
		qsort(groups, identity->ngroups, sizeof(*groups), compare_ids);
	}
	*in = (struct inside){.work = work,
		.container = container,
		.targets = targets,
		.identity = identity,
		.image = input->images ? &input->images[i] : &nothing,
		.box = {.uid = {identity->uid.v},
			.gid = {identity->gid.v},
			.groups = groups,
			.ngroups = identity->ngroups,
			.caps = identity->cred.caps,
			.umask = identity->cred.umask}};
	for (size_t k = 0; k < container->nmounts; k++) {
		const char *target = container->mounts[k].target.s;
		targets[k] = target ? inside_path(in, target) : NULL;
	}
	return 0;
}

const char *inside_variable(const struct inside *in, const char *name, size_t n, bool *unsure) {
	const struct br_container *box = in->container;
	for (size_t i = box->nenvironment; i-- > 0;) {
		const char *entry = box->environment[i].s;
		if (entry && !strncmp(entry, name, n) && (!entry[n] || entry[n] == '=')) {
			*unsure = *unsure || !entry[n];
			return entry[n] ? entry + n + 1 : NULL;
		}
	}
	for (size_t i = in->image->nenvironment; i-- > 0;) {
		const char *entry = in->image->environment[i];
		if (!strncmp(entry, name, n) && entry[n] == '=') {
			return entry + n + 1;
		}
	}
	return NULL;
}

// Mounts

/** Whether `path` is `top` or lies below it. */
static bool is_at(const char *path, const char *top) {
	size_t n = strlen(top);
	while (n > 1 && top[n - 1] == '/') {
		n--;
	}
	return !strncmp(path, top, n) && (n == 1 || !path[n] || path[n] == '/');
}

bool is_mounted(const struct inside *in, const char *path, bool below) {
	for (size_t i = 0; i < in->container->nmounts; i++) {
		const char *target = in->targets[i];
		if (target && (is_at(path, target) || (below && is_at(target, path)))) {
			return true;
		}
	}
	return false;
}

/** The innermost mount at the path or above it, but this one. */
static const struct br_mount *covering(
	const struct inside *in, const char *path, const struct br_mount *but) {
	size_t best = in->container->nmounts;
	for (size_t i = 0; i < in->container->nmounts; i++) {
		const char *target = in->targets[i];
		if (&in->container->mounts[i] != but && target && is_at(path, target)
			&& (best == in->container->nmounts
				|| strlen(target) > strlen(in->targets[best]))) {
			best = i;
		}
	}
	return best < in->container->nmounts ? &in->container->mounts[best] : NULL;
}

/** Where it really lands. */
static const char *target_of(const struct inside *in, const struct br_mount *mount) {
	return in->targets[mount - in->container->mounts];
}

static const struct br_mount_source *source_of(
	const struct inside *in, const struct br_mount *mount) {
	const struct br_demands *demands = in->work->input->demands;
	for (size_t i = 0; i < demands->nmounts; i++) {
		if (demands->mounts[i].mount == mount) {
			return &demands->mounts[i];
		}
	}
	return NULL;
}

// Judging one directory

/** Groups that are not known could be the directory's. */
static bool may_be_member(const struct inside *in, const struct br_inode *inode, unsigned want) {
	return in->identity->groups_unsure && ((inode->mode >> 3) & want) == want;
}

static enum way judge(
	const struct inside *in, const struct br_cred *cred, unsigned want, struct obstacle *out) {
	out->verdict = br_access(&out->inode, cred, &(struct br_where){0}, want);
	if (!out->verdict.missing) {
		return WAY_FREE;
	}
	return may_be_member(in, &out->inode, want) ? WAY_UNKNOWN : WAY_BLOCKED;
}

static enum way judge_node(const struct inside *in, const struct br_image_node *node, unsigned want,
	struct obstacle *out) {
	if (!node->owner_known || !node->mode_known) {
		return WAY_UNKNOWN;
	}
	*out = (struct obstacle){.path = node->path, .node = node};
	out->inode = (struct br_inode){.mode = S_IFDIR | node->mode,
		.nlink = 2,
		.uid = {node->uid},
		.gid = {node->gid},
		.have = BR_HAVE_ACL};
	return judge(in, &in->box, want, out);
}

/** A directory of a bind mount that lies around: the host's inode. */
static enum way judge_bind(const struct inside *in, const struct br_mount *mount, const char *path,
	struct obstacle *out) {
	const struct br_mount_source *ms = source_of(in, mount);
	size_t n = strlen(target_of(in, mount));
	const char *rest = path + (n > 1 ? n : 0);
	rest += strspn(rest, "/");
	if (!ms || ms->source->state != BR_SOURCE_PRESENT || !S_ISDIR(ms->source->mode)) {
		return WAY_UNKNOWN;
	}
	*out = (struct obstacle){.path = path, .mount = mount};
	br_auto(br_closep) int fd =
		br_open_beneath(ms->source->fd, rest, O_PATH | O_DIRECTORY, true);
	if (fd < 0 || br_inode_read(fd, "", BR_HAVE_ACL, in->work->input->acls, &out->inode)) {
		return WAY_UNKNOWN;
	}
	return judge(in, &in->identity->cred, BR_X, out);
}

static bool read_octal(const char *s, uint32_t *out) {
	*out = 0;
	if (!*s || strlen(s) > 5 || strspn(s, "01234567") != strlen(s)) {
		return false;
	}
	for (; *s; s++) {
		*out = *out * 8 + (uint32_t)(*s - '0');
	}
	return true;
}

/** What the options of a tmpfs say; false where they cannot be read. */
struct tmpfs {
	bool has_mode;
	uint32_t mode, uid, gid;
};

static bool read_tmpfs(const struct br_mount *mount, struct tmpfs *out) {
	*out = (struct tmpfs){.mode = 01777};
	for (size_t i = 0; i < mount->noptions; i++) {
		const char *s = mount->options[i].s;
		if (!strncmp(s, "mode", 4)) {
			out->has_mode = true;
			if (s[4] != '=' || !read_octal(s + 5, &out->mode)) {
				return false;
			}
		} else if ((!strncmp(s, "uid=", 4) && br_parse_u32(s + 4, INT32_MAX, &out->uid))
			|| (!strncmp(s, "gid=", 4) && br_parse_u32(s + 4, INT32_MAX, &out->gid))) {
			return false;
		}
	}
	return true;
}

/**
 * The root of a tmpfs: root's and 1777 where the image has nothing there, else with the mode of the
 * image's directory. Where both the image and the options give a mode it depends on runc's version
 * which one counts (libcontainer/rootfs_linux.go: chmod behind the mount, or mode= before the
 * options): then both must stop it.
 */
static enum way judge_tmpfs(
	const struct inside *in, const struct br_mount *mount, struct obstacle *out) {
	const struct br_image_node *node = br_image_node_at(in->image, target_of(in, mount));
	bool over = node && node->type == BR_IMAGE_DIRECTORY;
	struct tmpfs tmpfs;
	if (!node || (over && !node->mode_known) || (!over && node->type != BR_IMAGE_ABSENT)
		|| in->work->input->spec->kind != BR_INPUT_COMPOSE // whose options were read
		|| !read_tmpfs(mount, &tmpfs)) {
		return WAY_UNKNOWN;
	}
	*out = (struct obstacle){.path = mount->target.s, .mount = mount};
	out->inode = (struct br_inode){.mode = S_IFDIR | (tmpfs.mode & 07777),
		.nlink = 2,
		.uid = {tmpfs.uid},
		.gid = {tmpfs.gid},
		.have = BR_HAVE_ACL};
	enum way way = over && !tmpfs.has_mode ? WAY_BLOCKED : judge(in, &in->box, BR_X, out);
	if (!over || way != WAY_BLOCKED) {
		return way;
	}
	out->inode.mode = S_IFDIR | node->mode;
	return judge(in, &in->box, BR_X, out);
}

/** A directory that a mount brings. What the engine makes below its root for mounts inside is
 * everybody's to enter. */
static enum way judge_mounted(const struct inside *in, const struct br_mount *mount,
	const char *path, struct obstacle *out) {
	switch (mount->kind) {
	case BR_MOUNT_BIND:
	case BR_MOUNT_VOLUME_BIND:
		return judge_bind(in, mount, path, out);
	case BR_MOUNT_TMPFS:
		return !strcmp(path, target_of(in, mount)) ? judge_tmpfs(in, mount, out) : WAY_FREE;
	case BR_MOUNT_SECRET:
	case BR_MOUNT_CONFIG:
	case BR_MOUNT_VOLUME:
	case BR_MOUNT_OTHER:
		break;
	}
	return WAY_UNKNOWN;
}

/** The length of the next longer beginning of the path that is a path; it begins with 0, which
 * gives "/". */
static size_t longer(const char *path, size_t n) {
	return n ? n + 1 + strcspn(path + n + 1, "/") : 1 + strcspn(path + 1, "/");
}

enum way way_to_mount(const struct inside *in, const struct br_mount *mount, struct obstacle *out) {
	const char *path = clean(in, mount->target.s);
	unsigned links = 0;
	for (size_t n = 0; links < LINKS;) {
		// the directories above, from the root on
		const char *at = n ? say(in->work, "%.*s", (int)n, path) : "/";
		const struct br_mount *outer = covering(in, at, mount);
		const struct br_image_node *node = outer ? NULL : br_image_node_at(in->image, at);
		if (node && node->type == BR_IMAGE_LINK) {
			path = clean(in, follow(in, path, n, node));
			links++;
			n = 0;
			continue;
		}
		if (!path[n] || (!n && !path[1])) {
			return WAY_FREE;
		}
		// What is only worked out is no reason for an error, but that /root is root's.
		bool read = node && node->type == BR_IMAGE_DIRECTORY
			&& (node->origin == BR_IMAGE_ARCHIVE
				|| (node->origin == BR_IMAGE_KNOWN && !strcmp(at, "/root")));
		enum way way = outer ? judge_mounted(in, outer, at, out)
			: read       ? judge_node(in, node, BR_X, out)
				     : WAY_FREE;
		if (way == WAY_BLOCKED) {
			return way;
		}
		n = longer(path, n);
	}
	return WAY_UNKNOWN;
}

/** What is not among the nodes: not there, or unknown. `last` is the nearest directory that is. */
static bool is_absent(const struct inside *in, const struct br_image_node *last) {
	if (!last || last->is_open || (!in->image->nodes_complete && !last->is_new)) {
		return false;
	}
	// Below a system's directory a package may have made it for its own account.
	return last->is_new ? true : in->identity->uid.v >= SYSTEM_UIDS || in->identity->uid.v == 0;
}

/** Whether it can make something in this directory, or write what is there. */
static enum way judge_end(
	const struct inside *in, const struct br_image_node *node, struct obstacle *out) {
	if (node->maybe_packaged && in->identity->uid.v < SYSTEM_UIDS) {
		return WAY_UNKNOWN;
	}
	return judge_node(in, node, BR_W | BR_X, out);
}

enum way way_to_write(
	const struct inside *in, const char *wanted, bool is_file, struct obstacle *out) {
	const char *path = clean(in, wanted);
	const struct br_image_node *last = NULL;
	unsigned links = 0;
	*out = (struct obstacle){0};
	for (size_t n = 0; links < LINKS;) {
		const char *at = n ? say(in->work, "%.*s", (int)n, path) : "/";
		bool end = !path[n] || (!n && !path[1]);
		if (is_mounted(in, path, false)) {
			return WAY_UNKNOWN;
		}
		const struct br_image_node *node = br_image_node_at(in->image, at);
		if (node && node->type == BR_IMAGE_LINK) {
			path = clean(in, follow(in, path, n, node));
			links++;
			n = 0;
			continue;
		}
		if (!node ? is_absent(in, last) : node->type == BR_IMAGE_ABSENT) {
			return last ? judge_end(in, last, out) : WAY_UNKNOWN;
		}
		if (!node || node->type != BR_IMAGE_DIRECTORY) {
			return WAY_UNKNOWN;
		}
		if (end) {
			return is_file ? WAY_UNKNOWN : judge_end(in, node, out);
		}
		enum way way = judge_node(in, node, BR_X, out);
		if (way != WAY_FREE) {
			return way;
		}
		last = node;
		n = longer(path, n);
	}
	return WAY_UNKNOWN;
}
