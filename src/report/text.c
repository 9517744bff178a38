/** The report for people: by container, by mount, the worst first, and what to do next. */
#include "report_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum ink severity_ink(enum br_severity severity) {
	return severity == BR_ERROR ? INK_RED : severity == BR_WARNING ? INK_YELLOW : INK_BLUE;
}

static void finding_examples(struct pen *pen, const struct br_finding *finding) {
	for (size_t i = 0; i < finding->nexamples; i++) {
		const char *path = finding->examples[i];
		pen_say(pen, "            ");
		pen_quote(pen, *path ? path : ".");
		pen_say(pen, "\n");
	}
	if (finding->nexamples > 0 && finding->count > finding->nexamples) {
		pen_say(pen, "            and %" PRIu64 " more\n",
			finding->count - finding->nexamples);
	}
}

static void finding_line(struct pen *pen, const struct br_finding *finding) {
	char lead[32];
	br_buf_add(&pen->buf, "    ");
	pen_ink(pen, severity_ink(finding->severity));
	pen_say(pen, "%s", severity_name(finding->severity));
	pen_ink(pen, INK_PLAIN);
	(void)snprintf(lead, sizeof(lead), " BR%03u  ", finding->code);
	pen_wrap(pen, lead, 12, finding->message);
}

/** A finding in full; `because` only where it says something new. */
static void finding_full(struct pen *pen, const struct br_finding *finding, const char **last) {
	finding_line(pen, finding);
	if (finding->because && (!*last || strcmp(*last, finding->because) != 0)) {
		pen_wrap(pen, "            because ", 20, finding->because);
	}
	*last = finding->because;
	finding_examples(pen, finding);
	if (finding->advice && finding->advice == finding->command) {
		pen_command(pen, "            try: ", 17, finding->command);
	} else if (finding->advice) {
		pen_wrap_whole(pen, "            try: ", 17, finding->advice);
	}
	if (finding->ignored) {
		const char *reason = finding->ignored->reason.s;
		pen_wrap(pen, "            suppressed: ", 24,
			reason ? reason : "no reason is given");
	}
}

static void container_heading(struct pen *pen, const struct br_report *report, size_t i) {
	const struct br_container *container = &report->spec->containers[i];
	const struct br_identity *first = &last_check(report)->identities[i];
	const struct br_identity *identity = br_identity_of_data(first, true);
	pen_ink(pen, INK_BOLD);
	pen_quote(pen, container->name.s);
	pen_ink(pen, INK_PLAIN);
	if (identity->confidence == BR_UNKNOWN) {
		pen_say(pen, "  (user unknown)");
	} else {
		pen_say(pen, "  uid %u, gid %u", identity->uid.v, identity->gid.v);
	}
	pen_say(pen, identity != first ? " (starts as root)" : "");
	pen_ink(pen, INK_DIM);
	pen_say(pen, "  ");
	pen_place(pen, report->places, container->user.s ? container->user.at : container->name.at);
	pen_ink(pen, INK_PLAIN);
	pen_say(pen, "\n");
}

static void mount_heading(
	struct pen *pen, const struct br_report *report, const struct br_mount_result *result) {
	const struct br_mount *mount = result->mount->mount;
	pen_say(pen, "  ");
	pen_quote(pen, mount->source.s ? mount->source.s : "?");
	pen_say(pen, " -> ");
	pen_quote(pen, mount->target.s ? mount->target.s : "?");
	pen_say(pen, mount->read_only ? "  ro" : "  rw");
	pen_ink(pen, INK_DIM);
	pen_say(pen, "  ");
	pen_place(pen, report->places, mount->at);
	pen_ink(pen, INK_PLAIN);
	if (result->fits) {
		pen_ink(pen, INK_GREEN);
		pen_say(pen, "  fits");
		pen_ink(pen, INK_PLAIN);
	}
	pen_say(pen, "\n");
}

static bool is_shown(const struct pen *pen, const struct br_finding *finding) {
	return !finding->ignored || pen->style->verbosity > 0;
}

/** The findings about this container and mount (NULL: about the container itself). Whether there
 * were any. */
static bool group(struct pen *pen, const struct br_check *check,
	const struct br_container *container, const struct br_mount *mount, bool print) {
	const char *last = NULL;
	bool any = false;
	for (size_t i = 0; i < check->nfindings; i++) {
		const struct br_finding *finding = &check->findings[i];
		if (finding->container != container || finding->mount != mount
			|| !is_shown(pen, finding)) {
			continue;
		}
		any = true;
		if (print) {
			finding_full(pen, finding, &last);
		}
	}
	return any;
}

