/**
 * For the tests of plan/ that throw dice: demands, and inodes in any state, of a few users and
 * groups. BR_SEED repeats a run.
 */
#ifndef BR_TESTS_PLAN_DICE_H
#define BR_TESTS_PLAN_DICE_H

#include "plan_world.h"

#include <base/text.h>

static uint64_t seed;

static inline uint32_t draw(uint32_t n) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 20) % n);
}

static inline void start(const char *what) {
	const char *word = getenv("BR_SEED");
	uint32_t n = 0;
	if (!word || br_parse_u32(word, UINT32_MAX, &n)) {
		n = (uint32_t)time(NULL) ^ (uint32_t)getpid() << 16;
	}
	seed = (uint64_t)n * 0x9e3779b97f4a7c15u + 1;
	print_message("%s: BR_SEED=%u\n", what, n);
}

static inline uint64_t rounds(uint64_t usual) {
	const char *word = getenv("BR_ROUNDS");
	uint64_t n;
	return word && br_parse_u64(word, UINT32_MAX, &n) == 0 ? n : usual;
}

static const uint32_t uids[] = {0, 1000, 1001, 1002, 1003, 1007};
static const uint32_t gids[] = {0, 1000, 1001, 1002, 2000, 2001, 33};

static inline uint32_t some(const uint32_t *ids, size_t n) {
	return ids[draw((uint32_t)n)];
}

/** Room for a demand's groups. */
static br_hostid groups[PEOPLE][3];

static inline void random_demands(struct world *w, bool caps) {
	uint32_t n = 1 + draw(PEOPLE);
	w->tree.n = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct who who = {
			.cred = {.uid = {some(uids, N(uids))}, .gid = {some(gids, N(gids))}}};
		who.need.as_any = draw(3) > 0;
		who.need.dir = draw(2) ? RWX : RX;
		who.need.file = who.need.as_any ? who.need.dir : 1 + draw(7);
		// Sorted, as the kernel has them.
		for (uint32_t k = 0, at = 0; k < 3 && draw(2); k++) {
			at += draw(3);
			if (at < N(gids)) {
				static const uint32_t sorted[] = {
					0, 33, 1000, 1001, 1002, 2000, 2001};
				groups[i][who.cred.ngroups++] = (br_hostid){sorted[at++]};
			}
		}
		who.cred.groups = groups[i];
		who.below = draw(4) ? "" : "a";
		if (caps && draw(6) == 0) {
			who.cred.caps =
				draw(2) ? 1ull << CAP_DAC_OVERRIDE : 1ull << CAP_DAC_READ_SEARCH;
		}
		demand(w, &who);
	}
}

static const struct br_acl *random_acl(struct world *w, uint32_t *mode) {
	struct br_acl_entry v[12];
	size_t n = 0;
	unsigned perm[3] = {*mode >> 6 & 7, draw(8), *mode & 7};
	static const uint16_t tags[] = {BR_ACL_OWNER, BR_ACL_OWNING_GROUP, BR_ACL_OTHER};
	for (size_t i = 0; i < 3; i++) {
		v[n++] = (struct br_acl_entry){
			.tag = tags[i], .perm = (uint16_t)perm[i], .id = {BR_NO_ID}};
	}
	// The mask: none of it in a third of all.
	uint16_t mask = draw(3) ? (uint16_t)draw(8) : 0;
	v[n++] = (struct br_acl_entry){.tag = BR_ACL_MASK, .perm = mask, .id = {BR_NO_ID}};
	for (size_t i = 0; i < N(uids); i++) {
		if (draw(3) == 0) {
			v[n++] = (struct br_acl_entry){
				.tag = BR_ACL_USER, .perm = (uint16_t)draw(8), .id = {uids[i]}};
		}
	}
	for (size_t i = 0; i < N(gids) && n < N(v); i++) {
		if (draw(4) == 0) {
			v[n++] = (struct br_acl_entry){
				.tag = BR_ACL_GROUP, .perm = (uint16_t)draw(8), .id = {gids[i]}};
		}
	}
	*mode = (*mode & ~(uint32_t)070) | (uint32_t)mask << 3;
	const struct br_acl *acl = br_acls_make(w->acls, v, n);
	assert_non_null(acl);
	return acl;
}

static inline struct br_inode random_inode(struct world *w) {
	uint32_t mode = draw(512);
	mode |= draw(2) ? D : F;
	if ((mode & S_IFDIR) == S_IFDIR && draw(4) == 0) {
		mode |= draw(4) << 9;
	}
	if (draw(2)) {
		// The same for group and others, as files usually are.
		mode = (mode & ~(uint32_t)070) | (mode & 7) << 3;
	}
	const struct br_acl *acl = draw(2) ? random_acl(w, &mode) : NULL;
	struct br_inode inode = inode_of(w, mode, some(uids, N(uids)), some(gids, N(gids)), NULL);
	inode.acl = acl;
	return inode;
}

#endif
