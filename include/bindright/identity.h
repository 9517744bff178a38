/**
 * Who the container's process will be on the host.
 */
#ifndef BINDRIGHT_IDENTITY_H
#define BINDRIGHT_IDENTITY_H

#include <bindright/engine.h>
#include <bindright/idmap.h>
#include <bindright/image.h>

struct br_arena;

/** A process's credentials as the kernel will judge them. All IDs are the host's. Borrowed arrays. */
struct br_cred {
	/** fsuid and fsgid. */
	br_hostid uid;
	br_hostid gid;
	/** Supplementary groups, sorted, no duplicates; gid need not be among them. */
	const br_hostid *groups;
	size_t ngroups;
	/** Effective capabilities, bit 1 << CAP_…; they count in the user namespace of the maps. */
	uint64_t caps;
	/** The user namespace's maps; empty: the initial namespace. */
	struct br_idmap uids;
	struct br_idmap gids;
	uint32_t umask;
};

/** Whether cred is in this group (fsgid or a supplementary one; the kernel's in_group_p). */
bool br_cred_in_group(const struct br_cred *cred, br_hostid gid);

/** How sure an identity is. */
enum br_confidence {
	/** Nothing says who it is. */
	BR_UNKNOWN,
	/** An engine's default, or a table. */
	BR_ASSUMED,
	/** Worked out. */
	BR_DERIVED,
	/** Said in numbers. */
	BR_CERTAIN,
};

/** One step of the reasoning. */
struct br_origin {
	/** "uid", "gid", "groups", "capabilities". */
	const char *field;
	/** Where it is from: "compose", "run line", "bundle", "--user", "image archive", "engine",
	 * "Dockerfile", "known images", "engine default". */
	const char *from;
	/** The words that said so; s NULL where none did. */
	struct br_text text;
	/** Which archive and file in it, which socket, which row of the table; NULL where the words
	 * have a place, or nothing more is known. */
	const char *where;
};

/** Who a container is. Owned by the arena that it was made in. */
struct br_identity {
	const struct br_container *container;
	/** The user string that was used, compose's or the image's; s NULL where there is none. */
	struct br_text user;
	/** BR_UNKNOWN: nothing below but `why`, `pin` and `root_caps` is set. */
	enum br_confidence confidence;
	/** Why it is unknown: one clause for BR303; NULL otherwise. Words of the input stand in it
	 * as they are, not escaped. */
	const char *why;
	/** What pins it: a ready option such as "--user trainer=UID:GID", quoted for a shell, with
	 * the numbers that are known; NULL where known, or where the engine will refuse to start
	 * it. */
	const char *pin;
	/** The capabilities that its process has in effect if it turns out to be root's; of whom a
	 * process drops to: those of the process. */
	uint64_t root_caps;
	/** As the container sees itself. */
	br_boxid uid;
	br_boxid gid;
	const br_boxid *groups;
	size_t ngroups;
	/** The groups cannot all be known (a bare UID takes groups from an image that was not
	 * read). */
	bool groups_unsure;
	struct br_cred cred;
	/** The user, the group or an added one has no mapping in the user namespace (BR307). */
	bool unmapped;
	const struct br_origin *origins;
	size_t norigins;
	/** What the image's own passwd calls the UID; NULL where that is not known, or nothing. */
	const char *account;
	/** The row of the table of known images that it rests on ("known images (source, date;
	 * certainty)"), or NULL. */
	const char *known;
	/** What the image's entrypoint is known to do, in both of the two identities; NULL where it
	 * has no part in this. */
	const struct br_image_drop *drop;
	/** Whom a process that starts as root becomes; NULL where it stays who it is. Its
	 * confidence may be BR_UNKNOWN, too. */
	const struct br_identity *drops_to;
	/**
	 * Who it is to the inodes of a mount with Podman's `:idmap`: IDs of the host are those on
	 * disk here, and the maps those of the mount as well (`id_mapped`). NULL where the engine
	 * maps no mount.
	 */
	const struct br_identity *on_disk;
	bool id_mapped;
};

