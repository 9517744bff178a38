/*
 * A journal that somebody else has had in his hands. The first byte chooses:
 *
 *   0  any bytes as a journal
 *   1  a journal of ours with something cut, flipped, doubled, left out, exchanged, or put in from
 * another one: what is taken is a beginning of it, and what is missing is its end 2  records of any
 * content with the right checksums: what they say is decoded 3  and undone, in a tree that some of
 * them are about: nothing outside of it is touched
 *
 * What it makes lies below $TMPDIR or /tmp until it ends.
 */
#include <base/file.h>
#include <base/own.h>
#include <bindright/diag.h>

#include <apply/run.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <support/dice.h>
#include <support/promises.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum {
	RECORDS = 24,
	FILE_HEAD = 12,
	HEAD = 20,
	TAIL = 8,
};

// ---- The ground ----

/** What the records may be about: a tree of these, and a file outside of it. */
static const char *const names[] = {
	"", "d", "d/f", "f", "d/made", "gone", "../outside", "d/../f", "/", "d/f/x"};
enum {
	REAL_NAMES = 5,
	ALL_NAMES = sizeof(names) / sizeof(names[0]),
};

static struct {
	bool made;
	char top[64], tree[96], state[96], journal[160];
	struct stat outside;
} ground;

static const char run_id[] = "20260101T000000Z-00000001";

static void path_of(char out[256], const char *name) {
	promise(snprintf(out, 256, "%s/%s", ground.tree, name) < 256);
}

static void remove_ground(void) {
	char command[128];
	if (ground.made && snprintf(command, sizeof(command), "rm -rf '%s'", ground.top) > 0) {
		promise(system(command) == 0);
	}
}

static void make_ground(void) {
	char path[256];
	const char *tmp = getenv("TMPDIR");
	promise(snprintf(ground.top, sizeof(ground.top), "%.40s/bindright-fuzz-XXXXXX",
			tmp != NULL ? tmp : "/tmp")
		> 0);
	promise(mkdtemp(ground.top) != NULL);
	ground.made = true;
	(void)atexit(remove_ground);
	promise(snprintf(ground.tree, sizeof(ground.tree), "%s/tree", ground.top) > 0);
	promise(snprintf(ground.state, sizeof(ground.state), "%s/state", ground.top) > 0);
	promise(snprintf(path, sizeof(path), "%s/runs", ground.state) > 0);
	promise(mkdir(ground.state, 0700) == 0 && mkdir(path, 0700) == 0);
	promise(snprintf(path, sizeof(path), "%s/runs/%s", ground.state, run_id) > 0);
	promise(mkdir(path, 0700) == 0);
	promise(snprintf(ground.journal, sizeof(ground.journal), "%s/journal", path) > 0);
	promise(snprintf(path, sizeof(path), "%s/outside", ground.top) > 0);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	promise(fd >= 0 && fstat(fd, &ground.outside) == 0 && close(fd) == 0);
}

/** The tree as it was, whatever an undo has made of it. */
static void renew_tree(void) {
	char path[256];
	static const char *const files[] = {"f", "d/f"};
	static const char *const dirs[] = {"d/made", "d", ""};
	for (size_t i = 0; i < 2; i++) {
		path_of(path, files[i]);
		promise(unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR);
	}
	for (size_t i = 0; i < 3; i++) {
		path_of(path, dirs[i]);
		promise(rmdir(path) == 0 || errno == ENOENT);
	}
	for (size_t i = 3; i > 0; i--) {
		path_of(path, dirs[i - 1]);
		promise(mkdir(path, i == 1 ? 0700 : 0755) == 0);
	}
	for (size_t i = 0; i < 2; i++) {
		path_of(path, files[i]);
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		promise(fd >= 0 && close(fd) == 0);
	}
}

// ---- Records of any content ----

/** Bytes of the text that are meant; now and then with others behind a NUL. */
static struct br_bytes text(struct dice *dice, const char *s) {
	struct br_bytes out = br_bytes_of(s);
	out.n += roll(dice, 16) == 15;
	return out;
}

