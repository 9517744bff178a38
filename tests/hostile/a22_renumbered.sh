#!/usr/bin/env bash
# A22: after a start of the machine a disk may have another number. What was mounted in a target, and entered, is known again all the same.
# shellcheck disable=SC2015,SC2016,SC2086,SC2119,SC2120 # commands for others; $T has no blanks
once=1
# shellcheck source=tests/hostile/lib.sh
. "${BR_TOP:?run it with make test}/tests/hostile/lib.sh" || exit 1

number() { stat -c %d "$1"; }
# entered TYPE SIZE: one that lies in the target.
entered() {
	local type=$1 parts="data/in data/in/d" part
	truncate -s "$2" "$memory/$type"
	case $type in
	ext4) mkfs.ext4 -q -F "$memory/$type" ;;
	*) "mkfs.$type" -q "$memory/$type" >/dev/null ;;
	esac || skip "needs mkfs.$type"
	one=$(losetup --find --show "$memory/$type") && two=$(losetup --find --show "$memory/$type")
	loops="${loops:-} $one $two"
	mkdir -p data/in
	mount "$one" data/in
	mkdir data/in/d
	if [ "$type" = btrfs ]; then
		btrfs -q subvolume create data/in/sub >/dev/null
		parts="$parts data/in/sub"
	fi
	touch data/e
	for part in $parts; do touch $part/f $part/g; done
	chown -R 7001:7001 data
	keep data
	compose 'volumes: ["./data:/data"]'
	want 0 fix -q --strategy chown --cross-file-systems
	belong 1001 data data/e
	for part in $parts; do belong 1001 $part $part/f $part/g; done
	before=$(number data/in/f)
	umount data/in
	# Numbers of no device are given away anew from the lowest one; others that unmount meanwhile leave lower ones to be given away first.
	pads=0
	until [ $pads = 100 ]; do
		for _ in 1 2 3 4 5; do mkdir -p pad && mount -t tmpfs pad pad; done
		pads=$((pads + 5))
		mount "$two" data/in
		[ "$(number data/in/f)" = "$before" ] || break
		umount data/in
	done
	[ $pads -lt 100 ] || die "$type has its old number"
	want 0 undo
	kept
	umount data/in
	for ((; pads > 0; pads--)); do umount pad; done
	rm -rf data pad
}
entered ext4 64M
entered xfs 320M
entered btrfs 128M

# Another one in its place, with other files of the same names (and numbers).
for i in 1 2; do
	truncate -s 64M "$memory/other$i" && mkfs.ext4 -q -F "$memory/other$i"
	mkdir -p data/in && mount -o loop "$memory/other$i" data/in
	touch data/in/f
	[ $i = 2 ] || {
		chown -R 7001:7001 data
		compose 'volumes: ["./data:/data"]'
		want 0 fix -q --strategy chown --cross-file-systems
		umount data/in
		mkdir -p pad && mount -o loop "$memory/ext4" pad
	}
done
chown -R 1001:1001 data/in
want 1 undo
says 'data/in: another one has its name now'
belong 1001 data/in/f
belong 7001 data
