/** Findings about what the walk saw. */
#include "check_impl.h"

#include <base/text.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *say_who(struct check_work *work, const struct br_mount_source *ms) {
	uint32_t host = ms->identity->cred.uid.v;
	return host == ms->identity->uid.v
		? say(work, "uid %u", host)
		: say(work, "uid %u (%u in the container)", host, ms->identity->uid.v);
}

/** An ordinary command that would serve this one inode without touching anybody, or NULL. */
static const char *say_command(struct check_work *work, const struct mount_work *mw,
	const struct br_mount_source *ms, const char *path) {
	const struct br_inode *root = &mw->result.root;
	const struct br_cred *cred = &ms->identity->cred;
	char perm[4];
	// A socket or a device is made anew by whoever made it, and an entry of its own would be
	// gone; an engine's socket is not to be given away at all.
	bool special = !S_ISDIR(root->mode) && !S_ISREG(root->mode);
	if (special || root->acl || mw->result.unseen || ms->source->fs.keeps_acls != BR_YES
		|| root->uid.v == cred->uid.v || !br_is_typable(path)) {
		return NULL;
	}
	struct br_buf buf = {0};
	br_buf_addf(&buf, "setfacl -m u:%u:%s ", cred->uid.v, br_perm_text(mw->result.need, perm));
	br_buf_shell(&buf, path);
	const char *out = buf.failed ? NULL : say(work, "%s", buf.s);
	br_buf_release(&buf);
	return out;
}

/** Whether a bit is refused by itself: of two that no single group entry holds together, each may
 * be had alone, and then it is the writing that fails. */
static bool is_refused(
	const struct mount_work *mw, const struct br_mount_source *ms, unsigned bit) {
	unsigned missing = mw->result.verdict.missing;
	bool said = mw->result.verdict.rule == BR_RULE_SERVER;
	if (said || (missing & bit) == 0 || bit == BR_W || (missing & BR_W) == 0 || !ms->demand) {
		return (missing & bit) != 0;
	}
	const struct br_where where = {
		.mount_uids = ms->demand->mount_uids, .mount_gids = ms->demand->mount_gids};
	return br_access(&mw->result.root, &ms->identity->cred, &where, bit).missing != 0;
}

/** BR101, BR102, BR103: the root of the mount. */
static void check_root(
	struct check_work *work, struct mount_work *mw, const struct br_mount_source *ms) {
	static const struct {
		unsigned bit;
		br_code_number code;
		const char *dir_verb;
		const char *file_verb;
	} kinds[] = {
		{BR_X, 103, "enter", "execute"},
		{BR_R, 102, "read", "read"},
		{BR_W, 101, "write", "write"},
	};
	struct about about = about_mount(ms);
	const struct br_verdict *verdict = &mw->result.verdict;
	bool is_dir = S_ISDIR(mw->result.root.mode);
	bool by_attribute =
		verdict->rule == BR_RULE_IMMUTABLE || verdict->rule == BR_RULE_APPEND_ONLY;
	for (size_t i = 0; !by_attribute && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!is_refused(mw, ms, kinds[i].bit)) {
			continue;
		}
		struct br_finding *finding = add_finding(work, kinds[i].code, &about,
			"%s cannot %s '%s'", say_who(work, ms),
			is_dir ? kinds[i].dir_verb : kinds[i].file_verb, about.path);
		finding->because = say_asked(work, ms,
			say_because(work, &mw->result.root, &ms->identity->cred, verdict));
		finding->verdict = *verdict;
		finding->command = say_command(work, mw, ms, about.path);
		finding->count = kinds[i].bit == BR_X && is_dir ? mw->closed : 0;
	}
}

