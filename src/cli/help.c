/** Help and lists from the one option table. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static const struct cli_command *const all[] = {
	&cmd_check,
	&cmd_plan,
	&cmd_fix,
	&cmd_reclaim,
	&cmd_undo,
	&cmd_history,
	&cmd_explain,
	&cmd_inspect,
	&cmd_id,
	&cmd_codes,
	&cmd_help,
};

size_t cli_commands(const struct cli_command *const **commands) {
	*commands = all;
	return sizeof(all) / sizeof(all[0]);
}

static void print_option(const struct cli_option *option) {
	char left[64];
	char letter[8] = "    ";
	if (option->letter) {
		(void)snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	}
	(void)snprintf(left, sizeof(left), "%s--%s%s%s%s", letter,
		option->negatable && strcmp(option->name, "one-file-system") != 0 ? "[no-]" : "",
		option->name, option->word ? " " : "", option->word ? option->word : "");
	if (strlen(left) > 28) {
		(void)printf("  %s\n  %-28s  %s\n", left, "", option->help);
	} else {
		(void)printf("  %-28s  %s\n", left, option->help);
	}
	if (option->choices) {
		(void)printf("  %-28s  one of:", "");
		for (size_t i = 0; option->choices[i]; i++) {
			(void)printf("%s %s", i ? "," : "", option->choices[i]);
		}
		(void)printf("\n");
	}
}

static void print_command(const struct cli_command *command) {
	const struct cli_option *options;
	size_t n = cli_options(&options);
	(void)printf("Usage: bindright %s%s%s%s%s\n\n", command->name,
		command->bit == CLI_HELP ? "" : " [OPTION...]", *command->arguments ? " " : "",
		command->arguments, "");
	for (size_t i = 0; command->details && command->details[i]; i++) {
		(void)printf("%s\n", command->details[i]);
	}
	(void)printf("\nOptions:\n");
	for (size_t i = 0; i < n; i++) {
		if (options[i].commands & command->bit) {
			print_option(&options[i]);
		}
	}
}

static void print_overview(void) {
	(void)printf(
		"Usage: bindright [COMMAND] [OPTION...] [SERVICE...]\n\n"
		"Makes bind mounts fit the container that will use them. Without a command: check.\n\n"
		"Commands:\n");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		(void)printf("  %-8s  %s\n", all[i]->name, all[i]->summary);
	}
	(void)printf(
		"\nExit status: 0 everything fits, 1 something does not, 2 wrong usage or input,\n"
		"3 refused or failed.\n\n"
		"bindright help COMMAND shows the options of a command; man bindright, all of them.\n");
}

int cli_help(const struct cli_command *command) {
	if (command && command->bit != CLI_HELP) {
		print_command(command);
	} else {
		print_overview();
	}
	return fflush(stdout) || ferror(stdout) ? CLI_FAILED : CLI_FITS;
}

int cli_list_options(void) {
	const struct cli_option *options;
	size_t n = cli_options(&options);
	for (size_t c = 0; c < sizeof(all) / sizeof(all[0]); c++) {
		(void)printf("%s\t%s\n", all[c]->name, all[c]->summary);
		for (size_t i = 0; i < n; i++) {
			if (!(options[i].commands & all[c]->bit)) {
				continue;
			}
			(void)printf("%s\t--%s\t%s%c\t%s\t%s\n", all[c]->name, options[i].name,
				options[i].letter ? "-" : "",
				options[i].letter ? options[i].letter : '-',
				options[i].word ? options[i].word : "", options[i].help);
		}
	}
	return fflush(stdout) || ferror(stdout) ? CLI_FAILED : CLI_FITS;
}

static int run_help(const struct cli *cli) {
	const struct cli_words *words = &cli->args->words;
	if (words->n == 0) {
		return cli_help(NULL) ? cli_lost(cli) : CLI_FITS;
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(all[i]->name, words->v[0].s) == 0) {
			return cli_help(all[i]) ? cli_lost(cli) : CLI_FITS;
		}
	}
	(void)br_error(cli->dx, words->v[0].at, "there is no command '%s'", words->v[0].s);
	br_hint(cli->dx, "bindright help lists them");
	return CLI_USAGE;
}

const struct cli_command cmd_help = {
	.name = "help",
	.bit = CLI_HELP,
	.arguments = "[COMMAND]",
	.summary = "explain a command and its options",
	.run = run_help,
};
