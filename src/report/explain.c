/** One decision, step by step. */
#include "report_impl.h"

#include <base/own.h>
#include <doc/json.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *type_name(uint32_t mode) {
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "directory";
	case S_IFREG:
		return "file";
	case S_IFLNK:
		return "symlink";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFCHR:
		return "char-device";
	case S_IFBLK:
		return "block-device";
	default:
		return "?";
	}
}

static uint32_t box_of(const struct br_idmap *map, br_hostid id) {
	br_boxid box;
	(void)br_idmap_to_box(map, id, &box);
	return box.v;
}

/* Text. */

static void say_id(struct pen *pen, const char *what, const struct br_idmap *map, br_hostid id) {
	pen_say(pen, "%s %u", what, box_of(map, id));
	if (map->n) {
		pen_say(pen, " (%u on the host)", id.v);
	}
}

static void say_who(struct pen *pen, const struct br_explain_report *report) {
	const struct br_cred *cred = report->explanation->query->cred;
	pen_ink(pen, INK_BOLD);
	if (report->identity) {
		pen_quote(pen, report->identity->container->name.s);
		pen_say(pen, "  ");
	}
	say_id(pen, "uid", &cred->uids, cred->uid);
	say_id(pen, ", gid", &cred->gids, cred->gid);
	pen_ink(pen, INK_PLAIN);
	for (size_t i = 0; i < cred->ngroups; i++) {
		pen_say(pen, "%s%u", i ? "," : ", groups ", box_of(&cred->gids, cred->groups[i]));
	}
	for (unsigned cap = 0; cap < 64 && __builtin_popcountll(cred->caps) < 8; cap++) {
		if (cred->caps & (UINT64_C(1) << cap)) {
			pen_say(pen, ", %s", br_cap_name(cap));
		}
	}
	if (__builtin_popcountll(cred->caps) >= 8) {
		pen_say(pen, ", %d capabilities", __builtin_popcountll(cred->caps));
	}
	if (report->mount) {
		pen_ink(pen, INK_DIM);
		pen_say(pen, "  ");
		pen_place(pen, report->places, report->mount->at);
		pen_ink(pen, INK_PLAIN);
	}
	pen_say(pen, "\n");
}

/** One class of the mode or ACL; the deciding one stands in brackets. */
static void say_class(struct pen *pen, bool first, bool decides, const char *words) {
	pen_say(pen, "%s", first ? "" : ", ");
	if (decides) {
		pen_ink(pen, INK_BOLD);
	}
	pen_say(pen, "%s%s%s", decides ? "[" : "", words, decides ? "]" : "");
	if (decides) {
		pen_ink(pen, INK_PLAIN);
	}
}

static void say_entry(
	struct pen *pen, const struct br_explain_step *step, const struct br_acl_entry *entry) {
	static const struct {
		enum br_acl_tag tag;
		enum br_rule rule;
		const char *name;
	} tags[] = {
		{BR_ACL_OWNER, BR_RULE_OWNER, "owner"},
		{BR_ACL_USER, BR_RULE_ACL_USER, "user"},
		{BR_ACL_OWNING_GROUP, BR_RULE_GROUP, "group"},
		{BR_ACL_GROUP, BR_RULE_ACL_GROUP, "group"},
		{BR_ACL_MASK, BR_RULE_READ_ONLY, "mask"},
		{BR_ACL_OTHER, BR_RULE_OTHER, "others"},
	};
	char words[64];
	char perm[4];
	const struct br_verdict *verdict = &step->verdict;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (tags[i].tag != entry->tag) {
			continue;
		}
		uint32_t id = entry->tag == BR_ACL_OWNER    ? step->inode.uid.v
			: entry->tag == BR_ACL_OWNING_GROUP ? step->inode.gid.v
							    : entry->id.v;
		bool decides =
			verdict->entry ? verdict->entry == entry : tags[i].rule == verdict->base;
		decides |= verdict->masked && entry->tag == BR_ACL_MASK;
		(void)br_perm_text(entry->perm, perm);
		if (id == BR_NO_ID) {
			(void)snprintf(words, sizeof(words), "%s %s", tags[i].name, perm);
		} else {
			(void)snprintf(words, sizeof(words), "%s %u %s", tags[i].name, id, perm);
		}
		say_class(pen, entry->tag == BR_ACL_OWNER,
			decides && verdict->base == verdict->rule, words);
	}
}

static void say_mode(struct pen *pen, const struct br_explain_step *step) {
	const struct br_acl_entry entries[] = {
		{BR_ACL_OWNER, (step->inode.mode >> 6) & 7, {BR_NO_ID}},
		{BR_ACL_OWNING_GROUP, (step->inode.mode >> 3) & 7, {BR_NO_ID}},
		{BR_ACL_OTHER, step->inode.mode & 7, {BR_NO_ID}},
	};
	for (size_t i = 0; i < 3; i++) {
		say_entry(pen, step, &entries[i]);
	}
}

