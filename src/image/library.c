#include "library.h"

#include <base/text.h>

#include <string.h>

bool library_has_word(const char *list, const char *word, size_t n) {
	for (const char *s = list; s && *s;) {
		size_t k = strcspn(s, "|");
		if (k == n && !strncasecmp(s, word, n)) {
			return true;
		}
		s += k + (s[k] == '|');
	}
	return false;
}

/** Whether a path ends with one of the names of `list`, as whole components. */
static bool ends_with(const char *list, const char *path, size_t n) {
	for (const char *s = list; s && *s;) {
		size_t k = strcspn(s, "|");
		if (n >= k && !memcmp(path + n - k, s, k) && (n == k || path[n - k - 1] == '/')) {
			return true;
		}
		s += k + (s[k] == '|');
	}
	return false;
}

static const struct br_library *of_file(const char *path) {
	const struct br_library *all;
	size_t n = br_libraries(&all);
	size_t len = strlen(path);
	while (len && path[len - 1] == '/') {
		len--;
	}
	for (size_t i = 0; i < n; i++) {
		if (ends_with(all[i].files, path, len)) {
			return &all[i];
		}
	}
	return NULL;
}

bool library_is_marker(const char *name) {
	return of_file(name) != NULL;
}

const struct br_library *library_of_package(const char *package, bool pip) {
	const struct br_library *all;
	size_t n = br_libraries(&all);
	size_t len = strcspn(package, "=<>!~[;@ ");
	for (size_t i = 0; i < n; i++) {
		if (library_has_word(pip ? all[i].pip : all[i].system, package, len)) {
			return &all[i];
		}
	}
	return NULL;
}

/** The program among the first words of the command; shells and starters before it are passed over.
 */
static bool is_started(const struct br_image *image, const struct br_library *library) {
	for (size_t i = 0; i < image->ncommand && i < 16; i++) {
		const char *word = image->command[i];
		const char *slash = word ? strrchr(word, '/') : NULL;
		const char *name = slash ? slash + 1 : word;
		if (name && library_has_word(library->programs, name, strlen(name))) {
			return true;
		}
	}
	return false;
}

struct found {
	struct br_image_library *v;
	size_t n, cap;
};

static struct br_image_library *find_found(struct found *found, const struct br_library *library) {
	for (size_t i = 0; i < found->n; i++) {
		if (found->v[i].library == library) {
			return &found->v[i];
		}
	}
	return NULL;
}

static int add_files(struct br_arena *arena, const struct br_image *image, struct found *found) {
	for (size_t i = 0; i < image->nnodes; i++) {
		const struct br_image_node *node = &image->nodes[i];
		const struct br_library *library = of_file(node->path);
		if (!library || node->type == BR_IMAGE_ABSENT || find_found(found, library)) {
			continue;
		}
		struct br_image_library item = {.library = library};
		item.evidence = br_printf(arena, "the image has %s", node->path);
		if (!item.evidence || br_vec_push(arena, found, item)) {
			return -1;
		}
	}
	return 0;
}

static int add_started(struct br_arena *arena, const struct br_image *image, struct found *found) {
	const struct br_library *all;
	size_t n = br_libraries(&all);
	for (size_t i = 0; i < n; i++) {
		if (!is_started(image, &all[i])) {
			continue;
		}
		struct br_image_library item = {
			.library = &all[i], .evidence = "the image's command starts it"};
		if (!find_found(found, &all[i]) && br_vec_push(arena, found, item)) {
			return -1;
		}
	}
	return 0;
}

int library_find(struct br_arena *arena, struct br_image *image) {
	struct found found = {0};
	struct found kept = {0};
	for (size_t i = 0; i < image->nlibraries; i++) {
		if (br_vec_push(arena, &found, image->libraries[i])) {
			return -1;
		}
	}
	if (add_files(arena, image, &found) || add_started(arena, image, &found)) {
		return -1;
	}
	for (size_t i = 0; i < found.n; i++) {
		bool counts =
			!found.v[i].library->by_command || is_started(image, found.v[i].library);
		if (counts && br_vec_push(arena, &kept, found.v[i])) {
			return -1;
		}
	}
	image->libraries = kept.v;
	image->nlibraries = kept.n;
	return 0;
}

struct br_image_library *library_own(struct br_arena *arena, struct br_image *image) {
	struct br_image_library *all =
		BR_NEW_ARRAY(arena, struct br_image_library, image->nlibraries);
	for (size_t i = 0; all && i < image->nlibraries; i++) {
		all[i] = image->libraries[i];
	}
	image->libraries = all ? all : image->libraries;
	return all;
}

