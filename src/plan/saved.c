// The promise of a plan: digests of what it was made from and of what it would do.

#include "work.h"

#include <base/sha256.h>
#include <base/text.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	WORDS = 8,
	/** Enough that no set of paths with a given sum can be made up (Wagner's generalized
	 * birthday: 2^(2 sqrt(2048)) steps). */
	PIECES = 8,
};

/** A hash of a set: the sum of its members' hashes, of 2048 bits each, the least significant word
 * first. */
struct path_sum {
	uint32_t v[WORDS * PIECES];
};

static void sum_add(struct path_sum *sum, const uint32_t *hash, size_t from, uint64_t *carry) {
	for (size_t i = 0; i < WORDS; i++) {
		*carry += (uint64_t)sum->v[from + i] + hash[i];
		sum->v[from + i] = (uint32_t)*carry;
		*carry >>= 32;
	}
}

int paths_add(struct br_arena *arena, struct path_sum **sum, const char *path) {
	struct sha256 whole;
	uint64_t carry = 0;
	if (*sum == NULL) {
		*sum = BR_NEW(arena, struct path_sum);
		if (*sum == NULL) {
			return -1;
		}
	}
	sha256_begin(&whole);
	sha256_add(&whole, path, strlen(path));
	sha256_close(&whole);
	for (uint32_t i = 0; i < PIECES; i++) {
		struct sha256 piece;
		sha256_begin(&piece);
		sha256_add(&piece, whole.state, sizeof(whole.state));
		sha256_add(&piece, &i, sizeof(i));
		sha256_close(&piece);
		sum_add(*sum, piece.state, (size_t)i * WORDS, &carry);
	}
	return 0;
}

// ---- What is hashed: numbers of fixed size, and strings with their length in front ----

static void add_number(struct sha256 *hash, uint64_t n) {
	unsigned char bytes[8];
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (unsigned char)(n >> 8 * i);
	}
	sha256_add(hash, bytes, sizeof(bytes));
}

static void add_string(struct sha256 *hash, const char *s) {
	size_t n = s == NULL ? 0 : strlen(s);
	add_number(hash, s == NULL ? UINT64_MAX : n);
	if (n > 0) {
		sha256_add(hash, s, n);
	}
}

static void add_acl(struct sha256 *hash, const struct br_acl *acl) {
	add_number(hash, acl == NULL ? 0 : acl->n);
	for (size_t i = 0; acl != NULL && i < acl->n; i++) {
		const struct br_acl_entry *entry = &acl->entries[i];
		add_number(hash, (uint64_t)entry->tag << 32 | entry->perm);
		add_number(hash, entry->id.v);
	}
}

static void add_state(struct sha256 *hash, const struct br_inode *inode) {
	add_number(hash, inode->mode);
	add_number(hash, (uint64_t)inode->uid.v << 32 | inode->gid.v);
	add_acl(hash, inode->acl);
	add_acl(hash, inode->def);
}

static void add_map(struct sha256 *hash, const struct br_idmap *map) {
	add_number(hash, map->n);
	for (size_t i = 0; i < map->n; i++) {
		add_number(hash, (uint64_t)map->extents[i].box << 32 | map->extents[i].host);
		add_number(hash, map->extents[i].count);
	}
}

static void add_cred(struct sha256 *hash, const struct br_cred *cred) {
	add_number(hash, (uint64_t)cred->uid.v << 32 | cred->gid.v);
	add_number(hash, cred->ngroups);
	for (size_t i = 0; i < cred->ngroups; i++) {
		add_number(hash, cred->groups[i].v);
	}
	add_number(hash, cred->caps);
	add_map(hash, &cred->uids);
	add_map(hash, &cred->gids);
}

static const char *end(struct br_arena *arena, struct sha256 *hash) {
	char hex[BR_DIGEST];
	sha256_end(hash, hex);
	return br_strdup(arena, hex);
}

static const char *shown(struct br_arena *arena, const char *name) {
	return br_is_utf8(name, strlen(name)) ? br_strdup(arena, name) : br_escape(arena, name);
}

// ---- Files ----

