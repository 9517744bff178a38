#include "journal.h"

#include <base/file.h>
#include <base/own.h>

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	VERSION = 1,
	FILE_HEAD = 12,
	HEAD = 20,
	TAIL = 8,
	RECORD_MAX = 1 << 20,
	WINDOW = 256 << 10,
	/** Room that the kernel gives an attribute at most. */
	BLOB_MAX = 65536,
};

static const char magic[4] = {'B', 'R', 'J', '1'};

enum field_kind {
	U32,
	U64,
	BYTES,
	IDENTITY,
	STATE,
};

struct field {
	enum field_kind kind;
	size_t offset;
};

#define F(kind, member) \
	{ kind, offsetof(struct br_record, member) }

// The one description of every record: it is both how they are written and how they are read.
static const struct {
	size_t n;
	struct field fields[8];
} layout[BR_REC_TYPES] = {
	[BR_REC_BEGIN] = {8,
		{F(BYTES, path), F(U64, when), F(U32, uid), F(U32, cross), F(U64, fsid),
			F(BYTES, name), F(BYTES, text), F(BYTES, extra)}},
	[BR_REC_TARGET] = {4, {F(BYTES, path), F(BYTES, name), F(U64, fsid), F(IDENTITY, before)}},
	[BR_REC_INTENT] = {6,
		{F(U32, target), F(BYTES, path), F(IDENTITY, before), F(BYTES, extra),
			F(STATE, before), F(STATE, after)}},
	[BR_REC_MKDIR] = {4, {F(U32, target), F(BYTES, path), F(BYTES, name), F(STATE, after)}},
	[BR_REC_MKDIR_DONE] = {3, {F(U64, of), F(IDENTITY, after), F(BYTES, extra)}},
	[BR_REC_ACCOUNT] = {5,
		{F(U32, is_group), F(BYTES, name), F(U32, uid), F(U32, gid), F(BYTES, text)}},
	[BR_REC_ACCOUNT_DONE] = {2, {F(U64, of), F(BYTES, text)}},
	[BR_REC_RESULT] = {3, {F(U64, of), F(U32, err), F(U32, touched)}},
	[BR_REC_COMMIT] = {4, {F(U64, when), F(U64, changes), F(U64, makes), F(U64, accounts)}},
	[BR_REC_INTERRUPTED] = {5,
		{F(U64, when), F(U64, changes), F(U64, makes), F(U64, accounts), F(BYTES, text)}},
	[BR_REC_UNDO_BEGIN] = {1, {F(U64, when)}},
	[BR_REC_UNDONE] = {1, {F(U64, of)}},
	[BR_REC_CONFLICT] = {2, {F(U64, of), F(BYTES, text)}},
	[BR_REC_UNDO_END] = {5,
		{F(U64, when), F(U64, changes), F(U64, makes), F(U64, accounts),
			F(U64, conflicts)}},
	[BR_REC_CONTENTS] = {2, {F(U64, of), F(BYTES, text)}},
	[BR_REC_DISK] = {3, {F(U32, target), F(U64, fsid), F(IDENTITY, before)}},
	[BR_REC_PLAN] = {3, {F(BYTES, text), F(BYTES, name), F(U32, privileged)}},
	[BR_REC_SETTLED] = {4, {F(U64, when), F(U64, changes), F(U64, makes), F(U64, accounts)}},
};

// ---- Writing ----

static void put(struct br_buf *out, uint64_t v, unsigned bytes) {
	char raw[8];
	for (unsigned i = 0; i < bytes; i++) {
		raw[i] = (char)(v >> (8 * i));
	}
	br_buf_addn(out, raw, bytes);
}

static void put_bytes(struct br_buf *out, struct br_bytes bytes) {
	put(out, bytes.n, 4);
	br_buf_addn(out, bytes.n > 0 ? bytes.p : "", bytes.n);
}

static void put_acl(struct br_buf *out, const struct br_acl *acl) {
	size_t n = acl != NULL ? br_acl_size(acl) : 0;
	put(out, n, 4);
	if (n == 0) {
		return;
	}
	br_auto(br_freep) char *raw = malloc(n);
	if (raw == NULL) {
		out->failed = true;
		return;
	}
	br_acl_encode(acl, raw);
	br_buf_addn(out, raw, n);
}

