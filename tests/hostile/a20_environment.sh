#!/usr/bin/env bash
# A20: the caller's environment names no program, no place and no account of ours.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f
mkdir bin home
for program in useradd groupadd userdel sh setfacl chown; do
	printf '#!/bin/sh\ntouch %s/pwned\n' "$T/work" >bin/$program
done
chmod 755 bin/*
export PATH=$T/work/bin:$PATH
want 0 env XDG_STATE_HOME=$T/work/home HOME=$T/work/home TMPDIR=$T/work/home LD_LIBRARY_PATH=$T/work/bin LC_ALL=../../etc LOCPATH=$T/work "$BINDRIGHT" fix -q --yes --sysroot $T
[ ! -e pwned ] || die "a program of the caller's was run"
[ -z "$(ls -A home)" ] || die "something was written where the environment said"
[ -n "$(ls $T/state/runs)" ] || die "the journal is not where it should be"
want 0 env XDG_STATE_HOME=$T/work/home "$BINDRIGHT" undo --yes
# What is not set in a source's path makes it nobody's.
mkdir -p x && keep x data
compose 'volumes: ["./x$NOTHING:/data"]'
want 3 fix
says 'NOTHING'
kept
# Setuid it does not run at all.
cp "$BINDRIGHT" setuid && chmod 4755 setuid && chown 7001 setuid && chmod 4755 setuid
want 3 setpriv --reuid 7002 --regid 7002 --clear-groups ./setuid check
says 'setuid'
# Without standard descriptors no file of ours becomes one.
compose 'volumes: ["./data:/data"]'
"$BINDRIGHT" fix --yes -q --sysroot $T <&- >&- 2>&- || true
[ "$(head -c 4 $T/state/runs/*/journal | grep -c BRJ1)" -ge 1 ] || die "a journal was written over"
want 0 undo
# SUDO_UID is a name to show, not a right.
want any env SUDO_UID=7001 SUDO_USER=somebody "$BINDRIGHT" history
# Nobody looks into it while it works, not even another process of the same user: what it was told, or is about to be told, is its own.
chmod 755 $T/work
mkfifo $T/work/words && chown 7001 $T/work/words
SECRET=sesame setpriv --reuid 7001 --regid 7001 --clear-groups "$BINDRIGHT" check -q -f - <$T/work/words >$T/out 2>&1 &
one=$!
SECRET=sesame setpriv --reuid 7001 --regid 7001 --clear-groups sleep 600 <$T/work/words &
other=$!
exec 9>$T/work/words
until [ "$(cat /proc/$one/comm)" = bindright ] && [ "$(cat /proc/$other/comm)" = sleep ]; do sleep 0.1; done
# It reads: harden() is behind it.
until grep -q pipe_read /proc/$one/wchan || [ "$(awk '{ print $3 }' /proc/$one/stat)" = S ]; do sleep 0.1; done
looks() { setpriv --reuid 7001 --regid 7001 --clear-groups cat /proc/$1/environ | tr '\0' '\n' | grep -qx SECRET=sesame; }
looks $other || die "nobody can look into any process here"
! looks $one 2>/dev/null || die "another process of the same user reads its environment"
! setpriv --reuid 7001 --regid 7001 --clear-groups ls /proc/$one/fd >/dev/null 2>&1 || die "and its descriptors"
kill $other
wait $other || true
exec 9>&-
wait $one || true
