#include "compose.h"

int br_compose_extends(struct br_compose *c, struct br_tree *doc) {
	const struct br_tree *services = br_tree_get(doc, "services");
	for (size_t i = 0; services && i < services->members.n; i++) {
		const struct br_tree *service = services->members.v[i].value;
		if (br_tree_get(service, "extends")) {
			return br_error(c->dx, br_tree_member(service, "extends")->key.at, "extends is not supported yet");
		}
	}
	return 0;
}
