/**
 * The capabilities that an engine gives to a container.
 */
#ifndef BR_IDENTITY_CAPS_H
#define BR_IDENTITY_CAPS_H

#include <bindright/identity.h>

#include <stdint.h>

/** Every capability that has a name. */
uint64_t br_caps_all(void);

/** What the engine says to the runtime. */
struct br_caps {
	/** What the process may at most have, which root has in effect. */
	uint64_t bounding;
	/** What another user has in effect. */
	uint64_t ambient;
	/** The image's label chose the bounding set. */
	bool from_label;
	/** A word that is added and dropped where the engine refuses that, or NULL. */
	const char *conflict;
};

/**
 * `privileged` is everything, whatever is dropped; an added ALL is everything but what is dropped
 * by name; a dropped ALL is what is added; else the engine's default without what is dropped and
 * with what is added, so that an added one wins (moby daemon/pkg/oci/caps, TweakCapabilities;
 * containers/common, MergeCapabilities). The ambient set is what is added, with engines that have
 * one. A literal container's two sets are as they are. 0, or -1 with an error at each word that
 * names none.
 */
int br_caps_of(const struct br_container *box, const struct br_engine_mode *mode,
	const struct br_image *image, struct br_caps *out, struct br_diags *dx);

#endif
