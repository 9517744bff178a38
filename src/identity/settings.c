#include "settings.h"

#include "hostdb.h"

#include <base/file.h>
#include <base/input.h>
#include <base/own.h>
#include <base/text.h>
#include <doc/toml.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FILE_MAX_BYTES = 1 << 20,
	/** Files of one directory. */
	DROP_INS = 1000,
};

static const char shipped[] = "usr/share/containers/containers.conf";
static const char system_wide[] = "etc/containers/containers.conf";

static const struct br_span nowhere = {0};

typedef br_vec(const char *) name_vec;

struct reading {
	struct br_arena *arena;
	struct br_diags *dx;
	const struct br_engine_request *request;
	struct br_engine_mode *mode;
	/** The caller's environment counts. */
	bool has_environment;
	/** The files, in the order in which they count. */
	br_vec(uint16_t) texts;
};

static const char *environment_of(const struct reading *r, const char *name) {
	size_t n = strlen(name);
	for (const char *const *p = r->has_environment ? r->request->environment : NULL; p && *p;
		p++) {
		if (strncmp(*p, name, n) == 0 && (*p)[n] == '=') {
			return *p + n + 1;
		}
	}
	return NULL;
}

static bool has(const struct reading *r, enum br_trait trait) {
	return br_engine_has(r->mode->engine, r->mode->version, trait);
}

static int no_memory(struct reading *r) {
	return br_error_memory(r->dx);
}

// ---- what a file says ----

static int wrong_type(
	struct reading *r, const struct br_toml_value *value, const char *key, const char *what) {
	return br_error(r->dx, value->at, "%s must be %s: Podman will not start", key, what);
}

static int take_word(struct reading *r, const struct br_toml *toml, const char *key,
	struct br_text *out, bool *found) {
	const struct br_toml_value *value = br_toml_get(toml, key);
	*found = value != NULL;
	if (value && value->kind != BR_TOML_STRING) {
		return wrong_type(r, value, key, "a string");
	}
	if (value) {
		*out = (struct br_text){value->s, value->at};
	}
	return 0;
}

/** A list takes the place of the one before, or is added to it. */
static int take_list(struct reading *r, const struct br_toml_value *value,
	const struct br_text **items, size_t *n) {
	bool appends = value->appends && has(r, BR_TRAIT_SETTINGS_APPEND);
	size_t old = appends ? *n : 0;
	struct br_text *all = BR_NEW_ARRAY(r->arena, struct br_text, old + value->n);
	if (!all) {
		return no_memory(r);
	}
	if (old) {
		memcpy(all, *items, old * sizeof(*all));
	}
	if (value->n) {
		memcpy(all + old, value->items, value->n * sizeof(*all));
	}
	*items = all;
	*n = old + value->n;
	return 0;
}

static int find_list(struct reading *r, const struct br_toml *toml, const char *key,
	const struct br_toml_value **out) {
	*out = br_toml_get(toml, key);
	bool is_list = !*out || ((*out)->kind == BR_TOML_LIST && (*out)->others == 0);
	return is_list ? 0 : wrong_type(r, *out, key, "a list of strings");
}

static int take_caps(struct reading *r, const struct br_toml *toml) {
	struct br_engine_settings *s = &r->mode->settings;
	const struct br_toml_value *value;
	if (find_list(r, toml, "containers.default_capabilities", &value)) {
		return -1;
	}
	s->has_caps = s->has_caps || value;
	return value ? take_list(r, value, &s->caps, &s->ncaps) : 0;
}

static int take_volumes(struct reading *r, const struct br_toml *toml) {
	struct br_engine_settings *s = &r->mode->settings;
	const struct br_toml_value *value;
	if (find_list(r, toml, "containers.volumes", &value)) {
		return -1;
	}
	return value ? take_list(r, value, &s->volumes, &s->nvolumes) : 0;
}

