#include <base/mem.h>
#include <base/own.h>

#include <errno.h>
#include <setjmp.h>
#include <spec/compose/compose.h>
#include <spec/reading.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/any.h>
#include <support/cases.h>
#include <support/fault.h>
#include <support/promises.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/** What a case says when it is read here, and its encoding. */
static char *encode_case(const char *name, struct br_buf *out) {
	struct spec_case run;
	case_start(&run, name);
	struct br_wire_base base = br_wire_base(run.dx);
	struct br_spec *spec = br_read_here(&run.request, run.dx);
	promise_all(spec, run.dx);
	br_wire_put_result(spec, run.dx, base, out);
	assert_false(out->failed);
	char *text = case_text(&run, spec);
	br_spec_free(spec);
	case_finish(&run);
	return text;
}

static void keep_seed(const char *name, const struct br_buf *bytes) {
	const char *dir = getenv("BR_SEEDS");
	char path[PATH_MAX];
	if (!dir) {
		return;
	}
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	br_auto(br_fclosep) FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes->s, 1, bytes->n, f), bytes->n);
}

static void round_trip(const char *name) {
	struct br_buf bytes = {0};
	struct br_buf again = {0};
	br_auto(br_freep) char *expected = encode_case(name, &bytes);
	keep_seed(name, &bytes);
	struct spec_case run;
	case_start(&run, name);
	struct br_wire_base base = br_wire_base(run.dx);
	struct br_spec *spec = br_wire_take_result(bytes.s, bytes.n, run.dx);
	promise_all(spec, run.dx);
	br_wire_put_result(spec, run.dx, base, &again);
	br_auto(br_freep) char *text = case_text(&run, spec);
	assert_string_equal(text, expected);
	assert_int_equal(again.n, bytes.n);
	assert_memory_equal(again.s, bytes.s, bytes.n);
	br_spec_free(spec);
	case_finish(&run);
	br_buf_release(&bytes);
	br_buf_release(&again);
}

static void test_round_trip(void **state) {
	for (struct dirent **names = *state; *names; names++) {
		round_trip((*names)->d_name);
	}
}

/** Take bytes that may be anything; true if they were a valid result. */
static bool take(const char *bytes, size_t n) {
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_wire_base base = br_wire_base(dx);
	// A copy of just this length, so that reading beyond it is seen.
	br_auto(br_freep) char *copy = malloc(n ? n : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, n);
	struct br_spec *spec = br_wire_take_result(copy, n, dx);
	promise_all(spec, dx);
	bool is_valid = spec != NULL;
	if (spec) {
		struct br_buf again = {0};
		br_wire_put_result(spec, dx, base, &again);
		assert_int_equal(again.n, n);
		assert_memory_equal(again.s, bytes, n);
		br_buf_release(&again);
	} else {
		bool is_invalid =
			strstr(br_diags_get(dx, br_diags_count(dx) - 1)->message, "no valid answer")
			!= NULL;
		// Nothing of a bad answer is kept but the error.
		assert_true(!is_invalid || br_diags_count(dx) == 1);
		assert_true(!is_invalid || br_places_count(places) == 0);
	}
	br_spec_free(spec);
	br_diags_free(dx);
	br_places_free(places);
	return is_valid;
}

#ifdef BR_SANITIZED
static const unsigned every = 4;
#else
static const unsigned every = 1;
#endif

/** Each byte changed, each length; of some cases only where that takes long. */
static void test_damaged(void **state) {
	unsigned number = 0;
	for (struct dirent **names = *state; *names; names++, number++) {
		if (number % every) {
			continue;
		}
		struct br_buf bytes = {0};
		br_auto(br_freep) char *text = encode_case((*names)->d_name, &bytes);
		(void)text;
		for (size_t i = 0; i < bytes.n; i++) {
			char old = bytes.s[i];
			bytes.s[i] = (char)(old ^ 1 << (i + number) % 8);
			(void)take(bytes.s, bytes.n);
			bytes.s[i] = (char)(number % 2 ? 0xff : old + 1);
			(void)take(bytes.s, bytes.n);
			bytes.s[i] = old;
		}
		for (size_t n = 0; n < bytes.n; n++) {
			assert_false(take(bytes.s, n));
		}
		br_buf_addc(&bytes, '\0');
		assert_false(take(bytes.s, bytes.n));
		br_buf_release(&bytes);
	}
}

