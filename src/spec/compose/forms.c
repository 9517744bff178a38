/** What compose refuses of a word that bears on no mount: ports, durations, sizes, command lines. */
#include "schema.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool all_of(const char *s, const char *allowed) {
	return *s && !s[strspn(s, allowed)];
}

static bool is_number(const char *s) {
	char *end = NULL;
	(void)strtod(s, &end);
	return *s && !strchr(" \t\n\v\f\r", *s) && !*end;
}

static bool is_address(const char *s) {
	struct in6_addr any;
	return inet_pton(AF_INET, s, &any) == 1 || inet_pton(AF_INET6, s, &any) == 1;
}

/* The unit that begins here; 0: none. Days and weeks are newer. */
static size_t unit_length(const char *s, bool old) {
	static const char *const units[] = {
		"ns", "us", "\xc2\xb5s", "\xce\xbcs", "ms", "s", "m", "h", "d", "w"};
	size_t n = strcspn(s, "." DIGITS);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units) - (old ? 2 : 0); i++) {
		if (strlen(units[i]) == n && memcmp(units[i], s, n) == 0) {
			return n;
		}
	}
	return 0;
}

/* 1m30s, 1.5h, -2d, 0: Go's durations. */
static bool is_duration(const char *s, bool old) {
	s += *s == '-' || *s == '+';
	if (strcmp(s, "0") == 0) {
		return true;
	}
	const char *start = s;
	while (*s) {
		size_t whole = strspn(s, DIGITS);
		s += whole;
		size_t part = *s == '.' ? strspn(s + 1, DIGITS) : 0;
		s += *s == '.' ? part + 1 : 0;
		size_t unit = whole || part ? unit_length(s, old) : 0;
		if (!unit || whole > 18) {
			return false;
		}
		s += unit;
	}
	return s != start;
}

static bool is_size_suffix(const char *s) {
	if (!*s) {
		return true;
	}
	if (strcasecmp(s, "b") == 0) {
		return true;
	}
	return strchr("kmgtpKMGTP", *s)
		&& (!s[1] || strcasecmp(s + 1, "b") == 0 || strcasecmp(s + 1, "ib") == 0);
}

/* 512m, 1.5 GiB: a number that is not negative, one blank or none, a unit. */
static bool is_size(const char *s) {
	size_t n = strlen(s);
	while (n > 0 && !strchr(DIGITS ". ", s[n - 1])) {
		n--;
	}
	if (!n || n > 64) {
		return false;
	}
	char number[65];
	size_t len = s[n - 1] == ' ' ? n - 1 : n;
	memcpy(number, s, len);
	number[len] = '\0';
	return is_number(number) && strtod(number, NULL) >= 0 && is_size_suffix(s + n);
}

/* Of old only digits and dots, and each part of the unit may be left out. */
static bool is_old_size(const char *s) {
	size_t n = strspn(s, DIGITS ".");
	if (!n || *s == '.' || s[n - 1] == '.' || memchr(s, '.', n) != memrchr(s, '.', n)) {
		return false;
	}
	s += n;
	s += *s == ' ';
	s += *s && strchr("kmgtpKMGTP", *s);
	s += *s == 'i' || *s == 'I';
	s += *s == 'b' || *s == 'B';
	return !*s;
}

/** A command line as far as it has been read. */
struct line {
	bool escaped, single, quoted, ticks, paren;
};

/* Whether a parenthesis may stand here: an opening one after a dollar only, and one that closes
 * without it opens. */
static bool take_paren(struct line *line, const char *all, const char *at) {
	if (line->single || line->quoted || line->ticks) {
		return true;
	}
	if (*at == ')') {
		line->paren = !line->paren;
		return true;
	}
	bool opens = !line->paren && at > all && at[-1] == '$';
	line->paren = line->paren || opens;
	return opens;
}

/* Compose's own splitter: it stops at an operator of the shell and knows $( ) and back quotes as
 * brackets. */
static bool is_command(const char *s) {
	struct line line = {0};
	for (const char *p = s; *p; p++) {
		bool open = line.single || line.quoted || line.ticks || line.paren;
		if (line.escaped) {
			line.escaped = false;
		} else if (*p == '\\') {
			line.escaped = !line.single;
		} else if (*p == '`') {
			line.ticks ^= !line.single && !line.quoted && !line.paren;
		} else if (*p == '"') {
			line.quoted ^= !line.single && !line.paren;
		} else if (*p == '\'') {
			line.single ^= !line.quoted && !line.paren;
		} else if ((*p == '(' || *p == ')') && !take_paren(&line, s, p)) {
			return false;
		} else if (!open && strchr(";&|<>", *p)) {
			break;
		}
	}
	return !line.escaped && !line.single && !line.quoted && !line.ticks && !line.paren;
}

/* 80 or 8000-8010. */
static bool is_port_range(const char *s, size_t n, long *length) {
	char word[16];
	char *end = NULL;
	if (!n || n >= sizeof(word)) {
		return false;
	}
	memcpy(word, s, n);
	word[n] = '\0';
	char *dash = strchr(word, '-');
	if (!all_of(word, dash ? DIGITS "-" : DIGITS) || (dash && !all_of(dash + 1, DIGITS))) {
		return false;
	}
	long first = strtol(word, &end, 10);
	long last = dash ? strtol(dash + 1, NULL, 10) : first;
	*length = last - first;
	return end != word && first <= 65535 && last <= 65535 && last >= first;
}

static bool is_protocol(const char *s) {
	return !*s || strcasecmp(s, "tcp") == 0 || strcasecmp(s, "udp") == 0
		|| strcasecmp(s, "sctp") == 0;
}

