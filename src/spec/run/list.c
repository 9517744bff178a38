/** Lists of bash: NAME=(…), NAME+=(…). */
#include "run.h"

#include <string.h>

struct br_words_of *br_list_find(const struct br_run *run, const char *name) {
	for (size_t i = run->lists.n; i-- > 0;) {
		if (strcmp(run->lists.v[i]->name, name) == 0) {
			return run->lists.v[i];
		}
	}
	return NULL;
}

static br_take_command add_words;

static int add_words(struct br_run *run, void *context, const struct br_command *command) {
	struct br_words_of *list = context;
	for (size_t i = 0; i < command->n; i++) {
		if (list->words.n >= BR_RUN_WORDS) {
			return br_error(run->dx, command->words[i].at,
				"more than %d words in one list", BR_RUN_WORDS);
		}
		if (br_vec_push(run->arena, &list->words, command->words[i])) {
			return br_error_memory(run->dx);
		}
	}
	return 0;
}

int br_list_set(
	struct br_run *run, const char *name, struct br_chars text, bool adds, unsigned depth) {
	struct br_words_of *list = br_list_find(run, name);
	if (depth >= BR_RUN_DEPTH) {
		return br_error(run->dx, br_chars_at(run, text, 0, text.n),
			"more than %d expansions inside each other", BR_RUN_DEPTH);
	}
	if (!list && run->lists.n >= BR_RUN_VARIABLES) {
		return br_error(run->dx, br_chars_at(run, text, 0, text.n), "more than %d lists",
			BR_RUN_VARIABLES);
	}
	// Which branch will be taken is not known: what is set twice counts for nothing.
	bool is_unsure = list && run->conditions;
	if (!list) {
		list = BR_NEW(run->arena, struct br_words_of);
		if (!list || br_vec_push(run->arena, &run->lists, list)) {
			return br_error_memory(run->dx);
		}
		list->name = name;
	}
	list->words.n = adds ? list->words.n : 0;
	if (br_shell_read_deep(run, text, add_words, list, depth + 1)) {
		return -1;
	}
	if (is_unsure) {
		struct br_word word = {.bare = true};
		word.hole = br_hole_new(run, text, NULL);
		word.is = br_chars_part(text, 0, 0);
		word.at = br_chars_at(run, text, 0, text.n);
		list->words.n = 0;
		return !word.hole || add_words(run, list, &(struct br_command){&word, 1, '\0', {0}})
			? -1
			: 0;
	}
	return 0;
}
