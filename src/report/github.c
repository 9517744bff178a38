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

static void begin(struct br_buf *out, const struct br_report *report, enum br_severity severity,
	struct br_span at) {
	struct br_position position;
	br_buf_addf(out, "::%s ", level_name(severity));
	// A place on standard input or on a command line is nothing that a change shows.
	if (br_places_find(report->places, at, &position) && strcmp(position.file, "-") != 0
		&& position.file[0] != '<') {
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
	begin(out, report, finding->severity, finding->at);
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
			begin(&out, report, diag->severity, diag->at);
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
