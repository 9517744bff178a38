/**
 * An undo while it runs: undo_run.c finds the run and its places and says how it went, undo.c goes
 * through the records.
 */
#ifndef BR_APPLY_UNDO_H
#define BR_APPLY_UNDO_H

#include "contents.h"
#include "crew.h"
#include "run.h"

enum {
	WINDOW = BR_PICKS,
};

/** An INTENT that waits for its turn. */
struct item {
	uint64_t seq;
	struct br_target *target;
	const char *path;
	struct br_bytes handle;
	struct br_inode before, after;
	/** What was in it, where that counts. */
	bool has_contents;
	unsigned char contents[BR_CONTENTS];
	/** Another name of something that waits already. */
	bool again;
	struct br_answer_of answer;
};

/** Those that wait: in the order in which they were met, and in that in which they are done. */
struct window {
	struct br_picks picks;
	struct item items[WINDOW];
	struct item *order[WINDOW];
	size_t n;
	/** Of their paths. */
	size_t bytes;
	/** Paths and handles. */
	struct br_arena arena;
};

/** What MKDIR_DONE or ACCOUNT_DONE said, met before the record that it is about. */
struct done {
	uint64_t of;
	struct br_inode identity;
	struct br_bytes extra;
};

/** An account that the run made. */
struct made_account {
	uint64_t seq;
	struct br_made_account account;
};

struct undo {
	struct br_arena *arena;
	const struct br_apply_options *options;
	struct br_undo_result *result;
	struct br_diags *dx;
	bool dry;
	/** Only what is half done is put back; what it did stands. */
	bool settle;
	/** What stands, counted. */
	uint64_t kept_makes, kept_accounts;
	/** The first that failed, and why; NULL: none did. */
	const char *failed_at, *failed_why;
	struct br_state state;
	int fd;
	struct br_acls *acls;
	struct br_journal journal;
	struct br_summary summary;
	struct br_way way;
	struct br_crew *crew;
	struct window *window;
	/** What RESULTs said was not touched: the first so many are in order, the latest first;
	 * those before `untouched_at` are behind us. */
	br_vec(uint64_t) untouched;
	size_t untouched_sorted;
	size_t untouched_at;
	br_vec(struct done) done;
	/** The last CONTENTS, met before its INTENT. */
	uint64_t contents_of;
	unsigned char contents[BR_CONTENTS];
	/** An undo came to its end before: only what it left alone, in order, has another turn.
	 * `settling`: its records are being read. */
	bool settled, settling;
	br_vec(uint64_t) left;
	/** Paths of directories that a dry run would have removed. */
	br_vec(const char *) removed;
	struct br_buf path;
	struct br_buf name;
	bool interrupted;
	bool broken;
	/** The accounts that the journal names, as their records say. */
	br_vec(struct made_account) accounts;
	/** What the process that watches sees, and the way to ask it; NULL where this process does
	 * it all. */
	struct br_board *board;
	struct br_line *line;
};

/** Go through all records, and write the end: 0, or -1 with an error in dx; an interruption is 0. */
int br_undo_work(struct undo *u);
/** The journal makes no sense: -1 with an error in dx. */
int br_undo_cannot_use(struct undo *u, const char *why);
/** The group of its name that the run made with this user; or NULL. */
const struct br_made_account *br_undo_group_of(
	const struct undo *u, const struct br_made_account *user);
/** About an account: answered here, or by the process that watches. */
void br_undo_ask(struct undo *u, unsigned what, uint64_t seq, struct br_served *out);

#endif
