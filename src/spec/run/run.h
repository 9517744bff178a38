/**
 * The reader of run lines, in the order in which it works:
 *
 *   run.c        which texts, which dialect                       -> lines of a shell
 *   text.c       Markdown's code blocks, prompts, plain scripts
 *   make.c       a Makefile's variables and recipes
 *   shell.c      quotes, comments, redirections                   -> commands of words
 *   expand.c     $VARIABLES and lists (list.c), ~, and the few $(commands) that can be known
 * (subst.c) command.c    assignments, cd, sudo, the client's own options  -> a run line flags.c
 * each client's options                            -> flags and an image fill.c, volume.c, csv.c ->
 * a container name.c       names, --volumes-from                            -> the spec
 *
 * Nothing is ever executed. What cannot be known without that is a hole in a word; it is an error
 * only where the word matters.
 *
 * Each function below answers 0 or -1 (or a pointer or NULL) with one error in the context's dx.
 */
#ifndef BR_SPEC_RUN_H
#define BR_SPEC_RUN_H

#include <base/mem.h>
#include <bindright/spec.h>

#include <spec/interpolate.h>
#include <spec/store.h>

/** Limits that no honest text meets. */
enum {
	BR_RUN_DEPTH = 16,
	BR_RUN_WORDS = 4096,
	BR_RUN_VALUE = 64 << 10,
	/** Bytes of all words of one text. */
	BR_RUN_BYTES = 8 << 20,
	BR_RUN_VARIABLES = 4096,
};

/** Where a byte came from: a stretch of the text. */
struct br_mark {
	uint32_t off, len;
};

/** Bytes, each with its mark; a part of a text, or what it became. */
struct br_chars {
	const char *s;
	const struct br_mark *at;
	size_t n;
};

/** Bytes under construction. */
struct br_builder {
	br_vec(char) s;
	br_vec(struct br_mark) at;
};

/** Something that cannot be known without running it. */
struct br_hole {
	/** As it is written: "$DATA", "$(date)". */
	const char *what;
	/** The variable that --env can set, or NULL. */
	const char *name;
	struct br_span at;
	/** Why a variable that is set has no known value, or NULL. */
	const char *because;
};

/** A word of a command. */
struct br_word {
	/** NUL-terminated. */
	struct br_chars is;
	/** All of it, with its quotes. */
	struct br_span at;
	/** The first thing in it that cannot be known, or NULL. */
	const struct br_hole *hole;
	/** Nothing but unquoted holes: it may be no word, or several. */
	bool bare;
	/** It begins with an assignment's NAME= that is not quoted: the length of that, else 0. */
	size_t assigns;
	/** The first variable of it whose value came from the caller's environment, or NULL. */
	const char *environment;
};

struct br_command {
	const struct br_word *words;
	size_t n;
	/** What ended it: a newline, or an operator of the shell ('\0' where nothing did), and
	 * where that stands. */
	char end;
	struct br_span end_at;
};

enum br_client {
	BR_CLIENT_DOCKER = 1 << 0,
	BR_CLIENT_PODMAN = 1 << 1,
	BR_CLIENT_NERDCTL = 1 << 2,
};

/** A container under construction. */
struct br_line {
	enum br_client client;
	/** Where the client's name stands. */
	struct br_span at;
	bool by_root;
	struct br_container container;
	br_vec(struct br_mount) mounts;
	/** How many mounts are its own, not of --volumes-from. */
	size_t nown;
	/** What -v said: twice the very same is once. */
	br_vec(const char *) volumes;
	br_vec(struct br_text) volumes_from;
	/** --volumes-from: 0 not yet, 1 under way, 2 done. */
	int inherited;
	bool is_rootfs;
	bool skipped;
	/** The name that it would have if it were the only one. */
	const char *wanted;
};

/** A list that a script has set: NAME=(…). */
struct br_words_of {
	const char *name;
	br_vec(struct br_word) words;
};

