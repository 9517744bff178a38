#include "crew.h"

#include <base/own.h>
#include <base/pool.h>

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	/** Items of a range, and ranges that are on their way at most. */
	RANGE = 64,
	RANGES = 64,
};

/** A part of the list, with what its thread needs for itself. */
struct range {
	struct br_way way;
	struct br_acls *acls;
	const struct br_crew_job *job;
	size_t from, to;
	/** Up to where the items had their turn. */
	size_t did;
	bool finished;
};

struct br_crew {
	unsigned threads;
	/** NULL before there was enough to do. */
	struct br_pool *pool;
	bool no_pool;
	/** No further item is begun. */
	atomic_bool halted;
	/** What was begun and has not ended: its ranges, or `alone` where `here`. */
	struct br_crew_job job;
	size_t begun;
	bool here;
	struct range ranges[RANGES];
	/** What the caller's thread does, and what it does meanwhile. */
	struct range alone;
	struct range meanwhile;
};

static void work(struct br_pool *pool, void *context, void *job) {
	struct br_crew *crew = context;
	struct range *range = job;
	for (; range->did < range->to; range->did++) {
		if (atomic_load_explicit(&crew->halted, memory_order_relaxed)) {
			break;
		}
		if (!range->job->work(range->job->context, &range->way, range->acls, range->did)) {
			atomic_store_explicit(&crew->halted, true, memory_order_relaxed);
		}
	}
	br_way_release(&range->way);
	br_pool_post(pool, range);
}

struct br_crew *br_crew_new(unsigned threads, bool cross) {
	struct br_crew *crew = calloc(1, sizeof(*crew));
	if (crew == NULL) {
		return NULL;
	}
	crew->threads = threads != 0 ? threads : br_pool_cores();
	atomic_init(&crew->halted, false);
	for (size_t i = 0; i < RANGES; i++) {
		crew->ranges[i].way = (struct br_way)BR_WAY_NONE(cross);
	}
	crew->alone.way = (struct br_way)BR_WAY_NONE(cross);
	crew->meanwhile.way = (struct br_way)BR_WAY_NONE(cross);
	crew->alone.acls = br_acls_new();
	crew->meanwhile.acls = br_acls_new();
	if (crew->alone.acls == NULL || crew->meanwhile.acls == NULL) {
		br_crew_free(crew);
		errno = ENOMEM;
		return NULL;
	}
	return crew;
}

static void release_range(struct range *range) {
	br_way_release(&range->way);
	br_acls_free(range->acls);
}

void br_crew_free(struct br_crew *crew) {
	if (crew == NULL) {
		return;
	}
	br_pool_free(crew->pool, NULL, NULL);
	for (size_t i = 0; i < RANGES; i++) {
		release_range(&crew->ranges[i]);
	}
	release_range(&crew->alone);
	release_range(&crew->meanwhile);
	free(crew);
}

void br_crew_freep(struct br_crew **crew) {
	int saved = errno;
	br_crew_free(*crew);
	*crew = NULL;
	errno = saved;
}

/** The rest of a range, one after the other, in the caller's thread. */
static int run_alone(struct range *range) {
	const struct br_crew_job *job = range->job;
	int r = 1;
	while (range->did < range->to && r > 0) {
		size_t i = range->did++;
		bool more = job->work(job->context, &range->way, range->acls, i);
		r = job->done(job->context, i);
		r = r > 0 ? more : r;
	}
	br_way_release(&range->way);
	return r;
}

static struct br_pool *new_pool(struct br_crew *crew) {
	for (size_t i = 0; i < RANGES; i++) {
		if (crew->ranges[i].acls == NULL) {
			crew->ranges[i].acls = br_acls_new();
		}
		if (crew->ranges[i].acls == NULL) {
			return NULL;
		}
	}
	return br_pool_new(crew->threads, 0, work, crew);
}

static bool has_pool(struct br_crew *crew) {
	if (crew->pool == NULL && !crew->no_pool) {
		crew->pool = crew->threads > 1 ? new_pool(crew) : NULL;
		// Without threads it is slower, not wrong.
		crew->no_pool = crew->pool == NULL;
	}
	return crew->pool != NULL;
}

