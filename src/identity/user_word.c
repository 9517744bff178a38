#include "user_word.h"

#include <base/text.h>

#include <stdbool.h>
#include <string.h>

/** The value of digits alone. False where it needs more than 63 bits: Atoi fails there, too. */
static bool read_digits(const char *s, size_t n, uint64_t *out) {
	while (n > 1 && *s == '0') {
		s++;
		n--;
	}
	char digits[24];
	if (n == 0 || n >= sizeof(digits)) {
		return false;
	}
	memcpy(digits, s, n);
	digits[n] = 0;
	// strlen: a NUL inside must not end the number early.
	return strlen(digits) == n && br_parse_u64(digits, UINT64_C(1) << 63, out) == 0;
}

struct br_half br_half_read(const char *s, size_t n) {
	struct br_half out = {.s = s, .n = n, .kind = BR_HALF_EMPTY};
	if (n == 0) {
		return out;
	}
	bool minus = s[0] == '-';
	size_t sign = minus || s[0] == '+';
	uint64_t value = 0;
	bool is_number = read_digits(s + sign, n - sign, &value);
	if (!is_number || (!minus && value > INT64_MAX)) {
		out.kind = BR_HALF_NAME;
	} else if (value > BR_BOX_ID_MAX || (minus && value > 0)) {
		out.kind = BR_HALF_RANGE;
	} else {
		out.kind = BR_HALF_NUMBER;
		out.id = (uint32_t)value;
	}
	return out;
}

struct br_user_word br_user_word_read(const char *s) {
	struct br_user_word out = {0};
	size_t nuser = strcspn(s, ":");
	out.user = br_half_read(s, nuser);
	const char *group = s + nuser;
	if (*group == ':') {
		out.colon = true;
		group++;
	}
	size_t ngroup = strcspn(group, ":");
	out.group = br_half_read(group, ngroup);
	if (group[ngroup] == ':') {
		out.ignored = group + ngroup;
	}
	return out;
}
