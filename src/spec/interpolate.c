#include "interpolate.h"

#include <base/text.h>

#include <errno.h>
#include <string.h>

enum {
	// a list with so many messages says enough; each search in it is linear
	MESSAGES = 1000,
	// of a wrong reference in a message
	SHOWN = 80,
};

/** The interpolation of one value. */
struct expansion {
	const struct br_env *env;
	struct br_text whole;
	const char *path;
	struct br_interpolated *out;
	struct br_diags *dx;
};

/** A stretch of the value. */
struct part {
	const char *s, *end;
};

/** What stands between "${" and "}". */
struct reference {
	char *name;
	/** '-', '?' or '+'; 0 for a plain reference. */
	char op;
	/** Whether a colon stands before it: empty counts as unset. */
	bool colon;
	struct part word;
};

static int expand(struct expansion *x, struct part part, unsigned depth, struct br_buf *to);

static bool is_name_start(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static const char *end_of_name(struct part part) {
	const char *s = part.s;
	if (s < part.end && is_name_start(*s)) {
		while (s < part.end && (is_name_start(*s) || (*s >= '0' && *s <= '9'))) {
			s++;
		}
	}
	return s;
}

// Messages

/** The n-th (from 0) place of the piece in the bytes; NULL if there are fewer. */
static const char *nth(const char *s, size_t len, struct part piece, size_t n) {
	size_t width = (size_t)(piece.end - piece.s);
	const char *end = s + len;
	for (;; n--) {
		const char *at = memmem(s, (size_t)(end - s), piece.s, width);
		if (!at || !n) {
			return at;
		}
		s = at + 1;
	}
}

static size_t count_before(const char *s, struct part piece) {
	size_t n = 0;
	const char *at;
	while ((at = memmem(s, (size_t)(piece.end - s), piece.s, (size_t)(piece.end - piece.s)))
		&& at < piece.s) {
		n++;
		s = at + 1;
	}
	return n;
}

/** Where a piece of the value stands in the file. Escapes and line folds make value and file
 * differ; then it is the whole scalar. */
static struct br_span locate(const struct expansion *x, struct part piece) {
	size_t n = 0;
	struct br_span at = x->whole.at;
	const char *text = br_places_bytes(br_diags_places(x->dx), at.text, &n);
	if (!text || piece.s == piece.end || at.off > n || at.len > n - at.off) {
		return at;
	}
	const char *found = nth(text + at.off, at.len, piece, count_before(x->whole.s, piece));
	if (!found) {
		return at;
	}
	return (struct br_span){at.text, (uint32_t)(found - text), (uint32_t)(piece.end - piece.s)};
}

static const char *prefix(const struct expansion *x) {
	return x->path ? x->path : "";
}

static const char *colon(const struct expansion *x) {
	return x->path ? ": " : "";
}

/** A "${" that begins no reference. */
static int refuse(const struct expansion *x, struct part part) {
	const char *end = part.s;
	while (end < part.end && *end != '}' && *end != '\n') {
		end++;
	}
	end += end < part.end && *end == '}';
	struct part piece = {part.s, end};
	int shown = end - part.s < SHOWN ? (int)(end - part.s) : SHOWN;
	br_error(x->dx, locate(x, piece), "%s%s'%.*s' is no valid variable reference", prefix(x),
		colon(x), shown, part.s);

	const char *name = part.s + 2;
	const char *name_end = end_of_name((struct part){name, end});
	if (name_end > name && name_end + 1 < end && *name_end == ':' && end[-1] == '}'
		&& end - part.s < SHOWN) {
		const char *word = name_end + 1 + (name_end[1] == '=');
		br_hint(x->dx, "a default value is written ${%.*s:-%.*s}", (int)(name_end - name),
			name, (int)(end - 1 - word), word);
	} else {
		br_hint(x->dx, "write $$ where a dollar sign is meant");
	}
	return -1;
}

static bool was_said(const struct br_diags *dx, const char *message) {
	for (size_t i = 0; i < br_diags_count(dx); i++) {
		const struct br_diag *diag = br_diags_get(dx, i);
		if (diag->severity == BR_WARNING && !strcmp(diag->message, message)) {
			return true;
		}
	}
	return false;
}

/** An unset variable that becomes empty. */
static int on_unset(struct expansion *x, const char *name, struct part piece) {
	if (!x->out->unset) {
		x->out->unset = name;
	}
	if (br_diags_count(x->dx) >= MESSAGES) {
		return 0;
	}
	const char *message =
		br_printf(x->env->arena, "the variable '%s' is not set and becomes empty", name);
	if (!message) {
		return br_error_memory(x->dx);
	}
	if (!was_said(x->dx, message)) {
		br_warning(x->dx, locate(x, piece), "%s", message);
		br_hint(x->dx, "set it in .env, or write ${%s:-} if empty is right", name);
	}
	return 0;
}

// Reading

/** The '}' that closes the reference: the one that balances its braces; if none does, the last of
 * the line. NULL if there is none. */
static const char *closing_brace(struct part part) {
	const char *last = NULL;
	unsigned open = 1;
	for (const char *s = part.s; s < part.end && *s != '\n'; s++) {
		if (*s == '{') {
			open++;
		} else if (*s == '}') {
			last = s;
			if (!--open) {
				return s;
			}
		}
	}
	return last;
}

/** Read what follows "${". `*next` becomes what is behind the closing brace; NULL if this is no
 * reference. 0 or -1 with ENOMEM. */
static int read_reference(
	struct br_arena *arena, struct part part, struct reference *ref, const char **next) {
	const char *end = end_of_name(part);
	*next = NULL;
	if (end == part.s || end == part.end) {
		return 0;
	}
	const char *s = end;
	if (*s != '}') {
		ref->colon = *s == ':';
		s += ref->colon;
		if (s == part.end || !strchr("-?+", *s)) {
			return 0;
		}
		ref->op = *s++;
		const char *brace = closing_brace((struct part){s, part.end});
		if (!brace) {
			return 0;
		}
		ref->word = (struct part){s, brace};
		s = brace;
	}
	ref->name = br_strndup(arena, part.s, (size_t)(end - part.s));
	*next = s + 1;
	return ref->name ? 0 : -1;
}

static const char *look_up(struct expansion *x, const char *name) {
	const struct br_var *var = br_env_get(x->env, name);
	if (var && var->origin == BR_VAR_ENVIRONMENT && !x->out->environment) {
		x->out->environment = var->name;
	}
	return var ? var->value : NULL;
}

static int add(struct expansion *x, const char *s, size_t n, struct br_buf *to) {
	if (to->n + n > BR_INTERPOLATE_BYTES) {
		return br_error(x->dx, x->whole.at, "%s%smore than %d KiB after interpolation",
			prefix(x), colon(x), BR_INTERPOLATE_BYTES / 1024);
	}
	br_buf_addn(to, s, n);
	return to->failed ? br_error_memory(x->dx) : 0;
}

static int require(
	struct expansion *x, const struct reference *ref, struct part piece, unsigned depth) {
	struct br_buf text = {0};
	int failed = expand(x, ref->word, depth + 1, &text);
	if (!failed) {
		br_error(x->dx, locate(x, piece), "%s%sthe required variable '%s' is %s%s%s",
			prefix(x), colon(x), ref->name,
			ref->colon && look_up(x, ref->name) ? "empty" : "not set",
			text.n ? ": " : "", text.n ? text.s : "");
		br_hint(x->dx, "set it in .env or in the environment");
	}
	br_buf_release(&text);
	return -1;
}

/** `piece` is the reference from '$' to its end. */
static int substitute(struct expansion *x, const struct reference *ref, struct part piece,
	unsigned depth, struct br_buf *to) {
	const char *value = look_up(x, ref->name);
	bool set = value && !(ref->colon && !*value);
	switch (ref->op) {
	case '-':
		if (!set) {
			return expand(x, ref->word, depth + 1, to);
		}
		break;
	case '+':
		if (set) {
			return expand(x, ref->word, depth + 1, to);
		}
		break;
	case '?':
		if (!set) {
			return require(x, ref, piece, depth);
		}
		break;
	default:
		if (!set && on_unset(x, ref->name, piece)) {
			return -1;
		}
		break;
	}
	return value ? add(x, value, strlen(value), to) : 0;
}

/** What a '$' at part.s stands for; *next becomes what follows. */
static int expand_dollar(struct expansion *x, struct part part, unsigned depth, struct br_buf *to,
	const char **next) {
	struct part rest = {part.s + 1, part.end};
	*next = rest.s;
	if (rest.s < rest.end && *rest.s == '$') {
		x->out->changed = true;
		*next = rest.s + 1;
		return add(x, "$", 1, to);
	}
	struct reference ref = {0};
	const char *end = end_of_name(rest);
	int failed = 0;
	if (end > rest.s) {
		ref.name = br_strndup(x->env->arena, rest.s, (size_t)(end - rest.s));
		failed = !ref.name;
	} else if (rest.s < rest.end && *rest.s == '{') {
		rest.s++;
		failed = read_reference(x->env->arena, rest, &ref, &end);
		if (!failed && !end) {
			return refuse(x, part);
		}
	} else {
		return add(x, "$", 1, to);
	}
	if (failed) {
		return br_error_memory(x->dx);
	}
	x->out->changed = true;
	*next = end;
	return substitute(x, &ref, (struct part){part.s, end}, depth, to);
}

static int expand(struct expansion *x, struct part part, unsigned depth, struct br_buf *to) {
	if (depth > BR_INTERPOLATE_DEPTH) {
		return br_error(x->dx, locate(x, part), "%s%svariables nested more than %d deep",
			prefix(x), colon(x), BR_INTERPOLATE_DEPTH);
	}
	while (part.s < part.end) {
		const char *dollar = memchr(part.s, '$', (size_t)(part.end - part.s));
		const char *plain = dollar ? dollar : part.end;
		if (add(x, part.s, (size_t)(plain - part.s), to)) {
			return -1;
		}
		part.s = plain;
		if (dollar && expand_dollar(x, part, depth, to, &part.s)) {
			return -1;
		}
	}
	return 0;
}

int br_interpolate(const struct br_env *env, struct br_text s, const char *path,
	struct br_interpolated *out, struct br_diags *dx) {
	*out = (struct br_interpolated){.s = s.s};
	if (!s.s || !strchr(s.s, '$')) {
		return 0;
	}
	struct expansion x = {.env = env, .whole = s, .path = path, .out = out, .dx = dx};
	struct br_buf to = {0};
	int failed = expand(&x, (struct part){s.s, s.s + strlen(s.s)}, 0, &to);
	if (!failed) {
		out->s = br_strndup(env->arena, to.n ? to.s : "", to.n);
		failed = out->s ? 0 : br_error_memory(dx);
	}
	br_buf_release(&to);
	return failed;
}
