/** Who the process is, what it may, and in which namespaces: taken as it is, no passwd is looked
 * at. */
#include "oci.h"

#include <base/text.h>

#include <spec/compose/compose.h>
#include <string.h>

static int read_groups(struct br_bundle *b, const struct br_node *user) {
	const struct br_node *list = br_oci_array(b, user, "process.user", "additionalGids");
	size_t n = list ? list->n : 0;
	struct br_text *groups = BR_NEW_ARRAY(b->arena, struct br_text, n);
	if (!groups) {
		return br_error_memory(b->dx);
	}
	for (size_t i = 0; i < n; i++) {
		const struct br_node *item = list->items[i];
		uint32_t gid;
		bool is_plain = item->kind == BR_NODE_SCALAR && item->style == BR_PLAIN;
		if (!is_plain || br_parse_u32(item->s, UINT32_MAX, &gid)) {
			(void)br_error(b->dx, item->at,
				"additionalGids must have numbers from 0 to 4294967295");
			continue;
		}
		groups[i] = (struct br_text){br_printf(b->arena, "%u", gid), item->at};
		if (!groups[i].s) {
			return br_error_memory(b->dx);
		}
	}
	b->container->group_add = groups;
	b->container->ngroup_add = n;
	return 0;
}

static int read_user(struct br_bundle *b, const struct br_node *process) {
	const struct br_node *user = br_oci_object(b, process, "process", "user");
	const struct br_pair *pair = br_node_pair(process, "user");
	struct br_span at = user ? user->at : process->at;
	uint32_t uid = 0;
	uint32_t gid = 0;
	uint32_t umask = 0;
	if (!user) {
		// What a runtime makes of nothing is root.
		at = pair ? pair->key->at : (struct br_span){process->at.text, process->at.off, 1};
	}
	bool has_uid = br_oci_number(b, user, "uid", &uid);
	(void)br_oci_number(b, user, "gid", &gid);
	b->container->user = (struct br_text){br_printf(b->arena, "%u:%u", uid, gid), at};
	if (!b->container->user.s) {
		return br_error_memory(b->dx);
	}
	const struct br_pair *name = user ? br_node_pair(user, "username") : NULL;
	if (name && !has_uid) {
		br_warning(b->dx, name->key->at,
			"'username' has no effect on Linux: the process runs as uid 0");
	}
	if (br_oci_number(b, user, "umask", &umask)) {
		if (umask > 0777) {
			(void)br_error(b->dx, br_node_get(user, "umask")->at,
				"the umask %u is above 511 (0777)", umask);
		}
		b->container->umask = (struct br_text){
			br_printf(b->arena, "%04o", umask & 0777), br_node_get(user, "umask")->at};
		if (!b->container->umask.s) {
			return br_error_memory(b->dx);
		}
	}
	return read_groups(b, user);
}

// ---- capabilities ----

/** The sets as they are written. */
struct sets {
	const struct br_text *bounding, *permitted, *inheritable, *ambient;
	size_t nbounding, npermitted, ninheritable, nambient;
};

static bool has(const struct br_text *set, size_t n, const char *cap) {
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(set[i].s, cap) == 0) {
			return true;
		}
	}
	return false;
}

static int read_set(struct br_bundle *b, const struct br_node *map, const char *key,
	const struct br_text **out, size_t *n) {
	const struct br_node *list = br_oci_array(b, map, "process.capabilities", key);
	if (br_oci_strings(b, list, key, out, n)) {
		return -1;
	}
	for (size_t i = 0; i < *n; i++) {
		if (strncmp((*out)[i].s, "CAP_", 4) != 0) {
			(void)br_error(b->dx, (*out)[i].at, "'%s' is no capability", (*out)[i].s);
			br_hint(b->dx, "they are written as in CAP_CHOWN");
		}
	}
	return 0;
}

/** The members of `from` that are in `set` too. */
static int intersect(struct br_bundle *b, const struct br_text *from, size_t n,
	const struct sets *sets, struct br_container *to) {
	struct br_text *out = BR_NEW_ARRAY(b->arena, struct br_text, n);
	size_t k = 0;
	if (!out) {
		return br_error_memory(b->dx);
	}
	for (size_t i = 0; i < n; i++) {
		if (has(sets->permitted, sets->npermitted, from[i].s)) {
			out[k++] = from[i];
		}
	}
	to->cap_bounding = out;
	to->ncap_bounding = k;
	return 0;
}

