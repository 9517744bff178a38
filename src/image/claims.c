/** What the engine's containers mount of the host, all but those of one's own. */
#include "asking.h"

#include <base/own.h>

#include <string.h>

enum {
	/** For all of it: Podman has to be asked about each container. */
	PATIENCE = 5000,
	/** So many containers of Podman's are looked at. */
	CONTAINERS = 1000,
	SHORT_ID = 12,
};

struct claiming {
	struct image_finder *finder;
	const struct br_spec *spec;
	/** The engine's volumes, asked for where some container has one. */
	struct br_value *volumes;
	bool volumes_asked;
	/** Not everything was said. */
	bool is_short;
	struct br_claims *out;
};

/** GET. The status, -1; `list`: an array is wanted. */
static long ask(struct claiming *c, const char *url, bool list, struct br_value **out) {
	long status = url ? engine_get_json(c->finder->engine, url, list, out) : -1;
	if (status != HTTP_OK || !*out) {
		c->is_short = c->is_short || status != HTTP_NOT_FOUND;
		return -1;
	}
	return status;
}

// ---- whose is it ----

bool is_container_name(const char *s) {
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	return *s && strchr(letters, *s)
		&& s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")]
		== '\0'
		&& strlen(s) < 256;
}

/** By which it can be asked for; else its ID. Docker's names begin with a slash. */
static const char *name_of(struct claiming *c, const struct br_value *container) {
	const char *name = br_value_string(br_value_at(br_value_get(container, "Names"), 0));
	const char *id = br_value_string(br_value_get(container, "Id"));
	name = name && *name == '/' ? name + 1 : name;
	if (name && is_container_name(name)) {
		return br_strdup(c->finder->arena, name);
	}
	return id && is_container_name(id) ? br_strndup(c->finder->arena, id, strnlen(id, SHORT_ID))
					   : "?";
}

static bool has_id(const struct br_value *container, const char *name) {
	const char *id = br_value_string(br_value_get(container, "Id"));
	return id && strlen(name) >= SHORT_ID && strncmp(id, name, strlen(name)) == 0;
}

static bool is_named(const struct br_value *container, const char *name) {
	const struct br_value *names = br_value_get(container, "Names");
	bool found = has_id(container, name);
	for (size_t i = 0; i < br_value_count(names); i++) {
		const char *one = br_value_string(br_value_at(names, i));
		found = found || (one && strcmp(*one == '/' ? one + 1 : one, name) == 0);
	}
	return found;
}

static bool is_service(const struct br_value *container, const char *project, const char *name) {
	const struct br_value *labels = br_value_get(container, "Labels");
	const char *of = br_value_string(br_value_get_exact(labels, "com.docker.compose.project"));
	const char *as = br_value_string(br_value_get_exact(labels, "com.docker.compose.service"));
	return project && of && as && strcmp(of, project) == 0 && strcmp(as, name) == 0;
}

/** Whether this has been made of it. An image's name says nothing: any number of containers may
 * have that. An engine's bundles lie in directories of their IDs. */
static bool is_made_of(const struct br_spec *spec, const struct br_container *box,
	const struct br_value *container) {
	switch (spec->kind) {
	case BR_INPUT_COMPOSE:
		return is_service(container, spec->project_name, box->name.s);
	case BR_INPUT_OCI:
		return has_id(container, box->name.s);
	case BR_INPUT_RUN_LINE:
	case BR_INPUT_CONTAINER:
		return br_spec_is_named(spec, box) && is_named(container, box->name.s);
	}
	return false;
}

/** One of those that were asked about, or what an earlier start has made of it. */
static bool is_own(const struct claiming *c, const struct br_value *container) {
	for (size_t i = 0; i < c->spec->n; i++) {
		if (is_made_of(c->spec, &c->spec->containers[i], container)) {
			return true;
		}
	}
	return false;
}

// ---- what does it mount ----

static const char *device_of(const struct br_value *volume) {
	const struct br_value *options = br_value_get(volume, "Options");
	const char *kind = br_value_string(br_value_get(options, "o"));
	const char *device = br_value_string(br_value_get(options, "device"));
	return kind && strstr(kind, "bind") ? device : NULL;
}