/**
 * Who uses the data: whom the container's process drops to, if it does. Where it is only the
 * workers that drop, data are theirs that they write (`writes`) and that the entrypoint gives them;
 * everything else is read by the first process, which stays root.
 */
const struct br_identity *br_identity_of_data(const struct br_identity *identity, bool writes);

/**
 * Who must be able to use a mount as it is before the start: br_identity_of_data(), but for a mount
 * within the directories that the entrypoint gives to its user (`drop->data`) the first process, as
 * long as that is root and may chown. `missing`: the engine will create the source.
 */
const struct br_identity *br_identity_of_mount(
	const struct br_identity *identity, const struct br_mount *mount, bool missing);

/** Who it is to the inodes of one of its mounts: `on_disk` where the engine maps that. */
const struct br_identity *br_identity_on_mount(
	const struct br_identity *identity, const struct br_mount *mount);

/** A pinned identity from --user SERVICE=UID[:GID]. */
struct br_pin {
	struct br_text service;
	br_boxid uid;
	br_boxid gid;
	bool has_gid;
	struct br_span at;
};

struct br_hostdb;
struct br_host_user;

/**
 * What Podman's settings say about every container that does not say otherwise: containers.conf(5)
 * in its order of precedence, and PODMAN_USERNS. Words are s NULL where they are absent.
 */
struct br_engine_settings {
	/** A user namespace as behind `--userns`, and from where: "PODMAN_USERNS" (which goes
	 * before the file) or "containers.conf". */
	struct br_text userns;
	const char *userns_from;
	/** The default of `--umask`. */
	struct br_text umask;
	/** In the place of the engine's default capabilities. */
	bool has_caps;
	const struct br_text *caps;
	size_t ncaps;
	/** The annotation run.oci.keep_original_groups=1, which is `--group-add keep-groups` for
	 * every container. */
	struct br_text keep_groups;
	/** `volumes`, each as behind `-v`: for br_spec_add_volumes(). */
	const struct br_text *volumes;
	size_t nvolumes;
	/** The OCI runtime. */
	struct br_text runtime;
};

/**
 * How the engine runs containers: whose rules, with whose rights, and in which user namespace. Made
 * once a run.
 */
struct br_engine_mode {
	/** Never UNSAID. */
	enum br_engine engine;
	/** major * 100 + minor: what --engine-version says, else what the running engine says, else
	 * the newest that was measured. */
	unsigned version;
	/** The OCI runtime that the running engine names ("runc", "crun"); NULL: not known. */
	const char *runtime;
	/** Who runs a rootless engine; NULL: root does. */
	const struct br_host_user *user;
	/** With these credentials the engine reaches sources: root's, or that user's. */
	struct br_cred cred;
	/**
	 * Empty: the initial user namespace. Else the one that a rootless engine itself is in (its
	 * container's maps lie inside it), or the one that a Docker with userns-remap puts
	 * containers into.
	 */
	struct br_idmap uids;
	struct br_idmap gids;
	/** Why the maps cannot be known, one clause; NULL where they are. */
	const char *why;
	/** Podman's; all absent for others. */
	struct br_engine_settings settings;
	/** The accounts that it was worked out with. */
	struct br_hostdb *hostdb;
	/** From what it is: "engine", "engine user", "uid map", "gid map". */
	const struct br_origin *origins;
	size_t norigins;
};

/** What is said about the engine. Words are s NULL where they are absent. */
struct br_engine_request {
	/** --engine, one of its words. */
	struct br_text engine;
	/** --engine-user: a host user's name or UID. */
	struct br_text user;
	/** --daemon-config: a file, as it is (not below the sysroot). */
	struct br_text daemon_config;
	/** --engine-version. */
	struct br_text version;
	/** What the input says: its engine, and that root runs it. */
	enum br_engine input;
	bool by_root;
	/** The input is about containers that exist: no settings of today count. */
	bool exists;
	/** The user behind sudo, else the caller. */
	br_hostid invoker;
	/** What the running engine says of itself; NULL: none was asked. */
	const struct br_engine_info *info;
	/** The caller's environment, "NAME=VALUE", NULL at the end, or NULL: Podman reads
	 * PODMAN_USERNS, CONTAINERS_CONF, CONTAINERS_CONF_OVERRIDE and XDG_CONFIG_HOME there, if
	 * the caller is who runs it. */
	const char *const *environment;
};

