#include "compose.h"

#include <string.h>

/* Lower case, only [a-z0-9_-], no "_" or "-" in front. */
static char *normalize(struct br_compose *c, const char *name) {
	char *out = br_strdup(c->arena, name);
	if (!out) {
		(void)br_error_memory(c->dx);
		return NULL;
	}
	size_t n = 0;
	for (const char *p = name; *p; p++) {
		char ch = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
		bool is_edge = ch == '_' || ch == '-';
		bool is_plain = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
		if (is_plain || (is_edge && n)) {
			out[n++] = ch;
		}
	}
	out[n] = '\0';
	return out;
}

/* The last document that has a name decides. */
static const struct br_node *written_name(const struct br_compose *c) {
	const struct br_node *name = NULL;
	for (size_t i = 0; i < c->inputs.n; i++) {
		const struct br_doc *doc = c->inputs.v[i].doc;
		for (size_t k = 0; k < doc->n; k++) {
			const struct br_node *node =
				doc->roots[k] ? br_node_get(doc->roots[k], "name") : NULL;
			bool is_text = node && node->kind == BR_NODE_SCALAR;
			if (is_text && !br_node_is_null(node) && node->len) {
				name = node;
			}
		}
	}
	return name;
}

static char *name_in_files(struct br_compose *c) {
	const struct br_node *node = written_name(c);
	if (!node) {
		return normalize(c, "");
	}
	struct br_interpolated out = {0};
	struct br_text text = {node->s, node->at};
	if (br_interpolate(&c->env, text, "name", &out, c->dx)) {
		return NULL;
	}
	return normalize(c, out.s);
}

/* -p and COMPOSE_PROJECT_NAME (which has no place) are taken as they are or not at all. */
static int check_given(struct br_compose *c, struct br_text given, const char *from) {
	const char *good = normalize(c, given.s);
	if (!good) {
		return -1;
	}
	if (strcmp(good, given.s) == 0) {
		return 0;
	}
	(void)br_error(c->dx, given.at,
		"invalid project name '%s' (from %s): only a-z, 0-9, '-' and '_' are allowed, and it begins with "
		"a letter or digit",
		given.s, from);
	if (*good) {
		br_hint(c->dx, "use '%s'", good);
	}
	return -1;
}

static const char *choose_name(struct br_compose *c) {
	const char *given = c->request->project_name;
	if (given && *given) {
		struct br_text word = {given, c->request->project_name_at};
		return check_given(c, word, "-p") ? NULL : given;
	}
	const struct br_var *var = br_env_get(&c->env, "COMPOSE_PROJECT_NAME");
	if (var && *var->value) {
		struct br_text word = {.s = var->value};
		return check_given(c, word, "COMPOSE_PROJECT_NAME") ? NULL : var->value;
	}
	// A file that has a name is never named after its directory, even if variables leave
	// nothing of the name.
	const char *name = name_in_files(c);
	if (!name || *name || written_name(c)) {
		return name;
	}
	const char *slash = strrchr(c->spec->project_directory, '/');
	return normalize(c, slash ? slash + 1 : c->spec->project_directory);
}

int br_compose_name(struct br_compose *c) {
	const char *name = choose_name(c);
	if (!name) {
		return -1;
	}
	if (!*name) {
		(void)br_error(c->dx, (struct br_span){0}, "the project name must not be empty");
		// Found above where somebody stands, the file is a surprise.
		const char *place = written_name(c) ? "" : c->spec->project_directory;
		br_hint(c->dx, "%s%s%sname it with -p NAME, or with 'name:' in the compose file",
			*place ? "the project directory '" : "",
			*place ? br_shown_path(c, place) : "", *place ? "' gives it none: " : "");
		return -1;
	}
	c->spec->project_name = br_strdup(c->arena, name);
	struct br_var var = {"COMPOSE_PROJECT_NAME", name, BR_VAR_FILE};
	if (!c->spec->project_name || br_env_set(&c->env, &var, true)) {
		return br_error_memory(c->dx);
	}
	return 0;
}
