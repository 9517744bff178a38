// A journal read from its end: directories before what is below them, so that whoever was let in is
// out before the contents are put back.
//
// A few thousand INTENTs at a time: their directories one by one, then their files by several
// threads.
//
// Nothing is announced again: whatever state an interrupted undo leaves behind is one of those that
// the INTENT implies (see br_object_states), so that undo can be run again at any time.

#include "undo.h"

#include <base/file.h>
#include <base/own.h>
#include <bindright/scan.h>
#include <bindright/source.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct br_span nowhere;

enum {
	FLUSH_AT = 256 << 10,
	/** Of paths in a window. */
	WINDOW_BYTES = 16 << 20,
};

// ---- The journal grows while it is read ----

static int broken(struct undo *u) {
	int err = errno;
	u->broken = true;
	return br_error(u->dx, nowhere, "cannot write the journal in '%s': %s", u->state.path,
		strerror(err));
}

static int note(struct undo *u, struct br_record *record) {
	// To settle a run is no undo of it: its story goes on where it was cut short.
	if (u->dry || (u->settle && record->type != BR_REC_SETTLED)) {
		return 0;
	}
	if (br_journal_add(&u->journal, record) < 0) {
		return broken(u);
	}
	if (u->journal.out.n <= FLUSH_AT) {
		return 0;
	}
	// A disk may take its time.
	unsigned asks = br_board_pause(u->board);
	int r = br_journal_flush(&u->journal);
	br_board_resume(u->board, asks);
	return r < 0 ? broken(u) : 0;
}

static int begin(struct undo *u) {
	struct br_record record = {.type = BR_REC_UNDO_BEGIN, .when = (uint64_t)time(NULL)};
	if (u->dry) {
		return 0;
	}
	// What is torn goes first, so that the chain goes on where it ended.
	if (br_journal_trim(&u->journal) < 0) {
		return broken(u);
	}
	return note(u, &record) < 0 ? -1 : br_journal_sync(&u->journal) < 0 ? broken(u) : 0;
}

/** What stays as it is until somebody does something about it; where nothing can be written nothing
 * can be in the way of anybody either. */
static bool is_unfinished(const struct br_target *t) {
	return br_error_stops(t->stopped) && t->stopped != EROFS;
}

/** The last record: UNDO_END, or what stands of a run that is settled. */
static struct br_record end_record(const struct undo *u) {
	const struct br_run *run = &u->summary.run;
	struct br_record record = {
		.type = u->settle ? BR_REC_SETTLED : BR_REC_UNDO_END,
		.when = (uint64_t)time(NULL),
		.changes = u->settle ? u->result->kept : run->changes,
		.makes = u->settle ? u->kept_makes : run->makes,
		.accounts = u->settle ? u->kept_accounts : run->accounts,
		.conflicts = u->result->conflicts + u->result->failed,
	};
	return record;
}

/** It only where every record had its turn. */
static int end(struct undo *u, bool whole) {
	bool stopped =
		!whole || u->interrupted || u->broken || (u->settle && u->result->failed > 0);
	bool lost = false;
	if (u->dry) {
		return 0;
	}
	for (size_t i = 0; i < u->summary.ntargets; i++) {
		const struct br_target *t = u->summary.targets[i];
		stopped = stopped || is_unfinished(t);
		if (t->fd >= 0 && br_target_sync(u->board, t) < 0) {
			stopped = lost = true;
			(void)br_error(u->dx, nowhere, "cannot write '%s' to disk: %s", t->real,
				strerror(errno));
			br_hint(u->dx, "bindright undo %s puts it back again", u->summary.run.id);
		}
	}
	struct br_record record = end_record(u);
	if (u->broken || br_journal_sync(&u->journal) < 0) {
		return u->broken ? -1 : broken(u);
	}
	if (stopped) {
		return lost ? -1 : 0;
	}
	if (note(u, &record) < 0) {
		return -1;
	}
	return br_journal_sync(&u->journal) < 0 ? broken(u) : 0;
}

// ---- One record ----

