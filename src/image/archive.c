/**
 * Image archives that the user names: what is in them is read by a confined child (bundle.h); here
 * its questions are asked, and its answers are believed only after a look.
 */
#include "bundle.h"
#include "library.h"
#include "name.h"
#include "parts.h"
#include "platform.h"

#include <base/file.h>
#include <base/input.h>
#include <base/own.h>
#include <base/sandbox.h>
#include <base/wire.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum {
	/** Time for one question; an archive may have gigabytes. */
	SECONDS = 120,
	/** How often the child may ask for more files. */
	ROUNDS = 16,
	IMAGES = 1000,
	NAMES = 1000,
	ENVIRONMENT = 10000,
	WORDS = 256,
	PATHS = 1024,
};

/** An image of an archive's list. */
struct listed {
	/** Its names are whatever the maker of an OCI layout wrote. */
	bool loose;
	const char **names;
	size_t nnames;
	const char *digest;
};

/** What was found once is not read again. */
struct known_image {
	uint32_t first;
	struct br_image image;
	int result;
};

struct opened_archive {
	const struct br_text *name;
	int fd;
	bool is_directory;
	bool is_listed;
	struct listed *images;
	size_t n;
	br_vec(struct known_image) known;
};

struct archives {
	struct opened_archive *v;
	size_t n;
	const char *platform;
};

/** A question to the child, and the files that it asked for. */
struct question {
	struct image_finder *finder;
	struct opened_archive *archive;
	struct bundle_request request;
	int fds[BR_CONFINE_INPUTS];
	size_t nfds;
	br_vec(const char *) names;
	br_vec(int) inputs;
};

static int complain(
	struct image_finder *finder, const struct opened_archive *archive, const char *why) {
	return br_error(finder->dx, archive->name->at, "cannot use the image archive '%s': it %s",
		archive->name->s, why);
}

// ---- opening ----

static int open_archive(struct image_finder *finder, struct opened_archive *archive) {
	const char *name = archive->name->s;
	struct stat facts = {0};
	int fd = br_open_input(name, O_RDONLY, finder->options->trusted);
	archive->fd = fd;
	if (fd < 0 && errno == EINVAL) {
		return complain(finder, archive, "is neither a file nor a directory");
	}
	if (fd < 0 || fstat(fd, &facts)) {
		return br_error(finder->dx, archive->name->at,
			"cannot open the image archive '%s': %s", name, br_input_why(errno));
	}
	archive->is_directory = S_ISDIR(facts.st_mode);
	return 0;
}

static int open_all(struct image_finder *finder, struct archives *all) {
	all->n = finder->options->narchives;
	all->v = BR_NEW_ARRAY(finder->arena, struct opened_archive, all->n);
	all->platform = finder->options->platform ? finder->options->platform : platform_here();
	if (!all->v) {
		all->n = 0;
		return br_error_memory(finder->dx);
	}
	for (size_t i = 0; i < all->n; i++) {
		all->v[i].name = &finder->options->archives[i];
		all->v[i].fd = -1;
	}
	for (size_t i = 0; i < all->n; i++) {
		if (open_archive(finder, &all->v[i])) {
			return -1;
		}
	}
	return 0;
}

void archive_release(struct image_finder *finder) {
	struct archives *all = finder->archives;
	for (size_t i = 0; all && i < all->n; i++) {
		br_closep(&all->v[i].fd);
	}
	finder->archives = NULL;
}

// ---- asking ----

static const char *reason_of(int error) {
	switch (error) {
	case ETIMEDOUT:
		return "takes too long to read";
	case ENOMEM:
		return "needs too much memory";
	case EFBIG:
		return "has too much to say";
	default:
		return "could not be read safely";
	}
}

/** Only what a layout's own parts are called. */
static bool is_part_name(const char *name) {
	static const char blobs[] = "blobs/sha256/";
	size_t n = sizeof(blobs) - 1;
	return !strcmp(name, "index.json") || !strcmp(name, "manifest.json")
		|| (!strncmp(name, blobs, n)
			&& strspn(name + n, "0123456789abcdef") == strlen(name + n));
}

