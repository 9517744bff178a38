/** -v SOURCE:TARGET[:OPTIONS], as each client and its engine take it. */
#include "run.h"

#include <base/text.h>

#include <spec/compose/compose.h>
#include <string.h>

/** A volume being taken apart. */
struct volume {
	struct br_run *run;
	struct br_line *line;
	const struct br_used *used;
	struct br_fields fields;
	struct br_mount *mount;
};

static const char form[] = "write SOURCE:TARGET[:OPTIONS], such as ./data:/data:ro";

static struct br_text field(const struct volume *v, size_t i) {
	return br_chars_text(v->run, v->used->value, v->fields.off[i], v->fields.len[i]);
}

static bool is_podman(const struct br_line *line) {
	return line->client == BR_CLIENT_PODMAN;
}

// ---- targets ----

int br_line_target(struct br_run *run, const struct br_line *line, struct br_text target,
	struct br_mount *mount) {
	if (!target.s) {
		return -1;
	}
	if (target.s[0] != '/') {
		(void)br_error(run->dx, target.at, "the target '%s' is not absolute", target.s);
		if (target.s[0] && target.s[1] == ':') {
			br_hint(run->dx,
				"a letter and a colon is a Windows drive; names of volumes have two letters or more");
			return -1;
		}
		br_hint(run->dx, "it is a path in the container: /%s",
			target.s[0] == '.' && target.s[1] == '/' ? target.s + 2 : target.s);
		return -1;
	}
	mount->target = (struct br_text){br_clean(run->arena, target.s), target.at};
	if (!mount->target.s) {
		return br_error_memory(run->dx);
	}
	if (!is_podman(line) && strcmp(mount->target.s, "/") == 0) {
		return br_error(run->dx, target.at, "the target cannot be '/'");
	}
	return 0;
}

int br_line_add(struct br_run *run, struct br_line *line, const struct br_mount *mount) {
	for (size_t i = 0; i < line->mounts.n; i++) {
		const struct br_mount *other = &line->mounts.v[i];
		if (strcmp(other->target.s, mount->target.s) != 0) {
			continue;
		}
		(void)br_error(
			run->dx, mount->at, "two mounts have the target '%s'", mount->target.s);
		br_other(run->dx, other->at, "the first one");
		return -1;
	}
	if (++run->mounts > BR_COMPOSE_MOUNTS) {
		return br_error(run->dx, mount->at, "more than %d mounts", BR_COMPOSE_MOUNTS);
	}
	return br_vec_push(run->arena, &line->mounts, *mount) ? br_error_memory(run->dx) : 0;
}

// ---- options ----

/** An option of the short form. */
struct option {
	const char *name;
	/** Two options of one bit exclude each other. */
	unsigned bit;
	unsigned clients;
};

enum {
	D = BR_CLIENT_DOCKER,
	P = BR_CLIENT_PODMAN,
	N = BR_CLIENT_NERDCTL,
	RW = 1 << 0,
	LABEL = 1 << 1,
	PROPAGATION = 1 << 2,
	COPY = 1 << 3,
	CONSISTENCY = 1 << 4,
	CHOWN = 1 << 5,
	OVERLAY = 1 << 6,
	IDMAP = 1 << 7,
	EXEC = 1 << 8,
	SUID = 1 << 9,
	DEV = 1 << 10,
	RECURSION = 1 << 11,
	OTHER = 1 << 12,
};

static const struct option options[] = {
	{"ro", RW, D | P | N},
	{"rw", RW, D | P | N},
	{"rro", RW, N},
	{"z", LABEL, D | P | N},
	{"Z", LABEL, D | P | N},
	{"private", PROPAGATION, D | P | N},
	{"rprivate", PROPAGATION, D | P | N},
	{"shared", PROPAGATION, D | P | N},
	{"rshared", PROPAGATION, D | P | N},
	{"slave", PROPAGATION, D | P | N},
	{"rslave", PROPAGATION, D | P | N},
	{"unbindable", PROPAGATION, P},
	{"runbindable", PROPAGATION, P},
	{"nocopy", COPY, D | P},
	{"copy", COPY, P},
	{"cached", CONSISTENCY, D | P},
	{"delegated", CONSISTENCY, D | P},
	{"consistent", CONSISTENCY, D},
	{"default", CONSISTENCY, D},
	{"U", CHOWN, P},
	{"O", OVERLAY, P},
	{"idmap", IDMAP, P},
	{"exec", EXEC, P},
	{"noexec", EXEC, P},
	{"suid", SUID, P},
	{"nosuid", SUID, P},
	{"dev", DEV, P},
	{"nodev", DEV, P},
	{"bind", RECURSION, P | N},
	{"rbind", RECURSION, P | N},
	{"no-dereference", OTHER, P},
	{"nocreate", OTHER, P},
	{"upperdir=", OTHER, P},
	{"workdir=", OTHER, P},
	{"mode=", OTHER, P},
	{"size=", OTHER, P},
	{"idmap=", IDMAP, P},
};

