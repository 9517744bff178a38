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
/** Any bytes: as a string, escaped for people where they are not UTF-8, and then exactly in KEY_b64
 * beside it (objects only). NULL writes null. */
void br_json_bytes(struct br_json *json, const char *key, const char *s);
void br_json_int(struct br_json *json, const char *key, int64_t n);
/** To 15 digits; infinities and NaN write null. */
void br_json_real(struct br_json *json, const char *key, double x);
void br_json_bool(struct br_json *json, const char *key, bool yes);
void br_json_null(struct br_json *json, const char *key);

/**
 * Close what is open and give the text: indented by two, or on one line; ends with a newline;
 * members in the order written. Heap, the caller frees. NULL with ENOMEM. The writer is empty
 * afterwards.
 */
char *br_json_take(struct br_json *json, bool one_line, size_t *len);

/** Limits of the reader. */
enum {
	BR_VALUE_BYTES = 4 << 20,
	BR_VALUE_DEPTH = 64,
	/** Commas, brackets and braces: what bounds the memory. */
	BR_VALUE_ITEMS = 200000,
};

/** A value of machine-made JSON; never changed. Whatever is asked of NULL, or of a value of another
 * kind, is absent. */
struct br_value;

/**
 * The value that n bytes hold, and nothing else. Valid UTF-8, no key twice, no zero byte in a
 * string. NULL with errno: EINVAL where it is no such JSON, EFBIG where it is beyond a limit,
 * ENOMEM.
 */
struct br_value *br_value_read(const char *bytes, size_t n);
void br_value_free(struct br_value *value);
void br_value_freep(struct br_value **value);
/** Load what the reader otherwise opens a file for at first use: for a caller that is about to give
 * up its rights. */
void br_value_prepare(void);

/** A member. Its key is compared as Go's decoder does, which most of such JSON is made for: case
 * (of ASCII) does not matter, the last one counts. NULL where it is absent. */
const struct br_value *br_value_get(const struct br_value *object, const char *key);
/** The same where the keys are a user's own: as it is written. */
const struct br_value *br_value_get_exact(const struct br_value *object, const char *key);
/** How many items an array has; 0 for anything else. */
size_t br_value_count(const struct br_value *array);
const struct br_value *br_value_at(const struct br_value *array, size_t i);
/** The key of an object's i-th member; NULL where there are fewer. */
const char *br_value_key(const struct br_value *object, size_t i);
/** A string's bytes, owned by the value; NULL for anything else. */
const char *br_value_string(const struct br_value *value);
/** Whether it is `true`. */
bool br_value_is_true(const struct br_value *value);
/** A whole number; 0 for anything else. */
int64_t br_value_int(const struct br_value *value);
bool br_value_is_object(const struct br_value *value);
bool br_value_is_array(const struct br_value *value);

#endif
