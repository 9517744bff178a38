#include <bindright/habits.h>

#include <string.h>

// The newest row of an engine last. 20.10, 26.1: measured with a mount below the source and with volumes of `type: none, o: bind`; 25.0 is the release whose notes bring
// recursive read-only binds (they need Linux 5.12).
static const struct br_engine_rules table[] = {
	{BR_ENGINE_DOCKER, 0, .fills_empty = true, .nocopy_spares = true},
	{BR_ENGINE_DOCKER, 2500, .read_only_recursive = true, .fills_empty = true,
		.nocopy_spares = true},
};

const struct br_engine_rules *br_engine_rules(enum br_engine engine, unsigned version) {
	const struct br_engine_rules *found = &table[0];
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].engine == engine && (version == 0 || table[i].since <= version)) {
			found = &table[i];
		}
	}
	return found;
}

enum br_submounts br_engine_submounts(
	const struct br_engine_rules *rules, const struct br_mount *mount) {
	const char *word = mount->recursive.s;
	// Docker's own words for it: enabled, disabled, writable, readonly. Engines that do not know the option do what they always do.
	if (word && rules->read_only_recursive) {
		if (strcmp(word, "disabled") == 0) {
			return BR_SUBMOUNTS_HIDDEN;
		}
		if (strcmp(word, "writable") == 0) {
			return BR_SUBMOUNTS_WRITABLE;
		}
	}
	return rules->read_only_recursive ? BR_SUBMOUNTS_SAME : BR_SUBMOUNTS_WRITABLE;
}