int library_of_image(struct br_arena *arena, const char *reference, struct br_image *image) {
	const char *slash = strrchr(reference, '/');
	const char *name = slash ? slash + 1 : reference;
	char *plain = br_strndup(arena, name, strcspn(name, ":@"));
	const struct br_library *library = plain ? library_of_package(plain, false) : NULL;
	struct br_image_library *item = BR_NEW(arena, struct br_image_library);
	const char **command = BR_NEW_ARRAY(arena, const char *, 1);
	if (!plain || !item || !command) {
		return -1;
	}
	if (!library || image->nlibraries || image->ncommand) {
		return 0;
	}
	*item = (struct br_image_library){.library = library, .packaged = true};
	item->evidence = br_printf(arena, "the image is %s", plain);
	*command = plain;
	image->libraries = item;
	image->nlibraries = 1;
	image->command = command;
	image->ncommand = 1;
	return item->evidence ? 0 : -1;
}

// Configurations

const char *library_config_option(const struct br_image *image, const struct br_library *library) {
	for (size_t i = 0; library->config && i + 1 < image->ncommand; i++) {
		const char *word = image->command[i];
		if (word && (!strcmp(word, "-c") || !strcmp(word, "--configuration"))) {
			// of a shell: sh -c "…"
			const char *before = i ? image->command[i - 1] : NULL;
			bool shell = before && strlen(before) > 1
				&& !strcmp(before + strlen(before) - 2, "sh");
			if (!shell) {
				return image->command[i + 1] ? image->command[i + 1] : "?";
			}
		}
	}
	return NULL;
}

/** The words of `config` in the table, one by one; a test holds them together. */
const char *library_config_path(size_t i) {
	static const char *const all[] = {"/etc/supervisor/supervisord.conf",
		"/etc/supervisord.conf", "/etc/nginx/nginx.conf"};
	return i < sizeof(all) / sizeof(*all) ? all[i] : NULL;
}

/** "key = value", "key value;": where the value stands, and its length; NULL: another line. */
static const char *value_of(const char *line, size_t n, const char *key, size_t *out) {
	size_t len = strlen(key);
	while (n && (*line == ' ' || *line == '\t')) {
		line++;
		n--;
	}
	if (n <= len || strncmp(line, key, len) != 0 || !strchr(" \t=", line[len])) {
		return NULL;
	}
	line += len;
	n -= len;
	while (n && strchr(" \t=", *line)) {
		line++;
		n--;
	}
	size_t end = 0;
	while (end < n && !strchr(" \t;\r", line[end])) {
		end++;
	}
	*out = end;
	return line;
}

/** What is no place in the image: a device, the container's own output, or what depends on
 * something. */
static bool is_nowhere(const char *value) {
	return !*value || !strncmp(value, "/dev/", 5) || !strncmp(value, "/proc/", 6)
		|| strpbrk(value, "%$") || !strcasecmp(value, "none")
		|| !strcasecmp(value, "syslog") || !strcasecmp(value, "auto")
		|| !strcasecmp(value, "off");
}

/** supervisord writes into its working directory what is not said; nginx where it was built for. */
static const char *unsaid(const struct br_library *library, size_t i) {
	if (strcmp(library->name, "supervisor") != 0) {
		return NULL;
	}
	return i == 0 ? "$PWD/supervisord.log" : i == 1 ? "$PWD/supervisord.pid" : "";
}

int library_configure(struct br_arena *arena, struct br_image_library *item, const char *text) {
	const struct br_library *library = item->library;
	for (size_t i = 0; i < BR_LIBRARY_PATHS; i++) {
		item->configured[i] = unsaid(library, i);
	}
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		for (size_t i = 0; i < BR_LIBRARY_PATHS; i++) {
			const char *key = library->paths[i].key;
			size_t len = 0;
			const char *at = key ? value_of(line, n, key, &len) : NULL;
			char *value = at ? br_strndup(arena, at, len) : NULL;
			if (at && !value) {
				return -1;
			}
			if (!value) {
				continue;
			}
			item->configured[i] = is_nowhere(value) ? ""
				: *value == '/'                 ? value
						: br_printf(arena, "$PWD/%s", value);
			if (!item->configured[i]) {
				return -1;
			}
		}
		line += n + (line[n] == '\n');
	}
	return 0;
}
