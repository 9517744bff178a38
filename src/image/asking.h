/**
 * Asking the engine: shared by engine.c, which holds the connection, and container.c.
 */
#ifndef BR_IMAGE_ASKING_H
#define BR_IMAGE_ASKING_H

#include "parts.h"

#include <base/text.h>
#include <doc/json.h>

enum {
	HTTP_OK = 200,
	HTTP_NOT_FOUND = 404,
};

/** libcurl as engine.c has loaded it. */
struct connection;

struct engine {
	/** engine.c's. */
	struct connection *connection;
	/** It does not answer, or what answers is no engine: it is not asked again. */
	bool is_gone;
	/** What it was asked last it did not answer in time. */
	bool is_slow;
	/** "v1.41/", or "". */
	const char *version;
	/** What it is: Podman's service, not Docker; and its own version ("20.10.24"), or NULL. */
	bool is_podman;
	const char *release;
	/** When the time is over. */
	int64_t deadline;
	char why[256];
};

/** One answer on its way. */
struct answer {
	struct br_buf body;
	size_t headers;
	bool too_large;
};

/** 1 with a connection in finder->engine, 0 where there is none, -1 with an error in dx. */
int engine_open(struct image_finder *finder);
/** The status of a GET with its body (the caller releases it), or -1 with the reason in
 * engine->why. */
long engine_get(struct engine *engine, const char *url, struct answer *answer);
/** GET and read the JSON, an object or a list. The status, -1 with the reason; *out is NULL unless
 * all was fine. */
long engine_get_json(struct engine *engine, const char *url, bool list, struct br_value **out);

/** A name or an ID, of which nothing has to be escaped in a request. */
bool is_container_name(const char *s);

#endif
