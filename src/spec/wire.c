#include "wire.h"

#include "compose/compose.h"

#include <base/own.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

enum {
	QUESTIONS = 0x31715242,
	RESULT = 0x31725242,
	/** UTF-16 can be half as large again once it is UTF-8. */
	MOST_TEXT = 2 * BR_DOC_BYTES,
	MOST_MESSAGES = 1 << 20,
};

/** The length of a string that is absent. */
static const uint32_t absent = UINT32_MAX;

/** The fewest bytes that one item takes: a count beyond what is left is found before memory is
 * asked for. */
enum {
	LEAST_STRING = 4,
	LEAST_WORD = 16,
	LEAST_TEXT = 8,
	LEAST_MESSAGE = 44,
	LEAST_IGNORE = 3 * LEAST_WORD,
	LEAST_MOUNT = 7 * LEAST_WORD + 68,
	LEAST_CONTAINER = 12 * LEAST_WORD + 100,
	LEAST_QUESTION = 8,
	LEAST_CLAIM = 2 * LEAST_WORD,
};

/** A text that is new. */
struct text {
	const char *name;
	const char *bytes;
	size_t n;
};

/**
 * Bytes being made or taken apart. Each field has one function for both ways: it gets the value to
 * write, and answers the value written or read. So the two ways cannot disagree about the order.
 * After a failure everything reads as nothing.
 */
struct wire {
	/** NULL while reading. */
	struct br_buf *out;
	const unsigned char *in;
	size_t n, at;
	/** What is wrong, and where; NULL as long as nothing is. */
	const char *wrong;
	size_t wrong_at;
	bool no_memory;
	/** What is made while reading, and what spans may point into: the table's texts, then
	 * these. */
	struct br_arena *arena;
	const struct br_places *places;
	struct br_wire_base base;
	struct text *texts;
	size_t ntexts;
	struct br_diag *messages;
	size_t nmessages;
	size_t nmounts;
	/** Words without their places, to be compared. */
	bool bare;
};

static bool failed(const struct wire *w) {
	return w->wrong || w->no_memory;
}

static void refuse(struct wire *w, const char *what) {
	if (!failed(w)) {
		w->wrong = what;
		w->wrong_at = w->at;
	}
}

static void require(struct wire *w, bool good, const char *otherwise) {
	if (!w->out && !good) {
		refuse(w, otherwise);
	}
}

// ---- fields ----

static uint32_t number(struct wire *w, uint32_t v) {
	if (w->out) {
		const char bytes[4] = {(char)v, (char)(v >> 8), (char)(v >> 16), (char)(v >> 24)};
		br_buf_addn(w->out, bytes, sizeof(bytes));
		return v;
	}
	if (failed(w) || w->n - w->at < 4) {
		refuse(w, "it ends too early");
		return 0;
	}
	const unsigned char *s = w->in + w->at;
	w->at += 4;
	return (uint32_t)s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 | (uint32_t)s[3] << 24;
}

/** One of 0 to n - 1. */
static uint32_t choice(struct wire *w, uint32_t v, uint32_t n) {
	v = number(w, v);
	require(w, v < n, "a value is out of range");
	return v < n ? v : 0;
}

static bool flag(struct wire *w, bool v) {
	return choice(w, v, 2);
}

/** Bytes of any kind; NULL where absent. */
static const char *blob(struct wire *w, const char *s, size_t *n) {
	uint32_t len = number(w, s ? (uint32_t)*n : absent);
	if (w->out) {
		br_buf_addn(w->out, s ? s : "", s ? *n : 0);
		return s;
	}
	*n = 0;
	if (failed(w) || len == absent) {
		return NULL;
	}
	if (len > w->n - w->at) {
		refuse(w, "a string is longer than the rest");
		return NULL;
	}
	char *copy = br_strndup(w->arena, (const char *)w->in + w->at, len);
	w->no_memory = !copy;
	w->at += len;
	*n = len;
	return copy;
}

