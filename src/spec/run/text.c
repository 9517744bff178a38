/** Where commands stand in a script or in Markdown. */
#include "run.h"

#include <base/own.h>

#include <string.h>

/** One line of a text, without its end. */
struct line {
	size_t from, n;
};

/** A text being gone through, and the block of commands that is put together. */
struct texter {
	struct br_run *run;
	struct br_chars in;
	size_t i;
	struct br_builder block;
	/** The last line that was taken ends in a backslash. */
	bool goes_on;
	bool is_markdown;
};

/** The length of a client's name that begins here as a word of its own, or 0. */
static size_t client_length(const char *s, size_t n) {
	static const char *const clients[] = {"docker", "podman", "nerdctl", "finch"};
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		size_t len = strlen(clients[i]);
		if (n > len && memcmp(s, clients[i], len) == 0
			&& (s[len] == ' ' || s[len] == '\t' || s[len] == '.' || s[len] == '-')) {
			return len;
		}
	}
	return 0;
}

static bool next_line(struct texter *t, struct line *out) {
	if (t->i >= t->in.n) {
		return false;
	}
	const char *end = memchr(t->in.s + t->i, '\n', t->in.n - t->i);
	size_t n = end ? (size_t)(end - t->in.s) - t->i : t->in.n - t->i;
	*out = (struct line){t->i, n};
	t->i += n + 1;
	return true;
}

static int take(struct texter *t, struct line line, size_t skip) {
	for (size_t i = line.from + skip; i < line.from + line.n; i++) {
		if (br_builder_add(t->run, &t->block, t->in.s[i], t->in.at[i])) {
			return -1;
		}
	}
	size_t n = line.n;
	n -= n && t->in.s[line.from + n - 1] == '\r';
	t->goes_on = n > skip && t->in.s[line.from + n - 1] == '\\';
	size_t end = line.from + line.n;
	struct br_mark at = end < t->in.n ? t->in.at[end] : (struct br_mark){0};
	return br_builder_add(t->run, &t->block, '\n', at);
}

static bool has_verb(const char *s, size_t n) {
	static const char *const verbs[] = {"run", "create"};
	for (size_t i = 1; i < n && s[i] != '\n'; i++) {
		bool starts = s[i - 1] == ' ' || s[i - 1] == '\t';
		for (size_t k = 0; starts && k < sizeof(verbs) / sizeof(verbs[0]); k++) {
			size_t len = strlen(verbs[k]);
			if (n - i >= len && memcmp(s + i, verbs[k], len) == 0
				&& (n - i == len || strchr(" \t\r\n\\", s[i + len]))) {
				return true;
			}
		}
	}
	return false;
}

bool br_has_run(const char *s, size_t n) {
	for (size_t i = 0; i < n; i++) {
		size_t len = client_length(s + i, n - i);
		if (len && has_verb(s + i + len, n - i - len)) {
			return true;
		}
	}
	return false;
}

/** "$DOCKER run": the client may be a variable. */
static bool may_run(struct br_chars block) {
	for (size_t i = 0; i < block.n; i++) {
		if (block.s[i] == '$' && has_verb(block.s + i, block.n - i)) {
			return true;
		}
	}
	return br_has_run(block.s, block.n);
}

/** A block without a run line is read for the variables that it sets; what else is in it may be
 * anything, prose too. */
static int read_quietly(struct br_run *run, struct br_chars block) {
	struct br_diags *dx = run->dx;
	br_auto(br_diags_freep) struct br_diags *none = br_diags_new(br_diags_places(dx));
	if (!none) {
		return br_error_memory(dx);
	}
	run->dx = none;
	int result = br_shell_read(run, block, br_run_command, NULL);
	run->dx = dx;
	// That there was no memory would be told by the next block.
	(void)result;
	return 0;
}

/** Read the block, and begin another. Each block starts where the text does. */
static int end_block(struct texter *t, bool is_make) {
	struct br_chars block;
	if (!t->block.s.n) {
		return 0;
	}
	if (br_builder_take(t->run, &t->block, &block)) {
		return -1;
	}
	t->goes_on = false;
	t->run->conditions = 0;
	if (t->is_markdown && !is_make && !may_run(block)) {
		return read_quietly(t->run, block);
	}
	return is_make ? br_make_read(t->run, block)
		       : br_shell_read(t->run, block, br_run_command, NULL);
}

static size_t blanks(const struct texter *t, struct line line) {
	size_t n = 0;
	while (n < line.n && (t->in.s[line.from + n] == ' ' || t->in.s[line.from + n] == '\t')) {
		n++;
	}
	return n;
}

static bool begins(const struct texter *t, struct line line, size_t skip, const char *word) {
	size_t n = strlen(word);
	return line.n >= skip + n && memcmp(t->in.s + line.from + skip, word, n) == 0;
}