// Two texts of one name (a UTF-16 file and its UTF-8) are two items.
static int save_files(
	const struct br_places *places, struct br_arena *arena, struct br_saved *out) {
	size_t n = br_places_count(places);
	struct br_saved_item *items = BR_NEW_ARRAY(arena, struct br_saved_item, n);
	if (items == NULL) {
		return -1;
	}
	for (size_t i = 1; i <= n; i++) {
		struct sha256 hash;
		size_t size;
		const char *name = br_places_name(places, (uint16_t)i);
		const char *bytes = br_places_bytes(places, (uint16_t)i, &size);
		if (bytes == NULL || i == out->text || strcmp(name, "<command line>") == 0) {
			continue;
		}
		struct br_saved_item *item = &items[out->nfiles++];
		sha256_begin(&hash);
		sha256_add(&hash, bytes, size);
		item->name = shown(arena, name);
		item->digest = end(arena, &hash);
		if (item->name == NULL || item->digest == NULL) {
			return -1;
		}
	}
	out->files = items;
	return 0;
}

// ---- Containers ----

static void add_demand(struct sha256 *hash, const struct br_demand *demand) {
	add_string(hash, demand->mount->target.s);
	add_string(hash, demand->source->path);
	add_string(hash, demand->source->missing);
	add_string(hash, demand->below);
	add_number(hash, demand->ncovered);
	for (size_t i = 0; i < demand->ncovered; i++) {
		add_string(hash, demand->covered[i]);
	}
	add_number(hash, demand->need.dir);
	add_number(hash, demand->need.file);
	add_number(hash, (uint64_t)demand->need.as_any << 1 | demand->read_only);
	add_number(hash, demand->mount->chown);
	add_map(hash, &demand->mount_uids);
	add_map(hash, &demand->mount_gids);
	add_cred(hash, &demand->identity->cred);
}

static void add_container(struct sha256 *hash, const struct br_demands *demands,
	const struct br_container *container) {
	for (size_t t = 0; t < demands->ntrees; t++) {
		const struct br_tree *tree = &demands->trees[t];
		for (size_t i = 0; i < tree->n; i++) {
			if (tree->demands[i].container == container) {
				add_string(hash, tree->path);
				add_demand(hash, &tree->demands[i]);
			}
		}
	}
}

static int save_containers(
	const struct br_plan *plan, struct br_arena *arena, struct br_saved *out) {
	const struct br_spec *spec = plan->work->input.spec;
	struct br_saved_item *items = BR_NEW_ARRAY(arena, struct br_saved_item, spec->n);
	if (items == NULL) {
		return -1;
	}
	for (size_t i = 0; i < spec->n; i++) {
		struct sha256 hash;
		sha256_begin(&hash);
		add_container(&hash, plan->work->input.demands, &spec->containers[i]);
		items[i].name = shown(arena, spec->containers[i].name.s);
		items[i].digest = end(arena, &hash);
		if (items[i].name == NULL || items[i].digest == NULL) {
			return -1;
		}
	}
	out->containers = items;
	out->ncontainers = spec->n;
	return 0;
}

// ---- Trees ----

static int by_text(const void *a, const void *b) {
	const char *const *x = a;
	const char *const *y = b;
	return strcmp(*x, *y);
}

// One class: both states, and the paths where they were summed up and count.
static const char *class_digest(
	struct br_arena *arena, const struct class *class, bool with_paths) {
	struct sha256 hash;
	struct br_inode before = facts_inode(&class->facts);
	sha256_begin(&hash);
	add_state(&hash, &before);
	add_number(&hash, class->facts.flags);
	add_state(&hash, &class->outcome.after);
	add_number(&hash, class->inside.count);
	for (size_t i = 0; with_paths && class->paths != NULL
		&& i < sizeof(class->paths->v) / sizeof(class->paths->v[0]);
		i++) {
		add_number(&hash, class->paths->v[i]);
	}
	return end(arena, &hash);
}

