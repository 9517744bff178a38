#include "compose.h"

#include <base/text.h>

#include <string.h>

enum {
	NUL = BR_VALUE_NULL,
	STR = BR_VALUE_STRING,
	NUM = BR_VALUE_INT | BR_VALUE_FLOAT,
	YES = BR_VALUE_BOOL | BR_VALUE_STRING,
	SEQ = BR_VALUE_SEQ,
	MAP = BR_VALUE_MAP,
	ANY = NUL | STR | NUM | BR_VALUE_BOOL | SEQ | MAP,
	WORD = STR | NUM | BR_VALUE_BOOL,
};

struct level;

/** A key: the kinds of its value, the kinds of its items, and what lies below. */
struct key {
	const char *name;
	unsigned kinds;
	unsigned items;
	const struct level *below;
	const struct level *item;
};

/** The keys of a map; keys that are not there are an error (strict) or a warning. */
struct level {
	bool strict;
	const struct key *keys;
	const char *const *needs;
};

static const struct key bind_keys[] = {
	{"propagation", STR, 0, NULL, NULL},
	{"create_host_path", YES, 0, NULL, NULL},
	{"recursive", STR, 0, NULL, NULL},
	{"selinux", STR, 0, NULL, NULL},
	{0},
};
static const struct key mount_volume_keys[] = {
	{"nocopy", YES, 0, NULL, NULL},
	{"subpath", STR, 0, NULL, NULL},
	{"labels", ANY, 0, NULL, NULL},
	{0},
};
static const struct key mount_tmpfs_keys[] = {
	{"size", ANY, 0, NULL, NULL},
	{"mode", ANY, 0, NULL, NULL},
	{0},
};
static const struct key mount_image_keys[] = {
	{"subpath", STR, 0, NULL, NULL},
	{0},
};
static const struct level bind_level = {true, bind_keys, NULL};
static const struct level mount_volume_level = {true, mount_volume_keys, NULL};
static const struct level mount_tmpfs_level = {true, mount_tmpfs_keys, NULL};
static const struct level mount_image_level = {true, mount_image_keys, NULL};

static const struct key mount_keys[] = {
	{"type", STR, 0, NULL, NULL},
	{"source", STR, 0, NULL, NULL},
	{"target", STR, 0, NULL, NULL},
	{"read_only", YES, 0, NULL, NULL},
	{"consistency", STR, 0, NULL, NULL},
	{"bind", MAP, 0, &bind_level, NULL},
	{"volume", MAP, 0, &mount_volume_level, NULL},
	{"tmpfs", MAP, 0, &mount_tmpfs_level, NULL},
	{"image", MAP, 0, &mount_image_level, NULL},
	{0},
};
static const char *const mount_needs[] = {"type", NULL};
static const struct level mount_level = {true, mount_keys, mount_needs};

static const struct key grant_keys[] = {
	{"source", STR, 0, NULL, NULL},
	{"target", STR, 0, NULL, NULL},
	{"uid", STR, 0, NULL, NULL},
	{"gid", STR, 0, NULL, NULL},
	{"mode", STR | NUM, 0, NULL, NULL},
	{0},
};
static const char *const grant_needs[] = {"source", NULL};
static const struct level grant_level = {true, grant_keys, grant_needs};

