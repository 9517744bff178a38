/** The walk: every inode against every demand on it, summed up by mount. */
#include "walk.h"

#include <base/jail.h>
#include <base/own.h>
#include <base/sys.h>
#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_root_of(const struct br_demand *demand, const char *path) {
	return *demand->below == *path && strcmp(demand->below, path) == 0;
}

/** Whether a read-only mount below the source lets it write is a matter of its own: the rest is
 * judged as everywhere. */
static const struct br_inode *unfrozen(const struct br_inode *inode, struct br_inode *room) {
	if (!(inode->attrs & BR_READ_ONLY)) {
		return inode;
	}
	*room = *inode;
	room->attrs &= ~(uint32_t)BR_READ_ONLY;
	return room;
}

struct br_where where_of(const struct br_demand *demand) {
	const struct br_cred *cred = &demand->identity->cred;
	if (demand->identity->id_mapped) {
		return (struct br_where){.mount_uids = cred->uids, .mount_gids = cred->gids};
	}
	return (struct br_where){
		.mount_uids = demand->mount_uids, .mount_gids = demand->mount_gids};
}

/** As the container will find it: under `:U` the engine gives everything to its user first; modes
 * and ACLs stay (lchown). */
static const struct br_inode *at_start(const struct walk *walk, const struct br_demand *demand,
	const struct br_inode *inode, struct br_inode *room) {
	if (!demand->mount->chown
		|| !br_engine_may_give(walk->work->input->mode, inode->uid, inode->gid)) {
		return inode;
	}
	*room = *inode;
	room->uid = demand->identity->cred.uid;
	room->gid = demand->identity->cred.gid;
	return room;
}

static bool is_like(const struct last *last, const struct br_inode *inode, unsigned need) {
	return last->set && last->mode == inode->mode && last->uid == inode->uid.v
		&& last->gid == inode->gid.v && last->acl == inode->acl
		&& last->attrs == inode->attrs && last->need == need;
}

/** The kernel's answer for this inode. */
static const struct br_verdict *ask(struct walk *walk, const struct br_demand *demand,
	const struct br_inode *inode, unsigned need) {
	struct last *last = &walk->last[demand->index];
	struct br_inode bare;
	struct br_inode given;
	if (!is_like(last, inode, need)) {
		struct br_where where = where_of(demand);
		*last = (struct last){
			.set = true,
			.acl = inode->acl,
			.mode = inode->mode,
			.attrs = inode->attrs,
			.uid = inode->uid.v,
			.gid = inode->gid.v,
			.need = need,
			.verdict = br_access_use(
				unfrozen(at_start(walk, demand, inode, &given), &bare),
				&demand->identity->cred, &where, need),
		};
	}
	return &last->verdict;
}

/** br_scan_ask: the ACL is read only where it can matter, or where the watcher will need it. */
static bool wants(void *context, const char *path, const struct br_inode *inode) {
	const struct walk *walk = context;
	const struct br_watch *watch = &walk->work->options->watch;
	if (watch->see && watch->all) {
		return true;
	}
	for (size_t i = 0; i < walk->tree->n; i++) {
		const struct br_demand *demand = &walk->tree->demands[i];
		unsigned need = br_demand_applies(demand, path) ? br_need_of(demand, inode) : 0;
		if (need == 0) {
			continue;
		}
		if (br_need_needs_acl(demand, inode) || demand->mount_uids.n > 0
			|| demand->mount->overlay) {
			return true;
		}
		const struct br_cred *cred = &demand->identity->cred;
		struct br_inode bare;
		struct br_inode given;
		const struct br_inode *seen = at_start(walk, demand, inode, &given);
		if (br_access_needs_acl(unfrozen(seen, &bare), cred, need)) {
			return true;
		}
		if (watch->see && br_access_use(seen, cred, &(struct br_where){0}, need).missing) {
			return true;
		}
	}
	return false;
}

/** Whether wants() is the same for inodes that have owner, group, mode and attributes in common,
 * wherever they lie. */
static bool wants_alike(const struct br_tree *tree) {
	for (size_t i = 0; i < tree->n; i++) {
		if (*tree->demands[i].below) {
			return false;
		}
	}
	return true;
}

/** br_scan_ask: --exclude. */
static bool excludes(void *context, const char *path, const struct br_inode *inode) {
	const struct walk *walk = context;
	const char *const *globs = walk->work->options->excludes;
	(void)inode;
	for (size_t i = 0; globs && globs[i]; i++) {
		if (*path && br_glob(globs[i], path)) {
			return true;
		}
	}
	return false;
}

