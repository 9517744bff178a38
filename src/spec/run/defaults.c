/** Volumes that no line names: those of Podman's containers.conf, which every container gets. */
#include "run.h"

#include <string.h>

/** The container's own mount on this target, or NULL. */
static const struct br_mount *find_own(const struct br_container *box, const char *target) {
	for (size_t i = 0; i < box->nmounts; i++) {
		if (strcmp(box->mounts[i].target.s, target) == 0) {
			return &box->mounts[i];
		}
	}
	return NULL;
}

/** Its own mount takes the place of a default one of its kind (a path, or a named volume); of any
 * other Podman says "duplicate mount destination". */
static int add_mounts(struct br_run *run, struct br_container *box, const struct br_line *line) {
	struct br_mount *mounts =
		BR_NEW_ARRAY(run->arena, struct br_mount, box->nmounts + line->mounts.n);
	size_t n = box->nmounts;
	if (!mounts) {
		return br_error_memory(run->dx);
	}
	if (n) {
		memcpy(mounts, box->mounts, n * sizeof(*mounts));
	}
	for (size_t i = 0; i < line->mounts.n; i++) {
		const struct br_mount *mount = &line->mounts.v[i];
		const struct br_mount *own = find_own(box, mount->target.s);
		if (!own) {
			mounts[n++] = *mount;
		} else if (own->kind != mount->kind) {
			(void)br_error(run->dx, own->at, "two mounts have the target '%s'",
				mount->target.s);
			br_other(run->dx, mount->at, "the other one");
			return -1;
		}
	}
	box->mounts = mounts;
	box->nmounts = n;
	return 0;
}

static int read_word(struct br_run *run, struct br_line *line, const struct br_text *word) {
	bool quoted = word->at.len == strlen(word->s) + 2;
	const char *copy = br_strdup(run->arena, word->s);
	struct br_used used = {.at = word->at};
	run->text = word->at.text;
	used.value = br_chars_of(
		run, copy ? copy : "", copy ? strlen(copy) : 0, word->at.off + (quoted ? 1 : 0));
	return copy && used.value.at ? br_line_volume(run, line, &used) : -1;
}

int br_spec_add_volumes(
	struct br_spec *spec, const struct br_text *volumes, size_t n, struct br_diags *dx) {
	static const struct br_spec_request nothing = {0};
	struct br_run run = {.request = &nothing, .spec = spec, .dx = dx, .arena = spec->arena};
	struct br_line line = {.client = BR_CLIENT_PODMAN};
	struct br_container *boxes = BR_NEW_ARRAY(spec->arena, struct br_container, spec->n);
	if (!boxes) {
		return br_error_memory(dx);
	}
	run.cwd = spec->project_directory;
	run.shown = "containers.conf";
	for (size_t i = 0; i < n; i++) {
		if (read_word(&run, &line, &volumes[i])) {
			return -1;
		}
	}
	for (size_t i = 0; i < spec->n; i++) {
		boxes[i] = spec->containers[i];
		if (add_mounts(&run, &boxes[i], &line)) {
			return -1;
		}
	}
	spec->containers = boxes;
	return 0;
}
