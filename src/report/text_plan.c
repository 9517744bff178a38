/** What a plan would do and who gains by it; what a fix did. */
#include "report_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void examples(struct pen *pen, const char *const *paths, size_t n, uint64_t count) {
	for (size_t i = 0; i < n; i++) {
		pen_say(pen, "          ");
		pen_quote(pen, *paths[i] ? paths[i] : ".");
		pen_say(pen, "\n");
	}
	if (n > 0 && count > n) {
		pen_say(pen, "          and %" PRIu64 " more\n", count - n);
	}
}

static void one_action(struct pen *pen, const struct br_action *action) {
	struct br_buf line = {0};
	char lead[32];
	if (action->path) {
		br_buf_addf(&line, "%s%s: ", action->path, action->recursive ? " and below" : "");
	}
	if (action->from && action->to) {
		br_buf_addf(&line, "%s -> %s", action->from, action->to);
	} else {
		br_buf_add(&line, action->to ? action->to : "");
	}
	if (action->count > 1) {
		br_buf_addf(&line, " (%" PRIu64 ")", action->count);
	}
	(void)snprintf(lead, sizeof(lead), "  %-12s  ", br_action_name(action->kind));
	pen_wrap(pen, lead, 16, line.s ? line.s : "");
	pen->buf.failed |= line.failed;
	br_buf_release(&line);
	if (action->command) {
		pen_ink(pen, INK_DIM);
		pen_command(pen, "                $ ", 18, action->command);
		pen_ink(pen, INK_PLAIN);
	}
}

/** "below DIRECTORY", but "of FILE". */
static const char *under(const struct br_tree *tree) {
	return S_ISDIR(tree->root->mode) ? "below" : "of";
}

static void one_effect(struct pen *pen, const char *verb, const struct br_effect *effect) {
	char from[4];
	char to[4];
	pen_say(pen, "  %s  %s", verb, effect->principal);
	if (effect->account) {
		pen_say(pen, " (");
		pen_quote(pen, effect->account);
		pen_say(pen, ")");
	}
	pen_say(pen, "  %s -> %s  %s ", br_perm_text(effect->from, from),
		br_perm_text(effect->to, to), under(effect->tree));
	pen_quote(pen, effect->under);
	if (S_ISDIR(effect->tree->root->mode)) {
		pen_say(pen, " (%" PRIu64 ")", effect->count);
	}
	pen_say(pen, "\n");
}

static void effects(struct pen *pen, const struct br_plan *plan) {
	for (size_t i = 0; i < plan->ngains; i++) {
		one_effect(pen, "gains", &plan->gains[i]);
	}
	for (size_t i = 0; i < plan->nlosses; i++) {
		one_effect(pen, "loses", &plan->losses[i]);
	}
	if (plan->changes > 0 && plan->nlosses == 0) {
		pen_say(pen, "  Nobody else gains anything, and nobody loses any access.\n");
	}
}

static void left_alone(struct pen *pen, const struct br_plan *plan) {
	for (size_t i = 0; i < plan->nleft; i++) {
		const struct br_left *left = &plan->left[i];
		struct br_buf line = {0};
		if (S_ISDIR(left->tree->root->mode)) {
			br_buf_addf(&line, "%" PRIu64 " below ", left->count);
		}
		// That one is a sentence, the others are predicates.
		br_buf_addf(&line, "%s%s %s", left->tree->path,
			left->reason == BR_LEFT_NO_EXACT_STATE ? ":" : "",
			left->why ? left->why : reason_name(left->reason));
		pen_wrap(pen, "  left alone    ", 16, line.s ? line.s : "");
		pen->buf.failed |= line.failed;
		br_buf_release(&line);
		if (S_ISDIR(left->tree->root->mode)) {
			examples(pen, left->examples, left->nexamples, left->count);
		}
		if (left->option) {
			pen_wrap_whole(pen,
				left->count == 1 ? "                to include it: "
						 : "                to include them: ",
				18, left->option);
		}
	}
}

static void trees(struct pen *pen, const struct br_plan *plan) {
	for (size_t i = 0; i < plan->ntrees; i++) {
		const struct br_tree_plan *tree = &plan->trees[i];
		if (tree->changes == 0) {
			continue;
		}
		pen_say(pen, "  ");
		pen_ink(pen, INK_BOLD);
		pen_quote(pen, tree->tree->path);
		pen_ink(pen, INK_PLAIN);
		pen_say(pen, "  by %s\n", strategy_name(tree->strategy));
		if (tree->reason) {
			pen_wrap(pen, "    ", 4, tree->reason);
		}
		if (tree->owner_only) {
			pen_say(pen, "    %" PRIu64 " of these only %s can use so far\n",
				tree->owner_only,
				tree->owner_only == 1 ? "its owner" : "their owners");
		}
	}
}

