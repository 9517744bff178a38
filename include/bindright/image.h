/**
 * Whom an image runs as, and which accounts it knows: from an image archive, from the engine, from
 * a Dockerfile, from what is known of well-known images.
 *
 * Words only: nothing here is resolved against the host, and no container rule is applied (that is
 * identity's business). Archives are streamed and never extracted; an engine is only asked, for at
 * most a second; nothing is pulled, built or run.
 */
#ifndef BINDRIGHT_IMAGE_H
#define BINDRIGHT_IMAGE_H

#include <bindright/idmap.h>
#include <bindright/spec.h>

/** One line of the image's passwd, as moby's parser reads it: a number that is none reads as 0,
 * missing fields too. */
struct br_image_user {
	const char *name;
	uint32_t uid;
	uint32_t gid;
	/** Its home directory; NULL: not known. */
	const char *home;
	/** A field that should be a number is none: the engine takes it for 0 (root!). */
	bool malformed;
	/** The uid in the file is another number, of which `uid` is the low 32 bits: by them the
	 * line is not found. */
	bool wraps;
	/** The number was not stated but allocated (a useradd without -u), or is what such base
	 * images have: sure only as far as the base image is known. */
	bool allocated;
	/** The primary group is not known (a name that only the base image could explain); gid is 0
	 * then and means nothing. */
	bool gid_unknown;
	/** Where the Dockerfile makes it; {0} elsewhere. */
	struct br_span at;
};

/** One line of its group file. */
struct br_image_group {
	const char *name;
	uint32_t gid;
	/** Names, NULL at the end. */
	const char *const *members;
	bool malformed;
	/** As a user's. */
	bool wraps;
	bool allocated;
	struct br_span at;
};

/** Where a fact about an image is from, the surest first. */
enum br_image_origin {
	BR_IMAGE_NOTHING,
	/** An archive given by --image-archive. */
	BR_IMAGE_ARCHIVE,
	/** The engine's image inspect. */
	BR_IMAGE_ENGINE,
	/** The Dockerfile of `build:`. */
	BR_IMAGE_DOCKERFILE,
	/** The table of well-known images. */
	BR_IMAGE_KNOWN,
	/** Files of the host in the place of the image's: a root directory, or mounts on its passwd
	 * and group. */
	BR_IMAGE_HOST,
};

/** What stands at a path of an image's file system. */
enum br_image_type {
	BR_IMAGE_ABSENT,
	BR_IMAGE_DIRECTORY,
	BR_IMAGE_FILE,
	BR_IMAGE_LINK,
	/** A device, a socket, or what cannot be told. */
	BR_IMAGE_OTHER,
};

/** One path of an image's file system, as a container finds it before anything is mounted. IDs are
 * the container's. */
struct br_image_node {
	/** Absolute, without ".", "..", doubled or closing slashes; "/" is the root. */
	const char *path;
	enum br_image_type type;
	bool owner_known;
	bool mode_known;
	uint32_t uid;
	uint32_t gid;
	/** Permission bits with set-ID and sticky. */
	uint32_t mode;
	/** Where a link leads, as it stands there; else NULL. */
	const char *link;
	/** ARCHIVE: read; DOCKERFILE: made by it; KNOWN: what such base images have. */
	enum br_image_origin origin;
	/** The Dockerfile made it new: nothing was there before, and what is below it is the
	 * Dockerfile's too. */
	bool is_new;
	/** The Dockerfile made the directory and put nothing into it. */
	bool is_empty;
	/** There may be things in it that are nobody knows whose. */
	bool is_open;
	/** A package may have made it before, for an account of its own. */
	bool maybe_packaged;
	/** Where the Dockerfile makes it, or gives it to somebody; {0} elsewhere. */
	struct br_span at;
};

enum {
	BR_LIBRARY_PATHS = 4,
};

/** A file or directory that a library writes. */
struct br_library_path {
	/** "its log file" */
	const char *what;
	/** The setting that names the place in its configuration, or NULL. */
	const char *key;
	/** Variables that name the place, each with what is put behind it ("XDG_CACHE_HOME/torch"),
	 * '|' between them: the first that is set counts; or NULL. */
	const char *variables;
	/** Where it is otherwise: absolute, or below "$HOME" or "$PWD" (the working directory).
	 * NULL: no more paths. */
	const char *path;
	/** Its directory has to be writable. */
	bool is_file;
};

/** What a library or program writes by itself, without being asked to. In lists '|' stands between
 * the words; NULL: none. */
struct br_library {
	/** As people call it: "supervisor". */
	const char *name;
	/** It writes only where the image's command starts it. */
	bool by_command;
	/** Packages of pip, and of the system's package managers, that bring it. */
	const char *pip;
	const char *system;
	/** Its program in the image's command. */
	const char *programs;
	/** How the path of one of its files ends. */
	const char *files;
	/** Where its configuration is looked for. */
	const char *config;
	/** Variables that nothing else uses: who sets one uses the library. */
	const char *own;
	/** Variables with which it does not write. */
	const char *unless;
	struct br_library_path paths[BR_LIBRARY_PATHS];
	/** A clause: what happens where it cannot write. */
	const char *effect;
	/** A sentence: what helps. */
	const char *advice;
	/** Where it is known from, and when somebody looked. */
	const char *source;
};

