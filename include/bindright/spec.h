/**
 * What is going to run: containers, their user words and their mounts, as the input says it.
 *
 * A reader turns a text (a compose project, run lines, an OCI bundle) into one br_spec. It resolves
 * relative paths, variables, merges and defaults exactly as the engine's own front end does, and
 * resolves nothing else: no user name is looked up, no path is opened below a bind source. Nothing
 * that a text says is ever executed. Every value keeps its place. Source of the rules: the Compose
 * Specification and what `docker compose config` does; the clients' own option tables and their
 * volume and mount parsers; the OCI runtime specification and what runc and crun do.
 */
#ifndef BINDRIGHT_SPEC_H
#define BINDRIGHT_SPEC_H

#include <bindright/diag.h>
#include <bindright/engine.h>

struct br_arena;
struct br_authors;

/** What kind of text the input is. */
enum br_input_kind {
	BR_INPUT_COMPOSE,
	/** `docker run`, `podman run`, `nerdctl run` and their like, from argv or a text. */
	BR_INPUT_RUN_LINE,
	/** An OCI runtime bundle's config.json. */
	BR_INPUT_OCI,
	/** A container that an engine has already. */
	BR_INPUT_CONTAINER,
};

/** What a mount is. Only BIND, VOLUME_BIND, SECRET and CONFIG reach a host path. */
enum br_mount_kind {
	/** A host path. */
	BR_MOUNT_BIND,
	/** A named volume of the local driver whose options bind a host path ("type: none, o: bind,
	 * device: PATH"). */
	BR_MOUNT_VOLUME_BIND,
	/** A secret with `file:`; always read-only. */
	BR_MOUNT_SECRET,
	/** A config with `file:`; always read-only. */
	BR_MOUNT_CONFIG,
	/** A named or anonymous volume that the engine keeps itself. */
	BR_MOUNT_VOLUME,
	BR_MOUNT_TMPFS,
	/** image, npipe, cluster: nothing on this host. */
	BR_MOUNT_OTHER,
};

/** What the engine does when the source is missing. */
enum br_create {
	/** It refuses to start. */
	BR_CREATE_NEVER,
	/** It makes a directory, root's, 0755. */
	BR_CREATE_ENGINE,
	/** It depends on the version of the front end (a long compose volume without
	 * create_host_path). */
	BR_CREATE_UNSURE,
};

/** A finding code that the user does not want, with the reason: `x-bindright: {ignore: …}`. */
struct br_ignore {
	/** "BR105". */
	struct br_text code;
	/** Why; NULL if not said. */
	struct br_text reason;
	/** Only for this container path; NULL for all. */
	struct br_text target;
};

/** What `x-bindright:` says of a mount and no key of compose can. */
struct br_wishes {
	/** "r", "rw", "rx" or "rwx", as for --need: the mount's own word, else its service's, else
	 * the one at the top (these two without w where the mount is read-only); s NULL: the
	 * default. */
	struct br_text need;
	/** "true" or "false", as --future-files and its no, of the nearest in the same order; s
	 * NULL: not said. */
	struct br_text future_files;
	/** Host users, by name or number, who keep access or get it: those of all three. */
	const struct br_text *users;
	size_t nusers;
	/** Of this mount alone. */
	const struct br_ignore *ignores;
	size_t nignores;
};

/** One mount of one container. */
struct br_mount {
	enum br_mount_kind kind;
	/** Absolute, as the front end hands it to the engine; for VOLUME the volume's name; s NULL
	 * where there is none. */
	struct br_text source;
	/** The source as the user wrote it, before variables, ~ and the project directory. */
	struct br_text written;
	/** The path in the container, cleaned. */
	struct br_text target;
	bool read_only;
	enum br_create create;
	/** create_host_path as the front end has it: -1 absent, 0 false, 1 true (so also every bind
	 * of the short form). */
	int create_host_path;
	/** 'z', 'Z' or 0. */
	char selinux;
	/** volume.nocopy. */
	bool nocopy;
	/** Podman's `:U` (also `chown=true`): before it starts, the engine gives the whole tree to
	 * the container's user. */
	bool chown;
	/** Podman's `:O`: writes go to an upper directory and never reach the source. */
	bool overlay;
	/** Podman's "idmap" or "idmap=uids=DISK-HOST-COUNT#…;gids=…"; an OCI mount's uidMappings
	 * and gidMappings in the same words. s NULL where there is none. */
	struct br_text idmap;
	/** "rprivate", "rshared", …, or NULL. */
	struct br_text propagation;
	/** bind.recursive, or NULL. */
	struct br_text recursive;
	/** The options of the short form as they stand there, in order; of a tmpfs "mode=…",
	 * "uid=…" and the like. */
	const struct br_text *options;
	size_t noptions;
	/** A variable in the source is unset (its name), or NULL: `fix` refuses such a mount. */
	const char *unset_variable;
	/** A variable of the source whose value came from the caller's environment (its name), or
	 * NULL. */
	const char *environment_variable;
	struct br_wishes wishes;
	/** Where the whole entry stands. */
	struct br_span at;
};

