#include <base/own.h>
#include <bindright/source.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <support/applied.h>
#include <support/fault.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

// ---- Building ----

static void must(int r, const char *what) {
	if (r < 0) {
		fail_msg("%s: %s", what, strerror(errno));
	}
}

enum br_jail jail_wanted(void) {
	const char *text = getenv("BR_JAIL");
#ifndef BR_SANITIZED
	const char *usual = geteuid() == 0 ? "try" : "none";
#else
	const char *usual = "none";
#endif
	text = text != NULL ? text : usual;
	return strcmp(text, "none") == 0   ? BR_JAIL_NONE
		: strcmp(text, "try") == 0 ? BR_JAIL_TRY
					   : BR_JAIL_REQUIRE;
}

void ground_make(struct ground *g) {
	const char *tmp = getenv("TMPDIR");
	memset(g, 0, sizeof(*g));
	g->jail = getenv("BR_JAIL") != NULL ? jail_wanted() : BR_JAIL_NONE;
	g->recall = getenv("BR_RECALL") != NULL;
	snprintf(g->top, sizeof(g->top), "%s/bindright-apply-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(g->top));
	must(chmod(g->top, 0755), "chmod");
	snprintf(g->tree, sizeof(g->tree), "%s/tree", g->top);
	snprintf(g->state, sizeof(g->state), "%s/state", g->top);
	must(mkdir(g->tree, 0755), "mkdir");
	if (geteuid() == 0) {
		must(chown(g->tree, HOST_ID, HOST_ID), "chown");
	}
	g->decide = decide_owner;
}

void ground_make_at(struct ground *g, bool in_memory) {
	br_auto(br_freep) char *old = NULL;
	const char *tmp = getenv("TMPDIR");
	if (tmp != NULL) {
		old = strdup(tmp);
	}
	if (in_memory && access("/dev/shm", W_OK) == 0) {
		must(setenv("TMPDIR", "/dev/shm", 1), "setenv");
	}
	ground_make(g);
	if (old != NULL) {
		must(setenv("TMPDIR", old, 1), "setenv");
	} else {
		must(unsetenv("TMPDIR"), "unsetenv");
	}
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
	(void)st;
	(void)type;
	(void)ftw;
	(void)remove(path);
	return 0;
}

void ground_remove(struct ground *g) {
	br_arena_release(&g->arena);
	(void)nftw(g->top, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

static void le(unsigned char *at, uint32_t v, unsigned n) {
	for (unsigned i = 0; i < n; i++) {
		at[i] = (unsigned char)(v >> (8 * i));
	}
}

// Layout: include/uapi/linux/posix_acl_xattr.h.
size_t acl_blob(unsigned mode, uint32_t id, unsigned perm, unsigned char out[64]) {
	const struct {
		unsigned tag, perm;
		uint32_t id;
	} entries[] = {
		{0x01, mode >> 6 & 7, UINT32_MAX},
		{0x02, perm, id},
		{0x04, mode >> 3 & 7, UINT32_MAX},
		{0x10, (mode >> 3 & 7) | perm, UINT32_MAX},
		{0x20, mode & 7, UINT32_MAX},
	};
	le(out, 2, 4);
	for (size_t i = 0; i < 5; i++) {
		le(out + 4 + 8 * i, entries[i].tag, 2);
		le(out + 6 + 8 * i, entries[i].perm, 2);
		le(out + 8 + 8 * i, entries[i].id, 4);
	}
	return 44;
}

static void set_acl(const char *path, const char *which, uint32_t id, unsigned perm) {
	unsigned char blob[64];
	struct stat st;
	must(lstat(path, &st), path);
	size_t n = acl_blob(st.st_mode, id, perm, blob);
	must(lsetxattr(path, which, blob, n, 0), "setxattr");
}

static void add_file(const char *path, unsigned mode, uint32_t uid, uint32_t gid) {
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	must(fd, path);
	close(fd);
	if (geteuid() == 0) {
		must(lchown(path, uid, gid), "chown");
	}
	must(chmod(path, mode), "chmod");
}

static void add_dir(const char *path, unsigned mode, uint32_t uid, uint32_t gid) {
	must(mkdir(path, 0700), path);
	if (geteuid() == 0) {
		must(lchown(path, uid, gid), "chown");
	}
	must(chmod(path, mode), "chmod");
}

static void add_socket(const char *path) {
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(at.sun_path)) {
		return;
	}
	strcpy(at.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(fd, "socket");
	must(bind(fd, (struct sockaddr *)&at, sizeof(at)), "bind");
	close(fd);
}

static const char *at(const struct ground *g, const char *name) {
	static char path[4][600];
	static int turn;
	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", g->tree, name);
	return path[turn];
}

static void add_specials(const struct ground *g) {
	static const unsigned char caps[20] = {1, 0, 0, 2, 0, 4};
	const uint32_t h = HOST_ID;
	bool root = geteuid() == 0;
	add_file(at(g, "setuid"), 04755, h, h);
	add_file(at(g, "setgid"), 02755, h, h);
	add_file(at(g, "locking"), 02644, h, h);
	add_file(at(g, "acl"), 0640, h, h);
	set_acl(at(g, "acl"), "system.posix_acl_access", OTHER_ID, 6);
	add_file(at(g, "empty mask"), 0604, h, h);
	set_acl(at(g, "empty mask"), "system.posix_acl_access", OTHER_ID, 0);
	add_file(at(g, "line\nbreak \xff\\"), 0600, h, h);
	add_file(at(g, "roots"), 0644, 0, 0);
	if (root) {
		add_file(at(g, "caps"), 0755, h, h);
		must(lsetxattr(at(g, "caps"), "security.capability", caps, 20, 0), "caps");
	}
	add_dir(at(g, "acl dir"), 0750, h, h);
	set_acl(at(g, "acl dir"), "system.posix_acl_access", OTHER_ID, 5);
	set_acl(at(g, "acl dir"), "system.posix_acl_default", OTHER_ID, 7);
	add_file(at(g, "acl dir/inherits"), 0600, h, h);
	add_dir(at(g, "setgid dir"), 02770, h, OTHER_ID);
	add_file(at(g, "setgid dir/f"), 0660, h, OTHER_ID);
	add_dir(at(g, "sticky"), 01777, 0, 0);
	add_file(at(g, "sticky/a"), 0600, h, h);
	must(link(at(g, "acl"), at(g, "sticky/second name")), "link");
	must(symlink("../../outside", at(g, "sticky/link")), "symlink");
	if (root) {
		must(lchown(at(g, "sticky/link"), h, h), "lchown");
	}
	must(mkfifo(at(g, "fifo"), 0600), "mkfifo");
	add_socket(at(g, "socket"));
}

void ground_fill(const struct ground *g, int n) {
	char name[64];
	add_specials(g);
	for (int i = 0; i < n; i++) {
		if (i % 10 == 0) {
			snprintf(name, sizeof(name), "d%d", i / 10);
			add_dir(at(g, name), i % 20 ? 0755 : 0700, HOST_ID, HOST_ID);
		}
		snprintf(name, sizeof(name), "d%d/f%d", i / 10, i);
		add_file(at(g, name), i % 3 ? 0644 : 0600, HOST_ID, HOST_ID);
	}
}

// ---- Looking ----

static void see_attribute(struct br_buf *out, const char *path, const char *name) {
	unsigned char value[4096];
	ssize_t n = lgetxattr(path, name, value, sizeof(value));
	br_buf_addf(out, " %s=", name);
	for (ssize_t i = 0; i < n; i++) {
		br_buf_addf(out, "%02x", value[i]);
	}
}

static void see(struct br_buf *out, const char *path) {
	struct stat st;
	must(lstat(path, &st), path);
	unsigned links = S_ISDIR(st.st_mode) ? 0 : (unsigned)st.st_nlink;
	br_buf_addf(out, "%s %llu %o %u:%u %u %lld", path, (unsigned long long)st.st_ino,
		st.st_mode, st.st_uid, st.st_gid, links,
		S_ISDIR(st.st_mode) ? 0LL : (long long)st.st_size);
	see_attribute(out, path, "system.posix_acl_access");
	see_attribute(out, path, "system.posix_acl_default");
	see_attribute(out, path, "security.capability");
	br_buf_addc(out, '\n');
	if (!S_ISDIR(st.st_mode)) {
		return;
	}
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, alphasort);
	must(n, path);
	for (int i = 0; i < n; i++) {
		if (strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0) {
			char below[4096];
			snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name);
			see(out, below);
		}
		free(names[i]);
	}
	free(names);
}

char *snapshot(const char *path) {
	struct br_buf out = {0};
	see(&out, path);
	return br_buf_take(&out);
}

void assert_snapshot(const char *path, const char *before) {
	char *now = snapshot(path);
	if (strcmp(now, before) != 0) {
		size_t i = 0;
		while (now[i] == before[i]) {
			i++;
		}
		while (i > 0 && now[i - 1] != '\n') {
			i--;
		}
		fail_msg("it was\n%.*s\nand is\n%.*s", (int)strcspn(before + i, "\n"), before + i,
			(int)strcspn(now + i, "\n"), now + i);
	}
	free(now);
}

// ---- Running ----

static void collect(struct ground *g, struct br_diags *dx) {
	size_t n = 0;
	g->said[0] = '\0';
	for (size_t i = 0; i < br_diags_count(dx) && n < sizeof(g->said) - 1; i++) {
		const struct br_diag *d = br_diags_get(dx, i);
		n += (size_t)snprintf(g->said + n, sizeof(g->said) - n, "%s%s%s\n", d->message,
			d->hint != NULL ? " / " : "", d->hint != NULL ? d->hint : "");
	}
}

static struct br_apply_options options_of(struct ground *g) {
	return (struct br_apply_options){
		.state = {.path = g->state},
		.jail = g->jail,
		.input = "compose.yaml",
		.invoker = "alice",
		.stop = g->use_stop ? &g->stop : NULL,
		.threads = g->threads > 0 ? g->threads : 1,
	};
}

/** For whoever traces: here begins what is tested, and there it ends. */
static void mark(void) {
	(void)sched_yield();
}

bool ground_can_recall(const struct ground *g) {
	struct br_inode then;
	struct br_inode now;
	struct br_time quiet = br_inode_quiet();
	br_auto(br_closep) int fd = open(g->tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && br_inode_stat(fd, "", &then) == 0 && br_inode_stat(fd, "", &now) == 0
		&& br_inode_untouched(fd, &then, &now, quiet);
}

/** All that is in the tree, as a plan would see it that could change everything. */
static struct br_seen *see_all(int fd, struct br_acls *acls) {
	const struct br_scan_options options = {
		.threads = 1, .depth = UINT_MAX, .want = BR_HAVE_ALL};
	struct br_seen *seen = br_seen_new(1 << 20);
	struct br_scan *scan = br_scan_new(fd, acls, &options);
	const struct br_entry *entry;
	assert_non_null(seen);
	assert_non_null(scan);
	while (br_scan_next(scan, &entry) > 0) {
		br_seen_add(seen, entry, true);
	}
	br_scan_free(scan);
	return seen;
}

int ground_apply(struct ground *g) {
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_acls *acls = br_acls_new();
	struct br_apply_options options = options_of(g);
	struct br_source source;
	assert_int_equal(br_source_open(&g->arena, g->tree, geteuid(), &source), 0);
	struct br_tree tree = {.root = &source, .path = source.real};
	const struct br_tree *trees[] = {&tree};
	struct br_make makes[8];
	assert_true(g->nmakes <= 8);
	for (size_t i = 0; i < g->nmakes; i++) {
		makes[i] = g->makes[i];
		makes[i].tree = &tree;
		makes[i].root = &source;
	}
	struct br_job job = {
		.options = &options,
		.acls = acls,
		.trees = trees,
		.ntrees = g->decide != NULL,
		.makes = makes,
		.nmakes = g->nmakes,
		.accounts = g->accounts,
		.naccounts = g->naccounts,
		.changes = 100,
		.privileged = true,
		.decide = g->decide,
		.context = g->context != NULL ? g->context : acls,
		.seen = g->recall ? see_all(source.fd, acls) : NULL,
	};
	mark();
	(g->fault_for_good ? fault_from : fault_at)(g->fault_at);
	int r = br_apply_job(&g->arena, &job, &g->applied, dx);
	g->fault_hit = fault_hit();
	mark();
	fault_at(0);
	collect(g, dx);
	g->recalled += g->applied.recalled;
	br_seen_free((struct br_seen *)(uintptr_t)job.seen);
	br_source_release(&source);
	br_acls_free(acls);
	br_diags_free(dx);
	br_places_free(places);
	return r;
}

int ground_undo(struct ground *g, const char *id, bool dry) {
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_apply_options options = options_of(g);
	mark();
	(g->fault_for_good ? fault_from : fault_at)(g->fault_at);
	int r = br_undo(&g->arena, id, dry, &options, &g->run, &g->undone, dx);
	g->fault_hit = fault_hit();
	mark();
	fault_at(0);
	collect(g, dx);
	br_diags_free(dx);
	br_places_free(places);
	return r;
}

static const char *newest_run(struct ground *g, struct br_diags *dx) {
	struct br_state_dir dir = {.path = g->state};
	const struct br_run *runs;
	size_t n;
	return br_history(&g->arena, &dir, &runs, &n, dx) == 0 && n > 0 ? runs[0].id : NULL;
}

int ground_settle(struct ground *g) {
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_apply_options options = options_of(g);
	const char *id = newest_run(g, dx);
	g->undone = (struct br_undo_result){0};
	mark();
	(g->fault_for_good ? fault_from : fault_at)(g->fault_at);
	int r = id == NULL ? 0 : br_settle(&g->arena, id, false, &options, &g->run, &g->undone, dx);
	g->fault_hit = fault_hit();
	mark();
	fault_at(0);
	collect(g, dx);
	br_diags_free(dx);
	br_places_free(places);
	return r;
}

void ground_forget(struct ground *g) {
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_state_dir dir = {.path = g->state};
	assert_true(br_history_prune(&dir, -10, dx) >= 0);
	br_diags_free(dx);
	br_places_free(places);
	br_arena_release(&g->arena);
}

void ground_undo_wholly(struct ground *g, const char *before) {
	int r = ground_undo(g, NULL, false);
	if (r < 0 || g->undone.conflicts > 0 || g->undone.failed > 0) {
		fail_msg("%s: undo: %d, %llu conflicts (%s: %s), %s", g->doing, r,
			(unsigned long long)g->undone.conflicts,
			g->undone.nexamples > 0 ? g->undone.examples[0] : "",
			g->undone.nexamples > 0 ? g->undone.reasons[0] : "", g->said);
	}
	br_auto(br_freep) char *now = snapshot(g->tree);
	if (strcmp(now, before) != 0) {
		print_message("%s\n", g->doing);
	}
	assert_snapshot(g->tree, before);
	ground_forget(g);
}

int ground_state(struct ground *g) {
	struct br_places *places = br_places_new();
	struct br_diags *dx = br_diags_new(places);
	struct br_state_dir dir = {.path = g->state};
	const struct br_run *runs;
	size_t n;
	int r = br_history(&g->arena, &dir, &runs, &n, dx);
	collect(g, dx);
	int state = r < 0 || n == 0 ? -1 : (int)runs[0].state;
	br_diags_free(dx);
	br_places_free(places);
	return state;
}

// ---- Deciders ----

static bool is_left(const struct br_inode *in) {
	return (in->uid.v != HOST_ID && in->uid.v != 0) || S_ISSOCK(in->mode);
}

int decide_owner(void *context, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after) {
	(void)context;
	(void)tree;
	(void)path;
	if (is_left(inode)) {
		return 0;
	}
	*after = *inode;
	after->uid.v = after->gid.v = BOX_ID;
	after->caps = NULL;
	if (!S_ISDIR(inode->mode)) {
		after->mode &= ~(uint32_t)(S_ISUID | S_ISGID);
	}
	return 1;
}

static const struct br_acl *with_box(struct br_acls *acls, const struct br_inode *in) {
	unsigned m = in->mode;
	const struct br_acl_entry entries[] = {
		{BR_ACL_OWNER, (uint16_t)(m >> 6 & 7), {BR_NO_ID}},
		{BR_ACL_USER, 7, {BOX_ID}},
		{BR_ACL_OWNING_GROUP, (uint16_t)(m >> 3 & 7), {BR_NO_ID}},
		{BR_ACL_MASK, 7, {BR_NO_ID}},
		{BR_ACL_OTHER, (uint16_t)(m & 7), {BR_NO_ID}},
	};
	return br_acls_make(acls, entries, 5);
}

int decide_acl(void *context, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after) {
	(void)tree;
	(void)path;
	bool served = S_ISREG(inode->mode) || S_ISDIR(inode->mode);
	if (!served
		|| (inode->acl != NULL
			&& br_acl_find(inode->acl, BR_ACL_USER, (br_hostid){BOX_ID}) != NULL)) {
		return 0;
	}
	*after = *inode;
	after->acl = with_box(context, inode);
	after->mode |= 0070;
	return after->acl != NULL ? 1 : -1;
}

int decide_mixed(void *context, const struct br_tree *tree, const char *path,
	const struct br_inode *inode, struct br_inode *after) {
	if (decide_owner(context, tree, path, inode, after) == 0) {
		return 0;
	}
	if (S_ISDIR(inode->mode)) {
		after->def = inode->def != NULL ? NULL : with_box(context, inode);
		after->mode |= S_ISGID;
	}
	if (S_ISREG(inode->mode) || S_ISDIR(inode->mode)) {
		after->acl = inode->acl != NULL ? NULL : with_box(context, inode);
		after->mode |= 0070;
	}
	return (S_ISDIR(inode->mode) && inode->def == NULL && after->def == NULL) ? -1 : 1;
}
