#include "caps.h"
#include "task.h"

#include <base/text.h>

#include <string.h>

bool br_cred_in_group(const struct br_cred *cred, br_hostid gid) {
	if (cred->gid.v == gid.v) {
		return true;
	}
	size_t low = 0;
	size_t high = cred->ngroups;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (cred->groups[middle].v == gid.v) {
			return true;
		}
		if (cred->groups[middle].v < gid.v) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return false;
}

/**
 * The place of n bytes at `part`, which lie in text->s. Only where the file has the very same
 * characters, bare or in quotes; after interpolation or unescaping it is the place of the whole
 * word.
 */
static struct br_span place_of(
	const struct task *t, const struct br_text *text, const char *part, size_t n) {
	size_t len = strlen(text->s);
	size_t nbytes = 0;
	const char *bytes = br_places_bytes(br_diags_places(t->dx), text->at.text, &nbytes);
	if (!bytes || (size_t)text->at.off + text->at.len > nbytes) {
		return text->at;
	}
	size_t quote = text->at.len == len + 2;
	if (text->at.len != len + 2 * quote
		|| memcmp(bytes + text->at.off + quote, text->s, len) != 0) {
		return text->at;
	}
	return (struct br_span){
		.text = text->at.text,
		.off = text->at.off + (uint32_t)quote + (uint32_t)(part - text->s),
		.len = (uint32_t)n,
	};
}

bool task_is(const char *s, size_t n, const char *string) {
	return strlen(string) == n && memcmp(s, string, n) == 0;
}

int task_note(struct task *t, const char *field, const char *from, const struct br_text *text) {
	struct br_origin origin = {.field = field, .from = from};
	if (text) {
		origin.text = *text;
	}
	return br_vec_push(t->arena, &t->origins, origin) ? br_error_memory(t->dx) : 0;
}

static const char *image_source(enum br_image_origin origin) {
	switch (origin) {
	case BR_IMAGE_ARCHIVE:
		return "image archive";
	case BR_IMAGE_ENGINE:
		return "engine";
	case BR_IMAGE_DOCKERFILE:
		return "Dockerfile";
	case BR_IMAGE_KNOWN:
		return "known images";
	case BR_IMAGE_HOST:
		return "host file";
	case BR_IMAGE_NOTHING:
		break;
	}
	return "image";
}

int task_note_image(
	struct task *t, const char *field, const struct br_text *text, const char *file) {
	const struct br_image *image = t->image;
	struct br_origin origin = {.field = field, .from = image_source(image->origin)};
	origin.text = *text;
	// What has a place says where it is.
	origin.where = text->at.text ? NULL : image->from;
	if (origin.where && file && image->origin == BR_IMAGE_ARCHIVE) {
		origin.where = br_printf(t->arena, "%s: /etc/%s", image->from, file);
	}
	bool failed = image->from && !text->at.text && !origin.where;
	return failed || br_vec_push(t->arena, &t->origins, origin) ? br_error_memory(t->dx) : 0;
}

const char *task_engine(const struct task *t) {
	return br_engine_title(t->mode->engine);
}

bool task_engine_has(const struct task *t, enum br_trait trait) {
	return br_engine_has(t->mode->engine, t->mode->version, trait);
}

const char *task_runtime(const struct task *t) {
	const char *word = t->box->runtime.s;
	const char *slash = word ? strrchr(word, '/') : NULL;
	return slash ? slash + 1 : word ? word : t->mode->runtime;
}

void task_doubt(struct task *t, enum br_confidence most) {
	if (t->out->confidence > most) {
		t->out->confidence = most;
	}
}

static int refuse_range(struct task *t, const struct br_text *text, const struct br_half *half) {
	return br_error(t->dx, place_of(t, text, half->s, half->n),
		"'%.*s' is not from 0 to %d, the IDs that %s takes", (int)half->n, half->s,
		BR_BOX_ID_MAX, task_engine(t));
}