static void put_state(struct br_buf *out, const struct br_inode *in) {
	put(out, in->uid.v, 4);
	put(out, in->gid.v, 4);
	put(out, in->mode, 4);
	put(out, in->nlink, 4);
	put(out, in->have, 4);
	put_acl(out, in->acl);
	put_acl(out, in->def);
	struct br_bytes caps = {0};
	if (in->caps != NULL) {
		caps = (struct br_bytes){(const char *)in->caps->bytes, in->caps->n};
	}
	put_bytes(out, caps);
}

static void put_identity(struct br_buf *out, const struct br_inode *in) {
	put(out, in->dev, 8);
	put(out, in->ino, 8);
	put(out, (uint64_t)in->btime.sec, 8);
	put(out, in->btime.nsec, 4);
	put(out, in->mode, 4);
}

static void put_field(struct br_buf *out, const struct br_record *record, struct field field) {
	const char *at = (const char *)record + field.offset;
	switch (field.kind) {
	case U32:
		put(out, *(const uint32_t *)(const void *)at, 4);
		return;
	case U64:
		put(out, *(const uint64_t *)(const void *)at, 8);
		return;
	case BYTES:
		put_bytes(out, *(const struct br_bytes *)(const void *)at);
		return;
	case IDENTITY:
		put_identity(out, (const struct br_inode *)(const void *)at);
		return;
	case STATE:
		put_state(out, (const struct br_inode *)(const void *)at);
		return;
	}
	assert(false);
}

static void patch_u32(char *at, uint32_t v) {
	for (unsigned i = 0; i < 4; i++) {
		at[i] = (char)(v >> (8 * i));
	}
}

static void add_file_head(struct br_journal *journal) {
	br_buf_addn(&journal->out, magic, sizeof(magic));
	put(&journal->out, VERSION, 4);
	if (journal->out.failed) {
		return;
	}
	journal->crc = br_crc32c(0, journal->out.s, journal->out.n);
	put(&journal->out, journal->crc, 4);
}

void br_journal_init(struct br_journal *journal, int fd, struct br_acls *acls) {
	*journal = (struct br_journal){.fd = fd, .acls = acls, .first = 1};
}

void br_journal_release(struct br_journal *journal) {
	br_buf_release(&journal->out);
	free(journal->window);
	journal->window = NULL;
}

int br_journal_add(struct br_journal *journal, struct br_record *record) {
	struct br_buf *out = &journal->out;
	if (journal->end == 0 && out->n == 0) {
		add_file_head(journal);
	}
	size_t start = out->n;
	record->seq = journal->seq + 1;
	put(out, 0, 4);
	put(out, record->type, 4);
	put(out, record->seq, 8);
	put(out, record->seq - journal->first, 4);
	for (size_t i = 0; i < layout[record->type].n; i++) {
		put_field(out, record, layout[record->type].fields[i]);
	}
	if (out->failed) {
		errno = ENOMEM;
		return -1;
	}
	size_t len = out->n - start + TAIL;
	if (len > RECORD_MAX) {
		out->n = start;
		errno = EOVERFLOW;
		return -1;
	}
	put(out, len, 4);
	if (!out->failed) {
		patch_u32(out->s + start, (uint32_t)len);
		journal->crc = br_crc32c(journal->crc, out->s + start, len - 4);
	}
	put(out, journal->crc, 4);
	if (out->failed) {
		errno = ENOMEM;
		return -1;
	}
	journal->seq++;
	return 0;
}

int br_journal_flush(struct br_journal *journal) {
	size_t done = 0;
	if (journal->out.failed) {
		errno = ENOMEM;
		return -1;
	}
	while (done < journal->out.n) {
		ssize_t n = pwrite(journal->fd, journal->out.s + done, journal->out.n - done,
			(off_t)(journal->end + done));
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -1;
		}
		if (n == 0) {
			errno = EIO;
			return -1;
		}
		done += (size_t)n;
	}
	journal->end += done;
	journal->out.n = 0;
	if (journal->end > journal->size) {
		journal->size = journal->end;
	}
	// What was read ahead there is not what is there now.
	journal->window_n = 0;
	return 0;
}

int br_journal_sync(struct br_journal *journal) {
	if (br_journal_flush(journal) < 0 || fdatasync(journal->fd) < 0) {
		return -1;
	}
	journal->first = journal->seq + 1;
	return 0;
}

