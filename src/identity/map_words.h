/**
 * Podman's --uidmap and --gidmap, and an OCI config's mappings.
 */
#ifndef BR_IDENTITY_MAP_WORDS_H
#define BR_IDENTITY_MAP_WORDS_H

#include <base/mem.h>
#include <bindright/identity.h>

struct map_request {
	const struct br_text *words;
	size_t n;
	bool groups;
	/** The map of the engine's own namespace; empty for root. */
	const struct br_idmap *parent;
	/** The flags +, u and g, the sign @ and a missing count (1) are known. */
	bool flags;
};

/**
 * The map that the words make, into the IDs of the engine's namespace, sorted by the container's
 * IDs (containers/podman, pkg/util, ParseIDMap): "[flags]CONTAINER:[@]HOST[:COUNT]". Without u and
 * g a word counts for both maps; + takes what is in its way out of the words before it, and where
 * it is the first of a rootless engine's, the other IDs are filled in; @ is an ID of the host.
 * out->n 0: none of the words is for this map. 0, or -1 with an error at the word that is wrong,
 * unmapped or in another one's way.
 */
int map_words_read(struct br_arena *arena, const struct map_request *request, struct br_idmap *out,
	struct br_diags *dx);
/** All IDs of the engine's namespace, from the container's 0 on, as a map into it. 0, or -1 with
 * ENOMEM. */
int map_words_fill(struct br_arena *arena, const struct br_idmap *parent, struct br_idmap *out);

#endif
