/** The few commands whose output can be told without running them. */
#include "run.h"

#include <spec/compose/compose.h>
#include <string.h>

/** A substitution under work. */
struct subst {
	const char *cwd;
	/** What the commands so far have written; NULL: nothing. */
	const char *out;
	/** One of them cannot be known. */
	bool lost;
	const struct br_hole *hole;
};

static bool is(const struct br_word *word, const char *s) {
	return strcmp(word->is.s, s) == 0;
}

/** The words behind options such as -P or --. */
static size_t first_operand(const struct br_command *command) {
	size_t i = 1;
	while (i < command->n && command->words[i].is.s[0] == '-' && command->words[i].is.s[1]) {
		i++;
	}
	return i;
}

static const char *operand(const struct br_command *command) {
	size_t i = first_operand(command);
	return i + 1 == command->n ? command->words[i].is.s : NULL;
}

static const char *absolute(struct br_run *run, const struct subst *s, const char *path) {
	return path && s->cwd ? br_join(run->arena, s->cwd, path) : NULL;
}

static const char *last_part(struct br_run *run, const char *path) {
	const char *clean = path ? br_clean(run->arena, path) : NULL;
	const char *slash = clean ? strrchr(clean, '/') : NULL;
	return slash && slash[1] ? slash + 1 : clean;
}

/** id with one of -u, -g, -un (or its letters apart), of the caller. */
static const char *own_id(struct br_run *run, const struct br_command *command) {
	char which = '\0';
	bool name = false;
	for (size_t i = 1; i < command->n; i++) {
		const char *s = command->words[i].is.s;
		if (strcmp(s, "--user") == 0 || strcmp(s, "--group") == 0) {
			s = s[2] == 'u' ? "-u" : "-g";
		}
		if (s[0] != '-' || s[1] == '-') {
			return NULL;
		}
		for (s++; *s; s++) {
			name = name || *s == 'n';
			which = *s == 'u' || *s == 'g' ? *s : which;
		}
	}
	if (name) {
		return which == 'u' ? run->request->user_name : NULL;
	}
	return which == '\0'
		? NULL
		: br_printf(run->arena, "%u", which == 'u' ? run->request->uid : run->request->gid);
}

static const char *join_words(struct br_run *run, const struct br_command *command, size_t from) {
	const char *out = "";
	for (size_t i = from; i < command->n && out; i++) {
		out = br_printf(
			run->arena, "%s%s%s", out, i > from ? " " : "", command->words[i].is.s);
	}
	return out;
}

/** What it writes; NULL where that cannot be known. */
static const char *output_of(
	struct br_run *run, struct subst *s, const struct br_command *command) {
	const struct br_word *name = &command->words[0];
	const char *path = operand(command);
	if (is(name, "pwd") && first_operand(command) == command->n) {
		return s->cwd;
	}
	if (is(name, "CURDIR") && command->n == 1) {
		return run->cwd;
	}
	if (is(name, "id")) {
		return own_id(run, command);
	}
	if (is(name, "whoami") || is(name, "logname")) {
		return run->request->user_name;
	}
	if (is(name, "dirname") && path) {
		return br_dirname(run->arena, br_clean(run->arena, path));
	}
	if (is(name, "basename") && path) {
		return last_part(run, path);
	}
	if (is(name, "realpath") || (is(name, "readlink") && command->n == 3)) {
		return absolute(run, s, path);
	}
	if (is(name, "echo") && (command->n < 2 || command->words[1].is.s[0] != '-')) {
		return join_words(run, command, 1);
	}
	return NULL;
}

static br_take_command take;

static int take(struct br_run *run, void *context, const struct br_command *command) {
	struct subst *s = context;
	const struct br_word *name = &command->words[0];
	for (size_t i = 0; i < command->n; i++) {
		s->hole = s->hole ? s->hole : command->words[i].hole;
	}
	if (s->hole || s->lost) {
		return 0;
	}
	if (is(name, "cd") || is(name, "pushd")) {
		s->cwd = command->n == 1 ? run->home : absolute(run, s, operand(command));
		s->lost = !s->cwd;
		return 0;
	}
	// Two that write something would need what stands between them.
	const char *out = s->out ? NULL : output_of(run, s, command);
	s->lost = !out;
	s->out = out;
	return 0;
}

int br_substitute(struct br_run *run, struct br_chars text, struct br_chars what, unsigned depth,
	struct br_value_of *out) {
	struct subst s = {.cwd = run->cwd};
	*out = (struct br_value_of){0};
	if (depth > BR_RUN_DEPTH) {
		return br_error(run->dx, br_chars_at(run, what, 0, what.n),
			"more than %d expansions inside each other", BR_RUN_DEPTH);
	}
	if (br_shell_read_deep(run, text, take, &s, depth)) {
		return -1;
	}
	// Commands that write nothing, as a comment.
	out->s = s.hole || s.lost ? NULL : s.out ? s.out : "";
	if (!out->s) {
		out->hole = s.hole ? s.hole : br_hole_new(run, what, NULL);
	}
	return out->s || out->hole ? 0 : -1;
}