/**
 * The engine that the words, the input and the running engine amount to, before its maps are looked
 * up: --engine, else the running engine's own word, else the input's (Podman is rootless where the
 * invoker is not root and the line does not say sudo), else Docker.
 */
enum br_engine br_engine_choose(const struct br_engine_request *request);

/**
 * Work the mode out; db is borrowed and outlives it. Docker: `userns-remap` of daemon.json
 * ("default" is dockremap; names and UIDs as dockerd reads them), ranges of subuid and subgid in
 * moby's order; without root rootlesskit's map: 0 is the user, then the ranges. Podman without
 * root: the same, sorted by start; without ranges only 0 is mapped. NULL with an error in dx: bad
 * words, a daemon.json that is none, an unknown user, ranges that overlap or that there are none of
 * where the engine needs some. Podman's settings are read as containers.conf(5) has it, files in a
 * user's home with that user's rights; one that Podman refuses is an error. As with br_spec_read()
 * a forked child without any rights makes sense of settings: not while other threads run, and the
 * caller does not ignore SIGCHLD.
 */
const struct br_engine_mode *br_engine_mode_read(struct br_arena *arena,
	const struct br_engine_request *request, struct br_hostdb *db, struct br_diags *dx);

struct br_identity_options {
	/** NULL: Docker as root, without userns-remap. */
	const struct br_engine_mode *mode;
	const struct br_pin *pins;
	size_t npins;
	/** What br_images_read found, parallel to the spec's containers; NULL: nothing is known of
	 * any image. */
	const struct br_image *images;
	/**
	 * Containers that the engine has, parallel to the spec's (json NULL: none); NULL: nothing
	 * is known of any. One that the spec itself is about is who its process is, if it runs. For
	 * others, of the same name, they say what cannot be known before: the maps of Podman's
	 * `--userns=auto`.
	 */
	const struct br_engine_container *existing;
};

/**
 * Work out who each container of the spec is: an array of spec->n identities in the same order.
 * Docker's rules (moby/sys/user, GetExecUser and GetAdditionalGroups): `user:`, or where that is
 * absent or empty the image's USER. Numbers as the engine reads them (sign and leading zeros
 * accepted; above 2147483647 refused: an error at the word). A name is looked up in the image's
 * passwd or group, the first line counts. A bare UID takes GID and supplementary groups from its
 * passwd line, else GID 0; an explicit group drops the image's groups; group_add is added (numbers,
 * or names of the image's group file). A name that the image lacks: unknown, and `why` says that
 * the engine will refuse. Confidence: certain (numbers, or read from the image), derived (from a
 * Dockerfile or a known image), assumed (group 0 where the accounts are not known, or an account
 * that was numbered on an unknown base), unknown. groups_unsure: the accounts are not all known,
 * and there could be supplementary groups. Effective capabilities: root has Docker's default set,
 * changed by cap_drop, cap_add and privileged; others have none. Unknown capability names are
 * errors with the nearest name. Where the image is known to drop from root to another user there
 * are two identities (drops_to), unless `entrypoint:` replaces what drops, a pin says who it is, or
 * it lacks CAP_SETUID or CAP_SETGID. Variables that choose the user (PUID) are taken from the
 * container's environment, then from the image's. A pin without a GID takes the place of the user
 * alone: the word's group stays. A pin for a service that is not there is an error; of several for
 * one service the last counts. NULL with errors in dx.
 */
const struct br_identity *br_identify(struct br_arena *arena, const struct br_spec *spec,
	const struct br_identity_options *options, struct br_diags *dx);

