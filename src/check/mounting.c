/** What the engine has to do before the container starts: make mount points, and mounts. Where it
 * cannot, it refuses to start. */
#include "check_impl.h"

#include <base/file.h>
#include <base/own.h>
#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/** The file name of the container's runtime; NULL: not known. */
static const char *runtime_of(
	const struct br_engine_mode *mode, const struct br_container *container) {
	const char *word = container->runtime.s ? container->runtime.s
		: mode                          ? mode->runtime
						: NULL;
	const char *slash = word ? strrchr(word, '/') : NULL;
	bool docker =
		!mode || (mode->engine != BR_ENGINE_OCI && !br_engine_is_podman(mode->engine));
	return slash ? slash + 1 : word ? word : docker ? "runc" : NULL;
}

static bool is_crun(const struct br_engine_mode *mode, const struct br_container *container) {
	const char *name = runtime_of(mode, container);
	return name && strcmp(name, "crun") == 0;
}

static bool is_same_map(const struct br_idmap *a, const struct br_idmap *b) {
	for (size_t i = 0; a->n == b->n && i < a->n; i++) {
		if (memcmp(&a->extents[i], &b->extents[i], sizeof(a->extents[i])) != 0) {
			return false;
		}
	}
	return a->n == b->n;
}

/** Whether the container has a user namespace that its runtime makes, and not only the one that a
 * rootless engine is in. */
static bool has_space(const struct br_engine_mode *mode, const struct br_cred *cred) {
	return cred->uids.n > 0
		&& !(mode && mode->user && is_same_map(&cred->uids, &mode->uids)
			&& is_same_map(&cred->gids, &mode->gids));
}

enum br_submounts br_check_submounts(const struct br_check_input *input,
	const struct br_habits *habits, const struct br_mount_source *ms) {
	bool hides = habits->crun_hides_submounts && is_crun(input->mode, ms->container)
		&& has_space(input->mode, &ms->identity->cred);
	return hides ? BR_SUBMOUNTS_HIDDEN : br_habits_submounts(habits, ms->mount);
}

// The runtime's process has entered the user namespace. Where it made that, runc has no groups any
// more (nsexec.c, setgroups(0)); crun has the container's by then.
bool br_check_mounter(
	const struct br_check_input *input, const struct br_mount_source *ms, struct br_cred *out) {
	const struct br_engine_mode *mode = input->mode;
	const struct br_cred *cred = &ms->identity->cred;
	*out = (struct br_cred){.caps = UINT64_MAX, .uids = cred->uids, .gids = cred->gids};
	if (ms->identity->confidence == BR_UNKNOWN
		|| !br_idmap_to_host(&cred->uids, (br_boxid){0}, &out->uid)
		|| !br_idmap_to_host(&cred->gids, (br_boxid){0}, &out->gid)) {
		return false;
	}
	if (is_crun(mode, ms->container)) {
		out->groups = cred->groups;
		out->ngroups = cred->ngroups;
	} else if (mode && mode->user && !has_space(mode, cred)) {
		out->groups = mode->cred.groups;
		out->ngroups = mode->cred.ngroups;
	}
	return true;
}

/** The innermost mount around another one's target. */
static const struct br_mount *outer_of(
	const struct br_container *container, const struct br_mount *inner) {
	const struct br_mount *best = NULL;
	for (size_t i = 0; i < container->nmounts; i++) {
		const struct br_mount *mount = &container->mounts[i];
		size_t n = mount->target.s ? strlen(mount->target.s) : 0;
		if (mount != inner && n > 1 && inner->target.s
			&& strncmp(inner->target.s, mount->target.s, n) == 0
			&& inner->target.s[n] == '/' && (!best || n > strlen(best->target.s))) {
			best = mount;
		}
	}
	return best;
}