static void test_random(void **state) {
	(void)state;
	struct any any = {any_seed()};
	for (int i = 0; i < 20000; i++) {
		unsigned char bytes[256];
		size_t n = any_below(&any, sizeof(bytes));
		bool small = any_below(&any, 2);
		for (size_t k = 0; k < n; k++) {
			uint32_t byte = any_below(&any, small ? 3 : 256);
			bytes[k] = (unsigned char)(small && byte == 2 ? 0xff : byte);
		}
		if (n >= 4 && any_below(&any, 8)) {
			memcpy(bytes, "BRr1", 4);
		}
		(void)take((const char *)bytes, n);
	}
}

// ---- what no reader of ours would say ----

/** A spec that is good, to be spoilt. */
struct sample {
	struct br_mount mount;
	struct br_container container;
	struct br_build build;
	struct br_text word;
	struct br_ignore ignore;
	struct br_claim claim;
	const char *files[1];
	struct br_spec spec;
};

static void make_sample(struct sample *s) {
	*s = (struct sample){
		.mount = {.source = {"/s", {1, 0, 2}}, .target = {"/t", {1, 2, 2}}},
		.container = {.name = {"web", {1, 0, 3}}},
		.word = {"w", {1, 5, 5}},
		.ignore = {.code = {"BR105", {0}}},
		.claim = {{"db", {1, 0, 2}}, {"/db", {1, 2, 3}}},
		.files = {"compose.yaml"},
		.spec = {.project_name = "p", .project_directory = "/p"},
	};
	s->container.mounts = &s->mount;
	s->container.nmounts = 1;
	s->container.build = &s->build;
	s->container.group_add = &s->word;
	s->container.ngroup_add = 1;
	s->container.environment = &s->word;
	s->container.nenvironment = 1;
	s->container.entrypoint_at = s->word.at;
	s->container.has_entrypoint = true;
	s->container.has_command = true;
	s->container.working_dir = s->word;
	s->container.ignores = &s->ignore;
	s->container.nignores = 1;
	s->mount.wishes = (struct br_wishes){
		.need = {"rw", {1, 0, 2}},
		.future_files = {"true", {1, 2, 2}},
		.users = &s->word,
		.nusers = 1,
		.ignores = &s->ignore,
		.nignores = 1,
	};
	s->spec.files = s->files;
	s->spec.nfiles = 1;
	s->spec.containers = &s->container;
	s->spec.n = 1;
	s->spec.claims = &s->claim;
	s->spec.nclaims = 1;
}

