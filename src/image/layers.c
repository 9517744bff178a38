/** What an image's layers make together, of what was asked: as many passes over them as links lead
 * to new places. */
#include "layers.h"

#include "library.h"
#include "parts.h"
#include "rootfs.h"

#include <base/wire.h>

#include <errno.h>
#include <string.h>

enum {
	PASSES = 64,
	/** Passes for what is only asked about; it stays unknown then. */
	ASKING_PASSES = 8,
	/** Homes of accounts that are asked about, and files of libraries. */
	HOMES = 64,
	MARKERS = 32,
	/** Bytes of a configuration. */
	CONFIG = 64 << 10,
};

struct layer_run {
	const struct layers *from;
	struct rootfs *rootfs;
	bool hashing;
	/** Files of libraries that were asked about. */
	unsigned nmarkers;
};

static int check_digest(struct layer_run *run, struct tap *tap, const char *digits) {
	char hex[DIGEST_DIGITS + 1];
	if (!run->hashing || !digits) {
		return 0;
	}
	sha256_end(&tap->hash, hex);
	return strcmp(hex, digits) != 0
		? effort_fail(run->from->effort, "does not have the digest sha256:%s", digits)
		: 0;
}

/** A file by which a library is known: whether it is still there above this layer is what the next
 * pass finds out. */
static int ask_marker(struct layer_run *run, const struct tar_entry *entry) {
	if (run->nmarkers == MARKERS || !library_is_marker(entry->name)) {
		return 0;
	}
	const char *name = clean_name(run->from->arena, entry->name);
	if (!name) {
		return errno ? effort_fail(run->from->effort, "needs too much memory") : 0;
	}
	run->nmarkers++;
	return rootfs_ask(run->rootfs, name);
}

static int read_layer(struct layer_run *run, size_t i, struct opened *opened) {
	const struct layer *layer = &run->from->v[i];
	struct tar_entry entry;
	int more;
	while ((more = tar_next(opened->tar, &entry)) > 0) {
		if (rootfs_add(run->rootfs, i, &entry, tar_data(opened->tar))
			|| ask_marker(run, &entry)) {
			return -1;
		}
	}
	// What stands behind the tar's end is part of the digest too.
	if (more || (run->hashing && stream_drain(&opened->plain.stream))
		|| (run->hashing && stream_drain(&opened->packed.stream))) {
		return -1;
	}
	return check_digest(run, &opened->packed, layer->packed_digest)
			|| check_digest(run, &opened->plain, layer->plain_digest)
		? -1
		: 0;
}

static int visit_layer(void *context, size_t i, struct stream *bytes) {
	struct layer_run *run = context;
	struct effort *effort = run->from->effort;
	struct opened opened = {0};
	rootfs_begin_layer(run->rootfs, i);
	int failed =
		opened_open(&opened, bytes, run->hashing, effort) || read_layer(run, i, &opened);
	opened_close(&opened);
	if (failed) {
		char why[sizeof(effort->why)];
		memcpy(why, effort->why, sizeof(why));
		*effort->why = '\0';
		return effort_fail(effort, "has a layer (number %zu) that %.200s", i + 1, why);
	}
	return 0;
}

/** One pass over all layers. */
static int read_layers(struct layer_run *run) {
	const char *names[ROOTFS_LAYERS];
	for (size_t i = 0; i < run->from->n; i++) {
		names[i] = run->from->v[i].name;
	}
	rootfs_begin_pass(run->rootfs);
	if (run->from->n && store_visit(run->from->store, names, run->from->n, visit_layer, run)) {
		return -1;
	}
	for (size_t i = 1; i < run->from->n; i++) {
		const char *name = store_real_name(run->from->store, names[i]);
		size_t first = 0;
		while (strcmp(store_real_name(run->from->store, names[first]), name) != 0) {
			first++;
		}
		if (first < i) {
			rootfs_same_layer(run->rootfs, i, first);
		}
	}
	rootfs_merge(run->rootfs);
	return 0;
}

/** The home directories of accounts, and what programs keep there. */
static int ask_homes(struct layer_run *run, const struct rootfs_file *passwd) {
	struct br_arena *arena = run->from->arena;
	const struct br_image_user *users = NULL;
	size_t n = 0;
	if (passwd->exists && passwd_parse(arena, passwd->bytes, passwd->n, &users, &n)) {
		return 0; // whoever asked will say so
	}
	for (size_t i = 0; i < n && i < HOMES; i++) {
		const char *home = users[i].home ? clean_name(arena, users[i].home) : NULL;
		const char *cache = home ? br_printf(arena, "%s/.cache", home) : NULL;
		if (cache
			&& (rootfs_ask(run->rootfs, home)
				|| rootfs_ask(run->rootfs, cache + !*home))) {
			return -1;
		}
	}
	return 0;
}

