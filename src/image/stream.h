/**
 * Bytes on their way out of an archive: pulled by whoever reads last, through counting, hashing and
 * unpacking. Nothing is ever written anywhere.
 *
 *     file ─ tap (bytes, digest) ─ unpack ─ tap (digest) ─ tar
 *
 * tar.c is the only user of libarchive. All of this runs in the confined child, which ends with the
 * archive; a failure leaves its reason in struct effort.
 */
#ifndef BR_IMAGE_STREAM_H
#define BR_IMAGE_STREAM_H

#include <base/mem.h>
#include <base/sha256.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** What reading one archive may cost, and why it failed. */
struct effort {
	/** Unpacked bytes and tar entries so far, of all layers and passes together. */
	uint64_t bytes;
	uint64_t entries;
	char why[256];
};

enum {
	EFFORT_ENTRIES = 2000000,
	/** Unpacked to packed bytes, once more than EFFORT_FREE bytes came out. */
	EFFORT_RATIO = 1000,
	EFFORT_FREE = 16 << 20,
	EFFORT_GIGABYTES = 20,
};

/** Keep the first reason. Always -1. */
int effort_fail(struct effort *effort, const char *format, ...) BR_PRINTF(2, 3);

struct stream {
	/** Up to n bytes, 0 at the end, -1 with the reason in its effort. */
	ssize_t (*read)(struct stream *stream, void *bytes, size_t n);
	/** Go on by up to n bytes without reading them and say by how many; NULL where that cannot
	 * be done. */
	int64_t (*skip)(struct stream *stream, int64_t n);
};

/** A file from its first byte, without moving its offset. */
struct file_stream {
	struct stream stream;
	struct effort *effort;
	int fd;
	uint64_t at, size;
};
int file_stream_open(struct file_stream *file, int fd, struct effort *effort);

/** Bytes of another stream: counted, hashed if `hashing`, and the first ones can be looked at
 * before. Skips if nothing is hashed. */
struct tap {
	struct stream stream;
	struct stream *from;
	bool hashing;
	struct sha256 hash;
	uint64_t bytes;
	unsigned char held[4];
	size_t nheld, given;
};
void tap_open(struct tap *tap, struct stream *from, bool hashing);

enum packing {
	PACKING_NONE,
	PACKING_GZIP,
	PACKING_ZSTD,
	/** bzip2 or xz: engines know them, nobody uses them here. */
	PACKING_OTHER,
};

/** By the first bytes, as engines do. -1 if they cannot be read. */
int tap_packing(struct tap *tap, enum packing *out);

/** Read what is left, so that the digest is whole. */
int stream_drain(struct stream *stream);

/** What comes out of gzip or zstd; counted as effort. NULL with the reason. */
struct unpack;
struct stream *unpack_open(
	struct unpack **unpack, struct tap *from, enum packing packing, struct effort *effort);
void unpack_closep(struct unpack **unpack);

enum tar_kind {
	TAR_FILE,
	TAR_DIRECTORY,
	TAR_SYMLINK,
	TAR_HARDLINK,
	/** A character device 0/0: overlayfs' own whiteout. */
	TAR_WHITEOUT,
	TAR_OTHER,
};

/** An entry; its strings live until the next one. */
struct tar_entry {
	enum tar_kind kind;
	const char *name;
	/** Target of a link, else NULL. */
	const char *link;
	int64_t size;
	/** Owner and permission bits with set-ID and sticky. */
	uint32_t uid, gid, mode;
};

struct tar;
struct tar *tar_open(struct stream *from, struct effort *effort);
void tar_closep(struct tar **tar);
/** 1, 0 at the end, -1. Entries without a name are passed over. */
int tar_next(struct tar *tar, struct tar_entry *out);
/** The bytes of the entry: a stream until the next entry. */
struct stream *tar_data(struct tar *tar);

/** Have libarchive and libc load what they open files for, before the process gives up its rights. */
void tar_prepare(void);

/**
 * "etc/passwd" for "./etc//passwd", "/etc/passwd", "etc/passwd/": no slash at either end; "" is the
 * root. NULL with errno 0 for a name with "..", which no engine's tar has; NULL with ENOMEM.
 */
char *clean_name(struct br_arena *arena, const char *name);

#endif
