#include <base/own.h>
#include <base/pool.h>

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <support/fault.h>
#include <time.h>

#include <cmocka.h>

enum {
	/** So many milliseconds at least are waited for what must come, on however busy a machine. */
	PATIENCE = 60000,
};

/** Jobs are numbers in these tests; 0 would be NULL, so they begin with 1. */
static void *as_job(uintptr_t n) {
	return (void *)n; // NOLINT(performance-no-int-to-ptr)
}

static void nap(long milliseconds) {
	const struct timespec time = {0, milliseconds * 1000000};
	(void)nanosleep(&time, NULL);
}

static void post_same(struct br_pool *pool, void *context, void *job) {
	(void)context;
	br_pool_post(pool, job);
}

/** Whether take gives each of 1 … n once, and then NULL, twice. */
static void expect_all(struct br_pool *pool, uintptr_t n) {
	unsigned char *seen = calloc(n + 1, 1);
	assert_non_null(seen);
	void *result = NULL;
	uintptr_t count = 0;
	while ((result = br_pool_take(pool))) {
		uintptr_t number = (uintptr_t)result;
		assert_true(number >= 1 && number <= n);
		assert_int_equal(seen[number], 0);
		seen[number] = 1;
		count++;
	}
	assert_int_equal(count, n);
	assert_null(br_pool_take(pool));
	free(seen);
}

static void test_all_arrive(void **state) {
	(void)state;
	static const struct {
		unsigned threads;
		size_t limit;
	} cases[] = {{0, 0}, {1, 0}, {1, 1}, {2, 1}, {4, 3}, {4, 0}, {8, 1000}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct br_pool *pool =
			br_pool_new(cases[i].threads, cases[i].limit, post_same, NULL);
		assert_non_null(pool);
		assert_null(br_pool_take(pool));
		for (uintptr_t n = 1; n <= 2000; n++) {
			assert_int_equal(br_pool_push(pool, as_job(n)), 0);
		}
		expect_all(pool, 2000);
		// And once more, after an end.
		for (uintptr_t n = 1; n <= 10; n++) {
			assert_int_equal(br_pool_push(pool, as_job(n)), 0);
		}
		expect_all(pool, 10);
		br_pool_free(pool, NULL, NULL);
	}
}

enum {
	LEAVES = 4096
};

/** A tree as a scan makes it: job n has the children 2n and 2n + 1. */
static void split(struct br_pool *pool, void *context, void *job) {
	uintptr_t n = (uintptr_t)job;
	atomic_uint *runs = context;
	atomic_fetch_add(runs, 1);
	if (n * 2 + 1 < LEAVES) {
		// cmocka's assertions are for its own thread only.
		if (br_pool_push(pool, as_job(n * 2)) || br_pool_push(pool, as_job(n * 2 + 1))) {
			abort();
		}
	}
	br_pool_post(pool, job);
}

static void test_jobs_make_jobs(void **state) {
	(void)state;
	for (unsigned threads = 1; threads <= 4; threads++) {
		atomic_uint runs = 0;
		struct br_pool *pool = br_pool_new(threads, 7, split, &runs);
		assert_non_null(pool);
		assert_int_equal(br_pool_push(pool, as_job(1)), 0);
		expect_all(pool, LEAVES - 1);
		assert_int_equal(atomic_load(&runs), LEAVES - 1);
		br_pool_free(pool, NULL, NULL);
	}
}

/** A job that posts nothing still ends the waiting. */
static void silent(struct br_pool *pool, void *context, void *job) {
	(void)pool;
	(void)job;
	nap(5);
	atomic_fetch_add((atomic_uint *)context, 1);
}

static void test_no_results(void **state) {
	(void)state;
	atomic_uint runs = 0;
	struct br_pool *pool = br_pool_new(2, 1, silent, &runs);
	assert_non_null(pool);
	for (uintptr_t n = 1; n <= 5; n++) {
		assert_int_equal(br_pool_push(pool, as_job(n)), 0);
	}
	assert_null(br_pool_take(pool));
	assert_int_equal(atomic_load(&runs), 5);
	br_pool_free(pool, NULL, NULL);
}