/** The kernel lets into the ambient set only what is permitted and inheritable. */
static int take_ambient(struct br_bundle *b, const struct sets *sets) {
	struct br_text *out = BR_NEW_ARRAY(b->arena, struct br_text, sets->nambient);
	size_t n = 0;
	if (!out) {
		return br_error_memory(b->dx);
	}
	for (size_t i = 0; i < sets->nambient; i++) {
		const struct br_text *cap = &sets->ambient[i];
		if (has(sets->permitted, sets->npermitted, cap->s)
			&& has(sets->inheritable, sets->ninheritable, cap->s)) {
			out[n++] = *cap;
		}
	}
	b->container->cap_ambient = out;
	b->container->ncap_ambient = n;
	return 0;
}

/**
 * What counts once the program runs (capabilities(7), "Transformation of capabilities during
 * execve()"): of root the bounding set, which with no_new_privs is cut down to what is permitted
 * already; of others the ambient set.
 */
static int read_capabilities(struct br_bundle *b, const struct br_node *process) {
	const struct br_node *map = br_oci_object(b, process, "process", "capabilities");
	struct sets sets = {0};
	const struct br_text *effective = NULL;
	size_t neffective = 0;
	bool nothing_new = false;
	if (read_set(b, map, "bounding", &sets.bounding, &sets.nbounding)
		|| read_set(b, map, "permitted", &sets.permitted, &sets.npermitted)
		|| read_set(b, map, "inheritable", &sets.inheritable, &sets.ninheritable)
		|| read_set(b, map, "ambient", &sets.ambient, &sets.nambient)
		|| read_set(b, map, "effective", &effective, &neffective)) {
		return -1;
	}
	(void)br_oci_bool(b, process, "process", "noNewPrivileges", &nothing_new);
	b->container->cap_bounding = sets.bounding;
	b->container->ncap_bounding = sets.nbounding;
	if (nothing_new && intersect(b, sets.bounding, sets.nbounding, &sets, b->container)) {
		return -1;
	}
	return take_ambient(b, &sets);
}

// ---- namespaces ----

static const struct br_node *find_namespace(const struct br_node *config, const char *type) {
	const struct br_node *list = br_node_get(config, "namespaces");
	bool is_list = list && list->kind == BR_NODE_SEQ;
	for (size_t i = 0; is_list && i < list->n; i++) {
		const struct br_node *one = list->items[i];
		const struct br_node *its =
			one->kind == BR_NODE_MAP ? br_node_get(one, "type") : NULL;
		if (its && its->kind == BR_NODE_SCALAR && strcmp(its->s, type) == 0) {
			return one;
		}
	}
	return NULL;
}

static int check_namespaces(struct br_bundle *b, const struct br_node *config) {
	static const char *const types[] = {
		"pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time", NULL};
	const struct br_node *list = br_oci_array(b, config, "linux", "namespaces");
	for (size_t i = 0; list && i < list->n; i++) {
		const struct br_node *one = list->items[i];
		if (one->kind != BR_NODE_MAP) {
			(void)br_error(b->dx, one->at, "linux.namespaces must have objects");
			continue;
		}
		const struct br_node *type = br_oci_string(b, one, "linux.namespaces[]", "type");
		size_t k = 0;
		while (type && types[k] && strcmp(type->s, types[k]) != 0) {
			k++;
		}
		if (type && !types[k]) {
			(void)br_error(b->dx, type->at, "'%s' is no namespace", type->s);
			const char *near = br_nearest(type->s, types);
			if (near) {
				br_hint(b->dx, "did you mean '%s'?", near);
			}
		}
	}
	return 0;
}

/** "host" without a namespace of its own, "ns:PATH" in somebody's. */
static int namespace_word(
	struct br_bundle *b, const struct br_node *config, const char *type, struct br_text *out) {
	const struct br_node *one = find_namespace(config, type);
	const struct br_node *path = br_oci_string(b, one, "linux.namespaces[]", "path");
	if (one && (!path || !*path->s)) {
		return 0;
	}
	out->at = path ? path->at : br_oci_at(config);
	if (!path) {
		out->at.len = out->at.len > 1 ? 1 : out->at.len;
	}
	out->s = path ? br_printf(b->arena, "ns:%s", path->s) : "host";
	return out->s ? 0 : br_error_memory(b->dx);
}

