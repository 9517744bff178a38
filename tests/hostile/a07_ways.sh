#!/usr/bin/env bash
# A7: the way to a source is walked hop by hop; one that somebody else could have prepared is refused by name.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

refused() {
	compose "volumes: [\"$1:/data\"]"
	want 3 fix
	says 'refused to change' "$2"
	kept
}
mkdir -m 777 shared
mkdir target && touch target/f && chown -R 7001:7001 target
keep target
as 7007 ln -s "$T/work/target" shared/link
refused ./shared/link "shared"
# Sticky does not help where the link itself is somebody else's.
mkdir -m 1777 sticky
as 7007 ln -s "$T/work/target" sticky/link
refused ./sticky/link "sticky/link"
mkdir -m 775 group && chown 0:7100 group && ln -s "$T/work/target" group/link
refused ./group/link "group"
ln -s /proc/self/cwd/target magic
# The kernel's own links lead anywhere: not followed at all.
for source in ./magic /proc/self/cwd/target /proc/self/fd/0 /dev/fd/0; do
	compose "volumes: [\"$source:/data\"]"
	"$BINDRIGHT" fix --yes --sysroot $T >$T/out 2>&1 </dev/null && die "took $source"
	says 'could not be examined'
	kept
done
# ".." is taken from the words, as compose does it, not from the links.
mkdir deep && ln -s "$T/work/shared" deep/jump
compose 'volumes: ["./deep/jump/../../target:/data"]'
want 0 fix -q
want 0 undo
kept
# One's own links are fine.
ln -s target mine
compose 'volumes: ["./mine:/data"]'
want 0 fix -q
want 0 undo
kept
