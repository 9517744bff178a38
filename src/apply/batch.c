// A batch is a few thousand changes: announced in the journal as one, synced once, done one by one.
//
//	scan, or what the plan saw -> decide -> queue ... full, or 200 ms old:
//		prepare: INTENT, of what may have changed meanwhile after reading it again
//		sync
//		wait until the batch before is done
//		commit: open each again, compare again, change, read back
//
// The queue is in the scan's order, in which a directory comes after all that is below it. Reading
// is done by several threads, and so is changing what is no directory; then come the directories,
// one by one in that order. While the threads change one batch, the next one is walked, announced
// and synced: neither processors nor disk wait for the other. Nothing of a batch is opened before
// its own sync.

#include "contents.h"
#include "crew.h"
#include "run.h"

#include <base/own.h>
#include <bindright/scan.h>

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
	BATCH = BR_PICKS,
	BATCH_MS = 200,
	/** Of paths. */
	BATCH_BYTES = 16 << 20,
	/** Whoever makes directories in directories makes the journal as large as he likes. */
	PATH_LONGEST = 64 << 10,
};

static const struct br_span nowhere;

struct change {
	const char *path;
	struct br_inode before;
	struct br_inode after;
	/** What was read again, or the errno of that. */
	struct br_inode now;
	int err;
	/** It waits until those that may be done at a time are done. */
	bool alone;
	/** Its INTENT; 0: it dropped out. */
	uint64_t seq;
	/** Of what has no birth time, as undo will look for it: memory of the lot. */
	struct br_bytes handle;
};

/** A file system that was met. */
struct met {
	uint64_t dev;
	size_t change;
};

/** What commit fills: the changes' indices, first those that may be done at a time, and what became
 * of them. */
struct commit {
	struct br_picks picks;
	size_t order[BATCH];
	struct br_answer_of answers[BATCH];
};

/** A batch: queued, or being done. */
struct lot {
	/** Of the paths. */
	struct br_arena arena;
	struct change changes[BATCH];
	size_t n;
	/** Of their paths. */
	size_t bytes;
	struct timespec since;
	/** Those that are to be read again. */
	size_t stale;
	/** INTENTs written. */
	size_t announced;
	/** File systems other than the target's that they are about: the number of each, and the
	 * change that was the first. */
	br_vec(struct met) met;
};

struct batch {
	struct br_work *work;
	const struct br_tree *tree;
	struct br_target *target;
	/** As of before the walk. */
	struct br_time quiet;
	struct br_crew *crew;
	struct commit *commit;
	/** For the handles of what has no birth time. */
	struct br_way way;
	/** The one that is queued; the one that is being done, or NULL. */
	struct lot *lot;
	struct lot *sent;
	struct lot *spare;
	/** How many of the latter have their turn at a time, and how many there are. */
	size_t first, all;
	/** Something of the target's was changed: for the threads. */
	atomic_bool changed;
	/** Nothing further is to be done. */
	bool over;
};

static void left_alone(struct batch *b, const char *path, const struct br_answer_of *answer) {
	struct br_apply_result *result = b->work->result;
	if (answer->outcome == BR_CONFLICT) {
		result->conflicts++;
	} else {
		result->failed++;
	}
	br_few_add(b->work->arena, br_few_of(result), b->target, path, answer->why);
}

// ---- Prepare ----

/** A file with several names may have been changed by another of them. */
static bool done_by_other_name(struct batch *b, const struct change *c) {
	struct br_inode now;
	struct br_inode after;
	const char *name;
	const struct br_job *job = b->work->job;
	if (S_ISDIR(c->now.mode) || c->now.nlink < 2) {
		return false;
	}
	// Whoever decides knows the ACLs of his own table only.
	int dir = br_way_to(&b->way, b->target, c->path, &name);
	return dir >= 0 && br_inode_read(dir, name, BR_HAVE_ALL, b->work->acls, &now) == 0
		&& job->decide(job->context, b->tree, c->path, &now, &after) == 0;
}

/** Compare with what was decided on: 1 as it was, 0 it dropped out. */
static int compare(struct batch *b, struct change *c, const struct br_inode *now) {
	struct br_answer_of answer = {.outcome = BR_CONFLICT};
	if (!br_object_same(b->target, &c->before, now)) {
		(void)snprintf(answer.why, sizeof(answer.why), "another one has its name now");
	} else if (!br_inode_equal(&c->before, now)
		|| (!S_ISDIR(now->mode) && now->nlink != c->before.nlink)) {
		if (done_by_other_name(b, c)) {
			return 0;
		}
		br_object_differs(&c->before, now, answer.why);
	} else {
		return 1;
	}
	left_alone(b, c->path, &answer);
	return 0;
}

