#include "tarball.h"

#include <base/sha256.h>

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void require(int fact) {
	if (!fact) {
		abort();
	}
}

static void put_field(char *block, size_t at, const char *s, size_t most) {
	size_t n = strlen(s);
	memcpy(block + at, s, n < most ? n : most);
}

void tarball_raw_header(
	struct br_buf *out, const char *name, char type, const char *link, const char size[12]) {
	char block[512] = {0};
	put_field(block, 0, name, 100);
	put_field(block, 100, "0000644", 8);
	put_field(block, 108, "0000000", 8);
	put_field(block, 116, "0000000", 8);
	memcpy(block + 124, size, 12);
	put_field(block, 136, "00000000000", 12);
	memset(block + 148, ' ', 8);
	block[156] = type;
	put_field(block, 157, link ? link : "", 100);
	memcpy(block + 257, "ustar\00000", 8);
	put_field(block, 329, "0000000", 8);
	put_field(block, 337, "0000000", 8);
	unsigned sum = 0;
	for (size_t i = 0; i < sizeof(block); i++) {
		sum += (unsigned char)block[i];
	}
	char text[8];
	(void)snprintf(text, sizeof(text), "%06o", sum & 0777777U);
	memcpy(block + 148, text, 7);
	br_buf_addn(out, block, sizeof(block));
}

void tarball_header(
	struct br_buf *out, const char *name, char type, const char *link, uint64_t size) {
	char text[16];
	(void)snprintf(text, sizeof(text), "%011llo", (unsigned long long)size & 077777777777ULL);
	tarball_raw_header(out, name, type, link, text);
}

void tarball_bytes(struct br_buf *out, const char *bytes, size_t n) {
	static const char zeros[512] = {0};
	br_buf_addn(out, bytes, n);
	br_buf_addn(out, zeros, (512 - n % 512) % 512);
}

void tarball_pax(struct br_buf *out, const char *key, const char *value) {
	struct br_buf record = {0};
	size_t n = strlen(key) + strlen(value) + 3;
	size_t digits = n + 2 < 100 ? 2 : n + 3 < 1000 ? 3 : 4;
	br_buf_addf(&record, "%zu %s=%s\n", n + digits, key, value);
	tarball_header(out, "PaxHeaders/x", 'x', NULL, record.n);
	tarball_bytes(out, record.s, record.n);
	br_buf_release(&record);
}

void tarball_file(struct br_buf *out, const char *name, const char *bytes, size_t n) {
	if (strlen(name) > 100) {
		tarball_pax(out, "path", name);
	}
	tarball_header(out, name, '0', NULL, n);
	tarball_bytes(out, bytes, n);
}

void tarball_add(struct br_buf *out, const struct tarball_entry *entry) {
	const char *text = entry->text ? entry->text : "";
	if (entry->type == 'f') {
		tarball_file(out, entry->name, text, strlen(text));
		return;
	}
	static const char kinds[] = "d5l2h1c3p6";
	if (entry->type == 'C') {
		// major 1: the field stands before the checksum, so it is made anew
		struct br_buf one = {0};
		tarball_header(&one, entry->name, '3', NULL, 0);
		one.s[335] = '1';
		char sum[8];
		unsigned value = 0;
		(void)sscanf(one.s + 148, "%o", &value);
		(void)snprintf(sum, sizeof(sum), "%06o", (value + 1) & 0777777U);
		memcpy(one.s + 148, sum, 7);
		br_buf_addn(out, one.s, one.n);
		br_buf_release(&one);
		return;
	}
	const char *kind = strchr(kinds, entry->type);
	require(kind != NULL);
	tarball_header(out, entry->name, kind[1], *text ? text : NULL, 0);
}

/** Owner and mode of the header at this place, whose checksum is made anew. */
static void set_owner(struct br_buf *out, size_t at, const struct tarball_owner *owner) {
	char *block = out->s + at;
	char text[16];
	unsigned sum = 0;
	(void)snprintf(text, sizeof(text), "%07o", owner->mode & 07777U);
	memcpy(block + 100, text, 7);
	(void)snprintf(text, sizeof(text), "%07o", owner->uid & 07777777U);
	memcpy(block + 108, text, 7);
	(void)snprintf(text, sizeof(text), "%07o", owner->gid & 07777777U);
	memcpy(block + 116, text, 7);
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++) {
		sum += (unsigned char)block[i];
	}
	(void)snprintf(text, sizeof(text), "%06o", sum & 0777777U);
	memcpy(block + 148, text, 7);
}