static const char *string(struct br_buf *room, struct br_bytes bytes) {
	room->n = 0;
	br_buf_addn(room, bytes.n > 0 ? bytes.p : "", bytes.n);
	return room->failed || memchr(room->s, '\0', bytes.n) != NULL ? NULL : room->s;
}

static int left_alone(struct undo *u, uint64_t of, const struct br_target *t, const char *path,
	const struct br_answer_of *answer) {
	struct br_few few = {u->result->examples, u->result->reasons, &u->result->nexamples};
	if (answer->outcome == BR_CONFLICT) {
		u->result->conflicts++;
	} else {
		u->result->failed++;
		if (u->failed_at == NULL && t != NULL) {
			u->failed_at = br_printf(
				u->arena, "%s%s%s", t->real, path[0] != '\0' ? "/" : "", path);
			u->failed_why = br_strdup(u->arena, answer->why);
		}
	}
	br_few_add(u->arena, few, t, path, answer->why);
	struct br_record record = {
		.type = BR_REC_CONFLICT, .of = of, .text = br_bytes_of(answer->why)};
	return note(u, &record);
}

/** What became of it, counted and noted. `count` is what a change counts as. */
static int conclude(struct undo *u, uint64_t of, struct br_target *t, const char *path,
	const struct br_answer_of *answer) {
	struct br_record record = {.type = BR_REC_UNDONE, .of = of};
	switch (answer->outcome) {
	case BR_SAME:
		u->result->same++;
		return 0;
	case BR_CHANGED:
		return note(u, &record);
	case BR_FAILED:
		if (t != NULL && br_error_stops(answer->err)) {
			t->stopped = answer->err;
		}
		return left_alone(u, of, t, path, answer);
	case BR_CONFLICT:
		return left_alone(u, of, t, path, answer);
	}
	return 0;
}

/** Half done as it is, or where it cannot be seen but will be again, nobody may go on from there. */
static void judge_conflict(const struct undo *u, struct br_answer_of *answer) {
	bool hidden = answer->err == EXDEV || answer->err == EAGAIN;
	if (u->settle && answer->outcome == BR_CONFLICT && (answer->between || hidden)) {
		answer->outcome = BR_FAILED;
	}
}

static struct br_target *target_at(struct undo *u, uint32_t number) {
	return number < u->summary.ntargets ? u->summary.targets[number] : NULL;
}

/** The target is gone, another one, or refuses: true, and counted. */
static bool is_stopped(struct undo *u, const struct br_record *r, struct br_target *t, int *out) {
	struct br_answer_of answer = {.outcome = BR_FAILED, .err = t->stopped};
	if (t->stopped == 0) {
		return false;
	}
	if (t->stopped == ETIMEDOUT) {
		(void)snprintf(answer.why, sizeof(answer.why), "its file system does not answer");
	} else if (t->stopped == ESTALE) {
		answer.outcome = BR_CONFLICT;
		(void)snprintf(answer.why, sizeof(answer.why), "another one has its name now");
	} else if (br_object_lost(t->stopped, answer.why)) {
		answer.outcome = BR_CONFLICT;
	}
	*out = left_alone(u, r->seq, t, "", &answer);
	return true;
}

static int latest_first(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;
	return (x < y) - (x > y);
}

/**
 * Whether a RESULT said that nothing was done. Those of a batch are all met before its INTENTs, but
 * in the order in which it was done: files before directories.
 */
static bool is_untouched(struct undo *u, uint64_t seq) {
	if (u->untouched_sorted < u->untouched.n) {
		qsort(u->untouched.v + u->untouched_at, u->untouched.n - u->untouched_at,
			sizeof(*u->untouched.v), latest_first);
		u->untouched_sorted = u->untouched.n;
	}
	while (u->untouched_at < u->untouched.n && u->untouched.v[u->untouched_at] > seq) {
		u->untouched_at++;
	}
	return u->untouched_at < u->untouched.n && u->untouched.v[u->untouched_at] == seq;
}

