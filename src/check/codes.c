#include <base/text.h>
#include <bindright/check.h>

#include <stdio.h>
#include <string.h>

static const struct br_code_info all[] = {
	{1, BR_WARNING, "a key that compose does not know"},
	{101, BR_ERROR, "the container cannot write the mounted path"},
	{102, BR_ERROR, "the container cannot read the mounted path"},
	{103, BR_ERROR, "the container cannot enter (search) the mounted directory"},
	{104, BR_ERROR, "files or directories inside the mount cannot be used"},
	{105, BR_WARNING, "it can write but not delete or rename (sticky directory)"},
	{106, BR_WARNING, "the host user will not be able to use the files that it writes"},
	{107, BR_ERROR, "only root's override makes it work, and the capability is dropped"},
	{109, BR_ERROR, "the container cannot reach its own mount point"},
	{201, BR_ERROR, "the source is missing, and would not serve as the engine creates it"},
	{202, BR_ERROR, "the source is missing, and the engine will refuse to start"},
	{203, BR_ERROR, "file and directory are confused"},
	{204, BR_ERROR, "the source is a dangling or looping symbolic link"},
	{205, BR_ERROR, "the file system is mounted read-only"},
	{206, BR_ERROR, "immutable or append-only attribute"},
	{207, BR_WARNING, "the file system does not keep owners"},
	{208, BR_ERROR, "a rootless engine cannot reach the source"},
	{209, BR_ERROR, "could not be examined"},
	{210, BR_INFO, "the container runs now: a change takes effect under its feet"},
	{211, BR_WARNING, "a named volume that the engine will chown and fill itself"},
	{212, BR_ERROR, "the engine cannot make this mount, and will refuse to start"},
	{301, BR_WARNING, "no host user or group has the container's ID"},
	{302, BR_WARNING, "the UID belongs to a different host user"},
	{303, BR_ERROR, "the user cannot be worked out"},
	{304, BR_INFO, "the identity is an assumption"},
	{305, BR_WARNING, "the process runs as root"},
	{306, BR_INFO, "the image starts as root and is known to drop to another UID"},
	{307, BR_ERROR, "the UID or GID has no mapping in the user namespace"},
	{401, BR_ERROR, "services with different identities share a path"},
	{402, BR_WARNING, "a mount lies inside another mount, and its mount point is missing"},
	{403, BR_INFO, "written nowhere: this mount could be read-only"},
	{501, BR_WARNING, "privileged container with a bind mount"},
	{502, BR_WARNING, "host network, PID or user namespace"},
	{503, BR_WARNING, "an engine socket is mounted"},
	{504, BR_WARNING, "a system directory is mounted"},
	{505, BR_WARNING, "the source is writable by everybody"},
	{506, BR_WARNING, "a secret is readable by more than the container's user"},
	{601, BR_WARNING, "the image writes below a path that its user cannot write"},
	{602, BR_WARNING, "a library writes to a path that the user cannot write"},
};

size_t br_codes(const struct br_code_info **codes) {
	*codes = all;
	return sizeof(all) / sizeof(all[0]);
}

const struct br_code_info *br_code_find(br_code_number code) {
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].code == code) {
			return &all[i];
		}
	}
	return NULL;
}

static int refuse_ignore(const struct br_ignore *ignore, struct br_diags *dx) {
	const char *names[sizeof(all) / sizeof(all[0]) + 1] = {NULL};
	char words[sizeof(all) / sizeof(all[0])][8];
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		(void)snprintf(words[i], sizeof(words[i]), "BR%03u", all[i].code);
		names[i] = words[i];
	}
	const char *near = br_nearest(ignore->code.s, names);
	(void)br_error(
		dx, ignore->code.at, "x-bindright: there is no finding code '%s'", ignore->code.s);
	if (near) {
		br_hint(dx, "did you mean %s? bindright codes lists them", near);
	} else {
		br_hint(dx, "bindright codes lists them");
	}
	return -1;
}

static int check_ignores(const struct br_ignore *ignores, size_t n, struct br_diags *dx) {
	for (size_t i = 0; i < n; i++) {
		uint32_t code;
		if (br_parse_u32(
			    ignores[i].code.s + 2 + strspn(ignores[i].code.s + 2, "0"), 999, &code)
			|| !br_code_find(code)) {
			return refuse_ignore(&ignores[i], dx);
		}
	}
	return 0;
}

int br_check_ignores(const struct br_spec *spec, struct br_diags *dx) {
	for (size_t i = 0; i < spec->n; i++) {
		const struct br_container *container = &spec->containers[i];
		if (check_ignores(container->ignores, container->nignores, dx)) {
			return -1;
		}
		for (size_t k = 0; k < container->nmounts; k++) {
			const struct br_wishes *wishes = &container->mounts[k].wishes;
			if (check_ignores(wishes->ignores, wishes->nignores, dx)) {
				return -1;
			}
		}
	}
	return 0;
}
