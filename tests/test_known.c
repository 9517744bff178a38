#include <base/mem.h>
#include <base/text.h>

#include <image/known.h>
#include <image/parts.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>

#include <cmocka.h>

// Stand-ins: an archive has "mine:1" and "redis:7", the engine "theirs:1" and "proj-web"

static struct br_image fake(enum br_image_origin origin, const char *user) {
	return (struct br_image){.origin = origin, .from = "test", .user = {.s = user}};
}

__attribute__((weak)) int archive_find(
	struct image_finder *finder, const char *reference, struct br_image *out) {
	(void)finder;
	if (strcmp(reference, "mine:1") != 0 && strcmp(reference, "redis:7") != 0) {
		return 0;
	}
	*out = fake(BR_IMAGE_ARCHIVE, "archived");
	return 1;
}

__attribute__((weak)) void archive_release(struct image_finder *finder) {
	(void)finder;
}

__attribute__((weak)) int engine_find(
	struct image_finder *finder, const char *reference, struct br_image *out) {
	if (!strcmp(reference, "broken:1")) {
		return br_error(finder->dx, (struct br_span){0}, "broken");
	}
	if (strcmp(reference, "theirs:1") != 0 && strcmp(reference, "proj-web") != 0) {
		return 0;
	}
	*out = fake(BR_IMAGE_ENGINE, "engined");
	return 1;
}

__attribute__((weak)) void engine_release(struct image_finder *finder) {
	(void)finder;
}

// The table

static const struct {
	const char *reference;
	/** NULL: nothing is known. */
	const char *user;
	/** "uid:gid" and letters: w workers only, o owners, m modes; NULL none. */
	const char *drop;
} cases[] = {
	{"postgres", "", "999:999om"},
	{"postgres:16", "", "999:999om"},
	{"postgres:16-alpine3.20", "", "70:70om"},
	{"docker.io/postgres:16", "", "999:999om"},
	{"docker.io/library/postgres:16", "", "999:999om"},
	{"index.docker.io/library/postgres:16", "", "999:999om"},
	{"public.ecr.aws/docker/library/postgres:16", "", "999:999om"},
	{"postgres:16@sha256:0123", "", "999:999om"},
	// without a tag nobody knows which variant it is
	{"postgres@sha256:0123", NULL, NULL},
	{"node@sha256:0123", "", NULL},
	{"somebody/postgres:16", NULL, NULL},
	{"ghcr.io/library/postgres:16", NULL, NULL},
	{"localhost:5000/postgres", NULL, NULL},
	{"localhost/postgres", NULL, NULL},
	{"redis:7", "", "999:999o"},
	{"redis:7.2-alpine", "", "999:1000o"},
	// nobody looked at 8
	{"redis:8", NULL, NULL},
	{"redis", NULL, NULL},
	{"mariadb:11", "", "999:999o"},
	{"mariadb:11-ubi", "999:999", NULL},
	{"rabbitmq:4-management-alpine", "", "100:101o"},
	{"grafana/grafana:11.1.0", "472:0", NULL},
	{"grafana/grafana", "472:0", NULL},
	{"grafana/grafana:5.4.3", "472:472", NULL},
	{"grafana/grafana:7.2.0", "472:472", NULL},
	{"grafana/grafana:7.3.0", "472:0", NULL},
	{"grafana/grafana:5.0.1", "104:107", NULL},
	{"prom/prometheus:v3.0.0", "65534:65534", NULL},
	{"quay.io/prometheus/prometheus:v3.8.0-distroless", "65532:65532", NULL},
	{"elasticsearch:8.15.0", "1000:0", NULL},
	{"docker.elastic.co/elasticsearch/elasticsearch:7.17.1", "1000:0", NULL},
	{"elasticsearch:7.9.3", "", "1000:0"},
	{"elasticsearch:7.15.2", "", "1000:0"},
	{"influxdb:2.7", "", "1000:1000"},
	{"influxdb:1.11-alpine", "", "1500:1500"},
	{"influxdb:3-core", "1500:1500", NULL},
	{"influxdb:1.8", NULL, NULL},
	{"flink:1.20", "", "9999:9999"},
	{"flink:2.2", "9999:9999", NULL},
	{"flink:2.0", NULL, NULL},
	{"nginx:1.27", "", "101:101w"},
	{"nginxinc/nginx-unprivileged", "101:101", NULL},
	{"wordpress:php8.3-fpm-alpine", "", "82:82wo"},
	{"gitea/gitea:1.22-rootless", "1000:1000", NULL},
	{"gitea/gitea:1.22", "", "1000:1000"},
	{"lscr.io/linuxserver/sonarr:latest", "", "911:911o"},
	{"quay.io/jupyter/scipy-notebook:latest", "1000:100", "1000:100"},
	{"bitnami/redis:7", "1001:0", NULL},
	{"qdrant/qdrant:v1.9", "0:0", NULL},
	{"vllm/vllm-openai:v0.6", "", NULL},
	// sources contradict each other
	{"heartexlabs/label-studio:latest", NULL, NULL},
};

