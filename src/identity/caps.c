#include "caps.h"

#include <base/text.h>
#include <bindright/identity.h>

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>

#define NAMED(cap) [cap] = #cap

// The numbers are the kernel's. The tests hold names and numbers against libcap's.
static const char *const names[] = {
	NAMED(CAP_CHOWN),
	NAMED(CAP_DAC_OVERRIDE),
	NAMED(CAP_DAC_READ_SEARCH),
	NAMED(CAP_FOWNER),
	NAMED(CAP_FSETID),
	NAMED(CAP_KILL),
	NAMED(CAP_SETGID),
	NAMED(CAP_SETUID),
	NAMED(CAP_SETPCAP),
	NAMED(CAP_LINUX_IMMUTABLE),
	NAMED(CAP_NET_BIND_SERVICE),
	NAMED(CAP_NET_BROADCAST),
	NAMED(CAP_NET_ADMIN),
	NAMED(CAP_NET_RAW),
	NAMED(CAP_IPC_LOCK),
	NAMED(CAP_IPC_OWNER),
	NAMED(CAP_SYS_MODULE),
	NAMED(CAP_SYS_RAWIO),
	NAMED(CAP_SYS_CHROOT),
	NAMED(CAP_SYS_PTRACE),
	NAMED(CAP_SYS_PACCT),
	NAMED(CAP_SYS_ADMIN),
	NAMED(CAP_SYS_BOOT),
	NAMED(CAP_SYS_NICE),
	NAMED(CAP_SYS_RESOURCE),
	NAMED(CAP_SYS_TIME),
	NAMED(CAP_SYS_TTY_CONFIG),
	NAMED(CAP_MKNOD),
	NAMED(CAP_LEASE),
	NAMED(CAP_AUDIT_WRITE),
	NAMED(CAP_AUDIT_CONTROL),
	NAMED(CAP_SETFCAP),
	NAMED(CAP_MAC_OVERRIDE),
	NAMED(CAP_MAC_ADMIN),
	NAMED(CAP_SYSLOG),
	NAMED(CAP_WAKE_ALARM),
	NAMED(CAP_BLOCK_SUSPEND),
	NAMED(CAP_AUDIT_READ),
	NAMED(CAP_PERFMON),
	NAMED(CAP_BPF),
	NAMED(CAP_CHECKPOINT_RESTORE),
	NULL,
};

#define BIT(cap) (UINT64_C(1) << (cap))

enum {
	NNAMES = sizeof(names) / sizeof(names[0]) - 1,
};

const char *br_cap_name(unsigned cap) {
	return cap < NNAMES ? names[cap] : NULL;
}

int br_cap_number(const char *name) {
	const char *bare = strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;
	for (int i = 0; i < NNAMES; i++) {
		if (strcasecmp(bare, names[i] + 4) == 0) {
			return i;
		}
	}
	return -1;
}

uint64_t br_caps_all(void) {
	return BIT(NNAMES) - 1;
}

uint64_t br_caps_docker_default(void) {
	return br_engine_default_caps(BR_ENGINE_DOCKER, br_engine_newest(BR_ENGINE_DOCKER));
}

/** The capabilities that a list of words names. */
struct caps_named {
	uint64_t set;
	/** ALL is among them. "CAP_ALL" is not ALL, but an unknown name. */
	bool all;
};

static int unknown_capability(struct br_diags *dx, const struct br_text *word) {
	(void)br_error(dx, word->at, "unknown capability '%s'", word->s); // it always says -1
	const char *s = word->s;
	const char *bare = strncasecmp(s, "CAP_", 4) == 0 ? s + 4 : s;
	const char *short_names[NNAMES + 2];
	for (int i = 0; i < NNAMES; i++) {
		short_names[i] = names[i] + 4;
	}
	short_names[NNAMES] = "ALL";
	short_names[NNAMES + 1] = NULL;
	const char *near = br_nearest(bare, short_names);
	if (near) {
		br_hint(dx, "did you mean %s?", near);
	}
	return -1;
}

static int read_caps(
	const struct br_text *words, size_t n, struct br_diags *dx, struct caps_named *out) {
	int result = 0;
	*out = (struct caps_named){0};
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(words[i].s, "ALL") == 0) {
			out->all = true;
			continue;
		}
		int cap = br_cap_number(words[i].s);
		if (cap < 0) {
			result = unknown_capability(dx, &words[i]);
			continue;
		}
		out->set |= BIT(cap);
	}
	return result;
}

