/**
 * Threads that make system calls for one thread that decides. The only file that starts any.
 *
 * A pool has a LIFO of jobs. Workers pop a job and run `work(context, job)`, which may push further
 * jobs and may post results; the owner takes results one by one. A job belongs to the worker that
 * runs it until it posts or frees it.
 */
#ifndef BR_BASE_POOL_H
#define BR_BASE_POOL_H

#include <stddef.h>

struct br_pool;

/** What a worker does with a job. Runs on any worker; `context` is shared and must be constant or
 * locked by its owner. */
typedef void br_work(struct br_pool *pool, void *context, void *job);

/** Processors that this process may use (sched_getaffinity, at least 1). */
unsigned br_pool_cores(void);

/**
 * Start n workers; 0: the owner works himself, while he takes. NULL with errno. At most `limit`
 * results wait unread at a time: a worker that posts more waits, so memory stays bounded (0: no
 * limit).
 */
struct br_pool *br_pool_new(unsigned n, size_t limit, br_work *work, void *context);

/** Queue a job. From the owner or from within work(). Never blocks. 0 or -1 with ENOMEM. */
int br_pool_push(struct br_pool *pool, void *job);
/** Hand a result to the owner. From within work() only. May wait for room. */
void br_pool_post(struct br_pool *pool, void *result);
/** The next result, waiting for one while jobs are queued or running; NULL when all is done. Owner
 * only. */
void *br_pool_take(struct br_pool *pool);
/** Workers that wait for a job now: a hint for splitting work. Any thread. */
unsigned br_pool_idle(const struct br_pool *pool);
/**
 * Stop: running jobs are finished, queued jobs and unread results go to `drop_job` and
 * `drop_result` (NULL: forgotten), threads are joined.
 */
void br_pool_free(struct br_pool *pool, void (*drop_job)(void *), void (*drop_result)(void *));

#endif
