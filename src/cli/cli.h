/** Shared by the files of cli/: what the words of the command line mean, and what a command is. */
#ifndef BR_CLI_CLI_H
#define BR_CLI_CLI_H

#include <base/mem.h>
#include <bindright/report.h>

#include <signal.h>

/** Exit statuses, as promised to scripts. */
enum {
	CLI_FITS = 0,
	CLI_MISFIT = 1,
	CLI_USAGE = 2,
	CLI_FAILED = 3,
};

enum {
	/** A flag that was given neither way, where that is a third thing. */
	CLI_UNSAID = -1,
};

/** One bit a command, for the option table. */
enum {
	CLI_CHECK = 1 << 0,
	CLI_PLAN = 1 << 1,
	CLI_FIX = 1 << 2,
	CLI_UNDO = 1 << 3,
	CLI_HISTORY = 1 << 4,
	CLI_HELP = 1 << 5,
	CLI_EXPLAIN = 1 << 6,
	CLI_INSPECT = 1 << 7,
	CLI_ID = 1 << 8,
	CLI_CODES = 1 << 9,
	CLI_RECLAIM = 1 << 10,
	/** Those that judge an input. */
	CLI_INPUT = CLI_CHECK | CLI_PLAN | CLI_FIX | CLI_RECLAIM,
	/** Those that read one. */
	CLI_READ = CLI_INPUT | CLI_EXPLAIN | CLI_INSPECT,
	/** Those that write nothing but text or JSON. */
	CLI_OTHERS = CLI_UNDO | CLI_HISTORY | CLI_EXPLAIN | CLI_INSPECT | CLI_ID | CLI_CODES,
	CLI_ALL = CLI_INPUT | CLI_OTHERS,
};

/** A list of words of the command line, each with its place. */
struct cli_words {
	struct br_text *v;
	size_t n, cap;
};

/** What the command line says. Absent words are NULL. */
struct cli_args {
	struct br_arena arena;
	/** Where the whole command line stands in dx's places. */
	uint16_t text;
	const struct cli_command *command;
	/** The whole of it, and where the command stands (-1: nowhere). */
	int argc;
	char *const *argv;
	int command_at;
	/** Words that are no options: services, an ID, a command to explain. */
	struct cli_words words;
	/** What stands behind "--", which is at line_at. */
	struct cli_words line;
	struct br_span line_at;
	bool has_line;
	/** Its index in argv; argc where there is none. */
	int line_index;

	struct cli_words files;
	struct cli_words containers;
	struct br_text kind;
	struct br_text project_directory;
	struct cli_words env_files;
	struct cli_words profiles;
	struct br_text project_name;
	struct cli_words env;
	struct br_text engine;
	struct br_text engine_user;
	struct br_text engine_version;
	struct br_text daemon_config;
	struct br_text compose_version;
	struct br_text sysroot;
	struct cli_words users;
	struct cli_words needs;
	struct cli_words excludes;
	struct cli_words keep;
	struct cli_words image_archives;
	struct br_text depth;
	struct br_text files_from;
	struct br_text format;
	struct br_text output;
	struct br_text color;
	struct br_text progress;
	struct br_text fail_on;
	struct br_text strategy;
	struct cli_words from;
	struct cli_words allow_dangerous;
	struct br_text max_copy_up;
	struct br_text prune;
	struct br_text plan;
	struct br_text jobs;
	struct br_text as;
	struct cli_words caps;
	struct cli_words uid_map;
	struct cli_words gid_map;

	int fail_fast;
	int null;
	int no_deps;
	int cross;
	int quiet;
	int verbose;
	int create_users;
	int create_missing;
	int future_files;
	int privileged_files;
	int other_mounts;
	int require_jail;
	int resume;
	int yes;
	int dry_run;
	int walk;
	int batch;
	int read_only;
	int origins;
	int want_help;
	int want_version;
};

/** What the process was born with, taken before the environment was cleared. */
struct cli_world {
	/** "NAME=VALUE", NULL at the end. */
	const char *const *environment;
	/** Absolute. */
	const char *cwd;
	uid_t euid;
	/** The user behind sudo, else the caller. */
	uid_t invoker;
	gid_t invoker_gid;
	const char *invoker_name;
	/** The invoker's home, or NULL. */
	const char *home;
	/** Set by SIGINT, SIGTERM, SIGHUP once they are caught. */
	volatile sig_atomic_t *stop;
};

/** Everything that a command is given. */
struct cli {
	const struct cli_args *args;
	const struct cli_world *world;
	struct br_diags *dx;
};

/** One command: one file, one descriptor. */
struct cli_command {
	const char *name;
	/** Its bit. */
	unsigned bit;
	/** "[SERVICE...]" and such. */
	const char *arguments;
	const char *summary;
	/** More for `help COMMAND`; NULL at the end. */
	const char *const *details;
	/** The exit status. Errors are left in dx for main to print. */
	int (*run)(const struct cli *cli);
};

extern const struct cli_command cmd_check;
extern const struct cli_command cmd_plan;
extern const struct cli_command cmd_fix;
extern const struct cli_command cmd_reclaim;
extern const struct cli_command cmd_undo;
extern const struct cli_command cmd_history;
extern const struct cli_command cmd_explain;
extern const struct cli_command cmd_inspect;
extern const struct cli_command cmd_id;
extern const struct cli_command cmd_codes;
extern const struct cli_command cmd_help;

/** All commands, in the order of the help; the number. */
size_t cli_commands(const struct cli_command *const **commands);

