#include "check_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct about about_mount(const struct br_mount_source *ms) {
	struct about about = {
		.container = ms->container,
		.mount = ms,
		.identity = ms->identity,
		.path = ms->source->real && ms->source->state == BR_SOURCE_PRESENT
			? ms->source->real
			: ms->source->path,
		.at = ms->mount->at,
	};
	return about;
}

const char *say(struct check_work *work, const char *format, ...) {
	va_list args;
	va_start(args, format);
	char *out = br_vprintf(work->check->arena, format, args);
	va_end(args);
	if (!out) {
		work->failed = true;
		return "";
	}
	return out;
}

const char *say_user(struct check_work *work, const char *ids) {
	switch (work->input->spec->kind) {
	case BR_INPUT_RUN_LINE:
	case BR_INPUT_CONTAINER:
		return say(work, "--user %s", ids);
	case BR_INPUT_OCI:
		return say(work, "process.user %s", ids);
	case BR_INPUT_COMPOSE:
	default:
		return say(work, "user: \"%s\"", ids);
	}
}

/** FNV-1a, which is enough to tell findings of one project apart. */
static uint64_t hash_more(uint64_t hash, const char *s) {
	for (; s && *s; s++) {
		hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	}
	return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

static const char *finding_id(
	struct check_work *work, br_code_number code, const struct about *about) {
	uint64_t hash = UINT64_C(0xcbf29ce484222325) + code;
	hash = hash_more(hash, about->container ? about->container->name.s : "");
	hash = hash_more(hash, about->mount ? about->mount->mount->target.s : "");
	hash = hash_more(hash, about->path);
	return say(work, "%016" PRIx64, hash);
}

/** The input's wish not to see this finding, or NULL. */
static const struct br_ignore *find_ignore(br_code_number code, const struct about *about) {
	char name[16];
	(void)snprintf(name, sizeof(name), "BR%03u", code);
	for (size_t i = 0; about->mount && i < about->mount->mount->wishes.nignores; i++) {
		const struct br_ignore *ignore = &about->mount->mount->wishes.ignores[i];
		if (strcmp(ignore->code.s, name) == 0) {
			return ignore;
		}
	}
	for (size_t i = 0; about->container && i < about->container->nignores; i++) {
		const struct br_ignore *ignore = &about->container->ignores[i];
		bool here = !ignore->target.s
			|| (about->mount
				&& strcmp(ignore->target.s, about->mount->mount->target.s) == 0);
		if (here && strcmp(ignore->code.s, name) == 0) {
			return ignore;
		}
	}
	return NULL;
}

const char *say_unseen(int err) {
	switch (err) {
	case ETIMEDOUT:
		return "its file system does not answer";
	case EREMOTE:
		return "an automounter would have to mount it first";
	default:
		return strerror(err);
	}
}

struct br_finding *add_finding(struct check_work *work, br_code_number code,
	const struct about *about, const char *format, ...) {
	static struct br_finding spare;
	const struct br_code_info *info = br_code_find(code);
	struct br_finding finding = {
		.code = code,
		.severity = info->severity,
		.id = finding_id(work, code, about),
		.container = about->container,
		.mount = about->mount ? about->mount->mount : NULL,
		.tree = about->mount ? about->mount->tree : NULL,
		.identity = about->identity,
		.path = about->path,
		.at = about->at,
		.ignored = find_ignore(code, about),
	};
	va_list args;
	va_start(args, format);
	finding.message = br_vprintf(work->check->arena, format, args);
	va_end(args);
	if (!finding.message || br_vec_push(work->check->arena, &work->findings, finding)) {
		work->failed = true;
		return &spare;
	}
	if (info->severity == BR_ERROR && !finding.ignored && work->options->fail_fast) {
		work->stop = true;
	}
	return &work->findings.v[work->findings.n - 1];
}

/** By place in the input (container, then mount), the worst first, then by code. */
static int compare(const void *a, const void *b) {
	const struct br_finding *x = a;
	const struct br_finding *y = b;
	if (x->container != y->container) {
		return !x->container                  ? -1
			: !y->container               ? 1
			: x->container < y->container ? -1
						      : 1;
	}
	if (x->mount != y->mount) {
		return !x->mount ? -1 : !y->mount ? 1 : x->mount < y->mount ? -1 : 1;
	}
	if (x->severity != y->severity) {
		return x->severity > y->severity ? -1 : 1;
	}
	if (x->code != y->code) {
		return x->code < y->code ? -1 : 1;
	}
	int order = strcmp(x->path ? x->path : "", y->path ? y->path : "");
	return order ? order : strcmp(x->message, y->message);
}

int finish_findings(struct check_work *work) {
	struct br_check *check = work->check;
	if (work->failed) {
		return br_error_memory(work->dx);
	}
	if (work->findings.n > 0) {
		qsort(work->findings.v, work->findings.n, sizeof(work->findings.v[0]), compare);
	}
	check->findings = work->findings.v;
	check->nfindings = work->findings.n;
	for (size_t i = 0; i < work->findings.n; i++) {
		const struct br_finding *finding = &work->findings.v[i];
		check->suppressed += finding->ignored != NULL;
		check->errors += !finding->ignored && finding->severity == BR_ERROR;
		check->warnings += !finding->ignored && finding->severity == BR_WARNING;
		check->infos += !finding->ignored && finding->severity == BR_INFO;
	}
	return 0;
}
