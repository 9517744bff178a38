#!/usr/bin/env bash
# A21: that we lack descriptors says nothing about a journal: it is not called damaged, and nobody is told to drop it.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 a b
keep data
few() {
	(
		ulimit -n "$1"
		shift
		exec "$BINDRIGHT" "$@"
	)
}
no_false_word() {
	silent 'damaged'
	silent '--prune'
}
meddled fchownat:2+ "$slain" 137 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
for ((n = 4; n <= 10; n++)); do
	few $n fix --yes --sysroot $T --strategy chown >$T/out 2>&1 </dev/null && die "changed with $n descriptors"
	no_false_word
	want 3 few $n undo --yes
	no_false_word
	few $n history >$T/out 2>&1 </dev/null || true
	no_false_word
	few $n history --prune 0s >$T/out 2>&1 </dev/null || true
	silent 'damaged'
	[ -n "$(ls $T/state/runs/*/journal)" ] || die "dropped with $n descriptors"
done
want 0 undo
kept
