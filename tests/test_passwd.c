#include <base/text.h>

#include <errno.h>
#include <image/parts.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <support/fault.h>

#include <cmocka.h>

/** The entries as "name=uid:gid" with "!" behind a malformed one, "~" where the uid wraps; a line
 * end in a name shows as %. */
static char *show_users(const struct br_image_user *users, size_t n) {
	struct br_buf buf = {0};
	br_buf_add(&buf, "");
	for (size_t i = 0; i < n; i++) {
		br_buf_addf(&buf, "%s%s=%u:%u%s%s", i ? " " : "", users[i].name, users[i].uid,
			users[i].gid, users[i].malformed ? "!" : "", users[i].wraps ? "~" : "");
	}
	for (size_t i = 0; i < buf.n; i++) {
		buf.s[i] = buf.s[i] == '\n' ? '%' : buf.s[i];
	}
	return br_buf_take(&buf);
}

/** "name=gid(a,b)". */
static char *show_groups(const struct br_image_group *groups, size_t n) {
	struct br_buf buf = {0};
	br_buf_add(&buf, "");
	for (size_t i = 0; i < n; i++) {
		br_buf_addf(&buf, "%s%s=%u(", i ? " " : "", groups[i].name, groups[i].gid);
		for (size_t k = 0; groups[i].members[k]; k++) {
			br_buf_addf(&buf, "%s%s", k ? "," : "", groups[i].members[k]);
		}
		br_buf_addf(
			&buf, ")%s%s", groups[i].malformed ? "!" : "", groups[i].wraps ? "~" : "");
	}
	for (size_t i = 0; i < buf.n; i++) {
		buf.s[i] = buf.s[i] == '\n' ? '%' : buf.s[i];
	}
	return br_buf_take(&buf);
}

#define TEXT(s) s, sizeof(s) - 1

/** By hand from moby/sys/user's user.go and Go's strconv and bytes; the malformed ones were also
 * seen in engines. */
