#!/usr/bin/env bash
# A5: what the plan remembers of its walk is no licence: what is not as it was then is left alone, or looked at anew.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

# either TEXT TEXT: by memory, or (where change times are not exact: before Linux 6.13) by a walk, which leaves it out without a word.
either() { (says "$1") 2>/dev/null || says "$2"; }
# Between the plan and the work: meanwhile COMMAND STATUS
meanwhile() { meddled mkdirat:1 "$1" "$2" "$BINDRIGHT" fix --yes --sysroot $T --strategy chown; }
again() {
	rm -rf data
	tree 7001 d/f d/g e/f
	touch data/fits && chown 1001:1001 data/fits
}

# Another owner, another mode, another ACL, another name: it is somebody else's business now.
again
meanwhile 'chown 7002:7002 data/d/f' 1
either 'data/d/f: its owner is now 7002' 'Changed 5 of 6'
belong 7002 data/d/f
belong 1001 data data/d data/d/g data/e/f
want 0 undo
owned 7001:7001:644 data/d/g data/e/f
again
meanwhile 'chmod 4711 data/d/f' any
either 'data/d/f: its mode is now -rws--x--x' 'Changed 5 of 6'
belong 7001 data/d/f
want 0 undo
again
meanwhile 'ln data/d/f other' any
either 'data/d/f: it has 2 names now' 'Changed 5 of 6'
belong 7001 data/d/f
rm -f other
want 0 undo
# A whole file of the same kind in its place: it came later.
again
meanwhile 'rm data/d/f && touch data/d/f && chmod 644 data/d/f && chown 7001:7001 data/d/f' 1
says 'data/d/f: nothing like it was there'
belong 7001 data/d/f
belong 1001 data/d/g
want 0 undo
# What was not wanting then and what nobody saw is not changed by what is remembered.
again
mkdir other && touch other/f && chown -R 7001:7001 other
keep other
meanwhile 'mv data/d away && ln -s ../other data/d' any
kept
rm data/d && mv away data/d
belong 1001 data/e/f data
want 0 undo
rm -r other
# A directory that takes another's place has the same names in it.
again
mkdir -p other && cp -a data/d other && chown -R 7007:7007 other
keep other/d/f other/d/g
meanwhile 'mv data/d away && mv other/d data/d' any
mv data/d other/d && mv away data/d
kept
want 0 undo
rm -r other
# Mounted over: its mount's files are another subject.
again
meanwhile 'mount -t tmpfs tmpfs data/d && touch data/d/f && chown 7001:7001 data/d/f' any
owned 7001:7001:644 data/d/f
umount data/d
want any undo
# All of it, and nothing but it, where nobody is in the way; what fitted is as it was.
again
keep data/fits
want 0 fix -q --strategy chown
belong 1001 data data/d data/d/f data/d/g data/e data/e/f
kept
want 0 undo
owned 7001:7001:644 data/d/f data/d/g data/e/f
kept