static int read_userns(struct br_bundle *b, const struct br_node *config) {
	struct br_container *c = b->container;
	const struct br_node *uids = br_oci_array(b, config, "linux", "uidMappings");
	const struct br_node *gids = br_oci_array(b, config, "linux", "gidMappings");
	const struct br_node *own = find_namespace(config, "user");
	if (br_oci_maps(b, uids, "linux.uidMappings", &c->uid_maps, &c->nuid_maps)
		|| br_oci_maps(b, gids, "linux.gidMappings", &c->gid_maps, &c->ngid_maps)
		|| namespace_word(b, config, "user", &c->userns_mode)) {
		return -1;
	}
	bool has_maps = c->nuid_maps || c->ngid_maps;
	if (!own) {
		c->userns_mode = (struct br_text){0};
	}
	if (!own && has_maps) {
		(void)br_error(b->dx, c->nuid_maps ? uids->at : gids->at,
			"there are mappings, but linux.namespaces has no user namespace");
		br_hint(b->dx, "add {\"type\": \"user\"}");
	}
	bool joins = c->userns_mode.s != NULL;
	bool no_uids = !uids || uids->n == 0;
	if (own && !joins && (no_uids || !gids || gids->n == 0)) {
		(void)br_error(b->dx, own->at, "a user namespace, but no %s",
			no_uids ? "uidMappings" : "gidMappings");
		br_hint(b->dx,
			"for example: [{\"containerID\": 0, \"hostID\": 100000, \"size\": 65536}]");
	}
	return 0;
}

static int read_linux(struct br_bundle *b, const struct br_node *root) {
	const struct br_node *config = br_oci_object(b, root, "", "linux");
	struct br_container *c = b->container;
	if (!config) {
		return 0;
	}
	if (check_namespaces(b, config) || read_userns(b, config)) {
		return -1;
	}
	return namespace_word(b, config, "network", &c->network_mode)
			|| namespace_word(b, config, "pid", &c->pid)
			|| namespace_word(b, config, "ipc", &c->ipc)
		? -1
		: 0;
}

// ---- the rest ----

static int read_root(struct br_bundle *b, const struct br_node *root) {
	const struct br_node *map = br_oci_object(b, root, "", "root");
	const struct br_node *path = br_oci_string(b, map, "root", "path");
	if (!map && !br_node_get(root, "root")) {
		return br_error(b->dx, (struct br_span){root->at.text, root->at.off, 1},
			"the config has no 'root'");
	}
	(void)br_oci_bool(b, map, "root", "readonly", &b->container->read_only);
	if (map && !br_node_get(map, "path")) {
		(void)br_error(b->dx, (struct br_span){map->at.text, map->at.off, 1},
			"root has no 'path'");
		br_hint(b->dx, "for example: \"root\": {\"path\": \"rootfs\"}");
	}
	if (!path) {
		return 0;
	}
	if (!*path->s) {
		(void)br_error(b->dx, path->at, "root.path is empty");
		return 0;
	}
	b->container->rootfs = (struct br_text){br_join(b->arena, b->dir, path->s), path->at};
	return b->container->rootfs.s ? 0 : br_error_memory(b->dx);
}

int br_oci_process(struct br_bundle *b, const struct br_node *root) {
	const struct br_node *process = br_oci_object(b, root, "", "process");
	struct br_container *c = b->container;
	if (!br_node_get(root, "process")) {
		(void)br_error(b->dx, (struct br_span){root->at.text, root->at.off, 1},
			"the config has no 'process'");
		br_hint(b->dx, "such a bundle starts nothing");
	}
	if (process) {
		const struct br_node *env = br_oci_array(b, process, "process", "env");
		if (br_oci_strings(b, env, "process.env", &c->environment, &c->nenvironment)
			|| read_user(b, process) || read_capabilities(b, process)) {
			return -1;
		}
	}
	return read_linux(b, root) ? -1 : read_root(b, root);
}
