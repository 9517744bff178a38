/** What a Dockerfile's instructions do beside naming a user: directories with their owners,
 * libraries, the command. */
#include "dockerfile.h"

#include <base/file.h>
#include <base/input.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	/** Of requirements.txt and configuration files. */
	CONTEXT_FILE = 256 << 10,
	CONTEXT_STEPS = 32,
	LIBRARIES = 32,
	COPIED = 1000,
};

// Whose

static bool find_user(const struct df_accounts *a, const char *word, struct tree_owner *out) {
	uint32_t uid;
	bool number = !br_parse_u32(word, INT32_MAX, &uid);
	for (size_t i = 0; i < a->users.n; i++) {
		const struct br_image_user *user = &a->users.v[i];
		if (number ? user->uid == uid : !strcmp(user->name, word)) {
			*out = (struct tree_owner){!user->gid_unknown, user->uid, user->gid};
			return true;
		}
	}
	if (number) {
		*out = (struct tree_owner){true, uid, 0};
	}
	return number;
}

static bool find_group(const struct df_accounts *a, const char *word, uint32_t *gid) {
	if (!br_parse_u32(word, INT32_MAX, gid)) {
		return true;
	}
	for (size_t i = 0; i < a->groups.n; i++) {
		if (!strcmp(a->groups.v[i].name, word)) {
			*gid = a->groups.v[i].gid;
			return true;
		}
	}
	return false;
}

bool df_owner_of(void *context, const char *word, struct tree_owner *out) {
	const struct df_work *work = context;
	const struct df_accounts *a = &work->stage->accounts;
	size_t n = strcspn(word, ":");
	char *user = br_strndup(work->b->arena, word, n);
	bool known = user != NULL;
	if (known && n) {
		struct tree_owner found = {0};
		known = find_user(a, user, &found);
		out->uid = found.uid;
		out->gid = word[n] && !word[n + 1] ? found.gid : out->gid;
	}
	if (known && word[n] && word[n + 1]) {
		known = find_group(a, word + n + 1, &out->gid);
	}
	return known;
}

struct tree_owner df_current_owner(struct df_work *work) {
	const char *user = work->stage->image.user.s;
	struct tree_owner out = {.known = user != NULL};
	if (!user || !*user) {
		return out;
	}
	const struct df_accounts *a = &work->stage->accounts;
	uint64_t steps = a->users.n + a->groups.n + (uint64_t)strlen(user) * DOCKERFILE_STEPS_BYTE;
	if (!df_spend(work->b->file->finder, steps)) {
		out.known = false;
		return out;
	}
	size_t n = strcspn(user, ":");
	char *name = br_strndup(work->b->arena, user, n);
	bool root = name && (!strcmp(name, "root") || !strcmp(name, "0") || !n);
	out.known = root || (name && find_user(&work->stage->accounts, name, &out) && out.known);
	if (out.known && user[n] && user[n + 1]) {
		out.known = find_group(&work->stage->accounts, user + n + 1, &out.gid);
	}
	return out;
}

static struct tree_step step_of(struct df_work *work, struct br_span at) {
	return (struct tree_step){.owner = df_current_owner(work),
		.cwd = work->stage->workdir,
		.sure = true,
		.at = at};
}

// The build context

char *df_context_file(const struct df_work *work, const char *path, size_t *n) {
	const char *context = work->b->build->context.s;
	path += strspn(path, "/");
	while (!strncmp(path, "./", 2)) {
		path += 2;
	}
	if (!context || strstr(context, "://") || !*path
		|| !df_spend(work->b->file->finder, (uint64_t)4 * DOCKERFILE_STEPS_FILE)) {
		errno = ENOENT;
		return NULL;
	}
	br_auto(br_closep) int dir = open(context, O_PATH | O_DIRECTORY | O_CLOEXEC);
	br_auto(br_closep) int fd =
		dir < 0 ? -1 : br_open_beneath(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, false);
	struct stat facts;
	struct stat allowed;
	if (fd < 0 || fstat(fd, &facts) || !S_ISREG(facts.st_mode)) {
		errno = ENOENT;
		return NULL;
	}
	// The way to the context may have links: the same file, opened as one that may be shown.
	const char *whole = br_printf(work->b->arena, "%s/%s", context, path);
	br_auto(br_closep) int shown = whole ? br_open_for(&work->b->file->finder->authors, whole,
					       O_RDONLY, work->b->file->finder->options->trusted)
					     : -1;
	if (shown < 0 || fstat(shown, &allowed) || allowed.st_dev != facts.st_dev
		|| allowed.st_ino != facts.st_ino) {
		errno = ENOENT;
		return NULL;
	}
	char *bytes = br_read_fd(shown, CONTEXT_FILE, n);
	// Whoever asks looks each of its lines up.
	(void)df_spend(work->b->file->finder, bytes ? (uint64_t)*n * CONTEXT_STEPS : 0);
	return bytes;
}

