// What past runs left behind.

#include "run.h"

#include <base/file.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct br_span nowhere;

const char *br_run_state_name(enum br_run_state state) {
	switch (state) {
	case BR_RUN_APPLIED:
		return "applied";
	case BR_RUN_UNFINISHED:
		return "unfinished";
	case BR_RUN_UNDONE:
		return "undone";
	case BR_RUN_PARTLY_UNDONE:
		return "partly undone";
	case BR_RUN_RESUMED:
		return "resumed";
	case BR_RUN_DAMAGED:
		return "damaged";
	}
	return "?";
}

// ---- One run ----

/** What is gathered while a journal is read from its start. */
struct story {
	struct br_arena *arena;
	struct br_summary *out;
	br_vec(struct br_target *) targets;
	uint64_t announced;
	uint64_t untouched;
	uint64_t conflicts;
	bool begun, committed, interrupted, settled, undoing, undone;
	/** It was written under another ID. */
	bool foreign;
};

static char *text_of(struct br_arena *arena, struct br_bytes bytes) {
	return br_strndup(arena, bytes.n > 0 ? bytes.p : "", bytes.n);
}

static bool is_text(struct br_bytes bytes, const char *text) {
	return bytes.n == strlen(text) && memcmp(bytes.p, text, bytes.n) == 0;
}

static int take_begin(struct story *s, const struct br_record *r) {
	struct br_run *run = &s->out->run;
	s->begun = true;
	s->foreign = !is_text(r->path, run->id);
	run->when = (int64_t)r->when;
	run->uid.v = r->uid;
	s->out->machine = r->fsid;
	s->out->cross = r->cross != 0;
	run->input = text_of(s->arena, r->name);
	run->invoker = text_of(s->arena, r->text);
	return run->input != NULL && run->invoker != NULL ? 0 : -1;
}

static int take_plan(struct story *s, const struct br_record *r) {
	struct br_run *run = &s->out->run;
	run->plan = text_of(s->arena, r->text);
	run->version = text_of(s->arena, r->name);
	s->out->plain = r->privileged == 0;
	return run->plan != NULL && run->version != NULL ? 0 : -1;
}

static int take_target(struct story *s, const struct br_record *r) {
	struct br_target *t = BR_NEW(s->arena, struct br_target);
	if (t == NULL) {
		return -1;
	}
	t->fd = -1;
	t->number = (uint32_t)s->targets.n;
	t->real = text_of(s->arena, r->path);
	t->root = r->before;
	t->dev_then = r->before.dev;
	t->fsid = r->fsid;
	return t->real == NULL ? -1 : br_vec_push(s->arena, &s->targets, t);
}

static void take_end(struct story *s, const struct br_record *r) {
	s->out->run.changes = r->changes;
	s->out->run.makes = r->makes;
	s->out->run.accounts = r->accounts;
	s->out->ended = r->when;
	s->announced = s->announced > 0 ? s->announced : 1;
}

static int take(struct story *s, const struct br_record *r) {
	struct br_run *run = &s->out->run;
	switch (r->type) {
	case BR_REC_BEGIN:
		return take_begin(s, r);
	case BR_REC_PLAN:
		return take_plan(s, r);
	case BR_REC_TARGET:
		return take_target(s, r);
	case BR_REC_INTENT:
		s->announced++;
		run->changes++;
		return 0;
	case BR_REC_MKDIR:
		s->announced++;
		run->makes++;
		return 0;
	case BR_REC_ACCOUNT:
		s->announced++;
		run->accounts++;
		return 0;
	case BR_REC_RESULT:
		run->changes -= r->touched == 0 && run->changes > 0;
		return 0;
	case BR_REC_COMMIT:
		s->committed = true;
		take_end(s, r);
		return 0;
	case BR_REC_INTERRUPTED:
		s->interrupted = true;
		take_end(s, r);
		return 0;
	case BR_REC_UNDO_BEGIN:
		s->undoing = true;
		s->undone = s->settled = false;
		return 0;
	case BR_REC_UNDO_END:
		s->undone = true;
		s->conflicts = r->conflicts;
		take_end(s, r);
		return 0;
	case BR_REC_SETTLED:
		s->settled = true;
		s->undoing = s->undone = false;
		take_end(s, r);
		return 0;
	case BR_REC_MKDIR_DONE:
	case BR_REC_ACCOUNT_DONE:
	case BR_REC_UNDONE:
	case BR_REC_CONFLICT:
	case BR_REC_CONTENTS:
	case BR_REC_DISK:
	case BR_REC_TYPES:
		return 0;
	}
	return 0;
}