/** What an option takes. */
enum cli_takes {
	/** Sets an int to 1 (and "--no-NAME" to 0 where `negatable`). */
	CLI_FLAG,
	/** Counts in an int. */
	CLI_COUNT,
	/** A word; the last one wins. */
	CLI_WORD,
	/** A word; all are kept. */
	CLI_LIST,
};

/** One option. The table is the only place that knows them: parsing, help, completions and their
 * tests read it. */
struct cli_option {
	const char *name;
	char letter;
	enum cli_takes takes;
	bool negatable;
	/** How its word is called in the help; NULL for flags. */
	const char *word;
	/** The only words allowed, NULL at the end; or NULL. */
	const char *const *choices;
	/** The commands that have it. */
	unsigned commands;
	/** offsetof in struct cli_args. */
	size_t field;
	const char *help;
};

/** The table; the number. */
size_t cli_options(const struct cli_option **options);

/** Read the command line (argv[0] left out) into *args. 0, or -1 with errors in dx. */
int cli_parse(int argc, char *const *argv, struct cli_args *args, struct br_diags *dx);

/**
 * The words that decide what is read and planned: all but the command, and the options about how it
 * is shown, written, asked. `out` has room for argc words; their number. *first (may be NULL) is
 * the place of the first of them.
 */
size_t cli_deciding_words(const struct cli_args *args, const char **out, struct br_span *first);

/** A hint for a word that is no command, or no option ("--" left out), of ours but of other
 * programs; NULL: no word of theirs. */
const char *cli_meant_command(const char *word);
const char *cli_meant_option(const char *word);
/** Whether a run line begins with these two words (next may be NULL): of a service nobody says
 * "docker run". */
bool cli_begins_line(const char *word, const char *next);
/** Whether it is the name of an engine's client. */
bool cli_is_client(const char *word);

/** What was printed did not arrive: an error in dx. CLI_FAILED. */
int cli_lost(const struct cli *cli);
/** Help texts on standard output. */
int cli_help(const struct cli_command *command);
/** Machine-readable list of commands and options, for completions and their tests. */
int cli_list_options(void);

/** A stretch of a word, with its place; s NULL without memory. */
struct br_text cli_part(struct br_arena *arena, struct br_text word, size_t from, size_t n);
/** A host account by name or number; NULL with an error in dx where there is none. */
const struct br_host_user *cli_find_user(
	const struct cli *cli, struct br_hostdb *db, struct br_text word);
/** The pages of all finding codes as Markdown, on standard output. */
int cli_list_codes(void);

/** A saved plan, read for --plan: what it promises, and the command line that it brings. */
struct cli_saved {
	struct br_arena arena;
	const struct br_saved *promise;
	struct cli_args args;
};
/** Read the plan that --plan names; -y, -o and such are those of *cli. 0, or the exit status with
 * errors in dx. */
int cli_saved_read(const struct cli *cli, struct cli_saved *out);
/** Whether the plan that was made again, of which `left` changes and refusals are left, is what
 * was promised. 0, or the exit status with errors in dx, which tell of the run that applied it, if there
 * was one. */
int cli_saved_compare(const struct cli *cli, const struct br_saved *promise,
	const struct br_saved *now, uint64_t left);
void cli_saved_release(struct cli_saved *saved);
/** Whether the report is a plan that is to be saved: JSON into a file. */
bool cli_saves(const struct cli *cli);
/** Fill in where and by which words the plan is made. 0, or -1 with an error in dx. */
int cli_saved_origin(const struct cli *cli, struct br_arena *arena, struct br_saved *out);

/** Write a report where -o says, or to standard output. 0, or -1 with an error in dx. */
int cli_write(const struct cli *cli, const char *bytes, size_t n);
/** Whether this stream takes colour: --color, NO_COLOR, a terminal. */
bool cli_color(const struct cli *cli, int fd);
/** The style that the arguments ask for. */
struct br_report_style cli_style(const struct cli *cli);
/** A line about how far it is, on standard error: where it is wanted, what it tells (NULL: it is
 * not), and that nothing more will come. */
typedef void cli_progress(void *context, uint64_t n);
cli_progress *cli_looked(const struct cli *cli);
cli_progress *cli_changed(const struct cli *cli);
cli_progress *cli_put_back(const struct cli *cli);
void cli_progress_ends(cli_progress *progress);
/** Ask on the terminal: 1 yes, 0 no, -1 there is no terminal. */
int cli_ask(const char *question);
/** Called as a plugin of the docker command line: by this name. */
bool cli_is_plugin(const char *name);
/** Docker asks for metadata or completions: answered, with the exit status. */
bool cli_plugin_answers(int argc, char *const *argv, int *status);
/** Where our own words begin behind docker's; what docker's options say goes into the environment.
 * -1 with ENOMEM. */
int cli_plugin_start(int argc, char **argv);
/** From now on the first SIGINT, SIGTERM or SIGHUP only sets world->stop: for what changes
 * something. */
void cli_catch_signals(void);
/** Look a variable up in the world's environment; NULL where it is unset. */
const char *cli_getenv(const struct cli_world *world, const char *name);
/** The words as strings, NULL at the end; NULL (errno ENOMEM) without memory. n 0 gives NULL with
 * errno 0. */
const char *const *cli_strings(struct br_arena *arena, const struct cli_words *words);
/** Where they stand, parallel to that. NULL for none, and without memory: no places then. */
const struct br_span *cli_spans(struct br_arena *arena, const struct cli_words *words);

#endif
