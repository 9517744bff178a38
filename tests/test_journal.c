// The journal's format: what is written is read, and whatever was lost or altered is seen.

#include <base/file.h>
#include <base/own.h>

#include <apply/journal.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	MAX_FILE = 1 << 16,
	RECORDS = 9,
};

/** A file in memory and where its records end. */
struct sample {
	char bytes[MAX_FILE];
	size_t n;
	/** End of record i (1 is the first); [0]: of the file's head. */
	size_t end[RECORDS + 1];
	/** Whether the record belongs to the last batch. */
	bool last[RECORDS + 1];
};

static int memory_file(const void *bytes, size_t n) {
	int fd = memfd_create("journal", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(br_write_all(fd, bytes, n), 0);
	return fd;
}

static const struct br_acl *sample_acl(struct br_acls *acls) {
	static const struct br_acl_entry entries[] = {
		{BR_ACL_OWNER, 7, {BR_NO_ID}},
		{BR_ACL_USER, 5, {1001}},
		{BR_ACL_OWNING_GROUP, 5, {BR_NO_ID}},
		{BR_ACL_MASK, 5, {BR_NO_ID}},
		{BR_ACL_OTHER, 0, {BR_NO_ID}},
	};
	const struct br_acl *acl = br_acls_make(acls, entries, 5);
	assert_non_null(acl);
	return acl;
}

static struct br_record intent(struct br_acls *acls, const char *path) {
	static const unsigned char caps[20] = {1, 0, 0, 2, 0, 4};
	struct br_record r = {.type = BR_REC_INTENT, .target = 3, .path = br_bytes_of(path)};
	r.before = (struct br_inode){
		.dev = 0x1122334455667788,
		.ino = 0x8877665544332211,
		.btime = {-5, 999999999},
		.mode = S_IFDIR | 02750,
		.nlink = 7,
		.uid = {1000},
		.gid = {4294967294U},
		.have = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS,
		.def = sample_acl(acls),
	};
	r.after = r.before;
	r.after.uid.v = 1001;
	r.after.acl = sample_acl(acls);
	r.after.caps = br_acls_blob(acls, caps, sizeof(caps));
	assert_non_null(r.after.caps);
	r.extra = (struct br_bytes){"\0\1\2", 3};
	return r;
}

/** Three batches: BEGIN and TARGET; two INTENTs and MKDIR; three RESULTs and COMMIT. */
static void make_sample(struct sample *s, struct br_acls *acls, const char *id) {
	struct br_record records[RECORDS + 1] = {
		[1] = {.type = BR_REC_BEGIN,
			.path = br_bytes_of(id),
			.when = 1795000000,
			.uid = 1000,
			.fsid = 77,
			.name = br_bytes_of("compose.yaml"),
			.text = br_bytes_of("alice")},
		[2] = {.type = BR_REC_TARGET,
			.path = br_bytes_of("/srv/a b\n"),
			.name = br_bytes_of("ext4"),
			.fsid = 5},
		[3] = intent(acls, ""),
		[4] = intent(acls, "a/\xff\n/b"),
		[5] = {.type = BR_REC_MKDIR,
			.path = br_bytes_of("x/y"),
			.name = br_bytes_of(".tmp"),
			.after = {.mode = S_IFDIR | 0755}},
		[6] = {.type = BR_REC_RESULT, .of = 4, .err = EPERM, .touched = 1},
		[7] = {.type = BR_REC_RESULT, .of = 3, .err = ENOSPC},
		[8] = {.type = BR_REC_RESULT, .of = 5, .err = EIO},
		[9] = {.type = BR_REC_COMMIT, .when = 1795000001, .changes = 2, .makes = 1},
	};
	br_auto(br_closep) int fd = memory_file("", 0);
	struct br_journal j;
	br_journal_init(&j, fd, acls);
	s->end[0] = 12;
	for (size_t i = 1; i <= RECORDS; i++) {
		assert_int_equal(br_journal_add(&j, &records[i]), 0);
		assert_int_equal(records[i].seq, i);
		s->end[i] = (size_t)j.end + j.out.n;
		s->last[i] = i >= 6;
		if (i == 2 || i == 5 || i == RECORDS) {
			assert_int_equal(br_journal_sync(&j), 0);
		}
	}
	s->n = (size_t)j.end;
	assert_true(s->n <= sizeof(s->bytes));
	assert_int_equal(pread(fd, s->bytes, s->n, 0), s->n);
	br_journal_release(&j);
}

/** How many records the file has: read forwards and backwards. -1: refused, with errno. */
static int count(const void *bytes, size_t n) {
	br_auto(br_closep) int fd = memory_file(bytes, n);
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	struct br_journal j;
	struct br_record r;
	int forwards = 0;
	int backwards = 0;
	int got;
	if (br_journal_open(&j, fd, acls) < 0) {
		return -1;
	}
	while ((got = br_journal_next(&j, &r)) > 0) {
		forwards++;
		assert_int_equal(r.seq, forwards);
	}
	if (got == 0) {
		br_journal_to_end(&j);
		while ((got = br_journal_prev(&j, &r)) > 0) {
			assert_int_equal(r.seq, forwards - backwards);
			backwards++;
		}
		assert_int_equal(forwards, backwards);
	}
	int err = errno;
	br_journal_release(&j);
	errno = err;
	return got < 0 ? -1 : forwards;
}

static void assert_same_bytes(struct br_bytes a, struct br_bytes b) {
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.p, b.p, a.n);
}

