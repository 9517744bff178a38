/** `x-bindright`, at the top, of a service or of a long mount: what no key of compose can say. */
#include "compose.h"

#include <base/text.h>

#include <ctype.h>
#include <string.h>

static const char *const keys[] = {"need", "future_files", "users", "ignore", NULL};
static const char *const ignore_keys[] = {"code", "reason", "target", NULL};
static const char *const needs[] = {"r", "rw", "rx", "rwx", NULL};

/** An extension being read. */
struct reader {
	struct br_compose *c;
	enum br_wisher who;
	struct br_wishes *out;
};

static bool is_one_of(const char *s, const char *const *names) {
	while (*names && strcmp(*names, s) != 0) {
		names++;
	}
	return *names != NULL;
}

/** The hint of a message: the name that is near, or what there is. */
static void hint_near(struct br_compose *c, const char *word, const char *const *names) {
	const char *near = br_compose_near(c, word, names);
	if (near) {
		br_hint(c->dx, "did you mean '%s'?", near);
	} else if (names == keys) {
		br_hint(c->dx, "there are: need, future_files, users, ignore");
	} else if (names == ignore_keys) {
		br_hint(c->dx, "there are: code, reason, target");
	} else {
		br_hint(c->dx, "expected one of: r, rw, rx, rwx");
	}
}

/* What is ignored. */

static bool is_code(const char *s) {
	return strncmp(s, "BR", 2) == 0 && strlen(s) == 5 && isdigit((unsigned char)s[2])
		&& isdigit((unsigned char)s[3]) && isdigit((unsigned char)s[4]);
}

static int wrong_ignore(struct br_compose *c, const struct br_tree *tree, const char *what) {
	(void)br_error(c->dx, tree->at, "x-bindright: %s", what);
	br_hint(c->dx, "ignore: [BR105, {code: BR106, reason: \"…\", target: /data}]");
	return -1;
}

static int set_field(struct reader *r, struct br_ignore *ignore, const struct br_member *member) {
	const struct br_tree *value = member->value;
	struct br_text text = br_tree_text(value);
	if (!is_one_of(member->key.s, ignore_keys)) {
		(void)br_error(r->c->dx, member->key.at, "x-bindright: unknown key '%s' in ignore",
			member->key.s);
		hint_near(r->c, member->key.s, ignore_keys);
		return -1;
	}
	if (value->kind != BR_VALUE_STRING) {
		return wrong_ignore(r->c, value, "code, reason and target are strings");
	}
	if (strcmp(member->key.s, "code") == 0) {
		ignore->code = text;
		return 0;
	}
	if (strcmp(member->key.s, "reason") == 0) {
		ignore->reason = text;
		return 0;
	}
	if (r->who == BR_WISHER_MOUNT) {
		return br_error(r->c->dx, member->key.at,
			"x-bindright: what a mount ignores is about that mount, and has no target");
	}
	ignore->target = (struct br_text){br_clean(r->c->arena, text.s), text.at};
	return ignore->target.s ? 0 : br_error_memory(r->c->dx);
}

static int read_ignore(struct reader *r, const struct br_tree *item, struct br_ignore *out) {
	for (size_t i = 0; item->kind == BR_VALUE_MAP && i < item->members.n; i++) {
		if (!item->members.v[i].value->reset && set_field(r, out, &item->members.v[i])) {
			return -1;
		}
	}
	if (item->kind == BR_VALUE_STRING) {
		out->code = br_tree_text(item);
	}
	if (!out->code.s || !is_code(out->code.s)) {
		return wrong_ignore(r->c, item, "what is ignored is a finding code, such as BR105");
	}
	return 0;
}

static int read_ignores(struct reader *r, const struct br_tree *list) {
	if (list->kind != BR_VALUE_SEQ) {
		return wrong_ignore(r->c, list, "ignore is a list of finding codes");
	}
	struct br_ignore *all = BR_NEW_ARRAY(r->c->arena, struct br_ignore, list->members.n);
	if (!all) {
		return br_error_memory(r->c->dx);
	}
	for (size_t i = 0; i < list->members.n; i++) {
		if (read_ignore(r, list->members.v[i].value, &all[i])) {
			return -1;
		}
	}
	r->out->ignores = all;
	r->out->nignores = list->members.n;
	return 0;
}

