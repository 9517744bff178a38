/*
 * Nobody gains, nobody loses: random trees under random demands go through the whole of plan, apply
 * and undo, and real processes of everybody try every inode before and after: each set of
 * permissions, opening, executing, creating and deleting. What the planner says of itself is not
 * believed. BR_SEED repeats a run; BR_PROBES makes it longer.
 */
#include "plan_forest.h"

// ---- Judging ----

static void complain(const struct world *w, const struct node *node, const struct br_cred *cred,
	const char *what) {
	struct br_arena arena = {0};
	print_error("strategy %d%s: %s: %u:%u %o %s -> %u:%u %o %s\n", (int)w->options.strategy,
		w->options.reclaim ? " (reclaim)" : "", node->path, node->before.uid.v,
		node->before.gid.v, node->before.mode,
		node->before.acl ? br_acl_text(&arena, node->before.acl) : "", node->after.uid.v,
		node->after.gid.v, node->after.mode,
		node->after.acl ? br_acl_text(&arena, node->after.acl) : "");
	for (size_t i = 0; i < w->tree.n; i++) {
		const struct br_cred *has = &w->identities[i].cred;
		print_error("demand '%s'%s of %u:%u%s caps %llx dir %u file %u any %d\n",
			w->demand[i].below, is_demanded(w, i) ? "" : " (:U)", has->uid.v,
			has->gid.v, has->uids.n > 0 ? " mapped" : "", (unsigned long long)has->caps,
			w->demand[i].need.dir, w->demand[i].need.file, w->demand[i].need.as_any);
	}
	br_arena_release(&arena);
	fail_msg("uid %u gid %u (+%zu): %s", cred->uid.v, cred->gid.v, cred->ngroups, what);
}

