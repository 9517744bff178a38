#include <base/file.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

/** A directory of its own for each test. */
struct place {
	char path[200];
	int fd;
};

static int setup(void **state) {
	static struct place place;
	const char *tmp = getenv("TMPDIR");
	(void)snprintf(place.path, sizeof(place.path), "%s/bindright.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(place.path)) {
		return -1;
	}
	place.fd = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &place;
	return place.fd < 0 ? -1 : 0;
}

static int teardown(void **state) {
	struct place *place = *state;
	char command[300];
	close(place->fd);
	// One test mounts something on it, and may have failed before it unmounted; mostly nothing
	// is there.
	(void)umount2(place->path, MNT_DETACH);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", place->path);
	return system(command) ? -1 : 0;
}

static void make_file(int dir, const char *name, const char *bytes, size_t n) {
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(br_write_all(fd, bytes, n), 0);
	assert_int_equal(close(fd), 0);
}

static void test_read_sizes(void **state) {
	struct place *place = *state;
	static const size_t sizes[] = {0, 1, 4094, 4095, 4096, 4097, 10000, 70000};
	char *bytes = malloc(70000);
	assert_non_null(bytes);
	for (size_t i = 0; i < 70000; i++) {
		bytes[i] = (char)(i * 7);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i];
		size_t len = 99;
		make_file(place->fd, "f", bytes, n);
		br_auto(br_freep) char *exact = br_read_file(place->fd, "f", n, &len);
		assert_non_null(exact);
		assert_int_equal(len, n);
		assert_memory_equal(exact, bytes, n);
		assert_int_equal(exact[n], 0);
		br_auto(br_freep) char *roomy = br_read_file(place->fd, "f", SIZE_MAX, &len);
		assert_non_null(roomy);
		assert_int_equal(len, n);
		errno = 0;
		assert_null(n ? br_read_file(place->fd, "f", n - 1, &len) : NULL);
		assert_int_equal(errno, n ? EFBIG : 0);
	}
	free(bytes);
}

/** A pipe has no size to go by. */
static void test_read_pipe(void **state) {
	(void)state;
	static const size_t limits[] = {50000, 50001, 1 << 20, 49999, 100, 0};
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int ends[2];
		char bytes[50000];
		size_t len = 0;
		memset(bytes, 'x', sizeof(bytes));
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		assert_int_equal(br_write_all(ends[1], bytes, sizeof(bytes)), 0);
		assert_int_equal(close(ends[1]), 0);
		errno = 0;
		br_auto(br_freep) char *got = br_read_fd(ends[0], limits[i], &len);
		if (limits[i] >= sizeof(bytes)) {
			assert_non_null(got);
			assert_int_equal(len, sizeof(bytes));
			assert_memory_equal(got, bytes, len);
		} else {
			assert_null(got);
			assert_int_equal(errno, EFBIG);
		}
		close(ends[0]);
	}
}

/** /proc's files say that they are empty. */
static void test_read_proc(void **state) {
	(void)state;
	size_t len = 0;
	br_auto(br_freep) char *status = br_read_file(AT_FDCWD, "/proc/self/status", 1 << 20, &len);
	assert_non_null(status);
	assert_true(len > 100);
	assert_memory_equal(status, "Name:", 5);
}

