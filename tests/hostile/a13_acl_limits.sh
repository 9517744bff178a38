#!/usr/bin/env bash
# A13: an ACL that does not fit, or is not kept at all, is said; what was done can be put back.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

tree 7001 f d/g d/h
keep data
# 122: quota, 30: read-only, 5: the disk. Each is asked once, not for every file.
call=setxattrat
# As on an older kernel (tests/under/enosys).
! grep -q '^Seccomp:.*2' /proc/self/status || call=setxattr
for error in 122 30 5; do
	meddled $call:2 $error 3 "$BINDRIGHT" fix --yes --sysroot $T --strategy acl
	says 'stopped in' 'bindright undo'
	want 0 undo
	kept
done
# 28, no space: that of the disk, if it is full, and else that of the file.
meddled $call:2 28 3 "$BINDRIGHT" fix --yes --sysroot $T --strategy acl
says '4 could not be changed' 'bindright undo'
want 0 undo
kept
mkdir full && mount -t tmpfs -o size=100k tmpfs full
cp -a data full/ && ! cat /dev/zero >full/rest 2>/dev/null || die "nothing fills it"
compose 'volumes: ["./full/data:/data"]'
meddled $call:2 28 3 "$BINDRIGHT" fix --yes --sysroot $T --strategy acl
says 'stopped in' 'bindright undo'
want 0 undo
umount full
# A file whose owner has filled it with attributes, or with entries, is no full disk: the others have their turn, with fix and with undo.
fill() {
	python3 - "$1" <<'END'
import os, sys
for size in (3000, 900, 300, 90, 30, 9, 3):
    try:
        for i in range(100000):
            os.setxattr(sys.argv[1], "user.%d.%d" % (size, i), b"x" * size)
    except OSError:
        pass
END
}
case $fs in
tmpfs | xfs | btrfs) ;; # Those have room for any.
*)
	tree 7001 a m z d/g d/h
	fill data/m
	keep data
	want 3 fix --strategy acl
	says 'there is no room in it for such an ACL' '1 could not be changed'
	silent 'stopped in'
	getfacl -c data/a data/d/h | grep -c 'user:1001:rw' | grep -qx 2 || die "the others were left out"
	want 0 undo
	kept
	rm -r data
	tree 7001 a m z d/g d/h
	setfacl -m u:7005:r,u:7006:r data/a data/m data/z data/d/g
	keep data/a data/z data/d
	want 0 fix -q --strategy chown --privileged-files
	setfacl -b data/m && fill data/m
	want any undo
	kept
	"$BINDRIGHT" history >$T/out
	silent unfinished
	rm -r data
	;;
esac
# A file system without ACLs.
mkdir plain
mount -t ramfs ramfs plain
mkdir plain/data && touch plain/data/f && chown -R 7001:7001 plain/data && chmod 600 plain/data/f
compose 'volumes: ["./plain/data:/data"]'
keep plain/data
want 1 fix --strategy acl
kept
# And one that nobody has heard of, which is asked.
mkdir other
mount -t hugetlbfs hugetlbfs other
mkdir other/data && touch other/data/f && chown -R 7001:7001 other/data && chmod 600 other/data/f
compose 'volumes: ["./other/data:/data"]'
keep other/data
want 1 fix --strategy acl
says 'it would need an ACL, which the file system (hugetlbfs) does not keep'
kept
