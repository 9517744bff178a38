#!/usr/bin/env bash
# A6: a server that does not answer any more hangs nothing, in the tree or as the source.
# time limit: 300
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

[ -e /dev/fuse ] || skip "needs /dev/fuse"
stall() {
	server=$(python3 $here/stalls.py "$1")
	[ "$(stat -f -c %T "$1")" = fuseblk ] || [ "$(stat -f -c %T "$1")" = fuse ] || die "no FUSE at $1"
}
gone() {
	umount -l "$1"
	kill $server
}
tree 7001 d/f e
stall data/d
for command in check plan 'fix --yes'; do
	soon any 60 "$BINDRIGHT" $command --sysroot $T
	says '1 mount point inside'
done
getfacl -cp data/e | grep -q '1001' || belong 1001 data/e
soon 0 60 "$BINDRIGHT" undo --yes
for command in check 'fix --yes'; do
	soon 3 60 "$BINDRIGHT" $command --sysroot $T --cross-file-systems
	says "mounted at 'd' in it does not answer"
done
gone data/d
# The source itself, and one below it.
mkdir hung
stall hung
compose 'volumes: ["./hung:/data"]'
for command in check 'fix --yes'; do
	soon 1 60 "$BINDRIGHT" $command --sysroot $T
	says 'could not be examined'
done
gone hung
# One that stalls between a fix and its undo.
tree 7001 f
want 0 fix -q
stall data
soon 3 60 "$BINDRIGHT" undo --yes
says 'could not be put back'
gone data
want 0 undo
owned 7001:7001:644 data/f
