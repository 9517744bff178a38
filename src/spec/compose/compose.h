/**
 * The reader of compose projects, in the order in which it works:
 *
 *   first.c     where compose looks for its files; what the store is filled with beforehand
 *   files.c     which files, which directory, which .env          -> inputs
 *   name.c      the project's name                                -> COMPOSE_PROJECT_NAME
 *   tree.c      one document: merge keys, variables               -> a tree
 *   schema.c    known keys, types (schema_keys.c has them)
 *   include.c, extends.c   what a document takes from other files
 *   merge.c, unique.c      one document over the ones before it   -> the model
 *   schema_model.c, forms.c   what must hold of all of them together
 *   volumes.c, binds.c, build.c, start.c, wishes.c, service.c   a service  -> a container
 *   versions.c  what differs between versions of compose
 *   select.c, check.c, conflicts.c, depends.c   who runs, what refers to what   -> the spec
 *
 * Each function below answers 0 or -1 (or a pointer or NULL) with one error in the context's dx.
 */
#ifndef BR_SPEC_COMPOSE_H
#define BR_SPEC_COMPOSE_H

#include <base/mem.h>
#include <bindright/spec.h>
#include <doc/doc.h>

#include <spec/interpolate.h>
#include <spec/store.h>

/** Limits that no honest project meets. */
enum {
	BR_TREE_DEPTH = 128,
	BR_TREE_NODES = 400000,
	BR_COMPOSE_FILES = 256,
	BR_COMPOSE_NESTING = 16,
	BR_COMPOSE_SERVICES = 4096,
	BR_COMPOSE_MOUNTS = 16384,
};

/** What a value is once its variables are replaced. */
enum br_value {
	BR_VALUE_NULL = 1 << 0,
	BR_VALUE_BOOL = 1 << 1,
	BR_VALUE_INT = 1 << 2,
	BR_VALUE_FLOAT = 1 << 3,
	BR_VALUE_STRING = 1 << 4,
	BR_VALUE_SEQ = 1 << 5,
	BR_VALUE_MAP = 1 << 6,
};

/** What the values of one file share: their variables, and where their relative paths begin. */
struct br_layer {
	struct br_env *env;
	/** Absolute. */
	const char *dir;
	/** The file itself (absolute; "-" is standard input), and what people call it. */
	const char *path;
	const char *shown;
	/** The file that includes or extends this one, or NULL. */
	const struct br_layer *up;
	unsigned depth;
};

struct br_tree;

/** A member of a map (key) or of a sequence (key.s is NULL). */
struct br_member {
	struct br_text key;
	struct br_tree *value;
};

/** A value that can be merged with others. Lives in the spec's arena, as do all its words. */
struct br_tree {
	enum br_value kind;
	struct br_span at;
	/** A scalar's words after and before variables. */
	const char *s;
	const char *written;
	/** As in struct br_interpolated. */
	const char *unset;
	const char *environment;
	int64_t integer;
	bool boolean;
	/** Tagged !reset: a tombstone that br_tree_get does not see. Tagged !override: replaces. */
	bool reset;
	bool override;
	/** A service that was checked although its file as a whole is not. */
	bool checked;
	/** A short volume that compose has taken apart before it is merged with what comes now. */
	bool expanded;
	const struct br_layer *layer;
	br_vec(struct br_member) members;
	/** A large map's hash table: numbers of members plus one, 0 where empty; nslots is a power
	 * of two or 0. */
	uint32_t *slots;
	size_t nslots;
};

/** Where a value stands in its document, for messages: a list on the stack. */
struct br_path {
	const struct br_path *up;
	/** NULL: an item. */
	const char *key;
	size_t index;
};

/** A compose file that was read. */
struct br_input {
	const char *path;
	const char *shown;
	/** The words that named it; {0} where it was found, or the environment names it. */
	struct br_span at;
	uint16_t text;
	struct br_doc *doc;
};

/** Words. */
struct br_words {
	const char **v;
	size_t n, cap;
};

/** Where a file was named; {0}: by a variable. NULL stands for a file that nobody named. */
struct br_named {
	struct br_span at;
};

/** A file that services extend, read once. */
struct br_base {
	const char *path;
	const struct br_env *env;
	struct br_tree *services;
};