/** Say what the engine makes of a half that people read otherwise. */
static void warn_of_half(struct task *t, const struct br_half *half) {
	struct br_span at = place_of(t, &t->text, half->s, half->n);
	int n = (int)half->n;
	const char *engine = task_engine(t);
	char first = half->n ? half->s[0] : 0;
	char last = half->n ? half->s[half->n - 1] : 0;
	bool looks_like_number = first && strchr("0123456789+- \t", first);
	switch (half->kind) {
	case BR_HALF_NUMBER:
		if (first == '+' || first == '-') {
			br_warning(
				t->dx, at, "%s reads '%.*s' as %u", engine, n, half->s, half->id);
		} else if (first == '0' && half->n > 1) {
			br_warning(t->dx, at,
				"%s reads '%.*s' as %u: leading zeros do not make it octal", engine,
				n, half->s, half->id);
		}
		break;
	case BR_HALF_NAME:
		if (looks_like_number || last == ' ' || last == '\t') {
			br_warning(t->dx, at, "%s takes '%.*s' for a name, not for a number",
				engine, n, half->s);
		}
		break;
	case BR_HALF_EMPTY:
	case BR_HALF_RANGE:
		break;
	}
}

/** Say what the engine makes of a word with an empty half or too many. */
static void warn_of_word(struct task *t) {
	const struct br_text *user = &t->text;
	const struct br_user_word *word = &t->word;
	bool no_user = word->user.kind == BR_HALF_EMPTY;
	bool no_group = word->group.kind == BR_HALF_EMPTY;
	if (word->colon && no_user) {
		br_warning(t->dx, user->at,
			"no user stands before the colon of '%s', so %s takes root", user->s,
			task_engine(t));
		br_hint(t->dx,
			"if it is made of variables, set and export them: "
			"export UID; export GID=\"$(id -g)\"");
	} else if (word->colon && no_group) {
		br_warning(t->dx, user->at,
			"no group stands behind the colon of '%s', so the image decides about the group",
			user->s);
	}
	if (word->ignored) {
		size_t n = strlen(word->ignored);
		br_warning(t->dx, place_of(t, user, word->ignored, n),
			"%s ignores '%s', all from the second colon on", task_engine(t),
			word->ignored);
	}
}

/** Compose's word, or, where it is absent or empty, the image's; where there is none either, the
 * one whom keep-id keeps. */
static int choose_word(struct task *t) {
	t->text = t->box->user;
	if (!t->text.s || !*t->text.s) {
		t->text = t->image->user;
		t->from_image = true;
	}
	if (t->text.s && !*t->text.s && t->space.has_user && !t->box->exists) {
		t->text.s = br_printf(t->arena, "%u:%u", t->space.uid, t->space.gid);
		t->from_image = false;
		t->from_space = true;
		return t->text.s ? 0 : br_error_memory(t->dx);
	}
	if (t->text.s && *t->text.s) {
		t->out->user = t->text;
	}
	return 0;
}

/** A number that no engine takes is an error of compose's word; an image may be what it likes. */
static int read_user_word(struct task *t) {
	if (choose_word(t)) {
		return -1;
	}
	if (!t->text.s || !*t->text.s) {
		return 0;
	}
	t->word = br_user_word_read(t->text.s);
	if (!t->from_space && (!t->from_image || t->text.at.text)) {
		warn_of_word(t);
		warn_of_half(t, &t->word.user);
		warn_of_half(t, &t->word.group);
	}
	int result = 0;
	if (t->word.user.kind == BR_HALF_RANGE && !t->from_image) {
		result = refuse_range(t, &t->text, &t->word.user);
	}
	if (t->word.group.kind == BR_HALF_RANGE && !t->from_image) {
		result = refuse_range(t, &t->text, &t->word.group);
	}
	return result;
}

/** "--user NAME=UID:GID" with the numbers that are known already. */
static const char *make_pin(struct task *t) {
	struct br_buf buf = {0};
	br_buf_add(&buf, "--user ");
	br_buf_shell(&buf, t->box->name.s);
	if (t->pin) {
		br_buf_addf(&buf, "=%u:", t->pin->uid.v);
	} else if (t->word.user.kind == BR_HALF_NUMBER) {
		br_buf_addf(&buf, "=%u:", t->word.user.id);
	} else if (t->word.colon && t->word.user.kind == BR_HALF_EMPTY) {
		br_buf_add(&buf, "=0:");
	} else {
		br_buf_add(&buf, "=UID:");
	}
	if (t->word.group.kind == BR_HALF_NUMBER) {
		br_buf_addf(&buf, "%u", t->word.group.id);
	} else {
		br_buf_add(&buf, "GID");
	}
	const char *pin = buf.failed ? NULL : br_strdup(t->arena, buf.s);
	br_buf_release(&buf);
	return pin;
}

int task_unknown(struct task *t, const char *why) {
	t->out->confidence = BR_UNKNOWN;
	t->out->why = why;
	t->out->pin = make_pin(t);
	return t->out->why && t->out->pin ? 0 : br_error_memory(t->dx);
}

