#include "dockerfile.h"

#include <string.h>
#include <unistd.h>

/** The files of accounts that a COPY or ADD may replace. */
struct hit {
	bool passwd, group;
};

static struct hit both(bool yes) {
	return (struct hit){yes, yes};
}

/** A path from the root without "." and doubled or closing slashes, in the arena; NULL: no memory,
 * or not known. */
static char *clean(struct df_work *work, const char *path) {
	const char *dir = *path == '/' ? "" : work->stage->workdir;
	char *out = dir ? br_printf(work->b->arena, "%s/%s", dir, path) : NULL;
	if (!out) {
		return NULL;
	}
	char *to = out;
	const char *from = out;
	while (*from) {
		from += strspn(from, "/");
		size_t n = strcspn(from, "/");
		if (n && !(n == 1 && *from == '.')) {
			*to++ = '/';
			memmove(to, from, n);
			to += n;
		}
		from += n;
	}
	*to = 0;
	return out;
}

static bool is_archive(const char *path) {
	static const char *const endings[] = {
		".tar", ".tgz", ".gz", ".xz", ".bz2", ".zst", ".txz", ".tbz2"};
	size_t n = strlen(path);
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		size_t len = strlen(endings[i]);
		if (n > len && !strcmp(path + n - len, endings[i])) {
			return true;
		}
	}
	return strstr(path, "://") != NULL;
}