static void check_drop(const char *reference, const struct br_image_drop *drop, const char *want) {
	char text[64] = "";
	if (drop) {
		(void)snprintf(text, sizeof(text), "%u:%u%s%s%s", drop->uid, drop->gid,
			drop->workers_only ? "w" : "", drop->chowns ? "o" : "",
			drop->chmods ? "m" : "");
	}
	if (strcmp(text, want ? want : "") != 0) {
		fail_msg("%s drops to '%s'", reference, text);
	}
}

static void test_table(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct br_arena arena = {0};
		struct br_image_options options = {0};
		struct image_finder finder = {.arena = &arena, .options = &options};
		struct br_image image = {0};
		int found = known_find(&finder, cases[i].reference, &image);
		if (found != (cases[i].user != NULL)) {
			fail_msg("%s: found is %d", cases[i].reference, found);
		}
		if (found) {
			assert_int_equal(image.origin, BR_IMAGE_KNOWN);
			assert_string_equal(image.user.s, cases[i].user);
			assert_null(image.users);
			check_drop(cases[i].reference, image.drop, cases[i].drop);
		}
		br_arena_release(&arena);
	}
}

/** Every row says from where and how sure; nothing stands behind a row that hides it. */
static void test_rows(void **state) {
	(void)state;
	static const char *const certainties[] = {"source", "derived", "thread", "unconfirmed"};
	for (const struct known_row *row = known_table; row->repository; row++) {
		bool fits = false;
		for (size_t i = 0; i < sizeof(certainties) / sizeof(*certainties); i++) {
			fits = fits || !strcmp(row->drop.certainty, certainties[i]);
		}
		assert_true(fits);
		assert_true(row->drop.source && *row->drop.source);
		assert_true(row->user && *row->tags);
		assert_non_null(strchr(row->repository, '.'));
		for (const struct known_row *before = known_table; before < row; before++) {
			bool hidden = br_glob(before->repository, row->repository)
				&& !strcmp(before->tags, "*");
			if (hidden) {
				fail_msg("%s %s stands behind %s", row->repository, row->tags,
					before->repository);
			}
		}
	}
}

static void test_variables(void **state) {
	(void)state;
	struct br_arena arena = {0};
	struct image_finder finder = {.arena = &arena};
	struct br_image image = {0};
	assert_int_equal(known_find(&finder, "linuxserver/plex", &image), 1);
	assert_string_equal(image.drop->uid_variable, "PUID");
	assert_string_equal(image.drop->gid_variable, "PGID");
	assert_string_equal(
		image.from, "known images (linuxserver/docker-baseimage-alpine, 2025-11; source)");
	br_arena_release(&arena);
}

// The order of the ways

struct world {
	struct br_arena arena;
	struct br_places *places;
	struct br_diags *dx;
	struct br_image_options options;
};

static struct world start(void) {
	struct world world = {0};
	world.places = br_places_new();
	world.dx = br_diags_new(world.places);
	assert_non_null(world.dx);
	return world;
}

static void finish(struct world *world) {
	br_diags_free(world->dx);
	br_places_free(world->places);
	br_arena_release(&world->arena);
}

static const struct br_build by_user = {.context = {.s = "/nowhere"},
	.dockerfile_inline = {.s = "FROM nowhere/x\nUSER built\n"}};
