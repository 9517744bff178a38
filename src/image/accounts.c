#include "accounts.h"

#include <string.h>

/*
 * useradd and its like: who they make, by the option grammar of the program that has the name in
 * this image: shadow's, Debian's adduser (a wrapper of its own), busybox's; Red Hat's adduser is
 * shadow's useradd. Sources: their manual pages, and the sources where those leave a choice open.
 */

// Finding

static struct br_image_user *find_user(struct df_accounts *a, const char *name) {
	for (size_t i = 0; i < a->users.n; i++) {
		if (!strcmp(a->users.v[i].name, name)) {
			return &a->users.v[i];
		}
	}
	return NULL;
}

static struct br_image_group *find_group(struct df_accounts *a, const char *name) {
	for (size_t i = 0; i < a->groups.n; i++) {
		if (!strcmp(a->groups.v[i].name, name)) {
			return &a->groups.v[i];
		}
	}
	return NULL;
}

static bool uid_used(const struct df_accounts *a, uint32_t uid) {
	for (size_t i = 0; i < a->users.n; i++) {
		if (a->users.v[i].uid == uid) {
			return true;
		}
	}
	return false;
}

static bool gid_used(const struct df_accounts *a, uint32_t gid) {
	for (size_t i = 0; i < a->groups.n; i++) {
		if (a->groups.v[i].gid == gid) {
			return true;
		}
	}
	return false;
}

static bool is_number(const char *s, uint32_t *out) {
	return s && !br_parse_u32(s, 4294967294, out);
}

/** An account that such images usually have, and of which no more is known. */
static bool is_seed(bool allocated, struct br_span at) {
	return allocated && !at.text;
}

static int give_up(struct df_request *r) {
	r->a->complete = false;
	r->a->odd = true;
	return 0;
}

/** Whose options and rules. */
enum tool {
	SHADOW,
	DEBIAN,
	BUSYBOX
};

// Numbers that nobody stated

enum {
	FIRST = 1000,
	LAST = 60000,
	SYSTEM_LAST = 999,
	SYSTEM_FIRST = 100,
	SHADOW_SYSTEM_FIRST = 101,
	REDHAT_SYSTEM_FIRST = 201,
};

static uint32_t shadow_low(const struct df_accounts *a, bool system) {
	return !system                    ? FIRST
		: a->flavour == DF_REDHAT ? REDHAT_SYSTEM_FIRST
					  : SHADOW_SYSTEM_FIRST;
}

static uint32_t shadow_high(bool system) {
	return system ? SYSTEM_LAST : LAST;
}

/** shadow: above the highest number in use, and for system accounts below the lowest. */
static uint32_t shadow_number(const struct df_accounts *a, bool system, bool groups) {
	uint32_t low = shadow_low(a, system);
	uint32_t high = shadow_high(system);
	uint32_t best = system ? high : low;
	size_t n = groups ? a->groups.n : a->users.n;
	for (size_t i = 0; i < n; i++) {
		uint32_t used = groups ? a->groups.v[i].gid : a->users.v[i].uid;
		if (used < low || used > high) {
			continue;
		}
		if (system && used <= best) {
			best = used - 1;
		} else if (!system && used >= best) {
			best = used + 1;
		}
	}
	return best;
}

/** Debian's adduser and busybox: the first free one. */
static uint32_t first_free(const struct df_accounts *a, bool system, bool as_user, bool as_group) {
	uint32_t id = system ? SYSTEM_FIRST : FIRST;
	while ((as_user && uid_used(a, id)) || (as_group && gid_used(a, id))) {
		id++;
	}
	return id;
}

// Making

static int add_group(struct df_request *r, const char *name, uint32_t gid, bool allocated) {
	static const char *const nobody[] = {NULL};
	struct br_image_group group = {.name = name,
		.gid = gid,
		.allocated = allocated,
		.members = nobody,
		.at = r->command->at};
	if (r->a->groups.n >= DOCKERFILE_ACCOUNTS) {
		return give_up(r);
	}
	return br_vec_push(r->a->arena, &r->a->groups, group);
}