/** A library that an image has. */
struct br_image_library {
	const struct br_library *library;
	/** A clause: "the image has /usr/bin/supervisord", "pip installs transformers". */
	const char *evidence;
	/** Its paths by its configuration; the fields are NULL where that says nothing of them. */
	const char *configured[BR_LIBRARY_PATHS];
	/** It is a package of the system, with that one's configuration where nothing else takes
	 * its place. */
	bool packaged;
	/** It has a configuration of its own that was not read. */
	bool config_unknown;
	/** Of the Dockerfile, or {0}. */
	struct br_span at;
};

/** What an image's entrypoint is known to do after it starts as root (or under a variable's
 * command). */
struct br_image_drop {
	/** Whom it drops to. */
	uint32_t uid;
	uint32_t gid;
	/** Only the workers: the first process stays root. */
	bool workers_only;
	/** It changes owners of its data at start; it changes modes too (which switches named ACL
	 * entries off). */
	bool chowns;
	bool chmods;
	/** The directories in the container that it gives away as root at every start, with all in
	 * them, '|' between them; NULL: not known. */
	const char *data;
	/** It gives them away only while nothing is in them. */
	bool only_new;
	/** The variables that set uid and gid, or NULL ("PUID", "PGID"). */
	const char *uid_variable;
	const char *gid_variable;
	/** One clause with its source: "docker-library/postgres, 2025-11". */
	const char *source;
	/** "source", "derived", "thread", "unconfirmed". */
	const char *certainty;
};

/** What is known about one container's image. Owned by the arena it was made in. */
struct br_image {
	enum br_image_origin origin;
	/** Where exactly: the archive's name, the socket, the Dockerfile, "known images (source,
	 * date; certainty)". */
	const char *from;
	/** The image's USER as written, after ARG and ENV; s NULL: not known; "" : none (root). The
	 * place is in the Dockerfile. */
	struct br_text user;
	/** Why the user is not known although there is a Dockerfile: "depends on build arg UID", "#
	 * syntax= names another frontend"; NULL otherwise. */
	const char *unknown;
	/** passwd and group were read (ARCHIVE), or follow from the Dockerfile on a known base: a
	 * name that is missing is really missing. */
	bool accounts_complete;
	/** There is no passwd (or group) file in the image at all; only with accounts_complete. */
	bool no_passwd;
	bool no_group;
	const struct br_image_user *users;
	size_t nusers;
	const struct br_image_group *groups;
	size_t ngroups;
	/** Whoever is not among the users is in no passwd of the image: beside accounts_complete,
	 * for numbers from 1000 on. */
	bool accounts_named;
	/** What is known of its file system, in no order, each path once. */
	const struct br_image_node *nodes;
	size_t nnodes;
	/** What is not among the nodes is not there, or belongs to the owner of the nearest
	 * directory above it. */
	bool nodes_complete;
	/** VOLUME: where it says that data are written; the places are in the Dockerfile. */
	const struct br_text *volumes;
	size_t nvolumes;
	/** ENTRYPOINT and CMD, one behind the other, as far as they are known. */
	const char *const *command;
	size_t ncommand;
	/** WORKDIR; NULL: not known. */
	const char *workdir;
	const struct br_image_library *libraries;
	size_t nlibraries;
	/** ENV of the image, "NAME=VALUE". */
	const char *const *environment;
	size_t nenvironment;
	/** LABEL io.containers.capabilities, or NULL. */
	const char *capabilities_label;
	/** What its entrypoint is known to do, or NULL. Also beside the other origins, looked up by
	 * the image's name (or its base's). */
	const struct br_image_drop *drop;
};

/** Where to look. */
struct br_image_options {
	/** --image-archive, in order. */
	const struct br_text *archives;
	size_t narchives;
	/** The engine's socket ("/var/run/docker.sock"); NULL: no engine is asked. */
	const char *socket;
	/** It is known to be too slow (br_engine_info): it is not asked, and a note says so. */
	bool is_slow;
	/** The engine looks names up in what is mounted over passwd and group (Podman). */
	bool reads_mounted;
	/** "linux/amd64"; NULL: this machine's. */
	const char *platform;
	/** As root: beside root, whose symbolic links to archives, Dockerfiles and accounts are
	 * followed (SUDO_UID). */
	uint32_t trusted;
	/** Containers that exist, parallel to the spec's; NULL: none does. Their accounts go before
	 * all else. */
	const struct br_engine_container *containers;
	/** Compose project directory and such come with the spec. */
};

