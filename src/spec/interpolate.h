/**
 * The $VARIABLE language of compose values and of .env files. Pure text: no YAML, no file.
 */
#ifndef BR_SPEC_INTERPOLATE_H
#define BR_SPEC_INTERPOLATE_H

#include <base/mem.h>
#include <bindright/diag.h>

/** Where a variable's value came from. */
enum br_var_origin {
	/** --env NAME=VALUE. */
	BR_VAR_OVERRIDE,
	/** The caller's environment. */
	BR_VAR_ENVIRONMENT,
	/** An .env file, or compose itself (COMPOSE_PROJECT_NAME). */
	BR_VAR_FILE,
};

struct br_var {
	const char *name;
	const char *value;
	enum br_var_origin origin;
};

/** The variables of a project, looked up by name. The first that was set wins unless it is
 * replaced. */
struct br_env {
	struct br_arena *arena;
	br_vec(struct br_var) vars;
	/** Hash table of names, kept by br_env_set: numbers in vars plus one, 0 is free. */
	uint32_t *slots;
	size_t n_slots;
};

/** Limits of one value. */
enum {
	BR_INTERPOLATE_DEPTH = 16,
	BR_INTERPOLATE_BYTES = 64 << 10,
};

const struct br_var *br_env_get(const struct br_env *env, const char *name);
/** Set a name that is not there yet (replace: or change it). Copies. 0 or -1 with ENOMEM. */
int br_env_set(struct br_env *env, const struct br_var *var, bool replace);

/** What interpolation of one value met. */
struct br_interpolated {
	/** The result, in the arena of env. */
	const char *s;
	/** The first unset variable that became empty without a default, or NULL. */
	const char *unset;
	/** The first variable whose value came from the environment, or NULL. */
	const char *environment;
	/** Whether anything was substituted at all ("$$" counts). */
	bool changed;
};

/**
 * Replace the variables of `s`, which stands at `at` (an error underlines the smallest part of it
 * that it can: the variable where the scalar's raw text holds it verbatim, else the scalar). `path`
 * names the value for messages ("services.web.user"), or is NULL. An unset variable warns, once for
 * each name in one dx. 0 or -1 with one error.
 */
int br_interpolate(const struct br_env *env, struct br_text s, const char *path,
	struct br_interpolated *out, struct br_diags *dx);

#endif
