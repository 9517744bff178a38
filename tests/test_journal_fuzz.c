// The fuzzer of the journal with some thousand random inputs; where a fuzzing engine runs it, it
// runs longer.

#include "fuzz/fuzz_journal.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
	INPUT = 700,
	ROUNDS = 3000,
};

/** xorshift64: the same inputs at every run. BR_SEED: others. */
static uint64_t next(uint64_t *state) {
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void test_random_inputs(void **state) {
	const char *seed = getenv("BR_SEED");
	const char *rounds = getenv("BR_ROUNDS");
	uint64_t r = 88172645463325252U + (seed != NULL ? strtoull(seed, NULL, 10) : 0);
	uint8_t bytes[INPUT];
	(void)state;
	for (unsigned long i = rounds != NULL ? strtoul(rounds, NULL, 10) : ROUNDS; i > 0; i--) {
		for (size_t k = 0; k < INPUT; k++) {
			bytes[k] = (uint8_t)(next(&r) >> 24);
		}
		bytes[0] = (uint8_t)(i % 4);
		LLVMFuzzerTestOneInput(bytes, INPUT - next(&r) % 300);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_inputs)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