int task_refused(struct task *t, const char *why) {
	t->out->confidence = BR_UNKNOWN;
	t->out->why = why;
	return why ? 0 : br_error_memory(t->dx);
}

/** A name that is not among the accounts of the image, as far as they are known. */
static int miss_name(struct task *t, const char *what, const struct br_half *half) {
	const struct br_image *image = t->image;
	int n = (int)half->n;
	if (image->accounts_complete) {
		return task_refused(t,
			br_printf(t->arena,
				"the image has no %s '%.*s': the engine will refuse to start it",
				what, n, half->s));
	}
	if (image->origin == BR_IMAGE_DOCKERFILE) {
		return task_unknown(t,
			br_printf(t->arena,
				"the %s '%.*s' is a name, which the Dockerfile does not make and only its base image can know",
				what, n, half->s));
	}
	return task_unknown(t,
		br_printf(t->arena, "the %s '%.*s' is a name, which only the image knows", what, n,
			half->s));
}

static int refuse_image_range(struct task *t, const struct br_half *half) {
	return task_refused(t,
		br_printf(t->arena,
			"'%.*s' of the image's USER is not from 0 to %d: the engine will refuse to start it",
			(int)half->n, half->s, BR_BOX_ID_MAX));
}

static int leave_to_image(struct task *t) {
	const char *name = t->box->image.s;
	const char *rest = t->image->unknown;
	if (name) {
		return task_unknown(t,
			br_printf(t->arena, "no user is set, so the image '%s' decides%s%s", name,
				rest ? ": " : "", rest ? rest : ""));
	}
	return task_unknown(t,
		br_printf(t->arena, "no user is set, so the image decides%s%s", rest ? ": " : "",
			rest ? rest : ""));
}

/** Note the word that says it: the input's, the image's, or that of the user namespace. */
static int note_word(struct task *t, const char *field) {
	if (t->from_space) {
		return task_note(t, field, "user namespace", &t->space.word);
	}
	return t->from_image ? task_note_image(t, field, &t->text, NULL)
			     : task_note(t, field, t->input, &t->text);
}

/** The user's passwd line decides about what the word leaves open. */
static int take_entry(struct task *t) {
	const struct br_image_user *entry = t->entry;
	if (!entry) {
		return 0;
	}
	struct br_text name = {entry->name, entry->at};
	t->out->account = *entry->name ? entry->name : NULL;
	if (entry->malformed) {
		br_warning(t->dx, entry->at,
			"the passwd line of '%s' in the image of '%s' is malformed: %s makes uid %u, gid %u of it",
			entry->name, t->box->name.s, task_engine(t), entry->uid, entry->gid);
		br_hint(t->dx, "what is no number there is taken for 0, which is root");
	}
	bool named = t->word.user.kind == BR_HALF_NAME && !t->pin;
	if (named) {
		task_doubt(t, accounts_line_confidence(t->image, entry->allocated));
	}
	return named ? task_note_image(t, "uid", &name, "passwd") : 0;
}

/** 1: out->uid is set; 0: it is unknown and out says why; -1 without memory. */
static int settle_uid(struct task *t) {
	struct br_identity *out = t->out;
	const struct br_half *half = &t->word.user;
	if (t->pin) {
		out->uid = t->pin->uid;
		t->entry = accounts_user(t->image, out->uid.v);
		return task_note(t, "uid", "--user", &t->pin->service) || take_entry(t) ? -1 : 1;
	}
	if (!t->text.s) {
		return leave_to_image(t);
	}
	if (half->kind == BR_HALF_RANGE) {
		return refuse_image_range(t, half);
	}
	if (t->from_image) {
		task_doubt(t, accounts_confidence(t->image));
		out->known = t->image->origin == BR_IMAGE_KNOWN ? t->image->from : NULL;
	}
	// An empty half has the ID 0, which is what the engine takes.
	out->uid.v = half->id;
	t->entry = accounts_user(t->image, half->id);
	if (half->kind == BR_HALF_NAME) {
		const char *why = NULL;
		t->entry = accounts_user_named(t->image, half->s, half->n);
		if (!t->entry && host_users_find(t, half->s, half->n, &why) < 0) {
			return -1;
		}
		if (why) {
			return task_refused(t, why);
		}
		out->uid.v = t->entry ? t->entry->uid : 0;
	}
	if (half->kind == BR_HALF_NAME && !t->entry) {
		return miss_name(t, "user", half);
	}
	return note_word(t, "uid") || take_entry(t) ? -1 : 1;
}

