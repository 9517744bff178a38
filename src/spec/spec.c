#include "compose/compose.h"
#include "oci/oci.h"
#include "reading.h"
#include "run/run.h"

#include <base/mem.h>
#include <base/own.h>
#include <bindright/spec.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void br_spec_free(struct br_spec *spec) {
	if (!spec) {
		return;
	}
	struct br_arena *arena = spec->arena;
	br_arena_release(arena);
	free(arena);
}

void br_spec_freep(struct br_spec **spec) {
	br_spec_free(*spec);
	*spec = NULL;
}

struct br_spec *br_spec_new(void) {
	struct br_arena *arena = calloc(1, sizeof(*arena));
	struct br_spec *spec = arena ? BR_NEW(arena, struct br_spec) : NULL;
	if (!spec) {
		free(arena);
		return NULL;
	}
	spec->arena = arena;
	return spec;
}

static bool is_same_place(struct br_span a, struct br_span b) {
	return a.text == b.text && a.off == b.off;
}

bool br_spec_is_named(const struct br_spec *spec, const struct br_container *container) {
	struct br_span at = container->name.at;
	switch (spec->kind) {
	case BR_INPUT_COMPOSE:
	case BR_INPUT_OCI:
		return false;
	case BR_INPUT_RUN_LINE:
		// One that nobody named is called after its image, where that stands.
		return !is_same_place(
			at, container->image.s ? container->image.at : container->rootfs.at);
	case BR_INPUT_CONTAINER:
		return true;
	}
	return false;
}

bool br_mount_on_host(const struct br_mount *mount) {
	switch (mount->kind) {
	case BR_MOUNT_BIND:
	case BR_MOUNT_VOLUME_BIND:
	case BR_MOUNT_SECRET:
	case BR_MOUNT_CONFIG:
		return mount->source.s != NULL;
	case BR_MOUNT_VOLUME:
	case BR_MOUNT_TMPFS:
	case BR_MOUNT_OTHER:
		return false;
	}
	return false;
}

/** A directory with a config.json is a bundle. */
static int recognise_directory(struct br_file_store *store, struct br_spec *spec, const char *dir,
	enum br_input_kind *kind) {
	const char *path = br_oci_config(spec->arena, dir);
	if (path && br_store_ask(store, BR_ASK_COMPOSE, path)) {
		*kind = BR_INPUT_OCI;
		return 0;
	}
	return path && errno != EAGAIN ? 0 : -1;
}

/** What the first file is, where nobody has said it. 0; -1 where the store has no answer yet. */
static int recognise(const struct br_spec_request *request, struct br_file_store *store,
	struct br_spec *spec, enum br_input_kind *kind) {
	const char *name = request->files ? request->files[0] : NULL;
	*kind = request->nline ? BR_INPUT_RUN_LINE : BR_INPUT_COMPOSE;
	if (request->kind_said || request->nline || !name || !*name) {
		*kind = request->kind_said ? request->kind : *kind;
		return 0;
	}
	bool is_stdin = strcmp(name, "-") == 0;
	const char *path = is_stdin ? name : br_join(spec->arena, request->cwd, name);
	const struct br_file *file = path ? br_store_ask(store, BR_ASK_COMPOSE, path) : NULL;
	if (!file && path && errno == EISDIR) {
		return recognise_directory(store, spec, path, kind);
	}
	if (!file) {
		// What cannot be read is for the reader to say.
		return path && errno != EAGAIN ? 0 : -1;
	}
	if (br_is_oci_text(file->bytes ? file->bytes : "", file->n)) {
		*kind = BR_INPUT_OCI;
	} else if (br_is_run_text(path, file->bytes ? file->bytes : "", file->n)) {
		*kind = BR_INPUT_RUN_LINE;
	}
	return 0;
}

static int read_kind(const struct br_spec_request *request, struct br_file_store *store,
	struct br_spec *spec, struct br_diags *dx) {
	switch (spec->kind) {
	case BR_INPUT_COMPOSE:
		return br_compose_read(request, store, spec, dx);
	case BR_INPUT_RUN_LINE:
		return br_run_read(request, store, spec, dx);
	case BR_INPUT_OCI:
		return br_oci_read(request, store, spec, dx);
	case BR_INPUT_CONTAINER:
		break; // no text has one
	}
	return -1;
}

struct br_spec *br_read_with(
	const struct br_spec_request *request, struct br_file_store *store, struct br_diags *dx) {
	br_auto(br_spec_freep) struct br_spec *spec = br_spec_new();
	if (!spec) {
		(void)br_error_memory(dx);
		return NULL;
	}
	size_t errors = br_diags_errors(dx);
	if (recognise(request, store, spec, &spec->kind)) {
		if (!store->waits) {
			(void)br_error_memory(dx);
		}
		return NULL;
	}
	if (read_kind(request, store, spec, dx)) {
		return NULL;
	}
	// A warning that found no memory has become an error.
	return br_diags_errors(dx) > errors ? NULL : br_steal(&spec);
}

struct br_spec *br_spec_read(const struct br_spec_request *request, struct br_diags *dx) {
	return br_read_confined(request, br_read_child, dx);
}
