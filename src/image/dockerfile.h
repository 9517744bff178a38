/**
 * A Dockerfile in four steps: instructions with their places (dockerfile.c), words with their
 * variables (words.c), stages (stages.c), and the accounts that shell lines make (shell.c reads the
 * lines, shell_commands.c and accounts.c know the commands). Nothing is ever executed.
 *
 * Source of the rules: the Dockerfile reference and what BuildKit's frontend does.
 */
#ifndef BR_IMAGE_DOCKERFILE_H
#define BR_IMAGE_DOCKERFILE_H

#include "library.h"
#include "parts.h"
#include "tree.h"

#include <base/text.h>

/** Limits; going over one of the first four is an error, over the others makes things unknown. */
enum {
	/** For all Dockerfiles of a spec together: a second or two, or some hundred MiB. A large
	 * project takes a hundredth of it. */
	DOCKERFILE_STEPS = 400 * 1000 * 1000,
	DOCKERFILE_BYTES = 1 << 20,
	DOCKERFILE_INSTRUCTIONS = 20000,
	DOCKERFILE_STAGES = 500,
	DOCKERFILE_VARIABLES = 2000,
	DOCKERFILE_ACCOUNTS = 2000,
	DOCKERFILE_WORD = 4096,
	DOCKERFILE_DEPTH = 16,
	/** Bytes of a shell's word that come of variables, so that none doubles without end. */
	DOCKERFILE_SHELL_WORD = 64 << 10,
	/** Steps for a byte of text that is made, and for a file that is looked for. */
	DOCKERFILE_STEPS_BYTE = 4,
	DOCKERFILE_STEPS_FILE = 1000,
};

/**
 * Note that so many steps are about to be taken: a comparison, say, a few nanoseconds. Everything
 * that a few bytes of a Dockerfile can make long (all variables or directories that there are, for
 * each word; text that variables multiply) asks this before. False where there have been too many
 * by then: it is left out, because df_tired is going to end the whole.
 */
bool df_spend(struct image_finder *finder, uint64_t n);
/** 0; after too many steps -1 with an error. */
int df_tired(struct image_finder *finder, struct br_span at);

/** What stands between <<NAME and NAME. */
struct df_heredoc {
	const char *name;
	const char *content;
};

/** One instruction with its continuation lines joined. */
struct df_line {
	/** In capitals. */
	const char *name;
	/** The joined text behind the name, without blanks at its ends. */
	const char *rest;
	/** Its length. */
	size_t n;
	/** Where each byte of rest stands in the file, and one more for its end. */
	const uint32_t *places;
	const struct df_heredoc *heredocs;
	size_t nheredocs;
	/** From its first byte to the end of its last own line. */
	struct br_span at;
};

struct df_file {
	struct image_finder *finder;
	/** Its number in the table of places. */
	uint16_t text;
	char escape;
	/** Set where `# syntax=` names another frontend. */
	const char *frontend;
	struct df_line *lines;
	size_t n;
};

/** Instructions of the text with this number. 0, or -1 with an error. */
int df_read(struct image_finder *finder, uint16_t text, struct df_file *out);
/** The place of a stretch of a line's rest. */
struct br_span df_span(
	const struct df_file *file, const struct df_line *line, const char *from, size_t n);
/** The next word of s by white space, quotes kept together; its length, 0 at the end; *s is moved
 * to its beginning. */
size_t df_word(const char **s, char escape);
/** Skip `--name=value` words at the beginning; the value of the one with this name, or NULL. */
const char *df_flag(
	struct br_arena *arena, const char **rest, const char *name, char escape, bool *failed);
/** A JSON array of strings; NULL-terminated, or NULL where s is none (or there is no memory:
 * *failed). */
char **df_json(struct br_arena *arena, const char *s, bool *failed);

/** A variable of a stage or of the lines before the first FROM. */
struct df_var {
	const char *name;
	/** NULL: declared, without a value. */
	const char *value;
	/** Why the value is not known, or NULL. */
	const char *unknown;
	/** It came by ENV (of the file or of the base). */
	bool is_env;
};

