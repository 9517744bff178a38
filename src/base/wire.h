/** Numbers and strings in the answer of a confined child (sandbox.h), and taking them out again
 * without believing them. */
#ifndef BR_BASE_WIRE_H
#define BR_BASE_WIRE_H

#include "text.h"

#include <string.h>

static inline void wire_put_number(struct br_buf *out, uint32_t n) {
	br_buf_addn(out, (const char *)&n, sizeof(n));
}

static inline void wire_put(struct br_buf *out, const char *s, size_t n) {
	wire_put_number(out, (uint32_t)n);
	br_buf_addn(out, s, n);
}

static inline void wire_put_string(struct br_buf *out, const char *s) {
	wire_put(out, s, strlen(s));
}

/** What is left to take; `failed` once something was not there. */
struct wire {
	const char *s;
	size_t n;
	bool failed;
};

static inline const char *wire_take_bytes(struct wire *in, size_t n) {
	const char *s = in->s;
	if (in->failed || n > in->n) {
		in->failed = true;
		return NULL;
	}
	in->s += n;
	in->n -= n;
	return s;
}

/** At most `most`. */
static inline uint32_t wire_take_number(struct wire *in, uint32_t most) {
	uint32_t n = 0;
	const char *s = wire_take_bytes(in, sizeof(n));
	if (s) {
		memcpy(&n, s, sizeof(n));
	}
	in->failed = in->failed || n > most;
	return in->failed ? 0 : n;
}

static inline const char *wire_take(struct wire *in, size_t *n) {
	*n = wire_take_number(in, UINT32_MAX);
	return wire_take_bytes(in, *n);
}

/** A string without zero bytes, copied; NULL where it is none or there is no memory. */
static inline const char *wire_take_string(struct wire *in, struct br_arena *arena) {
	size_t n = 0;
	const char *s = wire_take(in, &n);
	in->failed = in->failed || memchr(s, 0, n);
	const char *copy = in->failed ? NULL : br_strndup(arena, s, n);
	in->failed = in->failed || !copy;
	return copy;
}

#endif
