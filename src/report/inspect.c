/** What was understood: schema bindright.spec/1, and the same for people. */
#include "report_impl.h"

#include <base/own.h>
#include <doc/json.h>

#include <stdio.h>
#include <string.h>

/** A name of the schema and the word that it is about. */
struct named {
	const char *key;
	const struct br_text *words;
	/** Number of words of a list; SINGLE: there is one word, or none. */
	size_t n;
};

enum {
	SINGLE = -1,
};

/** Only mounts that reach the host are of interest; NULL for all others. */
static const char *kind_name(enum br_mount_kind kind) {
	switch (kind) {
	case BR_MOUNT_BIND:
		return "bind";
	case BR_MOUNT_VOLUME_BIND:
		return "volume-bind";
	case BR_MOUNT_SECRET:
		return "secret";
	case BR_MOUNT_CONFIG:
		return "config";
	case BR_MOUNT_VOLUME:
	case BR_MOUNT_TMPFS:
	case BR_MOUNT_OTHER:
		return NULL;
	}
	return NULL;
}

/* JSON. */

static void json_named(struct br_json *json, const struct named *named) {
	if (named->n == (size_t)SINGLE) {
		json_words(json, named->key, named->words->s);
		return;
	}
	br_json_array(json, named->key);
	for (size_t i = 0; i < named->n; i++) {
		json_words(json, NULL, named->words[i].s);
	}
	br_json_end(json);
}

/** Where each value that is there stands: a place, or a list of places. */
static void json_origins_of(struct br_json *json, const struct br_inspect_report *report,
	const struct named *all, size_t n) {
	for (size_t i = 0; i < n; i++) {
		const struct named *named = &all[i];
		if (named->n == (size_t)SINGLE) {
			if (named->words->s) {
				json_place(json, named->key, report->places, named->words->at);
			}
			continue;
		}
		br_json_array(json, named->key);
		for (size_t k = 0; k < named->n; k++) {
			json_place(json, NULL, report->places, named->words[k].at);
		}
		br_json_end(json);
	}
}

/** The last one counts where a name is there twice. */
static bool is_repeated(const struct br_build *build, size_t i, size_t n) {
	const char *name = build->args[i].s;
	for (size_t k = i + 1; k < build->nargs; k++) {
		const char *other = build->args[k].s;
		if (strncmp(other, name, n) == 0 && (other[n] == '=' || other[n] == '\0')) {
			return true;
		}
	}
	return false;
}

static void json_build_args(struct br_json *json, const struct br_build *build) {
	struct br_arena arena = {0};
	br_json_object(json, "args");
	for (size_t i = 0; i < build->nargs; i++) {
		const char *arg = build->args[i].s;
		size_t n = strcspn(arg, "=");
		char *name = br_strndup(&arena, arg, n);
		if (name && !br_is_utf8(name, n)) {
			name = br_escape(&arena, name);
		}
		if (name && !is_repeated(build, i, n)) {
			json_words(json, name, arg[n] ? arg + n + 1 : NULL);
		}
	}
	br_json_end(json);
	br_arena_release(&arena);
}

static void json_build(struct br_json *json, const struct br_inspect_report *report,
	const struct br_build *build) {
	if (!build) {
		br_json_null(json, "build");
		return;
	}
	const struct named all[] = {
		{"context", &build->context, (size_t)SINGLE},
		{"dockerfile", &build->dockerfile, (size_t)SINGLE},
		{"dockerfile_inline", &build->dockerfile_inline, (size_t)SINGLE},
		{"target", &build->target, (size_t)SINGLE},
	};
	size_t n = sizeof(all) / sizeof(all[0]);
	br_json_object(json, "build");
	for (size_t i = 0; i < n; i++) {
		json_named(json, &all[i]);
	}
	json_build_args(json, build);
	if (report->origins) {
		br_json_object(json, "origins");
		json_place(json, "build", report->places, build->at);
		json_origins_of(json, report, all, n);
		br_json_end(json);
	}
	br_json_end(json);
}

static void json_ignores(struct br_json *json, const struct br_inspect_report *report,
	const struct br_ignore *ignores, size_t n) {
	br_json_array(json, "ignores");
	for (size_t i = 0; i < n; i++) {
		br_json_object(json, NULL);
		json_words(json, "code", ignores[i].code.s);
		json_words(json, "reason", ignores[i].reason.s);
		json_words(json, "target", ignores[i].target.s);
		if (report->origins) {
			json_place(json, "origin", report->places, ignores[i].code.at);
		}
		br_json_end(json);
	}
	br_json_end(json);
}

