/** The commands that make directories and say whose they are. */
#include "dockerfile.h"
#include "tree.h"

#include <errno.h>
#include <string.h>

/** A command's options, as far as they count here. */
struct options {
	bool parents, recursive, directory;
	/** One that is not known, or whose value is not. */
	bool odd;
	const char *owner, *group, *mode;
	/** Where the operands begin. */
	size_t at;
};

static const char *base_name(const char *word) {
	const char *slash = strrchr(word, '/');
	return slash ? slash + 1 : word;
}

static void take_value(struct options *o, char letter, const char *value) {
	o->odd = o->odd || !value;
	switch (letter) {
	case 'o':
		o->owner = value;
		break;
	case 'g':
		o->group = value;
		break;
	default:
		o->mode = value;
		break;
	}
}

static void take_flag(struct options *o, char letter) {
	o->parents = o->parents || letter == 'p';
	o->recursive = o->recursive || letter == 'R' || letter == 'r';
	o->directory = o->directory || letter == 'd';
	o->odd = o->odd || !strchr("pRrdvfchLPHDnC", letter);
}

static void take_long(struct options *o, const char *word) {
	static const struct {
		const char *name;
		char letter;
	} flags[] = {{"--parents", 'p'}, {"--recursive", 'R'}, {"--directory", 'd'},
		{"--verbose", 'v'}, {"--force", 'f'}, {"--silent", 'f'}, {"--quiet", 'f'},
		{"--no-dereference", 'h'}, {"--changes", 'c'}};
	static const struct {
		const char *name;
		char letter;
	} values[] = {{"--mode=", 'm'}, {"--owner=", 'o'}, {"--group=", 'g'}};
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (!strcmp(word, flags[i].name)) {
			take_flag(o, flags[i].letter);
			return;
		}
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		size_t n = strlen(values[i].name);
		if (!strncmp(word, values[i].name, n)) {
			take_value(o, values[i].letter, word + n);
			return;
		}
	}
	o->odd = true;
}

/** "-pv", "-m 755", "-dm755"; `valued`: letters with a value. */
static void take_short(
	struct options *o, const struct tree_command *c, size_t *i, const char *valued) {
	for (const char *s = c->words[*i] + 1; *s; s++) {
		if (!strchr(valued, *s)) {
			take_flag(o, *s);
			continue;
		}
		const char *value = s[1] ? s + 1 : NULL;
		if (!value && *i + 1 < c->n) {
			value = c->words[++*i];
		}
		take_value(o, *s, value);
		return;
	}
}

static struct options read_options(const struct tree_command *c, const char *valued) {
	struct options o = {.at = c->n};
	for (size_t i = 1; i < c->n; i++) {
		const char *word = c->words[i];
		if (!word || *word != '-' || !word[1]) {
			o.at = i;
			break;
		}
		if (!strcmp(word, "--")) {
			o.at = i + 1;
			break;
		}
		if (word[1] == '-') {
			take_long(&o, word);
		} else {
			take_short(&o, c, &i, valued);
		}
	}
	return o;
}

/** An octal mode; false where it is another. */
static bool read_mode(const char *s, uint32_t *out) {
	size_t n = s ? strlen(s) : 0;
	*out = 0;
	if (!n || n > 5 || strspn(s, "01234567") != n) {
		return false;
	}
	for (; *s; s++) {
		*out = *out * 8 + (uint32_t)(*s - '0');
	}
	return *out <= 07777;
}

/** A pattern, or braces of a shell that knows them. */
static bool is_pattern(const char *word) {
	return strpbrk(word, "*?[{") != NULL;
}

/** The directory before the first component with a pattern in it. */
static char *before_pattern(struct tree *t, const struct tree_step *step, const char *word) {
	size_t n = strcspn(word, "*?[{");
	while (n && word[n - 1] != '/') {
		n--;
	}
	char *part = br_strndup(t->arena, n ? word : ".", n ? n : 1);
	return part ? tree_path(t, step->cwd, part) : NULL;
}

/** An operand's path; *below is set where it means what lies below it. NULL with errno 0: not
 * known. */
static char *operand(struct tree *t, const struct tree_step *step, const char *word, bool *below) {
	errno = 0;
	if (!word) {
		return NULL;
	}
	if (is_pattern(word)) {
		*below = true;
		return before_pattern(t, step, word);
	}
	return tree_path(t, step->cwd, word);
}

static int run_mkdir(struct tree *t, const struct tree_step *step, const struct tree_command *c) {
	struct options o = read_options(c, "m");
	uint32_t mode = 0755;
	bool sure = !o.odd && (!o.mode || read_mode(o.mode, &mode));
	struct tree_make make = {
		.mode = mode, .only_new = !o.parents, .parents = o.parents, .empty = true};
	for (size_t i = o.at; i < c->n; i++) {
		struct tree_step one = *step;
		one.sure = step->sure && sure;
		const char *word = c->words[i];
		char *path = word && !is_pattern(word) ? tree_path(t, step->cwd, word) : NULL;
		if (path ? tree_make(t, &one, path, &make) : errno == ENOMEM) {
			return -1;
		}
	}
	return 1;
}

