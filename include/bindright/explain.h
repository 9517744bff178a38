/**
 * Why somebody can or cannot use one path: each step of the way, the rule that decided it, and what
 * would make it a yes. Changes nothing, opens O_PATH descriptors only.
 */
#ifndef BINDRIGHT_EXPLAIN_H
#define BINDRIGHT_EXPLAIN_H

#include <bindright/access.h>
#include <bindright/check.h>
#include <bindright/diag.h>
#include <bindright/identity.h>

struct br_arena;
struct br_explain_step;

/** Who wants what of which path. Everything is borrowed. */
struct br_explain_query {
	/** Absolute. */
	const char *path;
	/** Where the words for it stand, for errors. */
	struct br_span at;
	const struct br_cred *cred;
	/** BR_R | BR_W | BR_X; 0: whatever can be had of an object of its type. */
	unsigned need;
	/** The mount is read-only. */
	bool read_only;
	/** The maps of an ID-mapped mount, as struct br_where has them; empty: none. */
	struct br_idmap mount_uids;
	struct br_idmap mount_gids;
	/** Podman's `:U`: the engine of this mode (NULL: root's) first gives what is there to the
	 * one who asks. */
	bool chown;
	const struct br_engine_mode *mode;
	/** Podman's `:O`, and who mounts it (br_check_mounter()); or NULL. */
	const struct br_cred *overlay;
	/** But not what is mounted below `from` (br_habits_submounts). */
	bool writable_below;
	/** The container does not see what is mounted below `from`, but what that covers. */
	bool hides_below;
	/**
	 * NULL: the object alone is judged. "/": every directory and link on the way too. Else a
	 * directory at or above `path`: the way begins there (a container enters at its mount
	 * point), and a link that leaves it is an error, since a container would follow it in its
	 * own file system.
	 */
	const char *from;
	/** Names accounts; or NULL. */
	struct br_hostdb *hostdb;
	/** What stops it on the container's side before it comes to the mount; or NULL. */
	const struct br_explain_step *before;
	/** What the one who asks makes in a directory is of interest: it stays there, and his umask
	 * is known. */
	bool foresees;
	/** Where a file system's server decides, it is asked as cred (bindright/server.h), as far
	 * as this process may become that. */
	bool asks;
	/** Why the engine will not start the container: sentences, NULL at the end; or NULL. Then
	 * nothing is granted. */
	const char *const *refusals;
};

/** One inode on the way. Strings belong to the arena. */
struct br_explain_step {
	/** Without links. */
	const char *path;
	/** A directory of the container's image, whose IDs are the container's own; or of a mount
	 * around the one that is asked about. */
	bool of_image;
	bool of_mount;
	/** The text of a symbolic link that is followed here; NULL for all others. */
	const char *link;
	/** Under `chown` with the owner and the group that it will have. */
	struct br_inode inode;
	/** What is asked of it: search of a directory on the way, the need of the last one. */
	unsigned want;
	bool granted;
	/** Not of a link. */
	struct br_verdict verdict;
	/** Its file system's server decides, and it was asked, or could not be asked: then the
	 * modes' word is all there is. */
	bool asked;
	bool unheard;
	/** br_rule_name(), or "protected-symlinks" (proc_sys_fs(5)). */
	const char *rule;
	/** What would have to change for a yes, on either side; NULL where it is one, or nothing
	 * would help. */
	const char *inode_way;
	/** It is a command that can be typed as it stands. */
	bool way_is_command;
	const char *identity_way;
};

/** The whole decision. */
struct br_explanation {
	const struct br_explain_query *query;
	/** Never empty; the last one is the object. */
	const struct br_explain_step *steps;
	size_t nsteps;
	/** The first step that refuses; where none does, the object. */
	const struct br_explain_step *decider;
	bool granted;
	/** What is allowed one by one; 0 where a step before the object refuses. */
	unsigned have;
	/** Where the query foresees, and he can make something in the object: a file as open(2)
	 * makes it with 0666, a directory with 0777. */
	bool makes;
	struct br_inode made_file;
	struct br_inode made_directory;
};

/**
 * Explain one path. Strings and steps go into the arena, ACLs into the table. 0, or -1 with an
 * error in dx: it does not exist, cannot be examined, or leaves `from`.
 */
int br_explain(struct br_arena *arena, const struct br_explain_query *query, struct br_acls *acls,
	struct br_explanation *out, struct br_diags *dx);

/**
 * Fill in `before` and `refusals` of a question about this mount, from a check of its container (of
 * the roots alone, but for `:U`). 0 or -1 with ENOMEM.
 */
int br_explain_start(struct br_arena *arena, const struct br_check *check,
	const struct br_mount *mount, struct br_explain_query *query);

/** Parse "rw", "x", "rwx" (any order, each letter once); 0 for anything else. */
unsigned br_parse_need(const char *word);

/** Answers many questions of a program about single objects. */
struct br_batch;
/** NULL with ENOMEM. */
struct br_batch *br_batch_new(void);
void br_batch_free(struct br_batch *batch);
void br_batch_freep(struct br_batch **batch);
/**
 * Answer one line, a JSON object {"path", "uid", "gid", "groups", "capabilities", "uid_map",
 * "gid_map", "need", "read_only"} (only path and uid have to be there), by one line {"granted",
 * "have", "rule"} or {"error"}, with its newline. Links are followed, directories on the way are
 * not judged. The text is the batch's, until the next call. NULL with ENOMEM.
 */
const char *br_batch_answer(struct br_batch *batch, const char *line, size_t n, size_t *len);

#endif
