/**
 * Text: a growing buffer, escaping for people and for shells, strict numbers, the nearest name.
 */
#ifndef BR_BASE_TEXT_H
#define BR_BASE_TEXT_H

#include <base/mem.h>

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A growing heap buffer, always NUL-terminated once something was added. A failed allocation is
 * remembered: later additions do nothing, and `failed` is checked once, at the end. `{0}` is a
 * valid empty buffer.
 */
struct br_buf {
	char *s;
	size_t n, cap;
	bool failed;
};

void br_buf_release(struct br_buf *buf);
/** Take the string out (heap, the caller frees); the buffer is empty again. NULL with ENOMEM if it
 * failed. */
char *br_buf_take(struct br_buf *buf);
void br_buf_add(struct br_buf *buf, const char *s);
void br_buf_addn(struct br_buf *buf, const char *s, size_t n);
void br_buf_addc(struct br_buf *buf, char c);
void br_buf_addf(struct br_buf *buf, const char *format, ...) BR_PRINTF(2, 3);

/**
 * Append untrusted bytes so that a terminal cannot be fooled: valid UTF-8 stays, C0, C1, DEL,
 * bidirectional and zero-width controls, line and paragraph separators, and invalid bytes become
 * \xNN or \u{NNNN}; backslash becomes \\.
 */
void br_buf_escape(struct br_buf *buf, const char *s, size_t n);
/** br_buf_escape of a string into an arena; NULL with ENOMEM. */
char *br_escape(struct br_arena *arena, const char *s);
/** Append a word as a POSIX shell needs it: bare where safe, else '...', and $'...' where it holds
 * control bytes. Escaped once more it may be another word, but still is one. */
void br_buf_shell(struct br_buf *buf, const char *s);
/** Whether a word is to be typed at all: it has no control or invisible characters. Bytes that are
 * no UTF-8 can be typed. */
bool br_is_typable(const char *s);
/** Append standard base64. */
void br_buf_base64(struct br_buf *buf, const void *bytes, size_t n);

/** Bytes of the character that begins n bytes: 1 to 4 with *c set, or 0 where they are not valid
 * UTF-8 (or n is 0). */
size_t br_utf8_next(const char *s, size_t n, uint32_t *c);
/** Whether br_buf_escape writes this character as \\x or \\u{}: a control or an invisible one.
 * Backslash is not. */
bool br_is_hidden(uint32_t c);
/** Whether n bytes hold something that br_buf_escape would write as \\x or \\u{}: invalid UTF-8 or
 * a hidden character. */
bool br_has_hidden(const char *s, size_t n);
/** Whether all n bytes are valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool br_is_utf8(const char *s, size_t n);
/** How many terminal columns n bytes of valid UTF-8 take (wcwidth of the C.UTF-8 locale; tabs and
 * controls 1). */
size_t br_columns(const char *s, size_t n);

/** For many characters, one by one: the thread has the C.UTF-8 locale from the first that is not
 * ASCII until the release. `{0}` is a valid one. */
struct br_ruler {
	locale_t utf8, before;
};

/** br_columns of one character. */
size_t br_ruler_columns(struct br_ruler *ruler, uint32_t c);
void br_ruler_release(struct br_ruler *ruler);

/**
 * A whole string as a decimal number: digits only, no sign, blank or leading zero (but "0"), at
 * most max. The only parser of numbers in this program. 0, or -1 with EINVAL (not a number) or
 * ERANGE (above max).
 */
int br_parse_u32(const char *s, uint32_t max, uint32_t *out);
int br_parse_u64(const char *s, uint64_t max, uint64_t *out);

/**
 * The name nearest to word (optimal string alignment distance, case folded), or NULL where none is
 * nearer than a third of the word's length (at least 1). `names` ends with NULL.
 */
const char *br_nearest(const char *word, const char *const *names);

/** Whether the path matches a shell glob where `**` crosses slashes, `*`, `?` and [a-z] do not; a
 * `**` between slashes takes whole components, none too. */
bool br_glob(const char *pattern, const char *path);

/** An absolute path, in place: no ".", "..", doubled and closing slashes. Before any link is seen. */
void br_path_clean(char *path);

#endif