/**
 * Whether what the walk read will do for the INTENT. Undo uses that state in two ways: what still
 * is so needs nothing, and what is as the run may have left it goes back to so. Commit compares
 * once more at the very change and leaves alone what differs, so whatever the run changed was so.
 * What it did not change, undo touches only where somebody else made exactly the same change
 * meanwhile, which no reading before the sync could tell apart either. But the other names of a
 * file may have been changed by this run, and a handle has to be that of what was read.
 */
static bool is_fresh(const struct br_inode *walked) {
	return (walked->have & BR_HAVE_ALL) == BR_HAVE_ALL
		&& (S_ISDIR(walked->mode) || walked->nlink == 1)
		&& (walked->btime.sec != 0 || walked->btime.nsec != 0);
}

/** br_crew_job's: read one again. */
static bool read_again(void *context, struct br_way *way, struct br_acls *acls, size_t i) {
	struct batch *b = context;
	struct change *c = &b->lot->changes[i];
	const char *name;
	br_board_beat(b->work->board);
	if (is_fresh(&c->before)) {
		c->now = c->before;
		c->err = 0;
		return true;
	}
	int dir = br_way_to(way, b->target, c->path, &name);
	c->err = dir < 0 || br_inode_read(dir, name, BR_HAVE_ALL, acls, &c->now) < 0 ? errno : 0;
	return true;
}

/** Where there is no birth time; {0} else, and where it is gone already. */
static struct br_bytes handle_of(
	struct batch *b, const struct change *c, char room[BR_HANDLE_MAX]) {
	const char *name;
	if (c->now.btime.sec != 0 || c->now.btime.nsec != 0) {
		return (struct br_bytes){0};
	}
	int dir = br_way_to(&b->way, b->target, c->path, &name);
	if (dir < 0) {
		return (struct br_bytes){0};
	}
	return br_object_handle(dir, name, &c->now, room);
}

/** Of a file that loses the right to run as its owner: only as it is now may undo give that back.
 * 1, 0 there is nothing to be known, -1 with errno. */
static int contents_of(struct batch *b, const struct change *c, unsigned char out[BR_CONTENTS]) {
	const char *name;
	if (!br_privilege_goes(&c->before, &c->after)) {
		return 0;
	}
	int dir = br_way_to(&b->way, b->target, c->path, &name);
	return dir < 0 || br_contents_read(dir, name, b->work->options->cross, &c->before, out) < 0
		? -1
		: 1;
}

/** What undo could not give back wholly is not begun. */
static void cannot_read(struct batch *b, const struct change *c) {
	struct br_answer_of answer = {.outcome = BR_FAILED, .err = errno};
	(void)snprintf(answer.why, sizeof(answer.why), "its contents cannot be read: %s",
		strerror(answer.err));
	left_alone(b, c->path, &answer);
}

/** What an INTENT is about lies on another file system than the target does. */
static int meet(struct batch *b, size_t i) {
	struct lot *lot = b->lot;
	struct met met = {.dev = lot->changes[i].before.dev, .change = i};
	for (size_t k = lot->met.n; k > 0; k--) {
		if (lot->met.v[k - 1].dev == met.dev) {
			return 0;
		}
	}
	return br_vec_push(&lot->arena, &lot->met, met) < 0 ? br_error_memory(b->work->dx) : 0;
}

/** Undo shall know these again where the next start of the machine gives them other numbers. Where
 * one cannot be told there is no record. */
static int note_disks(struct batch *b) {
	const struct lot *lot = b->lot;
	for (size_t i = 0; i < lot->met.n; i++) {
		const struct change *c = &lot->changes[lot->met.v[i].change];
		const char *name;
		struct br_inode now;
		struct br_record record = {
			.type = BR_REC_DISK,
			.target = b->target->number,
			.before = {.dev = lot->met.v[i].dev},
		};
		br_auto(br_closep) int fd = br_object_open(&b->way, b->target, c->path);
		if (fd < 0 || br_inode_stat(fd, "", &now) < 0 || now.dev != record.before.dev) {
			continue;
		}
		record.fsid = br_disk_id(fd, br_way_to(&b->way, b->target, c->path, &name));
		if (record.fsid != 0 && br_work_add(b->work, &record) < 0) {
			return -1;
		}
	}
	return 0;
}

