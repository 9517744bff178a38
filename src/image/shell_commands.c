/** What the commands of a shell line are: accounts and directories that they make, questions, and
 * what nobody here knows. */
#include "shell.h"

#include <limits.h>
#include <string.h>

static const char *const account_files[] = {
	"/etc/passwd", "/etc/group", "etc/passwd", "etc/group", NULL};

bool shell_is_any(const char *word, const char *const *list) {
	for (; *list; list++) {
		if (!strcmp(word, *list)) {
			return true;
		}
	}
	return false;
}

bool shell_names_account_file(const char *s) {
	for (size_t i = 0; account_files[i]; i++) {
		if (strstr(s, account_files[i])) {
			return true;
		}
	}
	return false;
}

bool shell_is_name_char(char c, bool first) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
		|| (!first && c >= '0' && c <= '9');
}

/** The length of NAME in "NAME=…", 0 where the word is no assignment. */
static size_t assigned(const char *word) {
	size_t n = 0;
	while (word && shell_is_name_char(word[n], n == 0)) {
		n++;
	}
	return n && word[n] == '=' ? n : 0;
}

static const char *base_name(const char *word) {
	const char *slash = strrchr(word, '/');
	return slash ? slash + 1 : word;
}

// Variables

static int set_variable(struct shell *sh, const char *name, size_t n, const char *value) {
	if (sh->script->vars->n > (size_t)2 * DOCKERFILE_VARIABLES) {
		sh->unclear = true;
		return 0;
	}
	bool sure = value && !sh->unclear && !sh->ifs && !sh->loops && !sh->cases
		&& sh->list == DF_ALWAYS;
	struct df_var var = {.name = br_strndup(sh->arena, name, n),
		.value = value,
		.unknown = sure ? NULL : "depends on a shell variable"};
	return !var.name || br_vec_push(sh->arena, sh->script->vars, var) ? -1 : 0;
}

/** "A=1 B=2" words; those behind `from`. */
static int set_variables(struct shell *sh, size_t from) {
	for (size_t i = from; i < sh->words.n; i++) {
		const char *word = sh->words.v[i];
		size_t n = assigned(word);
		if (n && set_variable(sh, word, n, word + n + 1)) {
			return -1;
		}
	}
	return 0;
}

// Commands

static bool is_shell(const char *word) {
	static const char *const shells[] = {"sh", "bash", "ash", "dash", "ksh", "zsh", NULL};
	return shell_is_any(base_name(word), shells);
}

/** Commands that cannot make accounts. */
static bool is_harmless(const char *word) {
	static const char *const list[] = {"[", "[[", ":", ".", "basename", "bunzip2", "bundle",
		"cargo", "cat", "cd", "chgrp", "chmod", "chown", "cmake", "composer", "cp", "curl",
		"date", "dirname", "do", "echo", "env", "exit", "export", "false", "find", "gem",
		"getent", "go", "grep", "gunzip", "gzip", "head", "id", "install", "java",
		"ldconfig", "ln", "local", "ls", "make", "mkdir", "mktemp", "mv", "npm", "npx",
		"nproc", "pip", "pip3", "pnpm", "poetry", "printf", "pwd", "python", "python3",
		"readonly", "rm", "rmdir", "sed", "set", "sha256sum", "sleep", "sort", "stat",
		"strip", "sync", "tail", "tee", "test", "touch", "tr", "true", "type", "uname",
		"unset", "unzip", "uv", "wc", "wget", "which", "whoami", "xz", "yarn", "command",
		NULL};
	return shell_is_any(word, list);
}

static enum last kind_of(const char *word) {
	static const char *const questions[] = {"getent", "id", "grep", NULL};
	static const char *const tests[] = {
		"[", "[[", "test", "command", "which", "type", "true", "false", NULL};
	return shell_is_any(word, questions) ? LAST_QUESTION
		: shell_is_any(word, tests)  ? LAST_TEST
					     : LAST_OTHER;
}

static struct br_span command_span(const struct shell *sh) {
	const struct df_script *script = sh->script;
	if (!script->line || !sh->begin || sh->s < sh->begin) {
		return script->at;
	}
	const char *end = sh->s;
	while (end > sh->begin && strchr(" \t\n;&|", end[-1])) {
		end--;
	}
	return df_span(script->file, script->line, sh->begin, (size_t)(end - sh->begin));
}

/** A script that nobody reads may have changed any directory. Always 0. */
static int lose_track(struct shell *sh) {
	if (sh->script->work) {
		tree_lose(&sh->script->work->stage->tree);
	}
	return 0;
}

/** sh -c 'script', or sh <<EOF; 1 where it was one. */
static int run_shell(struct shell *sh, size_t at) {
	struct df_script inner = *sh->script;
	inner.line = NULL;
	inner.at = command_span(sh);
	inner.depth++;
	inner.nheredocs = 0;
	inner.cwd = sh->cwd;
	bool sure = inner.depth < NESTED && !sh->unclear && sh->list == DF_ALWAYS;
	for (size_t i = at + 1; i < sh->words.n; i++) {
		const char *word = sh->words.v[i];
		bool is_option = word && (*word == '-' || *word == '+');
		if (is_option && strncmp(word, "--", 2) != 0 && strchr(word, 'c')
			&& i + 1 < sh->words.n) {
			inner.s = sh->words.v[i + 1];
			return sure && inner.s ? (df_script_run(&inner) ? -1 : 1) : lose_track(sh);
		}
		if (!is_option && !(word && !strcmp(word, "pipefail"))) {
			return lose_track(sh);
		}
	}
	if (!sh->script->nheredocs || !sure) {
		return lose_track(sh);
	}
	inner.s = sh->script->heredocs[0].content;
	return df_script_run(&inner) ? -1 : 1;
}

