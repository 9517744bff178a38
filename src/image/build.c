#include "dockerfile.h"

#include <string.h>

enum {
	/** Bytes of a variable, an account, a directory, more or less. */
	COPIED_ITEM = 64,
};

/** An accounts list of its own: what one stage does to it the others must not see. */
static int copy_accounts(
	struct br_arena *arena, const struct df_accounts *from, struct df_accounts *to) {
	*to = (struct df_accounts){.arena = arena,
		.flavour = from->flavour,
		.joins = from->joins,
		.complete = from->complete,
		.no_passwd = from->no_passwd,
		.no_group = from->no_group,
		.odd = from->odd};
	for (size_t i = 0; i < from->users.n; i++) {
		if (br_vec_push(arena, &to->users, from->users.v[i])) {
			return -1;
		}
	}
	for (size_t i = 0; i < from->groups.n; i++) {
		if (br_vec_push(arena, &to->groups, from->groups.v[i])) {
			return -1;
		}
	}
	return 0;
}

static int take_environment(
	struct df_build *b, struct df_stage *stage, const struct br_image *image) {
	for (size_t i = 0; i < image->nenvironment && i < DOCKERFILE_VARIABLES; i++) {
		const char *entry = image->environment[i];
		const char *equal = strchr(entry, '=');
		if (!equal) {
			continue;
		}
		struct df_var var = {.value = equal + 1, .is_env = true};
		var.name = br_strndup(b->arena, entry, (size_t)(equal - entry));
		if (!var.name || br_vec_push(b->arena, &stage->vars, var)
			|| br_vec_push(b->arena, &stage->environment, entry)) {
			return -1;
		}
	}
	return 0;
}

static int take_accounts(struct df_build *b, struct df_stage *stage, const struct br_image *image) {
	struct df_accounts *a = &stage->accounts;
	a->complete = image->accounts_complete;
	a->no_passwd = image->no_passwd;
	a->no_group = image->no_group;
	for (size_t i = 0; i < image->nusers; i++) {
		if (br_vec_push(b->arena, &a->users, image->users[i])) {
			return -1;
		}
	}
	for (size_t i = 0; i < image->ngroups; i++) {
		if (br_vec_push(b->arena, &a->groups, image->groups[i])) {
			return -1;
		}
	}
	return a->complete ? 0 : df_seed_accounts(a, stage->base);
}

/** Docker Hub's own images whose Dockerfiles have no WORKDIR: whatever is relative there counts from
 * the root. Source: their Dockerfiles (docker-library, debuerreotype, and the distributions' own),
 * 2026-11. */
static bool has_no_workdir(const char *reference) {
	static const char *const names[] = {"debian", "ubuntu", "alpine", "busybox", "fedora",
		"almalinux", "rockylinux", "python", "node", "nginx"};
	static const char *const prefixes[] = {"docker.io/library/", "docker.io/", "library/"};
	const char *name = reference;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes) && name == reference; i++) {
		size_t n = strlen(prefixes[i]);
		name += strncmp(name, prefixes[i], n) == 0 ? n : 0;
	}
	size_t n = strcspn(name, ":@");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strlen(names[i]) == n && !strncmp(names[i], name, n)) {
			return strstr(name + n, "onbuild") == NULL;
		}
	}
	return false;
}

/** What it has in its file system, and what it starts. */
static int take_files(struct df_build *b, struct df_stage *stage, struct br_image *image) {
	struct df_list command = {0};
	stage->tree.arena = b->arena;
	stage->tree.finder = b->file->finder;
	// What was read of it counts; else what is known of such images.
	bool read = image->nnodes && image->origin == BR_IMAGE_ARCHIVE;
	if (read ? tree_take(&stage->tree, image)
		 : stage->base && tree_seed(&stage->tree, stage->base)) {
		return -1;
	}
	if (!read && stage->tree.complete && library_of_image(b->arena, stage->base, image)) {
		return -1;
	}
	for (size_t i = 0; i < image->ncommand; i++) {
		if (br_vec_push(b->arena, &command, image->command[i])) {
			return -1;
		}
	}
	for (size_t i = 0; i < image->nvolumes; i++) {
		if (br_vec_push(b->arena, &stage->volumes, image->volumes[i])) {
			return -1;
		}
	}
	for (size_t i = 0; i < image->nlibraries; i++) {
		if (br_vec_push(b->arena, &stage->libraries, image->libraries[i])) {
			return -1;
		}
	}
	stage->workdir = image->workdir;
	if (!read && !stage->workdir && stage->base && has_no_workdir(stage->base)) {
		stage->workdir = "/";
	}
	if (command.n && br_vec_push(b->arena, &command, NULL)) {
		return -1;
	}
	stage->command = command.v;
	return 0;
}