static bool is_within(const char *path, const char *above) {
	size_t n = strlen(above);
	return n == 0 || (strncmp(path, above, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

/** What a demand has of an inode under one name, as it is or as it becomes: what one is given can
 * make others need more. */
static unsigned need_at(const struct world *w, size_t d, const struct node *node) {
	const struct br_demand *demand = &w->demand[d];
	bool covered = demand->ncovered > 0 && is_within(node->path, demand->covered[0]);
	return !is_demanded(w, d) || covered || !is_within(node->path, demand->below)
		? 0
		: br_need_of(demand, &node->before) | br_need_of(demand, &node->after);
}

/** Under all its names. */
static unsigned need_of(
	const struct world *w, const struct forest *f, size_t d, const struct node *node) {
	unsigned need = 0;
	for (size_t i = 0; i < f->n; i++) {
		need |= f->nodes[i].before.ino == node->before.ino ? need_at(w, d, &f->nodes[i])
								   : 0;
	}
	return need;
}

static unsigned need_of_all(
	const struct world *w, const struct forest *f, const struct node *node) {
	unsigned need = 0;
	for (size_t i = 0; i < w->tree.n; i++) {
		need |= need_of(w, f, i, node);
	}
	return need;
}

/** What demands, and owning it, explain for this principal. */
static unsigned explained(
	const struct world *w, const struct forest *f, size_t p, const struct node *node) {
	const struct br_cred *cred = &f->people[p].cred;
	unsigned bits = 0;
	for (size_t i = 0; i < w->tree.n; i++) {
		bits |= w->identities[i].cred.uid.v == cred->uid.v ? need_of(w, f, i, node) : 0;
	}
	for (size_t i = 0; i < w->options.nkeepers; i++) {
		const struct br_keeper *keeper = &w->options.keepers[i];
		if (keeper->cred.uid.v == cred->uid.v && keeper->demanded) {
			bits |= need_of_all(w, f, node);
		}
	}
	if (node->after.uid.v == cred->uid.v && node->before.uid.v != cred->uid.v && cred->caps
		&& (bits || w->options.reclaim)) {
		// What is his is his capability's.
		return RWX;
	}
	bool heir = node->after.uid.v == cred->uid.v && node->before.uid.v != cred->uid.v;
	heir = heir && (bits || w->options.reclaim);
	bits |= heir ? node->before.mode >> 6 & 7 : 0;
	for (size_t k = 0; (bits || heir) && k < f->npeople; k++) {
		// All together that processes of this user could do before.
		unsigned had = f->had[k][node - f->nodes];
		for (unsigned bit = 1; bit <= 4 && f->people[k].cred.uid.v == cred->uid.v;
			bit *= 2) {
			bits |= had >> bit & 1 ? bit : 0;
		}
	}
	bool group = w->plan->trees[0].strategy == BR_STRATEGY_GROUP
		&& br_cred_in_group(cred, node->after.gid)
		&& (node->after.gid.v != node->before.gid.v
			|| (node->after.mode & 070) != (node->before.mode & 070));
	return group ? bits | need_of_all(w, f, node) | (node->before.mode >> 3 & 7)
			| (node->before.mode & 7)
		     : bits;
}

/** The sets of permissions that a try stands for; deleting is its directory's. */
static unsigned asks(unsigned attempt) {
	switch (attempt) {
	case OPEN_R:
		return BR_R;
	case OPEN_W:
		return BR_W;
	case OPEN_RW:
		return BR_R | BR_W;
	case EXECUTE:
		return BR_X;
	case CREATE:
	case DELETE:
		return BR_W | BR_X;
	default:
		return attempt;
	}
}

static bool may_gain(const struct world *w, const struct forest *f, size_t p,
	const struct node *node, unsigned attempt) {
	const struct node *dir = attempt == DELETE ? &f->nodes[node->parent] : node;
	uint32_t uid = f->people[p].cred.uid.v;
	// Whoever owns it deletes it, also where others' are safe from him.
	bool owns = attempt == DELETE && (dir->before.mode & S_ISVTX)
		&& (node->after.uid.v == uid || dir->after.uid.v == uid);
	// While there is any x bit, a capability may execute a file, and at once do what it could
	// do before.
	unsigned by_caps = 0;
	if (f->people[p].cred.caps && S_ISREG(dir->before.mode)) {
		unsigned had = f->had[p][dir - f->nodes];
		by_caps = BR_X | (had >> BR_R & 1 ? BR_R : 0) | (had >> BR_W & 1 ? BR_W : 0);
	}
	return owns || (asks(attempt) & ~(explained(w, f, p, dir) | by_caps)) == 0;
}

/** As programs ask: list apart from create and delete; read and write at once. */
static bool is_served(unsigned has, const struct br_inode *inode, unsigned need) {
	unsigned at_once = need & (S_ISDIR(inode->mode) ? BR_W | BR_X : BR_R | BR_W);
	unsigned rest = need & ~at_once;
	return (!at_once || (has >> at_once & 1)) && (!rest || (has >> rest & 1));
}

/** What goes back to the host is no longer the namespace's: by capability alone its containers keep
 * what they need, and no more. */
static bool may_lose(const struct world *w, const struct forest *f, size_t p,
	const struct node *node, unsigned attempt) {
	const struct node *dir = attempt == DELETE ? &f->nodes[node->parent] : node;
	const struct br_cred *cred = &f->people[p].cred;
	int d = f->people[p].demand;
	// One whose mount the engine gives to it (:U) needs nothing of the host's IDs.
	return w->options.reclaim && cred->caps && cred->uids.n > 0
		&& (d < 0 || (asks(attempt) & ~need_of(w, f, (size_t)d, dir)) != 0
			|| is_served(tried[p][dir - f->nodes], &dir->before, asks(attempt)));
}

static void judge_one(
	const struct world *w, const struct forest *f, size_t p, const struct node *node) {
	size_t i = (size_t)(node - f->nodes);
	const struct br_cred *cred = &f->people[p].cred;
	unsigned lost = f->had[p][i] & ~(unsigned)tried[p][i];
	unsigned gained = tried[p][i] & ~(unsigned)f->had[p][i];
	char what[64];
	for (unsigned attempt = 1; attempt < TRIES; attempt++) {
		bool gains = gained >> attempt & 1 && !may_gain(w, f, p, node, attempt);
		if (gains || (lost >> attempt & 1 && !may_lose(w, f, p, node, attempt))) {
			(void)snprintf(what, sizeof(what), "%s attempt %u",
				gains ? "gains" : "loses", attempt);
			complain(w, node, cred, what);
		}
	}
}

static void judge_demands(const struct world *w, struct forest *f, const struct node *node) {
	bool changed = !br_inode_equal(&node->before, &node->after);
	size_t i = (size_t)(node - f->nodes);
	bool all = true;
	for (size_t p = 0; p < f->npeople; p++) {
		int d = f->people[p].demand;
		if (d < 0 && !f->people[p].kept) {
			continue;
		}
		unsigned need = d < 0 ? need_of_all(w, f, node) : need_of(w, f, (size_t)d, node);
		bool served = is_served(tried[p][i], &node->after, need);
		if (!served && changed) {
			complain(w, node, &f->people[p].cred, "is not served");
		}
		all = all && served;
	}
	f->changed += changed;
	f->unserved += !all;
	if (!all && !w->plan->trees[0].partial && !w->options.reclaim) {
		complain(w, node, &f->people[0].cred, "not served, and not said");
	}
	if (node->after.mode & 07 & ~node->before.mode) {
		complain(w, node, &f->people[0].cred, "others gain");
	}
}

/** Whether some container's user namespace knows it. */
static bool is_in_range(const struct world *w, uint32_t uid) {
	br_boxid box;
	bool known = false;
	for (size_t i = 0; i < w->tree.n; i++) {
		const struct br_idmap *map = &w->identities[i].cred.uids;
		known = known || (map->n > 0 && br_idmap_to_box(map, (br_hostid){uid}, &box));
	}
	return known;
}

static bool is_below(const char *path, const char *above) {
	size_t n = strlen(above);
	return n == 0 || (strncmp(path, above, n) == 0 && (path[n] == '/' || path[n] == '\0'));
}

/** Whether nobody who was asked about mounts it there by himself. */
static bool is_others(const struct world *w, const char *path, const char *other) {
	bool others = is_below(path, other);
	for (size_t i = 0; i < w->tree.n; i++) {
		const struct br_demand *demand = &w->demand[i];
		bool covered = demand->ncovered > 0 && is_below(path, demand->covered[0]);
		others = others
			&& !(is_below(demand->below, other) && is_below(path, demand->below)
				&& !covered);
	}
	return others;
}

static void judge_other(const struct world *w, struct forest *f, const struct node *node) {
	bool same = br_inode_equal(&node->before, &node->after);
	for (size_t i = 0; w->demands.nothers > 0 && i < f->n; i++) {
		if (f->nodes[i].before.ino != f->other.ino
			|| !is_others(w, node->path, f->nodes[i].path)) {
			continue;
		}
		f->others++;
		if (!same && !w->options.other_mounts) {
			complain(w, node, &f->people[0].cred, "another container mounts it");
		}
	}
}

/** Only what belongs to somebody of the from-set is changed; what runs with rights of its own only
 * where that is asked for. */
static void judge_gate(const struct world *w, const struct forest *f, const struct node *node) {
	uint32_t uid = node->before.uid.v;
	bool allowed = uid == 0 || w->options.nfrom > 0 || is_container(w, uid)
		|| (w->options.reclaim && is_in_range(w, uid))
		|| (!w->options.reclaim && uid == f->nodes[0].before.uid.v);
	if (!allowed && !br_inode_equal(&node->before, &node->after)) {
		complain(w, node, &f->people[0].cred, "it belongs to somebody else");
	}
	const char *key = strstr(node->path, "id_rsa");
	if ((strstr(node->path, ".ssh") || key) && !br_inode_equal(&node->before, &node->after)) {
		complain(w, node, &f->people[0].cred, "it is private");
	}
	uint32_t caller = w->options.caller.v;
	bool own = node->before.uid.v == caller && node->after.uid.v == caller
		&& (node->after.gid.v == node->before.gid.v || node->after.gid.v == 1000
			|| node->after.gid.v == 2000);
	if (caller && !own && !br_inode_equal(&node->before, &node->after)) {
		complain(w, node, &f->people[0].cred, "only root could change it");
	}
	bool privileged =
		S_ISREG(node->before.mode) && ((node->before.mode & 06000) || node->before.caps);
	if (privileged && !w->options.privileged_files
		&& !br_inode_equal(&node->before, &node->after)) {
		complain(w, node, &f->people[0].cred, "it is privileged");
	}
}

// ---- What comes later ----

/** In a process of this principal's: a file or a directory, whatever its umask. */
static bool make_one(const struct node *dir, const struct br_cred *cred, mode_t mask, bool file) {
	pid_t child = fork();
	int status;
	assert_true(child >= 0);
	if (child == 0) {
		become(cred);
		(void)umask(mask);
		if (!file) {
			_exit(mkdirat(dir->fd, ".later", 0777) != 0);
		}
		int fd = openat(dir->fd, ".later", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
		_exit(fd < 0 || close(fd) != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status == 0;
}

/** Somebody makes something in each directory that got a default ACL: whoever of the principals
 * can, else root. */
static void make_later(struct forest *f) {
	static const struct br_cred root = {.caps = 1ull << CAP_DAC_OVERRIDE};
	for (size_t i = 0; i < f->n; i++) {
		struct node *node = &f->nodes[i];
		node->later = -1;
		if (node->after.def && !node->before.def) {
			const struct br_cred *maker = &f->people[draw((uint32_t)f->npeople)].cred;
			mode_t mask = draw(2) ? 022 : 077;
			bool file = draw(3) > 0;
			assert_true(make_one(node, maker, mask, file)
				|| make_one(node, &root, mask, file));
			node->later = openat(node->fd, ".later", O_PATH | O_CLOEXEC);
			assert_true(node->later >= 0);
			f->later++;
		}
	}
}

/** A directory hands the default ACL on. */
static bool is_later_file(const struct node *node) {
	struct stat st;
	assert_int_equal(fstat(node->later, &st), 0);
	return S_ISREG(st.st_mode);
}

/** Who is demanded can use what others make; a stranger can do no more with it than with the
 * directory. */
static void judge_later_one(
	const struct world *w, struct forest *f, size_t p, const struct node *node) {
	size_t i = (size_t)(node - f->nodes);
	unsigned has = 0;
	for (unsigned bit = 1; bit <= 4; bit *= 2) {
		has |= tried[p][i] >> bit & 1 ? bit : 0;
	}
	int d = f->people[p].demand;
	unsigned need = d < 0 ? 0 : need_of(w, f, (size_t)d, node) & w->demand[d].need.dir;
	need = f->people[p].kept ? need_of_all(w, f, node) : need;
	if (need & ~has & (is_later_file(node) ? RW : RWX)) {
		complain(w, node, &f->people[p].cred, "cannot use what comes later");
	}
	struct br_where plain = {0};
	struct stat st;
	assert_int_equal(fstat(node->later, &st), 0);
	unsigned dir = br_access(&node->after, &f->people[p].cred, &plain, RWX).have;
	if (d < 0 && !f->people[p].kept && st.st_uid != f->people[p].cred.uid.v && (has & ~dir)) {
		complain(w, node, &f->people[p].cred, "can use what comes later");
	}
}

static void try_later(struct world *w, struct forest *f) {
	make_later(f);
	for (size_t p = 0; p < f->npeople; p++) {
		const struct br_cred *cred = &f->people[p].cred;
		bool stranger = cred->uid.v == STRANGER && cred->gid.v == STRANGER;
		if (f->people[p].demand < 0 && !f->people[p].kept && !stranger) {
			continue;
		}
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			become(cred);
			for (size_t i = 0; i < f->n; i++) {
				struct node as = f->nodes[i];
				as.fd = as.later;
				as.path[0] = '\0';
				as.before.mode = as.fd < 0 || is_later_file(&f->nodes[i]) ? F : D;
				tried[p][i] = as.fd < 0 ? 0 : try_one(f, &as);
			}
			_exit(0);
		}
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		for (size_t i = 0; i < f->n; i++) {
			if (f->nodes[i].later >= 0) {
				f->probes += 11;
				judge_later_one(w, f, p, &f->nodes[i]);
			}
		}
	}
	for (size_t i = 0; i < f->n; i++) {
		if (f->nodes[i].later >= 0) {
			int kind = is_later_file(&f->nodes[i]) ? 0 : AT_REMOVEDIR;
			assert_int_equal(unlinkat(f->nodes[i].fd, ".later", kind), 0);
			assert_int_equal(close(f->nodes[i].later), 0);
		}
	}
}

// ---- Running ----

/** User namespaces: their IDs are some of those that everything belongs to, and capabilities count
 * for these. */
static void add_maps(struct world *w) {
	static const struct br_idmap_extent users[] = {{0, 1001, 3}};
	static const struct br_idmap_extent groups_of[] = {{0, 1001, 2}, {2, 2000, 2}};
	static const uint32_t mapped_gids[] = {1001, 1002, 2000, 2001};
#ifdef __SANITIZE_THREAD__
	// A process with the sanitizer's thread cannot make any.
	return;
#endif
	for (size_t i = 0; i < w->tree.n; i++) {
		struct br_cred *cred = &w->identities[i].cred;
		if (draw(2)) {
			continue;
		}
		cred->uid.v = 1001 + draw(3);
		cred->gid.v = some(mapped_gids, N(mapped_gids));
		cred->uids = (struct br_idmap){users, N(users)};
		cred->gids = (struct br_idmap){groups_of, N(groups_of)};
		cred->caps = draw(2) ? 1ull << CAP_DAC_OVERRIDE : 0;
		cred->caps |= draw(3) ? 0 : 1ull << CAP_DAC_READ_SEARCH;
	}
}

/** The same container has another place inside its mount, read-only. */
static void add_nested(struct world *w) {
	size_t outer = draw((uint32_t)w->tree.n);
	if (w->tree.n == PEOPLE) {
		return;
	}
	const struct who inner = {.cred = w->identities[outer].cred,
		.need = {.dir = RX, .file = RX, .as_any = true},
		.below = "a"};
	demand(w, &inner);
	w->demand[w->tree.n - 1].read_only = true;
	w->demand[outer].ncovered = 1;
}

/** One or two users to keep; for some of them what the containers need is demanded. */
static void random_keepers(struct world *w, struct forest *f) {
	static const uint32_t accounts[] = {1000, 1002, 1007};
	struct br_plan_options *o = &w->options;
	uint32_t first = draw(N(accounts));
	o->keepers = f->keepers;
	o->nkeepers = o->reclaim ? 1 : 1 + draw(2);
	for (uint32_t i = 0; i < o->nkeepers; i++) {
		const struct br_host_user *user =
			br_hostdb_user(w->db, (br_hostid){accounts[(first + i) % N(accounts)]});
		f->keepers[i] = (struct br_keeper){.name = user->name, .demanded = draw(2)};
		assert_int_equal(
			br_hostdb_cred(w->db, w->demands.arena, user, &f->keepers[i].cred), 0);
	}
}

static void random_wishes(struct world *w, struct forest *f) {
	static const br_hostid from[] = {{0}, {1000}, {1001}, {1002}, {1003}, {1007}};
	static const enum br_strategy strategies[] = {
		BR_STRATEGY_AUTO, BR_STRATEGY_ACL, BR_STRATEGY_CHOWN, BR_STRATEGY_GROUP};
	struct br_plan_options *o = &w->options;
	static const br_hostid callers_group = {2000};
	random_demands(w, true);
	if (draw(4) == 0) {
		add_maps(w);
	}
	if (draw(3) == 0) {
		add_nested(w);
	}
	*o = (struct br_plan_options){.protected_hardlinks = draw(8) > 0};
	o->strategy = strategies[draw(4)];
	o->from = from;
	o->nfrom = draw(3) ? N(from) : 0;
	o->future_files = draw(4) == 0;
	o->privileged_files = draw(3) == 0;
	o->other_mounts = draw(5) == 0;
	o->reclaim = draw(4) == 0;
	o->digests = draw(4) == 0;
	o->remember = draw(2) == 0 ? 1 << 20 : 0;
	if (o->reclaim || draw(3) == 0) {
		random_keepers(w, f);
	}
	if (draw(10) == 0) {
		o->caller.v = o->caller_gid.v = 1000;
		o->caller_groups = &callers_group;
		o->ncaller_groups = 1;
	}
	w->mounts[draw((uint32_t)w->tree.n)].chown = draw(8) == 0;
	w->source.fs.keeps_acls = draw(6) ? BR_YES : BR_NO;
}

static bool has_caps(const struct world *w) {
	for (size_t i = 0; i < w->tree.n; i++) {
		if (w->identities[i].cred.caps && w->identities[i].cred.uids.n > 0) {
			return true;
		}
	}
	return false;
}

static void plan_tree(struct world *w) {
	const struct br_scan_options options = {
		.threads = 1,
		.depth = 99,
		.leave = true,
		.want = BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL | BR_HAVE_CAPS,
	};
	const struct br_entry *entry;
	begin(w);
	struct br_scan *scan = br_scan_new(w->source.fd, w->acls, &options);
	assert_non_null(scan);
	while (br_scan_next(scan, &entry) > 0) {
		assert_int_equal(br_plan_see(w->plan, &w->tree, entry, w->dx), 0);
	}
	br_scan_free(scan);
	settle(w);
	// What a capability in a user namespace loses is said.
	assert_true(w->plan->nlosses == 0 || (w->options.reclaim && has_caps(w)));
	if (w->plan->nrefusals > 0) {
		fail_msg("refused: %s", w->plan->refusals[0].rule);
	}
}

static void set_mode(const struct node *node, uint32_t mode) {
	char path[32];
	assert_true(snprintf(path, sizeof(path), "/proc/self/fd/%d", node->fd) > 0);
	assert_int_equal(chmod(path, mode & 07777), 0);
}

/** What a saved plan promises is what a second one does; whatever it would change cannot change
 * without its noticing. */
static void save_and_compare(struct world *w, struct forest *f) {
	struct br_arena arena = {0};
	struct br_saved then = {0};
	struct br_saved now = {0};
	struct br_inode after;
	assert_int_equal(br_plan_save(w->plan, w->places, &arena, &then), 0);
	plan_tree(w);
	assert_int_equal(br_plan_save(w->plan, w->places, &arena, &now), 0);
	if (br_saved_compare(&then, &now, w->dx) != 0) {
		show_errors(w);
		fail_msg("the same plan is another one");
	}
	struct node *node = &f->nodes[draw((uint32_t)f->n)];
	if (br_plan_decide(w->plan, &w->tree, node->path, &node->before, &after) == 1) {
		set_mode(node, node->before.mode ^ 0400);
		plan_tree(w);
		now = (struct br_saved){0};
		assert_int_equal(br_plan_save(w->plan, w->places, &arena, &now), 0);
		if (br_saved_compare(&then, &now, w->dx) == 0) {
			complain(w, node, &f->people[0].cred, "changed unnoticed");
		}
		set_mode(node, node->before.mode);
		plan_tree(w);
	}
	f->saved++;
	br_arena_release(&arena);
}

static void check_tree(struct world *w, struct forest *f) {
	struct br_arena arena = {0};
	struct br_apply_result result;
	struct br_undo_result undone;
	struct br_run past;
	const struct br_apply_options options = {
		.state = {.path = f->state},
		.input = "dice",
		.invoker = "test",
		.threads = 1,
		.fresh = true,
	};
	char *before = snapshot(f->top);
	try_all(f);
	memcpy(f->had, tried, sizeof(f->had));
	plan_tree(w);
	if (w->options.digests) {
		save_and_compare(w, f);
	}
	if (br_apply_run(&arena, w->plan, &options, &result, w->dx) != 0) {
		show_errors(w);
		fail_msg("apply failed");
	}
	for (size_t i = 0; i < result.nexamples; i++) {
		print_error("%s: %s\n", result.examples[i], result.reasons[i]);
	}
	assert_int_equal(result.conflicts, 0);
	assert_int_equal(result.failed, 0);
	// Whatever the plan counted had its turn.
	assert_int_equal(result.changed, w->plan->changes);
	f->recalled += result.recalled;
	for (size_t i = 0; i < f->n; i++) {
		struct node *node = &f->nodes[i];
		assert_int_equal(
			br_inode_read(node->fd, "", node->before.have, w->acls, &node->after), 0);
	}
	try_all(f);
	for (size_t i = 0; i < f->n; i++) {
		judge_demands(w, f, &f->nodes[i]);
		judge_gate(w, f, &f->nodes[i]);
		judge_other(w, f, &f->nodes[i]);
		for (size_t p = 0; p < f->npeople; p++) {
			judge_one(w, f, p, &f->nodes[i]);
		}
	}
	if (w->options.future_files && !w->options.reclaim) {
		try_later(w, f);
	}
	if (result.id[0]) {
		assert_int_equal(br_undo(&arena, NULL, false, &options, &past, &undone, w->dx), 1);
		assert_int_equal(undone.conflicts + undone.failed, 0);
		run("rm -rf '%s/runs/%s'", f->state, result.id);
	}
	assert_snapshot(f->top, before);
	free(before);
	br_arena_release(&arena);
}

static void test_probes(void **state) {
	struct world *w = *state;
	struct forest *f = &forest;
	const char *word = getenv("BR_PROBES");
	uint64_t wanted = PROBES;
	struct br_arena names = {0};
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	assert_true(!word || br_parse_u64(word, UINT64_MAX, &wanted) == 0);
	tried = mmap(
		NULL, sizeof(f->had), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(tried != MAP_FAILED);
	assert_true(snprintf(f->top, sizeof(f->top), "%s/t", w->dir) < (int)sizeof(f->top));
	assert_true(snprintf(f->state, sizeof(f->state), "%s/state", w->dir) > 0);
	assert_true(snprintf(f->outside, sizeof(f->outside), "%s/out", w->dir) > 0);
	w->demands.arena = &names;
	start("probes");
	while (f->probes < wanted) {
		random_wishes(w, f);
		make_tree(w, f);
		place_demands(w, f);
		place_other(w, f);
		add_people(w, f);
		check_tree(w, f);
		drop_tree(f);
		f->trees++;
	}
	print_message(
		"%llu probes in %llu trees: %llu inodes changed, %llu left unserved; %llu plans saved, "
		"%llu files made later, %llu containers in user namespaces, %llu inodes of others, "
		"%llu times from memory\n",
		(unsigned long long)f->probes, (unsigned long long)f->trees,
		(unsigned long long)f->changed, (unsigned long long)f->unserved,
		(unsigned long long)f->saved, (unsigned long long)f->later,
		(unsigned long long)f->mapped, (unsigned long long)f->others,
		(unsigned long long)f->recalled);
	assert_true(f->recalled > 0 || f->trees < 100 || br_inode_quiet().sec != INT64_MAX);
	assert_true(f->changed > f->trees);
	br_arena_release(&names);
	assert_int_equal(munmap(tried, sizeof(f->had)), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_probes, world_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
