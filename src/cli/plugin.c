/**
 * Called by the docker command line as its plugin: `docker [its options] bindright …`.
 *
 * docker asks a plugin for its metadata, then hands it all of its own words, with its own options
 * before the plugin's name (docker/cli, cli-plugins/manager: PluginRunCommand). `docker help
 * bindright` and completion come with their words first.
 */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Docker's options that take a value, and the variable that says the same; NULL: it is nothing to
 * us. */
static const struct {
	const char *name;
	char letter;
	const char *variable;
} with_value[] = {
	{"config", 0, "DOCKER_CONFIG"},
	{"context", 'c', "DOCKER_CONTEXT"},
	{"host", 'H', "DOCKER_HOST"},
	{"log-level", 'l', NULL},
	{"tlscacert", 0, NULL},
	{"tlscert", 0, NULL},
	{"tlskey", 0, NULL},
};

enum {
	NOPTIONS = sizeof(with_value) / sizeof(with_value[0])
};

bool cli_is_plugin(const char *name) {
	const char *slash = strrchr(name, '/');
	return strcmp(slash ? slash + 1 : name, "docker-bindright") == 0;
}

static int print_metadata(void) {
	int n = printf(
		"{\"SchemaVersion\": \"0.1.0\", \"Vendor\": \"bindright\", \"Version\": \"%s\", "
		"\"ShortDescription\": \"Make bind mounts fit the container\"}\n",
		BR_VERSION);
	return n < 0 || fflush(stdout) ? CLI_FAILED : CLI_FITS;
}

/** In cobra's form: a candidate a line, then what the shell shall do beside (4: no file names; 0:
 * as it likes). */
static int print_completions(int argc, char *const *argv) {
	const struct cli_command *const *commands;
	size_t n = argc == 4 ? cli_commands(&commands) : 0;
	bool failed = false;
	for (size_t i = 0; i < n; i++) {
		const struct cli_command *command = commands[i];
		if (strncmp(command->name, argv[3], strlen(argv[3])) == 0) {
			failed |= printf("%s\t%s\n", command->name, command->summary) < 0;
		}
	}
	failed |= printf(n ? ":4\n" : ":0\n") < 0;
	return failed || fflush(stdout) ? CLI_FAILED : CLI_FITS;
}

bool cli_plugin_answers(int argc, char *const *argv, int *status) {
	const char *word = argc > 1 ? argv[1] : "";
	if (strcmp(word, "docker-cli-plugin-metadata") == 0) {
		*status = print_metadata();
		return true;
	}
	if (strcmp(word, "__complete") == 0 || strcmp(word, "__completeNoDesc") == 0) {
		*status = print_completions(argc, argv);
		return true;
	}
	return false;
}

/** Which option a word is, and where its value begins (NULL: it is the next word); -1 for a flag. */
static int find_option(const char *word, const char **value) {
	*value = NULL;
	if (strncmp(word, "--", 2) == 0) {
		size_t n = strcspn(word + 2, "=");
		*value = word[n + 2] ? word + n + 3 : NULL;
		for (int i = 0; i < NOPTIONS; i++) {
			const char *name = with_value[i].name;
			if (strlen(name) == n && strncmp(word + 2, name, n) == 0) {
				return i;
			}
		}
		return -1;
	}
	for (const char *letter = word + 1; *letter; letter++) {
		for (int i = 0; i < NOPTIONS; i++) {
			if (with_value[i].letter == *letter) {
				*value = letter[1] ? letter + 1 + (letter[1] == '=') : NULL;
				return i;
			}
		}
	}
	return -1;
}

int cli_plugin_start(int argc, char **argv) {
	int i = 1;
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		const char *value;
		int option = find_option(argv[i], &value);
		if (option < 0) {
			continue;
		}
		if (!value && i + 1 < argc) {
			value = argv[++i];
		}
		const char *variable = with_value[option].variable;
		if (variable && value && setenv(variable, value, 1)) {
			return -1;
		}
	}
	// `docker help bindright check`
	if (i + 1 < argc && strcmp(argv[i], "help") == 0 && strcmp(argv[i + 1], "bindright") == 0) {
		argv[i + 1] = argv[i];
		return i + 1;
	}
	return i < argc && strcmp(argv[i], "bindright") == 0 ? i + 1 : 1;
}
