#include "cli.h"

#include <base/text.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(f) offsetof(struct cli_args, f)

static const char *const kinds[] = {"compose", "run-line", "oci", NULL};
static const char *const engines[] = {
	"docker", "docker-rootless", "podman", "podman-rootless", "oci", NULL};
static const char *const formats[] = {"text", "json", "ndjson", "sarif", "github", NULL};
static const char *const two_formats[] = {"text", "json", NULL};
static const char *const whens[] = {"auto", "always", "never", NULL};
static const char *const severities[] = {"error", "warning", "info", NULL};
static const char *const strategies[] = {"auto", "acl", "chown", "group", NULL};

enum {
	CHANGES = CLI_PLAN | CLI_FIX | CLI_RECLAIM,
};

static const struct cli_option all[] = {
	{"file", 'f', CLI_LIST, false, "FILE", NULL, CLI_READ, FIELD(files),
		"read this file (repeatable; - is standard input)"},
	{"container", 0, CLI_LIST, false, "NAME", NULL, CLI_READ, FIELD(containers),
		"a container that the engine has, running or not (repeatable)"},
	{"kind", 0, CLI_WORD, false, "KIND", kinds, CLI_READ, FIELD(kind),
		"what the input is (default: as its content looks)"},
	{"project-directory", 0, CLI_WORD, false, "DIR", NULL, CLI_READ, FIELD(project_directory),
		"where relative paths start"},
	{"env-file", 0, CLI_LIST, false, "FILE", NULL, CLI_READ, FIELD(env_files),
		"read variables from here instead of .env (repeatable)"},
	{"profile", 0, CLI_LIST, false, "NAME", NULL, CLI_READ, FIELD(profiles),
		"switch a profile on (repeatable)"},
	{"no-deps", 0, CLI_FLAG, false, NULL, NULL, CLI_READ, FIELD(no_deps),
		"leave out what the named services depend on"},
	{"project-name", 'p', CLI_WORD, false, "NAME", NULL, CLI_READ, FIELD(project_name),
		"the project's name"},
	{"env", 0, CLI_LIST, false, "NAME=VALUE", NULL, CLI_READ, FIELD(env),
		"a variable for interpolation, before all others (repeatable)"},
	{"engine", 0, CLI_WORD, false, "ENGINE", engines, CLI_READ | CLI_ID, FIELD(engine),
		"whose rules apply (default: what the input names; docker)"},
	{"engine-user", 0, CLI_WORD, false, "NAME", NULL, CLI_READ | CLI_ID, FIELD(engine_user),
		"who runs a rootless engine (default: you)"},
	{"engine-version", 0, CLI_WORD, false, "X.Y", NULL, CLI_READ | CLI_ID,
		FIELD(engine_version),
		"where versions of the engine differ (default: the running one's)"},
	{"daemon-config", 0, CLI_WORD, false, "FILE", NULL, CLI_READ | CLI_ID, FIELD(daemon_config),
		"Docker's daemon.json, read for userns-remap"},
	{"compose-version", 0, CLI_WORD, false, "X.Y", NULL, CLI_READ, FIELD(compose_version),
		"where versions of compose differ (default: the newest known)"},
	{"sysroot", 0, CLI_WORD, false, "DIR", NULL, CLI_READ | CLI_ID, FIELD(sysroot),
		"read passwd, group, subuid, daemon.json and such below DIR"},
	{"image-archive", 0, CLI_LIST, false, "FILE", NULL, CLI_READ, FIELD(image_archives),
		"take image users from this docker save or OCI archive (repeatable)"},
	{"user", 0, CLI_LIST, false, "SERVICE=UID[:GID]", NULL, CLI_READ, FIELD(users),
		"pin who a service runs as (repeatable)"},
	{"need", 0, CLI_LIST, false, "TARGET=r|rw|rx|rwx", NULL, CLI_INPUT, FIELD(needs),
		"what is needed below this container path (repeatable)"},
	{"need", 0, CLI_LIST, false, "NEED", NULL, CLI_EXPLAIN, FIELD(needs),
		"what is asked for: r, w, x together; exit 1 for a no"},
	{"exclude", 0, CLI_LIST, false, "PATTERN", NULL, CLI_INPUT, FIELD(excludes),
		"leave out matching paths below the sources (repeatable)"},
	{"keep", 0, CLI_LIST, false, "USER", NULL, CLI_INPUT, FIELD(keep),
		"a host user who must keep, or get, access (repeatable; default: you)"},
	{"fail-fast", 0, CLI_FLAG, false, NULL, NULL, CLI_INPUT, FIELD(fail_fast),
		"stop at the first error"},
	{"files-from", 0, CLI_WORD, false, "FILE", NULL, CLI_CHECK, FIELD(files_from),
		"judge the paths that this file lists, a line each, instead of walking"},
	{"null", '0', CLI_FLAG, false, NULL, NULL, CLI_CHECK, FIELD(null),
		"the list of --files-from is separated by NUL bytes"},
	{"depth", 0, CLI_WORD, false, "N", NULL, CLI_INPUT, FIELD(depth),
		"look at most N levels below each source"},
	{"cross-file-systems", 0, CLI_FLAG, false, NULL, NULL, CLI_INPUT, FIELD(cross),
		"enter mount points inside a source"},
	{"one-file-system", 0, CLI_FLAG, true, NULL, NULL, CLI_INPUT, FIELD(cross),
		"do not enter them (the default)"},
	{"jobs", 'j', CLI_WORD, false, "N", NULL, CLI_INPUT, FIELD(jobs),
		"threads that read (default: one a core)"},
	{"format", 0, CLI_WORD, false, "FORMAT", formats, CLI_INPUT, FIELD(format),
		"how the report is written"},
	{"format", 0, CLI_WORD, false, "FORMAT", two_formats, CLI_OTHERS, FIELD(format),
		"how the answer is written"},
	{"output", 'o', CLI_WORD, false, "FILE", NULL, CLI_ALL, FIELD(output),
		"where it is written (default: standard output)"},
	{"color", 0, CLI_WORD, false, "WHEN", whens, CLI_ALL, FIELD(color),
		"colours (auto: only on a terminal, and not with NO_COLOR)"},
	{"progress", 0, CLI_WORD, false, "WHEN", whens, CLI_INPUT | CLI_UNDO, FIELD(progress),
		"a progress line on standard error"},
	{"quiet", 'q', CLI_COUNT, false, NULL, NULL, CLI_ALL, FIELD(quiet), "say less"},
	{"verbose", 'v', CLI_COUNT, false, NULL, NULL, CLI_ALL, FIELD(verbose), "say more"},
	{"fail-on", 0, CLI_WORD, false, "SEVERITY", severities, CLI_CHECK | CLI_PLAN,
		FIELD(fail_on), "from which severity on to exit with 1 (default: error)"},
	{"strategy", 0, CLI_WORD, false, "STRATEGY", strategies, CLI_PLAN | CLI_FIX,
		FIELD(strategy), "how access is given"},
	{"create-users", 0, CLI_FLAG, true, NULL, NULL, CLI_PLAN | CLI_FIX, FIELD(create_users),
		"create the missing matching host user and group"},
	{"create-missing", 0, CLI_FLAG, true, NULL, NULL, CLI_PLAN | CLI_FIX, FIELD(create_missing),
		"create missing source directories (the default)"},
	{"future-files", 0, CLI_FLAG, true, NULL, NULL, CLI_PLAN | CLI_FIX, FIELD(future_files),
		"make files that are created later usable too (default ACLs)"},
	{"from", 0, CLI_LIST, false, "USER[,USER...]", NULL, CHANGES, FIELD(from),
		"files of these owners may be changed too"},
	{"privileged-files", 0, CLI_FLAG, true, NULL, NULL, CHANGES, FIELD(privileged_files),
		"also change setuid, setgid and capability-bearing files"},
	{"other-mounts", 0, CLI_FLAG, false, NULL, NULL, CHANGES, FIELD(other_mounts),
		"also change what lies under mounts of containers not asked about"},
	{"max-copy-up", 0, CLI_WORD, false, "SIZE", NULL, CHANGES, FIELD(max_copy_up),
		"how much an overlay may copy for it (default: 256M)"},
	{"allow-dangerous", 0, CLI_LIST, false, "PATH", NULL, CHANGES, FIELD(allow_dangerous),
		"allow this source although it is refused (repeatable)"},
	{"plan", 0, CLI_WORD, false, "FILE", NULL, CLI_FIX, FIELD(plan),
		"apply exactly the plan that was saved by plan --format json -o FILE"},
	{"yes", 'y', CLI_FLAG, false, NULL, NULL, CLI_FIX | CLI_RECLAIM | CLI_UNDO | CLI_HISTORY,
		FIELD(yes), "do not ask"},
	{"dry-run", 0, CLI_FLAG, false, NULL, NULL, CLI_FIX | CLI_RECLAIM | CLI_UNDO,
		FIELD(dry_run), "show what would be done, change nothing"},
	{"require-jail", 0, CLI_FLAG, false, NULL, NULL, CLI_FIX | CLI_RECLAIM | CLI_UNDO,
		FIELD(require_jail), "fail rather than work without the mount jail"},
	{"resume", 0, CLI_FLAG, false, NULL, NULL, CLI_FIX | CLI_RECLAIM, FIELD(resume),
		"go on where one that was cut short in these places ended"},
	{"prune", 0, CLI_WORD, false, "AGE|ID", NULL, CLI_HISTORY, FIELD(prune),
		"drop journals older than AGE (30d, 12h, 2w), or that run's"},
	{"as", 0, CLI_WORD, false, "WHO", NULL, CLI_EXPLAIN, FIELD(as),
		"who asks: UID[:GID][,+GROUP...], or a host user's name"},
	{"caps", 0, CLI_LIST, false, "CAP[,CAP...]", NULL, CLI_EXPLAIN, FIELD(caps),
		"effective capabilities that WHO has (repeatable)"},
	{"uid-map", 0, CLI_LIST, false, "CONTAINER:HOST:COUNT", NULL, CLI_EXPLAIN, FIELD(uid_map),
		"WHO is in a user namespace with this map (repeatable)"},
	{"gid-map", 0, CLI_LIST, false, "CONTAINER:HOST:COUNT", NULL, CLI_EXPLAIN, FIELD(gid_map),
		"the same for groups (one map alone counts for both)"},
	{"read-only", 0, CLI_FLAG, false, NULL, NULL, CLI_EXPLAIN, FIELD(read_only),
		"the mount is read-only"},
	{"walk", 0, CLI_FLAG, false, NULL, NULL, CLI_EXPLAIN, FIELD(walk),
		"judge the directories above PATH too, as for a host user"},
	{"batch", 0, CLI_FLAG, false, NULL, NULL, CLI_EXPLAIN, FIELD(batch),
		"answer queries of standard input, a line of JSON each"},
	{"origins", 0, CLI_FLAG, false, NULL, NULL, CLI_INSPECT, FIELD(origins),
		"say of every value where it stands"},
	{"help", 'h', CLI_FLAG, false, NULL, NULL, CLI_ALL | CLI_HELP, FIELD(want_help),
		"this help"},
	{"version", 'V', CLI_FLAG, false, NULL, NULL, CLI_ALL | CLI_HELP, FIELD(want_version),
		"the version"},
};

