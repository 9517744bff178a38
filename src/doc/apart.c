#include "apart.h"

#include <base/input.h>
#include <base/own.h>
#include <base/sandbox.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/** What an answer begins with. */
enum letter {
	FOUND = 'F',
	/** Messages follow. */
	SAID = 'S',
};

enum {
	MOST_MESSAGES = 1000,
};

static const struct br_span nowhere = {0};

struct job {
	const struct br_apart *apart;
	struct br_diags *dx;
};

void br_apart_put_span(struct br_buf *out, struct br_span at) {
	wire_put_number(out, at.text);
	wire_put_number(out, at.off);
	wire_put_number(out, at.len);
}

struct br_span br_apart_take_span(struct wire *in, const struct br_places *places) {
	size_t n = 0;
	uint32_t text = wire_take_number(in, UINT16_MAX);
	uint32_t off = wire_take_number(in, UINT32_MAX);
	uint32_t len = wire_take_number(in, UINT32_MAX);
	bool is_known = text == 0 || br_places_bytes(places, (uint16_t)text, &n);
	in->failed = in->failed || !is_known || off > n || len > n - off;
	return in->failed ? nowhere
			  : (struct br_span){.text = (uint16_t)text, .off = off, .len = len};
}

// ---- in the child ----

static void put_messages(const struct br_diags *dx, size_t from, struct br_buf *out) {
	br_buf_addc(out, SAID);
	wire_put_number(out, (uint32_t)(br_diags_count(dx) - from));
	for (size_t i = from; i < br_diags_count(dx); i++) {
		const struct br_diag *diag = br_diags_get(dx, i);
		wire_put_number(out, diag->severity);
		br_apart_put_span(out, diag->at);
		wire_put_string(out, diag->message);
		wire_put_number(out, diag->hint != NULL);
		wire_put_string(out, diag->hint ? diag->hint : "");
	}
}

static int run_in_child(void *context, const int *in, struct br_buf *out) {
	const struct job *job = context;
	size_t from = br_diags_count(job->dx);
	(void)in; // it has what it reads in its memory
	br_buf_addc(out, FOUND);
	if (job->apart->read(job->apart->context, job->dx, out)) {
		out->n = 0;
		put_messages(job->dx, from, out);
	}
	return out->failed ? ENOMEM : 0;
}

// ---- here ----

/** "'FILE' could not be read: …". */
static int say(const struct br_apart *apart, struct br_diags *dx, const char *why) {
	const char *quote = apart->path ? "'" : "";
	return br_error(dx, nowhere, "%s%s%s could not be read%s", quote,
		apart->path ? apart->path : "one of the settings files", quote, why);
}

int br_apart_refuse(const struct br_apart *apart, struct br_diags *dx) {
	return say(apart, dx, " safely: it makes the reader crash");
}

static int say_why(const struct br_apart *apart, int error, struct br_diags *dx) {
	switch (error) {
	case ENOMEM:
		return br_error_memory(dx);
	case EINTR:
		return say(apart, dx, ": interrupted");
	case EFBIG:
		return say(apart, dx, ": it says too much");
	case ETIMEDOUT:
		return say(apart, dx, ": it takes the reader too long");
	default:
		return br_apart_refuse(apart, dx);
	}
}

static int take_message(struct wire *in, struct br_arena *arena, struct br_diags *dx) {
	struct br_diag diag = {.severity = (enum br_severity)wire_take_number(in, BR_ERROR)};
	diag.at = br_apart_take_span(in, br_diags_places(dx));
	diag.message = wire_take_string(in, arena);
	bool has_hint = wire_take_number(in, 1) != 0;
	const char *hint = wire_take_string(in, arena);
	diag.hint = has_hint ? hint : NULL;
	in->failed = in->failed || br_diags_add(dx, &diag);
	return in->failed ? -1 : 0;
}

/** What it says is why there is no answer, so there is an error at the end, whatever it says. */
static int take_messages(struct wire *in, const struct br_apart *apart, struct br_diags *dx) {
	struct br_arena arena = {0};
	size_t errors = br_diags_errors(dx);
	uint32_t n = wire_take_number(in, MOST_MESSAGES);
	for (uint32_t i = 0; i < n && !in->failed; i++) {
		(void)take_message(in, &arena, dx); // in->failed
	}
	br_arena_release(&arena);
	return br_diags_errors(dx) > errors ? -1 : br_apart_refuse(apart, dx);
}

static int read_here(
	const struct br_apart *apart, struct br_diags *dx, int error, char **bytes, size_t *n) {
	struct br_buf out = {0};
	if (geteuid() == 0) {
		br_note(dx, nowhere, "settings read without confinement: %s", br_input_why(error));
	}
	if (apart->read(apart->context, dx, &out)) {
		br_buf_release(&out);
		return -1;
	}
	*n = out.n;
	*bytes = br_buf_take(&out);
	return *bytes ? 0 : br_error_memory(dx);
}

int br_apart_read(const struct br_apart *apart, struct br_diags *dx, char **bytes, size_t *n) {
	struct job job = {apart, dx};
	bool started = false;
	const struct br_confine confine = {
		.run = run_in_child, .context = &job, .started = &started};
	br_auto(br_freep) char *answer = NULL;
	size_t length = 0;
	*bytes = NULL;
	*n = 0;
	if (br_confine_run(&confine, &answer, &length)) {
		return started ? say_why(apart, errno, dx) : read_here(apart, dx, errno, bytes, n);
	}
	struct wire in = {.s = answer, .n = length};
	const char *letter = wire_take_bytes(&in, 1);
	if (letter && *letter == SAID) {
		return take_messages(&in, apart, dx);
	}
	if (!letter || *letter != FOUND) {
		return br_apart_refuse(apart, dx);
	}
	*bytes = malloc(in.n + 1);
	if (!*bytes) {
		return br_error_memory(dx);
	}
	memcpy(*bytes, in.s, in.n);
	*n = in.n;
	return 0;
}