/** Open what the child asked for: -1 in inputs for what is not there. */
static int open_part(struct question *q, const char *name) {
	int input = -1;
	if (!is_part_name(name)) {
		return complain(q->finder, q->archive, reason_of(EPROTO));
	}
	br_auto(br_closep) int fd =
		br_open_beneath(q->archive->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, true);
	struct stat facts = {0};
	if (fd < 0 && errno != ENOENT) {
		return br_error(q->finder->dx, q->archive->name->at,
			"cannot use the image archive '%s': its %s cannot be opened: %s",
			q->archive->name->s, name, strerror(errno));
	}
	if (fd >= 0 && (fstat(fd, &facts) || !S_ISREG(facts.st_mode))) {
		return complain(q->finder, q->archive, "has a part that is no file");
	}
	if (fd >= 0 && q->nfds == BR_CONFINE_INPUTS) {
		return complain(q->finder, q->archive, "has an image with too many parts");
	}
	if (fd >= 0) {
		input = (int)q->nfds;
		q->fds[q->nfds++] = br_steal_fd(&fd);
	}
	return br_vec_push(q->finder->arena, &q->names, name)
			|| br_vec_push(q->finder->arena, &q->inputs, input)
		? br_error_memory(q->finder->dx)
		: 0;
}

/** The child needs these files. */
static int open_parts(struct question *q, struct wire *wire) {
	uint32_t n = wire_take_number(wire, BR_CONFINE_INPUTS * 4);
	bool more = q->archive->is_directory && n;
	for (uint32_t i = 0; i < n && more; i++) {
		const char *name = wire_take_string(wire, q->finder->arena);
		if (name && open_part(q, name)) {
			return -1;
		}
		more = name != NULL;
	}
	return more ? 0 : complain(q->finder, q->archive, reason_of(EPROTO));
}

/** Ask once. The answer's letter, 0 with the error in dx; the rest of the answer is in wire, and in
 * bytes for the caller to free. */
static char ask_once(struct question *q, char **bytes, struct wire *wire) {
	size_t n = 0;
	q->request.names = q->names.v;
	q->request.inputs = q->inputs.v;
	q->request.n = q->names.n;
	const struct br_confine confine = {
		.run = bundle_answer,
		.context = &q->request,
		.in = q->archive->is_directory ? q->fds : &q->archive->fd,
		.nin = q->archive->is_directory ? q->nfds : 1,
		.seconds = SECONDS,
	};
	if (br_confine_run(&confine, bytes, &n)) {
		(void)complain(q->finder, q->archive, reason_of(errno));
		return 0;
	}
	*wire = (struct wire){.s = *bytes, .n = n};
	const char *letter = wire_take_bytes(wire, 1);
	if (!letter || !strchr("ENLAI", *letter) || !*letter) {
		(void)complain(q->finder, q->archive, reason_of(EPROTO));
		return 0;
	}
	if (*letter == BUNDLE_ERROR) {
		const char *why = wire_take_string(wire, q->finder->arena);
		(void)complain(q->finder, q->archive, why ? why : reason_of(EPROTO));
	}
	return *letter == BUNDLE_ERROR ? '\0' : *letter;
}

/** Ask, with ever more files, until there is an answer. */
static char ask(struct question *q, char **bytes, struct wire *wire) {
	bundle_prepare();
	q->request.is_directory = q->archive->is_directory;
	for (unsigned round = 0; round < ROUNDS; round++) {
		char letter = ask_once(q, bytes, wire);
		if (letter != BUNDLE_NEEDS) {
			return letter;
		}
		if (open_parts(q, wire)) {
			return 0;
		}
		br_freep(bytes);
		*bytes = NULL;
	}
	(void)complain(q->finder, q->archive, reason_of(EPROTO));
	return 0;
}

static void question_close(struct question *q) {
	for (size_t i = 0; i < q->nfds; i++) {
		br_closep(&q->fds[i]);
	}
}

// ---- the list ----

static int take_list(
	struct image_finder *finder, struct opened_archive *archive, struct wire *wire) {
	uint32_t n = wire_take_number(wire, IMAGES);
	struct listed *images = BR_NEW_ARRAY(finder->arena, struct listed, n);
	for (uint32_t i = 0; images && i < n && !wire->failed; i++) {
		images[i].loose = wire_take_number(wire, 1) == 1;
		images[i].nnames = wire_take_number(wire, NAMES);
		images[i].names = BR_NEW_ARRAY(finder->arena, const char *, images[i].nnames);
		for (size_t k = 0; images[i].names && k < images[i].nnames && !wire->failed; k++) {
			images[i].names[k] = wire_take_string(wire, finder->arena);
		}
		images[i].digest = wire_take_string(wire, finder->arena);
		wire->failed = wire->failed || !images[i].names;
	}
	if (!images || wire->failed || wire->n) {
		return complain(finder, archive, reason_of(EPROTO));
	}
	archive->images = images;
	archive->n = n;
	archive->is_listed = true;
	return 0;
}

