#include "compose.h"

#include <string.h>

/* Whether a comma list holds the word. */
static bool list_has(const char *list, const char *word) {
	size_t len = strlen(word);
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");
		if (n == len && memcmp(p, word, n) == 0) {
			return true;
		}
		p += n + (p[n] == ',');
	}
	return false;
}

static const char *scalar(struct br_compose *c, const struct br_tree *map, const char *key) {
	const struct br_tree *value = br_tree_get(map, key);
	const char *s = value && value->s ? br_tree_scalar(c, value) : NULL;
	return s ? s : "";
}

static bool is_external(struct br_compose *c, const struct br_tree *resource) {
	const struct br_tree *external = br_tree_get(resource, "external");
	bool yes = external && external->kind == BR_VALUE_MAP;
	if (external && external->kind == BR_VALUE_BOOL) {
		yes = external->boolean;
	} else if (external && external->kind == BR_VALUE_STRING) {
		yes = br_tree_bool(c, external, "external", &yes) == 0 && yes;
	}
	return yes;
}

/*
 * Compose makes the device absolute only where "driver: local" is written and the options are
 * "bind" and nothing else; the local driver binds it in any case.
 */
static int bind_device(struct br_compose *c, struct br_mount *mount, const struct br_tree *volume,
	const struct br_tree *device) {
	const char *o = scalar(c, br_tree_get(volume, "driver_opts"), "o");
	struct br_text source = {br_tree_scalar(c, device), device->at};
	mount->kind = BR_MOUNT_VOLUME_BIND;
	mount->create = BR_CREATE_NEVER;
	mount->source = source;
	mount->written = (struct br_text){device->written, device->at};
	mount->unset_variable = device->unset;
	mount->environment_variable = device->environment;
	mount->read_only = mount->read_only || list_has(o, "ro");
	if (source.s && strcmp(scalar(c, volume, "driver"), "local") == 0
		&& strcmp(o, "bind") == 0) {
		mount->source.s = br_host_path(c, device->layer, source);
	}
	if (!mount->source.s) {
		return -1;
	}
	if (mount->source.s[0] != '/') {
		br_warning(c->dx, device->at,
			"the device '%s' stays relative, and the engine refuses it",
			mount->source.s);
		br_hint(c->dx, "compose resolves it only with 'driver: local' and 'o: bind'");
	}
	return 0;
}

int br_named_volume(struct br_compose *c, struct br_mount *mount) {
	const struct br_tree *volume =
		br_tree_get(br_tree_get(c->model, "volumes"), mount->source.s);
	mount->kind = BR_MOUNT_VOLUME;
	if (!volume || volume->kind != BR_VALUE_MAP || is_external(c, volume)) {
		return 0;
	}
	const char *driver = scalar(c, volume, "driver");
	const struct br_tree *opts = br_tree_get(volume, "driver_opts");
	const struct br_tree *device = br_tree_get(opts, "device");
	const char *o = scalar(c, opts, "o");
	bool is_local = !*driver || strcmp(driver, "local") == 0;
	bool is_bind = list_has(o, "bind") || list_has(o, "rbind");
	// An empty one that compose resolves is the project directory, as for any path.
	bool resolves = strcmp(driver, "local") == 0 && strcmp(o, "bind") == 0;
	if (!is_local || !is_bind || !device || !device->s || (!*device->s && !resolves)) {
		return 0;
	}
	return bind_device(c, mount, volume, device);
}

/** Secrets and configs differ in names and places only. */
struct grant_kind {
	const char *section;
	const char *dir;
	enum br_mount_kind kind;
};

static void warn_ignored(struct br_compose *c, const struct br_tree *entry, const char *name) {
	static const char *const keys[] = {"uid", "gid", "mode"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const struct br_tree *value = br_tree_get(entry, keys[i]);
		if (value) {
			br_warning(c->dx, value->at,
				"'%s' has no effect: '%s' is a file of the host, and keeps its owner and mode",
				keys[i], name);
		}
	}
}

