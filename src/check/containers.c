/** Findings about containers: who they are, and what the host makes of their IDs. */
#include "check_impl.h"

#include <string.h>

static bool has_host_mount(const struct br_container *container) {
	for (size_t i = 0; i < container->nmounts; i++) {
		if (br_mount_on_host(&container->mounts[i])) {
			return true;
		}
	}
	return false;
}

/** What it writes there stays on the host, as its user's. */
static bool writes_host(const struct br_container *container) {
	for (size_t i = 0; i < container->nmounts; i++) {
		const struct br_mount *mount = &container->mounts[i];
		if (br_mount_on_host(mount) && !mount->read_only) {
			return true;
		}
	}
	return false;
}

static struct br_span user_place(const struct br_container *container) {
	return container->user.s ? container->user.at : container->name.at;
}

/** BR303, of the one who starts or of the one whom he drops to. */
static void check_unknown(
	struct check_work *work, const struct about *about, const struct br_identity *identity) {
	struct br_finding *finding =
		add_finding(work, 303, about, "who '%s' runs as cannot be worked out: %s",
			about->container->name.s, identity->why);
	if (!identity->pin) {
		return;
	}
	// What is built is in no archive before.
	bool archive = !identity->drop && about->container->image.s && !about->container->build;
	// Whoever has no engine running, or may not ask it, is not told so elsewhere.
	finding->advice = say(work, "pin it: %s%s%s", identity->pin,
		archive && !work->options->running
			? ", or let it be looked up: by the engine, which could not be asked (does "
			  "it run, and may you use its socket?), or by"
			: archive ? ", or let it be looked up:"
				  : "",
		archive ? " --image-archive FILE (docker save)" : "");
}

/** BR304. */
static void check_assumed(struct check_work *work, const struct about *about) {
	const struct br_identity *identity = about->identity;
	uint32_t uid = identity->uid.v;
	struct br_finding *finding =
		add_finding(work, 304, about, "'%s' is taken to run as uid %u, gid %u",
			about->container->name.s, uid, identity->gid.v);
	if (identity->account) {
		finding->because = say(work,
			"the number of '%s' was given to it on a base image that is not known",
			identity->account);
		finding->advice = "number it in the Dockerfile, or pin it with --user";
		return;
	}
	finding->because = "a UID without a group takes its group from the image, "
			   "and root's group where the image does not know it";
	finding->advice =
		say(work, "write the group too: %s", say_user(work, say(work, "%u:GID", uid)));
}

/** BR306: the second of two identities. */
static void check_drop(struct check_work *work, const struct about *about) {
	const struct br_identity *to = about->identity->drops_to;
	const char *name = about->container->name.s;
	struct br_finding *finding;
	if (to->confidence == BR_UNKNOWN) {
		check_unknown(work, about, to);
		return;
	}
	if (to->drop->workers_only) {
		finding = add_finding(work, 306, about,
			"'%s' starts as root, and its workers run as uid %u, gid %u", name,
			to->uid.v, to->gid.v);
	} else {
		finding = add_finding(work, 306, about,
			"'%s' starts as root and drops to uid %u, gid %u", name, to->uid.v,
			to->gid.v);
	}
	finding->because = say(work, "the table of %s says so", to->known);
}