/** What counts as a prompt beside "$ ". */
enum prompts {
	PROMPTS_DOLLAR,
	/** "# " and "% " too. */
	PROMPTS_CONSOLE,
	/** The same, but with "$ " in the block "# " may as well begin a comment: it counts before
	 * a client only. */
	PROMPTS_MIXED,
};

/** "$ docker …": the length of the prompt. */
static size_t prompt(const struct texter *t, struct line line, enum prompts prompts) {
	size_t n = blanks(t, line);
	bool is_console = prompts != PROMPTS_DOLLAR;
	if (begins(t, line, n, "$ ") || (is_console && begins(t, line, n, "% "))) {
		return n + 2;
	}
	if (!is_console || !begins(t, line, n, "# ")) {
		return 0;
	}
	const char *s = t->in.s + line.from + n + 2;
	bool counts = prompts == PROMPTS_CONSOLE || client_length(s, line.n - n - 2) != 0;
	return counts ? n + 2 : 0;
}

/** Whether some line from t->i to the fence's end has a prompt: then those without are what was
 * written. */
static bool has_prompts(struct texter t, const char *fence, enum prompts prompts) {
	struct line line;
	while (next_line(&t, &line)) {
		if (fence && begins(&t, line, blanks(&t, line), fence)) {
			return false;
		}
		if (prompt(&t, line, prompts)) {
			return true;
		}
	}
	return false;
}

/** One line of a block of commands. */
static int take_command(struct texter *t, struct line line, bool prompts, enum prompts which) {
	size_t skip = prompt(t, line, which);
	if (!prompts) {
		return take(t, line, 0);
	}
	if (t->goes_on) {
		size_t n = blanks(t, line);
		return take(t, line, begins(t, line, n, "> ") ? n + 2 : 0);
	}
	return skip ? take(t, line, skip) : 0;
}

// ---- fences ----

enum language {
	LANGUAGE_SHELL,
	LANGUAGE_CONSOLE,
	LANGUAGE_MAKE,
	LANGUAGE_OTHER,
};

static enum language language_of(const struct texter *t, struct line line, size_t skip) {
	static const struct {
		const char *name;
		enum language language;
	} all[] = {{"", LANGUAGE_SHELL}, {"sh", LANGUAGE_SHELL}, {"bash", LANGUAGE_SHELL},
		{"shell", LANGUAGE_SHELL}, {"zsh", LANGUAGE_SHELL}, {"text", LANGUAGE_SHELL},
		{"txt", LANGUAGE_SHELL}, {"none", LANGUAGE_SHELL}, {"docker", LANGUAGE_SHELL},
		{"command", LANGUAGE_SHELL}, {"cmd", LANGUAGE_SHELL}, {"ksh", LANGUAGE_SHELL},
		{"console", LANGUAGE_CONSOLE}, {"terminal", LANGUAGE_CONSOLE},
		{"shell-session", LANGUAGE_CONSOLE}, {"sh-session", LANGUAGE_CONSOLE},
		{"bash-session", LANGUAGE_CONSOLE}, {"make", LANGUAGE_MAKE},
		{"makefile", LANGUAGE_MAKE}};
	while (skip < line.n && strchr("`~ {.", t->in.s[line.from + skip])) {
		skip++;
	}
	size_t n = skip;
	while (n < line.n && !strchr(" \t\r,}:", t->in.s[line.from + n])) {
		n++;
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strlen(all[i].name) == n - skip
			&& strncasecmp(all[i].name, t->in.s + line.from + skip, n - skip) == 0) {
			return all[i].language;
		}
	}
	return LANGUAGE_OTHER;
}

static int read_fence(struct texter *t, struct line open) {
	size_t skip = blanks(t, open);
	char fence[] = "```";
	memset(fence, t->in.s[open.from + skip], 3);
	enum language language = language_of(t, open, skip);
	bool is_console = language == LANGUAGE_CONSOLE;
	bool dollars = has_prompts(*t, fence, PROMPTS_DOLLAR);
	enum prompts which = !is_console ? PROMPTS_DOLLAR
		: dollars                ? PROMPTS_MIXED
					 : PROMPTS_CONSOLE;
	bool prompts = dollars || has_prompts(*t, fence, which);
	struct line line;
	while (next_line(t, &line)) {
		if (begins(t, line, blanks(t, line), fence)) {
			break;
		}
		if (language == LANGUAGE_OTHER) {
			continue;
		}
		if (language == LANGUAGE_MAKE ? take(t, line, 0)
					      : take_command(t, line, prompts, which)) {
			return -1;
		}
	}
	return end_block(t, language == LANGUAGE_MAKE);
}

static bool is_indented(const struct texter *t, struct line line) {
	return begins(t, line, 0, "    ") || begins(t, line, 0, "\t");
}

