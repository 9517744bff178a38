/** The report for programs: one object, schema bindright.report/1. */
#include "report_impl.h"

#include <base/own.h>
#include <doc/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_words(struct br_json *json, const char *key, const char *s) {
	struct br_arena arena = {0};
	if (!s || br_is_utf8(s, strlen(s))) {
		br_json_string(json, key, s);
		return;
	}
	br_json_string(json, key, br_escape(&arena, s));
	br_arena_release(&arena);
}

void json_examples(struct br_json *json, const char *const *examples, size_t n) {
	br_json_array(json, "examples");
	for (size_t i = 0; i < n; i++) {
		json_words(json, NULL, examples[i]);
	}
	br_json_end(json);
}

void json_reasons(struct br_json *json, const char *const *reasons, size_t n) {
	br_json_array(json, "reasons");
	for (size_t i = 0; i < n; i++) {
		json_words(json, NULL, reasons[i]);
	}
	br_json_end(json);
}

void json_place(
	struct br_json *json, const char *key, const struct br_places *places, struct br_span at) {
	struct br_position position;
	if (!br_places_find(places, at, &position)) {
		br_json_null(json, key);
		return;
	}
	br_json_object(json, key);
	json_words(json, "file", position.file);
	br_json_int(json, "line", position.line);
	br_json_int(json, "column", position.column);
	br_json_end(json);
}

static const char *input_kind(enum br_input_kind kind) {
	switch (kind) {
	case BR_INPUT_COMPOSE:
		return "compose";
	case BR_INPUT_RUN_LINE:
		return "run-line";
	case BR_INPUT_OCI:
		return "oci";
	case BR_INPUT_CONTAINER:
		return "container";
	}
	return "compose";
}

void json_input(struct br_json *json, const struct br_spec *spec, const char *engine) {
	br_json_object(json, "input");
	br_json_string(json, "kind", input_kind(spec->kind));
	br_json_array(json, "files");
	for (size_t i = 0; i < spec->nfiles; i++) {
		json_words(json, NULL, spec->files[i]);
	}
	br_json_end(json);
	br_json_bytes(json, "project_directory", spec->project_directory);
	json_words(json, "project_name", spec->project_name);
	br_json_string(json, "engine", engine);
	br_json_end(json);
}

static void json_origins(
	struct br_json *json, const struct br_identity *identity, const struct br_places *places) {
	br_json_array(json, "origin");
	for (size_t i = 0; i < identity->norigins; i++) {
		const struct br_origin *origin = &identity->origins[i];
		struct br_position position;
		br_json_object(json, NULL);
		br_json_string(json, "field", origin->field);
		br_json_string(json, "from", origin->from);
		if (br_places_find(places, origin->text.at, &position)) {
			json_words(json, "file", position.file);
			br_json_int(json, "line", position.line);
			br_json_int(json, "column", position.column);
		}
		if (origin->where) {
			json_words(json, "where", origin->where);
		}
		json_words(json, "text", origin->text.s);
		br_json_end(json);
	}
	br_json_end(json);
}

void json_capabilities(struct br_json *json, uint64_t caps) {
	br_json_array(json, "capabilities");
	for (unsigned cap = 0; cap < 64; cap++) {
		if (caps & (UINT64_C(1) << cap)) {
			br_json_string(json, NULL, br_cap_name(cap));
		}
	}
	br_json_end(json);
}

/** null: the container's ID has no mapping. */
static void json_host_id(struct br_json *json, const char *key, br_hostid id) {
	if (id.v == BR_NO_ID) {
		br_json_null(json, key);
	} else {
		br_json_int(json, key, id.v);
	}
}

/** [[CONTAINER, HOST, COUNT], …]. */
static void json_map(struct br_json *json, const char *key, const struct br_idmap *map) {
	br_json_array(json, key);
	for (size_t i = 0; i < map->n; i++) {
		br_json_array(json, NULL);
		br_json_int(json, NULL, map->extents[i].box);
		br_json_int(json, NULL, map->extents[i].host);
		br_json_int(json, NULL, map->extents[i].count);
		br_json_end(json);
	}
	br_json_end(json);
}