static const struct br_acl *any_acl(struct dice *dice, struct br_acls *acls) {
	unsigned perm = roll(dice, 8);
	const struct br_acl_entry entries[] = {
		{BR_ACL_OWNER, 7, {BR_NO_ID}},
		{BR_ACL_USER, (uint16_t)perm, {roll_number(dice)}},
		{BR_ACL_OWNING_GROUP, 5, {BR_NO_ID}},
		{BR_ACL_MASK, (uint16_t)perm, {BR_NO_ID}},
		{BR_ACL_OTHER, 0, {BR_NO_ID}},
	};
	return perm < 5 ? NULL : br_acls_make(acls, entries, 5);
}

/** Something of `in` becomes something else. */
static void vary(struct dice *dice, struct br_acls *acls, struct br_inode *in) {
	unsigned what = roll(dice, 256);
	in->uid.v = (what & 1) != 0 ? roll_number(dice) : in->uid.v;
	in->gid.v = (what & 2) != 0 ? roll_number(dice) : in->gid.v;
	in->mode = (what & 4) != 0 ? (in->mode & S_IFMT) | (roll_number(dice) & 07777) : in->mode;
	in->have = (what & 8) != 0 ? roll_number(dice) : (uint32_t)BR_HAVE_ALL;
	in->acl = (what & 16) != 0 ? any_acl(dice, acls) : in->acl;
	in->def = (what & 32) != 0 ? any_acl(dice, acls) : in->def;
	in->nlink = (what & 64) != 0 ? roll_number(dice) : in->nlink;
	if ((what & 128) != 0) {
		char caps[24] = {1, 0, 0, 2, (char)roll(dice, 256)};
		in->caps = br_acls_blob(acls, caps, 1 + roll(dice, 24));
	}
	if (roll(dice, 16) == 15) {
		in->ino += roll_number(dice);
		in->btime.sec += roll_number(dice);
		in->mode ^= roll_number(dice);
	}
}

static void any_record(struct dice *dice, struct br_acls *acls, struct br_record *r) {
	static char path[256];
	const char *name = names[roll(dice, ALL_NAMES)];
	*r = (struct br_record){.type = (enum br_record_type)(1 + roll(dice, BR_REC_TYPES - 1))};
	path_of(path, name);
	if (br_inode_read(AT_FDCWD, path, BR_HAVE_ALL, acls, &r->before) < 0) {
		r->before = (struct br_inode){.mode = S_IFREG | 0644};
	}
	r->after = r->before;
	vary(dice, acls, roll(dice, 2) != 0 ? &r->after : &r->before);
	r->of = roll(dice, RECORDS);
	r->when = roll_number(dice);
	r->uid = roll_number(dice);
	r->gid = roll_number(dice);
	r->is_group = roll(dice, 2);
	r->target = roll(dice, 4) == 3 ? roll_number(dice) : roll(dice, 2);
	r->err = roll(dice, 140);
	r->touched = roll(dice, 2);
	r->fsid = roll_number(dice);
	r->changes = roll_number(dice);
	r->path = text(dice, name);
	r->name = text(dice, names[roll(dice, ALL_NAMES)]);
	r->text = text(dice,
		roll(dice, 2) != 0 ? "root:x:0:0::/:/bin/sh" : "0123456789abcdef0123456789abcdef");
	r->extra = text(dice, roll(dice, 2) != 0 ? "handle" : "");
}

/** What every run begins with: who, and where. */
static void first_records(struct dice *dice, struct br_journal *j, const char *id) {
	struct br_record begin = {.type = BR_REC_BEGIN,
		.path = br_bytes_of(id),
		.fsid = br_machine(),
		.cross = roll(dice, 2)};
	struct br_record target = {.type = BR_REC_TARGET,
		.path = br_bytes_of(ground.tree),
		.name = br_bytes_of("ext4")};
	promise(br_journal_add(j, &begin) == 0);
	if (roll(dice, 8) != 7) {
		promise(br_inode_stat(AT_FDCWD, ground.tree, &target.before) == 0);
	}
	promise(br_journal_add(j, &target) == 0);
}