/** A mount of a container, and the maps that it has by itself. */
struct br_mapped_mount {
	/** NULL: Docker, which has no such mounts. */
	const struct br_engine_mode *mode;
	const struct br_identity *identity;
	const struct br_mount *mount;
	/** From the IDs on disk to those of the host that the mount shows; empty: none. */
	struct br_idmap uids;
	struct br_idmap gids;
};

/**
 * Set the maps that an ID-mapped mount has of its own (Podman's `idmap=…`, an OCI mount's mappings;
 * a bare `idmap` has none, see br_identity_on_mount()). Empty where it is none, or the runtime
 * leaves it out: runc does so silently, and a mount of a rootless engine or without a user
 * namespace has none. Without a known runtime it is crun, and a warning says so. 0, or -1 with an
 * error at the words that are wrong.
 */
int br_mount_maps(struct br_arena *arena, struct br_mapped_mount *it, struct br_diags *dx);
/**
 * Whether the engine may change the owner of what belongs to these IDs: one without root needs both
 * in its user namespace (capable_wrt_inode_uidgid()). A mode of NULL is root's.
 */
bool br_engine_may_give(const struct br_engine_mode *mode, br_hostid uid, br_hostid gid);

/** CAP_ names: "CAP_DAC_OVERRIDE" of a number, NULL for one that is none; and back (prefix
 * optional, any case), -1 for none. */
const char *br_cap_name(unsigned cap);
int br_cap_number(const char *name);
/** Docker's default set for root (the engine's documented fourteen). */
uint64_t br_caps_docker_default(void);

/** A host account. Strings are owned by the database. */
struct br_host_user {
	const char *name;
	br_hostid uid;
	br_hostid gid;
	const char *home;
};

struct br_host_group {
	const char *name;
	br_hostid gid;
	/** Names of members, NULL at the end. */
	const char *const *members;
};

/** The host's accounts: passwd, group, login.defs, subuid, subgid below a sysroot; where that is
 * "/", the name service is asked too for what the files lack. */
struct br_hostdb;

/** NULL with an error in dx. Missing files are empty files. */
struct br_hostdb *br_hostdb_read(const char *sysroot, struct br_diags *dx);
void br_hostdb_free(struct br_hostdb *db);
void br_hostdb_freep(struct br_hostdb **db);
/** First matching line wins; NULL where there is none. */
const struct br_host_user *br_hostdb_user(struct br_hostdb *db, br_hostid uid);
const struct br_host_user *br_hostdb_user_named(struct br_hostdb *db, const char *name);
/** As people say it: a name, or else a number. */
const struct br_host_user *br_hostdb_user_said(struct br_hostdb *db, const char *word);
const struct br_host_group *br_hostdb_group(struct br_hostdb *db, br_hostid gid);
const struct br_host_group *br_hostdb_group_named(struct br_hostdb *db, const char *name);
/** All users of the files, for who is in a group by it being their primary one. */
size_t br_hostdb_users(struct br_hostdb *db, const struct br_host_user **users);
/** The credentials of a host user at login: uid, gid, all groups, no capabilities (root: all). 0 or
 * -1 with ENOMEM. */
int br_hostdb_cred(struct br_hostdb *db, struct br_arena *arena, const struct br_host_user *user,
	struct br_cred *out);
/** UID_MIN, UID_MAX, GID_MIN, GID_MAX of login.defs (Debian's 1000 and 60000 where it says
 * nothing). */
struct br_id_limits {
	uint32_t uid_min, uid_max, gid_min, gid_max;
};
struct br_id_limits br_hostdb_limits(const struct br_hostdb *db);
/** Whether an ID lies in somebody's subordinate range: the owner's word from subuid or subgid, or
 * NULL. */
const char *br_hostdb_subuid_owner(const struct br_hostdb *db, br_hostid uid);
const char *br_hostdb_subgid_owner(const struct br_hostdb *db, br_hostid gid);

#endif
