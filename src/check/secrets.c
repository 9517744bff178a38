/** Secrets that more people of the host can read than the container's user. */
#include "check_impl.h"

#include <base/text.h>

#include <string.h>
#include <sys/stat.h>

static bool ends_with(const char *s, const char *end) {
	size_t n = strlen(s);
	size_t k = strlen(end);
	return n > k && strcmp(s + n - k, end) == 0;
}

/** What OpenSSH, PostgreSQL, MySQL, git, curl and certbot call files that nobody else is to read. */
static bool is_key(const char *name) {
	static const char *const keys[] = {"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_xmss",
		".pgpass", ".netrc", ".my.cnf", ".git-credentials", "privkey.pem", "shadow",
		"gshadow"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		// Asked of each file; mostly the first letter tells.
		if (name[0] == keys[i][0] && strcmp(name, keys[i]) == 0) {
			return true;
		}
	}
	return name[0] == 's' && strncmp(name, "ssh_host_", 9) == 0 && ends_with(name, "_key");
}

/** One that is mounted by itself may have a name of which there are harmless ones in every test
 * suite. */
static bool is_key_by_ending(const char *name) {
	static const char *const endings[] = {
		".key", "-key.pem", "_key.pem", ".p12", ".pfx", ".kdbx"};
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (ends_with(name, endings[i])) {
			return strncmp(name, "pub", 3) != 0;
		}
	}
	return false;
}

static const char *last_name(const char *path) {
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

bool is_secret_inside(const struct br_entry *entry) {
	return entry->inode && S_ISREG(entry->inode->mode) && *entry->path && is_key(entry->name);
}

static bool is_secret_source(const struct br_mount_source *ms) {
	const char *name = last_name(ms->source->real);
	return S_ISREG(ms->source->mode)
		&& (ms->mount->kind == BR_MOUNT_SECRET || is_key(name) || is_key_by_ending(name));
}

/** A user of the host who may read it, and neither owns it, nor is the container's or one who keeps
 * access. */
static const struct br_host_user *find_reader(struct check_work *work, const struct br_inode *inode,
	const struct br_mount_source *ms, const char *real) {
	br_hostid box = ms->identity->cred.uid;
	const struct br_host_user *users;
	size_t n = br_hostdb_users(work->input->hostdb, &users);
	for (size_t i = 0; i < n; i++) {
		struct br_cred cred;
		uint32_t uid = users[i].uid.v;
		if (uid == 0 || uid == inode->uid.v || uid == box.v
			|| is_keeper(work, ms->mount, 1, users[i].name)) {
			continue;
		}
		if (br_hostdb_cred(work->input->hostdb, work->check->arena, &users[i], &cred)) {
			work->failed = true;
			return NULL;
		}
		if (!br_access(inode, &cred, &(struct br_where){0}, BR_R).missing
			&& reaches(work, &cred, real)) {
			return &users[i];
		}
	}
	return NULL;
}

const char *say_readers(struct check_work *work, const struct br_inode *inode,
	const struct br_mount_source *ms, const char *real) {
	// Nobody's numbers: what is left are the bits of others.
	const struct br_cred stranger = {.uid = {BR_NO_ID - 1}, .gid = {BR_NO_ID - 1}};
	if (!br_access(inode, &stranger, &(struct br_where){0}, BR_R).missing) {
		return reaches(work, &stranger, real) ? "everybody" : NULL;
	}
	// Without an ACL and group bits only the owner is left.
	if (!(inode->mode & 0070)) {
		return NULL;
	}
	const struct br_host_user *user = find_reader(work, inode, ms, real);
	return user ? user->name : NULL;
}

/** The container's user keeps reading it, and others do not. */
static const char *say_cure(
	struct check_work *work, const struct br_mount_source *ms, const struct br_inode *inode) {
	const struct br_cred *cred = &ms->identity->cred;
	struct br_inode closed = *inode;
	struct br_buf buf = {0};
	if (!br_is_typable(ms->source->real)) {
		return NULL;
	}
	closed.mode &= ~(uint32_t)7;
	if (!br_access(&closed, cred, &(struct br_where){0}, BR_R).missing) {
		br_buf_add(&buf, "chmod o= ");
	} else if (!inode->acl && ms->source->fs.keeps_acls == BR_YES) {
		br_buf_addf(&buf, "setfacl -m u:%u:r--,o::--- ", cred->uid.v);
	} else {
		return NULL;
	}
	br_buf_shell(&buf, ms->source->real);
	const char *out = buf.failed ? NULL : say(work, "%s", buf.s);
	br_buf_release(&buf);
	return out;
}

static bool told_before(const struct check_work *work, const struct br_mount_source *ms) {
	const struct br_demands *demands = work->input->demands;
	for (size_t i = 0; &demands->mounts[i] != ms; i++) {
		const struct br_source *other = demands->mounts[i].source;
		if (other->state == BR_SOURCE_PRESENT && other->dev == ms->source->dev
			&& other->ino == ms->source->ino) {
			return true;
		}
	}
	return false;
}

static void check_source(struct check_work *work, const struct br_mount_source *ms) {
	struct br_inode inode;
	if (!is_secret_source(ms) || told_before(work, ms) || ms->source->fs.remote
		|| ms->identity->confidence == BR_UNKNOWN
		|| br_inode_read(ms->source->fd, "", BR_HAVE_ACL, work->input->acls, &inode)) {
		return;
	}
	const char *who = say_readers(work, &inode, ms, ms->source->real);
	if (!who) {
		return;
	}
	char mode[12];
	struct about about = about_mount(ms);
	bool all = strcmp(who, "everybody") == 0;
	struct br_finding *finding = add_finding(work, 506, &about, "%s can read the secret '%s'",
		all ? "everybody on this host" : say(work, "host user %s", who), about.path);
	finding->because = say(work, "its mode is %s", br_mode_text(&inode, mode));
	finding->command = all ? say_cure(work, ms, &inode) : NULL;
	if (finding->command) {
		// In a sentence only what is the same word when it is wrapped and escaped.
		bool plain = !strpbrk(ms->source->real, " \\");
		finding->advice = say(work, "take it from the others%s%s", plain ? ": " : "",
			plain ? finding->command : "");
	} else if (!all) {
		finding->advice = say(work, "bindright explain says by which rule: --as %s", who);
	}
}

void check_secrets(
	struct check_work *work, const struct mount_work *mw, const struct br_mount_source *ms) {
	check_source(work, ms);
	if (mw->exposed.count) {
		struct about about = about_mount(ms);
		struct br_finding *finding = add_finding(work, 506, &about,
			"others on this host can read %llu private %s in '%s'",
			(unsigned long long)mw->exposed.count,
			mw->exposed.count == 1 ? "key" : "keys", about.path);
		finding->because = "by their names they are meant for their owner alone";
		finding->advice = "chmod go= them, or --exclude what the container does not need";
		give_examples(work, finding, &mw->exposed);
	}
}
