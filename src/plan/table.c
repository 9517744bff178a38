#include "work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void table_init(struct table *table, size_t key, size_t item) {
	*table = (struct table){.key = key, .item = item};
}

void table_release(struct table *table) {
	free(table->items);
	free(table->slots);
	table_init(table, table->key, table->item);
}

// FNV-1a by words, with a final mix, so that low bits are good enough for a mask.
static uint64_t hash(const void *key, size_t n) {
	const unsigned char *p = key;
	uint64_t h = 14695981039346656037u;
	for (; n >= sizeof(uint64_t); n -= sizeof(uint64_t), p += sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 1099511628211u;
		// What is multiplied moves up only.
		h ^= h >> 32;
	}
	for (; n > 0; n--) {
		h = (h ^ *p++) * 1099511628211u;
	}
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15u;
	return h ^ (h >> 29);
}

void *table_at(const struct table *table, size_t i) {
	return table->items + i * table->item;
}

size_t table_index(const struct table *table, const void *item) {
	return (size_t)((const unsigned char *)item - table->items) / table->item;
}

// The slot where the key is, or would be. Slots hold numbers from 1; 0 is empty.
static uint32_t *slot_of(const struct table *table, const void *key) {
	size_t i = (size_t)hash(key, table->key) & (table->nslots - 1);
	while (table->slots[i] != 0
		&& memcmp(table_at(table, table->slots[i] - 1), key, table->key) != 0) {
		i = (i + 1) & (table->nslots - 1);
	}
	return &table->slots[i];
}

void *table_find(const struct table *table, const void *key) {
	if (table->n == 0) {
		return NULL;
	}
	uint32_t number = *slot_of(table, key);
	return number == 0 ? NULL : table_at(table, number - 1);
}

static int grow(struct table *table) {
	size_t cap = table->cap == 0 ? 16 : table->cap * 2;
	if (cap > UINT32_MAX / 4) {
		errno = ENOMEM;
		return -1;
	}
	uint32_t *slots = calloc(cap * 2, sizeof(*slots));
	unsigned char *items = slots == NULL ? NULL : reallocarray(table->items, cap, table->item);
	if (items == NULL) {
		free(slots);
		errno = ENOMEM;
		return -1;
	}
	free(table->slots);
	table->items = items;
	table->cap = cap;
	table->slots = slots;
	table->nslots = cap * 2;
	for (size_t i = 0; i < table->n; i++) {
		*slot_of(table, table_at(table, i)) = (uint32_t)i + 1;
	}
	return 0;
}

void *table_put(struct table *table, const void *key) {
	void *item = table_find(table, key);
	if (item != NULL) {
		return item;
	}
	if (table->n == table->cap && grow(table) != 0) {
		return NULL;
	}
	item = table_at(table, table->n);
	memset(item, 0, table->item);
	memcpy(item, key, table->key);
	*slot_of(table, key) = (uint32_t)++table->n;
	return item;
}

static size_t place_of(const struct tally *tally, const char *path) {
	size_t at = tally->nexamples;
	while (at > 0 && strcmp(path, tally->examples[at - 1]) < 0) {
		at--;
	}
	return at;
}

// A buffer for the path: that of the example which falls off, or a new one.
static char *buffer_for(struct br_arena *arena, struct tally *tally, size_t size, size_t *room) {
	size_t last = BR_EXAMPLES - 1;
	bool full = tally->nexamples == BR_EXAMPLES;
	*room = full ? tally->room[last] : 0;
	if (*room >= size) {
		return tally->buffers[last];
	}
	*room = size * 2;
	return br_alloc(arena, *room);
}

int tally_add(struct br_arena *arena, struct tally *tally, const char *path, uint64_t count) {
	size_t at = place_of(tally, path);
	size_t size = strlen(path) + 1;
	size_t room;
	tally->count += count;
	if (at == BR_EXAMPLES) {
		return 0;
	}
	char *buffer = buffer_for(arena, tally, size, &room);
	if (buffer == NULL) {
		return -1;
	}
	tally->nexamples += tally->nexamples < BR_EXAMPLES;
	for (size_t i = tally->nexamples - 1; i > at; i--) {
		tally->examples[i] = tally->examples[i - 1];
		tally->buffers[i] = tally->buffers[i - 1];
		tally->room[i] = tally->room[i - 1];
	}
	memcpy(buffer, path, size);
	tally->examples[at] = tally->buffers[at] = buffer;
	tally->room[at] = room;
	return 0;
}

// Both are done being filled: strings are shared, buffers no longer needed.
void tally_merge(struct tally *tally, const struct tally *more) {
	struct tally out = {.count = tally->count + more->count};
	size_t a = 0;
	size_t b = 0;
	while (out.nexamples < BR_EXAMPLES && (a < tally->nexamples || b < more->nexamples)) {
		bool first = b == more->nexamples
			|| (a < tally->nexamples
				&& strcmp(tally->examples[a], more->examples[b]) <= 0);
		out.examples[out.nexamples++] = first ? tally->examples[a++] : more->examples[b++];
	}
	*tally = out;
}