/** The image's label: names with commas between them, of which none may be new. It is ignored
 * otherwise; an empty one takes everything. */
static bool read_label(const char *label, uint64_t most, uint64_t *out) {
	uint64_t set = 0;
	for (size_t at = 0; *label && at <= strlen(label);) {
		char name[64] = "";
		size_t n = strcspn(label + at, ",");
		if (n < sizeof(name)) {
			memcpy(name, label + at, n);
		}
		int cap = *name ? br_cap_number(name) : -1;
		if (cap < 0 || !(BIT(cap) & most)) {
			return false;
		}
		set |= BIT(cap);
		at += n + 1;
	}
	*out = set;
	return true;
}

/** The first word of `add` that `drop` has, too. */
static const char *find_conflict(const struct br_container *box, const struct caps_named *add,
	const struct caps_named *drop) {
	if (add->all || drop->all) {
		return add->all && drop->all ? "ALL" : NULL;
	}
	for (size_t i = 0; i < box->ncap_add; i++) {
		int cap = br_cap_number(box->cap_add[i].s);
		if (cap >= 0 && (drop->set & BIT(cap))) {
			return box->cap_add[i].s;
		}
	}
	return NULL;
}

static int read_literal(const struct br_container *box, struct br_caps *out, struct br_diags *dx) {
	struct caps_named bounding;
	struct caps_named ambient;
	int bad = read_caps(box->cap_bounding, box->ncap_bounding, dx, &bounding);
	int worse = read_caps(box->cap_ambient, box->ncap_ambient, dx, &ambient);
	out->bounding = bounding.set;
	out->ambient = ambient.set;
	return bad || worse ? -1 : 0;
}

/** `default_capabilities`; ALL is no name there. */
static int read_defaults(const struct br_engine_mode *mode, struct br_diags *dx, uint64_t *out) {
	struct caps_named named;
	int bad = read_caps(mode->settings.caps, mode->settings.ncaps, dx, &named);
	for (size_t i = 0; i < mode->settings.ncaps; i++) {
		if (strcasecmp(mode->settings.caps[i].s, "ALL") == 0) {
			bad = br_error(dx, mode->settings.caps[i].at,
				"'%s' is no capability: default_capabilities names each",
				mode->settings.caps[i].s);
		}
	}
	*out = named.set;
	return bad;
}

int br_caps_of(const struct br_container *box, const struct br_engine_mode *mode,
	const struct br_image *image, struct br_caps *out, struct br_diags *dx) {
	struct caps_named add;
	struct caps_named drop;
	*out = (struct br_caps){0};
	if (box->literal || box->has_caps) {
		return read_literal(box, out, dx);
	}
	int bad_add = read_caps(box->cap_add, box->ncap_add, dx, &add);
	int bad_drop = read_caps(box->cap_drop, box->ncap_drop, dx, &drop);
	uint64_t defaults = br_engine_default_caps(mode->engine, mode->version);
	if (mode->settings.has_caps && read_defaults(mode, dx, &defaults)) {
		return -1;
	}
	// The engine refuses unknown names of a privileged container, too.
	if (bad_add || bad_drop) {
		return -1;
	}
	if (box->privileged) {
		out->bounding = br_caps_all();
	} else if (add.all) {
		out->bounding = br_caps_all() & ~drop.set;
	} else if (drop.all) {
		out->bounding = add.set;
	} else {
		out->bounding = (defaults & ~drop.set) | add.set;
	}
	if (br_engine_has(mode->engine, mode->version, BR_TRAIT_AMBIENT_CAPS)) {
		out->ambient = add.all ? br_caps_all() : add.set;
	}
	if (!box->privileged
		&& br_engine_has(mode->engine, mode->version, BR_TRAIT_CAPS_CONFLICT)) {
		out->conflict = find_conflict(box, &add, &drop);
	}
	if (!box->privileged && image->capabilities_label
		&& br_engine_has(mode->engine, mode->version, BR_TRAIT_CAPS_LABEL)) {
		out->from_label =
			read_label(image->capabilities_label, out->bounding, &out->bounding);
	}
	return 0;
}
