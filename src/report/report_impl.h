/** Shared by the files of report/. */
#ifndef BR_REPORT_REPORT_IMPL_H
#define BR_REPORT_REPORT_IMPL_H

#include <base/text.h>
#include <bindright/report.h>

/** A text report under construction. */
struct pen {
	struct br_buf buf;
	const struct br_report_style *style;
};

enum ink {
	INK_PLAIN,
	INK_BOLD,
	INK_DIM,
	INK_RED,
	INK_YELLOW,
	INK_BLUE,
	INK_GREEN,
};

/** Colour on and off; nothing without colour. */
void pen_ink(struct pen *pen, enum ink ink);
/** Our own words, as they are. */
void pen_say(struct pen *pen, const char *format, ...) BR_PRINTF(2, 3);
/** One name from outside, escaped; a long one loses its middle. */
void pen_quote(struct pen *pen, const char *s);
/** A sentence with names from outside in it: as pen_quote has each of them. */
void pen_words(struct pen *pen, const char *words);
/** A paragraph of words from outside: `lead` behind what stands on the line, then the words,
 * wrapped to the terminal; further lines start at `indent`. Long names lose their middle. */
void pen_wrap(struct pen *pen, const char *lead, size_t indent, const char *words);
/** pen_wrap of what is there to be typed or pasted: nothing is left out. */
void pen_wrap_whole(struct pen *pen, const char *lead, size_t indent, const char *words);
/** A command that can be typed as it stands: neither escaped nor wrapped. One with a hidden
 * character is words from outside. */
void pen_command(struct pen *pen, const char *lead, size_t indent, const char *command);
/** "7:9" after the file's name, which stays whole, since editors go there; nothing where there is
 * no place. */
void pen_place(struct pen *pen, const struct br_places *places, struct br_span at);
/** The text: heap, or NULL with ENOMEM. */
char *pen_take(struct pen *pen, size_t *len);

/** "1 error", "2 errors". */
void pen_count(struct pen *pen, uint64_t n, const char *one, const char *many);

const char *severity_name(enum br_severity severity);
const char *state_name(enum br_source_state state);
const char *confidence_name(enum br_confidence confidence);
const char *reason_name(enum br_left_reason reason);
const char *strategy_name(enum br_strategy strategy);

/** The check that the report ends with: the one after a fix, if there is one. */
const struct br_check *last_check(const struct br_report *report);

void text_plan(struct pen *pen, const struct br_report *report);
/** What was done in one line, for -q. */
void text_changed(struct pen *pen, const struct br_report *report);
void text_applied(struct pen *pen, const struct br_report *report);
char *text_report(const struct br_report *report, const struct br_report_style *style, size_t *len);
char *json_report(const struct br_report *report, size_t *len);
char *ndjson_report(const struct br_report *report, size_t *len);
char *sarif_report(const struct br_report *report, size_t *len);
char *github_report(const struct br_report *report, size_t *len);

struct br_json;
/** A string from outside: escaped for people where it is not UTF-8. */
void json_words(struct br_json *json, const char *key, const char *s);
void json_place(
	struct br_json *json, const char *key, const struct br_places *places, struct br_span at);
void json_capabilities(struct br_json *json, uint64_t caps);
/** The one who uses the data; where the image starts as root and drops, both. */
void json_identities(
	struct br_json *json, const struct br_identity *first, const struct br_places *places);
void json_input(struct br_json *json, const struct br_spec *spec, const char *engine);
/** Schema, tool, command, input. */
void json_head(struct br_json *json, const struct br_report *report);
/** The members of one finding, and of a warning of reading that has a code. */
void json_finding(
	struct br_json *json, const struct br_finding *finding, const struct br_places *places);
void json_diag(struct br_json *json, const struct br_diag *diag, const struct br_places *places);
/** `coded`: how many warnings of reading have a code. */
void json_summary(struct br_json *json, const struct br_report *report, size_t coded);
void json_applied(struct br_json *json, const struct br_apply_result *applied);
void json_examples(struct br_json *json, const char *const *examples, size_t n);
/** Why, of each of the examples before. */
void json_reasons(struct br_json *json, const char *const *reasons, size_t n);
/** `saved`: with the plan's promise. */
void json_plan(struct br_json *json, const struct br_report *report, bool saved);

#endif
