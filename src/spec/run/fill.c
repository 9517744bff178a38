/** What a line's options say becomes a container. */
#include "run.h"

#include <base/text.h>

#include <errno.h>
#include <spec/compose/compose.h>
#include <string.h>

/** A list of words. */
struct words {
	struct br_text *v;
	size_t n, cap;
};

/** The lists that options add to. */
struct filler {
	struct br_run *run;
	struct br_line *line;
	const struct br_used *used;
	struct words group_add, cap_add, cap_drop, security_opt, environment;
	struct words uid_maps, gid_maps, host_users;
	/** What excludes each other. */
	const struct br_used *userns, *maps;
};

static bool is_podman(const struct filler *f) {
	return f->line->client == BR_CLIENT_PODMAN;
}

static struct br_text value_of(struct filler *f) {
	struct br_text text = br_chars_text(f->run, f->used->value, 0, f->used->value.n);
	text.at = f->used->value.n ? text.at : f->used->at;
	return text;
}

static int push(struct filler *f, struct words *to, struct br_text word) {
	if (!word.s) {
		return -1;
	}
	return br_vec_push(f->run->arena, to, word) ? br_error_memory(f->run->dx) : 0;
}

/** One word, or for clients whose lists have commas the words between them. */
static int push_all(struct filler *f, struct words *to) {
	if (f->line->client == BR_CLIENT_DOCKER) {
		return push(f, to, value_of(f));
	}
	struct br_chars all = f->used->value;
	for (size_t i = 0; i <= all.n;) {
		size_t n = strcspn(all.s + i, ",");
		if (push(f, to, br_chars_text(f->run, all, i, n))) {
			return -1;
		}
		i += n + 1;
	}
	return 0;
}

// ---- user namespaces ----

static int check_userns(struct filler *f, struct br_text mode) {
	static const char *const words[] = {
		"", "host", "private", "auto", "keep-id", "nomap", NULL};
	static const char *const prefixes[] = {"auto:", "keep-id:", "ns:", "container:", NULL};
	bool any = is_podman(f);
	for (size_t i = 0; words[i] && (any || i < 2); i++) {
		if (strcmp(mode.s, words[i]) == 0) {
			return 0;
		}
	}
	for (size_t i = 0; any && prefixes[i]; i++) {
		if (strncmp(mode.s, prefixes[i], strlen(prefixes[i])) == 0) {
			return 0;
		}
	}
	(void)br_error(f->run->dx, mode.at, "'%s' is no value of --userns", mode.s);
	if (any) {
		const char *near = strlen(mode.s) < 32 ? br_nearest(mode.s, words) : NULL;
		br_hint(f->run->dx, "%s%s%s", near ? "did you mean '" : "for example: keep-id",
			near ? near : "", near ? "'?" : "");
	} else {
		br_hint(f->run->dx, "docker knows 'host' only");
	}
	return -1;
}

static int read_userns(struct filler *f) {
	struct br_text mode = value_of(f);
	if (!mode.s || (f->line->client != BR_CLIENT_NERDCTL && check_userns(f, mode))) {
		return -1;
	}
	f->userns = f->used;
	f->line->container.userns_mode = mode;
	return 0;
}

/** [FLAGS]CONTAINER:HOST[:COUNT]. */
static bool is_map(const char *s) {
	size_t numbers = 0;
	while (*s && strchr("+ug", *s)) {
		s++;
	}
	for (;;) {
		s += numbers == 1 && *s == '@';
		size_t n = strspn(s, "0123456789");
		numbers++;
		if (n == 0 || n > 10 || numbers > 3) {
			return false;
		}
		if (!s[n]) {
			return numbers >= 2;
		}
		if (s[n] != ':') {
			return false;
		}
		s += n + 1;
	}
}

static int read_map(struct filler *f, struct words *to) {
	size_t from = to->n;
	f->maps = f->used;
	if (push_all(f, to)) {
		return -1;
	}
	for (size_t i = from; i < to->n; i++) {
		if (!is_map(to->v[i].s)) {
			(void)br_error(f->run->dx, to->v[i].at,
				"'%s' is not CONTAINER:HOST[:COUNT]", to->v[i].s);
			br_hint(f->run->dx, "for example: --%s 0:100000:65536",
				f->used->flag->name);
			return -1;
		}
	}
	return 0;
}