/** The work at hand. */
struct br_run {
	const struct br_spec_request *request;
	struct br_file_store *store;
	struct br_spec *spec;
	struct br_diags *dx;
	struct br_arena *arena;
	/** The text that is read: its number, what people call it, and its path ("-" where it has
	 * none). */
	uint16_t text;
	const char *shown;
	/** The words that named the text. */
	struct br_span shown_at;
	const char *path;
	/** Where relative paths begin; NULL where an unknown `cd` came before. */
	const char *cwd;
	const char *home;
	/** What is known of variables; the values of `lost` say why they cannot be known ("" where
	 * they can). */
	struct br_env env;
	struct br_env lost;
	br_vec(struct br_words_of *) lists;
	/** Depth of if, case and loops; of commands in words. */
	unsigned conditions;
	unsigned inner;
	/** What `git clone` made in this text: a `cd` there leads to the project itself. */
	const char *clone;
	/** All words so far. */
	size_t bytes;
	size_t mounts;
	br_vec(struct br_line *) lines;
	/** Holes of a Makefile's expansion, found again by the byte HOLE in the text. */
	br_vec(struct br_hole) holes;
	/** A make recipe: variables were replaced by make. */
	bool is_make;
};

/** Read run lines into an empty spec: request->line, or the files. The whole of this folder. */
int br_run_read(const struct br_spec_request *request, struct br_file_store *store,
	struct br_spec *spec, struct br_diags *dx);
/** Whether a file is one of run lines and no compose file, by its name and what is in it. */
bool br_is_run_text(const char *path, const char *bytes, size_t n);

/* chars.c: bytes with places */

int br_builder_add(struct br_run *run, struct br_builder *b, char c, struct br_mark at);
/** The bytes so far, with a NUL behind them; the builder is empty again. */
int br_builder_take(struct br_run *run, struct br_builder *b, struct br_chars *out);
/** n bytes from i on. */
struct br_chars br_chars_part(struct br_chars all, size_t i, size_t n);
/** A whole text; NULL marks (and an error) without memory. */
struct br_chars br_chars_of(struct br_run *run, const char *s, size_t n, uint32_t off);
/** The place of bytes i to i + n of them. */
struct br_span br_chars_at(const struct br_run *run, struct br_chars all, size_t i, size_t n);
/** A part of a word as a text with its place; s NULL with an error. */
struct br_text br_chars_text(struct br_run *run, struct br_chars all, size_t i, size_t n);
/** A NUL-terminated copy; NULL with an error. */
const char *br_chars_copy(struct br_run *run, struct br_chars all);
/** The number of bytes of s that are a variable's name, 0 if it does not begin like one. */
size_t br_name_length(const char *s, size_t n);

/* shell.c, expand.c, make.c, text.c */

/** The byte that stands for run->holes in a text that make has expanded. */
enum {
	BR_HOLE_BYTE = 1,
};

/** What gets the commands of a text, one after the other. 0, or -1 to stop. */
typedef int br_take_command(struct br_run *run, void *context, const struct br_command *command);

/** Take a text apart as a shell would. */
int br_shell_read(struct br_run *run, struct br_chars text, br_take_command *take, void *context);
/** The same of a part of it that is `depth` substitutions deep. */
int br_shell_read_deep(struct br_run *run, struct br_chars text, br_take_command *take,
	void *context, unsigned depth);

/** What a substitution gave. */
struct br_value_of {
	/** NULL: it cannot be known, see the hole. */
	const char *s;
	const struct br_hole *hole;
	const char *environment;
	bool unset;
};

int br_variable(struct br_run *run, const char *name, struct br_span at, struct br_value_of *out);
/** What `$(text)` gives; `what` is all of it as it is written. */
int br_substitute(struct br_run *run, struct br_chars text, struct br_chars what, unsigned depth,
	struct br_value_of *out);
/** The number of bytes before the bracket that closes the one at the beginning, or SIZE_MAX; what
 * is quoted does not count. */
size_t br_closing(struct br_chars in, char open, char close);
/** A list of that name; NULL where there is none. */
struct br_words_of *br_list_find(const struct br_run *run, const char *name);
/** Set it to the words of a text, or add them. */
int br_list_set(
	struct br_run *run, const char *name, struct br_chars text, bool adds, unsigned depth);
const struct br_hole *br_hole_new(struct br_run *run, struct br_chars what, const char *name);
/** Set a variable to what a word has from this byte on. */
int br_run_set(struct br_run *run, const char *name, const struct br_word *value, size_t from);
/** From here on its value cannot be known. */
int br_run_lose(struct br_run *run, const char *name, const char *because);
int br_run_variables(struct br_run *run);

/** Whether a line of these bytes has a client's name and, behind it, "run" or "create". */
bool br_has_run(const char *s, size_t n);
int br_make_read(struct br_run *run, struct br_chars text);
/** Markdown, or a script. */
int br_text_read(struct br_run *run, struct br_chars text);

/* command.c */