static void one_mount(struct pen *pen, const struct br_report *report, const struct br_check *check,
	const struct br_mount_result *result) {
	const struct br_container *container = result->mount->container;
	const struct br_mount *mount = result->mount->mount;
	bool any = group(pen, check, container, mount, false);
	if (any || pen->style->verbosity > 0) {
		mount_heading(pen, report, result);
		(void)group(pen, check, container, mount, true);
	}
}

static bool has_anything(
	const struct pen *pen, const struct br_check *check, const struct br_container *container) {
	for (size_t i = 0; i < check->nfindings; i++) {
		if (check->findings[i].container == container
			&& is_shown(pen, &check->findings[i])) {
			return true;
		}
	}
	return pen->style->verbosity > 0;
}

static void containers(struct pen *pen, const struct br_report *report) {
	const struct br_check *check = last_check(report);
	for (size_t i = 0; i < report->spec->n; i++) {
		const struct br_container *container = &report->spec->containers[i];
		if (!has_anything(pen, check, container)) {
			continue;
		}
		container_heading(pen, report, i);
		(void)group(pen, check, container, NULL, true);
		for (size_t k = 0; k < check->demands->nmounts; k++) {
			if (check->mounts[k].mount->container == container) {
				one_mount(pen, report, check, &check->mounts[k]);
			}
		}
		pen_say(pen, "\n");
	}
}

/** -q: a line a finding, as compilers have it. */
static void short_findings(struct pen *pen, const struct br_report *report) {
	const struct br_check *check = last_check(report);
	for (size_t i = 0; i < check->nfindings; i++) {
		const struct br_finding *finding = &check->findings[i];
		if (finding->ignored
			|| (pen->style->verbosity < -1 && finding->severity != BR_ERROR)) {
			continue;
		}
		pen_place(pen, report->places, finding->at);
		pen_say(pen, ": %s: BR%03u: ", severity_name(finding->severity), finding->code);
		pen_words(pen, finding->message);
		pen_say(pen, "\n");
	}
}

static void summary(struct pen *pen, const struct br_check *check) {
	if (check->errors + check->warnings == 0 && check->complete) {
		pen_ink(pen, INK_GREEN);
		pen_say(pen, "Everything fits");
		pen_ink(pen, INK_PLAIN);
		pen_say(pen, ": ");
	} else {
		pen_count(pen, check->errors, "error", "errors");
		pen_say(pen, ", ");
		pen_count(pen, check->warnings, "warning", "warnings");
		pen_say(pen, " in ");
	}
	pen_count(pen, check->spec->n, "container", "containers");
	pen_say(pen, ", ");
	pen_count(pen, check->demands->nmounts, "mount", "mounts");
	pen_say(pen, ", ");
	pen_count(pen, check->inodes, "inode", "inodes");
	if (check->suppressed) {
		pen_say(pen, ", %zu suppressed", check->suppressed);
	}
	pen_say(pen, "\n");
	if (!check->complete) {
		pen_say(pen, "Not everything could be seen.\n");
	}
}

/** Whether a plan has anything to say of it: not of what is the image's, or could not be found out.
 */
static bool is_plannable(const struct br_finding *finding) {
	unsigned code = finding->code;
	return finding->severity == BR_ERROR && !finding->ignored && code != 109 && code != 209
		&& code != 303 && code != 307;
}

static void next_step(struct pen *pen, const struct br_report *report) {
	const struct br_check *check = last_check(report);
	bool any = false;
	for (size_t i = 0; i < check->nfindings; i++) {
		any = any || is_plannable(&check->findings[i]);
	}
	if (!any || report->plan) {
		return;
	}
	pen_say(pen, "See what would make it fit: bindright plan. Do it: bindright fix.\n");
	if (report->worded) {
		pen_say(pen, "Give them the same options and words as here.\n");
	}
}

char *text_report(
	const struct br_report *report, const struct br_report_style *style, size_t *len) {
	struct pen pen = {.style = style};
	const struct br_check *check = last_check(report);
	if (style->verbosity < 0) {
		if (report->applied && style->verbosity == -1) {
			text_changed(&pen, report);
		}
		short_findings(&pen, report);
	} else if (report->applied) {
		text_applied(&pen, report);
		containers(&pen, report);
		summary(&pen, check);
	} else {
		containers(&pen, report);
		if (report->plan) {
			text_plan(&pen, report);
		}
		summary(&pen, check);
		next_step(&pen, report);
	}
	return pen_take(&pen, len);
}