/** The work at hand. */
struct br_compose {
	const struct br_spec_request *request;
	struct br_diags *dx;
	struct br_spec *spec;
	/** All that is known of files. */
	struct br_file_store *store;
	/** Standard input was read: there is no more in it. */
	bool stdin_read;
	struct br_arena *arena;
	struct br_env env;
	br_vec(struct br_input) inputs;
	br_vec(const char *) shown;
	br_vec(struct br_base) bases;
	/** Profiles of services that were named. */
	struct br_words profiles;
	size_t nodes;
	size_t mounts;
	struct br_tree *model;
};

/* versions.c */

/** A rule that not every version of compose has. */
enum br_compose_rule {
	/** Where discovery climbs, the caller's .env counts before the project directory's. */
	BR_RULE_CALLERS_DOTENV,
	/** The type of a long mount is one of a list. */
	BR_RULE_TYPES_CHECKED,
	/** A long bind without a bind block is sent as a short one: the engine makes a missing
	 * source. */
	BR_RULE_BARE_BIND_CREATES,
	/** Of a key that begins with x- maps are merged and lists joined; before, a later file's
	 * replaces it. */
	BR_RULE_EXTENSIONS_MERGE,
	/** \\server\share is absolute. */
	BR_RULE_UNC_IS_ABSOLUTE,
	/** One target for two mounts is refused. */
	BR_RULE_TARGETS_UNIQUE,
	/** Where words must differ, a number is the word of its digits. */
	BR_RULE_NUMBERS_ARE_WORDS,
	/** PWD is set where the caller's environment has none. */
	BR_RULE_PWD_SET,
	/** Durations have days and weeks, sizes are floating numbers, modes in quotes are octal;
	 * host_ip, container_name and pull_policy have forms. */
	BR_RULE_FORMS_CHECKED,
	/** Two services that are on cannot have one container_name. */
	BR_RULE_NAMES_UNIQUE,
	/** A scale or a number of replicas below zero is refused. */
	BR_RULE_COUNTS_CHECKED,
	/** A bind block that does not say create_host_path says yes. */
	BR_RULE_BIND_BLOCK_CREATES,
	/** What an included file and the including one both have is merged; before, it is refused. */
	BR_RULE_IMPORTS_MERGE,
};
/** Whether the version whose rules count has it. */
bool br_compose_has(const struct br_compose *c, enum br_compose_rule rule);

/** Read a compose project into an empty spec. The whole of this folder. */
int br_compose_read(const struct br_spec_request *request, struct br_file_store *store,
	struct br_spec *spec, struct br_diags *dx);
/** Put into the store what that will ask first, as far as this can be told without reading any
 * file. 0, or -1 with ENOMEM or EFBIG. */
int br_compose_preload(const struct br_spec_request *request, struct br_file_store *store);

/** A span, words and all, of a scalar. */
static inline struct br_text br_tree_text(const struct br_tree *tree) {
	return (struct br_text){tree->s, tree->at};
}

/* paths.c: lexical paths */

/** Without "//", "." and ".." as far as they can be resolved; "" gives ".". NULL with ENOMEM. */
char *br_clean(struct br_arena *arena, const char *path);
/** path beneath dir, cleaned; an absolute path is only cleaned. */
char *br_join(struct br_arena *arena, const char *dir, const char *path);
/** The directory of a path, cleaned. */
char *br_dirname(struct br_arena *arena, const char *path);
/** path as people see it from the caller's directory. */
const char *br_shown_path(const struct br_compose *c, const char *path);
/** As compose resolves a host path: ~, then the layer's directory; absolute ones stay as written.
 * NULL with an error. */
const char *br_host_path(struct br_compose *c, const struct br_layer *layer, struct br_text path);

/* first.c */

/** What a directory has of the names that compose looks for. */
struct br_first {
	/** The one that is taken ("" if there is none), and the next one. */
	const char *winner, *second;
};

/** Look for the project's file (the file that overrides it) in dir. 0; -1 with errno, EAGAIN for a
 * store that has no answer yet. */
int br_first_main(
	struct br_arena *arena, struct br_file_store *store, const char *dir, struct br_first *out);
int br_first_override(
	struct br_arena *arena, struct br_file_store *store, const char *dir, struct br_first *out);

/* files.c, dotenv files, name.c */

/** Find the files, the project directory and the .env files; fills inputs (not read yet), env,
 * spec's directory. */
int br_compose_find(struct br_compose *c);
/** The environment: overrides, the caller's, then what .env files say. */
int br_compose_environment(struct br_compose *c);
/** The .env files of the project; `dir` is where the default one is looked for. */
int br_compose_dotenv(struct br_compose *c, const char *dir);
/** Whether --env-file or COMPOSE_ENV_FILES names the files. */
bool br_compose_names_dotenv(const struct br_compose *c);
/** Read the one .env file into env. A missing one is an error only if somebody named it. */
int br_dotenv_file(
	struct br_compose *c, struct br_env *env, const char *path, const struct br_named *named);