/** A new list of members: without `name`, or with it at the end. */
static int set_member(
	struct df_accounts *a, struct br_image_group *group, const char *name, bool in) {
	size_t n = 0;
	while (group->members[n]) {
		n++;
	}
	const char **members = BR_NEW_ARRAY(a->arena, const char *, n + 2);
	if (!members) {
		return -1;
	}
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(group->members[i], name) != 0) {
			members[kept++] = group->members[i];
		}
	}
	if (in) {
		members[kept] = name;
	}
	group->members = members;
	return 0;
}

static int join_group(struct df_request *r, const char *group, size_t n, const char *user) {
	char *name = br_strndup(r->a->arena, group, n);
	uint32_t gid;
	if (!name) {
		return -1;
	}
	struct br_image_group *found = find_group(r->a, name);
	for (size_t i = 0; !found && is_number(name, &gid) && i < r->a->groups.n; i++) {
		found = r->a->groups.v[i].gid == gid ? &r->a->groups.v[i] : NULL;
	}
	return found ? set_member(r->a, found, user, true) : give_up(r);
}

/** "a,b,c". */
static int join_groups(struct df_request *r, const char *list, const char *user) {
	while (list && *list) {
		size_t n = strcspn(list, ",");
		if (n && join_group(r, list, n, user)) {
			return -1;
		}
		list += n + (list[n] == ',');
	}
	return list ? 0 : give_up(r);
}

static int leave_groups(struct df_accounts *a, const char *user) {
	for (size_t i = 0; i < a->groups.n; i++) {
		if (set_member(a, &a->groups.v[i], user, false)) {
			return -1;
		}
	}
	return 0;
}

/** Into user->gid what a primary group's word says. */
static void set_primary(struct df_request *r, struct br_image_user *user, const char *word) {
	uint32_t gid = 0;
	struct br_image_group *group = word ? find_group(r->a, word) : NULL;
	user->gid_unknown = !group && !is_number(word, &gid);
	user->gid = group ? group->gid : gid;
	user->allocated = user->allocated || (group && group->allocated);
	r->a->complete = r->a->complete && !user->gid_unknown;
}

/** What is to be done where there may be an account of the name: true where it is to be made. Its
 * number may be wrong then. */
static bool is_wanted(struct df_request *r, bool exists, bool seed, bool *unsure) {
	enum df_when when = r->command->when;
	if (when == DF_MAYBE && !exists) {
		r->a->complete = false;
	}
	// where the base is not known, the question may find an account that we do not know of
	*unsure = when == DF_IF_MISSING && !r->a->complete;
	return !exists || (seed && when == DF_ALWAYS);
}

static void remove_at(void *items, size_t *n, size_t i, size_t size) {
	char *at = (char *)items + i * size;
	memmove(at, at + size, (*n - i - 1) * size);
	--*n;
}

static void drop_user(struct df_accounts *a, const struct br_image_user *user) {
	remove_at(a->users.v, &a->users.n, (size_t)(user - a->users.v), sizeof(*user));
}

static void drop_group(struct df_accounts *a, const struct br_image_group *group) {
	remove_at(a->groups.v, &a->groups.n, (size_t)(group - a->groups.v), sizeof(*group));
}

/** Whether to make this group; one that was only supposed is taken away first. */
static bool begin_group(struct df_request *r, const char *name, bool *unsure) {
	struct br_image_group *old = find_group(r->a, name);
	uint32_t gid = 0;
	bool stated = is_number(r->value[DF_GROUP], &gid);
	if (!is_wanted(r, old != NULL, old && is_seed(old->allocated, old->at), unsure)) {
		if (stated && r->command->when != DF_ALWAYS && old->gid != gid) {
			old->allocated = true;
			r->a->complete = false;
		}
		return false;
	}
	if (old) {
		drop_group(r->a, old);
	}
	return true;
}