static const struct {
	const char *name, *in;
	size_t n;
	const char *out;
} passwd[] = {
	{"empty", TEXT(""), ""},
	{"one", TEXT("root:x:0:0:root:/root:/bin/sh\n"), "root=0:0"},
	{"no line end", TEXT("app:x:1001:1002"), "app=1001:1002"},
	{"two", TEXT("root:x:0:0::/:\napp:x:1001:1002::/:\n"), "root=0:0 app=1001:1002"},
	{"duplicates stay in order", TEXT("a:x:5:6\na:x:7:8\nb:x:5:9\n"), "a=5:6 a=7:8 b=5:9"},
	{"uid that is no number", TEXT("weird:x:abc:1::/:\n"), "weird=0:1!"},
	{"gid that is no number", TEXT("weird:x:1:abc\n"), "weird=1:0!"},
	{"a name only", TEXT("bad\n"), "bad=0:0!"},
	{"no gid", TEXT("short:x:1010\n"), "short=1010:0!"},
	{"empty gid", TEXT("nogid:x:1015:\n"), "nogid=1015:0!"},
	{"empty uid", TEXT("nouid:x::7\n"), "nouid=0:7!"},
	{"only colons", TEXT(":::::\n"), "=0:0!"},
	{"blank lines", TEXT("\n  \n\t\r\n\na:x:1:2\n\n"), "a=1:2"},
	{"leading blank", TEXT("  \ta:x:1:2\n"), "a=1:2"},
	{"trailing blank", TEXT("a:x:1:2  \n"), "a=1:2"},
	{"CRLF", TEXT("a:x:1:2\r\nb:x:3:4:g:h:s\r\n"), "a=1:2 b=3:4"},
	{"next line and no-break spaces",
		TEXT("\xc2\x85\xc2\xa0"
		     "a:x:1:2\xe3\x80\x80\xe2\x80\xa8\n"),
		"a=1:2"},
	{"zero-width space is none", TEXT("a:x:1:2\xe2\x80\x8b\n"), "a=1:0!"},
	{"invalid UTF-8 is kept", TEXT("a\xff:x:1:2\n"), "a\xff=1:2"},
	{"blanks inside", TEXT("a :x: 1:2 \n"), "a =0:2!"},
	{"comment is an entry", TEXT("#a:x:1:2\n"), "#a=1:2"},
	{"nis entry", TEXT("+\n+::::::\n"), "+=0:0! +=0:0!"},
	{"plus and zeros", TEXT("a:x:+5:007\n"), "a=5:7"},
	{"minus zero", TEXT("a:x:-0:1\n"), "a=0:1"},
	{"sign only", TEXT("a:x:+:-\n"), "a=0:0!"},
	{"two signs", TEXT("a:x:+-1:1\n"), "a=0:1!"},
	{"hexadecimal", TEXT("a:x:0x10:1e3\n"), "a=0:0!"},
	{"underscore", TEXT("a:x:1_0:1\n"), "a=0:1!"},
	{"the largest", TEXT("a:x:2147483647:1\n"), "a=2147483647:1"},
	{"one more", TEXT("a:x:2147483648:1\n"), "a=2147483648:1!"},
	{"nobody of 32 bits", TEXT("a:x:4294967294:1\n"), "a=4294967294:1!"},
	{"no ID", TEXT("a:x:4294967295:1\n"), "a=4294967295:1!"},
	{"wraps to root", TEXT("a:x:4294967296:1\n"), "a=0:1!~"},
	{"wraps", TEXT("a:x:4294968297:1\n"), "a=1001:1!~"},
	{"negative", TEXT("a:x:-1:-2\n"), "a=4294967295:4294967294!~"},
	{"the largest of 64 bits", TEXT("a:x:9223372036854775807:1\n"), "a=4294967295:1!~"},
	{"too large is the largest", TEXT("a:x:9223372036854775808:99999999999999999999999\n"),
		"a=4294967295:4294967295!~"},
	{"too small is the smallest", TEXT("a:x:-9223372036854775809:-99999999999999999999\n"),
		"a=0:0!~"},
	{"too large, then no digit", TEXT("a:x:99999999999999999999x:1\n"), "a=0:1!"},
	{"zero byte in a name", TEXT("a\0b:x:1:2\n"), "a%b=1:2"},
	{"zero byte in a number", TEXT("a:x:1\0:2\n"), "a=0:2!"},
	{"only zero bytes", TEXT("\0\0\n"), "%%=0:0!"},
	{"more fields", TEXT("a:x:1:2:3:4:5:6:7\n"), "a=1:2"},
	{"a name that looks like a number", TEXT("1001:x:5555:5556\n"), "1001=5555:5556"},
};

static const struct {
	const char *name, *in;
	size_t n;
	const char *out;
} group[] = {
	{"empty", TEXT(""), ""},
	{"one", TEXT("root:x:0:\n"), "root=0()"},
	{"members", TEXT("media:x:2001:app,root\n"), "media=2001(app,root)"},
	{"no members field", TEXT("a:x:5\n"), "a=5()"},
	{"no number", TEXT("a:x\n"), "a=0()!"},
	{"empty number", TEXT("a:x::b\n"), "a=0(b)!"},
	{"not a number", TEXT("a:x:five:b\n"), "a=0(b)!"},
	{"out of range", TEXT("a:x:4294967296:b\n"), "a=0(b)!~"},
	{"comment", TEXT("#a:x:1:b\n # c\nd:x:2:e\n"), "d=2(e)"},
	{"CRLF is not the member's", TEXT("a:x:1:b,c\r\n"), "a=1(b,c)"},
	{"blanks are the member's", TEXT("a:x:1:b, c ,d\n"), "a=1(b, c ,d)"},
	{"empty members name nobody", TEXT("a:x:1:,b,,c,\n"), "a=1(b,c)"},
	{"more fields", TEXT("a:x:1:b:c\n"), "a=1(b)"},
	{"twice", TEXT("a:x:1:b\na:x:2:c\n"), "a=1(b) a=2(c)"},
	{"zero byte in a member", TEXT("a:x:1:b\0,c\n"), "a=1(b%,c)"},
	{"blank lines", TEXT("\n\n a:x:1:b\n \n"), "a=1(b)"},
};

