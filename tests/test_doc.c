#include <base/own.h>
#include <base/text.h>
#include <bindright/diag.h>
#include <doc/doc.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>
#include <support/scratch.h>
#include <time.h>

#include <cmocka.h>

/** One reading: freed by done(). */
struct reading {
	struct br_places *places;
	struct br_diags *dx;
	struct br_doc *doc;
	uint16_t text;
};

static struct reading read_bytes(const char *s, size_t n) {
	struct reading r = {.places = br_places_new()};
	assert_non_null(r.places);
	r.dx = br_diags_new(r.places);
	assert_non_null(r.dx);
	int text = br_places_add(r.places, BR_PLACE_FILE, "in.yaml", s, n);
	assert_true(text > 0);
	r.text = (uint16_t)text;
	r.doc = br_doc_read(r.text, r.dx);
	// exactly one error, or none
	assert_int_equal(br_diags_errors(r.dx), r.doc ? 0 : 1);
	assert_int_equal(br_diags_count(r.dx), r.doc ? 0 : 1);
	// which is about something that is there
	struct br_span at = r.doc ? (struct br_span){0} : br_diags_get(r.dx, 0)->at;
	size_t length = 0;
	assert_true(at.text == 0 || br_places_bytes(r.places, at.text, &length));
	assert_true(at.off <= length && at.len <= length - at.off);
	return r;
}

static struct reading read_text(const char *s) {
	return read_bytes(s, strlen(s));
}

static void done(struct reading *r) {
	br_doc_free(r->doc);
	br_diags_free(r->dx);
	br_places_free(r->places);
}

/** A node in a notation of its own: {key=value …} [item …] plain 'single' "double" |literal|
 * >folded>, tags in front. */
static void show(struct br_buf *to, const struct br_node *node) {
	static const char *const marks[] = {
		[BR_PLAIN] = "",
		[BR_SINGLE_QUOTED] = "'",
		[BR_DOUBLE_QUOTED] = "\"",
		[BR_LITERAL] = "|",
		[BR_FOLDED] = ">",
	};
	if (!node) {
		br_buf_add(to, "(none)");
		return;
	}
	if (node->tag) {
		br_buf_addf(to, "%s ", node->tag);
	}
	switch (node->kind) {
	case BR_NODE_SCALAR:
		assert_int_equal(strlen(node->s), node->len);
		br_buf_addf(to, "%s%s%s", marks[node->style], node->s, marks[node->style]);
		return;
	case BR_NODE_SEQ:
		br_buf_addc(to, '[');
		for (size_t i = 0; i < node->n; i++) {
			br_buf_add(to, i ? " " : "");
			show(to, node->items[i]);
		}
		br_buf_addc(to, ']');
		return;
	case BR_NODE_MAP:
		br_buf_addc(to, '{');
		for (size_t i = 0; i < node->n; i++) {
			br_buf_add(to, i ? " " : "");
			show(to, node->pairs[i].key);
			br_buf_addc(to, '=');
			show(to, node->pairs[i].value);
		}
		br_buf_addc(to, '}');
		return;
	}
}

static char *show_all(const struct br_doc *doc) {
	struct br_buf to = {0};
	for (size_t i = 0; i < doc->n; i++) {
		br_buf_add(&to, i ? " --- " : "");
		show(&to, doc->roots[i]);
	}
	char *s = br_buf_take(&to);
	assert_non_null(s);
	return s;
}

