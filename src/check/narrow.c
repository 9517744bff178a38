/** Mounts that give more than is needed: read-write, and nothing is written. */
#include "check_impl.h"

#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/** Nobody calls an input that. */
static bool is_named_output(const char *target) {
	static const char *const names[] = {"out", "output", "outputs", "result", "results", "log",
		"logs", "cache", ".cache", "tmp", "run", "backup", "backups", "upload", "uploads",
		"checkpoint", "checkpoints", "artifacts"};
	const char *slash = target ? strrchr(target, '/') : NULL;
	for (size_t i = 0; slash && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(slash + 1, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

/** It reads everything and writes nothing, and nothing but the bits keeps it from that: so inputs
 * look. An empty directory looks like nothing. */
static bool looks_like_input(const struct check_work *work, const struct mount_work *mw,
	const struct br_mount_source *ms) {
	return !is_named_output(ms->mount->target.s) && mw->files > 0 && mw->writable == 0
		&& mw->worse == 0 && mw->result.misfit > 0 && mw->result.unseen == 0
		&& mw->protected.count == 0 && work->options->depth == UINT_MAX
		&& !work->options->only && !work->stop;
}

bool check_narrow(
	struct check_work *work, const struct mount_work *mw, const struct br_mount_source *ms) {
	struct about about = about_mount(ms);
	struct br_finding *finding;
	const char *image = ms->container->build ? NULL : ms->container->image.s;
	const char *target = ms->mount->target.s;
	bool writes = (ms->demand->need.dir | ms->demand->need.file) & BR_W;
	bool is_data = S_ISDIR(ms->source->mode) || S_ISREG(ms->source->mode);
	if (ms->demand->read_only || !is_data || ms->source->fs.mount_read_only
		|| ms->source->fs.super_read_only || mw->result.seen == 0) {
		return false;
	}
	int known = target ? br_image_only_reads(work->check->arena, image, target) : 0;
	bool is_said = ms->demand->need.said.text != 0;
	work->failed |= known < 0;
	if (!writes) {
		finding = add_finding(work, 403, &about,
			"'%s' need not be written (%s), and is mounted read-write", about.path,
			say_asker(work, &ms->demand->need));
	} else if (known > 0 && !is_said) {
		finding = add_finding(work, 403, &about,
			"nothing is known to write '%s', and it is mounted read-write", target);
	} else if (!is_said && looks_like_input(work, mw, ms)) {
		finding = add_finding(work, 403, &about,
			"uid %u can read everything in '%s' and write nothing",
			ms->identity->cred.uid.v, about.path);
		finding->advice = "if it only reads, ':ro' is all that it takes";
		return true;
	} else {
		return false;
	}
	finding->advice = "mount it read-only: ':ro'";
	return true;
}