typedef br_vec(struct df_var) df_vars;

/** A word being expanded. */
struct df_words {
	struct image_finder *finder;
	const df_vars *vars;
	/** A variable that is not there may come from the base image's environment, which is not
	 * known; its name. */
	const char *base;
	char escape;
	struct br_span at;
	/** Of a shell: what BuildKit calls an error is only not known. */
	bool shell;
	unsigned depth;
	/** Out: why the result is not known (the first reason); the first variable that was unset
	 * and became empty. */
	const char *unknown;
	const char *unset;
};

const struct df_var *df_var_get(const df_vars *vars, const char *name);
/** Expand and unquote a whole word as BuildKit does. *out is in the arena. 0, or -1 with an error. */
int df_expand(struct df_words *words, const char *s, const char **out);
/** Expand what follows a '$' at *s (moved behind it). */
int df_dollar(struct df_words *words, const char **s, struct br_buf *to);
/** Note a reason; the first one stays. */
void df_unknown(struct df_words *words, const char *why, const char *name);

/** Which commands make accounts, and how. */
enum df_flavour {
	DF_FLAVOUR_UNKNOWN,
	DF_DEBIAN,
	DF_ALPINE,
	DF_REDHAT,
};

/** Debian's adduser puts every user who is no system account into the group "users" since bookworm.
 */
enum df_joins {
	DF_JOINS_UNKNOWN,
	DF_JOINS_NONE,
	DF_JOINS_USERS,
};

/** passwd and group as far as they are known. */
struct df_accounts {
	struct br_arena *arena;
	enum df_flavour flavour;
	enum df_joins joins;
	bool complete;
	bool no_passwd;
	bool no_group;
	/** A command changed accounts in a way that was not understood. */
	bool odd;
	/** Of the last command: the home of the user that it made, or NULL; whether it made the
	 * directory, -1: perhaps. */
	const char *new_home;
	int home_made;
	br_vec(struct br_image_user) users;
	br_vec(struct br_image_group) groups;
};

/** How sure it is that a command runs. */
enum df_when {
	DF_ALWAYS,
	/** Behind a question whether the account is there. */
	DF_IF_MISSING,
	/** In a branch. */
	DF_MAYBE,
};

/** A command of a shell line. Words are NULL where they are not known. */
struct df_command {
	const char *const *words;
	size_t n;
	enum df_when when;
	struct br_span at;
};

/** Whether this word names a command that changes accounts. */
bool df_is_account_command(const char *word);
/** Do what such a command does. 0, or -1 with ENOMEM. */
int df_account_command(struct df_accounts *accounts, const struct df_command *command);
/** The flavour that a command tells (apk, apt-get, dnf, …); UNKNOWN: none. */
enum df_flavour df_command_flavour(const char *word);
enum df_flavour df_image_flavour(const char *reference);
/** What the release of the base image says of its adduser. */
enum df_joins df_image_joins(const char *reference);
/** What a distribution's base images have always had; nothing where there is an account of the
 * name. All are `allocated`. */
int df_seed_accounts(struct df_accounts *accounts, const char *reference);

/** One shell script with its variables. */
struct df_script {
	struct image_finder *finder;
	struct df_accounts *accounts;
	df_vars *vars;
	const char *base;
	const char *s;
	const struct df_heredoc *heredocs;
	size_t nheredocs;
	/** The instruction; with `line`, s lies in its rest and each command gets a place of its
	 * own. */
	struct br_span at;
	const struct df_file *file;
	const struct df_line *line;
	unsigned depth;
	/** The instruction, for what else its commands do; NULL: nobody wants to know. */
	struct df_work *work;
	/** Where it runs; NULL: not known. */
	const char *cwd;
};

/** 0, or -1 with an error. */
int df_script_run(struct df_script *script);
/** A command whose words are known already (RUN ["a", "b"]). */
int df_argv_run(struct df_script *script, const char *const *words, size_t n);

/** The instruction of this name in capitals, or NULL. */
const char *df_instruction(const char *s, size_t n);