/** A journal of several batches. `undone`: without accounts, which undo would take from the
 * machine. */
static void write_journal(struct dice *dice, int fd, const char *id, bool undone) {
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	struct br_journal j;
	promise(acls != NULL);
	br_journal_init(&j, fd, acls);
	first_records(dice, &j, id);
	for (unsigned i = roll(dice, RECORDS); i > 0; i--) {
		struct br_record r;
		if (roll(dice, 3) == 0) {
			promise(br_journal_sync(&j) == 0);
		}
		any_record(dice, acls, &r);
		if (!undone || (r.type != BR_REC_ACCOUNT && r.type != BR_REC_ACCOUNT_DONE)) {
			promise(br_journal_add(&j, &r) == 0);
		}
	}
	promise(br_journal_sync(&j) == 0);
	br_journal_release(&j);
}

// ---- Bytes ----

struct bytes {
	char *p;
	size_t n;
};

static struct bytes read_all(int fd) {
	struct stat st;
	promise(fstat(fd, &st) == 0);
	struct bytes out = {malloc((size_t)st.st_size + 1), (size_t)st.st_size};
	promise(out.p != NULL && pread(fd, out.p, out.n, 0) == st.st_size);
	return out;
}

static int memory_file(const void *bytes, size_t n) {
	int fd = memfd_create("journal", MFD_CLOEXEC);
	promise(fd >= 0 && br_write_all(fd, bytes, n) == 0);
	return fd;
}

static struct bytes make_journal(struct dice *dice, const char *id) {
	br_auto(br_closep) int fd = memory_file("", 0);
	write_journal(dice, fd, id, false);
	return read_all(fd);
}

static uint32_t u32_at(const struct bytes *b, size_t at) {
	uint32_t v = 0;
	for (unsigned i = 4; i > 0; i--) {
		v = v << 8 | (unsigned char)b->p[at + i - 1];
	}
	return v;
}

static void put_u32(const struct bytes *b, size_t at, uint32_t v) {
	for (unsigned i = 0; i < 4; i++) {
		b->p[at + i] = (char)(v >> (8 * i));
	}
}

/** Where records begin; the last one is where they end. */
struct marks {
	size_t at[RECORDS + 4];
	size_t n;
};

static struct marks find_records(const struct bytes *b) {
	struct marks m = {.at = {FILE_HEAD}};
	while (m.at[m.n] < b->n) {
		size_t next = m.at[m.n] + u32_at(b, m.at[m.n]);
		promise(next <= b->n && m.n + 2 < sizeof(m.at) / sizeof(m.at[0]));
		m.at[++m.n] = next;
	}
	return m;
}

/** The checksums made to fit what stands there now. */
static void chain_again(const struct bytes *b, const struct marks *m) {
	uint32_t crc = u32_at(b, 8);
	for (size_t i = 0; i < m->n; i++) {
		size_t n = m->at[i + 1] - m->at[i];
		crc = br_crc32c(crc, b->p + m->at[i], n - 4);
		put_u32(b, m->at[i + 1] - 4, crc);
	}
}

/** Bytes of payloads exchanged, and the chain made whole again. */
static void edit(struct dice *dice, const struct bytes *b) {
	struct marks m = find_records(b);
	for (unsigned i = roll(dice, 6); i > 0; i--) {
		size_t k = roll(dice, (unsigned)m.n);
		size_t room = m.at[k + 1] - m.at[k] - HEAD - TAIL;
		size_t at = m.at[k] + HEAD + (room > 0 ? roll_number(dice) % room : 0);
		if (room > 0) {
			b->p[at] = (char)roll(dice, 256);
		}
	}
	chain_again(b, &m);
}

// ---- Reading ----

