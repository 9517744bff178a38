#!/usr/bin/env bash
# A6: whoever unmounts his source, or renames what leads to a mount point, just before the jail is made, gains nothing by it.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

[ -e /dev/fuse ] || skip "needs /dev/fuse"
# As on an older kernel (tests/under/enosys) there is no jail.
jail=yes
! grep -q '^Seccomp:.*2' /proc/self/status || jail=
# Unmounted lazily, with us at work in it: what cannot be cloned then is no reason to work without the jail.
mkdir data
touch data/below
keep data
compose 'volumes: ["./data:/data"]'
for when in ${jail:+mkdirat:1 fdatasync:1 open_tree:1}; do
	server=$(python3 $here/stops.py data readdir:10000 0)
	meddled $when "umount -l $T/work/data" 3 "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
	says 'the mount jail cannot be had: a source was unmounted'
	kept
	end_server
	want 0 undo
	says 'nothing to undo'
done
# What nobody may clone, and is where it was, is a reason.
touch data/f && chown 7001:7001 data data/f
keep data/f data
mount --bind data data && mount --make-unbindable data
want 0 fix --strategy chown
says 'jail: off (a mount cannot be cloned'
want 3 fix --strategy chown --require-jail --user app=1002:1002
says 'the mount jail cannot be had: a mount cannot be cloned'
want 0 undo
umount data
kept
rm data/f && chown 0:0 data
keep data
# And at any other time: what is done is done there, and what comes to light below it is another one.
for when in ${jail:+open_tree:1+} fdatasync:2 fchownat:1; do
	server=$(python3 $here/stops.py data readdir:10000 0)
	meddled $when "umount -l $T/work/data" any "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
	kept
	end_server
	want any undo
	kept
done
rm -r data
# What a mount covers stays covered, whatever the way to it is called meanwhile: by another name of the source, or of a directory in it.
tree 7001 x/d/f e
keep data/x/d
# moved CALL:N FROM TO STATUS COMMAND...
moved() {
	local from=$2 to=$3
	meddled "$1" "mv $from $to" "${@:4}"
	want any undo
	mv $to $from
	umount data/x/d
	kept
	mount -t tmpfs tmpfs data/x/d
	want any undo
}
mount -t tmpfs tmpfs data/x/d
for when in mkdirat:1 fdatasync:1 ${jail:+open_tree:1 open_tree:1+ mount_setattr:1} fdatasync:2; do
	moved $when data elsewhere any "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
	moved $when data/x data/y any "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
	owned 7001:7001:644 data/e
	owned 7001:7001:755 data data/x
done
# And on the way back.
call=fdatasync:1
[ ! $jail ] || call=open_tree:1+
umount data/x/d
want 0 fix -q --strategy chown
keep data/x/d
mount -t tmpfs tmpfs data/x/d
meddled $call 'mv data/x data/y' 1 "$BINDRIGHT" undo --yes
mv data/y data/x
umount data/x/d
kept
want 0 undo
owned 7001:7001:644 data/e data/x/d/f
# One that nobody may clone, and which covers all the same.
keep data/x/d
mount -t tmpfs tmpfs data/x/d && mount --make-unbindable data/x/d
want 1 fix -q --strategy chown
want 0 undo
umount data/x/d
kept
# Nor does an undo look under one that came since.
want 0 fix -q --strategy chown
keep data/x/d
mount -t tmpfs tmpfs data/x/d && mount --make-unbindable data/x/d
want 1 undo
says 'a mount point is in the way'
umount data/x/d
kept
want 0 undo
owned 7001:7001:644 data/x/d/f