static void spoil_nothing(struct sample *s) {
	(void)s;
}
static void spoil_source(struct sample *s) {
	s->mount.source.s = "etc/passwd";
}
static void spoil_no_source(struct sample *s) {
	s->mount.source.s = NULL;
}
static void spoil_secret(struct sample *s) {
	s->mount.kind = BR_MOUNT_SECRET;
	s->mount.source.s = "x";
}
static void spoil_device(struct sample *s) {
	s->mount.kind = BR_MOUNT_VOLUME_BIND;
	s->mount.source.s = "";
}
static void spoil_target(struct sample *s) {
	s->mount.target.s = "";
}
static void spoil_kind(struct sample *s) {
	s->mount.kind = (enum br_mount_kind)(BR_MOUNT_OTHER + 1);
}
static void spoil_create(struct sample *s) {
	s->mount.create = (enum br_create)3;
}
static void spoil_create_host_path(struct sample *s) {
	s->mount.create_host_path = 2;
}
static void spoil_selinux(struct sample *s) {
	s->mount.selinux = 'x';
}
static void spoil_directory(struct sample *s) {
	s->spec.project_directory = "p";
}
static void spoil_project(struct sample *s) {
	s->spec.project_name = NULL;
}
static void spoil_file(struct sample *s) {
	s->files[0] = NULL;
}
static void spoil_name(struct sample *s) {
	s->container.name.s = NULL;
}
static void spoil_input(struct sample *s) {
	s->spec.kind = (enum br_input_kind)7;
}
static void spoil_word(struct sample *s) {
	s->word.s = NULL;
}
static void spoil_code(struct sample *s) {
	s->ignore.code.s = NULL;
}
static void spoil_need(struct sample *s) {
	s->mount.wishes.need.s = "w";
}
static void spoil_future(struct sample *s) {
	s->mount.wishes.future_files.s = "yes";
}
static void spoil_claim(struct sample *s) {
	s->claim.source.s = "db";
}
static void spoil_claimer(struct sample *s) {
	s->claim.name.s = NULL;
}
static void spoil_span_text(struct sample *s) {
	s->word.at.text = 2;
}
static void spoil_span_off(struct sample *s) {
	s->word.at.off = 11;
}
static void spoil_span_len(struct sample *s) {
	s->word.at.len = 6;
}
static void spoil_span_sum(struct sample *s) {
	s->word.at.len = UINT32_MAX;
}

