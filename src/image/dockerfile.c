#include "dockerfile.h"

#include <base/input.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/** Reads lines; s is at the beginning of one, or at the end. */
struct reader {
	struct df_file *file;
	struct image_finder *finder;
	const char *start, *s, *end;
	/** The instruction being joined: its bytes and where they stood. */
	struct br_buf joined;
	br_vec(uint32_t) places;
	br_vec(struct df_line) lines;
	bool in_directives;
	bool seen_escape, seen_syntax, seen_check;
};

bool df_spend(struct image_finder *finder, uint64_t n) {
	bool over = finder->steps > DOCKERFILE_STEPS || n > DOCKERFILE_STEPS - finder->steps;
	finder->steps = over ? (uint64_t)DOCKERFILE_STEPS + 1 : finder->steps + n;
	return !over;
}

int df_tired(struct image_finder *finder, struct br_span at) {
	return finder->steps <= DOCKERFILE_STEPS
		? 0
		: br_error(finder->dx, at,
			"following what the Dockerfiles say takes more than %d steps",
			DOCKERFILE_STEPS);
}

static bool is_space(char c) {
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct br_span span_of(const struct reader *r, const char *from, const char *to) {
	return (struct br_span){r->file->text, (uint32_t)(from - r->start), (uint32_t)(to - from)};
}

/** The end of the line at r->s, without its line feed and carriage returns; r->s goes to the next
 * one. */
static const char *take_line(struct reader *r) {
	const char *end = memchr(r->s, '\n', (size_t)(r->end - r->s));
	const char *from = r->s;
	r->s = end ? end + 1 : r->end;
	end = end ? end : r->end;
	while (end > from && end[-1] == '\r') {
		end--;
	}
	return end;
}

static const char *skip_spaces(const char *s, const char *end) {
	while (s < end && is_space(*s)) {
		s++;
	}
	return s;
}

// Directives

/** Only docker/dockerfile is the standard one, by whatever tag. */
static bool is_standard_frontend(const char *s, size_t n) {
	static const char *const prefixes[] = {
		"docker.io/", "registry-1.docker.io/", "index.docker.io/"};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t len = strlen(prefixes[i]);
		if (n > len && !strncmp(s, prefixes[i], len)) {
			s += len;
			n -= len;
			break;
		}
	}
	static const char name[] = "docker/dockerfile";
	size_t len = sizeof(name) - 1;
	if (n < len || strncmp(s, name, len) != 0) {
		return false;
	}
	return n == len || strchr(":@ ", s[len])
		|| (n - len >= 9 && !strncmp(s + len, "-upstream", 9));
}

static int set_directive(struct reader *r, const char *key, struct br_span at) {
	const char *value = r->start + at.off;
	bool *seen = !strcasecmp(key, "escape") ? &r->seen_escape
		: !strcasecmp(key, "syntax")    ? &r->seen_syntax
						: &r->seen_check;
	if (*seen) {
		return br_error(r->finder->dx, at, "only one %s directive can be used", key);
	}
	*seen = true;
	if (seen == &r->seen_escape) {
		if (at.len != 1 || (*value != '\\' && *value != '`')) {
			return br_error(r->finder->dx, at,
				"the escape character must be a backquote or a backslash");
		}
		r->file->escape = *value;
	} else if (seen == &r->seen_syntax && !is_standard_frontend(value, at.len)) {
		r->file->frontend = br_strndup(r->finder->arena, value, at.len);
		return r->file->frontend ? 0 : br_error_memory(r->finder->dx);
	}
	return 0;
}

/** "# key=value" before anything else. Ends the directives where the line is none. */
static int read_directive(struct reader *r, const char *s, const char *end) {
	static const char *const known[] = {"escape", "syntax", "check"};
	s = skip_spaces(s + 1, end);
	const char *name = s;
	while (s < end
		&& ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')
			|| (*s >= '0' && *s <= '9'))) {
		s++;
	}
	size_t len = (size_t)(s - name);
	s = skip_spaces(s, end);
	if (s < end && *s == '=') {
		const char *value = skip_spaces(s + 1, end);
		while (end > value && is_space(end[-1])) {
			end--;
		}
		for (size_t i = 0; value < end && i < sizeof(known) / sizeof(*known); i++) {
			if (strlen(known[i]) == len && !strncasecmp(known[i], name, len)) {
				return set_directive(r, known[i], span_of(r, value, end));
			}
		}
	}
	r->in_directives = false;
	return 0;
}

// Joining lines

/**
 * Whether a line goes on: it ends with the escape character, blanks allowed behind it, and not with
 * two of them. *end is moved before it.
 */