enum {
	NOPTIONS = sizeof(options) / sizeof(options[0]),
};

static const struct option *find_option(enum br_client client, const char *word) {
	for (size_t i = 0; i < NOPTIONS; i++) {
		size_t n = strlen(options[i].name);
		bool takes = options[i].name[n - 1] == '=';
		bool is_it = takes ? strncmp(word, options[i].name, n) == 0
				   : strcmp(word, options[i].name) == 0;
		if (is_it && (options[i].clients & client)) {
			return &options[i];
		}
	}
	return NULL;
}

static int unknown_option(struct br_run *run, const struct br_line *line, struct br_text word) {
	const char *names[NOPTIONS + 1] = {NULL};
	size_t n = 0;
	for (size_t i = 0; i < NOPTIONS; i++) {
		if (options[i].clients & line->client) {
			names[n++] = options[i].name;
		}
	}
	const char *near = strlen(word.s) < 64 ? br_nearest(word.s, names) : NULL;
	(void)br_error(run->dx, word.at, "'%s' is no option of a volume%s", word.s,
		is_podman(line) ? " of podman" : "");
	if (find_option(BR_CLIENT_PODMAN, word.s)) {
		br_hint(run->dx, "only podman knows it");
	} else if (near) {
		br_hint(run->dx, "did you mean '%s'?", near);
	} else {
		br_hint(run->dx, "the most common ones are ro, rw, z and Z");
	}
	return -1;
}

int br_line_once(struct br_run *run, struct br_text option, unsigned bit, unsigned *seen) {
	if (bit != OTHER && (*seen & bit)) {
		(void)br_error(run->dx, option.at, "'%s' says what another option has said already",
			option.s);
		br_hint(run->dx, "leave one of them out");
		return -1;
	}
	*seen |= bit;
	return 0;
}

static void apply(struct br_mount *mount, const struct option *option, struct br_text word) {
	switch (option->bit) {
	case RW:
		mount->read_only = strcmp(word.s, "rw") != 0;
		return;
	case LABEL:
		mount->selinux = word.s[0];
		return;
	case PROPAGATION:
		mount->propagation = word;
		return;
	case COPY:
		mount->nocopy = word.s[0] == 'n';
		return;
	case CHOWN:
		mount->chown = true;
		return;
	case OVERLAY:
		mount->overlay = true;
		return;
	case IDMAP:
		mount->idmap = word;
		return;
	default:
		return;
	}
}

int br_line_option(
	struct br_run *run, struct br_line *line, struct br_mount *mount, struct br_text word) {
	const struct option *option = find_option(line->client, word.s);
	if (!option) {
		// nerdctl warns, and goes on.
		if (line->client == BR_CLIENT_NERDCTL) {
			br_warning(run->dx, word.at,
				"the volume option '%s' is unknown and has no effect", word.s);
			return 0;
		}
		return unknown_option(run, line, word);
	}
	apply(mount, option, word);
	return 0;
}