static void assert_same_inode(const struct br_inode *a, const struct br_inode *b) {
	assert_true(a->dev == b->dev && a->ino == b->ino);
	assert_true(a->btime.sec == b->btime.sec && a->btime.nsec == b->btime.nsec);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->nlink, b->nlink);
	assert_int_equal(a->uid.v, b->uid.v);
	assert_int_equal(a->gid.v, b->gid.v);
	assert_int_equal(a->have, b->have);
	assert_ptr_equal(a->acl, b->acl);
	assert_ptr_equal(a->def, b->def);
	assert_ptr_equal(a->caps, b->caps);
}

static void test_round_trip(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	static struct sample s;
	make_sample(&s, acls, "20261122T004200Z-0123abcd");
	br_auto(br_closep) int fd = memory_file(s.bytes, s.n);
	struct br_journal j;
	struct br_record r;
	assert_int_equal(br_journal_open(&j, fd, acls), 0);
	assert_int_equal(br_journal_next(&j, &r), 1);
	assert_int_equal(r.type, BR_REC_BEGIN);
	assert_same_bytes(r.path, br_bytes_of("20261122T004200Z-0123abcd"));
	assert_same_bytes(r.name, br_bytes_of("compose.yaml"));
	assert_same_bytes(r.text, br_bytes_of("alice"));
	assert_int_equal(r.when, 1795000000);
	assert_int_equal(r.uid, 1000);
	assert_int_equal(br_journal_next(&j, &r), 1);
	assert_same_bytes(r.path, br_bytes_of("/srv/a b\n"));
	assert_int_equal(br_journal_next(&j, &r), 1);
	assert_int_equal(br_journal_next(&j, &r), 1);
	struct br_record want = intent(acls, "a/\xff\n/b");
	assert_int_equal(r.type, BR_REC_INTENT);
	assert_int_equal(r.seq, 4);
	assert_int_equal(r.target, 3);
	assert_same_bytes(r.path, want.path);
	assert_same_bytes(r.extra, want.extra);
	assert_same_inode(&r.before, &want.before);
	assert_same_inode(&r.after, &want.after);
	br_journal_to_end(&j);
	assert_int_equal(br_journal_prev(&j, &r), 1);
	assert_int_equal(r.type, BR_REC_COMMIT);
	assert_int_equal(r.changes, 2);
	assert_int_equal(br_journal_prev(&j, &r), 1);
	assert_int_equal(br_journal_prev(&j, &r), 1);
	assert_int_equal(r.of, 3);
	assert_int_equal(r.err, ENOSPC);
	br_journal_release(&j);
	assert_int_equal(count(s.bytes, s.n), RECORDS);
}

