// How advice is written into the input. No rule of YAML, of shells or of compose is repeated here:
// what an edit comes to is found out by reading the input again as if it were made, and only one
// that says just what is meant is offered.

#include "advice.h"

#include <base/text.h>

#include <string.h>

enum {
	/** The most readings, and the most bytes of edited texts, of one plan: whoever writes a
	 * huge input gets less advice. */
	TRIALS_MAX = 64,
	TRIAL_BYTES = 4 << 20,
};

/** What the input is to say. */
struct goal {
	const struct text *text;
	struct br_advice *advice;
	/** As it is, but for this container. */
	struct br_spec spec;
	struct br_container *container;
	/** Where the container stands in it before. */
	const struct br_container *before;
};

// 1; 0 where nobody can try an edit; -1 with ENOMEM.
static int goal_open(struct goal *goal, const struct text *text,
	const struct br_container *container, struct br_advice *advice) {
	const struct br_spec *spec = text->plan->work->input.spec;
	if (text->plan->work->input.trial.read == NULL) {
		return 0;
	}
	struct br_container *copy = BR_NEW_ARRAY(text->plan->arena, struct br_container, spec->n);
	if (copy == NULL) {
		return -1;
	}
	memcpy(copy, spec->containers, spec->n * sizeof(*copy));
	*goal = (struct goal){
		.text = text,
		.advice = advice,
		.spec = *spec,
		.container = &copy[container - spec->containers],
		.before = container,
	};
	goal->spec.containers = copy;
	return 1;
}

/** The mount among the container's own, to be changed. NULL with ENOMEM. */
static struct br_mount *goal_mount(struct goal *goal, const struct br_mount *mount) {
	size_t n = goal->before->nmounts;
	struct br_mount *copy = BR_NEW_ARRAY(goal->text->plan->arena, struct br_mount, n);
	if (copy == NULL) {
		return NULL;
	}
	memcpy(copy, goal->before->mounts, n * sizeof(*copy));
	goal->container->mounts = copy;
	return &copy[mount - goal->before->mounts];
}

static bool is_line(const struct goal *goal) {
	return goal->spec.kind == BR_INPUT_RUN_LINE;
}

static const char *bytes_of(const struct goal *goal, struct br_span at, size_t *n) {
	const char *bytes = br_places_bytes(goal->text->places, at.text, n);
	return bytes != NULL && (size_t)at.off + at.len <= *n ? bytes + at.off : NULL;
}

// Words of the command line are none of a compose file's; what stands on standard input is in no
// file; bundles are made by programs.
static bool is_editable(const struct goal *goal, struct br_span at) {
	size_t n;
	const char *name = br_places_name(goal->text->places, at.text);
	if (name == NULL || bytes_of(goal, at, &n) == NULL || strcmp(name, "-") == 0
		|| strncmp(name, "/dev/", 5) == 0) {
		return false;
	}
	bool argv = strcmp(name, "<command line>") == 0;
	return is_line(goal) || (goal->spec.kind == BR_INPUT_COMPOSE && !argv);
}

// Whether there is anything left to be looked for.
static bool is_open(const struct goal *goal) {
	return goal->advice->with == NULL;
}

// Make the edit the advice's if it comes to what is meant. 0 or -1 with ENOMEM.
static int offer(struct goal *goal, struct br_span at, const char *with) {
	struct br_plan_work *work = goal->text->plan->work;
	const struct br_trial *trial = &work->input.trial;
	size_t n = 0;
	if (with == NULL) {
		return -1;
	}
	if (!is_open(goal) || !is_editable(goal, at) || bytes_of(goal, at, &n) == NULL
		|| work->trials == TRIALS_MAX || n > TRIAL_BYTES - work->trial_bytes) {
		return 0;
	}
	work->trials++;
	work->trial_bytes += n;
	struct br_spec *now = trial->read(trial->context, at, with);
	if (now == NULL) {
		return 0;
	}
	int same = br_spec_same(&goal->spec, now);
	br_spec_free(now);
	if (same > 0) {
		goal->advice->at = at;
		goal->advice->with = with;
	}
	return same < 0 ? -1 : 0;
}

static int offer_word(struct goal *goal, struct br_span at, const char *with) {
	return at.len == 0 ? 0 : offer(goal, at, with);
}

// ---- New members of mappings ----

