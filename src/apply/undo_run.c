// An undo from without: which run, its journal and its places; done in a process of its own; and
// how it went.

#include "undo.h"

#include <base/file.h>
#include <base/own.h>
#include <bindright/source.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static const struct br_span nowhere;

// ---- Opening ----

static int find_run(struct undo *u, const char *id) {
	int r = br_state_open(u->arena, &u->options->state, false, &u->state, u->dx);
	if (r > 0 && !u->dry && br_state_lock(&u->state, u->dx) < 0) {
		return -1;
	}
	return r < 0 ? -1
		     : br_undo_choose(u->arena, r > 0 ? &u->state : NULL, id, &u->summary, u->dx);
}

int br_undo_cannot_use(struct undo *u, const char *why) {
	return br_error(
		u->dx, nowhere, "the journal of run %s cannot be used: %s", u->summary.run.id, why);
}

/** It will not be of use tomorrow either. */
static int is_useless(struct undo *u, const char *why) {
	(void)br_undo_cannot_use(u, why); // -1
	br_hint(u->dx, BR_GIVE_UP, u->summary.run.id);
	return -1;
}

static int open_journal(struct undo *u) {
	const char *why = "it is gone";
	if (u->summary.run.state == BR_RUN_DAMAGED) {
		return is_useless(u, u->summary.run.why);
	}
	if (br_machine_differs(u->summary.machine)) {
		return is_useless(u, "it was written on another machine");
	}
	int r = br_state_open_run(&u->state, u->summary.run.id, &u->fd, &why);
	if (r < 0 && why == NULL) {
		return br_run_unseen(u->summary.run.id, u->dx);
	}
	if (r <= 0) {
		return br_undo_cannot_use(u, why != NULL ? why : "it is gone");
	}
	if (!u->dry && br_run_lock(u->fd) < 0) {
		return br_undo_cannot_use(u, strerror(errno));
	}
	br_state_unlock(&u->state);
	u->acls = br_acls_new();
	if (u->acls == NULL) {
		return br_error_memory(u->dx);
	}
	if (br_journal_open(&u->journal, u->fd, u->acls) < 0) {
		return errno == EBADMSG ? is_useless(u, "it is damaged")
					: br_undo_cannot_use(u, strerror(errno));
	}
	return 0;
}

// ---- Accounts: what may be asked about them ----

static struct made_account *account_of(struct undo *u, uint64_t seq) {
	for (size_t i = 0; i < u->accounts.n; i++) {
		if (u->accounts.v[i].seq == seq) {
			return &u->accounts.v[i];
		}
	}
	return NULL;
}

const struct br_made_account *br_undo_group_of(
	const struct undo *u, const struct br_made_account *user) {
	for (size_t i = 0; i < u->accounts.n && !user->is_group; i++) {
		const struct br_made_account *group = &u->accounts.v[i].account;
		if (group->is_group && group->id == user->gid
			&& strcmp(group->name, user->name) == 0) {
			return group;
		}
	}
	return NULL;
}

static char *text_of(struct undo *u, struct br_bytes bytes) {
	return br_strndup(u->arena, bytes.n > 0 ? bytes.p : "", bytes.n);
}

static int note_account(struct undo *u, const struct br_record *r) {
	struct made_account *made = NULL;
	char *line = text_of(u, r->text);
	if (r->type == BR_REC_ACCOUNT) {
		struct made_account new = {.seq = r->seq};
		new.account.is_group = r->is_group != 0;
		new.account.id = r->uid;
		new.account.gid = r->gid;
		new.account.name = text_of(u, r->name);
		made = new.account.name != NULL &&br_vec_push(u->arena, &u->accounts, new) == 0
			? &u->accounts.v[u->accounts.n - 1]
			: NULL;
	} else {
		made = account_of(u, r->of);
		if (made == NULL) {
			return 0;
		}
	}
	if (made == NULL || line == NULL) {
		return br_error_memory(u->dx);
	}
	made->account.line = (struct br_bytes){line, r->text.n};
	return 0;
}