static const char *string(struct wire *w, const char *s) {
	size_t n = s ? strlen(s) : 0;
	s = blob(w, s, &n);
	require(w, !s || strlen(s) == n, "a string has a NUL in it");
	return s;
}

static const char *required(struct wire *w, const char *s) {
	s = string(w, s);
	require(w, s, "a string is absent");
	return s;
}

/** The length of a text that a span may point into; 0 for one that there is not. */
static size_t text_length(const struct wire *w, uint32_t text) {
	size_t n = 0;
	if (text > w->base.texts) {
		return text - w->base.texts <= w->ntexts ? w->texts[text - w->base.texts - 1].n : 0;
	}
	(void)br_places_bytes(w->places, (uint16_t)text, &n);
	return n;
}

static struct br_span span(struct wire *w, struct br_span at) {
	if (w->bare) {
		return at;
	}
	uint32_t text = number(w, at.text);
	// "No place" is {0}, however it came about.
	at.off = number(w, text ? at.off : 0);
	at.len = number(w, text ? at.len : 0);
	if (w->out) {
		return at;
	}
	size_t n = text_length(w, text);
	bool is_known = text <= w->base.texts + w->ntexts && (text || (!at.off && !at.len));
	require(w, is_known && at.off <= n && at.len <= n - at.off, "a place is outside its text");
	at.text = (uint16_t)text;
	if (failed(w)) {
		at = (struct br_span){0};
	}
	return at;
}

static struct br_text word(struct wire *w, struct br_text v) {
	v.s = string(w, v.s);
	v.at = span(w, v.at);
	return v;
}

/** The number of items, and while reading the array for them, else NULL. */
static void *list(struct wire *w, size_t *n, size_t size, size_t least) {
	uint32_t count = number(w, (uint32_t)*n);
	if (w->out) {
		return NULL;
	}
	require(w, count <= (w->n - w->at) / least, "a count is larger than the rest");
	*n = 0;
	void *items = failed(w) ? NULL : br_alloc_array(w->arena, count, size);
	w->no_memory = w->no_memory || (!items && !w->wrong);
	*n = items ? count : 0;
	return items;
}

/** Words that are all there. */
static const struct br_text *words(struct wire *w, const struct br_text *v, size_t *n) {
	struct br_text *made = list(w, n, sizeof(*v), LEAST_WORD);
	for (size_t i = 0; i < *n; i++) {
		struct br_text one = {0};
		one = word(w, made ? one : v[i]);
		require(w, one.s, "a word is absent");
		if (made) {
			made[i] = one;
		}
	}
	return made ? made : v;
}

static const char *const *strings(struct wire *w, const char *const *v, size_t *n) {
	const char **made = list(w, n, sizeof(*v), LEAST_STRING);
	for (size_t i = 0; i < *n; i++) {
		const char *one = required(w, made ? NULL : v[i]);
		if (made) {
			made[i] = one;
		}
	}
	return made ? made : v;
}

// ---- the spec ----

/** Absolute here or on Windows, which compose lets pass. */
static bool is_absolute(const char *s) {
	return s
		&& (s[0] == '/' || strncmp(s, "\\\\", 2) == 0
			|| (s[0] && s[1] == ':' && (s[2] == '/' || s[2] == '\\')));
}

static void check_source(struct wire *w, const struct br_mount *mount) {
	switch (mount->kind) {
	case BR_MOUNT_BIND:
	case BR_MOUNT_SECRET:
	case BR_MOUNT_CONFIG:
		require(w, is_absolute(mount->source.s), "a source is not absolute");
		return;
	case BR_MOUNT_VOLUME_BIND:
		require(w, mount->source.s && *mount->source.s, "a source is absent");
		return;
	case BR_MOUNT_VOLUME:
	case BR_MOUNT_TMPFS:
	case BR_MOUNT_OTHER:
		return;
	}
}

static char selinux(struct wire *w, char v) {
	uint32_t letter = number(w, (unsigned char)v);
	require(w, letter == 0 || letter == 'z' || letter == 'Z', "a value is out of range");
	return (char)letter;
}

