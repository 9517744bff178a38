#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <support/fault.h>
#include <sys/mman.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);

/** Where the processes that are forked see it as well. */
struct counter {
	/** Allocations until one fails; 0 or less: none does. */
	atomic_int left;
	atomic_bool hit;
	/** Those after it fail, too. */
	atomic_bool for_good;
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

bool fault_hit(void) {
	return atomic_load(&counter->hit);
}

static bool fails(void) {
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
