/**
 * Who depends on whom: by depends_on, links, volumes_from, and by a network_mode, ipc, pid or uts
 * of "service:NAME". Compose draws those services in with the named ones, wants all of them to be
 * there, and refuses a circle.
 */
#include "compose.h"

#include <stdlib.h>
#include <string.h>

/** A dependency, as a word says it. */
struct edge {
	const char *key;
	struct br_text to;
	bool required;
};

struct edges {
	struct edge *v;
	size_t n, cap;
};

/** What is known of a draft on the way through the graph; parallel to the drafts. */
struct node {
	struct edges edges;
	/** 0 not yet, 1 on the way to here, 2 done. */
	int state;
	/** By which of its edges the way goes on. */
	size_t at;
};

/** All drafts. */
struct graph {
	struct br_compose *c;
	struct br_draft *drafts;
	struct node *nodes;
	size_t n;
};

/** A service that is there already keeps what was said first: what need not be there need not for a
 * link. */
static int add(struct graph *g, struct edges *edges, struct edge edge) {
	for (size_t i = 0; i < edges->n; i++) {
		if (strcmp(edges->v[i].to.s, edge.to.s) == 0) {
			return 0;
		}
	}
	return br_vec_push(g->c->arena, edges, edge) ? br_error_memory(g->c->dx) : 0;
}

static int add_depends_on(struct graph *g, const struct br_draft *draft, struct edges *edges) {
	const struct br_tree *list = br_tree_get(draft->service, "depends_on");
	for (size_t i = 0; list && i < list->members.n; i++) {
		const struct br_member *member = &list->members.v[i];
		const struct br_tree *required = br_tree_get(member->value, "required");
		struct br_text name = member->key.s ? member->key : br_tree_text(member->value);
		struct edge edge = {"depends_on", name, true};
		if (required
			&& br_tree_bool(g->c, required, "depends_on.required", &edge.required)) {
			return -1;
		}
		if (name.s && !member->value->reset && add(g, edges, edge)) {
			return -1;
		}
	}
	return 0;
}

/** The name in a link ("NAME:ALIAS", or the whole where there are more colons) or in a "NAME:ro" of
 * volumes_from. */
static size_t name_length(const char *s, bool is_link) {
	size_t n = strcspn(s, ":");
	return is_link && s[n] && strchr(s + n + 1, ':') ? strlen(s) : n;
}

/** A list of such words. */
static int add_list(
	struct graph *g, const struct br_draft *draft, const char *key, struct edges *edges) {
	const struct br_tree *list = br_tree_get(draft->service, key);
	for (size_t i = 0; list && i < list->members.n; i++) {
		const struct br_tree *item = list->members.v[i].value;
		bool is_link = strcmp(key, "links") == 0;
		bool is_foreign =
			item->kind == BR_VALUE_STRING && strncmp(item->s, "container:", 10) == 0;
		if (item->kind != BR_VALUE_STRING || item->reset || (is_foreign && !is_link)) {
			continue;
		}
		const char *name = br_strndup(g->c->arena, item->s, name_length(item->s, is_link));
		if (!name) {
			return br_error_memory(g->c->dx);
		}
		if (add(g, edges, (struct edge){key, {name, item->at}, true})) {
			return -1;
		}
	}
	return 0;
}

/** "service:NAME". */
static int add_word(
	struct graph *g, const struct br_draft *draft, const char *key, struct edges *edges) {
	const struct br_tree *value = br_tree_get(draft->service, key);
	if (!value || value->kind != BR_VALUE_STRING || strncmp(value->s, "service:", 8) != 0) {
		return 0;
	}
	return add(g, edges, (struct edge){key, {value->s + 8, value->at}, true});
}

static int find_edges(struct graph *g, size_t i) {
	static const char *const words[] = {"network_mode", "ipc", "pid", "uts", "cgroup"};
	const struct br_draft *draft = &g->drafts[i];
	struct edges *edges = &g->nodes[i].edges;
	int failed = add_depends_on(g, draft, edges) || add_list(g, draft, "links", edges)
		|| add_list(g, draft, "volumes_from", edges);
	for (size_t k = 0; !failed && k < sizeof(words) / sizeof(*words); k++) {
		failed = add_word(g, draft, words[k], edges) != 0;
	}
	return failed ? -1 : 0;
}

static int graph_make(struct graph *g) {
	g->nodes = BR_NEW_ARRAY(g->c->arena, struct node, g->n);
	if (!g->nodes) {
		return br_error_memory(g->c->dx);
	}
	for (size_t i = 0; i < g->n; i++) {
		if (find_edges(g, i)) {
			return -1;
		}
	}
	return 0;
}

