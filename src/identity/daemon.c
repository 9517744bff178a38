#include "daemon.h"

#include "hostdb.h"

#include <base/input.h>
#include <base/own.h>
#include <base/text.h>
#include <doc/apart.h>
#include <doc/doc.h>
#include <doc/json.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum {
	CONFIG_MAX_BYTES = 1 << 20,
};

static const char remap_key[] = "userns-remap";

/** Its bytes in the arena; out->bytes NULL where there is none. */
static int read_file(struct br_arena *arena, const struct br_hostdb *db,
	const struct br_engine_request *request, struct hostdb_text *out, struct br_diags *dx) {
	struct br_text given = request->daemon_config;
	if (!given.s) {
		return hostdb_file(db, arena, "etc/docker/daemon.json", out, dx);
	}
	br_auto(br_freep) char *bytes =
		br_read_input(given.s, request->invoker.v, CONFIG_MAX_BYTES, &out->n);
	if (!bytes) {
		return br_error(dx, given.at, "cannot read '%s': %s", given.s, br_input_why(errno));
	}
	out->name = given.s;
	out->bytes = br_strndup(arena, bytes, out->n);
	return out->bytes ? 0 : br_error_memory(dx);
}

// ---- what it says ----

/** Where it stops being JSON: the reader of YAML, which JSON is a part of, knows places. */
static int refuse_json(uint16_t text, struct br_diags *dx) {
	br_auto(br_doc_freep) struct br_doc *doc = br_doc_read(text, dx);
	if (doc) {
		struct br_span start = {.text = text, .off = 0, .len = 0};
		return br_error(
			dx, start, "this is YAML, but no JSON object: dockerd will not read it");
	}
	return -1;
}

/** The place of the key's value; the text is JSON. Only for showing it. */
static struct br_span place_of_value(uint16_t text, const char *bytes) {
	const char *key = strstr(bytes, "\"userns-remap\"");
	const char *value = key ? key + strlen("\"userns-remap\"") : bytes;
	value += strspn(value, " \t\r\n:");
	size_t n = *value == '"' ? strcspn(value + 1, "\"\n") + 2 : strcspn(value, ",}\n \t\r");
	return (struct br_span){.text = text, .off = (uint32_t)(value - bytes), .len = (uint32_t)n};
}

/** In the confined child; context is the text's number. The word, "" for none, and its place. */
static int answer(void *context, struct br_diags *dx, struct br_buf *out) {
	const uint16_t *text = context;
	size_t n = 0;
	const char *bytes = br_places_bytes(br_diags_places(dx), *text, &n);
	br_auto(br_value_freep) struct br_value *json = br_value_read(bytes, n);
	if (!br_value_is_object(json)) {
		return !json && errno == ENOMEM ? br_error_memory(dx) : refuse_json(*text, dx);
	}
	const struct br_value *value = br_value_get(json, remap_key);
	const char *word = br_value_string(value);
	struct br_span at = place_of_value(*text, bytes);
	if (value && !word) {
		return br_error(
			dx, at, "%s must be a string: \"default\" or \"USER[:GROUP]\"", remap_key);
	}
	wire_put_string(out, word ? word : "");
	br_apart_put_span(out, at);
	return 0;
}

static int ask(struct br_arena *arena, uint16_t text, struct br_text *out, struct br_diags *dx) {
	const struct br_places *places = br_diags_places(dx);
	const struct br_apart apart = {
		.read = answer,
		.context = &text,
		.path = br_places_name(places, text),
	};
	br_auto(br_freep) char *bytes = NULL;
	struct wire in = {0};
	br_value_prepare();
	if (br_apart_read(&apart, dx, &bytes, &in.n)) {
		return -1;
	}
	in.s = bytes;
	const char *word = wire_take_string(&in, arena);
	out->at = br_apart_take_span(&in, places);
	if (in.failed || in.n) {
		return br_apart_refuse(&apart, dx);
	}
	out->s = *word ? word : NULL;
	return 0;
}

int daemon_read_remap(struct br_arena *arena, const struct br_hostdb *db,
	const struct br_engine_request *request, struct br_text *out, struct br_diags *dx) {
	struct hostdb_text file = {0};
	*out = (struct br_text){0};
	if (read_file(arena, db, request, &file, dx)) {
		return -1;
	}
	// An empty file is as good as none for dockerd.
	if (!file.bytes || file.bytes[strspn(file.bytes, " \t\r\n")] == '\0') {
		return 0;
	}
	int text = br_places_add(br_diags_places(dx), BR_PLACE_FILE, file.name, file.bytes, file.n);
	return text < 0 ? br_error_memory(dx) : ask(arena, (uint16_t)text, out, dx);
}

// ---- who that is ----

/** n characters as the ID that they are, if they are one. */
static bool read_id(const char *s, size_t n, uint32_t *out) {
	char digits[16] = "";
	if (n == 0 || n >= sizeof(digits)) {
		return false;
	}
	memcpy(digits, s, n);
	return br_parse_u32(digits, INT32_MAX, out) == 0;
}

static int check_group(
	struct br_hostdb *db, const struct br_text *word, const char *group, struct br_diags *dx) {
	uint32_t gid;
	bool known = read_id(group, strlen(group), &gid)
		? br_hostdb_group(db, (br_hostid){gid}) != NULL
		: br_hostdb_group_named(db, group) != NULL;
	return known ? 0
		     : br_error(dx, word->at, "userns-remap: there is no host group '%s'", group);
}

static const struct br_host_user *find_user(struct br_hostdb *db, const char *s, size_t n) {
	struct br_arena arena = {0};
	uint32_t uid;
	if (read_id(s, n, &uid)) {
		return br_hostdb_user(db, (br_hostid){uid});
	}
	const char *name = br_strndup(&arena, s, n);
	const struct br_host_user *user = name ? br_hostdb_user_named(db, name) : NULL;
	br_arena_release(&arena);
	return user;
}

int daemon_find_user(struct br_hostdb *db, const struct br_text *word,
	const struct br_host_user **user, bool *later, struct br_diags *dx) {
	size_t n = strcspn(word->s, ":");
	bool is_default = n == strlen("default") && memcmp(word->s, "default", n) == 0;
	const char *colon = strchr(word->s, ':');
	*later = false;
	if (colon && strchr(colon + 1, ':')) {
		return br_error(dx, word->at, "userns-remap: '%s' is not USER[:GROUP]", word->s);
	}
	*user = is_default ? br_hostdb_user_named(db, "dockremap") : find_user(db, word->s, n);
	if (!*user && is_default) {
		*later = true;
		return 0;
	}
	if (!*user) {
		return br_error(dx, word->at, "userns-remap: there is no host user '%.*s'", (int)n,
			word->s);
	}
	// Without a group dockerd wants one of the user's own name or number.
	if (colon ? check_group(db, word, colon + 1, dx)
		  : check_group(db, word, is_default ? "dockremap" : word->s, dx)) {
		return -1;
	}
	return strcmp((*user)->name, "root") != 0;
}