/** Who a process is, as the kernel says. IDs are the host's. */
struct br_process {
	/** 0: it does not run, or nothing could be read of it. */
	uint32_t pid;
	br_hostid uid;
	br_hostid gid;
	/** Sorted. */
	const br_hostid *groups;
	size_t ngroups;
	/** Effective, and bounding. */
	uint64_t caps;
	uint64_t bounding;
	uint32_t umask;
	/** Its user namespace's maps; empty: it is in ours. */
	struct br_idmap uids;
	struct br_idmap gids;
};

/** A container that an engine has. Owned by the arena that it was made in. */
struct br_engine_container {
	/** For br_spec_of_containers(); json NULL: there is no such container. */
	struct br_inspected is;
	const char *socket;
	/** The name is a pod's: what is said is of its infra container, whose user namespace its
	 * containers have. `alone`: there is such a pod, and it shares none. */
	bool is_pod;
	bool alone;
	/** The lines of its passwd and group, read from its own root by way of the engine; `read`:
	 * they were read, and what is missing is missing. */
	struct br_image accounts;
	bool read;
	/** Podman: its maps, inside those of the engine, as words; n 0: it has none of its own. */
	const struct br_text *uid_maps;
	size_t nuid_maps;
	const struct br_text *gid_maps;
	size_t ngid_maps;
	struct br_process process;
};

/** What a running engine says of itself. Owned by the arena it was made in. */
struct br_engine_info {
	const char *socket;
	/** Podman's service, which answers like Docker. */
	bool is_podman;
	bool is_rootless;
	/** Docker has userns-remap. */
	bool has_userns;
	/** major * 100 + minor; 0 where it does not say. */
	unsigned version;
	/** Where it keeps everything; under userns-remap it ends with "/UID.GID", the first IDs of
	 * the maps. "" where it does not say. */
	const char *root_dir;
	/** "runc", "crun"; "" where it does not say. */
	const char *runtime;
	/** It did not answer in time, and nothing else is known: whoever asks it again waits again.
	 */
	bool is_slow;
};

/** Ask the engine at this socket (GET /version, GET /info; at most five seconds until it answers,
 * and ten from then on). 1 with *out; 0 where none answers, which is not worth a message
 * (out->is_slow: not in time); -1 with an error in dx. */
int br_engine_info_read(struct br_arena *arena, const char *socket, struct br_engine_info *out,
	struct br_diags *dx);

/** Who is asked. */
struct br_engine_ask {
	const char *socket;
	/** It has to answer, and to have what it is asked for. */
	bool required;
};
/**
 * Ask an engine about containers of these names or IDs, in order (GET, at most ten seconds for
 * all): out[i] of n. Where `required`, one that is not there is an error at its word, and so is an
 * engine that does not answer; otherwise those have json NULL. What /proc says of one that runs is
 * taken where /proc shows that it is the container's process. 0, or -1 with errors in dx.
 */
int br_engine_containers_read(struct br_arena *arena, const struct br_engine_ask *ask,
	struct br_engine_container *out, size_t n, struct br_diags *dx);

/**
 * What is known about each container's image: an array of spec->n, in order; a container of which
 * nothing is known has origin NOTHING. For `build:` the Dockerfile counts unless an archive or the
 * engine has an image of the container's `image:` name (newer is not known: the archive the user
 * named wins, then the Dockerfile, then the engine, then the table). Base images of a Dockerfile
 * are resolved by the same ways. An archive that cannot be read, a Dockerfile that is not valid:
 * NULL with errors in dx at their place; an engine that does not answer is a note at most.
 */
const struct br_image *br_images_read(struct br_arena *arena, const struct br_spec *spec,
	const struct br_image_options *options, struct br_diags *dx);

/**
 * Whether what an image of this reference (NULL: any) finds at this container path is known to be
 * only read: its documentation mounts it so, or nothing ever writes it (/etc/localtime). 1, 0, or
 * -1 with ENOMEM.
 */
int br_image_only_reads(struct br_arena *arena, const char *reference, const char *target);

/**
 * Ask the engine which containers of a compose project run now: running[i] of spec->n, by the
 * labels that compose gives them. One that does not answer has none. 0, or -1 with an error in dx.
 */
int br_images_running(struct br_arena *arena, const struct br_spec *spec,
	const struct br_image_options *options, bool *running, struct br_diags *dx);

/** A growing list of claims. */
struct br_claims {
	struct br_claim *v;
	size_t n, cap;
};

/**
 * Ask the engine at this socket (NULL: none) what its containers, the stopped ones too, mount of
 * the host (GET, at most five seconds), all but those that the spec has: by compose's labels, or by
 * name or ID. They are added to *out. One that does not answer has none; where it answers in part a
 * note says so. 0, or -1 with an error in dx.
 */
int br_engine_claims_read(struct br_arena *arena, const char *socket, const struct br_spec *spec,
	struct br_claims *out, struct br_diags *dx);

/** The node of exactly this path, or NULL. */
const struct br_image_node *br_image_node_at(const struct br_image *image, const char *path);

/** The table of libraries that write by themselves; its length. */
size_t br_libraries(const struct br_library **libraries);

#endif
