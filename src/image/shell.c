#include "dockerfile.h"

#include <string.h>

enum {
	/** Shells in shells, and groups in groups. */
	NESTED = 8,
	PENDING = 4,
};

/** What a command was, for what stands behind "&&", "||" and "then". */
enum last {
	LAST_OTHER,
	LAST_TEST,
	/** A question whether an account is there. */
	LAST_QUESTION,
};

struct shell {
	struct df_script *script;
	struct df_accounts *accounts;
	struct br_arena *arena;
	struct df_words expand;
	const char *s;
	/** The command so far; unknown words are NULL. */
	br_vec(const char *) words;
	const char *begin;
	/** The word so far. */
	struct br_buf word;
	bool in_word, quoted, unknown;
	/** The next word is where output goes. */
	bool redirected;
	/** Up to the next separator nothing is a command ("for x in …"). */
	bool skipping;
	unsigned ifs, loops, cases;
	/** A function or the like: no command here is sure any more. */
	bool unclear;
	enum last last;
	enum df_when branch, list;
	enum df_when outer[NESTED];
	unsigned groups;
	/** Names of heredocs that begin behind this line. */
	const char *pending[PENDING];
	unsigned npending;
	/** NULL: not known. */
	const char *cwd;
};

static const char *const account_files[] = {
	"/etc/passwd", "/etc/group", "etc/passwd", "etc/group", NULL};

static bool is_any(const char *word, const char *const *list) {
	for (; *list; list++) {
		if (!strcmp(word, *list)) {
			return true;
		}
	}
	return false;
}

static bool names_account_file(const char *s) {
	for (size_t i = 0; account_files[i]; i++) {
		if (strstr(s, account_files[i])) {
			return true;
		}
	}
	return false;
}

static bool is_name_char(char c, bool first) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
		|| (!first && c >= '0' && c <= '9');
}

