/** WHO of `explain --as WHO`. */
#ifndef BR_CLI_WHO_H
#define BR_CLI_WHO_H

#include "cli.h"

/** Read --as, --caps, --uid-map and --gid-map into credentials, in the arena. 0, or -1 with an
 * error in dx. */
int who_read(
	const struct cli *cli, struct br_arena *arena, struct br_hostdb *db, struct br_cred *out);

#endif