static const struct {
	const char *name, *in, *out;
} good[] = {
	{"empty text", "", "(none)"},
	{"only a comment", "# nothing\n", "(none)"},
	{"blank lines", "\n\n  \n", "(none)"},
	{"plain scalar", "a\n", "a"},
	{"map", "a: 1\nb: two\n", "{a=1 b=two}"},
	{"no line end", "a: 1", "{a=1}"},
	{"nested", "a:\n  b:\n    - c\n    - d: e\n      f: g\n", "{a={b=[c {d=e f=g}]}}"},
	{"list at the key's column", "a:\n- b\n- c\nd: e\n", "{a=[b c] d=e}"},
	{"flow", "{a: [1, {b: c}], d: e}\n", "{a=[1 {b=c}] d=e}"},
	{"JSON", "{\"a\": 1, \"b\": [true, null, \"x\\u0041\"]}\n",
		"{\"a\"=1 \"b\"=[true null \"xA\"]}"},
	{"JSON with tabs", "{\n\t\"a\":\t1,\n\t\"b\": []\n}\n", "{\"a\"=1 \"b\"=[]}"},
	{"empty collections", "a: []\nb: {}\n", "{a=[] b={}}"},
	{"an empty list is all", "[]\n", "[]"},
	{"missing values", "a:\nb: ~\nc: null\n", "{a= b=~ c=null}"},
	{"empty item", "- \n- a\n-\n", "[ a ]"},
	{"single quotes", "a: 'it''s'\n", "{a='it's'}"},
	{"double quotes", "a: \"t\\tn\\\\ \\x41\\u00e9\"\n", "{a=\"t\tn\\ A\xc3\xa9\"}"},
	{"quotes over lines", "a: \"b\n  c\n\n  d\"\n", "{a=\"b c\nd\"}"},
	{"plain over lines", "a: b\n  c\n", "{a=b c}"},
	{"literal", "a: |\n  x\n   y\n\nb: 1\n", "{a=|x\n y\n| b=1}"},
	{"literal stripped", "a: |-\n  x\n", "{a=|x|}"},
	{"literal kept", "a: |+\n  x\n\n", "{a=|x\n\n|}"},
	{"literal empty", "a: |\nb: 1\n", "{a=|| b=1}"},
	{"literal with brackets", "a: |\n  [[[ {{{ \"\n", "{a=|[[[ {{{ \"\n|}"},
	{"folded", "a: >\n  x\n  y\n", "{a=>x y\n>}"},
	{"hash in a word", "a: b#c # d\n", "{a=b#c}"},
	{"colon in a word", "a: b:c\n", "{a=b:c}"},
	{"short volume", "- ./x:/y:ro\n", "[./x:/y:ro]"},
	{"blank after the colon makes a map", "- ./x: /y\n", "[{./x=/y}]"},
	{"CRLF", "a: b\r\nc:\r\n  - d\r\n", "{a=b c=[d]}"},
	{"CRLF literal", "a: |\r\n  x\r\n  y\r\n", "{a=|x\ny\n|}"},
	{"byte order mark",
		"\xef\xbb\xbf"
		"a: b\n",
		"{a=b}"},
	{"document mark", "---\na: b\n", "{a=b}"},
	{"documents", "a\n---\nb\n...\n---\nc\n", "a --- b --- c"},
	{"empty documents", "---\n---\na\n---\n", "(none) --- a --- (none)"},
	{"null document", "--- ~\n", "~"},
	{"version", "%YAML 1.1\n---\na: yes\n", "{a=yes}"},
	{"tags", "a: !reset null\nb: !override [1]\nc: !!str 1\nd: !<!x> y\ne: ! 1\n",
		"{a=!reset null b=!override [1] c=!!str 1 d=!x y e=! 1}"},
	{"verbatim core tag", "a: !<tag:yaml.org,2002:int> 3\n", "{a=!!int 3}"},
	{"tag without value", "a: !reset\nb: 1\n", "{a=!reset  b=1}"},
	{"alias", "a: &x 1\nb: *x\n", "{a=1 b=1}"},
	{"alias of a map", "a: &x {b: c}\nd: *x\n", "{a={b=c} d={b=c}}"},
	{"alias of nothing", "a: &x\nb: *x\n", "{a= b=}"},
	{"anchor redefined", "- &x 1\n- *x\n- &x 2\n- *x\n", "[1 1 2 2]"},
	{"anchor on a key", "&k a: 1\nb: *k\n", "{a=1 b=a}"},
	{"alias as a key", "- &k a\n- {*k : 1}\n", "[a {a=1}]"},
	{"anchor and tag", "a: &x !t b\nc: !u &y d\n", "{a=!t b c=!u d}"},
	{"merge key stays", "a: &x {b: c}\nd:\n  <<: *x\n  e: f\n", "{a={b=c} d={<<={b=c} e=f}}"},
	{"same keys in two maps", "a: {x: 1}\nb: {x: 2}\n", "{a={x=1} b={x=2}}"},
	{"tab before a bar", "a:\t|\n  x\n", "{a=|x\n|}"},
	{"tab behind a colon", "a:\tb\n? c\n: d:\te\n", "{a=b c={d=e}}"},
	{"question mark", "? a\n: b\n? c\n", "{a=b c=}"},
	{"pair in a list", "[a: b, c]\n", "[{a=b} c]"},
	{"null key", ": a\n", "{=a}"},
	{"wide characters", "\xe5\x90\x8d: \xc3\xa9\n", "{\xe5\x90\x8d=\xc3\xa9}"},
	{"NEL is no control",
		"a: \"b\xc2\x85"
		"c\"\n",
		"{a=\"b\xc2\x85"
		"c\"}"},
	{"bracket in the column of its key", "s:\n  a: [\n    b\n  ]\n  c: {\n  }\n",
		"{s={a=[b] c={}}}"},
	{"sloppy flow indentation", "a: [\nb,\nc\n]\n", "{a=[b c]}"},
};

static void test_good(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct reading r = read_text(good[i].in);
		if (!r.doc) {
			fail_msg("%s: %s", good[i].name, br_diags_get(r.dx, 0)->message);
		}
		char *out = show_all(r.doc);
		if (strcmp(out, good[i].out) != 0) {
			fail_msg("%s: got %s", good[i].name, out);
		}
		free(out);
		done(&r);
	}
}

/** Errors, with the first place, how much is underlined, and the line of the second place (0: there
 * is none). */
