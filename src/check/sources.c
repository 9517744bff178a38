/** Findings about bind sources that need no walk: missing, confused, read-only, dangerous. */
#include "check_impl.h"

#include <base/file.h>
#include <base/own.h>
#include <base/text.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *ending(const char *path) {
	const char *name = strrchr(path, '/');
	name = name ? name + 1 : path;
	const char *dot = strrchr(name, '.');
	return dot ? dot + 1 : NULL;
}

/** Both sides of the mount are named like the same kind of file. */
static bool looks_like_file(const struct br_mount_source *ms) {
	const char *source = ending(ms->source->path);
	const char *target = ms->mount->target.s ? ending(ms->mount->target.s) : NULL;
	return source && target && strcasecmp(source, target) == 0
		&& br_names_file(ms->source->path);
}

/** Who makes what is missing: bindright makes no directory that has the name of a file. */
static const char *advise_missing(const struct br_mount_source *ms) {
	bool makeable = ms->mount->kind == BR_MOUNT_BIND || ms->mount->kind == BR_MOUNT_VOLUME_BIND;
	if (!makeable) {
		return "create it before the first start";
	}
	return br_names_file(ms->source->path)
		? "it is named like a file: create it before the first start"
		: "bindright fix creates it for the container first";
}

/** chmod(2) of something with an ACL: owner, mask (or owning group) and others follow the mode
 * (__posix_acl_chmod_masq() in fs/posix_acl.c). */
static int chmod_made(struct check_work *work, struct br_inode *inode, uint32_t mode) {
	inode->mode = (inode->mode & S_IFMT) | mode;
	if (!inode->acl) {
		return 0;
	}
	size_t n = inode->acl->n;
	struct br_acl_entry *entries = BR_NEW_ARRAY(work->check->arena, struct br_acl_entry, n);
	bool masked = br_acl_find(inode->acl, BR_ACL_MASK, (br_hostid){BR_NO_ID}) != NULL;
	for (size_t i = 0; entries && i < n; i++) {
		entries[i] = inode->acl->entries[i];
		unsigned tag = entries[i].tag;
		if (tag == BR_ACL_OWNER) {
			entries[i].perm = (uint16_t)(mode >> 6 & 7);
		} else if (tag == BR_ACL_OTHER) {
			entries[i].perm = (uint16_t)(mode & 7);
		} else if (tag == (masked ? BR_ACL_MASK : BR_ACL_OWNING_GROUP)) {
			entries[i].perm = (uint16_t)(mode >> 3 & 7);
		}
	}
	inode->acl = entries ? br_acls_make(work->input->acls, entries, n) : NULL;
	return inode->acl ? 0 : -1;
}

/**
 * The directory that the engine makes in another: mkdir(0755) by root, chown to root, and where the
 * permission bits came out otherwise chmod(0755), which takes the setgid bit away and makes an
 * ACL's mask r-x (moby's idtools.MkdirAllAndChown).
 */
static int make_as_engine(struct check_work *work, const struct br_mount_source *ms,
	const struct br_inode *parent, struct br_inode *out) {
	// The daemon works with a umask of its own, which takes nothing from 0755.
	const struct br_cred root = {.uid = {0}, .gid = {0}, .caps = UINT64_MAX, .umask = 022};
	const struct br_birth birth = {.parent = parent,
		.cred = &root,
		.new_group = ms->source->fs.new_group,
		.mode = S_IFDIR | 0755};
	int failed = br_access_created(&birth, work->input->acls, out);
	engine_owner(work, &out->uid, &out->gid);
	if (!failed && (out->mode & 0777) != 0755) {
		failed = chmod_made(work, out, 0755);
	}
	work->failed |= failed != 0;
	return failed;
}

/** What the container could do with the directory that the engine would make, by the directory in
 * which it makes it. */
static struct br_verdict judge_engine_made(
	struct check_work *work, const struct br_mount_source *ms, unsigned need) {
	struct br_inode made = {.mode = S_IFDIR | 0755, .nlink = 2, .have = BR_HAVE_ACL};
	engine_owner(work, &made.uid, &made.gid);
	struct br_inode parent;
	const char *missing = ms->source->missing;
	if (ms->source->fd >= 0
		&& br_inode_read(ms->source->fd, "", BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL,
			   work->input->acls, &parent)
			== 0) {
		do {
			if (make_as_engine(work, ms, &parent, &made)) {
				break;
			}
			parent = made;
			missing = missing ? strchr(missing, '/') : NULL;
			missing = missing ? missing + 1 : NULL;
		} while (missing);
	}
	return br_access_use(&made, &ms->identity->cred, &(struct br_where){0}, need);
}