void tarball_add_owned(
	struct br_buf *out, const struct tarball_entry *entry, const struct tarball_owner *owner) {
	size_t at = out->n;
	require(strlen(entry->name) <= 100); // no header before it
	tarball_add(out, entry);
	set_owner(out, at, owner);
}

void tarball_end(struct br_buf *out) {
	static const char zeros[1024] = {0};
	br_buf_addn(out, zeros, sizeof(zeros));
}

void tarball_pack(struct br_buf *buf, char how) {
	if (how == '-') {
		return;
	}
	size_t size = buf->n + (1 << 16);
	size_t used = 0;
	char *bytes = malloc(size);
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	require(bytes && archive && entry);
	int failed = how == 'g' ? archive_write_add_filter_gzip(archive)
		: how == 'z'    ? archive_write_add_filter_zstd(archive)
				: archive_write_add_filter_bzip2(archive);
	require(!failed && !archive_write_set_format_raw(archive)
		&& !archive_write_set_bytes_per_block(archive, 0)
		&& !archive_write_open_memory(archive, bytes, size, &used));
	archive_entry_set_filetype(entry, S_IFREG);
	require(!archive_write_header(archive, entry)
		&& archive_write_data(archive, buf->s, buf->n) == (la_ssize_t)buf->n
		&& !archive_write_close(archive));
	archive_entry_free(entry);
	require(!archive_write_free(archive));
	br_buf_release(buf);
	br_buf_addn(buf, bytes, used);
	free(bytes);
	require(!buf->failed);
}

void tarball_digest(const struct br_buf *buf, char hex[65]) {
	struct sha256 hash;
	sha256_begin(&hash);
	sha256_add(&hash, buf->s ? buf->s : "", buf->n);
	sha256_end(&hash, hex);
}

static void make_config(struct br_buf *out, const struct tarball_image *image) {
	br_buf_addf(out,
		"{\"os\":\"linux\",\"architecture\":\"%s\",\"config\":{%s},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[",
		image->architecture ? image->architecture : "amd64",
		image->config ? image->config : "");
	for (size_t i = 0; i < image->nlayers; i++) {
		br_buf_addf(out, "%s\"sha256:%s\"", i ? "," : "", image->plain[i]);
	}
	br_buf_add(out, "]}}");
}

void tarball_docker(struct br_buf *out, const struct tarball_image *images, size_t n) {
	struct br_buf manifest = {0};
	br_buf_add(&manifest, "[");
	for (size_t k = 0; k < n; k++) {
		struct br_buf config = {0};
		char hex[65];
		char name[128];
		make_config(&config, &images[k]);
		tarball_digest(&config, hex);
		(void)snprintf(name, sizeof(name), "%s.json", hex);
		tarball_file(out, name, config.s, config.n);
		br_buf_release(&config);
		br_buf_addf(&manifest, "%s{\"Config\":\"%s\",\"RepoTags\":", k ? "," : "", name);
		br_buf_addf(&manifest,
			images[k].name ? "[\"%s\"],\"Layers\":[" : "null,\"Layers\":[",
			images[k].name);
		for (size_t i = 0; i < images[k].nlayers; i++) {
			tarball_digest(&images[k].layers[i], hex);
			(void)snprintf(name, sizeof(name), "%zu%.60s/layer.tar", k, hex);
			tarball_file(out, name, images[k].layers[i].s, images[k].layers[i].n);
			br_buf_addf(&manifest, "%s\"%s\"", i ? "," : "", name);
		}
		br_buf_add(&manifest, "]}");
	}
	br_buf_add(&manifest, "]\n");
	tarball_file(out, "manifest.json", manifest.s, manifest.n);
	br_buf_release(&manifest);
	tarball_end(out);
}

