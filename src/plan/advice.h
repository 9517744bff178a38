/** Advice, in three parts: what would serve (advice.c), how it is written (edits.c), and what is
 * left to choose (choices.c). */
#ifndef BR_PLAN_ADVICE_H
#define BR_PLAN_ADVICE_H

#include "work.h"

/** Where the edits are made. */
struct text {
	struct br_plan *plan;
	const struct br_places *places;
};

/** Keep a piece of advice; there is room for so many. 0; -1 with ENOMEM, also where its sentences
 * have found no memory. */
int advice_add(struct br_plan *plan, const struct br_advice *advice);

/*
 * Each fills `at` and `with` by an edit after which the input reads just as meant, and as before in
 * everything else; where there is none they stay as they are. An edit in the file of the service
 * itself is preferred to one in a file that others may use, too. 0 or -1 with ENOMEM.
 */
int edit_user(const struct text *text, const struct br_container *container, const char *user,
	struct br_advice *advice);
int edit_group(const struct text *text, const struct br_container *container, const char *gid,
	struct br_advice *advice);
int edit_userns(const struct text *text, const struct br_container *container, const char *mode,
	struct br_advice *advice);
int edit_read_only(const struct text *text, const struct br_container *container,
	const struct br_mount *mount, struct br_advice *advice);
int edit_idmap(const struct text *text, const struct br_container *container,
	const struct br_mount *mount, struct br_advice *advice);

/** What is left to choose where nothing serves exactly. 0 or -1 with ENOMEM. */
int choices_all(struct br_plan *plan);

#endif
