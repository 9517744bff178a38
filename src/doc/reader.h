/**
 * What the parts of the YAML reader share. Private to doc/.
 */
#ifndef BR_DOC_READER_H
#define BR_DOC_READER_H

#include "doc.h"

struct fy_diag;

/** The bytes that are parsed, and the number that spans into them carry. */
struct doc_text {
	const char *s;
	size_t n;
	uint16_t number;
};

/** A span of a text; what would reach beyond its end is cut off. */
struct br_span doc_span(const struct doc_text *text, size_t off, size_t len);

/** The span of a quoted scalar; libfyaml's mark of it is without the quotes. */
struct br_span doc_with_quotes(const struct doc_text *text, struct br_span at);

/**
 * Get the text with this number ready for the parser: UTF-8 of allowed characters within the size
 * limit, and nothing in it that the parser takes long for. UTF-16 becomes a text of its own in the
 * table of places. 0, or -1 with one error.
 */
int doc_prepare(uint16_t number, struct doc_text *out, struct br_diags *dx);

/** Say as one error what the parser complained about. `open` is the flow collection that is open,
 * or {0}. Always -1. */
int doc_explain(struct fy_diag *diag, const struct doc_text *text, struct br_span open,
	struct br_diags *dx);

#endif