/** Whether files that are made later are asked for: null where nothing is said. */
static void json_future(struct br_json *json, const struct br_text *word) {
	if (word->s) {
		br_json_bool(json, "future_files", strcmp(word->s, "true") == 0);
	} else {
		br_json_null(json, "future_files");
	}
}

static void json_mount(struct br_json *json, const struct br_inspect_report *report,
	const struct br_mount *mount) {
	char selinux[2] = {mount->selinux, '\0'};
	const struct named all[] = {
		{"source", &mount->source, (size_t)SINGLE},
		{"target", &mount->target, (size_t)SINGLE},
		{"propagation", &mount->propagation, (size_t)SINGLE},
		{"recursive", &mount->recursive, (size_t)SINGLE},
		{"idmap", &mount->idmap, (size_t)SINGLE},
		{"options", mount->options, mount->noptions},
		{"need", &mount->wishes.need, (size_t)SINGLE},
		{"users", mount->wishes.users, mount->wishes.nusers},
		{"future_files", &mount->wishes.future_files, (size_t)SINGLE},
	};
	size_t n = sizeof(all) / sizeof(all[0]);
	br_json_object(json, NULL);
	br_json_string(json, "type", kind_name(mount->kind));
	br_json_bytes(json, "source", mount->source.s);
	br_json_bytes(json, "target", mount->target.s);
	br_json_bool(json, "read_only", mount->read_only);
	if (mount->create_host_path < 0) {
		br_json_null(json, "create_host_path");
	} else {
		br_json_bool(json, "create_host_path", mount->create_host_path);
	}
	br_json_string(json, "selinux", mount->selinux ? selinux : NULL);
	br_json_bool(json, "chown", mount->chown);
	br_json_bool(json, "overlay", mount->overlay);
	for (size_t i = 2; i + 1 < n; i++) {
		json_named(json, &all[i]);
	}
	json_future(json, &mount->wishes.future_files);
	json_ignores(json, report, mount->wishes.ignores, mount->wishes.nignores);
	if (report->origins) {
		br_json_object(json, "origins");
		json_place(json, "mount", report->places, mount->at);
		json_origins_of(json, report, all, n);
		br_json_end(json);
	}
	br_json_end(json);
}

static void json_container(
	struct br_json *json, const struct br_inspect_report *report, size_t at) {
	const struct br_container *container = &report->spec->containers[at];
	const struct named all[] = {
		{"name", &container->name, (size_t)SINGLE},
		{"user", &container->user, (size_t)SINGLE},
		{"group_add", container->group_add, container->ngroup_add},
		{"userns_mode", &container->userns_mode, (size_t)SINGLE},
		{"cap_add", container->cap_add, container->ncap_add},
		{"cap_drop", container->cap_drop, container->ncap_drop},
		{"security_opt", container->security_opt, container->nsecurity_opt},
		{"network_mode", &container->network_mode, (size_t)SINGLE},
		{"pid", &container->pid, (size_t)SINGLE},
		{"ipc", &container->ipc, (size_t)SINGLE},
		{"image", &container->image, (size_t)SINGLE},
		{"uid_maps", container->uid_maps, container->nuid_maps},
		{"gid_maps", container->gid_maps, container->ngid_maps},
		{"subuid_name", &container->subuid_name, (size_t)SINGLE},
		{"subgid_name", &container->subgid_name, (size_t)SINGLE},
		{"host_users", container->host_users, container->nhost_users},
		{"umask", &container->umask, (size_t)SINGLE},
		{"rootfs", &container->rootfs, (size_t)SINGLE},
		{"pod", &container->pod, (size_t)SINGLE},
		{"cap_bounding", container->cap_bounding, container->ncap_bounding},
		{"cap_ambient", container->cap_ambient, container->ncap_ambient},
	};
	size_t n = sizeof(all) / sizeof(all[0]);
	br_json_object(json, NULL);
	for (size_t i = 0; i < n; i++) {
		json_named(json, &all[i]);
	}
	br_json_bool(json, "entrypoint_replaced", container->has_entrypoint);
	br_json_bool(json, "privileged", container->privileged);
	br_json_bool(json, "read_only", container->read_only);
	json_build(json, report, container->build);
	json_identities(json, &report->identities[at], report->places);
	br_json_array(json, "mounts");
	for (size_t i = 0; i < container->nmounts; i++) {
		if (kind_name(container->mounts[i].kind)) {
			json_mount(json, report, &container->mounts[i]);
		}
	}
	br_json_end(json);
	json_ignores(json, report, container->ignores, container->nignores);
	if (report->origins) {
		br_json_object(json, "origins");
		json_place(json, "container", report->places, container->at);
		json_origins_of(json, report, all, n);
		if (container->privileged) {
			json_place(json, "privileged", report->places, container->privileged_at);
		}
		br_json_end(json);
	}
	br_json_end(json);
}

