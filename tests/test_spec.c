/*
 * Every directory below tests/spec/ is a case: its files are the project, `request` (if it is there) says how it is read,
 * and `expected` is the dump of what was understood, or `err` the messages of what was refused.
 *
 * request, a line each: file F, stdin F (what "-" reads), service S, profile P, directory D, env-file F, name N,
 * env NAME=VALUE (the caller's environment), override NAME=VALUE, version N, cwd SUBDIRECTORY, home none.
 * BR_UPDATE=1 writes the files anew, to be checked by eye.
 */
#include <base/mem.h>
#include <base/own.h>
#include <base/text.h>
#include <bindright/spec.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	LIST = 16
};

/** A case being run. */
struct run {
	char dir[PATH_MAX];
	char cwd[PATH_MAX + 64];
	char lines[64][256];
	size_t nlines;
	const char *files[LIST], *services[LIST], *profiles[LIST], *env_files[LIST];
	const char *environment[LIST], *overrides[LIST];
	struct br_spec_request request;
	struct br_places *places;
	struct br_diags *dx;
	struct br_buf out;
};

static const char *top(void) {
	const char *given = getenv("BR_TOP");
	return given ? given : ".";
}

static void add(const char **list, const char *word) {
	for (size_t i = 0; i < LIST - 1; i++) {
		if (!list[i]) {
			list[i] = word;
			return;
		}
	}
	fail_msg("too many words in a request");
}

