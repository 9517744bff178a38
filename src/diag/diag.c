#include "places.h"

#include <base/mem.h>
#include <base/own.h>
#include <base/text.h>
#include <bindright/diag.h>

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct br_places *br_places_new(void) {
	struct br_places *places = calloc(1, sizeof(*places));
	if (!places) {
		errno = ENOMEM;
	}
	return places;
}

void br_places_free(struct br_places *places) {
	if (places) {
		br_arena_release(&places->arena);
		free(places);
	}
}

void br_places_freep(struct br_places **places) {
	br_places_free(*places);
	*places = NULL;
}

/** Note where each line begins. */
static int index_lines(struct br_arena *arena, struct br_place *place) {
	size_t n = 1;
	for (size_t i = 0; i < place->n; i++) {
		n += place->bytes[i] == '\n';
	}
	uint32_t *lines = BR_NEW_ARRAY(arena, uint32_t, n);
	if (!lines) {
		return -1;
	}
	if (place->n >= 3 && !memcmp(place->bytes, "\xef\xbb\xbf", 3)) {
		lines[0] = 3; // a byte order mark is no part of the first line
	}
	size_t line = 1;
	for (size_t i = 0; i < place->n; i++) {
		if (place->bytes[i] == '\n') {
			lines[line++] = (uint32_t)(i + 1);
		}
	}
	place->lines = lines;
	place->nlines = n;
	return 0;
}

