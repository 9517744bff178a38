/**
 * Whose words name a file. What root reads because a text of somebody else's names it may be shown
 * in a message, so it must be readable for everybody who could have written that text. Reports by
 * errno.
 */
#ifndef BR_BASE_AUTHORS_H
#define BR_BASE_AUTHORS_H

#include <stddef.h>
#include <sys/types.h>

enum {
	/** Beyond that many, and for a text that everybody may write: nobody's user, who may read
	 * what everybody may. */
	BR_AUTHORS = 64,
};

/** Users of the host, without root and whom root trusts. */
struct br_authors {
	uid_t v[BR_AUTHORS];
	size_t n;
};

/**
 * Add who may have written an open file: its owner, and who else may write it by its group, by
 * everybody's bits or by its ACL (the members of a group are those whom the system's databases
 * name). Where the effective user is not root, nobody: he reads with his own eyes. Without memory:
 * nobody's user.
 */
void br_authors_add(struct br_authors *authors, int fd, uid_t trusted);
void br_authors_join(struct br_authors *to, const struct br_authors *from);

/** As br_open_input(), what all these users may open by the same path, or -1 with BR_EAUTHOR. */
int br_open_for(const struct br_authors *authors, const char *path, int flags, uid_t trusted);
/** br_read_input's contract (the most bytes are in *len before; 0 there after a failure), of such a
 * file; who may have written it is added to *wrote (which may be NULL). */
char *br_read_for(const struct br_authors *authors, const char *path, uid_t trusted, size_t *len,
	struct br_authors *wrote);

#endif
