/** ID-mapped mounts: whose a file on disk is for the container. */
#include <base/mem.h>
#include <base/text.h>
#include <bindright/identity.h>

#include <string.h>

/** Reading the words of one mount. */
struct reading {
	struct br_arena *arena;
	struct br_diags *dx;
	const struct br_text *word;
	const struct br_identity *identity;
};

typedef br_vec(struct br_idmap_extent) extent_vec;

static int refuse(struct reading *r) {
	(void)br_error(r->dx, r->word->at, "'%s' is no ID-mapped mount", r->word->s); // -1
	br_hint(r->dx, "idmap, or idmap=uids=DISK-HOST-COUNT#...;gids=...");
	return -1;
}

/** Digits up to a character of `ends`, which is passed over unless it is the end. */
static int read_number(struct reading *r, const char **s, char end, uint32_t *out) {
	char digits[16] = "";
	size_t n = strspn(*s, "0123456789");
	if (n == 0 || n >= sizeof(digits)) {
		return refuse(r);
	}
	memcpy(digits, *s, n);
	if (br_parse_u32(digits, BR_NO_ID - 1, out) || (end && (*s)[n] != end)) {
		return refuse(r);
	}
	*s += n + (end != '\0');
	return 0;
}

/** "[@]DISK-HOST-COUNT"; with @ HOST is the container's ID. */
static int read_extent(
	struct reading *r, const char **s, const struct br_idmap *box, extent_vec *out) {
	struct br_idmap_extent e;
	bool relative = **s == '@';
	*s += relative;
	if (read_number(r, s, '-', &e.box) || read_number(r, s, '-', &e.host)
		|| read_number(r, s, '\0', &e.count)) {
		return -1;
	}
	struct br_idmap one = {&e, 1};
	struct br_idmap shown = one;
	if (relative && br_idmap_compose(r->arena, box, &one, &shown)) {
		return br_error_memory(r->dx);
	}
	for (size_t i = 0; i < shown.n; i++) {
		if (br_vec_push(r->arena, out, shown.extents[i])) {
			return br_error_memory(r->dx);
		}
	}
	return 0;
}

static int read_list(
	struct reading *r, const char **s, const struct br_idmap *box, struct br_idmap *out) {
	extent_vec extents = {0};
	size_t bad;
	do {
		*s += **s == '#';
		if (read_extent(r, s, box, &extents)) {
			return -1;
		}
	} while (**s == '#');
	*out = (struct br_idmap){extents.v, extents.n};
	return br_idmap_valid(out, &bad) ? 0 : refuse(r);
}

static int read_words(struct reading *r, struct br_idmap *uids, struct br_idmap *gids) {
	const char *s = r->word->s + strlen("idmap=");
	const struct br_cred *cred = &r->identity->cred;
	while (*s) {
		bool users = strncmp(s, "uids=", 5) == 0;
		if (!users && strncmp(s, "gids=", 5) != 0) {
			return refuse(r);
		}
		s += 5;
		if (read_list(r, &s, users ? &cred->uids : &cred->gids, users ? uids : gids)) {
			return -1;
		}
		if (*s && *s != ';') {
			return refuse(r);
		}
		s += *s == ';';
	}
	return uids->n && gids->n ? 0 : refuse(r);
}

/** Whether there is somebody who makes it. */
static bool is_made(struct reading *r, const struct br_engine_mode *mode, bool bare) {
	const char *word = r->identity->container ? r->identity->container->runtime.s : NULL;
	const char *slash = word ? strrchr(word, '/') : NULL;
	const char *runtime = slash ? slash + 1 : word ? word : mode->runtime;
	if (runtime && strcmp(runtime, "crun") != 0) {
		br_warning(r->dx, r->word->at,
			"%s leaves out the ID map of a mount: only crun has it", runtime);
		return false;
	}
	if (br_engine_is_rootless(mode->engine)) {
		br_warning(r->dx, r->word->at, "a rootless engine cannot make an ID-mapped mount");
		return false;
	}
	if (bare && r->identity->cred.uids.n == 0) {
		return false;
	}
	if (!runtime) {
		br_warning(r->dx, r->word->at,
			"only crun makes an ID-mapped mount: runc leaves the map out silently");
	}
	return true;
}

int br_mount_maps(struct br_arena *arena, struct br_mapped_mount *it, struct br_diags *dx) {
	const char *word = it->mount->idmap.s;
	struct reading r = {
		.arena = arena, .dx = dx, .word = &it->mount->idmap, .identity = it->identity};
	it->uids = it->gids = (struct br_idmap){0};
	if (!it->mode || !word) {
		return 0;
	}
	bool bare = strcmp(word, "idmap") == 0;
	if (!bare && strncmp(word, "idmap=", strlen("idmap=")) != 0) {
		return refuse(&r);
	}
	// A bare one shows the container's own IDs: br_identity_on_mount() is who it is there.
	bool is_mapped = is_made(&r, it->mode, bare) && !bare;
	return is_mapped ? read_words(&r, &it->uids, &it->gids) : 0;
}

bool br_engine_may_give(const struct br_engine_mode *mode, br_hostid uid, br_hostid gid) {
	br_boxid box;
	return !mode || !mode->user
		|| (br_idmap_to_box(&mode->uids, uid, &box)
			&& br_idmap_to_box(&mode->gids, gid, &box));
}
