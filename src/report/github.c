/**
 * Workflow commands of GitHub Actions, a line a finding:
 * "::error file=compose.yaml,line=7,col=9,title=BR101::message".
 * Source: docs.github.com, "Workflow commands"; the escapes are those of actions/toolkit.
 */
#include "report_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_escaped(struct br_buf *out, const char *s, bool property) {
	struct br_arena arena = {0};
	// The log is read on a terminal, too.
	const char *shown = br_escape(&arena, s);
	out->failed |= !shown;
	for (; shown && *shown; shown++) {
		bool special = *shown == '%' || *shown == '\r' || *shown == '\n'
			|| (property && (*shown == ':' || *shown == ','));
		if (special) {
			br_buf_addf(out, "%%%02X", (unsigned)*shown);
		} else {
			br_buf_addc(out, *shown);
		}
	}
	br_arena_release(&arena);
}

/** Levels that it knows. */
static const char *level_name(enum br_severity severity) {
	return severity == BR_ERROR ? "error" : severity == BR_WARNING ? "warning" : "notice";
}

/** A place on standard input or on a command line is nothing that a change shows. */
static bool find_in_file(
	const struct br_places *places, struct br_span at, struct br_position *out) {
	return br_places_find(places, at, out) && strcmp(out->file, "-") != 0
		&& out->file[0] != '<';
}

static void begin(struct br_buf *out, const struct br_places *places, enum br_severity severity,
	struct br_span at) {
	struct br_position position;
	br_buf_addf(out, "::%s ", level_name(severity));
	if (find_in_file(places, at, &position)) {
		br_buf_add(out, "file=");
		add_escaped(out, position.file, true);
		br_buf_addf(out, ",line=%u,col=%u,", position.line, position.column);
	}
	br_buf_add(out, "title=");
}

static void add_finding(
	struct br_buf *out, const struct br_report *report, const struct br_finding *finding) {
	char code[16];
	(void)snprintf(code, sizeof(code), "BR%03u", finding->code);
	begin(out, report->places, finding->severity, finding->at);
	br_buf_addf(out, "%s::", code);
	add_escaped(out, finding->message, false);
	if (finding->because) {
		br_buf_add(out, "%0Abecause ");
		add_escaped(out, finding->because, false);
	}
	if (finding->advice) {
		br_buf_add(out, "%0Atry: ");
		add_escaped(out, finding->advice, false);
	}
	br_buf_add(out, "\n");
}

char *github_report(const struct br_report *report, size_t *len) {
	const struct br_check *check = last_check(report);
	struct br_buf out = {0};
	for (size_t i = 0; report->diags && i < br_diags_count(report->diags); i++) {
		const struct br_diag *diag = br_diags_get(report->diags, i);
		if (diag->code) {
			begin(&out, report->places, diag->severity, diag->at);
			br_buf_addf(&out, "%s::", diag->code);
			add_escaped(&out, diag->message, false);
			br_buf_add(&out, "\n");
		}
	}
	for (size_t i = 0; i < check->nfindings; i++) {
		if (!check->findings[i].ignored) {
			add_finding(&out, report, &check->findings[i]);
		}
	}
	br_buf_add(&out, "");
	*len = out.n;
	char *s = br_buf_take(&out);
	return s ? s : calloc(1, 1);
}

static void add_diag(
	struct br_buf *out, const struct br_places *places, const struct br_diag *diag) {
	struct br_position other;
	begin(out, places, diag->severity, diag->at);
	br_buf_addf(out, "%s::", diag->code ? diag->code : "bindright");
	add_escaped(out, diag->message, false);
	if (diag->other_message && br_places_find(places, diag->other, &other)) {
		br_buf_add(out, "%0A");
		add_escaped(out, other.file, false);
		br_buf_addf(out, ":%u:%u: ", other.line, other.column);
		add_escaped(out, diag->other_message, false);
	}
	if (diag->hint) {
		br_buf_add(out, "%0Ahint: ");
		add_escaped(out, diag->hint, false);
	}
	br_buf_add(out, "\n");
}

char *br_report_errors(const struct br_diags *dx, size_t *len) {
	const struct br_places *places = br_diags_places(dx);
	struct br_buf out = {0};
	struct br_position position;
	for (size_t i = 0; i < br_diags_count(dx); i++) {
		const struct br_diag *diag = br_diags_get(dx, i);
		bool wanted = diag->severity == BR_ERROR || diag->code;
		if (wanted && find_in_file(places, diag->at, &position)) {
			add_diag(&out, places, diag);
		}
	}
	br_buf_add(&out, "");
	*len = out.n;
	return br_buf_take(&out);
}
