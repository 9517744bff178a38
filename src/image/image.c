#include "dockerfile.h"
#include "library.h"
#include "parts.h"
#include "tree.h"

#include <base/text.h>

#include <string.h>

enum {
	ASKED = 100,
};

static const char digits[] = "0123456789";

struct asked {
	const char **v;
	size_t n, cap;
};

/**
 * The engine says only the name of a user, or a number without its group, and the table has both
 * numbers ("65534:65534"): a line of passwd that was not read. Nothing is added where the table has
 * another name, or the image says a group as well.
 */
static int add_account(
	struct image_finder *finder, const struct br_image *known, struct br_image *image) {
	const char *name = image->user.s;
	const char *numbers = known->user.s;
	if (image->origin != BR_IMAGE_ENGINE || !name || !*name || strchr(name, ':') || !numbers) {
		return 0;
	}
	bool is_number = strspn(name, digits) == strlen(name);
	size_t n = strspn(numbers, digits);
	char *uid = br_strndup(finder->arena, numbers, n);
	struct br_image_user *user = BR_NEW(finder->arena, struct br_image_user);
	if (!uid || !user) {
		return br_error_memory(finder->dx);
	}
	*user = (struct br_image_user){.name = is_number ? "" : name, .allocated = true};
	if (numbers[n] != ':' || br_parse_u32(uid, UINT32_MAX - 1, &user->uid)
		|| br_parse_u32(numbers + n + 1, UINT32_MAX - 1, &user->gid)) {
		return 0;
	}
	// A number without a group takes that of its line, if it is the same number.
	uint32_t same = user->uid;
	if (is_number && (br_parse_u32(name, UINT32_MAX - 1, &same) || same != user->uid)) {
		return 0;
	}
	image->users = user;
	image->nusers = 1;
	return 0;
}

/** What the table says of an entrypoint stands beside whatever says who starts it. */
static int add_drop(struct image_finder *finder, const char *reference, struct br_image *image) {
	struct br_image known = {0};
	int found = known_find(finder, reference, &known);
	if (found > 0 && !image->drop) {
		image->drop = known.drop;
	}
	return found < 0 || (found > 0 && add_account(finder, &known, image)) ? -1 : 0;
}

int image_find(struct image_finder *finder, const char *reference, struct br_image *out) {
	int found = archive_find(finder, reference, out);
	if (!found) {
		found = engine_find(finder, reference, out);
	}
	if (found > 0) {
		return add_drop(finder, reference, out) ? -1 : 1;
	}
	return found < 0 ? -1 : known_find(finder, reference, out);
}

/** The name under which compose keeps what it builds. */
static const char *built_name(
	struct br_arena *arena, const struct br_spec *spec, const struct br_container *container) {
	if (container->image.s && *container->image.s) {
		return container->image.s;
	}
	const char *project = spec->project_name ? spec->project_name : "";
	return br_printf(arena, "%s-%s", project, container->name.s);
}

/** Of a service that is built: the archive, the Dockerfile, the engine where the Dockerfile leaves
 * it open, the table. */
static int find_built(struct image_finder *finder, const char *name, const struct br_build *build,
	struct br_image *out) {
	int found = archive_find(finder, name, out);
	if (found) {
		return found < 0 || add_drop(finder, name, out) ? -1 : 1;
	}
	found = dockerfile_read(finder, build, out);
	if (found < 0 || out->user.s) {
		return found;
	}
	struct br_image other = {0};
	found = engine_find(finder, name, &other);
	if (found > 0) {
		other.drop = out->drop;
		*out = other;
		return 1;
	}
	if (!found) {
		found = known_find(finder, name, &other);
	}
	if (found > 0) {
		*out = other;
	}
	return found;
}

/** "1001:1002". */
static bool is_numbers(const char *user) {
	size_t n = user ? strspn(user, digits) : 0;
	size_t m = n && user[n] == ':' ? strspn(user + n + 1, digits) : 0;
	return m && !user[n + 1 + m];
}

static int find(struct image_finder *finder, const struct br_spec *spec,
	const struct br_container *container, struct br_image *out) {
	if (!container->build) {
		return container->image.s && *container->image.s
			? image_find(finder, container->image.s, out)
			: 0;
	}
	const char *name = built_name(finder->arena, spec, container);
	finder->user_is_numbers = is_numbers(container->user.s);
	return name ? find_built(finder, name, container->build, out) : br_error_memory(finder->dx);
}

/** A name that the input says (`user: node`): the account that images of this name have beside
 * their distribution's. */
static int add_seeds(
	struct image_finder *finder, const struct br_container *container, struct br_image *image) {
	struct df_accounts accounts = {.arena = finder->arena};
	const char *user = container->user.s;
	if (!user || !*user || strspn(user, "0123456789:") == strlen(user) || container->build
		|| !container->image.s || image->nusers || image->accounts_complete) {
		return 0;
	}
	if (df_seed_accounts(&accounts, container->image.s)) {
		return br_error_memory(finder->dx);
	}
	image->users = accounts.users.v;
	image->nusers = accounts.users.n;
	if (!image->ngroups) {
		image->groups = accounts.groups.v;
		image->ngroups = accounts.groups.n;
	}
	return 0;
}

