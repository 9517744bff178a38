/** history: list past fixes, and drop old journals. */
#include "cli.h"

#include <base/text.h>

#include <stdlib.h>
#include <string.h>

/** "30d" in seconds; -1 where it is no age. */
static int64_t read_age(const struct cli *cli, struct br_text word) {
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	char digits[12];
	uint32_t n;
	size_t len = strlen(word.s);
	if (len >= 2 && len < sizeof(digits)) {
		memcpy(digits, word.s, len - 1);
		digits[len - 1] = '\0';
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (word.s[len - 1] == units[i].unit
				&& br_parse_u32(digits, 1000000, &n) == 0) {
				return n * units[i].seconds;
			}
		}
	}
	(void)br_error(cli->dx, word.at, "'%s' is no age", word.s);
	br_hint(cli->dx,
		"a number and a unit (s, m, h, d, w): --prune 30d; or the ID of one run, as history lists it");
	return -1;
}

static int show(const struct cli *cli, const struct br_run *runs, size_t n) {
	struct br_report_style style = cli_style(cli);
	size_t len;
	char *bytes = br_report_history(runs, n, &style, &len);
	if (!bytes) {
		return br_error_memory(cli->dx);
	}
	int failed = cli_write(cli, bytes, len);
	free(bytes);
	return failed;
}

/** Whether it is to be dropped: 1, 0 somebody said no or there is nobody to ask, -1 it could not be
 * shown. */
static int wanted(const struct cli *cli, const struct br_run *run) {
	if (cli->args->yes || run->state == BR_RUN_UNDONE) {
		return 1;
	}
	if (show(cli, run, 1)) {
		return -1;
	}
	int yes = cli_ask(
		"Without this journal nothing can put back what the run changed. Drop it? [y/N] ");
	if (yes == -1) {
		br_note(cli->dx, (struct br_span){0},
			"nothing was dropped: there is no terminal to ask on, and without the journal nothing can put back what run %s changed",
			run->id);
		br_hint(cli->dx,
			"to drop it without being asked: bindright history --prune %s --yes",
			run->id);
	}
	return yes == 1;
}

static const struct br_run *find_run(const struct br_run *runs, size_t n, const char *id) {
	for (size_t i = 0; i < n; i++) {
		if (strcmp(runs[i].id, id) == 0) {
			return &runs[i];
		}
	}
	return NULL;
}

/** One that was named, whatever became of its run. */
static int drop(const struct cli *cli, struct br_arena *arena, const struct br_state_dir *state) {
	const char *id = cli->args->prune.s;
	const struct br_run *runs;
	size_t n;
	if (br_history(arena, state, &runs, &n, cli->dx)) {
		return CLI_FAILED;
	}
	const struct br_run *run = find_run(runs, n, id);
	int yes = run ? wanted(cli, run) : 1;
	if (yes <= 0) {
		return yes ? CLI_FAILED : CLI_MISFIT;
	}
	if (br_history_drop(state, id, cli->dx)) {
		return CLI_FAILED;
	}
	br_note(cli->dx, (struct br_span){0}, "1 journal was dropped");
	return CLI_FITS;
}

static int prune(const struct cli *cli, const struct br_state_dir *state) {
	int64_t age = read_age(cli, cli->args->prune);
	if (age < 0) {
		return CLI_USAGE;
	}
	int n = br_history_prune(state, age, cli->dx);
	if (n < 0) {
		return CLI_FAILED;
	}
	br_note(cli->dx, (struct br_span){0}, "%d %s dropped", n,
		n == 1 ? "journal was" : "journals were");
	return CLI_FITS;
}

static int list(const struct cli *cli, struct br_arena *arena, const struct br_state_dir *state) {
	const struct br_run *runs;
	size_t n;
	if (br_history(arena, state, &runs, &n, cli->dx)) {
		return CLI_FAILED;
	}
	return show(cli, runs, n) ? CLI_FAILED : CLI_FITS;
}

static int run_history(const struct cli *cli) {
	struct br_state_dir state = {.xdg_state_home = cli_getenv(cli->world, "XDG_STATE_HOME")};
	if (cli->args->words.n > 0) {
		(void)br_error(cli->dx, cli->args->words.v[0].at, "history takes no words");
		br_hint(cli->dx, "it lists all fixes; to drop the journal of one: --prune ID");
		return CLI_USAGE;
	}
	const char *which = cli->args->prune.s;
	if (which && !br_run_id_valid(which)) {
		return prune(cli, &state);
	}
	struct br_arena arena = {0};
	int status = which ? drop(cli, &arena, &state) : list(cli, &arena, &state);
	br_arena_release(&arena);
	return status;
}

static const char *const details[] = {
	"Lists past fixes, the newest first: ID, when, by whom, for which input, how much, and",
	"whether it can still be undone. --prune drops journals: of those that ended long enough",
	"ago and were not cut short, or of the one that is named, whatever became of it.",
	NULL,
};

const struct cli_command cmd_history = {
	.name = "history",
	.bit = CLI_HISTORY,
	.arguments = "",
	.summary = "list past fixes",
	.details = details,
	.run = run_history,
};