/** br_crew_job's: compare what was read, and write the INTENT. */
static int announce(void *context, size_t i) {
	struct batch *b = context;
	struct change *c = &b->lot->changes[i];
	char room[BR_HANDLE_MAX];
	unsigned char contents[BR_CONTENTS];
	if (c->err != 0) {
		struct br_answer_of answer = {.outcome = BR_FAILED, .err = c->err};
		if (br_object_lost(answer.err, answer.why)) {
			answer.outcome = BR_CONFLICT;
		}
		left_alone(b, c->path, &answer);
		return 1;
	}
	if (compare(b, c, &c->now) == 0) {
		return 1;
	}
	c->before = c->now;
	int known = contents_of(b, c, contents);
	if (known < 0) {
		cannot_read(b, c);
		return 1;
	}
	struct br_record record = {
		.type = BR_REC_INTENT,
		.target = b->target->number,
		.path = br_bytes_of(c->path),
		.before = c->before,
		.after = c->after,
		.extra = handle_of(b, c, room),
	};
	if (br_work_add(b->work, &record) < 0) {
		return -1;
	}
	c->seq = record.seq;
	c->handle = (struct br_bytes){NULL, record.extra.n};
	if (record.extra.n > 0) {
		c->handle.p = br_strndup(&b->lot->arena, record.extra.p, record.extra.n);
		if (c->handle.p == NULL) {
			return br_error_memory(b->work->dx);
		}
	}
	b->lot->announced++;
	if (c->before.dev != b->target->root.dev && meet(b, i) < 0) {
		return -1;
	}
	struct br_record digest = {
		.type = BR_REC_CONTENTS,
		.of = record.seq,
		.text = {(const char *)contents, sizeof(contents)},
	};
	return known > 0 && br_work_add(b->work, &digest) < 0 ? -1 : 1;
}

static int prepare(struct batch *b) {
	const struct br_crew_job job = {read_again, announce, b, .apart = b->lot->stale > 0};
	int r = br_crew_run(b->crew, &job, 0, b->lot->n);
	if (r >= 0) {
		r = note_disks(b);
	}
	br_way_release(&b->way);
	if (r < 0) {
		return -1;
	}
	if (b->lot->announced == 0) {
		return 0;
	}
	br_work_announces(b->work);
	return br_work_sync(b->work);
}

// ---- Commit ----

/** Whether this error would come again and again. */
static bool would_recur(const struct batch *b, int err) {
	// Where mount points are entered, one of them may be read-only and the rest not.
	bool elsewhere = err == EROFS && b->work->options->cross;
	return br_error_stops(err) && !elsewhere;
}

/** After the first refusal of a kind there is no point in asking a million times. */
static void maybe_stop(struct batch *b, int err) {
	if (would_recur(b, err) || (err == EPERM && b->target->changed == 0)) {
		b->target->stopped = err;
	}
}

static int record_result(
	struct batch *b, const struct change *c, const struct br_answer_of *answer) {
	// SAME: another name of the same file came first, and its record is the one to undo.
	if (answer->outcome != BR_SAME) {
		left_alone(b, c->path, answer);
	}
	if (answer->outcome == BR_FAILED) {
		maybe_stop(b, answer->err);
	}
	struct br_record record = {
		.type = BR_REC_RESULT,
		.of = c->seq,
		.err = (uint32_t)answer->err,
		.touched = answer->touched,
	};
	return br_work_add(b->work, &record);
}

/** Whether even the first one of all was refused. */
static bool is_first(const struct batch *b, int err) {
	return err == EPERM && !atomic_load_explicit(&b->changed, memory_order_relaxed);
}

