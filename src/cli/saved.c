/** Saved plans: what is written beside the plan, and reading one back for fix --plan. */
#include "cli.h"

#include <base/file.h>
#include <base/input.h>
#include <base/own.h>
#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool cli_saves(const struct cli *cli) {
	const struct cli_args *args = cli->args;
	return args->output.s && strcmp(args->output.s, "-") != 0 && args->format.s
		&& strcmp(args->format.s, "json") == 0;
}

int cli_saved_origin(const struct cli *cli, struct br_arena *arena, struct br_saved *out) {
	const struct cli_args *args = cli->args;
	const char **words = BR_NEW_ARRAY(arena, const char *, (size_t)args->argc);
	if (!words) {
		return br_error_memory(cli->dx);
	}
	out->nwords = cli_deciding_words(args, words, NULL);
	out->words = words;
	out->directory = cli->world->cwd;
	bool plain = br_is_utf8(out->directory, strlen(out->directory));
	for (size_t i = 0; i < out->nwords; i++) {
		plain = plain && br_is_utf8(words[i], strlen(words[i]));
	}
	if (!plain) {
		return br_error(cli->dx, args->output.at,
			"a plan can only be saved where the directory and all words are UTF-8");
	}
	return 0;
}

/** What root applies must be root's, or his who asked root; and nobody else's to write. 0, or the
 * exit status. */
static int check_owner(const struct cli *cli, const struct stat *st) {
	const struct br_text *name = &cli->args->plan;
	const struct cli_world *world = cli->world;
	if (!S_ISREG(st->st_mode)) {
		(void)br_error(cli->dx, name->at, "'%s' is not a regular file", name->s);
		return CLI_USAGE;
	}
	bool own = st->st_uid == world->euid || st->st_uid == 0
		|| (world->euid == 0 && st->st_uid == world->invoker);
	if (!own) {
		(void)br_error(cli->dx, name->at,
			"refused to apply '%s': it belongs to uid %u, who could have written anything",
			name->s, st->st_uid);
		br_hint(cli->dx, "read it, and make the plan yourself");
		return CLI_USAGE;
	}
	// An ACL that lets somebody write shows in the bits of the group.
	if (st->st_mode & (S_IWGRP | S_IWOTH)) {
		(void)br_error(cli->dx, name->at,
			"refused to apply '%s': others than its owner can write it", name->s);
		br_hint(cli->dx, "read it, and make the plan again");
		return CLI_USAGE;
	}
	return 0;
}

static int cannot_read(const struct cli *cli) {
	(void)br_error(cli->dx, cli->args->plan.at, "cannot read '%s': %s", cli->args->plan.s,
		errno == EINVAL ? "it is not a regular file" : br_input_why(errno));
	return CLI_USAGE;
}

/** Enter the file as a text; *text is its number. */
static int read_text(const struct cli *cli, uint16_t *text) {
	const char *name = cli->args->plan.s;
	struct stat st;
	size_t n;
	br_auto(br_closep) int fd = br_open_input(name, O_RDONLY | O_NOFOLLOW, cli->world->invoker);
	if (fd < 0 || fstat(fd, &st)) {
		return cannot_read(cli);
	}
	int status = check_owner(cli, &st);
	if (status) {
		return status;
	}
	br_auto(br_freep) char *bytes = br_read_fd(fd, BR_SAVED_BYTES, &n);
	if (!bytes) {
		return cannot_read(cli);
	}
	int number = br_places_add(br_diags_places(cli->dx), BR_PLACE_FILE, name, bytes, n);
	if (number < 0) {
		(void)br_error_memory(cli->dx);
		return CLI_FAILED;
	}
	*text = (uint16_t)number;
	return 0;
}

/** A plan brings everything that decides: other words beside it would be ignored, or make it
 * another plan. */
static int check_alone(const struct cli *cli, struct br_arena *arena) {
	struct br_span first;
	const char **words = BR_NEW_ARRAY(arena, const char *, (size_t)cli->args->argc);
	if (!words) {
		(void)br_error_memory(cli->dx);
		return CLI_FAILED;
	}
	if (cli_deciding_words(cli->args, words, &first) == 0) {
		return 0;
	}
	(void)br_error(cli->dx, first, "a saved plan brings its own input and options");
	br_hint(cli->dx,
		"beside --plan: --yes, --dry-run, --require-jail, --format, --output, --jobs and how it is shown");
	return CLI_USAGE;
}

/** Its own words, with ours about how it is done and shown. */
static int parse_words(const struct cli *cli, struct cli_saved *saved) {
	const struct br_saved *promise = saved->promise;
	const struct cli_args *own = cli->args;
	struct cli_args *args = &saved->args;
	char **argv = BR_NEW_ARRAY(&saved->arena, char *, promise->nwords + 1);
	if (!argv) {
		(void)br_error_memory(cli->dx);
		return CLI_FAILED;
	}
	for (size_t i = 0; i <= promise->nwords; i++) {
		argv[i] = br_strdup(&saved->arena, i ? promise->words[i - 1] : "fix");
		if (!argv[i]) {
			(void)br_error_memory(cli->dx);
			return CLI_FAILED;
		}
	}
	if (cli_parse((int)promise->nwords + 1, argv, args, cli->dx)) {
		return CLI_USAGE;
	}
	args->output = own->output;
	args->format = own->format;
	args->color = own->color;
	args->progress = own->progress;
	args->jobs = own->jobs;
	args->quiet = own->quiet;
	args->verbose = own->verbose;
	args->yes = own->yes;
	args->dry_run = own->dry_run;
	args->require_jail = own->require_jail;
	return 0;
}

