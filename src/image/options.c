#include "accounts.h"

#include <string.h>

const struct df_option df_shadow_user[] = {{"uid", 'u', true, DF_UID}, {"gid", 'g', true, DF_GROUP},
	{"groups", 'G', true, DF_GROUPS}, {"system", 'r', false, DF_SYSTEM},
	{"no-user-group", 'N', false, DF_NO_GROUP}, {"user-group", 'U', false, DF_OWN_GROUP},
	{"root", 'R', true, DF_ELSEWHERE}, {"prefix", 'P', true, DF_ELSEWHERE},
	{"defaults", 'D', false, DF_ELSEWHERE}, {"base-dir", 'b', true, DF_HOME_BASE},
	{"comment", 'c', true, DF_IGNORED}, {"home-dir", 'd', true, DF_HOME},
	{"home", 0, true, DF_HOME}, {"expiredate", 'e', true, DF_IGNORED},
	{"inactive", 'f', true, DF_IGNORED}, {"skel", 'k', true, DF_IGNORED},
	{"key", 'K', true, DF_KEY}, {"password", 'p', true, DF_IGNORED},
	{"shell", 's', true, DF_IGNORED}, {"selinux-user", 'Z', true, DF_IGNORED},
	{"no-log-init", 'l', false, DF_IGNORED}, {"create-home", 'm', false, DF_MAKE_HOME},
	{"no-create-home", 'M', false, DF_NO_HOME}, {"non-unique", 'o', false, DF_IGNORED},
	{"add-subids-for-system", 'F', false, DF_IGNORED}, {"badname", 0, false, DF_IGNORED},
	{"badnames", 0, false, DF_IGNORED}, {0}};

const struct df_option df_shadow_group[] = {{"gid", 'g', true, DF_GROUP},
	{"system", 'r', false, DF_SYSTEM}, {"users", 'U', true, DF_MEMBERS},
	{"root", 'R', true, DF_ELSEWHERE}, {"prefix", 'P', true, DF_ELSEWHERE},
	{"force", 'f', false, DF_IGNORED}, {"key", 'K', true, DF_KEY},
	{"non-unique", 'o', false, DF_IGNORED}, {"password", 'p', true, DF_IGNORED}, {0}};

const struct df_option df_shadow_usermod[] = {{"uid", 'u', true, DF_UID},
	{"gid", 'g', true, DF_GROUP}, {"groups", 'G', true, DF_GROUPS},
	{"append", 'a', false, DF_APPEND}, {"login", 'l', true, DF_NEW_NAME},
	{"root", 'R', true, DF_ELSEWHERE}, {"prefix", 'P', true, DF_ELSEWHERE},
	{"comment", 'c', true, DF_IGNORED}, {"home", 'd', true, DF_HOME},
	{"expiredate", 'e', true, DF_IGNORED}, {"inactive", 'f', true, DF_IGNORED},
	{"lock", 'L', false, DF_IGNORED}, {"unlock", 'U', false, DF_IGNORED},
	{"move-home", 'm', false, DF_IGNORED}, {"non-unique", 'o', false, DF_IGNORED},
	{"password", 'p', true, DF_IGNORED}, {"shell", 's', true, DF_IGNORED},
	{"add-subuids", 'v', true, DF_IGNORED}, {"del-subuids", 'V', true, DF_IGNORED},
	{"add-subgids", 'w', true, DF_IGNORED}, {"del-subgids", 'W', true, DF_IGNORED},
	{"selinux-user", 'Z', true, DF_IGNORED}, {0}};

const struct df_option df_shadow_groupmod[] = {{"gid", 'g', true, DF_GROUP},
	{"new-name", 'n', true, DF_NEW_NAME}, {"root", 'R', true, DF_ELSEWHERE},
	{"prefix", 'P', true, DF_ELSEWHERE}, {"append", 'a', false, DF_IGNORED},
	{"users", 'U', true, DF_MEMBERS}, {"non-unique", 'o', false, DF_IGNORED},
	{"password", 'p', true, DF_IGNORED}, {0}};

const struct df_option df_deleting[] = {{"force", 'f', false, DF_IGNORED},
	{"remove", 'r', false, DF_IGNORED}, {"root", 'R', true, DF_ELSEWHERE},
	{"prefix", 'P', true, DF_ELSEWHERE}, {"selinux-user", 'Z', false, DF_IGNORED},
	{"remove-home", 0, false, DF_IGNORED}, {"remove-all-files", 0, false, DF_IGNORED},
	{"system", 0, false, DF_IGNORED}, {"quiet", 'q', false, DF_IGNORED},
	{"backup", 0, false, DF_IGNORED}, {"only-if-empty", 0, false, DF_IGNORED},
	{"group", 0, false, DF_IGNORED}, {0}};

const struct df_option df_gpasswd[] = {{"add", 'a', true, DF_ADDED},
	{"delete", 'd', true, DF_REMOVED}, {"members", 'M', true, DF_MEMBERS},
	{"administrators", 'A', true, DF_IGNORED}, {"root", 'Q', true, DF_ELSEWHERE},
	{"remove-password", 'r', false, DF_IGNORED}, {"restrict", 'R', false, DF_IGNORED}, {0}};