/** Lines that are indented by four or more. */
static int read_indented(struct texter *t, struct line first) {
	struct texter ahead = *t;
	struct line line = first;
	bool more = true;
	bool prompts = prompt(t, first, PROMPTS_DOLLAR) != 0;
	while (next_line(&ahead, &line) && (is_indented(&ahead, line) || line.n == 0)) {
		prompts = prompts || prompt(&ahead, line, PROMPTS_DOLLAR) != 0;
	}
	for (line = first; more; more = next_line(t, &line)) {
		if (!is_indented(t, line) && blanks(t, line) < line.n) {
			t->i = line.from;
			break;
		}
		if (take_command(t, line, prompts, PROMPTS_DOLLAR)) {
			return -1;
		}
	}
	return end_block(t, false);
}

static bool is_fence(const struct texter *t, struct line line) {
	size_t n = blanks(t, line);
	return begins(t, line, n, "```") || begins(t, line, n, "~~~");
}

/** `docker run …` in a sentence. */
static int read_span(struct texter *t, size_t from, size_t n) {
	const char *s = t->in.s + from;
	size_t skip = n > 5 && memcmp(s, "sudo ", 5) == 0 ? 5 : 0;
	bool is_run = client_length(s + skip, n - skip) && br_has_run(s, n);
	return is_run ? read_quietly(t->run, br_chars_part(t->in, from, n)) : 0;
}

/** The code in a line of text. */
static int read_spans(struct texter *t, struct line line) {
	const char *end = t->in.s + line.from + line.n;
	const char *open = memchr(t->in.s + line.from, '`', line.n);
	while (open) {
		const char *close = memchr(open + 1, '`', (size_t)(end - open - 1));
		if (!close) {
			return 0;
		}
		if (read_span(t, (size_t)(open + 1 - t->in.s), (size_t)(close - open - 1))) {
			return -1;
		}
		open = memchr(close + 1, '`', (size_t)(end - close - 1));
	}
	return 0;
}

/** Where no block has a run line, those in sentences count, as far as they are whole. */
static int read_sentences(struct texter *t) {
	struct line line;
	bool fenced = false;
	while (next_line(t, &line)) {
		fenced ^= is_fence(t, line);
		if (!fenced && !is_fence(t, line) && read_spans(t, line)) {
			return -1;
		}
	}
	return 0;
}

static int read_markdown(struct texter *t) {
	struct line line;
	bool after_blank = true;
	while (next_line(t, &line)) {
		bool is_empty = blanks(t, line) == line.n;
		if (is_fence(t, line)) {
			if (read_fence(t, line)) {
				return -1;
			}
			is_empty = true;
		} else if (after_blank && !is_empty && is_indented(t, line)) {
			if (read_indented(t, line)) {
				return -1;
			}
			is_empty = true;
		}
		after_blank = is_empty;
	}
	return 0;
}

// ---- scripts ----

/** A Makefile without its name: rules, and recipes behind tabs. */
static bool is_recipes(struct texter t) {
	struct line line;
	bool rule = false;
	while (next_line(&t, &line)) {
		const char *s = t.in.s + line.from;
		const char *colon = memchr(s, ':', line.n);
		if (rule && line.n && s[0] == '\t') {
			return true;
		}
		bool is_target = line.n && s[0] != '\t' && s[0] != ' ' && s[0] != '#' && colon
			&& !memchr(s, ' ', (size_t)(colon - s)) && !memchr(s, '$', line.n)
			&& !memchr(s, '/', (size_t)(colon - s));
		rule = is_target || (rule && line.n == 0);
	}
	return false;
}

static bool has_extension(const char *path, const char *end) {
	size_t n = strlen(path);
	size_t k = strlen(end);
	return n >= k && strcasecmp(path + n - k, end) == 0;
}

static bool is_markdown(const struct texter *t) {
	const char *name = t->run->shown;
	struct texter ahead = *t;
	struct line line;
	if (has_extension(name, ".md") || has_extension(name, ".markdown")) {
		return true;
	}
	if (has_extension(name, ".sh") || has_extension(name, ".bash")
		|| (t->in.n > 2 && memcmp(t->in.s, "#!", 2) == 0)) {
		return false;
	}
	while (next_line(&ahead, &line)) {
		if (is_fence(&ahead, line)) {
			return true;
		}
	}
	return false;
}

int br_text_read(struct br_run *run, struct br_chars text) {
	struct texter t = {.run = run, .in = text};
	struct line line;
	if (is_markdown(&t)) {
		size_t lines = run->lines.n;
		size_t errors = br_diags_errors(run->dx);
		t.is_markdown = true;
		if (read_markdown(&t)) {
			return -1;
		}
		bool none = run->lines.n == lines && br_diags_errors(run->dx) == errors;
		t.i = 0;
		return none ? read_sentences(&t) : 0;
	}
	if (!(text.n > 2 && memcmp(text.s, "#!", 2) == 0) && is_recipes(t)) {
		return br_make_read(run, text);
	}
	bool prompts = has_prompts(t, NULL, PROMPTS_DOLLAR);
	while (next_line(&t, &line)) {
		if (take_command(&t, line, prompts, PROMPTS_DOLLAR)) {
			return -1;
		}
	}
	return end_block(&t, false);
}