static void test_read_only_regular(void **state) {
	struct place *place = *state;
	size_t len = 0;
	assert_int_equal(mkdirat(place->fd, "d", 0755), 0);
	assert_int_equal(mkfifoat(place->fd, "fifo", 0644), 0);
	assert_int_equal(symlinkat("f", place->fd, "link"), 0);
	assert_int_equal(symlinkat("loop", place->fd, "loop"), 0);
	make_file(place->fd, "f", "abc", 3);
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	assert_true(strlen(place->path) + 3 < sizeof(address.sun_path));
	(void)stpcpy(stpcpy(address.sun_path, place->path), "/s");
	assert_int_equal(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	const struct {
		const char *name;
		int error;
	} cases[] = {
		{"d", EISDIR},
		{"fifo", EINVAL},
		{"s", EINVAL},
		{"/dev/zero", EINVAL},
		{"absent", ENOENT},
		{"loop", ELOOP},
		{"f/x", ENOTDIR},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		errno = 0;
		assert_null(br_read_file(place->fd, cases[i].name, 100, &len));
		assert_int_equal(errno, cases[i].error);
	}
	br_auto(br_freep) char *linked = br_read_file(place->fd, "link", 100, &len);
	assert_string_equal(linked, "abc");
	close(sock);
}

static void test_read_without_memory(void **state) {
	struct place *place = *state;
	make_file(place->fd, "f", "abc", 3);
	FAULT_EACH(i, {
		size_t len = 0;
		errno = 0;
		br_auto(br_freep) char *got = br_read_file(place->fd, "f", 100, &len);
		if (!got) {
			assert_int_equal(errno, ENOMEM);
		}
	});
}

static void test_beneath(void **state) {
	struct place *place = *state;
	assert_int_equal(mkdirat(place->fd, "root", 0755), 0);
	assert_int_equal(mkdirat(place->fd, "root/d", 0755), 0);
	make_file(place->fd, "outside", "no", 2);
	make_file(place->fd, "root/d/f", "yes", 3);
	assert_int_equal(symlinkat("../../outside", place->fd, "root/d/out"), 0);
	assert_int_equal(symlinkat("f", place->fd, "root/d/in"), 0);
	assert_int_equal(symlinkat("d", place->fd, "root/dir"), 0);
	br_auto(br_closep) int root = openat(place->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	static const struct {
		const char *path;
		int error;
	} cases[] = {
		{"d/f", 0},
		{"", 0},
		{".", 0},
		{"d/../d/f", 0},
		{"d/../../outside", EXDEV},
		{"..", EXDEV},
		{"/etc/passwd", EXDEV},
		{"d/out", ELOOP},
		{"d/in", ELOOP},
		{"dir/f", ELOOP},
		{"absent", ENOENT},
		{"d/f/x", ENOTDIR},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		errno = 0;
		br_auto(br_closep) int fd = br_open_beneath(root, cases[i].path, O_RDONLY, false);
		assert_int_equal(fd < 0 ? errno : 0, cases[i].error);
		if (fd >= 0) {
			assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		}
	}
	br_auto(br_closep) int link = br_open_beneath(root, "d/in", O_PATH | O_NOFOLLOW, false);
	assert_true(link >= 0);
	br_auto(br_closep) int made =
		br_open_beneath(root, "d/new", O_WRONLY | O_CREAT | O_EXCL, false);
	assert_true(made >= 0);
}

static void test_beneath_other_file_systems(void **state) {
	(void)state;
	struct stat here;
	struct stat there;
	br_auto(br_closep) int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	if (stat("/", &here) || stat("/proc", &there) || here.st_dev == there.st_dev) {
		print_message("skipped: /proc is no mount\n");
		skip();
	}
	br_auto(br_closep) int same = br_open_beneath(root, "proc", O_PATH, false);
	assert_int_equal(same, -1);
	assert_int_equal(errno, EXDEV);
	br_auto(br_closep) int other = br_open_beneath(root, "proc", O_PATH, true);
	assert_true(other >= 0);
	br_auto(br_closep) int magic = br_open_beneath(root, "proc/self/exe", O_PATH, true);
	assert_int_equal(magic, -1);
	assert_int_equal(errno, ELOOP);
}

static void test_write_all_to_a_full_device(void **state) {
	(void)state;
	br_auto(br_closep) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(full >= 0);
	assert_int_equal(br_write_all(full, "abc", 3), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(br_write_all(full, "", 0), 0);
	assert_int_equal(br_write_all(-1, "a", 1), -1);
	assert_int_equal(errno, EBADF);
}

static size_t count_entries(const char *path) {
	char command[300];
	(void)snprintf(command, sizeof(command), "ls -A '%s' | wc -l", path);
	FILE *pipe = popen(command, "re");
	unsigned n = 0;
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%u", &n), 1);
	pclose(pipe);
	return n;
}

static void test_write_durably(void **state) {
	struct place *place = *state;
	struct stat before;
	struct stat after;
	size_t len = 0;
	mode_t mask = umask(077);
	assert_int_equal(br_write_durably(place->fd, "f", "one", 3, 0644), 0);
	umask(mask);
	assert_int_equal(fstatat(place->fd, "f", &before, 0), 0);
	assert_int_equal(before.st_mode & 07777, 0644);
	assert_int_equal(br_write_durably(place->fd, "f", "twotwo", 6, 0600), 0);
	assert_int_equal(fstatat(place->fd, "f", &after, 0), 0);
	assert_int_equal(after.st_mode & 07777, 0600);
	assert_int_not_equal(before.st_ino, after.st_ino);
	br_auto(br_freep) char *got = br_read_file(place->fd, "f", 100, &len);
	assert_string_equal(got, "twotwo");
	br_auto(br_closep) int path_fd = open(place->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(br_write_durably(path_fd, "empty", "", 0, 0644), 0);
	assert_int_equal(count_entries(place->path), 2);
}

static void test_write_durably_fails_whole(void **state) {
	struct place *place = *state;
	size_t len = 0;
	assert_int_equal(mkdirat(place->fd, "d", 0755), 0);
	make_file(place->fd, "d/x", "", 0);
	make_file(place->fd, "f", "old", 3);
	static const struct {
		const char *name;
		int error;
	} cases[] = {
		{"", EINVAL},
		{"a/b", EINVAL},
		{"/f", EINVAL},
		{"d", EISDIR},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(br_write_durably(place->fd, cases[i].name, "x", 1, 0644), -1);
		assert_int_equal(errno, cases[i].error);
	}
	assert_int_equal(br_write_durably(-1, "f", "x", 1, 0644), -1);
	assert_int_equal(count_entries(place->path), 2);
	br_auto(br_freep) char *got = br_read_file(place->fd, "f", 100, &len);
	assert_string_equal(got, "old");
}

static void test_write_durably_on_a_full_disk(void **state) {
	struct place *place = *state;
	size_t len = 0;
	if (mount("none", place->path, "tmpfs", 0, "size=8k")) {
		print_message("skipped: needs root that may mount a tmpfs\n");
		skip();
	}
	br_auto(br_closep) int dir = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_file(dir, "f", "old", 3);
	char *large = calloc(1, 100000);
	assert_int_equal(br_write_durably(dir, "f", large, 100000, 0644), -1);
	assert_int_equal(errno, ENOSPC);
	free(large);
	assert_int_equal(count_entries(place->path), 1);
	br_auto(br_freep) char *got = br_read_file(dir, "f", 100, &len);
	assert_string_equal(got, "old");
	br_closep(&dir);
	assert_int_equal(umount2(place->path, MNT_DETACH), 0);
}

static void test_random(void **state) {
	(void)state;
	unsigned char a[300] = {0};
	unsigned char b[300] = {0};
	assert_int_equal(br_random(a, sizeof(a)), 0);
	assert_int_equal(br_random(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, a + 150, 150);
	assert_int_equal(br_random(a, 0), 0);
}

/** The check value of the catalogue of CRCs, and the vectors of RFC 3720, B.4. */
static void test_crc32c(void **state) {
	(void)state;
	unsigned char bytes[32];
	assert_int_equal(br_crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(br_crc32c(br_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
	assert_int_equal(br_crc32c(0, "", 0), 0);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(br_crc32c(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(br_crc32c(0, bytes, 32), 0x62a8ab43);
	for (size_t i = 0; i < 32; i++) {
		bytes[i] = (unsigned char)i;
	}
	assert_int_equal(br_crc32c(0, bytes, 32), 0x46dd794e);
	for (size_t i = 0; i < 32; i++) {
		bytes[i] = (unsigned char)(31 - i);
	}
	assert_int_equal(br_crc32c(0, bytes, 32), 0x113fdb5c);
	// However it is cut, and wherever it begins.
	for (size_t from = 0; from < 9; from++) {
		uint32_t by_byte = 7;
		for (size_t to = from; to < 32; to++) {
			assert_int_equal(br_crc32c(7, bytes + from, to - from), by_byte);
			by_byte = br_crc32c(by_byte, bytes + to, 1);
		}
	}
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_read_sizes),
		cmocka_unit_test(test_read_pipe),
		cmocka_unit_test(test_read_proc),
		IN_PLACE(test_read_only_regular),
		IN_PLACE(test_read_without_memory),
		IN_PLACE(test_beneath),
		cmocka_unit_test(test_beneath_other_file_systems),
		cmocka_unit_test(test_write_all_to_a_full_device),
		IN_PLACE(test_write_durably),
		IN_PLACE(test_write_durably_fails_whole),
		IN_PLACE(test_write_durably_on_a_full_disk),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_crc32c),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
