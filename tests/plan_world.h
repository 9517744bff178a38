/**
 * For the tests of plan/: a host with a few accounts, and one tree with demands on it.
 */
#ifndef BR_TESTS_PLAN_WORLD_H
#define BR_TESTS_PLAN_WORLD_H

#include <base/mem.h>
#include <bindright/plan.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/acl_words.h>
#include <support/fault.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

// Rows leave off what is absent.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define N(a) (sizeof(a) / sizeof((a)[0]))

enum {
	D = S_IFDIR,
	F = S_IFREG,
	RW = BR_R | BR_W,
	RX = BR_R | BR_X,
	RWX = BR_R | BR_W | BR_X,
	PEOPLE = 5,
	STRANGER = 4242,
};

/** A host with a few accounts, and one tree with up to PEOPLE demands. */
struct world {
	char dir[64];
	struct br_places *places;
	struct br_diags *dx;
	struct br_acls *acls;
	struct br_hostdb *db;
	struct br_spec spec;
	struct br_container containers[PEOPLE];
	struct br_mount mounts[PEOPLE];
	struct br_identity identities[PEOPLE];
	struct br_source source;
	struct br_demand demand[PEOPLE];
	struct br_tree tree;
	struct br_demands demands;
	struct br_plan_options options;
	/** Nobody tries edits where it is not set. */
	struct br_trial trial;
	struct br_plan *plan;
	/** No plan is made again in want of memory: what is asked for it is counted. */
	bool once;
	/** What the plan was shown by see() since begin(). */
	struct shown {
		char *path;
		struct br_inode inode;
	} * shown;
	size_t nshown;
};

static inline void put(const char *dir, const char *name, const char *text) {
	char path[128];
	assert_true(snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path));
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline void run(const char *format, ...) {
	char line[1024];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	assert_true(n > 0 && n < (int)sizeof(line));
	int status = system(line); // NOLINT(cert-env33-c): the commands are what is tested
	if (status != 0) {
		fail_msg("%s: status %d", line, status);
	}
}

static const char passwd_text[] = "root:x:0:0::/root:/bin/sh\n"
				  "alice:x:1000:1000::/nonexistent/alice:/bin/sh\n"
				  "carol:x:1002:1002::/nonexistent/carol:/bin/sh\n"
				  "bob:x:1007:1007::/nonexistent/bob:/bin/sh\n";
static const char group_text[] = "root:x:0:\nalice:x:1000:\ncarol:x:1002:\nbob:x:1007:\n"
				 "dev:x:2000:alice,carol\nmedia:x:2001:bob,carol\nwww:x:33:\n";

static inline int world_setup(void **state) {
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	const char *tmp = getenv("TMPDIR");
	assert_true(snprintf(w->dir, sizeof(w->dir), "%s/br-plan-XXXXXX",
			    tmp && strlen(tmp) < 40 ? tmp : "/tmp")
		< (int)sizeof(w->dir));
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(chmod(w->dir, 0755), 0);
	char etc[80];
	assert_true(snprintf(etc, sizeof(etc), "%s/etc", w->dir) > 0);
	assert_int_equal(mkdir(etc, 0755), 0);
	put(w->dir, "etc/passwd", passwd_text);
	put(w->dir, "etc/group", group_text);
	put(w->dir, "etc/subuid", "alice:100000:65536\n");
	w->places = br_places_new();
	w->dx = br_diags_new(w->places);
	w->acls = br_acls_new();
	w->db = br_hostdb_read(w->dir, w->dx);
	assert_true(w->dx && w->acls && w->db);
	w->source = (struct br_source){
		.path = "/nonexistent/src",
		.real = "/nonexistent/src",
		.fd = -1,
		.dev = 1,
		.ino = 1,
		.fs = {.type = "ext4", .keeps_owners = BR_YES, .keeps_acls = BR_YES},
	};
	w->tree = (struct br_tree){
		.root = &w->source, .path = "/nonexistent/src", .demands = w->demand};
	w->demands = (struct br_demands){.trees = &w->tree, .ntrees = 1};
	w->options = (struct br_plan_options){.protected_hardlinks = true};
	*state = w;
	return 0;
}

static inline void forget_shown(struct world *w) {
	for (size_t i = 0; i < w->nshown; i++) {
		free(w->shown[i].path);
	}
	free(w->shown);
	w->shown = NULL;
	w->nshown = 0;
}

static inline int world_teardown(void **state) {
	struct world *w = *state;
	forget_shown(w);
	br_plan_free(w->plan);
	br_hostdb_free(w->db);
	br_acls_free(w->acls);
	br_diags_free(w->dx);
	br_places_free(w->places);
	run("rm -rf '%s'", w->dir);
	free(w);
	return 0;
}

/** One demand: who, and what of directories and files. */
struct who {
	struct br_cred cred;
	struct br_need need;
	const char *below;
};

static inline void demand(struct world *w, const struct who *who) {
	size_t i = w->tree.n++;
	w->containers[i] = (struct br_container){.name = {.s = "app"}};
	w->mounts[i] = (struct br_mount){.source = {.s = "/nonexistent/src"}};
	w->identities[i] = (struct br_identity){
		.container = &w->containers[i], .confidence = BR_CERTAIN, .cred = who->cred};
	w->demand[i] = (struct br_demand){
		.container = &w->containers[i],
		.mount = &w->mounts[i],
		.identity = &w->identities[i],
		.source = &w->source,
		.below = who->below ? who->below : "",
		.need = who->need,
		.index = (unsigned)i,
	};
}

