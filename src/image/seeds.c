#include "dockerfile.h"

#include <string.h>

/*
 * What is in passwd and group of base images before anything is done to them. Only names that
 * Dockerfiles use, and the groups whose numbers the allocation of others has to go round. Sources:
 * Debian's base-passwd, Alpine's alpine-baselayout, Fedora's setup, and the images' Dockerfiles.
 */

struct seed {
	const char *name;
	/** No user of this name, or no group. */
	bool no_user, no_group;
	uint32_t uid, gid;
};

static const struct seed debian[] = {{"root", 0, 0, 0, 0}, {"daemon", 0, 0, 1, 1},
	{"bin", 0, 0, 2, 2}, {"sys", 0, 0, 3, 3}, {"adm", 1, 0, 0, 4}, {"tty", 1, 0, 0, 5},
	{"disk", 1, 0, 0, 6}, {"mail", 0, 0, 8, 8}, {"dialout", 1, 0, 0, 20}, {"sudo", 1, 0, 0, 27},
	{"audio", 1, 0, 0, 29}, {"www-data", 0, 0, 33, 33}, {"backup", 0, 0, 34, 34},
	{"shadow", 1, 0, 0, 42}, {"video", 1, 0, 0, 44}, {"plugdev", 1, 0, 0, 46},
	{"staff", 1, 0, 0, 50}, {"games", 0, 0, 5, 60}, {"users", 1, 0, 0, 100},
	{"nogroup", 1, 0, 0, 65534}, {"nobody", 0, 1, 65534, 65534}, {0}};

static const struct seed alpine[] = {{"root", 0, 0, 0, 0}, {"bin", 0, 0, 1, 1},
	{"daemon", 0, 0, 2, 2}, {"adm", 1, 0, 0, 4}, {"tty", 1, 0, 0, 5}, {"disk", 1, 0, 0, 6},
	{"wheel", 1, 0, 0, 10}, {"audio", 1, 0, 0, 18}, {"dialout", 1, 0, 0, 20},
	{"video", 1, 0, 0, 27}, {"shadow", 1, 0, 0, 42}, {"www-data", 1, 0, 0, 82},
	{"guest", 0, 1, 405, 100}, {"users", 1, 0, 0, 100}, {"ping", 1, 0, 0, 999},
	{"nogroup", 1, 0, 0, 65533}, {"nobody", 0, 0, 65534, 65534}, {0}};

static const struct seed redhat[] = {{"root", 0, 0, 0, 0}, {"bin", 0, 0, 1, 1},
	{"daemon", 0, 0, 2, 2}, {"sys", 1, 0, 0, 3}, {"adm", 0, 0, 3, 4}, {"tty", 1, 0, 0, 5},
	{"disk", 1, 0, 0, 6}, {"wheel", 1, 0, 0, 10}, {"users", 1, 0, 0, 100},
	{"nobody", 0, 0, 65534, 65534}, {0}};

/** Accounts that an image has beside its distribution's. */
static const struct {
	const char *repository, *tag;
	struct seed seed;
} of_images[] = {
	{"node", "*", {"node", 0, 0, 1000, 1000}},
	{"ubuntu", "latest", {"ubuntu", 0, 0, 1000, 1000}},
	{"ubuntu", "2[3-9].*", {"ubuntu", 0, 0, 1000, 1000}},
	{"ubuntu", "noble*", {"ubuntu", 0, 0, 1000, 1000}},
	{"nginx", "*", {"nginx", 0, 0, 101, 101}},
	{"postgres", "*alpine*", {"postgres", 0, 0, 70, 70}},
	{"postgres", "*", {"postgres", 0, 0, 999, 999}},
	{"redis", "*alpine*", {"redis", 0, 0, 999, 1000}},
	{"redis", "*", {"redis", 0, 0, 999, 999}},
	{"mysql", "*", {"mysql", 0, 0, 999, 999}},
	{"mongo", "*", {"mongodb", 0, 0, 999, 999}},
	{"php", "*alpine*", {"www-data", 0, 0, 82, 82}},
	{"gcr.io/distroless/**", "*", {"nonroot", 0, 0, 65532, 65532}},
	{"quay.io/jupyter/*", "*", {"jovyan", 0, 0, 1000, 100}},
	{"jupyter/*", "*", {"jovyan", 0, 0, 1000, 100}},
};

static int plant(struct df_accounts *a, const struct seed *seed) {
	static const char *const nobody[] = {NULL};
	struct br_image_user user = {
		.name = seed->name, .uid = seed->uid, .gid = seed->gid, .allocated = true};
	struct br_image_group group = {
		.name = seed->name, .gid = seed->gid, .allocated = true, .members = nobody};
	bool has_user = seed->no_user;
	bool has_group = seed->no_group;
	for (size_t i = 0; i < a->users.n; i++) {
		has_user = has_user || !strcmp(a->users.v[i].name, seed->name);
	}
	for (size_t i = 0; i < a->groups.n; i++) {
		has_group = has_group || !strcmp(a->groups.v[i].name, seed->name);
	}
	return (!has_user && br_vec_push(a->arena, &a->users, user))
			|| (!has_group && br_vec_push(a->arena, &a->groups, group))
		? -1
		: 0;
}

/** The last colon that begins a tag; the end where there is none. */
static size_t tag_at(const char *reference, size_t n) {
	size_t colon = n;
	for (size_t i = 0; i < n; i++) {
		if (reference[i] == ':') {
			colon = i;
		} else if (reference[i] == '/') {
			colon = n;
		}
	}
	return colon;
}

