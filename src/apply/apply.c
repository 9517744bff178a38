// The run as a whole: lock, refuse, journal, accounts, directories, trees, end.

#include "crew.h"
#include "run.h"

#include <base/file.h>
#include <base/own.h>
#include <bindright/source.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct br_span nowhere;

enum {
	/** What a record takes on disk, more or less, with a quarter to spare. */
	RECORD_ROOM = 300,
	JOURNAL_ROOM = 64 << 10,
};

// ---- Targets ----

static struct br_target *find_target(const struct br_work *work, const struct br_source *source) {
	for (size_t i = 0; i < work->targets.n; i++) {
		if (work->targets.v[i]->source == source->fd) {
			return work->targets.v[i];
		}
	}
	return NULL;
}

int br_work_target(struct br_work *work, const struct br_source *source) {
	if (find_target(work, source) != NULL) {
		return 0;
	}
	struct br_target *t = BR_NEW(work->arena, struct br_target);
	if (t == NULL || br_vec_push(work->arena, &work->targets, t) < 0) {
		return br_error_memory(work->dx);
	}
	t->number = (uint32_t)(work->targets.n - 1);
	t->fd = t->source = source->fd;
	t->real = source->real;
	t->remote = work->options->jail != BR_JAIL_NONE && br_source_may_hang(source);
	t->type = source->fs.type != NULL ? source->fs.type : "?";
	if (br_target_look(t) < 0) {
		return errno == ETIMEDOUT
			? br_error(work->dx, nowhere, "'%s' does not answer", t->real)
			: br_error(work->dx, nowhere, "cannot examine '%s': %s", t->real,
				strerror(errno));
	}
	if (t->root.dev != source->dev || t->root.ino != source->ino) {
		return br_error(work->dx, nowhere, "'%s' is another one than when this was planned",
			t->real);
	}
	t->dev_then = t->root.dev;
	return 0;
}

/** One for each source, however often it is named. */
static int add_targets(struct br_work *work) {
	const struct br_job *job = work->job;
	for (size_t i = 0; i < job->nmakes; i++) {
		if (br_work_target(work, job->makes[i].root) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < job->ntrees; i++) {
		if (br_work_target(work, job->trees[i]->root) < 0) {
			return -1;
		}
	}
	return 0;
}

static int target_records(struct br_work *work) {
	for (size_t i = 0; i < work->targets.n; i++) {
		const struct br_target *t = work->targets.v[i];
		struct br_record record = {
			.type = BR_REC_TARGET,
			.path = br_bytes_of(t->real),
			.name = br_bytes_of(t->type),
			.fsid = t->fsid,
			.before = t->root,
		};
		if (br_work_add(work, &record) < 0) {
			return -1;
		}
	}
	return 0;
}

// ---- Beginning ----

static int begin_record(struct br_work *work) {
	size_t n;
	br_auto(br_freep) char *boot =
		br_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 4096, &n);
	struct br_record record = {
		.type = BR_REC_BEGIN,
		.path = br_bytes_of(work->result->id),
		.when = (uint64_t)time(NULL),
		.uid = geteuid(),
		.cross = work->options->cross,
		.fsid = br_machine(),
		.name = br_bytes_of(work->options->input),
		.text = br_bytes_of(work->options->invoker),
		.extra = br_bytes_of(boot),
	};
	struct br_record plan = {
		.type = BR_REC_PLAN,
		.text = br_bytes_of(work->job->digest),
		.name = br_bytes_of(BR_VERSION),
		.privileged = work->job->privileged,
	};
	return br_work_add(work, &record) < 0 ? -1 : br_work_add(work, &plan);
}

/** Room for everything before anything is changed. */
static int reserve(struct br_work *work) {
	const struct br_job *job = work->job;
	uint64_t records = job->changes + 2 * (job->nmakes + job->naccounts);
	uint64_t size = JOURNAL_ROOM + records * RECORD_ROOM;
	int r;
	do {
		r = fallocate(work->journal_fd, 0, 0, (off_t)size);
	} while (r < 0 && errno == EINTR);
	if (r < 0 && errno != EOPNOTSUPP && errno != ENOSYS) {
		return br_error(work->dx, nowhere, "there is no room for the journal in '%s': %s",
			work->state.path, strerror(errno));
	}
	return 0;
}