/** No group is said: the passwd line has one, and the group file more; else it is 0. */
static int settle_implicit_gid(struct task *t) {
	const struct br_image_user *entry = t->entry;
	struct br_identity *out = t->out;
	// Behind a colon stands a group for Podman, even where nothing stands there.
	bool alone = t->word.colon && task_engine_has(t, BR_TRAIT_COLON_IS_GROUP);
	out->groups_unsure = !t->image->accounts_complete && !alone;
	if (!entry) {
		out->gid.v = 0;
		task_doubt(t,
			t->image->accounts_complete ? accounts_confidence(t->image) : BR_ASSUMED);
		return task_note(t, "gid", "engine default", NULL) ? -1 : 1;
	}
	if (entry->gid_unknown) {
		return task_unknown(t,
			br_printf(t->arena,
				"the primary group of '%s' is a name, which only the base image knows",
				entry->name));
	}
	struct br_text name = {entry->name, entry->at};
	bool unsaid = t->text.s && !*t->text.s && !t->pin;
	bool is_roots = unsaid && task_engine_has(t, BR_TRAIT_UNSAID_GROUP_IS_ROOTS);
	out->gid.v = is_roots ? 0 : entry->gid;
	task_doubt(t, accounts_line_confidence(t->image, entry->allocated));
	if (is_roots ? task_note(t, "gid", "engine default", NULL)
		     : task_note_image(t, "gid", &name, "passwd")) {
		return -1;
	}
	return !alone && accounts_add_member(t, entry->name) ? -1 : 1;
}

/** A group by name. */
static int settle_named_gid(struct task *t) {
	const struct br_half *half = &t->word.group;
	const struct br_image_group *group = accounts_group_named(t->image, half->s, half->n);
	if (!group) {
		return miss_name(t, "group", half);
	}
	struct br_text name = {group->name, group->at};
	if (group->malformed) {
		br_warning(t->dx, group->at,
			"the line of the group '%s' in the image of '%s' has no valid number: %s takes it for %u",
			group->name, t->box->name.s, task_engine(t), group->gid);
	}
	t->out->gid.v = group->gid;
	task_doubt(t, accounts_line_confidence(t->image, group->allocated));
	return note_word(t, "gid") || task_note_image(t, "gid", &name, "group") ? -1 : 1;
}

/** As settle_uid. */
static int settle_gid(struct task *t) {
	struct br_identity *out = t->out;
	const struct br_half *half = &t->word.group;
	if (t->pin && t->pin->has_gid) {
		out->groups_unsure = half->kind == BR_HALF_EMPTY;
		out->gid = t->pin->gid;
		return task_note(t, "gid", "--user", &t->pin->service) ? -1 : 1;
	}
	switch (half->kind) {
	case BR_HALF_RANGE:
		return refuse_image_range(t, half);
	case BR_HALF_NAME:
		return settle_named_gid(t);
	case BR_HALF_NUMBER:
		out->gid.v = half->id;
		return note_word(t, "gid") ? -1 : 1;
	case BR_HALF_EMPTY:
		break;
	}
	return settle_implicit_gid(t);
}

int task_add_group(struct task *t, br_boxid gid) {
	return br_vec_push(t->arena, &t->groups, gid) ? br_error_memory(t->dx) : 0;
}

/** An unknown identity shows its word and why, and nothing half known. */
static void forget(struct br_identity *out) {
	*out = (struct br_identity){
		.container = out->container,
		.user = out->user,
		.why = out->why,
		.pin = out->pin,
		.root_caps = out->root_caps,
	};
}

/** 1 with uid, gid and groups; 0: unknown; -1 with an error. */
static int settle(struct task *t, const char *refused) {
	bool unsure = t->out->groups_unsure;
	// The user namespace may have said why already.
	int known = t->out->why ? 0 : refused ? task_refused(t, refused) : settle_uid(t);
	if (known == 1) {
		known = settle_gid(t);
	}
	if (known == 1) {
		known = range_settle(t);
	}
	if (known != 1) {
		forget(t->out);
		return known;
	}
	t->out->groups_unsure |= unsure;
	return 1;
}

/** What runs is who it is, unless a pin says otherwise. */
static int identify_process(struct task *t) {
	struct br_caps caps = {0};
	t->out->confidence = BR_CERTAIN;
	t->out->user = t->box->user;
	if (live_settle(t, &caps) || idmapped_settle(t)) {
		return -1;
	}
	// It has dropped, or it does not; its workers are not it.
	return t->image->drop && t->image->drop->workers_only ? drop_find(t, &caps) : 0;
}

