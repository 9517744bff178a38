/** --mount KEY=VALUE,…, as each client takes it. */
#include "run.h"

#include <base/text.h>

#include <spec/compose/compose.h>
#include <string.h>

enum {
	D = BR_CLIENT_DOCKER,
	P = BR_CLIENT_PODMAN,
	N = BR_CLIENT_NERDCTL,
};

enum key_is {
	KEY_SKIP,
	KEY_TYPE,
	KEY_SOURCE,
	KEY_TARGET,
	KEY_READ_ONLY,
	KEY_WRITABLE,
	KEY_PROPAGATION,
	KEY_RECURSIVE,
	KEY_NOT_RECURSIVE,
	KEY_CREATE,
	KEY_NOCOPY,
	KEY_VOLUME_OPT,
	KEY_RELABEL,
	KEY_LABEL,
	KEY_CHOWN,
	KEY_IDMAP,
	/** A propagation as a key of its own. */
	KEY_WORD,
};

/** Whether a key has a value. */
enum key_takes {
	ALWAYS,
	MAYBE,
	NEVER,
};

struct key {
	const char *name;
	enum key_is is;
	enum key_takes takes;
	unsigned clients;
};

static const struct key keys[] = {
	{"type", KEY_TYPE, ALWAYS, D | P | N},
	{"source", KEY_SOURCE, ALWAYS, D | P | N},
	{"src", KEY_SOURCE, ALWAYS, D | P | N},
	{"target", KEY_TARGET, ALWAYS, D | P | N},
	{"dst", KEY_TARGET, ALWAYS, D | P | N},
	{"destination", KEY_TARGET, ALWAYS, D | P | N},
	{"dest", KEY_TARGET, ALWAYS, P},
	{"readonly", KEY_READ_ONLY, MAYBE, D | P | N},
	{"ro", KEY_READ_ONLY, MAYBE, D | P | N},
	{"rw", KEY_WRITABLE, MAYBE, P},
	{"consistency", KEY_SKIP, MAYBE, D | P | N},
	{"bind-propagation", KEY_PROPAGATION, ALWAYS, D | P | N},
	{"bind-recursive", KEY_RECURSIVE, ALWAYS, D | N},
	{"bind-nonrecursive", KEY_NOT_RECURSIVE, MAYBE, D | P | N},
	{"bind-create-src", KEY_CREATE, MAYBE, D},
	{"volume-subpath", KEY_SKIP, ALWAYS, D | P},
	{"subpath", KEY_SKIP, ALWAYS, P},
	{"volume-nocopy", KEY_NOCOPY, MAYBE, D},
	{"volume-label", KEY_SKIP, ALWAYS, D | P},
	{"volume-driver", KEY_SKIP, ALWAYS, D},
	{"volume-opt", KEY_VOLUME_OPT, ALWAYS, D | P},
	{"image-subpath", KEY_SKIP, ALWAYS, D},
	{"tmpfs-size", KEY_SKIP, ALWAYS, D | P | N},
	{"tmpfs-mode", KEY_SKIP, ALWAYS, D | P | N},
	{"tmpcopyup", KEY_SKIP, NEVER, P},
	{"notmpcopyup", KEY_SKIP, NEVER, P},
	{"relabel", KEY_RELABEL, ALWAYS, P},
	{"z", KEY_LABEL, NEVER, P},
	{"Z", KEY_LABEL, NEVER, P},
	{"U", KEY_CHOWN, MAYBE, P},
	{"chown", KEY_CHOWN, MAYBE, P},
	{"idmap", KEY_IDMAP, MAYBE, P},
	{"shared", KEY_WORD, NEVER, P},
	{"rshared", KEY_WORD, NEVER, P},
	{"private", KEY_WORD, NEVER, P},
	{"rprivate", KEY_WORD, NEVER, P},
	{"slave", KEY_WORD, NEVER, P},
	{"rslave", KEY_WORD, NEVER, P},
	{"unbindable", KEY_WORD, NEVER, P},
	{"runbindable", KEY_WORD, NEVER, P},
	{"dev", KEY_SKIP, NEVER, P},
	{"nodev", KEY_SKIP, NEVER, P},
	{"exec", KEY_SKIP, NEVER, P},
	{"noexec", KEY_SKIP, NEVER, P},
	{"suid", KEY_SKIP, NEVER, P},
	{"nosuid", KEY_SKIP, NEVER, P},
	{"noswap", KEY_SKIP, NEVER, P},
	{"no-dereference", KEY_SKIP, NEVER, P},
	{"nocreate", KEY_SKIP, NEVER, P},
};

