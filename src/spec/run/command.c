/** What a command does that matters here: it sets a variable, changes the directory, or is a run
 * line. */
#include "run.h"

#include <base/text.h>

#include <spec/compose/compose.h>
#include <string.h>

static bool is_in(const char *word, const char *const *names) {
	while (*names && strcmp(word, *names) != 0) {
		names++;
	}
	return *names != NULL;
}

int br_say_hole(struct br_run *run, const struct br_hole *hole) {
	const char *what = hole->what;
	if (strcmp(what, "\\") == 0) {
		(void)br_error(run->dx, hole->at,
			"a blank behind the backslash: the command ends with this line");
		br_hint(run->dx, "remove the blanks at the end of the line");
		return -1;
	}
	if (what[0] == '<' || what[0] == '[') {
		(void)br_error(run->dx, hole->at, "'%s' is a placeholder", what);
		br_hint(run->dx, "put what is meant in its place");
		return -1;
	}
	if (run->is_make && strcmp(what, "$(pwd)") == 0) {
		(void)br_error(run->dx, hole->at,
			"make has no variable 'pwd': '$(pwd)' is empty in a recipe");
		br_hint(run->dx, "write $(CURDIR) or $$(pwd)");
		return -1;
	}
	if (!hole->name) {
		(void)br_error(
			run->dx, hole->at, "'%s' cannot be known without running something", what);
		br_hint(run->dx, "put its value in its place");
		return -1;
	}
	if (hole->because) {
		(void)br_error(run->dx, hole->at, "the value of '%s' cannot be known: %s",
			hole->name, hole->because);
	} else {
		(void)br_error(run->dx, hole->at, "the variable '%s' is not set", hole->name);
	}
	br_hint(run->dx, "say it with --env %s=VALUE", hole->name);
	return -1;
}

const char *br_run_path(struct br_run *run, const char *path, struct br_span at) {
	if (path[0] != '/' && !run->cwd) {
		(void)br_error(run->dx, at,
			"'%s' is relative, and the directory is not known after the cd before it",
			path);
		return NULL;
	}
	const char *out = br_join(run->arena, run->cwd ? run->cwd : "/", path);
	if (!out) {
		(void)br_error_memory(run->dx);
	}
	return out;
}

/** A command without what stands before it. */
static struct br_command rest_of(const struct br_command *command, size_t i) {
	return (struct br_command){
		command->words + i, command->n - i, command->end, command->end_at};
}

// ---- variables and directories ----

/** NAME=VALUE, NAME+=VALUE. */
static int assign(struct br_run *run, const struct br_word *word) {
	bool appends = word->is.s[word->assigns - 2] == '+';
	size_t n = word->assigns - 1 - appends;
	char *name = br_strndup(run->arena, word->is.s, n);
	if (!name) {
		return br_error_memory(run->dx);
	}
	if (!appends) {
		return br_run_set(run, name, word, word->assigns);
	}
	const struct br_var *old = br_env_get(&run->env, name);
	struct br_word both = *word;
	both.is.s =
		br_printf(run->arena, "%s%s", old ? old->value : "", word->is.s + word->assigns);
	return both.is.s ? br_run_set(run, name, &both, 0) : br_error_memory(run->dx);
}

/** The words of export and its like. */
static int declare(struct br_run *run, const struct br_command *command) {
	for (size_t i = 1; i < command->n; i++) {
		if (command->words[i].assigns && assign(run, &command->words[i])) {
			return -1;
		}
	}
	return 0;
}

/** What these set is known only when they run. */
static int lose(struct br_run *run, const struct br_command *command, size_t from) {
	const char *why = br_printf(run->arena, "it is set by '%s'", command->words[0].is.s);
	if (!why) {
		return br_error_memory(run->dx);
	}
	for (size_t i = from; i < command->n; i++) {
		const char *name = command->words[i].is.s;
		size_t n = strlen(name);
		if (n && br_name_length(name, n) == n && br_run_lose(run, name, why)) {
			return -1;
		}
	}
	return 0;
}

static int change_directory(struct br_run *run, const struct br_command *command) {
	size_t i = 1;
	while (i < command->n
		&& (strcmp(command->words[i].is.s, "--") == 0
			|| strcmp(command->words[i].is.s, "-P") == 0)) {
		i++;
	}
	if (i >= command->n) {
		run->cwd = run->home;
		return 0;
	}
	const struct br_word *to = &command->words[i];
	// "git clone …; cd it": this text is in it already.
	if (run->clone && strcmp(to->is.s, run->clone) == 0) {
		return 0;
	}
	bool is_known = !to->hole && !run->conditions && strcmp(to->is.s, "-") != 0;
	run->cwd = is_known && (run->cwd || to->is.s[0] == '/')
		? br_join(run->arena, run->cwd ? run->cwd : "/", to->is.s)
		: NULL;
	return 0;
}