static const char *last_part(const char *path) {
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/** Whether context/source/name exists. A source with wildcards may be anything. */
static bool in_context(struct df_work *work, const char *source, const char *name) {
	const char *context = work->b->build->context.s;
	if (!context || strpbrk(source, "*?[")) {
		return true;
	}
	char *path = br_printf(work->b->arena, "%s/%s/%s", context, source, name);
	return !path || !access(path, F_OK);
}

/** What a source from the context brings below a directory of the image. */
static struct hit brings(struct df_work *work, const char *source, const char *dest) {
	if (!strcmp(dest, "/etc/passwd")) {
		return (struct hit){true, false};
	}
	if (!strcmp(dest, "/etc/group")) {
		return (struct hit){false, true};
	}
	bool is_root = !*dest;
	if (!is_root && strcmp(dest, "/etc") != 0) {
		return both(false);
	}
	if (!strcmp(work->line->name, "ADD") && is_archive(source)) {
		return both(true);
	}
	const char *part = last_part(source);
	if (!is_root && (!strcmp(part, "passwd") || !strcmp(part, "group"))) {
		return (struct hit){*part == 'p', *part == 'g'};
	}
	return (struct hit){in_context(work, source, is_root ? "etc/passwd" : "passwd"),
		in_context(work, source, is_root ? "etc/group" : "group")};
}

/** What a source in another stage brings. */
static struct hit brings_from(const char *source, const char *dest) {
	bool to_etc = !strcmp(dest, "/etc");
	bool passwd = !strcmp(source, "/etc/passwd") && (to_etc || !strcmp(dest, "/etc/passwd"));
	bool group = !strcmp(source, "/etc/group") && (to_etc || !strcmp(dest, "/etc/group"));
	bool all = (!*source && !*dest) || (!strcmp(source, "/etc") && to_etc);
	return (struct hit){passwd || all, group || all};
}

/** A file that was replaced by one that is not known. */
static void lose(struct df_accounts *a, struct hit hit) {
	if (hit.passwd) {
		a->users.n = 0;
		a->no_passwd = false;
	}
	if (hit.group) {
		a->groups.n = 0;
		a->no_group = false;
	}
	a->complete = a->complete && !hit.passwd && !hit.group;
}

static int take(struct df_accounts *to, const struct df_accounts *from, struct hit hit) {
	bool was_complete = to->complete;
	lose(to, (struct hit){hit.passwd && !from->no_passwd, hit.group && !from->no_group});
	for (size_t i = 0; hit.passwd && i < from->users.n; i++) {
		if (br_vec_push(to->arena, &to->users, from->users.v[i])) {
			return -1;
		}
	}
	for (size_t i = 0; hit.group && i < from->groups.n; i++) {
		if (br_vec_push(to->arena, &to->groups, from->groups.v[i])) {
			return -1;
		}
	}
	// a known file in the place of a known one
	to->complete = from->complete && (was_complete || (hit.passwd && hit.group));
	to->flavour = to->flavour ? to->flavour : from->flavour;
	to->joins = to->joins ? to->joins : from->joins;
	return 0;
}

/** The stage that --from= names; SIZE_MAX: none. */
static size_t find_source(const struct df_work *work, const char *from, size_t here) {
	uint32_t number;
	size_t found = df_find_stage(work->b, from, here);
	return found == SIZE_MAX && here && !br_parse_u32(from, (uint32_t)here - 1, &number)
		? number
		: found;
}

/** The accounts of what --from= names; NULL: not known. */
static const struct df_accounts *source_accounts(struct df_work *work, const char *from) {
	size_t here = (size_t)(work->stage - work->b->stages.v);
	size_t found = find_source(work, from, here);
	return found != SIZE_MAX && work->b->stages.v[found].needed
		? &work->b->stages.v[found].accounts
		: NULL;
}

typedef br_vec(const char *) words;

/** Sources and destination, expanded; a word that is not known is NULL. */
static int read_words(struct df_work *work, const char *rest, words *out) {
	bool failed = false;
	char **json = df_json(work->b->arena, rest, &failed);
	size_t n = 0;
	for (size_t i = 0; !failed; i++) {
		const char *raw = json ? json[i] : NULL;
		if (!json && (n = df_word(&rest, work->b->file->escape))) {
			raw = br_strndup(work->b->arena, rest, n);
			failed = !raw;
			rest += n;
		}
		if (!raw) {
			break;
		}
		struct df_words expand = df_stage_words(work);
		const char *word = NULL;
		if (df_expand(&expand, raw, &word)) {
			return -1;
		}
		failed = br_vec_push(work->b->arena, out, expand.unknown ? NULL : word);
	}
	return failed ? br_error_memory(work->b->dx) : 0;
}

static int copy_one(struct df_work *work, const char *from, const char *source, const char *dest) {
	struct df_accounts *a = &work->stage->accounts;
	if (!source) {
		a->complete = a->complete && *dest && strcmp(dest, "/etc") != 0;
		return 0;
	}
	if (!from) {
		lose(a,
			!strncmp(source, "<<", 2) ? brings(work, "heredoc", dest)
						  : brings(work, source, dest));
		return 0;
	}
	struct df_work root = *work;
	struct df_stage at_root = {.workdir = ""};
	root.stage = &at_root;
	const char *path = clean(&root, source);
	if (!path) {
		return br_error_memory(work->b->dx);
	}
	struct hit hit = brings_from(path, dest);
	const struct df_accounts *accounts = source_accounts(work, from);
	if (!hit.passwd && !hit.group) {
		// something else, unless a whole tree comes along
		a->complete = a->complete && *dest && strcmp(dest, "/etc") != 0;
		return 0;
	}
	if (!accounts) {
		lose(a, hit);
		return 0;
	}
	return take(a, accounts, hit) ? br_error_memory(work->b->dx) : 0;
}

/** Libraries come along with a virtual environment, or with all that another stage installed. */
static int take_libraries(struct df_work *work, const char *from, const char *source) {
	static const char *const parts[] = {
		"venv", "-packages", "/usr/local", "/install", ".local", "conda", "lib/python"};
	size_t here = (size_t)(work->stage - work->b->stages.v);
	size_t found = find_source(work, from, here);
	bool brings = false;
	for (size_t i = 0; source && i < sizeof(parts) / sizeof(*parts); i++) {
		brings = brings || strstr(source, parts[i]);
	}
	if (!brings || found == SIZE_MAX || !work->b->stages.v[found].needed) {
		return 0;
	}
	const struct df_stage *stage = &work->b->stages.v[found];
	for (size_t i = 0; i < stage->libraries.n; i++) {
		if (df_take_library(work, &stage->libraries.v[i])) {
			return br_error_memory(work->b->dx);
		}
	}
	return 0;
}

/** Before one more source is looked at: its file, and a few paths below these. */
static bool one_more(struct df_work *work, const char *path) {
	const char *context = work->b->build->context.s;
	size_t n = 4 * strlen(path) + (context ? 2 * strlen(context) : 0);
	const struct df_accounts *a = &work->stage->accounts;
	return df_spend(work->b->file->finder,
		DOCKERFILE_STEPS_FILE + a->users.n + a->groups.n
			+ (uint64_t)n * DOCKERFILE_STEPS_BYTE);
}

/** What it leaves in the file system; the words are expanded. */
static int copy_all(struct df_work *work, const words *list, const char *from, const char *path) {
	bool failed = false;
	const char *rest = work->line->rest;
	const char *dest = list->v[list->n - 1];
	size_t n = strlen(dest);
	bool slash = n
		&& (dest[n - 1] == '/' || !strcmp(dest, ".")
			|| (n > 1 && !strcmp(dest + n - 2, "/.")));
	struct df_copy_request copy = {
		.from = from, .dest = *path ? path : "/", .is_directory = slash || list->n > 2};
	copy.chown = df_flag(work->b->arena, &rest, "chown", work->b->file->escape, &failed);
	for (size_t i = 0; !failed && i + 1 < list->n && one_more(work, path); i++) {
		copy.source = list->v[i];
		copy.unpacks = !strcmp(work->line->name, "ADD")
			&& (!copy.source || is_archive(copy.source));
		if (copy.source && !strncmp(copy.source, "<<", 2)) {
			copy.source = NULL;
		}
		if (df_copy_effects(work, &copy)
			|| (from && take_libraries(work, from, copy.source))) {
			return -1;
		}
	}
	return failed ? br_error_memory(work->b->dx) : 0;
}

int df_copy(struct df_work *work) {
	bool failed = false;
	const char *rest = work->line->rest;
	const char *from = df_flag(work->b->arena, &rest, "from", work->b->file->escape, &failed);
	words list = {0};
	if (failed) {
		return br_error_memory(work->b->dx);
	}
	if (read_words(work, rest, &list)) {
		return -1;
	}
	if (list.n < 2) {
		return br_error(work->b->dx, work->line->at, "%s needs a source and a destination",
			work->line->name);
	}
	const char *dest = list.v[list.n - 1];
	const char *path = dest ? clean(work, dest) : NULL;
	if (!path) {
		// into a working directory that only the base image knows: hardly ever /etc
		work->stage->accounts.complete = work->stage->accounts.complete && dest;
		return 0;
	}
	for (size_t i = 0; i + 1 < list.n && one_more(work, path); i++) {
		if (copy_one(work, from, list.v[i], path)) {
			return -1;
		}
	}
	return copy_all(work, &list, from, path);
}