// ---- words ----

static int read_umask(struct filler *f) {
	struct br_text umask = value_of(f);
	size_t n = umask.s ? strlen(umask.s) : 0;
	if (!umask.s) {
		return -1;
	}
	if (n == 0 || n > 4 || strspn(umask.s, "01234567") != n) {
		(void)br_error(f->run->dx, umask.at, "'%s' is no umask", umask.s);
		br_hint(f->run->dx, "octal digits: --umask 0022");
		return -1;
	}
	f->line->container.umask = umask;
	return 0;
}

static int read_name(struct filler *f) {
	struct br_text name = value_of(f);
	size_t n = name.s ? strlen(name.s) : 0;
	bool good = n > (is_podman(f) ? 0U : 1U);
	for (size_t i = 0; i < n; i++) {
		char c = name.s[i];
		bool is_alnum =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		good = good && (is_alnum || (i > 0 && strchr("_.-", c)));
	}
	if (!name.s) {
		return -1;
	}
	if (!good && n) {
		(void)br_error(f->run->dx, name.at, "'%s' is no name of a container", name.s);
		br_hint(f->run->dx, "letters and digits, and behind the first also _ . -");
		return -1;
	}
	f->line->container.name = n ? name : (struct br_text){0};
	return 0;
}

/** NAME=VALUE; NAME alone takes the caller's value. */
static int read_env(struct filler *f) {
	if (f->used->hole) {
		// Only the name is known then: that it is set is all that may matter.
		return 0;
	}
	struct br_text word = value_of(f);
	if (word.s && (!*word.s || *word.s == '=')) {
		(void)br_error(f->run->dx, word.at, "'%s' is no variable", word.s);
		br_hint(f->run->dx, "for example: -e NAME=VALUE");
		return -1;
	}
	if (word.s && !strchr(word.s, '=')) {
		const struct br_var *var = br_env_get(&f->run->env, word.s);
		if (!var) {
			return 0;
		}
		word.s = br_printf(f->run->arena, "%s=%s", word.s, var->value);
		if (!word.s) {
			return br_error_memory(f->run->dx);
		}
	}
	return push(f, &f->environment, word);
}

/** The lines of an env file: NAME=VALUE, nothing quoted; "#" begins a comment. */
static int add_env_lines(struct filler *f, const struct br_file *file, struct br_span at) {
	struct br_arena *arena = f->run->arena;
	for (size_t i = 0; i < file->n;) {
		const char *end = memchr(file->bytes + i, '\n', file->n - i);
		size_t n = end ? (size_t)(end - file->bytes) - i : file->n - i;
		size_t from = i;
		i += n + 1;
		while (n && strchr(" \t", file->bytes[from])) {
			from++;
			n--;
		}
		n -= n && file->bytes[from + n - 1] == '\r';
		if (!n || file->bytes[from] == '#' || memchr(file->bytes + from, '\0', n)) {
			continue;
		}
		if (push(f, &f->environment,
			    (struct br_text){br_strndup(arena, file->bytes + from, n), at})) {
			return br_error_memory(f->run->dx);
		}
	}
	return 0;
}

static int read_env_file(struct filler *f) {
	struct br_run *run = f->run;
	struct br_text word = value_of(f);
	const char *path = word.s && *word.s ? br_run_path(run, word.s, word.at) : NULL;
	if (!path) {
		return word.s && !*word.s
			? br_error(run->dx, f->used->at, "the name of the env file is empty")
			: -1;
	}
	const struct br_file *file = br_store_ask(run->store, BR_ASK_FILE, path);
	if (file) {
		return add_env_lines(f, file, word.at);
	}
	// Without an answer this goes on, so that all of them are asked for together.
	int why = errno;
	if (why == EAGAIN) {
		return 0;
	}
	(void)br_error(
		run->dx, word.at, "cannot read the env file '%s': %s", word.s, br_compose_why(why));
	br_hint_answer(run->dx, why);
	return -1;
}

