/** An object a line: the input, each finding, what was planned and applied, the summary. */
#include "report_impl.h"

#include <doc/json.h>

#include <stdlib.h>

static struct br_json *begin(struct br_buf *out, const char *type) {
	struct br_json *json = br_json_new();
	if (json) {
		br_json_string(json, "type", type);
	} else {
		out->failed = true;
	}
	return json;
}

static void end(struct br_buf *out, struct br_json *json) {
	size_t n;
	char *line = br_json_take(json, true, &n);
	if (line) {
		br_buf_addn(out, line, n);
	} else {
		out->failed = true;
	}
	free(line);
	br_json_free(json);
}

static void add_head(struct br_buf *out, const struct br_report *report) {
	struct br_json *json = begin(out, "input");
	if (json) {
		json_head(json, report);
		end(out, json);
	}
}

static size_t add_findings(struct br_buf *out, const struct br_report *report) {
	const struct br_check *check = last_check(report);
	size_t coded = 0;
	for (size_t i = 0; report->diags && i < br_diags_count(report->diags); i++) {
		const struct br_diag *diag = br_diags_get(report->diags, i);
		struct br_json *json = diag->code ? begin(out, "finding") : NULL;
		if (json) {
			json_diag(json, diag, report->places);
			end(out, json);
		}
		coded += diag->code != NULL;
	}
	for (size_t i = 0; i < check->nfindings; i++) {
		struct br_json *json = begin(out, "finding");
		if (json) {
			json_finding(json, &check->findings[i], report->places);
			end(out, json);
		}
	}
	return coded;
}

static void add_plan(struct br_buf *out, const struct br_report *report) {
	struct br_json *json = report->plan ? begin(out, "plan") : NULL;
	if (json) {
		json_plan(json, report, false);
		end(out, json);
	}
}

static void add_summary(struct br_buf *out, const struct br_report *report, size_t coded) {
	struct br_json *json = begin(out, "summary");
	if (json) {
		json_applied(json, report->applied);
		br_json_bool(json, "complete", last_check(report)->complete);
		json_summary(json, report, coded);
		end(out, json);
	}
}

char *ndjson_report(const struct br_report *report, size_t *len) {
	struct br_buf out = {0};
	add_head(&out, report);
	size_t coded = add_findings(&out, report);
	add_plan(&out, report);
	add_summary(&out, report, coded);
	*len = out.n;
	return br_buf_take(&out);
}