int br_journal_trim(struct br_journal *journal) {
	if (ftruncate(journal->fd, (off_t)journal->end) < 0) {
		return -1;
	}
	journal->size = journal->end;
	return fsync(journal->fd);
}

// ---- Reading ----

static uint64_t get(const char *at, unsigned bytes) {
	uint64_t v = 0;
	for (unsigned i = 0; i < bytes; i++) {
		v |= (uint64_t)(unsigned char)at[i] << (8 * i);
	}
	return v;
}

/** What is left of a payload; short: it asked for more than there was. */
struct cursor {
	const char *p;
	size_t n;
	bool bad;
};

static uint64_t take(struct cursor *in, unsigned bytes) {
	if (in->n < bytes) {
		in->bad = true;
		return 0;
	}
	uint64_t v = get(in->p, bytes);
	in->p += bytes;
	in->n -= bytes;
	return v;
}

static struct br_bytes take_bytes(struct cursor *in) {
	uint64_t n = take(in, 4);
	if (in->bad || n > in->n) {
		in->bad = true;
		return (struct br_bytes){0};
	}
	struct br_bytes out = {in->p, (size_t)n};
	in->p += n;
	in->n -= (size_t)n;
	return out;
}

/** A decoded blob that must be either absent or valid; *no_memory tells ENOMEM from nonsense. */
static const struct br_acl *take_acl(struct cursor *in, struct br_acls *acls) {
	struct br_bytes raw = take_bytes(in);
	if (in->bad || raw.n == 0) {
		return NULL;
	}
	const struct br_acl *acl = raw.n <= BLOB_MAX ? br_acls_decode(acls, raw.p, raw.n) : NULL;
	in->bad = acl == NULL;
	return acl;
}

static void take_state(struct cursor *in, struct br_acls *acls, struct br_inode *out) {
	out->uid.v = (uint32_t)take(in, 4);
	out->gid.v = (uint32_t)take(in, 4);
	out->mode = (uint32_t)take(in, 4);
	out->nlink = (uint32_t)take(in, 4);
	out->have = (uint32_t)take(in, 4);
	out->acl = take_acl(in, acls);
	out->def = take_acl(in, acls);
	struct br_bytes caps = take_bytes(in);
	out->caps = NULL;
	if (!in->bad && caps.n > 0) {
		out->caps = br_acls_blob(acls, caps.p, caps.n);
		in->bad = out->caps == NULL;
	}
}

static void take_identity(struct cursor *in, struct br_inode *out) {
	out->dev = take(in, 8);
	out->ino = take(in, 8);
	out->btime.sec = (int64_t)take(in, 8);
	out->btime.nsec = (uint32_t)take(in, 4);
	out->mode = (uint32_t)take(in, 4);
}

static void take_field(
	struct cursor *in, struct br_acls *acls, struct br_record *record, struct field field) {
	char *at = (char *)record + field.offset;
	switch (field.kind) {
	case U32:
		*(uint32_t *)(void *)at = (uint32_t)take(in, 4);
		return;
	case U64:
		*(uint64_t *)(void *)at = take(in, 8);
		return;
	case BYTES:
		*(struct br_bytes *)(void *)at = take_bytes(in);
		return;
	case IDENTITY:
		take_identity(in, (struct br_inode *)(void *)at);
		return;
	case STATE:
		take_state(in, acls, (struct br_inode *)(void *)at);
		return;
	}
	assert(false);
}

/** Bytes [at, at + n) of the file; NULL with errno, 0 where the file is shorter. */
static const char *bytes_at(struct br_journal *journal, uint64_t at, size_t n, bool backwards) {
	if (at + n < at || at + n > journal->size) {
		errno = 0;
		return NULL;
	}
	if (at >= journal->window_at && at + n <= journal->window_at + journal->window_n) {
		return journal->window + (at - journal->window_at);
	}
	size_t want = n > WINDOW ? n : WINDOW;
	if (want > journal->window_cap) {
		char *bigger = realloc(journal->window, want);
		if (bigger == NULL) {
			return NULL;
		}
		journal->window = bigger;
		journal->window_cap = want;
	}
	uint64_t from = at;
	if (backwards) {
		from = at + n > want ? at + n - want : 0;
	}
	size_t got = 0;
	journal->window_n = 0;
	while (got < want) {
		ssize_t r =
			pread(journal->fd, journal->window + got, want - got, (off_t)(from + got));
		if (r < 0 && errno == EINTR) {
			continue;
		}
		if (r < 0) {
			return NULL;
		}
		if (r == 0) {
			break;
		}
		got += (size_t)r;
	}
	journal->window_at = from;
	journal->window_n = got;
	if (at + n > from + got) {
		errno = EIO;
		return NULL;
	}
	return journal->window + (at - from);
}

