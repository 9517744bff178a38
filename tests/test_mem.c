#include <base/mem.h>
#include <base/own.h>
#include <bindright/arena.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <support/fault.h>

#include <cmocka.h>

static void test_zeroed_and_apart(void **state) {
	(void)state;
	struct br_arena arena = {0};
	unsigned char *all[200];
	size_t used = 0;
	for (size_t i = 0; i < 200; i++) {
		// Small ones, some as large as a block, some larger than the next block would be.
		size_t size = i % 10 == 9 ? i * 1000 : i;
		unsigned char *p = br_alloc(&arena, size);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t j = 0; j < size; j++) {
			assert_int_equal(p[j], 0);
		}
		memset(p, (int)i, size);
		all[i] = p;
		used += size;
	}
	for (size_t i = 0; i < 200; i++) {
		size_t size = i % 10 == 9 ? i * 1000 : i;
		for (size_t j = 0; j < size; j++) {
			assert_int_equal(all[i][j], i);
		}
	}
	assert_true(arena.used >= used);
	br_arena_release(&arena);
	assert_null(arena.head);
	assert_int_equal(arena.used, 0);
	assert_non_null(br_alloc(&arena, 1));
	br_arena_release(&arena);
	br_arena_release(&arena);
}

static void test_nothing_is_something(void **state) {
	(void)state;
	struct br_arena arena = {0};
	const void *a = br_alloc(&arena, 0);
	const void *b = br_alloc(&arena, 0);
	assert_non_null(a);
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	assert_non_null(br_alloc_array(&arena, 0, 8));
	br_arena_release(&arena);
}

static void test_overflow(void **state) {
	(void)state;
	struct br_arena arena = {0};
	static const size_t sizes[][2] = {
		{SIZE_MAX, 2},
		{SIZE_MAX / 2 + 1, 2},
		{SIZE_MAX, 1},
		{SIZE_MAX / 2, 1},
		{(size_t)1 << 32, (size_t)1 << 32},
	};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		errno = 0;
		assert_null(br_alloc_array(&arena, sizes[i][0], sizes[i][1]));
		assert_int_equal(errno, ENOMEM);
	}
	errno = 0;
	assert_null(br_strndup(&arena, "", SIZE_MAX));
	assert_int_equal(errno, ENOMEM);
	br_arena_release(&arena);
}

static void test_strings(void **state) {
	(void)state;
	struct br_arena arena = {0};
	assert_string_equal(br_strdup(&arena, "abc"), "abc");
	assert_string_equal(br_strdup(&arena, ""), "");
	assert_string_equal(br_strndup(&arena, "abcdef", 3), "abc");
	assert_memory_equal(br_strndup(&arena, "a\0b", 3), "a\0b", 4);
	assert_string_equal(br_strndup(&arena, NULL, 0), "");
	assert_string_equal(br_printf(&arena, "%s-%05u", "x", 42U), "x-00042");
	assert_string_equal(br_printf(&arena, "%s", ""), "");
	errno = EIO;
	assert_null(br_strdup(&arena, NULL));
	assert_int_equal(errno, 0);
	br_arena_release(&arena);
}

static void test_no_memory(void **state) {
	(void)state;
	struct br_arena arena = {0};
	fault_at(1);
	errno = 0;
	assert_null(br_alloc(&arena, 10));
	assert_int_equal(errno, ENOMEM);
	fault_at(1);
	errno = 0;
	assert_null(br_printf(&arena, "%d", 1));
	assert_int_equal(errno, ENOMEM);
	fault_at(0);
	assert_non_null(br_alloc(&arena, 10));
	br_arena_release(&arena);
}

struct pair {
	int a;
	const char *b;
};

static void test_vec(void **state) {
	(void)state;
	struct br_arena arena = {0};
	br_vec(struct pair) pairs = {0};
	br_vec(const char *) words = {0};
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(br_vec_push(&arena, &pairs, (struct pair){i, "x"}), 0);
		assert_int_equal(br_vec_push(&arena, &words, i % 2 ? "odd" : "even"), 0);
	}
	assert_int_equal(pairs.n, 1000);
	assert_int_equal(words.n, 1000);
	assert_true(pairs.cap >= 1000 && pairs.cap <= 2048);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(pairs.v[i].a, i);
		assert_string_equal(pairs.v[i].b, "x");
		assert_string_equal(words.v[i], i % 2 ? "odd" : "even");
	}
	br_arena_release(&arena);
}

static void test_vec_without_memory(void **state) {
	(void)state;
	struct br_arena arena = {0};
	br_vec(uint64_t) numbers = {0};
	unsigned failures = 0;
	for (uint64_t i = 0; i < 5000;) {
		fault_at(1);
		size_t n = numbers.n;
		const uint64_t *v = numbers.v;
		if (br_vec_push(&arena, &numbers, i)) {
			assert_int_equal(errno, ENOMEM);
			assert_int_equal(numbers.n, n);
			assert_ptr_equal(numbers.v, v);
			failures++;
			fault_at(0);
			assert_int_equal(br_vec_push(&arena, &numbers, i), 0);
		}
		i++;
	}
	fault_at(0);
	assert_true(failures > 0);
	assert_int_equal(numbers.n, 5000);
	for (uint64_t i = 0; i < 5000; i++) {
		assert_int_equal(numbers.v[i], i);
	}
	br_arena_release(&arena);
}

static int opened(void) {
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int close_in_scope(bool steal) {
	br_auto(br_closep) int fd = opened();
	int number = fd;
	return steal ? br_steal_fd(&fd) : number;
}

static void test_descriptors(void **state) {
	(void)state;
	int fd = close_in_scope(false);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
	fd = close_in_scope(true);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	errno = EXDEV;
	br_closep(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(errno, EXDEV);
	br_closep(&fd);
	assert_int_equal(errno, EXDEV);
}

static char *text_or_nothing(bool steal) {
	br_auto(br_freep) char *text = strdup("text");
	return steal ? br_steal(&text) : NULL;
}

static void test_heap(void **state) {
	(void)state;
	// The sanitizer sees whether the other one is freed.
	assert_null(text_or_nothing(false));
	br_auto(br_freep) char *text = text_or_nothing(true);
	assert_string_equal(text, "text");
	br_auto(br_fclosep) FILE *file = fopen("/dev/null", "re");
	assert_non_null(file);
	errno = EXDEV;
	br_fclosep(&file);
	assert_null(file);
	assert_int_equal(errno, EXDEV);
}

/** The arena that programs have. */
static void test_arena_of_a_program(void **state) {
	(void)state;
	struct br_arena *arena = br_arena_new();
	assert_non_null(arena);
	assert_string_equal(br_strdup(arena, "kept"), "kept");
	br_arena_freep(&arena);
	assert_null(arena);
	br_arena_freep(&arena);
	br_arena_free(NULL);
	fault_at(1);
	assert_null(br_arena_new());
	fault_at(0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_and_apart),
		cmocka_unit_test(test_nothing_is_something),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_vec),
		cmocka_unit_test(test_vec_without_memory),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_heap),
		cmocka_unit_test(test_arena_of_a_program),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