static bool begin_user(struct df_request *r, const char *name, bool *unsure) {
	struct br_image_user *old = find_user(r->a, name);
	uint32_t uid = 0;
	bool stated = is_number(r->value[DF_UID], &uid);
	if (!is_wanted(r, old != NULL, old && is_seed(old->allocated, old->at), unsure)) {
		if (stated && r->command->when != DF_ALWAYS && old->uid != uid) {
			old->allocated = true;
			r->a->complete = false;
		}
		return false;
	}
	if (old) {
		drop_user(r->a, old);
	}
	return true;
}

/** Whether an option's number is there and readable; 0: not given, 1: in *out, -1: not known. */
static int stated(const struct df_request *r, enum df_what what, uint32_t *out) {
	if (!r->given[what]) {
		return 0;
	}
	return is_number(r->value[what], out) ? 1 : -1;
}

// Commands

static int make_group(struct df_request *r, enum tool tool) {
	bool unsure = false;
	uint32_t gid = 0;
	const char *name = r->operand[0];
	if (r->noperands == 2 && tool != SHADOW) {
		return join_group(r, r->operand[1], strlen(r->operand[1]), name);
	}
	if (r->odd || r->noperands != 1 || (r->other_ranges && !r->given[DF_GROUP])) {
		return give_up(r);
	}
	int given = stated(r, DF_GROUP, &gid);
	if (given < 0) {
		return give_up(r);
	}
	if (!begin_group(r, name, &unsure)) {
		return 0;
	}
	if (!given) {
		gid = tool == SHADOW ? shadow_number(r->a, r->system, true)
				     : first_free(r->a, r->system, false, true);
	}
	if (add_group(r, name, gid, unsure || !given)) {
		return -1;
	}
	const char *members = r->value[DF_MEMBERS];
	while (members && *members) {
		size_t n = strcspn(members, ",");
		char *member = br_strndup(r->a->arena, members, n);
		if (!member || join_group(r, name, strlen(name), member)) {
			return -1;
		}
		members += n + (members[n] == ',');
	}
	return 0;
}

/** Whether the user's number may not be its group's: shadow looks at the range first
 * (find_new_gid.c), Debian's adduser counts system groups apart. */
static bool needs_other_gid(const struct df_request *r, uint32_t uid, enum tool tool) {
	bool out_of_range = uid < shadow_low(r->a, r->system) || uid > shadow_high(r->system);
	return gid_used(r->a, uid) || (tool == SHADOW && out_of_range)
		|| (tool == DEBIAN && r->system && !r->given[DF_UID]);
}

/** The group of the user's own name: the user's number where it may be. */
static int own_group(struct df_request *r, struct br_image_user *user, enum tool tool) {
	struct br_image_group *old = find_group(r->a, user->name);
	if (old) {
		user->gid = old->gid;
		user->allocated = user->allocated || old->allocated;
		return 0;
	}
	user->gid = user->uid;
	bool other = needs_other_gid(r, user->uid, tool);
	if (other) {
		user->gid = tool == SHADOW ? shadow_number(r->a, r->system, true)
					   : first_free(r->a, r->system, false, true);
		user->allocated = true;
	}
	return add_group(r, user->name, user->gid, user->allocated);
}

static uint32_t new_uid(const struct df_request *r, enum tool tool) {
	switch (tool) {
	case SHADOW:
		return shadow_number(r->a, r->system, false);
	case DEBIAN:
	case BUSYBOX:
		return first_free(r->a, r->system, true, !r->given[DF_GROUP] && !r->system);
	}
	return 0;
}

static int primary(struct df_request *r, struct br_image_user *user, enum tool tool) {
	if (r->given[DF_GROUP]) {
		set_primary(r, user, r->value[DF_GROUP]);
		return 0;
	}
	if (tool == SHADOW && r->no_group) {
		// GROUP= of /etc/default/useradd
		user->gid = SYSTEM_FIRST;
		return 0;
	}
	if (tool != SHADOW && r->system && !r->own_group) {
		set_primary(r, user, "nogroup");
		return 0;
	}
	return own_group(r, user, tool);
}