/** The directory that `git clone` makes. */
static int note_clone(struct br_run *run, const struct br_command *command) {
	const char *last = command->words[command->n - 1].is.s;
	const char *slash = strrchr(last, '/');
	last = slash && slash[1] ? slash + 1 : last;
	size_t n = strlen(last);
	n -= n > 4 && strcmp(last + n - 4, ".git") == 0 ? 4 : 0;
	run->clone = br_strndup(run->arena, last, n);
	return run->clone ? 0 : br_error_memory(run->dx);
}

/** Commands in a word: of sh -c, of an alias. */
static int read_inner(struct br_run *run, const struct br_word *word, size_t from) {
	if (run->inner >= BR_RUN_DEPTH) {
		return br_error(run->dx, word->at, "commands are nested too deeply");
	}
	run->inner++;
	int result = br_shell_read(
		run, br_chars_part(word->is, from, word->is.n - from), br_run_command, NULL);
	run->inner--;
	return result;
}

/** Whether a word names a client and a verb: else its commands are none of our business, nor are
 * their mistakes. */
static bool holds_run(const struct br_word *word) {
	return br_has_run(word->is.s, word->is.n);
}

/** sh -c '…', eval '…', alias x='…'. 1 if this was one. */
static int run_nested(struct br_run *run, const struct br_command *command) {
	static const char *const shells[] = {"sh", "bash", "dash", "ash", "zsh", "ksh", NULL};
	const char *slash = strrchr(command->words[0].is.s, '/');
	const char *name = slash ? slash + 1 : command->words[0].is.s;
	bool is_shell = is_in(name, shells);
	bool is_eval = strcmp(name, "eval") == 0;
	bool is_alias = strcmp(name, "alias") == 0;
	for (size_t i = 1; i < command->n && (is_shell || is_eval || is_alias); i++) {
		const struct br_word *word = &command->words[i];
		const char *s = word->is.s;
		bool is_option = is_shell && s[0] == '-' && s[1] != '-' && s[1]
			&& s[strlen(s) - 1] == 'c' && i + 1 < command->n;
		const char *equals = is_alias ? strchr(s, '=') : NULL;
		if (is_option) {
			word = &command->words[i + 1];
		} else if (is_shell || (is_alias && !equals)) {
			continue;
		}
		if (!holds_run(word)) {
			return 1;
		}
		size_t from = equals ? (size_t)(equals - s) + 1 : 0;
		const char *cwd = run->cwd;
		int result =
			word->hole ? br_say_hole(run, word->hole) : read_inner(run, word, from);
		// Where another shell goes this one does not.
		run->cwd = is_eval ? run->cwd : cwd;
		return result ? -1 : 1;
	}
	return 0;
}

/** 1 if this was one of the shell's own. */
static int run_builtin(struct br_run *run, const struct br_command *command) {
	static const char *const declarations[] = {
		"export", "local", "declare", "readonly", "typeset", NULL};
	const char *name = command->words[0].is.s;
	if (is_in(name, declarations)) {
		return declare(run, command) ? -1 : 1;
	}
	if (strcmp(name, "cd") == 0 || strcmp(name, "pushd") == 0) {
		return change_directory(run, command) ? -1 : 1;
	}
	if (strcmp(name, "popd") == 0) {
		run->cwd = NULL;
		return 1;
	}
	if (strcmp(name, "read") == 0 || strcmp(name, "unset") == 0
		|| strcmp(name, "mapfile") == 0) {
		return lose(run, command, 1) ? -1 : 1;
	}
	if (strcmp(name, "git") == 0 && command->n > 2
		&& strcmp(command->words[1].is.s, "clone") == 0) {
		return note_clone(run, command) ? -1 : 1;
	}
	return 0;
}

// ---- what stands before a command ----

/** The shell's words that a command may stand behind: how many there are. */
static size_t skip_keywords(struct br_run *run, const struct br_command *command) {
	static const char *const opening[] = {"if", "while", "until", NULL};
	static const char *const middle[] = {
		"then", "else", "elif", "do", "{", "}", "!", "time", NULL};
	static const char *const closing[] = {"fi", "done", "esac", NULL};
	size_t i = 0;
	for (; i < command->n; i++) {
		const char *word = command->words[i].is.s;
		if (is_in(word, opening)) {
			run->conditions++;
		} else if (is_in(word, closing)) {
			run->conditions -= run->conditions > 0;
		} else if (!is_in(word, middle)) {
			break;
		}
	}
	return i;
}

