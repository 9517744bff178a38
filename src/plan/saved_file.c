// A saved plan as a file: its seal, reading it, comparing it with the plan that was made again.

#include "work.h"

#include <base/own.h>
#include <base/sha256.h>
#include <base/text.h>
#include <doc/doc.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// ---- The seal ----

static const char seal_open[] = ",\n  \"seal\": \"";
static const char seal_close[] = "\"\n}\n";
static const char unsealed_close[] = "\n}\n";

enum {
	DIGITS = BR_DIGEST - 1,
	SEAL = sizeof(seal_open) - 1 + DIGITS + sizeof(seal_close) - 1,
};

static void digest_of(const char *bytes, size_t n, char hex[BR_DIGEST]) {
	struct sha256 hash;
	sha256_begin(&hash);
	sha256_add(&hash, bytes, n);
	sha256_end(&hash, hex);
}

char *br_saved_seal(char *bytes, size_t *n) {
	size_t body = *n - (sizeof(unsealed_close) - 1);
	char hex[BR_DIGEST];
	assert(memcmp(bytes + body, unsealed_close, sizeof(unsealed_close) - 1) == 0);
	char *out = malloc(body + SEAL + 1);
	if (out != NULL) {
		digest_of(bytes, body, hex);
		memcpy(out, bytes, body);
		char *end = stpcpy(out + body, seal_open);
		end = stpcpy(end, hex);
		end = stpcpy(end, seal_close);
		*n = (size_t)(end - out);
	}
	free(bytes);
	return out;
}

/** A file being read. */
struct reader {
	struct br_arena *arena;
	struct br_diags *dx;
	uint16_t text;
};

static int save_again(struct br_diags *dx) {
	br_hint(dx, "make it again: bindright plan --format json -o FILE");
	return -1;
}

static int check_seal(const struct reader *r, const struct br_node *seal) {
	char hex[BR_DIGEST];
	size_t n;
	const char *bytes = br_places_bytes(br_diags_places(r->dx), r->text, &n);
	size_t body = n > SEAL ? n - SEAL : 0;
	bool last = seal->at.off == body + sizeof(seal_open) - 2;
	if (last) {
		digest_of(bytes, body, hex);
	}
	if (last && strcmp(seal->s, hex) == 0) {
		return 0;
	}
	(void)br_error(r->dx, seal->at, "the plan was changed after it was saved");
	return save_again(r->dx);
}

// ---- Members ----

static const struct br_node *member(
	const struct reader *r, const struct br_node *map, const char *key) {
	const struct br_node *node = br_node_get(map, key);
	if (node == NULL) {
		(void)br_error(r->dx, map->at, "'%s' is missing in this saved plan", key);
		(void)save_again(r->dx);
	}
	return node;
}

static int wrong(const struct reader *r, const struct br_node *node, const char *what) {
	return br_error(r->dx, node->at, "expected %s, not %s", what, br_node_type(node));
}

static const char *read_string(const struct reader *r, const struct br_node *map, const char *key) {
	const struct br_node *node = member(r, map, key);
	if (node == NULL) {
		return NULL;
	}
	if (node->kind != BR_NODE_SCALAR || node->style == BR_PLAIN) {
		(void)wrong(r, node, "a string");
		return NULL;
	}
	char *s = br_strdup(r->arena, node->s);
	if (s == NULL) {
		(void)br_error_memory(r->dx);
	}
	return s;
}

static const char *read_digest(const struct reader *r, const struct br_node *map, const char *key) {
	const char *s = read_string(r, map, key);
	if (s != NULL && (strlen(s) != DIGITS || strspn(s, "0123456789abcdef") != DIGITS)) {
		(void)br_error(r->dx, br_node_get(map, key)->at, "expected 64 hexadecimal digits");
		return NULL;
	}
	return s;
}

static int read_number(const struct reader *r, const struct br_node *map, const char *key,
	uint64_t max, uint64_t *out) {
	const struct br_node *node = member(r, map, key);
	if (node == NULL) {
		return -1;
	}
	if (node->kind != BR_NODE_SCALAR || br_parse_u64(node->s, max, out) != 0) {
		return wrong(r, node, "a number");
	}
	return 0;
}