static const struct br_mount_source *source_of(
	const struct check_work *work, const struct br_mount *mount) {
	const struct br_demands *demands = work->input->demands;
	for (size_t i = 0; i < demands->nmounts; i++) {
		if (demands->mounts[i].mount == mount) {
			return &demands->mounts[i];
		}
	}
	return NULL;
}

/** Looking for one mount point in the source of the mount around it. */
struct point {
	struct check_work *work;
	const struct br_mount_source *outer;
	const struct br_mount *inner;
	struct br_cred mounter;
	/** The directory that was looked at last, below the source. */
	const char *dir;
	struct br_inode inode;
	struct br_verdict verdict;
};

/** On the host, for people. */
static const char *path_of(const struct point *p, const char *below) {
	const char *real = p->outer->source->real;
	return *below ? say(p->work, "%s/%s", real, below) : real;
}

static struct br_finding *refuse(struct point *p, br_code_number code, const char *why) {
	struct about about = about_mount(p->outer);
	about.at = p->inner->at;
	struct br_finding *finding = add_finding(p->work, code, &about,
		"%s: the engine will refuse to start '%s'", why, p->outer->container->name.s);
	finding->refused = true;
	return finding;
}

/** Why the runtime may not. */
static const char *say_mounter(const struct point *p) {
	const char *why = say_because(p->work, &p->inode, &p->mounter, &p->verdict);
	return p->mounter.uids.n
		? say(p->work, "it mounts as uid %u, root of the user namespace; there %s",
			p->mounter.uid.v, why)
		: why;
}

/** Open a directory of the source. -1 with errno: ENOTDIR, or it cannot be said what it is. */
static int look(struct point *p, const char *dir) {
	const struct br_cred *cred = &p->outer->identity->cred;
	br_auto(br_closep) int fd =
		br_open_beneath(p->outer->source->fd, dir, O_PATH | O_DIRECTORY, true);
	p->dir = dir;
	if (fd < 0
		|| br_inode_read(fd, "", BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL, p->work->input->acls,
			&p->inode)) {
		return -1;
	}
	// Under `:U` it is given away before anything is mounted.
	if (p->outer->mount->chown
		&& br_engine_may_give(p->work->input->mode, p->inode.uid, p->inode.gid)) {
		p->inode.uid = cred->uid;
		p->inode.gid = cred->gid;
	}
	return 0;
}

static void check_search(struct point *p) {
	struct br_finding *finding = refuse(p, 212,
		say(p->work, "the mount point '%s' lies behind '%s', which the engine cannot enter",
			p->inner->target.s, path_of(p, p->dir)));
	finding->because = say_mounter(p);
	finding->verdict = p->verdict;
}

/** What the runtime's mkdir(0755) makes in the directory, where that is not what it asks for: the
 * directory's group, setgid, or a default ACL. NULL: nothing else. */
static const char *say_born(struct point *p) {
	struct check_work *work = p->work;
	struct br_cred maker = p->mounter;
	const struct br_birth birth = {.parent = &p->inode,
		.cred = &maker,
		.new_group = p->outer->source->fs.new_group,
		.mode = S_IFDIR | 0755};
	struct br_inode made;
	char mode[12];
	maker.umask = 0;
	if (br_access_created(&birth, work->input->acls, &made)) {
		work->failed = true;
		return NULL;
	}
	bool plain = made.mode == (S_IFDIR | 0755) && made.gid.v == maker.gid.v && !made.acl
		&& !made.def;
	return plain ? NULL
		     : say(work, "by the directory above it, it will be %s of %u:%u",
			     br_mode_text(&made, mode), made.uid.v, made.gid.v);
}

/** BR402, or BR212: the mount point, or a directory above it, is to be made in what was looked at
 * last. */
