/**
 * A container's user word, "USER:GROUP", taken apart as Docker takes it.
 */
#ifndef BR_IDENTITY_USER_WORD_H
#define BR_IDENTITY_USER_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The largest ID that the engine takes: 2^31 - 1 (moby/sys/user, maxID). */
#define BR_BOX_ID_MAX INT32_MAX

/** What one half of the word is. */
enum br_half_kind {
	/** Nothing stands there, or only a colon does: the engine's default. */
	BR_HALF_EMPTY,
	/** A number that is an ID. */
	BR_HALF_NUMBER,
	/** A number below 0 or above BR_BOX_ID_MAX: the engine refuses it. */
	BR_HALF_RANGE,
	/** Anything else is a name, for the image to know; a number with more than 64 bits is one,
	 * too. */
	BR_HALF_NAME,
};

/** One half: n bytes at s, which need not end with a NUL. */
struct br_half {
	const char *s;
	size_t n;
	enum br_half_kind kind;
	uint32_t id;
};

struct br_user_word {
	struct br_half user;
	struct br_half group;
	/** The word with a second colon: what it and all behind it, which the engine ignores,
	 * begins at; or NULL. */
	const char *ignored;
	/** There is a colon. */
	bool colon;
};

/** Judge n bytes as the engine does: base 10, one sign and leading zeros are allowed (Go's
 * strconv.Atoi). */
struct br_half br_half_read(const char *s, size_t n);
/** Take a word apart; it never fails (moby/sys/user, GetExecUser). */
struct br_user_word br_user_word_read(const char *s);

#endif