/** Seconds of a birth, which a wrong clock can put before 1970. */
static int read_seconds(const struct reader *r, const struct br_node *map, int64_t *out) {
	const struct br_node *node = member(r, map, "born");
	if (node == NULL) {
		return -1;
	}
	bool is_scalar = node->kind == BR_NODE_SCALAR;
	bool before = is_scalar && node->s[0] == '-';
	uint64_t n = 0;
	if (!is_scalar || br_parse_u64(node->s + before, INT64_MAX, &n) != 0) {
		return wrong(r, node, "a number");
	}
	*out = before ? -(int64_t)n : (int64_t)n;
	return 0;
}

static const struct br_node *read_list(
	const struct reader *r, const struct br_node *map, const char *key) {
	const struct br_node *node = member(r, map, key);
	if (node != NULL && node->kind != BR_NODE_SEQ) {
		(void)wrong(r, node, "a list");
		return NULL;
	}
	return node;
}

static int read_words(const struct reader *r, const struct br_node *map, struct br_saved *out) {
	const struct br_node *list = read_list(r, map, "words");
	const char **words =
		list == NULL ? NULL : BR_NEW_ARRAY(r->arena, const char *, list->n + 1);
	if (words == NULL) {
		return list == NULL ? -1 : br_error_memory(r->dx);
	}
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i]->kind != BR_NODE_SCALAR) {
			return wrong(r, list->items[i], "a string");
		}
		words[i] = br_strdup(r->arena, list->items[i]->s);
		if (words[i] == NULL) {
			return br_error_memory(r->dx);
		}
	}
	out->words = words;
	out->nwords = list->n;
	return 0;
}

// ---- Items ----

static int read_item(
	const struct reader *r, const struct br_node *map, bool tree, struct br_saved_item *out) {
	uint64_t nsec = 0;
	if (map->kind != BR_NODE_MAP) {
		return wrong(r, map, "a mapping");
	}
	out->at = map->at;
	out->name = read_string(r, map, "name");
	out->digest = out->name == NULL ? NULL : read_digest(r, map, "sha256");
	if (out->digest == NULL) {
		return -1;
	}
	if (tree
		&& (read_number(r, map, "changes", UINT64_MAX, &out->changes) != 0
			|| read_number(r, map, "inode", UINT64_MAX, &out->ino) != 0
			|| read_seconds(r, map, &out->born.sec) != 0
			|| read_number(r, map, "born_nanoseconds", 999999999, &nsec) != 0)) {
		return -1;
	}
	out->born.nsec = (uint32_t)nsec;
	return 0;
}

/** The items of a list; *out is what is read. */
static int read_items(const struct reader *r, const struct br_node *map, const char *key,
	const struct br_saved_item **out, size_t *n) {
	const struct br_node *list = read_list(r, map, key);
	struct br_saved_item *items =
		list == NULL ? NULL : BR_NEW_ARRAY(r->arena, struct br_saved_item, list->n);
	if (items == NULL) {
		return list == NULL ? -1 : br_error_memory(r->dx);
	}
	for (size_t i = 0; i < list->n; i++) {
		if (read_item(r, list->items[i], strcmp(key, "trees") == 0, &items[i]) != 0) {
			return -1;
		}
	}
	*out = items;
	*n = list->n;
	return 0;
}

static int read_saved(const struct reader *r, const struct br_node *map, struct br_saved *out) {
	uint64_t caller = 0;
	if (read_number(r, map, "caller", UINT32_MAX, &caller) != 0
		|| read_number(r, map, "changes", UINT64_MAX, &out->changes) != 0
		|| read_words(r, map, out) != 0
		|| read_items(r, map, "files", &out->files, &out->nfiles) != 0
		|| read_items(r, map, "containers", &out->containers, &out->ncontainers) != 0
		|| read_items(r, map, "trees", &out->trees, &out->ntrees) != 0) {
		return -1;
	}
	out->caller = (uint32_t)caller;
	out->directory = read_string(r, map, "directory");
	out->rest = out->directory == NULL ? NULL : read_digest(r, map, "rest");
	return out->rest == NULL ? -1 : 0;
}

