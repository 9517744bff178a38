/** History and undo. */
#include "report_impl.h"

#include <doc/json.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void br_report_when(int64_t when, char out[BR_REPORT_WHEN]) {
	struct tm tm;
	time_t at = (time_t)when;
	if (!gmtime_r(&at, &tm) || strftime(out, BR_REPORT_WHEN, "%Y-%m-%d %H:%M:%SZ", &tm) == 0) {
		(void)snprintf(out, BR_REPORT_WHEN, "%" PRId64, when);
	}
}

static void history_line(struct pen *pen, const struct br_run *run) {
	char when[BR_REPORT_WHEN];
	br_report_when(run->when, when);
	pen_ink(pen, INK_BOLD);
	pen_say(pen, "%s", run->id);
	pen_ink(pen, INK_PLAIN);
	pen_say(pen, "  %s  ", when);
	pen_quote(pen, run->invoker ? run->invoker : "?");
	pen_say(pen, "  %s\n", br_run_state_name(run->state));
	if (run->why) {
		pen_wrap(pen, "    ", 4, run->why);
		return;
	}
	pen_say(pen, "    ");
	pen_quote(pen, run->input ? run->input : "?");
	pen_say(pen, ": ");
	pen_count(pen, run->changes, "inode", "inodes");
	pen_say(pen, ", ");
	pen_count(pen, run->makes, "directory created", "directories created");
	pen_say(pen, ", ");
	pen_count(pen, run->accounts, "account created", "accounts created");
	pen_say(pen, "\n");
	for (size_t i = 0; i < run->ntargets; i++) {
		pen_say(pen, "    ");
		pen_quote(pen, run->targets[i]);
		pen_say(pen, "\n");
	}
}

static void json_run(struct br_json *json, const char *key, const struct br_run *run) {
	char when[BR_REPORT_WHEN];
	br_report_when(run->when, when);
	br_json_object(json, key);
	br_json_string(json, "id", run->id);
	br_json_string(json, "when", when);
	br_json_int(json, "uid", run->uid.v);
	json_words(json, "by", run->invoker);
	json_words(json, "input", run->input);
	json_words(json, "plan", run->plan && *run->plan ? run->plan : NULL);
	json_words(json, "version", run->version);
	br_json_array(json, "targets");
	for (size_t i = 0; i < run->ntargets; i++) {
		json_words(json, NULL, run->targets[i]);
	}
	br_json_end(json);
	br_json_int(json, "inodes", (int64_t)run->changes);
	br_json_int(json, "directories", (int64_t)run->makes);
	br_json_int(json, "accounts", (int64_t)run->accounts);
	br_json_string(json, "state", br_run_state_name(run->state));
	json_words(json, "why", run->why);
	br_json_end(json);
}

static char *take(struct br_json *json, size_t *len) {
	char *s = br_json_take(json, false, len);
	br_json_free(json);
	return s;
}

char *br_report_history(
	const struct br_run *runs, size_t n, const struct br_report_style *style, size_t *len) {
	if (style->format == BR_FORMAT_JSON) {
		struct br_json *json = br_json_new();
		if (!json) {
			return NULL;
		}
		br_json_string(json, "schema", "bindright.history/1");
		br_json_array(json, "runs");
		for (size_t i = 0; i < n; i++) {
			json_run(json, NULL, &runs[i]);
		}
		br_json_end(json);
		return take(json, len);
	}
	struct pen pen = {.style = style};
	for (size_t i = 0; i < n; i++) {
		history_line(&pen, &runs[i]);
	}
	if (n == 0 && style->verbosity >= 0) {
		pen_say(&pen, "No fix has been applied yet.\n");
	}
	return pen_take(&pen, len);
}

static void undo_text(
	struct pen *pen, const struct br_run *run, const struct br_undo_result *result, bool dry) {
	char when[BR_REPORT_WHEN];
	br_report_when(run->when, when);
	pen_say(pen, "%s %s of %s by ", dry ? "To undo: fix" : "Undone: fix", run->id, when);
	pen_quote(pen, run->invoker ? run->invoker : "?");
	pen_say(pen, "\n  ");
	// Where only something was made there is nothing to put back.
	if (result->restored || !result->removed) {
		pen_count(pen, result->restored, "inode", "inodes");
		pen_say(pen, dry ? " would be put back" : " put back");
	}
	if (result->removed) {
		pen_say(pen, "%s%" PRIu64 " created %s%s removed", result->restored ? ", " : "",
			result->removed, result->removed == 1 ? "thing" : "things",
			dry && !result->restored ? " would be" : "");
	}
	if (result->same) {
		pen_say(pen, ", %" PRIu64 " already as before", result->same);
	}
	pen_say(pen, "\n");
	if (result->conflicts) {
		pen_say(pen, "  %" PRIu64 " left alone:\n", result->conflicts);
	}
	if (result->failed) {
		pen_say(pen, "  %" PRIu64 " failed\n", result->failed);
	}
	for (size_t i = 0; i < result->nexamples; i++) {
		pen_say(pen, "    ");
		pen_quote(pen, result->examples[i]);
		pen_say(pen, ": ");
		pen_words(pen, result->reasons[i] ? result->reasons[i] : "?");
		pen_say(pen, "\n");
	}
}

char *br_report_undo(const struct br_run *run, const struct br_undo_result *result, bool dry,
	const struct br_report_style *style, size_t *len) {
	if (style->format == BR_FORMAT_JSON) {
		struct br_json *json = br_json_new();
		if (!json) {
			return NULL;
		}
		br_json_string(json, "schema", "bindright.undo/1");
		br_json_bool(json, "dry_run", dry);
		if (run) {
			json_run(json, "run", run);
		} else {
			br_json_null(json, "run");
		}
		br_json_int(json, "restored", (int64_t)result->restored);
		br_json_int(json, "already_as_before", (int64_t)result->same);
		br_json_int(json, "removed", (int64_t)result->removed);
		br_json_int(json, "conflicts", (int64_t)result->conflicts);
		br_json_int(json, "failed", (int64_t)result->failed);
		br_json_bool(json, "interrupted", result->interrupted);
		json_examples(json, result->examples, result->nexamples);
		json_reasons(json, result->reasons, result->nexamples);
		return take(json, len);
	}
	struct pen pen = {.style = style};
	if (run && (style->verbosity >= 0 || result->conflicts || result->failed)) {
		undo_text(&pen, run, result, dry);
	}
	return pen_take(&pen, len);
}