/** 'd', 'f', or 0 where it is not there, or somewhere else. */
static char kind_in_context(const struct df_work *work, const char *path) {
	const char *context = work->b->build->context.s;
	struct stat facts;
	char *full = context && !strpbrk(path, "*?[")
		? br_printf(work->b->arena, "%s/%s", context, path)
		: NULL;
	if (!full || stat(full, &facts)) {
		return 0;
	}
	return S_ISDIR(facts.st_mode) ? 'd' : S_ISREG(facts.st_mode) ? 'f' : '\0';
}

// Libraries

int df_take_library(struct df_work *work, const struct br_image_library *item) {
	struct df_stage *stage = work->stage;
	for (size_t i = 0; i < stage->libraries.n; i++) {
		if (stage->libraries.v[i].library == item->library) {
			return 0;
		}
	}
	return stage->libraries.n >= LIBRARIES
		? 0
		: br_vec_push(work->b->arena, &stage->libraries, *item);
}

static int add_library(struct df_work *work, const struct br_library *library, bool packaged,
	const char *how, struct br_span at) {
	const struct br_image_library item = {
		.library = library, .evidence = how, .packaged = packaged, .at = at};
	return how ? df_take_library(work, &item) : -1;
}

static const char *base_name(const char *word) {
	const char *slash = strrchr(word, '/');
	return slash ? slash + 1 : word;
}

/** The lines of a requirements file. */
static int read_requirements(struct df_work *work, const char *name, struct br_span at) {
	size_t n = 0;
	char *text = df_context_file(work, name, &n);
	text = text ? text : df_context_file(work, base_name(name), &n);
	int failed = 0;
	char *rest = text;
	char *line;
	while (!failed && rest && (line = strsep(&rest, "\r\n"))) {
		line += strspn(line, " \t");
		const struct br_library *library =
			strchr("#-", *line) ? NULL : library_of_package(line, true);
		if (library) {
			failed = add_library(work, library, false,
				br_printf(work->b->arena, "%s names %.*s", base_name(name),
					(int)strcspn(line, "=<>!~[;@ #\t"), line),
				at);
		}
	}
	free(text);
	return failed;
}

/** Which manager it is: 'p' pip's packages, 's' the system's, 0 none. */
static char manager_of(const struct df_command *c) {
	static const char *const pips[] = {
		"pip", "pip3", "uv", "pipx", "conda", "mamba", "micromamba", "poetry", "pipenv"};
	const char *name = base_name(c->words[0]);
	for (size_t i = 0; i < sizeof(pips) / sizeof(*pips); i++) {
		if (!strcmp(name, pips[i])) {
			return 'p';
		}
	}
	bool module = c->n > 2 && !strncmp(name, "python", 6) && c->words[1] && c->words[2]
		&& !strcmp(c->words[1], "-m") && !strcmp(c->words[2], "pip");
	return module ? 'p' : df_command_flavour(name) ? 's' : '\0';
}

static int find_installed(struct df_work *work, const struct df_command *c) {
	char manager = manager_of(c);
	size_t i = 1;
	while (i < c->n
		&& !(c->words[i]
			&& (!strcmp(c->words[i], "install") || !strcmp(c->words[i], "add")))) {
		i++;
	}
	for (i++; manager && i < c->n; i++) {
		const char *word = c->words[i];
		bool list = word && (!strcmp(word, "-r") || !strcmp(word, "--requirement"));
		if (list && manager == 'p' && i + 1 < c->n && c->words[i + 1]) {
			if (read_requirements(work, c->words[++i], c->at)) {
				return -1;
			}
			continue;
		}
		const struct br_library *library =
			word && *word != '-' ? library_of_package(word, manager == 'p') : NULL;
		if (library
			&& add_library(work, library, manager == 's',
				br_printf(work->b->arena, "%s installs %.*s",
					base_name(c->words[0]), (int)strcspn(word, "=<>!~[;@ "),
					word),
				c->at)) {
			return -1;
		}
	}
	return 0;
}