// ---- Whole files ----

static int no_plan(const struct reader *r, const struct br_node *root) {
	struct br_span at = {.text = r->text};
	if (root != NULL) {
		at = root->at;
	}
	at.len = at.len > 1 ? 1 : at.len;
	(void)br_error(r->dx, at, "this is no saved plan");
	return save_again(r->dx);
}

static int check_version(const struct reader *r, const struct br_node *saved) {
	uint64_t version = 0;
	if (read_number(r, saved, "version", UINT64_MAX, &version) != 0) {
		return -1;
	}
	if (version != 1) {
		(void)br_error(r->dx, br_node_get(saved, "version")->at,
			"a saved plan of version %llu: this program knows version 1",
			(unsigned long long)version);
		return save_again(r->dx);
	}
	return 0;
}

static int read_document(const struct reader *r, const struct br_node *root, struct br_saved *out) {
	const struct br_node *plan = root == NULL ? NULL : br_node_get(root, "plan");
	const struct br_node *saved = plan == NULL ? NULL : br_node_get(plan, "saved");
	const struct br_node *seal = root == NULL ? NULL : br_node_get(root, "seal");
	const struct br_node *schema = root == NULL ? NULL : br_node_get(root, "schema");
	if (schema == NULL || schema->kind != BR_NODE_SCALAR
		|| strcmp(schema->s, "bindright.report/1") != 0) {
		return no_plan(r, root);
	}
	if (saved == NULL || saved->kind != BR_NODE_MAP) {
		return no_plan(r, root);
	}
	if (seal == NULL || seal->kind != BR_NODE_SCALAR) {
		(void)member(r, root, "seal");
		return -1;
	}
	const struct br_node *tool = br_node_get(root, "tool");
	const struct br_node *version =
		tool == NULL || tool->kind != BR_NODE_MAP ? NULL : br_node_get(tool, "version");
	if (version != NULL && version->kind == BR_NODE_SCALAR) {
		out->tool = br_strdup(r->arena, version->s);
		if (out->tool == NULL) {
			return br_error_memory(r->dx);
		}
	}
	if (check_version(r, saved) != 0 || check_seal(r, seal) != 0) {
		return -1;
	}
	if (br_node_get(plan, "sha256") != NULL) {
		out->plan = read_digest(r, plan, "sha256");
		if (out->plan == NULL) {
			return -1;
		}
	}
	return read_saved(r, saved, out);
}

const struct br_saved *br_saved_read(struct br_arena *arena, uint16_t text, struct br_diags *dx) {
	const struct reader r = {arena, dx, text};
	br_auto(br_doc_freep) struct br_doc *doc = br_doc_read(text, dx);
	if (doc == NULL) {
		return NULL;
	}
	struct br_saved *out = BR_NEW(arena, struct br_saved);
	if (out == NULL) {
		(void)br_error_memory(dx);
		return NULL;
	}
	out->text = text;
	if (doc->n != 1) {
		(void)no_plan(&r, doc->roots[0]);
		return NULL;
	}
	return read_document(&r, doc->roots[0], out) == 0 ? out : NULL;
}

// ---- Comparing ----

/** What differs, as notes behind one error. */
struct compared {
	struct br_diags *dx;
	struct br_span at;
	bool differs;
};

static void differ(struct compared *c) {
	if (!c->differs) {
		(void)br_error(c->dx, c->at,
			"this is not what the plan was made for any more: nothing was changed");
		br_hint(c->dx, "make it again: bindright plan --format json -o FILE");
	}
	c->differs = true;
}

static const struct br_saved_item *find_item(
	const struct br_saved_item *items, size_t n, const struct br_saved_item *like, size_t i) {
	// Mostly at the same place; two may have one name.
	if (i < n && strcmp(items[i].name, like->name) == 0) {
		return &items[i];
	}
	for (size_t k = 0; k < n; k++) {
		if (strcmp(items[k].name, like->name) == 0) {
			return &items[k];
		}
	}
	return NULL;
}

/** Two lists of one kind, "input" or "container". */
struct lists {
	const char *kind;
	const char *changed;
	const struct br_saved_item *then;
	size_t nthen;
	const struct br_saved_item *now;
	size_t nnow;
};