/** Promised words whose work is not there yet: refused by name, never half done. */
static const char *const later_options[] = {NULL};
static const char *const later_commands[] = {NULL};
static const char *const later_kinds[] = {
	"kube", "ecs", "quadlet", "devcontainer", "docker-inspect", "cri", NULL};

size_t cli_options(const struct cli_option **options) {
	*options = all;
	return sizeof(all) / sizeof(all[0]);
}

/** The words under way, and where each stands in the joined command line. */
struct reader {
	struct cli_args *args;
	struct br_diags *dx;
	int argc;
	char *const *argv;
	const uint32_t *offsets;
	int i;
	/** Where the options end: at "--", or with the words. */
	int end;
};

static struct br_span span_of(const struct reader *reader, int i, size_t from, size_t n) {
	return (struct br_span){
		.text = reader->args->text,
		.off = reader->offsets[i] + (uint32_t)from,
		.len = (uint32_t)n,
	};
}

static struct br_span whole(const struct reader *reader, int i) {
	return span_of(reader, i, 0, strlen(reader->argv[i]));
}

static bool is_in(const char *word, const char *const *names) {
	for (size_t i = 0; names[i]; i++) {
		if (strcmp(word, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

static const char *join(struct br_arena *arena, const char *const *words) {
	const char *out = "";
	for (size_t i = 0; words[i] && out; i++) {
		out = br_printf(arena, "%s%s%s", out, i ? ", " : "", words[i]);
	}
	return out ? out : "";
}

static int check_choice(
	const struct reader *reader, const struct cli_option *option, struct br_text word) {
	if (!option->choices || is_in(word.s, option->choices)) {
		return 0;
	}
	if (option->choices == kinds && is_in(word.s, later_kinds)) {
		return br_error(
			reader->dx, word.at, "--kind %s is not supported by this version", word.s);
	}
	(void)br_error(reader->dx, word.at, "'%s' is no value of --%s", word.s, option->name);
	br_hint(reader->dx, "expected one of: %s", join(&reader->args->arena, option->choices));
	return -1;
}

static int keep_word(struct reader *reader, const struct cli_option *option, struct br_text word) {
	void *field = (char *)reader->args + option->field;
	if (option->takes == CLI_WORD) {
		*(struct br_text *)field = word;
		return 0;
	}
	struct cli_words *words = field;
	return br_vec_push(&reader->args->arena, words, word) ? br_error_memory(reader->dx) : 0;
}

static void keep_flag(struct reader *reader, const struct cli_option *option, bool yes) {
	int *field = (int *)(void *)((char *)reader->args + option->field);
	*field = option->takes == CLI_COUNT ? *field + 1 : yes;
}

/** The option that has this long name, "no-" forms too (then *yes is false). */
static const struct cli_option *find_long(const char *name, size_t n, bool *yes) {
	bool negated = n > 3 && strncmp(name, "no-", 3) == 0;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const struct cli_option *option = &all[i];
		if (strlen(option->name) == n && strncmp(option->name, name, n) == 0) {
			// --one-file-system is the no of --cross-file-systems.
			*yes = strcmp(option->name, "one-file-system") != 0;
			return option;
		}
		if (negated && option->negatable && strcmp(option->name, "one-file-system") != 0
			&& strlen(option->name) == n - 3
			&& strncmp(option->name, name + 3, n - 3) == 0) {
			*yes = false;
			return option;
		}
	}
	return NULL;
}

static int unknown_long(struct reader *reader, const char *name, size_t n) {
	const char *names[2 * sizeof(all) / sizeof(all[0]) + 1] = {NULL};
	size_t count = 0;
	const char *word = br_strndup(&reader->args->arena, name, n);
	struct br_span at = span_of(reader, reader->i, 0, n + 2);
	if (!word) {
		return br_error_memory(reader->dx);
	}
	if (is_in(word, later_options)) {
		return br_error(reader->dx, at, "--%s is not supported by this version", word);
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		names[count++] = all[i].name;
	}
	(void)br_error(reader->dx, at, "unknown option '--%s'", word);
	const char *nearest = br_nearest(word, names);
	const char *meant = cli_meant_option(word);
	if (meant) {
		br_hint(reader->dx, "%s", meant);
	} else if (nearest) {
		br_hint(reader->dx, "did you mean --%s?", nearest);
	} else {
		br_hint(reader->dx, "see: bindright help %s",
			reader->args->command ? reader->args->command->name : "");
	}
	return -1;
}

static int next_word(struct reader *reader, const struct cli_option *option, struct br_text *word) {
	if (reader->i + 1 >= reader->argc) {
		(void)br_error(reader->dx, whole(reader, reader->i), "'%s' needs a value: %s",
			reader->argv[reader->i], option->word);
		return -1;
	}
	reader->i++;
	*word = (struct br_text){reader->argv[reader->i], whole(reader, reader->i)};
	return 0;
}

static int read_long(struct reader *reader) {
	const char *name = reader->argv[reader->i] + 2;
	const char *equals = strchr(name, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	bool yes = true;
	const struct cli_option *option = find_long(name, n, &yes);
	if (!option) {
		return unknown_long(reader, name, n);
	}
	if (option->takes == CLI_FLAG || option->takes == CLI_COUNT) {
		if (equals) {
			return br_error(reader->dx, whole(reader, reader->i), "--%s takes no value",
				option->name);
		}
		keep_flag(reader, option, yes);
		return 0;
	}
	struct br_text word = {equals ? equals + 1 : NULL,
		span_of(reader, reader->i, n + 3, equals ? strlen(equals + 1) : 0)};
	if (!equals && next_word(reader, option, &word)) {
		return -1;
	}
	return keep_word(reader, option, word);
}

static const struct cli_option *find_letter(char letter) {
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].letter && all[i].letter == letter) {
			return &all[i];
		}
	}
	return NULL;
}

/** "-version", "-out=FILE": read as letters it would be something else, and that would be done. */
static bool lacks_dash(const char *arg) {
	size_t n = strcspn(arg + 1, "=");
	bool yes;
	return (n > 2 && find_long(arg + 1, n, &yes)) || strncmp(arg, "-out=", 5) == 0;
}

static int one_dash(struct reader *reader, const char *arg) {
	size_t n = strcspn(arg, "=");
	(void)br_error(
		reader->dx, span_of(reader, reader->i, 0, n), "unknown option '%.*s'", (int)n, arg);
	br_hint(reader->dx, "did you mean -%.*s%s?", (int)n, arg,
		strncmp(arg, "-out=", 5) == 0 ? "put" : "");
	return -1;
}

/** "-qv", "-fFILE", "-f FILE". */
static int read_short(struct reader *reader) {
	const char *arg = reader->argv[reader->i];
	int at = reader->i;
	if (lacks_dash(arg)) {
		return one_dash(reader, arg);
	}
	for (size_t k = 1; arg[k]; k++) {
		const struct cli_option *option = find_letter(arg[k]);
		if (!option) {
			(void)br_error(reader->dx, span_of(reader, at, k, 1),
				"unknown option '-%c'", arg[k]);
			br_hint(reader->dx, "see: bindright help");
			return -1;
		}
		if (option->takes == CLI_FLAG || option->takes == CLI_COUNT) {
			keep_flag(reader, option, true);
			continue;
		}
		struct br_text word = {
			arg + k + 1, span_of(reader, at, k + 1, strlen(arg + k + 1))};
		if (!arg[k + 1] && next_word(reader, option, &word)) {
			return -1;
		}
		return keep_word(reader, option, word);
	}
	return 0;
}

static const struct cli_command *find_command(const char *name) {
	const struct cli_command *const *commands;
	size_t n = cli_commands(&commands);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(commands[i]->name, name) == 0) {
			return commands[i];
		}
	}
	return NULL;
}

