/** What somebody may have meant by a word that is none of ours: the words of other programs for the
 * same thing. */
#include "cli.h"

#include <base/text.h>

#include <string.h>

struct meant {
	const char *word;
	const char *hint;
};

static const struct meant commands[] = {
	{"apply", "did you mean 'fix'?"},
	{"repair", "did you mean 'fix'?"},
	{"up", "did you mean 'fix'? What it does is shown by: bindright plan"},
	{"revert", "did you mean 'undo'?"},
	{"rollback", "did you mean 'undo'?"},
	{"restore", "did you mean 'undo'?"},
	{"diff", "did you mean 'plan'?"},
	{"preview", "did you mean 'plan'?"},
	{"lint", "did you mean 'check'?"},
	{"validate", "did you mean 'check'?"},
	{"verify", "did you mean 'check'?"},
	{"test", "did you mean 'check'?"},
	{"doctor", "did you mean 'check'?"},
	{"status", "did you mean 'check', or 'history'?"},
	{"list", "did you mean 'history'?"},
	{"log", "did you mean 'history'?"},
	{"show", "did you mean 'inspect'?"},
	{"config", "did you mean 'inspect'?"},
	{"why", "did you mean 'explain'?"},
	{"version", "did you mean --version?"},
};

static const struct meant options[] = {
	{"json", "did you mean --format json?"},
	{"sarif", "did you mean --format sarif?"},
	{"github", "did you mean --format github?"},
	{"out", "did you mean --output?"},
	{"no-color", "did you mean --color never?"},
	{"no-colour", "did you mean --color never?"},
	{"debug", "did you mean --verbose?"},
	{"silent", "did you mean --quiet?"},
	{"force", "did you mean --yes?"},
	{"assume-yes", "did you mean --yes?"},
	{"auto-approve", "did you mean --yes?"},
	{"non-interactive", "did you mean --yes?"},
	{"fix", "that is a command: bindright fix"},
	{"apply", "that is a command: bindright fix"},
	{"service", "services are named without an option: bindright check SERVICE"},
	{"last", "without an ID it is the last one: bindright undo"},
};

static const char *find(const struct meant *all, size_t n, const char *word) {
	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i].word, word) == 0) {
			return all[i].hint;
		}
	}
	return NULL;
}

const char *cli_meant_command(const char *word) {
	return find(commands, sizeof(commands) / sizeof(commands[0]), word);
}

const char *cli_meant_option(const char *word) {
	return find(options, sizeof(options) / sizeof(options[0]), word);
}

bool cli_is_client(const char *word) {
	return strcmp(word, "docker") == 0 || strcmp(word, "podman") == 0
		|| strcmp(word, "nerdctl") == 0;
}

bool cli_begins_line(const char *word, const char *next) {
	return cli_is_client(word) && next
		&& (strcmp(next, "run") == 0 || strcmp(next, "create") == 0
			|| strcmp(next, "container") == 0);
}