static int list_images(struct image_finder *finder, struct opened_archive *archive) {
	struct question q = {.finder = finder, .archive = archive};
	struct wire wire = {0};
	br_auto(br_freep) char *bytes = NULL;
	if (archive->is_listed) {
		return 0;
	}
	char letter = ask(&q, &bytes, &wire);
	question_close(&q);
	if (letter && letter != BUNDLE_LIST) {
		return complain(finder, archive, reason_of(EPROTO));
	}
	return letter ? take_list(finder, archive, &wire) : -1;
}

// ---- choosing ----

/** How to compare; each way is tried on all images before the next one. */
enum way {
	BY_NAME,
	/** Podman's own images stand below localhost/. */
	BY_LOCAL_NAME,
	/** An OCI layout may know the tag only, or nothing; then there must be no other image. */
	ALONE,
	WAYS,
};

/** Whether one of the image's names is the wanted one. 1, 0, -1. */
static int has_name(struct image_finder *finder, const struct listed *image,
	const struct image_name *wanted, bool local) {
	for (size_t i = 0; i < image->nnames; i++) {
		struct image_name name;
		int is_name = image_name_read(finder->arena, image->names[i], &name);
		if (is_name < 0) {
			return br_error_memory(finder->dx);
		}
		if (is_name && image_name_matches(wanted, &name, local)) {
			return 1;
		}
	}
	return 0;
}

static bool may_stand_alone(const struct opened_archive *archive, const struct listed *image,
	const struct image_name *wanted) {
	bool tag_only = image->loose && image->nnames == 1 && !strpbrk(image->names[0], "/:@");
	bool is_other = wanted->digest && *image->digest; // it was compared
	return archive->n == 1 && !is_other
		&& (!image->nnames
			|| (tag_only && wanted->tag && !strcmp(wanted->tag, image->names[0])));
}

static int matches(struct image_finder *finder, const struct opened_archive *archive, size_t i,
	const struct image_name *wanted, enum way way) {
	const struct listed *image = &archive->images[i];
	switch (way) {
	case BY_NAME:
		if (wanted->digest && !strcmp(wanted->digest, image->digest)) {
			return 1;
		}
		return has_name(finder, image, wanted, false);
	case BY_LOCAL_NAME:
		return has_name(finder, image, wanted, true);
	case ALONE:
		return may_stand_alone(archive, image, wanted);
	case WAYS:
		break;
	}
	return 0;
}

/** The images that are meant, as numbers of the list: several differ in their platform. How many in
 * *n. */
static int choose_images(struct image_finder *finder, const struct opened_archive *archive,
	const struct image_name *wanted, uint32_t *chosen, size_t *n) {
	*n = 0;
	for (unsigned way = 0; way < WAYS && !*n; way++) {
		for (size_t i = 0; i < archive->n; i++) {
			int match = matches(finder, archive, i, wanted, (enum way)way);
			if (match < 0) {
				return -1;
			}
			if (match) {
				chosen[(*n)++] = (uint32_t)i;
			}
		}
	}
	return 0;
}

// ---- one image ----

static int parse_failed(
	struct image_finder *finder, const struct opened_archive *archive, const char *file) {
	if (errno == ENOMEM) {
		return br_error_memory(finder->dx);
	}
	return br_error(finder->dx, archive->name->at,
		"cannot use the image archive '%s': its /etc/%s %s", archive->name->s, file,
		errno == EMSGSIZE ? "has a line that is too long for every engine"
				  : "has more than 10000 lines or 1 MiB");
}

static int take_accounts(struct image_finder *finder, const struct opened_archive *archive,
	struct wire *wire, struct br_image *out) {
	size_t n = 0;
	out->accounts_complete = wire_take_number(wire, 1) == 1;
	if (!out->accounts_complete) {
		return 0;
	}
	out->no_passwd = !wire_take_number(wire, 1);
	const char *bytes = wire_take(wire, &n);
	if (bytes && passwd_parse(finder->arena, bytes, n, &out->users, &out->nusers)) {
		return parse_failed(finder, archive, "passwd");
	}
	out->no_group = !wire_take_number(wire, 1);
	bytes = wire_take(wire, &n);
	if (bytes && group_parse(finder->arena, bytes, n, &out->groups, &out->ngroups)) {
		return parse_failed(finder, archive, "group");
	}
	return 0;
}

