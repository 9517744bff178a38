#include "places.h"

#include <base/shorten.h>
#include <bindright/diag.h>

#include <string.h>

enum {
	/** Columns of a source line that are shown. */
	WIDEST = 100,
	/** Columns kept before a span where a line is cut on its left. */
	BEFORE = 40,
	/** A line is not cut on its left for a span that begins before this column. */
	NO_CUT = 60,
	TAB = 8,
};

static const char cut_mark[] = "...";

/** How the parts of a message look; all empty without colour. */
struct style {
	const char *place, *severity, *hint, *off;
};

static struct style style_of(enum br_severity severity, bool color) {
	static const char *const severities[] = {
		[BR_NOTE] = "\033[1;36m",
		[BR_INFO] = "\033[1;34m",
		[BR_WARNING] = "\033[1;35m",
		[BR_ERROR] = "\033[1;31m",
	};
	if (!color) {
		return (struct style){"", "", "", ""};
	}
	return (struct style){"\033[1m", severities[severity], "\033[32m", "\033[0m"};
}

static const char *name_of(enum br_severity severity) {
	static const char *const names[] = {
		[BR_NOTE] = "note",
		[BR_INFO] = "info",
		[BR_WARNING] = "warning",
		[BR_ERROR] = "error",
	};
	return names[severity];
}

/** One line of a text and the part of it that is pointed at, all as offsets into the text. */
struct line {
	const char *bytes;
	size_t number;
	size_t start, end;
	size_t from, to;
};

static size_t clamp(size_t at, size_t low, size_t high) {
	return at < low ? low : at > high ? high : at;
}

static struct line find_line(const struct br_place *place, struct br_span at) {
	size_t off = clamp(at.off, 0, place->n);
	size_t number = br_place_line(place, off);
	size_t start = place->lines[number];
	size_t end = number + 1 < place->nlines ? place->lines[number + 1] - 1 : place->n;
	if (end > start && place->bytes[end - 1] == '\r') {
		end--;
	}
	size_t from = clamp(off, start, end);
	return (struct line){
		.bytes = place->bytes,
		.number = number,
		.start = start,
		.end = end,
		.from = from,
		// A span over several lines is underlined to the end of its first.
		.to = clamp((size_t)at.off + at.len, from, end),
	};
}

/** Append the character at `at` as a terminal shall see it: column is where it begins. Its bytes in
 * the text. */
static size_t draw_character(
	struct br_buf *out, const struct line *line, size_t at, size_t column) {
	const char *s = line->bytes + at;
	uint32_t c = 0;
	size_t len = br_utf8_next(s, line->end - at, &c);
	if (c == '\t') {
		br_buf_addf(out, "%*s", (int)(TAB - column % TAB), "");
	} else if (len && !br_is_hidden(c)) {
		br_buf_addn(out, s, len);
	} else {
		br_buf_escape(out, s, len ? len : 1);
	}
	return len ? len : 1;
}

/** Where the character begins that ends before `at`. */
static size_t step_back(const struct line *line, size_t at) {
	uint32_t c = 0;
	for (size_t len = 2; len <= 4 && at >= line->start + len; len++) {
		if (br_utf8_next(line->bytes + at - len, len, &c) == len) {
			return at - len;
		}
	}
	return at - 1;
}

/** Columns of the characters from one place to another, drawn from column 0. */
static size_t drawn_columns(const struct line *line, size_t from, size_t to) {
	struct br_buf drawn = {0};
	size_t columns = 0;
	for (size_t at = from; at < to && !drawn.failed;) {
		drawn.n = 0;
		at += draw_character(&drawn, line, at, columns);
		columns += drawn.failed ? 1 : br_columns(drawn.s, drawn.n);
	}
	br_buf_release(&drawn);
	return columns;
}

/** Where to begin to draw, so that the span is not far from the left. */
static size_t cut_left(const struct line *line) {
	size_t columns = 0;
	size_t at = line->from;
	size_t cut = at;
	while (at > line->start && columns < NO_CUT) {
		size_t before = step_back(line, at);
		columns += drawn_columns(line, before, at);
		at = before;
		cut = columns <= BEFORE ? at : cut;
	}
	return at == line->start && columns < NO_CUT ? at : cut;
}

