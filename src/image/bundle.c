#include "bundle.h"

#include "layers.h"
#include "platform.h"
#include "rootfs.h"

#include <base/wire.h>
#include <doc/json.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	IMAGES = 1000,
	/** Indexes in indexes. */
	NESTING = 4,
	ENVIRONMENT = 10000,
	/** Words of a command, and volumes. */
	WORDS = 256,
};

/** How an image of the list is named. */
enum listed_kind {
	/** By repository and tag. */
	LISTED_FULL,
	/** In an OCI layout, by whatever the maker called it. */
	LISTED_REFERENCE,
};

/** An image on its way. */
struct image {
	const char *config, *config_digest;
	struct layer layers[ROOTFS_LAYERS];
	size_t nlayers;
	/** A layer is of a type that nobody here knows. */
	bool unknown_layers;
	bool no_such;
};

struct bundle {
	struct br_arena arena;
	struct effort effort;
	struct store store;
	const struct bundle_request *request;
	/** manifest.json, or else index.json, and its images. */
	struct br_value *root;
	bool is_oci;
	const struct br_value *images;
	/** All other JSON. */
	br_vec(struct br_value *) documents;
};

static int no_memory(struct bundle *b) {
	return effort_fail(&b->effort, "needs too much memory");
}

// ---- JSON ----

static struct br_value *parse(struct bundle *b, const struct store_file *file) {
	struct br_value *value = br_value_read(file->bytes, file->n);
	if (!value) {
		(void)effort_fail(&b->effort, "has a %s that %s", file->name,
			errno == EINVAL          ? "is not valid JSON"
				: errno == EFBIG ? "is too large"
						 : "needs too much memory");
	} else if (br_vec_push(&b->arena, &b->documents, value)) {
		br_value_free(value);
		(void)no_memory(b);
		value = NULL;
	}
	return value;
}

/** A JSON file by its name. 1, 0 where there is none, -1. */
static int read_json(struct bundle *b, const char *name, struct br_value **out) {
	struct store_file file;
	int there = store_get(&b->store, name, &file);
	if (there <= 0) {
		return there;
	}
	*out = parse(b, &file);
	return *out ? 1 : -1;
}

/** The digits of "sha256:…", or NULL. */
static const char *digits_of(const char *digest) {
	static const char algorithm[] = "sha256:";
	size_t n = sizeof(algorithm) - 1;
	bool fine = digest && !strncmp(digest, algorithm, n) && strlen(digest + n) == DIGEST_DIGITS
		&& strspn(digest + n, "0123456789abcdef") == DIGEST_DIGITS;
	return fine ? digest + n : NULL;
}

/** The name of the blob that a descriptor means; its digits. NULL with the reason. */
static const char *blob_name(
	struct bundle *b, const struct br_value *descriptor, const char **digits) {
	const char *digest = br_value_string(br_value_get(descriptor, "digest"));
	*digits = digits_of(digest);
	if (!*digits) {
		(void)effort_fail(&b->effort,
			"names a part by \"%.80s\", which is no SHA-256 digest",
			digest ? digest : "");
		return NULL;
	}
	const char *name = br_printf(&b->arena, "blobs/sha256/%s", *digits);
	if (!name) {
		(void)no_memory(b);
	}
	return name;
}

static int check_bytes(struct bundle *b, const struct store_file *file, const char *digits) {
	struct sha256 hash;
	char hex[DIGEST_DIGITS + 1];
	sha256_begin(&hash);
	sha256_add(&hash, file->bytes, file->n);
	sha256_end(&hash, hex);
	return strncmp(hex, digits, DIGEST_DIGITS) != 0 ? effort_fail(
		       &b->effort, "has a %s whose bytes do not have this digest", file->name)
							: 0;
}

/** A JSON file that must be there and have these bytes. */
static struct br_value *read_blob(struct bundle *b, const char *name, const char *digits) {
	struct store_file file;
	int there = store_get(&b->store, name, &file);
	if (!there) {
		(void)effort_fail(&b->effort, "lacks %.200s", name);
	}
	if (there <= 0 || (digits && check_bytes(b, &file, digits))) {
		return NULL;
	}
	return parse(b, &file);
}

// ---- the list ----

static int find_images(struct bundle *b) {
	int there = read_json(b, "index.json", &b->root);
	b->is_oci = there > 0;
	if (!there) {
		there = read_json(b, "manifest.json", &b->root);
	}
	if (there <= 0) {
		return there ? -1
			     : effort_fail(&b->effort,
				     "has neither index.json nor manifest.json: it is no image");
	}
	b->images = b->is_oci ? br_value_get(b->root, "manifests") : b->root;
	if (!br_value_is_array(b->images)) {
		return effort_fail(&b->effort, "has an %s without a list of images",
			b->is_oci ? "index.json" : "manifest.json");
	}
	return br_value_count(b->images) > IMAGES
		? effort_fail(&b->effort, "has more than %d images", (int)IMAGES)
		: 0;
}

