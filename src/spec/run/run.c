#include "run.h"

#include <errno.h>
#include <spec/compose/compose.h>
#include <string.h>

static const struct br_span nowhere = {0};

// ---- what a text is ----

static bool ends_in(const char *s, const char *end) {
	size_t n = strlen(s);
	size_t k = strlen(end);
	return n >= k && strcasecmp(s + n - k, end) == 0;
}

static const char *base_name(const char *path) {
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool is_makefile(const char *path) {
	const char *name = base_name(path);
	return strcasecmp(name, "makefile") == 0 || strcmp(name, "GNUmakefile") == 0
		|| ends_in(name, ".mk") || strncmp(name, "Makefile.", 9) == 0;
}

/** A line that begins with this word, at its first column. */
static bool has_line(const char *bytes, size_t n, const char *word) {
	size_t k = strlen(word);
	for (const char *p = bytes; (size_t)(p - bytes) + k <= n;) {
		if (memcmp(p, word, k) == 0) {
			return true;
		}
		const char *end = memchr(p, '\n', n - (size_t)(p - bytes));
		if (!end) {
			return false;
		}
		p = end + 1;
	}
	return false;
}

static bool holds(const char *bytes, size_t n, const char *word) {
	return memmem(bytes, n, word, strlen(word)) != NULL;
}

bool br_is_run_text(const char *path, const char *bytes, size_t n) {
	static const char *const endings[] = {
		".md", ".markdown", ".sh", ".bash", ".mk", ".rst", ".adoc", ".txt", NULL};
	static const char *const compose[] = {"services:", "include:", "version:", "x-",
		"name:", "networks:", "volumes:", "\"services\"", "{", NULL};
	const char *name = base_name(path);
	if (ends_in(name, ".yaml") || ends_in(name, ".yml") || ends_in(name, ".json")) {
		return false;
	}
	for (size_t i = 0; endings[i]; i++) {
		if (ends_in(name, endings[i])) {
			return true;
		}
	}
	if (is_makefile(path) || (n > 2 && memcmp(bytes, "#!", 2) == 0)) {
		return true;
	}
	for (size_t i = 0; compose[i]; i++) {
		if (has_line(bytes, n, compose[i])) {
			return false;
		}
	}
	bool has_client = holds(bytes, n, "docker") || holds(bytes, n, "podman")
		|| holds(bytes, n, "nerdctl");
	return has_client && (holds(bytes, n, " run") || holds(bytes, n, " create"));
}

// ---- reading ----

static int cannot_read(struct br_run *run, size_t i) {
	int why = errno;
	const char *shown = run->shown;
	struct br_span at = run->request->files_at ? run->request->files_at[i] : nowhere;
	(void)br_error(run->dx, at, "cannot read '%s': %s", shown,
		why == EINVAL ? "it is not a regular file" : br_compose_why(why));
	br_hint_answer(run->dx, why);
	return -1;
}

static int start_text(struct br_run *run, const struct br_file *file) {
	const char *bytes = file->bytes ? file->bytes : "";
	int text =
		br_places_add(br_diags_places(run->dx), BR_PLACE_FILE, run->shown, bytes, file->n);
	if (text < 0) {
		return br_error_memory(run->dx);
	}
	run->text = (uint16_t)text;
	const char *zero = memchr(bytes, '\0', file->n);
	if (zero) {
		struct br_span at = {run->text, (uint32_t)(zero - bytes), 1};
		return br_error(run->dx, at, "'%s' is no text: it has a zero byte", run->shown);
	}
	run->cwd = run->spec->project_directory;
	run->conditions = 0;
	run->clone = NULL;
	run->bytes = 0;
	run->is_make = false;
	run->holes.n = 0;
	run->lists.n = 0;
	return br_run_variables(run);
}

static int read_text(struct br_run *run, const struct br_file *file) {
	size_t lines = run->lines.n;
	size_t errors = br_diags_errors(run->dx);
	size_t skip = file->n >= 3 && memcmp(file->bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	if (start_text(run, file)) {
		return -1;
	}
	const char *bytes = file->bytes ? file->bytes : "";
	struct br_chars text = br_chars_of(run, bytes + skip, file->n - skip, (uint32_t)skip);
	if (!text.at) {
		return -1;
	}
	int result = is_makefile(run->shown) ? br_make_read(run, text) : br_text_read(run, text);
	if (result == 0 && run->lines.n == lines && br_diags_errors(run->dx) == errors) {
		struct br_span start = {run->text, 0, 0};
		(void)br_error(run->dx, start, "'%s' has no run line", run->shown);
		br_hint(run->dx, "a run line begins with docker run, podman run or nerdctl run");
		return -1;
	}
	return result;
}

static int read_files(struct br_run *run) {
	const char *const *files = run->request->files;
	br_vec(const char *) shown = {0};
	int result = 0;
	for (size_t i = 0; files && files[i]; i++) {
		bool is_stdin = strcmp(files[i], "-") == 0;
		run->shown = br_strdup(run->arena, files[i]);
		run->path = is_stdin ? "-" : br_join(run->arena, run->request->cwd, files[i]);
		if (!run->shown || !run->path || br_vec_push(run->arena, &shown, run->shown)) {
			return br_error_memory(run->dx);
		}
		const struct br_file *file = br_store_ask(run->store, BR_ASK_COMPOSE, run->path);
		if (file ? read_text(run, file) : cannot_read(run, i)) {
			result = -1;
		}
	}
	if (!shown.n) {
		(void)br_error(run->dx, nowhere, "there is no run line to read");
		br_hint(run->dx, "name a file with -f FILE, or put the line behind '--'");
		return -1;
	}
	run->spec->files = shown.v;
	run->spec->nfiles = shown.n;
	return result;
}

static int read_words(struct br_run *run) {
	const struct br_spec_request *request = run->request;
	struct br_word *words = BR_NEW_ARRAY(run->arena, struct br_word, request->nline);
	const char **shown = BR_NEW_ARRAY(run->arena, const char *, 1);
	if (!words || !shown) {
		return br_error_memory(run->dx);
	}
	shown[0] = "<command line>";
	run->spec->files = shown;
	run->spec->nfiles = 1;
	run->shown = shown[0];
	run->path = "-";
	for (size_t i = 0; i < request->nline; i++) {
		const struct br_text *word = &request->line[i];
		size_t n = strlen(word->s);
		const char *copy = br_strndup(run->arena, word->s, n);
		words[i].at = word->at;
		words[i].is = br_chars_of(run, copy ? copy : "", copy ? n : 0, word->at.off);
		run->text = word->at.text;
		if (!copy || !words[i].is.at) {
			return -1;
		}
	}
	struct br_command command = {words, request->nline, '\0', {0}};
	return br_run_variables(run) ? -1 : br_run_line(run, &command);
}

int br_run_read(const struct br_spec_request *request, struct br_file_store *store,
	struct br_spec *spec, struct br_diags *dx) {
	struct br_run run = {
		.request = request,
		.store = store,
		.spec = spec,
		.dx = dx,
		.arena = spec->arena,
		.home = request->home && *request->home ? request->home : NULL,
	};
	const char *dir = request->project_directory ? request->project_directory : ".";
	spec->project_directory = br_join(spec->arena, request->cwd, dir);
	spec->project_name =
		request->project_name ? br_strdup(spec->arena, request->project_name) : "";
	if (!spec->project_directory || !spec->project_name) {
		return br_error_memory(dx);
	}
	run.cwd = spec->project_directory;
	size_t errors = br_diags_errors(dx);
	int result = request->nline ? read_words(&run) : read_files(&run);
	if (result || br_diags_errors(dx) > errors) {
		return -1;
	}
	return br_lines_finish(&run);
}
