/** Who asks: UID[:GID][,+GROUP...] or a host user's name, with capabilities and in a user
 * namespace. */
#include "who.h"

#include <base/text.h>

#include <stdlib.h>
#include <string.h>

/** What is being put together. */
struct who {
	const struct cli *cli;
	struct br_arena *arena;
	struct br_hostdb *db;
	struct br_cred cred;
	struct {
		br_hostid *v;
		size_t n, cap;
	} groups;
};

static bool is_number(const char *s) {
	return *s >= '0' && *s <= '9';
}

static int bad_who(struct who *who, struct br_text word) {
	(void)br_error(who->cli->dx, word.at, "'%s' is not UID[:GID][,+GROUP...]", word.s);
	br_hint(who->cli->dx, "for example: --as 1001:1001,+27, or --as alice");
	return -1;
}

static int read_number(struct who *who, struct br_text word, uint32_t *out) {
	if (!word.s) {
		return br_error_memory(who->cli->dx);
	}
	if (br_parse_u32(word.s, BR_NO_ID - 1, out)) {
		(void)br_error(who->cli->dx, word.at, "'%s' is no UID or GID", word.s);
		br_hint(who->cli->dx, "digits only, from 0 to 4294967294");
		return -1;
	}
	return 0;
}

static struct br_text rest_of(struct who *who, struct br_text word, size_t from) {
	return cli_part(who->arena, word, from, strlen(word.s + from));
}

/** CONTAINER:HOST:COUNT. */
static int read_extent(struct who *who, struct br_text word, struct br_idmap_extent *out) {
	uint32_t *const numbers[] = {&out->box, &out->host, &out->count};
	size_t at = 0;
	for (size_t i = 0; i < 3; i++) {
		size_t n = strcspn(word.s + at, ":");
		struct br_text part = cli_part(who->arena, word, at, n);
		if (!part.s) {
			return br_error_memory(who->cli->dx);
		}
		bool ends = word.s[at + n] == '\0';
		if (br_parse_u32(part.s, UINT32_MAX, numbers[i]) || ends != (i == 2)) {
			(void)br_error(
				who->cli->dx, word.at, "'%s' is not CONTAINER:HOST:COUNT", word.s);
			br_hint(who->cli->dx, "for example: --uid-map 0:100000:65536");
			return -1;
		}
		at += n + !ends;
	}
	return 0;
}

static int read_map(struct who *who, const struct cli_words *words, struct br_idmap *out) {
	size_t bad;
	struct br_idmap_extent *extents =
		BR_NEW_ARRAY(who->arena, struct br_idmap_extent, words->n);
	if (!extents) {
		return br_error_memory(who->cli->dx);
	}
	for (size_t i = 0; i < words->n; i++) {
		if (read_extent(who, words->v[i], &extents[i])) {
			return -1;
		}
	}
	*out = (struct br_idmap){extents, words->n};
	if (!br_idmap_valid(out, &bad)) {
		return br_error(who->cli->dx, words->v[bad].at,
			"the kernel does not take '%s': it is empty, too large, or overlaps",
			words->v[bad].s);
	}
	return 0;
}

/** As engines have it: one map alone is the map of both. */
static int read_maps(struct who *who) {
	const struct cli_args *args = who->cli->args;
	if (read_map(who, &args->uid_map, &who->cred.uids)
		|| read_map(who, &args->gid_map, &who->cred.gids)) {
		return -1;
	}
	if (who->cred.uids.n == 0) {
		who->cred.uids = who->cred.gids;
	} else if (who->cred.gids.n == 0) {
		who->cred.gids = who->cred.uids;
	}
	return 0;
}

static int map_id(
	struct who *who, const struct br_idmap *map, struct br_text word, br_hostid *out) {
	br_boxid box = {0};
	if (read_number(who, word, &box.v)) {
		return -1;
	}
	if (!br_idmap_to_host(map, box, out)) {
		return br_error(
			who->cli->dx, word.at, "%u has no mapping in the user namespace", box.v);
	}
	return 0;
}

static int no_name(struct who *who, struct br_text word) {
	return br_error(who->cli->dx, word.at,
		"'%s' is a name of the host, and a user namespace knows numbers only", word.s);
}

