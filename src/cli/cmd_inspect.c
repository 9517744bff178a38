/** inspect: what was understood of the input. */
#include "session.h"

#include <base/own.h>

static int report(const struct session *session) {
	const struct cli *cli = session->cli;
	struct br_inspect_report inspect = {
		.places = br_diags_places(cli->dx),
		.spec = session->spec,
		.identities = session->identities,
		.engine = br_engine_name(session->mode->engine),
		.origins = cli->args->origins,
	};
	struct br_report_style style = cli_style(cli);
	size_t n;
	br_auto(br_freep) char *bytes = br_report_inspect(&inspect, &style, &n);
	if (!bytes) {
		return (br_error_memory(cli->dx), CLI_FAILED);
	}
	return cli_write(cli, bytes, n) ? CLI_FAILED : CLI_FITS;
}

static int run_inspect(const struct cli *cli) {
	struct session session = {0};
	int status = session_understand(&session, cli);
	if (status == 0) {
		status = report(&session);
	}
	session_release(&session);
	return status;
}

static const char *const details[] = {
	"Shows what was understood of the compose file: each service with its user word, who its",
	"process will be and why, and its mounts as the engine gets them. Looks at no source.",
	NULL,
};

const struct cli_command cmd_inspect = {
	.name = "inspect",
	.bit = CLI_INSPECT,
	.arguments = "[SERVICE...]",
	.summary = "show what was understood: identities and mounts",
	.details = details,
	.run = run_inspect,
};