/** The same, where it is FUSE that keeps it out. */
static void check_shut_out(
	struct check_work *work, const struct mount_work *mw, const struct br_mount_source *ms) {
	struct about about = about_mount(ms);
	bool is_dir = S_ISDIR(mw->result.root.mode);
	const struct br_fs *fs = &ms->source->fs;
	bool engine_enters = fs->fuse_only_uid == 0 || work->options->rootless;
	struct br_finding *finding = add_finding(work, is_dir ? 103 : 102, &about,
		"%s cannot %s '%s'", engine_enters ? say_who(work, ms) : "the engine",
		is_dir ? "enter" : "read", about.path);
	finding->because = engine_enters
		? say(work,
			"this FUSE file system (%s) lets only uid %u in, with gid %u: it is mounted "
			"without allow_other",
			fs->mount_point, fs->fuse_only_uid, fs->fuse_only_gid)
		: say(work,
			"this FUSE file system (%s) lets only uid %u in, not even root: it is "
			"mounted without allow_other",
			fs->mount_point, fs->fuse_only_uid);
	finding->advice = "mount it with -o allow_other";
	finding->refused = !engine_enters;
	finding->verdict = mw->result.verdict;
	finding->count = is_dir ? mw->closed : 0;
}

/** BR107: with the capability it would work. */
static void check_override(
	struct check_work *work, const struct mount_work *mw, const struct br_mount_source *ms) {
	const struct br_identity *identity = ms->identity;
	uint64_t override = UINT64_C(1) << (unsigned)br_cap_number("CAP_DAC_OVERRIDE");
	bool is_root_denied = mw->result.verdict.missing != 0;
	const struct br_inode *inode = is_root_denied ? &mw->result.root : &mw->inside.first;
	if (identity->uid.v != 0 || (identity->cred.caps & override)
		|| (!is_root_denied && mw->inside.count == 0)) {
		return;
	}
	struct br_cred cred = identity->cred;
	cred.caps |= override;
	const struct br_verdict *verdict =
		is_root_denied ? &mw->result.verdict : &mw->inside.verdict;
	if (verdict->rule == BR_RULE_SERVER
		|| br_access_use(inode, &cred, &(struct br_where){0}, verdict->missing).missing) {
		return;
	}
	struct about about = about_mount(ms);
	struct br_finding *finding = add_finding(work, 107, &about,
		"root in '%s' has lost CAP_DAC_OVERRIDE, and '%s' needs it", ms->container->name.s,
		about.path);
	finding->because = "without it, root is judged by owner, group and ACL like anybody else";
	finding->advice = "fix the path, or give the capability back: cap_add: [DAC_OVERRIDE]";
}

static const char *plural(uint64_t n, const char *one, const char *many) {
	return n == 1 ? one : many;
}

/** The most first, whatever order the walk's threads brought them in. */
static int by_count(const void *a, const void *b) {
	const struct owned *x = a;
	const struct owned *y = b;
	if (x->count != y->count) {
		return x->count < y->count ? 1 : -1;
	}
	return (x->uid.v > y->uid.v) - (x->uid.v < y->uid.v);
}

/** "12 belong to 0 (root), 3 to 1000 (alice); of 'a' owner is 0 (root), …". */
static const char *say_owners(
	struct check_work *work, const struct mount_work *mw, const struct br_mount_source *ms) {
	const struct tally *tally = &mw->inside;
	struct br_buf buf = {0};
	uint64_t told = 0;
	struct owned owners[OWNERS];
	memcpy(owners, tally->owners, sizeof(owners));
	qsort(owners, tally->nowners, sizeof(owners[0]), by_count);
	for (size_t i = 0; i < tally->nowners; i++) {
		br_buf_addf(&buf, "%s%" PRIu64 "%s to %s", i ? ", " : "", owners[i].count,
			i                              ? ""
				: owners[i].count == 1 ? " belongs"
						       : " belong",
			say_uid(work, owners[i].uid));
		told += owners[i].count;
	}
	if (told < tally->count) {
		br_buf_addf(&buf, ", %" PRIu64 " to others", tally->count - told);
	}
	if (tally->nexamples > 0) {
		br_buf_addf(&buf, "; of '%s' %s", tally->examples[0],
			say_because(work, &tally->first, &ms->identity->cred, &tally->verdict));
	}
	if (mw->closed && !(mw->result.verdict.missing & BR_X)) {
		br_buf_addf(&buf, "; %" PRIu64 " more %s below directories that it cannot enter",
			mw->closed, plural(mw->closed, "lies", "lie"));
	}
	const char *out = buf.failed ? "" : say(work, "%s", buf.s);
	br_buf_release(&buf);
	return out;
}

