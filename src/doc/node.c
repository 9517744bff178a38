#include "doc.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct br_pair *find_sorted(const struct br_node *map, const char *key) {
	size_t low = 0;
	size_t high = map->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct br_pair *pair = &map->pairs[map->order[middle]];
		int order = strcmp(pair->key->s, key);
		if (!order) {
			return pair;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

const struct br_pair *br_node_pair(const struct br_node *map, const char *key) {
	if (!map || map->kind != BR_NODE_MAP) {
		return NULL;
	}
	if (map->order) {
		return find_sorted(map, key);
	}
	for (size_t i = 0; i < map->n; i++) {
		if (!strcmp(map->pairs[i].key->s, key)) {
			return &map->pairs[i];
		}
	}
	return NULL;
}

const struct br_node *br_node_get(const struct br_node *map, const char *key) {
	const struct br_pair *pair = br_node_pair(map, key);
	return pair ? pair->value : NULL;
}

static bool is_plain(const struct br_node *node) {
	return node && node->kind == BR_NODE_SCALAR && node->style == BR_PLAIN && !node->tag;
}

static bool is_one_of(const char *s, const char *const *words) {
	for (; *words; words++) {
		if (!strcmp(s, *words)) {
			return true;
		}
	}
	return false;
}

bool br_node_is_null(const struct br_node *node) {
	static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
	return is_plain(node) && is_one_of(node->s, words);
}

bool br_node_is_bool(const struct br_node *node, bool *out) {
	static const char *const yes[] = {"true", "True", "TRUE", NULL};
	static const char *const no[] = {"false", "False", "FALSE", NULL};
	if (!is_plain(node)) {
		return false;
	}
	bool is_yes = is_one_of(node->s, yes);
	if (!is_yes && !is_one_of(node->s, no)) {
		return false;
	}
	if (out) {
		*out = is_yes;
	}
	return true;
}

/** The text without underscores, as long as it can be a number: it begins like one and is short.
 * False if not. */
static bool number_text(const struct br_node *node, char out[static 80]) {
	if (!is_plain(node) || node->len >= 80
		|| !(isdigit((unsigned char)node->s[0]) || strchr("+-.", node->s[0]))) {
		return false;
	}
	for (const char *p = node->s; *p; p++) {
		if (*p != '_') {
			*out++ = *p;
		}
	}
	*out = 0;
	return true;
}

/** The digits of an integer, and in *base what they are to be read in. */
static const char *digits_of(const char *s, unsigned *base) {
	*base = 10;
	if (s[0] != '0' || !s[1]) {
		return s;
	}
	switch (s[1]) {
	case 'x':
	case 'X':
		*base = 16;
		return s + 2;
	case 'o':
	case 'O':
		*base = 8;
		return s + 2;
	case 'b':
	case 'B':
		*base = 2;
		return s + 2;
	default:
		*base = 8;
		return s + 1;
	}
}

static int digit(char c) {
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
	return at ? (int)(at - digits) : 16;
}

/** Digits of this base up to max. */
static bool read_digits(const char *s, unsigned base, uint64_t max, uint64_t *out) {
	uint64_t value = 0;
	if (!*s) {
		return false;
	}
	for (; *s; s++) {
		unsigned d = (unsigned)digit(*s);
		if (d >= base || value > (max - d) / base) {
			return false;
		}
		value = value * base + d;
	}
	*out = value;
	return true;
}

bool br_node_is_int(const struct br_node *node, int64_t *out) {
	char text[80];
	if (!number_text(node, text)) {
		return false;
	}
	const char *s = text;
	bool negative = *s == '-';
	s += negative || *s == '+';
	unsigned base;
	s = digits_of(s, &base);
	uint64_t value;
	if (!read_digits(s, base, (uint64_t)INT64_MAX + negative, &value)) {
		return false;
	}
	if (out) {
		*out = negative ? (int64_t)-value : (int64_t)value;
	}
	return true;
}

static size_t skip_digits(const char *s) {
	return strspn(s, "0123456789");
}

/** [+-]? (. digits | digits (. digits?)?) ([eE] [+-]? digits)? */
static bool is_decimal(const char *s) {
	s += *s == '+' || *s == '-';
	size_t whole = skip_digits(s);
	s += whole;
	size_t part = 0;
	if (*s == '.') {
		part = skip_digits(++s);
		s += part;
	}
	if (!whole && !part) {
		return false;
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		size_t power = skip_digits(s);
		if (!power) {
			return false;
		}
		s += power;
	}
	return !*s;
}

bool br_node_is_float(const struct br_node *node) {
	static const char *const words[] = {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF",
		"-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN", NULL};
	char text[80];
	if (!number_text(node, text) || br_node_is_int(node, NULL)) {
		return false;
	}
	return is_one_of(node->s, words) || is_decimal(text);
}

/** What a scalar's explicit tag makes of it; NULL where that does not tell. */
static const char *type_of_tag(const char *tag) {
	static const struct {
		const char *tag, *type;
	} types[] = {
		{"!", "a string"},
		{"!!str", "a string"},
		{"!!int", "a number"},
		{"!!float", "a number"},
		{"!!bool", "a boolean"},
		{"!!null", "null"},
	};
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (!strcmp(tag, types[i].tag)) {
			return types[i].type;
		}
	}
	return NULL;
}

static const char *type_of_scalar(const struct br_node *node) {
	const char *type = node->tag ? type_of_tag(node->tag) : NULL;
	if (type) {
		return type;
	}
	struct br_node bare = *node; // another tag ("!reset") says nothing about the text
	bare.tag = NULL;
	if (br_node_is_null(&bare)) {
		return "null";
	}
	if (br_node_is_bool(&bare, NULL)) {
		return "a boolean";
	}
	return br_node_is_int(&bare, NULL) || br_node_is_float(&bare) ? "a number" : "a string";
}

const char *br_node_type(const struct br_node *node) {
	if (!node) {
		return "null";
	}
	switch (node->kind) {
	case BR_NODE_SCALAR:
		return type_of_scalar(node);
	case BR_NODE_SEQ:
		return "a list";
	case BR_NODE_MAP:
		return "a mapping";
	}
	return NULL;
}
