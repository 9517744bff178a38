#include "caps.h"
#include "user_word.h"

#include <base/text.h>
#include <bindright/identity.h>

#include <stdlib.h>
#include <string.h>

/** The umask of a container's process; Docker has no option for it. */
#define ENGINE_UMASK 022

/** One container on its way to an identity. */
struct task {
	struct br_arena *arena;
	struct br_diags *dx;
	const struct br_container *box;
	/** The pin that names it, or NULL. */
	const struct br_pin *pin;
	struct br_user_word word;
	br_vec(br_boxid) groups;
	br_vec(struct br_origin) origins;
	struct br_identity *out;
};

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
 * The place of n bytes at `part`, which lie in text->s. Only where the file has the very same characters, bare or in
 * quotes; after interpolation or unescaping it is the place of the whole word.
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

static int note_origin(
	struct task *t, const char *field, const char *from, const struct br_text *text) {
	struct br_origin origin = {.field = field, .from = from};
	if (text) {
		origin.text = *text;
	}
	return br_vec_push(t->arena, &t->origins, origin) ? br_error_memory(t->dx) : 0;
}

static int refuse_range(struct task *t, const struct br_text *text, const struct br_half *half) {
	return br_error(t->dx, place_of(t, text, half->s, half->n),
		"'%.*s' is not from 0 to %d, the IDs that Docker takes", (int)half->n, half->s,
		BR_BOX_ID_MAX);
}

/** Say what Docker makes of a half that people read otherwise. */
static void warn_of_half(struct task *t, const struct br_half *half) {
	struct br_span at = place_of(t, &t->box->user, half->s, half->n);
	int n = (int)half->n;
	char first = half->n ? half->s[0] : 0;
	char last = half->n ? half->s[half->n - 1] : 0;
	bool looks_like_number = first && strchr("0123456789+- \t", first);
	switch (half->kind) {
	case BR_HALF_NUMBER:
		if (first == '+' || first == '-') {
			br_warning(t->dx, at, "Docker reads '%.*s' as %u", n, half->s, half->id);
		} else if (first == '0' && half->n > 1) {
			br_warning(t->dx, at,
				"Docker reads '%.*s' as %u: leading zeros do not make it octal", n,
				half->s, half->id);
		}
		break;
	case BR_HALF_NAME:
		if (looks_like_number || last == ' ' || last == '\t') {
			br_warning(t->dx, at, "Docker takes '%.*s' for a name, not for a number", n,
				half->s);
		}
		break;
	case BR_HALF_EMPTY:
	case BR_HALF_RANGE:
		break;
	}
}

/** Say what Docker makes of a word with an empty half or too many. */
static void warn_of_word(struct task *t) {
	const struct br_text *user = &t->box->user;
	const struct br_user_word *word = &t->word;
	bool no_user = word->user.kind == BR_HALF_EMPTY;
	bool no_group = word->group.kind == BR_HALF_EMPTY;
	if (word->colon && no_user) {
		br_warning(t->dx, user->at,
			"no user stands before the colon of '%s', so Docker takes root", user->s);
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
			"Docker ignores '%s', all from the second colon on", word->ignored);
	}
}

