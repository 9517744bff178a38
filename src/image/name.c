#include "name.h"

#include <string.h>

enum {
	NAME_MAX_BYTES = 512,
	TAG_MAX_BYTES = 128,
};

static bool is_lower(char c) {
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c) {
	return is_lower(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

/** Letters and digits, with single marks between them: one component of a repository, or a registry
 * without its port. */
static bool is_component(const char *s, size_t n, bool is_host) {
	bool fine = n && is_word(s[0]) && s[0] != '_' && is_word(s[n - 1]) && s[n - 1] != '_';
	for (size_t i = 0; i < n && fine; i++) {
		bool mark = s[i] == '.' || s[i] == '-' || s[i] == '_';
		fine = is_lower(s[i]) || mark || (is_host && is_word(s[i]));
		fine = fine && !(s[i] == '.' && s[i + 1] == '.');
	}
	return fine;
}

static bool is_path(const char *s, size_t n) {
	while (n) {
		const char *slash = memchr(s, '/', n);
		size_t part = slash ? (size_t)(slash - s) : n;
		if (!is_component(s, part, false) || part + 1 == n) {
			return false;
		}
		s += slash ? part + 1 : part;
		n -= slash ? part + 1 : part;
	}
	return true;
}

static bool is_host(const char *s, size_t n) {
	const char *colon = memchr(s, ':', n);
	size_t name = colon ? (size_t)(colon - s) : n;
	size_t port = colon ? n - name - 1 : 1;
	return is_component(s, name, true) && port > 0
		&& (!colon || strspn(colon + 1, "0123456789") >= port);
}

static bool is_tag(const char *s) {
	size_t n = strlen(s);
	bool fine = n && n <= TAG_MAX_BYTES && is_word(*s);
	for (size_t i = 0; i < n && fine; i++) {
		fine = is_word(s[i]) || s[i] == '.' || s[i] == '-';
	}
	return fine;
}

static bool is_digest(const char *s) {
	const char *colon = strchr(s, ':');
	size_t n = colon ? strlen(colon + 1) : 0;
	return n >= 32 && n <= 128 && strspn(colon + 1, "0123456789abcdef") == n
		&& is_component(s, (size_t)(colon - s), false);
}

/** Bytes of the registry that the name begins with, or 0. */
static size_t host_length(const char *name) {
	const char *slash = strchr(name, '/');
	size_t n = slash ? (size_t)(slash - name) : 0;
	bool host = n
		&& (memchr(name, '.', n) || memchr(name, ':', n)
			|| (n == 9 && !strncmp(name, "localhost", n)));
	return host ? n : 0;
}

/** The name with its registry. */
static char *write_out(struct br_arena *arena, const char *name, bool familiar) {
	static const char old[] = "index.docker.io/";
	static const char hub[] = "docker.io/";
	bool is_old = !strncmp(name, old, sizeof(old) - 1);
	bool is_hub = !strncmp(name, hub, sizeof(hub) - 1);
	if (!familiar && !is_old && !is_hub) {
		return br_strdup(arena, name);
	}
	const char *path = name + (is_old ? sizeof(old) - 1 : is_hub ? sizeof(hub) - 1 : 0);
	return br_printf(arena, "docker.io/%s%s", strchr(path, '/') ? "" : "library/", path);
}

int image_name_read(struct br_arena *arena, const char *text, struct image_name *out) {
	*out = (struct image_name){0};
	if (!*text || strlen(text) > NAME_MAX_BYTES) {
		return 0;
	}
	char *name = br_strdup(arena, text);
	if (!name) {
		return -1;
	}
	char *at = strchr(name, '@');
	if (at) {
		*at = '\0';
		out->digest = at + 1;
	}
	char *slash = strrchr(name, '/');
	char *colon = strrchr(slash ? slash : name, ':');
	if (colon) {
		*colon = '\0';
		out->tag = colon + 1;
	} else if (!at) {
		out->tag = "latest";
	}
	size_t host = host_length(name);
	const char *path = name + (host ? host + 1 : 0);
	if ((host && !is_host(name, host)) || !*path || !is_path(path, strlen(path))
		|| (out->tag && !is_tag(out->tag)) || (at && !is_digest(out->digest))) {
		return 0;
	}
	out->familiar = !host;
	out->repository = write_out(arena, name, !host);
	return out->repository ? 1 : -1;
}

bool image_name_matches(
	const struct image_name *wanted, const struct image_name *name, bool local) {
	static const char below[] = "localhost/";
	static const char library[] = "docker.io/library/";
	static const char hub[] = "docker.io/";
	if (wanted->digest || !name->tag || strcmp(wanted->tag, name->tag) != 0) {
		return false;
	}
	if (!local) {
		return !strcmp(wanted->repository, name->repository);
	}
	if (!wanted->familiar || strncmp(name->repository, below, sizeof(below) - 1) != 0) {
		return false;
	}
	bool single = !strncmp(wanted->repository, library, sizeof(library) - 1);
	const char *path = wanted->repository + (single ? sizeof(library) : sizeof(hub)) - 1;
	return !strcmp(path, name->repository + sizeof(below) - 1);
}