static int identify(struct task *t) {
	struct br_caps caps = {0};
	if (t->box->exists && t->existing && t->existing->process.pid && !t->pin) {
		return identify_process(t);
	}
	const char *refused = NULL;
	int bad_space = space_settle(t) < 0;
	int bad_word = read_user_word(t);
	int bad_caps = br_caps_of(t->box, t->mode, t->image, &caps, t->dx);
	t->out->confidence = BR_CERTAIN;
	t->out->root_caps = caps.bounding;
	int bad_groups = accounts_add_words(t, &refused);
	if (bad_space || bad_word || bad_caps || bad_groups) {
		return -1;
	}
	if (caps.conflict) {
		refused = br_printf(t->arena,
			"'%s' is added and dropped, which Podman refuses: it will not start it",
			caps.conflict);
	}
	int known = settle(t, refused);
	if (known != 1) {
		return known;
	}
	if (task_finish(t, &caps)) {
		return -1;
	}
	accounts_warn_numbers(t);
	return drop_find(t, &caps);
}

/** The last pin of a service wins, as the last option does. */
static const struct br_pin *find_pin(const struct br_identity_options *options, const char *name) {
	for (size_t i = options->npins; i > 0; i--) {
		if (strcmp(options->pins[i - 1].service.s, name) == 0) {
			return &options->pins[i - 1];
		}
	}
	return NULL;
}

static int refuse_pin(struct br_arena *arena, const struct br_spec *spec, const struct br_pin *pin,
	struct br_diags *dx) {
	const char **names = BR_NEW_ARRAY(arena, const char *, spec->n + 1);
	if (!names) {
		return br_error_memory(dx);
	}
	for (size_t i = 0; i < spec->n; i++) {
		names[i] = spec->containers[i].name.s;
	}
	(void)br_error(
		dx, pin->service.at, "no service '%s' is going to run", pin->service.s); // -1
	const char *near = br_nearest(pin->service.s, names);
	if (near) {
		br_hint(dx, "did you mean %s?", near);
	}
	return -1;
}

static int check_pins(struct br_arena *arena, const struct br_spec *spec,
	const struct br_identity_options *options, struct br_diags *dx) {
	int result = 0;
	for (size_t i = 0; i < options->npins; i++) {
		const struct br_pin *pin = &options->pins[i];
		bool found = false;
		for (size_t j = 0; j < spec->n && !found; j++) {
			found = strcmp(spec->containers[j].name.s, pin->service.s) == 0;
		}
		if (!found) {
			result = refuse_pin(arena, spec, pin, dx);
		} else if (pin->uid.v > BR_BOX_ID_MAX
			|| (pin->has_gid && pin->gid.v > BR_BOX_ID_MAX)) {
			result = br_error(dx, pin->at, "the IDs of a container go from 0 to %d",
				BR_BOX_ID_MAX);
		}
	}
	return result;
}

static const char *input_name(enum br_input_kind kind) {
	switch (kind) {
	case BR_INPUT_COMPOSE:
		return "compose";
	case BR_INPUT_RUN_LINE:
		return "run line";
	case BR_INPUT_OCI:
		return "bundle";
	case BR_INPUT_CONTAINER:
		return "container";
	}
	return "compose";
}

const struct br_identity *br_identify(struct br_arena *arena, const struct br_spec *spec,
	const struct br_identity_options *options, struct br_diags *dx) {
	int result = check_pins(arena, spec, options, dx);
	struct br_identity *all = BR_NEW_ARRAY(arena, struct br_identity, spec->n);
	if (!all) {
		(void)br_error_memory(dx); // it always says -1
		return NULL;
	}
	static const struct br_image nothing = {0};
	static const struct br_engine_mode docker = {.engine = BR_ENGINE_DOCKER};
	for (size_t i = 0; i < spec->n; i++) {
		struct task t = {
			.arena = arena,
			.dx = dx,
			.box = &spec->containers[i],
			.input = input_name(spec->kind),
			.pin = find_pin(options, spec->containers[i].name.s),
			.mode = options->mode ? options->mode : &docker,
			.image = options->images ? &options->images[i] : &nothing,
			.existing = options->existing
					&& (options->existing[i].is.json
						|| options->existing[i].alone)
				? &options->existing[i]
				: NULL,
			.out = &all[i],
		};
		all[i].container = t.box;
		if (identify(&t)) {
			result = -1;
		}
	}
	return result ? NULL : all;
}