// "key: value" as this mapping writes its keys.
static const char *member_words(
	const struct goal *goal, const char *bytes, size_t n, const char *key, const char *value) {
	size_t skip = 0;
	while (skip < n && strchr(" \t\r\n{", bytes[skip]) != NULL) {
		skip++;
	}
	bool quoted = *bytes == '{' && skip < n && bytes[skip] == '"';
	return br_printf(goal->text->plan->arena, quoted ? "\"%s\": %s" : "%s: %s", key, value);
}

// A new first line of a mapping that stands in the text, or a new first member between braces.
static int offer_member(struct goal *goal, struct br_span map, const char *key, const char *value) {
	struct br_position where;
	size_t n;
	const char *bytes = bytes_of(goal, map, &n);
	if (bytes == NULL || map.len == 0 || !is_editable(goal, map)
		|| !br_places_find(goal->text->places, map, &where)) {
		return 0;
	}
	const char *member = member_words(goal, bytes, map.len, key, value);
	bool flow = *bytes == '{';
	struct br_span at = {map.text, map.off + flow, 0};
	if (member == NULL) {
		return -1;
	}
	return offer(goal, at,
		flow ? br_printf(goal->text->plan->arena, "%s, ", member)
		     : br_printf(goal->text->plan->arena, "%s\n%*s", member, (int)where.column - 1,
			     ""));
}

// A key of the service, or an option in front of the run line's image.
static int offer_key(struct goal *goal, const char *key, const char *value, const char *option) {
	struct br_span image = goal->before->image.at;
	if (value == NULL || option == NULL) {
		return -1;
	}
	if (!is_line(goal)) {
		return offer_member(goal, goal->before->at, key, value);
	}
	const char *words = br_printf(goal->text->plan->arena, "%s ", option);
	if (goal->before->image.s == NULL || image.len == 0 || image.off == 0) {
		return 0;
	}
	// In front of the word, or of the quote that it stands in.
	struct br_span at = {image.text, image.off, 0};
	struct br_span quote = {image.text, image.off - 1, 0};
	return offer(goal, at, words) != 0 || offer(goal, quote, words) != 0 ? -1 : 0;
}

// ---- Words: user:, userns_mode: ----

/** A word of a service, and how it is written. */
struct word {
	const struct br_text *now;
	const char *key;
	const char *option;
	const char *value;
};

// The word that stands there takes another's place; where that is not in the service's own file, or
// others use it, too, the service gets a key of its own.
static int offer_words(struct goal *goal, const struct word *word) {
	struct br_arena *arena = goal->text->plan->arena;
	const char *quoted = is_line(goal) ? word->value : br_printf(arena, "\"%s\"", word->value);
	const char *option = br_printf(arena, "%s%s", word->option, word->value);
	bool stands = word->now->s != NULL;
	bool own = word->now->at.text == goal->before->at.text || is_line(goal);
	if (quoted == NULL || option == NULL
		|| (stands && own && offer_word(goal, word->now->at, quoted) != 0)
		|| offer_key(goal, word->key, quoted, option) != 0) {
		return -1;
	}
	return stands ? offer_word(goal, word->now->at, quoted) : 0;
}

/** `word->now` is where the container has it. */
static int edit_word(const struct text *text, const struct br_container *container,
	const struct word *word, struct br_advice *advice) {
	struct goal goal;
	int open = goal_open(&goal, text, container, advice);
	if (open <= 0) {
		return open;
	}
	if (word->now == &container->user) {
		goal.container->user.s = word->value;
	} else {
		goal.container->userns_mode.s = word->value;
	}
	return offer_words(&goal, word);
}

int edit_user(const struct text *text, const struct br_container *container, const char *user,
	struct br_advice *advice) {
	const struct word word = {&container->user, "user", "--user ", user};
	return edit_word(text, container, &word, advice);
}

int edit_userns(const struct text *text, const struct br_container *container, const char *mode,
	struct br_advice *advice) {
	const struct word word = {&container->userns_mode, "userns_mode", "--userns=", mode};
	return edit_word(text, container, &word, advice);
}

// ---- group_add: ----

// Behind the last group that stands in a list.
static int offer_item(struct goal *goal, const char *word) {
	struct br_arena *arena = goal->text->plan->arena;
	struct br_position where;
	const struct br_container *container = goal->before;
	struct br_span last = container->group_add[container->ngroup_add - 1].at;
	struct br_span end = {last.text, last.off + last.len, 0};
	if (last.len == 0 || !br_places_find(goal->text->places, last, &where)
		|| where.column < 3) {
		return 0;
	}
	return offer(goal, end, br_printf(arena, ", %s", word)) != 0
			|| offer(goal, end,
				   br_printf(arena, "\n%*s- %s", (int)where.column - 3, "", word))
				!= 0
		? -1
		: 0;
}

