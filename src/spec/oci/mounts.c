/** The mounts of a config. */
#include "oci.h"

#include <base/text.h>

#include <spec/compose/compose.h>
#include <string.h>

static bool is_in(const char *word, const char *const *names) {
	while (*names && strcmp(word, *names) != 0) {
		names++;
	}
	return *names != NULL;
}

static void apply_option(struct br_mount *mount, struct br_text word, bool *is_bind) {
	static const char *const propagations[] = {"private", "rprivate", "shared", "rshared",
		"slave", "rslave", "unbindable", "runbindable", NULL};
	const char *s = word.s;
	if (strcmp(s, "bind") == 0 || strcmp(s, "rbind") == 0) {
		*is_bind = true;
	} else if (strcmp(s, "ro") == 0 || strcmp(s, "rro") == 0) {
		mount->read_only = true;
	} else if (strcmp(s, "rw") == 0 || strcmp(s, "rrw") == 0) {
		mount->read_only = false;
	} else if (is_in(s, propagations)) {
		mount->propagation = word;
	} else if (strcmp(s, "idmap") == 0 || strcmp(s, "ridmap") == 0
		|| strncmp(s, "idmap=", 6) == 0) {
		mount->idmap = word;
	}
}

/** "DISK-HOST-COUNT#…" */
static const char *add_maps(
	struct br_bundle *b, const char *out, const struct br_text *maps, size_t n) {
	for (size_t i = 0; i < n && out; i++) {
		char *copy = br_strdup(b->arena, maps[i].s);
		for (char *p = copy; p && *p; p++) {
			*p = *p == ':' ? '-' : *p;
		}
		out = copy ? br_printf(b->arena, "%s%s%s", out, i ? "#" : "", copy) : NULL;
	}
	return out;
}

static int read_idmap(struct br_bundle *b, const struct br_node *node, struct br_mount *mount) {
	const struct br_node *uids = br_oci_array(b, node, "mounts[]", "uidMappings");
	const struct br_node *gids = br_oci_array(b, node, "mounts[]", "gidMappings");
	const struct br_text *u = NULL;
	const struct br_text *g = NULL;
	size_t nu = 0;
	size_t ng = 0;
	if (!uids && !gids) {
		return 0;
	}
	if (br_oci_maps(b, uids, "uidMappings", &u, &nu)
		|| br_oci_maps(b, gids, "gidMappings", &g, &ng)) {
		return -1;
	}
	if (!uids || !gids || !nu || !ng) {
		(void)br_error(b->dx, uids ? uids->at : gids->at,
			"a mount needs uidMappings and gidMappings, or neither");
		return 0;
	}
	const char *s = add_maps(b, "idmap=uids=", u, nu);
	s = s ? br_printf(b->arena, "%s;gids=", s) : NULL;
	s = s ? add_maps(b, s, g, ng) : NULL;
	mount->idmap = (struct br_text){s, uids->at};
	return s ? 0 : br_error_memory(b->dx);
}

static int read_source(struct br_bundle *b, const struct br_node *node, struct br_mount *mount) {
	const struct br_node *source = br_oci_string(b, node, "mounts[]", "source");
	if (!source || !*source->s) {
		const struct br_node *there = br_node_get(node, "source");
		if (!there || source) {
			(void)br_error(b->dx, source ? source->at : mount->at,
				"a bind mount needs a 'source'");
		}
		return 0;
	}
	mount->written = (struct br_text){br_strdup(b->arena, source->s), source->at};
	mount->source = mount->written;
	// Both runtimes join it to the bundle.
	if (source->s[0] != '/') {
		mount->source.s = br_join(b->arena, b->dir, source->s);
	}
	return mount->source.s && mount->written.s ? 0 : br_error_memory(b->dx);
}

static int read_target(struct br_bundle *b, const struct br_node *node, struct br_mount *mount) {
	const struct br_node *target = br_oci_string(b, node, "mounts[]", "destination");
	if (!target) {
		if (!br_node_get(node, "destination")) {
			(void)br_error(b->dx, mount->at, "a mount has no 'destination'");
		}
		return 0;
	}
	if (target->s[0] != '/') {
		br_warning(b->dx, target->at,
			"the destination '%s' is not absolute: the runtimes take it from / on",
			target->s);
	}
	mount->target = (struct br_text){br_join(b->arena, "/", target->s), target->at};
	return mount->target.s ? 0 : br_error_memory(b->dx);
}

static int read_mount(struct br_bundle *b, const struct br_node *node, struct br_mount *mount) {
	*mount = (struct br_mount){.kind = BR_MOUNT_OTHER, .create_host_path = -1, .at = node->at};
	bool is_bind = false;
	const struct br_node *type = br_oci_string(b, node, "mounts[]", "type");
	const struct br_node *options = br_oci_array(b, node, "mounts[]", "options");
	mount->at.len = node->at.len;
	if (br_oci_strings(b, options, "mounts[].options", &mount->options, &mount->noptions)) {
		return -1;
	}
	for (size_t i = 0; i < mount->noptions; i++) {
		apply_option(mount, mount->options[i], &is_bind);
	}
	if (!is_bind && type && strcmp(type->s, "bind") == 0) {
		// mount(2) would be asked for a file system "bind": ENODEV, with runc and with crun.
		(void)br_error(b->dx, type->at,
			"a mount of type 'bind' has neither the option 'bind' nor 'rbind'");
		br_hint(b->dx, "add it: \"options\": [\"rbind\"]");
		return 0;
	}
	mount->kind = is_bind                           ? BR_MOUNT_BIND
		: type && strcmp(type->s, "tmpfs") == 0 ? BR_MOUNT_TMPFS
							: BR_MOUNT_OTHER;
	if (read_target(b, node, mount) || read_idmap(b, node, mount)) {
		return -1;
	}
	return is_bind ? read_source(b, node, mount) : 0;
}

int br_oci_mounts(struct br_bundle *b, const struct br_node *root) {
	const struct br_node *list = br_oci_array(b, root, "", "mounts");
	size_t n = list ? list->n : 0;
	struct br_mount *mounts = BR_NEW_ARRAY(b->arena, struct br_mount, n);
	if (!mounts) {
		return br_error_memory(b->dx);
	}
	if (n > BR_COMPOSE_MOUNTS) {
		return br_error(b->dx, list->at, "more than %d mounts", BR_COMPOSE_MOUNTS);
	}
	for (size_t i = 0; i < n; i++) {
		if (list->items[i]->kind != BR_NODE_MAP) {
			(void)br_error(b->dx, list->items[i]->at,
				"a mount must be an object, not %s", br_node_type(list->items[i]));
			continue;
		}
		if (read_mount(b, list->items[i], &mounts[i])) {
			return -1;
		}
	}
	b->container->mounts = mounts;
	b->container->nmounts = n;
	return 0;
}