static const struct key build_keys[] = {
	{"context", STR, 0, NULL, NULL},
	{"dockerfile", STR, 0, NULL, NULL},
	{"dockerfile_inline", STR, 0, NULL, NULL},
	{"target", STR, 0, NULL, NULL},
	{"args", SEQ | MAP, WORD | NUL, NULL, NULL},
	{"additional_contexts", ANY, 0, NULL, NULL},
	{"cache_from", ANY, 0, NULL, NULL},
	{"cache_to", ANY, 0, NULL, NULL},
	{"entitlements", ANY, 0, NULL, NULL},
	{"extra_hosts", ANY, 0, NULL, NULL},
	{"isolation", ANY, 0, NULL, NULL},
	{"labels", ANY, 0, NULL, NULL},
	{"network", ANY, 0, NULL, NULL},
	{"no_cache", ANY, 0, NULL, NULL},
	{"no_cache_filter", ANY, 0, NULL, NULL},
	{"platforms", ANY, 0, NULL, NULL},
	{"privileged", ANY, 0, NULL, NULL},
	{"provenance", ANY, 0, NULL, NULL},
	{"pull", ANY, 0, NULL, NULL},
	{"sbom", ANY, 0, NULL, NULL},
	{"secrets", SEQ, STR | MAP, NULL, &grant_level},
	{"shm_size", ANY, 0, NULL, NULL},
	{"ssh", ANY, 0, NULL, NULL},
	{"tags", ANY, 0, NULL, NULL},
	{"ulimits", ANY, 0, NULL, NULL},
	{0},
};
static const struct level build_level = {true, build_keys, NULL};

static const struct key extends_keys[] = {
	{"service", STR, 0, NULL, NULL},
	{"file", STR, 0, NULL, NULL},
	{0},
};
static const char *const extends_needs[] = {"service", NULL};
static const struct level extends_level = {true, extends_keys, extends_needs};

#define OTHER(name) \
	{ name, ANY, 0, NULL, NULL }

static const struct key service_keys[] = {
	{"image", STR, 0, NULL, NULL},
	{"build", STR | MAP, 0, &build_level, NULL},
	{"user", STR, 0, NULL, NULL},
	{"userns_mode", STR, 0, NULL, NULL},
	{"network_mode", STR, 0, NULL, NULL},
	{"pid", STR | NUL, 0, NULL, NULL},
	{"ipc", STR, 0, NULL, NULL},
	{"privileged", YES, 0, NULL, NULL},
	{"read_only", YES, 0, NULL, NULL},
	{"group_add", SEQ, STR | NUM, NULL, NULL},
	{"cap_add", SEQ, STR, NULL, NULL},
	{"cap_drop", SEQ, STR, NULL, NULL},
	{"security_opt", SEQ, STR, NULL, NULL},
	{"volumes", SEQ, STR | MAP, NULL, &mount_level},
	{"volumes_from", SEQ, STR, NULL, NULL},
	{"tmpfs", STR | SEQ, STR, NULL, NULL},
	{"secrets", SEQ, STR | MAP, NULL, &grant_level},
	{"configs", SEQ, STR | MAP, NULL, &grant_level},
	{"profiles", SEQ, STR, NULL, NULL},
	{"extends", STR | MAP, 0, &extends_level, NULL},
	{"depends_on", SEQ | MAP, STR, NULL, NULL},
	{"env_file", STR | SEQ, STR | MAP, NULL, NULL},
	{"use_api_socket", YES, 0, NULL, NULL},
	{"provider", MAP, 0, NULL, NULL},
	OTHER("annotations"),
	OTHER("attach"),
	OTHER("blkio_config"),
	OTHER("cgroup"),
	OTHER("cgroup_parent"),
	OTHER("command"),
	OTHER("container_name"),
	OTHER("cpu_count"),
	OTHER("cpu_percent"),
	OTHER("cpu_period"),
	OTHER("cpu_quota"),
	OTHER("cpu_rt_period"),
	OTHER("cpu_rt_runtime"),
	OTHER("cpu_shares"),
	OTHER("cpus"),
	OTHER("cpuset"),
	OTHER("credential_spec"),
	OTHER("deploy"),
	OTHER("develop"),
	OTHER("device_cgroup_rules"),
	OTHER("devices"),
	OTHER("dns"),
	OTHER("dns_opt"),
	OTHER("dns_search"),
	OTHER("domainname"),
	OTHER("entrypoint"),
	OTHER("environment"),
	OTHER("expose"),
	OTHER("external_links"),
	OTHER("extra_hosts"),
	OTHER("gpus"),
	OTHER("healthcheck"),
	OTHER("hostname"),
	OTHER("init"),
	OTHER("isolation"),
	OTHER("label_file"),
	OTHER("labels"),
	OTHER("links"),
	OTHER("logging"),
	OTHER("mac_address"),
	OTHER("mem_limit"),
	OTHER("mem_reservation"),
	OTHER("mem_swappiness"),
	OTHER("memswap_limit"),
	OTHER("models"),
	OTHER("networks"),
	OTHER("oom_kill_disable"),
	OTHER("oom_score_adj"),
	OTHER("pids_limit"),
	OTHER("platform"),
	OTHER("ports"),
	OTHER("post_start"),
	OTHER("pre_start"),
	OTHER("pre_stop"),
	OTHER("pull_policy"),
	OTHER("pull_refresh_after"),
	OTHER("restart"),
	OTHER("runtime"),
	OTHER("scale"),
	OTHER("shm_size"),
	OTHER("stdin_open"),
	OTHER("stop_grace_period"),
	OTHER("stop_signal"),
	OTHER("storage_opt"),
	OTHER("sysctls"),
	OTHER("tty"),
	OTHER("ulimits"),
	OTHER("uts"),
	OTHER("working_dir"),
	{0},
};
static const struct level service_level = {false, service_keys, NULL};