/** From an image that is not in this file. */
static int begin_image(struct df_build *b, struct df_stage *stage) {
	struct br_image image = {0};
	int found = stage->base ? image_find(b->file->finder, stage->base, &image) : 0;
	if (found < 0) {
		return -1;
	}
	stage->accounts.arena = b->arena;
	stage->accounts.flavour = stage->base ? df_image_flavour(stage->base) : DF_FLAVOUR_UNKNOWN;
	stage->accounts.joins = stage->base ? df_image_joins(stage->base) : DF_JOINS_UNKNOWN;
	stage->image.user = (struct br_text){image.user.s, stage->base_at};
	stage->image.unknown = image.unknown ? image.unknown : stage->unknown;
	stage->image.drop = image.drop;
	stage->image.capabilities_label = image.capabilities_label;
	if (!image.user.s && !stage->image.unknown) {
		stage->image.unknown =
			br_printf(b->arena, "its base image %s is not known", stage->base);
		if (!stage->image.unknown) {
			return br_error_memory(b->dx);
		}
	}
	bool read = image.origin == BR_IMAGE_ARCHIVE || image.origin == BR_IMAGE_ENGINE;
	stage->unknown_base = read ? NULL : stage->base ? stage->base : "?";
	return take_environment(b, stage, &image) || take_accounts(b, stage, &image)
			|| take_files(b, stage, &image)
		? br_error_memory(b->dx)
		: 0;
}

static int begin_scratch(struct df_build *b, struct df_stage *stage) {
	stage->accounts = (struct df_accounts){
		.arena = b->arena, .complete = true, .no_passwd = true, .no_group = true};
	stage->image.user = (struct br_text){"", stage->base_at};
	stage->workdir = "/";
	stage->tree = (struct tree){.arena = b->arena, .finder = b->file->finder, .complete = true};
	return tree_make(&stage->tree, &(struct tree_step){.owner = {.known = true}, .sure = true},
		       "/", &(struct tree_make){.mode = 0755})
		? br_error_memory(b->dx)
		: 0;
}

/** ONBUILD of the stage that this one is FROM. */
static int run_triggers(struct df_build *b, struct df_stage *stage, const struct df_stage *parent) {
	for (size_t i = parent->begin; i < parent->end; i++) {
		const struct df_line *line = &b->file->lines[i];
		if (strcmp(line->name, "ONBUILD") != 0) {
			continue;
		}
		const char *s = line->rest;
		size_t n = df_word(&s, b->file->escape);
		struct df_line inner = *line;
		inner.name = df_instruction(s, n);
		inner.rest = s + n + strspn(s + n, " \t\v\f\r\n");
		inner.n = line->n - (size_t)(inner.rest - line->rest);
		inner.places = line->places + (inner.rest - line->rest);
		struct df_work work = {b, stage, &inner};
		if (inner.name && df_instruct(&work)) {
			return -1;
		}
	}
	return 0;
}

static int copy_files(struct br_arena *arena, const struct df_stage *from, struct df_stage *to) {
	bool failed = tree_copy(&to->tree, &from->tree);
	for (size_t i = 0; !failed && i < from->libraries.n; i++) {
		failed = br_vec_push(arena, &to->libraries, from->libraries.v[i]);
	}
	for (size_t i = 0; !failed && i < from->volumes.n; i++) {
		failed = br_vec_push(arena, &to->volumes, from->volumes.v[i]);
	}
	for (size_t i = 0; !failed && i < from->copied.n; i++) {
		failed = br_vec_push(arena, &to->copied, from->copied.v[i]);
	}
	return failed ? -1 : 0;
}

static int begin_child(struct df_build *b, struct df_stage *stage, const struct df_stage *parent) {
	stage->image = parent->image;
	stage->unknown_base = parent->unknown_base;
	stage->workdir = parent->workdir;
	stage->odd_shell = parent->odd_shell;
	stage->entrypoint = parent->entrypoint;
	stage->command = parent->command;
	size_t all = parent->vars.n + parent->environment.n + parent->accounts.users.n
		+ parent->accounts.groups.n + parent->tree.nodes.n + parent->copied.n
		+ parent->volumes.n + parent->libraries.n;
	(void)df_spend(b->file->finder, (uint64_t)all * COPIED_ITEM * DOCKERFILE_STEPS_BYTE);
	if (df_tired(b->file->finder, stage->from->at)) {
		return -1;
	}
	bool failed = copy_accounts(b->arena, &parent->accounts, &stage->accounts)
		|| copy_files(b->arena, parent, stage);
	for (size_t i = 0; !failed && i < parent->vars.n; i++) {
		failed = br_vec_push(b->arena, &stage->vars, parent->vars.v[i]);
	}
	for (size_t i = 0; !failed && i < parent->environment.n; i++) {
		failed = br_vec_push(b->arena, &stage->environment, parent->environment.v[i]);
	}
	return failed ? br_error_memory(b->dx) : run_triggers(b, stage, parent);
}