/** They stand before everything else that was done. */
static int note_accounts(struct undo *u) {
	struct br_record r;
	int more;
	while ((more = br_journal_next(&u->journal, &r)) > 0 && r.type != BR_REC_INTENT
		&& r.type != BR_REC_MKDIR) {
		if ((r.type == BR_REC_ACCOUNT || r.type == BR_REC_ACCOUNT_DONE)
			&& note_account(u, &r) < 0) {
			return -1;
		}
	}
	return more < 0 ? br_undo_cannot_use(u, strerror(errno)) : 0;
}

/** br_apart's. It is asked by number only: what is removed is what the journal said before anybody
 * worked on it. */
static void serve(void *context, unsigned what, uint64_t which, struct br_served *out) {
	struct undo *u = context;
	struct br_answer_of answer;
	br_auto(br_freep) char *line = NULL;
	const struct made_account *made = account_of(u, which);
	*out = (struct br_served){.r = -1, .outcome = BR_FAILED, .why = "it was not asked for"};
	if (made == NULL) {
		return;
	}
	if (what == BR_ASK_ACCOUNT_THERE) {
		out->r = br_account_line(made->account.is_group, made->account.name, &line);
	} else if (what == BR_ASK_ACCOUNT_REMOVE) {
		br_account_remove(
			&made->account, br_undo_group_of(u, &made->account), u->dry, &answer);
		out->r = 0;
		out->outcome = (int)answer.outcome;
		out->err = answer.err;
		memcpy(out->why, answer.why, sizeof(out->why));
	}
}

void br_undo_ask(struct undo *u, unsigned what, uint64_t seq, struct br_served *out) {
	if (u->line == NULL) {
		serve(u, what, seq, out);
	} else if (br_line_ask(u->line, what, seq, out) < 0) {
		*out = (struct br_served){.r = -1, .outcome = BR_FAILED, .why = "nobody answers"};
	}
}

// ---- Places ----

static bool is_same_root(const struct br_target *t, const struct br_target *now) {
	struct br_inode then = t->root;
	if (now->fsid != 0 && t->fsid != 0) {
		// By what it is, not by its number, which another one may have now.
		if (now->fsid != t->fsid) {
			return false;
		}
		then.dev = now->root.dev;
	}
	if (now->copies_up) {
		then.btime = now->root.btime;
	}
	return br_inode_same(&then, &now->root);
}

/** What is there under its name now: 0; an errno. */
static int find_target(struct undo *u, struct br_source *source, struct br_target *now) {
	// Guarded: its server may be gone. What is opened there is looked at through this
	// descriptor only.
	if (br_source_open(u->arena, now->real, geteuid(), source) < 0) {
		return ENOMEM;
	}
	now->remote = u->options->jail != BR_JAIL_NONE && br_source_may_hang(source);
	if (source->err != 0) {
		return source->err;
	}
	if (source->state != BR_SOURCE_PRESENT || source->linked) {
		return ELOOP;
	}
	now->fd = source->fd;
	return br_target_look(now) < 0 ? errno : 0;
}

/** Find the target again; where that fails it is stopped, and everything below it will be a
 * conflict. */
static void open_target(struct undo *u, struct br_target *t) {
	struct br_source source;
	struct br_target now = *t;
	now.fd = -1;
	t->stopped = find_target(u, &source, &now);
	t->remote = now.remote;
	if (t->stopped == 0 && !is_same_root(t, &now)) {
		t->stopped = ESTALE;
	}
	if (t->stopped != 0) {
		br_source_release(&source);
		return;
	}
	t->fd = br_steal_fd(&source.fd);
	t->owns_fd = true;
	t->root = now.root;
	t->copies_up = now.copies_up;
}

static int open_all(struct undo *u) {
	if (open_journal(u) < 0) {
		return -1;
	}
	for (size_t i = 0; i < u->summary.ntargets; i++) {
		open_target(u, u->summary.targets[i]);
	}
	u->way = (struct br_way)BR_WAY_NONE(u->summary.cross);
	u->crew = br_crew_new(u->options->threads, u->summary.cross);
	u->window = calloc(1, sizeof(*u->window));
	return u->crew == NULL || u->window == NULL ? br_error_memory(u->dx) : note_accounts(u);
}

// ---- The work ----

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

