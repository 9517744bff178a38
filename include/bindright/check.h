/**
 * Facts against demands: the findings.
 */
#ifndef BINDRIGHT_CHECK_H
#define BINDRIGHT_CHECK_H

#include <bindright/access.h>
#include <bindright/demand.h>
#include <bindright/habits.h>
#include <bindright/scan.h>

#include <signal.h>

/** A finding code as a number: 101 is BR101. Stable for ever. */
typedef unsigned br_code_number;

/** What a code is. */
struct br_code_info {
	br_code_number code;
	enum br_severity severity;
	/** One line. */
	const char *title;
};

/** All codes in order; the count. */
size_t br_codes(const struct br_code_info **codes);
/** NULL for a number that is no code. */
const struct br_code_info *br_code_find(br_code_number code);

/** Codes that the input ignores and that there are not: an error in dx for the first of them. 0 or
 * -1. */
int br_check_ignores(const struct br_spec *spec, struct br_diags *dx);

/** The first few of many paths. */
enum {
	BR_EXAMPLES = 3,
};

/** What a code means, at length. */
struct br_code_page {
	br_code_number code;
	/** A paragraph. */
	const char *meaning;
	/** Shell commands that prepare an empty directory, as root; "" where none are needed. NULL:
	 * this version cannot be brought to it. */
	const char *setup;
	/** The compose file of the example: `bindright check` beside it finds the code. */
	const char *compose;
	/** How to fix it: a paragraph. */
	const char *fix;
};

/** Every code of br_codes() has a page; NULL for a number that is no code. */
const struct br_code_page *br_code_page(br_code_number code);

/** A directory on the container's side of a mount that the container cannot enter. */
struct br_obstacle {
	/** Its path in the container. */
	const char *path;
	/** In the host's IDs where a mount brings it; in the container's own where the image has it
	 * (`of_image`). */
	struct br_inode inode;
	bool of_image;
};

/** One thing that does not fit. Strings belong to the check's arena; paths are any bytes. */
struct br_finding {
	br_code_number code;
	enum br_severity severity;
	/** Stable over runs: hex of a hash over code, container, target and path. */
	const char *id;
	/** NULL: about the project as a whole. */
	const struct br_container *container;
	const struct br_mount *mount;
	const struct br_tree *tree;
	const struct br_identity *identity;
	/** The host path it is about, or NULL. */
	const char *path;
	/** One sentence: "uid 1001 cannot write /srv/ml/models". */
	const char *message;
	/** The deciding rule with its facts: "owner is 1000, group is 1000, others have r-x"; or
	 * NULL. */
	const char *because;
	/** What the user can do: a sentence; or NULL. */
	const char *advice;
	/** One exact command that helps by itself, or NULL. */
	const char *command;
	/** What was decided, where an access was. */
	struct br_verdict verdict;
	/** The engine will not start the container for this. */
	bool refused;
	/** BR109: what stops it on the way to the mount; else NULL. */
	const struct br_obstacle *obstacle;
	/** BR104 and such: how many, and the first few, below the tree's root. */
	uint64_t count;
	const char *examples[BR_EXAMPLES];
	size_t nexamples;
	/** The words that asked for it. */
	struct br_span at;
	/** Suppressed by an ignore of the input, with its reason. */
	const struct br_ignore *ignored;
};

/** What became of one mount. */
struct br_mount_result {
	const struct br_mount_source *mount;
	/** What the container needs of the root itself and what it would have. */
	unsigned need;
	unsigned have;
	bool fits;
	/** The decision about the root. */
	struct br_verdict verdict;
	/** The root's facts; only where the source is present. */
	struct br_inode root;
	uint64_t seen;
	uint64_t misfit;
	/** Entries that could not be examined. */
	uint64_t unseen;
	/** The file system's server was asked about all of them, as the container's user, and
	 * allows what is needed, whatever modes it shows: nothing has to be changed there. */
	bool served;
};

/** Everything that a check knows. Constant once made. */
struct br_check {
	struct br_arena *arena;
	const struct br_spec *spec;
	const struct br_identity *identities;
	const struct br_demands *demands;
	/** In the order of the spec: demands->nmounts of them. */
	const struct br_mount_result *mounts;
	/** By container and mount, the worst first within them. Suppressed ones are in here too. */
	const struct br_finding *findings;
	size_t nfindings;
	size_t errors, warnings, infos, suppressed;
	/** Inodes that were looked at, each once. */
	uint64_t inodes;
	/** False: something could not be seen. */
	bool complete;
	double seconds;
};

/** Sees every entry of every tree while the check walks, in the caller's thread. -1 (with an error
 * in dx) stops the check. */
struct br_watch {
	int (*see)(void *context, const struct br_tree *tree, const struct br_entry *entry,
		struct br_diags *dx);
	void *context;
	/** BR_HAVE_* that the watcher needs of every inode that some demand may not be able to use;
	 * others may come without. */
	unsigned want;
	/** It needs them of all inodes. */
	bool all;
};

/** What somebody tells who walks the trees himself, summed up. */
struct br_told;

/** Those who ask servers of file systems, as the containers' users. */
struct br_asking;

