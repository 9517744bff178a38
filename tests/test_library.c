/** The table of libraries that write by themselves, and who is found to have them. */
#include <image/library.h>
#include <image/tree.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct br_library *named(const char *name) {
	const struct br_library *all;
	size_t n = br_libraries(&all);
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(all[i].name, name)) {
			return &all[i];
		}
	}
	fail_msg("no %s", name);
	return NULL;
}

/** Each row says what it writes, what happens, what helps, and where that is known from; and it can
 * be found by something. */
static void test_rows(void **state) {
	(void)state;
	const struct br_library *all;
	size_t n = br_libraries(&all);
	size_t nconfigs = 0;
	assert_true(n >= 8);
	for (size_t i = 0; i < n; i++) {
		const struct br_library *l = &all[i];
		assert_ptr_equal(l, named(l->name)); // once
		assert_true(l->effect && l->advice && l->source && strstr(l->source, ", 20"));
		assert_true(l->pip || l->system || l->files || l->own);
		assert_true(!l->by_command || l->programs);
		assert_true(!l->config || l->by_command);
		size_t paths = 0;
		for (; paths < BR_LIBRARY_PATHS && l->paths[paths].path; paths++) {
			const char *path = l->paths[paths].path;
			assert_true(*path == '/' || !strncmp(path, "$HOME/", 6)
				|| !strncmp(path, "$PWD/", 5));
			assert_non_null(l->paths[paths].what);
			assert_true(!l->paths[paths].key || l->config);
		}
		assert_true(paths > 0);
		// The places of configurations are those that archives are asked for.
		for (const char *s = l->config; s && *s; nconfigs++) {
			size_t k = strcspn(s, "|");
			size_t at = 0;
			while (library_config_path(at)
				&& (strncmp(library_config_path(at), s, k) != 0
					|| library_config_path(at)[k])) {
				at++;
			}
			assert_non_null(library_config_path(at));
			s += k + (s[k] == '|');
		}
	}
	assert_null(library_config_path(nconfigs));
	assert_non_null(library_config_path(nconfigs - 1));
}

static void test_packages(void **state) {
	(void)state;
	const struct br_library *hf = named("Hugging Face");
	assert_ptr_equal(library_of_package("transformers", true), hf);
	assert_ptr_equal(library_of_package("Transformers[torch]>=4.2", true), hf);
	assert_ptr_equal(library_of_package("huggingface_hub==0.26", true), hf);
	assert_ptr_equal(library_of_package("datasets @ https://example.org/x", true), hf);
	assert_null(library_of_package("transformers-js", true));
	assert_null(library_of_package("transformers", false));
	assert_null(library_of_package("", true));
	assert_ptr_equal(library_of_package("supervisor=4.2.5-1", false), named("supervisor"));
	assert_ptr_equal(library_of_package("nginx", false), named("nginx"));
	assert_null(library_of_package("nginx", true));
}

static void test_markers(void **state) {
	(void)state;
	assert_true(library_is_marker("usr/bin/supervisord"));
	assert_true(library_is_marker("./opt/venv/lib/python3.12/site-packages/huggingface_hub/"));
	assert_true(library_is_marker("usr/lib/python3/dist-packages/librosa"));
	assert_false(library_is_marker("usr/lib/python3/dist-packages/librosa/core.py"));
	assert_false(library_is_marker("usr/lib/python3/dist-packages/mylibrosa"));
	assert_false(library_is_marker("huggingface_hub/"));
	assert_false(library_is_marker("site-packages/.wh.librosa"));
	assert_false(library_is_marker(""));
	assert_false(library_is_marker("/"));
}

