/**
 * YAML and JSON input as immutable nodes that know their place. The only user of libfyaml.
 *
 * Reading: UTF-8 with or without a byte order mark, UTF-16 (transcoded first), CRLF. Aliases are
 * resolved by sharing the node, so a document is a directed acyclic graph; `weight` is its size
 * when expanded, and the limits below keep that small. Nothing of compose is known here: merge keys
 * stay ordinary keys (see br_node_get), scalars stay raw text.
 */
#ifndef BR_DOC_DOC_H
#define BR_DOC_DOC_H

#include <base/mem.h>
#include <bindright/diag.h>

/** Limits; going over one is an error at the place where it happens. */
enum {
	BR_DOC_BYTES = 1 << 20,
	BR_DOC_DEPTH = 64,
	BR_DOC_EVENTS = 200000,
	BR_DOC_SCALAR = 64 << 10,
	BR_DOC_KEY = 1024,
	BR_DOC_ANCHORS = 1000,
	BR_DOC_EXPANDED = 100000,
	BR_DOC_DOCUMENTS = 64,
};

enum br_node_kind {
	BR_NODE_SCALAR,
	BR_NODE_SEQ,
	BR_NODE_MAP,
};

enum br_scalar_style {
	BR_PLAIN,
	BR_SINGLE_QUOTED,
	BR_DOUBLE_QUOTED,
	BR_LITERAL,
	BR_FOLDED,
};

struct br_node;

/** One entry of a map. Keys are scalars; anything else was refused. */
struct br_pair {
	const struct br_node *key;
	const struct br_node *value;
};

/** A node. Never changed once it was made; shared wherever an alias named it. */
struct br_node {
	enum br_node_kind kind;
	enum br_scalar_style style;
	/** The node's own text in its file: a scalar with its quotes, a collection from its first
	 * to its last byte. */
	struct br_span at;
	/** The explicit tag such as "!reset", "!override" or "!!str" in its short form, or NULL. */
	const char *tag;
	/** Nodes when every alias below is expanded, this one included. */
	uint32_t weight;
	/** Scalar: its value after YAML's unfolding and unescaping, NUL-terminated; holds no NUL
	 * inside. */
	const char *s;
	size_t len;
	/** Sequence: its items. Map: n pairs in the order of the text. */
	size_t n;
	const struct br_node *const *items;
	const struct br_pair *pairs;
	/** Map: the numbers of its pairs sorted by key, which makes br_node_get fast; NULL is
	 * allowed (then it looks at every pair). */
	const uint32_t *order;
};

/** All documents of one text, in order. */
struct br_doc {
	struct br_arena arena;
	size_t n;
	/** Roots, at least one; an empty document ("--- ---", only comments, or an empty text) has
	 * the root NULL. */
	const struct br_node **roots;
};

/**
 * Read the text with this number (its bytes are in dx's places). YAML 1.2, of which JSON is a part.
 * Errors with place: syntax, duplicate key (both lines; merge keys "<<" included), unknown alias, a
 * node inside its own anchor, NUL and C0 control bytes, tabs for indentation, non-scalar keys, a
 * limit exceeded. NULL with one error in dx. The result owns everything and points only into
 * itself. A UTF-16 text is entered into dx's places once more as UTF-8, under the same name, and
 * all spans are into that.
 */
struct br_doc *br_doc_read(uint16_t text, struct br_diags *dx);
void br_doc_free(struct br_doc *doc);
void br_doc_freep(struct br_doc **doc);

/** The value of a key of a map itself (merge keys are not looked through); NULL where it is absent
 * or node is no map. */
const struct br_node *br_node_get(const struct br_node *map, const char *key);
/** The pair of a key, for its key's place. */
const struct br_pair *br_node_pair(const struct br_node *map, const char *key);
/** Whether a plain scalar without a tag says null: empty, ~, null, Null or NULL. */
bool br_node_is_null(const struct br_node *node);
/** "a string", "a number", "a boolean", "null", "a list" or "a mapping", for messages; scalars as
 * YAML 1.2's core schema types them. */
const char *br_node_type(const struct br_node *node);
/** A plain untagged scalar that the YAML readers of compose take for an integer: [-+]?digits with
 * underscores, 0x, 0o, 0b, leading 0 (octal). */
bool br_node_is_int(const struct br_node *node, int64_t *out);
/** A plain untagged true or false (true, True, TRUE, …; not yes or on). */
bool br_node_is_bool(const struct br_node *node, bool *out);
/** A plain untagged scalar that reads as a float (1.5, 1e3, .inf, .nan). */
bool br_node_is_float(const struct br_node *node);

#endif
