#!/usr/bin/env bash
# The map at the top of main.c names every module.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

map=$(sed -n '1,/\*\//p' "$BR_TOP/src/cli/main.c")
for module in "$BR_TOP"/src/*; do
	name=$(basename "$module")
	[ ! -d "$module" ] || name=$name/
	grep -qF " $name" <<<"$map" || die "the map in src/cli/main.c lacks $name"
done