static const struct {
	const char *name, *in;
	uint32_t line, column, len;
	const char *message, *hint;
	uint32_t other_line, other_column;
} bad[] = {
	{"duplicate key", "a: 1\nb: 2\na: 3\n", 3, 1, 1, "key 'a' is already", NULL, 1, 1},
	{"duplicate key, deep", "s:\n  user: 1\n  x: 2\n  user: 0\n", 4, 3, 4, "key 'user'", NULL,
		2, 3},
	{"duplicate key, quoted", "a: 1\n'a': 2\n", 2, 1, 3, "key 'a'", NULL, 1, 1},
	{"duplicate key, flow", "{a: 1, b: 2, a: 3}\n", 1, 14, 1, "key 'a'", NULL, 1, 2},
	{"three times", "a: 1\na: 2\na: 3\n", 2, 1, 1, "key 'a'", NULL, 1, 1},
	{"two duplicates", "b: 1\na: 2\na: 3\nb: 4\n", 3, 1, 1, "key 'a'", NULL, 2, 1},
	{"duplicate merge key", "a: &x {}\nb:\n  <<: *x\n  <<: *x\n", 4, 3, 2, "key '<<'", NULL, 3,
		3},
	{"duplicate by alias", "a: &k b\n*k : 1\nb: 2\n", 3, 1, 1, "key 'b'", NULL, 2, 1},
	{"duplicate null key", ": a\n: b\n", 2, 1, 0, "key ''", NULL, 1, 1},
	{"duplicate in second document", "a: 1\n---\na: 1\na: 2\n", 4, 1, 1, "key 'a'", NULL, 3, 1},
	{"unknown alias", "a: *nope\n", 1, 4, 5, "no anchor '&nope'", NULL, 0, 0},
	{"alias before its anchor", "a: *x\nb: &x 1\n", 1, 4, 2, "no anchor '&x'", NULL, 0, 0},
	{"anchor of another document", "a: &x 1\n---\na: *x\n", 3, 4, 2, "no anchor", NULL, 0, 0},
	{"alias inside itself", "a: &x\n  - *x\n", 2, 5, 2, "inside of what it names", NULL, 1, 5},
	{"alias inside itself, map", "&x a: &y {b: *y}\n", 1, 14, 2, "inside", NULL, 1, 8},
	{"list as key", "? [a]\n: b\n", 1, 3, 3, "a list cannot be a key", "quote", 0, 0},
	{"map as key", "{a: b}: c\n", 1, 1, 6, "a mapping cannot be a key", "quote", 0, 0},
	{"alias of a map as key", "a: &x {}\n*x : 1\n", 2, 1, 2, "a mapping cannot be a key", NULL,
		0, 0},
	{"tab", "a:\n\tb: c\n", 2, 1, 1, "tab", "spaces", 0, 0},
	{"tab and nothing else", "\t", 1, 1, 1, "tab", "spaces", 0, 0},
	{"tab later", "a:\n  b: 1\n\tc: 2\n", 3, 1, 1, "tab", "spaces", 0, 0},
	{"tab behind a '?' key", "? \"#\"::\t :,\t\n", 1, 8, 1, "tab", "spaces", 0, 0},
	{"tab behind a '?' key, text", "? a:\t|\n  b\n", 1, 5, 1, "tab", "spaces", 0, 0},
	{"tab behind a '?' key, list", "? a:\t- b\n", 1, 5, 1, "tab", "spaces", 0, 0},
	{"missing blank", "a:b\nc: d\n", 1, 2, 1, "blank is missing after ':'", "write a: b", 0, 0},
	{"missing blank, last", "c: d\na:b\n", 2, 2, 1, "blank is missing", "write a: b", 0, 0},
	{"missing blank, deep", "s:\n  image: x\n  user:1000\n  b: c\n", 3, 7, 1,
		"blank is missing", "write user: 1000", 0, 0},
	{"single quote open", "a: 'x\n", 1, 4, 1, "quote is never closed", "closing quote", 0, 0},
	{"double quote open", "b: 1\na: \"x\n", 2, 4, 1, "quote is never closed", "closing quote",
		0, 0},
	{"quote runs into a key", "a: \"x\nb: y\n", 1, 4, 1, "quote is never closed", "closing", 0,
		0},
	{"quote runs into a quote", "a: \"x\nb: \"y\"\n", 2, 5, 1, "behind the closing quote", NULL,
		1, 4},
	{"two colons", "a: b: c\n", 1, 5, 1, "second ':'", "quote", 0, 0},
	{"two colons, quoted", "a: \"b\": c\n", 1, 7, 1, "second ':'", "quote", 0, 0},
	{"indented too far", "s:\n  a: 1\n    b: 2\n", 3, 5, 4, "goes on with the value above",
		"indentation", 0, 0},
	{"indented in between", "s:\n  w:\n    a: 1\n   b: 2\n", 4, 4, 0, "wrong indentation",
		"column", 0, 0},
	{"indented less than the first", "  a: 1\nb: 2\n", 2, 1, 0, "indented differently",
		"column", 0, 0},
	{"list item off", "a:\n  - x\n - y\n", 3, 2, 0, "wrong indentation", NULL, 0, 0},
	{"list then key", "- a\nb: 3\n", 2, 1, 1, "no item", "- ", 0, 0},
	{"missing blank after dash", "a:\n - b\n -c\n", 3, 2, 2, "no item", "- ", 0, 0},
	{"list behind a key", "a: - b\n", 1, 4, 1, "list cannot begin on the same line",
		"next line", 0, 0},
	{"no colon", "a: 1\nkey\nb: 1\n", 2, 1, 3, "expected a key", "key: value", 0, 0},
	{"no colon, last", "a: 1\nkey\n", 2, 1, 3, "does not belong", "':'", 0, 0},
	{"at sign", "a: @x\n", 1, 4, 1, "cannot begin with '@'", "quotes", 0, 0},
	{"backquote", "a: `x`\n", 1, 4, 1, "cannot begin with '`'", "quotes", 0, 0},
	{"percent", "a: %x\n", 1, 4, 1, "cannot begin with '%'", "quotes", 0, 0},
	{"bracket open", "a: [1, 2\nb: 3\n", 1, 4, 1, "'[' is never closed", "']'", 0, 0},
	{"brace open", "a: {\n", 1, 4, 1, "'{' is never closed", "'}'", 0, 0},
	{"inner bracket open", "a: [1, [2, 3]\n", 1, 4, 1, "'[' is never closed", "']'", 0, 0},
	{"closing bracket", "a: ]\n", 1, 4, 1, "closes nothing", "quote", 0, 0},
	{"comma missing", "a: [\"x\" \"y\"]\n", 1, 9, 3, "comma is missing", NULL, 1, 4},
	{"comma too many", "a: [b,,c]\n", 1, 7, 1, "nothing before this comma", NULL, 0, 0},
	{"unknown escape", "a: \"xy\\q\"\n", 1, 7, 2, "backslash before 'q'", "single quotes", 0,
		0},
	{"Windows path", "a: \"C:\\data\"\n", 1, 7, 2, "backslash before 'd'", "single quotes", 0,
		0},
	{"text after quotes", "a: \"b\" c\n", 1, 8, 1, "behind the closing quote", "whole value", 0,
		0},
	{"apostrophe", "a: 'it's'\n", 1, 8, 1, "behind the closing quote", NULL, 0, 0},
	{"comment without blank", "a: \"b\"#c\n", 1, 7, 1, "blank before its '#'", NULL, 0, 0},
	{"tag prefix", "a: !x!y z\n", 1, 4, 4, "prefix is not defined", NULL, 0, 0},
	{"two anchors", "a: &x &y z\n", 1, 8, 1, "two anchors", NULL, 0, 0},
	{"text behind a bar", "a: |x\n  b\n", 1, 5, 1, "behind the '|'", "next line", 0, 0},
	{"control", "a: b\x01\n", 1, 5, 1, "control character U+0001", "remove", 0, 0},
	{"escape character", "a: \x1b[1m\n", 1, 4, 1, "U+001B", "colour", 0, 0},
	{"control in a comment", "a: b # \x07\n", 1, 8, 1, "U+0007", NULL, 0, 0},
	{"delete", "a: \x7f\n", 1, 4, 1, "U+007F", NULL, 0, 0},
	{"C1", "a: \xc2\x9b\n", 1, 4, 2, "U+009B", NULL, 0, 0},
	{"NUL by escape", "a: \"b\\0c\"\n", 1, 4, 6, "NUL", NULL, 0, 0},
	{"Latin-1", "a: caf\xe9\n", 1, 7, 1, "not valid UTF-8", "UTF-8", 0, 0},
	{"cut short", "a: \xe5\x90", 1, 4, 1, "not valid UTF-8", NULL, 0, 0},
	{"surrogate", "a: \xed\xa0\x80\n", 1, 4, 1, "not valid UTF-8", NULL, 0, 0},
	{"overlong", "a: \xc0\xaf\n", 1, 4, 1, "not valid UTF-8", NULL, 0, 0},
	{"column counts characters", "\xc3\xa9\xe5\x90\x8d: *z\n", 1, 5, 2, "no anchor", NULL, 0,
		0},
	{"column after the mark",
		"\xef\xbb\xbf"
		"a: *z\n",
		1, 4, 2, "no anchor", NULL, 0, 0},
	{"line after CRLF", "a: 1\r\nb: *z\r\n", 2, 4, 2, "no anchor", NULL, 0, 0},
};