static int grant(struct br_compose *c, struct br_draft *draft, const struct br_tree *entry,
	const struct grant_kind *kind) {
	const struct br_tree *source =
		entry->kind == BR_VALUE_MAP ? br_tree_get(entry, "source") : entry;
	const struct br_tree *target = br_tree_get(entry, "target");
	if (!source || !source->s) {
		return 0;
	}
	const struct br_tree *resource =
		br_tree_get(br_tree_get(c->model, kind->section), source->s);
	const struct br_tree *file = br_tree_get(resource, "file");
	if (!file || !file->s || !*file->s || is_external(c, resource)) {
		return 0;
	}
	bool named = target && target->s && *target->s;
	struct br_mount mount = {
		.kind = kind->kind,
		.written = {file->written, file->at},
		.source = {br_host_path(c, file->layer, br_tree_text(file)), file->at},
		.target = {br_join(c->arena, kind->dir, named ? target->s : source->s),
			named ? target->at : source->at},
		.read_only = true,
		.create = BR_CREATE_NEVER,
		.create_host_path = -1,
		.unset_variable = file->unset,
		.environment_variable = file->environment,
		.at = entry->at,
	};
	if (!mount.source.s || !mount.target.s) {
		return mount.source.s ? br_error_memory(c->dx) : -1;
	}
	if (br_compose_wishes(c, entry, BR_WISHER_MOUNT, &mount.wishes)) {
		return -1;
	}
	warn_ignored(c, entry, source->s);
	return br_draft_mount(c, draft, &mount);
}

int br_secret_mounts(struct br_compose *c, struct br_draft *draft, bool config) {
	static const struct grant_kind kinds[] = {
		{"secrets", "/run/secrets", BR_MOUNT_SECRET}, {"configs", "/", BR_MOUNT_CONFIG}};
	const struct grant_kind *kind = &kinds[config];
	const struct br_tree *list = br_tree_get(draft->service, kind->section);
	for (size_t i = 0; list && i < list->members.n; i++) {
		if (grant(c, draft, list->members.v[i].value, kind)) {
			return -1;
		}
	}
	return 0;
}

/** "mode=0755,uid=1000" behind the colon. */
static int tmpfs_options(
	struct br_compose *c, const struct br_tree *entry, size_t at, struct br_mount *mount) {
	br_vec(struct br_text) options = {0};
	for (const char *s = entry->s + at; *s;) {
		s += *s == ':' || *s == ',';
		size_t n = strcspn(s, ",");
		struct br_text option = {br_strndup(c->arena, s, n), entry->at};
		if (!option.s || (n && br_vec_push(c->arena, &options, option))) {
			return br_error_memory(c->dx);
		}
		s += n;
	}
	mount->options = options.v;
	mount->noptions = options.n;
	return 0;
}

static int tmpfs(struct br_compose *c, struct br_draft *draft, const struct br_tree *entry) {
	if (entry->kind != BR_VALUE_STRING) {
		return 0;
	}
	size_t n = strcspn(entry->s, ":");
	char *target = br_strndup(c->arena, entry->s, n);
	struct br_mount mount = {
		.kind = BR_MOUNT_TMPFS,
		.target = {target ? br_clean(c->arena, target) : NULL, entry->at},
		.create_host_path = -1,
		.at = entry->at,
	};
	if (!mount.target.s) {
		return br_error_memory(c->dx);
	}
	if (tmpfs_options(c, entry, n, &mount)) {
		return -1;
	}
	// By the words: "/t/" here beside "/t" of a volume passes.
	br_draft_note_second(c, draft, (struct br_text){target, entry->at});
	br_check_target(c, &mount);
	return br_draft_mount(c, draft, &mount);
}

int br_tmpfs_mounts(struct br_compose *c, struct br_draft *draft) {
	const struct br_tree *value = br_tree_get(draft->service, "tmpfs");
	if (value && value->kind != BR_VALUE_SEQ) {
		return tmpfs(c, draft, value);
	}
	for (size_t i = 0; value && i < value->members.n; i++) {
		if (tmpfs(c, draft, value->members.v[i].value)) {
			return -1;
		}
	}
	return 0;
}

int br_socket_mount(struct br_compose *c, struct br_draft *draft) {
	static const char path[] = "/var/run/docker.sock";
	const struct br_tree *value = br_tree_get(draft->service, "use_api_socket");
	bool yes = false;
	if (value && br_tree_bool(c, value, "use_api_socket", &yes)) {
		return -1;
	}
	if (!yes) {
		return 0;
	}
	struct br_mount mount = {
		.kind = BR_MOUNT_BIND,
		.source = {path, value->at},
		.written = {path, value->at},
		.target = {path, value->at},
		.create = BR_CREATE_NEVER,
		.create_host_path = -1,
		.at = value->at,
	};
	return br_draft_mount(c, draft, &mount);
}