static int read_options(struct volume *v) {
	struct br_text all = field(v, 2);
	br_vec(struct br_text) words = {0};
	unsigned seen = 0;
	if (!all.s) {
		return -1;
	}
	for (size_t i = 0;; i++) {
		size_t n = strcspn(all.s + i, ",");
		struct br_text word =
			br_chars_text(v->run, v->used->value, v->fields.off[2] + i, n);
		// Docker reads over nothing at all, and no other client over nothing between commas.
		bool is_nothing = !*all.s && !is_podman(v->line);
		if (!word.s || br_vec_push(v->run->arena, &words, word)) {
			return word.s ? br_error_memory(v->run->dx) : -1;
		}
		const struct option *option = find_option(v->line->client, word.s);
		if (!is_nothing
			&& (br_line_option(v->run, v->line, v->mount, word)
				|| (option && br_line_once(v->run, word, option->bit, &seen)))) {
			return -1;
		}
		i += n;
		if (!all.s[i]) {
			break;
		}
	}
	v->mount->options = words.v;
	v->mount->noptions = words.n;
	return 0;
}

/** What goes with a path, and what with a name. */
static int check_options(const struct volume *v) {
	const struct br_mount *mount = v->mount;
	bool is_bind = mount->kind == BR_MOUNT_BIND;
	for (size_t i = 0; i < mount->noptions; i++) {
		struct br_text word = mount->options[i];
		bool for_volumes = strcmp(word.s, "nocopy") == 0;
		const struct option *option = find_option(v->line->client, word.s);
		bool for_binds = option && option->bit == PROPAGATION;
		if (v->line->client != BR_CLIENT_DOCKER || !option) {
			continue;
		}
		if (is_bind ? for_volumes : for_binds) {
			return br_error(v->run->dx, word.at, "'%s' is for %s only", word.s,
				is_bind ? "named volumes" : "host paths");
		}
	}
	if (mount->overlay && mount->noptions > 1 + (size_t)mount->chown
		&& !memmem(v->used->value.s, v->used->value.n, "upperdir=", 9)) {
		return br_error(
			v->run->dx, mount->options[0].at, "'O' goes with no other option but U");
	}
	return 0;
}

// ---- sources ----

static bool is_name(const char *s, enum br_client client) {
	size_t n = 0;
	bool good = true;
	for (; s[n]; n++) {
		char c = s[n];
		bool is_alnum =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		good = good && (is_alnum || (n > 0 && strchr("_.-", c)));
	}
	return good && n >= (client == BR_CLIENT_PODMAN ? 1U : 2U);
}

static int bad_name(const struct volume *v, struct br_text source) {
	struct br_run *run = v->run;
	(void)br_error(run->dx, source.at, "'%s' is no name of a volume, and no path", source.s);
	if (source.s[0] == '~') {
		br_hint(run->dx, "no shell has replaced the '~' here: write $HOME%s",
			source.s[1] == '/' ? source.s + 1 : "");
	} else if (strchr(source.s, '/')) {
		br_hint(run->dx, "a path of this host begins with / or ./: ./%s", source.s);
	} else {
		br_hint(run->dx, "%s", form);
	}
	return -1;
}

int br_line_source(
	struct br_run *run, struct br_line *line, struct br_mount *mount, struct br_text source) {
	unsigned version = run->request->engine_version;
	bool is_old = line->client == BR_CLIENT_DOCKER && version && version < 2300;
	mount->written = source;
	mount->source = source;
	if (source.s[0] == '/') {
		return 0;
	}
	if (is_old) {
		(void)br_error(run->dx, source.at,
			"docker before version 23 takes no relative path: '%s'", source.s);
		br_hint(run->dx, "write \"$PWD\"/%s",
			strncmp(source.s, "./", 2) == 0 ? source.s + 2 : source.s);
		return -1;
	}
	mount->source.s = br_run_path(run, source.s, source.at);
	return mount->source.s ? 0 : -1;
}

static int read_source(struct volume *v) {
	struct br_text source = field(v, 0);
	struct br_mount *mount = v->mount;
	if (!source.s) {
		return -1;
	}
	bool is_path = source.s[0] == '/' || source.s[0] == '.';
	// Docker's parser knows drives and homes; where the paths go to is this host all the same.
	bool is_drive = !is_podman(v->line) && source.s[0] && source.s[1] == ':';
	if (is_drive) {
		(void)br_error(v->run->dx, source.at, "'%s' is taken for a path on a Windows drive",
			source.s);
		br_hint(v->run->dx, "names of volumes have at least two letters");
		return -1;
	}
	if (v->line->client == BR_CLIENT_NERDCTL && !is_name(source.s, v->line->client)) {
		is_path = source.s[0] != '~' && *source.s;
	}
	if (!is_path && !is_name(source.s, v->line->client)) {
		return bad_name(v, source);
	}
	mount->kind = is_path ? BR_MOUNT_BIND : BR_MOUNT_VOLUME;
	mount->written = source;
	mount->source = source;
	mount->environment_variable = v->used->environment;
	if (!is_path) {
		return 0;
	}
	mount->create = is_podman(v->line) ? BR_CREATE_NEVER : BR_CREATE_ENGINE;
	return br_line_source(v->run, v->line, mount, source);
}