enum {
	NKEYS = sizeof(keys) / sizeof(keys[0]),
};

/** A mount being read. */
struct reader {
	struct br_run *run;
	struct br_line *line;
	struct br_mount *mount;
	const struct br_used *used;
	/** Podman takes each of them once. */
	unsigned seen;
	bool has_kind;
	struct br_text source;
	struct br_text target;
	struct br_text recursive;
	/** Of a volume. */
	struct br_text device;
	bool is_bind_volume;
};

/** A field: its key, and its value where there is one. */
struct entry {
	const struct key *key;
	struct br_text name;
	struct br_text value;
	/** The value, or "". */
	const char *word;
};

static bool is_podman(const struct reader *r) {
	return r->line->client == BR_CLIENT_PODMAN;
}

static const struct key *find_key(const struct reader *r, const char *name) {
	for (size_t i = 0; i < NKEYS; i++) {
		bool same = is_podman(r) ? strcmp(keys[i].name, name) == 0
					 : strcasecmp(keys[i].name, name) == 0;
		if (same && (keys[i].clients & r->line->client)) {
			return &keys[i];
		}
	}
	return NULL;
}

static int unknown_key(const struct reader *r, struct br_text name) {
	const char *names[NKEYS + 1] = {NULL};
	size_t n = 0;
	bool other = false;
	for (size_t i = 0; i < NKEYS; i++) {
		other = other || strcmp(keys[i].name, name.s) == 0;
		if (keys[i].clients & r->line->client) {
			names[n++] = keys[i].name;
		}
	}
	const char *near = strlen(name.s) < 64 ? br_nearest(name.s, names) : NULL;
	(void)br_error(r->run->dx, name.at, "--mount has no key '%s'", name.s);
	if (other) {
		br_hint(r->run->dx, "only %s knows it", is_podman(r) ? "docker" : "podman");
	} else if (near) {
		br_hint(r->run->dx, "did you mean '%s'?", near);
	} else {
		br_hint(r->run->dx, "for example: type=bind,source=/data,target=/data,readonly");
	}
	return -1;
}

static int bad_value(const struct reader *r, const struct entry *e, const char *expected) {
	(void)br_error(r->run->dx, e->value.s ? e->value.at : e->name.at,
		"'%s' is no value of '%s'", e->value.s ? e->value.s : "", e->name.s);
	br_hint(r->run->dx, "expected one of: %s", expected);
	return -1;
}

static bool is_in(const char *word, const char *const *names) {
	while (word && *names && strcmp(word, *names) != 0) {
		names++;
	}
	return word && *names;
}

static int read_bool(const struct reader *r, const struct entry *e, bool *out) {
	static const char *const yes[] = {"1", "true", NULL};
	static const char *const no[] = {"0", "false", NULL};
	*out = true;
	if (!e->value.s) {
		return 0;
	}
	bool is_word = strcasecmp(e->value.s, "true") == 0 || strcasecmp(e->value.s, "false") == 0;
	if (is_podman(r)) {
		*out = strcasecmp(e->value.s, "true") == 0;
		return is_word ? 0 : bad_value(r, e, "true, false");
	}
	*out = is_in(e->value.s, yes);
	return *out || is_in(e->value.s, no) ? 0 : bad_value(r, e, "true, false, 1, 0");
}