static bool is_port_address(const char *s, size_t n) {
	char word[64];
	if (!n) {
		return true;
	}
	if (n >= sizeof(word)) {
		return false;
	}
	bool brackets = s[0] == '[' && s[n - 1] == ']';
	if (brackets && n == 2) {
		return true;
	}
	size_t len = brackets ? n - 2 : n;
	memcpy(word, s + brackets, len);
	word[len] = '\0';
	return is_address(word) && (brackets || !strchr(word, ':'));
}

/* [[ADDRESS:]HOST:]CONTAINER[/PROTOCOL], where what is before the last two colons is the address. */
static bool is_port(const char *s) {
	const char *slash = strchr(s, '/');
	const char *inner = strrchr(s, ':');
	if (slash && inner && inner > slash) {
		return false;
	}
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	inner = inner ? inner + 1 : s;
	long ports = 0;
	long hosts = 0;
	if (!is_port_range(inner, n - (size_t)(inner - s), &ports)
		|| (slash && (!is_protocol(slash + 1) || strchr(slash + 1, ':')))) {
		return false;
	}
	if (inner == s) {
		return true;
	}
	const char *outer = inner - 1;
	while (outer > s && outer[-1] != ':') {
		outer--;
	}
	size_t len = (size_t)(inner - 1 - outer);
	if (len && !is_port_range(outer, len, &hosts)) {
		return false;
	}
	bool fits = !len || hosts == ports || ports == 0;
	return fits && (outer == s || is_port_address(s, (size_t)(outer - 1 - s)));
}

/* "name=address" or "name:address"; the name has neither of the two. */
static bool is_host(const char *s) {
	const char *equals = strchr(s, '=');
	const char *cut = equals ? equals : strchr(s, ':');
	return cut && cut > s && !memchr(s, ':', (size_t)(cut - s));
}

static bool is_mode(const char *s, bool old) {
	return all_of(s, old ? DIGITS : "01234567");
}

static bool is_count(const char *s) {
	return strcasecmp(s, "all") == 0 || all_of(s + (*s == '-' || *s == '+'), DIGITS);
}

static bool is_device(const char *s) {
	size_t colons = 0;
	for (; *s; s++) {
		colons += *s == ':';
	}
	return colons < 3;
}

/* A name, or any text that has one in it: that is how compose asks. */
static bool has_name(const char *s) {
	for (; *s; s++) {
		if (strchr(LETTERS DIGITS, *s) && s[1] && strchr(LETTERS DIGITS "_.-", s[1])) {
			return true;
		}
	}
	return false;
}

/* "every_" and at least one number with its unit, anywhere in the word. */
static bool has_every(const char *s) {
	for (s = strstr(s, "every_"); s; s = strstr(s + 1, "every_")) {
		size_t n = strspn(s + 6, DIGITS);
		if (n && s[6 + n] && strchr("wdhms", s[6 + n])) {
			return true;
		}
	}
	return false;
}

static bool is_policy(const char *s, bool old) {
	static const char *const words[] = {"always", "never", "build", "if_not_present", "missing",
		"refresh", "daily", "weekly"};
	for (size_t i = 0; i < (old ? 5 : 8); i++) {
		if (old ? strcmp(s, words[i]) == 0 : strstr(s, words[i]) != NULL) {
			return true;
		}
	}
	return !old && has_every(s);
}

static bool has_form(enum br_form form, const char *words, bool old) {
	switch (form) {
	case BR_FORM_ANY:
		return true;
	case BR_FORM_DURATION:
		return is_duration(words, old);
	case BR_FORM_BYTES:
		return old ? is_old_size(words) : is_size(words);
	case BR_FORM_COMMAND:
		return is_command(words);
	case BR_FORM_PORT:
		return is_port(words);
	case BR_FORM_HOST:
		return is_host(words);
	case BR_FORM_ADDRESS:
		return old || is_address(words);
	case BR_FORM_MODE:
		return is_mode(words, old);
	case BR_FORM_COUNT:
		return is_count(words);
	case BR_FORM_DEVICE:
		return is_device(words);
	case BR_FORM_CPUS:
		return is_number(words);
	case BR_FORM_NAME:
		return old || has_name(words);
	case BR_FORM_PULL:
		return is_policy(words, old);
	case BR_FORM_PAIR:
		return strchr(words, '=') != NULL;
	case BR_FORM_SSH:
		return strchr(words, '=') || strcmp(words, "default") == 0;
	case BR_FORM_NOT_EMPTY:
		return *words != '\0';
	}
	return true;
}

const char *br_form_wrong(enum br_form form, const char *words, bool old) {
	static const char *const wanted[] = {
		[BR_FORM_ANY] = "",
		[BR_FORM_DURATION] = "a duration like 1m30s",
		[BR_FORM_BYTES] = "a size like 512m",
		[BR_FORM_COMMAND] = "a command line with its quotes and brackets closed",
		[BR_FORM_PORT] = "a port like 80, 8080:80 or 127.0.0.1:8080:80/tcp",
		[BR_FORM_HOST] = "a name and an address, name=address",
		[BR_FORM_ADDRESS] = "an IP address",
		[BR_FORM_MODE] = "an octal mode like 0440",
		[BR_FORM_COUNT] = "'all' or a number",
		[BR_FORM_DEVICE] = "a device like /dev/a:/dev/b:rwm",
		[BR_FORM_CPUS] = "a number",
		[BR_FORM_NAME] =
			"a name of at least two characters of a-z, A-Z, 0-9, '_', '.' and '-'",
		[BR_FORM_PULL] = "'always', 'missing', 'never' or another policy",
		[BR_FORM_PAIR] = "name=value",
		[BR_FORM_SSH] = "'default' or id=path",
		[BR_FORM_NOT_EMPTY] = "a path",
	};
	return has_form(form, words, old) ? NULL : wanted[form];
}