static int read_user_word(struct task *t) {
	const struct br_text *user = &t->box->user;
	// An empty word is as good as none: the image's user stays.
	if (!user->s || !*user->s) {
		return 0;
	}
	t->out->user = *user;
	t->word = br_user_word_read(user->s);
	warn_of_word(t);
	warn_of_half(t, &t->word.user);
	warn_of_half(t, &t->word.group);
	int result = 0;
	if (t->word.user.kind == BR_HALF_RANGE) {
		result = refuse_range(t, user, &t->word.user);
	}
	if (t->word.group.kind == BR_HALF_RANGE) {
		result = refuse_range(t, user, &t->word.group);
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

/** The identity is not known; `why` may be NULL for lack of memory. */
static int leave_unknown(struct task *t, const char *why) {
	t->out->confidence = BR_UNKNOWN;
	t->out->why = why;
	t->out->pin = make_pin(t);
	return t->out->why && t->out->pin ? 0 : br_error_memory(t->dx);
}

static int leave_to_name(struct task *t, const char *what, const struct br_half *half) {
	return leave_unknown(t,
		br_printf(t->arena, "the %s '%.*s' is a name, which only the image knows", what,
			(int)half->n, half->s));
}

static int leave_to_image(struct task *t) {
	if (t->box->image.s) {
		return leave_unknown(t,
			br_printf(t->arena, "no user is set, so the image '%s' decides",
				t->box->image.s));
	}
	return leave_unknown(t, br_strdup(t->arena, "no user is set, so the image decides"));
}

/** 1: out->uid is set; 0: it is unknown and out says why; -1 without memory. */
static int settle_uid(struct task *t) {
	struct br_identity *out = t->out;
	if (t->pin) {
		out->uid = t->pin->uid;
		return note_origin(t, "uid", "--user", &t->pin->service) ? -1 : 1;
	}
	if (!out->user.s) {
		return leave_to_image(t);
	}
	if (t->word.user.kind == BR_HALF_NAME) {
		return leave_to_name(t, "user", &t->word.user);
	}
	// An empty half has the ID 0, which is what the engine takes.
	out->uid.v = t->word.user.id;
	return note_origin(t, "uid", "compose", &out->user) ? -1 : 1;
}

/** As settle_uid. Also the confidence, which hangs on where the group is from. */
static int settle_gid(struct task *t) {
	struct br_identity *out = t->out;
	out->groups_unsure = t->word.group.kind == BR_HALF_EMPTY;
	out->confidence = BR_CERTAIN;
	if (t->pin && t->pin->has_gid) {
		out->gid = t->pin->gid;
		return note_origin(t, "gid", "--user", &t->pin->service) ? -1 : 1;
	}
	if (t->word.group.kind == BR_HALF_NAME) {
		return leave_to_name(t, "group", &t->word.group);
	}
	out->gid.v = t->word.group.id;
	if (t->word.group.kind == BR_HALF_NUMBER) {
		return note_origin(t, "gid", "compose", &out->user) ? -1 : 1;
	}
	// Group 0, unless the image's passwd has a line for the UID.
	out->confidence = BR_ASSUMED;
	return note_origin(t, "gid", "engine default", NULL) ? -1 : 1;
}

static int add_group(struct task *t, br_boxid gid) {
	return br_vec_push(t->arena, &t->groups, gid) ? br_error_memory(t->dx) : 0;
}

/** Judge the words of group_add. All are judged, so that all errors are seen. */
static int add_groups(struct task *t) {
	int result = 0;
	for (size_t i = 0; i < t->box->ngroup_add; i++) {
		const struct br_text *text = &t->box->group_add[i];
		struct br_half half = br_half_read(text->s, strlen(text->s));
		switch (half.kind) {
		case BR_HALF_EMPTY:
			result = br_error(t->dx, text->at, "an empty group cannot be added");
			break;
		case BR_HALF_RANGE:
			result = refuse_range(t, text, &half);
			break;
		case BR_HALF_NAME:
			br_warning(t->dx, text->at,
				"the group '%s' is a name, which only the image knows: it is not counted",
				text->s);
			br_hint(t->dx, "give its number");
			t->out->groups_unsure = true;
			break;
		case BR_HALF_NUMBER:
			if (add_group(t, (br_boxid){half.id})
				|| note_origin(t, "groups", "compose", text)) {
				return -1;
			}
			break;
		}
	}
	return result;
}

static int compare_boxids(const void *a, const void *b) {
	uint32_t x = ((const br_boxid *)a)->v;
	uint32_t y = ((const br_boxid *)b)->v;
	return (x > y) - (x < y);
}

static void sort_groups(struct task *t) {
	qsort(t->groups.v, t->groups.n, sizeof(*t->groups.v), compare_boxids);
	size_t n = 0;
	for (size_t i = 0; i < t->groups.n; i++) {
		if (n == 0 || t->groups.v[i].v != t->groups.v[n - 1].v) {
			t->groups.v[n++] = t->groups.v[i];
		}
	}
	t->groups.n = n;
	t->out->groups = t->groups.v;
	t->out->ngroups = n;
}

static int compare_hostids(const void *a, const void *b) {
	uint32_t x = ((const br_hostid *)a)->v;
	uint32_t y = ((const br_hostid *)b)->v;
	return (x > y) - (x < y);
}

/**
 * What the container's IDs are on the host. A user or group without a mapping stops the engine; an added group without one is
 * left out by it.
 */
static int map_to_host(struct task *t) {
	struct br_identity *out = t->out;
	struct br_cred *cred = &out->cred;
	br_hostid *groups = BR_NEW_ARRAY(t->arena, br_hostid, out->ngroups);
	if (!groups) {
		return br_error_memory(t->dx);
	}
	out->unmapped = !br_idmap_to_host(&cred->uids, out->uid, &cred->uid)
		|| !br_idmap_to_host(&cred->gids, out->gid, &cred->gid);
	for (size_t i = 0; i < out->ngroups; i++) {
		if (br_idmap_to_host(&cred->gids, out->groups[i], &groups[cred->ngroups])) {
			cred->ngroups++;
		}
	}
	qsort(groups, cred->ngroups, sizeof(*groups), compare_hostids);
	cred->groups = groups;
	cred->umask = ENGINE_UMASK;
	return 0;
}

static int note_caps(struct task *t, const struct br_text *words, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (note_origin(t, "capabilities", "compose", &words[i])) {
			return -1;
		}
	}
	return 0;
}

/** Root has the bounding set in effect; others have nothing, as the engine sets no ambient capabilities. */
static int settle_caps(struct task *t, uint64_t bounding) {
	const struct br_container *box = t->box;
	if (t->out->uid.v != 0) {
		return note_origin(t, "capabilities", "engine default", NULL);
	}
	t->out->cred.caps = bounding;
	if (box->privileged) {
		struct br_text text = {.s = "privileged", .at = box->privileged_at};
		return note_origin(t, "capabilities", "compose", &text);
	}
	if (note_origin(t, "capabilities", "engine default", NULL)
		|| note_caps(t, box->cap_drop, box->ncap_drop)) {
		return -1;
	}
	return note_caps(t, box->cap_add, box->ncap_add);
}

/** An unknown identity shows its word and why, and nothing half known. */
static void forget(struct br_identity *out) {
	*out = (struct br_identity){
		.container = out->container,
		.user = out->user,
		.why = out->why,
		.pin = out->pin,
	};
}

static int identify(struct task *t) {
	uint64_t bounding = 0;
	int bad_word = read_user_word(t);
	int bad_caps = br_caps_of(t->box, t->dx, &bounding);
	int bad_groups = add_groups(t);
	if (bad_word || bad_caps || bad_groups) {
		return -1;
	}
	bool unsure = t->out->groups_unsure;
	int known = settle_uid(t);
	if (known == 1) {
		known = settle_gid(t);
	}
	if (known != 1) {
		forget(t->out);
		return known;
	}
	t->out->groups_unsure |= unsure;
	// The engine lists the group itself among the supplementary ones.
	if (add_group(t, t->out->gid)) {
		return -1;
	}
	sort_groups(t);
	if (settle_caps(t, bounding) || map_to_host(t)) {
		return -1;
	}
	t->out->origins = t->origins.v;
	t->out->norigins = t->origins.n;
	return 0;
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

const struct br_identity *br_identify(struct br_arena *arena, const struct br_spec *spec,
	const struct br_identity_options *options, struct br_diags *dx) {
	int result = check_pins(arena, spec, options, dx);
	struct br_identity *all = BR_NEW_ARRAY(arena, struct br_identity, spec->n);
	if (!all) {
		(void)br_error_memory(dx); // it always says -1
		return NULL;
	}
	for (size_t i = 0; i < spec->n; i++) {
		struct task t = {
			.arena = arena,
			.dx = dx,
			.box = &spec->containers[i],
			.pin = find_pin(options, spec->containers[i].name.s),
			.out = &all[i],
		};
		all[i].container = t.box;
		if (identify(&t)) {
			result = -1;
		}
	}
	return result ? NULL : all;
}