/** Whether another pass could tell more of what was asked. 1, 0, -1. */
static int wants_more(struct layer_run *run, const struct rootfs_file *passwd, unsigned pass) {
	if (!run->from->request->nasked || pass >= ASKING_PASSES) {
		return 0;
	}
	return ask_homes(run, passwd) ? -1 : !rootfs_is_settled(run->rootfs);
}

static int find_accounts(
	struct layer_run *run, struct rootfs_file *passwd, struct rootfs_file *group) {
	for (unsigned pass = 0; pass < PASSES; pass++) {
		run->hashing = !pass;
		if (read_layers(run)) {
			return -1;
		}
		int has_passwd = rootfs_find(run->rootfs, "etc/passwd", passwd);
		int has_group = has_passwd < 0 ? -1 : rootfs_find(run->rootfs, "etc/group", group);
		int more = has_passwd > 0 && has_group > 0 ? wants_more(run, passwd, pass) : 1;
		if (has_group < 0 || more <= 0) {
			return has_group < 0 ? -1 : more;
		}
	}
	return effort_fail(run->from->effort, "has links that lead to ever more places");
}

static void put_file(const struct rootfs_file *file, struct br_buf *out) {
	wire_put_number(out, file->exists);
	wire_put(out, file->bytes ? file->bytes : "", file->n);
}

static void put_places(const struct rootfs *rootfs, struct br_buf *out) {
	struct rootfs_place place;
	for (size_t i = 0; rootfs_place(rootfs, i, &place); i++) {
		if (place.path) {
			wire_put_number(out, 1);
			wire_put_string(out, place.path);
			wire_put_number(out, place.type);
			wire_put_number(out, place.has_owner);
			wire_put_number(out, place.uid);
			wire_put_number(out, place.gid);
			wire_put_number(out, place.mode);
			wire_put_string(out, place.link ? place.link : "");
		}
	}
	wire_put_number(out, 0);
}

/** The configurations of libraries: 1 with the bytes, 0 where there is none, 2 where it is not
 * known. */
static void put_configs(struct rootfs *rootfs, struct effort *effort, struct br_buf *out) {
	const char *path;
	for (size_t i = 0; (path = library_config_path(i)); i++) {
		struct rootfs_file file;
		int known = rootfs_find(rootfs, path + 1, &file);
		bool large = known > 0 && file.n > CONFIG;
		if (known < 0) {
			*effort->why = '\0'; // too large: no failure of the image
		}
		wire_put_number(out, known <= 0 || large ? 2 : file.exists);
		wire_put(out, file.bytes && !large ? file.bytes : "",
			known > 0 && !large ? file.n : 0);
	}
}

static int want_configs(struct layer_run *run) {
	const char *path;
	for (size_t i = 0; run->from->request->nasked && (path = library_config_path(i)); i++) {
		if (rootfs_want(run->rootfs, path + 1)) {
			return -1;
		}
	}
	return 0;
}

static int ask_all(struct layer_run *run) {
	const struct bundle_request *request = run->from->request;
	for (size_t i = 0; i < request->nasked; i++) {
		const char *path = clean_name(run->from->arena, request->asked[i]);
		if (path && rootfs_ask(run->rootfs, path)) {
			return -1;
		}
	}
	return 0;
}

int layers_put(const struct layers *layers, struct br_buf *out) {
	struct rootfs_file passwd = {0};
	struct rootfs_file group = {0};
	struct layer_run run = {.from = layers};
	run.rootfs = rootfs_new(layers->n, layers->effort);
	int failed = !run.rootfs || rootfs_want(run.rootfs, "etc/passwd")
		|| rootfs_want(run.rootfs, "etc/group") || want_configs(&run) || ask_all(&run)
		|| find_accounts(&run, &passwd, &group);
	if (!failed) {
		put_file(&passwd, out);
		put_file(&group, out);
		put_places(run.rootfs, out);
		put_configs(run.rootfs, layers->effort, out);
	}
	rootfs_freep(&run.rootfs);
	return failed ? -1 : 0;
}
