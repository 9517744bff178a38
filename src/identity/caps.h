/**
 * Docker's capabilities of a container.
 */
#ifndef BR_IDENTITY_CAPS_H
#define BR_IDENTITY_CAPS_H

#include <bindright/spec.h>

#include <stdint.h>

/** Every capability that has a name. */
uint64_t br_caps_all(void);

/**
 * What the container's process may at most have: the bounding set, which a root process has in effect. `privileged` is
 * everything, whatever is dropped; an added ALL is everything but what is dropped by name; a dropped ALL is what is added; else the
 * default without what is dropped and with what is added, so that an added one wins (moby daemon/pkg/oci/caps, TweakCapabilities).
 * 0, or -1 with an error at each word that names none.
 */
int br_caps_of(const struct br_container *box, struct br_diags *dx, uint64_t *out);

#endif