/** br_crew_job's: change one. */
static bool bring(void *context, struct br_way *way, struct br_acls *acls, size_t i) {
	struct batch *b = context;
	const struct change *c = &b->sent->changes[b->commit->order[i]];
	struct br_wish wish = {
		.target = b->target,
		.path = c->path,
		.expect = &c->before,
		.handle = c->handle,
		.goal = &c->after,
		.states = &c->before,
		.nstates = 1,
		.links = true,
		.quiet = b->quiet,
		.seals = b->work->options->seals,
	};
	struct br_answer_of *answer = &b->commit->answers[i];
	br_board_beat(b->work->board);
	br_object_bring(way, acls, &wish, answer);
	if (answer->outcome == BR_CHANGED) {
		atomic_store_explicit(&b->changed, true, memory_order_relaxed);
	}
	return answer->outcome != BR_FAILED
		|| !(would_recur(b, answer->err) || is_first(b, answer->err));
}

/** Where the journal broke there was an error, too: nothing further is begun. */
static bool goes_on(struct batch *b) {
	return !b->over && b->target->stopped == 0 && !br_work_stops(b->work);
}

/** br_crew_job's: what became of it. */
static int conclude(void *context, size_t i) {
	struct batch *b = context;
	const struct br_answer_of *answer = &b->commit->answers[i];
	const struct change *c = &b->sent->changes[b->commit->order[i]];
	if (answer->outcome == BR_CHANGED) {
		b->work->result->changed++;
		b->target->changed++;
	} else if (record_result(b, c, answer) < 0) {
		return -1;
	}
	if (c->before.dev != b->target->root.dev
		&& br_target_met(b->work->arena, b->target, c->before.dev, c->path) < 0) {
		return br_error_memory(b->work->dx);
	}
	return goes_on(b);
}

/** Files before directories, and before what is there for the second time. */
static void put_in_order(struct batch *b) {
	size_t *order = b->commit->order;
	struct lot *lot = b->sent;
	size_t n = 0;
	memset(&b->commit->picks, 0, sizeof(b->commit->picks));
	for (size_t i = 0; i < lot->n; i++) {
		struct change *c = &lot->changes[i];
		c->alone = c->seq != 0 && !br_pick(&b->commit->picks, &c->before);
		if (c->seq != 0 && !c->alone) {
			order[n++] = i;
		}
	}
	b->first = n;
	for (size_t i = 0; i < lot->n; i++) {
		if (lot->changes[i].alone) {
			order[n++] = i;
		}
	}
	b->all = n;
}

/** Begin what may be done at a time. */
static void commit(struct batch *b) {
	const struct br_crew_job job = {bring, conclude, b, .apart = true};
	b->sent = b->lot;
	b->lot = b->spare;
	put_in_order(b);
	br_crew_begin(b->crew, &job, 0, goes_on(b) ? b->first : 0);
}

static void empty(struct lot *lot) {
	br_arena_release(&lot->arena);
	memset(&lot->met, 0, sizeof(lot->met));
	lot->n = 0;
	lot->bytes = 0;
	lot->announced = 0;
	lot->stale = 0;
}

/** Wait for it, and do the rest one by one. */
static int finish(struct batch *b) {
	const struct br_crew_job job = {bring, conclude, b, .apart = false};
	if (b->sent == NULL) {
		return 0;
	}
	int r = br_crew_end(b->crew);
	if (r > 0 && goes_on(b)) {
		r = br_crew_run(b->crew, &job, b->first, b->all);
	}
	empty(b->sent);
	b->spare = b->sent;
	b->sent = NULL;
	const struct br_apply_options *options = b->work->options;
	if (options->progress != NULL) {
		options->progress(options->context, b->work->result->changed);
	}
	return r < 0 ? -1 : 0;
}

static int flush(struct batch *b) {
	// Another name of a file may be under way.
	int r = b->lot->stale > 0 ? finish(b) : 0;
	if (r == 0) {
		r = prepare(b);
	}
	b->over = r < 0;
	if (finish(b) < 0) {
		r = -1;
	}
	if (r == 0 && b->lot->announced > 0) {
		commit(b);
	} else {
		empty(b->lot);
	}
	return r;
}

// ---- The walk ----

static bool is_old(const struct batch *b) {
	struct timespec now;
	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0) {
		return true;
	}
	return (now.tv_sec - b->lot->since.tv_sec) * 1000
		+ (now.tv_nsec - b->lot->since.tv_nsec) / 1000000
		>= BATCH_MS;
}

/** The directory of an entry as it will be: a sticky one decides about what is in it. -1: no
 * memory. */