// Commands

/** Commands that change no owner of directories that they were not given. */
static bool is_tame(const char *name) {
	static const char *const list[] = {"a2enmod", "awk", "basename", "bunzip2", "bundle", "bun",
		"c++", "cargo", "cat", "cc", "cd", "clang", "cmake", "command", "comm", "composer",
		"corepack", "cp", "curl", "cut", "date", "debconf-set-selections", "deno", "diff",
		"dirname", "dotnet", "dpkg-reconfigure", "env", "exit", "export", "false", "find",
		"g++", "gcc", "gem", "getent", "git", "go", "gpg", "grep", "groupadd", "gunzip",
		"gzip", "head", "id", "java", "javac", "jq", "ldconfig", "ln", "local",
		"locale-gen", "make", "mktemp", "mv", "mvn", "ninja", "node", "npm", "npx", "nproc",
		"openssl", "patch", "perl", "php", "pnpm", "pwd", "python", "python3", "R",
		"Rscript", "readonly", "rsync", "ruby", "rustup", "sed", "set", "setcap",
		"sha256sum", "sleep", "sort", "strip", "sync", "tail", "tar", "tee", "touch", "tr",
		"true", "type", "uname", "uniq", "unset", "unxz", "unzip", "update-alternatives",
		"update-ca-certificates", "wc", "wget", "which", "whoami", "xargs", "xz", "yarn",
		":"};
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		if (!strcmp(list[i], name)) {
			return true;
		}
	}
	return !strncmp(name, "docker-php-ext-", 15);
}

int df_command_effects(
	struct df_work *work, const struct df_command *c, const char *cwd, bool sure) {
	struct tree *tree = &work->stage->tree;
	struct tree_step step = step_of(work, c->at);
	step.cwd = cwd;
	step.sure = sure;
	struct tree_command command = {
		.words = c->words, .n = c->n, .owner_of = df_owner_of, .context = work};
	int done = tree_command(tree, &step, &command);
	if (done) {
		return done < 0 ? -1 : 0;
	}
	char manager = manager_of(c);
	const char *name = base_name(c->words[0]);
	tree->packaged = tree->packaged || manager == 's';
	if (!manager && !is_tame(name)) {
		tree_lose(tree);
	}
	return manager ? find_installed(work, c) : 0;
}

int df_home_effects(struct df_work *work, const struct df_command *c) {
	const struct df_accounts *a = &work->stage->accounts;
	struct tree *tree = &work->stage->tree;
	if (!a->new_home || !a->home_made || !a->users.n) {
		return 0;
	}
	const struct br_image_user *user = &a->users.v[a->users.n - 1];
	struct tree_step step = step_of(work, c->at);
	step.owner = (struct tree_owner){!user->gid_unknown, user->uid, user->gid};
	step.sure = a->home_made > 0;
	const struct tree_make make = {.mode = 0755};
	char *path = *a->new_home == '/' ? tree_path(tree, NULL, a->new_home) : NULL;
	return path ? tree_make(tree, &step, path, &make) : errno == ENOMEM ? -1 : 0;
}

// Other instructions

int df_workdir_effects(struct df_work *work) {
	struct tree *tree = &work->stage->tree;
	struct tree_step step = step_of(work, work->line->at);
	// Builders make it root's, whoever USER is; that some do otherwise is not to be relied on.
	bool root = step.owner.known && step.owner.uid == 0;
	const struct tree_make make = {.mode = 0755, .parents = true};
	char *path = work->stage->workdir ? tree_path(tree, NULL, work->stage->workdir) : NULL;
	step.owner = (struct tree_owner){.known = root};
	return path ? tree_make(tree, &step, path, &make) : 0;
}