static struct br_image_node take_node(struct image_finder *finder, struct wire *wire) {
	struct br_image_node node = {.origin = BR_IMAGE_ARCHIVE};
	const char *path = wire_take_string(wire, finder->arena);
	node.path = path ? br_printf(finder->arena, "/%s", path) : NULL;
	node.type = wire_take_number(wire, BR_IMAGE_OTHER);
	node.owner_known = node.mode_known = wire_take_number(wire, 1) == 1;
	node.uid = wire_take_number(wire, UINT32_MAX);
	node.gid = wire_take_number(wire, UINT32_MAX);
	node.mode = wire_take_number(wire, 07777);
	const char *link = wire_take_string(wire, finder->arena);
	node.link = node.type == BR_IMAGE_LINK ? link : NULL;
	wire->failed = wire->failed || !node.path || *path == '/' || strstr(path, "//");
	return node;
}

static int take_nodes(struct image_finder *finder, struct wire *wire, struct br_image *out) {
	br_vec(struct br_image_node) nodes = {0};
	while (wire_take_number(wire, 1) == 1) {
		struct br_image_node node = take_node(finder, wire);
		wire->failed = wire->failed || nodes.n == PATHS;
		if (!wire->failed && br_vec_push(finder->arena, &nodes, node)) {
			return br_error_memory(finder->dx);
		}
	}
	out->nodes = nodes.v;
	out->nnodes = nodes.n;
	return 0;
}

/** Entrypoint and command behind one another. */
static int take_command(struct image_finder *finder, struct wire *wire, struct br_image *out) {
	br_vec(const char *) words = {0};
	for (unsigned part = 0; part < 2; part++) {
		uint32_t n = wire_take_number(wire, WORDS);
		for (uint32_t i = 0; i < n; i++) {
			const char *word = wire_take_string(wire, finder->arena);
			if (br_vec_push(finder->arena, &words, word)) {
				return br_error_memory(finder->dx);
			}
		}
	}
	out->command = words.v;
	out->ncommand = words.n;
	return 0;
}

static int take_volumes(struct image_finder *finder, struct wire *wire, struct br_image *out) {
	uint32_t n = wire_take_number(wire, WORDS);
	struct br_text *volumes = BR_NEW_ARRAY(finder->arena, struct br_text, n);
	for (uint32_t i = 0; volumes && i < n; i++) {
		volumes[i].s = wire_take_string(wire, finder->arena);
	}
	out->volumes = volumes;
	out->nvolumes = n;
	return volumes ? 0 : br_error_memory(finder->dx);
}

/** A configuration: 0 not there, 1 with its text, 2 not known. */
struct config {
	const char *path;
	uint32_t there;
	const char *text;
};

/** Give a library the configuration that the image has at this path, where it looks there first. */
static int configure(struct image_finder *finder, const struct br_image *image,
	struct br_image_library *all, const struct config *config) {
	for (size_t i = 0; i < image->nlibraries; i++) {
		const struct br_library *library = all[i].library;
		const char *named = library_config_option(image, library);
		bool meant = named
			? !strcmp(named, config->path)
			: library_has_word(library->config, config->path, strlen(config->path));
		if (!meant || !config->there || !all[i].config_unknown) {
			continue;
		}
		all[i].config_unknown = config->there == 2;
		if (config->there == 1 && library_configure(finder->arena, &all[i], config->text)) {
			return -1;
		}
	}
	return 0;
}

/** What the image's files say of libraries. */
static int take_libraries(struct image_finder *finder, struct wire *wire, struct br_image *out) {
	if (library_find(finder->arena, out)) {
		return br_error_memory(finder->dx);
	}
	struct br_image_library *all = library_own(finder->arena, out);
	if (!all) {
		return br_error_memory(finder->dx);
	}
	for (size_t i = 0; i < out->nlibraries; i++) {
		all[i].config_unknown = all[i].library->config != NULL;
	}
	struct config config = {0};
	for (size_t i = 0; out->accounts_complete && (config.path = library_config_path(i)); i++) {
		size_t n = 0;
		config.there = wire_take_number(wire, 2);
		const char *bytes = wire_take(wire, &n);
		config.text = bytes ? br_strndup(finder->arena, bytes, n) : NULL;
		if (bytes && (!config.text || configure(finder, out, all, &config))) {
			return br_error_memory(finder->dx);
		}
	}
	return 0;
}

