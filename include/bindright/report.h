/**
 * Everything that was found out, as text for people and as JSON for programs. Writes into memory;
 * never prints.
 */
#ifndef BINDRIGHT_REPORT_H
#define BINDRIGHT_REPORT_H

#include <bindright/apply.h>
#include <bindright/explain.h>

enum br_format {
	BR_FORMAT_TEXT,
	BR_FORMAT_JSON,
	/** The same facts, an object a line: the input, each finding, the summary. */
	BR_FORMAT_NDJSON,
	/** SARIF 2.1.0 (OASIS), for code scanning. */
	BR_FORMAT_SARIF,
	/** Workflow commands of GitHub Actions, which mark lines of a change. */
	BR_FORMAT_GITHUB,
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
	/** Words beside the command decided about it: what the text suggests needs them too. */
	bool worded;
	/** "docker". */
	const char *engine;
	/** Warnings and notes of reading, shown as findings (BR001 and such) in JSON. */
	const struct br_diags *diags;
	/** The plan's promise: written into the report (JSON), which is sealed then. */
	const struct br_saved *saved;
};

struct br_report_style {
	enum br_format format;
	bool color;
	/** -q: 1 less; -v: 1 more, 2 all. */
	int verbosity;
	/** Columns of the terminal; 80 where unknown. */
	unsigned columns;
};

/** An explanation, and where the question came from (NULL where the words asked for a path). */
struct br_explain_report {
	const struct br_explanation *explanation;
	const struct br_places *places;
	const struct br_identity *identity;
	const struct br_mount *mount;
	const char *container_path;
};

/** What was understood of an input. */
struct br_inspect_report {
	const struct br_places *places;
	const struct br_spec *spec;
	const struct br_identity *identities;
	const char *engine;
	/** With the place of every value. */
	bool origins;
};

/** The whole report. Heap, the caller frees; NULL with ENOMEM. */
char *br_report_check(
	const struct br_report *report, const struct br_report_style *style, size_t *len);
/** Where there is no report because of errors: those that stand in a file, and warnings with a code,
 * as annotations of GitHub Actions; empty where there are none. Heap, the caller frees; NULL with ENOMEM. */
char *br_report_errors(const struct br_diags *dx, size_t *len);
/** Text and JSON only. */
char *br_report_explain(
	const struct br_explain_report *report, const struct br_report_style *style, size_t *len);
char *br_report_inspect(
	const struct br_inspect_report *report, const struct br_report_style *style, size_t *len);
enum {
	/** Room for a time. */
	BR_REPORT_WHEN = 32,
};

/** A time (seconds since 1970) as history shows it: "2026-11-22 00:42:00Z". */
void br_report_when(int64_t when, char out[BR_REPORT_WHEN]);
char *br_report_history(
	const struct br_run *runs, size_t n, const struct br_report_style *style, size_t *len);
/** What an undo will do (dry) or did; `run` NULL: there was nothing to undo, which text leaves to
 * the caller. */
char *br_report_undo(const struct br_run *run, const struct br_undo_result *result, bool dry,
	const struct br_report_style *style, size_t *len);

#endif
