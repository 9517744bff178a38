#include "oci.h"

#include <base/text.h>

#include <errno.h>
#include <spec/compose/compose.h>
#include <string.h>

static const struct br_span nowhere = {0};

const char *br_oci_config(struct br_arena *arena, const char *dir) {
	return br_join(arena, dir, "config.json");
}

bool br_is_oci_text(const char *bytes, size_t n) {
	size_t i = 0;
	while (i < n && strchr(" \t\r\n", bytes[i]) && bytes[i]) {
		i++;
	}
	return i < n && bytes[i] == '{' && memmem(bytes, n, "\"ociVersion\"", 12) != NULL;
}

struct br_span br_oci_at(const struct br_node *node) {
	return node ? node->at : nowhere;
}

// ---- JSON ----

static bool is_number(const char *s) {
	s += *s == '-';
	size_t n = strspn(s, "0123456789");
	if (n == 0 || (n > 1 && s[0] == '0')) {
		return false;
	}
	s += n;
	if (*s == '.') {
		n = strspn(++s, "0123456789");
		s += n;
		if (n == 0) {
			return false;
		}
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '-' || *s == '+';
		n = strspn(s, "0123456789");
		s += n;
		return n > 0 && !*s;
	}
	return !*s;
}

static bool is_json_scalar(const struct br_node *node) {
	if (node->tag || (node->style != BR_PLAIN && node->style != BR_DOUBLE_QUOTED)) {
		return false;
	}
	return node->style == BR_DOUBLE_QUOTED || is_number(node->s) || strcmp(node->s, "true") == 0
		|| strcmp(node->s, "false") == 0 || strcmp(node->s, "null") == 0;
}

/** A comma behind the last item is YAML. */
static int check_last_comma(struct br_bundle *b, const struct br_node *node) {
	size_t n = 0;
	const char *bytes = br_places_bytes(br_diags_places(b->dx), node->at.text, &n);
	size_t i = (size_t)node->at.off + node->at.len;
	if (!bytes || i > n || node->at.len < 2) {
		return 0;
	}
	i--;
	while (i > node->at.off && strchr(" \t\r\n", bytes[i - 1])) {
		i--;
	}
	if (i <= node->at.off || bytes[i - 1] != ',') {
		return 0;
	}
	(void)br_error(b->dx, (struct br_span){node->at.text, (uint32_t)i - 1, 1},
		"this is no JSON: a comma behind the last item");
	return -1;
}

/** The YAML reader takes more than JSON; the runtimes do not. */
static int check_json(struct br_bundle *b, const struct br_node *node) {
	int result = 0;
	if (node->kind == BR_NODE_SCALAR) {
		if (is_json_scalar(node)) {
			return 0;
		}
		(void)br_error(b->dx, node->at, "this is no JSON");
		br_hint(b->dx, "strings stand in double quotes");
		return -1;
	}
	if (check_last_comma(b, node)) {
		return -1;
	}
	for (size_t i = 0; result == 0 && i < node->n; i++) {
		bool is_map = node->kind == BR_NODE_MAP;
		const struct br_node *key = is_map ? node->pairs[i].key : NULL;
		if (key && key->style != BR_DOUBLE_QUOTED) {
			(void)br_error(b->dx, key->at, "this is no JSON");
			br_hint(b->dx, "keys stand in double quotes");
			return -1;
		}
		result = check_json(b, is_map ? node->pairs[i].value : node->items[i]);
	}
	return result;
}

// ---- members ----

static const char *full_path(struct br_bundle *b, const char *path, const char *key) {
	const char *out = br_printf(b->arena, "%s%s%s", path, *path ? "." : "", key);
	return out ? out : key;
}

static bool is_null(const struct br_node *node) {
	return node->kind == BR_NODE_SCALAR && node->style == BR_PLAIN
		&& strcmp(node->s, "null") == 0;
}