static void check_place(const struct reading *r, const char *name, struct br_span at, uint32_t line,
	uint32_t column) {
	struct br_position position = {0};
	if (!br_places_find(r->places, at, &position)) {
		fail_msg("%s: no place", name);
	}
	if (position.line != line || position.column != column) {
		fail_msg("%s: at %u:%u, not %u:%u", name, position.line, position.column, line,
			column);
	}
}

static void test_bad(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct reading r = read_text(bad[i].in);
		if (r.doc) {
			fail_msg("%s: was taken", bad[i].name);
		}
		const struct br_diag *d = br_diags_get(r.dx, 0);
		if (!strstr(d->message, bad[i].message)) {
			fail_msg("%s: said %s", bad[i].name, d->message);
		}
		if (bad[i].hint && (!d->hint || !strstr(d->hint, bad[i].hint))) {
			fail_msg("%s: hint %s", bad[i].name, d->hint ? d->hint : "none");
		}
		check_place(&r, bad[i].name, d->at, bad[i].line, bad[i].column);
		if (d->at.len != bad[i].len) {
			fail_msg("%s: length %u", bad[i].name, d->at.len);
		}
		if (bad[i].other_line) {
			check_place(
				&r, bad[i].name, d->other, bad[i].other_line, bad[i].other_column);
		} else if (d->other.text) {
			fail_msg("%s: a second place", bad[i].name);
		}
		done(&r);
	}
}

static void test_nul(void **state) {
	(void)state;
	struct reading r = read_bytes("a: b\0c\n", 7);
	assert_null(r.doc);
	assert_non_null(strstr(br_diags_get(r.dx, 0)->message, "U+0000"));
	assert_int_equal(br_diags_get(r.dx, 0)->at.off, 4);
	done(&r);
}

