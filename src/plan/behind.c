// What lies in a directory that stays closed: to give somebody something there who does not get
// that far is a change for nothing.
//
// Which directories stay closed is known when all was seen and classes have their outcomes; which
// lie above an inode only while it is walked. So each inode knows the set of those above it that
// are closed today, and what their states are, never their paths: as there are few different states
// there are few such sets.

#include "work.h"

#include <string.h>
#include <sys/stat.h>

enum {
	/** Closed directories, and sets of their states; with more nobody is told. */
	WAYS_MAX = 1 << 16,
	SETS_MAX = 1 << 12,
};

/** A closed directory, and what what is in it lies behind. */
struct way {
	/** The key: the hash of its path. */
	uint64_t hash;
	uint32_t set;
};

/** The state of one. */
struct state {
	struct facts facts;
};

/** One more state, and those before. */
struct set {
	uint32_t before;
	uint32_t state;
	/** Settled: the demands that do not get behind all of them. */
	uint64_t dead;
};

void behind_init(struct tree_work *tree) {
	table_init(&tree->ways, sizeof(uint64_t), sizeof(struct way));
	table_init(&tree->states, sizeof(struct facts), sizeof(struct state));
	table_init(&tree->sets, 2 * sizeof(uint32_t), sizeof(struct set));
}

void behind_release(struct tree_work *tree) {
	table_release(&tree->ways);
	table_release(&tree->states);
	table_release(&tree->sets);
}

uint32_t behind_of(const struct tree_work *tree, const char *path) {
	uint32_t found = 0;
	uint64_t hash = PATH_HASH;
	if (tree->ways.n == 0 || *path == '\0') {
		return 0;
	}
	for (const char *p = path; *p != '\0'; hash = path_hash_on(hash, *p++)) {
		const struct way *way =
			p == path || *p == '/' ? table_find(&tree->ways, &hash) : NULL;
		found = way != NULL ? way->set : found;
	}
	return found;
}

/** The demands that cannot enter a directory in this state. */
static uint64_t shut_out(
	const struct tree_work *tree, const struct br_inode *inode, uint64_t demands) {
	uint64_t out = 0;
	for (size_t i = 0; i < tree->tree->n; i++) {
		const struct br_demand *demand = &tree->tree->demands[i];
		uint64_t bit = (uint64_t)1 << demand->index;
		if ((demands & bit) != 0
			&& br_access_use(inode, &demand->identity->cred, &plain_where, BR_X).missing
				!= 0) {
			out |= bit;
		}
	}
	return out;
}

static bool has_state(const struct tree_work *tree, uint32_t set, uint32_t state) {
	while (set != 0) {
		const struct set *one = table_at(&tree->sets, set - 1);
		if (one->state == state) {
			return true;
		}
		set = one->before;
	}
	return false;
}

/** The set with one state more. 0 with ENOMEM. */
static uint32_t widen(struct tree_work *tree, uint32_t set, const struct facts *facts) {
	struct facts state = *facts;
	state.behind = 0;
	void *known = table_put(&tree->states, &state);
	if (known == NULL) {
		return 0;
	}
	const uint32_t key[2] = {set, (uint32_t)table_index(&tree->states, known)};
	if (has_state(tree, set, key[1])) {
		return set;
	}
	void *wider = table_put(&tree->sets, key);
	return wider == NULL ? 0 : (uint32_t)table_index(&tree->sets, wider) + 1;
}

/** Whom the host keeps goes there by a way of his own. */
static bool counts_for(const struct br_plan *plan) {
	for (size_t i = 0; i < plan->options->nkeepers; i++) {
		if (plan->options->keepers[i].demanded) {
			return false;
		}
	}
	return true;
}

int behind_see(const struct br_plan *plan, struct tree_work *tree, const char *path,
	const struct facts *facts) {
	if (!S_ISDIR(facts->mode) || !counts_for(plan)) {
		return 0;
	}
	struct br_inode inode = facts_inode(facts);
	if (shut_out(tree, &inode, facts->demands) == 0) {
		return 0;
	}
	if (tree->ways.n == WAYS_MAX || tree->sets.n == SETS_MAX) {
		tree->too_many_ways = true;
		return 0;
	}
	uint32_t set = widen(tree, facts->behind, facts);
	uint64_t hash = path_hash(path, strlen(path));
	struct way *way = set == 0 ? NULL : table_put(&tree->ways, &hash);
	if (way == NULL) {
		return -1;
	}
	way->set = set;
	return 0;
}

/** choose(), unless nobody would have anything of it but those who do not get there. 0 or -1 with
 * ENOMEM. */
static int choose_behind(const struct br_plan *plan, const struct tree_work *tree,
	const struct facts *facts, uint64_t dead, struct outcome *out) {
	struct facts alive = *facts;
	alive.demands &= ~dead;
	if (alive.demands == facts->demands) {
		return choose(plan, tree, facts, out);
	}
	if (choose(plan, tree, &alive, out) != 0) {
		return -1;
	}
	bool for_nothing = out->kind == OUTCOME_FITS;
	if (choose(plan, tree, facts, out) != 0) {
		return -1;
	}
	if (for_nothing && out->kind == OUTCOME_CHANGE) {
		*out = (struct outcome){OUTCOME_LEFT, BR_LEFT_BEHIND, facts_inode(facts)};
	}
	return 0;
}

int behind_settle(const struct br_plan *plan, struct tree_work *tree) {
	for (size_t i = 0; i < tree->sets.n; i++) {
		struct set *set = table_at(&tree->sets, i);
		const struct set *before =
			set->before == 0 ? NULL : table_at(&tree->sets, set->before - 1);
		const struct state *state = table_at(&tree->states, set->state);
		const struct facts *facts = &state->facts;
		struct outcome outcome;
		set->dead = before == NULL ? 0 : before->dead;
		if (choose_behind(plan, tree, facts, set->dead, &outcome) != 0) {
			return -1;
		}
		struct br_inode after =
			outcome.kind == OUTCOME_CHANGE ? outcome.after : facts_inode(facts);
		set->dead |= shut_out(tree, &after, facts->demands);
	}
	return 0;
}

int behind_choose(const struct br_plan *plan, const struct tree_work *tree,
	const struct facts *facts, struct outcome *out) {
	bool known = facts->behind != 0 && !tree->too_many_ways;
	const struct set *set = known ? table_at(&tree->sets, facts->behind - 1) : NULL;
	return choose_behind(plan, tree, facts, set == NULL ? 0 : set->dead, out);
}
