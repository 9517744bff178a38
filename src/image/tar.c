#include "stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum {
	BUFFER = 64 << 10,
};

// Loaded when an archive is to be read: with what it needs, libarchive is half of all that the
// program would load at each start.
#define CALLS(X) \
	X(archive_entry_filetype) \
	X(archive_entry_free) \
	X(archive_entry_gid) \
	X(archive_entry_hardlink) \
	X(archive_entry_mode) \
	X(archive_entry_new) \
	X(archive_entry_pathname) \
	X(archive_entry_rdevmajor) \
	X(archive_entry_rdevminor) \
	X(archive_entry_set_filetype) \
	X(archive_entry_set_pathname) \
	X(archive_entry_set_size) \
	X(archive_entry_size) \
	X(archive_entry_symlink) \
	X(archive_entry_uid) \
	X(archive_error_string) \
	X(archive_read_append_filter) \
	X(archive_read_data) \
	X(archive_read_free) \
	X(archive_read_new) \
	X(archive_read_next_header) \
	X(archive_read_open1) \
	X(archive_read_set_callback_data) \
	X(archive_read_set_read_callback) \
	X(archive_read_set_skip_callback) \
	X(archive_read_support_format_empty) \
	X(archive_read_support_format_raw) \
	X(archive_read_support_format_tar) \
	X(archive_set_error) \
	X(archive_write_close) \
	X(archive_write_free) \
	X(archive_write_header) \
	X(archive_write_new) \
	X(archive_write_open_memory) \
	X(archive_write_set_format_pax)

// NOLINTNEXTLINE(bugprone-macro-parentheses): a member is declared
#define CALL(name) __typeof__(name) *name;
static struct {
	CALLS(CALL)
	void *library;
} la;
#undef CALL

/** For one thread. */
static bool load(void) {
	if (la.library) {
		return true;
	}
	void *library = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		return false;
	}
#define CALL(name) {(void **)&la.name, #name},
	const struct {
		void **call;
		const char *name;
	} wanted[] = {CALLS(CALL)};
#undef CALL
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		*wanted[i].call = dlsym(library, wanted[i].name);
		if (!*wanted[i].call) {
			(void)dlclose(library);
			return false;
		}
	}
	la.library = library;
	return true;
}

/** libarchive pulling from a stream. */
struct pull {
	struct archive *archive;
	struct stream *from;
	struct effort *effort;
	char *buffer;
};

struct unpack {
	struct stream stream;
	struct pull pull;
	struct tap *packed;
	uint64_t bytes;
};

struct tar {
	struct stream data;
	struct pull pull;
};

static la_ssize_t give(struct archive *archive, void *context, const void **bytes) {
	struct pull *pull = context;
	ssize_t got = pull->from->read(pull->from, pull->buffer, BUFFER);
	*bytes = pull->buffer;
	if (got < 0) {
		la.archive_set_error(archive, EIO, "%s", pull->effort->why);
		return ARCHIVE_FATAL;
	}
	return got;
}

static la_int64_t pass_over(struct archive *archive, void *context, la_int64_t n) {
	struct pull *pull = context;
	(void)archive;
	return pull->from->skip ? pull->from->skip(pull->from, n) : 0;
}

static const char *reason(struct archive *archive) {
	const char *why = la.archive_error_string(archive);
	return why ? why : "no reason given";
}

static int pull_open(struct pull *pull, struct stream *from, struct effort *effort) {
	pull->from = from;
	pull->effort = effort;
	if (!load()) {
		return effort_fail(effort, "cannot be read: libarchive.so.13 cannot be loaded");
	}
	pull->archive = la.archive_read_new();
	pull->buffer = malloc(BUFFER);
	return pull->archive && pull->buffer ? 0 : effort_fail(effort, "needs too much memory");
}

static int pull_start(struct pull *pull) {
	if (la.archive_read_set_read_callback(pull->archive, give) != ARCHIVE_OK
		|| la.archive_read_set_skip_callback(pull->archive, pass_over) != ARCHIVE_OK
		|| la.archive_read_set_callback_data(pull->archive, pull) != ARCHIVE_OK
		|| la.archive_read_open1(pull->archive) != ARCHIVE_OK) {
		return effort_fail(pull->effort, "cannot be read: %s", reason(pull->archive));
	}
	return 0;
}