/** Besides what the options say. */
static int join_usual(struct df_request *r, const char *user, enum tool tool) {
	if (tool != DEBIAN || r->system) {
		return 0;
	}
	switch (r->a->joins) {
	case DF_JOINS_NONE:
		return 0;
	case DF_JOINS_USERS:
		return join_group(r, "users", strlen("users"), user);
	case DF_JOINS_UNKNOWN:
		break;
	}
	return give_up(r);
}

/** Where the new user's home is, and whether the command makes it. */
static int set_home(struct df_request *r, struct br_image_user *user, enum tool tool) {
	const char *base = r->given[DF_HOME_BASE] ? r->value[DF_HOME_BASE] : "/home";
	bool redhat = r->a->flavour == DF_REDHAT;
	bool shadow = tool == SHADOW;
	if (r->given[DF_HOME]) {
		user->home = r->value[DF_HOME];
	} else if (base && !(tool == DEBIAN && r->system)) {
		// Debian's system accounts got /home/NAME once, and get /nonexistent now
		user->home = br_printf(r->a->arena, "%s/%s", base, user->name);
		if (!user->home) {
			return -1;
		}
	}
	bool made = !r->no_home
		&& (r->make_home || (shadow ? redhat && !r->system : user->home != NULL));
	r->a->new_home = user->home;
	// CREATE_HOME of login.defs decides where nobody knows the distribution
	bool open = shadow && !r->a->flavour && !r->make_home && !r->no_home && !r->system;
	r->a->home_made = open || r->command->when != DF_ALWAYS ? -1 : made;
	return 0;
}

static int make_user(struct df_request *r, enum tool tool) {
	bool unsure = false;
	const char *name = r->operand[0];
	if (r->noperands == 2 && tool != SHADOW && !r->odd) {
		return join_group(r, r->operand[1], strlen(r->operand[1]), name);
	}
	if (tool == DEBIAN && r->own_group && !r->system) {
		return make_group(r, tool);
	}
	if (r->noperands != 1 || r->odd || r->other_ranges) {
		return give_up(r);
	}
	struct br_image_user user = {.name = name, .at = r->command->at};
	int given = stated(r, DF_UID, &user.uid);
	if (given < 0 || r->a->users.n >= DOCKERFILE_ACCOUNTS) {
		return give_up(r);
	}
	if (!begin_user(r, name, &unsure)) {
		return 0;
	}
	user.allocated = unsure || !given;
	if (!given) {
		user.uid = new_uid(r, tool);
	}
	if (primary(r, &user, tool) || set_home(r, &user, tool)
		|| br_vec_push(r->a->arena, &r->a->users, user)) {
		return -1;
	}
	if (join_usual(r, name, tool)) {
		return -1;
	}
	return r->given[DF_GROUPS] ? join_groups(r, r->value[DF_GROUPS], name) : 0;
}

static int rename_user(struct df_request *r, struct br_image_user *user, const char *to) {
	const char *from = user->name;
	user->name = to;
	for (size_t i = 0; i < r->a->groups.n; i++) {
		struct br_image_group *group = &r->a->groups.v[i];
		for (size_t k = 0; group->members[k]; k++) {
			bool is_it = !strcmp(group->members[k], from);
			if (is_it) {
				return set_member(r->a, group, from, false)
						|| set_member(r->a, group, to, true)
					? -1
					: 0;
			}
		}
	}
	return 0;
}

/** The user that is to be changed; one of which only the new number is known where there is none.
 * NULL without memory. */
static struct br_image_user *user_to_change(struct df_request *r, const char *name) {
	struct br_image_user *user = find_user(r->a, name);
	if (!user) {
		struct br_image_user fresh = {
			.name = name, .allocated = true, .gid_unknown = true, .at = r->command->at};
		if (br_vec_push(r->a->arena, &r->a->users, fresh)) {
			return NULL;
		}
		user = &r->a->users.v[r->a->users.n - 1];
	}
	return user;
}