/** The bytes on disk, written out by hand from the format, the crc computed bit by bit. */
static uint32_t slow_crc(uint32_t crc, const unsigned char *p, size_t n) {
	crc = ~crc;
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
		}
	}
	return ~crc;
}

static void put_crc(unsigned char *at, uint32_t crc) {
	for (int i = 0; i < 4; i++) {
		at[i] = (unsigned char)(crc >> (8 * i));
	}
}

static void test_bytes(void **state) {
	(void)state;
	unsigned char want[12 + 36] = {'B', 'R', 'J', '1', 1, 0, 0, 0, 0, 0, 0, 0, 36, 0, 0, 0, 12,
		0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x22, 0x11, 0, 0, 0, 0, 0, 0, 36, 0, 0,
		0};
	put_crc(want + 8, slow_crc(0, want, 8));
	uint32_t seed = slow_crc(0, want, 8);
	put_crc(want + 44, slow_crc(seed, want + 12, 32));
	br_auto(br_closep) int fd = memory_file("", 0);
	struct br_journal j;
	struct br_record r = {.type = BR_REC_UNDONE, .of = 0x1122};
	char got[64];
	br_journal_init(&j, fd, NULL);
	assert_int_equal(br_journal_add(&j, &r), 0);
	assert_int_equal(br_journal_sync(&j), 0);
	assert_int_equal(pread(fd, got, sizeof(got), 0), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	br_journal_release(&j);
}

static void test_what_was_planned(void **state) {
	(void)state;
	br_auto(br_closep) int fd = memory_file("", 0);
	struct br_journal j;
	struct br_record r = {.type = BR_REC_PLAN,
		.text = br_bytes_of("0123456789abcdef"),
		.name = br_bytes_of("9.8.7"),
		.privileged = 1};
	br_journal_init(&j, fd, NULL);
	assert_int_equal(br_journal_add(&j, &r), 0);
	assert_int_equal(br_journal_sync(&j), 0);
	br_journal_release(&j);
	assert_int_equal(br_journal_open(&j, fd, NULL), 0);
	assert_int_equal(br_journal_next(&j, &r), 1);
	assert_int_equal(r.type, BR_REC_PLAN);
	assert_same_bytes(r.text, br_bytes_of("0123456789abcdef"));
	assert_same_bytes(r.name, br_bytes_of("9.8.7"));
	assert_int_equal(r.privileged, 1);
	assert_int_equal(br_journal_next(&j, &r), 0);
	br_journal_release(&j);
}

static int whole_records(const struct sample *s, size_t n) {
	int whole = 0;
	for (size_t i = 1; i <= RECORDS && s->end[i] <= n; i++) {
		whole = (int)i;
	}
	return whole;
}

static void test_torn_at_every_byte(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	static struct sample s;
	static char padded[MAX_FILE];
	make_sample(&s, acls, "20261122T004200Z-0123abcd");
	for (size_t n = 0; n <= s.n; n++) {
		assert_int_equal(count(s.bytes, n), whole_records(&s, n));
		// Room that was reserved and never written.
		memset(padded, 0, sizeof(padded));
		memcpy(padded, s.bytes, n);
		int got = count(padded, s.n + 1000);
		// A record may end in zeros of its own.
		assert_true(got >= whole_records(&s, n) && got <= whole_records(&s, n) + 1);
	}
}

static void test_flipped_at_every_byte(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	static struct sample s;
	static const unsigned char flips[] = {0x01, 0x80, 0xff};
	make_sample(&s, acls, "20261122T004200Z-0123abcd");
	for (size_t at = 0; at < s.n; at++) {
		for (size_t k = 0; k < sizeof(flips); k++) {
			s.bytes[at] = (char)(s.bytes[at] ^ flips[k]);
			size_t record = 1;
			while (s.end[record] <= at) {
				record++;
			}
			errno = 0;
			int got = count(s.bytes, s.n);
			if (at >= s.end[0] && s.last[record]) {
				// As a torn end: nothing of the last batch was acted upon.
				assert_int_equal(got, record - 1);
			} else {
				assert_int_equal(got, -1);
				assert_int_equal(errno, EBADMSG);
			}
			s.bytes[at] = (char)(s.bytes[at] ^ flips[k]);
		}
	}
}

/** Build another file from stretches [from, to) of records. */
struct piece {
	int from, to;
	bool other;
};

/** Make every record's crc fit again, as only its writer could. */
static void seal(struct sample *s) {
	uint32_t crc = br_crc32c(0, s->bytes, s->end[0] - 4);
	for (size_t i = 1; i <= RECORDS; i++) {
		size_t n = s->end[i] - s->end[i - 1];
		crc = br_crc32c(crc, s->bytes + s->end[i - 1], n - 4);
		for (unsigned k = 0; k < 4; k++) {
			s->bytes[s->end[i] - 4 + k] = (char)(crc >> (8 * k));
		}
	}
}

/** What the reader takes must be right in itself, whatever it is. */
static void read_all(const struct sample *s, bool *refused) {
	br_auto(br_closep) int fd = memory_file(s->bytes, s->n);
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	struct br_journal j;
	struct br_record r;
	int got;
	if (br_journal_open(&j, fd, acls) < 0) {
		assert_int_equal(errno, EBADMSG);
		*refused = true;
		return;
	}
	for (int backwards = 0; backwards <= 1; backwards++) {
		if (backwards) {
			br_journal_to_end(&j);
		}
		while ((got = backwards ? br_journal_prev(&j, &r) : br_journal_next(&j, &r)) > 0) {
			assert_true(r.path.n <= s->n && r.name.n <= s->n && r.text.n <= s->n
				&& r.extra.n <= s->n);
			if (r.type == BR_REC_INTENT) {
				assert_int_equal(r.before.mode & S_IFMT, r.after.mode & S_IFMT);
			}
		}
		assert_true(got == 0 || errno == EBADMSG);
		*refused = *refused || got < 0;
	}
	br_journal_release(&j);
}

// With a chain that fits, nonsense in a record is refused all the same, and never read past its end.
static void test_sealed_nonsense(void **state) {
	(void)state;
	static struct sample s;
	static struct sample other;
	static const unsigned char values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	bool refused = false;
	int n = 0;
	make_sample(&s, acls, "id");
	other = s;
	seal(&other);
	assert_memory_equal(other.bytes, s.bytes, s.n);
	read_all(&other, &refused);
	assert_false(refused);
	for (size_t at = s.end[0]; at < s.n; at++) {
		for (size_t i = 0; i < sizeof(values); i++) {
			other = s;
			other.bytes[at] = (char)values[i];
			seal(&other);
			refused = false;
			read_all(&other, &refused);
			n += refused;
		}
	}
	print_message("%d of %zu refused\n", n, (s.n - s.end[0]) * sizeof(values));
	assert_true(n > 100);
	// An object of another type afterwards: behind its mode stand two numbers, two ACLs and the
	// capabilities.
	other = s;
	other.bytes[s.end[3] - 8 - 3 * 4 - 20 - 2 * 44 - 12 + 1] ^= (char)(S_IFDIR >> 8);
	seal(&other);
	refused = false;
	read_all(&other, &refused);
	assert_true(refused);
}

static void test_splices(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	static struct sample a;
	static struct sample b;
	static const struct {
		const char *name;
		struct piece pieces[4];
		int want;
	} cases[] = {
		{"unaltered", {{1, 9, false}}, 9},
		{"one lost", {{1, 2, false}, {4, 9, false}}, -1},
		{"two exchanged", {{1, 2, false}, {4, 4, false}, {3, 3, false}, {5, 9, false}}, -1},
		{"one twice", {{1, 3, false}, {3, 9, false}}, -1},
		{"a batch lost", {{1, 2, false}, {6, 9, false}}, -1},
		{"a record of another run", {{1, 3, false}, {4, 4, true}, {5, 9, false}}, -1},
		{"the end of another run", {{1, 5, false}, {6, 9, true}}, 5},
		{"all but the head of another run", {{1, 2, false}, {3, 9, true}}, -1},
		{"only its first batch", {{1, 2, false}}, 2},
	};
	make_sample(&a, acls, "20261122T004200Z-0123abcd");
	make_sample(&b, acls, "20261122T004200Z-0123abce");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct br_buf out = {0};
		br_buf_addn(&out, a.bytes, a.end[0]);
		for (size_t k = 0; k < 4 && cases[i].pieces[k].from > 0; k++) {
			const struct piece *p = &cases[i].pieces[k];
			const struct sample *s = p->other ? &b : &a;
			size_t from = s->end[p->from - 1];
			br_buf_addn(&out, s->bytes + from, s->end[p->to] - from);
		}
		int got = count(out.s, out.n);
		if (got != cases[i].want) {
			fail_msg("%s: %d instead of %d", cases[i].name, got, cases[i].want);
		}
		br_buf_release(&out);
	}
}

