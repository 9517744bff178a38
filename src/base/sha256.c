#include "sha256.h"

#include <stdio.h>
#include <string.h>

/** The first 32 bits behind the point of the cube roots of the first 64 primes. */
static const uint32_t rounds[64] = {
	0x428a2f98,
	0x71374491,
	0xb5c0fbcf,
	0xe9b5dba5,
	0x3956c25b,
	0x59f111f1,
	0x923f82a4,
	0xab1c5ed5,
	0xd807aa98,
	0x12835b01,
	0x243185be,
	0x550c7dc3,
	0x72be5d74,
	0x80deb1fe,
	0x9bdc06a7,
	0xc19bf174,
	0xe49b69c1,
	0xefbe4786,
	0x0fc19dc6,
	0x240ca1cc,
	0x2de92c6f,
	0x4a7484aa,
	0x5cb0a9dc,
	0x76f988da,
	0x983e5152,
	0xa831c66d,
	0xb00327c8,
	0xbf597fc7,
	0xc6e00bf3,
	0xd5a79147,
	0x06ca6351,
	0x14292967,
	0x27b70a85,
	0x2e1b2138,
	0x4d2c6dfc,
	0x53380d13,
	0x650a7354,
	0x766a0abb,
	0x81c2c92e,
	0x92722c85,
	0xa2bfe8a1,
	0xa81a664b,
	0xc24b8b70,
	0xc76c51a3,
	0xd192e819,
	0xd6990624,
	0xf40e3585,
	0x106aa070,
	0x19a4c116,
	0x1e376c08,
	0x2748774c,
	0x34b0bcb5,
	0x391c0cb3,
	0x4ed8aa4a,
	0x5b9cca4f,
	0x682e6ff3,
	0x748f82ee,
	0x78a5636f,
	0x84c87814,
	0x8cc70208,
	0x90befffa,
	0xa4506ceb,
	0xbef9a3f7,
	0xc67178f2,
};

/** The same of the square roots of the first 8. */
static const uint32_t start[8] = {
	0x6a09e667,
	0xbb67ae85,
	0x3c6ef372,
	0xa54ff53a,
	0x510e527f,
	0x9b05688c,
	0x1f83d9ab,
	0x5be0cd19,
};

static uint32_t turn(uint32_t x, unsigned n) {
	return x >> n | x << (32 - n);
}

static uint32_t word_at(const unsigned char *p) {
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void compress(uint32_t state[8], const unsigned char *block) {
	uint32_t w[64];
	uint32_t s[8];
	for (size_t i = 0; i < 16; i++) {
		w[i] = word_at(block + 4 * i);
	}
	for (size_t i = 16; i < 64; i++) {
		uint32_t a = w[i - 15];
		uint32_t b = w[i - 2];
		w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7]
			+ (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
	}
	memcpy(s, state, sizeof(s));
	for (size_t i = 0; i < 64; i += 8) {
		// The letters move on by one each round: after eight they are back.
		for (size_t k = 0; k < 8; k++) {
			uint32_t a = s[(8 - k) & 7];
			uint32_t b = s[(9 - k) & 7];
			uint32_t c = s[(10 - k) & 7];
			uint32_t e = s[(12 - k) & 7];
			uint32_t f = s[(13 - k) & 7];
			uint32_t g = s[(14 - k) & 7];
			uint32_t one = s[(15 - k) & 7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25))
				+ ((e & f) ^ (~e & g)) + rounds[i + k] + w[i + k];
			s[(11 - k) & 7] += one;
			s[(15 - k) & 7] = one + (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22))
				+ ((a & b) ^ (a & c) ^ (b & c));
		}
	}
	for (size_t i = 0; i < 8; i++) {
		state[i] += s[i];
	}
}

void sha256_begin(struct sha256 *hash) {
	*hash = (struct sha256){0};
	memcpy(hash->state, start, sizeof(start));
}

void sha256_add(struct sha256 *hash, const void *bytes, size_t n) {
	const unsigned char *p = bytes;
	size_t filled = hash->n % sizeof(hash->block);
	hash->n += n;
	if (filled) {
		size_t more = sizeof(hash->block) - filled;
		more = more < n ? more : n;
		memcpy(hash->block + filled, p, more);
		p += more;
		n -= more;
		if (filled + more < sizeof(hash->block)) {
			return;
		}
		compress(hash->state, hash->block);
	}
	for (; n >= sizeof(hash->block); n -= sizeof(hash->block)) {
		compress(hash->state, p);
		p += sizeof(hash->block);
	}
	if (n) {
		memcpy(hash->block, p, n);
	}
}

void sha256_close(struct sha256 *hash) {
	static const unsigned char padding[64] = {0x80};
	unsigned char length[8];
	for (size_t i = 0; i < 8; i++) {
		length[i] = (unsigned char)(hash->n * 8 >> (56 - 8 * i));
	}
	sha256_add(hash, padding, 1 + (119 - hash->n % 64) % 64);
	sha256_add(hash, length, sizeof(length));
}

void sha256_end(struct sha256 *hash, char hex[65]) {
	sha256_close(hash);
	for (size_t i = 0; i < 8; i++) {
		(void)snprintf(hex + 8 * i, 9, "%08x", hash->state[i]); // always fits
	}
}
