#include <base/file.h>
#include <base/own.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/** x^8 steps of the reflected Castagnoli polynomial 0x82f63b78, one for each byte. */
static const uint32_t crc32c_table[256] = {
	0x00000000,
	0xf26b8303,
	0xe13b70f7,
	0x1350f3f4,
	0xc79a971f,
	0x35f1141c,
	0x26a1e7e8,
	0xd4ca64eb,
	0x8ad958cf,
	0x78b2dbcc,
	0x6be22838,
	0x9989ab3b,
	0x4d43cfd0,
	0xbf284cd3,
	0xac78bf27,
	0x5e133c24,
	0x105ec76f,
	0xe235446c,
	0xf165b798,
	0x030e349b,
	0xd7c45070,
	0x25afd373,
	0x36ff2087,
	0xc494a384,
	0x9a879fa0,
	0x68ec1ca3,
	0x7bbcef57,
	0x89d76c54,
	0x5d1d08bf,
	0xaf768bbc,
	0xbc267848,
	0x4e4dfb4b,
	0x20bd8ede,
	0xd2d60ddd,
	0xc186fe29,
	0x33ed7d2a,
	0xe72719c1,
	0x154c9ac2,
	0x061c6936,
	0xf477ea35,
	0xaa64d611,
	0x580f5512,
	0x4b5fa6e6,
	0xb93425e5,
	0x6dfe410e,
	0x9f95c20d,
	0x8cc531f9,
	0x7eaeb2fa,
	0x30e349b1,
	0xc288cab2,
	0xd1d83946,
	0x23b3ba45,
	0xf779deae,
	0x05125dad,
	0x1642ae59,
	0xe4292d5a,
	0xba3a117e,
	0x4851927d,
	0x5b016189,
	0xa96ae28a,
	0x7da08661,
	0x8fcb0562,
	0x9c9bf696,
	0x6ef07595,
	0x417b1dbc,
	0xb3109ebf,
	0xa0406d4b,
	0x522bee48,
	0x86e18aa3,
	0x748a09a0,
	0x67dafa54,
	0x95b17957,
	0xcba24573,
	0x39c9c670,
	0x2a993584,
	0xd8f2b687,
	0x0c38d26c,
	0xfe53516f,
	0xed03a29b,
	0x1f682198,
	0x5125dad3,
	0xa34e59d0,
	0xb01eaa24,
	0x42752927,
	0x96bf4dcc,
	0x64d4cecf,
	0x77843d3b,
	0x85efbe38,
	0xdbfc821c,
	0x2997011f,
	0x3ac7f2eb,
	0xc8ac71e8,
	0x1c661503,
	0xee0d9600,
	0xfd5d65f4,
	0x0f36e6f7,
	0x61c69362,
	0x93ad1061,
	0x80fde395,
	0x72966096,
	0xa65c047d,
	0x5437877e,
	0x4767748a,
	0xb50cf789,
	0xeb1fcbad,
	0x197448ae,
	0x0a24bb5a,
	0xf84f3859,
	0x2c855cb2,
	0xdeeedfb1,
	0xcdbe2c45,
	0x3fd5af46,
	0x7198540d,
	0x83f3d70e,
	0x90a324fa,
	0x62c8a7f9,
	0xb602c312,
	0x44694011,
	0x5739b3e5,
	0xa55230e6,
	0xfb410cc2,
	0x092a8fc1,
	0x1a7a7c35,
	0xe811ff36,
	0x3cdb9bdd,
	0xceb018de,
	0xdde0eb2a,
	0x2f8b6829,
	0x82f63b78,
	0x709db87b,
	0x63cd4b8f,
	0x91a6c88c,
	0x456cac67,
	0xb7072f64,
	0xa457dc90,
	0x563c5f93,
	0x082f63b7,
	0xfa44e0b4,
	0xe9141340,
	0x1b7f9043,
	0xcfb5f4a8,
	0x3dde77ab,
	0x2e8e845f,
	0xdce5075c,
	0x92a8fc17,
	0x60c37f14,
	0x73938ce0,
	0x81f80fe3,
	0x55326b08,
	0xa759e80b,
	0xb4091bff,
	0x466298fc,
	0x1871a4d8,
	0xea1a27db,
	0xf94ad42f,
	0x0b21572c,
	0xdfeb33c7,
	0x2d80b0c4,
	0x3ed04330,
	0xccbbc033,
	0xa24bb5a6,
	0x502036a5,
	0x4370c551,
	0xb11b4652,
	0x65d122b9,
	0x97baa1ba,
	0x84ea524e,
	0x7681d14d,
	0x2892ed69,
	0xdaf96e6a,
	0xc9a99d9e,
	0x3bc21e9d,
	0xef087a76,
	0x1d63f975,
	0x0e330a81,
	0xfc588982,
	0xb21572c9,
	0x407ef1ca,
	0x532e023e,
	0xa145813d,
	0x758fe5d6,
	0x87e466d5,
	0x94b49521,
	0x66df1622,
	0x38cc2a06,
	0xcaa7a905,
	0xd9f75af1,
	0x2b9cd9f2,
	0xff56bd19,
	0x0d3d3e1a,
	0x1e6dcdee,
	0xec064eed,
	0xc38d26c4,
	0x31e6a5c7,
	0x22b65633,
	0xd0ddd530,
	0x0417b1db,
	0xf67c32d8,
	0xe52cc12c,
	0x1747422f,
	0x49547e0b,
	0xbb3ffd08,
	0xa86f0efc,
	0x5a048dff,
	0x8ecee914,
	0x7ca56a17,
	0x6ff599e3,
	0x9d9e1ae0,
	0xd3d3e1ab,
	0x21b862a8,
	0x32e8915c,
	0xc083125f,
	0x144976b4,
	0xe622f5b7,
	0xf5720643,
	0x07198540,
	0x590ab964,
	0xab613a67,
	0xb831c993,
	0x4a5a4a90,
	0x9e902e7b,
	0x6cfbad78,
	0x7fab5e8c,
	0x8dc0dd8f,
	0xe330a81a,
	0x115b2b19,
	0x020bd8ed,
	0xf0605bee,
	0x24aa3f05,
	0xd6c1bc06,
	0xc5914ff2,
	0x37faccf1,
	0x69e9f0d5,
	0x9b8273d6,
	0x88d28022,
	0x7ab90321,
	0xae7367ca,
	0x5c18e4c9,
	0x4f48173d,
	0xbd23943e,
	0xf36e6f75,
	0x0105ec76,
	0x12551f82,
	0xe03e9c81,
	0x34f4f86a,
	0xc69f7b69,
	0xd5cf889d,
	0x27a40b9e,
	0x79b737ba,
	0x8bdcb4b9,
	0x988c474d,
	0x6ae7c44e,
	0xbe2da0a5,
	0x4c4623a6,
	0x5f16d052,
	0xad7d5351,
};

