#include "store.h"

#include <errno.h>
#include <string.h>

static int no_memory(struct store *store) {
	return effort_fail(store->effort, "needs too much memory");
}

int opened_open(struct opened *opened, struct stream *from, bool hashing, struct effort *effort) {
	enum packing packing;
	*opened = (struct opened){0};
	tap_open(&opened->packed, from, hashing);
	if (tap_packing(&opened->packed, &packing)) {
		return -1;
	}
	struct stream *plain = &opened->packed.stream;
	if (packing == PACKING_OTHER) {
		return effort_fail(effort, "is packed neither by gzip nor by zstd");
	}
	if (packing != PACKING_NONE) {
		plain = unpack_open(&opened->unpack, &opened->packed, packing, effort);
	}
	if (plain) {
		tap_open(&opened->plain, plain, hashing);
		opened->tar = tar_open(&opened->plain.stream, effort);
	}
	return opened->tar ? 0 : -1;
}

void opened_close(struct opened *opened) {
	tar_closep(&opened->tar);
	unpack_closep(&opened->unpack);
}

// ---- the archive as a tar ----

/** manifest.json, index.json and configurations lie at the top, or among the blobs. */
static bool is_document(const struct tar_entry *entry, const char *name) {
	size_t n = strlen(name);
	bool json = n > 5 && !strcmp(name + n - 5, ".json") && !strchr(name, '/');
	return entry->kind == TAR_FILE && entry->size <= STORE_FILE
		&& (json || !strncmp(name, "blobs/", 6));
}

/** Keep the file if it may be JSON: its first byte tells. */
static int keep_document(struct store *store, const char *name, size_t size, struct stream *data) {
	struct store_file file = {.name = name};
	static const char starts[] = {'{', '[', ' ', '\t', '\r', '\n'};
	char first = 0;
	ssize_t got = data->read(data, &first, 1);
	if (got <= 0 || !memchr(starts, first, sizeof(starts))) {
		return got < 0 ? -1 : 0;
	}
	store->kept += size;
	if (store->kept > STORE_KEPT) {
		return effort_fail(store->effort, "has more than %d MiB of JSON", STORE_KEPT >> 20);
	}
	char *bytes = br_alloc(store->arena, size + 1);
	if (!bytes) {
		return no_memory(store);
	}
	bytes[file.n++] = first;
	while (got > 0 && file.n < size) {
		got = data->read(data, bytes + file.n, size - file.n);
		file.n += got > 0 ? (size_t)got : 0;
	}
	file.bytes = bytes;
	if (got >= 0 && br_vec_push(store->arena, &store->files, file)) {
		return no_memory(store);
	}
	return got < 0 ? -1 : 0;
}

/** Where a link of the archive leads; outwards is nowhere. */
static int keep_alias(struct store *store, const char *name, const struct tar_entry *entry) {
	const char *slash = entry->kind == TAR_SYMLINK ? strrchr(name, '/') : NULL;
	size_t n = slash ? (size_t)(slash - name) : 0;
	const char *link = entry->link;
	while (n && !strncmp(link, "../", 3)) {
		link += 3;
		while (n && name[n - 1] != '/') {
			n--;
		}
		n -= n > 0;
	}
	const char *path = br_printf(store->arena, "%.*s/%s", (int)n, name, link);
	struct store_alias alias = {.name = name};
	alias.target = path ? clean_name(store->arena, path) : NULL;
	if (!alias.target) {
		return path && !errno ? 0 : no_memory(store);
	}
	if (store->aliases.n == STORE_ALIASES) {
		return effort_fail(store->effort, "has more than %d links", (int)STORE_ALIASES);
	}
	return br_vec_push(store->arena, &store->aliases, alias) ? no_memory(store) : 0;
}

static int index_entry(struct store *store, struct tar *tar, const struct tar_entry *entry) {
	struct br_arena scratch = {0};
	bool is_link = entry->kind == TAR_SYMLINK || entry->kind == TAR_HARDLINK;
	char *name = clean_name(&scratch, entry->name);
	int failed = name || !errno ? 0 : no_memory(store);
	if (name && (is_link || is_document(entry, name))) {
		char *kept = br_strdup(store->arena, name);
		failed = !kept    ? no_memory(store)
			: is_link ? keep_alias(store, kept, entry)
				  : keep_document(store, kept, (size_t)entry->size, tar_data(tar));
	}
	br_arena_release(&scratch);
	return failed;
}

static int open_archive(struct store *store, struct file_stream *file, struct opened *opened) {
	return file_stream_open(file, store->in[0], store->effort)
			|| opened_open(opened, &file->stream, false, store->effort)
		? -1
		: 0;
}

/** Read all of the archive once for what is small. */
static int make_index(struct store *store) {
	struct file_stream file;
	struct opened opened = {0};
	struct tar_entry entry;
	int more = open_archive(store, &file, &opened);
	while (!more && (more = tar_next(opened.tar, &entry)) > 0) {
		more = index_entry(store, opened.tar, &entry);
	}
	opened_close(&opened);
	store->indexed = true;
	return more;
}