static void pull_close(struct pull *pull) {
	if (pull->archive) {
		(void)la.archive_read_free(pull->archive); // nothing was written
	}
	free(pull->buffer);
}

// ---- unpacking ----

static ssize_t read_unpacked(struct stream *stream, void *bytes, size_t n) {
	struct unpack *unpack = (struct unpack *)stream;
	struct effort *effort = unpack->pull.effort;
	ssize_t got = la.archive_read_data(unpack->pull.archive, bytes, n);
	if (got < 0) {
		return effort_fail(effort, "cannot be unpacked: %s", reason(unpack->pull.archive));
	}
	unpack->bytes += (uint64_t)got;
	effort->bytes += (uint64_t)got;
	if (unpack->bytes > EFFORT_FREE && unpack->bytes / EFFORT_RATIO > unpack->packed->bytes) {
		return effort_fail(
			effort, "expands to more than %d times its size", (int)EFFORT_RATIO);
	}
	if (effort->bytes > (uint64_t)EFFORT_GIGABYTES << 30) {
		return effort_fail(effort, "expands to more than %d GiB", (int)EFFORT_GIGABYTES);
	}
	return got;
}

static int choose_packing(struct archive *archive, enum packing packing) {
	// Only this one, once: left alone, libarchive unpacks what it finds inside too.
	int code = packing == PACKING_GZIP ? ARCHIVE_FILTER_GZIP : ARCHIVE_FILTER_ZSTD;
	return la.archive_read_support_format_raw(archive) == ARCHIVE_OK
			&& la.archive_read_support_format_empty(archive) == ARCHIVE_OK
			&& la.archive_read_append_filter(archive, code) == ARCHIVE_OK
		? 0
		: -1;
}

struct stream *unpack_open(
	struct unpack **unpack, struct tap *from, enum packing packing, struct effort *effort) {
	struct unpack *u = calloc(1, sizeof(*u));
	struct archive_entry *entry;
	*unpack = u;
	if (!u) {
		(void)effort_fail(effort, "needs too much memory");
		return NULL;
	}
	u->stream.read = read_unpacked;
	u->packed = from;
	if (pull_open(&u->pull, &from->stream, effort)) {
		return NULL;
	}
	if (choose_packing(u->pull.archive, packing)) {
		(void)effort_fail(effort, "cannot be unpacked: %s", reason(u->pull.archive));
		return NULL;
	}
	if (pull_start(&u->pull)) {
		return NULL;
	}
	int got = la.archive_read_next_header(u->pull.archive, &entry);
	if (got != ARCHIVE_OK && got != ARCHIVE_EOF) {
		(void)effort_fail(effort, "cannot be unpacked: %s", reason(u->pull.archive));
		return NULL;
	}
	return &u->stream;
}

void unpack_closep(struct unpack **unpack) {
	if (*unpack) {
		pull_close(&(*unpack)->pull);
		free(*unpack);
	}
}

// ---- tar ----

static ssize_t read_data(struct stream *stream, void *bytes, size_t n) {
	struct tar *tar = (struct tar *)stream;
	ssize_t got = la.archive_read_data(tar->pull.archive, bytes, n);
	if (got < 0) {
		return effort_fail(tar->pull.effort, "%s", reason(tar->pull.archive));
	}
	return got;
}

struct tar *tar_open(struct stream *from, struct effort *effort) {
	struct tar *tar = calloc(1, sizeof(*tar));
	if (!tar) {
		(void)effort_fail(effort, "needs too much memory");
		return NULL;
	}
	tar->data.read = read_data;
	if (pull_open(&tar->pull, from, effort)) {
		tar_closep(&tar);
		return NULL;
	}
	struct archive *archive = tar->pull.archive;
	if (la.archive_read_support_format_tar(archive) != ARCHIVE_OK
		|| la.archive_read_support_format_empty(archive) != ARCHIVE_OK) {
		(void)effort_fail(effort, "cannot be read: %s", reason(archive));
		tar_closep(&tar);
		return NULL;
	}
	if (pull_start(&tar->pull)) {
		tar_closep(&tar);
		return NULL;
	}
	return tar;
}

void tar_closep(struct tar **tar) {
	if (*tar) {
		pull_close(&(*tar)->pull);
		free(*tar);
		*tar = NULL;
	}
}