static ssize_t read_some(int fd, char *into, size_t n) {
	ssize_t got = -1;
	do {
		got = read(fd, into, n);
	} while (got < 0 && errno == EINTR);
	return got;
}

/** How much to ask memory for at first: the size of a regular file, one byte more to see its end. */
static size_t first_guess(int fd, size_t max) {
	struct stat st;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		size_t size = (size_t)st.st_size;
		return size < max ? size + 1 : max + 1;
	}
	return max < 4095 ? max + 1 : 4096;
}

char *br_read_fd(int fd, size_t max, size_t *len) {
	if (max > SIZE_MAX / 4) {
		max = SIZE_MAX / 4;
	}
	size_t cap = first_guess(fd, max);
	size_t n = 0;
	br_auto(br_freep) char *out = malloc(cap + 1);
	if (!out) {
		errno = ENOMEM;
		return NULL;
	}
	for (;;) {
		ssize_t got = read_some(fd, out + n, cap - n);
		if (got < 0) {
			return NULL;
		}
		if (got == 0) {
			break;
		}
		n += (size_t)got;
		if (n > max) {
			errno = EFBIG;
			return NULL;
		}
		if (n < cap) {
			continue;
		}
		cap = cap < max / 2 ? cap * 2 : max + 1;
		char *grown = realloc(out, cap + 1);
		if (!grown) {
			errno = ENOMEM;
			return NULL;
		}
		out = grown;
	}
	out[n] = '\0';
	*len = n;
	return br_steal(&out);
}

static int require_regular(const struct stat *st) {
	if (S_ISREG(st->st_mode)) {
		return 0;
	}
	errno = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
	return -1;
}

char *br_read_file(int dirfd, const char *path, size_t max, size_t *len) {
	struct stat st;
	// Opening a device may do something, so look first; what was opened is looked at again.
	if (fstatat(dirfd, path, &st, 0) || require_regular(&st)) {
		return NULL;
	}
	br_auto(br_closep) int fd =
		openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) || require_regular(&st)) {
		return NULL;
	}
	return br_read_fd(fd, max, len);
}