static void wrong_type(struct br_bundle *b, const struct br_node *node, const char *path,
	const char *key, const char *expected) {
	(void)br_error(b->dx, node->at, "%s must be %s, not %s", full_path(b, path, key), expected,
		br_node_type(node));
}

static const struct br_node *member(const struct br_node *map, const char *key) {
	const struct br_node *node = map && map->kind == BR_NODE_MAP ? br_node_get(map, key) : NULL;
	return node && !is_null(node) ? node : NULL;
}

static const struct br_node *collection(struct br_bundle *b, const struct br_node *node,
	const char *path, const char *key, enum br_node_kind kind) {
	if (node && node->kind != kind) {
		wrong_type(b, node, path, key, kind == BR_NODE_MAP ? "an object" : "an array");
		return NULL;
	}
	return node;
}

const struct br_node *br_oci_object(
	struct br_bundle *b, const struct br_node *map, const char *path, const char *key) {
	return collection(b, member(map, key), path, key, BR_NODE_MAP);
}

const struct br_node *br_oci_array(
	struct br_bundle *b, const struct br_node *map, const char *path, const char *key) {
	return collection(b, member(map, key), path, key, BR_NODE_SEQ);
}

const struct br_node *br_oci_string(
	struct br_bundle *b, const struct br_node *map, const char *path, const char *key) {
	const struct br_node *node = member(map, key);
	if (node && (node->kind != BR_NODE_SCALAR || node->style != BR_DOUBLE_QUOTED)) {
		wrong_type(b, node, path, key, "a string");
		return NULL;
	}
	return node;
}

bool br_oci_bool(struct br_bundle *b, const struct br_node *map, const char *path, const char *key,
	bool *out) {
	const struct br_node *node = member(map, key);
	if (node && !br_node_is_bool(node, out)) {
		wrong_type(b, node, path, key, "true or false");
		return false;
	}
	return node != NULL;
}

bool br_oci_number(struct br_bundle *b, const struct br_node *map, const char *key, uint32_t *out) {
	const struct br_node *node = member(map, key);
	if (!node) {
		return false;
	}
	bool is_plain = node->kind == BR_NODE_SCALAR && node->style == BR_PLAIN;
	if (!is_plain || br_parse_u32(node->s, UINT32_MAX, out)) {
		(void)br_error(b->dx, node->at, "'%s' must be a number from 0 to 4294967295", key);
		return false;
	}
	return true;
}

int br_oci_strings(struct br_bundle *b, const struct br_node *list, const char *path,
	const struct br_text **out, size_t *n) {
	size_t count = list ? list->n : 0;
	struct br_text *made = BR_NEW_ARRAY(b->arena, struct br_text, count);
	*n = 0;
	if (!made) {
		return br_error_memory(b->dx);
	}
	for (size_t i = 0; i < count; i++) {
		const struct br_node *item = list->items[i];
		if (item->kind != BR_NODE_SCALAR || item->style != BR_DOUBLE_QUOTED) {
			(void)br_error(b->dx, item->at, "%s has %s among its strings", path,
				br_node_type(item));
			continue;
		}
		made[*n] = (struct br_text){br_strdup(b->arena, item->s), item->at};
		if (!made[(*n)++].s) {
			return br_error_memory(b->dx);
		}
	}
	*out = made;
	return 0;
}

int br_oci_maps(struct br_bundle *b, const struct br_node *list, const char *path,
	const struct br_text **out, size_t *n) {
	static const char *const keys[] = {"containerID", "hostID", "size"};
	size_t count = list ? list->n : 0;
	struct br_text *made = BR_NEW_ARRAY(b->arena, struct br_text, count);
	*n = 0;
	if (!made) {
		return br_error_memory(b->dx);
	}
	for (size_t i = 0; i < count; i++) {
		const struct br_node *item = list->items[i];
		uint32_t v[3] = {0};
		size_t errors = br_diags_errors(b->dx);
		if (item->kind != BR_NODE_MAP) {
			(void)br_error(b->dx, item->at,
				"%s must have objects with containerID, hostID and size", path);
			continue;
		}
		for (size_t k = 0; k < 3; k++) {
			(void)br_oci_number(b, item, keys[k], &v[k]);
		}
		if (br_diags_errors(b->dx) == errors && v[2] == 0) {
			(void)br_error(b->dx, item->at, "this mapping has no size");
			continue;
		}
		made[*n] = (struct br_text){
			br_printf(b->arena, "%u:%u:%u", v[0], v[1], v[2]), item->at};
		if (!made[(*n)++].s) {
			return br_error_memory(b->dx);
		}
	}
	*out = made;
	return 0;
}

