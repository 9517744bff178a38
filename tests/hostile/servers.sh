# Shared by the cases of A6 about a file system whose server stops answering: lib.sh, and servers that do so.
# shellcheck shell=bash disable=SC2086,SC2120 # $T and $here have no blanks; most mount points are data
#
#   soon STATUS COMMAND...     want, before anybody's patience ends
#   stop_at WHERE              a server of stops.py at ./data that stops there
#   go_on                      it answers again, and none of the processes of the last "soon" is left
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
	# The group of all its processes has the number of the first.
	# shellcheck disable=SC2016
	want "$status" bash -c 'echo $$ >"$0" && exec timeout -s KILL 60 "$@"' $T/group "$BINDRIGHT" "$@"
}
none_left() { ! ps -e -o pgid= -o stat= | awk -v group="$(cat $T/group)" '$1 == group && $2 !~ /^Z/ { n++ } END { exit n == 0 }'; }
stop_at() { server=$(python3 $here/stops.py data "$1" 0); }
stall() {
	server=$(python3 $here/stalls.py "$1")
	[ "$(stat -f -c %T "$1")" = fuseblk ] || [ "$(stat -f -c %T "$1")" = fuse ] || die "no FUSE at $1"
}
go_on() { kill -USR1 $server && eventually none_left; }
gone() {
	umount -l "${1:-data}"
	end_server
}
asked() {
	: >$STOPS_LOG
	want 0 "$@"
	cp $STOPS_LOG $T/asked
	[ -s $T/asked ] || die "$* asked for nothing"
}
