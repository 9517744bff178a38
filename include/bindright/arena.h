/**
 * Memory that results live in: functions that take an arena put what they make there, and it is
 * freed all at once.
 */
#ifndef BINDRIGHT_ARENA_H
#define BINDRIGHT_ARENA_H

/** Owns everything that was made in it. Not for two threads at once. */
struct br_arena;

/** An empty one; NULL with ENOMEM. */
struct br_arena *br_arena_new(void);
/** Free it and everything that was made in it. NULL is nothing. */
void br_arena_free(struct br_arena *arena);
/** Cleanup for a variable that holds one; it becomes NULL. */
void br_arena_freep(struct br_arena **arena);

#endif
