/**
 * Who can write a directory, and so put something else where a name in it leads to.
 */
#ifndef BR_SOURCE_TRUST_H
#define BR_SOURCE_TRUST_H

#include "step.h"

#include <stdbool.h>

/**
 * Whether somebody beside root, the directory's owner and `trusted` can rename or replace what
 * others own in it. The sticky bit prevents it. A group does not count where by /etc/group and
 * /etc/passwd nobody else is in it; with an ACL, or one that cannot be read, the group's bits may
 * be anybody's. `ask_acl`: its ACL may be read (no file system that may hang).
 */
bool br_others_can_swap(const struct br_step *dir, uid_t trusted, bool ask_acl);

#endif
