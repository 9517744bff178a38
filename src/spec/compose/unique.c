#include "compose.h"

#include <search.h>
#include <string.h>

/* The key of an entry; NULL: it is like no other. */
typedef const char *key_of(struct br_compose *c, const struct br_tree *entry);

/* Words are the same up to their "=". */
static const char *word_key(struct br_compose *c, const struct br_tree *entry) {
	if (entry->kind != BR_VALUE_STRING) {
		return NULL;
	}
	return br_strndup(c->arena, entry->s, strcspn(entry->s, "="));
}

/* A target counts as it is written, even where it means the same as a name does. */
static const char *mount_key(struct br_compose *c, const struct br_tree *entry, const char *dir) {
	const struct br_tree *target = br_tree_get(entry, "target");
	const struct br_tree *source =
		entry->kind == BR_VALUE_MAP ? br_tree_get(entry, "source") : entry;
	if (target && target->kind == BR_VALUE_STRING) {
		return target->s;
	}
	return source && source->kind == BR_VALUE_STRING
		? br_printf(c->arena, "%s/%s", dir, source->s)
		: NULL;
}

static const char *secret_key(struct br_compose *c, const struct br_tree *entry) {
	return mount_key(c, entry, "/run/secrets");
}

static const char *config_key(struct br_compose *c, const struct br_tree *entry) {
	return mount_key(c, entry, "");
}

static const struct {
	const char *name;
	key_of *key;
} lists[] = {
	// First by the target as it is written, then, as the short ones have been taken apart, with
	// those cleaned. A long one is never cleaned for this.
	{"volumes", br_volume_written},
	{"volumes", br_volume_target},
	{"secrets", secret_key},
	{"configs", config_key},
	{"cap_add", word_key},
	{"cap_drop", word_key},
	{"tmpfs", word_key},
	{"profiles", word_key},
};

struct slot {
	const char *key;
	size_t index;
};

static int compare_slots(const void *a, const void *b) {
	return strcmp(((const struct slot *)a)->key, ((const struct slot *)b)->key);
}

static void keep_slot(void *p) {
	(void)p;
}

/* The place of an entry with this key that came before; SIZE_MAX with ENOMEM. */
static size_t place_of(void **seen, struct slot *slot) {
	struct slot **found = tsearch(slot, seen, compare_slots);
	return found ? (*found)->index : SIZE_MAX;
}

/* A later entry takes the place of the earlier one with its key. */
static int unique(struct br_compose *c, struct br_tree *list, key_of *key) {
	struct slot *slots = BR_NEW_ARRAY(c->arena, struct slot, list->members.n);
	if (!slots) {
		return br_error_memory(c->dx);
	}
	void *seen = NULL;
	size_t n = 0;
	int result = 0;
	for (size_t i = 0; i < list->members.n && !result; i++) {
		slots[i] = (struct slot){key(c, list->members.v[i].value), n};
		size_t at = slots[i].key ? place_of(&seen, &slots[i]) : n;
		if (at == SIZE_MAX) {
			result = br_error_memory(c->dx);
			break;
		}
		list->members.v[at] = list->members.v[i];
		n += at == n;
	}
	tdestroy(seen, keep_slot);
	if (!result) {
		list->members.n = n;
	}
	return result;
}

int br_unique_service(struct br_compose *c, struct br_tree *service) {
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct br_tree *list = br_tree_get(service, lists[i].name);
		if (list && list->kind == BR_VALUE_SEQ && unique(c, list, lists[i].key)) {
			return -1;
		}
	}
	return 0;
}
