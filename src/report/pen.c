#include "report_impl.h"

#include <base/shorten.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void pen_ink(struct pen *pen, enum ink ink) {
	static const char *const codes[] = {"0", "1", "2", "1;31", "1;33", "34", "1;32"};
	if (pen->style->color) {
		br_buf_addf(&pen->buf, "\033[%sm", codes[ink]);
	}
}

void pen_say(struct pen *pen, const char *format, ...) {
	struct br_arena arena = {0};
	va_list args;
	va_start(args, format);
	char *s = br_vprintf(&arena, format, args);
	va_end(args);
	if (s) {
		br_buf_add(&pen->buf, s);
	} else {
		pen->buf.failed = true;
	}
	br_arena_release(&arena);
}

void pen_quote(struct pen *pen, const char *s) {
	br_buf_name(&pen->buf, s);
}

/** Words from outside, escaped; in a sentence the names are shortened. */
static char *ready(struct br_arena *arena, const char *words, bool sentence) {
	struct br_buf shown = {0};
	char *s = br_escape(arena, words);
	if (!s || !sentence) {
		return s;
	}
	br_buf_shorten_words(&shown, s, strlen(s));
	s = br_buf_take(&shown);
	char *out = s ? br_strdup(arena, s) : NULL;
	free(s);
	return out;
}

void pen_words(struct pen *pen, const char *words) {
	struct br_arena arena = {0};
	char *s = ready(&arena, words, true);
	br_buf_add(&pen->buf, s ? s : "");
	pen->buf.failed |= !s;
	br_arena_release(&arena);
}

static void pad(struct pen *pen, size_t n) {
	for (size_t i = 0; i < n; i++) {
		br_buf_addc(&pen->buf, ' ');
	}
}

/** Columns of the line that is being written; colours take none. */
static size_t columns_so_far(const struct pen *pen) {
	const char *s = pen->buf.s;
	size_t at = pen->buf.n;
	size_t columns = 0;
	while (at > 0 && s[at - 1] != '\n') {
		at--;
	}
	while (at < pen->buf.n) {
		size_t n = 0;
		if (s[at] == '\033') {
			while (at + n < pen->buf.n && s[at + n] != 'm') {
				n++;
			}
			at += n + 1;
			continue;
		}
		while (at + n < pen->buf.n && s[at + n] != '\033') {
			n++;
		}
		columns += br_columns(s + at, n);
		at += n;
	}
	return columns;
}

/** A paragraph of what is ready to be shown; NULL is no memory. */
static void wrap(struct pen *pen, const char *lead, size_t indent, const char *s) {
	// Where there is no room for two words the terminal had better break the lines.
	size_t room = pen->style->columns >= indent + 20 ? pen->style->columns - indent : 20;
	br_buf_add(&pen->buf, lead);
	pen->buf.failed |= !s;
	size_t before = columns_so_far(pen);
	size_t used = before > indent ? before - indent : 0;
	bool first = true;
	for (size_t at = 0; s && s[at];) {
		size_t n = strcspn(s + at, " ");
		size_t columns = br_columns(s + at, n);
		if (!first && used + 1 + columns > room) {
			br_buf_addc(&pen->buf, '\n');
			pad(pen, indent);
			used = 0;
		} else if (!first) {
			br_buf_addc(&pen->buf, ' ');
			used++;
		}
		first = false;
		br_buf_addn(&pen->buf, s + at, n);
		used += columns;
		at += n + (s[at + n] == ' ');
	}
	br_buf_addc(&pen->buf, '\n');
}

void pen_wrap(struct pen *pen, const char *lead, size_t indent, const char *words) {
	struct br_arena arena = {0};
	wrap(pen, lead, indent, ready(&arena, words, true));
	br_arena_release(&arena);
}

void pen_wrap_whole(struct pen *pen, const char *lead, size_t indent, const char *words) {
	struct br_arena arena = {0};
	wrap(pen, lead, indent, ready(&arena, words, false));
	br_arena_release(&arena);
}

