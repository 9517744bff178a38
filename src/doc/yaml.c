#include "reader.h"

#include <base/own.h>

#include <assert.h>
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

/** A node and where it stands: for an alias the alias itself. */
struct kid {
	struct br_node *node;
	struct br_span at;
};

struct anchor {
	const char *name;
	struct br_span at;
	/** NULL while the node is still open. */
	struct br_node *node;
};

/** A collection whose end has not come yet. */
struct frame {
	struct br_node *node;
	/** Its first in reader.kids. */
	size_t first;
	/** Its number in reader.anchors, or -1. */
	ptrdiff_t anchor;
	bool flow;
};

enum {
	ANCHOR_SLOTS = 2048,
};

struct reader {
	struct doc_text text;
	struct br_diags *dx;
	struct br_doc *doc;
	struct br_arena *arena;
	/** What is forgotten when the reading ends. */
	struct br_arena *scratch;
	br_vec(struct kid) kids;
	br_vec(struct anchor) anchors;
	br_vec(const struct br_node *) roots;
	/** Hash table of the anchors of this document: numbers in `anchors` plus one, 0 is free. */
	uint16_t slots[ANCHOR_SLOTS];
	struct frame open[BR_DOC_DEPTH];
	size_t depth;
	unsigned events;
	/** The end of the last thing that was read. */
	size_t last;
	struct br_node *root;
};

static_assert(BR_DOC_ANCHORS * 2 <= ANCHOR_SLOTS, "the table of anchors must stay half empty");

// Places

/** Where a token stands; empty for none. */
static struct br_span token_span(struct reader *r, struct fy_token *token) {
	const struct fy_mark *start = token ? fy_token_start_mark(token) : NULL;
	const struct fy_mark *end = token ? fy_token_end_mark(token) : NULL;
	if (!start || !end || end->input_pos < start->input_pos || end->input_pos > r->text.n) {
		return doc_span(&r->text, r->last, 0);
	}
	return doc_span(&r->text, start->input_pos, end->input_pos - start->input_pos);
}

/** A block scalar without the indentation before and the line ends behind it. */
static struct br_span trimmed(const struct doc_text *text, struct br_span at) {
	while (at.len && strchr(" \t\r\n", text->s[at.off])) {
		at.off++;
		at.len--;
	}
	while (at.len && strchr("\r\n", text->s[at.off + at.len - 1])) {
		at.len--;
	}
	return at;
}

/** Whether the next node of this map is a key. */
static bool wants_key(const struct reader *r, const struct frame *frame) {
	return frame->node->kind == BR_NODE_MAP && (r->kids.n - frame->first) % 2 == 0;
}

/** Where a value would stand that is not there: behind the indicator that asks for it. */
static struct br_span missing(const struct reader *r) {
	const struct doc_text *text = &r->text;
	size_t at = r->last;
	bool comment = false;
	for (; at < text->n; at++) {
		char c = text->s[at];
		comment = c == '\n' || c == '\r' ? false : comment || c == '#';
		if (!comment && !strchr(" \t\r\n", c)) {
			break;
		}
	}
	if (at < text->n && strchr(":-?", text->s[at])) {
		bool key = text->s[at] == ':' && r->depth && wants_key(r, &r->open[r->depth - 1]);
		return doc_span(text, key ? at : at + 1, 0);
	}
	return doc_span(text, r->last, 0);
}

static void advance(struct reader *r, struct br_span at) {
	if (at.off + at.len > r->last) {
		r->last = at.off + at.len;
	}
}

// Anchors

static size_t anchor_slot(const struct reader *r, const char *name) {
	uint32_t hash = 2166136261;
	for (const char *p = name; *p; p++) {
		hash = (hash ^ (unsigned char)*p) * 16777619;
	}
	size_t slot = hash % ANCHOR_SLOTS;
	while (r->slots[slot] && strcmp(r->anchors.v[r->slots[slot] - 1].name, name) != 0) {
		slot = (slot + 1) % ANCHOR_SLOTS;
	}
	return slot;
}

