/** fix and reclaim: make the plan, show it, ask, apply it, check again. */
#include "session.h"

#include <base/own.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/** What the plan may remember of its walk, in bytes. */
	MEMORY = 12 << 20,
};

/** A report for programs is one report. */
static bool is_for_programs(const struct cli *cli) {
	return cli->args->format.s && strcmp(cli->args->format.s, "text") != 0;
}

static const char *input_name(const struct session *session) {
	return session->spec->nfiles > 0 ? session->spec->files[0] : "-";
}

static int see(void *context, const struct br_tree *tree, const struct br_entry *entry) {
	return br_told_see(context, tree, entry);
}

static void hint_undo(const struct cli *cli, const struct br_apply_result *result) {
	br_hint(cli->dx, "what was changed can be put back: bindright undo %s", result->id);
}

static struct br_apply_options apply_options(const struct session *session) {
	const struct cli *cli = session->cli;
	return (struct br_apply_options){
		.state = {.xdg_state_home = cli_getenv(cli->world, "XDG_STATE_HOME")},
		.input = input_name(session),
		.invoker = cli->world->invoker_name,
		.stop = cli->world->stop,
		.jail = cli->args->require_jail ? BR_JAIL_REQUIRE : BR_JAIL_TRY,
		.cross = cli->args->cross,
		.seals = session->seals,
		.excludes = session->plan_options.excludes,
		.levels = session->plan_options.levels,
		.fresh = session->plan_options.remember > 0,
	};
}

// ---- Going on where others were cut short ----

static uint64_t half_done(const struct br_resumed *resumed) {
	return resumed->result.restored + resumed->result.removed;
}

/** 0, or the exit status with an error. */
static int settle(struct session *session, bool dry) {
	const struct cli *cli = session->cli;
	const struct br_apply_options options = apply_options(session);
	cli_catch_signals();
	int n = br_resume(
		&session->arena, session->plan, &options, dry, &session->resumed, cli->dx);
	return n < 0 ? CLI_FAILED : 0;
}

static void say_resumed(const struct session *session) {
	const struct cli *cli = session->cli;
	const struct br_resumed *resumed = &session->resumed;
	const struct br_undo_result *result = &resumed->result;
	for (size_t i = 0; i < resumed->n; i++) {
		br_note(cli->dx, (struct br_span){0},
			"run %s was cut short: this goes on from there", resumed->ids[i]);
	}
	if (half_done(resumed) > 0) {
		br_note(cli->dx, (struct br_span){0}, "%llu left half done %s put back first",
			(unsigned long long)half_done(resumed),
			cli->args->dry_run                ? "would be"
				: half_done(resumed) == 1 ? "was"
							  : "were");
	}
	for (size_t i = 0; i < result->nexamples; i++) {
		br_warning(cli->dx, (struct br_span){0}, "'%s' is taken as it is now: %s",
			result->examples[i], result->reasons[i]);
	}
	if (result->conflicts > result->nexamples) {
		br_warning(cli->dx, (struct br_span){0}, "%llu more are taken as they are now",
			(unsigned long long)(result->conflicts - result->nexamples));
	}
}

/** Whether what was left half done may be put back: 0, or the exit status. */
static int confirm_settling(const struct session *session) {
	const struct cli *cli = session->cli;
	char question[128];
	(void)snprintf(question, sizeof(question),
		"Put back what run %s left half done (%llu), and plan again? [y/N] ",
		session->resumed.ids[0], (unsigned long long)half_done(&session->resumed));
	int yes = cli_ask(question);
	if (yes > 0) {
		return 0;
	}
	if (yes < 0) {
		// As without --resume: what there is to be done is shown all the same.
		if (session_report(session, "plan", NULL, NULL)) {
			return CLI_FAILED;
		}
		br_note(cli->dx, (struct br_span){0},
			"nothing was changed: run %s left %llu half done, and there is no "
			"terminal to ask on",
			session->resumed.ids[0], (unsigned long long)half_done(&session->resumed));
		br_hint(cli->dx, "to go on without being asked: bindright %s --resume --yes",
			session->command);
	} else {
		br_note(cli->dx, (struct br_span){0}, "nothing was changed");
	}
	return CLI_MISFIT;
}

/** --resume, once there is a plan: what others left half done is put back, and the plan made anew.
 * 0, or the exit status. */
static int resume(struct session *session) {
	const struct cli_args *args = session->cli->args;
	if (!args->resume || session->plan->nrefusals > 0) {
		return 0;
	}
	int status = settle(session, !args->yes || args->dry_run);
	if (status || session->resumed.n == 0) {
		return status;
	}
	bool some = half_done(&session->resumed) > 0;
	if (some && !args->yes && !args->dry_run) {
		status = confirm_settling(session);
		status = status ? status : settle(session, false);
	}
	if (status) {
		return status;
	}
	say_resumed(session);
	session->settles_later = !some && !args->yes;
	return some && !args->dry_run ? session_plan_anew(session) : 0;
}

