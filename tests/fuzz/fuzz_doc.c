/**
 * libFuzzer: any bytes as YAML. Checks what the reader promises: one error or a document, spans
 * within their text, weights within the limit.
 */
#include <doc/doc.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
const char *__lsan_default_suppressions(void);

// libfyaml 0.7.12 forgets its buffer of a long quoted text that is never closed
const char *__lsan_default_suppressions(void) {
	return "leak:libfyaml.so";
}

static void require(bool fact) {
	if (!fact) {
		abort();
	}
}

static uint32_t walk(const struct br_places *places, const struct br_node *node) {
	size_t n = 0;
	require(br_places_bytes(places, node->at.text, &n) != NULL);
	require(node->at.off <= n && node->at.len <= n - node->at.off);
	require(br_node_type(node) != NULL);
	int64_t number;
	require(!(br_node_is_int(node, &number) && br_node_is_float(node)));
	uint32_t weight = 1;
	for (size_t i = 0; i < node->n; i++) {
		if (node->kind == BR_NODE_SEQ) {
			weight += walk(places, node->items[i]);
			continue;
		}
		const struct br_pair *pair = &node->pairs[i];
		require(br_node_pair(node, pair->key->s) == pair);
		weight += walk(places, pair->key) + walk(places, pair->value);
	}
	if (node->kind == BR_NODE_SCALAR) {
		require(strlen(node->s) == node->len && node->len <= BR_DOC_SCALAR);
	}
	require(weight == node->weight && weight <= BR_DOC_EXPANDED);
	return weight;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct br_places *places = br_places_new();
	struct br_diags *dx = places ? br_diags_new(places) : NULL;
	int text = dx ? br_places_add(places, BR_PLACE_FILE, "f", (const char *)bytes, n) : -1;
	if (text > 0) {
		struct br_doc *doc = br_doc_read((uint16_t)text, dx);
		require(br_diags_errors(dx) == (doc ? 0 : 1));
		for (size_t i = 0; doc && i < doc->n; i++) {
			if (doc->roots[i]) {
				(void)walk(places, doc->roots[i]);
			}
		}
		for (size_t i = 0; i < br_diags_count(dx); i++) {
			free(br_diag_render(places, br_diags_get(dx, i), "f", false));
		}
		br_doc_free(doc);
	}
	br_diags_free(dx);
	br_places_free(places);
	return 0;
}
