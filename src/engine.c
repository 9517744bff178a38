#include <bindright/engine.h>

#include <stddef.h>
#include <string.h>

enum {
	/** Of an engine without root, too. */
	DOCKER = 1 << 0,
	PODMAN = 1 << 1,
	OCI = 1 << 2,
	/** From the first version on; without an end. */
	ALWAYS = 0,
	EVER = 100 * 100,
};

static const struct {
	const char *name;
	const char *title;
	unsigned family;
	bool is_rootless;
} engines[] = {
	[BR_ENGINE_UNSAID] = {"docker", "Docker", DOCKER, false},
	[BR_ENGINE_DOCKER] = {"docker", "Docker", DOCKER, false},
	[BR_ENGINE_DOCKER_ROOTLESS] = {"docker-rootless", "Docker", DOCKER, true},
	[BR_ENGINE_PODMAN] = {"podman", "Podman", PODMAN, false},
	[BR_ENGINE_PODMAN_ROOTLESS] = {"podman-rootless", "Podman", PODMAN, true},
	[BR_ENGINE_OCI] = {"oci", "the OCI runtime", OCI, false},
};

enum {
	NENGINES = sizeof(engines) / sizeof(engines[0]),
};

/** Who does what, from which version on and before which. */
static const struct {
	enum br_trait trait;
	unsigned family;
	unsigned from;
	unsigned before;
} traits[] = {
	{BR_TRAIT_CREATES_SOURCES, DOCKER, ALWAYS, EVER},
	{BR_TRAIT_READS_MOUNTED_ACCOUNTS, PODMAN, ALWAYS, EVER},
	{BR_TRAIT_COLON_IS_GROUP, PODMAN, ALWAYS, EVER},
	{BR_TRAIT_UNSAID_GROUP_IS_ROOTS, PODMAN, ALWAYS, EVER},
	{BR_TRAIT_DROPS_LARGE_GROUPS, PODMAN, ALWAYS, EVER},
	{BR_TRAIT_AMBIENT_CAPS, PODMAN, ALWAYS, EVER},
	{BR_TRAIT_CAPS_CONFLICT, PODMAN, ALWAYS, EVER},
	{BR_TRAIT_CAPS_LABEL, PODMAN, ALWAYS, EVER},
	{BR_TRAIT_ROOTFUL_KEEP_ID, PODMAN, 405, EVER},
	{BR_TRAIT_KEEP_ID_NUMBERS, PODMAN, 403, EVER},
	{BR_TRAIT_KEEP_ID_ZERO, PODMAN, 501, EVER},
	{BR_TRAIT_KEEP_ID_SIZE, PODMAN, 504, EVER},
	{BR_TRAIT_MAP_FLAGS, PODMAN, 407, EVER},
	{BR_TRAIT_OCTAL_HOST_USER, PODMAN, ALWAYS, 407},
	// containers/common 0.54, 0.56 and 0.57
	{BR_TRAIT_SETTINGS_OVERRIDE, PODMAN, 406, EVER},
	{BR_TRAIT_SETTINGS_OF_ROOT, PODMAN, 407, EVER},
	{BR_TRAIT_SETTINGS_APPEND, PODMAN, 408, EVER},
};

// chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service sys_chroot setfcap
#define COMMON_CAPS UINT64_C(0x800405fb)
// … and mknod, net_raw, audit_write
#define DOCKER_CAPS UINT64_C(0xa80425fb)

/** What root has. */
static const struct {
	unsigned family;
	unsigned from;
	unsigned before;
	uint64_t caps;
} default_caps[] = {
	{DOCKER, ALWAYS, EVER, DOCKER_CAPS},
	// Podman 3 had these three as well (containers/common, default_capabilities).
	{PODMAN, ALWAYS, 400, DOCKER_CAPS},
	{PODMAN, 400, EVER, COMMON_CAPS},
};

const char *br_engine_name(enum br_engine engine) {
	return engines[engine].name;
}

const char *br_engine_title(enum br_engine engine) {
	return engines[engine].title;
}

enum br_engine br_engine_named(const char *name) {
	for (unsigned i = BR_ENGINE_DOCKER; i < NENGINES; i++) {
		if (strcmp(engines[i].name, name) == 0) {
			return (enum br_engine)i;
		}
	}
	return BR_ENGINE_UNSAID;
}

bool br_engine_is_rootless(enum br_engine engine) {
	return engines[engine].is_rootless;
}

bool br_engine_is_podman(enum br_engine engine) {
	return engines[engine].family == PODMAN;
}

unsigned br_engine_newest(enum br_engine engine) {
	switch (engines[engine].family) {
	case DOCKER:
		return 2601;
	case PODMAN:
		return 504;
	}
	return 0;
}

bool br_engine_has(enum br_engine engine, unsigned version, enum br_trait trait) {
	for (size_t i = 0; i < sizeof(traits) / sizeof(traits[0]); i++) {
		if (traits[i].trait == trait && traits[i].family == engines[engine].family) {
			return version >= traits[i].from && version < traits[i].before;
		}
	}
	return false;
}

uint64_t br_engine_default_caps(enum br_engine engine, unsigned version) {
	for (size_t i = 0; i < sizeof(default_caps) / sizeof(default_caps[0]); i++) {
		if (default_caps[i].family == engines[engine].family
			&& version >= default_caps[i].from && version < default_caps[i].before) {
			return default_caps[i].caps;
		}
	}
	return 0;
}