/** Last in, first out keeps a deep tree's queue short. */
static void test_lifo(void **state) {
	(void)state;
	atomic_uint runs = 0;
	struct br_pool *pool = br_pool_new(1, 0, split, &runs);
	assert_non_null(pool);
	assert_int_equal(br_pool_push(pool, as_job(1)), 0);
	assert_int_equal((uintptr_t)br_pool_take(pool), 1);
	assert_int_equal((uintptr_t)br_pool_take(pool), 3);
	assert_int_equal((uintptr_t)br_pool_take(pool), 7);
	assert_int_equal((uintptr_t)br_pool_take(pool), 15);
	br_pool_free(pool, NULL, NULL);
}

struct counted {
	atomic_uint posted;
};

static void post_many(struct br_pool *pool, void *context, void *job) {
	struct counted *counted = context;
	for (unsigned i = 0; i < 50; i++) {
		br_pool_post(pool, job);
		atomic_fetch_add(&counted->posted, 1);
	}
}

/** So many, however long they take, and no more a moment later. */
static void expect_posted(struct counted *counted, unsigned n) {
	for (int i = 0; i < PATIENCE && atomic_load(&counted->posted) < n; i++) {
		nap(1);
	}
	nap(50);
	assert_int_equal(atomic_load(&counted->posted), n);
}

static void test_results_are_bounded(void **state) {
	(void)state;
	struct counted counted = {0};
	struct br_pool *pool = br_pool_new(2, 4, post_many, &counted);
	assert_non_null(pool);
	assert_int_equal(br_pool_push(pool, as_job(1)), 0);
	assert_int_equal(br_pool_push(pool, as_job(2)), 0);
	expect_posted(&counted, 4);
	assert_non_null(br_pool_take(pool));
	expect_posted(&counted, 5);
	unsigned n = 1;
	while (br_pool_take(pool)) {
		n++;
	}
	assert_int_equal(n, 100);
	br_pool_free(pool, NULL, NULL);
}

/** Heap memory, so that the sanitizer sees what is lost. */
static void keep_or_free(struct br_pool *pool, void *context, void *job) {
	(void)context;
	nap(1);
	br_pool_post(pool, job);
	char *more = malloc(10);
	if (more) {
		br_pool_post(pool, more);
	}
}

static void test_free_early(void **state) {
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct br_pool *pool = br_pool_new(3, 2, keep_or_free, NULL);
		assert_non_null(pool);
		for (int n = 0; n < 100; n++) {
			assert_int_equal(br_pool_push(pool, malloc(10)), 0);
		}
		for (int n = 0; n < i; n++) {
			free(br_pool_take(pool));
		}
		br_pool_free(pool, free, free);
	}
	br_pool_free(NULL, NULL, NULL);
}

static void wait_for(struct br_pool *pool, void *context, void *job) {
	atomic_bool *go = context;
	while (!atomic_load(go)) {
		nap(1);
	}
	br_pool_post(pool, job);
}

static void expect_idle(const struct br_pool *pool, unsigned n) {
	for (int i = 0; i < PATIENCE && br_pool_idle(pool) != n; i++) {
		nap(1);
	}
	assert_int_equal(br_pool_idle(pool), n);
}

static void test_idle(void **state) {
	(void)state;
	atomic_bool go = false;
	struct br_pool *pool = br_pool_new(3, 0, wait_for, &go);
	assert_non_null(pool);
	expect_idle(pool, 3);
	assert_int_equal(br_pool_push(pool, as_job(1)), 0);
	assert_int_equal(br_pool_push(pool, as_job(2)), 0);
	expect_idle(pool, 1);
	atomic_store(&go, true);
	expect_all(pool, 2);
	expect_idle(pool, 3);
	br_pool_free(pool, NULL, NULL);
}