/** The classes, and whatever stands above them. */
static void say_rule(struct pen *pen, const struct br_explain_step *step) {
	const struct br_acl *acl = step->inode.acl;
	for (size_t i = 0; acl && i < acl->n; i++) {
		say_entry(pen, step, &acl->entries[i]);
	}
	if (!acl) {
		say_mode(pen, step);
	}
	if (step->verdict.rule != step->verdict.base) {
		say_class(pen, false, true, step->rule);
	}
}

static void say_way(struct pen *pen, const char *side, const char *words, bool is_command) {
	char lead[40];
	(void)snprintf(lead, sizeof(lead), "           %-15s", side);
	if (is_command) {
		pen_command(pen, lead, 26, words);
	} else {
		pen_wrap_whole(pen, lead, 26, words);
	}
}

static void say_step(struct pen *pen, const struct br_explain_step *step) {
	char want[4];
	pen_ink(pen, step->granted ? INK_GREEN : INK_RED);
	pen_say(pen, "  %s", step->granted ? "yes" : "NO ");
	pen_ink(pen, INK_PLAIN);
	pen_say(pen, "  %s  ", step->link ? "---" : br_perm_text(step->want, want));
	pen_quote(pen, step->path);
	if (step->of_image || step->of_mount) {
		pen_say(pen, " (%s)", step->of_image ? "in the image" : "of the container");
	}
	if (step->link) {
		pen_say(pen, " -> ");
		pen_quote(pen, step->link);
		if (!step->granted) {
			pen_say(pen, "  ");
			say_class(pen, true, true, step->rule);
		}
	} else {
		pen_say(pen, "  ");
		say_rule(pen, step);
	}
	pen_say(pen, "\n");
	if (step->unheard) {
		say_way(pen,
			"its server:", "has the last word, and could not be asked as this identity",
			false);
	}
	if (step->inode_way) {
		say_way(pen, "this inode:", step->inode_way, step->way_is_command);
	}
	if (!step->granted) {
		say_way(pen, "this identity:",
			step->identity_way ? step->identity_way : "nobody may, not even root",
			false);
	}
}

/** What lies on the way does not matter then. */
static void say_refusals(struct pen *pen, const char *const *refusals) {
	pen_ink(pen, INK_RED);
	pen_say(pen, "No");
	pen_ink(pen, INK_PLAIN);
	pen_say(pen, ": the container will not start\n");
	for (size_t i = 0; refusals[i]; i++) {
		pen_wrap(pen, "  ", 2, refusals[i]);
	}
}

static void say_verdict(struct pen *pen, const struct br_explanation *explanation) {
	const struct br_explain_step *last = &explanation->steps[explanation->nsteps - 1];
	const char *const *refusals = explanation->query->refusals;
	char have[4];
	char want[4];
	if (refusals) {
		say_refusals(pen, refusals);
		return;
	}
	if (explanation->query->need) {
		pen_ink(pen, explanation->granted ? INK_GREEN : INK_RED);
		pen_say(pen, "%s", explanation->granted ? "Yes" : "No");
		pen_ink(pen, INK_PLAIN);
		pen_say(pen, ": it");
	} else {
		pen_say(pen, "It");
	}
	pen_say(pen, " has %s of '", br_perm_text(explanation->have, have));
	pen_quote(pen, last->path);
	pen_say(pen, "'");
	if (!explanation->granted && explanation->decider != last) {
		pen_say(pen, ", because '");
		pen_quote(pen, explanation->decider->path);
		pen_say(pen, "' stops it");
	} else if (!explanation->granted && explanation->query->need) {
		pen_say(pen, ", not %s", br_perm_text(last->want, want));
	}
	pen_say(pen, "\n");
}

static void say_made(struct pen *pen, const char *what, const struct br_inode *inode) {
	char mode[12];
	pen_say(pen, "%s %s of %u:%u", what, br_mode_text(inode, mode), inode->uid.v, inode->gid.v);
}

/** Asked for by -v. */
static void say_makes(struct pen *pen, const struct br_explanation *explanation) {
	if (explanation->makes) {
		say_made(pen, "What it makes there:", &explanation->made_file);
		say_made(pen, ", and directories", &explanation->made_directory);
		pen_say(pen, "\n");
	}
}

static char *explain_text(
	const struct br_explain_report *report, const struct br_report_style *style, size_t *len) {
	const struct br_explanation *explanation = report->explanation;
	struct pen pen = {.style = style};
	if (style->verbosity >= 0) {
		say_who(&pen, report);
		for (size_t i = 0; i < explanation->nsteps; i++) {
			say_step(&pen, &explanation->steps[i]);
		}
	}
	say_verdict(&pen, explanation);
	if (style->verbosity > 0) {
		say_makes(&pen, explanation);
	}
	return pen_take(&pen, len);
}

/* JSON. */

static void json_numbers(
	struct br_json *json, const char *key, const struct br_cred *cred, bool host) {
	br_json_array(json, key);
	for (size_t i = 0; i < cred->ngroups; i++) {
		br_json_int(json, NULL,
			host ? cred->groups[i].v : box_of(&cred->gids, cred->groups[i]));
	}
	br_json_end(json);
}

