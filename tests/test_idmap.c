#include <base/mem.h>
#include <bindright/idmap.h>

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define MAP(a) ((struct br_idmap){.extents = (a), .n = N(a)})

// Rootless podman's for user 2001 with two subordinate ranges: 0 is the user, then the ranges.
static const struct br_idmap_extent rootless[] = {
	{0, 2001, 1}, {1, 100000, 65536}, {65537, 300000, 1000}};
// As large as an extent can be.
static const struct br_idmap_extent whole[] = {{0, 0, UINT32_MAX}};
static const struct br_idmap_extent top[] = {{0, UINT32_MAX - 1, 1}, {UINT32_MAX - 1, 5, 1}};

struct pair {
	const char *name;
	struct br_idmap map;
	uint32_t in;
	bool found;
	uint32_t out;
};

static void test_to_host(void **state) {
	(void)state;
	const struct pair rows[] = {
		{"the initial namespace maps each ID to itself", {0}, 1001, true, 1001},
		{"the initial namespace's last ID", {0}, 4294967294U, true, 4294967294U},
		{"no ID is no ID there too", {0}, BR_NO_ID, false, 0},
		{"an extent of one", MAP(rootless), 0, true, 2001},
		{"the first ID of an extent", MAP(rootless), 1, true, 100000},
		{"one inside", MAP(rootless), 1001, true, 101000},
		{"the last of an extent", MAP(rootless), 65536, true, 165535},
		{"the next extent", MAP(rootless), 65537, true, 300000},
		{"the last that is mapped", MAP(rootless), 66536, true, 300999},
		{"the first that is not", MAP(rootless), 66537, false, 0},
		{"no ID", MAP(rootless), BR_NO_ID, false, 0},
		{"a whole extent: the last", MAP(whole), 4294967294U, true, 4294967294U},
		{"a whole extent: no ID", MAP(whole), BR_NO_ID, false, 0},
		{"the highest host ID", MAP(top), 0, true, 4294967294U},
		{"the highest container ID", MAP(top), 4294967294U, true, 5},
		{"beside it", MAP(top), 4294967293U, false, 0},
	};
	for (size_t i = 0; i < N(rows); i++) {
		br_hostid out = {7};
		bool found = br_idmap_to_host(&rows[i].map, (br_boxid){rows[i].in}, &out);
		if (found != rows[i].found || (found && out.v != rows[i].out)) {
			fail_msg("%s: %d, %u", rows[i].name, found, out.v);
		}
		if (!found) {
			assert_int_equal(out.v, BR_NO_ID);
		}
	}
}

static void test_to_box(void **state) {
	(void)state;
	const struct pair rows[] = {
		{"the initial namespace maps each ID to itself", {0}, 1001, true, 1001},
		{"no ID", {0}, BR_NO_ID, false, 0},
		{"an extent of one", MAP(rootless), 2001, true, 0},
		{"beside it", MAP(rootless), 2002, false, 0},
		{"root is not mapped", MAP(rootless), 0, false, 0},
		{"the first of an extent", MAP(rootless), 100000, true, 1},
		{"before it", MAP(rootless), 99999, false, 0},
		{"the last of it", MAP(rootless), 165535, true, 65536},
		{"behind it", MAP(rootless), 165536, false, 0},
		{"the next extent", MAP(rootless), 300999, true, 66536},
		{"behind all", MAP(rootless), 301000, false, 0},
		{"the highest host ID", MAP(top), 4294967294U, true, 0},
		{"the highest container ID", MAP(top), 5, true, 4294967294U},
		{"no ID in a map", MAP(whole), BR_NO_ID, false, 0},
	};
	for (size_t i = 0; i < N(rows); i++) {
		br_boxid out = {7};
		bool found = br_idmap_to_box(&rows[i].map, (br_hostid){rows[i].in}, &out);
		if (found != rows[i].found || (found && out.v != rows[i].out)) {
			fail_msg("%s: %d, %u", rows[i].name, found, out.v);
		}
		if (!found) {
			assert_int_equal(out.v, BR_NO_ID);
		}
	}
}

struct judged {
	const char *name;
	struct br_idmap_extent extents[3];
	size_t n;
	bool valid;
	size_t bad;
};

