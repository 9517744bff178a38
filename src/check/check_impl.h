/** Shared by the files of check/: the check under construction. */
#ifndef BR_CHECK_CHECK_IMPL_H
#define BR_CHECK_CHECK_IMPL_H

#include <base/mem.h>
#include <bindright/check.h>
#include <bindright/server.h>

/** How many owners of misfits are told apart; the rest is counted as one. */
enum {
	OWNERS = 6,
};

/** How many of them are whose. */
struct owned {
	br_hostid uid;
	uint64_t count;
};

/** A sum over inodes of one mount that do not fit for one kind of reason. */
struct tally {
	uint64_t count;
	uint64_t files;
	/** Heap. */
	char *examples[BR_EXAMPLES];
	size_t nexamples;
	/** Of the first example. */
	struct br_inode first;
	struct br_verdict verdict;
	/** In the order of the walk. */
	struct owned owners[OWNERS];
	size_t nowners;
};

/** What the server of a mount's file system said. */
struct heard {
	/** There is somebody who asks it. */
	bool asks;
	/** Entries that were asked about; that it allows although the modes refuse them; that it
	 * refuses, and of these those that the modes allow. */
	uint64_t asked, gifts, refused, denials;
	/** Why it was not heard about something: an errno. */
	int err;
	/** About that: the finding, from 1; 0: none. */
	size_t finding;
};

/** What is gathered about one mount while its tree is walked. */
struct mount_work {
	struct br_mount_result result;
	/** The engine does not get there (BR208). */
	bool stopped;
	struct tally inside;
	struct tally protected;
	struct tally sticky;
	/** Under `:U`: what the engine cannot give to the container's user, and then it refuses to
	 * start. */
	struct tally ungiven;
	struct tally unseen;
	struct tally mount_points;
	/** Mount points that were entered and are read-only, where it has to write. */
	struct tally frozen;
	struct heard heard;
	/** Private keys that others can read. */
	struct tally exposed;
	/** Regular files; files and directories that it can write; those of which it lacks more
	 * than writing. */
	uint64_t files;
	uint64_t writable;
	uint64_t worse;
	/** Entries below directories that it cannot enter. */
	uint64_t closed;
	int unseen_err;
};

/** The check under construction. */
struct check_work {
	struct br_check *check;
	const struct br_check_input *input;
	const struct br_check_options *options;
	const struct br_habits *habits;
	struct br_diags *dx;
	/** One a mount of demands->mounts. */
	struct mount_work *mounts;
	br_vec(struct br_finding) findings;
	/** A finding could not be kept: no memory. */
	bool failed;
	struct br_asking *asking;
	/** --fail-fast, and an error was found. */
	bool stop;
};

/** An empty result, and the check that is to fill it. NULL; 0 or -1 with an error in dx. */
struct br_check *check_new(const struct br_check_input *input);
int check_begin(struct check_work *work, struct br_check *check, const struct br_check_input *input,
	const struct br_check_options *options, struct br_diags *dx);

/** What a finding is about; zero where it does not apply. */
struct about {
	const struct br_container *container;
	const struct br_mount_source *mount;
	const struct br_identity *identity;
	const char *path;
	struct br_span at;
};

/** What a finding about this mount is about. */
struct about about_mount(const struct br_mount_source *ms);
/**
 * Add a finding; the message is formatted into the arena. The result may be filled further until the
 * next call; it is never NULL (without memory it is a spare one and the check fails at its end).
 */
struct br_finding *add_finding(struct check_work *work, br_code_number code,
	const struct about *about, const char *format, ...) BR_PRINTF(4, 5);
/** br_printf into the check's arena, remembering failure. */
const char *say(struct check_work *work, const char *format, ...) BR_PRINTF(2, 3);
/** Why something could not be examined. */
const char *say_unseen(int err);
/** How these IDs ("1001:1001") are written as the user, in words of the input. */
const char *say_user(struct check_work *work, const char *ids);
/** Order, count, suppress. 0 or -1. */
int finish_findings(struct check_work *work);

/** Why the verdict is what it is, with the inode's facts. */
const char *say_because(struct check_work *work, const struct br_inode *inode,
	const struct br_cred *cred, const struct br_verdict *verdict);