static int read_type(struct reader *r, const struct entry *e) {
	static const struct {
		const char *name;
		enum br_mount_kind kind;
		unsigned clients;
	} types[] = {{"bind", BR_MOUNT_BIND, D | P | N}, {"volume", BR_MOUNT_VOLUME, D | P | N},
		{"tmpfs", BR_MOUNT_TMPFS, D | P | N}, {"ramfs", BR_MOUNT_TMPFS, P},
		{"image", BR_MOUNT_OTHER, D | P | N}, {"npipe", BR_MOUNT_OTHER, D},
		{"cluster", BR_MOUNT_OTHER, D}, {"devpts", BR_MOUNT_OTHER, P},
		{"artifact", BR_MOUNT_OTHER, P}};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcasecmp(types[i].name, e->word) == 0
			&& (types[i].clients & r->line->client)) {
			r->mount->kind = types[i].kind;
			r->has_kind = true;
			return 0;
		}
	}
	if (is_podman(r) && strcmp(e->word, "glob") == 0) {
		(void)br_error(r->run->dx, e->value.at,
			"what 'glob' matches cannot be known without looking");
		br_hint(r->run->dx, "name each path by a --mount type=bind");
		return -1;
	}
	return bad_value(r, e,
		is_podman(r) ? "bind, volume, tmpfs, image, ramfs, devpts"
			     : "bind, volume, tmpfs, image");
}

static int read_propagation(struct reader *r, const struct entry *e) {
	static const char *const names[] = {"rprivate", "private", "rshared", "shared", "rslave",
		"slave", "runbindable", "unbindable", NULL};
	size_t n = is_podman(r) ? 8 : 6;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], e->word) == 0) {
			r->mount->propagation = e->value;
			return 0;
		}
	}
	return bad_value(r, e, "rprivate, private, rshared, shared, rslave, slave");
}

static int read_recursive(struct reader *r, const struct entry *e) {
	static const char *const names[] = {"enabled", "disabled", "writable", "readonly", NULL};
	if (!is_in(e->word, names)) {
		return bad_value(r, e, "enabled, disabled, writable, readonly");
	}
	r->recursive = e->value;
	return 0;
}

/** KEY=VALUE of the driver; what makes a volume a bind is in "o" and "device". */
static void read_volume_opt(struct reader *r, const struct entry *e) {
	struct br_text value = {e->word, e->value.at};
	if (strncmp(value.s, "device=", 7) == 0) {
		value.s += 7;
		value.at.off += value.at.len > 7 ? 7 : 0;
		value.at.len -= value.at.len > 7 ? 7 : 0;
		r->device = value;
	}
	if (strncmp(value.s, "o=", 2) == 0) {
		const char *found = strstr(value.s + 2, "bind");
		r->is_bind_volume = found != NULL;
		r->mount->read_only = r->mount->read_only || strncmp(value.s, "o=ro,", 5) == 0
			|| strstr(value.s, ",ro") != NULL;
	}
}

static int read_label(struct reader *r, const struct entry *e) {
	bool is_private = strcmp(e->word, "private") == 0;
	if (!is_private && strcmp(e->word, "shared") != 0) {
		return bad_value(r, e, "private, shared");
	}
	r->mount->selinux = is_private ? 'Z' : 'z';
	return 0;
}

/** Bits of what Podman takes once. */
static unsigned once_bit(enum key_is is) {
	switch (is) {
	case KEY_SOURCE:
		return 1 << 0;
	case KEY_TARGET:
		return 1 << 1;
	case KEY_READ_ONLY:
	case KEY_WRITABLE:
		return 1 << 2;
	case KEY_RELABEL:
		return 1 << 3;
	case KEY_CHOWN:
		return 1 << 5;
	default:
		return 0;
	}
}

static int apply_flag(struct reader *r, const struct entry *e, bool yes) {
	switch (e->key->is) {
	case KEY_READ_ONLY:
		r->mount->read_only = yes;
		return 0;
	case KEY_WRITABLE:
		r->mount->read_only = !yes;
		return 0;
	case KEY_CHOWN:
		r->mount->chown = yes;
		return 0;
	case KEY_NOCOPY:
		r->mount->nocopy = yes;
		return 0;
	case KEY_CREATE:
		r->mount->create = yes ? BR_CREATE_ENGINE : BR_CREATE_NEVER;
		r->mount->create_host_path = yes;
		return 0;
	case KEY_NOT_RECURSIVE:
		r->recursive = (struct br_text){yes ? "disabled" : NULL, e->name.at};
		return 0;
	default:
		return 0;
	}
}