/** The text that a node's span covers. */
static void check_span(const struct reading *r, const struct br_node *node, const char *expected) {
	assert_non_null(node);
	size_t n;
	const char *s = br_places_bytes(r->places, node->at.text, &n);
	assert_true(node->at.off + node->at.len <= n);
	if (strlen(expected) != node->at.len
		|| strncmp(s + node->at.off, expected, node->at.len) != 0) {
		fail_msg("span is <%.*s>, not <%s>", (int)node->at.len, s + node->at.off, expected);
	}
}

static void test_spans(void **state) {
	(void)state;
	struct reading r = read_text("a: 'q''q'\n"
				     "b: \"d\\n\"   # c\n"
				     "c: [1, {k: v}, p: q]\n"
				     "d:\n"
				     "  - x\n"
				     "  - y: 1\n"
				     "    z: 2\n"
				     "e: |\n"
				     "  lit\n"
				     "  two\n"
				     "\n"
				     "f: !t plain text \n"
				     "g: &g\n"
				     "h: *g\n"
				     "i:   # nothing\n"
				     "j: {x: , y}\n");
	assert_non_null(r.doc);
	const struct br_node *root = r.doc->roots[0];
	check_span(&r, br_node_get(root, "a"), "'q''q'");
	check_span(&r, br_node_get(root, "b"), "\"d\\n\"");
	const struct br_node *c = br_node_get(root, "c");
	check_span(&r, c, "[1, {k: v}, p: q]");
	check_span(&r, c->items[0], "1");
	check_span(&r, c->items[1], "{k: v}");
	check_span(&r, c->items[2], "p: q");
	const struct br_node *d = br_node_get(root, "d");
	check_span(&r, d, "- x\n  - y: 1\n    z: 2");
	check_span(&r, d->items[1], "y: 1\n    z: 2");
	check_span(&r, br_node_get(root, "e"), "lit\n  two");
	check_span(&r, br_node_get(root, "f"), "plain text");
	check_span(&r, br_node_get(root, "g"), "");
	check_span(&r, br_node_get(root, "i"), "");
	check_place(&r, "missing value", br_node_get(root, "i")->at, 15, 3);
	const struct br_node *j = br_node_get(root, "j");
	check_span(&r, j, "{x: , y}");
	check_place(&r, "missing in flow", br_node_get(j, "x")->at, 16, 7);
	check_place(&r, "key", br_node_pair(root, "j")->key->at, 16, 1);
	// an alias is the node itself, so its place is where the anchor is
	assert_ptr_equal(br_node_get(root, "h"), br_node_get(root, "g"));
	done(&r);
}

static void test_weight(void **state) {
	(void)state;
	struct reading r = read_text("a: &x [1, 2]\nb: [*x, *x]\n");
	assert_non_null(r.doc);
	const struct br_node *root = r.doc->roots[0];
	assert_int_equal(br_node_get(root, "a")->weight, 3);
	assert_int_equal(br_node_get(root, "b")->weight, 7);
	assert_int_equal(root->weight, 1 + 1 + 3 + 1 + 7);
	assert_ptr_equal(br_node_get(root, "b")->items[0], br_node_get(root, "a"));
	done(&r);
}

static void test_get(void **state) {
	(void)state;
	struct reading r = read_text("b: 1\na: 2\n<<: {c: 3}\n");
	assert_non_null(r.doc);
	const struct br_node *root = r.doc->roots[0];
	assert_string_equal(br_node_get(root, "a")->s, "2");
	assert_string_equal(br_node_get(root, "b")->s, "1");
	assert_null(br_node_get(root, "c"));
	assert_null(br_node_get(root, ""));
	assert_null(br_node_get(NULL, "a"));
	assert_null(br_node_get(br_node_get(root, "a"), "a"));
	assert_string_equal(br_node_pair(root, "<<")->key->s, "<<");
	// a map that somebody made without the order
	struct br_node made = *root;
	made.order = NULL;
	assert_string_equal(br_node_get(&made, "a")->s, "2");
	assert_null(br_node_get(&made, "z"));
	done(&r);
}

// UTF-16

static void test_utf16(void **state) {
	(void)state;
	static const char le[] = "\xff\xfe"
				 "a\0:\0 \0\xe9\0\n\0b\0:\0 \0*\0z\0";
	static const char be[] = "\xfe\xff\0a\0:\0 \0b\xd8\x3d\xde\x00";
	struct reading r = read_bytes(le, sizeof(le) - 1);
	assert_null(r.doc);
	check_place(&r, "UTF-16", br_diags_get(r.dx, 0)->at, 2, 4);
	done(&r);

	r = read_bytes(be, sizeof(be) - 1);
	assert_non_null(r.doc);
	assert_string_equal(br_node_get(r.doc->roots[0], "a")->s, "b\xf0\x9f\x98\x80");
	assert_string_equal(br_places_name(r.places, r.doc->roots[0]->at.text), "in.yaml");
	done(&r);

	r = read_bytes("\xff\xfe\x00\xd8", 4); // half a pair
	assert_null(r.doc);
	assert_non_null(strstr(br_diags_get(r.dx, 0)->message, "UTF-16"));
	done(&r);

	r = read_bytes("\xff\xfe"
		       "a",
		3);
	assert_null(r.doc);
	done(&r);

	r = read_bytes("\xff\xfe", 2);
	assert_non_null(r.doc);
	assert_null(r.doc->roots[0]);
	done(&r);

	r = read_bytes("\xff\xfe\0\0a\0\0\0", 8); // UTF-32
	assert_null(r.doc);
	assert_non_null(strstr(br_diags_get(r.dx, 0)->message, "U+0000"));
	done(&r);
}