static int run_install(struct tree *t, const struct tree_step *step, const struct tree_command *c) {
	struct options o = read_options(c, "mogtS");
	if (!o.directory) {
		return 0;
	}
	uint32_t mode = 0755;
	struct tree_step one = *step;
	one.sure = step->sure && !o.odd && (!o.mode || read_mode(o.mode, &mode));
	struct tree_make make = {.mode = mode, .parents = true, .empty = true};
	struct tree_owner group = {.known = true, .gid = step->owner.gid};
	if (o.owner) {
		one.owner.known = c->owner_of(c->context, o.owner, &one.owner);
		one.owner.gid = step->owner.gid;
	}
	if (o.group) {
		char *word = br_printf(t->arena, ":%s", o.group);
		if (!word) {
			return -1;
		}
		group.known = c->owner_of(c->context, word, &group);
		one.owner.gid = group.gid;
	}
	one.owner.known = one.owner.known && group.known;
	for (size_t i = o.at; i < c->n; i++) {
		const char *word = c->words[i];
		char *path = word && !is_pattern(word) ? tree_path(t, step->cwd, word) : NULL;
		if (!path && errno == ENOMEM) {
			return -1;
		}
		// It sets owner and mode of one that is there, too.
		if (path
			&& (tree_make(t, step, path, &make) || tree_chown(t, &one, path, false)
				|| tree_chmod(t, &one, path, false, &mode))) {
			return -1;
		}
	}
	return 1;
}

static int run_chown(struct tree *t, const struct tree_step *step, const struct tree_command *c) {
	struct options o = read_options(c, "");
	struct tree_step one = *step;
	const char *word = o.at < c->n ? c->words[o.at] : NULL;
	one.owner.known = !o.odd && word && c->owner_of(c->context, word, &one.owner);
	for (size_t i = o.at + 1; i < c->n; i++) {
		bool below = o.recursive;
		char *path = operand(t, step, c->words[i], &below);
		if ((!path && errno == ENOMEM) || tree_chown(t, &one, path, below)) {
			return -1;
		}
	}
	return 1;
}

static int run_chmod(struct tree *t, const struct tree_step *step, const struct tree_command *c) {
	struct options o = {.at = 1};
	// "-x" may be a mode; of the options only -R counts.
	while (o.at < c->n && c->words[o.at] && c->words[o.at][0] == '-'
		&& !strpbrk(c->words[o.at], "rwxst")) {
		o.recursive = o.recursive || strchr(c->words[o.at], 'R');
		o.at++;
	}
	if (o.at < c->n && c->words[o.at] && !strcmp(c->words[o.at], "--recursive")) {
		o.recursive = true;
		o.at++;
	}
	uint32_t mode = 0;
	bool known = o.at < c->n && read_mode(c->words[o.at], &mode);
	for (size_t i = o.at + 1; i < c->n; i++) {
		bool below = o.recursive;
		char *path = operand(t, step, c->words[i], &below);
		if ((!path && errno == ENOMEM)
			|| tree_chmod(t, step, path, below, known ? &mode : NULL)) {
			return -1;
		}
	}
	return 1;
}

static int run_rm(struct tree *t, const struct tree_step *step, const struct tree_command *c) {
	for (size_t i = 1; i < c->n; i++) {
		const char *word = c->words[i];
		if (word && *word == '-') {
			continue;
		}
		char *path = word && !is_pattern(word) ? tree_path(t, step->cwd, word) : NULL;
		if (path && strcmp(path, "/") != 0) {
			tree_remove(t, step, path);
		}
	}
	return 1;
}

/** Whatever a command names it may use. */
static int fill_named(struct tree *t, const struct tree_step *step, const struct tree_command *c) {
	for (size_t i = 1; i < c->n; i++) {
		const char *word = c->words[i];
		const char *at = word && *word != '/' ? strchr(word, '/') : NULL;
		// "--target=/app", "-C/app", "A:/app"
		const char *inner =
			at && at > word && (*word == '-' || strchr("=:", at[-1])) ? at : NULL;
		const char *names[] = {word && *word != '-' ? word : NULL, inner};
		for (size_t k = 0; k < 2; k++) {
			char *path = names[k] ? tree_path(t, step->cwd, names[k]) : NULL;
			if (path) {
				tree_fill(t, path);
			} else if (names[k] && errno == ENOMEM) {
				return -1;
			}
		}
	}
	return 0;
}

static bool changes_owners(const struct tree_command *c) {
	for (size_t i = 1; i < c->n; i++) {
		const char *word = c->words[i] ? base_name(c->words[i]) : "";
		if (strstr(word, "chown") || strstr(word, "chmod") || strstr(word, "chgrp")) {
			return true;
		}
	}
	return false;
}

int tree_command(struct tree *t, const struct tree_step *step, const struct tree_command *c) {
	static const struct {
		const char *name;
		int (*run)(
			struct tree *t, const struct tree_step *step, const struct tree_command *c);
	} all[] = {{"mkdir", run_mkdir}, {"install", run_install}, {"chown", run_chown},
		{"chmod", run_chmod}, {"rm", run_rm}, {"rmdir", run_rm}};
	static const char *const readers[] = {"ls", "test", "[", "[[", "echo", "stat", "printf"};
	const char *name = base_name(c->words[0]);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		int done = strcmp(name, all[i].name) ? 0 : all[i].run(t, step, c);
		if (done) {
			return done;
		}
	}
	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers); i++) {
		if (!strcmp(name, readers[i])) {
			return 1;
		}
	}
	if (!strcmp(name, "chgrp") || changes_owners(c)) {
		tree_lose(t);
	}
	return fill_named(t, step, c) ? -1 : 0;
}
