/**
 * libFuzzer: what the process that makes the changes says to us, were it anybody's. The first byte
 * chooses whether we require the jail; then come messages of any kind, in any order, of texts with
 * lengths that may be wrong.
 */
// The file itself, for what it keeps to itself.
#include <apply/apart.c>
#include <support/dice.h>
#include <support/promises.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum {
	MESSAGES = 32,
	TARGETS = 3,
};

static void serve(void *context, unsigned what, uint64_t which, struct br_served *out) {
	unsigned *asked = context;
	(*asked)++;
	*out = (struct br_served){.r = (int)(what & 1), .err = (int)(which & 127)};
}

/** Texts of so many bytes, each with its NUL, or nearly so. */
static void say(struct dice *dice, int fd) {
	struct message m = {.kind = roll(dice, 8), .value = (int32_t)roll_number(dice)};
	unsigned wrong = roll(dice, 8);
	m.which = roll_number(dice);
	m.first = 1 + roll(dice, 64);
	m.second = 1 + roll(dice, 64);
	memset(m.text, 'x', m.first + m.second);
	m.text[m.first - 1] = wrong == 1 ? 'x' : '\0';
	m.text[m.first + m.second - 1] = wrong == 2 ? 'x' : '\0';
	size_t n = offsetof(struct message, text) + m.first + m.second;
	m.first = wrong == 3 ? roll_number(dice) : m.first;
	m.second = wrong == 4 ? roll_number(dice) : wrong == 5 ? (uint32_t)-m.first : m.second;
	n = wrong == 6 ? roll(dice, (unsigned)n) : n;
	// Where the other one has no more room, he has enough to read.
	(void)send(fd, &m, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void check(const struct watch *w, const struct br_apply_result *result, bool stuck) {
	struct br_diags *dx = w->apart->dx;
	size_t hung = TARGETS;
	enum br_apart_end end = judge(w, stuck, &hung);
	promise(hung < TARGETS && result->nexamples <= BR_EXAMPLES);
	promise(end != BR_APART_ENDED || (w->begun && w->r >= -1));
	promise(end != BR_APART_REFUSED || (br_diags_errors(dx) > 0 && !w->begun));
	for (size_t i = 0; i < result->nexamples; i++) {
		promise(strlen(result->examples[i]) < MESSAGE);
		promise(strlen(result->reasons[i]) < MESSAGE);
	}
	if (br_diags_errors(dx) > 0) {
		promise_all(NULL, dx);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct dice dice = {bytes, n};
	struct br_arena arena = {0};
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_board *board = br_board_new();
	struct br_apply_result result = {0};
	struct br_apply_options options = {
		.jail = roll(&dice, 2) != 0 ? BR_JAIL_REQUIRE : BR_JAIL_TRY};
	unsigned asked = 0;
	struct br_target *targets[TARGETS] = {0};
	struct br_apart apart = {.serve = serve,
		.context = &asked,
		.board = board,
		.options = &options,
		.targets = targets,
		.ntargets = TARGETS,
		.arena = &arena,
		.dx = dx,
		.here = {result.examples, result.reasons, &result.nexamples}};
	int ends[2];
	promise(dx != NULL && board != NULL
		&& socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	struct watch w = {.apart = &apart, .fd = ends[0], .since = now_ms(), .looked = now_ms()};
	w.asks = roll_number(&dice);
	atomic_store(&board->asks, w.asks);
	for (unsigned i = 0; i < MESSAGES && dice.n > 0; i++) {
		say(&dice, ends[1]);
	}
	promise(shutdown(ends[1], SHUT_WR) == 0);
	bool stuck = !attend(&w);
	promise(asked <= MESSAGES);
	check(&w, &result, stuck || roll(&dice, 2) != 0);
	promise(close(ends[0]) == 0 && close(ends[1]) == 0);
	br_board_free(board);
	br_diags_free(dx);
	br_places_free(places);
	br_arena_release(&arena);
	return 0;
}