/** JSON, or words; expanded ones if `expand`. */
static int list_words(struct df_work *work, bool expand, struct df_list *out) {
	struct br_arena *arena = work->b->arena;
	const char *s = work->line->rest;
	bool failed = false;
	char **json = df_json(arena, s, &failed);
	for (size_t i = 0; !failed && (!json || json[i]); i++) {
		size_t n = json ? 0 : df_word(&s, work->b->file->escape);
		const char *word = json ? json[i] : n ? br_strndup(arena, s, n) : NULL;
		if (!word) {
			failed = n > 0;
			break;
		}
		s += n;
		struct df_words words = df_stage_words(work);
		if (expand && df_expand(&words, word, &word)) {
			return -1;
		}
		word = words.unknown ? NULL : word;
		failed = br_vec_push(arena, out, word);
	}
	return failed ? br_error_memory(work->b->dx) : 0;
}

int df_volume(struct df_work *work) {
	struct df_list list = {0};
	if (list_words(work, true, &list)) {
		return -1;
	}
	for (size_t i = 0; i < list.n; i++) {
		struct br_text volume = {
			list.v[i] && *list.v[i] == '/' ? list.v[i] : NULL, work->line->at};
		if (volume.s && br_vec_push(work->b->arena, &work->stage->volumes, volume)) {
			return br_error_memory(work->b->dx);
		}
	}
	return 0;
}

int df_command_line(struct df_work *work, const char *const **out) {
	struct df_list list = {0};
	if (list_words(work, false, &list)) {
		return -1;
	}
	if (br_vec_push(work->b->arena, &list, NULL)) {
		return br_error_memory(work->b->dx);
	}
	*out = list.v;
	return 0;
}

// COPY

static int note_copied(struct df_work *work, const char *to, const char *from) {
	struct df_copied copied = {to, from};
	if (!to || work->stage->copied.n >= COPIED) {
		return to ? 0 : -1;
	}
	return br_vec_push(work->b->arena, &work->stage->copied, copied);
}

/** What it brings is somebody's whom we do not know: so is what is below. */
static void open_up(struct tree *tree, const char *path) {
	for (size_t i = 0; i < tree->nodes.n; i++) {
		struct br_image_node *node = &tree->nodes.v[i];
		size_t n = strlen(path);
		if (!strncmp(node->path, path, n) && (!node->path[n] || node->path[n] == '/')) {
			node->is_new = false;
			node->is_open = true;
		}
	}
}

/** The directory into which it is copied, with owner. */
static int make_destination(
	struct df_work *work, const struct df_copy_request *c, const char *path) {
	struct tree *tree = &work->stage->tree;
	struct tree_step step = step_of(work, work->line->at);
	const struct tree_make make = {.mode = 0755, .parents = true};
	struct tree_owner owner = {.known = true};
	if (c->chown) {
		owner.known = df_owner_of(work, c->chown, &owner);
	}
	step.owner = owner;
	const struct br_image_node *old = tree_find(tree, path);
	bool open = c->chown || c->from || c->unpacks || !c->source;
	if (old && c->chown && old->uid != owner.uid) {
		step.owner.known = false;
		if (tree_chown(tree, &step, path, false)) {
			return -1;
		}
	}
	if (tree_make(tree, &step, path, &make)) {
		return -1;
	}
	tree_fill(tree, path);
	if (open) {
		open_up(tree, path);
	}
	return 0;
}

int df_copy_effects(struct df_work *work, const struct df_copy_request *c) {
	struct tree *tree = &work->stage->tree;
	char kind = c->from || !c->source ? '\0' : kind_in_context(work, c->source);
	bool into = c->is_directory || kind == 'd';
	char *path = tree_path(tree, NULL, c->dest);
	if (!path) {
		return errno == ENOMEM ? br_error_memory(work->b->dx) : 0;
	}
	const char *file = into ? br_printf(work->b->arena, "%s/%s", strcmp(path, "/") ? path : "",
				   c->source ? base_name(c->source) : "")
				: path;
	char *parent = br_strndup(work->b->arena, path, (size_t)(strrchr(path, '/') - path));
	if (!file || !parent) {
		return br_error_memory(work->b->dx);
	}
	bool failed = note_copied(work, kind == 'd' ? path : file, c->from ? NULL : c->source);
	if (into) {
		failed = failed || make_destination(work, c, path);
	} else if (kind == 'f' && *parent) {
		failed = failed || make_destination(work, c, parent);
	} else {
		// a file or a directory, and whose: nobody knows
		struct tree_step step = {.at = work->line->at};
		failed = failed || tree_chown(tree, &step, path, false);
		tree_fill(tree, path);
		open_up(tree, path);
	}
	return failed ? br_error_memory(work->b->dx) : 0;
}

