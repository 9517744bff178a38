/** What compose lets stand where: the tables of schema_keys.c, which schema.c walks. */
#ifndef BR_SPEC_COMPOSE_SCHEMA_H
#define BR_SPEC_COMPOSE_SCHEMA_H

#include "compose.h"

/** Kinds of values. */
enum {
	BR_NUL = BR_VALUE_NULL,
	BR_STR = BR_VALUE_STRING,
	BR_INT = BR_VALUE_INT,
	BR_NUM = BR_VALUE_INT | BR_VALUE_FLOAT,
	BR_YES = BR_VALUE_BOOL | BR_VALUE_STRING,
	BR_SEQ = BR_VALUE_SEQ,
	BR_MAP = BR_VALUE_MAP,
	BR_WORD = BR_STR | BR_NUM | BR_VALUE_BOOL,
	BR_ANY = BR_NUL | BR_WORD | BR_SEQ | BR_MAP,
};

/** What a string becomes as soon as its variables are replaced: compose refuses it in any file,
 * whatever is merged over it. */
enum br_cast {
	BR_CAST_NONE,
	BR_CAST_BOOL,
	BR_CAST_INT,
	BR_CAST_FLOAT,
};

/** What the words of a string must be once all is merged. */
enum br_form {
	BR_FORM_ANY,
	BR_FORM_DURATION,
	BR_FORM_BYTES,
	BR_FORM_COMMAND,
	BR_FORM_PORT,
	BR_FORM_HOST,
	BR_FORM_ADDRESS,
	BR_FORM_MODE,
	BR_FORM_COUNT,
	BR_FORM_DEVICE,
	BR_FORM_CPUS,
	BR_FORM_NAME,
	BR_FORM_PULL,
	BR_FORM_PAIR,
	BR_FORM_SSH,
	BR_FORM_NOT_EMPTY,
};

struct br_level;

/** What a value may be, and what lies below it. */
struct br_rule {
	unsigned kinds;
	/** Of each item of a list, of each value of a map with free names; NULL: anything. */
	const struct br_rule *item;
	const struct br_rule *value;
	/** The keys of a map that has fixed ones. */
	const struct br_level *level;
	/** The strings that it may be; NULL: any. */
	const char *const *words;
	enum br_cast cast;
	enum br_form form;
	/** A list whose items must differ; `once` only as it is written, since the merged one is a
	 * map to compose. */
	bool unique;
	bool once;
	/** Integers are this at least (`low` < `high`), and at most. */
	int64_t low, high;
};

/** A key of a map. */
struct br_key {
	const char *name;
	struct br_rule rule;
};

/** The keys of a map; keys that are not there are an error (strict) or a warning. */
struct br_level {
	bool strict;
	/** What it needs may come with another file. */
	bool merged;
	const struct br_key *keys;
	const char *const *needs;
};

extern const struct br_level br_schema_top;

/** A map of named things on the top level. */
struct br_section {
	const char *name;
	struct br_rule rule;
	/** For "must be …". */
	const char *needs;
	/** Any key is a name. */
	bool free_names;
};
enum {
	BR_SECTIONS = 6
};
extern const struct br_section br_schema_sections[BR_SECTIONS];
/** The long form of a volume. */
extern const struct br_rule br_schema_volume;
/** The key of this name, or NULL. */
const struct br_key *br_schema_key(const struct br_level *level, const char *name);

/** "… must be a list, not a string", with a hint. Always -1. */
int br_schema_wrong_kind(struct br_compose *c, const struct br_tree *value, unsigned kinds,
	const struct br_path *path);
/** Whether a key that the level needs is not there; and the error that says which. */
bool br_schema_lacks(const struct br_tree *map, const struct br_level *level);
int br_schema_needs(struct br_compose *c, const struct br_tree *map, const struct br_level *level,
	const struct br_path *path);
/** An error where two strings of the list are the same. */
int br_schema_unique(struct br_compose *c, const struct br_tree *list, const struct br_path *path);

/** NULL where the words have this form (`old`: without BR_RULE_FORMS_CHECKED); else what they ought
 * to be, as in "must be …". */
const char *br_form_wrong(enum br_form form, const char *words, bool old);

#endif
