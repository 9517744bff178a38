/**
 * Files that run as their owner or with capabilities: whoever was the owner for a while may have
 * put something else into them, which must not run with those rights once they are given back.
 */
#ifndef BR_APPLY_CONTENTS_H
#define BR_APPLY_CONTENTS_H

#include <bindright/inode.h>

enum {
	/** Bytes of a digest. */
	BR_CONTENTS = 32,
};

/** Whether a file has setuid, setgid or capabilities before, and not all of them after. */
bool br_privilege_goes(const struct br_inode *before, const struct br_inode *after);
/** The same state without them. */
struct br_inode br_privilege_dropped(const struct br_inode *inode);

/** The digest of what is in the regular file (dirfd, name), if it still is `expect`. -1 with errno:
 * EFBIG where there is too much to be read. */
int br_contents_read(int dirfd, const char *name, bool cross, const struct br_inode *expect,
	unsigned char out[BR_CONTENTS]);
/** NULL if that is what is in it (`want`, not NULL), and nobody has it open for writing or mapped
 * so; else one clause. */
const char *br_contents_differ(int dirfd, const char *name, bool cross,
	const struct br_inode *expect, const unsigned char *want);

#endif