static void test_spoilt(void **state) {
	(void)state;
	static const struct {
		const char *name;
		void (*spoil)(struct sample *);
		const char *why;
	} cases[] = {
		{"nothing", spoil_nothing, NULL},
		{"a relative source", spoil_source, "not absolute"},
		{"no source", spoil_no_source, "not absolute"},
		{"a secret's relative source", spoil_secret, "not absolute"},
		{"an empty device", spoil_device, "a source is absent"},
		{"an empty target", spoil_target, "a target is absent"},
		{"an unknown kind", spoil_kind, "out of range"},
		{"an unknown create", spoil_create, "out of range"},
		{"create_host_path 2", spoil_create_host_path, "out of range"},
		{"selinux x", spoil_selinux, "out of range"},
		{"a relative project", spoil_directory, "project directory is not absolute"},
		{"no project name", spoil_project, "a string is absent"},
		{"no file name", spoil_file, "a string is absent"},
		{"no service name", spoil_name, "a name is absent"},
		{"an unknown input", spoil_input, "out of range"},
		{"no word", spoil_word, "a word is absent"},
		{"no code", spoil_code, "a code is absent"},
		{"a need that is none", spoil_need, "a need is none"},
		{"a yes that is none", spoil_future, "a yes or no is neither"},
		{"a claim on a relative path", spoil_claim, "is not absolute"},
		{"a claim of nobody", spoil_claimer, "has no name"},
		{"an unknown text", spoil_span_text, "outside its text"},
		{"an offset behind the text", spoil_span_off, "outside its text"},
		{"a length behind the text", spoil_span_len, "outside its text"},
		{"a sum that overflows", spoil_span_sum, "outside its text"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct br_places *places = br_places_new();
		struct br_diags *dx = br_diags_new(places);
		struct sample sample;
		struct br_buf bytes = {0};
		struct br_wire_base base = br_wire_base(dx);
		assert_int_equal(br_places_add(places, BR_PLACE_FILE, "f", "0123456789", 10), 1);
		make_sample(&sample);
		cases[i].spoil(&sample);
		br_wire_put_result(&sample.spec, dx, base, &bytes);
		struct br_places *others = br_places_new();
		struct br_diags *got = br_diags_new(others);
		struct br_spec *spec = br_wire_take_result(bytes.s, bytes.n, got);
		promise_all(spec, got);
		if ((spec == NULL) != (cases[i].why != NULL)
			|| (!spec && !strstr(br_diags_get(got, 0)->message, cases[i].why))) {
			fail_msg("%s: %s", cases[i].name,
				spec ? "is taken" : br_diags_get(got, 0)->message);
		}
		br_spec_free(spec);
		br_diags_free(got);
		br_places_free(others);
		br_diags_free(dx);
		br_places_free(places);
		br_buf_release(&bytes);
	}
}

/** Bytes by hand: {text of a number or of a string}. */
static void put32(struct br_buf *out, uint32_t v) {
	const char bytes[4] = {(char)v, (char)(v >> 8), (char)(v >> 16), (char)(v >> 24)};
	br_buf_addn(out, bytes, 4);
}

static void put_string(struct br_buf *out, const char *s) {
	put32(out, (uint32_t)strlen(s));
	br_buf_add(out, s);
}

/** A refusal with one message: severity, code, span, message, span, other, hint. */
static void put_refusal(struct br_buf *out, uint32_t severity, const char *message) {
	br_buf_add(out, "BRr1");
	put32(out, 0);
	put32(out, 1);
	put32(out, severity);
	put32(out, UINT32_MAX);
	for (int i = 0; i < 3; i++) {
		put32(out, 0);
	}
	put_string(out, message);
	for (int i = 0; i < 3; i++) {
		put32(out, 0);
	}
	put32(out, UINT32_MAX);
	put32(out, UINT32_MAX);
	put32(out, 0);
}

static void test_messages(void **state) {
	(void)state;
	static const struct {
		const char *name;
		uint32_t severity;
		const char *message, *expected;
	} cases[] = {
		{"an error", BR_ERROR, "it is wrong", "it is wrong"},
		{"what was escaped stays so", BR_ERROR, "a\\x1b b\\\\", "a\\x1b b\\\\"},
		{"a warning refuses nothing", BR_WARNING, "hm", "neither refuses nor accepts"},
		{"no such severity", 4, "hm", "out of range"},
		{"an escape", BR_ERROR, "\033[2J", "not fit for a terminal"},
		{"a line end", BR_ERROR, "a\nb", "not fit for a terminal"},
		{"not UTF-8", BR_ERROR, "\xff", "not fit for a terminal"},
		{"right to left", BR_ERROR, "\u202e", "not fit for a terminal"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct br_places *places = br_places_new();
		struct br_diags *dx = br_diags_new(places);
		struct br_buf bytes = {0};
		put_refusal(&bytes, cases[i].severity, cases[i].message);
		assert_null(br_wire_take_result(bytes.s, bytes.n, dx));
		assert_int_equal(br_diags_count(dx), 1);
		if (!strstr(br_diags_get(dx, 0)->message, cases[i].expected)) {
			fail_msg("%s: %s", cases[i].name, br_diags_get(dx, 0)->message);
		}
		br_buf_release(&bytes);
		br_diags_free(dx);
		br_places_free(places);
	}
}

/** What stood in the caller's lists stays, is not sent, and can be pointed at. */
static void test_base(void **state) {
	(void)state;
	struct br_places *places[2];
	struct br_diags *dx[2];
	struct br_wire_base base = {0};
	for (int i = 0; i < 2; i++) {
		places[i] = br_places_new();
		dx[i] = br_diags_new(places[i]);
		assert_int_equal(
			br_places_add(places[i], BR_PLACE_ARGV, "<command line>", "-f x", 4), 1);
		br_note(dx[i], (struct br_span){1, 0, 2}, "was here before");
		base = br_wire_base(dx[i]);
	}
	assert_int_equal(br_places_add(places[0], BR_PLACE_FILE, "x", "services", 8), 2);
	br_error(dx[0], (struct br_span){2, 0, 8}, "no %s", "\033");
	br_other(dx[0], (struct br_span){1, 3, 1}, "named here");
	br_hint(dx[0], "do it");
	br_code(dx[0], "BR001");
	struct br_buf bytes = {0};
	br_wire_put_result(NULL, dx[0], base, &bytes);
	assert_null(strstr(bytes.s, "-f x"));
	assert_null(br_wire_take_result(bytes.s, bytes.n, dx[1]));
	assert_int_equal(br_places_count(places[1]), 2);
	assert_int_equal(br_diags_count(dx[1]), 2);
	for (size_t i = 0; i < 2; i++) {
		br_auto(br_freep) char *a =
			br_diag_render(places[0], br_diags_get(dx[0], i), "t", false);
		br_auto(br_freep) char *b =
			br_diag_render(places[1], br_diags_get(dx[1], i), "t", false);
		assert_string_equal(a, b);
	}
	assert_string_equal(br_diags_get(dx[1], 1)->code, "BR001");
	// The place 2 is not there without its text.
	struct br_buf other = {0};
	br_wire_put_result(NULL, dx[0], (struct br_wire_base){2, 1}, &other);
	assert_null(br_wire_take_result(other.s, other.n, dx[1]));
	br_buf_release(&other);
	br_buf_release(&bytes);
	for (int i = 0; i < 2; i++) {
		br_diags_free(dx[i]);
		br_places_free(places[i]);
	}
}

static void test_counts(void **state) {
	(void)state;
	// A count must not make the decoder ask for more memory than the bytes are worth.
	static const uint32_t counts[] = {2, 3, 65535, 65536, 1U << 20, INT32_MAX, UINT32_MAX};
	for (size_t i = 0; i < COUNT(counts); i++) {
		struct br_buf bytes = {0};
		br_buf_add(&bytes, "BRr1");
		put32(&bytes, counts[i]);
		put_string(&bytes, "name");
		put_string(&bytes, "text");
		assert_false(take(bytes.s, bytes.n));
		br_buf_release(&bytes);
	}
}

static void test_memory(void **state) {
	struct dirent **names = *state;
	size_t n = 0;
	while (names[n]) {
		n++;
	}
	for (size_t i = 0; i < n; i += 20) {
		struct br_buf bytes = {0};
		br_auto(br_freep) char *text = encode_case(names[i]->d_name, &bytes);
		(void)text;
		bool hit = true;
		for (unsigned k = 1; hit; k++) {
			struct br_places *places = br_places_new();
			struct br_diags *dx = br_diags_new(places);
			assert_non_null(dx);
			fault_at(k);
			struct br_spec *spec = br_wire_take_result(bytes.s, bytes.n, dx);
			hit = fault_hit();
			fault_at(0);
			assert_int_equal(spec == NULL, br_diags_errors(dx) > 0);
			br_spec_free(spec);
			br_diags_free(dx);
			br_places_free(places);
		}
		br_buf_release(&bytes);
	}
}

// ---- questions ----

static void test_questions(void **state) {
	(void)state;
	static const struct {
		const char *name;
		uint32_t count, ask;
		const char *path;
		size_t n;
		const char *why;
	} cases[] = {
		{"a file", 1, BR_ASK_FILE, "/a", 2, NULL},
		{"standard input", 1, BR_ASK_COMPOSE, "-", 1, NULL},
		{"standard input as .env", 1, BR_ASK_FILE, "-", 1, "not absolute"},
		{"relative", 1, BR_ASK_COMPOSE, "a", 1, "not absolute"},
		{"empty", 1, BR_ASK_EXISTS, "", 0, "not absolute"},
		{"a NUL", 1, BR_ASK_FILE, "/a\0b", 4, "NUL"},
		{"unknown", 1, 3, "/a", 2, "out of range"},
		{"none", 0, 0, "", 0, "none"},
		{"too few", 2, 0, "/a", 2, "ends too early"},
		{"too many", UINT32_MAX, 0, "/a", 2, "too many"},
		{"answered before", 1, BR_ASK_EXISTS, "/", 1, "asks again"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct br_places *places = br_places_new();
		struct br_diags *dx = br_diags_new(places);
		struct br_file_store store = {.stdin_fd = -1};
		struct br_buf bytes = {0};
		assert_int_equal(br_store_answer(&store, BR_ASK_EXISTS, "/"), 0);
		br_buf_add(&bytes, "BRq1");
		put32(&bytes, cases[i].count);
		if (cases[i].count) {
			put32(&bytes, cases[i].ask);
			put32(&bytes, (uint32_t)cases[i].n);
			br_buf_addn(&bytes, cases[i].path, cases[i].n);
		}
		assert_true(br_wire_is_questions(bytes.s, bytes.n));
		int failed = br_wire_take_questions(bytes.s, bytes.n, &store, dx);
		const struct br_diag *diag = br_diags_get(dx, 0);
		if ((failed != 0) != (cases[i].why != NULL)
			|| (failed && !strstr(diag->message, cases[i].why))) {
			fail_msg("%s: %s", cases[i].name, diag ? diag->message : "is taken");
		}
		br_store_release(&store);
		br_buf_release(&bytes);
		br_diags_free(dx);
		br_places_free(places);
	}
}

static void test_questions_round_trip(void **state) {
	(void)state;
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_file_store from = {.stdin_fd = -1, .closed = true};
	struct br_file_store to = {.stdin_fd = -1};
	struct br_buf bytes = {0};
	assert_null(br_store_ask(&from, BR_ASK_COMPOSE, "/x/compose.yaml"));
	assert_int_equal(errno, EAGAIN);
	assert_true(from.waits);
	br_store_wish(&from, BR_ASK_FILE, "/x/.env");
	br_store_wish(&from, BR_ASK_COMPOSE, "/x/compose.yaml");
	br_store_wish(&from, BR_ASK_COMPOSE, "/dev/fd/0");
	br_wire_put_questions(&from, &bytes);
	assert_int_equal(br_wire_take_questions(bytes.s, bytes.n, &to, dx), 0);
	assert_int_equal(to.needs.n, 2);
	assert_int_equal(to.needs.v[0].ask, BR_ASK_COMPOSE);
	assert_string_equal(to.needs.v[0].path, "/x/compose.yaml");
	assert_int_equal(to.needs.v[1].ask, BR_ASK_FILE);
	assert_string_equal(to.needs.v[1].path, "/x/.env");
	br_store_release(&from);
	br_store_release(&to);
	br_buf_release(&bytes);
	br_diags_free(dx);
	br_places_free(places);
}

/** The places are no part of what is said; every word is. */
static void test_same(void **state) {
	(void)state;
	struct sample one;
	struct sample other;
	make_sample(&one);
	make_sample(&other);
	other.mount.source.at = (struct br_span){3, 70, 9};
	other.word.at = other.container.at = (struct br_span){0};
	assert_int_equal(br_spec_same(&one.spec, &other.spec), 1);
	other.word.s = "v";
	assert_int_equal(br_spec_same(&one.spec, &other.spec), 0);
	make_sample(&other);
	other.mount.read_only = true;
	assert_int_equal(br_spec_same(&one.spec, &other.spec), 0);
	make_sample(&other);
	other.container.user.s = "";
	assert_int_equal(br_spec_same(&one.spec, &other.spec), 0);
	make_sample(&other);
	other.spec.n = 0;
	assert_int_equal(br_spec_same(&one.spec, &other.spec), 0);
	make_sample(&other);
	bool hit = true;
	for (unsigned i = 1; hit; i++) {
		fault_at(i);
		int same = br_spec_same(&one.spec, &other.spec);
		hit = fault_hit();
		fault_at(0);
		assert_int_equal(same, hit ? -1 : 1);
	}
}

int main(void) {
	size_t n = 0;
	struct dirent **cases = case_list(&n);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_round_trip, cases),
		cmocka_unit_test_prestate(test_damaged, cases),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_spoilt),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_counts),
		cmocka_unit_test_prestate(test_memory, cases),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_questions_round_trip),
		cmocka_unit_test(test_same),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		free(cases[i]);
	}
	free(cases);
	return failed;
}