/** A journal that says where we work, and is locked, before anybody else may look for one. */
static int begin_journal(struct br_work *work) {
	if (br_state_new_run(&work->state, work->result->id, &work->journal_fd, work->dx) < 0) {
		return -1;
	}
	br_journal_init(&work->journal, work->journal_fd, work->acls);
	if (br_run_lock(work->journal_fd) < 0) {
		return br_error(work->dx, nowhere, "cannot lock the journal in '%s': %s",
			work->state.path, strerror(errno));
	}
	return reserve(work) < 0 || begin_record(work) < 0 || target_records(work) < 0
		? -1
		: br_work_sync(work);
}

/**
 * A tree with the journals in it: let others into a directory on the way to them, and they are
 * trusted no more, so that nothing could be undone.
 */
static int refuse_state(struct br_work *work) {
	struct br_target state = {.real = work->state.path};
	struct br_target *own = &state;
	const struct br_job *job = work->job;
	if (br_inode_stat(work->state.fd, "", &state.root) < 0) {
		return br_error(
			work->dx, nowhere, "cannot examine '%s': %s", state.real, strerror(errno));
	}
	for (size_t i = 0; i < job->ntrees; i++) {
		const struct br_target *which;
		struct br_target *t = find_target(work, job->trees[i]->root);
		int r = br_targets_overlap(&own, 1, &t, 1, &which);
		if (r < 0) {
			return br_error(work->dx, nowhere, "cannot tell where '%s' is mounted: %s",
				t->real, strerror(errno));
		}
		if (r > 0) {
			return br_error(work->dx, nowhere,
				"refused to change '%s': the journals that undo needs are in '%s'",
				t->real, state.real);
		}
	}
	return 0;
}

static int begin(struct br_work *work) {
	work->failed = true;
	// Within the jail the kernel cannot be tried out.
	(void)br_inode_quiet();
	if (add_targets(work) < 0
		|| br_state_open(work->arena, &work->options->state, true, &work->state, work->dx)
			< 0
		|| refuse_state(work) < 0 || br_state_lock(&work->state, work->dx) < 0
		|| br_refuse_runs(work) < 0 || begin_journal(work) < 0) {
		return -1;
	}
	br_state_unlock(&work->state);
	if (br_state_sync_run(&work->state, work->result->id) < 0) {
		return br_work_broken(work);
	}
	work->result->weak = work->state.weak;
	work->failed = false;
	return 0;
}

// ---- Working ----

static int make_all(struct br_work *work) {
	const struct br_job *job = work->job;
	struct br_target **makes = BR_NEW_ARRAY(work->arena, struct br_target *, job->nmakes);
	if (makes == NULL) {
		return br_error_memory(work->dx);
	}
	for (size_t i = 0; i < job->nmakes; i++) {
		makes[i] = find_target(work, job->makes[i].root);
	}
	return br_make_all(work, makes);
}

static int walk_trees(struct br_work *work, bool remote) {
	const struct br_job *job = work->job;
	for (size_t i = 0; i < job->ntrees && !br_work_stops(work); i++) {
		struct br_target *target = find_target(work, job->trees[i]->root);
		if (target->remote == remote && br_walk_tree(work, job->trees[i], target) < 0) {
			return -1;
		}
	}
	return 0;
}

static int work_through(struct br_work *work) {
	if (br_accounts_make(work) < 0 || make_all(work) < 0) {
		return -1;
	}
	// What may not answer comes last, so that it keeps nobody else waiting.
	return walk_trees(work, false) < 0 || walk_trees(work, true) < 0 ? -1 : 0;
}

// ---- Ending ----