static void test_valid(void **state) {
	(void)state;
	static const struct judged rows[] = {
		{"none is the initial namespace", {{0}}, 0, true, 0},
		{"one", {{0, 100000, 65536}}, 1, true, 0},
		{"side by side", {{0, 10, 5}, {5, 15, 5}, {10, 5, 5}}, 3, true, 0},
		{"a count of 0", {{0, 10, 1}, {5, 100, 0}}, 2, false, 1},
		{"everything but no ID", {{0, 0, UINT32_MAX}}, 1, true, 0},
		{"a container side that reaches no ID", {{1, 0, UINT32_MAX}}, 1, false, 0},
		{"a host side that reaches no ID", {{0, 1, UINT32_MAX}}, 1, false, 0},
		{"up to the last ID", {{0, 4294967290U, 5}}, 1, true, 0},
		{"one past it", {{0, 4294967290U, 6}}, 1, false, 0},
		{"no ID as a start", {{UINT32_MAX, 0, 1}}, 1, false, 0},
		{"no ID as the host's start", {{0, UINT32_MAX, 1}}, 1, false, 0},
		{"wraps right round", {{10, 10, UINT32_MAX - 5}}, 1, false, 0},
		{"the same twice", {{0, 10, 5}, {0, 10, 5}}, 2, false, 1},
		{"overlap in the container by one, from below", {{5, 10, 5}, {0, 100, 6}}, 2, false,
			1},
		{"overlap in the container by one, from above", {{0, 10, 5}, {4, 100, 5}}, 2, false,
			1},
		{"overlap on the host by one, from below", {{0, 100, 5}, {50, 96, 5}}, 2, false, 1},
		{"overlap on the host by one, from above", {{0, 100, 5}, {50, 104, 5}}, 2, false,
			1},
		{"just not, below", {{0, 100, 5}, {50, 95, 5}}, 2, true, 0},
		{"just not, above", {{0, 100, 5}, {50, 105, 5}}, 2, true, 0},
		{"one inside another", {{0, 100, 50}, {60, 120, 5}}, 2, false, 1},
		{"the third with the first", {{0, 100, 5}, {10, 200, 5}, {20, 102, 5}}, 3, false,
			2},
	};
	for (size_t i = 0; i < N(rows); i++) {
		size_t bad = 99;
		struct br_idmap map = {.extents = rows[i].extents, .n = rows[i].n};
		bool valid = br_idmap_valid(&map, &bad);
		if (valid != rows[i].valid || (!valid && bad != rows[i].bad)) {
			fail_msg("%s: %d at %zu", rows[i].name, valid, bad);
		}
	}
}

static void test_count(void **state) {
	(void)state;
	struct br_idmap_extent many[341];
	for (uint32_t i = 0; i < N(many); i++) {
		many[i] = (struct br_idmap_extent){2 * i, 1000 + 2 * i, 1};
	}
	size_t bad = 0;
	assert_true(br_idmap_valid(&(struct br_idmap){many, 340}, &bad));
	assert_false(br_idmap_valid(&(struct br_idmap){many, 341}, &bad));
	assert_int_equal(bad, 340);
	br_hostid out;
	assert_true(br_idmap_to_host(&(struct br_idmap){many, 340}, (br_boxid){678}, &out));
	assert_int_equal(out.v, 1678);
	assert_false(br_idmap_to_host(&(struct br_idmap){many, 340}, (br_boxid){677}, &out));
}

/** Rootless Podman with subuid rl:100000:65536, and what it nests inside for the modes of --userns;
 * the results are what /proc/self/uid_map outside showed. */