static void apply_path(struct run *run, const char *key, const char *value) {
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

static void apply(struct run *run, char *line) {
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

static void read_request(struct run *run) {
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

static void start(struct run *run, const char *name) {
	char path[PATH_MAX];
	*run = (struct run){0};
	(void)snprintf(path, sizeof(path), "%s/tests/spec/%s", top(), name);
	assert_non_null(realpath(path, run->dir));
	(void)snprintf(run->cwd, sizeof(run->cwd), "%s", run->dir);
	run->request.stdin_fd = -1;
	run->request.home = "/home/u";
	read_request(run);
	run->places = br_places_new();
	run->dx = br_diags_new(run->places);
	assert_non_null(run->dx);
}

static void finish(struct run *run) {
	br_diags_free(run->dx);
	br_places_free(run->places);
	br_buf_release(&run->out);
	if (run->request.stdin_fd >= 0) {
		(void)close(run->request.stdin_fd);
	}
}

/* Where, as file:line:column+length. */
static void put_at(struct run *run, struct br_span at) {
	struct br_position p;
	if (br_places_find(run->places, at, &p)) {
		br_buf_addf(&run->out, " %s:%u:%u+%u", p.file, p.line, p.column, at.len);
	} else {
		br_buf_add(&run->out, " nowhere");
	}
}

static void put_quoted(struct run *run, const char *s) {
	br_buf_addc(&run->out, '"');
	br_buf_escape(&run->out, s, strlen(s));
	br_buf_addc(&run->out, '"');
}

static void put(struct run *run, const char *label, struct br_text text) {
	if (text.s) {
		br_buf_addf(&run->out, "%s ", label);
		put_quoted(run, text.s);
		put_at(run, text.at);
		br_buf_addc(&run->out, '\n');
	}
}

static void put_words(struct run *run, const char *label, const struct br_text *words, size_t n) {
	for (size_t i = 0; i < n; i++) {
		put(run, label, words[i]);
	}
}

static void put_mount(struct run *run, const struct br_mount *mount) {
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
}

static void put_build(struct run *run, const struct br_build *build) {
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

static void put_container(struct run *run, const struct br_container *c) {
	put(run, "container", c->name);
	put(run, "  image", c->image);
	put_build(run, c->build);
	put(run, "  user", c->user);
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
	for (size_t i = 0; i < c->nignores; i++) {
		put(run, "  ignore", c->ignores[i].code);
		put(run, "    reason", c->ignores[i].reason);
		put(run, "    target", c->ignores[i].target);
	}
}

static void put_spec(struct run *run, const struct br_spec *spec) {
	br_buf_addf(&run->out, "project %s in %s:", spec->project_name, spec->project_directory);
	for (size_t i = 0; i < spec->nfiles; i++) {
		br_buf_addf(&run->out, " %s", spec->files[i]);
	}
	br_buf_addc(&run->out, '\n');
	for (size_t i = 0; i < spec->n; i++) {
		put_container(run, &spec->containers[i]);
	}
}

static void put_messages(struct run *run) {
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
static char *portable(const struct run *run) {
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

static char *slurp(const char *path) {
	br_auto(br_fclosep) FILE *f = fopen(path, "re");
	if (!f) {
		return NULL;
	}
	struct br_buf out = {0};
	char bytes[4096];
	size_t n = 0;
	br_buf_add(&out, "");
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0) {
		br_buf_addn(&out, bytes, n);
	}
	return br_buf_take(&out);
}

static void update(const char *path, const char *text) {
	br_auto(br_fclosep) FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static void run_case(void **state) {
	struct run run;
	start(&run, *state);
	struct br_spec *spec = br_spec_read(&run.request, run.dx);
	assert_int_equal(spec == NULL, br_diags_errors(run.dx) > 0);
	br_buf_add(&run.out, "");
	if (spec) {
		put_spec(&run, spec);
	}
	put_messages(&run);
	br_auto(br_freep) char *text = portable(&run);
	char path[PATH_MAX + 16];
	(void)snprintf(path, sizeof(path), "%s/%s", run.dir, spec ? "expected" : "err");
	if (getenv("BR_UPDATE")) {
		update(path, text);
	}
	br_auto(br_freep) char *expected = slurp(path);
	if (!expected || strcmp(text, expected) != 0) {
		print_error("%s is:\n%s", path, text);
		fail_msg("case %s differs", (const char *)*state);
	}
	br_spec_free(spec);
	finish(&run);
}

/* Each allocation of a case fails once; then it is refused with a message, and nothing leaks. */
static void fail_each_allocation(const char *name) {
	bool hit = true;
	for (unsigned i = 1; hit; i++) {
		struct run run;
		start(&run, name);
		fault_at(i);
		struct br_spec *spec = br_spec_read(&run.request, run.dx);
		hit = fault_hit();
		fault_at(0);
		if ((spec == NULL) != (br_diags_errors(run.dx) > 0)) {
			fail_msg("%s: allocation %u is not reported", name, i);
		}
		br_spec_free(spec);
		finish(&run);
	}
}

/* The state is the list of all cases. */
static void memory(void **state) {
	for (struct dirent **names = *state; *names; names++) {
		fail_each_allocation((*names)->d_name);
	}
}

static int is_case(const struct dirent *entry) {
	return entry->d_name[0] != '.';
}

int main(void) {
	char path[PATH_MAX];
	struct dirent **found = NULL;
	(void)snprintf(path, sizeof(path), "%s/tests/spec", top());
	int n = scandir(path, &found, is_case, alphasort);
	size_t count = n > 0 ? (size_t)n : 0;
	struct CMUnitTest *tests = calloc(count + 1, sizeof(*tests));
	struct dirent **names = calloc(count + 1, sizeof(*names));
	if (!count || !tests || !names) {
		(void)fprintf(stderr, "no cases in %s\n", path);
		return 1;
	}
	for (size_t i = 0; i < count; i++) {
		names[i] = found[i];
		tests[i].name = found[i]->d_name;
		tests[i].test_func = run_case;
		tests[i].initial_state = found[i]->d_name;
	}
	tests[count].name = "memory";
	tests[count].test_func = memory;
	tests[count].initial_state = names;
	int failed = _cmocka_run_group_tests("spec", tests, count + 1, NULL, NULL);
	for (size_t i = 0; i < count; i++) {
		free(found[i]);
	}
	free(found);
	free(names);
	free(tests);
	return failed;
}