/** Where its files were not read: what images of its name have. */
static int add_known(
	struct image_finder *finder, const struct br_container *container, struct br_image *image) {
	struct tree tree = {.arena = finder->arena, .finder = finder};
	if (add_seeds(finder, container, image)) {
		return -1;
	}
	if (container->build || !container->image.s || image->nnodes) {
		return 0;
	}
	if (tree_seed(&tree, container->image.s)
		|| (tree.complete && library_of_image(finder->arena, container->image.s, image))) {
		return br_error_memory(finder->dx);
	}
	image->nodes = tree.nodes.v;
	image->nnodes = tree.nodes.n;
	return 0;
}

/** Another container of the same image before this one; n: none. Built ones are read again: their
 * build args differ. */
static size_t same_before(const struct br_spec *spec, size_t i) {
	const struct br_container *container = &spec->containers[i];
	for (size_t k = 0; k < i && !container->build && container->image.s; k++) {
		const struct br_container *other = &spec->containers[k];
		if (!other->build && other->image.s
			&& !strcmp(other->image.s, container->image.s)) {
			return k;
		}
	}
	return spec->n;
}

const struct br_image_node *br_image_node_at(const struct br_image *image, const char *path) {
	for (size_t i = 0; i < image->nnodes; i++) {
		if (!strcmp(image->nodes[i].path, path)) {
			return &image->nodes[i];
		}
	}
	return NULL;
}

/** Ask an archive about this path, each once and no more than it would answer. */
static int ask(struct image_finder *finder, struct asked *asked, const char *path) {
	for (size_t i = 0; i < asked->n; i++) {
		if (!strcmp(asked->v[i], path)) {
			return 0;
		}
	}
	return *path == '/' && asked->n < ASKED ? br_vec_push(finder->arena, asked, path) : 0;
}

/** Where mounts are, and where libraries write. */
static int ask_all(struct image_finder *finder, const struct br_spec *spec) {
	struct asked asked = {0};
	const struct br_library *libraries;
	size_t n = br_libraries(&libraries);
	int failed = ask(finder, &asked, "/root/.cache");
	for (size_t i = 0; i < spec->n; i++) {
		for (size_t k = 0; k < spec->containers[i].nmounts; k++) {
			const char *target = spec->containers[i].mounts[k].target.s;
			failed = failed || (target && ask(finder, &asked, target));
		}
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < BR_LIBRARY_PATHS; k++) {
			const char *path = libraries[i].paths[k].path;
			failed = failed || (path && ask(finder, &asked, path));
		}
	}
	finder->asked = asked.v;
	finder->nasked = asked.n;
	return failed ? br_error_memory(finder->dx) : 0;
}

/** Put what the engine knows of a container that it has in the place of what is known of its image.
 */
static void take_container(const struct br_engine_container *container, struct br_image *out) {
	if (container->read) {
		out->users = container->accounts.users;
		out->nusers = container->accounts.nusers;
		out->groups = container->accounts.groups;
		out->ngroups = container->accounts.ngroups;
		out->no_passwd = container->accounts.no_passwd;
		out->no_group = container->accounts.no_group;
		out->accounts_complete = true;
	}
	// Its word is whole, whatever the image of that name is today.
	out->origin = BR_IMAGE_ENGINE;
	out->from = container->socket;
	out->user = (struct br_text){.s = ""};
	out->unknown = NULL;
	out->capabilities_label = NULL;
}

const struct br_image *br_images_read(struct br_arena *arena, const struct br_spec *spec,
	const struct br_image_options *options, struct br_diags *dx) {
	struct image_finder finder = {.arena = arena, .options = options, .dx = dx};
	struct br_image *images = BR_NEW_ARRAY(arena, struct br_image, spec->n ? spec->n : 1);
	bool failed = !images;
	if (spec->authors) {
		br_authors_join(&finder.authors, spec->authors);
	}
	if (!images) {
		(void)br_error_memory(dx);
	}
	failed = failed || ask_all(&finder, spec);
	for (size_t i = 0; !failed && i < spec->n; i++) {
		size_t same = same_before(spec, i);
		if (same < spec->n) {
			images[i] = images[same];
		} else {
			failed = find(&finder, spec, &spec->containers[i], &images[i]) < 0
				|| add_known(&finder, &spec->containers[i], &images[i]);
		}
	}
	for (size_t i = 0; !failed && i < spec->n; i++) {
		if (options->containers) {
			take_container(&options->containers[i], &images[i]);
			continue;
		}
		failed = mounted_take(&finder, &spec->containers[i], &images[i]) != 0;
	}
	archive_release(&finder);
	engine_release(&finder);
	return failed ? NULL : images;
}
