/** Containers that the engine has: what it says of them, the accounts of their root, and who their
 * process is. */
#include "asking.h"
#include "process.h"

#include <base/own.h>

#include <errno.h>
#include <string.h>

enum {
	/** For all of them together: reading a container's files takes an engine longer than a word
	 * about an image. */
	PATIENCE = 10000,
	TAR_BLOCK = 512,
	VOLUMES = 1000,
	/** Among so many names the nearest one is looked for, for a word no longer than this. */
	NAMES = 2000,
	WORD = 64,
};

/** One container under work. */
struct asking {
	struct image_finder *finder;
	struct engine *engine;
	struct br_engine_container *out;
	/** What the engine says; owned here. */
	struct br_value *container;
	struct br_buf json;
};

// ---- its words ----

/** GET below the engine's version, as bytes. The status, -1 with the reason. */
static long get(struct asking *a, const char *url, struct answer *answer) {
	return url ? engine_get(a->engine, url, answer) : -1;
}

static const char *url_of(struct asking *a, const char *name) {
	// Podman's own requests have a version of their own, of which 4.0.0 is the oldest that is
	// still answered.
	return a->engine->is_podman
		? br_printf(
			a->finder->arena, "http://localhost/v4.0.0/libpod/containers/%s/json", name)
		: br_printf(a->finder->arena, "http://localhost/%scontainers/%s/json",
			a->engine->version, name);
}

/** The infra container of a pod that shares its user namespace: its ID in *id. 1, 0 where there is
 * none, -1 with the reason. */
static int ask_pod(struct asking *a, const char *name, const char **id) {
	const char *url =
		br_printf(a->finder->arena, "http://localhost/v4.0.0/libpod/pods/%s/json", name);
	br_auto(br_value_freep) struct br_value *pod = NULL;
	long status = url && a->engine->is_podman ? engine_get_json(a->engine, url, false, &pod)
						  : HTTP_NOT_FOUND;
	if (!pod) {
		return status == HTTP_NOT_FOUND ? 0 : -1;
	}
	const struct br_value *shared = br_value_get(pod, "SharedNamespaces");
	const char *infra = br_value_string(br_value_get(pod, "InfraContainerID"));
	bool shares = false;
	for (size_t i = 0; i < br_value_count(shared); i++) {
		const char *what = br_value_string(br_value_at(shared, i));
		shares = shares || (what && strcmp(what, "user") == 0);
	}
	a->out->alone = !shares || !infra || !is_container_name(infra);
	*id = a->out->alone ? NULL : br_strdup(a->finder->arena, infra);
	return *id ? 1 : a->out->alone ? 0 : -1;
}

/** The volumes that have a name, which may be paths of the host. */
static void ask_volumes(struct asking *a) {
	const struct br_value *mounts = br_value_get(a->container, "Mounts");
	size_t asked = 0;
	for (size_t i = 0; i < br_value_count(mounts) && asked < VOLUMES; i++) {
		const struct br_value *mount = br_value_at(mounts, i);
		const char *type = br_value_string(br_value_get(mount, "Type"));
		const char *name = br_value_string(br_value_get(mount, "Name"));
		struct answer answer = {.body = {0}};
		if (!type || strcmp(type, "volume") != 0 || !name || !is_container_name(name)) {
			continue;
		}
		const char *url = br_printf(a->finder->arena, "http://localhost/%svolumes/%s",
			a->engine->version, name);
		struct br_value *value = NULL;
		if (get(a, url, &answer) == HTTP_OK && answer.body.n) {
			value = br_value_read(answer.body.s, answer.body.n);
		}
		if (value) {
			br_buf_addf(&a->json, "%s\"%s\": ", asked++ ? ", " : "", name);
			br_buf_addn(&a->json, answer.body.s, answer.body.n);
		}
		br_value_free(value);
		br_buf_release(&answer.body);
	}
}

/** 1 with a->container and a->json begun; 0 where there is none; -1 with the reason in the engine. */
static int ask_container(struct asking *a, const char *name) {
	struct answer answer = {.body = {0}};
	long status = get(a, url_of(a, name), &answer);
	int found = -1;
	if (status == HTTP_NOT_FOUND) {
		found = 0;
	} else if (status == HTTP_OK && answer.body.n) {
		a->container = br_value_read(answer.body.s, answer.body.n);
		br_buf_add(&a->json, "{\"container\": ");
		br_buf_addn(&a->json, answer.body.s, answer.body.n);
		br_buf_add(&a->json, ", \"volumes\": {");
		found = br_value_is_object(a->container) ? 1 : -1;
	}
	if (found < 0 && !*a->engine->why) {
		(void)strncpy(a->engine->why, "it refuses to answer", sizeof(a->engine->why) - 1);
	}
	br_buf_release(&answer.body);
	return found;
}