static const struct br_ignore *ignores(struct wire *w, const struct br_ignore *v, size_t *n) {
	struct br_ignore *made = list(w, n, sizeof(*v), LEAST_IGNORE);
	for (size_t i = 0; i < *n && !failed(w); i++) {
		struct br_ignore one = {0};
		if (!made) {
			one = v[i];
		}
		one.code = word(w, one.code);
		one.reason = word(w, one.reason);
		one.target = word(w, one.target);
		require(w, one.code.s, "a code is absent");
		if (made) {
			made[i] = one;
		}
	}
	return made ? made : v;
}

static bool is_one_of(const char *s, const char *const *words) {
	while (*words && strcmp(*words, s) != 0) {
		words++;
	}
	return *words != NULL;
}

static void wishes(struct wire *w, struct br_wishes *v) {
	static const char *const needs[] = {"r", "rw", "rx", "rwx", NULL};
	static const char *const bools[] = {"true", "false", NULL};
	v->need = word(w, v->need);
	require(w, !v->need.s || is_one_of(v->need.s, needs), "a need is none");
	v->future_files = word(w, v->future_files);
	require(w, !v->future_files.s || is_one_of(v->future_files.s, bools),
		"a yes or no is neither");
	v->users = words(w, v->users, &v->nusers);
	v->ignores = ignores(w, v->ignores, &v->nignores);
}

static void mount(struct wire *w, struct br_mount *m) {
	m->kind = (enum br_mount_kind)choice(w, m->kind, BR_MOUNT_OTHER + 1);
	m->source = word(w, m->source);
	m->written = word(w, m->written);
	m->target = word(w, m->target);
	require(w, m->target.s && *m->target.s, "a target is absent");
	m->read_only = flag(w, m->read_only);
	m->create = (enum br_create)choice(w, m->create, BR_CREATE_UNSURE + 1);
	m->create_host_path = (int)choice(w, (uint32_t)(m->create_host_path + 1), 3) - 1;
	m->selinux = selinux(w, m->selinux);
	m->nocopy = flag(w, m->nocopy);
	m->chown = flag(w, m->chown);
	m->overlay = flag(w, m->overlay);
	m->idmap = word(w, m->idmap);
	m->propagation = word(w, m->propagation);
	m->recursive = word(w, m->recursive);
	m->options = words(w, m->options, &m->noptions);
	m->unset_variable = string(w, m->unset_variable);
	m->environment_variable = string(w, m->environment_variable);
	wishes(w, &m->wishes);
	m->at = span(w, m->at);
	check_source(w, m);
}

static const struct br_mount *mounts(struct wire *w, const struct br_mount *v, size_t *n) {
	struct br_mount *made = list(w, n, sizeof(*v), LEAST_MOUNT);
	w->nmounts += *n;
	require(w, w->nmounts <= BR_COMPOSE_MOUNTS, "there are too many mounts");
	for (size_t i = 0; i < *n && !failed(w); i++) {
		struct br_mount one = {0};
		if (!made) {
			one = v[i];
		}
		mount(w, &one);
		if (made) {
			made[i] = one;
		}
	}
	return made ? made : v;
}

static const struct br_build *build(struct wire *w, const struct br_build *v) {
	static const struct br_build none = {0};
	if (!flag(w, v != NULL)) {
		return NULL;
	}
	struct br_build b = v ? *v : none;
	b.context = word(w, b.context);
	b.dockerfile = word(w, b.dockerfile);
	b.dockerfile_inline = word(w, b.dockerfile_inline);
	b.target = word(w, b.target);
	b.args = words(w, b.args, &b.nargs);
	b.at = span(w, b.at);
	if (w->out) {
		return v;
	}
	struct br_build *made = BR_NEW(w->arena, struct br_build);
	w->no_memory = w->no_memory || !made;
	if (made) {
		*made = b;
	}
	return made;
}

