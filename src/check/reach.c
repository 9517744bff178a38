/** What the engine itself does with sources: a rootless one reaches and makes them as the user who
 * runs it. */
#include "check_impl.h"

#include <base/text.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const struct br_engine_mode *rootless_mode(const struct check_work *work) {
	const struct br_engine_mode *mode = work->input->mode;
	return mode && mode->user ? mode : NULL;
}

bool engine_creates(const struct check_work *work) {
	const struct br_engine_mode *mode = work->input->mode;
	return !mode || br_engine_has(mode->engine, mode->version, BR_TRAIT_CREATES_SOURCES);
}

void engine_owner(const struct check_work *work, br_hostid *uid, br_hostid *gid) {
	const struct br_engine_mode *mode = work->input->mode;
	uid->v = gid->v = 0;
	if (mode) {
		// Its container's root: the first ID of userns-remap's range, the user of a
		// rootless engine. These maps have a 0.
		(void)br_idmap_to_host(&mode->uids, (br_boxid){0}, uid);
		(void)br_idmap_to_host(&mode->gids, (br_boxid){0}, gid);
	}
}

/** The first directory above `path` that cred may not search; NULL where there is none, or what
 * cannot be seen. */
static const char *find_barrier(struct check_work *work, const struct br_cred *cred,
	const char *path, struct br_inode *inode, struct br_verdict *verdict) {
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		// "." so that a link counts as the directory that it leads to.
		const char *dir = say(work, "%.*s/.", (int)(slash - path), path);
		if (br_inode_read(AT_FDCWD, dir, BR_HAVE_ACL, work->input->acls, inode)) {
			return NULL;
		}
		*verdict = br_access(inode, cred, &(struct br_where){0}, BR_X);
		if (verdict->missing) {
			return slash == path ? "/" : say(work, "%.*s", (int)(slash - path), path);
		}
	}
	return NULL;
}

static void advise_reach(
	struct check_work *work, struct br_finding *finding, const char *dir, unsigned need) {
	const struct br_engine_mode *mode = rootless_mode(work);
	char bits[4];
	struct br_buf buf = {0};
	if (!br_is_typable(dir)) {
		return;
	}
	br_buf_addf(&buf, "setfacl -m u:%u:%s ", mode->user->uid.v, br_perm_text(need, bits));
	br_buf_shell(&buf, dir);
	finding->command = buf.failed ? NULL : say(work, "%s", buf.s);
	finding->advice = finding->command;
	br_buf_release(&buf);
}

/** The engine may not make a missing directory where it has to be. */
static bool cannot_make(struct check_work *work, const struct br_mount_source *ms) {
	const struct br_engine_mode *mode = rootless_mode(work);
	struct br_inode inode;
	if (ms->source->state != BR_SOURCE_MISSING || ms->source->fd < 0
		|| ms->mount->create == BR_CREATE_NEVER || !engine_creates(work)
		|| br_inode_read(ms->source->fd, "", BR_HAVE_ACL, work->input->acls, &inode)) {
		return false;
	}
	struct br_verdict verdict =
		br_access(&inode, &mode->cred, &(struct br_where){0}, BR_W | BR_X);
	if (!verdict.missing) {
		return false;
	}
	struct about about = about_mount(ms);
	struct br_finding *finding = add_finding(work, 208, &about,
		"'%s' does not exist, and '%s', who runs the engine, cannot create it", about.path,
		mode->user->name);
	finding->because = say(work, "in '%s' %s", ms->source->real,
		say_because(work, &inode, &mode->cred, &verdict));
	finding->advice = "create it before the first start";
	finding->refused = true;
	return true;
}

bool check_reach(struct check_work *work, const struct br_mount_source *ms) {
	const struct br_engine_mode *mode = rootless_mode(work);
	const struct br_source *source = ms->source;
	struct br_inode inode;
	struct br_verdict verdict;
	if (!mode) {
		return false;
	}
	const char *dir = find_barrier(work, &mode->cred, source->path, &inode, &verdict);
	if (!dir && source->real) {
		dir = find_barrier(work, &mode->cred, source->real, &inode, &verdict);
	}
	if (!dir) {
		return cannot_make(work, ms);
	}
	struct about about = about_mount(ms);
	struct br_finding *finding = add_finding(work, 208, &about,
		"'%s', who runs the engine, cannot enter '%s', so it does not reach '%s'",
		mode->user->name, dir, about.path);
	finding->because = say_because(work, &inode, &mode->cred, &verdict);
	finding->refused = true;
	advise_reach(work, finding, dir, BR_X);
	return true;
}