/** sudo, env and such, and their options: which of those take a word. */
static const struct {
	const char *name;
	const char *letters;
	/** Words of its own that it needs. */
	size_t words;
	bool root;
} wrappers[] = {
	{"sudo", "ugpCrtThRDU", 0, true},
	{"doas", "uCa", 0, true},
	{"env", "uCS", 0, false},
	{"exec", "a", 0, false},
	{"command", "", 0, false},
	{"nohup", "", 0, false},
	{"time", "fo", 0, false},
	{"nice", "n", 0, false},
	{"ionice", "cnp", 0, false},
	{"timeout", "ks", 1, false},
	{"winpty", "", 0, false},
	{"lima", "", 0, false},
};

/** The options of a wrapper. `user` is set to the word of -u. */
static size_t skip_options(
	const struct br_command *command, size_t i, const char *letters, const char **user) {
	for (; i < command->n; i++) {
		const char *s = command->words[i].is.s;
		if (strcmp(s, "--") == 0) {
			return i + 1;
		}
		if (s[0] != '-' || !s[1]) {
			return i;
		}
		size_t last = strlen(s) - 1;
		bool is_long = s[1] == '-';
		if (is_long && strncmp(s, "--user=", 7) == 0) {
			*user = s + 7;
		}
		if (!is_long && s[1] == 'u' && last > 1) {
			*user = s + 2;
		} else if (!is_long && strchr(letters, s[last])) {
			i++;
			*user = s[last] == 'u' && i < command->n ? command->words[i].is.s : *user;
		}
	}
	return i;
}

static bool is_host_variable(const char *word) {
	return strncmp(word, "DOCKER_HOST=", 12) == 0 || strncmp(word, "CONTAINER_HOST=", 15) == 0;
}

/** What was found before a client's name. */
struct prefix {
	bool by_root;
	const struct br_word *host;
};

/** How many words before the command itself. */
static size_t skip_prefix(const struct br_command *command, struct prefix *prefix) {
	size_t i = 0;
	while (i < command->n) {
		const char *word = command->words[i].is.s;
		const char *user = NULL;
		size_t k = 0;
		size_t n = strlen(word);
		size_t name = br_name_length(word, n);
		if (name && word[name] == '=') {
			prefix->host = is_host_variable(word) ? &command->words[i] : prefix->host;
			i++;
			continue;
		}
		while (k < sizeof(wrappers) / sizeof(wrappers[0])
			&& strcmp(word, wrappers[k].name) != 0) {
			k++;
		}
		if (k == sizeof(wrappers) / sizeof(wrappers[0])) {
			return i;
		}
		i = skip_options(command, i + 1, wrappers[k].letters, &user) + wrappers[k].words;
		if (wrappers[k].root) {
			prefix->by_root =
				!user || strcmp(user, "root") == 0 || strcmp(user, "0") == 0;
		}
	}
	return command->n;
}

// ---- run lines ----

static enum br_client client_of(const char *word) {
	static const struct {
		const char *name;
		enum br_client client;
	} clients[] = {{"docker", BR_CLIENT_DOCKER}, {"podman", BR_CLIENT_PODMAN},
		{"nerdctl", BR_CLIENT_NERDCTL}, {"nerdctl.lima", BR_CLIENT_NERDCTL},
		{"docker.exe", BR_CLIENT_DOCKER}, {"podman-remote", BR_CLIENT_PODMAN},
		{"finch", BR_CLIENT_NERDCTL}, {"nvidia-docker", BR_CLIENT_DOCKER}};
	const char *slash = strrchr(word, '/');
	const char *name = slash ? slash + 1 : word;
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		if (strcmp(name, clients[i].name) == 0) {
			return clients[i].client;
		}
	}
	return 0;
}

/** An engine elsewhere: its containers never see this host. */
static int check_address(struct br_run *run, const char *address, struct br_span at) {
	bool is_here = address[0] == '/' || address[0] == '\0' || strncmp(address, "unix:", 5) == 0
		|| strncmp(address, "fd:", 3) == 0;
	if (is_here) {
		return 0;
	}
	(void)br_error(run->dx, at,
		"the engine at '%s' is not on this host: its containers do not see these files",
		address);
	br_hint(run->dx, "run bindright there");
	return -1;
}

