/*
 * Every directory below tests/dockerfile/ is a case: its Dockerfile, `request` (if it is there:
 * "arg NAME=VALUE", "target STAGE", "platform P", "inline", "all"), and `expected`, written by hand
 * from the Dockerfile reference and the manual pages of the commands:
 *
 *     user WORD at LINE:COLUMN        or: user unknown: WHY
 *     accounts complete | partial     then "no passwd", "no group"
 *     account NAME UID:GID at LINE    "UID:?" group not known; "supposed" the number is allocated;
 * with "all" those of the base too group NAME GID MEMBERS at LINE env NAME=VALUE, drop UID:GID,
 * caps WORDS warning | error LINE: message
 *
 * Base images: full:1 (an archive with passwd, group, ENV and USER), plain:1 (an archive with root
 * only), engine:1 (an engine's: no accounts).
 */
#include <base/mem.h>
#include <base/own.h>
#include <base/text.h>

#include <dirent.h>
#include <image/parts.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>
#include <unistd.h>

#include <cmocka.h>

// Stand-ins for the archives and the engine

static const char *const nobody[] = {NULL};
static const struct br_image_user full_users[] = {{.name = "root", .uid = 0, .gid = 0},
	{.name = "www-data", .uid = 33, .gid = 33}, {.name = "old", .uid = 1000, .gid = 1000},
	{.name = "sys1", .uid = 999, .gid = 998}};
static const struct br_image_group full_groups[] = {{.name = "root", .gid = 0, .members = nobody},
	{.name = "www-data", .gid = 33, .members = nobody},
	{.name = "old", .gid = 1000, .members = nobody},
	{.name = "users", .gid = 100, .members = nobody},
	{.name = "sys1", .gid = 998, .members = nobody}};
static const char *const full_environment[] = {"BASE=fromenv", "EMPTY=", "APP_UID=4242"};

__attribute__((weak)) int archive_find(
	struct image_finder *finder, const char *reference, struct br_image *out) {
	(void)finder;
	bool full = strcmp(reference, "full:1") == 0;
	if (!full && strcmp(reference, "plain:1") != 0) {
		return 0;
	}
	*out = (struct br_image){.origin = BR_IMAGE_ARCHIVE,
		.from = "test.tar",
		.user = {.s = full ? "33" : ""},
		.accounts_complete = true,
		.users = full_users,
		.nusers = full ? 4 : 1,
		.groups = full_groups,
		.ngroups = full ? 5 : 1,
		.environment = full_environment,
		.nenvironment = full ? 3 : 0};
	return 1;
}

__attribute__((weak)) void archive_release(struct image_finder *finder) {
	(void)finder;
}

__attribute__((weak)) int engine_find(
	struct image_finder *finder, const char *reference, struct br_image *out) {
	(void)finder;
	if (strcmp(reference, "engine:1") != 0) {
		return 0;
	}
	*out = (struct br_image){.origin = BR_IMAGE_ENGINE,
		.from = "socket",
		.user = {.s = "7"},
		.environment = full_environment,
		.nenvironment = 3};
	return 1;
}

__attribute__((weak)) void engine_release(struct image_finder *finder) {
	(void)finder;
}

// A case

enum {
	LINES = 16,
};

struct run {
	char dir[PATH_MAX];
	char lines[LINES][256];
	struct br_text args[LINES];
	struct br_build build;
	struct br_image_options options;
	bool all;
	struct br_arena arena;
	struct br_places *places;
	struct br_diags *dx;
	struct br_buf out;
};

static const char *top(void) {
	const char *given = getenv("BR_TOP");
	return given ? given : ".";
}

static char *slurp(const char *dir, const char *name) {
	char path[PATH_MAX + 32];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	br_auto(br_fclosep) FILE *f = fopen(path, "re");
	struct br_buf out = {0};
	char bytes[4096];
	size_t n = 0;
	while (f && (n = fread(bytes, 1, sizeof(bytes), f)) > 0) {
		br_buf_addn(&out, bytes, n);
	}
	return f ? br_buf_take(&out) : NULL;
}