/** What is no ID is nobody's: it gives nothing to anybody. */
static uint32_t take_id(la_int64_t id) {
	return id >= 0 && id < UINT32_MAX ? (uint32_t)id : UINT32_MAX;
}

static void describe(struct archive_entry *entry, struct tar_entry *out) {
	const char *hard = la.archive_entry_hardlink(entry);
	*out = (struct tar_entry){
		.kind = TAR_OTHER,
		.name = la.archive_entry_pathname(entry),
		.size = la.archive_entry_size(entry),
		.uid = take_id(la.archive_entry_uid(entry)),
		.gid = take_id(la.archive_entry_gid(entry)),
		.mode = (uint32_t)la.archive_entry_mode(entry) & 07777,
	};
	if (hard) {
		out->kind = TAR_HARDLINK;
		out->link = hard;
		return;
	}
	switch (la.archive_entry_filetype(entry)) {
	case S_IFREG:
		out->kind = TAR_FILE;
		break;
	case S_IFDIR:
		out->kind = TAR_DIRECTORY;
		break;
	case S_IFLNK:
		out->link = la.archive_entry_symlink(entry);
		out->kind = out->link ? TAR_SYMLINK : TAR_OTHER;
		break;
	case S_IFCHR:
		if (!la.archive_entry_rdevmajor(entry) && !la.archive_entry_rdevminor(entry)) {
			out->kind = TAR_WHITEOUT;
		}
		break;
	default:
		break;
	}
}

int tar_next(struct tar *tar, struct tar_entry *out) {
	struct archive_entry *entry = NULL;
	do {
		int got = la.archive_read_next_header(tar->pull.archive, &entry);
		if (got == ARCHIVE_EOF) {
			return 0;
		}
		// A warning is about a name or an attribute that cannot be shown in this locale.
		if (got != ARCHIVE_OK && got != ARCHIVE_WARN) {
			return effort_fail(
				tar->pull.effort, "is damaged: %s", reason(tar->pull.archive));
		}
		if (++tar->pull.effort->entries > EFFORT_ENTRIES) {
			return effort_fail(
				tar->pull.effort, "has more than %d entries", (int)EFFORT_ENTRIES);
		}
		describe(entry, out);
	} while (!out->name);
	if (out->size < 0) {
		return effort_fail(tar->pull.effort, "is damaged: an entry has a negative size");
	}
	return 1;
}

struct stream *tar_data(struct tar *tar) {
	return &tar->data;
}

// ---- before confinement ----

/** A tar with a name that ASCII cannot say, in memory. Bytes used, or 0. */
static size_t make_sample(char *bytes, size_t n) {
	if (!load()) {
		return 0;
	}
	struct archive *archive = la.archive_write_new();
	struct archive_entry *entry = la.archive_entry_new();
	size_t used = 0;
	if (archive && entry && la.archive_write_set_format_pax(archive) == ARCHIVE_OK
		&& la.archive_write_open_memory(archive, bytes, n, &used) == ARCHIVE_OK) {
		la.archive_entry_set_pathname(entry, "\xc3\xa9");
		la.archive_entry_set_filetype(entry, S_IFREG);
		la.archive_entry_set_size(entry, 0);
		// A sample that could not be made warms nothing up, no more.
		(void)la.archive_write_header(archive, entry);
		(void)la.archive_write_close(archive);
	}
	la.archive_entry_free(entry);
	(void)la.archive_write_free(archive);
	return used;
}

struct memory_stream {
	struct stream stream;
	const char *bytes;
	size_t n;
};

static ssize_t read_memory(struct stream *stream, void *bytes, size_t n) {
	struct memory_stream *memory = (struct memory_stream *)stream;
	n = n < memory->n ? n : memory->n;
	memcpy(bytes, memory->bytes, n);
	memory->bytes += n;
	memory->n -= n;
	return (ssize_t)n;
}

void tar_prepare(void) {
	char bytes[16384];
	struct effort effort = {0};
	struct tar_entry entry;
	struct memory_stream memory = {.stream = {.read = read_memory}, .bytes = bytes};
	memory.n = make_sample(bytes, sizeof(bytes));
	struct tar *tar = tar_open(&memory.stream, &effort);
	while (tar && tar_next(tar, &entry) > 0) {
	}
	tar_closep(&tar);
}
