/** fix: make the plan, show it, ask, apply it, check again. */
#include "session.h"

#include <base/own.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** A report for programs is one report. */
static bool is_for_programs(const struct cli *cli) {
	return cli->args->format.s && strcmp(cli->args->format.s, "text") != 0;
}

static const char *input_name(const struct session *session) {
	return session->spec->nfiles > 0 ? session->spec->files[0] : "-";
}

static void progress(void *context, uint64_t done) {
	(void)context;
	(void)fprintf(stderr, "\r%llu changed", (unsigned long long)done);
	(void)fflush(stderr);
}

static bool wants_progress(const struct cli *cli) {
	const char *when = cli->args->progress.s;
	if (when && strcmp(when, "auto") != 0) {
		return strcmp(when, "always") == 0;
	}
	return isatty(STDERR_FILENO) && !cli->args->quiet;
}

static int apply(struct session *session, struct br_apply_result *result) {
	const struct cli *cli = session->cli;
	struct br_apply_options options = {
		.state = {.xdg_state_home = cli_getenv(cli->world, "XDG_STATE_HOME")},
		.input = input_name(session),
		.invoker = cli->world->invoker_name,
		.stop = cli->world->stop,
		.cross = cli->args->cross,
		.excludes = session->plan_options.excludes,
		.progress = wants_progress(cli) ? progress : NULL,
	};
	cli_catch_signals();
	int status = br_apply_run(&session->arena, session->plan, &options, result, cli->dx);
	if (options.progress) {
		(void)fprintf(stderr, "\r\033[K");
	}
	if (status && result->id[0]) {
		br_hint(cli->dx, "what was changed can be put back: bindright undo %s", result->id);
	}
	return status ? CLI_FAILED : 0;
}

/** Apply and prove: what the host looks like afterwards decides, not what was meant. */
static int apply_and_check(struct session *session) {
	struct br_apply_result result = {0};
	struct br_demands *demands = NULL;
	struct br_check *again = NULL;
	int failed = apply(session, &result);
	if (failed && !result.id[0]) {
		return failed;
	}
	if (result.interrupted) {
		// Whoever stops it wants no second walk.
		(void)session_report(session, "fix", &result, NULL);
		return failed;
	}
	int status = session_check_again(session, &demands, &again);
	if (status == 0) {
		status = session_report(session, "fix", &result, again);
	}
	if (status == 0 && again) {
		status = session_verdict(session, again);
	}
	br_check_free(again);
	br_demands_free(demands);
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
		status = quiet ? session_report(session, "fix", NULL, NULL) : 0;
		return status ? status : session_verdict(session, session->check);
	}
	int yes = cli->args->dry_run ? 0 : confirm(session);
	if (yes < 0) {
		br_note(cli->dx, (struct br_span){0},
			"nothing was changed: there is no terminal to ask on");
		br_hint(cli->dx, "to apply the plan without being asked: bindright fix --yes");
	} else if (yes == 0 && !cli->args->dry_run) {
		br_note(cli->dx, (struct br_span){0}, "nothing was changed");
	}
	return yes > 0               ? apply_and_check(session)
		: cli->args->dry_run ? session_verdict(session, session->check)
				     : CLI_MISFIT;
}

static int run_fix(const struct cli *cli) {
	struct session session = {0};
	int status = session_read(&session, cli);
	if (status == 0) {
		status = session_check(&session, true);
	}
	if (status == 0) {
		status = decide(&session);
	}
	session_release(&session);
	return status;
}

static const char *const details[] = {
	"Makes the plan, shows it, asks, applies it and checks again. Nobody else gains access,",
	"nobody loses any, and everything that is changed is written to a journal first, so that",
	"`bindright undo` puts it back. Without a terminal and without --yes it changes nothing.",
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
