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

enum {
	/** Columns: of the page, and of an option with its word. */
	WIDTH = 80,
	LEFT = 28,
};

/** Words of which none is cut, on lines of the page's width; *at is the column, and lines go on at
 * `indent`. */
static void print_words(const char *words, size_t *at, size_t indent) {
	for (const char *s = words; *s;) {
		size_t n = strcspn(s, " ");
		if (*at > indent && *at + 1 + n > WIDTH) {
			(void)printf("\n%*s", (int)indent, "");
			*at = indent;
		} else if (*at > indent) {
			(void)printf(" ");
			*at += 1;
		}
		(void)printf("%.*s", (int)n, s);
		*at += n;
		s += n + strspn(s + n, " ");
	}
}

static void print_choices(const char *const *choices) {
	size_t at = LEFT + 4;
	(void)printf("%*s", LEFT + 4, "");
	print_words("one of:", &at, LEFT + 4);
	for (size_t i = 0; choices[i]; i++) {
		char word[64];
		(void)snprintf(word, sizeof(word), "%s%s", choices[i], choices[i + 1] ? "," : "");
		print_words(word, &at, LEFT + 4);
	}
	(void)printf("\n");
}

static void print_option(const struct cli_option *option) {
	char left[64];
	size_t at = LEFT + 4;
	char letter[8] = "    ";
	if (option->letter) {
		(void)snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	}
	(void)snprintf(left, sizeof(left), "%s--%s%s%s%s", letter,
		option->negatable && strcmp(option->name, "one-file-system") != 0 ? "[no-]" : "",
		option->name, option->word ? " " : "", option->word ? option->word : "");
	(void)printf("  %-*s  ", LEFT, left);
	if (strlen(left) > LEFT) {
		(void)printf("\n%*s", LEFT + 4, "");
	}
	print_words(option->help, &at, LEFT + 4);
	(void)printf("\n");
	if (option->choices) {
		print_choices(option->choices);
	}
}

/** Lines that begin in the same column are one paragraph; an empty one stays. */
static void print_details(const char *const *lines) {
	size_t at = 0;
	size_t last = 0;
	for (size_t i = 0; lines && lines[i]; i++) {
		size_t indent = strspn(lines[i], " ");
		if (i && (indent != last || !*lines[i] || !*lines[i - 1])) {
			(void)printf("\n");
			at = 0;
		}
		if (at == 0) {
			(void)printf("%*s", (int)indent, "");
			at = indent;
		}
		print_words(lines[i] + indent, &at, indent);
		last = indent;
	}
	(void)printf("%s", lines && lines[0] ? "\n" : "");
}

static void print_command(const struct cli_command *command) {
	const struct cli_option *options;
	size_t n = cli_options(&options);
	(void)printf("Usage: bindright %s%s%s%s%s\n\n", command->name,
		command->bit == CLI_HELP ? "" : " [OPTION...]", *command->arguments ? " " : "",
		command->arguments, command->bit & CLI_READ ? " [-- RUN LINE]" : "");
	print_details(command->details);
	(void)printf("\nOptions:\n");
	for (size_t i = 0; i < n; i++) {
		if (options[i].commands & command->bit) {
			print_option(&options[i]);
		}
	}
}

static void print_overview(void) {
	(void)printf("Usage: bindright [COMMAND] [OPTION...] [SERVICE...] [-- RUN LINE]\n\n"
		     "Makes bind mounts fit the container that will use them. Without a command:\n"
		     "check.\n\n"
		     "Commands:\n");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		(void)printf("  %-8s  %s\n", all[i]->name, all[i]->summary);
	}
	(void)printf(
		"\nExit status: 0 everything fits, 1 something does not, 2 wrong usage or input,\n"
		"3 refused or failed.\n\n"
		"bindright help COMMAND shows the options of a command; man bindright, all of\n"
		"them.\n");
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