static int sync_targets(struct br_work *work) {
	for (size_t i = 0; i < work->targets.n; i++) {
		const struct br_target *t = work->targets.v[i];
		if (br_target_sync(work->board, t) < 0) {
			return br_error(work->dx, nowhere, "cannot write '%s' to disk: %s", t->real,
				strerror(errno));
		}
	}
	return 0;
}

static const struct br_target *stopped_target(const struct br_work *work) {
	for (size_t i = 0; i < work->targets.n; i++) {
		if (work->targets.v[i]->stopped != 0) {
			return work->targets.v[i];
		}
	}
	return NULL;
}

/** The last record. A run that did not come to its end says so: something may be left to do or to
 * undo. */
static void end_record(struct br_work *work, bool whole) {
	const struct br_apply_result *result = work->result;
	struct br_record record = {
		.type = whole ? BR_REC_COMMIT : BR_REC_INTERRUPTED,
		.when = (uint64_t)time(NULL),
		.changes = result->changed,
		.makes = result->made,
		.accounts = result->accounts,
		.text = br_bytes_of(
			work->interrupted ? "stopped by a signal" : "stopped by an error"),
	};
	if (work->broken || br_work_sync(work) < 0 || br_work_add(work, &record) < 0
		|| br_work_sync(work) < 0) {
		return;
	}
	if (br_journal_trim(&work->journal) < 0) {
		(void)br_work_broken(work);
	}
}

/** What was done, said where it is not all. */
static int tell(struct br_work *work) {
	const struct br_apply_result *result = work->result;
	const struct br_target *stopped = stopped_target(work);
	uint64_t n = result->changed + result->made + result->accounts;
	uint64_t of = work->job->changes + work->job->nmakes + work->job->naccounts;
	of = of < n ? n : of;
	if (work->interrupted) {
		(void)br_error(work->dx, nowhere, "interrupted: %llu of %llu changed",
			(unsigned long long)n, (unsigned long long)of);
	} else if (stopped != NULL) {
		(void)br_error(work->dx, nowhere, "stopped in '%s': %s; %llu of %llu changed",
			stopped->real, strerror(stopped->stopped), (unsigned long long)n,
			(unsigned long long)of);
	} else if (work->failed && result->id[0] == '\0') {
		return -1;
	} else if (work->failed) {
		// Not a note, which --quiet drops.
		(void)br_error(work->dx, nowhere, "%llu of %llu changed", (unsigned long long)n,
			(unsigned long long)of);
	} else if (result->failed > 0) {
		(void)br_error(work->dx, nowhere, "%llu could not be changed; %llu of %llu changed",
			(unsigned long long)result->failed, (unsigned long long)n,
			(unsigned long long)of);
	} else {
		return 0;
	}
	if (result->id[0] != '\0') {
		br_hint(work->dx, "bindright undo %s puts back what was done", result->id);
	}
	return -1;
}

/** What is left to be done by whoever did the work. */
static int finish(struct br_work *work) {
	work->result->interrupted = work->interrupted;
	if (!work->journaled) {
		// Nothing was announced, so nothing was changed.
		work->result->id[0] = '\0';
	} else if (work->journal_fd >= 0) {
		bool whole = !work->interrupted && !work->failed && stopped_target(work) == NULL;
		if (sync_targets(work) < 0) {
			work->failed = true;
			whole = false;
		}
		end_record(work, whole);
	}
	return tell(work);
}

/** And by whoever began it. */
static void leave(struct br_work *work, const char *id) {
	if (work->journal_fd >= 0 && !work->journaled) {
		// No trace.
		(void)br_state_remove_run(&work->state, id);
	} else if (work->journal_fd >= 0) {
		br_run_unlock(work->journal_fd);
		br_history_publish(&work->state);
	}
}

static int work_here(struct br_work *work) {
	if (work_through(work) < 0) {
		work->failed = true;
	}
	return finish(work);
}

// ---- Apart ----

/** br_apart's: over there. */
static int work_apart(void *context, struct br_line *line) {
	struct br_work *work = context;
	struct br_apply_options options = *work->options;
	options.progress = NULL;
	options.stop = &work->board->stop;
	work->options = &options;
	work->line = line;
	work->result = &work->board->applied;
	return work_here(work);
}