static const char line_hint[] =
	"a run line stands behind --: bindright check -- docker run -v ./data:/data IMAGE";

static int unknown_command(struct reader *reader, const char *word) {
	const struct cli_command *const *commands;
	const char *names[16] = {NULL};
	size_t n = cli_commands(&commands);
	for (size_t i = 0; i < n && i < 15; i++) {
		names[i] = commands[i]->name;
	}
	if (is_in(word, later_commands)) {
		return br_error(reader->dx, whole(reader, reader->i),
			"the command '%s' is not supported by this version", word);
	}
	(void)br_error(reader->dx, whole(reader, reader->i), "unknown command '%s'", word);
	const char *nearest = br_nearest(word, names);
	const char *meant = cli_meant_command(word);
	if (cli_is_client(word)) {
		br_hint(reader->dx, "%s", line_hint);
	} else if (meant) {
		br_hint(reader->dx, "%s", meant);
	} else if (nearest) {
		br_hint(reader->dx, "did you mean '%s'?", nearest);
	} else if (strchr(word, '.') || strchr(word, '/')) {
		br_hint(reader->dx, "a file is given as: bindright check -f %s", word);
	} else {
		br_hint(reader->dx, "commands: %s", join(&reader->args->arena, names));
	}
	return -1;
}

/** "check docker run …": without "--" its options would be taken for ours. */
static int lacks_dashes(const struct reader *reader) {
	(void)br_error(reader->dx, whole(reader, reader->i), "a run line stands behind --");
	br_hint(reader->dx, "for example: bindright %s -- %s %s …", reader->args->command->name,
		reader->argv[reader->i], reader->argv[reader->i + 1]);
	return -1;
}

