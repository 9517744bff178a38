/** The second identity: whom an image's entrypoint drops to. */
#include "caps.h"
#include "task.h"

#include <base/text.h>

#include <string.h>

const struct br_identity *br_identity_of_data(const struct br_identity *identity, bool writes) {
	const struct br_image_drop *drop = identity->drop;
	bool to = identity->drops_to && (!drop->workers_only || (writes && drop->chowns));
	return to ? identity->drops_to : identity;
}

/** Whether a path is one of those in the list, or below it. */
static bool is_within(const char *list, const char *path) {
	while (*list) {
		size_t n = strcspn(list, "|");
		if (strncmp(list, path, n) == 0 && (path[n] == 0 || path[n] == '/')) {
			return true;
		}
		list += n + (list[n] == '|');
	}
	return false;
}

const struct br_identity *br_identity_of_mount(
	const struct br_identity *identity, const struct br_mount *mount, bool missing) {
	const struct br_image_drop *drop = identity->drop;
	bool writes = !mount->read_only && mount->kind != BR_MOUNT_SECRET
		&& mount->kind != BR_MOUNT_CONFIG;
	bool gives = identity->drops_to && drop->data && writes && (missing || !drop->only_new)
		&& mount->target.s
		&& identity->cred.caps & UINT64_C(1) << (unsigned)br_cap_number("CAP_CHOWN")
		&& is_within(drop->data, mount->target.s);
	return gives ? identity : br_identity_of_data(identity, writes);
}

/** The value of "NAME=VALUE" where the name is this one, or NULL. */
static const char *value_of(const char *word, const char *name) {
	size_t n = strlen(name);
	return strncmp(word, name, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

/** A variable that chooses an ID. */
struct choice {
	/** NULL where it is not set, or empty. */
	const char *value;
	/** The word that sets it, and whether compose does. */
	struct br_text text;
	bool from_compose;
};

static struct choice find_choice(const struct task *t, const char *name) {
	struct choice found = {0};
	for (size_t i = 0; name && i < t->image->nenvironment; i++) {
		const char *value = value_of(t->image->environment[i], name);
		if (value) {
			found = (struct choice){value, {.s = t->image->environment[i]}, false};
		}
	}
	for (size_t i = 0; name && i < t->box->nenvironment; i++) {
		const char *value = value_of(t->box->environment[i].s, name);
		if (value) {
			found = (struct choice){value, t->box->environment[i], true};
		}
	}
	return found.value && *found.value ? found : (struct choice){0};
}

/** Note where the ID is from. */
static int note_choice(struct task *t, const char *field, const struct choice *choice) {
	if (choice->value) {
		return choice->from_compose ? task_note(t, field, t->input, &choice->text)
					    : task_note_image(t, field, &choice->text, NULL);
	}
	struct br_origin origin = {.field = field, .from = "known images", .where = t->out->known};
	return br_vec_push(t->arena, &t->origins, origin) ? br_error_memory(t->dx) : 0;
}

/** 1: *out is set; 0: what the variable holds is no ID, and the identity is unknown; -1 without
 * memory. */
static int settle_id(struct task *t, const char *field, const char *variable, uint32_t *out) {
	struct choice choice = find_choice(t, variable);
	if (choice.value) {
		struct br_half half = br_half_read(choice.value, strlen(choice.value));
		if (half.kind != BR_HALF_NUMBER) {
			return task_unknown(t,
				br_printf(t->arena,
					"its image takes whom it drops to from %s, and '%s' is no ID",
					variable, choice.value));
		}
		*out = half.id;
	}
	return note_choice(t, field, &choice) ? -1 : 1;
}

/** It takes the groups of its account, and loses those of the first process. */
static int settle_groups(struct task *t, const struct br_image_drop *drop) {
	const struct br_image *image = t->image;
	struct br_identity *out = t->out;
	t->entry = accounts_user(image, out->uid.v);
	out->groups_unsure = !image->accounts_complete;
	if (image->accounts_complete && !t->entry && !drop->uid_variable) {
		// The table speaks of another version of the image, then.
		task_doubt(t, BR_ASSUMED);
	}
	if (!t->entry || !*t->entry->name) {
		return 0;
	}
	out->account = t->entry->name;
	return accounts_add_member(t, out->account);
}

static int settle(struct task *t, const struct br_image_drop *drop) {
	struct br_identity *out = t->out;
	bool sure =
		strcmp(drop->certainty, "source") == 0 || strcmp(drop->certainty, "derived") == 0;
	out->known = br_printf(t->arena, "known images (%s; %s)", drop->source, drop->certainty);
	if (!out->known) {
		return br_error_memory(t->dx);
	}
	out->confidence = sure ? BR_DERIVED : BR_ASSUMED;
	out->uid.v = drop->uid;
	out->gid.v = drop->gid;
	int known = settle_id(t, "uid", drop->uid_variable, &out->uid.v);
	if (known == 1) {
		known = settle_id(t, "gid", drop->gid_variable, &out->gid.v);
	}
	if (known != 1) {
		return known;
	}
	return settle_groups(t, drop) ? -1 : 1;
}

static bool may_drop(const struct task *t, uint64_t bounding) {
	uint64_t needs = UINT64_C(1) << (unsigned)br_cap_number("CAP_SETUID")
		| UINT64_C(1) << (unsigned)br_cap_number("CAP_SETGID");
	return t->image->drop && t->out->uid.v == 0 && !t->pin && !t->box->has_entrypoint
		&& (bounding & needs) == needs;
}

int drop_find(struct task *t, const struct br_caps *caps) {
	if (!may_drop(t, caps->bounding)) {
		return 0;
	}
	struct br_identity *made = BR_NEW(t->arena, struct br_identity);
	if (!made) {
		return br_error_memory(t->dx);
	}
	// Who gives up root has no capabilities left, whatever the engine added.
	struct br_caps none = {.bounding = caps->bounding};
	struct task second = *t;
	second.out = made;
	second.groups.v = NULL;
	second.groups.n = second.groups.cap = 0;
	second.origins.v = NULL;
	second.origins.n = second.origins.cap = 0;
	made->container = t->box;
	made->drop = t->image->drop;
	made->root_caps = caps->bounding;
	int known = settle(&second, t->image->drop);
	if (known < 0 || (known == 1 && task_finish(&second, &none))) {
		return -1;
	}
	if (known == 0) {
		made->uid.v = made->gid.v = 0;
	}
	// PUID=0 and the like: it stays root.
	if (known == 1 && made->uid.v == 0) {
		return 0;
	}
	t->out->drop = t->image->drop;
	t->out->drops_to = made;
	return 0;
}