/** BR307. */
static void check_unmapped(struct check_work *work, const struct about *about) {
	const struct br_identity *identity = about->identity;
	const struct br_cred *cred = &identity->cred;
	bool user = cred->uid.v == BR_NO_ID;
	bool group = cred->gid.v == BR_NO_ID;
	uint32_t added = 0;
	for (size_t i = 0; i < identity->ngroups; i++) {
		br_hostid host;
		if (!br_idmap_to_host(&cred->gids, identity->groups[i], &host)) {
			added = identity->groups[i].v;
		}
	}
	const char *what = user && group
		? say(work, "uid %u and gid %u", identity->uid.v, identity->gid.v)
		: user  ? say(work, "uid %u", identity->uid.v)
		: group ? say(work, "gid %u", identity->gid.v)
			: say(work, "the added group %u", added);
	struct br_finding *finding = add_finding(work, 307, about,
		"%s of '%s' has no mapping in its user namespace: the engine will refuse to start it",
		what, about->container->name.s);
	finding->refused = true;
	const struct br_idmap *map = user ? &cred->uids : &cred->gids;
	if (map->n == 0) {
		return; // a number that is no ID lacks one in any map
	}
	const struct br_idmap_extent *last = &map->extents[map->n - 1];
	for (size_t i = 0; i < map->n; i++) {
		last = map->extents[i].box > last->box ? &map->extents[i] : last;
	}
	finding->because = say(work, "the last ID that is mapped is %u",
		last->count ? last->box + last->count - 1 : 0);
}

static void check_known(struct check_work *work, const struct about *about) {
	const struct br_identity *identity = about->identity;
	const struct br_identity *to = identity->drops_to;
	const char *name = about->container->name.s;
	if (identity->confidence == BR_UNKNOWN) {
		check_unknown(work, about, identity);
		return;
	}
	if (identity->unmapped) {
		check_unmapped(work, about);
	}
	if (identity->confidence == BR_ASSUMED && identity->uid.v != 0) {
		check_assumed(work, about);
	}
	if (to) {
		check_drop(work, about);
	}
	// Root of a user namespace is somebody else on the host, and another user may be less use
	// there.
	if (identity->uid.v == 0 && identity->cred.uid.v == 0 && (!to || to->drop->workers_only)) {
		struct br_finding *finding =
			add_finding(work, 305, about, "'%s' runs as root", name);
		finding->advice =
			say(work, "give it a user of its own: %s", say_user(work, "UID:GID"));
	}
}

/** Whose files there will be. */
static const struct br_identity *writer(const struct check_work *work, size_t i) {
	return br_identity_of_data(&work->input->identities[i], true);
}

/** Whether an earlier container of the list has the same host UID (or GID): the host's accounts are
 * told once. */
static bool told_before(const struct check_work *work, size_t i, bool group) {
	const struct br_identity *me = writer(work, i);
	for (size_t k = 0; k < i; k++) {
		const struct br_identity *other = writer(work, k);
		if (other->confidence == BR_UNKNOWN || !writes_host(other->container)) {
			continue;
		}
		if (group ? other->cred.gid.v == me->cred.gid.v
			  : other->cred.uid.v == me->cred.uid.v) {
			return true;
		}
	}
	return false;
}

/** Whether the input says of one of the mounts that this host user keeps it. */
static bool is_wished(
	const struct check_work *work, const struct br_mount *mounts, size_t n, const char *name) {
	for (size_t i = 0; i < n; i++) {
		const struct br_wishes *wishes = &mounts[i].wishes;
		for (size_t k = 0; k < wishes->nusers; k++) {
			const struct br_host_user *user =
				br_hostdb_user_said(work->input->hostdb, wishes->users[k].s);
			if (user && strcmp(user->name, name) == 0) {
				return true;
			}
		}
	}
	return false;
}

bool is_keeper(
	const struct check_work *work, const struct br_mount *mounts, size_t n, const char *name) {
	for (size_t i = 0; work->options->keepers && work->options->keepers[i]; i++) {
		if (strcmp(work->options->keepers[i], name) == 0) {
			return true;
		}
	}
	return is_wished(work, mounts, n, name);
}

/** No account of the host has this UID, and none could be meant to (root, IDs of a user namespace).
 */
static bool lacks_user(const struct check_work *work, const struct about *about) {
	br_hostid uid = about->identity->cred.uid;
	return uid.v != 0 && !br_hostdb_subuid_owner(work->input->hostdb, uid)
		&& !br_hostdb_user(work->input->hostdb, uid);
}

static bool lacks_group(const struct check_work *work, const struct about *about) {
	br_hostid gid = about->identity->cred.gid;
	return gid.v != 0 && !br_hostdb_subgid_owner(work->input->hostdb, gid)
		&& !br_hostdb_group(work->input->hostdb, gid);
}

