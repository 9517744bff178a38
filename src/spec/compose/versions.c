/**
 * What differs between versions of compose: each rule, and the first version that has it. Each row
 * was seen in 2.26.1 and 2.40.3 and in the sources of both; between them a rule begins where its
 * source says, or with 2.40.
 */
#include "compose.h"

enum {
	/** The newest that was measured: its rules count where no version is known. */
	NEWEST = 240,
	/** The next one, known by its sources only. */
	LATER = NEWEST + 1,
};

static const struct {
	enum br_compose_rule rule;
	unsigned since;
} rules[] = {
	{BR_RULE_CALLERS_DOTENV, 227},
	{BR_RULE_TYPES_CHECKED, 227},
	{BR_RULE_BARE_BIND_CREATES, 227},
	{BR_RULE_EXTENSIONS_MERGE, 227},
	{BR_RULE_UNC_IS_ABSOLUTE, 240},
	{BR_RULE_TARGETS_UNIQUE, 240},
	{BR_RULE_NUMBERS_ARE_WORDS, 240},
	{BR_RULE_PWD_SET, 240},
	{BR_RULE_FORMS_CHECKED, 240},
	{BR_RULE_NAMES_UNIQUE, 240},
	{BR_RULE_COUNTS_CHECKED, 240},
	{BR_RULE_BIND_BLOCK_CREATES, LATER},
	{BR_RULE_IMPORTS_MERGE, LATER},
};

bool br_compose_has(const struct br_compose *c, enum br_compose_rule rule) {
	unsigned version = c->request->compose_version ? c->request->compose_version : NEWEST;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		if (rules[i].rule == rule) {
			return version >= rules[i].since;
		}
	}
	return false;
}
