#include <base/mem.h>
#include <bindright/explain.h>

#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>
#include <support/scratch.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct fixture {
	char root[256];
	struct br_arena arena;
	struct br_places *places;
	struct br_diags *dx;
	struct br_acls *acls;
	uint64_t seed;
};

static int set_up(void **state) {
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	scratch_make(f->root, sizeof(f->root));
	f->places = br_places_new();
	f->dx = br_diags_new(f->places);
	f->acls = br_acls_new();
	f->seed = 42;
	assert_true(f->dx && f->acls);
	*state = f;
	return 0;
}

static int tear_down(void **state) {
	struct fixture *f = *state;
	int status = scratch_remove(f->root);
	br_acls_free(f->acls);
	br_diags_free(f->dx);
	br_places_free(f->places);
	br_arena_release(&f->arena);
	free(f);
	return status;
}

static void run(const struct fixture *f, const char *words) {
	char command[700];
	(void)snprintf(command, sizeof(command), "cd '%s' && %s", f->root, words);
	if (system(command) != 0) {
		fail_msg("%s", words);
	}
}

/** xorshift64*: the same cases at every run. */
static unsigned pick(struct fixture *f, unsigned n) {
	f->seed ^= f->seed >> 12;
	f->seed ^= f->seed << 25;
	f->seed ^= f->seed >> 27;
	return (unsigned)((f->seed * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}

static struct br_explain_query query_of(
	struct fixture *f, const char *name, const struct br_cred *cred, unsigned need) {
	return (struct br_explain_query){
		.path = br_printf(&f->arena, "%s/%s", f->root, name), .cred = cred, .need = need};
}

static void test_need(void **state) {
	(void)state;
	static const struct {
		const char *word;
		unsigned need;
	} cases[] = {
		{"r", BR_R},
		{"w", BR_W},
		{"x", BR_X},
		{"rw", BR_R | BR_W},
		{"xr", BR_X | BR_R},
		{"rwx", BR_R | BR_W | BR_X},
		{"", 0},
		{"rr", 0},
		{"rwxr", 0},
		{"R", 0},
		{"r-x", 0},
		{"r ", 0},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(br_parse_need(cases[i].word), cases[i].need);
	}
}

/** Every directory and link once, in the order in which the kernel comes by; the object last. */
static void test_steps(void **state) {
	struct fixture *f = *state;
	struct br_cred cred = {.uid = {1001}, .gid = {1001}};
	run(f, "mkdir -p a/b c && touch a/b/f && ln -s ../a/b c/l");
	struct br_explain_query query = query_of(f, "c/./l//../b/f", &cred, BR_R);
	struct br_explanation out;
	query.from = f->root;
	assert_int_equal(br_explain(&f->arena, &query, f->acls, &out, f->dx), 0);
	static const char *const want[] = {"", "/c", "/c/l", "/a", "/a/b", "/a/b/f"};
	assert_int_equal(out.nsteps, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_string_equal(out.steps[i].path + strlen(f->root), want[i]);
		assert_int_equal(out.steps[i].want, i == 2 ? 0 : i + 1 < COUNT(want) ? BR_X : BR_R);
	}
	assert_string_equal(out.steps[2].link, "../a/b");
	assert_true(out.granted);
	assert_int_equal(br_diags_count(f->dx), 0);
}

static void test_errors(void **state) {
	struct fixture *f = *state;
	struct br_cred cred = {.uid = {1001}, .gid = {1001}};
	run(f, "mkdir d && touch d/f && ln -s loop d/loop && ln -s /etc d/abs && ln -s ../.. d/up");
	static const struct {
		const char *name;
		bool walk;
		const char *message;
	} cases[] = {
		{"none", false, "does not exist"},
		{"none/x", true, "does not exist"},
		{"d/f/x", false, "is not a directory"},
		{"d/f/x", true, "is not a directory"},
		{"d/loop", true, "Too many levels"},
		{"d/loop", false, "Too many levels"},
		{"d/abs", true, "leads out of the mount"},
		{"d/up", true, "leads out of the mount"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct br_explain_query query = query_of(f, cases[i].name, &cred, BR_R);
		struct br_explanation out;
		query.from = cases[i].walk ? f->root : NULL;
		assert_int_equal(br_explain(&f->arena, &query, f->acls, &out, f->dx), -1);
		assert_int_equal(br_diags_errors(f->dx), i + 1);
		const char *said = br_diags_get(f->dx, i)->message;
		if (!strstr(said, cases[i].message)) {
			fail_msg("%s: %s", cases[i].name, said);
		}
	}
}

/* Random trees, and the kernel's own word. */

static const uint32_t ids[] = {5001, 5002, 5003};

static void make_random(struct fixture *f, const char *name) {
	char words[400];
	int n = snprintf(words, sizeof(words), "chown %u:%u %s && chmod %o %s", ids[pick(f, 3)],
		ids[pick(f, 3)], name, pick(f, 512), name);
	if (pick(f, 2)) {
		(void)snprintf(words + n, sizeof(words) - (size_t)n,
			" && setfacl -n -m u:%u:%u,g:%u:%u,m::%u %s", ids[pick(f, 3)], pick(f, 8),
			ids[pick(f, 3)], pick(f, 8), pick(f, 8), name);
	}
	run(f, words);
}

/** What access() says to that process. */
static bool kernel_says(const char *path, const struct br_cred *cred, unsigned need) {
	gid_t groups[1] = {cred->ngroups ? cred->groups[0].v : 0};
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		bool failed = setgroups(cred->ngroups, groups)
			|| setresgid(cred->gid.v, cred->gid.v, cred->gid.v)
			|| setresuid(cred->uid.v, cred->uid.v, cred->uid.v);
		_exit(failed ? 2 : access(path, (int)need) == 0 ? 0 : 1);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 0;
}

static void test_kernel(void **state) {
	struct fixture *f = *state;
	if (geteuid() != 0) {
		skip();
	}
	for (unsigned round = 0; round < 40; round++) {
		run(f, "rm -rf t l && mkdir -p t/u/v && touch t/u/f && ln -s t/u l");
		make_random(f, "t");
		make_random(f, "t/u");
		make_random(f, "t/u/v");
		make_random(f, "t/u/f");
		for (unsigned i = 0; i < 12; i++) {
			const br_hostid group = {ids[pick(f, 3)]};
			struct br_cred cred = {.uid = {ids[pick(f, 3)]},
				.gid = {ids[pick(f, 3)]},
				.groups = &group,
				.ngroups = pick(f, 2)};
			struct br_explain_query query =
				query_of(f, pick(f, 2) ? "l/f" : "t/u/v", &cred, 1U << pick(f, 3));
			struct br_explanation out;
			query.from = "/";
			assert_int_equal(br_explain(&f->arena, &query, f->acls, &out, f->dx), 0);
			bool real = kernel_says(query.path, &cred, query.need);
			if (out.granted != real) {
				fail_msg("round %u: uid %u gid %u need %u %s: %d", round,
					cred.uid.v, cred.gid.v, query.need, query.path, real);
			}
		}
	}
}

static bool now_granted(struct fixture *f, struct br_explain_query query) {
	struct br_explanation out;
	assert_int_equal(br_explain(&f->arena, &query, f->acls, &out, f->dx), 0);
	return out.granted;
}

/** Each "be in group N" and "run as uid N" of the words makes it a yes by itself. */
static void try_identities(
	struct fixture *f, const struct br_explain_query *query, const char *words) {
	unsigned id;
	for (const char *at = words; (at = strstr(at, "in group ")); at++) {
		const br_hostid group = {sscanf(at, "in group %u", &id) == 1 ? id : BR_NO_ID};
		struct br_cred cred = *query->cred;
		struct br_explain_query changed = *query;
		cred.groups = &group;
		cred.ngroups = 1;
		changed.cred = &cred;
		assert_true(now_granted(f, changed));
	}
	for (const char *at = words; (at = strstr(at, "run as uid ")); at++) {
		struct br_cred cred = *query->cred;
		struct br_explain_query changed = *query;
		assert_int_equal(sscanf(at, "run as uid %u", &cred.uid.v), 1);
		changed.cred = &cred;
		assert_true(now_granted(f, changed));
	}
}

/** What is said to make it a yes does, on both sides. */
static void test_ways(void **state) {
	struct fixture *f = *state;
	unsigned inodes = 0;
	if (geteuid() != 0) {
		skip();
	}
	for (unsigned round = 0; round < 120; round++) {
		run(f, round % 2 ? "rm -rf o && touch o" : "rm -rf o && mkdir o");
		make_random(f, "o");
		struct br_cred cred = {.uid = {ids[pick(f, 3)]}, .gid = {ids[pick(f, 3)]}};
		struct br_explain_query query = query_of(f, "o", &cred, 1 + pick(f, 7));
		struct br_explanation out;
		assert_int_equal(br_explain(&f->arena, &query, f->acls, &out, f->dx), 0);
		const struct br_explain_step *step = &out.steps[0];
		assert_true(out.granted == (step->inode_way == NULL));
		if (out.granted) {
			continue;
		}
		// Nobody executes a file that has no execute bit, not even root.
		bool nobody = round % 2 && (query.need & BR_X) && !(step->inode.mode & 0111);
		assert_true(nobody == (step->identity_way == NULL));
		if (!nobody) {
			assert_non_null(strstr(step->identity_way, "have CAP_"));
			try_identities(f, &query, step->identity_way);
		}
		if (strncmp(step->inode_way, "the ", 4) != 0) {
			run(f, step->inode_way);
			assert_true(now_granted(f, query));
			inodes++;
		}
	}
	assert_true(inodes > 20);
}

static void test_batch(void **state) {
	struct fixture *f = *state;
	struct br_batch *batch = br_batch_new();
	assert_non_null(batch);
	run(f, "mkdir d && chmod 750 d");
	static const struct {
		const char *rest;
		const char *answer;
	} cases[] = {
		{"\"uid\":4000000000,\"need\":\"r\"",
			"{\"granted\": false, \"have\": \"---\", \"rule\": \"other\"}\n"},
		{"\"uid\":4000000000",
			"{\"granted\": false, \"have\": \"---\", \"rule\": \"other\"}\n"},
		{"\"uid\":7,\"capabilities\":[\"CAP_DAC_OVERRIDE\"]",
			"{\"granted\": true, \"have\": \"rwx\", \"rule\": \"cap-dac-override\"}\n"},
		{"\"uid\":4294967295", NULL},
		{"\"uid\":1,\"uid\":1", NULL},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len;
		char *line = br_printf(
			&f->arena, "{\"path\": \"%s/d\", \"gid\": 9, %s}", f->root, cases[i].rest);
		const char *answer = br_batch_answer(batch, line, strlen(line), &len);
		assert_non_null(answer);
		assert_int_equal(strlen(answer), len);
		if (cases[i].answer) {
			assert_string_equal(answer, cases[i].answer);
		} else {
			assert_int_equal(strncmp(answer, "{\"error\": ", 10), 0);
		}
	}
	br_batch_free(batch);
}

static void test_no_memory(void **state) {
	struct fixture *f = *state;
	struct br_cred cred = {.uid = {1001}, .gid = {1001}};
	run(f,
		"mkdir -p a/b && touch a/b/f && ln -s a l && chown -R 7:8 a && chmod 700 a && "
		"setfacl -m u:5:r a/b");
	struct br_explain_query query = query_of(f, "l/b/f", &cred, BR_R | BR_W);
	query.from = f->root;
	unsigned fine = 0;
	FAULT_EACH(i, {
		struct br_arena arena = {0};
		struct br_acls *acls = br_acls_new();
		struct br_explanation out;
		int status = acls ? br_explain(&arena, &query, acls, &out, f->dx) : -1;
		fine += status == 0;
		br_acls_free(acls);
		br_arena_release(&arena);
	});
	assert_true(fine > 0);
	char line[400];
	size_t len;
	(void)snprintf(line, sizeof(line), "{\"path\": \"%s/a/b\", \"uid\": 5}", f->root);
	FAULT_EACH(i, {
		struct br_batch *batch = br_batch_new();
		const char *answer =
			batch ? br_batch_answer(batch, line, strlen(line), &len) : NULL;
		fine += answer != NULL;
		br_batch_free(batch);
	});
	assert_true(fine > 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_need),
		cmocka_unit_test_setup_teardown(test_steps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kernel, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ways, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_batch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
