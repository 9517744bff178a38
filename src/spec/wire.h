/**
 * What the confined reader hands over, as bytes: little-endian, one field after the other, nothing
 * that points.
 *
 *   questions   magic "BRq1", count, {ask, path} each
 *   result      magic "BRr1", new texts {name, bytes}, new messages, whether there is a spec, the
 * spec
 *
 * Whoever took the reader over can send anything. So the decoder believes nothing: each count,
 * string, place, enum value and limit is checked before it is used, and nothing enters the caller's
 * lists before all of it was found good.
 */
#ifndef BR_SPEC_WIRE_H
#define BR_SPEC_WIRE_H

#include "store.h"

#include <base/text.h>
#include <bindright/spec.h>

/** An empty spec with an arena of its own; NULL with ENOMEM. */
struct br_spec *br_spec_new(void);

/** How much the caller's lists held before the reading began; only what is new is sent. */
struct br_wire_base {
	size_t texts, messages;
};

struct br_wire_base br_wire_base(const struct br_diags *dx);

/** Append a result. spec NULL: refused, and the messages of dx say why. What fails is out->failed. */
void br_wire_put_result(const struct br_spec *spec, const struct br_diags *dx,
	struct br_wire_base base, struct br_buf *out);
/**
 * Take a result apart. dx must hold what it held when the base was taken. The spec, in an arena of
 * its own, with the new texts and messages in dx; or NULL with them (there is an error among them),
 * or with one error where the bytes are no valid result.
 */
struct br_spec *br_wire_take_result(const char *bytes, size_t n, struct br_diags *dx);

/** Append what the store needs. */
void br_wire_put_questions(const struct br_file_store *store, struct br_buf *out);
bool br_wire_is_questions(const char *bytes, size_t n);
/** Take questions apart into the store's needs (there are none before), each well-formed and new to
 * the store. 0, or -1 with one error. */
int br_wire_take_questions(
	const char *bytes, size_t n, struct br_file_store *store, struct br_diags *dx);

#endif