/** Whether the mount reaches a host path of its own: a bind with a source, a secret or config that
 * is a file. */
bool br_mount_on_host(const struct br_mount *mount);

/** How the image is built. Absent words are NULL. */
struct br_build {
	struct br_text context;
	struct br_text dockerfile;
	struct br_text dockerfile_inline;
	struct br_text target;
	/** "NAME=VALUE" each. */
	const struct br_text *args;
	size_t nargs;
	struct br_span at;
};

/** One container. Absent words have s NULL; an empty string was written as such. */
struct br_container {
	/** The service's name. */
	struct br_text name;
	struct br_text image;
	/** NULL where the image is not built. */
	const struct br_build *build;
	/** As written (after variables): NULL where absent. */
	struct br_text user;
	/** "NAME=VALUE" each of env_file and environment, in the order in which they count: the
	 * last of a name holds. A name without a value has the caller's, or is absent. */
	const struct br_text *environment;
	size_t nenvironment;
	/** The image's entrypoint does not run: there is an `entrypoint:`. */
	bool has_entrypoint;
	struct br_span entrypoint_at;
	/** The image's command does not run: there is a `command:`. */
	bool has_command;
	/** `working_dir:`, or NULL. */
	struct br_text working_dir;
	struct br_text userns_mode;
	/** The maps as written, one word each: Podman's `--uidmap` and `--gidmap`
	 * ("[flags]CONTAINER:HOST[:COUNT]"), an OCI config's mappings as "CONTAINER:HOST:COUNT". */
	const struct br_text *uid_maps;
	size_t nuid_maps;
	const struct br_text *gid_maps;
	size_t ngid_maps;
	/** Podman's `--subuidname` and `--subgidname`. */
	struct br_text subuid_name;
	struct br_text subgid_name;
	/** Podman's `--hostuser`, each a host user's name or UID that the container's passwd gets. */
	const struct br_text *host_users;
	size_t nhost_users;
	/** `--runtime` of a run line, a name or a path; s NULL: the engine's own choice. */
	struct br_text runtime;
	/** Podman's `--umask`, an OCI process's umask, in octal digits. */
	struct br_text umask;
	/** The container's root is this host directory (Podman's `--rootfs`, an OCI root.path),
	 * absolute; s NULL where it is an image. */
	struct br_text rootfs;
	/** Podman's `--pod`: the pod's user namespace counts. */
	struct br_text pod;
	/** An OCI process: `user` is "UID:GID" and `group_add` numbers, taken as they are; the two
	 * sets below are its capabilities, cap_add and cap_drop are empty. */
	bool literal;
	const struct br_text *cap_bounding;
	size_t ncap_bounding;
	const struct br_text *cap_ambient;
	size_t ncap_ambient;
	/** The engine has it already: `user` is the whole word, with the image's in it; maps are
	 * those that it has, as words; no settings of today count. */
	bool exists;
	/** And it runs now. */
	bool runs;
	/** Of one that exists: the two sets above are its capabilities, as the engine says. */
	bool has_caps;
	struct br_text network_mode;
	struct br_text pid;
	struct br_text ipc;
	bool privileged;
	struct br_span privileged_at;
	/** The container's root file system. */
	bool read_only;
	const struct br_text *group_add;
	size_t ngroup_add;
	/** As written; CAP_ and case are the engine's business. */
	const struct br_text *cap_add;
	size_t ncap_add;
	const struct br_text *cap_drop;
	size_t ncap_drop;
	const struct br_text *security_opt;
	size_t nsecurity_opt;
	const struct br_mount *mounts;
	size_t nmounts;
	/** Of the service, and those at the top. */
	const struct br_ignore *ignores;
	size_t nignores;
	struct br_span at;
};

/** A host path that somebody else mounts. */
struct br_claim {
	/** The service's name, or the container's as its engine has it. */
	struct br_text name;
	/** As struct br_mount has it. */
	struct br_text source;
};

/** A project. Owns everything that it points to; constant once it was made. */
struct br_spec {
	struct br_arena *arena;
	enum br_input_kind kind;
	/** The engine that the input names (`podman run …`); UNSAID where it names none. Whether
	 * that runs rootless no run line says: it is the rootful one's value then. */
	enum br_engine engine;
	/** The line itself starts with sudo (or doas): root runs the engine. */
	bool by_root;
	/** The files that were read, as named on the command line or found (shown to people, in
	 * order). */
	const char *const *files;
	size_t nfiles;
	/** Never NULL; of what is no compose project it is what was asked for, or "". */
	const char *project_name;
	/** Absolute. */
	const char *project_directory;
	/** Those that will run (selected, and on by profile), in the order of the text. */
	const struct br_container *containers;
	size_t n;
	/** What the project's other services, those that were not asked for, mount of the host. */
	const struct br_claim *claims;
	size_t nclaims;
	/** As root: who else may have written the files, and so must be able to read what their
	 * words name (base/authors.h); NULL: not known, nobody. */
	const struct br_authors *authors;
};