/** What only Podman and OCI runtimes can be told. */
static void namespace(struct wire *w, struct br_container *c) {
	c->uid_maps = words(w, c->uid_maps, &c->nuid_maps);
	c->gid_maps = words(w, c->gid_maps, &c->ngid_maps);
	c->subuid_name = word(w, c->subuid_name);
	c->subgid_name = word(w, c->subgid_name);
	c->host_users = words(w, c->host_users, &c->nhost_users);
	c->runtime = word(w, c->runtime);
	c->umask = word(w, c->umask);
	c->rootfs = word(w, c->rootfs);
	require(w, !c->rootfs.s || c->rootfs.s[0] == '/', "a root is not absolute");
	c->pod = word(w, c->pod);
	c->literal = flag(w, c->literal);
	c->cap_bounding = words(w, c->cap_bounding, &c->ncap_bounding);
	c->cap_ambient = words(w, c->cap_ambient, &c->ncap_ambient);
	c->exists = flag(w, c->exists);
	c->runs = flag(w, c->runs);
	c->has_caps = flag(w, c->has_caps);
}

static void container(struct wire *w, struct br_container *c) {
	c->name = word(w, c->name);
	require(w, c->name.s && *c->name.s, "a name is absent");
	c->image = word(w, c->image);
	c->build = build(w, c->build);
	c->user = word(w, c->user);
	c->environment = words(w, c->environment, &c->nenvironment);
	c->has_entrypoint = flag(w, c->has_entrypoint);
	c->entrypoint_at = span(w, c->entrypoint_at);
	c->has_command = flag(w, c->has_command);
	c->working_dir = word(w, c->working_dir);
	c->userns_mode = word(w, c->userns_mode);
	namespace(w, c);
	c->network_mode = word(w, c->network_mode);
	c->pid = word(w, c->pid);
	c->ipc = word(w, c->ipc);
	c->privileged = flag(w, c->privileged);
	c->privileged_at = span(w, c->privileged_at);
	c->read_only = flag(w, c->read_only);
	c->group_add = words(w, c->group_add, &c->ngroup_add);
	c->cap_add = words(w, c->cap_add, &c->ncap_add);
	c->cap_drop = words(w, c->cap_drop, &c->ncap_drop);
	c->security_opt = words(w, c->security_opt, &c->nsecurity_opt);
	c->mounts = mounts(w, c->mounts, &c->nmounts);
	c->ignores = ignores(w, c->ignores, &c->nignores);
	c->at = span(w, c->at);
}

static const struct br_claim *claims(struct wire *w, const struct br_claim *v, size_t *n) {
	struct br_claim *made = list(w, n, sizeof(*v), LEAST_CLAIM);
	require(w, *n <= BR_COMPOSE_MOUNTS, "there are too many mounts");
	for (size_t i = 0; i < *n && !failed(w); i++) {
		struct br_claim one = {0};
		if (!made) {
			one = v[i];
		}
		one.name = word(w, one.name);
		one.source = word(w, one.source);
		require(w, one.name.s && one.source.s && one.source.s[0] == '/',
			"a service's mount has no name, or is not absolute");
		if (made) {
			made[i] = one;
		}
	}
	return made ? made : v;
}

static void project(struct wire *w, struct br_spec *s) {
	s->kind = (enum br_input_kind)choice(w, s->kind, BR_INPUT_CONTAINER + 1);
	s->engine = (enum br_engine)choice(w, s->engine, BR_ENGINE_OCI + 1);
	s->by_root = flag(w, s->by_root);
	s->files = strings(w, s->files, &s->nfiles);
	s->project_name = required(w, s->project_name);
	s->project_directory = required(w, s->project_directory);
	require(w, s->project_directory && s->project_directory[0] == '/',
		"the project directory is not absolute");
	struct br_container *made = list(w, &s->n, sizeof(*made), LEAST_CONTAINER);
	require(w, s->n <= BR_COMPOSE_SERVICES, "there are too many containers");
	for (size_t i = 0; i < s->n && !failed(w); i++) {
		struct br_container one = {0};
		if (!made) {
			one = s->containers[i];
		}
		container(w, &one);
		if (made) {
			made[i] = one;
		}
	}
	s->containers = made ? made : s->containers;
	s->claims = claims(w, s->claims, &s->nclaims);
}

