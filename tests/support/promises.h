/**
 * For tests and fuzzers: what spec.h promises of every spec, whoever made it.
 */
#ifndef BR_TESTS_PROMISES_H
#define BR_TESTS_PROMISES_H

#include <bindright/spec.h>

#include <stdlib.h>
#include <string.h>

static inline void promise(bool kept) {
	if (!kept) {
		abort();
	}
}

static inline void promise_span(const struct br_places *places, struct br_span at) {
	size_t n = 0;
	promise(!at.text || br_places_bytes(places, at.text, &n));
	promise(at.off <= n && at.len <= n - at.off);
}

static inline void promise_text(const struct br_places *places, struct br_text text) {
	promise_span(places, text.at);
	promise(!text.s || strlen(text.s) < (size_t)64 << 20);
}

static inline void promise_words(
	const struct br_places *places, const struct br_text *words, size_t n) {
	for (size_t i = 0; i < n; i++) {
		promise(words[i].s != NULL);
		promise_text(places, words[i]);
	}
}

static inline void promise_mount(const struct br_places *places, const struct br_mount *mount) {
	bool is_path = mount->kind == BR_MOUNT_BIND || mount->kind == BR_MOUNT_SECRET
		|| mount->kind == BR_MOUNT_CONFIG;
	promise(mount->kind <= BR_MOUNT_OTHER && mount->create <= BR_CREATE_UNSURE);
	promise(mount->target.s && *mount->target.s);
	const char *s = mount->source.s;
	// Windows paths pass, C:\x and \\server\share.
	promise(!is_path || s[0] == '/' || s[1] == ':' || strncmp(s, "\\\\", 2) == 0);
	promise(mount->create_host_path >= -1 && mount->create_host_path <= 1);
	promise(!mount->selinux || mount->selinux == 'z' || mount->selinux == 'Z');
	promise_text(places, mount->source);
	promise_text(places, mount->written);
	promise_text(places, mount->target);
	promise_text(places, mount->propagation);
	promise_text(places, mount->recursive);
	promise_words(places, mount->options, mount->noptions);
	promise_span(places, mount->at);
}

static inline void promise_container(
	const struct br_places *places, const struct br_container *container) {
	promise(container->name.s && *container->name.s);
	promise_text(places, container->name);
	promise_text(places, container->user);
	promise_text(places, container->image);
	promise_words(places, container->environment, container->nenvironment);
	promise_span(places, container->entrypoint_at);
	promise_words(places, container->group_add, container->ngroup_add);
	promise_words(places, container->cap_add, container->ncap_add);
	promise_words(places, container->cap_drop, container->ncap_drop);
	promise_words(places, container->security_opt, container->nsecurity_opt);
	for (size_t i = 0; i < container->nmounts; i++) {
		promise_mount(places, &container->mounts[i]);
	}
	if (container->build) {
		promise_words(places, container->build->args, container->build->nargs);
	}
	promise_span(places, container->at);
}

/** spec may be NULL: then there is an error. Every message can be drawn. */
static inline void promise_all(const struct br_spec *spec, const struct br_diags *dx) {
	const struct br_places *places = br_diags_places(dx);
	promise((spec == NULL) == (br_diags_errors(dx) > 0));
	for (size_t i = 0; spec && i < spec->n; i++) {
		promise_container(places, &spec->containers[i]);
	}
	for (size_t i = 0; spec && i < spec->nclaims; i++) {
		promise_text(places, spec->claims[i].name);
		promise_text(places, spec->claims[i].source);
		promise(spec->claims[i].name.s && spec->claims[i].source.s[0] == '/');
	}
	promise(!spec || (spec->project_name && spec->project_directory[0] == '/'));
	for (size_t i = 0; i < br_diags_count(dx); i++) {
		const struct br_diag *diag = br_diags_get(dx, i);
		promise_span(places, diag->at);
		free(br_diag_render(places, diag, "test", true));
	}
}

#endif
