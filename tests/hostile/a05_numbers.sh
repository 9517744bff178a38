#!/usr/bin/env bash
# A5, D: a number is given away again as soon as a file is gone. What has it now, and looks the same, is another one, with birth times and without.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

mkdir disk
compose 'volumes: ["./disk/data:/data"]'
# ./again FILE: it goes, and another one comes, with its name, number, owner, group, mode and ACL.
cat >again <<'AGAIN'
#!/bin/bash
number=$(stat -c %i "$1") owner=$(stat -c %u:%g "$1")
getfacl -cp "$1" >acl
for _ in {1..50}; do
	rm "$1" && echo other >"$1"
	[ "$(stat -c %i "$1")" != "$number" ] || break
done
chown "$owner" "$1" && setfacl --set-file=acl "$1" && [ "$(stat -c %i "$1")" = "$number" ]
AGAIN
chmod +x again
# Inodes of 128 bytes have no room for a birth time: there it is told by the generation in its handle.
for size in 256 128; do
	truncate -s 16M "$memory/disk" && mkfs.ext4 -q -F -I $size "$memory/disk" 2>/dev/null
	mount -o loop "$memory/disk" disk
	mkdir disk/data && touch disk/data/f disk/data/g && chown -R 7001:7001 disk/data
	[ "$(stat -c %W disk/data/f)" = 0 ] && births=no || births=yes
	[ $size:$births = 256:yes ] || [ $size:$births = 128:no ] || die "inodes of $size bytes: $births birth times"
	keep disk/data/g
	want 0 fix -q --strategy chown
	./again disk/data/f || die "no other one has its number"
	keep disk/data/f
	want 1 undo
	says 'data/f: another one has its name now'
	kept
	owned 7001:7001:644 disk/data/g
	# And in the midst of a fix.
	chown 7001:7001 disk/data/f && setfacl -b disk/data/f && chmod 644 disk/data/f
	# By itself: of several, how many are announced at a time is a matter of time.
	rm disk/data/g
	keep disk/data
	meddled fdatasync:2+ './again disk/data/f' any "$BINDRIGHT" fix --yes --sysroot $T --strategy chown
	owned 7001:7001:644 disk/data/f
	want any undo
	kept
	umount disk
	rm -r $T/state/runs/* "$memory/disk"
done
