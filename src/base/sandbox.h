/**
 * A confined child for what reads hostile bytes: it computes, and can do nothing else. Its answer
 * comes back as bytes, which the caller must validate: whoever took the child over may answer
 * anything.
 */
#ifndef BR_BASE_SANDBOX_H
#define BR_BASE_SANDBOX_H

#include <base/text.h>

#include <stdbool.h>
#include <stddef.h>

enum {
	/** The largest answer, in bytes. */
	BR_CONFINE_ANSWER = 16 << 20,
	/** The most inputs. */
	BR_CONFINE_INPUTS = 256,
	/** Processor time and time on the clock, unless asked otherwise, in seconds. */
	BR_CONFINE_SECONDS = 5,
	/** Memory beyond what the caller has already, in bytes. */
	BR_CONFINE_MEMORY = 256 << 20,
};

/**
 * What runs in the child. `in` are the inputs in the order given, under new numbers; they can be
 * read and nothing else can be opened. The answer goes to `out`. 0, or the errno value that
 * br_confine_run shall fail with. What it needs from files (locales, names) must have been loaded
 * before: a call that opens, connects or executes ends the child.
 */
typedef int br_confined(void *context, const int *in, struct br_buf *out);

/** One run. */
struct br_confine {
	br_confined *run;
	/** Handed to run; the child has a copy of all memory, so nothing that it writes comes back.
	 */
	void *context;
	/** Open descriptors that it may read; stay open here. */
	const int *in;
	size_t nin;
	/** Processor time and time on the clock; 0 is BR_CONFINE_SECONDS. */
	unsigned seconds;
	/**
	 * Set to whether the child was confined and went on to `run`, or NULL. What fails before
	 * that is this machine's doing; what fails after it may be the doing of what was read,
	 * whatever errno says.
	 */
	bool *started;
};

/**
 * Fork a child with no new privileges, no capabilities, as nobody in an empty root if this is root,
 * resource limits, a Landlock ruleset that allows nothing, a seccomp list of system calls that
 * compute, and no descriptors but its inputs; run it; wait for its end. Where the kernel has no
 * Landlock the rest has to do; without seccomp it fails. Builds with sanitizers, which need more,
 * leave out seccomp and the limits of memory. Not while other threads run; the caller does not
 * ignore SIGCHLD.
 *
 * 0 with the answer (heap, a NUL behind it, the caller frees) and its length; -1 with errno: what
 * `run` answered, ETIMEDOUT, EFBIG (answer too large), EINTR (somebody ended it by SIGINT, SIGTERM
 * or SIGHUP), EPROTO (it was killed, or what came is no answer), or why it could not be started.
 */
int br_confine_run(const struct br_confine *confine, char **bytes, size_t *n);

#endif
