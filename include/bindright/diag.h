/**
 * Messages that point at characters.
 *
 * Every text that a user wrote (a compose file, an .env file, the command line) is entered into one
 * table of places; a span is a stretch of one of them. A failure is -1 (or NULL) plus one error in
 * the list; the library never prints. Nothing here is for two threads at once.
 */
#ifndef BINDRIGHT_DIAG_H
#define BINDRIGHT_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A stretch of a text. {0} is "no place". */
struct br_span {
	/** Number in the table of places; 0 is none. */
	uint16_t text;
	/** First byte. */
	uint32_t off;
	/** Bytes; 0 points between two. */
	uint32_t len;
};

/** A word and where it stood. s is NULL where the word is absent. */
struct br_text {
	const char *s;
	struct br_span at;
};

/** The texts that spans point into. */
struct br_places;

/** What a text is. */
enum br_place_kind {
	/** A file (or standard input, named "-"). */
	BR_PLACE_FILE,
	/** The words of a command line, joined by single blanks; shown as <command line>. */
	BR_PLACE_ARGV,
};

/** Where a span begins, counted from 1; columns count characters, not bytes. */
struct br_position {
	/** The name of the text as given to br_places_add. Owned by the table. */
	const char *file;
	uint32_t line;
	uint32_t column;
};

/** NULL with ENOMEM. */
struct br_places *br_places_new(void);
void br_places_free(struct br_places *places);
void br_places_freep(struct br_places **places);
/** Enter a text (name and bytes are copied). Its number, at least 1; -1 with ENOMEM, or EOVERFLOW
 * past 65,535 texts or 4 GiB. */
int br_places_add(struct br_places *places, enum br_place_kind kind, const char *name,
	const char *bytes, size_t n);
/** How many texts there are; they are numbered 1 to that. */
size_t br_places_count(const struct br_places *places);
/** The bytes of a text; NULL for a number that is none. */
const char *br_places_bytes(const struct br_places *places, uint16_t text, size_t *n);
/** The name of a text; NULL for a number that is none. */
const char *br_places_name(const struct br_places *places, uint16_t text);
/** Where a span begins; false where it is no place. */
bool br_places_find(const struct br_places *places, struct br_span at, struct br_position *out);

enum br_severity {
	BR_NOTE,
	BR_INFO,
	BR_WARNING,
	BR_ERROR,
};

/** One message. All strings are owned by the list. */
struct br_diag {
	enum br_severity severity;
	/** A finding code such as "BR001", or NULL. */
	const char *code;
	struct br_span at;
	/** One sentence, lower case, no full stop; user text inside is already escaped. */
	const char *message;
	/** A second place (the other party of a conflict), or {0}, and what it is. */
	struct br_span other;
	const char *other_message;
	/** What to do, or NULL. */
	const char *hint;
};

/** A list of messages. */
struct br_diags;

/** `places` is borrowed and outlives the list. NULL with ENOMEM. */
struct br_diags *br_diags_new(struct br_places *places);
void br_diags_free(struct br_diags *dx);
void br_diags_freep(struct br_diags **dx);
struct br_places *br_diags_places(const struct br_diags *dx);
size_t br_diags_count(const struct br_diags *dx);
/** How many of them are errors. */
size_t br_diags_errors(const struct br_diags *dx);
const struct br_diag *br_diags_get(const struct br_diags *dx, size_t i);

/**
 * Add a message. Strings from outside go through %s and are escaped by the list as a whole (control
 * bytes never reach a terminal). A list that has no memory left keeps a fixed "out of memory" error
 * instead. br_error always answers -1.
 */
int br_error(struct br_diags *dx, struct br_span at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void br_warning(struct br_diags *dx, struct br_span at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void br_note(struct br_diags *dx, struct br_span at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** The error for a failed allocation; -1. */
int br_error_memory(struct br_diags *dx);

/**
 * Add a message that another list made, in another process maybe. Its strings are copied as they
 * are. 0; -1 with EINVAL (and nothing added) where one holds what no list lets through, -1 with
 * ENOMEM as for all messages.
 */
int br_diags_add(struct br_diags *dx, const struct br_diag *diag);

/** Add to the last message: a hint, the other party of a conflict, a finding code (a constant
 * string, kept as it is). */
void br_hint(struct br_diags *dx, const char *format, ...) __attribute__((format(printf, 2, 3)));
void br_other(struct br_diags *dx, struct br_span at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void br_code(struct br_diags *dx, const char *code);

/**
 * How a message looks: "FILE:LINE:COLUMN: error: …", the line with a caret and tildes under the
 * span (tabs and wide characters keep their columns; a long line is cut round the span), the other
 * place likewise, "  hint: …". `who` (as "bindright") stands before it. Heap, the caller frees;
 * NULL with ENOMEM.
 */
char *br_diag_render(
	const struct br_places *places, const struct br_diag *diag, const char *who, bool color);

#endif