// ---- texts and messages ----

static void texts(struct wire *w) {
	struct text *made = list(w, &w->ntexts, sizeof(*made), LEAST_TEXT);
	w->texts = made;
	require(w, w->ntexts <= UINT16_MAX - w->base.texts, "there are too many texts");
	for (size_t i = 0; i < w->ntexts && !failed(w); i++) {
		uint16_t text = (uint16_t)(w->base.texts + i + 1);
		struct text one = {0};
		if (w->out) {
			one.name = br_places_name(w->places, text);
			one.bytes = br_places_bytes(w->places, text, &one.n);
		}
		one.name = required(w, one.name);
		one.bytes = blob(w, one.bytes, &one.n);
		require(w, one.bytes && one.n <= MOST_TEXT, "a text is absent or too large");
		if (made) {
			made[i] = one;
		}
	}
}

/** Ready to be shown: the list that made it has escaped it. */
static const char *sentence(struct wire *w, const char *s) {
	s = string(w, s);
	require(w, !s || !br_has_hidden(s, strlen(s)), "a message is not fit for a terminal");
	return s;
}

static void messages(struct wire *w, const struct br_diags *dx) {
	struct br_diag *made = list(w, &w->nmessages, sizeof(*made), LEAST_MESSAGE);
	w->messages = made;
	require(w, w->nmessages <= MOST_MESSAGES, "there are too many messages");
	for (size_t i = 0; i < w->nmessages && !failed(w); i++) {
		struct br_diag one = {0};
		if (w->out) {
			one = *br_diags_get(dx, w->base.messages + i);
		}
		one.severity = (enum br_severity)choice(w, one.severity, BR_ERROR + 1);
		one.code = sentence(w, one.code);
		one.at = span(w, one.at);
		one.message = sentence(w, one.message);
		require(w, one.message, "a message is absent");
		one.other = span(w, one.other);
		one.other_message = sentence(w, one.other_message);
		one.hint = sentence(w, one.hint);
		if (made) {
			made[i] = one;
		}
	}
}

static bool has_errors(const struct wire *w) {
	bool found = false;
	for (size_t i = 0; i < w->nmessages; i++) {
		found = found || w->messages[i].severity == BR_ERROR;
	}
	return found;
}

static int say_wrong(const struct wire *w, struct br_diags *dx) {
	if (w->no_memory) {
		return br_error_memory(dx);
	}
	return br_error(dx, (struct br_span){0},
		"the input could not be read safely: its confined reader gave no valid answer (%s, "
		"at byte %zu)",
		w->wrong, w->wrong_at);
}

// ---- results ----

struct br_wire_base br_wire_base(const struct br_diags *dx) {
	return (struct br_wire_base){
		.texts = br_places_count(br_diags_places(dx)),
		.messages = br_diags_count(dx),
	};
}

void br_wire_put_result(const struct br_spec *spec, const struct br_diags *dx,
	struct br_wire_base base, struct br_buf *out) {
	const struct br_places *places = br_diags_places(dx);
	struct wire w = {
		.out = out,
		.places = places,
		.base = base,
		.ntexts = br_places_count(places) - base.texts,
		.nmessages = br_diags_count(dx) - base.messages,
	};
	(void)number(&w, RESULT);
	texts(&w);
	messages(&w, dx);
	(void)flag(&w, spec != NULL);
	if (spec) {
		struct br_spec copy = *spec;
		project(&w, &copy);
	}
}

/** All of it was good: the caller's lists get their part. Only memory can be missing. */
static int commit(const struct wire *w, struct br_diags *dx) {
	for (size_t i = 0; i < w->ntexts; i++) {
		const struct text *text = &w->texts[i];
		if (br_places_add(
			    br_diags_places(dx), BR_PLACE_FILE, text->name, text->bytes, text->n)
			< 0) {
			return br_error_memory(dx);
		}
	}
	for (size_t i = 0; i < w->nmessages; i++) {
		if (br_diags_add(dx, &w->messages[i])) {
			return br_error_memory(dx);
		}
	}
	return 0;
}

