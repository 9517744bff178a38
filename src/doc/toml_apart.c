/** Settings files and what a confined child makes of them: this file asks, answers, and looks the
 * answer over. */
#include "apart.h"
#include "toml.h"

#include <base/own.h>

#include <string.h>

enum {
	/** The fewest bytes of a value and of a list's item: more of them than that in the rest of
	 * an answer is a lie. */
	LEAST_VALUE = 36,
	LEAST_ITEM = 16,
};

/** No line of it has more than a comment: most of the files that distributions bring. */
static bool is_silent(const char *s, size_t n) {
	for (size_t i = 0; i < n; i++) {
		i += strspn(s + i, " \t\r\n");
		if (i < n && s[i] != '#') {
			return false;
		}
		i += strcspn(s + i, "\n");
	}
	return br_is_utf8(s, n);
}

// ---- in the child ----

static void put_value(const struct br_toml_value *value, struct br_buf *out) {
	wire_put_string(out, value->path);
	wire_put_number(out, value->kind);
	br_apart_put_span(out, value->at);
	wire_put_string(out, value->s ? value->s : "");
	wire_put_number(out, (uint32_t)value->n);
	for (size_t i = 0; i < value->n; i++) {
		wire_put_string(out, value->items[i].s);
		br_apart_put_span(out, value->items[i].at);
	}
	wire_put_number(out, (uint32_t)value->others);
	wire_put_number(out, value->appends);
}

int br_toml_answer(void *context, struct br_diags *dx, struct br_buf *out) {
	const struct br_toml_question *question = context;
	int result = 0;
	for (size_t i = 0; !result && i < question->n; i++) {
		struct br_arena arena = {0};
		struct br_toml toml;
		result = br_toml_read(&arena, question->texts[i], &toml, dx);
		wire_put_number(out, (uint32_t)toml.n);
		for (size_t k = 0; !result && k < toml.n; k++) {
			put_value(&toml.values[k], out);
		}
		br_arena_release(&arena);
	}
	return result;
}

// ---- here ----

static void take_items(struct wire *in, struct br_arena *arena, const struct br_places *places,
	struct br_toml_value *out) {
	out->n = wire_take_number(in, (uint32_t)(in->n / LEAST_ITEM));
	struct br_text *items = BR_NEW_ARRAY(arena, struct br_text, out->n);
	in->failed = in->failed || !items;
	for (size_t i = 0; i < out->n && !in->failed; i++) {
		items[i].s = wire_take_string(in, arena);
		items[i].at = br_apart_take_span(in, places);
	}
	out->items = items;
}

static void take_value(struct wire *in, struct br_arena *arena, const struct br_places *places,
	struct br_toml_value *out) {
	out->path = wire_take_string(in, arena);
	out->kind = (enum br_toml_kind)wire_take_number(in, BR_TOML_LIST);
	out->at = br_apart_take_span(in, places);
	const char *s = wire_take_string(in, arena);
	out->s = out->kind == BR_TOML_LIST ? NULL : s;
	take_items(in, arena, places, out);
	out->others = wire_take_number(in, UINT32_MAX);
	out->appends = wire_take_number(in, 1) != 0;
	in->failed = in->failed || (out->kind != BR_TOML_LIST && (out->n || out->others));
}

static void take_table(struct wire *in, struct br_arena *arena, const struct br_places *places,
	struct br_toml *out) {
	size_t n = wire_take_number(in, (uint32_t)(in->n / LEAST_VALUE));
	struct br_toml_value *values = BR_NEW_ARRAY(arena, struct br_toml_value, n);
	in->failed = in->failed || !values;
	for (size_t i = 0; i < n && !in->failed; i++) {
		take_value(in, arena, places, &values[i]);
	}
	*out = (struct br_toml){values, n};
}

int br_toml_take(struct br_arena *arena, struct wire *in, const struct br_places *places,
	struct br_toml *out, size_t n) {
	for (size_t i = 0; i < n; i++) {
		take_table(in, arena, places, &out[i]);
	}
	return in->failed || in->n ? -1 : 0;
}

int br_toml_read_apart(struct br_arena *arena, const uint16_t *texts, size_t n, struct br_toml *out,
	struct br_diags *dx) {
	const struct br_places *places = br_diags_places(dx);
	struct br_toml_question question = {texts, n};
	const struct br_apart apart = {
		.read = br_toml_answer,
		.context = &question,
		.path = n == 1 ? br_places_name(places, texts[0]) : NULL,
	};
	br_auto(br_freep) char *bytes = NULL;
	struct wire in = {0};
	bool all_silent = true;
	for (size_t i = 0; i < n; i++) {
		size_t length = 0;
		const char *s = br_places_bytes(places, texts[i], &length);
		all_silent = all_silent && (!s || is_silent(s, length));
		out[i] = (struct br_toml){0};
	}
	if (all_silent) {
		return 0;
	}
	if (br_apart_read(&apart, dx, &bytes, &in.n)) {
		return -1;
	}
	in.s = bytes;
	return br_toml_take(arena, &in, places, out, n) ? br_apart_refuse(&apart, dx) : 0;
}
