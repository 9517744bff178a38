#include "compose.h"

int br_compose_include(struct br_compose *c, const struct br_layer *layer, struct br_tree *doc) {
	const struct br_member *member = br_tree_member(doc, "include");
	(void)layer;
	if (!br_tree_get(doc, "include")) {
		return 0;
	}
	return br_error(c->dx, member->key.at, "include is not supported yet");
}
