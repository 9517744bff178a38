#include "facts.h"

#include <base/mem.h>
#include <base/own.h>
#include <bindright/inode.h>

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// struct posix_acl_xattr_header and posix_acl_xattr_entry of linux/posix_acl_xattr.h, all little
// endian:
//
//	u32 version | u16 tag  u16 perm  u32 id | u16 tag  u16 perm  u32 id | …
enum {
	VERSION = 2,
	HEADER_SIZE = 4,
	ENTRY_SIZE = 8,
	FIRST_BUCKETS = 64,
};

// An interned thing: either an ACL or a blob.
struct node {
	struct node *next;
	uint64_t hash;
	const struct br_acl *acl;
	const struct br_blob *blob;
};

struct br_acls {
	struct br_arena arena;
	struct node **buckets;
	size_t nbuckets;
	size_t nnodes;
	// Room to decode into before it is known whether the ACL is a new one.
	struct br_acl_entry *scratch;
	size_t scratch_cap;
};

struct br_acls *br_acls_new(void) {
	struct br_acls *acls = calloc(1, sizeof(*acls));
	if (!acls) {
		return NULL;
	}
	acls->buckets = calloc(FIRST_BUCKETS, sizeof(*acls->buckets));
	if (!acls->buckets) {
		free(acls);
		return NULL;
	}
	acls->nbuckets = FIRST_BUCKETS;
	return acls;
}

void br_acls_free(struct br_acls *acls) {
	if (!acls) {
		return;
	}
	br_arena_release(&acls->arena);
	free((void *)acls->buckets);
	free(acls->scratch);
	free(acls);
}

void br_acls_freep(struct br_acls **acls) {
	int saved = errno;
	br_acls_free(*acls);
	*acls = NULL;
	errno = saved;
}

// FNV-1a's way, but eight bytes at a time, whose upper half is folded in.
static uint64_t hash_bytes(const void *bytes, size_t n) {
	const unsigned char *p = bytes;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	while (n > 0) {
		uint64_t word = n;
		size_t take = n < sizeof(word) ? n : sizeof(word);
		memcpy(&word, p, take);
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
		p += take;
		n -= take;
	}
	return hash;
}

// Where this hash's chain begins.
static struct node **chain(const struct br_acls *acls, uint64_t hash) {
	return &acls->buckets[hash & (acls->nbuckets - 1)];
}

// Twice the buckets once there are as many nodes; a failure only makes the chains longer.
static void spread(struct br_acls *acls) {
	size_t n = acls->nbuckets * 2;
	struct node **old = acls->buckets;
	struct node **buckets = acls->nnodes < acls->nbuckets ? NULL : calloc(n, sizeof(*buckets));
	if (!buckets) {
		return;
	}
	size_t nold = acls->nbuckets;
	acls->buckets = buckets;
	acls->nbuckets = n;
	for (size_t i = 0; i < nold; i++) {
		for (struct node *node = old[i], *next = NULL; node; node = next) {
			next = node->next;
			node->next = *chain(acls, node->hash);
			*chain(acls, node->hash) = node;
		}
	}
	free((void *)old);
}

static int insert(struct br_acls *acls, struct node what) {
	spread(acls);
	struct node *node = BR_NEW(&acls->arena, struct node);
	if (!node) {
		return -1;
	}
	*node = what;
	node->next = *chain(acls, what.hash);
	*chain(acls, what.hash) = node;
	acls->nnodes++;
	return 0;
}

static const struct br_acl *intern(
	struct br_acls *acls, const struct br_acl_entry *entries, size_t n) {
	size_t size = n * sizeof(*entries);
	uint64_t hash = hash_bytes(entries, size);
	for (const struct node *node = *chain(acls, hash); node; node = node->next) {
		if (node->acl && node->hash == hash && node->acl->n == n
			&& !memcmp(node->acl->entries, entries, size)) {
			return node->acl;
		}
	}
	struct br_acl *acl = br_alloc(&acls->arena, sizeof(*acl) + size);
	if (!acl) {
		return NULL;
	}
	acl->n = n;
	memcpy(acl->entries, entries, size);
	return insert(acls, (struct node){.hash = hash, .acl = acl}) ? NULL : acl;
}

const struct br_blob *br_acls_blob(struct br_acls *acls, const void *bytes, size_t n) {
	uint64_t hash = hash_bytes(bytes, n);
	for (const struct node *node = *chain(acls, hash); node; node = node->next) {
		if (node->blob && node->hash == hash && node->blob->n == n
			&& (n == 0 || !memcmp(node->blob->bytes, bytes, n))) {
			return node->blob;
		}
	}
	struct br_blob *blob = br_alloc(&acls->arena, sizeof(*blob) + n);
	if (!blob) {
		return NULL;
	}
	blob->n = n;
	if (n) {
		memcpy(blob->bytes, bytes, n);
	}
	return insert(acls, (struct node){.hash = hash, .blob = blob}) ? NULL : blob;
}

static int reserve(struct br_acls *acls, size_t n) {
	if (n <= acls->scratch_cap) {
		return 0;
	}
	struct br_acl_entry *grown = reallocarray(acls->scratch, n, sizeof(*grown));
	if (!grown) {
		return -1;
	}
	acls->scratch = grown;
	acls->scratch_cap = n;
	return 0;
}