static void test_compose(void **state) {
	(void)state;
	static const struct br_idmap_extent plain[] = {{0, 2001, 1}, {1, 100000, 65536}};
	const struct {
		const char *name;
		struct br_idmap outer;
		struct br_idmap_extent inner[4];
		size_t ninner;
		struct br_idmap_extent out[4];
		size_t nout;
	} rows[] = {
		{"keep-id for user 2001", MAP(plain),
			{{0, 1, 2001}, {2001, 0, 1}, {2002, 2002, 63535}}, 3,
			{{0, 100000, 2001}, {2001, 2001, 1}, {2002, 102001, 63535}}, 3},
		{"nomap", MAP(plain), {{0, 1, 65536}}, 1, {{0, 100000, 65536}}, 1},
		{"across two outer extents", MAP(rootless), {{0, 65000, 1000}}, 1,
			{{0, 164999, 537}, {537, 300000, 463}}, 2},
		{"outer extents in any order",
			{(const struct br_idmap_extent[]){{10, 500, 10}, {0, 900, 10}}, 2},
			{{100, 5, 10}}, 1, {{100, 905, 5}, {105, 500, 5}}, 2},
		{"neighbours become one",
			{(const struct br_idmap_extent[]){{0, 100, 10}, {10, 110, 10}}, 2},
			{{0, 0, 20}}, 1, {{0, 100, 20}}, 1},
		{"what the outer lacks is left out", MAP(plain), {{0, 0, 1}, {1, 65530, 100}}, 2,
			{{0, 2001, 1}, {1, 165529, 7}}, 2},
		{"a hole in the middle",
			{(const struct br_idmap_extent[]){{0, 100, 5}, {7, 200, 5}}, 2},
			{{0, 0, 12}}, 1, {{0, 100, 5}, {7, 200, 5}}, 2},
		{"nothing is left", MAP(plain), {{0, 70000, 5}}, 1, {{0, 0, 0}}, 1},
		{"no inner namespace", MAP(plain), {{0, 0, 0}}, 0,
			{{0, 2001, 1}, {1, 100000, 65536}}, 2},
		{"no outer namespace", {0}, {{0, 100000, 65536}}, 1, {{0, 100000, 65536}}, 1},
		{"the last ID", {(const struct br_idmap_extent[]){{0, 0, UINT32_MAX}}, 1},
			{{5, UINT32_MAX - 1, 1}}, 1, {{5, UINT32_MAX - 1, 1}}, 1},
	};
	for (size_t i = 0; i < N(rows); i++) {
		struct br_arena arena = {0};
		struct br_idmap inner = {rows[i].inner, rows[i].ninner};
		struct br_idmap out;
		assert_int_equal(br_idmap_compose(&arena, &rows[i].outer, &inner, &out), 0);
		if (out.n != rows[i].nout
			|| memcmp(out.extents, rows[i].out, out.n * sizeof(*out.extents)) != 0) {
			fail_msg("%s: %zu extents, the first %u %u %u", rows[i].name, out.n,
				out.extents[0].box, out.extents[0].host, out.extents[0].count);
		}
		br_arena_release(&arena);
	}
}

/* The kernel as the oracle: two namespaces, one in the other, and the maps as this process reads
 * them. */

static uint32_t draw(uint32_t *seed, uint32_t n) {
	*seed = *seed * 1664525U + 1013904223U;
	return (*seed >> 8) % n;
}

/** A map whose extents follow each other on both sides with gaps, at most 8 of them; written
 * backwards where `turned`. */
static size_t random_map(uint32_t *seed, struct br_idmap_extent *out, uint32_t spread) {
	size_t n = 1 + draw(seed, 8);
	bool turned = draw(seed, 2);
	uint32_t box = 0;
	uint32_t host = draw(seed, spread);
	for (size_t i = 0; i < n; i++) {
		struct br_idmap_extent e = {
			box + draw(seed, 4), host + draw(seed, 4), 1 + draw(seed, 20)};
		out[turned ? n - 1 - i : i] = e;
		box = e.box + e.count;
		host = e.host + e.count;
	}
	// The host's side in another order than the container's.
	uint32_t swap = draw(seed, (uint32_t)n);
	if (out[0].count == out[swap].count) {
		uint32_t kept = out[0].host;
		out[0].host = out[swap].host;
		out[swap].host = kept;
	}
	return n;
}

static int write_map(pid_t pid, const char *name, const struct br_idmap_extent *map, size_t n) {
	char path[64];
	char text[1024] = "";
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u %u %u\n", map[i].box,
			map[i].host, map[i].count);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	FILE *f = fopen(path, "we");
	if (!f) {
		return -1;
	}
	size_t done = fwrite(text, 1, len, f);
	return fclose(f) == 0 && done == len ? 0 : -1;
}

/** A child in a namespace in a namespace, which lives until its pipe is closed. */
struct nested {
	pid_t pid;
	int go;
	int told;
};

/** Only an ID that is mapped may make a namespace inside. */
static _Noreturn void be_nested(int go, int told, uint32_t id) {
	char c;
	if (unshare(CLONE_NEWUSER) || write(told, "x", 1) != 1 || read(go, &c, 1) != 1) {
		_exit(1);
	}
	if (setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id)
		|| prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) || unshare(CLONE_NEWUSER)
		|| write(told, "x", 1) != 1) {
		_exit(1);
	}
	_exit(read(go, &c, 1) < 0);
}

