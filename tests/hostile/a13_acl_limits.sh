#!/usr/bin/env bash
# A13: an ACL that does not fit, or is not kept at all, is said; what was done can be put back.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f d/g d/h
keep data
# 28: no space, 122: quota, 30: read-only, 5: the disk. Each is asked once, not for every file.
call=setxattrat
# As on an older kernel (tests/under/enosys).
! grep -q '^Seccomp:.*2' /proc/self/status || call=setxattr
for error in 28 122 30 5; do
	meddled $call:2 $error 3 "$BINDRIGHT" fix --yes --sysroot $T --strategy acl
	says 'stopped in' 'bindright undo'
	want 0 undo
	kept
done
# A file system without ACLs.
mkdir plain
mount -t ramfs ramfs plain
mkdir plain/data && touch plain/data/f && chown -R 7001:7001 plain/data && chmod 600 plain/data/f
compose 'volumes: ["./plain/data:/data"]'
keep plain/data
want 1 fix --strategy acl
kept
