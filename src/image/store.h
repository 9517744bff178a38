/** An archive or layout as files with names. In the confined child. */
#ifndef BR_IMAGE_STORE_H
#define BR_IMAGE_STORE_H

#include "bundle.h"
#include "stream.h"

enum {
	/** Of one JSON file, and of all that are kept. */
	STORE_FILE = 4 << 20,
	STORE_KEPT = 16 << 20,
	STORE_ALIASES = 10000,
};

struct store_file {
	const char *name;
	const char *bytes;
	size_t n;
};

/** A link of the archive itself: older archives have a layer that two images share once only. */
struct store_alias {
	const char *name, *target;
};

struct store {
	struct br_arena *arena;
	struct effort *effort;
	const struct bundle_request *request;
	/** The inputs. */
	const int *in;
	bool indexed;
	br_vec(struct store_file) files;
	size_t kept;
	br_vec(struct store_alias) aliases;
	/** Files of the directory that are not among the inputs. If there are any, a failure is no
	 * error. */
	br_vec(const char *) needs;
};

/** A small file (JSON). 1, 0 where there is none, -1. */
int store_get(struct store *store, const char *name, struct store_file *out);

/** Called for a file that was asked for, with its bytes; it need not read them. */
typedef int store_visitor(void *context, size_t i, struct stream *bytes);

/** Visit each of these files, in any order, also more than once: the last time counts. A name that
 * stands there twice is visited under its first number (names that are the same behind links, too).
 * -1 if one is missing. */
int store_visit(struct store *store, const char *const *names, size_t n, store_visitor *visit,
	void *context);

/** The name behind the archive's own links, once the archive was looked at. */
const char *store_real_name(const struct store *store, const char *name);

/** A tar that may be packed, being read. */
struct opened {
	struct tap packed, plain;
	struct unpack *unpack;
	struct tar *tar;
};
int opened_open(struct opened *opened, struct stream *from, bool hashing, struct effort *effort);
void opened_close(struct opened *opened);

#endif
