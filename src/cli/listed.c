/** --files-from: what is judged instead of walking. */
#include "session.h"

#include <base/file.h>
#include <base/input.h>
#include <base/own.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/** Ten million paths of 50 bytes. */
	LIST_BYTES = 512 << 20,
};

static char *read_list(const struct cli *cli, size_t *n) {
	const struct br_text *name = &cli->args->files_from;
	char *bytes = strcmp(name->s, "-") == 0
		? br_read_fd(STDIN_FILENO, LIST_BYTES, n)
		: br_read_input(name->s, cli->world->invoker, LIST_BYTES, n);
	if (!bytes) {
		(void)br_error(cli->dx, name->at, "cannot read the list '%s': %s", name->s,
			br_input_why(errno));
	}
	return bytes;
}

/** Takes "." and ".." and needless slashes out of an absolute path, in place. */
static void clean(char *path) {
	char *to = path;
	for (const char *s = path; *s;) {
		s += strspn(s, "/");
		size_t n = strcspn(s, "/");
		if (n == 2 && memcmp(s, "..", 2) == 0) {
			while (to > path && *--to != '/') {
			}
		} else if (n && !(n == 1 && *s == '.')) {
			*to++ = '/';
			memmove(to, s, n);
			to += n;
		}
		s += n;
	}
	to += to == path;
	*to = '\0';
}

const char *const *session_listed(struct session *session, size_t *count) {
	const struct cli *cli = session->cli;
	struct br_arena *arena = &session->arena;
	struct {
		const char **v;
		size_t n, cap;
	} paths = {0};
	size_t n = 0;
	br_auto(br_freep) char *bytes = read_list(cli, &n);
	char end = cli->args->null ? '\0' : '\n';
	bool failed = false;
	if (!bytes) {
		return NULL;
	}
	for (size_t at = 0; at < n && !failed;) {
		const char *stop = memchr(bytes + at, end, n - at);
		size_t len = stop ? (size_t)(stop - bytes) - at : n - at;
		char *path = bytes[at] == '/'
			? br_strndup(arena, bytes + at, len)
			: br_printf(arena, "%s/%.*s", cli->world->cwd, (int)len, bytes + at);
		failed = !path || (len && br_vec_push(arena, &paths, path));
		if (path) {
			clean(path);
		}
		at += len + 1;
	}
	const char *last = NULL;
	if (failed || br_vec_push(arena, &paths, last)) {
		(void)br_error_memory(cli->dx);
		return NULL;
	}
	*count = paths.n - 1;
	return paths.v;
}
