/**
 * What other files of identity/ need of the host's files.
 */
#ifndef BR_IDENTITY_HOSTDB_H
#define BR_IDENTITY_HOSTDB_H

#include <bindright/identity.h>

/** A file below the sysroot as it was read; bytes NULL where there is none. */
struct hostdb_text {
	/** As people know it: "/etc/subuid", with the sysroot before it. */
	const char *name;
	const char *bytes;
	size_t n;
};

/** subuid, or subgid. */
const struct hostdb_text *hostdb_subids(const struct br_hostdb *db, bool groups);
/** Read a file below the sysroot ("etc/docker/daemon.json") into the arena; out->bytes is NULL
 * where there is none. 0, or -1 with an error in dx. */
int hostdb_file(const struct br_hostdb *db, struct br_arena *arena, const char *path,
	struct hostdb_text *out, struct br_diags *dx);

/** Open a file or directory below the sysroot for reading. A descriptor; -1 with errno, nothing is
 * said. */
int hostdb_open(const struct br_hostdb *db, const char *path);
/** A path of the host as it is found from here: with the sysroot before it where that is not "/".
 * NULL without memory. */
const char *hostdb_path(const struct br_hostdb *db, struct br_arena *arena, const char *path);

#endif
