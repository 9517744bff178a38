/**
 * For tests: ACLs in setfacl's short form ("u::rwx,u:1001:r-x,g::---,m::rwx,o::---").
 */
#ifndef BR_TESTS_ACL_WORDS_H
#define BR_TESTS_ACL_WORDS_H

#include <base/text.h>
#include <bindright/inode.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static inline uint16_t perm_of_word(const char *word) {
	return (uint16_t)((word[0] == 'r' ? BR_R : 0) | (word[1] == 'w' ? BR_W : 0)
		| (word[2] == 'x' ? BR_X : 0));
}

/** "u:1001:rwx" */
static inline struct br_acl_entry entry_of_word(char *word) {
	char *id = strchr(word, ':');
	char *perm = id ? strchr(id + 1, ':') : NULL;
	assert(id && perm);
	*perm++ = '\0';
	*id++ = '\0';
	struct br_acl_entry e = {.perm = perm_of_word(perm), .id = {BR_NO_ID}};
	if (*id) {
		e.tag = *word == 'u' ? BR_ACL_USER : BR_ACL_GROUP;
		if (br_parse_u32(id, BR_NO_ID - 1, &e.id.v)) {
			abort();
		}
		return e;
	}
	e.tag = *word == 'u'   ? BR_ACL_OWNER
		: *word == 'g' ? BR_ACL_OWNING_GROUP
		: *word == 'm' ? BR_ACL_MASK
			       : BR_ACL_OTHER;
	return e;
}

/** Interned; NULL for NULL. */
static inline const struct br_acl *acl_of_words(struct br_acls *acls, const char *words) {
	struct br_acl_entry entries[32];
	size_t n = 0;
	char copy[512];
	if (!words) {
		return NULL;
	}
	assert(strlen(words) < sizeof(copy));
	(void)strncpy(copy, words, sizeof(copy) - 1);
	copy[sizeof(copy) - 1] = '\0';
	char *rest = NULL;
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		assert(n < 32);
		entries[n++] = entry_of_word(word);
	}
	const struct br_acl *acl = br_acls_make(acls, entries, n);
	assert(acl);
	return acl;
}

#endif
