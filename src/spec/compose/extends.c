#include "compose.h"

#include <base/own.h>

#include <string.h>

enum {
	CHAIN = 100
};

/** Who extends whom, from here up to where it began. */
struct chain {
	const struct chain *up;
	const struct br_tree *service;
	unsigned depth;
};

static int resolve(struct br_compose *c, struct br_tree *services, struct br_member *member,
	const struct chain *up);

static struct br_tree *read_documents(
	struct br_compose *c, const struct br_layer *layer, const struct br_doc *doc) {
	struct br_tree *model = NULL;
	for (size_t i = 0; i < doc->n; i++) {
		struct br_tree *tree =
			doc->roots[i] ? br_tree_build(c, layer, doc->roots[i]) : NULL;
		if (!tree && doc->roots[i]) {
			return NULL;
		}
		model = model && tree ? br_merge(c, model, tree, NULL) : tree ? tree : model;
		if (!model && i + 1 == doc->n) {
			return NULL;
		}
	}
	return model;
}

/* Only services come from there, so nothing else of the file is checked. */
static int read_base(
	struct br_compose *c, const struct br_tree *file, const char *path, struct br_base *base) {
	struct br_layer *layer = BR_NEW(c->arena, struct br_layer);
	if (!layer) {
		return br_error_memory(c->dx);
	}
	*layer = (struct br_layer){
		.env = file->layer->env,
		.dir = br_dirname(c->arena, path),
		.path = path,
		.shown = br_shown_path(c, path),
		.up = file->layer,
	};
	struct br_input input = {.path = path, .shown = layer->shown};
	if (!layer->dir) {
		return br_error_memory(c->dx);
	}
	int failed = br_compose_parse(c, &input, file->at);
	br_auto(br_doc_freep) struct br_doc *doc = input.doc;
	const struct br_tree *model = failed ? NULL : read_documents(c, layer, doc);
	if (!model) {
		return -1;
	}
	base->services = br_tree_get(model, "services");
	if (!base->services || base->services->kind != BR_VALUE_MAP) {
		return br_error(c->dx, file->at, "'%s' has no services to extend", layer->shown);
	}
	base->path = path;
	base->env = layer->env;
	return br_vec_push(c->arena, &c->bases, *base) ? br_error_memory(c->dx) : 0;
}

static int find_base(struct br_compose *c, const struct br_tree *file, struct br_base *base) {
	if (strstr(file->s, "://") || strncmp(file->s, "oci:", 4) == 0) {
		return br_error(c->dx, file->at, "remote files are not supported: '%s'", file->s);
	}
	const char *path = br_join(c->arena, file->layer->dir, file->s);
	if (!path) {
		return br_error_memory(c->dx);
	}
	for (size_t i = 0; i < c->bases.n; i++) {
		*base = c->bases.v[i];
		if (strcmp(base->path, path) == 0 && base->env == file->layer->env) {
			return 0;
		}
	}
	return read_base(c, file, path, base);
}

static int check_circle(
	struct br_compose *c, const struct br_tree *extends, const struct chain *chain) {
	for (const struct chain *up = chain->up; up; up = up->up) {
		if (up->service == chain->service) {
			(void)br_error(
				c->dx, extends->at, "services extend each other in a circle");
			br_other(c->dx, up->service->at, "it begins here");
			return -1;
		}
	}
	if (chain->depth > CHAIN) {
		return br_error(
			c->dx, extends->at, "more than %d services extend each other", CHAIN);
	}
	return 0;
}

static struct br_member *find_service(struct br_compose *c, const struct br_tree *ref,
	const struct br_tree *file, struct br_tree **services) {
	struct br_base base = {0};
	if (file && find_base(c, file, &base)) {
		return NULL;
	}
	*services = file ? base.services : *services;
	struct br_member *member = br_tree_member(*services, ref->s);
	if (member && !member->value->reset && member->value->kind == BR_VALUE_MAP) {
		// Another file's service is made as a whole before it is a base.
		if (file && (br_schema_service(c, member) || br_unique_service(c, member->value))) {
			return NULL;
		}
		struct br_tree *volumes = file ? br_tree_get(member->value, "volumes") : NULL;
		return br_volumes_expanded(c, volumes) ? NULL : member;
	}
	if (file && member && !member->value->reset && member->value->kind == BR_VALUE_NULL) {
		return member;
	}
	(void)br_error(c->dx, ref->at, "cannot extend '%s': there is no such service in '%s'",
		ref->s, file ? file->s : ref->layer->shown);
	(void)br_hint_member(c, ref->s, *services);
	return NULL;
}

/* The base, the service's own keys over it, and without "extends". */
static struct br_tree *put_over(
	struct br_compose *c, const struct br_tree *base, const struct br_member *member) {
	struct br_path up = {NULL, "services", 0};
	struct br_path here = {&up, member->key.s, 0};
	// Another file's service may be empty.
	struct br_tree *copy = base->kind == BR_VALUE_NULL ? br_tree_new(c, BR_VALUE_MAP, base)
							   : br_tree_clone(c, base);
	struct br_tree *none = copy ? br_tree_new(c, BR_VALUE_NULL, member->value) : NULL;
	struct br_tree *merged = none ? br_merge(c, copy, member->value, &here) : NULL;
	if (!merged) {
		return NULL;
	}
	none->s = none->written = "";
	none->reset = true;
	merged->at = member->value->at;
	merged->layer = member->value->layer;
	merged->checked = true;
	struct br_member *extends = br_tree_member(merged, "extends");
	if (extends) {
		extends->value = none;
	}
	return br_unique_service(c, merged) ? NULL : merged;
}

static int resolve(struct br_compose *c, struct br_tree *services, struct br_member *member,
	const struct chain *up) {
	const struct br_tree *extends = br_tree_get(member->value, "extends");
	if (!extends) {
		return 0;
	}
	struct chain chain = {up, member->value, up ? up->depth + 1 : 0};
	const struct br_tree *ref =
		extends->kind == BR_VALUE_MAP ? br_tree_get(extends, "service") : extends;
	const struct br_tree *file = br_tree_get(extends, "file");
	if (!ref || ref->kind != BR_VALUE_STRING || (file && file->kind != BR_VALUE_STRING)) {
		return br_error(c->dx, extends->at, "extends needs the name of a service");
	}
	if (check_circle(c, extends, &chain)) {
		return -1;
	}
	struct br_member *base = find_service(c, ref, file, &services);
	if (!base || resolve(c, services, base, &chain)) {
		return -1;
	}
	member->value = put_over(c, base->value, member);
	return member->value ? 0 : -1;
}

int br_compose_extends(struct br_compose *c, struct br_tree *doc) {
	struct br_tree *services = br_tree_get(doc, "services");
	for (size_t i = 0; services && i < services->members.n; i++) {
		if (resolve(c, services, &services->members.v[i], NULL)) {
			return -1;
		}
	}
	return 0;
}

void br_compose_wish_bases(struct br_compose *c, const struct br_tree *doc) {
	const struct br_tree *services = br_tree_get(doc, "services");
	for (size_t i = 0; c->store->closed && services && i < services->members.n; i++) {
		const struct br_tree *extends =
			br_tree_get(services->members.v[i].value, "extends");
		const struct br_tree *file = br_tree_get(extends, "file");
		bool is_word = file && file->kind == BR_VALUE_STRING && *file->s
			&& !strstr(file->s, "://");
		const char *path = is_word ? br_join(c->arena, file->layer->dir, file->s) : NULL;
		if (path) {
			br_store_wish(c->store, BR_ASK_COMPOSE, path);
		}
	}
}