/** Of what has its owner already, Podman changes nothing (containers/common, pkg/chown). */
static bool is_ungiven(
	const struct walk *walk, const struct br_demand *demand, const struct br_inode *inode) {
	const struct br_cred *cred = &demand->identity->cred;
	if (!demand->mount->chown || (inode->uid.v == cred->uid.v && inode->gid.v == cred->gid.v)) {
		return false;
	}
	return (inode->attrs & (BR_IMMUTABLE | BR_APPEND))
		|| !br_engine_may_give(walk->work->input->mode, inode->uid, inode->gid);
}

static void judge_sticky(struct walk *walk, const struct br_demand *demand, struct mount_work *mw,
	const struct br_entry *entry) {
	bool sticky = false;
	if (!entry->parent || !(entry->parent->mode & S_ISVTX) || is_root_of(demand, entry->path)
		|| !(demand->need.dir & BR_W)) {
		return;
	}
	const struct br_cred *cred = &demand->identity->cred;
	struct br_where where = where_of(demand);
	struct br_inode parent;
	struct br_inode inode;
	(void)br_access_delete(at_start(walk, demand, entry->parent, &parent),
		at_start(walk, demand, entry->inode, &inode), cred, &where, &sticky);
	if (sticky) {
		count_in_tally(walk->work, &mw->sticky, demand, entry, &(struct br_verdict){0});
	}
}

/** Private keys below a source: said once, for the first who mounts it. */
static void judge_secret(struct walk *walk, const struct br_demand *demand, struct mount_work *mw,
	const struct br_entry *entry) {
	bool told = false;
	if (!is_secret_inside(entry) || !(entry->inode->mode & 0077)
		|| walk->tree->root->fs.remote) {
		return;
	}
	if (walk->told) {
		walk->doubtful = true;
		return;
	}
	for (unsigned i = 0; i < demand->index; i++) {
		told = told || br_demand_applies(&walk->tree->demands[i], entry->path);
	}
	if (told) {
		return;
	}
	struct br_inode inode = *entry->inode;
	const struct br_mount_source *ms = mw->result.mount;
	const char *real = say(walk->work, "%s/%s", walk->tree->root->real, entry->path);
	bool known = (inode.have & BR_HAVE_ACL)
		|| !br_inode_read(AT_FDCWD, real, BR_HAVE_ACL, walk->work->input->acls, &inode);
	if (known && say_readers(walk->work, &inode, ms, real)) {
		count_in_tally(walk->work, &mw->exposed, demand, entry, &(struct br_verdict){0});
	}
}

static void judge_root(struct mount_work *mw, const struct br_entry *entry, unsigned need,
	const struct br_verdict *verdict) {
	mw->result.root = *entry->inode;
	mw->result.need = need;
	mw->result.have = verdict->have & need;
	mw->result.verdict = *verdict;
}

/** Nothing of it, whatever the modes say. */
static void judge_shut(
	struct mount_work *mw, const struct br_entry *entry, unsigned need, bool is_root) {
	const struct br_verdict nothing = {.missing = need};
	mw->result.misfit++;
	mw->closed += !is_root;
	if (is_root) {
		judge_root(mw, entry, need, &nothing);
	}
}

/** Under `:O`. */
static struct br_verdict judge_overlay(const struct walk *walk, const struct br_demand *demand,
	const struct br_entry *entry, unsigned need) {
	struct br_inode inode = *entry->inode;
	struct br_cred mounter;
	bool is_root = is_root_of(demand, entry->path);
	bool known = br_check_mounter(
		walk->work->input, walk->mounts[demand->index]->result.mount, &mounter);
	if (is_root) {
		br_check_overlay_top(walk->work->input->mode, &inode);
	}
	struct br_verdict verdict =
		br_access_use(&inode, &demand->identity->cred, &(struct br_where){0}, need);
	const char *slash = strrchr(entry->path, '/');
	bool at_top = strlen(demand->below) >= (size_t)(slash ? slash - entry->path : 0);
	if (!is_root && known) {
		br_check_overlay(&mounter, &inode,
			at_top || !entry->parent || br_check_overlay_maps(&mounter, entry->parent),
			need, &verdict);
	}
	return verdict;
}