int br_places_add(struct br_places *places, enum br_place_kind kind, const char *name,
	const char *bytes, size_t n) {
	if (places->all.n >= UINT16_MAX || n >= UINT32_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	struct br_place place = {
		.kind = kind,
		.name = br_strdup(&places->arena, name),
		.bytes = br_strndup(&places->arena, bytes, n),
		.n = n,
	};
	if (!place.name || !place.bytes || index_lines(&places->arena, &place)
		|| br_vec_push(&places->arena, &places->all, place)) {
		errno = ENOMEM;
		return -1;
	}
	return (int)places->all.n;
}

size_t br_places_count(const struct br_places *places) {
	return places->all.n;
}

const struct br_place *br_place_get(const struct br_places *places, uint16_t text) {
	return text && text <= places->all.n ? &places->all.v[text - 1] : NULL;
}

const char *br_places_bytes(const struct br_places *places, uint16_t text, size_t *n) {
	const struct br_place *place = br_place_get(places, text);
	*n = place ? place->n : 0;
	return place ? place->bytes : NULL;
}

const char *br_places_name(const struct br_places *places, uint16_t text) {
	const struct br_place *place = br_place_get(places, text);
	return place ? place->name : NULL;
}

size_t br_place_line(const struct br_place *place, size_t off) {
	size_t low = 0;
	size_t high = place->nlines;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (place->lines[middle] <= off) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return low;
}

/** Characters in n bytes; a byte that belongs to none counts as one. */
static uint32_t count_characters(const char *s, size_t n) {
	uint32_t count = 0;
	size_t len = 0;
	for (size_t i = 0; i < n; i += len) {
		uint32_t c = 0;
		len = br_utf8_next(s + i, n - i, &c);
		len = len ? len : 1;
		count++;
	}
	return count;
}

bool br_places_find(const struct br_places *places, struct br_span at, struct br_position *out) {
	const struct br_place *place = br_place_get(places, at.text);
	if (!place) {
		return false;
	}
	size_t off = at.off < place->n ? at.off : place->n;
	size_t line = br_place_line(place, off);
	size_t start = place->lines[line];
	off = off < start ? start : off; // within a byte order mark
	*out = (struct br_position){
		.file = place->name,
		.line = (uint32_t)(line + 1),
		.column = count_characters(place->bytes + start, off - start) + 1,
	};
	return true;
}

struct br_diags {
	struct br_arena arena;
	struct br_places *places;
	br_vec(struct br_diag *) all;
	size_t nerrors;
	/** What br_hint, br_other and br_code add to; NULL where the last message was lost. */
	struct br_diag *last;
	/** A message was lost: the list ends with the error that says so. */
	bool lost;
};

static const struct br_diag out_of_memory = {.severity = BR_ERROR, .message = "out of memory"};

struct br_diags *br_diags_new(struct br_places *places) {
	struct br_diags *dx = calloc(1, sizeof(*dx));
	if (!dx) {
		errno = ENOMEM;
		return NULL;
	}
	dx->places = places;
	return dx;
}

void br_diags_free(struct br_diags *dx) {
	if (dx) {
		br_arena_release(&dx->arena);
		free(dx);
	}
}

void br_diags_freep(struct br_diags **dx) {
	br_diags_free(*dx);
	*dx = NULL;
}

struct br_places *br_diags_places(const struct br_diags *dx) {
	return dx->places;
}

size_t br_diags_count(const struct br_diags *dx) {
	return dx->all.n + dx->lost;
}

size_t br_diags_errors(const struct br_diags *dx) {
	return dx->nerrors + dx->lost;
}

const struct br_diag *br_diags_get(const struct br_diags *dx, size_t i) {
	if (i < dx->all.n) {
		return dx->all.v[i];
	}
	return dx->lost && i == dx->all.n ? &out_of_memory : NULL;
}

/** A formatted message with everything in it that is no plain text escaped; NULL with ENOMEM. */
static char *format_message(struct br_arena *arena, const char *format, va_list args)
	BR_PRINTF(2, 0);

static char *format_message(struct br_arena *arena, const char *format, va_list args) {
	char *raw = NULL;
	if (vasprintf(&raw, format, args) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	char *out = br_escape(arena, raw);
	free(raw);
	return out;
}

/** Add a message; one that cannot be kept leaves `lost` behind. */
static void add(
	struct br_diags *dx, enum br_severity severity, struct br_span at, const char *message) {
	struct br_diag *diag = message ? BR_NEW(&dx->arena, struct br_diag) : NULL;
	if (!diag || br_vec_push(&dx->arena, &dx->all, diag)) {
		dx->lost = true;
		dx->last = NULL;
		return;
	}
	*diag = (struct br_diag){.severity = severity, .at = at, .message = message};
	dx->last = diag;
	dx->nerrors += severity == BR_ERROR;
}

int br_error(struct br_diags *dx, struct br_span at, const char *format, ...) {
	va_list args;
	va_start(args, format);
	add(dx, BR_ERROR, at, format_message(&dx->arena, format, args));
	va_end(args);
	return -1;
}

void br_warning(struct br_diags *dx, struct br_span at, const char *format, ...) {
	va_list args;
	va_start(args, format);
	add(dx, BR_WARNING, at, format_message(&dx->arena, format, args));
	va_end(args);
}

void br_note(struct br_diags *dx, struct br_span at, const char *format, ...) {
	va_list args;
	va_start(args, format);
	add(dx, BR_NOTE, at, format_message(&dx->arena, format, args));
	va_end(args);
}

int br_error_memory(struct br_diags *dx) {
	dx->lost = true;
	dx->last = NULL;
	return -1;
}

static bool is_shown_as_is(const char *s) {
	return !s || !br_has_hidden(s, strlen(s));
}

int br_diags_add(struct br_diags *dx, const struct br_diag *diag) {
	if (!diag->message || !is_shown_as_is(diag->message) || !is_shown_as_is(diag->hint)
		|| !is_shown_as_is(diag->other_message) || !is_shown_as_is(diag->code)) {
		errno = EINVAL;
		return -1;
	}
	add(dx, diag->severity, diag->at, br_strdup(&dx->arena, diag->message));
	if (!dx->last) {
		errno = ENOMEM;
		return -1;
	}
	dx->last->other = diag->other;
	dx->last->code = br_strdup(&dx->arena, diag->code);
	dx->last->other_message = br_strdup(&dx->arena, diag->other_message);
	dx->last->hint = br_strdup(&dx->arena, diag->hint);
	bool complete = !dx->last->code == !diag->code && !dx->last->hint == !diag->hint
		&& !dx->last->other_message == !diag->other_message;
	dx->lost = dx->lost || !complete;
	errno = ENOMEM;
	return complete ? 0 : -1;
}

void br_hint(struct br_diags *dx, const char *format, ...) {
	if (!dx->last) {
		return;
	}
	va_list args;
	va_start(args, format);
	dx->last->hint = format_message(&dx->arena, format, args);
	va_end(args);
	dx->lost = dx->lost || !dx->last->hint;
}

void br_other(struct br_diags *dx, struct br_span at, const char *format, ...) {
	if (!dx->last) {
		return;
	}
	va_list args;
	va_start(args, format);
	dx->last->other_message = format_message(&dx->arena, format, args);
	va_end(args);
	dx->last->other = at;
	dx->lost = dx->lost || !dx->last->other_message;
}

void br_code(struct br_diags *dx, const char *code) {
	if (dx->last) {
		dx->last->code = code;
	}
}