static void compare_lists(struct compared *c, const struct lists *lists) {
	for (size_t i = 0; i < lists->nthen; i++) {
		const struct br_saved_item *then = &lists->then[i];
		const struct br_saved_item *now = find_item(lists->now, lists->nnow, then, i);
		if (now != NULL && strcmp(now->digest, then->digest) == 0) {
			continue;
		}
		differ(c);
		br_note(c->dx, then->at, "%s '%s' %s", lists->kind, then->name,
			now == NULL ? "is not there any more" : lists->changed);
	}
	for (size_t i = 0; i < lists->nnow; i++) {
		const struct br_saved_item *now = &lists->now[i];
		if (find_item(lists->then, lists->nthen, now, i) == NULL) {
			differ(c);
			br_note(c->dx, c->at, "%s '%s' is new", lists->kind, now->name);
		}
	}
}

static void compare_tree(
	struct compared *c, const struct br_saved_item *then, const struct br_saved_item *now) {
	bool same_root = then->ino == now->ino && then->born.sec == now->born.sec
		&& then->born.nsec == now->born.nsec;
	if (same_root && strcmp(then->digest, now->digest) == 0) {
		return;
	}
	differ(c);
	if (then->ino == 0 || now->ino == 0) {
		br_note(c->dx, then->at, "'%s' %s", then->name,
			now->ino == 0 ? "is missing now" : "was missing, and is there now");
	} else if (!same_root) {
		br_note(c->dx, then->at, "'%s' is not the one that it was", then->name);
	} else if (then->changes != now->changes) {
		br_note(c->dx, then->at,
			"below '%s' %llu inodes would be changed now, %llu were planned",
			then->name, (unsigned long long)now->changes,
			(unsigned long long)then->changes);
	} else {
		br_note(c->dx, then->at,
			"below '%s' other inodes would be changed, or to another state than planned",
			then->name);
	}
}

static void compare_trees(
	struct compared *c, const struct br_saved *saved, const struct br_saved *now) {
	for (size_t i = 0; i < saved->ntrees; i++) {
		const struct br_saved_item *tree =
			find_item(now->trees, now->ntrees, &saved->trees[i], i);
		if (tree != NULL) {
			compare_tree(c, &saved->trees[i], tree);
			continue;
		}
		differ(c);
		br_note(c->dx, saved->trees[i].at, "'%s' is no source any more",
			saved->trees[i].name);
	}
	bool unknown = now->ntrees != saved->ntrees;
	for (size_t i = 0; i < now->ntrees; i++) {
		unknown = unknown
			|| find_item(saved->trees, saved->ntrees, &now->trees[i], i) == NULL;
	}
	if (!c->differs && unknown) {
		differ(c);
		br_note(c->dx, c->at, "there are sources that the plan does not know");
	}
}

int br_saved_compare(
	const struct br_saved *saved, const struct br_saved *now, struct br_diags *dx) {
	struct compared c = {dx, {.text = saved->text}, false};
	const struct lists files = {
		"the input", "was changed", saved->files, saved->nfiles, now->files, now->nfiles};
	const struct lists containers = {"the container", "is somebody else or mounts other things",
		saved->containers, saved->ncontainers, now->containers, now->ncontainers};
	if (saved->caller != now->caller) {
		differ(&c);
		br_note(dx, c.at, "it was made by uid %u, this is uid %u", saved->caller,
			now->caller);
	}
	compare_lists(&c, &files);
	compare_lists(&c, &containers);
	compare_trees(&c, saved, now);
	if (!c.differs && (strcmp(saved->rest, now->rest) != 0 || saved->changes != now->changes)) {
		differ(&c);
		br_note(dx, c.at,
			"other directories or accounts would be created, or other users are kept");
	}
	if (c.differs && saved->tool != NULL && strcmp(saved->tool, BR_VERSION) != 0) {
		br_note(dx, c.at,
			"it was made by bindright %s, this is %s: another version may plan otherwise",
			saved->tool, BR_VERSION);
	}
	return c.differs ? -1 : 0;
}