static char *token_name(struct reader *r, struct fy_token *token) {
	size_t n = 0;
	const char *s = fy_token_get_text(token, &n);
	char *name = s ? br_strndup(r->scratch, s, n) : NULL;
	if (!name) {
		br_error_memory(r->dx);
	}
	return name;
}

/** A name for the node that begins; a later anchor of the same name replaces an earlier one. -1 in
 * *out where there is none. */
static int add_anchor(struct reader *r, struct fy_token *token, ptrdiff_t *out) {
	*out = -1;
	if (!token) {
		return 0;
	}
	struct br_span at = token_span(r, token);
	advance(r, at);
	if (r->anchors.n >= BR_DOC_ANCHORS) {
		return br_error(r->dx, at, "more than %d anchors", BR_DOC_ANCHORS);
	}
	struct anchor anchor = {.name = token_name(r, token), .at = at};
	if (!anchor.name) {
		return -1;
	}
	if (br_vec_push(r->scratch, &r->anchors, anchor)) {
		return br_error_memory(r->dx);
	}
	r->slots[anchor_slot(r, anchor.name)] = (uint16_t)r->anchors.n;
	*out = (ptrdiff_t)r->anchors.n - 1;
	return 0;
}

static void close_anchor(struct reader *r, ptrdiff_t anchor, struct br_node *node) {
	if (anchor >= 0) {
		r->anchors.v[anchor].node = node;
	}
}

// Nodes

static struct br_node *new_node(struct reader *r, enum br_node_kind kind, struct br_span at) {
	struct br_node *node = BR_NEW(r->arena, struct br_node);
	if (!node) {
		br_error_memory(r->dx);
		return NULL;
	}
	node->kind = kind;
	node->at = at;
	node->weight = 1;
	return node;
}

static int set_tag(struct reader *r, struct br_node *node, struct fy_token *token) {
	if (!token) {
		return 0;
	}
	static const char core[] = "tag:yaml.org,2002:";
	advance(r, token_span(r, token));
	size_t n = 0;
	const char *s = fy_token_get_text(token, &n);
	if (!s) {
		return br_error_memory(r->dx);
	}
	if (n >= sizeof(core) && !strncmp(s, core, sizeof(core) - 1)) {
		size_t skip = sizeof(core) - 1;
		node->tag = br_printf(r->arena, "!!%.*s", (int)(n - skip), s + skip);
	} else {
		node->tag = br_strndup(r->arena, s, n);
	}
	return node->tag ? 0 : br_error_memory(r->dx);
}

static int check_key(struct reader *r, const struct kid *key) {
	if (key->node->kind != BR_NODE_SCALAR) {
		br_error(r->dx, key->at, "%s cannot be a key", br_node_type(key->node));
		br_hint(r->dx, "quote it if this is text");
		return -1;
	}
	if (key->node->len > BR_DOC_KEY) {
		return br_error(r->dx, key->at, "a key of more than %d bytes", BR_DOC_KEY);
	}
	return 0;
}

/** Hand a finished node to the collection that holds it. */
static int add_kid(struct reader *r, struct kid kid) {
	if (!r->depth) {
		r->root = kid.node;
		return 0;
	}
	struct frame *frame = &r->open[r->depth - 1];
	if (wants_key(r, frame) && check_key(r, &kid)) {
		return -1;
	}
	frame->node->weight += kid.node->weight; // both at most BR_DOC_EXPANDED
	if (frame->node->weight > BR_DOC_EXPANDED) {
		return br_error(r->dx, kid.at,
			"more than %d values in the document, counted with all aliases expanded",
			BR_DOC_EXPANDED);
	}
	return br_vec_push(r->scratch, &r->kids, kid) ? br_error_memory(r->dx) : 0;
}

static int set_value(struct reader *r, struct br_node *node, struct fy_token *token) {
	size_t n = 0;
	const char *s = token ? fy_token_get_text(token, &n) : "";
	if (!s) {
		return br_error_memory(r->dx);
	}
	if (n > BR_DOC_SCALAR) {
		return br_error(
			r->dx, node->at, "a value of more than %d KiB", BR_DOC_SCALAR / 1024);
	}
	if (memchr(s, 0, n)) {
		return br_error(r->dx, node->at, "a value with a NUL in it");
	}
	node->s = br_strndup(r->arena, s, n);
	node->len = n;
	return node->s ? 0 : br_error_memory(r->dx);
}

