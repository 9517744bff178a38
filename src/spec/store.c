#include "store.h"

#include <base/file.h>
#include <base/input.h>
#include <base/own.h>
#include <bindright/spec.h>
#include <doc/doc.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

void br_store_release(struct br_file_store *store) {
	for (size_t i = 0; i < store->files.n; i++) {
		free(store->files.v[i]->bytes);
	}
	br_arena_release(&store->arena);
	*store = (struct br_file_store){.stdin_fd = -1};
}

static uint32_t hash_of(enum br_ask ask, const char *path) {
	uint32_t hash = 2166136261U ^ (uint32_t)ask;
	for (; *path; path++) {
		hash = (hash ^ (unsigned char)*path) * 16777619;
	}
	return hash;
}

static const struct br_file *find(
	const struct br_file_store *store, enum br_ask ask, const char *path) {
	uint32_t hash = hash_of(ask, path);
	for (size_t i = 0; i < store->files.n; i++) {
		const struct br_file *file = store->files.v[i];
		if (file->hash == hash && file->question.ask == ask
			&& strcmp(file->question.path, path) == 0) {
			return file;
		}
	}
	return NULL;
}

bool br_store_has(const struct br_file_store *store, enum br_ask ask, const char *path) {
	return find(store, ask, path) != NULL;
}

// "/dev/fd/../x" would be no descriptor.
static bool is_own_descriptor(const char *path) {
	if (strcmp(path, "/dev/stdin") == 0) {
		return true;
	}
	return strncmp(path, "/dev/fd/", 8) == 0 && path[8]
		&& !path[8 + strspn(path + 8, "0123456789")];
}

static char *read_named(struct br_file_store *store, const char *path, size_t *n) {
	*n = BR_DOC_BYTES;
	return br_read_for(&store->authors, path, store->trusted, n, &store->later);
}

/** Who has written what comes through a pipe is not to be known: it is the caller's. */
static char *read_open(struct br_file_store *store, int fd, size_t *n) {
	struct stat st;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		br_authors_add(&store->later, fd, store->trusted);
	}
	return br_read_fd(fd, BR_DOC_BYTES, n);
}

// Standard input and what a shell's <(…) gives are pipes; anything else must be a regular file.
static char *read_compose(struct br_file_store *store, const char *path, size_t *n) {
	if (strcmp(path, "-") == 0) {
		return read_open(store, store->stdin_fd, n);
	}
	// A descriptor means something to who runs it only.
	if (store->authors.n || !is_own_descriptor(path)) {
		return read_named(store, path, n);
	}
	br_auto(br_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? NULL : read_open(store, fd, n);
}

/** The text that an edit is for becomes the edited one. 0 or -1 with ENOMEM. */
static int edit(const struct br_spec_edit *edit, struct br_file *file) {
	if (!edit || !file->bytes || file->n != edit->n
		|| memcmp(file->bytes, edit->bytes, file->n) != 0) {
		return 0;
	}
	size_t with = strlen(edit->with);
	size_t rest = edit->n - edit->off - edit->len;
	char *bytes = malloc(edit->off + with + rest + 1);
	if (!bytes) {
		return -1;
	}
	char *end = mempcpy(bytes, edit->bytes, edit->off);
	end = mempcpy(end, edit->with, with);
	end = mempcpy(end, edit->bytes + edit->off + edit->len, rest);
	*end = '\0';
	free(file->bytes);
	file->bytes = bytes;
	file->n = (size_t)(end - bytes);
	return 0;
}

static int look(struct br_file_store *store, struct br_file *file) {
	const char *path = file->question.path;
	switch (file->question.ask) {
	case BR_ASK_EXISTS:
		return faccessat(AT_FDCWD, path, F_OK, 0);
	case BR_ASK_FILE:
		file->bytes = read_named(store, path, &file->n);
		return file->bytes ? edit(store->edit, file) : -1;
	case BR_ASK_COMPOSE:
		file->bytes = read_compose(store, path, &file->n);
		return file->bytes ? edit(store->edit, file) : -1;
	}
	errno = EINVAL;
	return -1;
}

int br_store_answer(struct br_file_store *store, enum br_ask ask, const char *path) {
	if (find(store, ask, path)) {
		return 0;
	}
	if (store->files.n >= BR_STORE_FILES || store->bytes > BR_STORE_BYTES) {
		errno = EFBIG;
		return -1;
	}
	struct br_file *file = BR_NEW(&store->arena, struct br_file);
	char *copy = br_strdup(&store->arena, path);
	if (!file || !copy) {
		return -1;
	}
	file->question = (struct br_question){ask, copy};
	file->hash = hash_of(ask, path);
	file->error = look(store, file) ? errno : 0;
	if (file->error == ENOMEM || br_vec_push(&store->arena, &store->files, file)) {
		free(file->bytes);
		errno = ENOMEM;
		return -1;
	}
	store->bytes += file->n;
	return 0;
}

void br_hint_answer(struct br_diags *dx, int error) {
	const char *hint = br_input_hint(error);
	if (hint) {
		br_hint(dx, "%s", hint);
	}
}

void br_store_tell(struct br_file_store *store) {
	br_authors_join(&store->authors, &store->later);
}

/** Note a question, once, as long as there is room. */
static int note(struct br_file_store *store, enum br_ask ask, const char *path) {
	if (store->needs.n >= BR_STORE_NEEDS) {
		return 0;
	}
	for (size_t i = 0; i < store->needs.n; i++) {
		const struct br_question *need = &store->needs.v[i];
		if (need->ask == ask && strcmp(need->path, path) == 0) {
			return 0;
		}
	}
	struct br_question need = {ask, br_strdup(&store->arena, path)};
	return need.path ? br_vec_push(&store->arena, &store->needs, need) : -1;
}

const struct br_file *br_store_ask(struct br_file_store *store, enum br_ask ask, const char *path) {
	const struct br_file *file = find(store, ask, path);
	if (!file && strlen(path) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	if (!file && store->closed) {
		store->waits = true;
		errno = note(store, ask, path) ? ENOMEM : EAGAIN;
		return NULL;
	}
	if (!file && br_store_answer(store, ask, path)) {
		return NULL;
	}
	if (!file) {
		br_store_tell(store);
	}
	file = file ? file : find(store, ask, path);
	errno = file->error;
	return file->error ? NULL : file;
}

void br_store_wish(struct br_file_store *store, enum br_ask ask, const char *path) {
	// Reading a pipe takes what is in it away.
	bool may_wait = strcmp(path, "-") == 0 || strncmp(path, "/dev/", 5) == 0;
	bool is_new =
		store->closed && !may_wait && strlen(path) < PATH_MAX && !find(store, ask, path);
	if (is_new && note(store, ask, path)) {
		return; // it will be asked for when its time comes
	}
}