static int take_image(struct image_finder *finder, const struct opened_archive *archive,
	struct wire *wire, struct br_image *out) {
	*out = (struct br_image){.origin = BR_IMAGE_ARCHIVE, .from = archive->name->s};
	out->user.s = wire_take_string(wire, finder->arena);
	out->nenvironment = wire_take_number(wire, ENVIRONMENT);
	const char **environment = BR_NEW_ARRAY(finder->arena, const char *, out->nenvironment);
	if (!environment) {
		return br_error_memory(finder->dx);
	}
	for (size_t i = 0; i < out->nenvironment; i++) {
		environment[i] = wire_take_string(wire, finder->arena);
	}
	out->environment = environment;
	bool has_label = wire_take_number(wire, 1) == 1;
	const char *label = wire_take_string(wire, finder->arena);
	out->capabilities_label = has_label ? label : NULL;
	out->workdir = wire_take_string(wire, finder->arena);
	if (take_command(finder, wire, out) || take_volumes(finder, wire, out)
		|| take_accounts(finder, archive, wire, out)
		|| (out->accounts_complete && take_nodes(finder, wire, out))) {
		return -1;
	}
	if (!wire->failed && take_libraries(finder, wire, out)) {
		return -1;
	}
	return wire->failed || wire->n ? complain(finder, archive, reason_of(EPROTO)) : 1;
}

static int read_image(struct image_finder *finder, struct opened_archive *archive,
	const uint32_t *chosen, size_t n, struct br_image *out) {
	const struct archives *all = finder->archives;
	struct question q = {.finder = finder,
		.archive = archive,
		.request = {.chosen = chosen,
			.nchosen = n,
			.asked = finder->asked,
			.nasked = finder->nasked,
			.platform = all->platform ? all->platform : "linux/unknown"}};
	struct wire wire = {0};
	br_auto(br_freep) char *bytes = NULL;
	char letter = ask(&q, &bytes, &wire);
	question_close(&q);
	if (letter == BUNDLE_ABSENT) {
		const char *why = wire_take_string(&wire, finder->arena);
		br_note(finder->dx, archive->name->at, "the image archive '%s' %s",
			archive->name->s, why ? why : "has no such image");
		return 0;
	}
	if (letter && letter != BUNDLE_IMAGE) {
		return complain(finder, archive, reason_of(EPROTO));
	}
	return letter ? take_image(finder, archive, &wire, out) : -1;
}

/** read_image, once for each image. */
static int get_image(struct image_finder *finder, struct opened_archive *archive,
	const uint32_t *chosen, size_t n, struct br_image *out) {
	for (size_t i = 0; i < archive->known.n; i++) {
		if (archive->known.v[i].first == *chosen) {
			*out = archive->known.v[i].image;
			return archive->known.v[i].result;
		}
	}
	struct known_image known = {.first = *chosen};
	known.result = read_image(finder, archive, chosen, n, &known.image);
	if (known.result >= 0 && br_vec_push(finder->arena, &archive->known, known)) {
		return br_error_memory(finder->dx);
	}
	*out = known.image;
	return known.result;
}

static int find_in(struct image_finder *finder, struct opened_archive *archive,
	const struct image_name *wanted, struct br_image *out) {
	size_t n = 0;
	if (list_images(finder, archive)) {
		return -1;
	}
	uint32_t *chosen = BR_NEW_ARRAY(finder->arena, uint32_t, archive->n);
	if (!chosen) {
		return br_error_memory(finder->dx);
	}
	if (choose_images(finder, archive, wanted, chosen, &n)) {
		return -1;
	}
	return n ? get_image(finder, archive, chosen, n, out) : 0;
}

int archive_find(struct image_finder *finder, const char *reference, struct br_image *out) {
	struct image_name wanted;
	*out = (struct br_image){0};
	if (!finder->options->narchives) {
		return 0;
	}
	struct archives *all = finder->archives;
	if (!all) {
		all = finder->archives = BR_NEW(finder->arena, struct archives);
		if (!all) {
			return br_error_memory(finder->dx);
		}
		if (open_all(finder, all)) {
			return -1;
		}
	}
	int found = image_name_read(finder->arena, reference, &wanted);
	if (found < 0) {
		return br_error_memory(finder->dx);
	}
	if (!found) {
		return 0;
	}
	found = 0;
	for (size_t i = 0; i < all->n && !found; i++) {
		found = find_in(finder, &all->v[i], &wanted, out);
	}
	return found;
}
