#!/usr/bin/env bash
# Every finding code comes out of some test, and every option goes into one: here the tests are looked at, not the program.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

cd "$BR_TOP/tests"
# In the text report, as a warning of reading, in JSON, or asked for by a test with real containers.
found() { grep -qE "(^! ? *|^ +)(error|warning|info) $1 |: $1: |\[$1\]|\"code\": ?\"$1\"" cli/[!c]*.golden cli/check*.golden || grep -q "$1" e2e/*.sh; }
while read -r code _; do
	found "$code" || die "no test produces $code"
done < <(bindright codes | grep '^BR')

bindright --list-options | awk -F'\t' '$2 ~ /^--/ { print $2 }' | sort -u >"$T/names"
[ "$(wc -l <"$T/names")" -gt 40 ] || die "the table is too short"
while read -r name; do
	grep -qE -- "$name( |=|\"|$)" cli/[!w]*.sh e2e/*.sh || grep -qE -- "--no-${name#--}( |$)" cli/[!w]*.sh ||
		die "no test uses $name, but those of wrong words"
done <"$T/names"

# Every message about wrong words has its place under it; what has none is about a word that is not there, or about no word.
grep -h '^! bindright: error: ' cli/wrong_*.golden |
	grep -vE "cannot write|no compose file in|needs a (UID|path)$|there is no run line to read$|'./config.json'" >"$T/placeless" && die "without a place: $(cat "$T/placeless")"

# The document has every code.
bindright codes | awk '/^BR/ { print $1 }' | while read -r code; do
	grep -q "^## $code: " ../docs/codes.md || die "docs/codes.md lacks $code"
done
