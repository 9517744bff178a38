// A journal read from its end: directories before what is below them, so that whoever was let in is out before the contents are put back.
//
// A few thousand INTENTs at a time: their directories one by one, then their files by several threads.
//
// Nothing is announced again: whatever state an interrupted undo leaves behind is one of those that the INTENT implies (see
// br_object_states), so that undo can be run again at any time.

#include "contents.h"
#include "crew.h"
#include "run.h"

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
	WINDOW = BR_PICKS,
};

/** An INTENT that waits for its turn. */
struct item {
	uint64_t seq;
	struct br_target *target;
	const char *path;
	struct br_bytes handle;
	struct br_inode before, after;
	/** What was in it, where that counts. */
	bool has_contents;
	unsigned char contents[BR_CONTENTS];
	/** Another name of something that waits already. */
	bool again;
	struct br_answer_of answer;
};

/** Those that wait: in the order in which they were met, and in that in which they are done. */
struct window {
	struct br_picks picks;
	struct item items[WINDOW];
	struct item *order[WINDOW];
	size_t n;
	/** Paths and handles. */
	struct br_arena arena;
};

/** What MKDIR_DONE or ACCOUNT_DONE said, met before the record that it is about. */
struct done {
	uint64_t of;
	struct br_inode identity;
	struct br_bytes extra;
};

struct undo {
	struct br_arena *arena;
	const struct br_apply_options *options;
	struct br_undo_result *result;
	struct br_diags *dx;
	bool dry;
	struct br_state state;
	int fd;
	struct br_acls *acls;
	struct br_journal journal;
	struct br_summary summary;
	struct br_way way;
	struct br_crew *crew;
	struct window *window;
	/** RESULTs of what was not touched, the latest first; those before `untouched_at` are behind us. */
	br_vec(uint64_t) untouched;
	size_t untouched_at;
	br_vec(struct done) done;
	/** The last CONTENTS, met before its INTENT. */
	uint64_t contents_of;
	unsigned char contents[BR_CONTENTS];
	/** An undo came to its end before: only what it left alone, in order, has another turn. `settling`: its records are being read. */
	bool settled, settling;
	br_vec(uint64_t) left;
	/** Paths of directories that a dry run would have removed. */
	br_vec(const char *) removed;
	struct br_buf path;
	struct br_buf name;
	bool interrupted;
	bool broken;
};

// ---- Opening ----

static int find_run(struct undo *u, const char *id) {
	int r = br_state_open(u->arena, &u->options->state, false, &u->state, u->dx);
	if (r > 0 && !u->dry && br_state_lock(&u->state, u->dx) < 0) {
		return -1;
	}
	return r < 0 ? -1
		     : br_undo_choose(u->arena, r > 0 ? &u->state : NULL, id, &u->summary, u->dx);
}

static int cannot_use(struct undo *u, const char *why) {
	return br_error(
		u->dx, nowhere, "the journal of run %s cannot be used: %s", u->summary.run.id, why);
}

static int open_journal(struct undo *u) {
	const char *why = "it is gone";
	uint64_t here = br_machine();
	if (u->summary.run.state == BR_RUN_DAMAGED) {
		return cannot_use(u, u->summary.run.why);
	}
	if (here != 0 && u->summary.machine != 0 && here != u->summary.machine) {
		return cannot_use(u, "it was written on another machine");
	}
	if (br_state_open_run(&u->state, u->summary.run.id, &u->fd, &why) <= 0) {
		return cannot_use(u, why != NULL ? why : "it is gone");
	}
	if (!u->dry && br_run_lock(u->fd) < 0) {
		return cannot_use(u, strerror(errno));
	}
	br_state_unlock(&u->state);
	u->acls = br_acls_new();
	if (u->acls == NULL) {
		return br_error_memory(u->dx);
	}
	if (br_journal_open(&u->journal, u->fd, u->acls) < 0) {
		return cannot_use(u, errno == EBADMSG ? "it is damaged" : strerror(errno));
	}
	return 0;
}

static bool is_same_root(struct br_target *t, const struct br_inode *now) {
	struct br_inode then = t->root;
	uint64_t fsid = br_target_look(t);
	if (then.dev != now->dev && fsid == t->fsid && fsid != 0) {
		then.dev = now->dev;
	}
	if (t->copies_up) {
		then.btime = now->btime;
	}
	return br_inode_same(&then, now);
}

/** Find the target again; where that fails it is stopped, and everything below it will be a conflict. */
static void open_target(struct undo *u, int slash, struct br_target *t) {
	struct br_inode now;
	struct br_source source;
	// Guarded: its server may be gone.
	int asked = br_source_open(u->arena, t->real, geteuid(), &source);
	br_source_release(&source);
	if (asked < 0 || source.err == ETIMEDOUT) {
		t->stopped = asked < 0 ? ENOMEM : ETIMEDOUT;
		t->fd = -1;
		return;
	}
	const char *below = t->real[0] == '/' ? t->real + 1 : t->real;
	t->fd = br_open_beneath(slash, below, O_PATH | O_NOFOLLOW, true);
	t->owns_fd = true;
	if (t->fd < 0 || br_inode_stat(t->fd, "", &now) < 0) {
		t->stopped = errno;
		return;
	}
	if (!is_same_root(t, &now)) {
		t->stopped = ESTALE;
		return;
	}
	t->root = now;
}