static int read_group(struct who *who, struct br_text word) {
	br_hostid gid = {BR_NO_ID};
	if (word.s[0] != '+' || !word.s[1]) {
		return bad_who(who, word);
	}
	struct br_text name = rest_of(who, word, 1);
	if (!name.s) {
		return br_error_memory(who->cli->dx);
	}
	if (is_number(name.s)) {
		if (map_id(who, &who->cred.gids, name, &gid)) {
			return -1;
		}
	} else {
		const struct br_host_group *group = br_hostdb_group_named(who->db, name.s);
		if (who->cred.gids.n) {
			return no_name(who, name);
		}
		if (!group) {
			return br_error(
				who->cli->dx, name.at, "there is no host group '%s'", name.s);
		}
		gid = group->gid;
	}
	return br_vec_push(who->arena, &who->groups, gid) ? br_error_memory(who->cli->dx) : 0;
}

/** Docker's rule for a UID alone, where no image says otherwise: group 0. */
static int read_numbers(struct who *who, struct br_text word) {
	size_t n = strcspn(word.s, ":");
	if (map_id(who, &who->cred.uids, cli_part(who->arena, word, 0, n), &who->cred.uid)) {
		return -1;
	}
	if (word.s[n]) {
		return map_id(who, &who->cred.gids, rest_of(who, word, n + 1), &who->cred.gid);
	}
	if (!br_idmap_to_host(&who->cred.gids, (br_boxid){0}, &who->cred.gid)) {
		return br_error(who->cli->dx, word.at, "group 0 has no mapping: write UID:GID");
	}
	return 0;
}

static int read_user(struct who *who, struct br_text word) {
	if (!*word.s) {
		return bad_who(who, word);
	}
	if (is_number(word.s)) {
		return read_numbers(who, word);
	}
	if (who->cred.uids.n) {
		return no_name(who, word);
	}
	const struct br_host_user *user = cli_find_user(who->cli, who->db, word);
	if (!user) {
		return -1;
	}
	if (br_hostdb_cred(who->db, who->arena, user, &who->cred)) {
		return br_error_memory(who->cli->dx);
	}
	for (size_t i = 0; i < who->cred.ngroups; i++) {
		if (br_vec_push(who->arena, &who->groups, who->cred.groups[i])) {
			return br_error_memory(who->cli->dx);
		}
	}
	return 0;
}

/** Calls `each` for the parts between commas. */
static int split(
	struct who *who, struct br_text word, int (*each)(struct who *who, struct br_text part)) {
	for (size_t at = 0; at <= strlen(word.s);) {
		size_t n = strcspn(word.s + at, ",");
		struct br_text part = cli_part(who->arena, word, at, n);
		if (!part.s) {
			return br_error_memory(who->cli->dx);
		}
		if (each(who, part)) {
			return -1;
		}
		at += n + 1;
	}
	return 0;
}

static int read_capability(struct who *who, struct br_text word) {
	int cap = br_cap_number(word.s);
	if (cap < 0) {
		(void)br_error(who->cli->dx, word.at, "'%s' is no capability", word.s);
		br_hint(who->cli->dx, "for example: --caps CAP_DAC_OVERRIDE");
		return -1;
	}
	who->cred.caps |= UINT64_C(1) << (unsigned)cap;
	return 0;
}

static int by_id(const void *a, const void *b) {
	const br_hostid *x = a;
	const br_hostid *y = b;
	return (x->v > y->v) - (x->v < y->v);
}

int who_read(
	const struct cli *cli, struct br_arena *arena, struct br_hostdb *db, struct br_cred *out) {
	struct who who = {.cli = cli, .arena = arena, .db = db};
	struct br_text word = cli->args->as;
	size_t n = strcspn(word.s, ",");
	struct br_text user = cli_part(arena, word, 0, n);
	if (!user.s) {
		return br_error_memory(cli->dx);
	}
	if (read_maps(&who) || read_user(&who, user)) {
		return -1;
	}
	if (word.s[n] && split(&who, rest_of(&who, word, n + 1), read_group)) {
		return -1;
	}
	for (size_t i = 0; i < cli->args->caps.n; i++) {
		if (split(&who, cli->args->caps.v[i], read_capability)) {
			return -1;
		}
	}
	if (who.groups.n) {
		qsort(who.groups.v, who.groups.n, sizeof(who.groups.v[0]), by_id);
	}
	who.cred.groups = who.groups.v;
	who.cred.ngroups = who.groups.n;
	*out = who.cred;
	return 0;
}
