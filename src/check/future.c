/** Findings about what is not there yet: what the container will make, and whether the people of
 * the host can use it. */
#include "check_impl.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

bool reaches(struct check_work *work, const struct br_cred *cred, const char *real) {
	for (const char *slash = strchr(real, '/'); slash; slash = strchr(slash + 1, '/')) {
		struct br_inode inode;
		const char *dir = say(work, "%.*s", (int)(slash - real) + (slash == real), real);
		if (!real[1] || br_inode_read(AT_FDCWD, dir, BR_HAVE_ACL, work->input->acls, &inode)
			|| br_access(&inode, cred, &(struct br_where){0}, BR_X).missing) {
			return !real[1];
		}
	}
	return true;
}

/** What the container makes in a directory when it asks for what programs ask for, and one who
 * wants to use it. */
struct made {
	struct br_inode root;
	struct br_inode file;
	struct br_inode dir;
};

static int foresee(struct check_work *work, const struct br_mount_source *ms,
	const struct br_cred *cred, struct made *made) {
	struct br_acls *acls = work->input->acls;
	struct br_birth birth = {.parent = &made->root,
		.cred = cred,
		.where = where_of(ms->demand),
		.new_group = ms->source->fs.new_group,
		.mode = S_IFREG | 0666};
	int failed = br_access_created(&birth, acls, &made->file);
	birth.mode = S_IFDIR | 0777;
	return failed || br_access_created(&birth, acls, &made->dir) ? -1 : 0;
}

static bool lacks(const struct br_inode *inode, const struct br_cred *cred, unsigned want) {
	return br_access_use(inode, cred, &(struct br_where){0}, want).missing != 0;
}

/** What he will not be able to do, of what he can do in the directory today: "change or delete";
 * NULL: nothing. */
static const char *say_lacking(
	struct check_work *work, const struct made *made, const struct br_cred *who) {
	bool sticky;
	bool reads = !lacks(&made->root, who, BR_R | BR_X);
	bool writes = reads && !lacks(&made->root, who, BR_W | BR_X);
	bool read = reads && (lacks(&made->file, who, BR_R) || lacks(&made->dir, who, BR_R | BR_X));
	bool change = writes && lacks(&made->file, who, BR_W);
	bool remove = writes
		&& (lacks(&made->dir, who, BR_W | BR_X)
			|| !br_access_delete(
				&made->root, &made->file, who, &(struct br_where){0}, &sticky));
	if (!read && !change && !remove) {
		return NULL;
	}
	return say(work, "%s%s%s%s%s", read ? "read" : "",
		!read || (!change && !remove) ? ""
			: change && remove    ? ", "
					      : " or ",
		change ? "change" : "", change && remove ? " or " : "", remove ? "delete" : "");
}

/** "-rw-r--r-- of 1001:1001". */
static const char *say_made(struct check_work *work, const struct br_inode *inode) {
	char mode[12];
	return say(work, "%s of %u:%u", br_mode_text(inode, mode), inode->uid.v, inode->gid.v);
}

/** Whether a umask that leaves the group alone would be enough, since they share it. */
static bool umask_helps(struct check_work *work, const struct br_mount_source *ms,
	const struct made *made, const struct br_cred *who) {
	struct made other = *made;
	struct br_cred cred = ms->demand->identity->cred;
	cred.umask &= ~(uint32_t)070;
	return foresee(work, ms, &cred, &other) == 0 && !say_lacking(work, &other, who);
}

static const char *advise(struct check_work *work, const struct br_mount_source *ms,
	const struct made *made, const struct br_host_user *user, const struct br_cred *who) {
	const struct br_cred *cred = &ms->identity->cred;
	br_boxid uid;
	br_boxid gid;
	bool mapped = br_idmap_to_box(&cred->uids, who->uid, &uid)
		&& br_idmap_to_box(&cred->gids, who->gid, &gid);
	const char *as = mapped ? say(work, "run it as %s: %s", user->name,
				 say_user(work, say(work, "%u:%u", uid.v, gid.v)))
				: "run it as a user that the directory belongs to";
	const char *acl = ms->source->fs.keeps_acls == BR_NO
		? ""
		: "bindright fix --future-files (a default ACL), or ";
	const char *group = umask_helps(work, ms, made, who)
		? say(work, "a umask of 0002 in the container (they share group %u), or ",
			made->file.gid.v)
		: "";
	return say(work, "%s%s%s", acl, group, as);
}

/** One keeper. False: nothing to say of him. */
static bool check_keeper(struct check_work *work, const struct br_mount_source *ms,
	const struct made *made, const char *name) {
	struct br_cred who;
	const struct br_host_user *user = br_hostdb_user_named(work->input->hostdb, name);
	if (!user || user->uid.v == 0 || user->uid.v == ms->identity->cred.uid.v) {
		return false;
	}
	if (br_hostdb_cred(work->input->hostdb, work->check->arena, user, &who)) {
		work->failed = true;
		return false;
	}
	const char *lacking = say_lacking(work, made, &who);
	if (!lacking || !reaches(work, &who, ms->source->real)) {
		return false;
	}
	struct about about = about_mount(ms);
	struct br_finding *finding = add_finding(work, 106, &about,
		"%s will not be able to %s what uid %u writes in '%s'", user->name, lacking,
		ms->identity->cred.uid.v, about.path);
	finding->because = say(work, "new files will be %s, new directories %s",
		say_made(work, &made->file), say_made(work, &made->dir));
	finding->advice = advise(work, ms, made, user, &who);
	return true;
}

/** The container writes there, it belongs to people as well, and nobody but the kernel says what
 * new files are like. */
static bool is_shared_place(const struct mount_work *mw, const struct br_mount_source *ms) {
	const struct br_image_drop *drop = ms->identity->drop;
	bool own_data = drop && (drop->chowns || drop->chmods);
	bool plain = !ms->mount->overlay && !ms->mount->chown;
	return plain && S_ISDIR(mw->result.root.mode) && mw->result.seen > 0
		&& !ms->demand->read_only && (mw->result.have & (BR_W | BR_X)) == (BR_W | BR_X)
		&& !own_data && ms->source->fs.keeps_owners == BR_YES
		&& !ms->source->fs.mount_read_only && !ms->source->fs.super_read_only;
}

void check_future(
	struct check_work *work, const struct mount_work *mw, const struct br_mount_source *ms) {
	struct made made;
	static const char *const nobody[] = {NULL};
	const struct br_wishes *wishes = &ms->mount->wishes;
	const char *const *keepers = work->options->keepers ? work->options->keepers : nobody;
	if ((!keepers[0] && !wishes->nusers) || !is_shared_place(mw, ms)) {
		return;
	}
	if (br_inode_read(ms->source->fd, "", BR_HAVE_ACL | BR_HAVE_DEFAULT_ACL, work->input->acls,
		    &made.root)) {
		return;
	}
	if (foresee(work, ms, &ms->demand->identity->cred, &made)) {
		work->failed = true;
		return;
	}
	bool told = false;
	for (size_t i = 0; !told && keepers[i]; i++) {
		told = check_keeper(work, ms, &made, keepers[i]);
	}
	for (size_t i = 0; !told && i < wishes->nusers; i++) {
		const struct br_host_user *user =
			br_hostdb_user_said(work->input->hostdb, wishes->users[i].s);
		told = user && check_keeper(work, ms, &made, user->name);
	}
}
