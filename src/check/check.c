#include "check_impl.h"

#include <base/own.h>

#include <limits.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
	struct timespec at;
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

struct br_check *check_new(const struct br_check_input *input) {
	struct br_check *check = calloc(1, sizeof(*check));
	struct br_arena *arena = calloc(1, sizeof(*arena));
	if (!check || !arena) {
		free(check);
		free(arena);
		return NULL;
	}
	check->arena = arena;
	check->spec = input->spec;
	check->identities = input->identities;
	check->demands = input->demands;
	return check;
}

void br_check_free(struct br_check *check) {
	if (check) {
		br_arena_release(check->arena);
		free(check->arena);
		free(check);
	}
}

void br_check_freep(struct br_check **check) {
	br_check_free(*check);
}

/** The mounts' results in one array, for the caller. */
static int give_mounts(struct check_work *work) {
	size_t n = work->input->demands->nmounts;
	struct br_mount_result *results =
		BR_NEW_ARRAY(work->check->arena, struct br_mount_result, n);
	if (!results) {
		return br_error_memory(work->dx);
	}
	for (size_t i = 0; i < n; i++) {
		results[i] = work->mounts[i].result;
	}
	work->check->mounts = results;
	return 0;
}

int check_begin(struct check_work *work, struct br_check *check, const struct br_check_input *input,
	const struct br_check_options *options, struct br_diags *dx) {
	*work = (struct check_work){.check = check, .input = input, .options = options, .dx = dx};
	work->habits = options->habits ? options->habits : br_habits(BR_ENGINE_DOCKER, 0);
	work->mounts = BR_NEW_ARRAY(check->arena, struct mount_work, input->demands->nmounts);
	if (!work->mounts) {
		return br_error_memory(dx);
	}
	for (size_t i = 0; i < input->demands->nmounts; i++) {
		work->mounts[i].result.mount = &input->demands->mounts[i];
	}
	check->complete = options->depth == UINT_MAX && !options->only;
	return 0;
}

static int run(struct br_check *check, const struct br_check_input *input,
	const struct br_check_options *options, struct br_diags *dx) {
	struct check_work work;
	br_auto(br_asking_freep) struct br_asking *own = NULL;
	if (check_begin(&work, check, input, options, dx)) {
		return -1;
	}
	if (!options->asking) {
		own = br_asking_new(input);
	}
	work.asking = options->asking ? options->asking : own;
	if (!work.asking) {
		return br_error_memory(dx);
	}
	check_containers(&work);
	check_sources(&work);
	check_mounting(&work);
	if (check_trees(&work)) {
		release_tallies(&work);
		return -1;
	}
	check_walked(&work);
	check_images(&work);
	release_tallies(&work);
	return give_mounts(&work) || finish_findings(&work) ? -1 : 0;
}

struct br_check *br_check_run(const struct br_check_input *input,
	const struct br_check_options *options, struct br_diags *dx) {
	double start = now();
	struct br_check *check = check_new(input);
	if (!check) {
		(void)br_error_memory(dx);
		return NULL;
	}
	if (run(check, input, options, dx)) {
		br_check_free(check);
		return NULL;
	}
	check->seconds = now() - start;
	return check;
}