static int open_all(struct undo *u) {
	if (open_journal(u) < 0) {
		return -1;
	}
	br_auto(br_closep) int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (slash < 0) {
		return br_error(u->dx, nowhere, "cannot open '/': %s", strerror(errno));
	}
	for (size_t i = 0; i < u->summary.ntargets; i++) {
		open_target(u, slash, u->summary.targets[i]);
	}
	u->way = (struct br_way)BR_WAY_NONE(u->summary.cross);
	u->crew = br_crew_new(u->options->threads, u->summary.cross);
	u->window = calloc(1, sizeof(*u->window));
	return u->crew == NULL || u->window == NULL ? br_error_memory(u->dx) : 0;
}

// ---- The journal grows while it is read ----

static int broken(struct undo *u) {
	int err = errno;
	u->broken = true;
	return br_error(u->dx, nowhere, "cannot write the journal in '%s': %s", u->state.path,
		strerror(err));
}

static int note(struct undo *u, struct br_record *record) {
	if (u->dry) {
		return 0;
	}
	if (br_journal_add(&u->journal, record) < 0
		|| (u->journal.out.n > FLUSH_AT && br_journal_flush(&u->journal) < 0)) {
		return broken(u);
	}
	return 0;
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

/** UNDO_END only where every record had its turn. */
static int end(struct undo *u, bool whole) {
	bool stopped = !whole || u->interrupted || u->broken;
	if (u->dry) {
		return 0;
	}
	for (size_t i = 0; i < u->summary.ntargets; i++) {
		const struct br_target *t = u->summary.targets[i];
		stopped = stopped || br_error_stops(t->stopped);
		if (t->fd >= 0 && br_target_sync(t) < 0) {
			stopped = true;
			(void)br_error(u->dx, nowhere, "cannot write '%s' to disk: %s", t->real,
				strerror(errno));
		}
	}
	struct br_record record = {
		.type = BR_REC_UNDO_END,
		.when = (uint64_t)time(NULL),
		.changes = u->summary.run.changes,
		.makes = u->summary.run.makes,
		.accounts = u->summary.run.accounts,
		.conflicts = u->result->conflicts + u->result->failed,
	};
	if (u->broken || br_journal_sync(&u->journal) < 0) {
		return u->broken ? -1 : broken(u);
	}
	if (stopped) {
		return 0;
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

static struct br_target *target_at(struct undo *u, uint32_t number) {
	return number < u->summary.ntargets ? u->summary.targets[number] : NULL;
}

/** The target is gone, another one, or refuses: true, and counted. */
static bool is_stopped(struct undo *u, const struct br_record *r, struct br_target *t, int *out) {
	struct br_answer_of answer = {.outcome = BR_FAILED, .err = t->stopped};
	if (t->stopped == 0) {
		return false;
	}
	if (t->stopped == ESTALE) {
		answer.outcome = BR_CONFLICT;
		(void)snprintf(answer.why, sizeof(answer.why), "another one has its name now");
	} else if (br_object_lost(t->stopped, answer.why)) {
		answer.outcome = BR_CONFLICT;
	}
	*out = left_alone(u, r->seq, t, "", &answer);
	return true;
}

/** Whether a RESULT said that nothing was done. INTENTs and their RESULTs are met in the same order. */
static bool is_untouched(struct undo *u, uint64_t seq) {
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

/** The last undo that came to its end put this back, or found it so; counted. What became of it since then is not ours. */
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
		.dry = u->dry,
	};
	br_object_bring(way, acls, &wish, &item->answer);
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
	if (conclude(u, item->seq, item->target, item->path, &item->answer) < 0) {
		return -1;
	}
	return !wants_stop(u);
}

/** Directories as they came, then files, then what is there for the second time. *first, *last: the files among them. */
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
	int r = br_crew_run(u->crew, &job, 0, first);
	if (r > 0) {
		job.apart = true;
		r = br_crew_run(u->crew, &job, first, last);
	}
	if (r > 0) {
		job.apart = false;
		r = br_crew_run(u->crew, &job, last, w->n);
	}
	w->n = 0;
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
		return cannot_use(u, "it makes no sense");
	}
	if (is_stopped(u, r, t, &out)) {
		return out < 0 ? -1 : 1;
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
	return w->n == WINDOW ? flush(u) : 1;
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
		return cannot_use(u, "it makes no sense");
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
		.ignore = u->dry ? removed_below(u, path) : 0,
	};
	br_made_remove(&u->way, &made, u->dry, &answer);
	// It may be the one that is held.
	br_way_release(&u->way);
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

static bool owns(const struct br_record *account, const struct br_inode *in) {
	return account->is_group ? in->gid.v == account->uid : in->uid.v == account->uid;
}

/** Whether anything below this target belongs to the account: 1, 0, -1 could not be told. */
static int target_has_its_files(
	struct undo *u, const struct br_record *account, const struct br_target *t) {
	struct br_scan_options options = {.threads = u->options->threads, .depth = UINT_MAX};
	br_auto(br_scan_freep) struct br_scan *scan = br_scan_new(t->fd, u->acls, &options);
	const struct br_entry *entry;
	int more = scan != NULL ? 1 : -1;
	while (more > 0 && (more = br_scan_next(scan, &entry)) > 0) {
		if (entry->inode != NULL && owns(account, entry->inode)) {
			return 1;
		}
	}
	return more;
}

static bool has_files(struct undo *u, const struct br_record *account) {
	// A dry run has not given them back yet.
	if (u->dry) {
		return u->result->conflicts > 0 || u->result->failed > 0;
	}
	for (size_t i = 0; i < u->summary.ntargets; i++) {
		const struct br_target *t = u->summary.targets[i];
		if (t->fd >= 0 && t->stopped == 0 && target_has_its_files(u, account, t) != 0) {
			return true;
		}
	}
	return false;
}

static int undo_account(struct undo *u, struct br_record *r) {
	struct br_answer_of answer = {.outcome = BR_CONFLICT};
	const struct done *done = done_of(u, r->seq);
	const char *name = string(&u->name, r->name);
	char *line = NULL;
	const char *kept = br_strndup(u->arena, r->text.n > 0 ? r->text.p : "", r->text.n);
	if (kept == NULL) {
		return br_error_memory(u->dx);
	}
	if (is_settled(u, r->seq)) {
		return 0;
	}
	if (name == NULL) {
		return cannot_use(u, "it makes no sense");
	}
	struct br_made_account account = {
		.is_group = r->is_group != 0,
		.name = name,
		.id = r->uid,
		.line = done != NULL ? done->extra : br_bytes_of(kept),
	};
	int there = br_account_line(account.is_group, name, &line);
	free(line);
	if (there > 0 && has_files(u, r)) {
		(void)snprintf(answer.why, sizeof(answer.why), "files still belong to it");
	} else {
		br_account_remove(&account, u->dry, &answer);
	}
	u->result->removed += answer.outcome == BR_CHANGED;
	return conclude(u, r->seq, NULL, name, &answer);
}

// ---- All records ----

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
	case BR_REC_BEGIN:
	case BR_REC_TARGET:
	case BR_REC_COMMIT:
	case BR_REC_INTERRUPTED:
	case BR_REC_UNDONE:
	case BR_REC_TYPES:
		return 1;
	}
	return 1;
}

