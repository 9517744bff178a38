/**
 * A scan in a process of its own, for file systems that may stop answering: what waits for one for
 * ever, even against SIGKILL, is left behind with that process.
 */
#ifndef BR_SCAN_WATCHED_H
#define BR_SCAN_WATCHED_H

#include "walk.h"

struct watched;

/** The scan of these options, in a child. NULL with errno. */
struct watched *br_watched_new(
	int root_fd, struct br_acls *acls, const struct br_scan_options *options);
/** As br_scan_next. Where the file system has not answered for BR_SCAN_SECONDS, a last BR_LEAF with
 * ETIMEDOUT says so, then whatever is entered is left. */
int br_watched_next(struct watched *watched, const struct br_entry **entry);
void br_watched_free(struct watched *watched);

#endif