/** Variables of .env files that env does not have yet; among the files a later one wins. */
int br_dotenv_below(struct br_compose *c, struct br_env *env, const struct br_words *paths,
	const struct br_named *named);
/** What an errno value means; in English whatever the locale, since a locale's words are in files. */
const char *br_compose_why(int error);
/** Read one compose file and its documents; input->path and shown are set. */
int br_compose_parse(struct br_compose *c, struct br_input *input, struct br_span from);
int br_compose_name(struct br_compose *c);

/* tree.c */

/** The tree of a document's node, merge keys applied, variables replaced. */
struct br_tree *br_tree_build(
	struct br_compose *c, const struct br_layer *layer, const struct br_node *root);
struct br_tree *br_tree_new(struct br_compose *c, enum br_value kind, const struct br_tree *like);
struct br_tree *br_tree_clone(struct br_compose *c, const struct br_tree *tree);
/** The value of a key; NULL where it is absent, was reset, or tree (which may be NULL) is no map. */
struct br_tree *br_tree_get(const struct br_tree *tree, const char *key);
struct br_member *br_tree_member(const struct br_tree *tree, const char *key);
int br_tree_set(
	struct br_compose *c, struct br_tree *map, struct br_text key, struct br_tree *value);
/** "a string", "a list", … for messages. */
const char *br_tree_type(const struct br_tree *tree);
/** "services.web.volumes[0]". NULL with an error. */
const char *br_path_text(struct br_compose *c, const struct br_path *path);
/** Whether the path is of this form, "services.*.volumes"; items match "*". */
bool br_path_is(const struct br_path *path, const char *pattern);
/** A yes or no that may have been written as a string; path names it. */
int br_tree_bool(struct br_compose *c, const struct br_tree *tree, const char *path, bool *out);
/** A scalar as text: numbers in decimal, booleans as true and false. */
const char *br_tree_scalar(struct br_compose *c, const struct br_tree *tree);

/* model.c, include.c, extends.c, schema.c, merge.c, unique.c */

/** Read what one input says over the model so far. */
int br_compose_load(struct br_compose *c, const struct br_layer *layer,
	const struct br_input *input, struct br_tree **model);
int br_compose_include(struct br_compose *c, const struct br_layer *layer, struct br_tree *doc);
int br_compose_extends(struct br_compose *c, struct br_tree *doc);
/** The files that services extend are asked for together with those that are included: once an
 * included one is known, its authors count as who asks. */
void br_compose_wish_bases(struct br_compose *c, const struct br_tree *doc);
/** Keys and types of one document. Reports all that is wrong. */
int br_compose_schema(struct br_compose *c, struct br_tree *doc);
/** The model after a document: what br_compose_schema let pass because it is empty, and what words
 * must mean. Reports all that is wrong. */
int br_schema_model(struct br_compose *c, struct br_tree *model);
/* Whether the top level has keys, and none but those of compose: then `services` may be absent. */
bool br_schema_only_known(const struct br_tree *model);
/** The same of one service. */
int br_schema_service(struct br_compose *c, const struct br_member *member);
/** b over a; answers what holds (a changed, or b). */
struct br_tree *br_merge(
	struct br_compose *c, struct br_tree *a, struct br_tree *b, const struct br_path *path);
/** Leave one entry for each target, capability, …, in each list that has such keys. */
int br_unique_service(struct br_compose *c, struct br_tree *service);

/* volumes.c */

/** The fields of a short volume: offsets into the string. */
struct br_fields {
	size_t n;
	size_t off[3];
	size_t len[3];
};

enum br_split {
	BR_SPLIT_OK,
	BR_SPLIT_EMPTY,
	BR_SPLIT_EMPTY_SECTION,
	BR_SPLIT_COLONS,
};

/** Split at colons as compose does (one letter and a colon is a drive); `variables`: not inside
 * ${…}. */
enum br_split br_short_split(const char *s, bool variables, struct br_fields *out);
/** The target of an entry of volumes, cleaned, or NULL where it has none (no error). */
const char *br_volume_target(struct br_compose *c, const struct br_tree *entry);
/** The same, as it is written also in a short one. */
const char *br_volume_written(struct br_compose *c, const struct br_tree *entry);