static int apply(struct reader *r, const struct entry *e) {
	bool yes = true;
	switch (e->key->is) {
	case KEY_TYPE:
		return read_type(r, e);
	case KEY_SOURCE:
		r->source = e->value;
		return 0;
	case KEY_TARGET:
		r->target = e->value;
		return 0;
	case KEY_PROPAGATION:
		return read_propagation(r, e);
	case KEY_RECURSIVE:
		return read_recursive(r, e);
	case KEY_VOLUME_OPT:
		read_volume_opt(r, e);
		return 0;
	case KEY_RELABEL:
		return read_label(r, e);
	case KEY_LABEL:
		r->mount->selinux = e->name.s[0];
		return 0;
	case KEY_WORD:
		r->mount->propagation = e->name;
		return 0;
	case KEY_IDMAP:
		r->mount->idmap = e->name;
		if (e->value.s) {
			r->mount->idmap.s = br_printf(r->run->arena, "idmap=%s", e->value.s);
		}
		return r->mount->idmap.s ? 0 : br_error_memory(r->run->dx);
	case KEY_READ_ONLY:
	case KEY_WRITABLE:
	case KEY_CHOWN:
	case KEY_NOCOPY:
	case KEY_CREATE:
	case KEY_NOT_RECURSIVE:
		return read_bool(r, e, &yes) ? -1 : apply_flag(r, e, yes);
	case KEY_SKIP:
		return 0;
	}
	return 0;
}

static bool has_blank(struct br_text word) {
	size_t n = word.s ? strlen(word.s) : 0;
	return n && (strchr(" \t", word.s[0]) || strchr(" \t", word.s[n - 1]));
}

static int check_entry(struct reader *r, const struct entry *e) {
	struct br_run *run = r->run;
	unsigned bit = is_podman(r) ? once_bit(e->key->is) : 0;
	if (e->key->takes == ALWAYS && !e->value.s) {
		return br_error(
			run->dx, e->name.at, "'%s' needs a value: %s=VALUE", e->name.s, e->name.s);
	}
	if (e->key->takes == NEVER && e->value.s) {
		return br_error(run->dx, e->value.at, "'%s' takes no value", e->name.s);
	}
	bool is_empty = e->value.s && !*e->value.s;
	if (is_empty && (!is_podman(r) || e->key->is == KEY_SOURCE || e->key->is == KEY_TARGET)) {
		return br_error(run->dx, e->name.at, "the value of '%s' is empty", e->name.s);
	}
	if (!is_podman(r) && has_blank(e->value)) {
		return br_error(run->dx, e->value.at, "a blank round the value of '%s'", e->name.s);
	}
	if (bit && (r->seen & bit)) {
		return br_error(run->dx, e->name.at, "'%s' is said twice", e->name.s);
	}
	r->seen |= bit;
	return 0;
}

static int read_field(struct reader *r, struct br_chars field) {
	size_t n = strcspn(field.s, "=");
	struct entry e = {.name = br_chars_text(r->run, field, 0, n)};
	if (!e.name.s) {
		return -1;
	}
	if (has_blank(e.name)) {
		(void)br_error(r->run->dx, e.name.at, "a blank round the key '%s'", e.name.s);
		br_hint(r->run->dx, "the fields of --mount are divided by commas alone");
		return -1;
	}
	e.key = find_key(r, e.name.s);
	if (!e.key) {
		return unknown_key(r, e.name);
	}
	if (field.s[n] == '=') {
		e.value = br_chars_text(r->run, field, n + 1, field.n - n - 1);
		if (!e.value.s) {
			return -1;
		}
	}
	e.word = e.value.s ? e.value.s : "";
	return check_entry(r, &e) ? -1 : apply(r, &e);
}

// ---- all of it ----

static int missing_source(const struct reader *r) {
	(void)br_error(r->run->dx, r->mount->at, "a bind mount needs a 'source'");
	br_hint(r->run->dx, "for example: type=bind,source=/data,target=/data");
	return -1;
}