static void json_known(struct br_json *json, const struct br_identity *identity) {
	br_json_int(json, "uid", identity->uid.v);
	br_json_int(json, "gid", identity->gid.v);
	br_json_array(json, "groups");
	for (size_t i = 0; i < identity->ngroups; i++) {
		br_json_int(json, NULL, identity->groups[i].v);
	}
	br_json_end(json);
	br_json_bool(json, "groups_complete", !identity->groups_unsure);
	br_json_int(json, "umask", identity->cred.umask);
	json_host_id(json, "host_uid", identity->cred.uid);
	json_host_id(json, "host_gid", identity->cred.gid);
	br_json_array(json, "host_groups");
	for (size_t i = 0; i < identity->cred.ngroups; i++) {
		br_json_int(json, NULL, identity->cred.groups[i].v);
	}
	br_json_end(json);
	if (identity->cred.uids.n > 0) {
		json_map(json, "uid_map", &identity->cred.uids);
		json_map(json, "gid_map", &identity->cred.gids);
	}
	json_capabilities(json, identity->cred.caps);
}

static void json_identity(struct br_json *json, const char *key, const struct br_identity *identity,
	const struct br_places *places) {
	br_json_object(json, key);
	json_words(json, "user", identity->user.s);
	if (identity->confidence != BR_UNKNOWN) {
		json_known(json, identity);
	} else {
		br_json_null(json, "uid");
		br_json_null(json, "gid");
		json_words(json, "why", identity->why);
	}
	if (identity->account) {
		json_words(json, "account", identity->account);
	}
	br_json_string(json, "confidence", confidence_name(identity->confidence));
	json_origins(json, identity, places);
	br_json_end(json);
}

void json_identities(
	struct br_json *json, const struct br_identity *first, const struct br_places *places) {
	json_identity(json, "identity", br_identity_of_data(first, true), places);
	if (first->drops_to) {
		br_json_array(json, "identities");
		json_identity(json, NULL, first, places);
		json_identity(json, NULL, first->drops_to, places);
		br_json_end(json);
	}
}

static void json_mount(struct br_json *json, const struct br_mount_result *result,
	const struct br_places *places) {
	const struct br_mount *mount = result->mount->mount;
	const struct br_source *source = result->mount->source;
	bool judged = result->mount->identity->confidence != BR_UNKNOWN && result->need != 0;
	char text[4];
	br_json_object(json, NULL);
	json_words(json, "target", mount->target.s);
	br_json_bytes(json, "source", source->path);
	br_json_bytes(json, "real", source->state == BR_SOURCE_PRESENT ? source->real : NULL);
	br_json_bool(json, "read_only", mount->read_only);
	br_json_string(json, "state", state_name(source->state));
	br_json_string(json, "need", judged ? br_perm_text(result->need, text) : NULL);
	br_json_string(json, "have", judged ? br_perm_text(result->have, text) : NULL);
	br_json_bool(json, "fits", result->fits);
	br_json_object(json, "inodes");
	br_json_int(json, "seen", (int64_t)result->seen);
	br_json_int(json, "misfit", (int64_t)result->misfit);
	br_json_int(json, "unseen", (int64_t)result->unseen);
	br_json_end(json);
	json_place(json, "location", places, mount->at);
	br_json_end(json);
}

static void json_containers(struct br_json *json, const struct br_report *report) {
	const struct br_check *check = last_check(report);
	br_json_array(json, "containers");
	for (size_t i = 0; i < report->spec->n; i++) {
		const struct br_container *container = &report->spec->containers[i];
		br_json_object(json, NULL);
		json_words(json, "name", container->name.s);
		json_words(json, "image", container->image.s);
		json_identities(json, &check->identities[i], report->places);
		br_json_array(json, "mounts");
		for (size_t k = 0; k < check->demands->nmounts; k++) {
			if (check->mounts[k].mount->container == container) {
				json_mount(json, &check->mounts[k], report->places);
			}
		}
		br_json_end(json);
		br_json_end(json);
	}
	br_json_end(json);
}

static void json_code(struct br_json *json, br_code_number code) {
	char name[16];
	(void)snprintf(name, sizeof(name), "BR%03u", code);
	br_json_string(json, "code", name);
}

void json_finding(
	struct br_json *json, const struct br_finding *finding, const struct br_places *places) {
	json_code(json, finding->code);
	br_json_string(json, "id", finding->id);
	br_json_string(json, "severity", severity_name(finding->severity));
	json_words(json, "container", finding->container ? finding->container->name.s : NULL);
	json_words(json, "target", finding->mount ? finding->mount->target.s : NULL);
	br_json_bytes(json, "path", finding->path);
	json_words(json, "message", finding->message);
	json_words(json, "because", finding->because);
	if (finding->refused) {
		br_json_bool(json, "refused", true);
	}
	if (finding->nexamples > 0) {
		br_json_int(json, "count", (int64_t)finding->count);
		json_examples(json, finding->examples, finding->nexamples);
	}
	json_place(json, "location", places, finding->at);
	if (finding->advice || finding->command) {
		br_json_object(json, "fix");
		json_words(json, "summary",
			finding->advice ? finding->advice : "give it the missing access");
		br_json_array(json, "commands");
		if (finding->command) {
			json_words(json, NULL, finding->command);
		}
		br_json_end(json);
		br_json_end(json);
	}
	if (finding->ignored) {
		br_json_object(json, "ignored");
		json_words(json, "reason", finding->ignored->reason.s);
		json_place(json, "location", places, finding->ignored->code.at);
		br_json_end(json);
	}
}

