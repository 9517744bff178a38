#include "json.h"

#include <base/own.h>
#include <base/text.h>

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	// deeper than any report; more is our own mistake
	DEPTH = 32,
	// digits that survive being read and written: 0.1 stays 0.1
	PRECISION = 15,
};

struct br_json {
	/** What is open, outermost first. Only the first is owned; the others belong to it. */
	json_t *open[DEPTH];
	size_t depth;
	bool failed;
};

struct br_json *br_json_new(void) {
	struct br_json *json = calloc(1, sizeof(*json));
	if (!json) {
		return NULL;
	}
	json->open[0] = json_object();
	json->depth = 1;
	if (!json->open[0]) {
		free(json);
		errno = ENOMEM;
		return NULL;
	}
	return json;
}

void br_json_free(struct br_json *json) {
	if (json) {
		json_decref(json->open[0]);
		free(json);
	}
}

void br_json_freep(struct br_json **json) {
	br_json_free(*json);
}

/** Put a value, whose reference is taken, into what is open. False and `failed` if that cannot be
 * done. */
static bool put(struct br_json *json, const char *key, json_t *value) {
	if (json->failed || !json->depth) {
		json_decref(value);
		return false;
	}
	json_t *parent = json->open[json->depth - 1];
	assert(json_is_object(parent) == (key != NULL));
	assert(!key || !json_object_get(parent, key)); // it would be freed, open or not
	// both take the reference, and refuse NULL and invalid UTF-8
	int bad = json_is_object(parent) && key ? json_object_set_new(parent, key, value)
						: json_array_append_new(parent, value);
	json->failed = bad != 0;
	return !json->failed;
}

static void open_in(struct br_json *json, const char *key, json_t *value) {
	assert(json->depth < DEPTH);
	if (json->depth == DEPTH) {
		json->failed = true;
	}
	if (put(json, key, value)) {
		json->open[json->depth++] = value;
	}
}

void br_json_object(struct br_json *json, const char *key) {
	open_in(json, key, json_object());
}

void br_json_array(struct br_json *json, const char *key) {
	open_in(json, key, json_array());
}

void br_json_end(struct br_json *json) {
	if (json->failed) {
		return; // what was to be closed may never have been opened
	}
	assert(json->depth > 0);
	json->depth -= json->depth > 1;
}

void br_json_string(struct br_json *json, const char *key, const char *s) {
	put(json, key, s ? json_string(s) : json_null());
}

static char *base64_of(const char *s) {
	struct br_buf buf = {0};
	br_buf_base64(&buf, s, strlen(s));
	return br_buf_take(&buf);
}

void br_json_bytes(struct br_json *json, const char *key, const char *s) {
	if (!s || br_is_utf8(s, strlen(s))) {
		br_json_string(json, key, s);
		return;
	}
	struct br_buf name = {0};
	struct br_buf shown = {0};
	br_buf_addf(&name, "%s_b64", key ? key : "");
	br_buf_escape(&shown, s, strlen(s));
	br_auto(br_freep) char *base64 = base64_of(s);
	if (name.failed || shown.failed || !base64) {
		json->failed = true;
	} else {
		br_json_string(json, key, shown.s);
		if (key) {
			br_json_string(json, name.s, base64);
		}
	}
	br_buf_release(&name);
	br_buf_release(&shown);
}

void br_json_int(struct br_json *json, const char *key, int64_t n) {
	put(json, key, json_integer(n));
}

void br_json_real(struct br_json *json, const char *key, double x) {
	// JSON has no infinity and no NaN
	put(json, key, isfinite(x) ? json_real(x) : json_null());
}

void br_json_bool(struct br_json *json, const char *key, bool yes) {
	put(json, key, json_boolean(yes));
}

void br_json_null(struct br_json *json, const char *key) {
	put(json, key, json_null());
}

static void release(json_t **value) {
	json_decref(*value);
}