/** The first word is the command; the others are kept. */
static int read_plain(struct reader *reader) {
	struct br_text word = {reader->argv[reader->i], whole(reader, reader->i)};
	const struct cli_command *command = reader->args->command;
	if (command && (command->bit & CLI_READ) && reader->i + 1 < reader->argc
		&& cli_begins_line(word.s, reader->argv[reader->i + 1])) {
		return lacks_dashes(reader);
	}
	if (!reader->args->command) {
		reader->args->command = find_command(word.s);
		reader->args->command_at = reader->i;
		return reader->args->command ? 0 : unknown_command(reader, word.s);
	}
	return br_vec_push(&reader->args->arena, &reader->args->words, word)
		? br_error_memory(reader->dx)
		: 0;
}

/** Whatever stands behind "--" is the run line. */
static int read_line(struct reader *reader) {
	reader->args->line_at = whole(reader, reader->i);
	reader->end = reader->i;
	reader->args->line_index = reader->i;
	reader->args->has_line = true;
	for (reader->i++; reader->i < reader->argc; reader->i++) {
		struct br_text word = {reader->argv[reader->i], whole(reader, reader->i)};
		if (br_vec_push(&reader->args->arena, &reader->args->line, word)) {
			return br_error_memory(reader->dx);
		}
	}
	return 0;
}