static void each_passwd_line(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(passwd) / sizeof(*passwd); i++) {
		struct br_arena arena = {0};
		const struct br_image_user *users = NULL;
		size_t n = 0;
		assert_int_equal(passwd_parse(&arena, passwd[i].in, passwd[i].n, &users, &n), 0);
		char *got = show_users(users, n);
		if (strcmp(got, passwd[i].out) != 0) {
			fail_msg("%s: %s, not %s", passwd[i].name, got, passwd[i].out);
		}
		free(got);
		br_arena_release(&arena);
	}
}

static void each_group_line(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(group) / sizeof(*group); i++) {
		struct br_arena arena = {0};
		const struct br_image_group *groups = NULL;
		size_t n = 0;
		assert_int_equal(group_parse(&arena, group[i].in, group[i].n, &groups, &n), 0);
		char *got = show_groups(groups, n);
		if (strcmp(got, group[i].out) != 0) {
			fail_msg("%s: %s, not %s", group[i].name, got, group[i].out);
		}
		free(got);
		br_arena_release(&arena);
	}
}

/** `n` bytes: `unit` again and again. */
static char *repeat(const char *unit, size_t n) {
	char *s = malloc(n + 1);
	assert_non_null(s);
	for (size_t i = 0; i < n; i++) {
		s[i] = unit[i % strlen(unit)];
	}
	s[n] = '\0';
	return s;
}

static int passwd_result(const char *bytes, size_t n, size_t *count) {
	struct br_arena arena = {0};
	const struct br_image_user *users = NULL;
	errno = 0;
	int result = passwd_parse(&arena, bytes, n, &users, count);
	br_arena_release(&arena);
	return result ? errno : 0;
}

static int group_result(const char *bytes, size_t n, size_t *count) {
	struct br_arena arena = {0};
	const struct br_image_group *groups = NULL;
	errno = 0;
	int result = group_parse(&arena, bytes, n, &groups, count);
	br_arena_release(&arena);
	return result ? errno : 0;
}

static void limits(void **state) {
	(void)state;
	size_t n = 0;
	char *lines = repeat("a\n", 20002);
	assert_int_equal(passwd_result(lines, 20000, &n), 0);
	assert_int_equal(n, 10000);
	assert_int_equal(passwd_result(lines, 20002, &n), EFBIG);
	assert_int_equal(group_result(lines, 20000, &n), 0);
	assert_int_equal(group_result(lines, 20002, &n), EFBIG);
	free(lines);
	// Go's scanner holds 65536 bytes with the line end.
	char *line = repeat("a", (1 << 20) + 1);
	assert_int_equal(passwd_result(line, 65535, &n), 0);
	assert_int_equal(passwd_result(line, 65536, &n), EMSGSIZE);
	assert_int_equal(group_result(line, 65536, &n), 0);
	assert_int_equal(group_result(line, (1 << 20) - 1, &n), 0);
	assert_int_equal(group_result(line, 1 << 20, &n), EMSGSIZE);
	assert_int_equal(group_result(line, (1 << 20) + 1, &n), EFBIG);
	assert_int_equal(passwd_result(line, (1 << 20) + 1, &n), EFBIG);
	line[65535] = '\n';
	assert_int_equal(passwd_result(line, 65536, &n), 0);
	free(line);
}

static void each_allocation_fails(void **state) {
	(void)state;
	char *passwd_bytes = repeat("abc:x:1:2\n", 5000);
	char *group_bytes = repeat("abc:x:1:d,e\n", 6000);
	size_t n = 0;
	int result = 0;
	FAULT_EACH(i, {
		result = passwd_result(passwd_bytes, 5000, &n);
		assert_true(!result || result == ENOMEM);
	});
	FAULT_EACH(i, {
		result = group_result(group_bytes, 6000, &n);
		assert_true(!result || result == ENOMEM);
	});
	assert_int_equal(result, 0);
	free(passwd_bytes);
	free(group_bytes);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_passwd_line),
		cmocka_unit_test(each_group_line),
		cmocka_unit_test(limits),
		cmocka_unit_test(each_allocation_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