/** Whoever wanted to go on from there cannot. */
static int cannot_go_on(struct undo *u, const char *where, const char *why) {
	const char *id = u->summary.run.id;
	(void)br_error(u->dx, nowhere, "cannot go on where run %s was cut short: '%s': %s", id,
		where, why);
	br_hint(u->dx, "bindright undo %s puts back what can be put back", id);
	return -1;
}

static int tell_settled(struct undo *u, int worked) {
	const struct br_undo_result *result = u->result;
	if (u->interrupted) {
		(void)br_error(u->dx, nowhere,
			"interrupted: nothing was done but to put back %ju half done",
			u->dry ? 0 : (uintmax_t)result->restored + (uintmax_t)result->removed);
		br_hint(u->dx, "the same again goes on");
		return -1;
	}
	if (worked == 0 && result->failed > 0) {
		bool known = u->failed_at != NULL && u->failed_why != NULL;
		return cannot_go_on(u, known ? u->failed_at : "?",
			known ? u->failed_why : "it could not be put back");
	}
	return worked;
}

static int tell(struct undo *u, int worked) {
	const struct br_undo_result *result = u->result;
	const struct br_run *run = &u->summary.run;
	if (u->settle) {
		return tell_settled(u, worked);
	}
	if (u->interrupted) {
		(void)br_error(u->dx, nowhere, "interrupted: %ju of %ju put back",
			(uintmax_t)result->restored + (uintmax_t)result->same,
			(uintmax_t)run->changes);
		br_hint(u->dx, "bindright undo %s puts back the rest", run->id);
		return -1;
	}
	// A dry one shows what cannot be put back, and the rest is to be put back all the same.
	if (worked == 0 && result->failed > 0 && !u->dry) {
		(void)br_error(u->dx, nowhere, "%llu could not be put back",
			(unsigned long long)result->failed);
		br_hint(u->dx,
			"bindright undo %s tries again; bindright history --prune %s gives them up",
			run->id, run->id);
		return -1;
	}
	return worked;
}

static int work_here(struct undo *u) {
	int worked = br_undo_work(u);
	return tell(u, worked);
}

/** br_apart's: over there. */
static int work_apart(void *context, struct br_line *line) {
	struct undo *u = context;
	struct br_apply_options options = *u->options;
	options.progress = NULL;
	options.stop = &u->board->stop;
	u->options = &options;
	u->line = line;
	u->result = &u->board->undone;
	return work_here(u);
}

static void tick(void *context) {
	const struct undo *u = context;
	const volatile uint64_t *restored = &u->board->undone.restored;
	if (u->options->progress != NULL) {
		u->options->progress(u->options->context, *restored);
	}
}

static struct br_few few_of(struct br_undo_result *result) {
	return (struct br_few){result->examples, result->reasons, &result->nexamples};
}

/** Its texts came otherwise: those are over there. What an attempt before put back is so now. */
static void take_result(struct br_undo_result *result, const struct br_undo_result *there) {
	uint64_t before = result->restored + result->removed;
	result->same = there->same > before ? there->same - before : 0;
	result->restored += there->restored;
	result->removed += there->removed;
	result->kept = there->kept;
	result->conflicts = there->conflicts;
	result->failed = there->failed;
	result->interrupted = there->interrupted;
}

/** What its work needs of root's rights. */
static uint64_t caps_of(const struct br_summary *summary) {
	const struct br_run *run = &summary->run;
	uint64_t caps = BR_APART_CAPS;
	if (!summary->plain) {
		// CAP_LEASE: br_contents_differ() asks for one of other people's files.
		caps |= UINT64_C(1) << CAP_SETFCAP | UINT64_C(1) << CAP_LEASE;
	}
	// Where it was cut short there may be a directory that its end does not count.
	bool made = run->makes > 0 || run->state != BR_RUN_APPLIED;
	return made ? caps | UINT64_C(1) << CAP_DAC_OVERRIDE : caps;
}

