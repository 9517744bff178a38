/**
 * The reader of OCI runtime bundles:
 *
 *   oci.c      which config.json, and whether it is JSON of the right form
 *   process.c  process, linux, root    -> who, capabilities, namespaces, the root
 *   mounts.c   mounts                  -> what reaches the host
 *
 * Source of the rules: the OCI runtime specification (config.md, config-linux.md), and what runc
 * and crun make of it. Names are compared as they are written. All mistakes of a config are
 * reported, not only the first one.
 */
#ifndef BR_SPEC_OCI_H
#define BR_SPEC_OCI_H

#include <base/mem.h>
#include <bindright/spec.h>
#include <doc/doc.h>

#include <spec/store.h>

/** A config under work. */
struct br_bundle {
	const struct br_spec_request *request;
	struct br_file_store *store;
	struct br_spec *spec;
	struct br_diags *dx;
	struct br_arena *arena;
	/** Where relative paths begin; absolute. */
	const char *dir;
	struct br_container *container;
};

/** Read bundles into an empty spec. 0, or -1 with errors. */
int br_oci_read(const struct br_spec_request *request, struct br_file_store *store,
	struct br_spec *spec, struct br_diags *dx);
/** Whether bytes look like a config.json: a JSON object with an "ociVersion". */
bool br_is_oci_text(const char *bytes, size_t n);
/** The config.json of a directory (absolute). NULL without memory. */
const char *br_oci_config(struct br_arena *arena, const char *dir);

/* What a member must be; an error otherwise. `path` is the map's own, "" for the top. NULL where it
 * is absent or wrong. */

const struct br_node *br_oci_object(
	struct br_bundle *b, const struct br_node *map, const char *path, const char *key);
const struct br_node *br_oci_array(
	struct br_bundle *b, const struct br_node *map, const char *path, const char *key);
const struct br_node *br_oci_string(
	struct br_bundle *b, const struct br_node *map, const char *path, const char *key);
/** Whether it is there; *out is untouched otherwise. */
bool br_oci_bool(struct br_bundle *b, const struct br_node *map, const char *path, const char *key,
	bool *out);
/** A number from 0 to 4294967295; `at` gets its place (may be NULL). */
bool br_oci_number(struct br_bundle *b, const struct br_node *map, const char *key, uint32_t *out);
/** The strings of an array; an error for what is none. */
int br_oci_strings(struct br_bundle *b, const struct br_node *list, const char *path,
	const struct br_text **out, size_t *n);
/** uidMappings or gidMappings as words: `form` gets three numbers. */
int br_oci_maps(struct br_bundle *b, const struct br_node *list, const char *path,
	const struct br_text **out, size_t *n);
/** The place of a node, for messages. */
struct br_span br_oci_at(const struct br_node *node);

int br_oci_process(struct br_bundle *b, const struct br_node *root);
int br_oci_mounts(struct br_bundle *b, const struct br_node *root);

#endif