/* The others. */

static int read_need(struct reader *r, const struct br_tree *value) {
	struct br_compose *c = r->c;
	if (value->kind == BR_VALUE_STRING && is_one_of(value->s, needs)) {
		r->out->need = br_tree_text(value);
		return 0;
	}
	if (value->kind == BR_VALUE_STRING) {
		(void)br_error(c->dx, value->at, "x-bindright: '%s' is no need", value->s);
	} else {
		(void)br_error(c->dx, value->at, "x-bindright: need is a word, not %s",
			br_tree_type(value));
	}
	br_hint(c->dx, "expected one of: r, rw, rx, rwx");
	return -1;
}

static int read_future(struct reader *r, const struct br_tree *value) {
	bool yes = false;
	if (br_tree_bool(r->c, value, "x-bindright.future_files", &yes)) {
		return -1;
	}
	r->out->future_files = (struct br_text){yes ? "true" : "false", value->at};
	return 0;
}

static int wrong_user(struct br_compose *c, const struct br_tree *value) {
	(void)br_error(c->dx, value->at,
		"x-bindright: users is a list of host users, by name or number, not %s",
		br_tree_type(value));
	br_hint(c->dx, "users: [alice]");
	return -1;
}

static bool has_word(const struct br_text *words, size_t n, const char *s) {
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i].s, s) == 0) {
			return true;
		}
	}
	return false;
}

static int read_users(struct reader *r, const struct br_tree *list) {
	struct br_compose *c = r->c;
	if (list->kind != BR_VALUE_SEQ) {
		return wrong_user(c, list);
	}
	struct br_text *all = BR_NEW_ARRAY(c->arena, struct br_text, list->members.n);
	size_t n = 0;
	if (!all) {
		return br_error_memory(c->dx);
	}
	for (size_t i = 0; i < list->members.n; i++) {
		const struct br_tree *item = list->members.v[i].value;
		if (item->kind == BR_VALUE_STRING && !*item->s) {
			return br_error(
				c->dx, item->at, "x-bindright: the name of a user is empty");
		}
		if (item->kind != BR_VALUE_INT && item->kind != BR_VALUE_STRING) {
			return wrong_user(c, item);
		}
		all[n] = (struct br_text){br_tree_scalar(c, item), item->at};
		if (!all[n].s) {
			return -1;
		}
		n += !has_word(all, n, all[n].s);
	}
	r->out->users = all;
	r->out->nusers = n;
	return 0;
}

static int read_member(struct reader *r, const struct br_member *member) {
	const char *key = member->key.s;
	if (strcmp(key, "need") == 0) {
		return read_need(r, member->value);
	}
	if (strcmp(key, "future_files") == 0) {
		return read_future(r, member->value);
	}
	if (strcmp(key, "users") == 0) {
		return read_users(r, member->value);
	}
	if (strcmp(key, "ignore") == 0) {
		return read_ignores(r, member->value);
	}
	(void)br_error(r->c->dx, member->key.at, "x-bindright: unknown key '%s'", key);
	hint_near(r->c, key, keys);
	return -1;
}

/** Keys that begin with x- are anybody's; one that is nearly ours is a typing mistake. */
static void warn_near(struct br_compose *c, const struct br_tree *map) {
	static const char *const names[] = {"x-bindright", NULL};
	for (size_t i = 0; map->kind == BR_VALUE_MAP && i < map->members.n; i++) {
		const struct br_text *key = &map->members.v[i].key;
		bool is_like = strncmp(key->s, "x-", 2) == 0 && strcmp(key->s, names[0]) != 0
			&& br_compose_near(c, key->s, names);
		if (is_like) {
			br_warning(
				c->dx, key->at, "the key '%s' says nothing to bindright", key->s);
			br_hint(c->dx, "did you mean 'x-bindright'?");
		}
	}
}

int br_compose_wishes(struct br_compose *c, const struct br_tree *map, enum br_wisher who,
	struct br_wishes *out) {
	struct reader r = {c, who, out};
	const struct br_tree *extension = br_tree_get(map, "x-bindright");
	int result = 0;
	*out = (struct br_wishes){0};
	warn_near(c, map);
	if (!extension) {
		return 0;
	}
	if (extension->kind != BR_VALUE_MAP) {
		(void)br_error(c->dx, extension->at, "x-bindright is a mapping, not %s",
			br_tree_type(extension));
		hint_near(c, "", keys);
		return -1;
	}
	for (size_t i = 0; i < extension->members.n; i++) {
		const struct br_member *member = &extension->members.v[i];
		if (!member->value->reset && read_member(&r, member)) {
			result = -1;
		}
	}
	return result;
}