static void place_scalar(struct reader *r, struct br_node *node, struct fy_token *token) {
	static const enum br_scalar_style styles[] = {
		[FYSS_PLAIN] = BR_PLAIN,
		[FYSS_SINGLE_QUOTED] = BR_SINGLE_QUOTED,
		[FYSS_DOUBLE_QUOTED] = BR_DOUBLE_QUOTED,
		[FYSS_LITERAL] = BR_LITERAL,
		[FYSS_FOLDED] = BR_FOLDED,
	};
	if (!token) {
		node->at = missing(r);
		return;
	}
	enum fy_scalar_style style = fy_token_scalar_style(token);
	node->style = style >= FYSS_PLAIN && style < FYSS_MAX ? styles[style] : BR_PLAIN;
	node->at = token_span(r, token);
	if (node->style == BR_SINGLE_QUOTED || node->style == BR_DOUBLE_QUOTED) {
		node->at = doc_with_quotes(&r->text, node->at);
	}
	if (node->style == BR_LITERAL || node->style == BR_FOLDED) {
		node->at = trimmed(&r->text, node->at);
	}
	advance(r, node->at);
}

// Events

static int on_scalar(struct reader *r, struct fy_event *event) {
	struct fy_token *token = event->scalar.value;
	struct br_node *node = new_node(r, BR_NODE_SCALAR, (struct br_span){0});
	ptrdiff_t anchor = -1;
	if (!node || add_anchor(r, event->scalar.anchor, &anchor)
		|| set_tag(r, node, event->scalar.tag)) {
		return -1;
	}
	place_scalar(r, node, token);
	if (set_value(r, node, token)) {
		return -1;
	}
	close_anchor(r, anchor, node);
	bool nothing = !token && !node->tag && anchor < 0;
	return nothing && !r->depth ? 0 : add_kid(r, (struct kid){node, node->at});
}

static int on_alias(struct reader *r, struct fy_event *event) {
	struct br_span at = token_span(r, event->alias.anchor);
	if (at.off > 0) { // the asterisk
		at.off--;
		at.len++;
	}
	advance(r, at);
	const char *name = token_name(r, event->alias.anchor);
	if (!name) {
		return -1;
	}
	uint16_t number = r->slots[anchor_slot(r, name)];
	if (!number) {
		br_error(r->dx, at, "there is no anchor '&%s' above this alias", name);
		return -1;
	}
	const struct anchor *anchor = &r->anchors.v[number - 1];
	struct br_node *node = anchor->node;
	if (!node) {
		br_error(r->dx, at, "the alias '*%s' stands inside of what it names", name);
		br_other(r->dx, anchor->at, "the anchor is here");
		return -1;
	}
	if (r->depth && wants_key(r, &r->open[r->depth - 1])) {
		// a key's place must be that of this pair
		struct br_node *copy = new_node(r, node->kind, at);
		if (!copy) {
			return -1;
		}
		*copy = *node;
		copy->at = at;
		node = copy;
	}
	return add_kid(r, (struct kid){node, at});
}

static int on_start(struct reader *r, enum br_node_kind kind, struct fy_event *event) {
	struct br_span at = token_span(r, fy_event_get_token(event));
	if (r->depth == BR_DOC_DEPTH) {
		return br_error(r->dx, at, "more than %d levels of nesting", BR_DOC_DEPTH);
	}
	struct br_node *node = new_node(r, kind, at);
	struct frame frame = {.node = node, .first = r->kids.n};
	if (!node || add_anchor(r, fy_event_get_anchor_token(event), &frame.anchor)
		|| set_tag(r, node, fy_event_get_tag_token(event))) {
		return -1;
	}
	frame.flow = at.len > 0 && at.off < r->text.n && strchr("[{", r->text.s[at.off]);
	advance(r, at);
	r->open[r->depth++] = frame;
	return 0;
}

