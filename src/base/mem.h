/**
 * Memory: arenas that own all that one stage made, and growing arrays inside them.
 *
 * Every function that allocates answers NULL (or -1) with errno ENOMEM when there is no memory;
 * nothing here exits. Memory from an arena is zeroed, aligned for any type, and lives until the
 * arena is released.
 */
#ifndef BR_BASE_MEM_H
#define BR_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

#define BR_PRINTF(f, a) __attribute__((format(printf, f, a)))

struct br_block;

/** Owns everything that was allocated from it. `{0}` is a valid empty arena. Not for two threads at
 * once. */
struct br_arena {
	struct br_block *head;
	/** Bytes handed out so far. */
	size_t used;
};

/** Free everything; the arena is empty and usable again. */
void br_arena_release(struct br_arena *arena);

/** `size` zeroed bytes. size 0 gives a valid pointer. */
void *br_alloc(struct br_arena *arena, size_t size);
/** An array of n zeroed items; NULL with ENOMEM on overflow too. */
void *br_alloc_array(struct br_arena *arena, size_t n, size_t size);
/** A copy of the n bytes at s with a NUL after it. */
char *br_strndup(struct br_arena *arena, const char *s, size_t n);
/** A copy of the string s; NULL gives NULL with errno 0. */
char *br_strdup(struct br_arena *arena, const char *s);
/** A formatted string. */
char *br_printf(struct br_arena *arena, const char *format, ...) BR_PRINTF(2, 3);
char *br_vprintf(struct br_arena *arena, const char *format, va_list args) BR_PRINTF(2, 0);

#define BR_NEW(arena, type) ((type *)br_alloc((arena), sizeof(type)))
#define BR_NEW_ARRAY(arena, type, n) ((type *)br_alloc_array((arena), (n), sizeof(type)))

/** A growing array: `br_vec(struct x) xs = {0};` Items move when it grows. */
#define br_vec(type) \
	struct { \
		type *v; \
		size_t n, cap; \
	}

/** The slow half of br_vec_push: makes room for one more item; -1 with ENOMEM. */
int br_vec_grow(struct br_arena *arena, void **items, size_t n, size_t *cap, size_t size);

/** Append an item (a plain assignment). 0, or -1 with ENOMEM and nothing changed. */
#define br_vec_push(arena, vec, ...) \
	((vec)->n < (vec)->cap \
				|| !br_vec_grow((arena), (void *)&(vec)->v, (vec)->n, &(vec)->cap, \
					sizeof(*(vec)->v)) \
			? ((vec)->v[(vec)->n++] = (__VA_ARGS__), 0) \
			: -1)

#endif
