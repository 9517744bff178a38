#include "compose.h"

#include <base/text.h>

#include <string.h>

static bool is_letter(char ch) {
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

/* How many bytes from s on belong to ${…}, or 0. */
static size_t variable_length(const char *s) {
	size_t depth = 0;
	size_t n = 0;
	if (s[0] != '$' || s[1] != '{') {
		return 0;
	}
	for (; s[n]; n++) {
		depth += s[n] == '{';
		depth -= s[n] == '}';
		if (n && !depth) {
			return n + 1;
		}
	}
	return 0;
}

/* The length of the field at s. A letter and a colon do not end it. */
static size_t field_length(const char *s, bool variables) {
	size_t n = 0;
	while (s[n]) {
		size_t skip = variables ? variable_length(s + n) : 0;
		bool is_drive = n == 1 && s[1] == ':' && is_letter(s[0]);
		if (s[n] == ':' && !is_drive) {
			break;
		}
		n += skip ? skip : 1;
	}
	return n;
}

enum br_split br_short_split(const char *s, bool variables, struct br_fields *out) {
	*out = (struct br_fields){0};
	size_t len = strlen(s);
	if (len == 0) {
		return BR_SPLIT_EMPTY;
	}
	if (len <= 2) {
		out->n = 1;
		out->len[0] = len;
		return BR_SPLIT_OK;
	}
	for (size_t at = 0;;) {
		size_t n = field_length(s + at, variables);
		if (n == 0) {
			return BR_SPLIT_EMPTY_SECTION;
		}
		if (out->n == 2 && s[at + n]) {
			return BR_SPLIT_COLONS;
		}
		out->off[out->n] = at;
		out->len[out->n++] = n;
		if (!s[at + n]) {
			return BR_SPLIT_OK;
		}
		at += n + 1;
	}
}

static const char *target_of(struct br_compose *c, const struct br_tree *entry, bool clean) {
	if (entry->kind == BR_VALUE_MAP) {
		const struct br_tree *target = br_tree_get(entry, "target");
		return target ? target->s : NULL;
	}
	struct br_fields f;
	clean = clean || entry->expanded;
	if (entry->kind != BR_VALUE_STRING || br_short_split(entry->s, false, &f) != BR_SPLIT_OK) {
		return NULL;
	}
	size_t i = f.n > 1 ? 1 : 0;
	char *target = br_strndup(c->arena, entry->s + f.off[i], f.len[i]);
	return target && clean ? br_clean(c->arena, target) : target;
}

const char *br_volume_written(struct br_compose *c, const struct br_tree *entry) {
	return target_of(c, entry, false);
}

const char *br_volume_target(struct br_compose *c, const struct br_tree *entry) {
	return target_of(c, entry, true);
}

void br_check_target(struct br_compose *c, const struct br_mount *mount) {
	if (mount->target.s[0] != '/') {
		br_warning(c->dx, mount->target.at,
			"the target '%s' is not absolute: the engine refuses it", mount->target.s);
	}
}

/** A short volume being taken apart. */
struct parts {
	const struct br_tree *entry;
	struct br_fields is;
	struct br_fields was;
	/** Whether `was` has the same fields as `is`. */
	bool same;
	/** Where `written` stands in the text, if it does verbatim. */
	bool verbatim;
	struct br_span at;
};

static void locate(const struct br_compose *c, struct parts *p) {
	size_t n = 0;
	struct br_span at = p->entry->at;
	const char *bytes = br_places_bytes(br_diags_places(c->dx), at.text, &n);
	size_t len = strlen(p->entry->written);
	if (!bytes || at.off > n || at.len > n - at.off || !len) {
		return;
	}
	const char *found = memmem(bytes + at.off, at.len, p->entry->written, len);
	if (found) {
		p->verbatim = true;
		p->at = (struct br_span){at.text, (uint32_t)(found - bytes), (uint32_t)len};
	}
}

static struct br_span field_at(const struct parts *p, size_t i) {
	if (!p->same || !p->verbatim) {
		return p->entry->at;
	}
	uint32_t off = p->at.off + (uint32_t)p->was.off[i];
	return (struct br_span){p->at.text, off, (uint32_t)p->was.len[i]};
}

static struct br_text field(struct br_compose *c, const struct parts *p, size_t i) {
	const char *s = br_strndup(c->arena, p->entry->s + p->is.off[i], p->is.len[i]);
	if (!s) {
		(void)br_error_memory(c->dx);
	}
	return (struct br_text){s, field_at(p, i)};
}

static struct br_text field_written(struct br_compose *c, const struct parts *p, size_t i) {
	if (!p->same) {
		return (struct br_text){p->entry->written, p->entry->at};
	}
	const char *s = br_strndup(c->arena, p->entry->written + p->was.off[i], p->was.len[i]);
	if (!s) {
		(void)br_error_memory(c->dx);
	}
	return (struct br_text){s, field_at(p, i)};
}

static int split_error(struct br_compose *c, const struct br_tree *entry, enum br_split why) {
	const char *unset = entry->unset;
	switch (why) {
	case BR_SPLIT_OK:
		return 0;
	case BR_SPLIT_EMPTY:
		(void)br_error(c->dx, entry->at, "a volume is empty");
		break;
	case BR_SPLIT_EMPTY_SECTION:
		(void)br_error(c->dx, entry->at, "empty section between colons in the volume '%s'",
			entry->s);
		break;
	case BR_SPLIT_COLONS:
		(void)br_error(c->dx, entry->at, "too many colons in the volume '%s'", entry->s);
		br_hint(c->dx,
			"a volume is SOURCE:TARGET[:OPTIONS]; paths with colons need the long syntax");
		return -1;
	}
	if (unset) {
		br_hint(c->dx,
			"the variable '%s' is not set: set it, or give it a default: ${%s:-./path}",
			unset, unset);
	} else {
		br_hint(c->dx, "write SOURCE:TARGET[:OPTIONS], such as ./data:/data:ro");
	}
	return -1;
}

/* Which variables the source itself depends on: it is replaced alone once more. */
static int source_variables(struct br_compose *c, const struct parts *p, struct br_mount *mount) {
	const struct br_tree *entry = p->entry;
	mount->unset_variable = entry->unset;
	mount->environment_variable = entry->environment;
	if (!p->same || !mount->written.s || (!entry->unset && !entry->environment)) {
		return 0;
	}
	struct br_interpolated out = {0};
	if (br_interpolate(entry->layer->env, mount->written, "volumes", &out, c->dx)) {
		return -1;
	}
	mount->unset_variable = out.unset;
	mount->environment_variable = out.environment;
	return 0;
}

static bool is_path(const char *s) {
	return strchr("./~", s[0]) || strncmp(s, "\\\\", 2) == 0
		|| (is_letter(s[0]) && s[1] == ':');
}

static bool is_one_of(const char *s, const char *const *names) {
	while (*names && strcmp(*names, s) != 0) {
		names++;
	}
	return *names != NULL;
}

static void apply_option(struct br_compose *c, struct br_mount *mount, struct br_text option) {
	static const char *const propagations[] = {
		"private", "rprivate", "shared", "rshared", "slave", "rslave", NULL};
	/* Without effect for docker here; U and O are podman's. */
	static const char *const quiet[] = {"cached", "delegated", "consistent", "U", "O", NULL};
	const char *s = option.s;
	if (strcmp(s, "ro") == 0 || strcmp(s, "rw") == 0) {
		mount->read_only = s[1] == 'o';
	} else if (strcmp(s, "nocopy") == 0) {
		mount->nocopy = true;
	} else if (strcmp(s, "z") == 0 || strcmp(s, "Z") == 0) {
		mount->selinux = s[0];
	} else if (is_one_of(s, propagations)) {
		mount->propagation = option;
	} else if (!is_one_of(s, quiet)) {
		br_warning(
			c->dx, option.at, "the volume option '%s' is unknown and has no effect", s);
	}
}

static int add_options(
	struct br_compose *c, struct br_mount *mount, struct br_text all, bool exact) {
	br_vec(struct br_text) options = {0};
	for (const char *p = all.s;; p++) {
		size_t n = strcspn(p, ",");
		struct br_text option = {br_strndup(c->arena, p, n), all.at};
		if (exact) {
			option.at.off += (uint32_t)(p - all.s);
			option.at.len = (uint32_t)n;
		}
		if (!option.s || br_vec_push(c->arena, &options, option)) {
			return br_error_memory(c->dx);
		}
		apply_option(c, mount, option);
		p += n;
		if (!*p) {
			break;
		}
	}
	mount->options = options.v;
	mount->noptions = options.n;
	return 0;
}

static void warn_drive(struct br_compose *c, struct br_text field, bool is_source) {
	if (!is_letter(field.s[0]) || field.s[1] != ':' || !field.s[2]) {
		return;
	}
	br_warning(c->dx, field.at, "'%c:' is taken for a Windows drive, so '%s' is the %s",
		field.s[0], field.s, is_source ? "host path" : "container path");
	br_hint(c->dx, "names of one letter need the long syntax");
}

static int short_source(struct br_compose *c, const struct parts *p, struct br_mount *mount) {
	struct br_text source = field(c, p, 0);
	mount->written = field_written(c, p, 0);
	if (!source.s || !mount->written.s || source_variables(c, p, mount)) {
		return -1;
	}
	warn_drive(c, source, true);
	mount->source = source;
	if (!is_path(source.s)) {
		return br_named_volume(c, mount);
	}
	mount->kind = BR_MOUNT_BIND;
	mount->create = BR_CREATE_ENGINE;
	// The front end says so of every short bind.
	mount->create_host_path = 1;
	mount->source.s = br_host_path(c, p->entry->layer, source);
	return mount->source.s ? 0 : -1;
}

static int short_mount(struct br_compose *c, const struct br_tree *entry, struct br_mount *mount) {
	struct parts p = {.entry = entry};
	enum br_split split = br_short_split(entry->s, false, &p.is);
	if (split != BR_SPLIT_OK) {
		return split_error(c, entry, split);
	}
	p.same = br_short_split(entry->written, true, &p.was) == BR_SPLIT_OK && p.was.n == p.is.n;
	locate(c, &p);
	struct br_text target = field(c, &p, p.is.n > 1 ? 1 : 0);
	if (!target.s) {
		return -1;
	}
	mount->target = (struct br_text){br_clean(c->arena, target.s), target.at};
	if (!mount->target.s) {
		return br_error_memory(c->dx);
	}
	warn_drive(c, target, false);
	if (p.is.n > 2) {
		struct br_text options = field(c, &p, 2);
		bool exact = p.same && p.verbatim && p.is.len[2] == p.was.len[2];
		if (!options.s || add_options(c, mount, options, exact)) {
			return -1;
		}
	}
	return p.is.n > 1 ? short_source(c, &p, mount) : 0;
}

/** A long volume being read. */
struct longform {
	struct br_compose *c;
	const struct br_tree *entry;
	const char *path;
	struct br_mount *mount;
};

static int get_bool(struct longform *l, const struct br_tree *map, const char *key, bool *out) {
	const struct br_tree *value = br_tree_get(map, key);
	if (!value) {
		return 0;
	}
	const char *path = br_printf(l->c->arena, "%s.%s", l->path, key);
	return path ? br_tree_bool(l->c, value, path, out) : br_error_memory(l->c->dx);
}

static struct br_text get_text(const struct br_tree *map, const char *key) {
	const struct br_tree *value = br_tree_get(map, key);
	return value ? br_tree_text(value) : (struct br_text){0};
}

static int get_type(struct longform *l) {
	static const struct {
		const char *name;
		enum br_mount_kind kind;
	} types[] = {{"bind", BR_MOUNT_BIND}, {"volume", BR_MOUNT_VOLUME},
		{"tmpfs", BR_MOUNT_TMPFS}, {"image", BR_MOUNT_OTHER}, {"npipe", BR_MOUNT_OTHER},
		{"cluster", BR_MOUNT_OTHER}};
	static const char *const names[] = {
		"bind", "volume", "tmpfs", "image", "npipe", "cluster", NULL};
	struct br_text type = get_text(l->entry, "type");
	for (size_t i = 0; type.s && i < sizeof(types) / sizeof(*types); i++) {
		if (strcmp(type.s, types[i].name) == 0) {
			l->mount->kind = types[i].kind;
			return 0;
		}
	}
	if (!br_compose_has(l->c, BR_RULE_TYPES_CHECKED)) {
		br_warning(
			l->c->dx, type.at, "the mount type '%s' is unknown", type.s ? type.s : "");
		l->mount->kind = BR_MOUNT_OTHER;
		return 0;
	}
	(void)br_error(l->c->dx, type.at,
		"%s.type must be bind, volume, tmpfs, image, npipe or cluster, not '%s'", l->path,
		type.s ? type.s : "");
	const char *near = br_nearest(type.s ? type.s : "", names);
	if (near) {
		br_hint(l->c->dx, "did you mean '%s'?", near);
	}
	return -1;
}

static int check_word(
	struct longform *l, const char *key, struct br_text word, const char *const *allowed) {
	if (!word.s || is_one_of(word.s, allowed)) {
		return 0;
	}
	(void)br_error(l->c->dx, word.at, "%s.bind.%s cannot be '%s'", l->path, key, word.s);
	const char *near = br_nearest(word.s, allowed);
	if (near) {
		br_hint(l->c->dx, "did you mean '%s'?", near);
	}
	return -1;
}

static int get_bind(struct longform *l) {
	static const char *const recursives[] = {
		"enabled", "disabled", "writable", "readonly", NULL};
	static const char *const labels[] = {"z", "Z", NULL};
	const struct br_tree *bind = br_tree_get(l->entry, "bind");
	struct br_mount *mount = l->mount;
	bool create = false;
	struct br_text selinux = get_text(bind, "selinux");
	mount->propagation = get_text(bind, "propagation");
	// An empty one is none.
	mount->propagation.s =
		mount->propagation.s && *mount->propagation.s ? mount->propagation.s : NULL;
	mount->recursive = get_text(bind, "recursive");
	if (check_word(l, "recursive", mount->recursive, recursives)
		|| check_word(l, "selinux", selinux, labels)
		|| get_bool(l, bind, "create_host_path", &create)) {
		return -1;
	}
	mount->selinux = selinux.s ? selinux.s[0] : '\0';
	if (br_tree_get(bind, "create_host_path")) {
		mount->create_host_path = create;
	} else {
		create = br_compose_has(
			l->c, bind ? BR_RULE_BIND_BLOCK_CREATES : BR_RULE_BARE_BIND_CREATES);
	}
	mount->create = create ? BR_CREATE_ENGINE : BR_CREATE_NEVER;
	return 0;
}

static int long_source(struct longform *l) {
	const struct br_tree *source = br_tree_get(l->entry, "source");
	struct br_mount *mount = l->mount;
	if (!source) {
		if (mount->kind != BR_MOUNT_BIND) {
			return 0;
		}
		return br_error(l->c->dx, l->entry->at,
			"%s has no 'source', and a bind mount needs one", l->path);
	}
	mount->source = br_tree_text(source);
	mount->written = (struct br_text){source->written, source->at};
	mount->unset_variable = source->unset;
	mount->environment_variable = source->environment;
	if (mount->kind == BR_MOUNT_VOLUME) {
		return *source->s ? br_named_volume(l->c, mount) : 0;
	}
	if (mount->kind == BR_MOUNT_BIND) {
		mount->source.s = br_host_path(l->c, source->layer, mount->source);
	}
	return mount->source.s ? 0 : -1;
}

/** A tmpfs with a mode of its own; how the number is meant depends on who reads it. */
static int get_mode(struct longform *l) {
	const struct br_tree *mode = br_tree_get(br_tree_get(l->entry, "tmpfs"), "mode");
	if (!mode) {
		return 0;
	}
	struct br_text *option = BR_NEW(l->c->arena, struct br_text);
	if (!option) {
		return br_error_memory(l->c->dx);
	}
	*option = (struct br_text){"mode", mode->at};
	l->mount->options = option;
	l->mount->noptions = 1;
	return 0;
}

static int long_mount(struct longform *l) {
	struct br_text target = get_text(l->entry, "target");
	struct br_mount *mount = l->mount;
	if (!target.s) {
		(void)br_error(l->c->dx, l->entry->at, "%s has no 'target'", l->path);
		br_hint(l->c->dx, "say where it goes in the container: target: /path");
		return -1;
	}
	mount->target = (struct br_text){br_clean(l->c->arena, target.s), target.at};
	if (!mount->target.s) {
		return br_error_memory(l->c->dx);
	}
	if (get_type(l) || get_bool(l, l->entry, "read_only", &mount->read_only)) {
		return -1;
	}
	if (get_bool(l, br_tree_get(l->entry, "volume"), "nocopy", &mount->nocopy)) {
		return -1;
	}
	if (mount->kind == BR_MOUNT_BIND && get_bind(l)) {
		return -1;
	}
	if (mount->kind == BR_MOUNT_TMPFS && get_mode(l)) {
		return -1;
	}
	return long_source(l);
}

int br_draft_mount(struct br_compose *c, struct br_draft *draft, const struct br_mount *mount) {
	if (++c->mounts > BR_COMPOSE_MOUNTS) {
		return br_error(
			c->dx, mount->at, "more than %d mounts in one project", BR_COMPOSE_MOUNTS);
	}
	return br_vec_push(c->arena, &draft->mounts, *mount) ? br_error_memory(c->dx) : 0;
}

int br_volumes_expanded(struct br_compose *c, struct br_tree *volumes) {
	int result = 0;
	for (size_t i = 0; volumes && i < volumes->members.n; i++) {
		struct br_tree *entry = volumes->members.v[i].value;
		struct br_fields fields;
		bool is_short = entry->kind == BR_VALUE_STRING && !entry->reset;
		enum br_split split =
			is_short ? br_short_split(entry->s, false, &fields) : BR_SPLIT_OK;
		entry->expanded = true;
		result = split_error(c, entry, split) ? -1 : result;
	}
	return result;
}

void br_draft_note_second(struct br_compose *c, struct br_draft *draft, struct br_text target) {
	bool refused = br_compose_has(c, BR_RULE_TARGETS_UNIQUE);
	for (size_t i = 0; refused && i < draft->mounts.n; i++) {
		const struct br_mount *other = &draft->mounts.v[i];
		if (!draft->second.s && strcmp(other->target.s, target.s) == 0) {
			draft->second = target;
			draft->first_at = other->at;
		}
	}
}

int br_volume_mount(
	struct br_compose *c, struct br_draft *draft, const struct br_tree *entry, size_t i) {
	struct br_mount mount = {.kind = BR_MOUNT_VOLUME, .create_host_path = -1, .at = entry->at};
	const char *path = br_printf(c->arena, "services.%s.volumes[%zu]", draft->name, i);
	struct longform l = {c, entry, path, &mount};
	if (!path) {
		return br_error_memory(c->dx);
	}
	if (entry->kind == BR_VALUE_MAP ? long_mount(&l) : short_mount(c, entry, &mount)) {
		return -1;
	}
	if (br_compose_wishes(c, entry, BR_WISHER_MOUNT, &mount.wishes)) {
		return -1;
	}
	br_check_target(c, &mount);
	br_draft_note_second(c, draft, (struct br_text){mount.target.s, mount.at});
	return br_draft_mount(c, draft, &mount);
}