/** Whether the path is one name: no slash, and not "..". */
static bool is_name(const char *path) {
	return !strchr(path, '/') && strcmp(path, "..") != 0;
}

int br_open_beneath(int dirfd, const char *path, int flags, bool cross) {
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.mode = flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? 0600 : 0,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	// A name cannot lead out. To watch over it, the kernel would count a reference on the
	// directory, which all threads at work in it would wait for (legitimize_root()).
	if (!is_name(path)) {
		how.resolve |= RESOLVE_BENEATH;
	}
	if (!cross) {
		how.resolve |= RESOLVE_NO_XDEV;
	}
	int tries = 0;
	for (;;) {
		long fd = syscall(SYS_openat2, dirfd, *path ? path : ".", &how, sizeof(how));
		if (fd >= 0) {
			return (int)fd;
		}
		// A rename somewhere on the way made the kernel unsure about "..".
		bool again = errno == EINTR || (errno == EAGAIN && ++tries <= 32);
		if (!again) {
			return -1;
		}
	}
}

int br_write_all(int fd, const void *bytes, size_t n) {
	const char *at = bytes;
	while (n) {
		ssize_t put = write(fd, at, n);
		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put <= 0) {
			errno = put ? errno : EIO;
			return -1;
		}
		at += put;
		n -= (size_t)put;
	}
	return 0;
}

/** A directory's descriptor that can be synced, whatever kind of descriptor dirfd is. */
static int open_for_sync(int dirfd) {
	return openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/** Sync a directory; file systems that cannot say so by EINVAL. */
static int sync_directory(int fd) {
	return fsync(fd) && errno != EINVAL ? -1 : 0;
}

/** Make dir/name with these bytes, on the disk. */
static int write_new(int dir, const char *name, const void *bytes, size_t n, uint32_t mode) {
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -1;
	}
	int failed = br_write_all(fd, bytes, n) || fchmod(fd, mode) || fsync(fd);
	int kept = errno;
	// Some network file systems report a failed write only now.
	if (close(fd) && !failed) {
		failed = 1;
		kept = errno;
	}
	if (failed) {
		// Nobody knows the name; what matters is the first error.
		(void)unlinkat(dir, name, 0);
	}
	errno = kept;
	return failed ? -1 : 0;
}

int br_write_durably(int dirfd, const char *name, const void *bytes, size_t n, uint32_t mode) {
	uint64_t salt = 0;
	char other[40];
	if (!*name || strchr(name, '/')) {
		errno = EINVAL;
		return -1;
	}
	br_auto(br_closep) int dir = open_for_sync(dirfd);
	if (dir < 0 || br_random(&salt, sizeof(salt))) {
		return -1;
	}
	(void)snprintf(other, sizeof(other), ".bindright-%016llx", (unsigned long long)salt);
	if (write_new(dir, other, bytes, n, mode)) {
		return -1;
	}
	if (renameat(dir, other, dir, name)) {
		int kept = errno;
		(void)unlinkat(dir, other, 0);
		errno = kept;
		return -1;
	}
	return sync_directory(dir);
}

int br_random(void *out, size_t n) {
	char *at = out;
	while (n) {
		ssize_t got = getrandom(at, n, 0);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			return -1;
		}
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

static uint32_t crc32c_bytes(uint32_t crc, const unsigned char *at, size_t n) {
	for (size_t i = 0; i < n; i++) {
		crc = crc >> 8 ^ crc32c_table[(crc ^ at[i]) & 0xff];
	}
	return crc;
}

#ifdef __x86_64__
/** The processor's own instruction, eight bytes at a time. */
__attribute__((target("sse4.2"))) static uint32_t crc32c_words(
	uint32_t crc, const unsigned char *at, size_t n) {
	uint64_t wide = crc;
	for (; n >= sizeof(uint64_t); n -= sizeof(uint64_t), at += sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, at, sizeof(word));
		wide = __builtin_ia32_crc32di(wide, word);
	}
	return crc32c_bytes((uint32_t)wide, at, n);
}
#endif

uint32_t br_crc32c(uint32_t crc, const void *bytes, size_t n) {
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2")) {
		return ~crc32c_words(~crc, bytes, n);
	}
#endif
	return ~crc32c_bytes(~crc, bytes, n);
}