/* From the top and the service to the mounts. */

static bool reaches_host(const struct br_mount *mount) {
	switch (mount->kind) {
	case BR_MOUNT_BIND:
	case BR_MOUNT_VOLUME_BIND:
	case BR_MOUNT_SECRET:
	case BR_MOUNT_CONFIG:
		return true;
	case BR_MOUNT_VOLUME:
	case BR_MOUNT_TMPFS:
	case BR_MOUNT_OTHER:
		return false;
	}
	return false;
}

/** What all mounts need, a read-only one cannot need to write. */
static struct br_text narrowed(struct br_text need, const struct br_mount *mount) {
	if (!mount->read_only || !need.s) {
		return need;
	}
	return (struct br_text){strchr(need.s, 'x') ? "rx" : "r", need.at};
}

static int add_users(struct br_compose *c, struct br_mount *mount, const struct br_wishes *from) {
	struct br_wishes *to = &mount->wishes;
	struct br_text *all = BR_NEW_ARRAY(c->arena, struct br_text, to->nusers + from->nusers);
	size_t n = to->nusers;
	if (!all) {
		return br_error_memory(c->dx);
	}
	for (size_t i = 0; i < n; i++) {
		all[i] = to->users[i];
	}
	for (size_t i = 0; i < from->nusers; i++) {
		all[n] = from->users[i];
		n += !has_word(all, n, from->users[i].s);
	}
	to->users = all;
	to->nusers = n;
	return 0;
}

static int spread(struct br_compose *c, struct br_mount *mount, const struct br_wishes *from) {
	struct br_wishes *to = &mount->wishes;
	to->need = to->need.s ? to->need : narrowed(from->need, mount);
	to->future_files = to->future_files.s ? to->future_files : from->future_files;
	return from->nusers ? add_users(c, mount, from) : 0;
}

static void warn_idle(struct br_compose *c, const struct br_mount *mount) {
	const struct br_wishes *wishes = &mount->wishes;
	const struct br_text *word = wishes->need.s ? &wishes->need
		: wishes->future_files.s            ? &wishes->future_files
		: wishes->nusers                    ? &wishes->users[0]
						    : NULL;
	if (word && !reaches_host(mount)) {
		br_warning(c->dx, word->at,
			"x-bindright has no effect here: '%s' is no path of the host",
			mount->target.s);
	}
}

int br_compose_spread_wishes(
	struct br_compose *c, const struct br_wishes *top, const struct br_draft *draft) {
	const struct br_wishes *own = &draft->wishes;
	struct br_container *to = draft->container;
	struct br_ignore *all =
		BR_NEW_ARRAY(c->arena, struct br_ignore, own->nignores + top->nignores);
	if (!all) {
		return br_error_memory(c->dx);
	}
	for (size_t i = 0; i < own->nignores; i++) {
		all[i] = own->ignores[i];
	}
	for (size_t i = 0; i < top->nignores; i++) {
		all[own->nignores + i] = top->ignores[i];
	}
	to->ignores = all;
	to->nignores = own->nignores + top->nignores;
	for (size_t i = 0; i < draft->mounts.n; i++) {
		struct br_mount *mount = &draft->mounts.v[i];
		warn_idle(c, mount);
		if (reaches_host(mount) && (spread(c, mount, own) || spread(c, mount, top))) {
			return -1;
		}
	}
	return 0;
}

void br_compose_idle_wishes(struct br_compose *c) {
	static const char *const sections[] = {"volumes", "secrets", "configs", "networks"};
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		const struct br_tree *map = br_tree_get(c->model, sections[i]);
		for (size_t k = 0; map && k < map->members.n; k++) {
			const struct br_member *member =
				br_tree_member(map->members.v[k].value, "x-bindright");
			if (!member || member->value->reset) {
				continue;
			}
			br_warning(c->dx, member->key.at,
				"x-bindright has no effect here: it belongs to a mount, a service "
				"or the top");
		}
	}
}
