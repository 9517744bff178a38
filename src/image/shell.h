/**
 * A shell line of a Dockerfile on its way: shell.c takes it apart, shell_commands.c knows what its
 * commands are. Private to these two.
 */
#ifndef BR_IMAGE_SHELL_H
#define BR_IMAGE_SHELL_H

#include "dockerfile.h"

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

/** Whether a word stands in a list that ends with NULL. */
bool shell_is_any(const char *word, const char *const *list);
/** Whether passwd or group is named in it. */
bool shell_names_account_file(const char *s);
/** Of a variable's name. */
bool shell_is_name_char(char c, bool first);
/** The words from this one on are a command's: see what it makes. 0 or -1. */
int shell_run_command(struct shell *sh, size_t at);
/** The words so far are a command, or variables: see what it makes. 0 or -1. */
int shell_end_command(struct shell *sh);

#endif
