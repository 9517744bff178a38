#include "compose.h"

static void free_docs(struct br_compose *c) {
	for (size_t i = 0; i < c->inputs.n; i++) {
		br_doc_freep(&c->inputs.v[i].doc);
	}
}

static int load_inputs(struct br_compose *c) {
	for (size_t i = 0; i < c->inputs.n; i++) {
		const struct br_input *input = &c->inputs.v[i];
		struct br_layer *layer = BR_NEW(c->arena, struct br_layer);
		if (!layer) {
			return br_error_memory(c->dx);
		}
		layer->env = &c->env;
		layer->dir = c->spec->project_directory;
		layer->path = input->path;
		layer->shown = input->shown;
		if (br_compose_load(c, layer, input, &c->model)) {
			return -1;
		}
	}
	const struct br_tree *services = br_tree_get(c->model, "services");
	if (!services && br_schema_only_known(c->model)) {
		br_warning(c->dx, (struct br_span){c->inputs.v[0].text, 0, 0},
			"'%s' has no services", c->inputs.v[0].shown);
		struct br_tree *none = br_tree_new(c, BR_VALUE_MAP, c->model);
		return none ? br_tree_set(c, c->model, (struct br_text){"services", none->at}, none)
			    : -1;
	}
	if (!services || services->kind != BR_VALUE_MAP) {
		struct br_span start = {c->inputs.v[0].text, 0, 0};
		(void)br_error(c->dx, start, "'%s' is not a compose file: it has no 'services'",
			c->inputs.v[0].shown);
		br_hint(c->dx, "services stand below a top-level key 'services:'");
		return -1;
	}
	return 0;
}

static int read_project(struct br_compose *c) {
	if (br_compose_find(c)) {
		return -1;
	}
	for (size_t i = 0; i < c->inputs.n; i++) {
		br_store_wish(c->store, BR_ASK_COMPOSE, c->inputs.v[i].path);
	}
	for (size_t i = 0; i < c->inputs.n; i++) {
		if (br_compose_parse(c, &c->inputs.v[i], c->inputs.v[i].at)) {
			return -1;
		}
	}
	if (br_compose_name(c) || load_inputs(c) || br_compose_select(c)) {
		return -1;
	}
	c->spec->files = c->shown.v;
	c->spec->nfiles = c->shown.n;
	return 0;
}

int br_compose_read(const struct br_spec_request *request, struct br_file_store *store,
	struct br_spec *spec, struct br_diags *dx) {
	struct br_compose c = {
		.request = request,
		.dx = dx,
		.spec = spec,
		.store = store,
		.arena = spec->arena,
		.env = {.arena = spec->arena},
	};
	int result = read_project(&c);
	free_docs(&c);
	return result;
}