static bool is_judged(const struct br_mount_source *ms) {
	return ms->identity->confidence != BR_UNKNOWN && !ms->identity->unmapped;
}

static unsigned root_need(const struct br_mount_source *ms) {
	return ms->demand              ? ms->demand->need.dir
		: ms->mount->read_only ? BR_R | BR_X
				       : BR_R | BR_W | BR_X;
}

static bool is_socket_name(const char *path) {
	size_t n = strlen(path);
	return n > 5 && strcmp(path + n - 5, ".sock") == 0;
}

static void check_engine_made(
	struct check_work *work, struct mount_work *mw, const struct br_mount_source *ms) {
	struct about about = about_mount(ms);
	char have[4];
	if (looks_like_file(ms)) {
		struct br_finding *finding = add_finding(work, 203, &about,
			"'%s' does not exist, and the engine will make a directory of it",
			about.path);
		finding->because = "both sides of the mount are named like a file";
		finding->advice = is_socket_name(about.path)
			? "start what listens there first: it makes the socket"
			: "create the file before the first start";
		return;
	}
	if (!is_judged(ms)) {
		return;
	}
	mw->result.need = root_need(ms);
	mw->result.verdict = judge_engine_made(work, ms, mw->result.need);
	mw->result.have = mw->result.verdict.have & mw->result.need;
	mw->result.fits = mw->result.verdict.missing == 0;
	if (mw->result.fits) {
		return;
	}
	br_hostid uid;
	br_hostid gid;
	engine_owner(work, &uid, &gid);
	const char *whose = uid.v ? say(work, "uid %u's", uid.v) : "root's";
	struct br_finding *finding = add_finding(work, 201, &about,
		"'%s' does not exist; the engine would create it as %s", about.path, whose);
	finding->because = say(work, "uid %u would have %s there", ms->identity->cred.uid.v,
		br_perm_text(mw->result.have, have));
	finding->advice = advise_missing(ms);
	finding->verdict = mw->result.verdict;
	if (br_names_file(about.path) || !br_is_typable(about.path)) {
		return;
	}
	struct br_buf buf = {0};
	br_buf_addf(&buf, "install -d -o %u -g %u -m 0755 ", ms->identity->cred.uid.v,
		ms->identity->cred.gid.v);
	br_buf_shell(&buf, about.path);
	finding->command = buf.failed ? NULL : say(work, "%s", buf.s);
	br_buf_release(&buf);
}

static void check_missing(
	struct check_work *work, struct mount_work *mw, const struct br_mount_source *ms) {
	struct about about = about_mount(ms);
	if (ms->source->fs.mount_read_only || ms->source->fs.super_read_only) {
		add_finding(work, 205, &about,
			"'%s' does not exist, and cannot be created: the file system is read-only",
			about.path)
			->refused = true;
		return;
	}
	enum br_create create = engine_creates(work) ? ms->mount->create : BR_CREATE_NEVER;
	if (create == BR_CREATE_ENGINE) {
		check_engine_made(work, mw, ms);
		return;
	}
	struct br_finding *finding = add_finding(work, 202, &about,
		create == BR_CREATE_NEVER
			? "'%s' does not exist, and the engine will not create it"
			: "'%s' does not exist, and not every version of compose creates it",
		about.path);
	finding->refused = create == BR_CREATE_NEVER;
	finding->because = say(work, "the way there ends at '%s'",
		ms->source->stopped_at ? ms->source->stopped_at : about.path);
	finding->advice = advise_missing(ms);
}

bool is_shut_out(const struct check_work *work, const struct br_mount_source *ms) {
	const struct br_fs *fs = &ms->source->fs;
	const struct br_cred *cred = &ms->identity->cred;
	if (!br_fs_is_private(fs) || ms->identity->confidence == BR_UNKNOWN) {
		return false;
	}
	bool engine = fs->fuse_only_uid == 0 || work->options->rootless;
	return !engine || cred->uid.v != fs->fuse_only_uid || cred->gid.v != fs->fuse_only_gid;
}