static int bind_source(struct reader *r) {
	struct br_mount *mount = r->mount;
	mount->recursive = r->recursive;
	if (!r->source.s && is_podman(r)) {
		r->source = r->target;
	}
	if (!r->source.s) {
		return missing_source(r);
	}
	bool is_relative = r->source.s[0] != '/' && r->source.s[0] != '.';
	if (is_relative && r->line->client == BR_CLIENT_DOCKER) {
		(void)br_error(
			r->run->dx, r->source.at, "the source '%s' is not absolute", r->source.s);
		br_hint(r->run->dx, "a relative one begins with a dot: ./%s", r->source.s);
		return -1;
	}
	return br_line_source(r->run, r->line, mount, r->source);
}

static int volume_source(struct reader *r) {
	struct br_mount *mount = r->mount;
	mount->source = r->source;
	mount->written = r->source;
	bool is_path = r->source.s && strchr("/.~", r->source.s[0]);
	if (is_path) {
		(void)br_error(r->run->dx, r->source.at,
			"'%s' is no name of a volume, and the type is volume", r->source.s);
		br_hint(r->run->dx, "for a path of this host: type=bind");
		return -1;
	}
	if (r->is_bind_volume && r->device.s) {
		if (r->device.s[0] != '/') {
			return br_error(r->run->dx, r->device.at, "the device '%s' is not absolute",
				r->device.s);
		}
		mount->kind = BR_MOUNT_VOLUME_BIND;
		mount->source = r->device;
		mount->written = r->device;
	}
	return 0;
}

static int check_recursive(const struct reader *r) {
	const char *word = r->recursive.s;
	bool needs_ro = word && (strcmp(word, "writable") == 0 || strcmp(word, "readonly") == 0);
	if (needs_ro && !r->mount->read_only) {
		return br_error(r->run->dx, r->recursive.at,
			"bind-recursive=%s goes only with readonly", word);
	}
	if (word && r->mount->kind != BR_MOUNT_BIND) {
		return br_error(r->run->dx, r->recursive.at,
			"options of bind mounts go only with type=bind");
	}
	bool needs_private = word && strcmp(word, "readonly") == 0;
	const char *propagation = r->mount->propagation.s;
	if (needs_private && (!propagation || strcmp(propagation, "rprivate") != 0)) {
		return br_error(r->run->dx, r->recursive.at,
			"bind-recursive=readonly needs bind-propagation=rprivate");
	}
	return 0;
}

static int finish(struct reader *r) {
	struct br_mount *mount = r->mount;
	if (!r->has_kind && !is_podman(r)) {
		mount->kind = BR_MOUNT_VOLUME;
	}
	if (!r->target.s) {
		(void)br_error(r->run->dx, mount->at, "the mount has no 'target'");
		br_hint(r->run->dx, "say where it goes in the container: target=/path");
		return -1;
	}
	if (check_recursive(r) || (mount->kind == BR_MOUNT_BIND && bind_source(r))
		|| (mount->kind == BR_MOUNT_VOLUME && volume_source(r))) {
		return -1;
	}
	bool is_tmpfs = mount->kind == BR_MOUNT_TMPFS;
	if (is_tmpfs && r->source.s) {
		return br_error(r->run->dx, r->source.at, "a tmpfs has no source");
	}
	mount->environment_variable = r->used->environment;
	return br_line_target(r->run, r->line, r->target, mount)
		? -1
		: br_line_add(r->run, r->line, mount);
}

int br_line_mount(struct br_run *run, struct br_line *line, const struct br_used *used) {
	struct br_chars *fields = NULL;
	size_t n = 0;
	struct br_mount mount = {
		.kind = BR_MOUNT_VOLUME,
		.create_host_path = -1,
		.at = used->value.n ? br_chars_at(run, used->value, 0, used->value.n) : used->at,
	};
	struct reader r = {.run = run, .line = line, .mount = &mount, .used = used};
	if (used->hole) {
		return br_say_hole(run, used->hole);
	}
	if (!used->value.n) {
		return br_error(run->dx, used->at, "the mount is empty");
	}
	if (br_csv_read(run, used->value, &fields, &n)) {
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		if (read_field(&r, fields[i])) {
			return -1;
		}
	}
	return finish(&r);
}