// A power cut may bring the later pages of a batch to the disk and not the earlier ones.
static void test_last_batch_with_holes(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	static struct sample s;
	make_sample(&s, acls, "20261122T004200Z-0123abcd");
	memset(s.bytes + s.end[5], 0, s.end[6] - s.end[5]);
	assert_int_equal(count(s.bytes, s.n), 5);
	// The same in the batch before is damage: that one was acted upon.
	make_sample(&s, acls, "20261122T004200Z-0123abcd");
	memset(s.bytes + s.end[2], 0, s.end[3] - s.end[2]);
	assert_int_equal(count(s.bytes, s.n), -1);
	// The very first batch, head and all: nothing came after it, so it was never acted upon.
	make_sample(&s, acls, "20261122T004200Z-0123abcd");
	memset(s.bytes, 0, s.end[1]);
	assert_int_equal(count(s.bytes, s.end[2]), 0);
}

static void test_goes_on_after_a_torn_end(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	static struct sample s;
	make_sample(&s, acls, "20261122T004200Z-0123abcd");
	for (size_t cut = s.end[5]; cut < s.n; cut++) {
		br_auto(br_closep) int fd = memory_file(s.bytes, cut);
		struct br_journal j;
		struct br_record r = {.type = BR_REC_UNDO_BEGIN, .when = 1};
		int whole = whole_records(&s, cut);
		assert_int_equal(br_journal_open(&j, fd, acls), 0);
		assert_int_equal(br_journal_trim(&j), 0);
		assert_int_equal(br_journal_add(&j, &r), 0);
		assert_int_equal(r.seq, whole + 1);
		assert_int_equal(br_journal_sync(&j), 0);
		br_journal_to_end(&j);
		assert_int_equal(br_journal_prev(&j, &r), 1);
		assert_int_equal(r.type, BR_REC_UNDO_BEGIN);
		assert_int_equal(br_journal_prev(&j, &r), 1);
		assert_int_equal(r.seq, whole);
		br_journal_release(&j);
		char all[4096];
		ssize_t n = pread(fd, all, sizeof(all), 0);
		assert_true(n > 0 && n < (ssize_t)sizeof(all));
		assert_int_equal(count(all, (size_t)n), whole + 1);
	}
}

