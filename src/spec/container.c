/** Containers that exist, by what their engine says of them: JSON of machines, whose values all
 * stand where the user named the container. */
#include <base/mem.h>
#include <base/own.h>
#include <base/text.h>
#include <bindright/spec.h>
#include <doc/json.h>

#include <errno.h>
#include <spec/wire.h>
#include <string.h>

enum {
	/** Of any list. */
	MOST_ITEMS = 10000,
};

typedef br_vec(struct br_text) text_vec;
typedef br_vec(struct br_mount) mount_vec;

struct reading {
	struct br_arena *arena;
	struct br_diags *dx;
	const struct br_inspected *from;
	const struct br_value *volumes;
	struct br_container *out;
	mount_vec mounts;
	/** The engine lacked something, or the memory did. */
	bool failed;
};

/** A copy with the container's place; s NULL where it is absent or empty. */
static struct br_text word(struct reading *r, const struct br_value *value) {
	const char *s = br_value_string(value);
	struct br_text text = {.s = s && *s ? br_strdup(r->arena, s) : NULL};
	r->failed = r->failed || (s && *s && !text.s);
	if (text.s) {
		text.at = r->from->name.at;
	}
	return text;
}

static void push(struct reading *r, text_vec *to, struct br_text text) {
	r->failed = r->failed || (text.s && br_vec_push(r->arena, to, text));
}

static const struct br_text *words(struct reading *r, const struct br_value *list, size_t *n) {
	text_vec out = {0};
	for (size_t i = 0; i < br_value_count(list) && i < MOST_ITEMS; i++) {
		push(r, &out, word(r, br_value_at(list, i)));
	}
	*n = out.n;
	return out.v;
}

// ---- mounts ----

static bool is_in(const struct br_mount *mount, const char *option) {
	for (size_t i = 0; i < mount->noptions; i++) {
		if (strcmp(mount->options[i].s, option) == 0) {
			return true;
		}
	}
	return false;
}

/** Docker's are one word with commas, Podman's a list. */
static void take_options(struct reading *r, const struct br_value *value, struct br_mount *mount) {
	text_vec out = {0};
	const char *mode = br_value_string(br_value_get(value, "Mode"));
	const struct br_value *list = br_value_get(value, "Options");
	while (mode && *mode) {
		size_t n = strcspn(mode, ",");
		struct br_text one = {br_strndup(r->arena, mode, n), r->from->name.at};
		r->failed = r->failed || !one.s;
		push(r, &out, one);
		mode += n + (mode[n] == ',');
	}
	for (size_t i = 0; i < br_value_count(list); i++) {
		push(r, &out, word(r, br_value_at(list, i)));
	}
	mount->options = out.v;
	mount->noptions = out.n;
	mount->selinux = is_in(mount, "Z") ? 'Z' : is_in(mount, "z") ? 'z' : 0;
	mount->nocopy = is_in(mount, "nocopy");
	mount->chown = is_in(mount, "U");
	mount->overlay = is_in(mount, "O");
	for (size_t i = 0; i < out.n; i++) {
		bool maps =
			strcmp(out.v[i].s, "idmap") == 0 || strncmp(out.v[i].s, "idmap=", 6) == 0;
		mount->idmap = maps ? out.v[i] : mount->idmap;
	}
}

/** Whether Docker was asked by --mount: then it makes no source. */
static bool is_long(const struct br_value *host, const char *target) {
	const struct br_value *all = br_value_get(host, "Mounts");
	for (size_t i = 0; i < br_value_count(all); i++) {
		const char *other = br_value_string(br_value_get(br_value_at(all, i), "Target"));
		if (other && strcmp(other, target) == 0) {
			return true;
		}
	}
	return false;
}

/** A volume of the local driver may be a host path: "type: none, o: bind, device: PATH". */
static void take_volume(struct reading *r, const struct br_value *value, struct br_mount *mount) {
	const char *name = br_value_string(br_value_get(value, "Name"));
	const struct br_value *volume = name ? br_value_get_exact(r->volumes, name) : NULL;
	const struct br_value *options = br_value_get(volume, "Options");
	const char *o = br_value_string(br_value_get(options, "o"));
	struct br_text device = word(r, br_value_get(options, "device"));
	mount->kind = BR_MOUNT_VOLUME;
	mount->source = word(r, br_value_get(value, "Name"));
	if (device.s && device.s[0] == '/' && o && strstr(o, "bind")) {
		mount->kind = BR_MOUNT_VOLUME_BIND;
		mount->source = device;
	}
}

