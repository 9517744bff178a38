// Killed anywhere, any call failing, out of memory: the next one goes on from there to where a whole
// one gets, and all of it is undone. (How to ask for more: support/killed.h.)

#include <base/own.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <support/failing.h>
#include <support/fault.h>
#include <support/killed.h>
#include <support/trace.h>
#include <unistd.h>

#include <cmocka.h>

// ---- Going on where one was cut short ----

/** snapshot(), but for the inode numbers of what is made. */
static char *picture(void) {
	char *seen = snapshot(g.tree);
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		char line[900];
		(void)snprintf(line, sizeof(line), "%s/%s ", g.tree, made[i].below);
		char *at = strstr(seen, line);
		if (at != NULL) {
			memset(at + strlen(line), 'N', strspn(at + strlen(line), "0123456789"));
		}
	}
	return seen;
}

/** The tree as a fix that nobody killed leaves it. */
static char *picture_after(const char *before) {
	assert_int_equal(ground_apply(&g), 0);
	char *after = picture();
	undo_wholly(before);
	return after;
}

/** Only what is not there yet. */
static void make_the_rest(void) {
	char path[900];
	for (; g.nmakes > 0; g.nmakes--, g.makes++) {
		(void)snprintf(path, sizeof(path), "%s/%s", g.tree, g.makes->below);
		if (access(path, F_OK) < 0) {
			return;
		}
	}
}

static void must_not_fail(int r, const char *what) {
	if (r < 0 || g.undone.conflicts > 0 || g.undone.failed > 0) {
		fail_msg("%s: %s: %d, %s (%s)", g.doing, what, r, g.said,
			g.undone.nexamples > 0 ? g.undone.reasons[0] : "");
	}
}

/** By all that were settled. */
static uint64_t kept;
static uint64_t restored;

/** Whatever was killed: the next one goes on to where a whole one gets, and both are undone. */
static void go_on(const char *before, const char *after) {
	size_t nmakes = g.nmakes;
	must_not_fail(ground_settle(&g), "settle");
	kept += g.undone.kept;
	restored += g.undone.restored;
	assert_int_not_equal(ground_state(&g), BR_RUN_UNFINISHED);
	make_the_rest();
	must_not_fail(ground_apply(&g), "the next fix");
	int state = ground_state(&g);
	assert_int_equal(ground_settle(&g), 0);
	assert_int_equal(ground_state(&g), state);
	g.makes = made;
	g.nmakes = nmakes;
	br_auto(br_freep) char *now = picture();
	if (strcmp(now, after) != 0) {
		print_message("%s: it was to become\n%s\nand is\n%s", g.doing, after, now);
		fail();
	}
	for (int i = 0; i < 4 && ground_undo(&g, NULL, true) > 0; i++) {
		must_not_fail(ground_undo(&g, NULL, false), "undo");
	}
	assert_snapshot(g.tree, before);
	ground_forget(&g);
}

static void go_on_from(enum doing what, long at, enum victim victim, bool *whole) {
	bool done;
	if (what == UNDO) {
		(void)run_until(FIX, 0, BOTH, &done);
	}
	(void)snprintf(g.doing, sizeof(g.doing), "%s killed at %ld (%d)", doings[what], at, victim);
	(void)run_until(what, at, victim, whole);
}

/** All places, or some of them. */
static long step(void) {
	return kills_wanted() > 0 ? 1 : 11;
}

static void test_killed_and_gone_on_often(void **state) {
	(void)state;
	bool whole;
	const int rounds = kills_wanted() > 0 ? (int)(kills_wanted() / 10) : 60;
	int killed = 0;
	needs_root();
	make_ground(true, 12);
	br_auto(br_freep) char *before = snapshot(g.tree);
	if (!can_trace()) {
		skip();
	}
	undo_wholly(before);
	br_auto(br_freep) char *after = picture_after(before);
	long n = run_until(FIX, 0, BOTH, &whole);
	long m = run_until(UNDO, 0, BOTH, &whole);
	for (int i = 0; i < rounds; i++) {
		enum doing what = pick(3) > 0 ? FIX : UNDO;
		go_on_from(what, 1 + pick((uint32_t)(what == FIX ? n : m)), pick(3), &whole);
		killed += !whole;
		for (uint32_t k = pick(3); k > 0; k--) {
			(void)run_until(SETTLE, 1 + pick((uint32_t)m), pick(3), &whole);
			killed += !whole;
		}
		go_on(before, after);
	}
	print_message("%d kills\n", killed);
	assert_true(killed > rounds / 2);
	ground_remove(&g);
}

/** The one that goes on, killed everywhere, from where so much of a fix was done. */
static void settle_killed_everywhere(const char *before, const char *after, long half) {
	bool whole = false;
	bool done;
	for (long at = 1 + (long)pick((uint32_t)step()); !whole; at += step()) {
		(void)run_until(FIX, half, BOTH, &done);
		(void)snprintf(
			g.doing, sizeof(g.doing), "settle killed at %ld, fix at %ld", at, half);
		bool cut = ground_state(&g) == BR_RUN_UNFINISHED;
		(void)run_until(SETTLE, at, (enum victim)(at % 3), &whole);
		int state = ground_state(&g);
		assert_true(!cut || state == BR_RUN_UNFINISHED || state == BR_RUN_RESUMED);
		go_on(before, after);
	}
}

