/** A fuzzer's input as a source of choices; when it is used up, everything is 0. */
#ifndef BR_TESTS_DICE_H
#define BR_TESTS_DICE_H

#include <stddef.h>
#include <stdint.h>

struct dice {
	const uint8_t *p;
	size_t n;
};

static inline unsigned roll(struct dice *dice, unsigned sides) {
	if (dice->n == 0) {
		return 0;
	}
	dice->n--;
	return *dice->p++ % sides;
}

/** Of up to four bytes, small ones more often. */
static inline uint32_t roll_number(struct dice *dice) {
	uint32_t v = 0;
	for (unsigned i = roll(dice, 5); i > 0; i--) {
		v = v << 8 | roll(dice, 256);
	}
	return v;
}

#endif
