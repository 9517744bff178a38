#!/usr/bin/env bash
# A22: a run is called done, or undone, when every file system that it changed something on has written it out.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f in/ file/
truncate -s 64M "$memory/disk" && mkfs.ext4 -q -F "$memory/disk"
mount -o loop "$memory/disk" data/in && mkdir data/in/d && touch data/in/d/f
mount -t tmpfs tmpfs data/file && touch data/file/two
chown -R 7001:7001 data
keep data
# Each of the three is asked; the second of them fails, and the run is not done.
for command in "fix --yes --sysroot $T --strategy chown --cross-file-systems" "undo --yes"; do
	meddled syncfs:3 true 0 "$BINDRIGHT" $command
done
kept
meddled syncfs:2 5 3 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown --cross-file-systems
says 'to disk: Input/output error'
want 0 "$BINDRIGHT" history
says 'unfinished'
meddled syncfs:2 5 3 "$BINDRIGHT" undo --yes
says 'to disk: Input/output error'
want 0 "$BINDRIGHT" history
says 'partly undone'
want 0 undo
kept
# One that is not entered is nobody's matter, and of a file it is its own file system that is asked.
want 98 "$BR_BUILD/tests/hostile/meddle" syncfs:2 true "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
want 0 undo
compose 'volumes: ["./data/f:/file"]'
meddled syncfs:1 true 0 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
meddled syncfs:1 true 0 "$BINDRIGHT" undo --yes
kept
umount data/in data/file