static void json_who(struct br_json *json, const struct br_cred *cred) {
	br_json_object(json, "as");
	br_json_int(json, "uid", box_of(&cred->uids, cred->uid));
	br_json_int(json, "gid", box_of(&cred->gids, cred->gid));
	json_numbers(json, "groups", cred, false);
	json_capabilities(json, cred->caps);
	br_json_int(json, "host_uid", cred->uid.v);
	br_json_int(json, "host_gid", cred->gid.v);
	json_numbers(json, "host_groups", cred, true);
	br_json_end(json);
}

static void json_step(struct br_json *json, const struct br_explain_step *step) {
	struct br_arena arena = {0};
	char text[12];
	br_json_object(json, NULL);
	br_json_bytes(json, "path", step->path);
	if (step->of_image || step->of_mount) {
		br_json_string(json, "of", step->of_image ? "image" : "mount");
	}
	br_json_string(json, "type", type_name(step->inode.mode));
	br_json_bytes(json, "link", step->link);
	br_json_int(json, "uid", step->inode.uid.v);
	br_json_int(json, "gid", step->inode.gid.v);
	(void)snprintf(text, sizeof(text), "%04o", step->inode.mode & 07777U);
	br_json_string(json, "mode", text);
	br_json_string(json, "acl", step->inode.acl ? br_acl_text(&arena, step->inode.acl) : NULL);
	br_json_string(json, "need", step->link ? NULL : br_perm_text(step->want, text));
	br_json_string(json, "rule", step->rule);
	br_json_string(json, "have", step->link ? NULL : br_perm_text(step->verdict.have, text));
	br_json_bool(json, "granted", step->granted);
	if (!step->granted) {
		br_json_object(json, "change");
		json_words(json, "inode", step->inode_way);
		json_words(json, "identity", step->identity_way);
		br_json_end(json);
	}
	br_json_end(json);
	br_arena_release(&arena);
}

static void json_made(struct br_json *json, const char *key, const struct br_inode *inode) {
	struct br_arena arena = {0};
	char text[12];
	br_json_object(json, key);
	br_json_int(json, "uid", inode->uid.v);
	br_json_int(json, "gid", inode->gid.v);
	(void)snprintf(text, sizeof(text), "%04o", inode->mode & 07777U);
	br_json_string(json, "mode", text);
	br_json_string(json, "acl", inode->acl ? br_acl_text(&arena, inode->acl) : NULL);
	br_json_end(json);
	br_arena_release(&arena);
}

/** Only of what a container does. */
static void json_makes(struct br_json *json, const struct br_explanation *explanation) {
	if (!explanation->makes) {
		br_json_null(json, "makes");
		return;
	}
	br_json_object(json, "makes");
	json_made(json, "file", &explanation->made_file);
	json_made(json, "directory", &explanation->made_directory);
	br_json_end(json);
}

/** As it is asked for: "rw". */
static const char *need_word(unsigned need, char out[4]) {
	size_t n = 0;
	static const char names[] = {'x', 'w', 'r'};
	for (unsigned i = 3; i-- > 0;) {
		if (need & (1U << i)) {
			out[n++] = names[i];
		}
	}
	out[n] = '\0';
	return out;
}

static char *explain_json(const struct br_explain_report *report, size_t *len) {
	const struct br_explanation *explanation = report->explanation;
	const struct br_explain_query *query = explanation->query;
	char text[4];
	br_auto(br_json_freep) struct br_json *json = br_json_new();
	if (!json) {
		return NULL;
	}
	br_json_string(json, "schema", "bindright.explain/1");
	br_json_bytes(json, "path", query->path);
	if (report->mount) {
		json_words(json, "container", report->identity->container->name.s);
		json_words(json, "container_path", report->container_path);
		json_place(json, "location", report->places, report->mount->at);
	}
	json_who(json, query->cred);
	br_json_string(json, "need", query->need ? need_word(query->need, text) : NULL);
	br_json_bool(json, "read_only", query->read_only);
	if (report->mount) {
		br_json_bool(json, "starts", !query->refusals);
		br_json_array(json, "refusals");
		for (size_t i = 0; query->refusals && query->refusals[i]; i++) {
			json_words(json, NULL, query->refusals[i]);
		}
		br_json_end(json);
	}
	br_json_bool(json, "granted", explanation->granted);
	br_json_string(json, "have", br_perm_text(explanation->have, text));
	br_json_string(json, "rule", explanation->decider->rule);
	if (report->mount) {
		json_makes(json, explanation);
	}
	br_json_array(json, "steps");
	for (size_t i = 0; i < explanation->nsteps; i++) {
		json_step(json, &explanation->steps[i]);
	}
	br_json_end(json);
	return br_json_take(json, false, len);
}

char *br_report_explain(
	const struct br_explain_report *report, const struct br_report_style *style, size_t *len) {
	return style->format == BR_FORMAT_JSON ? explain_json(report, len)
					       : explain_text(report, style, len);
}
