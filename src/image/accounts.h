/** Between the commands that make accounts (accounts.c) and their options (options.c). */
#ifndef BR_IMAGE_ACCOUNTS_H
#define BR_IMAGE_ACCOUNTS_H

#include "dockerfile.h"

/** What an option says. */
enum df_what {
	DF_IGNORED,
	DF_UID,
	/** The primary group: a number or a name. */
	DF_GROUP,
	/** The supplementary groups, separated by commas. */
	DF_GROUPS,
	DF_NEW_NAME,
	DF_MEMBERS,
	DF_ADDED,
	DF_REMOVED,
	/** The home directory, and the directory in which it lies. */
	DF_HOME,
	DF_HOME_BASE,
	DF_NVALUES,
	DF_SYSTEM = DF_NVALUES,
	/** No group of the user's name; one in any case. */
	DF_NO_GROUP,
	DF_OWN_GROUP,
	DF_APPEND,
	/** NAME=VALUE in the place of a setting of login.defs. */
	DF_KEY,
	/** The home directory is made, or not. */
	DF_MAKE_HOME,
	DF_NO_HOME,
	/** Another root directory, or nothing that changes accounts. */
	DF_ELSEWHERE,
};

struct df_option {
	const char *name;
	char letter;
	bool has_value;
	enum df_what what;
};

/** A command taken apart. */
struct df_request {
	struct df_accounts *a;
	const struct df_command *command;
	bool given[DF_NVALUES];
	/** NULL although given: not known. */
	const char *value[DF_NVALUES];
	bool system, no_group, own_group, append, elsewhere, make_home, no_home;
	/** The ranges of the numbers are others than usual, or may be. */
	bool other_ranges;
	/** An option that the grammar does not have, or a word that is not known. */
	bool odd;
	const char *operand[2];
	size_t noperands;
};

/** The options of each program; the last one has no name. */
extern const struct df_option df_shadow_user[];
extern const struct df_option df_shadow_group[];
extern const struct df_option df_shadow_usermod[];
extern const struct df_option df_shadow_groupmod[];
extern const struct df_option df_deleting[];
extern const struct df_option df_gpasswd[];
extern const struct df_option df_debian_user[];
extern const struct df_option df_busybox_user[];
extern const struct df_option df_busybox_group[];

/** Take the command's words apart. */
void df_options(struct df_request *request, const struct df_option *table);

#endif
