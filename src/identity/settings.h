/**
 * Podman's settings: which files, in which order, and what of them counts here.
 */
#ifndef BR_IDENTITY_SETTINGS_H
#define BR_IDENTITY_SETTINGS_H

#include <bindright/identity.h>

/**
 * Fill mode->settings of a Podman: engine, version and user are there. Source: containers.conf(5),
 * and containers/common, systemConfigs. 0, or -1 with an error in dx for what Podman does not read
 * either.
 */
int settings_read(struct br_arena *arena, const struct br_engine_request *request,
	struct br_engine_mode *mode, struct br_diags *dx);

#endif