// Scalars

static const struct {
	const char *in, *type;
	bool is_int;
	int64_t value;
} scalars[] = {
	{"0", "a number", true, 0}, {"1000", "a number", true, 1000}, {"+7", "a number", true, 7},
	{"-7", "a number", true, -7}, {"0100", "a number", true, 64},
	{"-0100", "a number", true, -64}, {"0o17", "a number", true, 15},
	{"0x1F", "a number", true, 31}, {"0XfF", "a number", true, 255},
	{"0b101", "a number", true, 5}, {"1_000", "a number", true, 1000},
	{"0_7", "a number", true, 7}, {"00", "a number", true, 0},
	{"9223372036854775807", "a number", true, INT64_MAX},
	{"-9223372036854775808", "a number", true, INT64_MIN},
	{"9223372036854775808", "a number", false, 0},
	{"08", "a number", false, 0}, // no octal number, but a float
	{"1.5", "a number", false, 0}, {"1e3", "a number", false, 0}, {".5", "a number", false, 0},
	{"5.", "a number", false, 0}, {".inf", "a number", false, 0},
	{"-.INF", "a number", false, 0}, {".nan", "a number", false, 0},
	{"_1", "a string", false, 0}, {"0x", "a string", false, 0}, {"0b2", "a string", false, 0},
	{"0xg", "a string", false, 0}, {"+", "a string", false, 0}, {".", "a string", false, 0},
	{"1e", "a string", false, 0}, {"1 0", "a string", false, 0},
	{"20:20", "a string", false, 0}, {"1.2.3", "a string", false, 0},
	{"inf", "a string", false, 0}, {"true", "a boolean", false, 0},
	{"False", "a boolean", false, 0}, {"tRUE", "a string", false, 0},
	{"yes", "a string", false, 0}, {"on", "a string", false, 0}, {"~", "null", false, 0},
	{"null", "null", false, 0}, {"Null", "null", false, 0}, {"nULL", "a string", false, 0},
	{"'1'", "a string", false, 0}, {"\"true\"", "a string", false, 0},
	{"''", "a string", false, 0}, {"!!str 1", "a string", false, 0},
	{"! 1", "a string", false, 0}, {"!!int '1'", "a number", false, 0},
	{"!reset null", "null", false, 0}, {"!t 5", "a number", false, 0},
	{"[]", "a list", false, 0}, {"{}", "a mapping", false, 0},
	{"111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111",
		"a string", false, 0}, // a number for others; nothing here needs it
};

static void test_scalars(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(scalars) / sizeof(*scalars); i++) {
		char text[120];
		assert_true(snprintf(text, sizeof(text), "a: %s\n", scalars[i].in) > 0);
		struct reading r = read_text(text);
		if (!r.doc) {
			fail_msg("%s: not read", scalars[i].in);
		}
		const struct br_node *node = br_node_get(r.doc->roots[0], "a");
		int64_t value = 42;
		bool is_int = br_node_is_int(node, &value);
		if (is_int != scalars[i].is_int || (is_int && value != scalars[i].value)) {
			fail_msg("%s: %d %lld", scalars[i].in, is_int, (long long)value);
		}
		if (strcmp(br_node_type(node), scalars[i].type) != 0) {
			fail_msg("%s: %s", scalars[i].in, br_node_type(node));
		}
		assert_false(is_int && br_node_is_float(node));
		done(&r);
	}
}

static void test_kinds(void **state) {
	(void)state;
	struct reading r = read_text("[true, FALSE, ~, 1.5, 12, '', !!bool true, ]\n");
	assert_non_null(r.doc);
	const struct br_node *const *v = r.doc->roots[0]->items;
	bool yes = false;
	assert_true(br_node_is_bool(v[0], &yes) && yes);
	assert_true(br_node_is_bool(v[1], &yes) && !yes);
	assert_false(br_node_is_bool(v[6], &yes));
	assert_true(br_node_is_null(v[2]));
	assert_false(br_node_is_null(v[5]));
	assert_false(br_node_is_null(NULL));
	assert_false(br_node_is_null(r.doc->roots[0]));
	assert_true(br_node_is_float(v[3]));
	assert_false(br_node_is_float(v[4]));
	done(&r);
}

// Limits and hostile texts. The makers answer heap memory.

/** The unit n times, with the number from 0 in place of '#'. */
static char *count(const char *before, const char *unit, unsigned n, const char *after) {
	struct br_buf buf = {0};
	br_buf_add(&buf, before);
	for (unsigned i = 0; i < n; i++) {
		const char *number = strchr(unit, '#');
		assert_non_null(number);
		br_buf_addn(&buf, unit, (size_t)(number - unit));
		br_buf_addf(&buf, "%u%s", i, number + 1);
	}
	br_buf_add(&buf, after);
	char *s = br_buf_take(&buf);
	assert_non_null(s);
	return s;
}

