// What other containers mount: a service that was not asked for, one that the engine has. Whoever
// mounts all of a directory has a demand on that, too, but nobody asked about its users.
#include "work.h"

#include <string.h>

static bool seen_before(const struct tree_work *tree, const char *path) {
	for (size_t i = 0; i < tree->others.n; i++) {
		if (strcmp(tree->others.v[i].path, path) == 0) {
			return true;
		}
	}
	return false;
}

// The first of the same container: it is listed once.
static size_t first_of(const struct br_demands *demands, size_t number) {
	const struct br_other *other = &demands->others[number];
	size_t i = 0;
	while (strcmp(demands->others[i].name, other->name) != 0
		|| demands->others[i].is_service != other->is_service) {
		i++;
	}
	return i;
}

int others_see(struct br_plan *plan, struct tree_work *tree, const struct br_entry *entry) {
	const struct br_demands *demands = plan->work->input.demands;
	for (size_t i = 0; !plan->options->other_mounts && i < demands->nothers; i++) {
		const struct br_other *other = &demands->others[i];
		if (other->ino != entry->inode->ino || other->dev != entry->inode->dev
			|| seen_before(tree, entry->path)) {
			continue;
		}
		struct other_path one = {br_strdup(plan->arena, entry->path), first_of(demands, i)};
		if (one.path == NULL || br_vec_push(plan->arena, &tree->others, one) != 0) {
			return -1;
		}
	}
	return 0;
}

// Whether somebody who was asked about mounts a part of it by himself, where this lies.
static bool is_shared(const struct br_tree *tree, const char *path, const char *other) {
	for (size_t i = 0; i < tree->n; i++) {
		const struct br_demand *demand = &tree->demands[i];
		if (br_path_within(demand->below, other) && br_demand_applies(demand, path)) {
			return true;
		}
	}
	return false;
}

unsigned others_flags(const struct tree_work *tree, const char *path) {
	for (size_t i = 0; i < tree->others.n; i++) {
		const struct other_path *other = &tree->others.v[i];
		if (br_path_within(path, other->path)
			&& !is_shared(tree->tree, path, other->path)) {
			size_t number = other->number < OTHERS_NAMED ? other->number + 1 : 0;
			return FACT_OTHER | (unsigned)number << FACT_OTHER_SHIFT;
		}
	}
	return 0;
}

const struct br_other *other_of(const struct br_plan *plan, uint32_t number) {
	const struct br_demands *demands = plan->work->input.demands;
	return number > 0 && number <= demands->nothers ? &demands->others[number - 1] : NULL;
}