// ---- a config ----

static const char *bundle_name(struct br_bundle *b) {
	const char *slash = strrchr(b->dir, '/');
	const char *name = slash && slash[1] ? slash + 1 : "container";
	const char *out = br_strdup(b->arena, name);
	for (size_t k = 2; out && k < 1000; k++) {
		bool is_taken = false;
		for (size_t i = 0; i < b->spec->n; i++) {
			const char *other = b->spec->containers[i].name.s;
			is_taken = is_taken || (other && strcmp(other, out) == 0);
		}
		if (!is_taken) {
			return out;
		}
		out = br_printf(b->arena, "%s-%zu", name, k);
	}
	return out;
}

static int check_kind(struct br_bundle *b, const struct br_node *root) {
	static const char *const others[] = {"windows", "solaris", "vm", "zos", NULL};
	const struct br_node *version = br_oci_string(b, root, "", "ociVersion");
	if (!member(root, "ociVersion")) {
		(void)br_error(b->dx, (struct br_span){root->at.text, root->at.off, 1},
			"this is no config of an OCI runtime: it has no 'ociVersion'");
	} else if (version && strncmp(version->s, "1.", 2) != 0) {
		(void)br_error(b->dx, version->at,
			"version '%s' of the OCI runtime specification is not known", version->s);
	}
	for (size_t i = 0; others[i]; i++) {
		const struct br_pair *pair = br_node_pair(root, others[i]);
		if (pair && !member(root, "linux")) {
			(void)br_error(b->dx, pair->key->at,
				"this config is for '%s', not for Linux", others[i]);
		}
	}
	return 0;
}

static int read_config(struct br_bundle *b, const struct br_node *root) {
	size_t errors = br_diags_errors(b->dx);
	if (root->kind != BR_NODE_MAP) {
		return br_error(b->dx, br_oci_at(root), "a config must be a JSON object");
	}
	if (check_json(b, root)) {
		return -1;
	}
	b->container->at = (struct br_span){root->at.text, root->at.off, 1};
	b->container->literal = true;
	b->container->name = (struct br_text){bundle_name(b), {root->at.text, root->at.off, 0}};
	if (!b->container->name.s) {
		return br_error_memory(b->dx);
	}
	if (check_kind(b, root) || br_oci_process(b, root) || br_oci_mounts(b, root)) {
		return -1;
	}
	return br_diags_errors(b->dx) > errors ? -1 : 0;
}

static int cannot_read(struct br_bundle *b, const char *shown, struct br_span at) {
	int why = errno;
	(void)br_error(b->dx, at, "cannot read '%s': %s", shown,
		why == EINVAL ? "it is not a regular file" : br_compose_why(why));
	if (why == ENOENT) {
		br_hint(b->dx, "a bundle is a directory with a config.json");
	}
	br_hint_answer(b->dx, why);
	return -1;
}

/** The file, or the one in the directory. *shown is what people call it. */
static const struct br_file *open_config(
	struct br_bundle *b, const char *name, const char **shown, const char **path) {
	bool is_stdin = strcmp(name, "-") == 0;
	*shown = br_strdup(b->arena, name);
	*path = is_stdin ? "-" : br_join(b->arena, b->request->cwd, name);
	if (!*shown || !*path) {
		errno = ENOMEM;
		return NULL;
	}
	const struct br_file *file = br_store_ask(b->store, BR_ASK_COMPOSE, *path);
	if (file || errno != EISDIR) {
		return file;
	}
	size_t n = strlen(name);
	*shown = br_printf(b->arena, "%s%sconfig.json", name, n && name[n - 1] == '/' ? "" : "/");
	*path = br_oci_config(b->arena, *path);
	if (!*shown || !*path) {
		errno = ENOMEM;
		return NULL;
	}
	return br_store_ask(b->store, BR_ASK_COMPOSE, *path);
}

