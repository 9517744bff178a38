/** All lines of a text together: their engine, their names, --volumes-from, and then the spec. */
#include "run.h"

#include <base/text.h>

#include <spec/compose/compose.h>
#include <string.h>

static const char *engine_name(enum br_client client) {
	return client == BR_CLIENT_PODMAN ? "podman" : "docker";
}

static bool is_same_engine(const struct br_line *a, const struct br_line *b) {
	return (a->client == BR_CLIENT_PODMAN) == (b->client == BR_CLIENT_PODMAN);
}

// ---- one engine ----

static bool is_wanted(const struct br_run *run, const struct br_line *line) {
	bool is_podman = line->client == BR_CLIENT_PODMAN;
	switch (run->request->engine) {
	case BR_ENGINE_DOCKER:
	case BR_ENGINE_DOCKER_ROOTLESS:
		return !is_podman;
	case BR_ENGINE_PODMAN:
	case BR_ENGINE_PODMAN_ROOTLESS:
		return is_podman;
	case BR_ENGINE_UNSAID:
	case BR_ENGINE_OCI:
		return true;
	}
	return true;
}

/** Where there are lines of several engines, only those of the one that was asked for stay. */
static int choose_engine(struct br_run *run) {
	bool mixed = false;
	size_t wanted = 0;
	const struct br_line *first = run->lines.v[0];
	const struct br_line *other = NULL;
	for (size_t i = 0; i < run->lines.n; i++) {
		const struct br_line *line = run->lines.v[i];
		if (!mixed && !is_same_engine(first, line)) {
			mixed = true;
			other = line;
		}
		wanted += is_wanted(run, line);
	}
	if (!mixed || run->request->nline) {
		return 0;
	}
	if (run->request->engine == BR_ENGINE_UNSAID) {
		(void)br_error(run->dx, other->at, "run lines of %s and of %s in one input",
			engine_name(first->client), engine_name(other->client));
		br_other(run->dx, first->at, "the first one");
		br_hint(run->dx, "choose: --engine %s or --engine %s", engine_name(first->client),
			engine_name(other->client));
		return -1;
	}
	size_t n = 0;
	for (size_t i = 0; i < run->lines.n; i++) {
		if (is_wanted(run, run->lines.v[i])) {
			run->lines.v[n++] = run->lines.v[i];
		}
	}
	run->lines.n = n;
	(void)wanted;
	return 0;
}

// ---- names ----

static struct br_line *find(struct br_run *run, const char *name, size_t before) {
	for (size_t i = 0; i < before; i++) {
		const char *other = run->lines.v[i]->container.name.s;
		if (other && strcmp(other, name) == 0) {
			return run->lines.v[i];
		}
	}
	return NULL;
}

/** "nginx" of "registry.example:5000/library/nginx:1.27@sha256:…". */
static char *short_image(struct br_run *run, const char *image) {
	size_t n = strcspn(image, "@");
	size_t from = 0;
	for (size_t i = 0; i < n; i++) {
		from = image[i] == '/' && i + 1 < n ? i + 1 : from;
	}
	n = from + strcspn(image + from, ":@/");
	return n > from ? br_strndup(run->arena, image + from, n - from)
			: br_strdup(run->arena, "container");
}

/** A name that no line before has: with a number behind it where need be. */
static int name_line(struct br_run *run, size_t i) {
	struct br_container *c = &run->lines.v[i]->container;
	struct br_text wanted = c->name;
	const char *path = c->image.s ? c->image.s : c->rootfs.s;
	if (!wanted.s) {
		wanted = (struct br_text){
			short_image(run, path), c->image.s ? c->image.at : c->rootfs.at};
	}
	c->name = (struct br_text){0};
	const char *name = wanted.s;
	size_t k = 1;
	for (size_t m = 0; name && m < i; m++) {
		k += strcmp(run->lines.v[m]->wanted, wanted.s) == 0;
	}
	run->lines.v[i]->wanted = wanted.s;
	for (k = k < 2 ? 2 : k; name && find(run, name, i); k++) {
		name = br_printf(run->arena, "%s-%zu", wanted.s, k);
	}
	c->name = (struct br_text){name, wanted.at};
	return name ? 0 : br_error_memory(run->dx);
}

// ---- --volumes-from ----

static bool has_target(const struct br_line *line, const char *target) {
	for (size_t i = 0; i < line->mounts.n; i++) {
		if (strcmp(line->mounts.v[i].target.s, target) == 0) {
			return true;
		}
	}
	return false;
}

