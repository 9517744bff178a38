/**
 * Writing JSON, and reading machine-made JSON without places. The only user of jansson.
 */
#ifndef BR_DOC_JSON_H
#define BR_DOC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A value under construction. A failed allocation is remembered and reported by br_json_take(). */
struct br_json;

/** Begin with one object open. NULL with ENOMEM. */
struct br_json *br_json_new(void);
void br_json_free(struct br_json *json);
void br_json_freep(struct br_json **json);

/** In an object `key` names the member; in an array it is NULL. */
void br_json_object(struct br_json *json, const char *key);
void br_json_array(struct br_json *json, const char *key);
/** Close the innermost object or array. */
void br_json_end(struct br_json *json);
/** s must be valid UTF-8 (others go through br_json_bytes); NULL writes null. */
void br_json_string(struct br_json *json, const char *key, const char *s);
/** Any bytes: as a string, escaped for people where they are not UTF-8, and then exactly in KEY_b64 beside it (objects only). NULL writes null. */
void br_json_bytes(struct br_json *json, const char *key, const char *s);
void br_json_int(struct br_json *json, const char *key, int64_t n);
/** To 15 digits; infinities and NaN write null. */
void br_json_real(struct br_json *json, const char *key, double x);
void br_json_bool(struct br_json *json, const char *key, bool yes);
void br_json_null(struct br_json *json, const char *key);

/**
 * Close what is open and give the text: indented by two, or on one line; ends with a newline; members in the order written. Heap, the caller frees.
 * NULL with ENOMEM. The writer is empty afterwards.
 */
char *br_json_take(struct br_json *json, bool one_line, size_t *len);

#endif
