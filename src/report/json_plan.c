#include "report_impl.h"

#include <doc/json.h>

static void json_action(struct br_json *json, const struct br_action *action) {
	br_json_object(json, NULL);
	br_json_string(json, "op", br_action_name(action->kind));
	br_json_bytes(json, "path", action->path);
	br_json_bool(json, "recursive", action->recursive);
	br_json_int(json, "count", (int64_t)action->count);
	json_words(json, "from", action->from);
	json_words(json, "to", action->to);
	json_words(json, "command", action->command);
	br_json_end(json);
}

static void json_effect(struct br_json *json, const struct br_effect *effect) {
	char text[4];
	br_json_object(json, NULL);
	br_json_string(json, "principal", effect->principal);
	json_words(json, "account", effect->account);
	br_json_bytes(json, "under", effect->under);
	br_json_string(json, "from", br_perm_text(effect->from, text));
	br_json_string(json, "to", br_perm_text(effect->to, text));
	br_json_int(json, "count", (int64_t)effect->count);
	json_examples(json, effect->examples, effect->nexamples);
	br_json_end(json);
}

static void json_left(struct br_json *json, const struct br_left *left) {
	br_json_object(json, NULL);
	br_json_string(json, "reason", reason_name(left->reason));
	br_json_bytes(json, "under", left->tree->path);
	br_json_int(json, "count", (int64_t)left->count);
	json_words(json, "why", left->why);
	json_words(json, "option", left->option);
	json_examples(json, left->examples, left->nexamples);
	br_json_end(json);
}

static void json_trees(struct br_json *json, const struct br_plan *plan) {
	br_json_array(json, "trees");
	for (size_t i = 0; i < plan->ntrees; i++) {
		const struct br_tree_plan *tree = &plan->trees[i];
		br_json_object(json, NULL);
		br_json_bytes(json, "path", tree->tree->path);
		br_json_string(json, "strategy", strategy_name(tree->strategy));
		json_words(json, "reason", tree->reason);
		br_json_int(json, "changes", (int64_t)tree->changes);
		br_json_int(json, "owner_only", (int64_t)tree->owner_only);
		br_json_bool(json, "refused", tree->refused);
		br_json_bool(json, "partial", tree->partial);
		br_json_end(json);
	}
	br_json_end(json);
}

static void json_refusals(struct br_json *json, const struct br_plan *plan) {
	br_json_array(json, "refusals");
	for (size_t i = 0; i < plan->nrefusals; i++) {
		br_json_object(json, NULL);
		br_json_bytes(json, "path", plan->refusals[i].path);
		json_words(json, "rule", plan->refusals[i].rule);
		json_words(json, "option", plan->refusals[i].option);
		br_json_end(json);
	}
	br_json_end(json);
}

static void json_edit(
	struct br_json *json, const struct br_advice *advice, const struct br_places *places) {
	struct br_position at;
	size_t n;
	struct br_arena arena = {0};
	const char *bytes = br_places_bytes(places, advice->at.text, &n);
	if (!advice->with || !bytes || !br_places_find(places, advice->at, &at)) {
		br_json_null(json, "edit");
		return;
	}
	br_json_object(json, "edit");
	json_words(json, "file", at.file);
	br_json_int(json, "line", at.line);
	br_json_int(json, "column", at.column);
	json_words(json, "replace", br_strndup(&arena, bytes + advice->at.off, advice->at.len));
	json_words(json, "with", advice->with);
	br_json_end(json);
	br_arena_release(&arena);
}

static void json_advice(
	struct br_json *json, const struct br_plan *plan, const struct br_places *places) {
	br_json_array(json, "advice");
	for (size_t i = 0; i < plan->nadvice; i++) {
		const struct br_advice *advice = &plan->advice[i];
		br_json_object(json, NULL);
		br_json_string(json, "kind", advice->kind);
		br_json_bool(json, "choice", advice->choice);
		json_words(json, "container", advice->container ? advice->container->name.s : NULL);
		json_words(json, "summary", advice->summary);
		json_words(json, "price", advice->price);
		json_edit(json, advice, places);
		br_json_end(json);
	}
	br_json_end(json);
}

static void json_items(struct br_json *json, const char *key, const struct br_saved_item *items,
	size_t n, bool trees) {
	br_json_array(json, key);
	for (size_t i = 0; i < n; i++) {
		br_json_object(json, NULL);
		json_words(json, "name", items[i].name);
		br_json_string(json, "sha256", items[i].digest);
		if (trees) {
			br_json_int(json, "changes", (int64_t)items[i].changes);
			br_json_int(json, "inode", (int64_t)items[i].ino);
			br_json_int(json, "born", items[i].born.sec);
			br_json_int(json, "born_nanoseconds", items[i].born.nsec);
		}
		br_json_end(json);
	}
	br_json_end(json);
}

static void json_saved(struct br_json *json, const struct br_saved *saved) {
	br_json_object(json, "saved");
	br_json_int(json, "version", 1);
	br_json_string(json, "directory", saved->directory);
	br_json_array(json, "words");
	for (size_t i = 0; i < saved->nwords; i++) {
		br_json_string(json, NULL, saved->words[i]);
	}
	br_json_end(json);
	br_json_int(json, "caller", saved->caller);
	br_json_int(json, "changes", (int64_t)saved->changes);
	json_items(json, "files", saved->files, saved->nfiles, false);
	json_items(json, "containers", saved->containers, saved->ncontainers, false);
	json_items(json, "trees", saved->trees, saved->ntrees, true);
	br_json_string(json, "rest", saved->rest);
	br_json_end(json);
}

void json_plan(struct br_json *json, const struct br_report *report, bool saved) {
	const struct br_plan *plan = report->plan;
	br_json_object(json, "plan");
	br_json_int(json, "changes", (int64_t)plan->changes);
	br_json_string(json, "sha256", plan->digest);
	json_trees(json, plan);
	br_json_array(json, "actions");
	for (size_t i = 0; i < plan->nactions; i++) {
		json_action(json, &plan->actions[i]);
	}
	br_json_end(json);
	br_json_array(json, "gains");
	for (size_t i = 0; i < plan->ngains; i++) {
		json_effect(json, &plan->gains[i]);
	}
	br_json_end(json);
	br_json_array(json, "losses");
	for (size_t i = 0; i < plan->nlosses; i++) {
		json_effect(json, &plan->losses[i]);
	}
	br_json_end(json);
	br_json_array(json, "left");
	for (size_t i = 0; i < plan->nleft; i++) {
		json_left(json, &plan->left[i]);
	}
	br_json_end(json);
	json_refusals(json, plan);
	br_json_array(json, "notes");
	for (size_t i = 0; i < plan->nnotes; i++) {
		json_words(json, NULL, plan->notes[i]);
	}
	br_json_end(json);
	json_advice(json, plan, report->places);
	if (saved) {
		json_saved(json, report->saved);
	}
	br_json_end(json);
}