static int read_one(struct reader *reader) {
	const char *arg = reader->argv[reader->i];
	if (strcmp(arg, "--") == 0) {
		return read_line(reader);
	}
	if (strncmp(arg, "--", 2) == 0) {
		return read_long(reader);
	}
	return arg[0] == '-' && arg[1] ? read_short(reader) : read_plain(reader);
}

/** The row of this option for this command; several commands may have an option of one name. */
static const struct cli_option *find_row(const struct cli_option *option, unsigned bit) {
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if ((all[i].commands & bit) && strcmp(all[i].name, option->name) == 0) {
			return &all[i];
		}
	}
	return NULL;
}

/** The option that stands at argv[i], or NULL; *word is where its value begins, 0: in the next one.
 */
static const struct cli_option *option_at(const struct reader *reader, int i, size_t *word) {
	const char *arg = reader->argv[i];
	bool yes;
	if (strncmp(arg, "--", 2) == 0) {
		size_t n = strcspn(arg + 2, "=");
		*word = arg[n + 2] ? n + 3 : 0;
		return find_long(arg + 2, n, &yes);
	}
	*word = arg[0] == '-' && arg[1] && arg[2] ? 2 : 0;
	return arg[0] == '-' && arg[1] ? find_letter(arg[1]) : NULL;
}