/** BR301: one finding for the user and the group where both are missing. */
static void check_missing_account(
	struct check_work *work, const struct about *about, bool user, bool group) {
	uint32_t uid = about->identity->cred.uid.v;
	uint32_t gid = about->identity->cred.gid.v;
	struct br_finding *finding;
	if (user && group) {
		finding = add_finding(work, 301, about,
			"no host user has uid %u, and no host group has gid %u", uid, gid);
	} else if (user) {
		finding = add_finding(work, 301, about, "no host user has uid %u", uid);
	} else {
		finding = add_finding(work, 301, about, "no host group has gid %u", gid);
	}
	finding->because = "what the container writes will belong to a bare number, "
			   "and the next account that is created may get it";
	finding->advice = "bindright fix --create-users";
}

/** The account of that name is meant: the service's own, or the image's. */
static bool is_namesake(const struct about *about, const char *name) {
	const char *account = about->identity->account;
	return strcmp(name, about->container->name.s) == 0
		|| (account && strcmp(name, account) == 0);
}

/** BR302: the UID is somebody's who did not ask for this. */
static void check_stranger(struct check_work *work, const struct about *about) {
	br_hostid uid = about->identity->cred.uid;
	const char *account = about->identity->account;
	const struct br_host_user *user =
		uid.v == 0 ? NULL : br_hostdb_user(work->input->hostdb, uid);
	const struct br_engine_mode *mode = work->input->mode;
	bool runs_it = user && mode && mode->user && mode->user->uid.v == uid.v;
	if (!user || runs_it
		|| is_keeper(work, about->container->mounts, about->container->nmounts, user->name)
		|| is_namesake(about, user->name)) {
		return;
	}
	struct br_finding *finding = account
		? add_finding(work, 302, about,
			"uid %u is '%s' in the image and the host user '%s' here", uid.v, account,
			user->name)
		: add_finding(work, 302, about, "uid %u is the host user '%s'", uid.v, user->name);
	finding->because = say(work, "'%s' will own what the container writes", user->name);
}

static void check_accounts(struct check_work *work, const struct about *about, size_t i) {
	bool user = !told_before(work, i, false);
	bool group = !told_before(work, i, true) && lacks_group(work, about);
	if (user) {
		check_stranger(work, about);
	}
	user = user && lacks_user(work, about);
	if (user || group) {
		check_missing_account(work, about, user, group);
	}
}

static void check_isolation(struct check_work *work, const struct about *about) {
	const struct br_container *container = about->container;
	const struct {
		const char *key;
		const struct br_text *word;
	} shared[] = {
		{"network", &container->network_mode},
		{"PID", &container->pid},
		{"user", &container->userns_mode},
	};
	if (container->privileged) {
		struct about here = *about;
		here.at = container->privileged_at;
		add_finding(work, 501, &here, "'%s' is privileged and has host paths mounted",
			container->name.s);
	}
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		if (shared[i].word->s && strcmp(shared[i].word->s, "host") == 0) {
			struct about here = *about;
			here.at = shared[i].word->at;
			add_finding(work, 502, &here, "'%s' uses the host's %s namespace",
				container->name.s, shared[i].key);
		}
	}
}

void check_containers(struct check_work *work) {
	for (size_t i = 0; i < work->input->spec->n; i++) {
		const struct br_container *container = &work->input->spec->containers[i];
		const struct br_identity *identity = &work->input->identities[i];
		struct about about = {
			.container = container,
			.identity = identity,
			.at = user_place(container),
		};
		if (!has_host_mount(container)) {
			continue;
		}
		check_known(work, &about);
		check_isolation(work, &about);
		about.identity = writer(work, i);
		if (about.identity->confidence == BR_UNKNOWN || about.identity->unmapped
			|| !writes_host(container)) {
			continue;
		}
		check_accounts(work, &about, i);
	}
}
