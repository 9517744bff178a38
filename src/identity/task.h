/**
 * Shared by the files of identity/: one container on its way to an identity.
 */
#ifndef BR_IDENTITY_TASK_H
#define BR_IDENTITY_TASK_H

#include "caps.h"
#include "user_word.h"

#include <base/mem.h>
#include <bindright/identity.h>

/** The user namespace that a container is in. */
struct space {
	/** To the host; empty: the initial namespace. */
	struct br_idmap uids;
	struct br_idmap gids;
	/** keep-id, nomap: who it is where neither the input nor the image says so. */
	bool has_user;
	bool is_keep_id;
	uint32_t uid;
	uint32_t gid;
	/** The word that decided, and from where it is if not from the input; s NULL where none
	 * did. */
	struct br_text word;
	const char *from;
};

struct task {
	struct br_arena *arena;
	struct br_diags *dx;
	const struct br_container *box;
	/** What its words are from: "compose", "run line", "bundle". */
	const char *input;
	/** The pin that names it, or NULL. */
	const struct br_pin *pin;
	/** The engine; never NULL. */
	const struct br_engine_mode *mode;
	struct space space;
	/** What is known of its image; never NULL. */
	const struct br_image *image;
	/** The container of this name that the engine has, or NULL. */
	const struct br_engine_container *existing;
	/** The user word that counts: compose's, else the image's; s NULL where neither is known. */
	struct br_text text;
	bool from_image;
	/** The engine's own choice under keep-id or nomap. */
	bool from_space;
	/** The groups are those of who runs the engine. */
	bool keeps_groups;
	struct br_user_word word;
	/** The passwd line that the user was found in, or NULL. */
	const struct br_image_user *entry;
	br_vec(br_boxid) groups;
	/** Those of them that group_add names: the engine does not leave out one that has no
	 * mapping. */
	br_vec(br_boxid) added;
	br_vec(struct br_origin) origins;
	struct br_identity *out;
};

/** Whether n bytes are this string. */
bool task_is(const char *s, size_t n, const char *string);

/** Note a step; `text` may be NULL. 0, or -1 with an error in dx, as all below. */
int task_note(struct task *t, const char *field, const char *from, const struct br_text *text);
/** Note a step that the image says: a word of its configuration, or (`file` is "passwd" or "group")
 * an account. */
int task_note_image(
	struct task *t, const char *field, const struct br_text *text, const char *file);
/** The name of the OCI runtime that will start it; NULL: not known. */
const char *task_runtime(const struct task *t);
/** It is no surer than this. */
void task_doubt(struct task *t, enum br_confidence most);
int task_add_group(struct task *t, br_boxid gid);
/** The result's groups, capabilities and host IDs, once uid, gid and t->groups are there. */
int task_finish(struct task *t, const struct br_caps *caps);

/** "Docker", "Podman". */
const char *task_engine(const struct task *t);
/** Whether the engine does so in its version. */
bool task_engine_has(const struct task *t, enum br_trait trait);

/** The identity is not known; `why` may be NULL for lack of memory. */
int task_unknown(struct task *t, const char *why);
/** The engine will refuse to start it, for this reason. */
int task_refused(struct task *t, const char *why);

/* space.c */

/** Set t->space. 1; 0: it is not known, or the engine refuses, and out says why; -1 with an error
 * in dx. */
int space_settle(struct task *t);

/* live.c */

/** Who the process of a container is that runs: all of out that the image does not say. 0, or -1
 * with an error. */
int live_settle(struct task *t, struct br_caps *caps);

/* host_users.c */

/** Look a name up among the host's users that the container gets: 1 with t->entry; 0: there is
 * none, or *why says why not; -1 with an error in dx. */
int host_users_find(struct task *t, const char *s, size_t n, const char **why);

/* accounts.c: the image's passwd and group */

/** As sure as what the image says of itself is. */
enum br_confidence accounts_confidence(const struct br_image *image);
/** As sure as one line is. */
enum br_confidence accounts_line_confidence(const struct br_image *image, bool allocated);
/** The first line, or NULL. */
const struct br_image_user *accounts_user(const struct br_image *image, uint32_t uid);
const struct br_image_user *accounts_user_named(
	const struct br_image *image, const char *name, size_t n);
const struct br_image_group *accounts_group_named(
	const struct br_image *image, const char *name, size_t n);
/** Add the groups whose member lists name the account. */
int accounts_add_member(struct task *t, const char *name);
/** Add the groups of group_add. All words are judged, so that all errors are seen; *why is why the
 * engine refuses one, or NULL. */
int accounts_add_words(struct task *t, const char **why);
/** Say what some engines make of groups whose names are numbers. */
void accounts_warn_numbers(struct task *t);

/* range.c */

/** 1 where a runtime takes uid, gid and groups; 0: it does not and t->out says why; -1 with an
 * error. */
int range_settle(struct task *t);

/* idmapped.c */

/** Set out->on_disk where a mount is mapped as the container is. 0, or -1 with an error. */
int idmapped_settle(struct task *t);

/* drop.c */

/** Set out->drops_to where the image is known to drop. */
int drop_find(struct task *t, const struct br_caps *caps);

#endif