void pen_command(struct pen *pen, const char *lead, size_t indent, const char *command) {
	if (br_has_hidden(command, strlen(command))) {
		pen_wrap_whole(pen, lead, indent, command);
		return;
	}
	br_buf_add(&pen->buf, lead);
	br_buf_add(&pen->buf, command);
	br_buf_addc(&pen->buf, '\n');
}

void pen_place(struct pen *pen, const struct br_places *places, struct br_span at) {
	struct br_position position;
	if (br_places_find(places, at, &position)) {
		br_buf_escape(&pen->buf, position.file, strlen(position.file));
		pen_say(pen, ":%u:%u", position.line, position.column);
	}
}

void pen_count(struct pen *pen, uint64_t n, const char *one, const char *many) {
	pen_say(pen, "%" PRIu64 " %s", n, n == 1 ? one : many);
}

char *pen_take(struct pen *pen, size_t *len) {
	br_buf_add(&pen->buf, "");
	*len = pen->buf.n;
	char *s = br_buf_take(&pen->buf);
	return s ? s : calloc(1, 1);
}

const char *severity_name(enum br_severity severity) {
	switch (severity) {
	case BR_NOTE:
		return "note";
	case BR_INFO:
		return "info";
	case BR_WARNING:
		return "warning";
	case BR_ERROR:
		return "error";
	}
	return "?";
}

const char *state_name(enum br_source_state state) {
	switch (state) {
	case BR_SOURCE_PRESENT:
		return "present";
	case BR_SOURCE_MISSING:
		return "missing";
	case BR_SOURCE_DANGLING:
		return "dangling";
	case BR_SOURCE_NOT_A_DIRECTORY:
		return "wrong-type";
	case BR_SOURCE_UNREACHABLE:
		return "unreachable";
	}
	return "?";
}

const char *confidence_name(enum br_confidence confidence) {
	switch (confidence) {
	case BR_UNKNOWN:
		return "unknown";
	case BR_ASSUMED:
		return "assumed";
	case BR_DERIVED:
		return "derived";
	case BR_CERTAIN:
		return "certain";
	}
	return "?";
}

const char *reason_name(enum br_left_reason reason) {
	switch (reason) {
	case BR_LEFT_OWNER:
		return "owner";
	case BR_LEFT_LINKS:
		return "links";
	case BR_LEFT_ROOT_PRIVATE:
		return "root-private";
	case BR_LEFT_PRIVILEGED:
		return "privileged";
	case BR_LEFT_PRIVATE_NAME:
		return "private-name";
	case BR_LEFT_PROTECTED:
		return "protected";
	case BR_LEFT_SPECIAL:
		return "special";
	case BR_LEFT_MOUNT_POINT:
		return "mount-point";
	case BR_LEFT_NO_EXACT_STATE:
		return "no-exact-state";
	case BR_LEFT_UNSEEN:
		return "unseen";
	case BR_LEFT_NOT_PERMITTED:
		return "not-permitted";
	case BR_LEFT_OTHER_MOUNT:
		return "other-mount";
	case BR_LEFT_BEHIND:
		return "behind";
	case BR_LEFT_SEALED:
		return "sealed";
	case BR_LEFT_STICKY:
		return "sticky";
	}
	return "?";
}

const char *strategy_name(enum br_strategy strategy) {
	switch (strategy) {
	case BR_STRATEGY_AUTO:
		return "auto";
	case BR_STRATEGY_ACL:
		return "acl";
	case BR_STRATEGY_CHOWN:
		return "chown";
	case BR_STRATEGY_GROUP:
		return "group";
	}
	return "?";
}

const struct br_check *last_check(const struct br_report *report) {
	return report->again ? report->again : report->check;
}

char *br_report_check(
	const struct br_report *report, const struct br_report_style *style, size_t *len) {
	switch (style->format) {
	case BR_FORMAT_TEXT:
		return text_report(report, style, len);
	case BR_FORMAT_JSON:
		return json_report(report, len);
	case BR_FORMAT_NDJSON:
		return ndjson_report(report, len);
	case BR_FORMAT_SARIF:
		return sarif_report(report, len);
	case BR_FORMAT_GITHUB:
		return github_report(report, len);
	}
	return NULL;
}
