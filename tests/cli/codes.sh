#!/usr/bin/env bash
# Every finding code has a page, in the program and in docs/, and its example leads to it.
# shellcheck source=tests/cli/lib.sh
. "$BR_TOP/tests/cli/lib.sh"

golden 0 bindright codes
golden 0 bindright codes BR104
golden 0 bindright codes br307
golden 0 bindright codes 1 --format json
golden 2 bindright codes BR999
golden 2 bindright codes nonsense
golden 2 bindright codes BR101 BR102
bindright --list-codes | diff "$BR_TOP/docs/codes.md" - >&2 || die "docs/codes.md is old: make codes"
bindright codes --format json >codes.json

# The example's commands are to be run as they stand on the page, by a user who has bindright on his path.
mkdir bin && ln -s "$BINDRIGHT" bin/bindright
export PATH=$PWD/bin:$PATH
bindright codes | awk '/^BR/ { print $1 }' >all
[ "$(wc -l <all)" -gt 25 ] || die "too few codes"
while read -r code; do
	bindright codes "$code" >page
	sed -n '/^Example/,/^How/s/^    //p' page >example
	if [ ! -s example ]; then
		[ "$code" = BR208 ] || [ "$code" = BR307 ] || [ "$code" = BR210 ] || die "$code has no example"
		continue
	fi
	mkdir "$code" && cd "$code"
	bash -e ../example >../out 2>../err </dev/null || [ $? = 1 ] || die "$code: $(cat ../example ../err)"
	grep -q "$code" ../out || grep -q "$code" ../err || die "the example of $code does not lead to it: $(cat ../example ../out ../err)"
	cd ..
done <all
done_golden
