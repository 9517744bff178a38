#!/usr/bin/env bash
# A6: a server that stops in the middle of a walk, of a fix or of an undo hangs nothing, not even with a call that no signal ends.
# time limit: 300
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/servers.sh
. "${BR_TOP:?run it with make test}/tests/hostile/servers.sh" || exit 1

mkdir data
compose 'volumes: ["./data:/data"]'
# As long as it answers, all is as ever.
stop_at readdir:10000
want 0 fix -q --strategy chown
belong 1001 data/d0/f0 data/d3 data
want 0 undo
belong 0 data/d0/f0 data/d3 data
gone
# In the middle of a walk.
for where in readdir:3 getattr:9; do
	stop_at $where
	soon 1 check --sysroot $T
	says 'its file system does not answer'
	gone
done
# The walk of a check that root runs has no rights but to see everything (and to leave the times of access alone).
stop_at readdir:3
"$BINDRIGHT" check --sysroot $T >/dev/null 2>&1 &
walker=$!
# And it cannot have others any more, nor change anything by those.
few='CapInh:0000000000000000 CapPrm:000000000000000c CapEff:000000000000000c CapBnd:0000000000000000 CapAmb:0000000000000000 NoNewPrivs:1 Seccomp:2 '
# Until it walks like that, or has ended.
has_few() {
	rights=$(awk '$1 ~ /^(Cap...|NoNewPrivs|Seccomp):$/ { printf "%s%s ", $1, $2 }' /proc/$walker/status)
	[ "$rights" = "$few" ] || ! kill -0 $walker
}
eventually has_few
[ "$rights" = "$few" ] || die "walks with $rights"
kill $walker
wait $walker || true
gone
# In the walk of fix: what lies elsewhere is done.
mkdir plain && touch plain/f
compose 'volumes: ["./data:/data", "./plain:/plain"]'
stop_at readdir:3
soon 1 fix --yes --sysroot $T --strategy chown
says 'its file system does not answer'
belong 1001 plain plain/f
go_on
belong 0 data/d0/f0 data/d3 data
gone
want 0 undo
belong 0 plain plain/f
# In the midst of changing: that too.
stop_at setattr:12
soon 3 fix --yes --sysroot $T --strategy chown
says "'$T/work/data' does not answer any more" 'bindright undo'
belong 1001 plain plain/f
# And so on the way back.
soon 3 undo --yes
says 'does not answer' 'could not be put back'
belong 0 plain plain/f
go_on
want any undo --yes
belong 0 data/d0/f0 data/d1/f1 data/d2/f2 data/d3/f3 data/d3 data
gone
compose 'volumes: ["./data:/data"]'
# At the very first change.
stop_at setattr:1
soon 3 fix --yes --sysroot $T --strategy chown
says 'does not answer any more' 'bindright undo'
go_on
want any undo
belong 0 data/d0/f0 data/d0/f4 data/d1/f1 data/d2/f2 data/d3/f3 data/d3 data
gone
# In the midst of an undo that began well: setattr comes 25 times in a fix of 25.
stop_at setattr:37
want 0 fix -q --strategy chown
soon 3 undo --yes
says 'could not be put back' 'its file system does not answer'
go_on
want any undo
belong 0 data/d0/f0 data/d0/f4 data/d1/f1 data/d2/f2 data/d3/f3 data/d3 data
gone
