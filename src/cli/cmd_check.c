/** check and plan: say what does not fit, and what fix would do. They change nothing. */
#include "session.h"

#include <base/jail.h>

#include <linux/capability.h>
#include <string.h>

/**
 * All that is left of a check is looking, and telling. A report for a file is written with the
 * rights of whoever started it, when it is known that there is one. Where it fails the walk's own
 * lowering of rights is what there is: this is no condition of anything.
 */
static void give_up_rights(const struct cli *cli) {
	const char *output = cli->args->output.s;
	if (!output || strcmp(output, "-") == 0) {
		// CAP_FOWNER: for not touching the times of access (O_NOATIME, may_open()).
		(void)br_jail_look(UINT64_C(1) << CAP_DAC_READ_SEARCH | UINT64_C(1) << CAP_FOWNER);
	}
}

static int run(const struct cli *cli, const char *command, bool planned) {
	struct session session = {0};
	int status = session_read(&session, cli);
	bool saves = planned && cli_saves(cli);
	session.plan_options.digests = saves;
	if (status == 0 && !planned) {
		status = session_start_asking(&session);
	}
	if (status == 0 && !planned) {
		give_up_rights(cli);
	}
	if (status == 0) {
		status = session_check(&session, planned);
	}
	if (status == 0 && saves) {
		status = session_promise(&session, 0);
	}
	if (status == 0) {
		status = session_report(&session, command, NULL, NULL);
	}
	if (status == 0) {
		status = session_verdict(&session, session.check);
	}
	session_release(&session);
	return status;
}

static int run_check(const struct cli *cli) {
	return run(cli, "check", false);
}

static int run_plan(const struct cli *cli) {
	return run(cli, "plan", true);
}

static const char *const check_details[] = {
	"Reads the compose file, works out who each container's process will be on this host,",
	"and judges every bind-mounted path as the kernel would. Changes nothing.",
	NULL,
};

static const char *const plan_details[] = {
	"The same as check, and shows what fix would change, who would gain access by it and",
	"who would lose any. Changes nothing. With --format json -o FILE the plan is saved:",
	"`bindright fix --plan FILE` applies exactly that, or refuses.",
	NULL,
};

const struct cli_command cmd_check = {
	.name = "check",
	.bit = CLI_CHECK,
	.arguments = "[SERVICE...]",
	.summary = "find what does not fit, and say why",
	.details = check_details,
	.run = run_check,
};

const struct cli_command cmd_plan = {
	.name = "plan",
	.bit = CLI_PLAN,
	.arguments = "[SERVICE...]",
	.summary = "show what fix would do, who would gain and who would lose",
	.details = plan_details,
	.run = run_plan,
};