/** A container under construction. */
struct br_draft {
	const char *name;
	struct br_tree *service;
	struct br_container *container;
	br_vec(struct br_mount) mounts;
	/** Its own `x-bindright`. */
	struct br_wishes wishes;
	/** How many mounts are its own, not of volumes_from. */
	size_t nown;
	/** A target that is taken already, if any, and by what. */
	struct br_text second;
	struct br_span first_at;
	/** On by profile or by name; to be given out. */
	bool on;
	bool selected;
	/** volumes_from: 0 not yet, 1 under way, 2 done. */
	int inherited;
};

/** An entry of volumes becomes a mount. */
int br_volume_mount(
	struct br_compose *c, struct br_draft *draft, const struct br_tree *entry, size_t i);
/**
 * Keep in mind that this target is taken already, by words that were not told to be the same (a
 * long volume's "/x/" is not "/x"): an error since 2.40 where the service is on; of older ones the
 * engine makes one.
 */
void br_draft_note_second(struct br_compose *c, struct br_draft *draft, struct br_text target);
/** From now on compose has the long form of these (NULL: none): a short one that has none is
 * refused here, whatever becomes of it. */
int br_volumes_expanded(struct br_compose *c, struct br_tree *volumes);
/** Add a mount to a service. */
int br_draft_mount(struct br_compose *c, struct br_draft *draft, const struct br_mount *mount);
/** A warning for targets that the engine will refuse. */
void br_check_target(struct br_compose *c, const struct br_mount *mount);

/* binds.c */

/** What a named volume really is: VOLUME, or VOLUME_BIND by its driver_opts. */
int br_named_volume(struct br_compose *c, struct br_mount *mount);
/** The secrets or configs of a service. */
int br_secret_mounts(struct br_compose *c, struct br_draft *draft, bool config);
int br_tmpfs_mounts(struct br_compose *c, struct br_draft *draft);
int br_socket_mount(struct br_compose *c, struct br_draft *draft);

/* build.c, start.c, wishes.c, service.c, select.c */

/** The environment, of env_file too, and whether the image's entrypoint runs. */
int br_compose_start(struct br_compose *c, struct br_draft *draft);

int br_compose_build(struct br_compose *c, struct br_draft *draft);
/** "NAME=VALUE" words of a list or a map (NULL: none): a name without a value takes the variable's,
 * or is left out. */
int br_compose_pairs(
	struct br_compose *c, const struct br_tree *list, const struct br_text **out, size_t *n);
/** Where `x-bindright` may stand. */
enum br_wisher {
	BR_WISHER_TOP,
	BR_WISHER_SERVICE,
	BR_WISHER_MOUNT,
};
/** What the `x-bindright` of map says; nothing where it has none. */
int br_compose_wishes(
	struct br_compose *c, const struct br_tree *map, enum br_wisher who, struct br_wishes *out);
/** What the top and the service say goes into the draft's container and all its mounts. */
int br_compose_spread_wishes(
	struct br_compose *c, const struct br_wishes *top, const struct br_draft *draft);
/** Warn of an `x-bindright` that stands where it says nothing. */
void br_compose_idle_wishes(struct br_compose *c);
/** Fill draft->container from draft->service. */
int br_compose_service(struct br_compose *c, struct br_draft *draft);
/** Make the containers of the model. */
int br_compose_select(struct br_compose *c);
/** Add the mounts that volumes_from names. */
int br_compose_inherit(struct br_compose *c, struct br_draft *drafts, size_t n);
/* depends.c */

/** What services that are on depend on is there, and not in a circle. */
int br_compose_dependencies(struct br_compose *c, struct br_draft *drafts, size_t n);
/** Select also what those that are selected depend on. */
int br_compose_draw_in(struct br_compose *c, struct br_draft *drafts, size_t n);
/** What compose refuses in a service that is on. */
int br_compose_consistent(struct br_compose *c, struct br_draft *drafts, size_t n);
/** The same of what bears on no mount. */
int br_compose_conflicts(
	struct br_compose *c, struct br_draft *drafts, size_t n, const struct br_draft *draft);
struct br_draft *br_draft_find(struct br_draft *drafts, size_t n, const char *name);
/** br_nearest, but NULL for long words and once there are many messages: those are nobody's typing
 * mistakes. */
const char *br_compose_near(const struct br_compose *c, const char *word, const char *const *names);
/** "did you mean 'x'?" as a hint, if any name is near; whether one is. */
bool br_hint_member(struct br_compose *c, const char *word, const struct br_tree *map);

#endif