static void take_mount(
	struct reading *r, const struct br_value *host, const struct br_value *value) {
	const char *type = br_value_string(br_value_get(value, "Type"));
	struct br_mount mount = {.kind = BR_MOUNT_OTHER, .create_host_path = -1};
	mount.at = r->from->name.at;
	mount.target = word(r, br_value_get(value, "Destination"));
	mount.read_only = !br_value_is_true(br_value_get(value, "RW"));
	mount.propagation = word(r, br_value_get(value, "Propagation"));
	take_options(r, value, &mount);
	if (type && strcmp(type, "bind") == 0) {
		mount.source = word(r, br_value_get(value, "Source"));
		mount.kind =
			mount.source.s && mount.source.s[0] == '/' ? BR_MOUNT_BIND : BR_MOUNT_OTHER;
		bool made = mount.target.s && !r->from->is_podman && !is_long(host, mount.target.s);
		mount.create = made ? BR_CREATE_ENGINE : BR_CREATE_NEVER;
	} else if (type && strcmp(type, "volume") == 0) {
		take_volume(r, value, &mount);
	} else if (type && strcmp(type, "tmpfs") == 0) {
		mount.kind = BR_MOUNT_TMPFS;
		mount.read_only = false;
	}
	mount.written = mount.source;
	bool fits = mount.target.s && mount.target.s[0] == '/' && r->mounts.n < MOST_ITEMS;
	r->failed = r->failed || (fits && br_vec_push(r->arena, &r->mounts, mount));
}

/** `--tmpfs` is not among the mounts. */
static void take_tmpfs(struct reading *r, const struct br_value *host) {
	const struct br_value *all = br_value_get(host, "Tmpfs");
	const char *key;
	for (size_t i = 0; (key = br_value_key(all, i)); i++) {
		struct br_mount mount = {.kind = BR_MOUNT_TMPFS, .create_host_path = -1};
		mount.at = r->from->name.at;
		mount.target = (struct br_text){br_strdup(r->arena, key), mount.at};
		bool fits = *key == '/' && r->mounts.n < MOST_ITEMS;
		r->failed = r->failed || !mount.target.s
			|| (fits && br_vec_push(r->arena, &r->mounts, mount));
	}
}

static void take_mounts(
	struct reading *r, const struct br_value *container, const struct br_value *host) {
	const struct br_value *all = br_value_get(container, "Mounts");
	for (size_t i = 0; i < br_value_count(all); i++) {
		take_mount(r, host, br_value_at(all, i));
	}
	take_tmpfs(r, host);
	r->out->mounts = r->mounts.v;
	r->out->nmounts = r->mounts.n;
}

// ---- who it is ----

/** Podman says how crun is told to keep the caller's groups. */
static void take_groups(
	struct reading *r, const struct br_value *config, const struct br_value *host) {
	static const char key[] = "run.oci.keep_original_groups";
	const char *keeps =
		br_value_string(br_value_get_exact(br_value_get(config, "Annotations"), key));
	r->out->group_add = words(r, br_value_get(host, "GroupAdd"), &r->out->ngroup_add);
	if (r->out->ngroup_add == 0 && keeps && strcmp(keeps, "1") == 0) {
		struct br_text *one = BR_NEW(r->arena, struct br_text);
		r->failed = r->failed || !one;
		if (one) {
			*one = (struct br_text){"keep-groups", r->from->name.at};
			r->out->group_add = one;
			r->out->ngroup_add = 1;
		}
	}
}

/** Podman says all that the process gets; of a pod's containers it says too much where the pod's
 * user namespace chose the user. */
static void take_caps(
	struct reading *r, const struct br_value *container, const struct br_value *host) {
	struct br_container *out = r->out;
	const char *userns = br_value_string(br_value_get(host, "UsernsMode"));
	out->privileged = br_value_is_true(br_value_get(host, "Privileged"));
	out->privileged_at = out->privileged ? r->from->name.at : out->privileged_at;
	if (!r->from->is_podman) {
		out->cap_add = words(r, br_value_get(host, "CapAdd"), &out->ncap_add);
		out->cap_drop = words(r, br_value_get(host, "CapDrop"), &out->ncap_drop);
		return;
	}
	out->has_caps = true;
	out->cap_bounding = words(r, br_value_get(container, "BoundingCaps"), &out->ncap_bounding);
	out->cap_ambient = words(r, br_value_get(container, "EffectiveCaps"), &out->ncap_ambient);
	bool shares = userns && strncmp(userns, "container:", 10) == 0;
	if (shares && out->ncap_ambient == out->ncap_bounding) {
		out->ncap_ambient = 0;
	}
}

