/**
 * Texts that others may have written, made sense of by a confined child (base/sandbox.h): whoever
 * takes the reader over has a process that can do nothing, and an answer that is not believed.
 */
#ifndef BR_DOC_APART_H
#define BR_DOC_APART_H

#include <base/wire.h>
#include <bindright/diag.h>

/** Reads texts that are in dx's places, wherever it runs; what it found goes to `out`. 0, or -1
 * with an error in dx. */
typedef int br_apart_reader(void *context, struct br_diags *dx, struct br_buf *out);

/** What is to be read, by whom. */
struct br_apart {
	br_apart_reader *read;
	/** Handed to read; nothing that it writes there comes back. */
	void *context;
	/** For messages: the file, if it is only one; else NULL. */
	const char *path;
};

/**
 * Read in a confined child; where none can be had, here, and as root a note says so. Not while
 * other threads run; the caller does not ignore SIGCHLD. 0 with the answer in *bytes (heap, the
 * caller frees; anybody may have written it); -1 with an error in dx: the reader's own, or that it
 * did not come to its end.
 */
int br_apart_read(const struct br_apart *apart, struct br_diags *dx, char **bytes, size_t *n);

/** The error for an answer that is none; -1. */
int br_apart_refuse(const struct br_apart *apart, struct br_diags *dx);

/** A place in an answer, and back: one outside of the texts fails. */
void br_apart_put_span(struct br_buf *out, struct br_span at);
struct br_span br_apart_take_span(struct wire *in, const struct br_places *places);

#endif