static const char *annotation(const struct br_value *descriptor, const char *key) {
	return br_value_string(br_value_get_exact(br_value_get(descriptor, "annotations"), key));
}

static void put_listed(struct bundle *b, const struct br_value *item, struct br_buf *out) {
	const struct br_value *tags = br_value_get(item, "RepoTags");
	const char *full = annotation(item, "io.containerd.image.name");
	const char *reference = annotation(item, "org.opencontainers.image.ref.name");
	const char *digest = br_value_string(br_value_get(item, "digest"));
	const char *lone = full ? full : reference;
	wire_put_number(out, b->is_oci && !full ? LISTED_REFERENCE : LISTED_FULL);
	wire_put_number(out, b->is_oci ? lone != NULL : (uint32_t)br_value_count(tags));
	if (b->is_oci && lone) {
		wire_put_string(out, lone);
	}
	for (size_t i = 0; !b->is_oci && i < br_value_count(tags); i++) {
		const char *tag = br_value_string(br_value_at(tags, i));
		wire_put_string(out, tag ? tag : "");
	}
	wire_put_string(out, b->is_oci && digest ? digest : "");
}

static int answer_list(struct bundle *b, struct br_buf *out) {
	size_t n = br_value_count(b->images);
	br_buf_addc(out, BUNDLE_LIST);
	wire_put_number(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		put_listed(b, br_value_at(b->images, i), out);
	}
	return 0;
}

// ---- from the list to configuration and layers ----

static unsigned rank_descriptor(
	const struct bundle *b, const struct br_value *descriptor, bool lone) {
	const struct br_value *platform = br_value_get(descriptor, "platform");
	const char *words[3] = {
		br_value_string(br_value_get(platform, "os")),
		br_value_string(br_value_get(platform, "architecture")),
		br_value_string(br_value_get(platform, "variant")),
	};
	struct br_buf text = {0};
	struct platform wants;
	struct platform has;
	unsigned rank = 0;
	if (!words[0] || !words[1]) {
		return lone ? 1 : 0;
	}
	br_buf_addf(&text, "%s/%s%s%s", words[0], words[1], words[2] && *words[2] ? "/" : "",
		words[2] ? words[2] : "");
	if (!text.failed && !platform_read(text.s, &has)
		&& !platform_read(b->request->platform, &wants)) {
		rank = platform_rank(&wants, &has);
	}
	br_buf_release(&text);
	return rank;
}

/** The best of an array's items for the platform, or of those whose numbers are chosen; NULL where
 * none will do. */
static const struct br_value *choose(
	const struct bundle *b, const struct br_value *items, const uint32_t *chosen, size_t n) {
	const struct br_value *best = NULL;
	unsigned most = 0;
	for (size_t i = 0; i < n; i++) {
		const struct br_value *item = br_value_at(items, chosen ? chosen[i] : i);
		unsigned rank = rank_descriptor(b, item, n == 1);
		if (rank > most) {
			most = rank;
			best = item;
		}
	}
	return best;
}

static bool is_one_of(const char *type, const char *const *types) {
	size_t i = 0;
	while (types[i] && strcmp(types[i], type) != 0) {
		i++;
	}
	return types[i] != NULL;
}

static bool is_index(const char *type, const struct br_value *document) {
	static const char *const types[] = {"application/vnd.oci.image.index.v1+json",
		"application/vnd.docker.distribution.manifest.list.v2+json", NULL};
	return type ? is_one_of(type, types)
		    : br_value_is_array(br_value_get(document, "manifests"));
}

static bool is_manifest(const char *type, const struct br_value *document) {
	static const char *const types[] = {"application/vnd.oci.image.manifest.v1+json",
		"application/vnd.docker.distribution.manifest.v2+json", NULL};
	return type ? is_one_of(type, types) : br_value_is_array(br_value_get(document, "layers"));
}

