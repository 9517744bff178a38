/** What the image's passwd and group files say of words, as moby/sys/user finds it there. */
#include "task.h"

#include <base/text.h>

#include <stdio.h>
#include <string.h>

enum br_confidence accounts_confidence(const struct br_image *image) {
	switch (image->origin) {
	case BR_IMAGE_ARCHIVE:
	case BR_IMAGE_HOST:
	case BR_IMAGE_ENGINE:
		return BR_CERTAIN;
	case BR_IMAGE_DOCKERFILE:
	case BR_IMAGE_KNOWN:
		return BR_DERIVED;
	case BR_IMAGE_NOTHING:
		break;
	}
	return BR_ASSUMED;
}

enum br_confidence accounts_line_confidence(const struct br_image *image, bool allocated) {
	return allocated && !image->accounts_complete ? BR_ASSUMED : accounts_confidence(image);
}

const struct br_image_user *accounts_user(const struct br_image *image, uint32_t uid) {
	for (size_t i = 0; i < image->nusers; i++) {
		if (image->users[i].uid == uid && !image->users[i].wraps) {
			return &image->users[i];
		}
	}
	return NULL;
}

const struct br_image_user *accounts_user_named(
	const struct br_image *image, const char *name, size_t n) {
	for (size_t i = 0; i < image->nusers; i++) {
		if (task_is(name, n, image->users[i].name)) {
			return &image->users[i];
		}
	}
	return NULL;
}

const struct br_image_group *accounts_group_named(
	const struct br_image *image, const char *name, size_t n) {
	for (size_t i = 0; i < image->ngroups; i++) {
		if (task_is(name, n, image->groups[i].name)) {
			return &image->groups[i];
		}
	}
	return NULL;
}

