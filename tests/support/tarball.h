/**
 * For tests: tar archives and images made byte by byte, so that they can be as wrong as somebody
 * wants.
 */
#ifndef BR_TESTS_TARBALL_H
#define BR_TESTS_TARBALL_H

#include <base/text.h>

/** 'f' file, 'd' directory, 'l' symbolic link, 'h' hard link, 'c' character device 0/0, 'C' another
 * one, 'p' FIFO. */
struct tarball_entry {
	char type;
	const char *name;
	/** A file's bytes, or the target of a link. */
	const char *text;
};
/** Whose it is. */
struct tarball_owner {
	uint32_t uid, gid, mode;
};

/** One header block; `type` is tar's own typeflag. */
void tarball_header(
	struct br_buf *out, const char *name, char type, const char *link, uint64_t size);
/** The same with a size field that is written as it is (12 bytes). */
void tarball_raw_header(
	struct br_buf *out, const char *name, char type, const char *link, const char size[12]);
/** Bytes and zeros up to the next block. */
void tarball_bytes(struct br_buf *out, const char *bytes, size_t n);
void tarball_file(struct br_buf *out, const char *name, const char *bytes, size_t n);
void tarball_add(struct br_buf *out, const struct tarball_entry *entry);
/** The same with an owner and a mode; without them it is root's, 0644. */
void tarball_add_owned(
	struct br_buf *out, const struct tarball_entry *entry, const struct tarball_owner *owner);
/** A pax header with one record for the next entry. */
void tarball_pax(struct br_buf *out, const char *key, const char *value);
void tarball_end(struct br_buf *out);

/** Replace the bytes by themselves packed: 'g' gzip, 'z' zstd, 'b' bzip2, '-' not. */
void tarball_pack(struct br_buf *buf, char how);

/** "sha256:" is not in front; 64 digits. */
void tarball_digest(const struct br_buf *buf, char hex[65]);

/** An image to be wrapped up. */
struct tarball_image {
	/** "redis:7", or NULL. */
	const char *name;
	/** Members of "config", as "\"User\":\"app\"". */
	const char *config;
	/** Tar archives, packed or not. */
	struct br_buf layers[8];
	/** The digests of the unpacked layers. */
	char plain[8][65];
	size_t nlayers;
	/** "amd64" */
	const char *architecture;
};

/** As `docker save` before version 25. */
void tarball_docker(struct br_buf *out, const struct tarball_image *images, size_t n);

/** A file of an OCI layout. */
struct tarball_part {
	char name[128];
	struct br_buf bytes;
};
struct tarball_layout {
	struct tarball_part parts[64];
	size_t n;
};
/** Put the image's parts in and give its descriptor (without annotations, with platform) as JSON. */
char *tarball_oci_image(struct tarball_layout *layout, const struct tarball_image *image);
/** Put an index of these descriptors (JSON, with commas) in as a blob and give its descriptor. */
char *tarball_oci_index(struct tarball_layout *layout, const char *descriptors);
/** Finish with index.json of these descriptors. */
void tarball_oci_finish(struct tarball_layout *layout, const char *descriptors);
/** The layout as a tar, or below a directory. */
void tarball_oci_tar(struct br_buf *out, const struct tarball_layout *layout);
void tarball_oci_write(const char *directory, const struct tarball_layout *layout);
void tarball_layout_release(struct tarball_layout *layout);
void tarball_image_release(struct tarball_image *image);

#endif