static void test_another_version(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	static struct sample s;
	make_sample(&s, acls, "20261122T004200Z-0123abcd");
	s.bytes[4] = 2;
	put_crc((unsigned char *)s.bytes + 8, slow_crc(0, (unsigned char *)s.bytes, 8));
	assert_int_equal(count(s.bytes, s.n), -1);
	assert_int_equal(errno, ENOTSUP);
}

static void test_glance(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	static struct sample s;
	struct br_journal j;
	struct br_record r;
	make_sample(&s, acls, "20261122T004200Z-0123abcd");
	br_auto(br_closep) int whole = memory_file(s.bytes, s.n);
	assert_int_equal(br_journal_glance(&j, whole, acls, &r), 1);
	assert_int_equal(r.type, BR_REC_COMMIT);
	assert_int_equal(br_journal_next(&j, &r), 1);
	assert_int_equal(r.type, BR_REC_BEGIN);
	br_journal_release(&j);
	br_auto(br_closep) int torn = memory_file(s.bytes, s.n - 1);
	assert_int_equal(br_journal_glance(&j, torn, acls, &r), 0);
	br_journal_release(&j);
	br_auto(br_closep) int empty = memory_file("", 0);
	assert_int_equal(br_journal_glance(&j, empty, acls, &r), 0);
	br_journal_release(&j);
}

