#!/usr/bin/env bash
# On a narrow terminal every line of a report is broken where it ends, those far to the right too; the end of the input is a no.
# shellcheck source=tests/cli/lib.sh
. "${BR_TOP:?run it with make test}/tests/cli/lib.sh" || exit 1

command -v script >/dev/null || skip 'needs script (bsdutils)'
compose 'volumes: ["./d:/d"]'
mkdir d && touch d/a && chown 7001:7001 d d/a
on_terminal() { script -qec "stty cols 40; $1" /dev/null </dev/null | tr -d '\r\004\b' | sed 's/\^D//'; }
on_terminal "NO_COLOR=1 $BINDRIGHT check --sysroot $T" >shown
grep -q BR101 shown || die "not shown: $(cat shown)"
# Headings and sums are not broken, what is said below them is.
awk 'length > 40 && /^            /' shown >long
[ ! -s long ] || die "longer than 40: $(cat long)"

printf '\004' | script -qec "NO_COLOR=1 $BINDRIGHT fix; echo status \$?" /dev/null | tr -d '\r\b' >shown
grep -q '^bindright: note: nothing was changed$' shown || die "the note has no line of its own: $(tail -n 3 shown)"
grep -q '^status 1$' shown || die "$(tail -n 3 shown)"