static void judge(const struct story *s) {
	struct br_summary *out = s->out;
	enum br_run_state state = BR_RUN_UNFINISHED;
	if (s->undone) {
		state = s->conflicts > 0 ? BR_RUN_PARTLY_UNDONE : BR_RUN_UNDONE;
	} else if (s->undoing) {
		state = BR_RUN_PARTLY_UNDONE;
	} else if (s->settled) {
		state = BR_RUN_RESUMED;
	} else if (s->committed) {
		state = BR_RUN_APPLIED;
	}
	out->run.state = state;
	out->pending = !s->undone && !s->settled && (s->undoing || !s->committed);
}

static int damaged(struct br_summary *out, const char *why) {
	out->run.state = BR_RUN_DAMAGED;
	out->run.why = why;
	return 1;
}

/** What a run begins with, before it announces anything. */
static bool is_beginning(enum br_record_type type) {
	return type == BR_REC_BEGIN || type == BR_REC_PLAN || type == BR_REC_TARGET;
}

/** Read records of the beginning, or all. 0, -1 with errno. */
static int read_records(struct story *s, struct br_journal *journal, bool all) {
	struct br_record record;
	int r;
	while ((r = br_journal_next(journal, &record)) > 0) {
		if (!all && !is_beginning(record.type)) {
			return 0;
		}
		if (take(s, &record) < 0) {
			return -1;
		}
	}
	return r;
}

static int read_story(struct story *s, struct br_journal *journal, int fd, struct br_acls *acls) {
	struct br_record last;
	int r = br_journal_glance(journal, fd, acls, &last);
	bool ended = r > 0
		&& (last.type == BR_REC_COMMIT || last.type == BR_REC_UNDO_END
			|| last.type == BR_REC_SETTLED);
	if (ended) {
		r = take(s, &last);
		return r == 0 ? read_records(s, journal, false) : r;
	}
	br_journal_release(journal);
	if (r < 0 || br_journal_open(journal, fd, acls) < 0) {
		return -1;
	}
	return read_records(s, journal, true);
}

/** Somebody writes it: nothing behind its beginning can be relied on. */
static int read_beginning(
	struct story *s, struct br_journal *journal, int fd, struct br_acls *acls) {
	struct br_record last;
	int r = br_journal_glance(journal, fd, acls, &last);
	// Its end is no end yet.
	s->announced = 1;
	return r < 0 ? -1 : read_records(s, journal, false);
}

static int give_targets(const struct story *s) {
	struct br_summary *out = s->out;
	const char **paths = BR_NEW_ARRAY(s->arena, const char *, s->targets.n);
	if (paths == NULL) {
		return -1;
	}
	for (size_t i = 0; i < s->targets.n; i++) {
		paths[i] = s->targets.v[i]->real;
	}
	out->run.targets = paths;
	out->run.ntargets = out->ntargets = s->targets.n;
	out->targets = s->targets.v;
	return 0;
}

/** One that is damaged somewhere, without an end that says how it went: where it was at work, if
 * that can be read. */
static int read_places(const struct story *damaged, int fd, struct br_acls *acls) {
	struct story s = {.arena = damaged->arena, .out = damaged->out};
	struct br_journal journal = {.fd = -1};
	if (damaged->committed || damaged->undone || damaged->settled) {
		return 0;
	}
	int r = read_beginning(&s, &journal, fd, acls);
	int err = errno;
	br_journal_release(&journal);
	errno = err;
	if (r < 0 && br_is_shortage(err)) {
		return -1;
	}
	// What is behind them may be what is damaged.
	s.out->pending = s.begun && !s.foreign && s.targets.n > 0;
	return s.out->pending ? give_targets(&s) : 0;
}