/** One demand, one inode. */
static void judge(struct walk *walk, const struct br_demand *demand, const struct br_entry *entry) {
	struct mount_work *mw = walk->mounts[demand->index];
	const struct br_inode *inode = entry->inode;
	unsigned need = br_need_of(demand, inode);
	uint64_t bit = UINT64_C(1) << demand->index;
	mw->result.seen++;
	if (walk->shut & bit) {
		judge_shut(mw, entry, need, is_root_of(demand, entry->path));
		return;
	}
	if (*entry->state & bit) {
		mw->closed++;
		mw->result.misfit++;
		return;
	}
	bool data = S_ISREG(inode->mode) || S_ISDIR(inode->mode);
	bool frozen = data && (inode->attrs & BR_READ_ONLY) && (need & BR_W);
	const struct br_verdict *verdict = ask(walk, demand, inode, need);
	struct br_verdict limited;
	if (demand->mount->overlay) {
		limited = judge_overlay(walk, demand, entry, need);
		verdict = &limited;
	}
	if (walk->askers[demand->index] && need) {
		limited = *verdict;
		ask_server(walk, demand, entry, need, &limited);
		verdict = &limited;
	}
	bool by_attribute =
		verdict->rule == BR_RULE_IMMUTABLE || verdict->rule == BR_RULE_APPEND_ONLY;
	if (is_root_of(demand, entry->path)) {
		judge_root(mw, entry, need, verdict);
	}
	bool ungiven = is_ungiven(walk, demand, inode);
	if (ungiven) {
		count_in_tally(walk->work, &mw->ungiven, demand, entry, verdict);
	}
	mw->result.misfit += verdict->missing != 0 || frozen || ungiven;
	if (frozen && (inode->attrs & BR_MOUNT_ROOT)) {
		count_in_tally(walk->work, &mw->frozen, demand, entry, verdict);
	}
	if (verdict->missing && by_attribute) {
		count_in_tally(walk->work, &mw->protected, demand, entry, verdict);
	} else if (verdict->missing && !is_root_of(demand, entry->path)) {
		count_in_tally(walk->work, &mw->inside, demand, entry, verdict);
	}
	mw->files += S_ISREG(inode->mode);
	mw->writable += data && (verdict->have & BR_W) && !frozen;
	mw->worse += (verdict->missing & ~(unsigned)BR_W) != 0 || frozen;
	judge_sticky(walk, demand, mw, entry);
	judge_secret(walk, demand, mw, entry);
	if (S_ISDIR(inode->mode) && !(verdict->have & BR_X)) {
		*entry->state |= bit;
		// What is in it may be told by somebody else.
		walk->doubtful = true;
	}
}

/** What could not be looked at counts for everybody whom it concerns. */
static void note_unseen(
	struct walk *walk, const struct br_demand *demand, const struct br_entry *entry) {
	struct mount_work *mw = walk->mounts[demand->index];
	struct tally *tally = entry->mount_point ? &mw->mount_points : &mw->unseen;
	mw->result.unseen++;
	mw->unseen_err = mw->unseen_err ? mw->unseen_err : entry->err;
	walk->work->check->complete = false;
	count_in_tally(walk->work, tally, demand, entry, &(struct br_verdict){0});
}

/** A mount below its source that its container does not see, and everything on it. */
static bool is_hidden(
	const struct walk *walk, const struct br_demand *demand, const struct br_entry *entry) {
	if (!(walk->hidden >> demand->index & 1)) {
		return false;
	}
	return entry->mount_point || (entry->inode && entry->inode->mount != demand->source->mount);
}

void walk_see(struct walk *walk, const struct br_entry *entry) {
	for (size_t i = 0; i < walk->tree->n; i++) {
		const struct br_demand *demand = &walk->tree->demands[i];
		if (!br_demand_applies(demand, entry->path) || is_hidden(walk, demand, entry)) {
			continue;
		}
		if (entry->inode) {
			judge(walk, demand, entry);
		}
		if (!entry->inode || entry->err) {
			note_unseen(walk, demand, entry);
		}
	}
}

static bool is_interrupted(struct check_work *work) {
	const struct br_check_options *options = work->options;
	bool is = options->stop && *options->stop;
	if (is) {
		(void)br_error(work->dx, (struct br_span){0}, "interrupted while it was checked");
	}
	return is;
}