static bool has_member(const struct br_image_group *group, const char *name) {
	for (size_t i = 0; group->members && group->members[i]; i++) {
		if (strcmp(group->members[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static void warn_malformed(struct task *t, const struct br_image_group *group) {
	if (group->malformed) {
		br_warning(t->dx, group->at,
			"the line of the group '%s' in the image of '%s' has no valid number: %s takes it for %u",
			group->name, t->box->name.s, task_engine(t), group->gid);
	}
}

static int add_line(struct task *t, const struct br_image_group *group) {
	struct br_text text = {group->name, group->at};
	warn_malformed(t, group);
	task_doubt(t, accounts_line_confidence(t->image, group->allocated));
	return task_add_group(t, (br_boxid){group->gid})
			|| task_note_image(t, "groups", &text, "group")
		? -1
		: 0;
}

/** Podman goes by the number before it is cut to 32 bits (container_internal_linux.go: of all that
 * fits the map of no user namespace). */
static bool is_left_out(const struct task *t, const struct br_image_group *group) {
	return task_engine_has(t, BR_TRAIT_DROPS_LARGE_GROUPS)
		&& (group->wraps || group->gid >= BR_BOX_ID_MAX);
}

int accounts_add_member(struct task *t, const char *name) {
	for (size_t i = 0; *name && i < t->image->ngroups; i++) {
		const struct br_image_group *group = &t->image->groups[i];
		if (has_member(group, name) && !is_left_out(t, group) && add_line(t, group)) {
			return -1;
		}
	}
	return 0;
}

/** group_add under work: what was taken from it so far. */
struct taken {
	br_vec(uint32_t) gids;
};

static bool is_taken(const struct taken *taken, uint32_t gid) {
	for (size_t i = 0; i < taken->gids.n; i++) {
		if (taken->gids.v[i] == gid) {
			return true;
		}
	}
	return false;
}

/** Whether a word means this line: by name, or by its number as the engine writes it ("044" is no
 * way to write 44). */
static bool means(const struct br_image_group *group, const char *word) {
	char number[16];
	(void)snprintf(number, sizeof(number), "%u", group->gid); // it fits
	return strcmp(group->name, word) == 0 || strcmp(number, word) == 0;
}

/** Like the engine: the first line that the word means and that no word before has taken. NULL
 * where there is none. */
static const struct br_image_group *find_line(
	const struct br_image *image, const struct taken *taken, const char *word) {
	for (size_t i = 0; i < image->ngroups; i++) {
		if (means(&image->groups[i], word) && !is_taken(taken, image->groups[i].gid)) {
			return &image->groups[i];
		}
	}
	return NULL;
}

/** A name that is not among the image's groups. */
static int miss_word(struct task *t, const struct br_text *text, const char **why) {
	if (t->image->accounts_complete) {
		// The engine looks only for groups that no word before has named.
		bool again = accounts_group_named(t->image, text->s, strlen(text->s)) != NULL;
		*why = br_printf(t->arena,
			"group_add names '%s'%s: the engine will refuse to start it", text->s,
			again ? " after its number or another name of its"
			      : ", which is no group of the image");
		return *why ? 0 : br_error_memory(t->dx);
	}
	br_warning(t->dx, text->at,
		"the group '%s' is a name, which only the image knows: it is not counted", text->s);
	br_hint(t->dx, "give its number");
	t->out->groups_unsure = true;
	return 0;
}

static int take(struct task *t, struct taken *taken, const struct br_text *text, uint32_t gid) {
	return br_vec_push(t->arena, &taken->gids, gid)
			|| br_vec_push(t->arena, &t->added, (br_boxid){gid})
		? br_error_memory(t->dx)
		: task_add_group(t, (br_boxid){gid}) || task_note(t, "groups", t->input, text) ? -1
											       : 0;
}

static int take_line(struct task *t, struct taken *taken, const struct br_text *text,
	const struct br_image_group *group) {
	struct br_text name = {group->name, group->at};
	warn_malformed(t, group);
	task_doubt(t, accounts_line_confidence(t->image, group->allocated));
	return take(t, taken, text, group->gid) || task_note_image(t, "groups", &name, "group") ? -1
												: 0;
}

static int refuse_range(struct task *t, const struct br_text *text) {
	return br_error(t->dx, text->at, "'%s' is not from 0 to %d, the IDs that %s takes", text->s,
		BR_BOX_ID_MAX, task_engine(t));
}

/** Podman's own word: the groups of who runs the engine stay, and the image's do not come. crun
 * does it; runc leaves the word alone. */
static int keep_groups(struct task *t, const struct br_text *text, const char **why) {
	const char *runtime = task_runtime(t);
	if (t->box->ngroup_add > 1) {
		*why = "keep-groups excludes other groups: the engine will refuse to start it";
		return 0;
	}
	if (runtime && strcmp(runtime, "crun") != 0) {
		br_warning(t->dx, text->at, "%s does nothing about keep-groups: only crun does",
			runtime);
		return 0;
	}
	if (!runtime) {
		br_warning(t->dx, text->at,
			"keep-groups needs the runtime crun: others leave it out silently");
	}
	t->keeps_groups = true;
	return task_note(t, "groups", t->input, text);
}

/** The annotation of the settings: what crun makes of it takes the place of all groups. */
static int keep_groups_always(struct task *t) {
	const struct br_text *text = &t->mode->settings.keep_groups;
	const char *runtime = task_runtime(t);
	if (runtime && strcmp(runtime, "crun") != 0) {
		return 0;
	}
	t->keeps_groups = true;
	return task_note(t, "groups", "containers.conf", text);
}

static int add_word(
	struct task *t, struct taken *taken, const struct br_text *text, const char **why) {
	struct br_half half = br_half_read(text->s, strlen(text->s));
	const struct br_image_group *group = find_line(t->image, taken, text->s);
	bool podman = br_engine_is_podman(t->mode->engine);
	if (podman && half.kind == BR_HALF_EMPTY) {
		return 0;
	}
	if (podman && strcmp(text->s, "keep-groups") == 0) {
		return keep_groups(t, text, why);
	}
	if (half.kind == BR_HALF_EMPTY) {
		return br_error(t->dx, text->at, "an empty group cannot be added");
	}
	if (group && strcmp(group->name, text->s) == 0) {
		return take_line(t, taken, text, group);
	}
	switch (half.kind) {
	case BR_HALF_RANGE:
		return refuse_range(t, text);
	case BR_HALF_NUMBER:
		return take(t, taken, text, half.id);
	case BR_HALF_NAME:
	case BR_HALF_EMPTY:
		break;
	}
	return miss_word(t, text, why);
}

int accounts_add_words(struct task *t, const char **why) {
	struct taken taken = {0};
	int result = 0;
	if (t->mode->settings.keep_groups.s && !t->box->exists && keep_groups_always(t)) {
		return -1;
	}
	for (size_t i = 0; i < t->box->ngroup_add; i++) {
		result = add_word(t, &taken, &t->box->group_add[i], why) ? -1 : result;
	}
	return result;
}

static bool is_in(const struct task *t, uint32_t gid) {
	for (size_t i = 0; i < t->groups.n; i++) {
		if (t->groups.v[i].v == gid) {
			return true;
		}
	}
	return false;
}

void accounts_warn_numbers(struct task *t) {
	for (size_t i = 0; i < t->image->ngroups; i++) {
		const struct br_image_group *group = &t->image->groups[i];
		struct br_half half = br_half_read(group->name, strlen(group->name));
		if (half.kind != BR_HALF_NUMBER || half.id == group->gid || !is_in(t, half.id)) {
			continue;
		}
		br_warning(t->dx, group->at,
			"the image of '%s' has a group with the name '%s' and the number %u: older runtimes give it instead of group %u",
			t->box->name.s, group->name, group->gid, half.id);
		t->out->groups_unsure = true;
	}
}