static int by_key(const void *a, const void *b, void *context) {
	const struct br_pair *pairs = ((const struct br_node *)context)->pairs;
	uint32_t i = *(const uint32_t *)a;
	uint32_t j = *(const uint32_t *)b;
	int order = strcmp(pairs[i].key->s, pairs[j].key->s);
	return order ? order : (i > j) - (i < j);
}

/** Sort the pairs' numbers; equal keys are then neighbours, the earlier one first. */
static int check_duplicates(struct reader *r, struct br_node *map) {
	uint32_t *order = BR_NEW_ARRAY(r->arena, uint32_t, map->n);
	if (!order) {
		return br_error_memory(r->dx);
	}
	for (size_t i = 0; i < map->n; i++) {
		order[i] = (uint32_t)i;
	}
	qsort_r(order, map->n, sizeof(*order), by_key, map);
	map->order = order;

	size_t found = 0;
	for (size_t i = 1; i < map->n; i++) {
		bool same = !strcmp(map->pairs[order[i - 1]].key->s, map->pairs[order[i]].key->s);
		// of several, the one that comes first in the text
		if (same && (!found || order[i] < order[found])) {
			found = i;
		}
	}
	if (found) {
		const struct br_node *key = map->pairs[order[found]].key;
		br_error(r->dx, key->at, "the key '%s' is already in this mapping", key->s);
		br_other(r->dx, map->pairs[order[found - 1]].key->at, "it is here first");
		return -1;
	}
	return 0;
}

static int fill_map(struct reader *r, struct br_node *map, const struct kid *kids) {
	struct br_pair *pairs = BR_NEW_ARRAY(r->arena, struct br_pair, map->n);
	if (!pairs) {
		return br_error_memory(r->dx);
	}
	for (size_t i = 0; i < map->n; i++) {
		pairs[i] = (struct br_pair){kids[2 * i].node, kids[2 * i + 1].node};
	}
	map->pairs = pairs;
	return check_duplicates(r, map);
}

static int fill_sequence(struct reader *r, struct br_node *sequence, const struct kid *kids) {
	const struct br_node **items = BR_NEW_ARRAY(r->arena, const struct br_node *, sequence->n);
	if (!items) {
		return br_error_memory(r->dx);
	}
	for (size_t i = 0; i < sequence->n; i++) {
		items[i] = kids[i].node;
	}
	sequence->items = items;
	return 0;
}

static int on_end(struct reader *r, struct fy_event *event) {
	struct frame frame = r->open[--r->depth];
	struct br_node *node = frame.node;
	if (frame.flow) {
		advance(r, token_span(r, fy_event_get_token(event)));
	}
	size_t n = r->kids.n - frame.first;
	const struct kid *kids = n ? r->kids.v + frame.first : NULL;
	if (n && kids->at.off < node->at.off) {
		node->at.off =
			kids->at.off; // "[a: b]": the parser sees the mapping only at its colon
	}
	if (r->last > node->at.off) {
		node->at.len = (uint32_t)(r->last - node->at.off);
	}
	bool map = node->kind == BR_NODE_MAP;
	node->n = map ? n / 2 : n;
	if (map ? fill_map(r, node, kids) : fill_sequence(r, node, kids)) {
		return -1;
	}
	r->kids.n = frame.first;
	close_anchor(r, frame.anchor, node);
	return add_kid(r, (struct kid){node, node->at});
}

static int on_document_start(struct reader *r, struct fy_event *event) {
	struct fy_token *token = fy_event_get_token(event);
	if (token) {
		advance(r, token_span(r, token));
	}
	if (r->roots.n >= BR_DOC_DOCUMENTS) {
		return br_error(r->dx, token_span(r, token), "more than %d documents in one file",
			BR_DOC_DOCUMENTS);
	}
	memset(r->slots, 0, sizeof(r->slots));
	r->root = NULL;
	return 0;
}

static int add_root(struct reader *r) {
	return br_vec_push(r->arena, &r->roots, r->root) ? br_error_memory(r->dx) : 0;
}