int df_seed_accounts(struct df_accounts *a, const char *reference) {
	static const struct seed *const tables[] = {
		[DF_DEBIAN] = debian, [DF_ALPINE] = alpine, [DF_REDHAT] = redhat};
	char repository[128] = "";
	char tag[128] = "latest";
	size_t n = reference ? strcspn(reference, "@") : 0;
	size_t colon = reference ? tag_at(reference, n) : 0;
	if (n && n < sizeof(repository)) {
		memcpy(repository, reference, colon);
		repository[colon] = 0;
	}
	if (n && colon < n && n - colon < sizeof(tag)) {
		memcpy(tag, reference + colon + 1, n - colon - 1);
		tag[n - colon - 1] = 0;
	}
	const char *name = !strncmp(repository, "docker.io/", 10) ? repository + 10 : repository;
	name = !strncmp(name, "library/", 8) ? name + 8 : name;
	for (size_t i = 0; *name && i < sizeof(of_images) / sizeof(*of_images); i++) {
		if (br_glob(of_images[i].repository, name) && br_glob(of_images[i].tag, tag)
			&& plant(a, &of_images[i].seed)) {
			return -1;
		}
	}
	const struct seed *table = tables[a->flavour];
	for (; table && table->name; table++) {
		if (plant(a, table)) {
			return -1;
		}
	}
	return 0;
}

enum df_flavour df_command_flavour(const char *word) {
	static const struct {
		const char *name;
		enum df_flavour flavour;
	} managers[] = {{"apk", DF_ALPINE}, {"apt-get", DF_DEBIAN}, {"apt", DF_DEBIAN},
		{"aptitude", DF_DEBIAN}, {"dpkg", DF_DEBIAN}, {"dnf", DF_REDHAT},
		{"dnf5", DF_REDHAT}, {"microdnf", DF_REDHAT}, {"tdnf", DF_REDHAT},
		{"yum", DF_REDHAT}, {"zypper", DF_REDHAT}};
	for (size_t i = 0; i < sizeof(managers) / sizeof(*managers); i++) {
		if (!strcmp(managers[i].name, word)) {
			return managers[i].flavour;
		}
	}
	return DF_FLAVOUR_UNKNOWN;
}

enum df_flavour df_image_flavour(const char *reference) {
	static const struct {
		const char *word;
		enum df_flavour flavour;
	} words[] = {{"alpine", DF_ALPINE}, {"busybox", DF_ALPINE}, {"fedora", DF_REDHAT},
		{"centos", DF_REDHAT}, {"rockylinux", DF_REDHAT}, {"almalinux", DF_REDHAT},
		{"amazonlinux", DF_REDHAT}, {"oraclelinux", DF_REDHAT}, {"/ubi", DF_REDHAT},
		{"-ubi", DF_REDHAT}, {"debian", DF_DEBIAN}, {"ubuntu", DF_DEBIAN},
		{"bookworm", DF_DEBIAN}, {"bullseye", DF_DEBIAN}, {"trixie", DF_DEBIAN},
		{"buster", DF_DEBIAN}, {"-slim", DF_DEBIAN}, {"jammy", DF_DEBIAN},
		{"noble", DF_DEBIAN}, {"focal", DF_DEBIAN}};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strstr(reference, words[i].word)) {
			return words[i].flavour;
		}
	}
	static const char *const by_debian[] = {"python", "node", "golang", "php", "ruby", "rust",
		"nginx", "postgres", "redis", "httpd", "mariadb", "mongo", "gcc", "perl", "tomcat",
		"buildpack-deps", "eclipse-temurin", NULL};
	const char *name = !strncmp(reference, "docker.io/", 10) ? reference + 10 : reference;
	name = !strncmp(name, "library/", 8) ? name + 8 : name;
	size_t n = strcspn(name, ":@");
	for (size_t i = 0; by_debian[i]; i++) {
		if (strlen(by_debian[i]) == n && !strncmp(by_debian[i], name, n)) {
			return DF_DEBIAN;
		}
	}
	return DF_FLAVOUR_UNKNOWN;
}

enum df_joins df_image_joins(const char *reference) {
	// adduser 3.118 (bullseye, Ubuntu 22.04) does not, 3.129 (bookworm, Ubuntu 23.04) does
	static const struct {
		const char *word;
		enum df_joins joins;
	} releases[] = {{"bookworm", DF_JOINS_USERS}, {"trixie", DF_JOINS_USERS},
		{"debian:12", DF_JOINS_USERS}, {"debian:13", DF_JOINS_USERS},
		{"noble", DF_JOINS_USERS}, {"ubuntu:23.", DF_JOINS_USERS},
		{"ubuntu:24.", DF_JOINS_USERS}, {"ubuntu:25.", DF_JOINS_USERS},
		{"bullseye", DF_JOINS_NONE}, {"buster", DF_JOINS_NONE}, {"stretch", DF_JOINS_NONE},
		{"debian:11", DF_JOINS_NONE}, {"debian:10", DF_JOINS_NONE},
		{"debian:9", DF_JOINS_NONE}, {"jammy", DF_JOINS_NONE}, {"focal", DF_JOINS_NONE},
		{"bionic", DF_JOINS_NONE}, {"ubuntu:22.", DF_JOINS_NONE},
		{"ubuntu:20.", DF_JOINS_NONE}, {"ubuntu:18.", DF_JOINS_NONE}};
	for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
		if (strstr(reference, releases[i].word)) {
			return releases[i].joins;
		}
	}
	return DF_JOINS_UNKNOWN;
}