/** BR209: who cannot be asked. */
static void check_unseen(
	struct check_work *work, const struct br_mount_source *ms, const char *where) {
	struct about about = about_mount(ms);
	const struct br_source *source = ms->source;
	struct br_finding *finding = add_finding(work, 209, &about,
		"'%s' could not be examined: %s", where, say_unseen(source->err));
	work->check->complete = false;
	if (source->err == EACCES && br_fs_is_private(&source->fs)) {
		finding->because = say(work,
			"it is a FUSE file system of uid %u: without allow_other it lets nobody else "
			"in, not even root, and so not the engine",
			source->fs.fuse_only_uid);
		finding->advice = "mount it with -o allow_other";
	} else if (source->err == EACCES) {
		finding->because = say_squashed(work, NULL, &source->fs, source->err);
		finding->advice = finding->because ? "run bindright on its server"
						   : "run it as root: sudo bindright";
	}
}

static void check_unreachable(
	struct check_work *work, struct mount_work *mw, const struct br_mount_source *ms) {
	struct about about = about_mount(ms);
	const struct br_source *source = ms->source;
	const char *where = source->stopped_at ? source->stopped_at : source->path;
	struct br_finding *finding;
	switch (source->state) {
	case BR_SOURCE_PRESENT:
		return;
	case BR_SOURCE_MISSING:
		check_missing(work, mw, ms);
		return;
	case BR_SOURCE_DANGLING:
		finding = add_finding(work, 204, &about, "'%s' is a symbolic link that %s",
			source->path,
			source->err == ELOOP ? "leads round in a circle" : "leads nowhere");
		finding->because = say(work, "the way ends at '%s'", where);
		finding->refused = true;
		return;
	case BR_SOURCE_NOT_A_DIRECTORY:
		add_finding(work, 203, &about, "'%s' lies below '%s', which is not a directory",
			source->path, where)
			->refused = true;
		return;
	case BR_SOURCE_UNREACHABLE:
		check_unseen(work, ms, where);
		return;
	}
}

/** Where the owners come from, and so who can change them. */
static const char *advise_owners(struct check_work *work, const struct br_mount_source *ms) {
	const struct br_fs *fs = &ms->source->fs;
	if (fs->nfs4_acl) {
		return "an NFSv4 ACL decides there (nfs4_getfacl shows it), which its server reads by rules of "
		       "its own: bindright changes nothing";
	}
	if (strncmp(fs->type, "nfs", 3) == 0) {
		return "its server has the last word: root may be nobody there (root_squash), and "
		       "numbers may be mapped";
	}
	if (fs->remote) {
		return "its server or program has the last word on owners and modes, whatever is "
		       "shown here";
	}
	if (fs->keeps_owners == BR_NO && is_judged(ms)) {
		return say(work, "its owner and modes are options of its mount: uid=%u,gid=%u",
			ms->identity->cred.uid.v, ms->identity->cred.gid.v);
	}
	return "its owner and modes come from mount options (uid=, gid=, umask=)";
}

static void check_file_system(struct check_work *work, struct mount_work *mw,
	const struct br_mount_source *ms, const struct about *about) {
	const struct br_fs *fs = &ms->source->fs;
	// Under `:O` writes go elsewhere.
	bool writes = (root_need(ms) & BR_W) && !ms->mount->overlay;
	if ((fs->mount_read_only || fs->super_read_only) && writes) {
		struct br_finding *finding = add_finding(work, 205, about,
			"'%s' is on a file system that is mounted read-only", about->path);
		finding->because = say(work, "%s (%s)", fs->mount_point, fs->type);
		finding->advice =
			"mount it read-write on the host, or let the container have it :ro";
	}
	if (ms->demand && ms->demand->read_only && (root_need(ms) & BR_W)) {
		add_finding(work, 205, about,
			"'%s' is to be written (%s), and the container has it read-only",
			about->path, say_asker(work, &ms->demand->need))
			->advice = "mount it without :ro, or ask for r";
	}
	if (fs->keeps_owners != BR_YES || fs->nfs4_acl) {
		struct br_finding *finding = add_finding(work, 207, about,
			"the file system of '%s' %s", about->path,
			fs->keeps_owners == BR_NO ? "does not keep owners" : "may not keep owners");
		finding->because = say(work, "%s (%s)", fs->mount_point, fs->type);
		finding->advice = advise_owners(work, ms);
		mw->heard.finding = work->findings.n;
	}
}