static int change_user(struct df_request *r) {
	const char *name = r->operand[0];
	uint32_t uid = 0;
	int given = stated(r, DF_UID, &uid);
	struct br_image_user *user = r->noperands == 1 ? find_user(r->a, name) : NULL;
	bool unknown = r->odd || r->noperands != 1 || (!user && given <= 0);
	if (unknown || given < 0 || r->command->when != DF_ALWAYS
		|| r->a->users.n >= DOCKERFILE_ACCOUNTS) {
		if (user) {
			user->allocated = true;
		}
		return give_up(r);
	}
	user = user_to_change(r, name);
	if (!user) {
		return -1;
	}
	user->at = r->command->at;
	if (given) {
		user->uid = uid;
		user->allocated = false;
	}
	if (r->given[DF_GROUP]) {
		set_primary(r, user, r->value[DF_GROUP]);
	}
	user->home = r->given[DF_HOME] ? r->value[DF_HOME] : user->home;
	if (r->given[DF_NEW_NAME]
		&& (!r->value[DF_NEW_NAME] || rename_user(r, user, r->value[DF_NEW_NAME]))) {
		return r->value[DF_NEW_NAME] ? -1 : give_up(r);
	}
	name = user->name;
	if (r->given[DF_GROUPS] && !r->append && leave_groups(r->a, name)) {
		return -1;
	}
	return r->given[DF_GROUPS] ? join_groups(r, r->value[DF_GROUPS], name) : 0;
}

static int change_group(struct df_request *r) {
	uint32_t gid = 0;
	int given = stated(r, DF_GROUP, &gid);
	struct br_image_group *group = r->noperands == 1 ? find_group(r->a, r->operand[0]) : NULL;
	if (r->odd || r->noperands != 1 || given < 0 || r->command->when != DF_ALWAYS) {
		if (group) {
			group->allocated = true;
		}
		return give_up(r);
	}
	if (!group) {
		return given ? add_group(r, r->operand[0], gid, false) : give_up(r);
	}
	// whose primary group it is follows
	for (size_t i = 0; given && i < r->a->users.n; i++) {
		if (r->a->users.v[i].gid == group->gid && !r->a->users.v[i].gid_unknown) {
			r->a->users.v[i].gid = gid;
		}
	}
	if (given) {
		group->gid = gid;
		group->allocated = false;
	}
	group->at = r->command->at;
	group->name = r->value[DF_NEW_NAME] ? r->value[DF_NEW_NAME] : group->name;
	return r->given[DF_NEW_NAME] && !r->value[DF_NEW_NAME] ? give_up(r) : 0;
}

static int delete_user(struct df_request *r) {
	const char *name = r->operand[0];
	if (r->odd || !r->noperands || r->noperands > 2 || r->command->when != DF_ALWAYS) {
		return give_up(r);
	}
	if (r->noperands == 2) {
		struct br_image_group *from = find_group(r->a, r->operand[1]);
		return from ? set_member(r->a, from, name, false) : give_up(r);
	}
	struct br_image_user *user = find_user(r->a, name);
	if (!user) {
		return 0;
	}
	struct br_image_group *own = find_group(r->a, name);
	bool with_group = own && own->gid == user->gid;
	drop_user(r->a, user);
	if (with_group) {
		drop_group(r->a, own);
	}
	return leave_groups(r->a, name);
}

static int delete_group(struct df_request *r) {
	struct br_image_group *group = r->noperands == 1 ? find_group(r->a, r->operand[0]) : NULL;
	if (r->odd || r->noperands != 1 || r->command->when != DF_ALWAYS) {
		return give_up(r);
	}
	if (group) {
		drop_group(r->a, group);
	}
	return 0;
}

static int change_members(struct df_request *r) {
	struct br_image_group *group = r->noperands == 1 ? find_group(r->a, r->operand[0]) : NULL;
	if (!group || r->odd || r->given[DF_MEMBERS]) {
		return give_up(r);
	}
	if (r->value[DF_ADDED] && set_member(r->a, group, r->value[DF_ADDED], true)) {
		return -1;
	}
	return r->value[DF_REMOVED] ? set_member(r->a, group, r->value[DF_REMOVED], false) : 0;
}