/** Warnings of reading that have a code. */
void json_diag(struct br_json *json, const struct br_diag *diag, const struct br_places *places) {
	br_json_string(json, "code", diag->code);
	br_json_string(json, "severity", severity_name(diag->severity));
	br_json_null(json, "container");
	br_json_null(json, "target");
	br_json_null(json, "path");
	json_words(json, "message", diag->message);
	json_words(json, "because", NULL);
	json_place(json, "location", places, diag->at);
}

static size_t json_findings(struct br_json *json, const struct br_report *report) {
	const struct br_check *check = last_check(report);
	size_t coded = 0;
	br_json_array(json, "findings");
	for (size_t i = 0; report->diags && i < br_diags_count(report->diags); i++) {
		const struct br_diag *diag = br_diags_get(report->diags, i);
		if (diag->code) {
			br_json_object(json, NULL);
			json_diag(json, diag, report->places);
			br_json_end(json);
			coded++;
		}
	}
	for (size_t i = 0; i < check->nfindings; i++) {
		br_json_object(json, NULL);
		json_finding(json, &check->findings[i], report->places);
		br_json_end(json);
	}
	br_json_end(json);
	return coded;
}

void json_summary(struct br_json *json, const struct br_report *report, size_t coded) {
	const struct br_check *check = last_check(report);
	br_json_object(json, "summary");
	br_json_int(json, "containers", (int64_t)report->spec->n);
	br_json_int(json, "mounts", (int64_t)check->demands->nmounts);
	br_json_int(json, "errors", (int64_t)check->errors);
	br_json_int(json, "warnings", (int64_t)(check->warnings + coded));
	br_json_int(json, "infos", (int64_t)check->infos);
	br_json_int(json, "suppressed", (int64_t)check->suppressed);
	br_json_int(json, "inodes", (int64_t)check->inodes);
	br_json_real(json, "seconds", check->seconds);
	br_json_end(json);
}

void json_applied(struct br_json *json, const struct br_apply_result *applied) {
	br_json_string(json, "journal", applied && applied->id[0] ? applied->id : NULL);
	if (!applied) {
		return;
	}
	br_json_object(json, "applied");
	br_json_int(json, "inodes", (int64_t)applied->changed);
	br_json_int(json, "directories", (int64_t)applied->made);
	br_json_int(json, "accounts", (int64_t)applied->accounts);
	br_json_int(json, "conflicts", (int64_t)applied->conflicts);
	br_json_int(json, "failed", (int64_t)applied->failed);
	br_json_bool(json, "interrupted", applied->interrupted);
	br_json_array(json, "resumed");
	for (size_t i = 0; i < applied->nresumed; i++) {
		br_json_string(json, NULL, applied->resumed[i]);
	}
	br_json_end(json);
	json_examples(json, applied->examples, applied->nexamples);
	json_reasons(json, applied->reasons, applied->nexamples);
	br_json_end(json);
}

void json_head(struct br_json *json, const struct br_report *report) {
	br_json_string(json, "schema", "bindright.report/1");
	br_json_object(json, "tool");
	br_json_string(json, "name", "bindright");
	br_json_string(json, "version", BR_VERSION);
	br_json_end(json);
	br_json_string(json, "command", report->command);
	json_input(json, report->spec, report->engine);
}

char *json_report(const struct br_report *report, size_t *len) {
	br_auto(br_json_freep) struct br_json *json = br_json_new();
	if (!json) {
		return NULL;
	}
	json_head(json, report);
	json_containers(json, report);
	size_t coded = json_findings(json, report);
	if (report->plan) {
		json_plan(json, report, report->saved != NULL);
	}
	json_applied(json, report->applied);
	br_json_bool(json, "complete", last_check(report)->complete);
	json_summary(json, report, coded);
	char *bytes = br_json_take(json, false, len);
	return bytes && report->saved ? br_saved_seal(bytes, len) : bytes;
}