static int read_one(struct br_bundle *b, const char *name, struct br_span at, const char **shown) {
	const char *path = NULL;
	const struct br_file *file = open_config(b, name, shown, &path);
	if (!file) {
		return cannot_read(b, *shown ? *shown : name, at);
	}
	const char *given = b->request->project_directory;
	b->dir = given                   ? br_join(b->arena, b->request->cwd, given)
		: strcmp(path, "-") == 0 ? br_clean(b->arena, b->request->cwd)
					 : br_dirname(b->arena, path);
	int text = br_places_add(br_diags_places(b->dx), BR_PLACE_FILE, *shown,
		file->bytes ? file->bytes : "", file->n);
	if (!b->dir || text < 0) {
		return br_error_memory(b->dx);
	}
	if (!b->spec->project_directory) {
		b->spec->project_directory = b->dir;
	}
	struct br_doc *doc = br_doc_read((uint16_t)text, b->dx);
	struct br_span start = {(uint16_t)text, 0, 0};
	bool is_one = doc && doc->n == 1 && doc->roots[0];
	int result = is_one ? read_config(b, doc->roots[0])
		: doc       ? br_error(b->dx, start, "a config must be a JSON object")
			    : -1;
	br_doc_free(doc);
	return result;
}

/** Those that were named, or all. */
static int select_bundles(struct br_bundle *b, struct br_container *all) {
	const char *const *names = b->request->services;
	size_t n = 0;
	if (!names || !names[0]) {
		return 0;
	}
	for (size_t i = 0; i < b->spec->n; i++) {
		bool wanted = false;
		for (size_t k = 0; names[k]; k++) {
			wanted = wanted || strcmp(all[i].name.s, names[k]) == 0;
		}
		if (wanted) {
			all[n++] = all[i];
		}
	}
	b->spec->n = n;
	return n ? 0 : br_error(b->dx, nowhere, "no such container: '%s'", names[0]);
}

int br_oci_read(const struct br_spec_request *request, struct br_file_store *store,
	struct br_spec *spec, struct br_diags *dx) {
	struct br_bundle b = {
		.request = request, .store = store, .spec = spec, .dx = dx, .arena = spec->arena};
	// Where nothing is named it is the bundle of this directory, as for the runtimes.
	static const char *const here[] = {".", NULL};
	const char *const *files = request->files && request->files[0] ? request->files : here;
	size_t n = 0;
	while (files[n]) {
		n++;
	}
	struct br_container *all = BR_NEW_ARRAY(spec->arena, struct br_container, n);
	const char **shown = BR_NEW_ARRAY(spec->arena, const char *, n);
	if (!all || !shown || n > BR_COMPOSE_SERVICES) {
		return all && shown
			? br_error(dx, nowhere, "more than %d bundles", BR_COMPOSE_SERVICES)
			: br_error_memory(dx);
	}
	spec->engine = BR_ENGINE_OCI;
	spec->project_name =
		request->project_name ? br_strdup(spec->arena, request->project_name) : "";
	spec->containers = all;
	spec->files = shown;
	int result = spec->project_name ? 0 : br_error_memory(dx);
	for (size_t i = 0; i < n; i++) {
		b.container = &all[i];
		bool is_said = files != here && request->files_at;
		struct br_span at = is_said ? request->files_at[i] : nowhere;
		result = read_one(&b, files[i], at, &shown[i]) ? -1 : result;
		spec->n++;
	}
	spec->nfiles = n;
	return result ? -1 : select_bundles(&b, all);
}