static inline struct br_plan_input input_of(struct world *w) {
	return (struct br_plan_input){
		.spec = &w->spec,
		.identities = w->identities,
		.demands = &w->demands,
		.hostdb = w->db,
		.acls = w->acls,
		.trial = w->trial,
	};
}

static inline void begin(struct world *w) {
	forget_shown(w);
	br_plan_free(w->plan);
	struct br_plan_input input = input_of(w);
	w->plan = br_plan_new(&input, &w->options, w->dx);
	assert_non_null(w->plan);
}

static inline struct br_entry entry_of(const char *path, const struct br_inode *inode) {
	const char *slash = strrchr(path, '/');
	return (struct br_entry){
		.event = S_ISDIR(inode->mode) ? BR_ENTER : BR_LEAF,
		.path = path,
		.path_len = strlen(path),
		.name = slash ? slash + 1 : path,
		.inode = inode,
	};
}

static inline void see(struct world *w, const char *path, const struct br_inode *inode) {
	struct br_entry entry = entry_of(path, inode);
	assert_int_equal(br_plan_see(w->plan, &w->tree, &entry, w->dx), 0);
	struct shown *more = realloc(w->shown, (w->nshown + 1) * sizeof(*more));
	assert_non_null(more);
	w->shown = more;
	w->shown[w->nshown++] = (struct shown){strdup(path), *inode};
}

static inline void show_errors(const struct world *w) {
	for (size_t i = 0; i < br_diags_count(w->dx); i++) {
		print_error("%s\n", br_diags_get(w->dx, i)->message);
	}
}

/** The plan once more, from what was shown, and saved: 0, or -1 where anything of it failed. */
static inline int plan_again(struct world *w, struct br_diags *dx) {
	struct br_plan_input input = input_of(w);
	struct br_plan_options options = w->options;
	struct br_arena arena = {0};
	struct br_saved saved = {0};
	options.digests = true;
	// What has no room to be remembered is walked through again.
	options.remember = 0;
	struct br_plan *plan = br_plan_new(&input, &options, dx);
	int r = plan ? 0 : -1;
	for (size_t i = 0; i < w->nshown && r == 0; i++) {
		struct br_entry entry = entry_of(w->shown[i].path, &w->shown[i].inode);
		r = br_plan_see(plan, &w->tree, &entry, dx);
	}
	r = r == 0 ? br_plan_settle(plan, dx) : r;
	for (size_t i = 0; i < w->nshown && r == 0; i++) {
		struct br_inode after;
		const struct shown *shown = &w->shown[i];
		r = br_plan_decide(plan, &w->tree, shown->path, &shown->inode, &after) < 0 ? -1 : 0;
	}
	if (r == 0 && br_plan_save(plan, w->places, &arena, &saved) < 0) {
		r = br_error_memory(dx);
	}
	br_arena_release(&arena);
	br_plan_free(plan);
	return r;
}

/** With the n-th allocation failing: whether there was one. It is told, and nothing is left behind.
 */
static inline bool starve_at(struct world *w, unsigned n) {
	struct br_diags *dx = br_diags_new(w->places);
	fault_watch();
	fault_pieces(true);
	fault_at(n);
	int r = plan_again(w, dx);
	bool hit = fault_hit();
	fault_at(0);
	fault_pieces(false);
	// One error, and what is left of it is the list's own.
	if ((r == 0) == hit || (hit && br_diags_errors(dx) != 1)) {
		fail_msg("allocation %u: %d, %zu errors", n, r, br_diags_errors(dx));
	}
	br_diags_free(dx);
	size_t live = fault_live();
	if (live != 0) {
		fail_msg("allocation %u: %zu pieces are left", n, live);
	}
	return hit;
}

/** Every allocation of the plan that was just made fails in its turn; for the time that it takes,
 * only of the first plans. */
static inline void starve(struct world *w) {
	static size_t left = 250000;
	unsigned n = 0;
	bool hit = left > 0 && !w->once;
	// The host's accounts and the ACLs remember what they were asked.
	if (hit) {
		(void)starve_at(w, UINT_MAX / 2);
	}
	while (hit) {
		hit = starve_at(w, ++n) && left > w->nshown;
		left = hit ? left - w->nshown : left;
	}
	left = left > w->nshown ? left : 0;
}

static inline void settle(struct world *w) {
	if (br_plan_settle(w->plan, w->dx) != 0) {
		show_errors(w);
		fail_msg("settling failed");
	}
	starve(w);
}

/** The first advice of this kind; NULL. */
static inline const struct br_advice *find_advice(const struct world *w, const char *kind) {
	for (size_t i = 0; i < w->plan->nadvice; i++) {
		if (strcmp(w->plan->advice[i].kind, kind) == 0) {
			return &w->plan->advice[i];
		}
	}
	return NULL;
}

static inline struct br_inode inode_of(
	struct world *w, uint32_t mode, uint32_t uid, uint32_t gid, const char *acl) {
	static uint64_t ino = 100;
	struct br_inode inode = {
		.dev = 1,
		.ino = ino++,
		.mode = mode,
		.nlink = 1,
		.uid = {uid},
		.gid = {gid},
		.have = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS,
		.acl = acl_of_words(w->acls, acl),
	};
	return inode;
}

#define ALL \
	{ .dir = RWX, .file = RWX, .as_any = true }
#define READS \
	{ .dir = RX, .file = RX, .as_any = true }

#endif
