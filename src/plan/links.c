// Files with several names: access is the inode's, so what is needed under any of its names decides
// together.
#include "work.h"

#include <stdio.h>

int link_mix(struct br_plan *plan, struct link *link, uint32_t class) {
	bool known = link->class == class;
	for (const struct link_class *other = link->others; other != NULL; other = other->next) {
		known = known || other->class == class;
	}
	if (known) {
		return 0;
	}
	struct link_class *other = BR_NEW(plan->arena, struct link_class);
	if (other == NULL) {
		return -1;
	}
	*other = (struct link_class){.class = class, .next = link->others};
	link->others = other;
	link->mixed = true;
	return 0;
}

// The ACL of a name whose mode serves its demands is not read; what another name's is counts for
// both.
static bool join_facts(struct facts *facts, const struct facts *more) {
	bool unread = (facts->flags & FACT_UNREAD) != 0;
	bool same = facts->uid == more->uid && facts->gid == more->gid && facts->mode == more->mode;
	if ((more->flags & FACT_UNREAD) == 0) {
		same = same && (unread || (facts->acl == more->acl && facts->def == more->def));
		facts->acl = more->acl;
		facts->def = more->def;
		facts->flags &= ~(unsigned)FACT_UNREAD;
	}
	unsigned others = ~0U << FACT_OTHER_SHIFT | FACT_OTHER;
	bool both = (facts->flags & FACT_OTHER) != 0 && (more->flags & FACT_OTHER) != 0;
	facts->demands |= more->demands;
	facts->flags |= more->flags & ~(unsigned)FACT_UNREAD;
	return same && (!both || (facts->flags & others) == (more->flags & others));
}

// It moves from the class that it was counted in. 0 or -1 with ENOMEM.
static int join(struct br_plan *plan, struct tree_work *tree, struct link *link,
	const struct facts *facts) {
	struct class *joined = table_put(&tree->classes, facts);
	if (joined == NULL) {
		return -1;
	}
	struct class *old = table_at(&tree->classes, link->class);
	old->seen.count--;
	old->bytes -= link->size;
	joined->bytes += link->size;
	joined->seen.count += link->path == NULL ? 1 : 0;
	if (link->path != NULL && tally_add(plan->arena, &joined->seen, link->path, 1) != 0) {
		return -1;
	}
	// Not all names are known any more: its number stands for them.
	char number[32];
	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)link->ino);
	if (plan->options->digests && paths_add(plan->arena, &joined->paths, number) != 0) {
		return -1;
	}
	link->class = (uint32_t)table_index(&tree->classes, joined);
	link->others = NULL;
	link->mixed = false;
	link->joined = true;
	return 0;
}

int links_join(struct br_plan *plan, struct tree_work *tree) {
	// Else whoever can write one directory could have put the name there to get at what is
	// needed elsewhere.
	if (!plan->options->protected_hardlinks) {
		return 0;
	}
	for (size_t i = 0; i < tree->links.n; i++) {
		struct link *link = table_at(&tree->links, i);
		if (!link->mixed || link->found != link->nlink) {
			continue;
		}
		const struct class *class = table_at(&tree->classes, link->class);
		struct facts facts = class->facts;
		bool same = true;
		for (const struct link_class *other = link->others; other != NULL;
			other = other->next) {
			class = table_at(&tree->classes, other->class);
			same = join_facts(&facts, &class->facts) && same;
		}
		if (same && join(plan, tree, link, &facts) != 0) {
			return -1;
		}
	}
	return 0;
}
