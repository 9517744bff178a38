/**
 * The journal of one run: what was there before every change, on disk before the change.
 *
 *   file    = "BRJ1" version:u32 crc:u32 record*
 *   record  = len:u32 type:u32 seq:u64 back:u32 payload len:u32 crc:u32          (all little
 * endian)
 *
 * `len` counts the whole record and stands at both ends, so that it can be read backwards. `crc` is
 * CRC-32C of all before it, seeded with the crc that stands right before the record: loss,
 * reordering and splicing break the chain. `back` is how many records of the same batch precede it.
 * A batch is synced as one before anything that it announces is done, so a record that does not fit
 * the chain is the torn end of a last, never acted-upon batch, unless a record of a later batch
 * follows: then the journal is damaged.
 */
#ifndef BR_APPLY_JOURNAL_H
#define BR_APPLY_JOURNAL_H

#include <base/text.h>
#include <bindright/inode.h>

enum br_record_type {
	/** Who ran what, when, where: the first record. */
	BR_REC_BEGIN = 1,
	/** A root beneath which objects are named; numbered from 0 in order. */
	BR_REC_TARGET,
	/** An object will go from `before` to `after`. */
	BR_REC_INTENT,
	/** A directory will be made as `name` and renamed to `path`. */
	BR_REC_MKDIR,
	/** It was made and is this object (identity in `after`). */
	BR_REC_MKDIR_DONE,
	/** A group or user will be made. */
	BR_REC_ACCOUNT,
	/** Its line in passwd or group. */
	BR_REC_ACCOUNT_DONE,
	/** What was announced in `of` failed, or was left alone. */
	BR_REC_RESULT,
	/** Everything was done and is on disk. */
	BR_REC_COMMIT,
	/** The run stopped early, in an orderly way. */
	BR_REC_INTERRUPTED,
	BR_REC_UNDO_BEGIN,
	/** `of` is as before again. */
	BR_REC_UNDONE,
	/** `of` was left alone by undo. */
	BR_REC_CONFLICT,
	BR_REC_UNDO_END,
	/** A digest of what is in the file of the INTENT right before. */
	BR_REC_CONTENTS,
	/** The file system that objects of this batch lie on, where it is not the target's: the
	 * number of its device now, and its ID, which stays. */
	BR_REC_DISK,
	/** What was to be done, and which version of the program began it: right behind BEGIN. */
	BR_REC_PLAN,
	/** Behind whatever cut it short: everything is either as before or as it was meant, and on
	 * disk. */
	BR_REC_SETTLED,
	BR_REC_TYPES,
};

/** Bytes that somebody else owns. */
struct br_bytes {
	const char *p;
	size_t n;
};

/** Any record: which members count is in the table of journal.c. */
struct br_record {
	enum br_record_type type;
	/** Counted from 1; set by br_journal_add. */
	uint64_t seq;
	/** The record that it is about. */
	uint64_t of;
	/** Seconds since 1970. */
	uint64_t when;
	/** BEGIN: who ran it. ACCOUNT: the account's ID. */
	uint32_t uid;
	/** ACCOUNT: of a user, its group. */
	uint32_t gid;
	uint32_t is_group;
	/** BEGIN: mount points were entered. */
	uint32_t cross;
	/** PLAN: files with setuid, setgid or capabilities may be among what is changed. */
	uint32_t privileged;
	uint32_t target;
	/** RESULT: errno. */
	uint32_t err;
	/** RESULT: something of it was done all the same. */
	uint32_t touched;
	/** TARGET, DISK: of the file system. BEGIN: of the machine. */
	uint64_t fsid;
	uint64_t changes, makes, accounts, conflicts;
	/** BEGIN: the ID. INTENT, MKDIR: below the target. TARGET: its real path. */
	struct br_bytes path;
	/** BEGIN: the input. TARGET: file system type. MKDIR: the temporary name. ACCOUNT: the
	 * name. PLAN: the version. */
	struct br_bytes name;
	/** BEGIN: the invoker. ACCOUNT: the line as it will be, or is. CONFLICT, INTERRUPTED: why.
	 * CONTENTS: the digest. PLAN: the plan's digest. */
	struct br_bytes text;
	/** BEGIN: boot ID. INTENT, MKDIR_DONE: file handle where there is no birth time. */
	struct br_bytes extra;
	/** Identity, mode and attributes count; `have` says which attributes. */
	struct br_inode before, after;
};

struct br_journal {
	int fd;
	/** Interns the ACLs of records that are read. */
	struct br_acls *acls;
	/** Bytes on disk that fit the chain. */
	uint64_t end;
	/** The last record's number and crc; the number of the first one of the open batch. */
	uint64_t seq;
	uint64_t first;
	uint32_t crc;
	/** Records not yet written. */
	struct br_buf out;
	/** Reading: where, what is expected there, and the bytes around it. */
	uint64_t at;
	uint64_t expect;
	uint64_t size;
	char *window;
	uint64_t window_at;
	size_t window_n, window_cap;
};

/** Start an empty journal in fd (borrowed). */
void br_journal_init(struct br_journal *journal, int fd, struct br_acls *acls);
/**
 * Check the whole journal in fd (borrowed) and stand at its first record. 0; -1 with EBADMSG where
 * it is damaged, ENOTSUP where the version is unknown, else errno. A torn end is not an error:
 * `end` is before it. May be appended to afterwards.
 */
int br_journal_open(struct br_journal *journal, int fd, struct br_acls *acls);
/**
 * Stand at the first record and fetch the last one, without checking what is between: 1; 0 where
 * the file does not end with a whole record (open it instead); -1 with errno. For telling the state
 * of a run that ended in an orderly way.
 */
int br_journal_glance(
	struct br_journal *journal, int fd, struct br_acls *acls, struct br_record *last);
void br_journal_release(struct br_journal *journal);

/** Append to the open batch, in memory. 0 and record->seq, or -1 with ENOMEM or EOVERFLOW. */
int br_journal_add(struct br_journal *journal, struct br_record *record);
/** Write the open batch and make it durable. 0 or -1 with errno, after which nothing that it
 * announces may be done. */
int br_journal_sync(struct br_journal *journal);
/** Write the open batch without waiting for the disk; it stays the same batch. */
int br_journal_flush(struct br_journal *journal);
/** Cut off what is behind the last whole record. */
int br_journal_trim(struct br_journal *journal);

/** The next record: 1; 0 at the end; -1 with errno. Its bytes are valid until the next call. */
int br_journal_next(struct br_journal *journal, struct br_record *record);
/** Stand behind the last record; before the first. */
void br_journal_to_end(struct br_journal *journal);
void br_journal_to_start(struct br_journal *journal);
/** The record before: 1, 0 at the start, -1. */
int br_journal_prev(struct br_journal *journal, struct br_record *record);

static inline struct br_bytes br_bytes_of(const char *s) {
	size_t n = 0;
	while (s != NULL && s[n] != '\0') {
		n++;
	}
	return (struct br_bytes){.p = s, .n = n};
}

#endif
