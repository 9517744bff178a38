// Sockets of container engines: whoever can use one is root on the host, or as good as.

#include "step.h"

#include <base/file.h>
#include <base/own.h>
#include <bindright/source.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	/** Of /proc/net/unix: some hundred thousand sockets. */
	TABLE_MAX = 32 << 20,
	/** Fields of a line before the path. */
	FIELDS = 7,
};

static const char *const names[] = {"docker.sock", "podman.sock", "containerd.sock", "crio.sock",
	"dockershim.sock", "buildkitd.sock", NULL};

bool br_is_engine_socket_name(const char *path) {
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	for (size_t i = 0; names[i]; i++) {
		if (strcmp(name, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

/** Where the path of a line begins; NULL where its socket has none in a file system. */
static const char *path_of(const char *line) {
	for (unsigned i = 0; i < FIELDS; i++) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return *line == '/' ? line : NULL;
}

/** Anybody may have called his so, on a file system of his own: only what is in memory is asked, as
 * all that is bound is. */
static bool is_same(const char *path, const struct br_source *source) {
	struct br_step step;
	if (br_step_open_mounted(AT_FDCWD, path, &step) != 0) {
		return false;
	}
	br_closep(&step.fd);
	return S_ISSOCK(step.mode) && step.dev == source->dev && step.ino == source->ino;
}

bool br_source_is_engine_socket(const struct br_source *source) {
	if (!S_ISSOCK(source->mode)) {
		return false;
	}
	if (br_is_engine_socket_name(source->real)) {
		return true;
	}
	size_t n;
	char *table = br_read_file(AT_FDCWD, "/proc/net/unix", TABLE_MAX, &n);
	bool found = false;
	char *rest = NULL;
	for (char *line = table ? strtok_r(table, "\n", &rest) : NULL; line && !found;
		line = strtok_r(NULL, "\n", &rest)) {
		const char *path = path_of(line);
		found = path && br_is_engine_socket_name(path) && is_same(path, source);
	}
	free(table);
	return found;
}