static void apply(struct run *run, char *line) {
	char *value = strchr(line, ' ');
	if (value) {
		*value++ = '\0';
	}
	if (!strcmp(line, "arg")) {
		run->args[run->build.nargs++].s = value;
	} else if (!strcmp(line, "target")) {
		run->build.target.s = value;
	} else if (!strcmp(line, "platform")) {
		run->options.platform = value;
	} else if (!strcmp(line, "dockerfile")) {
		run->build.dockerfile.s = value;
	} else if (!strcmp(line, "context")) {
		run->build.context.s = value;
	} else if (!strcmp(line, "all")) {
		run->all = true;
	} else if (!strcmp(line, "inline")) {
		br_auto(br_freep) char *text = slurp(run->dir, "Dockerfile");
		run->build.dockerfile_inline.s = br_strdup(&run->arena, text);
	} else {
		fail_msg("%s: unknown word '%s'", run->dir, line);
	}
}

static void start(struct run *run, const char *name) {
	char path[PATH_MAX];
	*run = (struct run){0};
	(void)snprintf(path, sizeof(path), "%s/tests/dockerfile/%s", top(), name);
	assert_non_null(realpath(path, run->dir));
	run->build.context.s = run->dir;
	run->build.args = run->args;
	run->places = br_places_new();
	run->dx = br_diags_new(run->places);
	assert_non_null(run->dx);
	(void)snprintf(path, sizeof(path), "%.4000s/request", run->dir);
	br_auto(br_fclosep) FILE *f = fopen(path, "re");
	for (size_t i = 0; f && fgets(run->lines[i], sizeof(run->lines[i]), f); i++) {
		assert_true(i < LINES - 1);
		run->lines[i][strcspn(run->lines[i], "\n")] = '\0';
		apply(run, run->lines[i]);
	}
}

static void finish(struct run *run) {
	br_diags_free(run->dx);
	br_places_free(run->places);
	br_arena_release(&run->arena);
	br_buf_release(&run->out);
}

static struct br_position position(const struct run *run, struct br_span at) {
	struct br_position p = {0};
	(void)br_places_find(run->places, at, &p);
	return p;
}

static void put_accounts(struct run *run, const struct br_image *image) {
	for (size_t i = 0; i < image->nusers; i++) {
		const struct br_image_user *user = &image->users[i];
		if (!user->at.text && !run->all) {
			continue;
		}
		br_buf_addf(&run->out, "account %s %u:", user->name, user->uid);
		br_buf_addf(&run->out, user->gid_unknown ? "?" : "%u", user->gid);
		br_buf_add(&run->out, user->allocated ? " supposed" : "");
		br_buf_addf(
			&run->out, user->at.text ? " at %u\n" : "\n", position(run, user->at).line);
	}
	for (size_t i = 0; i < image->ngroups; i++) {
		const struct br_image_group *group = &image->groups[i];
		if (!group->at.text && !run->all && !*group->members) {
			continue;
		}
		br_buf_addf(&run->out, "group %s %u", group->name, group->gid);
		for (size_t k = 0; group->members[k]; k++) {
			br_buf_addf(&run->out, "%c%s", k ? ',' : ' ', group->members[k]);
		}
		br_buf_add(&run->out, group->allocated ? " supposed" : "");
		br_buf_addf(&run->out, group->at.text ? " at %u\n" : "\n",
			position(run, group->at).line);
	}
}

static void put_image(struct run *run, const struct br_image *image) {
	struct br_position p = position(run, image->user.at);
	if (image->user.s) {
		br_buf_addf(&run->out, "user %s at %u:%u\n", image->user.s, p.line, p.column);
		assert_null(image->unknown);
	} else {
		br_buf_addf(&run->out, "user unknown: %s\n", image->unknown);
	}
	br_buf_addf(&run->out, "accounts %s\n", image->accounts_complete ? "complete" : "partial");
	br_buf_add(&run->out, image->no_passwd ? "no passwd\n" : "");
	br_buf_add(&run->out, image->no_group ? "no group\n" : "");
	put_accounts(run, image);
	for (size_t i = 0; i < image->nenvironment; i++) {
		br_buf_addf(&run->out, "env %s\n", image->environment[i]);
	}
	if (image->drop) {
		br_buf_addf(&run->out, "drop %u:%u\n", image->drop->uid, image->drop->gid);
	}
	if (image->capabilities_label) {
		br_buf_addf(&run->out, "caps %s\n", image->capabilities_label);
	}
}