static bool goes_on(const struct reader *r, const char *s, const char **end) {
	const char *at = *end;
	while (at > s && (at[-1] == ' ' || at[-1] == '\t')) {
		at--;
	}
	if (at == s || at[-1] != r->file->escape || (at - s > 1 && at[-2] == r->file->escape)) {
		return false;
	}
	*end = at - 1;
	return true;
}

static int join(struct reader *r, const char *s, const char *end) {
	br_buf_addn(&r->joined, s, (size_t)(end - s));
	for (; s < end; s++) {
		if (br_vec_push(r->finder->arena, &r->places, (uint32_t)(s - r->start))) {
			return br_error_memory(r->finder->dx);
		}
	}
	return r->joined.failed ? br_error_memory(r->finder->dx) : 0;
}

/** Lines until one does not go on. Comments and empty lines between are left out. */
static int join_rest(struct reader *r, bool more) {
	while (more && r->s < r->end) {
		const char *s = r->s;
		const char *end = take_line(r);
		const char *text = skip_spaces(s, end);
		if (text == end || *text == '#') {
			continue;
		}
		more = goes_on(r, s, &end);
		if (join(r, s, end)) {
			return -1;
		}
	}
	return 0;
}

// Heredocs

static bool is_heredoc_name(const char *s, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '<') {
			return false;
		}
	}
	return n > 0;
}

/** The name that "<<NAME" begins, in the arena and unquoted; NULL where the word is no heredoc.
 * *chomp for "<<-". */
static char *heredoc_name(struct reader *r, const char *word, size_t n, bool *chomp) {
	size_t i = 0;
	while (i < n && word[i] >= '0' && word[i] <= '9') {
		i++;
	}
	if (n - i < 3 || word[i] != '<' || word[i + 1] != '<') {
		return NULL;
	}
	i += 2;
	*chomp = word[i] == '-';
	i += *chomp;
	if (!is_heredoc_name(word + i, n - i)) {
		return NULL;
	}
	char *name = br_strndup(r->finder->arena, word + i, n - i);
	char *to = name;
	for (const char *from = name; name && *from; from++) {
		if (*from != '"' && *from != '\'' && *from != r->file->escape) {
			*to++ = *from;
		}
	}
	if (name) {
		*to = 0;
	}
	return name;
}

/** Lines up to the one that is the name. */
static int read_heredoc(struct reader *r, struct df_heredoc *doc, bool chomp, struct br_span at) {
	struct br_buf content = {0};
	bool found = false;
	while (!found && r->s < r->end) {
		const char *s = r->s;
		const char *end = take_line(r);
		while (chomp && s < end && *s == '\t') {
			s++;
		}
		found = strlen(doc->name) == (size_t)(end - s)
			&& !memcmp(s, doc->name, (size_t)(end - s));
		if (!found) {
			br_buf_addn(&content, s, (size_t)(end - s));
			br_buf_addc(&content, '\n');
		}
	}
	doc->content = br_strdup(r->finder->arena, content.n ? content.s : "");
	bool failed = content.failed || !doc->content;
	br_buf_release(&content);
	if (failed) {
		return br_error_memory(r->finder->dx);
	}
	return found ? 0
		     : br_error(r->finder->dx, at, "the heredoc '%s' is never closed", doc->name);
}

static int read_heredocs(struct reader *r, struct df_line *line) {
	br_vec(struct df_heredoc) docs = {0};
	const char *s = line->rest;
	size_t n;
	while ((n = df_word(&s, r->file->escape))) {
		bool chomp = false;
		struct df_heredoc doc = {.name = heredoc_name(r, s, n, &chomp)};
		struct br_span at = df_span(r->file, line, s, n);
		s += n;
		if (!doc.name) {
			continue;
		}
		if (read_heredoc(r, &doc, chomp, at)) {
			return -1;
		}
		if (br_vec_push(r->finder->arena, &docs, doc)) {
			return br_error_memory(r->finder->dx);
		}
	}
	line->heredocs = docs.v;
	line->nheredocs = docs.n;
	return 0;
}

static bool may_have_heredocs(const struct df_line *line) {
	const char *name = line->name;
	bool nested = !strcmp(name, "ONBUILD")
		&& (!strncasecmp(line->rest, "RUN", 3) || !strncasecmp(line->rest, "COPY", 4)
			|| !strncasecmp(line->rest, "ADD", 3));
	return (nested || !strcmp(name, "RUN") || !strcmp(name, "COPY") || !strcmp(name, "ADD"))
		&& strstr(line->rest, "<<");
}

// Instructions

static const char *const instructions[] = {"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV",
	"EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL",
	"STOPSIGNAL", "USER", "VOLUME", "WORKDIR", NULL};

const char *df_instruction(const char *s, size_t n) {
	for (size_t i = 0; instructions[i]; i++) {
		if (strlen(instructions[i]) == n && !strncasecmp(instructions[i], s, n)) {
			return instructions[i];
		}
	}
	return NULL;
}

