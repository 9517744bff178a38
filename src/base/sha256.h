/** SHA-256 (FIPS 180-4), for the digests by which images name their parts, and plans what they were
 * made for. */
#ifndef BR_BASE_SHA256_H
#define BR_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t state[8];
	uint64_t n;
	unsigned char block[64];
};

void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *bytes, size_t n);
/** Nothing more will be added: the digest stands in `state`. */
void sha256_close(struct sha256 *hash);
/** The same, and the digest in writing: 64 lower-case digits and a NUL. */
void sha256_end(struct sha256 *hash, char hex[65]);

#endif