/** crun takes "1" and nothing else for yes. */
static int take_annotations(struct reading *r, const struct br_toml *toml) {
	static const char key[] = "run.oci.keep_original_groups=";
	struct br_engine_settings *s = &r->mode->settings;
	const struct br_toml_value *value;
	if (find_list(r, toml, "containers.annotations", &value)) {
		return -1;
	}
	bool appends = value && value->appends && has(r, BR_TRAIT_SETTINGS_APPEND);
	if (value && !appends) {
		s->keep_groups.s = NULL;
	}
	for (size_t i = 0; value && i < value->n; i++) {
		const struct br_text *word = &value->items[i];
		if (strncmp(word->s, key, strlen(key)) == 0) {
			s->keep_groups = *word;
			s->keep_groups.s = strcmp(word->s + strlen(key), "1") == 0 ? word->s : NULL;
		}
	}
	return 0;
}

static int take_words(struct reading *r, const struct br_toml *toml) {
	struct br_engine_settings *s = &r->mode->settings;
	struct br_text userns = {0};
	bool found;
	if (take_word(r, toml, "containers.userns", &userns, &found)) {
		return -1;
	}
	if (found) {
		s->userns = userns;
		s->userns_from = "containers.conf";
	}
	return take_word(r, toml, "containers.umask", &s->umask, &found)
			|| take_word(r, toml, "engine.runtime", &s->runtime, &found)
		? -1
		: 0;
}

static int take_all(struct reading *r, const struct br_toml *toml) {
	return take_words(r, toml) || take_caps(r, toml) || take_volumes(r, toml)
			|| take_annotations(r, toml)
		? -1
		: 0;
}

// ---- files ----

static int add_text(struct reading *r, const char *shown, const char *bytes, size_t n) {
	int number = br_places_add(br_diags_places(r->dx), BR_PLACE_FILE, shown, bytes, n);
	uint16_t text = (uint16_t)number;
	return number < 0 || br_vec_push(r->arena, &r->texts, text) ? no_memory(r) : 0;
}

static int read_system(struct reading *r, const char *path) {
	struct hostdb_text file;
	if (hostdb_file(r->mode->hostdb, r->arena, path, &file, r->dx)) {
		return -1;
	}
	return file.bytes ? add_text(r, file.name, file.bytes, file.n) : 0;
}

/** Who runs Podman: with his rights his files are read. */
static uid_t reader_of(const struct reading *r) {
	return r->mode->user ? r->mode->user->uid.v : 0;
}

/** A file of the user's, or one that the environment names: only then it must be there. */
static int read_users(struct reading *r, const char *path, bool required) {
	size_t n = 0;
	br_auto(br_freep) char *bytes = br_read_as(path, reader_of(r), FILE_MAX_BYTES, &n);
	if (bytes) {
		return add_text(r, path, bytes, n);
	}
	bool is_absent = errno == ENOENT || errno == ENOTDIR;
	if (errno == ENOMEM) {
		return no_memory(r);
	}
	if (errno == BR_EFOREIGN && r->mode->user) {
		return br_error(r->dx, nowhere,
			"cannot read '%s': '%s', whose file it is, may not read it, so root does not either",
			path, r->mode->user->name);
	}
	return is_absent && !required
		? 0
		: br_error(r->dx, nowhere, "cannot read '%s': %s", path, br_input_why(errno));
}