static int copy_mounts(
	struct br_run *run, struct br_line *line, const struct br_line *from, bool read_only) {
	for (size_t i = 0; i < from->mounts.n; i++) {
		struct br_mount mount = from->mounts.v[i];
		mount.read_only = mount.read_only || read_only;
		bool is_taken = mount.kind == BR_MOUNT_TMPFS || has_target(line, mount.target.s);
		if (!is_taken && br_line_add(run, line, &mount)) {
			return -1;
		}
	}
	return 0;
}

static int inherit(struct br_run *run, struct br_line *line, unsigned depth);

static int inherit_one(
	struct br_run *run, struct br_line *line, struct br_text word, unsigned depth) {
	size_t n = strcspn(word.s, ":");
	char *name = br_strndup(run->arena, word.s, n);
	if (!name) {
		return br_error_memory(run->dx);
	}
	struct br_line *from = find(run, name, run->lines.n);
	if (!from) {
		br_warning(run->dx, word.at,
			"the mounts of '%s' cannot be seen: no run line here makes it", name);
		return 0;
	}
	if (from->inherited == 1) {
		return br_error(
			run->dx, word.at, "--volumes-from goes in a circle by way of '%s'", name);
	}
	bool read_only = word.s[n] && strstr(word.s + n + 1, "ro") != NULL;
	return inherit(run, from, depth + 1) ? -1 : copy_mounts(run, line, from, read_only);
}

static int inherit(struct br_run *run, struct br_line *line, unsigned depth) {
	if (line->inherited == 2) {
		return 0;
	}
	if (depth > BR_RUN_DEPTH * 4) {
		return br_error(run->dx, line->at, "--volumes-from goes too deep");
	}
	line->inherited = 1;
	for (size_t i = 0; i < line->volumes_from.n; i++) {
		if (inherit_one(run, line, line->volumes_from.v[i], depth)) {
			return -1;
		}
	}
	line->inherited = 2;
	return 0;
}

// ---- the spec ----

static int no_such(struct br_run *run, const char *name, struct br_span at) {
	const char *names[256 + 1] = {NULL};
	for (size_t i = 0; i < run->lines.n && i < 256; i++) {
		names[i] = run->lines.v[i]->container.name.s;
	}
	(void)br_error(run->dx, at, "no such container: '%s'", name);
	const char *near = strnlen(name, 64) < 64 ? br_nearest(name, names) : NULL;
	if (near) {
		br_hint(run->dx, "did you mean '%s'?", near);
	}
	return -1;
}

/** Those that were named, or all. */
static int select_lines(struct br_run *run) {
	const char *const *names = run->request->services;
	bool all = !names || !names[0];
	int result = 0;
	for (size_t i = 0; i < run->lines.n; i++) {
		run->lines.v[i]->skipped = !all;
	}
	for (size_t i = 0; !all && names[i]; i++) {
		struct br_line *line = find(run, names[i], run->lines.n);
		if (line) {
			line->skipped = false;
		} else {
			const struct br_span *at = run->request->services_at;
			result = no_such(run, names[i], at ? at[i] : (struct br_span){0});
		}
	}
	return result;
}

static int fill_spec(struct br_run *run) {
	struct br_spec *spec = run->spec;
	struct br_container *out = BR_NEW_ARRAY(run->arena, struct br_container, run->lines.n);
	size_t n = 0;
	if (!out) {
		return br_error_memory(run->dx);
	}
	spec->by_root = true;
	for (size_t i = 0; i < run->lines.n; i++) {
		struct br_line *line = run->lines.v[i];
		if (line->skipped) {
			continue;
		}
		line->container.mounts = line->mounts.v;
		line->container.nmounts = line->mounts.n;
		spec->by_root = spec->by_root && line->by_root;
		out[n++] = line->container;
	}
	spec->by_root = spec->by_root && n > 0;
	spec->containers = out;
	spec->n = n;
	spec->engine =
		run->lines.v[0]->client == BR_CLIENT_PODMAN ? BR_ENGINE_PODMAN : BR_ENGINE_DOCKER;
	return 0;
}

int br_lines_finish(struct br_run *run) {
	if (choose_engine(run)) {
		return -1;
	}
	for (size_t i = 0; i < run->lines.n; i++) {
		if (name_line(run, i)) {
			return -1;
		}
	}
	for (size_t i = 0; i < run->lines.n; i++) {
		if (inherit(run, run->lines.v[i], 0)) {
			return -1;
		}
	}
	return select_lines(run) ? -1 : fill_spec(run);
}
