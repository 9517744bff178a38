#include "reading.h"

#include "compose/compose.h"

#include <base/own.h>

#include <errno.h>
#include <string.h>
#include <time.h>

enum {
	/** Children at most; each answers at least one new question, and asks all that it can
	 * foresee. */
	ROUNDS = 600,
	/** All of them together, on the clock. */
	SECONDS = 20,
};

static const struct br_span nowhere = {0};

struct br_spec *br_read_here(const struct br_spec_request *request, struct br_diags *dx) {
	br_auto(br_store_release) struct br_file_store store = {
		.stdin_fd = request->stdin_fd, .trusted = request->uid, .edit = request->edit};
	return br_read_with(request, &store, dx);
}

int br_read_child(void *context, const int *in, struct br_buf *out) {
	const struct br_reading *reading = context;
	(void)in;
	reading->store->closed = true;
	struct br_spec *spec = br_read_with(reading->request, reading->store, reading->dx);
	if (reading->store->waits) {
		br_wire_put_questions(reading->store, out);
	} else {
		br_wire_put_result(spec, reading->dx, reading->base, out);
	}
	br_spec_free(spec);
	return 0;
}

static int64_t now(void) {
	struct timespec time = {0};
	(void)clock_gettime(CLOCK_MONOTONIC, &time); // cannot fail: the clock is there
	return time.tv_sec;
}

/** What people call the file that was read, if it was only one. */
static const char *only_file(const struct br_reading *reading) {
	const char *path = NULL;
	for (size_t i = 0; i < reading->store->files.n; i++) {
		const struct br_file *file = reading->store->files.v[i];
		bool has_text = file->bytes && file->n;
		if (has_text && path) {
			return NULL;
		}
		path = has_text ? file->question.path : path;
	}
	size_t n = strlen(reading->request->cwd);
	bool is_below =
		path && n > 1 && strncmp(path, reading->request->cwd, n) == 0 && path[n] == '/';
	return is_below ? path + n + 1 : path;
}

/** The child was confined, and did not come to its end. */
static int say_why(const struct br_reading *reading, int error) {
	struct br_diags *dx = reading->dx;
	const char *path = only_file(reading);
	const char *quote = path ? "'" : "";
	path = path ? path : "one of the files";
	switch (error) {
	case ENOMEM:
		return br_error_memory(dx);
	case EINTR:
		return br_error(
			dx, nowhere, "interrupted while %s%s%s was read", quote, path, quote);
	case EFBIG:
		return br_error(dx, nowhere,
			"the project is too large: what it says takes more than %d MiB",
			BR_CONFINE_ANSWER >> 20);
	case ETIMEDOUT:
		return br_error(dx, nowhere,
			"%s%s%s could not be read: it takes the reader too long", quote, path,
			quote);
	default:
		return br_error(dx, nowhere,
			"%s%s%s could not be read safely: it makes the reader crash", quote, path,
			quote);
	}
}

/** There is no confined child on this machine. */
static struct br_spec *read_unconfined(const struct br_reading *reading, int error) {
	if (geteuid() == 0) {
		br_note(reading->dx, nowhere, "input read without confinement: %s",
			br_compose_why(error));
	}
	return br_read_with(reading->request, reading->store, reading->dx);
}

static int answer_all(const struct br_reading *reading) {
	struct br_file_store *store = reading->store;
	for (size_t i = 0; i < store->needs.n; i++) {
		const struct br_question *need = &store->needs.v[i];
		if (br_store_answer(store, need->ask, need->path)) {
			return errno == ENOMEM
				? br_error_memory(reading->dx)
				: br_error(reading->dx, nowhere,
					"the project has too many files, or too large ones");
		}
	}
	store->needs.n = 0;
	br_store_tell(store);
	return 0;
}

/** Who may have written what the spec was made from. */
static struct br_spec *with_authors(
	struct br_spec *spec, const struct br_file_store *store, struct br_diags *dx) {
	struct br_authors *authors = spec ? BR_NEW(spec->arena, struct br_authors) : NULL;
	if (spec && !authors) {
		(void)br_error_memory(dx);
		br_spec_free(spec);
		return NULL;
	}
	if (spec) {
		br_authors_join(authors, &store->authors);
		br_authors_join(authors, &store->later);
		spec->authors = authors;
	}
	return spec;
}

/** The children, one after the other. `here`: whether the first one could not be had, with errno. */
static struct br_spec *run_children(
	const struct br_reading *reading, struct br_confine *confine, bool *here) {
	int64_t end = now() + SECONDS;
	for (unsigned i = 0; i < ROUNDS && now() < end; i++) {
		br_auto(br_freep) char *bytes = NULL;
		size_t n = 0;
		confine->seconds = (unsigned)(end - now());
		if (br_confine_run(confine, &bytes, &n)) {
			// A later child that cannot be had may be the first one's doing.
			*here = i == 0 && !*confine->started;
			if (!*here) {
				(void)say_why(reading, errno);
			}
			return NULL;
		}
		if (!br_wire_is_questions(bytes, n)) {
			return br_wire_take_result(bytes, n, reading->dx);
		}
		if (br_wire_take_questions(bytes, n, reading->store, reading->dx)
			|| answer_all(reading)) {
			return NULL;
		}
	}
	(void)say_why(reading, ETIMEDOUT);
	return NULL;
}

struct br_spec *br_read_confined(
	const struct br_spec_request *request, br_confined *run, struct br_diags *dx) {
	br_auto(br_store_release) struct br_file_store store = {
		.stdin_fd = request->stdin_fd, .trusted = request->uid, .edit = request->edit};
	struct br_reading reading = {request, &store, dx, br_wire_base(dx)};
	bool started = false;
	struct br_confine confine = {.run = run, .context = &reading, .started = &started};
	if (!request->nline && br_compose_preload(request, &store)) {
		(void)br_error_memory(dx);
		return NULL;
	}
	br_store_tell(&store);
	bool here = false;
	struct br_spec *spec = run_children(&reading, &confine, &here);
	return with_authors(here ? read_unconfined(&reading, errno) : spec, &store, dx);
}