static int parent_to_be(struct batch *b, const struct br_entry *entry, struct br_inode *parent) {
	const struct br_job *job = b->work->job;
	const char *slash = strrchr(entry->path, '/');
	size_t n = slash != NULL ? (size_t)(slash - entry->path) : 0;
	*parent = *entry->parent;
	br_auto(br_freep) char *path = strndup(entry->path, n);
	struct br_inode after;
	int r = path == NULL ? -1 : job->decide(job->context, b->tree, path, parent, &after);
	if (r == 1) {
		*parent = after;
	}
	return r < 0 ? -1 : 0;
}

/** Whether somebody listens. What is covered by a mount is not seen from within the jail: then the
 * whole is not told. */
static bool tells(const struct batch *b, const struct br_entry *entry) {
	return b->work->options->see != NULL && entry->event != BR_LEAVE
		&& b->target->covered == NULL;
}

/** Tell of an entry, as `inode` or as nothing. */
static int tell(struct batch *b, const struct br_entry *entry, const struct br_inode *inode) {
	const struct br_apply_options *options = b->work->options;
	struct br_entry told = *entry;
	struct br_inode parent;
	if (!tells(b, entry)) {
		return 0;
	}
	if (entry->parent != NULL && (entry->parent->mode & S_ISVTX) != 0) {
		if (parent_to_be(b, entry, &parent) < 0) {
			return br_error_memory(b->work->dx);
		}
		told.parent = &parent;
	}
	told.inode = inode;
	return options->see(options->see_context, b->tree, &told);
}

/** br_decide, but 0 where nothing would change, and -1 with an error. */
static int decide(struct batch *b, const struct br_entry *entry, struct br_inode *after) {
	const struct br_job *job = b->work->job;
	int r = job->decide(job->context, b->tree, entry->path, entry->inode, after);
	if (r < 0) {
		return br_error_memory(b->work->dx);
	}
	return r == 1 ? !br_inode_equal(entry->inode, after) : r;
}

static int queue(struct batch *b, const struct br_entry *entry) {
	struct change c = {.before = *entry->inode};
	int r = decide(b, entry, &c.after);
	if (r < 0 || tell(b, entry, r == 1 ? &c.after : entry->inode) < 0) {
		return -1;
	}
	if (r > 1) {
		struct br_answer_of answer = {.outcome = BR_CONFLICT,
			.why = "nothing like it was there when the plan was made"};
		left_alone(b, entry->path, &answer);
	}
	if (r == 1 && entry->path_len > PATH_LONGEST) {
		struct br_answer_of answer = {.outcome = BR_FAILED, .why = "its path is too long"};
		left_alone(b, entry->path, &answer);
		r = 0;
	}
	if (r != 1) {
		return 0;
	}
	struct lot *lot = b->lot;
	if (lot->n == 0 && clock_gettime(CLOCK_MONOTONIC, &lot->since) < 0) {
		lot->since = (struct timespec){0};
	}
	c.path = br_strndup(&lot->arena, entry->path, entry->path_len);
	if (c.path == NULL) {
		return br_error_memory(b->work->dx);
	}
	lot->stale += !is_fresh(&c.before);
	lot->bytes += entry->path_len;
	lot->changes[lot->n++] = c;
	return lot->n == BATCH || lot->bytes >= BATCH_BYTES || is_old(b) ? flush(b) : 0;
}

/** Tell of what has no turn now. */
static int foresee(struct batch *b, const struct br_entry *entry) {
	struct br_inode after;
	if (!tells(b, entry)) {
		return 0;
	}
	int r = entry->inode != NULL && !entry->mount_point ? decide(b, entry, &after) : 0;
	return r < 0 ? -1 : tell(b, entry, r == 1 ? &after : entry->inode);
}

/** What could not be looked at: said, unless its reader has no right to see it, which the plan
 * knew. */
static void report_unseen(struct batch *b, const struct br_entry *entry) {
	struct br_answer_of answer = {.outcome = BR_FAILED, .err = entry->err};
	if (entry->err == 0 || entry->err == EACCES || entry->err == EPERM) {
		return;
	}
	if (entry->err == ESTALE || br_object_lost(entry->err, answer.why)) {
		answer.outcome = BR_CONFLICT;
	}
	if (entry->err == ESTALE) {
		(void)snprintf(answer.why, sizeof(answer.why), "another one has its name now");
	}
	left_alone(b, entry->path, &answer);
}

