#!/usr/bin/env bash
# A14: what chattr protects is reported, and stays protected.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 fixed log f
chattr +i data/fixed && chattr +a data/log
keep data/fixed data/log
want 1 fix --strategy chown
says 'chattr' "2 below $T/work/data"
silent 'protected by chattr now'
kept
lsattr data/fixed | grep -q '^....i' || die "the flag is gone"
belong 1001 data/f
want 0 undo
# Protected on the way.
meddled fdatasync:2+ 'chattr +i data/f' 1 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
says 'protected by chattr now'
chattr -i data/f data/fixed && chattr -a data/log
owned 7001:7001:644 data/f
# A read-only file system.
mount --bind data data && mount -o remount,bind,ro data
keep data
want 1 fix
kept