// In the end

/** The file of the context that is at this path of the image; "" where it is not known, NULL where
 * none was copied there. */
static const char *source_of(struct df_work *work, const char *path) {
	for (size_t i = work->stage->copied.n; i-- > 0;) {
		const struct df_copied *copied = &work->stage->copied.v[i];
		size_t n = strlen(copied->to);
		bool same = !strcmp(copied->to, path);
		bool below = !strncmp(copied->to, path, n) && path[n] == '/';
		if (!same && !below) {
			continue;
		}
		if (!copied->from) {
			return "";
		}
		if (same) {
			return copied->from;
		}
		const char *inside = br_printf(work->b->arena, "%s%s", copied->from, path + n);
		if (!inside || kind_in_context(work, inside) == 'f') {
			return inside ? inside : "";
		}
	}
	return NULL;
}

static int read_config(struct df_work *work, struct br_image_library *item, const char *path) {
	const char *source = source_of(work, path);
	size_t n = 0;
	if (!source) {
		return 0;
	}
	char *text = *source ? df_context_file(work, source, &n) : NULL;
	int failed = 0;
	if (text) {
		failed = library_configure(work->b->arena, item, text);
	} else {
		item->config_unknown = true;
	}
	free(text);
	return failed ? -1 : 1;
}

/** One that the command names, counted from where it starts. 1, 0 where it is not known, -1. */
static int read_named(struct df_work *work, struct br_image_library *item, const char *named) {
	const char *top = work->stage->workdir;
	if (*named == '/') {
		return read_config(work, item, named);
	}
	if (!top) {
		return 0;
	}
	const char *between = strcmp(top, "/") == 0 ? "" : "/";
	named = strncmp(named, "./", 2) == 0 ? named + 2 : named;
	char *path = br_printf(work->b->arena, "%s%s%s", top, between, named);
	return path ? read_config(work, item, path) : -1;
}

/** Find and read the configurations of libraries that have one. */
static int configure(struct df_work *work, struct br_image *image, struct br_image_library *all) {
	for (size_t i = 0; i < image->nlibraries; i++) {
		const char *named = library_config_option(image, all[i].library);
		int found = named ? read_named(work, &all[i], named) : 0;
		for (const char *s = named ? NULL : all[i].library->config; s && *s && !found;) {
			size_t n = strcspn(s, "|");
			char *path = br_strndup(work->b->arena, s, n);
			found = path ? read_config(work, &all[i], path) : -1;
			s += n + (s[n] == '|');
		}
		if (found < 0) {
			return -1;
		}
		// One that is named is not the package's; one of pip's packages has none.
		all[i].config_unknown = all[i].config_unknown
			|| (!found && all[i].library->config && (named || !all[i].packaged));
	}
	return 0;
}

static size_t count(const char *const *words) {
	size_t n = 0;
	while (words && words[n]) {
		n++;
	}
	return n;
}

int df_finish_effects(struct df_work *work, struct br_image *out) {
	struct df_stage *stage = work->stage;
	struct br_arena *arena = work->b->arena;
	struct df_list command = {0};
	const char *const *parts[] = {stage->entrypoint, stage->command};
	int failed = 0;
	for (size_t i = 0; i < 2; i++) {
		size_t n = count(parts[i]);
		for (size_t k = 0; !failed && k < n; k++) {
			failed = br_vec_push(arena, &command, parts[i][k]);
		}
	}
	out->command = command.v;
	out->ncommand = command.n;
	out->nodes = stage->tree.nodes.v;
	out->nnodes = stage->tree.nodes.n;
	out->nodes_complete = stage->tree.complete;
	out->accounts_named = stage->tree.complete && !stage->accounts.odd;
	out->volumes = stage->volumes.v;
	out->nvolumes = stage->volumes.n;
	out->workdir = stage->workdir;
	out->libraries = stage->libraries.v;
	out->nlibraries = stage->libraries.n;
	failed = failed || library_find(arena, out);
	struct br_image_library *all = failed ? NULL : library_own(arena, out);
	if (!all) {
		return br_error_memory(work->b->dx);
	}
	return configure(work, out, all) ? br_error_memory(work->b->dx) : 0;
}