/** The columns of the span once the line is drawn. */
struct mark {
	size_t from, to;
};

static struct mark draw_text(struct br_buf *out, const struct line *line) {
	size_t at = cut_left(line);
	size_t column = 0;
	if (at > line->start) {
		br_buf_add(out, cut_mark);
		column = sizeof(cut_mark) - 1;
	}
	struct mark mark = {column, column};
	while (at < line->end && column < WIDEST && !out->failed) {
		mark.from = at <= line->from ? column : mark.from;
		mark.to = at <= line->to ? column : mark.to;
		size_t before = out->n;
		at += draw_character(out, line, at, column);
		column += out->failed ? 0 : br_columns(out->s + before, out->n - before);
	}
	// Whatever was not passed lies at the end.
	mark.from = at <= line->from ? column : mark.from;
	mark.to = at <= line->to ? column : mark.to;
	if (at < line->end) {
		br_buf_add(out, cut_mark);
	}
	return mark;
}

static void add_repeated(struct br_buf *out, char c, size_t n) {
	for (size_t i = 0; i < n; i++) {
		br_buf_addc(out, c);
	}
}

/** The line and the caret under it. */
static void draw_line(
	struct br_buf *out, const struct br_place *place, struct br_span at, struct style style) {
	struct line line = find_line(place, at);
	br_buf_addf(out, "%5zu | ", line.number + 1);
	struct mark mark = draw_text(out, &line);
	br_buf_add(out, "\n      | ");
	add_repeated(out, ' ', mark.from);
	br_buf_add(out, style.severity);
	br_buf_addc(out, '^');
	add_repeated(out, '~', mark.to > mark.from ? mark.to - mark.from - 1 : 0);
	br_buf_add(out, style.off);
	br_buf_addc(out, '\n');
}

static void add_place(struct br_buf *out, const struct br_place *place,
	const struct br_position *position, struct style style) {
	br_buf_add(out, style.place);
	if (place->kind == BR_PLACE_ARGV) {
		br_buf_add(out, "<command line>");
	} else {
		br_buf_escape(out, position->file, strlen(position->file));
	}
	br_buf_addf(out, ":%u:%u:%s ", position->line, position->column, style.off);
}

/** One of the two parties of a message: its place, its sentence, its line. */
struct party {
	enum br_severity severity;
	struct br_span at;
	const char *message, *code;
};

static void draw_party(
	struct br_buf *out, const struct br_places *places, const struct party *party, bool color) {
	struct style style = style_of(party->severity, color);
	const struct br_place *place = br_place_get(places, party->at.text);
	struct br_position position;
	if (place && br_places_find(places, party->at, &position)) {
		add_place(out, place, &position, style);
	}
	br_buf_addf(out, "%s%s:%s ", style.severity, name_of(party->severity), style.off);
	const char *message = party->message ? party->message : "here";
	br_buf_shorten_words(out, message, strlen(message));
	if (party->code) {
		br_buf_addf(out, " [%s]", party->code);
	}
	br_buf_addc(out, '\n');
	if (place) {
		draw_line(out, place, party->at, style);
	}
}

char *br_diag_render(
	const struct br_places *places, const struct br_diag *diag, const char *who, bool color) {
	struct br_buf out = {0};
	struct style style = style_of(diag->severity, color);
	const struct party first = {diag->severity, diag->at, diag->message, diag->code};
	const struct party second = {BR_NOTE, diag->other, diag->other_message, NULL};
	if (who) {
		br_buf_addf(&out, "%s: ", who);
	}
	draw_party(&out, places, &first, color);
	if (second.at.text || second.message) {
		draw_party(&out, places, &second, color);
	}
	if (diag->hint) {
		br_buf_addf(&out, "  %shint:%s %s\n", style.hint, style.off, diag->hint);
	}
	return br_buf_take(&out);
}