static bool is_named(uint16_t tag) {
	return tag == BR_ACL_USER || tag == BR_ACL_GROUP;
}

// posix_acl_valid(): the tags' values ascend in the one order that is allowed; owner, owning group
// and other exactly once, the mask at most once, and exactly once where there are named entries.
// Named entries may repeat an ID: the first one counts.
static bool is_valid(const struct br_acl_entry *entries, size_t n) {
	unsigned seen = 0;
	for (size_t i = 0; i < n; i++) {
		const struct br_acl_entry *e = &entries[i];
		bool known = e->tag && e->tag <= BR_ACL_OTHER && !(e->tag & (e->tag - 1));
		bool repeats = (seen & e->tag) && !is_named(e->tag);
		bool late = seen >= 2U * e->tag;
		if (!known || repeats || late || (e->perm & ~7U)
			|| (is_named(e->tag) && e->id.v == BR_NO_ID)) {
			return false;
		}
		seen |= e->tag;
	}
	unsigned needed = BR_ACL_OWNER | BR_ACL_OWNING_GROUP | BR_ACL_OTHER;
	if (seen & (BR_ACL_USER | BR_ACL_GROUP)) {
		needed |= BR_ACL_MASK;
	}
	return (seen & needed) == needed;
}

// IDs of entries that have none are all made the same, so that equal ACLs are equal bytes.
static struct br_acl_entry plain_entry(struct br_acl_entry e) {
	if (!is_named(e.tag)) {
		e.id.v = BR_NO_ID;
	}
	return e;
}

static uint16_t get16(const unsigned char *p) {
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static uint32_t get32(const unsigned char *p) {
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

const struct br_acl *br_acls_decode(struct br_acls *acls, const void *blob, size_t n) {
	const unsigned char *p = blob;
	if (n < HEADER_SIZE || (n - HEADER_SIZE) % ENTRY_SIZE || get32(p) != VERSION) {
		errno = EINVAL;
		return NULL;
	}
	size_t nentries = (n - HEADER_SIZE) / ENTRY_SIZE;
	if (reserve(acls, nentries)) {
		return NULL;
	}
	p += HEADER_SIZE;
	for (size_t i = 0; i < nentries; i++, p += ENTRY_SIZE) {
		acls->scratch[i] = plain_entry((struct br_acl_entry){
			.tag = get16(p), .perm = get16(p + 2), .id.v = get32(p + 4)});
	}
	if (!is_valid(acls->scratch, nentries)) {
		errno = EINVAL;
		return NULL;
	}
	return intern(acls, acls->scratch, nentries);
}

static bool is_before(const struct br_acl_entry *x, const struct br_acl_entry *y) {
	return x->tag != y->tag ? x->tag < y->tag : x->id.v < y->id.v;
}

// Two neighbouring sorted runs, from `from` to `middle` and on to `to`, become one in `out`.
static void merge(const struct br_acl_entry *v, size_t from, size_t middle, size_t to,
	struct br_acl_entry *out) {
	size_t a = from;
	size_t b = middle;
	for (size_t i = from; i < to; i++) {
		bool second = a == middle || (b < to && is_before(&v[b], &v[a]));
		out[i] = second ? v[b++] : v[a++];
	}
}

// Of two entries for one user the first counts, so equal ones keep their order, which qsort(3) does
// not promise.
static void sort_entries(struct br_acl_entry *v, struct br_acl_entry *room, size_t n) {
	for (size_t run = 1; run < n; run *= 2) {
		for (size_t from = 0; from < n; from += 2 * run) {
			size_t middle = from + run < n ? from + run : n;
			size_t to = middle + run < n ? middle + run : n;
			merge(v, from, middle, to, room);
		}
		memcpy(v, room, n * sizeof(*v));
	}
}

const struct br_acl *br_acls_make(
	struct br_acls *acls, const struct br_acl_entry *entries, size_t n) {
	if (reserve(acls, 2 * n)) {
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		acls->scratch[i] = plain_entry(entries[i]);
	}
	sort_entries(acls->scratch, acls->scratch + n, n);
	if (!is_valid(acls->scratch, n)) {
		errno = EINVAL;
		return NULL;
	}
	return intern(acls, acls->scratch, n);
}

size_t br_acl_size(const struct br_acl *acl) {
	return HEADER_SIZE + acl->n * ENTRY_SIZE;
}

static unsigned char *put16(unsigned char *p, uint16_t v) {
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static unsigned char *put32(unsigned char *p, uint32_t v) {
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

void br_fact_encode(const struct br_acl_entry *entries, size_t n, void *out) {
	unsigned char *p = put32(out, VERSION);
	for (size_t i = 0; i < n; i++) {
		p = put32(put16(put16(p, entries[i].tag), entries[i].perm), entries[i].id.v);
	}
}

void br_acl_encode(const struct br_acl *acl, void *out) {
	br_fact_encode(acl->entries, acl->n, out);
}

const struct br_acl_entry *br_acl_find(
	const struct br_acl *acl, enum br_acl_tag tag, br_hostid id) {
	for (size_t i = 0; i < acl->n; i++) {
		const struct br_acl_entry *e = &acl->entries[i];
		if (e->tag == tag && (!is_named(e->tag) || e->id.v == id.v)) {
			return e;
		}
	}
	return NULL;
}