static int take_globals(
	struct br_run *run, struct br_line *line, const struct br_used_flags *globals) {
	for (size_t i = 0; i < globals->n; i++) {
		const struct br_used *used = &globals->v[i];
		if (used->flag->is == BR_FLAG_RUNTIME) {
			line->container.runtime = br_chars_text(run, used->value, 0, used->value.n);
			if (!line->container.runtime.s) {
				return -1;
			}
		}
		if (used->flag->is == BR_FLAG_ADDRESS
			&& check_address(run, used->value.s,
				br_chars_at(run, used->value, 0, used->value.n))) {
			return -1;
		}
		if (used->flag->is == BR_FLAG_CONTEXT && strcmp(used->value.s, "default") != 0) {
			br_warning(run->dx, used->at,
				"the context '%s' is taken for an engine of this host",
				used->value.s);
		}
		if (used->flag->is == BR_FLAG_REMOTE && used->yes) {
			br_warning(run->dx, used->at, "the engine is taken for one of this host");
		}
	}
	return 0;
}

/** Whether these words say "run" or "create" of a container; *i is moved behind them. */
static bool is_run(const struct br_command *command, size_t *i) {
	static const char *const verbs[] = {"run", "create", NULL};
	size_t k = *i;
	k += k < command->n && strcmp(command->words[k].is.s, "container") == 0;
	if (k >= command->n || !is_in(command->words[k].is.s, verbs)) {
		return false;
	}
	*i = k + 1;
	return true;
}

/** "docker run [OPTIONS] IMAGE" tells how one is written. */
static bool is_usage(const struct br_command *command) {
	for (size_t i = 0; i < command->n; i++) {
		const char *s = command->words[i].is.s;
		if (strcasecmp(s, "[OPTIONS]") == 0 || strcmp(s, "...") == 0
			|| strcmp(s, "…") == 0) {
			return true;
		}
	}
	return false;
}

static struct br_line *new_line(
	struct br_run *run, enum br_client client, const struct br_word *name) {
	struct br_line *line = BR_NEW(run->arena, struct br_line);
	if (!line) {
		(void)br_error_memory(run->dx);
		return NULL;
	}
	// Debian's podman-docker makes "docker" a name of Podman.
	bool is_podman = run->request->engine == BR_ENGINE_PODMAN
		|| run->request->engine == BR_ENGINE_PODMAN_ROOTLESS;
	line->client = client == BR_CLIENT_DOCKER && is_podman && run->request->nline
		? BR_CLIENT_PODMAN
		: client;
	line->at = name->at;
	return line;
}

/** Most often the line has ended before the image for a reason that is easily overlooked. */
static int no_image(
	struct br_run *run, const struct br_line *line, const struct br_command *command) {
	(void)br_error(run->dx, line->at, "the run line has no image");
	if (command->end && strchr("&|;()", command->end)) {
		br_other(run->dx, command->end_at, "the shell ends the command here");
		br_hint(run->dx, "quote the word if '%c' belongs to it", command->end);
	} else if (command->end == '\n' && command->n) {
		br_other(run->dx, command->words[command->n - 1].at, "it ends here");
		br_hint(run->dx,
			"the image stands behind the options; if it is on the next line, a "
			"backslash is missing at the end of this one");
	} else {
		br_hint(run->dx, "the image stands behind the options");
	}
	return -1;
}

/** The words behind "run": flags, the image, and its command. */
static int read_line(struct br_run *run, struct br_line *line, const struct br_command *command) {
	struct br_used_flags used = {0};
	size_t i = 0;
	if (br_flags_read(run, line, command, &i, &used)) {
		return -1;
	}
	if (i >= command->n) {
		return no_image(run, line, command);
	}
	const struct br_word *image = &command->words[i];
	if (image->hole) {
		return br_say_hole(run, image->hole);
	}
	line->container.image = br_chars_text(run, image->is, 0, image->is.n);
	line->container.at = line->at;
	line->container.has_command = i + 1 < command->n;
	if (!line->container.image.s) {
		return -1;
	}
	if (!*line->container.image.s) {
		return br_error(run->dx, image->at, "the image's name is empty");
	}
	return br_line_fill(run, line, &used);
}