/** A change of one text that is tried in thought: `with` in the place of `len` bytes at `off`. */
struct br_spec_edit {
	/** The text as it was read before. Whatever file holds just this now is read as if it were
	 * changed. */
	const char *bytes;
	size_t n;
	size_t off;
	size_t len;
	const char *with;
};

/** What to read and how. Zero or NULL means "not given". Arrays of strings end with NULL. */
struct br_spec_request {
	/** -f, in order; "-" is standard input, read from stdin_fd. NULL: look for the file as
	 * compose does. */
	const char *const *files;
	int stdin_fd;
	/** Names of services to keep, and with them what they depend on; naming one switches its
	 * profile on. NULL: all that are on. */
	const char *const *services;
	/** Leave out what the named ones depend on. */
	bool no_deps;
	const char *project_directory;
	const char *const *env_files;
	const char *const *profiles;
	const char *project_name;
	/** "NAME=VALUE" from --env: before everything else. */
	const char *const *overrides;
	/** The caller's environment, "NAME=VALUE". */
	const char *const *environment;
	/** Where the words of `files`, `services` and `env_files` stand, parallel to them, for
	 * errors; NULL: no place. */
	const struct br_span *files_at;
	const struct br_span *services_at;
	const struct br_span *env_files_at;
	struct br_span project_name_at;
	/** What ~ stands for; NULL: it stays as it is, with a warning. */
	const char *home;
	/** The directory to start from; absolute. */
	const char *cwd;
	/** The compose version whose rules count, major * 100 + minor (2.26 is 226); 0: the newest
	 * known. */
	unsigned compose_version;
	/** The version of the engine and its client, major * 100 + minor; 0: the newest known. */
	unsigned engine_version;
	/** What the input is; where `kind_said` is not set it is recognised from the first file. */
	enum br_input_kind kind;
	bool kind_said;
	/** A run line's words, each with its place in dx's table: then no file is read. */
	const struct br_text *line;
	size_t nline;
	/** The engine that was asked for: of a text with run lines of several, its lines count.
	 * UNSAID: they must be of one. */
	enum br_engine engine;
	/** The caller as `id` would know them; user_name NULL: not known. */
	uint32_t uid, gid;
	const char *user_name;
	/** NULL: everything is read as it is. */
	const struct br_spec_edit *edit;
};

/**
 * Read what is going to run. NULL with at least one error in dx (warnings may stand there in either
 * case). Nothing is changed anywhere. The project directory, the .env files and the compose files
 * are read; each enters dx's places under the name by which the user knows it.
 *
 * The texts may be anybody's, so a forked child without any rights makes sense of them, and what it
 * answers is checked. Not while other threads run; the caller does not ignore SIGCHLD. Where no
 * such child can be had the reading is done here, and as root a note says so.
 */
struct br_spec *br_spec_read(const struct br_spec_request *request, struct br_diags *dx);
/** A container as its engine describes it. Borrowed. */
struct br_inspected {
	/** As the user named it, with its place: that of everything about it. */
	struct br_text name;
	/** One JSON object: "container" is what inspecting it says (Docker's GET
	 * /containers/NAME/json, Podman's of /libpod), "volumes" what inspecting each named volume
	 * of it says, by name. */
	const char *json;
	size_t n;
	bool is_podman;
};

/**
 * What is said about containers that exist, as a spec: kind CONTAINER, in this order. `dir` is its
 * project directory, absolute. NULL with errors in dx: what is said is not what an engine says.
 */
struct br_spec *br_spec_of_containers(
	const struct br_inspected *all, size_t n, const char *dir, struct br_diags *dx);
/**
 * Add volumes that Podman gives to every container (`volumes` of containers.conf(5)), each as
 * behind `-v`: where a container has one of its own on the same target that one counts. 0, or -1
 * with an error in dx at the word that Podman refuses, or at a mount of another kind on the same
 * target. To be called before anybody points into the containers.
 */
int br_spec_add_volumes(
	struct br_spec *spec, const struct br_text *volumes, size_t n, struct br_diags *dx);
/** Whether both say the same in every word, wherever it stands. 1, 0 or -1 with ENOMEM. */
int br_spec_same(const struct br_spec *a, const struct br_spec *b);
/** Whether an engine knows the container by its name: a run line said it, or the engine itself did.
 * A service, a bundle and a run line without `--name` are called something for people only. */
bool br_spec_is_named(const struct br_spec *spec, const struct br_container *container);
void br_spec_free(struct br_spec *spec);
void br_spec_freep(struct br_spec **spec);

#endif