static size_t target(const struct graph *g, const struct edge *edge) {
	const struct br_draft *draft = br_draft_find(g->drafts, g->n, edge->to.s);
	return draft ? (size_t)(draft - g->drafts) : g->n;
}

/* Are they there? */

static int check_edge(const struct graph *g, size_t from, const struct edge *edge) {
	struct br_compose *c = g->c;
	size_t to = target(g, edge);
	const char *name = g->drafts[from].name;
	bool by_itself = strcmp(edge->key, "depends_on") == 0;
	if (!edge->required || (to < g->n && g->drafts[to].on)) {
		return 0;
	}
	if (!by_itself) {
		(void)br_error(c->dx, edge->to.at, "%s of service '%s' names %s '%s'", edge->key,
			name,
			to < g->n ? "a service whose profile is off," : "the undefined service",
			edge->to.s);
	} else if (to < g->n) {
		(void)br_error(c->dx, edge->to.at,
			"service '%s' depends on '%s', which no active profile switches on", name,
			edge->to.s);
	} else {
		(void)br_error(c->dx, edge->to.at,
			"service '%s' depends on the undefined service '%s'", name, edge->to.s);
	}
	if (to < g->n) {
		br_other(c->dx, g->drafts[to].container->name.at, "its profiles stand here");
	} else {
		(void)br_hint_member(c, edge->to.s, br_tree_get(c->model, "services"));
	}
	return -1;
}

/* Is there a circle? */

/** The way from a node back to it: "a -> b -> a". NULL without memory. */
static const char *say_way(const struct graph *g, size_t from) {
	const char *out = g->drafts[from].name;
	size_t i = from;
	do {
		i = target(g, &g->nodes[i].edges.v[g->nodes[i].at]);
		out = out ? br_printf(g->c->arena, "%s -> %s", out, g->drafts[i].name) : NULL;
	} while (i != from);
	return out;
}

static int refuse_circle(const struct graph *g, size_t first, const struct edge *last) {
	const struct edge *begin = &g->nodes[first].edges.v[g->nodes[first].at];
	const char *way = say_way(g, first);
	if (!way) {
		return br_error_memory(g->c->dx);
	}
	(void)br_error(
		g->c->dx, begin->to.at, "services depend on each other in a circle: %s", way);
	if (last != begin) {
		br_other(g->c->dx, last->to.at, "and so back to '%s'", g->drafts[first].name);
	}
	return -1;
}

static int visit(const struct graph *g, size_t i) {
	struct node *node = &g->nodes[i];
	node->state = 1;
	for (node->at = 0; node->at < node->edges.n; node->at++) {
		const struct edge *edge = &node->edges.v[node->at];
		size_t to = target(g, edge);
		if (to == g->n || !g->drafts[to].on || g->nodes[to].state == 2) {
			continue;
		}
		if (g->nodes[to].state == 1) {
			return refuse_circle(g, to, edge);
		}
		if (visit(g, to)) {
			return -1;
		}
	}
	node->state = 2;
	return 0;
}

/** As compose does, from the first name of the alphabet on. */
static int find_circle(const struct graph *g) {
	for (;;) {
		size_t first = g->n;
		for (size_t i = 0; i < g->n; i++) {
			bool is_next = g->drafts[i].on && g->nodes[i].state == 0
				&& (first == g->n
					|| strcmp(g->drafts[i].name, g->drafts[first].name) < 0);
			first = is_next ? i : first;
		}
		if (first == g->n || visit(g, first)) {
			return first == g->n ? 0 : -1;
		}
	}
}

int br_compose_dependencies(struct br_compose *c, struct br_draft *drafts, size_t n) {
	struct graph g = {.c = c, .drafts = drafts, .n = n};
	int result = graph_make(&g);
	if (result) {
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		const struct edges *edges = &g.nodes[i].edges;
		for (size_t k = 0; drafts[i].on && k < edges->n; k++) {
			result = check_edge(&g, i, &edges->v[k]) ? -1 : result;
		}
	}
	return result ? -1 : find_circle(&g);
}

/* Who is drawn in? */

static void draw(const struct graph *g, size_t i) {
	struct node *node = &g->nodes[i];
	node->state = 1;
	g->drafts[i].selected = true;
	for (size_t k = 0; k < node->edges.n; k++) {
		size_t to = target(g, &node->edges.v[k]);
		if (to < g->n && g->drafts[to].on && g->nodes[to].state == 0) {
			draw(g, to);
		}
	}
}

int br_compose_draw_in(struct br_compose *c, struct br_draft *drafts, size_t n) {
	struct graph g = {.c = c, .drafts = drafts, .n = n};
	if (graph_make(&g)) {
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		if (drafts[i].selected && g.nodes[i].state == 0) {
			draw(&g, i);
		}
	}
	return 0;
}
