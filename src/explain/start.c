/** What comes before the mount: whether the container starts at all, and whether it comes to the
 * mount. */
#include "explain_impl.h"

#include <base/text.h>

#include <sys/stat.h>

/** The directory that a finding says it cannot enter. NULL without memory. */
static const struct br_explain_step *make_step(
	struct br_arena *arena, const struct br_finding *finding) {
	const struct br_obstacle *obstacle = finding->obstacle;
	struct br_explain_step *step = BR_NEW(arena, struct br_explain_step);
	if (!step) {
		return NULL;
	}
	*step = (struct br_explain_step){
		.path = obstacle->path,
		.of_image = obstacle->of_image,
		.of_mount = !obstacle->of_image,
		.inode = obstacle->inode,
		.want = BR_X,
		.verdict = finding->verdict,
		.rule = br_rule_name(finding->verdict.rule),
		.inode_way = finding->advice,
		.identity_way = (obstacle->inode.mode & S_IXUSR) && obstacle->inode.uid.v != 0
			? br_printf(arena, "run as uid %u, or as root", obstacle->inode.uid.v)
			: "run as root",
	};
	return step->identity_way ? step : NULL;
}

int br_explain_start(struct br_arena *arena, const struct br_check *check,
	const struct br_mount *mount, struct br_explain_query *query) {
	const char **refusals = BR_NEW_ARRAY(arena, const char *, check->nfindings + 1);
	size_t n = 0;
	if (!refusals) {
		return -1;
	}
	for (size_t i = 0; i < check->nfindings; i++) {
		const struct br_finding *finding = &check->findings[i];
		if (finding->refused && !(refusals[n++] = br_strdup(arena, finding->message))) {
			return -1;
		}
		if (finding->obstacle && finding->mount == mount && !query->before) {
			query->before = make_step(arena, finding);
			if (!query->before) {
				return -1;
			}
		}
	}
	refusals[n] = NULL;
	query->refusals = n ? refusals : NULL;
	return 0;
}
