#include <base/mem.h>
#include <bindright/arena.h>

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#endif

// Under the address sanitizer every allocation gets a block of its own, so that it sees where each
// one ends.
#ifdef ADDRESS_SANITIZER
enum {
	FIRST_BLOCK = 0,
	LARGEST_BLOCK = 0
};
#else
enum {
	FIRST_BLOCK = 4096 - 64,
	LARGEST_BLOCK = 1024 * 1024 - 64
};
#endif

struct br_block {
	struct br_block *next;
	size_t size, used;
	alignas(max_align_t) char bytes[];
};

void br_arena_release(struct br_arena *arena) {
	struct br_block *block = arena->head;
	while (block) {
		struct br_block *next = block->next;
		free(block);
		block = next;
	}
	*arena = (struct br_arena){0};
}

struct br_arena *br_arena_new(void) {
	return calloc(1, sizeof(struct br_arena));
}

void br_arena_free(struct br_arena *arena) {
	if (arena) {
		br_arena_release(arena);
		free(arena);
	}
}

void br_arena_freep(struct br_arena **arena) {
	br_arena_free(*arena);
	*arena = NULL;
}

static size_t min_size(size_t a, size_t b) {
	return a < b ? a : b;
}

/** A block with room for `size` bytes becomes the head, unless it is for one large item only. */
static struct br_block *add_block(struct br_arena *arena, size_t size) {
	size_t room = arena->head ? min_size(arena->head->size * 2, LARGEST_BLOCK) : FIRST_BLOCK;
	bool alone = size > room;
	if (alone) {
		room = size;
	}
	struct br_block *block = calloc(1, sizeof(*block) + room);
	if (!block) {
		errno = ENOMEM;
		return NULL;
	}
	block->size = room;
	if (alone && arena->head) {
		// The half empty head stays in use.
		block->next = arena->head->next;
		arena->head->next = block;
	} else {
		block->next = arena->head;
		arena->head = block;
	}
	return block;
}

void *br_alloc(struct br_arena *arena, size_t size) {
	size_t step = alignof(max_align_t);
	if (size > SIZE_MAX / 4) {
		errno = ENOMEM;
		return NULL;
	}
	size_t need = size ? (size + step - 1) / step * step : step;
#ifdef ADDRESS_SANITIZER
	need = size ? size : 1;
#endif
	struct br_block *block = arena->head;
	if (!block || block->size - block->used < need) {
		block = add_block(arena, need);
	}
	if (!block) {
		return NULL;
	}
	void *out = block->bytes + block->used;
	block->used += need;
	arena->used += need;
	return out;
}

void *br_alloc_array(struct br_arena *arena, size_t n, size_t size) {
	size_t bytes = 0;
	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return br_alloc(arena, bytes);
}

char *br_strndup(struct br_arena *arena, const char *s, size_t n) {
	if (n == SIZE_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	char *out = br_alloc(arena, n + 1);
	if (out && n) {
		memcpy(out, s, n);
	}
	return out;
}

char *br_strdup(struct br_arena *arena, const char *s) {
	if (!s) {
		errno = 0;
		return NULL;
	}
	return br_strndup(arena, s, strlen(s));
}

char *br_vprintf(struct br_arena *arena, const char *format, va_list args) {
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	char *out = n < 0 ? NULL : br_alloc(arena, (size_t)n + 1);
	if (out && vsnprintf(out, (size_t)n + 1, format, args) == n) {
		return out;
	}
	errno = ENOMEM;
	return NULL;
}

char *br_printf(struct br_arena *arena, const char *format, ...) {
	va_list args;
	va_start(args, format);
	char *out = br_vprintf(arena, format, args);
	va_end(args);
	return out;
}

int br_vec_grow(struct br_arena *arena, void **items, size_t n, size_t *cap, size_t size) {
	if (*cap > SIZE_MAX / 2) {
		errno = ENOMEM;
		return -1;
	}
	size_t more = *cap ? *cap * 2 : 8;
	void *grown = br_alloc_array(arena, more, size);
	if (!grown) {
		return -1;
	}
	// The caller's pointer has another type than void *, so it is read and written as bytes.
	void *old = NULL;
	memcpy(&old, (const void *)items, sizeof(old));
	if (n) {
		memcpy(grown, old, n * size);
	}
	memcpy((void *)items, &grown, sizeof(grown));
	*cap = more;
	return 0;
}