const char *store_real_name(const struct store *store, const char *name) {
	for (unsigned links = 0; links < 8; links++) {
		const char *target = NULL;
		for (size_t i = 0; i < store->aliases.n; i++) {
			if (!strcmp(store->aliases.v[i].name, name)) {
				target = store->aliases.v[i].target;
			}
		}
		if (!target) {
			break;
		}
		name = target;
	}
	return name;
}

// ---- the archive as a directory ----

/** The input that a file is: its number, -1 where there is no such file, -2 where it has to be
 * asked for. */
static int input_of(struct store *store, const char *name) {
	for (size_t i = 0; i < store->request->n; i++) {
		if (!strcmp(store->request->names[i], name)) {
			return store->request->inputs[i];
		}
	}
	// Without memory the failure is an error, as it should be.
	(void)br_vec_push(store->arena, &store->needs, name);
	return -2;
}

static int get_from_directory(struct store *store, const char *name, struct store_file *out) {
	struct file_stream file;
	ssize_t got = 1;
	int input = input_of(store, name);
	if (input < 0) {
		return input == -1 ? 0 : effort_fail(store->effort, "lacks %s", name);
	}
	if (file_stream_open(&file, store->in[input], store->effort)) {
		return -1;
	}
	if (file.size > STORE_FILE) {
		return effort_fail(
			store->effort, "has %s larger than %d MiB", name, STORE_FILE >> 20);
	}
	char *bytes = br_alloc(store->arena, file.size + 1);
	if (!bytes) {
		return no_memory(store);
	}
	*out = (struct store_file){.name = name, .bytes = bytes};
	while (got > 0 && out->n < file.size) {
		got = file.stream.read(&file.stream, bytes + out->n, file.size - out->n);
		out->n += got > 0 ? (size_t)got : 0;
	}
	return got < 0 ? -1 : 1;
}

static int visit_directory(struct store *store, const char *const *names, size_t n,
	store_visitor *visit, void *context) {
	struct file_stream file;
	for (size_t i = 0; i < n; i++) {
		if (input_of(store, names[i]) < 0) {
			(void)effort_fail(store->effort, "lacks %s", names[i]);
		}
	}
	if (*store->effort->why) {
		return -1; // asks for all at once
	}
	for (size_t i = 0; i < n; i++) {
		int input = input_of(store, names[i]);
		if (file_stream_open(&file, store->in[input], store->effort)
			|| visit(context, i, &file.stream)) {
			return -1;
		}
	}
	return 0;
}

// ---- either ----

int store_get(struct store *store, const char *name, struct store_file *out) {
	if (store->request->is_directory) {
		return get_from_directory(store, name, out);
	}
	if (!store->indexed && make_index(store)) {
		return -1;
	}
	int found = 0;
	name = store_real_name(store, name);
	for (size_t i = 0; i < store->files.n; i++) {
		if (!strcmp(store->files.v[i].name, name)) {
			*out = store->files.v[i];
			found = 1;
		}
	}
	return found;
}

/** The names as the archive has them, and which of them were seen. */
struct search {
	const char **names;
	bool *seen;
	size_t n;
};

static int visit_entry(struct search *search, struct opened *opened, const struct tar_entry *entry,
	store_visitor *visit, void *context) {
	struct br_arena scratch = {0};
	char *name = entry->kind == TAR_FILE ? clean_name(&scratch, entry->name) : NULL;
	int failed = 0;
	for (size_t i = 0; name && i < search->n; i++) {
		if (!strcmp(search->names[i], name)) {
			search->seen[i] = true;
			failed = visit(context, i, tar_data(opened->tar));
			break;
		}
	}
	br_arena_release(&scratch);
	return failed;
}

static int check_seen(struct store *store, const struct search *search) {
	for (size_t i = 0; i < search->n; i++) {
		size_t first = 0;
		while (strcmp(search->names[first], search->names[i]) != 0) {
			first++;
		}
		if (!search->seen[first]) {
			return effort_fail(store->effort, "lacks %s", search->names[i]);
		}
	}
	return 0;
}

int store_visit(struct store *store, const char *const *names, size_t n, store_visitor *visit,
	void *context) {
	struct search search = {.n = n};
	struct file_stream file;
	struct opened opened = {0};
	struct tar_entry entry;
	if (store->request->is_directory) {
		return visit_directory(store, names, n, visit, context);
	}
	search.names = BR_NEW_ARRAY(store->arena, const char *, n);
	search.seen = BR_NEW_ARRAY(store->arena, bool, n);
	if (!search.names || !search.seen) {
		return no_memory(store);
	}
	for (size_t i = 0; i < n; i++) {
		search.names[i] = store_real_name(store, names[i]);
	}
	int more = open_archive(store, &file, &opened);
	while (!more && (more = tar_next(opened.tar, &entry)) > 0) {
		more = visit_entry(&search, &opened, &entry, visit, context);
	}
	opened_close(&opened);
	return more ? -1 : check_seen(store, &search);
}
