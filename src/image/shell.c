#include "shell.h"

#include <string.h>

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
		return shell_is_any(word, plain);
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
		if (!known || shell_names_account_file(known)) {
			sh->accounts->complete = sh->accounts->complete && known;
			sh->accounts->complete =
				sh->accounts->complete && !shell_names_account_file(word);
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

/** Variables that a shell sets by itself, where the image does not: their value is not known. */
static bool is_shells_own(const struct shell *sh) {
	static const char *const names[] = {"HOME", "PWD", "OLDPWD", "HOSTNAME", "RANDOM", "UID",
		"EUID", "USER", "PPID", "SECONDS", "LINENO", "IFS", "PATH", "SHELL", NULL};
	const char *s = sh->s + (*sh->s == '{');
	size_t n = 0;
	while (shell_is_name_char(s[n], n == 0)) {
		n++;
	}
	for (size_t i = 0; names[i]; i++) {
		if (strlen(names[i]) == n && !strncmp(names[i], s, n)) {
			return !df_spend(sh->expand.finder, sh->expand.vars->n)
				|| !df_var_get(sh->expand.vars, names[i]);
		}
	}
	return !n && *s && strchr("0123456789@*#?-$!", *s);
}

/** Add an expanded value; outside of quotes its blanks divide words. */
static int add_split(struct shell *sh, const char *value, bool quoted) {
	if (*value && sh->word.n + strlen(value) > DOCKERFILE_SHELL_WORD) {
		sh->in_word = sh->unknown = true;
		return 0;
	}
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
	bool own = is_shells_own(sh);
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
	if (shell_end_command(sh)) {
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
	if (shell_end_command(sh)) {
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
	if (!df_spend(script->finder, (uint64_t)strlen(script->s) * DOCKERFILE_STEPS_BYTE)) {
		return 0;
	}
	while (!failed && *sh.s) {
		failed = next(&sh);
	}
	failed = failed || end_word(&sh) || shell_end_command(&sh);
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
	failed = failed || (n && shell_run_command(&sh, 0));
	script->vars->n = nvars;
	return failed ? br_error_memory(script->finder->dx) : 0;
}
