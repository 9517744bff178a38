#include "cases.h"

#include <base/own.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

const char *case_top(void) {
	const char *given = getenv("BR_TOP");
	return given ? given : ".";
}

static void add(const char **list, const char *word) {
	for (size_t i = 0; i < CASE_LIST - 1; i++) {
		if (!list[i]) {
			list[i] = word;
			return;
		}
	}
	fail_msg("too many words in a request");
}

static void apply_path(struct spec_case *run, const char *key, const char *value) {
	if (strcmp(key, "cwd") == 0) {
		(void)snprintf(run->cwd, sizeof(run->cwd), "%s/%s", run->dir, value);
	} else if (strcmp(key, "stdin") == 0) {
		char path[PATH_MAX + 300];
		(void)snprintf(path, sizeof(path), "%s/%s", run->dir, value);
		run->request.stdin_fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(run->request.stdin_fd >= 0);
	} else if (strcmp(key, "directory") == 0) {
		run->request.project_directory = value;
	} else if (strcmp(key, "name") == 0) {
		run->request.project_name = value;
	} else if (strcmp(key, "home") == 0) {
		run->request.home = NULL;
	} else {
		fail_msg("%s: unknown word '%s' in request", run->dir, key);
	}
}

static void apply(struct spec_case *run, char *line) {
	char *value = strchr(line, ' ');
	assert_non_null(value);
	*value++ = '\0';
	const struct {
		const char *key;
		const char **list;
	} lists[] = {{"file", run->files}, {"service", run->services}, {"profile", run->profiles},
		{"env-file", run->env_files}, {"env", run->environment},
		{"override", run->overrides}};
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		if (strcmp(line, lists[i].key) == 0) {
			add(lists[i].list, value);
			return;
		}
	}
	uint32_t n = 0;
	if (strcmp(line, "version") == 0) {
		assert_int_equal(br_parse_u32(value, 10000, &n), 0);
		run->request.compose_version = n;
		return;
	}
	apply_path(run, line, value);
}

static void read_request(struct spec_case *run) {
	char path[PATH_MAX + 16];
	(void)snprintf(path, sizeof(path), "%s/request", run->dir);
	br_auto(br_fclosep) FILE *f = fopen(path, "re");
	add(run->environment, "PATH=/bin");
	while (f && fgets(run->lines[run->nlines], sizeof(run->lines[0]), f)) {
		char *line = run->lines[run->nlines++];
		line[strcspn(line, "\n")] = '\0';
		apply(run, line);
	}
	run->request.files = run->files[0] ? run->files : NULL;
	run->request.services = run->services[0] ? run->services : NULL;
	run->request.profiles = run->profiles;
	run->request.env_files = run->env_files;
	run->request.environment = run->environment;
	run->request.overrides = run->overrides;
	run->request.cwd = run->cwd;
}

void case_start(struct spec_case *run, const char *name) {
	char path[PATH_MAX];
	*run = (struct spec_case){0};
	(void)snprintf(path, sizeof(path), "%s/tests/spec/%s", case_top(), name);
	assert_non_null(realpath(path, run->dir));
	(void)snprintf(run->cwd, sizeof(run->cwd), "%s", run->dir);
	run->request.stdin_fd = -1;
	run->request.home = "/home/u";
	read_request(run);
	run->places = br_places_new();
	run->dx = br_diags_new(run->places);
	assert_non_null(run->dx);
}

void case_finish(struct spec_case *run) {
	br_diags_free(run->dx);
	br_places_free(run->places);
	br_buf_release(&run->out);
	if (run->request.stdin_fd >= 0) {
		(void)close(run->request.stdin_fd);
	}
}

/* Where, as file:line:column+length. */
static void put_at(struct spec_case *run, struct br_span at) {
	struct br_position p;
	if (br_places_find(run->places, at, &p)) {
		br_buf_addf(&run->out, " %s:%u:%u+%u", p.file, p.line, p.column, at.len);
	} else {
		br_buf_add(&run->out, " nowhere");
	}
}

static void put_quoted(struct spec_case *run, const char *s) {
	br_buf_addc(&run->out, '"');
	br_buf_escape(&run->out, s, strlen(s));
	br_buf_addc(&run->out, '"');
}

static void put(struct spec_case *run, const char *label, struct br_text text) {
	if (text.s) {
		br_buf_addf(&run->out, "%s ", label);
		put_quoted(run, text.s);
		put_at(run, text.at);
		br_buf_addc(&run->out, '\n');
	}
}

static void put_words(
	struct spec_case *run, const char *label, const struct br_text *words, size_t n) {
	for (size_t i = 0; i < n; i++) {
		put(run, label, words[i]);
	}
}

static void put_ignores(
	struct spec_case *run, const char *indent, const struct br_ignore *ignores, size_t n) {
	for (size_t i = 0; i < n; i++) {
		br_buf_add(&run->out, indent);
		put(run, "ignore", ignores[i].code);
		br_buf_add(&run->out, ignores[i].reason.s ? indent : "");
		put(run, "  reason", ignores[i].reason);
		br_buf_add(&run->out, ignores[i].target.s ? indent : "");
		put(run, "  target", ignores[i].target);
	}
}

