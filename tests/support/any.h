/**
 * For tests: random inodes from a few IDs, so that owners, groups and named entries meet.
 */
#ifndef BR_TESTS_ANY_H
#define BR_TESTS_ANY_H

#include <bindright/inode.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>

/** A source of numbers; the same seed gives the same numbers. */
struct any {
	uint64_t state;
};

/** The seed: BR_SEED, or a new one. Printed, so that a failure can be had again. */
static inline uint64_t any_seed(void) {
	const char *words = getenv("BR_SEED");
	uint64_t seed = words ? strtoull(words, NULL, 0) : 0;
	if (!words && getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		abort();
	}
	(void)printf("BR_SEED=0x%llx\n", (unsigned long long)seed);
	(void)fflush(stdout);
	return seed;
}

/** splitmix64. */
static inline uint64_t any_u64(struct any *any) {
	uint64_t z = any->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/** 0 to n - 1. */
static inline uint32_t any_below(struct any *any, uint32_t n) {
	return (uint32_t)((any_u64(any) >> 32) * n >> 32);
}

enum {
	ANY_IDS = 6,
};

/** One of these stands for root, the others for users or groups. */
static inline br_hostid any_id_number(unsigned i) {
	static const uint32_t ids[ANY_IDS] = {0, 1001, 1002, 2000, 2001, 101000};
	return (br_hostid){ids[i]};
}

static inline br_hostid any_id(struct any *any) {
	return any_id_number(any_below(any, ANY_IDS));
}

/** Permission bits; nothing and everything come up more often than by chance. */
static inline uint16_t any_perm(struct any *any) {
	uint32_t kind = any_below(any, 8);
	return (uint16_t)(kind == 0 ? 0 : kind == 1 ? 7 : any_below(any, 8));
}

/** Entries for some of the IDs, each at most once. */
static inline size_t any_named(struct any *any, enum br_acl_tag tag, struct br_acl_entry *entries) {
	size_t n = 0;
	for (uint32_t tries = any_below(any, 4); tries > 0; tries--) {
		struct br_acl_entry e = {
			.tag = (uint16_t)tag, .perm = any_perm(any), .id = any_id(any)};
		size_t i = 0;
		while (i < n && entries[i].id.v != e.id.v) {
			i++;
		}
		entries[i] = e;
		n += i == n;
	}
	return n;
}

/** A valid ACL of more than three entries. */
static inline const struct br_acl *any_acl(struct any *any, struct br_acls *acls) {
	struct br_acl_entry entries[16] = {
		{BR_ACL_OWNER, any_perm(any), {BR_NO_ID}},
		{BR_ACL_OWNING_GROUP, any_perm(any), {BR_NO_ID}},
		{BR_ACL_OTHER, any_perm(any), {BR_NO_ID}},
		{BR_ACL_MASK, any_perm(any), {BR_NO_ID}},
	};
	size_t n = 4;
	n += any_named(any, BR_ACL_USER, &entries[n]);
	n += any_named(any, BR_ACL_GROUP, &entries[n]);
	return br_acls_make(acls, entries, n);
}

static inline unsigned any_perm_of(const struct br_acl *acl, enum br_acl_tag tag) {
	return br_acl_find(acl, tag, (br_hostid){BR_NO_ID})->perm;
}

/**
 * Owner, group, mode and access ACL, which agree, of an inode of this type; the special bits are a
 * subset of `special`.
 */
static inline struct br_inode any_inode(
	struct any *any, struct br_acls *acls, uint32_t type, uint32_t special) {
	struct br_inode inode = {
		.mode = type | ((uint32_t)any_below(any, 8) << 9 & special),
		.uid = any_id(any),
		.gid = any_id(any),
		.have = BR_HAVE_ACL,
	};
	if (any_below(any, 2)) {
		inode.acl = any_acl(any, acls);
		inode.mode |= any_perm_of(inode.acl, BR_ACL_OWNER) << 6
			| any_perm_of(inode.acl, BR_ACL_MASK) << 3
			| any_perm_of(inode.acl, BR_ACL_OTHER);
	} else {
		inode.mode |=
			(uint32_t)any_perm(any) << 6 | (uint32_t)any_perm(any) << 3 | any_perm(any);
	}
	return inode;
}

#endif