static const struct key volume_keys[] = {
	{"name", STR, 0, NULL, NULL},
	{"driver", STR, 0, NULL, NULL},
	{"driver_opts", MAP, STR | NUM, NULL, NULL},
	{"external", YES | MAP, 0, NULL, NULL},
	OTHER("labels"),
	{0},
};
static const struct level volume_level = {true, volume_keys, NULL};

static const struct key secret_keys[] = {
	{"name", STR, 0, NULL, NULL},
	{"file", STR, 0, NULL, NULL},
	{"environment", STR, 0, NULL, NULL},
	{"external", YES | MAP, 0, NULL, NULL},
	OTHER("labels"),
	OTHER("driver"),
	OTHER("driver_opts"),
	OTHER("template_driver"),
	{0},
};
static const struct level secret_level = {true, secret_keys, NULL};

static const struct key config_keys[] = {
	{"name", STR, 0, NULL, NULL},
	{"file", STR, 0, NULL, NULL},
	{"environment", STR, 0, NULL, NULL},
	{"content", STR, 0, NULL, NULL},
	{"external", YES | MAP, 0, NULL, NULL},
	OTHER("labels"),
	OTHER("template_driver"),
	{0},
};
static const struct level config_level = {true, config_keys, NULL};

static const struct key include_keys[] = {
	{"path", STR | SEQ, STR, NULL, NULL},
	{"project_directory", STR, 0, NULL, NULL},
	{"env_file", STR | SEQ, STR, NULL, NULL},
	{0},
};
static const char *const include_needs[] = {"path", NULL};
static const struct level include_level = {true, include_keys, include_needs};

static const struct key top_keys[] = {
	{"name", STR, 0, NULL, NULL},
	{"services", MAP, 0, NULL, NULL},
	{"volumes", MAP, 0, NULL, NULL},
	{"secrets", MAP, 0, NULL, NULL},
	{"configs", MAP, 0, NULL, NULL},
	{"include", SEQ, STR | MAP, NULL, &include_level},
	OTHER("version"),
	OTHER("networks"),
	OTHER("models"),
	{0},
};
static const struct level top_level = {false, top_keys, NULL};

/** Maps of named things. */
static const struct {
	const char *name;
	unsigned kinds;
	const struct level *level;
	const char *needs;
} sections[] = {
	{"services", MAP, &service_level, "a mapping with an image or a build"},
	{"volumes", MAP | NUL, &volume_level, "a mapping or empty"},
	{"secrets", MAP, &secret_level, "a mapping with a file or an environment"},
	{"configs", MAP, &config_level, "a mapping with a file, a content or an environment"},
};

/* What was meant, for "must be …". */
static void expected(struct br_buf *buf, unsigned kinds) {
	static const struct {
		unsigned kind;
		const char *text;
	} words[] = {
		{STR, "a string"}, {BR_VALUE_INT, "a number"}, {SEQ, "a list"}, {MAP, "a mapping"}};
	if ((kinds & YES) == YES && !(kinds & NUM)) {
		br_buf_add(buf, "true or false");
		kinds &= ~(unsigned)YES;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (kinds & words[i].kind) {
			br_buf_addf(buf, "%s%s", buf->n ? " or " : "", words[i].text);
		}
	}
}

