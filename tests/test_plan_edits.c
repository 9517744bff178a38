/*
 * How advice is written into the input: the whole text as somebody would write it, or none where
 * nothing that can be written would say just that.
 */
#include "plan_world.h"

#include <base/own.h>
#include <bindright/spec.h>

static const struct who app = {{.uid = {1001}, .gid = {1001}}, ALL};

/** What is read, in the world's directory. */
static const char *input = "compose.yaml";
static size_t readings;

static struct br_spec *read_input(
	const struct world *w, const struct br_spec_edit *edit, struct br_diags *dx) {
	const char *const files[] = {input, NULL};
	const struct br_spec_request request = {
		.files = files, .stdin_fd = -1, .cwd = w->dir, .edit = edit};
	return br_spec_read(&request, dx);
}

/** Its own want of memory is no matter of the plan's. */
static struct br_spec *read_edited(void *context, struct br_span at, const char *with) {
	const struct world *w = context;
	readings++;
	fault_pause(true);
	struct br_spec_edit edit = {.off = at.off, .len = at.len, .with = with};
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	assert_non_null(dx);
	edit.bytes = br_places_bytes(w->places, at.text, &edit.n);
	assert_non_null(edit.bytes);
	struct br_spec *spec = read_input(w, &edit, dx);
	br_diags_free(dx);
	br_places_free(places);
	fault_pause(false);
	return spec;
}

/** The input was read. The app needs all of ./data, which is somebody else's. */
static struct br_spec *begin_with(struct world *w) {
	struct br_spec *spec = read_input(w, NULL, w->dx);
	if (spec == NULL) {
		show_errors(w);
		fail_msg("%s is not understood", input);
	}
	w->spec = *spec;
	w->tree.n = 0;
	for (size_t i = 0; i < spec->n && i < PEOPLE; i++) {
		demand(w, &app);
		w->identities[i].container = w->demand[i].container = &spec->containers[i];
		w->demand[i].mount = &spec->containers[i].mounts[0];
	}
	begin(w);
	return spec;
}

/** A group has all of it, or everybody may read it. */
static void settle_with(struct world *w, bool for_group) {
	struct br_inode root = inode_of(w, D | (for_group ? 0770 : 0755), 1000, 2000, NULL);
	struct br_inode file = inode_of(w, F | (for_group ? 0660 : 0644), 1000, 2000, NULL);
	see(w, "", &root);
	see(w, "f", &file);
	settle(w);
}

static void forget(struct world *w, struct br_spec *spec) {
	br_plan_free(w->plan);
	w->plan = NULL;
	br_spec_free(spec);
}

/** The text after the edit; heap. NULL where none is offered. */
static char *edited(const struct world *w, const struct br_advice *advice) {
	size_t n;
	if (advice->with == NULL) {
		return NULL;
	}
	const char *bytes = br_places_bytes(w->places, advice->at.text, &n);
	assert_true(bytes && advice->at.off + advice->at.len <= n);
	char *out = NULL;
	size_t end = advice->at.off + advice->at.len;
	assert_true(asprintf(&out, "%.*s%s%.*s", (int)advice->at.off, bytes, advice->with,
			    (int)(n - end), bytes + end)
		>= 0);
	return out;
}

static void compare(const struct world *w, size_t row, const char *kind, const char *want) {
	const struct br_advice *advice = find_advice(w, kind);
	if (advice == NULL) {
		fail_msg("row %zu: no advice %s", row, kind);
	}
	char *got = edited(w, advice);
	if ((got == NULL) != (want == NULL) || (want != NULL && strcmp(got, want) != 0)) {
		fail_msg("row %zu: %s", row, got ? got : "no edit");
	}
	free(got);
}

#define HEAD "services:\n  app:\n"
#define DATA "    volumes: [./data:/data]\n"

