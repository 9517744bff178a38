/** Run lines: words as a shell splits them, options as the clients take them; and no allocation
 * whose failure is lost. */
#include <base/text.h>
#include <bindright/spec.h>

#include <setjmp.h>
#include <spec/reading.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/** A text being read. */
struct ground {
	struct br_spec_request request;
	struct br_places *places;
	struct br_diags *dx;
	int fd;
};

static const char *const files[] = {"-", NULL};
static const char *const environment[] = {"D=/d", "TWO=-v /one:/1 -u 7:7", "EMPTY=", NULL};

static void start(struct ground *g, const char *text, enum br_input_kind kind) {
	g->fd = memfd_create("text", MFD_CLOEXEC);
	size_t n = strlen(text);
	assert_true(g->fd >= 0 && write(g->fd, text, n) == (ssize_t)n);
	assert_int_equal(lseek(g->fd, 0, SEEK_SET), 0);
	g->places = br_places_new();
	g->dx = g->places ? br_diags_new(g->places) : NULL;
	assert_non_null(g->dx);
	g->request = (struct br_spec_request){
		.files = files,
		.stdin_fd = g->fd,
		.environment = environment,
		.home = "/home/u",
		.cwd = "/here",
		.kind = kind,
		.kind_said = true,
		.uid = 1000,
		.gid = 100,
		.user_name = "u",
	};
}

static void finish(struct ground *g) {
	br_diags_free(g->dx);
	br_places_free(g->places);
	(void)close(g->fd);
}

/** "NAME IMAGE USER SOURCE>TARGET…" of each container, with " | " between them; "!" and the message
 * where there is an error. */
static char *shown(const struct br_spec *spec, const struct br_diags *dx) {
	struct br_buf out = {0};
	for (size_t i = 0; spec && i < spec->n; i++) {
		const struct br_container *c = &spec->containers[i];
		br_buf_addf(&out, "%s%s %s", i ? " | " : "", c->name.s, c->image.s);
		br_buf_addf(&out, " %s", c->user.s ? c->user.s : "-");
		for (size_t k = 0; k < c->nmounts; k++) {
			const struct br_mount *m = &c->mounts[k];
			br_buf_addf(&out, " %s>%s%s", m->source.s ? m->source.s : "", m->target.s,
				m->read_only ? ":ro" : "");
		}
	}
	for (size_t i = 0; i < br_diags_count(dx); i++) {
		const struct br_diag *diag = br_diags_get(dx, i);
		if (diag->severity == BR_ERROR) {
			br_buf_addf(&out, "!%s", diag->message);
		}
	}
	return br_buf_take(&out);
}