/** The length of NAME in "NAME=…", 0 where the word is no assignment. */
static size_t assigned(const char *word) {
	size_t n = 0;
	while (word && is_name_char(word[n], n == 0)) {
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
	return is_any(base_name(word), shells);
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
	return is_any(word, list);
}

static enum last kind_of(const char *word) {
	static const char *const questions[] = {"getent", "id", "grep", NULL};
	static const char *const tests[] = {
		"[", "[[", "test", "command", "which", "type", "true", "false", NULL};
	return is_any(word, questions) ? LAST_QUESTION
		: is_any(word, tests)  ? LAST_TEST
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
	while (i < sh->words.n && sh->words.v[i] && is_any(base_name(sh->words.v[i]), prefixes)) {
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
	bool runs = is_any(name, runners) && any_word(sh, names_account_command)
		&& kind_of(name) != LAST_TEST;
	if (!is_harmless(name) || runs
		|| (any_word(sh, names_account_file) && !is_any(name, readers))) {
		sh->accounts->complete = false;
	}
	return 0;
}

/** cd; where it is not sure, nobody knows where the shell is. */
static int change_directory(struct shell *sh, size_t at, bool sure) {
	const char *to = at + 2 == sh->words.n ? sh->words.v[at + 1] : NULL;
	bool known = sure && to && *to != '-' && (*to == '/' || sh->cwd);
	const char *old = sh->cwd;
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

static int run_command(struct shell *sh, size_t at) {
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
	if (is_any(name, setters)) {
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
	if (df_account_command(sh->accounts, &command)) {
		return -1;
	}
	return sh->script->work ? df_home_effects(sh->script->work, &command) : 0;
}

/** The command is complete. */
static int end_command(struct shell *sh) {
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
		failed = at < sh->words.n ? run_command(sh, at) : 0;
	}
	sh->words.n = 0;
	sh->begin = NULL;
	return failed;
}

// Reserved words

static void push_group(struct shell *sh) {
	if (sh->groups == NESTED) {
		sh->unclear = true;
		return;
	}
	sh->outer[sh->groups++] = sh->list;
}

static void pop_group(struct shell *sh) {
	if (sh->groups) {
		sh->list = sh->outer[--sh->groups];
	}
}

static void end_if(struct shell *sh) {
	sh->ifs -= sh->ifs > 0;
	sh->branch = sh->ifs ? DF_MAYBE : DF_ALWAYS;
}

static int begin_loop(struct shell *sh, bool skipping) {
	sh->loops++;
	sh->skipping = skipping;
	return 0;
}

/** Whether a word where a command begins is a reserved one; then it is done with. */
static bool is_reserved(struct shell *sh, const char *word) {
	static const char *const plain[] = {"do", "!", "in", NULL};
	if (!strcmp(word, "if")) {
		sh->ifs++;
	} else if (!strcmp(word, "then")) {
		sh->branch = sh->last == LAST_QUESTION && sh->ifs == 1 ? DF_IF_MISSING : DF_MAYBE;
	} else if (!strcmp(word, "else") || !strcmp(word, "elif")) {
		sh->branch = DF_MAYBE;
	} else if (!strcmp(word, "fi")) {
		end_if(sh);
	} else if (!strcmp(word, "for") || !strcmp(word, "select")) {
		return !begin_loop(sh, true);
	} else if (!strcmp(word, "while") || !strcmp(word, "until")) {
		return !begin_loop(sh, false);
	} else if (!strcmp(word, "done")) {
		sh->loops -= sh->loops > 0;
	} else if (!strcmp(word, "case")) {
		sh->cases++;
	} else if (!strcmp(word, "esac")) {
		sh->cases -= sh->cases > 0;
	} else if (!strcmp(word, "function")) {
		sh->unclear = true;
	} else if (!strcmp(word, "{")) {
		push_group(sh);
	} else if (!strcmp(word, "}")) {
		pop_group(sh);
	} else {
		return is_any(word, plain);
	}
	return true;
}

// Words

/** The word is complete. */
static int end_word(struct shell *sh) {
	if (!sh->in_word) {
		return 0;
	}
	const char *word = br_strndup(sh->arena, sh->word.n ? sh->word.s : "", sh->word.n);
	if (!word || sh->word.failed) {
		return -1;
	}
	bool bare = !sh->quoted && !sh->unknown;
	bool redirected = sh->redirected;
	const char *known = sh->unknown ? NULL : word;
	sh->word.n = 0;
	sh->in_word = sh->quoted = sh->unknown = sh->redirected = false;
	if (redirected) {
		if (known && sh->script->work) {
			char *path = tree_path(&sh->script->work->stage->tree, sh->cwd, known);
			if (path) {
				tree_fill(&sh->script->work->stage->tree, path);
			}
		}
		if (!known || names_account_file(known)) {
			sh->accounts->complete = sh->accounts->complete && known;
			sh->accounts->complete =
				sh->accounts->complete && !names_account_file(word);
		}
		return 0;
	}
	if (!sh->words.n && bare && is_reserved(sh, word)) {
		sh->begin = NULL;
		return 0;
	}
	return br_vec_push(sh->arena, &sh->words, known) ? -1 : 0;
}

static void begin_word(struct shell *sh) {
	if (!sh->in_word && !sh->words.n && !sh->begin) {
		sh->begin = sh->s;
	}
	sh->in_word = true;
}

/** Text of a substitution that is not carried out: may it change accounts? */
static void look_at(struct shell *sh, const char *s, const char *end) {
	static const char *const changers[] = {"useradd", "adduser", "groupadd", "addgroup",
		"usermod", "groupmod", "userdel", "deluser", "groupdel", "delgroup", "gpasswd",
		NULL};
	for (size_t i = 0; changers[i]; i++) {
		if (memmem(s, (size_t)(end - s), changers[i], strlen(changers[i]))) {
			sh->accounts->complete = false;
		}
	}
	sh->unknown = true;
}

/** Behind the ')' that belongs to the '(' at s. */
static const char *skip_parens(const char *s) {
	unsigned depth = 0;
	for (; *s; s++) {
		if (*s == '\\' && s[1]) {
			s++;
		} else if (*s == '\'') {
			const char *end = strchr(s + 1, '\'');
			s = end ? end : s + strlen(s) - 1;
		} else if (*s == '(') {
			depth++;
		} else if (*s == ')' && --depth == 0) {
			return s + 1;
		}
	}
	return s;
}

static void skip_backticks(struct shell *sh) {
	const char *end = ++sh->s;
	while (*end && *end != '`') {
		end += *end == '\\' && end[1] ? 2 : 1;
	}
	look_at(sh, sh->s, end);
	sh->s = *end ? end + 1 : end;
}

/** Variables that a shell sets by itself: their value is not the image's. */
static bool is_shells_own(const char *s) {
	static const char *const names[] = {"HOME", "PWD", "OLDPWD", "HOSTNAME", "RANDOM", "UID",
		"EUID", "USER", "PPID", "SECONDS", "LINENO", "IFS", "PATH", "SHELL", NULL};
	s += *s == '{';
	size_t n = 0;
	while (is_name_char(s[n], n == 0)) {
		n++;
	}
	for (size_t i = 0; names[i]; i++) {
		if (strlen(names[i]) == n && !strncmp(names[i], s, n)) {
			return true;
		}
	}
	return !n && *s && strchr("0123456789@*#?-$!", *s);
}

/** Add an expanded value; outside of quotes its blanks divide words. */
static int add_split(struct shell *sh, const char *value, bool quoted) {
	for (; *value; value++) {
		if (!quoted && strchr(" \t\n", *value)) {
			if (end_word(sh)) {
				return -1;
			}
			continue;
		}
		sh->in_word = true;
		br_buf_addc(&sh->word, *value);
	}
	return 0;
}

/** What follows a '$' (sh->s is behind it). */
static int add_dollar(struct shell *sh, bool quoted) {
	if (*sh->s == '(') {
		const char *end = skip_parens(sh->s);
		look_at(sh, sh->s, end);
		sh->s = end;
		sh->in_word = true;
		return 0;
	}
	struct br_buf value = {0};
	sh->expand.unknown = NULL;
	bool own = is_shells_own(sh->s);
	char name[32] = "";
	(void)strncat(name, sh->s + (*sh->s == '{'),
		strcspn(sh->s + (*sh->s == '{'), "}:-+?#%/ \"'") % 31);
	own = own && !df_var_get(sh->expand.vars, name);
	int failed = df_dollar(&sh->expand, &sh->s, &value);
	if (!failed && (sh->expand.unknown || own)) {
		sh->unknown = true;
		sh->in_word = true;
	} else if (!failed) {
		failed = add_split(sh, value.n ? value.s : "", quoted);
	}
	failed = failed || value.failed;
	br_buf_release(&value);
	return failed ? -1 : 0;
}

static int add_double(struct shell *sh) {
	sh->s++;
	sh->quoted = true;
	while (*sh->s && *sh->s != '"') {
		if (*sh->s == '$') {
			sh->s++;
			if (add_dollar(sh, true)) {
				return -1;
			}
		} else if (*sh->s == '`') {
			skip_backticks(sh);
		} else {
			sh->s += *sh->s == '\\' && sh->s[1] && strchr("\\\"$`", sh->s[1]);
			br_buf_addc(&sh->word, *sh->s++);
		}
	}
	sh->s += *sh->s == '"';
	return 0;
}

static void add_single(struct shell *sh) {
	const char *end = strchr(sh->s + 1, '\'');
	sh->quoted = true;
	if (!end) {
		sh->unknown = true;
		sh->s += strlen(sh->s);
		return;
	}
	br_buf_addn(&sh->word, sh->s + 1, (size_t)(end - sh->s - 1));
	sh->s = end + 1;
}

static int add_char(struct shell *sh) {
	char c = *sh->s;
	if (c == '$') {
		if (!sh->words.n && !sh->begin) {
			sh->begin = sh->s;
		}
		sh->s++;
		return add_dollar(sh, false);
	}
	begin_word(sh);
	if (c == '"') {
		return add_double(sh);
	}
	if (c == '\'') {
		add_single(sh);
	} else if (c == '`') {
		skip_backticks(sh);
	} else if (c == '\\' && sh->s[1] == '\n') {
		sh->s += 2;
		sh->in_word = sh->word.n > 0 || sh->quoted || sh->unknown;
	} else {
		sh->quoted = sh->quoted || c == '\\';
		sh->s += c == '\\' && sh->s[1];
		br_buf_addc(&sh->word, *sh->s++);
	}
	return 0;
}

// Operators

/** Skip the text of heredocs that were announced on the line that ends here. */
static void skip_pending(struct shell *sh) {
	for (unsigned i = 0; i < sh->npending; i++) {
		bool found = false;
		while (!found && *sh->s) {
			size_t n = strcspn(sh->s, "\n");
			const char *line = sh->s + strspn(sh->s, "\t");
			size_t len = line < sh->s + n ? (size_t)(sh->s + n - line) : 0;
			found = strlen(sh->pending[i]) == len
				&& !strncmp(line, sh->pending[i], len);
			sh->s += n + (sh->s[n] == '\n');
		}
	}
	sh->npending = 0;
}

/** "<<NAME" in a script: its text follows the line. sh->s is behind "<<". */
static int announce(struct shell *sh) {
	sh->s += *sh->s == '-';
	sh->s += strspn(sh->s, " \t");
	char *name = br_strndup(sh->arena, sh->s, strcspn(sh->s, " \t\n;&|<>()"));
	if (!name) {
		return -1;
	}
	sh->s += strlen(name);
	char *to = name;
	for (const char *from = name; *from; from++) {
		if (!strchr("'\"\\", *from)) {
			*to++ = *from;
		}
	}
	*to = 0;
	// the heredocs of the instruction itself lie elsewhere
	if (!sh->script->line && sh->npending < PENDING) {
		sh->pending[sh->npending++] = name;
	}
	return 0;
}

static int redirect(struct shell *sh) {
	bool is_number = sh->word.n && !sh->quoted && !sh->unknown
		&& strspn(sh->word.s, "0123456789") == sh->word.n;
	if (is_number) {
		sh->word.n = 0;
		sh->in_word = false;
	}
	if (end_word(sh)) {
		return -1;
	}
	if (!strncmp(sh->s, "<<", 2) && sh->s[2] != '<') {
		sh->s += 2;
		return announce(sh);
	}
	sh->s += strspn(sh->s, "<>&|");
	sh->s += strspn(sh->s, " \t");
	sh->redirected = *sh->s && !strchr("\n;()", *sh->s);
	return 0;
}

/** Behind "&&" and "||". */
static void join_list(struct shell *sh, bool is_or) {
	enum df_when when = sh->last == LAST_QUESTION ? DF_IF_MISSING : DF_MAYBE;
	if ((is_or || sh->last != LAST_OTHER) && when > sh->list) {
		sh->list = when;
	}
}

static int separate(struct shell *sh) {
	char c = *sh->s;
	bool twice = (c == '&' || c == '|') && sh->s[1] == c;
	sh->last = sh->words.n ? LAST_OTHER : sh->last;
	if (end_command(sh)) {
		return -1;
	}
	sh->s += 1 + twice;
	if (twice) {
		join_list(sh, c == '|');
	} else if (c != '|') {
		sh->list = sh->groups ? sh->outer[sh->groups - 1] : DF_ALWAYS;
	}
	if (c == '\n') {
		skip_pending(sh);
	}
	return 0;
}

static int paren(struct shell *sh) {
	bool opens = *sh->s == '(';
	bool is_function = opens && sh->words.n;
	sh->s++;
	if (is_function || (!opens && sh->cases && !sh->groups)) {
		// a function's name, or a pattern of case
		sh->unclear = sh->unclear || is_function;
		sh->words.n = 0;
		sh->begin = NULL;
		return 0;
	}
	if (end_command(sh)) {
		return -1;
	}
	if (opens) {
		push_group(sh);
	} else {
		pop_group(sh);
		sh->cwd = NULL; // a subshell comes back
	}
	return 0;
}

static int next(struct shell *sh) {
	char c = *sh->s;
	if (c == '#' && !sh->in_word) {
		sh->s += strcspn(sh->s, "\n");
		return 0;
	}
	if (c == '<' || c == '>' || (c == '&' && sh->s[1] == '>')) {
		return redirect(sh);
	}
	if (!strchr(" \t\r\n;&|()", c)) {
		return add_char(sh);
	}
	if (end_word(sh)) {
		return -1;
	}
	if (c == '(' || c == ')') {
		return paren(sh);
	}
	if (strchr("\n;&|", c)) {
		return separate(sh);
	}
	sh->s++;
	return 0;
}

static struct shell begin(struct df_script *script) {
	return (struct shell){.script = script,
		.accounts = script->accounts,
		.arena = script->finder->arena,
		.s = script->s,
		.cwd = script->cwd,
		.expand = {.finder = script->finder,
			.vars = script->vars,
			.base = script->base,
			.escape = '\\',
			.at = script->at,
			.shell = true}};
}

/** "#!" of something that is no shell. */
static bool is_foreign(const char *s) {
	if (strncmp(s, "#!", 2) != 0) {
		return false;
	}
	size_t n = strcspn(s, "\n");
	return !memmem(s, n, "sh", 2);
}

int df_script_run(struct df_script *script) {
	size_t nvars = script->vars->n;
	if (is_foreign(script->s)) {
		script->accounts->complete = false;
		script->accounts->odd = true;
		if (script->work) {
			tree_lose(&script->work->stage->tree);
		}
		return 0;
	}
	struct shell sh = begin(script);
	int failed = 0;
	while (!failed && *sh.s) {
		failed = next(&sh);
	}
	failed = failed || end_word(&sh) || end_command(&sh);
	br_buf_release(&sh.word);
	script->vars->n = nvars;
	return failed ? br_error_memory(script->finder->dx) : 0;
}

int df_argv_run(struct df_script *script, const char *const *words, size_t n) {
	struct shell sh = begin(script);
	int failed = 0;
	for (size_t i = 0; !failed && i < n; i++) {
		failed = br_vec_push(sh.arena, &sh.words, words[i]);
	}
	size_t nvars = script->vars->n;
	failed = failed || (n && run_command(&sh, 0));
	script->vars->n = nvars;
	return failed ? br_error_memory(script->finder->dx) : 0;
}
