#include <base/mem.h>

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <support/fault.h>
#include <sys/mman.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
void __real_free(void *p);
void *__real_br_alloc(struct br_arena *arena, size_t size);
void *__real_br_alloc_array(struct br_arena *arena, size_t n, size_t size);
char *__real_br_strndup(struct br_arena *arena, const char *s, size_t n);
char *__real_br_strdup(struct br_arena *arena, const char *s);
int __real_br_vec_grow(struct br_arena *arena, void **items, size_t n, size_t *cap, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
void __wrap_free(void *p);
void *__wrap_br_alloc(struct br_arena *arena, size_t size);
void *__wrap_br_alloc_array(struct br_arena *arena, size_t n, size_t size);
char *__wrap_br_strndup(struct br_arena *arena, const char *s, size_t n);
char *__wrap_br_strdup(struct br_arena *arena, const char *s);
char *__wrap_br_printf(struct br_arena *arena, const char *format, ...) BR_PRINTF(2, 3);
int __wrap_br_vec_grow(struct br_arena *arena, void **items, size_t n, size_t *cap, size_t size);

/** Where the processes that are forked see it as well. */
struct counter {
	/** Allocations until one fails; 0 or less: none does. */
	atomic_int left;
	atomic_bool hit;
	/** Those after it fail, too. */
	atomic_bool for_good;
	atomic_bool paused;
};

static struct counter alone;
static struct counter *counter = &alone;

static void set(unsigned n, bool for_good) {
	if (counter == &alone) {
		void *p = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		counter = p != MAP_FAILED ? p : &alone;
	}
	atomic_store(&counter->left, 0);
	atomic_store(&counter->hit, false);
	atomic_store(&counter->for_good, for_good);
	atomic_store(&counter->left, (int)n);
}

void fault_at(unsigned n) {
	set(n, false);
}

void fault_from(unsigned n) {
	set(n, n > 0);
}

void fault_pause(bool on) {
	atomic_store(&counter->paused, on);
}

bool fault_hit(void) {
	return atomic_load(&counter->hit);
}

static bool fails(void) {
	if (atomic_load(&counter->paused)) {
		return false;
	}
	if (atomic_load(&counter->hit) && atomic_load(&counter->for_good)) {
		errno = ENOMEM;
		return true;
	}
	if (atomic_load(&counter->left) <= 0 || atomic_fetch_sub(&counter->left, 1) != 1) {
		return false;
	}
	atomic_store(&counter->hit, true);
	errno = ENOMEM;
	return true;
}

// ---- What is not freed ----

enum {
	/** More are not remembered. */
	PIECES = 1 << 16,
	LISTS = 1 << 12,
};

struct piece {
	const void *p;
	struct piece *next;
};

static struct {
	atomic_flag busy;
	bool on;
	size_t n;
	struct piece *lists[LISTS];
	/** Those that stand in none of the lists, and how many never did. */
	struct piece *unused;
	size_t fresh;
	struct piece all[PIECES];
} live = {.busy = ATOMIC_FLAG_INIT};

static void lock(void) {
	while (atomic_flag_test_and_set(&live.busy)) {
	}
}

static void unlock(void) {
	atomic_flag_clear(&live.busy);
}

static struct piece **list_of(const void *p) {
	return &live.lists[(uintptr_t)p * UINT64_C(0x9e3779b97f4a7c15) >> 40 & (LISTS - 1)];
}

static struct piece *unused(void) {
	struct piece *piece = live.unused;
	if (piece != NULL) {
		live.unused = piece->next;
	} else if (live.fresh < PIECES) {
		piece = &live.all[live.fresh++];
	}
	return piece;
}

static void forget(const void *p) {
	lock();
	struct piece **at = list_of(p);
	while (*at != NULL && (*at)->p != p) {
		at = &(*at)->next;
	}
	struct piece *piece = *at;
	if (piece != NULL) {
		*at = piece->next;
		piece->next = live.unused;
		live.unused = piece;
		live.n--;
	}
	unlock();
}

static void *note(void *p) {
	lock();
	struct piece *piece = live.on && p != NULL ? unused() : NULL;
	if (piece != NULL) {
		*piece = (struct piece){.p = p, .next = *list_of(p)};
		*list_of(p) = piece;
		live.n++;
	}
	unlock();
	return p;
}

void fault_watch(void) {
	lock();
	memset(live.lists, 0, sizeof(live.lists));
	live.unused = NULL;
	live.fresh = live.n = 0;
	live.on = true;
	unlock();
}

size_t fault_live(void) {
	lock();
	live.on = false;
	size_t n = live.n;
	unlock();
	return n;
}

// ---- What the linker puts in their place ----

void *__wrap_malloc(size_t size) {
	return fails() ? NULL : note(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size) {
	return fails() ? NULL : note(__real_calloc(n, size));
}

/** The old one is forgotten before it is gone: another thread may get its address. */
static void *moved(void *old, void *new) {
	// Where it failed the old one is still there.
	return note(new != NULL ? new : old) == new ? new : NULL;
}

void *__wrap_realloc(void *old, size_t size) {
	if (fails()) {
		return NULL;
	}
	forget(old);
	return moved(old, __real_realloc(old, size));
}

void *__wrap_reallocarray(void *old, size_t n, size_t size) {
	if (fails()) {
		return NULL;
	}
	forget(old);
	return moved(old, __real_reallocarray(old, n, size));
}

void __wrap_free(void *p) {
	forget(p);
	__real_free(p);
}

static atomic_bool pieces;

void fault_pieces(bool counted) {
	atomic_store(&pieces, counted);
}

static bool piece_fails(void) {
	return atomic_load(&pieces) && fails();
}

void *__wrap_br_alloc(struct br_arena *arena, size_t size) {
	return piece_fails() ? NULL : __real_br_alloc(arena, size);
}

void *__wrap_br_alloc_array(struct br_arena *arena, size_t n, size_t size) {
	return piece_fails() ? NULL : __real_br_alloc_array(arena, n, size);
}

char *__wrap_br_strndup(struct br_arena *arena, const char *s, size_t n) {
	return piece_fails() ? NULL : __real_br_strndup(arena, s, n);
}

char *__wrap_br_strdup(struct br_arena *arena, const char *s) {
	return s != NULL && piece_fails() ? NULL : __real_br_strdup(arena, s);
}

char *__wrap_br_printf(struct br_arena *arena, const char *format, ...) {
	va_list args;
	va_start(args, format);
	char *out = piece_fails() ? NULL : br_vprintf(arena, format, args);
	va_end(args);
	return out;
}

int __wrap_br_vec_grow(struct br_arena *arena, void **items, size_t n, size_t *cap, size_t size) {
	return piece_fails() ? -1 : __real_br_vec_grow(arena, items, n, cap, size);
}