/** What a shell would hand over is written by hand. */
static void words(void **state) {
	(void)state;
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"docker run a", "a a -"},
		{"docker run a;docker run b&&docker run c", "a a - | b b - | c c -"},
		{"x=1 docker run -u 1 a # docker run b", "a a 1"},
		{"docker run -u 'a b' \"c\"d'e'", "cde cde a b"},
		{"docker run -u a\\ b\\\nc i", "i i a bc"},
		{"docker run -u \"a\\$b\\\\c\\\"d\\e\" i", "i i a$b\\c\"d\\e"},
		{"docker run -u $'a\\tb' i", "i i a\tb"},
		{"docker run -u '$D' i", "i i $D"},
		{"docker run -v $D:/x -v \"${D}\"/y:/y i", "i i - /d>/x /d/y>/y"},
		{"docker run -v ${X:-/e}:/x -v ${D:-/e}:/y -v ${EMPTY:-/f}:/z i",
			"i i - /e>/x /d>/y /f>/z"},
		{"docker run -v ${EMPTY-/f}/g:/z -v ${D:+/h}:/h i", "i i - /g>/z /h>/h"},
		{"docker run -v ${X:-${Y:-$D}}:/x i", "i i - /d>/x"},
		{"docker run $TWO i", "i i 7:7 /one>/1"},
		{"docker run $EMPTY -u 1 i", "i i 1"},
		{"docker run \"$EMPTY\" i", "!the image's name is empty"},
		{"docker run -v $(pwd):/a -v `pwd`/b:/b -v $PWD/c:/c i",
			"i i - /here>/a /here/b>/b /here/c>/c"},
		{"docker run -v $(cd sub && pwd):/a -v $(dirname $PWD/x):/b i",
			"i i - /here/sub>/a /here>/b"},
		{"docker run -u $(id -u):$(id -g) -v /home/$(id -un):/x -v /$(whoami):/y i",
			"i i 1000:100 /home/u>/x /u>/y"},
		{"docker run -v ~:/a -v ~/b:/b -v \"~\":/c i",
			"!'~' is no name of a volume, and no path"},
		{"A=~/x; B=\"$A y\"; docker run -v $A:/a -v \"$B:/b\" i",
			"i i - /home/u/x>/a /home/u/x y>/b"},
		{"cd sub; docker run -v .:/a i; cd; docker run -v .:/b i",
			"i i - /here/sub>/a | i-2 i - /home/u>/b"},
		{"docker run i >out 2>&1 <in; docker run j &>x | cat", "i i - | j j -"},
		{"cat <<-E\n\tdocker run no\n\tE\ndocker run i", "i i -"},
		{"cat <<'E F'\ndocker run no\nE F\ndocker run i", "i i -"},
		{"a=(-u \"1 2\" -v /a:/b); docker run \"${a[@]}\" i", "i i 1 2 /a>/b"},
		{"if x; then docker run i; fi; f() { docker run j; }", "i i - | j j -"},
		{"case $1 in a) docker run i;; esac", "i i -"},
		{"docker run -u $$(id -u) i", "i i 1000"},
		{"docker run i $(rm -rf x) $NOWHERE", "i i -"},
		{"docker run -e A=$NOWHERE --name \"$(date)\" -p $P:80 i", "i i -"},
		{"docker run -u $NOWHERE i", "!the variable 'NOWHERE' is not set"},
		{"docker run -u 1 2>x i", "i i 1"},
		{"docker run -u 1 <img>", "!'<img>' is a placeholder"},
		{"docker run -v <dir>/x:/y i", "!'<dir>' is a placeholder"},
		{"docker run -ti --rm -u1 i -u 2", "i i 1"},
		{"docker run -u=3 -- i", "i i 3"},
		{"docker run -itu 4 i; docker run --user=5 i", "i i 4 | i-2 i 5"},
		{"docker run --name ii a; docker run ii; docker run ii",
			"ii a - | ii-2 ii - | ii-3 ii -"},
		{"docker run -v /a:/b:ro -v /a:/b:ro r.example:5/x/y:1@sha256:2",
			"y r.example:5/x/y:1@sha256:2 - /a>/b:ro"},
		{"docker run --mount 'type=bind,\"src=/a,\"\"b\",dst=/c,ro' i",
			"i i - /a,\"b>/c:ro"},
		{"podman run --mount type=bind,target=/a i", "i i - /a>/a"},
		{"podman run -v v:/c i", "i i - v>/c"},
		{"nerdctl run -v a/b:/c i", "i i - /here/a/b>/c"},
		{"A=1 sudo -u root B=2 env -i C=3 /usr/bin/docker --debug run i", "i i -"},
		{"r:\n\tdocker run -v $(CURDIR):/a -v $$PWD:/b -u $$(id -u) i",
			"i i 1000 /here>/a /here>/b"},
		{"X = /x/$(Y)\nY := y\nr:\n\t@docker run -v $(X):/a \\\n\t\t-v ${Y:}:/b i",
			"!'${Y:}' cannot be known without running something"},
		{"```sh\n$ docker run i\nout\n$ docker run \\\n> j\n```\ndocker run no",
			"i i - | j j -"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ground g;
		start(&g, cases[i].text, BR_INPUT_RUN_LINE);
		struct br_spec *spec = br_read_here(&g.request, g.dx);
		char *text = shown(spec, g.dx);
		assert_non_null(text);
		if (strcmp(text, cases[i].expected) != 0) {
			fail_msg("%s\n  gave     %s\n  expected %s", cases[i].text, text,
				cases[i].expected);
		}
		free(text);
		br_spec_free(spec);
		finish(&g);
	}
}

