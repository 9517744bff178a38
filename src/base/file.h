/**
 * Files: bounded reads, strict resolution beneath a directory, durable writes. Reports by errno.
 */
#ifndef BR_BASE_FILE_H
#define BR_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Everything that can be read from fd (a regular file, a pipe, standard input), at most max bytes,
 * as heap memory with a NUL behind it; the caller frees. NULL with errno, EFBIG when there is more
 * than max.
 */
char *br_read_fd(int fd, size_t max, size_t *len);
/** The same of a path: only a regular file (EISDIR, EINVAL otherwise); links are followed. Never
 * blocks on a FIFO. */
char *br_read_file(int dirfd, const char *path, size_t max, size_t *len);

/**
 * openat2 with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS, plus RESOLVE_NO_XDEV
 * unless cross; without the first where the path is a single name, which cannot lead out of its
 * directory. EAGAIN is tried again up to 32 times, EINTR always. O_CLOEXEC is added. `path` ""
 * means the directory itself. -1 with errno; ENOSYS on a kernel without openat2 (the caller decides
 * whether that is fatal; nothing falls back to openat).
 */
int br_open_beneath(int dirfd, const char *path, int flags, bool cross);

/** Write all n bytes, through EINTR and short writes. 0 or -1. */
int br_write_all(int fd, const void *bytes, size_t n);

/**
 * Replace dir/name by a file with these bytes: written under another name, synced, renamed,
 * directory synced. Mode as given. 0, or -1 with errno and the old file untouched.
 */
int br_write_durably(int dirfd, const char *name, const void *bytes, size_t n, uint32_t mode);

/** Bytes from getrandom; 0 or -1. */
int br_random(void *out, size_t n);

/** CRC-32C (Castagnoli) continued from `crc` (start with 0). */
uint32_t br_crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