static int read_group(struct filler *f) {
	size_t from = f->group_add.n;
	if (push_all(f, &f->group_add)) {
		return -1;
	}
	for (size_t i = 0; is_podman(f) && i < f->group_add.n; i++) {
		bool keeps = strcmp(f->group_add.v[i].s, "keep-groups") == 0;
		if (keeps && f->group_add.n > 1) {
			return br_error(f->run->dx, f->group_add.v[i].at,
				"'keep-groups' goes with no other group");
		}
	}
	for (size_t i = from; f->line->client == BR_CLIENT_DOCKER && i < f->group_add.n; i++) {
		if (!*f->group_add.v[i].s) {
			return br_error(f->run->dx, f->used->at, "the group is empty");
		}
	}
	return 0;
}

/** Docker's short-cut to its own socket. */
static int add_socket(struct filler *f) {
	static const char path[] = "/var/run/docker.sock";
	struct br_mount mount = {
		.kind = BR_MOUNT_BIND,
		.source = {path, f->used->at},
		.written = {path, f->used->at},
		.target = {path, f->used->at},
		.create = BR_CREATE_NEVER,
		.create_host_path = -1,
		.at = f->used->at,
	};
	return f->used->yes ? br_line_add(f->run, f->line, &mount) : 0;
}

static int keep(struct filler *f, struct br_text *to) {
	*to = value_of(f);
	return to->s ? 0 : -1;
}

/** Several networks: the first one is the container's mode. */
static int read_network(struct filler *f) {
	struct br_text mode = value_of(f);
	struct br_text *to = &f->line->container.network_mode;
	if (!to->s) {
		*to = mode;
	}
	return mode.s ? 0 : -1;
}

static int read_volumes_from(struct filler *f) {
	struct br_text from = value_of(f);
	if (from.s && !*from.s) {
		return br_error(f->run->dx, from.at, "--volumes-from needs a container's name");
	}
	if (!from.s) {
		return -1;
	}
	return br_vec_push(f->run->arena, &f->line->volumes_from, from)
		? br_error_memory(f->run->dx)
		: 0;
}

/** Docker's client takes this one for itself: it unmasks /proc and /sys, and the engine never hears
 * of it. */
static int read_security(struct filler *f) {
	bool is_clients = f->line->client == BR_CLIENT_DOCKER
		&& strcmp(f->used->value.s, "systempaths=unconfined") == 0;
	return is_clients ? 0 : push(f, &f->security_opt, value_of(f));
}

/** What adds to a list. */
static int add_to_list(struct filler *f) {
	struct br_container *c = &f->line->container;
	switch (f->used->flag->is) {
	case BR_FLAG_CAP_ADD:
		return push_all(f, &f->cap_add);
	case BR_FLAG_CAP_DROP:
		return push_all(f, &f->cap_drop);
	case BR_FLAG_HOSTUSER:
		return push_all(f, &f->host_users);
	case BR_FLAG_SECURITY_OPT:
		return read_security(f);
	case BR_FLAG_UIDMAP:
		return read_map(f, &f->uid_maps);
	case BR_FLAG_GIDMAP:
		return read_map(f, &f->gid_maps);
	case BR_FLAG_SUBUIDNAME:
		f->maps = f->used;
		return keep(f, &c->subuid_name);
	case BR_FLAG_SUBGIDNAME:
		f->maps = f->used;
		return keep(f, &c->subgid_name);
	case BR_FLAG_VOLUME:
		return br_line_volume(f->run, f->line, f->used);
	case BR_FLAG_MOUNT:
		return br_line_mount(f->run, f->line, f->used);
	case BR_FLAG_TMPFS:
		return br_line_tmpfs(f->run, f->line, f->used);
	case BR_FLAG_VOLUMES_FROM:
		return read_volumes_from(f);
	case BR_FLAG_ENV_FILE:
		return read_env_file(f);
	default:
		return 0;
	}
}

static void set_switch(struct filler *f) {
	struct br_container *c = &f->line->container;
	switch (f->used->flag->is) {
	case BR_FLAG_PRIVILEGED:
		c->privileged = f->used->yes;
		c->privileged_at = f->used->at;
		return;
	case BR_FLAG_READ_ONLY:
		c->read_only = f->used->yes;
		return;
	case BR_FLAG_ROOTFS:
		f->line->is_rootfs = f->used->yes;
		return;
	default:
		return;
	}
}