static int not_of_this_command(
	const struct reader *reader, int i, const struct cli_option *option) {
	const struct cli_command *command = reader->args->command;
	const char *name = command ? command->name : "check";
	const struct cli_command *const *commands;
	const char *names[16] = {NULL};
	size_t n = cli_commands(&commands);
	size_t found = 0;
	for (size_t k = 0; k < n && found < 15; k++) {
		if (find_row(option, commands[k]->bit)) {
			names[found++] = commands[k]->name;
		}
	}
	(void)br_error(
		reader->dx, whole(reader, i), "%s has no option '%s'", name, reader->argv[i]);
	br_hint(reader->dx, "commands that have it: %s", join(&reader->args->arena, names));
	return -1;
}

/** What an option may be is known when its command is, which may stand behind it. */
static int check_used(const struct reader *reader) {
	const struct cli_args *args = reader->args;
	unsigned bit = args->command ? args->command->bit : CLI_CHECK;
	if (args->has_line && !(bit & CLI_READ)) {
		(void)br_error(
			reader->dx, args->line_at, "%s reads no run line", args->command->name);
		br_hint(reader->dx,
			"for example: bindright check -- docker run -v ./data:/data IMAGE");
		return -1;
	}
	for (int i = 0; i < reader->end; i++) {
		size_t from;
		const struct cli_option *option = option_at(reader, i, &from);
		if (!option) {
			continue;
		}
		const struct cli_option *row = find_row(option, bit);
		if (!row) {
			return not_of_this_command(reader, i, option);
		}
		if (row->takes != CLI_WORD && row->takes != CLI_LIST) {
			continue;
		}
		i += from == 0;
		const char *word = reader->argv[i] + from;
		if (check_choice(reader, row,
			    (struct br_text){word, span_of(reader, i, from, strlen(word))})) {
			return -1;
		}
	}
	return 0;
}

