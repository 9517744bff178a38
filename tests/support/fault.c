#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <support/fault.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);

/** Allocations until one fails; 0 or less: none does. */
static atomic_int left;
static atomic_bool hit;

void fault_at(unsigned n) {
	atomic_store(&hit, false);
	atomic_store(&left, (int)n);
}

bool fault_hit(void) {
	return atomic_load(&hit);
}

static bool fails(void) {
	if (atomic_load(&left) <= 0 || atomic_fetch_sub(&left, 1) != 1) {
		return false;
	}
	atomic_store(&hit, true);
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size) {
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size) {
	return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size) {
	return fails() ? NULL : __real_reallocarray(old, n, size);
}
