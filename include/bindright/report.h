/**
 * Everything that was found out, as text for people and as JSON for programs. Writes into memory; never prints.
 */
#ifndef BINDRIGHT_REPORT_H
#define BINDRIGHT_REPORT_H

#include <bindright/apply.h>

enum br_format {
	BR_FORMAT_TEXT,
	BR_FORMAT_JSON,
};

/** What is reported. NULL: there is none. */
struct br_report {
	const struct br_places *places;
	const struct br_spec *spec;
	const struct br_check *check;
	const struct br_plan *plan;
	const struct br_apply_result *applied;
	/** The check after a fix. */
	const struct br_check *again;
	/** "check", "plan" or "fix". */
	const char *command;
	/** "docker". */
	const char *engine;
	/** Warnings and notes of reading, shown as findings (BR001 and such) in JSON. */
	const struct br_diags *diags;
};

struct br_report_style {
	enum br_format format;
	bool color;
	/** -q: 1 less; -v: 1 more, 2 all. */
	int verbosity;
	/** Columns of the terminal; 80 where unknown. */
	unsigned columns;
};

/** The whole report. Heap, the caller frees; NULL with ENOMEM. */
char *br_report_check(
	const struct br_report *report, const struct br_report_style *style, size_t *len);
char *br_report_history(
	const struct br_run *runs, size_t n, const struct br_report_style *style, size_t *len);
/** What an undo will do (dry) or did. */
char *br_report_undo(const struct br_run *run, const struct br_undo_result *result, bool dry,
	const struct br_report_style *style, size_t *len);

#endif
