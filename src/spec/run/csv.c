#include "run.h"

#include <string.h>

/** One field being read. */
struct field {
	struct br_run *run;
	struct br_chars text;
	size_t i;
	struct br_builder b;
};

static int bad_quote(const struct field *f, size_t at) {
	(void)br_error(f->run->dx, br_chars_at(f->run, f->text, at, 1),
		"a quote inside a field of --mount");
	br_hint(f->run->dx, "quote the whole field: \"source=/a,b\"");
	return -1;
}

/** "…" with "" for a quote; nothing but a comma may stand behind it. */
static int read_quoted(struct field *f) {
	size_t from = f->i++;
	for (; f->i < f->text.n; f->i++) {
		bool is_quote = f->text.s[f->i] == '"';
		bool is_double = is_quote && f->i + 1 < f->text.n && f->text.s[f->i + 1] == '"';
		if (is_quote && !is_double) {
			f->i++;
			return f->i < f->text.n && f->text.s[f->i] != ',' ? bad_quote(f, f->i - 1)
									  : 0;
		}
		f->i += is_double;
		if (br_builder_add(f->run, &f->b, f->text.s[f->i], f->text.at[f->i])) {
			return -1;
		}
	}
	return br_error(f->run->dx, br_chars_at(f->run, f->text, from, 1),
		"the quote is not closed in --mount");
}

static int read_plain(struct field *f) {
	for (; f->i < f->text.n && f->text.s[f->i] != ','; f->i++) {
		if (f->text.s[f->i] == '"') {
			return bad_quote(f, f->i);
		}
		if (br_builder_add(f->run, &f->b, f->text.s[f->i], f->text.at[f->i])) {
			return -1;
		}
	}
	return 0;
}

int br_csv_read(struct br_run *run, struct br_chars text, struct br_chars **fields, size_t *n) {
	br_vec(struct br_chars) all = {0};
	struct field f = {.run = run, .text = text};
	for (;; f.i++) {
		struct br_chars got;
		bool is_quoted = f.i < text.n && text.s[f.i] == '"';
		if (is_quoted ? read_quoted(&f) : read_plain(&f)) {
			return -1;
		}
		if (br_builder_take(run, &f.b, &got)) {
			return -1;
		}
		if (br_vec_push(run->arena, &all, got)) {
			return br_error_memory(run->dx);
		}
		if (f.i >= text.n) {
			break;
		}
	}
	*fields = all.v;
	*n = all.n;
	return 0;
}