const struct df_option df_debian_user[] = {{"uid", 0, true, DF_UID}, {"gid", 0, true, DF_GROUP},
	{"ingroup", 0, true, DF_GROUP}, {"system", 0, false, DF_SYSTEM},
	{"group", 0, false, DF_OWN_GROUP}, {"add_extra_groups", 0, false, DF_IGNORED},
	{"add-extra-groups", 0, false, DF_IGNORED}, {"allow-all-names", 0, false, DF_IGNORED},
	{"allow-bad-names", 0, false, DF_IGNORED}, {"allow-badname", 0, false, DF_IGNORED},
	{"comment", 0, true, DF_IGNORED}, {"conf", 0, true, DF_IGNORED},
	{"debug", 0, false, DF_IGNORED}, {"disabled-login", 0, false, DF_IGNORED},
	{"disabled-password", 0, false, DF_IGNORED}, {"encrypt-home", 0, false, DF_IGNORED},
	{"firstgid", 0, true, DF_IGNORED}, {"firstuid", 0, true, DF_IGNORED},
	{"force-badname", 0, false, DF_IGNORED}, {"gecos", 0, true, DF_IGNORED},
	{"home", 0, true, DF_HOME}, {"lastgid", 0, true, DF_IGNORED},
	{"lastuid", 0, true, DF_IGNORED}, {"no-create-home", 0, false, DF_NO_HOME},
	{"quiet", 'q', false, DF_IGNORED}, {"shell", 0, true, DF_IGNORED},
	{"verbose", 0, false, DF_IGNORED}, {0}};

const struct df_option df_busybox_user[] = {{"uid", 'u', true, DF_UID},
	{"ingroup", 'G', true, DF_GROUP}, {"system", 'S', false, DF_SYSTEM},
	{"home", 'h', true, DF_HOME}, {"gecos", 'g', true, DF_IGNORED},
	{"shell", 's', true, DF_IGNORED}, {"skel", 'k', true, DF_IGNORED},
	{"disabled-password", 'D', false, DF_IGNORED}, {"empty-password", 0, false, DF_IGNORED},
	{"no-create-home", 'H', false, DF_NO_HOME}, {0}};

const struct df_option df_busybox_group[] = {
	{"gid", 'g', true, DF_GROUP}, {"system", 'S', false, DF_SYSTEM}, {0}};

/** UID_MIN=, SYS_GID_MAX= and their like. */
static bool is_range(const char *key) {
	return !key || !strncmp(key, "UID_", 4) || !strncmp(key, "GID_", 4)
		|| !strncmp(key, "SYS_", 4);
}

static void note(struct df_request *r, const struct df_option *option, const char *value) {
	switch (option->what) {
	case DF_SYSTEM:
		r->system = true;
		break;
	case DF_NO_GROUP:
		r->no_group = true;
		break;
	case DF_OWN_GROUP:
		r->own_group = true;
		break;
	case DF_APPEND:
		r->append = true;
		break;
	case DF_ELSEWHERE:
		r->elsewhere = true;
		break;
	case DF_KEY:
		r->other_ranges = r->other_ranges || is_range(value);
		break;
	case DF_MAKE_HOME:
		r->make_home = true;
		break;
	case DF_NO_HOME:
		r->no_home = true;
		break;
	case DF_IGNORED:
	case DF_HOME:
	case DF_HOME_BASE:
	case DF_UID:
	case DF_GROUP:
	case DF_GROUPS:
	case DF_NEW_NAME:
	case DF_MEMBERS:
	case DF_ADDED:
	case DF_REMOVED:
		r->given[option->what] = true;
		r->value[option->what] = value;
		break;
	}
}

/** "name", "name=value" or a beginning that only one name has; NULL: none. */
static const struct df_option *long_option(
	const struct df_option *table, const char *word, size_t n) {
	const struct df_option *found = NULL;
	for (; table->name; table++) {
		if (strncmp(table->name, word, n) != 0) {
			continue;
		}
		if (!table->name[n]) {
			return table;
		}
		if (found) {
			return NULL;
		}
		found = table;
	}
	return found;
}

static void read_long(
	struct df_request *r, const struct df_option *table, const char *word, size_t *i) {
	size_t n = strcspn(word, "=");
	const struct df_option *option = n ? long_option(table, word, n) : NULL;
	if (!option) {
		r->odd = true;
		return;
	}
	const char *value = word[n] ? word + n + 1 : NULL;
	if (option->has_value && !value && *i + 1 < r->command->n) {
		value = r->command->words[++*i];
	}
	note(r, option, value);
}

/** "-rg5" and "-r -g 5". */
static void read_short(
	struct df_request *r, const struct df_option *table, const char *word, size_t *i) {
	for (; *word; word++) {
		const struct df_option *option = table;
		while (option->name && option->letter != *word) {
			option++;
		}
		if (!option->name) {
			r->odd = true;
			return;
		}
		if (!option->has_value) {
			note(r, option, NULL);
			continue;
		}
		const char *value = word[1] ? word + 1 : NULL;
		if (!value && *i + 1 < r->command->n) {
			value = r->command->words[++*i];
		}
		note(r, option, value);
		return;
	}
}

void df_options(struct df_request *r, const struct df_option *table) {
	bool only_operands = false;
	// Debian's program takes long options behind one dash too
	bool one_dash = table == df_debian_user;
	for (size_t i = 1; i < r->command->n; i++) {
		const char *word = r->command->words[i];
		if (!word) {
			r->odd = true;
		} else if (only_operands || *word != '-' || !word[1]) {
			if (r->noperands < 2) {
				r->operand[r->noperands] = word;
			}
			r->noperands++;
		} else if (!strcmp(word, "--")) {
			only_operands = true;
		} else if (word[1] == '-' || one_dash) {
			read_long(r, table, word + 1 + (word[1] == '-'), &i);
		} else {
			read_short(r, table, word + 1, &i);
		}
	}
}