static void check_inside(
	struct check_work *work, const struct mount_work *mw, const struct br_mount_source *ms) {
	const struct tally *tally = &mw->inside;
	uint64_t dirs = tally->count - tally->files;
	struct about about = about_mount(ms);
	const char *what;
	if (tally->count == 0) {
		return;
	}
	if (dirs == 0) {
		what = say(work, "%" PRIu64 " %s", tally->files,
			plural(tally->files, "file", "files"));
	} else if (tally->files == 0) {
		what = say(work, "%" PRIu64 " %s", dirs, plural(dirs, "directory", "directories"));
	} else {
		what = say(work, "%" PRIu64 " %s and %" PRIu64 " %s", tally->files,
			plural(tally->files, "file", "files"), dirs,
			plural(dirs, "directory", "directories"));
	}
	struct br_finding *finding = add_finding(
		work, 104, &about, "%s cannot use %s in '%s'", say_who(work, ms), what, about.path);
	finding->because = say_asked(work, ms, say_owners(work, mw, ms));
	finding->verdict = tally->verdict;
	give_examples(work, finding, tally);
}

/** BR104 too: Podman gives all to the container's user, or does not start the container at all. */
static void check_ungiven(
	struct check_work *work, const struct mount_work *mw, const struct br_mount_source *ms) {
	const struct tally *tally = &mw->ungiven;
	struct about about = about_mount(ms);
	if (tally->count == 0) {
		return;
	}
	struct br_finding *finding = add_finding(work, 104, &about,
		"the engine cannot give %" PRIu64 " %s in '%s' to %s, as :U asks, and will refuse "
		"to start",
		tally->count, plural(tally->count, "entry", "entries"), about.path,
		say_who(work, ms));
	finding->refused = true;
	finding->because = tally->first.attrs & (BR_IMMUTABLE | BR_APPEND)
		? "chattr protects them: not even root changes their owner"
		: "a rootless engine changes the owner only of what belongs to its user's own IDs";
	finding->advice = "leave :U out, or change their owner on the host first";
	finding->verdict = tally->verdict;
	give_examples(work, finding, tally);
}

/** Of something on the walk. */
static const char *why_unseen(int err) {
	return err == ENAMETOOLONG ? "it is deeper than any tree" : say_unseen(err);
}

static const char *advise_unseen(int err) {
	switch (err) {
	case ETIMEDOUT:
		return "see to its server, or leave it out (--exclude)";
	case EREMOTE:
		return "name what it mounts there as a source, or leave it out (--exclude)";
	case EOVERFLOW:
	case ENAMETOOLONG:
		return "leave it out (--exclude)";
	default:
		return "run it as root: sudo bindright";
	}
}

