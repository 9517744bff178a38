/*
 * What the process that scans for us writes, were it anybody's: no record makes us look at memory
 * that is not there.
 */
// The file itself, for what it keeps to itself.
#include <scan/watched.c>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
	struct br_acls *acls;
	struct watched *w;
	atomic_ulong beat;
	int to;
};

static void begin(struct fixture *f) {
	int ends[2];
	*f = (struct fixture){.acls = br_acls_new(), .w = calloc(1, sizeof(*f->w))};
	assert_true(f->acls != NULL && f->w != NULL);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	f->to = ends[1];
	f->w->acls = f->acls;
	f->w->leave = true;
	f->w->fd = ends[0];
	f->w->beat = &f->beat;
	f->w->since = f->w->looked = now_ms();
}

static void end(struct fixture *f) {
	br_closep(&f->to);
	f->w->beat = NULL;
	br_watched_free(f->w);
	br_acls_free(f->acls);
}

/** A record with a path of at most seven bytes. */
static void say(struct fixture *f, struct wire wire, const char *path) {
	char bytes[sizeof(wire) + 8] = {0};
	wire.size = sizeof(bytes);
	wire.path_len = wire.path_len != 0 ? wire.path_len : (uint32_t)strlen(path);
	memcpy(bytes, &wire, sizeof(wire));
	memcpy(bytes + sizeof(wire), path, strlen(path));
	assert_int_equal(br_write_all(f->to, bytes, sizeof(bytes)), 0);
}

static void expect(struct fixture *f, enum br_event event, const char *path) {
	const struct br_entry *entry;
	assert_int_equal(br_watched_next(f->w, &entry), 1);
	assert_int_equal(entry->event, event);
	assert_string_equal(entry->path, path);
}

static void expect_refusal(struct fixture *f) {
	const struct br_entry *entry;
	assert_int_equal(br_watched_next(f->w, &entry), -1);
	assert_int_equal(errno, EPROTO);
}

static void left_before_what_is_in_it(void **state) {
	(void)state;
	struct fixture f;
	begin(&f);
	say(&f, (struct wire){.event = BR_ENTER, .id = 1}, "a");
	say(&f, (struct wire){.event = BR_ENTER, .id = 2, .parent = 1, .depth = 1}, "a/b");
	say(&f, (struct wire){.event = BR_LEAVE, .id = 1}, "");
	expect(&f, BR_ENTER, "a");
	expect(&f, BR_ENTER, "a/b");
	expect_refusal(&f);
	end(&f);
	// In order it is well, twice it is not.
	begin(&f);
	say(&f, (struct wire){.event = BR_ENTER, .id = 1}, "a");
	say(&f, (struct wire){.event = BR_ENTER, .id = 2, .parent = 1, .depth = 1}, "a/b");
	say(&f, (struct wire){.event = BR_LEAVE, .id = 2}, "");
	say(&f, (struct wire){.event = BR_LEAVE, .id = 1}, "");
	say(&f, (struct wire){.event = BR_LEAVE, .id = 1}, "");
	expect(&f, BR_ENTER, "a");
	expect(&f, BR_ENTER, "a/b");
	expect(&f, BR_LEAVE, "a/b");
	expect(&f, BR_LEAVE, "a");
	expect_refusal(&f);
	end(&f);
}

/** The path of a directory is made of names when it is left: none is longer than it. */
static void paths_that_do_not_fit(void **state) {
	(void)state;
	static const char *const wrong[] = {"b", "abcd", "abc/", "abcde/f", "b/c/fgh", ""};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fixture f;
		begin(&f);
		say(&f, (struct wire){.event = BR_ENTER, .id = 1}, "abcd");
		say(&f, (struct wire){.event = BR_ENTER, .id = 2, .parent = 1, .depth = 1},
			wrong[i]);
		expect(&f, BR_ENTER, "abcd");
		expect_refusal(&f);
		end(&f);
	}
	struct fixture f;
	begin(&f);
	say(&f, (struct wire){.event = BR_ENTER, .id = 1}, "");
	say(&f, (struct wire){.event = BR_ENTER, .id = 2, .parent = 1, .depth = 1}, "abc");
	say(&f, (struct wire){.event = BR_ENTER, .id = 3, .parent = 2, .depth = 2}, "abc/d");
	say(&f, (struct wire){.event = BR_LEAVE, .id = 3}, "");
	expect(&f, BR_ENTER, "");
	expect(&f, BR_ENTER, "abc");
	expect(&f, BR_ENTER, "abc/d");
	expect(&f, BR_LEAVE, "abc/d");
	end(&f);
	// Nor does it end before its end.
	begin(&f);
	say(&f, (struct wire){.event = BR_ENTER, .id = 1, .path_len = 6}, "abcd");
	expect_refusal(&f);
	end(&f);
}

/** Pointers of another process. */
static void pointers_that_come_along(void **state) {
	(void)state;
	struct fixture f;
	const struct br_entry *entry;
	struct wire wire = {.event = BR_LEAF, .has_inode = 1};
	begin(&f);
	wire.inode.acl = wire.inode.def = (const struct br_acl *)(void *)&f;
	wire.inode.caps = (const struct br_blob *)(void *)&f;
	say(&f, wire, "a");
	assert_int_equal(br_watched_next(f.w, &entry), 1);
	assert_non_null(entry->inode);
	assert_null(entry->inode->acl);
	assert_null(entry->inode->def);
	assert_null(entry->inode->caps);
	end(&f);
}

static void records_that_are_none(void **state) {
	(void)state;
	static const struct wire wrong[] = {
		{.event = 77},
		{.event = BR_LEAF, .path_len = UINT32_MAX},
		{.event = BR_LEAF, .path_len = 8},
		{.event = BR_LEAF, .attribute = {UINT32_MAX, UINT32_MAX, 2}},
		{.event = BR_LEAVE, .id = 1},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fixture f;
		begin(&f);
		say(&f, wrong[i], "a");
		expect_refusal(&f);
		end(&f);
	}
	static const uint32_t sizes[] = {
		0, 8, sizeof(struct wire) - 8, sizeof(struct wire) + 4, LARGEST + 8};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct fixture f;
		struct wire wire = {.size = sizes[i], .event = BR_LEAF};
		begin(&f);
		assert_int_equal(br_write_all(f.to, &wire, sizeof(wire)), 0);
		expect_refusal(&f);
		end(&f);
	}
}

static void ends_without_a_word(void **state) {
	(void)state;
	struct fixture f;
	struct wire wire = {.size = sizeof(wire) + 8, .event = BR_LEAF};
	begin(&f);
	assert_int_equal(br_write_all(f.to, &wire, sizeof(wire)), 0);
	br_closep(&f.to);
	expect_refusal(&f);
	end(&f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(left_before_what_is_in_it),
		cmocka_unit_test(paths_that_do_not_fit),
		cmocka_unit_test(pointers_that_come_along),
		cmocka_unit_test(records_that_are_none),
		cmocka_unit_test(ends_without_a_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