static void put_messages(struct run *run) {
	static const char *const words[] = {"note", "info", "warning", "error"};
	for (size_t i = 0; i < br_diags_count(run->dx); i++) {
		const struct br_diag *diag = br_diags_get(run->dx, i);
		br_buf_addf(&run->out, "%s %u: %s\n", words[diag->severity],
			position(run, diag->at).line, diag->message);
	}
}

static void run_case(void **state) {
	struct run run;
	struct br_image image = {0};
	start(&run, *state);
	struct image_finder finder = {.arena = &run.arena, .options = &run.options, .dx = run.dx};
	int found = dockerfile_read(&finder, &run.build, &image);
	assert_int_equal(found<0, br_diags_errors(run.dx)> 0);
	br_buf_add(&run.out, "");
	if (found >= 0) {
		put_image(&run, &image);
	}
	put_messages(&run);
	br_auto(br_freep) char *expected = slurp(run.dir, "expected");
	if (!expected || strcmp(run.out.s, expected) != 0) {
		print_error("%s is:\n%s", run.dir, run.out.s);
		fail_msg("case %s differs", (const char *)*state);
	}
	finish(&run);
}

/** One reading with the n-th allocation failing; whether it came to that. */
static bool try_without(const char *name, unsigned n) {
	struct run run;
	struct br_image image = {0};
	start(&run, name);
	struct image_finder finder = {.arena = &run.arena, .options = &run.options, .dx = run.dx};
	fault_at(n);
	int found = dockerfile_read(&finder, &run.build, &image);
	bool hit = fault_hit();
	fault_at(0);
	assert_int_equal(found<0, br_diags_errors(run.dx)> 0);
	finish(&run);
	return hit;
}

static void run_without_memory(void **state) {
	for (unsigned n = 1; try_without(*state, n); n++) {
		assert_true(n < 100000);
	}
}

static int by_name(const void *a, const void *b) {
	const struct CMUnitTest *x = a;
	const struct CMUnitTest *y = b;
	return strcmp(x->name, y->name);
}

/**
 * "--answer CASE": what tests/e2e/dockerfile_users.sh compares with a real build. The user, and if
 * they are known completely the accounts as "u NAME:UID:GID" and "g NAME:GID:MEMBERS".
 */
static int answer(const char *name) {
	struct run run;
	struct br_image image = {0};
	start(&run, name);
	struct image_finder finder = {.arena = &run.arena, .options = &run.options, .dx = run.dx};
	int found = dockerfile_read(&finder, &run.build, &image);
	if (found < 0) {
		(void)puts("error");
	} else if (!image.user.s) {
		(void)puts("unknown");
	} else {
		(void)printf("user %s\n", image.user.s);
	}
	for (size_t i = 0; found > 0 && image.accounts_complete && i < image.nusers; i++) {
		const struct br_image_user *user = &image.users[i];
		(void)printf("u %s:%u:%u\n", user->name, user->uid, user->gid);
	}
	for (size_t i = 0; found > 0 && image.accounts_complete && i < image.ngroups; i++) {
		const struct br_image_group *group = &image.groups[i];
		(void)printf("g %s:%u:", group->name, group->gid);
		for (size_t k = 0; group->members[k]; k++) {
			(void)printf("%s%s", k ? "," : "", group->members[k]);
		}
		(void)putchar('\n');
	}
	finish(&run);
	return 0;
}

int main(int argc, char **argv) {
	if (argc == 3 && !strcmp(argv[1], "--answer")) {
		return answer(argv[2]);
	}
	char path[PATH_MAX];
	static struct CMUnitTest tests[512];
	size_t n = 0;
	(void)snprintf(path, sizeof(path), "%s/tests/dockerfile", top());
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir)) && n < 500;) {
		if (entry->d_name[0] != '.') {
			char *name = strdup(entry->d_name);
			tests[n++] = (struct CMUnitTest){name, run_case, NULL, NULL, name};
		}
	}
	if (dir) {
		(void)closedir(dir);
	}
	qsort(tests, n, sizeof(*tests), by_name);
	static char everything[] = "useradd-forms";
	tests[n++] = (struct CMUnitTest){
		"allocations that fail", run_without_memory, NULL, NULL, everything};
	int failed = n > 1 ? _cmocka_run_group_tests("dockerfile", tests, n, NULL, NULL) : 1;
	for (size_t i = 0; i + 1 < n; i++) {
		void *name = tests[i].initial_state;
		free(name);
	}
	return failed;
}