/** What a configuration makes of the paths; NULL: as the table says, "": not written. */
static void test_configurations(void **state) {
	(void)state;
	static const struct {
		const char *library, *text;
		const char *paths[BR_LIBRARY_PATHS];
	} rows[] = {
		{"supervisor", "", {"$PWD/supervisord.log", "$PWD/supervisord.pid", "", ""}},
		{"supervisor",
			"[supervisord]\nlogfile=/a/b.log ; where\n  pidfile = run.pid\r\nchildlogdir\t=\t/c\n[unix_http_server]\nfile=/d.sock",
			{"/a/b.log", "$PWD/run.pid", "/c", "/d.sock"}},
		{"supervisor",
			";logfile=/x\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=%(here)s/x\n[program:a]\nstdout_logfile=/y\n[include]\nfiles=/z",
			{"", "", "", ""}},
		{"supervisor", "logfile=NONE\npidfile=\n", {"", "", "", ""}},
		{"nginx", "user nginx;\npid /tmp/nginx.pid;\nhttp { }\n", {"/tmp/nginx.pid"}},
		{"nginx", "#pid /x;\nhttp {}\n", {NULL}},
		{"nginx", "pid        /var/run/nginx.pid;", {"/var/run/nginx.pid"}},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct br_arena arena = {0};
		struct br_image_library item = {.library = named(rows[i].library)};
		assert_int_equal(library_configure(&arena, &item, rows[i].text), 0);
		for (size_t k = 0; k < BR_LIBRARY_PATHS; k++) {
			const char *want = rows[i].paths[k];
			const char *got = item.configured[k];
			if (!want != !got || (want && strcmp(want, got) != 0)) {
				fail_msg("row %zu, path %zu: %s, not %s", i, k, got ? got : "NULL",
					want ? want : "NULL");
			}
		}
		br_arena_release(&arena);
	}
}

static void test_named_configuration(void **state) {
	(void)state;
	static const char *const named_one[] = {"supervisord", "-n", "-c", "/app/s.conf"};
	static const char *const shell[] = {"/bin/sh", "-c", "supervisord -n"};
	static const char *const cut[] = {"supervisord", "-c"};
	struct br_image image = {.command = named_one, .ncommand = 4};
	const struct br_library *supervisor = named("supervisor");
	assert_string_equal(library_config_option(&image, supervisor), "/app/s.conf");
	assert_null(library_config_option(&image, named("Jupyter")));
	image.command = shell;
	image.ncommand = 3;
	assert_null(library_config_option(&image, supervisor));
	image.command = cut;
	image.ncommand = 2;
	assert_null(library_config_option(&image, supervisor));
}

// ---- directories of a Dockerfile ----

static void test_tree_paths(void **state) {
	(void)state;
	struct br_arena arena = {0};
	struct tree tree = {.arena = &arena};
	assert_int_equal(tree_seed(&tree, "python:3.12-slim"), 0);
	assert_true(tree.complete);
	assert_string_equal(tree_path(&tree, NULL, "/var/run//x/."), "/run/x");
	assert_string_equal(tree_path(&tree, NULL, "/var/run"), "/run");
	assert_string_equal(tree_path(&tree, "/a/b", "../c"), "/a/c");
	assert_string_equal(tree_path(&tree, "/a", "../../.."), "/");
	assert_string_equal(tree_path(&tree, "/", "x/"), "/x");
	assert_null(tree_path(&tree, NULL, "x"));
	assert_string_equal(tree_path(&tree, NULL, "/var/runner"), "/var/runner");
	br_arena_release(&arena);
}

/** Only a distribution's own images are known by their name. */
static void test_tree_seeds(void **state) {
	(void)state;
	static const struct {
		const char *reference;
		uint32_t root;
	} rows[] = {{"debian", 0700}, {"docker.io/library/python:3", 0700}, {"alpine:3.20", 0700},
		{"fedora:40", 0550}, {"library/node:22", 0700}, {"example.org/debian", 0},
		{"me/python", 0}, {"distroless", 0}, {"rockylinux:9@sha256:0", 0550}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct br_arena arena = {0};
		struct tree tree = {.arena = &arena};
		assert_int_equal(tree_seed(&tree, rows[i].reference), 0);
		const struct br_image_node *root = tree_find(&tree, "/root");
		if (!root != !rows[i].root || (root && root->mode != rows[i].root)
			|| tree.complete != (rows[i].root != 0)) {
			fail_msg("%s", rows[i].reference);
		}
		br_arena_release(&arena);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_packages),
		cmocka_unit_test(test_markers),
		cmocka_unit_test(test_configurations),
		cmocka_unit_test(test_named_configuration),
		cmocka_unit_test(test_tree_paths),
		cmocka_unit_test(test_tree_seeds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
