#include <base/own.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <support/killed.h>
#include <support/trace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

struct ground g;
/** Done so far. */
static long kills;
static long kills_of[3];
static uint32_t seed;

/** How many kills are wanted (BR_KILLS); 0: the few of every day. */
long kills_wanted(void) {
	const char *text = getenv("BR_KILLS");
	return text != NULL ? strtol(text, NULL, 10) : 0;
}

/** BR_SEED names another sequence of random numbers. */
int kills_begin(void **state) {
	const char *text = getenv("BR_SEED");
	(void)state;
	seed = text != NULL ? (uint32_t)strtoul(text, NULL, 10) : 1;
	print_message("seed %u\n", seed);
	return 0;
}

int kills_end(void **state) {
	(void)state;
	print_message("%ld of both, %ld of the one that works, %ld of the one that watches\n",
		kills_of[BOTH], kills_of[WORKER], kills_of[WATCHER]);
	print_message("%ld kills in all\n", kills);
	return 0;
}

uint32_t pick(uint32_t n) {
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

struct br_make made[2] = {
	{.below = "new", .after = {.mode = S_IFDIR | 02755, .uid = {BOX_ID}, .gid = {OTHER_ID}}},
	{.below = "new/er", .after = {.mode = S_IFDIR | 0700, .uid = {BOX_ID}, .gid = {BOX_ID}}},
};

void make_ground(bool in_memory, int n) {
	ground_make_at(&g, in_memory);
	g.jail = jail_wanted();
	if (n >= 0) {
		ground_fill(&g, n);
	}
	g.decide = decide_mixed;
	g.makes = made;
	// What is made was not seen.
	g.nmakes = g.recall ? 0 : 2;
}

const char *const doings[] = {"fix", "undo", "settle"};

void killed_work(enum doing what) {
	int r = what == FIX    ? ground_apply(&g)
		: what == UNDO ? ground_undo(&g, NULL, false)
			       : ground_settle(&g);
	_exit(r < 0);
}

/** When it is killed, and who. */
struct death {
	long at;
	enum victim victim;
	/** The first is the one that watches; the other one, as soon as it was seen. */
	pid_t first, other;
	bool whole;
	bool first_lives;
};

void count_kill(enum victim victim) {
	kills++;
	kills_of[victim]++;
}

static enum trace_choice choose_death(void *context, const struct trace_stop *stop, int *err) {
	struct death *death = context;
	(void)err;
	death->other = stop->pid != death->first ? stop->pid : death->other;
	if (stop->count != death->at) {
		return TRACE_GO;
	}
	death->whole = false;
	if (death->victim == BOTH || death->other == 0) {
		count_kill(BOTH);
		death->first_lives = false;
		return TRACE_KILL;
	}
	// The other one goes on, as long as it may; the one that works may have ended already.
	death->first_lives = death->victim == WORKER;
	if (kill(death->first_lives ? death->other : death->first, SIGKILL) == 0) {
		count_kill(death->victim);
	}
	return TRACE_GO;
}

/**
 * Run it and kill it, or a part of it, when its main threads have begun or ended so many system
 * calls (0: never). How many there were; -1 where tracing is not allowed. *whole: it came to its
 * end.
 */
long run_until(enum doing what, long n, enum victim victim, bool *whole) {
	struct death death = {.at = n, .whole = true, .victim = victim, .first_lives = true};
	int status = 0;
	pid_t pid = trace_fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		killed_work(what);
	}
	death.first = pid;
	long stops = trace_run(pid, choose_death, &death, &status);
	*whole = death.whole;
	// Whoever watches one that is killed ends by itself, and says how it went.
	if (stops >= 0 && death.first_lives
		&& (!WIFEXITED(status) || WEXITSTATUS(status) > (*whole ? 0 : 1))) {
		fail_msg("%s, not killed at %ld: status %x", doings[what], n, status);
	}
	return stops;
}

void undo_wholly(const char *before) {
	ground_undo_wholly(&g, before);
}

/** The same where what was seen before is gone through. */
void recalling(void (*test)(void **state), void **state) {
	assert_int_equal(setenv("BR_RECALL", "1", 1), 0);
	test(state);
	assert_int_equal(unsetenv("BR_RECALL"), 0);
}

bool can_trace(void) {
	bool whole;
	if (run_until(FIX, 0, BOTH, &whole) >= 0) {
		return true;
	}
	ground_remove(&g);
	print_message("needs ptrace\n");
	return false;
}

/** The few inodes that change most. */
void add_special(const char *tree) {
	unsigned char blob[64];
	char path[900];
	(void)snprintf(path, sizeof(path), "%s/dir", tree);
	assert_int_equal(mkdir(path, 0), 0);
	assert_int_equal(chown(path, HOST_ID, HOST_ID), 0);
	assert_int_equal(chmod(path, 03757), 0);
	size_t n = acl_blob(0707, OTHER_ID, 7, blob);
	assert_int_equal(setxattr(path, "system.posix_acl_access", blob, n, 0), 0);
}

/** One that may do more than others, whose contents count. */
void add_privileged(const char *tree) {
	char path[900];
	(void)snprintf(path, sizeof(path), "%s/program", tree);
	br_auto(br_closep) int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
	assert_int_equal(fchown(fd, HOST_ID, HOST_ID), 0);
	assert_int_equal(fchmod(fd, 04755), 0);
}