static const char *tree_digest(
	const struct tree_work *tree, bool with_paths, struct br_arena *arena) {
	size_t n = 0;
	struct sha256 hash;
	const char **digests = BR_NEW_ARRAY(arena, const char *, tree->classes.n);
	if (digests == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < tree->classes.n && !tree->refused; i++) {
		const struct class *class = table_at(&tree->classes, i);
		if (class->outcome.kind == OUTCOME_CHANGE && class->inside.count > 0) {
			digests[n] = class_digest(arena, class, with_paths);
			if (digests[n++] == NULL) {
				return NULL;
			}
		}
	}
	// Classes come in the walk's order, which is another one each time.
	if (n > 0) {
		qsort(digests, n, sizeof(digests[0]), by_text);
	}
	sha256_begin(&hash);
	add_number(&hash, tree->refused);
	for (size_t i = 0; i < n; i++) {
		add_string(&hash, digests[i]);
	}
	return end(arena, &hash);
}

static int save_trees(const struct br_plan *plan, struct br_arena *arena, struct br_saved *out) {
	const struct br_plan_work *work = plan->work;
	struct br_saved_item *items = BR_NEW_ARRAY(arena, struct br_saved_item, work->ntrees);
	if (items == NULL) {
		return -1;
	}
	for (size_t i = 0; i < work->ntrees; i++) {
		const struct tree_work *tree = &work->trees[i];
		items[i] = (struct br_saved_item){
			.name = shown(arena, tree->tree->path),
			.digest = tree_digest(tree, true, arena),
			.changes = plan->trees[i].changes,
			// As JSON's readers can hold it.
			.ino = tree->root_seen ? tree->root.ino & INT64_MAX : 0,
			.born = tree->root_seen ? tree->root.btime : (struct br_time){0},
		};
		if (items[i].name == NULL || items[i].digest == NULL) {
			return -1;
		}
	}
	out->trees = items;
	out->ntrees = work->ntrees;
	return 0;
}

// ---- The rest ----

static const char *save_rest(const struct br_plan *plan, struct br_arena *arena) {
	struct sha256 hash;
	sha256_begin(&hash);
	add_number(&hash, plan->options->nkeepers);
	for (size_t i = 0; i < plan->options->nkeepers; i++) {
		const struct br_keeper *keeper = &plan->options->keepers[i];
		add_string(&hash, keeper->name);
		add_cred(&hash, &keeper->cred);
		add_number(&hash, keeper->demanded);
	}
	add_number(&hash, plan->nmakes);
	for (size_t i = 0; i < plan->nmakes; i++) {
		add_string(&hash, plan->makes[i].root->real);
		add_string(&hash, plan->makes[i].below);
		add_state(&hash, &plan->makes[i].after);
	}
	add_number(&hash, plan->naccounts);
	for (size_t i = 0; i < plan->naccounts; i++) {
		const struct br_account *account = &plan->accounts[i];
		add_string(&hash, account->name);
		add_number(&hash, account->is_group);
		add_number(&hash, (uint64_t)account->id.v << 32 | account->gid.v);
	}
	return end(arena, &hash);
}

int plan_digest(struct br_plan *plan) {
	const struct br_plan_work *work = plan->work;
	struct sha256 hash;
	const char *rest = save_rest(plan, plan->arena);
	if (rest == NULL) {
		return -1;
	}
	sha256_begin(&hash);
	add_string(&hash, rest);
	for (size_t i = 0; i < work->ntrees; i++) {
		const char *tree = tree_digest(&work->trees[i], false, plan->arena);
		if (tree == NULL) {
			return -1;
		}
		add_string(&hash, work->trees[i].tree->path);
		add_string(&hash, tree);
	}
	plan->digest = end(plan->arena, &hash);
	return plan->digest != NULL ? 0 : -1;
}

int br_plan_save(const struct br_plan *plan, const struct br_places *places, struct br_arena *arena,
	struct br_saved *out) {
	*out = (struct br_saved){
		.caller = plan->options->caller.v,
		.changes = plan->changes,
		.text = out->text,
		.rest = save_rest(plan, arena),
	};
	if (out->rest == NULL || save_files(places, arena, out) != 0
		|| save_containers(plan, arena, out) != 0 || save_trees(plan, arena, out) != 0) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}
