/**
 * TOML input as a flat list of assignments that know their place: what settings files of engines
 * are written in (toml.io, v1.0.0).
 *
 * Tables, dotted keys and inline tables all become one path ("containers.userns"); what is said
 * twice stands there twice, in the order of the text. Numbers and dates are words, of which nothing
 * is asked but where they end.
 */
#ifndef BR_DOC_TOML_H
#define BR_DOC_TOML_H

#include "apart.h"

enum br_toml_kind {
	BR_TOML_STRING,
	/** A number, a date, true or false: `s` is as written. */
	BR_TOML_WORD,
	BR_TOML_LIST,
};

/** One assignment. */
struct br_toml_value {
	/** Keys with dots between them; a dot within a key is one as well. */
	const char *path;
	enum br_toml_kind kind;
	/** The value's place, with its quotes or brackets. */
	struct br_span at;
	/** NULL for a list. */
	const char *s;
	/** A list's strings; other items are left out, and `others` is how many those are. */
	const struct br_text *items;
	size_t n;
	size_t others;
	/** `append=true` in a table among the items (containers.conf(5) of Podman 5). */
	bool appends;
};

struct br_toml {
	const struct br_toml_value *values;
	size_t n;
};

/** Read the text with this number (its bytes are in dx's places). 0, or -1 with an error in dx: at
 * the place where it is no TOML, or beyond the limits of doc.h. */
int br_toml_read(struct br_arena *arena, uint16_t text, struct br_toml *out, struct br_diags *dx);
/** The same for several texts, in a confined child (apart.h) unless none of them says anything;
 * `out` has room for n. -1 at the first that is no TOML. */
int br_toml_read_apart(struct br_arena *arena, const uint16_t *texts, size_t n, struct br_toml *out,
	struct br_diags *dx);
/** The two halves of that: what runs in the child (context is a question), and what takes its
 * answer apart: 0, or -1 where that is none. */
struct br_toml_question {
	const uint16_t *texts;
	size_t n;
};
br_apart_reader br_toml_answer;
int br_toml_take(struct br_arena *arena, struct wire *in, const struct br_places *places,
	struct br_toml *out, size_t n);

/** The last value of a path; NULL where there is none. */
const struct br_toml_value *br_toml_get(const struct br_toml *toml, const char *path);

#endif
