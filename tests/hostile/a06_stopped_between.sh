#!/usr/bin/env bash
# A6: a server that stops between two steps of a fix or an undo, when no walk is on its way, hangs nothing either.
# time limit: 300
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

[ -e /dev/fuse ] || skip "needs /dev/fuse"
# stop_at WHERE: a server that does so.
stop_at() { server=$(python3 $here/stops.py data "$1" 0); }
# Whoever waited for it has his answer, and ends.
go_on() { kill -USR1 $server && all_gone; }
gone() {
	umount -l data
	kill $server
	server=
}
mkdir data
compose 'volumes: ["./data:/data"]'
# Between the plan and the work, when the target is looked at: nothing was begun.
stop_at statfs:2
soon 3 60 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
says "'$T/work/data' does not answer"
silent 'bindright undo'
go_on
belong 0 data/d0/f0 data
gone
# After the last change, when it is to be written to disk: what asks whether it answers, two walks of two directories, and that.
STOPS_DIRECTORIES=1 stop_at opendir:6
soon 3 60 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
says 'does not answer any more' 'bindright undo'
go_on
belong 1001 data
want 0 undo
belong 0 data/d0/f0 data/d0 data
gone
# And when undo begins, and looks at what it found.
for where in statfs:4 statfs:5; do
	stop_at $where
	want 0 fix -q --strategy chown
	soon 3 60 "$BINDRIGHT" undo --yes
	says 'does not answer'
	go_on
	want 0 undo
	belong 0 data/d0/f0 data/d3 data
	gone
done
