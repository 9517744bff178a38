/** The one table of what differs between compose versions; each row was seen in 2.26.1, 2.40.3 and the sources of both. */
#include "compose.h"

enum {
	/** What counts where nobody says which version: the newest that was measured. */
	NEWEST = 240,
};

/** The first version with the rule, major * 100 + minor. Between 2.26 and 2.40 nothing was measured: a rule begins where its source says, or with 2.40. */
static const unsigned since[] = {
	[BR_SINCE_CALLERS_DOTENV] = 227,
	[BR_SINCE_MOUNT_TYPES] = 227,
	[BR_SINCE_ENGINE_CREATES] = 227,
	[BR_SINCE_PWD] = 240,
	[BR_SINCE_UNC] = 240,
	[BR_SINCE_ONE_TARGET] = 240,
	[BR_SINCE_NUMBER_IS_WORD] = 240,
	[BR_SINCE_FORMS] = 240,
	[BR_SINCE_ONE_NAME] = 240,
	[BR_SINCE_NO_NEGATIVE_SCALE] = 240,
	[BR_SINCE_BIND_CREATES] = 241,
	[BR_SINCE_INCLUDED_GIVES_WAY] = 241,
};

bool br_compose_since(unsigned version, enum br_since rule) {
	return (version ? version : NEWEST) >= since[rule];
}