/** Options about how it is done and shown, not what. */
static const char *const manners[] = {"output", "format", "color", "progress", "quiet", "verbose",
	"fail-on", "jobs", "yes", "dry-run", "plan", "require-jail", "files-from", "null", "help",
	"version", NULL};

size_t cli_deciding_words(const struct cli_args *args, const char **out, struct br_span *first) {
	const struct reader reader = {.argv = args->argv};
	size_t n = 0;
	uint32_t offset = sizeof("bindright ") - 1;
	for (int i = 0; i < args->argc; i++) {
		size_t from = 1;
		// Behind "--" all words are the run line's.
		const struct cli_option *option =
			i < args->line_index ? option_at(&reader, i, &from) : NULL;
		bool takes = option && (option->takes == CLI_WORD || option->takes == CLI_LIST);
		int words = takes && from == 0 && i + 1 < args->argc ? 2 : 1;
		bool decides = option ? !is_in(option->name, manners) : i != args->command_at;
		for (int k = 0; k < words; k++, i += k < words) {
			uint32_t len = (uint32_t)strlen(args->argv[i]);
			if (decides && n == 0 && first) {
				*first = (struct br_span){args->text, offset, len};
			}
			if (decides) {
				out[n++] = args->argv[i];
			}
			offset += len + 1;
		}
	}
	return n;
}

int cli_parse(int argc, char *const *argv, struct cli_args *args, struct br_diags *dx) {
	struct br_buf line = {0};
	uint32_t *offsets = BR_NEW_ARRAY(&args->arena, uint32_t, (size_t)argc + 1);
	if (!offsets) {
		return br_error_memory(dx);
	}
	for (int i = 0; i < argc; i++) {
		br_buf_add(&line, i ? " " : "bindright ");
		offsets[i] = (uint32_t)line.n;
		br_buf_add(&line, argv[i]);
	}
	int text = line.failed ? -1
			       : br_places_add(br_diags_places(dx), BR_PLACE_ARGV, "<command line>",
				       line.s ? line.s : "bindright", line.s ? line.n : 9);
	br_buf_release(&line);
	if (text < 0) {
		return br_error_memory(dx);
	}
	args->text = (uint16_t)text;
	args->create_missing = 1;
	args->future_files = CLI_UNSAID;
	args->argc = argc;
	args->argv = argv;
	args->command_at = -1;
	args->line_index = argc;
	struct reader reader = {
		.args = args, .dx = dx, .argc = argc, .argv = argv, .offsets = offsets, .end = argc};
	for (; reader.i < argc; reader.i++) {
		if (read_one(&reader)) {
			return -1;
		}
	}
	return args->want_help || args->want_version ? 0 : check_used(&reader);
}