static int conclude(struct story *s, int r) {
	struct br_summary *out = s->out;
	if (r < 0 && br_is_shortage(errno)) {
		return -1;
	}
	if (r < 0) {
		return damaged(out,
			errno == EBADMSG           ? "it is damaged"
				: errno == ENOTSUP ? "another version of bindright wrote it"
						   : "it cannot be read");
	}
	if (!s->begun || s->announced == 0) {
		return 0;
	}
	if (s->foreign) {
		// What it did is another run's, and may have been put back as that.
		return damaged(out, "it is a copy of another run's");
	}
	if (give_targets(s) < 0) {
		return -1;
	}
	judge(s);
	return 1;
}

int br_summary_read(struct br_arena *arena, const struct br_state *state, const char *id,
	struct br_summary *out) {
	br_auto(br_closep) int fd = -1;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	const char *why = NULL;
	*out = (struct br_summary){.run.id = br_strdup(arena, id)};
	if (acls == NULL || out->run.id == NULL) {
		errno = ENOMEM;
		return -1;
	}
	int r = br_state_open_run(state, id, &fd, &why);
	if (r < 0) {
		return why != NULL ? damaged(out, why) : -1;
	}
	if (r == 0) {
		return 0;
	}
	struct story s = {.arena = arena, .out = out};
	struct br_journal journal = {.fd = -1};
	out->live = br_run_is_live(fd);
	r = out->live ? read_beginning(&s, &journal, fd, acls) : read_story(&s, &journal, fd, acls);
	int err = errno;
	br_journal_release(&journal);
	errno = err;
	if (r < 0 && err == EBADMSG && !out->live) {
		return read_places(&s, fd, acls) < 0 ? -1 : damaged(out, "it is damaged");
	}
	return conclude(&s, r);
}

int br_run_unseen(const char *id, struct br_diags *dx) {
	return errno == ENOMEM
		? br_error_memory(dx)
		: br_error(dx, nowhere, "cannot look at run %s: %s", id, strerror(errno));
}

// ---- All runs ----

static bool can_be_undone(const struct br_run *run) {
	return run->state == BR_RUN_APPLIED || run->state == BR_RUN_UNFINISHED
		|| run->state == BR_RUN_PARTLY_UNDONE || run->state == BR_RUN_RESUMED;
}

/** Whether what nobody has looked at yet, between the ends of a journal, is damaged. */
static bool is_broken_inside(const struct br_state *state, const char *id) {
	br_auto(br_closep) int fd = -1;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	struct br_journal journal = {.fd = -1};
	const char *why;
	if (acls == NULL || br_state_open_run(state, id, &fd, &why) <= 0) {
		return false;
	}
	bool broken = br_journal_open(&journal, fd, acls) < 0 && errno == EBADMSG;
	br_journal_release(&journal);
	return broken;
}

/** `whole`: all of each journal is read. */
static int list(struct br_arena *arena, const struct br_state *state, bool whole,
	const struct br_run **runs, size_t *n) {
	br_vec(struct br_run) all = {0};
	const char *const *ids = br_state_runs(arena, state);
	if (ids == NULL) {
		return -1;
	}
	for (; *ids != NULL; ids++) {
		struct br_summary s;
		int r = br_summary_read(arena, state, *ids, &s);
		if (r > 0 && whole && !s.live && is_broken_inside(state, *ids)) {
			r = damaged(&s, "it is damaged");
		}
		if (r < 0 || (r > 0 && br_vec_push(arena, &all, s.run) < 0)) {
			return -1;
		}
	}
	*runs = all.v;
	*n = all.n;
	return 0;
}

int br_history(struct br_arena *arena, const struct br_state_dir *state, const struct br_run **runs,
	size_t *n, struct br_diags *dx) {
	br_auto(br_state_release) struct br_state opened = BR_STATE_NONE;
	*runs = NULL;
	*n = 0;
	int r = br_state_open(arena, state, false, &opened, dx);
	if (r <= 0) {
		return r;
	}
	if (list(arena, &opened, true, runs, n) < 0) {
		return br_error(
			dx, nowhere, "cannot list '%s/runs': %s", opened.path, strerror(errno));
	}
	return 0;
}

void br_history_publish(const struct br_state *state) {
	struct br_arena arena = {0};
	const struct br_run *runs;
	size_t n;
	size_t undoable = 0;
	if (list(&arena, state, false, &runs, &n) == 0) {
		for (size_t i = 0; i < n; i++) {
			undoable += can_be_undone(&runs[i]);
		}
		br_state_publish(state, undoable);
	}
	br_arena_release(&arena);
}

