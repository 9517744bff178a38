#include "interpolate.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static uint32_t hash_name(const char *name) {
	uint32_t hash = 2166136261;
	for (; *name; name++) {
		hash = (hash ^ (unsigned char)*name) * 16777619;
	}
	return hash;
}

/** The slot of a name: its own, or the free one where it would go. There is always a free one. */
static size_t find_slot(const struct br_env *env, const char *name) {
	size_t slot = hash_name(name) & (env->n_slots - 1);
	while (env->slots[slot] && strcmp(env->vars.v[env->slots[slot] - 1].name, name) != 0) {
		slot = (slot + 1) & (env->n_slots - 1);
	}
	return slot;
}

static struct br_var *find(const struct br_env *env, const char *name) {
	if (!env->n_slots) {
		return NULL;
	}
	uint32_t number = env->slots[find_slot(env, name)];
	return number ? &env->vars.v[number - 1] : NULL;
}

const struct br_var *br_env_get(const struct br_env *env, const char *name) {
	return find(env, name);
}

/** Room for one more name, with half of the table free. */
static int grow(struct br_env *env) {
	if (env->vars.n >= UINT32_MAX / 4) {
		errno = ENOMEM;
		return -1;
	}
	if ((env->vars.n + 1) * 2 <= env->n_slots) {
		return 0;
	}
	size_t n = env->n_slots ? env->n_slots * 2 : 64;
	uint32_t *slots = BR_NEW_ARRAY(env->arena, uint32_t, n);
	if (!slots) {
		return -1;
	}
	assert(env->vars.v || !env->vars.n);
	env->slots = slots;
	env->n_slots = n;
	for (size_t i = 0; i < env->vars.n; i++) {
		env->slots[find_slot(env, env->vars.v[i].name)] = (uint32_t)i + 1;
	}
	return 0;
}

int br_env_set(struct br_env *env, const struct br_var *var, bool replace) {
	struct br_var *old = find(env, var->name);
	if (old && !replace) {
		return 0;
	}
	struct br_var copy = {
		.name = old ? old->name : br_strdup(env->arena, var->name),
		.value = br_strdup(env->arena, var->value),
		.origin = var->origin,
	};
	if (!copy.name || !copy.value) {
		return -1;
	}
	if (old) {
		*old = copy;
		return 0;
	}
	assert(env->vars.v || !env->vars.cap);
	if (grow(env) || br_vec_push(env->arena, &env->vars, copy)) {
		return -1;
	}
	env->slots[find_slot(env, copy.name)] = (uint32_t)env->vars.n;
	return 0;
}