/** A command that begins with a client's name. 1: a run line; 0: another command of it. */
static int read_client(struct br_run *run, enum br_client client, const struct prefix *prefix,
	const struct br_command *command) {
	struct br_used_flags globals = {.global = true};
	size_t i = 1;
	size_t errors = br_diags_errors(run->dx);
	struct br_line *line = new_line(run, client, &command->words[0]);
	if (!line) {
		return -1;
	}
	line->by_root = prefix->by_root;
	// What another command says is none of our business, and so are its mistakes.
	bool may_run = false;
	for (size_t k = 1; k < command->n; k++) {
		size_t at = k;
		may_run = may_run || is_run(command, &at);
	}
	if (!may_run) {
		return 0;
	}
	if (br_flags_read(run, line, command, &i, &globals)) {
		return -1;
	}
	if (!is_run(command, &i)) {
		return 0;
	}
	if (!run->request->nline && is_usage(command)) {
		br_note(run->dx, line->at, "this shows how a run line is written: it is left out");
		return 1;
	}
	if (take_globals(run, line, &globals)
		|| (prefix->host
			&& check_address(
				run, strchr(prefix->host->is.s, '=') + 1, prefix->host->at))) {
		return -1;
	}
	// `export DOCKER_HOST=…` in the text itself; the caller's own is looked at elsewhere.
	const struct br_var *host = br_env_get(
		&run->env, client == BR_CLIENT_PODMAN ? "CONTAINER_HOST" : "DOCKER_HOST");
	bool is_said = host && host->origin == BR_VAR_FILE && !run->request->nline;
	if (is_said && check_address(run, host->value, line->at)) {
		return -1;
	}
	struct br_command rest = rest_of(command, i);
	if (read_line(run, line, &rest)) {
		return -1;
	}
	if (br_diags_errors(run->dx) > errors) {
		return -1;
	}
	if (run->lines.n >= BR_COMPOSE_SERVICES) {
		return br_error(run->dx, line->at, "more than %d run lines", BR_COMPOSE_SERVICES);
	}
	return br_vec_push(run->arena, &run->lines, line) ? br_error_memory(run->dx) : 1;
}

static int read_command(struct br_run *run, const struct br_command *command) {
	struct prefix prefix = {0};
	size_t i = skip_prefix(command, &prefix);
	if (i >= command->n) {
		return 0;
	}
	struct br_command rest = rest_of(command, i);
	enum br_client client = client_of(rest.words[0].is.s);
	if (client) {
		return read_client(run, client, &prefix, &rest);
	}
	// "$DOCKER run -v …": which engine it would be is what is asked.
	bool looks_like = rest.words[0].hole && rest.n > 2 && strcmp(rest.words[1].is.s, "run") == 0
		&& rest.words[2].is.s[0] == '-';
	return looks_like ? br_say_hole(run, rest.words[0].hole) : 0;
}

int br_run_command(struct br_run *run, void *context, const struct br_command *command) {
	(void)context;
	size_t i = skip_keywords(run, command);
	struct br_command rest = rest_of(command, i);
	if (rest.n == 0) {
		return 0;
	}
	const char *first = rest.words[0].is.s;
	if (strcmp(first, "case") == 0 || strcmp(first, "for") == 0
		|| strcmp(first, "select") == 0) {
		run->conditions++;
		return strcmp(first, "case") == 0 || rest.n < 2
			? 0
			: lose(run, &(struct br_command){rest.words, 2, '\0', {0}}, 1);
	}
	size_t assigned = 0;
	while (assigned < rest.n && rest.words[assigned].assigns) {
		assigned++;
	}
	for (size_t k = 0; assigned == rest.n && k < assigned; k++) {
		if (assign(run, &rest.words[k])) {
			return -1;
		}
	}
	int done = assigned == rest.n ? 1 : run_builtin(run, &rest);
	if (!done) {
		struct prefix prefix = {0};
		size_t skip = skip_prefix(&rest, &prefix);
		struct br_command inner = rest_of(&rest, skip);
		done = inner.n ? run_nested(run, &inner) : 0;
	}
	if (done) {
		return done < 0 ? -1 : 0;
	}
	// One line that is wrong does not hide the next one.
	size_t errors = br_diags_errors(run->dx);
	int result = read_command(run, &rest);
	return result < 0 && br_diags_errors(run->dx) == errors ? -1 : 0;
}

int br_run_line(struct br_run *run, const struct br_command *command) {
	struct prefix prefix = {0};
	size_t i = skip_prefix(command, &prefix);
	size_t errors = br_diags_errors(run->dx);
	struct br_command rest = rest_of(command, i);
	enum br_client client = rest.n ? client_of(rest.words[0].is.s) : 0;
	int got = client ? read_client(run, client, &prefix, &rest) : 0;
	if (got || br_diags_errors(run->dx) > errors) {
		return got < 0 ? -1 : 0;
	}
	if (!rest.n) {
		(void)br_error(run->dx, command->words[0].at, "there is no run line behind '--'");
	} else {
		(void)br_error(run->dx, rest.words[0].at,
			client ? "this command of '%s' runs no container"
			       : "'%s' is no engine's client",
			rest.words[0].is.s);
	}
	br_hint(run->dx, "for example: bindright check -- docker run -v ./data:/data IMAGE");
	return -1;
}