size_t br_history_of_root(void) {
	size_t n;
	uint32_t count = 0;
	br_auto(br_closep) int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	br_auto(br_closep) int fd = root < 0 ? -1
					     : br_open_beneath(root, "var/lib/bindright/undoable",
						     O_RDONLY | O_NOFOLLOW | O_NONBLOCK, true);
	br_auto(br_freep) char *text = fd >= 0 ? br_read_fd(fd, 64, &n) : NULL;
	if (text == NULL) {
		return 0;
	}
	text[strcspn(text, "\n")] = '\0';
	return br_parse_u32(text, UINT32_MAX, &count) == 0 ? count : 0;
}

static int prune(struct br_arena *arena, const struct br_state *state, int64_t seconds,
	struct br_diags *dx) {
	const char *const *ids = br_state_runs(arena, state);
	int64_t before = (int64_t)time(NULL) - seconds;
	int n = 0;
	for (; ids != NULL && *ids != NULL; ids++) {
		struct br_summary s;
		int r = br_summary_read(arena, state, *ids, &s);
		if (r < 0) {
			return br_run_unseen(*ids, dx);
		}
		// A journal that announced nothing belongs to nobody: we hold the lock.
		bool old = r > 0 && !s.pending && s.run.state != BR_RUN_DAMAGED && s.ended > 0
			&& (int64_t)s.ended < before;
		if (r > 0 && !old) {
			continue;
		}
		// Whoever began it may have removed it himself meanwhile: it came to nothing.
		if (br_state_remove_run(state, *ids) < 0 && errno != ENOENT) {
			return br_error(
				dx, nowhere, "cannot remove run %s: %s", *ids, strerror(errno));
		}
		n += r > 0;
	}
	if (ids == NULL) {
		return br_error(
			dx, nowhere, "cannot list '%s/runs': %s", state->path, strerror(errno));
	}
	return n;
}

/** 0; -1 with an error in dx. */
static int drop(
	struct br_arena *arena, const struct br_state *state, const char *id, struct br_diags *dx) {
	struct br_summary s;
	const char *const *ids = br_state_runs(arena, state);
	bool known = false;
	for (size_t i = 0; ids != NULL && ids[i] != NULL; i++) {
		known = known || strcmp(ids[i], id) == 0;
	}
	if (ids == NULL) {
		return br_error(
			dx, nowhere, "cannot list '%s/runs': %s", state->path, strerror(errno));
	}
	if (!known) {
		return br_run_unknown(ids, id, dx);
	}
	if (br_summary_read(arena, state, id, &s) < 0) {
		return br_run_unseen(id, dx);
	}
	if (s.live) {
		return br_error(dx, nowhere, "another fix or undo works on run %s", id);
	}
	return br_state_remove_run(state, id) < 0
		? br_error(dx, nowhere, "cannot remove run %s: %s", id, strerror(errno))
		: 0;
}

int br_history_drop(const struct br_state_dir *state, const char *id, struct br_diags *dx) {
	static const char *const none[] = {NULL};
	br_auto(br_arena_release) struct br_arena arena = {0};
	br_auto(br_state_release) struct br_state opened = BR_STATE_NONE;
	int r = br_state_open(&arena, state, false, &opened, dx);
	if (r <= 0) {
		return r < 0 ? -1 : br_run_unknown(none, id, dx);
	}
	if (br_state_lock(&opened, dx) < 0) {
		return -1;
	}
	r = drop(&arena, &opened, id, dx);
	br_history_publish(&opened);
	return r;
}

int br_history_prune(const struct br_state_dir *state, int64_t seconds, struct br_diags *dx) {
	br_auto(br_arena_release) struct br_arena arena = {0};
	br_auto(br_state_release) struct br_state opened = BR_STATE_NONE;
	int r = br_state_open(&arena, state, false, &opened, dx);
	if (r <= 0) {
		return r;
	}
	if (br_state_lock(&opened, dx) < 0) {
		return -1;
	}
	r = prune(&arena, &opened, seconds, dx);
	br_history_publish(&opened);
	return r;
}