static const struct br_build by_nobody = {.context = {.s = "/nowhere"},
	.dockerfile_inline = {.s = "FROM nowhere/x\nRUN true\n"}};
static const struct br_build on_postgres = {.context = {.s = "/nowhere"},
	.dockerfile_inline = {.s = "FROM postgres:16\n"}};
static const struct br_build missing = {.context = {.s = "/nowhere"},
	.dockerfile = {.s = "Dockerfile"}};
static const struct br_build invalid = {.context = {.s = "/nowhere"},
	.dockerfile_inline = {.s = "FRAM x\n"}};

static void test_order(void **state) {
	(void)state;
	struct br_container containers[] = {
		{.name = {.s = "a"}, .image = {.s = "mine:1"}},
		{.name = {.s = "b"}, .image = {.s = "theirs:1"}},
		{.name = {.s = "c"}, .image = {.s = "memcached"}},
		{.name = {.s = "d"}, .image = {.s = "nowhere/x"}},
		{.name = {.s = "e"}, .image = {.s = "mine:1"}, .build = &by_user},
		{.name = {.s = "f"}, .image = {.s = "theirs:1"}, .build = &by_user},
		{.name = {.s = "g"}, .image = {.s = "theirs:1"}, .build = &by_nobody},
		{.name = {.s = "web"}, .build = &by_nobody},
		{.name = {.s = "h"}, .build = &on_postgres},
		{.name = {.s = "i"}, .build = &missing},
		{.name = {.s = "j"}, .image = {.s = "redis:7"}},
		{.name = {.s = "k"}},
	};
	static const struct {
		enum br_image_origin origin;
		const char *user;
	} want[] = {{BR_IMAGE_ARCHIVE, "archived"}, {BR_IMAGE_ENGINE, "engined"},
		{BR_IMAGE_KNOWN, "11211:11211"}, {BR_IMAGE_NOTHING, NULL},
		{BR_IMAGE_ARCHIVE, "archived"}, {BR_IMAGE_DOCKERFILE, "built"},
		{BR_IMAGE_ENGINE, "engined"}, {BR_IMAGE_ENGINE, "engined"},
		{BR_IMAGE_DOCKERFILE, ""}, {BR_IMAGE_DOCKERFILE, NULL},
		{BR_IMAGE_ARCHIVE, "archived"}, {BR_IMAGE_NOTHING, NULL}};
	struct world world = start();
	struct br_spec spec = {.project_name = "proj",
		.containers = containers,
		.n = sizeof(containers) / sizeof(*containers)};
	const struct br_image *images =
		br_images_read(&world.arena, &spec, &world.options, world.dx);
	assert_non_null(images);
	for (size_t i = 0; i < spec.n; i++) {
		if (images[i].origin != want[i].origin) {
			fail_msg("%s has origin %u", containers[i].name.s, images[i].origin);
		}
		if (want[i].user) {
			assert_string_equal(images[i].user.s, want[i].user);
		} else {
			assert_null(images[i].user.s);
		}
	}
	assert_int_equal(images[8].drop->uid, 999);
	assert_int_equal(images[10].drop->uid, 999);
	assert_null(images[0].drop);
	assert_string_equal(images[9].unknown, "its Dockerfile cannot be read");
	assert_int_equal(br_diags_errors(world.dx), 0);
	finish(&world);
}

static void test_errors(void **state) {
	(void)state;
	struct br_container containers[] = {{.name = {.s = "a"}, .image = {.s = "broken:1"}},
		{.name = {.s = "b"}, .build = &invalid}};
	for (size_t i = 0; i < 2; i++) {
		struct world world = start();
		struct br_spec spec = {.containers = &containers[i], .n = 1};
		assert_null(br_images_read(&world.arena, &spec, &world.options, world.dx));
		assert_int_equal(br_diags_errors(world.dx), 1);
		finish(&world);
	}
}

static void test_nothing(void **state) {
	(void)state;
	struct world world = start();
	struct br_spec spec = {0};
	assert_non_null(br_images_read(&world.arena, &spec, &world.options, world.dx));
	finish(&world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
