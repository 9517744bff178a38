#!/usr/bin/env bash
# A21, A22: while undo works nobody else works there; it works where the run did, and a run that is not on the disk is not called done.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f d/g
keep data
# Twice at a time, and a fix beside it: of the run, and of the place.
sed s/1001:1001/1002:1002/ compose.yaml >other.yaml
want 0 fix -q --strategy chown
for other in "undo --yes" "undo --yes ID" "fix --yes --sysroot $T -f other.yaml --from 1001"; do
	for when in fdatasync:1 fchownat:2; do
		meddled $when "$BINDRIGHT ${other/ID/$(ls $T/state/runs)} >$T/inner 2>&1 || true" 0 "$BINDRIGHT" undo --yes
		kept
		case $other in
		"undo --yes") grep -q 'another fix or undo' $T/inner || grep -q 'nothing to undo' $T/inner ;;
		*) grep -q 'another fix or undo' $T/inner ;;
		esac || die "$other: $(cat $T/inner)"
		rm -r $T/state/runs/*
		want 0 fix -q --strategy chown
	done
done
# A link to the tree, or the tree's contents in another one, are not the tree.
mv data aside && ln -s aside data
want 1 undo
belong 1001 aside/f aside/d/g
rm data && mkdir data && mv aside/* data/
want 1 undo
says 'another one has its name now'
belong 1001 data/f data/d/g
mv data/* aside/ && rmdir data && mv aside data
want 0 undo
kept
# What the disk did not take is not done: neither with a fix nor with an undo.
meddled syncfs:1 5 3 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
says "cannot write '$T/work/data' to disk" 'bindright undo'
want 0 "$BINDRIGHT" history
says unfinished
meddled syncfs:1 5 3 "$BINDRIGHT" undo --yes
says "cannot write '$T/work/data' to disk"
want 0 "$BINDRIGHT" history
says 'partly undone'
want 0 undo
kept
want 0 "$BINDRIGHT" history
silent 'partly undone'