static bool is_excluded(void *context, const char *path, const struct br_inode *inode) {
	const struct batch *b = context;
	(void)inode; // Patterns are about names.
	if (br_target_covers(b->target, path)) {
		return true;
	}
	for (const char *const *p = b->work->options->excludes; p != NULL && *p != NULL; p++) {
		if (br_glob(*p, path)) {
			return true;
		}
	}
	return false;
}

/** Everything that the scan finds, or else what is told again. */
static int walk(struct batch *b, struct br_scan *scan, struct br_again *again) {
	const struct br_entry *entry;
	int more;
	while ((more = scan != NULL ? br_scan_next(scan, &entry) : br_again_next(again, &entry))
		> 0) {
		if (b->target->stopped != 0 || br_work_stops(b->work)) {
			return 0;
		}
		if (entry->event != BR_LEAVE) {
			report_unseen(b, entry);
		}
		// A directory's turn is when it is left.
		bool now = entry->event != BR_ENTER && entry->inode != NULL && !entry->mount_point;
		if ((now ? queue(b, entry) : foresee(b, entry)) < 0) {
			return -1;
		}
	}
	if (more < 0) {
		return br_error(b->work->dx, nowhere, "cannot walk '%s': %s", b->target->real,
			strerror(errno));
	}
	return flush(b);
}

static int walk_from(struct batch *b, const struct br_scan_options *options) {
	br_auto(br_scan_freep) struct br_scan *scan =
		br_scan_new(b->target->fd, b->work->acls, options);
	if (scan == NULL) {
		return br_error(b->work->dx, nowhere, "cannot walk '%s': %s", b->target->real,
			strerror(errno));
	}
	return walk(b, scan, NULL);
}

/** Whether what the plan saw will do: nothing lies under a mount, or waits for another machine, and
 * no name came or went since. */
static bool can_recall(const struct batch *b) {
	const struct br_seen *seen = b->work->job->seen;
	return seen != NULL && b->target->covered == NULL && !b->target->remote
		&& br_seen_holds(seen, b->target->fd);
}

/** The plan's walk again, without those whom nothing can become of. Each is still looked at, and
 * compared, before it is changed. */
static int recall(struct batch *b) {
	const struct br_seen *seen = b->work->job->seen;
	br_auto(br_again_freep) struct br_again *again = br_again_new(seen, b->target->fd);
	if (again == NULL) {
		return br_error(b->work->dx, nowhere, "cannot walk '%s': %s", b->target->real,
			strerror(errno));
	}
	b->quiet = br_seen_quiet(seen);
	b->work->result->recalled = true;
	return walk(b, NULL, again);
}

static void release_lots(struct batch *b) {
	if (b->lot != NULL && b->spare != NULL) {
		empty(b->lot);
		empty(b->spare);
	}
}

int br_walk_tree(struct br_work *work, const struct br_tree *tree, struct br_target *target) {
	struct batch b = {
		.work = work,
		.tree = tree,
		.target = target,
		.way = BR_WAY_NONE(work->options->cross),
		.quiet = br_inode_quiet(),
	};
	struct br_scan_options options = {
		.threads = work->options->threads,
		.depth = work->options->levels - 1, // 0, all levels, wraps to UINT_MAX
		.cross = work->options->cross,
		.leave = true,
		.automounts = target->remote,
		.excludes = work->options->excludes != NULL || target->covered != NULL ? is_excluded
										       : NULL,
		.context = &b,
		.want = BR_HAVE_ALL | (work->options->seals ? BR_HAVE_SEAL : 0U),
		.beat = work->board != NULL ? &work->board->beat : NULL,
	};
	br_board_ask(work->board, target, false);
	br_auto(br_crew_freep) struct br_crew *crew =
		br_crew_new(work->options->threads, work->options->cross);
	struct br_arena room = {0};
	b.crew = crew;
	b.commit = BR_NEW(&room, struct commit);
	b.lot = BR_NEW(&room, struct lot);
	b.spare = BR_NEW(&room, struct lot);
	int r = crew == NULL || b.commit == NULL || b.lot == NULL || b.spare == NULL
		? br_error_memory(work->dx)
		: can_recall(&b) ? recall(&b)
				 : walk_from(&b, &options);
	b.over = b.over || r < 0;
	if (finish(&b) < 0) {
		r = -1;
	}
	release_lots(&b);
	br_arena_release(&room);
	br_board_ask(work->board, NULL, false);
	return r;
}