static int wrong_kind(struct br_compose *c, const struct br_tree *value, unsigned kinds,
	const struct br_path *path) {
	struct br_buf buf = {0};
	expected(&buf, kinds);
	const char *name = br_path_text(c, path);
	if (!name || buf.failed) {
		br_buf_release(&buf);
		return name ? br_error_memory(c->dx) : -1;
	}
	(void)br_error(c->dx, value->at, "%s must be %s, not %s", name, buf.s, br_tree_type(value));
	br_buf_release(&buf);
	bool is_word = (value->kind & (NUM | BR_VALUE_BOOL)) != 0;
	if ((kinds & YES) == YES) {
		return -1;
	}
	if (is_word && (kinds & STR)) {
		br_hint(c->dx, "quote it: \"%s\"", value->s);
	} else if (is_word && kinds == SEQ) {
		br_hint(c->dx, "write it as a list: [%s]", value->s);
	} else if (value->kind == BR_VALUE_STRING && kinds == SEQ) {
		br_hint(c->dx, "write it as a list: [\"%s\"]", value->s);
	} else if (value->kind == BR_VALUE_NULL && kinds == SEQ) {
		br_hint(c->dx, "write [] for an empty list, or leave the key out");
	} else if (value->kind == BR_VALUE_NULL) {
		br_hint(c->dx, "give it a value, or leave it out");
	}
	return -1;
}

static const struct key *find_key(const struct level *level, const char *name) {
	for (const struct key *key = level->keys; key->name; key++) {
		if (strcmp(key->name, name) == 0) {
			return key;
		}
	}
	return NULL;
}

static int unknown_key(struct br_compose *c, const struct br_member *member,
	const struct level *level, const struct br_path *path) {
	const char *names[128] = {0};
	for (size_t i = 0; i < 127 && level->keys[i].name; i++) {
		names[i] = level->keys[i].name;
	}
	const char *where = br_path_text(c, path);
	const char *near = br_compose_near(c, member->key.s, names);
	if (!where) {
		return -1;
	}
	const char *in = path ? " in " : " at the top level";
	if (level->strict) {
		(void)br_error(
			c->dx, member->key.at, "unknown key '%s'%s%s", member->key.s, in, where);
	} else {
		br_warning(c->dx, member->key.at, "unknown key '%s'%s%s", member->key.s, in, where);
		br_code(c->dx, "BR001");
	}
	if (near) {
		br_hint(c->dx, "did you mean '%s'?", near);
	}
	return level->strict ? -1 : 0;
}

static int check_map(struct br_compose *c, const struct br_tree *map, const struct level *level,
	const struct br_path *path);

/* `- ./x: /y` is a mapping by YAML; people mean ./x:/y. */
static bool is_torn_volume(const struct br_tree *item) {
	if (item->kind != BR_VALUE_MAP || item->members.n != 1) {
		return false;
	}
	const struct br_member *member = &item->members.v[0];
	return strchr("./~$", member->key.s[0])
		|| (member->value->kind == BR_VALUE_STRING && member->value->s[0] == '/');
}

static int torn_volume(
	struct br_compose *c, const struct br_tree *item, const struct br_path *path) {
	const struct br_member *member = &item->members.v[0];
	const char *name = br_path_text(c, path);
	const char *value = member->value->written;
	if (name) {
		(void)br_error(
			c->dx, item->at, "%s is a mapping and is missing a mount target", name);
		br_hint(c->dx, "no blank after the colon: %s:%s", member->key.s,
			value ? value : "/path");
	}
	return -1;
}