// ---- its accounts ----

/** The first regular file of a tar archive. NULL where there is none, or what is first is a link. */
static const char *find_in_tar(const char *tar, size_t n, size_t *size) {
	for (size_t at = 0; at + TAR_BLOCK <= n;) {
		const char *header = tar + at;
		char digits[13] = "";
		char type = header[156];
		uint64_t bytes = 0;
		memcpy(digits, header + 124, 12);
		for (const char *p = digits + strspn(digits, " "); *p >= '0' && *p <= '7'; p++) {
			bytes = bytes * 8 + (uint64_t)(*p - '0');
		}
		at += TAR_BLOCK;
		if (bytes > n - at) {
			return NULL;
		}
		if (type == '0' || type == '\0') {
			*size = (size_t)bytes;
			return *header ? tar + at : NULL;
		}
		// What is said about the next one.
		if (type != 'x' && type != 'g' && type != 'L' && type != 'K') {
			return NULL;
		}
		at += ((size_t)bytes + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	}
	return NULL;
}

/** 1 with the bytes, in the arena; 0: it has no such file; -1: not known. */
static int ask_file(struct asking *a, const char *path, const char **bytes, size_t *n) {
	struct answer answer = {.body = {0}};
	struct br_arena *arena = a->finder->arena;
	const char *id = a->out->is.name.s;
	const char *url = br_printf(arena, "http://localhost/%scontainers/%s/archive?path=%s",
		a->engine->version, id, path);
	long status = get(a, url, &answer);
	int found = status == HTTP_NOT_FOUND ? 0 : -1;
	if (status == HTTP_OK && answer.body.n) {
		const char *file = find_in_tar(answer.body.s, answer.body.n, n);
		*bytes = file ? br_strndup(arena, file, *n) : NULL;
		found = *bytes ? 1 : -1;
	}
	br_buf_release(&answer.body);
	return found;
}

static int ask_accounts(struct asking *a) {
	struct br_image *to = &a->out->accounts;
	struct br_arena *arena = a->finder->arena;
	const char *passwd = NULL;
	const char *group = NULL;
	size_t npasswd = 0;
	size_t ngroup = 0;
	int users = ask_file(a, "/etc/passwd", &passwd, &npasswd);
	int groups = users < 0 ? -1 : ask_file(a, "/etc/group", &group, &ngroup);
	if (groups < 0) {
		return 0;
	}
	bool failed = (users && passwd_parse(arena, passwd, npasswd, &to->users, &to->nusers))
		|| (groups && group_parse(arena, group, ngroup, &to->groups, &to->ngroups));
	if (failed) {
		return errno == ENOMEM ? -1 : 0;
	}
	to->no_passwd = !users;
	to->no_group = !groups;
	a->out->read = true;
	return 0;
}

// ---- all of it ----

static const struct br_text *words(
	struct asking *a, const struct br_value *list, const char *key, size_t *n) {
	const struct br_value *all = br_value_get(list, key);
	size_t count = br_value_count(all);
	struct br_text *out = BR_NEW_ARRAY(a->finder->arena, struct br_text, count);
	*n = 0;
	for (size_t i = 0; out && i < count; i++) {
		const char *s = br_value_string(br_value_at(all, i));
		out[*n].s = br_strdup(a->finder->arena, s ? s : "");
		out[*n].at = a->out->is.name.at;
		if (!out[(*n)++].s) {
			return NULL;
		}
	}
	return out;
}

static int take_maps(struct asking *a) {
	struct br_engine_container *out = a->out;
	const struct br_value *maps =
		br_value_get(br_value_get(a->container, "HostConfig"), "IDMappings");
	out->uid_maps = words(a, maps, "UidMap", &out->nuid_maps);
	out->gid_maps = words(a, maps, "GidMap", &out->ngid_maps);
	return out->uid_maps && out->gid_maps ? 0 : -1;
}

static int take_process(struct asking *a) {
	const struct br_value *state = br_value_get(a->container, "State");
	const char *id = br_value_string(br_value_get(a->container, "Id"));
	int64_t pid = br_value_int(br_value_get(state, "Pid"));
	bool runs = br_value_is_true(br_value_get(state, "Running"));
	return runs && id && pid > 0 && pid < INT32_MAX
		? process_read(a->finder->arena, (uint32_t)pid, id, &a->out->process)
		: 0;
}

/** 1, 0 where there is none, -1 without memory; -2 with the reason in the engine. */
static int ask_all(struct asking *a) {
	struct br_inspected *is = &a->out->is;
	const char *name = is->name.s;
	int found = a->out->is_pod ? ask_pod(a, name, &name) : 1;
	if (found > 0) {
		found = ask_container(a, name);
	}
	if (found <= 0) {
		return found < 0 ? -2 : 0;
	}
	ask_volumes(a);
	br_buf_add(&a->json, "}}");
	const char *json =
		a->json.failed ? NULL : br_strndup(a->finder->arena, a->json.s, a->json.n);
	is->is_podman = a->engine->is_podman;
	if (!json || take_maps(a) || take_process(a)) {
		return -1;
	}
	if (!a->out->is_pod && !a->out->process.pid && ask_accounts(a)) {
		return -1;
	}
	is->json = json;
	is->n = a->json.n;
	return 1;
}

/** Add its names, as they are typed. 0, or -1 with ENOMEM. */
static int add_names(struct asking *a, const struct br_value *names, const char **all, size_t *n) {
	for (size_t i = 0; i < br_value_count(names) && *n < NAMES; i++) {
		const char *name = br_value_string(br_value_at(names, i));
		// Docker's begin with a slash, and those of links have another one.
		name = name && *name == '/' ? name + 1 : name;
		if (!name || !is_container_name(name)) {
			continue;
		}
		all[*n] = br_strdup(a->finder->arena, name);
		if (!all[(*n)++]) {
			return -1;
		}
	}
	return 0;
}

/** What somebody may have meant by a name that no container has. NULL: nothing, or it cannot be
 * had in the time that is left. */
static const char *find_near(struct asking *a, const char *word) {
	const char *url = a->engine->is_podman
		? "http://localhost/v4.0.0/libpod/containers/json?all=true"
		: br_printf(a->finder->arena, "http://localhost/%scontainers/json?all=1",
			a->engine->version);
	const char **all = BR_NEW_ARRAY(a->finder->arena, const char *, NAMES + 1);
	br_auto(br_value_freep) struct br_value *list = NULL;
	size_t n = 0;
	if (!url || !all || strlen(word) >= WORD
		|| engine_get_json(a->engine, url, true, &list) != HTTP_OK) {
		return NULL;
	}
	for (size_t i = 0; i < br_value_count(list); i++) {
		const struct br_value *names = br_value_get(br_value_at(list, i), "Names");
		if (add_names(a, names, all, &n)) {
			return NULL;
		}
	}
	return br_nearest(word, all);
}

static int no_container(struct asking *a) {
	const struct br_text *name = &a->out->is.name;
	const char *near = find_near(a, name->s);
	(void)br_error(a->finder->dx, name->at, "the engine at '%s' has no container '%s'",
		a->finder->options->socket, name->s);
	if (near) {
		br_hint(a->finder->dx, "did you mean '%s'?", near);
	}
	return -1;
}

static int read_one(struct image_finder *finder, struct br_engine_container *out, bool required) {
	struct asking a = {.finder = finder, .engine = finder->engine, .out = out};
	const struct br_text *name = &out->is.name;
	out->socket = finder->options->socket;
	if (!is_container_name(name->s)) {
		return required ? br_error(finder->dx, name->at,
			       "'%s' is no name of a container, and no ID", name->s)
				: 0;
	}
	int found = ask_all(&a);
	br_value_free(a.container);
	br_buf_release(&a.json);
	if (found == -1) {
		return br_error_memory(finder->dx);
	}
	if (found == -2 && required) {
		return br_error(finder->dx, name->at,
			"the engine at '%s' does not say what '%s' is: %s", finder->options->socket,
			name->s, a.engine->why);
	}
	return found == 0 && required ? no_container(&a) : 0;
}

int br_engine_containers_read(struct br_arena *arena, const struct br_engine_ask *ask,
	struct br_engine_container *out, size_t n, struct br_diags *dx) {
	struct br_image_options options = {.socket = ask->socket};
	struct image_finder finder = {
		.arena = arena, .options = &options, .dx = dx, .quiet = true, .patience = PATIENCE};
	int found = n ? engine_open(&finder) : 1;
	int result = found < 0 ? -1 : 0;
	if (found == 0 && ask->required) {
		const struct engine *engine = finder.engine;
		result = br_error(dx, out[0].is.name.at, "no engine answers at '%s'%s%s",
			ask->socket, engine && *engine->why ? ": " : "", engine ? engine->why : "");
	}
	for (size_t i = 0; found > 0 && i < n; i++) {
		result = read_one(&finder, &out[i], ask->required) ? -1 : result;
	}
	engine_release(&finder);
	return result;
}