static int apply(struct filler *f) {
	struct br_container *c = &f->line->container;
	switch (f->used->flag->is) {
	case BR_FLAG_USER:
		return keep(f, &c->user);
	case BR_FLAG_USERNS:
		return read_userns(f);
	case BR_FLAG_PID:
		return keep(f, &c->pid);
	case BR_FLAG_IPC:
		return keep(f, &c->ipc);
	case BR_FLAG_POD:
		return keep(f, &c->pod);
	case BR_FLAG_RUNTIME:
		return keep(f, &c->runtime);
	case BR_FLAG_UMASK:
		return read_umask(f);
	case BR_FLAG_GROUP_ADD:
		return read_group(f);
	case BR_FLAG_NETWORK:
		return read_network(f);
	case BR_FLAG_SOCKET:
		return add_socket(f);
	case BR_FLAG_ENTRYPOINT:
		c->has_entrypoint = true;
		c->entrypoint_at = f->used->at;
		return 0;
	default:
		set_switch(f);
		return add_to_list(f);
	}
}

/** What cannot be known matters only where the option itself does. */
static bool may_be_unknown(enum br_flag_is is) {
	return is == BR_FLAG_SKIP || is == BR_FLAG_RUNTIME || is == BR_FLAG_ENTRYPOINT
		|| is == BR_FLAG_ENV || is == BR_FLAG_HELP;
}

static int apply_one(struct filler *f) {
	enum br_flag_is is = f->used->flag->is;
	struct br_run *run = f->run;
	if (is == BR_FLAG_NAME) {
		// A name of $(date) is no name that anybody could use.
		return f->used->hole ? 0 : read_name(f);
	}
	if (is == BR_FLAG_ENV) {
		return read_env(f);
	}
	if (f->used->hole && !may_be_unknown(is)) {
		return br_say_hole(run, f->used->hole);
	}
	return is == BR_FLAG_SKIP || (f->used->hole && is == BR_FLAG_RUNTIME) ? 0 : apply(f);
}

/** Podman's --rootfs PATH[:O|:idmap…]: the image's place has a directory. */
static int take_rootfs(struct filler *f) {
	struct br_container *c = &f->line->container;
	if (!f->line->is_rootfs) {
		return 0;
	}
	size_t n = strcspn(c->image.s, ":");
	char *path = br_strndup(f->run->arena, c->image.s, n);
	if (!path) {
		return br_error_memory(f->run->dx);
	}
	c->rootfs = (struct br_text){br_run_path(f->run, path, c->image.at), c->image.at};
	c->image = (struct br_text){0};
	return c->rootfs.s ? 0 : -1;
}

static int finish(struct filler *f) {
	struct br_container *c = &f->line->container;
	if (f->userns && f->maps && *f->line->container.userns_mode.s) {
		(void)br_error(f->run->dx, f->maps->at, "--%s and --userns exclude each other",
			f->maps->flag->name);
		br_other(f->run->dx, f->userns->at, "the other one");
		return -1;
	}
	c->group_add = f->group_add.v;
	c->ngroup_add = f->group_add.n;
	c->cap_add = f->cap_add.v;
	c->ncap_add = f->cap_add.n;
	c->cap_drop = f->cap_drop.v;
	c->ncap_drop = f->cap_drop.n;
	c->security_opt = f->security_opt.v;
	c->nsecurity_opt = f->security_opt.n;
	c->environment = f->environment.v;
	c->nenvironment = f->environment.n;
	c->uid_maps = f->uid_maps.v;
	c->nuid_maps = f->uid_maps.n;
	c->gid_maps = f->gid_maps.v;
	c->ngid_maps = f->gid_maps.n;
	c->host_users = f->host_users.v;
	c->nhost_users = f->host_users.n;
	f->line->nown = f->line->mounts.n;
	return take_rootfs(f);
}

int br_line_fill(struct br_run *run, struct br_line *line, const struct br_used_flags *used) {
	struct filler f = {.run = run, .line = line};
	for (size_t i = 0; i < used->n; i++) {
		// What an env file says counts less than what the line says.
		f.used = &used->v[i];
		if (f.used->flag->is == BR_FLAG_ENV_FILE && apply_one(&f)) {
			return -1;
		}
	}
	for (size_t i = 0; i < used->n; i++) {
		f.used = &used->v[i];
		if (f.used->flag->is != BR_FLAG_ENV_FILE && apply_one(&f)) {
			return -1;
		}
	}
	return finish(&f);
}
