#!/usr/bin/env bash
# A3: what runs as its owner never runs as another; nothing is changed that need not be.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 suid sgid both plain d/x
chmod 4755 data/suid && chmod 2755 data/sgid && chmod 6750 data/both && chmod 2775 data/d
keep data
want 1 fix -q
owned 7001:7001:4755 data/suid
owned 7001:7001:2755 data/sgid
owned 7001:7001:6750 data/both
want 0 undo
kept
want 0 fix -q --privileged-files --strategy chown
for f in suid sgid both; do
	[ "$(stat -c %u data/$f)" = 1001 ] || die "$f was not changed"
	[ ! -u data/$f ] && [ ! -g data/$f ] || die "$f runs as its new owner"
done
[ -g data/d ] || die "a directory lost its setgid bit"
want 0 undo
kept
# At no moment it is the new owner's and setuid: looked at right after the change of owner.
meddled fchownat:1+ "! find data -user 1001 -type f -perm /6000 | grep ." 0 "$BINDRIGHT" fix --yes --sysroot $T --privileged-files --strategy chown
want 0 undo
kept
# What is right is not touched: its change time stays.
tree 1001 suid
chmod 4755 data/suid
touch data/wrong && chmod 644 data/wrong
before=$(stat -c %z data/suid)
want 0 fix -q --strategy chown
[ "$(stat -c %z data/suid)" = "$before" ] || die "an owner was set to what it was"
owned 1001:1001:4755 data/suid