/** "uid 1001 (trainer)" or "uid 1001". */
const char *say_uid(struct check_work *work, br_hostid uid);

/**
 * Whether a FUSE file system lets nobody in but others (fuse_allow_current_process() in
 * fs/fuse/dir.c): the container's user, or the engine, which has to mount it. No mode and no
 * capability changes that.
 */
bool is_shut_out(const struct check_work *work, const struct br_mount_source *ms);
/** Whether the engine makes missing sources of binds. */
bool engine_creates(const struct check_work *work);
/** Whose what the engine makes is on the host. */
void engine_owner(const struct check_work *work, br_hostid *uid, br_hostid *gid);
/** BR208: the user of a rootless engine does not get to the source; whether there is one. */
bool check_reach(struct check_work *work, const struct br_mount_source *ms);
/** Findings about containers, whatever their sources are. */
void check_containers(struct check_work *work);
/** Findings about sources that need no walk. */
void check_sources(struct check_work *work);
/** Findings about mounts that the engine cannot make, or not without making something on the host. */
void check_mounting(struct check_work *work);
/** Walk every tree and judge. 0 or -1 with an error in dx. */
int check_trees(struct check_work *work);
/** Whether this tree was told of, in options->told, and all of it is well: then only its root is
 * looked at, and what was told is added. */
bool can_take(const struct check_work *work, size_t tree);
void take_told(struct check_work *work, size_t tree);
/** Whether somebody asks the server about this mount (NULL: nobody could, with errno), and whether
 * it should be asked at all. */
bool is_asked(const struct br_mount_source *ms);
struct br_asker *asker_of(const struct br_asking *asking, size_t mount);
/** What is known of the server's word about a mount, for the finding about its file system, and for
 * its verdict. After the walk. */
void check_heard(struct check_work *work, struct mount_work *mw, const struct br_mount_source *ms);
/** "1001:1001". */
const char *say_ids(struct check_work *work, const struct br_cred *cred);
/** Why root cannot look, where the server may take it for nobody; NULL: not for that. */
const char *say_squashed(
	struct check_work *work, const struct mount_work *mw, const struct br_fs *fs, int err);
/** One more, which this verdict is about. */
void count_in_tally(struct check_work *work, struct tally *tally, const struct br_demand *demand,
	const struct br_entry *entry, const struct br_verdict *verdict);
/** The finding shows how many, and the first few. */
void give_examples(struct check_work *work, struct br_finding *finding, const struct tally *tally);
/** Give back what the tallies hold. */
void release_tallies(struct check_work *work);
/** What surrounds the inodes of this mount. */
struct br_where where_of(const struct br_demand *demand);
/** Whether this process can walk to a real path from the root: search of every directory above it.
 * What cannot be seen stops it. */
bool reaches(struct check_work *work, const struct br_cred *cred, const char *real);
/** BR403; whether there is one. */
bool check_narrow(
	struct check_work *work, const struct mount_work *mw, const struct br_mount_source *ms);
/** Findings about what the container will make there. */
void check_future(
	struct check_work *work, const struct mount_work *mw, const struct br_mount_source *ms);
/** Whether this host user keeps access to everything, or to one of these mounts. */
bool is_keeper(
	const struct check_work *work, const struct br_mount *mounts, size_t n, const char *name);
/** Who asks for what the mount needs: "--need", "x-bindright, compose.yaml:9:15". */
const char *say_asker(struct check_work *work, const struct br_need *need);
/** A reason, and who asked for what the mount needs, if anybody did. */
const char *say_asked(
	struct check_work *work, const struct br_mount_source *ms, const char *because);
/** Whether an entry below a source has the name of a private key. */
bool is_secret_inside(const struct br_entry *entry);
/** Who can read this file of the mount beside its owner and the container's user: "everybody", one
 * of their names, or NULL. */
const char *say_readers(struct check_work *work, const struct br_inode *inode,
	const struct br_mount_source *ms, const char *real);
/** Findings about secrets: mounted ones, and keys that the walk saw. */
void check_secrets(
	struct check_work *work, const struct mount_work *mw, const struct br_mount_source *ms);
/** Findings about what the walk saw. */
void check_walked(struct check_work *work);
/** Findings about the containers' own file systems. */
void check_images(struct check_work *work);

#endif