static int work_through(struct undo *u) {
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
		return cannot_use(u, strerror(errno));
	}
	return r < 0 || flush(u) < 0 ? -1 : 0;
}

static void release(struct undo *u) {
	br_crew_free(u->crew);
	if (u->window != NULL) {
		br_arena_release(&u->window->arena);
	}
	free(u->window);
	br_journal_release(&u->journal);
	br_targets_release(u->summary.targets, u->summary.ntargets);
	br_way_release(&u->way);
	br_buf_release(&u->path);
	br_buf_release(&u->name);
	br_closep(&u->fd);
	br_acls_free(u->acls);
	br_state_release(&u->state);
}

static int tell(struct undo *u, int worked) {
	const struct br_undo_result *result = u->result;
	const struct br_run *run = &u->summary.run;
	if (u->interrupted) {
		(void)br_error(u->dx, nowhere, "interrupted: %ju of %ju put back",
			(uintmax_t)result->restored + (uintmax_t)result->same,
			(uintmax_t)run->changes);
		br_hint(u->dx, "bindright undo %s puts back the rest", run->id);
		return -1;
	}
	if (worked == 0 && result->failed > 0) {
		return br_error(u->dx, nowhere, "%llu could not be put back",
			(unsigned long long)result->failed);
	}
	return worked;
}

// NOLINTNEXTLINE(readability-function-size): the header's parameters
int br_undo(struct br_arena *arena, const char *id, bool dry,
	const struct br_apply_options *options, struct br_run *run, struct br_undo_result *result,
	struct br_diags *dx) {
	struct undo u = {
		.arena = arena,
		.options = options,
		.result = result,
		.dx = dx,
		.dry = dry,
		.state = BR_STATE_NONE,
		.fd = -1,
		.way = BR_WAY_NONE(false),
	};
	*result = (struct br_undo_result){0};
	*run = (struct br_run){0};
	int r = find_run(&u, id);
	*run = u.summary.run;
	if (r > 0) {
		int worked = open_all(&u);
		if (worked == 0) {
			worked = work_through(&u);
			result->interrupted = u.interrupted;
			worked = end(&u, worked == 0) < 0 ? -1 : worked;
			worked = tell(&u, worked);
		}
		if (!dry) {
			br_run_unlock(u.fd);
			br_history_publish(&u.state);
		}
		r = worked < 0 ? -1 : 1;
	}
	release(&u);
	return r;
}