static int run_stage(struct df_build *b, struct df_stage *stage) {
	int failed;
	if (stage->parent != SIZE_MAX) {
		failed = begin_child(b, stage, &b->stages.v[stage->parent]);
	} else if (stage->base && !strcmp(stage->base, "scratch")) {
		failed = begin_scratch(b, stage);
	} else {
		failed = begin_image(b, stage);
	}
	for (size_t i = stage->begin; !failed && i < stage->end; i++) {
		struct df_work work = {b, stage, &b->file->lines[i]};
		failed = df_instruct(&work);
	}
	return failed;
}

// Which stages

static int find_target(struct df_build *b, size_t *out) {
	const char *name = b->build->target.s;
	*out = b->stages.n - 1;
	if (!name || !*name) {
		return 0;
	}
	*out = df_find_stage(b, name, b->stages.n);
	if (*out != SIZE_MAX) {
		return 0;
	}
	br_error(b->dx, b->build->target.at, "the Dockerfile has no stage '%s'", name);
	const char **names = BR_NEW_ARRAY(b->arena, const char *, b->stages.n + 1);
	size_t n = 0;
	for (size_t i = 0; names && i < b->stages.n; i++) {
		if (b->stages.v[i].name) {
			names[n++] = b->stages.v[i].name;
		}
	}
	const char *near = names ? br_nearest(name, names) : NULL;
	if (near) {
		br_hint(b->dx, "did you mean %s?", near);
	}
	return -1;
}

/** The stage of --from=, where it is named without variables. */
static size_t copied_stage(struct df_build *b, size_t i, const struct df_line *line, bool *failed) {
	const char *rest = line->rest;
	uint32_t number;
	if (strcmp(line->name, "COPY") != 0) {
		return SIZE_MAX;
	}
	const char *from = df_flag(b->arena, &rest, "from", b->file->escape, failed);
	if (!from) {
		return SIZE_MAX;
	}
	size_t found = df_find_stage(b, from, i);
	return found == SIZE_MAX && i && !br_parse_u32(from, (uint32_t)i - 1, &number) ? number
										       : found;
}

/** Mark what the target needs; all of it stands before it. */
static int mark_needed(struct df_build *b, size_t target) {
	bool failed = false;
	b->stages.v[target].needed = true;
	for (size_t i = target + 1; i-- > 0 && !failed;) {
		struct df_stage *stage = &b->stages.v[i];
		if (!stage->needed) {
			continue;
		}
		if (stage->parent != SIZE_MAX) {
			b->stages.v[stage->parent].needed = true;
		}
		for (size_t k = stage->begin; k < stage->end; k++) {
			size_t from = copied_stage(b, i, &b->file->lines[k], &failed);
			if (from != SIZE_MAX) {
				b->stages.v[from].needed = true;
			}
		}
	}
	return failed ? br_error_memory(b->dx) : 0;
}

static void finish(const struct df_stage *stage, struct br_image *out) {
	const struct df_accounts *a = &stage->accounts;
	out->user = stage->image.user;
	out->unknown = stage->image.unknown;
	out->drop = stage->image.drop;
	out->capabilities_label = stage->image.capabilities_label;
	out->accounts_complete = a->complete;
	out->no_passwd = a->complete && a->no_passwd;
	out->no_group = a->complete && a->no_group;
	out->users = a->users.v;
	out->nusers = a->users.n;
	out->groups = a->groups.v;
	out->ngroups = a->groups.n;
	out->environment = stage->environment.v;
	out->nenvironment = stage->environment.n;
}

int df_stages_run(struct df_file *file, const struct br_build *build, struct br_image *out) {
	struct df_build b = {
		.file = file, .build = build, .arena = file->finder->arena, .dx = file->finder->dx};
	size_t target;
	if (df_read_stages(&b) || find_target(&b, &target) || mark_needed(&b, target)) {
		return -1;
	}
	for (size_t i = 0; i <= target; i++) {
		if (b.stages.v[i].needed && run_stage(&b, &b.stages.v[i])) {
			return -1;
		}
	}
	// The last instruction may have been the one too many.
	if (df_tired(file->finder, b.stages.v[target].from->at)) {
		return -1;
	}
	finish(&b.stages.v[target], out);
	struct df_work work = {&b, &b.stages.v[target], b.stages.v[target].from};
	return df_finish_effects(&work, out) ? -1 : 1;
}