/** Not of a tree that is looked at in a moment. */
static void tell_progress(const struct check_work *work) {
	const struct br_check_options *options = work->options;
	if (options->progress && work->check->inodes % 16384 == 0) {
		options->progress(options->progress_context, work->check->inodes);
	}
}

static int pull(struct walk *walk, struct br_scan *scan) {
	struct check_work *work = walk->work;
	const struct br_watch *watch = &work->options->watch;
	const struct br_entry *entry;
	int more = 0;
	while (!work->stop && (more = br_scan_next(scan, &entry)) > 0) {
		if (is_interrupted(work)) {
			return -1;
		}
		work->check->inodes += entry->inode != NULL;
		tell_progress(work);
		walk_see(walk, entry);
		if (watch->see && watch->see(watch->context, walk->tree, entry, work->dx)) {
			return -1;
		}
	}
	if (more < 0) {
		return br_error(work->dx, (struct br_span){0}, "cannot walk '%s': %s",
			walk->tree->path, strerror(errno));
	}
	return 0;
}

static int walk_from(struct walk *walk, const struct br_scan_options *options) {
	const struct br_tree *tree = walk->tree;
	br_auto(br_scan_freep) struct br_scan *scan =
		br_scan_new(tree->root->fd, walk->work->input->acls, options);
	if (!scan) {
		return br_error(walk->work->dx, (struct br_span){0}, "cannot walk '%s': %s",
			tree->path, strerror(errno));
	}
	return pull(walk, scan);
}

void walk_begin(struct walk *walk, struct check_work *work, const struct br_tree *tree) {
	const struct br_demands *demands = work->input->demands;
	*walk = (struct walk){.work = work, .tree = tree};
	for (size_t i = 0; i < demands->nmounts; i++) {
		if (demands->mounts[i].tree == tree && demands->mounts[i].demand) {
			const struct br_demand *demand = demands->mounts[i].demand;
			bool hidden =
				br_check_submounts(work->input, work->habits, &demands->mounts[i])
				== BR_SUBMOUNTS_HIDDEN;
			walk->mounts[demand->index] = &work->mounts[i];
			walk->hidden |= (uint64_t)hidden << demand->index;
			walk->shut |= (uint64_t)is_shut_out(work, &demands->mounts[i])
				<< demand->index;
			walk->askers[demand->index] = asker_of(work->asking, i);
		}
	}
}

/** `depth`: levels below the root that are looked at. */
static int check_tree(struct check_work *work, const struct br_tree *tree, unsigned depth) {
	struct walk walk;
	walk_begin(&walk, work, tree);
	const char *silent = work->options->cross
		? br_source_silent_mount(work->check->arena, tree->root)
		: NULL;
	if (silent) {
		return br_error(work->dx, (struct br_span){0},
			"cannot walk '%s': what is mounted at '%s' in it does not answer",
			tree->path, silent);
	}
	if (work->options->only && listed_begin(&walk)) {
		return -1;
	}
	bool may_hang = br_source_may_hang(tree->root);
	struct br_scan_options options = {
		.threads = work->options->threads,
		.depth = depth,
		.cross = work->options->cross,
		.wants = wants,
		.wants_alike = wants_alike(tree),
		.excludes = work->options->excludes ? excludes : NULL,
		.skips = work->options->only ? listed_skips : NULL,
		.context = &walk,
		.want = BR_HAVE_ACL | work->options->watch.want,
		.may_hang = may_hang,
		.automounts = may_hang,
	};
	// What it takes is a view of all there is. CAP_FOWNER is for not touching the times of
	// access (O_NOATIME, may_open()).
	(void)br_sys_prepare(); // Where that fails, what needs it says so.
	uint64_t rights =
		br_jail_lower(UINT64_C(1) << CAP_DAC_READ_SEARCH | UINT64_C(1) << CAP_FOWNER);
	int r = walk_from(&walk, &options);
	br_jail_raise(rights);
	return r;
}

int check_trees(struct check_work *work) {
	const struct br_demands *demands = work->input->demands;
	for (size_t i = 0; i < demands->ntrees && !work->stop; i++) {
		if (demands->trees[i].root->state != BR_SOURCE_PRESENT) {
			continue;
		}
		bool told = can_take(work, i);
		if (check_tree(work, &demands->trees[i], told ? 0 : work->options->depth)) {
			return -1;
		}
		if (told) {
			take_told(work, i);
		}
	}
	return 0;
}