/** Whose name is one that the engine knows; the image's is none, wherever it stands. */
static void named(void **state) {
	(void)state;
	static const char text[] =
		"podman run web\npodman run --name db db\npodman run --rootfs /srv/r\n"
		"podman run -u 1 web\nX=web; podman run --name \"$X\" $X\n";
	static const bool expected[] = {false, true, false, false, true};
	struct ground g;
	start(&g, text, BR_INPUT_RUN_LINE);
	struct br_spec *spec = br_read_here(&g.request, g.dx);
	assert_non_null(spec);
	assert_int_equal(spec->n, COUNT(expected));
	for (size_t i = 0; i < spec->n; i++) {
		if (br_spec_is_named(spec, &spec->containers[i]) != expected[i]) {
			fail_msg("line %zu: %s", i + 1, spec->containers[i].name.s);
		}
	}
	br_spec_free(spec);
	finish(&g);
}

static void fail_each(const char *text, enum br_input_kind kind) {
	bool hit = true;
	for (unsigned i = 1; hit; i++) {
		struct ground g;
		start(&g, text, kind);
		fault_at(i);
		struct br_spec *spec = br_read_here(&g.request, g.dx);
		hit = fault_hit();
		fault_at(0);
		if ((spec == NULL) != (br_diags_errors(g.dx) > 0)) {
			fail_msg("allocation %u is not reported", i);
		}
		br_spec_free(spec);
		finish(&g);
	}
}

static void memory(void **state) {
	(void)state;
	fail_each(
		"#!/bin/sh\nA=${X:-/x}; B=($A b)\ncd sub\nfor i in a; do :; done\n"
		"docker run -u $(id -u) --name one -v $A:/a:ro,z -v ~/b:/b --tmpfs /t --group-add 5 -e A=B \\\n"
		" --mount 'type=bind,\"src=/a,b\",dst=/c,ro' --cap-add ALL --security-opt x \"${B[@]}\"\n"
		"docker run --volumes-from one:ro --env HOME img:2\n",
		BR_INPUT_RUN_LINE);
	fail_each(
		"A = /x/$(shell pwd)\nr:\n\tpodman run --uidmap 0:1:2 -v $(A):/a:U,idmap=x -v ./b:/b:O $(abspath x)\n",
		BR_INPUT_RUN_LINE);
	fail_each(
		"# x\n```console\n$ docker run -v $PWD:/x \\\n> img\n```\n\n    docker run -u 1 i\n",
		BR_INPUT_RUN_LINE);
	fail_each("docker run -v $NO:/x i\ndocker run --nosuch i\ndocker run -v a/b:/c i\n",
		BR_INPUT_RUN_LINE);
	fail_each(
		"{\"ociVersion\": \"1.0.2\", \"process\": {\"user\": {\"uid\": 1, \"gid\": 2, \"additionalGids\": [3], \"umask\": 7},"
		"\"env\": [\"A=B\"], \"noNewPrivileges\": true, \"capabilities\": {\"bounding\": [\"CAP_CHOWN\"], \"permitted\": [\"CAP_CHOWN\"],"
		"\"inheritable\": [\"CAP_CHOWN\"], \"ambient\": [\"CAP_CHOWN\"]}}, \"root\": {\"path\": \"r\"}, \"mounts\": ["
		"{\"destination\": \"d\", \"source\": \"s\", \"options\": [\"rbind\", \"ro\"], \"uidMappings\": [{\"containerID\": 1, \"hostID\": 2, \"size\": 3}],"
		"\"gidMappings\": [{\"containerID\": 1, \"hostID\": 2, \"size\": 3}]}], \"linux\": {\"namespaces\": [{\"type\": \"user\"}, {\"type\": \"pid\", \"path\": \"/p\"}],"
		"\"uidMappings\": [{\"containerID\": 1, \"hostID\": 2, \"size\": 3}], \"gidMappings\": [{\"containerID\": 1, \"hostID\": 2, \"size\": 3}]}}",
		BR_INPUT_OCI);
	fail_each(
		"{\"ociVersion\": \"1.0.2\", \"process\": {\"user\": {\"uid\": \"x\"}}, \"mounts\": [{}]}",
		BR_INPUT_OCI);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(named),
		cmocka_unit_test(memory),
	};
	return cmocka_run_group_tests_name("run_line", tests, NULL, NULL);
}