static bool is_layer(const char *type) {
	static const char *const types[] = {"application/vnd.oci.image.layer.v1.tar",
		"application/vnd.oci.image.layer.v1.tar+gzip",
		"application/vnd.oci.image.layer.v1.tar+zstd",
		"application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
		"application/vnd.docker.image.rootfs.diff.tar",
		"application/vnd.docker.image.rootfs.diff.tar.gzip",
		"application/vnd.docker.image.rootfs.diff.tar.zstd",
		"application/vnd.docker.image.rootfs.foreign.diff.tar",
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", NULL};
	return type && is_one_of(type, types);
}

static int count_layers(struct bundle *b, const struct br_value *layers, struct image *out) {
	out->nlayers = br_value_count(layers);
	if (!br_value_is_array(layers) || out->nlayers > ROOTFS_LAYERS) {
		return effort_fail(&b->effort, "has an image with %s",
			out->nlayers ? "too many layers" : "no list of layers");
	}
	return 0;
}

static bool is_config(const char *type) {
	static const char *const types[] = {"application/vnd.oci.image.config.v1+json",
		"application/vnd.docker.container.image.v1+json", NULL};
	return type && is_one_of(type, types);
}

static int absent(struct image *out) {
	out->no_such = true;
	return 0;
}

static int read_manifest(struct bundle *b, const struct br_value *manifest, struct image *out) {
	const struct br_value *config = br_value_get(manifest, "config");
	if (!is_config(br_value_string(br_value_get(config, "mediaType")))) {
		return absent(out); // something else that is kept among images
	}
	const struct br_value *layers = br_value_get(manifest, "layers");
	if (count_layers(b, layers, out)) {
		return -1;
	}
	for (size_t i = 0; i < out->nlayers; i++) {
		const struct br_value *layer = br_value_at(layers, i);
		out->layers[i].name = blob_name(b, layer, &out->layers[i].packed_digest);
		if (!out->layers[i].name) {
			return -1;
		}
		const char *type = br_value_string(br_value_get(layer, "mediaType"));
		out->unknown_layers = out->unknown_layers || !is_layer(type);
	}
	out->config = blob_name(b, config, &out->config_digest);
	return out->config ? 0 : -1;
}

/** Go from the index down to a manifest. */
static int find_manifest(struct bundle *b, struct image *out) {
	const struct br_value *descriptor =
		choose(b, b->images, b->request->chosen, b->request->nchosen);
	for (unsigned depth = 0; descriptor && depth < NESTING; depth++) {
		const char *digits = NULL;
		const char *type = br_value_string(br_value_get(descriptor, "mediaType"));
		const char *name = blob_name(b, descriptor, &digits);
		struct br_value *document = name ? read_blob(b, name, digits) : NULL;
		if (!document) {
			return -1;
		}
		if (is_manifest(type, document)) {
			return read_manifest(b, document, out);
		}
		if (!is_index(type, document)) {
			break;
		}
		const struct br_value *below = br_value_get(document, "manifests");
		descriptor = choose(b, below, NULL, br_value_count(below));
	}
	return absent(out);
}

/** "<digits>.json" and "blobs/sha256/<digits>" say what their bytes are. */
static const char *digits_in_name(const char *name) {
	const char *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name;
	size_t n = strspn(base, "0123456789abcdef");
	bool fine = n == DIGEST_DIGITS && (!base[n] || !strcmp(base + n, ".json"));
	return fine ? base : NULL;
}

/** An image of `docker save`. */
static int find_saved(struct bundle *b, struct image *out) {
	const struct br_value *item = br_value_at(b->images, b->request->chosen[0]);
	const struct br_value *layers = br_value_get(item, "Layers");
	const char *config = br_value_string(br_value_get(item, "Config"));
	if (!config) {
		return effort_fail(&b->effort, "has an image without a configuration");
	}
	if (count_layers(b, layers, out)) {
		return -1;
	}
	out->config = clean_name(&b->arena, config);
	out->config_digest = out->config ? digits_in_name(out->config) : NULL;
	for (size_t i = 0; i < out->nlayers; i++) {
		const char *name = br_value_string(br_value_at(layers, i));
		out->layers[i].name = name ? clean_name(&b->arena, name) : NULL;
		if (!out->layers[i].name) {
			return effort_fail(&b->effort, "has a layer without a proper name");
		}
	}
	return out->config ? 0
			   : effort_fail(&b->effort, "has a configuration without a proper name");
}

/** What the configuration says each layer is, unpacked. */
static int read_diff_ids(struct bundle *b, const struct br_value *config, struct image *image) {
	const struct br_value *ids = br_value_get(br_value_get(config, "rootfs"), "diff_ids");
	if (b->is_oci) {
		return 0; // the manifest said it of the packed bytes
	}
	if (br_value_count(ids) != image->nlayers) {
		return effort_fail(&b->effort, "has an image of %zu layers that should have %zu",
			image->nlayers, br_value_count(ids));
	}
	for (size_t i = 0; i < image->nlayers; i++) {
		image->layers[i].plain_digest = digits_of(br_value_string(br_value_at(ids, i)));
		if (!image->layers[i].plain_digest) {
			return effort_fail(&b->effort, "has a layer whose digest is no SHA-256");
		}
	}
	return 0;
}

static int put_accounts(struct bundle *b, const struct image *image, struct br_buf *out) {
	const struct layers layers = {.arena = &b->arena,
		.effort = &b->effort,
		.store = &b->store,
		.request = b->request,
		.v = image->layers,
		.n = image->nlayers};
	wire_put_number(out, !image->unknown_layers);
	return image->unknown_layers ? 0 : layers_put(&layers, out);
}

static void put_words(const struct br_value *words, struct br_buf *out) {
	size_t n = br_value_count(words);
	n = n < WORDS ? n : WORDS;
	wire_put_number(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		const char *word = br_value_string(br_value_at(words, i));
		wire_put_string(out, word ? word : "");
	}
}

/** VOLUMES is an object whose values say nothing. */
static void put_keys(const struct br_value *object, struct br_buf *out) {
	size_t n = 0;
	while (n < WORDS && br_value_key(object, n)) {
		n++;
	}
	wire_put_number(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		wire_put_string(out, br_value_key(object, i));
	}
}

static int put_config(struct bundle *b, const struct br_value *config, struct br_buf *out) {
	const struct br_value *run = br_value_get(config, "config");
	const char *user = br_value_string(br_value_get(run, "User"));
	const struct br_value *environment = br_value_get(run, "Env");
	const char *label = br_value_string(
		br_value_get_exact(br_value_get(run, "Labels"), "io.containers.capabilities"));
	size_t n = br_value_count(environment);
	if (!br_value_is_object(config) || n > ENVIRONMENT) {
		return effort_fail(&b->effort, "has a configuration that is not valid");
	}
	wire_put_string(out, user ? user : "");
	wire_put_number(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		const char *word = br_value_string(br_value_at(environment, i));
		wire_put_string(out, word ? word : "");
	}
	wire_put_number(out, label != NULL);
	wire_put_string(out, label ? label : "");
	const char *directory = br_value_string(br_value_get(run, "WorkingDir"));
	wire_put_string(out, directory && *directory ? directory : "/");
	put_words(br_value_get(run, "Entrypoint"), out);
	put_words(br_value_get(run, "Cmd"), out);
	put_keys(br_value_get(run, "Volumes"), out);
	return 0;
}

static int answer_absent(struct br_buf *out) {
	br_buf_addc(out, BUNDLE_ABSENT);
	wire_put_string(out, "has the image, but for other platforms or of an unknown type");
	return 0;
}

static int answer_image(struct bundle *b, struct br_buf *out) {
	struct image *image = BR_NEW(&b->arena, struct image);
	if (!image) {
		return no_memory(b);
	}
	for (size_t i = 0; i < b->request->nchosen; i++) {
		if (b->request->chosen[i] >= br_value_count(b->images)) {
			return effort_fail(&b->effort, "has changed meanwhile");
		}
	}
	if (b->is_oci ? find_manifest(b, image) : find_saved(b, image)) {
		return -1;
	}
	if (image->no_such) {
		return answer_absent(out);
	}
	struct br_value *config = read_blob(b, image->config, image->config_digest);
	br_buf_addc(out, BUNDLE_IMAGE);
	return !config || read_diff_ids(b, config, image) || put_config(b, config, out)
			|| put_accounts(b, image, out)
		? -1
		: 0;
}

// ---- the answer ----

static void release(struct bundle *b) {
	for (size_t i = 0; i < b->documents.n; i++) {
		br_value_free(b->documents.v[i]);
	}
	br_arena_release(&b->arena);
}

static void answer_failure(struct bundle *b, struct br_buf *out) {
	out->n = 0;
	if (!b->store.needs.n) {
		br_buf_addc(out, BUNDLE_ERROR);
		wire_put_string(out, b->effort.why);
		return;
	}
	br_buf_addc(out, BUNDLE_NEEDS);
	wire_put_number(out, (uint32_t)b->store.needs.n);
	for (size_t i = 0; i < b->store.needs.n; i++) {
		wire_put_string(out, b->store.needs.v[i]);
	}
}

int bundle_answer(void *context, const int *in, struct br_buf *out) {
	struct bundle *b = calloc(1, sizeof(*b));
	if (!b) {
		return ENOMEM;
	}
	b->request = context;
	b->store = (struct store){
		.arena = &b->arena, .effort = &b->effort, .request = context, .in = in};
	int failed = find_images(b);
	if (!failed) {
		failed = b->request->nchosen ? answer_image(b, out) : answer_list(b, out);
	}
	if (failed) {
		answer_failure(b, out);
	}
	release(b);
	free(b);
	return out->failed ? ENOMEM : 0;
}

void bundle_prepare(void) {
	br_value_prepare();
	tar_prepare();
}
