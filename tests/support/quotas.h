/**
 * Quotas that are not there. Every test program is linked so that br_sys_quota comes through here,
 * for a kernel can be built without any.
 */
#ifndef BR_TESTS_QUOTAS_H
#define BR_TESTS_QUOTAS_H

#include <base/sys.h>

/** What br_sys_quota answers about one. */
struct pretended_quota {
	/** Of which descriptor. */
	int fd;
	bool group;
	uint32_t id;
	struct br_quota has;
	/** Instead, where it is not 0. */
	int err;
};

/** From now on these are all there are, of the others ESRCH; NULL: the kernel's own. They have to
 * live. */
void pretend_quotas(const struct pretended_quota *quotas, size_t n);
/** How often it was asked since. */
unsigned quotas_asked(void);

#endif
