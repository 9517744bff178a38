/** Host users who keep access: those of --keep, or who runs it, and those that the input names. */
#include "session.h"

#include <fcntl.h>
#include <string.h>

const struct br_host_user *cli_find_user(
	const struct cli *cli, struct br_hostdb *db, struct br_text word) {
	const struct br_host_user *user = br_hostdb_user_said(db, word.s);
	if (!user) {
		(void)br_error(cli->dx, word.at, "there is no host user '%s'", word.s);
	}
	return user;
}

/** The one who keeps access unasked: who runs it; for root alone, who owns the project directory. */
static const struct br_host_user *default_keeper(struct session *session) {
	const struct cli_world *world = session->cli->world;
	if (world->invoker != 0) {
		return br_hostdb_user(session->hostdb, (br_hostid){world->invoker});
	}
	struct br_inode inode;
	if (br_inode_stat(AT_FDCWD, session->spec->project_directory, &inode) || inode.uid.v == 0) {
		return NULL;
	}
	return br_hostdb_user(session->hostdb, inode.uid);
}

/** A keeper under construction. */
struct keeping {
	struct br_keeper is;
	/** Room for all mounts; NULL for who keeps all. */
	const struct br_mount **mounts;
};

/** Those of everything first. */
struct keepers {
	struct keeping *v;
	size_t n, cap;
};

/** One more; NULL without memory, with an error in dx. */
static struct keeping *add_keeper(
	struct session *session, struct keepers *keepers, const struct br_host_user *user) {
	struct keeping keeper = {.is = {.name = user->name}};
	if (br_hostdb_cred(session->hostdb, &session->arena, user, &keeper.is.cred)
		|| br_vec_push(&session->arena, keepers, keeper)) {
		(void)br_error_memory(session->cli->dx);
		return NULL;
	}
	return &keepers->v[keepers->n - 1];
}

/** --keep, or who keeps access unasked. */
static int add_said(struct session *session, struct keepers *keepers) {
	const struct cli_words *words = &session->cli->args->keep;
	for (size_t i = 0; i < words->n; i++) {
		const struct br_host_user *user =
			cli_find_user(session->cli, session->hostdb, words->v[i]);
		struct keeping *keeper = user ? add_keeper(session, keepers, user) : NULL;
		if (!keeper) {
			return -1;
		}
		keeper->is.demanded = true;
	}
	if (words->n == 0) {
		const struct br_host_user *user = default_keeper(session);
		return user && !add_keeper(session, keepers, user) ? -1 : 0;
	}
	return 0;
}

/** The names of those so far, NULL at the end. */
static int give_names(struct session *session, const struct keepers *keepers) {
	const char **names = BR_NEW_ARRAY(&session->arena, const char *, keepers->n + 1);
	if (!names) {
		return br_error_memory(session->cli->dx);
	}
	for (size_t i = 0; i < keepers->n; i++) {
		names[i] = keepers->v[i].is.name;
	}
	session->keepers = names;
	return 0;
}

/** The keeper of some mounts only. */
static struct keeping *keeper_of_some(
	struct session *session, struct keepers *keepers, const struct br_host_user *user) {
	for (size_t i = 0; i < keepers->n; i++) {
		if (keepers->v[i].mounts && strcmp(keepers->v[i].is.name, user->name) == 0) {
			return &keepers->v[i];
		}
	}
	return add_keeper(session, keepers, user);
}

/** Whom the input names of one mount. */
static int add_wish(
	struct session *session, struct keepers *keepers, const struct br_mount_source *ms) {
	for (size_t i = 0; i < ms->mount->wishes.nusers; i++) {
		const struct br_host_user *user =
			cli_find_user(session->cli, session->hostdb, ms->mount->wishes.users[i]);
		struct keeping *keeper = user ? keeper_of_some(session, keepers, user) : NULL;
		if (!keeper) {
			return -1;
		}
		if (!keeper->mounts) {
			keeper->is.demanded = true;
			keeper->mounts = BR_NEW_ARRAY(&session->arena, const struct br_mount *,
				session->demands->nmounts);
		}
		if (!keeper->mounts) {
			return br_error_memory(session->cli->dx);
		}
		keeper->mounts[keeper->is.nmounts++] = ms->mount;
	}
	return 0;
}

int session_keepers(struct session *session) {
	struct keepers keepers = {0};
	bool reclaims = session->command && strcmp(session->command, "reclaim") == 0;
	if (add_said(session, &keepers) || give_names(session, &keepers)) {
		return -1;
	}
	// Whom the files go back to is one user; the others lose nothing by it.
	for (size_t i = 0; !reclaims && i < session->demands->nmounts; i++) {
		if (add_wish(session, &keepers, &session->demands->mounts[i])) {
			return -1;
		}
	}
	struct br_keeper *all = BR_NEW_ARRAY(&session->arena, struct br_keeper, keepers.n);
	if (!all) {
		return br_error_memory(session->cli->dx);
	}
	for (size_t i = 0; i < keepers.n; i++) {
		all[i] = keepers.v[i].is;
		all[i].mounts = keepers.v[i].mounts;
	}
	session->plan_options.keepers = all;
	session->plan_options.nkeepers = keepers.n;
	return 0;
}