/** At every colon. */
static enum br_split split_plainly(const char *s, struct br_fields *out) {
	*out = (struct br_fields){0};
	for (size_t at = 0;;) {
		size_t n = strcspn(s + at, ":");
		if (out->n == 3) {
			return BR_SPLIT_COLONS;
		}
		out->off[out->n] = at;
		out->len[out->n++] = n;
		if (!s[at + n]) {
			return out->n == 1 && n == 0 ? BR_SPLIT_EMPTY : BR_SPLIT_OK;
		}
		at += n + 1;
	}
}

/** The third field may be empty for Docker. */
static enum br_split split(const struct volume *v, struct br_fields *out) {
	const char *s = v->used->value.s;
	if (v->line->client != BR_CLIENT_DOCKER) {
		enum br_split got = split_plainly(s, out);
		bool is_empty = got == BR_SPLIT_OK && out->n > 1 && (!out->len[0] || !out->len[1]);
		return is_empty ? BR_SPLIT_EMPTY_SECTION : got;
	}
	return br_short_split(s, false, out);
}

static int split_error(const struct volume *v, enum br_split why) {
	struct br_run *run = v->run;
	struct br_chars value = v->used->value;
	struct br_span at = value.n ? br_chars_at(run, value, 0, value.n) : v->used->at;
	switch (why) {
	case BR_SPLIT_OK:
		return 0;
	case BR_SPLIT_EMPTY:
		(void)br_error(run->dx, at, "the volume is empty");
		break;
	case BR_SPLIT_EMPTY_SECTION:
		(void)br_error(
			run->dx, at, "empty section between colons in the volume '%s'", value.s);
		break;
	case BR_SPLIT_COLONS:
		(void)br_error(run->dx, at, "too many colons in the volume '%s'", value.s);
		br_hint(run->dx,
			"paths with colons need --mount type=bind,source=PATH,target=PATH");
		return -1;
	}
	br_hint(run->dx, "%s", form);
	return -1;
}

int br_line_volume(struct br_run *run, struct br_line *line, const struct br_used *used) {
	struct br_mount mount = {
		.kind = BR_MOUNT_VOLUME,
		.create_host_path = -1,
		.at = used->value.n ? br_chars_at(run, used->value, 0, used->value.n) : used->at,
	};
	struct volume v = {.run = run, .line = line, .used = used, .mount = &mount};
	if (used->hole) {
		return br_say_hole(run, used->hole);
	}
	for (size_t i = 0; i < line->volumes.n; i++) {
		if (strcmp(line->volumes.v[i], used->value.s) == 0) {
			return 0;
		}
	}
	if (br_vec_push(run->arena, &line->volumes, used->value.s)) {
		return br_error_memory(run->dx);
	}
	enum br_split got = split(&v, &v.fields);
	if (got != BR_SPLIT_OK) {
		return split_error(&v, got);
	}
	size_t target = v.fields.n > 1 ? 1 : 0;
	if ((target && read_source(&v)) || br_line_target(run, line, field(&v, target), &mount)) {
		return -1;
	}
	if (v.fields.n > 2 && (read_options(&v) || check_options(&v))) {
		return -1;
	}
	return br_line_add(run, line, &mount);
}

int br_line_tmpfs(struct br_run *run, struct br_line *line, const struct br_used *used) {
	struct br_mount mount = {.kind = BR_MOUNT_TMPFS, .create_host_path = -1, .at = used->at};
	if (used->hole) {
		return br_say_hole(run, used->hole);
	}
	size_t n = strcspn(used->value.s, ":");
	struct br_text target = br_chars_text(run, used->value, 0, n);
	return br_line_target(run, line, target, &mount) ? -1 : br_line_add(run, line, &mount);
}