static bool is_system_directory(const char *real) {
	static const char *const names[] = {"/", "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64",
		"/proc", "/root", "/run", "/sbin", "/sys", "/usr", "/var", "/var/lib", "/var/run"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(real, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

static void check_exposure(
	struct check_work *work, const struct br_mount_source *ms, const struct about *about) {
	const struct br_source *source = ms->source;
	if (br_source_is_engine_socket(source)) {
		add_finding(work, 503, about, "'%s' is an engine's socket", about->path)->because =
			"whoever can use it is root on this host";
	} else if (is_system_directory(source->real)) {
		add_finding(work, 504, about, "'%s' is a system directory", about->path);
	}
	if ((S_ISDIR(source->mode) || S_ISREG(source->mode)) && (source->mode & 0002)
		&& !br_fs_is_private(&source->fs)) {
		char octal[8];
		struct br_finding *finding =
			add_finding(work, 505, about, "'%s' is writable by everybody", about->path);
		(void)snprintf(octal, sizeof(octal), "%04o", source->mode & 07777U);
		finding->because = say(work, "its mode is %s", octal);
		finding->advice =
			"give the container's user access instead (bindright fix), then chmod o-w";
	}
}

/** Whether a directory has nothing in it; false also where it cannot be listed. */
static bool is_empty(const struct br_source *source) {
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	br_auto(br_closep) int fd = openat(source->fd, ".", flags | O_NOATIME);
	if (fd < 0 && errno == EPERM) {
		fd = openat(source->fd, ".", flags);
	}
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		return false;
	}
	(void)br_steal_fd(&fd); // the stream has it
	size_t n = 0;
	errno = 0;
	while (n < 3 && readdir(dir)) {
		n++;
	}
	bool empty = n == 2 && errno == 0;
	(void)closedir(dir); // was only read
	return empty;
}

/** What the image has at the mount's target; NULL: not known. */
static const struct br_image_node *find_target(
	const struct check_work *work, const struct br_mount_source *ms, bool *absent) {
	size_t i = (size_t)(ms->container - work->input->spec->containers);
	const struct br_image *image = work->input->images ? &work->input->images[i] : NULL;
	const struct br_image_node *node =
		image ? br_image_node_at(image, ms->mount->target.s) : NULL;
	*absent = node && node->type == BR_IMAGE_ABSENT;
	return node && node->owner_known && node->type == BR_IMAGE_DIRECTORY ? node : NULL;
}

/** BR211: what the engine makes of a volume's directory is not what was found there. */
static void check_volume(
	struct check_work *work, const struct br_mount_source *ms, const struct about *about) {
	const struct br_habits *habits = work->habits;
	bool spared = ms->mount->nocopy && habits->nocopy_spares;
	if (ms->mount->kind != BR_MOUNT_VOLUME_BIND || !habits->fills_empty || spared
		|| !S_ISDIR(ms->source->mode) || (!habits->adopts_full && !is_empty(ms->source))) {
		return;
	}
	bool absent = false;
	const struct br_image_node *node = find_target(work, ms, &absent);
	bool serves = node && node->uid == ms->identity->uid.v && is_judged(ms);
	if (serves || (absent && !habits->adopts_for_user)) {
		return;
	}
	struct br_finding *finding = add_finding(work, 211, about,
		"at its first use the engine gives '%s' the owner and mode of '%s' in the image%s",
		about->path, ms->mount->target.s,
		ms->mount->nocopy ? "" : ", and copies what is there");
	finding->because = node ? say(work, "it is a volume, and in the image that is %u:%u's",
				   node->uid, node->gid)
		: habits->adopts_full
		? "it is a volume: whatever is set here before may not last"
		: "it is a volume, and empty: whatever is set here before may not last";
	finding->advice = habits->nocopy_spares
		? "volume: {nocopy: true} leaves it as it is; or mount the path as a bind"
		: "mount the path as a bind";
}

static void check_present(
	struct check_work *work, struct mount_work *mw, const struct br_mount_source *ms) {
	struct about about = about_mount(ms);
	check_file_system(work, mw, ms, &about);
	check_exposure(work, ms, &about);
	check_volume(work, ms, &about);
}

void check_sources(struct check_work *work) {
	const struct br_demands *demands = work->input->demands;
	for (size_t i = 0; i < demands->nmounts && !work->stop; i++) {
		const struct br_mount_source *ms = &demands->mounts[i];
		bool stopped = check_reach(work, ms);
		work->mounts[i].stopped = stopped;
		if (stopped && ms->source->state != BR_SOURCE_PRESENT) {
			work->check->complete &= ms->source->state != BR_SOURCE_UNREACHABLE;
		} else if (ms->source->state == BR_SOURCE_PRESENT) {
			check_present(work, &work->mounts[i], ms);
		} else {
			check_unreachable(work, &work->mounts[i], ms);
		}
	}
}