static void test_rows(void **state) {
	static const struct {
		const char *kind, *before, *after;
		/** With every allocation failing in its turn. */
		bool starves;
	} rows[] = {
		// The word takes the other's place, or is a key of its own.
		{"user", HEAD "    image: x\n    user: \"1001\"\n" DATA,
			HEAD "    image: x\n    user: \"1000:2000\"\n" DATA, true},
		{"user", HEAD "    image: x\n" DATA,
			HEAD "    user: \"1000:2000\"\n    image: x\n" DATA},
		{"user", "{services: {app: {image: x, volumes: [./data:/data]}}}",
			"{services: {app: {user: \"1000:2000\", image: x, volumes: [./data:/data]}}}"},
		{"user",
			"{\"services\": {\"app\": { \"image\": \"x\", \"volumes\": [\"./data:/data\"]}}}",
			"{\"services\": {\"app\": {\"user\": \"1000:2000\",  \"image\": \"x\", \"volumes\": [\"./data:/data\"]}}}"},
		// A list gets one more item; behind one in the first columns nothing can stand.
		{"group-add", HEAD "    image: x\n    group_add:\n      - \"5\"\n" DATA,
			HEAD "    image: x\n    group_add:\n      - \"5\"\n      - \"2000\"\n" DATA,
			true},
		{"group-add", HEAD "    image: x\n    group_add: [\"5\"]\n" DATA,
			HEAD "    image: x\n    group_add: [\"5\", \"2000\"]\n" DATA},
		{"group-add", HEAD "    image: x\n" DATA,
			HEAD "    group_add: [\"2000\"]\n    image: x\n" DATA},
		{"group-add",
			"{services: {app: {image: x, volumes: [./data:/data], group_add: [\n\"5\"]}}}",
			NULL},
		// Options stand behind the others, in front of a quote, or are keys.
		{"read-only", HEAD "    image: x\n    volumes: ['./data:/data']\n",
			HEAD "    image: x\n    volumes: ['./data:/data:ro']\n", true},
		{"read-only", HEAD "    image: x\n    volumes: [\"./data:/data\"]\n",
			HEAD "    image: x\n    volumes: [\"./data:/data:ro\"]\n"},
		{"read-only", HEAD "    image: x\n    volumes:\n      - ./data:/data:z\n",
			HEAD "    image: x\n    volumes:\n      - ./data:/data:z,ro\n"},
		{"read-only", HEAD "    image: x\n    volumes:\n      - ./data:/data:z,rw\n",
			HEAD "    image: x\n    volumes:\n      - ./data:/data:z,ro\n", true},
		{"read-only",
			HEAD
			"    image: x\n    volumes:\n      - type: bind\n        source: ./data\n"
			"        target: /data\n",
			HEAD
			"    image: x\n    volumes:\n      - read_only: true\n        type: bind\n"
			"        source: ./data\n        target: /data\n"},
	};
	struct world *w = *state;
	w->trial = (struct br_trial){read_edited, w};
	for (size_t i = 0; i < N(rows); i++) {
		put(w->dir, "compose.yaml", rows[i].before);
		w->once = !rows[i].starves;
		struct br_spec *spec = begin_with(w);
		settle_with(w, strcmp(rows[i].kind, "read-only") != 0);
		compare(w, i, rows[i].kind, rows[i].after);
		forget(w, spec);
	}
}

/** The options of a run line stand in front of its image. */
static void test_run_line(void **state) {
	struct world *w = *state;
	w->trial = (struct br_trial){read_edited, w};
	input = "run.sh";
	put(w->dir, input, "docker run -v ./data:/data 'x' y\n");
	struct br_spec *spec = begin_with(w);
	settle_with(w, true);
	compare(w, 0, "user", "docker run -v ./data:/data --user 1000:2000 'x' y\n");
	compare(w, 0, "group-add", "docker run -v ./data:/data --group-add 2000 'x' y\n");
	forget(w, spec);
	input = "compose.yaml";
}

/** What nobody can try, what has no file that stays, and what programs write. */
static void test_none(void **state) {
	struct world *w = *state;
	w->once = true;
	put(w->dir, "compose.yaml", HEAD "    image: x\n" DATA);
	for (unsigned round = 0; round < 4; round++) {
		char of_shell[32];
		int fd = openat(AT_FDCWD, w->dir, O_PATH | O_CLOEXEC);
		br_auto(br_closep) int file = openat(fd, "compose.yaml", O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0 && file >= 0);
		assert_int_equal(close(fd), 0);
		assert_true(snprintf(of_shell, sizeof(of_shell), "/dev/fd/%d", file) > 0);
		input = round == 2 ? of_shell : "compose.yaml";
		w->trial.read = round == 0 ? NULL : read_edited;
		w->trial.context = w;
		readings = 0;
		struct br_spec *spec = begin_with(w);
		if (round == 3) {
			w->spec.kind = BR_INPUT_OCI;
		}
		settle_with(w, true);
		assert_int_equal(readings > 0, round == 1);
		assert_int_equal(find_advice(w, "user")->with != NULL, round == 1);
		assert_int_equal(find_advice(w, "group-add")->with != NULL, round == 1);
		forget(w, spec);
		spec = begin_with(w);
		if (round == 3) {
			w->spec.kind = BR_INPUT_OCI;
		}
		settle_with(w, false);
		assert_int_equal(find_advice(w, "read-only")->with != NULL, round == 1);
		forget(w, spec);
	}
	input = "compose.yaml";
}

/** Whoever writes a huge input gets less advice: 4 MiB of edited texts are read. */
static void test_limits(void **state) {
	struct world *w = *state;
	enum {
		PAD = 900 << 10
	};
	w->once = true;
	w->trial = (struct br_trial){read_edited, w};
	char *text = calloc(1, PAD + 8192);
	assert_non_null(text);
	// Of five services each wants at least one reading; four texts of this size fit.
	int n = sprintf(text, "services:\n");
	for (unsigned i = 0; i < PEOPLE; i++) {
		n += sprintf(text + n, "  app%u:\n    image: x\n" DATA, i);
	}
	text[n++] = '#';
	memset(text + n, 'x', PAD);
	put(w->dir, "compose.yaml", text);
	readings = 0;
	struct br_spec *spec = begin_with(w);
	settle_with(w, true);
	assert_int_equal(readings, 4);
	assert_non_null(find_advice(w, "user")->with);
	assert_null(w->plan->advice[w->plan->nadvice - 1].with);
	forget(w, spec);
	free(text);
}

int main(void) {
#define ROW(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_rows),
		ROW(test_run_line),
		ROW(test_none),
		ROW(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