static int by_name(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_drop_in(const struct dirent *entry) {
	size_t n = strlen(entry->d_name);
	return entry->d_type != DT_DIR && n >= 5 && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

/** The names of a directory's files that end in .conf, sorted. Takes the descriptor; one below 0 is
 * an empty directory. */
static int list(struct reading *r, int fd, name_vec *out) {
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int result = 0;
	if (fd >= 0 && !dir) {
		(void)close(fd); // nothing was written
	}
	for (struct dirent *entry; dir && !result && (entry = readdir(dir));) {
		const char *name = is_drop_in(entry) ? br_strdup(r->arena, entry->d_name) : NULL;
		if (is_drop_in(entry) && out->n < DROP_INS) {
			result = !name || br_vec_push(r->arena, out, name) ? no_memory(r) : 0;
		}
	}
	if (dir) {
		(void)closedir(dir); // nothing was written
	}
	if (out->n > 1) {
		qsort(out->v, out->n, sizeof(*out->v), by_name);
	}
	return result;
}

static int read_system_drop_ins(struct reading *r) {
	name_vec names = {0};
	const char *dir = br_printf(r->arena, "%s.d", system_wide);
	if (!dir) {
		return no_memory(r);
	}
	int result = list(r, hostdb_open(r->mode->hostdb, dir), &names);
	for (size_t i = 0; !result && i < names.n; i++) {
		const char *path = br_printf(r->arena, "%s/%s", dir, names.v[i]);
		result = path ? read_system(r, path) : no_memory(r);
	}
	return result;
}

static int read_users_drop_ins(struct reading *r, const char *file) {
	name_vec names = {0};
	const char *dir = br_printf(r->arena, "%s.d", file);
	if (!dir) {
		return no_memory(r);
	}
	int result = list(r, br_open_as(dir, O_RDONLY | O_DIRECTORY, reader_of(r)), &names);
	for (size_t i = 0; !result && i < names.n; i++) {
		const char *path = br_printf(r->arena, "%s/%s", dir, names.v[i]);
		result = path ? read_users(r, path, false) : no_memory(r);
	}
	return result;
}

/** The user's file: below XDG_CONFIG_HOME, or in the home directory. *out is NULL where there is
 * none to look for. */
static int find_users_file(struct reading *r, const char **out) {
	const struct br_host_user *user = r->mode->user;
	const char *config = environment_of(r, "XDG_CONFIG_HOME");
	*out = NULL;
	if (!user && !has(r, BR_TRAIT_SETTINGS_OF_ROOT)) {
		return 0;
	}
	if (!user) {
		user = br_hostdb_user(r->mode->hostdb, (br_hostid){0});
	}
	if (config && *config) {
		*out = br_printf(r->arena, "%s/containers/containers.conf", config);
		return *out ? 0 : no_memory(r);
	}
	if (!user || !user->home || *user->home != '/') {
		return 0;
	}
	const char *path = br_printf(r->arena, "%s/.config/containers/containers.conf", user->home);
	*out = path ? hostdb_path(r->mode->hostdb, r->arena, path) : NULL;
	return *out ? 0 : no_memory(r);
}

static int find_files(struct reading *r) {
	const char *only = environment_of(r, "CONTAINERS_CONF");
	const char *last = has(r, BR_TRAIT_SETTINGS_OVERRIDE)
		? environment_of(r, "CONTAINERS_CONF_OVERRIDE")
		: NULL;
	const char *users = NULL;
	if (only && *only) {
		if (read_users(r, only, true)) {
			return -1;
		}
	} else if (read_system(r, shipped) || read_system(r, system_wide) || read_system_drop_ins(r)
		|| find_users_file(r, &users)
		|| (users && (read_users(r, users, false) || read_users_drop_ins(r, users)))) {
		return -1;
	}
	return last && *last ? read_users(r, last, true) : 0;
}

static int read_files(struct reading *r) {
	if (find_files(r)) {
		return -1;
	}
	struct br_toml *tables = BR_NEW_ARRAY(r->arena, struct br_toml, r->texts.n);
	int result = tables ? br_toml_read_apart(r->arena, r->texts.v, r->texts.n, tables, r->dx)
			    : no_memory(r);
	for (size_t i = 0; !result && i < r->texts.n; i++) {
		result = take_all(r, &tables[i]);
	}
	return result;
}

/** PODMAN_USERNS is the default of `--userns`, and so goes before the file's. */
static int take_environment(struct reading *r) {
	struct br_engine_settings *s = &r->mode->settings;
	const char *word = environment_of(r, "PODMAN_USERNS");
	if (word && *word) {
		s->userns = (struct br_text){.s = br_strdup(r->arena, word)};
		s->userns_from = "PODMAN_USERNS";
		return s->userns.s ? 0 : no_memory(r);
	}
	if (s->userns.s && !*s->userns.s) {
		s->userns.s = NULL;
	}
	return 0;
}

int settings_read(struct br_arena *arena, const struct br_engine_request *request,
	struct br_engine_mode *mode, struct br_diags *dx) {
	struct reading r = {.arena = arena, .dx = dx, .request = request, .mode = mode};
	r.has_environment = !request->by_root && request->invoker.v == reader_of(&r);
	return read_files(&r) || take_environment(&r) ? -1 : 0;
}