static void check_sums(
	struct check_work *work, const struct mount_work *mw, const struct br_mount_source *ms) {
	struct about about = about_mount(ms);
	struct br_finding *finding;
	if (mw->protected.count) {
		finding = add_finding(work, 206, &about,
			"%" PRIu64 " %s in '%s' %s protected by chattr", mw->protected.count,
			plural(mw->protected.count, "entry", "entries"), about.path,
			plural(mw->protected.count, "is", "are"));
		finding->because = mw->protected.verdict.rule == BR_RULE_IMMUTABLE
			? "immutable (+i): nobody can change it, not even root"
			: "append-only (+a): nobody can overwrite or delete it, not even root";
		finding->advice =
			"bindright never clears it; chattr -i or -a does, if that is meant";
		give_examples(work, finding, &mw->protected);
	}
	if (mw->sticky.count) {
		finding = add_finding(work, 105, &about,
			"%s can write in '%s' but not delete or rename %" PRIu64 " %s there",
			say_who(work, ms), about.path, mw->sticky.count,
			plural(mw->sticky.count, "entry", "entries"));
		finding->because = "the directory is sticky, and they belong to somebody else";
		give_examples(work, finding, &mw->sticky);
	}
	if (mw->unseen.count) {
		finding = add_finding(work, 209, &about,
			"%" PRIu64 " %s in '%s' could not be examined: %s", mw->unseen.count,
			plural(mw->unseen.count, "entry", "entries"), about.path,
			why_unseen(mw->unseen_err));
		finding->because = say_squashed(work, mw, &ms->source->fs, mw->unseen_err);
		finding->advice = finding->because
			? "run bindright on its server: what is in there is not known here"
			: advise_unseen(mw->unseen_err);
		give_examples(work, finding, &mw->unseen);
	}
	if (mw->frozen.count) {
		finding = add_finding(work, 205, &about,
			"%" PRIu64 " %s inside '%s' %s mounted read-only", mw->frozen.count,
			plural(mw->frozen.count, "mount point", "mount points"), about.path,
			plural(mw->frozen.count, "is", "are"));
		finding->advice = "mount it read-write on the host, leave it out (--exclude), or "
				  "let the container have it :ro";
		give_examples(work, finding, &mw->frozen);
	}
	if (mw->mount_points.count) {
		finding = add_finding(work, 209, &about,
			"%" PRIu64 " %s inside '%s' %s not examined", mw->mount_points.count,
			plural(mw->mount_points.count, "mount point", "mount points"), about.path,
			plural(mw->mount_points.count, "was", "were"));
		finding->advice = "to enter it: --cross-file-systems";
		give_examples(work, finding, &mw->mount_points);
	}
}

/** Whether whoever owns the tree serves it: it fits, and by root's override, or by its server's
 * word. */
static bool needs_no_owner(const struct mount_work *mw, const struct br_mount_source *ms) {
	const struct br_cred *cred = &ms->identity->cred;
	uint64_t override = UINT64_C(1) << (unsigned)br_cap_number("CAP_DAC_OVERRIDE");
	return mw->result.served
		|| (mw->result.fits && (cred->caps & override) && cred->uids.n == 0);
}

/** Whether one of the two lies in the other, or both are the same place. */
static bool overlap(const struct br_demand *a, const struct br_demand *b) {
	size_t n = strlen(a->below);
	size_t k = strlen(b->below);
	const char *longer = n > k ? a->below : b->below;
	size_t shorter = n > k ? k : n;
	return strncmp(a->below, b->below, shorter) == 0
		&& (shorter == 0 || longer[shorter] == '\0' || longer[shorter] == '/');
}

/** A mount that needs the tree for a user of its own; `misfit`: whether it does not get it. */
static const struct br_mount_source *sharer(
	const struct check_work *work, const struct br_tree *tree, size_t i, bool *misfit) {
	const struct br_mount_source *ms = &work->input->demands->mounts[i];
	if (ms->tree != tree || !ms->demand || needs_no_owner(&work->mounts[i], ms)) {
		return NULL;
	}
	*misfit =
		!work->mounts[i].result.fits && !work->mounts[i].stopped && !is_shut_out(work, ms);
	return ms;
}

/** Two mounts of different users that share a place, where one of them does not fit. */
struct sharers {
	const struct br_mount_source *first;
	const struct br_mount_source *second;
	/** The later one of the two that does not fit. */
	const struct br_mount_source *misfit;
};