/** Whether a whole record stands at `at` whose crc fits the four bytes before it: 1 and its head,
 * 0, -1 with errno. */
struct head {
	uint32_t len, type, back;
	uint64_t seq;
	uint32_t crc;
};

static int head_at(struct br_journal *journal, uint64_t at, struct head *out) {
	const char *p = bytes_at(journal, at, HEAD, false);
	if (p == NULL) {
		return errno == 0 ? 0 : -1;
	}
	out->len = (uint32_t)get(p, 4);
	out->type = (uint32_t)get(p + 4, 4);
	out->seq = get(p + 8, 8);
	out->back = (uint32_t)get(p + 16, 4);
	return out->len >= HEAD + TAIL && out->len <= RECORD_MAX && out->type > 0
		&& out->type < BR_REC_TYPES && out->seq > 0 && out->back < out->seq;
}

static int record_at(struct br_journal *journal, uint64_t at, struct head *out) {
	int r = head_at(journal, at, out);
	if (r <= 0) {
		return r;
	}
	const char *p = bytes_at(journal, at - 4, (size_t)out->len + 4, false);
	if (p == NULL) {
		return errno == 0 ? 0 : -1;
	}
	uint32_t seed = (uint32_t)get(p, 4);
	p += 4;
	out->crc = (uint32_t)get(p + out->len - 4, 4);
	return get(p + out->len - TAIL, 4) == out->len
		&& br_crc32c(seed, p, out->len - 4) == out->crc;
}

static int decode(struct br_journal *journal, uint64_t at, const struct head *head,
	struct br_record *record) {
	const char *p = bytes_at(journal, at, head->len, false);
	if (p == NULL) {
		errno = errno == 0 ? EBADMSG : errno;
		return -1;
	}
	*record = (struct br_record){.type = head->type, .seq = head->seq};
	struct cursor in = {p + HEAD, head->len - HEAD - TAIL, false};
	errno = 0;
	for (size_t i = 0; i < layout[head->type].n && !in.bad; i++) {
		take_field(&in, journal->acls, record, layout[head->type].fields[i]);
	}
	if (in.bad || in.n != 0) {
		errno = errno == ENOMEM ? ENOMEM : EBADMSG;
		return -1;
	}
	if (record->type == BR_REC_INTENT) {
		uint32_t mode = record->after.mode;
		record->after.dev = record->before.dev;
		record->after.ino = record->before.ino;
		record->after.btime = record->before.btime;
		if ((mode ^ record->before.mode) & S_IFMT) {
			errno = EBADMSG;
			return -1;
		}
	}
	return 0;
}

/** How far ahead the next record can at the earliest begin: reserved room is zeros, and no length
 * is zero. */
static size_t skip_zeros(struct br_journal *journal, uint64_t at) {
	static const char zeros[64];
	const char *p = bytes_at(journal, at, sizeof(zeros), false);
	return p != NULL && memcmp(p, zeros, sizeof(zeros)) == 0 ? sizeof(zeros) - 3 : 1;
}

/** Whether a record of a later batch than that of record `expect` stands anywhere behind `at`. */
static int later_batch(struct br_journal *journal, uint64_t at, uint64_t expect) {
	for (uint64_t q = at + 1; q + HEAD + TAIL <= journal->size; q += skip_zeros(journal, q)) {
		struct head head;
		int r = head_at(journal, q, &head);
		if (r < 0) {
			return -1;
		}
		if (r == 0 || head.seq - head.back <= expect) {
			continue;
		}
		r = record_at(journal, q, &head);
		if (r != 0) {
			return r;
		}
	}
	return 0;
}

/** 1: a journal of ours, 0: its head is torn (nothing was ever announced), -1. */
static int check_file_head(struct br_journal *journal) {
	const char *p = bytes_at(journal, 0, FILE_HEAD, false);
	if (p == NULL) {
		return errno == 0 ? 0 : -1;
	}
	bool fits = memcmp(p, magic, sizeof(magic)) == 0 && get(p + 8, 4) == br_crc32c(0, p, 8);
	if (fits && get(p + 4, 4) != VERSION) {
		errno = ENOTSUP;
		return -1;
	}
	return fits;
}

