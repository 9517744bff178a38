#!/usr/bin/env bash
# A6: what an automounter would mount, it is not asked to, and nobody waits for it: in the tree, as the source, and on the way to one.
# time limit: 300
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/servers.sh
. "${BR_TOP:?run it with make test}/tests/hostile/servers.sh" || exit 1

automount() { server=$(python3 $here/automounts.py "$1" "$2" $T/asked_for "${@:3}") || skip "needs autofs"; }
# Nobody was asked for anything.
unasked() {
	[ ! -s $T/asked_for ] || die "the automounter was asked"
}
ended() { [[ $(ps -o stat= -p "$1") =~ ^(Z|$) ]]; }
# Whoever takes the trigger away would trigger it, and wait for as long as somebody has the pipe to read from.
no_more() {
	local automounter=$server
	end_server
	eventually ended $automounter
	umount -l "$1"
	rm $T/asked_for
}
# It bites: whoever only lists the place waits for ever.
mkdir data
automount data direct
ls data >/dev/null 2>&1 &
lister=$!
disown
eventually test -s $T/asked_for
kill -9 $lister
no_more data

# In the tree.
tree 7001 d/f e
keep data/d
for kind in direct indirect; do
	automount data/d $kind
	for command in check plan 'fix --yes --strategy chown'; do
		soon 1 $command --sysroot $T
		says '1 mount point inside'
		unasked
	done
	belong 1001 data/e data
	soon 0 undo --yes
	belong 7001 data/e data
	for command in check plan 'fix --yes --strategy chown'; do
		soon bad $command --sysroot $T --cross-file-systems
		says "an automounter would have to mount it first"
		unasked
	done
	soon 0 undo --yes
	belong 7001 data/e data
	unasked
	no_more data/d
	kept
done
# As the source, on the way to it, and where one is to be made.
mkdir auto
for kind in direct indirect; do
	for source in ./auto ./auto/there ./auto/there/deep; do
		automount auto $kind
		compose "volumes: [\"$source:/data\"]"
		for command in check plan 'fix --yes' 'check --cross-file-systems' 'fix --yes --cross-file-systems'; do
			soon bad $command --sysroot $T
			says 'could not be examined: an automounter would have to mount it first'
			unasked
		done
		soon 2 explain ./auto/there --as 1001
		unasked
		no_more auto
	done
done
# It came between a fix and its undo: in the tree, over the target, over what the target lies in.
mkdir -p over
mv data over/data
compose 'volumes: ["./over/data:/data"]'
keep over/data
printf '#!/bin/sh\nexec setpriv --bounding-set=-sys_admin %s "$@"\n' $T/bindright >$T/unjailed
chmod +x $T/unjailed
for BINDRIGHT in $T/bindright $T/unjailed; do
	for place in over/data/d over/data over; do
		for kind in direct indirect; do
			want 0 fix -q --strategy chown
			automount $place $kind
			soon bad undo --yes
			unasked
			[ $place != over/data/d ] || says 'a mount point is in the way'
			no_more $place
			want 0 undo
			kept
		done
	done
done
BINDRIGHT=$T/bindright
# Where it has mounted something already, that is a file system like another one: as the source, and below one.
rm -r over auto
for kind in direct indirect; do
	mkdir auto
	automount auto $kind 7001
	inside=auto
	[ $kind = direct ] || inside=auto/there
	compose "volumes: [\"./$inside:/data\"]"
	soon 0 fix --yes --sysroot $T --strategy chown
	belong 1001 $inside/f $inside
	soon 0 undo --yes
	belong 7001 $inside/f $inside
	unasked
	umount $inside
	no_more auto
	rmdir auto
done