static int refuse_instruction(struct reader *r, const char *name, size_t n) {
	struct br_span at = {r->file->text, r->places.v[0], (uint32_t)n};
	char *word = br_strndup(r->finder->arena, name, n < 40 ? n : 40);
	if (!word) {
		return br_error_memory(r->finder->dx);
	}
	br_error(r->finder->dx, at, "there is no instruction '%s'", word);
	const char *near = br_nearest(word, instructions);
	if (near) {
		br_hint(r->finder->dx, "did you mean %s?", near);
	}
	return -1;
}

/** Make an instruction of what was joined. */
static int finish(struct reader *r) {
	struct br_arena *arena = r->finder->arena;
	size_t n = r->joined.n;
	const char *s = n ? r->joined.s : "";
	if (strlen(s) != n) {
		return br_error(r->finder->dx, span_of(r, r->start, r->start),
			"a NUL byte in the Dockerfile");
	}
	while (n && is_space(s[n - 1])) {
		n--;
	}
	size_t len = 0;
	while (len < n && !is_space(s[len])) {
		len++;
	}
	struct df_line line = {.name = df_instruction(s, len)};
	if (!line.name) {
		return refuse_instruction(r, s, len);
	}
	size_t rest = len;
	while (rest < n && is_space(s[rest])) {
		rest++;
	}
	line.rest = br_strndup(arena, s + rest, n - rest);
	line.n = n - rest;
	uint32_t *places = BR_NEW_ARRAY(arena, uint32_t, n - rest + 1);
	if (!line.rest || !places) {
		return br_error_memory(r->finder->dx);
	}
	memcpy(places, r->places.v + rest, (n - rest) * sizeof(*places));
	uint32_t last = r->places.v[n - 1] + 1;
	places[n - rest] = last;
	line.places = places;
	line.at = (struct br_span){r->file->text, r->places.v[0], last - r->places.v[0]};
	if (may_have_heredocs(&line) && read_heredocs(r, &line)) {
		return -1;
	}
	if (r->lines.n >= DOCKERFILE_INSTRUCTIONS) {
		return br_error(r->finder->dx, line.at, "more than %d instructions",
			DOCKERFILE_INSTRUCTIONS);
	}
	return br_vec_push(arena, &r->lines, line) ? br_error_memory(r->finder->dx) : 0;
}

static int read_instruction(struct reader *r) {
	const char *s = r->s;
	const char *end = take_line(r);
	s = skip_spaces(s, end);
	if (r->in_directives && s < end && *s == '#') {
		return read_directive(r, s, end);
	}
	r->in_directives = false;
	if (s == end || *s == '#') {
		return 0;
	}
	r->joined.n = 0;
	r->places.n = 0;
	bool more = goes_on(r, s, &end);
	if (join(r, s, end) || join_rest(r, more)) {
		return -1;
	}
	const char *text = r->joined.n ? r->joined.s : "";
	return skip_spaces(text, text + r->joined.n) == text + r->joined.n ? 0 : finish(r);
}

int df_read(struct image_finder *finder, uint16_t text, struct df_file *out) {
	size_t n = 0;
	*out = (struct df_file){.finder = finder, .text = text, .escape = '\\'};
	struct reader r = {.file = out, .finder = finder, .in_directives = true};
	r.start = br_places_bytes(br_diags_places(finder->dx), text, &n);
	r.s = r.start;
	r.end = r.start + n;
	if (n >= 3 && !memcmp(r.start, "\xef\xbb\xbf", 3)) {
		r.s += 3;
	}
	// Each byte is kept with its place.
	(void)df_spend(finder, (uint64_t)n * 2 * DOCKERFILE_STEPS_BYTE);
	int failed = df_tired(finder, span_of(&r, r.start, r.start));
	while (!failed && r.s < r.end) {
		failed = read_instruction(&r);
	}
	br_buf_release(&r.joined);
	out->lines = r.lines.v;
	out->n = r.lines.n;
	return failed;
}

struct br_span df_span(
	const struct df_file *file, const struct df_line *line, const char *from, size_t n) {
	size_t i = (size_t)(from - line->rest);
	uint32_t begin = line->places[i];
	uint32_t end = n ? line->places[i + n - 1] + 1 : begin;
	return (struct br_span){file->text, begin, end - begin};
}

// Finding the file

/** A sentence for out->unknown; 0, or -1 without memory. */
static int not_known(struct image_finder *finder, struct br_image *out, const char *why) {
	out->unknown = why;
	return why ? 0 : br_error_memory(finder->dx);
}

static bool is_remote(const char *context) {
	return strstr(context, "://") || !strncmp(context, "git@", 4)
		|| !strncmp(context, "github.com/", 11) || !strncmp(context, "service:", 8);
}