struct br_check_options {
	unsigned threads;
	unsigned depth;
	bool cross;
	bool fail_fast;
	/** Globs on the path below the source; NULL at the end. */
	const char *const *excludes;
	/** Look at these paths only, at the directories on the way to them, and at the sources
	 * themselves; absolute, without "." and "..". NULL: at everything. */
	const char *const *only;
	size_t nonly;
	/** The engine does not run as root. */
	bool rootless;
	/** The engine's habits; NULL: those of the newest Docker. */
	const struct br_habits *habits;
	/** Which containers of the spec run now (spec->n), or NULL: nobody was asked. */
	const bool *running;
	/** Host users whose IDs are nobody else's: the one who runs it. Names, NULL at the end; or
	 * NULL. */
	const char *const *keepers;
	/** May be {0}. */
	struct br_watch watch;
	/** The tree that was told of is not walked again, if it is the same and nothing in it was
	 * found wanting. NULL: all are walked. */
	const struct br_told *told;
	/** What was told of the rest of that tree, where `told` is only about a part of it; or
	 * NULL. */
	const struct br_told *rest;
	/** Made from the same input; NULL: br_check_run makes it for itself. */
	struct br_asking *asking;
	/** Set by a signal handler: the walk ends, with an error. NULL: never. */
	const volatile sig_atomic_t *stop;
	/** Called now and then while trees are walked, with the number of inodes looked at; may be
	 * NULL. */
	void (*progress)(void *context, uint64_t inodes);
	void *progress_context;
};

/** What is judged, from the earlier stages; all outlive the check. */
struct br_check_input {
	const struct br_spec *spec;
	const struct br_identity *identities;
	/** How the engine runs; NULL: Docker as root, without userns-remap. */
	const struct br_engine_mode *mode;
	const struct br_demands *demands;
	/** Names the host's accounts. */
	struct br_hostdb *hostdb;
	/** Interns what is read. */
	struct br_acls *acls;
	/** What br_images_read found, parallel to the spec's containers; NULL: nothing is known of
	 * any image. */
	const struct br_image *images;
};

/**
 * With whose rights the container's runtime makes its mounts: of the root of the container's user
 * namespace, with all capabilities there. False: not known.
 */
bool br_check_mounter(
	const struct br_check_input *input, const struct br_mount_source *ms, struct br_cred *out);
/**
 * Podman's `:O`: its overlay reaches what lies in the source with the rights of whoever mounted it,
 * too (ovl_permission(), fs/overlayfs/inode.c), and copies what is written, for which owner and
 * group, and those of the directories above it below the source (`above_mapped`), must have a
 * mapping there (EOVERFLOW). Takes from the verdict about `want` what that refuses.
 */
void br_check_overlay(const struct br_cred *mounter, const struct br_inode *inode,
	bool above_mapped, unsigned want, struct br_verdict *verdict);
/** Whether the mounter's user namespace has both of these IDs. */
bool br_check_overlay_maps(const struct br_cred *mounter, const struct br_inode *inode);
/** Whom what belongs to these IDs belongs to at the top of such an overlay: Podman gives the upper
 * directory what it sees of the source. */
void br_check_overlay_top(const struct br_engine_mode *mode, struct br_inode *inode);

/** What the container makes of the mounts below one of its sources: br_habits_submounts(), and what
 * its runtime leaves out. */
enum br_submounts br_check_submounts(const struct br_check_input *input,
	const struct br_habits *habits, const struct br_mount_source *ms);

/**
 * Start who asks, for each mount on a file system whose server decides (struct br_fs, `served`):
 * for a caller that gives up its rights before the check, which has to become these users. The
 * demands outlive it. NULL with ENOMEM.
 */
struct br_asking *br_asking_new(const struct br_check_input *input);
void br_asking_free(struct br_asking *asking);
void br_asking_freep(struct br_asking **asking);

/**
 * Judge everything; where servers are to be asked, by children that are forked for it. NULL with an
 * error in dx only where the check itself failed; a source that cannot be seen is a finding.
 */
struct br_check *br_check_run(const struct br_check_input *input,
	const struct br_check_options *options, struct br_diags *dx);
void br_check_free(struct br_check *check);
void br_check_freep(struct br_check **check);

/**
 * For whoever walks a tree himself and knows what becomes of each entry: he tells it, and a later
 * check of the same tree, whose demands may have been made anew, need not walk it once more where
 * all is well. `shared`: he is a child process that is forked after this. `input` has the demands
 * whose tree he walks; it outlives this, as does what the options point to. NULL with an error in
 * dx.
 */
struct br_told *br_told_new(const struct br_check_input *input,
	const struct br_check_options *options, bool shared, struct br_diags *dx);
/**
 * An entry of a tree, as br_scan_next gives it, as it is to be found from now on: the directory
 * before what is in it, its `state` kept as br_scan keeps it. BR_LEAVE is ignored. 0; -1 with an
 * error in dx.
 */
int br_told_see(struct br_told *told, const struct br_tree *tree, const struct br_entry *entry);
void br_told_free(struct br_told *told);
void br_told_freep(struct br_told **told);

#endif