static void check_absent(struct point *p) {
	struct check_work *work = p->work;
	const struct br_source *source = p->outer->source;
	size_t n = strlen(p->outer->mount->target.s);
	const char *path = path_of(p, p->inner->target.s + n + 1);
	// crun makes mounts read-only when all are there.
	const struct br_where where = {.read_only = source->fs.mount_read_only
			|| source->fs.super_read_only
			|| (p->outer->mount->read_only
				&& !is_crun(work->input->mode, p->outer->container))};
	struct br_finding *finding;
	p->verdict = br_access(&p->inode, &p->mounter, &where, BR_W | BR_X);
	if (p->verdict.missing) {
		finding = refuse(p, 212,
			say(work, "the engine cannot create '%s', the mount point of '%s'", path,
				p->inner->target.s));
		finding->because = say_mounter(p);
		finding->verdict = p->verdict;
	} else {
		struct about about = about_mount(p->outer);
		uint32_t uid = p->mounter.uid.v;
		about.at = p->inner->at;
		finding = add_finding(work, 402, &about,
			"the engine will create '%s' on the host, as %s: the mount point of '%s'",
			path, uid ? say(work, "uid %u's", uid) : "root's", p->inner->target.s);
		finding->because = say_born(p);
	}
	finding->advice = "create it before the first start";
}

/** What is mounted is a directory, or is none; -1: not known. */
static int is_directory(const struct check_work *work, const struct br_mount *mount) {
	const struct br_mount_source *ms = source_of(work, mount);
	if (!ms) {
		return mount->kind == BR_MOUNT_TMPFS || mount->kind == BR_MOUNT_VOLUME ? 1 : -1;
	}
	if (ms->source->state == BR_SOURCE_MISSING && mount->create == BR_CREATE_ENGINE
		&& engine_creates(work)) {
		return 1;
	}
	return ms->source->state == BR_SOURCE_PRESENT ? S_ISDIR(ms->source->mode) : -1;
}

/** BR203: the two have to be alike (mount(2), ENOTDIR). */
static void check_alike(struct point *p, const char *below, bool point_is_directory) {
	int mounts = is_directory(p->work, p->inner);
	if (mounts < 0 || mounts == point_is_directory) {
		return;
	}
	refuse(p, 203,
		say(p->work, "a %s is to be mounted at '%s', and '%s' is %s",
			mounts ? "directory" : "file", p->inner->target.s, path_of(p, below),
			point_is_directory ? "a directory" : "none"))
		->advice = "mount it somewhere else, or make the two of one kind";
}

static void check_below_file(struct point *p, const char *file) {
	refuse(p, 203,
		say(p->work, "the mount point '%s' lies below '%s', which is no directory",
			p->inner->target.s, path_of(p, file)))
		->advice = "mount it somewhere else";
}

/** From the source's root to the mount point. */
static void check_point(struct point *p) {
	const char *below = p->inner->target.s + strlen(p->outer->mount->target.s) + 1;
	const char *dir = "";
	for (size_t n = 0; below[n];) {
		n += strcspn(below + n, "/");
		const char *next = say(p->work, "%.*s", (int)n, below);
		if (look(p, dir)) {
			if (errno == ENOTDIR) {
				check_below_file(p, dir);
			}
			return;
		}
		p->verdict = br_access(&p->inode, &p->mounter, &(struct br_where){0}, BR_X);
		if (p->verdict.missing) {
			check_search(p);
			return;
		}
		br_auto(br_closep) int fd =
			br_open_beneath(p->outer->source->fd, next, O_PATH, true);
		struct stat st;
		if (fd < 0 || fstat(fd, &st)) {
			if (fd < 0 && errno == ENOENT) {
				check_absent(p);
			}
			return;
		}
		if (!below[n]) {
			check_alike(p, below, S_ISDIR(st.st_mode));
			return;
		}
		n++;
		dir = next;
	}
}

/** A mount inside another one. */
static void check_nested(struct check_work *work, const struct br_container *container,
	const struct br_mount *inner) {
	const struct br_mount *outer = outer_of(container, inner);
	struct point p = {.work = work, .inner = inner};
	p.outer = outer ? source_of(work, outer) : NULL;
	if (!p.outer || p.outer->source->state != BR_SOURCE_PRESENT
		|| !S_ISDIR(p.outer->source->mode) || outer->idmap.s
		|| !br_check_mounter(work->input, p.outer, &p.mounter)) {
		return;
	}
	check_point(&p);
}

