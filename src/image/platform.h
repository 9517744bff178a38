/** Operating system, architecture and variant, as images name them. */
#ifndef BR_IMAGE_PLATFORM_H
#define BR_IMAGE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

struct platform {
	char os[32], architecture[32], variant[16];
};

/** "linux/arm/v7", "linux/amd64", "arm64"; other words for the same are made one. -1 where it is
 * none. */
int platform_read(const char *text, struct platform *out);
/** Of this machine: "linux/amd64". NULL where it is unknown. */
const char *platform_here(void);
/** How well an image for `has` serves who wants `wants`: 0 not at all, the more the better. */
unsigned platform_rank(const struct platform *wants, const struct platform *has);

#endif