static int check_members(struct br_compose *c, const struct br_tree *value, const struct key *key,
	const struct br_path *path) {
	int result = 0;
	for (size_t i = 0; i < value->members.n; i++) {
		const struct br_member *member = &value->members.v[i];
		const struct br_tree *item = member->value;
		struct br_path here = {path, member->key.s, i};
		bool is_list = value->kind == BR_VALUE_SEQ;
		if (item->reset || (!is_list && strcmp(key->name, "depends_on") == 0)) {
			continue;
		}
		if (!(item->kind & key->items)) {
			result = wrong_kind(c, item, key->items, &here);
		} else if (key->item == &mount_level && is_torn_volume(item)) {
			result = torn_volume(c, item, &here);
		} else if (key->item && item->kind == BR_VALUE_MAP
			&& check_map(c, item, key->item, &here)) {
			result = -1;
		}
	}
	return result;
}

static int check_value(struct br_compose *c, const struct br_tree *value, const struct key *key,
	const struct br_path *path) {
	if (value->reset) {
		return 0;
	}
	if (!(value->kind & key->kinds)) {
		return wrong_kind(c, value, key->kinds, path);
	}
	if (key->below && value->kind == BR_VALUE_MAP) {
		return check_map(c, value, key->below, path);
	}
	return key->items ? check_members(c, value, key, path) : 0;
}

static int check_needs(struct br_compose *c, const struct br_tree *map, const struct level *level,
	const struct br_path *path) {
	for (size_t i = 0; level->needs && level->needs[i]; i++) {
		if (br_tree_get(map, level->needs[i])) {
			continue;
		}
		const char *name = br_path_text(c, path);
		if (name) {
			(void)br_error(c->dx, map->at, "%s has no '%s'", name, level->needs[i]);
		}
		if (name && level == &mount_level) {
			br_hint(c->dx,
				"add 'type: bind' for a path of the host, 'type: volume' for a named volume");
		}
		return -1;
	}
	return 0;
}

/* An empty value leaves the earlier file's as it is, so it is wrong only if it is there still when all is merged. */
static bool is_left(struct br_compose *c, const struct br_tree *value, unsigned kinds) {
	if (value->kind != BR_VALUE_NULL || value->reset || (kinds & NUL)) {
		return false;
	}
	c->has_empty = true;
	return true;
}

static int check_map(struct br_compose *c, const struct br_tree *map, const struct level *level,
	const struct br_path *path) {
	int result = 0;
	for (size_t i = 0; i < map->members.n; i++) {
		const struct br_member *member = &map->members.v[i];
		const struct key *key = find_key(level, member->key.s);
		struct br_path here = {path, member->key.s, 0};
		if (strncmp(member->key.s, "x-", 2) == 0) {
			continue;
		}
		if (key && is_left(c, member->value, key->kinds)) {
			continue;
		}
		int bad = key ? check_value(c, member->value, key, &here)
			      : unknown_key(c, member, level, path);
		result = bad ? -1 : result;
	}
	return check_needs(c, map, level, path) ? -1 : result;
}

static int check_name(struct br_compose *c, const struct br_member *member, const char *section) {
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char *name = member->key.s;
	if (*name && !name[strspn(name, allowed)]) {
		return 0;
	}
	(void)br_error(c->dx, member->key.at,
		"'%s' is no name for an entry of %s: only a-z, A-Z, 0-9, '.', '_' "
		"and '-' are allowed",
		name, section);
	return -1;
}

static int check_entry(struct br_compose *c, const struct br_member *member, size_t which) {
	const struct br_tree *value = member->value;
	struct br_path up = {NULL, sections[which].name, 0};
	struct br_path here = {&up, member->key.s, 0};
	if (check_name(c, member, sections[which].name)) {
		return -1;
	}
	if (value->reset || is_left(c, value, sections[which].kinds)) {
		return 0;
	}
	if (value->kind & sections[which].kinds) {
		return check_map(c, value, sections[which].level, &here);
	}
	return br_error(c->dx, value->kind == BR_VALUE_NULL ? member->key.at : value->at,
		"%s.%s must be %s, not %s", sections[which].name, member->key.s,
		sections[which].needs, br_tree_type(value));
}

int br_schema_service(struct br_compose *c, const struct br_member *member) {
	if (member->value->checked) {
		return 0;
	}
	member->value->checked = true;
	return check_entry(c, member, 0);
}

