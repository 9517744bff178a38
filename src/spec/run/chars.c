#include "run.h"

#include <string.h>

int br_builder_add(struct br_run *run, struct br_builder *b, char c, struct br_mark at) {
	if (++run->bytes > BR_RUN_BYTES) {
		return br_error(run->dx, (struct br_span){run->text, at.off, at.len},
			"the words of '%s' are longer than %d MiB", run->shown, BR_RUN_BYTES >> 20);
	}
	if (br_vec_push(run->arena, &b->s, c) || br_vec_push(run->arena, &b->at, at)) {
		return br_error_memory(run->dx);
	}
	return 0;
}

int br_builder_take(struct br_run *run, struct br_builder *b, struct br_chars *out) {
	struct br_mark none = {0};
	if (br_vec_push(run->arena, &b->s, '\0') || br_vec_push(run->arena, &b->at, none)) {
		return br_error_memory(run->dx);
	}
	*out = (struct br_chars){b->s.v, b->at.v, b->s.n - 1};
	*b = (struct br_builder){0};
	return 0;
}

struct br_chars br_chars_part(struct br_chars all, size_t i, size_t n) {
	return (struct br_chars){all.s + i, all.at + i, n};
}

struct br_chars br_chars_of(struct br_run *run, const char *s, size_t n, uint32_t off) {
	struct br_mark *at = BR_NEW_ARRAY(run->arena, struct br_mark, n + 1);
	if (!at) {
		(void)br_error_memory(run->dx);
		return (struct br_chars){0};
	}
	for (size_t i = 0; i < n; i++) {
		at[i] = (struct br_mark){off + (uint32_t)i, 1};
	}
	return (struct br_chars){s, at, n};
}

struct br_span br_chars_at(const struct br_run *run, struct br_chars all, size_t i, size_t n) {
	if (i + n > all.n) {
		n = i < all.n ? all.n - i : 0;
	}
	if (n == 0) {
		// Between two bytes: behind the one before.
		struct br_mark last = i > 0 && i <= all.n ? all.at[i - 1] : (struct br_mark){0};
		if (i < all.n) {
			return (struct br_span){run->text, all.at[i].off, 0};
		}
		return (struct br_span){run->text, last.off + last.len, 0};
	}
	struct br_mark first = all.at[i];
	struct br_mark last = all.at[i + n - 1];
	uint32_t end = last.off + last.len;
	uint32_t len = end > first.off ? end - first.off : first.len;
	return (struct br_span){run->text, first.off, len};
}

const char *br_chars_copy(struct br_run *run, struct br_chars all) {
	const char *s = br_strndup(run->arena, all.s ? all.s : "", all.n);
	if (!s) {
		(void)br_error_memory(run->dx);
	}
	return s;
}

struct br_text br_chars_text(struct br_run *run, struct br_chars all, size_t i, size_t n) {
	const char *s = br_chars_copy(run, br_chars_part(all, i, n));
	return (struct br_text){s, br_chars_at(run, all, i, n)};
}

size_t br_name_length(const char *s, size_t n) {
	size_t i = 0;
	while (i < n) {
		char c = s[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		bool is_digit = c >= '0' && c <= '9';
		if (!is_letter && !(is_digit && i > 0)) {
			break;
		}
		i++;
	}
	return i;
}
