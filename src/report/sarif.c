/** SARIF 2.1.0 (OASIS standard): a rule a code, a result a finding. */
#include "report_impl.h"

#include <base/own.h>
#include <doc/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] =
	"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

static const char *level_name(enum br_severity severity) {
	return severity == BR_ERROR ? "error" : severity == BR_WARNING ? "warning" : "note";
}

static void json_message(struct br_json *json, const char *key, const char *text) {
	br_json_object(json, key);
	json_words(json, "text", text);
	br_json_end(json);
}

static void json_rule(struct br_json *json, const struct br_code_info *info) {
	const struct br_code_page *page = br_code_page(info->code);
	char name[16];
	(void)snprintf(name, sizeof(name), "BR%03u", info->code);
	br_json_object(json, NULL);
	br_json_string(json, "id", name);
	json_message(json, "shortDescription", info->title);
	json_message(json, "fullDescription", page->meaning);
	json_message(json, "help", page->fix);
	br_json_object(json, "defaultConfiguration");
	br_json_string(json, "level", level_name(info->severity));
	br_json_end(json);
	br_json_end(json);
}

static void json_driver(struct br_json *json) {
	const struct br_code_info *codes;
	size_t n = br_codes(&codes);
	br_json_object(json, "tool");
	br_json_object(json, "driver");
	br_json_string(json, "name", "bindright");
	br_json_string(json, "version", BR_VERSION);
	br_json_string(json, "semanticVersion", BR_VERSION);
	br_json_array(json, "rules");
	for (size_t i = 0; i < n; i++) {
		json_rule(json, &codes[i]);
	}
	br_json_end(json);
	br_json_end(json);
	br_json_end(json);
}

/** A file's name as a URI reference (RFC 3986): all but unreserved characters and slashes in
 * hexadecimal. */
static void json_uri(struct br_json *json, const char *file) {
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
	struct br_buf uri = {0};
	br_buf_add(&uri, file[0] == '/' ? "file://" : "");
	for (; *file; file++) {
		if (strchr(plain, *file)) {
			br_buf_addc(&uri, *file);
		} else {
			br_buf_addf(&uri, "%%%02X", (unsigned)(unsigned char)*file);
		}
	}
	br_json_object(json, "artifactLocation");
	br_json_string(json, "uri", uri.failed ? "" : uri.s);
	br_json_end(json);
	br_buf_release(&uri);
}

/** A place on standard input or on a command line is no artifact. */
static bool has_artifact(
	const struct br_places *places, struct br_span at, struct br_position *position) {
	return br_places_find(places, at, position) && strcmp(position->file, "-") != 0
		&& position->file[0] != '<';
}

/** Without a place the list is empty, which is allowed. */
static void json_locations(
	struct br_json *json, const struct br_places *places, struct br_span at) {
	struct br_position position;
	br_json_array(json, "locations");
	if (has_artifact(places, at, &position)) {
		br_json_object(json, NULL);
		br_json_object(json, "physicalLocation");
		json_uri(json, position.file);
		br_json_object(json, "region");
		br_json_int(json, "startLine", position.line);
		br_json_int(json, "startColumn", position.column);
		br_json_end(json);
		br_json_end(json);
		br_json_end(json);
	}
	br_json_end(json);
}

static void json_rule_of(struct br_json *json, const char *name, enum br_severity severity) {
	const struct br_code_info *codes;
	size_t n = br_codes(&codes);
	char other[16];
	br_json_string(json, "ruleId", name);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(other, sizeof(other), "BR%03u", codes[i].code);
		if (strcmp(other, name) == 0) {
			br_json_int(json, "ruleIndex", (int64_t)i);
		}
	}
	br_json_string(json, "level", level_name(severity));
}

static void json_text(struct br_json *json, const struct br_finding *finding) {
	struct br_arena arena = {0};
	const char *text = finding->because
		? br_printf(&arena, "%s: %s", finding->message, finding->because)
		: finding->message;
	json_message(json, "message", text ? text : finding->message);
	br_arena_release(&arena);
}

static void json_suppression(struct br_json *json, const struct br_ignore *ignored) {
	br_json_array(json, "suppressions");
	if (ignored) {
		br_json_object(json, NULL);
		br_json_string(json, "kind", "inSource");
		if (ignored->reason.s) {
			json_words(json, "justification", ignored->reason.s);
		}
		br_json_end(json);
	}
	br_json_end(json);
}

static void json_result(
	struct br_json *json, const struct br_finding *finding, const struct br_places *places) {
	char name[16];
	(void)snprintf(name, sizeof(name), "BR%03u", finding->code);
	br_json_object(json, NULL);
	json_rule_of(json, name, finding->severity);
	json_text(json, finding);
	json_locations(json, places, finding->at);
	br_json_object(json, "partialFingerprints");
	br_json_string(json, "bindright/v1", finding->id);
	br_json_end(json);
	json_suppression(json, finding->ignored);
	br_json_end(json);
}

static void json_results(struct br_json *json, const struct br_report *report) {
	const struct br_check *check = last_check(report);
	br_json_array(json, "results");
	for (size_t i = 0; report->diags && i < br_diags_count(report->diags); i++) {
		const struct br_diag *diag = br_diags_get(report->diags, i);
		if (diag->code) {
			br_json_object(json, NULL);
			json_rule_of(json, diag->code, diag->severity);
			json_message(json, "message", diag->message);
			json_locations(json, report->places, diag->at);
			br_json_end(json);
		}
	}
	for (size_t i = 0; i < check->nfindings; i++) {
		json_result(json, &check->findings[i], report->places);
	}
	br_json_end(json);
}

char *sarif_report(const struct br_report *report, size_t *len) {
	br_auto(br_json_freep) struct br_json *json = br_json_new();
	if (!json) {
		return NULL;
	}
	br_json_string(json, "$schema", schema);
	br_json_string(json, "version", "2.1.0");
	br_json_array(json, "runs");
	br_json_object(json, NULL);
	json_driver(json);
	br_json_string(json, "columnKind", "unicodeCodePoints");
	json_results(json, report);
	br_json_end(json);
	br_json_end(json);
	return br_json_take(json, false, len);
}
