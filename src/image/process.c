#include "process.h"

#include <base/file.h>
#include <base/own.h>
#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STATUS_BYTES = 64 << 10,
	MAP_BYTES = 64 << 10,
	MOUNTS_BYTES = 4 << 20,
	MOST_GROUPS = 65536,
};

struct reading {
	struct br_arena *arena;
	/** /proc/PID: what is read below it is the process that was there at first, or nothing. */
	int dir;
	bool no_memory;
};

/** Heap; NULL where it cannot be read. */
static char *read_file(struct reading *r, const char *name, size_t most) {
	size_t n = 0;
	char *bytes = br_read_file(r->dir, name, most, &n);
	r->no_memory = r->no_memory || (!bytes && errno == ENOMEM);
	if (bytes && strlen(bytes) != n) {
		free(bytes);
		return NULL;
	}
	return bytes;
}

static bool shows(struct reading *r, const char *file, const char *id) {
	br_auto(br_freep) char *bytes = read_file(r, file, MOUNTS_BYTES);
	return bytes && strstr(bytes, id) != NULL;
}

/** The next word of blanks and tabs as a number in this base; false where there is none on the
 * line. */
static bool next_number(const char **s, int base, uint64_t *out) {
	char *end;
	*s += strspn(*s, " \t");
	if (!**s || **s == '\n') {
		return false;
	}
	errno = 0;
	unsigned long long value = strtoull(*s, &end, base);
	if (end == *s || errno || !strchr(" \t\n", *end)) {
		return false;
	}
	*s = end;
	*out = value;
	return true;
}

/** What stands behind a name at the beginning of a line. */
static const char *field(const char *status, const char *name) {
	size_t n = strlen(name);
	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) == 0 && line[n] == ':') {
			return line + n + 1;
		}
	}
	return NULL;
}

static bool one_number(const char *status, const char *name, int base, uint64_t *out) {
	const char *s = field(status, name);
	return s && next_number(&s, base, out);
}

/** The fourth of real, effective, saved and file system's. */
static bool file_id(const char *status, const char *name, br_hostid *out) {
	const char *s = field(status, name);
	uint64_t id = UINT64_MAX;
	for (int i = 0; s && i < 4; i++) {
		if (!next_number(&s, 10, &id)) {
			return false;
		}
	}
	*out = (br_hostid){(uint32_t)id};
	return id < BR_NO_ID;
}

static int compare(const void *a, const void *b) {
	uint32_t x = ((const br_hostid *)a)->v;
	uint32_t y = ((const br_hostid *)b)->v;
	return (x > y) - (x < y);
}

static bool read_groups(struct reading *r, const char *status, struct br_process *out) {
	br_vec(br_hostid) groups = {0};
	const char *s = field(status, "Groups");
	uint64_t id;
	while (s && groups.n < MOST_GROUPS && next_number(&s, 10, &id)) {
		br_hostid group = {(uint32_t)id};
		if (br_vec_push(r->arena, &groups, group)) {
			r->no_memory = true;
			return false;
		}
	}
	if (groups.n > 1) {
		qsort(groups.v, groups.n, sizeof(*groups.v), compare);
	}
	out->groups = groups.v;
	out->ngroups = groups.n;
	return s != NULL;
}

static bool read_status(struct reading *r, struct br_process *out) {
	br_auto(br_freep) char *status = read_file(r, "status", STATUS_BYTES);
	uint64_t umask = 0;
	if (!status || !file_id(status, "Uid", &out->uid) || !file_id(status, "Gid", &out->gid)
		|| !one_number(status, "CapEff", 16, &out->caps)
		|| !one_number(status, "CapBnd", 16, &out->bounding)
		|| !one_number(status, "Umask", 8, &umask)) {
		return false;
	}
	out->umask = (uint32_t)umask & 0777;
	return read_groups(r, status, out);
}

/** "inside outside count" lines; outside is as our user namespace sees it. */
static bool parse_map(struct reading *r, const char *s, struct br_idmap *out) {
	br_vec(struct br_idmap_extent) extents = {0};
	size_t bad;
	while (*s) {
		uint64_t v[3];
		for (int i = 0; i < 3; i++) {
			if (!next_number(&s, 10, &v[i]) || v[i] > UINT32_MAX) {
				return false;
			}
		}
		struct br_idmap_extent e = {(uint32_t)v[0], (uint32_t)v[1], (uint32_t)v[2]};
		if (br_vec_push(r->arena, &extents, e)) {
			r->no_memory = true;
			return false;
		}
		s += *s == '\n';
	}
	*out = (struct br_idmap){extents.v, extents.n};
	return extents.n > 0 && br_idmap_valid(out, &bad);
}

/** A map like our own is ours: then it is in no other user namespace, for all that counts here. */
static bool read_map(struct reading *r, const char *name, struct br_idmap *out) {
	char self[64];
	(void)snprintf(self, sizeof(self), "/proc/self/%s", name); // it fits
	size_t n = 0;
	br_auto(br_freep) char *map = read_file(r, name, MAP_BYTES);
	br_auto(br_freep) char *ours = br_read_file(AT_FDCWD, self, MAP_BYTES, &n);
	if (!map || !ours) {
		return false;
	}
	*out = (struct br_idmap){0};
	return strcmp(map, ours) == 0 || parse_map(r, map, out);
}

int process_read(struct br_arena *arena, uint32_t pid, const char *id, struct br_process *out) {
	char path[32];
	(void)snprintf(path, sizeof(path), "/proc/%u", pid); // it fits
	br_auto(br_closep) int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct reading r = {.arena = arena, .dir = dir};
	struct br_process seen = {.pid = pid};
	*out = (struct br_process){0};
	if (dir < 0 || strlen(id) < 12) {
		return 0;
	}
	bool is_its = shows(&r, "cgroup", id) || shows(&r, "mountinfo", id);
	if (is_its && read_status(&r, &seen) && read_map(&r, "uid_map", &seen.uids)
		&& read_map(&r, "gid_map", &seen.gids)) {
		*out = seen;
	}
	if (r.no_memory) {
		errno = ENOMEM;
	}
	return r.no_memory ? -1 : 0;
}