/** The lines of an edit: what stands there goes, the new comes; the column only where it matters. */
static void one_advice(
	struct pen *pen, const struct br_advice *advice, const struct br_places *places) {
	struct br_position at;
	struct br_buf line = {0};
	size_t n;
	const char *bytes = br_places_bytes(places, advice->at.text, &n);
	pen_wrap(
		pen, advice->choice ? "  choice        " : "  instead       ", 16, advice->summary);
	pen_wrap(pen, "                price: ", 18, advice->price);
	if (!advice->with || !bytes || !br_places_find(places, advice->at, &at)) {
		return;
	}
	br_buf_addf(&line, "%s:%u:%u: ", at.file, at.line, at.column);
	if (advice->at.len > 0) {
		br_buf_addn(&line, bytes + advice->at.off, advice->at.len);
		br_buf_add(&line, " -> ");
	} else {
		br_buf_add(&line, "add ");
	}
	// A new line is said as the line: the indentation of the next one is part of the edit.
	const char *with = advice->with + strspn(advice->with, "\n ");
	br_buf_addn(&line, with, strcspn(with, "\n"));
	pen_wrap_whole(pen, "                ", 18, line.s ? line.s : "");
	pen->buf.failed |= line.failed;
	br_buf_release(&line);
}

void text_plan(struct pen *pen, const struct br_report *report) {
	const struct br_plan *plan = report->plan;
	const struct br_places *places = report->places;
	bool is_empty = plan->changes == 0 && plan->nleft == 0 && plan->nrefusals == 0
		&& plan->nnotes == 0 && plan->nadvice == 0;
	// Where everything fits nobody expects one.
	if (is_empty && report->check->errors + report->check->warnings == 0) {
		return;
	}
	pen_ink(pen, INK_BOLD);
	pen_say(pen, plan->changes ? "Plan\n" : "Plan: nothing to change\n");
	pen_ink(pen, INK_PLAIN);
	trees(pen, plan);
	for (size_t i = 0; i < plan->nactions; i++) {
		one_action(pen, &plan->actions[i]);
	}
	effects(pen, plan);
	left_alone(pen, plan);
	for (size_t i = 0; i < plan->nrefusals; i++) {
		pen_say(pen, "  refused       ");
		pen_quote(pen, plan->refusals[i].path);
		pen_say(pen, "  ");
		pen_place(pen, places, plan->refusals[i].at);
		pen_say(pen, "\n");
		pen_wrap(pen, "                ", 16, plan->refusals[i].rule);
	}
	for (size_t i = 0; i < plan->nnotes; i++) {
		pen_wrap(pen, "  note          ", 16, plan->notes[i]);
	}
	for (size_t i = 0; i < plan->nadvice; i++) {
		one_advice(pen, &plan->advice[i], places);
	}
	pen_say(pen, "\n");
}

/** Those that it went on from come after it. */
static void put_back(struct pen *pen, const struct br_apply_result *applied) {
	pen_say(pen, "To put it back: bindright undo %s", applied->id);
	for (size_t i = 0; i < applied->nresumed; i++) {
		pen_say(pen, ", then bindright undo %s", applied->resumed[i]);
	}
}

void text_changed(struct pen *pen, const struct br_report *report) {
	const struct br_apply_result *applied = report->applied;
	uint64_t changed = applied->changed + applied->made + applied->accounts;
	bool is_back = changed > 0 && applied->id[0];
	pen_say(pen, "Changed %" PRIu64 " of %" PRIu64, changed, report->plan->changes);
	if (is_back) {
		pen_say(pen, ". ");
		put_back(pen, applied);
	}
	pen_say(pen, is_back ? "\n" : ".\n");
}

void text_applied(struct pen *pen, const struct br_report *report) {
	const struct br_apply_result *applied = report->applied;
	pen_say(pen, "Changed %" PRIu64 " of %" PRIu64 "",
		applied->changed + applied->made + applied->accounts, report->plan->changes);
	if (applied->made) {
		pen_say(pen, " (");
		pen_count(pen, applied->made, "directory", "directories");
	}
	if (applied->accounts) {
		pen_say(pen, applied->made ? " and " : " (");
		pen_count(pen, applied->accounts, "account", "accounts");
	}
	pen_say(pen, applied->made || applied->accounts ? " created).\n" : ".\n");
	for (size_t i = 0; i < applied->nexamples; i++) {
		pen_say(pen, "  left alone    ");
		pen_quote(pen, applied->examples[i]);
		pen_say(pen, ": ");
		pen_words(pen, applied->reasons[i] ? applied->reasons[i] : "?");
		pen_say(pen, "\n");
	}
	// What failed has been said in an error.
	if (applied->nexamples > 0 && applied->conflicts + applied->failed > applied->nexamples) {
		pen_say(pen, "  and %" PRIu64 " more\n",
			applied->conflicts + applied->failed - applied->nexamples);
	}
	if (applied->weak) {
		pen_wrap(pen, "Careful: ", 9, applied->weak);
	}
	if (applied->id[0]) {
		put_back(pen, applied);
		pen_say(pen, "\n");
	}
	pen_say(pen, "\n");
}