/** One job through a pool, which may have no memory for any part of it. */
static void try_one_job(void) {
	errno = 0;
	struct br_pool *pool = br_pool_new(1, 0, post_same, NULL);
	if (!pool) {
		assert_int_equal(errno, ENOMEM);
		return;
	}
	errno = 0;
	if (br_pool_push(pool, as_job(1))) {
		assert_int_equal(errno, ENOMEM);
		assert_null(br_pool_take(pool));
	} else {
		assert_int_equal((uintptr_t)br_pool_take(pool), 1);
	}
	br_pool_free(pool, NULL, NULL);
}

static void test_no_memory(void **state) {
	(void)state;
	FAULT_EACH(i, try_one_job());
}

static void post_fifty(struct br_pool *pool, void *context, void *job) {
	(void)context;
	for (uintptr_t i = 0; i < 50; i++) {
		br_pool_post(pool, as_job((uintptr_t)job + i));
	}
}

/** The ring grows while its beginning lies in its middle. */
static void test_results_keep_their_order(void **state) {
	(void)state;
	struct br_pool *pool = br_pool_new(1, 0, post_fifty, NULL);
	assert_non_null(pool);
	for (uintptr_t first = 1; first < 201; first += 50) {
		assert_int_equal(br_pool_push(pool, as_job(first)), 0);
		nap(20);
		if (first == 1) {
			for (uintptr_t n = 1; n <= 30; n++) {
				assert_int_equal((uintptr_t)br_pool_take(pool), n);
			}
		}
	}
	for (uintptr_t n = 31; n <= 200; n++) {
		assert_int_equal((uintptr_t)br_pool_take(pool), n);
	}
	assert_null(br_pool_take(pool));
	br_pool_free(pool, NULL, NULL);
}

/** A ring that cannot grow lets the worker wait instead of losing a result. */
static void test_results_without_memory(void **state) {
	(void)state;
	struct counted counted = {0};
	struct br_pool *pool = br_pool_new(1, 0, post_many, &counted);
	assert_non_null(pool);
	assert_int_equal(br_pool_push(pool, as_job(1)), 0);
	assert_int_equal(br_pool_push(pool, as_job(1)), 0);
	fault_at(1);
	unsigned n = 0;
	nap(20);
	while (br_pool_take(pool)) {
		n++;
	}
	fault_at(0);
	assert_int_equal(n, 100);
	br_pool_free(pool, NULL, NULL);
}

static void tell_mask(struct br_pool *pool, void *context, void *job) {
	sigset_t set;
	(void)context;
	// sigprocmask would do for one thread; this asks for the calling one.
	bool blocked = !sigprocmask(SIG_BLOCK, NULL, &set) && sigismember(&set, SIGINT) == 1
		&& sigismember(&set, SIGTERM) == 1;
	br_pool_post(pool, blocked ? job : as_job(2));
}

static void test_signals_are_not_for_workers(void **state) {
	(void)state;
	sigset_t set;
	struct br_pool *pool = br_pool_new(1, 0, tell_mask, NULL);
	assert_non_null(pool);
	assert_int_equal(br_pool_push(pool, as_job(1)), 0);
	assert_int_equal((uintptr_t)br_pool_take(pool), 1);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &set), 0);
	assert_int_equal(sigismember(&set, SIGINT), 0);
	br_pool_free(pool, NULL, NULL);
}

static void test_cores(void **state) {
	(void)state;
	cpu_set_t before;
	cpu_set_t one;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(br_pool_cores(), CPU_COUNT(&before));
	size_t first = 0;
	while (!CPU_ISSET(first, &before)) {
		first++;
	}
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(br_pool_cores(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_arrive),
		cmocka_unit_test(test_jobs_make_jobs),
		cmocka_unit_test(test_no_results),
		cmocka_unit_test(test_lifo),
		cmocka_unit_test(test_results_are_bounded),
		cmocka_unit_test(test_free_early),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_results_keep_their_order),
		cmocka_unit_test(test_results_without_memory),
		cmocka_unit_test(test_signals_are_not_for_workers),
		cmocka_unit_test(test_cores),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
