/** undo: put back what a fix changed. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static int report(const struct cli *cli, const struct br_run *run,
	const struct br_undo_result *result, bool dry) {
	struct br_report_style style = cli_style(cli);
	size_t n;
	char *bytes = br_report_undo(run, result, dry, &style, &n);
	if (!bytes) {
		return br_error_memory(cli->dx);
	}
	int failed = cli_write(cli, bytes, n);
	free(bytes);
	return failed;
}

static int nothing(const struct cli *cli, const char *id) {
	static const struct br_undo_result none;
	size_t of_root = cli->world->euid != 0 && !id ? br_history_of_root() : 0;
	if (id) {
		br_note(cli->dx, (struct br_span){0}, "nothing of run %s is left to undo", id);
	} else {
		br_note(cli->dx, (struct br_span){0}, "there is nothing to undo");
	}
	if (of_root > 0) {
		br_hint(cli->dx, "%zu %s by root: sudo bindright undo", of_root,
			of_root == 1 ? "fix" : "fixes");
	}
	// A program that reads JSON is answered in JSON.
	return report(cli, NULL, &none, cli->args->dry_run) ? CLI_FAILED : CLI_FITS;
}

/** Of somebody else's runs only the number of root's is known. */
static void hint_root(const struct cli *cli, struct br_arena *arena, const char *id) {
	const struct br_state_dir state = {
		.xdg_state_home = cli_getenv(cli->world, "XDG_STATE_HOME")};
	const struct br_run *runs;
	size_t n;
	struct br_diags *unheard = br_diags_new(br_diags_places(cli->dx));
	bool known = unheard && br_history(arena, &state, &runs, &n, unheard) == 0;
	for (size_t i = 0; known && i < n; i++) {
		known = strcmp(runs[i].id, id) != 0;
	}
	br_diags_free(unheard);
	if (known && cli->world->euid != 0 && br_history_of_root() > 0) {
		br_hint(cli->dx, "if it is root's: sudo bindright undo %s", id);
	}
}

/** Whether it is to be put back: 1, 0 where somebody said no, -1 without anybody to ask, -2 it
 * could not be shown. */
static int wanted(
	const struct cli *cli, const struct br_run *run, const struct br_undo_result *would) {
	if (report(cli, run, would, true)) {
		return -2;
	}
	int yes = cli->args->dry_run ? 0 : cli_ask("Put this back? [y/N] ");
	if (yes == -1) {
		br_note(cli->dx, (struct br_span){0},
			"nothing was changed: there is no terminal to ask on");
		br_hint(cli->dx, "to undo without being asked: bindright undo %s --yes", run->id);
	}
	return yes;
}

static int undo(const struct cli *cli, struct br_arena *arena, const char *id) {
	const struct cli_args *args = cli->args;
	struct br_run run = {0};
	struct br_undo_result result = {0};
	struct br_apply_options options = {
		.state = {.xdg_state_home = cli_getenv(cli->world, "XDG_STATE_HOME")},
		.stop = cli->world->stop,
		.jail = args->require_jail ? BR_JAIL_REQUIRE : BR_JAIL_TRY,
		.seals = br_inode_seals(),
	};
	// A trial costs as much as the undo itself: it is made for whoever is asked.
	if (!args->yes) {
		int found = br_undo(arena, id, true, &options, &run, &result, cli->dx);
		if (found < 0 && id) {
			hint_root(cli, arena, id);
		}
		if (found <= 0) {
			return found ? CLI_FAILED : nothing(cli, id);
		}
		int yes = wanted(cli, &run, &result);
		if (yes <= 0) {
			return yes == -2 ? CLI_FAILED : args->dry_run ? CLI_FITS : CLI_MISFIT;
		}
		id = run.id;
		result = (struct br_undo_result){0};
	}
	cli_catch_signals();
	struct br_run done = {0};
	options.progress = cli_put_back(cli);
	int found = br_undo(arena, id, args->dry_run, &options, &done, &result, cli->dx);
	cli_progress_ends(options.progress);
	if (found == 0) {
		return nothing(cli, id);
	}
	if (found < 0 && id) {
		hint_root(cli, arena, id);
	}
	// Of one that failed half-way too, it is told what was put back, and what not.
	bool any = result.restored + result.removed + result.conflicts + result.failed > 0;
	bool told = (found < 0 && !any) || !report(cli, &done, &result, args->dry_run);
	if (found >= 0 && !told && !args->dry_run) {
		(void)br_error(cli->dx, (struct br_span){0},
			"%llu put back all the same, %llu left alone, %llu failed",
			(unsigned long long)result.restored + (unsigned long long)result.removed,
			(unsigned long long)result.conflicts, (unsigned long long)result.failed);
	}
	if (found < 0 || !told) {
		return CLI_FAILED;
	}
	return result.failed || result.interrupted ? CLI_FAILED
		: result.conflicts                 ? CLI_MISFIT
						   : CLI_FITS;
}

static int run_undo(const struct cli *cli) {
	const struct cli_words *words = &cli->args->words;
	if (words->n > 1) {
		(void)br_error(cli->dx, words->v[1].at, "undo takes one ID at most");
		return CLI_USAGE;
	}
	struct br_arena arena = {0};
	int status = undo(cli, &arena, words->n ? words->v[0].s : NULL);
	br_arena_release(&arena);
	return status;
}

static const char *const details[] = {
	"Puts back what a fix changed: the last one, or the one with this ID (see history).",
	"What was changed by somebody else meanwhile is left alone and listed.",
	NULL,
};

const struct cli_command cmd_undo = {
	.name = "undo",
	.bit = CLI_UNDO,
	.arguments = "[ID]",
	.summary = "put back what a fix changed",
	.details = details,
	.run = run_undo,
};