/** Enter bytes into the table of places; its number or -1 with an error. */
static int enter(struct image_finder *finder, const char *name, const char *bytes, size_t n) {
	int text = name ? br_places_add(br_diags_places(finder->dx), BR_PLACE_FILE, name, bytes, n)
			: -1;
	return text < 0 ? br_error_memory(finder->dx) : text;
}

/** A text of this name that was read before; 0: none. */
static int entered(const struct image_finder *finder, const char *name) {
	const struct br_places *places = br_diags_places(finder->dx);
	size_t n = br_places_count(places);
	for (size_t i = 1; i <= n; i++) {
		if (!strcmp(br_places_name(places, (uint16_t)i), name)) {
			return (int)i;
		}
	}
	return 0;
}

/** Its text's number; 0 where it cannot be read (out->unknown says why); -1 with an error. */
static int open_file(struct image_finder *finder, struct br_text path, struct br_image *out) {
	int known = entered(finder, path.s);
	if (known) {
		return known;
	}
	size_t n = DOCKERFILE_BYTES;
	struct br_authors wrote = {0};
	br_auto(br_freep) char *bytes =
		br_read_for(&finder->authors, path.s, finder->options->trusted, &n, &wrote);
	if (!bytes && (errno == BR_EFOREIGN || errno == BR_EAUTHOR)) {
		int why = errno;
		(void)br_error(finder->dx, path.at, "cannot read the Dockerfile '%s': %s", path.s,
			br_input_why(why));
		if (br_input_hint(why)) {
			br_hint(finder->dx, "%s", br_input_hint(why));
		}
		return -1;
	}
	br_authors_join(&finder->authors, &wrote);
	if (!bytes) {
		if (!finder->user_is_numbers) {
			br_warning(finder->dx, path.at, "cannot read the Dockerfile '%s': %s",
				path.s, br_input_why(errno));
		}
		return not_known(
			finder, out, br_printf(finder->arena, "its Dockerfile cannot be read"));
	}
	return enter(finder, path.s, bytes, n);
}

/** The path of build's Dockerfile; NULL without memory. */
static const char *path_of(struct image_finder *finder, const struct br_build *build) {
	const char *file =
		build->dockerfile.s && *build->dockerfile.s ? build->dockerfile.s : "Dockerfile";
	const char *context = build->context.s && *build->context.s ? build->context.s : ".";
	if (*file == '/') {
		return br_strdup(finder->arena, file);
	}
	while (!strncmp(file, "./", 2)) {
		file += 2;
	}
	const char *slash = context[strlen(context) - 1] == '/' ? "" : "/";
	char *path = br_printf(finder->arena, "%s%s%s", context, slash, file);
	if (path && !strcmp(file, "Dockerfile") && access(path, F_OK) && errno == ENOENT) {
		// BuildKit looks for this one then
		char *lower = br_printf(finder->arena, "%s%sdockerfile", context, slash);
		return lower && !access(lower, F_OK) ? lower : path;
	}
	return path;
}

static int open_inline(struct image_finder *finder, const struct br_text *text) {
	const char *file = br_places_name(br_diags_places(finder->dx), text->at.text);
	size_t n = strlen(text->s);
	if (n > DOCKERFILE_BYTES) {
		return br_error(finder->dx, text->at, "a Dockerfile of more than %d bytes",
			DOCKERFILE_BYTES);
	}
	const char *name =
		br_printf(finder->arena, "%s (dockerfile_inline)", file ? file : "compose");
	return enter(finder, name, text->s, n);
}

static int open_text(
	struct image_finder *finder, const struct br_build *build, struct br_image *out) {
	if (build->dockerfile_inline.s) {
		return open_inline(finder, &build->dockerfile_inline);
	}
	const char *file = build->dockerfile.s ? build->dockerfile.s : "";
	if ((build->context.s && is_remote(build->context.s)) || is_remote(file)) {
		return not_known(finder, out, "the build context is not on this machine");
	}
	struct br_text path = {path_of(finder, build), build->at};
	if (build->dockerfile.s && build->dockerfile.at.text) {
		path.at = build->dockerfile.at;
	}
	return path.s ? open_file(finder, path, out) : br_error_memory(finder->dx);
}

int dockerfile_read(
	struct image_finder *finder, const struct br_build *build, struct br_image *out) {
	*out = (struct br_image){.origin = BR_IMAGE_DOCKERFILE};
	int text = open_text(finder, build, out);
	if (text <= 0) {
		return text;
	}
	out->from = br_places_name(br_diags_places(finder->dx), (uint16_t)text);
	struct df_file file;
	if (df_read(finder, (uint16_t)text, &file)) {
		return -1;
	}
	if (file.frontend) {
		const char *why = br_printf(
			finder->arena, "# syntax= names another frontend (%s)", file.frontend);
		return not_known(finder, out, why);
	}
	return df_stages_run(&file, build, out);
}
