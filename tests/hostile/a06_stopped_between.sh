#!/usr/bin/env bash
# A6: a server that stops between two steps of a fix or an undo, when no walk is on its way, hangs nothing either.
# time limit: 300
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/servers.sh
. "${BR_TOP:?run it with make test}/tests/hostile/servers.sh" || exit 1

# What may be asked for by several at a time comes in no order: one directory is enough.
export STOPS_DIRECTORIES=1
mkdir data
compose 'volumes: ["./data:/data"]'
# Whether a target is there and of what kind is asked with statfs, whether it still answers with opendir, as long as nobody walks. All
# of the former in a fix, and of the latter behind the last change; then the same of the undo: this is what an undisturbed one asks.
stop_at readdir:10000
asked fix -q --strategy chown
cp $T/asked $T/fix
asked undo
cp $T/asked $T/undo
gone
# count WORD FILE...: how many requests of this kind. behind FILE: those behind the last change.
count() {
	local word=$1
	shift
	cat "$@" | grep -cx "$word" || true
}
behind() { awk '$1 == "setattr" { n = 0; delete v } { v[++n] = $1 } END { for (i = 1; i <= n; i++) print v[i] }' $1; }
behind $T/fix >$T/fix_end
behind $T/undo >$T/undo_end
statfs=$(count statfs $T/fix)
opendir=$(count opendir $T/fix)
ends=$(count opendir $T/fix_end)
undo_statfs=$(count statfs $T/undo)
undo_ends=$(count opendir $T/undo_end)
all=$((opendir + $(count opendir $T/undo)))
[ $statfs -ge 2 ] && [ $ends -ge 1 ] && [ $undo_statfs -ge 1 ] && [ $undo_ends -ge 1 ] || die 'asks less than it has to'

begun=0 unbegun=0
# The fix stops here: it says so, and what it left can be put back.
fix_stops() {
	stop_at $1
	soon bad fix --yes --sysroot $T --strategy chown
	words | grep -qE 'does not answer|could not be examined' || die 'does not say that it does not answer'
	go_on
	if words | grep -qF 'bindright undo'; then
		begun=$((begun + 1))
		want 0 undo
	else
		unbegun=$((unbegun + 1))
	fi
	belong 0 data/d0/f0 data/d0/f4 data/d0 data
	gone
}
for ((n = 1; n <= statfs; n++)); do fix_stops statfs:$n; done
[ $unbegun -ge 1 ] || die 'it never stopped before the work'
begun=0
for ((n = opendir - ends + 1; n <= opendir; n++)); do fix_stops opendir:$n; done
[ $begun -ge 1 ] || die 'it never stopped behind the last change'
# The undo does, of a fix that nobody stopped.
undo_stops() {
	stop_at $1
	want 0 fix -q --strategy chown
	soon 3 undo --yes
	says 'does not answer'
	go_on
	want 0 undo
	belong 0 data/d0/f0 data/d0/f4 data/d0 data
	gone
}
for ((n = statfs + 1; n <= statfs + undo_statfs; n++)); do undo_stops statfs:$n; done
for ((n = all - undo_ends + 1; n <= all; n++)); do undo_stops opendir:$n; done
