/**
 * libFuzzer: what the process that scans for us writes, were it anybody's. The first byte chooses:
 * any bytes, or records that are well formed and say anything. What is told of them can be looked
 * at, whatever was told before.
 */
// The file itself, for what it keeps to itself.
#include <scan/watched.c>
#include <support/dice.h>
#include <support/promises.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum {
	/** Of what a pipe holds. */
	MOST = 32 << 10,
	RECORDS = 48,
};

static void roll_bytes(struct dice *dice, void *out, size_t n) {
	n = n < dice->n ? n : dice->n;
	memcpy(out, dice->p, n);
	dice->p += n;
	dice->n -= n;
}

/** The attributes of a record, at *at: ACLs that are right, or any bytes. */
static void add_attributes(struct dice *dice, struct br_acls *acls, struct wire *w, char **at) {
	const struct br_acl_entry entries[] = {
		{BR_ACL_OWNER, 7, {BR_NO_ID}},
		{BR_ACL_USER, 5, {roll(dice, 256)}},
		{BR_ACL_OWNING_GROUP, 5, {BR_NO_ID}},
		{BR_ACL_MASK, 5, {BR_NO_ID}},
		{BR_ACL_OTHER, 0, {BR_NO_ID}},
	};
	for (unsigned i = 0; i < ATTRIBUTES; i++) {
		unsigned kind = roll(dice, 4);
		const struct br_acl *acl = kind == 1 ? br_acls_make(acls, entries, 5) : NULL;
		w->attribute[i] = acl != NULL ? (uint32_t)br_acl_size(acl) : kind == 2 ? 20 : 0;
		if (acl != NULL) {
			br_acl_encode(acl, *at);
		} else {
			roll_bytes(dice, *at, w->attribute[i]);
		}
		*at += w->attribute[i];
	}
}

/** One record; its length. Directories are few, so that they are left twice, before what is in
 * them, or never. */
static size_t add_record(struct dice *dice, struct br_acls *acls, char *out) {
	static const uint32_t events[] = {BR_ENTER, BR_ENTER, BR_LEAVE, BR_LEAF, THE_END};
	static const char *const paths[] = {"", "a", "a/b", "a/b/c", "a/../..", "/etc", "\n"};
	struct wire w = {.event = events[roll(dice, 8) % 5]};
	char *at = out + sizeof(w);
	const char *path = paths[roll(dice, 7)];
	roll_bytes(dice, &w.inode, roll(dice, 4) == 3 ? sizeof(w.inode) : 0);
	w.err = roll(dice, 4) == 3 ? (int32_t)roll(dice, 256) : 0;
	w.depth = roll(dice, 8);
	w.id = roll(dice, 6);
	w.parent = roll(dice, 6);
	w.has_inode = roll(dice, 4);
	w.mount_point = roll(dice, 4);
	w.path_len = (uint32_t)strlen(path);
	at = stpcpy(at, path) + 1;
	add_attributes(dice, acls, &w, &at);
	while ((size_t)(at - out) % sizeof(uint64_t) != 0) {
		*at++ = '\0';
	}
	w.size = (uint32_t)(at - out);
	w.path_len += roll(dice, 32) == 31 ? roll(dice, 256) << 24 | roll(dice, 256) : 0;
	memcpy(out, &w, sizeof(w));
	return w.size;
}

static size_t read_inode(const struct br_inode *in) {
	size_t sum = in != NULL ? (size_t)in->mode : 0;
	sum += in != NULL && in->acl != NULL ? br_acl_size(in->acl) : 0;
	sum += in != NULL && in->def != NULL ? br_acl_size(in->def) : 0;
	return sum + (in != NULL && in->caps != NULL ? in->caps->bytes[in->caps->n - 1] : 0);
}

static void look(const struct br_entry *entry) {
	static volatile size_t seen;
	promise(entry->path != NULL && entry->name != NULL && entry->state != NULL);
	promise(entry->path[entry->path_len] == '\0' && strlen(entry->name) <= entry->path_len);
	seen += read_inode(entry->inode) + read_inode(entry->parent);
	*entry->state = seen;
}

static struct watched *watch(int fd, struct br_acls *acls, bool leave) {
	static atomic_ulong beat;
	struct watched *w = calloc(1, sizeof(*w));
	promise(w != NULL);
	w->acls = acls;
	w->leave = leave;
	w->fd = fd;
	w->beat = &beat;
	w->since = w->looked = now_ms();
	return w;
}

static void release(struct watched *w) {
	w->beat = NULL;
	br_watched_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	static char out[MOST + (16 << 10)];
	struct dice dice = {bytes, n};
	struct br_acls *acls = br_acls_new();
	int ends[2];
	size_t size = 0;
	unsigned choice = roll(&dice, 4);
	promise(acls != NULL && pipe2(ends, O_CLOEXEC) == 0);
	if (choice == 0) {
		size = dice.n < MOST ? dice.n : MOST;
		roll_bytes(&dice, out, size);
	}
	for (unsigned i = 0; choice != 0 && i < RECORDS && dice.n > 0 && size < MOST; i++) {
		size += add_record(&dice, acls, out + size);
	}
	promise(br_write_all(ends[1], out, size) == 0 && close(ends[1]) == 0);
	struct watched *w = watch(ends[0], acls, choice != 1);
	const struct br_entry *entry;
	while (br_watched_next(w, &entry) > 0) {
		look(entry);
	}
	// As where it stops: all that is entered is left.
	w->hung = choice == 3;
	w->ended = true;
	while (w->hung && br_watched_next(w, &entry) > 0) {
		look(entry);
	}
	release(w);
	br_acls_free(acls);
	return 0;
}