/** What it says, byte by byte, so that whoever watches memory sees it. */
static size_t touch(const struct br_record *r) {
	const struct br_bytes all[] = {r->path, r->name, r->text, r->extra};
	size_t sum = 0;
	for (size_t i = 0; i < 4; i++) {
		for (size_t k = 0; k < all[i].n; k++) {
			sum += (unsigned char)all[i].p[k];
		}
	}
	sum += r->before.acl != NULL ? br_acl_size(r->before.acl) : 0;
	sum += r->after.def != NULL ? br_acl_size(r->after.def) : 0;
	return sum + (r->after.caps != NULL ? r->after.caps->bytes[r->after.caps->n - 1] : 0);
}

/** Forwards and backwards the same records; where they end, or (size_t)-1 where it is refused. */
static size_t read_journal(const void *bytes, size_t n) {
	br_auto(br_closep) int fd = memory_file(bytes, n);
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	struct br_journal j;
	struct br_record r;
	size_t forwards = 0;
	size_t backwards = 0;
	int got = br_journal_glance(&j, fd, acls, &r);
	size_t sum = got > 0 ? touch(&r) : 0;
	br_journal_release(&j);
	if (br_journal_open(&j, fd, acls) < 0) {
		promise(errno == EBADMSG || errno == ENOTSUP);
		return (size_t)-1;
	}
	while ((got = br_journal_next(&j, &r)) > 0) {
		promise(r.seq == ++forwards && r.type > 0 && r.type < BR_REC_TYPES);
		sum += touch(&r);
	}
	promise(got == 0 || errno == EBADMSG);
	br_journal_to_end(&j);
	int back;
	while ((back = br_journal_prev(&j, &r)) > 0) {
		backwards++;
		sum += touch(&r);
	}
	promise(got < 0 ? back < 0 : back == 0 && forwards == backwards);
	size_t end = (size_t)j.end;
	br_journal_release(&j);
	promise(sum < (size_t)1 << 40 && end <= n);
	return end;
}

// ---- Altered ----

/** The number of the first record of the batch of record k. */
static uint32_t batch_of(const struct bytes *b, const struct marks *m, size_t k) {
	return (uint32_t)k + 1 - u32_at(b, m->at[k] + 16);
}

/** Up to 32 bits in a row overwritten, which CRC-32C sees in any case: refused where a record of a
 * later batch is whole. */
static void overwrite(struct dice *dice, const struct bytes *b) {
	struct marks m = find_records(b);
	struct bytes other = {malloc(b->n), b->n};
	size_t at = (roll_number(dice) + roll(dice, 256)) % b->n;
	size_t n = 1 + roll(dice, 4);
	size_t k = 0;
	promise(other.p != NULL);
	memcpy(other.p, b->p, b->n);
	for (size_t i = at; i < at + n && i < b->n; i++) {
		other.p[i] = (char)((unsigned char)other.p[i] ^ roll(dice, 256));
	}
	while (at < b->n && other.p[at] == b->p[at]) {
		at++;
	}
	size_t end = read_journal(other.p, other.n);
	while (k < m.n && m.at[k + 1] <= at) {
		k++;
	}
	bool refused = end == (size_t)-1;
	// Its head is as good as its first record.
	uint32_t broken = at < FILE_HEAD ? 1 : (uint32_t)k + 1;
	for (size_t i = 0; i < m.n && at < b->n; i++) {
		promise(refused || m.at[i] < at + n + 4 || batch_of(b, &m, i) <= broken);
	}
	promise(refused || end == (at < b->n ? (at < FILE_HEAD ? 0 : m.at[k]) : b->n));
	free(other.p);
}

/** Whether what was taken is a beginning of this one, and ends with a record. (All begin alike: so
 * the other one, whole, is one, too.) */
static bool begins(
	const struct br_buf *taken, size_t end, const struct bytes *b, const struct marks *m) {
	bool whole = end == 0;
	for (size_t i = 0; i <= m->n; i++) {
		whole = whole || m->at[i] == end;
	}
	return whole && end <= b->n && memcmp(taken->s, b->p, end) == 0;
}

/** A beginning of it, some other bytes, and perhaps the rest: never more is taken than the
 * beginning, and what is taken ends with a record. */
