/**
 * The engines: whose rules apply, and in which versions they differ. Facts alone; nothing is looked
 * up on the host.
 */
#ifndef BINDRIGHT_ENGINE_H
#define BINDRIGHT_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

/** An engine, and whether it runs as root. */
enum br_engine {
	/** The input does not say; compose files are Docker's then. */
	BR_ENGINE_UNSAID,
	BR_ENGINE_DOCKER,
	BR_ENGINE_DOCKER_ROOTLESS,
	BR_ENGINE_PODMAN,
	BR_ENGINE_PODMAN_ROOTLESS,
	/** An OCI runtime (runc, crun) with a bundle: nothing is looked up, numbers are what they
	 * are. */
	BR_ENGINE_OCI,
};

/** What some engines do in some versions only. */
enum br_trait {
	/** A missing source of `-v` becomes a directory. */
	BR_TRAIT_CREATES_SOURCES,
	/** Names are looked up in the files that are mounted over the image's passwd and group. */
	BR_TRAIT_READS_MOUNTED_ACCOUNTS,
	/** "app:" says a group, an empty one: no supplementary groups of the image. */
	BR_TRAIT_COLON_IS_GROUP,
	/** Where nobody says a user, the group is 0, whatever the image's passwd has for root. */
	BR_TRAIT_UNSAID_GROUP_IS_ROOTS,
	/** Groups of the image's that have a user as a member count below 2^31-1 only. */
	BR_TRAIT_DROPS_LARGE_GROUPS,
	/** A user that is not root has what is added (`--cap-add`) in effect. */
	BR_TRAIT_AMBIENT_CAPS,
	/** A capability cannot be added and dropped. */
	BR_TRAIT_CAPS_CONFLICT,
	/** The image's label io.containers.capabilities says what root has. */
	BR_TRAIT_CAPS_LABEL,
	/** `keep-id` is there for the rootful engine too, and gives no user namespace. */
	BR_TRAIT_ROOTFUL_KEEP_ID,
	/** keep-id takes uid= and gid=. */
	BR_TRAIT_KEEP_ID_NUMBERS,
	/** keep-id takes uid=0 and gid=0 where there are subordinate IDs. */
	BR_TRAIT_KEEP_ID_ZERO,
	/** keep-id takes size=. */
	BR_TRAIT_KEEP_ID_SIZE,
	/** `--uidmap` knows the flags +, u, g and the sign @. */
	BR_TRAIT_MAP_FLAGS,
	/** The UID of a `--hostuser` is read in base 8. */
	BR_TRAIT_OCTAL_HOST_USER,
	/** CONTAINERS_CONF_OVERRIDE is read after all other settings. */
	BR_TRAIT_SETTINGS_OVERRIDE,
	/** Root, too, has settings in the home directory. */
	BR_TRAIT_SETTINGS_OF_ROOT,
	/** A list of the settings can say that it is added to the one before. */
	BR_TRAIT_SETTINGS_APPEND,
};

/** "docker", "podman-rootless", … as --engine has it; "docker" for UNSAID. */
const char *br_engine_name(enum br_engine engine);
/** "Docker", "Podman" or "the OCI runtime", for sentences. */
const char *br_engine_title(enum br_engine engine);
/** The engine of that name; UNSAID where there is none. */
enum br_engine br_engine_named(const char *name);
/** Docker or Podman without root. */
bool br_engine_is_rootless(enum br_engine engine);
bool br_engine_is_podman(enum br_engine engine);
/** The newest version that was measured: major * 100 + minor; 0 where versions make no difference. */
unsigned br_engine_newest(enum br_engine engine);
/** Whether that version (major * 100 + minor) of the engine does so. Source: measured, and the
 * release notes of Podman. */
bool br_engine_has(enum br_engine engine, unsigned version, enum br_trait trait);
/** What root has there without cap_add and cap_drop, bit 1 << CAP_…; 0 for OCI, where the bundle
 * says everything. */
uint64_t br_engine_default_caps(enum br_engine engine, unsigned version);

#endif