/** Behind "sudo", "env A=1" and their like; words.n where that is not sure. */
static size_t skip_prefixes(const struct shell *sh, size_t i) {
	static const char *const prefixes[] = {
		"sudo", "exec", "nice", "env", "time", "eatmydata", "command", "busybox", NULL};
	while (i < sh->words.n && sh->words.v[i]
		&& shell_is_any(base_name(sh->words.v[i]), prefixes)) {
		if (i + 1 == sh->words.n || !sh->words.v[i + 1] || *sh->words.v[i + 1] == '-') {
			break;
		}
		i++;
		while (i < sh->words.n && assigned(sh->words.v[i])) {
			i++;
		}
	}
	return i;
}

static int learn_flavour(struct shell *sh, const char *name) {
	enum df_flavour flavour = df_command_flavour(name);
	if (!flavour || sh->accounts->flavour) {
		return 0;
	}
	sh->accounts->flavour = flavour;
	return df_seed_accounts(sh->accounts, NULL);
}

static bool any_word(const struct shell *sh, bool (*is)(const char *word)) {
	for (size_t i = 0; i < sh->words.n; i++) {
		if (sh->words.v[i] && is(sh->words.v[i])) {
			return true;
		}
	}
	return false;
}

static bool names_account_command(const char *word) {
	return df_is_account_command(base_name(word));
}

/** A command that is none of ours: what may it do to the accounts? */
static int other_command(struct shell *sh, size_t at, const char *name) {
	static const char *const readers[] = {"cat", "grep", "getent", "ls", "stat", "test", "[",
		"[[", "chmod", "chown", "echo", "printf", NULL};
	static const char *const runners[] = {"find", "env", "command", NULL};
	int done = is_shell(name) ? run_shell(sh, at) : 0;
	if (done) {
		return done < 0 ? -1 : 0;
	}
	bool runs = shell_is_any(name, runners) && any_word(sh, names_account_command)
		&& kind_of(name) != LAST_TEST;
	if (!is_harmless(name) || runs
		|| (any_word(sh, shell_names_account_file) && !shell_is_any(name, readers))) {
		sh->accounts->complete = false;
	}
	return 0;
}

/** cd; where it is not sure, nobody knows where the shell is. */
static int change_directory(struct shell *sh, size_t at, bool sure) {
	const char *to = at + 2 == sh->words.n ? sh->words.v[at + 1] : NULL;
	bool known = sure && to && *to != '-' && (*to == '/' || sh->cwd);
	const char *old = sh->cwd;
	// The kernel takes no longer path.
	known = known
		&& (*to == '/'
			|| (strlen(old) + strlen(to) < PATH_MAX
				&& df_spend(sh->expand.finder,
					(uint64_t)strlen(old) * DOCKERFILE_STEPS_BYTE)));
	sh->cwd = !known ? NULL : *to == '/' ? to : br_printf(sh->arena, "%s/%s", old, to);
	return known && !sh->cwd ? -1 : 0;
}

/** What the command does to directories, and what it installs. */
static int run_effects(struct shell *sh, size_t at) {
	bool sure = !sh->unclear && !sh->loops && !sh->cases && !sh->groups && sh->list == DF_ALWAYS
		&& sh->branch == DF_ALWAYS;
	struct df_command command = {
		.words = sh->words.v + at, .n = sh->words.n - at, .at = command_span(sh)};
	struct df_work *work = sh->script->work;
	if (!work || (df_is_account_command(base_name(command.words[0])))) {
		return 0;
	}
	if (df_command_effects(work, &command, sh->cwd, sure)) {
		return -1;
	}
	return strcmp(command.words[0], "cd") ? 0 : change_directory(sh, at, sure);
}

int shell_run_command(struct shell *sh, size_t at) {
	if (!sh->words.v[at]) {
		sh->accounts->complete = false;
		sh->accounts->odd = true;
		if (sh->script->work) {
			tree_lose(&sh->script->work->stage->tree);
		}
		return 0;
	}
	const char *name = base_name(sh->words.v[at]);
	sh->last = kind_of(name);
	if (learn_flavour(sh, name) || (!is_shell(name) && run_effects(sh, at))) {
		return -1;
	}
	static const char *const setters[] = {
		"export", "local", "readonly", "declare", "typeset", NULL};
	if (shell_is_any(name, setters)) {
		return set_variables(sh, at + 1);
	}
	if (!df_is_account_command(name)) {
		return other_command(sh, at, name);
	}
	if (sh->unclear || sh->loops || sh->cases) {
		sh->accounts->complete = false;
		sh->accounts->odd = true;
		return 0;
	}
	struct df_command command = {.words = sh->words.v + at,
		.n = sh->words.n - at,
		.when = sh->list > sh->branch ? sh->list : sh->branch,
		.at = command_span(sh)};
	size_t known = sh->accounts->users.n + sh->accounts->groups.n;
	if (!df_spend(sh->expand.finder, (uint64_t)known * DOCKERFILE_STEPS_BYTE)) {
		return 0;
	}
	if (df_account_command(sh->accounts, &command)) {
		return -1;
	}
	return sh->script->work ? df_home_effects(sh->script->work, &command) : 0;
}

/** The command is complete. */
int shell_end_command(struct shell *sh) {
	int failed = 0;
	size_t at = 0;
	while (at < sh->words.n && assigned(sh->words.v[at])) {
		at++;
	}
	if (sh->skipping) {
		sh->skipping = false;
	} else if (at == sh->words.n) {
		failed = set_variables(sh, 0);
	} else {
		at = skip_prefixes(sh, at);
		failed = at < sh->words.n ? shell_run_command(sh, at) : 0;
	}
	sh->words.n = 0;
	sh->begin = NULL;
	return failed;
}
