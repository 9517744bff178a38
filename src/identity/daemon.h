/**
 * Docker's userns-remap: what daemon.json says, and whom dockerd makes of it.
 */
#ifndef BR_IDENTITY_DAEMON_H
#define BR_IDENTITY_DAEMON_H

#include <base/mem.h>
#include <bindright/identity.h>

/** The value of userns-remap in daemon.json; out->s NULL where there is no file, no key, or "". The
 * request's --daemon-config must be there. 0, or -1 with an error in dx. */
int daemon_read_remap(struct br_arena *arena, const struct br_hostdb *db,
	const struct br_engine_request *request, struct br_text *out, struct br_diags *dx);

/**
 * The user whose ranges are taken (moby, parseRemappedRoot): "USER[:GROUP]", names or numbers;
 * numbers need accounts. 1 with *user; 0 where containers are not remapped (root), or where dockerd
 * will make the user dockremap first (*later); -1 with an error at the word.
 */
int daemon_find_user(struct br_hostdb *db, const struct br_text *word,
	const struct br_host_user **user, bool *later, struct br_diags *dx);

#endif