/** jansson's text with a newline behind it. */
static char *dump(const json_t *root, size_t flags, size_t *len) {
	size_t n = json_dumpb(root, NULL, 0, flags);
	char *text = n ? malloc(n + 2) : NULL;
	if (!text || json_dumpb(root, text, n, flags) != n) {
		free(text);
		errno = ENOMEM;
		return NULL;
	}
	text[n] = '\n';
	text[n + 1] = 0;
	if (len) {
		*len = n + 1;
	}
	return text;
}

char *br_json_take(struct br_json *json, bool one_line, size_t *len) {
	br_auto(release) json_t *root = json->open[0];
	bool failed = json->failed;
	*json = (struct br_json){0};
	if (failed || !root) {
		errno = ENOMEM;
		return NULL;
	}
	size_t layout = one_line ? JSON_COMPACT : JSON_INDENT(2);
	return dump(root, layout | JSON_REAL_PRECISION(PRECISION), len);
}

// ---- reading ----

/** Whether the brackets and commas outside of strings keep within the limits; whether they match is
 * the parser's business. */
static bool is_small(const char *s, size_t n) {
	size_t depth = 0;
	size_t items = 0;
	bool in_string = false;
	for (size_t i = 0; i < n; i++) {
		if (in_string && s[i] == '\\') {
			i++;
			continue;
		}
		in_string = in_string != (s[i] == '"');
		if (in_string) {
			continue;
		}
		bool opens = s[i] == '{' || s[i] == '[';
		bool closes = s[i] == '}' || s[i] == ']';
		items += opens || s[i] == ',';
		depth += opens;
		depth -= closes && depth;
		if (depth > BR_VALUE_DEPTH || items > BR_VALUE_ITEMS) {
			return false;
		}
	}
	return true;
}

struct br_value *br_value_read(const char *bytes, size_t n) {
	json_error_t error = {0};
	if (n > BR_VALUE_BYTES || !is_small(bytes, n)) {
		errno = EFBIG;
		return NULL;
	}
	json_t *value = json_loadb(bytes, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!value) {
		errno = json_error_code(&error) == json_error_out_of_memory ? ENOMEM : EINVAL;
	}
	return (struct br_value *)value;
}

void br_value_free(struct br_value *value) {
	json_decref((json_t *)value);
}

void br_value_freep(struct br_value **value) {
	br_value_free(*value);
}

void br_value_prepare(void) {
	json_object_seed(0);
}

/** The iterator wants it without const, and changes nothing. */
static json_t *to_iterate(const struct br_value *object) {
	union {
		const struct br_value *from;
		json_t *to;
	} cast = {.from = object};
	return cast.to;
}

const struct br_value *br_value_get(const struct br_value *object, const char *key) {
	json_t *found = NULL;
	const char *name;
	json_t *value;
	json_object_foreach(to_iterate(object), name, value) {
		found = strcasecmp(name, key) ? found : value;
	}
	return (const struct br_value *)found;
}

const struct br_value *br_value_get_exact(const struct br_value *object, const char *key) {
	return (const struct br_value *)json_object_get((const json_t *)object, key);
}

size_t br_value_count(const struct br_value *array) {
	return json_array_size((const json_t *)array);
}

const struct br_value *br_value_at(const struct br_value *array, size_t i) {
	return (const struct br_value *)json_array_get((const json_t *)array, i);
}

const char *br_value_string(const struct br_value *value) {
	return json_string_value((const json_t *)value);
}

bool br_value_is_true(const struct br_value *value) {
	return json_is_true((const json_t *)value);
}

int64_t br_value_int(const struct br_value *value) {
	return json_integer_value((const json_t *)value);
}

bool br_value_is_object(const struct br_value *value) {
	return json_is_object((const json_t *)value);
}

bool br_value_is_array(const struct br_value *value) {
	return json_is_array((const json_t *)value);
}

const char *br_value_key(const struct br_value *object, size_t i) {
	const char *name;
	json_t *value;
	json_object_foreach(to_iterate(object), name, value) {
		if (!i--) {
			return name;
		}
	}
	return NULL;
}