static int check_directory(const struct cli *cli, const struct br_saved *promise) {
	if (strcmp(promise->directory, cli->world->cwd) == 0) {
		return 0;
	}
	(void)br_error(cli->dx, cli->args->plan.at, "the plan was made in '%s', this is '%s'",
		promise->directory, cli->world->cwd);
	br_hint(cli->dx, "its paths count from there: change the directory");
	return CLI_USAGE;
}

/** What plan writes without --format json is easily taken for a plan: of that no error of syntax is
 * told. */
static int check_json(const struct cli *cli, uint16_t text) {
	struct br_places *places = br_diags_places(cli->dx);
	size_t n;
	const char *bytes = br_places_bytes(places, text, &n);
	size_t at = bytes ? strspn(bytes, " \t\r\n") : n;
	if (at < n && bytes[at] == '{') {
		return 0;
	}
	(void)br_error(cli->dx, (struct br_span){.text = text}, "this is no saved plan");
	br_hint(cli->dx, "make it again: bindright plan --format json -o FILE");
	return CLI_USAGE;
}

int cli_saved_read(const struct cli *cli, struct cli_saved *out) {
	uint16_t text;
	int status = check_alone(cli, &out->arena);
	if (status == 0) {
		status = read_text(cli, &text);
	}
	if (status == 0) {
		status = check_json(cli, text);
	}
	if (status) {
		return status;
	}
	out->promise = br_saved_read(&out->arena, text, cli->dx);
	if (!out->promise) {
		return CLI_USAGE;
	}
	status = check_directory(cli, out->promise);
	return status ? status : parse_words(cli, out);
}

// ---- a plan that was applied already ----

/** The newest run that applied this plan and was not undone since, or began to; NULL where there is
 * none, or nobody can say. */
static const struct br_run *find_run(
	const struct cli *cli, struct br_arena *arena, const struct br_saved *promise) {
	const struct br_state_dir state = {
		.xdg_state_home = cli_getenv(cli->world, "XDG_STATE_HOME")};
	const struct br_run *runs = NULL;
	size_t n = 0;
	// It is asked for a better word only: that it cannot be read is no error of this command.
	br_auto(br_diags_freep) struct br_diags *unheard =
		promise->plan ? br_diags_new(br_diags_places(cli->dx)) : NULL;
	if (!unheard || br_history(arena, &state, &runs, &n, unheard)) {
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		bool stands = runs[i].state == BR_RUN_APPLIED || runs[i].state == BR_RUN_UNFINISHED;
		if (stands && runs[i].plan && strcmp(runs[i].plan, promise->plan) == 0) {
			return &runs[i];
		}
	}
	return NULL;
}

/** The same directory, or one that was to be made. */
static bool is_same_root(const struct br_saved_item *then, const struct br_saved_item *now) {
	return strcmp(then->name, now->name) == 0
		&& (then->ino == 0
			|| (then->ino == now->ino && then->born.sec == now->born.sec
				&& then->born.nsec == now->born.nsec));
}

/** The same files were read by the same user, and lead to the same sources. */
static bool is_same_input(const struct br_saved *promise, const struct br_saved *now) {
	bool same = promise->nfiles == now->nfiles && promise->ntrees == now->ntrees
		&& promise->caller == now->caller;
	for (size_t i = 0; same && i < now->nfiles; i++) {
		same = strcmp(promise->files[i].digest, now->files[i].digest) == 0;
	}
	for (size_t i = 0; same && i < now->ntrees; i++) {
		same = is_same_root(&promise->trees[i], &now->trees[i]);
	}
	return same;
}

int cli_saved_compare(const struct cli *cli, const struct br_saved *promise,
	const struct br_saved *now, uint64_t left) {
	struct br_arena arena = {0};
	char when[BR_REPORT_WHEN];
	const struct br_span at = {.text = promise->text};
	struct br_diags *dx = cli->dx;
	// What has changes and what has none are never the same plan.
	bool is_done = left == 0 && promise->changes > 0 && is_same_input(promise, now);
	const struct br_run *run = is_done ? find_run(cli, &arena, promise) : NULL;
	if (run && run->state == BR_RUN_APPLIED) {
		br_report_when(run->when, when);
		(void)br_error(dx, at,
			"run %s applied this plan at %s, and nothing of it is left to do: nothing was changed",
			run->id, when);
		br_hint(dx, "to put back what it changed: bindright undo %s", run->id);
		br_arena_release(&arena);
		return CLI_USAGE;
	}
	int status = br_saved_compare(promise, now, dx) ? CLI_USAGE : 0;
	run = status ? find_run(cli, &arena, promise) : NULL;
	if (run) {
		br_report_when(run->when, when);
		br_note(dx, (struct br_span){0}, "run %s %s this plan at %s", run->id,
			run->state == BR_RUN_APPLIED ? "applied" : "was cut short applying", when);
		br_hint(dx, "to put back what it changed: bindright undo %s", run->id);
	}
	br_arena_release(&arena);
	return status;
}

void cli_saved_release(struct cli_saved *saved) {
	br_arena_release(&saved->args.arena);
	br_arena_release(&saved->arena);
}
