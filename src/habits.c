#include <bindright/habits.h>

#include <string.h>

// The newest row of an engine last. Docker 20.10 and 26.1, Podman 4.3 and 5.4: measured, with a
// mount below the source, and with volumes of `type: none, o: bind`. 25.0 is the release whose
// notes bring recursive read-only binds (they need Linux 5.12). runc and crun make a mount
// read-only, not what is below it, unless asked for `rro`.
// `:O`, `idmap` and mounts below a source of Podman 4.3 with crun 1.8; of 5.4 with crun 1.21
// `idmap` alone, the others in a user namespace are not measured.
static const struct br_habits table[] = {
	{BR_ENGINE_DOCKER, 0, .fills_empty = true, .nocopy_spares = true},
	{BR_ENGINE_DOCKER, 2500, .read_only_recursive = true, .fills_empty = true,
		.nocopy_spares = true},
	{BR_ENGINE_PODMAN, 0, .fills_empty = true, .adopts_full = true, .adopts_for_user = true,
		.overlay_needs_root = true, .idmap_needs_space = true,
		.crun_hides_submounts = true},
	{BR_ENGINE_PODMAN, 500, .fills_empty = true, .adopts_for_user = true},
	{.engine = BR_ENGINE_OCI},
};

/** Rootless or not makes no difference here, and who says nothing has Docker. */
static enum br_engine family(enum br_engine engine) {
	switch (engine) {
	case BR_ENGINE_UNSAID:
	case BR_ENGINE_DOCKER:
	case BR_ENGINE_DOCKER_ROOTLESS:
		return BR_ENGINE_DOCKER;
	case BR_ENGINE_PODMAN:
	case BR_ENGINE_PODMAN_ROOTLESS:
		return BR_ENGINE_PODMAN;
	case BR_ENGINE_OCI:
		return BR_ENGINE_OCI;
	}
	return BR_ENGINE_DOCKER;
}

const struct br_habits *br_habits(enum br_engine engine, unsigned version) {
	const struct br_habits *found = &table[0];
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].engine == family(engine)
			&& (version == 0 || table[i].since <= version)) {
			found = &table[i];
		}
	}
	return found;
}

enum br_submounts br_habits_submounts(
	const struct br_habits *habits, const struct br_mount *mount) {
	const char *word = mount->recursive.s;
	// Docker's own words for it: enabled, disabled, writable, readonly. Engines that do not
	// know the option do what they always do.
	if (word && habits->read_only_recursive) {
		if (strcmp(word, "disabled") == 0) {
			return BR_SUBMOUNTS_HIDDEN;
		}
		if (strcmp(word, "writable") == 0) {
			return BR_SUBMOUNTS_WRITABLE;
		}
	}
	return habits->read_only_recursive ? BR_SUBMOUNTS_SAME : BR_SUBMOUNTS_WRITABLE;
}
