/** What the input would say after an edit: read once more, as if it were made. */
#include "session.h"

#include <base/own.h>
#include <base/text.h>

#include <fcntl.h>
#include <string.h>

/** The words of a run line under an edit. */
struct edited {
	struct br_arena *arena;
	br_vec(struct br_text) words;
	/** All of them, joined by blanks. */
	struct br_buf line;
};

static int add_word(struct edited *out, const char *s, size_t n) {
	struct br_text word = {br_strndup(out->arena, s, n), {1, 0, (uint32_t)n}};
	br_buf_add(&out->line, out->line.n ? " " : "");
	word.at.off = (uint32_t)out->line.n;
	br_buf_addn(&out->line, s, n);
	return !word.s || br_vec_push(out->arena, &out->words, word) ? -1 : 0;
}

/** New words, each with a blank behind it. */
static int add_words(struct edited *out, const char *with) {
	for (const char *end; *with; with = end + 1) {
		end = strchr(with, ' ');
		if (!end) {
			return -1;
		}
		if (add_word(out, with, (size_t)(end - with))) {
			return -1;
		}
	}
	return 0;
}

/** The word with a part of it exchanged. */
static int add_changed(
	struct edited *out, const struct br_text *word, struct br_span at, const char *with) {
	struct br_buf buf = {0};
	size_t from = at.off - word->at.off;
	br_buf_addn(&buf, word->s, from);
	br_buf_add(&buf, with);
	br_buf_add(&buf, word->s + from + at.len);
	int result = buf.failed ? -1 : add_word(out, buf.s, buf.n);
	br_buf_release(&buf);
	return result;
}

/** 1 if the edit is in this word or in front of it (it is added then), 0 if not, -1 with ENOMEM. */
static int edit_word(
	struct edited *out, const struct br_text *word, struct br_span at, const char *with) {
	size_t n = strlen(with);
	size_t len = strlen(word->s);
	bool new_words = at.len == 0 && n > 0 && with[n - 1] == ' ';
	if (at.text != word->at.text || at.off < word->at.off
		|| at.off + (size_t)at.len > word->at.off + len
		|| (new_words && at.off != word->at.off)) {
		return 0;
	}
	if (new_words) {
		return add_words(out, with) || add_word(out, word->s, len) ? -1 : 1;
	}
	return add_changed(out, word, at, with) ? -1 : 1;
}

/** The run line of the command line, edited: request->line. */
static int edit_line(struct edited *out, struct br_spec_request *request, struct br_span at,
	const char *with, struct br_diags *dx) {
	int done = 0;
	for (size_t i = 0; i < request->nline; i++) {
		const struct br_text *word = &request->line[i];
		int here = done ? 0 : edit_word(out, word, at, with);
		if (here < 0 || (here == 0 && add_word(out, word->s, strlen(word->s)))) {
			return -1;
		}
		done |= here;
	}
	request->line = out->words.v;
	request->nline = out->words.n;
	bool made = done && !out->line.failed
		&& br_places_add(br_diags_places(dx), BR_PLACE_ARGV, "<command line>", out->line.s,
			   out->line.n)
			== 1;
	return made ? 0 : -1;
}

struct br_spec *session_read_edited(void *context, struct br_span at, const char *with) {
	const struct session *session = context;
	struct br_spec_request request = session->request;
	struct br_spec_edit edit = {.off = at.off, .len = at.len, .with = with};
	br_auto(br_arena_release) struct br_arena arena = {0};
	struct edited line = {.arena = &arena};
	br_auto(br_places_freep) struct br_places *places = br_places_new();
	br_auto(br_diags_freep) struct br_diags *dx = places ? br_diags_new(places) : NULL;
	// Standard input was read, and is gone.
	br_auto(br_closep) int none = open("/dev/null", O_RDONLY | O_CLOEXEC);
	edit.bytes = br_places_bytes(br_diags_places(session->cli->dx), at.text, &edit.n);
	if (!dx || none < 0 || !edit.bytes) {
		return NULL;
	}
	request.stdin_fd = none;
	request.edit = &edit;
	request.files_at = request.services_at = request.env_files_at = NULL;
	request.project_name_at = (struct br_span){0};
	int failed = request.nline ? edit_line(&line, &request, at, with, dx) : 0;
	br_buf_release(&line.line);
	return failed ? NULL : br_spec_read(&request, dx);
}