static char *inspect_json(const struct br_inspect_report *report, size_t *len) {
	br_auto(br_json_freep) struct br_json *json = br_json_new();
	if (!json) {
		return NULL;
	}
	br_json_string(json, "schema", "bindright.spec/1");
	json_input(json, report->spec, report->engine);
	br_json_array(json, "containers");
	for (size_t i = 0; i < report->spec->n; i++) {
		json_container(json, report, i);
	}
	br_json_end(json);
	return br_json_take(json, false, len);
}

/* Text. */

static void say_place(struct pen *pen, const struct br_inspect_report *report, struct br_span at) {
	if (!report->origins) {
		return;
	}
	pen_ink(pen, INK_DIM);
	pen_say(pen, "  ");
	pen_place(pen, report->places, at);
	pen_ink(pen, INK_PLAIN);
}

static void say_named(
	struct pen *pen, const struct br_inspect_report *report, const struct named *named) {
	size_t n = named->n == (size_t)SINGLE ? 1 : named->n;
	for (size_t i = 0; i < n; i++) {
		if (!named->words[i].s) {
			continue;
		}
		pen_say(pen, "  %-13s ", i ? "" : named->key);
		pen_quote(pen, named->words[i].s);
		say_place(pen, report, named->words[i].at);
		pen_say(pen, "\n");
	}
}

static void say_origin(
	struct pen *pen, const struct br_inspect_report *report, const struct br_origin *origin) {
	pen_say(pen, "    %s from %s", origin->field, origin->from);
	if (origin->text.s) {
		pen_say(pen, " '");
		pen_quote(pen, origin->text.s);
		pen_say(pen, "'");
		say_place(pen, report, origin->text.at);
	}
	if (origin->where) {
		pen_say(pen, " (");
		pen_quote(pen, origin->where);
		pen_say(pen, ")");
	}
	pen_say(pen, "\n");
}

static void say_identity(struct pen *pen, const struct br_inspect_report *report, const char *key,
	const struct br_identity *identity) {
	pen_say(pen, "  %-13s ", key);
	if (identity->confidence == BR_UNKNOWN) {
		pen_wrap(pen, "unknown: ", 16, identity->why);
		return;
	}
	pen_say(pen, "uid %u, gid %u", identity->uid.v, identity->gid.v);
	for (size_t i = 0; i < identity->ngroups; i++) {
		pen_say(pen, "%s%u", i ? "," : ", groups ", identity->groups[i].v);
	}
	if (identity->cred.uid.v != identity->uid.v) {
		pen_say(pen, "; on the host uid %u, gid %u", identity->cred.uid.v,
			identity->cred.gid.v);
	}
	pen_say(pen, " (%s)\n", confidence_name(identity->confidence));
	for (size_t i = 0; report->origins && i < identity->norigins; i++) {
		say_origin(pen, report, &identity->origins[i]);
	}
}

static void say_wish(struct pen *pen, const struct br_inspect_report *report, const char *what,
	struct br_text word) {
	if (word.s) {
		pen_say(pen, "    %-18s ", what);
		pen_quote(pen, word.s);
		say_place(pen, report, word.at);
		pen_say(pen, "\n");
	}
}

static void say_ignores(struct pen *pen, const struct br_inspect_report *report,
	const struct br_ignore *ignores, size_t n) {
	for (size_t i = 0; i < n; i++) {
		pen_say(pen, "  %-13s ", "ignore");
		pen_quote(pen, ignores[i].code.s);
		if (ignores[i].target.s) {
			pen_say(pen, " of ");
			pen_quote(pen, ignores[i].target.s);
		}
		if (ignores[i].reason.s) {
			pen_say(pen, ": ");
			pen_quote(pen, ignores[i].reason.s);
		}
		say_place(pen, report, ignores[i].code.at);
		pen_say(pen, "\n");
	}
}

