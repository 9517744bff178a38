#include <base/pool.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/**
 * One lock over two queues:
 *
 *      owner --push--> jobs (stack) --pop--> worker --post--> results (ring) --take--> owner
 *                        ^                     |
 *                        +--------push---------+
 */
struct br_pool {
	pthread_mutex_t lock;
	/** There is a job, or the end. */
	pthread_cond_t has_job;
	/** There is a result, or nothing runs any more. */
	pthread_cond_t has_result;
	/** The ring of results has room. */
	pthread_cond_t has_room;

	void **jobs;
	size_t njobs, jobs_cap;

	void **results;
	size_t first, nresults, results_cap;
	/** As given to br_pool_new; 0 lets the ring grow. */
	size_t limit;

	unsigned running;
	atomic_uint idle;
	/** No further job is begun. */
	bool stopping;
	/** Threads end. */
	bool ended;

	br_work *work;
	void *context;
	unsigned nthreads;
	pthread_t threads[];
};

unsigned br_pool_cores(void) {
	// The plain cpu_set_t ends at 1,024; the kernel refuses a set that is too small for the
	// machine.
	for (int most = CPU_SETSIZE; most <= 1 << 20; most *= 4) {
		cpu_set_t *set = CPU_ALLOC((size_t)most);
		if (!set) {
			return 1;
		}
		size_t size = CPU_ALLOC_SIZE((size_t)most);
		int failed = sched_getaffinity(0, size, set);
		bool too_small = failed && errno == EINVAL;
		int n = failed ? 1 : CPU_COUNT_S(size, set);
		CPU_FREE(set);
		if (!too_small) {
			return n > 0 ? (unsigned)n : 1;
		}
	}
	return 1;
}

static void lock(struct br_pool *pool) {
	// Cannot fail: a plain mutex that its holder never takes twice.
	(void)pthread_mutex_lock(&pool->lock);
}

static void unlock(struct br_pool *pool) {
	(void)pthread_mutex_unlock(&pool->lock);
}

/** The next job; NULL at the end. Called with the lock. */
static void *next_job(struct br_pool *pool) {
	while (!pool->ended && (pool->stopping || !pool->njobs)) {
		atomic_fetch_add_explicit(&pool->idle, 1, memory_order_relaxed);
		(void)pthread_cond_wait(&pool->has_job, &pool->lock);
		atomic_fetch_sub_explicit(&pool->idle, 1, memory_order_relaxed);
	}
	return pool->ended ? NULL : pool->jobs[--pool->njobs];
}

static void *worker(void *arg) {
	struct br_pool *pool = arg;
	lock(pool);
	for (;;) {
		void *job = next_job(pool);
		if (pool->ended) {
			break;
		}
		pool->running++;
		unlock(pool);
		pool->work(pool, pool->context, job);
		lock(pool);
		pool->running--;
		if (!pool->running) {
			(void)pthread_cond_signal(&pool->has_result);
		}
	}
	unlock(pool);
	return NULL;
}

/** Threads inherit the mask: signals are for the thread that decides. */
static unsigned start_threads(struct br_pool *pool, unsigned n) {
	sigset_t all;
	sigset_t before;
	(void)sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before)) {
		return 0;
	}
	unsigned started = 0;
	while (started < n && !pthread_create(&pool->threads[started], NULL, worker, pool)) {
		started++;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

static void destroy(struct br_pool *pool) {
	(void)pthread_cond_destroy(&pool->has_job);
	(void)pthread_cond_destroy(&pool->has_result);
	(void)pthread_cond_destroy(&pool->has_room);
	(void)pthread_mutex_destroy(&pool->lock);
	free((void *)pool->jobs);
	free((void *)pool->results);
	free(pool);
}

struct br_pool *br_pool_new(unsigned n, size_t limit, br_work *work, void *context) {
	size_t cap = limit ? limit : 64;
	struct br_pool *pool = calloc(1, sizeof(*pool) + n * sizeof(pool->threads[0]));
	void **results = (void **)calloc(cap, sizeof(*results));
	if (!pool || !results) {
		free(pool);
		free((void *)results);
		errno = ENOMEM;
		return NULL;
	}
	// With default attributes these never fail on Linux.
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->has_job, NULL);
	(void)pthread_cond_init(&pool->has_result, NULL);
	(void)pthread_cond_init(&pool->has_room, NULL);
	pool->results = results;
	pool->results_cap = cap;
	pool->limit = limit;
	pool->work = work;
	pool->context = context;
	// Fewer threads than asked for are slower, not wrong.
	unsigned started = start_threads(pool, n);
	if (!started && n) {
		destroy(pool);
		errno = EAGAIN;
		return NULL;
	}
	pool->nthreads = started;
	return pool;
}