/** Now that it was decided; nothing was half done, and nobody has undone any of it meanwhile. */
static int settle_now(struct session *session) {
	size_t n = session->resumed.n;
	if (!session->settles_later) {
		return 0;
	}
	int status = settle(session, false);
	if (status == 0 && (half_done(&session->resumed) > 0 || session->resumed.n != n)) {
		(void)br_error(session->cli->dx, (struct br_span){0},
			"nothing was changed by this: somebody else is at work in these places");
		br_hint(session->cli->dx, "the same again makes a new plan");
		status = CLI_FAILED;
	}
	return status;
}

static int apply(struct session *session, struct br_told *told, struct br_apply_result *result) {
	const struct cli *cli = session->cli;
	struct br_apply_options options = apply_options(session);
	options.progress = cli_changed(cli);
	options.see = told ? see : NULL;
	options.see_context = told;
	if (settle_now(session)) {
		return CLI_FAILED;
	}
	options.resumed = session->resumed.ids;
	options.nresumed = session->resumed.n;
	cli_catch_signals();
	int status = br_apply_run(&session->arena, session->plan, &options, result, cli->dx);
	cli_progress_ends(options.progress);
	if (status && result->id[0]) {
		hint_undo(cli, result);
	}
	return status ? CLI_FAILED : 0;
}

/** All went well but what came after it, the report perhaps, which would have said so. */
static void say_changed(const struct cli *cli, const struct br_apply_result *result) {
	uint64_t n = result->changed + result->made + result->accounts;
	(void)br_error(
		cli->dx, (struct br_span){0}, "%llu changed all the same", (unsigned long long)n);
	hint_undo(cli, result);
}

/** Whether all has become as it was told to be: every change was read back, and nothing else was
 * found than the walk told of. */
static bool is_as_told(const struct br_apply_result *result) {
	return result->conflicts == 0 && result->failed == 0 && result->made == 0
		&& result->accounts == 0;
}

/** Apply and prove: what the host looks like afterwards decides, not what was meant. Where each
 * change was read back, that has been seen already. */
static int apply_and_check(struct session *session) {
	struct br_apply_result result = {0};
	struct br_demands *demands = NULL;
	struct br_check *again = NULL;
	br_auto(br_told_freep) struct br_told *told = NULL;
	int failed = session_foresee(session, &told);
	failed = failed ? failed : apply(session, told, &result);
	if (failed && !result.id[0]) {
		return failed;
	}
	if (result.interrupted) {
		// Whoever stops it wants no second walk.
		(void)session_report(session, "fix", &result, NULL);
		return failed;
	}
	bool proven = !failed && is_as_told(&result);
	int status = session_check_again(
		session, proven ? told : NULL, result.recalled, &demands, &again);
	if (status == 0) {
		status = session_report(session, session->command, &result, again);
	}
	if (status == 0 && again) {
		status = session_verdict(session, again);
	}
	br_check_free(again);
	br_demands_free(demands);
	if (!failed && result.id[0] && (status == CLI_USAGE || status == CLI_FAILED)) {
		say_changed(session->cli, &result);
		failed = CLI_FAILED;
	}
	return failed ? failed : status;
}

static int refuse(const struct session *session) {
	const struct br_plan *plan = session->plan;
	for (size_t i = 0; i < plan->nrefusals; i++) {
		const struct br_refusal *refusal = &plan->refusals[i];
		(void)br_error(session->cli->dx, refusal->at, "refused to change '%s': %s",
			refusal->path, refusal->rule);
		if (refusal->option) {
			br_hint(session->cli->dx, "%s", refusal->option);
		}
	}
	return CLI_FAILED;
}

/** Whether to go on: 1 yes, 0 no (said), -1 no terminal to ask on. */
static int confirm(const struct session *session) {
	char question[96];
	if (session->cli->args->yes) {
		return 1;
	}
	(void)snprintf(question, sizeof(question), "Make these changes (%llu)? [y/N] ",
		(unsigned long long)session->plan->changes);
	return cli_ask(question);
}

static int decide(struct session *session) {
	const struct cli *cli = session->cli;
	bool quiet = is_for_programs(cli) && cli->args->yes;
	int status = quiet ? 0 : session_report(session, "plan", NULL, NULL);
	if (status) {
		return status;
	}
	if (session->plan->nrefusals > 0) {
		return refuse(session);
	}
	if (session->plan->changes == 0) {
		status = cli->args->dry_run ? 0 : settle_now(session);
		if (status) {
			return status;
		}
		status = quiet ? session_report(session, session->command, NULL, NULL) : 0;
		return status ? status : session_verdict(session, session->check);
	}
	int yes = cli->args->dry_run ? 0 : confirm(session);
	if (yes < 0) {
		br_note(cli->dx, (struct br_span){0},
			"nothing was changed: there is no terminal to ask on");
		br_hint(cli->dx, "to apply the plan without being asked: bindright %s%s --yes",
			session->command, cli->args->resume ? " --resume" : "");
	} else if (yes == 0 && !cli->args->dry_run) {
		br_note(cli->dx, (struct br_span){0}, "nothing was changed");
	}
	return yes > 0               ? apply_and_check(session)
		: cli->args->dry_run ? session_verdict(session, session->check)
				     : CLI_MISFIT;
}

