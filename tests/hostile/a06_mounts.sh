#!/usr/bin/env bash
# A6: a mount point inside is another subject: not entered, not hung on, not looked under.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 d/f e
keep data/d
mount -t tmpfs tmpfs data/d
touch data/d/inside && chown 7001:7001 data/d/inside data/d
want 1 fix -q --strategy chown
owned 7001:7001:644 data/d/inside
belong 1001 data/e
want 1 bindright check --sysroot $T
says 'mount'
want 0 undo
umount data/d
kept
# Mounted over while it works.
meddled fdatasync:2+ 'mount -t tmpfs tmpfs data/d && touch data/d/f && chown 7001:7001 data/d/f' 1 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
# From within the jail it is not even seen.
words <$T/out | grep -q 'jail: off' && says 'mount point is in the way' || silent 'mount point is in the way'
owned 7001:7001:644 data/d/f
umount data/d
want 0 undo
kept
# Without the jail it is seen, and not crossed.
meddled fdatasync:2+ 'mount -t tmpfs tmpfs data/d && touch data/d/f && chown 7001:7001 data/d/f' 1 \
	"$(command -v setpriv)" --bounding-set=-sys_admin "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
says 'jail: off' 'mount point is in the way'
owned 7001:7001:644 data/d/f
umount data/d
want 0 undo
kept
# Mounted over before it is undone.
want 0 fix -q --strategy chown
mount -t tmpfs tmpfs data/d && touch data/d/f && chown 7001:7001 data/d/f
want 1 undo
says 'mount point is in the way'
owned 7001:7001:644 data/d/f
umount data/d
want 0 undo
kept
# The kernel's own file systems are no sources.
for source in /proc /sys /dev; do
	compose "volumes: [\"$source:/x\"]"
	want 3 fix
	says 'refused to change'
done