/** The host path that a volume really is; NULL: it is the engine's own. */
static const char *bound_path(struct claiming *c, const char *name) {
	const struct engine *engine = c->finder->engine;
	if (!c->volumes_asked) {
		c->volumes_asked = true;
		const char *url =
			br_printf(c->finder->arena, "http://localhost/%svolumes", engine->version);
		(void)ask(c, url, false, &c->volumes);
	}
	const struct br_value *all = br_value_get(c->volumes, "Volumes");
	for (size_t i = 0; i < br_value_count(all); i++) {
		const struct br_value *volume = br_value_at(all, i);
		const char *one = br_value_string(br_value_get(volume, "Name"));
		if (one && strcmp(one, name) == 0) {
			return device_of(volume);
		}
	}
	return NULL;
}

static int add(struct claiming *c, const struct br_value *container, const char *path) {
	struct br_arena *arena = c->finder->arena;
	struct br_claim claim = {
		.name.s = name_of(c, container), .source.s = br_strdup(arena, path)};
	return !claim.name.s || !claim.source.s || br_vec_push(arena, c->out, claim) ? -1 : 0;
}

static int add_all(
	struct claiming *c, const struct br_value *container, const struct br_value *mounts) {
	for (size_t i = 0; i < br_value_count(mounts); i++) {
		const struct br_value *mount = br_value_at(mounts, i);
		const char *type = br_value_string(br_value_get(mount, "Type"));
		const char *name = br_value_string(br_value_get(mount, "Name"));
		const char *path = NULL;
		if (type && strcmp(type, "bind") == 0) {
			path = br_value_string(br_value_get(mount, "Source"));
		} else if (type && name && strcmp(type, "volume") == 0) {
			path = bound_path(c, name);
		}
		if (path && *path == '/' && add(c, container, path)) {
			return -1;
		}
	}
	return 0;
}

/** Podman's list has no sources. */
static int inspect(struct claiming *c, const struct br_value *container) {
	const char *id = br_value_string(br_value_get(container, "Id"));
	br_auto(br_value_freep) struct br_value *one = NULL;
	if (!id || !is_container_name(id) || !br_value_count(br_value_get(container, "Mounts"))) {
		return 0;
	}
	const char *url = br_printf(
		c->finder->arena, "http://localhost/v4.0.0/libpod/containers/%s/json", id);
	return ask(c, url, false, &one) == HTTP_OK
		? add_all(c, container, br_value_get(one, "Mounts"))
		: 0;
}

static int read_all(struct claiming *c) {
	const struct engine *engine = c->finder->engine;
	const char *url = engine->is_podman
		? "http://localhost/v4.0.0/libpod/containers/json?all=true"
		: br_printf(c->finder->arena, "http://localhost/%scontainers/json?all=1",
			engine->version);
	br_auto(br_value_freep) struct br_value *list = NULL;
	if (ask(c, url, true, &list) != HTTP_OK) {
		return 0;
	}
	size_t n = br_value_count(list);
	c->is_short = c->is_short || (engine->is_podman && n > CONTAINERS);
	for (size_t i = 0; i < n && !(engine->is_podman && i >= CONTAINERS); i++) {
		const struct br_value *container = br_value_at(list, i);
		if (is_own(c, container)) {
			continue;
		}
		if (engine->is_podman ? inspect(c, container)
				      : add_all(c, container, br_value_get(container, "Mounts"))) {
			return br_error_memory(c->finder->dx);
		}
	}
	return 0;
}

int br_engine_claims_read(struct br_arena *arena, const char *socket, const struct br_spec *spec,
	struct br_claims *out, struct br_diags *dx) {
	struct br_image_options options = {.socket = socket};
	struct image_finder finder = {
		.arena = arena, .options = &options, .dx = dx, .quiet = true, .patience = PATIENCE};
	struct claiming c = {.finder = &finder, .spec = spec, .out = out};
	int found = socket ? engine_open(&finder) : 0;
	int result = found > 0 ? read_all(&c) : found;
	if (c.is_short && result == 0) {
		br_note(dx, (struct br_span){0},
			"the engine at '%s' does not say what all of its containers mount: what lies under their mounts is not told apart",
			socket);
	}
	br_value_free(c.volumes);
	engine_release(&finder);
	return result < 0 ? -1 : 0;
}
