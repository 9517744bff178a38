/**
 * Which engine's rules apply: what the input says of it, before anything is looked up on the host.
 */
#ifndef BINDRIGHT_ENGINE_H
#define BINDRIGHT_ENGINE_H

/** An engine, and whether it runs as root. */
enum br_engine {
	/** The input does not say; compose files are Docker's then. */
	BR_ENGINE_UNSAID,
	BR_ENGINE_DOCKER,
	BR_ENGINE_DOCKER_ROOTLESS,
	BR_ENGINE_PODMAN,
	BR_ENGINE_PODMAN_ROOTLESS,
	/** An OCI runtime (runc, crun) with a bundle: nothing is looked up, numbers are what they are. */
	BR_ENGINE_OCI,
};

#endif
