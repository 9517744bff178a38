#include "stream.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int effort_fail(struct effort *effort, const char *format, ...) {
	va_list args;
	va_start(args, format);
	if (!*effort->why) {
		(void)vsnprintf(
			effort->why, sizeof(effort->why), format, args); // cut short is fine
	}
	va_end(args);
	return -1;
}

static ssize_t read_file(struct stream *stream, void *bytes, size_t n) {
	struct file_stream *file = (struct file_stream *)stream;
	ssize_t got;
	do {
		got = pread(file->fd, bytes, n, (off_t)file->at);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		return effort_fail(file->effort, "cannot be read: %s", strerror(errno));
	}
	file->at += (uint64_t)got;
	return got;
}

static int64_t skip_file(struct stream *stream, int64_t n) {
	struct file_stream *file = (struct file_stream *)stream;
	uint64_t left = file->at < file->size ? file->size - file->at : 0;
	uint64_t step = n < 0 ? 0 : (uint64_t)n < left ? (uint64_t)n : left;
	file->at += step;
	return (int64_t)step;
}

int file_stream_open(struct file_stream *file, int fd, struct effort *effort) {
	struct stat facts;
	*file = (struct file_stream){
		.stream = {.read = read_file, .skip = skip_file}, .fd = fd, .effort = effort};
	if (fstat(fd, &facts)) {
		return effort_fail(effort, "cannot be read: %s", strerror(errno));
	}
	file->size = (uint64_t)facts.st_size;
	return 0;
}

static ssize_t read_tap(struct stream *stream, void *bytes, size_t n) {
	struct tap *tap = (struct tap *)stream;
	ssize_t got = 0;
	if (tap->given < tap->nheld) {
		size_t left = tap->nheld - tap->given;
		got = (ssize_t)(n < left ? n : left);
		memcpy(bytes, tap->held + tap->given, (size_t)got);
		tap->given += (size_t)got;
	} else {
		got = tap->from->read(tap->from, bytes, n);
	}
	if (got > 0) {
		tap->bytes += (uint64_t)got;
		if (tap->hashing) {
			sha256_add(&tap->hash, bytes, (size_t)got);
		}
	}
	return got;
}

static int64_t skip_tap(struct stream *stream, int64_t n) {
	struct tap *tap = (struct tap *)stream;
	if (tap->hashing || tap->given < tap->nheld || !tap->from->skip) {
		return 0;
	}
	int64_t step = tap->from->skip(tap->from, n);
	tap->bytes += (uint64_t)step;
	return step;
}

void tap_open(struct tap *tap, struct stream *from, bool hashing) {
	*tap = (struct tap){
		.stream = {.read = read_tap, .skip = skip_tap}, .from = from, .hashing = hashing};
	sha256_begin(&tap->hash);
}

int tap_packing(struct tap *tap, enum packing *out) {
	static const struct {
		const char *magic;
		size_t n;
		enum packing packing;
	} known[] = {
		{"\x1f\x8b", 2, PACKING_GZIP},
		{"\x28\xb5\x2f\xfd", 4, PACKING_ZSTD},
		{"BZh", 3, PACKING_OTHER},
		{"\xfd"
		 "7zX",
			4, PACKING_OTHER},
	};
	*out = PACKING_NONE;
	while (tap->nheld < sizeof(tap->held)) {
		ssize_t got = tap->from->read(
			tap->from, tap->held + tap->nheld, sizeof(tap->held) - tap->nheld);
		if (got < 0) {
			return -1;
		}
		if (!got) {
			break;
		}
		tap->nheld += (size_t)got;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (tap->nheld >= known[i].n && !memcmp(tap->held, known[i].magic, known[i].n)) {
			*out = known[i].packing;
		}
	}
	return 0;
}

int stream_drain(struct stream *stream) {
	char some[16384];
	ssize_t got;
	do {
		got = stream->read(stream, some, sizeof(some));
	} while (got > 0);
	return (int)got;
}

char *clean_name(struct br_arena *arena, const char *name) {
	char *out = br_strdup(arena, name);
	char *to = out;
	if (!out) {
		return NULL;
	}
	while (*name) {
		size_t n = strcspn(name, "/");
		if (n == 2 && !strncmp(name, "..", 2)) {
			errno = 0;
			return NULL;
		}
		if (n && !(n == 1 && *name == '.')) {
			*to = '/';
			to += to > out;
			memmove(to, name, n);
			to += n;
		}
		name += n + (name[n] == '/');
	}
	*to = '\0';
	return out;
}