static void test_killed_and_gone_on_everywhere(void **state) {
	(void)state;
	needs_root();
	make_ground(true, -1);
	g.nmakes = g.recall ? 0 : 1;
	add_special(g.tree);
	add_privileged(g.tree);
	br_auto(br_freep) char *before = snapshot(g.tree);
	if (!can_trace()) {
		skip();
	}
	undo_wholly(before);
	br_auto(br_freep) char *after = picture_after(before);
	long places[2] = {0};
	for (int what = FIX; what <= UNDO; what++) {
		bool whole = false;
		for (long at = 1 + (long)pick((uint32_t)step()); !whole; at += step()) {
			go_on_from((enum doing)what, at, (enum victim)(at % 3), &whole);
			go_on(before, after);
			places[what] = at;
		}
	}
	print_message("%ld places of fix, %ld of undo\n", places[FIX], places[UNDO]);
	for (long k = 4; k <= 7; k++) {
		settle_killed_everywhere(before, after, places[FIX] * k / 8);
	}
	assert_true(kept > 0 && restored > 0);
	ground_remove(&g);
}

// ---- Failing calls, no memory ----

/** The tree of a few inodes that change most; what it is before and after a fix. */
static void make_few(char **before, char **after) {
	make_ground(true, -1);
	g.nmakes = g.recall ? 0 : 1;
	add_special(g.tree);
	add_privileged(g.tree);
	*before = snapshot(g.tree);
	*after = picture_after(*before);
}

/** Killed while what changes several times is being changed: how many places there are. */
static long places_of_fix(void) {
	bool whole;
	long n = run_until(FIX, 0, BOTH, &whole);
	assert_true(ground_undo(&g, NULL, false) > 0);
	ground_forget(&g);
	return n;
}

static int settle_and_tell(void *context) {
	(void)context;
	int r = ground_settle(&g);
	bool told = g.said[0] != '\0';
	br_arena_release(&g.arena);
	return r >= 0 ? 0 : told ? 1 : 2;
}

/** Whatever call it is, once and for good: it ends by itself, says so, and the next one goes on. */
static void settle_failing(
	struct failing *fault, long half, const char *before, const char *after) {
	bool done;
	(void)run_until(FIX, half, BOTH, &done);
	int r = failing_run(fault, settle_and_tell, NULL);
	(void)snprintf(g.doing, sizeof(g.doing), "settle whose %s", failing_words(fault));
	if (r < 0 || r > 1) {
		fail_msg("%s: %d", g.doing, r);
	}
	go_on(before, after);
}

static void test_any_call_fails(void **state) {
	(void)state;
	static const int errors[] = {EIO, ENOSPC, EDQUOT, EINTR, ENOMEM, EPERM, EROFS};
	const long by = kills_wanted() > 0 ? 3 : 61;
	br_auto(br_freep) char *before = NULL;
	br_auto(br_freep) char *after = NULL;
	long failed = 0;
	needs_root();
	make_few(&before, &after);
	if (!can_trace() || !trace_can_fail()) {
		print_message("cannot let calls fail here\n");
		skip();
	}
	undo_wholly(before);
	long half = places_of_fix() * 3 / 4;
	for (size_t i = 0; i < 2 * sizeof(errors) / sizeof(errors[0]); i++) {
		struct failing fault = {.err = errors[i / 2], .for_good = i % 2 != 0};
		// What is interrupted is tried again.
		if (fault.err == EINTR && fault.for_good) {
			continue;
		}
		for (fault.n = 1 + (long)pick((uint32_t)by);; fault.n += by) {
			settle_failing(&fault, half, before, after);
			if (fault.seen < fault.n) {
				break;
			}
			failed++;
		}
	}
	print_message("%ld failed calls\n", failed);
	assert_true(failed > 20);
	ground_remove(&g);
}

static void test_no_memory(void **state) {
	(void)state;
	const unsigned by = kills_wanted() > 0 ? 1 : 5;
	br_auto(br_freep) char *before = NULL;
	br_auto(br_freep) char *after = NULL;
	bool hit;
	bool done;
	needs_root();
	make_few(&before, &after);
	if (!can_trace()) {
		skip();
	}
	undo_wholly(before);
	long half = places_of_fix() * 3 / 4;
	for (int how = 0; how < 2; how++) {
		unsigned n = pick(by);
		do {
			n += by;
			(void)run_until(FIX, half, BOTH, &done);
			g.fault_at = n;
			g.fault_for_good = how > 0;
			int r = ground_settle(&g);
			hit = g.fault_hit;
			g.fault_at = 0;
			(void)snprintf(
				g.doing, sizeof(g.doing), "settle whose allocation %u failed", n);
			assert_true(r >= 0 || (hit && g.said[0] != '\0'));
			go_on(before, after);
		} while (hit);
		print_message("%u allocations\n", n);
		assert_true(n > 20);
	}
	ground_remove(&g);
}

int main(void) {
	const char *only = getenv("BR_TEST");
	if (only != NULL) {
		cmocka_set_test_filter(only);
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_and_gone_on_often),
		cmocka_unit_test(test_killed_and_gone_on_everywhere),
		cmocka_unit_test(test_any_call_fails),
		cmocka_unit_test(test_no_memory),
	};
	return cmocka_run_group_tests(tests, kills_begin, kills_end);
}