static int on_event(struct reader *r, struct fy_event *event) {
	if (++r->events > BR_DOC_EVENTS) {
		return br_error(r->dx, token_span(r, fy_event_get_token(event)),
			"more than %d pieces of YAML in one file", BR_DOC_EVENTS);
	}
	switch (event->type) {
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
		return 0;
	case FYET_DOCUMENT_START:
		return on_document_start(r, event);
	case FYET_DOCUMENT_END:
		return add_root(r);
	case FYET_MAPPING_START:
		return on_start(r, BR_NODE_MAP, event);
	case FYET_SEQUENCE_START:
		return on_start(r, BR_NODE_SEQ, event);
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		return on_end(r, event);
	case FYET_SCALAR:
		return on_scalar(r, event);
	case FYET_ALIAS:
		return on_alias(r, event);
	}
	return 0;
}

// The parser

static void silent(struct fy_diag *diag, void *user, const char *s, size_t n) {
	(void)diag;
	(void)user;
	(void)s;
	(void)n;
}

static void free_diag(struct fy_diag **diag) {
	if (*diag) {
		fy_diag_set_collect_errors(*diag, false); // only this frees what was collected
		fy_diag_unref(*diag);
	}
}

static void free_parser(struct fy_parser **parser) {
	if (*parser) {
		fy_parser_destroy(*parser);
	}
}

static struct fy_diag *new_diag(void) {
	struct fy_diag_cfg config;
	fy_diag_cfg_default(&config);
	config.fp = NULL;
	config.output_fn = silent;
	config.colorize = false;
	struct fy_diag *diag = fy_diag_create(&config);
	if (diag) {
		fy_diag_set_collect_errors(diag, true);
	}
	return diag;
}

/** The innermost flow collection that is still open. */
static struct br_span open_flow(const struct reader *r) {
	if (r->depth && r->open[r->depth - 1].flow) {
		return doc_span(&r->text, r->open[r->depth - 1].node->at.off, 1);
	}
	return (struct br_span){0};
}

static int parse(struct reader *r, struct fy_parser *parser, struct fy_diag *diag) {
	struct fy_event *event;
	while ((event = fy_parser_parse(parser))) {
		int failed = on_event(r, event);
		fy_parser_event_free(parser, event);
		if (failed) {
			return -1;
		}
	}
	if (fy_parser_get_stream_error(parser)) {
		return doc_explain(diag, &r->text, open_flow(r), r->dx);
	}
	return 0;
}

static int read_stream(struct reader *r) {
	br_auto(free_diag) struct fy_diag *diag = new_diag();
	if (!diag) {
		return br_error_memory(r->dx);
	}
	// aliases are resolved and duplicates found here: libfyaml's own ways are exponential and
	// quadratic; the readers of compose let a closing bracket stand in the column of its key
	struct fy_parse_cfg config = {
		.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_ALLOW_DUPLICATE_KEYS
			| FYPCF_SLOPPY_FLOW_INDENTATION | FYPCF_DEFAULT_VERSION_1_2
			| FYPCF_JSON_NONE,
		.diag = diag,
	};
	br_auto(free_parser) struct fy_parser *parser = fy_parser_create(&config);
	if (!parser || fy_parser_set_string(parser, r->text.s, r->text.n)) {
		return br_error_memory(r->dx);
	}
	if (parse(r, parser, diag)) {
		return -1;
	}
	if (!r->roots.n && add_root(r)) {
		return -1;
	}
	r->doc->roots = r->roots.v;
	r->doc->n = r->roots.n;
	return 0;
}

struct br_doc *br_doc_read(uint16_t text, struct br_diags *dx) {
	br_auto(br_arena_release) struct br_arena scratch = {0};
	struct reader *r = BR_NEW(&scratch, struct reader);
	br_auto(br_doc_freep) struct br_doc *doc = r ? calloc(1, sizeof(*doc)) : NULL;
	if (!doc) {
		br_error_memory(dx);
		return NULL;
	}
	r->dx = dx;
	r->scratch = &scratch;
	r->doc = doc;
	r->arena = &doc->arena;
	int failed = doc_prepare(text, &r->text, dx) || read_stream(r);
	return failed ? NULL : br_steal(&doc);
}

void br_doc_free(struct br_doc *doc) {
	if (doc) {
		br_arena_release(&doc->arena);
		free(doc);
	}
}

void br_doc_freep(struct br_doc **doc) {
	br_doc_free(*doc);
}