static void serve(void *context, unsigned what, uint64_t which, struct br_served *out) {
	const struct br_work *work = context;
	br_account_serve(work->job, what, which, out);
}

static void tick(void *context) {
	const struct br_work *work = context;
	const volatile uint64_t *changed = &work->board->applied.changed;
	if (work->options->progress != NULL) {
		work->options->progress(work->options->context, *changed);
	}
}

/** It may still have a call under way that has its effect when the file system answers again: undo
 * knows that one too. */
static int tell_hung(struct br_work *work, size_t hung) {
	work->failed = true;
	(void)br_error(work->dx, nowhere, "'%s' does not answer any more",
		work->targets.v[hung < work->targets.n ? hung : 0]->real);
	return tell(work);
}

/** Its texts came otherwise: those are over there. */
static void take_result(struct br_apply_result *result, const struct br_apply_result *there) {
	result->changed = there->changed;
	result->conflicts = there->conflicts;
	result->failed = there->failed;
	result->made = there->made;
	result->accounts = there->accounts;
	result->interrupted = there->interrupted;
	result->recalled = there->recalled;
}

/** What its work needs of root's rights. */
static uint64_t caps_of(const struct br_job *job) {
	uint64_t caps = BR_APART_CAPS;
	if (job->nmakes > 0) {
		caps |= UINT64_C(1) << CAP_DAC_OVERRIDE;
	}
	return job->privileged ? caps | UINT64_C(1) << CAP_SETFCAP : caps;
}

static int apart(struct br_work *work) {
	size_t hung = 0;
	int r = 0;
	work->board = br_board_new();
	if (work->board == NULL) {
		work->failed = true;
		(void)br_error_memory(work->dx);
		return finish(work);
	}
	struct br_apart apart = {
		.work = work_apart,
		.serve = serve,
		.tick = tick,
		.context = work,
		.board = work->board,
		.options = work->options,
		.targets = work->targets.v,
		.ntargets = work->targets.n,
		.cross = work->options->cross,
		.journal = work->journal_fd,
		.caps = caps_of(work->job),
		.arena = work->arena,
		.dx = work->dx,
		.here = br_few_of(work->result),
		.there = br_few_of(&work->board->applied),
	};
	struct br_apply_result *result = work->result;
	work->board->applied = *result;
	enum br_apart_end end = br_apart_run(&apart, &r, &hung);
	work->journaled = atomic_load(&work->board->announced);
	take_result(result, &work->board->applied);
	br_board_free(work->board);
	work->board = NULL;
	if (!work->journaled) {
		result->id[0] = '\0';
	}
	switch (end) {
	case BR_APART_ENDED:
		return r;
	case BR_APART_REFUSED:
		return -1;
	case BR_APART_HUNG:
		return tell_hung(work, hung);
	case BR_APART_DIED:
		work->failed = true;
		return tell(work);
	}
	return -1;
}

int br_apply_job(struct br_arena *arena, const struct br_job *job, struct br_apply_result *result,
	struct br_diags *dx) {
	struct br_work work = {
		.arena = arena,
		.job = job,
		.options = job->options,
		.acls = job->acls,
		.dx = dx,
		.state = BR_STATE_NONE,
		.journal_fd = -1,
		.result = result,
	};
	char id[BR_RUN_ID];
	int r;
	*result = (struct br_apply_result){
		.resumed = job->options->resumed, .nresumed = job->options->nresumed};
	bool begun = begin(&work) == 0;
	memcpy(id, result->id, sizeof(id));
	if (begun && job->options->jail != BR_JAIL_NONE) {
		r = apart(&work);
	} else {
		r = begun ? work_here(&work) : finish(&work);
	}
	leave(&work, id);
	br_journal_release(&work.journal);
	br_closep(&work.journal_fd);
	br_targets_release(work.targets.v, work.targets.n);
	br_state_release(&work.state);
	return r;
}