// Long enough that reading has to move its window, in both directions, with records across its edges.
static void test_long(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	br_auto(br_closep) int fd = memory_file("", 0);
	struct br_journal j;
	char path[4097];
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	br_journal_init(&j, fd, acls);
	enum {
		MANY = 2000
	};
	for (size_t i = 1; i <= MANY; i++) {
		struct br_record r = intent(acls, path + i % 4096);
		assert_int_equal(br_journal_add(&j, &r), 0);
		if (i % 64 == 0) {
			assert_int_equal(br_journal_sync(&j), 0);
		}
	}
	assert_int_equal(br_journal_sync(&j), 0);
	br_journal_release(&j);
	struct br_record r;
	assert_int_equal(br_journal_open(&j, fd, acls), 0);
	for (size_t i = 1; i <= MANY; i++) {
		assert_int_equal(br_journal_next(&j, &r), 1);
		assert_int_equal(r.path.n, 4096 - i % 4096);
	}
	assert_int_equal(br_journal_next(&j, &r), 0);
	br_journal_to_end(&j);
	for (size_t i = MANY; i >= 1; i--) {
		assert_int_equal(br_journal_prev(&j, &r), 1);
		assert_int_equal(r.seq, i);
		assert_int_equal(r.path.n, 4096 - i % 4096);
	}
	assert_int_equal(br_journal_prev(&j, &r), 0);
	br_journal_release(&j);
}

static void test_too_long_a_record(void **state) {
	(void)state;
	br_auto(br_closep) int fd = memory_file("", 0);
	struct br_journal j;
	char *path = calloc(1, (2 << 20) + 1);
	assert_non_null(path);
	memset(path, 'p', 2 << 20);
	struct br_record r = {.type = BR_REC_MKDIR, .path = br_bytes_of(path)};
	br_journal_init(&j, fd, NULL);
	assert_int_equal(br_journal_add(&j, &r), -1);
	assert_int_equal(errno, EOVERFLOW);
	br_journal_release(&j);
	free(path);
}

// Whatever the bytes: an answer, never a crash, and no record that does not belong.
static void test_noise(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	static struct sample s;
	static char noisy[MAX_FILE];
	uint32_t seed = 12345;
	make_sample(&s, acls, "20261122T004200Z-0123abcd");
	for (int i = 0; i < 3000; i++) {
		memcpy(noisy, s.bytes, s.n);
		size_t n = s.n;
		for (int k = 0; k < 1 + i % 5; k++) {
			seed = seed * 1664525 + 1013904223;
			noisy[(seed >> 8) % n] = (char)(seed >> 3);
		}
		int got = count(noisy, n - seed % 3);
		assert_true(got >= -1 && got <= RECORDS);
	}
}

static void write_once(int fd, struct br_acls *acls, int *ok) {
	struct br_journal j;
	struct br_record r = intent(acls, "a/b");
	br_journal_init(&j, fd, acls);
	*ok = br_journal_add(&j, &r) == 0 && br_journal_sync(&j) == 0;
	assert_true(*ok || errno == ENOMEM);
	br_journal_release(&j);
}