// Which program it is

static int run_useradd(struct df_request *r) {
	df_options(r, df_shadow_user);
	return r->elsewhere ? 0 : make_user(r, SHADOW);
}

static int run_groupadd(struct df_request *r) {
	df_options(r, df_shadow_group);
	return r->elsewhere ? 0 : make_group(r, SHADOW);
}

/** Whether a word is "-…" with one of these letters first or joined behind others. */
static bool has_letter(const struct df_command *command, const char *letters) {
	for (size_t i = 1; i < command->n; i++) {
		const char *word = command->words[i];
		if (word && word[0] == '-' && word[1] && word[1] != '-'
			&& strpbrk(word + 1, letters) && strlen(word) <= 4) {
			return true;
		}
	}
	return false;
}

static int run_adduser(struct df_request *r) {
	enum df_flavour flavour = r->a->flavour;
	if (flavour == DF_REDHAT || (!flavour && has_letter(r->command, "mrMNdc"))) {
		return run_useradd(r);
	}
	bool busybox = flavour == DF_ALPINE || has_letter(r->command, "SDHGhgsk");
	df_options(r, busybox ? df_busybox_user : df_debian_user);
	return make_user(r, busybox ? BUSYBOX : DEBIAN);
}

static int run_addgroup(struct df_request *r) {
	if (r->a->flavour == DF_REDHAT) {
		return run_groupadd(r);
	}
	bool busybox = r->a->flavour == DF_ALPINE || has_letter(r->command, "Sg");
	df_options(r, busybox ? df_busybox_group : df_debian_user);
	return make_group(r, busybox ? BUSYBOX : DEBIAN);
}

static int run_usermod(struct df_request *r) {
	df_options(r, df_shadow_usermod);
	return r->elsewhere ? 0 : change_user(r);
}

static int run_groupmod(struct df_request *r) {
	df_options(r, df_shadow_groupmod);
	return r->elsewhere ? 0 : change_group(r);
}

static int run_userdel(struct df_request *r) {
	df_options(r, df_deleting);
	return r->elsewhere ? 0 : delete_user(r);
}

static int run_groupdel(struct df_request *r) {
	df_options(r, df_deleting);
	return r->elsewhere ? 0 : delete_group(r);
}

static int run_gpasswd(struct df_request *r) {
	df_options(r, df_gpasswd);
	return r->elsewhere ? 0 : change_members(r);
}

static int run_unclear(struct df_request *r) {
	return give_up(r);
}

static const struct {
	const char *name;
	int (*run)(struct df_request *r);
} tools[] = {{"useradd", run_useradd}, {"groupadd", run_groupadd}, {"adduser", run_adduser},
	{"addgroup", run_addgroup}, {"usermod", run_usermod}, {"groupmod", run_groupmod},
	{"userdel", run_userdel}, {"deluser", run_userdel}, {"groupdel", run_groupdel},
	{"delgroup", run_groupdel}, {"gpasswd", run_gpasswd}, {"newusers", run_unclear},
	{"vipw", run_unclear}, {"vigr", run_unclear}, {"pwconv", run_unclear}};

static size_t tool_of(const char *word) {
	size_t i = 0;
	while (i < sizeof(tools) / sizeof(*tools) && strcmp(tools[i].name, word) != 0) {
		i++;
	}
	return i;
}

bool df_is_account_command(const char *word) {
	return tool_of(word) < sizeof(tools) / sizeof(*tools);
}

int df_account_command(struct df_accounts *accounts, const struct df_command *command) {
	const char *slash = strrchr(command->words[0], '/');
	struct df_request request = {.a = accounts, .command = command};
	accounts->new_home = NULL;
	return tools[tool_of(slash ? slash + 1 : command->words[0])].run(&request);
}
