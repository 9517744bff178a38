#include "compose.h"

#include <string.h>

static int read_document(struct br_compose *c, const struct br_layer *layer,
	const struct br_node *root, struct br_tree **model) {
	struct br_tree *doc = br_tree_build(c, layer, root);
	if (!doc) {
		return -1;
	}
	if (doc->kind != BR_VALUE_MAP) {
		(void)br_error(c->dx, doc->at, "a compose file is a mapping, and this is %s",
			br_tree_type(doc));
		return -1;
	}
	br_compose_wish_bases(c, doc);
	if (br_compose_schema(c, doc) || br_compose_include(c, layer, doc)
		|| br_compose_extends(c, doc)) {
		return -1;
	}
	*model = *model ? br_merge(c, *model, doc, NULL) : doc;
	if (*model && br_schema_model(c, *model)) {
		return -1;
	}
	const struct br_tree *services = *model ? br_tree_get(*model, "services") : NULL;
	for (size_t i = 0; services && i < services->members.n; i++) {
		struct br_tree *service = services->members.v[i].value;
		if (br_unique_service(c, service)) {
			return -1;
		}
		if (br_volumes_expanded(c, br_tree_get(service, "volumes"))) {
			return -1;
		}
	}
	return *model ? 0 : -1;
}

int br_compose_load(struct br_compose *c, const struct br_layer *layer,
	const struct br_input *input, struct br_tree **model) {
	for (size_t i = 0; i < input->doc->n; i++) {
		const struct br_node *root = input->doc->roots[i];
		if (root && read_document(c, layer, root, model)) {
			return -1;
		}
	}
	return 0;
}