/** Follow the chain to its end; where it breaks, tell a torn end from damage. */
static int follow(struct br_journal *journal) {
	uint64_t at = FILE_HEAD;
	int r = check_file_head(journal);
	if (r < 0) {
		return -1;
	}
	uint64_t expect = 1;
	struct head head = {0};
	if (r == 0) {
		at = 0;
	}
	while (r > 0) {
		r = record_at(journal, at, &head);
		if (r > 0 && head.seq != expect) {
			r = 0;
		}
		if (r > 0) {
			at += head.len;
			journal->crc = head.crc;
			expect++;
		}
	}
	if (r == 0) {
		r = later_batch(journal, at == 0 ? FILE_HEAD - 1 : at, expect);
	}
	if (r > 0) {
		errno = EBADMSG;
	}
	if (r != 0) {
		return -1;
	}
	journal->end = at;
	journal->seq = expect - 1;
	journal->first = expect;
	return 0;
}

static int measure(struct br_journal *journal, int fd, struct br_acls *acls) {
	struct stat st;
	*journal = (struct br_journal){.fd = fd, .acls = acls};
	if (fstat(fd, &st) < 0) {
		return -1;
	}
	journal->size = (uint64_t)st.st_size;
	return 0;
}

int br_journal_open(struct br_journal *journal, int fd, struct br_acls *acls) {
	if (measure(journal, fd, acls) < 0) {
		return -1;
	}
	const char *p = NULL;
	if (follow(journal) < 0
		|| (journal->end == FILE_HEAD
			&& (p = bytes_at(journal, 0, FILE_HEAD, false)) == NULL)) {
		int err = errno == 0 ? EBADMSG : errno;
		br_journal_release(journal);
		errno = err;
		return -1;
	}
	if (p != NULL) {
		// What is added goes on from it.
		journal->crc = (uint32_t)get(p + 8, 4);
	}
	br_journal_to_start(journal);
	return 0;
}

void br_journal_to_start(struct br_journal *journal) {
	journal->at = FILE_HEAD;
}

void br_journal_to_end(struct br_journal *journal) {
	journal->at = journal->end;
}

int br_journal_next(struct br_journal *journal, struct br_record *record) {
	struct head head;
	if (journal->at >= journal->end) {
		return 0;
	}
	int r = record_at(journal, journal->at, &head);
	if (r <= 0) {
		// It was whole a moment ago.
		errno = r == 0 ? EBADMSG : errno;
		return -1;
	}
	if (decode(journal, journal->at, &head, record) < 0) {
		return -1;
	}
	journal->at += head.len;
	return 1;
}

int br_journal_prev(struct br_journal *journal, struct br_record *record) {
	if (journal->at <= FILE_HEAD) {
		return 0;
	}
	const char *p = bytes_at(journal, journal->at - TAIL, TAIL, true);
	uint64_t len = p != NULL ? get(p, 4) : 0;
	if (len < HEAD + TAIL || len > RECORD_MAX || len > journal->at - FILE_HEAD) {
		errno = p != NULL || errno == 0 ? EBADMSG : errno;
		return -1;
	}
	uint64_t at = journal->at - len;
	// Fetch it with what stands before it, so that walking backwards reads the file once.
	if (bytes_at(journal, at - 4, (size_t)len + 4, true) == NULL) {
		return -1;
	}
	struct head head;
	int r = record_at(journal, at, &head);
	if (r <= 0 || head.len != len) {
		errno = r < 0 ? errno : EBADMSG;
		return -1;
	}
	if (decode(journal, at, &head, record) < 0) {
		return -1;
	}
	journal->at = at;
	return 1;
}

int br_journal_glance(
	struct br_journal *journal, int fd, struct br_acls *acls, struct br_record *last) {
	int r = measure(journal, fd, acls);
	if (r == 0) {
		r = check_file_head(journal);
	}
	if (r <= 0) {
		return r;
	}
	journal->end = journal->size;
	br_journal_to_end(journal);
	r = br_journal_prev(journal, last);
	br_journal_to_start(journal);
	return r < 0 && errno == EBADMSG ? 0 : r;
}
