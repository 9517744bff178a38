# Shared by the cases of A6 about a file system whose server stops answering: lib.sh, and servers that do so.
# shellcheck shell=bash disable=SC2086,SC2120 # $T and $here have no blanks; most mount points are data
#
# To be read with patience=SECONDS set: how long anybody's patience may last.
#
#   soon STATUS COMMAND...     want, before that
#   stop_at WHERE              a server of stops.py at ./data that stops there; go_on: it answers again
#   stall MOUNT_POINT          a server of stalls.py, which never answers
#   gone [MOUNT_POINT]         whichever of them it was, it is no more
#   asked PROGRAM...           what it asks of the server at ./data, one word a line, in $T/asked; of a program that nobody stops

once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

[ -e /dev/fuse ] || skip "needs /dev/fuse"
export STOPS_LOG=$T/requests
soon() {
	local status=$1
	shift
	want "$status" timeout -s KILL ${patience:?} "$BINDRIGHT" "$@"
}
stop_at() { server=$(python3 $here/stops.py data "$1" 0); }
stall() {
	server=$(python3 $here/stalls.py "$1")
	[ "$(stat -f -c %T "$1")" = fuseblk ] || [ "$(stat -f -c %T "$1")" = fuse ] || die "no FUSE at $1"
}
go_on() { kill -USR1 $server && sleep 0.5; }
gone() {
	umount -l "${1:-data}"
	kill $server
	server=
}
asked() {
	: >$STOPS_LOG
	want 0 "$@"
	cp $STOPS_LOG $T/asked
	[ -s $T/asked ] || die "$* asked for nothing"
}
