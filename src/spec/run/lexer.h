/** What shell.c and expand.c share: a text being taken apart into commands. */
#ifndef BR_SPEC_LEXER_H
#define BR_SPEC_LEXER_H

#include "run.h"

struct br_lexer {
	struct br_run *run;
	struct br_chars in;
	size_t i;
	unsigned depth;
	br_vec(struct br_word) words;
	/** The word under way. */
	struct br_builder b;
	size_t from;
	bool quoted;
	/** It is a list without words, which is no word even in quotes. */
	bool vanishes;
	const struct br_hole *hole;
	const char *environment;
	size_t assigns;
	/** Blanks in a value do not split: an assignment. */
	bool whole;
	/** Here-documents that begin with the next line: their last lines. */
	br_vec(struct br_chars) documents;
};

/** What is done with a value. */
int br_lexer_value(
	struct br_lexer *l, const struct br_value_of *value, struct br_chars what, bool quoted);
/** The `$…` or `…` at l->i, which moves behind it. */
int br_lexer_dollar(struct br_lexer *l, bool quoted);
int br_lexer_backquote(struct br_lexer *l, bool quoted);
/** All of a part of the text, as if it stood here. */
int br_lexer_range(struct br_lexer *l, struct br_chars range, bool quoted);
/** End the word under way, if there is one. */
int br_lexer_end_word(struct br_lexer *l);
int br_lexer_add(struct br_lexer *l, char c, struct br_mark at);

#endif
