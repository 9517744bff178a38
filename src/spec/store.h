/**
 * The files of a project, as the reader sees them. The reader opens nothing itself: it asks here,
 * and so it can run where nothing can be opened.
 *
 *   reader --ask--> store: there?  yes: the answer
 *                                  no, in the confined child: noted, and the reader ends; outside
 * it is answered (br_store_answer) and the reader runs again no, where the reader is not confined:
 * answered at once
 */
#ifndef BR_SPEC_STORE_H
#define BR_SPEC_STORE_H

#include <base/authors.h>
#include <base/mem.h>
#include <bindright/diag.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct br_spec_edit;

/** What is asked about a path. */
enum br_ask {
	/** The bytes of a regular file. */
	BR_ASK_FILE,
	/** The bytes of a compose file: "-" is standard input, and what a shell's <(…) names may be
	 * a pipe. */
	BR_ASK_COMPOSE,
	/** Whether it exists. */
	BR_ASK_EXISTS,
};

enum {
	BR_ASKS = BR_ASK_EXISTS + 1,
	/** The most questions, and the most bytes of all answers together. */
	BR_STORE_FILES = 16384,
	BR_STORE_BYTES = 128 << 20,
	/** The most questions of one run; those behind them wait for the next. */
	BR_STORE_NEEDS = 1024,
};

/** A question: the path is absolute, or "-". */
struct br_question {
	enum br_ask ask;
	const char *path;
};

/** A question and its answer. */
struct br_file {
	struct br_question question;
	uint32_t hash;
	/** 0, or the errno value of the failure. */
	int error;
	/** Heap; NULL where it failed or only the existence was asked. A NUL stands behind them. */
	char *bytes;
	size_t n;
};

struct br_file_store {
	struct br_arena arena;
	br_vec(struct br_file *) files;
	/** Bytes of all answers. */
	size_t bytes;
	/** What "-" reads. Nothing is done with it before "-" is asked. */
	int stdin_fd;
	/** Beside root, whose links are followed. */
	uid_t trusted;
	/**
	 * Who may have written what the reader knows: their words may be behind any question, and
	 * they must be able to read what is answered. Those of files that it does not know yet are
	 * `later`: what is asked before was not asked by them.
	 */
	struct br_authors authors;
	struct br_authors later;
	/** What is read as if it were changed, or NULL. */
	const struct br_spec_edit *edit;
	/** Nothing can be opened here: what is not in the store is noted in `needs`. */
	bool closed;
	br_vec(struct br_question) needs;
	/** The reader had to end for want of an answer. */
	bool waits;
};

void br_store_release(struct br_file_store *store);

/**
 * The reader's question. The answer (error is 0), owned by the store; NULL with errno: the file's,
 * ENAMETOOLONG, ENOMEM, EFBIG (larger than a compose file may be, or the store is full), EISDIR or
 * EINVAL (not a regular file), BR_EFOREIGN (a link that root does not follow), BR_EAUTHOR (not for
 * those whose words the reader knows); or, in a closed store, EAGAIN with `waits` set.
 */
const struct br_file *br_store_ask(struct br_file_store *store, enum br_ask ask, const char *path);
/** The reader will ask this later, if all goes well: in a closed store it is noted together with
 * what is needed first, which saves a run. */
void br_store_wish(struct br_file_store *store, enum br_ask ask, const char *path);
/** Look at the file system and keep the answer, which may be an errno. 0 (at once where it is there
 * already), or -1 with ENOMEM or EFBIG. Never blocks but on standard input and pipes of a shell. */
int br_store_answer(struct br_file_store *store, enum br_ask ask, const char *path);
/** The reader gets to know what was answered so far. */
void br_store_tell(struct br_file_store *store);
/** What to do about an answer that is an errno, as a hint of the last message, if there is
 * anything. */
void br_hint_answer(struct br_diags *dx, int error);
/** Whether the answer is there. */
bool br_store_has(const struct br_file_store *store, enum br_ask ask, const char *path);

#endif