/** Something that COPY took from the build context, below a path of the image. */
struct df_copied {
	const char *to;
	/** In the context; NULL: from elsewhere. */
	const char *from;
};

struct df_work;
struct df_list {
	const char **v;
	size_t n, cap;
};

/** What a command does beside changing accounts: `sure` that it runs. */
int df_command_effects(
	struct df_work *work, const struct df_command *command, const char *cwd, bool sure);
/** The home directory of the user that a command has made. */
int df_home_effects(struct df_work *work, const struct df_command *command);
/** "app:app" or "1000"; false where that is not known. context is a struct df_work. */
bool df_owner_of(void *context, const char *word, struct tree_owner *out);
/** Whoever USER says. */
struct tree_owner df_current_owner(struct df_work *work);
/** A small file of the build context; NULL with errno. Heap. */
char *df_context_file(const struct df_work *work, const char *path, size_t *n);
/** WORKDIR, VOLUME, ENTRYPOINT and CMD, COPY and ADD: what they leave in the file system. */
int df_workdir_effects(struct df_work *work);
int df_volume(struct df_work *work);
int df_command_line(struct df_work *work, const char *const **out);
/** One source of a COPY or ADD. */
struct df_copy_request {
	/** --from=, --chown=, or NULL. */
	const char *from, *chown;
	/** NULL: not known. */
	const char *source;
	/** From the root. */
	const char *dest;
	/** Written with a slash at the end, or for several sources. */
	bool is_directory;
	/** ADD of something that may be an archive. */
	bool unpacks;
};
/** A library that the stage has; only the first of each, and not more than there are many of. 0, or
 * -1 with ENOMEM. */
int df_take_library(struct df_work *work, const struct br_image_library *item);
int df_copy_effects(struct df_work *work, const struct df_copy_request *copy);
/** Into the image, once the stage is done. */
int df_finish_effects(struct df_work *work, struct br_image *out);

/** What a stage's image is. */
struct df_stage {
	const struct df_line *from;
	/** In small letters; NULL: it has none. */
	const char *name;
	/** Its first and last + 1 instruction, without FROM. */
	size_t begin, end;
	/** The stage it is FROM, or SIZE_MAX. */
	size_t parent;
	/** The image it is FROM; NULL with `unknown`. */
	const char *base;
	struct br_span base_at;
	const char *unknown;
	bool needed;
	struct br_image image;
	struct df_accounts accounts;
	df_vars vars;
	br_vec(const char *) environment;
	/** Set while variables of the base image's environment are not known: the base's name. */
	const char *unknown_base;
	/** NULL: not known. */
	const char *workdir;
	struct tree tree;
	br_vec(struct br_image_library) libraries;
	br_vec(struct br_text) volumes;
	br_vec(struct df_copied) copied;
	/** ENTRYPOINT and CMD; NULL: none, or not known. */
	const char *const *entrypoint, *const *command;
	/** SHELL names something that is no POSIX shell. */
	bool odd_shell;
};

struct df_build {
	struct df_file *file;
	const struct br_build *build;
	struct br_arena *arena;
	struct br_diags *dx;
	/** Declared before the first FROM, and what BuildKit declares by itself. */
	df_vars globals;
	br_vec(struct df_stage) stages;
};

/** An instruction being carried out on a stage. */
struct df_work {
	struct df_build *b;
	struct df_stage *stage;
	const struct df_line *line;
};

/** Words of an instruction with the variables of its stage; the place is the whole rest's. */
struct df_words df_stage_words(const struct df_work *work);
/** The stage with this name (any case), before the stage `before`; SIZE_MAX: none. */
size_t df_find_stage(const struct df_build *b, const char *name, size_t before);
/** Divide the file into stages, with the ARGs before them. 0, or -1 with an error. */
int df_read_stages(struct df_build *b);
/** Do one instruction. 0, or -1 with an error. */
int df_instruct(struct df_work *work);
/** COPY and ADD, as far as they change the accounts. */
int df_copy(struct df_work *work);
/** The image of the target stage. 1, or -1 with an error. */
int df_stages_run(struct df_file *file, const struct br_build *build, struct br_image *out);

#endif