static void put_together(struct dice *dice, const struct bytes *a, const struct bytes *b) {
	struct marks ma = find_records(a);
	struct marks mb = find_records(b);
	struct br_buf out = {0};
	size_t keep = roll(dice, (unsigned)ma.n + 1);
	size_t from = roll(dice, (unsigned)mb.n + 1);
	size_t to = from + roll(dice, (unsigned)(mb.n - from) + 1);
	size_t again = roll(dice, (unsigned)ma.n + 1);
	br_buf_addn(&out, a->p, ma.at[keep]);
	br_buf_addn(&out, b->p + mb.at[from], mb.at[to] - mb.at[from]);
	if (roll(dice, 2) != 0) {
		br_buf_addn(&out, a->p + ma.at[again], ma.at[ma.n] - ma.at[again]);
	}
	out.n -= roll(dice, 4) == 0 ? roll(dice, 64) % out.n : 0;
	size_t end = read_journal(out.s, out.n);
	// Where two checksums happen to be the same it is a chain.
	bool fits = u32_at(a, ma.at[keep] - 4) == u32_at(b, mb.at[from] - 4) && from > 0;
	fits = fits || (u32_at(b, mb.at[to] - 4) == u32_at(a, ma.at[again] - 4) && again > 0);
	promise(end == (size_t)-1 || fits || begins(&out, end, a, &ma)
		|| begins(&out, end, b, &mb));
	br_buf_release(&out);
}

static void take_altered(struct dice *dice) {
	struct bytes a = make_journal(dice, run_id);
	struct bytes b = make_journal(dice, "20260101T000000Z-00000002");
	promise(read_journal(a.p, a.n) != (size_t)-1);
	if (roll(dice, 2) != 0) {
		overwrite(dice, &a);
	} else {
		put_together(dice, &a, &b);
	}
	free(a.p);
	free(b.p);
}

static void take_edited(struct dice *dice) {
	struct bytes b = make_journal(dice, run_id);
	edit(dice, &b);
	promise(read_journal(b.p, b.n) == b.n);
	free(b.p);
}

// ---- Undone ----

static void undo(bool dry) {
	struct br_arena arena = {0};
	struct br_undo_result result;
	struct br_run run;
	struct br_apply_options options = {
		.state = {.path = ground.state}, .jail = BR_JAIL_NONE, .threads = 1};
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	promise(dx != NULL);
	int r = br_undo(&arena, run_id, dry, &options, &run, &result, dx);
	promise((r < 0) == (br_diags_errors(dx) > 0));
	br_diags_free(dx);
	br_places_free(places);
	br_arena_release(&arena);
}

static void take_undone(struct dice *dice) {
	char outside[256];
	struct stat now;
	bool dry = roll(dice, 2) != 0;
	renew_tree();
	int fd = open(ground.journal, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	promise(fd >= 0);
	write_journal(dice, fd, run_id, !dry);
	struct bytes b = read_all(fd);
	if (roll(dice, 2) != 0) {
		edit(dice, &b);
	}
	promise(pwrite(fd, b.p, b.n, 0) == (ssize_t)b.n && close(fd) == 0);
	free(b.p);
	undo(dry);
	if (roll(dice, 4) == 0) {
		undo(dry);
	}
	promise(snprintf(outside, sizeof(outside), "%s/outside", ground.top) > 0);
	promise(lstat(outside, &now) == 0 && now.st_ctim.tv_sec == ground.outside.st_ctim.tv_sec
		&& now.st_ctim.tv_nsec == ground.outside.st_ctim.tv_nsec);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct dice dice = {bytes + 1, n > 0 ? n - 1 : 0};
	if (!ground.made) {
		make_ground();
		renew_tree();
	}
	switch (n > 0 ? bytes[0] % 4 : 0) {
	case 1:
		take_altered(&dice);
		break;
	case 2:
		take_edited(&dice);
		break;
	case 3:
		take_undone(&dice);
		break;
	default:
		(void)read_journal(n > 1 ? (const char *)bytes + 1 : "", n > 1 ? n - 1 : 0);
		break;
	}
	return 0;
}
