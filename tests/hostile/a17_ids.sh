#!/usr/bin/env bash
# A17: a number is this number or an error, never another one.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

mkdir data
# user WORD: what it says of a service with this user.
user() {
	printf 'services:\n  app:\n    image: example\n    user: %s\n    volumes: ["./data:/data"]\n' "$1" >compose.yaml
	"$BINDRIGHT" fix --yes --sysroot $T -q >$T/out 2>&1 </dev/null || true
}
for word in 2147483648 4294967295 4294967296 4294968297 18446744073709551617 99999999999999999999999 -1 '"-1"' '"0x3e9"' '"1_001"' '" 1001"' '"1001 "' '"1001:4294967295"' '"1001:2147483648"' '":5"'; do
	user "$word"
	[ "$(stat -c %u:%g data)" = 0:0 ] || die "$word became $(stat -c %u:%g data)"
done
user '"1001:1002"'
owned 1001:1002:755 data
want 0 undo
# YAML 1.1 would read a number of base 60, or of base 8.
user 33:33
owned 33:33:755 data
want 0 undo
user 1000:50
belong 1000 data
want 0 undo
user 2147483647:2147483647
owned 2147483647:2147483647:755 data
want 0 undo