static enum br_apart_end run_apart(struct undo *u, int *r, size_t *hung) {
	struct br_undo_result *result = u->result;
	u->board = br_board_new();
	if (u->board == NULL) {
		(void)br_error_memory(u->dx);
		return BR_APART_REFUSED;
	}
	struct br_apart apart = {
		.work = work_apart,
		.serve = serve,
		.tick = tick,
		.context = u,
		.board = u->board,
		.options = u->options,
		.targets = u->summary.targets,
		.ntargets = u->summary.ntargets,
		.cross = u->summary.cross,
		.dry = u->dry,
		.journal = u->fd,
		.caps = caps_of(&u->summary),
		.arena = u->arena,
		.dx = u->dx,
		.here = few_of(result),
		.there = few_of(&u->board->undone),
	};
	enum br_apart_end end = br_apart_run(&apart, r, hung);
	take_result(result, &u->board->undone);
	u->interrupted = result->interrupted;
	br_board_free(u->board);
	u->board = NULL;
	return end;
}

/** Nothing more is done in this place; the rest begins anew, with the journal as it is now. */
static int leave_behind(struct undo *u, size_t hung) {
	struct br_target *t = u->summary.targets[hung];
	t->stopped = ETIMEDOUT;
	br_closep(&t->fd);
	br_journal_release(&u->journal);
	if (br_journal_open(&u->journal, u->fd, u->acls) < 0) {
		return br_undo_cannot_use(u, errno == EBADMSG ? "it is damaged" : strerror(errno));
	}
	return 0;
}

static int apart(struct undo *u) {
	int r = -1;
	for (size_t tries = 0; tries <= u->summary.ntargets; tries++) {
		size_t hung = 0;
		switch (run_apart(u, &r, &hung)) {
		case BR_APART_ENDED:
			return r;
		case BR_APART_REFUSED:
		case BR_APART_DIED:
			return -1;
		case BR_APART_HUNG:
			if (u->settle) {
				return cannot_go_on(
					u, u->summary.targets[hung]->real, "it does not answer");
			}
			if (leave_behind(u, hung) < 0) {
				return -1;
			}
		}
	}
	return -1;
}

/** Half of what it left in a place that is not there cannot be put back. */
static int check_places(struct undo *u) {
	for (size_t i = 0; i < u->summary.ntargets; i++) {
		const struct br_target *t = u->summary.targets[i];
		if (t->stopped != 0) {
			return cannot_go_on(u, t->real,
				t->stopped == ESTALE              ? "another one has its name now"
					: t->stopped == ETIMEDOUT ? "it does not answer"
								  : strerror(t->stopped));
		}
	}
	return 0;
}

static int work(struct undo *u) {
	if (open_all(u) < 0 || (u->settle && check_places(u) < 0)) {
		return -1;
	}
	return u->options->jail != BR_JAIL_NONE ? apart(u) : work_here(u);
}

static int run_undo(struct undo *u, const char *id, struct br_run *run) {
	*u->result = (struct br_undo_result){0};
	*run = (struct br_run){0};
	int r = find_run(u, id);
	*run = u->summary.run;
	if (r > 0 && u->settle && !u->summary.pending) {
		r = 0;
	}
	if (r > 0) {
		r = work(u) < 0 ? -1 : 1;
		if (!u->dry) {
			br_run_unlock(u->fd);
			br_history_publish(&u->state);
		}
	}
	release(u);
	return r;
}

/** Nothing is open yet. */
static struct undo begin_undo(
	struct br_arena *arena, bool dry, const struct br_apply_options *options) {
	return (struct undo){
		.arena = arena,
		.options = options,
		.dry = dry,
		.state = BR_STATE_NONE,
		.fd = -1,
		.way = BR_WAY_NONE(false),
	};
}

// NOLINTNEXTLINE(readability-function-size): the header's parameters
int br_undo(struct br_arena *arena, const char *id, bool dry,
	const struct br_apply_options *options, struct br_run *run, struct br_undo_result *result,
	struct br_diags *dx) {
	struct undo u = begin_undo(arena, dry, options);
	u.result = result;
	u.dx = dx;
	return run_undo(&u, id, run);
}

// NOLINTNEXTLINE(readability-function-size): the header's parameters
int br_settle(struct br_arena *arena, const char *id, bool dry,
	const struct br_apply_options *options, struct br_run *run, struct br_undo_result *result,
	struct br_diags *dx) {
	struct undo u = begin_undo(arena, dry, options);
	u.result = result;
	u.dx = dx;
	u.settle = true;
	return run_undo(&u, id, run);
}