int edit_group(const struct text *text, const struct br_container *container, const char *gid,
	struct br_advice *advice) {
	struct goal goal;
	int open = goal_open(&goal, text, container, advice);
	if (open <= 0) {
		return open;
	}
	struct br_arena *arena = text->plan->arena;
	size_t n = container->ngroup_add;
	struct br_text *groups = BR_NEW_ARRAY(arena, struct br_text, n + 1);
	const char *word = br_printf(arena, "\"%s\"", gid);
	const char *list = br_printf(arena, "[\"%s\"]", gid);
	const char *option = br_printf(arena, "--group-add %s", gid);
	if (groups == NULL || word == NULL) {
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		groups[i] = container->group_add[i];
	}
	groups[n].s = gid;
	goal.container->group_add = groups;
	goal.container->ngroup_add = n + 1;
	bool own = n > 0 && groups[n - 1].at.text == container->at.text && !is_line(&goal);
	if ((own && offer_item(&goal, word) != 0)
		|| offer_key(&goal, "group_add", list, option) != 0) {
		return -1;
	}
	return n > 0 && !is_line(&goal) ? offer_item(&goal, word) : 0;
}

// ---- Options of a mount ----

// "rw" that stands among them becomes "ro".
static int offer_other_option(struct goal *goal, struct br_mount *mount, const char *option) {
	struct br_text *options =
		BR_NEW_ARRAY(goal->text->plan->arena, struct br_text, mount->noptions);
	if (options == NULL) {
		return -1;
	}
	for (size_t i = 0; i < mount->noptions; i++) {
		options[i] = mount->options[i];
	}
	const struct br_text *were = mount->options;
	mount->options = options;
	for (size_t i = 0; i < mount->noptions; i++) {
		if (strcmp(options[i].s, "rw") == 0) {
			options[i].s = option;
			return offer_word(goal, options[i].at, option);
		}
	}
	mount->options = were;
	return 0;
}

// One more option at the end of a short mount, behind ':' or ','.
static int offer_option(struct goal *goal, struct br_mount *mount, const char *option) {
	struct br_arena *arena = goal->text->plan->arena;
	size_t left;
	size_t n = mount->noptions;
	const char *bytes = bytes_of(goal, mount->at, &left);
	struct br_text *options = BR_NEW_ARRAY(arena, struct br_text, n + 1);
	if (options == NULL) {
		return -1;
	}
	if (bytes == NULL || mount->at.len < 2) {
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		options[i] = mount->options[i];
	}
	options[n].s = option;
	const struct br_text *were = mount->options;
	mount->options = options;
	mount->noptions = n + 1;
	char last = bytes[mount->at.len - 1];
	uint32_t quoted = last == '"' || last == '\'';
	struct br_span end = {mount->at.text, mount->at.off + mount->at.len - quoted, 0};
	if (offer(goal, end, br_printf(arena, ":%s", option)) != 0
		|| offer(goal, end, br_printf(arena, ",%s", option)) != 0) {
		return -1;
	}
	// type=bind,source=…,target=…: what is a key there is no option.
	mount->options = were;
	mount->noptions = n;
	return offer(goal, end, br_printf(arena, ",%s", option));
}

int edit_read_only(const struct text *text, const struct br_container *container,
	const struct br_mount *mount, struct br_advice *advice) {
	struct goal goal;
	int open = goal_open(&goal, text, container, advice);
	if (open <= 0) {
		return open;
	}
	struct br_mount *meant = goal_mount(&goal, mount);
	if (meant == NULL) {
		return -1;
	}
	meant->read_only = true;
	return offer_member(&goal, mount->at, "read_only", "true") != 0
			|| offer_other_option(&goal, meant, "ro") != 0
			|| (is_open(&goal) && offer_option(&goal, meant, "ro") != 0)
		? -1
		: 0;
}

int edit_idmap(const struct text *text, const struct br_container *container,
	const struct br_mount *mount, struct br_advice *advice) {
	struct goal goal;
	int open = goal_open(&goal, text, container, advice);
	if (open <= 0) {
		return open;
	}
	struct br_mount *meant = goal_mount(&goal, mount);
	if (meant == NULL) {
		return -1;
	}
	meant->idmap.s = "idmap";
	return offer_option(&goal, meant, "idmap");
}