/** Tell of a finished range's items, and give their turn to those that had none. `r`: what was
 * answered so far. */
static int tell(struct br_crew *crew, struct range *range, int r) {
	for (size_t i = range->from; i < range->did && r >= 0; i++) {
		int now = range->job->done(range->job->context, i);
		r = now < r ? now : r;
		if (r <= 0) {
			atomic_store_explicit(&crew->halted, true, memory_order_relaxed);
		}
	}
	// It could not be queued. Order counts: nothing behind it has been told yet.
	return r > 0 ? run_alone(range) : r;
}

static void set_range(struct range *range, const struct br_crew_job *job, size_t from, size_t to) {
	range->job = job;
	range->from = from;
	range->did = from;
	range->to = to;
}

/** Cut a part of the list into ranges, and queue them so that the first is popped first. Their
 * number. */
static size_t offer(struct br_crew *crew, const struct br_crew_job *job, size_t from, size_t to) {
	size_t n = (to - from + RANGE - 1) / RANGE;
	for (size_t k = n; k-- > 0;) {
		struct range *range = &crew->ranges[k];
		size_t begin = from + k * RANGE;
		set_range(range, job, begin, begin + RANGE < to ? begin + RANGE : to);
		// What cannot be queued is left for the caller's thread.
		range->finished = br_pool_push(crew->pool, range) < 0;
	}
	return n;
}

/** Take what comes back from the ranges that were begun, and tell of it in the list's order. */
static int collect(struct br_crew *crew) {
	size_t told = 0;
	int r = 1;
	struct range *range;
	while ((range = br_pool_take(crew->pool)) != NULL) {
		range->finished = true;
		while (told < crew->begun && crew->ranges[told].finished) {
			r = tell(crew, &crew->ranges[told++], r);
		}
	}
	for (; told < crew->begun; told++) {
		r = tell(crew, &crew->ranges[told], r);
	}
	return r;
}

void br_crew_begin(struct br_crew *crew, const struct br_crew_job *job, size_t from, size_t to) {
	assert(!crew->here && crew->begun == 0);
	assert(to - from <= (size_t)RANGE * RANGES);
	crew->job = *job;
	crew->here = !job->apart || to < from + 2 * (size_t)RANGE || !has_pool(crew);
	if (crew->here) {
		set_range(&crew->alone, &crew->job, from, to);
		return;
	}
	atomic_store(&crew->halted, false);
	crew->begun = offer(crew, &crew->job, from, to);
}

int br_crew_end(struct br_crew *crew) {
	int r = crew->here ? run_alone(&crew->alone) : crew->begun > 0 ? collect(crew) : 1;
	crew->here = false;
	crew->begun = 0;
	return r;
}

int br_crew_run(struct br_crew *crew, const struct br_crew_job *job, size_t from, size_t to) {
	const size_t part = (size_t)RANGE * RANGES;
	if (!job->apart) {
		set_range(&crew->meanwhile, job, from, to);
		return run_alone(&crew->meanwhile);
	}
	int r = 1;
	while (from < to && r > 0) {
		size_t end = to - from > part ? from + part : to;
		br_crew_begin(crew, job, from, end);
		r = br_crew_end(crew);
		from = end;
	}
	return r;
}

bool br_pick(struct br_picks *picks, const struct br_inode *inode) {
	const size_t n = sizeof(picks->inodes) / sizeof(picks->inodes[0]);
	if (S_ISDIR(inode->mode) || inode->ino == 0) {
		return false;
	}
	// Two file systems may have the same number: then the second waits without need.
	size_t at = (size_t)(inode->ino * UINT64_C(0x9e3779b97f4a7c15) >> 32) % n;
	for (; picks->inodes[at] != 0; at = (at + 1) % n) {
		if (picks->inodes[at] == inode->ino) {
			return false;
		}
	}
	picks->inodes[at] = inode->ino;
	return true;
}