/** `promise`: what the plan has to come to, or NULL. */
static int run_with(const struct cli *cli, const struct br_saved *promise) {
	struct session session = {.command = "fix"};
	int status = session_read(&session, cli);
	session.plan_options.digests = promise != NULL;
	// While somebody is asked, whatever was seen grows old.
	session.plan_options.remember = cli->args->yes && !cli->args->dry_run ? MEMORY : 0;
	if (status == 0) {
		status = session_check(&session, true);
	}
	if (status == 0) {
		status = resume(&session);
	}
	if (status == 0 && promise) {
		status = session_promise(&session, promise->text);
	}
	// An input that is not valid any more: nothing was changed.
	if (status == 0 && promise) {
		status = cli_saved_compare(cli, promise, session.saved,
			session.plan->changes + session.plan->nrefusals);
	}
	// What is reported is this run.
	session.saved = NULL;
	if (status == 0) {
		status = decide(&session);
	}
	session_release(&session);
	return status;
}

static int run_fix(const struct cli *cli) {
	if (!cli->args->plan.s) {
		return run_with(cli, NULL);
	}
	struct cli_saved saved = {0};
	int status = cli_saved_read(cli, &saved);
	if (status == 0) {
		const struct cli by_plan = {&saved.args, cli->world, cli->dx};
		status = run_with(&by_plan, saved.promise);
	}
	cli_saved_release(&saved);
	return status;
}

static const char *const details[] = {
	"Makes the plan, shows it, asks, applies it and checks again. Nobody else gains access,",
	"nobody loses any, and everything that is changed is written to a journal first, so that",
	"`bindright undo` puts it back. Without a terminal and without --yes it changes nothing.",
	"--plan FILE makes a saved plan again, by the words it was saved with, and applies it only",
	"if it is the same: the same input, the same sources, the same change of each file.",
	NULL,
};

const struct cli_command cmd_fix = {
	.name = "fix",
	.bit = CLI_FIX,
	.arguments = "[SERVICE...]",
	.summary = "make it fit: plan, ask, change, check again",
	.details = details,
	.run = run_fix,
};

/** Whom it goes back to: exactly one user, who is not root. */
static int check_reclaimer(const struct session *session) {
	const struct cli *cli = session->cli;
	const struct br_plan_options *options = &session->plan_options;
	const struct cli_words *keep = &cli->args->keep;
	if (options->nkeepers == 0) {
		(void)br_error(cli->dx, (struct br_span){0},
			"it is not known whom the files are to go back to");
		br_hint(cli->dx, "name the user: --keep USER");
		return CLI_USAGE;
	}
	if (options->nkeepers > 1) {
		(void)br_error(cli->dx, keep->v[1].at, "the files can go back to one user only");
		return CLI_USAGE;
	}
	if (options->keepers[0].cred.uid.v == 0) {
		(void)br_error(cli->dx, keep->n > 0 ? keep->v[0].at : (struct br_span){0},
			"root is nobody to give files back to");
		br_hint(cli->dx, "name the user: --keep USER");
		return CLI_USAGE;
	}
	return 0;
}

/** What could not be given back is not served by anybody's fitting. */
static int left_behind(const struct session *session) {
	for (size_t i = 0; session->plan && i < session->plan->ntrees; i++) {
		if (session->plan->trees[i].partial) {
			return CLI_MISFIT;
		}
	}
	return CLI_FITS;
}

static int run_reclaim(const struct cli *cli) {
	struct session session = {.command = "reclaim"};
	int status = session_read(&session, cli);
	if (status == 0) {
		status = check_reclaimer(&session);
	}
	session.plan_options.reclaim = true;
	session.plan_options.create_missing = false;
	if (status == 0) {
		status = session_check(&session, true);
	}
	if (status == 0) {
		status = resume(&session);
	}
	if (status == 0) {
		status = decide(&session);
	}
	if (status == CLI_FITS) {
		status = left_behind(&session);
	}
	session_release(&session);
	return status;
}

static const char *const reclaim_details[] = {
	"The other direction: what containers left behind below the sources goes back to you (or",
	"to --keep USER): files of the containers' host UIDs, subordinate ranges included, and of",
	"root's. The containers keep what they could do, by ACL entries or a group that they have.",
	"Planned, asked, journaled and undone as with fix; links inside and files of others stay.",
	NULL,
};

const struct cli_command cmd_reclaim = {
	.name = "reclaim",
	.bit = CLI_RECLAIM,
	.arguments = "[SERVICE...]",
	.summary = "give back to you what containers left behind",
	.details = reclaim_details,
	.run = run_reclaim,
};