/** What `x-bindright` says of it, below the mount. */
static void say_wishes(
	struct pen *pen, const struct br_inspect_report *report, const struct br_wishes *wishes) {
	say_wish(pen, report, "need", wishes->need);
	say_wish(pen, report, "future files", wishes->future_files);
	for (size_t i = 0; i < wishes->nusers; i++) {
		say_wish(pen, report, "user", wishes->users[i]);
	}
	for (size_t i = 0; i < wishes->nignores; i++) {
		const struct br_ignore *ignore = &wishes->ignores[i];
		say_wish(pen, report, "ignore", ignore->code);
		say_wish(pen, report, "because", ignore->reason);
	}
}

static void say_mount(
	struct pen *pen, const struct br_inspect_report *report, const struct br_mount *mount) {
	const char *kind = kind_name(mount->kind);
	if (!kind) {
		return;
	}
	pen_say(pen, "  %-13s ", kind);
	pen_quote(pen, mount->source.s ? mount->source.s : "?");
	pen_say(pen, " -> ");
	pen_quote(pen, mount->target.s ? mount->target.s : "?");
	pen_say(pen, mount->read_only ? "  ro" : "  rw");
	pen_say(pen, mount->chown ? " U" : "");
	pen_say(pen, mount->overlay ? " O" : "");
	if (mount->idmap.s) {
		pen_say(pen, " ");
		pen_quote(pen, mount->idmap.s);
	}
	say_place(pen, report, mount->at);
	pen_say(pen, "\n");
	say_wishes(pen, report, &mount->wishes);
}

static void say_container(struct pen *pen, const struct br_inspect_report *report, size_t at) {
	const struct br_container *container = &report->spec->containers[at];
	const struct br_identity *identity = &report->identities[at];
	const struct named all[] = {
		{"image", &container->image, (size_t)SINGLE},
		{"user", &container->user, (size_t)SINGLE},
		{"group_add", container->group_add, container->ngroup_add},
		{"userns_mode", &container->userns_mode, (size_t)SINGLE},
		{"cap_add", container->cap_add, container->ncap_add},
		{"cap_drop", container->cap_drop, container->ncap_drop},
		{"security_opt", container->security_opt, container->nsecurity_opt},
		{"network_mode", &container->network_mode, (size_t)SINGLE},
		{"pid", &container->pid, (size_t)SINGLE},
		{"uid_maps", container->uid_maps, container->nuid_maps},
		{"gid_maps", container->gid_maps, container->ngid_maps},
		{"subuid_name", &container->subuid_name, (size_t)SINGLE},
		{"subgid_name", &container->subgid_name, (size_t)SINGLE},
		{"umask", &container->umask, (size_t)SINGLE},
		{"rootfs", &container->rootfs, (size_t)SINGLE},
		{"pod", &container->pod, (size_t)SINGLE},
	};
	pen_ink(pen, INK_BOLD);
	pen_quote(pen, container->name.s);
	pen_ink(pen, INK_PLAIN);
	say_place(pen, report, container->name.at);
	pen_say(pen, "\n");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		say_named(pen, report, &all[i]);
	}
	if (container->build && container->build->context.s) {
		say_named(pen, report, &(struct named){"build", &container->build->context, 1});
	}
	if (container->privileged) {
		pen_say(pen, "  privileged    yes");
		say_place(pen, report, container->privileged_at);
		pen_say(pen, "\n");
	}
	say_identity(pen, report, "identity", identity);
	if (identity->drops_to) {
		say_identity(pen, report, identity->drop->workers_only ? "its workers" : "drops to",
			identity->drops_to);
	}
	for (size_t i = 0; i < container->nmounts; i++) {
		say_mount(pen, report, &container->mounts[i]);
	}
	say_ignores(pen, report, container->ignores, container->nignores);
	pen_say(pen, "\n");
}

char *br_report_inspect(
	const struct br_inspect_report *report, const struct br_report_style *style, size_t *len) {
	struct pen pen = {.style = style};
	if (style->format == BR_FORMAT_JSON) {
		return inspect_json(report, len);
	}
	for (size_t i = 0; i < report->spec->n; i++) {
		say_container(&pen, report, i);
	}
	if (report->spec->project_name && *report->spec->project_name) {
		pen_say(&pen, "project '");
		pen_quote(&pen, report->spec->project_name);
		pen_say(&pen, "' ");
	}
	pen_say(&pen, "in ");
	pen_quote(&pen, report->spec->project_directory);
	for (size_t i = 0; i < report->spec->nfiles; i++) {
		pen_say(&pen, i ? ", " : ", from ");
		pen_quote(&pen, report->spec->files[i]);
	}
	pen_say(&pen, "; engine %s\n", report->engine);
	return pen_take(&pen, len);
}