static void add_part(struct tarball_layout *layout, const char *name, struct br_buf *bytes) {
	require(layout->n < 64);
	struct tarball_part *part = &layout->parts[layout->n++];
	(void)snprintf(part->name, sizeof(part->name), "%s", name);
	br_buf_addn(&part->bytes, bytes->s, bytes->n);
}

static void add_blob(struct tarball_layout *layout, struct br_buf *bytes, char hex[65]) {
	char name[128];
	tarball_digest(bytes, hex);
	(void)snprintf(name, sizeof(name), "blobs/sha256/%s", hex);
	add_part(layout, name, bytes);
}

static const char *layer_type(const struct br_buf *layer) {
	return !memcmp(layer->s, "\x1f\x8b", 2)        ? "+gzip"
		: !memcmp(layer->s, "\x28\xb5\x2f", 3) ? "+zstd"
						       : "";
}

char *tarball_oci_image(struct tarball_layout *layout, const struct tarball_image *image) {
	struct br_buf config = {0};
	struct br_buf manifest = {0};
	struct br_buf out = {0};
	char hex[65];
	make_config(&config, image);
	add_blob(layout, &config, hex);
	br_buf_addf(&manifest,
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:%s\",\"size\":%zu},\"layers\":[",
		hex, config.n);
	for (size_t i = 0; i < image->nlayers; i++) {
		struct br_buf layer = image->layers[i];
		add_blob(layout, &layer, hex);
		br_buf_addf(&manifest,
			"%s{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar%s\",\"digest\":\"sha256:%s\",\"size\":%zu}",
			i ? "," : "", layer_type(&layer), hex, layer.n);
	}
	br_buf_add(&manifest, "]}");
	add_blob(layout, &manifest, hex);
	br_buf_addf(&out,
		"\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:%s\",\"size\":%zu,\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"}",
		hex, manifest.n, image->architecture ? image->architecture : "amd64");
	br_buf_release(&config);
	br_buf_release(&manifest);
	return br_buf_take(&out);
}

char *tarball_oci_index(struct tarball_layout *layout, const char *descriptors) {
	struct br_buf index = {0};
	struct br_buf out = {0};
	char hex[65];
	br_buf_addf(&index, "{\"schemaVersion\":2,\"manifests\":[%s]}", descriptors);
	add_blob(layout, &index, hex);
	br_buf_addf(&out,
		"\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"sha256:%s\",\"size\":%zu",
		hex, index.n);
	br_buf_release(&index);
	return br_buf_take(&out);
}

void tarball_oci_finish(struct tarball_layout *layout, const char *descriptors) {
	struct br_buf bytes = {0};
	br_buf_add(&bytes, "{\"imageLayoutVersion\":\"1.0.0\"}");
	add_part(layout, "oci-layout", &bytes);
	br_buf_release(&bytes);
	br_buf_addf(&bytes, "{\"schemaVersion\":2,\"manifests\":[%s]}", descriptors);
	add_part(layout, "index.json", &bytes);
	br_buf_release(&bytes);
}

void tarball_oci_tar(struct br_buf *out, const struct tarball_layout *layout) {
	for (size_t i = 0; i < layout->n; i++) {
		tarball_file(out, layout->parts[i].name, layout->parts[i].bytes.s,
			layout->parts[i].bytes.n);
	}
	tarball_end(out);
}

void tarball_oci_write(const char *directory, const struct tarball_layout *layout) {
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/blobs", directory);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/blobs/sha256", directory);
	(void)mkdir(path, 0755);
	for (size_t i = 0; i < layout->n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", directory, layout->parts[i].name);
		FILE *f = fopen(path, "we");
		require(f
			&& fwrite(layout->parts[i].bytes.s, 1, layout->parts[i].bytes.n, f)
				== layout->parts[i].bytes.n);
		require(!fclose(f));
	}
}

void tarball_layout_release(struct tarball_layout *layout) {
	for (size_t i = 0; i < layout->n; i++) {
		br_buf_release(&layout->parts[i].bytes);
	}
	layout->n = 0;
}

void tarball_image_release(struct tarball_image *image) {
	for (size_t i = 0; i < image->nlayers; i++) {
		br_buf_release(&image->layers[i]);
	}
}