static bool find_sharers(
	const struct check_work *work, const struct br_tree *tree, struct sharers *out) {
	bool misfit[2];
	for (size_t j = 1; j < work->input->demands->nmounts; j++) {
		out->second = sharer(work, tree, j, &misfit[1]);
		for (size_t i = 0; out->second && i < j; i++) {
			out->first = sharer(work, tree, i, &misfit[0]);
			if (out->first && (misfit[0] || misfit[1])
				&& out->first->identity->cred.uid.v
					!= out->second->identity->cred.uid.v
				&& overlap(out->first->demand, out->second->demand)) {
				out->misfit = misfit[1] ? out->second : out->first;
				return true;
			}
		}
	}
	return false;
}

static void check_shared(struct check_work *work) {
	const struct br_demands *demands = work->input->demands;
	for (size_t i = 0; i < demands->ntrees; i++) {
		struct sharers pair;
		if (!find_sharers(work, &demands->trees[i], &pair)) {
			continue;
		}
		const struct br_mount_source *first = pair.first;
		const struct br_mount_source *second = pair.second;
		struct about about = about_mount(pair.misfit);
		// Where one lies in the other, they share the inner one.
		bool inner = strlen(first->source->real) > strlen(second->source->real);
		struct br_finding *finding = add_finding(work, 401, &about,
			"'%s' (uid %u) and '%s' (uid %u) share '%s': no single owner serves both",
			first->container->name.s, first->identity->cred.uid.v,
			second->container->name.s, second->identity->cred.uid.v,
			inner ? first->source->path : second->source->path);
		finding->advice = "bindright fix gives each of them an ACL entry of its own";
	}
}

static bool read_only_blocks(const struct br_mount_source *ms) {
	const struct br_fs *fs = &ms->source->fs;
	return ms->demand && !ms->mount->overlay
		&& ((ms->demand->need.dir | ms->demand->need.file) & BR_W)
		&& (fs->mount_read_only || fs->super_read_only || ms->demand->read_only);
}

/** BR210: where something is to be changed below a container that runs. */
static void check_running(struct check_work *work) {
	const struct br_spec *spec = work->input->spec;
	const struct br_demands *demands = work->input->demands;
	for (size_t i = 0; work->options->running && i < spec->n; i++) {
		const struct br_container *container = &spec->containers[i];
		bool misfit = false;
		for (size_t k = 0; k < demands->nmounts; k++) {
			misfit |= demands->mounts[k].container == container
				&& demands->mounts[k].demand && !work->mounts[k].result.fits;
		}
		if (!misfit || !work->options->running[i]) {
			continue;
		}
		struct about about = {.container = container, .at = container->name.at};
		struct br_finding *finding =
			add_finding(work, 210, &about, "'%s' runs now", container->name.s);
		finding->because = "what is changed on the host changes under its feet";
		finding->advice = say(work, "%s stop %s, before bindright fix",
			!container->exists ? "docker compose"
				: spec->engine == BR_ENGINE_DOCKER
					|| spec->engine == BR_ENGINE_DOCKER_ROOTLESS
				? "docker"
				: "podman",
			container->name.s);
	}
}

void check_walked(struct check_work *work) {
	const struct br_demands *demands = work->input->demands;
	for (size_t i = 0; i < demands->nmounts; i++) {
		struct mount_work *mw = &work->mounts[i];
		const struct br_mount_source *ms = &demands->mounts[i];
		if (!ms->demand || ms->source->state != BR_SOURCE_PRESENT) {
			continue;
		}
		mw->result.fits = mw->result.misfit == 0 && mw->result.unseen == 0
			&& mw->result.seen > 0 && !read_only_blocks(ms) && !mw->stopped;
		if (is_shut_out(work, ms)) {
			check_shut_out(work, mw, ms);
			continue;
		}
		check_heard(work, mw, ms);
		check_root(work, mw, ms);
		check_override(work, mw, ms);
		check_inside(work, mw, ms);
		check_ungiven(work, mw, ms);
		check_sums(work, mw, ms);
		check_secrets(work, mw, ms);
		if (!check_narrow(work, mw, ms)) {
			check_future(work, mw, ms);
		}
	}
	check_shared(work);
	check_running(work);
}