static void take_space(struct reading *r, const struct br_value *host) {
	struct br_container *out = r->out;
	const struct br_value *maps = br_value_get(host, "IDMappings");
	out->uid_maps = words(r, br_value_get(maps, "UidMap"), &out->nuid_maps);
	out->gid_maps = words(r, br_value_get(maps, "GidMap"), &out->ngid_maps);
	if (!out->nuid_maps && !out->ngid_maps && !r->from->is_podman) {
		out->userns_mode = word(r, br_value_get(host, "UsernsMode"));
	}
	out->network_mode = word(r, br_value_get(host, "NetworkMode"));
	out->pid = word(r, br_value_get(host, "PidMode"));
	out->ipc = word(r, br_value_get(host, "IpcMode"));
}

static void take_who(struct reading *r, const struct br_value *container) {
	const struct br_value *config = br_value_get(container, "Config");
	const struct br_value *host = br_value_get(container, "HostConfig");
	const struct br_value *state = br_value_get(container, "State");
	struct br_container *out = r->out;
	out->exists = true;
	out->runs = br_value_is_true(br_value_get(state, "Running"));
	out->user = word(r, br_value_get(config, "User"));
	out->umask = word(r, br_value_get(config, "Umask"));
	out->working_dir = word(r, br_value_get(config, "WorkingDir"));
	out->environment = words(r, br_value_get(config, "Env"), &out->nenvironment);
	out->runtime = word(r,
		r->from->is_podman ? br_value_get(container, "OCIRuntime")
				   : br_value_get(host, "Runtime"));
	out->image = word(r,
		r->from->is_podman ? br_value_get(container, "ImageName")
				   : br_value_get(config, "Image"));
	out->read_only = br_value_is_true(br_value_get(host, "ReadonlyRootfs"));
	out->security_opt = words(r, br_value_get(host, "SecurityOpt"), &out->nsecurity_opt);
	take_groups(r, config, host);
	take_caps(r, container, host);
	take_space(r, host);
	take_mounts(r, container, host);
}

static int take(struct reading *r) {
	br_auto(br_value_freep) struct br_value *all = br_value_read(r->from->json, r->from->n);
	const struct br_value *container = br_value_get(all, "container");
	const char *name = br_value_string(br_value_get(container, "Name"));
	if (!all && errno == ENOMEM) {
		return br_error_memory(r->dx);
	}
	if (!name || !name[*name == '/']) {
		return br_error(r->dx, r->from->name.at,
			"what the engine says of '%s' is not understood", r->from->name.s);
	}
	r->volumes = br_value_get(all, "volumes");
	r->out->at = r->from->name.at;
	r->out->name =
		(struct br_text){br_strdup(r->arena, name + (*name == '/')), r->from->name.at};
	take_who(r, container);
	return r->failed || !r->out->name.s ? br_error_memory(r->dx) : 0;
}

static bool is_twice(const struct br_spec *spec, size_t i) {
	for (size_t k = 0; k < i; k++) {
		if (strcmp(spec->containers[k].name.s, spec->containers[i].name.s) == 0) {
			return true;
		}
	}
	return false;
}

struct br_spec *br_spec_of_containers(
	const struct br_inspected *all, size_t n, const char *dir, struct br_diags *dx) {
	br_auto(br_spec_freep) struct br_spec *spec = br_spec_new();
	struct br_container *out = spec ? BR_NEW_ARRAY(spec->arena, struct br_container, n) : NULL;
	const char **files = spec ? BR_NEW_ARRAY(spec->arena, const char *, 1) : NULL;
	if (!out || !files) {
		(void)br_error_memory(dx);
		return NULL;
	}
	files[0] = "<command line>";
	spec->kind = BR_INPUT_CONTAINER;
	spec->engine = n && all[0].is_podman ? BR_ENGINE_PODMAN : BR_ENGINE_DOCKER;
	spec->files = files;
	spec->nfiles = 1;
	spec->project_name = "";
	spec->project_directory = br_strdup(spec->arena, dir);
	spec->containers = out;
	spec->n = n;
	for (size_t i = 0; i < n; i++) {
		struct reading r = {
			.arena = spec->arena, .dx = dx, .from = &all[i], .out = &out[i]};
		if (take(&r)) {
			return NULL;
		}
		if (is_twice(spec, i)) {
			(void)br_error(dx, all[i].name.at, "'%s' is named twice", out[i].name.s);
			return NULL;
		}
	}
	if (!spec->project_directory) {
		(void)br_error_memory(dx);
		return NULL;
	}
	return br_steal(&spec);
}