static void put_mount(struct spec_case *run, const struct br_mount *mount) {
	static const char *const kinds[] = {
		"bind", "volume-bind", "secret", "config", "volume", "tmpfs", "other"};
	static const char *const creates[] = {"never", "engine", "unsure"};
	br_buf_addf(&run->out, "  mount %s %s create=%s", kinds[mount->kind],
		mount->read_only ? "ro" : "rw", creates[mount->create]);
	if (mount->create_host_path >= 0) {
		br_buf_addf(&run->out, " create_host_path=%d", mount->create_host_path);
	}
	if (mount->selinux) {
		br_buf_addf(&run->out, " selinux=%c", mount->selinux);
	}
	br_buf_add(&run->out, mount->nocopy ? " nocopy" : "");
	if (mount->unset_variable) {
		br_buf_addf(&run->out, " unset=%s", mount->unset_variable);
	}
	if (mount->environment_variable) {
		br_buf_addf(&run->out, " environment=%s", mount->environment_variable);
	}
	put_at(run, mount->at);
	br_buf_addc(&run->out, '\n');
	put(run, "    source", mount->source);
	put(run, "    written", mount->written);
	put(run, "    target", mount->target);
	put(run, "    propagation", mount->propagation);
	put(run, "    recursive", mount->recursive);
	put_words(run, "    option", mount->options, mount->noptions);
	put(run, "    need", mount->wishes.need);
	put(run, "    future_files", mount->wishes.future_files);
	put_words(run, "    user", mount->wishes.users, mount->wishes.nusers);
	put_ignores(run, "    ", mount->wishes.ignores, mount->wishes.nignores);
}

static void put_build(struct spec_case *run, const struct br_build *build) {
	if (!build) {
		return;
	}
	br_buf_add(&run->out, "  build");
	put_at(run, build->at);
	br_buf_addc(&run->out, '\n');
	put(run, "    context", build->context);
	put(run, "    dockerfile", build->dockerfile);
	put(run, "    dockerfile_inline", build->dockerfile_inline);
	put(run, "    target", build->target);
	put_words(run, "    arg", build->args, build->nargs);
}

static void put_container(struct spec_case *run, const struct br_container *c) {
	put(run, "container", c->name);
	put(run, "  image", c->image);
	put_build(run, c->build);
	put(run, "  user", c->user);
	put_words(run, "  environment", c->environment, c->nenvironment);
	if (c->has_entrypoint) {
		br_buf_add(&run->out, "  entrypoint");
		put_at(run, c->entrypoint_at);
		br_buf_addc(&run->out, '\n');
	}
	put(run, "  userns_mode", c->userns_mode);
	put(run, "  network_mode", c->network_mode);
	put(run, "  pid", c->pid);
	put(run, "  ipc", c->ipc);
	if (c->privileged) {
		br_buf_add(&run->out, "  privileged");
		put_at(run, c->privileged_at);
		br_buf_addc(&run->out, '\n');
	}
	br_buf_add(&run->out, c->read_only ? "  read_only\n" : "");
	put_words(run, "  group_add", c->group_add, c->ngroup_add);
	put_words(run, "  cap_add", c->cap_add, c->ncap_add);
	put_words(run, "  cap_drop", c->cap_drop, c->ncap_drop);
	put_words(run, "  security_opt", c->security_opt, c->nsecurity_opt);
	for (size_t i = 0; i < c->nmounts; i++) {
		put_mount(run, &c->mounts[i]);
	}
	put_ignores(run, "  ", c->ignores, c->nignores);
}

static void put_spec(struct spec_case *run, const struct br_spec *spec) {
	br_buf_addf(&run->out, "project %s in %s:", spec->project_name, spec->project_directory);
	for (size_t i = 0; i < spec->nfiles; i++) {
		br_buf_addf(&run->out, " %s", spec->files[i]);
	}
	br_buf_addc(&run->out, '\n');
	for (size_t i = 0; i < spec->n; i++) {
		put_container(run, &spec->containers[i]);
	}
	for (size_t i = 0; i < spec->nclaims; i++) {
		put(run, "claimed by", spec->claims[i].name);
		put(run, "  source", spec->claims[i].source);
	}
}

static void put_messages(struct spec_case *run) {
	for (size_t i = 0; i < br_diags_count(run->dx); i++) {
		const struct br_diag *diag = br_diags_get(run->dx, i);
		br_auto(br_freep) char *text =
			br_diag_render(run->places, diag, "bindright", false);
		assert_non_null(text);
		br_buf_add(&run->out, text);
		size_t n = strlen(text);
		br_buf_add(&run->out, n && text[n - 1] == '\n' ? "" : "\n");
	}
}

/* The directory of the case is "@" in what is compared. */
static char *portable(const struct spec_case *run) {
	struct br_buf out = {0};
	size_t n = strlen(run->dir);
	br_buf_add(&out, "");
	for (const char *p = run->out.s; *p;) {
		if (strncmp(p, run->dir, n) == 0) {
			br_buf_addc(&out, '@');
			p += n;
		} else {
			br_buf_addc(&out, *p++);
		}
	}
	return br_buf_take(&out);
}

char *case_text(struct spec_case *run, const struct br_spec *spec) {
	br_buf_add(&run->out, "");
	if (spec) {
		put_spec(run, spec);
	}
	put_messages(run);
	return portable(run);
}

static int is_case(const struct dirent *entry) {
	return entry->d_name[0] != '.';
}

struct dirent **case_list(size_t *n) {
	char path[PATH_MAX];
	struct dirent **found = NULL;
	(void)snprintf(path, sizeof(path), "%s/tests/spec", case_top());
	int count = scandir(path, &found, is_case, alphasort);
	*n = count > 0 ? (size_t)count : 0;
	struct dirent **ended = calloc(*n + 1, sizeof(*ended));
	if (!*n || !ended) {
		(void)fprintf(stderr, "no cases in %s\n", path);
		abort();
	}
	memcpy(ended, found, *n * sizeof(*ended));
	free(found);
	return ended;
}