static int by_number(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/** The last undo that came to its end put this back, or found it so; counted. What became of it
 * since then is not ours. */
static bool is_settled(struct undo *u, uint64_t seq) {
	bool settled = u->settled
		&& (u->left.n == 0
			|| bsearch(&seq, u->left.v, u->left.n, sizeof(*u->left.v), by_number)
				== NULL);
	u->result->same += settled;
	return settled;
}

/** Met before what they are about, the end of an undo first. */
static int learn_of_undo(struct undo *u, const struct br_record *r) {
	if (r->type == BR_REC_UNDO_END && !u->settled) {
		u->settled = u->settling = true;
	} else if (r->type == BR_REC_CONFLICT && u->settling) {
		return br_vec_push(u->arena, &u->left, r->of) < 0 ? br_error_memory(u->dx) : 1;
	} else if (r->type == BR_REC_UNDO_BEGIN && u->settling) {
		u->settling = false;
		if (u->left.n > 0) {
			qsort(u->left.v, u->left.n, sizeof(*u->left.v), by_number);
		}
	}
	return 1;
}

/** br_crew_job's: put one back. */
static bool bring(void *context, struct br_way *way, struct br_acls *acls, size_t i) {
	const struct undo *u = context;
	struct item *item = u->window->order[i];
	struct br_inode states[BR_STATES_MAX];
	struct br_wish wish = {
		.target = item->target,
		.path = item->path,
		.expect = &item->after,
		.handle = item->handle,
		.goal = &item->before,
		.states = states,
		.nstates = br_object_states(&item->before, &item->after, states),
		.contents = item->has_contents ? item->contents : NULL,
		.guarded = true,
		.seals = u->options->seals,
		.keep = u->settle ? &item->after : NULL,
		.dry = u->dry,
	};
	br_board_beat(u->board);
	br_object_bring(way, acls, &wish, &item->answer);
	judge_conflict(u, &item->answer);
	return true;
}

static bool wants_stop(struct undo *u) {
	if (u->options->stop != NULL && *u->options->stop != 0) {
		u->interrupted = true;
	}
	return u->interrupted;
}

/** br_crew_job's: what became of it. */
static int put_back(void *context, size_t i) {
	struct undo *u = context;
	struct item *item = u->window->order[i];
	u->result->restored += item->answer.outcome == BR_CHANGED;
	u->result->kept += item->answer.kept;
	if (!u->dry && item->before.dev != item->target->dev_then
		&& br_target_met(u->arena, item->target, item->before.dev, item->path) < 0) {
		return br_error_memory(u->dx);
	}
	if (conclude(u, item->seq, item->target, item->path, &item->answer) < 0) {
		return -1;
	}
	return !wants_stop(u);
}

/** Directories as they came, then files, then what is there for the second time. *first, *last: the
 * files among them. */
static void put_in_order(struct window *w, size_t *first, size_t *last) {
	size_t n = 0;
	memset(&w->picks, 0, sizeof(w->picks));
	for (size_t i = 0; i < w->n; i++) {
		if (S_ISDIR(w->items[i].before.mode)) {
			w->order[n++] = &w->items[i];
		}
	}
	*first = n;
	for (size_t i = 0; i < w->n; i++) {
		w->items[i].again = !S_ISDIR(w->items[i].before.mode)
			&& !br_pick(&w->picks, &w->items[i].before);
		if (!S_ISDIR(w->items[i].before.mode) && !w->items[i].again) {
			w->order[n++] = &w->items[i];
		}
	}
	*last = n;
	for (size_t i = 0; i < w->n; i++) {
		if (w->items[i].again) {
			w->order[n++] = &w->items[i];
		}
	}
}

static int flush(struct undo *u) {
	struct br_crew_job job = {bring, put_back, u, .apart = false};
	struct window *w = u->window;
	size_t first;
	size_t last;
	put_in_order(w, &first, &last);
	br_board_ask(u->board, w->n > 0 ? w->items[0].target : NULL, false);
	int r = br_crew_run(u->crew, &job, 0, first);
	if (r > 0) {
		job.apart = true;
		r = br_crew_run(u->crew, &job, first, last);
	}
	if (r > 0) {
		job.apart = false;
		r = br_crew_run(u->crew, &job, last, w->n);
	}
	br_board_ask(u->board, NULL, false);
	w->n = 0;
	w->bytes = 0;
	br_arena_release(&w->arena);
	return r;
}

/** Queue an INTENT: 1; 0 interrupted; -1. */
static int undo_intent(struct undo *u, struct br_record *r) {
	struct window *w = u->window;
	struct br_target *t = target_at(u, r->target);
	const char *path = string(&u->path, r->path);
	int out = 0;
	if (is_untouched(u, r->seq) || is_settled(u, r->seq)) {
		return 1;
	}
	if (t == NULL || path == NULL) {
		return br_undo_cannot_use(u, "it makes no sense");
	}
	if (is_stopped(u, r, t, &out)) {
		return out < 0 ? -1 : 1;
	}
	// All in one place, so that it is known which one does not answer.
	int flushed = w->n > 0 && w->items[0].target != t ? flush(u) : 1;
	if (flushed <= 0) {
		return flushed;
	}
	struct item item = {.seq = r->seq, .target = t, .before = r->before, .after = r->after};
	item.has_contents = u->contents_of == r->seq;
	memcpy(item.contents, u->contents, sizeof(item.contents));
	// Their bytes would not live until then.
	item.path = br_strdup(&w->arena, path);
	item.handle.n = r->extra.n <= BR_HANDLE_MAX ? r->extra.n : 0;
	item.handle.p = br_strndup(&w->arena, item.handle.n > 0 ? r->extra.p : "", item.handle.n);
	if (item.path == NULL || item.handle.p == NULL) {
		return br_error_memory(u->dx);
	}
	w->items[w->n++] = item;
	w->bytes += r->path.n;
	return w->n == WINDOW || w->bytes >= WINDOW_BYTES ? flush(u) : 1;
}

static const struct done *done_of(const struct undo *u, uint64_t seq) {
	for (size_t i = u->done.n; i > 0; i--) {
		if (u->done.v[i - 1].of == seq) {
			return &u->done.v[i - 1];
		}
	}
	return NULL;
}

/** How many of the directories that a dry run would have removed lie right in this one. */
static size_t removed_below(const struct undo *u, const char *path) {
	size_t n = 0;
	size_t len = strlen(path);
	for (size_t i = 0; i < u->removed.n; i++) {
		const char *p = u->removed.v[i];
		n += strncmp(p, path, len) == 0 && p[len] == '/'
			&& strchr(p + len + 1, '/') == NULL;
	}
	return n;
}

static int undo_mkdir(struct undo *u, struct br_record *r) {
	struct br_answer_of answer;
	struct br_target *t = target_at(u, r->target);
	const char *path = string(&u->path, r->path);
	const char *temporary = string(&u->name, r->name);
	const struct done *done = done_of(u, r->seq);
	int out = 0;
	if (is_settled(u, r->seq)) {
		return 0;
	}
	if (t == NULL || path == NULL || temporary == NULL) {
		return br_undo_cannot_use(u, "it makes no sense");
	}
	if (is_stopped(u, r, t, &out)) {
		return out;
	}
	struct br_made made = {
		.target = t,
		.path = path,
		.temporary = temporary,
		.identity = done != NULL ? &done->identity : NULL,
		.handle = done != NULL ? done->extra : (struct br_bytes){0},
		.half = u->settle,
		.ignore = u->dry ? removed_below(u, path) : 0,
	};
	br_board_ask(u->board, t, false);
	br_made_remove(&u->way, &made, u->dry, &answer);
	br_board_ask(u->board, NULL, false);
	// It may be the one that is held.
	br_way_release(&u->way);
	u->kept_makes += answer.kept;
	if (answer.outcome == BR_CHANGED) {
		u->result->removed++;
		const char *kept = br_strdup(u->arena, path);
		if (kept == NULL || br_vec_push(u->arena, &u->removed, kept) < 0) {
			return br_error_memory(u->dx);
		}
	}
	return conclude(u, r->seq, t, path, &answer);
}

// ---- Accounts ----

/** A user's group of its own goes with it. */
static bool owns(const struct br_made_account *account, const struct br_made_account *group,
	const struct br_inode *in) {
	return account->is_group
		? in->gid.v == account->id
		: in->uid.v == account->id || (group != NULL && in->gid.v == group->id);
}

/** br_scan_ask. */
static bool is_covered(void *context, const char *path, const struct br_inode *inode) {
	(void)inode;
	return br_target_covers(context, path);
}

/** Whether anything below this target belongs to the account: 1, 0, -1 could not be told. */
static int target_has_its_files(
	struct undo *u, const struct br_made_account *account, struct br_target *t) {
	const struct br_made_account *group = br_undo_group_of(u, account);
	struct br_scan_options options = {
		.threads = u->options->threads,
		.depth = UINT_MAX,
		.cross = u->summary.cross,
		.automounts = t->remote,
		.excludes = t->covered != NULL ? is_covered : NULL,
		.context = t,
		.beat = u->board != NULL ? &u->board->beat : NULL,
	};
	br_auto(br_scan_freep) struct br_scan *scan = br_scan_new(t->fd, u->acls, &options);
	const struct br_entry *entry;
	int more = scan != NULL ? 1 : -1;
	while (more > 0 && (more = br_scan_next(scan, &entry)) > 0) {
		if (entry->inode != NULL && owns(account, group, entry->inode)) {
			return 1;
		}
		if (entry->err != 0) {
			return -1;
		}
	}
	return more;
}

/** Why the account has to stay for what there is in the run's places: one clause, or NULL. */
static const char *why_has_files(struct undo *u, const struct br_made_account *account) {
	const char *why = NULL;
	// A dry run has not given them back yet.
	if (u->dry) {
		return u->result->conflicts > 0 || u->result->failed > 0
			? "files still belong to it"
			: NULL;
	}
	for (size_t i = 0; i < u->summary.ntargets && why == NULL; i++) {
		struct br_target *t = u->summary.targets[i];
		if (t->fd < 0 || t->stopped != 0) {
			why = "files may still belong to it where nobody can look now";
			continue;
		}
		br_board_ask(u->board, t, false);
		int has = target_has_its_files(u, account, t);
		br_board_ask(u->board, NULL, false);
		why = has == 0    ? NULL
			: has > 0 ? "files still belong to it"
				  : "it cannot be told whether files still belong to it";
	}
	return why;
}

static int undo_account(struct undo *u, struct br_record *r) {
	struct br_answer_of answer = {.outcome = BR_CONFLICT};
	struct br_served served;
	const char *name = string(&u->name, r->name);
	const struct br_made_account account = {
		.is_group = r->is_group != 0, .name = name, .id = r->uid, .gid = r->gid};
	if (is_settled(u, r->seq)) {
		return 0;
	}
	if (name == NULL) {
		return br_undo_cannot_use(u, "it makes no sense");
	}
	if (u->settle) {
		// There or not: nothing of it is between two states.
		u->kept_accounts += done_of(u, r->seq) != NULL;
		return 0;
	}
	br_undo_ask(u, BR_ASK_ACCOUNT_THERE, r->seq, &served);
	// Not to be told now is not absent: it may be told when it is to be removed.
	const char *why = served.r != 0 ? why_has_files(u, &account) : NULL;
	if (why != NULL) {
		(void)snprintf(answer.why, sizeof(answer.why), "%s", why);
	} else {
		br_undo_ask(u, BR_ASK_ACCOUNT_REMOVE, r->seq, &served);
		answer.outcome = (enum br_outcome)served.outcome;
		answer.err = served.err;
		memcpy(answer.why, served.why, sizeof(answer.why));
	}
	u->result->removed += answer.outcome == BR_CHANGED;
	return conclude(u, r->seq, NULL, name, &answer);
}

// ---- All records ----

/** Met before the INTENTs of its batch. 1; 0 interrupted; -1. */
static int take_disk(struct undo *u, const struct br_record *r) {
	struct br_target *t = target_at(u, r->target);
	struct br_disk disk = {.dev = r->before.dev, .id = r->fsid};
	if (t == NULL) {
		return br_undo_cannot_use(u, "it makes no sense");
	}
	if (br_target_disk(t, disk.dev) == disk.id) {
		return 1;
	}
	// The number was given away anew in the midst of the run: those that wait are of the later
	// one.
	int flushed = flush(u);
	for (size_t i = 0; i < t->disks.n; i++) {
		if (t->disks.v[i].dev == disk.dev) {
			t->disks.v[i] = disk;
			return flushed;
		}
	}
	return br_vec_push(u->arena, &t->disks, disk) < 0 ? br_error_memory(u->dx) : flushed;
}

static int remember(struct undo *u, const struct br_record *r, struct br_bytes extra) {
	struct done d = {.of = r->of, .identity = r->after};
	d.extra = (struct br_bytes){
		br_strndup(u->arena, extra.n > 0 ? extra.p : "", extra.n), extra.n};
	if (d.extra.p == NULL || br_vec_push(u->arena, &u->done, d) < 0) {
		return br_error_memory(u->dx);
	}
	return 0;
}

static int go_on(int r) {
	return r < 0 ? -1 : 1;
}

/** 1; 0 interrupted; -1. */
static int take(struct undo *u, struct br_record *r) {
	int flushed = 1;
	switch (r->type) {
	case BR_REC_INTENT:
		return undo_intent(u, r);
	case BR_REC_MKDIR:
		flushed = flush(u);
		return flushed > 0 ? go_on(undo_mkdir(u, r)) : flushed;
	case BR_REC_ACCOUNT:
		flushed = flush(u);
		return flushed > 0 ? go_on(undo_account(u, r)) : flushed;
	case BR_REC_MKDIR_DONE:
		return go_on(remember(u, r, r->extra));
	case BR_REC_ACCOUNT_DONE:
		return go_on(remember(u, r, r->text));
	case BR_REC_RESULT:
		if (r->touched == 0 && br_vec_push(u->arena, &u->untouched, r->of) < 0) {
			return br_error_memory(u->dx);
		}
		return 1;
	case BR_REC_UNDO_BEGIN:
	case BR_REC_CONFLICT:
	case BR_REC_UNDO_END:
		return learn_of_undo(u, r);
	case BR_REC_CONTENTS:
		u->contents_of = r->text.n == sizeof(u->contents) ? r->of : 0;
		memcpy(u->contents, r->text.p, u->contents_of != 0 ? r->text.n : 0);
		return 1;
	case BR_REC_DISK:
		return take_disk(u, r);
	case BR_REC_BEGIN:
	case BR_REC_PLAN:
	case BR_REC_SETTLED:
	case BR_REC_TARGET:
	case BR_REC_COMMIT:
	case BR_REC_INTERRUPTED:
	case BR_REC_UNDONE:
	case BR_REC_TYPES:
		return 1;
	}
	return 1;
}

static int go_through(struct undo *u) {
	struct br_record record;
	int r = begin(u);
	br_journal_to_end(&u->journal);
	while (r >= 0 && (r = br_journal_prev(&u->journal, &record)) > 0) {
		int taken = wants_stop(u) ? 0 : take(u, &record);
		if (taken <= 0) {
			return taken;
		}
		if (u->options->progress != NULL && record.seq % 4096 == 0) {
			u->options->progress(u->options->context, u->result->restored);
		}
	}
	if (r < 0 && !u->broken) {
		return br_undo_cannot_use(u, strerror(errno));
	}
	return r < 0 || flush(u) < 0 ? -1 : 0;
}

int br_undo_work(struct undo *u) {
	int worked = go_through(u);
	u->result->interrupted = u->interrupted;
	return end(u, worked == 0) < 0 ? -1 : worked;
}
