#!/usr/bin/env bash
# A22: put to sleep (^Z) for longer than a server may keep silent, it is no reason to give that server up.
# time limit: 300
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

[ -e /dev/fuse ] || skip "needs /dev/fuse"
mkdir data
compose 'volumes: ["./data:/data"]'
# sleeps STATUS SERVER COMMAND...: all of its processes sleep while the server does, which stops at this request.
sleeps() {
	local status=$1 where=$2 pid all got=0
	shift 2
	rm -f $T/stopped
	server=$(STOPS_TELL=$T/stopped python3 $here/stops.py data "$where" 0)
	"$BINDRIGHT" "$@" >$T/out 2>&1 </dev/null &
	pid=$!
	eventually test -e $T/stopped
	all="$pid $(pgrep -P $pid | tr '\n' ' ')"
	kill -STOP $all
	sleep 11
	kill -USR1 $server
	# Whoever watches wakes first.
	kill -CONT $pid
	sleep 0.3
	kill -CONT $all
	wait $pid || got=$?
	[ $got = "$status" ] || die "exit status $got, not $status: $*"
}
gone() {
	umount -l data
	end_server
}
sleeps 0 setattr:5 fix -q --yes --sysroot $T --strategy chown
belong 1001 data/d0/f0 data/d3 data
want 0 undo
belong 0 data/d0/f0 data/d3 data
gone
sleeps 1 readdir:3 check --sysroot $T
silent 'does not answer'
gone