static int check_section(struct br_compose *c, const struct br_tree *doc, size_t which) {
	const struct br_tree *section = br_tree_get(doc, sections[which].name);
	int result = 0;
	for (size_t i = 0; section && section->kind == BR_VALUE_MAP && i < section->members.n;
		i++) {
		result = check_entry(c, &section->members.v[i], which) ? -1 : result;
	}
	return result;
}

static int check_empty(struct br_compose *c, const struct br_tree *map, const struct level *level,
	const struct br_path *path) {
	int result = 0;
	for (size_t i = 0; i < map->members.n; i++) {
		const struct br_member *member = &map->members.v[i];
		const struct br_tree *value = member->value;
		const struct key *key = find_key(level, member->key.s);
		struct br_path here = {path, member->key.s, 0};
		if (!key || strncmp(member->key.s, "x-", 2) == 0 || value->reset) {
			continue;
		}
		if (value->kind == BR_VALUE_NULL && !(key->kinds & NUL)) {
			result = wrong_kind(c, value, key->kinds, &here);
		} else if (key->below && value->kind == BR_VALUE_MAP) {
			result = check_empty(c, value, key->below, &here) ? -1 : result;
		}
	}
	return result;
}

static int check_empty_entry(struct br_compose *c, const struct br_member *member, size_t which) {
	const struct br_tree *value = member->value;
	struct br_path up = {NULL, sections[which].name, 0};
	struct br_path here = {&up, member->key.s, 0};
	bool is_empty = value->kind == BR_VALUE_NULL && !value->reset;
	if (is_empty && !(sections[which].kinds & NUL)) {
		return br_error(c->dx, member->key.at, "%s.%s must be %s, not %s",
			sections[which].name, member->key.s, sections[which].needs,
			br_tree_type(value));
	}
	return value->kind == BR_VALUE_MAP ? check_empty(c, value, sections[which].level, &here)
					   : 0;
}

int br_schema_empty(struct br_compose *c, struct br_tree *model) {
	int result = c->has_empty ? check_empty(c, model, &top_level, NULL) : 0;
	for (size_t i = 0; c->has_empty && i < sizeof(sections) / sizeof(*sections); i++) {
		const struct br_tree *section = br_tree_get(model, sections[i].name);
		bool is_map = section && section->kind == BR_VALUE_MAP;
		for (size_t k = 0; is_map && k < section->members.n; k++) {
			result = check_empty_entry(c, &section->members.v[k], i) ? -1 : result;
		}
	}
	return result;
}

/* Version 1 had the services on the top level. */
static const struct br_member *version_one(const struct br_tree *doc) {
	for (size_t i = 0; i < doc->members.n; i++) {
		const struct br_member *member = &doc->members.v[i];
		const struct br_tree *value = member->value;
		bool is_service = br_tree_get(value, "image") || br_tree_get(value, "build");
		if (is_service && !find_key(&top_level, member->key.s)
			&& strncmp(member->key.s, "x-", 2) != 0) {
			return member;
		}
	}
	return NULL;
}

bool br_schema_only_known(const struct br_tree *model) {
	bool some = false;
	for (size_t i = 0; model && i < model->members.n; i++) {
		const char *key = model->members.v[i].key.s;
		bool is_known = find_key(&top_level, key) != NULL;
		if (!is_known && strncmp(key, "x-", 2) != 0) {
			return false;
		}
		some = some || is_known;
	}
	return some;
}

int br_compose_schema(struct br_compose *c, struct br_tree *doc) {
	const struct br_member *old = br_tree_get(doc, "services") ? NULL : version_one(doc);
	if (old) {
		(void)br_error(c->dx, old->key.at,
			"'%s' stands at the top level: this is the layout of version 1, which has no 'services'",
			old->key.s);
		br_hint(c->dx, "put 'services:' above the services, and indent them");
		return -1;
	}
	int result = check_map(c, doc, &top_level, NULL);
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		result = check_section(c, doc, i) ? -1 : result;
	}
	return result;
}