/** Room for one more job. */
static int grow_jobs(struct br_pool *pool) {
	if (pool->njobs < pool->jobs_cap) {
		return 0;
	}
	size_t cap = pool->jobs_cap ? pool->jobs_cap * 2 : 64;
	void **grown = (void **)reallocarray((void *)pool->jobs, cap, sizeof(*grown));
	if (!grown) {
		errno = ENOMEM;
		return -1;
	}
	pool->jobs = grown;
	pool->jobs_cap = cap;
	return 0;
}

int br_pool_push(struct br_pool *pool, void *job) {
	lock(pool);
	int failed = grow_jobs(pool);
	if (!failed) {
		pool->jobs[pool->njobs++] = job;
		(void)pthread_cond_signal(&pool->has_job);
	}
	unlock(pool);
	return failed;
}

/** Whether the ring has room now, growing it where it may grow. */
static bool make_room(struct br_pool *pool) {
	if (pool->nresults < pool->results_cap) {
		return true;
	}
	// Without threads nobody could make room.
	if (pool->limit && pool->nthreads) {
		return false;
	}
	size_t cap = pool->results_cap * 2;
	void **grown = (void **)calloc(cap, sizeof(*grown));
	if (!grown) {
		// Then what there is, is the limit.
		return false;
	}
	for (size_t i = 0; i < pool->nresults; i++) {
		grown[i] = pool->results[(pool->first + i) % pool->results_cap];
	}
	free((void *)pool->results);
	pool->results = grown;
	pool->results_cap = cap;
	pool->first = 0;
	return true;
}

void br_pool_post(struct br_pool *pool, void *result) {
	lock(pool);
	while (!make_room(pool)) {
		(void)pthread_cond_wait(&pool->has_room, &pool->lock);
	}
	pool->results[(pool->first + pool->nresults) % pool->results_cap] = result;
	pool->nresults++;
	(void)pthread_cond_signal(&pool->has_result);
	unlock(pool);
}

/** Run jobs in the owner's own thread until there is a result. Called with the lock. */
static void work_alone(struct br_pool *pool) {
	while (!pool->nthreads && !pool->nresults && pool->njobs && !pool->stopping) {
		void *job = pool->jobs[--pool->njobs];
		unlock(pool);
		pool->work(pool, pool->context, job);
		lock(pool);
	}
}

void *br_pool_take(struct br_pool *pool) {
	void *out = NULL;
	lock(pool);
	work_alone(pool);
	while (!pool->nresults && (pool->running || (pool->njobs && !pool->stopping))) {
		(void)pthread_cond_wait(&pool->has_result, &pool->lock);
	}
	if (pool->nresults) {
		out = pool->results[pool->first];
		pool->first = (pool->first + 1) % pool->results_cap;
		pool->nresults--;
		(void)pthread_cond_signal(&pool->has_room);
	}
	unlock(pool);
	return out;
}

unsigned br_pool_idle(const struct br_pool *pool) {
	return atomic_load_explicit(&pool->idle, memory_order_relaxed);
}

void br_pool_free(struct br_pool *pool, void (*drop_job)(void *), void (*drop_result)(void *)) {
	if (!pool) {
		return;
	}
	lock(pool);
	pool->stopping = true;
	unlock(pool);
	// A worker may be waiting for room, so results are taken until nothing runs.
	void *result = NULL;
	while ((result = br_pool_take(pool))) {
		if (drop_result) {
			drop_result(result);
		}
	}
	lock(pool);
	pool->ended = true;
	(void)pthread_cond_broadcast(&pool->has_job);
	unlock(pool);
	for (unsigned i = 0; i < pool->nthreads; i++) {
		(void)pthread_join(pool->threads[i], NULL);
	}
	for (size_t i = 0; drop_job && i < pool->njobs; i++) {
		drop_job(pool->jobs[i]);
	}
	destroy(pool);
}
