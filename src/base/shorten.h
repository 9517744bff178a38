/**
 * Long names in text for people: they lose their middle. For text only, never for what a program
 * reads or a person pastes.
 */
#ifndef BR_BASE_SHORTEN_H
#define BR_BASE_SHORTEN_H

#include <base/text.h>

enum {
	/** Columns of the longest name that is shown whole. */
	BR_LONGEST_NAME = 300,
	/** Columns of the longest sentence, whatever names it is made of. */
	BR_LONGEST_SENTENCE = 1500,
};

/**
 * Append one name that br_buf_escape has made ready. Of more than BR_LONGEST_NAME columns both ends
 * stay, with `\{1234-bytes-left-out}` between them (bytes as they were before they were escaped),
 * so that the whole has no more than that. No name can hold such a mark: a backslash of its own
 * comes out doubled. Neither a character nor an escape is cut in two. A character that takes no
 * column counts as one here: a thousand accents are long, too.
 */
void br_buf_shorten(struct br_buf *buf, const char *shown, size_t n);

/**
 * Append an escaped sentence with names in it, each of them shortened: what has no blank in it, or
 * stands in '...'. A sentence that is longer than BR_LONGEST_SENTENCE even so (a name with blanks
 * need not stand in quotes) loses its own middle in the same way.
 */
void br_buf_shorten_words(struct br_buf *buf, const char *shown, size_t n);

/** Append one name, any bytes: escaped, then shortened. */
void br_buf_name(struct br_buf *buf, const char *s);

#endif