/** BR203: what the image has at the target is of another kind. */
static void check_target(struct check_work *work, const struct br_mount_source *ms) {
	size_t i = (size_t)(ms->container - work->input->spec->containers);
	const struct br_image *image = work->input->images ? &work->input->images[i] : NULL;
	const struct br_image_node *node =
		image && ms->mount->target.s && !outer_of(ms->container, ms->mount)
		? br_image_node_at(image, ms->mount->target.s)
		: NULL;
	bool known = node && node->origin == BR_IMAGE_ARCHIVE
		&& (node->type == BR_IMAGE_FILE || node->type == BR_IMAGE_DIRECTORY);
	int mounts = is_directory(work, ms->mount);
	if (!known || mounts < 0 || mounts == (node->type == BR_IMAGE_DIRECTORY)) {
		return;
	}
	struct about about = about_mount(ms);
	struct br_finding *finding = add_finding(work, 203, &about,
		"'%s' %s, and '%s' in the image is %s: the engine will refuse to start '%s'",
		about.path,
		ms->source->state == BR_SOURCE_MISSING ? "will be made, as a directory"
			: mounts                       ? "is a directory"
						       : "is a file",
		ms->mount->target.s, mounts ? "a file" : "a directory", ms->container->name.s);
	finding->advice = "mount it somewhere else, or make the two of one kind";
	finding->refused = true;
}

/** BR212: options that an engine of this version cannot carry out. */
static void check_options(struct check_work *work, const struct br_mount_source *ms) {
	const struct br_mount *mount = ms->mount;
	const struct br_cred *cred = &ms->identity->cred;
	const struct br_engine_mode *mode = work->input->mode;
	bool rootless = mode && mode->user;
	br_hostid root = {0};
	const char *what = NULL;
	const char *why = NULL;
	(void)br_idmap_to_host(&cred->uids, (br_boxid){0}, &root); // without a 0 it is nobody's
	if (mount->overlay && !rootless && root.v != 0 && work->habits->overlay_needs_root) {
		what = ":O";
		why = "it keeps what is written in a directory of root's, 0700, and mounts as the "
		      "root of the container's user namespace, which cannot enter that";
	} else if (mount->idmap.s && is_crun(work->input->mode, ms->container)
		&& (strcmp(mount->idmap.s, "idmap") != 0
				? rootless
				: work->habits->idmap_needs_space && (rootless || !cred->uids.n))) {
		what = "idmap";
		why = rootless ? "only the host's root makes an ID-mapped mount"
			       : "the container has no user namespace whose map it could have";
	}
	if (!what) {
		return;
	}
	struct about about = about_mount(ms);
	struct br_finding *finding = add_finding(work, 212, &about,
		"the engine cannot mount '%s' with %s: it will refuse to start '%s'",
		mount->target.s, what, ms->container->name.s);
	finding->because = why;
	finding->advice = say(work, "leave %s out", what);
	finding->refused = true;
}

void check_mounting(struct check_work *work) {
	const struct br_spec *spec = work->input->spec;
	const struct br_demands *demands = work->input->demands;
	for (size_t i = 0; i < demands->nmounts && !work->stop; i++) {
		const struct br_mount_source *ms = &demands->mounts[i];
		check_target(work, ms);
		if (ms->identity->confidence != BR_UNKNOWN) {
			check_options(work, ms);
		}
	}
	for (size_t i = 0; i < spec->n && !work->stop; i++) {
		for (size_t k = 0; k < spec->containers[i].nmounts; k++) {
			check_nested(work, &spec->containers[i], &spec->containers[i].mounts[k]);
		}
	}
}
