/**
 * How a reader is run: confined, or here.
 */
#ifndef BR_SPEC_READING_H
#define BR_SPEC_READING_H

#include "wire.h"

#include <base/sandbox.h>

/** What a confined reader works on. */
struct br_reading {
	const struct br_spec_request *request;
	struct br_file_store *store;
	struct br_diags *dx;
	struct br_wire_base base;
};

/** Read with this store. NULL with at least one error. */
struct br_spec *br_read_with(
	const struct br_spec_request *request, struct br_file_store *store, struct br_diags *dx);
/** Read in this process. */
struct br_spec *br_read_here(const struct br_spec_request *request, struct br_diags *dx);
/** What runs in the child; context is a struct br_reading. It answers with a result or with
 * questions. */
br_confined br_read_child;
/**
 * Read in confined children, one after the other until one of them has all the files that it asks
 * for. `run` is br_read_child (the tests have worse ones). Where no child can be had it reads here,
 * and says so if this is root.
 */
struct br_spec *br_read_confined(
	const struct br_spec_request *request, br_confined *run, struct br_diags *dx);

#endif