/** One command of a shell: what matters of it is kept. */
br_take_command br_run_command;
/** The words of a command line of ours; nothing but a run line will do. */
int br_run_line(struct br_run *run, const struct br_command *command);
/** The error for a word with a hole. */
int br_say_hole(struct br_run *run, const struct br_hole *hole);
/** A path as the caller means it: absolute, cleaned if `clean`. NULL with an error. */
const char *br_run_path(struct br_run *run, const char *path, struct br_span at);

/* flags.c */

enum br_flag_is {
	BR_FLAG_SKIP,
	BR_FLAG_ADDRESS,
	BR_FLAG_CAP_ADD,
	BR_FLAG_CAP_DROP,
	BR_FLAG_CONTEXT,
	BR_FLAG_ENTRYPOINT,
	BR_FLAG_ENV,
	BR_FLAG_ENV_FILE,
	BR_FLAG_GIDMAP,
	BR_FLAG_GROUP_ADD,
	BR_FLAG_HELP,
	BR_FLAG_HOSTUSER,
	BR_FLAG_IPC,
	BR_FLAG_MOUNT,
	BR_FLAG_NAME,
	BR_FLAG_NETWORK,
	BR_FLAG_PID,
	BR_FLAG_POD,
	BR_FLAG_PRIVILEGED,
	BR_FLAG_READ_ONLY,
	BR_FLAG_REMOTE,
	BR_FLAG_ROOTFS,
	BR_FLAG_RUNTIME,
	BR_FLAG_SECURITY_OPT,
	BR_FLAG_SOCKET,
	BR_FLAG_SUBGIDNAME,
	BR_FLAG_SUBUIDNAME,
	BR_FLAG_TMPFS,
	BR_FLAG_UIDMAP,
	BR_FLAG_UMASK,
	BR_FLAG_USER,
	BR_FLAG_USERNS,
	BR_FLAG_VOLUME,
	BR_FLAG_VOLUMES_FROM,
};

/** How a flag is written. */
enum br_flag_takes {
	/** Nothing, or "=true". */
	BR_TAKES_SWITCH,
	/** A value. */
	BR_TAKES_VALUE,
	/** Values with commas between them, where the client is not Docker's. */
	BR_TAKES_LIST,
};

/** One option of some clients. */
struct br_flag {
	const char *name;
	char letter;
	enum br_flag_takes takes;
	unsigned clients;
	enum br_flag_is is;
};

/** An option as it was used. */
struct br_used {
	const struct br_flag *flag;
	/** Its value; of a switch "true" or "false" (no chars then). */
	struct br_chars value;
	struct br_span at;
	bool yes;
	const struct br_hole *hole;
	const char *environment;
};

struct br_used_flags {
	struct br_used *v;
	size_t n, cap;
	/** Those before "run". */
	bool global;
};

/** Read options from words[*i] on, up to the first word that is none. */
int br_flags_read(struct br_run *run, struct br_line *line, const struct br_command *command,
	size_t *i, struct br_used_flags *out);

/* fill.c, volume.c, mount.c, name.c */

int br_line_fill(struct br_run *run, struct br_line *line, const struct br_used_flags *used);
int br_line_volume(struct br_run *run, struct br_line *line, const struct br_used *used);
int br_line_mount(struct br_run *run, struct br_line *line, const struct br_used *used);
int br_line_tmpfs(struct br_run *run, struct br_line *line, const struct br_used *used);
/** Add a mount; a second one on a target is an error. */
int br_line_add(struct br_run *run, struct br_line *line, const struct br_mount *mount);
/** A target: absolute, cleaned. */
int br_line_target(struct br_run *run, const struct br_line *line, struct br_text target,
	struct br_mount *mount);
/** One option word of a short volume (or of Podman's --mount). */
int br_line_option(
	struct br_run *run, struct br_line *line, struct br_mount *mount, struct br_text word);
/** Which options exclude each other: a bit each; the second of a bit is an error. */
int br_line_once(struct br_run *run, struct br_text option, unsigned bit, unsigned *seen);
int br_line_source(
	struct br_run *run, struct br_line *line, struct br_mount *mount, struct br_text source);
/** The fields of a comma-separated record; each may be quoted. */
int br_csv_read(struct br_run *run, struct br_chars text, struct br_chars **fields, size_t *n);
/** Names for all, mounts of --volumes-from, and then into the spec. */
int br_lines_finish(struct br_run *run);

#endif
