#include "parts.h"

#include <string.h>

int br_images_running(struct br_arena *arena, const struct br_spec *spec,
	const struct br_image_options *options, bool *running, struct br_diags *dx) {
	struct image_finder finder = {.arena = arena, .options = options, .dx = dx};
	finder.quiet = true;
	memset(running, 0, spec->n * sizeof(*running));
	int result = engine_running(&finder, spec, running);
	engine_release(&finder);
	return result < 0 ? -1 : 0;
}