static char *indented(size_t levels) {
	struct br_buf buf = {0};
	for (size_t i = 0; i < levels; i++) {
		for (size_t j = 0; j < i; j++) {
			br_buf_addc(&buf, ' ');
		}
		br_buf_add(&buf, "a:\n");
	}
	char *s = br_buf_take(&buf);
	assert_non_null(s);
	return s;
}

static char *laughs(unsigned levels) {
	struct br_buf buf = {0};
	br_buf_add(&buf, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (unsigned i = 1; i < levels; i++) {
		br_buf_addf(&buf, "a%u: &a%u [", i, i);
		for (int j = 0; j < 10; j++) {
			br_buf_addf(&buf, "%s*a%u", j ? ", " : "", i - 1);
		}
		br_buf_add(&buf, "]\n");
	}
	char *s = br_buf_take(&buf);
	assert_non_null(s);
	return s;
}

/**
 * Takes the text; NULL for `message` if it is to be read. What these texts would cost without the
 * limits is half a minute of processor time and more, so ten seconds tell the two apart under any
 * sanitizer; nothing is measured here.
 */
static void check_limit(const char *name, char *text, const char *message) {
	clock_t from = clock();
	struct reading r = read_text(text);
	clock_t used = clock() - from;
	free(text);
	const char *said = r.doc ? NULL : br_diags_get(r.dx, 0)->message;
	if (!message ? said != NULL : !said || !strstr(said, message)) {
		fail_msg("%s: %s", name, said ? said : "was taken");
	}
	if (used > 10 * CLOCKS_PER_SEC) {
		fail_msg("%s: not bounded", name);
	}
	done(&r);
}

static void test_depth(void **state) {
	(void)state;
	char *deep = repeat("", "[", 64, "");
	check_limit("64 brackets", repeat(deep, "]", 64, ""), NULL);
	free(deep);
	deep = repeat("", "[", 65, "");
	check_limit("65 brackets", repeat(deep, "]", 65, ""), "more than 64 levels");
	free(deep);
	check_limit("64 indents", indented(64), NULL);
	check_limit("65 indents", indented(65), "more than 64 levels");
	check_limit("200k brackets", repeat("", "[", 200000, ""), "more than 64 levels");
	check_limit("200k braces", repeat("a: ", "{", 200000, ""), "more than 64 levels");
	check_limit("200k dashes", repeat("", "- ", 200000, "a"), "more than 64 levels");
	check_limit("200k questions", repeat("", "? ", 200000, "a"), "more than 64 levels");
	check_limit("keys in flow", repeat("", "{a: ", 200000, ""), "more than 64 levels");
	check_limit("anchors and brackets", repeat("", "&a [", 200000, ""), "more than 64 levels");
	check_limit("brackets in a literal", repeat("a: |\n ", "[", 2000, "\n"), NULL);
	check_limit("brackets in quotes", repeat("a: '", "[", 2000, "'\n"), NULL);
	check_limit("brackets in a comment", repeat("a: b # ", "[", 200000, "\n"), NULL);
}

static void test_sizes(void **state) {
	(void)state;
	check_limit("1 MiB", repeat("#", "x", BR_DOC_BYTES - 1, ""), NULL);
	check_limit("1 MiB and 1", repeat("#", "x", BR_DOC_BYTES, ""), "bytes");
	check_limit("64 KiB scalar", repeat("a: ", "x", BR_DOC_SCALAR, ""), NULL);
	check_limit("64 KiB and 1 scalar", repeat("a: ", "x", BR_DOC_SCALAR + 1, ""), "64 KiB");
	check_limit("huge quoted", repeat("a: \"", "\\u0041", 150000, "\""), "64 KiB");
	check_limit("huge literal", repeat("a: |\n", "  x\n", 200000, ""), "64 KiB");
	check_limit("huge folded over lines", repeat("a: b", "\n  c", 200000, ""), "64 KiB");
	check_limit("64 documents", repeat("", "---\na\n", 64, ""), NULL);
	check_limit("65 documents", repeat("", "---\na\n", 65, ""), "64 documents");
	check_limit("200k documents", repeat("", "---\n", 200000, ""), "64 documents");
	check_limit("1000 anchors", count("", "- &a# x\n", 1000, "- *a999\n"), NULL);
	check_limit("1001 anchors", count("", "- &a# x\n", 1001, ""), "1000 anchors");
	check_limit("long key", repeat("? '", "k", 1025, "'\n: b\n"), "1024 bytes");
	check_limit("values", repeat("[", "a,", 200000, "]"), "100000 values");
	check_limit("events", repeat("[", "[],", 100000, "]"), "pieces of YAML");
	check_limit("long tag", repeat("a: !<", "x", 200000, "> b\n"), "tag of more than");
	check_limit("tag of escapes", repeat("a: !", "%41", 200000, " b\n"), "tag of more than");
	check_limit("many tags", repeat("", "- !a%41 b\n", 20000, ""), NULL);
	check_limit("directives", count("", "%TAG !a#! b\n", 50000, "---\na\n"), "directives");
	check_limit(
		"a long directive", repeat("%", "a ", 100000, "\n---\na\n"), "a directive of more");
	check_limit("a directive", repeat("%a", " b", 500, "\n---\na\n"), NULL);
	check_limit("blanks at the end", repeat("[a]", " ", 400000, "\n"), "512 blanks");
	check_limit("tabs in between", repeat("[a,", "\t", 513, "b]\n"), "512 blanks");
	check_limit("some blanks", repeat("[a,", " ", 512, "b]\n"), NULL);
	check_limit("indentation", repeat("a: |\n", "        ", 6000, "b\n"), NULL);
	check_limit("blank in lines", repeat("a: b\n", "        \n", 100000, ""), NULL);
	check_limit("comments", repeat("a:\n", " #\n", 300000, " b\n"), NULL);
	check_limit("blank lines", repeat("a:", "\n", 900000, " b\n"), NULL);
}

static void test_many_keys(void **state) {
	(void)state;
	check_limit("40k keys", count("", "k#: 1\n", 40000, ""), NULL);
	check_limit("40k keys and one again", count("", "k#: 1\n", 40000, "k7: 1\n"), "key 'k7'");
	check_limit("the same key 40k times", repeat("", "k: 1\n", 40000, ""), "key 'k'");
	check_limit("one key by 40k aliases", repeat("- &k a\n- {", "*k : 1,", 40000, "}\n"),
		"key 'a'");

	char *text = count("", "k#: x\n", 30000, "");
	struct reading r = read_text(text);
	free(text);
	assert_non_null(r.doc);
	for (unsigned i = 0; i < 30000; i++) {
		char key[20];
		assert_true(snprintf(key, sizeof(key), "k%u", i) > 0);
		const struct br_pair *pair = br_node_pair(r.doc->roots[0], key);
		assert_non_null(pair);
		assert_string_equal(pair->key->s, key);
		assert_ptr_equal(pair, &r.doc->roots[0]->pairs[i]);
	}
	done(&r);
}

static void test_laughs(void **state) {
	(void)state;
	check_limit("four levels", laughs(4), NULL);
	check_limit("nine levels", laughs(9), "100000 values");
	check_limit("thousand levels", laughs(900), "100000 values");
	struct reading r = read_text("a: &a [1, 2]\nb: &b [*a, *a]\n");
	assert_non_null(r.doc);
	done(&r);
	// the error is at the alias that goes too far
	char *text = laughs(6);
	r = read_text(text);
	assert_null(r.doc);
	struct br_position position = {0};
	assert_true(br_places_find(r.places, br_diags_get(r.dx, 0)->at, &position));
	// a3 weighs 11111, so nine of them make a4 exactly 100000 heavy, and the tenth is too many
	assert_int_equal(position.line, 5);
	assert_int_equal(position.column, 10 + 9 * 5);
	assert_int_equal(br_diags_get(r.dx, 0)->at.len, 3);
	free(text);
	done(&r);
}

/** All short texts over bytes that mean something: nothing breaks, and a failure says one thing. */
static void test_short(void **state) {
	(void)state;
	static const char bytes[] = "a:- [{]},&*!|>'\"#%?\n\t\\$~<";
	const size_t n = sizeof(bytes) - 1;
	for (size_t i = 0; i < n * n * n; i++) {
		char text[] = {bytes[i % n], bytes[i / n % n], bytes[i / n / n], '\n', 0};
		struct reading r = read_text(text);
		done(&r);
	}
}

/** Read with what was set up before; the n-th allocation fails there. */
static void check_memory(const char *s, size_t n) {
	for (unsigned i = 1;; i++) {
		struct br_places *places = br_places_new();
		struct br_diags *dx = br_diags_new(places);
		assert_non_null(dx);
		int text = br_places_add(places, BR_PLACE_FILE, "in.yaml", s, n);
		assert_true(text > 0);
		fault_at(i);
		struct br_doc *doc = br_doc_read((uint16_t)text, dx);
		bool hit = fault_hit();
		fault_at(0);
		assert_true(!doc ? br_diags_errors(dx) > 0 : !br_diags_errors(dx));
		br_doc_free(doc);
		br_diags_free(dx);
		br_places_free(places);
		if (!hit) {
			return;
		}
	}
}

static void test_memory(void **state) {
	(void)state;
	static const char good_text[] = "a: &x !t [1, 'b']\nc: *x\nd: {e: |\n f}\n---\n- x\n";
	static const char bad_text[] = "a: 1\na: 2\n";
	static const char open_text[] = "a: [1\n";
	static const char wide_text[] = "\xff\xfe"
					"a\0:\0 \0b\0";
	check_memory(good_text, sizeof(good_text) - 1);
	check_memory(bad_text, sizeof(bad_text) - 1);
	check_memory(open_text, sizeof(open_text) - 1);
	check_memory(wide_text, sizeof(wide_text) - 1);
}

/** Where a text ends too early, the place is not behind its end. */
static void test_cut_short(void **state) {
	static const char text[] =
		"a: &x !t [1, 'b', \"c\\n\"]\n? e\n: *x\n# f\n%g: |\n\t h\n--- {i: \tj}";
	char one[2] = "";
	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		struct reading r = read_bytes(text, n);
		done(&r);
	}
	for (int c = 1; c < 128; c++) {
		one[0] = (char)c;
		struct reading r = read_text(one);
		done(&r);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_weight),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_utf16),
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_laughs),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_memory),
	};
	return cmocka_run_group_tests_name("doc", tests, NULL, NULL);
}