/** The map of the inner namespace can only be written from the outer one. */
static int write_inner_map(pid_t pid, int outer, const struct br_idmap_extent *map, size_t n) {
	int status;
	pid_t writer = fork();
	if (writer == 0) {
		_exit(setns(outer, CLONE_NEWUSER) || write_map(pid, "uid_map", map, n));
	}
	return waitpid(writer, &status, 0) == writer && status == 0 ? 0 : -1;
}

static int open_namespace(pid_t pid) {
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static struct nested start_nested(uint32_t id) {
	int go[2];
	int told[2];
	char c;
	assert_return_code(pipe(go), 0);
	assert_return_code(pipe(told), 0);
	pid_t outer = fork();
	if (outer == 0) {
		(void)close(go[1]);
		be_nested(go[0], told[1], id);
	}
	assert_true(outer > 0);
	(void)close(go[0]);
	(void)close(told[1]);
	assert_int_equal(read(told[0], &c, 1), 1);
	return (struct nested){outer, go[1], told[0]};
}

static size_t read_map(pid_t pid, struct br_idmap_extent *out, size_t max) {
	char path[64];
	size_t n = 0;
	char line[128];
	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	while (n < max && fgets(line, sizeof(line), f)) {
		assert_int_equal(
			sscanf(line, "%u %u %u", &out[n].box, &out[n].host, &out[n].count), 3);
		n++;
	}
	(void)fclose(f);
	return n;
}

/** The kernel shows each extent by where its first ID is; what ours says of that ID, or of every
 * one of them where it is unmapped. */
static void compare_with_kernel(
	const struct br_idmap *ours, const struct br_idmap *inner, pid_t pid) {
	struct br_idmap_extent seen[8];
	size_t n = read_map(pid, seen, N(seen));
	assert_int_equal(n, inner->n);
	for (size_t i = 0; i < n; i++) {
		br_hostid host;
		bool found = br_idmap_to_host(ours, (br_boxid){seen[i].box}, &host);
		if (found != (seen[i].host != UINT32_MAX) || (found && host.v != seen[i].host)) {
			fail_msg("container %u: the kernel says %u, not %u", seen[i].box,
				seen[i].host, host.v);
		}
	}
}

/** The extents of `inner` that the kernel will take: each lies in one of the outer ones. How many;
 * they come first. */
static size_t keep_possible(const struct br_idmap *outer, struct br_idmap_extent *inner, size_t n) {
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < outer->n; k++) {
			const struct br_idmap_extent *e = &outer->extents[k];
			if (inner[i].host >= e->box
				&& inner[i].host + inner[i].count <= e->box + e->count) {
				inner[kept++] = inner[i];
				break;
			}
		}
	}
	return kept;
}

static void compare_random(uint32_t *seed) {
	struct br_arena arena = {0};
	struct br_idmap_extent e[8];
	struct br_idmap_extent f[8];
	struct br_idmap outer = {e, random_map(seed, e, 100000)};
	struct br_idmap inner = {f, random_map(seed, f, 8)};
	struct br_idmap ours;
	struct nested child = start_nested(e[0].box);
	char c;
	int status;
	assert_return_code(write_map(child.pid, "uid_map", e, outer.n), 0);
	assert_return_code(write_map(child.pid, "gid_map", e, outer.n), 0);
	int space = open_namespace(child.pid);
	assert_return_code(space, 0);
	assert_int_equal(write(child.go, "x", 1), 1);
	assert_int_equal(read(child.told, &c, 1), 1);
	inner.n = keep_possible(&outer, f, inner.n);
	if (inner.n > 0) {
		assert_return_code(write_inner_map(child.pid, space, f, inner.n), 0);
		assert_int_equal(br_idmap_compose(&arena, &outer, &inner, &ours), 0);
		compare_with_kernel(&ours, &inner, child.pid);
	}
	br_arena_release(&arena);
	(void)close(space);
	(void)close(child.go);
	(void)close(child.told);
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
}

static void test_kernel(void **state) {
	(void)state;
	const char *given = getenv("BR_SEED");
	uint32_t seed = given ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)getpid();
#ifdef __SANITIZE_THREAD__
	// Its library has a thread of its own, and unshare(2) wants a process with one.
	return;
#endif
	if (geteuid() != 0) {
		print_message("needs root: maps of several extents\n");
		skip();
	}
	print_message("seed %u\n", seed);
	for (int i = 0; i < 100; i++) {
		compare_random(&seed);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_host),
		cmocka_unit_test(test_to_box),
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_compose),
		cmocka_unit_test(test_kernel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
