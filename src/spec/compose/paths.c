#include "compose.h"

#include <string.h>

/* Takes the last name off out[0..n), which begins with `root` bytes that stay. */
static size_t drop_last(const char *out, size_t n, size_t root) {
	while (n > root && out[n - 1] != '/') {
		n--;
	}
	return n > root ? n - 1 : n;
}

static bool ends_in_dotdot(const char *out, size_t n) {
	return n >= 2 && out[n - 1] == '.' && out[n - 2] == '.' && (n == 2 || out[n - 3] == '/');
}

char *br_clean(struct br_arena *arena, const char *path) {
	size_t len = strlen(path);
	char *out = br_alloc(arena, len + 2);
	if (!out) {
		return NULL;
	}
	size_t root = path[0] == '/' ? 1 : 0;
	size_t n = root;
	out[0] = '/';
	for (const char *p = path; *p;) {
		size_t k = strcspn(p, "/");
		bool up = k == 2 && p[0] == '.' && p[1] == '.';
		if (up && n > root && !ends_in_dotdot(out, n)) {
			n = drop_last(out, n, root);
		} else if (k && !(k == 1 && p[0] == '.') && !(up && root)) {
			if (n > root) {
				out[n++] = '/';
			}
			memcpy(out + n, p, k);
			n += k;
		}
		p += k + (p[k] == '/');
	}
	if (!n) {
		out[n++] = '.';
	}
	out[n] = '\0';
	return out;
}

char *br_join(struct br_arena *arena, const char *dir, const char *path) {
	if (path[0] == '/') {
		return br_clean(arena, path);
	}
	char *both = br_printf(arena, "%s/%s", dir, path);
	return both ? br_clean(arena, both) : NULL;
}

char *br_dirname(struct br_arena *arena, const char *path) {
	const char *slash = strrchr(path, '/');
	char *dir =
		slash ? br_strndup(arena, path, (size_t)(slash - path) + 1) : br_strdup(arena, ".");
	return dir ? br_clean(arena, dir) : NULL;
}

const char *br_shown_path(const struct br_compose *c, const char *path) {
	size_t n = strlen(c->request->cwd);
	if (n > 1 && strncmp(path, c->request->cwd, n) == 0 && path[n] == '/') {
		return path + n + 1;
	}
	return path;
}

/* C:\x and C:/x are left alone by compose on every system, \\server\share since 2.40. */
static bool is_windows_absolute(const struct br_compose *c, const char *s) {
	bool is_drive = s[0] && s[1] == ':' && (s[2] == '/' || s[2] == '\\');
	return is_drive
		|| (strncmp(s, "\\\\", 2) == 0 && br_compose_has(c, BR_RULE_UNC_IS_ABSOLUTE));
}

const char *br_host_path(struct br_compose *c, const struct br_layer *layer, struct br_text path) {
	const char *s = path.s;
	const char *out = s;
	const char *home = c->request->home && *c->request->home ? c->request->home : NULL;
	if (s[0] == '~' && !home) {
		br_warning(
			c->dx, path.at, "HOME is not set: '%s' does not mean a home directory", s);
	}
	if (s[0] == '~' && home) {
		/* Compose knows no other users' homes: ~root/y is $HOME/root/y. */
		char *both = br_printf(c->arena, "%s/%s", home, s + 1);
		out = both ? br_clean(c->arena, both) : NULL;
		s = out;
	}
	if (s && s[0] != '/' && !is_windows_absolute(c, s)) {
		out = br_join(c->arena, layer->dir, s);
	}
	if (!out) {
		(void)br_error_memory(c->dx);
	}
	return out;
}
