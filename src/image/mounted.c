/** Accounts of the host in the place of the image's: a root directory, and files that Podman reads
 * where they are mounted. */
#include "parts.h"

#include <base/input.h>
#include <base/own.h>

#include <errno.h>
#include <string.h>

enum {
	FILE_MAX_BYTES = 1 << 20,
};

/** Where the two files are; NULL: not on the host. */
struct paths {
	const char *passwd;
	const char *group;
};

/** The bytes of a file of the host; *bytes is NULL where it cannot be read, which is nobody's error
 * here: the check of the source will tell. */
static int read_host(const struct image_finder *finder, const char *path, char **bytes, size_t *n) {
	uid_t trusted = finder->options->trusted;
	*n = FILE_MAX_BYTES;
	*bytes = path ? br_read_for(&finder->authors, path, trusted, n, NULL) : NULL;
	if (!*bytes && path && errno == BR_EAUTHOR) {
		br_warning(finder->dx, (struct br_span){0},
			"the accounts in '%s' do not count here: %s", path, br_input_why(errno));
		br_hint(finder->dx, "%s", br_input_hint(BR_EAUTHOR));
		return 0;
	}
	return !*bytes && path && errno == ENOMEM ? -1 : 0;
}

static int read_passwd(struct image_finder *finder, const char *path, struct br_image *out) {
	size_t n = 0;
	br_auto(br_freep) char *bytes = NULL;
	if (read_host(finder, path, &bytes, &n)
		|| (bytes && passwd_parse(finder->arena, bytes, n, &out->users, &out->nusers)
			&& errno == ENOMEM)) {
		return br_error_memory(finder->dx);
	}
	return bytes != NULL;
}

static int read_group(struct image_finder *finder, const char *path, struct br_image *out) {
	size_t n = 0;
	br_auto(br_freep) char *bytes = NULL;
	if (read_host(finder, path, &bytes, &n)
		|| (bytes && group_parse(finder->arena, bytes, n, &out->groups, &out->ngroups)
			&& errno == ENOMEM)) {
		return br_error_memory(finder->dx);
	}
	return bytes != NULL;
}

static int take(struct image_finder *finder, const struct paths *paths, struct br_image *out) {
	bool was_complete = out->accounts_complete;
	int users = read_passwd(finder, paths->passwd, out);
	int groups = users < 0 ? -1 : read_group(finder, paths->group, out);
	if (groups < 0) {
		return -1;
	}
	if (users || groups) {
		out->accounts_complete = was_complete || (users && groups);
		out->no_passwd = out->no_passwd && !users;
		out->no_group = out->no_group && !groups;
		out->from = users ? paths->passwd : paths->group;
		out->origin = BR_IMAGE_HOST;
	}
	return 0;
}

/** `--rootfs DIR`: nothing says USER there, and its files are those of the host. Links in it are
 * followed on the host, which an engine would not. */
static int take_rootfs(struct image_finder *finder, const char *dir, struct br_image *out) {
	struct paths paths = {
		.passwd = br_printf(finder->arena, "%s/etc/passwd", dir),
		.group = br_printf(finder->arena, "%s/etc/group", dir),
	};
	if (!paths.passwd || !paths.group) {
		return br_error_memory(finder->dx);
	}
	*out = (struct br_image){.origin = BR_IMAGE_HOST, .from = dir, .user = {.s = ""}};
	if (take(finder, &paths, out)) {
		return -1;
	}
	// What is not there is really missing.
	out->accounts_complete = true;
	return 0;
}

/** Where Podman looks (libpod, getUserOverrides): a mount on the file itself goes before one on
 * /etc. 0, or -1 with ENOMEM. */
static int find_mounted(
	struct br_arena *arena, const struct br_container *container, struct paths *out) {
	for (size_t i = 0; i < container->nmounts; i++) {
		const struct br_mount *mount = &container->mounts[i];
		const char *target = mount->target.s;
		bool is_bind = mount->kind == BR_MOUNT_BIND && mount->source.s && target;
		if (is_bind && strcmp(target, "/etc/passwd") == 0) {
			out->passwd = mount->source.s;
		} else if (is_bind && strcmp(target, "/etc/group") == 0) {
			out->group = mount->source.s;
		} else if (is_bind && strcmp(target, "/etc") == 0) {
			const char *passwd = br_printf(arena, "%s/passwd", mount->source.s);
			const char *group = br_printf(arena, "%s/group", mount->source.s);
			if (!passwd || !group) {
				return -1;
			}
			out->passwd = out->passwd ? out->passwd : passwd;
			out->group = out->group ? out->group : group;
		}
	}
	return 0;
}

int mounted_take(
	struct image_finder *finder, const struct br_container *container, struct br_image *out) {
	struct paths paths = {0};
	if (container->rootfs.s && take_rootfs(finder, container->rootfs.s, out)) {
		return -1;
	}
	if (!finder->options->reads_mounted) {
		return 0;
	}
	if (find_mounted(finder->arena, container, &paths)) {
		return br_error_memory(finder->dx);
	}
	return paths.passwd || paths.group ? take(finder, &paths, out) : 0;
}