/** 1 with the spec filled, 0 where there is none, -1 with one error. */
static int take_result(struct wire *w, struct br_spec *out, struct br_diags *dx) {
	require(w, number(w, 0) == RESULT, "it does not begin like one");
	texts(w);
	messages(w, dx);
	bool has_spec = flag(w, false);
	require(w, has_spec != has_errors(w), "it neither refuses nor accepts the files");
	if (has_spec) {
		project(w, out);
	}
	require(w, w->at == w->n, "something stands behind its end");
	if (failed(w)) {
		return say_wrong(w, dx);
	}
	return commit(w, dx) ? -1 : has_spec;
}

struct br_spec *br_wire_take_result(const char *bytes, size_t n, struct br_diags *dx) {
	br_auto(br_spec_freep) struct br_spec *made = br_spec_new();
	if (!made) {
		(void)br_error_memory(dx);
		return NULL;
	}
	struct wire w = {
		.in = (const unsigned char *)bytes,
		.n = n,
		.arena = made->arena,
		.places = br_diags_places(dx),
		.base = br_wire_base(dx),
	};
	return take_result(&w, made, dx) > 0 ? br_steal(&made) : NULL;
}

// ---- comparing ----

static void put_words(const struct br_spec *spec, struct br_buf *out) {
	struct wire w = {.out = out, .bare = true};
	struct br_spec copy = *spec;
	project(&w, &copy);
}

int br_spec_same(const struct br_spec *a, const struct br_spec *b) {
	struct br_buf one = {0};
	struct br_buf other = {0};
	put_words(a, &one);
	put_words(b, &other);
	int same = -1;
	if (!one.failed && !other.failed) {
		same = one.n == other.n && memcmp(one.s, other.s, one.n) == 0;
	} else {
		errno = ENOMEM;
	}
	br_buf_release(&one);
	br_buf_release(&other);
	return same;
}

// ---- questions ----

void br_wire_put_questions(const struct br_file_store *store, struct br_buf *out) {
	struct wire w = {.out = out};
	(void)number(&w, QUESTIONS);
	size_t n = store->needs.n;
	(void)list(&w, &n, sizeof(struct br_question), LEAST_QUESTION);
	for (size_t i = 0; i < n; i++) {
		(void)choice(&w, store->needs.v[i].ask, BR_ASKS);
		(void)required(&w, store->needs.v[i].path);
	}
}

bool br_wire_is_questions(const char *bytes, size_t n) {
	struct wire w = {.in = (const unsigned char *)bytes, .n = n};
	return number(&w, 0) == QUESTIONS;
}

static void question(struct wire *w, struct br_file_store *store) {
	struct br_question q = {.ask = (enum br_ask)choice(w, 0, BR_ASKS)};
	q.path = required(w, NULL);
	bool is_stdin = q.path && q.ask == BR_ASK_COMPOSE && strcmp(q.path, "-") == 0;
	require(w, q.path && (q.path[0] == '/' || is_stdin) && strlen(q.path) < PATH_MAX,
		"a path is not absolute, or too long");
	// One that was answered already would be asked for ever.
	require(w, failed(w) || !br_store_has(store, q.ask, q.path), "it asks again");
	w->no_memory = w->no_memory || (!failed(w) && br_vec_push(&store->arena, &store->needs, q));
}

int br_wire_take_questions(
	const char *bytes, size_t n, struct br_file_store *store, struct br_diags *dx) {
	struct wire w = {
		.in = (const unsigned char *)bytes,
		.n = n,
		.arena = &store->arena,
	};
	require(&w, number(&w, 0) == QUESTIONS, "it does not begin like one");
	uint32_t count = number(&w, 0);
	require(&w, count && count <= BR_STORE_NEEDS, "there are too many questions, or none");
	for (uint32_t i = 0; i < count && !failed(&w); i++) {
		question(&w, store);
	}
	require(&w, w.at == w.n, "something stands behind its end");
	return failed(&w) ? say_wrong(&w, dx) : 0;
}