static void test_no_memory(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	br_auto(br_closep) int fd = memory_file("", 0);
	struct br_record keep = intent(acls, "interned");
	int ok = 0;
	(void)keep;
	FAULT_EACH(i, write_once(fd, acls, &ok));
	assert_true(ok);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size > 0);
}

/** Longer than what is read at once. */
static int long_file(struct br_acls *acls, size_t records) {
	static char path[4001];
	int fd = memory_file("", 0);
	struct br_journal j;
	memset(path, 'p', sizeof(path) - 1);
	br_journal_init(&j, fd, acls);
	for (size_t i = 0; i < records; i++) {
		struct br_record r = intent(acls, path);
		assert_int_equal(br_journal_add(&j, &r), 0);
		assert_int_equal(br_journal_sync(&j), 0);
	}
	br_journal_release(&j);
	return fd;
}

// Whoever cuts it while it is read: that is an error, and no shorter journal.
static void test_cut_while_it_is_read(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	br_auto(br_closep) int fd = long_file(acls, 300);
	struct br_journal j;
	struct br_record r;
	struct stat st;
	int got;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(br_journal_open(&j, fd, acls), 0);
	assert_int_equal(ftruncate(fd, st.st_size / 2), 0);
	do {
		got = br_journal_next(&j, &r);
	} while (got > 0);
	assert_int_equal(got, -1);
	assert_int_equal(errno, EIO);
	br_journal_to_end(&j);
	assert_int_equal(br_journal_prev(&j, &r), -1);
	assert_int_equal(errno, EIO);
	br_journal_release(&j);
}

static void test_cannot_be_read(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	br_auto(br_closep) int fd = long_file(acls, 3);
	char path[64];
	struct br_journal j;
	struct br_record r;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	br_auto(br_closep) int blind = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(blind >= 0);
	assert_int_equal(br_journal_open(&j, blind, acls), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(br_journal_glance(&j, blind, acls, &r), -1);
	assert_int_equal(errno, EBADF);
	br_journal_release(&j);
	assert_int_equal(br_journal_open(&j, -1, acls), -1);
	assert_int_equal(errno, EBADF);
}

/** All of it, there and back; 1, or 0 where memory ran out: nothing else may it seem to be. */
static int read_there_and_back(int fd) {
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	struct br_journal j = {0};
	struct br_record r;
	int got = acls != NULL ? br_journal_open(&j, fd, acls) : -1;
	unsigned n = 0;
	if (got == 0) {
		while ((got = br_journal_next(&j, &r)) > 0) {
			n++;
		}
	}
	assert_true(got < 0 || n == 3);
	if (got == 0) {
		br_journal_to_end(&j);
		while ((got = br_journal_prev(&j, &r)) > 0) {
			n++;
		}
		assert_true(got < 0 || n == 6);
	}
	assert_true(got == 0 || errno == ENOMEM);
	br_journal_release(&j);
	return got == 0;
}

static void test_no_memory_to_read(void **state) {
	(void)state;
	br_auto(br_acls_freep) struct br_acls *acls = br_acls_new();
	br_auto(br_closep) int fd = long_file(acls, 3);
	int ok = 0;
	unsigned tries = 0;
	FAULT_EACH(i, (ok = read_there_and_back(fd), tries = i));
	assert_true(ok && tries > 3);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_what_was_planned),
		cmocka_unit_test(test_torn_at_every_byte),
		cmocka_unit_test(test_flipped_at_every_byte),
		cmocka_unit_test(test_sealed_nonsense),
		cmocka_unit_test(test_splices),
		cmocka_unit_test(test_last_batch_with_holes),
		cmocka_unit_test(test_goes_on_after_a_torn_end),
		cmocka_unit_test(test_another_version),
		cmocka_unit_test(test_glance),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_too_long_a_record),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_cut_while_it_is_read),
		cmocka_unit_test(test_cannot_be_read),
		cmocka_unit_test(test_no_memory_to_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
