/**
 * The .env files of compose, which are not shell.
 */
#ifndef BR_SPEC_DOTENV_H
#define BR_SPEC_DOTENV_H

#include "interpolate.h"

/**
 * Read the .env text with this number of dx's places into `env`. Values refer to the environment
 * first, then to what stands above. A name that has an OVERRIDE or ENVIRONMENT value keeps it; one
 * from an earlier file is replaced. 0 or -1 with one error at its line and column.
 */
int br_dotenv_read(struct br_env *env, uint16_t text, struct br_diags *dx);

#endif
